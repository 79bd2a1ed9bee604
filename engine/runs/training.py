"""Rules of the registry on the tensors of a network: parameter groups, one rule for each.

A rule that goes element by element runs on tensors as it stands. Sophia, Shampoo and Muon have
forms for tensors of their own, and a rule made for matrices leaves the rest to its fallback.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.optimizers import OPTIMIZERS, Optimizer
from engine.runs.descent import find_optimizer
from engine.runs.step import first_state, take_step
from engine.tape import Vector, autograd

Array = npt.NDArray[np.float64]
Loss = Callable[[Vector], Any]
"""The loss of the network on a batch, as a function of its tensors, written with operations."""


@dataclass(frozen=True)
class Group:
    """The tensors, by position, that one optimizer moves, and its settings."""

    optimizer: Optimizer
    members: tuple[int, ...]
    hypers: Mapping[str, float] = field(default_factory=dict)
    options: Mapping[str, str | bool] = field(default_factory=dict)


def hidden_matrices(tensors: Sequence[npt.ArrayLike]) -> tuple[int, ...]:
    """Positions of the matrices that neither read the input nor write the output.

    Where a network has fewer than three matrices there is none between, so all of them.
    """
    matrices = tuple(i for i, tensor in enumerate(tensors) if np.ndim(tensor) == 2)
    return matrices[1:-1] if len(matrices) > 2 else matrices


def one_group(
    optimizer: Optimizer | str,
    tensors: Sequence[npt.ArrayLike],
    hypers: Mapping[str, float] | None = None,
    options: Mapping[str, str | bool] | None = None,
    fallback_hypers: Mapping[str, float] | None = None,
) -> tuple[Group, ...]:
    """All tensors to one optimizer; what it is not made for goes to its fallback.

    Muon takes the hidden matrices and leaves the rest to AdamW, with AdamW's defaults overlaid by
    fallback_hypers. Raises ValueError for unknown names and for rules of the plane alone.
    """
    entry = find_optimizer(optimizer)
    if entry.fallback:
        return hybrid(
            tensors, (entry, hypers, options), (OPTIMIZERS[entry.fallback], fallback_hypers, None)
        )
    return (_group(entry, range(len(tensors)), hypers, options),)


Choice = tuple[Optimizer | str, Mapping[str, float] | None, Mapping[str, str | bool] | None]
"""An optimizer with its hyper-parameters and options."""


def hybrid(tensors: Sequence[npt.ArrayLike], matrices: Choice, rest: Choice) -> tuple[Group, ...]:
    """One optimizer for the hidden matrices, another for the rest."""
    inside = hidden_matrices(tensors)
    outside = [i for i in range(len(tensors)) if i not in inside]
    pairs = ((matrices, inside), (rest, outside))
    return tuple(
        _group(entry, members, hypers, options)
        for (entry, hypers, options), members in pairs
        if members
    )


def _group(
    optimizer: Optimizer | str,
    members: Sequence[int],
    hypers: Mapping[str, float] | None,
    options: Mapping[str, str | bool] | None,
) -> Group:
    entry = find_optimizer(optimizer)
    if not entry.on_tensors:
        raise ValueError(
            f"{entry.name} has a form for the plane alone: no network is trained by it"
        )
    return Group(entry, tuple(members), entry.hyper_values(hypers), entry.option_values(options))


class _TensorOracle:
    """What a network answers to the rule of one group; the other groups' tensors stand still."""

    def __init__(
        self, trainer: Trainer, group: Group, loss: Loss, gradients: Vector, schedule: float
    ) -> None:
        self.t = trainer.t
        self.schedule = schedule
        self.lower_bound: float | None = trainer.lower_bound
        self._trainer = trainer
        self._group = group
        self._loss = loss
        self.point = Vector(trainer.tensors[i] for i in group.members)
        self._gradient = Vector(gradients[i] for i in group.members)

    def loss(self, w: Vector) -> Any:
        tensors = list(self._trainer.tensors)
        for i, part in zip(self._group.members, w, strict=True):
            tensors[i] = part
        return self._loss(Vector(tensors))

    def gradient(self, w: Vector) -> Vector:
        if w is self.point:  # known already, for all groups at once
            return self._gradient
        gradient: Vector = autograd.grad(self.loss)(w)
        return gradient

    def hessian(self, w: Vector) -> tuple[Vector, ...]:
        raise ValueError("the Hessian of a network is too large to be written out")

    def hessian_diagonal(self, w: Vector) -> Vector:
        raise ValueError("the diagonal of a network's Hessian is estimated by hessian_probe")

    def hessian_probe(self, w: Vector) -> Vector:
        """u ⊙ Hu for fresh random signs u."""
        signs = Vector(self._trainer.random.choice((-1.0, 1.0), size=np.shape(x)) for x in w)
        product = autograd.jvp(autograd.grad(self.loss), (w,), (signs,))[1]
        estimate: Vector = signs * product
        return estimate


class Trainer:
    """Moves a network's tensors down a loss, a step at a time, by the rule of each group.

    tensors are the current values, t the steps taken, states the state of each group by name.
    lower_bound is the least the loss can be; seed drives the probes of rules that draw them.
    Raises ValueError unless every tensor belongs to exactly one group.
    """

    def __init__(
        self,
        tensors: Sequence[npt.ArrayLike],
        groups: Sequence[Group],
        *,
        lower_bound: float = 0.0,
        seed: int = 0,
    ) -> None:
        self.tensors: list[Array] = [np.array(tensor, dtype=float) for tensor in tensors]
        self.groups = tuple(groups)
        members = sorted(i for group in groups for i in group.members)
        if members != list(range(len(self.tensors))):
            raise ValueError("every tensor belongs to exactly one group of optimizers")
        self.lower_bound = lower_bound
        self.random = np.random.default_rng(seed)
        self.t = 0
        self.states = [self._start(group) for group in self.groups]

    def _start(self, group: Group) -> dict[str, Any]:
        entry, own = group.optimizer, Vector(self.tensors[i] for i in group.members)
        if entry.tensor_state:  # of shapes of its own (Shampoo's), it grows out of a plain 0
            return first_state(entry.tensor_state, own)
        return first_state(entry.slots(group.options), own, np.zeros_like)

    def step(self, loss: Loss, schedule: float = 1.0) -> float:
        """One step of every group on this batch's loss; returns the loss before the step.

        schedule is the factor on every learning rate.
        """
        self.t += 1
        with np.errstate(all="ignore"):
            value, gradients = autograd.value_and_grad(loss)(Vector(self.tensors))
            moved: dict[int, Array] = {}
            for k, group in enumerate(self.groups):
                entry = group.optimizer
                oracle = _TensorOracle(self, group, loss, gradients, schedule)
                following, self.states[k] = take_step(
                    entry,
                    oracle,
                    oracle.point,
                    self.states[k],
                    group.hypers,
                    group.options,
                    entry.tensor_rule,
                )
                moved |= dict(zip(group.members, following, strict=True))
        self.tensors = [np.asarray(moved[i]) for i in range(len(self.tensors))]
        return float(value)
