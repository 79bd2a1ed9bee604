"""Reads the golden trajectories and measures how far the engine is from them.

The files are made by ``make_optimizers.py``; reading them needs NumPy alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import engine

HERE = Path(__file__).parent
FILES = ("optimizers.npz", "optimizers_extended.npz", "optimizers_today.npz")


@dataclass(frozen=True)
class Case:
    """One run of a reference: ``path`` (k, 2) holds its points at the steps ``kept`` (k,).

    ``schedule`` (steps,) holds the factor on the learning rate of each step, None where constant.
    """

    optimizer: str
    options: Mapping[str, Any]
    hypers: Mapping[str, float]
    landscape: str
    params: Mapping[str, float]
    start: tuple[float, float]
    steps: int
    reference: tuple[str, str, str]  # library, version, call or paper
    schedule: np.ndarray | None
    kept: np.ndarray
    path: np.ndarray

    def __str__(self) -> str:
        def spell(named: Mapping[str, Any]) -> str:
            return ",".join(f"{name}={value}" for name, value in named.items())

        schedule = "" if self.schedule is None else "-scheduled"
        rule = f"{self.optimizer}[{spell(self.options)}]({spell(self.hypers)})"
        return f"{rule}{schedule}-{self.landscape}({spell(self.params)})"


def load_cases(files: tuple[str, ...] = FILES) -> list[Case]:
    """Every case of the golden files that exist."""
    cases = []
    for name in files:
        if not (HERE / name).exists():
            continue
        with np.load(HERE / name) as stored:
            arrays = dict(stored)
        for index, case in enumerate(json.loads(str(arrays["cases"]))):
            case["start"], case["reference"] = tuple(case["start"]), tuple(case["reference"])
            schedule = arrays["schedule"] if case.pop("scheduled") else None
            path = arrays[f"path{index}"]
            cases.append(Case(**case, schedule=schedule, kept=arrays["kept"], path=path))
    return cases


def engine_path(case: Case) -> np.ndarray:
    """The engine's own run of a case, at the steps that the reference kept; (k, 2)."""
    landscape = engine.LANDSCAPES[case.landscape]
    descent = engine.descend(
        landscape(**case.params) if case.params else landscape,
        case.optimizer,
        case.start,
        case.steps,
        dict(case.hypers),
        options=dict(case.options),
        schedule=case.schedule,
    )
    return np.asarray(descent.path)[case.kept]


def relative_error(path: np.ndarray, expected: np.ndarray) -> float:
    """Largest difference along the path, each coordinate relative to its own largest size.

    A point-by-point ratio would ask the impossible where a coordinate passes through zero.
    NaN counts as infinitely wrong.
    """
    error = np.abs(path - expected).max(axis=0) / np.abs(expected).max(axis=0)
    return float(np.nan_to_num(error, nan=np.inf).max())
