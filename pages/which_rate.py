"""Which learning rate? A range test on the chosen network, and how far its advice is from the best.

Test and sweep are whole trainings that Python makes and keeps; what follows the hand is the rate
that the reader holds against them.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from components.controls import Group, Item
from components.stage import Handle, Panel, stage
from engine.emit.picture import entry, in_latex, words, written
from engine.problems.data import DATASETS, MEASURED, Split
from engine.problems.networks import ACTIVATIONS, MLP
from engine.runs.learning import Competitor
from engine.studies.range_test import (
    RangeTest,
    RateSweep,
    below,
    joined,
    nearest,
    range_test,
    rate_sweep,
)
from figures import range_test as pictures
from pages import frame, own_table
from pages.entrants import SETTINGS, TRAINABLE
from pages.learned import PASTED, SETS, learned, source
from pages.presets import Preset
from pages.state import Choice, ChoiceField, Integer, Number, experiment

RATED = {slug: name for slug, name in TRAINABLE.items() if slug not in ("shampoo", "prodigy")}
LOW, HIGH = 1e-5, 10.0
RATES = 16  # of the sweep, from LOWEST on
LOWEST = 1e-4
SEEDS = 3
CLOSE = 1.5  # a factor between two rates up to which they are called alike
PATIENCE = 0.3  # seconds before it is said how far the sweep is
EXAMPLES, NOISE = 200, 0.15  # of the data sets that are drawn
BATCH = SETTINGS["batch"]
assert isinstance(BATCH, ChoiceField)

PRESETS = (
    Preset(
        "Adam",
        "good",
        "Where the test falls fastest is far below the best rate: a short test sees what works at "
        "once, not what works in the end. A tenth of where it is least comes closer.",
        {},
    ),
    Preset(
        "Gradient descent",
        "good",
        "A plain gradient bears far larger rates than Adam here, and the test says so: its curves "
        "lie a factor of ten or more to the right.",
        {"rule": "sgd"},
    ),
    Preset(
        "A longer test is read otherwise",
        "bad",
        "With three times the steps the network has learned before the rates are large: the "
        "steepest place moves down with the test's length, though the best rate does not.",
        {"length": "300"},
    ),
)

x = experiment(
    "which_rate",
    [
        Choice("rule", "adam", list(RATED), label="optimizer", says=RATED),
        Choice("data", "two_moons", list(SETS), label="data", says=SETS),
        Choice("batch", 32, BATCH.options, label="batch", says=BATCH.says, help=BATCH.help),
        Integer("length", 100, 30, 300, label="steps of the test", scale="log"),
        Integer("steps", 300, 50, 500, label="steps of a whole run", scale="log"),
        Integer("width", 16, 2, 32, label="width", help="units in each of two hidden layers"),
        Choice("activation", "tanh", list(ACTIVATIONS), label="activation"),
        Integer("seed", 0, 0, 99, label="seed", help="of data and test"),
        Number("lr", 0.01, LOWEST, HIGH, label="learning rate", symbol="η", scale="log"),
        own_table.field("table"),
    ],
)  # fmt: skip


@dataclass(frozen=True)
class Setting:
    """What test and sweep hang on."""

    rule: str
    data: str
    pasted: str  # the reader's own table, where that is the data
    batch: int
    width: int
    activation: str
    seed: int

    @property
    def parts(self) -> tuple[MLP, Split, Competitor]:
        """Network, data and competitor."""
        noise = NOISE if self.data in DATASETS else 0.0
        data = learned(self.data, self.pasted, EXAMPLES, noise, 1.0, True, self.seed)
        network = MLP((data.features, self.width, self.width, data.outputs), self.activation)
        return network, data, Competitor(self.rule, batch=self.batch)


@st.cache_data(max_entries=64, show_spinner=False)
def tested(setting: Setting, length: int) -> RangeTest:
    """The range test."""
    return range_test(*setting.parts, low=LOW, high=HIGH, steps=length, seed=setting.seed)


@st.cache_data(max_entries=1024, show_spinner=False)
def swept_at(setting: Setting, steps: int, rate: float) -> RateSweep:
    """Whole runs at one rate: a slice, after which a newer state may have its turn."""
    return rate_sweep(*setting.parts, (rate,), steps=steps, seeds=SEEDS)


def swept(setting: Setting, steps: int, place: DeltaGenerator) -> RateSweep:
    """Whole runs at every rate; where they take a while, `place` says how far they are."""
    began = time.monotonic()
    found: list[RateSweep] = []
    for rate in np.geomspace(LOWEST, HIGH, RATES):
        if time.monotonic() - began > PATIENCE:
            place.progress(len(found) / RATES, "Training at every rate …")
        found.append(swept_at(setting, steps, float(rate)))
    place.empty()
    return joined(found)


@frame.fragment
def body() -> None:
    """Test and sweep side by side, and what they say of each other."""
    frame.opening(
        x,
        "Which learning rate",
        [
            "For ",
            x.menu("rule"),
            " on ",
            x.menu("data"),
            "? One run in which the rate rises, beside whole runs at every rate.",
        ],
    )
    view = frame.view(x, PRESETS)
    setting = Setting(
        x["rule"], *source(x), x["batch"], x["width"], x["activation"], x["seed"]
    )  # fmt: skip
    with view.panel:
        panel, told_below = st.container(), frame.progress_room(x)
    with view.picture:
        if x["data"] == PASTED and not x.hidden("data"):
            own_table.bring(x, "table")
        # What is waited for is said where the picture will be, or below.
        found = tested(setting, x["length"])
        first = "which_rate.seen" not in st.session_state
        runs = swept(setting, x["steps"], (st if first else told_below).empty())
        st.session_state["which_rate.seen"] = True
    live = x.live()
    chosen = live["lr"]
    held = Handle(
        id="lr", x=chosen, y=float(found.smoothed[0]), axis="x", minimum=LOWEST, maximum=HIGH,
        label=words("η = {:3}", chosen), sets={"lr": live.hand[0]},
    )  # fmt: skip
    in_test = entry(found.smoothed, below(found.rates, chosen) - 1.0)
    half_way = float((HIGH / LOWEST) ** (0.5 / (RATES - 1)))
    ended = entry(runs.middle, below(runs.rates[:-1] * half_way, chosen))
    with view.picture:
        stage(
            "which_rate.stage",
            [
                Panel(
                    id="test", kind="chart", title="the range test: one run, the rate rising",
                    figure=pictures.test(found, LOW, HIGH, chosen), handles=[held],
                    alt="Loss against the rate: steepest at "
                    f"{written(found.steepest, '2')}, least at {written(found.lowest, '2')}.",
                ),
                Panel(
                    id="sweep", kind="chart",
                    title=f"whole runs of {x['steps']} steps, {SEEDS} seeds per rate",
                    figure=pictures.sweep(runs, found, chosen),
                    alt=f"Loss at the end against the rate: best at {written(runs.best, '2')}.",
                ),
            ],
            live=live,
            frames=1,
            height=view.height(470, 400),
            lines=[
                words(
                    "At η = {:3} the smoothed loss of the test was {:3}; a whole run at the rate "
                    "nearest to it ends at {:3}.",
                    chosen, in_test, ended,
                ),
                *([words(in_short(found, runs))] if view.embedded else []),
            ],
        )  # fmt: skip
    with panel:
        rule: list[Item] = [x.slider("lr"), x.chooser("batch")]
        test: list[Item] = [x.slider("length"), x.slider("steps")]
        net: list[Item] = [x.slider("width"), x.chooser("activation")]
        x.controls(
            [
                Group(id="rule", title="Optimizer", items=rule),
                Group(id="test", title="Test and runs", items=test),
                Group(id="net", title="Network and data", items=[*net, x.slider("seed")]),
            ],
            live=live,
            height=view.height(560, 400),
        )
    if not view.embedded:
        told(found, runs)
        if x["data"] in MEASURED:
            st.caption(MEASURED[x["data"]])
    frame.foot(x, rf"\eta_k = {in_latex(LOW)}\cdot ({in_latex(HIGH / LOW)})^{{k/(n-1)}}")
    x.publish()


def factor(rate: float, best: float) -> str:
    """How far a rate is from the best, in words."""
    apart = max(rate / best, best / rate)
    if apart < CLOSE:
        return "next to the best"
    return f"{written(apart, '2')} times too {'large' if rate > best else 'small'}"


def lasting(safe: float, best: float) -> str:
    """Where the best rate of whole runs lies, seen from the last safe one of the test."""
    apart = written(max(safe / best, best / safe), "2")
    if best > CLOSE * safe:
        return (
            f"Yet whole runs do best {apart} times above it: what weights at the start cannot "
            "bear, later ones may."
        )
    if safe > CLOSE * best:
        return (
            f"Whole runs do best {apart} times below it: what a beginning bears is too large for "
            "a run that lasts, which is what the rule of a tenth is for."
        )
    return "Whole runs do best close to it."


def advised(found: RangeTest) -> dict[str, float]:
    """The rates that are read off a test, by where."""
    return {
        "where the test falls fastest": found.steepest,
        "a tenth of where it is least": found.tenth,
        "the last safe rate of the test": found.safe,
    }


def in_short(found: RangeTest, runs: RateSweep) -> str:
    """What a frame says of the advice."""
    advice = advised(found)
    name = nearest(advice, runs.best)
    return (
        f"Whole runs do best at η = {written(runs.best, '2')}. Of what the test says {name}, "
        f"{written(advice[name], '2')}, comes closest."
    )


def told(found: RangeTest, runs: RateSweep) -> None:
    """The advice beside the best, with what it would have cost."""
    advice = advised(found)
    if not x.hidden("table"):
        rows = [
            (name, written(rate, "3"), factor(rate, runs.best), written(runs.at(rate), "3"))
            for name, rate in advice.items()
        ]
        best = (
            "the best of the sweep",
            written(runs.best, "3"),
            "",
            written(runs.at(runs.best), "3"),
        )
        frame.table(("", "η", "against the best", "loss at the end of a run"), [*rows, best])
    cost = len(runs.rates) * SEEDS * x["steps"]
    frame.notice(
        "To read the test: at its left the rate is too small to matter. Where the smoothed loss "
        f"falls fastest, {written(found.steepest, '2')}, a rate works already; it is least at "
        f"{written(found.lowest, '2')}, and "
        + (
            f"up to {written(found.safe, '2')}, where the test ends, it does not rise for good. "
            if found.safe == found.rates[-1]
            else f"from {written(found.safe, '2')} on it rises for good: the last safe rate, for "
            "weights that have hardly begun. "
        )
        + lasting(found.safe, runs.best)
    )
    closest = nearest(advice, runs.best)
    frame.notice(
        f"The test took {len(found.rates)} steps, the sweep {written(cost, 'd')}. "
        "It sees the loss of a network that has hardly begun: later steps may want a smaller rate "
        f"or bear a larger one. Here {closest} comes closest, "
        f"{factor(advice[closest], runs.best)}: a place to begin the search from."
    )


body()
