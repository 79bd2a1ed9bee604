"""One-cycle on runs of a few steps.

What it stands for: schedules are written for thousands of steps and tried on five; the phases of a
one-cycle then get widths below one step, which libraries meet with a division by zero
(pytorch/pytorch#180187, deepspeedai/DeepSpeed#1497) or, as here, with an end that stays near the
peak. Right values: the two phases as torch.optim.lr_scheduler.OneCycleLR defines them, written out
by hand below: the first ends at p·T − 1, the second at T − 1, both along half a cosine.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine.optimizers.schedules import SCHEDULES

PEAKS = [0.02, 0.1, 0.25, 0.3, 0.5, 0.7, 0.9]


def torch_factor(step: int, total: int, peak: float, divisor: float, final: float) -> float:
    first, highest, last = 1 / divisor, 1.0, 1 / divisor / final
    begin = 0.0
    for end, low, high in ((peak * total - 1, first, highest), (total - 1, highest, last)):
        if step <= end or end == total - 1:
            share = (step - begin) / (end - begin)
            return high + (low - high) / 2 * (1 + math.cos(math.pi * share))
        begin = end
    raise AssertionError


@pytest.mark.parametrize("total", [*range(1, 13), 30, 100])
@pytest.mark.parametrize("peak", PEAKS)
def test_every_step_is_torchs(peak: float, total: int) -> None:
    ours = SCHEDULES["one_cycle"](peak=peak).factors(total)
    if peak * total - 1 == 0:  # torch divides by zero here: the peak is the first step
        assert ours[0] == 1.0
        first = 1
    else:
        first = 0
    right = [torch_factor(step, total, peak, 25, 1e4) for step in range(first, total)]
    np.testing.assert_allclose(ours[first:], right, rtol=1e-12, atol=1e-16)


def test_the_reported_run() -> None:
    np.testing.assert_allclose(SCHEDULES["one_cycle"](peak=0.9).factors(2), [0.04, 4e-6], rtol=1e-9)


@pytest.mark.parametrize("total", range(1, 40))
@pytest.mark.parametrize("peak", PEAKS)
def test_every_run_ends_at_the_bottom(peak: float, total: int) -> None:
    factors = SCHEDULES["one_cycle"](peak=peak).factors(total)
    assert factors[-1] == pytest.approx(1.0 if peak * total == 1 == total else 4e-6, rel=1e-9)
    assert (factors > 0).all()
    assert (factors <= 1).all()


@pytest.mark.parametrize("slug", sorted(SCHEDULES))
@pytest.mark.parametrize("total", range(1, 8))
def test_no_schedule_breaks_on_a_run_of_a_few_steps(slug: str, total: int) -> None:
    entry = SCHEDULES[slug]
    ends = [
        {},
        {p.name: p.low for p in entry.parameters},
        {p.name: p.high for p in entry.parameters},
    ]
    for values in ends:
        factors = entry(**values).factors(total)
        assert factors.shape == (total,)
        assert ((factors >= 0) & (factors <= 1 + 1e-12)).all()
