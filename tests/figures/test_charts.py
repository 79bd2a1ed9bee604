"""The parts of charts: traced numbers go through them, and outcomes can be told from the page."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine.emit.picture import Picture, Words
from figures import charts, style
from figures.style import contrast
from tests.figures.test_style import MODES, pick


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("color", charts.CLASS_COLORS)
def test_outcomes_stand_out_from_the_page(color: str, mode: str) -> None:
    assert contrast(pick(color, mode), pick(style.BACKGROUND, mode)) >= 3  # WCAG 2.2, 1.4.11


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("color", style.OUTCOME_WORDS)
def test_names_of_outcomes_can_be_read(color: str, mode: str) -> None:
    assert contrast(pick(color, mode), pick(style.BACKGROUND, mode)) >= 4.5  # WCAG 2.2, 1.4.3


def test_axes_and_marks_follow_traced_numbers() -> None:
    live = Picture({"T": 2.0, "z": [1.0, -2.0, 3.0]})
    t, z = live["T"], live["z"]
    layout = charts.axes((t * 0.1, 100.0), (0, t), log_x=True)
    low, high = layout["xaxis"]["range"]
    assert (low.data, high) == (pytest.approx(math.log10(0.2)), 2.0)
    charts.upright(layout, t, charts.plain(t))
    charts.level(layout, t, "T")
    (line, level), (name, aside, _) = layout["shapes"], layout["annotations"]
    assert line["x0"] is t
    assert name["x"].data == pytest.approx(math.log10(2))
    assert math.isnan(aside["x"].data)  # kept ready for where the right is nearer
    assert isinstance(name["text"], Words)
    assert str(name["text"]) == "2"
    assert level["y0"] is t
    assert charts.line(z, [1, 2, 3], style.INK)["x"] is z
    bars = charts.rows(z, charts.class_color(0), labels=charts.handled(z))
    assert bars["x"] is z
    np.testing.assert_array_equal(bars["y"], [0, 1, 2])
    assert [str(text).strip("\u00a0<br>") for text in bars["text"]] == ["1", "−2", "3"]


def test_plain_numbers_stay_plain() -> None:
    assert charts.signed(-0.25) == "−0.250"
    assert charts.plain(1e-7) == "10⁻⁷"
    assert charts.axes((1, 10), (0, 1), log_x=True)["xaxis"]["range"] == [0.0, 1.0]
