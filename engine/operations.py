"""The table of operations: what each computes, and how it passes derivatives back and forward.

An elementwise operation is given by its local derivatives, from which both rules follow. The few
that move or combine elements (sum, reshape, matmul, indexing …) state both rules. Everything is
written for any array namespace of the array API standard, and plain numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from engine.tape import Operation, Value, Vector

OPERATIONS: dict[str, Operation] = {}


def namespace(*arrays: Any) -> ModuleType:
    """The array namespace of the arguments; NumPy for numbers."""
    for x in arrays:
        if type(x) is np.ndarray:
            return np
        if hasattr(x, "__array_namespace__"):
            return x.__array_namespace__()  # type: ignore[no-any-return]
    return np


def shape_of(x: Any) -> tuple[int, ...]:
    """The shape of an array or a Value; () for a number."""
    return getattr(x, "shape", ())


def _add(name: str, evaluate: Callable[..., Any], vjps: Any = (), jvps: Any = ()) -> Operation:
    operation = Operation(name, evaluate, tuple(vjps), tuple(jvps))
    OPERATIONS[name] = operation
    return operation


def unbroadcast(g: Any, like: Any) -> Any:
    """Sum a cotangent over the axes along which `like` was broadcast."""
    target = shape_of(like)
    have = shape_of(g)
    if have == target:
        return g
    if len(have) < len(target) or math.prod(have) < math.prod(target):
        return broadcast_to(g, shape=target)
    extra = len(have) - len(target)
    axes = tuple(range(extra)) + tuple(
        i + extra for i, n in enumerate(target) if n == 1 and have[i + extra] != 1
    )
    g = sum(g, axis=axes) if axes else g
    return reshape(g, shape=target) if shape_of(g) != target else g


def _elementwise(name: str, evaluate: Callable[..., Any], *partials: Any) -> Operation:
    """A row given by local derivatives: partials[i](out, *inputs), or the constants 1 and -1."""

    def times(g: Any, partial: Any, out: Any, inputs: tuple[Any, ...]) -> Any:
        if partial == 1:
            return g
        if partial == -1:
            return negative(g)
        return multiply(g, partial(out, *inputs))

    def rules(i: int, partial: Any) -> tuple[Callable[..., Any], Callable[..., Any]]:
        def vjp(g: Any, out: Any, *inputs: Any, **_: Any) -> Any:
            return unbroadcast(times(g, partial, out, inputs), inputs[i])

        def jvp(t: Any, out: Any, *inputs: Any, **_: Any) -> Any:
            return times(t, partial, out, inputs)

        return vjp, jvp

    both = [rules(i, partial) for i, partial in enumerate(partials)]
    return _add(name, evaluate, [b[0] for b in both], [b[1] for b in both])


def _function(name: str) -> Callable[[Any], Any]:
    """The namespace's own function of that name, with NumPy's looked up once."""
    ours = getattr(np, name)

    def evaluate(x: Any) -> Any:
        return ours(x) if type(x) is np.ndarray else getattr(namespace(x), name)(x)

    return evaluate


# Arithmetic ---------------------------------------------------------------------------------------

add = _elementwise("add", lambda x, y: x + y, 1, 1)
subtract = _elementwise("subtract", lambda x, y: x - y, 1, -1)
negative = _elementwise("negative", lambda x: -x, -1)
multiply = _elementwise("multiply", lambda x, y: x * y, lambda _, x, y: y, lambda _, x, y: x)


def _divide(x: Any, y: Any) -> Any:
    # A Python number divided by zero raises; an array gives inf or nan, which we treat as data.
    if isinstance(y, (int, float)) and y == 0:
        return np.divide(x, y) if namespace(x) is np else x * math.inf
    return x / y


divide = _elementwise(
    "divide", _divide, lambda _, x, y: divide(1.0, y), lambda out, x, y: negative(divide(out, y))
)


def _integer_power(x: Any, exponent: int) -> Any:
    """x to a whole power by repeated squaring: the same products in every back-end, so bitwise."""
    if exponent < 0:
        return _divide(1.0, _integer_power(x, -exponent))
    if exponent == 0:
        return x * 0.0 + 1.0
    result = None
    while exponent:
        if exponent & 1:
            result = x if result is None else result * x
        exponent >>= 1
        if exponent:
            x = x * x
    return result


def _integer_power_slope(g: Any, out: Any, x: Any, *, exponent: int) -> Any:
    if exponent == 0:
        return multiply(g, 0.0)
    slope = x if exponent == 2 else integer_power(x, exponent=exponent - 1)
    return g if exponent == 1 else multiply(g, multiply(float(exponent), slope))


integer_power = _add(
    "integer_power", _integer_power, [_integer_power_slope], [_integer_power_slope]
)


def _power(x: Any, y: Any) -> Any:
    if isinstance(x, (int, float)) and isinstance(y, (int, float)):
        return np.float64(x) ** np.float64(y)
    return x**y


power = _elementwise(
    "power",
    _power,
    lambda out, x, y: multiply(y, power(x, subtract(y, 1.0))),
    # d/dy x**y = x**y log x, taken as 0 at x <= 0, where the power is not differentiable in y.
    lambda out, x, y: where(
        greater(x, 0.0), multiply(out, log(where(greater(x, 0.0), x, 1.0))), 0.0
    ),
)


def raise_to(x: Any, y: Any) -> Any:
    """x ** y; a whole constant exponent up to 64 becomes products, which are exact and quick."""
    if not isinstance(y, (Value, Vector)) and not shape_of(y) and float(y).is_integer():
        if abs(y) <= 64:
            return integer_power(x, exponent=int(y))
        y = float(y)
    return power(x, y)


# Elementary functions -----------------------------------------------------------------------------

exp = _elementwise("exp", _function("exp"), lambda out, x: out)
log = _elementwise("log", _function("log"), lambda out, x: divide(1.0, x))
log1p = _elementwise("log1p", _function("log1p"), lambda out, x: divide(1.0, add(1.0, x)))
sqrt = _elementwise("sqrt", _function("sqrt"), lambda out, x: divide(0.5, out))
sin = _elementwise("sin", _function("sin"), lambda out, x: cos(x))
cos = _elementwise("cos", _function("cos"), lambda out, x: negative(sin(x)))
tan = _elementwise("tan", _function("tan"), lambda out, x: add(1.0, multiply(out, out)))
tanh = _elementwise("tanh", _function("tanh"), lambda out, x: subtract(1.0, multiply(out, out)))


def _sigmoid(x: Any) -> Any:
    """1 / (1 + e^-x) from the exponential that cannot overflow."""
    xp = namespace(x)
    z = xp.exp(-xp.abs(x))
    return xp.where(x >= 0, 1.0 / (1.0 + z), z / (1.0 + z))


def _softplus(x: Any) -> Any:
    """log(1 + e^x) as max(x, 0) + log1p(e^-|x|), which cannot overflow."""
    xp = namespace(x)
    return xp.where(x >= 0, x, x * 0.0) + xp.log1p(xp.exp(-xp.abs(x)))


sigmoid = _elementwise("sigmoid", _sigmoid, lambda out, x: multiply(out, subtract(1.0, out)))
softplus = _elementwise("softplus", _softplus, lambda out, x: sigmoid(x))


# Kinks: the derivative at a kink is the one PyTorch takes (0 for relu and abs, ½ at ties) ---------


def _sign(x: Any) -> Any:
    return namespace(x).sign(x)


sign = _add("sign", _sign)
absolute = _elementwise("absolute", lambda x: namespace(x).abs(x), lambda out, x: sign(x))



def _relu(x: Any) -> Any:
    return namespace(x).where(x > 0, x, x * 0.0)


relu = _elementwise("relu", _relu, lambda out, x: where(greater(x, 0.0), 1.0, 0.0))


def _binary(name: str) -> Callable[[Any, Any], Any]:
    def evaluate(x: Any, y: Any) -> Any:
        return getattr(namespace(x, y), name)(x, y)

    return evaluate


def _share(wins: Operation, x: Any, y: Any) -> Any:
    return where(wins(x, y), 1.0, where(equal(x, y), 0.5, 0.0))


maximum = _elementwise(
    "maximum",
    _binary("maximum"),
    lambda _, x, y: _share(greater, x, y),
    lambda _, x, y: _share(less, x, y),
)
minimum = _elementwise(
    "minimum",
    _binary("minimum"),
    lambda _, x, y: _share(less, x, y),
    lambda _, x, y: _share(greater, x, y),
)


def clip(x: Any, low: Any, high: Any) -> Any:
    """x held between low and high."""
    return minimum(maximum(x, low), high)


# Comparisons and choice ---------------------------------------------------------------------------

less = _add("less", lambda x, y: x < y)
less_equal = _add("less_equal", lambda x, y: x <= y)
greater = _add("greater", lambda x, y: x > y)
greater_equal = _add("greater_equal", lambda x, y: x >= y)
equal = _add("equal", lambda x, y: x == y)


def _where(condition: Any, x: Any, y: Any) -> Any:
    if isinstance(condition, (bool, np.bool_)):
        return x if condition else y
    return namespace(condition, x, y).where(condition, x, y)


def _where_rule(i: int) -> tuple[Callable[..., Any], Callable[..., Any]]:
    def chosen(g: Any, condition: Any) -> Any:
        return where(condition, g, 0.0) if i == 1 else where(condition, 0.0, g)

    def vjp(g: Any, out: Any, *inputs: Any) -> Any:
        return unbroadcast(chosen(g, inputs[0]), inputs[i])

    def jvp(t: Any, out: Any, *inputs: Any) -> Any:
        return chosen(t, inputs[0])

    return vjp, jvp


def _nothing(g: Any, out: Any, *inputs: Any) -> Any:
    """A condition has no derivative."""
    return None


_first, _second = _where_rule(1), _where_rule(2)
where = _add(
    "where", _where, (_nothing, _first[0], _second[0]), (_nothing, _first[1], _second[1])
)


# Shape and reduction ------------------------------------------------------------------------------


def _sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return namespace(x).sum(x, axis=axis, keepdims=keepdims) if shape_of(x) else x


def _sum_vjp(g: Any, out: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    shape = shape_of(x)
    if axis is not None and not keepdims:
        axes = {a % len(shape) for a in ((axis,) if isinstance(axis, int) else axis)}
        g = reshape(g, shape=tuple(1 if i in axes else n for i, n in enumerate(shape)))
    return broadcast_to(g, shape=shape)


def _linear_jvp(operation: Callable[[], Operation]) -> Callable[..., Any]:
    """The forward rule of a linear operation is the operation itself."""

    def jvp(t: Any, out: Any, x: Any, **parameters: Any) -> Any:
        return operation()(t, **parameters)

    return jvp


def _reshape(x: Any, shape: tuple[int, ...]) -> Any:
    xp = namespace(x)
    return xp.reshape(xp.asarray(x), shape)


def _broadcast_to(x: Any, shape: tuple[int, ...]) -> Any:
    xp = namespace(x)
    return xp.broadcast_to(xp.asarray(x), shape)


def _transpose(x: Any, axes: tuple[int, ...] | None = None) -> Any:
    order = axes if axes is not None else tuple(reversed(range(len(x.shape))))
    return namespace(x).permute_dims(x, order)


def _transpose_vjp(g: Any, out: Any, x: Any, axes: tuple[int, ...] | None = None) -> Any:
    order = axes if axes is not None else tuple(reversed(range(len(shape_of(x)))))
    inverse = tuple(order.index(i) for i in range(len(order)))
    return transpose(g, axes=inverse)


sum = _add("sum", _sum, [_sum_vjp], [_linear_jvp(lambda: sum)])
broadcast_to = _add(
    "broadcast_to",
    _broadcast_to,
    [lambda g, out, x, shape: unbroadcast(g, x)],
    [_linear_jvp(lambda: broadcast_to)],
)
reshape = _add(
    "reshape",
    _reshape,
    [lambda g, out, x, shape: reshape(g, shape=shape_of(x))],
    [_linear_jvp(lambda: reshape)],
)
transpose = _add("transpose", _transpose, [_transpose_vjp], [_linear_jvp(lambda: transpose)])


def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The arithmetic mean over axis (all axes where None)."""
    shape = shape_of(x)
    axes = range(len(shape)) if axis is None else ((axis,) if isinstance(axis, int) else axis)
    count = math.prod(shape[a] for a in axes)
    return multiply(sum(x, axis=axis, keepdims=keepdims), 1.0 / count)


def _swap(x: Any) -> Any:
    n = len(shape_of(x))
    return transpose(x, axes=(*range(n - 2), n - 1, n - 2))


def _matmul_vjp_left(g: Any, out: Any, x: Any, y: Any) -> Any:
    if len(shape_of(y)) == 1:
        g, y = reshape(g, shape=(*shape_of(g), 1)), reshape(y, shape=(*shape_of(y), 1))
    if len(shape_of(x)) == 1:
        g = reshape(g, shape=(1, *shape_of(g)))
        return unbroadcast(reshape(matmul(g, _swap(y)), shape=shape_of(x)), x)
    return unbroadcast(matmul(g, _swap(y)), x)


def _matmul_vjp_right(g: Any, out: Any, x: Any, y: Any) -> Any:
    if len(shape_of(x)) == 1:
        g = reshape(g, shape=(1, *shape_of(g))) if len(shape_of(y)) > 1 else g
        x = reshape(x, shape=(1, *shape_of(x)))
    if len(shape_of(y)) == 1:
        g = reshape(g, shape=(*shape_of(g), 1) if shape_of(g) else (1, 1))
        return unbroadcast(reshape(matmul(_swap(x), g), shape=shape_of(y)), y)
    return unbroadcast(matmul(_swap(x), g), y)


matmul = _add(
    "matmul",
    lambda x, y: x @ y,
    [_matmul_vjp_left, _matmul_vjp_right],
    [lambda t, out, x, y: matmul(t, y), lambda t, out, x, y: matmul(x, t)],
)


def _scatter(g: Any, shape: tuple[int, ...], key: Any) -> Any:
    """Zeros of that shape with g added at key: what indexing looks like backwards."""
    xp = namespace(g)
    g = xp.asarray(g)
    zeros = xp.zeros(shape, dtype=g.dtype)
    if xp is np:
        np.add.at(zeros, key, g)  # an index may occur twice
    else:
        zeros[key] = g
    return zeros


index = _add(
    "index",
    lambda x, key: x[key],
    [lambda g, out, x, key: scatter(g, shape=shape_of(x), key=key)],
    [_linear_jvp(lambda: index)],
)
scatter = _add(
    "scatter",
    _scatter,
    [lambda g, out, x, shape, key: index(g, key=key)],
    [_linear_jvp(lambda: scatter)],
)


def _logsumexp(x: Any, axis: Any = -1, keepdims: bool = False) -> Any:
    """log Σ e^x along axis, with the largest element taken out first."""
    xp = namespace(x)
    top = xp.max(x, axis=axis, keepdims=True)
    top = xp.where(xp.isfinite(top), top, top * 0.0)
    out = xp.log(xp.sum(xp.exp(x - top), axis=axis, keepdims=True)) + top
    return out if keepdims else xp.squeeze(out, axis=axis)


def _softmax_of(x: Any, axis: Any, out: Any, keepdims: bool) -> Any:
    if not keepdims:
        shape = list(shape_of(x))
        shape[axis] = 1
        out = reshape(out, shape=tuple(shape))
    return exp(subtract(x, out))


def _logsumexp_vjp(g: Any, out: Any, x: Any, axis: Any = -1, keepdims: bool = False) -> Any:
    weights = _softmax_of(x, axis, out, keepdims)
    if not keepdims:
        shape = list(shape_of(x))
        shape[axis] = 1
        g = reshape(g, shape=tuple(shape))
    return multiply(g, weights)


def _logsumexp_jvp(t: Any, out: Any, x: Any, axis: Any = -1, keepdims: bool = False) -> Any:
    return sum(multiply(t, _softmax_of(x, axis, out, keepdims)), axis=axis, keepdims=keepdims)


logsumexp = _add("logsumexp", _logsumexp, [_logsumexp_vjp], [_logsumexp_jvp])


# Softmax and its loss are operations of their own: the largest logit is taken out before anything
# is rounded, so that logits of ±1e4 keep full precision in value and gradient, in float32 too.


def _softmax(x: Any, axis: int = -1) -> Any:
    """e^x / Σ e^x along axis."""
    xp = namespace(x)
    z = xp.exp(x - xp.max(x, axis=axis, keepdims=True))
    return z / xp.sum(z, axis=axis, keepdims=True)


def _softmax_rule(g: Any, out: Any, x: Any, axis: int = -1) -> Any:
    """out · (g − Σ g·out): the Jacobian is symmetric, so it serves both directions."""
    return multiply(out, subtract(g, sum(multiply(g, out), axis=axis, keepdims=True)))


softmax = _add("softmax", _softmax, [_softmax_rule], [_softmax_rule])


def _log_softmax(x: Any, axis: int = -1) -> Any:
    """log of softmax, finite wherever x is."""
    xp = namespace(x)
    shifted = x - xp.max(x, axis=axis, keepdims=True)
    return shifted - xp.log(xp.sum(xp.exp(shifted), axis=axis, keepdims=True))


def _log_softmax_vjp(g: Any, out: Any, x: Any, axis: int = -1) -> Any:
    total = sum(g, axis=axis, keepdims=True)
    return subtract(g, multiply(softmax(x, axis=axis), total))


def _log_softmax_jvp(t: Any, out: Any, x: Any, axis: int = -1) -> Any:
    return subtract(t, sum(multiply(softmax(x, axis=axis), t), axis=axis, keepdims=True))


log_softmax = _add("log_softmax", _log_softmax, [_log_softmax_vjp], [_log_softmax_jvp])


def _softmax_cross_entropy(logits: Any, target: Any) -> Any:
    """−Σ target · log softmax(logits) over the last axis."""
    return -namespace(logits).sum(target * _log_softmax(logits), axis=-1)


def _prediction_error(logits: Any, target: Any) -> Any:
    """ŷ − y, for targets y that sum to one (times their sum where they do not)."""
    total = sum(target, axis=-1, keepdims=True)
    return subtract(multiply(softmax(logits, axis=-1), total), target)


def _per_class(g: Any) -> Any:
    """A cotangent of the loss, with an axis for the classes."""
    return reshape(g, shape=(*shape_of(g), 1))


softmax_cross_entropy = _add(
    "softmax_cross_entropy",
    _softmax_cross_entropy,
    [
        lambda g, out, z, y: unbroadcast(multiply(_per_class(g), _prediction_error(z, y)), z),
        lambda g, out, z, y: unbroadcast(multiply(_per_class(g), negative(log_softmax(z))), y),
    ],
    [
        lambda t, out, z, y: sum(multiply(t, _prediction_error(z, y)), axis=-1),
        lambda t, out, z, y: negative(sum(multiply(t, log_softmax(z)), axis=-1)),
    ],
)


# Operators ----------------------------------------------------------------------------------------

_BINARY = {
    "add": add,
    "sub": subtract,
    "mul": multiply,
    "truediv": divide,
    "matmul": matmul,
    "pow": raise_to,
}
_COMPARE = {"lt": less, "le": less_equal, "gt": greater, "ge": greater_equal}
for _kind in (Value, Vector):
    for _name, _operation in _BINARY.items():
        setattr(_kind, f"__{_name}__", lambda x, y, f=_operation: f(x, y))
        setattr(_kind, f"__r{_name}__", lambda x, y, f=_operation: f(y, x))
    for _name, _operation in _COMPARE.items():
        setattr(_kind, f"__{_name}__", lambda x, y, f=_operation: f(x, y))
    _kind.__neg__ = lambda x: negative(x)  # type: ignore[union-attr]
    _kind.__abs__ = lambda x: absolute(x)  # type: ignore[union-attr]
Value.__getitem__ = lambda x, key: index(x, key=key)  # type: ignore[attr-defined]
Value.T = property(lambda x: transpose(x))  # type: ignore[attr-defined]
Value.sum = lambda x, axis=None, keepdims=False: sum(x, axis=axis, keepdims=keepdims)  # type: ignore[attr-defined]
