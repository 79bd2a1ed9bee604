"""The pictures of why the rules differ: directions, step lengths, distances, layers, curvature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from engine.emit.picture import floor, largest, words
from engine.studies.reasons import DIRECTIONS, HILL, LOGITS, STEPS, Ascent, Curvatures, direction
from engine.tape import operations as ops
from figures import charts, race, style

Figure = dict[str, Any]

_AT: Final = np.arange(1, STEPS + 1)
_FORMS: Final[Mapping[str, tuple[str, style.Dash, str]]] = {
    "velocity": ("blue", "solid", "v ← βv + g, step ηv"),
    "averaged": ("green", "dot", "v ← βv + (1−β)g, step ηv/(1−β)"),
    "lr_inside": ("red", "dash", "v ← βv + ηg, step v"),
}


REACH: Final = 2.6  # of the picture of directions
RADIUS: Final = 0.9  # of its circle


def directions(x: Any, y: Any) -> Figure:
    """The hill from above on square axes, with the circle of unit directions around a point."""
    figure = race.plane(HILL, log=False)
    figure["layout"]["xaxis"]["range"] = [-REACH, REACH]
    figure["layout"]["yaxis"] |= {
        "range": [-REACH, REACH], "scaleanchor": "x", "scaleratio": 1,
    }  # fmt: skip
    u, v = direction(DIRECTIONS)
    circle = charts.line(x + RADIUS * u, y + RADIUS * v, style.MUTED, width=1.2, dash="dot")
    figure["data"].append(circle | {"hoverinfo": "skip"})
    return figure


def slopes(found: Ascent) -> Figure:
    """The slope in every direction, a cosine as high as the gradient is long."""
    top = 1.15 * found.length + 1e-3
    layout = charts.axes((0.0, 360.0), (ops.negative(top), top), x_title="direction, degrees")
    layout["xaxis"] |= {"tickvals": [0, 90, 180, 270, 360]}
    charts.level(layout, found.length, "‖∇f‖", side="left")
    charts.level(layout, ops.negative(found.length))
    charts.level(layout, 0.0)
    charts.upright(layout, found.steepest, "along ∇f", color=style.CORRECTION)
    opposite = found.steepest + ops.where(found.steepest < 180.0, 180.0, -180.0)
    charts.upright(layout, opposite, "along −∇f", color=style.SUM)
    curve = charts.line(DIRECTIONS, found.around, style.INK, name="∇f · u")
    return {"data": [curve], "layout": layout}


def weight_axes(target: float) -> Figure:
    """Room for the rare word's weight against the step, with its best value."""
    layout = charts.axes((0.0, float(STEPS)), (0.0, 1.18 * target), x_title="step")
    charts.level(layout, target, "its best value", side="left")
    return {"data": [], "layout": layout}


SHADES: Final = 24  # of a gradient's entries, from a millionth up to one
_DECADES: Final = 6.0
_GAP: Final = 1.5  # cells between two layers


def places(shapes: Sequence[tuple[int, int]]) -> list[tuple[float, float, float, float]]:
    """Where each layer's matrix is drawn, (x0, x1, y0, y1) in cells, all on one middle line."""
    found, left = [], 0.0
    for rows, columns in shapes:
        found.append((left, left + columns, -rows / 2, rows / 2))
        left += columns + _GAP
    return found


def shades(gradient: Any) -> Any:
    """Entries as indices into `palette`, by the decade of their size."""
    size = ops.log(ops.maximum(ops.absolute(gradient), 1e-300)) / np.log(10.0)
    part = ops.clip((size + _DECADES) / _DECADES, 0.0, 1.0)
    return floor(part * (SHADES - 1) + 0.5)


def palette() -> tuple[str, ...]:
    """From nearly nothing to the red of a gradient, in either theme."""
    themes = [
        style.ramp((style.BACKGROUND.split("|")[k], style.HUES["red"][k]), SHADES + 1)[1:]
        for k in range(2)
    ]
    return tuple(f"{light}|{dark}" for light, dark in zip(*themes, strict=True))


def layer_names(count: int) -> list[str]:
    """W₁, W₂, …"""
    return [f"W{'₀₁₂₃₄₅₆₇₈₉'[i]}" for i in range(1, count + 1)]


def matrices(shapes: Sequence[tuple[int, int]]) -> Figure:
    """Room for the layers' gradients, each named by its shape; cells are square."""
    spots = places(shapes)
    right, tall = spots[-1][1], max(rows for rows, _ in shapes) / 2
    layout = charts.axes((-0.5, right + 0.5), (-tall - 1.6, tall + 1.6), kind="plane", left=6)
    for axis in ("xaxis", "yaxis"):
        layout[axis] |= {"showticklabels": False, "ticks": "", "showline": False}
    layout["yaxis"] |= {"scaleanchor": "x", "scaleratio": 1}
    names = layer_names(len(shapes))
    for name, (x0, x1, _, y1), (rows, columns) in zip(names, spots, shapes, strict=True):
        charts.note(layout, (x0 + x1) / 2, y1 + 0.8, name)
        charts.note(layout, (x0 + x1) / 2, -y1 - 0.8, f"{rows}×{columns}")
    return {"data": [], "layout": layout}


def layer_sizes(found: Any, count: int) -> Figure:
    """The size of each layer's gradient on decades."""
    layout = charts.axes(
        (-0.6, count - 0.4), (1e-8, 10.0), kind="bars", left=48, log_y=True
    )  # fmt: skip
    layout["yaxis"] |= {"dtick": 2}
    charts.name_bars(layout, layer_names(count))
    labels = [words("{:2}", found[i]) for i in range(count)]
    return {"data": [charts.bars(found, charts.color("red"), labels=labels)], "layout": layout}


def after_training(
    rates: Sequence[float], losses: Mapping[str, tuple[str, Any]], nothing: float
) -> Figure:
    """The loss after training against the rate, a line a rule (name -> slug, losses)."""
    layout = charts.axes(
        (rates[0] / 1.3, rates[-1] * 1.3), (0.0, 1.25), x_title="learning rate η", log_x=True
    )
    charts.level(layout, nothing, "nothing learned: ln 2", side="left")
    data = []
    for name, (slug, ends) in losses.items():
        look = style.look(slug)
        curve = charts.line(rates, np.minimum(ends, 1.25), look.color, dash=look.dash, name=name)
        marker = {"symbol": look.symbol, "size": 7, "color": look.color}
        data.append(curve | {"mode": "lines+markers", "marker": marker})
        best = int(np.argmin(ends))
        charts.note(layout, rates[best], float(ends[best]) - 0.07, name, color=look.color)
    return {"data": data, "layout": layout}


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


# Each way to the curvature: its colour, dash and name.
_FORMS_OF_CURVATURE: Final[Mapping[str, tuple[str, style.Dash, str]]] = {
    "exact": ("ink", "solid", "exact"),
    "hutchinson": ("blue", "dashdot", "Hutchinson"),
    "bartlett": ("purple", "dot", "Gauss–Newton–Bartlett"),
    "squares": ("red", "dash", "g² of the data"),
}
_LOWEST: Final = 1e-8


def classifier(gaps: Mapping[str, Any]) -> Figure:
    """The loss above the lowest against the step, a line a way to the curvature."""
    last = float(len(next(iter(gaps.values()))) - 1)
    layout = charts.axes((0.0, last), (_LOWEST, 1.0), x_title="step", log_y=True, left=48)
    layout["yaxis"] |= {"dtick": 2}
    data = []
    for form, gap in gaps.items():
        hue, dash, name = _FORMS_OF_CURVATURE[form]
        curve = charts.line(
            np.arange(len(gap)), np.maximum(gap, _LOWEST), charts.color(hue), dash=dash, name=name
        )
        data.append(curve)
    hue, _, name = _FORMS_OF_CURVATURE["hutchinson"]  # the others are named beside it
    charts.note(layout, 0.99 * last, 0.25, name, color=charts.color(hue), anchor="right")
    return {"data": data, "layout": layout}


def of_weights(found: Mapping[str, Any], names: Sequence[str]) -> Figure:
    """The curvature of every weight, and what stands in for it, as groups of bars."""
    top = 1.35 * max(float(np.max(values)) for values in found.values())
    layout = charts.axes((-0.6, len(names) - 0.4), (0.0, top), kind="bars")
    charts.name_bars(layout, names)
    at, data = np.arange(len(names), dtype=float), []
    for i, (form, values) in enumerate(found.items()):
        hue, _, name = _FORMS_OF_CURVATURE[form]
        color = charts.color(hue)
        data.append(charts.bars(values, color, at=at + 0.27 * (i - 1), width=0.25, name=name))
        charts.note(layout, -0.5, top * (0.94 - 0.085 * i), name, color=color, anchor="left")
    return {"data": data, "layout": layout}


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
