"""Races on matrices in the browser, under Node, against the engine's: to ten digits, or as near as
the engine is to itself once a last bit of the problem is another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.studies.live_matrices import given, module, parts
from engine.studies.matrices import PROBLEMS, RATES, MatrixProblem, raced, settings, spectrum
from tests.engine.emit.node import Batch

# Name, setting, rule, β (None: the rule's own), times the best rate.
CASES: list[tuple[str, float, str, float | None, float]] = [
    ("memory", 2.0, "sgd", 0.8, 1.0),
    ("memory", 1.3, "muon", 0.5, 1.0),
    ("memory", 2.0, "shampoo", 0.8, 1.0),
    ("memory", 2.0, "soap", 0.5, 1.0),
    ("factorisation", 100.0, "momentum", None, 0.5),
    ("factorisation", 1.0, "adafactor", 0.8, 1.0),
    ("factorisation", 100.0, "kron", 0.95, 0.5),
    ("direction", 0.3, "muon", 0.8, 30.0),
]

# Asked in the shortest slices, with the run at the best rate so far after each.
SLICED = """
export function sliced(given) {
  const ends = []
  let found
  do ends.push((found = study(given, 0)).least)
  while (more())
  return { ...found, ends: Float64Array.from(ends) }
}
"""


def asked(
    problem: MatrixProblem, slug: str, beta: float | None, times: float, near: int
) -> dict[str, Any]:
    """What a study in the browser is handed."""
    hypers = {name: value for name, value in settings(slug, beta).items() if name != "lr"}
    numbers = {
        "setting": problem.setting,
        "times": times,
        "seed": 0.0,
        "near": float(near),
        "spectra": 0.0,
    }
    return {"runs": {"0": hypers}, **numbers, **given(problem)}


def another_last_bit(problem: MatrixProblem) -> MatrixProblem:
    """The problem with data that are rounded another way."""
    random = np.random.default_rng(0)
    moved = (d * (1.0 + 2.0**-52 * random.integers(-1, 2, d.shape)) for d in problem.data)
    return replace(problem, data=tuple(moved))


def test_the_browser_races_as_the_engine_does(tmp_path: Path) -> None:
    batch, expected = Batch(), []
    for name, setting, slug, beta, times in CASES:
        problem = PROBLEMS[name](setting, 0)
        run = raced(problem, slug, beta=beta)
        rate = np.array([RATES[run.best] * times])
        shown = run.alone if times == 1.0 else raced(problem, slug, rate, beta=beta)
        batch.add(module(name, slug), "study", asked(problem, slug, beta, times, run.best + 2))
        expected.append((parts(run, shown), problem, rate))
    for found, (wanted, problem, rate), case in zip(
        batch.run(tmp_path), expected, CASES, strict=True
    ):
        assert set(found) == set(wanted), case
        assert found["best"] == wanted["best"], case
        errors, start = wanted["errors"], wanted["errors"][0]
        assert np.array_equal(np.isnan(found["errors"]), np.isnan(errors)), case
        apart = np.nanmax(np.abs(found["errors"] - errors)) / start
        if apart < 1e-10:
            assert found["left"] == pytest.approx(wanted["left"], abs=1e-9, nan_ok=True), case
            continue
        assert case[2] not in ("momentum", "adafactor", "kron"), case
        moved = raced(another_last_bit(problem), case[2], rate, beta=case[3]).errors[0]
        assert apart < 30.0 * np.nanmax(np.abs(moved - errors)) / start, case


def test_a_race_in_slices_takes_the_nearest_rates_first_and_ends_where_a_whole_one_does(
    tmp_path: Path,
) -> None:
    problem = PROBLEMS["factorisation"](100.0, 0)
    run = raced(problem, "momentum", beta=0.8)
    batch = Batch()
    text = module("factorisation", "momentum") + SLICED
    batch.add(text, "sliced", asked(problem, "momentum", 0.8, 1.0, run.best - 2))
    (found,) = batch.run(tmp_path)
    ends = run.errors[:, -1]
    assert len(found["ends"]) == len(RATES)
    assert found["ends"][0] == pytest.approx(ends[run.best - 2], rel=1e-9)
    assert found["ends"][6] == pytest.approx(ends[run.best], rel=1e-9)
    assert found["best"] == run.best
    assert found["errors"] == pytest.approx(run.errors[run.best], rel=1e-9)


def test_spectra_are_those_of_the_engines_steps(tmp_path: Path) -> None:
    problem = PROBLEMS["factorisation"](30.0, 0)
    batch, runs = Batch(), {}
    for slug in ("muon", "adamw"):
        run = runs[slug] = raced(problem, slug, beta=0.8)
        hand = {**asked(problem, slug, 0.8, 1.0, run.best), "spectra": 1.0}
        batch.add(module("factorisation", slug), "study", hand)
    muon, adamw = batch.run(tmp_path)
    for found, run in ((muon, runs["muon"]), (adamw, runs["adamw"])):
        assert found["spectra"] == pytest.approx(run.spectra.ravel(), abs=1e-6)
    wanted = spectrum(problem, float(RATES[runs["muon"].best]), 0.8).before
    assert muon["mixes"] == pytest.approx(wanted.ravel(), abs=1e-6)
    assert "mixes" not in adamw


def test_a_module_is_of_any_seed_and_setting() -> None:
    """So a text is sent once, and what moves are numbers."""
    one, other = PROBLEMS["factorisation"](100.0, 0), PROBLEMS["factorisation"](3.0, 5)
    assert set(given(one)) == set(given(other))
    assert not any(np.array_equal(given(one)[key], given(other)[key]) for key in given(one))
    assert str(given(one)["data0"][3]) not in module("factorisation", "muon")
