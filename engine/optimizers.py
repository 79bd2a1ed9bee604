"""The optimizers, in order of increasing complexity: to add one, add one entry here.

A rule is written as on paper, `rule(oracle, w, s, h, o) -> (next w, next state)`, on a point w (a
Vector of coordinates): the oracle answers for gradient, loss and Hessian at any point and knows the
step t = 1, 2, …; s is the state, h the hyper-parameters, o the options (named conventions). What a
rule returns beside its declared state (a corrected moment, say) is kept for whoever looks inside.

LaTeX lines hold placeholders: `<m>` is the new value, `<m->` the one before, `<lr>` a
hyper-parameter; readers fill in symbols or current numbers. Defaults are PyTorch's where PyTorch
has the rule, otherwise the paper's; PyTorch has no default momentum, where we take the usual 0.9.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType, SimpleNamespace
from typing import Any, Protocol

from engine import operations as ops
from engine.tape import Vector


class Oracle(Protocol):
    """What a rule may ask of the problem at step t."""

    t: Any  # 1, 2, …
    schedule: Any  # this step's learning rate over the base learning rate

    def gradient(self, w: Vector) -> Vector: ...
    def loss(self, w: Vector) -> Any: ...
    def hessian(self, w: Vector) -> tuple[Vector, ...]: ...


State = Mapping[str, Any]
Rule = Callable[[Oracle, Vector, SimpleNamespace, SimpleNamespace, SimpleNamespace], tuple[Vector, State]]


@dataclass(frozen=True, slots=True)
class Hyper:
    """A hyper-parameter, with all that a control needs to know of it."""

    name: str
    symbol: str
    latex: str
    default: float
    low: float
    high: float
    scale: str  # "linear" or "log"
    meaning: str


@dataclass(frozen=True, slots=True)
class Option:
    """A named convention: each choice is (value, what it means). The first is the default."""

    name: str
    label: str
    choices: tuple[tuple[str | bool, str], ...]

    @property
    def default(self) -> str | bool:
        return self.choices[0][0]


@dataclass(frozen=True, slots=True)
class Slot:
    """One state variable: its symbol, LaTeX, meaning; a number per coordinate ("vector") or one
    for all ("scalar"); where it starts ("zero", or "w" for the starting point)."""

    name: str
    symbol: str
    latex: str
    meaning: str
    kind: str = "vector"
    start: str = "zero"


@dataclass(frozen=True)
class Optimizer:
    """An update rule and what is known of it."""

    slug: str
    name: str
    rule: Rule
    hypers: tuple[Hyper, ...]
    latex: Callable[[SimpleNamespace], tuple[str, ...]]
    idea: str
    when: str
    paper: str
    year: int
    options: tuple[Option, ...] = ()
    state: tuple[Slot, ...] = ()
    shown: tuple[Slot, ...] = ()  # intermediate quantities worth seeing
    typical_lr: str = ""
    relatives: str = ""
    # c such that, on a quadratic with largest curvature λ, steps are stable while lr < c / λ.
    stability: Callable[[SimpleNamespace, SimpleNamespace], float] | None = None
    stability_latex: str = ""
    stability_text: Callable[[SimpleNamespace], str] | None = None  # the limit, "2/λmax"
    evaluations: int = 1  # gradient evaluations a step costs
    elementwise: bool = True  # False: the update of a coordinate depends on the others

    def hyper_values(self, values: Mapping[str, float] | None = None) -> dict[str, float]:
        """Defaults overlaid with values; ValueError for an unknown name or a non-finite value."""
        known = {h.name: h.default for h in self.hypers}
        for name, value in (values or {}).items():
            if name not in known:
                raise ValueError(f"{self.slug} has no hyper-parameter {name!r}; it has {', '.join(known)}")
            if not math.isfinite(value):
                raise ValueError(f"{name} must be finite, got {value!r}")
            known[name] = float(value)
        return known

    def option_values(self, values: Mapping[str, str | bool] | None = None) -> dict[str, str | bool]:
        """Defaults overlaid with values; ValueError for an unknown option or choice."""
        known = {o.name: o for o in self.options}
        chosen = {o.name: o.default for o in self.options}
        for name, value in (values or {}).items():
            if name not in known:
                raise ValueError(f"{self.slug} has no option {name!r}; it has {', '.join(known) or 'none'}")
            if value not in [c[0] for c in known[name].choices]:
                choices = ", ".join(repr(c[0]) for c in known[name].choices)
                raise ValueError(f"option {name} of {self.slug} is one of {choices}, got {value!r}")
            chosen[name] = value
        return chosen

    def stability_limit(
        self,
        curvature: float,
        hypers: Mapping[str, float] | None = None,
        options: Mapping[str, str | bool] | None = None,
    ) -> float | None:
        """The largest stable learning rate where the largest curvature is `curvature` (> 0), or
        None where no closed form is known."""
        if self.stability is None or not curvature > 0:
            return None
        h = SimpleNamespace(**self.hyper_values(hypers))
        o = SimpleNamespace(**self.option_values(options))
        return self.stability(h, o) / curvature


# Hyper-parameters and options that several rules share ---------------------------------------------


def lr(default: float, low: float = 1e-5, high: float = 10.0) -> Hyper:
    return Hyper("lr", "η", r"\eta", default, low, high, "log", "learning rate: the length of a step")


def _eps(default: float) -> Hyper:
    return Hyper("eps", "ε", r"\epsilon", default, 1e-16, 1.0, "log", "keeps the division from blowing up")


def beta(default: float, meaning: str) -> Hyper:
    return Hyper("beta", "β", r"\beta", default, 0.0, 0.999, "linear", meaning)


_BETA1 = Hyper(
    "beta1", "β₁", r"\beta_1", 0.9, 0.0, 0.999, "linear", "memory of the gradient's average"
)
_BETA2 = Hyper(
    "beta2", "β₂", r"\beta_2", 0.999, 0.0, 0.99999, "linear", "memory of the squared gradient's average"
)
_EPSILON = Option(
    "epsilon",
    "ε stands",
    (("outside", "beside the root: √v + ε"), ("inside", "under the root: √(v + ε)")),
)
_M = Slot("m", "m", "m", "average of the gradients")
_V = Slot("v", "v", "v", "average of the squared gradients")
_M_HAT = Slot("m_hat", "m̂", r"\hat m", "the average, corrected for its start at zero")
_V_HAT = Slot("v_hat", "v̂", r"\hat v", "the squared average, corrected for its start at zero")


def decay(default: float) -> Hyper:
    return Hyper(
        "weight_decay", "λ", r"\lambda", default, 0.0, 1.0, "linear", "pull of the weights towards 0"
    )


def _over_root(numerator: Any, square: Any, h: SimpleNamespace, o: SimpleNamespace) -> Any:
    """numerator / (√square + ε), or with ε under the root."""
    if o.epsilon == "inside":
        return numerator / ops.sqrt(square + h.eps)
    return numerator / (ops.sqrt(square) + h.eps)


def _root_latex(square: str, o: SimpleNamespace) -> str:
    if o.epsilon == "inside":
        return rf"\sqrt{{{square} + <eps>}}"
    return rf"\sqrt{{{square}}} + <eps>"


# B1 SGD -------------------------------------------------------------------------------------------


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
    stability_latex=r"\frac{2}{\lambda_{\max}}",
    stability_text=lambda o: "2/λmax",
)


# B2 momentum --------------------------------------------------------------------------------------


def _momentum(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
    g = oracle.gradient(w)
    if o.form == "lr_inside":
        v = h.beta * s.v + h.lr * g
        return w - v, {"v": v}
    v = h.beta * s.v + ((1.0 - h.beta) * g if o.form == "averaged" else g)
    return w - h.lr * v, {"v": v}


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
    hypers=(lr(1e-3), beta(0.9, "how much of the velocity survives a step; memory ≈ 1/(1−β) steps")),
    options=(
        Option(
            "form",
            "momentum's form",
            (
                ("velocity", "v ← βv + g, step ηv (PyTorch)"),
                ("lr_inside", "v ← βv + ηg, step v"),
                ("averaged", "v ← βv + (1−β)g, step ηv"),
            ),
        ),
    ),
    state=(_VELOCITY,),
    latex=_momentum_latex,
    idea="Gather speed along directions that persist; let the zig-zag cancel.",
    when="Convolutional networks, and whenever plain SGD zig-zags.",
    paper="Polyak, Some methods of speeding up the convergence of iteration methods",
    year=1964,
    typical_lr="0.01 – 0.1",
    relatives="β = 0 is SGD. The averaged form at η/(1−β) is the velocity form.",
    stability=lambda h, o: 2.0 * (1.0 + h.beta) / ((1.0 - h.beta) if o.form == "averaged" else 1.0),
    stability_latex=r"\frac{2(1+\beta)}{\lambda_{\max}}",
    stability_text=lambda o: (
        "2(1+β)/((1−β)λmax)" if o.form == "averaged" else "2(1+β)/λmax"
    ),
)


# B3 Nesterov --------------------------------------------------------------------------------------


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
    hypers=(lr(1e-3), beta(0.9, "how much of the velocity survives a step")),
    options=(
        Option(
            "form",
            "Nesterov's form",
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
    paper="Nesterov, A method of solving a convex programming problem with convergence rate O(1/k²)",
    year=1983,
    typical_lr="0.01 – 0.1",
    relatives="PyTorch's form is the look-ahead form seen from the point it jumps to.",
    stability=lambda h, o: 2.0 * (1.0 + h.beta) / (1.0 + 2.0 * h.beta),
    stability_latex=r"\frac{2(1+\beta)}{(1+2\beta)\,\lambda_{\max}}",
    stability_text=lambda o: "2(1+β)/((1+2β)λmax)",
)


# B4–B6 per-coordinate rates -----------------------------------------------------------------------


def _adagrad(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
    g = oracle.gradient(w)
    total = s.G + g * g
    return w - h.lr * _over_root(g, total, h, o), {"G": total}


ADAGRAD = Optimizer(
    slug="adagrad",
    name="Adagrad",
    rule=_adagrad,
    hypers=(lr(0.01), _eps(1e-10)),
    options=(_EPSILON,),
    state=(Slot("G", "G", "G", "sum of the squared gradients: it only grows"),),
    latex=lambda o: (
        r"<G> = <G-> + <g>^2",
        rf"<w> = <w-> - \frac{{<lr>\, <g>}}{{{_root_latex('<G>', o)}}}",
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
    v = h.rho * s.v + (1.0 - h.rho) * (g * g)
    step = ops.sqrt(s.u + h.eps) / ops.sqrt(v + h.eps) * g
    u = h.rho * s.u + (1.0 - h.rho) * (step * step)
    return w - h.lr * step, {"v": v, "u": u, "step": step}


ADADELTA = Optimizer(
    slug="adadelta",
    name="Adadelta",
    rule=_adadelta,
    hypers=(
        lr(1.0),
        Hyper("rho", "ρ", r"\rho", 0.9, 0.0, 0.999, "linear", "memory of both averages"),
        _eps(1e-6),
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
    v = h.beta * s.v + (1.0 - h.beta) * (g * g)
    if not o.centered:
        return w - h.lr * _over_root(g, v, h, o), {"v": v, "m": s.m}
    m = h.beta * s.m + (1.0 - h.beta) * g
    return w - h.lr * _over_root(g, v - m * m, h, o), {"v": v, "m": m}


def _rmsprop_latex(o: SimpleNamespace) -> tuple[str, ...]:
    lines = [r"<v> = <beta>\, <v-> + (1 - <beta>)\, <g>^2"]
    if o.centered:
        lines.append(r"<m> = <beta>\, <m-> + (1 - <beta>)\, <g>")
    root = _root_latex("<v> - <m>^2" if o.centered else "<v>", o)
    return (*lines, rf"<w> = <w-> - \frac{{<lr>\, <g>}}{{{root}}}")


RMSPROP = Optimizer(
    slug="rmsprop",
    name="RMSProp",
    rule=_rmsprop,
    hypers=(lr(0.01), beta(0.99, "memory of the squared gradient's average"), _eps(1e-8)),
    options=(
        _EPSILON,
        Option("centered", "variance", ((False, "raw second moment"), (True, "centred: v − m²"))),
    ),
    state=(_V, Slot("m", "m", "m", "average of the gradients, where centred")),
    latex=_rmsprop_latex,
    idea="Divide by a running root mean square of the gradient, so that every coordinate walks.",
    when="Recurrent networks, reinforcement learning.",
    paper="Tieleman & Hinton, Neural networks for machine learning, lecture 6e",
    year=2012,
    typical_lr="0.001 – 0.01",
    relatives="Adam with β₁ = 0 and without bias correction.",
)


# B7–B9 Adam and its kin ---------------------------------------------------------------------------


def _moments(g: Any, s: Any, h: Any) -> tuple[Any, Any]:
    m = h.beta1 * s.m + (1.0 - h.beta1) * g
    v = h.beta2 * s.v + (1.0 - h.beta2) * (g * g)
    return m, v


def _corrected(m: Any, v: Any, oracle: Oracle, h: Any) -> tuple[Any, Any]:
    """Both averages freed of their start at zero: m / (1 − β₁ᵗ), v / (1 − β₂ᵗ)."""
    return m / (1.0 - h.beta1**oracle.t), v / (1.0 - h.beta2**oracle.t)


def _adam_from(g: Any, oracle: Oracle, s: Any, h: Any, o: Any) -> tuple[Any, State]:
    m, v = _moments(g, s, h)
    m_hat, v_hat = _corrected(m, v, oracle, h) if o.bias_correction else (m, v)
    return _over_root(m_hat, v_hat, h, o), {"m": m, "v": v, "m_hat": m_hat, "v_hat": v_hat}


def _adam(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
    direction, state = _adam_from(oracle.gradient(w), oracle, s, h, o)
    return w - h.lr * direction, state


_MOMENT_LINES = (
    r"<m> = <beta1>\, <m-> + (1 - <beta1>)\, <g>",
    r"<v> = <beta2>\, <v-> + (1 - <beta2>)\, <g>^2",
)
_CORRECTION_LINES = (
    r"<m_hat> = \frac{<m>}{1 - <beta1>^{<t>}}",
    r"<v_hat> = \frac{<v>}{1 - <beta2>^{<t>}}",
)


def _adam_latex(o: SimpleNamespace, gradient: str = "<g>", before: str = "", after: str = "") -> tuple[str, ...]:
    moments = tuple(line.replace("<g>", gradient) for line in _MOMENT_LINES)
    m, v = ("<m_hat>", "<v_hat>") if o.bias_correction else ("<m>", "<v>")
    step = rf"<lr>\, \frac{{{m}}}{{{_root_latex(v, o)}}}"
    return (
        *moments,
        *(_CORRECTION_LINES if o.bias_correction else ()),
        rf"<w> = {before or '<w->'} - {step}{after}",
    )


_BIAS = Option(
    "bias_correction", "bias correction", ((True, "on"), (False, "off: raw averages from zero"))
)
_ADAM_PARTS: dict[str, Any] = {
    "state": (_M, _V),
    "shown": (_M_HAT, _V_HAT),
    "options": (_BIAS, _EPSILON),
}

ADAM = Optimizer(
    slug="adam",
    name="Adam",
    rule=_adam,
    hypers=(lr(1e-3), _BETA1, _BETA2, _eps(1e-8)),
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
    hypers=(lr(1e-3), _BETA1, _BETA2, _eps(1e-8), decay(0.0)),
    **_ADAM_PARTS,
    latex=lambda o: _adam_latex(o, gradient=r"(<g> + <weight_decay>\, <w->)"),
    idea="Weight decay put into the gradient, where Adam divides it away again.",
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
    hypers=(lr(1e-3), _BETA1, _BETA2, _eps(1e-8), decay(0.01)),
    state=(_M, _V),
    shown=(_M_HAT, _V_HAT),
    options=(
        _BIAS,
        _EPSILON,
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
    m, v = _moments(oracle.gradient(w), s, h)
    if o.maximum == "paper":
        top = ops.maximum(s.top, v)
        return w - h.lr * _over_root(m, top, h, o), {"m": m, "v": v, "top": top}
    m_hat, v_hat = _corrected(m, v, oracle, h)
    if o.maximum == "corrected":
        top = ops.maximum(s.top, v_hat)
        scale = top
    else:
        top = ops.maximum(s.top, v)
        scale = top / (1.0 - h.beta2**oracle.t)
    state = {"m": m, "v": v, "top": top, "m_hat": m_hat, "v_hat": v_hat}
    return w - h.lr * _over_root(m_hat, scale, h, o), state


def _amsgrad_latex(o: SimpleNamespace) -> tuple[str, ...]:
    if o.maximum == "paper":
        top, m, v = r"<top> = \max(<top->, <v>)", "<m>", "<top>"
        corrections: tuple[str, ...] = ()
    elif o.maximum == "corrected":
        top, m, v = r"<top> = \max(<top->, <v_hat>)", "<m_hat>", "<top>"
        corrections = _CORRECTION_LINES
    else:
        top, m = r"<top> = \max(<top->, <v>)", "<m_hat>"
        v = r"\tfrac{<top>}{1 - <beta2>^{<t>}}"
        corrections = _CORRECTION_LINES[:1]
    step = rf"<lr>\, \frac{{{m}}}{{{_root_latex(v, o)}}}"
    return (*_MOMENT_LINES, *corrections, top, rf"<w> = <w-> - {step}")


AMSGRAD = Optimizer(
    slug="amsgrad",
    name="AMSGrad",
    rule=_amsgrad,
    hypers=(lr(1e-3), _BETA1, _BETA2, _eps(1e-8)),
    state=(_M, _V, Slot("top", "v_max", r"v^{\max}", "largest squared average so far")),
    shown=(_M_HAT, _V_HAT),
    options=(
        _EPSILON,
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


_ENTRIES = (SGD, MOMENTUM, NESTEROV, ADAGRAD, ADADELTA, RMSPROP, ADAM, ADAM_L2, ADAMW, AMSGRAD)

OPTIMIZERS: Mapping[str, Optimizer] = MappingProxyType({e.slug: e for e in _ENTRIES})
