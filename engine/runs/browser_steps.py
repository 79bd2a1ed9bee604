"""A trainer's steps for a study that is made in the browser: their texts, and what they begin with.

`stepper.js` takes what `printed_steps` says and goes on from there, as `Trainer` does. The studies
that train (through weight space, on matrices) have drivers of their own, which ask it for steps.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.emit.tensor import Unrecordable
from engine.emit.tensor_javascript import leaves, printed
from engine.problems import counted
from engine.runs.browser_training import Ways, drawn_by
from engine.runs.training import Loss, Trainer

WAYS: Final = 12  # steps that are taken to see the ways that a rule's step may go


def as_function(function: Callable[..., Any], *arguments: Any) -> str:
    """The function of these arguments, printed, as an expression that gives its answers' list."""
    return f"{_maker(printed(function, *arguments))}()"


def printed_steps(trainer: Trainer, loss: Loss, batch: Callable[[int], tuple[Any, ...]]) -> str:
    """What `stepper.js` takes, as entries of an object; a trainer at its start goes on by WAYS
    steps, the k-th on batch(k).

    The hyper-parameters of the first group are named, those of others are as they stand. Raises
    Unrecordable for what cannot be printed.
    """
    tensors = trainer.tensors
    kept = leaves(trainer.given(1.0)[:3])
    begun = ", ".join(_described(leaf, tensors) for leaf in kept)
    ways = Ways(trainer, loss)
    for k in range(WAYS):
        given = trainer.given(1.0, *batch(k))
        trainer.step(loss, 1.0, *batch(k))
        ways.saw(given)
    ways.later(*batch(WAYS))
    if [np.shape(x) for x in leaves(trainer.given(1.0)[:3])] != [np.shape(x) for x in kept]:
        raise Unrecordable("its state changes its form")
    first, *others = trainer.groups
    names = [repr(name) for name in first.hypers]
    names += [repr(float(value)) for group in others for value in group.hypers.values()]
    return (
        f"ways: [{', '.join(f'{_maker(text)}()' for text in ways.texts)}],\n"
        f"points: {len(leaves(trainer.points))}, kept: [{begun}], names: [{', '.join(names)}], "
        f"drawn: {[size for size in drawn_by(trainer) if size]}"
    )


def _maker(text: str) -> str:
    """A printed module as an expression: its `make`."""
    return f"(() => {{\n{text.replace('export function make', 'function make')}return make\n}})()"


STEPPER: Final = f"const counted = {_maker(counted.IN_BROWSER)}()\n" + Path(__file__).with_name(
    "stepper.js"
).read_text(encoding="utf-8")
"""The text that a study's module begins with, for its driver."""


def _described(leaf: Any, tensors: list[npt.NDArray[Any]]) -> str:
    """What a step keeps, as it begins: a number, an array of one value, weights from some place in
    their line on, or an array of several values."""
    if not np.ndim(leaf):
        return f"{{ value: {float(leaf)!r} }}"
    flat = leaf.ravel()
    if not len(flat) or np.all(flat == flat[0]):
        return f"{{ value: {float(flat[0]) if len(flat) else 0.0!r}, size: {leaf.size} }}"
    line = np.concatenate([part.ravel() for part in tensors])
    starts = np.cumsum([0, *(part.size for part in tensors[:-1])]).tolist()
    for start in starts:
        if np.array_equal(line[start : start + leaf.size], flat):
            return f"{{ from: {start}, size: {leaf.size} }}"
    return f"{{ values: {flat.tolist()} }}"
