"""What a reader's own file may be: runs, grids, images. They are read in the browser, which is told
these limits with the component that reads; what it hands to Python is measured again here.
"""

from __future__ import annotations

from typing import Final

FILE_BYTES: Final = 20_000_000
"""Bytes of a file: a saved run, a path or log of a reader's own, a grid, an image."""
RUN_STEPS: Final = 100_000
"""Steps of a run that is laid over a picture."""
GRID_SIDE: Final = 48
"""Cells along a side of a grid as it comes to Python: a larger one, or an image, is averaged."""
