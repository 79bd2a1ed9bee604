"""The pictures of softmax: a score a row, its power of e beside it, its share at the end of a band;
the gradient on the same rows; and what temperature does. Numbers may be traced throughout."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from engine.emit.picture import join, running_sum, words
from engine.losses.temperature import Cooling, Steps
from engine.tape import operations as ops
from figures import charts, style

Figure = dict[str, Any]

THICK: Final = 0.62  # of a row, its bar
WEIGHTS: Final = 0.4  # of the picture's width, the longest power of e
COLUMN: Final = (0.72, 0.86)  # where the shares stand, piled up
_BEND: Final = 0.5 - 0.5 * np.cos(np.linspace(0, math.pi, 17))  # a band's way, flat at its ends
_LADDER: Final = (*(m * 10.0**k for k in (0, 1, 2) for m in (1.0, 2.0, 3.0, 5.0)), 1300.0)


def colors(n: int) -> list[str]:
    """One colour a class."""
    return [charts.class_color(k) for k in range(n)]


def span(values: Sequence[float]) -> tuple[float, float]:
    """An axis that fits these scores and 0, with room to drag them farther."""

    def reach(most: float) -> float:
        return next((step for step in _LADDER if step >= 1.25 * most), _LADDER[-1])

    low, high = min(0.0, *values), max(0.0, *values)
    least = 0.3 * max(reach(-low) if low else 0.0, reach(high) if high else 0.0, 3.0)
    return -max(reach(-low) if low else 0.0, least), max(reach(high) if high else 0.0, least)


def _row_axes(
    names: Sequence[str], x: tuple[float, float], *, named: bool, title: str = ""
) -> Figure:
    layout = charts.axes(
        x, (len(names) - 0.45, -0.55), kind="bars", left=10, bottom=34, top=4, x_title=title
    )
    layout["xaxis"]["showgrid"] = True
    layout["xaxis"] |= {"zeroline": True, "zerolinecolor": style.MUTED}
    layout["yaxis"] |= {"showgrid": False, "showline": False, "zeroline": False}
    charts.name_rows(layout, names if named else [""] * len(names))
    return layout


def scores(values: Any, names: Sequence[str], bounds: tuple[float, float], title: str) -> Figure:
    """Scores (or energies) as bars about 0, with room for a handle at each end."""
    layout = _row_axes(names, bounds, named=True, title=title)
    n, high = len(names), bounds[1]
    bars = charts.rows(values, colors(n), width=THICK, opacity=0.85)
    data = [bars]
    # Where there is room: beyond the end of a short bar, in a long one, across 0 from a negative.
    long = values > 0.5 * high
    short = ops.both(values >= 0, values <= 0.5 * high)
    for at, ink, gap, position in (
        (ops.where(short, values, math.nan), style.INK, 5, "middle right"),
        (ops.where(values < 0, 0.0, math.nan), style.INK, 1, "middle right"),
        (ops.where(long, 0.5 * values, math.nan), style.BACKGROUND, 0, "middle center"),
    ):
        said = charts.marks(
            at, np.arange(float(n)), ink, size=0, position=position,
            labels=[words("\u00a0" * gap + "{:4}", value) for value in charts.each(values)],
        )  # fmt: skip
        said |= {"mode": "text", "hoverinfo": "skip"}
        said["textfont"]["color"] = ink
        data.append(said)
    return {"data": data, "layout": layout}


def flow(steps: Steps, names: Sequence[str], *, powers: bool) -> Figure:
    """Each power of e as a bar, and a band from its end to its share of the whole.

    powers says whether the bars are named by e^(z/T) itself, which has to fit a float.
    """
    n = len(names)
    hues = colors(n)
    layout = _row_axes(names, (0.0, 1.08), named=False)
    layout["xaxis"] |= {"visible": False, "showgrid": False}
    lengths = WEIGHTS * steps.weights
    ends = running_sum(steps.shares) * n - 0.5
    begins = ends - steps.shares * n
    labels = [words("{:3}", value) for value in charts.each(steps.powers)] if powers else ()
    data = [
        _band(lengths[k], COLUMN[0], (k - THICK / 2, k + THICK / 2), (begins[k], ends[k]), hue)
        for k, hue in enumerate(hues)
    ]
    data.append(
        charts.rows(
            lengths, hues, labels=labels, width=THICK, opacity=0.85, hover="%{customdata:.4g}"
        )
        | {"customdata": steps.powers}
    )
    middle = (begins + ends) / 2
    data.append(
        charts.rows(
            np.full(n, COLUMN[1] - COLUMN[0]), hues, at=middle, base=np.full(n, COLUMN[0]),
            width=steps.shares * n, hover="%{customdata:.4f}",
        )
        | {"customdata": steps.shares}
    )  # fmt: skip
    data[-1]["marker"]["line"] = {"width": 1, "color": style.BACKGROUND}
    named = charts.marks(
        np.full(n, COLUMN[1] + 0.02), middle, style.INK, size=0, position="middle right",
        labels=[words(f"{name} {{:.3f}}", p)
                for name, p in zip(names, charts.each(steps.shares), strict=True)],
    )  # fmt: skip
    named |= {"mode": "text", "hoverinfo": "skip"}
    named["textfont"]["color"] = [style.word(hue) for hue in hues]
    data.append(named)
    return {"data": data, "layout": layout}


def _band(x0: Any, x1: float, left: tuple[Any, Any], right: tuple[Any, Any], hue: str) -> Figure:
    """A faint band from one upright edge to another."""
    x = x0 + (x1 - x0) * np.linspace(0, 1, len(_BEND))
    upper = left[0] + (right[0] - left[0]) * _BEND
    lower = left[1] + (right[1] - left[1]) * _BEND
    return {
        "type": "scatter", "mode": "lines", "fill": "toself", "opacity": 0.22, "fillcolor": hue,
        "x": join(x, x[::-1]), "y": join(upper, lower[::-1]), "line": {"width": 0, "color": hue},
        "hoverinfo": "skip",
    }  # fmt: skip


def gradient(error: Any, names: Sequence[str]) -> Figure:
    """ŷ − y as bars about 0, on the same rows: what is left of 0 is pushed up."""
    layout = _row_axes(names, (-1.42, 1.42), named=False, title="ŷ − y")
    layout["xaxis"]["tickvals"] = [-1, 0, 1]
    labels = [charts.signed(value) for value in charts.each(error)]
    bars = charts.rows(error, colors(len(names)), labels=labels, width=THICK, opacity=0.85)
    return {"data": [bars], "layout": layout}


def against_temperature(study: Cooling, now: Any, names: Sequence[str], temperature: Any) -> Figure:
    """Every class's probability against T (log axis), named where it stands now, (C,)."""
    t = study.temperatures
    n = len(names)
    layout = charts.axes((t[0], t[-1]), (0, 1.08), x_title="temperature T", log_x=True)
    charts.level(layout, 1 / n, f"T → ∞: 1/{n}", side="left")
    charts.upright(layout, temperature, color=style.TARGET)
    data = [
        charts.line(
            t,
            study.probabilities[:, k],
            charts.class_color(k),
            dash=style.DASHES[k // len(charts.CLASS_COLORS)],
            name=names[k],
            hover="T = %{x:.3g}: %{y:.3f}",
        )
        for k in range(n)
    ]
    here = charts.marks(
        temperature + np.zeros(n), now, style.INK, labels=list(names), position="top right"
    )
    here["marker"]["color"] = colors(n)
    here["textfont"]["color"] = [style.word(color) for color in colors(n)]
    return {"data": [*data, here], "layout": layout}


def entropy(study: Cooling, now: Any, temperature: Any, most: float, unit: str) -> Figure:
    """Entropy against T, from 0 (hard maximum) to log C (uniform)."""
    t = study.temperatures
    layout = charts.axes((t[0], t[-1]), (0, 1.16 * most), x_title="temperature T", log_x=True)
    charts.level(layout, most, words(f"log C = {{:4}} {unit}", most), side="left")
    charts.upright(layout, temperature, color=style.TARGET)
    hover = f"T = %{{x:.3g}}: %{{y:.3f}} {unit}"
    point = charts.marks(
        temperature + np.zeros(1), now + np.zeros(1), style.INK,
        labels=[words("{:.3f}", now)], position="top left",
    )  # fmt: skip
    return {
        "data": [charts.line(t, study.entropy, style.INK, hover=hover), point],
        "layout": layout,
    }
