"""Printed JavaScript under Node against the Python that it was printed beside: bit for bit where
only exactly rounded operations occur, to 1e-9 elsewhere, unless the run is chaotic: there a start
moved by two ulp leaves Python's own path by as much.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import engine
from engine.optimizers import OPTIMIZERS, Optimizer
from engine.problems.landscapes import LANDSCAPES, Landscape
from engine.runs.descent import Descent, gradient_noise, kernel_of, probe_signs
from engine.tape import operations as ops
from tests.engine.emit.node import Batch, JavaScriptError
from tests.engine.emit.texts import rules

STEPS = 80
# What IEEE 754 rounds in one way only; cos and sin of the bowl's 0 degrees are exact as well.
ROUNDED = {
    "add", "subtract", "multiply", "divide", "negative", "sqrt", "absolute", "where",
    "less", "less_equal", "greater", "greater_equal", "equal",
}  # fmt: skip


def conventions(optimizer: Optimizer) -> list[dict[str, str | bool]]:
    """Every combination of a rule's named options."""
    choices = [[(o.name, c) for c, _ in o.choices] for o in optimizer.options]
    return [dict(combination) for combination in itertools.product(*choices)]


def is_exact(
    landscape: Landscape, optimizer: Optimizer, options: dict[str, str | bool] | None = None
) -> bool:
    """Whether every line of the run is rounded in one way only."""
    program = kernel_of(landscape, optimizer, options).loop.program
    once = {"sin", "cos"} if landscape.slug == "bowl" else set()
    return {line.operation for line in program.lines} <= ROUNDED | once


def ask(run: Descent, hypers: dict[str, float], seed: int = 0, **more: Any) -> dict[str, Any]:
    """The argument of `run` that stands for a descent."""
    argument = {"start": run.path[0], "steps": run.steps, "hypers": hypers, **more}
    argument["parameters"] = run.landscape.values
    argument["probes"] = probe_signs(run.steps, seed)
    return argument


def moved(run: Descent, hypers: dict[str, float], **more: Any) -> Descent:
    """The same run from a start two ulp away."""
    x, y = run.path[0]
    start = (x + 2 * np.spacing(x), y - 2 * np.spacing(y))
    return engine.descend(
        run.landscape, run.optimizer, start, run.steps, hypers, options=run.options, **more
    )


def away(path: np.ndarray, run: Descent) -> np.ndarray:
    """How far from the run's path each point is, against the run's own size there."""
    with np.errstate(all="ignore"):
        return np.abs(path - run.path).max(axis=-1) / np.maximum(1.0, np.abs(run.path).max(axis=-1))


# Runs that rest where the gradient is rounding alone and then go by its sign: both paths meet there
# from any start, so a start that is moved does not show it.
BALANCED = {("easom", "adafactor")}


def compare(result: Any, run: Descent, exact: bool, hypers: dict[str, float], **more: Any) -> str:
    """Nothing where both runs are one, "chaotic" where they need not be, else what is wrong."""
    if isinstance(result, JavaScriptError):
        return str(result)
    path = result["path"].reshape(-1, 2)
    same = result["stopped"] == run.diverged_at and np.array_equal(path, run.path)
    if same:
        return ""
    if exact:
        return "not the same bits"
    off = away(path, run)
    # Where losses decide, a point near a minimum is known to the root of their rounding.
    bound = 1e-7 if run.optimizer.counted else 1e-9
    if off.max() <= bound and result["stopped"] == run.diverged_at:
        return ""
    if (run.landscape.slug, run.optimizer.slug) in BALANCED:
        return "chaotic"
    other = moved(run, hypers, **more)
    first = int(np.argmax(off > bound)) if (off > bound).any() else run.steps
    near = slice(0, min(first + 10, run.steps) + 1)
    if (away(other.path, run)[near] > 1e-11).any() or other.diverged_at != run.diverged_at:
        return "chaotic"
    return f"off by {off.max():.1e} from step {first}"


# Every rule in every convention on every landscape ----------------------------------------------


def test_every_run_in_javascript_is_the_run_in_python(tmp_path: Path) -> None:
    """At a rate that suits the landscape, and each rule also at one that does not."""
    batch, cases = Batch(), []
    for landscape, optimizer in itertools.product(LANDSCAPES.values(), OPTIMIZERS.values()):
        for i, options in enumerate(conventions(optimizer)):
            module = engine.browser_run(landscape, optimizer, options=options)
            exact = is_exact(landscape, optimizer, options)
            for rate in (1.0,) if i else (1.0, 8.0):
                hypers = {}
                if any(h.name == "lr" for h in optimizer.hypers):
                    hypers = {"lr": rate * landscape.lr}
                run = engine.descend(
                    landscape, optimizer, landscape.start, STEPS, hypers, options=options
                )
                batch.add(module, "run", ask(run, hypers))
                cases.append((run, hypers, exact))
    found = [
        compare(result, run, exact, hypers)
        for result, (run, hypers, exact) in zip(batch.run(tmp_path), cases, strict=True)
    ]
    wrong = [
        (run.landscape.slug, run.optimizer.slug, dict(run.options), hypers, what)
        for what, (run, hypers, _) in zip(found, cases, strict=True)
        if what not in ("", "chaotic")
    ]
    assert not wrong
    assert sum(exact for *_, exact in cases) > len(cases) / 2
    assert found.count("chaotic") <= len(cases) / 50


def test_what_a_run_keeps_is_what_descend_keeps(tmp_path: Path) -> None:
    """State, loss and gradient, with schedule, noise and probes."""
    batch, runs = Batch(), []
    landscape, hypers = LANDSCAPES["rosenbrock"](a=1.2, b=40.0), {"lr": 2e-3}
    factors = np.linspace(1.0, 0.1, STEPS)
    normals = gradient_noise(STEPS, 1.0, 5)
    for optimizer in OPTIMIZERS.values():
        module = engine.browser_run(landscape, optimizer, scheduled=True, noisy=True, recorded=True)
        given_ = hypers if any(h.name == "lr" for h in optimizer.hypers) else {}
        run = engine.descend(
            landscape, optimizer, (-1.5, 2.0), STEPS, given_, schedule=factors, noise=0.3, seed=5
        )
        noise = {"sigma": 0.3, "normals": normals}
        batch.add(module, "run", ask(run, given_, 5, schedule=factors, noise=noise))
        runs.append(run)
    for result, run in zip(batch.run(tmp_path), runs, strict=True):
        about = run.optimizer.slug
        loose = 0.0 if is_exact(landscape, run.optimizer) else 1e-9
        assert result["stopped"] == run.diverged_at, about
        assert list(result["state"]) == list(run.state), about
        pairs = [(result["state"][name], values) for name, values in run.state.items()]
        pairs += [(result[name], getattr(run, name)) for name in ("path", "loss", "gradient")]
        for got, right in pairs:
            np.testing.assert_allclose(got.reshape(right.shape), right, loose, loose, err_msg=about)


def test_what_is_not_given_is_at_its_default(tmp_path: Path) -> None:
    batch = Batch()
    module = engine.browser_run("rosenbrock", "adam", scheduled=True)
    batch.add(module, "run", {"start": [-1.5, 2.0], "steps": 20})
    batch.add(module, "run", {"start": [-1.5, 2.0], "steps": 20, "hypers": {"beta1": 0.5}})
    batch.add(module, "run", {"start": [-1.5, 2.0], "steps": -1})
    batch.add(module, "run", {"start": [-1.5, 2.0], "steps": 3, "schedule": [1.0]})
    plain, changed, *refused = batch.run(tmp_path)
    for result, hypers in ((plain, {}), (changed, {"beta1": 0.5})):
        run = engine.descend("rosenbrock", "adam", (-1.5, 2.0), 20, hypers)
        np.testing.assert_array_equal(result["path"].reshape(-1, 2), run.path)
    assert [str(error) for error in refused] == [
        "RangeError: steps must be a whole number from 0 to 1000000, got -1",
        "RangeError: schedule must hold 3 numbers",
    ]


# Sweeps -----------------------------------------------------------------------------------------


def second_axis(optimizer: Optimizer) -> dict[str, np.ndarray]:
    """One more hyper-parameter than the learning rate, if there is one."""
    for hyper in optimizer.hypers:
        if hyper.name != "lr":
            return {hyper.name: np.linspace(hyper.low, min(hyper.high, 0.99), 5)}
    return {}


def test_every_sweep_in_javascript_is_the_sweep_in_python(tmp_path: Path) -> None:
    batch, sweeps = Batch(), []
    rates = {"lr": np.geomspace(1e-4, 3.0, 9)}
    starts = {"x": np.linspace(-2, 2, 7), "y": np.linspace(-1, 3, 5)}
    for optimizer in OPTIMIZERS.values():
        for name, axes in (
            ("booth", rates | second_axis(optimizer)), ("rosenbrock", rates), ("beale", starts)
        ):  # fmt: skip
            scheduled = name == "booth"
            factors = np.linspace(1.0, 0.2, 60)
            module = engine.browser_sweep(
                name, optimizer, list(axes), scheduled=scheduled, target=True
            )
            found = engine.sweep(
                name, optimizer, axes, (-1.5, 2.0), 60, target=1.0,
                schedule=factors if scheduled else None,
            )  # fmt: skip
            argument = {
                "axes": axes, "start": [-1.5, 2.0], "steps": 60, "target": 1.0,
                "schedule": factors, "probes": probe_signs(60, 0),
            }  # fmt: skip
            batch.add(module, "sweep", argument)
            batch.add(module, "sweep", {**argument, "first": 2, "last": 6})
            sweeps.append(found)
    results = batch.run(tmp_path)
    for found, whole, part in zip(sweeps, results[::2], results[1::2], strict=True):
        about = f"{found.landscape.slug} {found.optimizer.slug}"
        exact = is_exact(found.landscape, found.optimizer)
        for name in ("final_point", "final_loss", "diverged_at", "steps_to_target"):
            right, got = getattr(found, name), whole[name]
            size = 2 if name == "final_point" else 1
            np.testing.assert_array_equal(part[name], got[2 * size : 6 * size], err_msg=about)
            if exact and name != "final_loss":
                np.testing.assert_array_equal(got, right.ravel(), err_msg=about)
            else:  # where it grew large, rounding grew with it
                calm = np.repeat(~found.diverged.ravel(), size)
                right = right.ravel()[calm]
                np.testing.assert_allclose(got[calm], right, 1e-7, 1e-9, err_msg=about)


# Functions --------------------------------------------------------------------------------------


def test_a_function_in_javascript_is_the_function_in_python(tmp_path: Path) -> None:
    def curve(z: Any, y: Any) -> Any:
        return ops.logit_cross_entropy(z, y) + ops.tanh(z) ** 2

    batch = Batch()
    module = engine.browser_function(curve, ("z", "y"))
    z = np.linspace(-30, 30, 61)
    batch.add(module, "f", {"z": 2.0, "y": 1.0})
    batch.add(module, "over", {"z": z, "y": 0.25})
    batch.add(module, "over", {"z": 1.5, "y": 0.25})
    batch.add(module, "over", {"z": z, "y": z[:5]})
    one, many, single, refused = batch.run(tmp_path)
    assert one == pytest.approx(float(curve(2.0, 1.0)), rel=1e-14)
    np.testing.assert_allclose(many, curve(z, 0.25), rtol=1e-13)
    np.testing.assert_allclose(single, [curve(1.5, 0.25)], rtol=1e-13)
    assert str(refused) == "RangeError: the arrays must be of one length"


def test_results_by_name_and_names_of_any_kind(tmp_path: Path) -> None:
    names = ("__proto__", "constructor", "await", "η", "</script>")
    batch = Batch()
    module = engine.browser_function(lambda *x: dict(zip(names, x, strict=True)), names)
    assert "<" not in re.sub(r"[^\"]*\"([^\"]*)\"[^\"]*", r"\1", module.split("export")[1])
    batch.add(module, "f", dict(zip(names, range(5), strict=True)))
    batch.add(module, "over", dict(zip(names, [np.arange(2.0), 1, 2, 3, 4], strict=True)))
    values, columns = batch.run(tmp_path)
    assert values == dict(zip(names, range(5), strict=True))
    assert {name: column.tolist() for name, column in columns.items()} == {
        "__proto__": [0, 1], "constructor": [1, 1], "await": [2, 2], "η": [3, 3],
        "</script>": [4, 4],
    }  # fmt: skip


# What readers type ------------------------------------------------------------------------------

HOSTILE = """\
# words of JavaScript, of C++ and of the printers
await_1 = let*await_1 + g
steps = steps + 1
path = constructor*path + (1 - constructor)*g**2
η = 0.5
v1 = v0*await_1 + toString*e1 + alpha*t*0
w = w - prototype*(await_1 + v1)/(sqrt(path) + stopped + 0*steps + 0*η + x0*0 + cell*0)
"""


def test_names_that_mean_something_elsewhere_are_just_names(tmp_path: Path) -> None:
    """In every form: path, state, sweeps on lanes and blocks, JavaScript."""
    rule = engine.optimizer(HOSTILE)
    names = [h.name for h in rule.hypers]
    assert {"let", "constructor", "toString", "prototype", "stopped", "cell"} < set(names)
    hypers = {name: 0.1 + 0.05 * i for i, name in enumerate(names)}
    run = engine.descend("booth", rule, (-7, -5), STEPS, hypers)
    assert run.diverged_at is None
    assert np.abs(np.diff(run.path[-20:], axis=0)).max() > 1e-9
    axes = {"let": np.linspace(0.0, 0.9, 4), "constructor": [0.3, 0.6]}
    found = engine.sweep("booth", rule, axes, (-7, -5), STEPS, hypers=hypers)
    batch = Batch()
    module = engine.browser_run("booth", rule, recorded=True)
    batch.add(module, "run", ask(run, hypers))
    tile = engine.browser_sweep("booth", rule, list(axes))
    axes = {name: np.array(values) for name, values in axes.items()}
    given_ = {"axes": axes, "start": [-7.0, -5.0], "steps": STEPS, "hypers": hypers}
    batch.add(tile, "sweep", given_)
    result, cells = batch.run(tmp_path)
    np.testing.assert_array_equal(result["path"].reshape(-1, 2), run.path)
    for name, values in run.state.items():
        np.testing.assert_array_equal(result["state"][name].reshape(values.shape), values)
    np.testing.assert_array_equal(cells["final_point"], found.final_point.ravel())
    for index in np.ndindex(found.shape):
        at, start = found.cell(*index)
        one = engine.descend("booth", rule, start, STEPS, at)
        np.testing.assert_array_equal(found.final_point[index], one.path[-1])


# What fails is shown as it was drawn: shrinking whole batches would take for ever.
@settings(
    deadline=None,
    max_examples=2,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(texts=st.lists(rules(), min_size=30, max_size=30, unique_by=str))
def test_drawn_rules_on_drawn_formulas(
    tmp_path_factory: pytest.TempPathFactory, texts: Sequence[tuple[str, str]]
) -> None:
    """Rules and formulas drawn by grammar: every form walks the same path."""
    batch, cases = Batch(), []
    for rule_text, formula in texts:
        rule, landscape = engine.optimizer(rule_text), engine.landscape(formula)
        run = engine.descend(landscape, rule, (1.25, -0.75), 30)
        batch.add(engine.browser_run(landscape, rule), "run", ask(run, {}))
        cases.append((run, is_exact(landscape, rule)))
    results = batch.run(tmp_path_factory.mktemp("drawn"))
    wrong = []
    for text, result, (run, exact) in zip(texts, results, cases, strict=True):
        what = compare(result, run, exact, {})
        if what not in ("", "chaotic"):
            wrong.append((text, what))
    assert not wrong
