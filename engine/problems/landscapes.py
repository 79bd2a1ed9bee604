"""Landscapes: the functions of two variables that optimizers descend.

A landscape is one plain function of (x, y, **parameters) written with the engine's operations;
its gradient, Hessian and emitted source follow from the tape. To add one, add one entry here.

Sources: the test functions are those of Jamil & Yang, "A literature survey of benchmark functions
for global optimization problems" (2013), and Surjanovic & Bingham, "Virtual library of simulation
experiments", unless an entry says otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.problems.parameter import Parameter
from engine.tape import Value, Vector, autograd
from engine.tape import operations as ops

Array = npt.NDArray[Any]
Box = tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True)
class Landscape:
    """A function of two variables and what is known of it.

    domain is where it is usually studied, view the part worth drawing (both ((x0, x1), (y0, y1))),
    minima its known global minimisers, minimum their value (None where unbounded or unknown).
    What of all this moves with the parameters is given by `follow`: parameters by name (numbers,
    or traced Values) to new values of fields by name. Calling the landscape carries it out.
    """

    slug: str
    name: str
    function: Callable[..., Any]
    latex: str
    domain: Box
    start: tuple[float, float]
    minima: tuple[tuple[float, float], ...] = ()
    minimum: float | None = None
    view: Box | None = None
    parameters: tuple[Parameter, ...] = ()
    values: Mapping[str, float] = field(default_factory=dict)
    settings: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    log_levels: bool = True
    lr: float = 0.01  # a learning rate at which gradient descent makes visible progress
    follow: Callable[..., Mapping[str, Any]] | None = None
    source: str = ""
    note: str = ""

    def __call__(self, **values: float) -> Landscape:
        """The same landscape with other parameters; ValueError for an unknown name or bad value."""
        known = {p.name: p for p in self.parameters}
        for name, value in values.items():
            if name not in known:
                raise ValueError(
                    f"{self.slug} has no parameter {name!r}; it has {', '.join(known) or 'none'}"
                )
            if not (math.isfinite(value) and known[name].low <= value <= known[name].high):
                raise ValueError(
                    f"{name} must lie in [{known[name].low:g}, {known[name].high:g}], got {value!r}"
                )
        set_to = {**self.values, **{k: float(v) for k, v in values.items()}}
        changed = replace(self, values=set_to)
        if self.follow is None:
            return changed
        moved = dict(self.follow(**changed.arguments))
        if "lr" in moved:
            moved["lr"] = float(f"{moved['lr']:.2g}")  # a number that a reader may type
        return replace(changed, **moved)

    @property
    def arguments(self) -> dict[str, float]:
        """Every parameter's current value, defaults filled in."""
        return {p.name: float(self.values.get(p.name, p.default)) for p in self.parameters}

    @property
    def window(self) -> Box:
        """The part worth drawing."""
        return self.view or self.domain

    def at(self, x: Any, y: Any) -> Any:
        """The value at (x, y): numbers, arrays or Values."""
        return self.function(x, y, **self.arguments)

    def value(self, w: npt.ArrayLike) -> Array:
        """The value at w, shape (..., 2) -> (...)."""
        # On a tape, where x**3 means the engine's own products, as it does in every printed form.
        with np.errstate(all="ignore"):
            tape, value = autograd.trace(self.at, *_coordinates(w))
        tape.nodes.clear()  # breaks the circle of tape and Values: memory is free at once
        return np.asarray(value.data if isinstance(value, Value) else value)

    def gradient(self, w: npt.ArrayLike) -> Array:
        """The gradient at w by reverse mode, shape (..., 2) -> (..., 2)."""
        with np.errstate(all="ignore"):
            g = autograd.grad(self._of_vector)(_coordinates(w))
        return np.stack(np.broadcast_arrays(*g), axis=-1)

    def hessian(self, w: npt.ArrayLike) -> Array:
        """The matrix of second derivatives at w, forward over reverse, (..., 2) -> (..., 2, 2)."""
        point = _coordinates(w)
        with np.errstate(all="ignore"):
            rows = autograd.hessian(self._of_vector)(point)
        entries = np.broadcast_arrays(*(h for row in rows for h in row), point[0])[:4]
        return np.stack(entries, axis=-1).reshape(*np.shape(point[0]), 2, 2)

    def _of_vector(self, w: Vector) -> Any:
        return self.at(w[0], w[1])


def _coordinates(w: npt.ArrayLike) -> Vector:
    w = np.asarray(w, dtype=float)
    if w.shape[-1:] != (2,):
        raise ValueError(f"a point has two coordinates on its last axis, got shape {w.shape}")
    return Vector((w[..., 0], w[..., 1]))


def _bowl(x: Any, y: Any, condition: Any, rotation: Any) -> Any:
    angle = rotation * (math.pi / 180.0)
    c, s = ops.cos(angle), ops.sin(angle)
    u = c * x + s * y
    v = c * y - s * x
    return u * u + condition * (v * v)


def _bowl_follows(condition: Any, rotation: Any) -> Mapping[str, Any]:
    return {"lr": 0.9 / condition}  # nine tenths of the limit, 2/λmax


def _rosenbrock(x: Any, y: Any, a: Any, b: Any) -> Any:
    return (a - x) ** 2 + b * (y - x**2) ** 2


def _rosenbrock_follows(a: Any, b: Any) -> Mapping[str, Any]:
    return {
        "minima": ((a, a * a),),
        "lr": ops.minimum(0.1 / b, 0.05),
    }  # curved by 21 b at the start


def _beale(x: Any, y: Any) -> Any:
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


def _himmelblau(x: Any, y: Any) -> Any:
    return (x**2 + y - 11.0) ** 2 + (x + y**2 - 7.0) ** 2


def _booth(x: Any, y: Any) -> Any:
    return (x + 2.0 * y - 7.0) ** 2 + (2.0 * x + y - 5.0) ** 2


def _matyas(x: Any, y: Any) -> Any:
    return 0.26 * (x**2 + y**2) - 0.48 * x * y


def _goldstein_price(x: Any, y: Any) -> Any:
    s = x + y + 1.0
    d = 2.0 * x - 3.0 * y
    p = 19.0 - 14.0 * x + 3.0 * x**2 - 14.0 * y + 6.0 * x * y + 3.0 * y**2
    q = 18.0 - 32.0 * x + 12.0 * x**2 + 48.0 * y - 36.0 * x * y + 27.0 * y**2
    return (1.0 + s**2 * p) * (30.0 + d**2 * q)


def _styblinski_tang(x: Any, y: Any) -> Any:
    def one(z: Any) -> Any:
        return z**4 - 16.0 * z**2 + 5.0 * z

    return 0.5 * (one(x) + one(y))


def _rastrigin(x: Any, y: Any) -> Any:
    def one(z: Any) -> Any:
        return z**2 - 10.0 * ops.cos(2.0 * math.pi * z)

    return 20.0 + one(x) + one(y)


def _ackley(x: Any, y: Any) -> Any:
    square = 0.5 * (x**2 + y**2)
    # At the centre the slope jumps; we take it as 0 there, not as 0/0.
    distance = ops.where(square > 0.0, ops.sqrt(square), 0.0)
    waves = 0.5 * (ops.cos(2.0 * math.pi * x) + ops.cos(2.0 * math.pi * y))
    return 20.0 + math.e - 20.0 * ops.exp(-0.2 * distance) - ops.exp(waves)


def _three_hump_camel(x: Any, y: Any) -> Any:
    return 2.0 * x**2 - 1.05 * x**4 + x**6 / 6.0 + x * y + y**2


def _six_hump_camel(x: Any, y: Any) -> Any:
    return (4.0 - 2.1 * x**2 + x**4 / 3.0) * x**2 + x * y + (4.0 * y**2 - 4.0) * y**2


def _mccormick(x: Any, y: Any) -> Any:
    return ops.sin(x + y) + (x - y) ** 2 - 1.5 * x + 2.5 * y + 1.0


def _easom(x: Any, y: Any) -> Any:
    far = (x - math.pi) ** 2 + (y - math.pi) ** 2
    return -ops.cos(x) * ops.cos(y) * ops.exp(-far)


def _saddle(x: Any, y: Any) -> Any:
    return x**2 - y**2


def _monkey_saddle(x: Any, y: Any) -> Any:
    return x**3 - 3.0 * x * y**2


def _two_wells(x: Any, y: Any, width: Any) -> Any:
    flat = ops.exp(-((x + 1.5) ** 2 + y**2) / 2.0)
    sharp = ops.exp(-((x - 1.5) ** 2 + y**2) / (2.0 * width * width))
    return 1.0 + 0.02 * (x**2 + y**2) - flat - sharp


def _two_wells_follows(width: Any) -> Mapping[str, Any]:
    # On the flank of the sharp well, whose curvature is 1/s² at its bottom.
    start = (1.5 + 8.0 / 7.0 * width, 10.0 / 7.0 * width)
    return {"start": start, "lr": ops.minimum(0.41 * width * width, 0.05)}


def _square(half: float) -> Box:
    return ((-half, half), (-half, half))


_ENTRIES = (
    Landscape(
        slug="bowl",
        name="Ill-conditioned bowl",
        function=_bowl,
        latex=r"w_1^2 + \kappa\, w_2^2",
        domain=_square(10.0),
        view=((-6.5, 6.5), (-4.0, 4.0)),
        start=(5.0, 3.0),
        minima=((0.0, 0.0),),
        minimum=0.0,
        parameters=(
            Parameter(
                "condition",
                "κ",
                r"\kappa",
                50.0,
                1.0,
                1000.0,
                "log",
                "steepest over shallowest curvature",
            ),
            Parameter(
                "rotation",
                "φ",
                r"\varphi",
                0.0,
                -90.0,
                90.0,
                "linear",
                "degrees by which it is turned",
            ),
        ),
        settings=MappingProxyType(
            {
                "w₁² + 50 w₂²": {"condition": 50.0, "rotation": 0.0},
                "x² + 10 y²": {"condition": 10.0, "rotation": 0.0},
            }
        ),
        lr=0.018,
        follow=_bowl_follows,
        source="Goh, Why momentum really works, Distill 2017 (the setting, not the numbers)",
        note="Curvature 2 along one axis, 2κ along the other: one learning rate must serve both.",
    ),
    Landscape(
        slug="rosenbrock",
        name="Rosenbrock's valley",
        function=_rosenbrock,
        latex=r"(a - x)^2 + b\,(y - x^2)^2",
        domain=((-2.0, 2.0), (-1.0, 3.0)),
        start=(-1.5, 2.0),
        minima=((1.0, 1.0),),
        minimum=0.0,
        parameters=(
            Parameter("a", "a", "a", 1.0, 0.5, 1.5, "linear", "x of the minimum (a, a²)"),
            Parameter("b", "b", "b", 100.0, 1.0, 200.0, "log", "steepness of the valley's walls"),
        ),
        lr=0.001,
        follow=_rosenbrock_follows,
        source="Rosenbrock, The Computer Journal 3 (1960) 175",
        note="Finding the curved valley is easy; following its flat floor is not.",
    ),
    Landscape(
        slug="beale",
        name="Beale",
        function=_beale,
        latex=r"(1.5 - x + xy)^2 + (2.25 - x + xy^2)^2 + (2.625 - x + xy^3)^2",
        domain=_square(4.5),
        view=((-1.0, 4.5), (-2.0, 2.0)),
        start=(1.0, 1.5),
        minima=((3.0, 0.5),),
        minimum=0.0,
        lr=0.01,
        note="A flat valley between steep corners.",
    ),
    Landscape(
        slug="himmelblau",
        name="Himmelblau",
        function=_himmelblau,
        latex=r"(x^2 + y - 11)^2 + (x + y^2 - 7)^2",
        domain=_square(5.0),
        start=(-0.5, -1.0),
        minima=(
            (3.0, 2.0),
            (-2.805118086952745, 3.131312518250573),
            (-3.779310253377747, -3.283185991286170),
            (3.584428340330492, -1.848126526964404),
        ),
        minimum=0.0,
        lr=0.01,
        source="Himmelblau, Applied Nonlinear Programming (1972)",
        note="Four equal minima: the start and the optimizer decide which.",
    ),
    Landscape(
        slug="booth",
        name="Booth",
        function=_booth,
        latex=r"(x + 2y - 7)^2 + (2x + y - 5)^2",
        domain=_square(10.0),
        start=(-7.0, -5.0),
        minima=((1.0, 3.0),),
        minimum=0.0,
        lr=0.05,
        note="A turned bowl with condition number 9.",
    ),
    Landscape(
        slug="matyas",
        name="Matyas",
        function=_matyas,
        latex=r"0.26\,(x^2 + y^2) - 0.48\,xy",
        domain=_square(10.0),
        start=(8.0, -6.0),
        minima=((0.0, 0.0),),
        minimum=0.0,
        lr=0.5,
        note="Almost flat along the diagonal: curvature 0.04 against 1.",
    ),
    Landscape(
        slug="goldstein_price",
        name="Goldstein–Price",
        function=_goldstein_price,
        latex=r"\bigl[1 + (x{+}y{+}1)^2\,p\bigr]\bigl[30 + (2x{-}3y)^2\,q\bigr]",
        domain=_square(2.0),
        start=(-1.0, 0.6),
        minima=((0.0, -1.0),),
        minimum=3.0,
        lr=1e-5,
        source="Goldstein & Price, Mathematics of Computation 25 (1971) 569",
        note="Values from 3 to a million in one picture: the scale of the gradient is the trouble.",
    ),
    Landscape(
        slug="styblinski_tang",
        name="Styblinski–Tang",
        function=_styblinski_tang,
        latex=r"\tfrac12\sum_i\,(w_i^4 - 16\,w_i^2 + 5\,w_i)",
        domain=_square(5.0),
        start=(0.5, 4.0),
        minima=((-2.903534027771177, -2.903534027771177),),
        minimum=-78.33233140754282,
        log_levels=False,
        lr=0.01,
        source="Styblinski & Tang, Neural Networks 3 (1990) 467",
        note="Four wells of different depth.",
    ),
    Landscape(
        slug="rastrigin",
        name="Rastrigin",
        function=_rastrigin,
        latex=r"20 + \sum_i\,\bigl(w_i^2 - 10\cos 2\pi w_i\bigr)",
        domain=_square(5.12),
        start=(3.3, -2.7),
        minima=((0.0, 0.0),),
        minimum=0.0,
        log_levels=False,
        lr=0.001,
        note="A bowl under a grid of small wells.",
    ),
    Landscape(
        slug="ackley",
        name="Ackley",
        function=_ackley,
        latex=(r"20 + e - 20\,e^{-0.2\sqrt{(x^2+y^2)/2}} - e^{(\cos 2\pi x + \cos 2\pi y)/2}"),
        domain=_square(5.0),
        start=(3.4, 2.6),
        minima=((0.0, 0.0),),
        minimum=0.0,
        log_levels=False,
        lr=0.05,
        source="Ackley, A Connectionist Machine for Genetic Hillclimbing (1987)",
        note="A funnel full of ripples, with a point at the bottom where the slope jumps.",
    ),
    Landscape(
        slug="three_hump_camel",
        name="Three-hump camel",
        function=_three_hump_camel,
        latex=r"2x^2 - 1.05x^4 + \tfrac{x^6}{6} + xy + y^2",
        domain=_square(5.0),
        view=((-2.5, 2.5), (-2.5, 2.5)),
        start=(-2.2, 2.0),
        minima=((0.0, 0.0),),
        minimum=0.0,
        lr=0.02,
        note="Two shallow wells beside the deep one.",
    ),
    Landscape(
        slug="six_hump_camel",
        name="Six-hump camel",
        function=_six_hump_camel,
        latex=r"(4 - 2.1x^2 + \tfrac{x^4}{3})\,x^2 + xy + (4y^2 - 4)\,y^2",
        domain=((-3.0, 3.0), (-2.0, 2.0)),
        view=((-2.1, 2.1), (-1.3, 1.3)),
        start=(-1.9, 1.1),
        minima=(
            (0.08984201310031807, -0.7126564030207396),
            (-0.08984201310031807, 0.7126564030207396),
        ),
        minimum=-1.031628453489877,
        lr=0.01,
        note="Six minima, two of them global.",
    ),
    Landscape(
        slug="mccormick",
        name="McCormick",
        function=_mccormick,
        latex=r"\sin(x + y) + (x - y)^2 - 1.5x + 2.5y + 1",
        domain=((-1.5, 4.0), (-3.0, 4.0)),
        start=(3.0, 3.5),
        minima=((-0.5471975511965976, -1.5471975511965976),),
        minimum=-1.913222954981037,
        log_levels=False,
        lr=0.05,
        source="McCormick, Mathematical Programming 10 (1976) 147",
        note="A gutter with waves along it.",
    ),
    Landscape(
        slug="easom",
        name="Easom",
        function=_easom,
        latex=r"-\cos x\,\cos y\;e^{-(x-\pi)^2-(y-\pi)^2}",
        domain=_square(100.0),
        view=((0.0, 6.3), (0.0, 6.3)),
        start=(1.7, 4.4),
        minima=((math.pi, math.pi),),
        minimum=-1.0,
        log_levels=False,
        lr=0.2,
        source="Easom, A survey of global optimization techniques (1990)",
        note="A needle in a plain: where the gradient is nothing, nothing moves.",
    ),
    Landscape(
        slug="saddle",
        name="Saddle",
        function=_saddle,
        latex=r"x^2 - y^2",
        domain=_square(2.0),
        start=(1.6, 0.001),
        log_levels=False,
        lr=0.05,
        note="Unbounded below: who leaves the saddle first?",
    ),
    Landscape(
        slug="monkey_saddle",
        name="Monkey saddle",
        function=_monkey_saddle,
        latex=r"x^3 - 3xy^2",
        domain=_square(1.5),
        start=(0.9, 0.05),
        log_levels=False,
        lr=0.02,
        note="At the centre the gradient and the whole Hessian vanish.",
    ),
    Landscape(
        slug="two_wells",
        name="Sharp and flat well",
        function=_two_wells,
        latex=(
            r"1 + 0.02\lVert w\rVert^2 - e^{-\lVert w-(-1.5,0)\rVert^2/2}"
            r" - e^{-\lVert w-(1.5,0)\rVert^2/2s^2}"
        ),
        domain=_square(3.5),
        view=((-3.5, 3.5), (-2.5, 2.5)),
        start=(1.9, 0.5),
        parameters=(
            Parameter("width", "s", "s", 0.35, 0.1, 1.0, "linear", "width of the sharp well"),
        ),
        log_levels=False,
        lr=0.05,
        follow=_two_wells_follows,
        source="ours, to show what gradient noise does",
        note="Two wells of about equal depth, one narrow, one wide: noise leaves the narrow one.",
    ),
)

LANDSCAPES: Mapping[str, Landscape] = MappingProxyType({e.slug: e for e in _ENTRIES})
