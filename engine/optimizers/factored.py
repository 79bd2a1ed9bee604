"""Rules that keep rows and columns of a matrix apart: Adafactor, SOAP, PSGD-Kron.

In the plane the point is a matrix of one row, as it is Muon's: Adafactor's memory has nothing to
share there, SOAP turns the plane to the eigenvectors of what it has seen, Kron learns a triangle.
"""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np

from engine.optimizers.description import Optimizer, Option, Oracle, Slot, State
from engine.optimizers.shared import (
    MOMENTUM_AVERAGE,
    OF_ITS_SQUARE,
    OF_THE_GRADIENT,
    M,
    U,
    V,
    averaged,
    beta,
    both_sides,
    column_pairs,
    decay,
    epsilon,
    first_step,
    length,
    lr,
    number,
    row_pairs,
)
from engine.problems.parameter import Parameter
from engine.tape import Vector, matrices
from engine.tape import operations as ops

# Adafactor ----------------------------------------------------------------------------------------


def _root_mean_square(tensor: Any) -> Any:
    return ops.sqrt(ops.mean(tensor * tensor))


def _squares(g: Any, h: Any, o: Any) -> Any:
    return g * g if o.form == "pytorch" else g * g + h.eps


def _over_estimate(g: Any, v: Any, h: Any, o: Any) -> Any:
    """The gradient over the root of its estimated square."""
    return g / ops.sqrt(ops.maximum(v, h.eps * h.eps) if o.form == "pytorch" else v)


def _adafactor_step(w: Any, u: Any, sizes: tuple[Any, Any], oracle: Oracle, h: Any, o: Any) -> Any:
    """One tensor's step along u; sizes are the root mean squares of w and u."""
    size, along = sizes
    u = u / ops.maximum(1.0, along / h.threshold)
    if o.form == "pytorch":
        rate = ops.minimum(h.lr, 1.0 / ops.sqrt(oracle.t)) * ops.maximum(h.smallest, size)
        return w * (1.0 - h.lr * h.weight_decay) - rate * u
    rate = h.lr * ops.maximum(h.smallest, size) if o.form == "scaled" else h.lr
    return w - rate * u - h.weight_decay * w


def _fresh(oracle: Oracle, h: Any) -> Any:
    """The share of the new square in the average: t^−c, 1 at first."""
    return oracle.t ** (-h.forget)


def _adafactor(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
    g, fresh = oracle.gradient(w), _fresh(oracle, h)
    v = (1.0 - fresh) * s.v + fresh * _squares(g, h, o)
    u = _over_estimate(g, v, h, o)
    sizes = length(w) / math.sqrt(2.0), length(u) / math.sqrt(2.0)
    return _adafactor_step(w, u, sizes, oracle, h, o), {"v": v, "u": u}


def _adafactor_on_tensors(
    oracle: Oracle, w: Vector, s: Any, h: Any, o: Any
) -> tuple[Vector, State]:
    fresh = _fresh(oracle, h)
    after, rows, columns = [], [], []
    for part, g, row, column in zip(w, oracle.gradient(w), s.rows, s.columns, strict=True):
        square = _squares(g, h, o)
        if np.ndim(g) == 2:
            row = (1.0 - fresh) * row + fresh * ops.mean(square, axis=1, keepdims=True)
            column = (1.0 - fresh) * column + fresh * ops.mean(square, axis=0, keepdims=True)
            middle = ops.mean(row)
            least = h.eps if o.form == "pytorch" else 0.0
            v = row * column / ops.maximum(middle, least)
        else:
            row = v = (1.0 - fresh) * row + fresh * square
        u = _over_estimate(g, v, h, o)
        sizes = _root_mean_square(part), _root_mean_square(u)
        after.append(_adafactor_step(part, u, sizes, oracle, h, o))
        rows.append(row)
        columns.append(column)
    return Vector(after), {"rows": Vector(rows), "columns": Vector(columns)}


def _adafactor_latex(o: SimpleNamespace) -> tuple[str, ...]:
    size, along = (rf"\frac{{\lVert <{name}> \rVert}}{{\sqrt{{2}}}}" for name in ("w-", "u"))
    added, below = r" + <eps>", r"\sqrt{<v>}"
    if o.form == "pytorch":
        added, below = "", r"\max(\sqrt{<v>},\, <eps>)"
    clipped = rf"c = \frac{{<u>}}{{\max(1,\, \frac{{1}}{{<threshold>}}\, {along})}}"
    scale = rf"\max(<smallest>,\, {size})"
    if o.form == "pytorch":
        step = (
            rf"a = \min(<lr>,\, \frac{{1}}{{\sqrt{{<t>}}}})\, {scale}",
            r"<w> = (1 - <lr>\, <weight_decay>)\, <w-> - a c",
        )
    else:
        rate = rf"<lr>\, {scale}" if o.form == "scaled" else "<lr>"
        step = (rf"a = {rate}", r"<w> = <w-> - a c - <weight_decay>\, <w->")
    return (
        r"f = <t>^{-<forget>}",
        rf"<v> = (1 - f)\, <v-> + f\, (<g>^2{added})",
        rf"<u> = \frac{{<g>}}{{{below}}}",
        clipped,
        *step,
    )


def _row_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (shape[0], 1) if len(shape) == 2 else shape


def _column_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (1, shape[1]) if len(shape) == 2 else (0,)


ADAFACTOR = Optimizer(
    slug="adafactor",
    name="Adafactor",
    rule=_adafactor,
    tensor_rule=_adafactor_on_tensors,
    hypers=(
        lr(1e-2),
        Parameter(
            "forget", "c", "c", 0.8, 0.0, 1.0, "linear",
            "how slowly the memory of squares grows: its share of the new is t⁻ᶜ",
            label="power of forgetting",
        ),
        Parameter(
            "smallest", "ε₂", r"\epsilon_2", 1e-3, 1e-8, 1.0, "log",
            "size that the weights are taken to have at least", label="smallest weight size",
        ),
        Parameter(
            "threshold", "d", "d", 1.0, 1.0, 10.0, "log", "longest step (root mean square)",
            label="longest step",
        ),
        epsilon(2.0**-52),
        decay(0.0),
    ),
    options=(
        Option(
            "form",
            "a step's length is",
            (
                ("pytorch", "min(η, 1/√t) times the weights' size (PyTorch, the paper)"),
                ("scaled", "η times the weights' size (optax)"),
                ("absolute", "η (optax without their size)"),
            ),
        ),
    ),
    state=(V,),
    tensor_state=(
        Slot("rows", "R", "R", "average square of each row; of a vector all", shape=_row_shape),
        Slot("columns", "C", "C", "average square of each column", shape=_column_shape),
    ),
    shown=(U,),
    latex=_adafactor_latex,
    idea="Of a matrix's squares keep the sums of rows and columns: their product stands for all.",
    when="Memory is short: r + c numbers a matrix where Adam keeps 2rc.",
    paper="Shazeer & Stern, Adafactor: adaptive learning rates with sublinear memory cost",
    year=2018,
    typical_lr="0.01",
    memory_note="r + c a matrix",
    relatives="In the plane nothing is factored: RMSProp with a growing memory and clipped steps.",
    elementwise=False,
)  # fmt: skip


# SOAP ---------------------------------------------------------------------------------------------


def _rate_of_adam(oracle: Oracle, h: Any, first: Any) -> Any:
    """η √(1 − β₂ˢ) / (1 − β₁ˢ) for the s = t − 1 steps taken: the first only looks."""
    taken = ops.where(first, 1.0, oracle.t - 1.0)
    return h.lr * ops.sqrt(1.0 - h.beta2**taken) / (1.0 - h.beta1**taken)


def _soap(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
    g, first = oracle.gradient(w), first_step(oracle)
    x, y = g
    # The first column of the basis is (c, s), the second (−s, c).
    size = ops.sqrt(x * x + y * y)
    seen = ops.greater(size, 0.0)
    safe = ops.where(seen, size, 1.0)
    cosine = ops.where(first, ops.where(seen, x / safe, 1.0), s.cosine)
    sine = ops.where(first, ops.where(seen, y / safe, 0.0), s.sine)
    along = Vector((cosine * x + sine * y, cosine * y - sine * x))
    m = ops.where(first, s.m, averaged(s.m, g, h.beta1))
    v = ops.where(first, s.v, averaged(s.v, along * along, h.beta2))
    turned = Vector((cosine * m[0] + sine * m[1], cosine * m[1] - sine * m[0]))
    scaled = turned / (ops.sqrt(v) + h.eps)
    u = Vector((cosine * scaled[0] - sine * scaled[1], sine * scaled[0] + cosine * scaled[1]))
    stepped = (w - _rate_of_adam(oracle, h, first) * u) * (1.0 - h.lr * h.weight_decay)
    a, b, d = (
        averaged(old, new, h.beta2) for old, new in ((s.a, x * x), (s.b, x * y), (s.d, y * y))
    )
    # One step of the power iteration, the direction with the larger square first.
    p = Vector((a * cosine + b * sine, b * cosine + d * sine))
    q = Vector((b * cosine - a * sine, d * cosine - b * sine))
    other = ops.greater(cosine * q[1] - sine * q[0], cosine * p[0] + sine * p[1])
    best = Vector((ops.where(other, q[0], p[0]), ops.where(other, q[1], p[1])))
    reach = length(best)
    age = s.age + ops.where(first, 0.0, 1.0)
    due = ops.greater(age, h.interval - 0.5)
    turns = ops.where(ops.greater(reach, 0.0), ops.where(due, 1.0, 0.0), 0.0)
    turn = ops.greater(turns, 0.5)
    reach = ops.where(turn, reach, 1.0)
    swap = ops.greater(ops.where(other, turns, 0.0), 0.5)
    state = {
        "m": m,
        "v": Vector((ops.where(swap, v[1], v[0]), ops.where(swap, v[0], v[1]))),
        "a": a,
        "b": b,
        "d": d,
        "cosine": ops.where(turn, best[0] / reach, cosine),
        "sine": ops.where(turn, best[1] / reach, sine),
        "age": ops.where(due, 0.0, age),
        "u": u,
    }
    return Vector(ops.where(first, old, new) for old, new in zip(w, stepped, strict=True)), state


def _soap_on_tensors(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
    gradients = oracle.gradient(w)
    first = first_step(oracle)
    age = s.age + ops.where(first, 0.0, 1.0)
    due = ops.greater(age, h.interval - 0.5)
    looks, turns = bool(first), bool(due)
    rate = _rate_of_adam(oracle, h, first)
    kept: dict[str, list[Any]] = {
        name: [] for name in ("m", "v", "rows", "columns", "row_basis", "column_basis")
    }
    after = []
    for part, g, *own in zip(w, gradients, *(getattr(s, name) for name in kept), strict=True):
        m, v, *sides = own
        flat = np.ndim(g) != 2
        rows, columns, p, q = sides
        if looks and not flat:
            rows, columns = ((1.0 - h.beta2) * side for side in both_sides(g))
            p, q = matrices.basis(rows), matrices.basis(columns)
        if not looks:
            along = g if flat else p.T @ g @ q
            m = averaged(m, g, h.beta1)
            v = averaged(v, along * along, h.beta2)
            u = (m if flat else p.T @ m @ q) / (ops.sqrt(v) + h.eps)
            u = u if flat else p @ u @ q.T
            part = (part - rate * u) * (1.0 - h.lr * h.weight_decay)
            if not flat:
                of_rows, of_columns = both_sides(g)
                rows = averaged(rows, of_rows, h.beta2)
                columns = averaged(columns, of_columns, h.beta2)
        if turns and not flat:
            p, order = _turned(rows, p)
            v = order.T @ v
            q, order = _turned(columns, q)
            v = v @ order
        after.append(part)
        for name, value in zip(kept, (m, v, rows, columns, p, q), strict=True):
            kept[name].append(value)
    state: dict[str, Any] = {name: Vector(values) for name, values in kept.items()}
    return Vector(after), {**state, "age": ops.where(due, 0.0, age)}


def _turned(statistics: Any, basis: Any) -> tuple[Any, Any]:
    """A basis after one step of the power iteration, the largest direction first, and the
    permutation that put it there."""
    moved = statistics @ basis
    order = matrices.ranking(ops.sum(basis * moved, axis=0))
    return matrices.orthonormal(moved @ order), order


def _pairs_of(shape: tuple[int, ...], pairs: Any) -> tuple[int, ...]:
    """Pairs of a matrix's rows or columns; nothing beside a vector."""
    found: tuple[int, ...] = pairs(shape) if len(shape) == 2 else (0,)
    return found


def _of_rows(shape: tuple[int, ...]) -> tuple[int, ...]:
    return _pairs_of(shape, row_pairs)


def _of_columns(shape: tuple[int, ...]) -> tuple[int, ...]:
    return _pairs_of(shape, column_pairs)


AGE = number("age", "age", "a", "steps since the basis was last turned")

SOAP = Optimizer(
    slug="soap",
    name="SOAP",
    rule=_soap,
    tensor_rule=_soap_on_tensors,
    hypers=(
        lr(3e-3),
        beta(0.95, *OF_THE_GRADIENT, 1),
        beta(0.95, OF_ITS_SQUARE[0], "memory of squares and of what moves together", 2, 0.9999),
        epsilon(1e-8),
        decay(0.01),
        Parameter(
            "interval", "k", "k", 10.0, 1.0, 100.0, "linear", "steps between turns of the basis",
            label="turned every",
        ),
    ),
    state=(
        M,
        Slot("v", "v", "v", "average of the squares along the basis"),
        number("a", "E[g₁²]", r"A_{11}", "average of the first coordinate's square"),
        number("b", "E[g₁g₂]", r"A_{12}", "average of the product"),
        number("d", "E[g₂²]", r"A_{22}", "average of the second coordinate's square"),
        number("cosine", "q₁", r"q_1", "the basis: its first direction's first coordinate"),
        number("sine", "q₂", r"q_2", "the basis: its first direction's second coordinate"),
        AGE,
    ),
    tensor_state=(
        M,
        Slot("v", "v", "v", "average of the squares along the basis"),
        Slot("rows", "L", "L", "average of G Gᵀ: how rows move together", shape=_of_rows),
        Slot("columns", "R", "R", "average of Gᵀ G: how columns do", shape=_of_columns),
        Slot("row_basis", "P", "P", "eigenvectors of L, nearly", shape=_of_rows),
        Slot("column_basis", "Q", "Q", "eigenvectors of R, nearly", shape=_of_columns),
        AGE,
    ),
    shown=(U,),
    latex=lambda o: (
        (
            r"A = <beta2>\, A_{t-1} + (1 - <beta2>)\, g g^{\top},\quad Q \approx"
            r" \operatorname{eigenvectors}(A)\quad\text{every } <interval> \text{ steps}"
        ),
        r"<m> = <beta1>\, <m-> + (1 - <beta1>)\, <g>",
        r"<v> = <beta2>\, <v-> + (1 - <beta2>)\, (Q^{\top} <g>)^2",
        r"<u> = Q\, \frac{Q^{\top} <m>}{\sqrt{<v>} + <eps>}",
        (
            r"<w> = (1 - <lr>\, <weight_decay>)\, \left(<w-> - <lr>\, \frac{\sqrt{1 -"
            r" <beta2>^{<t> - 1}}}{1 - <beta1>^{<t> - 1}}\, <u>\right)"
        ),
    ),
    idea="Adam in the eigenvectors of Shampoo's matrices, which are turned now and then.",
    when="Large matrices and long runs; fewer steps than AdamW, each of them dearer.",
    paper="Vyas et al., SOAP: improving and stabilizing Shampoo using Adam",
    year=2024,
    typical_lr="0.003",
    memory_note="2rc + 2r² + 2c² a matrix",
    relatives="On one axis it is Adam, a step late: the first step only looks. Rotation does not "
    "matter to it.",
    elementwise=False,
)  # fmt: skip


# PSGD-Kron ----------------------------------------------------------------------------------------

# How often the triangles are learned, as the authors' code has it: always for so many steps, then
# more and more rarely.
FLAT, FADING, RAREST = 500.0, 1e-3, 0.03
TINY = 2.0**-126  # keeps a division by what is not there from giving NaN
LONGEST = 1.1  # a step's root mean square


def _learns(oracle: Oracle, waited: Any) -> tuple[Any, Any]:
    """Whether the triangles are learned at this step, and the steps since they were."""
    share = ops.maximum(ops.exp(-FADING * ops.maximum(oracle.t - 1.0 - FLAT, 0.0)), RAREST)
    waited = waited + 1.0
    due = ops.greater_equal(waited * share, 1.0)
    return due, ops.where(due, 0.0, waited)


def _held(u: Any, size: Any) -> Any:
    """A step no longer than a root mean square of LONGEST."""
    return u * ops.minimum(LONGEST / (size + 1e-6), 1.0)


def _kron(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
    m = averaged(s.m, oracle.gradient(w), h.beta)
    x, y = m_hat = m / (1.0 - h.beta**oracle.t)
    e, f = oracle.signs()
    due, waited = _learns(oracle, s.waited)
    k, a, b, d = s.k, s.a, s.b, s.d  # the row's number, and the columns' triangle (a b; 0 d)
    left = Vector((k * (a * x + b * y), k * (d * y)))  # Q m̂
    right = Vector((e / a / k, (f - e / a * b) / d / k))  # v Q⁻¹
    sums, apart = left.dot(left) + right.dot(right), left.dot(left) - right.dot(right)
    s11, s12, s22 = (left[i] * left[j] + right[i] * right[j] for i, j in ((0, 0), (0, 1), (1, 1)))
    bound = _bound_in_the_plane(s11, s12, s22)
    pull = ops.where(due, h.learn / (bound + TINY), 0.0)
    t11, t12, t22 = (
        pull * (left[i] * left[j] - right[i] * right[j]) for i, j in ((0, 0), (0, 1), (1, 1))
    )
    k = k - ops.where(due, h.learn / (sums + TINY), 0.0) * apart * k
    a, b, d = a - t11 * a, b - (t11 * b + t12 * d), d - t22 * d
    p = Vector((a * x + b * y, d * y))
    u = (k * k) * Vector((a * p[0], b * p[0] + d * p[1]))
    u = _held(u, length(u) / math.sqrt(2.0))
    state = {"m": m, "k": k, "a": a, "b": b, "d": d, "waited": waited, "m_hat": m_hat, "u": u}
    return w - h.lr * (u + h.weight_decay * w), state


def _bound_in_the_plane(a: Any, b: Any, d: Any) -> Any:
    """What the largest eigenvalue of (a b; b d), positive semidefinite, is at least: the length of
    the image of the image of its longer column."""
    second = ops.greater(b * b + d * d, a * a + b * b)
    x, y = ops.where(second, b, a), ops.where(second, d, b)
    x, y = a * x + b * y, b * x + d * y
    size = ops.sqrt(x * x + y * y)
    size = ops.where(ops.greater(size, 0.0), size, 1.0)
    x, y = (a * x + b * y) / size, (b * x + d * y) / size
    return ops.sqrt(x * x + y * y)


def _kron_on_tensors(oracle: Oracle, w: Vector, s: Any, h: Any, o: Any) -> tuple[Vector, State]:
    m = averaged(s.m, oracle.gradient(w), h.beta)
    m_hat = m / (1.0 - h.beta**oracle.t)
    due, waited = _learns(oracle, s.waited)
    learns = bool(due)
    after, rows, columns = [], [], []
    for part, g, v, p, q in zip(w, m_hat, oracle.signs(), s.rows, s.columns, strict=True):
        if np.ndim(g) == 2:
            if learns:
                left = p @ g @ q.T
                right = matrices.solved_right(matrices.solved_right(v.T, p).T, q)
                of_rows, of_columns = zip(both_sides(left), both_sides(right), strict=True)
                p, q = _learned(p, *of_rows, h), _learned(q, *of_columns, h)
            u = p.T @ (p @ g @ q.T) @ q
        else:
            if learns:
                left, right = (q * g) * (q * g), (v / q) * (v / q)
                q = (
                    q
                    - h.learn / (ops.namespace(left).max(left + right) + TINY) * (left - right) * q
                )
            u = q * q * g
        u = _held(u, _root_mean_square(u))
        after.append(part - h.lr * (u + h.weight_decay * part if np.ndim(g) == 2 else u))
        rows.append(p)
        columns.append(q)
    return Vector(after), {
        "m": m, "rows": Vector(rows), "columns": Vector(columns), "waited": waited,
    }  # fmt: skip


def _learned(triangle: Any, left: Any, right: Any, h: Any) -> Any:
    """A triangle after a step towards left = right."""
    n = np.shape(left)[0]
    above = np.triu(np.ones((n, n), dtype=left.dtype))
    pull = h.learn / (matrices.bound(left + right)[0] + TINY)
    return triangle - (pull * ((left - right) * above)) @ triangle


def _triangle_of_columns(shape: tuple[int, ...]) -> tuple[int, ...]:
    return column_pairs(shape) if len(shape) == 2 else shape


KRON = Optimizer(
    slug="kron",
    name="PSGD-Kron",
    rule=_kron,
    tensor_rule=_kron_on_tensors,
    hypers=(
        lr(1e-3),
        beta(0.9, *MOMENTUM_AVERAGE),
        Parameter(
            "learn", "μ", r"\mu", 0.1, 1e-3, 1.0, "log", "how fast the preconditioner is learned",
            label="preconditioner's rate",
        ),
        decay(0.0),
    ),
    state=(
        M,
        number("k", "Q₁", "Q_1", "the row's part of the preconditioner", "one"),
        number("a", "Q₂₁₁", "Q_{11}", "the columns' triangle, above left", "one"),
        number("b", "Q₂₁₂", "Q_{12}", "the columns' triangle, above right"),
        number("d", "Q₂₂₂", "Q_{22}", "the columns' triangle, below right", "one"),
        number("waited", "n", "n", "steps since the preconditioner last learned"),
    ),
    tensor_state=(
        M,
        Slot("rows", "Q₁", "Q_1", "the rows' triangle", start="one", shape=_of_rows),
        Slot(
            "columns", "Q₂", "Q_2", "the columns' triangle; of a vector its diagonal", start="one",
            shape=_triangle_of_columns,
        ),
        number("waited", "n", "n", "steps since the preconditioner last learned"),
    ),
    shown=(Slot("m_hat", "m̂", r"\hat m", "the average, corrected for its start at zero"), U),
    latex=lambda o: (
        r"<m> = <beta>\, <m-> + (1 - <beta>)\, <g>",
        r"<m_hat> = \frac{<m>}{1 - <beta>^{<t>}}",
        (
            r"Q \gets Q - <learn>\, \frac{\operatorname{triu}(a a^{\top} - b b^{\top})}"
            r"{\lVert a a^{\top} + b b^{\top} \rVert}\, Q,\quad a = Q <m_hat>,\ b = Q^{-\top} v,\ v"
            r" = \pm 1"
        ),
        r"<u> = Q^{\top} Q\, <m_hat>\quad\text{at most } 1.1 \text{ long}",
        r"<w> = <w-> - <lr>\,(<u> + <weight_decay>\, <w->)",
    ),
    idea="Learn, by a descent of its own, the matrix that makes gradients alike in all directions.",
    when="Language models and noisy problems; a triangle for rows and one for columns of a matrix.",
    paper="Li, Preconditioned stochastic gradient descent; Pooladzandi & Li 2024",
    year=2015,
    typical_lr="0.001",
    memory_note="rc + r² + c² a matrix",
    relatives="On one axis it learns 1/√E[g²]: RMSProp with momentum, by another road.",
    elementwise=False,
    draws=lambda o: True,
)  # fmt: skip


ENTRIES = (ADAFACTOR, SOAP, KRON)
