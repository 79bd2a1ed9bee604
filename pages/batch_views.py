"""The three views of the batch-size page: gradients of batches, runs over them, and two wells."""

from __future__ import annotations

import html
from typing import Any

import numpy as np
import streamlit as st

from components.stage import Arrows, Handle, Panel, Track, stage
from engine.emit.picture import Picture, entry, round_to, stack, words, written
from engine.runs.live import live_descend
from engine.studies import batch_size as study
from engine.tape import operations as ops
from figures import batch_size as pictures
from figures import race, style
from pages import frame
from pages.state import Experiment

SIZES = np.array(study.SIZES, dtype=float)
AGAINST = {"step": "steps", "examples": "examples seen", "seconds": "seconds"}


def gradients(x: Experiment, live: Picture, height: int) -> None:
    """Examples beside weights: each example's part, the batches' gradients round the full one."""
    (w, b), noise, chosen = (live["at"][0], live["at"][1]), live["noise"], live["chosen"]
    model = study.MODELS[x["model"]]
    found = study.cloud(w, b, noise, live["k"], x["seed"], model)
    hand_x, hand_y = live.hand
    at_x, at_y = study.examples(noise)
    step = pictures.STEP
    tips = w - step * found.own[0], b - step * found.own[1]
    (x0, x1), (y0, y1) = pictures.RANGE_X, pictures.RANGE_Y
    (w0, w1), (b0, b1) = model.landscape.domain
    moved = {"at": stack(round_to(hand_x, 2), round_to(hand_y, 2))}

    def arrows(
        gradient: tuple[Any, Any], color: str, label: str, width: float, count: int = 1
    ) -> Arrows:
        dx, dy = (ops.reshape(-step * part, shape=(1, count)) for part in gradient)
        return Arrows(
            x=w + 0.0 * dx, y=b + 0.0 * dx, dx=dx, dy=dy, color=color, label=label, width=width
        )

    own = tuple(stack(entry(part, chosen)) for part in found.own)
    panels = [
        Panel(
            id="data", title="data: click an example", tab="data",
            figure=pictures.data_space(noise, w, b, chosen, model),
            clicks={"chosen": study.nearest(at_x, at_y, hand_x, hand_y, (x1 - x0, y1 - y0))},
            alt="The examples with the line that the weights draw.",
        ),
        Panel(
            id="weights", title="weights: drag the point, click a dot", tab="weights",
            figure=pictures.weight_space(
                noise, w, b, chosen, found, model, singles=x["singles"]
            ),
            clicks={"chosen": study.nearest(*tips, hand_x, hand_y, (w1 - w0, b1 - b0))},
            arrows=[
                arrows(found.batches, pictures.BATCH, "", 1.2, study.SHOWN),
                arrows(own, pictures.CHOSEN, "", 2.0),
                arrows(tuple(stack(part) for part in found.full), pictures.FULL, "all", 3.0),
            ],
            handles=[
                Handle(
                    id="at", spoken="weights", x=w, y=b, sets=moved,
                    minimum=(w0, b0), maximum=(w1, b1),
                )
            ],
            alt="Contours of the loss with the gradients of batches round that of all examples.",
        ),
    ]  # fmt: skip
    stage(
        "batch_size.gradients", panels, live=live, frames=1, height=height, columns=2,
        alt="Gradients of mini-batches",
        lines=[
            words(
                "Batches of {:.0f}: their gradients stray {:3} from the full one, which is {:3} "
                "long; batches of {:3} (the noise scale tr Σ / ‖g‖²) stray as far as that.",
                entry(SIZES, live["k"]), found.spread,
                ops.sqrt(found.full[0] * found.full[0] + found.full[1] * found.full[1]),
                found.scale,
            )
        ],
    )  # fmt: skip


def raced(x: Experiment, live: Picture) -> list[study.Run]:
    """The run of each batch size."""
    return [
        study.run(
            x["rule"], size, live["lr"], live["power"], live["steps"], live["noise"], live["wide"],
            x["seed"], study.MODELS[x["model"]],
        )
        for size in study.RACED
    ]  # fmt: skip


def _track(run: study.Run, **where: Any) -> Track:
    look = pictures.LOOKS[run.size]
    return Track(
        color=look.color, dash=look.dash, marker=look.marker,
        label=f"B = {pictures.size_name(run.size)}", stop=run.descent.stopped, **where,
    )  # fmt: skip


def runs(x: Experiment, live: Picture, height: int) -> None:
    """The same start and rate over batches of four sizes."""
    model = study.MODELS[x["model"]]
    found = raced(x, live)
    title = AGAINST[x["against"]]
    counted = [getattr(run, x["against"], None) for run in found]
    columns = [run.descent.x * 0.0 + live["steps"] if c is None else c
               for run, c in zip(found, counted, strict=True)]  # fmt: skip
    panels = [
        Panel(
            id="plane", title="weights", tab="weights", figure=pictures.plane(live["noise"], model),
            tracks=[_track(run, x=run.descent.x, y=run.descent.y) for run in found],
            alt="Contours of the loss with the path of each batch size.",
        ),
        Panel(
            id="loss", kind="chart", title=f"loss above the minimum, against {title}", tab="loss",
            figure=pictures.loss_axes(found, columns, title if x["against"] != "step" else "step"),
            cursor=x["against"] == "step",
            tracks=[
                _track(run, x=count, y=run.excess, mode="curve")
                for run, count in zip(found, counted, strict=True)
            ],
            alt=f"Loss against {title}, one line a batch size.",
        ),
    ]  # fmt: skip
    last, whole = found[1], found[-1]
    stage(
        "batch_size.runs", panels, live=live, frames=live["steps"] + 1.0, restart=x.restart,
        height=height, columns=2, alt="Runs over batches of four sizes",
        lines=[
            words(
                "η is {:3} at B = 1, {:3} at 32, {:3} at 256 and {:3} for all; gradient descent on "
                f"all examples bears up to {written(2.0 / study.sharpness(model), '3')}"
                f"{' where it is flattest' if model is study.LAYERS else ''}.",
                found[0].lr, last.lr, found[2].lr, whole.lr,
            ),
            *balance(found),
        ],
    )  # fmt: skip


def balance(found: list[study.Run]) -> list[Any]:
    """How far the two layers' weights end from each other, where a model has them."""
    if found[0].model is not study.LAYERS:
        return []
    ends = [run.descent.x[-1] ** 2 - run.descent.y[-1] ** 2 for run in found]
    u, v = found[0].model.start
    return [
        words(
            f"u² − v² begins at {written(u * u - v * v, '3')} and ends at {{:3}} for B = 1, {{:3}} "
            "for 32, {:3} for 256 and {:3} for all: the nearer to 0, the flatter the minimum.",
            *ends,
        )
    ]


def prices(x: Experiment, live: Picture) -> None:
    """The trade-off, computed from the runs as they stand."""
    rows = []
    for run in raced(x, live):
        found = study.price(run, x["noise"])
        reached = [
            "never" if np.isnan(value) else written(value, form)
            for value, form in ((found.steps, "d"), (found.examples, "d"), (found.seconds, "3"))
        ]
        floor = "∞" if run.descent.result.diverged_at is not None else written(found.floor, "2")
        rows.append([
            frame.swatch(pictures.LOOKS[run.size]) + html.escape(pictures.size_name(run.size)),
            written(found.epoch, "d"), written(found.noise, "2"), written(found.lr, "3"),
            *reached, floor,
        ])  # fmt: skip
    frame.table(
        ("batch", "steps per epoch", "gradient noise / ‖g‖", "η", "steps to target",
         "examples", "seconds", "loss left"),
        rows,
    )  # fmt: skip
    st.caption(
        f"Of {study.EXAMPLES} examples. Noise: how far a batch's gradient strays from the full one "
        f"at the start, ∝ 1/√B. Target: {written(study.TARGET, '.0%')} of the loss above the "
        "minimum at the start. Loss left: its mean over the second half of the run. Seconds are a "
        f"convention: a pass of {x['wide']} example{'s' * (x['wide'] > 1)} side by side takes a "
        "millisecond, a step as many passes as its batch needs."
    )


@st.cache_data(max_entries=64, show_spinner="Running over many seeds …")
def left(single: float, lr: float) -> dict[int, study.Chance]:
    """Who leaves the sharp well, by batch size."""
    return study.leaving(single, lr)


def wells(x: Experiment, live: Picture, height: int) -> None:
    """Noise that leaves a sharp minimum for a flat one, and how often, by batch size."""
    key = "batch_size.left"
    if not x.held or key not in st.session_state:
        st.session_state[key] = left(x["single"], x["rate"])
    chances = st.session_state[key]
    size = entry(SIZES, live["k"])
    noise = live["single"] / ops.sqrt(size)
    run = live_descend(
        study.WELLS, "sgd", study.WELL_START, study.WELL_STEPS, {"lr": live["rate"]}, noise=noise,
        seed=x["seed"],
    )  # fmt: skip
    panels = [
        Panel(
            id="wells", title="one run from the sharp well", tab="run",
            figure=race.plane(study.WELLS, log=False),
            tracks=[Track(x=run.x, y=run.y, color=style.INK, width=1.0, label="SGD")],
            alt="Two wells, sharp and flat, with a noisy path that begins in the sharp one.",
        ),
        Panel(
            id="left", kind="chart", title="where runs over many seeds end", tab="seeds",
            figure=pictures.leaving(chances, size),
            alt="Shares of seeds that end in the flat well, the sharp one and neither.",
        ),
    ]  # fmt: skip
    stage(
        "batch_size.wells", panels, live=live, frames=study.WELL_STEPS + 1, restart=x.restart,
        height=height, columns=2, alt="Noise that leaves a sharp minimum", legend=False,
        lines=[
            words(
                "A batch of {:.0f} has gradient noise σ₁/√B = {:3}; this run ends at "
                "({:.2f}, {:.2f}).", size, noise, run.x[-1], run.y[-1],
            )
        ],
    )  # fmt: skip
