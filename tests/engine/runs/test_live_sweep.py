"""A sweep in a picture: the engine's own numbers, and no more work than a page may wait for."""

from __future__ import annotations

import numpy as np
import pytest

import engine
from engine.emit.compiled import CellsKernel
from engine.emit.picture import Picture
from engine.runs.live_sweep import COARSE, COARSE_LINE, Span, cells_along, live_sweep, middles


def test_the_middles_of_cells() -> None:
    assert middles(0.0, 1.0, 4, log=False) == pytest.approx([0.125, 0.375, 0.625, 0.875])
    assert middles(1e-4, 1.0, 2, log=True) == pytest.approx([1e-3, 1e-1])


def test_the_parts_are_those_of_the_sweep_at_the_values_of_now() -> None:
    live = Picture({"lr": 0.05, "condition": 30.0, "steps": 25.0})
    found = live_sweep(
        "bowl",
        "momentum",
        {"beta": Span(0.0, 0.9, False), "lr": Span(0.001, live["lr"], True)},
        (5.0, 3.0),
        live["steps"],
        parameters={"condition": live["condition"]},
        target=0.1,
    )
    axes = {
        "beta": middles(0.0, 0.9, COARSE, log=False),
        "lr": middles(0.001, 0.05, COARSE, log=True),
    }
    bowl = engine.LANDSCAPES["bowl"](condition=30)
    plain = engine.sweep(bowl, "momentum", axes, (5, 3), 25, target=0.1, device="cpu")
    np.testing.assert_array_equal(found.loss.data, plain.final_loss)
    np.testing.assert_array_equal(found.x.data, plain.final_point[..., 0])
    np.testing.assert_array_equal(found.y.data, plain.final_point[..., 1])
    np.testing.assert_array_equal(found.diverged.data, plain.diverged)
    np.testing.assert_array_equal(found.steps.data, plain.steps_to_target)


def test_what_is_known_already_is_taken_and_sent_along() -> None:
    live = Picture({"rate": 0.5})
    axes = {"lr": middles(1e-3, 0.5, 600, log=True)}
    known = engine.sweep("bowl", "sgd", axes, (5, 3), 20)
    found = live_sweep(
        "bowl", "sgd", {"lr": Span(1e-3, live["rate"], True)}, (5, 3), 20, known=known
    )
    assert found.result is known
    (line,) = [how for name, _, *how in live.program([found.loss]).lines if name == "sweep"]
    assert ["known", "loss"] in line[0]["names"]
    assert line[0]["at"][-1] == 0.5


def test_long_programs_and_long_runs_get_fewer_cells() -> None:
    """48² cells × 100 lines × 1000 steps are 230 million; ten times the lines leave a tenth."""
    short = "x\n" * 100
    assert cells_along(2, short, 1000) == COARSE
    assert cells_along(2, short * 10, 1000) == 15
    assert cells_along(1, short * 10, 1000) == 250
    assert cells_along(1, short, 60) == COARSE_LINE
    assert cells_along(2, short * 50, 200) == 15
    with pytest.raises(ValueError, match="at most 100 steps"):
        cells_along(2, short * 100, 2000)


def test_nothing_is_compiled_and_what_a_reader_typed_gets_fewer_cells(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[CellsKernel] = []
    monkeypatch.setenv("DESCENT_LAB_COMPILE", "1")
    monkeypatch.setattr(CellsKernel, "request", lambda kernel: asked.append(kernel))
    monkeypatch.setattr(CellsKernel, "ensure", lambda kernel: asked.append(kernel))
    axes, typed = {"lr": Span(1e-3, 0.5, True)}, engine.landscape("x**2 + 7*y**2")
    for landscape, rule in (("matyas", "sgd"), (typed, engine.optimizer("w = w - lr*g*0.9"))):
        assert live_sweep(landscape, rule, axes, (1, 1), 20).result.shape == (COARSE_LINE,)
    assert not asked
    long = "x\n" * 400
    assert cells_along(2, long, 1000, typed=True) < cells_along(2, long, 1000)
    with pytest.raises(ValueError, match=r"at most 1.?000 steps"):
        cells_along(2, long, 1001, typed=True)
