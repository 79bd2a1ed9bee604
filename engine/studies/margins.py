"""Losses of the margin beside each other: value, gradient, and what gradient descent makes of them.

The margin m = y·s is positive where the sign of the score s is right. Zero-one loss counts errors
but is flat, so no optimizer moves on it; hinge, logistic and squared loss are its stand-ins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.losses.functions import MARGIN_LOSSES
from engine.problems.landscapes import Landscape
from engine.runs.descent import descend
from engine.tape import autograd

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MarginCurve:
    """A loss and its gradient by the margin, each of margin's shape."""

    margin: Array
    loss: Array
    gradient: Array


def margin_curve(name: str, margin: npt.ArrayLike) -> MarginCurve:
    """The margin loss of that name over margins of any shape."""
    m = np.asarray(margin, dtype=np.float64)
    loss, gradient = autograd.value_and_grad(MARGIN_LOSSES[name])(m)
    return MarginCurve(m, np.asarray(loss), np.broadcast_to(gradient, m.shape))


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
    """A descent: the curve at each step (steps + 1,), and the step at which it diverged, if any."""

    curve: MarginCurve
    diverged_at: int | None


def descend_margin(name: str, start: float, steps: int, lr: float) -> MarginRun:
    """Gradient descent on the margin itself, from start."""
    run = descend(_LANDSCAPES[name], "sgd", (start, 0.0), steps, {"lr": lr})
    return MarginRun(margin_curve(name, run.path[:, 0]), run.diverged_at)
