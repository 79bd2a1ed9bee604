"""The engine in a page: a scalar one in fifteen lines at work, its tape, a network that learns."""

from __future__ import annotations

import html
import inspect
import re
from collections.abc import Sequence

import streamlit as st

from components.controls import Group, Item
from components.graph import Code, graph
from components.lead import Piece
from components.stage import Handle, Panel, Raster, stage
from engine.derivatives.graph import Graph, NamedFormulas, build, read_program
from engine.derivatives.source import latex_gradient
from engine.emit.picture import round_to, words, written
from engine.limits import LEARNING_STEPS
from engine.optimizers import OPTIMIZERS
from engine.problems.data import DATASETS
from engine.problems.formula import Formula, FormulaError, parse
from engine.problems.networks import ACTIVATIONS
from engine.studies import engine_room as showcase
from engine.studies import scalar
from engine.studies.engine_room import Learner, LearningSetup, entries
from engine.studies.lineage import LINEAGE
from engine.studies.stepping import Stepping, by_the_lines, by_the_tape
from engine.tape import autograd, record
from figures import engine_room as pictures
from figures import graph as drawings
from pages import frame, own_rule
from pages.state import Choice, Integer, Number, Text, experiment

SOURCES = {"lines": by_the_lines, "tape": by_the_tape}
SOURCE_NAMES = {"lines": "fifteen lines", "tape": "the laboratory's own tape"}
MOMENTS = 2500  # lines that run on the longest tape
PARTS = ("fifteen lines", "learning", "static or dynamic", "lineage")
PART_NAMES = dict(
    zip(
        PARTS,
        ("a derivative", "a network learn", "static and dynamic graphs", "the lineage"),
        strict=True,
    )
)
MOST_INPUTS, MOST_NODES = 4, 24
REACH, BRANCH = 10.0, 3.0  # how far inputs and the branch's x go
TICK = 0.25  # seconds between two slices of learning
STRIDE = 20  # steps a tick, while it learns
RULES = [o.slug for o in OPTIMIZERS.values() if o.on_tensors]


def readable(text: str) -> Formula:
    """A formula of a few inputs in the operations of the fifteen lines; ValueError otherwise."""
    formula = parse(text, None)
    if not 1 <= len(formula.names) <= MOST_INPUTS:
        raise FormulaError(f"{len(formula.names)} inputs, where 1 to {MOST_INPUTS} fit.", text)
    unknown = scalar.missing(positional(formula), formula.names)
    if unknown:
        known = ", ".join(scalar.OPERATIONS)
        raise FormulaError(f"The lines have no {unknown[0]}; they have {known}.", text)
    count = len(entries(formula, dict.fromkeys(formula.names, 0.5)))
    if count > MOST_NODES:
        raise FormulaError(f"Its tape has {count} entries, where {MOST_NODES} fit.", text)
    return formula


def positional(formula: Formula) -> showcase.Function:
    """The formula as a function of its inputs in their order."""
    return lambda *values: formula(**dict(zip(formula.names, values, strict=True)))


x = experiment(
    "engine_room",
    [
        Choice("part", PARTS[0], PARTS, label="part", says=PART_NAMES),
        Text("f", "(x + y) * sin(x)", check=readable),
        *(
            Number(f"a{i}", (0.7853981633974483, 1.0)[i % 2], -REACH, REACH)
            for i in range(MOST_INPUTS)
        ),
        Choice("source", "lines", list(SOURCES), label="source", says=SOURCE_NAMES),
        Integer("step", 0, 0, MOMENTS),
        Number("branch", 1.0, -BRANCH, BRANCH, label="x"),
        Choice(
            "data", "two_moons", list(DATASETS), label="data",
            says={name: name.replace("_", " ") for name in DATASETS},
        ),
        Integer("width", 16, 2, 64, label="width", help="units in each hidden layer"),
        Choice("activation", "tanh", list(ACTIVATIONS), label="activation"),
        *own_rule.fields("rule", RULES, "adam"),
        Number("lr", 0.03, 1e-4, 10.0, label="learning rate", symbol="η", scale="log"),
        Integer("seed", 0, 0, 999, label="seed"),
        Integer("trained", 0, 0, LEARNING_STEPS),
    ],
    parts=("code", "start", "copies"),
)  # fmt: skip


def opening() -> None:
    """Title and lead, whose words choose the part and, of the first, which source runs."""
    said: dict[str, list[Piece]] = {
        PARTS[0]: [" found by ", x.menu("source", then=rewind), ", line by line, forth and back."],
        PARTS[1]: [" on the same tape, with arrays for numbers and the rule that you choose."],
        PARTS[2]: [": one function, recorded while it runs or once for all."],
        PARTS[3]: [" of derivatives by machine, each year with the page that shows it."],
    }
    frame.opening(x, "The engine", ["See ", x.menu("part"), *said[x["part"]]])


def source(thing: object) -> None:
    """The real source of a part of the engine."""
    st.code(inspect.getsource(thing), language="python", wrap_lines=True)  # type: ignore[arg-type]


# Fifteen lines ------------------------------------------------------------------------------------


def fifteen() -> None:
    """The scalar engine at work on a function: running lines, tape and graph on one clock."""
    embedded = bool(st.context.is_embedded)
    if not embedded and not x.hidden("f"):
        frame.formula(x, "f", readable, "(x + y) * sin(x)", label="f =", then=rewind)
    formula = readable(x["f"])
    program = read_program(x["f"])
    names = [f"a{i}" for i in range(len(formula.names))]
    live = x.live()
    drawn = build(program, [live[name] for name in names], program.inputs[0], "f")
    ran = stepping(x["source"], x["f"])
    reach = {name: max(abs(x[a]), 5.0) for name, a in zip(program.inputs, names, strict=True)}
    picture = drawings.picture(
        drawn, program, "reverse", "f", {name: (-r, r) for name, r in reach.items()}, names,
        locked=x.locked("a0"),
    )  # fmt: skip
    graph(
        "engine_room.sweep",
        picture,
        live=live,
        height=258 if embedded else 340,
        start=min(x["step"], len(ran.steps) - 1),
        entry="step",
        autoplay=x["step"] == 0,
        code=None if x.hidden("code") else Code(ran.lines, ran.running, ran.steps),
        restart=x.restart,
        alt=f"f = {x['f']}: {len(ran.lines)} lines of source, the tape and the graph",
    )
    if not embedded:
        agreement(formula, program, drawn)
        inside()
        if not x.hidden("copies"):
            copies(formula)
    frame.foot(x, r"\bar u \mathrel{+}= \bar v\,\partial v/\partial u")
    x.publish()


def rewind() -> None:
    """Other lines run from their beginning."""
    x.change({"step": 0})


@st.cache_data(max_entries=64, show_spinner=False)
def stepping(by: str, text: str) -> Stepping:
    """Which lines run, one after the other, on the function of that text."""
    formula = readable(text)
    return SOURCES[by](positional(formula), formula.names)


def agreement(formula: Formula, program: NamedFormulas, drawn: Graph) -> None:
    """The gradient by the lines beside the one of the laboratory's tape."""
    values = [node.number for node in drawn.nodes[: drawn.inputs]]
    ours = showcase.tape_gradient(positional(formula), values)
    try:
        _, lines = scalar.gradient(positional(formula), values)
    except (ArithmeticError, ValueError) as error:
        frame.notice(f"Python's own numbers end here: {html.escape(str(error))}.")
        return
    frame.table(
        ("", "by these lines", "by the laboratory's tape", "difference"),
        [
            (
                f"∂f/∂{html.escape(name)}",
                written(a, "15"),
                written(b, "15"),
                written(abs(a - b), "2"),
            )
            for name, a, b in zip(program.inputs, lines, ours, strict=True)
        ],
    )
    frame.notice(
        "Nothing stands on the tape before what it was made from, so it is in *topological order* "
        "as it is written: read backwards, each gradient is whole before it is passed on. The "
        "course's `Value` sorts its graph for that; a tape need not. From value to tensor: the "
        "laboratory's tape does the same with arrays, one rule for each operation."
    )


def copies(formula: Formula) -> None:
    """The fifteen lines, at work on the function, and its gradient in LaTeX."""
    function, names = positional(formula), formula.names
    lines = "\n".join(by_the_lines(function, names).lines).replace("\ndef ", "\n\n\ndef ")
    values = [x[f"a{i}"] for i in range(len(names))]
    head = "from __future__ import annotations\n\nimport math\n\n\n"
    use = scalar.usage(function, names, values)
    frame.copies(Python=f"{head}{lines}\n\n\n{use}", LaTeX=latex_gradient(function, names))


def inside() -> None:
    """The engine's own source, wide enough not to wrap."""
    with st.expander("The laboratory's tape in full, which does the same with arrays"):
        for caption, part in (
            ("How operations are recorded:", record),
            ("How the tape is read forwards and back:", autograd),
        ):
            st.caption(caption)
            source(part)


# Learning -----------------------------------------------------------------------------------------


def learner() -> Learner:
    """The network of these settings, a slice nearer to the step that the page stands at."""
    rule = own_rule.of(x, "rule")
    setup = LearningSetup(x["data"], x["width"], x["activation"], rule, x["lr"], x["seed"])
    now = st.session_state.get("engine_room.learner")
    if not isinstance(now, Learner) or now.setup != setup or now.steps > x["trained"]:
        now = st.session_state["engine_room.learner"] = Learner(setup)
    now.learn(x["trained"])
    return now


def running() -> bool:
    """Whether the reader has started it."""
    return bool(st.session_state.get("engine_room.running", False))


def start_or_pause() -> None:
    """Start or pause."""
    if not x.locked("start"):
        st.session_state["engine_room.running"] = not running()
        x.change({})  # the link waits only while it runs


def advance(steps: int) -> None:
    """Take the page so many steps on; while it runs the link waits."""
    x.change({"trained": min(x["trained"] + steps, LEARNING_STEPS)}, held=running())


def brought_on() -> Learner:
    """The network, by a slice further while it runs."""
    now = learner()
    if running() and now.steps >= x["trained"] and not now.ended:
        advance(STRIDE)
        now = learner()
    if running() and now.ended:
        st.session_state["engine_room.running"] = False
        x.change({"trained": now.steps})
    return now


def waiting(now: Learner) -> bool:
    """Whether the page stands at a step to which the network has not come yet."""
    return not now.ended and now.steps < x["trained"]


def learning(now: Learner) -> None:
    """Two moons, a perceptron, and the optimizer of the reader's choice."""
    view = frame.view(x)
    with view.panel:
        net: list[Item] = [
            x.chooser("data"),
            x.slider("width"),
            x.chooser("activation"),
            x.slider("seed"),
        ]
        x.controls(
            [
                Group(id="net", title="Network and data", items=net),
                Group(id="rule", title="Optimizer", items=[x.chooser("rule"), x.slider("lr")]),
            ],
            height=view.height(520, 400),
        )
        own_rule.type_it(x, "rule")
    with view.picture:
        show_learning(now, view.height(390, 318))
        locked = x.locked("start")
        with st.container(horizontal=True, key="player-engine"):
            st.button(
                "Pause" if running() else "Start",
                key="engine_room.start",
                icon=":material/pause:" if running() else ":material/play_arrow:",
                type="primary",
                on_click=start_or_pause,
                disabled=locked or now.ended,
            )
            st.button(
                "Step",
                key="engine_room.one",
                on_click=advance,
                args=(1,),
                disabled=locked or now.ended,
            )
            st.button(
                "Reset", key="engine_room.reset", on_click=x.change, args=({"trained": 0},),
                disabled=locked,
            )  # fmt: skip
        frame.notice(told(now, waits=waiting(now)))
    frame.foot(x, r"w_t = w_{t-1} - \eta\, u(g_1, \ldots, g_t)")
    x.publish()


def show_learning(now: Learner, height: int) -> None:
    """Decision regions and loss."""
    (x0, x1), (y0, y1) = pictures.WINDOW
    stage(
        "engine_room.stage",
        [
            Panel(
                id="plane",
                figure=pictures.points(now),
                rasters=[
                    Raster(
                        values=pictures.cells(now), palette=pictures.palette(),
                        x0=x0, x1=x1, y0=y0, y1=y1, smooth=True,
                        readout={"p(◆)": pictures.cells(now)}, names=("x", "y"),
                        words={"p(◆)": pictures.shares()},
                    )
                ],
                title="probability of each class",
                tab="classes",
                alt=f"Decision regions after {now.steps} steps, "
                f"{written(now.accuracy, '.0%')} of the points on the right side.",
            ),
            Panel(
                id="loss", kind="chart", figure=pictures.loss(now, max(now.steps, 200)),
                title="loss (cross-entropy, nats)", tab="loss", alt="Loss against step.",
            ),
        ],
        frames=1,
        height=height,
        columns=[1.2, 1],
    )  # fmt: skip


def told(now: Learner, *, waits: bool) -> str:
    """Where learning stands."""
    said = f"Step {now.steps}" + (f" of {x['trained']}, under way" if waits else "")
    if now.diverged:
        return f"{said}: it diverged. η = {written(x['lr'])} is too large for this rule; halve it."
    if not now.losses:
        return (
            f"{said}: nothing learned yet; the {now.network.size} weights are random. Press Start. "
            "A step takes all 200 points at once, so it is an epoch too."
        )
    right = written(now.accuracy, ".1%")
    said += f": loss {written(now.losses[-1], '.4f')}, {right} of the points on the right side."
    if now.steps >= now.most:
        said += f" This page takes a network of {now.network.size} numbers no further."
    return said


# Static or dynamic --------------------------------------------------------------------------------


def graphs() -> None:
    """One function written with Python's branch and with an operation: what the tape holds."""
    live = x.live()
    at = live["branch"]
    value, slope = showcase.branch_and_slope(at)
    view = frame.view(x, panel=0.56)
    with view.picture:
        stage(
            "engine_room.branch",
            [
                Panel(
                    id="branch",
                    kind="chart",
                    title="log(1 + x) on the right, −x² on the left",
                    figure=pictures.branches(at, value, slope, BRANCH),
                    handles=[
                        Handle(
                            id="x", spoken="x of the function", x=at, y=value, axis="x",
                            minimum=-BRANCH, maximum=BRANCH,
                            label=words("x = {:.2f}", at),
                            sets={"branch": round_to(live.hand[0], 2)},
                        )
                    ],
                    alt="The function with its tangent at x.",
                )
            ],
            live=live,
            frames=1,
            height=view.height(380, 330),
            lines=[words("f(x) = {:.4f}, f′(x) = {:.4f} on both tapes", value, slope)],
        )  # fmt: skip
    with view.panel:
        columns = st.columns(2, gap="small")
        here = {"x": x["branch"]}
        for column, function, title in (
            (columns[0], showcase.branching, "Built while running: Python chooses"),
            (columns[1], showcase.static, "Built to hold both: `where` chooses"),
        ):
            with column:
                st.markdown(f"**{title}**")
                tape_table(entries(function, here))
        if not view.embedded:
            with st.expander("Their source"):
                source(showcase.branching)
                source(showcase.static)
    side = "log(1 + x)" if x["branch"] > 0 else "−x²"
    said = (
        f"At x = {written(x['branch'], '.2f')} Python's branch takes {side} and its tape "
        "holds only that: a new tape at each call, PyTorch's way. The tape with "
        "`where` is the same for every x"
    )
    frame.notice(
        f"{said}."
        if view.embedded
        else f"{said}, so it can be drawn, compiled and sent to a GPU once: TensorFlow 1's and "
        "JAX's way, and the way this laboratory prints its kernels. Both give the same derivative."
    )
    frame.foot(x, r"f(x) = \ln(1+x)\ \text{if}\ x > 0\ \text{else}\ -x^2")
    x.publish()


def tape_table(rows: Sequence[showcase.Entry]) -> None:
    """A tape entry by entry."""
    frame.table(
        ("entry", "made by", "value", "∂f/\N{WORD JOINER}∂"),
        [
            (
                html.escape(row.name), html.escape(row.made),
                words("{:t}" if row.logical else "{:4}", row.value),
                "" if row.cotangent is None else words("{:4}", row.cotangent),
            )
            for row in rows
        ],
    )  # fmt: skip


def coded(text: str) -> str:
    """Text as HTML, with what stands between backticks as code."""
    return re.sub("`(.+?)`", r"<code>\1</code>", html.escape(text))


def lineage() -> None:
    """Half a century on one line, each with a link to where it is seen."""
    items = "".join(
        f"<li><b>{m.year}</b><span><em>{html.escape(m.name)}</em>{coded(m.what)} "
        f"<a href='{html.escape(m.link)}' target='_self'>See it</a></span></li>"
        for m in LINEAGE
    )
    framed = " framed" if st.context.is_embedded else ""
    st.html(f"<ol class='timeline{framed}'>{items}</ol>")
    frame.foot(x)
    x.publish()


def body() -> None:
    """The part that is chosen; while a network learns a clock runs it again."""
    now = brought_on() if x["part"] == PARTS[1] else None
    ticks = now is not None and (running() or waiting(now))
    if ticks != st.session_state["engine_room.ticking"]:
        # The clock belongs to the fragment: the whole page runs again.
        st.session_state["engine_room.ticking"] = ticks
        st.rerun()
    opening()
    if now is not None:
        learning(now)
    else:
        {PARTS[0]: fifteen, PARTS[2]: graphs, PARTS[3]: lineage}[x["part"]]()


ticking = st.session_state.setdefault("engine_room.ticking", False)
frame.fragment(body, run_every=TICK if ticking else None)()
