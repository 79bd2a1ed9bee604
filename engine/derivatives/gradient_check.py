"""The gradient check: a gradient by reverse mode beside differences, entry by entry.

So that a reader may see a wrong derivative caught, one operation's rule can be broken on purpose:
the tape is recorded as always, and only then is that operation's vjp spoiled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from engine.derivatives.exact import Exact, exact_gradient
from engine.derivatives.numerical import BEST_CENTRAL_STEP, compare, finite
from engine.problems.formula import Formula
from engine.problems.networks import MLP
from engine.tape import Operation, Vector, autograd
from engine.tape import operations as ops

Array = npt.NDArray[np.float64]
Verdict = Literal["good", "doubtful", "wrong", "unchecked"]
VERDICTS: tuple[Verdict, ...] = ("good", "doubtful", "wrong", "unchecked")
Standing = Literal["right", "wrong", "unknown"]

# What counts as good in double precision with central differences: about the square root of the
# best attainable error, and the size at which a derivative is simply another one.
GOOD = 1e-7
WRONG = 1e-3
RIGHT = 1e-9  # how close a gradient in doubles comes to an exact value where nothing is lost

# How a rule is broken: the factor on what it passes back, and what a slip of that kind is called.
MISTAKES: Mapping[str, tuple[float, str]] = MappingProxyType(
    {
        "sign": (-1.0, "a lost minus sign"),
        "factor": (0.5, "a forgotten factor 2"),
        "dropped": (0.0, "a forgotten term"),
        "slight": (1.0001, "a factor 1.0001 too much"),
    }
)


@dataclass(frozen=True, slots=True)
class Subject:
    """A scalar function of one flat array: the function, where it is checked, a name per entry."""

    function: Callable[[Any], Any]
    at: Array
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """A finished check; arrays have one entry per parameter. operations are those on the tape.

    error is relative, and good where the two are apart by no more than is nothing beside how the
    function changes; NaN where the difference is no number, so that nothing can be said (the
    verdict is "unchecked"), and ∞ where the gradient is none.
    """

    names: tuple[str, ...]
    analytic: Array
    numeric: Array
    error: Array
    verdicts: tuple[Verdict, ...]
    operations: tuple[str, ...]

    @property
    def worst(self) -> int:
        """The index of the largest relative error among those that can be checked."""
        return int(np.argmax(np.nan_to_num(self.error, nan=-1.0, posinf=np.inf)))


def typed_subject(formula: Formula, at: Sequence[float]) -> Subject:
    """A typed formula in its inputs, at one number for each."""

    def function(w: Any) -> Any:
        return formula(**{name: ops.index(w, key=i) for i, name in enumerate(formula.names)})

    return Subject(function, np.asarray(at, dtype=float), formula.names)


def network_subject(network: MLP, x: Array, y: Array, seed: int = 0) -> Subject:
    """A perceptron's mean binary cross-entropy on x (n, inputs), y (n,) as a function of all its
    weights, at its start; an entry is named W1[i,j] or b1[j]."""
    start = network.initial(seed)
    shapes = [part.shape for part in start]
    offsets = np.cumsum([0, *(part.size for part in start)])
    target = y[:, None]

    def function(flat: Any) -> Any:
        parts = [
            ops.reshape(ops.index(flat, key=slice(int(a), int(b))), shape=shape)
            for a, b, shape in zip(offsets, offsets[1:], shapes, strict=False)
        ]
        return ops.mean(ops.logit_cross_entropy(network(Vector(parts), x), target))

    names = tuple(
        f"{'b' if len(shape) == 1 else 'W'}{i // 2 + 1}[{','.join(map(str, at))}]"
        for i, shape in enumerate(shapes)
        for at in np.ndindex(*shape)
    )
    return Subject(function, np.concatenate([part.ravel() for part in start]), names)


@dataclass(frozen=True, slots=True)
class Measured:
    """A gradient held against differences, one entry a parameter, numbers or traced.

    error is as Report says; within says where the difference itself may be off by as much.
    """

    analytic: Any
    numeric: Any
    error: Any
    within: Any

    def where(self, verdict: Verdict) -> Any:
        """Where that is the verdict."""
        return _judged(verdict, self.error, self.within)


def _judged(verdict: Verdict, error: Any, within: Any) -> Any:
    """Where a relative error is good, doubtful, wrong, or unchecked as it is no number.

    Where the difference itself may be off by as much (within), it convicts nobody.
    """
    above = ops.greater(error, GOOD)
    near = ops.either(ops.less_equal(error, WRONG), within)
    if verdict == "good":
        return ops.less_equal(error, GOOD)
    if verdict == "doubtful":
        return ops.both(above, near)
    if verdict == "wrong":
        return ops.both(above, ops.equal(near, False))
    return ops.equal(ops.equal(error, error), False)


def judge(error: float, within: bool = False) -> Verdict:
    """The traffic light of a relative error; see `_judged`."""
    return next(verdict for verdict in VERDICTS if _judged(verdict, error, within))


def measure(
    function: Callable[[Any], Any],
    at: Any,
    h: Any,
    broken: str | None = None,
    mistake: str = "sign",
) -> Measured:
    """Hold the gradient of a scalar function of one flat array against central differences.

    at and h may be traced. broken names an operation whose rule is spoiled by that mistake.
    """

    def gradient(w: Any) -> Any:
        tape, output = autograd.trace(function, w)
        for node in tape.nodes:
            if node.operation is not None and node.operation.name == broken:
                node.operation = spoiled(node.operation, MISTAKES[mistake][0])
        found = autograd.backward(output)[0]
        return np.zeros(w.shape) + (0.0 if found is None else found)

    with np.errstate(all="ignore"):
        result = compare(function, gradient, at, h)
        apart = ops.absolute(result.analytic - result.numeric)
        size = ops.maximum(ops.absolute(result.analytic), ops.absolute(result.numeric))
        nothing = ops.less_equal(apart, result.absolute)
        share = ops.divide(GOOD * apart, ops.where(ops.equal(apart, 0.0), 1.0, result.absolute))
        error = ops.where(nothing, share, result.error)
        error = ops.where(ops.equal(error, error), error, np.inf)
        known = finite(result.numeric)
        error = ops.where(known, error, np.nan)
        bound = WRONG * size + result.spread + result.absolute
        within = ops.both(ops.less_equal(apart, bound), finite(apart))
    return Measured(result.analytic, result.numeric, error, within)


def check(
    subject: Subject,
    *,
    h: float = BEST_CENTRAL_STEP,
    broken: str | None = None,
    mistake: str = "sign",
) -> Report:
    """Compare the gradient with central differences of step h (times an entry's size above one).

    broken names an operation whose rule is spoiled by that mistake. Raises ValueError where the
    function is not finite at the point, or where it does not contain that operation.
    """
    with np.errstate(all="ignore"):
        value = float(subject.function(subject.at))
    if not np.isfinite(value):
        raise ValueError("the function has no finite value here")
    present = operations_of(subject)
    if broken is not None and broken not in present:
        raise ValueError(f"there is no {broken} in this function; it has {', '.join(present)}")
    found = measure(subject.function, subject.at, h, broken, mistake)
    pairs = zip(found.error, found.within, strict=True)
    verdicts = tuple(judge(float(error), bool(within)) for error, within in pairs)
    return Report(
        subject.names, found.analytic, found.numeric, found.error, verdicts,
        _differentiable(present),
    )  # fmt: skip


def operations_of(subject: Subject) -> tuple[str, ...]:
    """The names of the operations on a subject's tape."""
    with np.errstate(all="ignore"):
        tape, _ = autograd.trace(subject.function, subject.at)
    return tuple(dict.fromkeys(node.operation.name for node in tape.nodes if node.operation))


@dataclass(frozen=True, slots=True)
class Established:
    """What an exact value says of one entry of a gradient: whether it is right, and by which value.

    Where there is none the standing is unknown, and `exact.trouble` says why.
    """

    name: str
    standing: Standing
    exact: Exact


def establish(subject: Subject, report: Report) -> tuple[Established, ...]:
    """Hold each entry of a gradient against its exact value, from long arithmetic.

    Takes about a hundred times as long as the check itself, so ask where the check doubts.
    """
    try:
        values = exact_gradient(subject.function, subject.at)
    except ValueError as error:
        values = (Exact(trouble=f"There is no exact value: {error}."),) * len(report.names)
    return tuple(
        Established(name, _standing(float(analytic), exact), exact)
        for name, analytic, exact in zip(report.names, report.analytic, values, strict=True)
    )


def _standing(analytic: float, exact: Exact) -> Standing:
    if exact.trouble:
        return "unknown"
    near = abs(analytic - exact.slope) <= RIGHT * max(abs(analytic), abs(exact.slope))
    return "right" if near else "wrong"


def spoiled(operation: Operation, factor: float) -> Operation:
    """The operation with every cotangent that it passes back multiplied by factor."""

    def spoil(vjp: Callable[..., Any]) -> Callable[..., Any]:
        def wrong(*arguments: Any, **parameters: Any) -> Any:
            right = vjp(*arguments, **parameters)
            return None if right is None else ops.multiply(factor, right)

        return wrong

    return replace(operation, vjps=tuple(map(spoil, operation.vjps)))


def _differentiable(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(n for n in names if ops.OPERATIONS[n].vjps)
