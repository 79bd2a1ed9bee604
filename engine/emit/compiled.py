"""Many runs at once made quick, without anyone waiting for a compiler.

A `CellsKernel` runs them as NumPy arrays. One background thread compiles the same loop with Numba,
one kernel at a time, and the compiled function takes over when it is there. Single runs are not
compiled: 600 steps of Adam take 0.4 ms as plain Python (`engine.emit.scalar`), 0.1 s to compile.
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

from engine.emit.cells import block_source, lanes_source, results
from engine.emit.dialect import FUNCTIONS
from engine.emit.program import Loop
from engine.tape.operations import OPERATIONS

_jobs: Queue[CellsKernel] = Queue()
_worker_lock = threading.Lock()
_worker: threading.Thread | None = None


def compiler_enabled() -> bool:
    """Whether kernels are compiled in the background (DESCENT_LAB_COMPILE=0 switches it off)."""
    return os.environ.get("DESCENT_LAB_COMPILE", "1") != "0"


class CellsKernel:
    """Many runs at once, of one number type: `run` fills one array per result.

    The results are those of `cells.results`, and the same bits compiled or not where only
    + − × ÷ √ occur.
    """

    # Cells that NumPy takes at once: few enough for the cache, many enough to hide its overhead.
    LANES = 4096

    def __init__(self, loop: Loop, dtype: npt.DTypeLike) -> None:
        self.loop = loop
        self.dtype = np.dtype(dtype)
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

    @cached_property
    def plain(self) -> Callable[..., tuple[npt.NDArray[Any], ...]]:
        return _sweep_of(lanes_source(self.loop), {**_LANES, "real": self.dtype.type})

    def _compile(self) -> Callable[..., Any]:
        import numba

        loop = self.loop
        real = numba.from_dtype(self.dtype)
        arrays = len(loop.per_step) + len(loop.point) + len(loop.varied) + len(results(loop))
        signature = numba.void(
            *[numba.int64] * 3, *[real] * (2 + len(loop.constants)), *[real[::1]] * arrays
        )
        jit = numba.njit(signature, error_model="numpy", nogil=True)
        scope = {**_numba_scope(), "real": self.dtype.type}
        function: Callable[..., Any] = jit(_sweep_of(block_source(loop), scope))
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
        ends = tuple(np.empty(size, self.dtype) for _ in results(self.loop))
        number: Any = self.dtype.type
        scalars = [number(x) for x in (bound, target, *constants)]
        if self.compiled is not None:
            self.compiled(0, size, steps, *scalars, *per_step, *of_cell, *ends)
            return ends
        with np.errstate(all="ignore"):
            for first in range(0, size, self.LANES):
                part = slice(first, first + self.LANES)
                found = self.plain(steps, *scalars, *per_step, *(a[part] for a in of_cell))
                for array, end in zip(ends, found, strict=True):
                    array[part] = end
        return ends


def _sweep_of(source: str, scope: dict[str, Any]) -> Callable[..., Any]:
    exec(compile(source, "<emitted sweep>", "exec"), scope)
    function: Callable[..., Any] = scope["sweep"]
    return function


_NUMBERS = {"inf": math.inf, "nan": math.nan}
_LANES = MappingProxyType(
    {
        **{name: getattr(np, name) for name in (*FUNCTIONS, "where", "absolute")},
        **_NUMBERS,
        "power": OPERATIONS["power"].evaluate,
    }
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
    return {**functions, **helpers, **_NUMBERS, "absolute": abs, "empty": np.empty}


def _start_worker() -> None:
    global _worker
    with _worker_lock:
        if _worker is None:
            _worker = threading.Thread(target=_work, name="kernel compiler", daemon=True)
            _worker.start()


def _work() -> None:
    while True:
        _jobs.get().compile()
