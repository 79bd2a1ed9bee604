"""Choosing optimizers on pages of a problem: several side by side or a single one, as words of the
page's lead, each at a rate of its own, and the fields for rules that the reader types.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import engine
from components.lead import Menu, Piece
from engine.optimizers import OPTIMIZERS
from engine.optimizers.typed import EXAMPLES
from pages import frame, problem
from pages.competitors import TYPED, Runner
from pages.state import Experiment

MOST = 4  # pictures side by side
REMOVE = "remove"
OWN_RULE = "your own rule"
FIRST_RULE = "Braking momentum"  # what a reader's own rule starts from
NAMES = {slug: entry.name for slug, entry in OPTIMIZERS.items()} | {TYPED: OWN_RULE}


def _names(x: Experiment) -> dict[str, str]:
    """The rules to choose from, and those that run in a wrapper."""
    return NAMES | {r.slug: r.optimizer.name for r in x["runs"] if r.slug not in NAMES}


@dataclass(frozen=True)
class Offer:
    """What may stand among the runners of a page, or among what has their `slug` and `optimizer`:
    names by slug, and the one that comes."""

    names: Mapping[str, str]
    newcomer: Callable[[str], Any]


def runner_menus(
    x: Experiment,
    most: int,
    then: Callable[[], None] = lambda: None,
    *,
    shown: int = 5,
    offer: Offer | None = None,
) -> list[Piece]:
    """The runners as words of a sentence, each a menu of what may stand in its place, and a last
    one that adds another; those that stay keep their settings. `then` is called after a change.

    offer is what there is to choose from: without one all rules, each at a rate that suits."""
    given = offer or Offer(_names(x), partial(fresh, x))
    names = frame.distinct([runner.optimizer.name for runner in x["runs"][:most]])
    pieces: list[Piece] = []
    for place, name in enumerate(names[:shown]):
        last = place == len(names) - 1
        pieces += [", " if place > 0 and not last else " and " if place else ""]
        pieces += [_runner_menu(x, place, name, then, given, alone=len(names) == 1)]
    if len(names) > shown:
        pieces.append(f" and {len(names) - shown} more")
    if len(names) < most and not x.hidden("add"):
        pieces += [" ", _adding_menu(x, then, offer or Offer(NAMES, given.newcomer))]
    return [piece for piece in pieces if piece]


def _runner_menu(
    x: Experiment, place: int, name: str, then: Callable[[], None], offer: Offer, *, alone: bool
) -> Menu:
    def take(slug: str) -> None:
        runners = list(x["runs"])
        if slug == REMOVE:
            del runners[place]
        else:
            runners[place] = offer.newcomer(slug)
        x.change({"runs": tuple(runners)})
        then()

    return Menu(
        id=f"runner{place}",
        label="optimizer",
        value=x["runs"][place].slug,
        text=name,
        options=[*offer.names.items(), *([] if alone else [(REMOVE, "remove it")])],
        take=take,
        locked=x.locked("runs"),
    )


def _adding_menu(x: Experiment, then: Callable[[], None], offer: Offer) -> Menu:
    def take(slug: str) -> None:
        if slug in offer.names:
            x.change({"runs": (*x["runs"], offer.newcomer(slug))})
            then()

    return Menu(
        id="add", label="add an optimizer", value="", text="+",
        options=[("", "add an optimizer"), *offer.names.items()], take=take,
        locked=x.locked("runs") or x.locked("add"),
    )  # fmt: skip


def copier(x: Experiment, most: int) -> Callable[[str, str], None]:
    """What the buttons of a runner's group do, "copy" and "remove"; the group is its place."""

    def pressed(group: str, action: str) -> None:
        runners, place = list(x["runs"]), int(group)
        if place >= len(runners):
            return
        if action == "remove" and len(runners) > 1:
            del runners[place]
        elif action == "copy" and len(runners) < most:
            runners.insert(place + 1, runners[place])
        x.change({"runs": tuple(runners)})

    return pressed


def one_menu(x: Experiment, at: int = 0, *, rated: bool = False, **then: Any) -> Menu:
    """The runner at that place of `runs` as a word of a sentence.

    rated leaves out rules without a learning rate; then are fields that another choice sets.
    """
    runners: Sequence[Runner] = x["runs"]
    now = runners[at].slug
    known = {
        s: n for s, n in _names(x).items() if s in (TYPED, now) or not rated or Runner(s).has_rate
    }

    def take(slug: str) -> None:
        if slug != now:
            chosen = (*runners[:at], suited(x, slug), *runners[at + 1 :])
            x.change({"runs": chosen, "same": False, **then})

    return Menu(
        id="rule", label="optimizer", value=now, options=list(known.items()), take=take,
        locked=x.locked("runs"),
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


def typed(x: Experiment, most: int | None = None) -> None:
    """What the reader types below the sentence: the landscape's formula, and each rule of his own
    among the first `most`."""
    if x.stands("setup"):
        problem.type_formula(x)
        own_rules(x, range(len(x["runs"][:most])))


def fresh(x: Experiment, slug: str) -> Runner:
    """A newcomer: at a rate of its own that suits the landscape, or at the one of all."""
    return fresh_rule(slug) if x["same"] else suited(x, slug)


def fresh_rule(slug: str) -> Runner:
    """A rule as it comes: a reader's own begins as an example."""
    return Runner(slug, rule=EXAMPLES[FIRST_RULE] if slug == TYPED else "")


def suited(x: Experiment, slug: str) -> Runner:
    """A newcomer at a learning rate that suits the landscape."""
    runner = fresh_rule(slug)
    if not runner.has_rate:
        return runner
    return runner.with_setting("lr", problem.suitable_rate(x, runner.optimizer))


def own_rates(x: Experiment) -> None:
    """Where a link brings one rate for all, every runner takes it for its own."""
    if x["same"]:
        runners = tuple(problem.as_it_runs(x, runner) for runner in x["runs"])
        x.update(runs=runners, same=False)
