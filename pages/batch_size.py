"""Batch size: gradients of mini-batches, runs over batches of every size, what noise leaves.

A line is fitted to examples, so that data and weights are both planes and everything follows the
reader's hand.
"""

from __future__ import annotations

import streamlit as st

from components.controls import Group, Item, Slider
from engine.emit.picture import Picture, entry, written
from engine.optimizers import OPTIMIZERS
from engine.studies import batch_size as study
from figures.batch_size import STEP
from pages import batch_views as views
from pages import frame
from pages.presets import Preset
from pages.state import Choice, Flag, Integer, Number, Numbers, experiment

GRADIENTS, RUNS, WELLS = VIEWS = ("gradients", "runs", "wells")
SAYS = {
    GRADIENTS: "how far it strays", RUNS: "what it costs and saves",
    WELLS: "how it leaves a sharp minimum",
}  # fmt: skip
MODELS = {"line": "a line", "layers": "two layers of one weight"}
RULES = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "lion")
RUN_LINK = {"view": RUNS}
PARTS = {
    "line": "(error · x, error), stands upright on the dashed line of all weights that would fit "
    "it exactly. The full gradient is the mean of all dots' parts; thin arrows are those of "
    f"{study.SHOWN} batches, and 95 % lie inside the dotted ellipse.",
    "layers": "error · x · (v, u), leads toward the dashed hyperbola of all weights that would "
    "fit it exactly. All examples' parts point along (v, u) or against it, so the batches' "
    "gradients, thin arrows, stray along one line, across the valley.",
}

PRESETS = (
    Preset(
        "Noise ∝ 1/√B",
        "good",
        "The batches' gradients lie round the full one in an ellipse whose radius is ∝ 1/√B: move "
        "B and see it shrink. No batch points elsewhere on average.",
        {},
    ),
    Preset(
        "All noise",
        "bad",
        "Near the minimum a batch of 8 points anywhere: the noise scale is hundreds of examples. "
        "Here a larger batch, or a smaller η, begins to pay.",
        {"at": "0.96,0.33"},
    ),
    Preset(
        "One η for all",
        "good",
        "To the target all sizes take about as many steps, so one example a step is cheapest by "
        "far. Then it stays hanging: the loss that is left goes with η/B.",
        RUN_LINK,
    ),
    Preset(
        "Linear scaling ends",
        "bad",
        "η ∝ B (Goyal et al. 2017) keeps the noise that is left about the same, until η meets "
        "2/λmax: with all examples it is 3.2, and the run leaves the picture.",
        RUN_LINK | {"power": "1", "steps": "1000"},
    ),
    Preset(
        "Room for 256",
        "good",
        "Where 256 examples go side by side, a step of 256 takes no longer than a step of one: "
        "nearly as soon at the target, with less than a hundredth of the noise left.",
        RUN_LINK | {"wide": "256", "against": "seconds"},
    ),
    Preset(
        "Along the valley",
        "good",
        "y = u·v·x: a valley of minima, flattest at u = v. A step shrinks u² − v² by 1 − η²g²: on "
        "all examples g ends and so does the way; on single ones it never does.",
        RUN_LINK | {"model": "layers", "steps": "1000", "against": "examples"},
    ),
    Preset(
        "Out of the sharp well",
        "good",
        "With batches of 16 most runs leave the sharp well and stay in the flat one; at 64 and "
        "more none gets out; below 4 the noise is so strong that none stays anywhere.",
        {"view": WELLS, "k": "4", "seed": "3"},
    ),
)  # fmt: skip

x = experiment(
    "batch_size",
    [
        Choice("view", GRADIENTS, VIEWS, label="view", says=SAYS),
        Choice("model", "line", list(MODELS), label="model", says=MODELS),
        Integer("k", 3, 0, len(study.SIZES) - 1, label="batch size, as a power of 2"),
        Numbers("at", (-1.0, 0.0), -4.0, 4.0, count=(2, 2)),
        Integer("chosen", 5, 0, study.EXAMPLES - 1, label="chosen example"),
        Number("noise", 0.5, 0.0, 2.0, label="noise of the labels", symbol="σ"),
        Flag("singles", True, label="single examples", help="a dot where each one's part leads"),
        Choice(
            "rule", "sgd", list(RULES), label="optimizer",
            says={slug: OPTIMIZERS[slug].name for slug in RULES},
        ),
        Number("lr", 0.1, 1e-3, 3.0, label="learning rate at B = 32", symbol="η", scale="log"),
        Number(
            "power", 0.0, 0.0, 1.0, label="η grows as B to the", symbol="p",
            help="0: one η for all, ½: as the root, 1: linear scaling",
        ),
        Integer("steps", 400, 10, study.MOST_STEPS, label="steps", scale="log"),
        Choice("against", "step", list(views.AGAINST), label="loss against", says=views.AGAINST),
        Integer(
            "wide", 32, 1, study.EXAMPLES, label="examples side by side", scale="log",
            help="in a pass of the machine, which takes a millisecond",
        ),
        Number("single", 8.0, 0.0, 12.0, label="noise of one example", symbol="σ₁"),
        Number("rate", 0.1, 0.01, 0.3, label="learning rate", symbol="η", scale="log"),
        Integer("seed", 0, 0, 99, label="seed", help="of the batches"),
    ],
    parts=("batch", "table"),
)  # fmt: skip


def size_slider(live: Picture) -> Slider:
    """The batch size itself, which stands at powers of two."""
    return Slider(
        name="batch", label="batch size", symbol="B", scale="log", integer=True, minimum=1.0,
        maximum=float(study.EXAMPLES), value=entry(views.SIZES, live["k"]),
        sets={"k": study.place(live.hand[0])}, locked=x.locked("k"),
    )  # fmt: skip


def groups(live: Picture) -> list[Group]:
    """The controls of the chosen view."""
    seed: list[Item] = [x.slider("seed")]
    if x["view"] == GRADIENTS:
        items: list[Item] = [size_slider(live), x.slider("noise"), x.toggle("singles")]
        return [Group(id="batch", title="Batches", items=[x.chooser("model"), *items, *seed])]
    if x["view"] == WELLS:
        noise: list[Item] = [size_slider(live), x.slider("single"), x.slider("rate")]
        return [Group(id="batch", title="Noise", items=[*noise, *seed])]
    rule: list[Item] = [x.chooser("rule"), x.slider("lr"), x.slider("power")]
    run: list[Item] = [
        x.chooser("model"),
        x.chooser("against"),
        x.slider("wide"),
        x.slider("steps"),
    ]
    return [
        Group(id="rule", title="Optimizer", items=rule),
        Group(id="run", title="Run", items=[*run, x.slider("noise"), *seed]),
    ]


def told() -> None:
    """What to see in the view, with the numbers of now."""
    if x["view"] == GRADIENTS:
        chosen = x["chosen"]
        at_x, at_y = (float(a[chosen]) for a in study.examples(x["noise"]))
        model = study.MODELS[x["model"]]
        w, b = x["at"]
        error = model.said(w, b, at_x) - at_y
        frame.notice(
            f"The red example ({written(at_x, '3')}, {written(at_y, '3')}) lies "
            f"{written(abs(error), '3')} off the line: its part of the gradient, "
            f"{PARTS[model.slug]} Arrows go downhill, {written(STEP, '2')} times the gradient long."
        )
    elif x["view"] == WELLS:
        frame.notice(
            "In the sharp well the same noise throws a run out that in the flat one keeps it. "
            "Where a noisy run ends is a matter of chance, so the right picture counts seeds. "
            "Whether flat minima generalise better is disputed: sharpness depends on how the "
            "weights are scaled (Dinh et al. 2017)."
        )
    else:
        st.page_link(
            "train.py", label="The same on a network", icon=":material/hub:",
            query_params={
                "runs": "sgd:lr=0.1,batch=1;sgd:lr=0.1;sgd:lr=0.1,batch=128;sgd:lr=0.1,batch=0",
                "against": "examples",
            },
        )  # fmt: skip


@frame.fragment
def body() -> None:
    """The chosen view and its controls."""
    frame.opening(
        x, "Batch size",
        ["A mini-batch's gradient is the full one with noise: see ", x.menu("view"), "."],
    )  # fmt: skip
    view = frame.view(x, PRESETS)
    live = x.live()
    show = {GRADIENTS: views.gradients, RUNS: views.runs, WELLS: views.wells}[x["view"]]
    with view.picture:
        show(x, live, view.height(460, 400))
        if not view.embedded:
            told()
    with view.panel:
        x.controls(groups(live), live=live, height=view.height(560, 400))
    if x["view"] == RUNS and not view.embedded and not x.hidden("table"):
        views.prices(x, live)
    frame.foot(
        x, r"\operatorname{Var}\,\nabla\mathcal L_B = \tfrac{1}{B}\operatorname{Var}\nabla\ell_i"
    )
    x.publish()


body()
