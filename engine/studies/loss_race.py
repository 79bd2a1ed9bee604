"""A loss meets an optimizer: one neuron, rare and common examples, and a race on the loss chosen.

The neuron has two weights, p = σ(w·x + b), so that each loss is a landscape of its own under the
same data. How rare class 1 is, the focus of focal loss and the smoothing of labels are its
parameters.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from statistics import NormalDist
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine import losses
from engine.problems.landscapes import Landscape
from engine.problems.parameter import Parameter
from engine.runs.objectives import LOSSES
from engine.tape import autograd
from engine.tape import operations as ops

Array = npt.NDArray[np.float64]

EACH: Final = 8  # examples of a class
CENTRE, SPREAD = 1.0, 0.9  # class 1 lies round 1, class 0 round −1
START: Final = (-3.0, -3.0)  # confident the wrong way round
LOGITS: Final = np.linspace(-8.0, 8.0, 161)


def _class(centre: float) -> Array:
    """Points that a normal distribution spreads evenly over its quantiles."""
    normal = NormalDist(centre, SPREAD)
    return np.array([normal.inv_cdf((i + 0.5) / EACH) for i in range(EACH)])


COMMON, RARE = _class(-CENTRE), _class(CENTRE)


def of_logit(loss: str, z: Any, y: float, gamma: Any, smoothing: Any) -> Any:
    """The loss of one example of class y, by its slug in LOSSES; gamma is focal loss's focus.

    Smoothing s takes s/2 of the label away (Szegedy et al. 2016): the target is (1 − s) y + s/2,
    or, for losses that know labels alone, the loss is 1 − s/2 of one and s/2 of the other's.
    """
    if loss in ("cross_entropy", "mse"):
        return LOSSES[loss].one(z, (1.0 - smoothing) * y + 0.5 * smoothing)

    def of(label: float) -> Any:
        if loss == "focal":
            return losses.focal(z, label, gamma, reduction="none")
        return LOSSES[loss].one(z, label)

    return (1.0 - 0.5 * smoothing) * of(y) + 0.5 * smoothing * of(1.0 - y)


def _function(loss: str, w: Any, b: Any, share: Any, gamma: Any, smoothing: Any) -> Any:
    total: Any = 0.0
    for xs, y, weight in ((COMMON, 0.0, 1.0 - share), (RARE, 1.0, share)):
        own: Any = 0.0
        for x in xs.tolist():
            own = own + of_logit(loss, w * x + b, y, gamma, smoothing)
        total = total + (weight / EACH) * own
    return total


_PARAMETERS: Final = (
    Parameter("share", "π", r"\pi", 0.1, 0.01, 0.5, "log", "share of class 1"),
    Parameter("gamma", "γ", r"\gamma", 2.0, 0.0, 5.0, "linear", "focus of focal loss"),
    Parameter("smoothing", "s", "s", 0.0, 0.0, 0.4, "linear", "what a label gives up"),
)

SURFACES: Final[Mapping[str, Landscape]] = MappingProxyType(
    {
        slug: Landscape(
            slug=f"neuron_{slug}",
            name=f"one neuron under {loss.name}",
            function=partial(_function, slug),
            latex=r"(1-\pi)\,\overline{\ell(wx+b, 0)} + \pi\,\overline{\ell(wx+b, 1)}",
            domain=((-5.0, 6.0), (-7.0, 4.0)),
            start=START,
            parameters=_PARAMETERS,
            log_levels=False,
        )
        for slug, loss in LOSSES.items()
    }
)


def pull(loss: str, z: Any, gamma: Any, smoothing: Any) -> Any:
    """How hard the loss pulls the logit of an example of class 1 up: −∂ℓ/∂z, of z's shape."""
    slope = autograd.grad(lambda z: of_logit(loss, z, 1.0, gamma, smoothing))(z)
    return ops.negative(slope)


def confidence(w: Any, b: Any, xs: Array, y: float) -> Any:
    """The mean probability of the true class over examples xs of class y, along a path."""
    sign = 1.0 if y else -1.0
    total: Any = 0.0
    for x in xs.tolist():
        total = total + ops.sigmoid(sign * (w * x + b))
    return total / float(len(xs))


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where a run ended: the mean probability of the true class and the share told right, of each
    class, and the first step with most of class 1 right (NaN: none)."""

    rare_p: float
    common_p: float
    rare_right: float
    common_right: float
    found: float


def outcome(path: Array) -> Outcome:
    """Of a path (steps + 1, 2) of w and b."""
    with np.errstate(all="ignore"):
        rare = path[:, :1] * RARE + path[:, 1:]
        common = path[:, :1] * COMMON + path[:, 1:]
    most = np.flatnonzero(np.mean(rare > 0, axis=1) > 0.5)
    return Outcome(
        float(confidence(path[-1, 0], path[-1, 1], RARE, 1.0)),
        float(confidence(path[-1, 0], path[-1, 1], COMMON, 0.0)),
        float(np.mean(rare[-1] > 0)),
        float(np.mean(common[-1] < 0)),
        float(most[0]) if most.size else math.nan,
    )
