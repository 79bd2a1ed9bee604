"""Squared error, whose mean is the MSE: twice the error, four times the cost."""

from __future__ import annotations

from typing import Any

import numpy as np

from components.controls import Group, Item
from components.stage import Handle, Panel, stage
from engine.emit.picture import Picture, in_latex, round_to, words, written
from engine.studies.loss_code import loss_scripts
from engine.studies.loss_curves import LossCurve, over_error
from engine.tape import operations as ops
from figures import losses as pictures
from pages.gallery.part import Part
from pages.presets import Preset
from pages.state import Experiment, Flag, Number, shorten

NAME = "squared error"
REACH = 5.0
ERRORS = np.linspace(-REACH, REACH, 201)
COLORS = {"a": pictures.FIRST, "b": pictures.SECOND}
SYMBOLS = {"a": "e₁", "b": "e₂"}
SPOKEN = {"a": "first error", "b": "second error"}


def groups(x: Experiment) -> list[Group]:
    """Two errors and the convention."""
    items: list[Item] = [x.slider("a"), x.slider("b"), x.toggle("half")]
    return [Group(id="errors", title="Errors", items=items)]


def show(x: Experiment, live: Picture, small: bool, height: int) -> None:
    """The parabola and its slope, with two errors on them."""
    curve = over_error(ERRORS, x["half"])
    here = {name: over_error(live[name], x["half"]) for name in COLORS}

    def points(heights: Any, at: dict[str, Any]) -> list[Handle]:
        return [
            Handle(
                id=name, spoken=SPOKEN[name], x=live[name], y=at[name], axis="x", minimum=-REACH,
                maximum=REACH, curve=(ERRORS, heights), color=color,
                label=words(f"{SYMBOLS[name]}: {{:4}}", at[name]),
                sets={name: ops.clip(round_to(live.hand[0], 3), -REACH, REACH)},
            )
            for name, color in COLORS.items()
        ]  # fmt: skip

    total = here["a"].loss + here["b"].loss
    stage(
        "losses.squared",
        [
            Panel(
                id="loss", tab="loss",
                title="½ (ŷ − y)²" if x["half"] else "squared error (ŷ − y)²",
                figure=pictures.parabola(curve),
                handles=points(curve.loss, {n: c.loss for n, c in here.items()}),
                alt="A parabola over the error.",
            ),
            Panel(
                id="gradient", title="its gradient", tab="gradient",
                figure=pictures.straight(curve),
                handles=points(curve.gradient, {n: c.gradient for n, c in here.items()}),
                alt="A straight line over the error.",
            ),
        ],
        live=live,
        frames=1,
        height=height,
        columns=1 if small and height < 300 else 2,
        alt="Squared error",
        lines=[
            words(
                "An error of {:4} costs {:4}, one of {:4} costs {:4}; the mean of both, the MSE of "
                "this batch of two, is {:4}.",
                live["a"], here["a"].loss, live["b"], here["b"].loss, total / 2.0,
            )
        ],
    )  # fmt: skip


def _here(x: Experiment) -> LossCurve:
    return over_error([x["a"], x["b"]], x["half"])


def notice(x: Experiment) -> str:
    """How the costs compare."""
    costs = _here(x).loss
    if costs[1] == 0 or costs[0] == 0:
        return "An error of 0 costs nothing and pulls nowhere: here squared error rests."
    if costs[0] == costs[1]:
        return "Two errors of one size cost the same, whatever their signs: take one further out."
    small, large = sorted(costs)
    return (
        f"The errors are as {written((large / small) ** 0.5, '3')} to 1, their costs as "
        f"**{written(large / small, '3')} to 1**: one large error outweighs many small ones, "
        "which is why squared error bends to outliers. Its gradient grows only in proportion."
    )


def _before(x: Experiment) -> str:
    """What stands before the square, in LaTeX."""
    return r"\tfrac12" if x["half"] else ""


def law(x: Experiment) -> str:
    """The cost of one error."""
    return rf"\mathcal L = {_before(x)}(\hat y - y)^2"


def formula(x: Experiment) -> str:
    """Both costs and both gradients."""
    here = _here(x)
    before, two = _before(x), "" if x["half"] else "2"
    a, b = in_latex(x["a"]), in_latex(x["b"])
    costs, slopes = ([in_latex(v) for v in values] for values in (here.loss, here.gradient))
    return (
        rf"\begin{{aligned}} {law(x).replace('=', '&=')}: \quad "
        rf"{before}({a})^2 = {costs[0]}, \quad {before}({b})^2 = {costs[1]} \\ "
        rf"\frac{{\partial\mathcal L}}{{\partial\hat y}} &= {two}(\hat y - y): \quad "
        rf"{slopes[0]}, \quad {slopes[1]} \end{{aligned}}"
    )


def code(x: Experiment) -> str:
    """The same as NumPy."""
    half, two = ("0.5 * ", "") if x["half"] else ("", "2 * ")
    return (
        "import numpy as np\n\n"
        f"error = np.array([{shorten(x['a'])}, {shorten(x['b'])}])  # prediction minus target\n"
        f"cost = {half}error**2\n"
        f"gradient = {two}error\n"
        "print(cost, gradient, cost.mean())\n"
    )


def scripts(x: Experiment) -> dict[str, str]:
    """The same in frameworks."""
    return loss_scripts("squared error", "error", (x["a"], x["b"]), half=x["half"])


PART = Part(
    NAME,
    (
        Number("a", 4.0, -REACH, REACH, label="first error", symbol=SYMBOLS["a"]),
        Number("b", 2.0, -REACH, REACH, label="second error", symbol=SYMBOLS["b"]),
        Flag("half", False, label="½ (ŷ − y)²", help="with a half in front the gradient is ŷ − y"),
    ),
    (Preset("4 costs 16", "good", "Twice the error, four times the cost: 16 against 4.", {}),),
    groups, show, notice, law, formula, code, scripts,
)  # fmt: skip
