"""One derivative by four routes: symbolic, numerical, forward mode and reverse mode.

Every route starts from the same tape of the same typed function, so that results can be compared
digit by digit and costs in the same unit, operations recorded on a tape. The value that all are
measured against is worked out in long arithmetic; size limits are stated (`engine.limits`) and met
before any work. What follows a hand is traced as well: `Traced` is the same study in a picture.

Sources: Baydin, Pearlmutter, Radul & Siskind, JMLR 18 (2018) 153 for the routes and the swell;
Squire & Trapp, SIAM Review 40 (1998) 110 for the complex step.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.derivatives.exact import TROUBLE, Exact
from engine.derivatives.exact import exact as find_exact
from engine.derivatives.expression import Expression, derivative
from engine.derivatives.numerical import EPSILON
from engine.emit.picture import at_rest
from engine.limits import COMPOSED_OPERATIONS, COMPOSITIONS, DIFFERENTIATED_OPERATIONS
from engine.problems.formula import Formula, FormulaError, parse
from engine.tape import Tape, Value, autograd
from engine.tape import operations as ops
from engine.tape.interpret import COMPLEX, interpret, trace_scalars

Array = npt.NDArray[np.float64]
Function = Callable[..., Any]

INPUTS = ("x", "y")
LOGISTIC = "4*x*(1-x)"
STEPS: Array = np.geomspace(1e-16, 1.0, 129)


@lru_cache(maxsize=256)
def read(text: str) -> Formula:
    """A formula in x, y or both, of bounded size; FormulaError for any other."""
    formula = parse(text, INPUTS)
    if not formula.names:
        raise FormulaError("The formula must depend on x or y.", text)
    count = _recorded(trace_scalars(_positional(formula), inputs_of(formula))[0])
    if count > DIFFERENTIATED_OPERATIONS:
        most = DIFFERENTIATED_OPERATIONS
        reason = f"The formula takes {count} operations; at most {most} are taken here."
        raise FormulaError(reason, text)
    return formula


def inputs_of(formula: Formula) -> tuple[str, ...]:
    """The inputs that occur in a formula, in the order x, y."""
    return tuple(name for name in INPUTS if name in formula.names)


def _positional(formula: Formula) -> Function:
    names = inputs_of(formula)
    return lambda *values: formula.evaluate(dict(zip(names, values, strict=True)))


@dataclass(frozen=True, slots=True)
class _Line:
    """A formula as a function of one input: `along`, which is input i of `function` at `here`."""

    names: tuple[str, ...]
    i: int
    here: tuple[Any, ...]
    function: Function

    @property
    def wrt(self) -> str:
        return self.names[self.i]

    @property
    def x(self) -> Any:
        return self.here[self.i]

    def along(self, t: Any) -> Any:
        return self.function(*self.here[: self.i], t, *self.here[self.i + 1 :])


def _line(text: str, at: Sequence[Any], wrt: str) -> _Line:
    formula = read(text)
    names = inputs_of(formula)
    given = (at[INPUTS.index(name)] for name in names)
    here = tuple(v if type(v) is Value else np.float64(v) for v in given)
    return _Line(names, names.index(wrt) if wrt in names else 0, here, _positional(formula))


def _recorded(tape: Tape) -> int:
    """How many operations a tape holds."""
    return sum(node.operation is not None for node in tape.nodes)


@lru_cache(maxsize=128)
def symbolic(text: str, wrt: str) -> Expression:
    """The derivative of a formula by one of its inputs, as one expression."""
    formula = read(text)
    names = inputs_of(formula)
    return derivative(_positional(formula), names, names.index(wrt))


@lru_cache(maxsize=64)
def exact_slope(text: str, at: tuple[float, float], wrt: str) -> Exact:
    """Value and derivatives of a formula at a point, from long arithmetic."""
    line = _line(text, at, wrt)
    return find_exact(line.along, float(line.x))


# All routes side by side --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answer:
    """What one route gives and costs.

    `value` is the derivative by the chosen input, `error` as Exact.error measures it (NaN where
    either does not exist). `runs` counts how often the function is gone through for it;
    `operations` and `whole` are the operations for it and for the gradient by every input.
    """

    route: str
    value: float
    error: float
    runs: int
    operations: int
    whole: int


@dataclass(frozen=True, slots=True)
class Study:
    """A function at a point: its operations, both ends of the central difference, all answers."""

    names: tuple[str, ...]
    wrt: str
    at: float
    h: float
    operations: int
    exact: Exact
    ends: tuple[float, float]
    symbolic: Expression
    answers: tuple[Answer, ...]

    def answer(self, route: str) -> Answer:
        """The answer of that route."""
        return next(answer for answer in self.answers if answer.route == route)

    @property
    def agreeing_digits(self) -> float:
        """How many leading digits f(x + h) and f(x − h) have in common, of about 16."""
        below, above = self.ends
        size, gap = max(abs(below), abs(above)), abs(above - below)
        if not gap < math.inf or size == 0:
            return 0.0
        return min(max(-math.log10(gap / size), 0.0), 16.0) if gap else 16.0


def study(text: str, at: Sequence[float], wrt: str, h: float) -> Study:
    """Differentiate a formula at (x, y) by the input wrt, with step h where a step is needed.

    Where the formula does not depend on wrt, its other input is taken. Raises FormulaError.
    """
    line = _line(text, at, wrt)
    x, n = line.x, len(line.names)
    exact = exact_slope(text, (float(at[0]), float(at[1])), wrt)
    with np.errstate(all="ignore"):
        p = _recorded(autograd.trace(line.function, *line.here)[0])
        below, middle, above = (float(line.along(x + s * h)) for s in (-1, 0, 1))
        forward = float(autograd.jvp(line.along, (x,), (1.0,))[1])
        both = autograd.value_and_grad(line.function, range(n))
        reverse = float(both(*line.here)[1][line.i])
        by_complex = float(_complex_steps(line.along, float(x), [h])[0])
        forward_costs = [_forward_cost(line, i) for i in range(n)]
        reverse_cost = _cost(both, line.here)
        by_name = [symbolic(text, name) for name in line.names]
        written = float(by_name[line.i](*line.here))

    def answer(route: str, value: float, runs: int, operations: int, whole: int) -> Answer:
        return Answer(route, value, float(exact.error(value)), runs, operations, whole)

    answers = (
        answer(
            "symbolic", written, 1, by_name[line.i].operations,
            sum(s.operations for s in by_name),
        ),
        # Beside the evaluations: x + h, −, ÷; and x − h, 2h for the central one.
        answer("forward difference", (above - middle) / h, 2, 2 * p + 3, (n + 1) * p + 3 * n),
        answer(
            "central difference", (above - below) / (2 * h), 2, 2 * p + 5, n * (2 * p + 5)
        ),
        answer("complex step", by_complex, 1, p + 2, n * (p + 2)),
        answer("forward mode", forward, 1, forward_costs[line.i], sum(forward_costs)),
        answer("reverse mode", reverse, 2, reverse_cost, reverse_cost),
    )  # fmt: skip
    return Study(
        line.names, line.wrt, float(x), h, p, exact, (below, above), by_name[line.i], answers
    )


def _cost(derivative: Function, at: Sequence[Any]) -> int:
    """The operations that a derivative carries out: those that it leaves on a tape around it."""
    return _recorded(autograd.trace(derivative, *at)[0])


def _forward_cost(line: _Line, i: int) -> int:
    """The operations of one forward sweep along input i, f's own included."""

    def sweep(*here: Any) -> Any:
        held = replace(line, here=here, i=i)
        return autograd.jvp(held.along, (held.x,), (1.0,))

    return _cost(sweep, line.here)


def _complex_steps(along: Function, at: float, steps: Sequence[float] | Array) -> Array:
    """Im f(x + ih) / h for each h; NaN where f is not defined for complex numbers."""
    out = np.full(len(steps), np.nan)
    for k, h in enumerate(steps):
        try:
            out[k] = complex(interpret(along, [complex(at, h)], COMPLEX, float)).imag / h
        except TROUBLE:
            continue
    return out


# The error against h ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Errors:
    """Errors over STEPS (one a step), and what theory says of them.

    `first_order` |f″|h/2 and `second_order` |f‴|h²/6 are the truncation of the forward and the
    central difference; `round_off` ε max(|f|, |x f′|)/h is the rounding of f and of x. At
    `best_central` the central difference's truncation and round-off balance; NaN where one is 0.
    """

    forward: Array
    central: Array
    complex: Array
    first_order: Array
    second_order: Array
    round_off: Array
    best_central: float


def errors(text: str, at: Sequence[float], wrt: str) -> Errors | None:
    """The error of every numerical route at every step; None where there is no derivative."""
    line = _line(text, at, wrt)
    x = line.x
    exact = exact_slope(text, (float(at[0]), float(at[1])), wrt)
    if exact.trouble:
        return None
    with np.errstate(all="ignore"):
        middle = line.along(x)
        above, below = (np.broadcast_to(line.along(x + s * STEPS), STEPS.shape) for s in (1, -1))
        forward = exact.error((above - middle) / STEPS)
        central = exact.error((above - below) / (2 * STEPS))
    every_other = exact.error(_complex_steps(line.along, float(x), STEPS[::2]))
    rounding = EPSILON * max(abs(exact.value), abs(float(x) * exact.slope))
    first, second = abs(exact.second) / 2, abs(exact.third) / 6
    return Errors(
        forward,
        central,
        every_other,
        first * STEPS / exact.scale,
        second * STEPS**2 / exact.scale,
        rounding / STEPS / exact.scale,
        # ε|f|/h + c h² is least where its derivative −ε|f|/h² + 2ch is 0.
        (rounding / (2 * second)) ** (1 / 3) if second and rounding else math.nan,
    )


# The curve ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Curve:
    """The function along the chosen input: x and y (points,), and a height that shows it well."""

    x: Array
    y: Array
    window: tuple[float, float]


def curve(text: str, at: Sequence[float], wrt: str, reach: float, points: int = 481) -> Curve:
    """The formula along wrt over [−reach, reach], its other input held; NaN off the window."""
    line = _line(text, at, wrt)
    x = np.linspace(-reach, reach, points)
    with np.errstate(all="ignore"):
        y = np.array(np.broadcast_to(line.along(x), x.shape), float)
        value = float(line.along(line.x))
    finite = y[np.isfinite(y)]
    if len(finite) == 0:
        return Curve(x, y, (-1.0, 1.0))
    low, high = (float(q) for q in np.quantile(finite, (0.02, 0.98)))
    if math.isfinite(value):
        low, high = min(low, value), max(high, value)
    room = 0.12 * (high - low) or max(1.0, abs(high))
    low, high = low - room, high + room
    y[~((y > low - (high - low)) & (y < high + (high - low)))] = np.nan
    return Curve(x, y, (low, high))


# The same in a picture ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Traced:
    """A formula along one input, at values that a hand moves: all but `wrt` may be traced.

    `slope` is forward mode's, `below` and `above` are f at x ∓ h, `lens` is f over x ± 2h in units
    of h, (LENS,), `forward` and `central` the errors of the differences at every step.
    """

    wrt: str
    x: Any
    value: Any
    slope: Any
    below: Any
    above: Any
    central: Any
    lens: Any
    forward_errors: Any
    central_errors: Any


LENS: Array = np.linspace(-2.0, 2.0, 241)


def traced(text: str, at: Sequence[Any], wrt: str, h: Any, exact: Exact) -> Traced:
    """The formula at (x, y) with step h, which may be traced.

    Errors are measured against the exact slope of where the point rests, and against forward
    mode's while it moves: both agree to sixteen digits where no digits are lost.
    """
    line = _line(text, at, wrt)
    x = line.x
    with np.errstate(all="ignore"):
        value, slope = autograd.jvp(line.along, (x,), (1.0,))
        below, above = line.along(x - h), line.along(x + h)
        flat = np.zeros(LENS.shape)
        lens = ops.divide(line.along(x + LENS * h) + flat - value, h)
        moved = [line.along(x + side * STEPS) + np.zeros(STEPS.shape) for side in (1.0, -1.0)]
        scale = abs(exact.slope) or 1.0

        def error(found: Any) -> Any:
            far = ops.absolute(found - slope) / ops.where(ops.equal(slope, 0.0), 1.0, abs(slope))
            here = np.abs((_now(found) - exact.slope) - exact.rest) / scale
            return at_rest(here, far, *line.here)

        def rounded(found: Any) -> Any:
            return at_rest(_now(found), found, *line.here, h)

        return Traced(
            line.wrt,
            x,
            value,
            slope,
            below,
            above,
            rounded(ops.divide(above - below, 2.0 * h)),
            rounded(lens),
            error((moved[0] - value) / STEPS),
            error((moved[0] - moved[1]) / (2 * STEPS)),
        )


def _now(x: Any) -> Any:
    return x.data if type(x) is Value else x


def along(text: str, at: Sequence[Any], wrt: str, points: Array) -> Any:
    """The formula at those values of wrt, (points,), its other input held, which may be traced."""
    line = _line(text, at, wrt)
    with np.errstate(all="ignore"):
        return line.along(points) + np.zeros(points.shape)


# Expression swell ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Swell:
    """The cost of the derivative of f∘…∘f, for 1, 2 … of them (one entry each), up to COMPOSITIONS
    or where COMPOSED_OPERATIONS have been recorded.

    `function` counts the composition's own operations. `unrolled` counts its derivative written
    out as one expression, no part named and nothing simplified; `tidied` the same without products
    with 1, sums with 0 and the like, and `shared` that with every part that occurs twice worked
    out once. `forward` and `reverse` count what automatic differentiation carries out, value
    included. `latex` is the tidied derivative, "" where too long. All of it takes time in
    proportion to the tapes, however long the expressions would be.
    """

    function: tuple[int, ...]
    unrolled: tuple[int, ...]
    forward: tuple[int, ...]
    reverse: tuple[int, ...]
    tidied: tuple[int, ...]
    shared: tuple[int, ...]
    latex: tuple[str, ...]


@lru_cache(maxsize=32)
def swell(text: str = LOGISTIC, wrt: str = "x") -> Swell:
    """Compose a formula with itself along wrt, its other input held at 0.7, and count.

    Raises FormulaError.
    """
    line = _line(text, (0.7, 0.7), wrt)
    rows: list[Any] = []
    for times in range(1, COMPOSITIONS + 1):
        if sum(sum(row[2:4]) for row in rows) > COMPOSED_OPERATIONS:
            break
        tidied = derivative(_composed(line.along, times), [line.wrt], 0)
        counts = (tidied.operations, tidied.shared, tidied.latex)
        rows.append((*_grown(line.along, times), *counts))
    return Swell(*zip(*rows, strict=True))


def _composed(once: Function, times: int) -> Function:
    def run(x: Any) -> Any:
        for _ in range(times):
            x = once(x)
        return x

    return run


def _grown(once: Function, times: int) -> tuple[int, int, int, int]:
    """Operations of the composition, of its derivative unrolled, of forward and reverse mode."""
    f = _composed(once, times)
    x = np.float64(0.7)
    with np.errstate(all="ignore"):
        tape, (_, slope) = autograd.trace(lambda t: autograd.jvp(f, (t,), (1.0,)), x)
        return (
            _recorded(autograd.trace(f, x)[0]),
            _unrolled(tape, slope),
            _recorded(tape),
            _cost(autograd.value_and_grad(f), [x]),
        )


def _unrolled(tape: Tape, result: Any) -> int:
    """The operations of a result as one expression, where what is used twice is written twice."""
    if type(result) is not Value:
        return 0
    sizes: list[int] = []
    for node in tape.nodes:
        parts = sum(sizes[x.index] for x in node.inputs if type(x) is Value)
        sizes.append(parts + (node.operation is not None))
    return sizes[result.index]
