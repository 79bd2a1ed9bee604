"""Programs printed as JavaScript: ES modules that compute in the reader's browser what Python does.

Every variable of a module is named here, v0, v1, …, so no name that a reader typed can mean
anything to the language: typed names stand in string literals alone, as keys of what goes in and
comes out. All that else reaches the text are numbers and the operations of the table below.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.emit.program import Level, Line, Program

JAVASCRIPT: Mapping[str, str] = {
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
    "sigmoid": "(({0} >= 0 ? 1 : exp(-abs({0}))) / (1 + exp(-abs({0}))))",
    "softplus": "(({0} > 0 ? {0} : 0) + log1p(exp(-abs({0}))))",
    "sign": "sign({0})",
    "absolute": "abs({0})",
    "relu": "({0} <= 0 ? 0 : {0})",
    "maximum": "({0} >= {1} || {0} !== {0} ? {0} : {1})",
    "minimum": "({0} <= {1} || {0} !== {0} ? {0} : {1})",
    "clip": "({0} < {1} ? {1} : {0} > {2} ? {2} : {0})",
    "less": "({0} < {1})",
    "less_equal": "({0} <= {1})",
    "greater": "({0} > {1})",
    "greater_equal": "({0} >= {1})",
    "equal": "({0} == {1})",
    "where": "({0} ? {1} : {2})",
}

_HEAD = """\
const { abs, cos, exp, log, log1p, pow, sign, sin, sqrt, tan, tanh } = Math;
// C and Python say 1 where the exponent is not a number or a base of ±1 meets ±Infinity.
const power = (x, y) => (x === 1 || (x === -1 && abs(y) === Infinity) ? 1 : pow(x, y));
const find = (from, name) =>
  from instanceof Map ? from.get(name) :
  from !== null && from !== undefined && Object.hasOwn(from, name) ? from[name] : undefined;
const read = (from, name, otherwise) => {
  const found = find(from, name);
  return found === undefined || found === null ? otherwise : Number(found);
};
const whole = (steps, most) => {
  if (!(Number.isInteger(steps) && steps >= 0 && steps <= most))
    throw new RangeError(`steps must be a whole number from 0 to ${most}, got ${steps}`);
  return steps;
};
const series = (values, length, what) => {
  if (!values || values.length < length)
    throw new RangeError(`${what} must hold ${length} numbers`);
  return values;
};
"""


def literal(x: Any) -> str:
    """A number or truth value as JavaScript that reads back as exactly that number."""
    if isinstance(x, bool):
        return "true" if x else "false"
    number = float(x)
    if math.isnan(number):
        return "NaN"
    text = "Infinity" if math.isinf(number) else repr(abs(number))
    return f"(-{text})" if math.copysign(1.0, number) < 0 else text


def quoted(name: str) -> str:
    """A name as a string literal that is safe inside HTML as well."""
    return json.dumps(name, ensure_ascii=True).replace("<", "\\u003c").replace(">", "\\u003e")


_NUMBER = re.compile(r"\(?-?[\d.]")


@dataclass
class _Printer:
    """Names and writes the lines of programs of one function body."""

    names: dict[str, str] = field(default_factory=dict)
    count: int = 0

    def new(self) -> str:
        self.count += 1
        return f"v{self.count - 1}"

    def name(self, of: str) -> str:
        """The variable that stands for an input, a line or a running power of the program."""
        if of not in self.names:
            self.names[of] = self.new()
        return self.names[of]

    def atom(self, text: str) -> str:
        """An argument of a line: a variable, a number or a truth value."""
        if text in ("True", "False"):
            return text.lower()
        return literal(float(text.strip("()"))) if _NUMBER.match(text) else self.name(text)

    def expression(self, line: Line) -> str:
        return JAVASCRIPT[line.operation].format(*map(self.atom, line.arguments))

    def lines(self, program: Program, *levels: Level) -> list[str]:
        """The lines of those levels, each a const."""
        found = [line for line in program.lines if line.level in levels]
        return [f"const {self.name(x.target)} = {self.expression(x)};" for x in found]


def _indent(depth: int, lines: Iterable[str]) -> list[str]:
    return ["  " * depth + line for line in lines]


@dataclass(frozen=True)
class Steps:
    """A traced step and the part that each of its names plays; what the modules print.

    constants and varied map a name of the program to (the group it is read from, its name there,
    its default); carried maps a state to the output that follows it, starts says where it begins;
    records maps a name to the outputs that are kept of it; loss is the output held against a
    target.
    """

    program: Program
    point: tuple[str, ...]
    carried: Mapping[str, str]
    starts: Mapping[str, str]
    constants: Mapping[str, tuple[str, str, float]]
    per_step: tuple[str, ...]
    records: Mapping[str, tuple[str, ...]]
    varied: tuple[str, ...] = ()
    loss: str | None = None


@dataclass(frozen=True)
class Along:
    """The loss (output "loss") and its gradient ("g_0", "g_1") as a program of "w_0", "w_1"."""

    program: Program
    constants: Mapping[str, tuple[str, str, float]]


# What a step reads of its own: where it stands in the arguments of `run`.
_SOURCES = {
    "schedule": "schedule ? schedule[k] : 1",
    "noise_0": "sigma * normals[2 * k]",
    "noise_1": "sigma * normals[2 * k + 1]",
    "probe_0": "probes[2 * k]",
    "probe_1": "probes[2 * k + 1]",
}


def _constants(printer: _Printer, constants: Mapping[str, tuple[str, str, float]]) -> list[str]:
    return [
        f"const {printer.name(name)} = read({group}, {quoted(own)}, {literal(default)});"
        for name, (group, own, default) in constants.items()
    ]


def _series(per_step: Sequence[str]) -> list[str]:
    """Looks at what is given for every step before any step is taken."""
    out = []
    if "schedule" in per_step:
        out.append('if (schedule) series(schedule, steps, "schedule");')
    if "noise_0" in per_step:
        out.append('const sigma = read(noise, "sigma", 0);')
        out.append('const normals = series(find(noise, "normals"), 2 * steps, "noise.normals");')
    if "probe_0" in per_step:
        out.append('series(probes, 2 * steps, "probes");')
    return out


def run_module(steps: Steps, along: Along, bound: float, most: int, *, recorded: bool) -> str:
    """The ES module of one run; see `engine.browser_run`."""
    p = _Printer()
    program = steps.program
    point = [p.name(n) for n in steps.point]
    carried = [p.name(n) for n in steps.carried]
    outputs = program.outputs
    body = [f"whole(steps, {most});"]
    body += _constants(p, steps.constants)
    body += _series(steps.per_step)
    body += [f"let {v} = Number(start[{i}]);" for i, v in enumerate(point)]
    begin = dict(zip(steps.point, point, strict=True))
    body += [
        f"let {v} = {begin.get(at, '0')};"
        for v, at in zip(carried, steps.starts.values(), strict=True)
    ]
    body += p.lines(program, Level.CONSTANT, Level.CELL)
    body += [f"let {p.name(name)} = 1;" for name in program.products]
    body += ["const path = new Float64Array(2 * steps + 2);"]
    body += [f"path[{i}] = {v};" for i, v in enumerate(point)]
    kept: list[tuple[str, tuple[str, ...], str]] = []
    for name, parts in steps.records.items():
        array = p.new()
        size = len(parts)
        body.append(f"const {array} = new Float64Array({size} * (steps + 1));")
        at = [steps.starts.get(n) for n in _scalar_names(name, size)]
        if all(a in begin for a in at):
            body += [f"{array}[{i}] = {begin[a]};" for i, a in enumerate(at) if a is not None]
        kept.append((name, parts, array))
    body += ["let stopped = null;", "for (let k = 0; k < steps; ++k) {"]
    inner = [f"const {p.name('t')} = k + 1;"]
    inner += [f"const {p.name(n)} = {_SOURCES[n]};" for n in steps.per_step]
    inner += [f"{p.name(n)} *= {p.atom(base)};" for n, (base, _) in program.products.items()]
    inner += p.lines(program, Level.STEP, Level.BOTH)
    following = [p.atom(outputs[n]) for n in steps.point]
    inside = " && ".join(f"{x} >= -{bound!r} && {x} <= {bound!r}" for x in following)
    inner += [f"if (!({inside})) {{", "  stopped = k + 1;", "  break;", "}"]
    for _, parts, array in kept:
        inner += [
            f"{array}[{len(parts)} * (k + 1) + {i}] = {p.atom(outputs[n])};"
            for i, n in enumerate(parts)
        ]
    sources = following + [p.atom(outputs[n]) for n in steps.carried.values()]
    inner += _assign([*point, *carried], sources, p)
    inner += [f"path[2 * k + {2 + i}] = {v};" for i, v in enumerate(point)]
    body += [*_indent(1, inner), "}"]
    body += ["if (stopped !== null) {", "  repeat(path, 2, stopped);"]
    body += [f"  repeat({array}, {len(parts)}, stopped);" for _, parts, array in kept]
    body += ["}"]
    if recorded:
        pairs = ", ".join(f"[{quoted(name)}, {array}]" for name, _, array in kept)
        body.append(f"const state = Object.fromEntries([{pairs}]);")
        body.append("return { path, stopped, state, ...along(path, parameters) };")
    else:
        body.append("return { path, stopped };")
    out = [_HEAD.rstrip()]
    out += [
        "const repeat = (values, size, stopped) => {",
        "  for (let i = size * stopped; i < values.length; ++i) values[i] = values[i - size];",
        "};",
        "export function run({ start, steps, hypers, parameters, schedule, noise, probes }) {",
        *_indent(1, body),
        "}",
        *_along(along),
    ]
    return "\n".join(out) + "\n"


def _scalar_names(name: str, size: int) -> list[str]:
    return [name] if size == 1 else [f"{name}_{i}" for i in range(size)]


def _assign(targets: Sequence[str], sources: Sequence[str], p: _Printer) -> list[str]:
    """targets = sources, all at once: what another of them reads is set aside first."""
    moves = [(t, s) for t, s in zip(targets, sources, strict=True) if t != s]
    changing = {t for t, _ in moves}
    aside = {s: p.new() for _, s in moves if s in changing}
    out = [f"const {kept} = {s};" for s, kept in aside.items()]
    return out + [f"{t} = {aside.get(s, s)};" for t, s in moves]


def _along(along: Along) -> list[str]:
    """`along(points, parameters) -> {loss, gradient}`, for pairs of coordinates."""
    p = _Printer()
    program = along.program
    body = _constants(p, along.constants)
    body += p.lines(program, Level.CONSTANT)
    body += [
        "const size = points.length >> 1;",
        "const loss = new Float64Array(size);",
        "const gradient = new Float64Array(2 * size);",
        "for (let i = 0; i < size; ++i) {",
        f"  const {p.name('w_0')} = points[2 * i];",
        f"  const {p.name('w_1')} = points[2 * i + 1];",
        *_indent(1, p.lines(program, Level.CELL)),
        f"  loss[i] = {p.atom(program.outputs['loss'])};",
        f"  gradient[2 * i] = {p.atom(program.outputs['g_0'])};",
        f"  gradient[2 * i + 1] = {p.atom(program.outputs['g_1'])};",
        "}",
        "return { loss, gradient };",
    ]
    return ["export function along(points, parameters) {", *_indent(1, body), "}"]


def sweep_module(steps: Steps, along: Along, bound: float, most: int) -> str:
    """The ES module of many runs; see `engine.browser_sweep`."""
    p = _Printer()
    program, outputs = steps.program, steps.program.outputs
    hypers = [n for n in steps.varied if n not in "xy"]
    body = [f"whole(steps, {most});"]
    body += _constants(p, steps.constants)
    body += _series(steps.per_step)
    body += [f"const axis{i} = find(axes, {quoted(n)});" for i, n in enumerate(steps.varied)]
    total = " * ".join(f"axis{i}.length" for i in range(len(steps.varied)))
    body += [
        f"const all = {total};",
        "const from = first ?? 0, to = Math.min(last ?? all, all), size = Math.max(to - from, 0);",
        "const final_point = new Float64Array(2 * size), final_loss = new Float64Array(size);",
        "const diverged_at = new Int32Array(size).fill(-1);",
    ]
    if steps.loss is not None:
        body.append("const steps_to_target = new Int32Array(size).fill(-1);")
    body += p.lines(program, Level.CONSTANT)
    # What is the same in every cell is worked out once, for all steps.
    body += _tables(p, steps)
    body += ["for (let cell = 0; cell < size; ++cell) {"]
    place = _place(len(steps.varied))
    each = [f"const at{i} = {place[i]};" for i in range(len(steps.varied))]
    given = {n: f"axis{i}[at{i}]" for i, n in enumerate(steps.varied)}
    point = [p.name(n) for n in steps.point]
    carried = [p.name(n) for n in steps.carried]
    each += [
        f"let {v} = {given.get(axis, f'Number(start[{i}])')};"
        for i, (v, axis) in enumerate(zip(point, "xy", strict=True))
    ]
    each += [f"const {p.name(n)} = {given[n]};" for n in hypers]
    begin = dict(zip(steps.point, point, strict=True))
    each += [
        f"let {v} = {begin.get(at, '0')};"
        for v, at in zip(carried, steps.starts.values(), strict=True)
    ]
    each += p.lines(program, Level.CELL)
    cells = [(n, b) for n, (b, level) in program.products.items() if level is Level.CELL]
    each += [f"let {p.name(n)} = 1;" for n, _ in cells]
    each += ["let stopped = 0;"]
    if steps.loss is not None:
        each.append("let reached = -1;")
    each += ["for (let k = 0; k < steps; ++k) {"]
    inner = [f"const {p.name(n)} = {p.name(n)}s[k];" for n in _shared(steps)]
    inner += [f"{p.name(n)} *= {p.atom(base)};" for n, base in cells]
    inner += p.lines(program, Level.BOTH)
    if steps.loss is not None:
        inner.append(f"if (reached < 0 && {p.atom(outputs[steps.loss])} <= target) reached = k;")
    following = [p.atom(outputs[n]) for n in steps.point]
    inside = " && ".join(f"{x} >= -{bound!r} && {x} <= {bound!r}" for x in following)
    inner += [f"if (!({inside})) {{", "  stopped = k + 1;", "  break;", "}"]
    sources = following + [p.atom(outputs[n]) for n in steps.carried.values()]
    inner += _assign([*point, *carried], sources, p)
    each += [*_indent(1, inner), "}"]
    each += [f"final_point[2 * cell + {i}] = {v};" for i, v in enumerate(point)]
    each += ["if (stopped > 0) diverged_at[cell] = stopped;"]
    if steps.loss is not None:
        each.append("steps_to_target[cell] = reached < 0 && stopped > 0 ? -2 : reached;")
    body += [*_indent(1, each), "}"]
    body += ["final_loss.set(along(final_point, parameters).loss);"]
    results = "final_point, final_loss, diverged_at"
    if steps.loss is not None:
        # The loop looks before each step; what is left is to look after the last.
        body += [
            "for (let cell = 0; cell < size; ++cell) {",
            "  const found = steps_to_target[cell];",
            "  if (found === -1 && final_loss[cell] <= target) steps_to_target[cell] = steps;",
            "  if (found === -2) steps_to_target[cell] = -1;",
            "}",
        ]
        results += ", steps_to_target"
    body += [f"return {{ {results} }};"]
    names = "axes, start, steps, hypers, parameters, schedule, noise, probes, target, first, last"
    out = [
        _HEAD.rstrip(),
        f"export function sweep({{ {names} }}) {{",
        *_indent(1, body),
        "}",
        *_along(along),
    ]
    return "\n".join(out) + "\n"


def _place(axes: int) -> list[str]:
    """The indices along each axis of the cell at from + cell, the last axis running fastest."""
    if axes == 1:
        return ["from + cell"]
    return ["Math.floor((from + cell) / axis1.length)", "(from + cell) % axis1.length"]


def _shared(steps: Steps) -> list[str]:
    """The names of level STEP that lines of level BOTH, or the outputs, read."""
    program = steps.program
    level = {x.target: x.level for x in program.lines} | dict(program.input_levels)
    level |= {n: Level.STEP for n, (_, at) in program.products.items() if at is Level.CONSTANT}
    used = [a for x in program.lines if x.level is Level.BOTH for a in x.arguments]
    used += program.outputs.values()
    return [n for n in dict.fromkeys(used) if level.get(n) is Level.STEP]


def _tables(p: _Printer, steps: Steps) -> list[str]:
    program = steps.program
    shared = _shared(steps)
    products = [(n, b) for n, (b, level) in program.products.items() if level is Level.CONSTANT]
    inner = [f"const {p.name('t')} = k + 1;"]
    inner += [f"const {p.name(n)} = {_SOURCES[n]};" for n in steps.per_step]
    inner += [f"{p.name(n)} *= {p.atom(base)};" for n, base in products]
    inner += p.lines(program, Level.STEP)
    inner += [f"{p.name(n)}s[k] = {p.name(n)};" for n in shared]
    out = [f"const {p.name(n)}s = new Float64Array(steps);" for n in shared]
    # In a scope of their own: inside the cells' loop the same names are read from the tables.
    out += ["{", *_indent(1, [f"let {p.name(n)} = 1;" for n, _ in products])]
    return [*out, "  for (let k = 0; k < steps; ++k) {", *_indent(2, inner), "  }", "}"]


def function_module(program: Program, names: Sequence[str], single: bool) -> str:
    """The ES module of a traced function; see `engine.browser_function`.

    The program's inputs are "x0", "x1", … in the order of names; its outputs are the results by
    name, or one named "" where the function gives a single number.
    """
    p = _Printer()
    inputs = [p.name(f"x{i}") for i in range(len(names))]
    lines = p.lines(program, *Level)
    results = {name: f"Number({p.atom(at)})" for name, at in program.outputs.items()}
    pairs = ", ".join(f"[{quoted(name)}, {value}]" for name, value in results.items())
    given = results[""] if single else f"Object.fromEntries([{pairs}])"
    scalar = [
        f"const {v} = read(values, {quoted(n)}, NaN);" for v, n in zip(inputs, names, strict=True)
    ]
    columns = [p.new() for _ in names]
    arrays = [p.new() for _ in results]
    over = [
        f"const {c} = column(values, {quoted(n)});" for c, n in zip(columns, names, strict=True)
    ]
    over += [
        f"const size = common([{', '.join(columns)}]);",
        *(f"const {a} = new Float64Array(size);" for a in arrays),
        "for (let i = 0; i < size; ++i) {",
        *(
            f"  const {v} = {c}.length === 1 ? {c}[0] : {c}[i];"
            for v, c in zip(inputs, columns, strict=True)
        ),
        *_indent(1, lines),
        *(f"  {a}[i] = {value};" for a, value in zip(arrays, results.values(), strict=True)),
        "}",
    ]
    pairs = ", ".join(f"[{quoted(n)}, {a}]" for n, a in zip(results, arrays, strict=True))
    over.append(f"return {arrays[0]};" if single else f"return Object.fromEntries([{pairs}]);")
    out = [
        _HEAD.rstrip(),
        "const column = (from, name) => {",
        "  const found = find(from, name);",
        "  return typeof found === 'object' && found !== null ? found : [Number(found ?? NaN)];",
        "};",
        "const common = (columns) => {",
        "  const size = columns.reduce((n, c) => (c.length === 1 ? n : c.length), 1);",
        "  if (columns.some((c) => c.length !== 1 && c.length !== size))",
        "    throw new RangeError('the arrays must be of one length');",
        "  return size;",
        "};",
        "export function f(values) {",
        *_indent(1, [*scalar, *lines, f"return {given};"]),
        "}",
        "export function over(values) {",
        *_indent(1, over),
        "}",
    ]
    return "\n".join(out) + "\n"
