"""Adam as it is changed today: from NAdamW and AdaBelief to Prodigy, which sets its own rate."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from engine.optimizers.beyond_adam import (
    ADAMS_DIRECTION,
    M_AHEAD,
    MOMENTA,
    MOMENTUM_DECAY,
    NADAM_FORM,
    nadam_direction,
    nadam_latex,
)
from engine.optimizers.description import Optimizer, Option, Oracle, Slot, State
from engine.optimizers.shared import (
    BETA1,
    BETA2,
    CORRECTION_LINES,
    M_HAT,
    MOMENT_LINES,
    OF_ITS_SQUARE,
    OF_THE_GRADIENT,
    V_HAT,
    M,
    V,
    all_sizes,
    averaged,
    beta,
    corrected,
    decay,
    epsilon,
    first_step,
    inner_product,
    layer_lengths,
    length,
    lr,
    moments,
    sum_of_sizes,
)
from engine.problems.parameter import Parameter
from engine.tape import Vector
from engine.tape import operations as ops

# NAdamW -------------------------------------------------------------------------------------------


def _nadamw(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
    direction, state = nadam_direction(oracle.gradient(w), oracle, s, h, o)
    return w * (1.0 - h.lr * h.weight_decay) - h.lr * direction, state


NADAMW = Optimizer(
    slug="nadamw",
    name="NAdamW",
    rule=_nadamw,
    hypers=(lr(2e-3), BETA1, BETA2, epsilon(1e-8), MOMENTUM_DECAY, decay(0.01)),
    options=(NADAM_FORM,),
    state=(M, V, MOMENTA),
    shown=(M_AHEAD, V_HAT),
    latex=lambda o: nadam_latex(o, r"(1 - <lr>\, <weight_decay>)\, <w->"),
    idea="Nadam with the decay beside the step, as AdamW has it.",
    when="Tuned baselines: AlgoPerf holds its entries against it.",
    paper="Dozat 2016 with the decay of Loshchilov & Hutter; Dahl et al., Benchmarking (AlgoPerf)",
    year=2023,
    typical_lr="0.0003 – 0.002",
    relatives="λ = 0 is Nadam.",
)


# AdaBelief ----------------------------------------------------------------------------------------


def _adabelief(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
    g = oracle.gradient(w)
    m = averaged(s.m, g, h.beta1)
    surprise = g - m
    v = averaged(s.v, surprise * surprise, h.beta2) + h.eps
    m_hat, v_hat = corrected(m, v, oracle, h)
    state = {"m": m, "v": v, "m_hat": m_hat, "v_hat": v_hat}
    return w - h.lr * (m_hat / (ops.sqrt(v_hat) + h.eps)), state


ADABELIEF = Optimizer(
    slug="adabelief",
    name="AdaBelief",
    rule=_adabelief,
    hypers=(lr(1e-3), BETA1, BETA2, epsilon(1e-16)),
    state=(M, Slot("v", "s", "s", "average of the squared surprise g − m, and ε at each step")),
    shown=(M_HAT, Slot("v_hat", "ŝ", r"\hat s", "the same, corrected for its start at zero")),
    latex=lambda o: (
        MOMENT_LINES[0],
        r"<v> = <beta2>\, <v-> + (1 - <beta2>)\, (<g> - <m>)^2 + <eps>",
        *CORRECTION_LINES,
        rf"<w> = <w-> - <lr>\, {ADAMS_DIRECTION}",
    ),
    idea="Step far where the gradient is as its average foretold, and little where it surprises.",
    when="Where Adam is used and gradients are large but steady.",
    paper="Zhuang et al., AdaBelief optimizer: adapting stepsizes by the belief in gradients",
    year=2020,
    typical_lr="0.001",
    relatives="β₁ = 0 leaves no surprise, so that only ε is divided by. Equals optax's.",
)


# ADOPT --------------------------------------------------------------------------------------------


def _adopt(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
    g = oracle.gradient(w)
    first = first_step(oracle)
    # At the first step v is empty: it is filled, and nothing moves.
    u = g / ops.maximum(ops.sqrt(ops.where(first, 1.0 + 0.0 * s.v, s.v)), h.eps)
    if o.clipped:
        bound = ops.sqrt(ops.sqrt(oracle.t - 1.0))
        u = ops.minimum(ops.maximum(u, -bound), bound)
    m = ops.where(first, s.m, averaged(s.m, u, h.beta1))
    v = ops.where(first, g * g, averaged(s.v, g * g, h.beta2))
    return w - h.lr * m, {"m": m, "v": v, "u": u}


def _adopt_latex(o: SimpleNamespace) -> tuple[str, ...]:
    u = r"\frac{<g>}{\max(\sqrt{<v->},\, <eps>)}"
    if o.clipped:
        u = rf"\min(\max({u},\, -c),\, c)"
    return (
        *((r"c = (<t> - 1)^{\frac14}",) if o.clipped else ()),
        rf"<u> = {u}",
        r"<m> = <beta1>\, <m-> + (1 - <beta1>)\, <u>",
        r"<w> = <w-> - <lr>\, <m>",
        MOMENT_LINES[1],
    )


ADOPT = Optimizer(
    slug="adopt",
    name="ADOPT",
    rule=_adopt,
    hypers=(
        lr(1e-3),
        BETA1,
        beta(0.9999, *OF_ITS_SQUARE, 2, 0.99999),
        epsilon(1e-6),
    ),
    options=(
        Option(
            "clipped",
            "the scaled gradient",
            (
                (True, "kept within (t − 1)^¼ (the authors' code, optax)"),
                (False, "as it is (algorithm 1)"),
            ),
        ),
    ),
    state=(Slot("m", "m", "m", "average of the scaled gradients"), V),
    shown=(Slot("u", "u", "u", "the gradient over the root of the average before it"),),
    latex=_adopt_latex,
    idea="Scale the gradient by the past alone, and only then average: it converges for any β₂.",
    when="A drop-in for Adam that needs no tuning of β₂. Its first step only looks.",
    paper="Taniguchi et al., ADOPT: modified Adam can converge with any β₂ with the optimal rate",
    year=2024,
    typical_lr="0.001",
    relatives="Adam divides by an average that holds this gradient too; ADOPT by the one before.",
)  # fmt: skip


# AdEMAMix -----------------------------------------------------------------------------------------

_SMALLEST_BETA = 1e-12  # a memory of 0 has no logarithm


def _ademamix(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
    g = oracle.gradient(w)
    m, v = moments(g, s, h)
    m_hat, v_hat = corrected(m, v, oracle, h)
    alpha, beta3 = h.alpha, h.beta3
    if o.warm:
        share = ops.minimum(oracle.t / h.warmup, 1.0)
        fast, slow = (ops.log(ops.maximum(x, _SMALLEST_BETA)) for x in (h.beta1, h.beta3))
        alpha = share * alpha
        grown = ops.exp(fast * slow / ((1.0 - share) * slow + share * fast))
        beta3 = ops.minimum(grown, beta3)
    n = averaged(s.n, g, beta3)
    u = (m_hat + alpha * n) / (ops.sqrt(v_hat) + h.eps)
    state = {"m": m, "v": v, "n": n, "m_hat": m_hat, "v_hat": v_hat}
    if o.warm:
        state |= {"b": beta3}
    return w - h.lr * (u + h.weight_decay * w), state


def _ademamix_latex(o: SimpleNamespace) -> tuple[str, ...]:
    alpha, beta3 = (r"c\, <alpha>", "<b>") if o.warm else ("<alpha>", "<beta3>")
    growth = (
        r"c = \min(\tfrac{<t>}{<warmup>},\, 1)",
        (
            r"<b> = \min(\exp(\frac{\ln(<beta1>)\, \ln(<beta3>)}"
            r"{(1 - c)\, \ln(<beta3>) + c\, \ln(<beta1>)}),\, <beta3>)"
        ),
    )
    return (
        *(growth if o.warm else ()),
        *MOMENT_LINES,
        rf"<n> = {beta3}\, <n-> + (1 - {beta3})\, <g>",
        *CORRECTION_LINES,
        (
            rf"<w> = <w-> - <lr>\, (\frac{{<m_hat> + {alpha}\, <n>}}{{\sqrt{{<v_hat>}} + <eps>}}"
            r" + <weight_decay>\, <w->)"
        ),
    )


ADEMAMIX = Optimizer(
    slug="ademamix",
    name="AdEMAMix",
    rule=_ademamix,
    hypers=(
        lr(1e-3),
        BETA1,
        BETA2,
        Parameter(
            "beta3", "β₃", r"\beta_3", 0.9999, 0.9, 0.99999, "linear", "memory of the slow average",
            label="slow average's decay",
        ),
        Parameter(
            "alpha", "α", r"\alpha", 5.0, 0.0, 20.0, "linear", "weight of the slow average",
            label="slow average's weight",
        ),
        Parameter(
            "warmup", "T", "T", 100.0, 1.0, 1e5, "log",
            "steps over which α and β₃ grow, where they do", label="steps of growth",
        ),
        epsilon(1e-8),
        decay(0.0),
    ),
    options=(
        Option(
            "warm",
            "α and β₃",
            (
                (False, "as they are (the libraries' default)"),
                (True, "grow over T steps (the paper)"),
            ),
        ),
    ),
    state=(M, V, Slot("n", "m₂", "n", "slow average of the gradients, not corrected")),
    shown=(
        M_HAT,
        V_HAT,
        Slot("b", "β₃", r"\beta_3", "memory of the slow average, as it grows", kind="scalar"),
    ),
    latex=_ademamix_latex,
    idea="Two momenta, a quick one and one that remembers ten thousand steps.",
    when="Long runs of language models: old gradients still help.",
    paper="Pagliardini, Ablin & Grangier, The AdEMAMix optimizer: better, faster, older",
    year=2024,
    typical_lr="0.0001 – 0.001",
    relatives="α = 0 is AdamW.",
)  # fmt: skip


# MARS ---------------------------------------------------------------------------------------------


def _mars_with(norm: Callable[[Vector], Any]) -> Callable[..., tuple[Vector, State]]:
    """The rule where a layer's length is that of norm: of the whole point, or of each tensor."""

    def rule(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
        g = oracle.gradient(w)
        before = s.last if o.form == "approximate" else oracle.gradient(s.point)
        u = g + (h.gamma * h.beta1 / (1.0 - h.beta1)) * (g - before)
        c = u / ops.maximum(norm(u), 1.0)
        m, v = moments(c, s, h)
        m_hat, v_hat = corrected(m, v, oracle, h)
        state = {"m": m, "v": v, "m_hat": m_hat, "v_hat": v_hat, "c": c}
        state |= {"last": g} if o.form == "approximate" else {"point": w}
        following = w * (1.0 - h.lr * h.weight_decay)
        return following - h.lr * (m_hat / (ops.sqrt(v_hat) + h.eps)), state

    return rule


def _mars_latex(o: SimpleNamespace) -> tuple[str, ...]:
    before = "<last->" if o.form == "approximate" else r"\nabla J(<point->)"
    return (
        rf"u = <g> + <gamma>\, \frac{{<beta1>}}{{1 - <beta1>}}\, (<g> - {before})",
        r"<c> = \frac{u}{\max(\lVert u \rVert,\, 1)}",
        *(line.replace("<g>", "<c>") for line in MOMENT_LINES),
        *CORRECTION_LINES,
        rf"<w> = (1 - <lr>\, <weight_decay>)\, <w-> - <lr>\, {ADAMS_DIRECTION}",
    )


MARS = Optimizer(
    slug="mars",
    name="MARS",
    rule=_mars_with(length),
    tensor_rule=_mars_with(layer_lengths),
    hypers=(
        lr(3e-3),
        beta(0.95, *OF_THE_GRADIENT, 1),
        beta(0.99, *OF_ITS_SQUARE, 2, 0.99999),
        Parameter(
            "gamma", "γ", r"\gamma", 0.025, 0.0, 1.0, "linear", "how much of the change counts",
            label="weight of the change",
        ),
        epsilon(1e-8),
        decay(0.0),
    ),
    options=(
        Option(
            "form",
            "the change since",
            (
                ("approximate", "the last gradient, as it was (the authors' code)"),
                ("exact", "the last point, on this step's own noise: a second gradient"),
            ),
        ),
    ),
    state=(
        M,
        V,
        Slot(
            "last", "g₋", "g_{t-1}", "the gradient of the step before",
            when=lambda o: o.form == "approximate",
        ),
        Slot(
            "point", "w₋", "w_{t-1}", "the point of the step before", start="w",
            when=lambda o: o.form == "exact",
        ),
    ),
    shown=(M_HAT, V_HAT, Slot("c", "c", "c", "the gradient with its change, at most 1 long")),
    latex=_mars_latex,
    idea="Take the noise out of the gradient by its change: variance reduction put before Adam.",
    when="Large models. Each tensor's corrected gradient is cut to length 1; here the point's is.",
    paper="Yuan et al., MARS: unleashing the power of variance reduction, MARS-AdamW",
    year=2024,
    typical_lr="0.003",
    relatives="γ = 0 is AdamW on gradients cut to length 1.",
    costs=lambda h, o: 2.0 if o.form == "exact" else 1.0,
    elementwise=False,
)  # fmt: skip


# Prodigy ------------------------------------------------------------------------------------------


def _prodigy_with(
    inner: Callable[[Vector, Vector], Any], sizes: Callable[[Vector], Any]
) -> Callable[..., tuple[Vector, State]]:
    """The rule with sums over the coordinates of a point, or over the elements of all tensors."""

    def rule(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
        g = oracle.gradient(w)
        d = ops.where(first_step(oracle), h.d0, s.d)
        beta3 = ops.sqrt(h.beta2)
        rate = h.lr * d
        if o.bias_correction:
            rate = rate * (ops.sqrt(1.0 - h.beta2**oracle.t) / (1.0 - h.beta1**oracle.t))
        m = averaged(s.m, d * g, h.beta1)
        v = averaged(s.v, (d * g) * (d * g), h.beta2)
        scale = d / h.d0
        r = beta3 * s.r + (scale * rate) * inner(g, s.w0 - w)
        total = beta3 * s.total + (scale * (d if o.safeguard else rate)) * g
        below = sizes(total)
        some = ops.greater(below, 0.0)
        estimate = ops.where(some, h.d_coef * r / ops.where(some, below, 1.0), 0.0)
        farther = ops.maximum(d, estimate)
        state = {"m": m, "v": v, "r": r, "total": total, "d": farther, "w0": s.w0}
        following = w * (1.0 - rate * h.weight_decay)
        return following - rate * (m / (ops.sqrt(v) + farther * h.eps)), state

    return rule


def _prodigy_latex(o: SimpleNamespace) -> tuple[str, ...]:
    bias = r"\, \frac{\sqrt{1 - <beta2>^{<t>}}}{1 - <beta1>^{<t>}}" if o.bias_correction else ""
    weight = "<d->" if o.safeguard else "k"
    return (
        rf"k = <lr>\, <d->{bias}",
        r"<m> = <beta1>\, <m-> + (1 - <beta1>)\, <d-> <g>",
        r"<v> = <beta2>\, <v-> + (1 - <beta2>)\, (<d-> <g>)^2",
        r"<r> = \sqrt{<beta2>}\, <r-> + \frac{<d->}{<d0>}\, k\, \langle <g>,\, <w0> - <w-> \rangle",
        rf"<total> = \sqrt{{<beta2>}}\, <total-> + \frac{{<d->}}{{<d0>}}\, {weight}\, <g>",
        r"<d> = \max(<d->,\, <d_coef>\, \frac{<r>}{\lVert <total> \rVert_1})",
        (
            r"<w> = (1 - k\, <weight_decay>)\, <w->"
            r" - k\, \frac{<m>}{\sqrt{<v>} + <d>\, <eps>}"
        ),
    )


PRODIGY = Optimizer(
    slug="prodigy",
    name="Prodigy",
    rule=_prodigy_with(Vector.dot, sum_of_sizes),
    tensor_rule=_prodigy_with(inner_product, all_sizes),
    hypers=(
        lr(1.0),
        BETA1,
        BETA2,
        Parameter(
            "d0", "d₀", "d_0", 1e-6, 1e-8, 1.0, "log", "first guess of the distance, too small",
            label="first distance",
        ),
        Parameter(
            "d_coef", "c", "c", 1.0, 0.1, 10.0, "log", "what the estimate is multiplied by",
            label="distance factor",
        ),
        epsilon(1e-8),
        decay(0.0),
    ),
    options=(
        Option(
            "bias_correction",
            "bias correction",
            ((False, "off (the authors' code)"), (True, "on (optax)")),
        ),
        Option(
            "safeguard",
            "a warm-up of the rate",
            ((False, "weighs gradients too"), (True, "is kept out of their weights")),
        ),
    ),
    state=(
        Slot("m", "m", "m", "average of the gradients times d"),
        Slot("v", "v", "v", "average of their squares"),
        Slot("total", "s", "s", "weighted sum of the gradients"),
        Slot("w0", "w°", r"w^{\circ}", "where the run started", start="w"),
        Slot("r", "r", "r", "weighted sum of what gradients say of the way back", kind="scalar"),
        Slot("d", "d", "d", "distance to the solution, as estimated so far", kind="scalar"),
    ),
    latex=_prodigy_latex,
    idea="Estimate the distance to the solution while walking, and take it for the rate.",
    when="Where no rate is known: leave η at 1, with a schedule that falls.",
    paper="Mishchenko & Defazio, Prodigy: an expeditiously adaptive parameter-free learner",
    year=2023,
    typical_lr="1",
    relatives="With d held fast it is AdamW at the rate ηd.",
    elementwise=False,
    joins=True,
)  # fmt: skip


ENTRIES = (NADAMW, ADABELIEF, PRODIGY, ADOPT, ADEMAMIX, MARS)
