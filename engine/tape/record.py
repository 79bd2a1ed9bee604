"""The tape: the one record that everything else in the engine is made from.

Running a plain Python function on `Value`s writes down, in order, every operation it performs:
which one, on which inputs, with which result. Reverse mode, forward mode, the pictures of the
graph, the formulas and the emitted source are all readings of that list.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

_levels = count()

# What the signs + − × … of Python call; filled in by engine.tape.operations, where the table is.
OPERATORS: dict[str, Callable[..., Any]] = {}


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """One row of the table of operations: what it computes, and every other reading of it.

    `evaluate(*inputs, **parameters)` computes on plain arrays (or numbers). `vjps[i](g, out,
    *inputs, **parameters)` carries the cotangent g of the result back to input i; `jvps[i](t, out,
    *inputs, **parameters)` carries the tangent t of input i forward to the result. Rules are
    written with operations themselves, so a derivative can be traced and differentiated again.
    An operation without rules (a comparison) passes nothing in either direction.

    An elementwise operation states its rules element by element; whoever carries them out undoes
    broadcasting. One that chooses (where, max) has gates: `gates[i](*inputs)` is a condition and
    the truth value at which input i has a say. Where it has none, what it is given or hands on
    counts as nothing at all, be it NaN; its rule is for where it has.

    `lowered(*inputs)` says the same in simpler operations; what has none is a word of every
    printed program, written `spelled` ("exp({0})"). `typeset` is its LaTeX,
    `number` its meaning for numbers of another kind (see `interpret`).
    """

    name: str
    evaluate: Callable[..., Any]
    vjps: tuple[Callable[..., Any], ...] = ()
    jvps: tuple[Callable[..., Any], ...] = ()
    elementwise: bool = False
    gates: tuple[Callable[..., tuple[Any, bool]] | None, ...] = ()
    lowered: Callable[..., Any] | None = None
    spelled: str = ""
    typeset: Callable[..., tuple[str, int]] | None = None
    number: Callable[[Any], Callable[..., Any]] | None = None

    def __call__(self, *inputs: Any, **parameters: Any) -> Any:
        for x in inputs:
            if isinstance(x, Arithmetic):
                return apply(self, inputs, parameters)
        return self.evaluate(*inputs, **parameters)  # nothing to record: the plain operation

    def __repr__(self) -> str:
        return f"Operation({self.name})"


class Tape:
    """A list of Values in the order in which they came to be, hence already sorted.

    Tapes nest: the one made last has the highest level and records first, so that a derivative
    taken inside a derivative is itself written on the outer tape.
    """

    __slots__ = ("level", "nodes")

    def __init__(self) -> None:
        self.level = next(_levels)
        self.nodes: list[Value] = []

    def variable(self, data: Any) -> Value:
        """Put an independent variable on the tape."""
        return Value(self, None, (), (), {}, data)


class Arithmetic:
    """Python's signs, meaning the engine's operations."""

    __slots__ = ()

    # NumPy must hand `array * value` to us instead of looping over the array.
    __array_ufunc__ = None
    __array_priority__ = 1000

    def __add__(self, other: Any) -> Any:
        return OPERATORS["+"](self, other)

    def __radd__(self, other: Any) -> Any:
        return OPERATORS["+"](other, self)

    def __sub__(self, other: Any) -> Any:
        return OPERATORS["-"](self, other)

    def __rsub__(self, other: Any) -> Any:
        return OPERATORS["-"](other, self)

    def __mul__(self, other: Any) -> Any:
        return OPERATORS["*"](self, other)

    def __rmul__(self, other: Any) -> Any:
        return OPERATORS["*"](other, self)

    def __truediv__(self, other: Any) -> Any:
        return OPERATORS["/"](self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return OPERATORS["/"](other, self)

    def __matmul__(self, other: Any) -> Any:
        return OPERATORS["@"](self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return OPERATORS["@"](other, self)

    def __pow__(self, other: Any) -> Any:
        return OPERATORS["**"](self, other)

    def __rpow__(self, other: Any) -> Any:
        return OPERATORS["**"](other, self)

    def __lt__(self, other: Any) -> Any:
        return OPERATORS["<"](self, other)

    def __le__(self, other: Any) -> Any:
        return OPERATORS["<="](self, other)

    def __gt__(self, other: Any) -> Any:
        return OPERATORS[">"](self, other)

    def __ge__(self, other: Any) -> Any:
        return OPERATORS[">="](self, other)

    def __neg__(self) -> Any:
        return OPERATORS["negative"](self)

    def __abs__(self) -> Any:
        return OPERATORS["absolute"](self)


class Value(Arithmetic):
    """A number or array on a tape: its data, the operation that made it, and from what.

    `inputs` are Values or constants as the operation saw them; `arguments` are the same with this
    tape's Values replaced by their data.
    """

    __slots__ = ("arguments", "data", "index", "inputs", "operation", "parameters", "tape")

    def __init__(
        self,
        tape: Tape,
        operation: Operation | None,
        inputs: tuple[Any, ...],
        arguments: Sequence[Any],
        parameters: dict[str, Any],
        data: Any,
    ) -> None:
        self.tape = tape
        self.operation = operation
        self.inputs = inputs
        self.arguments = arguments
        self.parameters = parameters
        self.data = data
        nodes = tape.nodes
        self.index = len(nodes)
        nodes.append(self)

    @property
    def shape(self) -> tuple[int, ...]:
        return getattr(self.data, "shape", ())

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def T(self) -> Any:
        return OPERATORS["transpose"](self)

    def __getitem__(self, key: Any) -> Any:
        return OPERATORS["index"](self, key=key)

    def sum(self, axis: Any = None, keepdims: bool = False) -> Any:
        """The sum over axis (all axes where None)."""
        return OPERATORS["sum"](self, axis=axis, keepdims=keepdims)

    def __eq__(self, other: object) -> Any:
        # Python would say whether they are one and the same object.
        raise TypeError("traced values are compared by `equal`, or by `is` for being the same")

    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        # Python would take one branch for good, where the graph has to keep both.
        raise TypeError("a traced value has no truth of its own: choose with `where`")

    def __repr__(self) -> str:
        made_by = self.operation.name if self.operation else "variable"
        return f"Value({self.data!r}, {made_by})"


def apply(operation: Operation, inputs: tuple[Any, ...], parameters: dict[str, Any]) -> Any:
    """Evaluate an operation and record it on the innermost tape that any input lies on."""
    tape: Tape | None = None
    for x in inputs:
        if type(x) is Value:
            if tape is None or x.tape.level > tape.level:
                tape = x.tape
        elif isinstance(x, Vector):
            return _map_parts(operation, inputs, parameters)
    assert tape is not None  # an Operation calls only where there is something to record
    arguments = []
    evaluate: Callable[..., Any] = operation.evaluate
    for x in inputs:
        if type(x) is Value:
            if x.tape is tape:
                x = x.data
            if type(x) is Value:  # still on an outer tape, which records as well
                evaluate = operation
        arguments.append(x)
    data = evaluate(*arguments, **parameters)
    return Value(tape, operation, inputs, arguments, parameters, data)


class Vector(Arithmetic, tuple[Any, ...]):
    """The coordinates of a point, kept apart: (w1, w2), each a number, an array or a Value.

    An operation on a Vector acts on each part; a number or a Value beside it is shared by all
    parts. So an update rule is written once, as on paper, and runs on one point, on a million
    points at once, on a network's list of tensors, and on a tape.
    """

    __slots__ = ()

    def dot(self, other: Vector) -> Any:
        """The inner product over the parts: a number per cell."""
        total = self[0] * other[0]
        for a, b in zip(self[1:], other[1:], strict=True):
            total = total + a * b
        return total


def _map_parts(operation: Operation, inputs: Sequence[Any], parameters: dict[str, Any]) -> Vector:
    vectors = [x for x in inputs if isinstance(x, Vector)]
    size = len(vectors[0])
    parts = [
        operation(*(x[i] if isinstance(x, Vector) else x for x in inputs), **parameters)
        for i in range(size)
    ]
    return type(vectors[0])(parts)
