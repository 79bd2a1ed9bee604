"""Makes the golden runs of networks: ``python -m tests.golden.make_training``.

With slugs behind it, only those rules train again and the other runs stay as they are.
In float64 a 2-6-5-1 perceptron is trained on moons, and a 2-6-5-3 one on three classes, with
PyTorch's layers, losses and autograd and the optimizers of ``training_rules.py``: PyTorch's own
under three losses times three activations, all others under three of these pairs. Muon, whose
steps hang on which side of a matrix is the wider, also trains 2-6-9-1 and 2-6-9-3. ``training.npz``
keeps the weights at the start, the batches, and for each case the losses of 100 steps and the
weights at their end. Where a shift of the start by SHIFT, some tens of roundings, grows to more
than a tenth of the tolerance (L-BFGS on so few weights: a pair more or less turns its direction)
the run ends before; one that would have less than LEAST steps is refused.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Collection, Iterator
from functools import partial
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch
import torch.nn.functional as F

from tests.golden.oracles import bfloat16_as_float64
from tests.golden.reference import Derivatives
from tests.golden.training_rules import Trained, Weights, by_others, by_torch

STEPS, BATCH, N = 100, 16, 64
LEAST = 40
TOLERANCE, SHIFT = 1e-10, 1e-14
HIDDEN = {"w": (6, 5), "wide": (6, 9)}  # of each network, between 2 inputs and 1 or 3 outputs
LIBRARIES = ("torch", "optax", "pytorch_optimizer", "qhoptim")
OUT = Path(__file__).with_name("training.npz")

ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
}
LOSSES: dict[str, tuple[int, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]]] = {
    "cross_entropy": (1, F.binary_cross_entropy_with_logits),
    "mse": (1, lambda z, y: F.mse_loss(torch.sigmoid(z), y)),
    "softmax": (3, lambda z, y: F.cross_entropy(z, y)),
}


def points(outputs: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and targets of N examples, not quite separable."""
    x = rng.standard_normal((N, 2))
    turn = np.arctan2(x[:, 1], x[:, 0]) + 0.3 * rng.standard_normal(N)
    label = np.floor((turn + np.pi) / (2 * np.pi) * max(outputs, 2)).astype(int) % max(outputs, 2)
    return x, label[:, None].astype(float) if outputs == 1 else np.eye(outputs)[label]


def start(sizes: tuple[int, ...], rng: np.random.Generator) -> list[np.ndarray]:
    """Weights (in, out) and biases in turn."""
    parts: list[np.ndarray] = []
    for a, b in pairwise(sizes):
        parts += [rng.standard_normal((a, b)) / np.sqrt(a), 0.1 * rng.standard_normal(b)]
    return parts


def named(name: str, parts: list[np.ndarray]) -> dict[str, np.ndarray]:
    """Arrays by a name and their place."""
    return {f"{name}_{i}": part for i, part in enumerate(parts)}


class Task:
    """A network on its data: what an optimizer calls for loss and gradient of the batch chosen.

    Matrices are kept (in, out), or (out, in) where layers says so, as torch.nn.Linear does.
    """

    def __init__(
        self, pair: tuple[str, str], weights: list[np.ndarray],
        data: tuple[np.ndarray, np.ndarray], clip: float, layers: bool, shift: float,
    ) -> None:  # fmt: skip
        self.loss_of, self.activation = LOSSES[pair[0]][1], ACTIVATIONS[pair[1]]
        self.layers = layers
        self.weights: Weights = [
            torch.tensor(self.turned(w * (1.0 + shift)).copy(), requires_grad=True) for w in weights
        ]
        self.x, self.y = (torch.tensor(part) for part in data)
        self.chosen: Any = slice(None)
        self.clip = clip
        self.found: list[float] = []  # the losses of the calls

    def turned(self, w: Any) -> Any:
        """A matrix or bias (in, out) as it is kept, and back."""
        return w.T if self.layers and w.ndim == 2 else w

    def loss(self) -> torch.Tensor:
        h = self.x[self.chosen]
        for i in range(0, len(self.weights), 2):
            h = h @ self.turned(self.weights[i]) + self.weights[i + 1]
            if i + 2 < len(self.weights):
                h = self.activation(h)
        return self.loss_of(h, self.y[self.chosen])

    def __call__(self) -> torch.Tensor:
        """The loss, and its gradient beside the weights."""
        for w in self.weights:
            w.grad = None
        value = self.loss()
        self.found.append(value.item())
        value.backward()
        if self.clip:
            torch.nn.utils.clip_grad_norm_(self.weights, self.clip)
        return value

    @property
    def point(self) -> np.ndarray:
        """All weights laid end to end."""
        return np.concatenate([self.turned(w.detach().numpy()).ravel() for w in self.weights])

    def go(self, point: np.ndarray) -> None:
        start = 0
        with torch.no_grad():
            for w in self.weights:
                w.copy_(torch.tensor(point[start : start + w.numel()]).reshape(w.shape))
                start += w.numel()

    def derivatives(self) -> Derivatives:
        """Loss and gradient at any point."""

        def loss(point: np.ndarray) -> float:
            self.go(point)
            return self.loss().item()

        def gradient(point: np.ndarray) -> np.ndarray:
            self.go(point)
            self()
            return np.concatenate([w.grad.numpy().ravel() for w in self.weights])

        return Derivatives(loss, gradient, lambda point: np.empty(0))


def run(rule: Trained, task: Task, batches: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The loss before each step, and all weights after the last."""
    if rule.by_hand is not None:
        settings = {name: value for name, value in rule.hypers.items() if name != "lr"}
        lrs = np.full(len(batches), rule.hypers["lr"])
        derivatives = task.derivatives()
        path = rule.by_hand(derivatives, task.point, lrs, **settings)
        return np.array([derivatives.loss(point) for point in path[:-1]]), path[-1]
    assert rule.make is not None
    optimizer, losses = rule.make(task.weights), []
    for chosen in batches:
        task.chosen = slice(None) if rule.whole else chosen
        task.found.clear()
        optimizer.step(task)
        losses.append(task.found[0])
    return np.array(losses), task.point


def steady(
    rule: Trained, task: Callable[[float], Task], batches: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """What `run` gives, for as many steps as a tiny shift of the start stays tiny."""
    (losses, end), (other, aside) = (run(rule, task(shift), batches) for shift in (0.0, SHIFT))
    grown = np.abs(other - losses) > 0.1 * TOLERANCE * np.abs(losses)
    if grown.any():
        return steady(rule, task, batches[: np.argmax(grown)])
    if np.max(np.abs(aside - end)) > 0.1 * TOLERANCE:
        return steady(rule, task, batches[:-1])
    return losses, end


def cases(signs: np.ndarray) -> Iterator[tuple[Trained, str, str, float]]:
    """Rule, loss, activation and clip of each run."""
    for rule in by_torch():
        for loss in LOSSES:
            for activation in ACTIVATIONS:
                yield rule, loss, activation, 0.0
                if rule.slug in ("sgd", "adam") and loss == "mse":
                    yield rule, loss, activation, 0.5
    for rule in by_others(signs):
        for loss, activation in zip(LOSSES, ACTIVATIONS, strict=True):
            yield rule, loss, activation, 0.0


def main(only: Collection[str] = ()) -> None:
    """Write the file; only names the rules that train again, none of them all."""
    torch.set_default_dtype(torch.float64)
    rng = np.random.default_rng(11)
    kept: dict[str, Any] = {"batches": rng.integers(0, N, (STEPS, BATCH))}
    for outputs in (1, 3):
        kept |= dict(zip((f"x{outputs}", f"y{outputs}"), points(outputs, rng), strict=True))
        kept |= named(f"w{outputs}", start((2, *HIDDEN["w"], outputs), rng))
    kept["signs"] = rng.choice((-1, 1), (STEPS, 71)).astype(np.int8)  # for as many weights
    for outputs in (1, 3):
        kept |= named(f"wide{outputs}", start((2, *HIDDEN["wide"], outputs), rng))
    found: list[dict[str, Any]] = []
    refused: list[str] = []
    if only:
        with np.load(OUT) as stored:
            for index, case in enumerate(json.loads(str(stored["cases"]))["cases"]):
                if case["optimizer"] not in only:
                    kept |= {f"{n}{len(found)}": stored[f"{n}{index}"] for n in ("losses", "end")}
                    found.append(case)
    for rule, loss, activation, clip in cases(kept["signs"]):
        if only and rule.slug not in only:
            continue
        outputs = LOSSES[loss][0]
        network = f"{rule.network}{outputs}"
        weights = [kept[f"{network}_{i}"] for i in range(6)]
        data = kept[f"x{outputs}"], kept[f"y{outputs}"]
        task = partial(Task, (loss, activation), weights, data, clip, rule.layers)
        losses, end = steady(rule, task, kept["batches"])
        if len(losses) < LEAST:
            refused.append(f"{rule.slug}, {loss}, {activation}: tame for {len(losses)} steps")
        kept |= {f"losses{len(found)}": losses, f"end{len(found)}": end}
        found.append(
            {
                "optimizer": rule.slug, "hypers": rule.hypers, "options": rule.options,
                "loss": loss, "activation": activation, "outputs": outputs, "clip": clip,
                "network": network,
                "every_example": rule.every_example, "reference": rule.reference,
            }
        )  # fmt: skip
    if refused:
        raise SystemExit("\n".join(refused))
    versions = {name: version(name).split("+")[0] for name in LIBRARIES}
    kept["cases"] = json.dumps({"versions": versions, "cases": found})
    np.savez_compressed(OUT, **kept)
    shorter = [f"{c['optimizer']} {n}" for i, c in enumerate(found)
               if (n := len(kept[f"losses{i}"])) < STEPS]  # fmt: skip
    print(f"fewer than {STEPS} steps: {', '.join(shorter)}")
    print(f"{len(found)} runs in {OUT.name}, {OUT.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    with bfloat16_as_float64(), mock.patch.object(torch, "float32", torch.float64):
        main(sys.argv[1:])
