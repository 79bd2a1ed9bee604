"""Writes ``schedules.json``: the factors of torch.optim.lr_scheduler over a run of 200 steps.

Needs ``requirements-bench.txt``. Run with ``python -m tests.golden.make_schedules``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.optim import lr_scheduler as of_torch

STEPS = 200
TARGET = Path(__file__).parent / "schedules.json"

# slug, our parameters, torch's scheduler with the same meaning over STEPS steps
CASES: tuple[tuple[str, dict[str, float], Callable[[Any], Any]], ...] = (
    ("step", {"drop": 0.1, "every": 0.3}, lambda o: of_torch.StepLR(o, 60, 0.1)),
    ("exponential", {"end": 0.01}, lambda o: of_torch.ExponentialLR(o, 0.01 ** (1 / STEPS))),
    ("linear", {"final": 0.1}, lambda o: of_torch.LinearLR(o, 1.0, 0.1, STEPS)),
    ("cosine", {"final": 0.05}, lambda o: of_torch.CosineAnnealingLR(o, STEPS, eta_min=0.05)),
    (
        "cosine_restarts",
        {"cycle": 0.1, "growth": 2, "final": 0.05},
        lambda o: of_torch.CosineAnnealingWarmRestarts(o, 20, 2, eta_min=0.05),
    ),
    (
        "one_cycle",
        {"peak": 0.3, "divisor": 25, "final_divisor": 1e4},
        lambda o: of_torch.OneCycleLR(o, 1.0, total_steps=STEPS, cycle_momentum=False),
    ),
    (
        "stable_decay",
        {"decay": 0.2, "final": 0.1},
        lambda o: of_torch.SequentialLR(
            o,
            [of_torch.ConstantLR(o, 1.0, 160), of_torch.LinearLR(o, 1.0, 0.1, 40)],
            [160],
        ),
    ),
    (
        "cosine",
        {"warmup": 0.05, "final": 0.0},
        lambda o: of_torch.SequentialLR(
            o,
            [of_torch.LinearLR(o, 0.1, 1.0, 9), of_torch.CosineAnnealingLR(o, STEPS - 10)],
            [10],
        ),
    ),
)


def factors(make: Callable[[Any], Any]) -> list[float]:
    """The learning rate at each step of a run whose base rate is 1."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = make(optimizer)
    rates = []
    for _ in range(STEPS):
        rates.append(float(optimizer.param_groups[0]["lr"]))
        optimizer.step()
        scheduler.step()
    return rates


if __name__ == "__main__":
    rows = [
        {"schedule": slug, "parameters": parameters, "factors": factors(make)}
        for slug, parameters, make in CASES
    ]
    version = torch.__version__.split("+")[0]
    TARGET.write_text(json.dumps({"reference": f"torch {version}", "rows": rows}) + "\n")
