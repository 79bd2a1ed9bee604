"""The computational graph: a typed function drawn as its tape records it, swept node by node."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import streamlit as st

from components.controls import Group, Slider
from components.graph import graph
from components.lead import Piece
from components.stage import Panel, stage
from engine.derivatives.graph import (
    EXAMPLES,
    MAX_DRAWN,
    Graph,
    NamedFormulas,
    build,
    gradient_costs,
    read_program,
    spoken,
)
from engine.derivatives.source import latex_gradient, python_gradient
from figures import graph as pictures
from pages import frame
from pages.drawn import TYPED, drawn_function, inputs_of
from pages.state import Choice, Numbers, Text, experiment, shorten

MODES = ("reverse", "forward")
CALLED = {"reverse": "reverse mode", "forward": "forward mode"}
FEW = 4  # inputs whose sliders may stand beside the drawing; more stand below it
COLUMNS = 4  # of sliders below it
MOST_BESIDE = 5  # layers of a drawing beside which there is room for sliders
REACH = 5.0  # inputs are dragged between ± this, or as far as the value in the link asks
COUNTS = (1, 2, 4, 8, 16, 32, 64, 128)

x = experiment(
    "graph",
    [
        Choice("on", "product", (*EXAMPLES, TYPED), label="function"),
        Text("f", "(x + y) * sin(x)", check=read_program),
        Numbers("at", (), -1e6, 1e6, count=(0, 16)),
        Choice(
            "mode",
            MODES[0],
            MODES,
            label="mode",
            says={k: v.capitalize() for k, v in CALLED.items()},
        ),
        Text("by", "", label="derivatives by"),
        Text("of", "", label="derivatives of"),
    ],
    parts=("costs", "copies"),
)


def seed(function: NamedFormulas) -> str:
    """The input that forward mode differentiates by."""
    return x["by"] if x["by"] in function.inputs else function.inputs[0]


def output(function: NamedFormulas) -> str:
    """The output that reverse mode differentiates."""
    return x["of"] if x["of"] in function.outputs else function.outputs[-1]


def ranges(function: NamedFormulas, at: tuple[float, ...]) -> dict[str, tuple[float, float]]:
    """Between which values each input can be dragged."""
    reach = [max(REACH, abs(v)) for v in at]
    return {name: (-r, r) for name, r in zip(function.inputs, reach, strict=True)}


def forget() -> None:
    """Another function has inputs and outputs of its own."""
    x.change({"at": (), "by": "", "of": ""})


# What the reader sees -----------------------------------------------------------------------------


def opening(function: NamedFormulas) -> None:
    """Title and lead, whose words choose the function, the mode, and the input or output."""
    names = [(slug, example.name) for slug, example in EXAMPLES.items()]
    pieces: list[Piece] = [
        x.menu("mode"),
        " over ",
        x.menu("on", options=[(TYPED, "your own function"), *names], then=forget),
    ]
    if x["mode"] == "forward" and len(function.inputs) > 1:
        by = [(name, spoken(name)) for name in function.inputs]
        pieces += [", by ", x.menu("by", value=seed(function), options=by)]
    elif x["mode"] == "reverse" and len(function.outputs) > 1:
        of = [(name, spoken(name)) for name in function.outputs]
        pieces += [", of ", x.menu("of", value=output(function), options=of)]
    pieces.append(": drag an input, or step through the passes.")
    frame.opening(x, "Computational graph", pieces)


def typed() -> None:
    """The field for the reader's own function."""
    frame.typed_text(
        "graph.f",
        x["f"],
        read_program,
        lambda text: x.change({"f": text, "at": (), "by": "", "of": ""}),
        label="A formula, or lines name = formula; what no later line reads is a result",
        lines=4,
        locked=x.locked("f"),
    )


def inputs(function: NamedFormulas, at: tuple[float, ...], *, beside: bool) -> list[Group]:
    """The inputs as sliders: in one group beside the drawing, or in a row of groups below it."""
    limits = ranges(function, at)
    default = EXAMPLES[x["on"]].values if x["on"] != TYPED else None
    sliders = [
        Slider(
            name=f"at[{i}]", label=spoken(name), value=value, minimum=limits[name][0],
            maximum=limits[name][1], default=None if default is None else default[i],
            locked=x.locked("at"),
        )
        for i, (name, value) in enumerate(zip(function.inputs, at, strict=True))
    ]  # fmt: skip
    if beside:
        return [Group(id="inputs", title="Inputs", items=sliders)]
    share = -(-len(sliders) // COLUMNS)
    return [
        Group(id=f"inputs{i}", items=sliders[i : i + share]) for i in range(0, len(sliders), share)
    ]


def summary(drawn: Graph) -> None:
    """What stands in place of a drawing that nobody could read."""
    counts = ", ".join(f"{n} × {name.replace('_', ' ')}" for name, n in drawn.operations.items())
    st.info(
        f"This graph has {len(drawn.nodes)} nodes and {len(drawn.edges)} edges; up to {MAX_DRAWN} "
        f"nodes are drawn. Its operations: {counts}.",
        icon=":material/account_tree:",
    )


def remark(function: NamedFormulas, drawn: Graph) -> None:
    """What is worth seeing in the present state; it names no result that is still to be found."""
    n, m = drawn.inputs, len(drawn.outputs)
    broken = (node for node in drawn.nodes if not node.logical and not math.isfinite(node.number))
    bad = next(broken, None)
    if bad is not None:
        says = "is no number" if math.isnan(bad.number) else "is infinite"
        frame.notice(
            f"**{bad.name} = {bad.expression or bad.name}** {says} at these inputs: "
            "from there on nothing has a value or a derivative. Drag an input until it has."
        )
        return
    note = EXAMPLES[x["on"]].note if x["on"] != TYPED else ""
    if x["mode"] == "reverse":
        count = {1: "the one derivative", 2: "both derivatives"}.get(n, f"all {n} derivatives")
        frame.notice(
            "**Reverse mode**, in neural networks *backpropagation*: after the forward pass one "
            f"backward pass gives {count} of {spoken(output(function))}."
            + more("outputs", m)
            + f" {note}"
        )
    else:
        frame.notice(
            "**Forward mode** computes with *dual numbers* (v, v̇), each value with its derivative "
            f"by {spoken(seed(function))}: one forward pass gives it for "
            + ("the output." if m == 1 else f"all {m} outputs.")
            + more("inputs", n)
            + f" {note}"
        )


def more(what: str, count: int) -> str:
    """How many sweeps the rest takes."""
    if count == 1:
        return ""
    others = "one more pass" if count == 2 else f"{count - 1} more passes"
    return f" The other {what} take {others}."


def costs(drawn: Graph) -> None:
    """Passes and products of both modes, for this graph and as a law."""
    n, m, edges = drawn.inputs, len(drawn.outputs), drawn.products
    frame.table(
        (
            "",
            "passes for all derivatives",
            "multiplications per pass",
            "multiplications in all",
            "n inputs, m outputs",
        ),
        [
            ("forward mode", str(n), str(edges), str(n * edges), "n passes"),
            ("reverse mode", str(m), str(edges), str(m * edges), "m passes"),
        ],
    )
    forward, reverse = gradient_costs(COUNTS)
    stage(
        "graph.costs",
        [
            Panel(
                id="costs",
                kind="chart",
                title="multiplications for a neuron's gradient, by its weights",
                figure=pictures.costs(COUNTS, forward, reverse, n),
                alt="Forward mode grows as the square of the number of weights, reverse in step.",
            )
        ],
        frames=1,
        height=260,
        alt="Cost of the two modes",
    )


def copies(function: NamedFormulas, at: tuple[float, ...]) -> None:
    """The chosen output with its gradient, to take along."""
    names, called = function.inputs, output(function)

    def value(*inputs: Any) -> Any:
        return function.run(dict(zip(names, inputs, strict=True)))[called]

    try:
        text = python_gradient(value, names, called)
    except ValueError:  # longer than anyone would paste
        return
    call = f"\nprint({called}_and_gradient({', '.join(map(shorten, at))}))\n"
    frame.copies(Python=text + call, LaTeX=latex_gradient(value, names, called))


def drawing(
    function: NamedFormulas, at: tuple[float, ...], height: int
) -> tuple[Graph, Callable[[], None]]:
    """The graph at the page's values, and how to show it."""
    live = x.live()
    entries = [f"at[{i}]" for i in range(len(at))]
    traced = [live["at"][i] for i in range(len(at))]
    drawn = build(function, traced, seed(function), output(function))

    def show() -> None:
        if drawn.layout is None:
            summary(drawn)
            return
        picture = pictures.picture(
            drawn, function, x["mode"], output(function), ranges(function, at), entries,
            locked=x.locked("at"),
        )  # fmt: skip
        called = " and ".join(spoken(name) for name in function.outputs)
        graph(
            "graph.drawing",
            picture,
            live=live,
            height=height,
            restart=x.restart,
            alt=f"Graph of {called} with {len(drawn.nodes)} nodes",
        )

    return drawn, show


@frame.fragment
def body() -> None:
    """Everything that answers to the reader's hand."""
    embedded = bool(st.context.is_embedded)
    function = drawn_function(x)
    opening(function)
    if x["on"] == TYPED and not x.hidden("f"):
        typed()
    at = inputs_of(x, function)
    x.stand_in("at", at)
    few = len(function.inputs) <= FEW
    drawn, show = drawing(function, at, (320 if few else 260) if embedded else 540)
    wide = drawn.layout is not None and drawn.layout.layers > MOST_BESIDE
    beside = few and not wide
    panel = [] if x.hidden("at") else inputs(function, at, beside=beside)
    if beside and panel:
        view = frame.view(x, panel=0.22)
        with view.picture:
            show()
        with view.panel:
            x.controls(panel, height=view.height(420, 300))
    else:
        with st.container(key="view-graph"):
            show()
            if panel and (few or not embedded):  # in a frame many are dragged in the drawing
                x.controls(panel, layout="row")
    remark(function, drawn)
    if not embedded and not x.hidden("costs"):
        costs(drawn)
    if not embedded and not x.hidden("copies"):
        copies(function, at)
    frame.foot(x, r"\bar v_i = \textstyle\sum_j \bar v_j\, \partial v_j/\partial v_i")
    x.publish()


body()
