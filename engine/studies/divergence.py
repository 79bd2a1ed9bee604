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

from engine.problems.landscapes import Landscape
from engine.problems.parameter import Parameter
from engine.runs.descent import PlaneOracle, find_optimizer
from engine.runs.step import first_state, take_step
from engine.tape import Vector
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
    return ops.reshape(x, shape=(*ops.shape_of(x), 1))


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


@dataclass(frozen=True, slots=True)
class Moments:
    """A mean and a standard deviation."""

    mean: float
    deviation: float


@dataclass(frozen=True, slots=True)
class Fit:
    """path (steps + 1, 2) of (μ, log σ) and the divergence along it, (steps + 1,).

    Where the run left all bounds, both stay at the last point inside, and lost_at is its step.
    """

    path: Array
    divergence: Array
    lost_at: int | None

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

    The rule is evaluated as it stands: the quadrature's nodes are an array, which emitted scalar
    programs do not hold. Raises ValueError for an optimizer that there is not.
    """
    rule = find_optimizer(optimizer)
    hypers, options = rule.hyper_values({"lr": lr}), rule.option_values()
    w = Vector(map(np.float64, start))
    state = first_state(rule.slots(), w)
    path = np.tile(np.array(start, dtype=np.float64), (steps + 1, 1))
    lost_at = None
    with np.errstate(all="ignore"):
        for t in range(1, steps + 1):
            oracle = PlaneOracle(landscape, landscape.arguments, np.float64(t))
            w, state = take_step(rule, oracle, w, state, hypers, options)
            if not (abs(w[0]) < FAR and abs(w[1]) < FAR):  # nan is not inside either
                lost_at = t
                path[t:] = path[t - 1]
                break
            path[t] = tuple(w)
    return Fit(path, landscape.value(path), lost_at)


def moments(separation: float, spread: float, weight: float) -> Moments:
    """Those of the two-humped p; the best Gaussian under forward KL matches them."""
    variance = spread**2 + separation**2 * weight * (1 - weight)
    return Moments(0.5 * separation * (1 - 2 * weight), math.sqrt(variance))


def target_density(x: npt.ArrayLike, separation: Any, spread: Any, weight: Any) -> Any:
    """p(x), any shape; the parameters may be traced."""
    x = np.asarray(x, dtype=np.float64)
    return ops.exp(_log_target(x, separation, spread, weight))


def normal_density(x: Any, mean: Any, log_deviation: Any) -> Any:
    """The density of N(μ, σ²) at x, of the shape that the three broadcast to; any may be traced."""
    scale = ops.exp(log_deviation)
    z = (x - mean) / scale
    return ops.exp(-0.5 * (z * z)) / (scale * math.sqrt(2 * math.pi))


def gaussian_density(x: npt.ArrayLike, path: npt.ArrayLike) -> Array:
    """Densities (steps, len(x)) of N(μ, σ²) along a path (steps, 2) of (μ, log σ)."""
    points = np.asarray(path, dtype=np.float64)
    at = np.asarray(x, dtype=np.float64)
    return np.asarray(normal_density(at, points[:, :1], points[:, 1:]))
