"""Binary cross-entropy over the probability and over the logit, and one number found four ways."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from components.controls import Group, Item
from components.stage import Handle, Panel, stage
from engine.emit.picture import Picture, in_latex, round_to, words, written
from engine.losses.information import surprise
from engine.studies.loss_code import loss_scripts
from engine.studies.loss_curves import four_ways, over_logit, over_probability
from engine.studies.saturation import logit, probability
from engine.tape import operations as ops
from figures import losses as pictures
from pages import frame, units
from pages.gallery.part import Part, moved
from pages.presets import Preset
from pages.state import Choice, Experiment, Number, shorten

NAME = "cross-entropy"
NEAR_0, NEAR_1 = 0.001, 0.999
P = np.linspace(NEAR_0, NEAR_1, 400)
SPAN = float(logit(NEAR_1))
Z = np.linspace(-SPAN, SPAN, 241)
STEEPEST = 12.0  # of the gradient by p, as far as it is drawn


def groups(x: Experiment) -> list[Group]:
    """One prediction, its target, the unit."""
    items: list[Item] = [x.slider("p"), x.chooser("y"), x.chooser("unit")]
    return [Group(id="prediction", title="Prediction", items=items)]


def show(x: Experiment, live: Picture, small: bool, height: int) -> None:
    """Loss and gradient, each over p and over the logit."""
    unit, y, p = units.of(x), x["y"], live["p"]
    over_p = {target: over_probability(P, target, unit.base) for target in (1, 0)}
    over_z = {target: over_logit(Z, target, unit.base) for target in (1, 0)}
    z = logit(p)
    by_p, by_z = over_probability(p, y, unit.base), over_logit(z, y, unit.base)
    color = pictures.FIRST if y else pictures.SECOND
    to_p = {"p": ops.clip(round_to(live.hand[0], 3), NEAR_0, NEAR_1)}
    to_z = {"p": ops.clip(round_to(probability(live.hand[0]), 4), NEAR_0, NEAR_1)}

    def on_p(name: str, value: Any, heights: Any, reach: float = np.inf) -> Handle:
        return Handle(
            id=name, spoken=name, x=p, y=ops.clip(value, -reach, reach), axis="x", minimum=NEAR_0,
            maximum=NEAR_1, curve=(P, np.clip(heights, -reach, reach)),
            label=words("{:4}", value), color=color, sets=to_p,
        )  # fmt: skip

    def on_z(name: str, height: Any, heights: Any) -> Handle:
        return Handle(
            id=name, spoken=name, x=z, y=height, axis="x", minimum=-SPAN, maximum=SPAN, curve=(Z,
            heights),
            label=words("{:4}", height), color=color, sets=to_z,
        )  # fmt: skip

    one = float(surprise(math.e**-1, unit.base))  # a nat in this unit
    panels = [
        Panel(
            id="probability",
            title=f"loss in {unit}, over p",
            tab="over p",
            figure=pictures.by_probability(over_p, y, steepest=0.0),
            handles=[on_p("probability of class 1", by_p.loss, over_p[y].loss)],
            clicks=to_p,
            alt="Minus log p and minus log of one minus p.",
        ),
        Panel(
            id="logit",
            title="the same over the logit",
            tab="over z",
            figure=pictures.by_logit(over_z, y, slope=0.0),
            handles=[on_z("logit of class 1", by_z.loss, over_z[y].loss)],
            clicks=to_z,
            alt="Both losses over the logit, nearly straight on the wrong side.",
        ),
        Panel(
            id="slope",
            title="gradient by p: without bound",
            tab="gradient by p",
            figure=pictures.by_probability(over_p, y, steepest=STEEPEST),
            handles=[
                on_p(
                    "probability of class 1, on the gradient",
                    by_p.gradient,
                    over_p[y].gradient,
                    0.97 * STEEPEST,
                )
            ],
            clicks=to_p,
            alt="Minus one over p and one over one minus p.",
        ),
        Panel(
            id="pull",
            title=f"gradient by z: at most {written(one, '3')} {unit}",
            tab="gradient by z",
            figure=pictures.by_logit(over_z, y, slope=one),
            handles=[on_z("logit of class 1, on the gradient", by_z.gradient, over_z[y].gradient)],
            clicks=to_z,
            alt="The gradient by the logit, prediction minus target.",
        ),
    ]
    stage(
        "losses.binary",
        panels[:2] if small else panels,
        live=live,
        frames=1,
        height=height,
        columns=[1, 1],
        alt="Binary cross-entropy",
        lines=[
            words(
                f"y = {y}, p = {{:4}}, z = {{:4}}: loss {{:.4f}} {unit}, gradient by p {{:4}}, by "
                "z {:+.4f}.",
                p, z, by_p.loss, by_p.gradient, by_z.gradient,
            )
        ],
    )  # fmt: skip


def _true(x: Experiment) -> float:
    """What the true class got."""
    return float(x["p"] if x["y"] else 1 - x["p"])


def _loss(x: Experiment) -> float:
    return next(iter(four_ways(x["p"], x["y"], units.of(x).base).values()))


def notice(x: Experiment) -> str:
    """What the loss reads, and what it punishes."""
    unit, true, loss = units.of(x), _true(x), _loss(x)
    one = written(float(surprise(math.e**-1, unit.base)), "3")
    if true < 0.1:
        return (
            f"The true class got only {written(true, '3')}: the loss is {written(loss)} {unit} and "
            "grows without bound as this goes to 0. Over the logit it is almost a straight line "
            f"of slope {one}: the pull never fades."
        )
    if true > 0.9:
        return (
            f"The true class got {written(true, '3')}: only {written(loss)} {unit} are left to "
            "win. The loss reads this one number; how the rest is shared out does not enter."
        )
    return (
        f"The loss is the surprise at the true class, −{unit.log} {written(true, '3')} = "
        f"{written(loss)} {unit}. Drag p to an end and see that being sure and wrong is what it "
        "punishes."
    )


def law(x: Experiment) -> str:
    """The loss."""
    log = units.of(x).latex
    return rf"\mathcal L = -y\,{log}\,p - (1-y)\,{log}(1-p)"


def formula(x: Experiment) -> str:
    """The loss with its numbers."""
    unit = units.of(x)
    return (
        rf"{law(x)} = "
        rf"-{unit.latex}\,{in_latex(_true(x))} = {in_latex(_loss(x), '.4f')}\ \text{{{unit}}}"
    )


def code(x: Experiment) -> str:
    """The same as NumPy."""
    base = {"bits": "np.log(2)", "nats": "1.0", "bans": "np.log(10)"}[units.of(x).name]
    return (
        "import numpy as np\n\n"
        f"p, y = {shorten(x['p'])}, {x['y']}\n"
        f"unit = {base}  # {units.of(x)}\n"
        "loss = -(y * np.log(p) + (1 - y) * np.log(1 - p)) / unit\n"
        "by_p = ((1 - y) / (1 - p) - y / p) / unit\n"
        "by_z = (p - y) / unit\n"
        "print(loss, by_p, by_z)\n"
    )


def scripts(x: Experiment) -> dict[str, str]:
    """The same in frameworks, by the logit."""
    z = float(logit(x["p"]))
    return loss_scripts("binary cross-entropy", "z", z, y=x["y"], base=units.of(x).base)


def more(x: Experiment) -> None:
    """The same number found four ways."""
    unit = units.of(x)
    frame.table(
        ("four ways to one number", unit.name),
        [
            (name, written(value, ".6f"))
            for name, value in four_ways(x["p"], x["y"], unit.base).items()
        ],
    )


PART = Part(
    NAME,
    (
        Number("p", 0.2, NEAR_0, NEAR_1, label="probability of 1", symbol="p"),
        Choice("y", 1, (1, 0), label="target y"),
        units.field("nats"),
    ),
    (
        Preset(
            "−log 0.01", "bad", "Sure and wrong: 4.605 nats. Sure and right, at 0.99: 0.01005.",
            moved(NAME, p="0.01"),
        ),
        Preset(
            "0.775 in bits", "good", "The worked number −log₂ 0.775 = 0.3677 bits.",
            moved(NAME, p="0.775", unit="bits"),
        ),
        Preset(
            "0.936 in bits", "good", "The worked number −log₂ 0.936 = 0.0954 bits.",
            moved(NAME, p="0.936", unit="bits"),
        ),
    ),
    groups, show, notice, law, formula, code, scripts, more, 500,
)  # fmt: skip
