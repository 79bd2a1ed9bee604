"""Derivatives as expressions: the rules of the books, sizes, writing, and the same numbers."""

from __future__ import annotations

import numpy as np
import pytest

from engine.derivatives.expression import derivative
from engine.tape import operations as ops


@pytest.mark.parametrize(
    ("function", "latex"),
    [
        (lambda x: x**3, r"3\, x^{2}"),
        (lambda x: 5.0 + 0.0 * x, "0"),
        (lambda x: ops.exp(-x), r"-\exp\left(-x\right)"),
        (lambda x: x * x, r"2\, x"),
        (lambda x: ops.power(x, 2.5), r"2.5\, x^{1.5}"),
        (lambda x: ops.power(2.0, x), r"2^{x} \cdot 0.693147"),
        (lambda x: 1.0 / x, r"-\frac{1}{x^{2}}"),
    ],
)
def test_rules_of_the_books(function: object, latex: str) -> None:
    found = derivative(function, ["x"], 0)  # type: ignore[arg-type]
    assert found.latex == latex


def test_the_product_rule_of_the_course() -> None:
    by_x, by_y = (derivative(lambda x, y: (x + y) * ops.sin(x), ["x", "y"], i) for i in (0, 1))
    x, y = r"\sin\left(x\right)", r"\cos\left(x\right)\, \left(x + y\right)"
    assert by_x.latex == f"{x} + {y}"
    assert by_y.latex == x
    assert (by_x.operations, by_y.operations) == (5, 1)
    assert by_x(np.pi / 4, 1.0) == pytest.approx(1.9696, abs=5e-5)


def test_what_is_used_twice_is_held_once() -> None:
    def function(x: object) -> object:
        for _ in range(40):
            x = x * (x + 1.0) * 0.5  # type: ignore[operator]
        return x

    found = derivative(function, ["x"], 0)
    assert found.operations > 2**39
    assert found.shared < 300
    assert found.latex == ""
    assert found(1.0) == 1.5**40
