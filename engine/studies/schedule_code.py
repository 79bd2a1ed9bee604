"""A schedule as code: the factor on the learning rate written out, and the schedulers that
frameworks have for it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final

from engine.optimizers.schedules import Schedule

Arguments = Mapping[str, float]


def factor_source(schedule: Schedule, steps: int) -> list[str]:
    """The source of `factor(t)`: η over η_max after t steps of so many, in Python's own numbers.

    It needs `math`. A schedule that is not written out here comes as the list of its factors.
    """
    given = schedule.arguments
    warm = min(_whole(given.get("warmup", 0.0) * steps), steps)
    rest = max(steps - warm, 1)
    made = _CURVES.get(schedule.slug)
    if made is None:
        numbers = ", ".join(map(repr, schedule.factors(steps).tolist()))
        return [f"FACTORS = [{numbers}]", "", "", "def factor(t):", "    return FACTORS[t]", "", ""]
    body = made(given, rest)
    lines = [
        "def factor(t):",
        f'    """{schedule.name}: the rate after t steps over its highest."""',
    ]
    if warm:
        top = float(schedule.factors(steps)[warm]) if warm < steps else 1.0
        rise = f"(t + 1) / {warm}" if top == 1.0 else f"{top!r} * (t + 1) / {warm}"
        lines += [f"    if t < {warm}:", f"        return min({rise}, {top!r})  # warm-up"]
    since = f"t - {warm}" if warm else "t"
    lines += [f"    s = min({since}, {rest - 1})"] if any("s" in _names(b) for b in body) else []
    return [*lines, *(f"    {line}" for line in body), "", ""]


def _names(line: str) -> set[str]:
    return set("".join(c if c.isalnum() or c == "_" else " " for c in line).split())


def _whole(x: float) -> int:
    return math.floor(x + 0.5)


def _length(share: float, rest: int) -> int:
    return max(_whole(share * rest), 1)


def _ends_at(final: float, share: str) -> str:
    """From 1 down half a cosine to `final`."""
    half = f"0.5 * (1 + math.cos(math.pi * {share}))"
    return half if final == 0 else f"{final!r} + {1 - final!r} * {half}"


def _restarts(a: Arguments, rest: int) -> list[str]:
    return [
        f"start, length = 0.0, {float(_length(a['cycle'], rest))!r}",
        "while s >= start + length - 1e-9 * length:",
        f"    start, length = start + length, length * {a['growth']!r}",
        f"return {_ends_at(a['final'], 'max(0.0, s - start) / length')}",
    ]


def _one_cycle(a: Arguments, rest: int) -> list[str]:
    top = a["peak"] * rest - 1
    start, end = 1 / a["divisor"], 1 / (a["divisor"] * a["final_divisor"])
    rising = [
        f"if s <= {top!r}:",
        f"    return 1 + {start - 1!r} * 0.5 * (1 + math.cos(math.pi * s / {top!r}))",
    ] if top > 0 else []  # fmt: skip
    fall = f"max(0.0, min(1.0, (s - {top!r}) / {rest - 1 - top!r}))" if rest - 1 > top else "1.0"
    return [*rising, f"fall = {fall}", f"return {_ends_at(end, 'fall')}"]


def _stable_decay(a: Arguments, rest: int) -> list[str]:
    falling = min(_length(a["decay"], rest), rest)
    share = f"max(0.0, s - {rest - falling}) / {falling}"
    return [f"return 1 - {1 - a['final']!r} * {share}"]


_CURVES: Final[Mapping[str, Callable[[Arguments, int], list[str]]]] = {
    "constant": lambda a, n: ["return 1.0"],
    "step": lambda a, n: [f"return {a['drop']!r} ** (s // {_length(a['every'], n)})"],
    "exponential": lambda a, n: [f"return {a['end']!r} ** (s / {n})"],
    "linear": lambda a, n: [f"return 1 - {1 - a['final']!r} * s / {n}"],
    "cosine": lambda a, n: [f"return {_ends_at(a['final'], f's / {n}')}"],
    "cosine_restarts": _restarts,
    "one_cycle": _one_cycle,
    "stable_decay": _stable_decay,
    "inverse_sqrt": lambda a, n: [
        f"return math.sqrt({_length(a['timescale'], n)} / ({_length(a['timescale'], n)} + s))"
    ],
}


def of_torch(schedule: Schedule, steps: int, lr: float) -> str | None:
    """PyTorch's own scheduler of `optimizer`, where it has this very one."""
    a = schedule.arguments
    if _whole(a.get("warmup", 0.0) * steps) > 0:
        return None
    place = "torch.optim.lr_scheduler"
    if schedule.slug == "step":
        size = _length(a["every"], steps)
        return f"{place}.StepLR(optimizer, step_size={size}, gamma={a['drop']!r})"
    if schedule.slug == "exponential":
        return f"{place}.ExponentialLR(optimizer, gamma={a['end']!r} ** (1 / {steps}))"
    if schedule.slug == "linear":
        ends = f"start_factor=1.0, end_factor={a['final']!r}, total_iters={steps}"
        return f"{place}.LinearLR(optimizer, {ends})"
    if schedule.slug == "cosine":
        low = a["final"] * lr
        return f"{place}.CosineAnnealingLR(optimizer, T_max={steps}, eta_min={low!r})"
    if schedule.slug == "one_cycle" and steps > 1 and a["peak"] * steps > 1:
        return (
            f"{place}.OneCycleLR(optimizer, max_lr={lr!r}, total_steps={steps}, "
            f"pct_start={a['peak']!r}, div_factor={a['divisor']!r}, "
            f"final_div_factor={a['final_divisor']!r}, cycle_momentum=False)"
        )
    return None


def of_optax(schedule: Schedule, steps: int, lr: float) -> str | None:
    """optax's own schedule of the learning rate, where it has this very one. It divides its count
    of steps in single precision, so a rate differs from ours from the eighth digit on."""
    a = schedule.arguments
    if _whole(a.get("warmup", 0.0) * steps) > 0:
        return None
    if schedule.slug == "step":
        size = _length(a["every"], steps)
        falls = dict.fromkeys(range(size, steps, size), a["drop"])
        return f"optax.piecewise_constant_schedule({lr!r}, {falls!r})" if len(falls) < 9 else None
    if schedule.slug == "exponential":
        return f"optax.exponential_decay({lr!r}, {steps}, {a['end']!r})"
    if schedule.slug == "linear":
        return f"optax.linear_schedule({lr!r}, {a['final'] * lr!r}, {steps})"
    if schedule.slug == "cosine":
        return f"optax.cosine_decay_schedule({lr!r}, {steps}, alpha={a['final']!r})"
    return None
