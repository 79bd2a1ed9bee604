"""A sweep is as many runs: each cell against `descend`, however and wherever it is computed."""

from __future__ import annotations

import pickle
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import descend, optimizer
from engine.emit.compiled import CellsKernel
from engine.optimizers import OPTIMIZERS
from engine.problems.formula import landscape as typed
from engine.problems.landscapes import LANDSCAPES
from engine.runs import sweeps
from engine.runs.descent import MAX_STEPS
from engine.runs.sweeps import MAX_CELLS, Sweep, SweepCancelled, sweep
from engine.runs.tracing import landscape_loop

# Rounded the same way everywhere by IEEE 754; NumPy's and the C library's exp need not agree.
EXACT = {
    "add", "subtract", "multiply", "divide", "negative", "sqrt", "absolute", "where",
    "less", "less_equal", "greater", "greater_equal", "equal",
}  # fmt: skip
STEPS = 60


@pytest.fixture(autouse=True)
def _no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compilation is asked for where it is the subject, never in the background."""
    monkeypatch.setenv("DESCENT_LAB_COMPILE", "0")


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every sweep waits for the compiler; `descend` still does without."""
    monkeypatch.setattr(sweeps, "compiler_enabled", lambda: True)
    monkeypatch.setattr(sweeps, "_PLAIN_WORK", -1)


def axes_for(slug: str, count: int = 9) -> dict[str, np.ndarray]:
    """Learning rates from standstill to divergence, against one more hyper-parameter if any."""
    names = [h.name for h in OPTIMIZERS[slug].hypers if h.name != "lr"]
    axes = {"lr": np.geomspace(1e-4, 3.0, count)}
    for hyper in OPTIMIZERS[slug].hypers:
        if hyper.name in names[:1]:
            axes[hyper.name] = np.linspace(hyper.low, min(hyper.high, 0.99), 8)
    return axes


def check_cells(found: Sweep, cells: Iterator[tuple[int, ...]] | None = None, **run: Any) -> int:
    """Hold cells against `descend`, bit for bit; return how many of them diverged."""
    diverged = 0
    for index in cells or np.ndindex(found.shape):
        hypers, start = found.cell(*index)
        one = descend(
            found.landscape, found.optimizer, start, found.steps, hypers,
            options=found.options, **run,
        )  # fmt: skip
        at = f"cell {index}: {hypers}, {start}"
        assert found.final_point[index].tolist() == one.path[-1].tolist(), at
        assert found.final_loss[index] == one.loss[-1], at
        assert found.diverged_at[index] == (one.diverged_at or -1), at
        if found.steps_to_target is not None and found.target is not None:
            there = np.flatnonzero(one.loss[: one.last + 1] <= found.target)
            assert found.steps_to_target[index] == (there[0] if there.size else -1), at
        diverged += one.diverged_at is not None
    return diverged


@pytest.mark.parametrize("slug", OPTIMIZERS)
def test_every_cell_is_the_run_that_descend_makes(slug: str) -> None:
    optimizer = OPTIMIZERS[slug]
    used: set[str] = set()
    for options in _each_option(slug):
        loop = landscape_loop(LANDSCAPES["bowl"], optimizer, options, varied=("lr",))
        used |= {line.operation for line in loop.program.lines}
        found = sweep("bowl", slug, axes_for(slug), (5.0, 3.0), STEPS, options=options, target=1e-2)
        # cos and sin of the bowl's rotation, 0, are exact.
        if used <= EXACT | {"cos", "sin"}:
            check_cells(found)
        else:
            for index in np.ndindex(found.shape):
                hypers, start = found.cell(*index)
                one = descend("bowl", slug, start, STEPS, hypers, options=options)
                if not found.diverged[index]:
                    assert found.final_point[index] == pytest.approx(
                        one.path[-1], rel=1e-6, abs=1e-9
                    )


def _each_option(slug: str) -> list[dict[str, str | bool]]:
    """The default options, and each other choice by itself."""
    optimizer = OPTIMIZERS[slug]
    cases = [optimizer.option_values()]
    for option in optimizer.options:
        cases += [optimizer.option_values({option.name: c}) for c, _ in option.choices[1:]]
    return cases


@pytest.mark.parametrize("slug", ["sgd", "amsgrad", "adam"])
def test_compiled_cells_are_the_same_bits(slug: str, compiled: None) -> None:
    found = sweep("rosenbrock", slug, axes_for(slug, 11), (-1.5, 2.0), 200, target=0.5)
    diverged = check_cells(found)
    assert slug != "sgd" or 0 < diverged < found.diverged.size


@pytest.mark.parametrize("slug", ["ackley", "two_wells"])
def test_compiled_transcendental_landscapes_agree_to_rounding(slug: str, compiled: None) -> None:
    landscape = LANDSCAPES[slug]
    found = sweep(landscape, "adam", {"lr": [1e-3, 1e-2, 0.1]}, landscape.start, 40)
    for i in range(3):
        one = descend(landscape, "adam", landscape.start, 40, found.cell(i)[0])
        assert found.final_point[i] == pytest.approx(one.path[-1], rel=1e-9, abs=1e-12)


@settings(deadline=None, max_examples=40)
@given(
    slug=st.sampled_from(["sgd", "momentum", "nesterov", "adagrad", "adam", "adamw"]),
    landscape=st.sampled_from(["booth", "himmelblau", "saddle", "monkey_saddle", "rosenbrock"]),
    start=st.tuples(st.floats(-3, 3), st.floats(-3, 3)),
    lrs=st.lists(st.floats(1e-6, 10.0), min_size=1, max_size=5),
    steps=st.integers(0, 50),
    noise=st.sampled_from([0.0, 0.3]),
)
def test_any_cell_of_any_sweep_is_a_run(
    slug: str,
    landscape: str,
    start: tuple[float, float],
    lrs: list[float],
    steps: int,
    noise: float,
) -> None:
    found = sweep(landscape, slug, {"lr": lrs}, start, steps, noise=noise, seed=7, target=0.1)
    check_cells(found, noise=noise, seed=7)


def test_a_schedule_drives_every_cell(compiled: None) -> None:
    factors = np.linspace(1.0, 0.1, STEPS)
    found = sweep("bowl", "adam", axes_for("adam"), (5, 3), STEPS, schedule=factors, noise=0.2)
    check_cells(found, schedule=factors, noise=0.2)


def test_starts_are_axes_too(compiled: None) -> None:
    axes = {"x": np.linspace(-5, 5, 13), "y": np.linspace(-5, 5, 11)}
    found = sweep("himmelblau", "momentum", axes, (0, 0), 150, hypers={"lr": 0.005})
    assert found.shape == (13, 11)
    assert found.cell(2, 3)[1] == (axes["x"][2], axes["y"][3])
    check_cells(found)
    mixed = sweep("himmelblau", "sgd", {"lr": [0.001, 0.02], "y": axes["y"]}, (1.0, 0.0), 50)
    check_cells(mixed)


def test_a_typed_landscape_is_swept_like_any_other(compiled: None) -> None:
    formula = typed("x**2 + 50*y**2 + maximum(x, 0)*y")
    check_cells(sweep(formula, "momentum", axes_for("momentum", 4), (5, 3), STEPS, target=0.1))


def test_cells_that_diverge_stop_inside_and_tell_when() -> None:
    """Past 2/λmax = 0.02 on w₁² + 50 w₂² gradient descent diverges, below it it does not."""
    lrs = np.array([0.019, 0.0199, 0.0201, 0.03, 1.0])
    found = sweep("bowl", "sgd", {"lr": lrs}, (5.0, 3.0), 5000)
    assert found.diverged.tolist() == [False, False, True, True, True]
    assert np.isfinite(found.final_loss).all()
    assert np.abs(found.final_point).max() <= sweeps.DIVERGENCE_RADIUS
    assert found.diverged_at[-1] < found.diverged_at[-2] < found.diverged_at[-3]


def test_the_number_of_cells_need_not_fill_blocks_or_tiles(
    compiled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = sweep("bowl", "adam", {"lr": np.geomspace(1e-3, 1, 391)}, (5, 3), STEPS, target=1.0)
    monkeypatch.setattr(sweeps, "_TILE_WORK", 1)  # the smallest tiles: one block each
    tiled = sweep("bowl", "adam", {"lr": np.geomspace(1e-3, 1, 391)}, (5, 3), STEPS, target=1.0)
    one = sweep("bowl", "adam", {"lr": [1e-3]}, (5, 3), STEPS, target=1.0)
    assert_same(whole, tiled)
    assert one.final_loss[0] == whole.final_loss[0]


def test_lanes_wider_than_one_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    axes = {"lr": np.geomspace(1e-3, 1, 150)}
    whole = sweep("bowl", "adam", axes, (5, 3), STEPS)
    monkeypatch.setattr(CellsKernel, "LANES", 64)
    assert_same(whole, sweep("bowl", "adam", axes, (5, 3), STEPS))


def assert_same(a: Sweep, b: Sweep) -> None:
    for name in ("final_point", "final_loss", "diverged_at", "steps_to_target"):
        assert np.array_equal(getattr(a, name), getattr(b, name)), name


def test_single_precision_draws_the_same_picture(compiled: None) -> None:
    axes = axes_for("adam", 16)
    wide, narrow = (
        sweep("bowl", "adam", axes, (5, 3), STEPS, dtype=t, target=1.0) for t in ("f8", "f4")
    )
    assert narrow.final_point.astype(np.float32).tolist() == narrow.final_point.tolist()
    assert narrow.final_loss == pytest.approx(wide.final_loss, rel=1e-2, abs=1e-3)
    assert (narrow.steps_to_target == wide.steps_to_target).mean() > 0.95


def test_compiled_and_plain_single_precision_are_the_same_bits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    axes = axes_for("rmsprop", 7)
    plain = sweep("booth", "rmsprop", axes, (-7, -5), STEPS, dtype="f4", target=1.0)
    monkeypatch.setattr(sweeps, "compiler_enabled", lambda: True)
    monkeypatch.setattr(sweeps, "_PLAIN_WORK", -1)
    assert_same(plain, sweep("booth", "rmsprop", axes, (-7, -5), STEPS, dtype="f4", target=1.0))


def test_memory_grows_with_the_grid_and_not_with_the_steps() -> None:
    axes = {"lr": np.geomspace(1e-3, 1, 4096)}

    def once(steps: int) -> int:
        tracemalloc.start()
        try:
            sweep("booth", "adam", axes, (-7, -5), steps, target=1.0)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    def peak(steps: int) -> int:
        # Whatever else the process does meanwhile (a kernel compiles) only adds to it.
        return min(once(steps) for _ in range(3))

    peak(1)  # what is cached for good is not the sweep's
    # One number kept per cell and step would be 4096 · 180 · 8 bytes more; a kernel that is
    # compiled in between moves the peak by far less than that.
    assert peak(200) < peak(20) + 4096 * 180 * 8 / 4


def test_progress_is_told_and_a_sweep_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeps, "_TILE_WORK", 1)
    monkeypatch.setattr(CellsKernel, "LANES", 64)
    axes = {"lr": np.geomspace(1e-3, 1, 640)}
    seen: list[float] = []
    sweep("booth", "sgd", axes, (1, 1), 5, progress=seen.append)
    assert seen == sorted(seen)
    assert len(seen) == 10
    assert seen[-1] == 1.0

    seen.clear()
    with pytest.raises(SweepCancelled):
        sweep(
            "booth", "sgd", axes, (1, 1), 5,
            progress=seen.append, cancelled=lambda: len(seen) == 3,
        )  # fmt: skip
    assert len(seen) == 3


def test_an_error_in_the_callback_stops_the_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that is left raises from its progress bar: no thread may go on behind."""
    monkeypatch.setattr(sweeps, "_TILE_WORK", 1)
    monkeypatch.setattr(CellsKernel, "LANES", 64)

    def leave(share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep("booth", "sgd", {"lr": np.geomspace(1e-3, 1, 640)}, (1, 1), 5, progress=leave)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"axes": {}}, "one or two axes, got 0"),
        ({"axes": {"lr": [1], "x": [1], "y": [1]}}, "one or two axes, got 3"),
        ({"axes": {"beta9": [1.0]}}, "adam has no axis 'beta9'; it has lr, beta1"),
        ({"axes": {"lr": [np.nan]}}, "axis lr must be a list of finite numbers"),
        ({"axes": {"lr": []}}, "axis lr must be a list of finite numbers"),
        ({"axes": {"lr": [[1.0]]}}, "axis lr must be a list of finite numbers"),
        ({"dtype": "i4"}, "dtype is float64 or float32, got int32"),
        ({"device": "tpu"}, "device is"),
        ({"target": np.inf}, "target must be a finite loss"),
        ({"steps": -1}, "steps must lie in"),
        ({"schedule": [1.0]}, "schedule must be 10 finite factors"),
        ({"start": (np.inf, 0)}, "start must be two finite numbers"),
        (
            {"axes": {"lr": np.ones(MAX_CELLS + 1)}},
            "at most 16\u202f777\u202f216 cells; this one has",
        ),
        ({"axes": {"lr": np.ones(2**20)}, "steps": MAX_STEPS}, "at most 10¹² steps"),
    ],
)
def test_what_cannot_be_run_is_refused_in_a_sentence(change: dict[str, Any], says: str) -> None:
    asked: dict[str, Any] = {"axes": {"lr": [0.1]}, "start": (1, 1), "steps": 10} | change
    with pytest.raises(ValueError, match=says):
        sweep("bowl", "adam", **asked)


def test_a_sweep_to_be_done_travels_by_name() -> None:
    for landscape in (LANDSCAPES["bowl"](condition=7.0), typed("x**2 + 3*y**2")):
        job = sweeps._Job.of(
            landscape, OPTIMIZERS["adam"], {"lr": [0.1]}, (1, 1), 5,
            None, None, None, 0.0, 0, None, "f8",
        )  # fmt: skip
        twin = pickle.loads(pickle.dumps(job))
        assert twin.landscape.function is landscape.function
        assert twin.landscape.values == landscape.values
        assert twin.optimizer is job.optimizer
        assert twin.kernel() is job.kernel()


def test_a_rule_that_the_reader_typed_travels_by_its_text() -> None:
    rule = optimizer("v = beta*v + g\nw = w - lr*v")
    job = sweeps._Job.of(
        LANDSCAPES["bowl"], rule, {"beta": [0.5]}, (1, 1), 5, None, None, None, 0.0, 0, None, "f8"
    )
    assert pickle.loads(pickle.dumps(job)).optimizer is rule
    check_cells(sweep("bowl", rule, {"lr": [0.001, 0.01]}, (1, 1), 5, hypers={"beta": 0.9}))


def test_a_landscape_without_a_name_to_travel_by_is_refused() -> None:
    odd = replace(typed("x**2 + y**2"), name="x**2", function=lambda x, y: x * x)
    job = sweeps._Job.of(
        odd, OPTIMIZERS["sgd"], {"lr": [0.1]}, (1, 1), 5, None, None, None, 0.0, 0, None, "f8"
    )
    with pytest.raises(ValueError, match="neither a registered landscape nor a typed formula"):
        pickle.dumps(job)
