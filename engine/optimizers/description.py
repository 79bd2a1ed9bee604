"""What an optimizer is: its rule, hyper-parameters, options, state, and what is known of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Protocol

from engine.problems.parameter import Parameter
from engine.tape import Vector


class Oracle(Protocol):
    """What a rule may ask of the problem at step t."""

    t: Any  # 1, 2, …
    schedule: Any  # this step's learning rate over the base learning rate

    lower_bound: float | None  # the objective's least value where it is known
    output_axis: int  # of a matrix: 1 where it is stored (in, out), 0 as (out, in)

    def gradient(self, w: Vector) -> Vector: ...
    def loss(self, w: Vector) -> Any: ...
    def hessian(self, w: Vector) -> tuple[Vector, ...]: ...
    def hessian_diagonal(self, w: Vector) -> Vector: ...
    def signs(self) -> Vector:
        """This step's random signs, one for each coordinate."""
        ...

    def hessian_probe(self, w: Vector) -> Vector:
        """u ⊙ Hu for this step's random signs u: the diagonal on average (Hutchinson 1990)."""
        ...


State = Mapping[str, Any]
Rule = Callable[
    [Oracle, Vector, SimpleNamespace, SimpleNamespace, SimpleNamespace], tuple[Vector, State]
]


@dataclass(frozen=True, slots=True)
class Option:
    """A named convention: each choice is (value, what it means). The first is the default."""

    name: str
    label: str
    choices: tuple[tuple[str | bool, str], ...]

    @property
    def default(self) -> str | bool:
        return self.choices[0][0]


@dataclass(frozen=True, slots=True)
class Slot:
    """One state variable: its symbol, LaTeX, meaning; a number per coordinate ("vector") or one
    for all ("scalar"); where it starts ("zero", "w" for the starting point, or "one": 1 or an
    identity matrix); under which options the rule keeps it at all. On a network's tensors `shape`
    gives the shape that it has beside a tensor, where that is another."""

    name: str
    symbol: str
    latex: str
    meaning: str
    kind: str = "vector"
    start: str = "zero"
    when: Callable[[SimpleNamespace], bool] | None = None
    shape: Callable[[tuple[int, ...]], tuple[int, ...]] | None = None


@dataclass(frozen=True)
class Optimizer:
    """An update rule and what is known of it."""

    slug: str
    name: str
    rule: Rule
    hypers: tuple[Parameter, ...]
    latex: Callable[[SimpleNamespace], tuple[str, ...]]
    idea: str
    when: str
    paper: str
    year: int
    options: tuple[Option, ...] = ()
    state: tuple[Slot, ...] = ()
    shown: tuple[Slot, ...] = ()  # intermediate quantities worth seeing
    typical_lr: str = ""
    relatives: str = ""
    # c such that, on a quadratic with largest curvature λ, steps are stable while lr < c / λ.
    stability: Callable[[SimpleNamespace, SimpleNamespace], float] | None = None
    stability_text: Callable[[SimpleNamespace], str] | None = None  # the limit, "2/λmax"
    evaluations: int = 1  # gradients and losses a step asks for; a Hessian product counts as two
    # That number where it hangs on hyper-parameters and options: the average over many steps.
    costs: Callable[[SimpleNamespace, SimpleNamespace], float] | None = None
    counted: str = ""  # the state that holds it where it hangs on the run (line searches)
    elementwise: bool = True  # False: the update of a coordinate depends on the others
    joins: bool = False  # it does, but through sums over all: a network's tensors may be one line
    # Whether a step draws random signs, for `oracle.hessian_probe` or by `oracle.signs`.
    draws: Callable[[SimpleNamespace], bool] | None = None
    # The rule on a network's tensors, where it is not the rule of the plane part by part.
    tensor_rule: Rule | None = None
    tensor_state: tuple[Slot, ...] | None = None
    on_tensors: bool = True  # False: the rule has a form for the plane alone
    memory_note: str = ""  # the memory in words, where it is not a number per weight
    fallback: str = ""  # slug of the rule that takes a network's tensors which are not matrices

    def hyper_values(self, values: Mapping[str, float] | None = None) -> dict[str, float]:
        """Defaults overlaid with values; ValueError for an unknown name or a non-finite value."""
        known = {h.name: h.default for h in self.hypers}
        for name, value in (values or {}).items():
            if name not in known:
                raise ValueError(
                    f"{self.slug} has no hyper-parameter {name!r}; it has {', '.join(known)}"
                )
            if not math.isfinite(value):
                raise ValueError(f"{name} must be finite, got {value!r}")
            known[name] = float(value)
        return known

    def option_values(
        self, values: Mapping[str, str | bool] | None = None
    ) -> dict[str, str | bool]:
        """Defaults overlaid with values; ValueError for an unknown option or choice."""
        known = {o.name: o for o in self.options}
        chosen = {o.name: o.default for o in self.options}
        for name, value in (values or {}).items():
            if name not in known:
                raise ValueError(
                    f"{self.slug} has no option {name!r}; it has {', '.join(known) or 'none'}"
                )
            if value not in [c[0] for c in known[name].choices]:
                choices = ", ".join(repr(c[0]) for c in known[name].choices)
                raise ValueError(f"option {name} of {self.slug} is one of {choices}, got {value!r}")
            chosen[name] = value
        return chosen

    def stability_formula(self, options: Mapping[str, str | bool] | None = None) -> str:
        """The stability limit in LaTeX under these options; empty where none is known."""
        if self.stability_text is None:
            return ""
        text = self.stability_text(SimpleNamespace(**self.option_values(options)))
        above, below = text.split("/", 1)
        below = below[1:-1] if below.startswith("(") else below
        latex = rf"\frac{{{above}}}{{{below}}}"
        for plain, spelled in (("λmax", r"\,\lambda_{\max}"), ("β", r"\beta"), ("−", "-")):
            latex = latex.replace(plain, spelled)
        return latex

    def slots(self, options: Mapping[str, str | bool] | None = None) -> tuple[Slot, ...]:
        """The state that the rule keeps under these options."""
        o = SimpleNamespace(**self.option_values(options))
        return tuple(slot for slot in self.state if slot.when is None or slot.when(o))

    @property
    def memory(self) -> int:
        """State variables per weight, under the default options."""
        return sum(slot.kind == "vector" for slot in self.slots())

    def kept(self, options: Mapping[str, str | bool] | None = None, coordinates: int = 2) -> int:
        """Numbers kept between steps beside a point of so many coordinates, under these options.

        Of a network whose tensors have shapes `Trainer.memory` counts them.
        """
        return sum(coordinates if s.kind == "vector" else 1 for s in self.slots(options))

    def price(
        self,
        hypers: Mapping[str, float] | None = None,
        options: Mapping[str, str | bool] | None = None,
    ) -> float:
        """Evaluations that a step costs, on average; the least it can where `counted` holds them.

        A gradient counts one, with the loss that comes along; a loss alone one; a product with
        the Hessian two, for it is a gradient's gradient.
        """
        if self.costs is None:
            return float(self.evaluations)
        h = SimpleNamespace(**self.hyper_values(hypers))
        o = SimpleNamespace(**self.option_values(options))
        return self.costs(h, o)

    def draws_probe(self, options: Mapping[str, str | bool] | None = None) -> bool:
        """Whether a step of the rule needs random signs under these options."""
        return self.draws is not None and self.draws(SimpleNamespace(**self.option_values(options)))

    def stability_limit(
        self,
        curvature: float,
        hypers: Mapping[str, float] | None = None,
        options: Mapping[str, str | bool] | None = None,
    ) -> float | None:
        """The largest stable learning rate where the largest curvature is `curvature` (> 0), or
        None where no closed form is known."""
        if self.stability is None or not curvature > 0:
            return None
        h = SimpleNamespace(**self.hyper_values(hypers))
        o = SimpleNamespace(**self.option_values(options))
        return self.stability(h, o) / curvature
