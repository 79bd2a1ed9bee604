"""Verdicts that were guessed.

What it stands for: a check that differs from a gradient is told to have met "probably a kink", and
a gradient that vanishes is told to be wrong, because its relative error is 1; torch's gradcheck and
HIPS autograd's check_grads set an absolute beside the relative tolerance for that. Here `clip(x, y,
1)` at (0, 2) was called right where it was wrong, and `exp(x) − x` at 0 wrong where it was right.
"The gradient is right and the check doubts it" is only said against an exact value. Right values:
by hand.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.derivatives.gradient_check import (
    Report,
    Subject,
    check,
    establish,
    network_subject,
    typed_subject,
)
from engine.problems.data import two_moons
from engine.problems.formula import parse
from engine.problems.networks import ACTIVATIONS, MLP


def checked(text: str, at: tuple[float, ...], **how: Any) -> tuple[Subject, Report]:
    subject = typed_subject(parse(text, None), at)
    return subject, check(subject, **how)


VANISHING = [
    ("exp(x) - x", 0.0), ("x**3", 0.0), ("cos(x)", 0.0), ("sin(x) - x", 0.0), ("x**2", 0.0),
    ("(x - 1)**4", 1.0), ("x - log(1 + x)", 0.0), ("1000 + x**2", 0.0), ("1e-6*x**3", 0.0),
    ("sigmoid(x)", 40.0), ("tanh(x)", 20.0), ("softplus(x)", -60.0), ("abs(x)**1.5", 0.0),
    ("x*0 + 5", 0.3), ("exp(-x**2)", 6.0),
]  # fmt: skip


@pytest.mark.parametrize(("text", "x"), VANISHING)
def test_a_gradient_that_vanishes_is_good(text: str, x: float) -> None:
    subject, report = checked(text, (x,))
    assert report.verdicts == ("good",)
    assert [e.standing for e in establish(subject, report)] == ["right"]


@pytest.mark.parametrize(("text", "x"), VANISHING)
@pytest.mark.parametrize("h", [1e-12, 1e-3, 0.1])
def test_at_no_step_is_it_wrong(text: str, x: float, h: float) -> None:
    assert checked(text, (x,), h=h)[1].verdicts[0] != "wrong"


# Small is not nothing: a slip in a small gradient is still found.
@pytest.mark.parametrize("text", ["1e-10*x", "1e-10*x**2", "x*1e-200", "1e6 + x*y"])
@pytest.mark.parametrize("mistake", ["sign", "factor", "dropped"])
def test_a_mistake_in_a_small_gradient_is_wrong(text: str, mistake: str) -> None:
    formula = parse(text, None)
    at = (1.0, 0.7)[: len(formula.names)]
    _, report = checked(text, at, broken="multiply", mistake=mistake)
    assert report.verdicts[0] == "wrong"


def test_the_reported_clip() -> None:
    subject, report = checked("clip(x, y, 1)", (0.0, 2.0))
    assert report.verdicts == ("good", "good")
    np.testing.assert_array_equal(report.analytic, [0.0, 0.0])  # 1 is the value, and a constant
    assert [e.standing for e in establish(subject, report)] == ["right", "right"]


def test_a_wrong_gradient_is_never_called_right() -> None:
    for mistake in ("sign", "factor", "dropped", "slight"):
        subject, report = checked("tanh(x)*y", (0.7, 1.3), broken="tanh", mistake=mistake)
        by_x, by_y = establish(subject, report)
        assert by_x.standing == "wrong"
        assert by_x.exact.slope == pytest.approx(1.3 * (1 - np.tanh(0.7) ** 2), rel=1e-15)
        assert by_y.standing == "right"


@pytest.mark.parametrize(
    ("text", "at", "standing", "told"),
    [
        ("abs(x) + y**2", (1e-6, 0.5), "right", ""),  # half a step from the kink
        ("relu(x) + y", (0.0, 0.5), "unknown", "slope 0 on its left and 1 on its right"),
        ("abs(x)*y", (0.0, 0.5), "unknown", "slope -0.5 on its left and 0.5 on its right"),
        ("max(x, y)", (1.0, 1.0), "unknown", "kink"),
        ("sign(x)*y", (0.0, 2.0), "unknown", "jumps"),
        ("sqrt(x) + y", (0.0, 2.0), "unknown", "not defined all around"),
        ("abs(x)**1.5 + y", (0.0, 2.0), "right", ""),
        ("where(x > 0, log(x), x) + y", (-1.0, 2.0), "right", ""),
    ],
)
def test_what_is_known_is_said(text: str, at: Any, standing: str, told: str) -> None:
    entry = establish(*checked(text, at))[0]
    assert entry.standing == standing
    assert told in entry.exact.trouble
    assert (entry.exact.trouble == "") == (standing != "unknown")


@pytest.mark.parametrize(("text", "at"), [("abs(x)", 1e-6), ("relu(x)", 0.0), ("abs(x) + x", 1e-6)])
def test_near_a_kink_nobody_is_convicted(text: str, at: float) -> None:
    assert checked(text, (at,))[1].verdicts == ("doubtful",)


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_a_network_has_exact_values_too(activation: str) -> None:
    points, labels = two_moons(8)
    subject = network_subject(MLP((2, 3, 1), activation), points, labels)
    poor = check(subject, h=1e-12)
    assert "doubtful" in poor.verdicts
    assert {e.standing for e in establish(subject, poor)} == {"right"}
    if activation == "tanh":
        broken = check(subject, broken="tanh", mistake="slight")
        wrong = {e.name[1] for e in establish(subject, broken) if e.standing == "wrong"}
        assert wrong == {"1"}  # the layer before the tanh
