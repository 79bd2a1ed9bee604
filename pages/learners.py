"""The competitors of a training as they go to a reader's browser, printed once for all who ask."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from components.training import Learner, LearningTask
from engine.emit.picture import written
from engine.problems import counted
from engine.problems.data import Split
from engine.problems.networks import MLP
from engine.runs.browser_training import BrowserTraining, browser_training
from engine.runs.learning import Competitor
from figures import style
from figures import training as pictures
from pages import frame
from pages.entrants import Entrant

# What the page says of a run, by what became of it.
WORDS = {
    "diverged": "{name}: the loss was no number from step {step} on. At η = {lr} every step threw "
    "the weights further than the one before, until they passed the largest number that a computer "
    "holds. It stands still; try a tenth of η.",
    "stuck": "{name}: this setting takes a way through its rule that has not been printed yet.",
    "same": "Trained in your browser by the step that Python prints: over the first {steps} steps "
    "every loss equals Python's to a millionth.",
    "apart": "Over the first {steps} steps a loss is {worst} (relative) from Python's: this run is "
    "sensitive to the last bit.",
}


@dataclass(frozen=True)
class Request:
    """One competitor's training, told from others by what it hangs on."""

    net: MLP
    data: Split
    competitor: Competitor
    text: str  # what says the same as the competitor
    steps: int
    seed: int
    side: int

    @property
    def mark(self) -> str:
        numbers = [a.tobytes() for a in (self.data.x, self.data.y, self.data.test_x)]
        return repr(
            (self.net, self.competitor, self.steps, self.seed, self.side, *map(hash, numbers))
        )


@st.cache_resource(max_entries=64, show_spinner=False)
def printed(mark: str, _request: Request) -> BrowserTraining:
    """A competitor as it goes to the browser; mark stands for the request."""
    r = _request
    grid = pictures.grid(r.data, r.side) if r.data.features == 2 else None
    # Weights of single precision, as networks are trained, are half as long to send.
    start = r.net.initial(r.seed, np.float32, r.competitor.scheme)
    return browser_training(
        r.net, r.data, r.competitor, steps=r.steps, seed=r.seed, grid=grid, start=start
    )


def learner(place: int, name: str, entrant: Entrant, look: style.Look, request: Request) -> Learner:
    """A competitor for the picture; Unrecordable where it cannot be printed."""
    made = printed(request.mark, request)
    competitor = request.competitor
    # The first group is the reader's rule; of what it leaves to another the rate alone is moved.
    hypers = [
        (
            f"{place}/{n.partition('/')[2]}" if n.startswith("0/")
            else f"{place}/rest" if n == "1/lr" else "",
            value,
        )
        for n, value in made.hypers
    ]  # fmt: skip
    return Learner(
        name=name, look={"color": look.color, "dash": look.dash, "marker": look.marker},
        steps=made.steps, train=made.train, test=made.test, one=made.one, grid=made.grid,
        kept=made.kept, weights=made.weights, hypers=hypers, drawn=made.drawn, factors=made.factors,
        losses=made.losses, batch=competitor.batch, shuffle=competitor.shuffle,
        widths=request.net.sizes[1:-1], dropout=competitor.dropout,
        rate=f"{place}/lr" if entrant.runner.has_rate else "",
    )  # fmt: skip


def task(data: Split, seed: int) -> LearningTask:
    """The data for the picture; seed is that of weights and batches."""
    plane = data.features == 2
    more: dict[str, Any] = {}
    if plane:
        more = {
            "side": pictures.SIDE, "window": pictures.window(data),
            "centre": data.centre.tolist(), "scale": data.scale.tolist(),
        }  # fmt: skip
    return LearningTask(
        x=data.x, targets=data.targets(data.y), labels=data.y, test_x=data.test_x,
        test_targets=data.targets(data.test_y), test_labels=data.test_y, classes=data.classes,
        colors=pictures.colors(data), markers=pictures.markers(data), features=data.features,
        seed=seed, counted=counted.IN_BROWSER, **more,
    )  # fmt: skip


def costs(asked: list[Request], shown: list[tuple[str, style.Look]]) -> None:
    """What each competitor keeps and asks for, counted from its own run."""
    rows = []
    for request, (name, look) in zip(asked, shown, strict=True):
        made = printed(request.mark, request)
        size = request.net.size
        rows.append(
            (
                frame.swatch(look) + html.escape(name),
                written(size, "d"),
                written(made.memory, "d"),
                written(made.memory / size, "3"),
                f"{written(4 * (size + made.memory) / 1024, '3')} KiB",
                written(made.cost, "3"),
            )
        )
    frame.table(
        ("", "weights", "numbers kept beside them", "per weight", "both in single precision",
         "gradient evaluations per step"),
        rows,
    )  # fmt: skip
    st.caption(
        "Kept: all that the rule carries from one step to the next, and the averaged weights where "
        "they are averaged; gradients and activations come on top and are the same for all. Bytes "
        "are for numbers of four, as networks are trained; your browser and Python count in eight."
    )
