"""The pictures of why the rules differ: step lengths, distances, and curvature from squares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from engine.emit.picture import largest, words
from engine.studies.reasons import LOGITS, STEPS, Curvatures
from figures import charts, style

Figure = dict[str, Any]

_AT: Final = np.arange(1, STEPS + 1)
_FORMS: Final[Mapping[str, tuple[str, style.Dash, str]]] = {
    "velocity": ("blue", "solid", "v ← βv + g, step ηv"),
    "averaged": ("green", "dot", "v ← βv + (1−β)g, step ηv/(1−β)"),
    "lr_inside": ("red", "dash", "v ← βv + ηg, step v"),
}


def steady(steps: Mapping[str, Any], limit: Any) -> Figure:
    """Step lengths under a steady gradient, with what momentum's grow to."""
    layout = charts.axes((0, STEPS), (0, 1.2 * limit), x_title="step")
    charts.level(layout, limit, words("1/(1 − β) = {:3}", limit))
    data = []
    for slug, lengths in steps.items():
        look = style.look(slug)
        data.append(charts.line(_AT, lengths, look.color, dash=look.dash, name=slug))
    charts.note(layout, 0.5 * STEPS, 0.06 * limit + 1.0, "SGD: 1")
    return {"data": data, "layout": layout}


def falling(steps: Mapping[str, Any], drop: Any, limit: Any) -> Figure:
    """Step lengths of the three forms around the fall of the rate."""
    layout = charts.axes((0, STEPS), (0, 1.35 * limit), x_title="step")
    charts.upright(layout, drop, "the rate falls to a tenth")
    data = []
    for i, (form, lengths) in enumerate(steps.items()):
        hue, dash, text = _FORMS[form]
        color = charts.color(hue)
        data.append(charts.line(_AT, lengths, color, dash=dash, name=form))
        charts.note(layout, 0.02 * STEPS, (1.28 - 0.09 * i) * limit, text, color=color,
                    anchor="left")  # fmt: skip
    return {"data": data, "layout": layout}


def distances(found: tuple[Any, Any], slug: str) -> Figure:
    """How far a common and a rare feature have come by one rule."""
    look = style.look(slug)
    often, seldom = found
    top = 1.1 * largest(often, seldom)
    layout = charts.axes((0, STEPS), (0, top), x_title="step")
    charts.note(layout, 0.55 * STEPS, 0.92 * top, "met at every step", anchor="right")
    charts.note(layout, 0.98 * STEPS, seldom[-1] + 0.06 * top, "rare", anchor="right")
    return {
        "data": [
            charts.line(_AT, often, look.color, name="common"),
            charts.line(_AT, seldom, look.color, dash="dash", name="rare"),
        ],
        "layout": layout,
    }


def curvature(found: Curvatures, at: Any) -> Figure:
    """Curvature and its stand-ins over the logit."""
    layout = charts.axes((LOGITS[0], LOGITS[-1]), (0, 0.42), x_title="logit z")
    charts.upright(layout, at, color=style.TARGET)
    lines = (
        (found.exact, "ink", "solid", "curvature p(1 − p) = mean of g² over the model's labels"),
        (found.sampled, "purple", "dot", "g² over 16 sampled labels (Gauss–Newton–Bartlett)"),
        (found.observed, "red", "dash", "g² of the one given label"),
    )
    data = []
    for i, (heights, hue, dash, text) in enumerate(lines):
        color = charts.color(hue)
        data.append(charts.line(LOGITS, heights, color, dash=dash, name=text))  # type: ignore[arg-type]
        charts.note(layout, -5.8, 0.4 - 0.03 * i, text, color=color, anchor="left")
    return {"data": data, "layout": layout}
