"""What a small living picture is made of: a figure without axes, and what moves over it.

The pictures themselves stand in `figures.topics` and `figures.network_topics`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from figures import charts, style

Array = npt.NDArray[np.float64]
FRAMES: Final = 61


@dataclass(frozen=True, slots=True)
class Small:
    """A figure, and what moves over it: the fields of tracks, arrows, boxes and rasters."""

    figure: dict[str, Any]
    tracks: tuple[dict[str, Any], ...] = ()
    arrows: tuple[dict[str, Any], ...] = ()
    boxes: tuple[dict[str, Any], ...] = ()
    rasters: tuple[dict[str, Any], ...] = ()
    kind: str = "chart"


def bare(x: tuple[float, float], y: tuple[float, float], *lines: dict[str, Any]) -> dict[str, Any]:
    """A figure with these ranges and no axes."""
    layout = charts.axes(x, y)
    layout["margin"] = {"l": 4, "r": 4, "t": 5, "b": 5}
    for name in ("xaxis", "yaxis"):
        layout[name] |= {"visible": False}
    return {"data": list(lines), "layout": layout}


def along(count: int) -> npt.NDArray[np.intp]:
    """FRAMES places along `count` points."""
    return np.linspace(0, count - 1, FRAMES).round().astype(np.intp)


def walked(x: Array, y: Array, color: str, **more: Any) -> dict[str, Any]:
    """A mark that walks along a curve."""
    at = along(len(x))
    return {"x": x[at], "y": y[at], "color": color, **more}


def moving_bars(rows: Array, colors: tuple[str, ...], *, faint: Array | None = None) -> Small:
    """Bars (frames, bars) that change, before others that stand."""
    count = rows.shape[1]
    centre = np.arange(count)[None, :] + np.zeros((len(rows), 1))
    figure = bare((-0.6, count - 0.4), (0.0, 1.05))
    still = []
    if faint is not None:
        still.append(charts.bars(faint, style.MUTED, width=0.86, opacity=0.35))
    figure["data"] = still
    boxes = {
        "x0": centre - 0.3, "x1": centre + 0.3, "y0": 0 * rows, "y1": rows,
        "colors": list(colors), "opacity": 0.9,
    }  # fmt: skip
    return Small(figure, boxes=(boxes,))
