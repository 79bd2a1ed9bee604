"""Muon and matrices: what its five steps do to singular values, and where that wins.

What the five steps make of a spectrum is computed where the hand is, and so are the races, by the
steps that Python prints. At rest Python runs them too, at every rate of the grid, and its numbers
are shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from components.controls import Group, Item
from components.stage import Handle, Panel, stage
from engine.emit.picture import Picture, entry, largest, smallest, stack, words, written
from engine.optimizers import OPTIMIZERS
from engine.optimizers.curvature import NEWTON_SCHULZ
from engine.studies.matrices import (
    lasting,
    polynomial,
    stages,
)
from engine.tape import operations as ops
from figures import matrices as pictures
from figures import style
from pages import frame
from pages.matrix_groups import groups
from pages.matrix_races import memory_items, problem_items, race, raced_now, races
from pages.presets import Preset
from pages.state import Choice, Experiment, Flag, Integer, Number, Numbers, experiment

VIEWS = {"spectrum": "the five steps", "race": "a race", "groups": "parameter groups"}
PROBLEMS = {
    "memory": "an associative memory", "factorisation": "a factorisation",
    "direction": "one direction under noise",
}  # fmt: skip
SOURCES = {"own": "your own", "run": "Muon's run"}
STEPS = 100  # the longest run
A, B, C = NEWTON_SCHULZ

PRESETS = (
    Preset(
        "Five steps", "good",
        "p multiplies what is small by 3.4 and sends 1 to 0.70: after five steps all from "
        "0.0016 to 1 lies between 0.68 and 1.21, which is equal enough.",
        {"view": "spectrum"},
    ),
    Preset(
        "Slow but exact", "bad",
        "Newton and Schulz's own cubic goes to 1 exactly and multiplies what is small by 1.5 "
        "alone: after five steps a value of 0.01 has come to 0.08.",
        {"view": "spectrum", "a": "1.5", "b": "-0.5", "c": "0"},
    ),
    Preset(
        "Rare facts", "good",
        "The rarest fact pulls 256 times as weakly as the commonest. Muon learns all at one pace; "
        "gradient descent, momentum and AdamW leave the rare ones, at any β.",
        {"view": "race", "problem": "memory"},
    ),
    Preset(
        "A factorisation", "good",
        "Singular values from 1 down to 0.01: at its best rate Muon ends more than ten times lower "
        "than gradient descent, momentum and AdamW at theirs.",
        {"view": "race", "problem": "factorisation"},
    ),
    Preset(
        "Too long a memory", "bad",
        "Each rule's own β: SOAP's 0.95 averages twenty of forty steps; it and Kron end last. At "
        "0.5 for all SOAP is next to Shampoo, and momentum ahead of Muon.",
        {"view": "race", "problem": "factorisation", "condition": "10", "own": "1", "beta": "0.5"},
    ),
    Preset(
        "Nothing to make equal", "bad",
        "All singular values of M are alike already. Gradient descent is at the last digit, while "
        "Muon's steps shrink with the schedule alone.",
        {"view": "race", "problem": "factorisation", "condition": "1"},
    ),
    Preset(
        "One direction, much noise", "bad",
        "The signal has rank one, the noise all ranks; made alike, the noise is as long as the "
        "signal. Gradient descent and momentum end less than half as far off.",
        {"view": "race", "problem": "direction"},
    ),
)  # fmt: skip

x = experiment(
    "matrices",
    [
        Choice("view", "spectrum", list(VIEWS), label="view", says=VIEWS),
        Choice("problem", "memory", list(PROBLEMS), label="problem", says=PROBLEMS),
        Choice("source", "own", list(SOURCES), label="singular values", says=SOURCES),
        Numbers(
            "s", (0.9, 0.4, 0.12, 0.03, 0.01, 0.002), pictures.LEAST, 1.2, count=(2, 8),
        ),
        Number("a", A, 0.0, 5.0, label="factor of σ", symbol="a", help="in p(σ) = aσ + bσ³ + cσ⁵"),
        Number("b", B, -10.0, 5.0, label="factor of σ³", symbol="b"),
        Number("c", C, -1.0, 5.0, label="factor of σ⁵", symbol="c"),
        Integer("after", 5, 0, 5, label="Newton–Schulz steps"),
        Integer("step", 20, 1, STEPS, label="step of the run"),
        Number("times", 1.0, 0.03, 30.0, label="times the best rate", scale="log"),
        Flag("own", False, label="each rule's own β", help="its default: from 0.9 to 0.95"),
        Number("beta", 0.8, 0.0, 0.99, label="memory of gradients", symbol="β",
               help="the same for all rules that average gradients"),
        Number("exponent", 2.0, 0.0, 2.5, label="Zipf's exponent"),
        Number("condition", 100.0, 1.0, 300.0, label="largest over least σ", scale="log"),
        Number("noise", 0.3, 0.0, 2.0, label="noise", symbol="σ"),
        Integer("seed", 0, 0, 99, label="seed", help="of problem and start"),
    ],
    parts=("table",),
)  # fmt: skip
# The five steps -----------------------------------------------------------------------------------


def five_steps(x: Experiment, view: frame.View, live: Picture) -> None:
    """The polynomial and what it does to singular values."""
    coefficients = live["a"], live["b"], live["c"]
    beside: list[Panel] = []
    handles: list[Handle] = []
    if x["source"] == "own":
        values, count = live["s"], len(x["s"])
    else:
        runs = raced_now(x)
        found = races(x, runs, live, spectra=True)
        at = live["step"] - 1.0
        muon = next(k for k, run in enumerate(runs) if run.slug == "muon")
        values, count = entry(found[muon].part("mixes"), at), runs[muon].spectra.shape[1]
        names = [OPTIMIZERS[run.slug].name for run in runs]
        rows = [entry(race.part("spectra"), at) for race in found]
        beside = [
            Panel(
                id="rules", kind="chart", title="what every rule's own step looks like then",
                figure=pictures.steps_spectra(
                    runs, names, style.looks(run.slug for run in runs), rows
                ),
                alt="Singular values of each rule's step.",
            )
        ]  # fmt: skip
    steps = stages(values, coefficients)
    ended = pictures.chosen_stage(steps, live["after"])
    if x["source"] == "own":
        handles = [
            Handle(
                id=f"s{i}", x=values[i], y=ended[i], axis="x", minimum=pictures.LEAST, maximum=1.2,
                spoken=f"singular value {i + 1}", sets={f"s[{i}]": live.hand[0]},
            )
            for i in range(count)
        ]  # fmt: skip
    paths = [stack(*(stage_now[i] for stage_now in steps)) for i in range(count)]
    interval = lasting(coefficients)
    there = ops.greater(interval[1], interval[0])  # not where there is none: no number is greater
    with view.picture:
        stage(
            "matrices.steps",
            [
                Panel(
                    id="polynomial", kind="chart", title="p(σ) = aσ + bσ³ + cσ⁵, step on step",
                    figure=pictures.polynomial(coefficients, values, live["after"], interval),
                    handles=handles, alt="Five applications of p against the singular value.",
                ),
                Panel(
                    id="each", kind="chart", title="every singular value, step by step",
                    figure=pictures.each_step(paths, live["after"]),
                    alt="Singular values after each step.",
                ),
                *beside,
            ],
            live=live, frames=1, height=view.height(430, 400),
            columns=len(beside) + 2,
            lines=[
                words(
                    "p(1) = a + b + c = {:.4f}. {:?}What is in [{:.3f}, {:.3f}] stays there. {:?}"
                    "Before: σ from {:2} to {:2}; after {:d} steps from {:3} to {:3}.",
                    polynomial(1.0, coefficients), there, *interval, 1.0,
                    smallest(values), largest(values),
                    live["after"], smallest(ended), largest(ended),
                )
            ],
        )  # fmt: skip
    steps_items: list[Item] = [*map(x.slider, ("after", "a", "b", "c"))]
    source: list[Item] = [x.chooser("source")]
    if x["source"] == "run":
        source += [x.slider("step"), *problem_items(x), *memory_items(x)]
    with view.panel:
        x.controls(
            [
                Group(id="steps", title="Newton–Schulz", items=steps_items),
                Group(id="source", title="Singular values", items=source),
            ],
            live=live, height=view.height(480, 400),
        )  # fmt: skip
    if not view.embedded:
        author = ", ".join(written(number, ".4f") for number in NEWTON_SCHULZ)
        frame.notice(
            "On a matrix the step is X ← aX + bXXᵀX + c(XXᵀ)²X: its singular vectors stay, and "
            "each singular value goes through p by itself. Muon divides its momentum by its "
            "length, so no singular value is above 1; a large a lifts the small ones, and all "
            "it takes is products of matrices. The band is where p keeps what it has; the "
            f"coefficients of Muon's author, {author}, give up 1 itself for speed."
        )
    frame.foot(x, r"p(\sigma) = a\sigma + b\sigma^3 + c\sigma^5")


SHOWN: Mapping[str, Callable[[Experiment, frame.View, Picture], None]] = {
    "spectrum": five_steps, "race": race, "groups": groups,
}  # fmt: skip


@frame.fragment
def body() -> None:
    """The view that was chosen."""
    where: list[Any] = [" on ", x.menu("problem")] if x["view"] == "race" else []
    frame.opening(
        x,
        "Muon and matrices",
        ["Muon makes the singular values of a matrix's step alike: see ", x.menu("view"), *where,
         "."],
    )  # fmt: skip
    view = frame.view(x, PRESETS)
    SHOWN[x["view"]](x, view, x.live())
    x.publish()


body()
