"""Competitors to choose in a copy: a page of runners as a form, and what each rule writes into it.

A race of any rules cannot be kept state by state. What a page shows of n runners is therefore kept
once, as a form with places for what is a runner's own: its name, its look, its controls, its run.
A form is what two states of the same page with other rules have in common; where they differ by
anything that is not a runner's own, the page has no form. The browser fills a form in
(components/web/host/lineup.js), so that any rules race in any order.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import permutations, product
from typing import Any, Final

from figures import style
from pages.competitors import MOST as TOGETHER
from pages.competitors import Runner, format_runners

Json = Any

MOST: Final = 6  # runners of a form: as many as have their names at the ends of their curves
_NOTHING: Final[Json] = {"lines": [], "constants": [], "outputs": []}
RUN: Final = "descend"  # the line of a program that is one runner's run
# A runner's own words stand in a form as one of these and the runner's place.
MARKS: Final = {"name": "\ue000", "color": "\ue001", "word": "\ue002", "dash": "\ue003",
                "marker": "\ue004", "slug": "\ue005"}  # fmt: skip
_ENTRY: Final = re.compile(r"\d+/")


class NoForm(Exception):
    """What a page shows depends on its runners in a way that a form cannot say."""


@dataclass(frozen=True, slots=True)
class LineUp:
    """The forms of one setting of a page, for one runner, two, …, and what each rule, by its text
    in a link, writes into them; `offered` are those that a reader may choose. `moves` leads from a
    choice's name and option to the number of another line-up."""

    link: Mapping[str, str]
    forms: list[Json] = field(default_factory=list)
    rules: dict[str, Json] = field(default_factory=dict)
    offered: list[str] = field(default_factory=list)
    moves: dict[str, dict[str, int]] = field(default_factory=dict)


def key_of(runner: Runner) -> str:
    """A runner's rule with its options, as a link writes it."""
    return format_runners((replace(runner, hypers={}),))


def moving(parts: Sequence[Json]) -> set[str]:
    """What a hand moves in the pictures of some parts, by its name in a link."""
    programs = [part["data"].get("program") or _NOTHING for part in parts]
    return {line[1] for program in programs for line in program["lines"] if line[0] == "input"}


def modules(parts: Sequence[Json]) -> set[str]:
    """The names of the printed modules that some parts run."""
    programs = [part["data"].get("program") or {} for part in parts]
    return {name for program in programs for name in program.get("modules", ())}


def line_up(
    link: Mapping[str, str],
    known: Collection[str],
    newcomers: Callable[[], Sequence[Runner]],
    others: Sequence[Runner],
    run: Callable[[Mapping[str, str]], Any],
) -> LineUp:
    """The forms of a page in the setting of a link, made of rules that it knows; what newcomers
    write into them, which are asked for once there are forms, and what others do that race
    somewhere in this setting.

    `run` gives the state of a link (export.capture.State). Raises NoForm.
    """
    found = LineUp(link)

    def state_of(runners: Sequence[Runner]) -> Any:
        return run({**link, "runs": format_runners(tuple(runners))})

    pairs = _pairs([Runner(slug) for slug in known])
    for count in range(1, len(pairs) + 1):
        one, two = (
            _stripped(state_of([pair[side] for pair in pairs[:count]]), count) for side in (0, 1)
        )
        found.forms.append(_common(one, two, [(_own(a), _own(b)) for a, b in pairs[:count]]))
    joining = newcomers()
    runners = list({key_of(runner): runner for runner in (*others, *joining)}.items())
    for at in range(0, len(runners), TOGETHER):
        some = runners[at : at + TOGETHER]
        state = state_of([runner for _, runner in some])
        for place, (key, runner) in enumerate(some):
            found.rules[key] = _part(state, place, len(some), runner)
    found.offered.extend(map(key_of, joining))
    return found


def _own(runner: Runner) -> dict[str, str]:
    """The words by which a runner is known in pictures."""
    look = style.look(runner.slug)
    return {
        "name": runner.optimizer.name, "color": look.color, "word": style.word(look.color),
        "dash": look.dash, "marker": look.marker, "slug": runner.slug,
    }  # fmt: skip


def _pairs(runners: Sequence[Runner]) -> list[tuple[Runner, Runner]]:
    """Two runners for each place of a form, which differ in all their words as no other pair does:
    wherever the one's word gives way to the other's, that place is meant."""
    found: list[tuple[Runner, Runner]] = []
    taken: set[tuple[str, str]] = set()
    used: set[str] = set()  # names, none of which may stand within another
    for pair in permutations(runners, 2):
        names = [runner.optimizer.name for runner in pair]
        if any(a in b or b in a for a, b in [names, *product(names, used)]):
            continue
        words = list(zip(*(_own(runner).values() for runner in pair), strict=True))
        # One colour is shaded for words, so that it is told from its shade.
        if taken.isdisjoint(words) and all(a != b for a, b in words) and words[1] != words[2]:
            found.append(pair)
            taken.update(words)
            used.update(names)
        if len(found) == MOST:
            break
    return found


# A state without what is its runners' own ---------------------------------------------------------


class Lines:
    """Lines of a program taken from another, in the order in which they need each other."""

    def __init__(self, program: Json) -> None:
        self.of = program
        self.lines: list[Json] = []
        self.constants: list[Json] = []
        self.runs = [i for i, line in enumerate(program["lines"]) if line[0] == RUN]
        self._at: dict[str, int] = {}

    def take(self, line: int, *, places: bool = False) -> int:
        """Where a line stands here, with all that it needs; where `places`, the run of a runner
        stands as its place alone."""
        at: dict[int, int] = {}
        waiting = [line]
        while waiting:
            here = waiting[-1]
            operation, arguments, *how = self.of["lines"][here]
            if places and operation == RUN:
                operation, arguments, how = "place", self.runs.index(here), []
            inner = arguments if isinstance(arguments, list) else []
            needed = [a for a in inner if isinstance(a, int) and a not in at]
            if needed:
                waiting += reversed(needed)
                continue
            if inner:
                arguments = [at[a] if isinstance(a, int) else [self._constant(*a)] for a in inner]
            at[here] = self._place(self.lines, [operation, arguments, *how])
            waiting.pop()
        return at[line]

    def _constant(self, place: int) -> int:
        return self._place(self.constants, self.of["constants"][place])

    def _place(self, among: list[Json], value: Json) -> int:
        """Where a line or a constant stands, which stands there once."""
        sign = json.dumps([among is self.lines, value])
        if sign not in self._at:
            self._at[sign] = len(among)
            among.append(value)
        return self._at[sign]


def _leaves(value: Json) -> Iterator[dict[str, Json]]:
    """What in it follows a program."""
    if isinstance(value, dict):
        if "$live" in value:
            yield value
        for entry in value.values():
            yield from _leaves(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _leaves(entry)


def whole(parts: Sequence[Json]) -> list[Json]:
    """A copy of a state's parts in which each array stands in full, though it was sent before."""
    bodies: dict[str, str] = {}

    def take(value: Json) -> Json:
        if isinstance(value, dict):
            if "ref" in value and "dtype" in value:
                bodies.setdefault(value["ref"], value.get("b64", ""))
                return {**value, "b64": bodies[value["ref"]]}
            return {name: take(entry) for name, entry in value.items()}
        return [take(entry) for entry in value] if isinstance(value, list) else value

    return [take(part) for part in parts]


def _relined(value: Json, program: Json, *, places: bool) -> tuple[Lines, list[int]]:
    """The lines that what follows a program in `value` needs, and those of them that it names,
    which it names by their new numbers from now on."""
    lines, outputs = Lines(program), list[int]()
    for leaf in _leaves(value):
        at = lines.take(program["outputs"][leaf["$live"]], places=places)
        if at not in outputs:
            outputs.append(at)
        leaf["$live"] = outputs.index(at)
    return lines, outputs


def _stripped(state: Any, count: int) -> Json:
    """A state without its runners' controls, runs and values, and without what Python said."""
    parts = whole(state.parts)
    for part in parts:
        data = part["data"]
        data.pop("restart", None)
        for group in data.get("groups", ()):
            if _is_place(group["id"]):
                for own in ("items", "note"):
                    del group[own]
        for panel in data.get("panels", ()):
            del panel["hash"]  # of a figure that is another with other runners
        if part["kind"] == "lead":
            continue
        program = data.pop("program", None) or _NOTHING
        lines, outputs = _relined(data, program, places=True)
        if len(lines.runs) not in (0, count) or any(
            _ENTRY.match(str(a)) for _, a, *_ in lines.lines
        ):
            raise NoForm
        data["program"] = {
            "page": state.store["page"], "lines": lines.lines, "constants": lines.constants,
            "outputs": outputs, "given": None,
        }  # fmt: skip
    placed = [
        g["id"] for part in parts for g in part["data"].get("groups", ()) if _is_place(g["id"])
    ]
    if placed != [str(place) for place in range(count)]:
        raise NoForm
    values = {n: v for n, v in state.store["values"].items() if not _ENTRY.match(n)}
    return {"parts": parts, "tree": _unsaid(state.tree), "values": values,
            "locked": state.store["locked"]}  # fmt: skip


def _is_place(group: str) -> bool:
    return group.isdigit()


def _unsaid(tree: Sequence[Json]) -> list[Json]:
    """Where parts stand, without what is said between them."""
    found: list[Json] = []
    for node in tree:
        if isinstance(node, int):
            found.append(node)
        elif "columns" in node:
            columns = [{**c, "tree": _unsaid(c["tree"])} for c in node["columns"]]
            found.append({"columns": columns})
    return found


def _common(one: Json, two: Json, own: Sequence[tuple[dict[str, str], dict[str, str]]]) -> Json:
    """What two states have in common, with marks where the words of their runners stand. Raises
    NoForm where they differ otherwise."""
    if one == two:
        return one
    if isinstance(one, dict) and isinstance(two, dict) and one.keys() == two.keys():
        return {name: _common(entry, two[name], own) for name, entry in one.items()}
    if isinstance(one, list) and isinstance(two, list) and len(one) == len(two):
        return [_common(a, b, own) for a, b in zip(one, two, strict=True)]
    if isinstance(one, str) and isinstance(two, str):
        for place, (mine, other) in enumerate(own):
            for word, mark in MARKS.items():
                if one == mine[word] and two == other[word]:
                    return f"{mark}{place}"
        for place, (mine, other) in enumerate(own):  # a name within a sentence
            mark = f"{MARKS['name']}{place}"
            one, two = one.replace(mine["name"], mark), two.replace(other["name"], mark)
        if one == two:
            return one
    raise NoForm(f"{str(one)[:80]!r} and {str(two)[:80]!r}")


# What a rule writes into a form -------------------------------------------------------------------


def _part(state: Any, place: int, count: int, runner: Runner) -> Json:
    """What a rule writes into a form: its words, its values, its controls, and the program of its
    run and of what its controls follow. It stands there as if its place were the first."""
    parts = whole(state.parts)
    drawn = next(p["data"]["program"] for p in parts if p["kind"] == "stage")
    panel = next(p["data"] for p in parts if p["kind"] == "controls")
    group = next(g for g in panel["groups"] if g["id"] == str(place))
    card = {"items": group["items"], "note": group["note"]}
    noted, outputs = _relined(card, panel.get("program") or _NOTHING, places=False)
    run = Lines(drawn)
    if len(run.runs) != count:
        raise NoForm
    at = run.take(run.runs[place])
    named = run.lines[at][2]["module"]

    def first(value: Json) -> Json:
        return json.loads(json.dumps(value).replace(f'"{place}/', '"0/'))

    wrapped = runner.slug.rpartition("~")[2]
    looks = [style.look(runner.slug, repeat) for repeat in range(MOST)]
    values = {n: v for n, v in state.store["values"].items() if n.startswith(f"{place}/")}
    return {
        **_own(runner),
        "kin": wrapped,
        "looks": [[look.dash, look.marker] for look in looks],
        "values": first(values),
        **first(card),
        "follow": {"lines": first(noted.lines), "constants": noted.constants, "outputs": outputs},
        "run": {
            "lines": first(run.lines), "constants": run.constants, "at": at,
            "modules": {named: drawn["modules"][named]},
        },
    }  # fmt: skip
