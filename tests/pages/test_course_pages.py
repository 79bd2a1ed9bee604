"""The glossary, the recap and the teachers' page: every link opens, every number is computed."""

from __future__ import annotations

import html
import math
import re
from urllib.parse import parse_qsl, urlsplit

import pytest

from engine.studies.advice import ADVICE, BATCHES, USUAL
from pages import course, terms
from pages.contents import SECTIONS
from tests.pages.programs import component_data
from tests.pages.running import markdown, open_page, tables

PAGES = {entry.file for entries in SECTIONS.values() for entry in entries}
LINKS = sorted({term.link for term in terms.TERMS if "?" in term.link})


def test_terms_are_told_apart_and_lead_to_pages() -> None:
    words = [word for term in terms.TERMS for word in (term.name, *term.also)]
    assert len(words) == len(set(words))
    assert len({term.slug for term in terms.TERMS}) == len(terms.TERMS)
    assert {urlsplit(term.link).path for term in terms.TERMS} <= PAGES
    assert [term.name for term in terms.TERMS if '"' in term.text] == []


# What the course speaks of beside the names of rules, which have the page of the family.
SPOKEN = """
entropy, surprise, cross-entropy, KL: Kullback–Leibler divergence, Gibbs' inequality,
Jensen–Shannon divergence, maximum likelihood, likelihood, negative log-likelihood, MSE, sigmoid,
saturation, softmax, temperature, logits, label, one-hot, zero-one loss, margin, hinge loss,
surrogate loss, focal loss, gradient, learning rate, momentum, stability limit, condition number,
zig-zag, divergence, moving average, bias correction, weight decay, Hessian, curvature,
eigenvalue, singular value, Newton–Schulz steps, parameter group, schedule, warm-up, warm
restarts, one-cycle, batch, mini-batch, batch size, epoch, hyper-parameter, basin, local minimum,
saddle, perceptron, MLP, decision boundary, sharpness, weight space, expression swell, finite
difference, round-off, truncation error, forward mode, reverse mode, dual number, adjoint,
backpropagation, computational graph, chain rule, topological order, gradient check, relative
error, autograd, tape, optimizer
"""


def test_the_words_of_the_course_are_in_the_glossary() -> None:
    known = {word.lower() for term in terms.TERMS for word in (term.name, *term.also)}
    spoken = {word.strip().removeprefix("KL: ") for word in SPOKEN.replace("\n", " ").split(",")}
    assert {word for word in spoken if word.lower() not in known} == set()


@pytest.mark.parametrize("link", LINKS)
def test_a_terms_page_opens_at_its_state(link: str) -> None:
    parts = urlsplit(link)
    page = open_page(parts.path, **dict(parse_qsl(parts.query)))
    assert not page.exception
    assert not page.warning, [w.value for w in page.warning]


def test_a_term_is_linked_where_it_first_stands() -> None:
    text = "The gradient of a loss, and a gradient again; its Hessian, `gradient` and $gradient$."
    marked = terms.marked(text, "entropy", terms.as_html)
    assert marked.count("<a class='term'") == 2
    assert marked.startswith("The <a class='term' href='glossary?term=gradient' title='")
    assert re.sub(r"<[^>]+>", "", marked) == text
    assert terms.marked("softmax of logits", "softmax", terms.as_html) == "softmax of logits"
    assert "](glossary?term=learning-rate" in terms.marked(
        "Raise the learning rate.", "map", terms.as_markdown
    )


def test_lessons_and_leads_link_their_terms() -> None:
    lesson = course.lessons()["zig-zag-and-momentum"]
    page = open_page("race", lesson=course.mark(lesson, 0))
    assert any("](glossary?term=learning-rate" in part.value for part in page.markdown)
    said = tables(open_page("gradient_check"))
    assert "glossary?term=gradient" in said
    # Those of the sentences under a picture stand below it, each once.
    assert re.findall(r"<a[^>]*>([^<]*)", said.partition("Words used here")[2]) == [
        "round-off", "gradient", "relative error",
    ]  # fmt: skip
    page = open_page("batch_size")
    (lead,) = (data["pieces"] for data in component_data(page) if "pieces" in data)
    assert [piece["to"] for piece in lead if "to" in piece] == ["glossary?term=gradient"]


def test_formulas_code_and_links_are_not_touched() -> None:
    text = "$\\text{softmax}$ and `softmax`, [softmax](softmax?T=2), <b title='softmax'>softmax</b>"
    marked = terms.marked(text, "race", terms.as_markdown)
    assert marked.count("glossary?term=softmax") == 1
    assert marked.startswith(text[: text.index(">softmax") + 1])


def test_the_glossary_shows_a_term_that_is_asked_for() -> None:
    page = open_page("glossary", term="softmax")
    assert not page.exception
    assert page.markdown[0].value.startswith("**softmax**")


def test_the_recaps_numbers() -> None:
    page = open_page("recap")
    assert not page.exception
    said = markdown(page)
    for number in ("1.000, 0.469, 0.081", "0.659, 0.242, 0.099", "−0.9800, −0.0384", "5, 10, 100",
                   "×10, 1.535", "3.162 η"):  # fmt: skip
        assert number in said, number
    shown = tables(page)
    for row in (*USUAL.values(), *BATCHES, *ADVICE):
        assert html.escape(row.source) in shown
    q = 0.6 * -math.log(0.2) + 0.3 * -math.log(0.3) + 0.1 * -math.log(0.5)
    assert f"{q:.3f}" in said


def test_a_teacher_takes_a_link_to_chosen_exercises() -> None:
    chosen = "exercises-losses.1,zig-zag-and-momentum.2"
    page = open_page("teachers", set=chosen, n="7", variants="2")
    assert not page.exception
    assert not page.warning
    links = page.code[0].value.split("\n")
    assert len(links) == 2
    marks = [dict(parse_qsl(urlsplit(link).query))["lesson"] for link in links]
    assert marks == [f"{chosen}.1@7", f"{chosen}.1@8"]
    one, two = (course.find(mark) for mark in marks)
    assert one is not None
    assert two is not None
    answer = one[0].steps[0].guesses[0].value
    assert answer != two[0].steps[0].guesses[0].value
    assert f"<b>{answer:.6g}</b>" in tables(page)
    opened = open_page("entropy", **dict(parse_qsl(urlsplit(links[0]).query)))
    assert not opened.exception
    assert not opened.warning
    assert "Exercises · 1 of 2" in markdown(opened)


def test_a_set_that_names_no_step_is_said() -> None:
    page = open_page("teachers", set="none.1")
    assert not page.exception
    assert "there is no step" in page.warning[0].value
