"""The table of operations: what each computes, and how it passes derivatives back and forward.

An elementwise operation is given by its local derivatives, from which both rules follow. The few
that move or combine elements (sum, reshape, matmul, indexing …) state both rules. Everything is
written for any array namespace of the array API standard, and plain numbers.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from functools import lru_cache
from types import ModuleType
from typing import Any

import numpy as np

from engine.tape import OPERATORS, Operation, Value, Vector

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
    target = getattr(like, "shape", ())
    have = getattr(g, "shape", ())
    if have == target:
        return g
    extra = len(have) - len(target)
    if extra < 0 or math.prod(have) < math.prod(target):
        return broadcast_to(g, shape=target)
    axes = tuple(range(extra))
    if have[extra:] != target:
        stretched = (i for i, n in enumerate(target) if n == 1 and have[i + extra] != 1)
        axes += tuple(i + extra for i in stretched)
    g = sum(g, axis=axes)
    return reshape(g, shape=target) if getattr(g, "shape", ()) != target else g


def _local(name: str, evaluate: Callable[..., Any], *rules: Callable[..., Any] | None) -> Operation:
    """A row that works element by element: rules[i](g, out, *inputs) is g times the derivative by
    input i, which serves both directions; None where there is no derivative."""

    def both(i: int) -> tuple[Callable[..., Any], Callable[..., Any]]:
        rule = rules[i]
        if rule is None:
            return _nothing, _nothing
        if rule is _same:
            return lambda g, out, *inputs: unbroadcast(g, inputs[i]), rule
        if len(rules) == 1:  # nothing to be broadcast against
            return rule, rule

        def vjp(g: Any, out: Any, *inputs: Any) -> Any:
            return unbroadcast(rule(g, out, *inputs), inputs[i])

        return vjp, rule

    pairs = [both(i) for i in range(len(rules))]
    return _add(name, evaluate, [pair[0] for pair in pairs], [pair[1] for pair in pairs])


def _nothing(*_: Any) -> Any:
    return None


def _same(g: Any, *_: Any) -> Any:
    return g


def _opposite(g: Any, *_: Any) -> Any:
    return -g


def _elementwise(name: str, evaluate: Callable[..., Any], *partials: Any) -> Operation:
    """A row given by its local derivatives partials[i](out, *inputs)."""

    def times(partial: Callable[..., Any]) -> Callable[..., Any]:
        return lambda g, out, *inputs: g * partial(out, *inputs)

    return _local(name, evaluate, *(times(partial) for partial in partials))


def _function(name: str) -> Callable[[Any], Any]:
    """The namespace's own function of that name, with NumPy's looked up once."""
    ours = getattr(np, name)

    def evaluate(x: Any) -> Any:
        if type(x) is np.ndarray:
            return ours(x)
        if type(x) is float:  # stays one, lest a float64 scalar turn float32 arrays into float64
            return float(ours(x))
        return getattr(namespace(x), name)(x)

    return evaluate


# Arithmetic ---------------------------------------------------------------------------------------

add: Operation = _local("add", operator.add, _same, _same)
subtract: Operation = _local("subtract", operator.sub, _same, _opposite)
negative: Operation = _local("negative", operator.neg, _opposite)
multiply: Operation = _local(
    "multiply",
    operator.mul,
    lambda g, out, x, y: g * y,
    lambda g, out, x, y: g * x,
)


def _divide(x: Any, y: Any) -> Any:
    # A Python number divided by zero raises; an array gives inf or nan, which we treat as data.
    if isinstance(y, (int, float)) and y == 0:
        return np.divide(x, y) if namespace(x) is np else x * math.inf
    return x / y


divide: Operation = _local(
    "divide",
    _divide,
    lambda g, out, x, y: divide(g, y),
    lambda g, out, x, y: negative(divide(multiply(g, out), y)),
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


integer_power: Operation = _add(
    "integer_power", _integer_power, [_integer_power_slope], [_integer_power_slope]
)


def _power(x: Any, y: Any) -> Any:
    if isinstance(x, (int, float)) and isinstance(y, (int, float)):
        return float(np.float64(x) ** np.float64(y))
    return x**y


power: Operation = _elementwise(
    "power",
    _power,
    lambda out, x, y: y * power(x, y - 1.0),
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

exp: Operation = _elementwise("exp", _function("exp"), lambda out, x: out)
log: Operation = _elementwise("log", _function("log"), lambda out, x: divide(1.0, x))
log1p: Operation = _elementwise("log1p", _function("log1p"), lambda out, x: divide(1.0, 1.0 + x))
sqrt: Operation = _elementwise("sqrt", _function("sqrt"), lambda out, x: divide(0.5, out))
sin: Operation = _elementwise("sin", _function("sin"), lambda out, x: cos(x))
cos: Operation = _elementwise("cos", _function("cos"), lambda out, x: -sin(x))
tan: Operation = _elementwise("tan", _function("tan"), lambda out, x: 1.0 + out * out)
tanh: Operation = _local("tanh", _function("tanh"), lambda g, out, x: g * (1.0 - out * out))


def _sigmoid(x: Any) -> Any:
    """1 / (1 + e^-x) from the exponential that cannot overflow."""
    xp = namespace(x)
    z = xp.exp(-xp.abs(x))
    return xp.where(x >= 0, 1.0 / (1.0 + z), z / (1.0 + z))


def _softplus(x: Any) -> Any:
    """log(1 + e^x) as max(x, 0) + log1p(e^-|x|), which cannot overflow."""
    xp = namespace(x)
    return xp.where(x >= 0, x, x * 0.0) + xp.log1p(xp.exp(-xp.abs(x)))


sigmoid: Operation = _elementwise("sigmoid", _sigmoid, lambda out, x: out * (1.0 - out))
softplus: Operation = _elementwise("softplus", _softplus, lambda out, x: sigmoid(x))


# Kinks: the derivative at a kink is the one PyTorch takes (0 for relu and abs, ½ at ties) ---------

sign: Operation = _add("sign", _function("sign"))
absolute: Operation = _elementwise("absolute", _function("abs"), lambda out, x: sign(x))


def _relu(x: Any) -> Any:
    return np.maximum(x, 0.0) if namespace(x) is np else namespace(x).where(x <= 0, x * 0.0, x)


relu: Operation = _local("relu", _relu, lambda g, out, x: where(greater(x, 0.0), g, 0.0))


def _binary(name: str) -> Callable[[Any, Any], Any]:
    def evaluate(x: Any, y: Any) -> Any:
        return getattr(namespace(x, y), name)(x, y)

    return evaluate


def _share(g: Any, wins: Any, x: Any, y: Any) -> Any:
    return where(wins, g, where(equal(x, y), multiply(0.5, g), 0.0))


maximum: Operation = _local(
    "maximum",
    _binary("maximum"),
    lambda g, _, x, y: _share(g, greater(x, y), x, y),
    lambda g, _, x, y: _share(g, less(x, y), x, y),
)
minimum: Operation = _local(
    "minimum",
    _binary("minimum"),
    lambda g, _, x, y: _share(g, less(x, y), x, y),
    lambda g, _, x, y: _share(g, greater(x, y), x, y),
)


def _clip(x: Any, low: Any, high: Any) -> Any:
    xp = namespace(x, low, high)
    return xp.minimum(xp.maximum(x, low), high)


clip: Operation = _local(
    "clip",
    _clip,
    lambda g, _, x, low, high: where(less(x, low), 0.0, where(greater(x, high), 0.0, g)),
    lambda g, _, x, low, high: where(less(x, low), g, 0.0),
    lambda g, _, x, low, high: where(greater(x, high), g, 0.0),
)


# Comparisons and choice ---------------------------------------------------------------------------

less: Operation = _add("less", operator.lt)
less_equal: Operation = _add("less_equal", operator.le)
greater: Operation = _add("greater", operator.gt)
greater_equal: Operation = _add("greater_equal", operator.ge)
equal: Operation = _add("equal", operator.eq)


def _where(condition: Any, x: Any, y: Any) -> Any:
    if isinstance(condition, (bool, np.bool_)):
        return x if condition else y
    return namespace(condition, x, y).where(condition, x, y)


where: Operation = _local(
    "where",
    _where,
    None,
    lambda g, out, condition, x, y: where(condition, g, 0.0),
    lambda g, out, condition, x, y: where(condition, 0.0, g),
)


# Shape and reduction ------------------------------------------------------------------------------


def _sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    if type(x) is np.ndarray:
        return x.sum(axis, keepdims=keepdims)
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
    if type(x) is np.ndarray:
        return x.reshape(shape)
    xp = namespace(x)
    return xp.reshape(xp.asarray(x), shape)


def _broadcast_to(x: Any, shape: tuple[int, ...]) -> Any:
    xp = namespace(x)
    if xp is np and not shape_of(x):  # the commonest case; a view would be ten times slower
        out = np.empty(shape, getattr(x, "dtype", float))
        out.fill(x)
        return out
    return xp.broadcast_to(xp.asarray(x), shape)


def _transpose(x: Any, axes: tuple[int, ...] | None = None) -> Any:
    if type(x) is np.ndarray:
        return x.transpose(axes)
    order = axes if axes is not None else tuple(reversed(range(len(x.shape))))
    return namespace(x).permute_dims(x, order)


def _transpose_vjp(g: Any, out: Any, x: Any, axes: tuple[int, ...] | None = None) -> Any:
    order = axes if axes is not None else tuple(reversed(range(len(shape_of(x)))))
    inverse = tuple(order.index(i) for i in range(len(order)))
    return transpose(g, axes=inverse)


sum: Operation = _add("sum", _sum, [_sum_vjp], [_linear_jvp(lambda: sum)])  # noqa: A001  # the name of the field
broadcast_to: Operation = _add(
    "broadcast_to",
    _broadcast_to,
    [lambda g, out, x, shape: unbroadcast(g, x)],
    [_linear_jvp(lambda: broadcast_to)],
)
reshape: Operation = _add(
    "reshape",
    _reshape,
    [lambda g, out, x, shape: reshape(g, shape=shape_of(x))],
    [_linear_jvp(lambda: reshape)],
)
transpose: Operation = _add(
    "transpose", _transpose, [_transpose_vjp], [_linear_jvp(lambda: transpose)]
)


def _count(x: Any, axis: Any) -> int:
    """How many elements a reduction over axis takes together."""
    shape = shape_of(x)
    if axis is None:
        return math.prod(shape)
    return math.prod(shape[a] for a in ((axis,) if isinstance(axis, int) else axis))


def _mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return _sum(x, axis, keepdims) / _count(x, axis)


def _mean_vjp(g: Any, out: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return _sum_vjp(g * (1.0 / _count(x, axis)), out, x, axis, keepdims)


mean: Operation = _add("mean", _mean, [_mean_vjp], [_linear_jvp(lambda: mean)])


def _swap(x: Any) -> Any:
    n = len(shape_of(x))
    return transpose(x, axes=(*range(n - 2), n - 1, n - 2))


def _as_matrices(g: Any, x: Any, y: Any) -> tuple[Any, Any, Any]:
    """Cotangent and factors of x @ y with a vector on either side written as a matrix."""
    if len(shape_of(x)) == 1:
        x = reshape(x, shape=(1, *shape_of(x)))
        g = reshape(g, shape=(*shape_of(g)[:-1], 1, *shape_of(g)[-1:]))
    if len(shape_of(y)) == 1:
        y = reshape(y, shape=(*shape_of(y), 1))
        g = reshape(g, shape=(*shape_of(g), 1))
    return g, x, y


def _matmul_vjp_left(g: Any, out: Any, x: Any, y: Any) -> Any:
    if x.ndim == y.ndim == 2:
        return g @ y.T
    g, left, right = _as_matrices(g, x, y)
    part = unbroadcast(matmul(g, _swap(right)), left)
    return part if left is x else reshape(part, shape=shape_of(x))


def _matmul_vjp_right(g: Any, out: Any, x: Any, y: Any) -> Any:
    if x.ndim == y.ndim == 2:
        return x.T @ g
    g, left, right = _as_matrices(g, x, y)
    part = unbroadcast(matmul(_swap(left), g), right)
    return part if right is y else reshape(part, shape=shape_of(y))


matmul: Operation = _add(
    "matmul",
    operator.matmul,
    [_matmul_vjp_left, _matmul_vjp_right],
    [lambda t, out, x, y: matmul(t, y), lambda t, out, x, y: matmul(x, t)],
)


# One layer of a network, x W + b: a row of its own, as it is what networks spend their time on.


@lru_cache(maxsize=16)
def _ones(size: int, dtype: Any) -> Any:
    return np.ones(size, dtype)


def _bias_vjp(g: Any, out: Any, x: Any, w: Any, b: Any) -> Any:
    if type(g) is np.ndarray and g.ndim == 2 and len(shape_of(b)) == 1:
        return _ones(len(g), g.dtype) @ g  # sums the first axis faster than a reduction does
    return unbroadcast(g, b)


affine: Operation = _add(
    "affine",
    lambda x, w, b: x @ w + b,
    [
        lambda g, out, x, w, b: _matmul_vjp_left(g, out, x, w),
        lambda g, out, x, w, b: _matmul_vjp_right(g, out, x, w),
        _bias_vjp,
    ],
    [
        lambda t, out, x, w, b: matmul(t, w),
        lambda t, out, x, w, b: matmul(x, t),
        _same,
    ],
)


def _scatter(g: Any, shape: tuple[int, ...], key: Any) -> Any:
    """Zeros of that shape with g added at key: what indexing looks like backwards."""
    xp = namespace(g)
    g = xp.asarray(g)
    zeros = xp.zeros(shape, dtype=g.dtype, device=g.device)
    if xp is np:
        np.add.at(zeros, key, g)  # an index may occur twice
    else:
        zeros[key] = g
    return zeros


index: Operation = _add(
    "index",
    lambda x, key: x[key],
    [lambda g, out, x, key: scatter(g, shape=shape_of(x), key=key)],
    [_linear_jvp(lambda: index)],
)
scatter: Operation = _add(
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


logsumexp: Operation = _add("logsumexp", _logsumexp, [_logsumexp_vjp], [_logsumexp_jvp])


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


softmax: Operation = _add("softmax", _softmax, [_softmax_rule], [_softmax_rule])


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


log_softmax: Operation = _add("log_softmax", _log_softmax, [_log_softmax_vjp], [_log_softmax_jvp])


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


softmax_cross_entropy: Operation = _add(
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


def _logit_cross_entropy(logit: Any, target: Any) -> Any:
    """−y log σ(z) − (1 − y) log σ(−z) as max(z, 0) − yz + log(1 + e^−|z|)."""
    xp = namespace(logit)
    rest = xp.log1p(xp.exp(xp.copysign(logit, -1.0)))
    return _relu(logit) - target * logit + rest


def _logit_error(logit: Any, target: Any) -> Any:
    """σ(z) − y from q = σ(−|z|), so that it keeps its digits where σ is saturated."""
    xp = namespace(logit)
    e = xp.exp(xp.copysign(logit, -1.0))
    q = e / (1.0 + e)
    return xp.where(logit >= 0, (1.0 - target) - q, q - target)


logit_cross_entropy: Operation = _local(
    "logit_cross_entropy",
    _logit_cross_entropy,
    lambda g, out, z, y: g * logit_error(z, y),
    lambda g, out, z, y: -(g * z),
)
logit_error: Operation = _local(
    "logit_error",
    _logit_error,
    lambda g, out, z, y: g * (sigmoid(z) * sigmoid(-z)),
    _opposite,
)


# Operators ----------------------------------------------------------------------------------------

OPERATORS.update(
    {
        "+": add,
        "-": subtract,
        "*": multiply,
        "/": divide,
        "@": matmul,
        "**": raise_to,
        "<": less,
        "<=": less_equal,
        ">": greater,
        ">=": greater_equal,
        "negative": negative,
        "absolute": absolute,
        "transpose": transpose,
        "index": index,
        "sum": sum,
    }
)
