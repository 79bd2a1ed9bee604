"""Rules that ask the loss how far to go: steepest descent, conjugate gradients and L-BFGS, each
with a backtracking line search.

A search tries at most TRIALS steps, written out one after the other, so that it can be printed like
any other rule; where none of them does, the point stays and the next search begins below. What a
step of the run really asked for is its "asked".
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from engine.optimizers.description import Optimizer, Option, Oracle, Slot, State
from engine.optimizers.shared import all_sizes, first_step, inner_product, lr, sum_of_sizes
from engine.problems.parameter import Parameter
from engine.tape import Vector
from engine.tape import operations as ops

TRIALS = 12  # steps that one search may try
PAIRS = 5  # steps that L-BFGS remembers
_CURVED = 1e-10  # of |y|²: a pair with less curvature is not remembered

Inner = Callable[[Vector, Vector], Any]

SHRINK = Parameter(
    "shrink",
    "ρ",
    r"\rho",
    0.5,
    0.1,
    0.9,
    "linear",
    "factor from one trial to the next",
    label="shrinking factor",
)
GROW = Parameter(
    "grow",
    "κ",
    r"\kappa",
    2.0,
    1.0,
    100.0,
    "log",
    "how much longer than the last step to begin",
    label="growing factor",
)
ENOUGH = Parameter(
    "enough",
    "c",
    "c",
    1e-4,
    1e-6,
    0.5,
    "log",
    "share of the promised fall that is asked for",
    label="share of fall asked",
)
LENGTH = Slot("alpha", "α", r"\alpha", "the step taken along the direction", kind="scalar")
BEGIN = Slot("begin", "α₀", r"\alpha_0", "where the next search begins", kind="scalar")
ASKED = Slot("asked", "n", "n", "losses and gradients that the step asked for", kind="scalar")
DIRECTION = Slot("p", "p", "p", "the direction of the search")


def _search(
    oracle: Oracle, w: Vector, p: Vector, slope: Any, begin: Any, h: Any
) -> tuple[Vector, dict[str, Any], Any]:
    """Armijo's backtracking (Nocedal & Wright 2006, algorithm 3.1) along p from the step `begin`.

    slope is g·p < 0. Gives the next point, what the search shows, and the last step that it tried.
    """
    start = oracle.loss(w)
    found, alpha, asked = 0.0, 0.0 * slope, 1.0  # the gradient, and the loss that comes with it
    trial = begin
    for _ in range(TRIALS):
        low = ops.less_equal(oracle.loss(w + trial * p), start + h.enough * trial * slope)
        searching = ops.less(found, 0.5)
        asked = asked + ops.where(searching, 1.0, 0.0)
        alpha = ops.where(searching, ops.where(low, trial, 0.0), alpha)
        found = ops.where(low, 1.0, found)
        last, trial = trial, h.shrink * trial
    return w + alpha * p, {"alpha": alpha, "asked": asked}, last


def _begin(oracle: Oracle, s: Any, h: Any) -> Any:
    """The first step that a search tries: what the last one left, lr at most, and lr at first."""
    return ops.where(first_step(oracle), h.lr, ops.minimum(s.begin, h.lr))


def _next_begin(alpha: Any, last: Any, h: Any) -> Any:
    """Where the next search begins: above the step taken, or at the last one that failed."""
    return ops.where(ops.greater(alpha, 0.0), h.grow * alpha, last)


def _downhill(p: Vector, g: Vector, inner: Inner) -> tuple[Vector, Any]:
    """p and its slope g·p, or the steepest descent where p does not lead down."""
    slope = inner(g, p)
    down = ops.less(slope, 0.0)
    return ops.where(down, p, -g), ops.where(down, slope, -inner(g, g))


_ARMIJO = (
    r"<alpha> = <rho>^{k}<begin->:\ \text{the first with } J(<w-> + <alpha>\, <p>) \le"
    r" J(<w->) + <enough>\, <alpha>\, g_t^{\top} p_t"
).replace("<rho>", "<shrink>")
_STEP = r"<w> = <w-> + <alpha>\, <p>"


# Steepest descent ---------------------------------------------------------------------------------


def _steepest_with(inner: Inner) -> Callable[..., tuple[Vector, State]]:
    def rule(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
        g = oracle.gradient(w)
        p = -g
        following, state, last = _search(oracle, w, p, -inner(g, g), _begin(oracle, s, h), h)
        return following, {**state, "p": p, "begin": _next_begin(state["alpha"], last, h)}

    return rule


STEEPEST = Optimizer(
    slug="line_search",
    name="Descent with line search",
    rule=_steepest_with(Vector.dot),
    tensor_rule=_steepest_with(inner_product),
    hypers=(lr(1.0), SHRINK, GROW, ENOUGH),
    state=(BEGIN,),
    shown=(DIRECTION, LENGTH, ASKED),
    latex=lambda o: (r"<p> = -<g>", _ARMIJO, _STEP),
    idea="Try a long step and halve it until the loss falls enough: no rate to choose.",
    when="Exact losses. What noise there is stands in the gradient alone, and misleads it.",
    paper="Armijo, Minimization of functions having Lipschitz continuous first partial derivatives",
    year=1966,
    typical_lr="1, the longest step tried",
    relatives="SGD whose rate is found anew at each step.",
    counted="asked",
    evaluations=2,
    elementwise=False,
    joins=True,
)


# Nonlinear conjugate gradients --------------------------------------------------------------------


def _conjugate_with(inner: Inner) -> Callable[..., tuple[Vector, State]]:
    def rule(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
        g = oracle.gradient(w)
        before = inner(s.last, s.last)
        known = ops.greater(before, 0.0)
        top = inner(g, g if o.form == "fletcher_reeves" else g - s.last)
        mix = ops.where(known, ops.maximum(top / ops.where(known, before, 1.0), 0.0), 0.0)
        p, slope = _downhill(mix * s.p - g, g, inner)
        following, state, last = _search(oracle, w, p, slope, _begin(oracle, s, h), h)
        state |= {"p": p, "last": g, "mix": mix, "begin": _next_begin(state["alpha"], last, h)}
        return following, state

    return rule


CONJUGATE = Optimizer(
    slug="conjugate_gradient",
    name="Conjugate gradients",
    rule=_conjugate_with(Vector.dot),
    tensor_rule=_conjugate_with(inner_product),
    hypers=(lr(1.0), SHRINK, GROW, ENOUGH),
    options=(
        Option(
            "form",
            "the old direction weighs",
            (
                ("polak_ribiere", "g·(g − g₋) / g₋·g₋, at least 0 (Polak & Ribière)"),
                ("fletcher_reeves", "g·g / g₋·g₋ (Fletcher & Reeves)"),
            ),
        ),
    ),
    state=(DIRECTION, Slot("last", "g₋", "g_{t-1}", "the gradient of the step before"), BEGIN),
    shown=(
        Slot("mix", "β", r"\beta", "what of the old direction is kept", kind="scalar"),
        LENGTH,
        ASKED,
    ),
    latex=lambda o: (
        (
            r"<mix> = \max(\frac{\langle <g>,\, <g> - <last-> \rangle}"
            r"{\langle <last->,\, <last-> \rangle},\, 0)"
            if o.form == "polak_ribiere"
            else r"<mix> = \frac{\langle <g>,\, <g> \rangle}{\langle <last->,\, <last-> \rangle}"
        ),
        r"<p> = <mix>\, <p-> - <g>\quad\text{(or } -g_t \text{ where that does not lead down)}",
        _ARMIJO,
        _STEP,
    ),
    idea="Bend the steepest direction by the last one, so that no step undoes the one before.",
    when="Full batches, where no matrix can be kept. On a bowl with exact steps n of them suffice.",
    paper="Fletcher & Reeves 1964; Polak & Ribière 1969, as Nocedal & Wright, algorithm 5.4",
    year=1964,
    typical_lr="1, the longest step tried",
    relatives="β = 0 is descent with a line search; momentum is a fixed β.",
    counted="asked",
    evaluations=2,
    elementwise=False,
    joins=True,
)


# L-BFGS -------------------------------------------------------------------------------------------


def _lbfgs_with(
    inner: Inner, sizes: Callable[[Vector], Any]
) -> Callable[..., tuple[Vector, State]]:
    def rule(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
        g = oracle.gradient(w)
        first = first_step(oracle)
        moved, turned = w - s.point, g - s.last
        # The newest pair first; one that shows no curvature, as at the first step, is left out.
        take = ops.greater(inner(turned, moved), _CURVED * inner(turned, turned))
        held = [(getattr(s, f"s{i}"), getattr(s, f"y{i}")) for i in range(1, PAIRS + 1)]
        pairs = [
            tuple(ops.where(take, new, old) for new, old in zip(fresh, stale, strict=True))
            for fresh, stale in zip([(moved, turned), *held[:-1]], held, strict=True)
        ]
        p, scale = _two_loops(pairs, g, inner)
        p, slope = _downhill(p, g, inner)
        state: dict[str, Any] = {"p": p, "point": w, "last": g, "scale": scale}
        for i, (a, b) in enumerate(pairs, start=1):
            state |= {f"s{i}": a, f"y{i}": b}
        # The first step has no curvature to go by: 1 long at most, as PyTorch measures it or not.
        size = sizes(g) if o.step == "fixed" else ops.sqrt(inner(g, g))
        unscaled = ops.minimum(1.0, 1.0 / ops.maximum(size, 1e-30))
        begin = h.lr * ops.where(first, unscaled, 1.0)
        if o.step == "fixed":
            return w + begin * p, {**state, "alpha": begin, "asked": 1.0}
        following, searched, _ = _search(oracle, w, p, slope, begin, h)
        return following, {**state, **searched}

    return rule


def _two_loops(pairs: list[Any], g: Vector, inner: Inner) -> tuple[Vector, Any]:
    """−H⁻¹g by the pairs, newest first, and the scale it begins with (Nocedal & Wright 2006,
    algorithm 7.4). A pair of zeros, which no step has filled yet, does nothing."""
    q, weights = g, []
    for a, b in pairs:
        along = inner(b, a)
        filled = ops.greater(along, 0.0)
        rho = ops.where(filled, 1.0 / ops.where(filled, along, 1.0), 0.0)
        weight = rho * inner(a, q)
        q = q - weight * b
        weights.append((weight, rho))
    (newest, turned) = pairs[0]
    square = inner(turned, turned)
    filled = ops.greater(square, 0.0)
    scale = ops.where(filled, inner(newest, turned) / ops.where(filled, square, 1.0), 1.0)
    r = scale * q
    for (a, b), (weight, rho) in zip(reversed(pairs), reversed(weights), strict=True):
        r = r + (weight - rho * inner(b, r)) * a
    return -r, scale


def _lbfgs_latex(o: SimpleNamespace) -> tuple[str, ...]:
    pair = r"s_i = w_i - w_{i-1},\ y_i = g_i - g_{i-1}"
    return (
        rf"<p> = -H_t\, g_t:\ \text{{BFGS by the last }} {PAIRS}\ \text{{pairs }} {pair}",
        (
            r"<scale> = \frac{\langle <s1>,\, <y1> \rangle}{\langle <y1>,\, <y1> \rangle}"
            r"\quad\text{(at the start of } H_t)"
        ),
        _ARMIJO.replace("<begin->", "<lr>") if o.step == "search" else r"<alpha> = <lr>",
        _STEP,
    )


LBFGS = Optimizer(
    slug="lbfgs",
    name="L-BFGS",
    rule=_lbfgs_with(Vector.dot, sum_of_sizes),
    tensor_rule=_lbfgs_with(inner_product, all_sizes),
    hypers=(lr(1.0), SHRINK, ENOUGH),
    options=(
        Option(
            "step",
            "the step",
            (
                ("search", "backtracks from η (Nocedal & Wright)"),
                ("fixed", "is η (PyTorch without line search)"),
            ),
        ),
    ),
    state=(
        Slot("point", "w₋", "w_{t-1}", "the point of the step before", start="w"),
        Slot("last", "g₋", "g_{t-1}", "the gradient of the step before"),
        *(
            slot
            for i in range(1, PAIRS + 1)
            for slot in (
                Slot(f"s{i}", f"s{i}", f"s_{i}", f"the step taken, {i} back"),
                Slot(f"y{i}", f"y{i}", f"y_{i}", f"the gradient's change, {i} back"),
            )
        ),
    ),
    shown=(
        DIRECTION,
        Slot("scale", "γ", r"\gamma", "the curvature it begins with, inverted", kind="scalar"),
        LENGTH,
        ASKED,
    ),
    latex=_lbfgs_latex,
    idea="Build Newton's step out of the last few steps and how the gradient changed on them.",
    when="Smooth losses on full batches, up to millions of unknowns: the classic of the field.",
    paper="Liu & Nocedal, On the limited memory BFGS method for large scale optimization",
    year=1989,
    typical_lr="1",
    relatives="Newton whose Hessian is never asked for. Its first step is steepest descent.",
    counted="asked",
    costs=lambda h, o: 1.0 if o.step == "fixed" else 2.0,
    elementwise=False,
    joins=True,
)


ENTRIES = (STEEPEST, CONJUGATE, LBFGS)
