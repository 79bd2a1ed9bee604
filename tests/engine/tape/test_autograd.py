"""Derivatives against PyTorch, JAX, HIPS autograd, each other, and the numbers of the course."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.derivatives.numerical import (
    EPSILON,
    central_difference,
    check_grads,
    compare,
    complex_step,
    forward_difference,
    reference_gradient,
)
from engine.problems.formula import parse
from engine.tape import Vector, autograd
from engine.tape import operations as ops
from tests.golden.functions import FUNCTIONS

GOLDEN = np.load(Path(__file__).parents[2] / "golden" / "autograd.npz")
ENGINE = SimpleNamespace(
    **{
        name: getattr(ops, name)
        for name in ("exp", "log", "sqrt", "sin", "cos", "tan", "tanh", "maximum", "where", "sum",
                     "mean", "sigmoid", "relu", "softplus", "logsumexp")
    },
    abs=ops.absolute,
    array=lambda x: x,
    reshape=lambda x, shape: ops.reshape(x, shape=shape),
)  # fmt: skip
ENGINE.sum = lambda x, axis=None: ops.sum(x, axis=axis)
ENGINE.logsumexp = lambda x, axis: ops.logsumexp(x, axis=axis)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_and_gradients_are_those_of_pytorch(name: str) -> None:
    f, args = FUNCTIONS[name]
    every = tuple(range(len(args)))
    value, gradients = autograd.value_and_grad(lambda *a: f(ENGINE, *a), every)(*args)
    assert float(value) == pytest.approx(float(GOLDEN[f"{name}.value"]), rel=1e-13)
    for i, gradient in enumerate(gradients):
        np.testing.assert_allclose(gradient, GOLDEN[f"{name}.grad{i}"], rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_second_derivatives_are_those_of_jax(name: str) -> None:
    f, args = FUNCTIONS[name]
    matrix = autograd.hessian(lambda a: f(ENGINE, a, *args[1:]))(args[0])
    np.testing.assert_allclose(matrix, GOLDEN[f"{name}.hessian"], rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_both_modes_to_second_order(name: str) -> None:
    f, args = FUNCTIONS[name]
    check_grads(lambda *a: f(ENGINE, *a), *args, rtol=1e-5)


def test_the_graph_of_the_course() -> None:
    # Curriculum C2: f = (x + y) sin x at (π/4, 1).
    tape, f = autograd.trace(lambda x, y: (x + y) * ops.sin(x), math.pi / 4, 1.0)
    x, y, a, b, _ = tape.nodes
    adjoints = autograd.backward(f)
    rounded = [round(float(v.data), 3) for v in (a, b, f)]
    assert rounded == [1.785, 0.707, 1.262]
    assert round(adjoints[a.index], 3) == 0.707
    assert round(adjoints[b.index], 3) == 1.785
    assert round(adjoints[x.index], 4) == 1.9696
    assert round(adjoints[y.index], 3) == 0.707
    tangents = autograd.forward(tape, {x.index: 1.0})
    assert tangents[f.index] == pytest.approx(adjoints[x.index], rel=1e-15)


def test_one_backward_pass_gives_both_gradients() -> None:
    # Curriculum C4: L = (w1 x + w2 − y)², ∂L/∂w1 = 2(w1 x + w2 − y) x, ∂L/∂w2 = 2(w1 x + w2 − y).
    loss = autograd.grad(lambda w1, w2: (w1 * 3.0 + w2 - 2.0) ** 2, (0, 1))
    assert loss(0.5, -0.25) == (2 * -0.75 * 3.0, 2 * -0.75)


def test_derivatives_nest_without_confusion() -> None:
    # d/dx (x · d/dy (x y²) at y = 3) = d/dx 6x² = 12x: a level taken for another would give 6x.
    def outer(x: Any) -> Any:
        return x * autograd.grad(lambda y: x * y * y)(3.0)

    assert autograd.grad(outer)(2.0) == 24.0
    assert autograd.jvp(outer, (2.0,), (1.0,))[1] == 24.0
    third = autograd.grad(autograd.grad(autograd.grad(lambda x: ops.exp(2.0 * x))))
    assert third(0.5) == pytest.approx(8 * math.e, rel=1e-14)


def test_a_function_that_ignores_its_input_has_gradient_zero() -> None:
    np.testing.assert_array_equal(autograd.grad(lambda x: 3.0)(np.ones(4)), np.zeros(4))
    assert autograd.grad(lambda x, y: y * 1.0, (0, 1))(1.0, 2.0) == (0.0, 1.0)
    assert autograd.jvp(lambda x: 3.0, (1.0,), (1.0,)) == (3.0, 0.0)
    value, pull = autograd.vjp(lambda x: 3.0, np.ones(2))
    assert value == 3.0
    np.testing.assert_array_equal(pull(1.0)[0], np.zeros(2))


def test_gradients_of_cells_are_each_cells_own() -> None:
    x, y = np.meshgrid(np.linspace(-2, 2, 5), np.linspace(0.5, 3, 4))
    gradient = autograd.grad(lambda w: w[0] ** 2 * w[1] + ops.sin(w[0]))(Vector((x, y)))
    np.testing.assert_allclose(gradient[0], 2 * x * y + np.cos(x), rtol=1e-15, atol=1e-15)
    np.testing.assert_allclose(gradient[1], x**2, rtol=1e-15)


def test_a_hessian_of_a_vector_is_rows_of_cells() -> None:
    x, y = np.array([1.0, 2.0]), np.array([3.0, -1.0])
    rows = autograd.hessian(lambda w: w[0] ** 2 * w[1])(Vector((x, y)))
    np.testing.assert_array_equal(np.broadcast_to(rows[0][0], 2), 2 * y)
    np.testing.assert_array_equal(rows[0][1], 2 * x)
    np.testing.assert_array_equal(rows[1][0], 2 * x)
    np.testing.assert_array_equal(rows[1][1], [0.0, 0.0])


# Random formulas ---------------------------------------------------------------------------------

_unary = ("sin({})", "cos({})", "tanh({})", "sigmoid({})", "softplus({})", "exp(-abs({}))",
          "sqrt(1 + {0}*{0})", "log(2 + {0}*{0})", "(-{})", "relu({})", "({})**2", "({})**3",
          "clip({}, -1.25, 1.75)")  # fmt: skip
_binary = ("({} + {})", "({} - {})", "{} * {}", "{0} / (1.5 + {1}*{1})", "max({}, {})",
           "min({}, {})", "where({0} < {1}, {1}, sin({0}))", "(1.5 + cos({0}))**{1}")  # fmt: skip
formulas = st.recursive(
    st.sampled_from(("x", "y", "0.7", "2", "pi")),
    lambda inner: st.one_of(
        st.builds(lambda form, a: form.format(a), st.sampled_from(_unary), inner),
        st.builds(lambda form, a, b: form.format(a, b), st.sampled_from(_binary), inner, inner),
    ),
    max_leaves=9,
)
coordinates = st.floats(-2.0, 2.0).map(lambda v: round(v, 6) + 1e-7 * math.pi)


@settings(max_examples=300, deadline=None)
@given(formulas, coordinates, coordinates)
def test_reverse_is_forward_is_the_complex_step(text: str, x: float, y: float) -> None:
    try:
        formula = parse(text)
    except ValueError:
        return  # too long or too deep, or a constant that overflows
    point = (x, y)

    def f(x: Any, y: Any) -> Any:
        return ops.add(formula(x=x, y=y), ops.multiply(0.0, x))  # a formula may be a constant

    with np.errstate(all="ignore"):
        reverse = autograd.grad(f, (0, 1))(*point)
        forward = [autograd.jvp(f, point, t)[1] for t in ((1.0, 0.0), (0.0, 1.0))]
    if not all(abs(v) < 1e100 for v in (*reverse, *forward)):
        return  # past what doubles hold, each route fails in its own way
    np.testing.assert_allclose(forward, reverse, rtol=1e-9, atol=1e-12)
    # A difference of equals (cos − cos) leaves round-off of the size of the parts.
    np.testing.assert_allclose(complex_step(f, point), reverse, rtol=1e-7, atol=1e-9)


# Numerical derivatives ---------------------------------------------------------------------------


def smooth(x: Any, y: Any) -> Any:
    return ops.exp(x) * ops.sin(y) / (1.0 + x * x)


def test_the_reference_has_every_digit() -> None:
    x, y = 0.4, 1.1
    slope = math.exp(x) * math.sin(y) * ((1 + x * x) - 2 * x) / (1 + x * x) ** 2
    exact = (slope, math.exp(x) * math.cos(y) / (1 + x * x))
    np.testing.assert_allclose(reference_gradient(smooth, (x, y)), exact, rtol=4 * EPSILON)


def test_differences_err_as_theory_says() -> None:
    at = (0.4, 1.1)
    exact = reference_gradient(smooth, at)
    errors = {
        "forward": np.abs(forward_difference(smooth, at) - exact).max(),
        "central": np.abs(central_difference(smooth, at) - exact).max(),
        "complex": np.abs(complex_step(smooth, at) - exact).max(),
    }
    assert 1e-10 < errors["forward"] < 1e-7  # √ε
    assert 1e-13 < errors["central"] < 1e-9  # ε^(2/3)
    assert errors["complex"] < 1e-15
    # Truncation: h → h/10 divides the error by 10 and by 100.
    for difference, order in ((forward_difference, 1), (central_difference, 2)):
        big, small = (np.abs(difference(smooth, at, h) - exact).max() for h in (1e-2, 1e-3))
        assert big / small == pytest.approx(10**order, rel=0.1)


def test_the_complex_step_passes_kinks_by_the_real_part() -> None:
    def kinks(x: Any) -> Any:
        return ops.absolute(x) + ops.relu(-x) + ops.where(x < 0.0, x * x, 7.0) + ops.log1p(-x / 4)

    assert complex_step(kinks, (-1.5,))[0] == pytest.approx(-1 - 1 - 3 - 1 / 5.5, rel=1e-14)
    with pytest.raises(ValueError, match="logsumexp is not defined"):
        complex_step(lambda x: ops.logsumexp(x), (1.0,))


def test_compare_finds_the_wrong_entry() -> None:
    at = np.array([[0.3, -2.0], [1.5, 0.0]])

    def wrong(w: Any) -> Any:
        gradient = 3.0 * w**2
        gradient[1, 0] *= 1.01
        return gradient

    found = compare(lambda w: np.sum(w**3), wrong, at)
    assert found.error[1, 0] == pytest.approx(0.01, rel=0.05)
    assert found.error[0].max() < 1e-8
    assert found.error.shape == at.shape


def test_signs_that_python_would_answer_itself_are_refused() -> None:
    for told_apart in (lambda x: x == 2.0, lambda x: x != 2.0, lambda x: np.ones(2) == x):
        with pytest.raises(TypeError, match="compared by `equal`"):
            autograd.grad(told_apart)(2.0)
    with pytest.raises(TypeError, match="choose with `where`"):
        autograd.grad(lambda x: x if x > 0.0 else -x)(2.0)
