"""Cross-entropy and KL divergence: two distributions compared, and one fitted to another."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping
from string import ascii_uppercase
from typing import Any

import numpy as np
import streamlit as st

from components.controls import Action, Group, Slider, controls
from components.controls import Choice as Chooser
from components.stage import Boxes, Event, Handle, Panel, Track, stage
from engine.losses.information import (
    cross_entropy,
    entropy,
    js_divergence,
    kl_divergence,
    normalized,
    renormalized,
    surprise,
)
from engine.optimizers import OPTIMIZERS
from engine.studies.divergence import (
    DIVERGENCES,
    PARAMETERS,
    SPAN,
    Fit,
    fit,
    gaussian_density,
    moments,
    target_density,
)
from figures import divergence as pictures
from pages import frame, prose
from pages.presets import Preset
from pages.state import Choice, Integer, Number, Numbers, experiment

MOST = 8
PARTS = ("two distributions", "fit a Gaussian")
OPTIMIZER_CHOICES = ("adam", "momentum", "rmsprop", "sgd")

PRESETS = (
    Preset("a wrong belief", "good", "The same three outcomes, believed the wrong way round.", {}),
    Preset(
        "one-hot truth", "good",
        "A label is a one-hot p: only the true slot of q is read, −ln 0.7 = 0.357 nats. The traps "
        "are the other slots, −ln 0.2 = 1.609 and −ln 0.1 = 2.303. H(p) is 0, so cross-entropy "
        "is KL.",
        {"p": "0,1,0", "q": "0.2,0.7,0.1", "unit": "nats"},
    ),
    Preset("p = q", "good", "Both divergences are 0, and only then.",
           {"p": "5,3,2", "q": "5,3,2"}),
    Preset(
        "held impossible", "bad",
        "q gives C no chance, yet C happens: KL(p‖q) is infinite. The other way round it is not.",
        {"p": "0.5,0.3,0.2", "q": "0.6,0.4,0"},
    ),
    Preset(
        "two humps", "good",
        "Forward KL spreads over both humps, reverse KL settles in one.",
        {"part": PARTS[1]},
    ),
    Preset(
        "spread between", "good",
        "Started wide in the middle, reverse KL stays there: a third minimum, not the best.",
        {"part": PARTS[1], "start": "0.3,0.6"},
    ),
)  # fmt: skip

x = experiment(
    "divergence",
    [
        Choice("part", PARTS[0], PARTS),
        Numbers("p", (0.6, 0.3, 0.1), 0, 1000, count=(2, MOST)),
        Numbers("q", (0.2, 0.3, 0.5), 0, 1000, count=(2, MOST)),
        Choice("unit", "bits", list(prose.BASES)),
        *(Number(p.name, p.default, p.low, p.high) for p in PARAMETERS),
        Numbers("start", (1.0, -0.5), -5, 5, count=(2, 2)),
        Choice("opt", OPTIMIZER_CHOICES[0], OPTIMIZER_CHOICES),
        Number("lr", 0.1, 1e-4, 1.0),
        Integer("steps", 120, 10, 400),
    ],
)

frame.opening(
    x,
    "Cross-entropy and KL divergence",
    "What it costs to believe q where p is true: drag the bars of both.",
)


def both() -> tuple[np.ndarray, np.ndarray]:
    """p and q; where the link gives them unlike lengths, q is cut or filled with zeros."""
    p = normalized(x["p"])
    q = [*x["q"], *[0.0] * len(p)][: len(p)]
    return p, normalized(q)


def names() -> list[str]:
    """What the outcomes are called."""
    return list(ascii_uppercase[: len(x["p"])])


# What the reader does -----------------------------------------------------------------------------


def rounded(p: np.ndarray) -> tuple[float, ...]:
    """Short enough for a link."""
    return tuple(round(float(v), 6) for v in p)


def on_bars(event: Event) -> None:
    """A bar of p or of q; a click moves the nearer one."""
    if event.panel != "bars":
        return
    which = event.id[0] if event.id else ("p" if event.x < round(event.x) else "q")
    k = int(event.id[1:]) - 1 if event.id else round(event.x)
    if 0 <= k < len(x["p"]):
        old = both()["pq".index(which)]
        new = renormalized(old, k, round(event.y, 3))
        x.change({which: rounded(new)}, by="bars", held=event.kind == "drag")


def on_action(_: str, action: str) -> None:
    """More or fewer outcomes; p and q exchanged or made equal."""
    p, q = both()
    n = len(p)
    if action == "more" and n < MOST:
        p, q = (np.append(d * n / (n + 1), 1 / (n + 1)) for d in (p, q))
    elif action == "fewer" and n > 2:
        p, q = normalized(p[:-1]), normalized(q[:-1])
    elif action == "swap":
        p, q = q, p
    elif action == "learn":
        q = p
    x.change({"p": rounded(p), "q": rounded(q)})


def take_unit(values: Mapping[str, Any], *, committed: bool) -> None:
    """The unit."""
    x.change({"unit": values["unit"]}, by="controls", held=not committed)


def on_plane(event: Event) -> None:
    """The start of the fit."""
    if event.panel in DIVERGENCES:
        at = (round(event.x, 3), round(event.y, 3))
        x.change({"start": at}, by="fit", held=event.kind == "drag")


def take_fit(values: Mapping[str, Any], *, committed: bool) -> None:
    """The two humps and the optimizer."""
    numbers = {name: float(values[name]) for name in (*(p.name for p in PARAMETERS), "lr")}
    x.change(
        {**numbers, "steps": int(values["steps"]), "opt": values["opt"]},
        by="fit.controls",
        held=not committed,
    )


# Two distributions --------------------------------------------------------------------------------


def settings(height: int) -> None:
    """Buttons for p and q, and the unit."""
    answer = controls(
        "divergence.controls",
        [
            Group(
                id="outcomes",
                title="Outcomes",
                actions=[Action(id="more", label="+ one"), Action(id="fewer", label="− one")],
            ),
            Group(
                id="beliefs",
                title="Belief",
                actions=[Action(id="learn", label="q := p"), Action(id="swap", label="p ⇄ q")],
                items=[
                    Chooser(
                        name="unit", label="unit", value=x["unit"],
                        options=[("bits", "bits (log₂)"), ("nats", "nats (ln)"),
                                 ("bans", "bans (log₁₀)")],
                    ),
                ],
            ),
        ],
        locked=["unit"] if x.locked("unit") else [],
        max_height=height,
        on_action=on_action,
    )  # fmt: skip
    take_unit(answer.values, committed=answer.committed)


def comparison(p: np.ndarray, q: np.ndarray, height: int) -> None:
    """The bars of both, and the sums that follow."""
    base = prose.BASES[x["unit"]]
    handles = [
        Handle(
            id=f"{which}{k + 1}", x=k + shift, y=float(v), axis="y", minimum=0.0, maximum=1.0,
            color=color,
        )
        for which, d, shift, color in (
            ("p", p, -pictures.OFFSET, pictures.TRUTH), ("q", q, pictures.OFFSET, pictures.MODEL),
        )
        for k, v in enumerate(d)
    ]  # fmt: skip
    sums = {
        "H(p, q)": (float(entropy(p, base)), float(kl_divergence(p, q, base))),
        "H(q, p)": (float(entropy(q, base)), float(kl_divergence(q, p, base))),
    }
    js = float(js_divergence(p, q, base))
    stage(
        "divergence.bars",
        [
            Panel(
                id="bars",
                title="truth p, blue, and belief q, red (drag both)",
                figure=pictures.distributions(p, q, names()),
                handles=[] if x.locked("p") else handles,
                alt="Bars of p and q for each outcome, each with a handle to drag.",
            ),
            Panel(
                id="sums",
                kind="chart",
                title=f"cross-entropy = entropy + KL, in {x['unit']}",
                figure=pictures.identity(sums, js, float(surprise(0.5, base))),
                alt="Both cross-entropies as stacks of entropy and divergence.",
            ),
        ],
        frames=1,
        columns=[1.35, 1],
        height=height,
        alt="Two distributions and what separates them",
        on_event=on_bars,
    )


def formulas(p: np.ndarray, q: np.ndarray) -> None:
    """The identity and the divergence with the current numbers."""
    base, unit, log = prose.BASES[x["unit"]], x["unit"], prose.LOGS[x["unit"]]
    h, kl = float(entropy(p, base)), float(kl_divergence(p, q, base))
    st.latex(
        rf"\underbrace{{-\textstyle\sum p_i {log} q_i}}_{{H(p, q)\,=\,"
        rf"{prose.number(float(cross_entropy(p, q, base)))}}} = "
        rf"\underbrace{{-\textstyle\sum p_i {log} p_i}}_{{H(p)\,=\,{prose.number(h)}}} + "
        rf"\underbrace{{\textstyle\sum p_i {log} \tfrac{{p_i}}{{q_i}}}}_"
        rf"{{\mathrm{{KL}}(p\,\|\,q)\,=\,{prose.number(kl)}}}\ \text{{{unit}}}"
    )


def remark(p: np.ndarray, q: np.ndarray) -> None:
    """What is worth seeing in the present state."""
    base, unit = prose.BASES[x["unit"]], x["unit"]
    forward, reverse = float(kl_divergence(p, q, base)), float(kl_divergence(q, p, base))
    if math.isinf(forward) or math.isinf(reverse):
        first, second = ("q", "p") if math.isinf(forward) else ("p", "q")
        culprit = names()[int(np.argmax(((q == 0) & (p > 0)) | ((p == 0) & (q > 0))))]
        text = (
            f"**{first}** says that {culprit} cannot happen, but under {second} it does. One such "
            f"event is an infinite surprise, so KL({second}‖{first}) is **infinite**: a model must "
            "never give probability 0 to what may happen. Jensen–Shannon stays finite."
        )
        if math.isinf(forward) and math.isinf(reverse):
            text += " Here it is so in both directions."
    elif forward < 1e-9:
        text = (
            "p = q: both divergences are **0**, and cross-entropy is as low as it can get, H(p). "
            "Training a classifier drives q here."
        )
    else:
        more = "more" if forward > reverse else "less"
        text = (
            f"KL(p‖q) = {forward:.4f} but KL(q‖p) = {reverse:.4f} {unit}: **not symmetric**. Here "
            f"believing q where p holds costs {more} than the reverse. KL(p‖q) is large where p is "
            "large and q small; cross-entropy adds H(p), which no belief can save."
        )
    prose.notice(text)


def terms(p: np.ndarray, q: np.ndarray) -> None:
    """Each outcome's part in the sums."""
    base = prose.BASES[x["unit"]]
    sp, sq = surprise(p, base), surprise(q, base)
    rows = []
    for k, name in enumerate(names()):
        there = p[k] > 0
        rows.append(
            (
                html.escape(name),
                f"{p[k]:.4f}",
                f"{q[k]:.4f}",
                f"{sq[k]:.4f}".replace("inf", "∞"),
                f"{p[k] * sq[k]:.4f}".replace("inf", "∞") if there else "0",
                f"{p[k] * (sq[k] - sp[k]):+.4f}".replace("inf", "∞").replace("-", "−")
                if there
                else "0",
            )
        )
    frame.table(("outcome", "p", "q", "−log q", "−p log q", "p log(p/q)"), rows)


def two_distributions(embedded: bool) -> None:
    """The first part: bars."""
    picture, panel = (
        (st.container(), None) if x.hidden("controls") else st.columns([3.6, 1], gap="medium")
    )
    if panel is not None:
        with panel:
            settings(height=440 if embedded else 600)
    p, q = both()
    if len(x["q"]) != len(x["p"]):
        st.warning("**q** in the link has another number of outcomes than **p**; it was fitted.")
    with picture:
        comparison(p, q, 300 if embedded else 360)
    remark(p, q)
    formulas(p, q)
    if not x.hidden("table"):
        terms(p, q)


# A Gaussian fitted --------------------------------------------------------------------------------


def target() -> dict[str, float]:
    """The parameters of the two humps."""
    return {p.name: x[p.name] for p in PARAMETERS}


@st.cache_data(max_entries=128, show_spinner=False)
def fitted(
    direction: str, humps: dict[str, float], start: Any, steps: int, opt: str, lr: float
) -> Fit:
    """One fit; dragging back finds it again."""
    return fit(DIVERGENCES[direction](**humps), start, steps, opt, lr)


@st.cache_data(max_entries=128, show_spinner=False)
def contours(direction: str, humps: dict[str, float]) -> dict[str, Any]:
    """The plane of one divergence."""
    best = moments(**humps) if direction == "forward" else None
    return pictures.plane(DIVERGENCES[direction](**humps), best)


def fit_settings(height: int) -> None:
    """The two humps and the optimizer."""
    answer = controls(
        "divergence.fit",
        [
            Group(
                id="humps",
                title="Two humps",
                items=[
                    Slider(
                        name=p.name, label=p.name, symbol=p.symbol, value=x[p.name], minimum=p.low,
                        maximum=p.high, default=p.default, help=p.meaning,
                    )
                    for p in PARAMETERS
                ],
            ),
            Group(
                id="run",
                title="Fitting",
                items=[
                    Chooser(
                        name="opt", label="optimizer", value=x["opt"],
                        options=[(slug, OPTIMIZERS[slug].name) for slug in OPTIMIZER_CHOICES],
                    ),
                    Slider(
                        name="lr", label="lr", symbol="η", value=x["lr"], minimum=1e-4, maximum=1.0,
                        default=0.1, scale="log", help="learning rate",
                    ),
                    Slider(
                        name="steps", label="steps", value=x["steps"], minimum=10, maximum=400,
                        default=120, scale="log", integer=True,
                    ),
                ],
            ),
        ],
        locked=[name for name in x.fields if x.locked(name)],
        max_height=height,
    )  # fmt: skip
    take_fit(answer.values, committed=answer.committed)


def fitting(fits: Mapping[str, Fit], height: int) -> None:
    """The density with both fits on the way, and the planes in which they travel."""
    humps = target()
    left, right = pictures.columns()
    middle = (left + right) / 2
    fine = np.linspace(*SPAN, 281)
    colors = {"forward": pictures.FORWARD, "reverse": pictures.REVERSE}
    ends = {d: gaussian_density(fine, f.path[-1:])[0] for d, f in fits.items()}
    boxes = [
        Boxes(
            x0=left[None], x1=right[None], y0=np.zeros((1, len(left))),
            y1=gaussian_density(middle, f.path), colors=colors[d], opacity=0.28,
        )
        for d, f in fits.items()
    ]  # fmt: skip
    titles = {
        "forward": "forward KL(p‖q): mean-seeking",
        "reverse": "reverse KL(q‖p): mode-seeking",
    }
    planes = [
        Panel(
            id=d,
            title=titles[d],
            figure=contours(d, humps),
            tracks=[
                Track(
                    x=f.path[:, 0], y=f.path[:, 1], color=colors[d], label=f"{d} KL",
                    marker="circle" if d == "forward" else "square",
                    dash="solid" if d == "forward" else "dash", stop=f.lost_at,
                )
            ],
            handles=[Handle(id="start", x=x["start"][0], y=x["start"][1], label="start")],
            alt=f"Contours of the {d} divergence over mean and deviation, with the fit's path.",
        )
        for d, f in fits.items()
    ]  # fmt: skip
    stage(
        "divergence.fit.stage",
        [
            Panel(
                id="density",
                kind="chart",
                title="density p, and the Gaussian q on its way",
                figure=pictures.density(
                    fine, target_density(fine, **humps), ends["forward"], ends["reverse"]
                ),
                boxes=boxes,
                alt="The two-humped density with both fitted Gaussians.",
            ),
            *planes,
        ],
        frames=x["steps"] + 1,
        columns=[1.25, 1, 1],
        height=height,
        autoplay=True,
        alt="One Gaussian fitted by forward and by reverse KL from the same start",
        on_event=on_plane,
    )


def fit_remark(fits: Mapping[str, Fit]) -> None:
    """Where each fit ended, and why."""
    lost = [d for d, f in fits.items() if f.lost_at is not None]
    if lost:
        step = fits[lost[0]].lost_at
        return prose.notice(
            f"The {lost[0]} fit left all bounds at step {step}: η = {x['lr']:g} is too large for "
            f"{OPTIMIZERS[x['opt']].name} here. Halve it."
        )
    best = moments(**target())
    forward, reverse = fits["forward"].end, fits["reverse"].end
    near = abs(forward.mean - best.mean) < 0.1 and abs(forward.deviation - best.deviation) < 0.1
    text = f"Forward KL ends at μ = {forward.mean:.2f}, σ = {forward.deviation:.2f}" + (
        ": the mean and spread of all of p, over the gap where p has next to nothing. "
        if near
        else " and is on its way to p's own mean and spread, "
        f"{best.mean:.2f} and {best.deviation:.2f}. "
    )
    where = abs(abs(reverse.mean) - x["separation"] / 2)
    if x["separation"] < 2 * x["spread"]:
        text += "The humps overlap so far that both directions agree."
    elif where < 0.35:
        text += (
            f"Reverse KL ends at μ = {reverse.mean:.2f}, inside one hump: it pays only where **q** "
            "is, so it ignores the other. Drag the start across the middle to get the other one."
        )
    else:
        text += (
            f"Reverse KL is at μ = {reverse.mean:.2f}, between the humps: a minimum too, not the "
            "best. Start nearer to one hump, or narrower, and it falls in."
        )
    return prose.notice(text)


def fit_a_gaussian(embedded: bool) -> None:
    """The second part."""
    picture, panel = (
        (st.container(), None) if x.hidden("controls") else st.columns([3.6, 1], gap="medium")
    )
    if panel is not None:
        with panel:
            fit_settings(height=440 if embedded else 600)
    humps = target()
    fits = {d: fitted(d, humps, x["start"], x["steps"], x["opt"], x["lr"]) for d in DIVERGENCES}
    with picture:
        fitting(fits, 330 if embedded else 390)
    fit_remark(fits)
    st.latex(
        r"\mathrm{KL}(p\,\|\,q) = \mathbb E_{x\sim p}\!\left[\log\tfrac{p(x)}{q(x)}\right] = "
        rf"{prose.number(float(fits['forward'].divergence[-1]))}"
    )
    st.latex(
        r"\mathrm{KL}(q\,\|\,p) = \mathbb E_{x\sim q}\!\left[\log\tfrac{q(x)}{p(x)}\right] = "
        rf"{prose.number(float(fits['reverse'].divergence[-1]))}\quad(\text{{nats}})"
    )


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
    (two_distributions if x["part"] == PARTS[0] else fit_a_gaussian)(embedded)
    x.publish()


body()
