"""The numbers that the course works out by hand: each stands on a page that a lesson leads to.

A number counts as standing there where the page says it in words, or its picture's own numbers
hold it, to the digits given here.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pytest

from pages import course
from tests.pages.programs import component_data
from tests.pages.running import markdown, open_page, tables

# What the course says, with the step of a lesson whose page shows it, and the numbers.
WORKED: dict[str, tuple[str, tuple[str, ...]]] = {
    "a fair coin": ("from-entropy-to-cross-entropy.1", ("1.0000",)),
    "a label's cross-entropy": ("from-entropy-to-cross-entropy.4", ("0.357",)),
    "the wrong slot": ("worked-numbers.4", ("1.609",)),
    "in bits": ("worked-numbers.5", ("0.3677",)),
    "in bits, surer": ("worked-numbers.6", ("0.0954",)),
    "k of n": ("maximum-likelihood-is-cross-entropy.2", ("0.7",)),
    "both losses at 0.02": (
        "why-cross-entropy-beats-mse.1",
        ("3.912", "0.9604", "-0.98", "-0.0384", "0.0196"),
    ),
    "softmax": ("softmax-and-temperature.1", ("0.659", "0.242", "0.099")),
    "cat, car, frog": ("worked-numbers.2", ("24.5", "164.0", "0.18", "0.13", "0.87", "2.040")),
    "ten equal scores": ("worked-numbers.3", ("2.3026",)),
    "squared errors": ("worked-numbers.1", ("16", "4", "8")),
    "one in a hundred": ("worked-numbers.7", ("4.605",)),
    "focal loss": ("worked-numbers.8", ("0.01",)),
    "x² + 10y²": ("worked-numbers.9", ("0.00066", "0.333", "-0.333", "-0.149")),
    "a third of the steps": ("worked-numbers.10", ("30", "104", "82", "106", "50")),
    "the limit": ("zig-zag-and-momentum.2", ("0.02",)),
    "bias correction": ("adam-in-four-steps.2", ("10", "1.535", "1000")),
    "the graph": ("inside-an-autograd-engine.2", ("1.785", "0.707", "1.262", "1.9696")),
}


@cache
def numbers_of(mark: str) -> tuple[float, ...]:
    """Every number that the page of a step says or draws."""
    found = course.find(mark)
    assert found is not None
    step = found[0].steps[found[1]]
    page = open_page(step.page, **step.link)
    assert not page.exception
    assert not page.warning
    numbers: list[float] = []
    read(markdown(page) + tables(page), numbers)
    for data in component_data(page):
        if "panels" in data or "edges" in data or "groups" in data:
            visit({name: part for name, part in data.items() if name != "modules"}, numbers)
    return tuple(numbers)


def read(text: str, numbers: list[float]) -> None:
    plain = text.replace("−", "-").replace("\\,", "").replace("\u202f", "")
    numbers += map(float, re.findall(r"-?\d+\.\d+|-?\d+", plain))


def visit(part: Any, numbers: list[float]) -> None:
    if isinstance(part, dict):
        for name, entry in part.items():
            if name not in ("b64", "bytes", "ref"):
                visit(entry, numbers)
    elif isinstance(part, list):
        for entry in part:
            visit(entry, numbers)
    elif isinstance(part, str):
        read(part, numbers)
    elif isinstance(part, (int, float)) and not isinstance(part, bool):
        numbers.append(float(part))


@pytest.mark.parametrize("name", list(WORKED))
def test_a_worked_number_stands_on_a_page_that_a_lesson_leads_to(name: str) -> None:
    mark, wanted = WORKED[name]
    numbers = numbers_of(mark)
    for text in wanted:
        digits = len(text.partition(".")[2])
        assert any(abs(n - float(text)) <= 0.51 * 10**-digits for n in numbers), text
