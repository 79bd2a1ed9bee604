"""The comparison of the Adam paper on digits: every rule with the same grid of rates to be tuned
on, and other seeds to be shown on.

The usual comparison has been made already; another is made beside the script.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from components.controls import Group, Item
from components.stage import Handle, Panel, Track, stage
from engine.emit.picture import entry, words
from engine.runs import workshop
from engine.studies.adam_paper import (
    CRITERIA,
    MODELS,
    RATES,
    RECORDS,
    THEN,
    TODAY,
    TUNED_ON,
    Outcome,
    Setting,
    compare,
    finished,
    measured_steps,
    verdict,
)
from engine.studies.range_test import below
from figures import adam_paper as pictures
from figures import style
from pages import background, frame
from pages.adam_paper_words import edges, name_of, said, table
from pages.presets import Preset
from pages.state import Choice, Integer, Number, experiment

FIELDS = {"then": THEN, "today": TODAY}
SPOKEN = {"then": "of the paper", "today": "of today, beside Adam"}
JUDGED = {"learned": "the loss on what is learned", "held": "the loss on what is held back"}

PRESETS = (
    Preset(
        "Figure 2: a perceptron",
        "good",
        "Adam's median ends lowest, as in the paper; but Nesterov and Adadelta at their best have "
        "bands that overlap its own: five seeds do not tell the three apart.",
        {},
    ),
    Preset(
        "Figure 1: logistic regression",
        "good",
        "A convex loss: Nesterov ends lowest on every seed, yet by one percent. Tuned alike, all "
        "five come within six percent of each other.",
        {"model": "logistic"},
    ),
    Preset(
        "Figure 2 with dropout",
        "good",
        "The noise of dropout covers what is between them: every rule's band overlaps the first's, "
        "and Adam's median is the last.",
        {"model": "dropout"},
    ),
    Preset(
        "Judged on what is held back",
        "bad",
        "Rates chosen, and rules judged, on digits that are not learned: all bands overlap. A race "
        "of training losses says little of what a network is for.",
        {"by": "held"},
    ),
    Preset(
        "Ten years later",
        "good",
        "Kron and Muon end below Adam on every seed: Muon's median hundreds of times, Kron's 0 to "
        "the last digit. On digits held back both are as often right, within 0.015.",
        {"field": "today"},
    ),
    Preset(
        "Averaging pays under noise",
        "good",
        "With dropout schedule-free AdamW, which averages its weights, has the lowest median, "
        "below Adam on every seed. Only SOAP's and Kron's bands overlap its own.",
        {"field": "today", "model": "dropout"},
    ),
)

x = experiment(
    "adam_paper",
    [
        Choice("model", "perceptron", list(MODELS), label="model", says=MODELS),
        Choice("field", "then", list(FIELDS), label="rules", says=SPOKEN),
        Choice("by", "learned", list(CRITERIA), label="judged by", says=JUDGED),
        Number(
            "lr", 0.01, RATES[0], RATES[-1], label="one rate for all", symbol="η", scale="log"
        ),
        Choice("batch", 128, (32, 128), label="batch"),
        Integer("steps", 300, 60, 400, label="steps", scale="log"),
    ],
)  # fmt: skip

frame.opening(
    x,
    "The comparison of the Adam paper",
    "Kingma and Ba's rules and those of today learn digits, each at the best rate of one grid.",
)


def asked() -> Setting:
    """What the page stands at."""
    return Setting(x["model"], x["batch"], x["steps"])


def outcome() -> Outcome | None:
    """What the page asks for if it is there, else what was shown before."""
    setting, rules = asked(), FIELDS[x["field"]]
    if (kept := finished()[setting.model]).setting == setting:
        background.rest("adam_paper")
        return kept.of(rules)
    return background.beside(
        "adam_paper", repr((setting, rules)),
        lambda tell, stop: workshop.call(
            compare, setting, rules, progress=tell, cancelled=stop),
        frame.progress_room(x), doing="Tuning every rule …", hand=x.held,
        locked=x.locked("steps"),
    )  # fmt: skip


def panels(found: Outcome, looks: tuple[style.Look, ...], live: Any) -> list[Panel]:
    """The losses over seeds, and the rates that they were tuned on."""
    at = measured_steps(found.setting.steps).astype(float)
    rows = pictures.middle(found, x["by"])
    held = Handle(
        id="lr", x=live["lr"], y=pictures.HIGHEST, axis="x", minimum=RATES[0], maximum=RATES[-1],
        label=words("η = {:3}", live["lr"]), spoken="learning rate", sets={"lr": live.hand[0]},
    )  # fmt: skip
    return [
        Panel(
            id="curves", kind="chart", tab="losses", cursor=at,
            figure=pictures.curves(found, x["by"], looks),
            title=f"{JUDGED[x['by']]}, at best rates",
            tracks=[
                Track(
                    x=at, y=row, color=look.color, dash=look.dash, marker=look.marker,
                    label=name_of(rule), mode="curve",
                )
                for rule, look, row in zip(found.rules, looks, rows, strict=True)
            ],
            alt=f"Median loss of {len(found.rules)} rules against step, with bands over seeds.",
        ),
        Panel(
            id="rates", kind="chart", tab="rates", handles=[held],
            figure=pictures.rates(found, x["by"], looks, live["lr"]),
            title=f"the same at the end, by rate: {len(TUNED_ON)} other seeds",
            alt="Loss at the end against the learning rate, each rule's best marked by a star.",
        ),
    ]  # fmt: skip


def at_one_rate(found: Outcome, live: Any) -> Any:
    """What each rule reaches at the grid's rate nearest to the one in hand."""
    ratio = RATES[1] / RATES[0]
    place = below(np.array(RATES[:-1]) * ratio**0.5, live["lr"])
    rows = pictures.within(found.middle(x["by"]))
    losses = [entry(row, place) for row in rows]
    text = ", ".join(f"{name_of(rule)} {{:2}}" for rule in found.rules)
    return words(f"At η = {{:2}} for all: {text}.", entry(np.array(RATES), place), *losses)


@frame.fragment
def body() -> None:
    """The comparison, what it says, and its numbers."""
    view = frame.view(x, PRESETS)
    live = x.live()
    with view.panel:
        what: list[Item] = [x.chooser("model"), x.chooser("field"), x.chooser("by")]
        own: list[Item] = [x.chooser("batch"), x.slider("steps")]
        x.controls(
            [
                Group(id="what", title="Comparison", items=[*what, x.slider("lr")]),
                Group(id="own", title="Made anew for other settings", items=own),
            ],
            live=live, height=view.height(420, 380),
        )  # fmt: skip
    with view.picture:
        picture = st.container()
        found = outcome()
    if found is not None:
        looks = style.looks(found.rules)
        judged = verdict(found, x["by"])
        with picture:
            stage(
                "adam_paper.stage", panels(found, looks, live), live=live, frames=RECORDS + 1,
                frame_name="record", height=view.height(470, 376), columns=[1.2, 1],
                lines=[] if view.embedded else [at_one_rate(found, live)], restart=x.restart,
                sound="curves",
            )  # fmt: skip
            if view.embedded:
                st.caption(said(judged, found, asked()))
            else:
                frame.notice(said(judged, found, asked()) + edges(found, x["by"]))
        if not view.embedded and not x.hidden("table"):
            table(found, looks, judged, x["by"])
    frame.foot(x, r"\min_\eta\, \operatorname{median}_{s}\, \mathcal L_s(\eta)")
    x.publish()


body()
