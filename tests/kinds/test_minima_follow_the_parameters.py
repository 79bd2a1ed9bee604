"""What is known of a function, once its parameters are changed.

What it stands for: libraries of test functions state the optimum of one setting and let the
parameters be changed all the same (jakobbossek/smoof#29 found many stated optima wrong once a test
looked). Here Rosenbrock with a = 1.5 kept its mark at (1, 1), where f is 0.25. Minima, view, start
and good rate are functions of the parameters. Right values: a zero gradient and a positive definite
Hessian at the place, for parameters drawn at random.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import engine
from engine.problems.landscapes import LANDSCAPES, Landscape
from engine.problems.minima import minima_of
from engine.tape import autograd

SHAPED = [slug for slug, entry in LANDSCAPES.items() if entry.parameters]


def drawn(data: Any, slug: str) -> Landscape:
    entry = LANDSCAPES[slug]
    return entry(**{p.name: data.draw(st.floats(p.low, p.high), p.name) for p in entry.parameters})


@pytest.mark.parametrize("slug", SHAPED)
@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_what_is_said_holds_for_parameters_drawn_at_random(slug: str, data: Any) -> None:
    landscape = drawn(data, slug)
    (x0, x1), (y0, y1) = landscape.window
    steepest = np.abs(landscape.gradient(landscape.start)).max()
    assert 0 < steepest < np.inf
    for place in landscape.minima:
        assert landscape.value(place) == pytest.approx(landscape.minimum, abs=1e-12)
        assert np.abs(landscape.gradient(place)).max() < 1e-9 * steepest
        assert np.linalg.eigvalsh(landscape.hessian(place))[0] > 0
    for x, y in (*landscape.minima, landscape.start):
        assert x0 < x < x1
        assert y0 < y < y1
    run = engine.descend(landscape, "sgd", landscape.start, 100, {"lr": landscape.lr})
    assert run.diverged_at is None
    assert run.loss[run.last] < run.loss[0] - 1e-3 * abs(run.loss[0])


@pytest.mark.parametrize("slug", SHAPED)
@settings(deadline=None, max_examples=5)
@given(data=st.data())
def test_the_minima_that_are_found_are_those_that_are_said(slug: str, data: Any) -> None:
    landscape = drawn(data, slug)
    found = minima_of(landscape)
    lowest = [(m.x, m.y) for m in found if m.is_global]
    assert lowest
    for m in found:
        assert np.abs(landscape.gradient((m.x, m.y))).max() < 1e-6
    for place in landscape.minima:
        assert min(np.hypot(*np.subtract(place, other)) for other in lowest) < 1e-6


def test_the_reported_valley() -> None:
    valley = LANDSCAPES["rosenbrock"](a=1.5)
    assert valley.minima == ((1.5, 2.25),)
    assert valley.value((1.5, 2.25)) == 0.0
    assert valley(b=10.0).minima == ((1.5, 2.25),)
    assert valley(a=1.0).minima == ((1.0, 1.0),)
    run = engine.descend(valley, "adam", (1.4, 2.0), 3000, {"lr": 0.01})
    assert run.distance == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize("slug", SHAPED)
def test_an_entry_says_of_its_defaults_what_it_follows_to(slug: str) -> None:
    entry = LANDSCAPES[slug]
    again = entry(**entry.arguments)
    assert again.minima == entry.minima
    assert again.start == pytest.approx(entry.start, rel=1e-12)
    assert again.lr == entry.lr
    assert again.window == entry.window


def test_a_trace_follows_too() -> None:
    """So that a mark may move under a hand, without the entry being asked again."""
    follow = LANDSCAPES["rosenbrock"].follow
    place, tangent = autograd.jvp(lambda a: follow(a=a, b=100.0)["minima"][0], (1.5,), (1.0,))
    assert place == (1.5, 2.25)
    assert tangent == (1.0, 3.0)
