"""Many runs at once: an optimizer on a landscape over a grid of hyper-parameters or starts.

`sweep` runs every cell of the grid by one emitted program: NumPy lanes at once, Numba blocks on all
cores when compiled, a CUDA kernel where there is a GPU, or tiles over any `concurrent.futures`
executor. Memory grows with the grid, never with the steps. In float64 each cell is the run that
`descend` makes of the same settings, bit for bit where only + − × ÷ √ occur, wherever it ran.
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.emit import gpu
from engine.emit.cells import ROW
from engine.emit.compiled import CellsKernel, compiler_enabled
from engine.emit.picture import written
from engine.optimizers import OPTIMIZERS, Optimizer, wrap
from engine.optimizers.schedules import Schedule
from engine.optimizers.wrappers import Wrapped
from engine.problems import minima as basins
from engine.problems.formula import landscape as typed_landscape
from engine.problems.landscapes import LANDSCAPES, Landscape
from engine.runs.descent import (
    DIVERGENCE_RADIUS,
    check_run,
    find_landscape,
    find_optimizer,
    step_inputs,
)
from engine.runs.tracing import ByFunction, landscape_loop

Array = npt.NDArray[Any]

MAX_CELLS = 2**24  # results of that many cells take about 700 MB
MAX_WORK = 10**12  # cells × steps: some twenty minutes on two cores
# Work (cells × steps) that NumPy has done sooner than the compiler would be ready.
_PLAIN_WORK = 8_000_000
# Work of one tile: a few milliseconds here, and a second or so where a tile has to travel.
_TILE_WORK = 8_000_000
_SMALL_WORK = 200_000  # less than this is done before another thread has begun
_TRAVEL_WORK = 400_000_000
_BLOCK = ROW // 4  # cells of the widest block
_COORDINATES = {"x": "w_0", "y": "w_1"}


class SweepCancelled(Exception):
    """The sweep was told to stop."""


@dataclass(frozen=True)
class Sweep:
    """A finished sweep; every array has the grid's shape, in the order of the axes.

    final_point (..., 2) is the last point inside the radius of divergence and final_loss the value
    there; diverged_at is the step that left it, -1 for none; steps_to_target is the first step at
    which the loss was at most the target, -1 for never, and None where no target was given. device
    says where it ran, and note whatever did not go as asked.
    """

    landscape: Landscape
    optimizer: Optimizer
    hypers: Mapping[str, float]
    options: Mapping[str, str | bool]
    axes: Mapping[str, Array]
    start: tuple[float, float]
    steps: int
    target: float | None
    device: str
    note: str
    final_point: Array
    final_loss: Array
    diverged_at: npt.NDArray[np.int32]
    steps_to_target: npt.NDArray[np.int32] | None

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(len(values) for values in self.axes.values())

    @property
    def diverged(self) -> npt.NDArray[np.bool_]:
        """Which cells left the radius of divergence."""
        return self.diverged_at >= 0

    @cached_property
    def nearest_minimum(self) -> npt.NDArray[np.int32]:
        """Which of `basins.minima_of(landscape)` each cell ended at; basins.NOWHERE, .DIVERGED."""
        return basins.label(self.final_point, self.diverged, basins.minima_of(self.landscape))

    def cell(self, *index: int) -> tuple[dict[str, float], tuple[float, float]]:
        """The hyper-parameters and the start of one cell: what `descend` wants to replay it."""
        at = {n: float(v[i]) for (n, v), i in zip(self.axes.items(), index, strict=True)}
        start = (at.pop("x", self.start[0]), at.pop("y", self.start[1]))
        return {**self.hypers, **at}, start


def sweep(
    landscape: Landscape | str,
    optimizer: Optimizer | str,
    axes: Mapping[str, npt.ArrayLike],
    start: Sequence[float] | npt.ArrayLike,
    steps: int,
    *,
    hypers: Mapping[str, float] | None = None,
    options: Mapping[str, str | bool] | None = None,
    schedule: npt.ArrayLike | Schedule | str | None = None,
    noise: float = 0.0,
    seed: int = 0,
    target: float | None = None,
    dtype: npt.DTypeLike = np.float64,
    device: str = "auto",
    compiled: bool = True,
    executor: Executor | None = None,
    progress: Callable[[float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Sweep:
    """Run an optimizer on a landscape once for every cell of a grid.

    axes maps one or two names to the values along that axis, each 1-D: hyper-parameters, or the
    start's coordinates "x" and "y". schedule, noise and seed are as for `descend`; every cell sees
    the same noise. dtype is float64 or float32. device is "cpu", "gpu", or "auto": a GPU where
    CuPy finds one. compiled says whether a kernel may be compiled for it. executor takes tiles
    instead of this machine's threads; should it break, the rest is computed here. progress is
    called with the share done, cancelled asked between tiles.

    Raises ValueError with a sentence for anything that cannot be run or is too large, and
    SweepCancelled when told to stop.

    >>> found = sweep("bowl", "sgd", {"lr": [0.01, 0.019, 0.03]}, (5.0, 3.0), 200, device="cpu")
    >>> found.final_loss.shape, found.diverged.tolist()  # the limit is 2/λmax = 0.02
    ((3,), [False, False, True])
    """
    job = _Job.of(
        find_landscape(landscape), find_optimizer(optimizer), axes, start, steps, hypers, options,
        schedule, noise, seed, target, dtype,
    )  # fmt: skip
    device, note = _choose_device(device, executor)
    pool = executor
    if device == "gpu":
        tiles = _tiles(job, gpu.TILE_CELLS)
        run: Callable[[_Job, int, int], _Tile] = _run_tile_on_gpu
    elif executor is None:
        ready = job.prepare() if compiled else job.kernel().compiled is not None
        # Even a small grid is worth sharing among the cores, a tiny one is not.
        share = max(job.size // (2 * _cores()), _SMALL_WORK // max(steps, 1))
        wanted = min(_TILE_WORK // max(steps, 1), share)
        tiles = _tiles(job, wanted if ready else max(wanted, CellsKernel.LANES))
        run = _run_tile
        pool = _threads() if len(tiles) > 1 else None
    else:
        tiles = _tiles(job, min(max(64, _TRAVEL_WORK // max(steps, 1)), max(64, job.size // 32)))
        run = _run_tile_away
    gathered = _Gathered(job)
    stop = cancelled or (lambda: False)
    finished = 0
    for first, last, tile in _run_all(pool, run, job, tiles, stop):
        if isinstance(tile, str):
            note = tile
            continue
        gathered.put(first, last, tile)
        finished += last - first
        if progress is not None:
            progress(finished / job.size)
    return gathered.sweep(device, note)


def _choose_device(device: str, executor: Executor | None) -> tuple[str, str]:
    if device not in ("auto", "cpu", "gpu"):
        raise ValueError(f'device is "auto", "cpu" or "gpu", got {device!r}')
    if device == "auto":
        return ("gpu" if executor is None and gpu.available() else "cpu"), ""
    if device == "gpu" and executor is not None:
        raise ValueError("a sweep runs on the GPU of this machine or over an executor, not both")
    if device == "gpu" and not gpu.available():
        raise ValueError(f"a sweep cannot run on the GPU: {gpu.why_not()}")
    return device, ""


# What has to be done ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Job:
    """A sweep before it is run: all that a tile needs, and can be sent elsewhere."""

    landscape: Landscape
    optimizer: Optimizer
    options: tuple[tuple[str, str | bool], ...]
    hypers: Mapping[str, float]
    axes: Mapping[str, Array]
    start: tuple[float, float]
    steps: int
    target: float | None
    dtype: np.dtype[Any]
    scheduled: bool
    noisy: bool
    per_step: tuple[Array, ...]

    @classmethod
    def of(
        cls,
        landscape: Landscape,
        optimizer: Optimizer,
        axes: Mapping[str, npt.ArrayLike],
        start: Sequence[float] | npt.ArrayLike,
        steps: int,
        hypers: Mapping[str, float] | None,
        options: Mapping[str, str | bool] | None,
        schedule: npt.ArrayLike | Schedule | str | None,
        noise: float,
        seed: int,
        target: float | None,
        dtype: npt.DTypeLike,
    ) -> _Job:
        """Everything checked before any work starts."""
        point = check_run(start, steps, noise)
        kind = np.dtype(dtype)
        if kind not in (np.float64, np.float32):
            raise ValueError(f"dtype is float64 or float32, got {kind}")
        if target is not None and not math.isfinite(target):
            raise ValueError(f"target must be a finite loss, got {target!r}")
        values = optimizer.hyper_values(hypers)
        checked = _check_axes(optimizer, axes)
        size = math.prod(len(a) for a in checked.values())
        if size > MAX_CELLS:
            raise ValueError(
                f"a sweep has at most {written(MAX_CELLS, 'd')} cells; "
                f"this one has {written(size, 'd')}"
            )
        if size * steps > MAX_WORK:
            raise ValueError(
                f"a sweep takes at most {written(MAX_WORK)} steps over all cells; "
                f"this one takes {written(size, 'd')} × {written(steps, 'd')}"
            )
        chosen = optimizer.option_values(options)
        per_step, factors = step_inputs(optimizer, chosen, steps, schedule, noise, seed)
        return cls(
            landscape,
            optimizer,
            tuple(chosen.items()),
            values,
            checked,
            (float(point[0]), float(point[1])),
            steps,
            target,
            kind,
            factors is not None,
            noise > 0,
            tuple(np.ascontiguousarray(a, dtype=kind) for a in per_step),
        )

    @property
    def size(self) -> int:
        return math.prod(len(a) for a in self.axes.values())

    def kernel(self) -> CellsKernel:
        """The kernel of this kind of sweep; those that differ in numbers alone share it."""
        varied = tuple(n for n in self.axes if n not in _COORDINATES)
        return _kernel(
            ByFunction(self.landscape, self.landscape.function),
            ByFunction(self.optimizer, self.optimizer.rule),
            self.options,
            self.scheduled,
            self.noisy,
            varied,
            self.target is not None,
            self.dtype.str,
        )

    def prepare(self) -> bool:
        """See to it that the compiled kernel is there, or coming where it is not worth the wait."""
        kernel = self.kernel()
        if kernel.compiled is None and compiler_enabled():
            if self.size * self.steps > _PLAIN_WORK:
                kernel.ensure()
            else:
                kernel.request()
        return kernel.compiled is not None

    def of_cells(self, first: int, last: int) -> Array:
        """Start and varied hyper-parameters of the cells first … last − 1, a row for each."""
        varied = [name for name in self.axes if name not in _COORDINATES]
        rows = np.empty((2 + len(varied), last - first), self.dtype)
        rows[:2] = np.reshape(self.start, (2, 1))
        of = dict(zip((*_COORDINATES, *varied), rows, strict=True))
        later = self.size
        for name, values in self.axes.items():
            later //= len(values)  # cells in a row that share a value
            begin, end = first // later, -(-last // later)
            turn = begin // len(values) * len(values)
            values = np.tile(values, -(-(end - turn) // len(values)))[begin - turn : end - turn]
            of[name][:] = np.repeat(values, later)[first - begin * later :][: last - first]
        return rows

    def arguments(self, first: int, last: int) -> tuple[Any, ...]:
        """What a kernel's `run` wants for those cells."""
        shared = [v for n, v in self.hypers.items() if n not in self.axes]
        constants = [*shared, *self.landscape.arguments.values()]
        target = 0.0 if self.target is None else self.target
        of_cells = self.of_cells(first, last)
        return self.steps, DIVERGENCE_RADIUS, target, constants, self.per_step, of_cells

    def __reduce__(self) -> tuple[Any, ...]:
        """Rules and landscapes travel by name, typed ones by their text: functions cannot."""
        rest = tuple(getattr(self, name) for name in self.__slots__[2:])
        return _rebuild, (describe_landscape(self.landscape), _describe(self.optimizer), rest)


def _check_axes(optimizer: Optimizer, axes: Mapping[str, npt.ArrayLike]) -> dict[str, Array]:
    if not 1 <= len(axes) <= 2:
        raise ValueError(f"a sweep has one or two axes, got {len(axes)}")
    known = [*(h.name for h in optimizer.hypers), *_COORDINATES]
    checked = {}
    for name, values in axes.items():
        if name not in known:
            raise ValueError(f"{optimizer.slug} has no axis {name!r}; it has {', '.join(known)}")
        array = np.asarray(values, dtype=float)
        if array.ndim != 1 or not array.size or not np.isfinite(array).all():
            raise ValueError(f"axis {name} must be a list of finite numbers")
        checked[name] = array
    return checked


def describe_landscape(landscape: Landscape) -> tuple[str, str, Mapping[str, float]]:
    """What `found_landscape` makes the landscape of again. Raises ValueError for an unknown one."""
    entry = LANDSCAPES.get(landscape.slug)
    if entry is not None and entry.function is landscape.function:
        return "entry", landscape.slug, dict(landscape.values)
    if typed_landscape(landscape.name).function is landscape.function:
        return "formula", landscape.name, {}
    raise ValueError(f"{landscape.name} is neither a registered landscape nor a typed formula")


def found_landscape(kind: str, text: str, values: Mapping[str, float]) -> Landscape:
    """The landscape of that name and those values, or of that formula."""
    return typed_landscape(text) if kind == "formula" else LANDSCAPES[text](**values)


def _describe(optimizer: Optimizer) -> tuple[str, Any]:
    if isinstance(optimizer, Wrapped):
        return "wrapped", (optimizer.wrapper, _describe(optimizer.inner))
    entry = OPTIMIZERS.get(optimizer.slug)
    if entry is not None and entry.rule is optimizer.rule:
        return "entry", optimizer.slug
    return "object", optimizer


def _described(optimizer: tuple[str, Any]) -> Optimizer:
    kind, what = optimizer
    if kind == "wrapped":
        wrapper, inner = what
        return wrap(wrapper, _described(inner))
    return OPTIMIZERS[what] if kind == "entry" else what


def _rebuild(
    landscape: tuple[str, str, Mapping[str, float]],
    optimizer: tuple[str, Any],
    rest: tuple[Any, ...],
) -> _Job:
    found = found_landscape(*landscape)
    return _Job(found, _described(optimizer), *rest)


@lru_cache(maxsize=128)
def _kernel(
    landscape: ByFunction,
    rule: ByFunction,
    options: tuple[tuple[str, str | bool], ...],
    scheduled: bool,
    noisy: bool,
    varied: tuple[str, ...],
    valued: bool,
    dtype: str,
) -> CellsKernel:
    loop = landscape_loop(
        landscape.entry,
        rule.entry,
        dict(options),
        varied=varied,
        scheduled=scheduled,
        noisy=noisy,
        valued=valued,
    )
    return CellsKernel(loop, dtype)


# Tiles --------------------------------------------------------------------------------------------

# The results of a kernel, then the loss at its last points.
_Tile = tuple[tuple[Array, ...], Array]


def _tiles(job: _Job, cells: int) -> list[tuple[int, int]]:
    """The grid cut into ranges of about that many cells, whole blocks each where they are large."""
    width = cells // _BLOCK * _BLOCK or max(64, cells // 64 * 64)
    return [(first, min(first + width, job.size)) for first in range(0, job.size, width)]


def _run_tile(job: _Job, first: int, last: int) -> _Tile:
    return _with_loss(job, job.kernel().run(*job.arguments(first, last)))


def _run_tile_away(job: _Job, first: int, last: int) -> _Tile:
    """A tile in another process or machine, which may have to compile its own kernel."""
    job.prepare()
    return _run_tile(job, first, last)


def _run_tile_on_gpu(job: _Job, first: int, last: int) -> _Tile:
    return _with_loss(job, gpu.run(job.kernel().loop, job.dtype, *job.arguments(first, last)))


def _with_loss(job: _Job, results: tuple[Array, ...]) -> _Tile:
    points = np.stack(results[:2], dtype=float).T  # whose coordinates lie together in memory
    return results, np.broadcast_to(job.landscape.value(points), (len(points),))


def _cores() -> int:
    return os.cpu_count() or 1


@lru_cache(maxsize=1)
def _threads() -> ThreadPoolExecutor:
    """One pool for the whole process, so that many visitors do not mean many threads."""
    return ThreadPoolExecutor(_cores(), thread_name_prefix="sweep")


def _run_all(
    pool: Executor | None,
    run: Callable[[_Job, int, int], _Tile],
    job: _Job,
    tiles: Sequence[tuple[int, int]],
    stop: Callable[[], bool],
) -> Iterator[tuple[int, int, _Tile | str]]:
    """Every tile as it is done; a sentence instead of one where the pool broke."""
    left = dict.fromkeys(tiles)
    if pool is not None:
        futures: dict[Future[_Tile], tuple[int, int]] = {}
        try:
            for tile in tiles:
                futures[pool.submit(run, job, *tile)] = tile
            for future in as_completed(futures):
                result = future.result()
                del left[futures[future]]
                yield *futures[future], result
                if stop():
                    raise SweepCancelled
            return
        except BrokenExecutor:
            # The executor belongs to the caller and cannot be revived: finish the work here.
            sentence = (
                f"the executor broke; {len(left)} of {len(tiles)} tiles were run here instead"
            )
            warnings.warn(sentence, RuntimeWarning, stacklevel=3)
            yield 0, 0, sentence
        finally:
            for future in futures:
                future.cancel()
    for tile in left:
        yield *tile, run(job, *tile)
        if stop():
            raise SweepCancelled


class _Gathered:
    """The arrays of a sweep while tiles come in."""

    def __init__(self, job: _Job) -> None:
        self.job = job
        self.point = np.empty((job.size, 2))
        self.loss = np.empty(job.size)
        self.diverged_at = np.empty(job.size, np.int32)
        self.reached = None if job.target is None else np.empty(job.size, np.int32)

    def put(self, first: int, last: int, tile: _Tile) -> None:
        (x, y, stopped, *reached), loss = tile
        part = slice(first, last)
        self.point[part, 0], self.point[part, 1] = x, y
        self.loss[part] = loss
        self.diverged_at[part] = np.where(stopped > 0, stopped, -1)
        if self.reached is not None:
            # The kernel looks before each step; what is left is to look after the last.
            at_end = (loss <= self.job.target) & (stopped == 0)
            never = np.where(at_end, self.job.steps, -1)
            self.reached[part] = np.where(reached[0] <= self.job.steps, reached[0], never)

    def sweep(self, device: str, note: str) -> Sweep:
        job = self.job
        shape = tuple(len(a) for a in job.axes.values())
        return Sweep(
            job.landscape,
            job.optimizer,
            job.hypers,
            dict(job.options),
            job.axes,
            job.start,
            job.steps,
            job.target,
            device,
            note,
            self.point.reshape(*shape, 2),
            self.loss.reshape(shape),
            self.diverged_at.reshape(shape),
            None if self.reached is None else self.reached.reshape(shape),
        )
