"""The pictures of maps: cells coloured by what their runs reached, theory and minima over them.

A map is drawn as a raster (one byte a cell, an index into PALETTE) under a Plotly figure that has
the axes, the colour bar and the lines. All maps on a page share one colour scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.problems.landscapes import Landscape
from engine.problems.minima import DIVERGED, Minimum
from engine.runs.sweeps import Sweep
from engine.studies import maps
from engine.studies.maps import Axis
from figures import charts, race, style

Array = npt.NDArray[Any]
Figure = dict[str, Any]

# 254 colours for what was reached, one for a target never reached, one for divergence.
_LEVELS: Final = 254
NEVER: Final = 254
GONE: Final = 255
PALETTE: Final = (*style.HEAT[:_LEVELS], style.NEVER, style.DIVERGED)
_DECADES: Final = 14  # that the colours span at most
_ISOLINES: Final = 128  # cells along a side that iso-lines are drawn from
MARK: Final = style.ON_MAP


@dataclass(frozen=True, slots=True)
class Scale:
    """What the colours run over: from low to high, decades of loss or numbers of steps."""

    low: float
    high: float
    steps: bool

    def indices(self, values: Array) -> npt.NDArray[np.uint8]:
        """Palette indices of log10 losses or steps, which must be finite."""
        share = (values - self.low) / (self.high - self.low)
        return np.asarray(np.clip(np.rint(share * (_LEVELS - 1)), 0, _LEVELS - 1), dtype=np.uint8)


def loss_scale(gaps: Sequence[Array], begin: float) -> Scale:
    """One scale for all maps: whole decades from the best gap to the start's."""
    high = float(np.ceil(np.log10(begin)))
    finite = [g[np.isfinite(g)] for g in gaps]
    best = min([float(g.min()) for g in finite if g.size], default=begin)
    low = float(np.floor(np.log10(best)))
    return Scale(max(min(low, high - 1), high - _DECADES), high, False)


def steps_scale(steps: int) -> Scale:
    """From none to all steps of the run."""
    return Scale(0.0, float(max(steps, 1)), True)


def cells(sweep: Sweep, gaps: Array, scale: Scale) -> npt.NDArray[np.uint8]:
    """The palette index of every cell, with the grid's shape."""
    if scale.steps and sweep.steps_to_target is not None:
        reached = sweep.steps_to_target
        indices = scale.indices(np.maximum(reached, 0))
        indices[reached < 0] = NEVER
    else:
        indices = scale.indices(np.log10(np.where(np.isfinite(gaps), gaps, 1.0)))
    indices[sweep.diverged & ((sweep.steps_to_target is None) | (indices == NEVER))] = GONE
    if not scale.steps:
        indices[~np.isfinite(gaps)] = GONE
    return indices


def bounds(axis: Axis) -> tuple[float, float]:
    """An axis's ends in Plotly's own coordinates, which on a log axis are powers of ten."""
    ends = np.array([axis.low, axis.high])
    return tuple(float(e) for e in (np.log10(ends) if axis.log else ends))  # type: ignore[return-value]


def frame(across: Axis, up: Axis | None, scale: Scale | None, *, bar: bool) -> Figure:
    """Axes and colour bar of a map without its cells."""
    layout = style.base_layout("map")
    # Fixed margins: fitting them to the labels would draw every map twice.
    layout["margin"] = {"l": 50, "r": 8, "t": 8, "b": 40, "autoexpand": False}
    for name, axis in (("xaxis", across), ("yaxis", up)):
        if axis is None:
            layout[name] |= {"range": [0, 1], "showticklabels": False, "ticks": ""}
            continue
        layout[name] |= {
            "range": list(bounds(axis)),
            "title": {**layout[name]["title"], "text": axis.symbol},
        }
        if axis.log:
            wide = axis.low < 1e-4 or axis.high > 1e4
            layout[name] |= {"type": "log", "dtick": 1}
            layout[name] |= {"exponentformat": "power"} if wide else {"tickformat": "~g"}
    layout["uirevision"] = repr((across, up))
    data: list[Figure] = []
    if bar and scale is not None:
        data.append(_bar(scale, across, up))
        layout["margin"]["r"] = 66
    return {"data": data, "layout": layout}


def _bar(scale: Scale, across: Axis, up: Axis | None) -> Figure:
    """A trace that shows nothing but the colour bar."""
    ticks: dict[str, Any] = {}
    title = "steps"
    if not scale.steps:
        every = 1 if scale.high - scale.low <= 6 else 2
        marks = np.arange(scale.low, scale.high + 0.5, every)
        ticks = {"tickvals": marks.tolist(), "ticktext": [f"10<sup>{int(m)}</sup>" for m in marks]}
        title = "loss"
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [across.low],
        "y": [up.low if up is not None else 0.0],
        "hoverinfo": "skip",
        "marker": {
            "size": 0.1,
            "opacity": 0,
            "color": [scale.low],
            "cmin": scale.low,
            "cmax": scale.high,
            "colorscale": style.colorscale(style.HEAT),
            "showscale": True,
            "colorbar": {
                "thickness": 10,
                "outlinewidth": 0,
                "title": {"text": title, "side": "top"},
                "tickfont": {"color": style.MUTED},
                **ticks,
            },
        },
    }


def isolines(gaps: Array, across: Axis, up: Axis, scale: Scale) -> list[Figure]:
    """Lines of equal loss, a decade or two apart; gaps is (up, across)."""
    rows, columns = (max(1, n // _ISOLINES) for n in gaps.shape)
    with np.errstate(invalid="ignore"):
        z = np.where(np.isfinite(gaps), np.log10(gaps), np.nan)[::rows, ::columns]
    every = 1 if scale.high - scale.low <= 6 else 2
    return [
        {
            "type": "contour",
            "x": across.values(gaps.shape[1])[::columns],
            "y": up.values(gaps.shape[0])[::rows],
            "z": z.astype(np.float32),
            "showscale": False,
            "hoverinfo": "skip",
            "contours": {
                "coloring": "none",
                "start": scale.low + every,
                "end": scale.high,
                "size": every,
            },
            "line": {"width": 0.8, "color": style.ON_MAP_FAINT},
        }
    ]


def _edge(across: Axis, up: Axis | None, rates: Array, others: Array) -> list[Figure]:
    """A stability limit: learning rates up to which a rule is stable against `others`."""
    if across.name == "lr":
        x, y = rates, others
    elif up is not None and up.name == "lr":
        x, y = others, rates
    else:
        return []
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "x": x,
            "y": y,
            "line": {"color": color, "width": width},
            "hoverinfo": "skip",
        }
        for color, width in (
            (style.ON_MAP_EDGE, 4.5),
            (style.ON_MAP, 2.0),
        )  # seen on every colour of the map
    ]


def best_pair(across: Axis, up: Axis, rate: float, memory: float) -> list[Figure]:
    """Polyak's optimum as a star."""
    x, y = (rate, memory) if across.name == "lr" else (memory, rate)
    return [
        {
            "type": "scatter",
            "mode": "markers+text",
            "x": [x],
            "y": [y],
            "text": ["Polyak"],
            "textposition": "bottom right",
            "textfont": {"color": style.ON_MAP, "size": 12},
            "hoverinfo": "skip",
            "marker": {
                "symbol": "star",
                "size": 13,
                "color": style.ON_MAP,
                "line": {"color": style.ON_MAP_EDGE, "width": 1},
            },
        }
    ]


# Basins -------------------------------------------------------------------------------------------


def minimum_name(number: int) -> str:
    """A, B, … for the minima, lowest first; Z is followed by numbers."""
    return chr(ord("A") + number) if number < 26 else str(number + 1)


def basin_palette(count: int) -> tuple[str, ...]:
    """A colour for each minimum, then one for ending nowhere and one for divergence."""
    return (*(charts.class_color(i) for i in range(count)), style.NEVER, style.DIVERGED)


def basin_cells(labels: Array, count: int) -> npt.NDArray[np.uint8]:
    """Indices into `basin_palette` of labels (…) as of engine.problems.minima."""
    indices = np.where(labels >= 0, labels, count)
    return np.where(labels == DIVERGED, count + 1, indices).astype(np.uint8)


def basin_plane(landscape: Landscape, minima: Sequence[Minimum], *, log: bool) -> Figure:
    """Contour lines without a fill, so that the basins show, and the minima by name."""
    figure = race.plane(landscape, log=log)
    contours = figure["data"][0]
    contours["contours"] |= {"coloring": "none"}
    contours["line"] = {"width": 0.6, "color": style.ON_MAP_FAINT}
    marks: Figure = {
        "type": "scatter",
        "mode": "markers+text",
        "x": [m.x for m in minima],
        "y": [m.y for m in minima],
        "text": [minimum_name(i) for i in range(len(minima))],
        "textposition": "top center",
        "textfont": {"color": style.ON_MAP, "size": 14},
        "marker": {
            "symbol": ["star" if m.is_global else "circle" for m in minima],
            "size": 10,
            "color": style.ON_MAP,
            "line": {"color": style.ON_MAP_EDGE, "width": 1.5},
        },
        "hoverinfo": "skip",
    }
    return {"data": [contours, marks] if minima else [contours], "layout": figure["layout"]}


def stability_line(sweep: Sweep, across: Axis, up: Axis | None, curvature: float) -> list[Figure]:
    """The limit from theory over a map of the learning rate, where there is one."""
    axes = [a for a in (across, up) if a is not None]
    if all(a.name != "lr" for a in axes):
        return []
    other = next((a for a in axes if a.name != "lr"), None)
    if other is not None and other.name in ("x", "y"):
        other_name, values = None, np.array([other.low, other.high])
    else:
        other_name = other.name if other is not None else None
        values = other.values(200) if other is not None else np.array([0.0, 1.0])
    if other is not None:
        values = np.concatenate([[other.low], values, [other.high]])
    rates = maps.stability_edge(
        sweep.optimizer, curvature, other_name, values, sweep.hypers, sweep.options
    )
    return [] if rates is None else _edge(across, up, rates, values)
