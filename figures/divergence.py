"""The pictures of cross-entropy and KL: two distributions, the identity between the three, and a
Gaussian fitted in either direction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.problems.landscapes import Landscape
from engine.studies.divergence import SPAN, Moments
from figures import charts, style

Figure = dict[str, Any]
Array = npt.NDArray[np.float64]

TRUTH = charts.color("blue")  # p
MODEL = charts.color("red")  # q
SYMMETRIC = charts.color("green")
FORWARD = charts.color("purple")
REVERSE = charts.color("brown")
OFFSET = 0.2  # of a bar from the middle of its outcome
TOPS = (2.0, 4.0, 8.0, 16.0)  # bits at which the axis of the sums may end


def distributions(p: Array, q: Array, names: Sequence[str]) -> Figure:
    """p and q side by side, with room for a handle on each bar."""
    layout = charts.axes((-0.6, len(p) - 0.4), (0, 1.2), kind="bars", bottom=30, top=14)
    layout["yaxis"]["tickvals"] = [0, 0.25, 0.5, 0.75, 1]
    charts.name_bars(layout, names)
    at = np.arange(len(p))
    few = len(p) <= 5
    data = [
        charts.bars(
            values, color, at=at + shift, width=0.36, name=name, opacity=0.85,
            labels=charts.handled(values.round(3)) if few else (),
        )
        for values, color, shift, name in ((p, TRUTH, -OFFSET, "p"), (q, MODEL, OFFSET, "q"))
    ]  # fmt: skip
    return {"data": data, "layout": layout}


def identity(sums: Mapping[str, tuple[float, float]], js: float, per_bit: float) -> Figure:
    """Each cross-entropy as entropy with the divergence on top, and Jensen–Shannon beside them.

    sums maps a cross-entropy's name to (entropy, divergence), in a unit of which per_bit make a
    bit. An infinite divergence fills the axis.
    """
    totals = [h + kl for h, kl in sums.values() if np.isfinite(kl)]
    highest = max([*totals, js, per_bit]) * 1.12
    top = next((t * per_bit for t in TOPS if t * per_bit >= highest), highest)
    layout = charts.axes((-0.6, len(sums) + 0.6), (0, top), kind="bars", bottom=34, top=18)
    names = [*sums, "JS(p, q)"]
    charts.name_bars(layout, names)
    layout["barmode"] = "stack"
    entropies = [h for h, _ in sums.values()]
    shown = [kl if np.isfinite(kl) else top - h for h, kl in sums.values()]
    base = charts.bars(entropies, [TRUTH, MODEL], name="entropy")
    base |= {
        "text": [f"H<br>{h:.3f}" for h in entropies],
        "textangle": 0,
        "textposition": "inside",
        "insidetextanchor": "middle",
        "textfont": {"color": style.BACKGROUND},
    }
    extra = charts.bars(shown, [FORWARD, REVERSE], name="KL", pattern="/")
    extra["customdata"] = ["∞" if np.isinf(kl) else f"{kl:.4f}" for _, kl in sums.values()]
    extra["hovertemplate"] = "KL %{customdata}<extra></extra>"
    for k, (h, kl) in enumerate(sums.values()):
        infinite = np.isinf(kl)
        text = "KL = ∞" if infinite else f"KL = {kl:.3f}"
        layout["annotations"].append(
            {
                "x": k, "y": top if infinite else h + kl, "yanchor": "bottom",
                "text": text if infinite else f"{text}<br>sum {h + kl:.3f}",
                "showarrow": False, "font": {"size": 12, "color": style.INK},
            }
        )  # fmt: skip
    both = charts.bars([js], SYMMETRIC, at=[len(sums)], labels=[f"{js:.3f}"], name="JS")
    return {"data": [base, extra, both], "layout": layout}


# The Gaussian that is fitted ----------------------------------------------------------------------

COLUMNS = 72  # moving bars that draw a density
_CELLS = (57, 45)


def density(x: Array, p: Array, forward: Array, reverse: Array) -> Figure:
    """The two-humped density, and both fits where they end."""
    top = 1.15 * max(float(p.max()), float(forward.max()), min(float(reverse.max()), 1.2))
    layout = charts.axes(SPAN, (0, top), x_title="x")
    return {
        "data": [
            charts.line(x, p, style.INK, name="p", width=2.6),
            charts.line(x, forward, FORWARD, name="forward", dash="dash"),
            charts.line(x, reverse, REVERSE, name="reverse", dash="dot"),
        ],
        "layout": layout,
    }


def columns() -> tuple[Array, Array]:
    """Edges of the moving bars, left and right, each (COLUMNS,)."""
    edges = np.linspace(*SPAN, COLUMNS + 1)
    return edges[:-1], edges[1:]


def plane(landscape: Landscape, best: Moments | None) -> Figure:
    """The divergence over (μ, σ): contours of its logarithm; the matched moments as a cross."""
    (m0, m1), (s0, s1) = landscape.window
    m, s = np.linspace(m0, m1, _CELLS[0]), np.linspace(s0, s1, _CELLS[1])
    z = np.log10(landscape.value(np.stack(np.meshgrid(m, s), axis=-1)) + 0.02)
    layout = charts.axes((m0, m1), (s0, s1), x_title="mean μ", kind="plane", left=44)
    ticks = (0.25, 0.5, 1.0, 2.0, 4.0)
    layout["yaxis"] |= {
        "title": {"text": "σ"}, "tickvals": np.log(ticks).tolist(),
        "ticktext": [f"{t:g}" for t in ticks],
    }  # fmt: skip
    low, high = float(z.min()), float(z.max())
    contours: Figure = {
        "type": "contour", "x": m, "y": s, "z": z.astype(np.float32), "zmin": low, "zmax": high,
        "colorscale": style.colorscale(style.CONTOUR), "showscale": False, "hoverinfo": "skip",
        "contours": {
            "coloring": "fill", "showlines": True, "start": low, "end": high,
            "size": (high - low) / 18,
        },
        "line": {"width": 0.7, "color": style.CONTOUR_LINE},
    }  # fmt: skip
    data = [contours]
    if best is not None:
        cross = charts.marks(
            [best.mean], [float(np.log(best.deviation))], style.TARGET, symbol="cross-thin", size=11
        )
        cross["marker"]["line"] = {"width": 2, "color": style.TARGET}
        data.append(cross)
    return {"data": data, "layout": layout}
