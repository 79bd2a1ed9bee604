"""Functions whose derivatives are pinned, written once for any library that has these names.

The text of a function is shared; what is compared is how each library differentiates it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Case = tuple[Callable[..., Any], tuple[Any, ...]]

_rng = np.random.default_rng(20260101)
X = _rng.normal(size=(5, 3))
W = _rng.normal(size=(3, 4))
BIAS = _rng.normal(size=(4,))
TARGET = np.eye(4)[[0, 3, 1, 1, 2]]
V = _rng.uniform(0.3, 2.0, size=(6,))


def _mlp(m: Any, w: Any, v: Any, b: Any) -> Any:
    return m.mean((m.tanh(m.array(X) @ w + b) @ v - 1.0) ** 2)


def _classifier(m: Any, w: Any, b: Any) -> Any:
    logits = m.array(X) @ w + b
    return m.mean(m.logsumexp(logits, 1) - m.sum(logits * m.array(TARGET), 1))


# name -> (function of (library, *arguments), the arguments)
FUNCTIONS: dict[str, Case] = {
    "course": (lambda m, w: (w[0] + w[1]) * m.sin(w[0]), (np.array([np.pi / 4, 1.0]),)),
    "two_weights": (lambda m, w: (w[0] * 3.0 + w[1] - 2.0) ** 2, (np.array([0.5, -0.25]),)),
    "rosenbrock": (
        lambda m, w: m.sum(100.0 * (w[1:] - w[:-1] ** 2) ** 2 + (1.0 - w[:-1]) ** 2),
        (V,),
    ),
    "power": (lambda m, x, y: m.sum(x**y), (V, V[::-1].copy())),
    "ratio": (lambda m, x: m.sum(m.log(x) / m.sqrt(x) + m.exp(-x) * m.cos(3.0 * x)), (V,)),
    "smooth": (lambda m, x: m.sum(m.sigmoid(x) * m.softplus(2.0 * x) + m.tan(0.3 * x)), (V - 1,)),
    "kinks": (
        lambda m, x: m.sum(m.relu(x) * x + m.abs(x) ** 3 + m.maximum(x, 0.5 * x + 0.1) ** 2),
        (V - 1,),
    ),
    "choice": (lambda m, x: m.sum(m.where(x > 1.0, x**3, m.log(x))), (V,)),
    "logsumexp": (lambda m, x: m.sum(m.logsumexp(m.array(X) @ x, 1) ** 2), (W,)),
    "classifier": (_classifier, (W, BIAS)),
    "mlp": (_mlp, (W, BIAS / 2, BIAS)),
    "gram": (lambda m, w: m.sum(m.exp(-0.1 * (w.T @ w))) + m.sum(m.reshape(w, (6, 2))[::2]), (W,)),
    "outer": (lambda m, x, y: m.sum(m.tanh(x[:, None] * y[None, :]) ** 2), (V, V[:4] - 1)),
}
