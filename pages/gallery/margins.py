"""Losses of the margin: zero-one, which nothing can descend, and its stand-ins."""

from __future__ import annotations

from typing import Any

import numpy as np

from components.controls import Group
from components.stage import Handle, Panel, Track, stage
from engine.emit.picture import Picture, in_latex, round_to, words, written
from engine.studies.loss_code import loss_scripts
from engine.studies.margins import MarginRun, descend_margin, margin_curve
from engine.tape import operations as ops
from figures import charts
from figures import losses as pictures
from pages import frame
from pages.gallery.part import Part, moved
from pages.presets import Preset
from pages.state import Experiment, Integer, Number, shorten

NAME = "margin losses"
REACH = 3.0
M = np.linspace(-REACH, REACH, 601)
FORMS = (r"\mathbb 1[m \le 0]", r"\max(0, 1-m)", r"\ln(1+e^{-m})", "(1-m)^2")  # in LaTeX


def groups(x: Experiment) -> list[Group]:
    """Where descent starts, and its steps."""
    items = [x.slider("m"), x.slider("lr"), x.slider("steps")]
    return [Group(id="descent", title="Gradient descent on m", items=items)]


def show(x: Experiment, live: Picture, small: bool, height: int) -> None:
    """Four losses over the margin, their gradients, and what descent does on each."""
    looks = pictures.MARGIN_LOOKS
    studies = {name: margin_curve(name, M) for name in looks}
    runs = {name: descend_margin(name, live["m"], live["steps"], live["lr"]) for name in looks}
    sets = {"m": ops.clip(round_to(live.hand[0], 3), -REACH, REACH)}
    start = Handle(
        id="start", spoken="margin at the start", x=live["m"], y=0.0, axis="x", minimum=-REACH,
        maximum=REACH, label="start", sets=sets,
    )  # fmt: skip

    def tracks(what: str) -> list[Track]:
        mode: Any = "curve" if what == "margin" else "points"
        return [
            Track(
                x=None if what == "margin" else run.curve.margin, y=getattr(run.curve, what),
                color=looks[name].color, dash=looks[name].dash, marker=looks[name].marker,
                label=name.replace("_", "-"), mode=mode, stop=run.stopped,
            )
            for name, run in runs.items()
        ]  # fmt: skip

    panels = [
        Panel(
            id="loss", title="loss over the margin, a mark a step", tab="loss",
            figure=pictures.margin_losses(studies), tracks=tracks("loss"), handles=[start],
            clicks=sets, rows=1 if small else 2, alt="Four losses over the margin.",
        ),
        Panel(
            id="gradient", title="gradient by the margin", tab="gradient",
            figure=pictures.margin_gradients(studies), tracks=tracks("gradient"), clicks=sets,
            alt="Gradients of four losses over the margin; zero-one's is 0.",
        ),
        Panel(
            id="path", kind="chart", title="margin against step", tab="descent",
            figure=pictures.margin_axes([r.curve.margin for r in runs.values()], live["steps"]),
            tracks=tracks("margin"), cursor=True,
            alt="Margin against step; zero-one stays where it starts.",
        ),
    ]  # fmt: skip
    stage(
        "losses.margin",
        [panels[0], panels[2]] if small else panels,
        live=live,
        frames=live["steps"] + 1.0,
        restart=x.restart,
        height=height,
        columns=[1.3, 1],
        alt="Margin losses, and gradient descent on each",
        lines=[
            words(
                "After {:.0f} steps from m = {:4}: zero-one {:+.3f}, hinge {:+.3f}, logistic "
                "{:+.3f}, squared {:+.3f}.",
                live["steps"], live["m"],
                *(runs[name].curve.margin[-1] for name in
                  ("zero_one", "hinge", "logistic", "squared")),
            )
        ],
    )  # fmt: skip


def _runs(x: Experiment) -> dict[str, MarginRun]:
    return {
        name: descend_margin(name, x["m"], x["steps"], x["lr"])
        for name in ("zero_one", "hinge", "logistic", "squared")
    }


def notice(x: Experiment) -> str:
    """Who arrives."""
    if x["m"] > 0:
        return (
            f"m = {written(x['m'])} has the right sign, so zero-one loss is content. Hinge still "
            "pulls until m = 1, logistic for ever, and squared loss pulls back whatever exceeds 1."
        )
    right = [
        name.replace("_", "-")
        for name, run in _runs(x).items()
        if run.diverged_at is None and run.last > 0
    ]
    reached = (
        f"After {x['steps']} steps the sign is right with {', '.join(right)} loss."
        if right
        else f"After {x['steps']} steps none has the sign right yet."
    )
    return (
        f"Zero-one loss still stands at m = {written(x['m'])}: its gradient is **0 everywhere but "
        "at the jump**, where there is none, so gradient descent takes no step at all. " + reached
    )


def law(x: Experiment) -> str:
    """The four losses, of one margin."""
    return r"\ell(m) = " + r",\; ".join(FORMS)


def formula(x: Experiment) -> str:
    """The four losses."""
    m = in_latex(x["m"])
    names = (r"0\text{-}1", r"\text{hinge}", r"\text{logistic}", r"\text{squared}")
    slugs = ("zero_one", "hinge", "logistic", "squared")
    lines = [
        rf"\ell_{{{name}}} &= {form} = {in_latex(float(margin_curve(slug, x['m']).loss), '.4f')}"
        for name, form, slug in zip(names, FORMS, slugs, strict=True)
    ]
    return rf"\begin{{aligned}} m &= {m} \\ " + r" \\ ".join(lines) + r"\end{aligned}"


def code(x: Experiment) -> str:
    """Losses and gradients as NumPy."""
    return (
        "import numpy as np\n\n"
        f"m = {shorten(x['m'])}  # y times the score\n"
        "losses = {\n"
        '    "zero-one": (float(m <= 0), 0.0),\n'
        '    "hinge": (max(0.0, 1 - m), -1.0 if m < 1 else 0.0),\n'
        '    "logistic": (np.log1p(np.exp(-m)), -1 / (1 + np.exp(m))),\n'
        '    "squared": ((1 - m) ** 2, 2 * (m - 1)),\n'
        "}  # each: loss, gradient by m\n"
        "print(losses)\n"
    )


def scripts(x: Experiment) -> dict[str, str]:
    """The same in frameworks, one of the losses."""
    return loss_scripts("margins", "m", x["m"], which="hinge")


def more(x: Experiment) -> None:
    """Loss, gradient and outcome in numbers."""
    rows = []
    for name, run in _runs(x).items():
        here = margin_curve(name, x["m"])
        at_jump = name == "zero_one" and x["m"] == 0
        rows.append(
            (
                name.replace("_", "-"),
                written(float(here.loss), ".4f"),
                "undefined" if at_jump else charts.signed(float(here.gradient), 4),
                f"diverged at step {run.diverged_at}"
                if run.diverged_at is not None
                else charts.signed(run.last, 4),
            )
        )
    head = (f"at m = {written(x['m'])}", "loss", "gradient", f"m after {x['steps']} steps")
    frame.table(head, rows)


PART = Part(
    NAME,
    (
        Number("m", -2.0, -REACH, REACH, label="start", symbol="m"),
        Number("lr", 0.1, 0.001, 2.0, label="learning rate", symbol="η", scale="log"),
        Integer("steps", 60, 5, 300, label="steps", scale="log"),
    ),
    (
        Preset(
            "Stuck on zero-one", "bad",
            "Counting errors is what we want and cannot descend: wherever you stand, its slope "
            "is 0.",
            moved(NAME),
        ),
        Preset(
            "Steps too long", "bad",
            "Squared loss alone has curvature 2 everywhere: past η = 1 each step lands farther out "
            "than the last, while hinge and logistic loss pull with at most 1 and arrive.",
            moved(NAME, lr="1.05", steps="12"),
        ),
    ),
    groups, show, notice, law, formula, code, scripts, more, 480,
)  # fmt: skip
