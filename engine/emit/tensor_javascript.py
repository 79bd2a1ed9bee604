"""Records of array operations printed as JavaScript: the same step in the reader's browser.

Where the NumPy text is a call for each operation, here a run of elementwise operations becomes one
loop, so that what lies between them is never stored. Transposes, slices and reshapes are other
ways to count through the same memory. All numbers are double precision.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.emit.tensor import VIEWS, ArrayLine, ArrayRecord, Traced, Unrecordable, recorded
from engine.tape import matrices

MOST_CONSTANTS = 4096  # numbers of an array that the function brought along

_INFIX = {
    "add": "+", "subtract": "-", "multiply": "*", "divide": "/", "greater": ">", "less": "<",
    "greater_equal": ">=", "less_equal": "<=", "equal": "==", "not_equal": "!=",
    "logical_and": "&&", "logical_or": "||", "bitwise_and": "&", "bitwise_or": "|",
}  # fmt: skip
_WORDS = {
    "sqrt": "Math.sqrt({0})", "exp": "Math.exp({0})", "log": "Math.log({0})",
    "log1p": "Math.log1p({0})", "expm1": "Math.expm1({0})", "tanh": "Math.tanh({0})",
    "sin": "Math.sin({0})", "cos": "Math.cos({0})", "floor": "Math.floor({0})",
    "absolute": "Math.abs({0})", "sign": "Math.sign({0})", "negative": "(-{0})",
    "maximum": "Math.max({0}, {1})", "minimum": "Math.min({0}, {1})", "power": "power({0}, {1})",
    "float_power": "power({0}, {1})", "square": "({0} * {0})", "reciprocal": "(1 / {0})",
    "isfinite": "Number.isFinite({0})", "isnan": "Number.isNaN({0})", "logical_not": "(!{0})",
    "invert": "(!{0})", "where": "({0} ? {1} : {2})", "astype": "(+{0})",
}  # fmt: skip
_REDUCED = {  # how it starts, and how it goes on from r with the next element x
    "sum": ("0", "{r} + {x}"),
    "max": ("-Infinity", "Math.max({r}, {x})"),
    "min": ("Infinity", "Math.min({r}, {x})"),
    "all": ("true", "{r} && Boolean({x})"),
    "any": ("false", "{r} || Boolean({x})"),
}
# Functions of `engine.tape.matrices`: out, operands row by row, then m rows of n.
_MATRICES = {
    "eigen": """\
function eigen(out, a, n) {
  rotated(a, n).reverse().forEach(([value, column], j) => {
    out[j] = value
    for (let i = 0; i < n; ++i) out[(i + 1) * n + j] = column[i]
  })
}
""",
    "basis": """\
function basis(out, a, n) {
  const found = rotated(a, n), least = smallest(found.map(([value]) => value))
  completed(out, found.map(([value, column]) => (value > least ? column : null)), n)
}
""",
    "orthonormal": """\
function orthonormal(out, a, n) {
  const all = Array.from({ length: n }, (_, j) => column(a, j, n))
  const least = smallest(all.map((x) => Math.sqrt(product(x, x))))
  const before = []
  completed(out, all.map((x) => {
    remove(x, before)
    const size = Math.sqrt(product(x, x))
    if (!(size > least)) return null
    before.push(x.map((value) => value / size))
    return before.at(-1)
  }), n)
}
""",
    "ranking": """\
function ranking(out, values, n) {
  const least = smallest(values)
  const size = (i) => (values[i] > least ? values[i] : 0)
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => size(j) - size(i) || i - j)
  out.fill(0)
  order.forEach((i, j) => { out[i * n + j] = 1 })
}
""",
    "bound": """\
function bound(out, a, n) {
  const largest = a.reduce((most, x) => Math.max(most, Math.abs(x)), 0)
  out[0] = largest
  if (!(largest > 0)) return
  const columns = Array.from({ length: n }, (_, j) => column(a, j, n).map((x) => x / largest))
  const image = (x) => Float64Array.from(columns, (y) => product(x, y))
  let longest = columns[0]
  for (const x of columns) if (product(x, x) > product(longest, longest)) longest = x
  let x = image(longest)
  const size = Math.sqrt(product(x, x))
  x = image(x.map((value) => value / size))
  out[0] = largest * Math.sqrt(product(x, x))
}
""",
    "solved_right": """\
function solved_right(out, x, triangle, m, n) {
  for (let i = 0; i < m; ++i) {
    for (let j = 0; j < n; ++j) {
      let sum = x[i * n + j]
      for (let k = 0; k < j; ++k) sum -= out[i * n + k] * triangle[k * n + j]
      out[i * n + j] = sum / triangle[j * n + j]
    }
  }
}
""",
}
# Jacobi's rotations (Golub & Van Loan, section 8.5): [eigenvalue, eigenvector], largest first.
_ROTATED = """\
function rotated(matrix, n) {
  const a = Float64Array.from(matrix), turned = new Float64Array(n * n)
  for (let i = 0; i < n; ++i) turned[i * n + i] = 1
  const small = Number.EPSILON * 1e-2 * Math.sqrt(product(a, a))
  for (let sweep = 0, done = false; sweep < 20 && !done; ++sweep) {
    done = true
    for (let p = 0; p < n; ++p) {
      for (let q = p + 1; q < n; ++q) {
        if (!(Math.abs(a[p * n + q]) > small)) continue
        done = false
        const ratio = (a[q * n + q] - a[p * n + p]) / (2 * a[p * n + q])
        const length = 1 / (Math.abs(ratio) + Math.sqrt(ratio * ratio + 1))
        const tangent = ratio < 0 ? -length : length
        const c = 1 / Math.sqrt(tangent * tangent + 1), s = tangent * c
        for (const [memory, along, across] of [[a, 1, n], [a, n, 1], [turned, 1, n]]) {
          for (let i = 0; i < n; ++i) {
            const x = memory[p * along + i * across], y = memory[q * along + i * across]
            memory[p * along + i * across] = c * x - s * y
            memory[q * along + i * across] = s * x + c * y
          }
        }
      }
    }
  }
  const found = Array.from({ length: n }, (_, j) => [a[j * n + j], column(turned, j, n)])
  return found.sort((x, y) => y[0] - x[0])
}
"""
_COLUMNS = f"""\
function column(a, j, n) {{
  return Float64Array.from({{ length: n }}, (_, i) => a[i * n + j])
}}
function product(x, y) {{
  let sum = 0
  for (let i = 0; i < x.length; ++i) sum += x[i] * y[i]
  return sum
}}
function smallest(sizes) {{
  return {matrices.ROUNDING} * Number.EPSILON * Math.max(0, ...sizes)
}}
function remove(x, columns) {{
  for (let again = 0; again < 2; ++again) {{
    for (const y of columns) {{
      const along = product(x, y)
      for (let i = 0; i < x.length; ++i) x[i] -= along * y[i]
    }}
  }}
}}
function completed(out, columns, n) {{
  const seen = columns.filter((x) => x !== null)
  for (let j = 0; j < n; ++j) {{
    if (columns[j] === null) {{
      const left = Array.from({{ length: n }}, (_, i) => 1 - seen.reduce((t, x) => t + x[i] * x[i], 0))
      const most = Math.max(...left)
      const x = new Float64Array(n)
      x[left.findIndex((value) => value >= (1 - {matrices.LEVEL}) * most)] = 1
      remove(x, seen)
      const size = Math.sqrt(product(x, x))
      columns[j] = x.map((value) => value / size)
      seen.push(columns[j])
    }}
    for (let i = 0; i < n; ++i) out[i * n + j] = columns[j][i]
  }}
}}
"""  # noqa: E501
_HEAD = """\
const power = (x, y) => (x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : Math.pow(x, y))
"""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the elements of an array lie: its memory's name, where it begins, and how far apart
    neighbours along each axis are. `line` is the one that the memory belongs to."""

    name: str
    offset: int
    steps: tuple[int, ...]
    shape: tuple[int, ...]
    line: int
    model: Any  # an array of NumPy's that lies the same way: what views of it do, they do here

    @property
    def whole(self) -> bool:
        """Whether it goes through its memory from the start without a gap."""
        return self.offset == 0 and bool(self.model.flags.c_contiguous)

    def at(self, counters: Sequence[str]) -> str:
        """The element at these counters, which belong to the last axes."""
        parts = [str(self.offset)] if self.offset else []
        for counter, step, size in zip(
            counters[len(counters) - len(self.steps) :], self.steps, self.shape, strict=True
        ):
            if size > 1 and step:
                parts.append(counter if step == 1 else f"{step} * {counter}")
        return f"{self.name}[{' + '.join(parts) or '0'}]"


def _place(name: str, line: int, model: Any, base: Any) -> _Place:
    start = model.__array_interface__["data"][0] - base.__array_interface__["data"][0]
    steps = tuple(step // 8 for step in model.strides)
    return _Place(name, start // 8, steps, model.shape, line, model)


class _Printer:
    """Turns a record into a function `make()`, which gives the step with memory of its own."""

    def __init__(self, record: ArrayRecord, result: Sequence[Any], arguments: int) -> None:
        self.lines = record.lines
        self.result = list(result)
        self.arguments = arguments
        self.outputs = {x.index for x in self.result if isinstance(x, Traced)}
        self.needed = record.needed(sorted(self.outputs))
        self.users: dict[int, set[int]] = {i: set() for i in range(len(self.lines))}
        for i in self.needed:
            for used in self.lines[i].uses:
                self.users[used].add(i)
        self.scalars: dict[int, str] = {}
        self.places: dict[int, _Place] = {}
        self.bases: dict[str, Any] = {}
        self.memory: list[str] = []
        self.body: list[str] = []
        self.loop: list[int] = []  # elementwise lines of one shape that are not printed yet
        self.locals: dict[int, str] = {}
        self.called: set[str] = set()  # functions of matrices

    def program(self, exported: bool) -> str:
        names = [f"a{i}" for i in range(self.arguments)]
        for i, name in enumerate(names):
            value = self.lines[i].value
            if np.ndim(value):
                self.store(i, name)
            else:
                self.scalars[i] = name
        for i in self.needed:
            if self.lines[i].function is not None:
                self.line(i)
        self.flush()
        given = [self.output(x) for x in self.result]
        inner = [*self.body, f"return [{', '.join(given)}]"]
        return "\n".join(
            [
                f"{self.library()}{'export ' * exported}function make() {{",
                *(f"  {text}" for text in self.memory),
                f"  return ({', '.join(names)}) => {{",
                *(f"    {text}" for text in inner),
                "  }",
                "}",
                "",
            ]
        )

    def library(self) -> str:
        """The functions of matrices that are called."""
        texts = [_MATRICES[name] for name in sorted(self.called)]
        if self.called & {"eigen", "basis"}:
            texts.append(_ROTATED)
        if self.called - {"solved_right"}:
            texts.append(_COLUMNS)
        return "".join(texts)

    def output(self, x: Any) -> str:
        if not isinstance(x, Traced):
            return _literal(x)
        if x.index in self.scalars:
            return self.scalars[x.index]
        place = self.places[x.index]
        if place.whole and place.model.base is None and place.line >= self.arguments:
            return place.name
        return self.copied(place)  # a view, or what came in

    # Memory

    def reserve(self, shape: tuple[int, ...]) -> str:
        name = f"b{len(self.memory)}"
        self.memory.append(f"const {name} = new Float64Array({math.prod(shape)})")
        return name

    def own(self, name: str, shape: tuple[int, ...]) -> _Place:
        model = np.empty(shape)
        return _place(name, -1, model, model)

    def store(self, line: int, name: str = "") -> _Place:
        """The memory of a line: what the caller gave under a name, or a buffer made once."""
        model = np.empty(np.shape(self.lines[line].value))
        name = name or self.reserve(model.shape)
        self.bases[name] = model
        self.places[line] = _place(name, line, model, model)
        return self.places[line]

    def constant(self, x: Any) -> _Place:
        for place in self.places.values():
            if place.line == -1 - id(x):
                return place
        flat = np.asarray(x, float).ravel()
        name = f"b{len(self.memory)}"
        same = flat.size and np.all(flat == flat[0])
        if not same and flat.size > MOST_CONSTANTS:
            raise Unrecordable("it brings along more numbers than a text should hold")
        made = (
            f"new Float64Array({flat.size}).fill({_literal(float(flat[0]))})"
            if same
            else f"new Float64Array([{', '.join(_literal(float(v)) for v in flat)}])"
        )
        self.memory.append(f"const {name} = {made}")
        model = np.empty(x.shape)
        self.bases[name] = model
        place = _place(name, -1 - id(x), model, model)
        self.places[-1 - id(x)] = place
        return place

    # Operands

    def place(self, x: Any) -> _Place:
        """Where an array operand lies, printed by now."""
        if isinstance(x, Traced):
            if x.index in self.loop:
                self.flush()
            return self.places[x.index]
        return self.constant(np.asarray(x))

    def operand(self, x: Any, counters: Sequence[str], shape: tuple[int, ...]) -> str:
        """The element of an operand at these counters of the loop over `shape`."""
        if isinstance(x, Traced):
            if x.index in self.scalars:
                return self.scalars[x.index]
            if x.index in self.locals:
                return self.locals[x.index]
            place = self.places[x.index]
        elif isinstance(x, np.ndarray) and x.ndim:
            place = self.constant(x)
        else:
            return _literal(x.item() if hasattr(x, "item") else x)
        if len(counters) == 1 and len(shape) != 1:  # one counter through all axes
            return f"{place.name}[{counters[0]}]" if place.shape == shape else f"{place.name}[0]"
        return place.at(counters)

    # Lines

    def line(self, i: int) -> None:
        line = self.lines[i]
        name = line.function.__name__
        if line.function is bool:
            condition = line.arguments[0]
            self.flush_for(condition)
            text = self.operand(condition, (), ())
            self.body.append(f"if (Boolean({text}) !== {_literal(line.value)}) return null")
        elif name in _INFIX or name in _WORDS:
            self.elementwise(i)
        elif name in _REDUCED:
            self.reduction(i, name)
        elif name in ("matmul", "dot"):
            self.product(i)
        elif name == "concatenate":
            self.joined(i)
        elif line.function is getattr(matrices, name, None):
            self.of_matrices(i)
        elif not self.view(i):
            raise Unrecordable(f"{name} is not printed as JavaScript")

    def flush_for(self, *operands: Any) -> None:
        if any(isinstance(x, Traced) and x.index in self.loop for x in operands):
            self.flush()

    def elementwise(self, i: int) -> None:
        line = self.lines[i]
        shape = np.shape(line.value)
        if not shape:
            self.scalars[i] = f"s{i}"
            self.flush_for(*line.arguments)
            self.body.append(f"const s{i} = {self.expression(line, (), ())}")
            return
        if self.loop and np.shape(self.lines[self.loop[0]].value) != shape:
            self.flush()
        if any(
            isinstance(x, Traced) and x.index in self.loop and np.shape(x.value) != shape
            for x in line.arguments
        ):
            self.flush()
        self.loop.append(i)

    def expression(self, line: ArrayLine, counters: Sequence[str], shape: tuple[int, ...]) -> str:
        name = line.function.__name__
        texts = [
            self.operand(x, counters, shape)
            for x in (line.arguments[:1] if name == "astype" else line.arguments)
        ]
        if name == "power" and texts[1] == "2":  # which NumPy squares
            return f"({texts[0]} * {texts[0]})"
        if name == "equal" or name == "not_equal":
            return f"(+{texts[0]} {_INFIX[name]}= +{texts[1]})"
        if name in _INFIX:
            return f"({texts[0]} {_INFIX[name]} {texts[1]})"
        return _WORDS[name].format(*texts)

    def flush(self) -> None:
        """Print the loop that is waiting."""
        if not self.loop:
            return
        waiting, inside = self.loop, set(self.loop)
        shape = np.shape(self.lines[waiting[0]].value)
        flat = len(shape) > 1 and all(
            self.is_flat(x, shape, inside) for i in waiting for x in self.lines[i].arguments
        )
        counters = ["i"] if flat or len(shape) == 1 else [f"i{k}" for k in range(len(shape))]
        texts: list[str] = []
        for i in waiting:
            texts.append(f"const t{i} = {self.expression(self.lines[i], counters, shape)}")
            self.locals[i] = f"t{i}"
            if i in self.outputs or not self.users[i] <= inside:
                place = self.store(i)
                at = f"{place.name}[i]" if flat else place.at(counters)
                texts.append(f"{at} = t{i}")
        self.loop = []
        self.locals = {}
        if flat or len(shape) == 1:
            self.body.append(f"for (let i = 0; i < {math.prod(shape)}; ++i) {{")
            self.body += [f"  {text}" for text in texts]
            self.body.append("}")
        else:
            self.loops(shape, texts)

    def is_flat(self, x: Any, shape: tuple[int, ...], inside: set[int]) -> bool:
        """Whether an operand is counted by one counter through all axes, or is one number."""
        if isinstance(x, Traced):
            if x.index in inside or x.index in self.scalars:
                return True
            place = self.places[x.index]
            if not math.prod(place.shape) > 1:
                return place.offset == 0
            return place.whole and place.shape == shape
        if isinstance(x, np.ndarray) and x.ndim:
            return x.shape == shape or x.size == 1
        return True

    def loops(self, shape: tuple[int, ...], texts: Sequence[str]) -> None:
        for k, size in enumerate(shape):
            self.body.append("  " * k + f"for (let i{k} = 0; i{k} < {size}; ++i{k}) {{")
        self.body += ["  " * len(shape) + text for text in texts]
        self.body += ["  " * k + "}" for k in reversed(range(len(shape)))]

    def reduction(self, i: int, name: str) -> None:
        line = self.lines[i]
        x = line.arguments[0]
        self.flush_for(x)
        start, further = _REDUCED[name]
        if isinstance(x, Traced) and x.index in self.scalars:
            self.scalars[i] = self.scalars[x.index]
            return
        place = self.place(x)
        axis = line.keywords.get("axis", line.arguments[1] if len(line.arguments) > 1 else None)
        axes = range(len(place.shape)) if axis is None else np.atleast_1d(axis) % len(place.shape)
        taken = {int(a) for a in axes}
        counters = [f"i{k}" for k in range(len(place.shape))]
        element = place.at(counters)
        if len(taken) == len(place.shape) and not np.ndim(line.value):
            self.scalars[i] = f"s{i}"
            self.body.append(f"let s{i} = {start}")
            self.loops(place.shape, [f"s{i} = {further.format(r=f's{i}', x=element)}"])
            return
        out = self.store(i)
        self.body.append(f"{out.name}.fill({start})")
        kept = [c for k, c in enumerate(counters) if k not in taken]
        if len(out.shape) == len(place.shape):  # axes of length one in their places
            kept = counters
        at = out.at(kept)
        self.loops(place.shape, [f"{at} = {further.format(r=at, x=element)}"])

    def product(self, i: int) -> None:
        line = self.lines[i]
        self.flush_for(*line.arguments)
        x, y = (self.place(part) for part in line.arguments[:2])
        if len(x.shape) > 2 or len(y.shape) > 2:
            raise Unrecordable("a product of more than matrices is not printed as JavaScript")
        inner = x.shape[-1]
        rows = x.shape[0] if len(x.shape) == 2 else 1
        columns = y.shape[1] if len(y.shape) == 2 else 1
        row, column = "i" if len(x.shape) == 2 else "0", "j" if len(y.shape) == 2 else "0"
        left = x.at([row, "k"]) if len(x.shape) == 2 else x.at(["k"])
        right = y.at(["k", column]) if len(y.shape) == 2 else y.at(["k"])
        scalar = not np.ndim(line.value)
        if scalar:
            self.scalars[i] = f"s{i}"
            self.body += [
                f"let s{i} = 0",
                f"for (let k = 0; k < {inner}; ++k) s{i} += {left} * {right}",
            ]
            return
        out = self.store(i)
        target = out.at([c for c in (row, column) if c != "0"])
        if columns == 1:
            self.body += [
                f"for (let i = 0; i < {rows}; ++i) {{",
                "  let sum = 0",
                f"  for (let k = 0; k < {inner}; ++k) sum += {left} * {right}",
                f"  {target} = sum",
                "}",
            ]
            return
        self.body += [
            f"{out.name}.fill(0)",
            f"for (let i = 0; i < {rows}; ++i) {{",
            f"  for (let k = 0; k < {inner}; ++k) {{",
            f"    const x = {left}",
            f"    for (let j = 0; j < {columns}; ++j) {target} += x * {right}",
            "  }",
            "}",
        ]

    def of_matrices(self, i: int) -> None:
        """A call of one of the functions of matrices."""
        line = self.lines[i]
        name = line.function.__name__
        self.flush_for(*line.arguments)
        operands = [self.in_order(x) for x in line.arguments]
        sizes = np.shape(line.value if len(operands) > 1 else line.arguments[0].value)[-2:]
        sizes = sizes if len(operands) > 1 else sizes[:1]
        out = self.store(i)
        self.called.add(name)
        self.body.append(f"{name}({', '.join([out.name, *operands, *map(str, sizes)])})")

    def in_order(self, x: Any) -> str:
        """A memory that holds an operand's elements, row by row, and nothing else."""
        place = self.place(x)
        if place.whole and self.bases[place.name].size == place.model.size:
            return place.name
        return self.copied(place)

    def copied(self, place: _Place) -> str:
        """A memory of its own with the elements of a place, row by row."""
        name = self.reserve(place.shape)
        counters = [f"i{k}" for k in range(len(place.shape))]
        own = self.own(name, place.shape).at(counters)
        self.loops(place.shape, [f"{own} = {place.at(counters)}"])
        return name

    def joined(self, i: int) -> None:
        line = self.lines[i]
        parts = list(line.arguments[0])
        axis = line.keywords.get("axis", line.arguments[1] if len(line.arguments) > 1 else 0)
        if axis != 0:
            raise Unrecordable("arrays are laid end to end along the first axis alone")
        self.flush_for(*parts)
        places = [self.place(x) for x in parts]
        out = self.store(i)
        start = 0
        for place in places:
            size = math.prod(place.shape)
            if place.whole:
                memory = place.name
                if math.prod(self.bases[place.name].shape) != size:
                    memory = f"{place.name}.subarray(0, {size})"
                self.body.append(f"{out.name}.set({memory}, {start})")
            else:
                counters = [f"i{k}" for k in range(len(place.shape))]
                model = np.empty(place.shape)
                at = _place(out.name, i, model, model)
                moved = _Place(out.name, start, at.steps, at.shape, i, model)
                self.loops(place.shape, [f"{moved.at(counters)} = {place.at(counters)}"])
            start += size

    def view(self, i: int) -> bool:
        """Another way to count through an operand's memory; False where it is none."""
        line = self.lines[i]
        operands = [x for x in line.arguments if isinstance(x, Traced)]
        if line.function not in VIEWS:
            return False
        if len(line.uses) != 1 or not operands or operands[0] is not line.arguments[0]:
            return False
        x = operands[0]
        if x.index in self.scalars:
            if math.prod(np.shape(line.value)) != 1:
                place = self.store(i)
                self.body.append(f"{place.name}.fill({self.scalars[x.index]})")
                return True
            if not np.ndim(line.value):
                self.scalars[i] = self.scalars[x.index]
            else:
                place = self.store(i)
                self.body.append(f"{place.name}[0] = {self.scalars[x.index]}")
            return True
        place = self.place(x)
        try:
            model = line.function(place.model, *line.arguments[1:], **line.keywords)
        except (TypeError, IndexError, ValueError):
            return False
        if np.shape(model) != np.shape(line.value):
            return False
        if not np.ndim(line.value):
            if line.function is operator.getitem:
                key = line.arguments[1]
                keys = key if isinstance(key, tuple) else (key,)
                if not all(isinstance(k, int) for k in keys) or len(keys) != len(place.shape):
                    return False
                at = place.at([str(k % n) for k, n in zip(keys, place.shape, strict=True)])
            else:  # of one element
                at = place.at(["0"] * len(place.shape))
            self.scalars[i] = f"s{i}"
            self.body.append(f"const s{i} = {at}")
            return True
        base = self.bases[place.name]
        if np.shares_memory(model, base):
            self.places[i] = _place(place.name, place.line, model, base)
            return True
        if math.prod(np.shape(model)) != math.prod(place.shape):
            return False
        # A reshape of what does not lie end to end: it is written out in its order first.
        out = self.store(i)
        ordered = self.own(out.name, place.shape)
        counters = [f"i{k}" for k in range(len(place.shape))]
        self.loops(place.shape, [f"{ordered.at(counters)} = {place.at(counters)}"])
        return True


def _literal(x: Any) -> str:
    if isinstance(x, (bool, np.bool_)):
        return "true" if x else "false"
    value = float(x)
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    text = repr(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    if value == 0 and math.copysign(1.0, value) < 0:
        text = "-0"
    return f"({text})" if text.startswith("-") else text


def printed(function: Callable[..., Any], *arguments: Any) -> str:
    """The text of a module: `make()` gives a function of the arguments' arrays and numbers, in the
    order in which they stand, that returns those of function's result in theirs.

    What it returns holds until its next call; it returns null where a decision that function took
    on these arguments would come out otherwise. Raises Unrecordable for what cannot be printed.
    """
    return _HEAD + _printer(function, arguments).program(exported=True)


def maker(function: Callable[..., Any], *arguments: Any) -> str:
    """The text of `make` alone, for a module that has C's `power(x, y)`; see `printed`."""
    return _printer(function, arguments).program(exported=False)


def _printer(function: Callable[..., Any], arguments: Sequence[Any]) -> _Printer:
    record, result, count = recorded(function, arguments)
    return _Printer(record, leaves(result), count)


def leaves(x: Any) -> list[Any]:
    """The arrays and numbers of nested tuples, lists and Vectors, in order."""
    if isinstance(x, (tuple, list)):
        return [leaf for part in x for leaf in leaves(part)]
    return [] if x is None else [x]
