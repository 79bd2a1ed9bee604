"""An experiment as a script to run elsewhere: plain NumPy, PyTorch, optax or Keras.

The function and the rule are traced once and printed as Python. Where a framework has the very
rule, the script uses it; where it has none, or another convention of it, the script carries the
rule as printed and says so. Every script leaves `path`, an array (steps + 1, 2).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from textwrap import wrap
from typing import Any, Final

from engine.emit.dialect import FUNCTIONS, PYTHON, indent
from engine.emit.program import Key, Level, Line, Program, compile_program
from engine.optimizers import Optimizer
from engine.optimizers.schedules import Schedule, find_schedule
from engine.problems.landscapes import Landscape
from engine.runs.descent import DIVERGENCE_RADIUS, find_landscape, find_optimizer
from engine.runs.tracing import COUNT, NOISE, POINT, PROBE, SCHEDULE, At, trace_loop
from engine.studies import schedule_code
from engine.studies.frameworks import own_rule, script_text
from engine.tape import Operation, Vector, autograd
from engine.tape.operations import OPERATIONS


def script(
    framework: str,
    landscape: Landscape | str,
    optimizer: Optimizer | str,
    start: Sequence[float],
    steps: int,
    hypers: Mapping[str, float] | None = None,
    *,
    options: Mapping[str, str | bool] | None = None,
    schedule: Schedule | str | None = None,
    noise: float = 0.0,
    seed: int = 0,
) -> str:
    """The text of a script that makes the run that `descend` makes of the same arguments.

    A schedule is the framework's own scheduler where it has it, else written out. In NumPy the two
    paths agree to rounding, and the run stops where it leaves ±10⁴. Raises ValueError for unknown
    names.
    """
    surface, rule = find_landscape(landscape), find_optimizer(optimizer)
    run = _Run(
        surface,
        rule,
        rule.hyper_values(hypers),
        rule.option_values(options),
        (float(start[0]), float(start[1])),
        int(steps),
        None if schedule is None else find_schedule(schedule),
        float(noise),
        int(seed),
    )
    if framework == "NumPy":
        return _numpy(run)
    planned = run.schedule is not None
    theirs = own_rule(framework, rule.slug, run.hypers, run.options, planned=planned)
    return {"PyTorch": _torch, "optax": _optax, "Keras": _keras}[framework](run, theirs)


@dataclass(frozen=True, slots=True)
class _Run:
    landscape: Landscape
    rule: Optimizer
    hypers: Mapping[str, float]
    options: Mapping[str, str | bool]
    start: tuple[float, float]
    steps: int
    schedule: Schedule | None
    noise: float
    seed: int

    @property
    def title(self) -> str:
        chosen = ", ".join(f"{n} = {v}" for n, v in self.options.items())
        settings = ", ".join(f"{n} = {v!r}" for n, v in self.hypers.items())
        plan = f"schedule = {self.schedule.name.lower()}" if self.schedule else ""
        about = "; ".join(part for part in (settings, chosen, plan) if part)
        return f"{self.rule.name} on {self.landscape.name}" + (f" ({about})" if about else "")


# Printing ---------------------------------------------------------------------------------------

_ASKED: Final = {
    "ask_loss": Operation("ask_loss", lambda x, y: 0.7, spelled="f({0}, {1})"),
    "ask_gx": Operation("ask_gx", lambda x, y: 0.7, spelled="gradient({0}, {1})[0]"),
    "ask_gy": Operation("ask_gy", lambda x, y: 0.7, spelled="gradient({0}, {1})[1]"),
    "ask_hxx": Operation("ask_hxx", lambda x, y: 0.7, spelled="hessian({0}, {1})[0]"),
    "ask_hxy": Operation("ask_hxy", lambda x, y: 0.7, spelled="hessian({0}, {1})[1]"),
    "ask_hyy": Operation("ask_hyy", lambda x, y: 0.7, spelled="hessian({0}, {1})[2]"),
}
_DIALECT: Final = replace(
    PYTHON, spelled={**PYTHON.spelled, **{name: o.spelled for name, o in _ASKED.items()}}
)


class _Asking:
    """An oracle whose answers are calls of the script's own functions."""

    output_axis = 0  # a point is a matrix of one row

    def __init__(
        self,
        landscape: Landscape,
        t: Any,
        factor: Any,
        noise: Vector | None,
        probe: Vector | None,
    ) -> None:
        self.lower_bound = landscape.minimum
        self.t = t
        self.schedule = factor
        self._noise = noise
        self._probe = probe

    def loss(self, w: Vector) -> Any:
        return _ASKED["ask_loss"](w[0], w[1])

    def gradient(self, w: Vector) -> Vector:
        g = Vector((_ASKED["ask_gx"](w[0], w[1]), _ASKED["ask_gy"](w[0], w[1])))
        return (
            g if self._noise is None else Vector(a + b for a, b in zip(g, self._noise, strict=True))
        )

    def hessian(self, w: Vector) -> tuple[Vector, ...]:
        a, b, c = (_ASKED[f"ask_h{ij}"](w[0], w[1]) for ij in ("xx", "xy", "yy"))
        return Vector((a, b)), Vector((b, c))

    def hessian_diagonal(self, w: Vector) -> Vector:
        return Vector((_ASKED["ask_hxx"](w[0], w[1]), _ASKED["ask_hyy"](w[0], w[1])))

    def signs(self) -> Vector:
        assert self._probe is not None
        return self._probe

    def hessian_probe(self, w: Vector) -> Vector:
        rows = self.hessian(w)
        u = self.signs()
        return Vector(u[i] * (row[0] * u[0] + row[1] * u[1]) for i, row in enumerate(rows))


def _dialect(prefix: str) -> Any:
    """Python whose functions of numbers stand in a module: np.exp, torch.exp, jnp.exp."""
    functions = {n: f"{prefix}{n}({{0}})" for n in FUNCTIONS}
    return replace(_DIALECT, spelled={**_DIALECT.spelled, **functions})


_LONGEST: Final = 76  # characters of an expression that is written into the one that reads it
_PAIRS: Final = {"ask_g": ("gradient", 2), "ask_h": ("hessian", 3)}
_PLACES: Final = {"x": 0, "y": 1, "xx": 0, "xy": 1, "yy": 2}


def _written(
    lines: Sequence[Line],
    outputs: Sequence[Any],
    names: Mapping[str, str],
    prefix: str,
    called: Mapping[str, str] | None = None,
) -> tuple[list[str], list[str]]:
    """Statements for the lines, and the outputs as expressions.

    What is read once stands where it is read, as far as that stays legible; `called` names the
    lines that get a statement in any case. Products with 0 and sums with it are left out, which
    on finite numbers changes no more than the sign of a zero.
    """
    dialect = _dialect(prefix)
    read = Counter(a for line in lines for a in line.arguments if isinstance(a, str))
    read.update(a for a in outputs if isinstance(a, str))
    known: dict[str, str] = dict(names)
    statements: list[str] = []
    answers: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    count = 0

    def spell(atom: Any) -> str:
        return known[atom] if isinstance(atom, str) else dialect.atom(atom)

    for line in lines:
        asked, place = _PAIRS.get(line.operation[:5]), line.operation[5:]
        spelled = [spell(a) for a in line.arguments]
        if asked is not None:
            function, parts = asked
            key = (function, tuple(map(_bare, spelled)))
            if key not in answers:
                letters = ("x", "y") if parts == 2 else ("xx", "xy", "yy")
                mark = function[0] + (str(len(answers) + 1) if answers else "")
                answers[key] = [f"{mark}_{letter}" for letter in letters]
                statements.append(f"{', '.join(answers[key])} = {function}({', '.join(key[1])})")
            known[line.target] = answers[key][_PLACES[place]]
            continue
        form = dialect.spelled.get(line.operation) or OPERATIONS[line.operation].spelled
        call = re.fullmatch(r"[\w.]+\(.*\)", form) is not None
        plain = _without_zeros(line.operation, spelled)
        text = plain or form.format(*(map(_bare, spelled) if call else spelled))
        name = (called or {}).get(line.target)
        if name is None and (plain or (read[line.target] == 1 and len(text) <= _LONGEST)):
            known[line.target] = text
            continue
        if name is None:
            count += 1
            name = f"a{count}"
        known[line.target] = name
        statements.append(f"{name} = {_bare(text)}")
    return statements, [_bare(spell(a)) for a in outputs]


def _without_zeros(operation: str, arguments: Sequence[str]) -> str:
    """What a sum or product with zero comes to, "" for any other line."""
    zero = ("0.0", "(-0.0)")
    if operation == "multiply" and any(a in zero for a in arguments):
        return "0.0"
    if operation == "add" and any(a in zero for a in arguments):
        return arguments[1] if arguments[0] in zero else arguments[0]
    if operation == "subtract" and arguments[1] in zero:
        return arguments[0]
    return "0.0" if operation == "negative" and arguments[0] in zero else ""


def _bare(text: str) -> str:
    """An expression without the brackets around all of it."""
    if not (text.startswith("(") and text.endswith(")")):
        return text
    depth = 0
    for i, sign in enumerate(text):
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if depth == 0 and i < len(text) - 1:
            return text
    return text[1:-1]


def _of_point(
    landscape: Landscape, name: str, answer: Callable[[Vector], Sequence[Any]], prefix: str
) -> list[str]:
    """A function of (x, y) as source."""

    def values(at: At) -> dict[Key, Any]:
        return dict(enumerate(answer(Vector(at[key] for key in POINT))))

    program = compile_program(values, dict.fromkeys(POINT, Level.CELL))
    names = {program.inputs[POINT[0]]: "x", program.inputs[POINT[1]]: "y"}
    statements, results = _written(program.lines, list(program.outputs.values()), names, prefix)
    return [f"def {name}(x, y):", *indent(1, [*statements, f"return {', '.join(results)}"]), "", ""]


def _value(landscape: Landscape) -> Callable[[Vector], Any]:
    return lambda w: landscape.function(w[0], w[1], **landscape.arguments)


def _loss(run: _Run, prefix: str) -> list[str]:
    f = _value(run.landscape)
    return _of_point(run.landscape, "f", lambda w: (f(w),), prefix)


def _slopes(run: _Run) -> list[str]:
    f = _value(run.landscape)
    return _of_point(run.landscape, "gradient", lambda w: tuple(autograd.grad(f)(w)), "np.")


def _curvatures(run: _Run) -> list[str]:
    f = _value(run.landscape)

    def parts(w: Vector) -> tuple[Any, ...]:
        (xx, xy), (_, yy) = autograd.hessian(f)(w)
        return xx, xy, yy

    return _of_point(run.landscape, "hessian", parts, "np.")


@dataclass(frozen=True, slots=True)
class _Step:
    """A rule as source: the function `step`, where its numbers start, what it asks and is given."""

    source: list[str]
    start: list[str]
    asks: str
    given: list[str]


_RESERVED: Final = {
    "f", "gradient", "hessian", "step", "np", "x", "y", "t", "w", "path", "steps", "factor", "rate",
}  # fmt: skip


def _step(run: _Run) -> _Step:
    rule, noisy, planned = run.rule, run.noise > 0, run.schedule is not None
    probed = rule.draws_probe(run.options)

    def ask(at: At) -> Any:
        noise = Vector(at[key] for key in NOISE) if noisy else None
        probe = Vector(at[key] for key in PROBE) if probed else None
        return _Asking(run.landscape, at[COUNT], at[SCHEDULE] if planned else 1.0, noise, probe)

    series = [SCHEDULE] if planned else []
    series += [*(NOISE if noisy else ()), *(PROBE if probed else ())]
    loop = trace_loop(rule, run.options, ask, per_step=series)
    program: Program = loop.program
    names = {program.inputs[POINT[0]]: "x", program.inputs[POINT[1]]: "y", "t": "t"}
    spoken = dict(
        zip(
            (SCHEDULE, *NOISE, *PROBE),
            ("factor_t", "noise_x", "noise_y", "sign_x", "sign_y"),
            strict=True,
        )
    )
    scalars = {slot.name for slot in rule.slots(run.options) if slot.kind == "scalar"}
    for key, variable in program.inputs.items():
        if key in spoken:
            names[variable] = spoken[key]
        elif isinstance(key, tuple) and key[0] == "hypers":
            names[variable] = key[1]
        elif isinstance(key, tuple) and key[0] == "state":
            name = key[1] if key[1] in scalars else f"{key[1]}_{'xy'[key[2]]}"
            names[variable] = f"{name}_" if name in _RESERVED or name in run.hypers else name
    for power in program.powers:
        base = next(
            a
            for line in program.lines
            if line.target == power.following
            for a in line.arguments
            if a != power.variable
        )
        names[power.variable] = (
            f"{names.get(base, 'base')}_t" if isinstance(base, str) else "power_t"
        )
    moving = [*loop.point, *loop.carried]
    variables = [names[c.variable] for c in moving]
    called = {
        c.following: f"new_{name}"
        for c, name in zip(moving, variables, strict=True)
        if isinstance(c.following, str) and c.following not in names
    }
    statements, after = _written(program.lines, [c.following for c in moving], names, "np.", called)
    given = [names[program.inputs[key]] for key in series]
    source = [
        f"def step({', '.join(['t', *variables, *given])}):",
        *indent(1, [*statements, f"return {', '.join(after)}"]),
        "",
        "",
    ]
    here = dict(zip((c.variable for c in loop.point), map(repr, run.start), strict=True))
    start = [
        here.get(str(c.variable)) or here.get(str(c.start)) or repr(float(c.start)) for c in moving
    ]
    return _Step(source, start, "\n".join(statements + after), given)


# Scripts ----------------------------------------------------------------------------------------


def _head(run: _Run, says: str, imports: Sequence[str]) -> list[str]:
    text = [*wrap(f'"""{run.title}.', 96), "", *wrap(f'{says} Written by Descent Lab."""', 96)]
    return [*text, "", *imports, ""]


def _settings(run: _Run) -> list[str]:
    return [*(f"{name} = {value!r}" for name, value in run.hypers.items()), f"steps = {run.steps}"]


def _draws(run: _Run, step: _Step) -> list[str]:
    """The numbers that a run draws: the same ones as in the laboratory."""
    lines = []
    if run.noise > 0:
        lines.append(
            f"noise = {run.noise!r} * np.random.default_rng({run.seed}).standard_normal((steps, 2))"
        )
    if "sign_x" in step.given:
        lines.append(
            f"signs = np.random.default_rng(({run.seed}, 1)).choice((-1.0, 1.0), size=(steps, 2))"
        )
    return lines


def _loop(run: _Run, step: _Step) -> list[str]:
    """The run of a carried rule."""
    more = ", factor(t - 1)" if run.schedule else ""
    more += ", *noise[t - 1]" if run.noise > 0 else ""
    more += ", *signs[t - 1]" if "sign_x" in step.given else ""
    numbers = ", ".join(step.start)
    return [
        *_draws(run, step),
        f"kept = tuple(map(np.float64, ({numbers})))",
        "path = np.empty((steps + 1, 2))",
        "path[0] = kept[:2]",
        'with np.errstate(all="ignore"):',
        "    for t in range(1, steps + 1):",
        f"        kept = step(np.float64(t), *kept{more})",
        f"        if not max(map(abs, kept[:2])) <= {DIVERGENCE_RADIUS}:",
        "            path[t:] = path[t - 1]  # it has left the picture",
        "            break",
        "        path[t] = kept[:2]",
    ]


_LAST: Final = ['print("after", steps, "steps:", path[-1], "loss", float(f(*path[-1])))']


def _factor(run: _Run) -> list[str]:
    return schedule_code.factor_source(run.schedule, run.steps) if run.schedule else []


def _math(run: _Run) -> list[str]:
    return ["import math", ""] if run.schedule else []


def _rate(run: _Run) -> float:
    """The highest rate, where the rule has one."""
    return run.hypers.get("lr", 1.0)


def _numpy(run: _Run) -> str:
    step = _step(run)
    says = "Plain NumPy: the function, its gradient and the rule as printed."
    asked = _slopes(run) if "gradient(" in step.asks else []
    asked += _curvatures(run) if "hessian(" in step.asks else []
    return _text(
        _head(run, says, [*_math(run), "import numpy as np"]), _settings(run), ["", ""],
        _loss(run, "np."), asked, _factor(run), step.source, _loop(run, step), _LAST,
    )  # fmt: skip


def _noise_of(run: _Run, step: _Step) -> list[str]:
    return _draws(run, step) if run.noise > 0 else []


def _missing(run: _Run, library: str) -> str:
    return (
        f"{library} has no {run.rule.name} of this convention: the script carries the rule itself."
    )


def _torch(run: _Run, theirs: str | None) -> str:
    imports = [
        *_math(run), "import numpy as np", "import torch", "",
        "torch.set_default_dtype(torch.float64)",
    ]  # fmt: skip
    loss = _loss(run, "torch.")
    report = [_LAST[0].replace("*path[-1]", "*torch.tensor(path[-1])")]
    if theirs is None:
        step = _step(run)
        inner = "traced" if _asks_loss(step) else "f"
        slopes = [
            "def gradient(x, y):",
            "    w = torch.tensor([x, y], requires_grad=True)",
            f"    (g,) = torch.autograd.grad({inner}(*w), w)",
            "    return g.numpy()", "", "",
        ]  # fmt: skip
        curvatures = [
            "def hessian(x, y):",
            "    w = torch.tensor([x, y])",
            f"    h = torch.autograd.functional.hessian(lambda w: {inner}(*w), w).numpy()",
            "    return h[0, 0], h[0, 1], h[1, 1]", "", "",
        ]  # fmt: skip
        return _text(
            _head(run, _missing(run, "torch.optim"), imports), _settings(run), ["", ""],
            _valued(loss, "torch.tensor", step), slopes,
            curvatures if "hessian(" in step.asks else [], _factor(run), step.source,
            _loop(run, step), _LAST if _asks_loss(step) else report,
        )  # fmt: skip
    given = _Step([], [], "", [])
    own = schedule_code.of_torch(run.schedule, run.steps, _rate(run)) if run.schedule else None
    planned = own or "torch.optim.lr_scheduler.LambdaLR(optimizer, factor)"
    body = [
        *_noise_of(run, given),
        f"w = torch.tensor({list(run.start)!r}, requires_grad=True)",
        f"optimizer = {theirs}",
        *([f"scheduler = {planned}"] if run.schedule else []),
        "path = [w.tolist()]",
        "for t in range(steps):",
        "    optimizer.zero_grad()",
        "    f(*w).backward()",
        *(["    w.grad += torch.from_numpy(noise[t])"] if run.noise > 0 else []),
        "    optimizer.step()",
        *(["    scheduler.step()"] if run.schedule else []),
        "    path.append(w.tolist())",
        "path = np.array(path)",
    ]
    return _text(
        _head(run, "PyTorch's own rule.", imports),
        [f"steps = {run.steps}", "", ""],
        loss,
        [] if own else _factor(run),
        body,
        report,
    )


def _valued(loss: list[str], tensor: str, step: _Step) -> list[str]:
    """The loss; where the rule asks for it, it is asked with plain numbers."""
    if not _asks_loss(step):
        return loss
    inner = [line.replace("def f(", "def traced(") for line in loss]
    return [*inner, "def f(x, y):", f"    return float(traced({tensor}(x), {tensor}(y)))", "", ""]


def _asks_loss(step: _Step) -> bool:
    return re.search(r"\bf\(", step.asks) is not None


def _optax(run: _Run, theirs: str | None) -> str:
    imports = [
        *_math(run), "import jax", "import jax.numpy as jnp", "import numpy as np",
        *(["import optax"] if theirs else []), "", 'jax.config.update("jax_enable_x64", True)',
    ]  # fmt: skip
    loss = _loss(run, "jnp.")
    if theirs is None:
        step = _step(run)
        slopes = [
            "def gradient(x, y):",
            "    return jax.grad(f, argnums=(0, 1))(float(x), float(y))", "", "",
        ]  # fmt: skip
        curvatures = [
            "def hessian(x, y):",
            "    (xx, xy), (_, yy) = jax.hessian(f, argnums=(0, 1))(float(x), float(y))",
            "    return xx, xy, yy", "", "",
        ]  # fmt: skip
        return _text(
            _head(run, _missing(run, "optax"), imports), _settings(run), ["", ""], loss, slopes,
            curvatures if "hessian(" in step.asks else [], _factor(run), step.source,
            _loop(run, step), _LAST,
        )  # fmt: skip
    own = schedule_code.of_optax(run.schedule, run.steps, _rate(run)) if run.schedule else None
    planned = own or f"lambda count: {_rate(run)!r} * factor(int(count))"
    body = [
        *_noise_of(run, _Step([], [], "", [])),
        *([f"rate = {planned}"] if run.schedule else []),
        f"w = jnp.array({list(run.start)!r})",
        f"optimizer = {theirs}",
        "state = optimizer.init(w)",
        "path = [np.array(w)]",
        "for t in range(steps):",
        "    g = jax.grad(lambda w: f(w[0], w[1]))(w)" + (" + noise[t]" if run.noise > 0 else ""),
        "    updates, state = optimizer.update(g, state, w)",
        "    w = optax.apply_updates(w, updates)",
        "    path.append(np.array(w))",
        "path = np.array(path)",
    ]
    return _text(
        _head(run, "optax's own rule.", imports),
        [f"steps = {run.steps}", "", ""],
        loss,
        [] if own else _factor(run),
        body,
        _LAST,
    )


def _keras(run: _Run, theirs: str | None) -> str:
    if theirs is None:
        text = _numpy(run)
        says = _missing(run, "keras.optimizers")
        return text.replace(
            "Plain NumPy: the function, its gradient and the rule as printed.", says
        )
    imports = [
        *(["import math"] if run.schedule else []), "import os", "",
        'os.environ.setdefault("JAX_ENABLE_X64", "1")  # for Keras on JAX', "",
        "import keras", "import numpy as np", "", 'keras.config.set_floatx("float64")',
    ]  # fmt: skip
    body = [
        *_noise_of(run, _Step([], [], "", [])),
        f'w = keras.Variable({list(run.start)!r}, dtype="float64")',
        f"optimizer = {theirs}",
        "path = [keras.ops.convert_to_numpy(w.value).copy()]",
        "for t in range(steps):",
        *([f"    optimizer.learning_rate = {_rate(run)!r} * factor(t)"] if run.schedule else []),
        "    g = np.array(gradient(*path[-1]))" + (" + noise[t]" if run.noise > 0 else ""),
        '    optimizer.apply([keras.ops.convert_to_tensor(g, dtype="float64")], [w])',
        "    path.append(keras.ops.convert_to_numpy(w.value).copy())",
        "path = np.array(path)",
    ]
    return _text(
        _head(run, "Keras' own rule, on the gradient as printed.", imports),
        [f"steps = {run.steps}", "", ""], _loss(run, "np."), _slopes(run), _factor(run), body,
        _LAST,
    )  # fmt: skip


def _text(*parts: Sequence[str]) -> str:
    return script_text(line for part in parts for line in part)
