"""The entropy of a density, and how the entropy of its cells differs from it.

A density gives no point any probability, only intervals: cut into cells of width Δ it is a
distribution, whose entropy H(Δ) grows without end as Δ falls, by log 2 with each halving. What
stays is h = lim H(Δ) + log Δ = −∫ p log p, the differential entropy, which may be negative
(Shannon 1948, part III, section 20; Cover and Thomas, Elements of Information Theory, theorem
8.3.1). Spread and width may be traced.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from engine.losses.information import entropy
from engine.tape import operations as ops

CELLS: Final = np.arange(-600.0, 601.0)  # the middles of the cells, in units of their width
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(12)
_HALF_UNIFORM: Final = math.sqrt(3.0)  # half the width of a uniform density of spread 1


@dataclass(frozen=True, slots=True)
class Density:
    """A density of standard deviation σ: its value at x, its share between two places, and its
    entropy in nats at σ = 1, to which log σ is added; all in units of σ. `latex` is h in nats."""

    name: str
    value: Callable[[Any], Any]
    share: Callable[[Any, Any], Any]
    unit_entropy: float
    latex: str


def _normal(z: Any) -> Any:
    return ops.exp(-0.5 * (z * z)) / math.sqrt(2.0 * math.pi)


def _normal_share(low: Any, high: Any) -> Any:
    """By Gauss and Legendre with twelve nodes: within 10⁻¹² on cells of up to four σ."""
    middle, half = 0.5 * (low + high), 0.5 * (high - low)
    total: Any = 0.0
    for node, weight in zip(_NODES.tolist(), _WEIGHTS.tolist(), strict=True):
        total = total + weight * _normal(middle + node * half)
    return half * total


def _uniform(z: Any) -> Any:
    return ops.where(ops.absolute(z) <= _HALF_UNIFORM, 0.5 / _HALF_UNIFORM, 0.0)


def _uniform_share(low: Any, high: Any) -> Any:
    inside = ops.minimum(high, _HALF_UNIFORM) - ops.maximum(low, -_HALF_UNIFORM)
    return ops.maximum(inside, 0.0) / (2.0 * _HALF_UNIFORM)


def _exponential(z: Any) -> Any:
    return ops.where(z >= 0.0, ops.exp(-ops.maximum(z, 0.0)), 0.0)


def _exponential_share(low: Any, high: Any) -> Any:
    return ops.exp(-ops.maximum(low, 0.0)) - ops.exp(-ops.maximum(high, 0.0))


DENSITIES: Final[Mapping[str, Density]] = MappingProxyType(
    {
        "normal": Density(
            "normal", _normal, _normal_share, 0.5 * math.log(2.0 * math.pi * math.e),
            r"\tfrac12\,{log}\,2\pi e\,\sigma^2",
        ),
        "uniform": Density(
            "uniform", _uniform, _uniform_share, math.log(2.0 * _HALF_UNIFORM),
            r"{log}\,\sigma\sqrt{{12}}",
        ),
        "exponential": Density(
            "exponential", _exponential, _exponential_share, 1.0, r"{log}\,e\,\sigma",
        ),
    }
)  # fmt: skip


def density(name: str, x: Any, spread: Any) -> Any:
    """The density of that name and standard deviation at x."""
    return DENSITIES[name].value(x / spread) / spread


def cells(name: str, spread: Any, width: Any) -> Any:
    """The probability of each of the CELLS, whose middles are whole multiples of the width.

    Beyond the last cell lies less than 10⁻⁶ where the width is a fortieth of the spread or more.
    """
    ratio = width / spread
    middle = CELLS * ratio
    return DENSITIES[name].share(middle - 0.5 * ratio, middle + 0.5 * ratio)


def differential_entropy(name: str, spread: Any, base: float = math.e) -> Any:
    """h of the density, in units of the logarithm to `base`."""
    return (DENSITIES[name].unit_entropy + ops.log(spread)) / math.log(base)


def finer(width: Any, base: float = math.e) -> Any:
    """−log Δ: by how much the entropy of cells that wide is above the density's own."""
    return -ops.log(width) / math.log(base)


def entropy_of_cells(name: str, spread: Any, width: Any, base: float = math.e) -> Any:
    """H(Δ) of the density cut into cells of that width."""
    shares = cells(name, spread, width)
    return entropy(shares / ops.sum(shares), base)
