"""Update rules written straight from their papers, one plain loop each, for the forms that no
public library offers. They share nothing with the engine: a second opinion, not a copy.

Every rule takes the problem's derivatives, the start (2,) and the learning rate of each step
(steps,), and gives the path (steps+1, 2).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Derivatives(NamedTuple):
    """What a rule may ask of a problem at a point w (2,)."""

    loss: Callable[[np.ndarray], float]
    gradient: Callable[[np.ndarray], np.ndarray]
    hessian: Callable[[np.ndarray], np.ndarray]


def nesterov_lookahead(
    problem: Derivatives, start: np.ndarray, lrs: np.ndarray, *, beta: float
) -> np.ndarray:
    """v ← βv + η∇J(w − βv), w ← w − v (Nesterov 1983 in the form of Sutskever et al. 2013)."""
    w, v = start.copy(), np.zeros(2)
    path = [w]
    for lr in lrs:
        v = beta * v + lr * problem.gradient(w - beta * v)
        w = w - v
        path.append(w)
    return np.array(path)


def eve(
    problem: Derivatives,
    start: np.ndarray,
    lrs: np.ndarray,
    *,
    beta1: float,
    beta2: float,
    beta3: float,
    c: float,
    f_star: float,
    eps: float,
) -> np.ndarray:
    """Eve, Koushik & Hayashi (2016), third version, algorithm 1: Adam over a running average d of
    the objective's relative change, clipped to [1/c, c]; d is 1 at the first step."""
    w, m, v, d = start.copy(), np.zeros(2), np.zeros(2), 1.0
    previous = np.nan
    path = [w]
    for t, lr in enumerate(lrs, start=1):
        f, g = problem.loss(w), problem.gradient(w)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        if t > 1:
            change = abs(f - previous) / (min(f, previous) - f_star)
            d = beta3 * d + (1 - beta3) * min(max(change, 1 / c), c)
        previous = f
        corrected_m, corrected_v = m / (1 - beta1**t), v / (1 - beta2**t)
        w = w - lr / d * corrected_m / (np.sqrt(corrected_v) + eps)
        path.append(w)
    return np.array(path)


def sophia_simplified(
    problem: Derivatives,
    start: np.ndarray,
    lrs: np.ndarray,
    *,
    beta1: float,
    beta2: float,
    gamma: float,
    rho: float,
    eps: float,
) -> np.ndarray:
    """Sophia's clipped step with the squared gradient in place of the Hessian's diagonal, as
    lectures show it: h ← β₂h + (1−β₂)g² at every step."""
    w, m, h = start.copy(), np.zeros(2), np.zeros(2)
    path = [w]
    for lr in lrs:
        g = problem.gradient(w)
        m = beta1 * m + (1 - beta1) * g
        h = beta2 * h + (1 - beta2) * g**2
        w = w - lr * np.clip(m / np.maximum(gamma * h, eps), -rho, rho)
        path.append(w)
    return np.array(path)


def damped_newton(
    problem: Derivatives, start: np.ndarray, lrs: np.ndarray, *, damping: float
) -> np.ndarray:
    """Newton's step with H shifted by max(0, damping − λmin) I, so that its smallest eigenvalue
    is never below ``damping`` (Nocedal & Wright 2006, section 3.4)."""
    w = start.copy()
    path = [w]
    for lr in lrs:
        hessian = problem.hessian(w)
        shift = max(0.0, damping - np.linalg.eigvalsh(hessian)[0])
        w = w - lr * np.linalg.solve(hessian + shift * np.eye(2), problem.gradient(w))
        path.append(w)
    return np.array(path)
