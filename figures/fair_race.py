"""The pictures of a fair race: what each search found, the losses of many seeds, the ranks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.emit.picture import written
from engine.optimizers import Optimizer, Parameter
from engine.studies.fair_race import Search, Standing, is_memory
from figures import charts, style
from figures.race import MOST_NAMED
from figures.step_chart import end_name

Array = npt.NDArray[Any]
Figure = dict[str, Any]
Range = tuple[float, float]

DECADES = 9  # that an axis or a scale of losses shows at most


def loss_range(losses: Sequence[Array], *, first: Array | None = None) -> tuple[Range, bool]:
    """The lowest and highest loss worth showing, and whether they fit a log axis.

    first holds the losses at the start, where there is one: a run that rises far above it leaves
    the picture. Without it the highest twentieth does, so that a few do not flatten the rest.
    """
    values = np.concatenate([np.ravel(a) for a in losses])
    values = values[np.isfinite(values)]
    if not values.size:
        return (0.1, 1.0), True
    low, high = float(values.min()), float(values.max())
    if first is None:
        high = float(np.quantile(values, 0.95))
    else:
        high = min(high, 10 * max(float(np.max(first)), low))
    if low > 0:
        return (max(low / 1.5, high * 10.0**-DECADES), high * 1.5), True
    # Where a landscape falls without end, one run must not flatten the others.
    steep = float(np.quantile(values, 0.05)) if first is None else -10 * float(np.abs(first).max())
    low = max(low, steep)
    pad = 0.06 * (high - low) or 1.0
    return (low - pad, high + pad), False


def loss_axes(
    evaluations: int,
    losses: Range,
    log: bool,
    medians: Sequence[tuple[str, style.Look, Array]],
) -> Figure:
    """The axes of loss against gradient evaluations; medians by name, each at least 1 long, whose
    ends within the picture say what they reach."""
    layout = charts.axes(
        (0, evaluations), losses, x_title="gradient evaluations", log_y=log, left=46
    )
    if log:
        _few_decades(layout["yaxis"], losses)
    if len(medians) <= MOST_NAMED:
        layout["annotations"] += [
            end_name(name, look.color, curve, len(curve) - 1.0, low=losses[0] if log else None)
            for name, look, curve in medians
            if losses[0] <= curve[-1] <= losses[1]
        ]
    return {"data": [], "layout": layout}


def band(low: Array, high: Array, color: str, losses: Range) -> Figure:
    """The area between two curves over 0, 1, …, cut where they leave the picture."""
    top = losses[1] * 10 if losses[1] > 0 else losses[1]
    along = np.arange(len(low))
    return {
        "type": "scatter",
        "mode": "lines",
        "x": np.concatenate([along, along[::-1]]).astype(np.float32),
        "y": np.minimum(np.concatenate([high, low[::-1]]), top),
        "fill": "toself",
        "fillcolor": color,
        "line": {"width": 0, "color": color},
        "opacity": 0.16,
        "hoverinfo": "skip",
    }


# The search ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Scale:
    """How a hyper-parameter (or the loss) lies along an axis: what is drawn for its values, from
    where to where; a decay β by 1 − β, downward, so that long memories have room."""

    title: str
    shown: Array
    ends: Range
    log: bool
    ticks: tuple[tuple[float, str], ...] = ()

    @classmethod
    def of(cls, hyper: Parameter, values: Array) -> _Scale:
        if not is_memory(hyper):
            return cls(hyper.symbol, values, (hyper.low, hyper.high), hyper.scale == "log")
        decades = range(int(np.ceil(-np.log10(1 - hyper.high) - 1e-9)) + 1)
        ticks = tuple((10.0**-k, "0." + "9" * k if k else "0") for k in decades)
        return cls(hyper.symbol, 1 - values, (1.0, 1 - hyper.high), True, ticks)

    def dress(self, axis: Figure) -> None:
        """Range, with room for marks at its ends, and labels."""
        a, b = (float(np.log10(e)) if self.log else float(e) for e in self.ends)
        axis |= {"range": [a - 0.05 * (b - a), b + 0.05 * (b - a)], "title": {**axis["title"]}}
        axis["title"]["text"] = self.title
        if self.log:
            axis["type"] = "log"
            _few_decades(axis, self.ends)
        if self.ticks:
            axis |= {"tickvals": [t for t, _ in self.ticks], "ticktext": [t for _, t in self.ticks]}


def search_map(
    search: Search, optimizer: Optimizer, look: style.Look, losses: Range, log: bool
) -> Figure:
    """Every setting tried: the learning rate across, its main partner upward (where the rate is
    searched alone, the loss reached), coloured by that loss; the best ringed, the first as it came.
    """
    by_name = {h.name: h for h in optimizer.hypers}
    ok = np.isfinite(search.scores)
    across = _Scale.of(by_name[search.names[0]], search.trials[:, 0])
    if len(search.names) > 1:
        upward = _Scale.of(by_name[search.names[1]], search.trials[:, 1])
    else:
        reached = np.where(ok, search.scores, losses[1]).clip(*losses)
        upward = _Scale("loss reached", reached, losses, log)
    layout = style.base_layout("curve")
    layout |= {"margin": {"l": 44, "r": 10, "t": 8, "b": 38}, "dragmode": False}
    across.dress(layout["xaxis"])
    upward.dress(layout["yaxis"])
    u, v = across.shown, upward.shown
    said = np.array([_describe(search, i, by_name) for i in range(len(u))])
    color = np.log10(np.maximum(search.scores, losses[0])) if log else search.scores
    ends = [float(np.log10(e)) if log else e for e in losses]
    good: Figure = _dots(u[ok], v[ok], said[ok]) | {
        "marker": {
            "size": 8, "color": color[ok], "cmin": ends[0], "cmax": ends[1],
            "colorscale": style.colorscale(style.HEAT),
            "line": {"width": 0.7, "color": style.MUTED},
        }
    }  # fmt: skip
    crosses = {"symbol": "x-thin", "size": 6, "line": {"width": 1.4, "color": style.DIVERGED}}
    bad = _dots(u[~ok], v[~ok], said[~ok]) | {"marker": crosses}
    rings = [_ring(u[0], v[0], "square-open", style.MUTED, 13, 1.4)]
    if search.found:
        best = search.best
        rings.append(_ring(u[best], v[best], "circle-open", look.color, 17, 3))
    return {"data": [bad, good, *rings], "layout": layout}


def _dots(x: Array, y: Array, text: Array) -> Figure:
    return {
        "type": "scatter", "mode": "markers", "x": x, "y": y, "text": text.tolist(),
        "hovertemplate": "%{text}<extra></extra>", "cliponaxis": False,
    }  # fmt: skip


def _ring(x: float, y: float, symbol: str, color: str, size: int, width: float) -> Figure:
    return {
        "type": "scatter", "mode": "markers", "x": [float(x)], "y": [float(y)],
        "marker": {"symbol": symbol, "size": size, "color": color,
                   "line": {"width": width, "color": color}},
        "hoverinfo": "skip", "cliponaxis": False,
    }  # fmt: skip


def _describe(search: Search, trial: int, by_name: dict[str, Any]) -> str:
    setting = search.setting(trial)
    text = ", ".join(
        f"{by_name[name].symbol} = {written(value)}" for name, value in setting.items()
    )
    score = float(search.scores[trial])
    end = f"loss {written(score, '3')}" if np.isfinite(score) else "diverged"
    return ("as it came: " if trial == 0 else "") + f"{text}<br>{end}"


def scale(losses: Range, log: bool) -> str:
    """The colours of the search maps with what they stand for, as HTML."""
    stops = ", ".join(style.HEAT[:: len(style.HEAT) // 8])
    red = "light-dark(" + style.DIVERGED.replace("|", ", ") + ")"
    return (
        "<div style='display:flex; flex-wrap:wrap; align-items:center; gap:0.2rem 0.6rem; "
        "font-size:0.85rem; opacity:0.9'><span>loss reached</span>"
        f"<span>{_short(losses[0])}</span>"
        "<span style='width:9rem; height:0.7rem; border-radius:2px; "
        f"background:linear-gradient(to right, {stops})' role='img' "
        f"aria-label='dark is low, bright is high{', on a log scale' if log else ''}'></span>"
        f"<span>{_short(losses[1])}</span>"
        f"<span style='margin-left:0.8rem'><span style='color:{red}' aria-hidden='true'>✕</span> "
        "diverged</span><span>□ as it came</span><span>◯ best</span></div>"
    )


def _short(value: float) -> str:
    return written(value, "2")


def budget_axes(most: int, least: int, losses: Range, log: bool) -> Figure:
    """The axes of the loss found against what was spent on finding it."""
    layout = charts.axes(
        (least, max(most, 2 * least)), losses, x_title="evaluations spent on tuning", log_x=True,
        log_y=log, left=46,
    )  # fmt: skip
    if log:
        _few_decades(layout["yaxis"], losses)
    return {"data": [], "layout": layout}


# The ranks ----------------------------------------------------------------------------------------


def rank_title(ways: int) -> str:
    """What the chart of ranks shows, of one way to race or of both."""
    both = " (hollow: one η)" if ways > 1 else ""
    return f"mean rank, 95 %{both}"


def rank_chart(
    names: Sequence[str], looks: Sequence[style.Look], standings: Sequence[Standing]
) -> Figure:
    """Mean ranks with their intervals, a row for each optimizer; further standings are hollow and
    stand below the first."""
    count = len(names)
    layout = charts.axes((0.85, count + 0.15), (count - 0.4, -0.6), x_title="mean rank", left=8)
    layout["xaxis"]["dtick"] = max(1, count // 6)
    layout["yaxis"] |= {
        "tickvals": list(range(count)), "ticktext": list(names), "ticks": "", "showgrid": False,
        "tickfont": {"size": 12, "color": style.INK},
    }  # fmt: skip
    data = []
    for place, table in enumerate(standings):
        offset = 0.3 * (place - (len(standings) - 1) / 2)
        for row, look in enumerate(looks):
            mean, low, high = (float(a[row]) for a in (table.mean, table.low, table.high))
            symbol = look.symbol + ("" if place == 0 or "open" in look.symbol else "-open")
            data.append(
                {
                    "type": "scatter", "mode": "lines+markers",
                    "x": [low, mean, high], "y": [row + offset] * 3,
                    "line": {"color": look.color, "width": 2.4 if place == 0 else 1.3},
                    "marker": {"symbol": symbol, "color": look.color, "size": [0, 10, 0],
                               "line": {"color": look.color, "width": 1.6}},
                    "hovertemplate": f"{names[row]}: mean rank {written(mean, '.2f')}, "
                    f"{written(low, '.2f')} … {written(high, '.2f')}<extra></extra>",
                    "cliponaxis": False,
                }
            )  # fmt: skip
    return {"data": data, "layout": layout}


def _few_decades(axis: Figure, bounds: Range) -> None:
    """About five labels on a log axis, however far it reaches."""
    axis["dtick"] = max(1, int(np.ceil(abs(np.log10(bounds[1] / bounds[0])) / 5)))
    axis.pop("tickformat", None)
    axis["exponentformat"] = "power"
