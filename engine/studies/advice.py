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
        "sgd": Usual("η 0.1, tenfold down at plateaus", "He et al. 2016, section 3.4 (β 0.9)"),
        "momentum": Usual("β 0.9, η 0.1, λ 0.0001", "He et al. 2016, section 3.4"),
        "nesterov": Usual(
            "β growing to 0.9, 0.99, 0.995 or 0.999", "Sutskever et al. 2013, section 3"
        ),
        "aggmo": Usual("β 0, 0.9, 0.99", "Lucas et al. 2019; pytorch_optimizer"),
        "adagrad": Usual("η 0.01", "PyTorch"),
        "adadelta": Usual("ρ 0.95, ε 10⁻⁶, no η", "Zeiler 2012, as Keras has it"),
        "rmsprop": Usual("β 0.9, η 0.001", "Hinton, lecture 6e; Ruder 2016"),
        "adam": Usual("η 0.001, β₁ 0.9, β₂ 0.999, ε 10⁻⁸", "Kingma & Ba 2015, algorithm 1"),
        "adam_l2": Usual("as Adam, λ tuned", "PyTorch: λ 0"),
        "adamw": Usual(
            "η 6 × 10⁻⁴ falling to 6 × 10⁻⁵, β₁ 0.9, β₂ 0.95, λ 0.1", "nanoGPT, after GPT-3"
        ),
        "amsgrad": Usual("as Adam", "PyTorch: a switch of its Adam"),
        "qhadam": Usual("η 0.001, ν₁ 0.7, ν₂ 1, β₁ 0.995, β₂ 0.999", "the authors' qhoptim"),
        "eve": Usual("η 0.001, β₃ 0.999", "the authors' sgd-feedback"),
        "nadam": Usual("η 0.002", "PyTorch"),
        "radam": Usual("as Adam", "PyTorch"),
        "adamax": Usual("η 0.002", "Kingma & Ba 2015, section 7; PyTorch"),
        "lion": Usual(
            "η 3 to 10 times below AdamW's, λ as many times above; β₁ 0.9, β₂ 0.99",
            "Chen et al. 2023, section 5",
        ),
        "adan": Usual(
            "β 0.98, 0.92, 0.99; η 5 to 10 times Adam's; λ 0.02", "Xie et al. 2022, their code"
        ),
        "schedule_free_sgd": Usual(
            "β 0.9; η 10 to 50 times SGD's; warm-up", "Defazio et al. 2024, their code"
        ),
        "schedule_free_adamw": Usual(
            "β₁ 0.9; η 1 to 10 times AdamW's; warm-up", "Defazio et al. 2024, their code"
        ),
        "asgd": Usual("η 0.01, λ 0.0001, α 0.75, t₀ 10⁶", "PyTorch"),
        "sophia": Usual(
            "β₁ 0.96, β₂ 0.99, γ 0.01, k 10, clip 1; η 0.0003 for GPT-2 small",
            "Liu et al. 2023, their code; optax, pytorch_optimizer",
        ),
        "muon": Usual(
            "μ 0.95, Nesterov, five Newton–Schulz steps, η 0.02, λ 0.01",
            "Jordan et al. 2024, their code",
        ),
        "newton": Usual("η 1, less where a line search says so", "Nocedal & Wright, section 2.2"),
        "shampoo": Usual("η 0.001, ε 10⁻⁶", "pytorch_optimizer"),
        "adafactor": Usual(
            "no η of its own but min(0.01, 1/√t) times the weights' size; c 0.8, d 1",
            "Shazeer & Stern 2018, algorithm 6",
        ),
        "soap": Usual(
            "η 0.003, β 0.95 and 0.95, k 10", "Vyas et al. 2024, their code; pytorch_optimizer"
        ),
        "kron": Usual(
            "η about a third of AdamW's, β 0.9, μ 0.1; learned at every step for 500 steps, then "
            "ever more rarely, at last at one in 33",
            "the authors' kron_torch; pytorch_optimizer",
        ),
        "nadamw": Usual("as AdamW", "optax"),
        "adabelief": Usual("η 0.001, ε 10⁻¹⁶ where Adam has 10⁻⁸", "optax; pytorch_optimizer"),
        "prodigy": Usual("η 1 and a schedule that falls, d₀ 10⁻⁶", "optax; pytorch_optimizer"),
        "adopt": Usual("β₂ 0.9999, ε 10⁻⁶", "optax; pytorch_optimizer"),
        "ademamix": Usual("β₃ 0.9999, α 5 or 6", "pytorch_optimizer; optax"),
        "mars": Usual("η 0.003, β₁ 0.95, β₂ 0.99, γ 0.025", "pytorch_optimizer"),
        "rprop": Usual("η 0.01, η₊ 1.2, η₋ 0.5, Δmax 50", "PyTorch"),
        "signum": Usual("β 0.9", "optax"),
        "lars": Usual("τ 0.001, β 0.9", "optax; pytorch_optimizer"),
        "lookahead": Usual(
            "k 5 to 10, α 0.5 to 0.8", "Zhang et al. 2019; pytorch_optimizer: 5, 0.5"
        ),
        "sam": Usual("ρ 0.05", "pytorch_optimizer"),
        "cautious": Usual("as the rule inside", "Liang et al. 2024"),
        "line_search": Usual("c 10⁻⁴, ρ 0.5", "Nocedal & Wright, section 3.1"),
        "conjugate_gradient": Usual("β at least 0, c 10⁻⁴", "Nocedal & Wright, section 5.2"),
        "lbfgs": Usual("η 1, 3 to 20 pairs", "Nocedal & Wright, section 7.2"),
        "lamb": Usual("η 0.001, ε 10⁻⁶, λ 0.01", "optax: λ 0; You et al. 2019"),
    }
)


@dataclass(frozen=True, slots=True)
class Batch:
    """How many examples a step took somewhere, and who says so."""

    problem: str
    values: str
    source: str


BATCHES: tuple[Batch, ...] = (
    Batch("best test results on CIFAR and ImageNet", "2 to 32", "Masters & Luschi 2018, abstract"),
    Batch(
        "logistic regression on handwritten digits, Adam's own",
        "128",
        "Kingma & Ba 2015, section 6.1",
    ),
    Batch("residual networks on ImageNet", "256", "He et al. 2016, section 3.4"),
    Batch(
        "the same in an hour, η in proportion and a warm-up",
        "8192",
        "Goyal et al. 2017, abstract",
    ),
    Batch("language models", "0.5 to 3.2 million tokens", "Brown et al. 2020, GPT-3, table 2.1"),
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
        "of fifteen rules none was clearly best, and several at their defaults did about as well "
        "as one that was tuned",
        "Schmidt, Schneider & Hennig 2021",
    ),
    Advice(
        "convolutional networks on images", ("momentum",),
        "with a rate that falls tenfold at plateaus it trained the residual networks",
        "He et al. 2016, section 3.4",
    ),
    Advice(
        "transformers and language models", ("adamw",),
        "with warm-up, cosine and β₂ of 0.95", "Brown et al. 2020, GPT-3; nanoGPT",
    ),
    Advice(
        "rare features: words, clicks", ("adagrad",),
        "it finds “very predictive but rarely seen features”", "Duchi, Hazan & Singer 2011",
    ),
    Advice(
        "recurrent networks", ("rmsprop",),
        "“usually a good choice”: gradients change their size, and it forgets the old ones",
        "Keras; Hinton, lecture 6e",
    ),
    Advice(
        "reinforcement learning from pixels", ("rmsprop",),
        "it trained the deep Q-networks", "Mnih et al. 2015",
    ),
    Advice(
        "hidden matrices of a large network", ("muon", "adamw"),
        "Muon for the matrices, AdamW for embeddings, heads, gains and biases",
        "Jordan et al. 2024", together=True,
    ),
    Advice(
        "memory is short", ("lion", "momentum"),
        "one number a weight where AdamW keeps two", "Chen et al. 2023",
    ),
    Advice(
        "hardly any memory beside the weights", ("adafactor",),
        "r + c numbers for an r × c matrix; it trained T5",
        "Shazeer & Stern 2018; Raffel et al. 2020",
    ),
    Advice(
        "a run of unknown length", ("schedule_free_adamw", "schedule_free_sgd"),
        "the average of the walk takes the place of a falling rate", "Defazio et al. 2024",
    ),
    Advice(
        "few parameters, exact gradients", ("newton",),
        "near the minimum every step about doubles the right digits; a step costs n³",
        "Nocedal & Wright, sections 2.2 and 3.3",
    ),
    Advice(
        "comparing rules", (),
        "tune all of them alike, ε too: then a rule is never worse than one that it contains",
        "Choi et al. 2019",
    ),
)  # fmt: skip

# Where an entry is not what its source prints, or more than one source is followed.
DEPARTURES: Mapping[str, str] = MappingProxyType(
    {
        "asgd": "as in PyTorch the rate falls by λ, which also decays; a schedule is a step late",
        "rmsprop": "defaults β 0.99 and η 0.01 are PyTorch's; the lecture has 0.9 and 0.001",
        "adam_l2": "PyTorch's default λ 0 is Adam; where it is measured here, λ is 0.01",
        "adamax": "ε as in PyTorch and optax; the paper has none",
        "adamw": "defaults are PyTorch's: language models take a shorter β₂ and a larger λ",
        "adadelta": "default ρ 0.9 is PyTorch's; the paper uses 0.95",
        "qhadam": "default β₁ 0.9 is Adam's; the authors recommend 0.995",
        "eve": "f* is counted from the landscape's known minimum",
        "nadam": "PyTorch's form is the paper's; optax keeps the momentum constant",
        "radam": "ε before the correction, as PyTorch; after it, as optax, at a switch",
        "lion": "default η 0.0001 is the authors' code's, whatever AdamW's would be",
        "sophia": (
            "default η 0.06 is pytorch_optimizer's: the paper's rates are near AdamW's; the "
            "curvature is the exact diagonal unless an estimate is chosen; Gauss–Newton–Bartlett "
            "samples labels from a model's own answer, which a landscape has not: it is shown on a "
            "softmax classifier under “why they differ”"
        ),
        "muon": (
            "momentum is averaged, Nesterov's mix on and λ 0.1, as in PyTorch; the author prints "
            "B ← μB + G without decay: the sum and the average give one step, for its length is "
            "divided away; √max(1, out/in) goes by a layer's outputs and inputs, as nn.Linear and "
            "optax's kernels give it; Keras has no such factor, optax corrects Nesterov's mix for "
            "its start"
        ),
        "newton": "damped or with |λ|: plain Newton climbs to saddles",
        "shampoo": "in the plane one vector, so full-matrix Adagrad; on matrices both sides",
        "adafactor": (
            "defaults are PyTorch's, which holds √v above ε; the paper adds ε to g², as optax does "
            "at a switch; without the paper's optional momentum; in the plane one vector, so "
            "nothing is factored"
        ),
        "soap": (
            "as the authors' code the first step only looks; vectors of a network take Adam; "
            "directions that have had no gradient follow from the others, where the authors' code "
            "leaves them to rounding; in the plane one row"
        ),
        "kron": (
            "its probes are ±1 where the authors draw normals: both have the identity for mean "
            "square; no balancing of the factors, which changes neither their product nor a step; "
            "in the plane one row"
        ),
        "adan": "the authors' code decays implicitly; optax beside the step, at a switch",
        "schedule_free_adamw": "no warm-up of its own",
        "adopt": (
            "the authors' code and optax count the clip's steps from 0, pytorch_optimizer from 1: "
            "here from 0"
        ),
        "mars": (
            "the authors' code starts from a last gradient of 0, the paper's algorithm from the "
            "first point itself"
        ),
        "prodigy": "without bias correction, as the authors' code; with it, as optax, at a switch",
        "lbfgs": (
            "five pairs, and a backtracking search for Wolfe's: a pair without curvature is left "
            "out; PyTorch keeps up to 100"
        ),
        "lamb": "φ is the identity, as in optax; the paper leaves it open",
    }
)


@dataclass(frozen=True, slots=True)
class Event:
    """A year, who, what it brought, and where that is written."""

    year: int
    who: str
    what: str
    source: str


HISTORY: tuple[Event, ...] = (
    Event(
        1740, "Simpson",
        "Newton's method (1669) by derivatives: for two unknowns, and for finding optima.",
        "Essays on several curious and useful subjects",
    ),
    Event(
        1847, "Cauchy", "Gradient descent, for the orbits of heavenly bodies.",
        "Comptes rendus 25; Lemaréchal 2012",
    ),
    Event(
        1951, "Robbins & Monro", "Steps along a noisy estimate converge, if they shrink well.",
        "A stochastic approximation method",
    ),
    Event(
        1964, "Polyak", "The heavy ball: a velocity, and the best β for a condition number.",
        "Some methods of speeding up the convergence of iteration methods",
    ),
    Event(
        1983, "Nesterov", "Look ahead, and the error falls as 1/k² on convex problems.",
        "A method … with convergence rate O(1/k²)",
    ),
    Event(
        2011, "Duchi, Hazan & Singer", "Adagrad: a rate of its own for every coordinate.",
        "Adaptive subgradient methods",
    ),
    Event(
        2011, "Niu, Recht, Ré & Wright", "Hogwild: many processors write without locks.",
        "Hogwild!: a lock-free approach",
    ),
    Event(
        2012, "Tieleman & Hinton",
        "RMSProp, on a slide. It was never published, and is cited as that slide.",
        "Neural networks for machine learning, lecture 6e",
    ),
    Event(2015, "Kingma & Ba", "Adam: momentum and RMSProp, both corrected for their start.",
          "Adam: a method for stochastic optimization"),
    Event(
        2018, "Reddi, Kale & Kumar", "A gap in Adam's proof, a case where it fails, AMSGrad.",
        "On the convergence of Adam and beyond",
    ),
    Event(
        2019, "Loshchilov & Hutter", "AdamW: decay beside the step, on arXiv since 2017.",
        "Decoupled weight decay regularization",
    ),
    Event(
        2023, "Chen et al.", "Lion, found by a search over programs.",
        "Symbolic discovery of optimization algorithms",
    ),
    Event(
        2024, "Jordan et al.", "Muon, on a blog: once more a rule without a paper.",
        "kellerjordan.github.io/posts/muon",
    ),
)  # fmt: skip
