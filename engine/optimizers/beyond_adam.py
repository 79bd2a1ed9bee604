"""Adam with one thing changed: from QHAdam to schedule-free AdamW."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from engine.optimizers.description import Optimizer, Option, Oracle, Slot, State
from engine.optimizers.momentum import (
    SCHEDULE_FREE_SHOWN,
    SCHEDULE_FREE_STATE,
    schedule_free,
    schedule_free_latex,
)
from engine.optimizers.shared import (
    BETA1,
    BETA2,
    CORRECTION_LINES,
    M_HAT,
    MOMENT_LINES,
    OF_THE_GRADIENT,
    V_HAT,
    M,
    V,
    averaged,
    beta,
    corrected,
    decay,
    epsilon,
    first_step,
    lr,
    moments,
)
from engine.problems.parameter import Parameter
from engine.tape import Vector
from engine.tape import operations as ops

ADAMS_DIRECTION = r"\frac{<m_hat>}{\sqrt{<v_hat>} + <eps>}"


# QHAdam -------------------------------------------------------------------------------------------


def _qhadam(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
    g = oracle.gradient(w)
    m, v = moments(g, s, h)
    m_hat, v_hat = corrected(m, v, oracle, h)
    top = (1.0 - h.nu1) * g + h.nu1 * m_hat
    square = (1.0 - h.nu2) * (g * g) + h.nu2 * v_hat
    state = {"m": m, "v": v, "m_hat": m_hat, "v_hat": v_hat}
    return w - h.lr * (top / (ops.sqrt(square) + h.eps)), state


def _nu(i: int, default: float, label: str, meaning: str) -> Parameter:
    return Parameter(
        f"nu{i}", f"ν{'₁₂'[i - 1]}", rf"\nu_{i}", default, 0.0, 1.0, "linear", meaning, label
    )


QHADAM = Optimizer(
    slug="qhadam",
    name="QHAdam",
    rule=_qhadam,
    hypers=(
        lr(1e-3),
        BETA1,
        BETA2,
        _nu(1, 0.7, "average's share", "share of the average; the rest is the gradient itself"),
        _nu(
            2,
            1.0,
            "squared average's share",
            "share of the squared average; the rest is the square itself",
        ),
        epsilon(1e-8),
    ),
    state=(M, V),
    shown=(M_HAT, V_HAT),
    latex=lambda o: (
        *MOMENT_LINES,
        *CORRECTION_LINES,
        (
            r"<w> = <w-> - <lr>\, \frac{(1 - <nu1>)\, <g> + <nu1>\, <m_hat>}"
            r"{\sqrt{(1 - <nu2>)\, <g>^2 + <nu2>\, <v_hat>} + <eps>}"
        ),
    ),
    idea="Weigh the fresh gradient against the average: momentum's memory without its delay.",
    when="A drop-in for Adam that bears a larger β₁.",
    paper="Ma & Yarats, Quasi-hyperbolic momentum and Adam for deep learning",
    year=2019,
    typical_lr="0.001",
    relatives="ν₁ = ν₂ = 1 is Adam.",
)


# Eve ----------------------------------------------------------------------------------------------


def _eve(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
    f = oracle.loss(w)
    m, v = moments(oracle.gradient(w), s, h)
    m_hat, v_hat = corrected(m, v, oracle, h)
    bound = (oracle.lower_bound or 0.0) + h.f_star
    change = ops.absolute(f - s.f) / (ops.minimum(f, s.f) - bound)
    r = ops.minimum(ops.maximum(change, 1.0 / h.c), h.c)
    d = ops.where(first_step(oracle), 1.0, averaged(s.d, r, h.beta3))
    step = (h.lr / d) * (m_hat / (ops.sqrt(v_hat) + h.eps))
    return w - step, {"m": m, "v": v, "d": d, "f": f, "m_hat": m_hat, "v_hat": v_hat}


EVE = Optimizer(
    slug="eve",
    name="Eve",
    rule=_eve,
    hypers=(
        lr(1e-3),
        BETA1,
        BETA2,
        beta(0.999, "objective's decay", "memory of the objective's change", 3, 1.0),
        Parameter(
            "c",
            "c",
            "c",
            10.0,
            1.0,
            100.0,
            "log",
            "the change counts between 1/c and c",
            label="bound on the change",
        ),
        Parameter(
            "f_star",
            "f*",
            "f^{\\star}",
            -0.1,
            -10.0,
            0.0,
            "linear",
            "lower bound of the objective, from its known minimum (from 0 where none is known)",
            label="lower bound of loss",
        ),
        epsilon(1e-8),
    ),
    state=(
        M,
        V,
        Slot("d", "d", "d", "average relative change of the objective", kind="scalar"),
        Slot("f", "f", "f", "the objective at the last point", kind="scalar"),
    ),
    shown=(M_HAT, V_HAT),
    latex=lambda o: (
        *MOMENT_LINES,
        *CORRECTION_LINES,
        (
            r"<d> = <beta3>\, <d-> + (1 - <beta3>)\,"
            r" \operatorname{clip}_{1/<c>}^{<c>} \frac{|<f> - <f->|}{\min(<f>, <f->) - f^{\star}}"
        ),
        rf"<w> = <w-> - \frac{{<lr>}}{{<d>}}\, {ADAMS_DIRECTION}",
    ),
    idea="Adam with a rate that follows the objective: bold while it is flat, careful in a fall.",
    when="Objectives that change under way; the bound f* must lie below every loss met.",
    paper="Koushik & Hayashi, Improving stochastic gradient descent with feedback",
    year=2016,
    typical_lr="0.001",
    relatives="β₃ = 1 (or c = 1) is Adam.",
)


# Nadam --------------------------------------------------------------------------------------------


def nadam_direction(g: Any, oracle: Oracle, s: Any, h: Any, o: Any) -> tuple[Any, State]:
    """Adam's step with its average looked one step ahead, before the learning rate."""
    m, v = moments(g, s, h)
    v_hat = v / (1.0 - h.beta2**oracle.t)
    state = {"m": m, "v": v, "v_hat": v_hat}
    if o.form == "dozat":
        fading = h.beta1**oracle.t
        m_hat = h.beta1 * m / (1.0 - fading * h.beta1) + (1.0 - h.beta1) * g / (1.0 - fading)
    else:
        decay_now = ops.power(0.96, h.momentum_decay)
        now = decay_now**oracle.t
        mu = h.beta1 * (1.0 - 0.5 * now)
        mu_next = h.beta1 * (1.0 - 0.5 * (now * decay_now))
        product = ops.where(first_step(oracle), 1.0, s.product) * mu
        m_hat = (1.0 - mu) * g / (1.0 - product) + mu_next * m / (1.0 - product * mu_next)
        state["product"] = product
    return m_hat / (ops.sqrt(v_hat) + h.eps), {**state, "m_hat": m_hat}


def _nadam(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
    direction, state = nadam_direction(oracle.gradient(w), oracle, s, h, o)
    return w - h.lr * direction, state


def nadam_latex(o: SimpleNamespace, before: str = "<w->") -> tuple[str, ...]:
    """Nadam's lines; before stands where the old point does."""
    if o.form == "dozat":
        ahead: tuple[str, ...] = (
            (
                r"<m_hat> = \frac{<beta1>\, <m>}{1 - <beta1>^{<t> + 1}}"
                r" + \frac{(1 - <beta1>)\, <g>}{1 - <beta1>^{<t>}}"
            ),
        )
    else:
        ahead = (
            (
                r"\mu_t = <beta1>\left(1 - \tfrac12\, 0.96^{\,t\, <momentum_decay>}\right),\quad"
                r" <product> = <product->\, \mu_t"
            ),
            (
                r"<m_hat> = \frac{(1 - \mu_t)\, <g>}{1 - <product>}"
                r" + \frac{\mu_{t+1}\, <m>}{1 - <product>\, \mu_{t+1}}"
            ),
        )
    last = rf"<w> = {before} - <lr>\, {ADAMS_DIRECTION}"
    return (*MOMENT_LINES, *ahead, CORRECTION_LINES[1], last)


MOMENTUM_DECAY = Parameter(
    "momentum_decay",
    "ψ",
    r"\psi",
    4e-3,
    0.0,
    0.1,
    "linear",
    "how fast the momentum rises from ½β₁ to β₁",
)
NADAM_FORM = Option(
    "form",
    "Nadam's form",
    (
        ("pytorch", "momentum warmed up: μ_t (PyTorch, the paper)"),
        ("dozat", "constant momentum (optax)"),
    ),
)
MOMENTA = Slot(
    "product",
    "Πμ",
    r"\Pi_t",
    "product of the momenta",
    kind="scalar",
    when=lambda o: o.form == "pytorch",
)
M_AHEAD = Slot("m_hat", "m̂", r"\hat m", "the average as it will be one step ahead")

NADAM = Optimizer(
    slug="nadam",
    name="Nadam",
    rule=_nadam,
    hypers=(
        lr(2e-3),
        BETA1,
        BETA2,
        epsilon(1e-8),
        MOMENTUM_DECAY,
    ),
    options=(NADAM_FORM,),
    state=(M, V, MOMENTA),
    shown=(M_AHEAD, V_HAT),
    latex=nadam_latex,
    idea="Adam with Nesterov's look ahead: the fresh gradient is already in the step.",
    when="A drop-in for Adam.",
    paper="Dozat, Incorporating Nesterov momentum into Adam",
    year=2016,
    typical_lr="0.002",
    relatives="β₁ = 0 is Adam without momentum: there is nothing to look ahead with.",
)


# RAdam --------------------------------------------------------------------------------------------


def _radam(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
    m, v = moments(oracle.gradient(w), s, h)
    m_hat, v_hat = corrected(m, v, oracle, h)
    fading = h.beta2**oracle.t
    longest = 2.0 / (1.0 - h.beta2) - 1.0
    length = longest - 2.0 * oracle.t * fading / (1.0 - fading)
    trusted = ops.greater(length, 5.0)
    # Where the variance is not trusted the ratio may be negative; its root is not used there.
    ratio = (length - 4.0) * (length - 2.0) * longest / ((longest - 4.0) * (longest - 2.0) * length)
    r = ops.where(trusted, ops.sqrt(ops.absolute(ratio)), 0.0)
    if o.epsilon == "raw":
        scale = r * ops.sqrt(1.0 - fading) / (ops.sqrt(v) + h.eps)
    else:
        scale = r / (ops.sqrt(v_hat) + h.eps)
    step = ops.where(trusted, m_hat * scale, m_hat)
    return w - h.lr * step, {"m": m, "v": v, "m_hat": m_hat, "v_hat": v_hat, "r": r}


RADAM = Optimizer(
    slug="radam",
    name="RAdam",
    rule=_radam,
    hypers=(lr(1e-3), BETA1, BETA2, epsilon(1e-8)),
    options=(
        Option(
            "epsilon",
            "ε is added to",
            (("raw", "√v, before its correction (PyTorch)"), ("corrected", "√v̂ (optax)")),
        ),
    ),
    state=(M, V),
    shown=(
        M_HAT,
        V_HAT,
        Slot("r", "r", "r", "trust in the variance: 0 while it is not used", kind="scalar"),
    ),
    latex=lambda o: (
        *MOMENT_LINES,
        *CORRECTION_LINES,
        (
            r"\rho_\infty = \tfrac{2}{1 - <beta2>} - 1,\quad"
            r" \rho_t = \rho_\infty - \tfrac{2 <t>\, <beta2>^{<t>}}{1 - <beta2>^{<t>}},\quad"
            r" <r> = \sqrt{\tfrac{(\rho_t - 4)(\rho_t - 2)\rho_\infty}"
            r"{(\rho_\infty - 4)(\rho_\infty - 2)\rho_t}}"
        ),
        (
            rf"<w> = <w-> - <lr>\, <r>\, {ADAMS_DIRECTION}\ (\rho_t > 5),"
            r"\quad <w-> - <lr>\, <m_hat>\ \text{otherwise}"
        ),
    ),
    idea="Trust the squared average only once it has seen enough: a warm-up by itself.",
    when="Where Adam needs a warm-up and nobody wants to tune it.",
    paper="Liu et al., On the variance of the adaptive learning rate and beyond",
    year=2020,
    typical_lr="0.001",
    relatives="With β₂ ≤ ⅔ and β₁ = 0 it never trusts the variance, and is SGD.",
)


# Adamax -------------------------------------------------------------------------------------------


def _adamax(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
    g = oracle.gradient(w)
    m = averaged(s.m, g, h.beta1)
    u = ops.maximum(h.beta2 * s.u, ops.absolute(g) + h.eps)
    return w - (h.lr / (1.0 - h.beta1**oracle.t)) * (m / u), {"m": m, "u": u}


ADAMAX = Optimizer(
    slug="adamax",
    name="Adamax",
    rule=_adamax,
    hypers=(lr(2e-3), BETA1, BETA2, epsilon(1e-8)),
    state=(M, Slot("u", "u", "u", "fading maximum of the gradient's size")),
    latex=lambda o: (
        MOMENT_LINES[0],
        r"<u> = \max(<beta2>\, <u->,\; |<g>| + <eps>)",
        r"<w> = <w-> - \frac{<lr>}{1 - <beta1>^{<t>}}\, \frac{<m>}{<u>}",
    ),
    idea="Adam with the largest recent gradient in place of the root mean square.",
    when="Embeddings and other sparse gradients. PyTorch and optax agree; the paper has no ε.",
    paper="Kingma & Ba, Adam: a method for stochastic optimization, section 7",
    year=2015,
    typical_lr="0.002",
    relatives="With β₁ = β₂ = 0 every step is the sign of the gradient, as Lion's.",
)


# Lion ---------------------------------------------------------------------------------------------


def _lion(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
    g = oracle.gradient(w)
    c = averaged(s.m, g, h.beta1)
    m = averaged(s.m, g, h.beta2)
    return w - h.lr * (ops.sign(c) + h.weight_decay * w), {"m": m, "c": c}


LION = Optimizer(
    slug="lion",
    name="Lion",
    rule=_lion,
    hypers=(
        lr(1e-4),
        beta(0.9, "memory in the sign", "share of memory in the sign that is taken", 1, 0.9999),
        beta(0.99, *OF_THE_GRADIENT, 2, 0.9999),
        decay(0.0),
    ),
    state=(M,),
    shown=(Slot("c", "c", "c", "the mixture whose sign is the step"),),
    latex=lambda o: (
        r"<c> = <beta1>\, <m-> + (1 - <beta1>)\, <g>",
        r"<w> = <w-> - <lr>\,(\operatorname{sign}(<c>) + <weight_decay>\, <w->)",
        r"<m> = <beta2>\, <m-> + (1 - <beta2>)\, <g>",
    ),
    idea="Only the sign of a momentum: every weight moves by the same amount. Found by search.",
    when="Large vision and language models; a third to a tenth of AdamW's rate, half its memory.",
    paper="Chen et al., Symbolic discovery of optimization algorithms",
    year=2023,
    typical_lr="0.0001",
    relatives="β₁ = 0 is sign descent, which is also Adam with β₁ = β₂ = 0.",
)


# Adan ---------------------------------------------------------------------------------------------


def _adan(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
    g = oracle.gradient(w)
    change = ops.where(first_step(oracle), 0.0 * g, g - s.last)
    kappa = h.beta2 if o.form == "paper" else 1.0 - h.beta2
    ahead = g + kappa * change
    m = averaged(s.m, g, h.beta1)
    d = averaged(s.d, change, h.beta2)
    n = averaged(s.n, ahead * ahead, h.beta3)
    m_hat = m / (1.0 - h.beta1**oracle.t)
    d_hat = d / (1.0 - h.beta2**oracle.t)
    n_hat = n / (1.0 - h.beta3**oracle.t)
    u = (m_hat + kappa * d_hat) / (ops.sqrt(n_hat) + h.eps)
    state = {"m": m, "d": d, "n": n, "last": g}
    if o.form == "paper":
        return (w - h.lr * u) / (1.0 + h.lr * h.weight_decay), state
    return w - h.lr * (u + h.weight_decay * w), state


def _adan_latex(o: SimpleNamespace) -> tuple[str, ...]:
    kappa = "<beta2>" if o.form == "paper" else "(1 - <beta2>)"
    u = rf"\frac{{\hat m + {kappa}\, \hat d}}{{\sqrt{{\hat n}} + <eps>}}"
    step = (
        r"<w> = \frac{<w-> - <lr>\, u}{1 + <lr>\, <weight_decay>}"
        if o.form == "paper"
        else r"<w> = <w-> - <lr>\,(u + <weight_decay>\, <w->)"
    )
    return (
        r"<m> = <beta1>\, <m-> + (1 - <beta1>)\, <g>",
        r"<d> = <beta2>\, <d-> + (1 - <beta2>)\,(<g> - <last->)",
        rf"<n> = <beta3>\, <n-> + (1 - <beta3>)\,\left(<g> + {kappa}\,(<g> - <last->)\right)^2",
        rf"u = {u}",
        step,
    )


ADAN = Optimizer(
    slug="adan",
    name="Adan",
    rule=_adan,
    hypers=(
        lr(1e-3),
        beta(0.98, *OF_THE_GRADIENT, 1, 0.9999),
        beta(0.92, "difference's decay", "memory of the gradient's change", 2, 0.9999),
        beta(0.99, "second-moment decay", "memory of the squared gradient ahead", 3, 0.9999),
        epsilon(1e-8),
        decay(0.0),
    ),
    options=(
        Option(
            "form",
            "the change weighs",
            (
                ("paper", "β₂, decay implicit (the authors' code)"),
                ("optax", "1 − β₂, decay beside (optax)"),
            ),
        ),
    ),
    state=(
        M,
        Slot("d", "d", "d", "average change of the gradient"),
        Slot("n", "n", "n", "average of the squared gradient ahead"),
        Slot("last", "g₋", "g_{t-1}", "the gradient of the step before"),
    ),
    latex=_adan_latex,
    idea="Nesterov's look ahead without leaving the point: by the change of the gradient.",
    when="Vision transformers, with larger rates than Adam bears.",
    paper="Xie et al., Adan: adaptive Nesterov momentum algorithm",
    year=2022,
    typical_lr="0.001 – 0.01",
    relatives="β₂ = 0 (as the paper weighs it) is Adam with β₃ in the place of β₂.",
)


# schedule-free AdamW ------------------------------------------------------------------------------


def _schedule_free_adamw(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
    g = oracle.gradient(w)
    v = averaged(s.v, g * g, h.beta2)
    v_hat = v / (1.0 - h.beta2**oracle.t)
    direction = g / (ops.sqrt(v_hat) + h.eps) + h.weight_decay * w
    following, state = schedule_free(direction, w, s, h, h.beta1)
    return following, {**state, "v": v, "v_hat": v_hat}


SCHEDULE_FREE_ADAMW = Optimizer(
    slug="schedule_free_adamw",
    name="Schedule-free AdamW",
    rule=_schedule_free_adamw,
    hypers=(
        lr(2.5e-3),
        beta(
            0.9,
            "nearness to the average",
            "how near to the average the gradient is taken",
            1,
            0.9999,
        ),
        BETA2,
        epsilon(1e-8),
        decay(0.0),
    ),
    state=(*SCHEDULE_FREE_STATE, V),
    shown=(*SCHEDULE_FREE_SHOWN, V_HAT),
    latex=lambda o: (
        MOMENT_LINES[1],
        CORRECTION_LINES[1],
        r"d = \frac{<g>}{\sqrt{<v_hat>} + <eps>} + <weight_decay>\, <w->",
        *schedule_free_latex("<beta1>"),
    ),
    idea="AdamW whose momentum is an average of the walk, in place of a falling rate.",
    when="Where the length of the run is not known. Evaluate at the average x.",
    paper="Defazio et al., The road less scheduled",
    year=2024,
    typical_lr="0.0025 – 0.01",
    relatives="β₁ = 0 is Adam without momentum. Equals optax; its memory is AdamW's.",
)


ENTRIES = (QHADAM, EVE, NADAM, RADAM, ADAMAX, LION, ADAN, SCHEDULE_FREE_ADAMW)
