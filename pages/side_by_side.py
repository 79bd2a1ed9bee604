"""Choosing optimizers on pages of a problem: several side by side or a single one, each at a rate
of its own, and the fields for rules that the reader types.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import streamlit as st

import engine
from engine.optimizers import OPTIMIZERS
from engine.optimizers.typed import EXAMPLES
from pages import frame, problem
from pages.competitors import TYPED, Runner
from pages.state import Experiment

MOST = 4  # pictures side by side
OWN_RULE = "your own rule"
FIRST_RULE = "Braking momentum"  # what a reader's own rule starts from
NAMES = {slug: entry.name for slug, entry in OPTIMIZERS.items()} | {TYPED: OWN_RULE}


def choose(x: Experiment, place: Any, then: Callable[[], None] = lambda: None) -> None:
    """The choice of optimizers, in the container `place`, and below it the fields of typed rules;
    those that stay keep their settings."""
    key = f"{x.page}.choose"
    now = [runner.slug for runner in x["runs"][:MOST]]
    have = {runner.slug: runner for runner in x["runs"][:MOST]}

    def changed() -> None:
        chosen = st.session_state[key]
        if chosen:
            x.change({"runs": tuple(have.get(slug) or fresh(x, slug) for slug in chosen)})
            then()

    if len(set(now)) == len(now):  # the same one twice cannot be shown as a choice
        st.session_state[key] = now
        place.multiselect(
            "Optimizers", list(NAMES), max_selections=MOST, key=key, on_change=changed,
            label_visibility="collapsed", disabled=x.locked("runs"), format_func=NAMES.__getitem__,
        )  # fmt: skip
    own_rules(x, range(len(now)))


def choose_one(x: Experiment, place: Any, at: int = 0, *, rated: bool = False, **then: Any) -> None:
    """The choice of the runner at that place of `runs`, in the container `place`.

    rated leaves out rules without a learning rate; then are fields that another choice sets.
    """
    key = f"{x.page}.rule"
    runners: Sequence[Runner] = x["runs"]
    slugs = [slug for slug in NAMES if slug == TYPED or not rated or Runner(slug).has_rate]
    now = runners[at].slug

    def changed() -> None:
        slug = st.session_state[key]
        if slug != now:
            chosen = (*runners[:at], fresh(x, slug), *runners[at + 1 :])
            x.change({"runs": chosen, "same": False, **then})

    st.session_state[key] = now
    place.selectbox(
        "Optimizer", slugs if now in slugs else [*slugs, now], key=key, on_change=changed,
        format_func=NAMES.__getitem__, label_visibility="collapsed", disabled=x.locked("runs"),
    )  # fmt: skip


def own_rules(x: Experiment, places: Sequence[int]) -> None:
    """A field for each rule among those places of `runs` that the reader types."""

    def take_rule(place: int, text: str) -> None:
        runners = list(x["runs"])
        if place < len(runners) and runners[place].slug == TYPED:
            runners[place] = runners[place].with_rule(text)
            x.change({"runs": tuple(runners)})

    for place in places:
        runner = x["runs"][place]
        if runner.slug == TYPED:
            frame.typed_text(
                f"{x.page}.rule.{place}",
                runner.rule,
                engine.optimizer,
                partial(take_rule, place),
                label="Your rule: w, g, t and loss are given; what you read before you assign it "
                "starts at 0; every other name becomes a slider",
                lines=max(3, runner.rule.count("\n") + 2),
                locked=x.locked("runs"),
            )


def fresh(x: Experiment, slug: str) -> Runner:
    """A newcomer at a learning rate that suits the landscape."""
    runner = Runner(slug, rule=EXAMPLES[FIRST_RULE] if slug == TYPED else "")
    if not runner.has_rate:
        return runner
    return runner.with_setting("lr", problem.suitable_rate(x, runner.optimizer))


def own_rates(x: Experiment) -> None:
    """Where a link brings one rate for all, every runner takes it for its own."""
    if x["same"]:
        runners = tuple(problem.as_it_runs(x, runner) for runner in x["runs"])
        x.update(runs=runners, same=False)
