"""Smooth points taken for kinks, and kinks for smooth points.

What it stands for: one-sided slopes compared at one step. That of |x|^1.5 at 0 is ±√h, which no
step makes equal in relation to itself, so the page said "kink, slope −1e−25 on its left"; Stan's
pow has the same trouble at 0 (stan-dev/math#3031). Whether the gap closes as the step shrinks is
what decides. Right values: the limits, by hand.
"""

from __future__ import annotations

import math

import pytest

from engine.derivatives.four_ways import errors, study
from engine.derivatives.numerical import BEST_CENTRAL_STEP

SMOOTH = [
    ("abs(x)**1.5", 0.0, 0.0), ("abs(x)**1.1", 0.0, 0.0), ("abs(x)**1.001", 0.0, 0.0),
    ("relu(x)**1.5", 0.0, 0.0), ("relu(x)**2", 0.0, 0.0), ("x*abs(x)", 0.0, 0.0),
    ("3*x + abs(x)**1.2", 0.0, 3.0), ("3*x - relu(-x)**1.01", 0.0, 3.0),
    ("abs(x)**1.1 + abs(x)**1.2", 0.0, 0.0), ("abs(x - 1)**1.5 + x", 1.0, 1.0),
    ("abs(x)**3", 0.0, 0.0), ("abs(x)", 1e-10, 1.0), ("abs(x)**1.5", 1e-40, 1.5e-20),
    ("max(x, 2*x - x)", 3.0, 1.0), ("where(x > 0, x**2, -x**2)", 0.0, 0.0),
    ("where(x > 0, sqrt(x), x)", -4.0, 1.0), ("1e-300*x", 0.0, 1e-300), ("1e10*x", 0.0, 1e10),
    ("sigmoid(x)", 400.0, math.exp(-400)), ("softplus(x)", -700.0, math.exp(-700)),
    ("exp(x) - x", 0.0, 0.0), ("exp(x) - x", 1e-70, 1e-70), ("clip(x, 2, 1)", 0.0, 0.0),
]  # fmt: skip


@pytest.mark.parametrize(("text", "x", "slope"), SMOOTH)
def test_a_slope_is_found(text: str, x: float, slope: float) -> None:
    exact = study(text, (x, 2.0), "x", BEST_CENTRAL_STEP).exact
    assert exact.trouble == ""
    assert exact.slope == pytest.approx(slope, rel=1e-14, abs=0)
    assert errors(text, (x, 2.0), "x") is not None


KINKS = [
    ("abs(x)", 0.0, "-1", "1"), ("x + abs(x)", 0.0, "0", "2"),
    ("1e-200*abs(x)", 0.0, "-1e-200", "1e-200"),
    ("x + 1e-7*abs(x)", 0.0, "0.9999999", "1"), ("abs(x) + abs(x)**1.1", 0.0, "-1", "1"),
    ("x + 1e-7*abs(x) + abs(x)**1.5", 0.0, "0.9999999", "1"), ("max(x, x**2)", 0.0, "0", "1"),
    ("max(x, x**2)", 1.0, "1", "2"), ("relu(x - 1) + relu(1 - x)", 1.0, "-1", "1"),
    ("sqrt(x*x)", 0.0, "-1", "1"), ("abs(x)**1.5 + abs(x - 1)", 1.0, "0.5", "2.5"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "x", "left", "right"), KINKS)
def test_a_kink_stays_one(text: str, x: float, left: str, right: str) -> None:
    trouble = study(text, (x, 2.0), "x", BEST_CENTRAL_STEP).exact.trouble
    assert f"slope {left} on its left and {right} on its right" in trouble


@pytest.mark.parametrize(
    ("text", "x"),
    [("abs(x)**0.9", 0.0), ("abs(x)**0.999", 0.0), ("sqrt(abs(x))", 0.0), ("sign(x)", 0.0),
     ("where(x < 1, x, 2*x)", 1.0), ("sign(x)*abs(x)**0.5", 0.0)],
)  # fmt: skip
def test_what_jumps_or_stands_upright_is_said_to(text: str, x: float) -> None:
    trouble = study(text, (x, 2.0), "x", BEST_CENTRAL_STEP).exact.trouble
    assert "jumps or stands upright" in trouble


def test_higher_derivatives_that_do_not_exist_are_not_made_up() -> None:
    exact = study("relu(x)**1.5", (0.0, 2.0), "x", BEST_CENTRAL_STEP).exact
    assert math.isnan(exact.second)  # ¾ x^-½
    exact = study("x**2", (0.0, 2.0), "x", BEST_CENTRAL_STEP).exact
    assert (exact.second, exact.third) == (2.0, 0.0)


def test_a_step_of_nan_is_not_called_too_large() -> None:
    for text in ("where(x > 0, sqrt(x), x)", "where(x > 0, log(x), x) + sqrt(x*x)"):
        assert study(text, (-4.0, 2.0), "x", 1e-6).exact.trouble == ""
    assert "too large" in study("where(x < 9, x, exp(exp(x)))", (7.0, 0.0), "x", 1e-6).exact.trouble
