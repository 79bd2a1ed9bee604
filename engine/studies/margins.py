"""Losses of the margin beside each other: value, gradient, and what gradient descent makes of them.

The margin m = y·s is positive where the sign of the score s is right. Zero-one loss counts errors
but is flat, so no optimizer moves on it; hinge, logistic and squared loss are its stand-ins.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from engine.losses.functions import MARGIN_LOSSES
from engine.problems.landscapes import Landscape
from engine.runs.live import live_descend
from engine.tape import Value
from engine.tape import operations as ops


@dataclass(frozen=True, slots=True)
class MarginCurve:
    """A loss and its gradient by the margin, each of margin's shape; traced where that is."""

    margin: Any
    loss: Any
    gradient: Any


# The gradients by their formulas, which a run of any length may ask for. Zero-one loss has none at
# its jump, m = 0; what stands there is that of either side.
GRADIENTS: Mapping[str, Callable[[Any], Any]] = MappingProxyType(
    {
        "zero_one": lambda m: 0.0 * ops.absolute(m),
        "hinge": lambda m: ops.where(ops.less(m, 1.0), -1.0, 0.0),
        "logistic": lambda m: ops.negative(ops.sigmoid(ops.negative(m))),
        "squared": lambda m: 2.0 * (m - 1.0),
    }
)


def margin_curve(name: str, margin: Any) -> MarginCurve:
    """The margin loss of that name over margins of any shape."""
    m = margin if isinstance(margin, Value) else np.asarray(margin, dtype=np.float64)
    return MarginCurve(m, MARGIN_LOSSES[name](m), GRADIENTS[name](m))


def _landscape(name: str, loss: Callable[[Any], Any]) -> Landscape:
    """The loss as a landscape over (m, unused)."""

    def function(m: Any, unused: Any) -> Any:
        return loss(m)

    return Landscape(
        slug=f"margin_{name}",
        name=f"{name.replace('_', '-')} loss of a margin",
        function=function,
        latex=r"\ell(m)",
        domain=((-5.0, 5.0), (-1.0, 1.0)),
        start=(-2.0, 0.0),
    )


_LANDSCAPES: Mapping[str, Landscape] = MappingProxyType(
    {name: _landscape(name, loss) for name, loss in MARGIN_LOSSES.items()}
)


@dataclass(frozen=True, slots=True)
class MarginRun:
    """A descent: the curve at each step (steps + 1,), and the step at which it diverged, NaN where
    it did not; all of it traced where anything of the run is."""

    curve: MarginCurve
    stopped: Any

    @property
    def last(self) -> float:
        """The margin that it came to."""
        margin = self.curve.margin
        return float((margin.data if isinstance(margin, Value) else margin)[-1])

    @property
    def diverged_at(self) -> int | None:
        """The step of divergence at the values of now."""
        step = float(self.stopped.data if isinstance(self.stopped, Value) else self.stopped)
        return None if math.isnan(step) else int(step)


def descend_margin(name: str, start: Any, steps: Any, lr: Any) -> MarginRun:
    """Gradient descent on the margin itself, from start; the numbers may be traced."""
    run = live_descend(_LANDSCAPES[name], "sgd", (start, 0.0), steps, {"lr": lr})
    return MarginRun(margin_curve(name, run.x), run.stopped)
