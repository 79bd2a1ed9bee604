"""Emitters for many runs at once: lanes of NumPy arrays, blocks for Numba, one kernel for CUDA.

All three print the same statements from one traced step, a run ("cell") being a set of scalars:
`lanes_source` lets every scalar be an array over cells; `block_source` keeps a block of cells in
the fastest cache and walks over it inside the loop over steps, so that the compiler computes
several cells with one instruction; `cuda_source` gives each cell a thread that keeps its run in
registers. Where only + − × ÷ √ occur the three agree bit for bit.

A cell that leaves [-bound, bound] keeps its last point inside and the step at which it left. It
is masked rather than skipped, because cells that march together must not branch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from engine.emit.program import Level, Line, Program

# Every operation a cell may compute, in words that Python and C++ share. `real` is the type of
# all numbers; `where`, `power` and `absolute` are supplied by whoever runs the text.
CELLS: Mapping[str, str] = {
    "add": "({0} + {1})",
    "subtract": "({0} - {1})",
    "multiply": "({0} * {1})",
    "divide": "({0} / {1})",
    "negative": "(-{0})",
    "power": "power({0}, {1})",
    "exp": "exp({0})",
    "log": "log({0})",
    "log1p": "log1p({0})",
    "sqrt": "sqrt({0})",
    "sin": "sin({0})",
    "cos": "cos({0})",
    "tan": "tan({0})",
    "tanh": "tanh({0})",
    # e^-|x| cannot overflow, and what is small keeps its digits.
    "sigmoid": (
        "(where({0} >= real(0.0), real(1.0), exp(-absolute({0})))"
        " / (real(1.0) + exp(-absolute({0}))))"
    ),
    "softplus": "(where({0} > real(0.0), {0}, real(0.0)) + log1p(exp(-absolute({0}))))",
    "sign": "where({0} == {0}, real({0} > real(0.0)) - real({0} < real(0.0)), {0})",
    "absolute": "absolute({0})",
    "relu": "where({0} <= real(0.0), real(0.0), {0})",
    # Not-a-number wins, as it does in NumPy: a run that broke must be seen to have broken.
    "maximum": "where(({0} >= {1}) | ({0} != {0}), {0}, {1})",
    "minimum": "where(({0} <= {1}) | ({0} != {0}), {0}, {1})",
    "clip": "where({0} < {1}, {1}, where({0} > {2}, {2}, {0}))",
    "less": "({0} < {1})",
    "less_equal": "({0} <= {1})",
    "greater": "({0} > {1})",
    "greater_equal": "({0} >= {1})",
    "equal": "({0} == {1})",
    "where": "where({0}, {1}, {2})",
}

# What an expression may call beside `where`, `power` and `absolute`.
FUNCTIONS = ("exp", "log", "log1p", "sqrt", "sin", "cos", "tan", "tanh")

# Names that a rule's own variables must not take: ours, the functions', and words of C++.
_RESERVED = frozenset(FUNCTIONS) | {
    "first", "last", "steps", "bound", "target", "stopped", "reached", "inside", "before", "k",
    "real", "where", "power", "absolute", "scratch", "empty", "cell", "lane", "start", "min",
    "range", "blockIdx", "blockDim", "threadIdx",
    "alignas", "alignof", "and_eq", "asm", "auto", "bitand", "bitor", "bool", "case", "catch",
    "char", "compl", "const", "constexpr", "decltype", "default", "delete", "do", "double", "enum",
    "explicit", "export", "extern", "false", "float", "friend", "goto", "inline", "int", "long",
    "mutable", "namespace", "new", "noexcept", "not_eq", "nullptr", "operator", "or_eq", "private",
    "protected", "public", "register", "short", "signed", "sizeof", "static", "struct", "switch",
    "template", "this", "throw", "true", "typedef", "typeid", "typename", "union", "unsigned",
    "using", "virtual", "void", "volatile", "xor", "xor_eq",
}  # fmt: skip


def spell(text: str) -> str:
    """A name, number or truth value of a program as the cell printers write it."""
    if text in ("True", "False"):
        return text
    if text[0] in "(-.0123456789":
        return f"real({text})"
    if not text.isascii():  # a reader's own η
        text = "".join(c if c.isascii() else f"u{ord(c):x}" for c in text)
    return f"{text}_" if text in _RESERVED else text


@dataclass(frozen=True, slots=True)
class Cells:
    """What the printers print: a program and the part that each of its names plays.

    point names w's coordinates, whose next values are the outputs of the same names; carried maps
    each further state to the output that follows it, starts says where it begins ("zero" or a
    coordinate). constants are shared by all cells, per_step are sequences over the steps, varied
    differ from cell to cell. loss is the output to hold against the target, if anyone asks.
    """

    program: Program
    point: tuple[str, ...]
    carried: Mapping[str, str]
    starts: Mapping[str, str]
    constants: tuple[str, ...]
    per_step: tuple[str, ...]
    varied: tuple[str, ...]
    loss: str | None = None

    def lines(self, *levels: Level) -> list[tuple[str, str]]:
        """(target, expression) of every line on those levels, in order."""
        return [(spell(x.target), _expression(x)) for x in self.program.lines if x.level in levels]

    def products(self, *levels: Level) -> list[tuple[str, str]]:
        """(running power, base) for the bases on those levels."""
        found = self.program.products.items()
        return [(spell(name), spell(base)) for name, (base, level) in found if level in levels]

    def begin(self) -> list[tuple[str, str]]:
        """(state, first value) of everything a cell carries beside its point."""
        zero = "real(0.0)"
        first = [(spell(n), zero if at == "zero" else spell(at)) for n, at in self.starts.items()]
        first += [(name, "real(1.0)") for name, _ in self.products(Level.CELL)]
        first.append(("stopped", zero))
        if self.loss is not None:
            first.append(("reached", "real(steps + 1)"))
        return first

    def advance(self) -> list[tuple[str, str]]:
        """(name, next value) of everything a cell carries, to be assigned in this order.

        The point comes last but for the state, which may have read it: see `follow`.
        """
        updates: list[tuple[str, str]] = []
        if self.loss is not None:
            value = spell(self.program.outputs[self.loss])
            hit = f"({value} <= target) & (before < reached)"
            updates.append(("reached", f"where({hit}, before, reached)"))
        following = [spell(self.program.outputs[name]) for name in self.point]
        inside = " & ".join(f"(-bound <= {x}) & ({x} <= bound)" for x in following)
        updates.append(("inside", inside))
        left = "where(stopped == real(0.0), t, stopped)"
        updates.append(("stopped", f"where(inside, stopped, {left})"))
        return updates

    def follow(self) -> tuple[list[str], list[str]]:
        """Names and next values of point and state, to be assigned all at once."""
        names = [spell(name) for name in (*self.point, *self.carried)]
        values = [
            f"where(stopped == real(0.0), {spell(self.program.outputs[n])}, {spell(n)})"
            for n in self.point
        ]
        values += [spell(self.program.outputs[output]) for output in self.carried.values()]
        return names, values

    @property
    def results(self) -> tuple[str, ...]:
        """The names whose last values a cell gives back."""
        ends = [*(spell(name) for name in self.point), "stopped"]
        return tuple(ends if self.loss is None else [*ends, "reached"])


def _expression(line: Line) -> str:
    return CELLS[line.operation].format(*map(spell, line.arguments))


def _spelled(names: Iterable[str], suffix: str = "") -> list[str]:
    return [f"{spell(name)}{suffix}" for name in names]


# Lanes: every scalar is an array over cells -------------------------------------------------------


def lanes_source(cells: Cells) -> str:
    """Source of `sweep(steps, bound, target, *constants, *per_step, *point, *varied) -> results`.

    per_step are sequences over the steps, point and varied arrays over the cells.
    """
    sequences = _spelled(cells.per_step, "_at")
    inputs = [
        *_spelled(cells.constants),
        *sequences,
        *_spelled(cells.point),
        *_spelled(cells.varied),
    ]
    out = [f"def sweep(steps, bound, target, {', '.join(inputs)}):"]
    assign = _python_lines(cells.lines(Level.CONSTANT, Level.CELL))
    assign += _python_lines(cells.products(Level.CONSTANT), "{0} = real(1.0)")
    # A state is an array from the start: the first step may leave it as it is.
    assign += _python_lines(cells.begin(), f"{{0}} = {{1}} + real(0.0) * {spell(cells.point[0])}")
    out += [f"    {line}" for line in assign]
    out.append("    for k in range(steps):")
    body = ["before = real(k)", "t = real(k + 1)"]
    body += [f"{spell(n)} = {s}[k]" for n, s in zip(cells.per_step, sequences, strict=True)]
    body += _python_lines(cells.products(Level.CONSTANT, Level.CELL), "{0} = {0} * {1}")
    body += _python_lines(cells.lines(Level.STEP, Level.BOTH))
    body += _python_lines(cells.advance())
    names, values = cells.follow()
    body.append(f"{', '.join(names)}, = {', '.join(values)},")
    out += [f"        {line}" for line in body]
    out.append(f"    return {', '.join(cells.results)},")
    return "\n".join(out) + "\n"


def _python_lines(pairs: Sequence[tuple[str, str]], form: str = "{0} = {1}") -> list[str]:
    return [form.format(*pair) for pair in pairs]


# Blocks: the loop over cells innermost, over rows that fit the fastest cache ----------------------


def block_source(cells: Cells, width: int = 64) -> str:
    """Source of `sweep(first, last, steps, bound, target, *constants, *per_step, *point, *varied,
    *results)`, which fills results[first:last]; all arrays are one-dimensional.

    Everything that a cell keeps from step to step is a row of one scratch array. As the rows lie
    a constant distance apart, the compiler sees that they never overlap.
    """
    program = cells.program
    varying = [*_spelled(cells.varied), *(name for name, _ in cells.lines(Level.CELL))]
    used = {spell(a) for x in program.lines if x.level is Level.BOTH for a in x.arguments}
    used |= {base for _, base in cells.products(Level.CELL)}
    used |= set(_spelled(program.outputs.values()))
    begin = cells.begin()
    kept = [*_spelled(cells.point), *(name for name, _ in begin)]
    fixed = [name for name in varying if name in used]
    row = {name: f"scratch[{i * width} + lane]" for i, name in enumerate([*kept, *fixed])}

    sequences = _spelled(cells.per_step, "_at")
    arrays = [f"{name}_of" for name in [*_spelled(cells.point), *_spelled(cells.varied)]]
    results = [f"{name}_out" for name in cells.results]
    inputs = [*_spelled(cells.constants), *sequences, *arrays, *results]
    products = cells.products(Level.CELL)
    names, values = cells.follow()
    stay = {name for name, value in zip(names, values, strict=True) if name == value}
    moving = [name for name in kept if name not in stay]

    each_cell = [
        f"{n} = {a}[cell]"
        for n, a in zip([*_spelled(cells.point), *_spelled(cells.varied)], arrays, strict=True)
    ]
    each_cell += _python_lines(cells.lines(Level.CELL)) + _python_lines(begin)
    each_cell += [f"{row[name]} = {name}" for name in row]

    each_step = ["before = real(k)", "t = real(k + 1)"]
    each_step += [f"{spell(n)} = {s}[k]" for n, s in zip(cells.per_step, sequences, strict=True)]
    each_step += _python_lines(cells.products(Level.CONSTANT), "{0} = {0} * {1}")
    each_step += _python_lines(cells.lines(Level.STEP))

    body = [f"{name} = {place}" for name, place in row.items()]
    body += _python_lines(products, "{0} = {0} * {1}")
    body += _python_lines(cells.lines(Level.BOTH)) + _python_lines(cells.advance())
    body.append(f"{', '.join(names)}, = {', '.join(values)},")
    body += [f"{row[name]} = {name}" for name in moving]

    out = [f"def sweep(first, last, steps, bound, target, {', '.join(inputs)}):"]
    out += _indent(1, _python_lines(cells.lines(Level.CONSTANT)))
    out += _indent(1, [f"scratch = empty({len(row) * width}, real)"])
    out += _indent(1, [f"for start in range(first, last, {width}):"])
    # The last block is filled up with copies of the last cell, so that all are of one width.
    out += _indent(2, [f"for lane in range({width}):", "    cell = min(start + lane, last - 1)"])
    out += _indent(3, each_cell)
    out += _indent(2, _python_lines(cells.products(Level.CONSTANT), "{0} = real(1.0)"))
    out += _indent(2, ["for k in range(steps):"])
    out += _indent(3, each_step)
    out += _indent(3, [f"for lane in range({width}):"])
    out += _indent(4, body)
    out += _indent(2, [f"for lane in range(min({width}, last - start)):"])
    ends = zip(results, cells.results, strict=True)
    out += _indent(3, [f"{array}[start + lane] = {row[name]}" for array, name in ends])
    return "\n".join(out) + "\n"


def _indent(depth: int, lines: Iterable[str]) -> list[str]:
    return ["    " * depth + line for line in lines]


# CUDA: a thread for every cell --------------------------------------------------------------------

_CUDA_HEAD = """\
typedef {real} real;
__device__ inline real where(bool c, real x, real y) {{ return c ? x : y; }}
__device__ inline real power(real x, real y) {{ return pow(x, y); }}
__device__ inline real absolute(real x) {{ return fabs(x); }}
"""


def cuda_source(cells: Cells, real: str) -> str:
    """CUDA C++ of `sweep(first, last, steps, bound, target, *constants, *per_step, *point, *varied,
    *results)`, one thread a cell; real is "float" or "double".

    Compile with contraction off (--fmad=false) where results must equal the reference bit for bit.
    """
    points, varied = _spelled(cells.point), _spelled(cells.varied)
    sequences = _spelled(cells.per_step, "_at")
    results = [f"{name}_out" for name in cells.results]
    arguments = ["long long first", "long long last", "int steps", "real bound", "real target"]
    arguments += [f"real {name}" for name in _spelled(cells.constants)]
    arguments += [f"const real* {name}" for name in sequences]
    arguments += [f"const real* {name}_of" for name in [*points, *varied]]
    arguments += [f"real* {name}" for name in results]
    names, values = cells.follow()
    moves = [(n, v) for n, v in zip(names, values, strict=True) if n != v]

    body = ["const real before = real(k);", "const real t = real(k + 1);"]
    body += [
        f"const real {spell(n)} = {s}[k];" for n, s in zip(cells.per_step, sequences, strict=True)
    ]
    everywhere = (Level.CONSTANT, Level.CELL)
    body += [f"{name} = {name} * {base};" for name, base in cells.products(*everywhere)]
    body += _c_lines(cells.lines(Level.STEP, Level.BOTH))
    body += [
        f"const bool inside = {value};" if name == "inside" else f"{name} = {value};"
        for name, value in cells.advance()
    ]
    # All next values stand before any is assigned, as on the left of Python's parallel assignment.
    body += [f"const real next_{name} = {value};" for name, value in moves]
    body += [f"{name} = next_{name};" for name, _ in moves]

    out = [
        _CUDA_HEAD.format(real=real),
        'extern "C" __global__',
        f"void sweep({', '.join(arguments)})",
        "{",
    ]
    out += _indent(
        1, ["const long long cell = first + (long long)blockIdx.x * blockDim.x + threadIdx.x;"]
    )
    out += _indent(1, ["if (cell >= last) return;"])
    out += _indent(1, [f"real {name} = {name}_of[cell];" for name in points])
    out += _indent(1, [f"const real {name} = {name}_of[cell];" for name in varied])
    out += _indent(1, _c_lines(cells.lines(*everywhere)))
    out += _indent(1, [f"real {name} = real(1.0);" for name, _ in cells.products(Level.CONSTANT)])
    out += _indent(1, [f"real {name} = {value};" for name, value in cells.begin()])
    out += _indent(1, ["for (int k = 0; k < steps; ++k) {"])
    out += _indent(2, body)
    out += _indent(1, ["}"])
    ends = zip(results, cells.results, strict=True)
    out += _indent(1, [f"{array}[cell] = {name};" for array, name in ends])
    out.append("}")
    return "\n".join(out) + "\n"


def _c_lines(pairs: Sequence[tuple[str, str]]) -> Iterator[str]:
    return (f"const auto {name} = {value};" for name, value in pairs)
