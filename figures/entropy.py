"""The pictures of entropy: its curve, expected surprise as an area, an optimal code's tree, and a
density cut into cells.

Numbers and arrays may be traced throughout: the pictures then follow the reader's hand.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from engine.emit.picture import join, largest, round_to, running_sum, summing_up, words
from engine.losses.huffman import Tree
from engine.tape import operations as ops
from figures import charts, style

Figure = dict[str, Any]

TOPS: Final = (
    2.0,
    4.0,
    8.0,
)  # bits at which the surprise axis may end; 8 is an outcome of 1 in 256


ROOMY: Final = 4  # outcomes whose areas have room for their numbers


def colors(n: int) -> list[str]:
    """One colour an outcome."""
    return [charts.class_color(k) for k in range(n)]


def curve(t: Any, h: Any, most: float, top: str, name: str, unit: str) -> Figure:
    """Entropy as one outcome's probability goes from 0 to 1; `top` is what its most is called."""
    layout = charts.axes((0, 1), (0, 1.15 * most), x_title=f"p({name})")
    side = "left" if top.endswith(" 2") else "right"  # away from the peak, at 1/n
    charts.level(layout, most, words(f"{top} = {{:4}}", most), side=side)
    hover = f"p = %{{x:.3f}}: %{{y:.4f}} {unit}"
    return {"data": [charts.line(t, h, style.INK, hover=hover)], "layout": layout}


def distribution(p: Any, names: Sequence[str]) -> Figure:
    """The probabilities as bars, with room for a handle at each end."""
    n = len(names)
    layout = charts.axes((-0.6, n - 0.4), (0, 1.18), kind="bars", x_title="outcome")
    layout["yaxis"]["tickvals"] = [0, 0.25, 0.5, 0.75, 1]
    charts.name_bars(layout, names)
    labels = charts.handled(p, "{:3}" if n <= 4 else "{:.2f}")
    return {
        "data": [charts.bars(p, colors(n), labels=labels, opacity=0.85)],
        "layout": layout,
    }


def surprise_areas(p: Any, surprise: Any, h: Any, names: Sequence[str], unit: str) -> Figure:
    """A rectangle an outcome: as wide as its probability, as high as its surprise.

    The areas add up to the entropy, which is the mean height.
    """
    per_bit = {"bits": 1.0, "nats": math.log(2), "bans": math.log10(2)}[unit]
    tallest = 1.15 * largest(surprise)
    top: Any = TOPS[-1] * per_bit
    for step in reversed(TOPS[:-1]):
        top = ops.where(tallest < step * per_bit, step * per_bit, top)
    layout = charts.axes((0, 1), (0, top), x_title="probability")
    area = p * ops.where(p > 0, surprise, 0.0)
    parts = summing_up(area)
    labels = [
        words(f"{name}<br>{{:8}}", part) if len(names) <= ROOMY else name
        for name, part in zip(names, charts.each(parts), strict=True)
    ]
    trace = charts.bars(
        ops.where(p > 0, ops.minimum(surprise, top), 0.0), colors(len(names)),
        at=running_sum(p) - 0.5 * p, width=p, labels=labels, opacity=0.85,
    )  # fmt: skip
    trace |= {
        "textposition": "inside",
        "textfont": {"color": style.BACKGROUND, "size": 12},
        "customdata": area,
        "hovertemplate": f"surprise %{{y:.3f}}, area %{{customdata:.3f}} {unit}<extra></extra>",
    }
    trace["marker"]["line"] = {"width": 1, "color": style.BACKGROUND}
    charts.level(layout, h, color=style.TARGET)
    mean = words("mean height H = {:8}", round_to(h, 4))
    charts.note(layout, 0.5, 0.94 * top, mean, color=style.TARGET)
    return {"data": [trace], "layout": layout}


def tree(code: Tree, names: Sequence[str]) -> Figure:
    """The code's tree: 0 to the left, 1 to the right, outcomes at the leaves."""
    n = len(names)
    deepest = largest(code.depth)
    layout = charts.axes((-0.6, n - 0.4), (-deepest - 0.6, 0.45), kind="bars", left=10, bottom=8)
    for axis in ("xaxis", "yaxis"):
        layout[axis] |= {"visible": False}
    x, y = code.x, -code.depth
    above_x, above_y = code.above(x), code.above(y)
    nothing = np.full(2 * n - 1, math.nan)

    def legs(from_: Any, to: Any) -> Any:
        pieces = ops.reshape(join(from_, to, nothing), shape=(3, 2 * n - 1))
        return ops.reshape(ops.transpose(pieces, axes=(1, 0)), shape=(3 * (2 * n - 1),))

    edges: Figure = {
        "type": "scatter", "mode": "lines", "x": legs(above_x, x), "y": legs(above_y, y),
        "hoverinfo": "skip", "line": {"color": style.MUTED, "width": 1.4},
    }  # fmt: skip
    bits = charts.marks(
        0.5 * (above_x + x), 0.5 * (above_y + y), style.INK, size=0, position="top center",
        labels=[words("{:.0f}", side) for side in charts.each(code.side)],
    )  # fmt: skip
    bits |= {"mode": "text", "hoverinfo": "skip"}
    joints = charts.marks(x[n:], y[n:], style.MUTED, size=6)
    ends = charts.marks(
        x[:n], y[:n], style.INK, size=15, labels=list(names), position="bottom center"
    )
    ends["marker"]["color"] = colors(n)
    for trace, probability in ((joints, code.probability[n:]), (ends, code.probability[:n])):
        trace["customdata"] = probability
        trace["hovertemplate"] = "p = %{customdata:.4f}<extra></extra>"
    return {"data": [edges, joints, ends, bits], "layout": layout}


def lengths(code: Tree, surprise: Any, names: Sequence[str]) -> Figure:
    """Length of each code word beside the surprise that it would ideally have, in bits."""
    n = len(names)
    ours = code.depth[:n]
    ideal = ops.where(surprise < math.inf, surprise, math.nan)
    top = 1.15 * largest(ours, ideal, 1.0)
    layout = charts.axes((-0.6, n - 0.4), (0, top), kind="bars", x_title="outcome")
    charts.name_bars(layout, names)
    at = np.arange(n)
    word = charts.bars(
        ours, colors(n), at=at - 0.17, width=0.32, name="length",
        labels=[words("{:.0f}", v) for v in charts.each(ours)],
    )  # fmt: skip
    word |= {"textposition": "inside", "textfont": {"color": style.BACKGROUND, "size": 12}}
    wish = charts.bars(
        ideal, style.MUTED, at=at + 0.17, width=0.32, name="−log₂ p", opacity=0.7,
        labels=[words("{:.2f}" if n <= 5 else "{:.1f}", v) for v in charts.each(ideal)],
    )  # fmt: skip
    return {"data": [word, wish], "layout": layout}


# A density ----------------------------------------------------------------------------------------

WINDOW: Final = 4.0  # of x, either way
IN_SIGHT: Final = 80  # cells either way that the narrowest ones need to fill it
WIDTHS: Final = (0.05, 4.0)
_BITS: Final = (-3.0, 8.0)  # the axis of entropies


def cut(x: Any, value: Any, middles: Any, heights: Any, width: Any) -> Figure:
    """A density over x, and its cells as bars as high as it is on average there."""
    layout = charts.axes((-WINDOW, WINDOW), (0, 1.2 * largest(value)), x_title="x")
    bars = charts.bars(
        heights, charts.class_color(0), at=middles, width=width + np.zeros(len(heights.data)),
        opacity=0.45,
    )  # fmt: skip
    bars["marker"]["line"] = {"width": 1, "color": style.BACKGROUND}
    bars["hovertemplate"] = "density %{y:.4g} on average<extra></extra>"
    return {"data": [bars, charts.line(x, value, style.INK, name="p")], "layout": layout}


def against_width(widths: Any, of_cells: Any, of_density: Any, unit: str) -> Figure:
    """H(Δ) against the width of the cells on a log axis, and h − log Δ, which it comes to."""
    per_bit = {"bits": 1.0, "nats": math.log(2), "bans": math.log10(2)}[unit]
    low, high = (bits * per_bit for bits in _BITS)
    layout = charts.axes(WIDTHS, (low, high), x_title="width of a cell, Δ", log_x=True)
    layout["xaxis"] |= {"tickvals": [0.05, 0.1, 0.2, 0.5, 1, 2, 4]}
    charts.level(layout, 0.0)
    charts.level(layout, of_density, words(f"h = {{:.4f}} {unit}", of_density), side="right")
    limit = of_density - ops.log(widths) * (per_bit / math.log(2))
    data = [
        charts.line(widths, limit, style.LIMIT, dash="dash", name="h − log Δ"),
        charts.line(widths, of_cells, style.INK, name="H(Δ)"),
    ]
    at = np.array([1.9, 0.056])  # where there is room below the one and above the other
    named = charts.marks(
        at, of_density - np.log(at) * (per_bit / math.log(2)), style.INK, size=0,
        labels=["h − log Δ", "H(Δ)"],
    )  # fmt: skip
    named |= {"mode": "text", "hoverinfo": "skip", "textposition": ["bottom left", "top right"]}
    named["textfont"]["color"] = [style.LIMIT, style.INK]
    data.append(named)
    return {"data": data, "layout": layout}
