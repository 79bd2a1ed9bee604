"""Muon's steps on singular values, and who wins on which matrices: each claim, computed."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from engine.optimizers import newton_schulz
from engine.problems.data import split, table
from engine.problems.networks import MLP
from engine.studies import matrices
from engine.studies.matrices import (
    GROUPS,
    MatrixProblem,
    MatrixRun,
    factorisation,
    grouped,
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
def runs(
    name: str, seed: int, setting: float | None = None, beta: float | None = 0.8
) -> dict[str, MatrixRun]:
    make = {"memory": memory, "factorisation": factorisation, "direction": one_direction}[name]
    problem: MatrixProblem = make(seed=seed) if setting is None else make(setting, seed)
    return {slug: raced(problem, slug, beta=beta) for slug in ("sgd", "momentum", "adamw", "muon")}


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("name", ["memory", "factorisation"])
def test_muon_wins_where_singular_values_differ(name: str, seed: int) -> None:
    found = runs(name, seed)
    for slug in ("sgd", "momentum", "adamw"):
        assert found["muon"].error < found[slug].error / 10.0, slug
    best = found["muon"]
    assert 0 < best.best < len(best.rates) - 1  # the grid holds the best rate


@pytest.mark.parametrize("beta", [0.5, 0.8, 0.9, None])
def test_the_rare_facts_are_left_by_all_but_muon(beta: float | None) -> None:
    """What is left of the rarest four items, and of all."""
    found = runs("memory", 0, beta=beta)
    rare = {slug: run.left[run.best][-4:].mean() for slug, run in found.items()}
    for slug in ("sgd", "momentum", "adamw"):
        assert rare[slug] > 10.0 * rare["muon"], slug
        assert found[slug].error > 10.0 * found["muon"].error, slug


def test_a_rules_own_memory_is_too_long_for_forty_steps() -> None:
    problem = factorisation(10.0)
    rules = ("momentum", "muon", "soap", "kron", "shampoo", "adafactor", "sgd", "adamw")
    own = {slug: raced(problem, slug).error for slug in rules}
    half = {slug: raced(problem, slug, beta=0.5).error for slug in rules}
    assert sorted(own, key=own.__getitem__)[-2:] == ["soap", "kron"]
    assert own["muon"] < own["momentum"] / 10
    assert half["momentum"] < half["muon"] / 3
    assert sorted(half, key=half.__getitem__)[:2] == ["shampoo", "soap"]


def test_kron_has_too_few_steps_to_learn_its_preconditioner(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    problems = memory(), factorisation()
    usual = [raced(problem, "kron", beta=0.8).error for problem in problems]
    own = matrices.settings
    monkeypatch.setattr(matrices, "settings", lambda slug, beta: {**own(slug, beta), "learn": 0.3})
    for problem, error in zip(problems, usual, strict=True):
        assert raced(problem, "kron", beta=0.8).error < error / 2.5


@pytest.mark.parametrize(("beta", "error", "within"), [(0.95, 0.018728, 0.02), (0.5, 1.1e-10, 0.5)])
def test_soap_on_rectangular_matrices_is_pytorch_optimizers(
    beta: float, error: float, within: float
) -> None:
    """The same factors, schedule and rate 0.05623413, pytorch_optimizer.SOAP 4.1.0 (float64, its QR
    in float32, another basis of what no gradient has yet touched): a weak end with its own β₁, a
    strong one with 0.5."""
    run = raced(factorisation(10.0), "soap", np.array([0.05623413]), beta=beta)
    assert run.error == pytest.approx(error, rel=within)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_muon_loses_where_one_direction_stands_in_much_noise(seed: int) -> None:
    found = runs("direction", seed)
    for slug in ("sgd", "momentum", "adamw"):
        assert found["muon"].error > (1.0 if slug == "adamw" else 2.0) * found[slug].error, slug


def test_muon_loses_where_there_is_nothing_to_make_equal() -> None:
    found = runs("factorisation", 0, 1.0)
    assert found["sgd"].error < 1e-12 < 1e-6 < found["muon"].error


def test_the_spectra_of_a_run_are_the_polynomials() -> None:
    found = spectrum(memory(), 0.2)
    for before, after in zip(found.before[::10], found.after[::10], strict=True):
        assert np.sum(before**2) == pytest.approx(1.0)
        np.testing.assert_allclose(np.sort(stages(before)[-1]), np.sort(after), atol=1e-9)
    muon, sgd = (runs("memory", 0)[slug].spectra for slug in ("muon", "sgd"))
    assert muon[20, 14] > 0.3 > 0.01 > sgd[20, 14]


def test_groups_have_a_rule_each_and_the_hybrids_end_lower() -> None:
    data = split(table("spirals", 200, 0.05, 0), seed=0, test=0.0)
    network = MLP((2, 16, 16, 16, 1))
    found = {name: grouped(name, data, network, steps=60) for name in GROUPS}
    assert found["Muon + Sophia"].sizes == (512, 97)
    assert len({float(h.losses[0]) for h in found.values()}) == 1
    for name in ("Muon + AdamW", "Muon + Sophia"):
        assert found[name].losses[-1] < found["AdamW everywhere"].losses[-1] / 2
