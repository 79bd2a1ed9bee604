"""Records of array operations as NumPy that people read: for scripts to take along.

Where the compiled text has a buffer for every result, here what is read once stands where it is
read, brackets stand only where they must, and each way that a decision can go is a branch.
"""

from __future__ import annotations

import operator
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from types import EllipsisType
from typing import Any, Final

import numpy as np

from engine.emit.dialect import indent
from engine.emit.tensor import ArrayLine, Traced, recorded
from engine.tape import Vector, matrices

LONGEST: Final = 76  # characters of an expression that is written into the one that reads it
MOST_BRANCHES: Final = 32  # ways through a function that are written out

_COMPARED, _OR, _AND, _SUM, _PRODUCT, _SIGN, _POWER, _ATOM = range(8)
_INFIX: Final = {
    "add": ("+", _SUM), "subtract": ("-", _SUM), "multiply": ("*", _PRODUCT),
    "divide": ("/", _PRODUCT), "matmul": ("@", _PRODUCT), "greater": (">", _COMPARED),
    "less": ("<", _COMPARED), "greater_equal": (">=", _COMPARED), "less_equal": ("<=", _COMPARED),
    "equal": ("==", _COMPARED), "not_equal": ("!=", _COMPARED), "bitwise_and": ("&", _AND),
    "logical_and": ("&", _AND), "bitwise_or": ("|", _OR), "logical_or": ("|", _OR),
}  # fmt: skip
OF_MATRICES: Final = {
    f.__name__: f
    for f in (
        matrices.eigen, matrices.basis, matrices.orthonormal, matrices.ranking, matrices.bound,
        matrices.solved_right,
    )
}  # fmt: skip


class Asked:
    """A function that the script has itself, in a function that is recorded.

    `name(*tensors)[part]` is what a call says; where `part` is None, all of it is one array.
    """

    def __init__(self, name: str, part: tuple[int, ...], value: Any) -> None:
        self.__name__ = name
        self.part = part
        self._value = value

    def __call__(self, *tensors: Any) -> Any:
        return self._value


class ArraySource:
    """A function of arrays as the body of one in Python.

    function(*arguments) is recorded; `names` are those of the arrays and floats in its arguments,
    in their order. `returned(result)` is what to return, a tuple of several, and `called(result)`
    names for parts of the result that are worth one. `asked` are the calls of functions that the
    script has: how a call of Asked.name is written, of the text of its tensors. Without `branching`
    decisions are checks that these arguments pass. `used` holds, once written, which of the names
    the text reads, `reads` which arguments each result hangs on.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        arguments: Sequence[Any],
        names: Sequence[str],
        *,
        asked: Mapping[str, Callable[[str], str]] | None = None,
        called: Callable[[Any], Mapping[str, Any]] | None = None,
        returned: Callable[[Any], Any] = lambda result: result,
        branching: bool = True,
    ) -> None:
        self.function, self.arguments, self.names = function, arguments, list(names)
        self.asked = dict(asked or {})
        self._called = called or (lambda result: {})
        self._returned = returned
        self._branching = branching
        self.used: set[str] = set()
        self.reads: list[set[int]] = []  # of every result of every branch: the arguments in it
        self._branches = 0

    def body(self) -> list[str]:
        """The statements, the last a return in every branch."""
        return self._branch((), {i: (n, _ATOM) for i, n in enumerate(self.names)}, {}, set())

    def _branch(
        self, way: tuple[bool, ...], known: dict[int, tuple[str, int]],
        answers: dict[Any, str], taken: set[str],
    ) -> list[str]:  # fmt: skip
        """What is left to do once the first decisions have gone this way."""
        record, result, _ = recorded(self.function, self.arguments, way)
        decisions = [i for i, line in enumerate(record.lines) if line.function is bool]
        decided = {
            record.lines[i].arguments[0].index: bool(record.lines[i].value)
            for i in decisions[: len(way)]
        }
        writer = _Writer(self, record.lines, known, answers, taken, decided)
        if self._branching and len(decisions) > len(way):
            condition = record.lines[decisions[len(way)]].arguments[0]
            writer.name_parts({}, [condition])
            test, _ = writer.expression(condition)
            sides = [
                self._branch((*way, side), dict(writer.known), dict(writer.answers), set(taken))
                for side in (True, False)
            ]
            return [
                *writer.statements, f"if {test}:", *indent(1, sides[0]), *sides[1],
            ]  # fmt: skip
        self._branches += 1
        if self._branches > MOST_BRANCHES:
            raise ValueError("it goes too many ways to be written out")
        returned = self._returned(result)
        conditions = [record.lines[i].arguments[0] for i in decisions]
        self.reads = _joined(self.reads, [
            _arguments(record.lines, [x, *conditions], len(self.names)) for x in _leaves(returned)
        ])  # fmt: skip
        writer.name_parts(self._called(result), returned)
        text = writer.nested(returned)
        return [*writer.statements, f"return {text}"]


def _alike(a: Any, b: Any) -> bool:
    if isinstance(a, Traced) or isinstance(b, Traced):
        return isinstance(a, Traced) and isinstance(b, Traced) and a.index == b.index
    return np.ndim(a) == 0 and np.ndim(b) == 0 and a == b


def _value(x: Any) -> Any:
    return x.value if isinstance(x, Traced) else x


def _leaves(x: Any) -> list[Any]:
    if isinstance(x, (tuple, list)):
        return [leaf for part in x for leaf in _leaves(part)]
    return [x]


def _joined(a: list[set[int]], b: list[set[int]]) -> list[set[int]]:
    return [x | y for x, y in zip(a, b, strict=True)] if a else b


def _arguments(lines: Sequence[ArrayLine], outputs: Sequence[Any], count: int) -> set[int]:
    """The arguments that something hangs on."""
    waiting = [x.index for x in outputs if isinstance(x, Traced)]
    found = set()
    while waiting:
        i = waiting.pop()
        if i not in found:
            found.add(i)
            waiting += lines[i].uses
    return {i for i in found if i < count}


class _Writer:
    """Writes down what some results need, once each."""

    def __init__(
        self, source: ArraySource, lines: Sequence[ArrayLine], known: dict[int, tuple[str, int]],
        answers: dict[Any, str], taken: set[str], decided: Mapping[int, bool],
    ) -> None:  # fmt: skip
        self.source, self.lines, self.known = source, lines, dict(known)
        self.answers, self.taken, self.decided = answers, taken, decided
        self.statements: list[str] = []
        self.called: dict[int, str] = {}
        self.reads: Counter[int] = Counter()

    def name_parts(self, called: Mapping[str, Any], outputs: Any) -> None:
        """Note which lines have names, and how often each is read on the way to the outputs."""
        for name, part in called.items():
            if isinstance(part, Traced) and part.index >= len(self.source.names):
                self.called.setdefault(part.index, name)
        wanted = [x.index for x in _leaves(outputs) if isinstance(x, Traced)]
        self.reads = Counter(wanted)
        seen = set()
        while wanted:
            i = wanted.pop()
            if i in seen:
                continue
            seen.add(i)
            uses = self._uses(self.lines[i])
            self.reads.update(uses)
            wanted += uses
        for i in sorted(seen):
            if i not in self.known:
                self._write(i)

    def _uses(self, line: ArrayLine) -> list[int]:
        """The lines that are read where this one is written."""
        if line.function is None:
            return []
        if (same := self._same(line)) is not None:
            return [same.index] if isinstance(same, Traced) else []
        if line.function is np.where and (found := self._larger(line)) is not None:
            return [x.index for x in found[1:] if isinstance(x, Traced)]
        return line.uses

    def expression(self, x: Any) -> tuple[str, int]:
        """The text of an operand, and how strongly it holds together."""
        if isinstance(x, Traced):
            text = self.known[x.index]
            if x.index < len(self.source.names):
                self.source.used.add(text[0])
            return text
        if isinstance(x, np.ndarray):
            return _constant(x)
        if isinstance(x, (tuple, list)):
            inner = ", ".join(self.expression(part)[0] for part in x)
            return (f"[{inner}]" if isinstance(x, list) else f"({inner})"), _ATOM
        if isinstance(x, np.dtype):
            return f"np.{x.name}", _ATOM
        value = x.item() if isinstance(x, np.generic) else x
        if isinstance(value, float) and not np.isfinite(value):
            return ("np.nan" if np.isnan(value) else f"{'-' * (value < 0)}np.inf"), _SIGN
        written = repr(value)
        return written, _SIGN if written.startswith("-") else _ATOM

    def nested(self, x: Any) -> str:
        """Results as they are returned: lists of tensors among them."""
        if isinstance(x, tuple):
            return ", ".join(map(self.nested, x))
        if isinstance(x, (list, Vector)):
            return f"[{', '.join(map(self.nested, x))}]"
        return self.expression(x)[0]

    def _write(self, i: int) -> None:
        line = self.lines[i]
        same = self._same(line)
        text, strength = self._text(line) if same is None else self.expression(same)
        short = strength == _ATOM and re.fullmatch(r"[\w.]+(\[\w+\])*", text) is not None
        if short or (i not in self.called and self.reads[i] <= 1 and len(text) <= LONGEST):
            self.known[i] = text, strength
            return
        name = self._free(self.called.get(i, "a"))
        self.known[i] = name, _ATOM
        self.statements.append(f"{name} = {text}")

    def _free(self, wished: str) -> str:
        """A name that is not taken: the one wished for, or with a number."""
        name, number = wished, 1
        reserved = {*self.source.names, *self.source.asked, *OF_MATRICES, "np", "t"}
        if wished == "a":
            name = "a1"
        while name in reserved or name in self.taken:
            number += 1
            name = f"{wished}{number}"
        self.taken.add(name)
        return name

    def _same(self, line: ArrayLine) -> Any:
        """What the line comes to where that needs no operation, else None. On finite numbers this
        changes no more than the sign of a zero."""
        name, arguments = line.function.__name__, line.arguments
        if name in ("add", "multiply") and not isinstance(line.function, Asked):
            for one, other in (arguments, arguments[::-1]):
                if type(one) in (int, float) and one == (name == "multiply"):
                    return other
        if name == "where" and isinstance(arguments[0], Traced):
            way = self.decided.get(arguments[0].index)
            chosen = arguments[1 if way else 2]
            if way is not None and np.shape(_value(chosen)) == np.shape(line.value):
                return chosen
        return None

    def _larger(self, line: ArrayLine) -> tuple[str, Any, Any] | None:
        """Whether a choice is the larger or the smaller of two, NaN where either is."""
        known, inner, x = line.arguments
        if not all(isinstance(part, Traced) for part in (known, inner, x)):
            return None
        test, choice = self.lines[known.index], self.lines[inner.index]
        if test.function is not np.equal or choice.function is not np.where:
            return None
        compared, first, y = choice.arguments
        if not isinstance(compared, Traced):
            return None
        order = self.lines[compared.index]
        name = {np.greater_equal: "np.maximum", np.less_equal: "np.minimum"}.get(order.function)
        given = (*test.arguments, first, order.arguments[0])
        if name is None or not all(isinstance(a, Traced) and a.index == x.index for a in given):
            return None
        return (name, x, y) if _alike(order.arguments[1], y) else None

    def _text(self, line: ArrayLine) -> tuple[str, int]:
        function, arguments = line.function, line.arguments
        if function is np.where and (found := self._larger(line)) is not None:
            name, *both = found
            return f"{name}({', '.join(self.expression(x)[0] for x in both)})", _ATOM
        if isinstance(function, Asked):
            return self._answer(function, arguments), _ATOM
        name = function.__name__
        if function is operator.getitem:
            text = self._bound(arguments[0], _ATOM)
            return f"{text}[{self._key(arguments[1])}]", _ATOM
        if name in _INFIX:
            sign, strength = _INFIX[name]
            left = self._bound(arguments[0], strength + (strength == _COMPARED))
            right = self._bound(arguments[1], strength + 1)
            return f"{left} {sign} {right}", strength
        if name == "negative":
            return f"-{self._bound(arguments[0], _SIGN)}", _SIGN
        if name in ("power", "float_power"):
            left = self._bound(arguments[0], _ATOM)
            return f"{left} ** {self._bound(arguments[1], _SIGN)}", _POWER
        if name in ("logical_not", "invert"):
            return f"~{self._bound(arguments[0], _SIGN)}", _SIGN
        if name == "transpose" and len(arguments) == 1 and not line.keywords:
            return f"{self._bound(arguments[0], _ATOM)}.T", _ATOM
        if name == "absolute":
            name = "abs"
        if name not in OF_MATRICES:
            name = f"np.{name}"
        given = [self.expression(x)[0] for x in arguments]
        given += [
            f"{k}={self.expression(v)[0]}"
            for k, v in line.keywords.items()
            if v is not None and v is not False
        ]
        return f"{name}({', '.join(given)})", _ATOM

    def _bound(self, x: Any, strength: int) -> str:
        """An operand beside a sign that holds that strongly."""
        text, own = self.expression(x)
        return text if own >= strength else f"({text})"

    def _key(self, key: Any) -> str:
        if isinstance(key, tuple):
            return ", ".join(map(self._key, key))
        if isinstance(key, slice):
            ends = ["" if end is None else str(end) for end in (key.start, key.stop)]
            return ":".join(ends) + (f":{key.step}" if key.step is not None else "")
        return "..." if isinstance(key, EllipsisType) else self.expression(key)[0]

    def _answer(self, asked: Asked, tensors: Sequence[Any]) -> str:
        """A part of what the script's own function says, which is asked once."""
        call = self.source.asked[asked.__name__](", ".join(self.expression(x)[0] for x in tensors))
        if call not in self.answers:
            self.answers[call] = self._free("found")
            self.statements.append(f"{self.answers[call]} = {call}")
        self.source.used.add(asked.__name__)
        return self.answers[call] + "".join(f"[{part}]" for part in asked.part)


def _constant(x: np.ndarray[Any, Any]) -> tuple[str, int]:
    """An array that the function brought along, as short as it can be said."""
    shape = x.shape
    if x.size and np.all(x == x.flat[0]):
        return f"np.full({shape}, {x.flat[0].item()!r})", _ATOM
    if x.ndim == 2 and shape[0] == shape[1]:
        first = x.flat[0].item()
        for made, text in (
            (np.eye(shape[0]), f"np.eye({shape[0]})"),
            (np.triu(np.ones(shape)), f"np.triu(np.ones({shape}))"),
        ):
            if np.array_equal(x, first * made):
                return (text, _ATOM) if first == 1.0 else (f"{first!r} * {text}", _PRODUCT)
    return f"np.array({x.tolist()!r})", _ATOM
