"""In float32 a sweep takes subnormal numbers for zero, in its own threads and nowhere else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from engine import LANDSCAPES, OPTIMIZERS
from engine.emit.compiled import CellsKernel
from engine.emit.subnormals import taken_for_zero
from engine.runs.tracing import landscape_loop


def halved() -> float:
    """Half of the smallest normal number, computed where it is called."""
    smallest = np.full(1, np.finfo(np.float32).tiny)
    return float((smallest * np.float32(0.5))[0])


def test_within_and_not_after() -> None:
    assert halved() == 2.0**-127
    with taken_for_zero() as possible:
        assert halved() == (0.0 if possible else 2.0**-127)
    assert halved() == 2.0**-127


def test_an_error_undoes_it() -> None:
    with pytest.raises(RuntimeError), taken_for_zero():
        raise RuntimeError
    assert halved() == 2.0**-127


def test_other_threads_go_on_as_they_are() -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(halved).result()  # the thread takes its settings from the one that starts it
        with taken_for_zero():
            assert pool.submit(halved).result() == 2.0**-127


def test_compiled_and_not_the_same_bits_in_float32() -> None:
    """Momentum on a bowl until nothing normal is left of the point: + − × alone."""
    bowl, momentum = LANDSCAPES["bowl"](), OPTIMIZERS["momentum"]
    loop = landscape_loop(bowl, momentum, momentum.option_values(), varied=("lr",))
    kernel = CellsKernel(loop, np.float32)
    lrs = np.geomspace(1e-3, 0.4, 700, dtype=np.float32)
    point = [np.full(700, c, np.float32) for c in (5.0, 3.0)]
    constants = [
        *(value for name, value in momentum.hyper_values().items() if name != "lr"),
        *bowl.arguments.values(),
    ]
    arguments = (2500, 1e4, 0.0, constants, [], [*point, lrs])
    plain = kernel.run(*arguments)
    kernel.compile()
    compiled = kernel.run(*arguments)
    for one, other in zip(plain, compiled, strict=True):
        assert one.tobytes() == other.tobytes()
    with taken_for_zero() as possible:
        pass
    size = np.abs(np.stack(plain[:2]))
    assert not possible or not ((size > 0) & (size < np.finfo(np.float32).tiny)).any()
    assert size.min() < 1e-37
