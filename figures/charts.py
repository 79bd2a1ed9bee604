"""The parts that charts of curves and bars are put together from: axes, lines, bands, marks.

Every function returns plain Plotly dicts in the look of `figures.style`. The pictures of losses
and information are made of these alone, so that they read alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from figures import style

Array = npt.NDArray[Any]
Figure = dict[str, Any]


def color(hue: str) -> str:
    """A named hue in the spelling of figures, "light|dark"."""
    return "|".join(style.HUES[hue])


# One colour a class, in an order that keeps neighbours apart.
CLASS_HUES: Final = ("blue", "red", "green", "purple", "olive", "pink", "teal", "brown")
CLASS_COLORS: Final = tuple(color(hue) for hue in CLASS_HUES)


def class_color(index: int) -> str:
    """The colour of class `index`; from the ninth on they repeat."""
    return CLASS_COLORS[index % len(CLASS_COLORS)]


def signed(value: float, digits: int = 3) -> str:
    """A number with its sign, a true minus."""
    return f"{value:+.{digits}f}".replace("-", "−")


def plain(value: float) -> str:
    """A number in short, with a true minus."""
    return f"{value:.4g}".replace("-", "−")


def handled(values: Iterable[float]) -> list[str]:
    """Labels for bars that have a handle at their end: a line farther out than the bar's own."""
    return [f"\u00a0<br>{plain(v)}" if v < 0 else f"{plain(v)}<br>\u00a0" for v in values]


def axes(
    x: tuple[float, float],
    y: tuple[float, float],
    *,
    x_title: str = "",
    y_title: str = "",
    log_x: bool = False,
    log_y: bool = False,
    kind: style.Kind = "curve",
    left: int = 40,
    bottom: int = 38,
    top: int = 8,
) -> Figure:
    """A layout with these ranges, given in data coordinates on a log axis too."""
    layout = style.base_layout(kind)
    layout["margin"] = {"l": left, "r": 10, "t": top, "b": bottom}
    layout["dragmode"] = False
    for name, bounds, title, log in (("x", x, x_title, log_x), ("y", y, y_title, log_y)):
        axis = layout[f"{name}axis"]
        axis["range"] = [float(np.log10(b)) if log else float(b) for b in bounds]
        if title:
            axis["title"] = {**axis["title"], "text": title}
        if log:
            wide = bounds[0] < 1e-4 or bounds[1] > 1e4
            axis |= {"type": "log", "dtick": 1}
            axis |= {"exponentformat": "power"} if wide else {"tickformat": "~g"}
    layout["shapes"] = []
    layout["annotations"] = []
    return layout


def name_bars(layout: Figure, names: Sequence[str]) -> None:
    """Write the names of bars 0, 1, … under the x axis."""
    layout["xaxis"] |= {"tickvals": list(range(len(names))), "ticktext": list(names), "ticks": ""}


def line(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    color: str,
    *,
    dash: style.Dash = "solid",
    width: float = 2.2,
    name: str = "",
    opacity: float = 1.0,
    hover: str = "%{x:.3g}: %{y:.4g}",
    fill: bool = False,
) -> Figure:
    """A curve; fill shades it down to 0."""
    trace: Figure = {
        "type": "scatter",
        "mode": "lines",
        "x": np.asarray(x, dtype=np.float32),
        "y": np.asarray(y, dtype=np.float64).astype(np.float32),
        "line": {"color": color, "dash": dash, "width": width},
        "name": name,
        "opacity": opacity,
        "hovertemplate": f"{name + ' ' if name else ''}{hover}<extra></extra>",
    }
    if fill:
        trace |= {"fill": "tozeroy", "fillcolor": color}
    return trace


def bars(
    heights: npt.ArrayLike,
    colors: Sequence[str] | str,
    *,
    at: npt.ArrayLike | None = None,
    width: float = 0.62,
    labels: Sequence[str] = (),
    name: str = "",
    opacity: float = 1.0,
    pattern: str = "",
) -> Figure:
    """Bars at 0, 1, … (or `at`), each with its label at its end."""
    heights = np.asarray(heights, dtype=float)
    trace: Figure = {
        "type": "bar",
        "x": np.arange(len(heights)) if at is None else np.asarray(at, dtype=float),
        "y": heights,
        "width": width,
        "name": name,
        "opacity": opacity,
        "marker": {"color": colors if isinstance(colors, str) else list(colors)},
        "hovertemplate": f"{name + ' ' if name else ''}%{{y:.4g}}<extra></extra>",
    }
    if pattern:
        trace["marker"]["pattern"] = {"shape": pattern, "solidity": 0.25, "size": 7}
    if labels:
        trace |= {
            "text": list(labels),
            "textposition": "outside",
            "cliponaxis": False,
            "constraintext": "none",
            "textfont": {"color": style.INK, "size": 12},
        }
    return trace


def marks(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    color: str,
    *,
    symbol: str = "circle",
    size: float = 8,
    labels: Sequence[str] = (),
    position: str = "top center",
) -> Figure:
    """Points, each with its label beside it."""
    trace: Figure = {
        "type": "scatter",
        "mode": "markers+text" if labels else "markers",
        "x": np.asarray(x, dtype=float),
        "y": np.asarray(y, dtype=float),
        "marker": {"symbol": symbol, "size": size, "color": color},
        "hovertemplate": "%{x:.3g}: %{y:.4g}<extra></extra>",
        "cliponaxis": False,
    }
    if labels:
        trace |= {
            "text": list(labels),
            "textposition": position,
            "textfont": {"color": style.INK, "size": 12},
        }
    return trace


def level(
    layout: Figure, y: float, text: str = "", *, color: str = style.MUTED, side: str = "right"
) -> None:
    """A dotted line across the picture at height y, named at its right or left end."""
    layout["shapes"].append(
        {
            "type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": y, "y1": y,
            "line": {"color": color, "width": 1.2, "dash": "dot"},
        }
    )  # fmt: skip
    if text:
        layout["annotations"].append(
            {
                "xref": "paper", "x": float(side == "right"), "xanchor": side,
                "y": _at(layout, "y", y), "yanchor": "bottom", "text": text, "showarrow": False,
                "font": {"size": 12, "color": color},
            }
        )  # fmt: skip


def upright(
    layout: Figure, x: float, text: str = "", *, color: str = style.MUTED, dash: style.Dash = "dot"
) -> None:
    """A line from bottom to top at x, named at its upper end."""
    layout["shapes"].append(
        {
            "type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": x, "x1": x,
            "line": {"color": color, "width": 1.4, "dash": dash},
        }
    )  # fmt: skip
    if text:
        low, high = layout["xaxis"]["range"]
        at = _at(layout, "x", x)
        layout["annotations"].append(
            {
                "yref": "paper", "y": 1, "yanchor": "top", "x": at, "text": text,
                "xanchor": "left" if at < (low + high) / 2 else "right", "showarrow": False,
                "font": {"size": 12, "color": color}, "xshift": 4 if at < (low + high) / 2 else -4,
            }
        )  # fmt: skip


def band(layout: Figure, x0: float, x1: float, text: str = "", *, color: str = style.LIMIT) -> None:
    """A pale band between x0 and x1, named at its foot."""
    layout["shapes"].append(
        {
            "type": "rect", "yref": "paper", "y0": 0, "y1": 1, "x0": x0, "x1": x1,
            "fillcolor": color, "opacity": 0.1, "line": {"width": 0}, "layer": "below",
        }
    )  # fmt: skip
    if text:
        layout["annotations"].append(
            {
                "x": (_at(layout, "x", x0) + _at(layout, "x", x1)) / 2, "yref": "paper", "y": 0,
                "yanchor": "bottom", "text": text, "showarrow": False,
                "font": {"size": 11, "color": color},
            }
        )  # fmt: skip


def note(
    layout: Figure,
    x: float,
    y: float,
    text: str,
    *,
    color: str = style.MUTED,
    anchor: str = "center",
) -> None:
    """Words in the picture, at data coordinates."""
    layout["annotations"].append(
        {
            "x": _at(layout, "x", x), "y": _at(layout, "y", y), "text": text, "showarrow": False,
            "xanchor": anchor, "font": {"size": 12, "color": color},
        }
    )  # fmt: skip


def _at(layout: Figure, axis: str, value: float) -> float:
    """Where an annotation stands: on a log axis Plotly takes powers of ten."""
    return float(np.log10(value)) if layout[f"{axis}axis"].get("type") == "log" else float(value)
