"""What the hyper-parameter map computes: a request for every runner's map, its cells while they
follow the hand, and the same at rest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from engine.emit.picture import Picture, stack
from engine.problems.landscapes import Landscape
from engine.runs.live_sweep import LiveSweep, Span, check_length, live_sweep
from engine.runs.sweeps import Sweep
from engine.studies import maps
from engine.studies.maps import Axis
from pages import fine_maps, problem, side_by_side
from pages.competitors import Runner
from pages.state import Experiment

COLORS: Final = ("loss", "steps to target")
FINE: Final = 512  # cells along a side of the server's map


def by_loss(x: Experiment) -> bool:
    """Whether the colours say losses, not steps."""
    return bool(x["by"] == COLORS[0])


@dataclass(frozen=True)
class Request:
    """One map to be made: a runner on the problem, over two axes (or one), as the page stands."""

    runner: Runner
    surface: Landscape
    across: Axis
    up: Axis | None
    start: tuple[float, float]
    steps: int
    noise: float
    seed: int
    target: float

    @property
    def axes(self) -> tuple[Axis, ...]:
        return (self.across,) if self.up is None else (self.up, self.across)

    @property
    def mark(self) -> str:
        """The same for the same map; what an axis overrides does not count."""
        names = {a.name for a in self.axes}
        rest = {n: v for n, v in self.hypers.items() if n not in names}
        place = [s for n, s in zip("xy", self.start, strict=True) if n not in names]
        said = (
            self.surface.slug, self.surface.name, sorted(self.surface.arguments.items()),
            self.runner.slug, self.runner.rule, sorted(rest.items()),
            sorted(self.runner.options.items()), self.axes, place,
            self.steps, self.noise, self.seed, self.target,
        )  # fmt: skip
        return hashlib.blake2b(repr(said).encode(), digest_size=8).hexdigest()

    @property
    def hypers(self) -> dict[str, float]:
        return self.runner.optimizer.hyper_values(self.runner.hypers)

    @property
    def curvatures(self) -> tuple[float, float] | None:
        """The smallest and the largest, where they are the same everywhere."""
        return maps.quadratic_curvatures(self.surface)

    @property
    def quadratic(self) -> bool:
        """Whether there is theory: one positive curvature everywhere, and no noise."""
        curvatures = self.curvatures
        return curvatures is not None and self.noise == 0 and curvatures[1] > 0

    @property
    def has_pair(self) -> bool:
        """Whether the map is one of momentum's learning rate against β, on a quadratic bowl."""
        curvatures = self.curvatures
        form = self.runner.optimizer.option_values(self.runner.options).get("form")
        plain = self.runner.slug == "momentum" and form == "velocity"
        axes = {a.name for a in self.axes}
        return curvatures is not None and curvatures[0] > 0 and plain and axes == {"lr", "beta"}

    def check(self) -> None:
        """Raise ValueError for one that would take too long."""
        optimizer, options = self.runner.optimizer, self.runner.options
        check_length(self.surface, optimizer, tuple(a.name for a in self.axes), self.steps, options)

    def sweep(self, progress: Callable[[float], None], cancelled: Callable[[], bool]) -> Sweep:
        """The fine map; asks nothing of Streamlit."""
        side = FINE if self.up is not None else 2 * FINE
        return fine_maps.fine_sweep(
            self.surface, self.runner.optimizer, {a.name: a.values(side) for a in self.axes},
            self.start, self.steps, hypers=self.runner.hypers, options=self.runner.options,
            noise=self.noise, seed=self.seed, target=self.target,
            progress=progress, cancelled=cancelled,
        )  # fmt: skip


def axis_for(x: Experiment, runner: Runner, surface: Landscape, which: str) -> Axis | None:
    """The axis x or y of a runner's map as the reader chose it, or what suits the runner."""
    known = maps.axis_names(runner.optimizer)
    first = x["ax"] if x["ax"] in known else known[0]
    name: str | None = first
    if which == "y":
        second = x["ay"] if x["ay"] in known and x["ay"] != first else ""
        name = second or maps.second_axis(runner.optimizer, first)
    if name is None:
        return None
    usual = maps.default_axis(surface, runner.optimizer, name)
    log = usual.log if x[f"s{which}"] == "auto" else x[f"s{which}"] == "log"
    low, high = x[f"{which}r"] if len(x[f"{which}r"]) == 2 else (usual.low, usual.high)
    return usual.over(low, high, log=log)


def requests(x: Experiment) -> list[Request]:
    """The maps of this page, one a runner."""
    surface = problem.landscape(x)
    found = []
    for runner in x["runs"][: side_by_side.MOST]:
        across = axis_for(x, runner, surface, "x")
        assert across is not None
        found.append(
            Request(
                runner,
                surface,
                across,
                axis_for(x, runner, surface, "y"),
                problem.start_point(x, surface),
                x["steps"],
                x["noise"],
                x["seed"],
                x["target"] + maps.floor_of(surface),
            )
        )
    return found


@dataclass(frozen=True)
class Map:
    """A map in the picture: its request, its cells, and their losses above the minimum."""

    request: Request
    place: int
    spans: tuple[Span, Span | None]
    cells: LiveSweep
    gaps: Any


def live_map(
    x: Experiment, live: Picture, place: int, request: Request, known: Sweep | None, begin: Any
) -> Map:
    """The map of the runner at that place; known is the server's, where that has been made."""
    # The ends of the axes are the first map's: where another's are its own, they stand.
    shared = place == 0 or len(x["xr"]) == 2
    across = request.across.between(*live["xr"]) if shared else _still(request.across)
    up = None
    if request.up is not None:
        shared = place == 0 or len(x["yr"]) == 2
        up = request.up.between(*live["yr"]) if shared else _still(request.up)
    axes = {} if request.up is None or up is None else {request.up.name: up}
    start = live["start"]
    steps = not by_loss(x)
    cells = live_sweep(
        request.surface,
        request.runner.optimizer,
        {**axes, request.across.name: across},
        (start[0], start[1]),
        live["steps"],
        problem.live_hypers(x, live, place),
        parameters=problem.live_parameters(live, request.surface),
        options=request.runner.options,
        noise=live["noise"],
        seed=x["seed"],
        target=live["target"] + maps.floor_of(request.surface) if steps else None,
        known=known,
        parts=("loss", "diverged", "steps") if steps else ("loss", "diverged"),
    )
    gaps = maps.live_gap(cells, request.surface, begin)
    return Map(request, place, (across, up), cells, gaps)


def _still(axis: Axis) -> Span:
    return Span(axis.low, axis.high, axis.log)


def at_cell(live: Picture, request: Request, place: int, name: str) -> Any:
    """Where the marked cell stands along an axis."""
    if name in ("x", "y"):
        return live["start"]["xy".index(name)]
    return live[f"{place}/{name}"]


def chosen_by_hand(live: Picture, request: Request, place: int) -> dict[str, Any]:
    """What a click on a map, or its marker, sets: the settings of the cell under the hand."""
    hand = dict(zip((a.name for a in reversed(request.axes)), live.hand, strict=False))
    sets = {f"{place}/{name}": value for name, value in hand.items() if name not in ("x", "y")}
    if {"x", "y"} & set(hand):
        start = live["start"]
        sets["start"] = stack(hand.get("x", start[0]), hand.get("y", start[1]))
    return sets


def sweep_of(x: Experiment, request: Request, fine: Sweep | None) -> Sweep:
    """The cells of now of a map: `fine` are the server's, where it has them."""
    steps = not by_loss(x)
    return live_sweep(
        request.surface,
        request.runner.optimizer,
        {a.name: _still(a) for a in request.axes},
        request.start,
        request.steps,
        request.hypers,
        options=request.runner.options,
        noise=request.noise,
        seed=request.seed,
        target=request.target if steps else None,
        known=fine,
    ).result
