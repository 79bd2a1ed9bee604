"""Chain-rule practice: answers are taken, remembered, and hidden until they are found."""

from __future__ import annotations

from typing import Any

from tests.pages.programs import component_data
from tests.pages.running import markdown, open_page


def drawn(page: Any) -> dict[str, Any]:
    found: dict[str, Any] = next(d for d in component_data(page) if "edges" in d)
    return found


def test_no_derivative_is_shown_before_it_is_found() -> None:
    page = open_page("chain_rule", q="3")
    assert not page.exception
    shown = [edge["derivative"] for edge in drawn(page)["edges"]]
    assert sorted(shown) == [" ", " ", " ", " ", "?"]
    assert page.text_input[0].label == "∂b/∂x ="
    page.text_input[0].set_value("sin(x)").run()
    assert "✓ Right" in markdown(page)  # at π/4 …
    assert "A number holds at these inputs alone" in markdown(page)
    page.text_input[0].set_value("cos(x)").run()
    assert "at every other input too" in markdown(page)
    assert [edge["derivative"] for edge in drawn(page)["edges"]].count(" ") == 4
    assert "1 found" in markdown(page)


def test_hints_lead_on_and_the_answer_can_be_shown() -> None:
    page = open_page("chain_rule", q="6")
    hint = next(b for b in page.button if b.label == "Hint")
    hint.click().run()
    assert len(page.caption) == 1
    next(b for b in page.button if b.label == "Hint").click().run()
    assert "∂f/∂x = ∂f/∂a · ∂a/∂x + ∂f/∂b · ∂b/∂x" in page.caption[1].value
    next(b for b in page.button if b.label == "Show").click().run()
    assert "∂f/∂x = 1.9696 here" in markdown(page)


def test_a_typed_answer_that_cannot_be_read_is_pointed_at() -> None:
    page = open_page("chain_rule")
    page.text_input[0].set_value("cos(").run()
    assert not page.exception
    assert "^" in markdown(page)


def test_the_readers_own_function() -> None:
    page = open_page("chain_rule", on="typed", f="exp(x*y)", at="0.5,2", q="1")
    assert not page.exception
    page.text_input[0].set_value("f").run()
    assert "at every other input too" in markdown(page)
    long = " + ".join(f"sin(x*{k})" for k in range(2, 16))
    assert "choose a function with at most" in open_page("chain_rule", f=long).warning[0].value
