"""Sweeps on an NVIDIA GPU: the CUDA text of a rule, loaded through CuPy.

CuPy is imported only here and only when asked for: the laboratory runs whole without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.emit.cells import cuda_source, results
from engine.emit.program import Loop

TILE_CELLS = 2**20  # cells of one launch: enough to fill a GPU, short enough to be cancelled
THREADS = 128  # threads of one CUDA block: a run keeps some 40 registers
# Without contraction a × b + c rounds twice, as on the CPU, so the results are the same bits.
OPTIONS = ("--std=c++17", "--fmad=false")
NARROW = (*OPTIONS, "--ftz=true")  # in float32 the CPU takes subnormal numbers for zero as well


@lru_cache(maxsize=1)
def why_not() -> str:
    """Why no GPU can be used, as a clause; "" where one can."""
    try:
        import cupy
    except ImportError:
        return "CuPy is not installed (see requirements-gpu.txt)"
    except Exception as error:  # a driver or library that does not fit fails in many ways
        return f"CuPy cannot be loaded ({error})"
    return "" if cupy.cuda.is_available() else "CuPy finds no NVIDIA GPU"


def available() -> bool:
    """Whether CuPy is installed and finds a GPU; asked once per process."""
    return not why_not()


@lru_cache(maxsize=128)
def _kernel(source: str, options: tuple[str, ...]) -> Any:
    import cupy

    return cupy.RawKernel(source, "sweep", options=options)


def source(loop: Loop, dtype: npt.DTypeLike) -> str:
    """The CUDA C++ of a sweep in that number type."""
    return cuda_source(loop, "float" if np.dtype(dtype) == np.float32 else "double")


def launch(
    loop: Loop,
    dtype: npt.DTypeLike,
    steps: int,
    bound: float,
    target: float,
    constants: Sequence[float],
    per_step: Sequence[Any],
    of_cell: Sequence[Any],
) -> tuple[Any, ...]:
    """Start the kernel on arrays of the device; the results are there when the stream is done."""
    import cupy

    kind = np.dtype(dtype)
    size = len(of_cell[0])
    ends = tuple(cupy.empty(size, kind) for _ in results(loop))
    # A kernel takes each argument at its own width: nothing may be left to conversion.
    number: Any = kind.type
    scalars = [number(x) for x in (bound, target, *constants)]
    arguments = (
        np.int64(0),
        np.int64(size),
        np.int32(steps),
        *scalars,
        *per_step,
        *of_cell,
        *ends,
    )
    options = NARROW if kind == np.float32 else OPTIONS
    _kernel(source(loop, kind), options)(((size + THREADS - 1) // THREADS,), (THREADS,), arguments)
    return ends


def run(
    loop: Loop,
    dtype: npt.DTypeLike,
    steps: int,
    bound: float,
    target: float,
    constants: Sequence[float],
    per_step: Sequence[npt.NDArray[Any]],
    of_cell: Sequence[npt.NDArray[Any]],
) -> tuple[npt.NDArray[Any], ...]:
    """Run every cell on the GPU; of_cell holds the starting points, then what varies, (cells,)."""
    import cupy

    there = [[cupy.asarray(a) for a in arrays] for arrays in (per_step, of_cell)]
    ends = launch(loop, dtype, steps, bound, target, constants, *there)
    return tuple(cupy.asnumpy(array) for array in ends)
