"""The table of operations: what each computes, how it passes derivatives back and forward, and how
it is written in LaTeX and in printed programs. To add an operation, add one entry here.

An elementwise operation is given by its local derivatives, from which both rules follow. The few
that move or combine elements (sum, reshape, matmul, indexing …) state both rules. What can be said
in simpler operations is: it is `lowered`, so that all forms of it agree, on NaN, ±inf and ±0 too.
Everything is written for any array namespace of the array API standard, and plain numbers.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from functools import lru_cache
from numbers import Number
from types import ModuleType
from typing import Any

import numpy as np

from engine.tape import OPERATORS, Operation, typeset

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


def _add(
    name: str,
    evaluate: Callable[..., Any],
    vjps: Sequence[Callable[..., Any]] = (),
    jvps: Sequence[Callable[..., Any]] = (),
    **readings: Any,
) -> Operation:
    operation = Operation(name, evaluate, tuple(vjps), tuple(jvps), **readings)
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


def _local(
    name: str, evaluate: Callable[..., Any], *rules: Callable[..., Any], **readings: Any
) -> Operation:
    """A row that works element by element: rules[i](g, out, *inputs) is g times the derivative by
    input i, which serves both directions."""
    return _add(name, evaluate, rules, rules, elementwise=True, **readings)


def _nothing(*_: Any) -> Any:
    return None


def _same(g: Any, *_: Any) -> Any:
    return g


def _opposite(g: Any, *_: Any) -> Any:
    return -g


def _times(partial: Callable[..., Any]) -> Callable[..., Any]:
    """The rule of a local derivative partial(out, *inputs)."""
    return lambda g, out, *inputs: g * partial(out, *inputs)


def _elementwise(
    name: str, evaluate: Callable[..., Any], *partials: Callable[..., Any], **readings: Any
) -> Operation:
    """A row given by its local derivatives partials[i](out, *inputs)."""
    return _local(name, evaluate, *map(_times, partials), **readings)


def _composed(
    name: str, formula: Callable[..., Any], *rules: Callable[..., Any], **readings: Any
) -> Operation:
    """A row said in simpler operations: formula(k, *inputs), where k has exp, log1p, abs, where and
    equal, be it an array namespace or this table."""

    def evaluate(*inputs: Any) -> Any:
        quick = any(shape_of(x) for x in inputs)
        return formula(namespace(*inputs) if quick else _WORDS, *inputs)

    def lowered(*inputs: Any) -> Any:
        return formula(_WORDS, *inputs)

    return _local(name, readings.pop("quick", evaluate), *rules, lowered=lowered, **readings)


class _WORDS:
    """What a formula calls, as operations of this table."""

    exp = staticmethod(lambda x: exp(x))
    log1p = staticmethod(lambda x: log1p(x))
    abs = staticmethod(lambda x: absolute(x))
    where = staticmethod(lambda condition, x, y: where(condition, x, y))
    equal = staticmethod(lambda x, y: equal(x, y))


def _word(name: str, latex: str) -> dict[str, Any]:
    """A function that every language and library calls by the same name."""
    return {
        "spelled": f"{name}({{0}})",
        "typeset": typeset.call(latex),
        "number": lambda n: n.function(name),
    }


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

add: Operation = _local(
    "add",
    operator.add,
    _same,
    _same,
    spelled="({0} + {1})",
    typeset=typeset.plus,
    number=lambda n: operator.add,
)
subtract: Operation = _local(
    "subtract",
    operator.sub,
    _same,
    _opposite,
    spelled="({0} - {1})",
    typeset=typeset.minus,
    number=lambda n: operator.sub,
)
negative: Operation = _local(
    "negative",
    operator.neg,
    _opposite,
    spelled="(-{0})",
    typeset=typeset.negated,
    number=lambda n: operator.neg,
)
multiply: Operation = _local(
    "multiply",
    operator.mul,
    lambda g, out, x, y: g * y,
    lambda g, out, x, y: g * x,
    spelled="({0} * {1})",
    typeset=typeset.times,
    number=lambda n: operator.mul,
)


def _divide(x: Any, y: Any) -> Any:
    # A Python number divided by zero raises; an array gives inf or nan, which we treat as data.
    if isinstance(y, (int, float)) and y == 0:
        if isinstance(x, (int, float)):
            if x == 0 or x != x:
                return math.nan
            return math.copysign(math.inf, x) * math.copysign(1.0, y)
        return x / namespace(x).asarray(y, dtype=x.dtype)
    return x / y


divide: Operation = _local(
    "divide",
    _divide,
    lambda g, out, x, y: divide(g, y),
    lambda g, out, x, y: negative(divide(multiply(g, out), y)),
    spelled="({0} / {1})",
    typeset=typeset.around(r"\frac{<0>}{<1>}", typeset.PRODUCT),
    number=lambda n: operator.truediv,
)


def _integer_power(x: Any, exponent: int) -> Any:
    """x to a whole power by repeated squaring: the same products in every back-end, so bitwise."""
    if exponent < 0:
        return _divide(1.0, _integer_power(x, -exponent))
    if exponent == 0:  # of infinity and of what is no number too
        return namespace(x).ones_like(x) if shape_of(x) else type(x)(1)
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
        return None
    slope = x if exponent == 2 else integer_power(x, exponent=exponent - 1)
    return g if exponent == 1 else multiply(g, multiply(float(exponent), slope))


# Printed programs write out its products.
integer_power: Operation = _local(
    "integer_power",
    _integer_power,
    _integer_power_slope,
    typeset=typeset.raised,
    number=lambda n: lambda x, exponent: x**exponent,
)


def _power(x: Any, y: Any) -> Any:
    if isinstance(x, (int, float)) and isinstance(y, (int, float)):
        return float(np.float64(x) ** np.float64(y))
    if type(x) is np.ndarray and not shape_of(y):
        # NumPy takes a root for the power of one half, which is another thing at -inf and -0.
        y = np.full_like(x, y)
    return x**y


def _power_by_base(out: Any, x: Any, y: Any) -> Any:
    """y x**(y − 1); 0 where y is 0, for x**0 is 1 everywhere, at 0 as well."""
    slope = power(x, y - 1.0)
    # A power that has vanished outweighs an exponent however large.
    return where(either(equal(y, 0.0), equal(slope, 0.0)), 0.0, y * slope)


def _power_by_exponent(out: Any, x: Any, y: Any) -> Any:
    """x**y log x; 0 where x**y is constant in y at x = 0, and below, where it has no slope."""
    at_zero = where(less(y, 0.0), negative(absolute(out)), 0.0)
    # However large x is, a power that has vanished fell faster than its logarithm grows.
    above = where(equal(out, 0.0), 0.0, multiply(out, log(x)))
    return where(greater(x, 0.0), above, where(equal(x, 0.0), at_zero, 0.0))


power: Operation = _elementwise(
    "power",
    _power,
    _power_by_base,
    _power_by_exponent,
    spelled="power({0}, {1})",
    typeset=typeset.raised,
    number=lambda n: operator.pow,
)


def raise_to(x: Any, y: Any) -> Any:
    """x ** y; a whole constant exponent up to 64 becomes products, which are exact and quick.

    A number that stands for what is known later, as in a recorded step, is not looked at."""
    known = isinstance(y, (Number, np.ndarray)) and not shape_of(y)
    if known and float(y).is_integer():
        if abs(y) <= 64:
            return integer_power(x, exponent=int(y))
        y = float(y)
    return power(x, y)


# Elementary functions: a slope of +inf at -0 too, which the sum with 0 turns into 0 ---------------

exp: Operation = _elementwise("exp", _function("exp"), lambda out, x: out, **_word("exp", r"\exp"))
log: Operation = _elementwise(
    "log", _function("log"), lambda out, x: divide(1.0, x + 0.0), **_word("log", r"\ln")
)
log1p: Operation = _elementwise(
    "log1p",
    _function("log1p"),
    lambda out, x: divide(1.0, 1.0 + x),
    spelled="log1p({0})",
    typeset=typeset.call(r"\operatorname{log1p}"),
    number=lambda n: n.log1p,
)
sqrt: Operation = _elementwise(
    "sqrt",
    _function("sqrt"),
    lambda out, x: divide(0.5, out + 0.0),
    **{**_word("sqrt", ""), "typeset": typeset.around(r"\sqrt{<0>}")},
)
sin: Operation = _elementwise(
    "sin", _function("sin"), lambda out, x: cos(x), **_word("sin", r"\sin")
)
cos: Operation = _elementwise(
    "cos", _function("cos"), lambda out, x: -sin(x), **_word("cos", r"\cos")
)
tan: Operation = _elementwise(
    "tan", _function("tan"), lambda out, x: 1.0 + out * out, **_word("tan", r"\tan")
)
tanh: Operation = _elementwise(
    "tanh", _function("tanh"), lambda out, x: tanh_slope(x), **_word("tanh", r"\tanh")
)


def _tanh_slope(k: Any, x: Any) -> Any:
    """sech² from the exponential that cannot overflow: 1 − tanh² has lost its digits by x = 18."""
    z = k.exp(-2.0 * k.abs(x))
    return (4.0 * z / (1.0 + z)) / (1.0 + z)


def _analytic(f: Callable[..., Any]) -> dict[str, Any]:
    """The reading on numbers of other kinds of what is lowered by |x|, which is smooth at 0 all the
    same: f(n, z, above, x, …) with z = e^−|x| as one smooth function on each side."""

    def on(n: Any) -> Callable[..., Any]:
        def evaluate(x: Any, *others: Any) -> Any:
            above = n.real(x) >= 0
            return f(n, n.function("exp")(-x if above else x), above, x, *others)

        return evaluate

    return {"number": on}


tanh_slope: Operation = _composed(
    "tanh_slope",
    _tanh_slope,
    _times(lambda out, x: multiply(out, multiply(-2.0, tanh(x)))),
    **_analytic(lambda n, z, above, x: (2 * z / (1 + z * z)) ** 2),
    typeset=typeset.call(r"\operatorname{sech}^{2}"),
)


def _sigmoid(k: Any, x: Any) -> Any:
    """1 / (1 + e^-x) from the exponential that cannot overflow."""
    z = k.exp(-k.abs(x))
    return k.where(x >= 0.0, 1.0, z) / (1.0 + z)


def _sigmoid_slope(k: Any, x: Any) -> Any:
    """σ(x) σ(−x), which is as good on the right, where 1 − σ has no digits left, as on the left."""
    z = k.exp(-k.abs(x))
    return (z / (1.0 + z)) / (1.0 + z)


def _softplus(k: Any, x: Any) -> Any:
    """log(1 + e^x) as max(x, 0) + log1p(e^-|x|), which cannot overflow."""
    return k.where(x <= 0.0, 0.0, x) + k.log1p(k.exp(-k.abs(x)))


sigmoid: Operation = _composed(
    "sigmoid",
    _sigmoid,
    _times(lambda out, x: sigmoid_slope(x)),
    **_analytic(lambda n, z, above, x: (1 if above else z) / (1 + z)),
    typeset=typeset.call(r"\sigma"),
)
sigmoid_slope: Operation = _composed(
    "sigmoid_slope",
    _sigmoid_slope,
    # σ(−x) − σ(x) without its cancellation around 0.
    _times(lambda out, x: negative(multiply(out, tanh(multiply(0.5, x))))),
    **_analytic(lambda n, z, above, x: z / (1 + z) ** 2),
    typeset=typeset.call(r"\sigma'"),
)
softplus: Operation = _composed(
    "softplus",
    _softplus,
    _times(lambda out, x: sigmoid(x)),
    **_analytic(lambda n, z, above, x: (x if above else 0) + n.log1p(z)),
    typeset=typeset.call(r"\operatorname{softplus}"),
)


# Comparisons and choice ---------------------------------------------------------------------------


def _comparison(name: str, compare: Callable[[Any, Any], Any], sign: str, latex: str) -> Operation:
    return _add(
        name,
        compare,
        spelled=f"({{0}} {sign} {{1}})",
        typeset=typeset.relation(latex),
        number=lambda n: lambda x, y: compare(n.real(x), n.real(y)),
    )


less: Operation = _comparison("less", operator.lt, "<", "<")
less_equal: Operation = _comparison("less_equal", operator.le, "<=", r"\le")
greater: Operation = _comparison("greater", operator.gt, ">", ">")
greater_equal: Operation = _comparison("greater_equal", operator.ge, ">=", r"\ge")
equal: Operation = _comparison("equal", operator.eq, "==", "=")


def _where(condition: Any, x: Any, y: Any) -> Any:
    xp = namespace(condition, x, y)
    if isinstance(condition, (bool, np.bool_)):
        if shape_of(x) == shape_of(y):
            chosen, other = (x, y) if condition else (y, x)
            # A bare number takes on the precision of the one beside it, as it does in an array.
            bare = isinstance(other, np.floating) and type(chosen) in (int, float)
            return type(other)(chosen) if bare else chosen
        # What is chosen takes on the shape of both.
        condition = xp.asarray(bool(condition), device=(x if shape_of(x) else y).device)
    return xp.where(condition, x, y)


# Nothing comes out of the branch that is not taken, whatever its own slope is: see the gates.
where: Operation = _local(
    "where",
    _where,
    _nothing,
    _same,
    _same,
    gates=(
        None,
        lambda condition, x, y: (condition, True),
        lambda condition, x, y: (condition, False),
    ),
    spelled="where({0}, {1}, {2})",
    typeset=typeset.around(r"\begin{cases}<1> & <0>\\<2> & \text{else}\end{cases}"),
    number=lambda n: lambda condition, x, y: x if condition else y,
)


def both(a: Any, b: Any) -> Any:
    """Whether two conditions hold."""
    return where(a, b, False)


def either(a: Any, b: Any) -> Any:
    """Whether one of two conditions holds."""
    return where(a, True, b)


# Kinks: the derivative at a kink is the one PyTorch takes (0 for relu and abs, ½ at ties) ---------
# Every gate lets through what is no number, so that a run that broke is seen to have broken.


def _sign(k: Any, x: Any) -> Any:
    return k.where(x > 0.0, 1.0, k.where(x < 0.0, -1.0, x - x))  # 0, or NaN


def _relu(k: Any, x: Any) -> Any:
    return k.where(x <= 0.0, 0.0, x)


def _quick_relu(x: Any) -> Any:
    # NumPy's maximum may give either zero; the sum settles on the positive one.
    if type(x) is np.ndarray:
        return np.maximum(x, 0.0) + 0.0
    return _relu(namespace(x) if shape_of(x) else _WORDS, x)


def _maximum(k: Any, x: Any, y: Any) -> Any:
    # Not-a-number wins, as it does in NumPy: a run that broke must be seen to have broken.
    return k.where(k.equal(x, x), k.where(x >= y, x, y), x)


def _minimum(k: Any, x: Any, y: Any) -> Any:
    return k.where(k.equal(x, x), k.where(x <= y, x, y), x)


def _clip(k: Any, x: Any, low: Any, high: Any) -> Any:
    """min(max(x, low), high): where low > high, high wins."""
    return _minimum(k, _maximum(k, x, low), high)


def _halved(g: Any, _: Any, x: Any, y: Any) -> Any:
    return where(equal(x, y), multiply(0.5, g), g)


def _number_sign(n: Any) -> Callable[[Any], Any]:
    return lambda x: float((n.real(x) > 0) - (n.real(x) < 0))


def _number_choice(n: Any, first: Callable[[Any, Any], bool]) -> Callable[[Any, Any], Any]:
    """The first of two numbers by their real parts; at a tie both count by half."""

    def choose(x: Any, y: Any) -> Any:
        a, b = n.real(x), n.real(y)
        return (x + y) / 2 if a == b else x if first(a, b) else y

    return choose


sign: Operation = _composed(
    "sign",
    _sign,
    typeset=typeset.call(r"\operatorname{sign}"),
    number=_number_sign,
)
absolute: Operation = _elementwise(
    "absolute",
    _function("abs"),
    lambda out, x: sign(x),
    spelled="absolute({0})",
    typeset=typeset.around(r"\left|<0>\right|"),
    number=lambda n: lambda x: _number_sign(n)(x) * x,
)
relu: Operation = _composed(
    "relu",
    _relu,
    _same,
    quick=_quick_relu,
    gates=(lambda x: (less_equal(x, 0.0), False),),
    typeset=typeset.call(r"\operatorname{relu}"),
    number=lambda n: lambda x: x if n.real(x) > 0 else 0 * x,
)
maximum: Operation = _composed(
    "maximum",
    _maximum,
    _halved,
    _halved,
    gates=(
        lambda x, y: (less(x, y), False),
        lambda x, y: (greater(x, y), False),
    ),
    typeset=typeset.call(r"\max"),
    number=lambda n: _number_choice(n, operator.gt),
)
minimum: Operation = _composed(
    "minimum",
    _minimum,
    _halved,
    _halved,
    gates=(
        lambda x, y: (greater(x, y), False),
        lambda x, y: (less(x, y), False),
    ),
    typeset=typeset.call(r"\min"),
    number=lambda n: _number_choice(n, operator.lt),
)
clip: Operation = _composed(
    "clip",
    _clip,
    _same,
    _same,
    _same,
    # The slope goes to whichever the value is; at a bound that x just reaches, to x.
    gates=(
        lambda x, low, high: (either(less(x, low), greater(x, high)), False),
        lambda x, low, high: (both(less(x, low), less_equal(low, high)), True),
        lambda x, low, high: (greater(maximum(x, low), high), True),
    ),
    typeset=typeset.call(r"\operatorname{clip}"),
    number=lambda n: (
        lambda x, low, high: (
            high
            if n.real(x) > n.real(high) or n.real(low) > n.real(high)
            else low
            if n.real(x) < n.real(low)
            else x
        )
    ),
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


sum: Operation = _add(  # noqa: A001  # the name of the field
    "sum", _sum, [_sum_vjp], [_linear_jvp(lambda: sum)], typeset=typeset.unchanged
)
broadcast_to: Operation = _add(
    "broadcast_to",
    _broadcast_to,
    [lambda g, out, x, shape: unbroadcast(g, x)],
    [_linear_jvp(lambda: broadcast_to)],
    typeset=typeset.unchanged,
)
reshape: Operation = _add(
    "reshape",
    _reshape,
    [lambda g, out, x, shape: reshape(g, shape=shape_of(x))],
    [_linear_jvp(lambda: reshape)],
    typeset=typeset.unchanged,
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


mean: Operation = _add(
    "mean", _mean, [_mean_vjp], [_linear_jvp(lambda: mean)], typeset=typeset.unchanged
)


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
    top = xp.where(xp.isfinite(top), top, xp.zeros_like(top))
    out = xp.log(xp.sum(xp.exp(x - top), axis=axis, keepdims=True)) + top
    return out if keepdims else xp.squeeze(out, axis=axis)


def _logsumexp_vjp(g: Any, out: Any, x: Any, axis: Any = -1, keepdims: bool = False) -> Any:
    if not keepdims:
        shape = list(shape_of(x))
        shape[axis] = 1
        g = reshape(g, shape=tuple(shape))
    return multiply(g, softmax(x, axis=axis))


def _logsumexp_jvp(t: Any, out: Any, x: Any, axis: Any = -1, keepdims: bool = False) -> Any:
    return sum(multiply(t, softmax(x, axis=axis)), axis=axis, keepdims=keepdims)


logsumexp: Operation = _add("logsumexp", _logsumexp, [_logsumexp_vjp], [_logsumexp_jvp])


# Softmax and its loss are operations of their own: the largest logit is taken out before anything
# is rounded, so that logits of ±1e4 keep full precision in value and gradient, in float32 too.


def _below_largest(x: Any, axis: int) -> Any:
    """x less its largest element along axis; an infinite one is level with itself, but for −inf."""
    xp = namespace(x)
    top = xp.max(x, axis=axis, keepdims=True)
    level = xp.where(top == -math.inf, top - top, xp.zeros_like(top))
    return xp.where(x == top, level, x - top)


def _softmax(x: Any, axis: int = -1) -> Any:
    """e^x / Σ e^x along axis; a class at −inf is masked, NaN where all are."""
    xp = namespace(x)
    z = xp.exp(_below_largest(x, axis))
    return z / xp.sum(z, axis=axis, keepdims=True)


def _softmax_rule(g: Any, out: Any, x: Any, axis: int = -1) -> Any:
    """out · (g − Σ g·out): the Jacobian is symmetric, so it serves both directions."""
    return multiply(out, subtract(g, sum(multiply(g, out), axis=axis, keepdims=True)))


softmax: Operation = _add("softmax", _softmax, [_softmax_rule], [_softmax_rule])


def _log_softmax(x: Any, axis: int = -1) -> Any:
    """log of softmax, finite wherever x is."""
    xp = namespace(x)
    shifted = _below_largest(x, axis)
    return shifted - xp.log(xp.sum(xp.exp(shifted), axis=axis, keepdims=True))


def _log_softmax_vjp(g: Any, out: Any, x: Any, axis: int = -1) -> Any:
    total = sum(g, axis=axis, keepdims=True)
    return subtract(g, multiply(softmax(x, axis=axis), total))


def _log_softmax_jvp(t: Any, out: Any, x: Any, axis: int = -1) -> Any:
    return subtract(t, sum(multiply(softmax(x, axis=axis), t), axis=axis, keepdims=True))


log_softmax: Operation = _add("log_softmax", _log_softmax, [_log_softmax_vjp], [_log_softmax_jvp])


def _softmax_cross_entropy(logits: Any, target: Any) -> Any:
    """−Σ target · log softmax(logits) over the last axis; 0 · ∞ is 0, for a class left out."""
    xp = namespace(logits)
    surprise = -_log_softmax(logits)
    return xp.sum(target * xp.where(target == 0.0, xp.zeros_like(surprise), surprise), axis=-1)


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


def _logit_cross_entropy(k: Any, logit: Any, target: Any) -> Any:
    """−y log σ(z) − (1 − y) log σ(−z) as (1 − y) max(z, 0) + y max(−z, 0) + log(1 + e^−|z|).

    A certain answer costs nothing where it is right, at an infinite logit too.
    """
    against = k.where(logit >= 0.0, 1.0 - target, target)
    size = k.abs(logit)
    return k.where(k.equal(against, 0.0), 0.0, against * size) + k.log1p(k.exp(-size))


def _logit_error(k: Any, logit: Any, target: Any) -> Any:
    """σ(z) − y from q = σ(−|z|), so that it keeps its digits where σ is saturated."""
    e = k.exp(-k.abs(logit))
    q = e / (1.0 + e)
    return k.where(logit >= 0.0, (1.0 - target) - q, q - target)


logit_cross_entropy: Operation = _composed(
    "logit_cross_entropy",
    _logit_cross_entropy,
    lambda g, out, z, y: g * logit_error(z, y),
    lambda g, out, z, y: -(g * z),
    **_analytic(lambda n, e, above, z, y: ((1 - y) * z if above else -y * z) + n.log1p(e)),
)
logit_error: Operation = _composed(
    "logit_error",
    _logit_error,
    lambda g, out, z, y: g * sigmoid_slope(z),
    _opposite,
    **_analytic(lambda n, e, above, z, y: 1 - y - e / (1 + e) if above else e / (1 + e) - y),
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
