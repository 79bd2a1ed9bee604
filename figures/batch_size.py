"""The pictures of batch size: examples beside weights, runs over batches, and who leaves a well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from engine.emit.picture import ceil, entry, floor, largest, smallest, stack
from engine.studies import batch_size as study
from engine.tape import operations as ops
from figures import charts, race, style

Figure = dict[str, Any]

STEP: Final = 0.5  # of a gradient is drawn
RANGE_X, RANGE_Y = (-2.2, 3.2), (-4.0, 6.0)  # of the examples
LOOKS: Final[Mapping[int, style.Look]] = {
    1: style.Look(*style.HUES["pink"], "dot", "circle"),
    32: style.Look(*style.HUES["blue"], "dash", "square"),
    256: style.Look(*style.HUES["brown"], "dashdot", "diamond"),
    study.EXAMPLES: style.Look(*style.HUES["ink"], "solid", "triangle"),
}
CHOSEN: Final = charts.color("red")
BATCH: Final = charts.color("blue")
FULL: Final = style.INK
FLAT: Final = charts.color("green")
SHARP: Final = charts.color("red")
_FLOOR: Final = 1e-7


def size_name(size: int) -> str:
    """What the runs of that size are called."""
    return "all" if size == study.EXAMPLES else str(size)


def data_space(noise: Any, w: Any, b: Any, chosen: Any, model: study.Model) -> Figure:
    """The examples, the line that the weights draw, and the chosen example's error."""
    x, y = study.examples(noise)
    layout = charts.axes(RANGE_X, RANGE_Y, x_title="x", y_title="y", kind="plane", left=34)
    across = np.array(RANGE_X)
    at_x, at_y = entry(x, chosen), entry(y, chosen)
    return {
        "data": [
            charts.marks(x, y, style.MUTED, size=3),
            charts.line(across, model.said(w, b, across), FULL, name=model.formula),
            charts.line(stack(at_x, at_x), stack(at_y, model.said(w, b, at_x)), CHOSEN, dash="dot"),
            charts.marks(stack(at_x), stack(at_y), CHOSEN, size=10),
        ],
        "layout": layout,
    }


def weight_space(
    noise: Any,
    w: Any,
    b: Any,
    chosen: Any,
    found: study.Cloud,
    model: study.Model,
    *,
    singles: bool,
) -> Figure:
    """Contours of the loss, where each example's part would lead, and the weights that would fit
    the chosen example exactly."""
    figure = plane(noise, model)
    own_x, own_y = found.own
    if singles:
        dots = charts.marks(w - STEP * own_x, b - STEP * own_y, style.MUTED, size=2.5)
        dots["opacity"] = 0.5
        figure["data"].append(dots)
    edge_x, edge_y = found.edge
    figure["data"].append(
        charts.line(w - STEP * edge_x, b - STEP * edge_y, BATCH, dash="dot", width=1.5)
    )
    x, y = study.examples(noise)
    at_x, at_y = entry(x, chosen), entry(y, chosen)
    for across, up in fitting(at_x, at_y, model):
        figure["data"].append(charts.line(across, up, CHOSEN, dash="dash", width=1.2))
    return figure


def fitting(x: Any, y: Any, model: study.Model) -> list[tuple[Any, Any]]:
    """The curves of all weights that fit (x, y) exactly: a line, or both arms of a hyperbola."""
    low, high = model.landscape.domain[0]
    if model is study.LINE:
        across = np.array([low, high])
        return [(across, y - across * x)]
    slope = y / ops.where(ops.greater(ops.absolute(x), 1e-9), x, 1e-9)
    arm = np.geomspace(0.05, high, 60)
    return [(arm, slope / arm), (-arm, -slope / arm)]


def plane(noise: Any, model: study.Model) -> Figure:
    """Contours of the loss over both weights, its minimum marked, of several the flattest."""
    means = study.of_all(noise)
    figure = race.plane(model.landscape, log=True, parameters=means)
    w, b = model.best(means)
    mark = charts.marks(stack(w), stack(b), style.TARGET, symbol="cross-thin", size=11)
    mark["marker"]["line"] = {"width": 2, "color": style.TARGET}
    figure["data"].append(mark)
    layout = figure["layout"]
    for axis, name in zip(("xaxis", "yaxis"), model.names, strict=True):
        layout[axis]["title"] = {**layout[axis]["title"], "text": name}
    layout["margin"] |= {"l": 40, "b": 38}
    return figure


def loss_axes(runs: Sequence[study.Run], columns: Sequence[Any], title: str) -> Figure:
    """Loss above its minimum against what `columns` count; decades where that is not the step."""
    log = title != "step"
    top = largest(*(ops.minimum(run.excess, 1e2) for run in runs))
    low = ops.maximum(smallest(*(run.excess for run in runs)), _FLOOR)
    last = ops.maximum(largest(*columns), 1.0)
    least = smallest(*(column[1] for column in columns)) if log else 0.0
    layout = charts.axes(
        (least, last), (1.0, 10.0), x_title=title, log_x=log, left=52,
    )  # fmt: skip
    ten = float(np.log(10.0))
    layout["yaxis"] |= {
        "type": "log", "exponentformat": "power", "dtick": 1,
        "range": [floor(ops.log(low) / ten), ceil(ops.log(top) / ten)],
    }  # fmt: skip
    charts.level(layout, study.TARGET * runs[0].excess[0], "target")
    return {"data": [], "layout": layout}


def leaving(found: Mapping[int, study.Chance], size: Any) -> Figure:
    """Where runs from the sharp well end, by batch size, with the standard error of the flat's."""
    sizes = np.array(list(found), dtype=float)
    flat = np.array([c.flat for c in found.values()])
    error = np.array([c.error for c in found.values()])
    layout = charts.axes(
        (float(sizes[0]) / 1.2, float(sizes[-1]) * 1.2), (-0.03, 1.1), x_title="batch size B",
        y_title="share of seeds", log_x=True, left=48,
    )  # fmt: skip
    layout["xaxis"] |= {"tickvals": list(found), "ticktext": [str(s) for s in found]}
    layout["yaxis"]["tickformat"] = ".0%"
    charts.upright(layout, size, color=style.INK, dash="solid")
    ranges = [
        charts.line(np.full(2, s), np.array([f - e, f + e]), FLAT, width=1.5)
        for s, f, e in zip(sizes, flat, error, strict=True)
    ]
    curves: dict[str, tuple[Any, str, style.Dash, str]] = {
        "flat well": (flat, FLAT, "solid", "circle"),
        "sharp well": (np.array([c.sharp for c in found.values()]), SHARP, "dash", "square"),
        "neither": (np.array([c.neither for c in found.values()]), style.MUTED, "dot", "diamond"),
    }
    data = list(ranges)
    for name, (share, color, dash, symbol) in curves.items():
        data.append(charts.line(sizes, share, color, dash=dash, name=name))
        data.append(charts.marks(sizes, share, color, symbol=symbol, size=6))
        where = int(np.argmax(share))
        charts.note(layout, float(sizes[where]), float(share[where]) + 0.05, name, color=color)
    return {"data": data, "layout": layout}
