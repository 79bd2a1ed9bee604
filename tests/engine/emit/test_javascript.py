"""Printed JavaScript under Node against the Python that it was printed beside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import engine
from engine.runs.descent import probe_signs
from tests.engine.emit.node import Batch

STEPS = 100


@pytest.mark.parametrize("recorded", [False, True])
def test_a_run_in_javascript_is_the_run_in_python(tmp_path: Path, recorded: bool) -> None:
    """Bit for bit, on landscapes of sums and products, for every rule."""
    batch = Batch()
    cases = [
        (name, slug) for name in ("booth", "rosenbrock", "beale") for slug in engine.OPTIMIZERS
    ]
    for name, slug in cases:
        argument: dict[str, Any] = {"start": [1.0, 1.5], "steps": STEPS, "hypers": {"lr": 0.01}}
        argument["probes"] = probe_signs(STEPS, 0)
        batch.add(engine.browser_run(name, slug, recorded=recorded), "run", argument)
    for (name, slug), result in zip(cases, batch.run(tmp_path), strict=True):
        expected = engine.descend(name, slug, (1.0, 1.5), STEPS, {"lr": 0.01})
        assert result["stopped"] == expected.diverged_at
        np.testing.assert_array_equal(result["path"].reshape(-1, 2), expected.path)
        if recorded:
            assert list(result["state"]) == list(expected.state)
            for key, values in expected.state.items():
                np.testing.assert_array_equal(result["state"][key].reshape(values.shape), values)
            np.testing.assert_array_equal(result["loss"], expected.loss)
            np.testing.assert_array_equal(result["gradient"].reshape(-1, 2), expected.gradient)


def test_a_sweep_in_javascript_is_the_sweep_in_python(tmp_path: Path) -> None:
    lrs, betas = np.geomspace(1e-4, 3.0, 13), np.linspace(0.0, 0.99, 7)
    batch = Batch()
    module = engine.browser_sweep("rosenbrock", "adam", ("lr", "beta1"), target=True)
    argument = {"start": [-1.5, 2.0], "steps": 60, "target": 5.0}
    axes = {"lr": lrs, "beta1": betas}
    batch.add(module, "sweep", {**argument, "axes": axes})
    batch.add(module, "sweep", {**argument, "axes": axes, "first": 5, "last": 31})
    whole, part = batch.run(tmp_path)
    expected = engine.sweep("rosenbrock", "adam", axes, (-1.5, 2.0), 60, target=5.0)
    for name in ("final_point", "final_loss", "diverged_at", "steps_to_target"):
        values = getattr(expected, name)
        np.testing.assert_array_equal(whole[name].reshape(values.shape), values)
        size = 2 if name == "final_point" else 1
        np.testing.assert_array_equal(part[name], whole[name][5 * size : 31 * size])


def test_a_function_in_javascript_is_the_function_in_python(tmp_path: Path) -> None:
    batch = Batch()
    one = engine.browser_function(lambda z, y: z * y + 1.0, ("z", "__proto__"))
    two = engine.browser_function(lambda a: {"let": a * a, "__proto__": -a}, ("await",))
    batch.add(one, "f", {"z": 2.0, "__proto__": 3.0})
    batch.add(one, "over", {"z": np.arange(4.0), "__proto__": 3.0})
    batch.add(two, "f", {"await": 5.0})
    batch.add(two, "over", {"await": np.arange(3.0)})
    number, array, named, arrays = batch.run(tmp_path)
    assert number == 7.0
    assert array.tolist() == [1.0, 4.0, 7.0, 10.0]
    assert named == {"let": 25.0, "__proto__": -5.0}
    assert {k: v.tolist() for k, v in arrays.items()} == {
        "let": [0.0, 1.0, 4.0],
        "__proto__": [0.0, -1.0, -2.0],
    }
