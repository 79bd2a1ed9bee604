"""Rules that read the gradient's sign alone, and rules that scale a layer's step to its weights."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from engine.optimizers.description import Optimizer, Option, Oracle, Slot, State
from engine.optimizers.shared import (
    BETA1,
    BETA2,
    CORRECTION_LINES,
    M_HAT,
    MOMENT_LINES,
    MOMENTUM_AVERAGE,
    OF_VELOCITY,
    V_HAT,
    M,
    V,
    averaged,
    beta,
    corrected,
    decay,
    epsilon,
    first_step,
    layer_lengths,
    length,
    lr,
    moments,
)
from engine.problems.parameter import Parameter
from engine.tape import Vector
from engine.tape import operations as ops

# Rprop --------------------------------------------------------------------------------------------


def _rprop(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
    g = oracle.gradient(w)
    agreed = g * s.g_before
    before = ops.where(first_step(oracle), h.lr + 0.0 * g, s.size)
    turned = ops.less(agreed, 0.0)
    factor = ops.where(turned, h.shrink, ops.where(ops.greater(agreed, 0.0), h.grow, 1.0))
    size = ops.minimum(ops.maximum(before * factor, h.smallest), h.largest)
    kept = ops.where(turned, 0.0 * g, g)
    step = ops.sign(kept) * size
    if o.turn == "back":
        step = ops.where(turned, -s.step, step)
        return w - step, {"size": size, "g_before": kept, "step": step}
    return w - step, {"size": size, "g_before": kept}


def _rprop_latex(o: SimpleNamespace) -> tuple[str, ...]:
    back = "-<step->" if o.turn == "back" else "0"
    return (
        (
            r"<size> = \min(\max(<size-> f,\, <smallest>),\, <largest>),\quad f = <grow>"
            r"\ (g_t g_{t-1} > 0),\ <shrink>\ (< 0)"
        ),
        rf"<w> = <w-> - \operatorname{{sign}}(<g>)\, <size>;\ \text{{after a turn}}\ {back}",
    )


RPROP = Optimizer(
    slug="rprop",
    name="Rprop",
    rule=_rprop,
    hypers=(
        lr(0.01),
        Parameter(
            "shrink",
            "η₋",
            r"\eta_-",
            0.5,
            0.01,
            0.99,
            "linear",
            "factor after the sign turned",
            label="shrinking factor",
        ),
        Parameter(
            "grow",
            "η₊",
            r"\eta_+",
            1.2,
            1.0,
            2.0,
            "linear",
            "factor while the sign stays",
            label="growing factor",
        ),
        Parameter(
            "smallest",
            "Δmin",
            r"\Delta_{\min}",
            1e-6,
            1e-12,
            1.0,
            "log",
            "shortest step",
            label="shortest step",
        ),
        Parameter(
            "largest",
            "Δmax",
            r"\Delta_{\max}",
            50.0,
            1e-3,
            1e3,
            "log",
            "longest step",
            label="longest step",
        ),
    ),
    options=(
        Option(
            "turn",
            "where the sign turned",
            (
                ("stay", "stay for a step (PyTorch, optax: iRprop−)"),
                ("back", "take the last step back (the paper)"),
            ),
        ),
    ),
    state=(
        Slot("size", "Δ", r"\Delta", "the step of each coordinate"),
        Slot("g_before", "g₋", r"\bar g", "the gradient of the step before, 0 after a turn"),
        Slot("step", "δ", r"\delta", "the last step", when=lambda o: o.turn == "back"),
    ),
    latex=_rprop_latex,
    idea="Forget how large the gradient is: lengthen a step while its sign stays, halve it after.",
    when="Full batches and few weights. Noise turns signs, and the steps shrink to nothing.",
    paper="Riedmiller & Braun, A direct adaptive method for faster backpropagation learning",
    year=1993,
    typical_lr="0.01",
    relatives="RMSProp was made to bring it to mini-batches. η is the first step alone.",
)


# Signum -------------------------------------------------------------------------------------------


def _signum(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
    m = averaged(s.m, oracle.gradient(w), h.beta)
    return w - h.lr * ops.sign(m), {"m": m}


SIGNUM = Optimizer(
    slug="signum",
    name="Signum",
    rule=_signum,
    hypers=(lr(1e-4), beta(0.9, *MOMENTUM_AVERAGE)),
    state=(M,),
    latex=lambda o: (
        r"<m> = <beta>\, <m-> + (1 - <beta>)\, <g>",
        r"<w> = <w-> - <lr>\, \operatorname{sign}(<m>)",
    ),
    idea="The sign of a momentum: one bit a weight, which many workers can vote on.",
    when="Where gradients must be sent over slow lines.",
    paper="Bernstein et al., signSGD: compressed optimisation for non-convex problems",
    year=2018,
    typical_lr="0.0001",
    relatives="Lion with β₁ = β₂ and no decay; β = 0 is sign descent.",
)


# LARS ---------------------------------------------------------------------------------------------


def _trust(weights: Any, step: Any, share: Any = 1.0) -> Any:
    """share times weights over step, both lengths of a layer; 1 where either is zero."""
    both = ops.greater(weights * step, 0.0)
    return ops.where(both, share * weights / ops.where(both, step, 1.0), 1.0)


def _lars_with(norm: Callable[[Vector], Any]) -> Callable[..., tuple[Vector, State]]:
    """The rule where a layer's length is that of norm: of the whole point, or of each tensor."""

    def rule(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
        g = oracle.gradient(w)
        d = g + h.weight_decay * w
        weights = norm(w)
        below = norm(g) + h.weight_decay * weights if o.norm == "apart" else norm(d)
        r = _trust(weights, below, h.trust)
        if o.rate == "inside":
            v = h.beta * s.v + h.lr * (r * d)
            return w - v, {"v": v, "r": r}
        v = h.beta * s.v + r * d
        return w - h.lr * v, {"v": v, "r": r}

    return rule


def _lars_latex(o: SimpleNamespace) -> tuple[str, ...]:
    weights = r"\lVert <w-> \rVert"
    below = (
        rf"\lVert <g> \rVert + <weight_decay>\, {weights}"
        if o.norm == "apart"
        else r"\lVert <g> + <weight_decay>\, <w-> \rVert"
    )
    inside, outside = (r"<lr>\, ", "") if o.rate == "inside" else ("", r"<lr>\, ")
    return (
        rf"<r> = <trust>\, \frac{{{weights}}}{{{below}}}",
        rf"<v> = <beta>\, <v-> + {inside}<r>\, (<g> + <weight_decay>\, <w->)",
        rf"<w> = <w-> - {outside}<v>",
    )


LARS = Optimizer(
    slug="lars",
    name="LARS",
    rule=_lars_with(length),
    tensor_rule=_lars_with(layer_lengths),
    hypers=(
        lr(1.0),
        beta(0.9, *OF_VELOCITY),
        Parameter(
            "trust", "τ", r"\tau", 1e-3, 1e-5, 1.0, "log",
            "a step's length over its layer's, at η 1", label="trust ratio",
        ),
        decay(5e-4),
    ),
    options=(
        Option(
            "norm",
            "the lengths of g and λw",
            (("apart", "are added (the paper)"), ("together", "are that of their sum (optax)")),
        ),
        Option(
            "rate",
            "the rate stands",
            (
                ("inside", "in the velocity (the paper, optax)"),
                ("outside", "beside it (pytorch_optimizer)"),
            ),
        ),
    ),
    state=(Slot("v", "v", "v", "velocity of the scaled gradients"),),
    shown=(Slot("r", "r", "r", "the layer's rate: τ‖w‖ over the gradient's length", "scalar"),),
    latex=_lars_latex,
    idea="Scale each layer's gradient to its weights, so that every layer moves by the same share.",
    when="Convolutional networks at batches of thousands. In the plane the point is one layer.",
    paper="You, Gitman & Ginsburg, Large batch training of convolutional networks",
    year=2017,
    typical_lr="2 – 30",
    relatives="Momentum with a rate for each layer. A layer at 0 takes momentum's step.",
    elementwise=False,
)  # fmt: skip


# LAMB ---------------------------------------------------------------------------------------------


def _lamb_with(norm: Callable[[Vector], Any]) -> Callable[..., tuple[Vector, State]]:
    """The rule where a layer's length is that of norm: of the whole point, or of each tensor."""

    def rule(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
        m, v = moments(oracle.gradient(w), s, h)
        m_hat, v_hat = corrected(m, v, oracle, h) if o.bias_correction else (m, v)
        u = m_hat / (ops.sqrt(v_hat) + h.eps) + h.weight_decay * w
        r = _trust(norm(w), norm(u))
        state = {"m": m, "v": v, "m_hat": m_hat, "v_hat": v_hat, "u": u, "r": r}
        return w - h.lr * (r * u), state

    return rule


def _lamb_latex(o: SimpleNamespace) -> tuple[str, ...]:
    m, v = ("<m_hat>", "<v_hat>") if o.bias_correction else ("<m>", "<v>")
    return (
        *MOMENT_LINES,
        *(CORRECTION_LINES if o.bias_correction else ()),
        rf"<u> = \frac{{{m}}}{{\sqrt{{{v}}} + <eps>}} + <weight_decay>\, <w->",
        r"<r> = \frac{\lVert <w-> \rVert}{\lVert <u> \rVert}",
        r"<w> = <w-> - <lr>\, <r>\, <u>",
    )


LAMB = Optimizer(
    slug="lamb",
    name="LAMB",
    rule=_lamb_with(length),
    tensor_rule=_lamb_with(layer_lengths),
    hypers=(lr(1e-3), BETA1, BETA2, epsilon(1e-6), decay(0.01)),
    options=(
        Option(
            "bias_correction",
            "bias correction",
            ((True, "on (the paper, optax)"), (False, "off (many implementations)")),
        ),
    ),
    state=(M, V),
    shown=(
        M_HAT,
        V_HAT,
        Slot("u", "u", "u", "AdamW's step, decay included"),
        Slot("r", "r", "r", "the layer's length over its step's", "scalar"),
    ),
    latex=_lamb_latex,
    idea="AdamW's step, stretched in each layer to the length of its weights times η.",
    when="Batches of tens of thousands: BERT in 76 minutes. In the plane the point is one layer.",
    paper="You et al., Large batch optimization for deep learning: training BERT in 76 minutes",
    year=2019,
    typical_lr="0.001 – 0.01",
    relatives="LARS with Adam's direction. A layer at 0 takes AdamW's step.",
    elementwise=False,
)


ENTRIES = (RPROP, SIGNUM, LARS, LAMB)
