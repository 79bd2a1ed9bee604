"""Who came from whom, and who becomes whom.

HEIRS says from which rule another was made, and what it changed: the tree of the family. RELATIONS
are settings under which one optimizer takes the very steps of another, each a claim that a test
runs. Both are drawn from these lists; a rule that neither names stands in the tree by its year.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from engine.optimizers import OPTIMIZERS, newton_schulz
from engine.problems.landscapes import LANDSCAPES, Landscape
from engine.runs.descent import Descent, descend


@dataclass(frozen=True, slots=True)
class Heir:
    """`child` is `parent` with one thing changed, which `change` says in a few words."""

    child: str
    parent: str
    change: str


HEIRS: tuple[Heir, ...] = (
    Heir("momentum", "sgd", "adds up a velocity"),
    Heir("nesterov", "momentum", "looks where the velocity leads"),
    Heir("aggmo", "momentum", "three velocities, averaged"),
    Heir("muon", "momentum", "orthogonalises the velocity of a matrix"),
    Heir("adagrad", "sgd", "divides by √Σg², per coordinate"),
    Heir("rmsprop", "adagrad", "the sum becomes a fading average"),
    Heir("adadelta", "adagrad", "a fading average; past steps set the rate"),
    Heir("shampoo", "adagrad", "the whole matrix, not its diagonal"),
    Heir("adam", "rmsprop", "adds momentum; both start corrected"),
    Heir("adamax", "adam", "the largest gradient in place of its RMS"),
    Heir("adam_l2", "adam", "λw joins the gradient"),
    Heir("adamw", "adam_l2", "λw beside the step, out of its scaling"),
    Heir("nadam", "adam", "Nesterov's look ahead"),
    Heir("eve", "adam", "the rate follows the objective"),
    Heir("amsgrad", "adam", "never forgets the largest v"),
    Heir("qhadam", "adam", "mixes the fresh gradient in"),
    Heir("radam", "adam", "waits until v can be trusted"),
    Heir("adan", "nadam", "looks ahead by the gradient's change"),
    Heir("lion", "adamw", "the sign alone; found by search"),
    Heir("nadamw", "nadam", "λw beside the step"),
    Heir("adabelief", "adam", "the surprise (g − m)² for g²"),
    Heir("adopt", "adam", "scales by the past alone, then averages"),
    Heir("ademamix", "adamw", "a second, far slower momentum"),
    Heir("mars", "adamw", "the gradient's change takes noise out"),
    Heir("prodigy", "adamw", "estimates its own rate"),
    Heir("rprop", "sgd", "the sign alone; steps grow and shrink"),
    Heir("signum", "momentum", "the velocity's sign alone"),
    Heir("lars", "momentum", "a rate for each layer, ‖w‖/‖g‖"),
    Heir("lamb", "lars", "Adam's direction"),
    Heir("lookahead", "adam", "k steps forward, one back"),
    Heir("sam", "momentum", "the gradient from uphill"),
    Heir("cautious", "adamw", "no coordinate steps uphill"),
    Heir("line_search", "sgd", "the loss says how far"),
    Heir("adafactor", "rmsprop", "rows and columns in place of all squares"),
    Heir("soap", "shampoo", "Adam in its eigenvectors"),
    Heir("kron", "rmsprop", "a learned triangle for rows, one for columns"),
    Heir("lbfgs", "newton", "the Hessian from the last steps alone"),
    Heir("schedule_free_sgd", "sgd", "averages the walk, needs no schedule"),
    Heir("asgd", "sgd", "a rate that falls, and the points' average"),
    Heir("schedule_free_adamw", "adamw", "averages the walk, needs no schedule"),
    Heir("sophia", "newton", "the diagonal, estimated and clipped"),
)

# Where a rule is older than the source that it is written from.
ORIGINS: Mapping[str, int] = {"newton": 1740}


def origin(slug: str) -> int:
    """The year in which a rule stands in the tree."""
    return ORIGINS.get(slug, OPTIMIZERS[slug].year)


THUMBNAIL = LANDSCAPES["bowl"](condition=12.0, rotation=25.0)
THUMBNAIL_STEPS = 40


def thumbnail(slug: str) -> Descent:
    """A small run of a rule on a turned bowl, at the rate whose loss is least on the way."""
    entry = OPTIMIZERS[slug]
    own = next(h for h in entry.hypers if h.name == "lr")
    rates = np.geomspace(max(own.low, 1e-3), min(own.high, 3.0), 12)
    runs = [
        descend(THUMBNAIL, entry, THUMBNAIL.start, THUMBNAIL_STEPS, {"lr": float(f"{lr:.3g}")})
        for lr in rates
    ]
    arrived = [run for run in runs if run.diverged_at is None]
    return min(arrived or runs, key=lambda run: float(run.loss.mean()))


STEPS = 60  # long enough that rules which differ come apart

Settings = Mapping[str, float]
Options = Mapping[str, str | bool]


@dataclass(frozen=True, slots=True)
class Relation:
    """`general` under its settings walks the path of `special` under its own.

    under says the setting in words. lr is the learning rate of both where the settings name none.
    start and landscape (a slug and its parameters) are where the two are shown on top of each
    other: in general anywhere, but on one axis where `under` says so. tolerance is relative to
    the size of the path: rounding where the two are equal, more where equality is a limit.
    """

    general: str
    special: str
    under: str
    general_hypers: Settings = field(default_factory=dict)
    special_hypers: Settings = field(default_factory=dict)
    general_options: Options = field(default_factory=dict)
    special_options: Options = field(default_factory=dict)
    lr: float = 0.01
    landscape: str = "bowl"
    parameters: Settings = field(default_factory=lambda: {"condition": 10.0, "rotation": 30.0})
    start: tuple[float, float] = (4.0, 2.0)
    tolerance: float = 1e-9

    @property
    def exact(self) -> bool:
        """Whether the two are equal, not only ever nearer to each other."""
        return self.tolerance < 1e-6

    @property
    def surface(self) -> Landscape:
        """The landscape that the two are shown on."""
        return LANDSCAPES[self.landscape](**self.parameters)

    def sides(self) -> tuple[tuple[str, dict[str, float], Options], ...]:
        """(slug, hyper-parameters, options) of the general rule and of the special one."""
        return (
            (self.general, {"lr": self.lr, **self.general_hypers}, self.general_options),
            (self.special, {"lr": self.lr, **self.special_hypers}, self.special_options),
        )

    def runs(self, steps: int = STEPS) -> tuple[Descent, ...]:
        """Both runs, from the same start."""
        return tuple(
            descend(self.surface, slug, self.start, steps, hypers, options=options)
            for slug, hypers, options in self.sides()
        )

    def disagreement(self, steps: int = STEPS) -> float:
        """The largest distance of the two paths, over the size of the special one's."""
        general, special = (run.path for run in self.runs(steps))
        return float(np.abs(general - special).max() / np.abs(special).max())


_ON_AXIS: Settings = {"condition": 10.0, "rotation": 0.0}
_PLAIN: Options = {"bias_correction": False}
_RAW: Options = {"epsilon": "outside"}

# How far one Muon step of rate 1 goes along a single axis.
MUON_ON_AXIS = float(newton_schulz([[1.0, 0.0]])[0, 0])

RELATIONS: tuple[Relation, ...] = (
    Relation("momentum", "sgd", "β = 0", {"beta": 0.0}),
    Relation("nesterov", "sgd", "β = 0", {"beta": 0.0}),
    Relation(
        "aggmo", "momentum", "β₁ = β₂ = β₃",
        {f"beta{i}": 0.9 for i in (1, 2, 3)}, {"beta": 0.9},
    ),
    Relation("aggmo", "sgd", "β₁ = β₂ = β₃ = 0", {f"beta{i}": 0.0 for i in (1, 2, 3)}),
    Relation("schedule_free_sgd", "sgd", "β = 0, λ = 0", {"beta": 0.0, "weight_decay": 0.0}),
    Relation("radam", "sgd", "β₁ = 0, β₂ ≤ ⅔", {"beta1": 0.0, "beta2": 0.5}),
    Relation(
        "newton", "sgd", "one axis, at η/λ",
        {"lr": 0.1}, {"lr": 0.05}, parameters=_ON_AXIS, start=(4.0, 0.0),
    ),
    Relation(
        "adam", "rmsprop", "β₁ = 0, no bias correction",
        {"beta1": 0.0, "beta2": 0.99}, {"beta": 0.99}, _PLAIN, _RAW, lr=0.05,
    ),
    Relation(
        "rmsprop", "adagrad", "β → 1, η over √(1−β)",
        {"beta": 0.999, "lr": 0.3 * 0.001**0.5}, {"lr": 0.3}, tolerance=0.02,
    ),
    Relation(
        "shampoo", "adagrad", "one axis",
        {"eps": 1e-4}, {"eps": 1e-4}, special_options={"epsilon": "inside"},
        lr=0.3, parameters=_ON_AXIS, start=(4.0, 0.0),
    ),
    Relation("adam_l2", "adam", "λ = 0", {"weight_decay": 0.0}, lr=0.05),
    Relation("adamw", "adam", "λ = 0", {"weight_decay": 0.0}, lr=0.05),
    Relation("qhadam", "adam", "ν₁ = ν₂ = 1", {"nu1": 1.0, "nu2": 1.0}, lr=0.05),
    Relation("eve", "adam", "β₃ = 1", {"beta3": 1.0}, lr=0.05),
    Relation(
        "adan", "adam", "β₂ = 0, λ = 0",
        {"beta1": 0.9, "beta2": 0.0, "beta3": 0.999}, lr=0.05,
    ),
    Relation("nadam", "adam", "β₁ = 0", {"beta1": 0.0}, {"beta1": 0.0}, lr=0.05),
    Relation("nadamw", "nadam", "λ = 0", {"weight_decay": 0.0}, lr=0.05),
    Relation(
        "ademamix", "adamw", "α = 0",
        {"alpha": 0.0, "weight_decay": 0.01}, {"weight_decay": 0.01}, lr=0.05,
    ),
    Relation("lookahead", "adam", "α = 1", {"pull": 1.0}, lr=0.05),
    Relation("sam", "momentum", "ρ = 0", {"radius": 0.0}),
    Relation(
        "signum", "lion", "β₁ = β₂, λ = 0",
        {"beta": 0.9}, {"beta1": 0.9, "beta2": 0.9}, lr=0.037,
    ),
    Relation(
        "schedule_free_adamw", "adam", "β₁ = 0, λ = 0",
        {"beta1": 0.0, "weight_decay": 0.0}, {"beta1": 0.0}, lr=0.05,
    ),
    Relation(
        "adam", "lion", "β₁ = β₂ = 0: the sign alone",
        {"beta1": 0.0, "beta2": 0.0, "eps": 1e-16}, {"beta1": 0.0}, lr=0.037,
    ),
    Relation(
        "adamax", "lion", "β₁ = β₂ = 0: the sign alone",
        {"beta1": 0.0, "beta2": 0.0, "eps": 1e-16}, {"beta1": 0.0}, lr=0.037,
    ),
    Relation(
        "sophia", "lion", "γ = 0: the sign alone",
        {"gamma": 0.0, "beta1": 0.9}, {"beta1": 0.9, "beta2": 0.9}, lr=0.037,
    ),
    Relation(
        "muon", "lion", f"one axis, η times {MUON_ON_AXIS:.2f}",
        {"beta": 0.9, "weight_decay": 0.0, "lr": 0.037},
        {"beta1": 0.9, "beta2": 0.9, "lr": 0.037 * MUON_ON_AXIS},
        {"nesterov": False}, parameters=_ON_AXIS, start=(4.0, 0.0),
    ),
)  # fmt: skip
