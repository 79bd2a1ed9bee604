"""Rules made of another rule: Lookahead, SAM, Cautious, each round any rule of the registry.

A wrapper is a function of the rule that it wraps. `wrap("sam", LION)` is SAM round Lion, known in
calls and links as `sam~lion`; wrappers nest. The registry holds each round one rule, the one that
its paper is known for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from functools import cache
from types import MappingProxyType, SimpleNamespace
from typing import Any

from engine.optimizers.adaptive import ADAM, ADAMW
from engine.optimizers.description import Optimizer, Option, Oracle, Rule, Slot, State
from engine.optimizers.momentum import MOMENTUM
from engine.optimizers.shared import inner_product, length
from engine.problems.parameter import Parameter
from engine.tape import Vector
from engine.tape import operations as ops

_NEXT = re.compile(r"^<w>(?= = )")  # where a line says the next point


class Wrapped(Optimizer):
    """A rule round another, which knows what it was made of, and travels as that."""

    wrapper: str
    inner: Optimizer

    def __reduce__(self) -> tuple[Any, ...]:
        return wrap, (self.wrapper, self.inner)


def wrap(wrapper: str, inner: Optimizer) -> Wrapped:
    """That wrapper round that rule.

    Raises ValueError for an unknown wrapper, and where the two use one name for two things, as a
    wrapper round itself does.
    """
    if wrapper not in WRAPPERS:
        raise ValueError(f"there is no wrapper {wrapper!r}; there are {', '.join(WRAPPERS)}")
    return _wrapped(wrapper, _Same(inner))


class _Same:
    """A cache key: an optimizer known by its rule."""

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer

    def __hash__(self) -> int:
        return hash((self.optimizer.slug, self.optimizer.rule))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.optimizer is other.optimizer


@cache
def _wrapped(wrapper: str, key: _Same) -> Wrapped:
    inner = key.optimizer
    made = WRAPPERS[wrapper](inner)
    for kind in ("hypers", "options", "state"):
        names = [part.name for part in getattr(made, kind)]
        if len(set(names)) < len(names):
            raise ValueError(f"{wrapper} cannot stand round {inner.name}: both have the same names")
    settled = replace(made, slug=f"{wrapper}~{inner.slug}")
    found = Wrapped(**{part.name: getattr(settled, part.name) for part in fields(Optimizer)})
    object.__setattr__(found, "wrapper", wrapper)
    object.__setattr__(found, "inner", inner)
    return found


def _round(inner: Optimizer, rule: Callable[[Rule], Rule], **changed: Any) -> Optimizer:
    """The inner rule's entry with its rule, and its form for tensors, wrapped."""
    slots = changed["state"][len(inner.state) :]
    return replace(
        inner,
        rule=rule(inner.rule),
        tensor_rule=rule(inner.tensor_rule) if inner.tensor_rule else None,
        tensor_state=None if inner.tensor_state is None else (*inner.tensor_state, *slots),
        stability=None,
        stability_text=None,
        **changed,
    )


# Lookahead ----------------------------------------------------------------------------------------


def lookahead(inner: Optimizer) -> Optimizer:
    """k steps forward by the inner rule, one step back towards where they began."""

    def around(step: Rule) -> Rule:
        def rule(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
            fast, state = step(oracle, w, s, h, o)
            older = s.fast_steps + 1.0
            due = ops.greater(older, h.sync - 0.5)
            slow = ops.where(due, s.slow + h.pull * (fast - s.slow), s.slow)
            after = {"slow": slow, "fast_steps": ops.where(due, 0.0, older)}
            return ops.where(due, slow, fast), {**state, **after}

        return rule

    return _round(
        inner,
        around,
        name=f"{NAMES['lookahead']}({inner.name})",
        hypers=(
            *inner.hypers,
            Parameter(
                "sync",
                "k",
                "k",
                5.0,
                1.0,
                100.0,
                "linear",
                "steps forward before the step",
                label="steps ahead",
            ),
            Parameter(
                "pull",
                "α",
                r"\alpha",
                0.5,
                0.0,
                1.0,
                "linear",
                "share of them that is kept",
                label="share kept",
            ),
        ),
        state=(
            *inner.state,
            Slot("slow", "φ", r"\varphi", "the slow weights", start="w"),
            Slot("fast_steps", "j", "j", "steps forward so far", kind="scalar"),
        ),
        latex=lambda o: (
            *(_NEXT.sub("v", line) for line in inner.latex(o)),
            (
                r"<slow> = <slow-> + <pull>\, (v - <slow->)"
                r"\quad\text{every } <sync> \text{ steps, and } w_t = \varphi_t"
            ),
        ),
        idea="Walk k steps ahead, then go only part of the way: swings average out.",
        when=f"Round a rule that swings, here {inner.name}; its state is kept when going back.",
        paper="Zhang, Lucas, Hinton & Ba, Lookahead optimizer: k steps forward, 1 step back",
        year=2019,
        relatives=f"α = 1 is {inner.name}.",
    )


# SAM ----------------------------------------------------------------------------------------------


class _Elsewhere:
    """An oracle whose gradient is another; all else is asked of the one behind it."""

    def __init__(self, oracle: Oracle, gradient: Callable[[Vector], Vector]) -> None:
        self._oracle = oracle
        self.gradient = gradient

    def __getattr__(self, name: str) -> Any:
        return getattr(self._oracle, name)


def _whole_length(tensors: Vector) -> Any:
    """The length of all tensors as one vector."""
    return ops.sqrt(inner_product(tensors, tensors))


def sam(inner: Optimizer) -> Optimizer:
    """The inner rule on the gradient found a small step uphill."""

    def around(measure: Callable[[Vector], Any]) -> Callable[[Rule], Rule]:
        def with_step(step: Rule) -> Rule:
            def rule(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
                def uphill(point: Vector) -> Vector:
                    g = oracle.gradient(point)
                    size = measure(g)
                    some = ops.greater(size, 0.0)
                    return oracle.gradient(point + (h.radius / ops.where(some, size, 1.0)) * g)

                here = uphill(w)  # asked for once: it is shown, too, and each costs a gradient
                asked = _Elsewhere(oracle, lambda point: here if point is w else uphill(point))
                following, state = step(asked, w, s, h, o)
                return following, {**state, "uphill": here}

            return rule

        return with_step

    made = _round(
        inner,
        around(length),
        name=f"{NAMES['sam']}({inner.name})",
        hypers=(
            *inner.hypers,
            Parameter(
                "radius",
                "ρ",
                r"\rho",
                0.05,
                0.0,
                2.0,
                "linear",
                "how far uphill the gradient is taken",
                label="uphill radius",
            ),
        ),
        state=inner.state,
        shown=(*inner.shown, Slot("uphill", "g̃", r"\tilde g", "the gradient uphill")),
        latex=lambda o: (
            (r"<uphill> = \nabla J(<w-> + <radius>\, \frac{<g>}{\lVert <g> \rVert})"),
            *(_uphill_line(line) for line in inner.latex(o)),
        ),
        idea="Take the gradient where the loss is worst nearby: narrow minima are left.",
        when=f"Where a second gradient can be paid for a wider minimum. Here round {inner.name}.",
        paper="Foret et al., Sharpness-aware minimization for efficiently improving generalization",
        year=2020,
        relatives=f"ρ = 0 is {inner.name}, at twice the price.",
        evaluations=2 * inner.evaluations,
        costs=(lambda h, o: 2.0 * dearer(h, o)) if (dearer := inner.costs) else None,
        elementwise=False,
        joins=inner.elementwise or inner.joins,
    )
    whole = around(_whole_length)
    return replace(made, tensor_rule=whole(inner.tensor_rule or inner.rule))


def _uphill_line(line: str) -> str:
    """A line of the inner rule with the gradient uphill in the place of its own."""
    return line.replace("<g>", "<uphill>").replace(r"\nabla J(", r"\nabla \tilde J(")


# Cautious -----------------------------------------------------------------------------------------

_DECAY = r"(1 - <lr>\, <weight_decay>)\, <w->"
# Whose decay stands beside the step, so that the caution leaves it alone.
_DECAYS_BESIDE = {"adamw", "nadamw", "ademamix", "mars", "lion", "muon"}


def cautious(inner: Optimizer) -> Optimizer:
    """The inner rule's step without the coordinates in which it goes uphill."""
    beside = inner.slug in _DECAYS_BESIDE

    def around(count: Callable[[Vector], tuple[Any, float]]) -> Callable[[Rule], Rule]:
        def with_step(step: Rule) -> Rule:
            def rule(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
                plain = SimpleNamespace(**{**vars(h), "weight_decay": 0.0}) if beside else h
                following, state = step(oracle, w, s, plain, o)
                u = w - following
                downhill = ops.where(
                    ops.greater(u * oracle.gradient(w), 0.0), 1.0 + 0.0 * u, 0.0 * u
                )
                agreed, size = count(downhill)
                if o.agreement == "code":
                    scale = size / ops.maximum(agreed, 1e-3 * size)
                else:
                    scale = size / (agreed + 1.0)
                mask = scale * downhill
                state = {**state, "u": u, "mask": mask}
                if not beside:
                    return w - mask * u, state
                own = getattr(o, "decay", "") == "times_schedule"
                decayed = ((oracle.schedule if own else h.lr) * h.weight_decay) * w
                return w - mask * u - decayed, {**state, "decayed": decayed}

            return rule

        return with_step

    made = _round(
        inner,
        around(lambda kept: (kept.dot(kept), 2.0)),
        name=f"{NAMES['cautious']} {inner.name}",
        options=(
            *inner.options,
            Option(
                "agreement",
                "what is left is stretched by",
                (
                    ("code", "n over the number left (the authors' code)"),
                    ("paper", "n over that number + 1 (algorithm 1)"),
                ),
            ),
        ),
        state=inner.state,
        shown=(
            *inner.shown,
            Slot("u", "u", "u", "the inner rule's step, without decay"),
            Slot("mask", "φ", r"\varphi", "0 where the step goes uphill, else the stretch"),
            *(
                (Slot("decayed", "λw", r"\delta", "the decay, which is left alone"),)
                if beside
                else ()
            ),
        ),
        latex=lambda o: (
            *(_NEXT.sub("v", line).replace(_DECAY, "<w->") for line in inner.latex(o)),
            r"<u> = <w-> - v" + (r"\quad\text{(at } \lambda = 0)" if beside else ""),
            (
                r"<mask> = \frac{n\, [<u> g_t > 0]}{\#(u_t g_t > 0)"
                + (" + 1" if o.agreement == "paper" else "")
                + "}"
            ),
            r"<w> = <w-> - <mask>\, <u>" + (" - <decayed>" if beside else ""),
        ),
        idea="Of every step take only the coordinates that go downhill by this very gradient.",
        when=f"One line round any rule with momentum, here {inner.name}.",
        paper="Liang et al., Cautious optimizers: improving training with one line of code",
        year=2024,
        relatives=f"Where nothing goes uphill it is {inner.name}.",
        elementwise=False,
        joins=False,
    )

    def by_tensor(kept: Vector) -> tuple[Any, Any]:
        return Vector(map(ops.sum, kept)), Vector(float(_size(part)) for part in kept)

    whole = around(by_tensor)
    return replace(made, tensor_rule=whole(inner.tensor_rule or inner.rule))


def _size(tensor: Any) -> int:
    size = 1
    for length_of_axis in ops.shape_of(tensor):
        size *= length_of_axis
    return size


WRAPPERS: Mapping[str, Callable[[Optimizer], Optimizer]] = MappingProxyType(
    {"lookahead": lookahead, "sam": sam, "cautious": cautious}
)


def _as_it_comes(inner: Optimizer) -> Optimizer:
    """The rule with its options at their defaults, none of them left to choose."""
    defaults = inner.option_values()

    def settled(rule: Rule) -> Rule:
        def with_defaults(
            oracle: Oracle, w: Vector, s: Any, h: Any, o: SimpleNamespace
        ) -> tuple[Vector, State]:
            return rule(oracle, w, s, h, SimpleNamespace(**{**defaults, **vars(o)}))

        return with_defaults

    return replace(
        inner,
        options=(),
        rule=settled(inner.rule),
        state=inner.slots(),
        latex=lambda o: inner.latex(SimpleNamespace(**defaults)),
    )


NAMES: Mapping[str, str] = MappingProxyType(
    {"lookahead": "Lookahead", "sam": "SAM", "cautious": "Cautious"}
)

ENTRIES = (
    replace(lookahead(_as_it_comes(ADAM)), slug="lookahead"),
    replace(sam(_as_it_comes(MOMENTUM)), slug="sam"),
    replace(cautious(_as_it_comes(ADAMW)), slug="cautious"),
)
