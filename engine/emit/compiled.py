"""Many runs at once made quick, without anyone waiting for a compiler.

A `CellsKernel` runs them as NumPy arrays. One background thread compiles the same loop with Numba,
one kernel at a time, and the compiled function takes over when it is there. Single runs are not
compiled: 600 steps of Adam take 0.4 ms as plain Python (`engine.emit.scalar`), 0.1 s to compile.

A compilation cannot be interrupted, and Numba gives no machine code back: of 24 kernels that
nothing refers to any more 1.9 MB each stayed, 1.4 MB with their modules taken out of LLVM. So what
is compiled is bounded beforehand, in the length of its program and in number, few requests wait,
the newest first, and what has waited long is forgotten. Everything else runs as NumPy arrays. The
process that answers readers compiles nothing at all (`compile_nothing`); the one that works for
them does, and makes place for a fresh one once it has grown.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from engine import limits
from engine.emit.cells import block_source, lanes_source, results
from engine.emit.dialect import FUNCTIONS
from engine.emit.program import Loop
from engine.emit.subnormals import taken_for_zero
from engine.tape.operations import OPERATIONS


class Waiting:
    """Kernels that are asked for, the newest first; the oldest is dropped where too many wait."""

    def __init__(self) -> None:
        self._asked: deque[tuple[float, CellsKernel]] = deque()
        self._some = threading.Condition()
        self._worker: threading.Thread | None = None

    def put(self, kernel: CellsKernel) -> None:
        """Ask for a kernel, or again for one that waits."""
        with self._some:
            others = [asked for asked in self._asked if asked[1] is not kernel]
            self._asked = deque([*others, (time.monotonic(), kernel)], limits.WAITING_KERNELS)
            if self._worker is None:
                self._worker = threading.Thread(
                    target=self._work, name="kernel compiler", daemon=True
                )
                self._worker.start()
            self._some.notify()

    def take(self) -> CellsKernel:
        """The newest that has not waited too long; waits until there is one."""
        with self._some:
            while True:
                while not self._asked:
                    self._some.wait()
                when, kernel = self._asked.pop()
                if time.monotonic() - when < limits.WAITING_SECONDS:
                    return kernel
                self._asked.clear()  # the others have waited longer

    def __len__(self) -> int:
        return len(self._asked)

    def _work(self) -> None:
        while True:
            self.take().ensure()


class Budget:
    """How many kernels this process may still compile."""

    def __init__(self, left: int) -> None:
        self.left = left
        self._lock = threading.Lock()

    def take(self) -> bool:
        """One of them, if there is one left."""
        with self._lock:
            if not self.left:
                return False
            self.left -= 1
            return True


_waiting = Waiting()
_budget = Budget(limits.COMPILED_KERNELS)


_forbidden = False


def compile_nothing() -> None:
    """From now on this process compiles nothing: it answers readers, and a compiler is in its way.

    Processes that it starts may.
    """
    global _forbidden
    _forbidden = True


def compiler_enabled() -> bool:
    """Whether kernels are compiled (DESCENT_LAB_COMPILE=0 switches it off for all processes)."""
    return not _forbidden and os.environ.get("DESCENT_LAB_COMPILE", "1") != "0"


def kernels_left() -> int:
    """How many kernels this process may still compile."""
    return _budget.left


class CellsKernel:
    """Many runs at once, of one number type: `run` fills one array per result.

    The results are those of `cells.results`, and the same bits compiled or not where only
    + − × ÷ √ occur. In float32 both take subnormal numbers for zero where the machine can.
    """

    # Cells that NumPy takes at once: few enough for the cache, many enough to hide its overhead.
    LANES = 4096

    def __init__(self, loop: Loop, dtype: npt.DTypeLike) -> None:
        self.loop = loop
        self.dtype = np.dtype(dtype)
        self.compiled: Callable[..., Any] | None = None
        self._lock = threading.Lock()

    def request(self) -> None:
        """Ask for the compiled form; returns at once."""
        if self._allowed:
            _waiting.put(self)

    def ensure(self) -> None:
        """Compile now, in this thread, where the limits of this process allow it."""
        if self._allowed and _budget.take():
            self.compile()

    @property
    def _allowed(self) -> bool:
        short = len(self.loop.program.lines) <= limits.COMPILED_LINES
        return self.compiled is None and short and _budget.left > 0 and compiler_enabled()

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

        real = numba.from_dtype(self.dtype)
        arrays = [real[::1], *[real[:, ::1]] * 3]
        signature = numba.void(*[numba.int64] * 3, real, real, *arrays)
        jit = numba.njit(signature, error_model="numpy", nogil=True)
        scope = {**_numba_scope(), "real": self.dtype.type}
        source = block_source(self.loop, self.dtype.itemsize)
        function: Callable[..., Any] = jit(_sweep_of(source, scope))
        return function

    def run(
        self,
        steps: int,
        bound: float,
        target: float,
        constants: Sequence[float],
        per_step: Sequence[npt.NDArray[Any]],
        of_cell: Sequence[npt.NDArray[Any]] | npt.NDArray[Any],
    ) -> tuple[npt.NDArray[Any], ...]:
        """Run every cell; of_cell holds the starting points, then what varies, each (cells,)."""
        size = len(of_cell[0])
        ends = np.empty((len(results(self.loop)), size), self.dtype)
        number: Any = self.dtype.type
        bounds = number(bound), number(target)
        narrow = self.dtype == np.float32
        with np.errstate(all="ignore"), taken_for_zero() if narrow else nullcontext():
            if self.compiled is not None:
                rows = np.empty((len(per_step), steps), self.dtype)
                for row, array in zip(rows, per_step, strict=True):
                    row[:] = array
                numbers, given = np.array(constants, self.dtype), np.ascontiguousarray(of_cell)
                self.compiled(0, size, steps, *bounds, numbers, rows, given, ends)
                return tuple(ends)
            scalars = [number(x) for x in constants]
            for first in range(0, size, self.LANES):
                part = slice(first, first + self.LANES)
                arrays = (*per_step, *(a[part] for a in of_cell))
                ends[:, part] = self.plain(steps, *bounds, *scalars, *arrays)
        return tuple(ends)


def _sweep_of(source: str, scope: dict[str, Any]) -> Callable[..., Any]:
    exec(compile(source, "<emitted sweep>", "exec"), scope)
    function: Callable[..., Any] = scope["sweep"]
    return function


_CACHE_LINE = 64
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

    def empty(size: int, real: Any) -> Any:
        room = np.empty(size * 8 + _CACHE_LINE, np.uint8)
        first = -room.ctypes.data % _CACHE_LINE
        return room[first : first + size * 8].view(real)[:size]

    functions = {name: getattr(math, name) for name in FUNCTIONS}
    helpers = {f.__name__: numba.njit(f) for f in (where, power, empty)}
    return {**functions, **helpers, **_NUMBERS, "absolute": abs}
