"""Printed loops against plain evaluation of the same rule, step by step and bit by bit."""

from __future__ import annotations

import ast
import math
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.emit.cells import block_source, cuda_source, lanes_source
from engine.emit.dialect import CUDA, JAVASCRIPT, PYTHON
from engine.emit.program import Carried, Level, Loop, compile_program
from engine.emit.scalar import Kernel, python_source
from engine.optimizers import OPTIMIZERS
from engine.optimizers.typed import optimizer
from engine.problems.landscapes import LANDSCAPES
from engine.runs.descent import descend, kernel_of
from engine.runs.step import first_state, take_step
from engine.runs.tracing import PlaneOracle, landscape_loop
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


def reference(slug: str, landscape: str, hypers: Any, options: Any) -> np.ndarray:
    """The path by evaluating the rule itself on float64 numbers, one step after another."""
    rule, place = OPTIMIZERS[slug], LANDSCAPES[landscape]
    values, chosen = rule.hyper_values(hypers), rule.option_values(options)
    w = Vector(map(np.float64, place.start))
    state = first_state(rule.slots(chosen), w)
    path = [w]
    for t in range(1, STEPS + 1):
        oracle = PlaneOracle(place, place.arguments, np.float64(t))
        w, state = take_step(rule, oracle, w, state, values, chosen)
        path.append(w)
    return np.array(path)


@pytest.mark.parametrize("landscape", POLYNOMIALS)
@pytest.mark.parametrize(("slug", "hypers", "options"), EXACT)
def test_the_loop_is_the_rule_bit_by_bit(
    slug: str, hypers: dict[str, float], options: dict[str, Any], landscape: str
) -> None:
    start = LANDSCAPES[landscape].start
    run = descend(landscape, slug, start, STEPS, hypers, options=options)
    np.testing.assert_array_equal(run.path, reference(slug, landscape, hypers, options))


@pytest.mark.parametrize("slug", ["adam", "adamw", "adam_l2", "amsgrad", "qhadam"])
def test_running_powers_stay_within_rounding_of_powers(slug: str) -> None:
    """βᵗ is carried as a product; t roundings of ε/2 are the most that can part them."""
    run = descend("beale", slug, LANDSCAPES["beale"].start, STEPS, {"lr": 0.01})
    expected = reference(slug, "beale", {"lr": 0.01}, {})
    np.testing.assert_allclose(run.path, expected, rtol=1e-12, atol=1e-12)


def test_what_never_changes_is_computed_once() -> None:
    """A turned bowl's sine and cosine, and Adam's powers, leave the loop."""
    kernel = kernel_of(LANDSCAPES["bowl"], OPTIMIZERS["adam"])
    before, loop = kernel.source.split("for k in range(k, steps):")
    assert before.count("cos(") == before.count("sin(") == 1
    assert "cos(" not in loop
    assert "sin(" not in loop
    assert "pow" not in loop


def test_the_same_expression_is_written_once_and_dead_code_not_at_all() -> None:
    def step(at: Any) -> dict[str, Any]:
        x, y = at["x"], at["y"]
        ops.exp(y)  # nobody asks for it
        return {"x": ops.sqrt(x * y) + ops.sqrt(x * y)}

    program = compile_program(step, {"x": Level.BOTH, "y": Level.CELL})
    assert [line.operation for line in program.lines] == ["multiply", "sqrt", "add"]


def test_whole_powers_are_products() -> None:
    program = compile_program(lambda at: {"x": at["x"] ** 4 + at["x"] ** -2}, {"x": Level.BOTH})
    assert {line.operation for line in program.lines} == {"multiply", "divide", "add"}
    # 2 squarings for x⁴, whose first serves x⁻² too.
    assert program.count("multiply") == 2


def test_what_holds_no_input_is_worked_out_at_once() -> None:
    def step(at: Any) -> dict[str, Any]:
        x = at["x"]
        zero = 0.0 * ops.integer_power(x, exponent=0)
        return {"never": x + ops.divide(1.0, zero), "chosen": ops.where(zero > 1.0, x * x, x)}

    program = compile_program(step, {"x": Level.BOTH})
    assert [(x.operation, x.arguments) for x in program.lines] == [("add", ("x0", math.inf))]
    assert program.outputs["chosen"] == "x0"


def test_zeros_of_either_sign_are_told_apart() -> None:
    program = compile_program(
        lambda at: {"up": ops.divide(at["x"], 0.0), "down": ops.divide(at["x"], -0.0)},
        {"x": Level.BOTH},
    )
    assert len(program.lines) == 2


def test_a_program_names_what_lives_where() -> None:
    def step(at: Any) -> dict[str, Any]:
        return {"x": at["x"] - (at["lr"] * at["lr"]) * at["b"] ** at["t"]}

    levels = {"x": Level.BOTH, "lr": Level.CONSTANT, "b": Level.CELL, "t": Level.STEP}
    program = compile_program(step, levels, step="t")
    assert [(p.level, p.start) for p in program.powers] == [(Level.BOTH, 1.0)]
    assert [line.level for line in program.lines] == [
        Level.CONSTANT, Level.BOTH, Level.BOTH, Level.BOTH,
    ]  # fmt: skip


def test_an_operation_on_arrays_is_refused() -> None:
    def step(at: Any) -> dict[str, Any]:
        at["x"].data = np.ones(3)
        return {"y": ops.softmax(at["x"])}

    with pytest.raises(ValueError, match="softmax cannot be printed"):
        compile_program(step, {"x": Level.BOTH})


def _times(factor: float) -> Loop:
    program = compile_program(lambda at: {"x": factor * at["x"]}, {"x": Level.BOTH})
    x = program.inputs["x"]
    return Loop(program, (Carried(x, x, program.outputs["x"]),), (), {}, {}, {})


def test_the_printed_loop_stops_where_the_point_leaves() -> None:
    kernel = Kernel(_times(3.0))
    run = kernel.run(5, 10.0, [1.0], [], [])
    assert run.stopped == 3
    assert run.path[:, 0].tolist() == [1.0, 3.0, 9.0, 9.0, 9.0, 9.0]
    assert kernel.run(2, 10.0, [1.0], [], []).stopped is None


def test_where_python_would_raise_a_run_goes_on_as_ieee_says() -> None:
    def step(at: Any) -> dict[str, Any]:
        x = at["x"]
        # At x = 3: exp(1000), log(−1), 1/0 and √−1 beside what is chosen.
        odd = ops.exp(1000.0 * (x - 2.0)) + ops.log(2.0 - x) + 1.0 / (x - 3.0) + ops.sqrt(2.0 - x)
        return {"x": ops.where(x < 100.0, x + 1.0, odd), "odd": odd}

    program = compile_program(step, {"x": Level.BOTH})
    x = program.inputs["x"]
    loop = Loop(program, (Carried(x, x, program.outputs["x"]),), (), {}, {}, {})
    run = Kernel(loop).run(20, 1e4, [0.0], [], [])
    assert run.path[:, 0].tolist() == list(range(21))


def test_no_name_of_a_rule_stands_in_printed_text() -> None:
    """Only the printer's own names, the operations' and the words of the language."""
    hostile = optimizer(
        "await_1 = let*await_1 + g\nw = w - eval*await_1/(steps + arguments*constructor)"
    )
    loop = landscape_loop(LANDSCAPES["rosenbrock"], hostile, {}, recorded=True)
    for text in (
        python_source(loop), lanes_source(loop), block_source(loop), cuda_source(loop, "double")
    ):  # fmt: skip
        named = set(re.findall(r"[^\W\d]\w*", text))
        assert not {"await_1", "let", "eval", "arguments", "constructor"} & named


@given(st.floats())
def test_a_number_reads_back_as_the_same_number(x: float) -> None:
    scope = {"inf": math.inf, "nan": math.nan}
    assert repr(eval(PYTHON.atom(x), scope)) == repr(x)
    assert JAVASCRIPT.atom(x) == PYTHON.atom(x).replace("inf", "Infinity").replace("nan", "NaN")
    if math.isfinite(x):
        assert ast.literal_eval(CUDA.atom(x).removeprefix("real")).hex() == x.hex()
