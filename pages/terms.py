"""The glossary's terms: what each is, its symbol, the page on which it is seen, how it is said.

`marked` links the first place of each term in a text to its entry; formulas, code, links and HTML
tags in it are left as they are.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final


@dataclass(frozen=True, slots=True)
class Term:
    """A term: its definition in one sentence, its symbol in LaTeX, an address beside the pages,
    and other words for it in texts."""

    name: str
    text: str
    link: str
    symbol: str = ""
    also: tuple[str, ...] = ()

    @property
    def slug(self) -> str:
        """Its name in links."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")


TERMS: Final[tuple[Term, ...]] = (
    Term("activation", "The bend between a network's layers: tanh, ReLU, sigmoid.",
         "train", also=("activations",)),
    Term("adjoint", "The derivative of the result by a node of the graph: what reverse mode "
         "carries back.", "graph?mode=reverse", r"\bar v"),
    Term("autograd", "Derivatives computed by recording a program's operations and applying the "
         "chain rule to the record.", "engine_room", also=("automatic differentiation",)),
    Term("backpropagation", "Reverse mode on a network's loss: one pass back gives the gradient by "
         "all weights.", "graph?on=neuron"),
    Term("basin", "The starts from which a rule's runs end in one minimum.", "basins",
         also=("basins",)),
    Term("batch", "The examples of which one gradient is the mean; a small one is a noisy guess of "
         "the full gradient.", "batch_size", "B", ("batches", "mini-batch", "batch size")),
    Term("bias correction", "Dividing an average that began at zero by 1 − βᵗ, so that it is an "
         "average of what it has seen.", "bias_correction", r"1/(1-\beta^t)"),
    Term("chain rule", "The derivative along a path is the product of its edges' local "
         "derivatives; over several paths they add up.", "chain_rule"),
    Term("computational graph", "A function as small operations, each a node that reads those "
         "before it.", "graph"),
    Term("condition number", "The largest curvature over the smallest: how narrow a valley is.",
         "race", r"\kappa"),
    Term("cross-entropy", "The average surprise of one who expects q while p is true: H(p, q) = "
         "−Σ p log q.", "divergence", "H(p,q)"),
    Term("curvature", "How fast the gradient changes along a direction.",
         "race?curvature=1", r"\lambda", ("curvatures",)),
    Term("decision boundary", "Where a classifier's answer turns over.",
         "train", also=("decision boundaries",)),
    Term("divergence", "A run that gets away; and KL, the price of a wrong belief.", "divergence",
         r"\mathrm{KL}", ("Kullback–Leibler divergence",)),
    Term("dropout", "Leaving out units by chance while a network learns.", "train"),
    Term("dual number", "A value with its rate of change, (v, v̇): what forward mode computes "
         "with.", "graph?mode=forward", r"(v, \dot v)", ("dual numbers",)),
    Term("eigenvalue", "The curvature along one of the Hessian's own directions.", "race",
         r"\lambda", ("eigenvalues",)),
    Term("entropy", "The average surprise of a distribution: H(p) = −Σ p log p.", "entropy", "H"),
    Term("epoch", "One pass over all the examples.", "batch_size?view=runs", also=("epochs",)),
    Term("expression swell", "How a symbolic derivative grows: each product breeds a sum.",
         "four_ways?view=expression+swell"),
    Term("finite difference", "A secant's slope over a small step h, taken for the derivative.",
         "four_ways", also=("finite differences",)),
    Term("focal loss", "Cross-entropy times (1 − p)^γ: examples that are right already fade.",
         "losses?part=focal+loss"),
    Term("forward mode", "Derivatives carried along with the values: one pass per input.",
         "graph?mode=forward"),
    Term("Gibbs' inequality", "No belief pays less than the truth: KL is never below 0.",
         "divergence"),
    Term("gradient", "All partial derivatives: the direction in which a loss rises fastest.",
         "race", r"\nabla L", ("gradients",)),
    Term("gradient check", "An analytic gradient against central differences, by relative error.",
         "gradient_check"),
    Term("Hessian", "The matrix of second derivatives: how the gradient changes.", "race", "H"),
    Term("hinge loss", "max(0, 1 − m): nothing to pay from a margin of 1 on.",
         "losses?part=margin+losses"),
    Term("hyper-parameter", "A number that a run is given and does not learn: η, β, ε, a batch's "
         "size.", "map", also=("hyper-parameters",)),
    Term("Jensen–Shannon divergence", "The mean KL of two distributions to their mean: "
         "symmetric, and always finite.", "divergence", r"\mathrm{JS}"),
    Term("label", "The class that an example really has; as a distribution, certain of it.",
         "divergence?p=0,1,0&q=0.2,0.7,0.1", "y", ("labels",)),
    Term("learning rate", "How far a step goes along what the rule makes of the gradient.",
         "which_rate", r"\eta", ("learning rates",)),
    Term("likelihood", "The probability that a parameter gives to the data that were seen.",
         "likelihood", r"p(x\mid\theta)"),
    Term("local minimum", "A lowest point of its surroundings, not of all.",
         "basins", also=("local minima",)),
    Term("logit", "A raw score, before softmax or sigmoid.", "softmax", "z", ("logits",)),
    Term("margin", "The score times the label's sign: above 0 is right.",
         "losses?part=margin+losses", r"m"),
    Term("maximum likelihood", "Choosing the parameter under which the data are least surprising.",
         "likelihood", r"\hat\theta"),
    Term("mean squared error", "The mean of (ŷ − y)².",
         "losses?part=squared+error", also=("squared error", "MSE")),
    Term("momentum", "A sum of past gradients that forgets: across a valley they cancel, along it "
         "they grow to 1/(1 − β).", "race", r"v"),
    Term("moving average", "An average that forgets: a share β of it stays, 1 − β is new.",
         "bias_correction", r"m \leftarrow \beta m + (1-\beta) g", ("moving averages",)),
    Term("negative log-likelihood", "−log of the likelihood: a sum over the data, to be made "
         "small.", "likelihood", also=("NLL",)),
    Term("Newton–Schulz steps", "Products of matrices alone that bring all singular values near "
         "1.", "matrices"),
    Term("one-cycle", "A rate that rises to a peak and falls again, once.",
         "schedules?schedule=one_cycle"),
    Term("one-hot", "A label as a distribution: 1 at its class, 0 elsewhere.",
         "divergence?p=0,1,0&q=0.2,0.7,0.1"),
    Term("optimizer", "The rule that makes steps of gradients.", "family", also=("optimizers",)),
    Term("overfitting", "Learning the training examples' noise: the held-back loss rises again.",
         "train"),
    Term("parameter group", "Weights that one rule with its own rate takes; the rest has another.",
         "matrices?view=groups", also=("parameter groups",)),
    Term("perceptron", "A network of layers, each a matrix, a bias and an activation.",
         "train", also=("multilayer perceptron", "MLP")),
    Term("range test", "One run in which the rate rises, to see where it learns and where it "
         "gets away.", "which_rate"),
    Term("relative error", "How far two numbers are apart, as a share of their size.",
         "gradient_check"),
    Term("reverse mode", "Derivatives carried from the result back: one pass per output.",
         "graph?mode=reverse"),
    Term("round-off", "What a computer's sixteen digits lose; divided by a small h it is large.",
         "four_ways?h=1e-12"),
    Term("saddle", "A flat place that is lowest one way and highest another.",
         "race?on=saddle", also=("saddles",)),
    Term("saturation", "Where a sigmoid is nearly flat, so that hardly any gradient comes through.",
         "saturation"),
    Term("schedule", "The learning rate as a function of the step.", "schedules", r"\eta_t",
         ("schedules",)),
    Term("sharpness", "The Hessian's largest eigenvalue: the curvature a rate has to bear.",
         "weight_space", r"\lambda_{\max}"),
    Term("sigmoid", "1/(1 + e⁻ᶻ): a score as the probability of one of two classes.", "saturation",
         r"\sigma(z)"),
    Term("singular value", "How much a matrix stretches one of its own directions.",
         "matrices", r"\sigma", ("singular values",)),
    Term("softmax", "Each score's power of e as a share of their sum.", "softmax"),
    Term("stability limit", "The learning rate past which a rule gets away on a bowl: 2/λmax for "
         "gradient descent.", "race?lr=0.021", r"2/\lambda_{\max}"),
    Term("surprise", "−log of an outcome's probability: rare outcomes surprise more.", "entropy",
         r"-\log p"),
    Term("surrogate loss", "A smooth stand-in for the zero-one loss, with a slope to follow.",
         "losses?part=margin+losses"),
    Term("tape", "The record of a computation: operation, inputs, value, in order.", "engine_room"),
    Term("temperature", "What logits are divided by before softmax: cold is certain, hot is fair.",
         "softmax?T=0.5", "T"),
    Term("topological order", "An order in which each node comes after all that it reads.",
         "graph"),
    Term("truncation error", "What a difference over h misses: it shrinks with h.",
         "four_ways?h=0.5"),
    Term("warm restarts", "A rate that falls and leaps up again, several times.",
         "schedules?schedule=cosine_restarts"),
    Term("warm-up", "A rate that rises over the first steps of a run.",
         "schedules?schedule=cosine&s.warmup=0.05"),
    Term("weight decay", "Drawing weights towards zero: beside the gradient (AdamW) or inside it "
         "(L2).", "failures?part=decay", r"\lambda"),
    Term("weight space", "The space with an axis for each weight of a network.", "weight_space"),
    Term("zero-one loss", "1 where the answer is wrong, else 0: no slope anywhere to follow.",
         "losses?part=margin+losses"),
    Term("zig-zag", "From one wall of a valley to the other: a rate near its limit.",
         "race?lr=0.0185", also=("zig-zags",)),
)  # fmt: skip


@cache
def _pattern() -> tuple[re.Pattern[str], dict[str, Term]]:
    """All words for terms, the longest first, and whose they are."""
    words = {word.lower(): term for term in TERMS for word in (term.name, *term.also)}
    every = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    kept = r"\$[^$\n]*\$|`[^`]*`|\[[^\]]*\]\([^)]*\)|<[^>]*>|:\w+/\w+:"
    return re.compile(rf"{kept}|(?<![\w/\\=.-])({every})(?![\w=-])", re.IGNORECASE), words


def pieces(text: str, page: str = "", seen: set[str] | None = None) -> list[str | tuple[str, Term]]:
    """The text in pieces, each term's first place as (words, term); no term of the page itself.

    `seen` are the names of terms that stand before the text, to which its own are added.
    """
    pattern, words = _pattern()
    found: list[str | tuple[str, Term]] = []
    seen = set() if seen is None else seen
    at = 0
    for match in pattern.finditer(text):
        if match[1] is None:
            continue
        term = words[match[1].lower()]
        if term.name in seen or term.link.partition("?")[0] == page:
            continue
        seen.add(term.name)
        found += [text[at : match.start()], (match[0], term)]
        at = match.end()
    return [*found, text[at:]]


def address(term: Term) -> str:
    """Where its entry stands, beside the pages."""
    return f"glossary?term={term.slug}"


def marked(text: str, page: str, form: Callable[[str, Term], str]) -> str:
    """The text with each term's first place in that form."""
    return "".join(p if isinstance(p, str) else form(*p) for p in pieces(text, page))


def as_html(word: str, term: Term) -> str:
    """A link to the entry whose definition shows under a pointer."""
    return (
        f"<a class='term' href='{address(term)}' title='{html.escape(term.text, quote=True)}'>"
        f"{html.escape(word)}</a>"
    )


def as_markdown(word: str, term: Term) -> str:
    """The same in Markdown."""
    return f'[{word}]({address(term)} "{term.text}")'
