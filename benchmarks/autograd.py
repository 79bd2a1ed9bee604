"""How many training steps a second the engine makes, beside NumPy by hand, PyTorch, JAX and HIPS.

One step of full-batch gradient descent on a 2-16-16-1 perceptron with tanh and binary
cross-entropy, 256 points, one thread, the same data and weights for all. The contenders take
turns of a few steps; the figure of each is its best turn, which is what the machine can do when
nothing disturbs it. Over the first steps all losses must agree. The engine takes part twice: with
its step recorded once and printed as NumPy, and as the plain tape, written anew at every step.

    python -m benchmarks.autograd [--json] [--rounds 40]

PyTorch, JAX and HIPS autograd take part where they are installed (requirements-bench.txt).
"""

# ruff: noqa: E402  # the environment must be set before NumPy is loaded, which reads it once

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np

from benchmarks.figures import asking, show
from engine.problems.data import two_moons
from engine.problems.networks import MLP, classification_loss, gradient_descent
from engine.tape import Vector, autograd

NETWORK = MLP((2, 16, 16, 1))
LR = 0.5
TURN = 100  # steps of one turn, so many that a cold cache at its start does not count
FIRST = {"float64": 500, "float32": 50}  # steps whose losses are compared: rounding grows later
TOLERANCE = {"float64": 1e-9, "float32": 1e-4}  # relative

Array = np.ndarray[Any, Any]
Steps = Iterator[float]  # performs a step and yields the loss before it, without end


def by_engine(parameters: list[Array], x: Array, y: Array) -> Steps:
    """The engine: the step is recorded once and printed as NumPy."""
    loss = classification_loss(NETWORK)
    for value, _ in gradient_descent(loss, Vector(parameters), LR, x, y):
        yield value


def by_tape(parameters: list[Array], x: Array, y: Array) -> Steps:
    """The engine's plain tape: recorded anew at every step."""
    value_and_grad = autograd.value_and_grad(classification_loss(NETWORK))
    weights = Vector(parameters)
    while True:
        value, gradient = value_and_grad(weights, x, y)
        weights = Vector([w - LR * g for w, g in zip(weights, gradient, strict=True)])
        yield float(value)


def by_hand(parameters: list[Array], x: Array, y: Array) -> Steps:
    """NumPy with the derivatives written out, as a course would."""
    w1, b1, w2, b2, w3, b3 = parameters
    n = len(y)
    while True:
        h1 = np.tanh(x @ w1 + b1)
        h2 = np.tanh(h1 @ w2 + b2)
        z = h2 @ w3 + b3
        e = np.exp(-np.abs(z))
        yield float(np.mean(np.maximum(z, 0) - y * z + np.log1p(e)))
        error = (np.where(z >= 0, 1.0, e) / (1.0 + e) - y) / n
        d2 = (error @ w3.T) * (1.0 - h2 * h2)
        d1 = (d2 @ w2.T) * (1.0 - h1 * h1)
        w3, b3 = w3 - LR * (h2.T @ error), b3 - LR * error.sum(0)
        w2, b2 = w2 - LR * (h1.T @ d2), b2 - LR * d2.sum(0)
        w1, b1 = w1 - LR * (x.T @ d1), b1 - LR * d1.sum(0)


def by_torch(parameters: list[Array], x: Array, y: Array) -> Steps:
    """PyTorch in eager mode with its own SGD."""
    import torch

    torch.set_num_threads(1)
    w1, b1, w2, b2, w3, b3 = weights = [torch.tensor(p, requires_grad=True) for p in parameters]
    inputs, labels = torch.tensor(x), torch.tensor(y)
    optimizer = torch.optim.SGD(weights, lr=LR)
    criterion = torch.nn.BCEWithLogitsLoss()
    while True:
        optimizer.zero_grad()
        hidden = torch.tanh(torch.addmm(b1, inputs, w1))
        hidden = torch.tanh(torch.addmm(b2, hidden, w2))
        loss = criterion(torch.addmm(b3, hidden, w3), labels)
        loss.backward()
        optimizer.step()
        yield loss.item()


def by_jax(parameters: list[Array], x: Array, y: Array) -> Steps:
    """JAX, the whole step compiled."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)

    def loss(weights: Any, x: Any, y: Any) -> Any:
        w1, b1, w2, b2, w3, b3 = weights
        z = jnp.tanh(jnp.tanh(x @ w1 + b1) @ w2 + b2) @ w3 + b3
        return jnp.mean(jnp.maximum(z, 0) - y * z + jnp.log1p(jnp.exp(-jnp.abs(z))))

    @jax.jit
    def step(weights: Any, x: Any, y: Any) -> Any:
        value, gradient = jax.value_and_grad(loss)(weights, x, y)
        return value, [w - LR * g for w, g in zip(weights, gradient, strict=True)]

    weights = [jnp.asarray(p) for p in parameters]
    inputs, labels = jnp.asarray(x), jnp.asarray(y)
    while True:
        value, weights = step(weights, inputs, labels)
        yield float(value)


def by_hips(parameters: list[Array], x: Array, y: Array) -> Steps:
    """HIPS autograd."""
    import autograd
    import autograd.numpy as anp

    def loss(weights: Any) -> Any:
        w1, b1, w2, b2, w3, b3 = weights
        z = anp.tanh(anp.tanh(x @ w1 + b1) @ w2 + b2) @ w3 + b3
        return anp.mean(anp.maximum(z, 0) - y * z + anp.log1p(anp.exp(-anp.abs(z))))

    value_and_grad = autograd.value_and_grad(loss)
    weights = parameters
    while True:
        value, gradient = value_and_grad(weights)
        weights = [w - LR * g for w, g in zip(weights, gradient, strict=True)]
        yield float(value)


CONTENDERS: dict[str, tuple[str | None, Callable[[list[Array], Array, Array], Steps]]] = {
    "engine": (None, by_engine),
    "tape": (None, by_tape),
    "hand": (None, by_hand),
    "torch": ("torch", by_torch),
    "jax": ("jax", by_jax),
    "hips": ("autograd", by_hips),
}


def compare(dtype: str, rounds: int) -> dict[str, Any]:
    """Steps per second of every contender that is installed, and how far their losses differ."""
    x, y = two_moons(256, noise=0.1, seed=0)
    x, y = x.astype(dtype), y[:, None].astype(dtype)
    parameters = list(NETWORK.initial(seed=0, dtype=dtype))
    running = {
        name: start([p.copy() for p in parameters], x, y)
        for name, (package, start) in CONTENDERS.items()
        if package is None or find_spec(package)
    }
    losses = {name: [next(steps) for _ in range(FIRST[dtype])] for name, steps in running.items()}
    reference = np.array(losses["hand"])
    apart = {n: float(np.max(np.abs(v / reference - 1.0))) for n, v in losses.items()}
    for name, distance in apart.items():
        if distance > TOLERANCE[dtype]:
            raise SystemExit(f"{name} ({dtype}) strays by {distance:.2g} of the loss by hand")
    best = dict.fromkeys(running, float("inf"))
    for _ in range(rounds):
        for name, steps in running.items():
            begin = time.perf_counter()
            for _ in range(TURN):
                next(steps)
            best[name] = min(best[name], (time.perf_counter() - begin) / TURN)
    report: dict[str, Any] = {f"{name}_steps_s": round(1.0 / s, 1) for name, s in best.items()}
    for name in best:
        if name != "engine":
            report[f"engine_over_{name}"] = round(best[name] / best["engine"], 3)
    report["largest_relative_difference_of_losses"] = max(apart.values())
    return report


def main() -> None:
    """Measure and print."""
    parser = asking(__doc__)
    parser.add_argument("--rounds", type=int, default=40, help=f"turns of {TURN} steps each")
    asked = parser.parse_args()
    report = {dtype: compare(dtype, asked.rounds) for dtype in ("float64", "float32")}
    show(report, as_json=asked.json)


if __name__ == "__main__":
    main()
