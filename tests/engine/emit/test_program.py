"""Emitted source against plain evaluation of the same rule, step by step and bit by bit."""

from __future__ import annotations

import ast
import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.emit.program import Level, compile_program, literal, python_function, python_run
from engine.optimizers import OPTIMIZERS
from engine.problems.landscapes import LANDSCAPES
from engine.runs.descent import DIVERGENCE_RADIUS, PlaneOracle, kernel_of
from engine.tape import Vector
from engine.tape import operations as ops

STEPS = 60
POLYNOMIALS = ("rosenbrock", "beale", "himmelblau", "booth", "styblinski_tang", "six_hump_camel")
# Rules and conventions that need + − × ÷ √ alone, with rates that suit the polynomials.
EXACT: tuple[tuple[str, dict[str, float], dict[str, Any]], ...] = (
    ("sgd", {"lr": 1e-3}, {}),
    *(("momentum", {"lr": 1e-3}, {"form": f}) for f in ("velocity", "lr_inside", "averaged")),
    *(("nesterov", {"lr": 1e-3}, {"form": f}) for f in ("pytorch", "lookahead")),
    *(("adagrad", {"lr": 0.1}, {"epsilon": e}) for e in ("outside", "inside")),
    ("adadelta", {"lr": 1.0}, {}),
    *(("rmsprop", {"lr": 0.01}, {"centered": c}) for c in (False, True)),
)


def reference(
    slug: str, landscape: str, start: tuple[float, float], hypers: Any, options: Any
) -> np.ndarray:
    """The path by evaluating the rule itself on float64 numbers, one step after another."""
    optimizer, place = OPTIMIZERS[slug], LANDSCAPES[landscape]
    h = SimpleNamespace(**optimizer.hyper_values(hypers))
    o = SimpleNamespace(**optimizer.option_values(options))
    w = Vector(map(np.float64, start))
    state: dict[str, Any] = {
        slot.name: np.float64(0) if slot.kind == "scalar" else Vector((np.float64(0),) * 2)
        for slot in optimizer.slots(options)
    }
    path = [w]
    for t in range(1, STEPS + 1):
        oracle = PlaneOracle(place, place.arguments, np.float64(t))
        w, following = optimizer.rule(oracle, w, SimpleNamespace(**state), h, o)
        state = {name: following[name] for name in state}
        path.append(w)
    return np.array(path)


def emitted(
    run: Any, plan: Any, slug: str, landscape: str, start: tuple[float, float], hypers: Any
) -> np.ndarray:
    """The path by an emitted function, whatever made it."""
    scalars = [
        *start,
        *[0.0] * len(plan.carried),
        *OPTIMIZERS[slug].hyper_values(hypers).values(),
        *LANDSCAPES[landscape].arguments.values(),
    ]
    columns = [np.full(STEPS + 1, x) for x in start]
    assert run(STEPS, DIVERGENCE_RADIUS, *map(np.float64, scalars), *columns) == -1
    return np.stack(columns, axis=-1)


@pytest.mark.parametrize("landscape", POLYNOMIALS)
@pytest.mark.parametrize(("slug", "hypers", "options"), EXACT)
def test_the_loop_is_the_rule_bit_by_bit(
    slug: str, hypers: dict[str, float], options: dict[str, Any], landscape: str
) -> None:
    start = LANDSCAPES[landscape].start
    plan, kernel = kernel_of(LANDSCAPES[landscape], OPTIMIZERS[slug], options)
    expected = reference(slug, landscape, start, hypers, options)
    for run in (kernel.plain, kernel.forgiving):
        path = emitted(run, plan, slug, landscape, start, hypers)
        np.testing.assert_array_equal(path, expected)


@pytest.mark.parametrize(("slug", "landscape"), [("momentum", "rosenbrock"), ("rmsprop", "beale")])
def test_the_compiled_loop_is_the_rule_bit_by_bit(slug: str, landscape: str) -> None:
    hypers, start = {"lr": 1e-3}, LANDSCAPES[landscape].start
    plan, kernel = kernel_of(LANDSCAPES[landscape], OPTIMIZERS[slug])
    kernel.compile()
    path = emitted(kernel.compiled, plan, slug, landscape, start, hypers)
    np.testing.assert_array_equal(path, reference(slug, landscape, start, hypers, {}))


@pytest.mark.parametrize("slug", ["adam", "adamw", "adam_l2", "amsgrad", "qhadam"])
def test_running_powers_stay_within_rounding_of_powers(slug: str) -> None:
    """βᵗ is carried as a product; t roundings of ε/2 are the most that can part them."""
    start = LANDSCAPES["beale"].start
    plan, kernel = kernel_of(LANDSCAPES["beale"], OPTIMIZERS[slug])
    path = emitted(kernel.plain, plan, slug, "beale", start, {"lr": 0.01})
    np.testing.assert_allclose(
        path, reference(slug, "beale", start, {"lr": 0.01}, {}), rtol=1e-12, atol=1e-12
    )


def test_what_never_changes_is_computed_once() -> None:
    """A turned bowl's sine and cosine, and Adam's powers, leave the loop."""
    _, kernel = kernel_of(LANDSCAPES["bowl"], OPTIMIZERS["adam"])
    before, loop = kernel.source.split("for k in range(steps):")
    assert before.count("cos(") == before.count("sin(") == 1
    assert "cos(" not in loop
    assert "sin(" not in loop
    assert "**" not in loop


def test_the_same_expression_is_written_once_and_dead_code_not_at_all() -> None:
    def step(x: Any, y: Any) -> dict[str, Any]:
        ops.exp(y)  # nobody asks for it
        return {"x": ops.sqrt(x * y) + ops.sqrt(x * y)}

    program = compile_program(step, {"x": Level.BOTH, "y": Level.CELL})
    assert [line.operation for line in program.lines] == ["multiply", "sqrt", "add"]


def test_whole_powers_are_products() -> None:
    program = compile_program(lambda x: {"x": x**4 + x**-2}, {"x": Level.BOTH})
    assert {line.operation for line in program.lines} == {"multiply", "divide", "add"}
    # 2 squarings for x⁴, whose first serves x⁻² too.
    assert program.count("multiply") == 2


def test_a_program_names_what_lives_where() -> None:
    def step(x: Any, lr: Any, b: Any, t: Any) -> dict[str, Any]:
        return {"x": x - (lr * lr) * b**t}

    levels = {"x": Level.BOTH, "lr": Level.CONSTANT, "b": Level.CELL, "t": Level.STEP}
    program = compile_program(step, levels)
    assert list(program.products.values()) == [("b", Level.CELL)]
    assert [line.level for line in program.lines] == [Level.CONSTANT, Level.BOTH, Level.BOTH]


def test_the_printed_loop_stops_where_the_point_leaves() -> None:
    program = compile_program(lambda x: {"x": 3.0 * x}, {"x": Level.BOTH})
    run = python_function(python_run(program, ["x"], {}, [], []))
    path = [1.0] * 6
    assert run(5, 10.0, 1.0, path) == 3
    assert path == [1.0, 3.0, 9.0, 1.0, 1.0, 1.0]
    assert run(2, 10.0, 1.0, path) == -1


def test_math_raises_where_numpy_gives_infinity() -> None:
    program = compile_program(lambda x: {"x": ops.exp(x)}, {"x": Level.BOTH})
    source = python_run(program, ["x"], {}, [], [])
    with pytest.raises(OverflowError):
        python_function(source)(9, math.inf, 9.0, [0.0] * 10)
    with np.errstate(over="ignore"):
        quiet = python_function(source, forgiving=True)
        assert quiet(9, 1e300, np.float64(9.0), [0.0] * 10) == 2


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_literal_reads_back_as_the_same_number(x: float) -> None:
    assert ast.literal_eval(literal(x)).hex() == x.hex()


@pytest.mark.parametrize("x", [math.inf, -math.inf, math.nan])
def test_a_constant_that_is_not_finite_is_refused(x: float) -> None:
    with pytest.raises(ValueError, match="not finite"):
        literal(x)
