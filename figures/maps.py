"""The pictures of maps: cells coloured by what their runs reached, theory and minima over them.

A map is drawn as a raster (an index into PALETTE for each cell) under a figure that has the axes,
the colour bar and the lines. All maps on a page share one colour scale. Whatever follows the hand
may be traced.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from engine.emit.picture import ceil, floor, smallest
from engine.problems.landscapes import Landscape
from engine.problems.minima import Minimum
from engine.runs.live_sweep import Span
from engine.studies import maps
from engine.studies.maps import Axis
from engine.tape import operations as ops
from figures import race, style

Figure = dict[str, Any]

# 254 colours for what was reached, one for a target never reached, and paper for divergence.
_LEVELS: Final = 254
NEVER: Final = 254
GONE: Final = 255
PALETTE: Final = (*style.HEAT[:_LEVELS], style.NEVER, style.PAPER)
_DECADES: Final = 14.0  # that the colours span at most
_FEW: Final = 6.0  # decades: up to here each has its line and its mark
MARK: Final = style.INK  # white would be lost on hatched paper
PATH: Final = style.INK  # of a run over basins, whose tints are muted
LN10: Final = math.log(10.0)
# What a cell says instead of a number.
WORDS: Final = {"loss": {"Infinity": "diverges"}, "steps": {"-1": "never"}}


@dataclass(frozen=True, slots=True)
class Scale:
    """What the colours run over: from low to high, decades of loss or numbers of steps."""

    low: Any
    high: Any
    steps: bool

    def indices(self, values: Any) -> Any:
        """Palette indices of log10 losses or steps, which must be finite."""
        share = ops.clip((values - self.low) / (self.high - self.low), 0.0, 1.0)
        return floor(share * (_LEVELS - 1.0) + 0.5)


def loss_scale(gaps: Sequence[Any], begin: Any) -> Scale:
    """One scale for all maps: whole decades from the best gap to the start's."""
    high = ceil(ops.log(begin) / LN10)
    best = ops.minimum(smallest(*gaps), begin)
    low = ops.minimum(floor(ops.log(best) / LN10), high - 1.0)
    return Scale(ops.maximum(low, high - _DECADES), high, False)


def steps_scale(steps: Any) -> Scale:
    """From none to all steps of the run."""
    return Scale(0.0, ops.maximum(steps, 1.0), True)


def loss_cells(gaps: Any, scale: Scale) -> Any:
    """The palette index of every cell by the gap it ended at, infinite where it diverged."""
    known = ops.where(gaps < np.inf, gaps, 1.0)
    return ops.where(gaps < np.inf, scale.indices(ops.log(known) / LN10), float(GONE))


def steps_cells(steps: Any, diverged: Any, scale: Scale) -> Any:
    """The palette index of every cell by the step at which it was at the target, -1 for never."""
    never = ops.where(diverged > 0.0, float(GONE), float(NEVER))
    return ops.where(steps >= 0.0, scale.indices(ops.maximum(steps, 0.0)), never)


def bounds(span: Span) -> tuple[Any, Any]:
    """An axis's ends in the axis's own coordinates, which on a log axis are powers of ten."""
    if span.log:
        return ops.log(span.low) / LN10, ops.log(span.high) / LN10
    return span.low, span.high


def frame(
    across: Axis, up: Axis, spans: tuple[Span, Span], scale: Scale | None, *, bar: bool
) -> Figure:
    """Axes and colour bar of a map without its cells; spans are where the axes' ends stand."""
    layout = style.base_layout("map")
    # Fixed margins: fitting them to the labels would draw every map twice.
    layout["margin"] = {"l": 50, "r": 8, "t": 8, "b": 40, "autoexpand": False}
    for name, axis, span in (("xaxis", across, spans[0]), ("yaxis", up, spans[1])):
        layout[name] |= _axis(axis, span, layout[name])
    layout["uirevision"] = repr((across.name, up.name, across.log, up.log))
    data: list[Figure] = []
    if bar and scale is not None:
        data.append(_bar(scale, spans))
        layout["margin"]["r"] = 66
    return {"data": data, "layout": layout}


def _axis(axis: Axis, span: Span, given: Figure) -> Figure:
    known = {"range": list(bounds(span)), "title": {**given["title"], "text": axis.symbol}}
    if not axis.log:
        return known
    wide = axis.low < 1e-4 or axis.high > 1e4
    form = {"exponentformat": "power"} if wide else {"tickformat": "~g"}
    return known | {"type": "log", "dtick": 1} | form


def _bar(scale: Scale, spans: tuple[Span, Span]) -> Figure:
    """A trace that shows nothing but the colour bar."""
    ticks: dict[str, Any] = {}
    if not scale.steps:
        marks = range(-40, 41, 2)
        ticks = {
            "tickvals": list(marks),
            "ticktext": [f"10<sup>{m}</sup>".replace("-", "−") for m in marks],
        }
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [np.nan],
        "y": [np.nan],
        "hoverinfo": "skip",
        "marker": {
            "size": 0.1,
            "opacity": 0,
            "color": [0.0],
            "cmin": scale.low,
            "cmax": scale.high,
            "colorscale": style.colorscale(style.HEAT),
            "showscale": True,
            "colorbar": {
                "thickness": 10,
                "outlinewidth": 0,
                "title": {"text": "steps" if scale.steps else "loss", "side": "top"},
                "tickfont": {"color": style.MUTED},
                **ticks,
            },
        },
    }


def isolines(gaps: Any, spans: tuple[Span, Span], scale: Scale) -> Figure:
    """Lines of equal loss, a decade or two apart; gaps is (up, across)."""
    every = ops.where(scale.high - scale.low <= _FEW, 1.0, 2.0)
    known = ops.where(gaps < np.inf, gaps, 1.0)
    return {
        "type": "contour",
        "x": maps.cell_places(_marks(gaps[0]), spans[0]),
        "y": maps.cell_places(_marks(gaps[:, 0]), spans[1]),
        "z": ops.where(gaps < np.inf, ops.log(known) / LN10, np.nan),
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


def _marks(row: Any) -> Any:
    """A row of the same length that holds numbers alone."""
    return ops.where(row < np.inf, 1.0, 1.0)


def limit_line(across: Axis, rates: Any, others: Any, text: str) -> list[Figure]:
    """A stability limit: learning rates up to which a rule is stable against `others`, named."""
    x, y = (rates, others) if across.name == "lr" else (others, rates)
    lines: list[Figure] = [
        {"type": "scatter", "mode": "lines", "x": x, "y": y,
         "line": {"color": color, "width": width}, "hoverinfo": "skip"}
        for color, width in ((style.ON_MAP_EDGE, 4.5), (style.ON_MAP, 2.0))
    ]  # fmt: skip
    at = len(others.data if hasattr(others, "data") else others) // 5
    # The text stands on the coloured side, where there is always room.
    name: Figure = {
        "type": "scatter", "mode": "text", "x": x[at : at + 1], "y": y[at : at + 1],
        "text": [f"{text}\u00a0" if across.name == "lr" else text], "hoverinfo": "skip",
        "textfont": {"color": style.ON_MAP, "size": 13},
        "textposition": "middle left" if across.name == "lr" else "bottom center",
    }  # fmt: skip
    return [*lines, name]


def best_pair(across: Axis, rate: Any, memory: Any) -> Figure:
    """Polyak's optimum as a star."""
    x, y = (rate, memory) if across.name == "lr" else (memory, rate)
    return {
        "type": "scatter",
        "mode": "markers+text",
        "x": ops.reshape(x, (1,)),
        "y": ops.reshape(y, (1,)),
        "text": ["Polyak"],
        "textposition": "bottom left",
        "textfont": {"color": style.ON_MAP, "size": 12},
        "hoverinfo": "skip",
        "marker": {
            "symbol": "star",
            "size": 13,
            "color": style.ON_MAP,
            "line": {"color": style.ON_MAP_EDGE, "width": 1},
        },
    }


def region_name(x: Any, y: Any, text: str) -> Figure:
    """What a part of a map is called, at (x, y); nowhere where those are no numbers."""
    return {
        "type": "scatter", "mode": "text", "x": ops.reshape(x, (1,)), "y": ops.reshape(y, (1,)),
        "text": [text], "hoverinfo": "skip", "textposition": "middle center",
        "textfont": {"color": style.INK, "size": 12},
    }  # fmt: skip


def rate_curve(axis: Axis, span: Span, rates: Any, gaps: Any, scale: Scale, limit: Any) -> Figure:
    """Loss reached against one hyper-parameter, cut where runs diverge; limit is drawn, or None."""
    layout = style.base_layout("curve")
    layout["margin"] = {"l": 52, "r": 12, "t": 8, "b": 40}
    layout["xaxis"] |= _axis(axis, span, layout["xaxis"])
    layout["yaxis"] |= {"title": {**layout["yaxis"]["title"], "text": ""}}
    low, high = (scale.low, scale.high + 1.0)
    layout["yaxis"] |= {"range": [low - 0.3, high + 0.3]}
    if not scale.steps:
        layout["yaxis"] |= {"type": "log", "exponentformat": "power"}
    layout["uirevision"] = repr((axis.name, axis.log))
    if limit is not None:
        layout["shapes"] = [
            {"type": "line", "x0": limit, "x1": limit, "yref": "paper", "y0": 0, "y1": 1,
             "line": {"color": style.LIMIT, "width": 1.5, "dash": "dash"}}
        ]  # fmt: skip
    curve: Figure = {
        "type": "scatter", "mode": "lines", "x": rates, "y": gaps,
        "line": {"color": style.INK, "width": 2},
    }  # fmt: skip
    return {"data": [curve], "layout": layout}


def on_curve(gap: Any | None, scale: Scale) -> Any:
    """Where the marker of a setting stands: at the gap its run ends at, or at the picture's foot.

    A run that left the picture is marked at its upper edge.
    """
    if scale.steps or gap is None:
        return scale.low if scale.steps else ops.exp(scale.low * LN10)
    inside = ops.where(gap < np.inf, gap, np.inf)
    low, high = ops.exp(scale.low * LN10), ops.exp((scale.high + 1.0) * LN10)
    return ops.minimum(ops.maximum(inside, low), high)


# Basins -------------------------------------------------------------------------------------------

SHADES: Final = 6  # of a minimum's tint, from the runs that are soonest down to the last


def minimum_name(number: int) -> str:
    """A, B, … for the minima, lowest first; Z is followed by numbers."""
    return chr(ord("A") + number) if number < 26 else str(number + 1)


def basin_palette(count: int) -> tuple[str, ...]:
    """SHADES of a tint for each minimum, dark to pale, then one for ending nowhere, and paper."""
    tints = (shade for i in range(count) for shade in style.tints(i, SHADES))
    return (*tints, style.NEVER, style.PAPER)


def basin_cells(labels: Any, steps: Any, most: Any, count: int) -> Any:
    """Indices into `basin_palette`: labels as of engine.problems.minima, steps until it was down.

    Shades go by the logarithm of the steps, for most runs come down early. A cell that was not
    down within `most` steps, -1, is as pale as the last that was.
    """
    whole = ops.log(ops.maximum(most, 1.0) + 1.0)
    share = ops.where(steps < 0.0, 1.0, ops.log(ops.maximum(steps, 0.0) + 1.0) / whole)
    shade = ops.minimum(floor(share * SHADES), SHADES - 1.0)
    known = ops.where(labels >= 0.0, labels * SHADES + shade, float(count * SHADES))
    return ops.where(labels <= -2.0, count * SHADES + 1.0, known)


def basin_plane(
    landscape: Landscape, minima: Sequence[Minimum], *, log: bool, parameters: Any = None
) -> Figure:
    """Contour lines without a fill, so that the basins show, and the minima by name."""
    figure = race.plane(landscape, log=log, parameters=parameters)
    contours = figure["data"][0]
    contours["contours"] |= {"coloring": "none"}
    contours["line"] = {"width": 0.6, "color": style.MUTED}
    marks: Figure = {
        "type": "scatter",
        "mode": "markers+text",
        "x": [m.x for m in minima],
        "y": [m.y for m in minima],
        "text": [minimum_name(i) for i in range(len(minima))],
        "textposition": "top center",
        "textfont": {"color": style.INK, "size": 14},
        "marker": {
            "symbol": ["star" if m.is_global else "circle" for m in minima],
            "size": 10,
            "color": style.INK,
            "line": {"color": style.BACKGROUND, "width": 1.5},
        },
        "hoverinfo": "skip",
    }
    layout = figure["layout"]
    layout["yaxis"] |= {"scaleanchor": "x", "scaleratio": 1}  # squares stay square
    return {"data": [contours, marks] if minima else [contours], "layout": layout}
