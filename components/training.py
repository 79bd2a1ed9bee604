"""Networks that learn in the reader's browser: what each says of the plane, its loss, its accuracy.

The step of each competitor comes as a printed module; a worker of the reader's browser takes it,
and ends with the page. The clock is the reader's: train, pause, one step, restart. What moves a
competitor's hyper-parameter in the page's store begins its training anew, in the same frame.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import streamlit as st
from numpy.typing import ArrayLike, NDArray

from components import assets, wire

Against: TypeAlias = Literal["step", "examples", "evaluations"]

_FEW: Final = 256  # values of a feature that have places in one byte
_COMPONENT: Final = st.components.v2.component(
    "descent_lab.training", js=assets.loader("training/training.js"), isolate_styles=False
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningTask:
    """What all competitors learn: inputs (n, features) in the network's units, targets
    (n, outputs), labels (n,), and the same held back.

    In the plane, `window` (x0, x1, y0, y1), `centre` and `scale` are the data's own units, and the
    networks are shown at the middles of side² cells over the window; elsewhere side is 0, and the
    classes that are taken for each other are counted. colors and markers tell the classes apart.
    counted is a module whose `make()` gives {order, signs, masks}: what draws batches, signs and
    masks.
    """

    x: NDArray[np.float64]
    targets: NDArray[np.float64]
    labels: ArrayLike
    test_x: NDArray[np.float64]
    test_targets: ArrayLike
    test_labels: ArrayLike
    classes: Sequence[str]
    colors: Sequence[str]
    markers: Sequence[str]
    features: int
    seed: int
    counted: str
    side: int = 0
    window: tuple[float, float, float, float] = (0.0, 1.0, 0.0, 1.0)
    centre: Sequence[float] = (0.0, 0.0)
    scale: Sequence[float] = (1.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Learner:
    """One competitor: its name and look (colour, dash, marker), its printed modules, and what they
    are given.

    `kept` are the arrays and numbers that a step moves, `weights` the places of those that are
    measured, `hypers` pairs of an entry of the page's store ("" for none) and a value, `losses` the
    ones that Python finds, `rate` the entry of the learning rate.
    """

    name: str
    look: Mapping[str, str]
    steps: Sequence[str]
    train: str
    test: str
    one: str
    grid: str
    kept: Sequence[Any]
    weights: tuple[int, int]
    hypers: Sequence[tuple[str, float]]
    drawn: Sequence[int]
    factors: ArrayLike
    losses: ArrayLike
    batch: int
    shuffle: bool
    widths: Sequence[int]
    dropout: float
    rate: str = ""


def training(
    key: str,
    task: LearningTask,
    learners: Sequence[Learner],
    *,
    height: int,
    against: Against,
    loss_title: str,
    words: Mapping[str, str],
    axes: Mapping[str, str],
    start: int = 0,
    every: int = 1,
    autoplay: bool = False,
    restart: str = "",
    base: str = "",
    own: int = 0,
    most: int = 0,
    alt: str = "",
) -> None:
    """Show competitors that learn one task.

    The key is `page.name`: the part before the first point names the page's store. A click on a
    plane adds a point to the store's `own`, a list of x, y and the class in the entry `adds`, at
    most `most` numbers long, of which this task knows the first `own`. The store's `against` says
    what the curves are drawn against, from then on. As long as `base` stays,
    another task is more to learn: the weights stay. `every` is the steps between two points of
    the curves; training begins by itself with `autoplay`, else it goes to `start` and waits.
    `words` has sentences for what "diverged", is "stuck", the "same" as Python's or "apart".
    """
    answers = wire.state(key)
    record = _record(key)
    need, missing = wire.payload(answers, "need")
    if need != record["need"]:
        record["need"] = need
        record["wire"].forget(missing.get("refs"))
    encoder: wire.Wire = record["wire"]
    shared = {
        **_inputs(task, encoder),
        "targets": _numbers(task.targets, encoder),
        "labels": encoder.array(task.labels, "i4"),
        "testTargets": _numbers(task.test_targets, encoder),
        "testLabels": encoder.array(task.test_labels, "i4"),
        "outputs": int(task.targets.shape[1]),
        "features": task.features,
        "seed": task.seed,
        "counted": encoder.text(task.counted),
        "side": task.side,
        "window": list(task.window),
        "centre": list(task.centre),
        "scale": list(task.scale),
        "classes": list(task.classes),
        "colors": list(task.colors),
        "markers": list(task.markers),
    }
    runs = [_run(learner, encoder) for learner in learners]
    data: dict[str, Any] = {
        "page": key.partition(".")[0],
        "shared": shared,
        "runs": runs,
        "mark": _mark([shared, runs]),
        "base": base,
        "follows": _follows(learners),
        "own": own,
        "most": most,
        "learned": len(np.asarray(task.labels)),
        "height": int(height),
        "against": against,
        "axes": dict(axes),
        "lossTitle": loss_title,
        "words": dict(words),
        "start": int(start),
        "every": max(1, int(every)),
        "autoplay": autoplay,
        "restart": restart,
        "alt": alt,
    }
    mark = _mark(data)
    if mark != record["mark"]:
        record["mark"] = mark
        record["seq"] += 1
    _COMPONENT(key=key, data={**data, "seq": record["seq"], "need": need}, on_need_change=_ignore)


def _follows(learners: Sequence[Learner]) -> list[str]:
    """The entries of the page's store that the browser follows by itself."""
    return sorted({"adds", "against", *(e for run in learners for e, _ in run.hypers if e)})


def _numbers(values: ArrayLike, encoder: wire.Wire) -> dict[str, Any]:
    """An array in one line (of one in two dimensions a copy of the page keeps what is drawn alone),
    in single precision where nothing is lost by it."""
    line = np.ravel(values)
    with np.errstate(over="ignore"):
        single = np.array_equal(line, line.astype(np.float32))
    return encoder.array(line, "f4" if single else "f8")


def _inputs(task: LearningTask, encoder: wire.Wire) -> dict[str, Any]:
    """What is learned and what is held back, row after row. Where every feature has few values, as
    pixels have, these stand once, feature after feature, and each input is the place of its own."""
    joined = np.concatenate([task.x, task.test_x])
    columns = [np.unique(column, return_inverse=True) for column in joined.T]
    counts = [len(levels) for levels, _ in columns]
    if max(counts) > _FEW or sum(counts) > joined.size / 4:
        x, test = (_numbers(part, encoder) for part in (task.x, task.test_x))
        return {"x": x, "testX": test, "levels": None}
    places = np.stack([places for _, places in columns], axis=1)
    x, test = (encoder.array(np.ravel(part), "u1") for part in np.split(places, [len(task.x)]))
    levels = _numbers(np.concatenate([levels for levels, _ in columns]), encoder)
    return {"x": x, "testX": test, "levels": levels, "counts": counts}


def _run(learner: Learner, encoder: wire.Wire) -> dict[str, Any]:
    def text(value: str) -> Any:
        return encoder.text(value) if value else None

    return {
        "name": learner.name,
        "look": dict(learner.look),
        "texts": {
            "steps": [text(step) for step in learner.steps],
            "train": text(learner.train),
            "test": text(learner.test),
            "one": text(learner.one),
            "grid": text(learner.grid),
        },
        "kept": [
            _numbers(value, encoder) if np.ndim(value) else float(value) for value in learner.kept
        ],
        "weights": list(learner.weights),
        "hypers": [[entry, float(value)] for entry, value in learner.hypers],
        "drawn": list(learner.drawn),
        "factors": encoder.array(learner.factors, "f8"),
        "losses": encoder.floats(learner.losses),
        "batch": learner.batch,
        "shuffle": learner.shuffle,
        "widths": list(learner.widths),
        "dropout": learner.dropout,
        "rate": learner.rate,
    }


def _mark(data: Any) -> str:
    """The same for the same numbers and texts, whether sent or named."""

    def lean(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {k: lean(v) for k, v in value.items() if k != "b64" or "ref" not in value}
        return [lean(v) for v in value] if isinstance(value, (list, tuple)) else value

    text = json.dumps(lean(data), sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _record(key: str) -> dict[str, Any]:
    """What this session remembers of one training between runs."""
    name = f"_training:{key}"
    record: dict[str, Any] = st.session_state.setdefault(
        name, {"wire": wire.Wire(), "need": 0, "seq": 0, "mark": ""}
    )
    return record


def _ignore() -> None:
    """Streamlit keeps only the states that have a callback."""
