"""A race that was taken along, once for all that look at it."""

from __future__ import annotations

import pytest

from export.capture import Capture, capture


@pytest.fixture(scope="session")
def race() -> Capture:
    """Of two runners, to be changed among three of five rules."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("export.lineup.MOST", 3)  # runners of a form; the more, the longer it takes
        return capture(
            "race", {"steps": "40"}, room=1, presets=False, rules=["adam", "lion", "newton"]
        )
