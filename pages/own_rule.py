"""A rule that the reader types, on pages that run one optimizer at the page's own rate: the choice
of a rule with the reader's among them, the field for its text, and what is to run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import engine
from engine.optimizers import OPTIMIZERS, Optimizer
from engine.optimizers.typed import EXAMPLES
from pages import frame
from pages.competitors import TYPED
from pages.side_by_side import FIRST_RULE, OWN_RULE
from pages.state import Choice, Experiment, Field, Text

TEXT = "own"  # the field of the rule's text


def readable(text: str) -> Optimizer:
    """The rule; ValueError where it cannot be read, or has no learning rate for the page to set."""
    rule = engine.optimizer(text)
    if not any(h.name == "lr" for h in rule.hypers):
        raise ValueError("the page sets a learning rate: the rule must use lr")
    return rule


def fields(name: str, slugs: Sequence[str], default: str) -> list[Field[Any]]:
    """The choice of a rule among slugs and the reader's own, and the text of that."""
    said = {slug: OPTIMIZERS[slug].name for slug in slugs} | {TYPED: OWN_RULE}
    return [
        Choice(name, default, [*slugs, TYPED], label="optimizer", says=said),
        Text(TEXT, EXAMPLES[FIRST_RULE], check=readable),
    ]


def of(x: Experiment, name: str) -> str:
    """What is to run: a slug, or the text of the reader's rule."""
    return str(x[TEXT] if x[name] == TYPED else x[name])


def called(x: Experiment, name: str) -> str:
    """Its name in a sentence."""
    return OWN_RULE if x[name] == TYPED else OPTIMIZERS[x[name]].name


def type_it(x: Experiment, name: str) -> None:
    """The field for the rule's text, where the reader's own is chosen."""
    if x[name] == TYPED and not x.hidden(TEXT):
        frame.typed_text(
            f"{x.page}.{TEXT}",
            x[TEXT],
            readable,
            lambda text: x.change({TEXT: text}),
            label="Your rule: w, g, t and loss are given; what you read before you assign it "
            "starts at 0; lr is the page's",
            lines=max(3, x[TEXT].count("\n") + 2),
            locked=x.locked(TEXT),
        )
