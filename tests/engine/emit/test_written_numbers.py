"""Numbers as readers see them: in LaTeX as in text, and sums that add up as printed."""

from __future__ import annotations

import json
import math
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.emit.picture import Words, addends, adding_up, in_latex, summing_up, written
from tests.engine.emit.node import node

WORDS = Path(__file__).resolve().parents[3] / "components" / "web" / "words.js"
SPECS = ("", "2", "3", "4b", ".2f", "+.3f", ".0%", ".1%", ".2e", "d", ".3g", ",.0f")


@pytest.mark.parametrize(
    ("value", "spec", "text", "latex"),
    [
        (1e-10, "", "10⁻¹⁰", "10^{-10}"),
        (3.107e10, "", "3.107\u00a0×\u00a010¹⁰", r"3.107 \times 10^{10}"),
        (-2.5e-7, "3", "−2.5\u00a0×\u00a010⁻⁷", r"-2.5 \times 10^{-7}"),
        (100.0, "", "100", "100"),
        (10.0, "", "10", "10"),
        (math.inf, "", "∞", r"\infty"),
        (-1.7, ".2f", "−1.70", "-1.70"),
        (-0.0001, ".2f", "0.00", "0.00"),
        (0.29, ".0%", "29\u202f%", r"29\,\%"),
        (-0.125, ".1%", "−12.5\u202f%", r"-12.5\,\%"),
        (19730, "", "19\u202f730", r"19\,730"),
        (9999, "d", "9999", "9999"),
        (1234567.4, ",.1f", "1\u202f234\u202f567.4", r"1\,234\,567.4"),
        (6.055e-6, "", "6.055\u00a0×\u00a010⁻⁶", r"6.055 \times 10^{-6}"),
        (6.61e-10, ".2e", "6.61\u00a0×\u00a010⁻¹⁰", r"6.61 \times 10^{-10}"),
        (0.25, "+.2f", "+0.25", "+0.25"),
        (-123456.7, ".3g", "−123\u202f457", r"-123\,457"),
    ],
)
def test_one_number_in_text_and_in_latex(value: float, spec: str, text: str, latex: str) -> None:
    assert written(value, spec) == text
    assert in_latex(value, spec) == latex


def in_browser(name: str, calls: list[list[Any]]) -> list[Any]:
    """What a function of the browser's words.js makes of each list of arguments."""
    source = json.dumps(WORDS.read_text(encoding="utf-8"))
    script = (
        f"const m = await import('data:text/javascript,' + encodeURIComponent({source}))\n"
        f"console.log(JSON.stringify({json.dumps(calls)}.map((args) => m.{name}(...args))))"
    )
    done = subprocess.run(
        [node(), "--input-type=module", "-"],
        input=script, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: list[Any] = json.loads(done.stdout)
    return found


def test_a_part_of_a_sentence_is_left_out_where_it_does_not_hold() -> None:
    sentence = Words(
        "a {:.1f}. {:?}In [{:3}, {:3}]. {:?}Then {:d}.", (0.5, False, math.nan, math.nan, 1, 2)
    )
    there = Words(sentence.template, (0.5, True, 1.0, 2.0, 1, 2))
    assert [str(sentence), str(there)] == ["a 0.5. Then 2.", "a 0.5. In [1, 2]. Then 2."]
    calls = [[sentence.spec(), [0.5, 0, None, None, 1, 2]], [there.spec(), [0.5, 1, 1, 2, 1, 2]]]
    assert in_browser("sentence", calls) == [str(sentence), str(there)]


numbers = st.one_of(st.floats(-1e9, 1e9), st.floats(-1e-3, 1e-3), st.integers(-(10**7), 10**7))


@given(st.lists(st.tuples(numbers, st.sampled_from(SPECS)), min_size=30, max_size=60))
@settings(max_examples=5, deadline=None)
def test_the_browser_writes_the_same(cases: list[tuple[float, str]]) -> None:
    ours = [written(value, spec) for value, spec in cases]
    assert in_browser("written", [[float(v), s] for v, s in cases]) == ours


def test_what_is_written_can_be_typed() -> None:
    typed = [
        "6.055\u00a0×\u00a010⁻⁶",
        "10⁻⁸",
        "−2.5",
        "19\u202f730",
        "1e-5",
        "0,5",
        " 12 ",
        "2*10⁻³",
        "",
        "x",
        "1-2",
    ]
    found = in_browser("read", [[text] for text in typed])
    assert found == [6.055e-6, 1e-8, -2.5, 19730, 1e-5, 0.5, 12, 2e-3, None, None, None]


@given(st.lists(st.floats(0, 10), min_size=1, max_size=8), st.integers(2, 4))
def test_what_is_printed_adds_up(terms: list[float], digits: int) -> None:
    parts, total = addends(terms, digits)
    assert f"{math.fsum(map(float, parts)):.{digits}f}" == total
    assert total == f"{math.fsum(terms):.{digits}f}"
    shown = summing_up(np.array(terms), digits)
    half = 0.501 * 10.0**-digits  # a tie may round either way
    assert shown == pytest.approx(np.array(terms), abs=half)
    assert float(np.sum(shown)) == pytest.approx(math.fsum(terms), abs=2 * half)


def test_no_more_digits_than_it_takes() -> None:
    assert addends([0.99 * 0.014500, 0.01 * 6.643856], 4) == (["0.0144", "0.0664"], "0.0808")
    sixths = [math.log2(6) / 6] * 6
    parts, total = addends(sixths, 4)
    assert (set(parts), total) == ({"0.43083"}, "2.5850")
    assert {written(x, "8") for x in summing_up(np.array(sixths), 4)} == {"0.43083"}


@given(st.floats(0, 10), st.floats(-2, 10))
def test_two_terms_add_up_to_the_last_digit(a: float, b: float) -> None:
    *parts, total = (float(x) for x in adding_up(a, b))
    for x, exact in zip((*parts, total), (a, b, a + b), strict=True):
        assert x == pytest.approx(exact, abs=0.51e-3)
    assert sum(parts) == pytest.approx(total, abs=1e-9)


def test_four_digits_where_they_add_up_else_three() -> None:
    assert adding_up(0.610864, 0.338919) == pytest.approx((0.6109, 0.3389, 0.9498), abs=1e-12)
    assert adding_up(1.2954618, 0.7187849) == pytest.approx((1.295, 0.719, 2.014), abs=1e-12)
    assert adding_up(0.5, math.inf) == (0.5, math.inf, math.inf)
