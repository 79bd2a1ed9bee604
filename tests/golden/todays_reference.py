"""More update rules written straight from their papers, as in ``reference.py``: the forms of the
rules of today that no public library offers."""

from __future__ import annotations

import numpy as np

from tests.golden.reference import Derivatives


def rprop(
    problem: Derivatives,
    start: np.ndarray,
    lrs: np.ndarray,
    *,
    shrink: float,
    grow: float,
    smallest: float,
    largest: float,
) -> np.ndarray:
    """Riedmiller & Braun (1993): after a turn of a coordinate's sign the last step is taken back
    and the gradient forgotten. The first rate is the first step of each coordinate."""
    w, size = start.copy(), np.full(2, lrs[0])
    last, step = np.zeros(2), np.zeros(2)
    path = [w]
    for _ in lrs:
        g = problem.gradient(w)
        for i in range(2):
            if last[i] * g[i] > 0:
                size[i] = min(size[i] * grow, largest)
                step[i] = -np.sign(g[i]) * size[i]
                last[i] = g[i]
            elif last[i] * g[i] < 0:
                size[i] = max(size[i] * shrink, smallest)
                step[i] = -step[i]
                last[i] = 0.0
            else:
                size[i] = min(max(size[i], smallest), largest)
                step[i] = -np.sign(g[i]) * size[i]
                last[i] = g[i]
        w = w + step
        path.append(w)
    return np.array(path)


def mars_adamw(
    problem: Derivatives,
    start: np.ndarray,
    lrs: np.ndarray,
    *,
    beta1: float,
    beta2: float,
    gamma: float,
    eps: float,
    weight_decay: float,
) -> np.ndarray:
    """MARS-AdamW, Yuan et al. (2024), algorithm 2, with the same example's gradient at the point
    before; the first step's own point stands there at first."""
    w, before = start.copy(), start.copy()
    m, v = np.zeros(2), np.zeros(2)
    path = [w]
    for t, lr in enumerate(lrs, start=1):
        g = problem.gradient(w)
        c = g + gamma * beta1 / (1 - beta1) * (g - problem.gradient(before))
        size = np.linalg.norm(c)
        if size > 1:
            c = c / size
        m = beta1 * m + (1 - beta1) * c
        v = beta2 * v + (1 - beta2) * c**2
        before = w
        step = m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps)
        w = w - lr * (step + weight_decay * w)
        path.append(w)
    return np.array(path)


def lars(
    problem: Derivatives,
    start: np.ndarray,
    lrs: np.ndarray,
    *,
    beta: float,
    trust: float,
    weight_decay: float,
    together: bool,
    inside: bool,
) -> np.ndarray:
    """LARS, You et al. (2017), algorithm 1, on one layer: v ← βv + ηλ(g + λw) with the local rate
    λ = τ‖w‖ / (‖g‖ + λ‖w‖), or over ‖g + λw‖, and the rate in the velocity or beside it."""
    w, v = start.copy(), np.zeros(2)
    path = [w]
    for lr in lrs:
        g = problem.gradient(w)
        whole = g + weight_decay * w
        size = np.linalg.norm(w)
        below = np.linalg.norm(whole) if together else np.linalg.norm(g) + weight_decay * size
        local = trust * size / below
        v = beta * v + (lr if inside else 1.0) * local * whole
        w = w - (v if inside else lr * v)
        path.append(w)
    return np.array(path)


def lamb_uncorrected(
    problem: Derivatives,
    start: np.ndarray,
    lrs: np.ndarray,
    *,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
) -> np.ndarray:
    """LAMB, You et al. (2019), algorithm 2 with φ the identity, on one layer and without Adam's
    correction."""
    w, m, v = start.copy(), np.zeros(2), np.zeros(2)
    path = [w]
    for lr in lrs:
        g = problem.gradient(w)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        step = m / (np.sqrt(v) + eps) + weight_decay * w
        w = w - lr * np.linalg.norm(w) / np.linalg.norm(step) * step
        path.append(w)
    return np.array(path)


def lookahead_adam(
    problem: Derivatives,
    start: np.ndarray,
    lrs: np.ndarray,
    *,
    beta1: float,
    beta2: float,
    eps: float,
    sync: float,
    pull: float,
) -> np.ndarray:
    """Lookahead round Adam, Zhang et al. (2019), algorithm 1, with Adam's state kept at each step
    back; the path is that of the fast weights, which are the slow ones after such a step."""
    slow, m, v, t = start.copy(), np.zeros(2), np.zeros(2), 0
    path = [slow]
    while t < len(lrs):
        fast = slow.copy()
        for _ in range(min(int(sync), len(lrs) - t)):
            g = problem.gradient(fast)
            t += 1
            m = beta1 * m + (1 - beta1) * g
            v = beta2 * v + (1 - beta2) * g**2
            step = m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps)
            fast = fast - lrs[t - 1] * step
            path.append(fast)
        if t % int(sync) == 0:
            slow = slow + pull * (fast - slow)
            path[-1] = slow
    return np.array(path)


def sam_momentum(
    problem: Derivatives, start: np.ndarray, lrs: np.ndarray, *, beta: float, radius: float
) -> np.ndarray:
    """SAM round SGD with momentum, Foret et al. (2020), algorithm 1 with p = 2."""
    w, v = start.copy(), np.zeros(2)
    path = [w]
    for lr in lrs:
        g = problem.gradient(w)
        v = beta * v + problem.gradient(w + radius * g / np.linalg.norm(g))
        w = w - lr * v
        path.append(w)
    return np.array(path)


def cautious_adamw(
    problem: Derivatives,
    start: np.ndarray,
    lrs: np.ndarray,
    *,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    one_more: bool,
) -> np.ndarray:
    """C-AdamW, Liang et al. (2024), algorithm 1: the step is masked where it goes uphill and
    stretched by d / (‖φ‖₀ + 1), or as in the authors' code by 1 over the mask's mean."""
    w, m, v = start.copy(), np.zeros(2), np.zeros(2)
    path = [w]
    for t, lr in enumerate(lrs, start=1):
        g = problem.gradient(w)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        u = m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps)
        agrees = (u * g > 0).astype(float)
        stretch = 2 / (agrees.sum() + 1) if one_more else 1 / max(agrees.mean(), 1e-3)
        w = w - lr * stretch * agrees * u - lr * weight_decay * w
        path.append(w)
    return np.array(path)
