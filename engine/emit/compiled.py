"""Emitted source made quick, without anyone waiting for a compiler.

A `Kernel` runs one run at once as plain Python, a `CellsKernel` many runs at once as NumPy arrays.
One background thread compiles the same program with Numba, one kernel at a time, and the compiled
function takes over when it is there.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from queue import Queue
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.emit.cells import FUNCTIONS, Cells, block_source, lanes_source
from engine.emit.program import python_function

_jobs: Queue[_Compilable] = Queue()
_worker_lock = threading.Lock()
_worker: threading.Thread | None = None


def compiler_enabled() -> bool:
    """Whether kernels are compiled in the background (DESCENT_LAB_COMPILE=0 switches it off)."""
    return os.environ.get("DESCENT_LAB_COMPILE", "1") != "0"


class _Compilable:
    """Something with a compiled form that can be asked for now or in the background."""

    def __init__(self) -> None:
        self.compiled: Callable[..., Any] | None = None
        self._requested = False
        self._lock = threading.Lock()

    def request(self) -> None:
        """Ask for the compiled form; returns at once."""
        if not self._requested and compiler_enabled():
            self._requested = True
            _start_worker()
            _jobs.put(self)

    def compile(self) -> None:
        """Compile now, in this thread (about half a second); does nothing the second time."""
        with self._lock:
            if self.compiled is None:
                self.compiled = self._compile()

    def _compile(self) -> Callable[..., Any]:
        raise NotImplementedError


class Kernel(_Compilable):
    """A function of scalars and 1-D arrays given by its source, `run(steps, bound, …)`.

    scalars and arrays say how many float arguments and then float64 arrays follow the first two.
    """

    def __init__(self, source: str, scalars: int, arrays: int) -> None:
        super().__init__()
        self.source = source
        self.scalars = scalars
        self.arrays = arrays

    @cached_property
    def plain(self) -> Callable[..., int]:
        return python_function(self.source)

    @cached_property
    def forgiving(self) -> Callable[..., int]:
        return python_function(self.source, forgiving=True)

    def _compile(self) -> Callable[..., Any]:
        import numba

        real, array = numba.float64, numba.float64[::1]
        signature = numba.int64(numba.int64, real, *[real] * self.scalars, *[array] * self.arrays)
        jit = numba.njit(signature, error_model="numpy", nogil=True)
        function: Callable[..., Any] = jit(python_function(self.source))
        return function

    def run(self, steps: int, bound: float, scalars: list[float], arrays: list[Any]) -> int:
        """Run over float64 arrays, filling them in place; returns the step of divergence or -1."""
        if self.compiled is not None:
            return int(self.compiled(steps, bound, *scalars, *arrays))
        self.request()
        lists = [a.tolist() for a in arrays]  # lists are several times quicker to index
        try:
            stop = self.plain(steps, bound, *scalars, *lists)
        except (ArithmeticError, ValueError):
            # Somewhere the answer is not finite. The same text on NumPy scalars carries on.
            with np.errstate(all="ignore"):
                lists = [a.tolist() for a in arrays]
                wide = [np.float64(x) for x in scalars]
                stop = self.forgiving(steps, bound, *wide, *lists)
        for array, values in zip(arrays, lists, strict=True):
            array[:] = values
        return stop


class CellsKernel(_Compilable):
    """Many runs at once, of one number type: `run` fills one array per result.

    The results are those of `Cells.results`, and the same bits compiled or not where only
    + − × ÷ √ occur.
    """

    # Cells that NumPy takes at once: few enough for the cache, many enough to hide its overhead.
    LANES = 4096

    def __init__(self, cells: Cells, dtype: npt.DTypeLike) -> None:
        super().__init__()
        self.cells = cells
        self.dtype = np.dtype(dtype)

    @cached_property
    def plain(self) -> Callable[..., tuple[npt.NDArray[Any], ...]]:
        return _sweep_of(lanes_source(self.cells), {**_LANES, "real": self.dtype.type})

    def _compile(self) -> Callable[..., Any]:
        import numba

        cells = self.cells
        real = numba.from_dtype(self.dtype)
        arrays = len(cells.per_step) + len(cells.point) + len(cells.varied) + len(cells.results)
        signature = numba.void(
            *[numba.int64] * 3, *[real] * (2 + len(cells.constants)), *[real[::1]] * arrays
        )
        jit = numba.njit(signature, error_model="numpy", nogil=True)
        scope = {**_numba_scope(), "real": self.dtype.type}
        function: Callable[..., Any] = jit(_sweep_of(block_source(cells), scope))
        return function

    def run(
        self,
        steps: int,
        bound: float,
        target: float,
        constants: Sequence[float],
        per_step: Sequence[npt.NDArray[Any]],
        of_cell: Sequence[npt.NDArray[Any]],
    ) -> tuple[npt.NDArray[Any], ...]:
        """Run every cell; of_cell holds the starting points, then what varies, each (cells,)."""
        size = len(of_cell[0])
        results = tuple(np.empty(size, self.dtype) for _ in self.cells.results)
        number: Any = self.dtype.type
        scalars = [number(x) for x in (bound, target, *constants)]
        if self.compiled is not None:
            self.compiled(0, size, steps, *scalars, *per_step, *of_cell, *results)
            return results
        with np.errstate(all="ignore"):
            for first in range(0, size, self.LANES):
                part = slice(first, first + self.LANES)
                ends = self.plain(steps, *scalars, *per_step, *(a[part] for a in of_cell))
                for array, end in zip(results, ends, strict=True):
                    array[part] = end
        return results


def _sweep_of(source: str, scope: dict[str, Any]) -> Callable[..., Any]:
    exec(compile(source, "<emitted sweep>", "exec"), scope)
    function: Callable[..., Any] = scope["sweep"]
    return function


_LANES = MappingProxyType(
    {name: getattr(np, name) for name in (*FUNCTIONS, "where", "power", "absolute")}
)


@lru_cache(maxsize=1)
def _numba_scope() -> dict[str, Any]:
    """What an emitted block calls, as Numba inlines it."""
    import numba

    def where(condition: Any, x: Any, y: Any) -> Any:
        return x if condition else y

    def power(x: Any, y: Any) -> Any:
        return x**y

    functions = {name: getattr(math, name) for name in FUNCTIONS}
    helpers = {"where": numba.njit(where), "power": numba.njit(power)}
    return {**functions, **helpers, "absolute": abs, "empty": np.empty}


def _start_worker() -> None:
    global _worker
    with _worker_lock:
        if _worker is None:
            _worker = threading.Thread(target=_work, name="kernel compiler", daemon=True)
            _worker.start()


def _work() -> None:
    while True:
        _jobs.get().compile()
