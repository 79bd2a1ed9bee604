"""Races on matrices as operations of a picture: a rule's race run here, and in the browser.

What makes the problem hard, the memory of gradients and the multiple of the best rate may be
traced; problem, rule and seed are chosen. The browser gets the rule's step as Python records it
and `matrices.js`, which does with it what `engine.studies.matrices.raced` does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from engine.emit.tensor_javascript import leaves
from engine.runs.browser_steps import STEPPER, as_function, printed_steps
from engine.runs.live_study import LiveStudy, live_study
from engine.runs.training import Trainer
from engine.studies.matrices import PROBLEMS, RATES, Array, MatrixProblem, MatrixRun, trainer_of
from engine.tape import operations as ops

_DRIVER: Final = Path(__file__).with_name("matrices.js")


@lru_cache(maxsize=64)
def module(problem: str, slug: str) -> str:
    """The text of an ES module whose `study(given)` races a rule on a problem of PROBLEMS.

    Raises engine.emit.tensor.Unrecordable for a rule that cannot be printed.
    """
    made = PROBLEMS[problem]()
    form, trainer = made.form, trainer_of(made, slug)
    points, given = trainer.points, made.given

    def error(points: Any, *given: Any) -> Any:
        return form.error(trainer.laid_out(points), *given)

    def left(points: Any, *given: Any) -> Any:
        return form.left(trainer.laid_out(points), *given)

    def matrix(points: Any) -> Any:
        return ops.reshape(trainer.laid_out(points)[0], (-1,))

    head = {
        "STEPS": form.steps, "RATES": RATES.tolist(), "LEFT": len(made.left(made.start)),
        "DATA": list(range(len(made.data))),
        "made": as_function(form.made, made.setting, *made.data),
        "error": as_function(error, points, *given), "left": as_function(left, points, *given),
        "matrix": as_function(matrix, points), "COLUMNS": made.start[0].shape[1],
        "MOMENTUM": _momentum(trainer),
        "RUN": f"{{ {printed_steps(trainer, form.loss, made.batch)} }}",
    }  # fmt: skip
    constants = [f"const {name} = {value}" for name, value in head.items()]
    return "\n".join([*constants, STEPPER, _DRIVER.read_text(encoding="utf-8")])


def _momentum(trainer: Trainer) -> int:
    """Where the momentum of the first matrix stands among what a rule keeps that orthogonalises a
    mix of it; -1 for others."""
    if trainer.groups[0].optimizer.slug != "muon":
        return -1
    states = trainer.states[0]
    before = list(states.values())[: list(states).index("m")]
    return len(leaves(trainer.points)) + len(leaves(before))


@dataclass(frozen=True)
class Racer:
    """A rule in a picture: its race as Python ran it, its run at the rate that is shown, and its
    hyper-parameters but for the rate, which may be traced; mixes where it orthogonalises such."""

    run: MatrixRun
    shown: MatrixRun
    hypers: Mapping[str, Any]
    mixes: Array | None = None


def live_races(
    name: str,
    problem: MatrixProblem,
    racers: Sequence[Racer],
    *,
    setting: Any,
    times: Any,
    seed: int,
    spectra: bool = False,
) -> list[LiveStudy]:
    """Races on the problem of that name, shown at so many times each rule's best rate.

    setting and times may be traced. The parts are "errors" (steps + 1,) and "left" of the run that
    is shown, the "least" error at the end at any rate and the place of that rate, "best"; where
    spectra are asked for, "spectra" as a MatrixRun has them and Muon's "mixes", as `Spectrum` says.
    """
    arrays: dict[tuple[str, ...], Any] = {(key,): array for key, array in given(problem).items()}
    found = []
    for racer in racers:
        inputs: dict[tuple[str, ...], Any] = {("setting",): setting, ("times",): times}
        inputs["spectra",] = float(spectra)
        inputs |= {("runs", "0", key): value for key, value in racer.hypers.items()}
        inputs |= {("seed",): float(seed), ("near",): float(racer.run.best), **arrays}
        known = parts(racer.run, racer.shown)
        if spectra:
            known["spectra"] = racer.run.spectra
            known |= {} if racer.mixes is None else {"mixes": racer.mixes}
        found.append(live_study(inputs, module(name, racer.run.slug), known))
    return found


def given(problem: MatrixProblem) -> dict[str, Any]:
    """The arrays that a module's study is handed."""
    arrays = {"start": np.concatenate([part.ravel() for part in problem.start])}
    arrays |= {f"data{i}": part.ravel() for i, part in enumerate(problem.data)}
    if problem.normals is not None:
        arrays["normals"] = problem.normals.ravel()
    return arrays


def parts(run: MatrixRun, shown: MatrixRun) -> dict[str, Any]:
    """What was found, by the names of its parts."""
    return {
        "errors": shown.errors[0], "left": shown.left[0], "least": run.error,
        "best": float(run.best),
    }  # fmt: skip
