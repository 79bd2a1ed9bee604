"""The computational graph: a typed function drawn as its tape records it, swept node by node."""

from __future__ import annotations

import streamlit as st

from components.controls import Group, Slider, controls
from components.graph import graph
from components.stage import Panel, stage
from engine.derivatives.graph import (
    EXAMPLES,
    MAX_DRAWN,
    Graph,
    Program,
    build,
    gradient_costs,
    read_program,
    show,
    spoken,
)
from engine.tape.symbolic import name_latex
from figures import graph as pictures
from pages import frame, prose
from pages.state import Choice, Numbers, Text, experiment

TYPED = "typed"
MODES = ("reverse", "forward")
FEW = 4  # inputs whose sliders stand beside the drawing; more stand below it
REACH = 5.0  # inputs are dragged between ± this, or as far as the value in the link asks
COUNTS = (1, 2, 4, 8, 16, 32, 64, 128)

x = experiment(
    "graph",
    [
        Choice("on", "product", (*EXAMPLES, TYPED)),
        Text("f", "(x + y) * sin(x)", check=read_program),
        Numbers("at", (), -1e6, 1e6, count=(0, 16)),
        Choice("mode", MODES[0], MODES),
        Text("by", ""),
    ],
)

frame.opening(
    x,
    "Computational graph",
    "A function as a computer meets it: one small operation after another. Forwards it gives the "
    "value, backwards the whole gradient. Drag an input, or step through the sweep.",
)


def program() -> Program:
    """The function that is drawn."""
    return read_program(x["f"] if x["on"] == TYPED else EXAMPLES[x["on"]].text)


def values(function: Program) -> tuple[float, ...]:
    """The inputs' values: the reader's where he has set them all, else the example's."""
    if len(x["at"]) == len(function.inputs):
        return tuple(x["at"])
    if x["on"] != TYPED:
        return EXAMPLES[x["on"]].values
    return tuple(round(0.8 + 0.45 * i, 2) for i in range(len(function.inputs)))


def seed(function: Program) -> str:
    """The input that forward mode differentiates by."""
    return x["by"] if x["by"] in function.inputs else function.inputs[0]


def ranges(function: Program, at: tuple[float, ...]) -> dict[str, tuple[float, float]]:
    """Between which values each input can be dragged."""
    reach = [max(REACH, abs(v)) for v in at]
    return {name: (-r, r) for name, r in zip(function.inputs, reach, strict=True)}


# What the reader does -----------------------------------------------------------------------------


def set_input(name: str, value: float, committed: bool) -> None:
    """An input dragged in the drawing."""
    function = program()
    at = dict(zip(function.inputs, values(function), strict=True))
    x.change({"at": tuple({**at, name: value}.values())}, by="drawing", held=not committed)


def choose(name: str) -> None:
    """Another function: its own inputs, no longer the last one's."""
    x.change({"on": name, "at": (), "by": ""})


# What the reader sees -----------------------------------------------------------------------------


def choices(function: Program) -> None:
    """Which function, which mode, and by which input."""

    def chosen() -> None:
        choose(st.session_state["graph.chosen"])

    def switched() -> None:
        x.change({"mode": st.session_state["graph.switched"] or x["mode"]})

    def seeded() -> None:
        x.change({"by": st.session_state["graph.seeded"]})

    left, middle, right = st.columns([2, 1.4, 1], vertical_alignment="bottom")
    st.session_state["graph.chosen"] = x["on"]
    left.selectbox(
        "Function",
        (*EXAMPLES, TYPED),
        key="graph.chosen",
        format_func=lambda slug: "type your own …" if slug == TYPED else EXAMPLES[slug].name,
        on_change=chosen,
        disabled=x.locked("on"),
    )
    st.session_state["graph.switched"] = x["mode"]
    middle.segmented_control(
        "Mode",
        MODES,
        key="graph.switched",
        format_func=lambda mode: f"{mode} mode",
        on_change=switched,
        disabled=x.locked("mode"),
    )
    if x["mode"] == "forward":
        st.session_state["graph.seeded"] = seed(function)
        right.selectbox(
            "Derivatives by",
            function.inputs,
            key="graph.seeded",
            format_func=spoken,
            on_change=seeded,
            disabled=x.locked("by"),
        )


def typed() -> None:
    """The field for the reader's own function."""

    def take(text: str) -> None:
        x.change({"f": text, "at": (), "by": ""})

    frame.typed_text(
        "graph.f",
        x["f"],
        read_program,
        take,
        label="A formula, or lines name = formula; the last line is the result",
        lines=4,
        locked=x.locked("f"),
    )


def sliders(function: Program, at: tuple[float, ...], height: int | None) -> tuple[float, ...]:
    """The inputs as sliders, in rows where no height is given; what they say."""
    limits = ranges(function, at)
    answer = controls(
        f"graph.inputs.{x['on']}.{'.'.join(function.inputs)}",
        [
            Group(
                id="inputs",
                title="Inputs",
                items=[
                    Slider(
                        name=name, label="", symbol=spoken(name), value=value,
                        minimum=limits[name][0], maximum=limits[name][1],
                    )
                    for name, value in zip(function.inputs, at, strict=True)
                ],
            )
        ],
        locked=function.inputs if x.locked("at") else (),
        layout="column" if height else "row",
        max_height=height,
        alt="Values of the inputs",
    )  # fmt: skip
    now = tuple(float(answer.values[name]) for name in function.inputs)
    if now != at:
        x.change({"at": now}, by="sliders", held=not answer.committed)
    elif answer.committed:
        x.change({}, by="sliders")
    return now


def summary(drawn: Graph) -> None:
    """What stands in place of a drawing that nobody could read."""
    counts = ", ".join(f"{n} × {name.replace('_', ' ')}" for name, n in drawn.operations.items())
    st.info(
        f"This graph has {len(drawn.nodes)} nodes and {len(drawn.edges)} edges; up to {MAX_DRAWN} "
        f"nodes are drawn. Its operations: {counts}.",
        icon=":material/account_tree:",
    )


def result(function: Program, drawn: Graph) -> str:
    """The value, and what the sweep has found of the gradient."""
    out = name_latex(function.output)
    named = zip(function.inputs, drawn.nodes, strict=False)
    slopes = r",\;".join(
        rf"\frac{{\partial {out}}}{{\partial {name_latex(name)}}} = {tex(node.adjoint)}"
        for name, node in named
        if x["mode"] == "reverse" or name == seed(function)
    )
    return rf"{out} = {tex(drawn.nodes[-1].value)}, \qquad {slopes}"


def tex(value: float | None) -> str:
    """A number as LaTeX."""
    words = {"∞": r"\infty", "−∞": r"-\infty", "undefined": r"\text{undefined}"}
    text = "–" if value is None else show(value)
    return words.get(text, text.replace("−", "-"))


def remark(function: Program, drawn: Graph) -> None:
    """What is worth seeing in the present state."""
    out, n = spoken(function.output), drawn.inputs
    bad = next((node for node in drawn.nodes if node.text in ("undefined", "∞", "−∞")), None)
    if bad is not None:
        prose.notice(
            f"**{bad.name} = {bad.expression or bad.name}** is {bad.text} at these inputs: "
            "from there on nothing has a value or a derivative. Drag an input until it has."
        )
    elif x["mode"] == "reverse":
        first = max(drawn.nodes[:n], key=lambda node: abs(node.adjoint or 0.0))
        note = EXAMPLES[x["on"]].note if x["on"] != TYPED else ""
        count = {1: "the one derivative", 2: "both derivatives"}.get(n, f"all {n} derivatives")
        prose.notice(
            f"One backward sweep gives {count} of {out}; it pulls hardest on "
            f"**{first.name}** (∂{out}/∂{first.name} = {show(first.adjoint)}). {note}"
        )
    else:
        by = spoken(seed(function))
        more = (
            f"For the other {n - 1} of the {n} derivatives it takes {n - 1} more."
            if n > 1
            else "With one input and one output, both modes cost the same."
        )
        prose.notice(f"This sweep carries the derivative by **{by}** along with the value. {more}")


def costs(drawn: Graph) -> None:
    """Passes and products of both modes, for this graph and as a law."""
    n, edges = drawn.inputs, drawn.products
    frame.table(
        (
            "",
            "passes for the gradient",
            "products a pass",
            "products in all",
            "n inputs, m outputs",
        ),
        [
            ("forward mode", str(n), str(edges), str(n * edges), "n passes"),
            ("reverse mode", "1", str(edges), str(edges), "m passes"),
        ],
    )
    forward, reverse = gradient_costs(COUNTS)
    stage(
        "graph.costs",
        [
            Panel(
                id="costs",
                kind="chart",
                title="products for the whole gradient of a neuron, against its number of weights",
                figure=pictures.costs(COUNTS, forward, reverse, n),
                alt="Forward mode grows as the square of the number of weights, reverse in step.",
            )
        ],
        frames=1,
        height=240,
        alt="Cost of the two modes",
    )


@st.fragment
def body() -> None:
    """Everything that answers to the reader's hand."""
    embedded = bool(st.context.is_embedded)
    function = program()
    if not x.hidden("choices"):
        choices(function)
    if x["on"] == TYPED and not x.hidden("f"):
        typed()
    at = values(function)
    beside = len(function.inputs) <= FEW
    if x.hidden("at"):
        drawing = st.container()
    else:
        drawing, panel = (
            st.columns([4, 1], gap="medium") if beside else (st.container(), st.container())
        )
        with panel:
            at = sliders(function, at, (260 if embedded else 420) if beside else None)
    drawn = build(function, at, seed(function))
    with drawing:
        if drawn.layout is None:
            summary(drawn)
        else:
            picture = pictures.picture(
                drawn,
                function,
                x["mode"],
                ranges(function, at),
                function.inputs if x.locked("at") else (),
            )
            graph(
                "graph.drawing",
                picture,
                alt=f"Graph of {spoken(function.output)} with {len(drawn.nodes)} nodes",
                on_value=set_input,
            )
    remark(function, drawn)
    with st.container(key="formula-graph"):
        st.latex(result(function, drawn))
    if not x.hidden("costs"):
        costs(drawn)
    x.publish()


body()
