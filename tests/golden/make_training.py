"""Makes the golden runs of networks: ``python -m tests.golden.make_training``.

PyTorch in float64 trains a 2-6-5-1 perceptron on moons, and a 2-6-5-3 one on three classes, with
its own layers, losses, autograd and optimizers; ``training.npz`` keeps the weights at the start,
the batches, and for each case the losses of 100 steps and the weights at their end. A case whose
run rounding would change by more than a hundredth of the tolerance is refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from tests.golden.oracles import bfloat16_as_float64

STEPS, BATCH, N = 100, 16, 64
TOLERANCE = 1e-10
SIZES = {1: (2, 6, 5, 1), 3: (2, 6, 5, 3)}
OUT = Path(__file__).with_name("training.npz")

optim = torch.optim
# By slug and the engine's names: PyTorch's class with the settings that the names stand for.
RULES: list[tuple[str, dict[str, float], dict[str, Any], Callable[..., Any]]] = [
    ("sgd", {"lr": 0.1}, {}, lambda w: optim.SGD(w, lr=0.1)),
    ("momentum", {"lr": 0.05, "beta": 0.9}, {}, lambda w: optim.SGD(w, lr=0.05, momentum=0.9)),
    (
        "nesterov", {"lr": 0.05, "beta": 0.9}, {},
        lambda w: optim.SGD(w, lr=0.05, momentum=0.9, nesterov=True),
    ),
    ("adagrad", {"lr": 0.05}, {}, lambda w: optim.Adagrad(w, lr=0.05)),
    ("adadelta", {"lr": 1.0}, {}, lambda w: optim.Adadelta(w, lr=1.0)),
    (
        "rmsprop", {"lr": 0.003, "eps": 1e-3}, {},
        lambda w: optim.RMSprop(w, lr=0.003, alpha=0.99, eps=1e-3),
    ),
    ("adam", {"lr": 0.01}, {}, lambda w: optim.Adam(w, lr=0.01)),
    (
        "adam_l2", {"lr": 0.01, "weight_decay": 0.02}, {},
        lambda w: optim.Adam(w, lr=0.01, weight_decay=0.02),
    ),
    (
        "adamw", {"lr": 0.01, "weight_decay": 0.1}, {},
        lambda w: optim.AdamW(w, lr=0.01, weight_decay=0.1),
    ),
    ("amsgrad", {"lr": 0.01}, {}, lambda w: optim.Adam(w, lr=0.01, amsgrad=True)),
    ("nadam", {"lr": 0.01}, {}, lambda w: optim.NAdam(w, lr=0.01)),
    ("radam", {"lr": 0.01}, {}, lambda w: optim.RAdam(w, lr=0.01)),
    ("adamax", {"lr": 0.01}, {}, lambda w: optim.Adamax(w, lr=0.01)),
    ("adafactor", {"lr": 0.01}, {}, lambda w: optim.Adafactor(w, lr=0.01)),
]  # fmt: skip
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


class Both:
    """Muon for the hidden matrix and AdamW for the rest, as PyTorch's page on Muon advises."""

    def __init__(self, weights: list[torch.Tensor]) -> None:
        rest = [w for i, w in enumerate(weights) if i != 2]
        self.parts = (
            optim.Muon([weights[2]], lr=0.02, weight_decay=0.1, momentum=0.95, nesterov=True),
            optim.AdamW(rest, lr=0.01, weight_decay=0.01),
        )

    def zero_grad(self) -> None:
        for part in self.parts:
            part.zero_grad()

    def step(self) -> None:
        for part in self.parts:
            part.step()


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


def run(
    make: Callable[[list[torch.Tensor]], Any],
    activation: str,
    loss: str,
    weights: list[np.ndarray],
    data: tuple[np.ndarray, np.ndarray],
    batches: np.ndarray,
    clip: float = 0.0,
) -> tuple[np.ndarray, list[np.ndarray]]:
    """The loss before each step and the weights after the last."""
    tensors = [torch.tensor(w, requires_grad=True) for w in weights]
    x, y = (torch.tensor(part) for part in data)
    optimizer, losses = make(tensors), []
    for chosen in batches:
        h = x[chosen]
        for i in range(0, len(tensors), 2):
            h = h @ tensors[i] + tensors[i + 1]
            if i + 2 < len(tensors):
                h = ACTIVATIONS[activation](h)
        value = LOSSES[loss][1](h, y[chosen])
        optimizer.zero_grad()
        value.backward()
        if clip:
            torch.nn.utils.clip_grad_norm_(tensors, clip)
        optimizer.step()
        losses.append(value.item())
    return np.array(losses), [w.detach().numpy() for w in tensors]


def main() -> None:
    """Write the file."""
    torch.set_default_dtype(torch.float64)
    rng = np.random.default_rng(11)
    kept: dict[str, Any] = {"batches": rng.integers(0, N, (STEPS, BATCH))}
    for outputs, sizes in SIZES.items():
        kept |= dict(zip((f"x{outputs}", f"y{outputs}"), points(outputs, rng), strict=True))
        kept |= {f"w{outputs}_{i}": w for i, w in enumerate(start(sizes, rng))}
    cases: list[dict[str, Any]] = []
    rules = [*RULES, ("muon", {"lr": 0.02, "weight_decay": 0.1}, {}, Both)]
    for slug, hypers, options, make in rules:
        for loss, (outputs, _) in LOSSES.items():
            for activation in ACTIVATIONS:
                for clip in (0.0, 0.5) if slug in ("sgd", "adam") and loss == "mse" else (0.0,):
                    weights = [kept[f"w{outputs}_{i}"] for i in range(6)]
                    data = (kept[f"x{outputs}"], kept[f"y{outputs}"])
                    given = (activation, loss), (data, kept["batches"], clip)
                    with bfloat16_as_float64():
                        losses, end = run(make, *given[0], weights, *given[1])
                        moved = [w * (1 + 1e-14) for w in weights]
                        other, _ = run(make, *given[0], moved, *given[1])
                    shift = np.max(np.abs(other - losses) / losses)
                    if shift > TOLERANCE:
                        raise SystemExit(f"{slug}, {loss}, {activation}: rounding grows to {shift}")
                    kept[f"losses{len(cases)}"] = losses
                    kept[f"end{len(cases)}"] = np.concatenate([w.ravel() for w in end])
                    cases.append(
                        {
                            "optimizer": slug, "hypers": hypers, "options": options, "loss": loss,
                            "activation": activation, "outputs": outputs, "clip": clip,
                        }
                    )  # fmt: skip
    kept["cases"] = json.dumps({"torch": torch.__version__, "cases": cases})
    np.savez_compressed(OUT, **kept)
    print(f"{len(cases)} runs by torch {torch.__version__} in {OUT.name}")


if __name__ == "__main__":
    main()
