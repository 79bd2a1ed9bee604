"""What is said of the rules elsewhere: usual settings, advice, history, departures, with sources.

What the registry itself knows (defaults, ranges, idea, paper) is not repeated here. A rule that
these lists do not name is shown with what the registry says of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Usual:
    """Values that a source uses or recommends for a rule."""

    values: str
    source: str


USUAL: Mapping[str, Usual] = MappingProxyType(
    {
        "sgd": Usual("η 0.1, divided by 10 on plateaus", "He et al. 2016, with β 0.9"),
        "momentum": Usual("β 0.9, η 0.1, λ 0.0001", "He et al. 2016, residual networks"),
        "nesterov": Usual("β up to 0.99 or 0.995, growing", "Sutskever et al. 2013"),
        "aggmo": Usual("β 0, 0.9, 0.99", "Lucas et al. 2019"),
        "adagrad": Usual("η 0.01", "PyTorch; the paper tunes η"),
        "adadelta": Usual("ρ 0.95, ε 10⁻⁶, no η", "Zeiler 2012"),
        "rmsprop": Usual("β 0.9, η 0.001", "Hinton, lecture 6e"),
        "adam": Usual("η 0.001, β₁ 0.9, β₂ 0.999, ε 10⁻⁸", "Kingma & Ba 2015"),
        "adam_l2": Usual("as Adam, λ tuned", "PyTorch: λ 0"),
        "adamw": Usual(
            "β₁ 0.9, β₂ 0.95, λ 0.1, η 6 × 10⁻⁴ to 6 × 10⁻⁵", "Brown et al. 2020, GPT-3"
        ),
        "amsgrad": Usual("as Adam; β₂ 0.99 or 0.999", "Reddi et al. 2018"),
        "qhadam": Usual("ν₁ 0.7, ν₂ 1, β₁ 0.995, β₂ 0.999", "Ma & Yarats 2019"),
        "eve": Usual("β₃ 0.999, c 10", "Koushik & Hayashi 2016"),
        "nadam": Usual("η 0.002", "PyTorch, Dozat 2016"),
        "radam": Usual("as Adam, no warm-up", "Liu et al. 2020"),
        "adamax": Usual("η 0.002", "Kingma & Ba 2015, section 7"),
        "lion": Usual("η 3 to 10 times below AdamW's, λ as many times above", "Chen et al. 2023"),
        "adan": Usual("β 0.98, 0.92, 0.99; η up to 0.01", "Xie et al. 2022"),
        "schedule_free_sgd": Usual("β 0.9; η 10 to 50 times SGD's", "Defazio et al. 2024, code"),
        "schedule_free_adamw": Usual(
            "β₁ 0.9; η 1 to 10 times AdamW's", "Defazio et al. 2024, code"
        ),
        "sophia": Usual("β₁ 0.96, β₂ 0.99, γ 0.01, k 10, clip 1", "Liu et al. 2023, Hutchinson"),
        "muon": Usual("μ 0.95, η 0.02, five Newton–Schulz steps", "Jordan et al. 2024"),
        "newton": Usual("η 1, a line search where it overshoots", "Nocedal & Wright 2006"),
        "shampoo": Usual("η as for SGD with momentum", "Gupta, Koren & Singer 2018"),
    }
)


@dataclass(frozen=True, slots=True)
class Advice:
    """What to take for a kind of problem, by slug, with the reason and who says so; `together`
    where it is all of them at once, else one or the other."""

    problem: str
    take: tuple[str, ...]
    why: str
    source: str
    together: bool = False


ADVICE: tuple[Advice, ...] = (
    Advice(
        "a first try on anything", ("adam",),
        "fifteen rules on eight problems: none is clearly better than it",
        "Schmidt, Schneider & Hennig 2021",
    ),
    Advice(
        "convolutional networks on images", ("momentum",),
        "with a falling rate it is the standard that others are held to", "He et al. 2016",
    ),
    Advice(
        "transformers and language models", ("adamw",),
        "with warm-up, cosine and β₂ of 0.95", "Brown et al. 2020",
    ),
    Advice(
        "rare features: words, clicks", ("adagrad",),
        "what is seen seldom keeps a large rate", "Duchi, Hazan & Singer 2011",
    ),
    Advice(
        "recurrent nets, reinforcement learning", ("rmsprop",),
        "gradients change their size; it forgets the old ones", "Mnih et al. 2015",
    ),
    Advice(
        "hidden matrices of a large network", ("muon", "adamw"),
        "Muon for the matrices, AdamW for embeddings, gains and biases", "Jordan et al. 2024",
        together=True,
    ),
    Advice(
        "memory is short", ("lion", "momentum"),
        "one number a weight where AdamW keeps two", "Chen et al. 2023",
    ),
    Advice(
        "a run of unknown length", ("schedule_free_adamw", "schedule_free_sgd"),
        "the average of the walk takes the place of a falling rate", "Defazio et al. 2024",
    ),
    Advice(
        "few parameters, exact gradients", ("newton",),
        "the condition number is gone; a step costs n³", "Nocedal & Wright 2006",
    ),
    Advice(
        "comparing rules", (),
        "tune all of them alike, ε too: a rule is never worse than what it contains",
        "Choi et al. 2019",
    ),
)  # fmt: skip

# Where an entry is not what its source prints, or more than one source is followed.
DEPARTURES: Mapping[str, str] = MappingProxyType(
    {
        "rmsprop": "defaults β 0.99 and η 0.01 are PyTorch's; the lecture has 0.9 and 0.001",
        "adam_l2": "PyTorch's default λ 0 is Adam; where it is measured here, λ is 0.01",
        "adamax": "ε as in PyTorch and optax; the paper has none",
        "eve": "f* is counted from the landscape's known minimum",
        "nadam": "PyTorch's form is the paper's; optax keeps the momentum constant",
        "radam": "ε before the correction, as PyTorch; after it, as optax, at a switch",
        "lion": "default η 0.0001 is the authors' code's, whatever AdamW's would be",
        "sophia": (
            "default η 0.06 is pytorch_optimizer's: the paper's rates are near AdamW's; the "
            "curvature is the exact diagonal unless an estimate is chosen; Gauss–Newton–Bartlett "
            "samples labels from a model's own answer, which a landscape has not"
        ),
        "muon": (
            "momentum is averaged, Nesterov's mix on and λ 0.1, as in PyTorch; the author prints "
            "B ← μB + G without decay: the sum and the average give one step, for its length is "
            "divided away"
        ),
        "newton": "damped or with |λ|: plain Newton climbs to saddles",
        "shampoo": "in the plane one vector, so full-matrix Adagrad; on matrices both sides",
        "adan": "the authors' code decays implicitly; optax beside the step, at a switch",
        "schedule_free_adamw": "no warm-up of its own",
    }
)


@dataclass(frozen=True, slots=True)
class Event:
    """A year, who, and what it brought."""

    year: int
    who: str
    what: str


HISTORY: tuple[Event, ...] = (
    Event(1740, "Simpson", "Newton's method (1669) for several unknowns, by derivatives."),
    Event(1847, "Cauchy", "Gradient descent, for the orbits of heavenly bodies."),
    Event(1951, "Robbins & Monro", "Steps along a noisy estimate converge, if they shrink well."),
    Event(1964, "Polyak", "The heavy ball: a velocity, and the best β for a condition number."),
    Event(1983, "Nesterov", "Look ahead, and reach 1/k² on convex problems, the best order."),
    Event(2011, "Duchi, Hazan & Singer", "A rate of its own for every coordinate."),
    Event(2011, "Niu, Recht, Ré & Wright", "Hogwild: many processors write without locks."),
    Event(
        2012, "Tieleman & Hinton",
        "RMSProp, on a slide of lecture 6e. It was never published, and is cited as that slide.",
    ),
    Event(2015, "Kingma & Ba", "Adam, the most cited of all."),
    Event(2018, "Reddi, Kale & Kumar", "A gap in Adam's proof, a case where it fails, AMSGrad."),
    Event(2019, "Loshchilov & Hutter", "Decay beside the step, on arXiv since 2017: AdamW."),
    Event(2023, "Chen et al.", "Lion, found by a search over programs."),
    Event(2024, "Jordan et al.", "Muon, on a blog: once more a rule without a paper."),
)  # fmt: skip
