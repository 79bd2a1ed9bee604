"""Runs of real optimizer libraries on a golden problem: PyTorch's protocol and optax's.

Both take one learning rate per step, differentiate the problem with the library's own reverse
mode in float64, and give the whole path.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import torch

from tests.golden.problems import Problem

jax.config.update("jax_enable_x64", True)

FAR_STEP = 1e9  # a step count at which 1 - beta**t is exactly 1 in float64


def torch_path(
    problem: Problem,
    start: np.ndarray,
    lrs: np.ndarray,
    make: Callable[[list[torch.Tensor], float], torch.optim.Optimizer],
    *,
    uncorrected: bool = False,
    evaluate: Callable[[torch.optim.Optimizer, torch.Tensor], np.ndarray] | None = None,
) -> np.ndarray:
    """Path (steps+1, 2) of a ``torch.optim`` style optimizer.

    ``uncorrected`` starts the step counter of Adam's family so far on that both bias corrections
    are exactly 1. ``evaluate`` reads the point to record where it is not the parameter itself.
    """
    w = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    optimizer = make([w], float(lrs[0]))
    if uncorrected:
        zeros = {name: torch.zeros_like(w) for name in ("exp_avg", "exp_avg_sq")}
        state = {"step": torch.tensor(FAR_STEP), **zeros}
        if optimizer.defaults["amsgrad"]:
            state["max_exp_avg_sq"] = torch.zeros_like(w)
        optimizer.state[w] = state
    path = [np.array(start, dtype=np.float64)]
    for lr in lrs:
        for group in optimizer.param_groups:
            group["lr"] = float(lr)
        optimizer.zero_grad()
        problem.function(w[0], w[1]).backward()
        optimizer.step()
        path.append(w.detach().numpy().copy() if evaluate is None else evaluate(optimizer, w))
    return np.array(path)


def optax_path(
    problem: Problem,
    start: np.ndarray,
    lrs: np.ndarray,
    make: Callable[[Callable[[Any], Any]], optax.GradientTransformation],
    *,
    evaluate: Callable[[Any, Any], Any] | None = None,
) -> np.ndarray:
    """Path (steps+1, 2) of an optax transformation made from a schedule ``count -> lr``."""
    table = jnp.asarray(lrs)
    transform = make(lambda count: table[count])
    gradient = jax.grad(lambda w: problem.function(w[0], w[1]))

    def step(carry: Any, _: Any) -> Any:
        w, state = carry
        updates, state = transform.update(gradient(w), state, w)
        w = optax.apply_updates(w, updates)
        return (w, state), (w if evaluate is None else evaluate(state, w))

    w0 = jnp.asarray(start, dtype=jnp.float64)
    _, points = jax.lax.scan(step, (w0, transform.init(w0)), length=len(lrs))
    return np.vstack([np.asarray(start, dtype=np.float64), np.asarray(points)])
