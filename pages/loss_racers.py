"""The rules that race on two losses: which there are, the rates at which they join, their field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.optimizers import OPTIMIZERS
from pages import side_by_side
from pages.competitors import Runner, RunnersField, format_runners, parse_runners
from pages.state import Field

MOST = 3
RATES = {
    "sgd": 1.0, "momentum": 0.3, "nesterov": 0.3, "adagrad": 0.5, "rmsprop": 0.05, "adam": 0.1,
    "adamw": 0.1, "lion": 0.05,
}  # fmt: skip
OFFER = side_by_side.Offer(
    {slug: OPTIMIZERS[slug].name for slug in RATES},
    lambda slug: Runner(slug).with_setting("lr", RATES[slug]),
)


def checked(runners: tuple[Runner, ...]) -> tuple[Runner, ...]:
    """The same; ValueError where there are too many, or one that does not run here."""
    if len(runners) > MOST:
        raise ValueError(f"{len(runners)} optimizers, where {MOST} can race")
    for runner in runners:
        if runner.slug not in RATES:
            raise ValueError(f"{runner.slug} is none of {', '.join(RATES)}")
    return runners


@dataclass(frozen=True)
class Racing(RunnersField):
    """The rules that race on both losses."""

    def put(self, value: tuple[Runner, ...], entry: str, moved: Any) -> tuple[Runner, ...]:
        return checked(super().put(value, entry, moved))


def parse(text: str) -> tuple[Runner, ...]:
    """Rules from a link's text; ValueError says what is wrong."""
    return checked(parse_runners(text))


def racing(name: str, default: str) -> Field[Any]:
    """A field that holds the rules of such a race."""
    return Racing(name, parse(default), parse, format_runners)
