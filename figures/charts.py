"""The parts that charts of curves and bars are put together from: axes, lines, bands, marks.

Every function returns plain Plotly dicts in the look of `figures.style`. The pictures of losses
and information are made of these alone, so that they read alike. Wherever a number or an array is
asked for it may be a traced `Value`, and wherever a text is, it may be `words` of such: the picture
then follows the reader's hand.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from engine.emit.picture import words
from engine.tape import Value
from engine.tape import operations as ops
from figures import style

Figure = dict[str, Any]


def color(hue: str) -> str:
    """A named hue in the spelling of figures, "light|dark"."""
    return "|".join(style.HUES[hue])


CLASS_COLORS: Final = style.OUTCOMES


def class_color(index: int) -> str:
    """The colour of class `index`; from the ninth on they repeat."""
    return CLASS_COLORS[index % len(CLASS_COLORS)]


def word_color(index: int) -> str:
    """The same for the name of class `index`, where it is read."""
    return style.OUTCOME_WORDS[index % len(style.OUTCOME_WORDS)]


def signed(value: Any, digits: int = 3) -> Any:
    """A number with its sign, a true minus."""
    return words(f"{{:+.{digits}f}}", value)


def plain(value: Any) -> Any:
    """A number in short, with a true minus."""
    return words("{:4}", value)


def handled(values: Any, form: str = "{:3}") -> list[Any]:
    """Labels for bars that have a handle at their end: a line farther out than the bar's own."""
    return [words(f"\u00a0<br>{form}<br>\u00a0", value) for value in each(values)]


def each(values: Any) -> list[Any]:
    """The numbers of an array, or of a traced one."""
    return [values[k] for k in range(len(_now(values)))]


def _now(x: Any) -> Any:
    """What stands at x today."""
    return x.data if type(x) is Value else x


def _leaf(x: Any, dtype: Any = np.float64) -> Any:
    """An array for a trace: a traced one as it is, and lists that hold traced numbers as well."""
    if type(x) is Value or (isinstance(x, list) and any(type(v) is Value for v in x)):
        return x
    return np.asarray(x, dtype=np.float64).astype(dtype)


def _number(x: Any) -> Any:
    return x if type(x) is Value else float(x)


def _log10(x: Any) -> Any:
    return ops.log(x) / math.log(10) if type(x) is Value else float(np.log10(x))


def axes(
    x: tuple[Any, Any],
    y: tuple[Any, Any],
    *,
    x_title: Any = "",
    y_title: Any = "",
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
        axis["range"] = [_log10(b) if log else _number(b) for b in bounds]
        if title:
            axis["title"] = {**axis["title"], "text": title}
        if log:
            low, high = (float(_now(b)) for b in bounds)
            wide = low < 1e-4 or high > 1e4
            axis |= {"type": "log", "dtick": 1}
            axis |= {"exponentformat": "power"} if wide else {"tickformat": "~g"}
    layout["shapes"] = []
    layout["annotations"] = []
    return layout


def name_bars(layout: Figure, names: Sequence[str]) -> None:
    """Write the names of bars 0, 1, … under the x axis."""
    layout["xaxis"] |= {"tickvals": list(range(len(names))), "ticktext": list(names), "ticks": ""}


def line(
    x: Any,
    y: Any,
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
        "x": _leaf(x, np.float32),
        "y": _leaf(y, np.float32),
        "line": {"color": color, "dash": dash, "width": width},
        "name": name,
        "opacity": opacity,
        "hovertemplate": f"{name + ' ' if name else ''}{hover}<extra></extra>",
    }
    if fill:
        trace |= {"fill": "tozeroy", "fillcolor": color}
    return trace


def bars(
    heights: Any,
    colors: Sequence[str] | str,
    *,
    at: Any = None,
    width: Any = 0.62,
    labels: Sequence[Any] = (),
    name: str = "",
    opacity: float = 1.0,
    pattern: str = "",
) -> Figure:
    """Bars at 0, 1, … (or `at`), each with its label at its end."""
    heights = _leaf(heights)
    trace: Figure = {
        "type": "bar",
        "x": np.arange(len(_now(heights))) if at is None else _leaf(at),
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


def rows(
    lengths: Any,
    colors: Sequence[str] | str,
    *,
    at: Any = None,
    base: Any = None,
    width: Any = 0.62,
    labels: Sequence[Any] = (),
    inside: bool = False,
    name: str = "",
    opacity: float = 1.0,
    pattern: str = "",
    hover: str = "%{x:.4g}",
) -> Figure:
    """Bars that lie, at heights 0, 1, … (or `at`), from 0 (or `base`), each with its label at its
    end or, where there is room, inside."""
    trace = bars(
        lengths, colors, at=at, width=width, labels=labels, name=name, opacity=opacity,
        pattern=pattern,
    )  # fmt: skip
    trace |= {"orientation": "h", "x": trace["y"], "y": trace["x"]}
    trace["hovertemplate"] = f"{name + ' ' if name else ''}{hover}<extra></extra>"
    if base is not None:
        trace["base"] = _leaf(base)
    if inside:
        trace |= {"textposition": "inside", "textfont": {"color": style.BACKGROUND, "size": 12}}
    return trace


def name_rows(layout: Figure, names: Sequence[str]) -> None:
    """Write the names of rows 0, 1, … beside the y axis."""
    layout["yaxis"] |= {"tickvals": list(range(len(names))), "ticktext": list(names), "ticks": ""}


def marks(
    x: Any,
    y: Any,
    color: str,
    *,
    symbol: str = "circle",
    size: float = 8,
    labels: Sequence[Any] = (),
    position: str = "top center",
) -> Figure:
    """Points, each with its label beside it."""
    trace: Figure = {
        "type": "scatter",
        "mode": "markers+text" if labels else "markers",
        "x": _leaf(x),
        "y": _leaf(y),
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
    layout: Figure, y: Any, text: Any = "", *, color: str = style.MUTED, side: str = "right"
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
                "font": {"size": 12, "color": style.word(color)},
            }
        )  # fmt: skip


def upright(
    layout: Figure, x: Any, text: Any = "", *, color: str = style.MUTED, dash: style.Dash = "dot"
) -> None:
    """A line from bottom to top at x, named at its upper end, on the side where there is room."""
    layout["shapes"].append(
        {
            "type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": x, "x1": x,
            "line": {"color": color, "width": 1.4, "dash": dash},
        }
    )  # fmt: skip
    if text:
        at, (low, high) = _at(layout, "x", x), layout["xaxis"]["range"]
        on_the_left = at < 0.5 * (low + high)
        moves = type(on_the_left) is Value
        for anchor, shift, where in (
            ("left", 4, ops.where(on_the_left, at, math.nan)),
            ("right", -4, ops.where(on_the_left, math.nan, at)),
        ):
            if moves or not math.isnan(where):  # of one that moves the other side is kept ready
                layout["annotations"].append(
                    {
                        "yref": "paper", "y": 1, "yanchor": "top", "text": text, "x": where,
                        "xanchor": anchor, "xshift": shift, "showarrow": False,
                        "font": {"size": 12, "color": style.word(color)},
                    }
                )  # fmt: skip


def band(layout: Figure, x0: Any, x1: Any, text: Any = "", *, color: str = style.LIMIT) -> None:
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
                "font": {"size": 11, "color": style.word(color)},
            }
        )  # fmt: skip


def note(
    layout: Figure,
    x: Any,
    y: Any,
    text: Any,
    *,
    color: str = style.MUTED,
    anchor: str = "center",
) -> None:
    """Words in the picture, at data coordinates."""
    layout["annotations"].append(
        {
            "x": _at(layout, "x", x), "y": _at(layout, "y", y), "text": text, "showarrow": False,
            "xanchor": anchor, "font": {"size": 12, "color": style.word(color)},
        }
    )  # fmt: skip


def _at(layout: Figure, axis: str, value: Any) -> Any:
    """Where an annotation stands: on a log axis Plotly takes powers of ten."""
    return _log10(value) if layout[f"{axis}axis"].get("type") == "log" else _number(value)
