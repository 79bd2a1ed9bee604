"""The pictures of cross-entropy and KL: two distributions, the identity between the three, and a
Gaussian fitted in either direction. Numbers and arrays may be traced."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.emit.picture import largest, running_sum, smallest, words
from engine.studies.divergence import LOG_DEVIATIONS, MEANS, SPAN, Moments
from engine.tape import operations as ops
from figures import charts, style

Figure = dict[str, Any]
Array = npt.NDArray[np.float64]

FORWARD: Final = charts.color("purple")
REVERSE: Final = charts.color("brown")
LIFT: Final = 0.02  # under the logarithm of a divergence, which may be 0
OFFSET: Final = 0.2  # of a bar from the middle of its outcome
TOPS: Final = (
    0.5,
    1.0,
    1.5,
    2.0,
    3.0,
    4.0,
    6.0,
    8.0,
    16.0,
)  # bits at which the axis of the sums may end
PER_BIT: Final = {"bits": 1.0, "nats": math.log(2), "bans": math.log10(2)}


def colors(n: int) -> list[str]:
    """One colour an outcome."""
    return [charts.class_color(k) for k in range(n)]


def distributions(p: Any, q: Any, names: Sequence[str]) -> Figure:
    """p, solid, and q, hatched, side by side, with room for a handle on each bar."""
    n = len(names)
    layout = charts.axes((-0.6, n - 0.4), (0, 1.2), kind="bars", bottom=38, top=8)
    layout["yaxis"]["tickvals"] = [0, 0.25, 0.5, 0.75, 1]
    charts.name_bars(layout, names)
    at = np.arange(n)
    data = [
        charts.bars(
            values, colors(n), at=at + shift, width=0.36, name=name, pattern=pattern,
            opacity=0.85, labels=charts.handled(values, "{:.2f}") if n <= 5 else (),
        )
        for values, shift, name, pattern in ((p, -OFFSET, "p", ""), (q, OFFSET, "q", "/"))
    ]  # fmt: skip
    return {"data": data, "layout": layout}


@dataclass(frozen=True, slots=True)
class Sum:
    """One cross-entropy H(p, q): its terms and those of H(p), (n,) each, and the three numbers.

    first and second are how the two distributions are called.
    """

    first: str
    second: str
    terms: Any
    own: Any
    cross: Any
    entropy: Any
    divergence: Any


def identity(sums: Sequence[Sum], js: Any, names: Sequence[str], unit: str) -> Figure:
    """Each cross-entropy as a bar with a slice an outcome, and as long as it a bar of entropy with
    the divergence at its end; Jensen–Shannon below them, unless None.

    What is infinite runs out of the picture.
    """
    n = len(names)
    rows = 2 * len(sums) + (js is not None)
    top: Any = TOPS[-1] * PER_BIT[unit]
    highest = 1.08 * largest(*(s.cross for s in sums), *(s.entropy for s in sums))
    for step in reversed(TOPS[:-1]):
        top = ops.where(highest < step * PER_BIT[unit], step * PER_BIT[unit], top)
    layout = charts.axes(
        (0, top), (rows - 0.55, -0.85), kind="bars", x_title=unit, left=10, bottom=38, top=8
    )
    layout["yaxis"] |= {"visible": False}
    layout["xaxis"]["showgrid"] = True
    data = []

    def slices(parts: Any, row: float) -> None:
        parts = ops.minimum(parts, 2.0 * top)
        bar = charts.rows(
            parts, colors(n), at=np.full(n, row), base=running_sum(parts) - parts, width=0.46,
            labels=list(names), inside=True, opacity=0.9,
        )  # fmt: skip
        bar["marker"]["line"] = {"width": 1, "color": style.BACKGROUND}
        data.append(bar)

    def piece(begin: Any, length: Any, row: float, hue: str) -> None:
        data.append(
            charts.rows(
                ops.minimum(length, 2.0 * top) + np.zeros(1), hue, at=np.full(1, row),
                base=begin + np.zeros(1), width=0.46, pattern="/",
            )
        )  # fmt: skip

    def say(text: Any, row: float) -> None:
        layout["annotations"].append(
            {
                "xref": "paper", "x": 0, "xanchor": "left", "y": row - 0.27, "yanchor": "bottom",
                "text": text, "showarrow": False, "font": {"size": 12.5, "color": style.INK},
            }
        )  # fmt: skip

    for i, one in enumerate(sums):
        a, b = one.first, one.second
        slices(one.terms, 2.0 * i)
        say(words(f"H({a}, {b}) = {{:8}}", one.cross), 2.0 * i)
        slices(one.own, 2.0 * i + 1)
        piece(one.entropy, one.divergence, 2.0 * i + 1, style.INK)
        say(
            words(f"H({a}) = {{:8}}, hatched KL({a}‖{b}) = {{:8}}", one.entropy, one.divergence),
            2.0 * i + 1,
        )
    if js is not None:
        piece(0.0, js, rows - 1.0, style.INK)
        say(words("Jensen–Shannon, in the middle: {:.4f}", js), rows - 1.0)
    return {"data": data, "layout": layout}


# The Gaussian that is fitted ----------------------------------------------------------------------

COLUMNS = 72  # moving bars that draw a density


def density(x: Array, p: Any, start: Any, forward: Array, reverse: Array) -> Figure:
    """The two-humped density, the Gaussian that both fits start from, and where they end."""
    top = 1.15 * largest(p, forward, ops.minimum(reverse, 1.2), ops.minimum(start, 1.2))
    layout = charts.axes(SPAN, (0, top), x_title="x")
    return {
        "data": [
            charts.line(x, p, style.INK, name="p", width=2.6),
            charts.line(x, start, style.MUTED, name="start", width=1.4, dash="dashdot"),
            charts.line(x, forward, FORWARD, name="forward", dash="dash"),
            charts.line(x, reverse, REVERSE, name="reverse", dash="dot"),
        ],
        "layout": layout,
    }


def columns() -> tuple[Array, Array]:
    """Edges of the moving bars, left and right, each (COLUMNS,)."""
    edges = np.linspace(*SPAN, COLUMNS + 1)
    return edges[:-1], edges[1:]


def plane(values: Any, best: Moments | None) -> Figure:
    """A divergence over (μ, σ): contours of its logarithm; the matched moments as a cross."""
    m, s = MEANS, LOG_DEVIATIONS
    z = ops.log(values + LIFT) / math.log(10)
    layout = charts.axes((m[0], m[-1]), (s[0], s[-1]), x_title="mean μ", kind="plane", left=44)
    ticks = (0.25, 0.5, 1.0, 2.0, 4.0)
    layout["yaxis"] |= {
        "title": {"text": "σ"}, "tickvals": np.log(ticks).tolist(),
        "ticktext": [words("{}", t) for t in ticks],
    }  # fmt: skip
    low, high = smallest(z), largest(z)
    contours: Figure = {
        "type": "contour", "x": m, "y": s, "z": z, "zmin": low, "zmax": high,
        "colorscale": style.colorscale(style.CONTOUR), "showscale": False,
        "hovertemplate": "divergence %{z:.4g}<br>at μ %{x:.3g}<extra></extra>",
        "meta": {"above": -LIFT},
        "contours": {
            "coloring": "fill", "showlines": True, "start": low, "end": high,
            "size": (high - low) / 18.0,
        },
        "line": {"width": 0.7, "color": style.CONTOUR_LINE},
    }  # fmt: skip
    data = [contours]
    if best is not None:
        cross = charts.marks(
            [best.mean], [ops.log(best.deviation)], style.TARGET, symbol="cross-thin", size=11
        )
        cross["marker"]["line"] = {"width": 2, "color": style.TARGET}
        data.append(cross)
    return {"data": data, "layout": layout}
