"""The pictures of a loss that meets an optimizer: landscape, pull, and what becomes of the rare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from engine.emit.picture import largest, smallest
from engine.runs.objectives import LOSSES
from engine.studies import loss_race as study
from engine.tape import operations as ops
from figures import charts, race, saturation, style
from figures import losses as gallery

Figure = dict[str, Any]

# Not the blue and red of the page of both losses: here they are momentum's and Adam's.
LOOKS: Final[Mapping[str, tuple[str, style.Dash]]] = {
    "cross_entropy": (charts.color("green"), "solid"),
    "mse": (charts.color("pink"), saturation.MSE_DASH),
    "focal": (gallery.FOCAL, "dashdot"),
    "hinge": (charts.color("brown"), "dot"),
}
COMMON, RARE = charts.class_color(0), charts.class_color(1)


def plane(loss: str, parameters: Mapping[str, Any]) -> Figure:
    """The loss over slope and intercept."""
    surface = study.SURFACES[loss]

    def there(w: Any, b: Any, **parameters: Any) -> Any:
        # Traced from its coordinates on, the grid is worked out where it is shown: what each
        # example adds to every cell would be megabytes to send.
        one = parameters["share"] * 0.0 + 1.0
        return surface.function(w * one, b * one, **parameters)

    figure = race.plane(replace(surface, function=there), log=True, parameters=parameters)
    layout = figure["layout"]
    layout["margin"] |= {"l": 40, "b": 34}
    for axis, name in (("xaxis", "slope w"), ("yaxis", "intercept b")):
        layout[axis]["title"] = {**layout[axis]["title"], "text": name}
    return figure


def pulls(chosen: Sequence[str], w: Any, b: Any, gamma: Any, smoothing: Any) -> Figure:
    """How hard each loss pulls a logit of class 1 up, with the rare examples at the start."""
    z = study.LOGITS
    curves = {loss: study.pull(loss, z, gamma, smoothing) for loss in dict.fromkeys(chosen)}
    high, low = largest(*curves.values(), 0.5), smallest(*curves.values(), 0.0)
    layout = charts.axes(
        (float(z[0]), float(z[-1])), (low - 0.06, high + 0.1), x_title="logit z",
        y_title="pull −∂ℓ/∂z", left=48,
    )  # fmt: skip
    charts.level(layout, 0.0)
    starts = ops.clip(w * study.RARE + b, float(z[0]), float(z[-1]))
    data = []
    for loss, curve in curves.items():
        color, dash = LOOKS[loss]
        data.append(charts.line(z, curve, color, dash=dash, name=LOSSES[loss].name))
        held = study.pull(loss, starts, gamma, smoothing)
        data.append(charts.marks(starts, held, color, size=6))
    for place, loss in enumerate(curves):
        layout["annotations"].append(
            {
                "xref": "paper", "yref": "paper", "x": 1.0, "y": 1.0 - 0.09 * place,
                "xanchor": "right", "yanchor": "top", "showarrow": False,
                "text": LOSSES[loss].name,
                "font": {"size": 12, "color": style.word(LOOKS[loss][0])},
            }
        )  # fmt: skip
    return {"data": data, "layout": layout}


def neuron(paths: Sequence[tuple[Any, Any, style.Look]]) -> Figure:
    """The examples of both classes, and what the neuron says of them where each run ended."""
    across = np.linspace(-3.2, 3.2, 97)
    layout = charts.axes((-3.2, 3.2), (-0.08, 1.08), x_title="feature x", left=48, y_title="p")
    data = [
        charts.marks(study.COMMON, np.zeros(study.EACH), COMMON, size=8),
        charts.marks(study.RARE, np.ones(study.EACH), RARE, symbol="diamond", size=8),
    ]
    for w, b, look in paths:
        data.append(charts.line(across, ops.sigmoid(w * across + b), look.color, dash=look.dash))
    return {"data": data, "layout": layout}


def rare_axes(steps: Any) -> Figure:
    """The mean probability of class 1 over its examples, against the step."""
    layout = charts.axes(
        (0.0, ops.maximum(steps, 1.0)), (-0.02, 1.02), x_title="step", y_title="mean p", left=48,
    )  # fmt: skip
    charts.level(layout, 0.5)
    return {"data": [], "layout": layout}
