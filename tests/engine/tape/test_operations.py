"""The table of operations: every row's rules, on every kind of number that the engine runs on."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import array_api_strict
import mpmath
import numpy as np
import pytest

from engine.derivatives.numerical import check_grads
from engine.tape import Operation, Tape, Value, Vector, autograd
from engine.tape import operations as ops
from engine.tape.interpret import COMPLEX, interpret, long_numbers
from engine.tape.operations import OPERATIONS

RNG = np.random.default_rng(3)
A = RNG.uniform(0.4, 1.6, (3, 4))
B = RNG.uniform(0.4, 1.6, (3, 4)) + 0.01
ROW = RNG.uniform(0.4, 1.6, (4,))
COLUMN = RNG.uniform(0.4, 1.6, (3, 1))
SIGNED = np.array([[-1.3, -0.4, 0.2, 0.9], [2.0, -2.2, 0.6, -0.1], [1.1, 0.3, -0.7, 0.5]])
BATCH = RNG.normal(size=(2, 3, 4))
ONE_HOT = np.eye(4)[[0, 2, 1]]

Case = tuple[Callable[..., Any], tuple[Any, ...]]
CASES: dict[str, list[Case]] = {
    "add": [(ops.add, (A, B)), (ops.add, (A, ROW)), (ops.add, (COLUMN, ROW)), (ops.add, (1.5, A))],
    "subtract": [(ops.subtract, (A, B)), (ops.subtract, (ROW, COLUMN)), (ops.subtract, (0.5, ROW))],
    "multiply": [(ops.multiply, (A, B)), (ops.multiply, (COLUMN, ROW)), (ops.multiply, (2.0, A))],
    "divide": [(ops.divide, (A, B)), (ops.divide, (ROW, COLUMN)), (ops.divide, (1.0, A))],
    "negative": [(ops.negative, (A,))],
    "power": [(ops.power, (A, B)), (ops.power, (ROW, COLUMN)), (ops.power, (1.3, A))],
    "integer_power": [
        (lambda x, n=n: ops.integer_power(x, exponent=n), (SIGNED,))
        for n in (-3, -1, 0, 1, 2, 3, 7)
    ],
    "sum": [
        (lambda x, axis=axis, keep=keep: ops.sum(x, axis=axis, keepdims=keep), (BATCH,))
        for axis in (None, 0, -1, (0, 2), (-1, 1))
        for keep in (False, True)
    ],
    "broadcast_to": [
        (lambda x: ops.broadcast_to(x, shape=(2, 3, 4)), (A,)),
        (lambda x: ops.broadcast_to(x, shape=(3, 4)), (COLUMN,)),
        (lambda x: ops.broadcast_to(x, shape=(2, 2)), (1.5,)),
    ],
    "reshape": [(lambda x: ops.reshape(x, shape=(2, 6)), (A,))],
    "transpose": [
        (ops.transpose, (A,)),
        (ops.transpose, (BATCH,)),
        (lambda x: ops.transpose(x, axes=(1, 2, 0)), (BATCH,)),
    ],
    "matmul": [
        (ops.matmul, (A, B.T)),
        (ops.matmul, (A, ROW)),
        (ops.matmul, (ROW, B.T)),
        (ops.matmul, (ROW, ROW + 1.0)),
        (ops.matmul, (BATCH, A.T)),
        (ops.matmul, (A, RNG.normal(size=(2, 4, 5)))),
        (ops.matmul, (BATCH, ROW)),
        (ops.matmul, (ROW, RNG.normal(size=(2, 4, 3)))),
    ],
    "index": [
        (lambda x: x[0, ...], (A,)),
        (lambda x: x[1:, ::2], (A,)),
        (lambda x: x[..., 1], (BATCH,)),
        (lambda x: x[np.array([0, 2, 2, 0])], (A,)),
        (lambda x: x[np.arange(3), np.array([1, 1, 3])], (A,)),
        (lambda x: x[:, None, :], (A,)),
    ],
    "scatter": [
        (lambda g: ops.scatter(g, shape=(5,), key=slice(1, 5)), (ROW,)),
        (lambda g: ops.scatter(g, shape=(3,), key=np.array([0, 2, 2, 1])), (ROW,)),
    ],
    "logsumexp": [
        (lambda x, axis=axis, keep=keep: ops.logsumexp(x, axis=axis, keepdims=keep), (SIGNED,))
        for axis in (0, -1)
        for keep in (False, True)
    ],
    "softmax": [(ops.softmax, (SIGNED,)), (lambda x: ops.softmax(x, axis=0), (SIGNED,))],
    "log_softmax": [
        (ops.log_softmax, (SIGNED,)),
        (lambda x: ops.log_softmax(x, axis=0), (SIGNED,)),
    ],
    "softmax_cross_entropy": [(lambda z: ops.softmax_cross_entropy(z, ONE_HOT), (SIGNED,))],
    "mean": [
        (lambda x, axis=axis, keep=keep: ops.mean(x, axis=axis, keepdims=keep), (BATCH,))
        for axis in (None, 0, -1, (0, 2))
        for keep in (False, True)
    ],
    "affine": [(ops.affine, (A, B.T, COLUMN[:, 0])), (ops.affine, (BATCH, B.T, 0.5))],
    "logit_cross_entropy": [
        (lambda z: ops.logit_cross_entropy(z, 1.0 * (SIGNED > 0)), (SIGNED,)),
        (ops.logit_cross_entropy, (SIGNED, A / 2)),
    ],
    "logit_error": [(ops.logit_error, (SIGNED, A / 2))],
    "maximum": [(ops.maximum, (A, B)), (ops.maximum, (SIGNED, 0.0)), (ops.maximum, (ROW, COLUMN))],
    "minimum": [(ops.minimum, (A, B)), (ops.minimum, (SIGNED, 0.0)), (ops.minimum, (ROW, COLUMN))],
    "clip": [
        (lambda x: ops.clip(x, -0.5, 0.55), (SIGNED,)),
        (ops.clip, (SIGNED, -ROW, COLUMN)),
    ],
    "where": [
        (lambda x, y: ops.where(SIGNED > 0, x, y), (A, B)),
        (lambda x, y: ops.where(SIGNED > 0, x, y), (ROW, COLUMN)),
        (lambda x, y: ops.where(x > y, x * y, x / y), (A, B)),
    ],
    **{
        name: [(OPERATIONS[name], (A,)), (OPERATIONS[name], (0.8,))]
        for name in ("exp", "log", "log1p", "sqrt", "sin", "cos", "tan", "tanh")
    },
    **{
        name: [(OPERATIONS[name], (SIGNED,)), (OPERATIONS[name], (-0.8,))]
        for name in (
            "sigmoid", "sigmoid_slope", "softplus", "relu", "absolute", "sign", "tanh_slope",
        )
    },
}  # fmt: skip
# No derivative flows through a comparison; `where` above tests that.
COMPARISONS = {"less", "less_equal", "greater", "greater_equal", "equal"}
EVERY = [(name, i) for name, cases in CASES.items() for i in range(len(cases))]


def test_every_row_of_the_table_has_a_case() -> None:
    assert set(CASES) | COMPARISONS == set(OPERATIONS)


@pytest.mark.parametrize(("name", "i"), EVERY)
def test_both_rules_of_every_row_to_second_order(name: str, i: int) -> None:
    f, args = CASES[name][i]
    check_grads(f, *args)


def test_check_grads_catches_a_wrong_rule() -> None:
    slope = OPERATIONS["tanh"].jvps
    forgot = Operation("tanh", np.tanh, (lambda g, out, x: g * (1 - out),), slope)
    with pytest.raises(AssertionError, match="reverse mode of f"):
        check_grads(forgot, 0.8, order=1)
    # Right at first order only: the rule's own 2x is not traced, so it counts as constant.
    frozen = Operation(
        "square",
        lambda x: x * x,
        (lambda g, out, x: ops.multiply(g, 2.0 * innermost(x)),),
        (lambda t, out, x: ops.multiply(t, ops.multiply(2.0, x)),),
    )
    check_grads(frozen, 0.8, order=1)
    with pytest.raises(AssertionError, match=r"\(reverse of f\)"):
        check_grads(frozen, 0.8)


def innermost(x: Any) -> Any:
    while isinstance(x, Value):
        x = x.data
    return x


@pytest.mark.parametrize(
    ("f", "at", "slope"),
    [
        (ops.relu, 0.0, 0.0),
        (ops.absolute, 0.0, 0.0),
        (lambda x: ops.maximum(x, 0.0), 0.0, 0.5),
        (lambda x: ops.minimum(x, 0.0), 0.0, 0.5),
        (lambda x: ops.clip(x, 0.0, 1.0), 0.0, 1.0),
        (lambda x: ops.clip(x, 0.0, 1.0), 1.0, 1.0),
        (lambda x: ops.clip(x, 0.0, 1.0), 1.1, 0.0),
        (lambda x: ops.power(x, 2.0), 0.0, 0.0),
        (ops.sign, 0.5, 0.0),
    ],
)
def test_the_derivative_at_a_kink_is_pytorchs(f: Any, at: float, slope: float) -> None:
    # As torch 2.13 gives it for relu, abs, maximum, minimum, clamp, pow and sign.
    assert autograd.grad(f)(at) == slope
    assert autograd.grad(f)(np.array([at]))[0] == slope
    assert autograd.jvp(f, (at,), (1.0,))[1] == slope


@pytest.mark.parametrize("name", ["sigmoid", "softplus", "relu", "absolute", "tanh", "logsumexp"])
def test_nothing_overflows(name: str) -> None:
    x = np.array([-1e4, -800.0, -40.0, 0.0, 40.0, 800.0, 1e4])
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert np.isfinite(OPERATIONS[name](x)).all()
        assert np.isfinite(autograd.grad(lambda v: ops.sum(OPERATIONS[name](v)))(x)).all()
    z = np.array([-800.0, -40.0, 40.0, 800.0])
    right = np.array([0.0, 0.0, 1.0, 1.0])
    tail = np.exp(-np.abs(z))
    np.testing.assert_allclose(ops.logit_cross_entropy(z, right), tail, rtol=1e-15)
    np.testing.assert_allclose(ops.logit_error(z, right), -np.sign(z) * tail, rtol=1e-15)
    np.testing.assert_array_equal(ops.logit_error(z, 1.0 - right), np.sign(z))
    assert ops.sigmoid(-40.0) == pytest.approx(math.exp(-40), rel=1e-15)


def test_float32_stays_float32_through_every_row() -> None:
    for name, cases in CASES.items():
        for f, args in cases:
            small = [a.astype(np.float32) if isinstance(a, np.ndarray) else a for a in args]
            if not any(isinstance(a, np.ndarray) for a in small) or "entropy" in name:
                continue
            out = f(*small)
            places = [i for i, a in enumerate(small) if isinstance(a, np.ndarray)]
            grads = autograd.grad(lambda *v, f=f: ops.sum(f(*v)), places)(*small)
            if f in (ops.clip, ops.where) or "where" in name or "clip" in name:
                continue  # their other arguments here are float64
            assert out.dtype == np.float32, name
            assert [g.dtype for g in grads] == [np.float32] * len(places), name


@pytest.mark.parametrize(
    "f",
    [
        lambda s: ops.clip(s, -1.0, 1.0),
        lambda s: ops.maximum(s, 7.0),
        lambda s: ops.minimum(s, 1),
        lambda s: ops.where(s > 100.0, s, 1.0),
    ],
)
def test_a_bare_number_leaves_a_float32_scalar_as_narrow_as_it_is(f: Any) -> None:
    w = np.array([-2.0, 0.5, 3.0], np.float32)

    def of_sum(w: Any) -> Any:
        return f(ops.sum(w))

    value, gradient = autograd.value_and_grad(of_sum)(w)
    assert value.dtype == gradient.dtype == np.float32
    assert autograd.jvp(of_sum, (w,), (np.ones_like(w),))[1].dtype == np.float32


# Numbers of other kinds ---------------------------------------------------------------------------

SMOOTH = ("exp", "log1p", "sin", "cos", "tan", "tanh", "tanh_slope", "sigmoid", "sigmoid_slope",
          "softplus")  # fmt: skip


@pytest.mark.parametrize("x", [-3.0, -0.4, -0.0, 0.0, 0.7, 20.0])
@pytest.mark.parametrize("name", SMOOTH)
def test_complex_and_long_numbers_read_the_same_operation(name: str, x: float) -> None:
    """At 0 too, where what is lowered to |x| must not show its kink."""
    operation = OPERATIONS[name]
    if name == "log1p" and x <= -1:
        return
    slope = complex(interpret(operation, [complex(x, 1e-100)], COMPLEX, float)).imag / 1e-100
    assert slope == pytest.approx(float(autograd.grad(operation)(np.float64(x))), rel=1e-13)
    with mpmath.workdps(50):
        value = float(interpret(operation, [mpmath.mpf(x)], long_numbers(), mpmath.mpf))
    assert value == pytest.approx(float(operation(np.float64(x))), rel=1e-14, abs=1e-300)


# Any array namespace -----------------------------------------------------------------------------

DEVICES = [array_api_strict.Device("CPU_DEVICE"), array_api_strict.Device("device1")]
# The standard assigns neither at repeated indices nor at new axes.
NUMPY_ONLY = {("index", 3), ("index", 4), ("index", 5), ("scatter", 1)}
WITH_NUMPY_INSIDE = {("where", 0), ("where", 1), ("softmax_cross_entropy", 0),
                     ("logit_cross_entropy", 0)}  # fmt: skip
ON_ARRAYS = [
    (name, i)
    for name, i in EVERY
    if any(isinstance(a, np.ndarray) for a in CASES[name][i][1])
    and (name, i) not in NUMPY_ONLY | WITH_NUMPY_INSIDE
]


@pytest.mark.parametrize("device", DEVICES, ids=str)
@pytest.mark.parametrize(("name", "i"), ON_ARRAYS)
def test_every_row_on_a_strict_namespace(name: str, i: int, device: Any) -> None:
    f, args = CASES[name][i]
    strict = [
        array_api_strict.asarray(a, device=device) if isinstance(a, np.ndarray) else a for a in args
    ]
    places = [i for i, a in enumerate(args) if isinstance(a, np.ndarray)]

    def total(*values: Any) -> Any:
        return ops.sum(ops.multiply(f(*values), f(*values)))

    expected, slopes = autograd.value_and_grad(total, places)(*args)
    value, found = autograd.value_and_grad(total, places)(*strict)
    assert value.device == device
    assert float(value) == pytest.approx(float(expected), rel=1e-12)
    for a, b in zip(found, slopes, strict=True):
        assert a.device == device
        np.testing.assert_allclose(np.asarray(a.to_device(DEVICES[0])), b, rtol=1e-10, atol=1e-12)
    tangents = [array_api_strict.asarray(args[p], device=device) for p in places]
    carried = autograd.jvp(
        lambda *v: total(*_put(strict, places, v)), [strict[p] for p in places], tangents
    )[1]
    by_reverse = sum(float(np.sum(s * args[p])) for s, p in zip(slopes, places, strict=True))
    assert float(carried) == pytest.approx(by_reverse, rel=1e-9, abs=1e-10)


def _put(args: list[Any], places: list[int], values: Any) -> list[Any]:
    out = list(args)
    for place, value in zip(places, values, strict=True):
        out[place] = value
    return out


# The tape ----------------------------------------------------------------------------------------


def test_nothing_is_recorded_where_nothing_is_differentiable() -> None:
    tape = Tape()
    x = tape.variable(np.ones(3))
    constant = ops.exp(ops.multiply(np.ones(3), 2.0))
    assert len(tape.nodes) == 1
    ops.add(x, constant)
    assert [node.operation.name for node in tape.nodes if node.operation] == ["add"]


def test_signs_of_python_mean_the_operations() -> None:
    tape = Tape()
    x, y = tape.variable(3.0), tape.variable(2.0)
    got = [x + y, 1 + y, x - y, 1 - y, x * y, 2 * y, x / y, 1 / y, x**y, 2**y, x**3, -x, abs(-x)]
    assert [float(v.data) for v in got] == [5, 3, 1, -1, 6, 4, 1.5, 0.5, 9, 4, 27, -3, 3]
    assert [bool((f).data) for f in (x < y, x <= y, x > y, x >= y)] == [False, False, True, True]
    m = tape.variable(np.arange(6.0).reshape(2, 3))
    assert m.T.shape == (3, 2)
    assert m[1].shape == (3,)
    assert (m @ m.T).shape == (np.ones((2, 2)) @ m @ m.T).shape == (2, 2)
    assert (np.ones(3) * m).shape == (2, 3)  # NumPy hands the product to the Value
    assert float(m.sum().data) == 15
    assert m.sum(axis=0, keepdims=True).shape == (1, 3)


def test_a_vector_acts_part_by_part() -> None:
    w = Vector((1.0, np.array([2.0, 3.0])))
    doubled = 2.0 * w - w / 2.0 + abs(-w) * 0.0
    assert isinstance(doubled, Vector)
    assert doubled[0] == 1.5
    np.testing.assert_array_equal(doubled[1], [3.0, 4.5])
    np.testing.assert_array_equal(w.dot(w), [5.0, 10.0])
