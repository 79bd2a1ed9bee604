"""Learning-rate schedules: a factor on the learning rate for each step of a run.

A schedule is one function of the steps already taken, `f(t, T, p)` with t = 0 … T−1, which gives
η_t over η_max; any of them may begin with a linear warm-up. Lengths are shares of the run, so that
a longer run keeps the shape. To add one, add one entry here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType, SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.emit.picture import floor
from engine.optimizers import Parameter
from engine.tape import operations as ops

Array = npt.NDArray[np.float64]
Curve = Callable[[Any, Any, SimpleNamespace], Any]


@dataclass(frozen=True)
class Schedule:
    """A schedule and what is known of it; calling it sets parameters, as in cosine(final=0.1)."""

    slug: str
    name: str
    curve: Curve
    latex: str  # η_t with placeholders <name> for the parameters
    idea: str
    when: str
    source: str
    parameters: tuple[Parameter, ...] = ()
    values: Mapping[str, float] = field(default_factory=dict)

    def __call__(self, **values: float) -> Schedule:
        """The same schedule with other parameters; ValueError for an unknown name or bad value."""
        known = {p.name: p for p in self.parameters}
        for name, value in values.items():
            if name not in known:
                raise ValueError(
                    f"schedule {self.slug} has no parameter {name!r}; it has {', '.join(known)}"
                )
            if not (math.isfinite(value) and known[name].low <= value <= known[name].high):
                raise ValueError(
                    f"{name} must lie in [{known[name].low:g}, {known[name].high:g}], got {value!r}"
                )
        return replace(self, values={**self.values, **{k: float(v) for k, v in values.items()}})

    @property
    def arguments(self) -> dict[str, float]:
        """Every parameter's current value, defaults filled in."""
        return {p.name: float(self.values.get(p.name, p.default)) for p in self.parameters}

    def warm_up(self, steps: int) -> int:
        """How many of the steps rise to the schedule's own first rate, the first by 1 of so many:
        schedules that begin at 0 (optax's) waste it."""
        return int(min(_whole(self.arguments["warmup"] * steps), steps))

    def factors(self, steps: int) -> Array:
        """η_t / η_max for each of the steps, shape (steps,)."""
        found = self.at(np.arange(steps, dtype=float), float(steps))
        return np.asarray(np.broadcast_to(found, (steps,)), dtype=float)

    def at(self, t: Any, total: Any, values: Mapping[str, Any] | None = None) -> Any:
        """η_t / η_max at the steps t of a run of `total`; values overlay the parameters.

        All of them may be traced. Beyond the run the factor is that of its end.
        """
        p = SimpleNamespace(**{**self.arguments, **(values or {})})
        warm = ops.minimum(_whole(p.warmup * total), total)
        rest = ops.maximum(total - warm, 1.0)
        since = ops.minimum(ops.maximum(t - warm, 0.0), rest - 1.0)
        with np.errstate(all="ignore"):
            top = ops.where(total > warm, self.curve(0.0, rest, p), 1.0)
            # The first step is 1/warm of the peak, not 0: a step of length zero would be wasted.
            rising = top * ((t + 1.0) / ops.maximum(warm, 1.0))
            return ops.where(t < warm, ops.minimum(rising, top), self.curve(since, rest, p))


_WARMUP = Parameter(
    "warmup",
    "w",
    "w",
    0.0,
    0.0,
    0.5,
    "linear",
    "share of the run spent rising linearly from 0",
    label="warm-up",
)
_FINAL = Parameter(
    "final",
    "ηₘᵢₙ/ηₘₐₓ",
    r"\eta_{\min}/\eta_{\max}",
    0.0,
    0.0,
    1.0,
    "linear",
    "where it ends, as a share of the top",
    label="final rate",
)


def _whole(x: Any) -> Any:
    """The nearest whole number; halves go up."""
    return floor(x + 0.5)


def _length(share: Any, total: Any) -> Any:
    """A share of the run in whole steps, at least one."""
    return ops.maximum(_whole(share * total), 1.0)


def _constant(t: Any, total: Any, p: SimpleNamespace) -> Any:
    return 0.0 * t + 1.0


def _step(t: Any, total: Any, p: SimpleNamespace) -> Any:
    return p.drop ** floor(t / _length(p.every, total))


def _exponential(t: Any, total: Any, p: SimpleNamespace) -> Any:
    return p.end ** (t / total)


def _half_cosine(share: Any) -> Any:
    """1 at share 0, 0 at share 1."""
    return 0.5 * (1.0 + ops.cos(math.pi * share))


def _linear(t: Any, total: Any, p: SimpleNamespace) -> Any:
    return 1.0 - (1.0 - p.final) * t / total


def _cosine(t: Any, total: Any, p: SimpleNamespace) -> Any:
    return p.final + (1.0 - p.final) * _half_cosine(t / total)


def _restarts(t: Any, total: Any, p: SimpleNamespace) -> Any:
    # A cycle's length is any number, as in SGDR; were it rounded, a slow growth would be lost.
    # n cycles lie behind, and they took T₀ (kⁿ − 1)/(k − 1) steps: n T₀ where none is longer.
    first = _length(p.cycle, total)
    even = ops.equal(p.growth, 1.0)
    more = ops.where(even, 1.0, p.growth - 1.0)
    behind = ops.log1p(t * more / first) / ops.log(ops.where(even, math.e, p.growth))
    n = floor(ops.where(even, t / first, behind) + 1e-9)
    begin = first * ops.where(even, n, (p.growth**n - 1.0) / more)
    share = (t - begin) / (first * p.growth**n)
    return p.final + (1.0 - p.final) * _half_cosine(ops.clip(share, 0.0, 1.0))


def _one_cycle(t: Any, total: Any, p: SimpleNamespace) -> Any:
    start, end = 1.0 / p.divisor, 1.0 / (p.divisor * p.final_divisor)
    top = p.peak * total - 1.0  # below 0 where the peak lies before the first step
    rise = ops.clip(ops.where(top > 0.0, t / ops.where(top > 0.0, top, 1.0), 1.0), 0.0, 1.0)
    fall = ops.clip((t - top) / (total - 1.0 - top), 0.0, 1.0)
    rising = 1.0 + (start - 1.0) * _half_cosine(rise)
    falling = end + (1.0 - end) * _half_cosine(fall)
    return ops.where(t <= top, rising, falling)


def _inverse_sqrt(t: Any, total: Any, p: SimpleNamespace) -> Any:
    scale = _length(p.timescale, total)
    return ops.sqrt(scale / (scale + t))


def _stable_decay(t: Any, total: Any, p: SimpleNamespace) -> Any:
    falling = ops.minimum(_length(p.decay, total), total)
    share = ops.clip((t - (total - falling)) / falling, 0.0, 1.0)
    return 1.0 - (1.0 - p.final) * share


_ENTRIES = (
    Schedule(
        slug="constant",
        name="Constant",
        curve=_constant,
        latex=r"\eta_t = \eta_{\max}",
        parameters=(_WARMUP,),
        idea="The same rate at every step.",
        when="Where gradients carry no noise, and to see what a schedule adds.",
        source="Robbins & Monro (1951) show that with noise the rate must fall",
    ),
    Schedule(
        slug="step",
        name="Step decay",
        curve=_step,
        latex=r"\eta_t = \eta_{\max}\, <drop>^{\lfloor t / (<every>\,T) \rfloor}",
        parameters=(
            Parameter(
                "drop",
                "γ",
                r"\gamma",
                0.1,
                0.01,
                1.0,
                "linear",
                "factor at each drop",
                label="factor at a drop",
            ),
            Parameter(
                "every",
                "s",
                "s",
                0.3,
                0.01,
                1.0,
                "linear",
                "share of the run between drops",
                label="time between drops",
            ),
            _WARMUP,
        ),
        idea="Divide the rate at fixed times: each drop lets the loss fall by another level.",
        when="Convolutional networks, by tradition at 30, 60 and 90 epochs.",
        source="torch.optim.lr_scheduler.StepLR",
    ),
    Schedule(
        slug="exponential",
        name="Exponential",
        curve=_exponential,
        latex=r"\eta_t = \eta_{\max}\, <end>^{\,t/T}",
        parameters=(
            Parameter(
                "end",
                "q",
                "q",
                0.01,
                1e-6,
                1.0,
                "log",
                "what is left of the rate at the end",
                label="final share",
            ),
            _WARMUP,
        ),
        idea="Lose the same share at every step.",
        when="Where a smooth decay over known orders of magnitude is wanted.",
        source="torch.optim.lr_scheduler.ExponentialLR",
    ),
    Schedule(
        slug="linear",
        name="Linear",
        curve=_linear,
        latex=r"\eta_t = \eta_{\max}\left(1 - (1 - <final>)\,\tfrac{t}{T}\right)",
        parameters=(_FINAL, _WARMUP),
        idea="Down a straight line to the end of the run.",
        when="Fine-tuning of language models, after a warm-up.",
        source="Defazio et al., When, why and how much? (2023)",
    ),
    Schedule(
        slug="cosine",
        name="Cosine annealing",
        curve=_cosine,
        latex=(
            r"\eta_t = \eta_{\min} + \tfrac12(\eta_{\max} - \eta_{\min})"
            r"\left(1 + \cos\tfrac{\pi t}{T}\right),\quad"
            r" \tfrac{\eta_{\min}}{\eta_{\max}} = <final>"
        ),
        parameters=(_FINAL, _WARMUP),
        idea="Stay high, fall smoothly, arrive gently.",
        when="The usual choice for training from scratch when the length of the run is known.",
        source="Loshchilov & Hutter, SGDR (2017)",
    ),
    Schedule(
        slug="cosine_restarts",
        name="Warm restarts",
        curve=_restarts,
        latex=(
            r"\eta_t = \eta_{\min} + \tfrac12(\eta_{\max} - \eta_{\min})"
            r"\left(1 + \cos\tfrac{\pi t_i}{T_i}\right),\quad"
            r" T_0 = <cycle>\,T,\; T_{i+1} = <growth>\,T_i"
        ),
        parameters=(
            Parameter(
                "cycle",
                "T₀",
                "T_0",
                0.25,
                0.02,
                1.0,
                "linear",
                "first cycle's share of the run",
                label="first cycle",
            ),
            Parameter(
                "growth",
                "k",
                "k",
                1.0,
                1.0,
                4.0,
                "linear",
                "each cycle is this much longer",
                label="cycles grow by",
            ),
            _FINAL,
            _WARMUP,
        ),
        idea="Cosine again and again: each restart may leap out of the basin just found.",
        when="Snapshots of several good models from one run; runs of unknown length.",
        source="Loshchilov & Hutter, SGDR (2017)",
    ),
    Schedule(
        slug="one_cycle",
        name="One cycle",
        curve=_one_cycle,
        latex=(
            r"\eta:\ \tfrac{\eta_{\max}}{<divisor>} \nearrow \eta_{\max}"
            r" \text{ at } <peak>\,T \searrow \tfrac{\eta_{\max}}{<divisor>\cdot<final_divisor>}"
        ),
        parameters=(
            Parameter(
                "peak",
                "p",
                "p",
                0.3,
                0.02,
                0.9,
                "linear",
                "share of the run before the peak",
                label="time of the peak",
            ),
            Parameter(
                "divisor",
                "d",
                "d",
                25.0,
                1.0,
                1000.0,
                "log",
                "peak rate over starting rate",
                label="peak over start",
            ),
            Parameter(
                "final_divisor",
                "f",
                "f",
                1e4,
                1.0,
                1e6,
                "log",
                "starting rate over final rate",
                label="start over end",
            ),
            _WARMUP,
        ),
        idea="One long rise, one longer fall, at rates that a constant run could not bear.",
        when="Short budgets: many problems train in a fraction of the usual steps.",
        source="Smith & Topin, Super-convergence (2018)",
    ),
    Schedule(
        slug="stable_decay",
        name="Warm-up, stable, decay",
        curve=_stable_decay,
        latex=(
            r"\eta_t = \eta_{\max}\left(1 - (1 - <final>)\,"
            r" \max\left(0,\, \tfrac{t - (1 - <decay>)\,T}{<decay>\,T}\right)\right)"
        ),
        parameters=(
            Parameter(
                "decay",
                "d",
                "d",
                0.2,
                0.01,
                1.0,
                "linear",
                "share of the run spent falling",
                label="time of the fall",
            ),
            _FINAL,
            _WARMUP,
        ),
        idea="Hold the top for most of the run and fall in its last part alone.",
        when="Runs whose length is decided on the way: from any point of the plateau one may fall.",
        source="Hu et al., MiniCPM (2024), its decay linear",
    ),
    Schedule(
        slug="inverse_sqrt",
        name="Inverse square root",
        curve=_inverse_sqrt,
        latex=r"\eta_t = \eta_{\max} \sqrt{\frac{s}{s + t}},\quad s = <timescale>\,T",
        parameters=(
            Parameter(
                "timescale",
                "s",
                "s",
                0.05,
                0.001,
                1.0,
                "log",
                "share of the run before it bites",
                label="time before it falls",
            ),
            _WARMUP,
        ),
        idea="Fall like 1/√t: needs no end of the run.",
        when="The first transformers; training that may go on for ever.",
        source="Vaswani et al., Attention is all you need (2017)",
    ),
)

SCHEDULES: Mapping[str, Schedule] = MappingProxyType({e.slug: e for e in _ENTRIES})


def find_schedule(schedule: Schedule | str) -> Schedule:
    """The entry itself or the one of that slug; ValueError if there is none."""
    if isinstance(schedule, Schedule):
        return schedule
    if schedule not in SCHEDULES:
        raise ValueError(f"there is no schedule {schedule!r}; there are {', '.join(SCHEDULES)}")
    return SCHEDULES[schedule]
