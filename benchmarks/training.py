"""How many steps a second the training loop makes, beside PyTorch's eager mode, by optimizer.

The network with which the page "Train a network" opens (2-16-16-1, tanh, cross-entropy, batches of
32 out of 100 examples) in single precision on one thread, from the same weights on the same batches
for both, each with its own optimizer. A step is all of it: choosing the batch, loss, gradient,
update. Both take turns of some steps; the figure of each is its best turn. Over the first steps
the losses must agree.

    python -m benchmarks.training [--json] [--rounds 30]

PyTorch takes part where it is installed (requirements-bench.txt).
"""

# ruff: noqa: E402  # the environment must be set before NumPy is loaded, which reads it once

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np

from benchmarks.figures import asking, show
from engine.optimizers import OPTIMIZERS
from engine.problems.data import split, table
from engine.problems.networks import MLP
from engine.runs.learning import Competitor, Training

TURN = 100  # steps
FIRST, TOLERANCE = 20, 1e-3  # steps whose losses are compared, and how far apart they may be
WANTED = 1.5  # times PyTorch's steps a second

DATA = split(table("two_moons", 200, 0.15, 0))
NETWORK = MLP((2, 16, 16, 1))


def by_engine(slug: str, hypers: dict[str, float]) -> Iterator[float]:
    """The engine's loop without end: the loss before each step."""
    competitor = Competitor(slug, hypers, fallback_hypers={"lr": 0.01})
    run = Training(NETWORK, DATA, competitor, steps=10**6)
    while True:
        run.advance(1)
        yield run.losses[-1]


def by_torch(make: Callable[[Any], Any]) -> Iterator[float]:
    """PyTorch's eager mode with its own optimizer, on the same weights and batches."""
    import torch
    import torch.nn.functional as F

    torch.set_num_threads(1)
    run = Training(NETWORK, DATA, Competitor("sgd"))
    weights = [torch.tensor(w, requires_grad=True) for w in run.trainer.tensors]
    w1, b1, w2, b2, w3, b3 = weights
    x, targets = torch.tensor(run.x), torch.tensor(run.targets)
    optimizer = make(weights)
    k = 0
    while True:
        chosen = torch.from_numpy(run.batches.take(k))
        k += 1
        hidden = torch.tanh(torch.addmm(b1, x[chosen], w1))
        hidden = torch.tanh(torch.addmm(b2, hidden, w2))
        loss = F.binary_cross_entropy_with_logits(torch.addmm(b3, hidden, w3), targets[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield loss.item()


def best_of(runs: dict[str, Iterator[float]], rounds: int) -> dict[str, float]:
    """Steps a second of each in its best turn, the turns of all mixed."""
    best = dict.fromkeys(runs, float("inf"))
    for _ in range(rounds):
        for name, steps in runs.items():
            begin = time.perf_counter()
            for _ in range(TURN):
                next(steps)
            best[name] = min(best[name], (time.perf_counter() - begin) / TURN)
    return {name: round(1.0 / seconds, 1) for name, seconds in best.items()}


def compare(rounds: int) -> dict[str, Any]:
    """The figures of every optimizer; PyTorch's where it is installed and has the rule."""
    theirs: dict[str, tuple[dict[str, float], Callable[[Any], Any]]] = {}
    if find_spec("torch"):
        from tests.golden.make_training import RULES, Both

        theirs = {slug: (hypers, make) for slug, hypers, _, make in RULES}
        theirs["muon"] = ({"lr": 0.02, "weight_decay": 0.1}, Both)
    report: dict[str, Any] = {"engine_steps_s": {}, "torch_steps_s": {}, "engine_over_torch": {}}
    apart = 0.0
    for slug, entry in OPTIMIZERS.items():
        if not entry.on_tensors:
            continue
        hypers, make = theirs.get(slug, ({}, None))
        runs = {"engine": by_engine(slug, hypers)}
        if make is not None:
            runs["torch"] = by_torch(make)
            first = {name: np.array([next(r) for _ in range(FIRST)]) for name, r in runs.items()}
            distance = float(np.max(np.abs(first["engine"] / first["torch"] - 1.0)))
            # PyTorch's Muon rounds to bfloat16 inside: its run is another from the first step on.
            if distance > TOLERANCE and slug != "muon":
                raise SystemExit(f"{slug}: the losses stray by {distance:.2g}")
            apart = max(apart, distance) if slug != "muon" else apart
        figures = best_of(runs, rounds)
        report["engine_steps_s"][slug] = figures["engine"]
        if make is not None:
            report["torch_steps_s"][slug] = figures["torch"]
            report["engine_over_torch"][slug] = round(figures["engine"] / figures["torch"], 2)
    ratios = report["engine_over_torch"]
    if ratios:
        report["least_over_torch"] = min(ratios.values())
        report["below_wanted"] = [slug for slug, ratio in ratios.items() if ratio < WANTED]
    report["largest_relative_difference_of_losses"] = apart
    return report


def main() -> None:
    """Measure and print."""
    parser = asking(__doc__)
    parser.add_argument("--rounds", type=int, default=30, help=f"turns of {TURN} steps each")
    asked = parser.parse_args()
    report = compare(asked.rounds)
    if asked.json:
        show(report, as_json=True)
        return
    print(f"{'':20}{'engine':>12}{'torch':>12}{'ratio':>8}   steps a second")
    for slug, ours in report["engine_steps_s"].items():
        torch = report["torch_steps_s"].get(slug)
        beside = f"{torch:12.0f}{report['engine_over_torch'][slug]:8.2f}" if torch else ""
        print(f"{slug:20}{ours:12.0f}{beside}")


if __name__ == "__main__":
    main()
