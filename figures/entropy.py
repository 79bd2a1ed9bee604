"""The pictures of entropy: its curve, expected surprise as an area, and an optimal code's tree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.losses.huffman import Code
from figures import charts, style

Figure = dict[str, Any]
Array = npt.NDArray[np.float64]

TOPS = (2.0, 4.0, 8.0)  # bits at which the surprise axis may end; 8 is an outcome of 1 in 256


def colors(n: int) -> list[str]:
    """One colour an outcome."""
    return [charts.class_color(k) for k in range(n)]


def curve(t: Array, h: Array, most: float, name: str, unit: str) -> Figure:
    """Entropy as one outcome's probability goes from 0 to 1."""
    layout = charts.axes((0, 1), (0, 1.15 * most), x_title=f"p({name})")
    charts.level(layout, most, f"log n = {most:.4g} {unit}", side="left")
    hover = f"p = %{{x:.3f}}: %{{y:.4f}} {unit}"
    return {"data": [charts.line(t, h, style.INK, hover=hover)], "layout": layout}


def distribution(p: Array, names: Sequence[str]) -> Figure:
    """The probabilities as bars, with room for a handle at each end."""
    layout = charts.axes((-0.6, len(p) - 0.4), (0, 1.18), kind="bars", bottom=30, top=14)
    layout["yaxis"]["tickvals"] = [0, 0.25, 0.5, 0.75, 1]
    charts.name_bars(layout, names)
    labels = charts.handled(p.round(3))
    return {"data": [charts.bars(p, colors(len(p)), labels=labels, opacity=0.85)], "layout": layout}


def surprise_areas(p: Array, surprise: Array, h: float, unit: str, per_bit: float) -> Figure:
    """A rectangle an outcome: as wide as its probability, as high as its surprise.

    The areas add up to the entropy, which is the mean height. per_bit is how many of the unit
    make a bit.
    """
    tallest = float(surprise[p > 0].max())
    top = per_bit * next((t for t in TOPS if t * per_bit > 1.15 * tallest), TOPS[-1])
    layout = charts.axes((0, 1), (0, top), x_title="probability")
    height = np.minimum(surprise, top)
    possible = p > 0
    trace = charts.bars(
        height[possible],
        [c for c, there in zip(colors(len(p)), possible, strict=True) if there],
        at=(np.cumsum(p) - p / 2)[possible],
        opacity=0.85,
    )
    trace["width"] = p[possible]
    trace["customdata"] = (p * np.where(possible, surprise, 0.0))[possible]
    trace["hovertemplate"] = f"surprise %{{y:.3f}}, area %{{customdata:.3f}} {unit}<extra></extra>"
    trace["marker"]["line"] = {"width": 1, "color": style.BACKGROUND}
    charts.level(layout, h, color=style.TARGET)
    charts.note(layout, 0.5, 0.95 * top, f"mean height H = {h:.4f} {unit}", color=style.TARGET)
    return {"data": [trace], "layout": layout}


def tree(code: Code, names: Sequence[str]) -> Figure:
    """The code's tree: 0 to the left, 1 to the right, outcomes at the leaves."""
    deepest = max(node.depth for node in code.tree)
    leaves = [node for node in code.tree if node.outcome is not None]
    layout = charts.axes(
        (-0.6, len(leaves) - 0.4), (-deepest - 0.75, 0.45), kind="bars", left=10, bottom=8
    )
    for axis in ("xaxis", "yaxis"):
        layout[axis] |= {"visible": False}
    x: list[float | None] = []
    y: list[float | None] = []
    for node in code.tree:
        if node.parent is not None:
            above = code.tree[node.parent]
            x += [above.x, node.x, None]
            y += [-above.depth, -node.depth, None]
            layout["annotations"].append(
                {
                    "x": (above.x + node.x) / 2, "y": -(above.depth + node.depth) / 2,
                    "text": node.word[-1], "showarrow": False, "bgcolor": style.BACKGROUND,
                    "font": {"size": 12, "color": style.INK},
                }
            )  # fmt: skip
    edges: Figure = {
        "type": "scatter", "mode": "lines", "x": x, "y": y, "hoverinfo": "skip",
        "line": {"color": style.MUTED, "width": 1.4},
    }  # fmt: skip
    inner = [node for node in code.tree if node.outcome is None]
    joints = charts.marks([n.x for n in inner], [-n.depth for n in inner], style.MUTED, size=6)
    ends = charts.marks(
        [n.x for n in leaves],
        [-n.depth for n in leaves],
        style.INK,
        size=15,
        labels=[f"{names[n.outcome or 0]}<br>{n.word or 'no bits'}" for n in leaves],
        position="bottom center",
    )
    ends["marker"]["color"] = [charts.class_color(n.outcome or 0) for n in leaves]
    for trace, nodes in ((joints, inner), (ends, leaves)):
        trace["customdata"] = [n.probability for n in nodes]
        trace["hovertemplate"] = "p = %{customdata:.4f}<extra></extra>"
    return {"data": [edges, joints, ends], "layout": layout}


def lengths(code: Code, surprise: Array, names: Sequence[str]) -> Figure:
    """Length of each code word beside the surprise that it would ideally have, in bits."""
    n = len(names)
    possible = [k for k in range(n) if code.words[k] is not None]
    ours = np.array([len(code.words[k] or "") for k in possible], dtype=float)
    ideal = surprise[possible]
    top = max(float(ours.max(initial=1)), float(ideal.max(initial=1)))
    layout = charts.axes((-0.6, n - 0.4), (0, 1.15 * top), kind="bars", bottom=30, top=14)
    charts.name_bars(layout, names)
    word = charts.bars(
        ours, [charts.class_color(k) for k in possible], at=np.array(possible) - 0.17, width=0.32,
        labels=[f"{x:.0f}" for x in ours], name="length",
    )  # fmt: skip
    wish = charts.bars(
        ideal, style.MUTED, at=np.array(possible) + 0.17, width=0.32,
        labels=[f"{x:.2f}" for x in ideal], name="−log₂ p", opacity=0.7,
    )  # fmt: skip
    return {"data": [word, wish], "layout": layout}
