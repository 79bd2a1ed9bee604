"""A rate of its own for every coordinate: from Adagrad to AMSGrad."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from engine.optimizers.description import Optimizer, Option, Oracle, Slot, State
from engine.optimizers.shared import (
    BETA1,
    BETA2,
    CORRECTION_LINES,
    EPSILON,
    M_HAT,
    MOMENT_LINES,
    OF_ITS_SQUARE,
    V_HAT,
    M,
    V,
    averaged,
    beta,
    corrected,
    decay,
    epsilon,
    lr,
    moments,
    over_root,
    root_latex,
)
from engine.problems.parameter import Parameter
from engine.tape import Vector
from engine.tape import operations as ops

# per-coordinate rates -----------------------------------------------------------------------------


def _adagrad(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
    g = oracle.gradient(w)
    total = s.G + g * g
    return w - h.lr * over_root(g, total, h, o), {"G": total}


ADAGRAD = Optimizer(
    slug="adagrad",
    name="Adagrad",
    rule=_adagrad,
    hypers=(lr(0.01), epsilon(1e-10)),
    options=(EPSILON,),
    state=(Slot("G", "G", "G", "sum of the squared gradients: it only grows"),),
    latex=lambda o: (
        r"<G> = <G-> + <g>^2",
        rf"<w> = <w-> - \frac{{<lr>\, <g>}}{{{root_latex('<G>', o)}}}",
    ),
    idea="A rate of its own for every coordinate: the more it has moved, the less it may.",
    when="Sparse features (words, clicks), convex problems.",
    paper="Duchi, Hazan & Singer, Adaptive subgradient methods",
    year=2011,
    typical_lr="0.01",
    relatives="RMSProp forgets where Adagrad only adds up.",
)


def _adadelta(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
    g = oracle.gradient(w)
    v = averaged(s.v, g * g, h.rho)
    step = ops.sqrt(s.u + h.eps) / ops.sqrt(v + h.eps) * g
    u = averaged(s.u, step * step, h.rho)
    return w - h.lr * step, {"v": v, "u": u, "step": step}


ADADELTA = Optimizer(
    slug="adadelta",
    name="Adadelta",
    rule=_adadelta,
    hypers=(
        lr(1.0),
        Parameter(
            "rho",
            "ρ",
            r"\rho",
            0.9,
            0.0,
            0.999,
            "linear",
            "memory of both averages",
            label="decay of averages",
        ),
        epsilon(1e-6),
    ),
    state=(
        Slot("v", "E[g²]", r"E[g^2]", "average of the squared gradients"),
        Slot("u", "E[Δ²]", r"E[\Delta^2]", "average of the squared steps"),
    ),
    shown=(Slot("step", "Δ", r"\Delta", "the step before the learning rate"),),
    latex=lambda o: (
        r"<v> = <rho>\, <v-> + (1 - <rho>)\, <g>^2",
        r"<step> = \frac{\sqrt{<u-> + <eps>}}{\sqrt{<v> + <eps>}}\, <g>",
        r"<u> = <rho>\, <u-> + (1 - <rho>)\, <step>^2",
        r"<w> = <w-> - <lr>\, <step>",
    ),
    idea="Let past steps set the size of the next, so that units agree and no rate is needed.",
    when="Where no learning rate is known; slow to start because its steps begin near √ε.",
    paper="Zeiler, ADADELTA: an adaptive learning rate method",
    year=2012,
    typical_lr="1.0",
    relatives="RMSProp with the rate replaced by RMS[Δ].",
)


def _rmsprop(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
    g = oracle.gradient(w)
    v = averaged(s.v, g * g, h.beta)
    if not o.centered:
        return w - h.lr * over_root(g, v, h, o), {"v": v}
    m = averaged(s.m, g, h.beta)
    # Of a steady gradient rounding may leave less than nothing, which has no root.
    variance = ops.maximum(v - m * m, 0.0)
    return w - h.lr * over_root(g, variance, h, o), {"v": v, "m": m}


def _rmsprop_latex(o: SimpleNamespace) -> tuple[str, ...]:
    lines = [r"<v> = <beta>\, <v-> + (1 - <beta>)\, <g>^2"]
    if o.centered:
        lines.append(r"<m> = <beta>\, <m-> + (1 - <beta>)\, <g>")
    root = root_latex(r"\max(<v> - <m>^2,\, 0)" if o.centered else "<v>", o)
    return (*lines, rf"<w> = <w-> - \frac{{<lr>\, <g>}}{{{root}}}")


RMSPROP = Optimizer(
    slug="rmsprop",
    name="RMSProp",
    rule=_rmsprop,
    hypers=(lr(0.01), beta(0.99, *OF_ITS_SQUARE), epsilon(1e-8)),
    options=(
        EPSILON,
        Option(
            "centered",
            "variance",
            (
                (False, "raw second moment"),
                (True, "centred: v − m², at least 0 (PyTorch and optax let it fall below)"),
            ),
        ),
    ),
    state=(
        V,
        Slot("m", "m", "m", "average of the gradients", when=lambda o: bool(o.centered)),
    ),
    latex=_rmsprop_latex,
    idea="Divide by a running root mean square of the gradient, so that every coordinate walks.",
    when="Recurrent networks, reinforcement learning.",
    paper="Tieleman & Hinton, Neural networks for machine learning, lecture 6e",
    year=2012,
    typical_lr="0.001 – 0.01",
    relatives=(
        "Adam with β₁ = 0 and without bias correction. Centred, it differs from PyTorch and optax "
        "in one place: on a steady gradient rounding carries v − m² below 0, where they take the "
        "root of a negative number and the run is NaN from then on; here it is held at 0."
    ),
)


# Adam and its kin ---------------------------------------------------------------------------------


def _adam_from(g: Any, oracle: Oracle, s: Any, h: Any, o: Any) -> tuple[Any, State]:
    m, v = moments(g, s, h)
    m_hat, v_hat = corrected(m, v, oracle, h) if o.bias_correction else (m, v)
    return over_root(m_hat, v_hat, h, o), {"m": m, "v": v, "m_hat": m_hat, "v_hat": v_hat}


def _adam(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
    direction, state = _adam_from(oracle.gradient(w), oracle, s, h, o)
    return w - h.lr * direction, state


def _adam_latex(
    o: SimpleNamespace, gradient: str = "<g>", before: str = "", after: str = ""
) -> tuple[str, ...]:
    averages = tuple(line.replace("<g>", gradient) for line in MOMENT_LINES)
    m, v = ("<m_hat>", "<v_hat>") if o.bias_correction else ("<m>", "<v>")
    step = rf"<lr>\, \frac{{{m}}}{{{root_latex(v, o)}}}"
    return (
        *averages,
        *(CORRECTION_LINES if o.bias_correction else ()),
        rf"<w> = {before or '<w->'} - {step}{after}",
    )


_BIAS = Option(
    "bias_correction", "bias correction", ((True, "on"), (False, "off: raw averages from zero"))
)
_ADAM_PARTS: dict[str, Any] = {
    "state": (M, V),
    "shown": (M_HAT, V_HAT),
    "options": (_BIAS, EPSILON),
}

ADAM = Optimizer(
    slug="adam",
    name="Adam",
    rule=_adam,
    hypers=(lr(1e-3), BETA1, BETA2, epsilon(1e-8)),
    **_ADAM_PARTS,
    latex=_adam_latex,
    idea="Momentum over RMSProp, both corrected for their start at zero.",
    when="The default for most deep networks.",
    paper="Kingma & Ba, Adam: a method for stochastic optimization",
    year=2015,
    typical_lr="0.001",
    relatives="β₁ = 0 without correction is RMSProp; β₁ = β₂ = 0 and ε = 0 is sign descent.",
)


def _adam_l2(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
    g = oracle.gradient(w) + h.weight_decay * w
    direction, state = _adam_from(g, oracle, s, h, o)
    return w - h.lr * direction, state


ADAM_L2 = Optimizer(
    slug="adam_l2",
    name="Adam + L2",
    rule=_adam_l2,
    hypers=(lr(1e-3), BETA1, BETA2, epsilon(1e-8), decay(0.0)),
    **_ADAM_PARTS,
    latex=lambda o: _adam_latex(o, gradient=r"(<g> + <weight_decay>\, <w->)"),
    idea="Weight decay put into the gradient, where Adam scales it with the rest: its pull on a "
    "coordinate then depends on how large gradients are there.",
    when="To see why AdamW was needed.",
    paper="Kingma & Ba 2015, with an L2 penalty",
    year=2015,
    typical_lr="0.001",
    relatives="λ = 0 is Adam.",
)


def _adamw(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
    direction, state = _adam_from(oracle.gradient(w), oracle, s, h, o)
    if o.decay == "times_schedule":
        return w - (h.lr * direction + (oracle.schedule * h.weight_decay) * w), state
    return w * (1.0 - h.lr * h.weight_decay) - h.lr * direction, state


def _adamw_latex(o: SimpleNamespace) -> tuple[str, ...]:
    if o.decay == "times_schedule":
        return _adam_latex(o, after=r" - <schedule>\, <weight_decay>\, <w->")
    return _adam_latex(o, before=r"(1 - <lr>\, <weight_decay>)\, <w->")


ADAMW = Optimizer(
    slug="adamw",
    name="AdamW",
    rule=_adamw,
    hypers=(lr(1e-3), BETA1, BETA2, epsilon(1e-8), decay(0.01)),
    state=(M, V),
    shown=(M_HAT, V_HAT),
    options=(
        _BIAS,
        EPSILON,
        Option(
            "decay",
            "the decay is",
            (
                ("times_lr", "times the learning rate (PyTorch)"),
                ("times_schedule", "times the schedule alone (the paper)"),
            ),
        ),
    ),
    latex=_adamw_latex,
    idea="Weight decay beside the gradient step, out of reach of its scaling.",
    when="Transformers; wherever weight decay is wanted with Adam.",
    paper="Loshchilov & Hutter, Decoupled weight decay regularization",
    year=2019,
    typical_lr="0.0001 – 0.001",
    relatives="λ = 0 is Adam.",
)


def _amsgrad(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
    m, v = moments(oracle.gradient(w), s, h)
    if o.maximum == "paper":
        top = ops.maximum(s.top, v)
        return w - h.lr * over_root(m, top, h, o), {"m": m, "v": v, "top": top}
    m_hat, v_hat = corrected(m, v, oracle, h)
    if o.maximum == "corrected":
        top = ops.maximum(s.top, v_hat)
        scale = top
    else:
        top = ops.maximum(s.top, v)
        scale = top / (1.0 - h.beta2**oracle.t)
    state = {"m": m, "v": v, "top": top, "m_hat": m_hat, "v_hat": v_hat}
    return w - h.lr * over_root(m_hat, scale, h, o), state


def _amsgrad_latex(o: SimpleNamespace) -> tuple[str, ...]:
    if o.maximum == "paper":
        top, m, v = r"<top> = \max(<top->, <v>)", "<m>", "<top>"
        corrections: tuple[str, ...] = ()
    elif o.maximum == "corrected":
        top, m, v = r"<top> = \max(<top->, <v_hat>)", "<m_hat>", "<top>"
        corrections = CORRECTION_LINES
    else:
        top, m = r"<top> = \max(<top->, <v>)", "<m_hat>"
        v = r"\tfrac{<top>}{1 - <beta2>^{<t>}}"
        corrections = CORRECTION_LINES[:1]
    step = rf"<lr>\, \frac{{{m}}}{{{root_latex(v, o)}}}"
    return (*MOMENT_LINES, *corrections, top, rf"<w> = <w-> - {step}")


AMSGRAD = Optimizer(
    slug="amsgrad",
    name="AMSGrad",
    rule=_amsgrad,
    hypers=(lr(1e-3), BETA1, BETA2, epsilon(1e-8)),
    state=(M, V, Slot("top", "v_max", r"v^{\max}", "largest squared average so far")),
    shown=(M_HAT, V_HAT),
    options=(
        EPSILON,
        Option(
            "maximum",
            "maximum of",
            (
                ("raw", "v, corrected afterwards (PyTorch)"),
                ("corrected", "v̂ (optax)"),
                ("paper", "v, nothing corrected (the paper)"),
            ),
        ),
    ),
    latex=_amsgrad_latex,
    idea="Never let the rate of a coordinate grow again: keep the largest v.",
    when="Where Adam fails to converge on rare, large gradients.",
    paper="Reddi, Kale & Kumar, On the convergence of Adam and beyond",
    year=2018,
    typical_lr="0.001",
    relatives="Adam while v̂ keeps growing.",
)


ENTRIES = (ADAGRAD, ADADELTA, RMSPROP, ADAM, ADAM_L2, ADAMW, AMSGRAD)
