"""The facts behind the stories of failure: Reddi's stream, penalised minima, rates that fall."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from engine.optimizers import OPTIMIZERS
from engine.problems.landscapes import Landscape
from engine.runs.changing import pursue
from engine.studies.stability import symmetric_eigenvalues

Array = npt.NDArray[np.float64]

_NEWTON_STEPS = 30
_FLAT = Landscape(
    slug="flat", name="nothing but a slope", function=lambda x, y: 0.0 * (x + y), latex="0",
    domain=((-1.0, 1.0), (-1.0, 1.0)), start=(0.0, 0.0),
)  # fmt: skip


def reddi_stream(big: float, steps: int) -> Array:
    """The gradients of Reddi, Kale & Kumar (2018), theorem 1: C every third step, else −1."""
    return np.where(np.arange(steps) % 3 == 0, big, -1.0)


def reddi_walks(big: float, lr: float, steps: int) -> dict[str, Array]:
    """Adam and AMSGrad on that stream within [−1, 1] from 0, at rates η/√t, (steps + 1,) each.

    β₁ = 0 and β₂ = 1/(1 + C²) as in the theorem, nothing corrected: the conventions of the paper.
    """
    hypers = {"lr": lr, "beta1": 0.0, "beta2": 1.0 / (1.0 + big * big)}
    conventions: dict[str, dict[str, str | bool]] = {
        "adam": {"bias_correction": False},
        "amsgrad": {"maximum": "paper"},
    }
    gradients = reddi_stream(big, steps)
    return {
        slug: pursue(
            _FLAT,
            slug,
            (0.0, 0.0),
            np.zeros((steps + 1, 2)),
            hypers,
            options=options,
            slopes=np.stack([gradients, np.zeros(steps)], axis=-1),
            schedule=1.0 / np.sqrt(np.arange(1, steps + 1)),
            bounds=(-1.0, 1.0),
        ).path[:, 0]
        for slug, options in conventions.items()
    }


def penalised_minimum(landscape: Landscape, weight_decay: float) -> tuple[float, float]:
    """The minimum of f + ½λ|w|² near the landscape's first minimum, by Newton's method.

    Raises ValueError for a landscape without a known minimum.
    """
    if not landscape.minima:
        raise ValueError(f"{landscape.slug} has no known minimum")
    w = np.asarray(landscape.minima[0], dtype=float)
    for _ in range(_NEWTON_STEPS):
        gradient = landscape.gradient(w) + weight_decay * w
        curvature = landscape.hessian(w) + weight_decay * np.eye(2)
        w = w - np.linalg.solve(curvature, gradient)
    return float(w[0]), float(w[1])


def norm(path: Array) -> Array:
    """The size of the weights along a path, (steps + 1, 2) -> (steps + 1,)."""
    return np.hypot(path[:, 0], path[:, 1])


def ratio_of_ends(values: Array) -> float:
    """The first finite value over the last."""
    finite = values[np.isfinite(values)]
    return float(finite[0] / finite[-1]) if finite.size and finite[-1] else float("nan")


def rates_at(landscape: Landscape, optimizers: Sequence[str]) -> dict[str, float]:
    """A good learning rate for each rule on a bowl: in closed form where there is one.

    Gradient descent: 2/(λmax + λmin); momentum at its β: half its stability limit; Newton: 1; the
    others at a fiftieth of the distance to the minimum, for their steps have the rate's length.
    """
    start = np.asarray(landscape.start)
    low, high = map(float, symmetric_eigenvalues(landscape.hessian(start)))
    walkers = 0.02 * float(np.hypot(*start))
    known = {"sgd": 2.0 / (low + high), "newton": 1.0}
    momentum = OPTIMIZERS["momentum"].stability_limit(high)
    if momentum is not None:
        known["momentum"] = 0.5 * momentum
    return {slug: known.get(slug, walkers) for slug in optimizers}
