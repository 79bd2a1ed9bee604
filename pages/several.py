"""A few optimizers side by side on one problem: choosing them, and their settings as controls."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import streamlit as st

from components.controls import Choice as Chooser
from components.controls import Item
from engine.optimizers import OPTIMIZERS
from pages import problem
from pages.runners import TYPED, Runner
from pages.state import Experiment

MOST = 4  # pictures side by side


def choose(x: Experiment, place: Any, then: Callable[[], None] = lambda: None) -> None:
    """The choice of optimizers, in the container `place`; those that stay keep their settings."""
    key = f"{x.page}.choose"
    now = [runner.slug for runner in x["runs"][:MOST]]
    have = {runner.slug: runner for runner in x["runs"][:MOST]}

    def changed() -> None:
        chosen = st.session_state[key]
        if chosen:
            x.change({"runs": tuple(have.get(slug) or fresh(x, slug) for slug in chosen)})
            then()

    if len(set(now)) < len(now):  # the same one twice cannot be shown as a choice
        return
    st.session_state[key] = now
    place.multiselect(
        "Optimizers", [*OPTIMIZERS, *([TYPED] if TYPED in have else [])], max_selections=MOST,
        key=key, on_change=changed, label_visibility="collapsed", disabled=x.locked("runs"),
        format_func=lambda slug: OPTIMIZERS[slug].name if slug in OPTIMIZERS else "your own rule",
    )  # fmt: skip


def fresh(x: Experiment, slug: str) -> Runner:
    """A newcomer at a learning rate that suits the landscape."""
    rate = problem.suitable_rate(x, slug)
    return Runner(slug, {"lr": rate}) if Runner(slug).has_rate else Runner(slug)


def items(place: int, runner: Runner, without: Collection[str] = ()) -> list[Item]:
    """Sliders and choices of a runner, named place/name, but for those in `without`."""
    found: list[Item] = [
        problem.hyper_slider(h, runner.value(h), f"{place}/{h.name}")
        for h in runner.optimizer.hypers
        if h.name not in without
    ]
    found += [
        Chooser(
            name=f"{place}/{o.name}", label=o.label,
            value=str(runner.options.get(o.name, o.default)),
            options=[(str(value), meaning) for value, meaning in o.choices],
        )
        for o in runner.optimizer.options
    ]  # fmt: skip
    return found


def settings(x: Experiment, values: Mapping[str, Any]) -> dict[str, Any]:
    """What the controls say, as fields of the page: its own by name, and the runners."""
    runners = list(x["runs"])
    fields: dict[str, Any] = {}
    for name, value in values.items():
        place, _, setting = name.partition("/")
        if not setting:
            fields[name] = int(value) if isinstance(x[name], int) else value
        elif place.isdigit() and int(place) < len(runners):
            runners[int(place)] = runners[int(place)].with_setting(setting, value)
    return {**fields, "runs": tuple(runners)}
