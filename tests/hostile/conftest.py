"""A failing test says from which seed its examples were drawn."""

from __future__ import annotations

import sys

import pytest

from tests.hostile.drawn import SEED


@pytest.fixture(autouse=True)
def told_seed() -> None:
    sys.stdout.write(f"DESCENT_LAB_SEED={SEED}\n")
