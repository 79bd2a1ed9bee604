"""The small living pictures of the home page: one a topic, each computed from the engine.

A picture is a figure without axes and what moves over it in FRAMES frames. They are small enough
to be sent as they are: no program of the page follows them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.derivatives.four_ways import STEPS as DIFFERENCE_STEPS
from engine.derivatives.four_ways import errors
from engine.derivatives.graph import EXAMPLES, build, read_program
from engine.derivatives.numerical import central_difference, relative_error
from engine.losses import functions, information, likelihood
from engine.optimizers import OPTIMIZERS
from engine.optimizers.schedules import SCHEDULES
from engine.problems.formula import parse
from engine.problems.landscapes import LANDSCAPES, Landscape
from engine.runs.descent import descend
from engine.runs.sweeps import sweep
from engine.studies.bias_correction import averages
from engine.studies.margins import margin_curve
from engine.studies.saturation import slopes
from engine.tape import autograd
from figures import charts, network_topics, style
from figures.small import FRAMES, Array, Small, bare, moving_bars, walked

ACROSS, UP = 45, 31  # of the grid under a path
CELLS = 36  # along each side of a map


def _ground(surface: Landscape, *, log: bool) -> dict[str, Any]:
    """A landscape from above, coarse."""
    (x0, x1), (y0, y1) = surface.window
    x, y = np.linspace(x0, x1, ACROSS), np.linspace(y0, y1, UP)
    z = surface.value(np.stack(np.meshgrid(x, y), axis=-1))
    if log:
        z = np.log(z - z.min() + 1e-3 * (z.max() - z.min()))
    low, high = float(z.min()), float(z.max())
    return {
        "type": "contour", "x": x, "y": y, "z": z.astype(np.float32), "zmin": low, "zmax": high,
        "colorscale": style.colorscale(style.CONTOUR), "showscale": False,
        "contours": {
            "coloring": "fill", "showlines": True, "start": low, "end": high,
            "size": (high - low) / 12,
        },
        "line": {"width": 0.6, "color": style.CONTOUR_LINE},
    }  # fmt: skip


def _paths(surface: Landscape, runs: Mapping[str, Mapping[str, float]], *, every: int = 1) -> Small:
    """Runs of rules, by slug with their settings, over a landscape; a frame is `every` steps."""
    tracks = []
    for slug, hypers in runs.items():
        steps = every * (FRAMES - 1)
        path = descend(surface, OPTIMIZERS[slug], surface.start, steps, hypers).path[::every]
        look = style.look(slug)
        tracks.append(
            {"x": path[:, 0], "y": path[:, 1], "color": look.color, "marker": look.marker}
        )
    (x0, x1), (y0, y1) = surface.window
    figure = bare((x0, x1), (y0, y1), _ground(surface, log=True))
    return Small(figure, tuple(tracks), kind="plane")


def _entropy() -> Small:
    p = np.linspace(0, 1, 101)
    h = information.binary_entropy(p, 2.0)
    color = charts.class_color(0)
    figure = bare((-0.03, 1.03), (-0.06, 1.12), charts.line(p, h, color))
    return Small(figure, (walked(p, h, style.INK, width=0.5),))


def _divergence() -> Small:
    p, q = np.array([0.6, 0.3, 0.1]), np.array([0.15, 0.25, 0.6])
    share = (0.5 - 0.5 * np.cos(np.linspace(0, math.pi, FRAMES)))[:, None]
    return moving_bars((1 - share) * q + share * p, (charts.class_color(1),), faint=p)


def _likelihood() -> Small:
    theta = np.linspace(0.02, 0.98, 121)
    found = likelihood.curves(7, 10, theta)
    kl, nll = np.asarray(found.kl), np.asarray(found.nll)
    figure = bare(
        (0.0, 1.0), (-0.1, 2.4),
        charts.line(theta, nll, charts.class_color(0)),
        charts.line(theta, kl, charts.class_color(1), dash="dash"),
    )  # fmt: skip
    down = np.linspace(0.06, float(likelihood.estimate(7, 10)), FRAMES)
    values = np.interp(down, theta, nll)
    return Small(figure, ({"x": down, "y": values, "color": style.INK},))


def _softmax() -> Small:
    logits = np.array([2.0, 1.0, 0.1])
    cooling, warming = 2 * FRAMES // 3, FRAMES - 2 * FRAMES // 3
    kinds = [*np.geomspace(8, 0.15, cooling), *np.geomspace(0.15, 1, warming)]
    rows = np.stack([functions.softmax(logits, t) for t in kinds])
    return moving_bars(rows, tuple(map(charts.class_color, range(3))))


def _saturation() -> Small:
    z = np.linspace(-8, 8, 121)
    tracks, lines = [], []
    for name, index, dash in (("cross_entropy", 0, "solid"), ("mse", 1, "dash")):
        pull = np.asarray(slopes(name, z, 1.0).gradient)
        color = charts.class_color(index)
        lines.append(charts.line(z, pull, color, dash=dash))  # type: ignore[arg-type]
        tracks.append(walked(z, pull, color))
    return Small(bare((-8.4, 8.4), (-1.1, 0.12), *lines), tuple(tracks))


def _losses() -> Small:
    margin = np.linspace(-2, 3, 101)
    names = ("logistic", "hinge", "squared")
    lines, tracks = [], []
    for index, name in enumerate(names):
        loss = np.asarray(margin_curve(name, margin).loss)
        color = charts.class_color(index)
        lines.append(charts.line(margin, loss, color))
        tracks.append(walked(margin, loss, color))
    return Small(bare((-2.05, 3.05), (-0.15, 4.0), *lines), tuple(tracks))


def _zig_zag() -> Small:
    bowl = LANDSCAPES["bowl"](condition=50.0, rotation=0.0)
    runs = {"sgd": {"lr": 0.0185}, "momentum": {"lr": 0.0185, "beta": 0.8}}
    return _paths(bowl, runs)


def _adam() -> Small:
    surface = LANDSCAPES["rosenbrock"]
    return _paths(surface, {"adam": {"lr": 0.3}}, every=4)


def _bias() -> Small:
    draws = np.random.default_rng(3).normal(1.0, 0.5, FRAMES - 1)
    found = averages(draws, 0.9, 0.999)
    frame = np.arange(FRAMES, dtype=float)
    raw, corrected = np.asarray(found.m), np.asarray(found.m_hat)
    tracks = (
        {"x": frame, "y": raw, "color": style.MUTED, "dash": "dash", "mode": "curve"},
        {"x": frame, "y": corrected, "color": style.look("adam").color, "mode": "curve"},
    )
    return Small(bare((-1, FRAMES), (-0.05, 1.9)), tracks)


def _rates() -> Small:
    bowl = LANDSCAPES["bowl"](condition=50.0, rotation=0.0)
    rates = np.geomspace(2e-4, 0.0199, FRAMES)
    found = sweep(bowl, OPTIMIZERS["sgd"], {"lr": rates}, bowl.start, 60, compiled=False)
    gap = np.log10(found.final_loss)
    x = np.log10(rates)
    figure = bare((x[0] - 0.05, math.log10(0.03)), (float(gap.min()) - 0.4, float(gap.max()) + 0.8))
    charts.band(figure["layout"], math.log10(0.02), math.log10(0.03))
    return Small(figure, ({"x": x, "y": gap, "color": style.look("sgd").color, "mode": "curve"},))


def _schedules() -> Small:
    t = np.arange(FRAMES, dtype=float)
    tracks = tuple(
        {"x": t, "y": schedule.factors(FRAMES), "color": charts.class_color(i), "mode": "curve"}
        for i, schedule in enumerate(
            (SCHEDULES["cosine"](warmup=0.1), SCHEDULES["step"], SCHEDULES["one_cycle"])
        )
    )
    return Small(bare((-1, FRAMES), (-0.06, 1.1)), tracks)


def _indices(values: Array, bad: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    """Colours of a map: 1 to 255 over the values, 0 where a run got away."""
    good = values[~bad]
    low, high = (float(good.min()), float(good.max())) if good.size else (0.0, 1.0)
    scaled = 1 + 254 * (values - low) / (high - low or 1.0)
    return np.where(bad, 0, np.nan_to_num(scaled, nan=0.0).clip(1, 255)).astype(np.uint8)


def _map() -> Small:
    bowl = LANDSCAPES["bowl"](condition=50.0, rotation=0.0)
    axes = {"beta": np.linspace(0, 0.99, CELLS), "lr": np.geomspace(1e-3, 0.06, CELLS)}
    found = sweep(bowl, OPTIMIZERS["momentum"], axes, bowl.start, 60, compiled=False)
    with np.errstate(all="ignore"):
        colours = _indices(np.log10(found.final_loss), found.diverged)
    raster = {
        "values": colours, "palette": (style.PAPER, *style.HEAT[1:]), "hatched": True,
        "x0": 0.0, "x1": 1.0, "y0": 0.0, "y1": 1.0,
    }  # fmt: skip
    row = np.linspace(0.15, 0.72, FRAMES)
    walk = {"x": 0.35 + 0.25 * row, "y": row, "color": style.ON_MAP}
    return Small(bare((0.0, 1.0), (0.0, 1.0)), (walk,), rasters=(raster,))


def _basins() -> Small:
    surface = LANDSCAPES["himmelblau"]
    (x0, x1), (y0, y1) = surface.window
    axes = {"y": np.linspace(y0, y1, CELLS), "x": np.linspace(x0, x1, CELLS)}
    found = sweep(surface, OPTIMIZERS["momentum"], axes, surface.start, 120,
                  hypers={"lr": 0.01, "beta": 0.8}, compiled=False)  # fmt: skip
    ends = found.nearest_minimum
    palette = (style.NEVER, *(style.tints(i, 3)[1] for i in range(int(ends.max()) + 1)))
    raster = {
        "values": np.where(ends < 0, 0, ends + 1).astype(np.uint8), "palette": palette,
        "x0": x0, "x1": x1, "y0": y0, "y1": y1,
    }  # fmt: skip
    path = descend(surface, OPTIMIZERS["momentum"], (0.2, -0.6), FRAMES - 1,
                   {"lr": 0.01, "beta": 0.8}).path  # fmt: skip
    walk = {"x": path[:, 0], "y": path[:, 1], "color": style.INK}
    return Small(bare((x0, x1), (y0, y1)), (walk,), rasters=(raster,), kind="plane")


def _four_ways() -> Small:
    found = errors("sin(x) * exp(x / 2)", (1.0, 0.0), "x")
    assert found is not None
    h = np.log10(DIFFERENCE_STEPS)[::-1]
    tracks = []
    for index, values in enumerate((found.forward, found.central)):
        y = np.log10(np.maximum(values, 1e-17))[::-1]
        tracks.append(walked(h, y, charts.class_color(index), mode="curve"))
    return Small(bare((float(h.min()), float(h.max())), (-13.5, 0.5)), tuple(tracks))


def _graph() -> Small:
    example = EXAMPLES["product"]
    program = read_program(example.text)
    drawn = build(program, example.values, program.inputs[0], program.outputs[-1])
    assert drawn.layout is not None
    at = np.array(drawn.layout.places, dtype=float) * (1, -1)
    low, high = at.min(axis=0) - 0.45, at.max(axis=0) + 0.45
    lines = [
        charts.line(
            at[[e.source, e.target], 0], at[[e.source, e.target], 1], style.MUTED, width=1.2
        )
        for e in drawn.edges
    ]
    names = [node.name for node in drawn.nodes]
    dots = charts.marks(at[:, 0], at[:, 1], charts.class_color(0), size=13, labels=names)
    figure = bare((low[0], high[0]), (low[1], high[1] + 0.25), *lines, dots)
    # The gradient goes back: the tape is read from its end, and every node passes its own on.
    arrows = []
    for target, begin in _turns(drawn.edges):
        for edge in (e for e in drawn.edges if e.target == target):
            tail, way = at[target], 0.86 * (at[edge.source] - at[target])
            grown = np.clip((np.arange(FRAMES) / FRAMES - begin) / 0.22, 0, 1)
            arrows.append(
                {
                    "x": np.full(FRAMES, tail[0]), "y": np.full(FRAMES, tail[1]),
                    "dx": grown * way[0], "dy": grown * way[1], "color": style.CORRECTION,
                }
            )  # fmt: skip
    return Small(figure, arrows=tuple(arrows))


def _turns(edges: Any) -> list[tuple[int, float]]:
    """The nodes that pass a gradient back, in the order of the tape read backwards, and when."""
    targets = sorted({edge.target for edge in edges}, reverse=True)
    return [(target, 0.05 + 0.72 * i / len(targets)) for i, target in enumerate(targets)]


def _chain() -> Small:
    """A chain of numbers that multiply: the running product of local derivatives along one."""
    program = read_program("a = 2*x\nb = sin(a)\nc = exp(b)\nd = c**2")
    drawn = build(program, (0.4,), "x", "d")
    slopes_back = [float(edge.derivative) for edge in drawn.edges][::-1]
    products = np.concatenate([[1.0], np.cumprod(slopes_back)])
    turn = np.linspace(0, len(products) - 1, FRAMES)
    reached = np.clip(turn[:, None] - np.arange(len(products))[None, :] + 1, 0, 1)
    return moving_bars(reached * products / products.max(), (charts.class_color(4),))


def _tape() -> Small:
    """The tape of the same function: written to its end, then read back."""
    example = EXAMPLES["product"]
    program = read_program(example.text)
    drawn = build(program, example.values, program.inputs[0], program.outputs[-1])
    last = len(drawn.nodes) - 1
    places = np.arange(last + 1.0)
    beads = charts.marks(
        places, 0 * places, charts.class_color(2), symbol="square", size=17,
        labels=[node.name for node in drawn.nodes], position="bottom center",
    )  # fmt: skip
    there, back = FRAMES // 2, FRAMES - FRAMES // 2
    walk = np.concatenate([np.linspace(0, last, there), np.linspace(last, 0, back)])
    over = np.concatenate([np.full(there, 0.45), np.full(back, 0.75)])
    track = {"x": walk, "y": over, "color": style.CORRECTION}
    return Small(bare((-0.6, last + 0.6), (-1.0, 1.3), beads), (track,))


def _check() -> Small:
    """Relative errors of a right gradient and of one with a lost sign, on a log scale."""
    formula = parse("(x + y) * sin(x)", ("x", "y"))
    point = (math.pi / 4, 1.0)
    right = np.array(autograd.grad(lambda x, y: formula(x=x, y=y), [0, 1])(*point), dtype=float)
    found = central_difference(lambda x, y: formula(x=x, y=y), point)
    errors_of = [relative_error(gradient, found) for gradient in (right, right * (1, -1))]
    digits = 16 + np.log10(np.maximum(np.concatenate(errors_of), 1e-16))
    grown = np.linspace(0, 1, FRAMES)[:, None] * digits[None, :] / 17
    small, large = charts.class_color(2), style.DIVERGED
    return moving_bars(grown, tuple(large if d > 9 else small for d in digits))


_PICTURES: Final[Mapping[str, Callable[[], Small]]] = MappingProxyType(
    {
        "entropy": _entropy,
        "divergence": _divergence,
        "likelihood": _likelihood,
        "saturation": _saturation,
        "softmax": _softmax,
        "losses": _losses,
        "race": _zig_zag,
        "debugger": _adam,
        "bias_correction": _bias,
        "which_rate": _rates,
        "schedules": _schedules,
        "map": _map,
        "basins": _basins,
        **network_topics.PICTURES,
        "four_ways": _four_ways,
        "graph": _graph,
        "chain_rule": _chain,
        "gradient_check": _check,
        "engine_room": _tape,
    }
)
NAMES: Final = tuple(_PICTURES)


@cache
def picture(name: str) -> Small:
    """The picture of a topic, by the page it opens. Raises KeyError for an unknown one."""
    return _PICTURES[name]()
