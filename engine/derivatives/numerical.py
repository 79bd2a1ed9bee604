"""Derivatives by evaluation alone: finite differences, the complex step, and the check of rules.

Nothing here knows how a derivative is made, so it can say whether one was made right: `check_grads`
tests any function in both modes to second order, `compare` a gradient against differences.
`reference_gradient` gives the value that all routes are measured against, in long arithmetic.

Sources: Higham, Accuracy and Stability of Numerical Algorithms (2002), section 1.15 for the step;
Squire & Trapp, SIAM Review 40 (1998) 110 for the complex step; Martins, Sturdza & Alonso, ACM TOMS
29 (2003) 245 for the complex step past kinks.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.emit.picture import stack
from engine.tape import Value, autograd
from engine.tape import operations as ops
from engine.tape.interpret import COMPLEX, interpret, long_numbers

Array = npt.NDArray[Any]
Function = Callable[..., Any]

EPSILON = sys.float_info.epsilon
# The steps that balance truncation against round-off for a function whose scale is about one.
BEST_FORWARD_STEP = math.sqrt(EPSILON)
BEST_CENTRAL_STEP = EPSILON ** (1 / 3)
# With no difference to cancel, the complex step may be as small as a number can be.
COMPLEX_STEP = 1e-100


def forward_difference(f: Function, at: Sequence[float], h: float = BEST_FORWARD_STEP) -> Array:
    """(f(x + h) − f(x)) / h per coordinate, (n,); n + 1 evaluations, error O(h) + O(ε/h)."""
    here = float(f(*at))
    return np.array([(float(f(*_moved(at, i, h))) - here) / h for i in range(len(at))])


def central_difference(f: Function, at: Sequence[float], h: float = BEST_CENTRAL_STEP) -> Array:
    """(f(x + h) − f(x − h)) / 2h per coordinate, (n,); 2n evaluations, error O(h²) + O(ε/h)."""
    return np.array(
        [
            (float(f(*_moved(at, i, h))) - float(f(*_moved(at, i, -h)))) / (2 * h)
            for i in range(len(at))
        ]
    )


def complex_step(f: Function, at: Sequence[float], h: float = COMPLEX_STEP) -> Array:
    """Im f(x + ih) / h per coordinate, (n,); n evaluations, error O(h²) and no cancellation.

    f is a function of scalars in engine operations. At a kink the branch is chosen by the real
    parts. Raises ValueError or ArithmeticError where f is not defined for complex numbers.
    """
    gradient = []
    for i in range(len(at)):
        point: list[Any] = [complex(x) for x in at]
        point[i] += 1j * h
        gradient.append(complex(interpret(f, point, COMPLEX, float)).imag / h)
    return np.array(gradient)


def reference_gradient(f: Function, at: Sequence[float], digits: int = 40) -> Array:
    """The gradient to double precision from central differences of `digits` true digits, (n,).

    The inputs are taken to be exactly the doubles they are. Carried out in mpmath with three
    times the digits, so that neither truncation nor round-off reaches the first `digits`.
    """
    import mpmath

    with mpmath.workdps(3 * digits + 10):
        h = mpmath.mpf(10) ** (-digits)
        table = long_numbers()
        gradient = []
        for i in range(len(at)):
            ends = []
            for side in (h, -h):
                point = [mpmath.mpf(float(x)) for x in at]
                point[i] += side
                ends.append(interpret(f, point, table, mpmath.mpf))
            slope = (ends[0] - ends[1]) / (2 * h)
            gradient.append(float(slope.real))
        return np.array(gradient)


def _moved(at: Sequence[float], i: int, h: float) -> list[np.float64]:
    point = [np.float64(x) for x in at]
    point[i] += h
    return point


def relative_error(a: Any, b: Any) -> Any:
    """|a − b| / max(|a|, |b|), elementwise, of numbers, arrays or traced ones; 0 where equal.

    What is no number agrees with nothing: NaN. A number is infinitely far from ±∞.
    """
    a, b = _array(a), _array(b)
    with np.errstate(all="ignore"):
        scale = ops.maximum(ops.absolute(a), ops.absolute(b))
        error = ops.divide(ops.absolute(a - b), scale)
        error = ops.where(ops.equal(scale, math.inf), math.inf, error)
        error = ops.where(ops.equal(a, b), 0.0, error)
        return ops.where(ops.both(ops.equal(a, a), ops.equal(b, b)), error, math.nan)


def _array(x: Any) -> Any:
    return x if type(x) is Value else np.asarray(x, dtype=float)


def finite(x: Any) -> Any:
    """Where numbers, arrays or traced ones are finite."""
    return ops.equal(x - x, 0.0)


# As a share of what a function changes by over a step of one: an absolute difference this small is
# none, so that a gradient that vanishes can agree as well.
ABSOLUTE = 1e-9


@dataclass(frozen=True)
class Comparison:
    """A gradient beside differences, all of one shape, numbers or traced.

    absolute is how close the two must come where the gradient vanishes; spread how far the
    difference itself may be off: by round-off, by how it moves when its step is doubled, and by
    half of what the slopes on both sides differ (at a kink one of them is as good as the other).
    """

    analytic: Any
    numeric: Any
    absolute: Any
    spread: Any

    @property
    def error(self) -> Any:
        """The relative error of each entry; NaN where one side is no number."""
        return relative_error(self.analytic, self.numeric)


def compare(
    f: Callable[[Any], Any],
    gradient: Callable[[Any], Any],
    at: Any,
    h: Any = BEST_CENTRAL_STEP,
) -> Comparison:
    """Check gradient(at) of a scalar function of one array by central differences.

    The step of each entry is h times its size, or h where it is below one. Both at, where it is of
    one axis, and h may be traced.
    """
    at = _array(at)
    analytic = _array(gradient(at))
    here = f(at)
    rows = [_around(f, at, i, here, h) for i in np.ndindex(at.shape)]
    numeric, absolute, spread = (_gathered(column, at.shape) for column in zip(*rows, strict=True))
    return Comparison(analytic, numeric, absolute, spread)


def _gathered(numbers: Sequence[Any], shape: tuple[int, ...]) -> Any:
    if any(type(x) is Value for x in numbers):
        return stack(*numbers)
    return np.array([float(x) for x in numbers]).reshape(shape)


def _around(f: Callable[[Any], Any], at: Any, i: tuple[int, ...], here: Any, h: Any) -> Any:
    """The central difference of one entry, what is nothing beside it, how far it may be off."""
    alone = np.zeros(at.shape)
    alone[i] = 1.0
    size = ops.maximum(1.0, ops.absolute(at[i]))

    def pair(step: Any) -> tuple[Any, Any, Any]:
        """f on both sides, and the step that the rounded sides are apart."""
        up, down = at + step * size * alone, at - step * size * alone
        return f(up), f(down), up[i] - down[i]

    (up, down, gap), (up2, down2, gap2), far = pair(h), pair(2.0 * h), pair(1.0)
    slope = ops.divide(up - down, gap)
    natural = _smaller_finite(*(ops.absolute(end - here) / size for end in far[:2]))
    round_off = 10 * EPSILON * ops.absolute(here) / size
    bend = ops.maximum(
        ops.absolute(ops.divide(up2 - down2, gap2) - slope),
        ops.divide(ops.absolute(up + down - 2.0 * here), gap),
    )
    return slope, ABSOLUTE * natural + round_off / BEST_CENTRAL_STEP, bend + round_off / h


def _smaller_finite(a: Any, b: Any) -> Any:
    """The smaller of two numbers that is finite; 0 where neither is."""
    only = ops.where(finite(b), b, 0.0)
    return ops.where(finite(a), ops.where(finite(b), ops.minimum(a, b), a), only)


def check_grads(
    f: Function,
    *args: Any,
    order: int = 2,
    rtol: float = 1e-6,
    atol: float = 1e-7,
    seed: int = 0,
) -> None:
    """Test f's derivatives at args in forward and reverse mode, up to that order.

    f takes and returns float64 arrays or numbers. Along random directions the tangent of forward
    mode, the cotangent of reverse mode and a central difference must agree; then the same is asked
    of the two derivatives themselves. Raises AssertionError that names the route that differs.
    """
    _check(f, args, order, rtol, atol, np.random.default_rng(seed), "f")


def _check(
    f: Function,
    args: Sequence[Any],
    order: int,
    rtol: float,
    atol: float,
    rng: np.random.Generator,
    name: str,
) -> None:
    directions = [rng.standard_normal(np.shape(a)) for a in args]
    value = f(*args)
    weights = rng.standard_normal(np.shape(value))

    def tangent(*at: Any) -> Any:
        return ops.sum(ops.multiply(weights, autograd.jvp(f, at, directions)[1]))

    def cotangent(*at: Any) -> Any:
        parts = autograd.vjp(f, *at)[1](weights)
        total = ops.sum(ops.multiply(directions[0], parts[0]))
        for direction, part in zip(directions[1:], parts[1:], strict=True):
            total = ops.add(total, ops.sum(ops.multiply(direction, part)))
        return total

    h = BEST_CENTRAL_STEP
    up = f(*(a + h * d for a, d in zip(args, directions, strict=True)))
    down = f(*(a - h * d for a, d in zip(args, directions, strict=True)))
    expected = float(np.sum(weights * (np.asarray(up) - np.asarray(down)))) / (2 * h)
    for derivative, route in ((tangent, "forward"), (cotangent, "reverse")):
        got = float(derivative(*args))
        if not math.isclose(got, expected, rel_tol=rtol, abs_tol=atol):
            raise AssertionError(
                f"{route} mode of {name} gives {got!r}, central differences {expected!r}"
            )
        if order > 1:
            _check(derivative, args, order - 1, rtol, atol, rng, f"({route} of {name})")
    shapes = [np.shape(part) for part in autograd.vjp(f, *args)[1](weights)]
    if shapes != [np.shape(a) for a in args]:
        raise AssertionError(f"cotangents of {name} have shapes {shapes}, not those of the inputs")
    if np.shape(autograd.jvp(f, args, directions)[1]) != np.shape(value):
        raise AssertionError(f"the tangent of {name} does not have the shape of its result")
