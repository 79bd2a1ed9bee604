"""Rules that look at more than one coordinate at a time, or at the curvature: Newton, Sophia,
Shampoo, Muon.

In the plane their matrices are 2×2 and written out in scalars, so that they can be printed like
any other rule; on a network's tensors Shampoo and Muon have forms of their own.
"""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np

from engine.optimizers.description import Optimizer, Option, Oracle, Slot, State
from engine.optimizers.shared import (
    MOMENTUM_AVERAGE,
    OF_THE_GRADIENT,
    M,
    U,
    averaged,
    beta,
    both_sides,
    column_pairs,
    decay,
    epsilon,
    lr,
    number,
    row_pairs,
)
from engine.problems.parameter import Parameter
from engine.tape import Arithmetic, Vector, matrices
from engine.tape import operations as ops

# Newton -------------------------------------------------------------------------------------------


def _newton(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
    g = oracle.gradient(w)
    (a, b), (_, d) = oracle.hessian(w)
    middle, half = 0.5 * (a + d), 0.5 * (a - d)
    radius = ops.sqrt(half * half + b * b)
    low, high = middle - radius, middle + radius
    if o.repair == "absolute":
        # |H|⁻¹ = p I + q (H − middle I): equal to 1/|λ| on both eigenvectors.
        inverse_low = 1.0 / ops.maximum(ops.absolute(low), h.damping)
        inverse_high = 1.0 / ops.maximum(ops.absolute(high), h.damping)
        p = 0.5 * (inverse_low + inverse_high)
        apart = ops.greater(radius, 0.0)
        q = ops.where(
            apart, 0.5 * (inverse_high - inverse_low) / ops.where(apart, radius, 1.0), 0.0
        )
        step = Vector(((p + q * half) * g[0] + q * b * g[1], q * b * g[0] + (p - q * half) * g[1]))
    else:
        shift = ops.maximum(0.0, h.damping - low)
        a, d = a + shift, d + shift
        determinant = a * d - b * b
        step = Vector(((d * g[0] - b * g[1]) / determinant, (a * g[1] - b * g[0]) / determinant))
    return w - h.lr * step, {"step": step, "lowest": low, "highest": high}


def _newton_latex(o: SimpleNamespace) -> tuple[str, ...]:
    if o.repair == "absolute":
        matrix = r"|H|^{-1},\quad |\lambda| \ge <damping>"
        return (rf"<step> = {matrix}\, <g>", r"<w> = <w-> - <lr>\, <step>")
    return (
        r"\mu = \max(0,\; <damping> - <lowest>)",
        r"<step> = (H + \mu I)^{-1} <g>",
        r"<w> = <w-> - <lr>\, <step>",
    )


NEWTON = Optimizer(
    slug="newton",
    name="Newton",
    rule=_newton,
    hypers=(
        lr(1.0, high=2.0),
        Parameter(
            "damping",
            "δ",
            r"\delta",
            1e-3,
            1e-8,
            100.0,
            "log",
            "the smallest curvature the step believes in",
        ),
    ),
    options=(
        Option(
            "repair",
            "where H is not positive definite",
            (
                ("shift", "add μI until the smallest eigenvalue is δ"),
                ("absolute", "take |λ|: climbs away from saddles"),
            ),
        ),
    ),
    shown=(
        Slot("step", "H⁻¹g", "p", "Newton's step"),
        Slot("lowest", "λmin", r"\lambda_{\min}", "smallest curvature here", kind="scalar"),
        Slot("highest", "λmax", r"\lambda_{\max}", "largest curvature here", kind="scalar"),
    ),
    latex=_newton_latex,
    idea="Jump to the bottom of the parabola that fits here: the condition number is gone.",
    when="Few parameters. The yardstick for everything that estimates curvature.",
    paper="Nocedal & Wright, Numerical optimization, section 3.4; absolute: Dauphin et al. 2014",
    year=2006,
    typical_lr="1",
    memory_note="n² in passing",
    evaluations=5,  # in the plane the Hessian is two products
    relatives="Along one axis of a bowl it is SGD with η/λ.",
    elementwise=False,
    on_tensors=False,
)


# Sophia -------------------------------------------------------------------------------------------


def _clip(x: Any, bound: Any) -> Any:
    return ops.minimum(ops.maximum(x, -bound), bound)


def _sophia_with(estimate: Any, oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> Any:
    """One step; `estimate(w)` gives the diagonal of the Hessian where it is due."""
    g = oracle.gradient(w)
    m = averaged(s.m, g, h.beta1)
    state = {"m": m}
    if o.form in ("squares", "simplified"):
        state["h"] = averaged(s.h, g * g, h.beta2)
    else:
        due = ops.equal(s.age, 0.0)
        # On the tape of the plane both branches are written; where it is known, one is enough.
        if not (isinstance(due, Arithmetic) or ops.shape_of(due)) and not due:
            state["h"] = s.h
        else:
            fresh = averaged(s.h, estimate(w), h.beta2)
            state["h"] = ops.where(due, fresh, s.h)
        older = s.age + 1.0
        state["age"] = ops.where(ops.less(older, h.interval - 0.5), older, 0.0)
    if o.form == "simplified":
        u = m / ops.maximum(state["h"], h.eps)
    else:
        u = _clip(m / ops.maximum(h.gamma * state["h"], h.eps), h.rho)
    return w - h.lr * u, {**state, "u": u}


def _sophia(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
    estimate = oracle.hessian_probe if o.form == "hutchinson" else oracle.hessian_diagonal
    following, state = _sophia_with(estimate, oracle, w, s, h, o)
    return following, state


def _sophia_on_tensors(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
    following, state = _sophia_with(oracle.hessian_probe, oracle, w, s, h, o)
    return following, state


def _sophia_latex(o: SimpleNamespace) -> tuple[str, ...]:
    u = r"<u> = \operatorname{clip}_{-<rho>}^{<rho>} \frac{<m>}{\max(<gamma>\, <h>,\, <eps>)}"
    if o.form == "simplified":
        u = r"<u> = \frac{<m>}{\max(<h>,\, <eps>)}"
    if o.form in ("squares", "simplified"):
        h = r"<h> = <beta2>\, <h-> + (1 - <beta2>)\, <g>^2"
    else:
        diagonal = r"u \odot Hu" if o.form == "hutchinson" else r"\operatorname{diag} H"
        h = (
            rf"<h> = <beta2>\, <h-> + (1 - <beta2>)\, {diagonal}"
            r"\quad\text{every } <interval> \text{ steps}"
        )
    return (
        r"<m> = <beta1>\, <m-> + (1 - <beta1>)\, <g>",
        h,
        u,
        r"<w> = <w-> - <lr>\, <u>",
    )


SOPHIA = Optimizer(
    slug="sophia",
    name="Sophia",
    rule=_sophia,
    tensor_rule=_sophia_on_tensors,
    hypers=(
        lr(6e-2),
        beta(0.96, *OF_THE_GRADIENT, 1),
        beta(0.99, "curvature's decay", "memory of the curvature's average", 2, 0.9999),
        Parameter(
            "gamma",
            "γ",
            r"\gamma",
            0.01,
            0.0,
            1.0,
            "linear",
            "how much of the curvature counts",
            label="curvature's weight",
        ),
        Parameter(
            "rho",
            "ρ",
            r"\rho",
            1.0,
            0.001,
            10.0,
            "log",
            "no coordinate moves further than ηρ",
            label="largest step",
        ),
        epsilon(1e-12),
        Parameter(
            "interval",
            "k",
            "k",
            10.0,
            1.0,
            100.0,
            "linear",
            "steps between looks at the curvature",
            label="refreshed every",
        ),
    ),
    options=(
        Option(
            "form",
            "curvature from",
            (
                ("paper", "the Hessian's exact diagonal, every k steps"),
                ("hutchinson", "random probes u ⊙ Hu, every k steps (one of the paper's two)"),
                ("squares", "g² at every step, with γ and the clip"),
                ("simplified", "g² at every step, without γ and clip (as lectures show it)"),
            ),
        ),
    ),
    state=(
        M,
        Slot("h", "h", "h", "running estimate of the Hessian's diagonal"),
        Slot(
            "age",
            "age",
            "a",
            "steps since the last look at the curvature",
            kind="scalar",
            when=lambda o: o.form in ("paper", "hutchinson"),
        ),
    ),
    shown=(U,),
    latex=_sophia_latex,
    idea="Divide the momentum by the curvature, and clip: negative or tiny curvature cannot harm.",
    when="Language models. (optax corrects m and refreshes h after the step: a form apart.)",
    paper="Liu, Li, Hall, Liang & Ma, Sophia: a scalable stochastic second-order optimizer",
    year=2023,
    typical_lr="0.0003 – 0.06",
    relatives="γ = 0 leaves the sign of the momentum: Lion with β₁ = β₂.",
    # The exact diagonal takes a Hessian product a coordinate, an estimate takes one.
    costs=lambda h, o: 1.0 + {"paper": 4.0, "hutchinson": 2.0}.get(o.form, 0.0) / h.interval,
    draws=lambda o: o.form == "hutchinson",
)


# Shampoo ------------------------------------------------------------------------------------------


def _shampoo(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
    g = oracle.gradient(w)
    x, y = g
    # The determinant of εI + Σ g gᵀ by the matrix determinant lemma: a sum of positive terms,
    # where a·d − b² would cancel. The state holds what was added to its start at εI.
    a, d = s.a + h.eps, s.d + h.eps
    grown = s.grown + (d * (x * x) - 2.0 * s.b * (x * y) + a * (y * y))
    total_a, total_b, total_d = s.a + x * x, s.b + x * y, s.d + y * y
    a, d = total_a + h.eps, total_d + h.eps
    root_of_det = ops.sqrt(h.eps * h.eps + grown)
    # G^½ = (G + √det I)/√(tr + 2√det), and G^-½ is its adjugate over √det.
    scale = ops.sqrt(a + d + 2.0 * root_of_det) * root_of_det
    step = Vector(
        (
            ((d + root_of_det) * x - total_b * y) / scale,
            ((a + root_of_det) * y - total_b * x) / scale,
        )
    )
    state = {"a": total_a, "b": total_b, "d": total_d, "grown": grown, "step": step}
    return w - h.lr * step, state


def _inverse_root(matrix: Any, order: int) -> Any:
    """matrix^(-1/order) of a symmetric positive definite matrix, by its eigenvalues."""
    found = matrices.eigen(matrix)
    values, vectors = found[0], found[1:]
    return (vectors * np.maximum(values, 1e-30) ** (-1.0 / order)) @ vectors.T


def _shampoo_on_tensors(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
    steps, lefts, rights = [], [], []
    for g, left, right in zip(oracle.gradient(w), s.left, s.right, strict=True):
        table = g if np.ndim(g) == 2 else np.reshape(g, (1, -1))
        across, along = both_sides(table)
        left, right = left + across, right + along
        eye_left, eye_right = (h.eps * np.eye(n, dtype=table.dtype) for n in table.shape)
        if np.ndim(g) == 2:
            step = _inverse_root(left + eye_left, 4) @ table @ _inverse_root(right + eye_right, 4)
        else:  # a vector has one side: full-matrix Adagrad
            step = np.reshape(table @ _inverse_root(right + eye_right, 2), np.shape(g))
        steps.append(step)
        lefts.append(left)
        rights.append(right)
    return w - h.lr * Vector(steps), {"left": Vector(lefts), "right": Vector(rights)}


SHAMPOO = Optimizer(
    slug="shampoo",
    name="Shampoo",
    rule=_shampoo,
    tensor_rule=_shampoo_on_tensors,
    hypers=(lr(1e-3), epsilon(1e-6)),
    state=(
        number("a", "Σg₁²", r"\Sigma g_1^2", "sum of the first coordinate's squares"),
        number("b", "Σg₁g₂", r"\Sigma g_1 g_2", "sum of the products"),
        number("d", "Σg₂²", r"\Sigma g_2^2", "sum of the second coordinate's squares"),
        number("grown", "det", r"\Delta\det G", "the determinant of G above that of εI"),
    ),
    tensor_state=(
        Slot("left", "L", "L", "sum of G Gᵀ: how the rows move together", shape=row_pairs),
        Slot("right", "R", "R", "sum of Gᵀ G: how the columns move together", shape=column_pairs),
    ),
    shown=(Slot("step", "G^-½g", r"G^{-1/2} g", "the step before the learning rate"),),
    latex=lambda o: (
        (
            r"G = <eps> I + \sum_{i \le t} g_i g_i^{\top} ="
            r" \begin{pmatrix} <a> + <eps> & <b> \\ <b> & <d> + <eps> \end{pmatrix}"
        ),
        r"<step> = G^{-1/2}\, <g>",
        r"<w> = <w-> - <lr>\, <step>",
    ),
    idea="Adagrad with the whole matrix: it knows that coordinates move together.",
    when="Large batches; on a matrix one preconditioner for rows and one for columns.",
    paper="Gupta, Koren & Singer, Shampoo: preconditioned stochastic tensor optimization",
    year=2018,
    typical_lr="0.001",
    memory_note="r² + c² a matrix",
    relatives="On one axis it is Adagrad with ε under the root; rotation does not matter to it.",
    elementwise=False,
)


# Muon ---------------------------------------------------------------------------------------------

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
NEWTON_SCHULZ_STEPS = 5
_SMALLEST_NORM = 1e-7


def newton_schulz(matrix: Any) -> Any:
    """Five Newton–Schulz steps: the singular values of a matrix pushed to about 1, (r, c).

    They end between 0.7 and 1.2, which Muon takes for orthogonal enough (Jordan et al. 2024).
    Raises ValueError for anything but a matrix.
    """
    x = matrix if hasattr(matrix, "__array_namespace__") else np.asarray(matrix, dtype=float)
    if x.ndim != 2:
        raise ValueError(f"Newton–Schulz needs a matrix, got shape {x.shape}")
    x = x / ops.maximum(ops.sqrt(ops.sum(x * x)), _SMALLEST_NORM)
    tall = x.shape[0] > x.shape[1]
    if tall:
        x = x.T
    a, b, c = NEWTON_SCHULZ
    for _ in range(NEWTON_SCHULZ_STEPS):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return x.T if tall else x


def _muon_momentum(g: Any, s: Any, h: Any, o: Any) -> tuple[Any, Any]:
    m = averaged(s.m, g, h.beta)
    return m, averaged(m, g, h.beta) if o.nesterov else m


def _muon(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
    m, u = _muon_momentum(oracle.gradient(w), s, h, o)
    x = u / ops.maximum(ops.sqrt(u.dot(u)), _SMALLEST_NORM)
    a, b, c = NEWTON_SCHULZ
    for _ in range(NEWTON_SCHULZ_STEPS):  # on a 1×2 matrix the square is one number
        square = x.dot(x)
        x = (a + (b + c * square) * square) * x
    scale = 0.2 * math.sqrt(2.0) if o.scale == "match_rms_adamw" else 1.0
    return w * (1.0 - h.lr * h.weight_decay) - (h.lr * scale) * x, {"m": m, "u": u, "x": x}


def _muon_scale(shape: tuple[int, ...], output_axis: int, o: SimpleNamespace) -> float:
    """The factor of a matrix. PyTorch's rows and columns are those of Linear's (out, in), optax's
    fan-out and fan-in those of x W, (in, out): one factor, √max(1, out/in), for one layer."""
    if o.scale == "match_rms_adamw":
        return 0.2 * math.sqrt(max(shape))
    outputs, inputs = shape[output_axis], shape[1 - output_axis]
    return math.sqrt(max(1.0, outputs / inputs)) if o.scale == "original" else 1.0


def _muon_on_tensors(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
    m, u = _muon_momentum(oracle.gradient(w), s, h, o)
    x = Vector(
        newton_schulz(part) * _muon_scale(np.shape(part), oracle.output_axis, o) for part in u
    )
    return w * (1.0 - h.lr * h.weight_decay) - h.lr * x, {"m": m, "u": u, "x": x}


def _muon_latex(o: SimpleNamespace) -> tuple[str, ...]:
    mixture = r"(1 - <beta>)\, <g> + <beta>\, <m>" if o.nesterov else "<m>"
    scale = r"0.2\sqrt2\," if o.scale == "match_rms_adamw" else ""
    return (
        r"<m> = <beta>\, <m-> + (1 - <beta>)\, <g>",
        rf"<u> = {mixture}",
        (r"<x> = \operatorname{NewtonSchulz}_5(<u>) \approx \frac{<u>}{\lVert <u>\rVert}"),
        rf"<w> = (1 - <lr>\, <weight_decay>)\, <w-> - <lr>\, {scale} <x>",
    )


MUON = Optimizer(
    slug="muon",
    name="Muon",
    rule=_muon,
    tensor_rule=_muon_on_tensors,
    fallback="adamw",
    hypers=(lr(1e-3), beta(0.95, *MOMENTUM_AVERAGE), decay(0.1)),
    options=(
        Option(
            "nesterov",
            "Nesterov's mix",
            ((True, "gradient mixed in once more"), (False, "momentum alone")),
        ),
        Option(
            "scale",
            "step scaled for the matrix",
            (
                ("original", "√max(1, out/in) (PyTorch's default, optax)"),
                ("match_rms_adamw", "0.2 √max(in, out): AdamW's rates fit"),
                ("none", "not at all"),
            ),
        ),
    ),
    state=(M,),
    shown=(
        Slot("u", "u", "u", "what is orthogonalised: the momentum, or Nesterov's mix of it"),
        Slot("x", "X", "X", "the orthogonalised step"),
    ),
    latex=_muon_latex,
    idea="Orthogonalise the momentum of a matrix: every direction it knows moves alike.",
    when="Hidden matrices of networks. In the plane, a 1×2 matrix, it is normalised momentum.",
    paper="Jordan et al., Muon: an optimizer for hidden layers in neural networks",
    year=2024,
    typical_lr="0.02",
    relatives="On one axis it is Lion with β₁ = β₂ and 0.7 to 1.2 times the rate.",
    elementwise=False,
)


ENTRIES = (SOPHIA, MUON, NEWTON, SHAMPOO)
