"""The look holds its promises: contrast, and differences that colour-blind readers see."""

from __future__ import annotations

import itertools
import json
import tomllib
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.optimizers import OPTIMIZERS
from engine.problems.data import CSV_CLASSES
from figures import style, training
from figures.style import contrast
from tests.figures import ciede2000

THEME = tomllib.loads((Path(__file__).parents[2] / ".streamlit/config.toml").read_text())["theme"]
MODES = ("light", "dark")
SLUGS = list(OPTIMIZERS)
NEW = [f"new_{i}" for i in range(20)]  # rules that nobody has chosen a look for

# Machado, Oliveira & Fernandes (2009), severity 1, on linear RGB.
VISION = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
LOOKS_ANOTHER = 8.0  # CIEDE2000; what stands side by side is just noticed to differ at about 1
APART = 0.08  # in OKLab; a just noticeable difference is about 0.02


def seen(color: str, vision: str) -> NDArray[np.float64]:
    return style.oklab((VISION[vision] @ style.linear_rgb(color)).clip(0, 1))


def distance(first: str, second: str) -> float:
    """The smallest OKLab distance of two colours over all kinds of colour vision."""
    return min(float(np.linalg.norm(seen(first, v) - seen(second, v))) for v in VISION)


def difference(first: str, second: str) -> float:
    """The smallest CIEDE2000 difference of two colours over all kinds of colour vision."""
    return min(
        ciede2000.difference(
            *(
                ciede2000.lab((matrix @ style.linear_rgb(color)).clip(0, 1))
                for color in (first, second)
            )
        )
        for matrix in VISION.values()
    )


def pick(color: str, mode: str) -> str:
    return color.split("|")[MODES.index(mode)]


def own_color(look: style.Look, mode: str) -> str:
    return look.color_light if mode == "light" else look.color_dark


def test_measures_agree_with_published_values() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)  # WCAG 2.2
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)  # WebAIM
    red = style.oklab(style.linear_rgb("#ff0000"))  # Ottosson's reference implementation
    assert red == pytest.approx([0.62796, 0.22486, 0.12585], abs=1e-4)
    assert distance("#b01010", "#606010") < APART < distance("#1010b0", "#606010")


def test_every_optimizer_has_a_look_of_its_own() -> None:
    assert list(style.LOOKS) == SLUGS
    looks = list(style.LOOKS.values())
    assert len(set(looks)) == len(looks)


def test_a_new_rule_gets_a_look_that_is_nobody_elses() -> None:
    given = style.assign([*SLUGS, *NEW], style.LOOKS)
    assert {slug: given[slug] for slug in SLUGS} == dict(style.LOOKS)
    assert len(set(given.values())) == len(given)
    for slug in NEW:
        assert given[slug].marker not in ("star", *style.REPEAT_MARKERS)
    for first, second in itertools.combinations(list(given.values())[:45], 2):
        if first.color == second.color:
            assert first.dash != second.dash
            assert first.marker != second.marker
    assert style.assign([*SLUGS, *NEW], style.LOOKS) == given  # the same tomorrow


def test_looks_end_with_an_error_and_not_with_a_twin() -> None:
    many = [f"rule_{i}" for i in range(360)]
    assert len(set(style.assign(many, {}).values())) == 360
    with pytest.raises(ValueError, match="no look is left"):
        style.assign([*many, "one more"], {})


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("slug", SLUGS)
def test_trails_stand_out(slug: str, mode: str) -> None:
    color = own_color(style.LOOKS[slug], mode)
    assert contrast(color, pick(style.BACKGROUND, mode)) >= 3
    assert min(contrast(color, pick(fill, mode)) for fill in style.CONTOUR) >= 3


@pytest.mark.parametrize("mode", MODES)
def test_hues_are_told_apart_with_any_colour_vision(mode: str) -> None:
    hues = [pair[MODES.index(mode)] for pair in style.HUES.values()]
    assert min(distance(*pair) for pair in itertools.combinations(hues, 2)) >= APART


@pytest.mark.parametrize("mode", MODES)
def test_two_rules_of_a_race_differ_in_colour_or_in_dash_and_marker(mode: str) -> None:
    for first, second in itertools.combinations(style.LOOKS.values(), 2):
        if first.dash == second.dash or first.marker == second.marker:
            colors = (own_color(look, mode) for look in (first, second))
            assert difference(*colors) >= LOOKS_ANOTHER, (first, second)


@pytest.mark.parametrize("mode", MODES)
def test_what_stands_on_one_picture_looks_another_with_any_colour_vision(mode: str) -> None:
    """Arrows of one step, marks of one chart, the classes of a plane, four outcomes, and more of
    them, which have names besides, each from its neighbour."""
    outcomes, classes = ([pick(c, mode) for c in kind] for kind in (style.OUTCOMES, style.CLASSES))
    arrows = [pick(color, mode) for color in (style.JUMP, style.CORRECTION, style.SUM)]
    marks = [pick(color, mode) for color in (style.INK, style.MUTED, style.LIMIT)]
    together = [itertools.combinations(c, 2) for c in (arrows, marks, outcomes[:4], classes)]
    for first, second in itertools.chain(*together, itertools.pairwise(outcomes)):
        assert difference(first, second) >= LOOKS_ANOTHER, (first, second)


def test_each_of_ten_classes_has_a_colour_and_a_marker_of_its_own() -> None:
    assert len(set(style.CLASSES)) == len(set(training.MARKERS)) == CSV_CLASSES
    assert style.CLASSES[:4] == style.OUTCOMES[:4]  # two classes look as two outcomes do
    for color, mode in itertools.product(style.CLASSES, MODES):
        assert contrast(pick(color, mode), pick(style.BACKGROUND, mode)) >= 3  # WCAG 2.2, 1.4.11


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("mode", MODES)
def test_what_stands_for_a_number_grows_lighter_or_darker_for_every_eye(
    mode: str, vision: str
) -> None:
    """Heat maps, the depths under trails, the tints of a basin, the cells of a confusion."""
    paper = style.linear_rgb(pick(style.BACKGROUND, mode))
    heat = [seen(color, vision)[0] for color in style.HEAT[::5]]
    depths = [seen(pick(color, mode), vision)[0] for color in style.CONTOUR[::5]]
    scales = [np.diff(heat), np.diff(depths) * (1 if mode == "light" else -1)]
    for index in range(8):
        tints = [seen(pick(color, mode), vision)[0] for color in style.tints(index, 5)]
        scales += [np.diff(tints)]
    for color in style.OUTCOMES[:2]:  # right, and taken for another; more is more opaque
        own = style.linear_rgb(pick(color, mode))
        cells = [paper + share * (own - paper) for share in np.linspace(0.08, 0.88, 9)]
        light = [style.oklab((VISION[vision] @ cell).clip(0, 1))[0] for cell in cells]
        scales.append(np.diff(light) * (-1 if mode == "light" else 1))
    assert all((scale > 0).all() for scale in scales)


@pytest.mark.parametrize("mode", MODES)
def test_words_in_a_colour_can_be_read_and_keep_it(mode: str) -> None:
    """What a canvas writes, which axe-core does not see: WCAG 2.2, 1.4.3."""
    marks = (style.LIMIT, style.TARGET, style.JUMP, style.CORRECTION, style.SUM)
    hues = ["|".join(pair) for pair in style.HUES.values()]
    for color in (*hues, *style.OUTCOMES, *marks):
        word = pick(style.word(color), mode)
        assert contrast(word, pick(style.BACKGROUND, mode)) >= 4.5, color
        before, after = (style.oklab(style.linear_rgb(c))[1:] for c in (pick(color, mode), word))
        assert np.linalg.norm(after - before) < 0.03, color  # the hue of its line
    assert style.word("var(--st-text-color)") == "var(--st-text-color)"


def test_a_shared_hue_comes_with_another_dash_and_marker() -> None:
    for first, second in itertools.combinations(style.LOOKS.values(), 2):
        if first.color == second.color:
            assert first.dash != second.dash, (first, second)
            assert first.marker != second.marker, (first, second)


def test_repeats_keep_their_colour_and_are_told_apart() -> None:
    once, twice, thrice = style.looks(["adam"] * 3)
    assert once == style.LOOKS["adam"]
    assert once.color == twice.color == thrice.color
    assert len({once.dash, twice.dash, thrice.dash}) == 3
    assert len({once.marker, twice.marker, thrice.marker}) == 3


@pytest.mark.parametrize(
    "race", [["adam"] * 12, SLUGS[:6] * 2, SLUGS * 2, ["my rule", "another"] * 6, ["x", "sgd"] * 6]
)
def test_no_two_runs_of_a_race_look_the_same(race: list[str]) -> None:
    assert len(set(style.looks(race))) == len(race)


def test_a_typed_optimizer_never_looks_like_a_named_one() -> None:
    named = {look.marker for look in style.LOOKS.values()} | set(style.REPEAT_MARKERS)
    assert style.look("my rule").marker not in named


def test_a_negative_repeat_is_refused() -> None:
    with pytest.raises(ValueError, match="counts from 0"):
        style.look("adam", -1)


def test_heat_is_perceptually_uniform() -> None:
    labs = np.array([style.oklab(style.linear_rgb(color)) for color in style.HEAT[::5]])
    steps = np.linalg.norm(np.diff(labs, axis=0), axis=1)
    assert steps.std() / steps.mean() < 0.1
    assert (np.diff(labs[:, 0]) > 0).all()


@pytest.mark.parametrize("mode", MODES)
def test_divergence_is_no_colour_of_the_map(mode: str) -> None:
    assert min(distance(pick(style.DIVERGED, mode), color) for color in style.HEAT) >= APART


@pytest.mark.parametrize("colors", [style.HEAT, style.CONTOUR])
def test_colorscale_spans_the_palette(colors: tuple[str, ...]) -> None:
    scale = style.colorscale(colors)
    assert [scale[0], scale[-1]] == [[0, colors[0]], [1, colors[-1]]]
    assert len(scale) <= 33


@pytest.mark.parametrize("mode", MODES)
def test_text_is_readable(mode: str) -> None:
    for surface in (style.BACKGROUND, style.PANEL):
        assert contrast(pick(style.INK, mode), pick(surface, mode)) >= 7
        assert contrast(pick(style.MUTED, mode), pick(surface, mode)) >= 4.5
    for mark in (style.LIMIT, style.TARGET, style.JUMP, style.CORRECTION, style.SUM):
        assert contrast(pick(mark, mode), pick(style.BACKGROUND, mode)) >= 3


@pytest.mark.parametrize("mode", MODES)
def test_theme_is_readable_and_equals_the_figures(mode: str) -> None:
    theme = THEME[mode]
    assert theme["backgroundColor"] == pick(style.BACKGROUND, mode)
    assert theme["secondaryBackgroundColor"] == pick(style.PANEL, mode)
    assert theme["textColor"] == pick(style.INK, mode)
    for surfaces in (theme, theme["sidebar"]):
        for name in ("backgroundColor", "secondaryBackgroundColor"):
            assert contrast(theme["textColor"], surfaces[name]) >= 7
            assert contrast(theme["linkColor"], surfaces[name]) >= 4.5
    assert contrast("#ffffff", theme["primaryColor"]) >= 4.5  # the text of a primary button
    assert contrast(theme["primaryColor"], theme["backgroundColor"]) >= 3  # and its edge


@pytest.mark.parametrize("kind", get_args(style.Kind))
def test_layouts_are_json_and_not_shared(kind: style.Kind) -> None:
    first, second = style.base_layout(kind), style.base_layout(kind)
    assert json.loads(json.dumps(first)) == second
    for part in (layout := first, *(v for v in first.values() if isinstance(v, dict))):
        part["changed"] = True
    assert "changed" not in json.dumps(second), layout
    assert "changed" not in json.dumps(style.base_layout(kind))
