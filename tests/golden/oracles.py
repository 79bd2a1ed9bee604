"""Reference runs of a rule: by PyTorch's protocol, by optax's, or by ``reference.py``.

Each takes the starts, one learning rate per step, differentiates the problem with its own library
in float64, and gives the whole path from every start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np
import optax
import torch

from tests.golden.problems import Problem

jax.config.update("jax_enable_x64", True)
torch.set_default_dtype(torch.float64)  # NAdam keeps a running product in the default dtype

FAR_STEP = 1e9  # a step count at which 1 - beta**t is exactly 1 in float64
TORCH, OPTAX, PYTORCH_OPTIMIZER, QHOPTIM = (
    (library, version(library).split("+")[0])
    for library in ("torch", "optax", "pytorch_optimizer", "qhoptim")
)
INDEPENDENT = ("independent implementation", "")

Run = Callable[[Problem, np.ndarray, np.ndarray], np.ndarray]
"""(problem, starts (n, 2), learning rates (steps,)) -> paths (n, steps+1, 2)."""


@dataclass(frozen=True)
class Rule:
    """One optimizer under one set of options: how the oracle runs it, and at which rates.

    ``lrs`` holds one learning rate per problem of ``PROBLEMS``; ``scheduled`` turns each into a
    warm-up followed by a cosine decay. ``reference`` is (library, version, call or paper).
    """

    optimizer: str
    options: dict[str, str | bool]
    hypers: dict[str, float]
    lrs: tuple[float, ...]
    reference: tuple[str, str, str]
    run: Run
    scheduled: bool = False


def by_torch(
    make: Callable[..., torch.optim.Optimizer],
    *,
    uncorrected: bool = False,
    diagonal: Callable[[int], float] | None = None,
    probes: np.ndarray | None = None,
    row: bool = False,
    **settings: Any,
) -> Run:
    """Oracle that runs a ``torch.optim`` style class with these settings.

    ``uncorrected`` starts the step counter of Adam's family so far on that both bias corrections
    are exactly 1. ``diagonal`` gives, for t = 0, 1, …, the factor with which the exact diagonal of
    the Hessian is handed to ``step``, 0 where none is; with ``probes`` (steps, 2) it is u ⊙ Hu for
    the signs u of that step in its place. ``row`` makes the parameter a 1 × 2 matrix.
    """

    def path(problem: Problem, start: np.ndarray, lrs: np.ndarray) -> np.ndarray:
        w = torch.tensor(start[None] if row else start, requires_grad=True)
        optimizer = make([w], lr=float(lrs[0]), **settings)
        if uncorrected:
            names = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")
            optimizer.state[w] = {name: torch.zeros_like(w) for name in names}
            optimizer.state[w]["step"] = torch.tensor(FAR_STEP)
        points = [start]
        for t, lr in enumerate(lrs):
            optimizer.param_groups[0]["lr"] = float(lr)
            optimizer.zero_grad()
            problem.function(*w.reshape(2)).backward()
            factor = diagonal(t) if diagonal else 0.0
            if factor:
                hessian = torch.autograd.functional.hessian(problem.of_vector, w.detach())
                if probes is None:
                    estimate = hessian.diagonal()
                else:
                    signs = torch.tensor(probes[t])
                    estimate = signs * (hessian @ signs)
                optimizer.step(hessian=[factor * estimate])
            else:
                optimizer.step()
            points.append(w.detach().numpy().reshape(2).copy())
        return np.array(points)

    return lambda problem, starts, lrs: np.array([path(problem, s, lrs) for s in starts])


@contextmanager
def bfloat16_as_float64() -> Iterator[None]:
    """PyTorch's Muon in full precision: its one cast to bfloat16 gives float64 instead.

    It copies, as the real cast does, for the iteration then works in place.
    """
    with mock.patch.object(torch.Tensor, "bfloat16", lambda tensor: tensor.double().clone()):
        yield


def by_optax(make: Callable[[Any], optax.GradientTransformation]) -> Run:
    """Oracle that runs the optax transformation that ``make`` builds from a schedule."""

    def run(problem: Problem, starts: np.ndarray, lrs: np.ndarray) -> np.ndarray:
        table = jnp.asarray(lrs)
        transform = make(lambda count: table[count])
        gradient = jax.grad(problem.of_vector)

        def step(carry: Any, _: Any) -> Any:
            w, state = carry
            updates, state = transform.update(gradient(w), state, w)
            w = optax.apply_updates(w, updates)
            return (w, state), w

        def path(start: Any) -> Any:
            carry = start, transform.init(start)
            return jnp.vstack([start[None], jax.lax.scan(step, carry, length=len(lrs))[1]])

        return np.asarray(jax.lax.map(path, jnp.asarray(starts)))

    return run


def by_hand(rule: Callable[..., np.ndarray], **settings: Any) -> Run:
    """Oracle that runs a rule of ``reference.py`` on a problem differentiated by JAX."""

    def run(problem: Problem, starts: np.ndarray, lrs: np.ndarray) -> np.ndarray:
        return np.array([rule(problem.derivatives, start, lrs, **settings) for start in starts])

    return run
