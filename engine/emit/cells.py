"""Printers for many runs at once: lanes of NumPy arrays, blocks for Numba, one kernel for CUDA.

All three print the same statements from one loop, a run ("cell") being a set of scalars:
`lanes_source` lets every scalar be an array over cells; `block_source` keeps a block of cells in
the fastest cache and walks over it inside the loop over steps, so that the compiler computes
several cells with one instruction; `cuda_source` gives each cell a thread that keeps its run in
registers. Where only + − × ÷ √ occur the three agree bit for bit.

A cell that leaves [-bound, bound] keeps its last point inside and the step at which it left. It
is masked rather than skipped, because cells that march together must not branch.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.emit.dialect import CELLS, CUDA, Dialect, indent
from engine.emit.program import Carried, Level, Loop


@dataclass(frozen=True, slots=True)
class _Cells:
    """A loop as all three printers write it in their dialect."""

    loop: Loop
    dialect: Dialect

    def lines(self, *levels: Level) -> list[tuple[str, str]]:
        """(target, expression) of every line on those levels, in order."""
        return [(x.target, self.dialect.expression(x)) for x in self.loop.program.at(*levels)]

    @property
    def shared(self) -> tuple[Carried, ...]:
        """What goes from step to step and is the same in every cell."""
        return tuple(c for c in self.loop.carried if c.level is Level.STEP)

    @property
    def own(self) -> tuple[Carried, ...]:
        """What each cell carries beside its point."""
        return tuple(c for c in self.loop.carried if c.level is Level.BOTH)

    def start(self, carried: Iterable[Carried]) -> list[tuple[str, str]]:
        """(variable, first value)."""
        return [(c.variable, self.dialect.atom(c.start)) for c in carried]

    def follow(self, carried: Iterable[Carried]) -> list[tuple[str, str]]:
        """(variable, next value), to be assigned all at once, without those that stay."""
        pairs = ((c.variable, self.dialect.atom(c.following)) for c in carried)
        return [(name, value) for name, value in pairs if name != value]

    def begin(self) -> list[tuple[str, str]]:
        """(variable, first value) of everything a cell keeps beside its point."""
        first = [*self.start(self.own), ("stopped", "real(0.0)")]
        return first if self.loop.loss is None else [*first, ("reached", "real(steps + 1)")]

    def advance(self) -> list[tuple[str, str]]:
        """(variable, value) of how the cell stands, to be assigned in this order after the lines.

        Point and state come after these: see `move`.
        """
        updates: list[tuple[str, str]] = []
        if self.loop.loss is not None:
            hit = f"({self.dialect.atom(self.loop.loss)} <= target) & (before < reached)"
            updates.append(("reached", f"where({hit}, before, reached)"))
        near = [f"(absolute({self.dialect.atom(c.following)}) <= bound)" for c in self.loop.point]
        updates.append(("running", "stopped == real(0.0)"))
        updates.append(("inside", " & ".join(["running", *near])))
        updates.append(("stopped", "where(inside != running, t, stopped)"))
        return updates

    def move(self) -> list[tuple[str, str]]:
        """(variable, next value) of the point, which stays once it has left, and of the state."""
        moves = [(c.variable, self.dialect.atom(c.following)) for c in self.loop.point]
        stay = [(n, f"where(inside, {value}, {n})") for n, value in moves]
        return [*stay, *self.follow(self.own)]


def results(loop: Loop) -> tuple[str, ...]:
    """The variables whose last values a cell gives back: its point, the step at which it left
    (0 for never) and, with a loss, the step at which that reached the target (steps + 1)."""
    ends = (*(c.variable for c in loop.point), "stopped")
    return ends if loop.loss is None else (*ends, "reached")


def _series(loop: Loop) -> dict[str, str]:
    """The sequence that holds each variable of every step."""
    return {variable: f"{variable}_at" for variable in loop.per_step.values()}


def _given(loop: Loop) -> list[str]:
    """What each cell is given: its start, then what varies."""
    return [*(c.variable for c in loop.point), *loop.varied.values()]


def _python(pairs: Iterable[tuple[str, str]], form: str = "{0} = {1}") -> list[str]:
    return [form.format(*pair) for pair in pairs]


def _at_once(pairs: Sequence[tuple[str, str]]) -> list[str]:
    """Python's parallel assignment."""
    if not pairs:
        return []
    names, values = zip(*pairs, strict=True)
    return [f"{', '.join(names)}, = {', '.join(values)},"]


_COUNT = ("before = real(k)", "t = real(k + 1)")


# Lanes: every scalar is an array over cells -------------------------------------------------------


def lanes_source(loop: Loop) -> str:
    """Source of `sweep(steps, bound, target, *constants, *per_step, *point, *varied) -> results`.

    per_step are sequences over the steps, point and varied arrays over the cells.
    """
    cells, series = _Cells(loop, CELLS), _series(loop)
    inputs = [*loop.constants.values(), *series.values(), *_given(loop)]
    assign = _python(cells.lines(Level.CONSTANT, Level.CELL)) + _python(cells.start(cells.shared))
    # A state is an array from the start: the first step may leave it as it is.
    assign += _python(cells.begin(), f"{{0}} = {{1}} + real(0.0) * {loop.point[0].variable}")
    body = [*_COUNT, *_python(series.items(), "{0} = {1}[k]")]
    body += _python(cells.lines(Level.STEP, Level.BOTH)) + _python(cells.advance())
    body += _at_once([*cells.move(), *cells.follow(cells.shared)])
    return _text(
        [f"def sweep(steps, bound, target, {', '.join(inputs)}):"],
        indent(1, assign),
        indent(1, ["for k in range(steps):"]),
        indent(2, body),
        indent(1, [f"return {', '.join(results(loop))},"]),
    )


def _text(*parts: Iterable[str]) -> str:
    return "\n".join(line for part in parts for line in part) + "\n"


# Blocks: the loop over cells innermost, over rows that fit the fastest cache ----------------------


ROW = 1024  # bytes of a row: sixteen instructions or more, which hide how long one step takes


def block_source(loop: Loop, itemsize: int = 8) -> str:
    """Source of `sweep(first, last, steps, bound, target, constants, per_step, given, ends)`.

    The arrays hold numbers of itemsize bytes: constants (1-D), then a row each for what differs
    from step to step, for point and varied, and for the results, whose columns first … last − 1
    are filled. A compiler takes several times as long for as many arguments.

    Everything that a cell keeps from step to step is a row of one scratch array. As the rows lie
    a constant distance apart, the compiler sees that they never overlap. That array, `empty`, must
    begin with a cache line: an instruction that reads across two of them takes longer.
    """
    width = ROW // itemsize
    cells, program = _Cells(loop, CELLS), loop.program
    begin, each = cells.begin(), cells.lines(Level.CELL)
    kept = [*(c.variable for c in loop.point), *(name for name, _ in begin)]
    used: set[object] = {a for x in program.at(Level.BOTH) for a in x.arguments}
    used |= {loop.loss, *(c.following for c in (*loop.point, *loop.carried))}
    fixed = [n for n in (*loop.varied.values(), *(name for name, _ in each)) if n in used]
    row = {name: f"scratch[{i * width} + lane]" for i, name in enumerate([*kept, *fixed])}
    constants = [(name, f"constants[{i}]") for i, name in enumerate(loop.constants.values())]
    series = [(name, f"per_step[{i}, k]") for i, name in enumerate(loop.per_step.values())]
    given = [(name, f"given[{i}, cell]") for i, name in enumerate(_given(loop))]
    ends = [(row[name], f"ends[{i}, start + lane]") for i, name in enumerate(results(loop))]

    each_cell = _python(given) + _python(each) + _python(begin)
    each_cell += _python(row.items(), "{1} = {0}")
    each_step = [*_COUNT, *_python(series)]
    each_step += _python(cells.lines(Level.STEP))
    moves = cells.move()
    body = _python(row.items()) + _python(cells.lines(Level.BOTH)) + _python(cells.advance())
    body += _at_once(moves)
    changed = {name for name, _ in (*moves, *cells.advance())}
    body += [f"{place} = {name}" for name, place in row.items() if name in changed]
    return _text(
        ["def sweep(first, last, steps, bound, target, constants, per_step, given, ends):"],
        indent(1, _python(constants) + _python(cells.lines(Level.CONSTANT))),
        indent(1, [f"scratch = empty({len(row) * width}, real)"]),
        indent(1, [f"for start in range(first, last, {width}):"]),
        # The last block is filled up with copies of the last cell, so that all are of one width.
        indent(2, [f"for lane in range({width}):", "    cell = min(start + lane, last - 1)"]),
        indent(3, each_cell),
        indent(2, _python(cells.start(cells.shared))),
        indent(2, ["for k in range(steps):"]),
        indent(3, each_step),
        indent(3, [f"for lane in range({width}):"]),
        indent(4, body),
        indent(3, _at_once(cells.follow(cells.shared))),
        indent(2, [f"for lane in range(min({width}, last - start)):"]),
        indent(3, _python(ends, "{1} = {0}")),
    )


# CUDA: a thread for every cell --------------------------------------------------------------------

_CUDA_HEAD = """\
typedef {real} real;
__device__ inline real where(bool c, real x, real y) {{ return c ? x : y; }}
__device__ inline bool where(bool c, bool x, bool y) {{ return c ? x : y; }}
__device__ inline real power(real x, real y) {{ return pow(x, y); }}
__device__ inline real absolute(real x) {{ return fabs(x); }}
"""


def cuda_source(loop: Loop, real: str) -> str:
    """CUDA C++ of `sweep(first, last, steps, bound, target, *constants, *per_step, *point, *varied,
    *results)`, one thread a cell; real is "float" or "double".

    Compile with contraction off (--fmad=false) where results must equal the reference bit for bit.
    """
    cells, series = _Cells(loop, CUDA), _series(loop)
    arguments = ["long long first", "long long last", "int steps", "real bound", "real target"]
    arguments += [f"real {name}" for name in loop.constants.values()]
    arguments += [f"const real* {name}" for name in series.values()]
    arguments += [f"const real* {name}_of" for name in _given(loop)]
    arguments += [f"real* {name}_out" for name in results(loop)]

    begin = [f"const long long cell = first + {_THREAD};", "if (cell >= last) return;"]
    begin += [f"real {c.variable} = {c.variable}_of[cell];" for c in loop.point]
    begin += [f"const real {name} = {name}_of[cell];" for name in loop.varied.values()]
    begin += _c(cells.lines(Level.CONSTANT, Level.CELL))
    begin += _c([*cells.start(cells.shared), *cells.begin()], "real {0} = {1};")
    body = ["const real before = real(k);", "const real t = real(k + 1);"]
    body += _c(series.items(), "const real {0} = {1}[k];")
    body += _c(cells.lines(Level.STEP, Level.BOTH))
    kept = {name for name, _ in cells.begin()}
    for pair in cells.advance():
        body += _c([pair], "{0} = {1};" if pair[0] in kept else "const bool {0} = {1};")
    # All next values stand before any is assigned, as on the left of Python's parallel assignment.
    moves = [*cells.move(), *cells.follow(cells.shared)]
    body += _c(moves, "const real next_{0} = {1};") + _c(moves, "{0} = next_{0};")
    return _text(
        [_CUDA_HEAD.format(real=real) + 'extern "C" __global__'],
        [f"void sweep({', '.join(arguments)})", "{"],
        indent(1, begin),
        indent(1, ["for (int k = 0; k < steps; ++k) {"]),
        indent(2, body),
        indent(1, ["}"]),
        indent(1, [f"{name}_out[cell] = {name};" for name in results(loop)]),
        ["}"],
    )


_THREAD = "(long long)blockIdx.x * blockDim.x + threadIdx.x"


def _c(pairs: Iterable[tuple[str, str]], form: str = "const auto {0} = {1};") -> list[str]:
    return [form.format(*pair) for pair in pairs]
