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

    >>> tape, value = trace(lambda x, y: x * y + ops.sin(x), 2.0, 3.0)
    >>> len(tape.nodes), round(float(value.data), 4)
    (5, 6.9093)
    """
    tape = Tape()
    return tape, f(*(_variable(tape, a) for a in args))


def _variable(tape: Tape, x: Any) -> Any:
    if isinstance(x, Vector):
        return type(x)([Value(tape, None, (), (), {}, _real(part)) for part in x])
    return Value(tape, None, (), (), {}, _real(x))


def _real(x: Any) -> Any:
    """x as what derivatives are taken of: whole numbers, whose arithmetic wraps around, and lists
    become float64. TypeError for complex numbers, whose derivatives are others."""
    if type(x) is np.ndarray and x.dtype.kind == "f":  # the commonest case
        return x
    if type(x) is float or isinstance(x, (Value, np.floating)):
        return x
    if isinstance(x, int):
        return float(x)
    if isinstance(x, list):
        x = np.asarray(x)
    if not hasattr(x, "dtype"):
        return x
    xp = ops.namespace(x)
    if xp.isdtype(x.dtype, "real floating"):
        return x
    if xp.isdtype(x.dtype, "complex floating"):
        raise TypeError(f"derivatives are taken of real numbers, not of {x.dtype}")
    return np.float64(x) if isinstance(x, np.generic) else xp.astype(x, xp.float64)


# Where a cotangent counts: conditions, each with the truth value at which it does, outermost first.
# On its way down a branch it is multiplied by slopes that may be infinite or NaN where the branch
# was not taken, and 0 · inf would be NaN. So it is noted where it counts, and what does not is
# dropped when cotangents meet or are read.
Mask = tuple[tuple[Any, bool], ...]


def _masked(g: Any, mask: Mask) -> Any:
    """g where it counts, 0 elsewhere."""
    for condition, truth in reversed(mask):
        g = ops.where(condition, g, 0.0) if truth else ops.where(condition, 0.0, g)
    return g


def _meet(a: Any, mask_a: Mask, b: Any, mask_b: Mask) -> tuple[Any, Mask]:
    """The sum of two cotangents, and where it counts."""
    shared = 0
    for one, other in zip(mask_a, mask_b, strict=False):
        if one[0] is not other[0] or one[1] is not other[1]:
            break
        shared += 1
    common, own_a, own_b = mask_a[:shared], mask_a[shared:], mask_b[shared:]
    total = _sum(a, own_a, b, own_b)
    if own_a and own_b and not _opposed(own_a, own_b):
        common = (*common, (ops.either(_holds(own_a), _holds(own_b)), True))
    return total, common


def _sum(a: Any, mask_a: Mask, b: Any, mask_b: Mask) -> Any:
    """Two numbers where they count: one or the other of them if each is a branch of one choice."""
    if _opposed(mask_a, mask_b):
        condition, truth = mask_a[0]
        return ops.where(condition, a, b) if truth else ops.where(condition, b, a)
    return ops.add(_masked(a, mask_a), _masked(b, mask_b))


def _opposed(a: Mask, b: Mask) -> bool:
    """Whether the one counts exactly where the other does not."""
    return len(a) == len(b) == 1 and a[0][0] is b[0][0] and a[0][1] is not b[0][1]


def _holds(mask: Mask) -> Any:
    """The one condition that a mask amounts to."""
    each = [condition if truth else ops.equal(condition, False) for condition, truth in mask]
    found = each[0]
    for condition in each[1:]:
        found = ops.both(found, condition)
    return found


def _of_elements(mask: Mask) -> bool:
    """Whether it holds for some elements and not for others."""
    return any(ops.shape_of(condition) for condition, _ in mask)


def _gate(node: Value, i: int) -> Mask:
    """Where a node that chooses lets input i through."""
    assert node.operation is not None
    gate = node.operation.gates[i] if node.operation.gates else None
    return () if gate is None else (gate(*node.arguments),)


def slope(node: Value, i: int) -> Any:
    """The derivative of one node by its input i; None where there is none."""
    assert node.operation is not None
    if i >= len(node.operation.vjps):
        return None
    part = node.operation.vjps[i](1.0, node.data, *node.arguments, **node.parameters)
    return None if part is None else _masked(part, _gate(node, i))


def backward(output: Value, seed: Any = None) -> list[Any]:
    """One reverse sweep: the cotangent of every node before `output`, None where none arrives.

    seed is the cotangent of the output; ones where None. What comes out of a branch that was not
    taken is 0, whatever the branch's own slope.
    """
    tape = output.tape
    cotangents: list[Any] = [None] * len(tape.nodes)
    cotangents[output.index] = _ones_like(output.data) if seed is None else seed
    masks: dict[int, Mask] = {}
    for node in reversed(tape.nodes[: output.index + 1]):
        g = cotangents[node.index]
        operation = node.operation
        if g is None or operation is None:
            continue
        mask = masks.get(node.index, ()) if masks else ()
        elementwise = operation.elementwise
        if mask and not elementwise and _of_elements(mask):  # which are about to move
            g, mask = _masked(g, mask), ()
        inputs = node.inputs
        broadcast = elementwise and len(inputs) > 1
        for i, rule in enumerate(operation.vjps):
            x = inputs[i]
            if type(x) is not Value or x.tape is not tape:
                continue
            part = rule(g, node.data, *node.arguments, **node.parameters)
            if part is None:
                continue
            own = (*mask, *_gate(node, i)) if operation.gates else mask
            if broadcast and getattr(part, "shape", ()) != getattr(x.data, "shape", ()):
                if own and _of_elements(own):
                    part, own = _masked(part, own), ()
                part = ops.unbroadcast(part, x.data)
            so_far = cotangents[x.index]
            if so_far is not None:
                if own or x.index in masks:
                    part, own = _meet(so_far, masks.pop(x.index, ()), part, own)
                else:
                    part = ops.add(so_far, part)
            cotangents[x.index] = part
            if own:
                masks[x.index] = own
    for index, mask in masks.items():
        cotangents[index] = _masked(cotangents[index], mask)
    return cotangents


def forward(tape: Tape, tangents: Mapping[int, Any]) -> list[Any]:
    """One forward sweep: the tangent of every node, given those of variables (None means zero)."""
    carried: list[Any] = [None] * len(tape.nodes)
    for node in tape.nodes:
        operation = node.operation
        if operation is None:
            carried[node.index] = tangents.get(node.index)
            continue
        total: Any = None
        mask: Mask = ()
        for i, (jvp_rule, x) in enumerate(zip(operation.jvps, node.inputs, strict=False)):
            if type(x) is Value and x.tape is tape and carried[x.index] is not None:
                part = jvp_rule(carried[x.index], node.data, *node.arguments, **node.parameters)
                if part is None:
                    continue
                own = _gate(node, i)
                if total is None:
                    total, mask = part, own
                else:
                    total, mask = _sum(total, mask, part, own), ()
        if total is not None:
            total = _masked(total, mask)
            if ops.shape_of(total) != ops.shape_of(node.data):
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
    if isinstance(x, Vector):
        return type(x)(_zeros_like(_real(part)) for part in x)
    return _zeros_like(_real(x))


def grad(f: Function, argnums: int | Sequence[int] = 0) -> Function:
    """The gradient of f by reverse mode; see value_and_grad.

    >>> grad(lambda x, y: ops.sin(x) * (x + y), argnums=(0, 1))(0.0, 2.0)
    (2.0, 0.0)
    """
    both = value_and_grad(f, argnums)
    return lambda *args: both(*args)[1]


def jvp(f: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """(f(*primals), the directional derivative along tangents) by one forward sweep.

    f may return one Value, a Vector or a tuple of them; the tangent has the same form.

    >>> jvp(lambda x: x**3, (2.0,), (1.0,))
    (8.0, 12.0)
    """
    tape = Tape()
    inputs = [_variable(tape, p) for p in primals]
    output = f(*inputs)
    seeds: dict[int, Any] = {}
    for variable, tangent in zip(inputs, tangents, strict=True):
        if isinstance(variable, Vector):
            pairs = zip(variable, tangent, strict=True)
            seeds.update({v.index: _real(t) for v, t in pairs})
        else:
            seeds[variable.index] = _real(tangent)
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
        cotangents = backward(output, _real(g))
        return tuple(_cotangent(cotangents, x) for x in inputs)

    return output.data, pull


def hessian(f: Function) -> Function:
    """The matrix of second derivatives of a scalar function of one array, (n, n), or of a Vector,
    a tuple of rows, by forward over reverse: one sweep per input.

    >>> hessian(lambda w: w[0] ** 2 + 3.0 * w[0] * w[1])(np.array([1.0, 2.0])).tolist()
    [[2.0, 3.0], [3.0, 0.0]]
    """

    def run(x: Any) -> Any:
        gradient = grad(f)
        if isinstance(x, Vector):
            return tuple(jvp(gradient, (x,), (_basis_vector(x, i),))[1] for i in range(len(x)))
        x = _real(x) if hasattr(x, "__array_namespace__") else np.asarray(x, dtype=float)
        xp = ops.namespace(x)
        size = x.size
        eye = xp.reshape(xp.eye(size, dtype=x.dtype, device=x.device), (size, *x.shape))
        rows = [xp.reshape(jvp(gradient, (x,), (eye[i, ...],))[1], (size,)) for i in range(size)]
        return xp.stack(rows)

    return run


def _basis_vector(x: Vector, i: int) -> Vector:
    return type(x)(_ones_like(part) if j == i else _zeros_like(part) for j, part in enumerate(x))
