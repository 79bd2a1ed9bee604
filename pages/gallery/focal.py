"""Focal loss: cross-entropy whose easy examples fade, and who pulls in an imbalanced batch."""

from __future__ import annotations

import numpy as np

from components.controls import Group, Item
from components.stage import Handle, Panel, stage
from engine.emit.picture import Picture, in_latex, round_to, words, written
from engine.studies.imbalance import Batch, easy_share, focal_curve
from engine.studies.loss_code import loss_scripts
from engine.studies.saturation import logit
from engine.tape import operations as ops
from figures import losses as pictures
from pages.gallery.part import Part, moved
from pages.presets import Preset
from pages.state import Experiment, Flag, Integer, Number, shorten

NAME = "focal loss"
NEAR_0, NEAR_1 = 0.001, 0.999
STRONGEST = 5.0  # γ
P = np.linspace(NEAR_0, NEAR_1, 400)
GAMMAS = np.linspace(0, STRONGEST, 51)


def groups(x: Experiment) -> list[Group]:
    """γ, α, the example, and the batch."""
    weights: list[Item] = [x.slider("alpha")] if x["weigh"] else []
    loss = [x.slider("gamma"), x.slider("pt"), x.toggle("weigh"), *weights]
    batch = [x.slider(name) for name in ("easy", "easyp", "hard", "hardp")]
    return [
        Group(id="loss", title="Loss", items=loss),
        Group(id="batch", title="Batch", items=batch),
    ]


def show(x: Experiment, live: Picture, small: bool, height: int) -> None:
    """Focal loss over cross-entropy, its gradient, and who pulls in an imbalanced batch."""
    gamma, p = live["gamma"], live["pt"]
    alpha = live["alpha"] if x["weigh"] else None
    plain, focal = focal_curve(P, 0.0), focal_curve(P, gamma, alpha)
    here, without = focal_curve(p, gamma, alpha), focal_curve(p, 0.0)
    batch = Batch(live["easy"], live["hard"], live["easyp"], live["hardp"])
    shares, share = easy_share(batch, GAMMAS, alpha), easy_share(batch, gamma, alpha)
    pulls, pull = ops.negative(focal.gradient), ops.negative(here.gradient)
    to_p = {"pt": ops.clip(round_to(live.hand[0], 3), NEAR_0, NEAR_1)}
    to_gamma = {"gamma": ops.clip(round_to(live.hand[0], 2), 0.0, STRONGEST)}
    panels = [
        Panel(
            id="loss", title=words("focal loss, γ = {:3}", gamma), tab="loss",
            figure=pictures.focal(plain, focal),
            handles=[
                Handle(
                    id="p", spoken="probability of the true class", x=p, y=here.loss, axis="x",
                    minimum=NEAR_0, maximum=NEAR_1, curve=(P, focal.loss),
                    label=words("{:4}", here.loss), color=pictures.FOCAL, sets=to_p,
                )
            ],
            clicks=to_p,
            alt="Focal loss and cross-entropy over the true class's probability.",
        ),
        Panel(
            id="gradient", title="size of the gradient by the logit", tab="gradient",
            figure=pictures.focal_gradient(plain, focal),
            handles=[
                Handle(
                    id="slope", spoken="probability of the true class, on the gradient", x=p,
                    y=pull, axis="x",
                    minimum=NEAR_0, maximum=NEAR_1, curve=(P, pulls), label=words("{:4}", pull),
                    color=pictures.FOCAL, sets=to_p,
                )
            ],
            clicks=to_p,
            alt="Size of the gradient over the true class's probability.",
        ),
        Panel(
            id="share", title="easy examples' share of the gradient", tab="easy share",
            figure=pictures.easy_share(GAMMAS, shares),
            handles=[
                Handle(
                    id="gamma", spoken="focus gamma", x=gamma, y=share, axis="x", minimum=0.0,
                    maximum=STRONGEST,
                    curve=(GAMMAS, shares), label=words("{:.1%}", share), color=pictures.SHARE,
                    sets=to_gamma,
                )
            ],
            clicks=to_gamma,
            alt="Share of the gradient that easy examples hold, falling as gamma grows.",
        ),
    ]  # fmt: skip
    stage(
        "losses.focal",
        [panels[0], panels[2]] if small else panels,
        live=live,
        frames=1,
        columns=[1.1, 1] if small else [1.2, 1, 1],
        height=height,
        alt="Focal loss",
        lines=[
            words(
                "At pₜ = {:4} the loss is {:4}, {:3} times cross-entropy's {:4}. The {:.0f} easy "
                "examples hold {:.1%} of the gradient.",
                p, here.loss, here.loss / without.loss, without.loss, live["easy"], share,
            )
        ],
    )  # fmt: skip


def _alpha(x: Experiment) -> float | None:
    return x["alpha"] if x["weigh"] else None


def notice(x: Experiment) -> str:
    """What the focus does, to one example and to the batch."""
    batch = Batch(x["easy"], x["hard"], x["easyp"], x["hardp"])
    share = float(easy_share(batch, x["gamma"], _alpha(x)))
    without = float(easy_share(batch, 0.0, _alpha(x)))
    easy = written(x["easy"], "6")
    if x["gamma"] == 0:
        return (
            "γ = 0: focal loss **is** cross-entropy"
            + (" times αₜ" if x["weigh"] else ", curve on curve")
            + f". The {easy} easy examples hold {written(share, '.1%')} of the gradient."
        )
    loss = float(focal_curve(x["pt"], x["gamma"], _alpha(x)).loss)
    ratio = loss / float(focal_curve(x["pt"], 0.0).loss)
    return (
        f"At pₜ = {written(x['pt'])} the loss is **{written(ratio, '3')} times** cross-entropy. In "
        f"the batch the {easy} easy examples hold {written(share, '.1%')} of the gradient; with "
        f"γ = 0 it would be {written(without, '.1%')}."
    )


def law(x: Experiment) -> str:
    """The loss."""
    weight = r"\alpha_t\," if x["weigh"] else ""
    return rf"\mathcal L = -{weight}(1-p_t)^\gamma\ln p_t"


def formula(x: Experiment) -> str:
    """The loss with its numbers, and cross-entropy's."""
    here = float(focal_curve(x["pt"], x["gamma"], _alpha(x)).loss)
    plain = float(focal_curve(x["pt"], 0.0).loss)
    p, gamma = in_latex(x["pt"]), in_latex(x["gamma"], "3")
    value = rf"{in_latex(x['alpha'])}\cdot " if x["weigh"] else ""
    return (
        rf"\begin{{aligned}} {law(x).replace('=', '&=')} = "
        rf"-{value}(1-{p})^{{{gamma}}}\ln {p} = {in_latex(here)} \\ "
        rf"-\ln p_t &= {in_latex(plain)}\quad(\gamma = 0) \end{{aligned}}"
    )


def code(x: Experiment) -> str:
    """The same as NumPy."""
    weight = f"{shorten(x['alpha'])} * " if x["weigh"] else ""
    return (
        "import numpy as np\n\n"
        f"p, gamma = {shorten(x['pt'])}, {shorten(x['gamma'])}  # p of the true class\n"
        f"loss = -{weight}(1 - p) ** gamma * np.log(p)\n"
        f"pull = {weight}(1 - p) ** gamma * (1 - p - gamma * p * np.log(p))  # by the logit\n"
        "print(loss, pull)\n"
    )


def scripts(x: Experiment) -> dict[str, str]:
    """The same in frameworks, by the logit of the true class."""
    z = float(logit(x["pt"]))
    alpha = x["alpha"] if x["weigh"] else 1.0
    return loss_scripts("focal", "z", z, gamma=x["gamma"], alpha=alpha)


PART = Part(
    NAME,
    (
        Number("gamma", 2.0, 0.0, STRONGEST, label="focus", symbol="γ"),
        Number("pt", 0.9, NEAR_0, NEAR_1, label="true class gets", symbol="pₜ"),
        Flag("weigh", False, label="weigh the classes", help="αₜ: α for class 1, 1 − α for 0"),
        Number("alpha", 0.25, 0.01, 0.99, label="weight of class 1", symbol="α"),
        Integer("easy", 1000, 1, 100_000, label="easy negatives", scale="log"),
        Number("easyp", 0.95, 0.5, NEAR_1, label="each easy one with", symbol="pₜ"),
        Integer("hard", 10, 1, 1000, label="hard positives", scale="log"),
        Number("hardp", 0.2, NEAR_0, 0.9, label="each hard one with", symbol="pₜ"),
    ),
    (
        Preset(
            "Easy ones fade", "good",
            "At pₜ = 0.9 and γ = 2 focal loss is a hundredth of cross-entropy.",
            moved(NAME),
        ),
        Preset(
            "γ = 0", "good",
            "Without focus, focal loss is cross-entropy, and the easy crowd rules.",
            moved(NAME, gamma="0"),
        ),
        Preset(
            "A detector's boxes", "good",
            "Lin et al. 2017: of about 100 000 boxes a picture ten are objects. The background, "
            "right at 0.99, holds 99.2 % of cross-entropy's gradient; with γ = 2, 3.1 %.",
            moved(NAME, easy="100000", easyp="0.99"),
        ),
    ),
    groups, show, notice, law, formula, code, scripts,
)  # fmt: skip
