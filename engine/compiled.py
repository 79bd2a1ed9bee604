"""Emitted source made quick, without anyone waiting for a compiler.

A `Kernel` runs at once as plain Python. One background thread compiles the same text with Numba,
one kernel at a time, and the compiled function takes over when it is there.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import cached_property
from queue import Queue
from typing import Any

import numpy as np

from engine.emit import python_function

_jobs: Queue[Kernel] = Queue()
_worker_lock = threading.Lock()
_worker: threading.Thread | None = None


def compiler_enabled() -> bool:
    """Whether kernels are compiled in the background (DESCENT_LAB_COMPILE=0 switches it off)."""
    return os.environ.get("DESCENT_LAB_COMPILE", "1") != "0"


class Kernel:
    """A function of scalars and 1-D arrays given by its source, `run(steps, bound, …)`.

    scalars and arrays say how many float arguments and then float64 arrays follow the first two.
    """

    def __init__(self, source: str, scalars: int, arrays: int) -> None:
        self.source = source
        self.scalars = scalars
        self.arrays = arrays
        self.compiled: Callable[..., int] | None = None
        self._requested = False
        self._lock = threading.Lock()

    @cached_property
    def plain(self) -> Callable[..., int]:
        return python_function(self.source)

    @cached_property
    def forgiving(self) -> Callable[..., int]:
        return python_function(self.source, forgiving=True)

    def request(self) -> None:
        """Ask for the compiled form; returns at once."""
        if not self._requested and compiler_enabled():
            self._requested = True
            _start_worker()
            _jobs.put(self)

    def compile(self) -> None:
        """Compile now, in this thread (about half a second); does nothing the second time."""
        import numba

        with self._lock:
            if self.compiled is not None:
                return
            real, array = numba.float64, numba.float64[::1]
            signature = numba.int64(
                numba.int64, real, *[real] * self.scalars, *[array] * self.arrays
            )
            jit = numba.njit(signature, error_model="numpy", nogil=True)
            self.compiled = jit(python_function(self.source))

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


def _start_worker() -> None:
    global _worker
    with _worker_lock:
        if _worker is None:
            _worker = threading.Thread(target=_work, name="kernel compiler", daemon=True)
            _worker.start()


def _work() -> None:
    while True:
        _jobs.get().compile()
