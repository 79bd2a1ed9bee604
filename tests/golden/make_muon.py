"""Makes the golden runs of Muon on matrices: ``python -m tests.golden.make_muon``.

``torch.optim.Muon``, its Newton–Schulz iteration in float64, descends ½‖AW − C‖² from W₀ for
matrices that are tall, wide and square; ``muon.npz`` keeps A, C, the path of W, and the first
gradient with its orthogonalised form. A path that rounding would change too much is refused.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tests.golden.oracles import bfloat16_as_float64

STEPS, STRIDE = 500, 25
SHAPES = ((4, 3), (3, 5), (4, 4))
SETTINGS: tuple[dict[str, Any], ...] = (
    {"nesterov": True, "scale": "original", "beta": 0.95, "weight_decay": 0.1},
    {"nesterov": False, "scale": "original", "beta": 0.9, "weight_decay": 0.0},
    {"nesterov": True, "scale": "match_rms_adamw", "beta": 0.8, "weight_decay": 0.0},
)
LR = 0.001
MAX_AMPLIFICATION, SHIFT = 100.0, 1e-9


def path_of(
    a: torch.Tensor, c: torch.Tensor, start: torch.Tensor, setting: dict[str, Any]
) -> np.ndarray:
    """Every W of the run, shape (STEPS+1, rows, columns)."""
    w = start.clone().requires_grad_()
    optimizer = torch.optim.Muon(
        [w],
        lr=LR,
        momentum=setting["beta"],
        weight_decay=setting["weight_decay"],
        nesterov=setting["nesterov"],
        adjust_lr_fn=setting["scale"],
    )
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
    """Writes ``muon.npz``; ``ValueError`` where a run is too sensitive to be golden."""
    arrays: dict[str, np.ndarray] = {"kept": np.arange(0, STEPS + 1, STRIDE)}
    cases = []
    random = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=random, dtype=torch.float64)

    for shape in SHAPES:
        a, c, start = normal(shape[0], shape[0]), 3 * normal(*shape), normal(*shape)
        for setting in SETTINGS:
            path = path_of(a, c, start, setting)
            shifted = path_of(a, c, start + SHIFT * normal(*shape), setting)
            growth = np.abs(shifted - path).max() / SHIFT
            if not growth < MAX_AMPLIFICATION:
                raise ValueError(f"too sensitive to be golden, {growth:.3g}: {shape} {setting}")
            gradient = a.T @ (a @ start - c)
            named = {"a": a.numpy(), "c": c.numpy(), "path": path[arrays["kept"]]}
            named |= {"gradient": gradient.numpy(), "orthogonalised": orthogonalised(gradient)}
            arrays |= {f"{name}{len(cases)}": array for name, array in named.items()}
            options = {name: setting[name] for name in ("nesterov", "scale")}
            hypers = {"lr": LR, **{n: setting[n] for n in ("beta", "weight_decay")}}
            cases.append({"options": options, "hypers": hypers, "steps": STEPS})
    reference = ("torch", version("torch").split("+")[0], "Muon, its Newton–Schulz in float64")
    arrays["cases"] = np.array(json.dumps({"reference": reference, "cases": cases}))
    target = Path(__file__).with_name("muon.npz")
    np.savez_compressed(target, **arrays)
    print(f"{target.name}: {len(cases)} cases, {target.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    with bfloat16_as_float64():
        main()
