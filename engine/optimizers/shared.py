"""Hyper-parameters, options, state and pieces of rules that several optimizers share."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

from engine.optimizers.description import Option, Oracle, Slot
from engine.problems.parameter import Parameter
from engine.tape import Vector
from engine.tape import operations as ops


def lr(default: float, low: float = 1e-5, high: float = 10.0) -> Parameter:
    """The learning rate."""
    return Parameter(
        "lr", "η", r"\eta", default, low, high, "log", "the length of a step",
        label="learning rate",
    )  # fmt: skip


def epsilon(default: float) -> Parameter:
    """The small number in a denominator."""
    return Parameter(
        "eps", "ε", r"\epsilon", default, 1e-16, 1.0, "log", "keeps the division from blowing up",
        label="small constant",
    )  # fmt: skip


def beta(
    default: float, label: str, meaning: str, index: int = 0, high: float = 0.999
) -> Parameter:
    """A memory: the one of a rule that has a single one, or βᵢ."""
    name, symbol, latex = ("beta", "β", r"\beta")
    if index:
        name, symbol, latex = f"beta{index}", f"β{'₁₂₃'[index - 1]}", rf"\beta_{index}"
    return Parameter(name, symbol, latex, default, 0.0, high, "linear", meaning, label)


# What a memory is called, and what it is of.
OF_VELOCITY = "momentum", "how much of the velocity survives a step"
OF_THE_GRADIENT = "first-moment decay", "memory of the gradient's average"
MOMENTUM_AVERAGE = "momentum", "memory of the gradient's average"
OF_ITS_SQUARE = "second-moment decay", "memory of the squared gradient's average"
BETA1 = beta(0.9, *OF_THE_GRADIENT, 1)
BETA2 = beta(0.999, *OF_ITS_SQUARE, 2, 0.99999)
EPSILON = Option(
    "epsilon",
    "ε stands",
    (("outside", "beside the root: √v + ε"), ("inside", "under the root: √(v + ε)")),
)
M = Slot("m", "m", "m", "average of the gradients")
V = Slot("v", "v", "v", "average of the squared gradients")
M_HAT = Slot("m_hat", "m̂", r"\hat m", "the average, corrected for its start at zero")
U = Slot("u", "u", "u", "the step before the learning rate")
V_HAT = Slot("v_hat", "v̂", r"\hat v", "the squared average, corrected for its start at zero")


def decay(default: float) -> Parameter:
    """The strength of weight decay."""
    return Parameter(
        "weight_decay",
        "λ",
        r"\lambda",
        default,
        0.0,
        1.0,
        "linear",
        "pull of the weights towards 0",
    )


def over_root(numerator: Any, square: Any, h: SimpleNamespace, o: SimpleNamespace) -> Any:
    """numerator / (√square + ε), or with ε under the root."""
    if o.epsilon == "inside":
        return numerator / ops.sqrt(square + h.eps)
    return numerator / (ops.sqrt(square) + h.eps)


def root_latex(square: str, o: SimpleNamespace) -> str:
    """The denominator of over_root in LaTeX."""
    if o.epsilon == "inside":
        return rf"\sqrt{{{square} + <eps>}}"
    return rf"\sqrt{{{square}}} + <eps>"


def number(name: str, symbol: str, latex: str, meaning: str, start: str = "zero") -> Slot:
    """A state of one number for the whole point."""
    return Slot(name, symbol, latex, meaning, kind="scalar", start=start)


def averaged(old: Any, new: Any, keep: Any) -> Any:
    """One step of an exponential moving average: keep · old + (1 − keep) · new."""
    return keep * old + (1.0 - keep) * new


def moments(g: Any, s: Any, h: Any) -> tuple[Any, Any]:
    """Adam's two running averages, of the gradient and of its square."""
    return averaged(s.m, g, h.beta1), averaged(s.v, g * g, h.beta2)


def corrected(m: Any, v: Any, oracle: Oracle, h: Any) -> tuple[Any, Any]:
    """Both averages freed of their start at zero: m / (1 − β₁ᵗ), v / (1 − β₂ᵗ)."""
    return m / (1.0 - h.beta1**oracle.t), v / (1.0 - h.beta2**oracle.t)


MOMENT_LINES = (
    r"<m> = <beta1>\, <m-> + (1 - <beta1>)\, <g>",
    r"<v> = <beta2>\, <v-> + (1 - <beta2>)\, <g>^2",
)
CORRECTION_LINES = (
    r"<m_hat> = \frac{<m>}{1 - <beta1>^{<t>}}",
    r"<v_hat> = \frac{<v>}{1 - <beta2>^{<t>}}",
)


def first_step(oracle: Oracle) -> Any:
    """Whether this is the first step: what a state that does not start at zero waits for."""
    return ops.less(oracle.t, 1.5)


def length(point: Vector) -> Any:
    """The length of a point taken as one layer: a number per cell."""
    return ops.sqrt(point.dot(point))


def layer_lengths(tensors: Vector) -> Vector:
    """The length of each tensor."""
    return Vector(ops.sqrt(ops.sum(part * part)) for part in tensors)


def inner_product(a: Vector, b: Vector) -> Any:
    """The inner product over the elements of all tensors."""
    return sum(
        ops.matmul(x, y) if len(ops.shape_of(x)) == 1 else ops.sum(x * y)
        for x, y in zip(a, b, strict=True)
    )


def table_shape(shape: tuple[int, ...]) -> tuple[int, int]:
    """Rows and columns of a tensor; a vector is one row."""
    return (shape[0], shape[1]) if len(shape) == 2 else (1, math.prod(shape))


def both_sides(table: Any) -> tuple[Any, Any]:
    """G Gᵀ and Gᵀ G: how the rows of a matrix move together, and how its columns do."""
    return table @ table.T, table.T @ table


def row_pairs(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of what is kept for every pair of rows."""
    return (table_shape(shape)[0],) * 2


def column_pairs(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of what is kept for every pair of columns."""
    return (table_shape(shape)[1],) * 2


def sum_of_sizes(point: Vector) -> Any:
    """The sum of the absolute values of a point's coordinates: a number per cell."""
    total = ops.absolute(point[0])
    for part in point[1:]:
        total = total + ops.absolute(part)
    return total


def all_sizes(tensors: Vector) -> Any:
    """The sum of the absolute values of all elements."""
    return sum(ops.sum(ops.absolute(part)) for part in tensors)
