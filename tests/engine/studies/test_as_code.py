"""Scripts of an experiment, run: their paths are those of `descend`."""

from __future__ import annotations

import ast
import itertools
import math
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

import engine
from engine import OPTIMIZERS, SCHEDULES
from engine.optimizers.schedules import Schedule
from engine.studies.as_code import script
from engine.studies.frameworks import FRAMEWORKS, Framework
from engine.studies.schedule_code import factor_source, of_optax

RATES = {
    "muon": 0.05, "newton": 0.5, "shampoo": 0.3, "adadelta": 1.0, "sophia": 0.05, "lion": 0.05,
    "aggmo": 0.002, "sgd": 5e-4, "momentum": 2e-4, "nesterov": 2e-4, "schedule_free_sgd": 1e-3,
    "radam": 5e-4, "sam": 5e-4, "asgd": 5e-4,
}  # fmt: skip
START, STEPS = (-1.2, 0.8), 60


def conventions(slug: str) -> list[dict[str, str | bool]]:
    """Every combination of an optimizer's options."""
    options = OPTIMIZERS[slug].options
    return [
        dict(zip([o.name for o in options], values, strict=True))
        for values in itertools.product(*([value for value, _ in o.choices] for o in options))
    ]


CASES = [(slug, options) for slug in OPTIMIZERS for options in conventions(slug)]


def path_of(text: str) -> Any:
    scope: dict[str, Any] = {"print": lambda *said: None}
    exec(compile(text, "<script>", "exec"), scope)
    return np.asarray(scope["path"])


def difference(
    framework: Framework, slug: str, options: Mapping[str, str | bool], **more: Any
) -> float:
    """The greatest distance between a script's path and the laboratory's."""
    lr = {"lr": RATES.get(slug, 0.01)}
    given = ("rosenbrock", slug, START, STEPS, lr)
    run = engine.descend(*given, options=options, **more)
    assert run.diverged_at is None
    path = path_of(script(framework, *given, options=options, **more))
    assert path.shape == run.path.shape
    return float(np.abs(path - run.path).max())


@pytest.mark.parametrize(("slug", "options"), CASES)
def test_plain_numpy_goes_the_same_way(slug: str, options: dict[str, str | bool]) -> None:
    assert difference("NumPy", slug, options) <= 1e-12
    assert difference("NumPy", slug, options, noise=0.5, seed=3) <= 1e-12


@pytest.mark.parametrize("slug", sorted(engine.LANDSCAPES))
def test_every_landscape_is_printed(slug: str) -> None:
    surface = engine.LANDSCAPES[slug]
    run = engine.descend(surface, "sgd", surface.start, 20, {"lr": 1e-4})
    path = path_of(script("NumPy", surface, "sgd", surface.start, 20, {"lr": 1e-4}))
    assert np.abs(path - run.path).max() <= 1e-12


def test_a_run_that_gets_away_ends_where_the_laboratory_ends_it() -> None:
    given = ("bowl", "sgd", (5.0, 3.0), 200, {"lr": 0.03})
    assert engine.descend(*given).diverged_at is not None
    path = path_of(script("NumPy", *given))
    assert np.allclose(path, engine.descend(*given).path, rtol=1e-12, atol=0)


@pytest.mark.filterwarnings("ignore:__array__ implementation")  # Keras on PyTorch
@pytest.mark.parametrize("framework", ["PyTorch", "optax", "Keras"])
@pytest.mark.parametrize(("slug", "options"), CASES)
def test_frameworks_go_the_same_way(
    framework: Framework, slug: str, options: dict[str, str | bool]
) -> None:
    os.environ["JAX_ENABLE_X64"] = "1"  # as the scripts do, before anything imports it
    os.environ.setdefault("KERAS_BACKEND", "jax")
    pytest.importorskip({"PyTorch": "torch", "optax": "optax", "Keras": "keras"}[framework])
    assert difference(framework, slug, options) <= 1e-12


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize(("slug", "options"), CASES)
def test_every_script_is_python_and_says_what_it_carries(
    framework: Framework, slug: str, options: dict[str, str | bool]
) -> None:
    text = script(framework, "bowl", slug, (1, 2), 3, options=options)
    said = ast.get_docstring(ast.parse(text))
    assert said is not None
    assert "Written by Descent Lab" in " ".join(said.split())
    own = "def step(" in text
    if framework != "NumPy":
        assert own == ("carries the rule" in " ".join(said.split()))
    assert max(map(len, text.splitlines())) < 600


def test_what_frameworks_have_is_taken_from_them() -> None:
    given = ("bowl", "adam", (5.0, 3.0), 9, {"lr": 0.1})
    assert "torch.optim.Adam([w], lr=0.1, betas=(0.9, 0.999), eps=1e-08)" in script(
        "PyTorch", *given
    )
    assert "optax.adam(0.1, b1=0.9, b2=0.999, eps=1e-08)" in script("optax", *given)
    inside = {"form": "lr_inside"}
    text = script("Keras", "bowl", "momentum", (5, 3), 9, {"lr": 0.1, "beta": 0.8}, options=inside)
    assert "keras.optimizers.SGD(learning_rate=0.1, momentum=0.8)" in text


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ValueError, match="hyper-parameter"):
        script("NumPy", "bowl", "sgd", (0, 0), 1, {"momentum": 0.9})


PLANS = [
    *(plan(warmup=w) for plan in SCHEDULES.values() for w in (0.0, 0.2)),
    SCHEDULES["cosine"](final=0.1), SCHEDULES["linear"](final=0.2),
    SCHEDULES["cosine_restarts"](cycle=0.13, growth=1.7, final=0.05),
    SCHEDULES["one_cycle"](peak=0.02),
]  # fmt: skip


@pytest.mark.parametrize("plan", PLANS, ids=lambda p: f"{p.slug} {dict(p.values)}")
def test_a_schedule_is_written_out(plan: Schedule) -> None:
    for steps in (1, 7, STEPS):
        scope: dict[str, Any] = {"math": math}
        exec("\n".join(factor_source(plan, steps)), scope)
        found = [scope["factor"](t) for t in range(steps)]
        assert np.abs(np.array(found) - plan.factors(steps)).max() <= 1e-13


@pytest.mark.filterwarnings("ignore:__array__ implementation")  # Keras on PyTorch
@pytest.mark.parametrize("slug", ["sgd", "adamw", "lion", "muon"])
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_scheduled_run_goes_the_same_way(framework: Framework, slug: str) -> None:
    os.environ["JAX_ENABLE_X64"] = "1"
    os.environ.setdefault("KERAS_BACKEND", "jax")
    needed = {"NumPy": "numpy", "PyTorch": "torch", "optax": "optax", "Keras": "keras"}
    pytest.importorskip(needed[framework])
    for plan in PLANS if framework != "NumPy" else PLANS[:3]:
        single = framework == "optax" and of_optax(plan, STEPS, 1.0) is not None
        assert difference(framework, slug, {}, schedule=plan) <= (1e-7 if single else 1e-12)


def test_schedulers_that_frameworks_have_are_taken_from_them() -> None:
    given = ("bowl", "sgd", (5.0, 3.0), 40, {"lr": 0.01})
    cosine = "torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=40, eta_min=0.0)"
    assert cosine in script("PyTorch", *given, schedule="cosine")
    warm = SCHEDULES["cosine"](warmup=0.25)
    assert "LambdaLR(optimizer, factor)" in script("PyTorch", *given, schedule=warm)
    assert "optax.cosine_decay_schedule(0.01, 40" in script("optax", *given, schedule="cosine")
    assert "optax.sgd(rate)" in script("optax", *given, schedule="cosine")
