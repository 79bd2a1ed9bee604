"""Gradient descent, and what a memory of past gradients makes of it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from engine.optimizers.description import Optimizer, Option, Oracle, Slot, State
from engine.optimizers.shared import (
    OF_VELOCITY,
    beta,
    decay,
    first_step,
    lr,
)
from engine.problems.parameter import Parameter
from engine.tape import Vector
from engine.tape import operations as ops

# SGD ----------------------------------------------------------------------------------------------


def _sgd(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
    return w - h.lr * oracle.gradient(w), {}


SGD = Optimizer(
    slug="sgd",
    name="SGD",
    rule=_sgd,
    hypers=(lr(1e-3),),
    latex=lambda o: (r"<w> = <w-> - <lr>\, <g>",),
    idea="Step against the gradient.",
    when="The baseline. With a schedule and large batches still hard to beat on vision.",
    paper="Robbins & Monro, A stochastic approximation method",
    year=1951,
    typical_lr="0.01 – 0.1",
    relatives="Momentum with β = 0.",
    stability=lambda h, o: 2.0,
    stability_text=lambda o: "2/λmax",
)


# momentum -----------------------------------------------------------------------------------------


def _momentum(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
    g = oracle.gradient(w)
    if o.form == "lr_inside":
        jump, correction = h.beta * s.v, h.lr * g
        v = jump + correction
        return w - v, {"v": v, "jump": jump, "correction": correction}
    share = (1.0 - h.beta) * g if o.form == "averaged" else g
    v = h.beta * s.v + share
    return w - h.lr * v, {"v": v, "jump": h.lr * (h.beta * s.v), "correction": h.lr * share}


def _momentum_latex(o: SimpleNamespace) -> tuple[str, ...]:
    if o.form == "lr_inside":
        return (r"<v> = <beta>\, <v-> + <lr>\, <g>", r"<w> = <w-> - <v>")
    gradient = r"(1 - <beta>)\, <g>" if o.form == "averaged" else "<g>"
    return (rf"<v> = <beta>\, <v-> + {gradient}", r"<w> = <w-> - <lr>\, <v>")


_VELOCITY = Slot("v", "v", "v", "velocity: a fading sum of the gradients")

MOMENTUM = Optimizer(
    slug="momentum",
    name="Momentum",
    rule=_momentum,
    hypers=(
        lr(1e-3),
        beta(0.9, OF_VELOCITY[0], f"{OF_VELOCITY[1]}; memory ≈ 1/(1−β) steps"),
    ),
    options=(
        Option(
            "form",
            "form",
            (
                ("velocity", "v ← βv + g, step ηv (PyTorch)"),
                ("lr_inside", "v ← βv + ηg, step v"),
                ("averaged", "v ← βv + (1−β)g, step ηv"),
            ),
        ),
    ),
    state=(_VELOCITY,),
    shown=(
        Slot("jump", "βv", r"\beta v", "what is left of the old velocity, as a step"),
        Slot("correction", "ηg", r"\eta g", "the fresh gradient, as a step"),
    ),
    latex=_momentum_latex,
    idea="Gather speed along directions that persist; let the zig-zag cancel.",
    when="Convolutional networks, and whenever plain SGD zig-zags.",
    paper="Polyak, Some methods of speeding up the convergence of iteration methods",
    year=1964,
    typical_lr="0.01 – 0.1",
    relatives="β = 0 is SGD. The averaged form at η/(1−β) is the velocity form.",
    stability=lambda h, o: 2.0 * (1.0 + h.beta) / ((1.0 - h.beta) if o.form == "averaged" else 1.0),
    stability_text=lambda o: "2(1+β)/((1−β)λmax)" if o.form == "averaged" else "2(1+β)/λmax",
)


# Nesterov -----------------------------------------------------------------------------------------


def _nesterov(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
    if o.form == "lookahead":
        jump = h.beta * s.v
        correction = h.lr * oracle.gradient(w - jump)
        v = jump + correction
        return w - v, {"v": v, "jump": jump, "correction": correction}
    g = oracle.gradient(w)
    v = h.beta * s.v + g
    jump = h.lr * (h.beta * v)
    correction = h.lr * g
    return w - h.lr * (g + h.beta * v), {"v": v, "jump": jump, "correction": correction}


def _nesterov_latex(o: SimpleNamespace) -> tuple[str, ...]:
    if o.form == "lookahead":
        return (
            r"<v> = <beta>\, <v-> + <lr>\, \nabla J(<w-> - <beta>\, <v->)",
            r"<w> = <w-> - <v>",
        )
    return (r"<v> = <beta>\, <v-> + <g>", r"<w> = <w-> - <lr>\,(<g> + <beta>\, <v>)")


NESTEROV = Optimizer(
    slug="nesterov",
    name="Nesterov",
    rule=_nesterov,
    hypers=(lr(1e-3), beta(0.9, *OF_VELOCITY)),
    options=(
        Option(
            "form",
            "form",
            (
                ("pytorch", "gradient here, step η(g + βv) (PyTorch)"),
                ("lookahead", "jump first, gradient there: ∇J(w − βv)"),
            ),
        ),
    ),
    state=(_VELOCITY,),
    shown=(
        Slot("jump", "βv", r"\beta v", "the jump along the old velocity"),
        Slot("correction", "ηg", r"\eta g", "the correction by the gradient"),
    ),
    latex=_nesterov_latex,
    idea="Jump first, then correct by the gradient found where you land.",
    when="A drop-in for momentum that brakes earlier.",
    paper="Nesterov, A method for convex programming with convergence rate O(1/k²)",
    year=1983,
    typical_lr="0.01 – 0.1",
    relatives="PyTorch's form is the look-ahead form seen from the point it jumps to.",
    stability=lambda h, o: 2.0 * (1.0 + h.beta) / (1.0 + 2.0 * h.beta),
    stability_text=lambda o: "2(1+β)/((1+2β)λmax)",
)


# AggMo --------------------------------------------------------------------------------------------


def _aggmo(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
    g = oracle.gradient(w)
    v1 = h.beta1 * s.v1 + g
    v2 = h.beta2 * s.v2 + g
    v3 = h.beta3 * s.v3 + g
    return w - (h.lr / 3.0) * (v1 + v2 + v3), {"v1": v1, "v2": v2, "v3": v3}


AGGMO = Optimizer(
    slug="aggmo",
    name="AggMo",
    rule=_aggmo,
    hypers=(
        lr(1e-3),
        *(
            beta(d, f"momentum {i}", f"memory of velocity {i}", i)
            for i, d in enumerate((0.0, 0.9, 0.99), start=1)
        ),
    ),
    state=tuple(
        Slot(f"v{i}", f"v{'₁₂₃'[i - 1]}", f"v_{i}", f"velocity with memory β{'₁₂₃'[i - 1]}")
        for i in (1, 2, 3)
    ),
    latex=lambda o: (
        r"<v1> = <beta1>\, <v1-> + <g>",
        r"<v2> = <beta2>\, <v2-> + <g>",
        r"<v3> = <beta3>\, <v3-> + <g>",
        r"<w> = <w-> - \tfrac{<lr>}{3}\,(<v1> + <v2> + <v3>)",
    ),
    idea="Average several momenta: the quick ones damp the swings of the slow.",
    when="Where a momentum of 0.99 or more is wanted without its oscillation.",
    paper="Lucas, Sun, Zemel & Grosse, Aggregated momentum",
    year=2019,
    typical_lr="0.01 – 0.1",
    relatives="All three β equal is momentum; all three 0 is SGD.",
)


# schedule-free ------------------------------------------------------------------------------------


def schedule_free(
    direction: Any, w: Vector, s: Any, h: Any, memory: Any
) -> tuple[Vector, dict[str, Any]]:
    """One schedule-free step along `direction`, from the point w where the gradient was taken.

    z walks as plain descent would, x averages it with weights lr², w lies between the two. At a
    memory of 0 w is z, and nothing keeps the average: x is then w.
    """
    top = ops.maximum(s.top, h.lr)
    total = s.total + top * top
    share = top * top / (total + 1e-300)  # a rate of zero moves nothing, and is no 0/0
    w = (1.0 - share) * w + share * s.z + (h.lr * (memory * (1.0 - share) - 1.0)) * direction
    z = s.z - h.lr * direction
    averages = ops.greater(memory, 0.0)
    x = ops.where(averages, (w - (1.0 - memory) * z) / ops.where(averages, memory, 1.0), w)
    return w, {"z": z, "top": top, "total": total, "x": x}


SCHEDULE_FREE_STATE = (
    Slot("z", "z", "z", "the walker: plain descent", start="w"),
    Slot("top", "L", "L", "largest learning rate so far", kind="scalar"),
    Slot("total", "S", "S", "sum of its squares: the weights of the average", kind="scalar"),
)
SCHEDULE_FREE_SHOWN = (Slot("x", "x", "x", "the average of z: the answer of the run"),)


def schedule_free_latex(memory: str) -> tuple[str, ...]:
    """The lines that follow the direction d."""
    return (
        r"<z> = <z-> - <lr>\, d",
        r"x = (1 - c)\, x + c\, <z>,\quad c = \frac{<top>^2}{<total>}",
        rf"<w> = {memory}\, <x> + (1 - {memory})\, <z>",
    )


def _schedule_free_sgd(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
    return schedule_free(oracle.gradient(w) + h.weight_decay * w, w, s, h, h.beta)


SCHEDULE_FREE_SGD = Optimizer(
    slug="schedule_free_sgd",
    name="Schedule-free SGD",
    rule=_schedule_free_sgd,
    hypers=(
        lr(1.0),
        beta(0.9, "nearness to the average", "how near to the average the gradient is taken"),
        decay(0.0),
    ),
    state=SCHEDULE_FREE_STATE,
    shown=SCHEDULE_FREE_SHOWN,
    latex=lambda o: (r"d = <g> + <weight_decay>\, <w->", *schedule_free_latex("<beta>")),
    idea="Average the walk instead of shrinking its steps: as good as a schedule, with no end.",
    when="Where the length of the run is not known. Evaluate at the average x.",
    paper="Defazio et al., The road less scheduled",
    year=2024,
    typical_lr="1 – 5",
    relatives="β = 0 is SGD; β = 1 takes the gradient at the average itself.",
)


# ASGD ---------------------------------------------------------------------------------------------


def _asgd(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
    # The rate of a step is found at the end of the one before: PyTorch's schedules come that late.
    rate = ops.where(first_step(oracle), h.lr, s.rate)
    w = (1.0 - h.lambd * rate) * w - rate * oracle.gradient(w)
    average = s.average + (1.0 / ops.maximum(oracle.t - 1.0 - h.t0, 1.0)) * (w - s.average)
    after = h.lr / (1.0 + h.lambd * h.lr * oracle.t) ** h.alpha
    return w, {"average": average, "rate": after}


ASGD = Optimizer(
    slug="asgd",
    name="ASGD",
    rule=_asgd,
    hypers=(
        lr(1e-2),
        Parameter(
            "lambd", "λ", r"\lambda", 1e-4, 0.0, 1.0, "linear",
            "pull of the weights towards 0, and how soon the rate falls", label="weight decay",
        ),
        Parameter(
            "alpha", "α", r"\alpha", 0.75, 0.0, 1.0, "linear", "power by which it falls",
            label="power of the fall",
        ),
        Parameter(
            "t0", "t₀", "t_0", 1e6, 1.0, 1e6, "log", "step from which points are averaged",
            label="averaging begins at",
        ),
    ),
    state=(
        Slot("average", "a", "a", "average of the points since t₀: the answer of the run"),
        Slot("rate", "r", "r", "the rate of the next step", kind="scalar"),
    ),
    latex=lambda o: (
        (
            r"<w> = (1 - <lambd>\, <rate->)\, <w-> - <rate->\, <g>"
            r"\quad\text{(at the first step } <rate-> = <lr>)"
        ),
        r"<average> = <average-> + \frac{<w> - <average->}{\max(1,\, <t> - 1 - <t0>)}",
        r"<rate> = \frac{<lr>}{(1 + <lambd>\, <lr>\, <t>)^{<alpha>}}",
    ),
    idea="Let the rate fall more slowly than 1/t, and answer with the average of the points.",
    when="Convex problems met one example at a time. PyTorch's t₀ leaves the average to long runs.",
    paper="Polyak & Juditsky, Acceleration of stochastic approximation by averaging",
    year=1992,
    typical_lr="0.01",
    relatives="λ = 0 at a constant rate is SGD. Schedule-free rules go by their average.",
)  # fmt: skip


ENTRIES = (SGD, MOMENTUM, NESTEROV, AGGMO, SCHEDULE_FREE_SGD, ASGD)
