"""How many steps a second the training loop makes, beside PyTorch's eager mode, by optimizer.

The network with which the page "Train a network" opens (2-16-16-1, tanh, cross-entropy, batches of
32 out of 100 examples) in single precision on one thread, from the same weights on the same batches
for both, each with its own optimizer: as PyTorch makes it, and fused where it has such a form. A
step is all of it: choosing the batch, loss, gradient, update. All take turns of some steps; the
figure of each is its best turn. Over the first steps the losses must agree.

What Python itself costs is measured where there is next to nothing to calculate: a 2-1-1-1 network
on one example, AdamW, its tensors in one to six groups. The time of a step there is the overhead of
a step; what each more group adds, the overhead of a group.

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
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import numpy as np

from benchmarks.figures import asking, show
from engine.optimizers import OPTIMIZERS
from engine.problems.data import split, table
from engine.problems.networks import MLP
from engine.runs.learning import Competitor, Training
from engine.runs.training import Trainer

TURN = 100  # steps
FIRST, TOLERANCE = 20, 1e-3  # steps whose losses are compared, and how far apart they may be
# PyTorch's Muon rounds to bfloat16 inside: its run is another from the first step on.
ANOTHER_RUN = {"muon"}
FUSED = {"SGD", "Adam", "AdamW", "Adagrad"}
WANTED = 1.5  # times PyTorch's steps a second

DATA = split(table("two_moons", 200, 0.15, 0))
NETWORK = MLP((2, 16, 16, 1))


def by_engine(
    slug: str, hypers: dict[str, float], options: dict[str, str | bool]
) -> Iterator[float]:
    """The engine's loop without end: the loss before each step."""
    competitor = Competitor(slug, hypers, options, fallback_hypers={"lr": 0.01})
    run = Training(NETWORK, DATA, competitor, steps=10**6)
    while True:
        run.advance(1)
        yield run.losses[-1]


def by_groups(count: int) -> Iterator[float]:
    """The engine's loop on next to nothing, its tensors in so many groups."""
    network = MLP((2, 1, 1, 1))
    run = Training(network, DATA, Competitor("adamw", batch=1), steps=10**6)
    tensors = run.trainer.tensors
    members = [tuple(range(i, len(tensors), count)) for i in range(count)]
    groups = [replace(run.trainer.groups[0], members=own) for own in members]
    run.trainer = Trainer(tensors, groups, dtype=np.float32)
    while True:
        run.advance(1)
        yield run.losses[-1]


def by_torch(make: Callable[[Any], Any], fused: bool = False) -> Iterator[float]:
    """PyTorch's eager mode with its own optimizer, on the same weights and batches."""
    import torch
    import torch.nn.functional as F

    from tests.golden.training_rules import Both

    torch.set_num_threads(1)
    run = Training(NETWORK, DATA, Competitor("sgd"))
    weights = [torch.tensor(w, requires_grad=True) for w in run.trainer.tensors]
    w1, b1, w2, b2, w3, b3 = weights
    x, targets = torch.tensor(run.x), torch.tensor(run.targets)
    optimizer = make(weights)
    if fused:
        optimizer.param_groups[0]["fused"] = True
    # Who asks for the loss gets the one that is there already.
    asks = isinstance(optimizer, torch.optim.LBFGS | Both)
    k = 0
    while True:
        chosen = torch.from_numpy(run.batches.take(k))
        k += 1
        hidden = torch.tanh(torch.addmm(b1, x[chosen], w1))
        hidden = torch.tanh(torch.addmm(b2, hidden, w2))
        loss = F.binary_cross_entropy_with_logits(torch.addmm(b3, hidden, w3), targets[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step(*([lambda found=loss: found] if asks else []))
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
    theirs: dict[str, Any] = {}
    if find_spec("torch"):
        from tests.golden.training_rules import by_torch as rules

        theirs = {rule.slug: rule for rule in rules()}
    report: dict[str, Any] = {
        "engine_steps_s": {}, "torch_steps_s": {}, "engine_over_torch": {},
        "torch_fused_steps_s": {}, "engine_over_torch_fused": {},
    }  # fmt: skip
    apart = 0.0
    for slug, entry in OPTIMIZERS.items():
        if not entry.on_tensors:
            continue
        rule = theirs.get(slug)
        runs = {"engine": by_engine(slug, *((rule.hypers, rule.options) if rule else ({}, {})))}
        if rule:
            runs["torch"] = by_torch(rule.make)
            if rule.reference.split("(")[0].removeprefix("torch ") in FUSED:
                runs["torch_fused"] = by_torch(rule.make, fused=True)
            first = {name: np.array([next(r) for _ in range(FIRST)]) for name, r in runs.items()}
            for found in first.values():
                distance = float(np.max(np.abs(found / first["torch"] - 1.0)))
                if slug not in ANOTHER_RUN:
                    apart = max(apart, distance)
                    if distance > TOLERANCE:
                        raise SystemExit(f"{slug}: the losses stray by {distance:.2g}")
        figures = best_of(runs, rounds)
        for name, found in figures.items():
            report[f"{name}_steps_s"][slug] = found
            if name != "engine":
                report[f"engine_over_{name}"][slug] = round(figures["engine"] / found, 2)
    ratios = report["engine_over_torch"]
    if ratios:
        report["least_over_torch"] = min(ratios.values())
        report["below_wanted"] = [slug for slug, ratio in ratios.items() if ratio < WANTED]
    report["largest_relative_difference_of_losses"] = apart
    return {**report, "python_overhead_us": overhead(rounds)}


def overhead(rounds: int) -> dict[str, float]:
    """Python's microseconds a step, what a group adds to them, and their share of a step of the
    page's network under AdamW."""
    runs = {str(count): by_groups(count) for count in (1, 2, 3, 6)}
    figures = best_of({**runs, "page": by_engine("adamw", {}, {})}, rounds)
    page = 1e6 / figures.pop("page")
    took = {int(count): 1e6 / steps for count, steps in figures.items()}
    each = float(np.polyfit(list(took), list(took.values()), 1)[0])
    return {
        "step": round(took[1], 1),
        "each_further_group": round(each, 1),
        "share_of_the_pages_step": round(took[1] / page, 2),
    }


def main() -> None:
    """Measure and print."""
    parser = asking(__doc__)
    parser.add_argument("--rounds", type=int, default=30, help=f"turns of {TURN} steps each")
    asked = parser.parse_args()
    report = compare(asked.rounds)
    if asked.json:
        show(report, as_json=True)
        return
    print(
        f"{'':20}{'engine':>10}{'torch':>10}{'ratio':>8}{'fused':>10}{'ratio':>8}   steps a second"
    )
    for slug, ours in report["engine_steps_s"].items():
        beside = ""
        for name in ("torch", "torch_fused"):
            if slug in report[f"{name}_steps_s"]:
                beside += f"{report[f'{name}_steps_s'][slug]:10.0f}"
                beside += f"{report[f'engine_over_{name}'][slug]:8.2f}"
        print(f"{slug:20}{ours:10.0f}{beside}")
    took = report["python_overhead_us"]
    print(f"Python's overhead: {took['step']} µs a step", end=", ")
    print(f"{took['each_further_group']} µs each further group", end="; ")
    print(f"{took['share_of_the_pages_step']:.0%} of a step of AdamW on the page's network")


if __name__ == "__main__":
    main()
