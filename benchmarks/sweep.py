"""A quarter of a million runs: the sweep against plain NumPy, JAX, torch.compile and the hardware.

`python -m benchmarks.sweep [--json]`. Adam on w₁² + 50 w₂², 512 × 512 (β₁ × learning rate), 500
steps. All contenders are timed in turn within each round, so that whatever else the machine does
falls on all of them alike; figures are medians of the rounds, ratios medians of the ratios within
a round, by the wall clock and (_cpu) by the time that all threads computed. The limit is what the
division and square-root unit alone would take for the divisions and roots of the program, at the
rate measured in the same round. JAX and PyTorch are timed where they are installed
(requirements-bench.txt), the GPU where there is one.
"""

from __future__ import annotations

import math
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np

from benchmarks.figures import asking, show
from engine import LANDSCAPES, OPTIMIZERS, sweep
from engine.emit import gpu
from engine.runs.descent import DIVERGENCE_RADIUS
from engine.runs.tracing import PlaneOracle, landscape_loop
from engine.tape import Vector

BOWL = LANDSCAPES["bowl"](condition=50.0, rotation=0.0)
ADAM = OPTIMIZERS["adam"]
START = (5.0, 3.0)
STEPS = 500
SIDE = 512
ROUNDS = 5
BETA2, EPS = 0.999, 1e-8


def axes(side: int) -> dict[str, np.ndarray]:
    """The grid's axes: β₁ and the learning rate."""
    return {"beta1": np.linspace(0.0, 0.99, side), "lr": np.geomspace(1e-3, 1.0, side)}


def grid(side: int, dtype: Any) -> tuple[np.ndarray, np.ndarray]:
    """β₁ and learning rate of every cell."""
    beta1, lr = np.meshgrid(*axes(side).values(), indexing="ij")
    return beta1.astype(dtype), lr.astype(dtype)


def run_engine(side: int, steps: int, dtype: Any) -> np.ndarray:
    """The loss that each cell reached."""
    return sweep(BOWL, ADAM, axes(side), START, steps, dtype=dtype, device="cpu").final_loss


@dataclass(frozen=True)
class Clock:
    """Seconds on the wall, and seconds that all threads of this process spent computing."""

    wall: float
    cpu: float

    def __mul__(self, factor: float) -> Clock:
        return Clock(self.wall * factor, self.cpu * factor)


def seconds(run: Callable[[], Any]) -> Clock:
    """How long that takes."""
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return Clock(time.perf_counter() - wall, time.process_time() - cpu)


# The same in plain NumPy: the rule itself, evaluated on arrays ------------------------------------


def run_reference(side: int, steps: int, dtype: Any) -> np.ndarray:
    """The loss that each cell reached."""
    beta1, lr = grid(side, dtype)
    h = SimpleNamespace(lr=lr, beta1=beta1, beta2=dtype(BETA2), eps=dtype(EPS))
    o = SimpleNamespace(**ADAM.option_values())
    parameters = {name: dtype(value) for name, value in BOWL.arguments.items()}
    w = Vector(np.full(lr.shape, c, dtype) for c in START)
    zero = Vector(np.zeros(lr.shape, dtype) for _ in START)
    state: Any = {slot.name: zero for slot in ADAM.state}
    alive = np.ones(lr.shape, bool)
    for t in range(1, steps + 1):
        oracle = PlaneOracle(BOWL, parameters, dtype(t))
        following, state = ADAM.rule(oracle, w, SimpleNamespace(**state), h, o)
        for x in following:
            alive &= np.abs(x) <= DIVERGENCE_RADIUS
        w = Vector(np.where(alive, new, old) for new, old in zip(following, w, strict=True))
    return BOWL.value(np.stack(list(w), axis=-1))


# The limit: nothing but the divisions and roots ---------------------------------------------------


_CHAINS = {"divide": "c / row[i]", "sqrt": "sqrt(row[i])"}
_LANES = 256  # independent chains: enough that no operation waits for the one before


def unit_rate(kind: str, dtype: Any) -> Callable[[], Clock]:
    """A function that measures the time of one operation of one lane, all cores at work."""
    import numba

    source = f"""
def chain(times, c):
    row = empty({_LANES}, real)
    for i in range({_LANES}):
        row[i] = real(1.5) + real(i)
    for _ in range(times):
        for i in range({_LANES}):
            row[i] = {_CHAINS[kind]}
    return row[3]
"""
    scope: dict[str, Any] = {"empty": np.empty, "real": dtype, "sqrt": math.sqrt}
    exec(source, scope)
    chain = numba.njit(error_model="numpy", nogil=True)(scope["chain"])
    chain(1, dtype(3))
    cores = os.cpu_count() or 1
    times = 100_000
    pool = ThreadPoolExecutor(cores)

    def measure() -> Clock:
        spent = seconds(lambda: list(pool.map(lambda _: chain(times, dtype(3)), range(cores))))
        return spent * (1 / (times * _LANES * cores))

    return measure


def limit(dtype: Any) -> tuple[Callable[[], Clock], dict[str, int]]:
    """A function that measures the limit, and the operations it is made of."""
    loop = landscape_loop(BOWL, ADAM, ADAM.option_values(), varied=("beta1", "lr"))
    counts = {kind: loop.program.count(kind) for kind in _CHAINS}
    rates = {kind: unit_rate(kind, dtype) for kind in _CHAINS}
    work = SIDE * SIDE * STEPS

    def measure() -> Clock:
        divide, root = (rates[kind]() * (work * counts[kind]) for kind in _CHAINS)
        return Clock(divide.wall + root.wall, divide.cpu + root.cpu)

    return measure, counts


# JAX and PyTorch, each at its best ----------------------------------------------------------------


def jax_runner(dtype: Any) -> Callable[[], Any] | None:
    """All steps in one compiled call."""
    try:
        import jax
        import jax.numpy as jnp
    except ImportError:
        return None
    jax.config.update("jax_enable_x64", True)
    beta1, lr = (jnp.asarray(a) for a in grid(SIDE, dtype))
    x0, y0 = (jnp.full(lr.shape, c, dtype) for c in START)
    condition, beta2, eps, one = (dtype(c) for c in (50.0, BETA2, EPS, 1.0))
    bound = dtype(DIVERGENCE_RADIUS)

    @jax.jit
    def run(x: Any, y: Any, beta1: Any, lr: Any) -> Any:
        zero = jnp.zeros_like(x)

        def body(_: Any, carried: Any) -> Any:
            x, y, mx, my, vx, vy, p1, p2, alive = carried
            gx, gy = x + x, condition * (y + y)
            p1, p2 = p1 * beta1, p2 * beta2
            mx, my = beta1 * mx + (one - beta1) * gx, beta1 * my + (one - beta1) * gy
            vx, vy = beta2 * vx + (one - beta2) * gx * gx, beta2 * vy + (one - beta2) * gy * gy
            c1, c2 = one - p1, one - p2
            nx = x - lr * ((mx / c1) / (jnp.sqrt(vx / c2) + eps))
            ny = y - lr * ((my / c1) / (jnp.sqrt(vy / c2) + eps))
            alive = alive & (jnp.abs(nx) <= bound) & (jnp.abs(ny) <= bound)
            x, y = jnp.where(alive, nx, x), jnp.where(alive, ny, y)
            return x, y, mx, my, vx, vy, p1, p2, alive

        first = (x, y, zero, zero, zero, zero, jnp.ones_like(x), one, jnp.ones(x.shape, bool))
        x, y, *_ = jax.lax.fori_loop(0, STEPS, body, first)
        return x * x + condition * (y * y)

    return lambda: run(x0, y0, beta1, lr).block_until_ready()


def torch_runner(dtype: Any) -> Callable[[], Any] | None:
    """Ten steps to a compiled call: the compiler keeps them in registers."""
    try:
        import torch
    except ImportError:
        return None
    torch.set_num_threads(os.cpu_count() or 1)
    beta1, lr = (torch.from_numpy(a) for a in grid(SIDE, dtype))
    inner = 10

    def several(x: Any, y: Any, mx: Any, my: Any, vx: Any, vy: Any, p1: Any, c2: Any, alive: Any):
        for k in range(inner):
            gx, gy = x + x, 50.0 * (y + y)
            p1 = p1 * beta1
            mx, my = beta1 * mx + (1 - beta1) * gx, beta1 * my + (1 - beta1) * gy
            vx, vy = BETA2 * vx + (1 - BETA2) * gx * gx, BETA2 * vy + (1 - BETA2) * gy * gy
            c1 = 1 - p1
            nx = x - lr * ((mx / c1) / (torch.sqrt(vx / c2[k]) + EPS))
            ny = y - lr * ((my / c1) / (torch.sqrt(vy / c2[k]) + EPS))
            alive = alive & (nx.abs() <= DIVERGENCE_RADIUS) & (ny.abs() <= DIVERGENCE_RADIUS)
            x, y = torch.where(alive, nx, x), torch.where(alive, ny, y)
        return x, y, mx, my, vx, vy, p1, alive

    compiled = torch.compile(several, dynamic=False)
    corrections = torch.from_numpy((1 - BETA2 ** np.arange(1, STEPS + 1)).astype(dtype))

    def run() -> Any:
        x, y = (torch.full(lr.shape, c, dtype=lr.dtype) for c in START)
        mx = my = vx = vy = torch.zeros_like(x)
        p1, alive = torch.ones_like(x), torch.ones(x.shape, dtype=torch.bool)
        for k in range(0, STEPS, inner):
            c2 = corrections[k : k + inner]
            x, y, mx, my, vx, vy, p1, alive = compiled(x, y, mx, my, vx, vy, p1, c2, alive)
        return x * x + 50.0 * (y * y)

    try:
        with torch.no_grad():
            run()
    except Exception as error:  # no C++ compiler for it, most often
        print(f"torch.compile does not work here: {type(error).__name__}", file=sys.stderr)
        return None

    def timed() -> Any:
        with torch.no_grad():
            return run()

    return timed


def gpu_seconds(dtype: Any) -> float | None:
    """One launch by the device's own clock (CUDA events), median of five."""
    if not gpu.available():
        return None
    import cupy

    loop = landscape_loop(BOWL, ADAM, ADAM.option_values(), varied=("beta1", "lr"))
    beta1, lr = grid(SIDE, dtype)
    starts = [np.full(lr.size, c, dtype) for c in START]
    columns = [cupy.asarray(a) for a in (*starts, beta1.ravel(), lr.ravel())]
    constants = [BETA2, EPS, *BOWL.arguments.values()]
    times = []
    for _ in range(ROUNDS + 1):  # the first compiles
        begin, end = cupy.cuda.Event(), cupy.cuda.Event()
        begin.record()
        gpu.launch(loop, dtype, STEPS, DIVERGENCE_RADIUS, 0.0, constants, [], columns)
        end.record()
        end.synchronize()
        times.append(cupy.cuda.get_elapsed_time(begin, end) / 1000)
    return statistics.median(times[1:])


# The measurements ---------------------------------------------------------------------------------


def measure(dtype: Any) -> dict[str, Any]:
    """All contenders in turn, round after round."""
    first = seconds(lambda: run_engine(SIDE, STEPS, dtype))
    measure_limit, counts = limit(dtype)
    runners: dict[str, Callable[[], Any]] = {
        "engine_s": lambda: run_engine(SIDE, STEPS, dtype),
        "jax_s": jax_runner(dtype),
        "torch_compile_s": torch_runner(dtype),
        "reference_s": lambda: run_reference(SIDE, STEPS, dtype),
    }
    runners = {name: run for name, run in runners.items() if run is not None}
    expected = run_reference(SIDE, STEPS, dtype)
    disagreement = {
        name: _disagreement(np.asarray(run()), expected) for name, run in runners.items()
    }
    rounds: list[dict[str, Clock]] = []
    for _ in range(ROUNDS):
        times = {"limit_s": measure_limit()}
        times |= {name: seconds(run) for name, run in runners.items()}
        rounds.append(times)
    result: dict[str, Any] = {
        name: round(statistics.median(r[name].wall for r in rounds), 4) for name in rounds[0]
    }
    result["first_call_s"] = round(first.wall, 3)
    on_gpu = gpu_seconds(dtype)
    if on_gpu is not None:
        result["gpu_s"] = round(on_gpu, 5)
    for other in ("limit_s", "jax_s", "torch_compile_s", "reference_s"):
        if other in rounds[0]:
            name = f"engine_over_{other.removesuffix('_s')}"
            wall = statistics.median(r["engine_s"].wall / r[other].wall for r in rounds)
            cpu = statistics.median(r["engine_s"].cpu / r[other].cpu for r in rounds)
            result |= {name: round(wall, 3), f"{name}_cpu": round(cpu, 3)}
    result["per_cell_and_step"] = counts
    result["cells_that_differ"] = disagreement
    return result


def _disagreement(found: np.ndarray, expected: np.ndarray) -> float:
    """The share of cells whose loss is off by more than a thousandth of itself (and 1e-6)."""
    far = np.abs(found - expected) > 1e-3 * np.abs(expected) + 1e-6
    return round(float(far.mean()), 5)


def scaling() -> dict[str, float]:
    """Nanoseconds per cell and step for grids from 64² to 2048²: constant where cost is linear."""
    result = {}
    for side in (64, 128, 256, 512, 1024, 2048):
        steps = 100
        run = partial(run_engine, side, steps, np.float64)
        times = [seconds(run).wall for _ in range(3)]
        result[f"{side}x{side}"] = round(min(times) / (side * side * steps) * 1e9, 3)
    return result


def search() -> float:
    """The everyday search, 200 learning rates × 100 steps: milliseconds, median."""
    lrs = {"lr": np.geomspace(1e-4, 1.0, 200)}

    def run() -> Any:
        return sweep(BOWL, ADAM, lrs, START, 100, device="cpu")

    deadline = time.perf_counter() + 30
    run()
    while time.perf_counter() < deadline:  # it starts in NumPy, with the compiler behind
        if seconds(run).wall < 0.004:
            break
        time.sleep(0.1)
    return round(statistics.median(seconds(run).wall for _ in range(21)) * 1000, 3)


def main() -> None:
    """Measure everything and print it."""
    asked = asking(__doc__).parse_args()
    result = {
        "machine": {"cores": os.cpu_count(), "processor": platform.processor() or "unknown"},
        "problem": f"Adam, w1^2 + 50 w2^2, {SIDE} x {SIDE} (beta1 x lr), {STEPS} steps",
        "float64": measure(np.float64),
        "float32": measure(np.float32),
        "search_200_lr_100_steps_ms": search(),
        "ns_per_cell_and_step": scaling(),
    }
    show(result, as_json=asked.json)


if __name__ == "__main__":
    main()
