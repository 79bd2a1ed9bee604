"""Train a network: competitors side by side from the same weights on the same batches.

The training runs in the reader's browser, in a worker, by the step that Python prints; Python makes
the first hundred steps too, and the page says how far the two are apart.
"""

from __future__ import annotations

import html
from dataclasses import replace

import streamlit as st

from components.controls import Action, Group, Item
from components.training import training
from engine.emit.tensor import Unrecordable
from engine.limits import TRAINING_STEPS
from engine.problems.data import (
    CSV_CLASSES,
    DATASETS,
    MEASURED,
    Split,
)
from engine.problems.networks import ACTIVATIONS, MLP
from engine.runs.learning import Competitor
from engine.runs.objectives import LOSSES
from engine.studies.frameworks import FRAMEWORKS
from engine.studies.training_code import training_script
from figures import style
from figures import training as pictures
from pages import entrants, frame, own_table
from pages.entrants import Entrant, Entrants
from pages.learned import PASTED, SETS, current, network
from pages.learners import WORDS, Request, costs, learner, task
from pages.problem import choose_script
from pages.side_by_side import copier, runner_menus
from pages.state import Choice, Flag, Integer, Number, Numbers, experiment
from pages.train_presets import PRESETS

OWN = 240  # numbers of the points that a reader adds: x, y, class
CURVE = 160  # points of a curve
AGAINST = ("step", "examples", "evaluations")
ADDED = {str(label): f"class {label}" for label in range(CSV_CLASSES)}
AXES = {
    "step": "step",
    "examples": "examples seen",
    "evaluations": "gradient evaluations",
}
x = experiment(
    "train",
    [
        Choice("data", "two_moons", list(SETS), label="data", says=SETS),
        Integer("n", 200, 20, 1000, label="examples", scale="log", help="half are held back"),
        Number("noise", 0.15, 0.0, 1.0, label="noise", symbol="σ"),
        Number(
            "imbalance", 1.0, 0.05, 1.0, label="share kept", scale="log",
            help="of every class but the first",
        ),
        Flag("standard", True, label="standardised", help="features of mean 0 and deviation 1"),
        Integer("width", 16, 1, 32, label="width", help="units in each hidden layer"),
        Integer("depth", 2, 1, 3, label="hidden layers"),
        Choice("activation", "tanh", list(ACTIVATIONS), label="activation"),
        Integer("seed", 0, 0, 999, label="seed", help="of data, weights and batches"),
        Entrants("runs", "sgd:lr=0.1;momentum:lr=0.1;adam:lr=0.01"),
        Integer("steps", 600, 10, TRAINING_STEPS, label="steps", scale="log"),
        Choice("against", AGAINST[0], AGAINST, label="curves against", says=AXES),
        Choice("adds", "0", list(ADDED), label="a click adds", says=ADDED),
        Numbers("own", (), -1e3, 1e3, count=(0, OWN)),
        own_table.field("table"),
    ],
    parts=("add", "data", "training", "table", "code"),
)  # fmt: skip

# What the reader does -----------------------------------------------------------------------------


def on_action(group: str, action: str) -> None:
    """The buttons of a competitor."""
    if group == "data":
        x.change({"own": ()})
    else:
        copier(x, entrants.MOST)(group, action)


def groups(data: Split, names: list[str], looks: tuple[style.Look, ...]) -> list[Group]:
    """Data, network, and every competitor."""
    drawn = x["data"] in DATASETS
    about: list[Item] = [x.slider("n"), x.slider("noise")] if drawn else []
    about.append(x.slider("imbalance"))
    if data.features == 2:
        labels = [(str(label), name) for label, name in enumerate(data.classes)]
        adds = min(int(x["adds"]), len(labels) - 1)
        adding = replace(x.chooser("adds"), options=labels, value=str(adds))
        about += [x.toggle("standard"), adding]
    clear = [Action(id="clear", label="remove added points", icon="reset")] if x["own"] else []
    allowed = {
        slug: loss.name
        for slug, loss in LOSSES.items()
        if data.outputs == 1 or loss.many is not None
    }
    rules = [
        Group(
            id=str(place), title=name, color=look.color, dash=look.dash, marker=look.marker,
            items=entrants.items(place, x["runs"][place], allowed), collapsed=place > 0,
            actions=[
                Action(id="copy", label="duplicate", icon="copy"),
                Action(id="remove", label="remove", icon="remove"),
            ],
        )
        for place, (name, look) in enumerate(zip(names, looks, strict=True))
    ]  # fmt: skip
    net: list[Item] = [*map(x.slider, ("width", "depth", "seed")), x.chooser("activation")]
    run: list[Item] = [x.slider("steps"), x.chooser("against")]
    return [
        *rules,
        Group(id="data", title="Data", items=about, actions=clear),
        Group(id="net", title="Network", items=net),
        Group(id="run", title="Run", items=run),
    ]


# What the reader sees -----------------------------------------------------------------------------


def fitting(entrant: Entrant, data: Split) -> Competitor:
    """The competitor on these data: a loss for two classes gives way where there are more."""
    made = entrant.competitor
    if data.outputs > 1 and LOSSES[made.loss].many is None:
        return entrant.moved("loss", "cross_entropy").competitor
    return made


def title_of(data: Split) -> str:
    """The loss that the curves show."""
    names = dict.fromkeys(LOSSES[fitting(e, data).loss].name for e in x["runs"])
    return f"loss ({', '.join(names)})"


def opening() -> None:
    """Title and lead, whose words choose who learns what."""
    adds = current(x).features == 2 and not x.locked("own")
    frame.opening(
        x,
        "Train a network",
        [
            *runner_menus(x, entrants.MOST, offer=entrants.OFFER),
            " learn " if len(x["runs"]) > 1 else " learns ",
            x.menu("data"),
            " from the same weights on the same batches"
            + (": click a picture to add a point." if adds else "."),
        ],
    )


@frame.fragment
def body() -> None:
    """The competitors and their controls."""
    opening()
    view = frame.view(x, PRESETS)
    data = current(x)
    net = network(x, data, x["activation"])
    runs: tuple[Entrant, ...] = x["runs"]
    looks = style.looks(e.slug for e in runs)
    names = frame.distinct([e.optimizer.name for e in runs])
    learners, refused, asked, shown = [], [], [], []
    for place, (entrant, name, look) in enumerate(zip(runs, names, looks, strict=True)):
        own = entrant.value("activation")
        request = Request(
            net if own == entrants.OF_ALL else network(x, data, own), data, fitting(entrant, data),
            entrants.format_entrants((entrant,)), x["steps"], x["seed"], pictures.SIDE,
        )  # fmt: skip
        try:
            learners.append(learner(place, name, entrant, look, request))
            asked.append(request)
            shown.append((name, look))
        except (Unrecordable, ArithmeticError):
            refused.append(name)
    with view.picture:
        if x["data"] == PASTED and not x.hidden("data"):
            own_table.bring(x, "table")
        if not view.embedded and not x.hidden("setup"):
            entrants.own_rules(x)
        if learners:
            training(
                "train.picture", task(data, x["seed"]), learners, height=view.height(680, 440),
                against=x["against"], loss_title=title_of(data), words=WORDS, axes=AXES,
                start=x["steps"], every=max(1, x["steps"] // CURVE), autoplay=True,
                restart=x.restart, base=repr(([r.net for r in asked], x["seed"], x["data"])),
                own=len(x["own"]) // 3 * 3, most=OWN,
                alt=f"{len(learners)} networks learn {SETS[x['data']]}.",
            )  # fmt: skip
        if refused:
            frame.notice(
                f"{html.escape(', '.join(refused))}: a step of this rule cannot be printed for the "
                "browser, so it is left out here."
            )
    with view.panel:
        x.controls(
            groups(data, names, looks), height=view.height(740, 400), on_action=on_action
        )  # fmt: skip
    if not view.embedded:
        told(data, net)
        if not x.hidden("table"):
            costs(asked, shown)
        as_code(data, net, names)
    frame.foot(
        x, r"w_t = w_{t-1} - \eta\, u(\nabla\mathcal L_{B_1}, \ldots, \nabla\mathcal L_{B_t})"
    )
    x.publish()


def told(data: Split, net: MLP) -> None:
    """What is being trained, in words."""
    layers = " → ".join(map(str, net.sizes))
    kind = "one logit" if data.outputs == 1 else f"{data.outputs} logits"
    frame.notice(
        f"A perceptron {layers} ({net.size} numbers, {kind}) learns {len(data.y)} examples; "
        f"{len(data.test_y)} are held back, drawn faint. All competitors begin at the weights of "
        f"seed {x['seed']} and take the same batches; where batch sizes differ, the order is the "
        "same. Loss and accuracy are of all examples, not of the batch. The step is recorded from "
        "the engine's own rule in double precision and printed for your browser; nothing goes on "
        "when you leave."
    )
    if x["data"] in MEASURED:
        st.caption(MEASURED[x["data"]])


def as_code(data: Split, net: MLP, names: list[str]) -> None:
    """A competitor's training as a script to take along."""
    chosen = choose_script(x, FRAMEWORKS, names)
    if chosen is None:
        return
    framework, place = chosen
    competitor = fitting(x["runs"][place], data)
    try:
        text = training_script(framework, net, data, competitor, steps=x["steps"], seed=x["seed"])
    except ValueError as reason:
        st.info(f"There is no script of this one: {reason}.")
        return
    st.code(text, language="python", wrap_lines=True)


body()
