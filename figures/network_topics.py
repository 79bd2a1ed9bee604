"""The small living pictures of training and of comparisons, each computed from the engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from engine.optimizers import OPTIMIZERS
from engine.problems import data, networks
from engine.problems.landscapes import LANDSCAPES
from engine.runs.descent import descend
from engine.runs.learning import Competitor, Training, train
from engine.studies import adam_paper, batch_size, loss_race, matrices
from engine.studies.weight_space import principal_directions
from figures import charts, style
from figures.small import FRAMES, Small, along, bare, moving_bars


def _training() -> Small:
    split = data.split(data.table("two_moons", 160), test=0.25)
    network = networks.MLP((2, 12, 1))
    rates = {"sgd": 0.1, "momentum": 0.1, "adam": 0.02}
    competitors = [Competitor(OPTIMIZERS[slug], {"lr": lr}) for slug, lr in rates.items()]
    stages = train(network, split, competitors, steps=FRAMES - 1, every=1)
    losses = np.array([[run.measured.loss for run in stage] for stage in stages])
    frame = np.arange(len(losses), dtype=float)
    tracks = tuple(
        {"x": frame, "y": curve, "color": style.look(slug).color, "dash": style.look(slug).dash,
         "mode": "curve"}
        for slug, curve in zip(rates, losses.T, strict=True)
    )  # fmt: skip
    return Small(bare((-1, FRAMES), (0.0, float(losses.max()) * 1.08)), tracks)


def _loss_race() -> Small:
    """What the rare class is given, from a start that is surely wrong about it."""
    tracks = []
    for index, (loss, dash) in enumerate((("cross_entropy", "solid"), ("mse", "dash"))):
        surface = loss_race.SURFACES[loss]
        path = descend(surface, OPTIMIZERS["momentum"], loss_race.START, 300, {"lr": 0.3}).path
        p = np.asarray(loss_race.confidence(path[:, 0], path[:, 1], loss_race.RARE, 1.0))
        tracks.append(
            {"y": p[along(len(p))], "x": np.arange(FRAMES, dtype=float), "dash": dash,
             "color": charts.class_color(index), "mode": "curve"}
        )  # fmt: skip
    return Small(bare((-1, FRAMES), (-0.03, 0.72)), tuple(tracks))


def _batches() -> Small:
    """Gradients of batches round that of all examples: the batches grow, and end at 8."""
    w, b, count = -1.0, 0.0, 14
    sizes = np.interp(np.arange(FRAMES), (0, 38, FRAMES - 1), (0, 9, 3)).round()
    found = [batch_size.cloud(w, b, 0.5, int(k), 0) for k in sizes]
    thin = -0.6 * np.array([np.asarray(c.batches, float)[:, :count] for c in found])
    full = -0.6 * np.array([np.asarray(c.full, float) for c in found])[:, :, None]
    arrows = tuple(
        {"x": np.full_like(step[:, 0], w), "y": np.full_like(step[:, 0], b), "dx": step[:, 0],
         "dy": step[:, 1], "color": color, "width": width}
        for step, color, width in ((thin, style.MUTED, 1.0), (full, style.INK, 2.6))
    )  # fmt: skip
    return Small(bare((-1.35, 0.7), (-0.35, 1.25)), arrows=arrows, kind="plane")


def _weight_space() -> Small:
    """Three rules' paths through the weights of a network, on the plane of most variance."""
    split = data.split(data.table("two_moons", 160), test=0.25)
    network = networks.MLP((2, 12, 1))
    rates = {"sgd": 2.0, "momentum": 0.3, "adam": 0.05}
    paths = []
    for slug, lr in rates.items():
        run = Training(network, split, Competitor(OPTIMIZERS[slug], {"lr": lr}), steps=FRAMES)
        path = []
        for _ in range(FRAMES):
            path.append(np.concatenate([w.ravel() for w in run.trainer.tensors]))
            run.advance(1)
        paths.append(np.array(path, dtype=float))
    plane = np.stack(paths) @ principal_directions(np.concatenate(paths)).T
    low, high = plane.min(axis=(0, 1)), plane.max(axis=(0, 1))
    pad = 0.08 * (high - low)
    tracks = tuple(
        {"x": at[:, 0], "y": at[:, 1], "color": style.look(slug).color,
         "dash": style.look(slug).dash, "marker": style.look(slug).marker}
        for slug, at in zip(rates, plane, strict=True)
    )  # fmt: skip
    (x0, y0), (x1, y1) = low - pad, high + pad
    return Small(bare((x0, x1), (y0, y1)), tracks)


def _muon() -> Small:
    """Singular values made alike by five steps of Muon's polynomial."""
    values = np.array([0.9, 0.4, 0.12, 0.03, 0.01, 0.002])
    rows = np.array([np.asarray(stage, float) for stage in matrices.stages(values)])
    at = np.linspace(0, len(rows) - 1, FRAMES)
    grown = np.stack([np.interp(at, range(len(rows)), column) for column in rows.T], axis=1)
    return moving_bars(grown / rows.max(), (style.look("muon").color,))


def _adam_paper() -> Small:
    """The paper's rules on digits, each at its own best rate: medians over seeds."""
    found = adam_paper.finished()["perceptron"].of(adam_paper.THEN)
    curves = np.log10(np.median(found.shown("learned")[..., 0], axis=1))
    frame = np.arange(FRAMES, dtype=float)
    at = np.linspace(0, FRAMES - 1, curves.shape[1])
    tracks = tuple(
        {"x": frame, "y": np.interp(frame, at, curve), "color": style.look(slug).color,
         "dash": style.look(slug).dash, "mode": "curve"}
        for slug, curve in zip(found.rules, curves, strict=True)
    )  # fmt: skip
    low, high = float(curves.min()), float(curves.max())
    return Small(bare((-1, FRAMES), (low - 0.3, high + 0.3)), tracks)


def _fair_race() -> Small:
    """Where many noisy runs of each rule end: the least of them, the middle half, the most."""
    bowl = LANDSCAPES["bowl"](condition=50.0, rotation=0.0)
    rates = {"sgd": {"lr": 0.01}, "momentum": {"lr": 0.004, "beta": 0.8}, "adam": {"lr": 0.2}}
    ends = np.array(
        [
            [
                descend(bowl, OPTIMIZERS[slug], bowl.start, 80, hypers, noise=2.0, seed=seed).loss
                for seed in range(12)
            ]
            for slug, hypers in rates.items()
        ]
    )
    least, middle, most = np.quantile(np.log10(ends), (0.1, 0.5, 0.9), axis=1)
    low, high = float(least.min()), float(most.max())
    tracks = tuple(
        {"x": np.arange(FRAMES, dtype=float), "y": row[along(row.size)], "mode": "curve",
         "color": style.look(slug).color, "width": width}
        for slug, rows in zip(rates, zip(least, middle, most, strict=True), strict=True)
        for row, width in zip(rows, (0.5, 1.4, 0.5), strict=True)
    )  # fmt: skip
    return Small(bare((-1, FRAMES), (low - 0.2, high + 0.2)), tracks)


PICTURES: Final[Mapping[str, Callable[[], Small]]] = MappingProxyType(
    {
        "train": _training,
        "loss_race": _loss_race,
        "batch_size": _batches,
        "weight_space": _weight_space,
        "matrices": _muon,
        "adam_paper": _adam_paper,
        "fair_race": _fair_race,
    }
)
