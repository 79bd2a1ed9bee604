"""Hostile formulas and rules give the same run in every form that is printed of them.

Plain Python is compared step by step with JavaScript, and at the end with NumPy's lanes, with the
GPU's text as C++ and, for a few, with compiled blocks. A run whose own start moved by two units in
the last place takes it elsewhere says nothing about the forms, which may differ by that much in
exp, log and sin.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import tempfile
import warnings
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

import engine
from engine import limits
from engine.emit.compiled import CellsKernel
from engine.optimizers import Optimizer
from engine.problems.formula import FUNCTIONS
from engine.problems.landscapes import Landscape
from engine.runs.descent import DIVERGENCE_RADIUS, Descent, probe_signs
from engine.runs.tracing import landscape_loop
from tests.engine.emit.node import Batch
from tests.engine.emit.test_cuda import SHIM, compiler, run_on_host
from tests.engine.emit.test_cuda import Case as CudaCase
from tests.hostile import corpus
from tests.hostile.drawn import drawn

STEPS = 4
FEW_LINES = 250  # of programs that are compiled here
TOGETHER = 20  # cases that one process of Node takes at once
STARTS = ((0.0, 0.0), (-1.0, 1.0), (0.3, -0.7), (9999.0, 9999.0), (-2.5, 4.0), (1e-300, -0.0))

Case = tuple[str, str, tuple[float, float]]


def _calls(inner: some.SearchStrategy[str]) -> some.SearchStrategy[str]:
    """A formula one level deeper."""

    def call(name: str) -> some.SearchStrategy[str]:
        entry = FUNCTIONS[name]
        most = entry.most if entry.most is not None else 4
        size = some.integers(entry.least, most)
        return size.flatmap(
            lambda n: some.lists(inner, min_size=n, max_size=n).map(
                lambda parts: f"{name}({','.join(parts)})"
            )
        )

    compared = some.tuples(inner, some.sampled_from(["<", "<=", ">", ">="]), inner).map("".join)
    return some.one_of(
        some.tuples(inner, some.sampled_from(["+", "-", "*", "/"]), inner).map(
            lambda p: f"({p[0]}{p[1]}{p[2]})"
        ),
        some.sampled_from([name for name in FUNCTIONS if name != "where"]).flatmap(call),
        some.tuples(compared, inner, inner).map(lambda p: f"where({','.join(p)})"),
        some.tuples(inner, some.sampled_from(["2", "3", "-1", "0.5", "0", "-2.5", "7"])).map(
            lambda p: f"({p[0]})**{p[1]}"
        ),
        some.tuples(inner, inner).map(lambda p: f"({p[0]})**({p[1]})"),
        inner.map(lambda p: f"(-{p})"),
    )


def expressions(names: list[str]) -> some.SearchStrategy[str]:
    leaves = some.sampled_from(names) | some.sampled_from(
        ["0", "1", "2", "0.5", "1e308", "1e-308", "64", "pi", "e", "1e-9", "-3"]
    )
    return some.recursive(leaves, _calls, max_leaves=12)


formulas = some.one_of(expressions(["x", "y", "x", "y", "x*y"]), some.sampled_from(corpus.FORMULAS))
_lines = some.lists(
    some.tuples(some.sampled_from(corpus.NAMES), expressions(["w", "g", "t", "loss", "v", "k"])),
    max_size=3,
    unique_by=lambda line: line[0],
).map(lambda lines: [f"{name} = {text}" for name, text in lines])
_last = expressions(["g", "w", *corpus.NAMES[:6]]).map(lambda text: f"w = w - lr*({text})")
rules = some.one_of(
    some.tuples(_lines, _last).map(lambda parts: "\n".join([*parts[0], parts[1]])),
    some.sampled_from(corpus.RULES),
)
cases = some.tuples(formulas, rules | some.sampled_from(list(engine.OPTIMIZERS)),
                    some.sampled_from(STARTS))  # fmt: skip


def read(case: Case) -> tuple[Landscape, Optimizer] | None:
    """What is to run; None where the texts are refused, which takes a sentence."""
    formula, rule, _ = case
    try:
        return engine.landscape(formula), engine.OPTIMIZERS.get(rule) or engine.optimizer(rule)
    except ValueError as error:
        assert len(str(error)) > 10, case  # noqa: PT017
        return None


def runs(case: Case) -> tuple[Descent, bool] | None:
    """The plain run, and whether last bits decide where it goes: those of its start or, where two
    units of 0 would vanish in the first step, those of its gradients."""
    found = read(case)
    if found is None:
        return None
    beside = []
    if 0.0 in case[2]:
        for factor in (1 - 2**-50, 1 + 2**-50):
            with suppress(ValueError):  # too long with the factor
                beside.append((engine.landscape(f"{factor!r}*({case[0]})"), case[2]))
    beside.append(
        (found[0], tuple(float(np.nextafter(np.nextafter(c, 1e9), 1e9)) for c in case[2]))
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run = engine.descend(*found, case[2], STEPS)
        assert np.isfinite(run.path).all(), case
        moved = [engine.descend(near, found[1], start, STEPS) for near, start in beside]
    same = all(
        run.diverged_at == other.diverged_at
        and np.allclose(run.path, other.path, rtol=1e-11, atol=1e-290)
        for other in moved
    )
    return run, not same


def close(a: object, b: object, case: Case) -> None:
    np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-280, err_msg=repr(case))


@drawn(4)
@given(some.lists(cases, min_size=TOGETHER, max_size=TOGETHER))
def test_lanes_and_javascript_take_the_plain_path(drawn_cases: list[Case]) -> None:
    batch, kept = Batch(), []
    for case in drawn_cases:
        ran = runs(case)
        if ran is None or ran[1]:
            continue
        run = ran[0]
        signs = probe_signs(STEPS, 0)  # for the rules that draw
        argument = {
            "start": list(case[2]), "steps": STEPS, "hypers": dict(run.hypers), "probes": signs,
        }  # fmt: skip
        batch.add(engine.browser_run(run.landscape, run.optimizer), "run", argument)
        axis = {"x": [case[2][0]]}
        tile = engine.sweep(run.landscape, run.optimizer, axis, case[2], STEPS, device="cpu")
        assert tile.diverged_at[0] == (run.diverged_at or -1), case
        close(tile.final_point[0], run.path[-1], case)
        kept.append((case, run))
    with tempfile.TemporaryDirectory() as folder:
        results = batch.run(Path(folder)) if kept else []
    for (case, run), result in zip(kept, results, strict=True):
        assert result["stopped"] == run.diverged_at, case
        close(result["path"].reshape(-1, 2), run.path, case)


@drawn(5)
@given(cases)
def test_blocks_take_the_plain_path(case: Case) -> None:
    ran = runs(case)
    if ran is None or ran[1]:
        return
    run = ran[0]
    loop = landscape_loop(run.landscape, run.optimizer, run.options)
    if loop.per_step or len(loop.program.lines) > FEW_LINES:
        return  # probes are drawn anew by whoever runs it; what is long takes seconds to compile
    kernel = CellsKernel(loop, np.float64)
    kernel.compile()
    begin = [np.array([c]) for c in case[2]]
    ends = kernel.run(STEPS, DIVERGENCE_RADIUS, 0.0, list(run.hypers.values()), [], begin)
    assert (ends[2][0] or None) == run.diverged_at, case
    close((ends[0][0], ends[1][0]), run.path[-1], case)


@pytest.mark.parametrize("rule", corpus.RULES, ids=range(len(corpus.RULES)))
def test_every_rule_of_the_corpus_in_lanes(rule: str) -> None:
    case: Case = ("x**2 + 3*y**2", rule, (0.5, -0.25))
    ran = runs(case)
    if ran is None or ran[1]:
        return
    run = ran[0]
    tile = engine.sweep(run.landscape, run.optimizer, {"y": [-0.25]}, case[2], STEPS, device="cpu")
    close(tile.final_point[0], run.path[-1], case)


@dataclass(frozen=True)
class Kernel(CudaCase):
    """A typed rule on the GPU, at its defaults and one start."""

    rule: Optimizer

    def arguments(self) -> tuple[Any, ...]:
        numbers = [*self.rule.hyper_values().values()]
        begin = [np.array([c]) for c in self.start]
        return STEPS, DIVERGENCE_RADIUS, 0.0, numbers, [], begin


def take_the_plain_path_on_the_gpu(drawn_cases: Sequence[Case], folder: Path) -> int:
    """The kernels' text, compiled as C++ together, against the plain runs; how many were."""
    kernels, plain = [], []
    for i, case in enumerate(drawn_cases):
        ran = runs(case)
        if ran is None or ran[1]:
            continue
        rule = ran[0].optimizer
        loop = landscape_loop(ran[0].landscape, rule, rule.option_values())
        if not loop.per_step and len(loop.program.lines) <= limits.COMPILED_LINES:
            kernels.append(Kernel(f"case_{i}", case[0], case[2], "typed", loop, "double", rule))
            plain.append((case, ran[0]))
    text, built = folder / "kernels.cpp", folder / "kernels.so"
    text.write_text(SHIM + "".join(kernel.source for kernel in kernels), encoding="utf-8")
    flags = ["-std=c++17", "-O0", "-ffp-contract=off", "-shared", "-fPIC", "-w"]
    subprocess.run([compiler(), *flags, "-o", built, text], check=True)
    library = ctypes.CDLL(str(built))
    for kernel, (case, run) in zip(kernels, plain, strict=True):
        ends = run_on_host(library, kernel)
        assert (ends[2][0] or None) == run.diverged_at, case
        close((ends[0][0], ends[1][0]), run.path[-1], case)
    return len(kernels)


def test_every_name_means_the_same_on_the_gpu(tmp_path: Path) -> None:
    """No name of a reader is one of the printed source."""
    named = [text for text in corpus.RULES if any(name in text for name in corpus.NAMES)]
    every = [("x**2 + 3*y**2", text, (0.5, -0.25)) for text in named]
    assert take_the_plain_path_on_the_gpu(every, tmp_path) > 30


@drawn(1)
@given(some.lists(cases, min_size=TOGETHER, max_size=TOGETHER))
def test_the_gpu_takes_the_plain_path(drawn_cases: list[Case]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        take_the_plain_path_on_the_gpu(drawn_cases, Path(folder))


@pytest.fixture(autouse=True)
def uncompiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lanes, not what a compiler makes of them in the meantime."""
    monkeypatch.setitem(os.environ, "DESCENT_LAB_COMPILE", "0")
