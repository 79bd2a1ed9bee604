"""The one look of the laboratory: what every picture takes its colours and layout from.

A colour is written "light|dark", one CSS colour for each theme; the stage picks in the
browser, so switching themes sends nothing. An optimizer has one colour, dash and marker
everywhere, given in the registry's order where none was chosen. The hues were chosen to stay
apart under protanopia, deuteranopia and tritanopia, and whoever shares a hue differs in dash and
marker.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine.optimizers import OPTIMIZERS

Dash: TypeAlias = Literal["solid", "dash", "dot", "dashdot", "longdash"]
Marker: TypeAlias = Literal[
    "circle", "square", "diamond", "triangle", "triangle-down", "cross", "x", "hexagon",
    "star", "pentagon", "plus", "ring",
]  # fmt: skip
Kind: TypeAlias = Literal["plane", "curve", "bars", "map", "scene"]

# The surfaces below equal the theme's in .streamlit/config.toml; a test compares them.
BACKGROUND: Final = "#fdfdfc|#15171b"
PANEL: Final = "#f3f2ee|#1f2228"
INK: Final = "#22211f|#e7e5e0"
MUTED: Final = "#62605b|#a3a19c"
GRID: Final = "#e6e4de|#2c3037"

TARGET: Final = "#22211f|#f2f0ea"  # a minimum, or a value to be reached
LIMIT: Final = "#a03608|#f2a05c"  # a bound from theory, such as 2/λmax
DIVERGED: Final = "#b0173f|#c2185b"  # stands apart from every colour of HEAT
NEVER: Final = "#d9d6cf|#33373f"  # a cell of a map whose run reached nothing
PAPER: Final = "rgba(0,0,0,0)"  # a cell that leaves the paper under a map to be seen
ON_MAP: Final = "#ffffff"  # marks and lines on a map, which is as colourful in both themes
ON_MAP_EDGE: Final = "#15171b"
ON_MAP_FAINT: Final = "rgba(255,255,255,0.42)"

# The three arrows of Nesterov's step, brown, red and green as the course draws them, in shades that
# differ for colour-blind readers too.
JUMP: Final = "#6e3600|#e4a458"
CORRECTION: Final = "#db1e33|#de6d64"
SUM: Final = "#047c37|#75d591"

HUES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "ink": ("#22211f", "#f2f0ea"),
        "blue": ("#4e77f2", "#7da0fc"),
        "teal": ("#093e50", "#5fd3fe"),
        "green": ("#076b35", "#489c63"),
        "olive": ("#7c8f0f", "#aac40a"),
        "brown": ("#5a2e07", "#cf7015"),
        "red": ("#b92200", "#fdbbac"),
        "pink": ("#bf6587", "#f984b0"),
        "purple": ("#7527a3", "#a258d5"),
    }
)

# One soft colour a class or outcome, the same hue in both themes and each at 3 : 1 or more against
# the page (WCAG 2.2, 1.4.11); the first four look different to any eye, and so do neighbours.
OUTCOMES: Final = (
    "#4477c3|#74a6ef",  # blue
    "#d07940|#ed9a67",  # orange
    "#2d9382|#5cc3b0",  # teal
    "#44576b|#8294a7",  # slate
    "#a4932e|#d0bf5e",  # gold
    "#c5617c|#e7869d",  # rose
    "#448247|#72b875",  # green
    "#82509e|#b788d4",  # purple
)

# The classes of a network's data, up to ten: any two look different to any eye in either theme, by
# hue or by lightness, and each is at 3 : 1 or more against the page.
CLASSES: Final = (
    *OUTCOMES[:4],
    "#5a5507|#f0c543",  # olive, gold
    "#a34f9e|#b05baa",  # magenta
    "#3f7b04|#7ce695",  # green
    "#a02d41|#e56d7a",  # crimson
    "#4e40a0|#6985e7",  # indigo
    "#b05649|#ca5747",  # brick
)

# The hues of outcomes for words, where a reader needs 4.5 : 1 (WCAG 2.2, 1.4.3).
OUTCOME_WORDS: Final = (
    "#4273bd|#74a6ef",
    "#a86234|#ed9a67",
    "#288172|#5cc3b0",
    "#44576b|#8294a7",
    "#827424|#d0bf5e",
    "#b15770|#e7869d",
    "#438146|#72b875",
    "#82509e|#b788d4",
)

DASHES: Final[tuple[Dash, ...]] = ("solid", "dash", "dot", "dashdot", "longdash")
REPEAT_MARKERS: Final[tuple[Marker, ...]] = ("pentagon", "plus", "ring")
TYPED: Final = "typed"  # the key under which `looks` counts optimizers that readers typed


@dataclass(frozen=True, slots=True)
class Look:
    """How one optimizer is drawn: a CSS colour for each theme, a dash and a marker."""

    color_light: str
    color_dark: str
    dash: Dash
    marker: Marker

    @property
    def color(self) -> str:
        """Both colours in the spelling of figures, "light|dark"."""
        return f"{self.color_light}|{self.color_dark}"

    @property
    def symbol(self) -> str:
        """The marker under Plotly's name."""
        return _SYMBOLS.get(self.marker, self.marker)


_SYMBOLS: Final[Mapping[Marker, str]] = MappingProxyType(
    {"triangle": "triangle-up", "plus": "cross-thin-open", "ring": "circle-open"}
)


def _look(hue: str, dash: Dash, marker: Marker) -> Look:
    light, dark = HUES[hue]
    return Look(light, dark, dash, marker)


# The rules that are raced most have a hue each; the rest share, with another dash and marker.
_CHOSEN: Final[Mapping[str, Look]] = MappingProxyType(
    {
        "sgd": _look("ink", "solid", "circle"),
        "momentum": _look("blue", "dash", "square"),
        "nesterov": _look("teal", "dot", "diamond"),
        "adagrad": _look("olive", "dashdot", "triangle"),
        "adadelta": _look("green", "longdash", "triangle-down"),
        "rmsprop": _look("brown", "dash", "cross"),
        "adam": _look("red", "solid", "hexagon"),
        "adam_l2": _look("pink", "dot", "x"),
        "adamw": _look("purple", "dash", "circle"),
        "amsgrad": _look("brown", "longdash", "square"),
        "qhadam": _look("blue", "longdash", "triangle"),
        "aggmo": _look("teal", "dashdot", "cross"),
        "eve": _look("olive", "solid", "square"),
        "sophia": _look("green", "solid", "diamond"),
        "muon": _look("pink", "solid", "triangle"),
        "newton": _look("ink", "dot", "triangle-down"),
        "nadam": _look("green", "dot", "circle"),
        "radam": _look("olive", "dot", "hexagon"),
        "adamax": _look("teal", "solid", "x"),
        "lion": _look("brown", "dot", "triangle"),
        "adan": _look("blue", "solid", "triangle-down"),
        "shampoo": _look("pink", "longdash", "hexagon"),
        "adafactor": _look("olive", "longdash", "diamond"),
        "schedule_free_sgd": _look("ink", "dashdot", "x"),
        "schedule_free_adamw": _look("purple", "dashdot", "cross"),
    }
)


_MARKERS: Final[tuple[Marker, ...]] = (
    "circle", "square", "diamond", "triangle", "triangle-down", "cross", "x", "hexagon",
)  # fmt: skip


def assign(slugs: Iterable[str], chosen: Mapping[str, Look]) -> dict[str, Look]:
    """A look for every slug, in its order: the chosen one, or the first that is still free.

    Who shares a hue differs in dash and in marker as long as there are such (45 looks), and in one
    of them after that (360 looks). Raises ValueError when there are no more.
    """
    found: dict[str, Look] = {}
    taken = set(chosen.values())

    def free(own: Look) -> bool:
        kin = [other for other in taken if other.color == own.color]
        return all(other.dash != own.dash and other.marker != own.marker for other in kin)

    every = [
        _look(hue, DASHES[(i + turn) % len(DASHES)], _MARKERS[(i + shift) % len(_MARKERS)])
        for shift in range(len(_MARKERS))
        for turn in range(len(DASHES))
        for i, hue in enumerate(HUES)
    ]
    # What is passed over is not free now and never will be, so each is asked of once.
    apart = filter(free, every)
    left = (other for other in every if other not in taken)
    for slug in slugs:
        own = chosen.get(slug) or next(apart, None) or next(left, None)
        if own is None:
            raise ValueError(f"no look is left for {slug!r}")
        taken.add(own)
        found[slug] = own
    return found


# A rule of the registry has its look without being named here.
LOOKS: Final[Mapping[str, Look]] = MappingProxyType(assign(OPTIMIZERS, _CHOSEN))


def _inside(slug: str) -> str:
    return slug.rpartition("~")[2]


def look(slug: str, repeat: int = 0) -> Look:
    """How to draw an optimizer; REPEAT counts from 0 where it runs more than once.

    A repeat keeps the colour and changes dash and marker. A wrapped rule (`sam~adam`) is drawn as
    the rule inside. A slug outside LOOKS is taken for a typed optimizer: a star, whose REPEAT
    counts all typed ones. Raises ValueError for a negative REPEAT.
    """
    if repeat < 0:
        raise ValueError(f"repeat counts from 0, not {repeat}")
    own = LOOKS.get(_inside(slug))
    if own is None:
        hues = tuple(HUES)
        return _look(hues[(repeat + 1) % len(hues)], DASHES[repeat % len(DASHES)], "star")
    if repeat == 0:
        return own
    dash = DASHES[(DASHES.index(own.dash) + repeat) % len(DASHES)]
    return replace(own, dash=dash, marker=REPEAT_MARKERS[(repeat - 1) % len(REPEAT_MARKERS)])


def looks(slugs: Iterable[str]) -> tuple[Look, ...]:
    """A look for each entry of a race, in its order, telling repeats apart."""
    seen: Counter[str] = Counter()
    result = []
    for slug in slugs:
        key = _inside(slug) if _inside(slug) in LOOKS else TYPED
        result.append(look(slug, seen[key]))
        seen[key] += 1
    return tuple(result)


# Ottosson, "A perceptual color space for image processing" (2020): linear sRGB -> cone
# responses, and their cube roots -> OKLab, in which equal distances look equal.
_TO_CONES: Final = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_OKLAB: Final = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def linear_rgb(color: str) -> NDArray[np.float64]:
    """Linear-light sRGB in [0, 1], shape (3,), of "#rrggbb"."""
    encoded = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def oklab(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    """OKLab (lightness, green–red, blue–yellow) of linear sRGB; both of shape (3,)."""
    return np.asarray(_TO_OKLAB @ np.cbrt(_TO_CONES @ linear))


def _css(lab: NDArray[np.float64]) -> str:
    linear = np.linalg.solve(_TO_CONES, np.linalg.solve(_TO_OKLAB, lab) ** 3).clip(0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return "#" + "".join(f"{round(255 * channel):02x}" for channel in encoded)


def ramp(anchors: Iterable[str], count: int) -> tuple[str, ...]:
    """COUNT colours along ANCHORS, each as far from the next as the eye can tell."""
    corners = np.array([oklab(linear_rgb(anchor)) for anchor in anchors])
    lengths = np.linalg.norm(np.diff(corners, axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(lengths)])
    at = np.linspace(0, along[-1], count)
    path = np.stack([np.interp(at, along, corners[:, i]) for i in range(3)], axis=1)
    return tuple(map(_css, path))


_LUMINANCE: Final = np.array([0.2126, 0.7152, 0.0722])
_READABLE: Final = 4.5  # to one, which a word needs against its paper (WCAG 2.2, 1.4.3)


def contrast(first: str, second: str) -> float:
    """WCAG 2.2 contrast ratio of two colours "#rrggbb"."""
    low, high = sorted(float(_LUMINANCE @ linear_rgb(color)) for color in (first, second))
    return (high + 0.05) / (low + 0.05)


@cache
def word(color: str) -> str:
    """The shade of "light|dark" COLOR that a word on paper takes, which is read more finely than a
    line is: darker or paler where it has to be. What is no such pair is given back."""
    if not re.fullmatch(r"#[0-9a-f]{6}\|#[0-9a-f]{6}", color):
        return color
    shades = []
    for own, paper, step in zip(
        color.split("|"), BACKGROUND.split("|"), (-0.005, 0.005), strict=True
    ):
        shade, lab = own, oklab(linear_rgb(own))
        while contrast(shade, paper) < _READABLE:
            lab = lab + np.array([step, 0.0, 0.0])
            shade = _css(lab)
        shades.append(shade)
    return "|".join(shades)


# Loss over a grid, low to high, for maps whose colour is the message: lightness rises all
# the way, from blue to yellow, the axis that red-green blindness leaves intact.
HEAT: Final = ramp(("#232a72", "#2b5fb3", "#2f94b8", "#62c0a0", "#b5dc6e", "#fbe96a"), 256)

# Loss under trails, low to high: pale on light and deep on dark, so that trails stand out.
CONTOUR: Final = tuple(
    f"{light}|{dark}"
    for light, dark in zip(
        ramp(("#e6edf5", "#f1f3f4", "#fdfdfc"), 32),
        ramp(("#22303f", "#1d242d", "#15171b"), 32),
        strict=True,
    )
)
CONTOUR_LINE: Final = "#b4c0cc|#4a5a6e"


# Angles of the hues of basins in OKLab: neighbours far apart, none brighter than another.
_TINTS: Final = (4.4, 1.0, 2.6, 5.6, 0.3, 3.4, 1.8, 5.0)
_TINT_CHROMA: Final = 0.075


def tints(index: int, count: int) -> tuple[str, ...]:
    """COUNT shades of tint INDEX, dark to pale, as light as those of any other tint."""
    angle = _TINTS[index % len(_TINTS)]
    hue = _TINT_CHROMA * np.array([np.cos(angle), np.sin(angle)])
    light, dark = (
        [_css(np.array([lightness, *hue])) for lightness in np.linspace(*ends, count)]
        for ends in ((0.60, 0.90), (0.36, 0.66))
    )
    return tuple(map("|".join, zip(light, dark, strict=True)))


def colorscale(colors: tuple[str, ...]) -> list[list[Any]]:
    """Plotly's colorscale [[0, first], …, [1, last]] through at most 33 of COLORS."""
    chosen = np.linspace(0, len(colors) - 1, min(33, len(colors))).round().astype(int)
    return [[i / (len(chosen) - 1), colors[at]] for i, at in enumerate(chosen)]


FONT: Final = {"family": '"Source Sans", system-ui, sans-serif', "size": 13, "color": INK}
_AXIS: Final[Mapping[str, Any]] = {
    "color": MUTED,
    "gridcolor": GRID,
    "linecolor": GRID,
    "zeroline": False,
    "showline": True,
    "ticks": "outside",
    "ticklen": 4,
    "tickcolor": GRID,
    "automargin": True,
    "title": {"font": {"size": 13}, "standoff": 6},
}


def base_layout(kind: Kind) -> dict[str, Any]:
    """A new Plotly layout for a picture of this kind; the caller adds titles and ranges.

    "plane" is a landscape from above, "curve" lines against a grid, "bars" bars on a common
    base, "map" cells over two hyper-parameters, "scene" a surface. All of it is JSON.
    """
    layout: dict[str, Any] = {
        "font": dict(FONT),
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 44, "r": 12, "t": 28, "b": 40},
        "hoverlabel": {
            "bgcolor": PANEL,
            "bordercolor": GRID,
            "font": {"family": FONT["family"], "color": INK},
        },
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "showlegend": False,
    }
    if kind == "scene":
        axis = {"color": MUTED, "gridcolor": GRID, "zeroline": False, "showbackground": False}
        layout["margin"] = {"l": 0, "r": 0, "t": 0, "b": 0}
        layout["scene"] = {f"{name}axis": dict(axis) for name in "xyz"}
        return layout
    with_grid = {"plane": (False, False), "map": (False, False), "bars": (False, True)}
    for name, grid in zip("xy", with_grid.get(kind, (True, True)), strict=True):
        layout[f"{name}axis"] = {**_AXIS, "title": {**_AXIS["title"]}, "showgrid": grid}
    if kind == "bars":
        layout["bargap"] = 0.35
        layout["yaxis"] |= {"zeroline": True, "zerolinecolor": MUTED}
    return layout
