"""How the engine's caches do: what a server counts."""

from __future__ import annotations

from typing import Any, Final

from engine.optimizers import typed
from engine.problems import formula
from engine.runs import browser, descent, sweeps

# The caches that a reader's moves and texts meet, by what they hold.
_CACHES: Final[dict[str, Any]] = {
    "browser_modules": browser._run_text,
    "browser_sweeps": browser._sweep_text,
    "run_kernels": descent._kernel,
    "sweep_kernels": sweeps._kernel,
    "typed_landscapes": formula._landscape,
    "typed_rules": typed._rule,
}


def caches() -> dict[str, tuple[int, int, int]]:
    """(hits, misses, entries) of each cache since the process began."""
    found = {name: cache.cache_info() for name, cache in _CACHES.items()}
    return {name: (info.hits, info.misses, info.currsize) for name, info in found.items()}
