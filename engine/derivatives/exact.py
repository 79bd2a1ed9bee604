"""A derivative to many digits at one point, or a sentence that says why there is none.

Differences with three steps, each the last one times the first, in long arithmetic: how they move
from step to step tells a slope from a kink, and a kink from a slope that only comes late, as that
of |x|^1.5 at 0. What is measured against this value is measured against the function itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.emit.picture import written
from engine.tape import Tape, Value, autograd
from engine.tape.interpret import interpret, long_numbers, lowering

Array = npt.NDArray[np.float64]
Function = Callable[..., Any]

DIGITS = 50
STEEPEST = 1e20  # a slope beyond this is called upright
TROUBLE = (ArithmeticError, ValueError, TypeError, KeyError, AttributeError, RecursionError)

# Digits carried, over those that are asked for. The smallest step takes 9/5 of these away. Where
# all others are lost too, as on the flat end of a sigmoid, once more with as many as tell the
# smallest double from nothing.
_CARRIED = (4, 16)
_HUGE = 1e300  # the exponential of a larger number has no place even among long numbers
# Operations that only move or add up elements, which NumPy does on arrays of any objects.
_MOVING = frozenset(
    {"index", "reshape", "broadcast_to", "transpose", "sum", "mean", "matmul", "affine"}
)


@dataclass(frozen=True, slots=True)
class Exact:
    """A function of one number near one point, from long arithmetic.

    The slope is `slope` + `rest` (two doubles, as one holds 16 digits only) and `digits` in 50;
    `value`, `second` and `third` serve the theory of the errors. `trouble` says in a sentence why
    there is no slope, where there is none.
    """

    value: float = math.nan
    slope: float = math.nan
    rest: float = math.nan
    second: float = math.nan
    third: float = math.nan
    digits: str = ""
    trouble: str = ""

    def rounded(self, digits: int) -> str:
        """The slope to so many digits as readers see numbers; "" where there is none."""
        if not self.digits:
            return ""
        slope = Decimal(self.digits)
        if not slope:
            return "0"
        power = slope.adjusted()
        if -4 <= power < 6:
            return f"{slope:.{max(digits - 1 - power, 0)}f}".replace("-", "−")
        mantissa = f"{slope.scaleb(-power):.{digits - 1}f}".replace("-", "−")
        return f"{mantissa} × {written(10.0**power)}"

    @property
    def scale(self) -> float:
        """What errors are divided by: the slope's size, or 1 where the slope is 0."""
        return abs(self.slope) or 1.0

    def error(self, values: npt.ArrayLike) -> Array:
        """How far values are off, relative to the slope (absolute where the slope is 0)."""
        with np.errstate(all="ignore"):
            off = (np.asarray(values, dtype=float) - self.slope) - self.rest
            return np.asarray(np.abs(off) / self.scale)


def exact(function: Function, at: float) -> Exact:
    """Value, slope and two more derivatives of a function of one number, to 50 digits."""
    with np.errstate(all="ignore"):
        tape, result = autograd.trace(function, np.float64(at))
    value = float(result.data if type(result) is Value else result)
    where = f"at this point, {at:.6g}"
    if not math.isfinite(value):
        return Exact(trouble=f"The function has no finite value {where}.")
    # A step that is no number stands in a branch that is not taken.
    if any(abs(float(node.data)) >= _HUGE for node in tape.nodes):
        return Exact(value, trouble=f"A step on the way to the value is too large {where}.")

    def run(numbers: _Numbers) -> Callable[[Any], Any]:
        return lambda t: interpret(function, [t], numbers.table, numbers.context.mpf)

    return replace(_settle(run, at, _largest(tape), DIGITS), value=value)


def exact_gradient(function: Function, at: Array, digits: int = 20) -> tuple[Exact, ...]:
    """The same for each entry of a function of one flat array (n,), to 16 digits or more.

    Raises ValueError for an operation that long numbers do not know.
    """
    with np.errstate(all="ignore"):
        tape, result = autograd.trace(function, np.asarray(at, dtype=float))
    value = float(result.data if type(result) is Value else result)

    def along(i: int) -> Callable[[_Numbers], Callable[[Any], Any]]:
        def run(numbers: _Numbers) -> Callable[[Any], Any]:
            def evaluate(t: Any) -> Any:
                point = numbers.lift(np.asarray(at, dtype=float))
                point[i] = t
                return _run_again(tape, result, [point], numbers)

            return evaluate

        return run

    size = _largest(tape)
    found = (_settle(along(i), float(x), size, digits) for i, x in enumerate(at))
    return tuple(replace(one, value=value) for one in found)


def _largest(tape: Tape) -> float:
    """The size of the largest finite number on a tape."""
    numbers = np.concatenate([np.ravel(np.asarray(n.data, float)) for n in tape.nodes])
    return float(np.max(np.abs(numbers[np.isfinite(numbers)]), initial=0.0))


# Long numbers -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Numbers:
    """mpmath's numbers at one precision, and what the operations mean for them."""

    context: Any
    table: Mapping[str, Callable[..., Any]]

    def lift(self, x: Any) -> Any:
        """The same number, or array, in long numbers."""
        if isinstance(x, np.ndarray):
            return np.array([self.lift(v) for v in x.flat], object).reshape(x.shape)
        return bool(x) if isinstance(x, (bool, np.bool_)) else self.context.mpf(float(x))


@lru_cache(maxsize=8)
def _numbers(digits: int) -> _Numbers:
    """Numbers of a context of our own, whose precision nobody else can change under us.

    A step without a value (the logarithm of 0) is NaN: it may stand in a branch not taken.
    """
    import mpmath

    context = mpmath.MPContext()
    context.dps = digits
    table = {name: _forgiving(rule, context.nan) for name, rule in long_numbers(context).items()}
    return _Numbers(context, table)


def _forgiving(rule: Callable[..., Any], nan: Any) -> Callable[..., Any]:
    def run(*numbers: Any, **parameters: Any) -> Any:
        try:
            return rule(*numbers, **parameters)
        except (ArithmeticError, ValueError, TypeError):
            return nan

    return run


def _run_again(tape: Tape, result: Any, inputs: Sequence[Any], numbers: _Numbers) -> Any:
    """A tape run again on long numbers, and arrays of them, in the place of its variables."""
    made: list[Any] = []

    def read(x: Any) -> Any:
        return made[x.index] if type(x) is Value else numbers.lift(x)

    for node in tape.nodes:
        operation = node.operation
        if operation is None:
            made.append(inputs[node.index])
            continue
        given = [read(x) for x in node.inputs]
        if operation.name in _MOVING:
            made.append(operation.evaluate(*given, **node.parameters))
        elif operation.name in numbers.table:
            made.append(_each(numbers.table[operation.name], given, node.parameters))
        elif operation.lowered is not None:
            made.append(_run_again(*lowering(operation, len(given)), given, numbers))
        else:
            raise ValueError(f"{operation.name} is not defined on numbers of this kind")
    return read(result)


def _each(rule: Callable[..., Any], inputs: list[Any], parameters: Mapping[str, Any]) -> Any:
    if not any(isinstance(x, np.ndarray) for x in inputs):
        return rule(*inputs, **parameters)
    return np.frompyfunc(lambda *x: rule(*x, **parameters), len(inputs), 1)(*inputs)


# From differences to a slope ----------------------------------------------------------------------


def _settle(
    run: Callable[[_Numbers], Callable[[Any], Any]], at: float, size: float, digits: int
) -> Exact:
    """The slope at one number, or why there is none; size is that of the numbers on the way."""
    found = Exact()
    for more in _CARRIED:
        numbers = _numbers(more * digits)
        found = _slope(run(numbers), numbers.context, at, size, digits)
        if found.slope or found.trouble:
            break
    return found


def _slope(
    evaluate: Callable[[Any], Any], context: Any, at: float, size: float, digits: int
) -> Exact:
    where = f"at this point, {at:.6g}"
    x, ten = context.mpf(at), context.mpf(10)
    far = min(max(abs(at), 1e-30), 1.0) if at else 1.0
    steps = [far * ten ** -(k * 3 * digits // 5) for k in (1, 2, 3)]
    nowhere = Exact(trouble=f"The function is not defined all around {where[3:]}.")
    try:
        middle = context.mpf(evaluate(x))
        below = [context.mpf(evaluate(x - s)) for s in steps]
        above = [context.mpf(evaluate(x + s)) for s in steps]
        higher = [_higher(evaluate, context, x, middle, h) for h in (steps[0], steps[0] / 1000)]
    except TROUBLE:
        return nowhere
    if not all(map(context.isfinite, (middle, *below, *above))):
        return nowhere
    left = [(middle - f) / s for f, s in zip(below, steps, strict=True)]
    right = [(f - middle) / s for f, s in zip(above, steps, strict=True)]
    most = max(map(abs, (*left, *right)))
    fine = context.eps * 10**5
    rounding = max(size, abs(at), abs(middle)) * max(1, most) * fine
    noise = rounding / steps[-1] + most * fine  # what may be left of a difference of equal numbers
    if any(_diverges(slopes, noise) for slopes in (left, right)):
        return Exact(trouble=f"The function jumps or stands upright {where}.")
    gaps = [b - a for a, b in zip(left, right, strict=True)]
    on_left, on_right = _limit(left), _limit(right)
    if abs(on_right - on_left) > max(most / 10**15, abs(gaps[2] - gaps[1]) / 1000, noise):
        kink = "{} on its left and {} on its right".format(*_told_apart(on_left, on_right))
        return Exact(
            trouble=f"The function has a kink here, with slope {kink}: it has no derivative."
        )
    around = [(a + b) / 2 for a, b in zip(left, right, strict=True)]
    slope = _limit(around)
    if abs(slope) <= max(max(map(abs, around)) / ten ** (4 * digits // 5), noise):
        slope = context.mpf(0)  # nothing but what the differences are off by
    high = float(slope)
    rest = slope - context.mpf(high)
    second, third = (
        _agreed(a, b, rounding / (steps[0] / 1000) ** order)
        for a, b, order in zip(*higher, (2, 3), strict=True)
    )
    return Exact(
        slope=high,
        rest=float(rest) if abs(rest) * ten**digits > abs(slope) else 0.0,
        second=second,
        third=third,
        digits=context.nstr(slope, digits),
    )


def _higher(
    evaluate: Callable[[Any], Any], context: Any, x: Any, middle: Any, h: Any
) -> tuple[Any, Any]:
    """The second and third difference."""
    a, b, c, d = (context.mpf(evaluate(x + k * h)) for k in (-2, -1, 1, 2))
    return (c - 2 * middle + b) / h**2, (d - 2 * c + 2 * b - a) / (2 * h**3)


def _agreed(one: Any, other: Any, noise: Any) -> float:
    """A derivative by two steps, the second a thousandth; NaN where it grows without end."""
    if abs(other) <= max(noise, abs(one) / 2):
        return 0.0
    return float(other) if abs(other - one) <= abs(other) / 1000 else math.nan


def _diverges(slopes: list[Any], noise: Any) -> bool:
    """Whether slopes move on as the step shrinks: as 1/h at a jump, as a power, as a logarithm."""
    first, second = abs(slopes[1] - slopes[0]), abs(slopes[2] - slopes[1])
    return bool(second > noise and 10**9 * (first - second) < first) or abs(slopes[2]) > STEEPEST


def _limit(numbers: list[Any]) -> Any:
    """Where three numbers go whose differences shrink by one factor (Aitken's Δ²)."""
    first, second = numbers[1] - numbers[0], numbers[2] - numbers[1]
    return numbers[2] - second**2 / (second - first) if second != first else numbers[2]


def _told_apart(*slopes: Any) -> list[str]:
    """Unlike slopes to four digits, or to as many as tell them apart; nothing as 0."""
    most = max(map(abs, slopes))
    numbers = [float(s) if abs(s) > most / 10**15 else 0.0 for s in slopes]
    texts = ([f"{number:.{digits}g}" for number in numbers] for digits in range(4, 18))
    return next((t for t in texts if t[0] != t[1]), [repr(n) for n in numbers])
