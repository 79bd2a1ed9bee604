"""Every operation, its slopes and its second derivatives in every form: evaluated on numbers and on
arrays, printed as Python, lanes, blocks, CUDA (compiled as C++) and JavaScript. All say the same,
at the ends of the doubles too.
"""

from __future__ import annotations

import ctypes
import math
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.emit.cells import cuda_source, results
from engine.emit.compiled import CellsKernel
from engine.emit.program import Carried, Level, Loop, compile_program
from engine.emit.scalar import Kernel
from engine.runs.browser import browser_function
from engine.tape import autograd
from engine.tape import operations as ops
from engine.tape.operations import OPERATIONS
from tests.engine.emit.node import Batch
from tests.engine.emit.test_cuda import SHIM, compiler

COUNTS = {
    name: count
    for names, count in (
        ("negative exp log log1p sqrt sin cos tan tanh tanh_slope", 1),
        ("sigmoid sigmoid_slope softplus sign absolute relu", 1),
        ("add subtract multiply divide power maximum minimum logit_cross_entropy logit_error", 2),
        ("clip", 3),
    )
    for name in names.split()
}
# Tested as conditions of `where`, unrolled or dropped by the compiler, or made for arrays alone.
CONDITIONS = {"less", "less_equal", "greater", "greater_equal", "equal"}
OTHERS = {"where", "integer_power", "sum", "mean", "broadcast_to", "reshape"}
ARRAYS = {"transpose", "matmul", "affine", "index", "scatter", "logsumexp", "softmax",
          "log_softmax", "softmax_cross_entropy"}  # fmt: skip

Function = Callable[[Any, Any, Any], Any]


def functions() -> dict[str, Function]:
    """By name the functions of (a, b, c) that are tried."""
    found: dict[str, Function] = {}
    for name, count in COUNTS.items():
        operation = OPERATIONS[name]
        found[name] = lambda a, b, c, f=operation, n=count: f(*(a, b, c)[:n])
    for name in CONDITIONS:
        compare = OPERATIONS[name]
        found[f"where {name}"] = lambda a, b, c, f=compare: ops.where(f(a, b), ops.sqrt(a), a * c)
    for n in (-3, -1, 0, 1, 2, 5):
        found[f"power {n}"] = lambda a, b, c, n=n: ops.integer_power(a, exponent=n)
    found["branches"] = lambda a, b, c: ops.where(
        a > 0.0, ops.where(b > 0.0, ops.log(a * b), ops.sqrt(b)), ops.power(a, 2.0) + c / a
    )
    found["kinks"] = lambda a, b, c: ops.relu(ops.log(a)) + ops.minimum(1.0 / b, ops.exp(c))
    return found


FUNCTIONS = functions()
ENDS = (
    0.0, -0.0, 5e-324, -1e-310, 1e-8, -0.3, 0.5, 1.0, -1.0, 2.5, 18.0, -40.0, 372.0, -745.5,
    1e16, 1e308, -1e308, math.inf, -math.inf, math.nan,
)  # fmt: skip
EVERY = [(a, b, c) for a in ENDS for b in ENDS[::2] for c in (0.25, -2.0)]
EVERY += [(a, b, -1.5) for a in ENDS[1::3] for b in ENDS[1::2]]


def all_of(a: Any, b: Any, c: Any, names: Iterable[str] = FUNCTIONS) -> dict[str, Any]:
    """Value, slopes by a, b, c in reverse mode, and the second derivative by a."""
    found = {}
    for name in names:
        f = FUNCTIONS[name]
        slopes = autograd.grad(f, (0, 1, 2))(a, b, c)
        found[name] = f(a, b, c)
        found |= {f"{name} by {x}": slope for x, slope in zip("abc", slopes, strict=True)}
        found[f"{name} twice"] = autograd.jvp(
            lambda x, f=f: autograd.grad(lambda y: f(y, b, c))(x), (a,), (1.0,)
        )[1]
    return found


def test_every_operation_that_scalars_have_is_tried() -> None:
    assert set(OPERATIONS) == set(COUNTS) | CONDITIONS | OTHERS | ARRAYS
    for name, operation in OPERATIONS.items():
        printed = bool(operation.spelled) or operation.lowered is not None
        assert printed == (name in set(COUNTS) | CONDITIONS | {"where"}), name


@pytest.fixture(scope="module")
def points() -> np.ndarray:
    return np.array(EVERY).T


@pytest.fixture(scope="module")
def expected() -> dict[str, np.ndarray]:
    """Evaluated as it stands, point by point, on plain numbers."""
    with np.errstate(all="ignore"):
        rows = [all_of(*map(np.float64, point)) for point in EVERY]
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


def agree(found: dict[str, np.ndarray], expected: dict[str, np.ndarray], loose: float) -> None:
    """To a few roundings; zeros and what is not finite exactly."""
    wrong = []
    for name, right in expected.items():
        got = np.broadcast_to(found[name], right.shape)
        with np.errstate(all="ignore"):
            near = np.abs(got - right) <= loose * np.abs(right) + 1e-321
        same = (got == right) | near | (np.isnan(got) & np.isnan(right))
        wrong += [(name, EVERY[i], float(got[i]), float(right[i])) for i in np.flatnonzero(~same)]
    assert not wrong, wrong[:12]


NO_NUMBER = -7.25e77  # stands for NaN, at which a run would end; no value here comes near it


def loop_of(names: Iterable[str] = FUNCTIONS, keep: str = "") -> Loop:
    """One step of a loop whose point is every value at once, with a number for NaN.

    keep leaves out what does not end so, beside the values.
    """

    def step(at: Any) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for name, value in all_of(at["a"], at["b"], at["c"], names).items():
            if name not in names and not name.endswith(keep):
                continue
            found[name] = ops.where(ops.equal(value, value), value, NO_NUMBER)
        return found

    program = compile_program(step, dict.fromkeys("abc", Level.CELL))
    point = tuple(Carried(f"x9{i}", 0.0, x) for i, x in enumerate(program.outputs.values()))
    varied = {name: program.inputs[name] for name in "abc"}
    return Loop(program, point, (), {}, {}, varied)


@pytest.fixture(scope="module")
def loop() -> Loop:
    return loop_of()


def _read(loop: Loop, ends: Any) -> dict[str, np.ndarray]:
    found = dict(zip(loop.program.outputs, ends, strict=False))
    return {name: np.where(values == NO_NUMBER, np.nan, values) for name, values in found.items()}


def test_on_arrays(expected: dict[str, np.ndarray], points: np.ndarray) -> None:
    with np.errstate(all="ignore"):
        agree(all_of(*points), expected, 1e-14)


def test_printed_as_python(loop: Loop, expected: dict[str, np.ndarray]) -> None:
    """Plain Python raises at nearly every one of these points; NumPy's numbers take over."""
    kernel = Kernel(Loop(loop.program, loop.point, (), loop.varied, {}, {}))
    zeros = [0.0] * len(loop.point)
    rows = [kernel.run(1, math.inf, zeros, point, []).path[1] for point in EVERY]
    agree(_read(loop, np.array(rows).T), expected, 1e-14)


def run_cells(kernel: CellsKernel, points: np.ndarray) -> dict[str, np.ndarray]:
    given = [*([np.zeros(len(EVERY))] * len(kernel.loop.point)), *map(np.ascontiguousarray, points)]
    return _read(kernel.loop, kernel.run(1, math.inf, 0.0, [], [], given))


def test_printed_as_lanes(loop: Loop, expected: dict[str, np.ndarray], points: np.ndarray) -> None:
    agree(run_cells(CellsKernel(loop, np.float64), points), expected, 1e-14)


@pytest.mark.parametrize("part", range(8))
def test_printed_as_blocks(expected: dict[str, np.ndarray], points: np.ndarray, part: int) -> None:
    """Values and first slopes, in parts: a compiler's time grows faster than a program does."""
    kernel = CellsKernel(loop_of(list(FUNCTIONS)[part::8], keep=" by a"), np.float64)
    kernel.compile()
    found = run_cells(kernel, points)
    agree(found, {name: expected[name] for name in found}, 1e-13)


def test_printed_as_cuda(
    loop: Loop, expected: dict[str, np.ndarray], points: np.ndarray, tmp_path: Path
) -> None:
    text, built = tmp_path / "every.cpp", tmp_path / "every.so"
    text.write_text(f"{SHIM}{cuda_source(loop, 'double')}", encoding="utf-8")
    flags = ["-std=c++17", "-O1", "-ffp-contract=off", "-shared", "-fPIC", "-w"]
    subprocess.run([compiler(), *flags, "-o", built, text], check=True)
    library = ctypes.CDLL(str(built))
    size = len(EVERY)
    given = [np.zeros(size) for _ in loop.point] + [np.ascontiguousarray(x) for x in points]
    ends = [np.empty(size) for _ in results(loop)]
    pointers = [a.ctypes.data_as(ctypes.c_void_p) for a in (*given, *ends)]
    bounds = (ctypes.c_double(math.inf), ctypes.c_double(0.0))
    for cell in range(size):
        library.place(cell, 1, 0)
        library.sweep(ctypes.c_longlong(0), ctypes.c_longlong(size), 1, *bounds, *pointers)
    agree(_read(loop, ends), expected, 1e-13)


def test_printed_as_javascript(
    expected: dict[str, np.ndarray], points: np.ndarray, tmp_path: Path
) -> None:
    batch = Batch()
    module = browser_function(all_of, ["a", "b", "c"])
    batch.add(module, "over", dict(zip("abc", points, strict=True)))
    agree(batch.run(tmp_path)[0], expected, 1e-13)
