"""Schedules: equal to PyTorch's schedulers, bounded by their peak, and felt by every rule."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import engine
from engine.emit.picture import Picture
from engine.optimizers.schedules import SCHEDULES, find_schedule

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "schedules.json").read_text())


@pytest.mark.parametrize("row", GOLDEN["rows"], ids=lambda r: f"{r['schedule']}{r['parameters']}")
def test_factors_equal_pytorchs(row: dict[str, Any]) -> None:
    ours = SCHEDULES[row["schedule"]](**row["parameters"]).factors(len(row["factors"]))
    # PyTorch multiplies its rates up step by step, so its own rounding grows along the run.
    np.testing.assert_allclose(ours, row["factors"], rtol=1e-11, atol=1e-14)


@given(data=st.data(), slug=st.sampled_from(sorted(SCHEDULES)), steps=st.integers(1, 300))
def test_factors_stay_between_nothing_and_the_peak(data: Any, slug: str, steps: int) -> None:
    entry = SCHEDULES[slug]
    values = {p.name: data.draw(st.floats(p.low, p.high), p.name) for p in entry.parameters}
    factors = entry(**values).factors(steps)
    assert factors.shape == (steps,)
    assert np.isfinite(factors).all()
    assert (factors >= 0).all()
    assert (factors <= 1 + 1e-12).all()


@pytest.mark.parametrize("slug", sorted(SCHEDULES))
def test_traced_parameters_give_the_same_factors(slug: str) -> None:
    """A picture's schedule, its length and its parameters moved by a hand, is the run's own."""
    entry = SCHEDULES[slug](warmup=0.07)
    picture = Picture({"T": 73.0, **entry.arguments})
    traced = entry.at(
        np.arange(73.0), picture["T"], {p.name: picture[p.name] for p in entry.parameters}
    )
    assert picture.owns(traced)
    np.testing.assert_array_equal(traced.data, entry.factors(73))


@pytest.mark.parametrize("slug", sorted(SCHEDULES))
def test_warm_up_rises_linearly_into_the_schedule(slug: str) -> None:
    plain, warm = SCHEDULES[slug].factors(160), SCHEDULES[slug](warmup=0.2).factors(200)
    np.testing.assert_allclose(warm[40:], plain)
    np.testing.assert_allclose(warm[:40], plain[0] * np.arange(1, 41) / 40)


def test_cosine_is_the_formula_of_its_paper() -> None:
    lowest, steps = 0.1, 64
    t = np.arange(steps)
    expected = lowest + 0.5 * (1 - lowest) * (1 + np.cos(np.pi * t / steps))
    np.testing.assert_allclose(SCHEDULES["cosine"](final=lowest).factors(steps), expected)


def test_a_run_takes_a_schedule_by_slug_by_entry_or_by_its_factors() -> None:
    entry = SCHEDULES["cosine"]
    runs = [
        engine.descend("bowl", "adam", (5, 3), 80, {"lr": 0.1}, schedule=given)
        for given in ("cosine", entry, entry.factors(80))
    ]
    np.testing.assert_array_equal(runs[0].path, runs[1].path)
    np.testing.assert_array_equal(runs[0].path, runs[2].path)
    constant = engine.descend("bowl", "adam", (5, 3), 80, {"lr": 0.1})
    assert not np.allclose(runs[0].path[-1], constant.path[-1])


def test_a_constant_schedule_changes_no_bit_of_any_rule() -> None:
    for slug, entry in engine.OPTIMIZERS.items():
        if "lr" not in [h.name for h in entry.hypers]:
            continue
        plain, scheduled = (
            engine.descend("bowl", slug, (1.5, 0.5), 30, {"lr": 1e-3}, schedule=s)
            for s in (None, "constant")
        )
        np.testing.assert_array_equal(plain.path, scheduled.path, err_msg=slug)


def test_a_schedule_calms_a_noisy_run() -> None:
    def floor(schedule: str | None) -> float:
        ends = [
            engine.descend(
                "bowl", "sgd", (5, 3), 400, {"lr": 0.015}, schedule=schedule, noise=2.0, seed=seed
            ).loss[-1]
            for seed in range(20)
        ]
        return float(np.median(ends))

    assert floor("cosine") < 0.1 * floor(None)


def test_unknown_names_and_bad_values_say_what_is_wrong() -> None:
    with pytest.raises(ValueError, match="no schedule 'cosin'"):
        find_schedule("cosin")
    with pytest.raises(ValueError, match="no parameter 'drop'"):
        SCHEDULES["cosine"](drop=0.1)
    with pytest.raises(ValueError, match=r"warmup must lie in \[0, 0.5\]"):
        SCHEDULES["cosine"](warmup=0.9)
