"""The rules that race on two losses, the rates at which they join, and races worth seeing."""

from __future__ import annotations

from engine.optimizers import OPTIMIZERS
from pages import side_by_side
from pages.competitors import Runner
from pages.presets import Preset

MOST = 3
RATES = {
    "sgd": 1.0, "momentum": 0.3, "nesterov": 0.3, "adagrad": 0.5, "rmsprop": 0.05, "adam": 0.1,
    "adamw": 0.1, "lion": 0.05,
}  # fmt: skip
OFFER = side_by_side.Offer(
    {slug: OPTIMIZERS[slug].name for slug in RATES},
    lambda slug: Runner(slug).with_setting("lr", RATES[slug]),
)
PRESETS = (
    Preset(
        "Confident and wrong",
        "bad",
        "The start is surely wrong on the rare examples. There squared error is flat: SGD and Adam "
        "find none of them. Cross-entropy pulls hardest there, and finds half.",
        {},
    ),
    Preset(
        "Undecided at the start",
        "good",
        "From p = ½ everywhere the squared error's gradient is alive, and all rules come about as "
        "far under either loss: it is the confident start that decides.",
        {"start": "0,0"},
    ),
    Preset(
        "Focal loss finds the rare sooner",
        "good",
        "The many easy examples fade, so the rare ones weigh more: momentum and Adam have most of "
        "them right sooner. The border, −b/w, ends in nearly the same place.",
        {"loss": "focal", "start": "0,0", "runs": "momentum:lr=0.3;adam:lr=0.1"},
    ),
    Preset(
        "Focal loss is less sure",
        "bad",
        "With as many of either class focal loss tells as many right as cross-entropy, and is less "
        "sure of them: its p is no probability to be trusted as it stands.",
        {"loss": "focal", "share": "0.5", "runs": "momentum:lr=0.3;adam:lr=0.1"},
    ),
    Preset(
        "Label smoothing",
        "good",
        "A label that gives up a fifth pulls back from z = log 9 on: the slope stays smaller, the "
        "answers less sure, and as many examples are right.",
        {
            "loss": "cross_entropy", "other": "mse", "smoothing": "0.2", "share": "0.5",
            "start": "0,0",
        },
    ),
)  # fmt: skip
