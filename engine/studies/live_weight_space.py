"""Paths through weight space as one operation of a picture: found here, and in the browser.

The hyper-parameters of every run and the length may be traced; task, rules and plane are chosen.
The browser gets the steps, the loss and the product with the Hessian as Python records them, and
`weight_space.js`, which does with them what `engine.studies.weight_space` does. At the values of
now it shows what was found here: beyond the edge of stability a last bit grows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path as File
from typing import Any, Final

import numpy as np

from engine.emit.tensor_javascript import leaves
from engine.optimizers import Optimizer
from engine.runs.browser_steps import STEPPER, as_function, printed_steps
from engine.runs.live_study import LiveStudy, live_study
from engine.runs.sharpness import EXHAUSTED
from engine.runs.training import Trainer
from engine.studies import weight_space as space
from engine.studies.weight_space import Path, Plane, Seen, Task, trainer_of

_DRIVER: Final = File(__file__).with_name("weight_space.js")

Options = tuple[tuple[str, str | bool], ...]


@dataclass(frozen=True)
class Rule:
    """A rule that is followed, told from others by its name, a text that says it whole, and by its
    options."""

    name: str
    optimizer: Optimizer = field(compare=False)
    options: Options = ()


@dataclass(frozen=True)
class Follower:
    """A rule and its hyper-parameters, which may be traced."""

    rule: Rule
    hypers: Mapping[str, Any]


@lru_cache(maxsize=64)
def module(found: ByStart, rules: tuple[Rule, ...], plane: Plane) -> str:
    """The text of an ES module whose `study(given)` follows these rules and looks at the plane.

    Raises Unrecordable for a rule that cannot be printed.
    """
    made = found.task
    line, batch = made.start, (made.x, made.targets)
    runs = [_run(made, rule) for rule in rules]
    numbers = {
        "RECORDS": space.RECORDS, "SIDE": space.SIDE, "FIRST": space.FIRST, "NEXT": space.NEXT,
        "STIRRED": space.STIRRED, "COMPONENTS": space.COMPONENTS, "LOST": space.LOST,
        "PAD": space.PAD, "LEAST": space.LEAST, "EXHAUSTED": EXHAUSTED,
    }  # fmt: skip
    head = [f"const {name} = {value!r}" for name, value in numbers.items()]
    return "\n".join(
        [
            *head,
            f"const RANDOM = {str(plane == 'random').lower()}",
            f"const RUNS = [{', '.join(runs)}]",
            f"const loss = {as_function(made.at, line, *batch)}",
            f"const product = {as_function(made.product, line, line, *batch)}",
            STEPPER,
            _DRIVER.read_text(encoding="utf-8"),
        ]
    )


def _run(made: Task, rule: Rule) -> str:
    """A run for the driver: its steps, how the weights are laid in one line, and its metric."""
    trainer = trainer_of(made, rule.optimizer, options=dict(rule.options))
    batch = made.x, made.targets
    metric = _metric(trainer)

    def laid(points: Any) -> Any:
        return made.form.joined(trainer.laid_out(points))

    # The rules that go element by element hold the weights in one line as it is.
    line = "null"
    if [np.shape(point) for point in leaves(trainer.points)] != [made.start.shape]:
        line = as_function(laid, trainer.points)
    steps = printed_steps(trainer, made.loss, lambda _: batch)
    return f"{{ {steps},\nline: {line},\n{metric} }}"


@dataclass(frozen=True, eq=False)
class ByStart:
    """A task, told from others by identity: `space.task` keeps them."""

    task: Task

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ByStart) and other.task is self.task

    def __hash__(self) -> int:
        return id(self.task)


def _metric(trainer: Trainer) -> str:
    """Where v lies among what a step keeps, behind the weights, and its bias correction's decay."""
    group = trainer.groups[0]
    if not space.divides(group.optimizer, group.options):
        return "metric: null"
    place = 1 + list(trainer.states[0]).index("v")
    return f"metric: {{ place: {place}, beta: {space.ADAPTIVE[group.optimizer.slug]!r} }}"


def _rounded(values: Any) -> Any:
    with np.errstate(over="ignore"):
        return values.astype(np.float32).astype(np.float64)


def parts(paths: Sequence[Path], view: Seen) -> dict[str, Any]:
    """What was found, by the names of its parts; after a run was lost NaN. Arrays are rounded to
    single precision: more than a picture shows, and half as long in a page's copy."""
    found: dict[str, Any] = {
        "across": _rounded(view.across), "up": _rounded(view.up), "grid": _rounded(view.loss),
        "share1": view.share[0], "share2": view.share[1], "below": view.below,
    }  # fmt: skip

    def filled(values: Any) -> Any:
        missing = space.RECORDS + 1 - len(values)
        return _rounded(np.pad(values, (0, missing), constant_values=np.nan))

    for k, path in enumerate(paths):
        found[f"x{k}"], found[f"y{k}"] = filled(view.x[k]), filled(view.y[k])
        found[f"loss{k}"], found[f"sharpness{k}"] = filled(path.loss), filled(path.sharpness)
        found[f"effective{k}"] = filled(path.effective)
        n = len(path.loss)
        found[f"stopped{k}"] = float(n) if n <= space.RECORDS else np.nan
    return found


def live_space(
    found: Task,
    followers: Sequence[Follower],
    steps: Any,
    known: Mapping[str, Any],
    *,
    plane: Plane = "pca",
    draw: int = 0,
) -> LiveStudy:
    """The study whose numbers may be traced; known is what was found (`parts`) at those of now.

    Its parts are "across", "up", "grid" and "below" of the plane, "share1" and "share2", and of
    run k "x{k}", "y{k}", "loss{k}", "sharpness{k}", "effective{k}", and "stopped{k}", the record at
    which it was lost, NaN for none.
    """
    size = len(found.start)
    inputs: dict[tuple[str, ...], Any] = {("steps",): steps}
    inputs |= {
        ("runs", str(k), name): value
        for k, follower in enumerate(followers)
        for name, value in follower.hypers.items()
    }
    inputs |= {
        ("x",): found.x.ravel(), ("y",): found.targets.ravel(), ("start",): found.start,
        ("probe",): space.drawn(size, 0)[0], ("filters",): found.filters.astype(float),
        ("normals",): space.drawn(size, draw, 2).ravel(),
    }  # fmt: skip
    rules = tuple(follower.rule for follower in followers)
    return live_study(inputs, module(ByStart(found), rules, plane), known)
