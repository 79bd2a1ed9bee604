"""Functions of arrays, recorded once and printed as straight-line NumPy over buffers of their own.

`compiled(function)` runs the function once on stand-ins for its arrays. Tape and reverse sweep work
on them as on any namespace's arrays, so what is written down is every array operation of a training
step: loss, gradient and update. A later call is that list, printed with a place for each result,
and nothing else. Shapes and types are looked at when a call comes in; a decision that Python took
on a number is part of the text and tested again in its place. Where one of them differs the
function is recorded anew; where it cannot be recorded it runs as it stands.
"""

from __future__ import annotations

import math
import operator
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import EllipsisType
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from engine.tape import Arithmetic, Vector, matrices

Function = Callable[..., Any]

KEPT = 8  # programs of one function, the last used first
RECORDINGS = 32  # of one function: one that wants more of them gains nothing by being recorded
LONGEST = 20_000  # operations of one program


class Unrecordable(TypeError):
    """The function does something that a list of array operations cannot hold."""


def _map(f: Function, x: Any) -> Any:
    """f of everything in nested tuples, lists, Vectors and slices."""
    if type(x) in (tuple, list) or isinstance(x, Vector):
        return type(x)([_map(f, part) for part in x])
    if isinstance(x, slice):
        return slice(_map(f, x.start), _map(f, x.stop), _map(f, x.step))
    return f(x)


# Recording ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class ArrayLine:
    """One operation of a record: its result and NumPy's function that made it from its arguments.

    function is None for what the caller hands in, and bool for a decision: then value says which
    way it went. Arguments hold `Traced` and constants, nested as the function takes them. A weak
    result is made a number of Python's own, though NumPy's function gives one of NumPy's.
    """

    value: Any
    function: Any = None
    arguments: tuple[Any, ...] = ()
    keywords: Mapping[str, Any] = field(default_factory=dict)
    weak: bool = False

    @property
    def uses(self) -> list[int]:
        """The lines that this one reads."""
        return _indices([*self.arguments, *self.keywords.values()])


class Traced(NDArrayOperatorsMixin):
    """Stands for an array (or a number) in a function that is being recorded.

    It is an array of a namespace, so all that is written for any namespace runs on it. Its numbers
    are seen by operations and by decisions (`if`, `while`) alone: asking for them as a float or as
    an array of NumPy's makes the function unrecordable.
    """

    __slots__ = ("index", "record")

    def __init__(self, record: ArrayRecord, index: int) -> None:
        self.record = record
        self.index = index

    @property
    def value(self) -> Any:
        return self.record.lines[self.index].value

    @property
    def shape(self) -> tuple[int, ...]:
        return np.shape(self.value)

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.result_type(self.value)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def device(self) -> str:
        return "cpu"

    @property
    def T(self) -> Any:
        return self.record.write(np.transpose, (self,), {})

    def __len__(self) -> int:
        return len(self.value)

    def __getitem__(self, key: Any) -> Any:
        return self.record.write(operator.getitem, (self, key), {})

    def sum(self, axis: Any = None, keepdims: bool = False) -> Any:
        """The sum over axis (all axes where None)."""
        return self.record.write(np.sum, (self,), {"axis": axis, "keepdims": keepdims})

    def reshape(self, *shape: Any) -> Any:
        """The same elements in another shape."""
        return self.record.write(np.reshape, (self, shape[0] if len(shape) == 1 else shape), {})

    def astype(self, dtype: Any) -> Any:
        """The same elements in another type."""
        return self.record.write(np.astype, (self, np.dtype(dtype)), {})

    def __array_namespace__(self, api_version: str | None = None) -> Any:
        return _NAMESPACE

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **keywords: Any) -> Any:
        if method != "__call__" or keywords:
            self.record.refuse(f"{ufunc.__name__} is called in a way of its own")
        return self.record.write(ufunc, inputs, {})

    def __array_function__(self, function: Any, types: Any, inputs: Any, keywords: Any) -> Any:
        return self.record.write(function, inputs, keywords)

    def __bool__(self) -> bool:
        return self.record.decide(self)

    def _number(self, *_: Any, **__: Any) -> Any:
        self.record.refuse("it looks at a number itself, which may be another at every call")

    __array__ = __float__ = __int__ = __index__ = __complex__ = item = tolist = _number

    def __repr__(self) -> str:
        return f"Traced(shape={self.shape}, dtype={self.dtype})"


def _indices(operands: Any) -> list[int]:
    """The lines that stand anywhere in nested operands."""
    found: list[int] = []
    _map(lambda x: found.append(x.index) if isinstance(x, Traced) else None, operands)
    return found


class _Namespace:
    """NumPy, but for the way in: a Traced is an array already."""

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    @staticmethod
    def asarray(x: Any, dtype: Any = None, **options: Any) -> Any:
        if not isinstance(x, Traced):
            return np.asarray(x, dtype=dtype, **options)
        return x if dtype is None or x.dtype == dtype else x.astype(dtype)


_NAMESPACE = _Namespace()

# These look at shape and type alone, so there is nothing to do again at the next call.
_OF_FORM = {np.ones_like, np.zeros_like, np.empty_like, np.shape, np.ndim, np.size, np.result_type}


class ArrayRecord:
    """The lines written so far, equal ones joined.

    `way` says which way the first decisions go, whatever the numbers say.
    """

    def __init__(self, way: Sequence[bool] = ()) -> None:
        self.lines: list[ArrayLine] = []
        self.refused: str | None = None
        self.quiet = False  # whether it silences NumPy's warnings somewhere
        self._warnings = np.geterr()
        self._known: dict[Any, int] = {}
        self._way = list(way)
        self._decided: dict[int, bool] = {}

    def refuse(self, reason: str) -> None:
        """Give up. The reason is kept, lest the function catch what is raised here."""
        self.refused = self.refused or reason
        raise Unrecordable(reason)

    def argument(self, value: Any) -> Traced:
        """A stand-in for something that the caller hands in."""
        return self._add(ArrayLine(value))

    def decide(self, condition: Traced) -> bool:
        """Which way Python goes here, which is tested again at every call."""
        if condition.index not in self._decided:
            truth = self._way.pop(0) if self._way else bool(condition.value)
            self._decided[condition.index] = truth
            self._add(ArrayLine(truth, bool, (condition,)))
        return self._decided[condition.index]

    def write(self, function: Any, inputs: Sequence[Any], keywords: Mapping[str, Any]) -> Any:
        """Do one operation and write it down, unless it is known or changes nothing."""
        inputs = tuple(inputs)
        key = (function, _key(inputs), _key(tuple(keywords.items())))
        if key in self._known:
            return Traced(self, self._known[key])
        if any(isinstance(x, Arithmetic) for x in inputs):
            self.refuse("a value of the tape went into one of NumPy's own functions")
        self.quiet = self.quiet or np.geterr() != self._warnings
        plain = _map(_value, inputs)
        value = function(*plain, **{name: _map(_value, x) for name, x in keywords.items()})
        if function in _OF_FORM:
            return value
        if not (isinstance(value, (np.ndarray, np.generic)) or _is_number(value)):
            self.refuse(f"{function.__name__} gives something that is not one array")
        if function is np.multiply and (same := _times_one(inputs, value)) is not None:
            return same
        # What comes of Python's own numbers must not set the type of an array it meets.
        weak = not _is_number(value) and all(map(_is_number, plain))
        line = ArrayLine(value.item() if weak else value, function, inputs, keywords, weak)
        self._known[key] = len(self.lines)
        return self._add(line)

    def needed(self, outputs: Sequence[int]) -> list[int]:
        """What leads to an output or to a decision."""
        found = set(outputs)
        for i in reversed(range(len(self.lines))):
            if i in found or self.lines[i].function is bool:
                found.update(self.lines[i].uses, (i,))
        return sorted(found)

    def _add(self, line: ArrayLine) -> Traced:
        if len(self.lines) >= LONGEST:
            self.refuse(f"it takes more than {LONGEST} operations")
        self.lines.append(line)
        return Traced(self, len(self.lines) - 1)


def _is_number(x: Any) -> bool:
    """Whether it is a number of Python's own, which NumPy's float64 claims to be too."""
    return type(x) in (bool, int, float)


def _value(x: Any) -> Any:
    return x.value if isinstance(x, Traced) else x


def _key(x: Any) -> Any:
    """Equal for operands that are the same thing: −0.0 is not 0.0, nor 1 True."""
    if isinstance(x, (tuple, list)):
        return type(x), *map(_key, x)
    if isinstance(x, slice):
        return slice, _key(x.start), _key(x.stop), _key(x.step)
    if isinstance(x, Traced):
        return Traced, x.index
    if _is_number(x) or type(x) is str:
        return type(x), repr(x)
    return x if isinstance(x, (np.dtype, type(None))) else (id, id(x))  # alive in its line


def _times_one(inputs: Sequence[Any], value: Any) -> Any:
    """The other factor of a product with ones, such as the seed of a reverse sweep leaves."""
    for one, other in (inputs, inputs[::-1]):
        if isinstance(other, Traced) and not isinstance(one, Traced) and np.all(one == 1.0):
            kind = type(other.value), other.shape, other.dtype
            return other if kind == (type(value), np.shape(value), np.result_type(value)) else None
    return None


# Printing -----------------------------------------------------------------------------------------


class _Missed:
    """What a program returns where a decision comes out otherwise than recorded."""


MISSED = _Missed()

# Functions that may hand out the memory of their first argument in another form.
VIEWS = {np.transpose, np.reshape, np.broadcast_to, np.squeeze, np.expand_dims, np.swapaxes}
VIEWS |= {np.moveaxis, np.matrix_transpose, operator.getitem}
_REDUCTIONS: dict[Any, Any] = {np.sum: np.add, np.max: np.maximum, np.min: np.minimum}
_OWN_MEMORY = {*_REDUCTIONS, np.where}
_NAMED_OUT = {np.maximum, np.minimum}  # NumPy warns of a third argument without its name
_SIGNS = {np.add: "+", np.subtract: "-", np.multiply: "*", np.true_divide: "/"}
# What Python does to two of its own floats as NumPy does, and never raises.
_OF_FLOATS = {np.add: "+", np.subtract: "-", np.multiply: "*", np.greater: ">", np.less: "<"}
_OF_FLOATS |= {np.greater_equal: ">=", np.less_equal: "<=", np.equal: "==", np.not_equal: "!="}


class _Printer:
    """Turns a record into text: what is written where, and for how long it is needed there.

    What the caller gets back is made anew at every call. All else is written into buffers that are
    made once, and a buffer is taken again as soon as nobody will read it any more.
    """

    def __init__(self, record: ArrayRecord, result: Any) -> None:
        self.lines = record.lines
        self.quiet = record.quiet
        self.result = result
        outputs = _indices(result)
        self.needed = record.needed(outputs)
        self.owners = self._owners()
        self.escaping = {owner for i in outputs for owner in self.owners[i]}
        self.last_use: dict[int, int] = {}
        for i in self.needed:
            for used in self.lines[i].uses:
                self.last_use.update(dict.fromkeys(self.owners[used], i))
        self.names: dict[int, str] = {}
        self.scope: dict[str, Any] = {"buffer": buffer, "Vector": Vector, "MISSED": MISSED}
        self.memory: dict[str, Any] = {}  # what stays between calls: buffers, and views of them
        self.buffer_of: dict[int, str] = {}
        self.free: dict[Any, list[str]] = {}
        self.imports: set[str] = set()
        self.notes: list[str] = []
        self.setup: dict[str, str] = {}  # names, and the right-hand sides that make them once
        self.body: list[str] = []

    def _owners(self) -> dict[int, set[int]]:
        """The lines in whose memory each line may lie: itself, and what it may be a view of."""
        owners: dict[int, set[int]] = {}
        for i in self.needed:
            line = self.lines[i]
            owners[i] = {i}
            if not (isinstance(line.function, np.ufunc) or line.function in _OWN_MEMORY):
                owners[i].update(*(owners[used] for used in line.uses))
        return owners

    def program(self, arguments: int) -> tuple[str, Function]:
        """The text, and the function in it, which takes that many arguments."""
        names = [f"a{i}" for i in range(arguments)]
        for i, name in enumerate(names):
            self.names[i] = name
            self.notes.append(f"# {name}: {_form(self.lines[i].value)}")
        for i in self.needed:
            if self.lines[i].function is not None:
                self._print(i)
        self.body.append(f"return {self._answer()}")
        if self.quiet:
            around = f"with {self.function(np.errstate)}(all='ignore'):"
            self.body = [around, *(f"    {statement}" for statement in self.body)]
        parts = [
            *self.notes,
            *([f"from numpy import {', '.join(sorted(self.imports))}"] if self.imports else []),
            *(f"{name} = {right}" for name, right in self.setup.items()),
            f"def run({', '.join(names)}):  # what is written to stands last",
            *(f"    {statement}" for statement in self.body),
        ]
        source = "\n".join(parts) + "\n"
        exec(compile(source, "<emitted tensors>", "exec"), self.scope)
        return source, self.scope["run"]

    def _answer(self) -> str:
        """The result's expression. What shares memory with another part of it, or is a constant of
        the function, is copied."""
        given: set[int] = set()

        def own(x: Any) -> Any:
            if isinstance(x, Traced):
                again = isinstance(x.value, np.ndarray) and self.owners[x.index] & given
                given.update(self.owners[x.index])
                return _Text(self.text(x) + ".copy()" * bool(again))
            if isinstance(x, np.ndarray):
                return _Text(self.text(x) + ".copy()")
            if not (_is_number(x) or isinstance(x, (str, np.generic, type(None)))):
                raise Unrecordable(f"it returns a {type(x).__name__}")
            return x

        return self.text(_map(own, self.result))

    # Names and literals

    def text(self, x: Any) -> str:
        """An operand: the name of a line, a literal or the name of a constant."""
        if isinstance(x, Traced):
            return self.names[x.index]
        if isinstance(x, Vector):
            kind = "Vector" if type(x) is Vector else self.constant(type(x))
            return f"{kind}({self.text(list(x))})"
        if type(x) is tuple:
            return f"({', '.join(map(self.text, x))}{',' * (len(x) == 1)})"
        if type(x) is list:
            return f"[{', '.join(map(self.text, x))}]"
        if isinstance(x, slice):
            return f"slice({self.text(x.start)}, {self.text(x.stop)}, {self.text(x.step)})"
        if x is None or (_is_number(x) and math.isfinite(x)):
            return repr(x)
        if type(x) is _Text:
            return str(x)
        return "..." if isinstance(x, EllipsisType) else self.constant(x)

    def constant(self, x: Any) -> str:
        """The name of something that the function brought along."""
        for name, known in self.scope.items():
            if known is x:
                return name
        name = f"c{len(self.scope) - 3}"
        self.scope[name] = x
        self.notes.append(f"# {name}: {_form(x)}, constant")
        return name

    def function(self, function: Any) -> str:
        """The name of one of NumPy's functions, which the text then imports, or of one of ours."""
        name = str(function.__name__)
        if getattr(np, name, None) is function:
            self.imports.add(name)
            return name
        if getattr(matrices, name, None) is function:
            self.scope[name] = function
            return name
        if getattr(np.linalg, name, None) is function:
            self.imports.add("linalg")
            return f"linalg.{name}"
        raise Unrecordable(f"{name} is not one of NumPy's functions")

    # Lines

    def _print(self, i: int) -> None:
        line = self.lines[i]
        if line.function is bool:
            condition = self.text(line.arguments[0])
            self.body.append(f"if {'not ' * line.value}{condition}:")
            self.body.append("    return MISSED")
        elif (view := self._lasting_view(line)) is not None:
            self.names[i] = view
        elif i in self.escaping or np.ndim(line.value) == 0 or not _takes_out(line):
            self.names[i] = f"t{i}"
            self.body.append(f"t{i} = {self.call(line)}")
        elif line.function is np.where:
            condition, x, y = (self.operand(part, line.value.dtype) for part in line.arguments)
            out = self.names[i] = self.buffer(i, line.arguments[2:])
            copy = self.function(np.copyto)
            self.body += [f"{copy}({out}, {y})"] if out != y else []
            self.body.append(f"{copy}({out}, {x}, where={condition})")
        else:
            out = self.names[i] = self.buffer(i, line.arguments if _is_elementwise(line) else ())
            self.body.append(self.call(line, out))
        self.release(i)

    def call(self, line: ArrayLine, out: str = "") -> str:
        """The right-hand side that makes a line anew, or the statement that writes it into out."""
        function, keywords = line.function, line.keywords
        dtype = _type_of_arrays(line) if _is_elementwise(line) else None
        arguments = [self.operand(x, dtype) for x in line.arguments]
        if function is operator.getitem:
            return f"{arguments[0]}[{arguments[1]}]"
        if function is np.transpose and _reverses(*line.arguments, **keywords):
            return f"{arguments[0]}.T"
        if plain := self.in_python(line, arguments):
            return plain
        if _sums_rows(line):  # a product with ones does it several times as quickly
            x = line.arguments[0]
            ones = self.once("k", f"{self.function(np.ones)}({len(x)}, {str(x.dtype)!r})")
            name, arguments, keywords = self.function(np.dot), [ones, *arguments], {}
        elif _is_reduction(line):
            name = f"{self.function(_REDUCTIONS[function])}.reduce"
            keywords = {"axis": None, **keywords}
        elif _is_flat_product(line):  # dot is quicker on flat ones
            name = self.function(np.dot)
        else:
            name = self.function(function)
        arguments += [f"{key}={self.text(x)}" for key, x in keywords.items()]
        if out:
            arguments.append(f"out={out}" if keywords or function in _NAMED_OUT else out)
        return f"{name}({', '.join(arguments)}){'.item()' * line.weak}"

    def in_python(self, line: ArrayLine, arguments: Sequence[str]) -> str:
        """An operation on single numbers by Python's own signs, many times as quick as a call of
        NumPy's; "" where those might give another number or raise."""
        if np.ndim(line.value):
            return ""
        given = [_value(x) for x in line.arguments]
        signs = _OF_FLOATS if line.weak else _OF_FLOATS | _SIGNS
        if line.function in signs and (not line.weak or {type(x) for x in given} == {float}):
            return f"{arguments[0]} {signs[line.function]} {arguments[1]}"
        if line.function is not np.where or type(given[0]) not in (bool, np.bool_):
            return ""
        kinds = [np.float64 if type(x) is float else np.result_type(x) for x in given[1:]]
        kind = np.result_type(line.value)
        parts = []
        for x, own, text in zip(given[1:], kinds, arguments[1:], strict=True):
            if type(x) is float and not line.weak:  # of the other's type, as NumPy would make it
                one = f"{self.function(kind.type)}({text})"
                text = self.once("k", one) if text == repr(x) else one
            elif own != kind:
                return ""
            parts.append(text)
        return f"{parts[0]} if {arguments[0]} else {parts[1]}"

    def operand(self, x: Any, dtype: np.dtype[Any] | None) -> str:
        """Its text. A number beside arrays is made an array of their type once, as NumPy would
        make one of it at every call, which takes as long as the sum of some hundred numbers."""
        if dtype is not None and dtype.kind == "f" and _is_number(x) and math.isfinite(x):
            return self.once("k", f"{self.function(np.array)}({x!r}, {str(dtype)!r})")
        return self.text(x)

    # Memory

    def once(self, letter: str, right: str, value: Any = None) -> str:
        """The name of something that is made once and stays between calls."""
        for name, known in self.setup.items():
            if known == right and letter != "b":
                return name
        name = f"{letter}{sum(name[0] == letter for name in self.setup)}"
        self.setup[name] = right
        self.memory[name] = value
        return name

    def _lasting_view(self, line: ArrayLine) -> str | None:
        """The name of a view that holds at every call, as what it shows is a buffer."""
        if line.function not in VIEWS or len(line.uses) != 1:
            return None
        base = self.memory.get(self.names[line.uses[0]])
        if base is None:
            return None
        view = line.function(base, *line.arguments[1:], **line.keywords)
        return self.once("v", self.call(line), view) if np.shares_memory(view, base) else None

    def buffer(self, i: int, over: Sequence[Any]) -> str:
        """A buffer for line i: that of an operand in `over` that is not needed any more, or else
        one that is free, or else a new one."""
        value = self.lines[i].value
        for used in _indices(list(over)):
            if self._may_replace(i, used):
                self.buffer_of[i] = self.buffer_of.pop(used)
                return self.buffer_of[i]
        free = self.free.get((value.shape, value.dtype))
        if free:
            self.buffer_of[i] = free.pop()
        else:
            right = f"buffer({value.shape}, {str(value.dtype)!r})"
            self.buffer_of[i] = self.once("b", right, np.empty(value.shape, value.dtype))
        return self.buffer_of[i]

    def _may_replace(self, i: int, used: int) -> bool:
        """Whether line i may be written over an operand: nobody reads that later, and this line
        reads it element by element and not through a view as well."""
        new, old = self.lines[i].value, self.lines[used].value
        return (
            used in self.buffer_of
            and self.last_use[used] == i
            and (new.shape, new.dtype) == (old.shape, old.dtype)
            and not any(used in self.owners[j] for j in self.lines[i].uses if j != used)
        )

    def release(self, i: int) -> None:
        """Give back the buffers that nobody reads after line i."""
        for owner in [owner for owner in self.buffer_of if self.last_use[owner] <= i]:
            value = self.lines[owner].value
            name = self.buffer_of.pop(owner)
            self.free.setdefault((value.shape, value.dtype), []).append(name)


def buffer(shape: tuple[int, ...], dtype: str) -> Any:
    """Like np.empty, but it starts with a cache line: reading across two of them takes longer."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    memory = np.empty(size + 64, np.uint8)
    start = -memory.ctypes.data % 64
    return memory[start : start + size].view(dtype).reshape(shape)


class _Text(str):
    """An operand that is written already."""

    __slots__ = ()


def _form(x: Any) -> str:
    return f"{x.shape} {x.dtype}" if hasattr(x, "dtype") else type(x).__name__


def _takes_out(line: ArrayLine) -> bool:
    """Whether its result, an array, can be written into one that is there."""
    if line.function is np.where:
        condition = line.arguments[0]
        return len(line.arguments) == 3 and np.result_type(_value(condition)).kind == "b"
    return isinstance(line.function, np.ufunc) or _is_reduction(line)


def _is_elementwise(line: ArrayLine) -> bool:
    return isinstance(line.function, np.ufunc) and line.function.signature is None


def _type_of_arrays(line: ArrayLine) -> np.dtype[Any] | None:
    """The type that all its arrays have; None where it has none or several."""
    types = {x.dtype for x in line.arguments if hasattr(x, "dtype") and x.shape}
    return types.pop() if len(types) == 1 else None


def _is_reduction(line: ArrayLine) -> bool:
    if line.function not in _REDUCTIONS or len(line.arguments) != 1:
        return False
    x = line.arguments[0]
    plain = isinstance(x, Traced) and line.keywords.keys() <= {"axis", "keepdims"}
    return plain and x.dtype.kind == "f" and x.dtype == np.result_type(line.value)


def _sums_rows(line: ArrayLine) -> bool:
    """Whether it is the sum of a matrix over its first axis."""
    axis, keepdims = (line.keywords.get(name) for name in ("axis", "keepdims"))
    whole = line.function is np.sum and axis in (0, (0,)) and not keepdims
    return whole and _is_reduction(line) and line.arguments[0].ndim == 2


def _is_flat_product(line: ArrayLine) -> bool:
    """Whether it is a product of matrices and vectors of one type of floats."""
    if line.function is not np.matmul:
        return False
    types = {np.result_type(_value(x)) for x in (*line.arguments, line.value)}
    flat = all(np.ndim(_value(x)) in (1, 2) for x in line.arguments)
    return flat and len(types) == 1 and types.pop().kind == "f"


def _reverses(x: Traced, axes: Any = None) -> bool:
    return axes is None or tuple(axes) == tuple(reversed(range(x.ndim)))


# Calling ------------------------------------------------------------------------------------------


def _flatten(parts: Sequence[Any], leaves: list[Any], form: list[Any]) -> None:
    """Collect the arrays and floats, and the form of all parts: what a program rests on."""
    for x in parts:
        kind = type(x)
        if kind is np.ndarray:
            leaves.append(x)
            form.append(x.dtype)
            form.append(x.shape)
        elif kind is tuple or kind is list or isinstance(x, Vector):
            form.append((kind, len(x)))
            _flatten(x, leaves, form)
        elif kind is float or isinstance(x, np.generic):
            leaves.append(x)
            form.append(kind)
        elif x is None or kind in (bool, int, str):
            form.append((kind, x))
        else:
            raise Unrecordable(f"it is called with a {kind.__name__}")


@dataclass(frozen=True, slots=True)
class RecordedFunction:
    """A recorded function for arguments of one form; source is "" where it could not be recorded,
    and reason says why."""

    form: list[Any]
    source: str
    run: Function | None
    reason: str = ""


def _run(
    function: Function, arguments: Sequence[Any], leaves: Sequence[Any], way: Sequence[bool] = ()
) -> tuple[ArrayRecord, Any]:
    """The record of a function run on stand-ins for the leaves of its arguments, and its result."""
    record = ArrayRecord(way)
    waiting = iter([record.argument(x) for x in leaves])

    def stand_in(x: Any) -> Any:
        return next(waiting) if type(x) is float or hasattr(x, "dtype") else x

    try:
        result = function(*_map(stand_in, arguments))
    except Exception:
        if record.refused is None:
            raise
    if record.refused is not None:  # whatever became of the exception that said so
        raise Unrecordable(record.refused)
    return record, result


def recorded(
    function: Function, arguments: Sequence[Any], way: Sequence[bool] = ()
) -> tuple[ArrayRecord, Any, int]:
    """The record of function(*arguments), its result in terms of it, and how many arrays and
    floats the arguments hold: they are the record's first lines. `way` says which way its first
    decisions go. Raises Unrecordable."""
    leaves: list[Any] = []
    _flatten(arguments, leaves, [])
    return *_run(function, arguments, leaves, way), len(leaves)


class Compiled:
    """See `compiled`. `recordings` counts how often the function has been recorded."""

    def __init__(self, function: Function) -> None:
        self.function = function
        self.recordings = 0
        self._programs: list[RecordedFunction] = []
        self._lock = threading.Lock()

    @property
    def source(self) -> str:
        """The text that ran last; "" where the function ran as it stands."""
        return self._programs[0].source if self._programs else ""

    @property
    def reason(self) -> str:
        """Why the function ran as it stands; "" where it is recorded."""
        return self._programs[0].reason if self._programs else ""

    def __call__(self, *arguments: Any) -> Any:
        leaves: list[Any] = []
        form: list[Any] = []
        try:
            _flatten(arguments, leaves, form)
        except Unrecordable:  # such as the values of a tape that is being written
            return self.function(*arguments)
        if not self._lock.acquire(blocking=False):  # the buffers are in use by another thread
            return self.function(*arguments)
        try:
            for program in self._programs:
                if program.form == form:
                    if program.run is None:
                        return self.function(*arguments)
                    answer = program.run(*leaves)
                    if answer is not MISSED:
                        self._use(program)
                        return answer
            return self._first(arguments, leaves, form)
        finally:
            self._lock.release()

    def _use(self, program: RecordedFunction) -> None:
        """Put a program in front."""
        if self._programs and self._programs[0] is program:
            return
        others = [other for other in self._programs if other is not program]
        self._programs = [program, *others[: KEPT - 1]]

    def _first(self, arguments: Any, leaves: list[Any], form: list[Any]) -> Any:
        """The answer to a call that no program fits, and a program for those like it."""
        answer: Any = MISSED
        try:
            program = self._recorded(arguments, leaves, form)
            if program.run is not None:
                answer = program.run(*leaves)
            reason = "a decision hangs on the last digit"
        except Exception as error:
            reason = str(error)
        if answer is MISSED:
            answer = self.function(*arguments)  # if the fault is its own, it says so here
            program = RecordedFunction(form, "", None, reason)
        self.recordings = min(self.recordings + 1, RECORDINGS)
        self._use(program)
        return answer

    def _recorded(self, arguments: Any, leaves: list[Any], form: list[Any]) -> RecordedFunction:
        if self.recordings == RECORDINGS:
            raise Unrecordable("it goes another way at every call")
        record, result = _run(self.function, arguments, leaves)
        return RecordedFunction(form, *_Printer(record, result).program(len(leaves)))


def compiled(function: Function) -> Compiled:
    """function, recorded at its first call and then run as printed NumPy, with the same results.

    function takes and returns arrays, floats, and tuples, lists and Vectors of them; derivatives
    may be taken inside: `compiled(autograd.value_and_grad(loss))`. It must be pure: what is not an
    argument (arrays it closes over, random numbers it draws) is a constant of the recording.
    Integers, strings and None in its arguments are settings: each value is recorded apart.

    What is returned is the caller's own, never a buffer. Sums and products may be rounded in
    another order than NumPy's plain functions do it.
    """
    return Compiled(function)
