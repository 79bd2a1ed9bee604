"""A function of arrays as one operation of a picture.

The browser's interpreter stores what each operation of a picture gives, which is slow where many
numbers stand between the values and what is drawn, as those of a quadrature at every cell of a
plane. A fused function is recorded with its arrays and printed as JavaScript: one loop, in which
nothing is stored that is not read again.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from engine.emit.tensor import recorded
from engine.emit.tensor_javascript import printed
from engine.tape import Operation, Value

Shapes = tuple[tuple[int, ...], ...]


@lru_cache(maxsize=64)
def _kept(function: Callable[..., Any], shapes: Shapes, *given: bytes) -> Any:
    """Its answer; a page that is run again asks for the same one."""
    pairs = zip(given, shapes, strict=True)
    return function(*(np.frombuffer(data).reshape(shape)[()] for data, shape in pairs))


def _answer(*arguments: Any, _function: Callable[..., Any], **_: Any) -> Any:
    arrays = [np.asarray(x, np.float64) for x in arguments]
    return _kept(_function, tuple(x.shape for x in arrays), *(x.tobytes() for x in arrays))


_FUSED = Operation("fused", _answer)


@lru_cache(maxsize=64)
def _printed(function: Callable[..., Any], shapes: Shapes) -> tuple[str, tuple[int, ...]]:
    """The text for arguments of these shapes, and the shape of what it gives."""
    example = [np.full(shape, 0.5)[()] for shape in shapes]
    _, result, _ = recorded(function, example)
    return printed(function, *example), np.shape(result.value)


def fused(function: Callable[..., Any], *arguments: Any) -> Any:
    """function(*arguments), one array of numbers and arrays, which follows those that are traced.

    function is hashable and pure, and takes all its decisions without looking at the numbers.
    Raises engine.emit.tensor.Unrecordable for one that cannot be printed.
    """
    if not any(type(x) is Value for x in arguments):
        return _answer(*arguments, _function=function)
    text, shape = _printed(function, tuple(np.shape(getattr(x, "data", x)) for x in arguments))
    return _FUSED(*arguments, module=text, shape=shape, _function=function)
