"""Makes the golden runs of rules on matrices: ``python -m tests.golden.make_factored``.

PyTorch's Adafactor and pytorch_optimizer's Shampoo, SOAP and PSGD-Kron descend ½‖AW − C‖² from W₀;
``factored.npz`` keeps A, C, Kron's signs and the path of W. What they compute in float32 is done in
float64. SOAP's matrix is square: of one that is not its first basis holds directions without
a gradient, in which any turn is as good, and each program takes its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytorch_optimizer
import torch

from tests.golden.todays_rules import KronOfSigns

STEPS, STRIDE = 200, 20
SQUARE, TALL, WIDE, VECTOR = (4, 4), (4, 3), (3, 5), (5,)
EVERY = (SQUARE, TALL, WIDE, VECTOR)
MAX_AMPLIFICATION, SHIFT = 100.0, 1e-9

Make = Callable[..., torch.optim.Optimizer]
# By slug: the class, its settings, the engine's names of them, and the shapes.
RULES: tuple[tuple[str, Make, dict[str, Any], dict[str, float], tuple[Any, ...]], ...] = (
    (
        "adafactor", torch.optim.Adafactor,
        {"lr": 0.002, "beta2_decay": -0.7, "eps": (1e-6, 0.01), "d": 1.1, "weight_decay": 0.02},
        {"lr": 0.002, "forget": 0.7, "eps": 1e-6, "smallest": 0.01, "threshold": 1.1,
         "weight_decay": 0.02},
        EVERY,
    ),
    (
        "shampoo", pytorch_optimizer.Shampoo, {"lr": 0.02, "matrix_eps": 1e-2},
        {"lr": 0.02, "eps": 1e-2}, EVERY,
    ),
    (
        "soap", pytorch_optimizer.SOAP,
        {"lr": 0.002, "betas": (0.9, 0.95), "eps": 1e-2, "precondition_frequency": 5,
         "weight_decay": 0.05},
        {"lr": 0.002, "beta1": 0.9, "beta2": 0.95, "eps": 1e-2, "interval": 5.0,
         "weight_decay": 0.05},
        (SQUARE, VECTOR),
    ),
    (
        "kron", KronOfSigns, {"lr": 0.002, "momentum": 0.9, "learn": 0.1, "weight_decay": 0.05},
        {"lr": 0.002, "beta": 0.9, "learn": 0.1, "weight_decay": 0.05}, EVERY,
    ),
)  # fmt: skip


def path_of(
    make: Make, settings: dict[str, Any], a: torch.Tensor, c: torch.Tensor, start: torch.Tensor,
    signs: torch.Tensor,
) -> np.ndarray:  # fmt: skip
    """Every W of the run, (STEPS + 1, …)."""
    w = start.clone().requires_grad_()
    optimizer = make([w], **settings)
    if isinstance(optimizer, KronOfSigns):
        optimizer.signs = lambda t, like: signs[t].reshape(like.shape)
    points = [start.numpy()]
    for _ in range(STEPS):
        optimizer.zero_grad()
        (((a @ w - c) ** 2).sum() / 2).backward()
        optimizer.step()
        points.append(w.detach().numpy().copy())
    return np.array(points)


def main() -> None:
    """Write ``factored.npz``; ValueError where a run is too sensitive to be golden."""
    arrays: dict[str, np.ndarray] = {"kept": np.arange(0, STEPS + 1, STRIDE)}
    cases = []
    random = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=random, dtype=torch.float64)

    for slug, make, settings, hypers, shapes in RULES:
        for shape in shapes:
            a, c, start = normal(shape[0], shape[0]), 3 * normal(*shape), normal(*shape)
            signs = torch.sign(normal(STEPS, start.numel()))
            path = path_of(make, settings, a, c, start, signs)
            shifted = path_of(make, settings, a, c, start + SHIFT * normal(*shape), signs)
            growth = np.abs(shifted - path).max() / SHIFT
            if not growth < MAX_AMPLIFICATION:
                raise ValueError(f"too sensitive to be golden, {growth:.3g}: {slug} {shape}")
            named = {"a": a.numpy(), "c": c.numpy(), "path": path[arrays["kept"]]}
            named["signs"] = signs.numpy().astype(np.int8)
            arrays |= {f"{name}{len(cases)}": array for name, array in named.items()}
            cases.append({"optimizer": slug, "hypers": hypers})
    versions = {name: version(name).split("+")[0] for name in ("torch", "pytorch_optimizer")}
    arrays["cases"] = np.array(json.dumps({"references": versions, "cases": cases}))
    target = Path(__file__).with_name("factored.npz")
    np.savez_compressed(target, **arrays)
    print(f"{target.name}: {len(cases)} cases, {target.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    torch.set_default_dtype(torch.float64)
    with mock.patch.object(torch, "float32", torch.float64):
        main()
