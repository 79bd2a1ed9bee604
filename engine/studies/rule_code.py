"""A rule on the tensors of a network as NumPy source: what `training_code` puts into its scripts.

The rule is recorded and printed, never written by hand. As most rules are the same on all weights
end to end, or on each tensor by itself, it is printed once for those; where neither holds, it is
printed for all tensors together.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np

from engine.emit.array_source import OF_MATRICES, ArraySource, Asked
from engine.emit.dialect import indent
from engine.optimizers import Slot
from engine.problems import counted
from engine.runs.step import first_state, take_step
from engine.runs.training import Group
from engine.tape import Vector, matrices

Form = Literal["line", "each", "all"]

STEP: Final = ("t", "factor", "value", "g", "w")
GIVEN: Final = ("at", "product", "u")  # what a rule is given beyond, where it asks


@dataclass(frozen=True, slots=True)
class RuleSource:
    """Rules as functions of (t, factor, value, g, w, *what they keep, *what they ask).

    form says what g and w are: one line of all weights, one tensor, or the list of all. Of "each",
    functions has a name for every tensor of the network; else one. start is what is kept at the
    start, as expressions of w, a list for every function. asked are those of GIVEN that it takes:
    `at(w)`, the loss and gradient elsewhere; `product(v)`, the Hessian times v; `u`, random signs.
    """

    form: Form
    source: list[str]
    functions: list[str]
    start: list[list[str]]
    asked: tuple[str, ...]


def rule_source(
    groups: Sequence[Group], shapes: Sequence[tuple[int, ...]], *, scheduled: bool = True
) -> RuleSource:
    """The rules of parameter groups on tensors of these shapes.

    Raises ValueError where a rule goes more ways than can be written out.
    """
    traced = _Traced(groups, shapes, scheduled)
    if len(groups) == 1 and _same_on_a_line(groups[0]):
        alone = replace(groups[0], members=(0,))
        line = _Traced([alone], [(sum(map(math.prod, shapes)),)], scheduled)
        return line.written("line", _name(alone))
    if traced.apart():
        return _each(groups, shapes, scheduled)
    return traced.written("all", "rule")


def _name(group: Group) -> str:
    """A rule's name as a function's."""
    return re.sub(r"\W", "_", group.optimizer.slug)


def _each(
    groups: Sequence[Group], shapes: Sequence[tuple[int, ...]], scheduled: bool
) -> RuleSource:
    """A function for every kind of tensor, one where two are the same text."""
    named: dict[str, tuple[str, RuleSource]] = {}
    functions: dict[int, tuple[str, list[str]]] = {}
    for group in groups:
        for i in group.members:
            alone = replace(group, members=(0,))
            written = _Traced([alone], [shapes[i]], scheduled).written("each", "{name}")
            text = "\n".join(written.source)
            if text not in named:
                same = sum(name.startswith(_name(group)) for name, _ in named.values())
                named[text] = _name(group) + (f"_{same + 1}" if same else ""), written
            functions[i] = named[text][0], written.start[0]
    asked = [a for a in GIVEN if any(a in written.asked for _, written in named.values())]
    source: list[str] = []
    for text, (name, written) in named.items():
        more = [a for a in asked if a not in written.asked]
        head = text.replace("{name}", name)
        source += (head.replace("):", f", {', '.join(more)}):", 1) if more else head).split("\n")
    in_order = [functions[i] for i in range(len(shapes))]
    return RuleSource(
        "each", source, [name for name, _ in in_order], [start for _, start in in_order],
        tuple(asked),
    )  # fmt: skip


# Recording ----------------------------------------------------------------------------------------


class _Oracle:
    """What a rule is told and asks, the answers beyond the first being calls of the script's."""

    lower_bound = 0.0

    def __init__(self, group: Group, point: Vector, at: Mapping[str, Any]) -> None:
        self.t, self.schedule = at["t"], at["factor"]
        self.output_axis = group.output_axis
        self._group, self._point, self._at = group, point, at

    def _all(self, w: Vector, others: Sequence[Any]) -> list[Any]:
        tensors = list(others)
        for i, part in zip(self._group.members, w, strict=True):
            tensors[i] = part
        return tensors

    def _ask(self, name: str, tensors: Sequence[Any], part: tuple[int, ...], value: Any) -> Any:
        asked = self._at["asked"].setdefault((name, part), Asked(name, part, value))
        return self._at["w"][0].record.write(asked, tensors, {})

    def _parts(self, name: str, tensors: Sequence[Any], first: tuple[int, ...]) -> Vector:
        """The group's own tensors of an answer that has one for every tensor."""
        several = len(tensors) > 1 or self._at["form"] == "all"
        return Vector(
            self._ask(
                name, tensors, (*first, i) if several else first, 1.0 + self._at["w"][i].value
            )
            for i in self._group.members
        )

    def loss(self, w: Vector) -> Any:
        if w is self._point:
            return self._at["value"]
        return self._ask("at", self._all(w, self._at["w"]), (0,), np.float64(0.7))

    def gradient(self, w: Vector) -> Vector:
        if w is self._point:
            return Vector(self._at["g"][i] for i in self._group.members)
        return self._parts("at", self._all(w, self._at["w"]), (1,))

    def signs(self) -> Vector:
        return Vector(self._at["u"][i] for i in self._group.members)

    def hessian_probe(self, w: Vector) -> Vector:
        if w is not self._point:
            raise ValueError("curvature is probed where the rule stands")
        still = [np.zeros(part.shape) for part in self._at["w"]]
        u = self.signs()
        estimate: Vector = u * self._parts("product", self._all(u, still), ())
        return estimate


class _Traced:
    """The rules of groups on tensors, as they are recorded."""

    def __init__(
        self, groups: Sequence[Group], shapes: Sequence[tuple[int, ...]], scheduled: bool
    ) -> None:
        self.groups, self.shapes, self.scheduled = groups, shapes, scheduled
        self.slots: list[tuple[Slot, ...]] = [
            g.optimizer.tensor_state or g.optimizer.slots(g.options) for g in groups
        ]
        tensors = [np.full(shape, 0.5) for shape in shapes]
        self.states = [
            list(first_state(slots, Vector(tensors[i] for i in g.members), np.zeros_like).values())
            for g, slots in zip(groups, self.slots, strict=True)
        ]
        self.asked: dict[Any, Asked] = {}
        self.form: Form = "all"

    def names(self) -> list[str]:
        """What everything that goes in is called, in the order in which it goes in."""
        one = self.form != "all"
        taken = {*STEP, *GIVEN, "np"}

        def free(name: str) -> str:
            while name in taken:
                name += "_"
            taken.add(name)
            return name

        def numbered(name: str) -> list[str]:
            return [name] if one else [free(f"{name}{i}") for i in range(len(self.shapes))]

        found = ["t", "factor", "value", *numbered("g"), *numbered("w"), *numbered("u")]
        for group, slots in zip(self.groups, self.slots, strict=True):
            for slot in slots:
                several = slot.kind != "scalar" and not one
                found += [
                    free(f"{slot.name}{i}" if several else slot.name)
                    for i in (group.members if several else (0,))
                ]
        for group in self.groups:
            found += [free(name) for name in group.hypers]
        return found

    def step(
        self, t: Any, factor: Any, value: Any, g: Any, w: Any, u: Any, states: Any, hypers: Any
    ) -> tuple[Any, Any, dict[str, Any]]:
        """The next tensors and states, and everything that the rules name on the way."""
        at = {
            "t": t, "factor": factor if self.scheduled else 1.0, "value": value, "g": g, "w": w,
            "u": u, "asked": self.asked, "form": self.form,
        }  # fmt: skip
        following, after, named = list(w), [], {}
        for group, slots, state, own in zip(self.groups, self.slots, states, hypers, strict=True):
            point = Vector(w[i] for i in group.members)
            oracle: Any = _Oracle(group, point, at)
            moved, found = take_step(
                group.optimizer, oracle, point,
                dict(zip([slot.name for slot in slots], state, strict=True)),
                dict(zip(group.hypers, own, strict=True)), group.options,
                group.optimizer.tensor_rule,
            )  # fmt: skip
            for i, part in zip(group.members, moved, strict=True):
                following[i] = part
                named[f"new_w{i}" if self.form == "all" else "new_w"] = part
            kept = {slot.name for slot in slots}
            for name, part in found.items():
                if not isinstance(part, Vector):
                    named["new_" * (name in kept) + name] = part
                elif self.form != "all":
                    named["new_" * (name in kept) + name] = part[0]
            after += [
                part
                for slot in slots
                for part in ([found[slot.name]] if slot.kind == "scalar" else found[slot.name])
            ]
        return following, after, named

    def recorded(self) -> ArraySource:
        tensors = [np.full(shape, 0.5) for shape in self.shapes]
        hypers = [list(map(float, group.hypers.values())) for group in self.groups]
        arguments = (1.0, 1.0, 0.7, tensors, tensors, tensors, self.states, hypers)
        if self.form == "all":
            tensor_list = "[{}]".format
            asked: dict[str, Callable[[str], str]] = {
                "at": lambda text: f"at({tensor_list(text)})",
                "product": lambda text: f"product({tensor_list(text)})",
            }
        else:
            asked = {"at": "at({})".format, "product": "product({})".format}
        return ArraySource(
            self.step, arguments, self.names(), asked=asked, called=lambda result: result[2],
            returned=lambda result: (
                (list(result[0]), list(result[1])) if self.form == "all"
                else (result[0][0], *result[1])
            ),
        )  # fmt: skip

    def apart(self) -> bool:
        """Whether what becomes of each tensor hangs on no other's."""
        source = self.recorded()
        source.body()
        if {"at", "product"} & source.used:
            return False
        names, n = self.names(), len(self.shapes)
        owner = {name: i for kind in (3, 3 + n, 3 + 2 * n)
                 for i, name in enumerate(names[kind : kind + n])}  # fmt: skip
        owners: list[int | None] = list(range(n))
        place = 3 + 3 * n
        for group, slots in zip(self.groups, self.slots, strict=True):
            for slot in slots:
                for i in (None,) if slot.kind == "scalar" else group.members:
                    owners.append(i)
                    if i is not None:
                        owner[names[place]] = i
                    place += 1
        return all(
            owner.get(names[k], i) == i
            for i, read in zip(owners, source.reads, strict=True)
            for k in read
        )

    def written(self, form: Form, name: str) -> RuleSource:
        """One function of all of it."""
        self.form = form
        source = self.recorded()
        body, names, n = source.body(), self.names(), len(self.shapes)
        hypers = [(k, v) for group in self.groups for k, v in group.hypers.items()]
        called = names[len(names) - len(hypers) :]
        kept = names[3 + 3 * n : len(names) - len(hypers)]
        asked: list[str] = [a for a in ("at", "product") if a in source.used]
        if any(u in source.used for u in names[3 + 2 * n : 3 + 3 * n]):
            asked.append("u")
        settings = [
            f"{c} = {value!r}"
            for c, (_, value) in zip(called, hypers, strict=True)
            if c in source.used
        ]
        unpacked = []
        if form == "all":
            for kind, parts in (
                ("g", names[3 : 3 + n]), ("w", names[3 + n : 3 + 2 * n]),
                ("u", names[3 + 2 * n : 3 + 3 * n] if "u" in asked else []), ("kept", kept),
            ):  # fmt: skip
                if any(part in source.used for part in parts):
                    unpacked.append(f"{', '.join(parts)}{',' * (len(parts) == 1)} = {kind}")
        takes = [*STEP, *(["kept"] if form == "all" else kept), *asked]
        titles = " and ".join(dict.fromkeys(group.optimizer.name for group in self.groups))
        start = [text for group, slots in zip(self.groups, self.slots, strict=True)
                 for text in self._start(form, group, slots)]  # fmt: skip
        if form == "each" and not start:  # its kin give what they keep beside the weights
            body[-1] = body[-1].replace("return ", "return (") + ",)"
        return RuleSource(
            form,
            [
                f"def {name}({', '.join(takes)}):",
                f'    """{titles}: the next weights, and what it keeps."""',
                *indent(1, [*settings, *unpacked, *body]), "", "",
            ],
            [name], [start], tuple(asked),
        )  # fmt: skip

    def _start(self, form: Form, group: Group, slots: Sequence[Slot]) -> list[str]:
        """What the rule keeps at the start, as expressions of w."""
        found = []
        for slot in slots:
            if slot.kind == "scalar":
                found.append("1.0" if slot.start == "one" else "0.0")
                continue
            for i in group.members:
                w = f"w[{i}]" if form == "all" else "w"
                if slot.start == "w":
                    found.append(f"{w}.copy()")
                elif slot.shape is None:
                    found.append(f"np.zeros_like({w})")
                else:
                    shape = slot.shape(self.shapes[i])
                    if slot.start != "one":
                        found.append(f"np.zeros({shape})")
                    elif len(shape) == 2:
                        found.append(f"np.eye({shape[0]})")
                    else:
                        found.append(f"np.ones({shape})")
        return found


# One line -----------------------------------------------------------------------------------------


class _Drawn:
    """A loss of a bowl with gradients that point anywhere: what rules for layers tell apart."""

    lower_bound = 0.0
    output_axis = 1
    schedule = 1.0

    def __init__(self, t: float, drawn: Sequence[Vector]) -> None:
        self.t = t
        self._bend, self._pull, self._signs = drawn

    def loss(self, w: Vector) -> Any:
        return sum(np.sum(b * part * part) for b, part in zip(self._bend, w, strict=True))

    def gradient(self, w: Vector) -> Vector:
        slope: Vector = self._pull + self._bend * w
        return slope

    def signs(self) -> Vector:
        return self._signs

    def hessian_probe(self, w: Vector) -> Vector:
        return self._bend


def _same_on_a_line(group: Group) -> bool:
    """Whether a rule does with all weights end to end what it does with the tensors.

    One that goes by coordinates does. Any other is tried, on gradients longer than 1 that turn
    from step to step: lengths and counts of a layer then differ from those of the whole.
    """
    rule = group.optimizer
    if rule.tensor_state is not None:
        return False
    if rule.elementwise:
        return True
    rng = np.random.default_rng(0)
    shapes = ((3, 4), (4,), (4, 2))
    cuts = np.cumsum(list(map(math.prod, shapes)))[:-1]

    def tensors(line: Any) -> Vector:
        parts = np.split(line, cuts)
        return Vector(p.reshape(shape) for p, shape in zip(parts, shapes, strict=True))

    def on_a_line(line: Any) -> Vector:
        return Vector((line,))

    size = sum(map(math.prod, shapes))
    lines = rng.standard_normal(size)
    slots = rule.slots(group.options)
    points = [tensors(lines), on_a_line(lines)]
    states = [first_state(slots, point, np.zeros_like) for point in points]
    try:
        for t in range(1, 5):
            drawn = (
                rng.uniform(0.5, 2.0, size), 3.0 * rng.standard_normal(size),
                rng.choice((-1.0, 1.0), size),
            )  # fmt: skip
            for k, laid in enumerate((tensors, on_a_line)):
                oracle: Any = _Drawn(float(t), [laid(line) for line in drawn])
                points[k], states[k] = take_step(
                    rule, oracle, points[k], states[k], group.hypers, group.options,
                    rule.tensor_rule,
                )  # fmt: skip
    except ValueError:  # it is for matrices
        return False
    whole = np.concatenate([part.ravel() for part in points[0]])
    return bool(np.allclose(whole, points[1][0], rtol=1e-9, atol=0.0))


# What the script needs beside ---------------------------------------------------------------------


_TYPES: Final = r"npt\.NDArray\[[\w.]+\]|Callable\[\.\.\., Array\]|Array|int|Any"


def _plain(function: Callable[..., Any]) -> str:
    """A function's source without types."""
    text = inspect.getsource(function).replace("@_answered\n", "@finite\n")
    text = re.sub(
        r"(?<=\w): (?:npt\.NDArray\[[\w.]+\]|Callable\[\.\.\., Array\]|Array|int|Any)", "", text
    )
    return re.sub(r"\) -> [^:\n]+:\n", "):\n", text).rstrip()


def of_matrices(source: Sequence[str]) -> list[str]:
    """The functions of matrices that a source calls, and what they call."""
    text = "\n".join(source)
    called = [name for name in OF_MATRICES if re.search(rf"\b{name}\(", text)]
    if not called:
        return []
    shown: dict[str, str] = {"finite": _plain(matrices.finite)}
    for name in called:
        _with_helpers(name, shown)
    body = "\n\n\n".join(shown.values())
    constants = [
        f"{name} = {value!r}" for name, value in vars(matrices).items()
        if isinstance(value, int | float) and re.search(rf"\b{name}\b", body)
    ]  # fmt: skip
    return [*constants, *([""] * 2 if constants else []), *body.split("\n"), "", ""]


def _with_helpers(name: str, shown: dict[str, str]) -> None:
    """Put a function of matrices among those shown, behind what it calls."""
    if name in shown:
        return
    text = _plain(getattr(matrices, name))
    for helper in re.findall(r"\b(_\w+)\(", text):
        if helper != name:
            _with_helpers(helper, shown)
    shown[name] = text


def of_counting(names: Sequence[str]) -> list[str]:
    """The numbers drawn by counting, as the laboratory has them: functions of these names."""
    if not names:
        return []
    text = "\n\n\n".join(
        _plain(f) for f in (counted._mixed, counted.bits, *(getattr(counted, n) for n in names))
    )
    return [
        f"_GOLDEN = {counted._GOLDEN:#x}", f"_MASK = {counted._MASK:#x}", "", "",
        *text.split("\n"), "", "",
    ]  # fmt: skip
