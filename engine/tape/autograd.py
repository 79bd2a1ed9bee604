"""Derivatives as readings of a tape: reverse mode, forward mode, and one on top of the other.

`grad` runs the function once, writing the tape, then reads it backwards with one vjp rule per
entry; `jvp` reads it forwards with one jvp rule per entry. As the rules are themselves operations,
`hessian` is just forward over reverse.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from engine.tape import Tape, Value, Vector
from engine.tape import operations as ops

Function = Callable[..., Any]


def trace(f: Function, *args: Any) -> tuple[Tape, Any]:
    """Run f on variables holding args; return the tape and f's result (Values where traced).

    A Vector argument becomes a Vector of variables.
    """
    tape = Tape()
    return tape, f(*(_variable(tape, a) for a in args))


def _variable(tape: Tape, x: Any) -> Any:
    if isinstance(x, Vector):
        return type(x)([Value(tape, None, (), (), {}, part) for part in x])
    return Value(tape, None, (), (), {}, x)


def backward(output: Value, seed: Any = None) -> list[Any]:
    """One reverse sweep: the cotangent of every node before `output`, None where none arrives.

    seed is the cotangent of the output; ones where None.
    """
    tape = output.tape
    cotangents: list[Any] = [None] * len(tape.nodes)
    cotangents[output.index] = _ones_like(output.data) if seed is None else seed
    for node in reversed(tape.nodes[: output.index + 1]):
        g = cotangents[node.index]
        if g is None or node.operation is None:
            continue
        for i, rule in enumerate(node.operation.vjps):
            x = node.inputs[i]
            if type(x) is Value and x.tape is tape:
                part = rule(g, node.data, *node.arguments, **node.parameters)
                if part is not None:
                    so_far = cotangents[x.index]
                    cotangents[x.index] = part if so_far is None else ops.add(so_far, part)
    return cotangents


def forward(tape: Tape, tangents: Mapping[int, Any]) -> list[Any]:
    """One forward sweep: the tangent of every node, given those of variables (None means zero)."""
    carried: list[Any] = [None] * len(tape.nodes)
    for node in tape.nodes:
        if node.operation is None:
            carried[node.index] = tangents.get(node.index)
            continue
        total = None
        for jvp_rule, x in zip(node.operation.jvps, node.inputs, strict=False):
            if type(x) is Value and x.tape is tape and carried[x.index] is not None:
                part = jvp_rule(carried[x.index], node.data, *node.arguments, **node.parameters)
                if part is not None:
                    total = part if total is None else ops.add(total, part)
        if total is not None and ops.shape_of(total) != ops.shape_of(node.data):
            total = ops.broadcast_to(total, shape=ops.shape_of(node.data))
        carried[node.index] = total
    return carried


def _plain(x: Any) -> Any:
    """The array under any number of tapes."""
    while type(x) is Value:
        x = x.data
    return x


def _ones_like(x: Any) -> Any:
    """Ones of x's shape, type and device; 1.0 for a number, which every arithmetic knows."""
    x = _plain(x)
    if isinstance(x, (int, float)):
        return 1.0
    return type(x)(1) if isinstance(x, np.generic) else ops.namespace(x).ones_like(x)


def _zeros_like(x: Any) -> Any:
    x = _plain(x)
    if isinstance(x, (int, float)):
        return 0.0
    return type(x)(0) if isinstance(x, np.generic) else ops.namespace(x).zeros_like(x)


def _cotangent(cotangents: list[Any], variable: Any) -> Any:
    """What arrived at a variable or a Vector of them: zeros where nothing did."""
    if isinstance(variable, Vector):
        found = [cotangents[part.index] for part in variable]
        pairs = zip(found, variable, strict=True)
        return type(variable)([_zeros_like(v.data) if g is None else g for g, v in pairs])
    g = cotangents[variable.index]
    return _zeros_like(variable.data) if g is None else g


def value_and_grad(f: Function, argnums: int | Sequence[int] = 0) -> Function:
    """(f(*args), gradient) by one reverse sweep.

    f returns a scalar, or an array of independent cells: then the gradient is each cell's own.
    The gradient has the shape of the argument (a tuple of them where argnums is a sequence).
    """

    def run(*args: Any) -> tuple[Any, Any]:
        wanted = (argnums,) if isinstance(argnums, int) else tuple(argnums)
        tape = Tape()
        inputs = [_variable(tape, a) if i in wanted else a for i, a in enumerate(args)]
        output = f(*inputs)
        if type(output) is not Value or output.tape is not tape:  # f does not depend on them
            gradients = tuple(_nothing_like(args[i]) for i in wanted)
            return output, gradients[0] if isinstance(argnums, int) else gradients
        cotangents = backward(output)
        gradients = tuple(_cotangent(cotangents, inputs[i]) for i in wanted)
        tape.nodes.clear()  # breaks the circle of tape and Values: memory is free at once
        return output.data, gradients[0] if isinstance(argnums, int) else gradients

    return run


def _nothing_like(x: Any) -> Any:
    return type(x)(map(_zeros_like, x)) if isinstance(x, Vector) else _zeros_like(x)


def grad(f: Function, argnums: int | Sequence[int] = 0) -> Function:
    """The gradient of f by reverse mode; see value_and_grad."""
    both = value_and_grad(f, argnums)
    return lambda *args: both(*args)[1]


def jvp(f: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """(f(*primals), the directional derivative along tangents) by one forward sweep.

    f may return one Value, a Vector or a tuple of them; the tangent has the same form.
    """
    tape = Tape()
    inputs = [_variable(tape, p) for p in primals]
    output = f(*inputs)
    seeds: dict[int, Any] = {}
    for variable, tangent in zip(inputs, tangents, strict=True):
        if isinstance(variable, Vector):
            seeds.update({v.index: t for v, t in zip(variable, tangent, strict=True)})
        else:
            seeds[variable.index] = tangent
    carried = forward(tape, seeds)

    tape.nodes.clear()  # as in value_and_grad

    def read(x: Any) -> tuple[Any, Any]:
        if isinstance(x, tuple):
            pairs = [read(part) for part in x]
            kind = type(x) if isinstance(x, Vector) else tuple
            return kind(p[0] for p in pairs), kind(p[1] for p in pairs)
        if type(x) is not Value or x.tape is not tape:
            return x, _zeros_like(x)
        tangent = carried[x.index]
        return x.data, _zeros_like(x.data) if tangent is None else tangent

    return read(output)


def vjp(f: Function, *primals: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """(f(*primals), pull): pull carries a cotangent of the result back to every primal."""
    tape = Tape()
    inputs = [_variable(tape, p) for p in primals]
    output = f(*inputs)
    if type(output) is not Value or output.tape is not tape:  # f does not depend on them
        return output, lambda g: tuple(_nothing_like(p) for p in primals)

    def pull(g: Any) -> tuple[Any, ...]:
        cotangents = backward(output, g)
        return tuple(_cotangent(cotangents, x) for x in inputs)

    return output.data, pull


def hessian(f: Function) -> Function:
    """The matrix of second derivatives of a scalar function of one array, (n, n), or of a Vector,
    a tuple of rows, by forward over reverse: one sweep per input."""

    def run(x: Any) -> Any:
        gradient = grad(f)
        if isinstance(x, Vector):
            return tuple(jvp(gradient, (x,), (_basis_vector(x, i),))[1] for i in range(len(x)))
        x = np.asarray(x, dtype=float) if not hasattr(x, "__array_namespace__") else x
        xp = ops.namespace(x)
        size = x.size
        eye = xp.reshape(xp.eye(size, dtype=x.dtype, device=x.device), (size, *x.shape))
        rows = [xp.reshape(jvp(gradient, (x,), (eye[i, ...],))[1], (size,)) for i in range(size)]
        return xp.stack(rows)

    return run


def _basis_vector(x: Vector, i: int) -> Vector:
    return type(x)(_ones_like(part) if j == i else _zeros_like(part) for j, part in enumerate(x))
