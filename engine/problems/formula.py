"""Formulas typed by a reader, turned into plain functions of engine operations.

The text is parsed by Python's own parser and then walked against an allow-list: arithmetic on the
named inputs, numbers, pi, e and the functions below. Before that it is brought from paper to
Python: 3x, 2(x + 1), (x + 1)(x − 1), 2π, x²³ and x₁ are read as they look. What looks two ways
(1/2x, x^2y, x(y), βx) is refused, as is whatever else stands in the text, with a caret under the
place. Nothing is ever handed to `eval`.
"""

from __future__ import annotations

import ast
import keyword
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache, reduce
from typing import Any

import numpy as np

from engine import limits
from engine.emit.program import Level, TooLong, compile_program
from engine.problems.landscapes import Box, Landscape
from engine.tape import Vector, autograd
from engine.tape import operations as ops
from engine.tape.latex import latex_of

MAX_LENGTH = 400  # characters of one formula
MAX_DEPTH = 60  # levels of nesting; a sum of n terms nests n deep
MAX_EXPONENT = 64  # size of an exponent that is a number
MAX_LINES = 40  # assignments of one program
MAX_NAME = 24  # characters of one name

Evaluate = Callable[[Mapping[str, Any]], Any]

CONSTANTS: Mapping[str, float] = {"pi": math.pi, "e": math.e}


@dataclass(frozen=True, slots=True)
class Function:
    """A function that a formula may call, with how many arguments it takes (most None: any)."""

    call: Callable[..., Any]
    least: int = 1
    most: int | None = 1


def _largest(*values: Any) -> Any:
    return reduce(ops.maximum, values)


def _smallest(*values: Any) -> Any:
    return reduce(ops.minimum, values)


FUNCTIONS: Mapping[str, Function] = {
    "exp": Function(ops.exp),
    "log": Function(ops.log),
    "sqrt": Function(ops.sqrt),
    "sin": Function(ops.sin),
    "cos": Function(ops.cos),
    "tan": Function(ops.tan),
    "tanh": Function(ops.tanh),
    "sigmoid": Function(ops.sigmoid),
    "softplus": Function(ops.softplus),
    "relu": Function(ops.relu),
    "abs": Function(ops.absolute),
    "sign": Function(ops.sign),
    "max": Function(_largest, 2, None),
    "min": Function(_smallest, 2, None),
    "maximum": Function(_largest, 2, None),
    "minimum": Function(_smallest, 2, None),
    "clip": Function(ops.clip, 3, 3),
    "where": Function(ops.where, 3, 3),
}

_BINARY: Mapping[type[ast.operator], Callable[..., Any]] = {
    ast.Add: ops.add,
    ast.Sub: ops.subtract,
    ast.Mult: ops.multiply,
    ast.Div: ops.divide,
    ast.Pow: ops.raise_to,
}
_COMPARISONS: Mapping[type[ast.cmpop], Callable[..., Any]] = {
    ast.Lt: ops.less,
    ast.LtE: ops.less_equal,
    ast.Gt: ops.greater,
    ast.GtE: ops.greater_equal,
    ast.Eq: ops.equal,
}
# What people write on paper, and how Python spells it.
_SPELLINGS: Mapping[str, str] = {
    "^": "**", "×": "*", "·": "*", "⋅": "*", "÷": "/", "−": "-", "≤": "<=", "≥": ">=",
}  # fmt: skip
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_TOKEN = re.compile(
    r"""(?P<space>[ \t]+)
    |(?P<number>(?:[0-9]+(?:_[0-9]+)*\.?(?:[0-9]+(?:_[0-9]+)*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    |(?P<name>[A-Za-z_α-ορ-ωΑ-Ω][A-Za-z0-9_α-ορ-ωΑ-Ω]*[₀-₉]*)
    |(?P<pi>π)
    |(?P<raised>[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)
    |(?P<open>\()
    |(?P<close>\))
    |(?P<sign>\*\*|<=|>=|==|[-+*/^×·⋅÷−<>=≤≥.,])""",
    re.VERBOSE,
)
_GREEK = re.compile("[α-ωΑ-Ω]")
_NAME = re.compile(
    r"(?<![\w.])(?>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*)(?=[A-Za-zα-ωΑ-Ω(])(?!if\b|else\b)"
)
_NAME = re.compile(r"[A-Za-zα-ορ-ωΑ-Ω][A-Za-zα-ορ-ωΑ-Ω0-9_]*")
_ASSIGNMENT = re.compile(r"\s*(?P<name>[^\W\d]\w*)\s*=(?!=)")


class FormulaError(ValueError):
    """A formula that is refused: why, and where.

    `text` is what was typed, `line` (from 1) and `column` (from 0) the place, `reason` one or two
    sentences. `pointer` is that line with a caret under the place; str() is both together.
    """

    def __init__(self, reason: str, text: str, column: int = 0, line: int = 1) -> None:
        self.reason = reason
        self.text = text
        self.line = line
        lines = text.splitlines() or [""]
        shown = lines[min(line, len(lines)) - 1].replace("\t", " ")
        self.column = max(0, min(column, len(shown)))
        begin = max(0, self.column - 60)  # a line too long to show is cut around the place
        self.pointer = f"{shown[begin : begin + 90]}\n{' ' * (self.column - begin)}^"
        super().__init__(f"{reason}\n{self.pointer}")


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula that has been read.

    `names` are the inputs that occur in it, in order of first appearance. Calling it with a value
    for each (numbers, arrays, Values; others are ignored) gives its value.
    """

    text: str
    names: tuple[str, ...]
    evaluate: Evaluate

    def __call__(self, /, **values: Any) -> Any:  # an input may be called self
        return self.evaluate(values)


def parse(
    text: str,
    names: Iterable[str] | None = ("x", "y"),
    *,
    functions: Mapping[str, Function] = FUNCTIONS,
) -> Formula:
    """Read one expression.

    names are the inputs that may occur; with None any name that is not a function or constant
    may, and is then an input. Raises FormulaError, which says what is wrong and where.
    """
    return _Reader(text, text, 1, 0, None if names is None else tuple(names), functions).formula()


def parse_program(
    text: str,
    names: Iterable[str] | None = None,
    *,
    functions: Mapping[str, Function] = FUNCTIONS,
) -> tuple[tuple[str, Formula], ...]:
    """Read lines of the form `name = expression`; empty lines and `# comments` are skipped.

    names are what every expression may read, beside what an earlier line has assigned (None: any
    name). Raises FormulaError.
    """
    lines = text.splitlines()
    if len(lines) > MAX_LINES:
        raise FormulaError(f"At most {MAX_LINES} lines are read.", text, 0, MAX_LINES + 1)
    known = None if names is None else list(names)
    program = []
    for number, line in enumerate(lines, 1):
        line = line.split("#")[0].rstrip()
        if not line.strip():
            continue
        match = _ASSIGNMENT.match(line)
        if match is None:
            reason = "Each line has the form name = expression."
            raise FormulaError(reason, text, len(line) - len(line.lstrip()), number)
        target = match["name"].translate(_SUBSCRIPTS)
        if letters := _run_together(target):
            reason = f"{target} may be one name or a product: call it {'_'.join(letters)}."
            raise FormulaError(reason, text, match.start("name"), number)
        if target in functions or target in CONSTANTS or not _NAME.fullmatch(target):
            reason = f"{target} cannot be assigned to: choose another name."
            raise FormulaError(reason, text, match.start("name"), number)
        if len(target) > MAX_NAME:
            reason = f"A name has at most {MAX_NAME} characters."
            raise FormulaError(reason, text, match.start("name"), number)
        allowed = None if known is None else tuple(known)
        reader = _Reader(text, line[match.end() :], number, match.end(), allowed, functions)
        program.append((target, reader.formula()))
        if known is not None and target not in known:
            known.append(target)
    if not program:
        raise FormulaError("There is nothing to read: write name = expression.", text)
    return tuple(program)


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece that has been read: how to evaluate it, and its number if it holds no input."""

    evaluate: Evaluate
    constant: float | None = None


class _Reader:
    """Walks one expression, which starts at (line, start) of `text`, all that was typed."""

    def __init__(
        self,
        text: str,
        expression: str,
        line: int,
        start: int,
        names: tuple[str, ...] | None,
        functions: Mapping[str, Function],
    ) -> None:
        self.text, self.expression = text, expression
        self.line, self.start = line, start
        self.allowed, self.functions = names, functions
        self.names: list[str] = []
        self.source, self.places = "", [0]

    def formula(self) -> Formula:
        tree = self._tree()
        part = self._read(tree, 0)
        return Formula(self.expression.strip(), tuple(self.names), part.evaluate)

    # From text to tree

    def _tree(self) -> ast.expr:
        expression = self.expression
        if len(expression) > MAX_LENGTH:
            raise self._error(f"A formula has at most {MAX_LENGTH} characters.", MAX_LENGTH)
        if not expression.strip():
            raise self._error("There is nothing to read. " + self._allowed_here(), 0)
        pieces, places = [], []  # places[i]: where character i of the source was typed
        for spelling, typed, column in self._spelled():
            pieces.append(spelling)
            alike = len(spelling) == len(typed)
            places += [column + (i if alike else 0) for i in range(len(spelling))]
        self.source, self.places = "".join(pieces), [*places, len(expression)]
        self._check_brackets()
        # A bracket around it all lets a formula begin with a space.
        try:
            return ast.parse(f"({self.source}\n)", mode="eval").body
        except SyntaxError as error:
            where = (error.offset or 1) - 2 if error.lineno == 1 else len(self.source)
            where = max(0, min(where, len(self.source)))
            reason = f"This cannot be read as a formula from here on. {_ALLOWED}"
            raise self._error(reason, self.places[where]) from None
        except (ValueError, MemoryError, RecursionError, OverflowError):
            raise self._error(f"This cannot be read as a formula. {_ALLOWED}", 0) from None

    def _spelled(self) -> Iterator[tuple[str, str, int]]:
        """The expression piece by piece: in Python's spelling, as typed, and its column."""
        # Of each open bracket: whether a function was called, and which sign its operand follows.
        levels: list[tuple[bool, str]] = []
        sign, before, called, at = "", _Token("sign", ""), False, 0
        while at < len(self.expression):
            match = _TOKEN.match(self.expression, at)
            if match is None:
                character = self.expression[at]
                raise self._error(f"{character!r} has no place in a formula. {_ALLOWED}", at)
            text, column = match.group(), at
            token = _Token(str(match.lastgroup), text, column == before.end, match.end())
            at = token.end
            if token.kind == "space":
                yield text, text, column
                continue
            if before.ends and token.begins and self._multiplies(before, token, called, column):
                if sign in _TWO_WAYS:
                    raise self._error(_TWO_WAYS[sign], column)
                yield "*", "", column
                sign = "*"
            if token.kind == "open":
                levels.append((before.kind == "name" and before.text in self.functions, sign))
                sign = ""
            elif token.kind == "close":
                called, sign = levels.pop() if levels else (False, "")
            elif token.kind == "sign" and not (text in "-−+" and before.kind == "sign"):
                sign = text
            yield self._spelling(before, token, column), text, column
            before = token

    def _spelling(self, before: _Token, token: _Token, column: int) -> str:
        text = token.text
        match token.kind:
            case "pi":
                return "pi"
            case "raised":
                if before.kind == "name" and before.text in self.functions:
                    function = before.text
                    raise self._error(f"Write the power behind: {function}(…){text}.", column)
                if not before.ends or before.kind == "raised":
                    raise self._error("A raised number stands behind what it raises.", column)
                return "**" + text.translate(_SUPERSCRIPTS).lstrip("+")
            case "name":
                plain = text.rstrip("₀₁₂₃₄₅₆₇₈₉")
                if plain != text and plain[-1].isdigit():
                    raise self._error(f"{_short(text)} has two numbers: keep one.", column)
                return text.translate(_SUBSCRIPTS)
            case "sign":
                if before.kind == "raised" and text in ("^", "**"):
                    raise self._error("A power of a power needs brackets: (x²)^3.", column)
                return _SPELLINGS.get(text, text)
        return text

    def _multiplies(self, left: _Token, right: _Token, called: bool, column: int) -> bool:
        """Whether two things side by side are a product; FormulaError where they may not be."""
        a, b = left.text, right.text
        if keyword.iskeyword(a) or keyword.iskeyword(b):
            return False  # the tree has words for these
        factor = "(…)" if right.kind == "open" else _short(b)
        written = f"{'(…)' if left.kind == 'close' else _short(a)}*{factor}"
        if left.kind == "name" and a in self.functions:
            if right.kind != "open":
                raise self._error(f"{a} is a function: write {a}(…).", column)
            return False
        if left.kind == "name" and right.kind == "open":
            if a in CONSTANTS or a in (self.allowed or ()):
                raise self._error(f"{a} is no function: for a product write {written}.", column)
            return False
        unlike_number = b in ("e", "E") or not a.strip("0") or a.endswith(".")  # 2e, 0x10, 3.y
        if left.kind == "number" and right.kind == "name" and right.touches and unlike_number:
            reason = f"{_short(a + b)} is no number: for a product write {written}."
            raise self._error(reason, column)
        if (
            right.kind == "number"
            or (left.kind == "name" and right.kind == "name")
            or (called and left.kind == "close" and right.kind == "open")
        ):
            raise self._error(f"Write the product out: {written}.", column)
        return True

    def _check_brackets(self) -> None:
        opened: list[int] = []
        for place, character in zip(self.places, self.source, strict=False):
            if character == "(":
                opened.append(place)
                if len(opened) > MAX_DEPTH:
                    raise self._error(f"Brackets nest at most {MAX_DEPTH} deep.", place)
            elif character == ")":
                if not opened:
                    raise self._error("This bracket is closed but was never opened.", place)
                opened.pop()
        if opened:
            raise self._error("This bracket is opened but never closed.", opened[-1])

    def _error(self, reason: str, column: int) -> FormulaError:
        return FormulaError(reason, self.text, self.start + column, self.line)

    def _refuse(self, node: ast.expr, reason: str) -> FormulaError:
        # Columns of the tree count UTF-8 bytes; the bracket put in front is one.
        first_line = f"({self.source}".encode()
        at = len(first_line[: node.col_offset].decode(errors="ignore")) - 1
        return self._error(reason, self.places[max(0, min(at, len(self.places) - 1))])

    # From tree to function

    def _read(self, node: ast.expr, depth: int) -> _Part:
        if depth > MAX_DEPTH:
            raise self._refuse(node, f"A formula nests at most {MAX_DEPTH} levels deep.")
        part = self._read_kind(node, depth + 1)
        if part.constant is not None and not math.isfinite(part.constant):
            raise self._refuse(node, "This has no finite value.")
        return part

    def _read_kind(self, node: ast.expr, depth: int) -> _Part:
        match node:
            case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
                return _constant(_as_float(number))
            case ast.Name(id=name):
                return self._name(node, name)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self._read(operand, depth)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return _combine(ops.negative, [self._read(operand, depth)])
            case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _BINARY:
                parts = [self._read(left, depth), self._read(right, depth)]
                exponent = parts[1].constant
                if isinstance(operator, ast.Pow) and abs(exponent or 0.0) > MAX_EXPONENT:
                    reason = f"An exponent lies between -{MAX_EXPONENT} and {MAX_EXPONENT}."
                    raise self._refuse(right, reason)
                return _combine(_BINARY[type(operator)], parts)
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self._call(node, name, arguments, depth)
            case ast.Compare():
                reason = "A comparison stands only as the first argument of where(…, …, …)."
                raise self._refuse(node, reason)
            case ast.IfExp():
                raise self._refuse(node, "Write where(condition, a, b) for a choice.")
        raise self._refuse(node, f"This has no place in a formula. {self._allowed_here()}")

    def _name(self, node: ast.expr, name: str) -> _Part:
        if self.allowed is not None and name in self.allowed:
            pass
        elif name in CONSTANTS:
            return _constant(CONSTANTS[name])
        elif name in self.functions:
            raise self._refuse(node, f"{name} is a function: write {name}(…).")
        elif self.allowed is not None or not _NAME.fullmatch(name):
            raise self._refuse(node, f"{name} is not known here.{self._guess(name)}")
        elif letters := _run_together(name):
            reason = f"{name} may be one name or a product: write {'*'.join(letters)}."
            raise self._refuse(node, reason)
        elif len(name) > MAX_NAME:
            raise self._refuse(node, f"A name has at most {MAX_NAME} characters.")
        if name not in self.names:
            self.names.append(name)
        return _Part(lambda values: values[name])

    def _call(self, node: ast.expr, name: str, arguments: Sequence[ast.expr], depth: int) -> _Part:
        if name not in self.functions:
            raise self._refuse(node, f"There is no function {name}.{self._guess(name)}")
        function = self.functions[name]
        count = len(arguments)
        if count < function.least or (function.most is not None and count > function.most):
            wanted = str(function.least) + ("" if function.most else " or more")
            plural = "" if wanted == "1" else "s"
            raise self._refuse(node, f"{name} takes {wanted} argument{plural}, not {count}.")
        if name == "where":
            first = self._condition(arguments[0], depth)
            return _combine(function.call, [first, *(self._read(a, depth) for a in arguments[1:])])
        return _combine(function.call, [self._read(a, depth) for a in arguments])

    def _condition(self, node: ast.expr, depth: int) -> _Part:
        match node:
            case ast.Compare(left=left, ops=[operator], comparators=[right]):
                parts = [self._read(left, depth), self._read(right, depth)]
                if type(operator) in _COMPARISONS:
                    compare = _COMPARISONS[type(operator)]
                    a, b = parts[0].evaluate, parts[1].evaluate
                    # Never folded to a constant: a truth value is not a number.
                    return _Part(lambda values: compare(a(values), b(values)))
        raise self._refuse(node, "The condition of where is one comparison, such as x > 0.")

    def _guess(self, name: str) -> str:
        factors = _factors(name, (*(self.allowed or ()), *CONSTANTS))
        if len(factors) > 1:
            return f" For a product write {'*'.join(factors)}. {self._allowed_here()}"
        known = [*(self.allowed or ()), *self.functions, *CONSTANTS]
        close = get_close_matches(name, known, n=1, cutoff=0.6)
        return (f" Did you mean {close[0]}? " if close else " ") + self._allowed_here()

    def _allowed_here(self) -> str:
        inputs = "" if self.allowed is None else f"The inputs are {', '.join(self.allowed)}. "
        return inputs + _ALLOWED


@dataclass(frozen=True, slots=True)
class _Token:
    """A piece of what was typed; touches says that no space stands before it."""

    kind: str
    text: str
    touches: bool = False
    end: int = 0

    @property
    def ends(self) -> bool:
        """Whether it may stand left of a product's sign."""
        return self.kind in ("number", "name", "pi", "raised", "close")

    @property
    def begins(self) -> bool:
        """Whether it may stand right of a product's sign."""
        return self.kind in ("number", "name", "pi", "open")


_TWO_WAYS: Mapping[str, str] = {
    **dict.fromkeys("/÷", "This looks two ways, as 1/2x does: write 1/(2*x) or 1/2*x."),
    **dict.fromkeys(("^", "**"), "This looks two ways, as x^2y does: write x^2*y or x^(2*y)."),
}


def _short(text: str) -> str:
    return text if len(text) <= MAX_NAME else text[:MAX_NAME] + "…"


def _run_together(name: str) -> list[str]:
    """The letters and words of a name that runs Greek letters into others: βx, αβ; else none."""
    for part in name.split("_"):
        letters = part.rstrip("0123456789")
        if len(letters) > 1 and _GREEK.search(letters):
            return re.findall(r"[α-ωΑ-Ω]|[A-Za-z]+", letters)
    return []


def _factors(name: str, known: Sequence[str]) -> list[str]:
    """A short name as known names run together, xy as x and y; none where it is not."""
    if not 0 < len(name) <= 8:
        return []
    for one in sorted(known, key=len, reverse=True):
        if one and name.startswith(one):
            rest = _factors(name[len(one) :], known)
            if rest or one == name:
                return [one, *rest]
    return []


_ALLOWED = (
    "Allowed are numbers, pi, e, + - * / **, brackets and the functions "
    + ", ".join(FUNCTIONS)
    + "."
)


def _as_float(number: float) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf


def _constant(number: float) -> _Part:
    return _Part(lambda values: number, number)


def _combine(operation: Callable[..., Any], parts: Sequence[_Part]) -> _Part:
    """The operation on the parts; worked out at once where they hold no input."""
    if all(part.constant is not None for part in parts):
        with np.errstate(all="ignore"):
            return _constant(float(operation(*(part.constant for part in parts))))
    if len(parts) == 1:
        only = parts[0].evaluate
        return _Part(lambda values: operation(only(values)))
    if len(parts) == 2:
        a, b = parts[0].evaluate, parts[1].evaluate
        return _Part(lambda values: operation(a(values), b(values)))
    each = [part.evaluate for part in parts]
    return _Part(lambda values: operation(*(evaluate(values) for evaluate in each)))


# A formula as a landscape -------------------------------------------------------------------------

_HALF = 5.0  # a typed landscape is drawn over [-5, 5] in both directions
_STARTS = ((4.0, 3.0), (2.5, 2.0), (1.0, 1.5), (0.5, 0.7), (-3.0, 2.0), (-1.0, -1.5), (0.1, 0.2))


def landscape(text: str, inputs: tuple[str, str] = ("x", "y")) -> Landscape:
    """A landscape from a formula in two inputs, such as "x**2 + 50*y**2".

    The same text gives the same function object, so that what was compiled for it serves again.
    Raises FormulaError (a ValueError) for a text that is refused, or whose value is finite nowhere
    on [-5, 5]².

    >>> landscape("x**2 + 50*y**2").gradient((1.0, 1.0)).tolist()
    [2.0, 100.0]
    """
    return _landscape(text.strip(), tuple(inputs))


@lru_cache(maxsize=256)
def _landscape(text: str, inputs: tuple[str, str]) -> Landscape:
    formula = parse(text, inputs)
    first, second = inputs
    if not formula.names:
        raise FormulaError(f"The formula must depend on {first} or {second}.", text)
    evaluate = formula.evaluate

    def function(x: Any, y: Any) -> Any:
        return evaluate({first: x, second: y})

    _check_size(function, text)
    box: Box = ((-_HALF, _HALF), (-_HALF, _HALF))
    plain = Landscape(
        slug="formula",
        name=text,
        function=function,
        latex=latex_of(function, inputs),
        domain=box,
        start=_STARTS[0],
        source="typed by a reader",
        note="Your own formula.",
    )
    start, lr, log_levels = _survey(plain, text)
    return Landscape(**{**vars(plain), "start": start, "lr": lr, "log_levels": log_levels})


def _check_size(function: Callable[[Any, Any], Any], text: str) -> None:
    """Refuse a text whose gradient is long, however short it is itself."""

    def slopes(at: Mapping[Any, Any]) -> dict[Any, Any]:
        gradient = autograd.grad(lambda w: function(w[0], w[1]))(Vector((at["x"], at["y"])))
        return dict(enumerate(gradient))

    try:
        compile_program(slopes, {"x": Level.BOTH, "y": Level.BOTH}, most=limits.FORMULA_LINES)
    except TooLong:
        reason = f"Its gradient takes more than {limits.FORMULA_LINES} operations: too many here."
        raise FormulaError(reason, text) from None


def _survey(plain: Landscape, text: str) -> tuple[tuple[float, float], float, bool]:
    """A start where the slope is finite and not zero, a learning rate, and whether levels are log.

    The rate is the inverse of the curvature that nine tenths of a grid stay below: gradient
    descent is then stable nearly everywhere.
    """
    axis = np.linspace(-_HALF, _HALF, 22)  # an even count leaves out 0, where formulas break most
    grid = np.stack(np.meshgrid(axis, axis), axis=-1)
    values = plain.value(grid)
    finite = np.isfinite(values)
    if not finite.any():
        raise FormulaError("The formula has no finite value anywhere on [-5, 5]².", text)
    with np.errstate(all="ignore"):  # numbers near the largest one overflow as they are compared
        hessians = plain.hessian(grid).reshape(-1, 4)
        hessians = hessians[np.isfinite(hessians).all(axis=-1)]
        norms = np.linalg.norm(hessians, axis=-1)
        curvature = float(np.quantile(norms, 0.9)) if len(norms) else 0.0
        low, middle, high = np.quantile(values[finite], (0.0, 0.5, 1.0)) / 4.0
    lr = float(f"{min(max(1.0 / curvature, 1e-6), 1.0):.1g}") if curvature > 0 else 0.1
    # Most of the surface low and a few steep walls: even spacing of levels would hide the valley.
    return _start(plain), lr, bool(middle - low < 0.35 * (high - low))


def _start(plain: Landscape) -> tuple[float, float]:
    for candidate in _STARTS:
        gradient = plain.gradient(candidate)
        if np.isfinite(plain.value(candidate)) and np.isfinite(gradient).all() and gradient.any():
            return candidate
    return _STARTS[0]
