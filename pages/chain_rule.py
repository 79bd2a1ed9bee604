"""Chain-rule practice: a graph of the reader's own, and every derivative of it to be found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from components.controls import Group, Slider
from components.graph import graph
from engine.derivatives.graph import EXAMPLES, Graph, NamedFormulas, build, read_program, spoken
from engine.derivatives.practice import Question, judge, questions
from engine.emit.picture import words, written
from figures import graph as pictures
from pages import frame
from pages.drawn import TYPED, drawn_function, inputs_of
from pages.state import Choice, Integer, Numbers, Text, experiment

REACH = 5.0
MOST_EDGES = 24  # more would be drudgery

# The graphs of the examples that can be walked by hand.
SHORT = tuple(
    slug
    for slug, example in EXAMPLES.items()
    if len(read_program(example.text).inputs) <= 4 and slug != TYPED
)


def read(text: str) -> NamedFormulas:
    """A function of few operations. Raises ValueError where it has too many, or cannot be read."""
    function = read_program(text)
    at = [0.8 + 0.45 * i for i in range(len(function.inputs))]
    drawn = build(function, at, function.inputs[0], function.outputs[-1])
    if len(drawn.edges) > MOST_EDGES or drawn.layout is None:
        raise ValueError(f"{len(drawn.edges)} edges: choose a function with at most {MOST_EDGES}")
    return function


x = experiment(
    "chain_rule",
    [
        Choice("on", "product", (*SHORT, TYPED), label="function"),
        Text("f", "(x + y) * sin(x)", check=read),
        Numbers("at", (), -1e6, 1e6, count=(0, 16)),
        Integer("q", 1, 1, MOST_EDGES + 16, label="question"),
    ],
    parts=("question",),
)


def memory(function: NamedFormulas) -> dict[str, Any]:
    """What has been found of this function: question -> where it holds (None: everywhere)."""
    kept: dict[str, Any] = st.session_state.setdefault("chain_rule.found", {})
    if kept.get("of") != function.text:
        kept.clear()
        kept |= {"of": function.text, "found": {}, "hints": {}, "said": ""}
    return kept


def forget() -> None:
    """Another function has questions of its own."""
    x.change({"at": (), "q": 1})


def solved(kept: Mapping[str, Any], at: tuple[float, ...]) -> set[str]:
    """The questions whose answers hold at these inputs."""
    return {name for name, where in kept["found"].items() if where is None or where == at}


def inputs(function: NamedFormulas, at: tuple[float, ...]) -> Group:
    """The inputs as sliders."""
    sliders = []
    for i, (name, value) in enumerate(zip(function.inputs, at, strict=True)):
        reach = max(REACH, abs(value))
        sliders.append(
            Slider(name=f"at[{i}]", label=spoken(name), value=value, minimum=-reach, maximum=reach)
        )
    return Group(id="inputs", title="Inputs", items=sliders)


def drawing(
    function: NamedFormulas, at: tuple[float, ...], asked: Question, done: set[str], drawn: Graph
) -> None:
    """The graph, forwards; of its derivatives those that have been found."""
    live = x.live()
    out = function.outputs[-1]
    traced = build(function, [live["at"][i] for i in range(len(at))], function.inputs[0], out)
    ranges = {n: (-max(REACH, abs(v)), max(REACH, abs(v)))
              for n, v in zip(function.inputs, at, strict=True)}  # fmt: skip
    every = questions(drawn, out)
    picture = pictures.practice(
        pictures.picture(
            traced, function, "forward", out, ranges, [f"at[{i}]" for i in range(len(at))],
            locked=x.locked("at"),
        ),
        {q.edge for q in every if q.edge is not None and q.name in done},
        {
            q.source: words(f"{q.name} {{:5}}", traced.nodes[q.source].adjoint)
            for q in every if q.edge is None and q.name in done
        },
        (asked.edge, asked.source),
    )  # fmt: skip
    graph(
        "chain_rule.drawing", picture, live=live, height=250 if st.context.is_embedded else 400,
        restart=x.restart, alt=f"Graph of {spoken(out)} with {len(drawn.nodes)} nodes",
    )  # fmt: skip


def ask(
    function: NamedFormulas, at: tuple[float, ...], kept: dict[str, Any], every: list[Question]
) -> None:
    """The question, the field for its answer, and what is said of it."""
    place = min(int(x["q"]), len(every)) - 1
    question, out = every[place], function.outputs[-1]
    done = solved(kept, at)
    field = f"chain_rule.answer.{function.text}.{question.name}"
    locked = x.locked("question")

    def check() -> None:
        text = st.session_state[field].strip()
        if not text or locked:
            return
        try:
            verdict = judge(function, at, out, question, text)
        except ValueError as error:
            kept["said"] = f"```text\n{error}\n```"
            return
        if not verdict.here:
            kept["said"] = f"✗ That is {written(verdict.value, '5')} here, and not the derivative."
            return
        kept["found"][question.name] = None if verdict.everywhere else at
        x.bring_about("found", question.name)
        kept["said"] = (
            f"✓ Right: {question.name} = {written(verdict.truth, '5')} here"
            + (", and at every other input too." if verdict.everywhere
               else ". A number holds at these inputs alone; an expression holds at all.")
        )  # fmt: skip

    def turn(by: int) -> None:
        kept["said"] = ""
        x.change({"q": (place + by) % len(every) + 1})

    def hint() -> None:
        kept["hints"][question.name] = kept["hints"].get(question.name, 0) + 1

    def show() -> None:
        kept["found"][question.name] = at
        truth = judge(function, at, out, question, "0").truth
        kept["said"] = f"{question.name} = {written(truth, '5')} here."

    st.markdown(f"**{place + 1} of {len(every)}** · {len(done)} found")
    st.text_input(
        f"{question.name} =", key=field, on_change=check, disabled=locked,
        placeholder="a number, or e.g. a * cos(x)",
    )  # fmt: skip
    with st.container(key="turns", horizontal=True, gap="small"):
        st.button("Back", on_click=turn, args=(-1,), disabled=locked)
        st.button("Hint", on_click=hint, disabled=locked)
        st.button("Show", on_click=show, disabled=locked)
        st.button("Next", on_click=turn, args=(1,), disabled=locked, type="primary")
    for line in question.hints[: kept["hints"].get(question.name, 0)]:
        st.caption(line)
    if kept["said"]:
        st.markdown(kept["said"])
    if len(done) == len(every):
        st.success("Every derivative of the graph is found.", icon=":material/done_all:")


@frame.fragment
def body() -> None:
    """Everything that answers to the reader's hand."""
    names = [(slug, EXAMPLES[slug].name) for slug in SHORT]
    frame.opening(
        x,
        "Chain-rule practice",
        ["Find every derivative of ",
         x.menu("on", options=[(TYPED, "your own function"), *names], then=forget),
         ": the local ones first, then the gradient."],
    )  # fmt: skip
    if x["on"] == TYPED and not x.hidden("f"):
        frame.typed_text(
            "chain_rule.f", x["f"], read,
            lambda text: x.change({"f": text, "at": (), "q": 1}),
            label="A formula, or lines name = formula", lines=3, locked=x.locked("f"),
        )  # fmt: skip
    function = drawn_function(x)
    at = inputs_of(x, function)
    x.stand_in("at", at)
    out = function.outputs[-1]
    drawn = build(function, list(at), function.inputs[0], out)
    every = list(questions(drawn, out))
    kept = memory(function)
    asked = every[min(int(x["q"]), len(every)) - 1]
    view = frame.view(x, panel=0.34)
    with view.panel:
        if not x.hidden("question"):
            ask(function, at, kept, every)
        if not x.hidden("at"):
            x.controls([inputs(function, at)], height=view.height(260, 180))
    with view.picture:
        drawing(function, at, asked, solved(kept, at), drawn)
    frame.foot(x, r"\bar v_i = \textstyle\sum_j \bar v_j\, \partial v_j/\partial v_i")
    x.publish()


body()
