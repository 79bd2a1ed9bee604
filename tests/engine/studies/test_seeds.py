"""Where noise leads: counts over seeds, against runs counted one by one."""

import numpy as np
import pytest

from engine import LANDSCAPES, OPTIMIZERS, descend
from engine.problems import minima as basins
from engine.studies import seeds
from engine.studies.seeds import Ends, ends_over_seeds


def test_shares_are_those_of_the_runs_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seeds, "SEEDS", 12)
    wells = LANDSCAPES["two_wells"]
    found = ends_over_seeds(wells, OPTIMIZERS["sgd"], (1.5, 0.0), 300, {"lr": 0.1}, noise=2.0)
    minima = basins.minima_of(wells)
    ends = [
        descend(wells, "sgd", (1.5, 0.0), 300, {"lr": 0.1}, noise=2.0, seed=s).path[-1]
        for s in range(12)
    ]
    labels = basins.label(np.array(ends), np.zeros(12), minima, noisy=True)
    assert found.seeds == 12
    assert found.shares == tuple(float((labels == k).mean()) for k in (0, 1, -1, -2))
    assert sum(found.shares) == pytest.approx(1.0)


def test_long_runs_are_made_on_fewer_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seeds, "MOST_STEPS", 400)
    sgd, bowl = OPTIMIZERS["sgd"], LANDSCAPES["bowl"]
    assert ends_over_seeds(bowl, sgd, (1.0, 1.0), 100, {"lr": 0.01}, noise=1.0).seeds == 4
    assert ends_over_seeds(bowl, sgd, (1.0, 1.0), 1000, {"lr": 0.01}, noise=1.0).seeds == 1


def test_the_error_of_a_share_is_the_binomial_one() -> None:
    """√(0.2 × 0.8 / 100) = 0.04."""
    assert Ends(100, (0.2, 0.8)).error(0) == pytest.approx(0.04)
