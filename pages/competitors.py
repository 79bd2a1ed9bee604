"""The runners of a race in a link: which optimizers, each with what differs from its defaults.

`sgd:lr=0.0185;momentum:lr=0.0185,beta=0.8,form=averaged` is two runners. A rule that the reader
typed stands as `typed~` and its text, percent-encoded; a wrapper stands before the rule inside it,
`sam~lion`. Reading refuses what the registry does not know and says where.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, unquote

import engine
from engine.optimizers import OPTIMIZERS, WRAPPERS, Optimizer, Parameter, wrap
from pages.state import Field, read_number, shorten

TYPED = "typed"  # the slug of a rule that the reader typed
ROUND = "round"  # the setting that names a runner's wrapper
ALONE = "nothing"  # its value where there is none
MOST = 12  # runners side by side: beyond that nobody can tell the trails apart


@dataclass(frozen=True)
class Runner:
    """An optimizer in a race: its slug, its hyper-parameters and options as chosen.

    rule is the text of a typed one, whose slug is TYPED.
    """

    slug: str
    hypers: Mapping[str, float] = field(default_factory=dict)
    options: Mapping[str, str | bool] = field(default_factory=dict)
    rule: str = ""

    @property
    def optimizer(self) -> Optimizer:
        wrapper, _, inside = self.slug.rpartition("~")
        rule = engine.optimizer(self.rule) if inside == TYPED else OPTIMIZERS[inside]
        return wrap(wrapper, rule) if wrapper else rule

    @property
    def wrapper(self) -> str:
        """The slug of the wrapper round the rule, or ALONE."""
        return self.slug.rpartition("~")[0] or ALONE

    @property
    def wraps(self) -> tuple[str, ...]:
        """The wrappers that the rule can stand in, ALONE first; none for the registry's wrapped."""
        inside = self.slug.rpartition("~")[2]
        return () if inside in WRAPPERS or inside == TYPED else (ALONE, *WRAPPERS)

    def wrapped(self, wrapper: str) -> Runner:
        """The runner in that wrapper, or out of any, keeping the settings that it then knows.

        Raises ValueError where its rule cannot stand in it.
        """
        if wrapper not in self.wraps:
            raise ValueError(f"{self.slug} cannot stand in {wrapper!r}")
        inside = self.slug.rpartition("~")[2]
        bare = replace(self, slug=inside if wrapper == ALONE else f"{wrapper}~{inside}")
        rule = bare.optimizer
        hypers, options = {h.name for h in rule.hypers}, {o.name for o in rule.options}
        return replace(
            bare,
            hypers={n: v for n, v in self.hypers.items() if n in hypers},
            options={n: v for n, v in self.options.items() if n in options},
        )

    @property
    def has_rate(self) -> bool:
        """Whether the rule has a learning rate."""
        return any(h.name == "lr" for h in self.optimizer.hypers)

    def with_rule(self, text: str) -> Runner:
        """The typed runner with another rule, keeping the settings that the new rule knows."""
        known = {h.name for h in engine.optimizer(text).hypers}
        return replace(self, rule=text, hypers={n: v for n, v in self.hypers.items() if n in known})

    def value(self, hyper: Parameter) -> float:
        return self.hypers.get(hyper.name, hyper.default)

    def with_setting(self, name: str, value: float | str) -> Runner:
        """The runner with one hyper-parameter or (its value as text) one option set."""
        if name == ROUND:
            return self.wrapped(str(value))
        for option in self.optimizer.options:
            if option.name == name:
                chosen = {str(v): v for v, _ in option.choices}[str(value)]
                return replace(self, options={**self.options, name: chosen})
        return replace(self, hypers={**self.hypers, name: float(value)})

    def moved(self, name: str, value: Any) -> Runner:
        """The runner with a setting as the reader moved it; ValueError where there is none such."""
        if name == ROUND:
            return self.wrapped(str(value))
        hyper = next((h for h in self.optimizer.hypers if h.name == name), None)
        if hyper is None:
            known = {o.name: {str(v) for v, _ in o.choices} for o in self.optimizer.options}
            if str(value) not in known.get(name, ()):
                raise ValueError(f"{self.slug} has no {name} {value!r}")
            return self.with_setting(name, str(value))
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValueError(f"{value!r} is not a number")
        return self.with_setting(name, min(max(float(value), hyper.low), hyper.high))


def parse_runners(text: str) -> tuple[Runner, ...]:
    """Runners from a link's text; ValueError says what is wrong."""
    runners = tuple(_parse_runner(part) for part in text.split(";") if part)
    if not 1 <= len(runners) <= MOST:
        raise ValueError(f"{len(runners)} optimizers, where 1 to {MOST} can race")
    return runners


def _parse_runner(text: str) -> Runner:
    head, _, rest = text.partition(":")
    slug, _, encoded = head.partition("~")
    if slug in WRAPPERS and encoded:
        wrapper, slug = slug, encoded
        if slug not in OPTIMIZERS:
            raise ValueError(f"there is no optimizer {slug!r}")
        runner = Runner(slug).wrapped(wrapper)
    elif slug == TYPED:
        runner = Runner(slug, rule=unquote(encoded))
    elif slug in OPTIMIZERS:
        runner = Runner(slug)
    else:
        raise ValueError(f"there is no optimizer {slug!r}")
    optimizer = runner.optimizer
    known = {h.name: h for h in optimizer.hypers}
    choices = {o.name: {str(value): value for value, _ in o.choices} for o in optimizer.options}
    hypers: dict[str, float] = {}
    options: dict[str, str | bool] = {}
    for part in rest.split(",") if rest else ():
        name, _, value = part.partition("=")
        if name in known:
            hypers[name] = read_number(value, known[name].low, known[name].high)
        elif name in choices and value in choices[name]:
            options[name] = choices[name][value]
        else:
            raise ValueError(f"{slug} does not know {part!r}")
    return replace(runner, hypers=hypers, options=options)


def format_runners(runners: tuple[Runner, ...]) -> str:
    """The text that `parse_runners` reads back to the same runners."""
    return ";".join(map(_format_runner, runners))


def _format_runner(runner: Runner) -> str:
    optimizer = runner.optimizer
    parts = [
        f"{h.name}={shorten(runner.value(h))}"
        for h in optimizer.hypers
        if runner.value(h) != h.default
    ]
    parts += [
        f"{o.name}={runner.options[o.name]}"
        for o in optimizer.options
        if runner.options.get(o.name, o.default) != o.default
    ]
    head = f"{TYPED}~{quote(runner.rule, safe='')}" if runner.rule else runner.slug
    return head + (":" + ",".join(parts) if parts else "")


@dataclass(frozen=True)
class RunnersField(Field[tuple[Runner, ...]]):
    """The runners of a race; in the store one entry a setting, "place/name"."""

    def owns(self, entry: str) -> bool:
        return bool(_ENTRY.fullmatch(entry))

    def flat(self, value: tuple[Runner, ...]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for place, runner in enumerate(value):
            rule = runner.optimizer
            found |= {f"{place}/{h.name}": runner.value(h) for h in rule.hypers}
            found |= {
                f"{place}/{o.name}": str(runner.options.get(o.name, o.default))
                for o in rule.options
            }
            if runner.wraps:
                found[f"{place}/{ROUND}"] = runner.wrapper
        return found

    def put(self, value: tuple[Runner, ...], entry: str, moved: Any) -> tuple[Runner, ...]:
        place, _, name = entry.partition("/")
        runners = list(value)
        if int(place) >= len(runners):
            raise ValueError(f"there is no runner {place}")
        runners[int(place)] = runners[int(place)].moved(name, moved)
        return tuple(runners)


@dataclass(frozen=True)
class FewRunners(RunnersField):
    """Runners of some rules alone, and no more than `most` of them; in wrappers where `wrapped`."""

    rules: Collection[str] = ()
    most: int = 0
    wrapped: bool = False

    def checked(self, runners: tuple[Runner, ...]) -> tuple[Runner, ...]:
        """The same; ValueError where there are too many, or one that does not run here."""
        if len(runners) > self.most:
            raise ValueError(f"{len(runners)} optimizers, where {self.most} can run side by side")
        for runner in runners:
            slug = runner.slug.rpartition("~")[2] if self.wrapped else runner.slug
            if slug not in self.rules:
                raise ValueError(f"{runner.slug} is none of {', '.join(self.rules)}")
        return runners

    def put(self, value: tuple[Runner, ...], entry: str, moved: Any) -> tuple[Runner, ...]:
        return self.checked(super().put(value, entry, moved))


_ENTRY = re.compile(r"\d{1,2}/\w{1,40}")


def Runners(name: str, default: str) -> Field[Any]:
    """A field that holds the runners of a race."""
    return RunnersField(name, parse_runners(default), parse_runners, format_runners)


def SomeRunners(
    name: str, default: str, rules: Collection[str], most: int, *, wrapped: bool = False
) -> Field[Any]:
    """A field that holds a few runners, of those rules alone, wrapped ones too where it says so."""

    def parse(text: str) -> tuple[Runner, ...]:
        return found.checked(parse_runners(text))

    found = FewRunners(name, parse_runners(default), parse, format_runners, rules, most, wrapped)
    return found
