"""The gradient check: it passes what is right and catches what is wrong."""

from __future__ import annotations

import numpy as np
import pytest

from engine.derivatives.gradient_check import (
    GOOD,
    MISTAKES,
    WRONG,
    check,
    judge,
    network_subject,
    typed_subject,
)
from engine.problems.data import two_moons
from engine.problems.formula import parse
from engine.problems.networks import ACTIVATIONS, MLP


@pytest.mark.parametrize("activation", sorted(set(ACTIVATIONS) - {"relu"}))
@pytest.mark.parametrize("seed", range(3))
def test_a_right_gradient_passes(activation: str, seed: int) -> None:
    points, labels = two_moons(8, seed=seed)
    report = check(network_subject(MLP((2, 3, 1), activation), points, labels, seed))
    assert set(report.verdicts) == {"good"}
    assert len(report.names) == MLP((2, 3, 1)).size == len(set(report.names))


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_wrong_rule_is_caught_and_located(mistake: str) -> None:
    points, labels = two_moons(8)
    report = check(network_subject(MLP((2, 3, 1)), points, labels), broken="tanh", mistake=mistake)
    for name, verdict in zip(report.names, report.verdicts, strict=True):
        # Layer 2 lies after the tanh and stays right; what lies before it is wrong.
        assert (verdict == "good") == (name[1] == "2"), (name, verdict)


def test_errors_are_those_of_the_formula() -> None:
    report = check(typed_subject(parse("x**2 + 3*y"), (2.0, 1.0)), broken="add", mistake="factor")
    assert report.analytic == pytest.approx([2.0, 1.5])
    assert report.numeric == pytest.approx([4.0, 3.0])
    assert report.error == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize("h", [1e-13, 0.3])
def test_a_poor_step_is_not_taken_for_good(h: float) -> None:
    report = check(typed_subject(parse("sin(x)*exp(y)"), (0.7, 0.4)), h=h)
    assert "good" not in report.verdicts


def test_what_cannot_be_checked_says_so() -> None:
    with pytest.raises(ValueError, match="no finite value"):
        check(typed_subject(parse("log(x)"), (-1.0,)))
    with pytest.raises(ValueError, match="there is no tanh"):
        check(typed_subject(parse("x*y"), (1.0, 2.0)), broken="tanh")


def test_spoiling_leaves_the_table_alone() -> None:
    subject = typed_subject(parse("x*y"), (1.5, 2.5))
    check(subject, broken="multiply", mistake="dropped")
    np.testing.assert_array_equal(check(subject).analytic, [2.5, 1.5])


def test_thresholds() -> None:
    assert [judge(e) for e in (0.0, GOOD, 2 * GOOD, WRONG, 2 * WRONG)] == [
        "good", "good", "doubtful", "doubtful", "wrong",
    ]  # fmt: skip
