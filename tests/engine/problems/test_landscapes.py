"""Every landscape: its derivatives against differences, its known minima, its settings by name."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import engine
from engine.problems.landscapes import LANDSCAPES, Landscape

EVERY = pytest.mark.parametrize("landscape", LANDSCAPES.values(), ids=LANDSCAPES)


def points(landscape: Landscape, count: int = 60) -> np.ndarray:
    """Points all over the window, (count, 2), the same on every run."""
    (x0, x1), (y0, y1) = landscape.window
    return np.random.default_rng(7).uniform((x0, y0), (x1, y1), size=(count, 2))


def differences(function, w: np.ndarray, h: float = 1e-5) -> np.ndarray:
    """Central differences of function at w (n, 2), the derivative on a new last axis."""
    return np.stack(
        [(function(w + step) - function(w - step)) / (2 * h) for step in h * np.eye(2)], axis=-1
    )


def allowance(exact: np.ndarray) -> float:
    """What rounding leaves of a difference: about ε/h of the largest value around."""
    return 1e-5 * max(1.0, float(np.abs(exact).max()))


@EVERY
def test_gradient_equals_finite_differences(landscape: Landscape) -> None:
    w = points(landscape)
    exact = landscape.gradient(w)
    np.testing.assert_allclose(
        exact, differences(landscape.value, w), rtol=1e-5, atol=allowance(exact)
    )


@EVERY
def test_hessian_equals_finite_differences_of_the_gradient(landscape: Landscape) -> None:
    w = points(landscape)
    exact = landscape.hessian(w)
    np.testing.assert_allclose(
        exact, differences(landscape.gradient, w), rtol=1e-5, atol=allowance(exact)
    )
    np.testing.assert_allclose(exact, np.swapaxes(exact, -1, -2), rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize(
    ("slug", "parameters"),
    [
        (entry.slug, {p.name: end})
        for entry in LANDSCAPES.values()
        for p in entry.parameters
        for end in (p.low, p.high)
    ],
)
def test_derivatives_hold_at_both_ends_of_every_parameter(
    slug: str, parameters: dict[str, float]
) -> None:
    landscape = LANDSCAPES[slug](**parameters)
    w = points(landscape, 20)
    exact = landscape.gradient(w)
    np.testing.assert_allclose(
        exact, differences(landscape.value, w), rtol=1e-5, atol=allowance(exact)
    )


@pytest.mark.parametrize(
    ("slug", "point", "value"),
    [  # worked out by hand from the published formulas
        ("bowl", (1, 1), 51),
        ("rosenbrock", (0, 0), 1),
        ("beale", (0, 0), 1.5**2 + 2.25**2 + 2.625**2),
        ("himmelblau", (0, 0), 170),
        ("booth", (0, 0), 74),
        ("matyas", (1, 1), 0.04),
        ("goldstein_price", (0, 0), 600),
        ("styblinski_tang", (1, 1), -10),
        ("rastrigin", (1, 1), 2),
        ("ackley", (0, 0), 0),
        ("three_hump_camel", (1, 1), 2 - 1.05 + 1 / 6 + 2),
        ("six_hump_camel", (1, 1), 4 - 2.1 + 1 / 3 + 1),
        ("mccormick", (0, 0), 1),
        ("easom", (math.pi, 0), math.exp(-(math.pi**2))),
        ("saddle", (3, 2), 5),
        ("monkey_saddle", (2, 1), 2),
    ],
)
def test_value_at_a_known_point(slug: str, point: tuple[float, float], value: float) -> None:
    assert LANDSCAPES[slug].value(point) == pytest.approx(value, rel=1e-12, abs=1e-14)


@EVERY
def test_known_minima_are_where_and_as_deep_as_they_are_said_to_be(landscape: Landscape) -> None:
    assert bool(landscape.minima) == (landscape.minimum is not None)
    for minimum in landscape.minima:
        assert landscape.value(minimum) == pytest.approx(landscape.minimum, rel=1e-12, abs=1e-12)
        assert np.abs(landscape.gradient(minimum)).max() < 1e-6
        assert np.linalg.eigvalsh(landscape.hessian(minimum))[0] > 0 or landscape.slug == "ackley"


@EVERY
def test_nothing_in_the_domain_lies_below_the_minimum(landscape: Landscape) -> None:
    (x0, x1), (y0, y1) = landscape.domain
    grid = np.stack(np.meshgrid(np.linspace(x0, x1, 301), np.linspace(y0, y1, 301)), axis=-1)
    values = landscape.value(grid)
    assert np.isfinite(values).all()
    if landscape.minimum is not None:
        assert values.min() >= landscape.minimum - 1e-12


@EVERY
def test_start_and_rate_show_something(landscape: Landscape) -> None:
    """From its own start, at its own rate, gradient descent goes down and stays in the world."""
    (x0, x1), (y0, y1) = landscape.window
    x, y = landscape.start
    assert x0 <= x <= x1
    assert y0 <= y <= y1
    run = engine.descend(landscape, "sgd", landscape.start, 100, {"lr": landscape.lr})
    assert run.diverged_at is None or landscape.minimum is None
    assert run.loss[run.last] < run.loss[0] - 1e-3 * abs(run.loss[0])


def test_the_two_bowls_of_the_lectures_are_settings_by_name() -> None:
    bowl = LANDSCAPES["bowl"]
    steep = bowl(**bowl.settings["w₁² + 50 w₂²"])
    mild = bowl(**bowl.settings["x² + 10 y²"])
    for x, y in ((1.0, 1.0), (-2.0, 0.5), (3.0, -4.0)):
        assert steep.value((x, y)) == x**2 + 50 * y**2
        assert mild.value((x, y)) == x**2 + 10 * y**2


@settings(deadline=None, max_examples=40)
@given(condition=st.floats(1, 1000), rotation=st.floats(-90, 90))
def test_turning_a_bowl_leaves_its_curvatures(condition: float, rotation: float) -> None:
    turned = LANDSCAPES["bowl"](condition=condition, rotation=rotation)
    curvatures = np.linalg.eigvalsh(turned.hessian((0.3, -0.7)))
    np.testing.assert_allclose(curvatures, [2, 2 * condition], rtol=1e-9)


@settings(deadline=None, max_examples=40)
@given(rotation=st.floats(-90, 90), x=st.floats(-5, 5), y=st.floats(-5, 5))
def test_a_turned_bowl_is_the_bowl_at_the_turned_point(rotation: float, x: float, y: float) -> None:
    bowl, angle = LANDSCAPES["bowl"], math.radians(rotation)
    turned = (
        math.cos(angle) * x - math.sin(angle) * y,
        math.sin(angle) * x + math.cos(angle) * y,
    )
    assert bowl(rotation=rotation).value(turned) == pytest.approx(
        float(bowl.value((x, y))), rel=1e-9, abs=1e-9
    )


def test_saddles_bend_both_ways_and_the_monkeys_not_at_all() -> None:
    low, high = np.linalg.eigvalsh(LANDSCAPES["saddle"].hessian((0, 0)))
    assert low < 0 < high
    np.testing.assert_array_equal(LANDSCAPES["monkey_saddle"].hessian((0, 0)), np.zeros((2, 2)))


def test_values_and_derivatives_take_any_number_of_points() -> None:
    landscape = LANDSCAPES["himmelblau"]
    w = np.zeros((3, 4, 2))
    assert landscape.value(w).shape == (3, 4)
    assert landscape.gradient(w).shape == (3, 4, 2)
    assert landscape.hessian(w).shape == (3, 4, 2, 2)
    with pytest.raises(ValueError, match="two coordinates"):
        landscape.value(np.zeros((3, 4)))


def test_a_parameter_outside_its_range_is_refused_by_name() -> None:
    bowl = LANDSCAPES["bowl"]
    for bad in (0.5, 1001.0, math.nan, math.inf):
        with pytest.raises(ValueError, match="condition must lie in"):
            bowl(condition=bad)
    with pytest.raises(ValueError, match="no parameter 'depth'"):
        bowl(depth=1.0)
    assert bowl(condition=10).arguments == {"condition": 10.0, "rotation": 0.0}
    assert bowl.arguments["condition"] == 50.0, "an entry is never changed"
