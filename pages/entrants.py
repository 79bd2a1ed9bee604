"""The competitors of a training in a link: a runner, and how its network is trained.

`sgd:lr=0.1,batch=8;adam:lr=0.01,loss=mse,init=he` is two. What is not said is the usual; reading
refuses what nobody knows and says where.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import engine
from components.controls import Item
from engine.optimizers import OPTIMIZERS, Optimizer
from engine.optimizers.schedules import SCHEDULES
from engine.optimizers.typed import EXAMPLES
from engine.problems.networks import ACTIVATIONS, INITIALISATIONS
from engine.runs.learning import Competitor
from engine.runs.objectives import LOSSES
from figures.training import usual_rate
from pages import frame, problem
from pages.competitors import TYPED, Runner, RunnersField, format_runners, parse_runners
from pages.side_by_side import FIRST_RULE, OWN_RULE, Offer
from pages.state import Choice, ChoiceField, Experiment, Field, Flag, FlagField, Number, NumberField

MOST = 6
OF_ALL = "all"  # a setting that is the same for all competitors

TRAINABLE = {slug: o.name for slug, o in OPTIMIZERS.items() if o.on_tensors}
# The rules that can take what a rule for matrices leaves, at a rate of their own.
TAKING = {
    slug: name for slug, name in TRAINABLE.items()
    if not OPTIMIZERS[slug].fallback and Runner(slug).has_rate
}  # fmt: skip

# How a network is trained beside its rule: fields whose names stand in the link.
SETTINGS: Mapping[str, Field[Any]] = {
    f.name: f
    for f in (
        Choice(
            "batch", 32, (1, 4, 16, 32, 128, 0), label="batch",
            says={"1": "1 example", "0": "all examples"}, help="examples per step",
        ),
        Choice(
            "loss", "cross_entropy", list(LOSSES), label="loss",
            says={slug: loss.name for slug, loss in LOSSES.items()},
        ),
        Choice(
            "init", "xavier", list(INITIALISATIONS), label="weights at the start",
            says={slug: scheme.name for slug, scheme in INITIALISATIONS.items()},
        ),
        Choice(
            "activation", OF_ALL, (OF_ALL, *ACTIVATIONS), label="activation",
            says={OF_ALL: "the network's"},
        ),
        Choice(
            "rest_by", OPTIMIZERS["muon"].fallback, list(TAKING), label="the rest by", says=TAKING,
            help="the rule that takes what is no hidden matrix",
        ),
        Number(
            "rest", 0.01, 1e-5, 1.0, label="learning rate of the rest", symbol="η′", scale="log",
            help="of that rule",
        ),
        Choice(
            "schedule", "constant", list(SCHEDULES), label="schedule",
            says={slug: schedule.name for slug, schedule in SCHEDULES.items()},
        ),
        Flag("shuffle", True, label="shuffled", help="another order of the examples each epoch"),
        Number("l2", 0.0, 0.0, 1.0, label="L2", symbol="λ", help="adds λ/2 · ‖weights‖²"),
        Number("dropout", 0.0, 0.0, 0.8, label="dropout", help="hidden units left out of a step"),
        Number("smoothing", 0.0, 0.0, 0.4, label="label smoothing", help="what a target gives up"),
        Number("clip", 0.0, 0.0, 10.0, label="clipping", help="longest gradient; 0: any"),
        Number("ema", 0.0, 0.0, 0.999, label="averaging", help="memory of averaged weights"),
    )
}  # fmt: skip
_NAMED = {"scheme": "init", "average": "ema"}  # the engine's names of them


@dataclass(frozen=True)
class Entrant:
    """A runner and the settings that differ from the usual."""

    runner: Runner
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def slug(self) -> str:
        """Its rule's name in a link."""
        return self.runner.slug

    @property
    def optimizer(self) -> Optimizer:
        """Its rule."""
        return self.runner.optimizer

    def value(self, name: str) -> Any:
        return self.settings.get(name, SETTINGS[name].default)

    @property
    def competitor(self) -> Competitor:
        """As the engine trains it."""
        own = {name: self.value(_NAMED.get(name, name)) for name in (
            "batch", "loss", "scheme", "schedule", "shuffle", "l2", "dropout", "smoothing", "clip",
            "average",
        )}  # fmt: skip
        if self.runner.optimizer.fallback:
            own |= {
                "fallback": self.value("rest_by"),
                "fallback_hypers": {"lr": self.value("rest")},
            }
        return Competitor(
            self.runner.optimizer, dict(self.runner.hypers), dict(self.runner.options), **own
        )

    def moved(self, name: str, value: Any) -> Entrant:
        """With a setting as the reader moved it; ValueError where there is none such."""
        if name in SETTINGS:
            put = SETTINGS[name].put(self.value(name), name, value)
            return replace(self, settings={**self.settings, name: put})
        return replace(self, runner=self.runner.moved(name, value))


def parse_entrants(text: str) -> tuple[Entrant, ...]:
    """Competitors from a link's text; ValueError says what is wrong."""
    found = tuple(_parse(part) for part in text.split(";") if part)
    if not 1 <= len(found) <= MOST:
        raise ValueError(f"{len(found)} competitors, where 1 to {MOST} can train")
    return found


def _parse(text: str) -> Entrant:
    head, _, rest = text.partition(":")
    own, settings = [], {}
    for part in rest.split(",") if rest else ():
        name, _, value = part.partition("=")
        if name in SETTINGS:
            settings[name] = SETTINGS[name].parse(value)
        else:
            own.append(part)
    (runner,) = parse_runners(head + (":" + ",".join(own) if own else ""))
    if not runner.optimizer.on_tensors:
        raise ValueError(f"{runner.optimizer.name} trains no network here")
    if runner.slug == TYPED:
        trainable(runner.rule)
    return Entrant(runner, settings)


def trainable(text: str) -> Optimizer:
    """A typed rule; ValueError where it cannot be read, or calls a number as a setting is."""
    rule = engine.optimizer(text)
    for hyper in rule.hypers:
        if hyper.name in SETTINGS:
            raise ValueError(f"{hyper.name} is a setting of every training: call it otherwise")
    return rule


def format_entrants(entrants: tuple[Entrant, ...]) -> str:
    """The text that `parse_entrants` reads back to the same competitors."""
    return ";".join(map(_format, entrants))


def _format(entrant: Entrant) -> str:
    text = format_runners((entrant.runner,))
    parts = [
        f"{name}={f.format(entrant.value(name))}"
        for name, f in SETTINGS.items()
        if entrant.value(name) != f.default
    ]
    if not parts:
        return text
    return text + ("," if ":" in text else ":") + ",".join(parts)


@dataclass(frozen=True)
class EntrantsField(Field[tuple[Entrant, ...]]):
    """The competitors; in the store one entry a setting, "place/name"."""

    def owns(self, entry: str) -> bool:
        return bool(_ENTRY.fullmatch(entry))

    def flat(self, value: tuple[Entrant, ...]) -> dict[str, Any]:
        found = _RUNNERS.flat(tuple(entrant.runner for entrant in value))
        for place, entrant in enumerate(value):
            for name, f in SETTINGS.items():
                (one,) = f.flat(entrant.value(name)).values()
                found[f"{place}/{name}"] = one
        return found

    def put(self, value: tuple[Entrant, ...], entry: str, moved: Any) -> tuple[Entrant, ...]:
        place, _, name = entry.partition("/")
        entrants = list(value)
        if int(place) >= len(entrants):
            raise ValueError(f"there is no competitor {place}")
        entrants[int(place)] = entrants[int(place)].moved(name, moved)
        return tuple(entrants)


_RUNNERS = RunnersField("runs", (), parse_runners, format_runners)
_ENTRY = re.compile(r"\d{1,2}/\w{1,40}")


def Entrants(name: str, default: str) -> Field[Any]:
    """A field that holds the competitors of a training."""
    return EntrantsField(name, parse_entrants(default), parse_entrants, format_entrants)


def items(place: int, entrant: Entrant, losses: Mapping[str, str]) -> list[Item]:
    """The controls of a competitor; losses are those that the data allow, by name."""
    found = problem.runner_items(place, entrant.runner)
    for name, f in SETTINGS.items():
        if name in ("rest_by", "rest") and not entrant.runner.optimizer.fallback:
            continue
        value, entry = entrant.value(name), f"{place}/{name}"
        if isinstance(f, NumberField):
            found.append(f.slider(value, name=entry))
        elif isinstance(f, FlagField):
            found.append(f.toggle(value, name=entry))
        elif isinstance(f, ChoiceField):
            options: dict[str, Any] = {"options": list(losses.items())} if name == "loss" else {}
            found.append(f.chooser(value, name=entry, **options))
    return found


def newcomer(slug: str) -> Entrant:
    """A competitor that joins, at a rate that suits small networks."""
    runner = Runner(slug, rule=EXAMPLES[FIRST_RULE] if slug == TYPED else "")
    if runner.has_rate:
        runner = runner.with_setting("lr", usual_rate(runner.optimizer))
    return Entrant(runner)


def own_rules(x: Experiment) -> None:
    """A field for each rule among the competitors that the reader types."""

    def take(place: int, text: str) -> None:
        field = list(x["runs"])
        if place < len(field) and field[place].runner.slug == TYPED:
            field[place] = replace(field[place], runner=field[place].runner.with_rule(text))
            x.change({"runs": tuple(field)})

    for place, entrant in enumerate(x["runs"]):
        if entrant.runner.slug == TYPED:
            frame.typed_text(
                f"{x.page}.rule.{place}",
                entrant.runner.rule,
                trainable,
                partial(take, place),
                label="Your rule: w, g, t and loss are given; what you read before you assign it "
                "starts at 0; every other name becomes a slider",
                lines=max(3, entrant.runner.rule.count("\n") + 2),
                locked=x.locked("runs"),
            )


OFFER = Offer(TRAINABLE | {TYPED: OWN_RULE}, newcomer)
