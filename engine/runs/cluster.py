"""The one setting that sends big sweeps to a Dask cluster: DESCENT_LAB_DASK, a scheduler's address.

Dask is imported only where the setting is there. The workers need this repository on their path.
"""

from __future__ import annotations

import os
import time
from concurrent.futures import Executor
from functools import lru_cache
from typing import Any

SETTING = "DESCENT_LAB_DASK"
_SECONDS = 5  # to wait for a scheduler before doing without


def executor() -> tuple[Executor | None, str]:
    """The cluster as an executor, or None; and a sentence where a cluster was asked for in vain.

    Where nobody answered it is tried again after a minute, not at every sweep.
    """
    address = os.environ.get(SETTING, "").strip()
    return _attempt(address, int(time.monotonic() // 60)) if address else (None, "")


@lru_cache(maxsize=1)
def _attempt(address: str, minute: int) -> tuple[Executor | None, str]:
    try:
        found: Executor = _client(address).get_executor()
    except ImportError:
        return None, f"{SETTING} is set, but dask[distributed] is not installed."
    except (OSError, ValueError) as error:
        return None, f"No Dask scheduler answers at {address} ({error}); sweeps run here."
    return found, ""


@lru_cache(maxsize=1)
def _client(address: str) -> Any:
    """One connection for the process."""
    import distributed

    connect: Any = distributed.Client
    return connect(address, timeout=_SECONDS)
