"""What is too long is refused before work begins; what is compiled is bounded in every way."""

from __future__ import annotations

import json
import threading
import time
from contextlib import suppress

import numpy as np
import pytest

import engine
from engine import limits
from engine.emit import compiled
from engine.emit.compiled import Budget, CellsKernel, Waiting
from engine.emit.program import Level, TooLong, compile_program
from engine.problems.formula import FormulaError
from engine.runs.tracing import landscape_loop
from tests.hostile.corpus import FORMULAS, LONG_RACE, RULES, link
from tests.hostile.drawn import claim, open_link

SECONDS = 1.0  # that any text may take to be read or refused, on a busy machine


def kernel(formula: str) -> CellsKernel:
    rule = engine.OPTIMIZERS["sgd"]
    surface = engine.landscape(formula)
    return CellsKernel(landscape_loop(surface, rule, rule.option_values()), np.float64)


def test_tracing_ends_where_a_program_gets_too_long() -> None:
    seen = 0

    def long(at: object) -> dict[str, object]:
        nonlocal seen
        x = at["x"]  # type: ignore[index]
        for _ in range(50):
            x = x * x + 1.0
        return {"x": x}

    program = compile_program(long, {"x": Level.BOTH}, most=100)
    assert len(program.lines) == 100
    with pytest.raises(TooLong, match="more than 99"):
        compile_program(long, {"x": Level.BOTH}, most=99)


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_read_or_refused_at_once(text: str) -> None:
    begin = time.process_time()
    with suppress(ValueError):
        surface = engine.landscape(text)
        engine.descend(surface, "sgd", surface.start, 200)
    assert time.process_time() - begin < SECONDS


@pytest.mark.parametrize("text", RULES)
def test_a_rule_is_read_or_refused_at_once(text: str) -> None:
    begin = time.process_time()
    with suppress(ValueError):
        rule = engine.optimizer(text)
        engine.descend("bowl", rule, (1.0, 1.0), 200)
    assert time.process_time() - begin < SECONDS


def test_wide_calls_are_refused_by_what_they_become() -> None:
    wide = "max(" + ",".join(["x*y"] * 97) + ")"
    with pytest.raises(FormulaError, match="operations"):
        engine.landscape(wide)
    engine.landscape("max(" + ",".join(["x*y"] * 9) + ")")


def test_every_rule_of_our_own_is_short_enough_to_compile() -> None:
    surface = max(
        (entry for entry in engine.LANDSCAPES.values()),
        key=lambda entry: len(
            landscape_loop(
                entry, engine.OPTIMIZERS["newton"], engine.OPTIMIZERS["newton"].option_values()
            ).program.lines
        ),
    )
    for rule in engine.OPTIMIZERS.values():
        loop = landscape_loop(surface, rule, rule.option_values(), valued=True)
        assert len(loop.program.lines) <= limits.COMPILED_LINES, rule.slug


def test_a_long_program_is_never_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "compiler_enabled", lambda: True)
    monkeypatch.setattr(compiled, "_waiting", Waiting())
    monkeypatch.setattr(limits, "COMPILED_LINES", 60)
    long = kernel("clip(" * 5 + "x*y" + ",-1,x)" * 5)
    assert len(long.loop.program.lines) > limits.COMPILED_LINES
    long.request()
    long.ensure()
    assert long.compiled is None
    assert len(compiled._waiting) == 0


def test_the_newest_waits_before_the_older_and_the_oldest_is_dropped() -> None:
    waiting = Waiting()
    waiting._worker = threading.current_thread()  # nobody takes but this test
    kernels = [kernel(f"x**2 + {i}*y**2") for i in range(limits.WAITING_KERNELS + 2)]
    for each in kernels:
        waiting.put(each)
    waiting.put(kernels[-2])  # asked for again: the newest now
    assert len(waiting) == limits.WAITING_KERNELS
    assert waiting.take() is kernels[-2]
    assert waiting.take() is kernels[-1]
    assert waiting.take() is kernels[-3]
    assert len(waiting) == 0


def test_what_has_waited_long_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = Waiting()
    waiting._worker = threading.current_thread()
    waiting.put(kernel("x**2 + y**2"))
    waiting.put(kernel("x**2 + 2*y**2"))
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + limits.WAITING_SECONDS + 1)
    late = kernel("x**2 + 3*y**2")
    taken: list[CellsKernel] = []
    thread = threading.Thread(target=lambda: taken.append(waiting.take()), daemon=True)
    thread.start()
    thread.join(0.1)
    assert not taken
    assert len(waiting) == 0
    waiting.put(late)
    thread.join(5)
    assert taken == [late]


def test_a_process_compiles_so_many_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "compiler_enabled", lambda: True)
    monkeypatch.setattr(compiled, "_budget", Budget(2))
    made: list[CellsKernel] = []
    monkeypatch.setattr(CellsKernel, "compile", lambda self: made.append(self))
    kernels = [kernel(f"x**2 + {i}*y**2") for i in range(4)]
    for each in kernels:
        each.ensure()
    assert made == kernels[:2]


def test_the_process_that_answers_readers_compiles_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "_forbidden", False)
    monkeypatch.setenv("DESCENT_LAB_COMPILE", "1")
    assert compiled.compiler_enabled()
    compiled.compile_nothing()
    asked = kernel("x**2 + 19*y**2")
    asked.request()
    asked.ensure()
    assert asked.compiled is None
    assert len(compiled._waiting) == 0


@pytest.mark.parametrize("asked", ["halve", "find"])
def test_a_reader_is_told_that_rates_of_a_long_run_are_not_tried(
    monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    page = open_link(link("race", steps=2000))
    monkeypatch.setattr(limits, "TRIED_LINES", 2000)
    monkeypatch.setattr(limits, "HALVED_LINES", 2000)
    claimed = {"action": {"seq": 7, "group": "0", "id": asked}}
    assert claim(page, json.dumps(claimed)).toast[0].value.startswith("No learning rates are tried")


def test_a_race_says_whose_rates_it_leaves_out() -> None:
    said = [c.value for c in open_link(link("race", **LONG_RACE, rates=1)).caption]
    assert any(
        text.startswith("No learning rates are tried for Newton 2, Newton 3") for text in said
    )
