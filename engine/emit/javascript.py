"""Programs printed as JavaScript: ES modules that compute in the reader's browser what Python does.

A module holds the operations of the table, numbers, and variables that the compiler named. What a
reader typed stands in string literals alone, as names of what goes in and comes out, which are
looked up among an object's own properties: `__proto__` and `constructor` are names like any other.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from engine.emit.dialect import FUNCTIONS, JAVASCRIPT, indent
from engine.emit.program import Atom, Carried, Key, Level, Loop, Program

Defaults = Mapping[Key, float]
"""By key (group, name) the value of a constant that the reader's browser does not give."""

_HEAD = f"""\
const {{ abs, pow, {", ".join(sorted(FUNCTIONS))} }} = Math;
// C and Python say 1 for 1 to whatever power, and for -1 to an infinite one.
const power = (x, y) => (x === 1 || (x === -1 && abs(y) === Infinity) ? 1 : pow(x, y));
const find = (from, name) =>
  from instanceof Map ? from.get(name)
  : from !== null && from !== undefined && Object.hasOwn(from, name) ? from[name] : undefined;
const read = (from, name, otherwise) => {{
  const found = find(from, name);
  return found === undefined || found === null ? otherwise : Number(found);
}};
"""
_RUNS = """\
const check = (steps, most) => {
  if (!(Number.isInteger(steps) && steps >= 0 && steps <= most))
    throw new RangeError(`steps must be a whole number from 0 to ${most}, got ${steps}`);
};
const series = (values, length, what) => {
  if (!values || values.length < length)
    throw new RangeError(`${what} must hold ${length} numbers`);
  return values;
};
"""
_RECORDS = """\
const repeat = (values, size, stopped) => {
  for (let i = size * stopped; i < values.length; ++i) values[i] = values[i - size];
};
"""
_COLUMNS = """\
const column = (from, name) => {
  const found = find(from, name);
  return typeof found === "object" && found !== null ? found : [Number(found ?? NaN)];
};
const common = (columns) => {
  const size = columns.reduce((n, c) => (c.length === 1 ? n : c.length), 1);
  if (columns.some((c) => c.length !== 1 && c.length !== size))
    throw new RangeError("the arrays must be of one length");
  return size;
};
"""
_MOST_EACH = 8  # parameters of a landscape that may be others at every step
# What a run is given for every step, by key.
_PER_STEP: Mapping[Key, str] = {
    "schedule": "schedule ? schedule[k] : 1",
    "noise_0": "sigma * normals[2 * k]",
    "noise_1": "sigma * normals[2 * k + 1]",
    "probe_0": "probes[2 * k]",
    "probe_1": "probes[2 * k + 1]",
    "shift_0": "shifts.x[k]",
    "shift_1": "shifts.y[k]",
    **{f"each_{i}": f"each[{i}][k]" for i in range(_MOST_EACH)},
}
_SERIES: Mapping[Key, tuple[str, ...]] = {
    "schedule": ('if (schedule) series(schedule, steps, "schedule");',),
    "noise_0": (
        'const sigma = read(noise, "sigma", 0);',
        'const normals = series(find(noise, "normals"), 2 * steps, "noise.normals");',
    ),
    "probe_0": ('series(probes, 2 * steps, "probes");',),
    "shift_0": ('for (const c of "xy") series(find(shifts, c), steps, "shifts." + c);',),
    **{f"each_{i}": (f'series(each[{i}], steps, "each[{i}]");',) for i in range(_MOST_EACH)},
}


def quoted(name: str) -> str:
    """A name as a string literal that is safe inside HTML as well."""
    return json.dumps(name, ensure_ascii=True).replace("<", "\\u003c").replace(">", "\\u003e")


def _in(depth: int, lines: Iterable[str]) -> list[str]:
    return indent(depth, lines, "  ")


def _lines(program: Program, *levels: Level) -> list[str]:
    return JAVASCRIPT.lines(program.at(*levels), "const {0} = {1};")


def _constants(constants: Mapping[Key, str], defaults: Defaults) -> list[str]:
    """const x3 = read(hypers, "lr", 0.1): the group is an argument of the function."""
    found = []
    for key, variable in constants.items():
        assert isinstance(key, tuple)
        default = JAVASCRIPT.atom(defaults[key])
        found.append(f"const {variable} = read({key[0]}, {quoted(key[1])}, {default});")
    return found


def _move(carried: Sequence[Carried]) -> list[str]:
    """Every variable's next value, all at once: what another of them reads is set aside first."""
    moves = [(c.variable, JAVASCRIPT.atom(c.following)) for c in carried]
    moves = [(name, value) for name, value in moves if name != value]
    changing = {name for name, _ in moves}
    aside = [value for _, value in moves if value in changing]
    out = [f"const old_{value} = {value};" for value in dict.fromkeys(aside)]
    return out + [f"{n} = {f'old_{value}' if value in changing else value};" for n, value in moves]


def _leave(loop: Loop, bound: float) -> list[str]:
    """Out of the loop over steps where the point leaves [-bound, bound]."""
    following = [JAVASCRIPT.atom(c.following) for c in loop.point]
    inside = " && ".join(f"{x} >= -{bound!r} && {x} <= {bound!r}" for x in following)
    return [f"if (!({inside})) {{", "  stopped = k + 1;", "  break;", "}"]


def _let(carried: Iterable[Carried]) -> list[str]:
    return [f"let {c.variable} = {JAVASCRIPT.atom(c.start)};" for c in carried]


def _given(loop: Loop, defaults: Defaults, most: int) -> list[str]:
    """What a run or sweep is given, looked at before any step is taken."""
    out = [f"check(steps, {most});", *_constants(loop.constants, defaults)]
    return out + [line for key in loop.per_step for line in _SERIES.get(key, ())]


def _each_step(loop: Loop) -> list[str]:
    found = [f"const {variable} = {_PER_STEP[key]};" for key, variable in loop.per_step.items()]
    return ["const t = k + 1;", *found]


def _module(*parts: str | Iterable[str]) -> str:
    texts = (part if isinstance(part, str) else "\n".join(part) + "\n" for part in parts)
    return "".join(texts)


def run_module(
    loop: Loop, along: Program, defaults: Defaults, bound: float, most: int, *, recorded: bool
) -> str:
    """The ES module of one run; see `engine.browser_run`.

    along gives "loss", "g_0" and "g_1" of "w_0", "w_1" and the landscape's parameters.
    """
    program = loop.program
    body = _given(loop, defaults, most)
    body += [f"let {c.variable} = Number(start[{i}]);" for i, c in enumerate(loop.point)]
    body += _lines(program, Level.CONSTANT, Level.CELL) + _let(loop.carried)
    body += ["const path = new Float64Array(2 * steps + 2);", "let stopped = null;"]
    body += [f"path[{i}] = {c.variable};" for i, c in enumerate(loop.point)]
    kept = {f"kept{i}": record for i, record in enumerate(loop.records)}
    sizes = {name: len(record.parts) for name, record in kept.items()}
    for name, record in kept.items():
        body.append(f"const {name} = new Float64Array({sizes[name]} * (steps + 1));")
        body += [f"{name}[{i}] = {JAVASCRIPT.atom(x)};" for i, x in enumerate(record.first) if x]
    step = _each_step(loop) + _lines(program, Level.STEP, Level.BOTH) + _leave(loop, bound)
    step += [
        f"{name}[{sizes[name]} * k + {sizes[name] + i}] = {JAVASCRIPT.atom(part)};"
        for name, record in kept.items()
        for i, part in enumerate(record.parts)
    ]
    step += _move([*loop.point, *loop.carried])
    step += [f"path[2 * k + {2 + i}] = {c.variable};" for i, c in enumerate(loop.point)]
    body += ["for (let k = 0; k < steps; ++k) {", *_in(1, step), "}"]
    repeats = [f"repeat({name}, {sizes[name]}, stopped);" for name in kept]
    body += ["if (stopped !== null) {", "  repeat(path, 2, stopped);", *_in(1, repeats), "}"]
    if recorded:
        pairs = ", ".join(f"[{quoted(record.name)}, {name}]" for name, record in kept.items())
        body.append(f"const state = Object.fromEntries([{pairs}]);")
        body.append("return { path, stopped, state, ...along(path, parameters) };")
    else:
        body.append("return { path, stopped };")
    names = "start, steps, hypers, parameters, schedule, noise, probes, shifts, each"
    function = [f"export function run({{ {names} }}) {{", *_in(1, body), "}"]
    return _module(_HEAD, _RUNS, _RECORDS, function, _along(along, defaults))


def array_run_module(
    maker: str, starts: Sequence[int | float], defaults: Defaults, bound: float, most: int
) -> str:
    """The ES module of one run whose step is a function on arrays.

    maker is the text of `make` (see `tensor_javascript.maker`): its step takes what moves, the
    point's two coordinates first, then the step's number and what defaults names, in that order;
    it gives back what moves. starts holds where each of these begins: at a number, or, where it is
    an int, at that coordinate of the start.
    """
    given = {key: f"c{i}" for i, key in enumerate(defaults)}
    begin = [f"Number(start[{x}])" if isinstance(x, int) else JAVASCRIPT.atom(x) for x in starts]
    step = [
        f"const next = step(...now, k + 1, {', '.join(given.values())});",
        'if (next === null) throw new Error("a decision of the step goes another way here");',
        f"if (!(Math.abs(next[0]) <= {bound!r} && Math.abs(next[1]) <= {bound!r})) {{",
        "  stopped = k + 1;",
        "  break;",
        "}",
        "now = next;",
        "path.set([now[0], now[1]], 2 * k + 2);",
    ]
    body = [
        f"check(steps, {most});",
        *_constants(given, defaults),
        f"let now = [{', '.join(begin)}], stopped = null;",
        "const path = new Float64Array(2 * steps + 2);",
        "path.set([now[0], now[1]]);",
        *("for (let k = 0; k < steps; ++k) {", *_in(1, step), "}"),
        "if (stopped !== null) repeat(path, 2, stopped);",
        "return { path, stopped };",
    ]
    function = ["export function run({ start, steps, hypers, parameters }) {", *_in(1, body), "}"]
    return _module(_HEAD, _RUNS, _RECORDS, maker, "const step = make();\n", function)


def _along(program: Program, defaults: Defaults) -> list[str]:
    """`along(points, parameters) -> {loss, gradient}`, for pairs of coordinates."""
    inputs = program.inputs
    parameters = {key: name for key, name in inputs.items() if key not in ("w_0", "w_1")}
    loss, g_0, g_1 = (JAVASCRIPT.atom(program.outputs[key]) for key in ("loss", "g_0", "g_1"))
    body = [
        *_constants(parameters, defaults),
        *_lines(program, Level.CONSTANT),
        "const size = points.length >> 1;",
        "const loss = new Float64Array(size), gradient = new Float64Array(2 * size);",
        "for (let i = 0; i < size; ++i) {",
        f"  const {inputs['w_0']} = points[2 * i], {inputs['w_1']} = points[2 * i + 1];",
        *_in(1, _lines(program, Level.CELL)),
        f"  loss[i] = {loss};",
        f"  gradient[2 * i] = {g_0};",
        f"  gradient[2 * i + 1] = {g_1};",
        "}",
        "return { loss, gradient };",
    ]
    return ["export function along(points, parameters) {", *_in(1, body), "}"]


def sweep_module(
    loop: Loop, along: Program, defaults: Defaults, axes: Sequence[str], bound: float, most: int
) -> str:
    """The ES module of many runs; see `engine.browser_sweep`. axes name what varies, "x" and "y"
    being the start's coordinates."""
    program = loop.program
    own = [c for c in loop.carried if c.level is Level.BOTH]
    body = _given(loop, defaults, most)
    body += [f"const axis{i} = find(axes, {quoted(name)});" for i, name in enumerate(axes)]
    body += [
        f"const all = {' * '.join(f'axis{i}.length' for i in range(len(axes)))};",
        "const from = first ?? 0, to = Math.min(last ?? all, all), size = Math.max(to - from, 0);",
        "const final_point = new Float64Array(2 * size);",
        "const diverged_at = new Int32Array(size).fill(-1);",
    ]
    if loop.loss is not None:
        body.append("const steps_to_target = new Int32Array(size).fill(-1);")
    body += _lines(program, Level.CONSTANT) + _tables(loop)
    place = ["from + cell"]
    if len(axes) > 1:
        place = ["Math.floor((from + cell) / axis1.length)", "(from + cell) % axis1.length"]
    given = {name: f"axis{i}[{place[i]}]" for i, name in enumerate(axes)}
    each = [
        f"let {c.variable} = {given.get('xy'[i], f'Number(start[{i}])')};"
        for i, c in enumerate(loop.point)
    ]
    each += [f"const {variable} = {given[str(name)]};" for name, variable in loop.varied.items()]
    each += [*_lines(program, Level.CELL), *_let(own), "let stopped = 0;"]
    if loop.loss is not None:
        each.append("let reached = -1;")
    step = [f"const {name} = {name}s[k];" for name in _shared(loop)]
    step += _lines(program, Level.BOTH)
    if loop.loss is not None:
        value = JAVASCRIPT.atom(loop.loss)
        step.append(f"if (reached < 0 && {value} <= target) reached = k;")
    step += [*_leave(loop, bound), *_move([*loop.point, *own])]
    each += ["for (let k = 0; k < steps; ++k) {", *_in(1, step), "}"]
    each += [f"final_point[2 * cell + {i}] = {c.variable};" for i, c in enumerate(loop.point)]
    each.append("if (stopped > 0) diverged_at[cell] = stopped;")
    if loop.loss is not None:
        each.append("steps_to_target[cell] = reached;")
    body += ["for (let cell = 0; cell < size; ++cell) {", *_in(1, each), "}"]
    body.append("const final_loss = along(final_point, parameters).loss;")
    if loop.loss is not None:
        # The loop looks before each step; what is left is to look after the last.
        body += [
            "for (let cell = 0; cell < size; ++cell) {",
            "  const unseen = steps_to_target[cell] < 0 && diverged_at[cell] < 0;",
            "  if (unseen && final_loss[cell] <= target) steps_to_target[cell] = steps;",
            "}",
        ]
    found = "final_point, final_loss, diverged_at"
    found += "" if loop.loss is None else ", steps_to_target"
    body.append(f"return {{ {found} }};")
    names = "axes, start, steps, hypers, parameters, schedule, noise, probes, target, first, last"
    function = [f"export function sweep({{ {names} }}) {{", *_in(1, body), "}"]
    return _module(_HEAD, _RUNS, function, _along(along, defaults))


def _shared(loop: Loop) -> list[str]:
    """The variables of level STEP that a cell reads."""
    program = loop.program
    read: list[Atom | None] = [a for x in program.at(Level.BOTH) for a in x.arguments]
    read += [c.following for c in (*loop.point, *loop.carried) if c.level is Level.BOTH]
    read.append(loop.loss)
    names = [a for a in dict.fromkeys(read) if isinstance(a, str)]
    return [name for name in names if program.levels[name] is Level.STEP]


def _tables(loop: Loop) -> list[str]:
    """What is the same in every cell, worked out once for all steps."""
    shared = _shared(loop)
    steps = [c for c in loop.carried if c.level is Level.STEP]
    inner = [*_each_step(loop), *_lines(loop.program, Level.STEP)]
    inner += [f"{name}s[k] = {name};" for name in shared] + _move(steps)
    out = [f"const {name}s = new Float64Array(steps);" for name in shared]
    # In a scope of their own: inside the cells' loop the same names are read from the tables.
    inner = ["for (let k = 0; k < steps; ++k) {", *_in(1, inner), "}"]
    return [*out, "{", *_in(1, [*_let(steps), *inner]), "}"]


def function_module(program: Program, names: Sequence[str], single: bool) -> str:
    """The ES module of a traced function; see `engine.browser_function`.

    names are those of the program's inputs in order; single says that its one output is the
    result itself.
    """
    inputs = list(program.inputs.values())
    lines = _lines(program, *Level)
    results = [JAVASCRIPT.atom(x) for x in program.outputs.values()]
    outputs = [quoted(str(name)) for name in program.outputs]

    def together(values: Sequence[str]) -> str:
        pairs = ", ".join(f"[{n}, {value}]" for n, value in zip(outputs, values, strict=True))
        return values[0] if single else f"Object.fromEntries([{pairs}])"

    given = zip(inputs, names, strict=True)
    scalar = [f"const {x} = read(values, {quoted(name)}, NaN);" for x, name in given]
    scalar += [*lines, f"return {together([f'Number({x})' for x in results])};"]
    given = zip(inputs, names, strict=True)
    over = [f"const {x}s = column(values, {quoted(name)});" for x, name in given]
    over.append(f"const size = common([{', '.join(f'{x}s' for x in inputs)}]);")
    arrays = [f"out{i}" for i in range(len(results))]
    over += [f"const {array} = new Float64Array(size);" for array in arrays]
    each = [f"const {x} = {x}s.length === 1 ? {x}s[0] : {x}s[i];" for x in inputs]
    each += [*lines, *(f"{a}[i] = {x};" for a, x in zip(arrays, results, strict=True))]
    over += ["for (let i = 0; i < size; ++i) {", *_in(1, each), "}"]
    over.append(f"return {together(arrays)};")
    return _module(
        _HEAD,
        _COLUMNS,
        ["export function f(values) {", *_in(1, scalar), "}"],
        ["export function over(values) {", *_in(1, over), "}"],
    )
