"""Muon's steps on singular values, and who wins on which matrices: each claim, computed."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from engine.optimizers import newton_schulz
from engine.problems.data import split, table
from engine.problems.networks import MLP
from engine.studies.matrices import (
    MatrixProblem,
    MatrixRun,
    factorisation,
    hybrids,
    lasting,
    memory,
    one_direction,
    polynomial,
    raced,
    spectrum,
    stages,
)

CUBIC = (1.5, -0.5, 0.0)


def test_newton_schulz_on_a_matrix_is_the_polynomial_on_its_singular_values() -> None:
    matrix = np.random.default_rng(0).standard_normal((9, 6))
    u, sizes, v = np.linalg.svd(matrix / np.linalg.norm(matrix), full_matrices=False)
    np.testing.assert_allclose(newton_schulz(matrix), (u * stages(sizes)[-1]) @ v, atol=1e-12)


def test_one_is_sent_to_seven_tenths_and_nothing_leaves_the_interval() -> None:
    assert polynomial(1.0) == pytest.approx(3.4445 - 4.7750 + 2.0315)
    low, high = lasting()
    assert (low, high) == (pytest.approx(0.6818, abs=1e-4), pytest.approx(1.1344, abs=1e-4))
    sent = polynomial(np.linspace(low, high, 10_001))
    assert sent.min() >= low - 1e-12
    assert sent.max() <= high + 1e-12
    wider = polynomial(np.linspace(0.9 * low, high, 101))
    assert wider.max() > high  # there is no slack


def test_five_steps_bring_all_above_a_thousandth_or_so_to_about_one() -> None:
    ended = stages(np.geomspace(0.0016, 1.0, 5001))[-1]
    assert ended.min() > 0.68
    assert ended.max() < 1.21
    assert stages(0.001)[-1] < 0.5
    assert np.isnan(lasting(CUBIC)).all()  # it goes to 1 itself, and slowly
    assert stages(0.5, CUBIC, 30)[-1] == pytest.approx(1.0)
    assert stages(0.01, CUBIC)[-1] == pytest.approx(0.08, abs=0.005)


@lru_cache(maxsize=16)
def runs(name: str, seed: int, setting: float | None = None) -> dict[str, MatrixRun]:
    make = {"memory": memory, "factorisation": factorisation, "direction": one_direction}[name]
    problem: MatrixProblem = make(seed=seed) if setting is None else make(setting, seed)
    return {slug: raced(problem, slug) for slug in ("sgd", "momentum", "adamw", "muon")}


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("name", ["memory", "factorisation"])
def test_muon_wins_where_singular_values_differ(name: str, seed: int) -> None:
    found = runs(name, seed)
    for slug in ("sgd", "momentum", "adamw"):
        assert found["muon"].error < found[slug].error / 3.0, slug
    best = found["muon"]
    assert 0 < best.best < len(best.rates) - 1  # the grid holds the best rate


def test_the_rare_facts_are_left_by_all_but_muon() -> None:
    """What is left of the rarest four items beside the commonest four."""
    for slug, run in runs("memory", 0).items():
        left = run.left[run.best]
        rare = left[-4:].mean() / left[:4].mean()
        assert rare < 1.0 if slug == "muon" else rare > 1.3, slug


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_muon_loses_where_one_direction_stands_in_much_noise(seed: int) -> None:
    found = runs("direction", seed)
    for slug in ("sgd", "momentum", "adamw"):
        assert found["muon"].error > (1.5 if slug == "adamw" else 3.0) * found[slug].error, slug


def test_muon_loses_where_there_is_nothing_to_make_equal() -> None:
    found = runs("factorisation", 0, 1.0)
    assert found["sgd"].error < 1e-12 < 1e-6 < found["muon"].error


def test_the_spectra_of_a_run_are_the_polynomials() -> None:
    found = spectrum(memory(), 0.2)
    for before, after in zip(found.before[::10], found.after[::10], strict=True):
        assert np.sum(before**2) == pytest.approx(1.0)
        np.testing.assert_allclose(np.sort(stages(before)[-1]), np.sort(after), atol=1e-9)
    muon, sgd = (runs("memory", 0)[slug].spectra for slug in ("muon", "sgd"))
    assert muon[20, 14] > 0.5 > 0.01 > sgd[20, 14]


def test_groups_have_a_rule_each_and_the_hybrids_end_lower() -> None:
    data = split(table("spirals", 200, 0.05, 0), seed=0, test=0.0)
    found = {h.name: h for h in hybrids(data, MLP((2, 16, 16, 16, 1)), steps=60)}
    assert found["Muon + Sophia"].sizes == (512, 97)
    assert len({float(h.losses[0]) for h in found.values()}) == 1
    for name in ("Muon + AdamW", "Muon + Sophia"):
        assert found[name].losses[-1] < found["AdamW everywhere"].losses[-1] / 2
