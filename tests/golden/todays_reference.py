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
    w, size = start.copy(), np.full_like(start, lrs[0])
    last, step = np.zeros_like(start), np.zeros_like(start)
    path = [w]
    for _ in lrs:
        g = problem.gradient(w)
        for i in range(len(start)):
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
    m, v = np.zeros_like(start), np.zeros_like(start)
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
    w, v = start.copy(), np.zeros_like(start)
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
    w, m, v = start.copy(), np.zeros_like(start), np.zeros_like(start)
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
    slow, m, v, t = start.copy(), np.zeros_like(start), np.zeros_like(start), 0
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
    w, v = start.copy(), np.zeros_like(start)
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
    w, m, v = start.copy(), np.zeros_like(start), np.zeros_like(start)
    path = [w]
    for t, lr in enumerate(lrs, start=1):
        g = problem.gradient(w)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        u = m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps)
        agrees = (u * g > 0).astype(float)
        stretch = len(w) / (agrees.sum() + 1) if one_more else 1 / max(agrees.mean(), 1e-3)
        w = w - lr * stretch * agrees * u - lr * weight_decay * w
        path.append(w)
    return np.array(path)


def _backtracked(
    problem: Derivatives,
    w: np.ndarray,
    p: np.ndarray,
    slope: float,
    begin: float,
    shrink: float,
    enough: float,
) -> tuple[float, float]:
    """Nocedal & Wright (2006), algorithm 3.1, given up after 12 trials: the step, 0 where there is
    none, and the last one tried."""
    start, trial = problem.loss(w), begin
    for k in range(12):
        trial = begin if k == 0 else shrink * trial
        if problem.loss(w + trial * p) <= start + enough * trial * slope:
            return trial, trial
    return 0.0, trial


def conjugate_gradients(
    problem: Derivatives,
    start: np.ndarray,
    lrs: np.ndarray,
    *,
    shrink: float,
    grow: float,
    enough: float,
    form: str,
) -> np.ndarray:
    """Nocedal & Wright (2006), algorithm 5.4 with the weight of Fletcher & Reeves, of Polak &
    Ribière (at least 0), or of nobody (steepest descent), restarted where it does not lead down;
    each search begins at most `grow` times as far as the last one ended."""
    w, begin = start.copy(), np.inf
    p, before = np.zeros_like(start), None
    path = [w]
    for lr in lrs:
        g = problem.gradient(w)
        mix = 0.0
        if before is not None and form == "fletcher_reeves":
            mix = g @ g / (before @ before)
        if before is not None and form == "polak_ribiere":
            mix = max(g @ (g - before) / (before @ before), 0.0)
        p = mix * p - g
        if not g @ p < 0:
            p = -g
        step, last = _backtracked(problem, w, p, g @ p, min(begin, lr), shrink, enough)
        begin = grow * step if step > 0 else last
        before = g
        w = w + step * p
        path.append(w)
    return np.array(path)


def lbfgs(
    problem: Derivatives, start: np.ndarray, lrs: np.ndarray, *, shrink: float, enough: float
) -> np.ndarray:
    """L-BFGS by the dense recursion that its two loops stand for: H⁻¹ built anew at each step out
    of the last five pairs (Nocedal & Wright 2006, equation 7.16), and a backtracking search."""
    w, pairs = start.copy(), []
    before = None
    path = [w]
    for t, lr in enumerate(lrs):
        g = problem.gradient(w)
        if before is not None:
            s, y = w - before[0], g - before[1]
            if y @ s > 1e-10 * (y @ y):
                pairs = [*pairs, (s, y)][-5:]
        inverse = np.eye(len(start))
        if pairs:
            s, y = pairs[-1]
            inverse = s @ y / (y @ y) * np.eye(len(start))
        for s, y in pairs:
            rho = 1 / (y @ s)
            v = np.eye(len(start)) - rho * np.outer(y, s)
            inverse = v.T @ inverse @ v + rho * np.outer(s, s)
        p = -inverse @ g
        if not g @ p < 0:
            p = -g
        first = min(1.0, 1 / np.linalg.norm(g)) if t == 0 else 1.0
        step, _ = _backtracked(problem, w, p, g @ p, lr * first, shrink, enough)
        before = w, g
        w = w + step * p
        path.append(w)
    return np.array(path)
