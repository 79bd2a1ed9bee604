"""Training as the reader's browser does it: the printed step and its driver under Node against
Python's numbers, for every rule, loss and switch that can be printed."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.emit.tensor import Unrecordable
from engine.emit.tensor_javascript import printed
from engine.optimizers import OPTIMIZERS
from engine.problems import counted
from engine.problems.data import Split, split, table
from engine.problems.networks import MLP
from engine.runs.browser_training import browser_training
from engine.runs.learning import Competitor, Training
from engine.tape import operations as ops
from tests.engine.emit.node import node

WEB = Path(__file__).parents[3] / "components" / "web" / "training"
STEPS = 100
MOONS = split(table("two_moons", 160, seed=2), test=0.4)
IRIS = split(table("iris"))
GRID = np.stack(np.meshgrid(np.linspace(-2, 2, 5), np.linspace(-1, 1, 4)), -1).reshape(-1, 2)
RULES = [o.slug for o in OPTIMIZERS.values() if o.on_tensors]

DRIVER = """
import { readFileSync } from "node:fs";
import { Run } from "./run.js";
const floats = (v) => (Array.isArray(v) ? Float64Array.from(v) : v);
const cases = JSON.parse(readFileSync("cases.json", "utf8"));
const results = [];
for (const { shared, spec, modules, steps, more } of cases) {
  for (const name of ["x", "targets", "testX", "testTargets", "grid"]) shared[name] = floats(shared[name]);
  spec.kept = spec.kept.map(floats);
  const load = async (name) => (name ? (await import(`./${name}.mjs`)).make : undefined);
  const made = {
    steps: await Promise.all(modules.steps.map(load)),
    train: await load(modules.train), test: await load(modules.test), grid: await load(modules.grid),
    one: await load(modules.one), counted: await load("counted"),
  };
  const run = new Run(shared, spec, made);
  run.extend(more);
  const losses = [];
  const go = () => { while (run.step < steps && !run.ended) losses.push(run.advance()); };
  go();
  const measured = run.measured();
  const { evaluations, diverged, stuck } = run;
  const shown = [...(run.shown() ?? [])], confusion = [...(run.confusion() ?? [])];
  run.restart();
  const again = run.advance();
  results.push({ losses, measured, shown, confusion, evaluations, diverged, stuck, again });
}
console.log(JSON.stringify(results));
"""  # noqa: E501


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python makes all the steps that are compared, however busy the machine is."""
    monkeypatch.setattr("engine.runs.browser_training.TRAINING_CHECK", 1e9)


def run_all(
    folder: Path, given: list[tuple[MLP, Split, Competitor, np.ndarray | None]], added: int = 0
) -> list[tuple[dict[str, Any], Training, Any]]:
    """Each competitor's run under Node, Python's, and what was printed; Node hears of so many of
    the examples once all is printed."""
    for file in WEB.glob("*.js"):
        (folder / file.name).write_text(file.read_text())
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "counted.mjs").write_text(counted.IN_BROWSER)
    cases, pythons, texts = [], [], []
    for i, (network, whole, competitor, grid) in enumerate(given):
        n = len(whole.y) - added
        data = replace(whole, x=whole.x[:n], y=whole.y[:n])
        spec = browser_training(network, data, competitor, steps=STEPS, seed=5, grid=grid)
        run = Training(network, whole, competitor, steps=STEPS, seed=5, dtype=np.float64)
        names: dict[str, Any] = {}
        for name in ("train", "test", "one", "grid"):
            text = getattr(spec, name)
            names[name] = f"{name}{i}" if text else ""
            (folder / f"{name}{i}.mjs").write_text(text)
        names["steps"] = [f"step{i}_{k}" for k in range(len(spec.steps))]
        for name, text in zip(names["steps"], spec.steps, strict=True):
            (folder / f"{name}.mjs").write_text(text)
        cases.append(
            {
                "steps": STEPS,
                "modules": names,
                "shared": {
                    "x": data.x.ravel().tolist(), "targets": data.targets(data.y).ravel().tolist(),
                    "labels": data.y.tolist(), "testX": data.test_x.ravel().tolist(),
                    "testTargets": data.targets(data.test_y).ravel().tolist(),
                    "testLabels": data.test_y.tolist(), "outputs": data.outputs,
                    "features": data.features, "seed": 5,
                    "grid": [] if grid is None else grid.ravel().tolist(),
                },
                "spec": {
                    "kept": [np.ravel(v).tolist() if np.ndim(v) else v for v in spec.kept],
                    "weights": spec.weights, "hypers": [value for _, value in spec.hypers],
                    "drawn": spec.drawn, "factors": spec.factors.tolist(),
                    "batch": competitor.batch, "shuffle": competitor.shuffle,
                    "widths": network.sizes[1:-1], "dropout": competitor.dropout,
                },
                "more": {
                    "x": whole.x[n:].ravel().tolist(), "labels": whole.y[n:].tolist(),
                    "targets": whole.targets(whole.y[n:]).ravel().tolist(),
                },
            }
        )  # fmt: skip
        run.advance(STEPS)
        pythons.append(run)
        texts.append(spec)
    (folder / "cases.json").write_text(json.dumps(cases))
    (folder / "driver.mjs").write_text(DRIVER)
    ran = subprocess.run(
        [node(), "driver.mjs"], cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )
    assert not ran.stderr, ran.stderr
    return list(zip(json.loads(ran.stdout), pythons, texts, strict=True))


def agree(found: dict[str, Any], run: Training, spec: Any) -> None:
    assert not found["stuck"]
    np.testing.assert_allclose(spec.losses, run.losses, rtol=0, atol=0)
    np.testing.assert_allclose(found["losses"], run.losses, rtol=1e-6, atol=1e-9)
    assert found["again"] == found["losses"][0]
    assert found["evaluations"] == run.trainer.evaluations
    measured = run.measured()
    for name, value in (
        ("loss", measured.loss), ("accuracy", measured.accuracy),
        ("testLoss", measured.test_loss), ("testAccuracy", measured.test_accuracy),
    ):  # fmt: skip
        assert found["measured"][name] == pytest.approx(value, rel=1e-5, abs=1e-8)


SMALL = MLP((2, 8, 8, 1))


def test_every_rule_trains_in_the_browser_as_in_python(tmp_path: Path) -> None:
    given = [(SMALL, MOONS, Competitor(slug, {"lr": 0.01}, batch=16), GRID) for slug in RULES]
    for slug, (found, run, spec) in zip(RULES, run_all(tmp_path, given), strict=True):
        try:
            agree(found, run, spec)
            np.testing.assert_allclose(
                found["shown"], run.outputs(GRID).ravel(), rtol=1e-5, atol=1e-8
            )
        except AssertionError as error:
            raise AssertionError(slug) from error


def test_every_switch_trains_in_the_browser_as_in_python(tmp_path: Path) -> None:
    three = MLP((4, 7, 6, 3), "relu")
    given = [
        *(
            (MLP((2, 8, 1), activation), MOONS, Competitor("adam", {"lr": 0.01}, loss=loss), None)
            for activation in ("tanh", "relu", "sigmoid", "softplus")
            for loss in ("cross_entropy", "mse", "focal", "hinge")
        ),
        *(
            (three, IRIS, Competitor("adamw", {"lr": 0.01}, batch=batch, loss=loss), None)
            for batch in (1, 10, 0)
            for loss in ("cross_entropy", "mse")
        ),
        (three, IRIS, Competitor("adam", {"lr": 0.02}, dropout=0.3, l2=0.01), None),
        (three, IRIS, Competitor("sgd", {"lr": 0.5}, clip=0.3, average=0.9), None),
        (three, IRIS, Competitor("muon", schedule="cosine", smoothing=0.1), None),
        (SMALL, MOONS, Competitor("sophia", {"lr": 0.01}, clip=0.5, average=0.5), None),
        (SMALL, MOONS, Competitor("sgd", {"lr": 0.1}, batch=8, shuffle=False), None),
        (SMALL, MOONS, Competitor("adam", scheme="zero"), None),
        (SMALL, MOONS, Competitor("momentum", scheme="large", loss="mse"), None),
    ]
    for (network, _, competitor, _), (found, run, spec) in zip(
        given, run_all(tmp_path, given), strict=True
    ):
        try:
            agree(found, run, spec)
        except AssertionError as error:
            raise AssertionError(f"{network}, {competitor}") from error
    labels = IRIS.test_y
    confusion = np.reshape(run_all(tmp_path, [given[16]])[0][0]["confusion"], (3, 3))
    assert confusion.sum(1).tolist() == np.bincount(labels).tolist()


def test_examples_that_come_later_are_learned_as_if_they_had_been_there(tmp_path: Path) -> None:
    given = [
        (SMALL, MOONS, Competitor("adam", {"lr": 0.01}, batch=8, shuffle=shuffle, loss=loss), None)
        for shuffle, loss in ((True, "mse"), (False, "cross_entropy"))
    ]
    given.append((MLP((4, 7, 3)), IRIS, Competitor("sgd", {"lr": 0.1}, batch=8), None))
    for found, run, spec in run_all(tmp_path, given, added=5):
        agree(found, run, replace(spec, losses=run.losses))


def test_what_cannot_be_printed_is_refused() -> None:
    with pytest.raises(Unrecordable, match="det"):
        printed(lambda x: np.linalg.det(x) * x, np.eye(3))


@pytest.mark.parametrize(
    ("rule", "hypers", "ways"),
    [
        ("kron", {}, 2),  # leaves its triangles alone at some steps, from the 500th on
        ("soap", {"interval": 100.0}, 3),  # looks, steps, turns
        ("sophia", {"interval": 100.0}, 2),
    ],
)
def test_what_a_rule_does_later_is_printed_too(
    rule: str, hypers: dict[str, float], ways: int
) -> None:
    given = MLP((2, 4, 1)), MOONS, Competitor(rule, hypers)
    assert len(browser_training(*given, steps=600, checked=3).steps) == ways


def test_a_decision_that_goes_the_other_way_is_told() -> None:
    def function(x: Any, y: float) -> Any:
        return ops.sum(x) if y > 0 else x[0]

    text = printed(function, np.ones(3), 1.0)
    assert "!== true) return null" in text
