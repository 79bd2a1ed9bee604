"""Numbers as readers see them: in LaTeX as in text, and sums that add up as printed."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.emit.picture import addends, in_latex, written


@pytest.mark.parametrize(
    ("value", "spec", "text", "latex"),
    [
        (1e-10, "", "10⁻¹⁰", "10^{-10}"),
        (3.107e10, "", "3.107 × 10¹⁰", r"3.107 \cdot 10^{10}"),
        (-2.5e-7, "3", "−2.5 × 10⁻⁷", r"-2.5 \cdot 10^{-7}"),
        (100.0, "", "100", "100"),
        (10.0, "", "10", "10"),
        (math.inf, "", "∞", r"\infty"),
        (-1.7, ".2f", "−1.70", "-1.70"),
        (-0.0001, ".2f", "0.00", "0.00"),
        (0.29, ".0%", "29%", r"29\%"),
    ],
)
def test_one_number_in_text_and_in_latex(value: float, spec: str, text: str, latex: str) -> None:
    assert written(value, spec) == text
    assert in_latex(value, spec) == latex


@given(st.lists(st.floats(0, 10), min_size=1, max_size=8), st.integers(2, 4))
def test_what_is_printed_adds_up(terms: list[float], digits: int) -> None:
    parts, total = addends(terms, digits)
    assert f"{math.fsum(map(float, parts)):.{digits}f}" == total
    assert total == f"{math.fsum(terms):.{digits}f}"


def test_no_more_digits_than_it_takes() -> None:
    assert addends([0.99 * 0.014500, 0.01 * 6.643856], 4) == (["0.0144", "0.0664"], "0.0808")
    parts, total = addends([math.log2(6) / 6] * 6, 4)
    assert (set(parts), total) == ({"0.43083"}, "2.5850")
