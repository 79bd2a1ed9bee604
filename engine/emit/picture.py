"""Pictures as traced functions: what a page draws, as a tape that the reader's browser runs again.

A page takes its values from a `Picture` as traced Values and makes curves, marks, axes and words
of them with the engine's operations. The tape that this leaves, a list of array operations, goes
to the browser as it is; there a small interpreter computes it anew whenever a value moves. The
data on the tape are Python's own answer: what is shown at rest, and what the browser is held to.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from string import Formatter
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.tape import Operation, Tape, Value
from engine.tape import operations as ops

Array = npt.NDArray[np.float64]

# Operations of pictures alone -----------------------------------------------------------------
# They shape and measure arrays for the eye; nothing is differentiated through them.


def _finite(x: Any) -> Array:
    x = np.asarray(x, dtype=float)
    finite: Array = x[np.isfinite(x)]
    return finite


def _largest(*arrays: Any) -> float:
    return max((float(f.max()) for f in map(_finite, arrays) if f.size), default=-math.inf)


def _smallest(*arrays: Any) -> float:
    return min((float(f.min()) for f in map(_finite, arrays) if f.size), default=math.inf)


def _entry(x: Any, i: Any) -> Any:
    """The entry of x (along its first axis) nearest to i, held among those that there are."""
    x = np.asarray(x)
    return x[int(min(max(np.floor(np.float64(i) + 0.5), 0), len(x) - 1))]


def _first(condition: Any) -> float:
    """The first index at which condition holds, NaN where it never does."""
    at = np.flatnonzero(np.asarray(condition))
    return float(at[0]) if at.size else math.nan


def _count(x: Any) -> float:
    return float(len(x))


def _stack(*parts: Any) -> Array:
    return np.array([float(p) for p in parts])


def _join(*parts: Any) -> Array:
    return np.concatenate([np.atleast_1d(np.asarray(p, dtype=float)) for p in parts])


def _running_average(x: Any, beta: Any) -> Array:
    average, out = 0.0, []
    for value in np.asarray(x, dtype=float).tolist():
        average = beta * average + (1.0 - beta) * value
        out.append(average)
    return np.array(out)


def _bounded_sum(x: Any, low: Any, high: Any) -> Array:
    total, out = 0.0, []
    for value in np.asarray(x, dtype=float).tolist():
        total = float(np.clip(total + value, low, high))
        out.append(total)
    return np.array(out)


def _plain(function: Callable[..., Any]) -> Callable[..., Any]:
    def evaluate(*inputs: Any, **parameters: Any) -> Any:
        with np.errstate(all="ignore"):
            return function(*inputs, **parameters)

    return evaluate


floor = Operation("floor", _plain(np.floor))
ceil = Operation("ceil", _plain(np.ceil))
largest = Operation("largest", _largest)
"""The largest finite number among all arrays; −∞ where there is none."""
smallest = Operation("smallest", _smallest)
"""The smallest finite number among all arrays; ∞ where there is none."""
running_sum = Operation("running_sum", _plain(np.cumsum))
running_largest = Operation("running_largest", _plain(np.maximum.accumulate))
bounded_sum = Operation("bounded_sum", _bounded_sum)
"""Where steps lead from 0 if each that would leave [low, high] ends at its edge; after NaN, NaN."""
running_average = Operation("running_average", _running_average)
"""m ← βm + (1 − β)x along a 1-D array, from zero: what an optimizer's average holds."""
entry = Operation("entry", _entry)
first = Operation("first", _first)
count = Operation("count", _count)
stack = Operation("stack", _stack)
"""Numbers, side by side as a 1-D array."""
join = Operation("join", _join)
"""Numbers and 1-D arrays, end to end."""
held = Operation("held", lambda x: x)
"""An array as it is (see Picture.held)."""


def linspace(low: Any, high: Any, count: int) -> Any:
    """`count` points from low to high, which may be traced."""
    return low + (high - low) * (np.arange(count) / max(count - 1, 1))


def geomspace(low: Any, high: Any, count: int) -> Any:
    """`count` points from low to high in equal ratios; both positive."""
    return ops.exp(linspace(ops.log(low), ops.log(high), count))


def round_to(x: Any, digits: int) -> Any:
    """x to so many digits after the point; halves go up."""
    return floor(x * 10.0**digits + 0.5) / 10.0**digits


def round_digits(x: Any, digits: int) -> Any:
    """A positive x to so many significant digits, as decimals that are short to write."""
    scale = ops.power(10.0, digits - 1.0 - floor(ops.log(x) / math.log(10.0)))
    return floor(x * scale + 0.5) / scale


def at_rest(here: Any, moved: Any, *inputs: Any) -> Any:
    """`here` as long as no traced input has moved from where Python found it, then `moved`.

    For what Python alone can know to its last digit, and for what a last bit decides, such as
    round-off drawn large: a browser's own is as good, but another.
    """
    still: Any = True
    for x in inputs:
        if type(x) is Value:
            still = ops.both(ops.equal(x, x.data), still)
    return here if still is True else ops.where(still, here, moved)


# Words ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """A sentence with numbers in it that move: a `str.format` template and what goes into it.

    A field `{:4}` writes a number in short, to so many significant digits; `{:4b}` the same, in
    brackets where it is negative; `{:t}` says true or false; `{:.3f}`, `{:+.3f}`, `{:.0f}` and
    `{:.1%}` as in Python. See `written`. What follows `{:?}` is left out where that argument is
    0 or false, up to the next `{:?}`.
    """

    template: str
    arguments: tuple[Any, ...]

    def __str__(self) -> str:
        parts = []
        numbers = iter(self.arguments)
        said = True
        for text, field, spec, _ in Formatter().parse(self.template):
            number = _data(next(numbers)) if field is not None else None
            if said:
                parts.append(text)
            if spec == "?":
                said = bool(number)
            elif said and number is not None:
                parts.append(written(number, spec or ""))
        return "".join(parts)

    def spec(self) -> list[str | list[str]]:
        """The pieces: texts, and [spec] where the next argument stands."""
        parts: list[str | list[str]] = []
        for text, field, spec, _ in Formatter().parse(self.template):
            if text:
                parts.append(text)
            if field is not None:
                parts.append([spec or ""])
        return parts


def words(template: str, *arguments: Any) -> Any:
    """`template.format(*arguments)`, which follows its arguments where any is traced."""
    sentence = Words(template, arguments)
    traced = any(isinstance(a, Value) for a in arguments)
    return sentence if traced else str(sentence)


NARROW: Final = "\u202f"  # the space between thousands, and before a percent sign
_SUPERSCRIPTS: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_LOWERED: Final = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
TIMES: Final = "\u00a0×\u00a0"  # a number is never torn apart at the end of a line
_POWER: Final = re.compile(f"({TIMES})?10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)$")


def written(x: Any, spec: str = "") -> str:
    """A number as readers see it: the one way of writing numbers, here and in the browser.

    True minus signs, powers of ten as powers (6.6 × 10⁻¹⁰), narrow spaces between thousands from
    10 000 on and before a percent sign.  spec is Python's, or a bare number of significant
    digits (4 where it is empty), which a "b" after it puts into brackets where it is negative;
    "t" writes a truth value.
    """
    value = float(x)
    if spec == "t":
        return "true" if value else "false"
    if spec[:-1].isdigit() and spec.endswith("b"):
        text = written(value, spec[:-1])
        return f"({text})" if text.startswith("−") else text
    if math.isnan(value):
        return "not a number"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if spec and not spec.isdigit():
        return _formatted(value, spec)
    digits = int(spec or 4)
    if value == 0:
        return "0"
    mantissa, exponent = f"{abs(value):.{digits - 1}e}".split("e")
    sign = "−" if value < 0 else ""
    power = int(exponent)
    if -4 <= power < 6:
        return sign + _grouped(_trimmed(f"{abs(value):.{max(digits - 1 - power, 0)}f}"))
    mantissa = _trimmed(mantissa)
    tens = "10" + str(power).translate(_SUPERSCRIPTS)
    return sign + (tens if mantissa == "1" else f"{mantissa}{TIMES}{tens}")


def _formatted(value: float, spec: str) -> str:
    """A number as a format of Python's says: `+`, `,` and .2f, .1%, .2e, .3g or d."""
    plus, kind = "+" if spec.startswith("+") else "", spec[-1]
    bare = spec.lstrip("+").replace(",", "")
    size = abs(value)
    if kind == "e":
        mantissa, exponent = format(size, bare).split("e")
        tens = f"{TIMES}10{str(int(exponent)).translate(_SUPERSCRIPTS)}" if size else ""
        text = mantissa + tens
    elif kind == "g" or kind.isdigit():
        mantissa = text = written(size, bare.strip(".g") or "6")
    else:
        places = bare[1:-1] or ("0" if kind == "d" else "6")
        mantissa = _grouped(f"{size * 100 if kind == '%' else size:.{places}f}")
        text = mantissa + (f"{NARROW}%" if kind == "%" else "")
    if value < 0 and any(c in "123456789" for c in mantissa):  # no minus zero
        return f"−{text}"
    return plus + text


def _trimmed(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def _grouped(text: str) -> str:
    whole, point, rest = text.partition(".")
    return f"{int(whole):,}".replace(",", NARROW) + point + rest if len(whole) > 4 else text


def in_latex(x: Any, spec: str = "") -> str:
    """The same number in LaTeX."""
    text = written(x, spec).replace("−", "-").replace("∞", r"\infty").replace("%", r"\%")
    text = text.replace(NARROW, r"\,")
    found = _POWER.search(text)
    if found is None:
        return text
    times = r" \times " if found[1] else ""
    return f"{text[: found.start()]}{times}10^{{{found[2].translate(_LOWERED)}}}"


def addends(terms: Sequence[float], digits: int) -> tuple[list[str], str]:
    """Terms and their sum as written, such that what stands there adds up.

    The sum has `digits` after the point; the terms have as many or, where the sum of the rounded
    ones would round to something else, more.
    """
    total = written(math.fsum(terms), f".{digits}f")
    for more in range(digits, digits + 6):
        parts = [float(format(term, f".{more}f")) for term in terms]
        if written(math.fsum(parts), f".{digits}f") == total:
            break
    return [written(term, f".{more}f") for term in terms], total


def summing_up(terms: Any, digits: int = 4) -> Any:
    """An array of terms, traced, rounded as `addends` writes them: the form "8" shows the digits
    that are left and no others."""
    total = round_to(ops.sum(terms), digits)
    found = round_to(terms, digits + 5)
    for more in range(digits + 4, digits - 1, -1):
        rounded = round_to(terms, more)
        off = round_to(ops.sum(rounded), digits) - total
        found = ops.where(abs(off) < 0.5 * 10.0**-digits, rounded, found)
    return found


def adding_up(*terms: Any) -> tuple[Any, ...]:
    """Two or three terms and, last, their sum, all rounded alike so that they add up exactly.

    To four digits after the point or, where that does not add up, to three, else to more; what is
    infinite stays so. Numbers may be traced; written with the form "8" they show no other digits.
    """
    exact = (*terms, sum(terms))
    longest = [round_to(x, _TRIED[-1]) for x in terms]
    found = (*longest, sum(longest))
    for digits in reversed(_TRIED[:-1]):
        rounded = tuple(round_to(x, digits) for x in exact)
        with np.errstate(invalid="ignore"):  # ∞ − ∞, which is not looked at
            off = ops.where(exact[-1] < math.inf, sum(rounded[:-1]) - rounded[-1], 0.0)
        fits = abs(off) < 0.5 * 10.0**-digits
        found = tuple(ops.where(fits, x, y) for x, y in zip(rounded, found, strict=True))
    return found


_TRIED: Final = (4, 3, 5, 6, 7, 8)


def _data(x: Any) -> Any:
    return x.data if type(x) is Value else x


# The picture ----------------------------------------------------------------------------------


class Picture:
    """The values of a page on a tape, and everything that is drawn from them.

    `picture[name]` is the traced value of that name, a number or a 1-D array; `hand` holds the
    coordinates of what is dragged or clicked, for expressions of what that sets.
    """

    def __init__(self, values: Mapping[str, float | Sequence[float]]) -> None:
        self.tape = Tape()
        self.inputs: dict[str, Value] = {}
        self._given = values
        self.hand = (self._variable("hand.x", 0.5), self._variable("hand.y", 0.5))

    def _variable(self, name: str, data: Any) -> Value:
        value = self.tape.variable(data)
        self.inputs[name] = value
        return value

    def __getitem__(self, name: str) -> Any:
        """The traced value; KeyError for a name that the page does not have."""
        if name not in self.inputs:
            data = self._given[name]
            if isinstance(data, (int, float)):
                self._variable(name, np.float64(data))
            else:
                self._variable(name, np.asarray(data, dtype=float))
        return self.inputs[name]

    def held(self, array: Array) -> Value:
        """An array on the tape: what is made of it alone, such as a landscape over a grid, is made
        by the browser too, which is sooner there than a large array."""
        return Value(self.tape, held, (array,), (array,), {}, array)

    @property
    def values(self) -> dict[str, float | list[float]]:
        """The values that have been asked for, as of now."""
        return {
            name: value.data.tolist() if np.ndim(value.data) else float(value.data)
            for name, value in self.inputs.items()
            if not name.startswith("hand.")
        }

    def samples(self, value: Value) -> list[float | None]:
        """A few of the numbers of an output, by which the browser's are told to agree."""
        return samples(value.data)

    def owns(self, leaf: Any) -> bool:
        """Whether a leaf of a picture is one of this tape."""
        return type(leaf) is Value and leaf.tape is self.tape

    def program(self, outputs: Sequence[Value]) -> PictureProgram:
        """What the browser has to run for these outputs."""
        tape, nodes = self.tape, self.tape.nodes
        needed = {value.index for value in outputs}
        for index in range(max(needed, default=-1), -1, -1):  # whoever is needed stands before
            if index in needed:
                for x in nodes[index].inputs:
                    if type(x) is Value and x.tape is tape:
                        needed.add(x.index)
        order = sorted(needed)
        place = {index: i for i, index in enumerate(order)}
        names = {value.index: name for name, value in self.inputs.items()}
        constants: list[Any] = []
        known: dict[int | str, int] = {}  # the same constant is sent once
        lines: list[list[Any]] = []
        for index in order:
            node = nodes[index]
            if node.operation is None:
                lines.append(["input", names[index]])
                continue
            arguments: list[Any] = []
            for x in node.inputs:
                if type(x) is Value and x.tape is tape:
                    arguments.append(place[x.index])
                else:
                    key = id(x) if isinstance(x, np.ndarray) else repr(x)
                    if key not in known:
                        known[key] = len(constants)
                        constants.append(x)
                    arguments.append([known[key]])
            line: list[Any] = [node.operation.name, arguments]
            if node.parameters:
                line.append(_parameters(node.parameters))
            lines.append(line)
        return PictureProgram(tuple(order), place, lines, constants)


@dataclass(frozen=True, slots=True, eq=False)
class PictureProgram:
    """The lines of a picture's program, in order, and the constants that they name.

    A line is ["input", name] or [operation, arguments, parameters]; an argument is the number of
    an earlier line, or [k] for constant k.
    """

    order: tuple[int, ...]
    place: Mapping[int, int]
    lines: list[list[Any]]
    constants: list[Any]

    def line_of(self, value: Value) -> int:
        """The line that gives this value."""
        return self.place[value.index]


def _parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of an operation as JSON: tuples become lists, slices are spelled out."""

    def plain(value: Any) -> Any:
        if isinstance(value, slice):
            return {"slice": [value.start, value.stop, value.step]}
        if isinstance(value, (tuple, list)):
            return [plain(v) for v in value]
        if value is None or isinstance(value, (bool, str)):
            return value
        if value is Ellipsis:
            return {"ellipsis": True}
        if isinstance(value, (int, np.integer)):
            return int(value)
        if isinstance(value, float) and math.isfinite(value):
            return value
        if isinstance(value, Mapping):
            return {str(k): plain(v) for k, v in value.items()}
        raise TypeError(f"a picture cannot carry the parameter {value!r} to the browser")

    return {name: plain(value) for name, value in parameters.items() if not name.startswith("_")}


SAMPLES: Final = 8


def samples(data: Any) -> list[float | None]:
    """A few of the numbers of an array, the same places as the browser looks at; None for NaN.

    What agrees there to 1e-9 is taken to agree: a run that came apart has come apart at its end.
    """
    flat = np.asarray(data, dtype=float).ravel()
    return [v if math.isfinite(v) else None for v in flat[_places(flat.size)].tolist()]


@lru_cache(maxsize=1024)
def _places(size: int) -> list[int]:
    """Where a few of so many numbers stand, the first and the last among them."""
    return sorted({round(k * (size - 1) / (SAMPLES - 1)) for k in range(SAMPLES)}) if size else []
