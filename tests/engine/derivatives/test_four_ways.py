"""Four routes to one derivative: known values, theory of the errors, costs, refusals."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import pytest

from engine.derivatives import four_ways
from engine.derivatives.four_ways import STEPS, Exact, errors, read, study, swell, symbolic
from engine.derivatives.numerical import BEST_CENTRAL_STEP, BEST_FORWARD_STEP, EPSILON
from engine.emit.picture import Picture
from engine.limits import COMPOSED_OPERATIONS, COMPOSITIONS, PRINTED_OPERATIONS
from engine.problems.formula import FormulaError
from engine.tape import autograd

ROUTES = (
    "symbolic", "forward difference", "central difference", "complex step", "forward mode",
    "reverse mode",
)  # fmt: skip
COURSE = "(x + y)*sin(x)"


def values(text: str, x: float, y: float = 1.0, wrt: str = "x", h: float = 1e-6) -> dict[str, Any]:
    return {a.route: a.value for a in study(text, (x, y), wrt, h).answers}


def exact(text: str, x: float, y: float = 1.0) -> Exact:
    return study(text, (x, y), "x", 1e-6).exact


@pytest.mark.parametrize(("wrt", "slope"), [("x", 1.9696), ("y", 0.7071)])
def test_the_course(wrt: str, slope: float) -> None:
    """The course's graph (x + y)·sin x at (π/4, 1)."""
    found = values(COURSE, math.pi / 4, wrt=wrt)
    assert tuple(found) == ROUTES
    assert all(round(value, 4) == slope for value in found.values())


def test_the_example_of_the_complex_step() -> None:
    """Martins, Sturdza & Alonso, ACM TOMS 29 (2003) 245, section 2: 4.05342789389862 at 1.5."""
    result = study("exp(x)/sqrt(sin(x)**3 + cos(x)**3)", (1.5, 0.0), "x", 1e-12)
    for route in ("symbolic", "complex step", "forward mode", "reverse mode"):
        assert result.answer(route).value == pytest.approx(4.05342789389862, rel=2e-15)
        assert result.answer(route).error < 1e-15
    assert result.answer("central difference").error > 1e-6  # h is far too small for it


def test_fifty_digits() -> None:
    """e, from OEIS A001113."""
    assert exact("exp(x)", 1.0).digits.startswith("2.718281828459045235360287471352662497757247093")
    found = exact("sin(x)", 0.5)
    assert (found.slope, found.second, found.third) == pytest.approx(
        (math.cos(0.5), -math.sin(0.5), -math.cos(0.5)), rel=1e-15
    )
    # One double holds the slope to half a unit in its last place, and `rest` the rest of it.
    assert 0 < abs(found.rest) < EPSILON / 2


@pytest.mark.parametrize("text", ["x**2", "x**3", "x**7", "sin(x)**2 + cos(x)**2", "x - x"])
def test_a_slope_of_nothing_is_nothing(text: str) -> None:
    found = study(text, (0.0, 0.0), "x", 1e-3)
    assert found.exact.slope == found.exact.rest == 0
    assert found.answer("reverse mode").error == 0


SMOOTH = (
    "sin(x**2)*exp(-x/2)", "x**x", "tanh(x*y) + log(1 + x**2)", "sqrt(x)/(1 + y**2*x)", "tan(x/3)",
    "sigmoid(3*x - y)*softplus(x)", "x**2.5 - abs(x - 9)", "max(x, y/9)*min(x**2, 9) + relu(x)",
    "where(x > y, x*x, exp(x))", "clip(x, -9, 9)**3 * pi", "sign(x)*x**3",
)  # fmt: skip


@pytest.mark.parametrize("text", SMOOTH)
@pytest.mark.parametrize("x", [0.7, 2.3])
def test_routes_agree(text: str, x: float) -> None:
    found = study(text, (x, 1.3), "x", 1e-5)
    assert not found.exact.trouble
    for route in ("symbolic", "forward mode", "reverse mode"):
        assert found.answer(route).error < 1e-14, route
    assert found.answer("forward difference").error < 1e-3
    assert found.answer("central difference").error < 1e-8
    assert found.answer("complex step").error < 1e-8


@pytest.mark.parametrize(
    ("text", "x", "said"),
    [
        ("abs(x)", 0, "slope -1 on its left and 1 on its right"),
        ("relu(x)", 0, "kink"),
        ("max(x, y)", 1, "slope 0 on its left"),
        ("sign(x)", 0, "jumps"),
        ("tan(pi/2*x)", 1, "jumps or stands upright"),
        ("sqrt(x)", 0, "not defined all around"),
        ("log(x)", -1, "no finite value"),
        ("1/x", 0, "no finite value"),
        ("exp(exp(exp(x)))", 6, "no finite value"),
        ("where(x < 9, x, exp(exp(x)))", 7, "too large"),
    ],
)
def test_no_derivative_is_said_so(text: str, x: float, said: str) -> None:
    found = study(text, (x, 1.0), "x", 1e-3)
    assert said in found.exact.trouble
    assert all(math.isnan(answer.error) for answer in found.answers)
    assert errors(text, (x, 1.0), "x") is None


def test_lost_digits_show_in_every_route() -> None:
    """1 − cos x keeps nothing of x² near 0, whoever differentiates it."""
    found = study("(1 - cos(x))/x**2", (1e-4, 0.0), "x", 1e-5)
    assert found.exact.slope == pytest.approx(-1e-4 / 12, rel=1e-6)
    assert all(found.answer(r).error > 0.1 for r in ("symbolic", "forward mode", "reverse mode"))


def test_costs() -> None:
    """(x + y)·sin x has 3 operations; each way's count by hand."""
    found = study(COURSE, (0.5, 1.0), "x", 1e-3)
    assert found.operations == 3
    # Forward along x: those 3, cos x, a product for the sine's tangent, two and a sum for ×'s.
    # Along y the sine stands still: those 3 and one product.
    cost = {a.route: (a.operations, a.whole) for a in found.answers}
    assert cost["symbolic"] == (5, 6)  # (x + y)·cos x + sin x, and sin x
    assert cost["forward difference"] == (2 * 3 + 3, 3 * 3 + 2 * 3)
    assert cost["central difference"] == (2 * 3 + 5, 2 * (2 * 3 + 5))
    assert cost["forward mode"] == (8, 8 + 4)
    assert cost["reverse mode"] == (8, 8)  # one sweep back gives both


def test_errors_follow_theory() -> None:
    found = errors(COURSE, (0.8, 1.0), "x")
    assert found is not None

    def slope(values: Any, low: float, high: float) -> float:
        part = (low <= STEPS) & (high >= STEPS)
        return float(np.polyfit(np.log(STEPS[part]), np.log(values[part]), 1)[0])

    assert slope(found.forward, 1e-6, 1e-3) == pytest.approx(1, abs=0.02)
    assert slope(found.central, 1e-4, 1e-1) == pytest.approx(2, abs=0.02)
    assert slope(found.forward, 1e-15, 1e-10) == pytest.approx(-1, abs=0.2)
    assert slope(found.central, 1e-15, 1e-8) == pytest.approx(-1, abs=0.2)
    small = STEPS < 1e-3
    for values, truncation in (
        (found.forward, found.first_order),
        (found.central, found.second_order),
    ):
        assert (values[small] < 4 * (truncation + found.round_off)[small]).all()
    assert found.complex[STEPS[::2] < 1e-9].max() < 4 * EPSILON
    # The least errors lie near √ε and ε^(1/3), to within a decade.
    for values, best in (
        (found.forward, BEST_FORWARD_STEP),
        (found.central, BEST_CENTRAL_STEP),
    ):
        assert 0.1 < STEPS[np.argmin(values)] / best < 10
    assert 0.1 < found.best_central / BEST_CENTRAL_STEP < 10


def test_digits_that_agree_are_lost() -> None:
    assert study("x + 1000", (0.0, 0.0), "x", 1e-3).agreeing_digits == pytest.approx(5.7, abs=0.1)
    assert study("x*0 + 3", (0.5, 0.0), "x", 1e-3).agreeing_digits == 16


def test_swell_of_the_logistic_map() -> None:
    """f(u) = (4·u)·(1 − u) has 3 operations on a leaf and writes u twice. Its derivative,
    4·u′·(1 − u) + (−u′)·(4·u), has 7 and writes u and u′ twice; where u′ = 1, two are constants."""
    found = swell()
    sizes, slopes = [0], [0]
    for n in range(COMPOSITIONS):
        slopes.append((5 if n == 0 else 7 + 2 * slopes[-1]) + 2 * sizes[-1])
        sizes.append(3 + 2 * sizes[-1])
    assert list(found.unrolled) == slopes[1:]
    assert list(found.function) == [3 * n for n in range(1, 9)]
    assert set(np.diff(found.forward)) == {8}
    assert set(np.diff(found.reverse)) == {8}
    # By hand: 4(1 − x) − 4x; its composition once more, with u = 4x(1 − x) written four times.
    assert found.tidied[:2] == (4, 21)
    assert set(np.diff(found.shared)) == {8}  # each composition adds as much as on the tape
    assert all(np.array(found.tidied) < np.array(found.unrolled))


@pytest.mark.parametrize(
    ("text", "slope"),
    [
        # Baydin et al. (2018), table 1: the derivatives of l₂ and l₃ of the logistic map.
        ("4*x*(1-x)", lambda x: 4 * (1 - x) - 4 * x),
        (
            "4*(4*x*(1-x))*(1-4*x*(1-x))",
            lambda x: (
                16 * (1 - x) * (1 - 2 * x) ** 2
                - 16 * x * (1 - 2 * x) ** 2
                - 64 * x * (1 - x) * (1 - 2 * x)
            ),
        ),
    ],
)
def test_the_logistic_map_of_the_survey(text: str, slope: Any) -> None:
    for x in (0.1, 0.2, 0.77):
        for route in ("symbolic", "forward mode", "reverse mode"):
            assert values(text, x)[route] == pytest.approx(slope(x), rel=1e-13)


@pytest.mark.parametrize(
    "text",
    [
        "max(" + ", ".join(f"x*{i} + x**{i}" for i in range(1, 8)) + ")",
        "clip(clip(clip(clip(sin(x), -x, x), x-1, x**2), 0, cos(x)), 0, x)",
        "min(max(sin(x), cos(x)), max(x, exp(x), x**3), sigmoid(x))*max(min(x, 2), min(x**2, 3))",
        "sigmoid(" * 32 + "x" + ")" * 32,
        "1/(1+exp(-(" * 8 + "x" + ")))" * 8,
        "where(y<max(x,-64),log(x-y),tanh(y)-y)",
        "(1-x/(1-x/(x+1)))",
        "*".join(f"(x-{n})" for n in range(1, 26)),
    ],
)
def test_no_formula_holds_the_symbolic_route_up(text: str) -> None:
    begun = time.thread_time()
    answer = symbolic(text, "x")
    grown = swell(text, "x")
    assert time.thread_time() - begun < 5.0  # of the processor, which take 0.4 s undisturbed
    assert len(answer.latex) < 4000
    assert sum((*grown.forward[:-1], *grown.reverse[:-1])) <= COMPOSED_OPERATIONS
    names = four_ways.inputs_of(read(text))
    f = read(text)
    for x in (0.35, 1.7):
        at = [np.float64(v) for v in (x, -0.6)[: len(names)]]
        slope = autograd.grad(lambda *v: f(**dict(zip(names, v, strict=True))))(*at)
        assert float(answer(*at)) == pytest.approx(float(slope), rel=1e-12)


def test_a_long_derivative_is_counted_and_not_written() -> None:
    long = symbolic("*".join(f"(x-{n})" for n in range(1, 14)), "x")
    assert long.operations > PRINTED_OPERATIONS
    assert long.latex == ""


def test_a_traced_study_is_the_same_study() -> None:
    """What follows a hand agrees with what stands at rest, and moves on its own."""
    picture = Picture({"x": math.pi / 4, "y": 1.0, "h": 0.5})
    at = (picture["x"], picture["y"])
    point = (math.pi / 4, 1.0)
    still, exact = study(COURSE, point, "x", 0.5), four_ways.exact_slope(COURSE, point, "x")
    moving = four_ways.traced(COURSE, at, "x", picture["h"], exact)
    assert float(moving.slope.data) == still.answer("forward mode").value
    assert (float(moving.below.data), float(moving.above.data)) == still.ends
    found = errors(COURSE, point, "x")
    assert found is not None
    np.testing.assert_array_equal(moving.central_errors.data, found.central)
    np.testing.assert_array_equal(moving.forward_errors.data, found.forward)
    assert moving.lens.data[0] == pytest.approx(
        ((point[0] - 1 + 1) * math.sin(point[0] - 1) - 1.2624671484563432) / 0.5
    )


def test_an_input_that_is_not_there() -> None:
    found = study("y**2", (5.0, 3.0), "x", 1e-3)
    assert (found.names, found.wrt, found.at) == (("y",), "y", 3.0)
    assert found.answer("reverse mode").value == 6


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1 + 2", "depend on x or y"),
        ("x + z", "z is not known"),
        ("+".join(["(" + "+".join(["x*x"] * 10) + ")"] * 7), "139 operations; at most 120"),
    ],
)
def test_a_formula_is_refused(text: str, said: str) -> None:
    with pytest.raises(FormulaError, match=said):
        read(text)


def test_a_curve_leaves_poles_open() -> None:
    line = four_ways.curve("1/x", (1.0, 0.0), "x", 4.0)
    low, high = line.window
    assert low < 1 < high < 50
    assert np.isnan(line.y[240])  # x = 0
    assert np.nanmax(np.abs(line.y)) < 3 * (high - low)
    nowhere = four_ways.curve("log(-x*x - 1)", (1.0, 0.0), "x", 4.0)
    assert np.isnan(nowhere.y).all()
    assert nowhere.window == (-1.0, 1.0)
