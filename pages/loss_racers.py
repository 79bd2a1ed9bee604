"""The rules that race on two losses, and the rates at which they join."""

from __future__ import annotations

from engine.optimizers import OPTIMIZERS
from pages import side_by_side
from pages.competitors import Runner

MOST = 3
RATES = {
    "sgd": 1.0, "momentum": 0.3, "nesterov": 0.3, "adagrad": 0.5, "rmsprop": 0.05, "adam": 0.1,
    "adamw": 0.1, "lion": 0.05,
}  # fmt: skip
OFFER = side_by_side.Offer(
    {slug: OPTIMIZERS[slug].name for slug in RATES},
    lambda slug: Runner(slug).with_setting("lr", RATES[slug]),
)
