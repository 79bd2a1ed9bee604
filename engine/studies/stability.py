"""Why a run diverged, or how close it came: curvature along the path against the rule's limit.

`explain` gives the facts as numbers and the same facts as one sentence. On a quadratic the limit
is exact; elsewhere it is that of the quadratic which fits the landscape at the point.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from engine.emit.picture import written
from engine.optimizers import Optimizer, Slot
from engine.problems.landscapes import Landscape
from engine.runs.descent import DIVERGENCE_RADIUS, Descent, PlaneOracle
from engine.runs.step import take_step
from engine.tape import Vector, autograd
from engine.tape import operations as ops
from engine.tape.interpret import ScalarRecord

Array = npt.NDArray[np.float64]

# Below this share of the limit a run that has hardly moved is said to crawl.
_CRAWL = 0.02


@dataclass(frozen=True)
class Explanation:
    """What became of a run, and which limit it passed.

    eigenvalues (steps + 1, 2) are those of the Hessian along the path, the smaller first. limit is
    the largest stable learning rate at step `since`, and ratio the learning rate there over it;
    all three are None where the rule has no limit in closed form or the curvature is nowhere
    positive. `since` is the step from which the limit stayed passed, None where it never was:
    then limit and ratio are those of the sharpest point met. rose_at is the first step whose loss
    is above the start's, None if none is.
    """

    sentence: str
    limit: float | None
    ratio: float | None
    eigenvalues: Array
    rose_at: int | None
    since: int | None
    diverged_at: int | None


def symmetric_eigenvalues(matrices: npt.ArrayLike) -> Array:
    """Eigenvalues of symmetric 2×2 matrices, (..., 2, 2) -> (..., 2), the smaller first."""
    h = np.asarray(matrices, dtype=float)
    a, b, d = h[..., 0, 0], h[..., 0, 1], h[..., 1, 1]
    with np.errstate(all="ignore"):
        middle = 0.5 * (a + d)
        half = np.hypot(0.5 * (a - d), b)
        return np.stack([middle - half, middle + half], axis=-1)


def sharpest(landscape: Landscape, x: Any, y: Any, parameters: Mapping[str, Any]) -> Any:
    """The largest eigenvalue of the Hessian at (x, y); all of them may be traced."""
    with np.errstate(all="ignore"):
        middle, half = _middle_and_half(landscape, x, y, parameters)
        return middle + half


def eigenvalues_along(
    landscape: Landscape, x: Any, y: Any, parameters: Mapping[str, Any]
) -> tuple[Any, Any]:
    """The smaller and the larger eigenvalue of the Hessian at every point of the columns x and y,
    which may be traced and change their length, as the parameters may."""
    # The Hessian's record was made at one point: no length of now gets into what is read of it.
    with np.errstate(all="ignore"):
        middle, half = _middle_and_half(landscape, x, y, parameters)
        return middle - half + 0.0 * x, middle + half + 0.0 * x


def hessian_entries(
    landscape: Landscape, x: Any, y: Any, parameters: Mapping[str, Any]
) -> tuple[Any, Any, Any]:
    """f_xx, f_xy and f_yy at (x, y); all may be traced, and then their operations are recorded."""
    record = _hessian(landscape.function, tuple(parameters))
    return cast("tuple[Any, Any, Any]", record.at(x, y, *parameters.values()))


@lru_cache(maxsize=64)  # differentiating twice takes longer than all else that a picture traces
def _hessian(function: Callable[..., Any], names: tuple[str, ...]) -> ScalarRecord:
    def entries(x: Any, y: Any, *given: Any) -> tuple[Any, Any, Any]:
        def value(w: Vector) -> Any:
            return function(w[0], w[1], **dict(zip(names, given, strict=True)))

        (a, b), (_, d) = autograd.hessian(value)(Vector((x, y)))
        return a, b, d

    return ScalarRecord.of(entries, 2 + len(names))


def _middle_and_half(
    landscape: Landscape, x: Any, y: Any, parameters: Mapping[str, Any]
) -> tuple[Any, Any]:
    """The mean of the Hessian's eigenvalues and half of what lies between them."""
    a, b, d = hessian_entries(landscape, x, y, parameters)
    half = 0.5 * (a - d)
    return 0.5 * (a + d), ops.sqrt(half * half + b * b)


def live_limit(
    optimizer: Optimizer,
    curvature: Any,
    hypers: Mapping[str, Any],
    options: Mapping[str, str | bool] | None = None,
) -> Any:
    """`Optimizer.stability_limit` with traced numbers: ∞ where nothing curves, None where unknown.

    Every limit in closed form falls as one over the curvature.
    """
    if optimizer.stability is None:
        return None
    o = SimpleNamespace(**optimizer.option_values(options))
    unit = optimizer.stability(SimpleNamespace(**hypers), o)
    return ops.where(curvature > 0.0, unit / curvature, np.inf)


def live_bound(
    optimizer: Optimizer,
    hypers: Mapping[str, Any],
    options: Mapping[str, str | bool] | None = None,
) -> Any:
    """The largest curvature at which the rule is stable at its learning rate, 2/η for gradient
    descent; None where it is not known. hypers may be traced."""
    if optimizer.stability is None:
        return None
    o = SimpleNamespace(**optimizer.option_values(options))
    return optimizer.stability(SimpleNamespace(**hypers), o) / hypers["lr"]


def explain(descent: Descent) -> Explanation:
    """The facts of a run that help to understand why it diverged, crawled or settled."""
    return explain_each([descent])[0]


def explain_each(descents: Sequence[Descent]) -> list[Explanation]:
    """`explain` for runs on the same landscape, whose curvature is worked out in one go.

    Raises ValueError where the landscapes differ.
    """
    if not descents:
        return []
    landscape = descents[0].landscape
    if any(descent.landscape != landscape for descent in descents):
        raise ValueError("the runs are not on the same landscape")
    x, y = np.concatenate([descent.path for descent in descents]).T
    with np.errstate(
        all="ignore"
    ):  # from the record, which is there: to differentiate anew is slow
        entries = hessian_entries(landscape, x, y, landscape.arguments)
    a, b, d = np.broadcast_arrays(*entries, x)[:3]
    curvature = symmetric_eigenvalues(np.stack([a, b, b, d], axis=-1).reshape(-1, 2, 2))
    ends = np.cumsum([len(descent.path) for descent in descents])[:-1]
    return [_explain(*pair) for pair in zip(descents, np.split(curvature, ends), strict=True)]


def _explain(descent: Descent, eigenvalues: Array) -> Explanation:
    ratios = _ratios(descent, eigenvalues[:, 1])
    since, at = _passed(ratios, descent)
    rose_at = _first_rise(descent)
    ratio = limit = None
    if at is not None:
        ratio = float(ratios[at])
        limit = descent.optimizer.stability_limit(
            float(eigenvalues[at, 1]), descent.hypers, descent.options
        )
    sentence = _sentence(descent, eigenvalues, ratio, limit, since, at, rose_at)
    return Explanation(sentence, limit, ratio, eigenvalues, rose_at, since, descent.diverged_at)


def _rates(descent: Descent) -> Array:
    """The learning rate of the step that leaves each point, (steps + 1,); the last one twice."""
    rates = np.full(descent.steps + 1, descent.hypers.get("lr", 0.0))
    if descent.schedule is not None and descent.steps:
        rates *= np.append(descent.schedule, descent.schedule[-1])
    return rates


def _rate(descent: Descent, step: int) -> float:
    return float(_rates(descent)[step])


def _ratios(descent: Descent, sharpest: Array) -> Array:
    """Learning rate over its limit at each point up to the last; NaN where there is no limit."""
    count = descent.last + 1
    ratios = np.full(count, np.nan)
    unit = descent.optimizer.stability_limit(1.0, descent.hypers, descent.options)
    if unit is None:
        return ratios
    rates = _rates(descent)[:count]
    curved = np.isfinite(sharpest[:count]) & (sharpest[:count] > 0)
    ratios[curved] = rates[curved] * sharpest[:count][curved] / unit
    return ratios


def _passed(ratios: Array, descent: Descent) -> tuple[int | None, int | None]:
    """(the step since which the limit is passed, the step whose limit is worth telling)."""
    known = np.flatnonzero(np.isfinite(ratios))
    if not known.size:
        return None, None
    over = np.flatnonzero(ratios > 1.0)
    if not over.size:
        return None, int(known[np.argmax(ratios[known])])
    if descent.diverged_at is None:
        sharpest = int(known[np.argmax(ratios[known])])
        return (int(over[0]), sharpest) if over[-1] == known[-1] else (None, sharpest)
    # The start of the last unbroken stretch above the limit: what came before was recovered from.
    breaks = np.flatnonzero(np.diff(over) > 1)
    since = int(over[breaks[-1] + 1] if breaks.size else over[0])
    return since, since


def _first_rise(descent: Descent) -> int | None:
    loss = descent.loss[: descent.last + 1]
    above = np.flatnonzero(loss > loss[0])
    return int(above[0]) if above.size else None


# The same in words --------------------------------------------------------------------------------


def _number(x: float) -> str:
    """Three significant digits."""
    return written(x, "3")


def _sentence(
    descent: Descent,
    eigenvalues: Array,
    ratio: float | None,
    limit: float | None,
    since: int | None,
    at: int | None,
    rose_at: int | None,
) -> str:
    name = descent.optimizer.name
    if descent.diverged_at is None:
        return _survived(descent, ratio, limit, since, at)
    refused = _refused(descent)
    if not np.isfinite(refused).all():
        return _broke(descent, refused)
    words = [f"{name} diverged at step {descent.diverged_at}"]
    start, end = float(descent.loss[0]), float(descent.landscape.value(refused))
    if descent.landscape.minimum is None and rose_at is None and end < start:
        words[0] += (
            f": {descent.landscape.name} has no bottom that way; the loss still fell, from "
            f"{_number(start)} to {_number(end)}, as the run went past a distance of "
            f"{written(DIVERGENCE_RADIUS)}"
        )
    elif since is not None and ratio is not None and limit is not None:
        words[0] += ": " + _limit_words(descent, ratio, limit, since, eigenvalues)
    elif eigenvalues[descent.last, 0] < 0:
        words[0] += (
            f": where it left, the curvature was negative "
            f"(λmin = {_number(eigenvalues[descent.last, 0])}), and nothing held it back"
        )
    else:
        words[0] += (
            f" with η = {_number(_rate(descent, 0))}; no limit is known in closed form for this "
            "rule"
        )
        if np.isfinite(eigenvalues[0, 1]):
            sharp = _number(eigenvalues[0, 1])
            words[0] += f" (the sharpest curvature at the start was λmax = {sharp})"
    if rose_at is not None:
        words.append(f"the loss first rose above its start at step {rose_at}")
    return "; ".join(words) + "."


def _refused(descent: Descent) -> Array:
    """The point (2,) of the step that was not taken, for it is far away or no point at all.

    Taken again from the run's state, without this step's noise and with probes of one sign: whether
    a point is finite hangs on neither.
    """
    last, w = descent.last, Vector(descent.path[descent.last])
    if not np.isfinite(descent.gradient[last]).all():
        return np.asarray(descent.gradient[last])
    landscape, step = descent.landscape, descent.last + 1
    factor = 1.0 if descent.schedule is None else descent.schedule[last]
    ones = Vector((np.float64(1.0), np.float64(1.0)))
    oracle = PlaneOracle(landscape, landscape.arguments, np.float64(step), factor, probe=ones)
    rows = {slot.name: descent.state[slot.name][last] for slot in _slots(descent)}
    state = {name: Vector(row) if row.shape else row for name, row in rows.items()}
    hypers = {name: np.float64(value) for name, value in descent.hypers.items()}
    with np.errstate(all="ignore"):
        following, _ = take_step(descent.optimizer, oracle, w, state, hypers, descent.options)
    return np.array([float(part) for part in following])


def _slots(descent: Descent) -> tuple[Slot, ...]:
    return descent.optimizer.slots(descent.options)


def _broke(descent: Descent, refused: Array) -> str:
    """What stopped a run whose next point is none."""
    name, last = descent.optimizer.name, descent.last
    x, y = descent.path[last]
    told = f"{name} stopped at step {last + 1}: at ({_number(x)}, {_number(y)})"
    gradient = descent.gradient[last]
    if np.isnan(gradient).any():
        beside = " and the loss are not numbers" if np.isnan(descent.loss[last]) else ""
        return f"{told} the gradient{beside or ' is not a number'}, so there is no next point."
    if np.isinf(gradient).any():
        return f"{told} the gradient is infinite, so there is no next point."
    made = (
        "made of a finite gradient a step that is not a number (0/0, 0·∞ or ∞ − ∞)"
        if np.isnan(refused).any()
        else "made of a finite gradient an infinite step (a division by 0, or a number past 10³⁰⁸)"
    )
    return f"{told} the rule {made}."


def _limit_words(
    descent: Descent, ratio: float, limit: float, step: int, eigenvalues: Array
) -> str:
    """η = 0.026 is 1.3 times the stability limit 2/λmax = 0.02 (λmax = 100, from the start)."""
    formula = limit_formula(descent.optimizer, descent.options)
    named = f" {formula} =" if formula else ""
    where = "from the start on" if step == 0 else f"since step {step}"
    return (
        f"η = {_number(_rate(descent, step))} is {_times(ratio)} the stability limit{named} "
        f"{_number(limit)} {where}, where λmax = {_number(eigenvalues[step, 1])}"
    )


def _times(ratio: float) -> str:
    return f"{ratio:.4f} times" if 0.98 < ratio < 1.02 else f"{written(ratio, '3')} times"


def _survived(
    descent: Descent, ratio: float | None, limit: float | None, since: int | None, at: int | None
) -> str:
    name, loss = descent.optimizer.name, descent.loss
    first, final = float(loss[0]), float(loss[-1])
    if not (np.isfinite(first) and np.isfinite(final)):
        return _without_loss(descent)
    told = f"{name} went from a loss of {_number(first)} to {_number(final)}"
    if ratio is None or limit is None or at is None:
        return told + "."
    share = f"η is {_times(ratio)} the stability limit {_number(limit)}"
    if since is not None:
        return f"{told}: {share} at step {at}, yet the run stays inside."
    bottom = descent.landscape.minimum
    if bottom is not None and ratio < _CRAWL and final - bottom > 0.5 * (first - bottom):
        return f"{told}: it crawls, for {share}."
    where = "" if at == 0 else f" (its sharpest point, step {at})"
    return f"{told}; {share}{where}."


def _without_loss(descent: Descent) -> str:
    """What became of a run that moved on where the loss has no finite value."""
    where = np.flatnonzero(~np.isfinite(descent.loss))
    since = "from the start on" if where[0] == 0 else f"from step {where[0]} on"
    if len(where) < len(descent.loss) - where[0]:
        since = f"at {written(len(where), 'd')} of {written(len(descent.loss), 'd')} points"
    kind = "not a number" if np.isnan(descent.loss[where]).all() else "not finite"
    return (
        f"{descent.optimizer.name} took all its {written(descent.steps, 'd')} steps, but {since} "
        f"the loss is {kind}: {descent.landscape.name} has no value there."
    )


def limit_formula(optimizer: Optimizer, options: Mapping[str, str | bool] | None = None) -> str:
    """The rule's stability limit as text, "2/λmax"; empty where none is known."""
    if optimizer.stability_text is None:
        return ""
    return optimizer.stability_text(SimpleNamespace(**optimizer.option_values(options)))
