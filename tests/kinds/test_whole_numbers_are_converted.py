"""Derivatives of arrays of whole numbers.

What it stands for: the arithmetic of uint8 wraps around without a word (200² is 64), and whoever
differentiates through it gets a gradient of something else. torch refuses such arrays
(pytorch/pytorch#37680, #53466), deeplift and NumPy's own `gradient` convert them
(kundajelab/deeplift#24, numpy/numpy#15246), as does this engine: to float64. Right values: by hand.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.tape import Vector, autograd
from engine.tape import operations as ops

KINDS = [np.uint8, np.int8, np.int16, np.uint32, np.int64, bool]


def cube(x: Any) -> Any:
    return ops.sum(x * x * x)


@pytest.mark.parametrize("kind", KINDS)
def test_arrays_are_converted(kind: Any) -> None:
    x = np.array([100, 1, 0]).astype(kind)
    exact = x.astype(float)
    value, gradient = autograd.value_and_grad(cube)(x)
    assert value == (exact**3).sum()
    np.testing.assert_array_equal(gradient, 3 * exact**2)
    assert gradient.dtype == np.float64
    assert autograd.jvp(cube, (x,), (np.ones(3, kind),))[1] == (3 * exact**2).sum()
    np.testing.assert_array_equal(autograd.hessian(cube)(x), np.diag(6 * exact))
    pulled = autograd.vjp(lambda x: x * x, x)[1](np.full(3, 1).astype(kind))[0]
    np.testing.assert_array_equal(pulled, 2 * exact)
    _, traced = autograd.trace(lambda x: x * x, x)
    np.testing.assert_array_equal(traced.data, exact**2)


def test_the_reported_square() -> None:
    assert autograd.value_and_grad(lambda x: x**2)(np.uint8(200)) == (40000.0, 400.0)
    value, gradient = autograd.value_and_grad(lambda x: ops.sum(x**2))(np.array([200], np.uint8))
    assert (value, gradient[0]) == (40000.0, 400.0)


@pytest.mark.parametrize("x", [3, np.int64(3), np.array(3), 3.0, np.float64(3.0), True])
def test_single_numbers(x: Any) -> None:
    value, slope = autograd.value_and_grad(lambda x: x / 2 + x**2)(x)
    exact = float(x)
    assert (float(value), float(slope)) == (exact / 2 + exact**2, 0.5 + 2 * exact)


def test_lists_and_parts_of_a_vector() -> None:
    np.testing.assert_array_equal(autograd.grad(cube)([1, 2]), [3.0, 12.0])
    w = Vector((np.array([100], np.int8), np.uint8(200)))
    gradient = autograd.grad(lambda w: ops.sum(w[0] * w[0]) + w[1] * w[1])(w)
    assert (gradient[0][0], gradient[1]) == (200.0, 400.0)


def test_what_a_function_does_not_depend_on_has_a_float_gradient() -> None:
    gradient = autograd.grad(lambda x: 1.0)(np.arange(3))
    assert gradient.dtype == np.float64


def test_single_precision_stays_single() -> None:
    gradient = autograd.grad(cube)(np.ones(2, np.float32))
    assert gradient.dtype == np.float32


def test_complex_numbers_are_refused() -> None:
    for x in (np.array([1j]), np.complex64(1j)):
        with pytest.raises(TypeError, match="real numbers, not of complex"):
            autograd.grad(lambda x: ops.sum(x * x))(x)
