"""Numbers below the normal ones taken for zero, while arithmetic in float32 goes on.

Running powers, moments and squares of gradients sink below 1.2e-38 in many cells of a sweep, and
most processors take a hundred and more cycles for an operation on such a number: a sweep in float32
then takes longer than one in float64. To take them for zero is a switch of each thread's processor,
which XLA sets as well. It is reached by the C library's floating-point environment, where the place
of the switch in it is known; elsewhere such numbers are computed with, only more slowly.
"""

from __future__ import annotations

import ctypes
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_ENVIRONMENT = 64  # bytes, more than any fenv_t has

# Where the control word lies in Linux's fenv_t, and its bits: results and operands taken for zero.
_SWITCHES = {"x86_64": (28, 0x8040), "aarch64": (0, 1 << 24)}


def _switch() -> tuple[int, int] | None:
    little = sys.platform == "linux" and sys.byteorder == "little"
    return _SWITCHES.get(platform.machine()) if little else None


@contextmanager
def taken_for_zero() -> Iterator[bool]:
    """Within it this thread takes subnormal numbers for zero; says whether it does."""
    switch = _switch()
    if switch is None:
        yield False
        return
    library = ctypes.CDLL(None)
    before = ctypes.create_string_buffer(_ENVIRONMENT)
    library.fegetenv(before)
    place, bits = switch
    changed = bytearray(before.raw)
    word = int.from_bytes(changed[place : place + 4], "little") | bits
    changed[place : place + 4] = word.to_bytes(4, "little")
    library.fesetenv(bytes(changed))
    try:
        yield True
    finally:
        library.fesetenv(before)
