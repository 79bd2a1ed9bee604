"""A Gaussian fitted to a density with two humps, by forward or by reverse KL divergence.

Forward KL(p‖q) pays wherever p is and q is not, so the fit covers both humps: mean-seeking. Reverse
KL(q‖p) pays wherever q is and p is not, so the fit hides in one hump: mode-seeking. Both are
landscapes over (μ, log σ), which any optimizer descends.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.emit.fused import fused
from engine.emit.picture import entry, round_to
from engine.problems.landscapes import Landscape
from engine.problems.parameter import Parameter
from engine.runs.array_descent import ArrayDescent, descend_on_arrays, live_descend_on_arrays
from engine.runs.descent import Descent
from engine.runs.live import LiveDescent
from engine.tape import operations as ops

Array = npt.NDArray[np.float64]

# E[f(m + s·x)] over a standard normal x as Σ weight · f(m + s·node), by the trapezoid rule: where
# the humps meet, log p bends too sharply for Gauss–Hermite's wide-set nodes, which there invent
# minima that are none.
_NODES = np.linspace(-6.0, 6.0, 121)
_WEIGHTS = np.exp(-0.5 * _NODES**2) / np.exp(-0.5 * _NODES**2).sum()
_HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)

PARAMETERS = (
    Parameter("separation", "d", "d", 4.0, 0.0, 6.0, "linear", "distance between the humps"),
    Parameter("spread", "τ", r"\tau", 0.7, 0.5, 2.0, "linear", "standard deviation of each hump"),
    Parameter("weight", "w", "w", 0.5, 0.05, 0.95, "linear", "share of the left hump"),
)
SPAN = (-7.0, 7.0)
FAR = 50.0  # a μ or log σ out here is no fit any more
_DOMAIN = ((-5.0, 5.0), (math.log(0.25), math.log(5.0)))


def _log_target(x: Any, separation: Any, spread: Any, weight: Any) -> Any:
    """log p(x) of the two-humped density."""
    half = 0.5 * separation
    left = ops.log(weight) - 0.5 * ((x + half) / spread) ** 2
    right = ops.log(1.0 - weight) - 0.5 * ((x - half) / spread) ** 2
    # log(e^a + e^b) = b + softplus(a − b), which cannot overflow.
    return right + ops.softplus(left - right) - ops.log(spread) - _HALF_LOG_TAU


def _expected(mean: Any, deviation: Any, separation: Any, spread: Any, weight: Any) -> Any:
    """E[log p(x)] for x normal with this mean and deviation, of their shape."""
    x = _per_node(mean) + _per_node(deviation) * _NODES
    return ops.sum(_log_target(x, separation, spread, weight) * _WEIGHTS, axis=-1)


def _per_node(x: Any) -> Any:
    """x with an axis for the nodes. The first stays open: a hand moves how many steps there are."""
    first, *others = ops.shape_of(x) or (None,)
    return ops.reshape(x, shape=(1,) if first is None else (-1, *others, 1))


def _forward(m: Any, s: Any, separation: Any, spread: Any, weight: Any) -> Any:
    """KL(p‖N(m, e^s)): E_p[−log q] is known from p's mean and variance."""
    mean = 0.5 * separation * (1.0 - 2.0 * weight)
    variance = spread**2 + separation**2 * weight * (1.0 - weight)
    expected = 0.5 * (variance + (mean - m) ** 2) * ops.exp(-2.0 * s) + s + _HALF_LOG_TAU
    half = 0.5 * separation
    negative_entropy = weight * _expected(-half, spread, separation, spread, weight) + (
        1.0 - weight
    ) * _expected(half, spread, separation, spread, weight)
    return expected + negative_entropy


def _reverse(m: Any, s: Any, separation: Any, spread: Any, weight: Any) -> Any:
    """KL(N(m, e^s)‖p): q's entropy is known, E_q[log p] by quadrature."""
    return -(s + _HALF_LOG_TAU + 0.5) - _expected(m, ops.exp(s), separation, spread, weight)


def _landscape(slug: str, name: str, function: Any, latex: str) -> Landscape:
    return Landscape(
        slug=slug,
        name=name,
        function=function,
        latex=latex,
        domain=_DOMAIN,
        start=(1.0, -0.5),
        parameters=PARAMETERS,
        lr=0.1,
        source="C. M. Bishop, Pattern Recognition and Machine Learning (2006), section 10.1.2",
    )


DIVERGENCES: Mapping[str, Landscape] = MappingProxyType(
    {
        "forward": _landscape(
            "kl_forward", "forward KL", _forward, r"\mathrm{KL}(p\,\|\,\mathcal N(\mu, \sigma^2))"
        ),
        "reverse": _landscape(
            "kl_reverse", "reverse KL", _reverse, r"\mathrm{KL}(\mathcal N(\mu, \sigma^2)\,\|\,p)"
        ),
    }
)


MEANS, LOG_DEVIATIONS = (np.linspace(*ends, n) for ends, n in zip(_DOMAIN, (57, 45), strict=True))


def surface(direction: str, humps: Mapping[str, Any]) -> Any:
    """The divergence over LOG_DEVIATIONS and MEANS, (45, 57); the humps may be traced."""
    m, s = MEANS.reshape(1, -1), LOG_DEVIATIONS.reshape(-1, 1)
    return fused(DIVERGENCES[direction].function, m, s, *(humps[p.name] for p in PARAMETERS))


@dataclass(frozen=True, slots=True)
class Moments:
    """A mean and a standard deviation; traced where what they are of is."""

    mean: Any
    deviation: Any


@dataclass(frozen=True, slots=True)
class Fit:
    """path (steps + 1, 2) of (μ, log σ) and the divergence along it, (steps + 1,).

    Where the run left all bounds, both stay at the last point inside, and lost_at is its step.
    """

    path: Array
    divergence: Array
    lost_at: int | None

    @classmethod
    def of(cls, run: ArrayDescent | Descent, landscape: Landscape) -> Fit:
        """A run in the plane of this divergence."""
        return cls(run.path, landscape.value(run.path), run.diverged_at)

    @property
    def end(self) -> Moments:
        """The Gaussian that the fit ends at."""
        return Moments(float(self.path[-1, 0]), math.exp(self.path[-1, 1]))


def fit(
    landscape: Landscape,
    start: tuple[float, float],
    steps: int,
    optimizer: str = "adam",
    lr: float = 0.1,
) -> Fit:
    """Fit by gradient descent in the plane of (μ, log σ).

    Raises ValueError for an optimizer that there is not.
    """
    run = descend_on_arrays(landscape, optimizer, start, steps, {"lr": lr}, bound=FAR)
    return Fit.of(run, landscape)


def live_fit(
    landscape: Landscape,
    start: tuple[Any, Any],
    steps: Any,
    optimizer: str,
    lr: Any,
    humps: Mapping[str, Any],
) -> LiveDescent:
    """`fit` in a picture: all numbers, those of the humps among them, may be traced."""
    return live_descend_on_arrays(
        landscape, optimizer, start, steps, {"lr": lr}, parameters=humps, bound=FAR
    )


@dataclass(frozen=True, slots=True)
class LiveEnd:
    """Where a fit in a picture is at a step: (μ, log σ), and the divergence there."""

    point: tuple[Any, Any]
    divergence: Any

    @property
    def numbers(self) -> tuple[Any, Any, Any]:
        """μ, σ and the divergence to be written: of a mean of 0 only round-off is left."""
        mean, log_deviation = self.point
        return round_to(mean, 6), ops.exp(log_deviation), self.divergence


def live_end(run: LiveDescent, step: Any) -> LiveEnd:
    """The last point of a fit in a picture, `step` being how many steps it has."""
    point = entry(run.x, step), entry(run.y, step)
    return LiveEnd(point, run.landscape.function(*point, **run.parameters))


def moments(separation: Any, spread: Any, weight: Any) -> Moments:
    """Those of the two-humped p; the best Gaussian under forward KL matches them."""
    variance = spread**2 + separation**2 * weight * (1 - weight)
    return Moments(0.5 * separation * (1 - 2 * weight), ops.sqrt(variance))


def target_density(x: npt.ArrayLike, separation: Any, spread: Any, weight: Any) -> Any:
    """p(x), any shape; the parameters may be traced."""
    x = np.asarray(x, dtype=np.float64)
    return ops.exp(_log_target(x, separation, spread, weight))


def normal_density(x: Any, mean: Any, log_deviation: Any) -> Any:
    """The density of N(μ, σ²) at x, of the shape that the three broadcast to; any may be traced."""
    scale = ops.exp(log_deviation)
    z = (x - mean) / scale
    return ops.exp(-0.5 * (z * z)) / (scale * math.sqrt(2 * math.pi))


def gaussian_density(x: npt.ArrayLike, mean: Any, log_deviation: Any) -> Any:
    """Densities (steps, len(x)) of N(μ, σ²) along a path, (steps,) each; they may be traced."""
    at = np.asarray(x, dtype=np.float64)
    m, s = (ops.reshape(part, shape=(-1, 1)) for part in (mean, log_deviation))
    return normal_density(at, m, s)
