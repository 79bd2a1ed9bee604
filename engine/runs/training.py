"""Rules of the registry on the tensors of a network: parameter groups, one rule for each.

A rule that goes element by element, or sums over all weights, runs on tensors laid end to end in
one array: Python's time a step goes by the number of operations, not of weights. Sophia, Shampoo
and Muon have forms for tensors of their own, and a rule made for matrices leaves the rest to its
fallback. A step (loss, gradient, clipping, update, average) is recorded once and printed as NumPy.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.emit.tensor import Compiled, compiled
from engine.optimizers import Optimizer
from engine.problems import counted
from engine.runs.descent import find_optimizer
from engine.runs.step import first_state, take_step
from engine.tape import Vector, autograd
from engine.tape import operations as ops

Array = npt.NDArray[Any]
Loss = Callable[..., Any]
"""The loss of a network as a function of its tensors (a Vector) and of what a batch hands in,
written with operations. It is recorded: what else it looks at must not change."""


@dataclass(frozen=True)
class Group:
    """The tensors, by position, that one optimizer moves, and its settings.

    output_axis says along which axis of its matrices the outputs lie: 0, as PyTorch stores a layer
    and takes any matrix, or 1 for x W, as the networks here are stored. Muon's factor asks for it.
    """

    optimizer: Optimizer
    members: tuple[int, ...]
    hypers: Mapping[str, float] = field(default_factory=dict)
    options: Mapping[str, str | bool] = field(default_factory=dict)
    output_axis: int = 0


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
    fallback: Optimizer | str = "",
) -> tuple[Group, ...]:
    """All tensors of a network, matrices (in, out), to one optimizer; what it is not made for goes
    to its fallback.

    Muon takes the hidden matrices and leaves the rest to AdamW, or to the fallback named, with that
    rule's defaults overlaid by fallback_hypers. Raises ValueError for unknown names, for rules of
    the plane alone, and for a fallback that would leave something in its turn.
    """
    entry = find_optimizer(optimizer)
    if entry.fallback:
        rest = find_optimizer(fallback or entry.fallback)
        if rest.fallback:
            raise ValueError(f"{rest.name} is for hidden matrices: it cannot take the rest")
        return hybrid(tensors, (entry, hypers, options), (rest, fallback_hypers, None))
    return (_group(entry, range(len(tensors)), hypers, options),)


Choice = tuple[Optimizer | str, Mapping[str, float] | None, Mapping[str, str | bool] | None]
"""An optimizer with its hyper-parameters and options."""


def hybrid(tensors: Sequence[npt.ArrayLike], matrices: Choice, rest: Choice) -> tuple[Group, ...]:
    """One optimizer for a network's hidden matrices (in, out), another for the rest."""
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
    return Group(
        entry, tuple(members), entry.hyper_values(hypers), entry.option_values(options),
        output_axis=1,
    )  # fmt: skip


@dataclass(frozen=True)
class _Layout:
    """How a group's tensors lie in its point: end to end in one array, or each by itself."""

    shapes: tuple[tuple[int, ...], ...]
    flat: bool

    def joined(self, tensors: Sequence[Any]) -> Vector:
        """The point of these tensors."""
        if not self.flat:
            return Vector(tensors)
        xp = ops.namespace(*tensors)
        return Vector((xp.concat([xp.reshape(tensor, (-1,)) for tensor in tensors]),))

    def cut(self, point: Vector) -> list[Any]:
        """The tensors of a point, views where it is one array."""
        return self.pieces(point[0]) if self.flat else list(point)

    def drawn(self, line: Any) -> Vector:
        """The point that one line of numbers, one for each weight, makes."""
        return Vector((line,) if self.flat else self.pieces(line))

    def pieces(self, line: Any) -> list[Any]:
        """What lies end to end in a line, as tensors that share its memory."""
        tensors, start = [], 0
        for shape in self.shapes:
            size = math.prod(shape)
            tensors.append(line[start : start + size].reshape(shape))
            start += size
        return tensors


class _Network:
    """Loss and gradient of a step as the groups' rules ask for them; counts what they cost."""

    def __init__(self, trainer: Trainer, loss: Loss, tensors: Sequence[Any]) -> None:
        self.trainer = trainer
        self.tensors = list(tensors)
        self.evaluations = 1
        self._of = loss
        self.value, gradients = autograd.value_and_grad(loss)(Vector(tensors))
        self.gradients = trainer.clipped(gradients)

    def loss(self, tensors: Sequence[Any]) -> Any:
        self.evaluations += 1
        return self._of(Vector(tensors))

    def gradient(self, tensors: Sequence[Any]) -> Sequence[Any]:
        self.evaluations += 1
        return self.trainer.clipped(autograd.grad(self._of)(Vector(tensors)))

    def hessian_product(self, tensors: Sequence[Any], along: Sequence[Any]) -> Sequence[Any]:
        """H · along: a forward sweep over a reverse one, the cost of two gradients."""
        self.evaluations += 2
        found: Sequence[Any] = autograd.jvp(
            autograd.grad(self._of), (Vector(tensors),), (Vector(along),)
        )[1]
        return found


class _TensorOracle:
    """What a network answers to the rule of one group; the other groups' tensors stand still."""

    def __init__(
        self, network: _Network, group: Group, layout: _Layout, point: Vector,
        t: Any, schedule: Any, signs: Vector | None,
    ) -> None:  # fmt: skip
        self.t = t
        self.schedule = schedule
        self.lower_bound: float | None = network.trainer.lower_bound
        self.output_axis = group.output_axis
        self.point = point
        self._network = network
        self._group = group
        self._layout = layout
        self._signs = signs
        self._gradient = layout.joined([network.gradients[i] for i in group.members])

    def _all(self, parts: Sequence[Any], others: Sequence[Any]) -> list[Any]:
        """Every tensor of the network, the group's own in their places."""
        tensors = list(others)
        for i, part in zip(self._group.members, parts, strict=True):
            tensors[i] = part
        return tensors

    def _own(self, found: Sequence[Any]) -> Vector:
        return self._layout.joined([found[i] for i in self._group.members])

    def loss(self, w: Vector) -> Any:
        if w is self.point:  # known already, for all groups at once
            return self._network.value
        return self._network.loss(self._all(self._layout.cut(w), self._network.tensors))

    def gradient(self, w: Vector) -> Vector:
        if w is self.point:
            return self._gradient
        network = self._network
        return self._own(network.gradient(self._all(self._layout.cut(w), network.tensors)))

    def hessian(self, w: Vector) -> tuple[Vector, ...]:
        raise ValueError("the Hessian of a network is too large to be written out")

    def hessian_diagonal(self, w: Vector) -> Vector:
        raise ValueError("the diagonal of a network's Hessian is estimated by hessian_probe")

    def signs(self) -> Vector:
        """This step's random signs."""
        assert self._signs is not None  # of every group whose rule may draw
        return self._signs

    def hessian_probe(self, w: Vector) -> Vector:
        """u ⊙ Hu for this step's random signs u."""
        network = self._network
        still = [ops.namespace(part).zeros_like(part) for part in network.tensors]
        along = self._all(self._layout.cut(self.signs()), still)
        tensors = self._all(self._layout.cut(w), network.tensors)
        product = self._own(network.hessian_product(tensors, along))
        estimate: Vector = self.signs() * product
        return estimate


Signs = Callable[[int, int], Array]
"""Random signs (size,) for the probes of step t: signs(t, size)."""


class Trainer:
    """Moves a network's tensors down a loss, a step at a time, by the rule of each group.

    `tensors` are the current values, of type dtype, `t` the steps taken, `states` the state of each
    group by name. Where clip > 0 a longer gradient is shortened to that norm, all tensors taken
    together (torch.nn.utils.clip_grad_norm_); where average > 0, `averages` follow the tensors as
    an exponential moving average with that decay, which begins with the first step's tensors, as
    torch.optim.swa_utils' and Keras' do. lower_bound is the least the loss can be; seed drives the
    probes of rules that draw them. Raises ValueError unless every tensor belongs to exactly one
    group.
    """

    def __init__(
        self,
        tensors: Sequence[npt.ArrayLike],
        groups: Sequence[Group],
        *,
        lower_bound: float = 0.0,
        seed: int = 0,
        dtype: npt.DTypeLike = np.float64,
        clip: float = 0.0,
        average: float = 0.0,
    ) -> None:
        start: list[Array] = [np.array(tensor, dtype=dtype) for tensor in tensors]
        self.groups = tuple(groups)
        members = sorted(i for group in groups for i in group.members)
        if members != list(range(len(start))):
            raise ValueError("every tensor belongs to exactly one group of optimizers")
        self.lower_bound = lower_bound
        self.dtype = np.dtype(dtype)
        self.clip, self.average = clip, average
        self.signs: Signs = lambda t, size: counted.signs(seed, t, size)
        self.t = 0
        self.evaluations = 0
        self._layouts = tuple(
            _Layout(tuple(start[i].shape for i in group.members), _joins(group.optimizer))
            for group in self.groups
        )
        self.points = tuple(
            layout.joined([start[i] for i in group.members])
            for group, layout in zip(self.groups, self._layouts, strict=True)
        )
        self._averages = self.points if average else ()
        self._slots = tuple(
            g.optimizer.tensor_state or g.optimizer.slots(g.options) for g in self.groups
        )
        self._states = tuple(map(self._start, range(len(self.groups))))
        self._loss: Loss | None = None
        self._step: Compiled | None = None

    def _start(self, k: int) -> tuple[Any, ...]:
        return tuple(first_state(self._slots[k], self.points[k], np.zeros_like).values())

    @property
    def tensors(self) -> list[Array]:
        """The weights as they are now, in the network's order."""
        return self.laid_out(self.points)

    @property
    def averages(self) -> list[Array]:
        """The averaged weights; the weights themselves where none are kept."""
        return self.laid_out(self._averages or self.points)

    @property
    def states(self) -> list[dict[str, Any]]:
        """The state of each group's rule by name."""
        return [
            {slot.name: value for slot, value in zip(slots, state, strict=True)}
            for slots, state in zip(self._slots, self._states, strict=True)
        ]

    @property
    def memory(self) -> int:
        """How many numbers the rules keep between steps beside the weights."""
        return sum(
            int(np.size(part))
            for state in self._states
            for value in state
            for part in (value if isinstance(value, Vector) else (value,))
        )

    @property
    def recordings(self) -> int:
        """How many ways of a step have been recorded."""
        return 0 if self._step is None else self._step.recordings

    def laid_out(self, points: Sequence[Vector]) -> list[Any]:
        """The tensors, in the network's order, that the groups' points hold."""
        found: dict[int, Any] = {}
        for group, layout, point in zip(self.groups, self._layouts, points, strict=True):
            found |= dict(zip(group.members, layout.cut(point), strict=True))
        return [found[i] for i in range(len(found))]

    def clipped(self, gradients: Sequence[Any]) -> Sequence[Any]:
        """The gradient of all tensors, no longer than `clip` where that is set."""
        if not self.clip:
            return gradients
        squares = [ops.sum(g * g) for g in gradients]
        total = squares[0]
        for square in squares[1:]:
            total = total + square
        factor = ops.minimum(self.clip / (ops.sqrt(total) + 1e-6), 1.0)
        return [g * factor for g in gradients]

    def step(self, loss: Loss, schedule: float = 1.0, *batch: Any) -> float:
        """One step of every group on loss(tensors, *batch); returns the loss before the step.

        schedule is the factor on every learning rate.
        """
        if self._step is None or self._loss != loss:
            self._loss, self._step = loss, compiled(self.advance_by(loss))
        given = self.given(schedule, *batch)
        self.t += 1
        with np.errstate(all="ignore"):
            value, self.points, self._states, self._averages, cost = self._step(*given)
        self.evaluations += cost
        return float(value)

    def given(self, schedule: float, *batch: Any) -> tuple[Any, ...]:
        """What the function of `advance_by` is given for the next step, hyper-parameters left
        out."""
        drawn = tuple(map(self._drawn, range(len(self.groups))))
        kept = self.points, self._states, self._averages
        return *kept, float(self.t + 1), float(schedule), drawn, batch

    def _drawn(self, k: int) -> Array | None:
        """The signs of this step for a group whose rule may draw, in one line."""
        if self.groups[k].optimizer.draws is None:
            return None
        size = sum(part.size for part in self.points[k])
        return self.signs(self.t + 1, size).astype(self.dtype)

    def advance_by(self, loss: Loss) -> Callable[..., Any]:
        """The step as a pure function of points, states, averages, t, schedule, signs and batch,
        which gives the loss, the next points, states and averages, and the evaluations taken.

        hypers, where given, are each group's hyper-parameters in their order."""

        def advance(
            points: Any, states: Any, averages: Any, t: Any, schedule: Any, signs: Any, batch: Any,
            hypers: Any = None,
        ) -> Any:  # fmt: skip
            network = _Network(self, lambda w: loss(w, *batch), self.laid_out(points))
            following, after = [], []
            for k, group in enumerate(self.groups):
                layout, line = self._layouts[k], signs[k]
                drawn = None if line is None else layout.drawn(line)
                oracle = _TensorOracle(network, group, layout, points[k], t, schedule, drawn)
                names = [slot.name for slot in self._slots[k]]
                own = group.hypers
                if hypers is not None:
                    own = dict(zip(own, hypers[k], strict=True))
                point, state = take_step(
                    group.optimizer, oracle, points[k], dict(zip(names, states[k], strict=True)),
                    own, group.options, group.optimizer.tensor_rule,
                )  # fmt: skip
                following.append(point)
                after.append(tuple(state[name] for name in names))
            keep = ops.where(ops.less(t, 1.5), 0.0, self.average) if averages else 0.0
            new = tuple(
                keep * a + (1.0 - keep) * w for a, w in zip(averages, following, strict=False)
            )
            return network.value, tuple(following), tuple(after), new, network.evaluations

        return advance


def _joins(optimizer: Optimizer) -> bool:
    """Whether the rule is the same on tensors laid end to end."""
    return (optimizer.elementwise or optimizer.joins) and optimizer.tensor_state is None
