"""The engine in a page: its own source at work, a tape as it is recorded, a network that learns."""

from __future__ import annotations

import html
import inspect

import streamlit as st

from components.controls import Choice as Chooser
from components.controls import Group, Slider, controls
from components.stage import Panel, Raster, stage
from engine.optimizers import OPTIMIZERS
from engine.problems.data import DATASETS
from engine.problems.formula import Formula, parse
from engine.problems.networks import ACTIVATIONS
from engine.studies import engine_room as showcase
from engine.studies.engine_room import Learner, Lesson, entries
from engine.studies.lineage import LINEAGE
from engine.tape import autograd, record
from figures import engine_room as pictures
from pages import frame, prose
from pages.state import Choice, Integer, Number, Text, experiment

PARTS = ("the tape", "learning", "static or dynamic", "lineage")
MOST_INPUTS, MOST_ENTRIES = 4, 40
MOST_EPOCHS, EPOCHS_A_TICK, TICK = 3000, 20, 0.25  # a tick in seconds, while it learns
RULES = [o.slug for o in OPTIMIZERS.values() if o.on_tensors]


def readable(text: str) -> Formula:
    """A formula of a few inputs whose tape fits on a page; ValueError otherwise."""
    formula = parse(text, None)
    if not 1 <= len(formula.names) <= MOST_INPUTS:
        raise ValueError(f"{len(formula.names)} inputs, where 1 to {MOST_INPUTS} fit")
    count = len(entries(formula, dict.fromkeys(formula.names, 0.5)))
    if count > MOST_ENTRIES:
        raise ValueError(f"its tape has {count} entries, where {MOST_ENTRIES} fit")
    return formula


x = experiment(
    "engine_room",
    [
        Choice("part", PARTS[0], PARTS),
        Text("f", "(x + y) * sin(x)", check=readable),
        *(Number(f"a{i}", (0.7853981633974483, 1.0)[i % 2], -10, 10) for i in range(MOST_INPUTS)),
        Integer("step", 5, 0, 2 * MOST_ENTRIES),
        Number("branch", 1.0, -3, 3),
        Choice("data", "two_moons", list(DATASETS)),
        Integer("width", 16, 2, 64),
        Choice("activation", "tanh", list(ACTIVATIONS)),
        Choice("rule", "adam", RULES),
        Number("lr", 0.03, 1e-4, 10.0),
        Integer("seed", 0, 0, 999),
        Integer("epoch", 0, 0, MOST_EPOCHS),
    ],
)

frame.opening(
    x,
    "The engine in a page",
    "This laboratory differentiates with a few dozen lines of Python. Here they are, at work.",
)


def locked(groups: list[Group]) -> list[str]:
    """The names of controls that the link locks."""
    names = [item.name for group in groups for item in group.items]
    return [name for name in names if x.locked(name) or x.locked("controls")]


def panel_of(groups: list[Group]) -> None:
    """Show controls and take what the reader does with them."""
    answer = controls(f"engine_room.{x['part']}", groups, locked=locked(groups), max_height=640)
    values = {n: int(v) if isinstance(x[n], int) else v for n, v in answer.values.items()}
    x.change(values, by="controls", held=not answer.committed)


def source(thing: object) -> None:
    """The real source of a part of the engine."""
    st.code(inspect.getsource(thing), language="python", wrap_lines=True)  # type: ignore[arg-type]


# The tape -----------------------------------------------------------------------------------------


@st.fragment
def recording() -> None:
    """A tape entry by entry: first forwards as it is written, then backwards as it is read."""
    frame.formula(x, "f", readable, "(x + y) * sin(x)", label="f =")
    formula = readable(x["f"])
    code, picture, panel = st.columns([1.5, 1.6, 0.9], gap="medium")
    count = len(entries(formula, dict.fromkeys(formula.names, 0.5)))
    given = len(formula.names)
    inputs = [
        Slider(
            name=f"a{i}", label=name, value=x[f"a{i}"], minimum=-10, maximum=10,
            default=float(x.fields[f"a{i}"].default),
        )
        for i, name in enumerate(formula.names)
    ]  # fmt: skip
    steps = Slider(
        name="step", label="sweep", value=min(x["step"], 2 * count), minimum=0,
        maximum=2 * count, default=float(count), integer=True,
        help=f"0 to {count}: forwards, an entry at a time; {count} to {2 * count}: backwards",
    )  # fmt: skip
    with panel:
        panel_of([Group(id="sweep", title="Step", items=[steps]), Group(id="in", items=inputs)])
    values = {name: x[f"a{i}"] for i, name in enumerate(formula.names)}
    rows = entries(formula, values)
    step = min(x["step"], 2 * count)
    written, read = min(step, count), max(step - count, 0)
    here = written - 1 if read == 0 else count - read
    with picture:
        cells = []
        for i, row in enumerate(rows[:written] if read == 0 else rows):
            seen = read and i >= count - read and row.cotangent is not None
            parts = [row.name, row.made, f"{row.value:.6g}", f"{row.cotangent:.6g}" if seen else ""]
            marked = (f"<b>{html.escape(p)}</b>" if i == here else html.escape(p) for p in parts)
            cells.append(tuple(marked))
        if cells:
            frame.table(("entry", "made by", "value", "cotangent"), cells)
        said(rows, here, read, given)
    with code:
        if read:
            st.caption("`engine/tape/autograd.py`, the reverse sweep")
            source(autograd.backward)
        else:
            st.caption("`engine/tape/record.py`, how an operation is recorded")
            source(record.apply)
    with st.expander("All of `engine/tape/record.py` and `engine/tape/autograd.py`"):
        source(record)
        source(autograd)
    x.publish()


def said(rows: tuple[showcase.Entry, ...], here: int, read: int, given: int) -> None:
    """What happens at this step, in a sentence."""
    if here < 0:
        prose.notice("Move the step forwards: every operation writes one entry.")
        return
    row = rows[here]
    if not read:
        prose.notice(
            f"`{row.name}` is given." if here < given
            else f"`{row.operation}` ran, so the tape says `{row.name} = {row.made}`."
        )  # fmt: skip
    elif row.cotangent is None:
        prose.notice(f"`{row.name}` has no influence on the result: no cotangent arrives.")
    elif row.parents:
        to = ", ".join(f"`{p}`" for p in dict.fromkeys(row.parents))
        prose.notice(
            f"Entry `{row.name}` has its whole cotangent, {row.cotangent:.4g}; its rule passes "
            f"{row.cotangent:.4g} times each local derivative on to {to}."
        )
    else:
        prose.notice(f"∂f/∂{row.name} = **{row.cotangent:.4f}**.")


# Learning -----------------------------------------------------------------------------------------


def learner() -> Learner:
    """The network of these settings, taken to the epoch that the page stands at."""
    lesson = Lesson(x["data"], x["width"], x["activation"], x["rule"], x["lr"], x["seed"])
    now = st.session_state.get("engine_room.learner")
    if not isinstance(now, Learner) or now.lesson != lesson or now.epoch > x["epoch"]:
        now = st.session_state["engine_room.learner"] = Learner(lesson)
    now.learn(x["epoch"] - now.epoch)
    return now


def running() -> bool:
    """Whether the reader has started it."""
    return bool(st.session_state.get("engine_room.running", False))


def start_or_pause() -> None:
    """Start or pause: the whole page runs again, for the clock belongs to its fragment."""
    st.session_state["engine_room.running"] = not running()
    st.rerun()


def advance(epochs: int) -> None:
    """Take the page so many epochs on."""
    x.change({"epoch": min(x["epoch"] + epochs, MOST_EPOCHS)}, by="clock", held=running())


def learning() -> None:
    """Two moons, a perceptron, and the optimizer of the reader's choice."""
    if running():
        advance(EPOCHS_A_TICK)
    picture, panel = st.columns([3, 1.15], gap="medium")
    with panel:
        panel_of(
            [
                Group(
                    id="net",
                    title="Network and data",
                    items=[
                        Chooser(
                            name="data", label="data", value=x["data"],
                            options=[(name, name.replace("_", " ")) for name in DATASETS],
                        ),
                        Slider(
                            name="width", label="width", value=x["width"], minimum=2, maximum=64,
                            default=16.0, integer=True, help="units in each hidden layer",
                        ),
                        Chooser(
                            name="activation", label="activation", value=x["activation"],
                            options=[(name, name) for name in ACTIVATIONS],
                        ),
                        Slider(
                            name="seed", label="seed", value=x["seed"], minimum=0, maximum=999,
                            default=0.0, integer=True,
                        ),
                    ],
                ),
                Group(
                    id="rule",
                    title="Optimizer",
                    items=[
                        Chooser(
                            name="rule", label="rule", value=x["rule"],
                            options=[(slug, OPTIMIZERS[slug].name) for slug in RULES],
                        ),
                        Slider(
                            name="lr", label="lr", symbol="η", value=x["lr"], minimum=1e-4,
                            maximum=10.0, default=0.03, scale="log",
                        ),
                    ],
                ),
            ]
        )  # fmt: skip
    now = learner()
    if running() and (now.diverged or now.epoch >= MOST_EPOCHS):
        start_or_pause()
    (x0, x1), (y0, y1) = pictures.WINDOW
    with picture:
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
                        )
                    ],
                    title="probability of each class",
                    alt=f"Decision regions after {now.epoch} epochs, "
                    f"{now.accuracy:.0%} of the points on the right side.",
                ),
                Panel(
                    id="loss", kind="chart", figure=pictures.loss(now, max(now.epoch, 200)),
                    title="loss (cross-entropy, nats)", alt="Loss against epoch.",
                ),
            ],
            frames=1,
            height=380,
            columns=[1.2, 1],
        )  # fmt: skip
        with st.container(horizontal=True):
            if st.button(
                "Pause" if running() else "Start",
                key="engine_room.start",
                icon=":material/pause:" if running() else ":material/play_arrow:",
                type="primary",
                disabled=now.diverged,
            ):
                start_or_pause()
            st.button("Step", key="engine_room.one", on_click=advance, args=(1,))
            st.button("Reset", key="engine_room.reset", on_click=x.change, args=({"epoch": 0},))
    told = f"Epoch {now.epoch}"
    if now.diverged:
        told += f": it diverged. η = {x['lr']:g} is too large for this rule; halve it."
    elif now.losses:
        told += f": loss {now.losses[-1]:.4f}, {now.accuracy:.1%} of the points on the right side."
    else:
        told += f": nothing learned yet; the {now.network.size} weights are random. Press Start."
    prose.notice(told)
    x.change({}, by="clock", held=running())
    x.publish()


# Static or dynamic --------------------------------------------------------------------------------


@st.fragment
def graphs() -> None:
    """One function written with Python's branch and with an operation: what the tape holds."""
    slider = Slider(name="branch", label="x", value=x["branch"], minimum=-3, maximum=3, default=1.0)
    panel_of([Group(id="branch", items=[slider])])
    at = {"x": x["branch"]}
    columns = st.columns(2, gap="medium")
    shown = (
        (showcase.branching, "Built while running: Python chooses"),
        (showcase.static, "Built to hold both: `where` chooses"),
    )
    for column, (function, title) in zip(columns, shown, strict=True):
        with column:
            st.markdown(f"**{title}**")
            source(function)
            rows = entries(function, at)
            frame.table(
                ("entry", "made by", "value", "cotangent"),
                [
                    (
                        html.escape(row.name), html.escape(row.made), f"{row.value:.4g}",
                        "" if row.cotangent is None else f"{row.cotangent:.4g}",
                    )
                    for row in rows
                ],
            )  # fmt: skip
    side = "log(1 + x)" if x["branch"] > 0 else "−x²"
    prose.notice(
        f"At x = {x['branch']:.2f} Python's branch takes `{side}` and its tape holds only that: a "
        "new tape at each call, PyTorch's way. The tape with `where` is the same for every x, so "
        "it can be drawn, compiled and sent to a GPU once: TensorFlow 1's and JAX's way, and the "
        "way this laboratory prints its kernels. Both give the same derivative."
    )
    x.publish()


def lineage() -> None:
    """Half a century on one line."""
    items = "".join(
        f"<li><b>{m.year}</b><span><em>{html.escape(m.name)}</em>{html.escape(m.what)}</span></li>"
        for m in LINEAGE
    )
    st.html(f"<ol class='timeline'>{items}</ol>")
    x.publish()


if not x.hidden("parts"):
    st.segmented_control(
        "Part", PARTS, key=x.key("part"), required=True, label_visibility="collapsed"
    )
if x["part"] == PARTS[0]:
    recording()
elif x["part"] == PARTS[1]:
    st.fragment(learning, run_every=TICK if running() else None)()
elif x["part"] == PARTS[2]:
    graphs()
else:
    lineage()
