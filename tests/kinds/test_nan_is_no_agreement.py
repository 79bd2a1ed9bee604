"""A gradient check that takes what is not a number for agreement.

What it stands for: |nan − 1| / max(…) falls through every comparison, and a check that counts what
is not "too large" lets it pass; the users of torch's gradcheck have asked for years how NaN is to
be met (pytorch/pytorch#76780), and its maintainers answer that NaN hides wrong values. Here
`where(x > 0, sqrt(x), x)` at −4 showed "+nan … good" and "all entries agree". Not a number is never
agreement; where the difference is none, the entry cannot be checked. Right values: by hand.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from engine.derivatives.gradient_check import Subject, check, judge, measure, typed_subject
from engine.derivatives.numerical import BEST_CENTRAL_STEP, relative_error
from engine.problems.formula import parse
from engine.tape import Value
from engine.tape import operations as ops
from figures import gradient_check as pictures


def given(function: Any, gradient: Any, at: list[float]) -> Subject:
    """A function whose reverse mode says what we tell it to."""

    def spoken(w: Any) -> Any:
        if type(w) is not Value:
            return float(function(w))
        # Linear with the given slopes, so that these are its gradient; its value is beside it.
        return ops.sum(ops.multiply(np.array(gradient), w)) * 1.0

    return Subject(spoken, np.array(at), tuple(f"w{i}" for i in range(len(at))))


def test_the_reported_formula_agrees_by_its_numbers() -> None:
    report = check(typed_subject(parse("where(x>0,sqrt(x),x)", None), (-4.0,)))
    assert report.verdicts == ("good",)
    np.testing.assert_array_equal(report.analytic, [1.0])
    np.testing.assert_allclose(report.numeric, [1.0], rtol=1e-9)


@pytest.mark.parametrize("slope", [math.nan, math.inf, -math.inf])
def test_a_gradient_that_is_no_number_is_wrong(slope: float) -> None:
    report = check(given(lambda w: 3 * w[0] + 2 * w[1], [slope, 2.0], [1.0, 1.0]))
    assert report.verdicts == ("wrong", "good")
    assert report.error[0] == math.inf
    assert report.worst == 0


# At the edge of where a function is defined, one end of the difference has no value.
@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("sqrt(x)", (0.0,)), ("sqrt(x)", (1e-7,)), ("x**1.5", (0.0,)), ("x*log(x)", (1e-7,)),
        ("sqrt(1 - x)", (1.0,)), ("log(x) + 0*x", (1e-6,)), ("1/where(x < 1, 0, x)", (1.0,)),
    ],
)  # fmt: skip
def test_without_a_difference_nothing_can_be_checked(text: str, at: tuple[float, ...]) -> None:
    report = check(typed_subject(parse(text, None), at))
    assert report.verdicts == ("unchecked",)
    assert math.isnan(report.error[0])


def test_one_entry_that_cannot_be_checked_leaves_the_others() -> None:
    report = check(typed_subject(parse("sqrt(x) + y**2", None), (0.0, 3.0)))
    assert report.verdicts == ("unchecked", "good")
    assert report.worst == 1


def test_errors_of_what_is_no_number() -> None:
    nan, inf = math.nan, math.inf
    found = relative_error(
        [nan, 1.0, nan, inf, inf, -inf, 0.0, 2.0], [1.0, nan, nan, inf, 1.0, inf, 0.0, 1.0]
    )
    np.testing.assert_array_equal(found, [nan, nan, nan, 0.0, inf, inf, 0.0, 0.5])
    assert judge(nan) == judge(nan, within=True) == "unchecked"
    assert judge(inf) == "wrong"


def test_the_picture_holds_every_verdict() -> None:
    subject = typed_subject(parse("sqrt(x) + y**2", None), (0.0, 3.0))
    measured = measure(subject.function, subject.at, BEST_CENTRAL_STEP)
    heads = pictures.errors(subject.names, measured)["data"][1::2]
    shown = {
        str(head["hovertemplate"])[0]: np.flatnonzero(np.isfinite(head["y"])).tolist()
        for head in heads
    }
    assert shown == {"✓": [1], "?": [], "✗": [], "∅": [0]}
