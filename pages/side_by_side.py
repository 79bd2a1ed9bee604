"""A few optimizers side by side on one problem: choosing them, each at a rate of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

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


def own_rates(x: Experiment) -> None:
    """Where a link brings one rate for all, every runner takes it for its own."""
    if x["same"]:
        runners = tuple(problem.as_it_runs(x, runner) for runner in x["runs"])
        x.update(runs=runners, same=False)
