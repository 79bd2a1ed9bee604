"""The glossary's terms: what each is, its symbol, the page on which it is seen, how it is said.

`marked` links the first place of each term in a text to its entry.
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
    Term("adjoint", "The derivative of the result by a node of the graph: what reverse mode "
         "carries back.", "graph?mode=reverse", r"\bar v"),
    Term("autograd", "Derivatives computed by recording a program's operations and applying the "
         "chain rule to the record.", "engine_room", also=("automatic differentiation",)),
    Term("backpropagation", "Reverse mode on a network's loss: one pass back gives the gradient by "
         "all weights.", "graph?on=neuron"),
    Term("basin", "The starts from which a rule's runs end in one minimum.", "basins",
         also=("basins",)),
    Term("batch", "The examples of which one gradient is the mean; a small one is a noisy guess of "
         "the full gradient.", "train", "B", ("batches", "mini-batch", "batch size")),
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
    Term("divergence", "A run that gets away; and KL, the price of a wrong belief.", "divergence",
         r"\mathrm{KL}", ("Kullback–Leibler divergence",)),
    Term("dual number", "A value with its rate of change, (v, v̇): what forward mode computes "
         "with.", "graph?mode=forward", r"(v, \dot v)", ("dual numbers",)),
    Term("eigenvalue", "The curvature along a principal direction of the Hessian.", "race",
         r"\lambda", ("eigenvalues",)),
    Term("entropy", "The average surprise of a distribution: H(p) = −Σ p log p.", "entropy", "H"),
    Term("finite difference", "A secant's slope over a small step h, taken for the derivative.",
         "four_ways", also=("finite differences",)),
    Term("forward mode", "Derivatives carried along with the values: one pass an input.",
         "graph?mode=forward"),
    Term("gradient", "All partial derivatives: the direction in which a loss rises fastest.",
         "race", r"\nabla L", ("gradients",)),
    Term("gradient check", "An analytic gradient against central differences, by relative error.",
         "gradient_check"),
    Term("Hessian", "The matrix of second derivatives: how the gradient changes.", "race", "H"),
    Term("hyper-parameter", "A number that a run is given and does not learn: η, β, ε, a batch's "
         "size.", "map", also=("hyper-parameters",)),
    Term("label", "The class that an example really has; as a distribution, certain of it.",
         "divergence?p=0,1,0&q=0.2,0.7,0.1", "y", ("labels",)),
    Term("learning rate", "How far a step goes along what the rule makes of the gradient.",
         "which_rate", r"\eta", ("learning rates",)),
    Term("likelihood", "The probability that a parameter gives to the data that were seen.",
         "likelihood", r"p(x\mid\theta)"),
    Term("logit", "A raw score, before softmax or sigmoid.", "softmax", "z", ("logits",)),
    Term("momentum", "A sum of past gradients that forgets: across a valley they cancel, along it "
         "they grow to 1/(1 − β).", "race", r"v"),
    Term("optimizer", "The rule that makes steps of gradients.", "family", also=("optimizers",)),
    Term("overfitting", "Learning the training examples' noise: the held-back loss rises again.",
         "train"),
    Term("reverse mode", "Derivatives carried from the result back: one pass an output.",
         "graph?mode=reverse"),
    Term("saturation", "Where a sigmoid is nearly flat, so that hardly any gradient comes through.",
         "saturation"),
    Term("schedule", "The learning rate as a function of the step.", "schedules", r"\eta_t",
         ("schedules",)),
    Term("sigmoid", "1/(1 + e⁻ᶻ): a score as the probability of one of two classes.", "saturation",
         r"\sigma(z)"),
    Term("softmax", "Each score's power of e as a share of their sum.", "softmax"),
    Term("stability limit", "The learning rate past which a rule gets away on a bowl: 2/λmax for "
         "gradient descent.", "race?lr=0.021", r"2/\lambda_{\max}"),
    Term("surprise", "−log of an outcome's probability: rare outcomes surprise more.", "entropy",
         r"-\log p"),
    Term("tape", "The record of a computation: operation, inputs, value, in order.", "engine_room"),
    Term("temperature", "What logits are divided by before softmax: cold is certain, hot is fair.",
         "softmax?T=0.5", "T"),
    Term("warm-up", "A rate that rises over the first steps of a run.",
         "schedules?schedule=cosine&s.warmup=0.05"),
    Term("weight decay", "Drawing weights towards zero: beside the gradient (AdamW) or inside it "
         "(L2).", "failures?part=decay", r"\lambda"),
)  # fmt: skip


@cache
def _pattern() -> tuple[re.Pattern[str], dict[str, Term]]:
    """All words for terms, the longest first, and whose they are."""
    words = {word.lower(): term for term in TERMS for word in (term.name, *term.also)}
    every = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    return re.compile(rf"(?<![\w`$/\\=.-])({every})(?![\w`$=-])", re.IGNORECASE), words


def pieces(text: str, page: str = "") -> list[str | tuple[str, Term]]:
    """The text in pieces, each term's first place as (words, term); no term of the page itself."""
    pattern, words = _pattern()
    found: list[str | tuple[str, Term]] = []
    seen: set[str] = set()
    at = 0
    for match in pattern.finditer(text):
        term = words[match[0].lower()]
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
