"""The loss gallery: squared error, binary and categorical cross-entropy, margin losses, focal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import streamlit as st

from components.controls import Choice as Chooser
from components.controls import Group, Slider, Toggle, controls
from components.stage import Event, Handle, Panel, Track, stage
from engine.studies.imbalance import Batch, easy_share, focal_curve
from engine.studies.loss_curves import four_ways, over_error, over_logit, over_probability
from engine.studies.margins import MarginCurve, descend_margin, margin_curve
from engine.studies.saturation import logit, probability
from figures import charts
from figures import losses as pictures
from pages import frame, prose
from pages.presets import Preset
from pages.state import Choice, Flag, Integer, Number, experiment

PARTS = ("squared error", "cross-entropy", "margin losses", "focal loss")
REACH = 5.0  # errors and margins
NEAR_0, NEAR_1 = 0.001, 0.999
STRONGEST = 5.0  # gamma

PRESETS = (
    Preset("4 costs 16", "good", "Twice the error, four times the cost: 16 against 4.", {}),
    Preset(
        "−log 0.01", "bad", "Sure and wrong: 4.605 nats. Sure and right, at 0.99: 0.01005.",
        {"part": PARTS[1], "p": "0.01"},
    ),
    Preset(
        "stuck on zero-one", "bad",
        "Counting errors is what we want and cannot descend: its slope is 0 wherever you stand.",
        {"part": PARTS[2]},
    ),
    Preset(
        "steps too long", "bad",
        "Squared loss alone has curvature 2 everywhere: past η = 1 it diverges, while hinge and "
        "logistic loss pull with at most 1.",
        {"part": PARTS[2], "lr": "1.05"},
    ),
    Preset(
        "easy ones fade", "good",
        "At pₜ = 0.9 and γ = 2 focal loss is a hundredth of cross-entropy.",
        {"part": PARTS[3], "pt": "0.9"},
    ),
    Preset(
        "γ = 0", "good", "Without focus, focal loss is cross-entropy, and the easy crowd rules.",
        {"part": PARTS[3], "gamma": "0"},
    ),
)  # fmt: skip

x = experiment(
    "losses",
    [
        Choice("part", PARTS[0], PARTS),
        Number("a", 4.0, -REACH, REACH),
        Number("b", 2.0, -REACH, REACH),
        Flag("half", False),
        Number("p", 0.2, NEAR_0, NEAR_1),
        Choice("y", 1, (0, 1)),
        Choice("unit", "nats", list(prose.BASES)),
        Number("m", -2.0, -3.0, 3.0),
        Number("lr", 0.1, 0.001, 2.0),
        Integer("steps", 60, 5, 300),
        Number("pt", 0.9, NEAR_0, NEAR_1),
        Number("gamma", 2.0, 0.0, STRONGEST),
        Flag("weigh", False),
        Number("alpha", 0.25, 0.01, 0.99),
        Integer("easy", 1000, 1, 100_000),
        Integer("hard", 10, 1, 1000),
        Number("easyp", 0.95, 0.5, NEAR_1),
        Number("hardp", 0.2, NEAR_0, 0.9),
    ],
)

frame.opening(
    x,
    "Loss gallery",
    "What each loss says of a prediction, and how hard it pulls: drag the points along the curves.",
)


def take(values: Mapping[str, Any], *, committed: bool) -> None:
    """Every control is named as its field is."""
    kinds = {name: type(x.fields[name].default) for name in values}
    x.change(
        {name: kinds[name](value) for name, value in values.items()},
        by=f"{x['part']}.controls",
        held=not committed,
    )


def panel_of(groups: list[Group], key: str, height: int) -> None:
    """The controls of a part."""
    answer = controls(
        f"losses.panel.{key}",
        groups,
        locked=[item.name for group in groups for item in group.items if x.locked(item.name)],
        max_height=height,
    )
    take(answer.values, committed=answer.committed)


def slider(name: str, label: str, low: float, high: float, **more: Any) -> Slider:
    """A slider for the field of that name."""
    return Slider(
        name=name, label=label, value=x[name], minimum=low, maximum=high,
        default=x.fields[name].default, **more,
    )  # fmt: skip


def settle(event: Event, name: str, low: float, high: float) -> None:
    """Set a field from where the reader's hand is."""
    value = round(min(max(event.x, low), high), 3)
    x.change({name: value}, by="stage", held=event.kind == "drag")


# Squared error ------------------------------------------------------------------------------------


def squared_settings(height: int) -> None:
    """Two errors and the convention."""
    panel_of(
        [
            Group(
                id="errors",
                title="Errors",
                items=[
                    slider("a", "first error", -REACH, REACH, symbol="e₁"),
                    slider("b", "second error", -REACH, REACH, symbol="e₂"),
                    Toggle(name="half", label="½ (ŷ − y)²", value=x["half"]),
                ],
            )
        ],
        "squared",
        height,
    )


def on_squared(event: Event) -> None:
    """Either error on its curve; a click moves the nearer one."""
    nearer = min("ab", key=lambda name: abs(x[name] - event.x))
    settle(event, event.id or nearer, -REACH, REACH)


def squared_error(height: int) -> None:
    """The parabola and its slope, with two errors on them."""

    e = np.linspace(-REACH, REACH, 201)
    curve = over_error(e, x["half"])
    here = over_error([x["a"], x["b"]], x["half"])
    costs, slopes = here.loss.tolist(), here.gradient.tolist()

    def points(values: Any, at: list[float]) -> list[Handle]:
        return [
            Handle(
                id=name, x=x[name], y=height_, axis="x", minimum=-REACH, maximum=REACH,
                curve=(e, values), label=charts.plain(height_), color=color,
            )
            for name, height_, color in zip(
                "ab", at, (pictures.FIRST, pictures.SECOND), strict=True
            )
        ]  # fmt: skip

    stage(
        "losses.stage.squared",
        [
            Panel(
                id="loss", title="cost of an error", figure=pictures.parabola(e, curve.loss),
                handles=points(curve.loss, costs), alt="A parabola over the error.",
            ),
            Panel(
                id="gradient", title="its gradient", figure=pictures.straight(e, curve.gradient),
                handles=points(curve.gradient, slopes), alt="A straight line over the error.",
            ),
        ],
        frames=1,
        height=height,
        alt="Squared error",
        on_event=on_squared,
    )  # fmt: skip
    if costs[1] > 0:
        prose.notice(
            f"The errors are as {abs(x['a'] / x['b']):.3g} to 1, their costs as "
            f"**{costs[0] / costs[1]:.3g} to 1**: one large error outweighs many small ones, which "
            "is why squared error bends to outliers. Its gradient grows only in proportion."
        )
    else:
        prose.notice("An error of 0 costs nothing and pulls nowhere: here squared error rests.")
    before, two = (r"\tfrac12", "") if x["half"] else ("", "2")
    st.latex(
        rf"\mathcal L = {before}(\hat y - y)^2: \quad {before}({charts.plain(x['a'])})^2 = "
        rf"{charts.plain(costs[0])}, \qquad {before}({charts.plain(x['b'])})^2 = "
        rf"{charts.plain(costs[1])}"
    )
    st.latex(
        rf"\frac{{\partial\mathcal L}}{{\partial\hat y}} = {two}(\hat y - y): \quad "
        rf"{charts.plain(slopes[0])}, \qquad {charts.plain(slopes[1])}"
    )
    st.caption(f"The mean over both, as a batch would report it: {here.loss.mean():.4g}.")


# Cross-entropy ------------------------------------------------------------------------------------


def binary_settings(height: int) -> None:
    """One prediction, its target, the unit."""
    panel_of(
        [
            Group(
                id="prediction",
                title="Prediction",
                items=[
                    slider("p", "probability of 1", NEAR_0, NEAR_1, symbol="p"),
                    Chooser(
                        name="y", label="target y", value=str(x["y"]),
                        options=[("1", "1"), ("0", "0")],
                    ),
                    Chooser(
                        name="unit", label="unit", value=x["unit"],
                        options=[("nats", "nats (ln)"), ("bits", "bits (log₂)"),
                                 ("bans", "bans (log₁₀)")],
                    ),
                ],
            )
        ],
        "binary",
        height,
    )  # fmt: skip


def on_binary(event: Event) -> None:
    """p on its own axis, or by its logit."""
    if event.panel == "logit":
        p = probability(event.x)
        x.change(
            {"p": round(min(max(p, NEAR_0), NEAR_1), 4)}, by="stage", held=event.kind == "drag"
        )
    else:
        settle(event, "p", NEAR_0, NEAR_1)


def cross_entropy(height: int) -> None:
    """Binary cross-entropy over p and over the logit, and the same number found four ways."""
    unit, y = x["unit"], x["y"]
    base = prose.BASES[unit]
    p = np.linspace(NEAR_0, NEAR_1, 400)
    span = logit(NEAR_1)
    z = np.linspace(-span, span, 241)
    over_p = [over_probability(p, target, base).loss for target in (1.0, 0.0)]
    over_z = [over_logit(z, target, base).loss for target in (1.0, 0.0)]
    here_z = logit(x["p"])
    ways = four_ways(x["p"], y, base)
    loss = next(iter(ways.values()))
    color = pictures.FIRST if y else pictures.SECOND
    stage(
        "losses.stage.binary",
        [
            Panel(
                id="probability",
                title=f"cross-entropy in {unit}, over the probability",
                figure=pictures.binary(p, over_p[0], over_p[1], y),
                handles=[
                    Handle(
                        id="p", x=x["p"], y=loss, axis="x", minimum=NEAR_0, maximum=NEAR_1,
                        curve=(p, over_p[1 - y]), label=f"{loss:.4g}", color=color,
                    )
                ],
                alt="Minus log p and minus log of one minus p.",
            ),
            Panel(
                id="logit",
                title="the same over the logit",
                figure=pictures.by_logit(z, over_z[0], over_z[1], y),
                handles=[
                    Handle(
                        id="z", x=here_z, y=loss, axis="x", minimum=-span, maximum=span,
                        curve=(z, over_z[1 - y]), label=f"{loss:.4g}", color=color,
                    )
                ],
                alt="Both losses over the logit, nearly straight on the wrong side.",
            ),
        ],
        frames=1,
        height=height,
        alt="Binary cross-entropy",
        on_event=on_binary,
    )  # fmt: skip
    true = x["p"] if y else 1 - x["p"]
    if true < 0.1:
        prose.notice(
            f"The true class got only {true:.3g}: the loss is {loss:.4g} {unit} and grows without "
            "bound as this goes to 0. Over the logit it is almost a straight line of slope 1, so "
            "the pull never fades."
        )
    elif true > 0.9:
        prose.notice(
            f"The true class got {true:.3g}: only {loss:.4g} {unit} are left to win. The loss "
            "reads this one number; how the rest is shared out does not enter."
        )
    else:
        prose.notice(
            f"The loss is the surprise at the true class, −log {true:.3g} = {loss:.4g} {unit}. "
            "Drag p to an end and see that being sure and wrong is what it punishes."
        )
    st.latex(
        rf"\mathcal L = -y\,{prose.LOGS[unit]}\,p - (1-y)\,{prose.LOGS[unit]}(1-p) = "
        rf"-{prose.LOGS[unit]}\,{true:.4g} = {prose.number(loss, 4)}\ \text{{{unit}}}"
    )
    frame.table(
        ("four ways to one number", x["unit"]),
        [(name, f"{value:.6f}") for name, value in ways.items()],
    )


# Margin losses ------------------------------------------------------------------------------------


def margin_settings(height: int) -> None:
    """Where descent starts, and its steps."""
    panel_of(
        [
            Group(
                id="descent",
                title="Gradient descent on m",
                items=[
                    slider("m", "start", -3.0, 3.0, symbol="m"),
                    slider("lr", "learning rate", 0.001, 2.0, symbol="η", scale="log"),
                    slider("steps", "steps", 5, 300, scale="log", integer=True),
                ],
            )
        ],
        "margin",
        height,
    )


def on_margin(event: Event) -> None:
    """The starting margin."""
    if event.panel in ("loss", "gradient"):
        settle(event, "m", -3.0, 3.0)


def margin_losses(height: int) -> None:
    """Four losses over the margin, their gradients, and what descent does on each."""
    m = np.linspace(-3, 3, 601)
    looks = pictures.MARGIN_LOOKS
    studies = {name: margin_curve(name, m) for name in looks}
    runs = {name: descend_margin(name, x["m"], x["steps"], x["lr"]) for name in looks}
    start = Handle(id="m", x=x["m"], y=0.0, axis="x", minimum=-3.0, maximum=3.0, label="start")

    def tracks(across: bool, shown: Callable[[MarginCurve], Any]) -> list[Track]:
        return [
            Track(
                x=run.curve.margin if across else None, y=shown(run.curve),
                color=looks[name].color, dash=looks[name].dash, marker=looks[name].marker,
                label=name.replace("_", "-"), mode="trail" if across else "curve",
                stop=run.diverged_at,
            )
            for name, run in runs.items()
        ]  # fmt: skip

    spread = [run.curve.margin.clip(-4, 6) for run in runs.values()]
    stage(
        "losses.stage.margin",
        [
            Panel(
                id="loss", title="loss", figure=pictures.margin_losses(studies),
                tracks=tracks(True, lambda c: c.loss), handles=[start],
                alt="Four losses over the margin.",
            ),
            Panel(
                id="path", kind="chart", title="margin against step",
                figure=pictures.margin_axes(
                    x["steps"], min(s.min() for s in spread), max(s.max() for s in spread)
                ),
                tracks=tracks(False, lambda c: c.margin), cursor=True,
                alt="Margin against step; zero-one stays where it starts.",
            ),
            Panel(
                id="gradient", title="gradient below it", handles=[start],
                figure=pictures.margin_gradients(studies),
                tracks=tracks(True, lambda c: c.gradient),
                alt="Gradients of four losses over the margin; zero-one's is flat.",
            ),
            Panel(
                id="fall", kind="chart", title="each one's loss against step",
                figure=pictures.fall_axes(x["steps"], max(r.curve.loss[0] for r in runs.values())),
                tracks=tracks(False, lambda c: c.loss),
                cursor=True, alt="Loss against step.",
            ),
        ],
        frames=x["steps"] + 1,
        columns=2,
        height=height,
        alt="Margin losses, and gradient descent on each",
        on_event=on_margin,
    )  # fmt: skip
    stuck = runs["zero_one"]
    right = [
        n.replace("_", "-")
        for n, run in runs.items()
        if run.diverged_at is None and run.curve.margin[-1] > 0
    ]
    if x["m"] <= 0:
        reached = (
            f"After {x['steps']} steps the sign is right with {', '.join(right)} loss."
            if right
            else f"After {x['steps']} steps none has the sign right yet."
        )
        prose.notice(
            f"Zero-one loss still stands at m = {stuck.curve.margin[-1]:g}: its gradient is **0 "
            f"everywhere**, so gradient descent takes no step at all. {reached}"
        )
    else:
        prose.notice(
            f"m = {x['m']:g} has the right sign, so zero-one loss is content. Hinge still pulls "
            "until m = 1, logistic for ever, and squared loss pulls back whatever exceeds 1."
        )
    st.latex(
        r"\ell_{0\text{-}1} = \mathbb 1[m \le 0],\quad \ell_\text{hinge} = \max(0, 1-m),\quad "
        r"\ell_\text{logistic} = \ln(1+e^{-m}),\quad \ell_\text{squared} = (1-m)^2"
    )
    rows = [
        (
            name.replace("_", "-"),
            f"{float(margin_curve(name, x['m']).loss):.4f}",
            charts.signed(float(margin_curve(name, x["m"]).gradient), 4),
            f"diverged at step {run.diverged_at}"
            if run.diverged_at is not None
            else charts.signed(float(run.curve.margin[-1]), 4),
        )
        for name, run in runs.items()
    ]
    frame.table((f"at m = {x['m']:g}", "loss", "gradient", f"m after {x['steps']} steps"), rows)


# Focal loss ---------------------------------------------------------------------------------------


def focal_settings(height: int) -> None:
    """γ, α, the example, and the batch."""
    weights = [slider("alpha", "of class 1", 0.01, 0.99, symbol="α")] if x["weigh"] else []
    panel_of(
        [
            Group(
                id="loss",
                title="Loss",
                items=[
                    slider("gamma", "focus", 0.0, STRONGEST, symbol="γ"),
                    Toggle(name="weigh", label="weigh the classes", value=x["weigh"]),
                    *weights,
                    slider("pt", "true class gets", NEAR_0, NEAR_1, symbol="pₜ"),
                ],
            ),
            Group(
                id="batch",
                title="Batch",
                items=[
                    slider("easy", "easy negatives", 1, 100_000, scale="log", integer=True),
                    slider("easyp", "each with", 0.5, NEAR_1, symbol="pₜ"),
                    slider("hard", "hard positives", 1, 1000, scale="log", integer=True),
                    slider("hardp", "each with", NEAR_0, 0.9, symbol="pₜ"),
                ],
            ),
        ],
        "focal",
        height,
    )


def on_focal(event: Event) -> None:
    """p_t on the curves, γ on the share."""
    if event.panel == "share":
        settle(event, "gamma", 0.0, STRONGEST)
    else:
        settle(event, "pt", NEAR_0, NEAR_1)


def focal_loss(height: int) -> None:
    """Focal loss over cross-entropy, its gradient, and who pulls in an imbalanced batch."""
    gamma, alpha = x["gamma"], x["alpha"] if x["weigh"] else None
    p = np.linspace(NEAR_0, NEAR_1, 400)
    plain, focal = focal_curve(p, 0.0), focal_curve(p, gamma, alpha)
    here, without = focal_curve(x["pt"], gamma, alpha), focal_curve(x["pt"], 0.0)
    gammas = np.linspace(0, STRONGEST, 51)
    batch = Batch(x["easy"], x["hard"], x["easyp"], x["hardp"])
    shares = easy_share(batch, gammas, alpha)
    share = float(easy_share(batch, gamma, alpha)[0])
    loss, slope = float(here.loss), -float(here.gradient)
    stage(
        "losses.stage.focal",
        [
            Panel(
                id="loss", title=f"loss: γ = {gamma:g} over cross-entropy (dashed)",
                figure=pictures.focal(plain, focal, gamma),
                handles=[
                    Handle(
                        id="pt", x=x["pt"], y=loss, axis="x", minimum=NEAR_0, maximum=NEAR_1,
                        curve=(p, focal.loss), label=f"{loss:.4g}", color=pictures.FOCAL,
                    )
                ],
                alt="Focal loss and cross-entropy over the true class's probability.",
            ),
            Panel(
                id="gradient", title="pull on the logit",
                figure=pictures.focal_gradient(plain, focal),
                handles=[
                    Handle(
                        id="pt", x=x["pt"], y=slope, axis="x", minimum=NEAR_0, maximum=NEAR_1,
                        curve=(p, -focal.gradient), label=f"{slope:.4g}", color=pictures.FOCAL,
                    )
                ],
                alt="Size of the gradient over the true class's probability.",
            ),
            Panel(
                id="share", title="easy examples' share of the gradient",
                figure=pictures.easy_share(gammas, shares),
                handles=[
                    Handle(
                        id="gamma", x=gamma, y=share, axis="x", minimum=0.0, maximum=STRONGEST,
                        curve=(gammas, shares), label=f"{share:.1%}", color=pictures.SHARE,
                    )
                ],
                alt="Share of the gradient that easy examples hold, falling as gamma grows.",
            ),
        ],
        frames=1,
        columns=[1.2, 1, 1],
        height=height,
        alt="Focal loss",
        on_event=on_focal,
    )  # fmt: skip
    ratio = loss / float(without.loss)
    if gamma == 0:
        text = (
            "γ = 0: focal loss **is** cross-entropy"
            + (" times α" if alpha is not None else ", curve on curve")
            + f". The {x['easy']:,} easy examples hold {share:.1%} of the gradient."
        )
    else:
        text = (
            f"At pₜ = {x['pt']:g} the loss is **{ratio:.3g} times** cross-entropy. In the batch "
            f"the {x['easy']:,} easy examples hold {share:.1%} of the gradient; with γ = 0 "
            f"it would be {float(easy_share(batch, 0.0, alpha)[0]):.1%}."
        )
    prose.notice(text)
    weight = r"\alpha_t\," if alpha is not None else ""
    value = f"{alpha:g}\\cdot " if alpha is not None else ""
    st.latex(
        rf"\mathcal L = -{weight}(1-p_t)^\gamma\ln p_t = -{value}(1-{x['pt']:g})^{{{gamma:g}}}"
        rf"\ln {x['pt']:g} = {prose.number(loss, 4)}"
    )
    st.latex(rf"-\ln p_t = {prose.number(float(without.loss), 4)}\quad(\gamma = 0)")


@st.fragment
def body() -> None:
    """Everything that answers to the reader's hand."""
    embedded = bool(st.context.is_embedded)
    if not embedded and not x.hidden("presets"):
        prose.presets(x, PRESETS)
    if not x.hidden("part"):
        st.segmented_control(
            "Part", PARTS, key=x.key("part"), required=True, label_visibility="collapsed"
        )
    show, settings, height = {
        PARTS[0]: (squared_error, squared_settings, 340),
        PARTS[1]: (cross_entropy, binary_settings, 340),
        PARTS[2]: (margin_losses, margin_settings, 560),
        PARTS[3]: (focal_loss, focal_settings, 340),
    }[x["part"]]
    picture, panel = (
        (st.container(), None) if x.hidden("controls") else st.columns([3.4, 1], gap="medium")
    )
    if panel is not None:
        with panel:
            settings(430 if embedded else 620)
    with picture:
        show(min(height, 390) if embedded else height)
    x.publish()


body()
