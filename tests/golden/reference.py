"""Update rules written straight from their papers, one scalar loop each, for the forms that no
public library offers. They share nothing with the engine: a second opinion, not a copy.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Gradient = Callable[[np.ndarray], np.ndarray]


def nesterov_lookahead(
    gradient: Gradient, start: np.ndarray, lrs: np.ndarray, *, beta: float
) -> np.ndarray:
    """v ← βv + η∇J(w − βv), w ← w − v (Nesterov 1983 in the form of Sutskever et al. 2013)."""
    w, v = start.copy(), np.zeros(2)
    path = [w.copy()]
    for lr in lrs:
        v = beta * v + lr * gradient(w - beta * v)
        w = w - v
        path.append(w.copy())
    return np.array(path)
