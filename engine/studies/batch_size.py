"""What the size of a mini-batch changes: two weights fitted to examples, whose every gradient is
seen.

The models are a line, y = w·x + b, and two layers of one weight each, y = u·v·x, whose minima lie
along two valleys, the flatter the nearer u and v are to each other; the loss is half the mean
squared error. A batch's loss hangs on four averages over it, so that everything here follows the
reader's hand: the gradients of batches round that of all examples, each example's own part, and
runs of any rule over batches of any size.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.emit.picture import ceil, entry, first, floor, running_sum, smallest
from engine.optimizers import OPTIMIZERS
from engine.problems.counted import order
from engine.problems.data import Batches
from engine.problems.landscapes import LANDSCAPES, Landscape
from engine.problems.minima import minima_of
from engine.problems.parameter import Parameter
from engine.runs.live import LiveDescent
from engine.runs.per_step import live_run_per_step
from engine.studies.seeds import ends_over_seeds
from engine.tape import operations as ops

Array = npt.NDArray[np.float64]

EXAMPLES: Final = 1024
SLOPE, INTERCEPT = 1.0, 0.3  # of the line that the examples scatter round
SIZES: Final = tuple(2**k for k in range(11))  # batch sizes, the last of them all examples
RACED: Final = (1, 32, 256, EXAMPLES)
REFERENCE: Final = 32  # the batch size that has the rate itself
SHOWN: Final = 24  # batches whose gradients are drawn
MOST_STEPS: Final = 1000
TARGET: Final = 0.02  # of the loss above the minimum at the start
WITHIN: Final = math.sqrt(-2.0 * math.log(0.05))  # of a plane's normal lie so many deviations off
PASS: Final = 1e-3  # seconds of a pass: a convention
AVERAGES: Final = ("x", "xx", "xy", "y")


def _squared(w: Any, b: Any, x: Any, xx: Any, xy: Any, y: Any) -> Any:
    """Half the mean squared error, but for ½ mean y², which no weight changes."""
    return 0.5 * (w * w * xx + b * b) + w * b * x - w * xy - b * y


def _product(u: Any, v: Any, x: Any, xx: Any, xy: Any, y: Any) -> Any:
    """The same of u·v·x; means of x and y alone have no part in it."""
    slope = u * v
    return 0.5 * slope * slope * xx - slope * xy


_AVERAGES: Final = tuple(
    Parameter(name, name, name, 0.0, -1e6, 1e6, "linear", f"mean of {name}") for name in AVERAGES
)


@dataclass(frozen=True)
class Model:
    """Two weights that give y from x: what they say, their loss as a landscape, what an example's
    error makes of its gradient, and the loss of the least; all but the landscape may be traced."""

    slug: str
    names: tuple[str, str]  # of the weights
    formula: str
    landscape: Landscape
    said: Callable[[Any, Any, Any], Any]  # of w, b and x
    slopes: Callable[[Any, Any, Any], tuple[Any, Any]]  # of y by w and by b
    best: Callable[[Mapping[str, Any]], tuple[Any, Any]]  # weights of the least loss, from averages

    @property
    def start(self) -> tuple[float, float]:
        return self.landscape.start

    def gradient(self, means: Mapping[str, Any], w: Any, b: Any) -> tuple[Any, Any]:
        """By w and by b, of the loss over what the averages were taken of."""
        m = means
        if self.slug == "line":
            return w * m["xx"] + b * m["x"] - m["xy"], w * m["x"] + b - m["y"]
        along = w * b * m["xx"] - m["xy"]
        return along * b, along * w


LINE: Final = Model(
    "line",
    ("slope w", "intercept b"),
    "y = w x + b",
    Landscape(
        slug="line_fit",
        name="a line fitted to examples",
        function=_squared,
        latex=r"\tfrac12\,\overline{(wx + b - y)^2 - y^2}",
        domain=((-2.5, 3.5), (-2.0, 3.0)),
        start=(-1.5, 1.5),
        parameters=_AVERAGES,
    ),
    lambda w, b, x: w * x + b,
    lambda w, b, x: (x, x * 0.0 + 1.0),
    lambda m: _line_through(m),
)
LAYERS: Final = Model(
    "layers",
    ("first weight u", "second weight v"),
    "y = u v x",
    Landscape(
        slug="product_fit",
        name="two layers of one weight fitted to examples",
        function=_product,
        latex=r"\tfrac12\,\overline{(uvx - y)^2 - y^2}",
        domain=((-3.2, 3.2), (-2.7, 2.7)),
        start=(2.5, -0.4),
        parameters=_AVERAGES,
    ),
    lambda u, v, x: u * v * x,
    lambda u, v, x: (v * x, u * x),
    lambda m: (ops.sqrt(ops.absolute(m["xy"] / m["xx"])),) * 2,
)
MODELS: Final[Mapping[str, Model]] = {model.slug: model for model in (LINE, LAYERS)}


def _line_through(means: Mapping[str, Any]) -> tuple[Any, Any]:
    """The normal equations of a line."""
    m = means
    slope = (m["xy"] - m["x"] * m["y"]) / (m["xx"] - m["x"] * m["x"])
    return slope, m["y"] - slope * m["x"]


# The examples and their averages ------------------------------------------------------------------


@lru_cache(maxsize=1)
def drawn() -> tuple[Array, Array]:
    """x and the unit noise of every example, (EXAMPLES,) each."""
    rng = np.random.default_rng(0)
    return 0.5 + 0.8 * rng.standard_normal(EXAMPLES), rng.standard_normal(EXAMPLES)


def examples(noise: Any) -> tuple[Array, Any]:
    """x and y of every example; noise is the deviation of y from the line."""
    x, e = drawn()
    return x, (SLOPE * x + INTERCEPT) + noise * e


def _raw(places: npt.NDArray[np.intp]) -> Array:
    """Means of x, x², x·e and e over the last axis, (4, …)."""
    x, e = (a[places] for a in drawn())
    return np.stack([np.mean(a, axis=-1) for a in (x, x * x, x * e, e)])


def _averages(raw: Sequence[Any], noise: Any) -> dict[str, Any]:
    """The averages that a batch's loss hangs on, from those that know nothing of the noise."""
    x, xx, xe, e = raw
    a, c = SLOPE, INTERCEPT
    return {
        "x": x,
        "xx": xx,
        "xy": (a * xx + c * x) + noise * xe,
        "y": (a * x + c) + noise * e,
    }


@lru_cache(maxsize=1)
def _raw_of_all() -> tuple[float, ...]:
    return tuple(map(float, _raw(np.arange(EXAMPLES))))


def of_all(noise: Any) -> dict[str, Any]:
    """The averages over all examples."""
    return _averages(_raw_of_all(), noise)


@lru_cache(maxsize=32)
def _raw_of_steps(size: int, seed: int) -> tuple[Array, ...]:
    batches = Batches(EXAMPLES, size, seed)
    return tuple(_raw(np.stack([batches.take(k) for k in range(MOST_STEPS)])))


def of_steps(size: int, noise: Any, seed: int) -> dict[str, Any]:
    """The averages over the batch of each step, (MOST_STEPS,); or over all, where a batch is."""
    if size == EXAMPLES:
        return {n: v + np.zeros(MOST_STEPS) for n, v in of_all(noise).items()}
    return _averages(_raw_of_steps(size, seed), noise)


@lru_cache(maxsize=16)
def _raw_shown(seed: int) -> tuple[Array, ...]:
    orders = np.stack([order(seed, stream, EXAMPLES) for stream in range(SHOWN)])
    return tuple(np.stack([_raw(orders[:, :size]) for size in SIZES], axis=1))


def of_shown(place: Any, noise: Any, seed: int) -> dict[str, Any]:
    """The averages over SHOWN batches of SIZES[place] examples, each drawn afresh."""
    return _averages([entry(table, place) for table in _raw_shown(seed)], noise)


# Gradients ----------------------------------------------------------------------------------------


def sharpness(model: Model = LINE) -> float:
    """The largest curvature of the loss over all examples at its minimum, the flattest one where
    there are several: 2 over it bounds gradient descent. Labels are without noise."""
    x, xx, *_ = _raw_of_all()
    if model is LAYERS:
        return 2.0 * abs(SLOPE * xx + INTERCEPT * x)
    return 0.5 * (xx + 1.0 + math.hypot(xx - 1.0, 2.0 * x))


@dataclass(frozen=True, slots=True)
class Cloud:
    """Gradients at one point, traced where that is: each example's own (EXAMPLES,), those of
    batches (SHOWN,), the full one, and the edge of the ellipse that holds 95 % of batches."""

    own: tuple[Any, Any]
    batches: tuple[Any, Any]
    full: tuple[Any, Any]
    edge: tuple[Any, Any]
    spread: Any  # root of the mean squared distance of a batch's gradient from the full one
    scale: Any  # McCandlish et al. (2018), "simple": trace of the covariance over ‖full‖²


def cloud(w: Any, b: Any, noise: Any, place: Any, seed: int, model: Model = LINE) -> Cloud:
    """The gradients at (w, b) of batches of SIZES[place]."""
    x, y = examples(noise)
    error = model.said(w, b, x) - y
    by_w, by_b = model.slopes(w, b, x)
    own = error * by_w, error * by_b
    full = ops.mean(own[0]), ops.mean(own[1])
    away = own[0] - full[0], own[1] - full[1]
    ww, wb, bb = (ops.mean(away[i] * away[j]) for i, j in ((0, 0), (0, 1), (1, 1)))
    size = entry(np.array(SIZES, dtype=float), place)
    # Drawn without replacement: of all examples there is one batch, and nothing is left to chance.
    share = (EXAMPLES - size) / (size * (EXAMPLES - 1.0))
    along = ops.sqrt(ops.maximum(ww, 1e-300))
    across = ops.sqrt(ops.maximum(bb - wb * wb / (along * along), 0.0))
    angle = np.linspace(0.0, 2.0 * np.pi, 61)
    reach = WITHIN * ops.sqrt(share)
    first_way, second_way = np.cos(angle), np.sin(angle)
    edge = (
        full[0] + reach * along * first_way,
        full[1] + reach * (wb / along * first_way + across * second_way),
    )
    return Cloud(
        own,
        model.gradient(of_shown(place, noise, seed), w, b),
        full,
        edge,
        ops.sqrt(share * (ww + bb)),
        (ww + bb) / ops.maximum(full[0] * full[0] + full[1] * full[1], 1e-12),
    )


def place(size: Any) -> Any:
    """The place among SIZES of the batch size nearest to a number, which may be traced."""
    exponent = floor(ops.log(ops.maximum(size, 1.0)) / math.log(2.0) + 0.5)
    return ops.clip(exponent, 0.0, len(SIZES) - 1.0)


def nearest(x: Any, y: Any, at_x: Any, at_y: Any, scale: tuple[float, float]) -> Any:
    """The place of the point nearest to (at_x, at_y), distances measured in `scale`."""
    across, up = (x - at_x) / scale[0], (y - at_y) / scale[1]
    away = across * across + up * up
    return first(ops.less_equal(away, smallest(away)))


# Runs ---------------------------------------------------------------------------------------------


def rate(lr: Any, size: int, power: Any) -> Any:
    """η (B / 32)ᵖ: p = 1 is linear scaling (Goyal et al. 2017), ½ its root, 0 one rate for all."""
    return lr * ops.exp(power * math.log(size / REFERENCE))


@dataclass(frozen=True, eq=False)
class Run:
    """A run over batches of one size; traced where anything of it is."""

    model: Model
    size: int
    lr: Any
    descent: LiveDescent
    excess: Any  # loss over all examples above its minimum, (steps + 1,)
    examples: Any  # that it has seen after each step, (steps + 1,)
    seconds: Any


def run(
    rule: str,
    size: int,
    lr: Any,
    power: Any,
    steps: Any,
    noise: Any,
    wide: Any,
    seed: int,
    model: Model = LINE,
) -> Run:
    """A rule over batches of that size from the model's start, at the rate that falls to it.

    wide is how many examples the machine takes side by side: a step takes ⌈size / wide⌉ passes.
    """
    means, own = of_all(noise), rate(lr, size, power)
    each = of_steps(size, noise, seed)
    surface = model.landscape
    descent = live_run_per_step(
        surface, rule, model.start, steps, each, {"lr": own}, parameters=means
    )
    lowest = surface.function(*model.best(means), **means)
    count = running_sum(descent.x * 0.0 + 1.0) - 1.0
    passes = ceil(float(size) / (wide * 1.0))
    with np.errstate(all="ignore"):
        excess = ops.maximum(descent.loss - lowest, 1e-16)
    return Run(model, size, own, descent, excess, count * float(size), count * (passes * PASS))


@dataclass(frozen=True, slots=True)
class Price:
    """A row of the trade-off: what a batch size costs and buys. NaN: not reached."""

    size: int
    lr: float
    epoch: int  # steps
    noise: float  # spread of a batch's gradient over the full one's length, at the start
    steps: float  # to the target, as are the next two
    examples: float
    seconds: float
    floor: float  # mean loss above the minimum in the second half of the run


def price(run: Run, noise: float) -> Price:
    """What the run as it stands cost, to TARGET of where it began."""
    excess = np.asarray(_now(run.excess))
    found = np.flatnonzero(excess <= TARGET * excess[0])
    at = int(found[0]) if found.size and run.descent.result.diverged_at is None else None
    here = cloud(*run.model.start, noise, SIZES.index(run.size), 0, run.model)
    there = math.nan if at is None else float(at)
    return Price(
        run.size,
        float(_now(run.lr)),
        EXAMPLES // run.size,
        float(here.spread) / math.hypot(*map(float, here.full)),
        there,
        there * run.size,
        math.nan if at is None else float(np.asarray(_now(run.seconds))[at]),
        float(excess[len(excess) // 2 :].mean()),
    )


def _now(x: Any) -> Any:
    return getattr(x, "data", x) if not isinstance(x, np.ndarray) else x


# Sharp and flat -----------------------------------------------------------------------------------

WELLS: Final = LANDSCAPES["two_wells"]
WELL_START: Final = (1.5, 0.05)
WELL_STEPS: Final = 1000
WELL_SIZES: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256)


@dataclass(frozen=True, slots=True)
class Chance:
    """Of runs over many seeds, the shares that end in the flat well, in the sharp one, in neither,
    and how uncertain the first is (a standard error)."""

    flat: float
    sharp: float
    neither: float
    error: float


def leaving(single: float, lr: float) -> dict[int, Chance]:
    """By batch size: where gradient descent from the sharp well ends.

    single is the deviation of one example's gradient in each coordinate; a batch of B has
    single / √B.
    """
    flat = min(range(2), key=lambda i: minima_of(WELLS)[i].x)
    found = {}
    for size in WELL_SIZES:
        noise = single / math.sqrt(size)
        ends = ends_over_seeds(
            WELLS, OPTIMIZERS["sgd"], WELL_START, WELL_STEPS, {"lr": lr}, noise=noise
        )
        there, here = ends.shares[flat], ends.shares[1 - flat]
        found[size] = Chance(there, here, max(0.0, 1.0 - there - here), ends.error(flat))
    return found
