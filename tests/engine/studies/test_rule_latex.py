"""Formulas with numbers: every rule under every convention fills, and says what was computed."""

from __future__ import annotations

import itertools
import re
from types import SimpleNamespace

import pytest

import engine
from engine.optimizers import OPTIMIZERS, Optimizer
from engine.optimizers.schedules import SCHEDULES
from engine.studies import rule_latex as latex


def conventions(optimizer: Optimizer) -> list[dict[str, str | bool]]:
    """Every combination of an optimizer's options."""
    names = [option.name for option in optimizer.options]
    choices = [[value for value, _ in option.choices] for option in optimizer.options]
    return [dict(zip(names, chosen, strict=True)) for chosen in itertools.product(*choices)]


EVERY_RULE = [(slug, o) for slug, entry in OPTIMIZERS.items() for o in conventions(entry)]


@pytest.mark.parametrize(("slug", "options"), EVERY_RULE)
def test_every_rule_fills_with_symbols_and_numbers(
    slug: str, options: dict[str, str | bool]
) -> None:
    run = engine.descend("bowl", slug, (5, 3), 3, options=options)
    for line in latex.rule_at(run, 2):
        for text in (line.symbols, *line.numbers):
            assert not re.search(r"<\w+-?>", text)
            assert text.count("{") == text.count("}")
            assert text.count(r"\left") == text.count(r"\right")
        assert len(line.numbers) == (2 if run.optimizer.elementwise else 1)


def test_adams_third_step_in_numbers() -> None:
    """By hand: w = 5, η = 0.001 and β₁ = 0.9 give m₃ = 0.9 m₂ + 0.1 g₃ on f = x² + 50y²."""
    run = engine.descend("bowl", "adam", (5, 3), 5)
    first = latex.rule_at(run, 1)
    assert first[0].symbols == r"m_t = \beta_1\, m_{t-1} + (1 - \beta_1)\, g_t"
    assert first[0].numbers == (
        r"m_t = 0.9 \cdot 0 + (1 - 0.9) \cdot 10 = \mathbf{1}",
        r"m_t = 0.9 \cdot 0 + (1 - 0.9) \cdot 300 = \mathbf{30}",
    )
    third = latex.rule_at(run, 3)
    assert third[2].numbers[0] == r"\hat m_t = \frac{2.709}{1 - 0.9^{3}} = \mathbf{9.998}"


def test_a_schedule_changes_the_rate_in_the_formula() -> None:
    run = engine.descend("bowl", "sgd", (5, 3), 4, {"lr": 0.01}, schedule=[1, 0.5, 0.5, 0.25])
    assert r"- 0.005 \cdot" in latex.rule_at(run, 2)[0].numbers[0]


@pytest.mark.parametrize("step", [0, 4, -1])
def test_a_step_that_was_not_made_is_refused(step: int) -> None:
    run = engine.descend("bowl", "sgd", (5, 3), 3)
    with pytest.raises(ValueError, match="step must lie in"):
        latex.rule_at(run, step)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (1.0, "1"),
        (-2.5, "-2.5"),
        (44991.2, r"44\,991"),
        (1e-8, "10^{-8}"),
        (-1e-8, "-10^{-8}"),
        (3.25e7, r"3.25 \times 10^{7}"),
        (float("inf"), r"\infty"),
        (float("nan"), r"\text{undefined}"),
    ],
)
def test_numbers(value: float, text: str) -> None:
    assert latex.number(value) == text


def test_factors_stand_in_parentheses_where_they_must() -> None:
    assert latex.factor(-0.5) == "(-0.5)"
    assert latex.factor(1e-9, powered=True) == "(10^{-9})"
    assert latex.factor(1e-9) == "10^{-9}"


@pytest.mark.parametrize(
    ("symbol", "step", "expected"),
    [
        (r"\hat m", "t", r"\hat m_t"),
        ("v_1", "t-1", "v_{1,t-1}"),
        (r"\lambda_{\min}", "t", r"\lambda_{\min,t}"),
        ("g_{t-1}", "t-1", "g_{t-1}"),
        (r"\Pi_t", "t-1", r"\Pi_{t-1}"),
        (r"\Sigma g_1^2", "t", r"{\Sigma g_1^2}_t"),
    ],
)
def test_symbols_carry_the_step(symbol: str, step: str, expected: str) -> None:
    assert latex.at_step(symbol, step) == expected


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
def test_every_schedule_fills_with_numbers(schedule: engine.Schedule) -> None:
    assert not re.search(r"<\w+>", latex.fill_numbers(schedule.latex, schedule.arguments))


def test_array_repeats_no_left_side() -> None:
    adam = OPTIMIZERS["adam"]
    lines = adam.latex(SimpleNamespace(**adam.option_values()))
    text = latex.array(["a = b", "c = d"], [["a = 1", "c = 2"]], ["symbols", "numbers"])
    assert text.count(r"\\") == 2
    assert r"\displaystyle = 1" in text
    assert "a = 1" not in text
    assert latex.array(lines).count(r"\\[") == len(lines) - 1


def test_array_gives_a_fraction_room_below() -> None:
    assert r" \\[11pt] " in latex.array([r"a = \frac{1}{2}", "b = 2"])
    assert r" \\[5pt] " in latex.array(["a = 1", r"b = \frac{1}{2}"])


def test_blocks_repeat_the_left_side_and_keep_their_lines_level() -> None:
    lines = latex.rule_at(engine.descend("bowl", "adam", (5, 3), 3, {"lr": 0.1}), 2)
    symbols, x, y = latex.blocks(lines, ("step 2", "x", "y"))
    for block in (symbols, x, y):
        assert block.count(r"\displaystyle \hat m_t &") == 1
        assert block.count(f"{{{latex.LINE}em}}") == 5, "five lines, equally high"
    assert [line.name for line in lines] == ["m", "v", "m_hat", "v_hat", "w"]


def test_a_variable_takes_the_colour_of_its_arrow() -> None:
    (first, *_) = latex.rule_in_symbols(engine.OPTIMIZERS["adam"], colors={"g": "#b3202c"})
    assert r"\textcolor{#b3202c}{g_t}" in first
