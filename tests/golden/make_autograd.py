"""Write autograd.npz: gradients by PyTorch and Hessians by JAX, cross-checked with HIPS autograd.

Run from the repository root with requirements-bench.txt installed:
`python -m tests.golden.make_autograd`.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import autograd
import autograd.numpy as anp
import autograd.scipy.special as asp
import jax
import jax.numpy as jnp
import numpy as np
import torch

from tests.golden.functions import FUNCTIONS

OUT = Path(__file__).with_name("autograd.npz")
jax.config.update("jax_enable_x64", True)
torch.set_default_dtype(torch.float64)

COMMON = ("exp", "log", "sqrt", "sin", "cos", "tan", "tanh", "abs", "maximum", "where", "sum",
          "mean", "reshape")  # fmt: skip


def library(module: object, **others: object) -> SimpleNamespace:
    """The names that the functions use, from a module and by hand."""
    return SimpleNamespace(**{name: getattr(module, name) for name in COMMON}, **others)


TORCH = library(
    torch,
    array=torch.as_tensor,
    sigmoid=torch.sigmoid,
    relu=torch.relu,
    softplus=torch.nn.functional.softplus,
    logsumexp=torch.logsumexp,
)
JAX = library(
    jnp,
    array=jnp.asarray,
    sigmoid=jax.nn.sigmoid,
    relu=jax.nn.relu,
    softplus=jax.nn.softplus,
    logsumexp=jax.nn.logsumexp,
)
HIPS = library(
    anp,
    array=anp.asarray,
    sigmoid=asp.expit,
    relu=lambda x: anp.where(x > 0, x, 0.0),
    softplus=lambda x: anp.logaddexp(0.0, x),
    logsumexp=asp.logsumexp,
)


def main() -> None:
    golden: dict[str, np.ndarray] = {}
    for name, (f, args) in FUNCTIONS.items():
        tensors = [torch.tensor(a).requires_grad_() for a in args]
        value = f(TORCH, *tensors)
        value.backward()
        golden[f"{name}.value"] = value.detach().numpy()
        every = tuple(range(len(args)))
        by_jax = jax.grad(lambda *a, f=f: f(JAX, *a), every)(*map(jnp.asarray, args))
        by_hips = autograd.grad(lambda a, f=f: f(HIPS, *a))(tuple(args))
        for i, tensor in enumerate(tensors):
            golden[f"{name}.grad{i}"] = gradient = np.asarray(tensor.grad)
            for other in (by_jax[i], by_hips[i]):
                np.testing.assert_allclose(gradient, other, rtol=1e-12, atol=1e-13)
        rest = args[1:]
        matrix = jax.hessian(lambda a, f=f, rest=rest: f(JAX, a, *rest))(jnp.asarray(args[0]))
        size = args[0].size
        golden[f"{name}.hessian"] = np.asarray(matrix).reshape(size, size)
    np.savez_compressed(OUT, **golden)
    print(
        f"{len(golden)} arrays from torch {torch.__version__}, jax {jax.__version__} in {OUT.name}"
    )


if __name__ == "__main__":
    main()
