"""Makes the golden trajectories of the optimizers: ``python -m tests.golden.make_optimizers``.

With slugs behind it, only those optimizers run again and the other trajectories stay as they are.
Needs the libraries of ``requirements-bench.txt``, which the app itself never imports. Every rule,
under each of its named conventions, runs on each problem of ``problems.py``; the paths are stored
for the tests. A run whose path a tiny shift of the start would change too much is refused, so that
agreement to rounding can be asked of every stored one.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np

from tests.golden.core_rules import core_rules
from tests.golden.extended_rules import extended_rules
from tests.golden.oracles import Rule
from tests.golden.problems import PROBLEMS
from tests.golden.todays_rules import todays_rules

MAX_AMPLIFICATION = 100.0
SHIFT = 1e-9


def warmup_cosine(steps: int) -> np.ndarray:
    """Factors on the learning rate: linear warm-up for a tenth, then a cosine to 0.01; (steps,)."""
    t = np.arange(steps)
    warmup = steps // 10
    progress = np.clip((t - warmup) / (steps - warmup), 0, 1)
    return np.minimum((t + 1) / warmup, 0.01 + 0.99 * (1 + np.cos(np.pi * progress)) / 2)


def record(
    rules: Iterator[Rule], steps: int, stride: int, target: Path, only: Collection[str] = ()
) -> None:
    """Runs every rule on every problem and stores the paths, each ``stride``-th point of them.

    ``only`` names optimizers: the stored paths of all others are taken over. Raises ``ValueError``
    where a run diverges, or where a tiny shift of its start along either axis, or of every learning
    rate at random (as rounding disturbs every step), grows anywhere on the path beyond what
    agreement to 1e-12 allows.
    """
    kept = np.arange(0, steps + 1, stride)
    schedule = warmup_cosine(steps)
    jitter = 1 + SHIFT * np.random.default_rng(0).standard_normal(steps)
    arrays: dict[str, np.ndarray] = {"kept": kept, "schedule": schedule}
    cases, refused = [], []
    if only:
        with np.load(target) as stored:
            for index, case in enumerate(json.loads(str(stored["cases"]))):
                if case["optimizer"] not in only:
                    arrays[f"path{len(cases)}"] = stored[f"path{index}"]
                    cases.append(case)
    for rule in rules:
        if only and rule.optimizer not in only:
            continue
        for problem, lr in zip(PROBLEMS, rule.lrs, strict=True):
            lrs = lr * (schedule if rule.scheduled else np.ones(steps))
            starts = np.array(problem.start) + SHIFT * np.array([[0, 0], [1, 0], [0, 1]])
            path, *shifted = rule.run(problem, starts, lrs)
            shifted.extend(rule.run(problem, starts[:1], lrs * jitter))
            growth = np.abs(np.array(shifted) - path).max() / SHIFT
            case = {
                "optimizer": rule.optimizer,
                "options": rule.options,
                "hypers": {"lr": lr, **rule.hypers},
                "landscape": problem.slug,
                "params": problem.params,
                "start": problem.start,
                "steps": steps,
                "scheduled": rule.scheduled,
                "reference": rule.reference,
            }
            if not growth < MAX_AMPLIFICATION:  # NaN is refused as well
                refused.append(f"{growth:.3g}: {case}")
            arrays[f"path{len(cases)}"] = path[kept]
            cases.append(case)
    if refused:
        raise ValueError("too sensitive to be golden:\n" + "\n".join(refused))
    arrays["cases"] = np.array(json.dumps(cases))
    np.savez_compressed(target, **arrays)
    print(f"{target.name}: {len(cases)} cases, {target.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    here = Path(__file__).parent
    only = sys.argv[1:]
    record(core_rules(), 200, 1, here / "optimizers.npz", only)
    record(extended_rules(), 500, 5, here / "optimizers_extended.npz", only)
    record(todays_rules(), 500, 25, here / "optimizers_today.npz", only)
