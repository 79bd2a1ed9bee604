"""The CUDA text of every rule: run on the host as C++, compiled by nvcc, and run on a real GPU.

A CUDA kernel is C++ but for a few words. With those defined away the very text that a GPU would
run is compiled here by an ordinary compiler and held against the reference bit for bit.
"""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.emit import gpu
from engine.emit.cells import cuda_source, results
from engine.emit.compiled import CellsKernel
from engine.emit.program import Loop
from engine.optimizers import OPTIMIZERS
from engine.problems.landscapes import LANDSCAPES
from engine.runs.descent import DIVERGENCE_RADIUS, step_inputs
from engine.runs.sweeps import sweep
from engine.runs.tracing import landscape_loop

# Two landscapes that add, multiply and divide only: one made of products, one with a valley.
PROBLEMS = (("booth", (-7.0, -5.0)), ("rosenbrock", (-1.5, 2.0)))
STEPS = 60
TARGET = 0.5
EXACT = {
    "add", "subtract", "multiply", "divide", "negative", "sqrt", "absolute", "where",
    "less", "less_equal", "greater", "greater_equal", "equal",
}  # fmt: skip

SHIM = """
#include <cmath>
using std::cos; using std::exp; using std::fabs; using std::log; using std::log1p; using std::pow;
using std::sin; using std::sqrt; using std::tan; using std::tanh;
#define __global__
#define __device__
struct Place { int x; };
static Place blockIdx{0}, blockDim{1}, threadIdx{0};
extern "C" void place(int block, int width, int thread)
{ blockIdx.x = block; blockDim.x = width; threadIdx.x = thread; }
"""


@dataclass(frozen=True)
class Case:
    """One kernel: its loop, its number type, and what to run it on."""

    name: str
    landscape: str
    start: tuple[float, float]
    slug: str
    loop: Loop
    real: str

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.float64 if self.real == "double" else np.float32)

    @property
    def source(self) -> str:
        """The kernel under a name of its own, so that many can stand in one file."""
        text = cuda_source(self.loop, self.real).replace("void sweep(", f"void {self.name}(")
        return f"namespace in_{self.name} {{\n{text}}}\n"

    def arguments(self) -> tuple[Any, ...]:
        """What `CellsKernel.run` wants: learning rates from crawling to divergence."""
        optimizer = OPTIMIZERS[self.slug]
        options = optimizer.option_values()
        lrs = np.geomspace(1e-4, 3.0, 37)
        values = optimizer.hyper_values()
        constants = [value for name, value in values.items() if name != "lr"]
        constants += LANDSCAPES[self.landscape].arguments.values()
        inputs, _ = step_inputs(optimizer, options, STEPS, np.linspace(1, 0.2, STEPS), 0.1, 3)
        of_cell = [np.full(len(lrs), c) for c in self.start] + [lrs]
        ready = [[a.astype(self.dtype) for a in arrays] for arrays in (inputs, of_cell)]
        return STEPS, DIVERGENCE_RADIUS, TARGET, constants, *ready


def _cases() -> tuple[Case, ...]:
    found = []
    for landscape, start in PROBLEMS:
        for slug, optimizer in OPTIMIZERS.items():
            loop = landscape_loop(
                LANDSCAPES[landscape], optimizer, optimizer.option_values(),
                varied=("lr",), scheduled=True, noisy=True, valued=True,
            )  # fmt: skip
            for real in ("double", "float"):
                name = f"{landscape}_{slug}_{real}"
                found.append(Case(name, landscape, start, slug, loop, real))
    return tuple(found)


CASES = _cases()
# Where a few learning rates lie on the brink: from a start one last bit aside they end elsewhere.
TURNED = {"rosenbrock_asgd_float"}


def compiler() -> str:
    """A C++ compiler; skips without one, fails without one where CI promises it."""
    for name in (os.environ.get("CXX"), "c++", "g++", "clang++"):
        if name and (found := shutil.which(name)):
            return found
    reason = "no C++ compiler on the PATH"
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason}, and CI requires one")
    pytest.skip(reason)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """All kernels as host code, contraction off as on the GPU."""
    folder = tmp_path_factory.mktemp("cuda")
    text, built = folder / "kernels.cpp", folder / "kernels.so"
    text.write_text(SHIM + "".join(case.source for case in CASES), encoding="utf-8")
    flags = ["-std=c++17", "-O1", "-ffp-contract=off", "-shared", "-fPIC", "-w"]
    subprocess.run([compiler(), *flags, "-o", built, text], check=True)
    return ctypes.CDLL(str(built))


def run_on_host(library: ctypes.CDLL, case: Case) -> tuple[np.ndarray, ...]:
    """Every thread of the launch in turn, some of them past the last cell."""
    steps, bound, target, constants, per_step, of_cell = case.arguments()
    real = ctypes.c_double if case.real == "double" else ctypes.c_float
    size = len(of_cell[0])
    ends = tuple(np.full(size, np.nan, case.dtype) for _ in results(case.loop))
    arrays = [a.ctypes.data_as(ctypes.c_void_p) for a in (*per_step, *of_cell, *ends)]
    scalars = [real(x) for x in (bound, target, *constants)]
    kernel = getattr(library, case.name)
    for block in range(size // 16 + 1):
        for thread in range(16):
            library.place(block, 16, thread)
            kernel(ctypes.c_longlong(0), ctypes.c_longlong(size), steps, *scalars, *arrays)
    return ends


def _assert_agree(case: Case, found: Sequence[np.ndarray], expected: Sequence[np.ndarray]) -> None:
    """Bit for bit where only exactly rounded operations occur; otherwise to rounding."""
    exact = {line.operation for line in case.loop.program.lines} <= EXACT
    loose = 1e-9 if case.real == "double" else 2e-2
    tame = np.full(len(expected[0]), True)
    if case.name in TURNED:
        tame = _tame(case, expected, loose)
        assert tame.mean() > 0.9, case.name
    for name, a, b in zip(results(case.loop), found, expected, strict=True):
        if exact:
            assert a.tolist() == b.tolist(), (case.name, name)
        else:
            assert a[tame] == pytest.approx(b[tame], rel=loose, abs=loose), (case.name, name)


def _tame(case: Case, expected: Sequence[np.ndarray], loose: float) -> np.ndarray:
    """Which cells end where they do from a start one last bit aside as well."""
    *rest, (x, *others) = case.arguments()
    aside = CellsKernel(case.loop, case.dtype).run(*rest, [np.nextafter(x, x + 1), *others])
    return np.logical_and.reduce(
        [
            np.isclose(a, b, rtol=loose, atol=loose, equal_nan=True)
            for a, b in zip(aside, expected, strict=True)
        ]
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_cuda_text_run_on_the_host_is_the_reference(library: ctypes.CDLL, case: Case) -> None:
    expected = CellsKernel(case.loop, case.dtype).run(*case.arguments())
    _assert_agree(case, run_on_host(library, case), expected)


@pytest.mark.slow
def test_nvcc_keeps_every_run_in_registers(tmp_path: Path) -> None:
    """Compiled for a GPU, no kernel spills: a run never touches memory between its ends."""
    nvcc = shutil.which("nvcc") or shutil.which("nvcc", path="/usr/local/cuda/bin")
    if nvcc is None:
        pytest.skip("no nvcc on the PATH: the text is compiled as C++ only")
    text = tmp_path / "kernels.cu"
    text.write_text("".join(case.source for case in CASES), encoding="utf-8")
    flags = [*gpu.OPTIONS, "-cubin", "-Xptxas=-v", "-o", os.devnull]
    done = subprocess.run([nvcc, *flags, text], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    spilled = re.findall(r"(\d+) bytes spill stores, (\d+) bytes spill loads", done.stderr)
    assert len(spilled) >= len(CASES)
    assert set(spilled) == {("0", "0")}


@pytest.mark.gpu
def test_every_kernel_on_a_real_gpu_is_the_reference() -> None:
    if not gpu.available():
        pytest.skip(gpu.why_not())
    for case in CASES:
        expected = CellsKernel(case.loop, case.dtype).run(*case.arguments())
        _assert_agree(case, gpu.run(case.loop, case.dtype, *case.arguments()), expected)


@pytest.mark.gpu
def test_a_sweep_on_the_gpu_is_the_sweep_on_the_cpu() -> None:
    if not gpu.available():
        pytest.skip(gpu.why_not())
    axes = {"lr": np.geomspace(1e-3, 1, 300), "beta1": np.linspace(0, 0.99, 300)}
    there, here = (
        sweep("booth", "adam", axes, (-7, -5), 200, target=0.1, device=d) for d in ("gpu", "cpu")
    )
    assert there.device == "gpu"
    assert np.array_equal(there.final_point, here.final_point)
    assert np.array_equal(there.steps_to_target, here.steps_to_target)
    assert np.array_equal(there.diverged_at, here.diverged_at)


def test_asking_for_a_gpu_where_there_is_none_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "why_not", lambda: "CuPy finds no NVIDIA GPU")
    with pytest.raises(ValueError, match="cannot run on the GPU: CuPy finds no NVIDIA GPU"):
        sweep("bowl", "sgd", {"lr": [0.01]}, (1, 1), 5, device="gpu")
    assert sweep("bowl", "sgd", {"lr": [0.01]}, (1, 1), 5).device == "cpu"
