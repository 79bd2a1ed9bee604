"""One Gaussian fitted to a density of two humps by descent, from either side of KL: forward, which
spreads over both, and reverse, which settles in one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import streamlit as st

from components.controls import Group
from components.stage import Boxes, Handle, Panel, Shown, Track, stage
from engine.emit.picture import Picture, in_latex, round_to, stack, words, written
from engine.runs.live import LiveDescent
from engine.studies.divergence import (
    DIVERGENCES,
    PARAMETERS,
    SPAN,
    Fit,
    LiveEnd,
    gaussian_density,
    live_end,
    live_fit,
    moments,
    normal_density,
    surface,
    target_density,
)
from figures import divergence as pictures
from pages import frame, own_rule
from pages.state import Experiment, shorten

LAW: Final = (
    r"\min_{\mu,\sigma}\,\mathrm{KL}(p\,\|\,q),\quad "
    r"\min_{\mu,\sigma}\,\mathrm{KL}(q\,\|\,p)"
)
FINE = np.linspace(*SPAN, 281)  # where densities are drawn
COLORS: Final = {"forward": pictures.FORWARD, "reverse": pictures.REVERSE}
TITLES: Final = {
    "forward": "forward KL(p‖q): mean-seeking",
    "reverse": "reverse KL(q‖p): mode-seeking",
}


def target(x: Experiment) -> dict[str, float]:
    """The parameters of the two humps."""
    return {p.name: x[p.name] for p in PARAMETERS}


def settings(x: Experiment, live: Picture, height: int) -> None:
    """The two humps and the optimizer."""
    x.controls(
        [
            Group(id="humps", title="Two humps", items=[x.slider(p.name) for p in PARAMETERS]),
            Group(
                id="run",
                title="Fitting",
                items=[x.chooser("opt"), x.slider("lr"), x.slider("steps")],
            ),
        ],
        live=live,
        height=height,
    )


def density_panel(
    runs: Mapping[str, LiveDescent], ends: Mapping[str, LiveEnd], start: Any
) -> Panel:
    """The density with both fits on the way to it, as columns that the clock moves."""
    humps = runs["forward"].parameters
    left, right = pictures.columns()
    boxes = [
        Boxes(
            x0=left[None], x1=right[None], y0=np.zeros((1, len(left))),
            y1=gaussian_density((left + right) / 2, run.x, run.y), colors=COLORS[d], opacity=0.28,
        )
        for d, run in runs.items()
    ]  # fmt: skip
    return Panel(
        id="density",
        kind="chart",
        title="p (thick), the start (thin), and q on its way",
        tab="densities",
        figure=pictures.density(
            FINE,
            target_density(FINE, **humps),
            normal_density(FINE, start[0], start[1]),
            normal_density(FINE, *ends["forward"].point),
            normal_density(FINE, *ends["reverse"].point),
        ),
        boxes=boxes,
        alt="The two-humped density with both fitted Gaussians.",
    )


def plane_panel(live: Picture, direction: str, run: LiveDescent) -> Panel:
    """The plane of means and spreads in which a fit travels, with its start to drag."""
    start, (hand_x, hand_y) = live["start"], live.hand
    forward, humps = direction == "forward", run.parameters
    sets = {"start": stack(round_to(hand_x, 3), round_to(hand_y, 3))}
    track = Track(
        x=run.x, y=run.y, color=COLORS[direction], label=f"{direction} KL",
        marker="circle" if forward else "square", dash="solid" if forward else "dash",
        stop=run.stopped,
    )  # fmt: skip
    handle = Handle(
        id="start", spoken="mean and spread at the start", x=start[0], y=start[1], label="start",
        sets=sets,
    )  # fmt: skip
    return Panel(
        id=direction,
        title=TITLES[direction],
        tab=f"{direction} KL",
        figure=pictures.plane(surface(direction, humps), moments(**humps) if forward else None),
        tracks=[track],
        handles=[handle],
        clicks=sets,
        alt=f"Contours of the {direction} divergence over mean and deviation, with the fit's path.",
    )


def fitting(
    x: Experiment, live: Picture, runs: Mapping[str, LiveDescent], *, small: bool, height: int
) -> Shown:
    """The density with both fits on the way, and the planes in which they travel."""
    ends = {d: live_end(run, live["steps"]) for d, run in runs.items()}
    planes = [plane_panel(live, d, run) for d, run in runs.items()]
    return stage(
        "divergence.fit",
        # Where there is room for one plane: the reverse has the more to say.
        [density_panel(runs, ends, live["start"]), *(planes[1:] if small else planes)],
        live=live,
        frames=live["steps"] + 1.0,
        columns=[1.25, 1] if small else [1.25, 1, 1],
        height=height,
        autoplay=True,
        restart=x.restart,
        alt="One Gaussian fitted by forward and by reverse KL from the same start",
        lines=[
            words(
                "forward: μ = {:.2f}, σ = {:.2f}, KL(p‖q) = {:.3f} nats; "
                "reverse: μ = {:.2f}, σ = {:.2f}, KL(q‖p) = {:.3f} nats",
                *(number for end in ends.values() for number in end.numbers),
            )
        ],
    )


def remark(x: Experiment, fits: Mapping[str, Fit]) -> str:
    """Where each fit ended, and why."""
    lost = [d for d, f in fits.items() if f.lost_at is not None]
    if lost:
        step = fits[lost[0]].lost_at
        return (
            f"The {lost[0]} fit left all bounds at step {step}: η = {written(x['lr'])} is too "
            f"large for {own_rule.called(x, 'opt')} here. Halve it."
        )
    best = moments(**target(x))
    forward, reverse = fits["forward"].end, fits["reverse"].end
    near = abs(forward.mean - best.mean) < 0.1 and abs(forward.deviation - best.deviation) < 0.1
    mean, mode = written(forward.mean, ".2f"), written(reverse.mean, ".2f")
    text = f"Forward KL ends at μ = {mean}, σ = {written(forward.deviation, '.2f')}" + (
        ": the mean and spread of all of p, over the gap where p has next to nothing. "
        if near
        else " and is on its way to p's own mean and spread, "
        f"{written(best.mean, '.2f')} and {written(best.deviation, '.2f')}. "
    )
    where = abs(abs(reverse.mean) - x["separation"] / 2)
    if x["separation"] < 2 * x["spread"]:
        return text + "The humps overlap so far that both directions agree."
    if where < 0.35:
        return text + (
            f"Reverse KL ends at μ = {mode}, inside one hump: it pays only where **q** "
            "is, so it ignores the other. Drag the start across the middle to get the other one."
        )
    return text + (
        f"Reverse KL is at μ = {mode}, between the humps: a minimum too, not the "
        "best. Start nearer to one hump, or narrower, and it falls in."
    )


def formula(fits: Mapping[str, Fit]) -> str:
    """Both divergences where the fits ended, in LaTeX."""
    forward, reverse = (
        in_latex(float(fits[d].divergence[-1]), ".3f") for d in ("forward", "reverse")
    )
    return (
        r"\begin{aligned} \mathrm{KL}(p\,\|\,q) &= \mathbb E_{x\sim p}\!\left[\ln\tfrac{p(x)}"
        rf"{{q(x)}}\right] = {forward}\ \text{{nats}} \\ \mathrm{{KL}}(q\,\|\,p) &= "
        r"\mathbb E_{x\sim q}\!\left[\ln\tfrac{q(x)}{p(x)}\right] = "
        rf"{reverse}\ \text{{nats}} \end{{aligned}}"
    )


def code(x: Experiment, fits: Mapping[str, Fit]) -> str:
    """Both divergences where the fits ended, as NumPy."""
    humps = target(x)
    ends = {
        d: f"{shorten(round(fit.end.mean, 6))}, {shorten(round(fit.end.deviation, 6))}"
        for d, fit in fits.items()
    }
    first, second = (float(fits[d].divergence[-1]) for d in ("forward", "reverse"))
    return (
        "import numpy as np\n\n"
        "x = np.linspace(-15, 15, 30001)\n"
        f"d, tau, w = {', '.join(shorten(v) for v in humps.values())}"
        "  # distance and spread of the humps, share of the left one\n\n\n"
        "def log_normal(mean, deviation):\n"
        "    z = (x - mean) / deviation\n"
        "    return -0.5 * z**2 - np.log(deviation * np.sqrt(2 * np.pi))\n\n\n"
        "def kl(log_p, log_q):\n"
        "    return (np.exp(log_p) * (log_p - log_q)).sum() * (x[1] - x[0])\n\n\n"
        "left, right = log_normal(-d / 2, tau), log_normal(d / 2, tau)\n"
        "log_p = np.logaddexp(np.log(w) + left, np.log(1 - w) + right)\n"
        f"print(kl(log_p, log_normal({ends['forward']})))  # forward: {first:.3f} nats\n"
        f"print(kl(log_normal({ends['reverse']}), log_p))  # reverse: {second:.3f} nats\n"
    )


def show(x: Experiment, view: frame.View) -> None:
    """Pictures, controls and words of the fits."""
    live = x.live()
    start, humps = live["start"], {p.name: live[p.name] for p in PARAMETERS}
    runs = {
        d: live_fit(
            landscape, (start[0], start[1]), live["steps"], own_rule.of(x, "opt"), live["lr"], humps
        )
        for d, landscape in DIVERGENCES.items()
    }
    fits = {d: Fit.of(run.result, DIVERGENCES[d](**target(x))) for d, run in runs.items()}
    with view.picture:
        shown = fitting(x, live, runs, small=view.embedded, height=view.height(390, 360))
        if shown.sensitive:
            st.html(frame.SENSITIVE)
        frame.notice(remark(x, fits))
    with view.panel:
        settings(x, live, view.height(460, 430))
        own_rule.type_it(x, "opt")
    if not view.embedded and not x.hidden("formula"):
        st.latex(formula(fits))
    if not view.embedded and not x.hidden("copies"):
        frame.copies(Python=code(x, fits), LaTeX=formula(fits))
