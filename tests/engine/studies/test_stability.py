"""Facts about divergence: the limit, by how much it was passed, since when, and the sentence."""

import numpy as np
import pytest

import engine
from engine.problems.landscapes import LANDSCAPES
from engine.studies.stability import (
    eigenvalues_along,
    hessian_entries,
    limit_formula,
    live_bound,
    symmetric_eigenvalues,
)
from engine.tape import Tape, Value

BOWL = engine.LANDSCAPES["bowl"](condition=50)  # curvatures 2 and 100


def test_sgd_past_its_limit_says_which_by_how_much_and_since_when() -> None:
    told = engine.explain(engine.descend(BOWL, "sgd", (5, 3), 200, {"lr": 0.026}))
    assert told.limit == pytest.approx(2 / 100)
    assert told.ratio == pytest.approx(1.3)
    assert (told.since, told.rose_at) == (0, 1)
    assert "η = 0.026 is 1.3 times the stability limit 2/λmax = 0.02" in told.sentence


@pytest.mark.parametrize(
    ("slug", "options", "limit"),
    [
        ("sgd", {}, 2 / 100),
        ("momentum", {"form": "velocity"}, 2 * 1.9 / 100),
        ("momentum", {"form": "lr_inside"}, 2 * 1.9 / 100),
        ("momentum", {"form": "averaged"}, 2 * 1.9 / 0.1 / 100),
        ("nesterov", {"form": "pytorch"}, 2 * 1.9 / 2.8 / 100),
        ("nesterov", {"form": "lookahead"}, 2 * 1.9 / 2.8 / 100),
    ],
)
def test_the_limit_parts_runs_that_settle_from_runs_that_diverge(
    slug: str, options: dict[str, str], limit: float
) -> None:
    """Qian (1999) for momentum; Su, Boyd & Candès for Nesterov: the spectral radius passes 1."""
    inside, outside = (
        engine.descend(BOWL, slug, (5, 3), 4000, {"lr": limit * s}, options=options)
        for s in (0.98, 1.02)
    )
    assert inside.diverged_at is None
    assert inside.loss[-1] < 1e-6
    assert outside.diverged_at is not None
    told = engine.explain(outside)
    assert told.limit == pytest.approx(limit)
    assert told.ratio == pytest.approx(1.02)
    assert limit_formula(outside.optimizer, options) in told.sentence


@pytest.mark.parametrize(
    ("slug", "options", "latex"),
    [
        ("sgd", {}, r"\frac{2}{\,\lambda_{\max}}"),
        ("momentum", {}, r"\frac{2(1+\beta)}{\,\lambda_{\max}}"),
        ("momentum", {"form": "averaged"}, r"\frac{2(1+\beta)}{(1-\beta)\,\lambda_{\max}}"),
        ("nesterov", {}, r"\frac{2(1+\beta)}{(1+2\beta)\,\lambda_{\max}}"),
        ("adam", {}, ""),
    ],
)
def test_the_limit_in_latex_follows_the_options(
    slug: str, options: dict[str, str], latex: str
) -> None:
    assert engine.OPTIMIZERS[slug].stability_formula(options) == latex


def test_eigenvalues_follow_the_path() -> None:
    descent = engine.descend("himmelblau", "momentum", (1, 1), 60, {"lr": 0.003})
    told = engine.explain(descent)
    expected = np.linalg.eigvalsh(engine.LANDSCAPES["himmelblau"].hessian(descent.path))
    np.testing.assert_allclose(told.eigenvalues, expected, rtol=1e-12, atol=1e-12)


def test_eigenvalues_are_ascending_and_pass_infinities_through() -> None:
    np.testing.assert_allclose(symmetric_eigenvalues([[0, 2], [2, 0]]), [-2, 2])
    assert not np.isfinite(symmetric_eigenvalues([[np.inf, 0], [0, 1]])[1])


def test_a_schedule_moves_the_step_since_which_the_limit_is_passed() -> None:
    warm = np.minimum(np.arange(1, 201) / 100, 1.0)
    descent = engine.descend(BOWL, "sgd", (5, 3), 200, {"lr": 0.0405}, schedule=warm)
    told = engine.explain(descent)
    assert told.since == 49  # 0.0405 · 50/100 is the first rate above 0.02
    assert told.ratio == pytest.approx(1.0125)
    assert "since step 49" in told.sentence


def test_a_run_that_falls_for_ever_is_not_blamed_on_the_rate() -> None:
    told = engine.explain(engine.descend("saddle", "sgd", (1.6, 0.001), 400, {"lr": 0.1}))
    assert told.diverged_at is not None
    assert told.rose_at is None
    assert "has no bottom" in told.sentence


def test_a_rule_without_a_limit_says_so() -> None:
    told = engine.explain(engine.descend(BOWL, "adam", (5, 3), 10, {"lr": 1e7}))
    assert (told.limit, told.ratio, told.diverged_at) == (None, None, 1)
    assert "no limit is known" in told.sentence


def test_a_tiny_rate_crawls_and_a_good_one_does_not() -> None:
    slow, good = (
        engine.explain(engine.descend(BOWL, "sgd", (5, 3), 100, {"lr": lr})) for lr in (1e-5, 0.015)
    )
    assert "crawls" in slow.sentence
    assert "crawls" not in good.sentence
    assert good.ratio == pytest.approx(0.75)


def test_runs_explained_together_are_explained_as_each_alone() -> None:
    runs = [
        engine.descend(BOWL, slug, (5, 3), 90, {"lr": lr}, schedule=np.linspace(1, 0.5, 90))
        for slug, lr in (("sgd", 0.026), ("adam", 0.1), ("momentum", 0.01))
    ]
    for run, told in zip(runs, engine.explain_each(runs), strict=True):
        alone = engine.explain(run)
        assert told.sentence == alone.sentence
        np.testing.assert_array_equal(told.eigenvalues, alone.eigenvalues)
    assert engine.explain_each([]) == []


def test_runs_on_different_landscapes_are_not_explained_together() -> None:
    runs = [engine.descend(place, "sgd", (1, 1), 3) for place in ("saddle", "booth")]
    with pytest.raises(ValueError, match="same landscape"):
        engine.explain_each(runs)


@pytest.mark.parametrize("slug", engine.LANDSCAPES)
def test_eigenvalues_along_a_path_are_those_of_the_hessian(slug: str) -> None:
    surface = engine.LANDSCAPES[slug]
    path = engine.descend(surface, "adam", surface.start, 30, {"lr": 0.1}).path
    found = np.stack(eigenvalues_along(surface, *path.T, surface.arguments), axis=-1)
    expected = np.array([np.linalg.eigvalsh(h) for h in surface.hessian(path)])
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max())


def test_the_curvature_that_a_rule_bears_is_its_limit_turned_round() -> None:
    rules = engine.OPTIMIZERS
    assert live_bound(rules["sgd"], {"lr": 0.01}) == 200
    assert live_bound(rules["momentum"], {"lr": 0.01, "beta": 0.9}) == pytest.approx(380)
    assert live_bound(rules["adam"], {"lr": 0.01}) is None


@pytest.mark.parametrize("slug", LANDSCAPES)
def test_a_hessian_recorded_once_is_the_hessian(slug: str) -> None:
    """Bit for bit, at numbers, columns and traced values alike."""
    surface = LANDSCAPES[slug]
    (x0, x1), (y0, y1) = surface.window
    points = np.random.default_rng(3).uniform((x0, y0), (x1, y1), (20, 2))
    wanted = surface.hessian(points)
    with np.errstate(all="ignore"):
        columns = hessian_entries(surface, *points.T, surface.arguments)
        one = hessian_entries(surface, *points[0], surface.arguments)
        tape = Tape()
        x, y = (tape.variable(np.float64(v)) for v in points[0])
        traced = hessian_entries(surface, x, y, surface.arguments)
    for k, (i, j) in enumerate(((0, 0), (0, 1), (1, 1))):
        assert np.array_equal(columns[k] + 0.0 * points[:, 0], wanted[:, i, j], equal_nan=True)
        for found in (one[k], traced[k]):
            number = found.data if isinstance(found, Value) else found
            assert np.array_equal(number, wanted[0, i, j], equal_nan=True)
