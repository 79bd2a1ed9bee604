"""The comparison on digits: what was kept is what comes of it today, and verdicts say what is."""

from __future__ import annotations

import numpy as np
import pytest

from engine.studies import adam_paper as study
from engine.studies.adam_paper import (
    MODELS,
    RATES,
    RECORDS,
    SHOWN_ON,
    TUNED_ON,
    Outcome,
    Setting,
    at_an_end,
    compare,
    everyone,
    finished,
    run,
    verdict,
)
from engine.studies.fair_race import Cancelled


@pytest.mark.parametrize(
    ("model", "rule"),
    [
        ("logistic", "adam"),
        ("perceptron", "nesterov"),
        ("dropout", "rmsprop"),
        ("logistic", "kron"),
    ],
)
def test_what_was_kept_is_made_again(model: str, rule: str) -> None:
    """One run of the tuning and one that is shown, to what single precision leaves elsewhere."""
    kept = finished()[model]
    k = kept.rules.index(rule)
    place = RATES.index(0.01)
    again = run(kept.setting, rule, RATES[place], TUNED_ON[1], 1)
    assert again[-1, :2] == pytest.approx(kept.tuned[k, place, 1], rel=0.02)
    rate = RATES[kept.chosen("held")[k]]
    shown = run(kept.setting, rule, rate, SHOWN_ON[2])
    wanted = kept.shown("held")[k, 2]
    assert shown[:6, :2] == pytest.approx(wanted[:6, :2], rel=1e-3)
    assert shown[-1, 1] == pytest.approx(wanted[-1, 1], rel=0.1)
    assert shown[-1, 2] == pytest.approx(wanted[-1, 2], abs=0.01)


def test_all_that_was_kept_is_whole() -> None:
    for model in MODELS:
        kept = finished()[model]
        n = len(everyone())
        assert kept.tuned.shape == (n, len(RATES), len(TUNED_ON), 2)
        assert kept.curves.shape == (2, n, len(SHOWN_ON), RECORDS + 1, 3)
        assert not np.isnan(kept.tuned).any()
        assert np.isfinite(kept.curves).all()
        # All begin at the same weights, seed by seed.
        assert np.ptp(kept.curves[:, :, :, 0, 0], axis=(0, 1)) == pytest.approx(0, abs=1e-5)
        assert set(at_an_end(kept, "learned")) <= {"adadelta"}


def test_a_small_comparison_tunes_and_then_shows_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study, "RATES", (1e-4, 0.01, 10.0))
    monkeypatch.setattr(study, "_MADE", {})
    heard: list[float] = []
    setting = Setting("logistic", steps=60)
    found = compare(setting, ("adam", "adagrad"), progress=heard.append)
    assert found.tuned.shape == (2, 3, 3, 2)
    assert found.chosen("learned").tolist() in ([1, 1], [1, 2])
    assert heard == sorted(heard)
    assert heard[-1] <= 1.0
    ends = found.shown("learned")[:, :, -1, 0]
    assert ends.max() < 0.6 * found.shown("learned")[:, :, 0, 0].min()
    with pytest.raises(Cancelled):
        compare(setting, ("adam", "rmsprop"), cancelled=lambda: True)
    again = compare(setting, ("adagrad", "adam"), cancelled=lambda: True)  # all is there already
    assert np.array_equal(again.tuned, found.tuned[::-1])


def test_a_run_that_is_lost_is_infinite() -> None:
    found = run(Setting("perceptron", steps=60), "nesterov", 10.0, 0)
    assert np.isfinite(found[0, 0])
    assert found[-1].tolist() == [np.inf, np.inf, 0.0]


def test_a_verdict_counts_seeds_and_bands() -> None:
    ends = np.array([[1.0, 2.0, 3.0], [1.5, 2.5, 9.0], [4.0, 5.0, 6.0]])  # rules, seeds
    curves = np.zeros((2, 3, 3, RECORDS + 1, 3))
    curves[:, :, :, -1, 0] = curves[:, :, :, -1, 1] = ends
    found = Outcome(Setting(), ("sgd", "adam", "lion"), np.zeros((3, 1, 1, 2)), curves)
    judged = verdict(found, "learned")
    assert judged.order == ("sgd", "adam", "lion")
    assert judged.medians == (2.0, 2.5, 5.0)
    assert judged.wins == 3
    assert judged.like == ("adam",)
    assert verdict(found.of(("lion", "adam")), "held").order == ("adam", "lion")
