"""The fair race: optimizers tuned with the same budget, then raced on seeds that no tuning saw.

The budget is counted in gradient evaluations, for how much each rule was tuned decides such
comparisons as much as the rules do (Choi et al., "On empirical comparisons of optimizers for deep
learning", 2019). A race gives a loss curve for each seed; who is ahead is read from ranks seed by
seed, with a bootstrap interval for the mean rank (Efron & Tibshirani, "An introduction to the
bootstrap", 1993). The same arguments give the same numbers, to the bit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from engine.emit.compiled import CellsKernel
from engine.emit.picture import written
from engine.optimizers import Optimizer, Parameter
from engine.optimizers.schedules import Schedule
from engine.problems.landscapes import Landscape
from engine.runs.descent import DIVERGENCE_RADIUS, Descent, check_run, descend, step_inputs
from engine.runs.tracing import ByFunction, landscape_loop

Array = npt.NDArray[np.float64]

MAX_BUDGET = 1_000_000  # gradient evaluations to tune one optimizer
MAX_TRIALS = 10_000  # settings tried for one optimizer, even where most diverge at once
MAX_RACE = 100_000  # seeds × gradient evaluations of one optimizer's race
RESAMPLES = 2_000  # of the bootstrap; more change the third digit of an interval
CONFIDENCE = 0.95
ROUNDOFF = 1e-16  # losses closer to the minimum than this are the same
DIGITS = 4  # significant digits of a setting tried, so that what is shown is what ran
_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)  # the bases of `spread`
_RESOLUTION = 1e-6  # of its points: finer than settings are told apart
_TUNING_SEEDS = 1_000_000  # tuning draws from seeds above this, races from seeds below


@dataclass(frozen=True)
class Task:
    """What everybody has to do: descend from start within so many gradient evaluations a run.

    start is None where every seed draws its own, anywhere in the landscape's window. noise is the
    standard deviation of the Gaussian added to each coordinate of each gradient. schedule drives
    everybody's rate over its own steps, but for rules that search for their step's length. What an
    evaluation is, `Optimizer.price` says: losses count, and Hessian products twice.
    """

    landscape: Landscape
    start: tuple[float, float] | None
    evaluations: int
    noise: float
    schedule: Schedule | None = None

    def __post_init__(self) -> None:
        check_run(self.start or (0.0, 0.0), self.evaluations, self.noise)
        if self.evaluations < 1:
            raise ValueError("a run needs at least one gradient evaluation")

    def steps(
        self,
        optimizer: Optimizer,
        hypers: Mapping[str, float] | None = None,
        options: Mapping[str, str | bool] | None = None,
    ) -> int:
        """How many steps of the optimizer a run's evaluations pay for, at most."""
        return int(self.evaluations / optimizer.price(hypers, options) + 1e-9)

    def schedule_for(self, optimizer: Optimizer) -> Schedule | None:
        """The schedule of an optimizer's runs."""
        return None if optimizer.counted else self.schedule

    @property
    def plan(self) -> str:
        """The schedule and its parameters as text, empty where there is none."""
        return f"{self.schedule.slug} {self.schedule.arguments}" if self.schedule else ""

    def start_of(self, seed: int) -> tuple[float, float]:
        """Where the run of a seed starts, for every optimizer alike."""
        if self.start is not None:
            return self.start
        (x0, x1), (y0, y1) = self.landscape.window
        # A stream of its own: noise and probes must not change with where a run starts.
        x, y = np.random.default_rng((seed, 2)).uniform((x0, y0), (x1, y1))
        return float(x), float(y)

    def varies(self, optimizer: Optimizer, options: Mapping[str, str | bool] | None = None) -> bool:
        """Whether two seeds can give two different runs."""
        return self.noise > 0 or self.start is None or optimizer.draws_probe(options)

    def height(self, loss: npt.ArrayLike) -> Array:
        """Losses as they are compared: above the minimum where one is known, at least ROUNDOFF
        above it; infinite where there is no number."""
        loss = np.asarray(loss, dtype=float)
        loss = np.where(np.isnan(loss), np.inf, loss)
        low = self.landscape.minimum
        return loss if low is None else np.maximum(loss - low, ROUNDOFF)


def race_seeds(first: int, count: int) -> tuple[int, ...]:
    """The seeds of a race: first, first + 1, …"""
    if not 0 <= first <= _TUNING_SEEDS - count:
        raise ValueError(f"the first of {count} seeds cannot be {first}")
    return tuple(range(first, first + count))


def tuning_seeds(first: int, count: int) -> tuple[int, ...]:
    """Seeds for tuning that no race uses."""
    return tuple(_TUNING_SEEDS + seed for seed in race_seeds(first, count))


# Tuning -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Search:
    """The settings tried for one optimizer, in the order in which they were tried.

    trials (n, d) holds the values of the hyper-parameters `names`; trial 0 is the optimizer as it
    came. scores (n,) is the median over the tuning seeds of the loss reached, as `Task.height`
    counts it, infinite where that run diverged. spent (n,) is what each trial cost in gradient
    evaluations: a run that diverges is stopped there. full is the cost of a trial that does not.
    """

    names: tuple[str, ...]
    trials: Array
    scores: Array
    spent: npt.NDArray[np.int64]
    budget: int
    full: int

    @property
    def best(self) -> int:
        """The trial that scores lowest, the first of equals."""
        return int(np.argmin(self.scores))

    @property
    def found(self) -> bool:
        """Whether any trial stayed within bounds."""
        return bool(np.isfinite(self.scores).any())

    @property
    def diverged(self) -> int:
        """How many trials diverged (in the median)."""
        return int(np.isinf(self.scores).sum())

    def setting(self, trial: int) -> dict[str, float]:
        """The hyper-parameters of one trial."""
        return dict(zip(self.names, self.trials[trial].tolist(), strict=True))

    def best_of(self, counts: npt.ArrayLike, share: float = 0.5) -> Array:
        """What a search of so many trials would have found, with that probability or more.

        The share-quantile of the lowest score among n trials drawn at random from these (trial 0
        aside, which was not drawn), for each n in counts: P(lowest > s) = (1 − F(s))ⁿ with F the
        share of trials that score at most s. After Dodge et al., "Show your work" (2019), whose
        mean would be infinite here as soon as one trial diverges.
        """
        drawn = np.sort(self.scores[1:] if len(self.scores) > 1 else self.scores)
        below: Array = 1 - (1 - share) ** (1 / np.asarray(counts, dtype=float))
        # Whole numbers that rounding put a hair too high stay what they are.
        lowest: Array = drawn[np.ceil(len(drawn) * below - 1e-9).astype(int).clip(1) - 1]
        return lowest


def searched(optimizer: Optimizer, most: int | None = None) -> tuple[str, ...]:
    """The hyper-parameters that a search varies: the first `most` (None: all), the rate first."""
    names = [h.name for h in optimizer.hypers]
    return tuple(sorted(names, key=lambda name: name != "lr")[:most])


def spread(count: int, dimensions: int, *, seed: int = 0, first: int = 0) -> Array:
    """Points first … first + count − 1 of an evenly spread sequence in the unit cube.

    Halton's sequence (1960), whose digits are permuted at random by seed, which keeps columns of
    large bases from moving together (Owen, "A randomized Halton algorithm in R", 2017). Shape
    (count, dimensions), each in [0, 1); the first columns are spread best.
    Raises ValueError for more dimensions than there are bases here.
    """
    if dimensions > len(_PRIMES):
        raise ValueError(
            f"at most {len(_PRIMES)} hyper-parameters can be searched, got {dimensions}"
        )
    points = np.empty((count, dimensions))
    for column in range(dimensions):
        draw = np.random.default_rng((seed, 3, column))
        base, rest, weight = _PRIMES[column], np.arange(first, first + count), 1.0
        values = np.zeros(count)
        while weight > _RESOLUTION:
            weight /= base
            # Digits that are still 0 are permuted too: a sequence cut short is a beginning.
            values += weight * draw.permutation(base)[rest % base]
            rest = rest // base
        points[:, column] = values
    return points


def is_memory(hyper: Parameter) -> bool:
    """Whether it is a decay β, whose memory 1 / (1 − β) is what matters."""
    return hyper.scale == "linear" and hyper.low == 0 and 0.99 <= hyper.high < 1


def place(hyper: Parameter, u: npt.ArrayLike) -> Array:
    """Values of a hyper-parameter at u in [0, 1] along its range, evenly on its own scale.

    A decay β is spread evenly in log(1 − β), as in Choi et al. (2019): 0.9 and 0.99 are as far
    apart as 0 and 0.9.
    """
    u = np.asarray(u, dtype=float)
    if hyper.scale == "log":
        values = hyper.low * (hyper.high / hyper.low) ** u
    elif is_memory(hyper):
        values = 1 - (1 - hyper.high) ** u
    else:
        values = hyper.low + (hyper.high - hyper.low) * u
    rounded = [float(f"{v:.{DIGITS}g}") for v in values.ravel()]
    return np.reshape(rounded, values.shape).clip(hyper.low, hyper.high)


def tune(
    task: Task,
    optimizer: Optimizer,
    budget: int,
    seeds: Sequence[int],
    *,
    names: Sequence[str] | None = None,
    hypers: Mapping[str, float] | None = None,
    options: Mapping[str, str | bool] | None = None,
) -> Search:
    """Search an optimizer's settings with a budget of gradient evaluations.

    Tried first is the optimizer with `hypers` over its defaults, then points evenly spread over
    the ranges of `names` (by default all), each on its own scale, the rest staying as it is. Every
    trial runs once on each of the seeds. Another one starts while a full one can still be paid
    for, so the budget is never exceeded and less than one trial of it stays unspent (more only
    where MAX_TRIALS ends the search).
    Raises ValueError for unknown names, for a budget that does not pay for one trial, and for one
    above MAX_BUDGET.
    """
    values = optimizer.hyper_values(hypers)
    chosen = optimizer.option_values(options)
    names = searched(optimizer) if names is None else tuple(names)
    by_name = {h.name: h for h in optimizer.hypers}
    if not names or not set(names) <= set(by_name):
        raise ValueError(f"{optimizer.slug} can be tuned in {', '.join(by_name)}, got {names}")
    full = task.evaluations * len(seeds)
    if not (task.steps(optimizer, values, chosen) > 0 and full <= budget):
        raise ValueError(
            f"a budget of {written(budget, 'd')} gradient evaluations does not pay for one trial "
            f"of {optimizer.name}: {len(seeds)} runs of {written(task.evaluations, 'd')}"
        )
    if budget > MAX_BUDGET:
        raise ValueError(
            f"a budget is at most {written(MAX_BUDGET, 'd')} gradient evaluations, "
            f"got {written(budget, 'd')}"
        )
    trials: list[Array] = []
    scores: list[Array] = []
    spent: list[npt.NDArray[np.int64]] = []
    tried = used = 0
    # Each round starts what surely can be paid for; runs that diverge leave money for another.
    while (affordable := min((budget - used) // full, MAX_TRIALS - tried)) > 0:
        u = spread(affordable, len(names), seed=seeds[0], first=max(tried - 1, 0))
        points = np.stack([place(by_name[n], u[:, i]) for i, n in enumerate(names)], axis=-1)
        if tried == 0:
            points = np.concatenate([[[values[name] for name in names]], points[:-1]])
        reached, cost = _run_trials(task, optimizer, names, points, values, chosen, seeds)
        trials.append(points)
        scores.append(quantile(reached, 0.5))
        spent.append(cost)
        tried += len(points)
        used += int(cost.sum())
    return Search(
        names, np.concatenate(trials), np.concatenate(scores), np.concatenate(spent), budget, full
    )


def _run_trials(
    task: Task,
    optimizer: Optimizer,
    names: tuple[str, ...],
    points: Array,
    values: Mapping[str, float],
    options: Mapping[str, str | bool],
    seeds: Sequence[int],
) -> tuple[Array, npt.NDArray[np.int64]]:
    """The loss that each trial reached on each seed, (seeds, n), and its cost, (n,)."""
    settings = [dict(zip(names, point, strict=True)) for point in points.tolist()]
    if optimizer.counted:
        return _run_counted(task, optimizer, [{**values, **s} for s in settings], options, seeds)
    prices = np.array([optimizer.price({**values, **s}, options) for s in settings])
    steps = np.array([task.steps(optimizer, {**values, **s}, options) for s in settings])
    schedule = task.schedule_for(optimizer)
    kernel = _kernel(
        ByFunction(task.landscape, task.landscape.function),
        ByFunction(optimizer, optimizer.rule),
        tuple(options.items()),
        schedule is not None,
        task.noise > 0,
        names,
    )
    kernel.request()
    shared = [v for name, v in values.items() if name not in names]
    constants = [*shared, *task.landscape.arguments.values()]
    reached = np.empty((len(seeds), len(points)))
    cost = np.zeros(len(points), dtype=np.int64)
    for row, seed in enumerate(seeds):
        for count in np.unique(steps):  # one for all, unless a setting changes what a step costs
            own = np.flatnonzero(steps == count)
            columns = [np.ascontiguousarray(column) for column in points[own].T]
            per_step, _ = step_inputs(optimizer, options, count, schedule, task.noise, seed)
            starts = [np.full(len(own), s) for s in task.start_of(seed)]
            x, y, stopped = kernel.run(
                int(count), DIVERGENCE_RADIUS, 0.0, constants, per_step, [*starts, *columns]
            )
            ends = task.height(task.landscape.value(np.stack([x, y], axis=-1)))
            reached[row, own] = np.where(stopped > 0, np.inf, ends)
            taken = np.where(stopped > 0, stopped, count)
            cost[own] += np.ceil(taken * prices[own] - 1e-9).astype(np.int64)
    return reached, cost


def _run_counted(
    task: Task,
    optimizer: Optimizer,
    settings: Sequence[Mapping[str, float]],
    options: Mapping[str, str | bool],
    seeds: Sequence[int],
) -> tuple[Array, npt.NDArray[np.int64]]:
    """As `_run_trials`, for a rule whose steps cost what they ask for: each trial by itself."""
    reached = np.empty((len(seeds), len(settings)))
    cost = np.zeros(len(settings), dtype=np.int64)
    for row, seed in enumerate(seeds):
        for column, hypers in enumerate(settings):
            run = _run(task, optimizer, hypers, options, seed)
            steps = int(_paid(task, run)[-1])
            fell = run.diverged_at is not None and run.diverged_at <= steps
            taken = run.diverged_at if fell else steps
            reached[row, column] = np.inf if fell else task.height(run.loss)[steps]
            cost[column] += int(_spent(run)[taken])
    return reached, cost


def _run(
    task: Task,
    optimizer: Optimizer,
    hypers: Mapping[str, float] | None,
    options: Mapping[str, str | bool] | None,
    seed: int,
) -> Descent:
    """One run, as many steps as its evaluations may pay for."""
    return descend(
        task.landscape, optimizer, task.start_of(seed), task.steps(optimizer, hypers, options),
        hypers, options=options, schedule=task.schedule_for(optimizer), noise=task.noise, seed=seed,
    )  # fmt: skip


def _spent(run: Descent) -> Array:
    """The evaluations taken when each step is done, (steps + 1,)."""
    optimizer = run.optimizer
    if not optimizer.counted:
        return np.arange(run.steps + 1.0) * optimizer.price(run.hypers, run.options)
    asked = np.nan_to_num(run.state[optimizer.counted], nan=1.0).astype(float)
    asked[0] = 0.0
    total: Array = np.cumsum(asked)
    return total


def _paid(task: Task, run: Descent) -> npt.NDArray[np.int64]:
    """The step that is done once e evaluations are paid for, e = 0 … task.evaluations."""
    paid = np.arange(task.evaluations + 1) + 1e-9
    return np.searchsorted(_spent(run), paid, side="right") - 1


@lru_cache(maxsize=128)
def _kernel(
    landscape: ByFunction,
    rule: ByFunction,
    options: tuple[tuple[str, str | bool], ...],
    scheduled: bool,
    noisy: bool,
    varied: tuple[str, ...],
) -> CellsKernel:
    """All trials of one optimizer at once, one cell each."""
    loop = landscape_loop(
        landscape.entry, rule.entry, dict(options), varied=varied, scheduled=scheduled, noisy=noisy
    )
    return CellsKernel(loop, np.float64)


# Racing -------------------------------------------------------------------------------------------


def race(
    task: Task,
    optimizer: Optimizer,
    seeds: Sequence[int],
    hypers: Mapping[str, float] | None = None,
    *,
    options: Mapping[str, str | bool] | None = None,
) -> Array:
    """Losses against gradient evaluations on each seed, (seeds, evaluations + 1).

    Column e is the loss, as `Task.height` counts it, once e gradients are paid for; it is infinite
    from where a run diverged. A seed is the one of `descend`, so every run can be looked at there.
    Raises ValueError where `descend` would, and for a race above MAX_RACE.
    """
    if len(seeds) * task.evaluations > MAX_RACE:
        raise ValueError(
            f"a race takes at most {written(MAX_RACE, 'd')} gradient evaluations of each "
            f"optimizer; this one takes {written(len(seeds), 'd')} seeds × "
            f"{written(task.evaluations, 'd')}"
        )
    needed = seeds if task.varies(optimizer, options) else seeds[:1]
    curves = []
    for seed in needed:
        run = _run(task, optimizer, hypers, options, seed)
        losses = task.height(run.loss)
        if run.diverged_at is not None:
            losses[run.diverged_at :] = np.inf
        curves.append(losses[_paid(task, run)])
    return np.repeat(np.stack(curves), len(seeds) // len(needed), axis=0)


def quantile(values: npt.ArrayLike, share: float) -> Array:
    """The quantile along the first axis, always one of the values: the infinite ones stay so."""
    values = np.asarray(values, dtype=float)
    return np.asarray(np.quantile(values, share, axis=0, method="inverted_cdf"))


def quartiles(values: npt.ArrayLike) -> tuple[Array, Array, Array]:
    """The lower quartile, the median and the upper quartile along the first axis."""
    return quantile(values, 0.25), quantile(values, 0.5), quantile(values, 0.75)


def ranks(losses: npt.ArrayLike) -> Array:
    """Ranks among the first axis, 1 for the lowest, of losses (optimizers, seeds).

    Equals share the mean of their places, as in Friedman's test (Demšar, "Statistical comparisons
    of classifiers over multiple data sets", 2006); who diverged is last, all alike.
    """
    losses = np.asarray(losses, dtype=float)
    lower = (losses[:, None] > losses[None, :]).sum(axis=1)
    equal = (losses[:, None] == losses[None, :]).sum(axis=1)
    places: Array = lower + (equal + 1) / 2
    return places


def leader(losses: npt.ArrayLike) -> int:
    """Who has the lowest mean rank by losses (optimizers, seeds), the first of equals."""
    return int(ranks(losses).mean(axis=1).argmin())


@dataclass(frozen=True)
class Standing:
    """Where each optimizer stands over all seeds; every array is (optimizers,).

    mean is the mean rank, low … high its interval, first the share of resamples in which nobody's
    mean rank is lower (equals share it), wins the number of seeds won (shared likewise).
    """

    mean: Array
    low: Array
    high: Array
    first: Array
    wins: Array

    @property
    def order(self) -> list[int]:
        """The optimizers from the lowest mean rank to the highest."""
        return [int(i) for i in np.argsort(self.mean, kind="stable")]

    @property
    def clear(self) -> bool:
        """Whether the first stays first in at least CONFIDENCE of the resamples."""
        return bool(self.first[self.order[0]] >= CONFIDENCE)


def standing(
    places: npt.ArrayLike,
    *,
    resamples: int = RESAMPLES,
    confidence: float = CONFIDENCE,
    seed: int = 0,
) -> Standing:
    """Mean ranks of places (optimizers, seeds) with percentile bootstrap intervals.

    Whole seeds are drawn with replacement, so that what one seed does to all optimizers stays
    together; the interval lies between the percentiles of the means of the resamples (Efron &
    Tibshirani 1993, chapter 13).
    """
    places = np.asarray(places, dtype=float)
    count = places.shape[1]
    drawn = np.random.default_rng((seed, 4)).integers(count, size=(resamples, count))
    means = places[:, drawn].mean(axis=2)
    edges = np.array([(1 - confidence) / 2, (1 + confidence) / 2])
    low, high = np.quantile(means, edges, axis=1)
    return Standing(places.mean(axis=1), low, high, _shared(means), _shared(places) * count)


def _shared(values: Array) -> Array:
    """The share of columns in which each row is lowest, split evenly among equals."""
    lowest = values == values.min(axis=0)
    share: Array = (lowest / lowest.sum(axis=0)).mean(axis=1)
    return share


def at_one_rate(
    optimizer: Optimizer, lr: float, hypers: Mapping[str, float] | None = None
) -> dict[str, float]:
    """The optimizer's hyper-parameters with everybody's learning rate, where it has one."""
    values = optimizer.hyper_values(hypers)
    return {**values, "lr": lr} if "lr" in values else values


def drawn_home(task: Task, setting: Mapping[str, float]) -> bool:
    """Whether a setting's weight decay pulls straight to a minimum of the landscape: then tuning
    it tells the optimizer the answer."""
    at_zero = any(abs(x) + abs(y) < 1e-9 for x, y in task.landscape.minima)
    return at_zero and setting.get("weight_decay", 0.0) > 0


# The whole of it ----------------------------------------------------------------------------------


class Cancelled(Exception):
    """The race was told to stop."""


@dataclass(frozen=True)
class Entrant:
    """Who takes part, with what is set beside what a search varies; key is the same for the same
    rule with the same settings."""

    key: str
    optimizer: Optimizer
    hypers: Mapping[str, float]
    options: Mapping[str, str | bool]


@dataclass(frozen=True)
class Protocol:
    """How the race is held: what each search may spend and on what, which seeds race.

    most is how many hyper-parameters a search varies, None for all; search is the number of the
    first of `searches` repetitions; lr is the one rate at which all are raced as well.
    """

    budget: int
    tries: int
    most: int | None
    search: int
    searches: int
    first: int
    seeds: int
    lr: float


@dataclass(frozen=True)
class Heat:
    """One way to race: everybody's losses (seeds, evaluations + 1), and who stands where."""

    curves: list[Array]
    standing: Standing


@dataclass(frozen=True)
class Outcome:
    """What came of it: the first search of each, the race at what those found, the race at one
    rate for all, how often each is first over all searches, and whether seeds differ at all."""

    searches: list[Search]
    own: Heat
    one: Heat
    firsts: Counter[int]
    varies: bool


def hold(
    task: Task,
    entrants: Sequence[Entrant],
    protocol: Protocol,
    *,
    progress: Callable[[float], None] = lambda share: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Tune everybody, as often as the protocol says, and race them on seeds no tuning has seen.

    Searches and races done before are remembered. progress is told the share done. Raises
    ValueError where `tune` or `race` would, and Cancelled when told to stop.
    """
    units = len(entrants) * (2 * protocol.searches + 1)
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        progress(done / units)
        if cancelled():
            raise Cancelled

    found: list[list[Search]] = []
    ends: list[list[Array]] = []
    curves: list[Array] = []
    seeds = (protocol.first, protocol.seeds)
    for number in range(protocol.search, protocol.search + protocol.searches):
        spend = (number % 1000, protocol.budget, protocol.tries, protocol.most)
        searches, reached = [], []
        for entrant in entrants:
            asked = _Asked(_mark(task, entrant), task, entrant)
            search = _tuned(asked, *spend)
            searches.append(search)
            step()
            setting = tuple(search.setting(search.best).items())
            if not found:
                curves.append(_raced(asked, setting, *seeds))
                reached.append(curves[-1][:, -1])
            else:
                reached.append(_ended(asked, setting, *seeds))
            step()
        found.append(searches)
        ends.append(reached)
    level = []
    for entrant in entrants:
        asked = _Asked(_mark(task, entrant), task, entrant)
        at = at_one_rate(entrant.optimizer, protocol.lr, entrant.hypers)
        level.append(_raced(asked, tuple(at.items()), *seeds))
        step()
    return Outcome(
        found[0],
        _heat(curves),
        _heat(level),
        Counter(leader(np.stack(reached)) for reached in ends),
        any(task.varies(e.optimizer, e.options) for e in entrants),
    )


def _heat(curves: list[Array]) -> Heat:
    return Heat(curves, standing(ranks(np.stack([c[:, -1] for c in curves]))))


@dataclass(frozen=True)
class _Asked:
    """A task and who does it, known to the caches below by their mark."""

    mark: str
    task: Task = field(compare=False)
    entrant: Entrant = field(compare=False)


def _mark(task: Task, entrant: Entrant) -> str:
    surface = task.landscape
    what = (surface.slug, surface.name, surface.arguments, task.start, task.evaluations, task.noise)
    return f"{what} {task.plan} {entrant.key}"


@lru_cache(maxsize=256)
def _tuned(asked: _Asked, search: int, budget: int, tries: int, most: int | None) -> Search:
    entrant = asked.entrant
    return tune(
        asked.task,
        entrant.optimizer,
        budget,
        tuning_seeds(tries * search, tries),
        names=searched(entrant.optimizer, most),
        hypers=entrant.hypers,
        options=entrant.options,
    )


@lru_cache(maxsize=64)
def _raced(asked: _Asked, setting: tuple[tuple[str, float], ...], first: int, seeds: int) -> Array:
    entrant = asked.entrant
    hypers = {**entrant.hypers, **dict(setting)}
    return race(
        asked.task, entrant.optimizer, race_seeds(first, seeds), hypers, options=entrant.options
    )


@lru_cache(maxsize=512)
def _ended(asked: _Asked, setting: tuple[tuple[str, float], ...], first: int, seeds: int) -> Array:
    """The losses at the end of such a race, which take a hundredth of the room."""
    entrant = asked.entrant
    hypers = {**entrant.hypers, **dict(setting)}
    return race(
        asked.task, entrant.optimizer, race_seeds(first, seeds), hypers, options=entrant.options
    )[:, -1].copy()
