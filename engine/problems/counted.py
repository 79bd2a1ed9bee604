"""Random numbers by counting: the i-th of a stream is a hash of the seed, the stream and i.

Nothing is carried from one draw to the next, so that Python, a network's training printed for the
browser, and a run taken up in its middle all draw the same numbers. Whole numbers of 32 bits are
all it takes, which JavaScript multiplies as NumPy does: `counted.js` draws them in the browser.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

IN_BROWSER: Final = Path(__file__).with_name("counted.js").read_text(encoding="utf-8")
"""An ES module whose `make()` gives {order, signs, masks}, the same numbers."""

_GOLDEN = 0x9E3779B9
_MASK = 0xFFFFFFFF


def _mixed(x: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """Every bit of x spread over all bits: lowbias32 (Wellons, Prospecting for hash functions)."""
    x = x ^ (x >> np.uint32(16))
    x = x * np.uint32(0x7FEB352D)
    x = x ^ (x >> np.uint32(15))
    x = x * np.uint32(0x846CA68B)
    return x ^ (x >> np.uint32(16))


def bits(seed: int, stream: int, size: int) -> npt.NDArray[np.uint32]:
    """Whole numbers from 0 to 2³² − 1, (size,), the same for the same seed and stream."""
    first = _mixed(np.array([(seed + _GOLDEN) & _MASK], np.uint32))
    key = _mixed(first ^ np.uint32(stream & _MASK))
    count = np.arange(size, dtype=np.uint32) * np.uint32(_GOLDEN)
    return _mixed(key + count)


def order(seed: int, stream: int, size: int) -> npt.NDArray[np.intp]:
    """A permutation of 0 … size − 1: places sorted by their bits."""
    return np.argsort(bits(seed, stream, size), kind="stable")


def signs(seed: int, stream: int, size: int) -> npt.NDArray[np.float64]:
    """−1 and 1 by their last bit, (size,)."""
    return np.where(bits(seed, stream, size) & np.uint32(1), 1.0, -1.0)


def uniform(seed: int, stream: int, size: int) -> npt.NDArray[np.float64]:
    """Numbers in [0, 1), (size,), in steps of 2⁻³²."""
    return bits(seed, stream, size) / 4294967296.0
