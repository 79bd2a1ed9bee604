"""The facts behind the stories of failure: Reddi's stream, an idle weight, rates that fall.

What a story lets the reader move may be traced.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.emit.picture import bounded_sum, join, running_average, running_largest
from engine.optimizers import OPTIMIZERS
from engine.problems.landscapes import Landscape
from engine.tape import operations as ops

Array = npt.NDArray[np.float64]

# Adam's wrong turn --------------------------------------------------------------------------------

# The conventions of Reddi, Kale & Kumar (2018): nothing is corrected.
AS_IN_THE_PAPER: Final[Mapping[str, Mapping[str, str | bool]]] = MappingProxyType(
    {"adam": {"bias_correction": False}, "amsgrad": {"maximum": "paper"}}
)
_EPS = 1e-8


def reddi_stream(big: Any, t: Array) -> Any:
    """The gradients of Reddi, Kale & Kumar (2018), theorem 1, at steps t from 0: C every third
    step, else −1."""
    return ops.where(t % 3 == 0, big, -1.0)


def reddi_walks(big: Any, lr: Any, steps: Any, room: int) -> dict[str, Any]:
    """Adam and AMSGrad on that stream within [−1, 1] from 0, at rates η/√t, (room + 1,) each.

    β₁ = 0 and β₂ = 1/(1 + C²) as in the theorem, in the conventions AS_IN_THE_PAPER. NaN beyond
    `steps`.
    """
    t = np.arange(room, dtype=float)
    g = ops.where(t < steps, reddi_stream(big, t), np.nan)
    square = running_average(g * g, 1.0 / (1.0 + big * big))
    moved = -(lr / np.sqrt(t + 1.0)) * g
    return {
        "adam": join(0.0, bounded_sum(moved / (ops.sqrt(square) + _EPS), -1.0, 1.0)),
        "amsgrad": join(
            0.0, bounded_sum(moved / (ops.sqrt(running_largest(square)) + _EPS), -1.0, 1.0)
        ),
    }


# L2 or decay --------------------------------------------------------------------------------------

IDLE_WEIGHT: Final = Landscape(
    slug="idle_weight",
    name="x counts, y is idle",
    function=lambda x, y: (x - 1.0) * (x - 1.0) + 0.0 * y,
    latex=r"(x - 1)^2",
    domain=((-6.0, 6.0), (-6.0, 6.0)),
    start=(-3.0, 4.0),
    minimum=0.0,
    log_levels=False,
    source="after Loshchilov & Hutter (2019)",
    note="Nothing depends on y: its gradient is noise alone.",
)


def penalised_minimum(weight_decay: Any) -> tuple[Any, Any]:
    """Where (x − 1)² + ½λ|w|² is least."""
    return 2.0 / (2.0 + weight_decay), 0.0 * weight_decay


# Slope and curvature ------------------------------------------------------------------------------


def _log_cosh(x: Any, y: Any) -> Any:
    return ops.softplus(2.0 * x) - x - math.log(2.0) + 0.5 * y * y


LOG_COSH: Final = Landscape(
    slug="log_cosh",
    name="ln cosh w",
    function=_log_cosh,
    latex=r"\ln\cosh x + \tfrac12 y^2",
    domain=((-6.0, 6.0), (-6.0, 6.0)),
    start=(1.4, 0.0),
    minimum=0.0,
    minima=((0.0, 0.0),),
    log_levels=False,
    note="Its slope tanh x never passes 1 and its curvature 1 − tanh² x fades: Newton's step "
    "throws a point to the other side and farther out where sinh 2|x| > 4|x|, from 1.0888 on.",
)
NEWTON_TURNS: Final = 1.0888  # where Newton's step leads to the point across: sinh 2w = 4w


def taylor(w: Any) -> tuple[Any, Any, Any]:
    """ln cosh and its first two derivatives at w, for numbers, arrays and traced ones."""
    slope = ops.tanh(w)
    return _log_cosh(w, 0.0), slope, 1.0 - slope * slope


def leaps(lr: Any, reach: Any) -> dict[str, dict[str, Any]]:
    """The rules of that story by slug: Newton as it is, Sophia on the curvature of every step
    (γ = 1, no averages) that moves at most `reach`, Adam at lr."""
    now = {"beta1": 0.0, "beta2": 0.0, "interval": 1.0, "gamma": 1.0}
    return {
        "newton": {"lr": 1.0, "damping": 1e-8},
        "sophia": {**now, "lr": lr, "rho": reach / lr},
        "adam": {"lr": lr},
    }


# Rates that run dry, the price of κ ---------------------------------------------------------------


def ratio_of_ends(values: Any) -> float:
    """The first finite value over the last."""
    finite = values[np.isfinite(values)]
    return float(finite[0] / finite[-1]) if finite.size and finite[-1] else float("nan")


def bowl_rates(
    condition: Any, start: tuple[float, float], optimizers: Sequence[str]
) -> dict[str, Any]:
    """A good learning rate for each rule on the bowl of that condition number, in closed form.

    Its curvatures are 2 and 2κ. Gradient descent: 2/(λmax + λmin); momentum at its β: half its
    stability limit; Newton: 1; the others at a fiftieth of the distance to the minimum, for their
    steps have the rate's length.
    """
    momentum = OPTIMIZERS["momentum"].stability_limit(2.0)
    known: dict[str, Any] = {"sgd": 1.0 / (1.0 + condition), "newton": 1.0}
    if momentum is not None:
        known["momentum"] = 0.5 * momentum / condition
    walkers = 0.02 * float(np.hypot(*start))
    return {slug: known.get(slug, walkers) for slug in optimizers}
