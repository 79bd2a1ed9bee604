"""Makes the golden runs of rules on matrices: ``python -m tests.golden.make_matrices``.

PyTorch's Muon and Adafactor and pytorch_optimizer's Shampoo, SOAP and PSGD-Kron descend ½‖AW − C‖²
from W₀; ``matrices.npz`` keeps A, C, Kron's signs and the path of W, and of Muon the first gradient
with its orthogonalised form. What they compute in less than float64 is done in float64. SOAP's
matrix is square: of one that is not its first basis holds directions without a gradient, in which
any turn is as good, and each program takes its own. A path that rounding would change too much is
refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
import pytorch_optimizer
import torch

from tests.golden.oracles import bfloat16_as_float64
from tests.golden.todays_rules import KronOfSigns

STEPS, STRIDE = 500, 25
SQUARE, TALL, WIDE, VECTOR = (4, 4), (4, 3), (3, 5), (5,)
EVERY = (SQUARE, TALL, WIDE, VECTOR)
MAX_AMPLIFICATION, SHIFT = 100.0, 1e-9


class Case(NamedTuple):
    """A rule: its class and settings there, the engine's names of them, and on what it runs."""

    slug: str
    make: Callable[..., torch.optim.Optimizer]
    settings: dict[str, Any]
    hypers: dict[str, float]
    shapes: tuple[tuple[int, ...], ...]
    options: Mapping[str, str | bool] = MappingProxyType({})


def muon(nesterov: bool, scale: str, beta: float, weight_decay: float) -> Case:
    """torch.optim.Muon."""
    settings = {"momentum": beta, "nesterov": nesterov, "adjust_lr_fn": scale}
    return Case(
        "muon", torch.optim.Muon, {"lr": 0.001, "weight_decay": weight_decay, **settings},
        {"lr": 0.001, "beta": beta, "weight_decay": weight_decay}, (SQUARE, TALL, WIDE),
        {"nesterov": nesterov, "scale": scale},
    )  # fmt: skip


CASES: tuple[Case, ...] = (
    muon(True, "original", 0.95, 0.1),
    muon(False, "original", 0.9, 0.0),
    muon(True, "match_rms_adamw", 0.8, 0.0),
    Case(
        "adafactor", torch.optim.Adafactor,
        {"lr": 0.002, "beta2_decay": -0.7, "eps": (1e-6, 0.01), "d": 1.1, "weight_decay": 0.02},
        {"lr": 0.002, "forget": 0.7, "eps": 1e-6, "smallest": 0.01, "threshold": 1.1,
         "weight_decay": 0.02},
        EVERY,
    ),
    Case(
        "shampoo", pytorch_optimizer.Shampoo, {"lr": 0.02, "matrix_eps": 10.0},
        {"lr": 0.02, "eps": 10.0}, EVERY,
    ),
    Case(
        "soap", pytorch_optimizer.SOAP,
        {"lr": 0.002, "betas": (0.9, 0.95), "eps": 1e-2, "precondition_frequency": 5,
         "weight_decay": 0.05},
        {"lr": 0.002, "beta1": 0.9, "beta2": 0.95, "eps": 1e-2, "interval": 5.0,
         "weight_decay": 0.05},
        (SQUARE, VECTOR),
    ),
    Case(
        "kron", KronOfSigns, {"lr": 0.002, "momentum": 0.9, "learn": 0.1, "weight_decay": 0.05},
        {"lr": 0.002, "beta": 0.9, "learn": 0.1, "weight_decay": 0.05}, EVERY,
    ),
)  # fmt: skip


def path_of(
    case: Case, a: torch.Tensor, c: torch.Tensor, start: torch.Tensor, signs: torch.Tensor
) -> np.ndarray:
    """Every W of the run, (STEPS + 1, …)."""
    w = start.clone().requires_grad_()
    optimizer = case.make([w], **case.settings)
    if isinstance(optimizer, KronOfSigns):
        optimizer.signs = lambda t, like: signs[t].reshape(like.shape)
    points = [start.numpy()]
    for _ in range(STEPS):
        optimizer.zero_grad()
        (((a @ w - c) ** 2).sum() / 2).backward()
        optimizer.step()
        points.append(w.detach().numpy().copy())
    return np.array(points)


def orthogonalised(gradient: torch.Tensor) -> np.ndarray:
    """Muon's update of a gradient: what one step at rate 1, without momentum, takes away."""
    w = torch.zeros_like(gradient).requires_grad_()
    optimizer = torch.optim.Muon([w], lr=1.0, weight_decay=0.0, momentum=0.0, nesterov=False)
    w.grad = gradient.clone()
    optimizer.step()
    rows, columns = gradient.shape
    return -w.detach().numpy() / max(1.0, rows / columns) ** 0.5


def main() -> None:
    """Write ``matrices.npz``; ValueError where a run is too sensitive to be golden."""
    arrays: dict[str, np.ndarray] = {"kept": np.arange(0, STEPS + 1, STRIDE)}
    found = []
    random = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=random, dtype=torch.float64)

    for case in CASES:
        for shape in case.shapes:
            a, c, start = normal(shape[0], shape[0]), 3 * normal(*shape), normal(*shape)
            signs = torch.sign(normal(STEPS, start.numel()))
            path = path_of(case, a, c, start, signs)
            shifted = path_of(case, a, c, start + SHIFT * normal(*shape), signs)
            growth = np.abs(shifted - path).max() / SHIFT
            if not growth < MAX_AMPLIFICATION:
                raise ValueError(f"too sensitive to be golden, {growth:.3g}: {case.slug} {shape}")
            named = {"a": a.numpy(), "c": c.numpy(), "path": path[arrays["kept"]]}
            if case.make is KronOfSigns:
                named["signs"] = signs.numpy().astype(np.int8)
            if case.slug == "muon":
                gradient = a.T @ (a @ start - c)
                named |= {"gradient": gradient.numpy(), "orthogonalised": orthogonalised(gradient)}
            arrays |= {f"{name}{len(found)}": array for name, array in named.items()}
            told = {"hypers": case.hypers, "options": dict(case.options)}
            found.append({"optimizer": case.slug, **told})
    versions = {name: version(name).split("+")[0] for name in ("torch", "pytorch_optimizer")}
    arrays["cases"] = np.array(json.dumps({"references": versions, "cases": found}))
    target = Path(__file__).with_name("matrices.npz")
    np.savez_compressed(target, **arrays)
    print(f"{target.name}: {len(found)} cases, {target.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    torch.set_default_dtype(torch.float64)
    with bfloat16_as_float64(), mock.patch.object(torch, "float32", torch.float64):
        main()
