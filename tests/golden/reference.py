"""Update rules written straight from their papers, one plain loop each, for the forms that no
public library offers. They share nothing with the engine: a second opinion, not a copy.

Every rule takes the problem's derivatives, the start (n,) and the learning rate of each step
(steps,), and gives the path (steps+1, n): the plane's, or that of all a network's weights.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Derivatives(NamedTuple):
    """What a rule may ask of a problem at a point w (n,)."""

    loss: Callable[[np.ndarray], float]
    gradient: Callable[[np.ndarray], np.ndarray]
    hessian: Callable[[np.ndarray], np.ndarray]


def nesterov_lookahead(
    problem: Derivatives, start: np.ndarray, lrs: np.ndarray, *, beta: float
) -> np.ndarray:
    """v ← βv + η∇J(w − βv), w ← w − v (Nesterov 1983 in the form of Sutskever et al. 2013)."""
    w, v = start.copy(), np.zeros_like(start)
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
    w, m, v, d = start.copy(), np.zeros_like(start), np.zeros_like(start), 1.0
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


def sophia_of_squares(
    problem: Derivatives,
    start: np.ndarray,
    lrs: np.ndarray,
    *,
    beta1: float,
    beta2: float,
    eps: float,
    gamma: float = 1.0,
    rho: float = np.inf,
) -> np.ndarray:
    """Sophia with the squared gradient in place of the Hessian's diagonal, h ← β₂h + (1−β₂)g² at
    every step; as lectures show it without γ and without the clip, here the defaults."""
    w, m, h = start.copy(), np.zeros_like(start), np.zeros_like(start)
    path = [w]
    for lr in lrs:
        g = problem.gradient(w)
        m = beta1 * m + (1 - beta1) * g
        h = beta2 * h + (1 - beta2) * g**2
        w = w - lr * np.clip(m / np.maximum(gamma * h, eps), -rho, rho)
        path.append(w)
    return np.array(path)


def adam_with(
    problem: Derivatives,
    start: np.ndarray,
    lrs: np.ndarray,
    *,
    beta1: float,
    beta2: float,
    eps: float,
    corrected: bool = True,
    inside: bool = False,
    largest: bool = False,
    penalty: float = 0.0,
    decay: float = 0.0,
) -> np.ndarray:
    """Adam (Kingma & Ba 2015, algorithm 1) with its variants as switches: without the correction,
    ε under the root, over the largest raw v so far (Reddi et al. 2018), with a penalty added to
    the gradient, or with w ← w − decay · w beside the step, whatever the rate (Loshchilov & Hutter
    2019, algorithm 2, at a constant schedule)."""
    w, m, v, top = start.copy(), np.zeros_like(start), np.zeros_like(start), np.zeros_like(start)
    path = [w]
    for t, lr in enumerate(lrs, start=1):
        g = problem.gradient(w) + penalty * w
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        top = np.maximum(top, v)
        first, second = (1 - beta1**t, 1 - beta2**t) if corrected else (1.0, 1.0)
        square = (top if largest else v) / second
        root = np.sqrt(square + eps) if inside else np.sqrt(square) + eps
        w = w - lr * (m / first) / root - decay * w
        path.append(w)
    return np.array(path)


def saddle_free_newton(
    problem: Derivatives, start: np.ndarray, lrs: np.ndarray, *, damping: float
) -> np.ndarray:
    """w ← w − η|H|⁻¹g with every |eigenvalue| at least ``damping`` (Dauphin et al. 2014)."""
    w = start.copy()
    path = [w]
    for lr in lrs:
        values, vectors = np.linalg.eigh(problem.hessian(w))
        along = vectors.T @ problem.gradient(w)
        w = w - lr * vectors @ (along / np.maximum(np.abs(values), damping))
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
        w = w - lr * np.linalg.solve(hessian + shift * np.eye(len(start)), problem.gradient(w))
        path.append(w)
    return np.array(path)
