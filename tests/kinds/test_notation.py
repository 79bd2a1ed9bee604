"""What is typed, what is typeset and what is computed.

What it stands for: parsers that read what nobody wrote. mathjs read `2 * 3 3` as a product
(josdejong/mathjs#463), math-parser `2xy` as 2 times a name xy (semantic-math/math-parser#62), and
1/2x is read both ways by well-known calculators (Qalculate/libqalculate#193). Here x²³ was taken
for (x²)³, and xπ for an input called xpi. Whatever the reader sees typeset is what is computed;
what is ambiguous is refused with a caret. Right values: Python, by hand.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import engine
from engine.derivatives.graph import read_program
from engine.problems.formula import FormulaError, parse, parse_program
from engine.tape.latex import latex_of

AS_ON_PAPER = [
    # superscripts
    ("x²³", lambda x, y: x**23, "x^{23}"), ("x⁻¹", lambda x, y: x**-1, "x^{-1}"),
    ("x⁺² + y⁰", lambda x, y: x**2 + 1, "x^{2} + y^{0}"), ("x¹²", lambda x, y: x**12, "x^{12}"),
    ("-x²", lambda x, y: -(x**2), "-x^{2}"), ("(x²)³", lambda x, y: x**6, None),
    ("2³x", lambda x, y: 8 * x, r"8\, x"), ("x²y³", lambda x, y: x**2 * y**3, r"x^{2}\, y^{3}"),
    ("y^x²", lambda x, y: y ** (x**2), "y^{x^{2}}"),
    ("y**x²", lambda x, y: y ** (x**2), "y^{x^{2}}"),
    ("sin(x)²", lambda x, y: math.sin(x) ** 2, None), ("(x + y)²", lambda x, y: (x + y) ** 2, None),
    ("x⁻²⁰", lambda x, y: x**-20, "x^{-20}"),
    # products without a sign
    ("3x", lambda x, y: 3 * x, r"3\, x"), ("3 x", lambda x, y: 3 * x, r"3\, x"),
    ("-2x", lambda x, y: -2 * x, None), ("2(x + 1)", lambda x, y: 2 * (x + 1), None),
    ("(x + 1)(x − 1)", lambda x, y: (x + 1) * (x - 1), None),
    ("(x+1)y", lambda x, y: (x + 1) * y, None),
    ("2sin(3x)", lambda x, y: 2 * math.sin(3 * x), None),
    ("2exp(x)", lambda x, y: 2 * math.exp(x), None),
    ("sin(x)cos(y)", lambda x, y: math.sin(x) * math.cos(y), None),
    ("x²(y + 1)", lambda x, y: x**2 * (y + 1), None), ("2x²", lambda x, y: 2 * x**2, r"2\, x^{2}"),
    ("2x/3", lambda x, y: 2 * x / 3, None), ("1/(2x)", lambda x, y: 1 / (2 * x), None),
    ("x/2 + 3y", lambda x, y: x / 2 + 3 * y, None), ("1 - 2x", lambda x, y: 1 - 2 * x, None),
    ("where(x ≤ 2y, 3x, 2(y))", lambda x, y: 3 * x if x <= 2 * y else 2 * y, None),
    ("1.5x + .5y + 2e-1x", lambda x, y: 1.5 * x + 0.5 * y + 0.2 * x, None),
    # π, whose letter is never part of a name
    ("2π", lambda x, y: 2 * math.pi, None), ("2πx", lambda x, y: 2 * math.pi * x, r"2\pi\, x"),
    ("xπ", lambda x, y: x * math.pi, r"x\, \pi"), ("πx", lambda x, y: math.pi * x, r"\pi\, x"),
    ("π(x + 1)", lambda x, y: math.pi * (x + 1), None), ("xπ²", lambda x, y: x * math.pi**2, None),
    ("sin(πx/2)", lambda x, y: math.sin(math.pi * x / 2), None),
    # signs
    ("x⋅y × 2 ÷ 4", lambda x, y: x * y * 2 / 4, None), ("where(x ≥ y, x, y)", max, None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "meaning", "latex"), AS_ON_PAPER, ids=[c[0] for c in AS_ON_PAPER])
@pytest.mark.parametrize("names", [("x", "y"), None], ids=["given", "free"])
def test_it_is_read_as_it_looks(text: str, meaning: Any, latex: Any, names: Any) -> None:
    formula = parse(text, names)
    assert set(formula.names) <= {"x", "y"}
    for x, y in ((0.3, 0.7), (1.25, 0.5), (2.5, 3.0)):
        given = {n: v for n, v in (("x", x), ("y", y)) if n in formula.names}
        assert float(formula(**given)) == pytest.approx(meaning(x, y), rel=1e-13)
    if latex is not None:
        inputs = list(formula.names)
        assert latex_of(lambda *v: formula(**dict(zip(inputs, v, strict=True))), inputs) == latex


TWO_WAYS = [
    ("1/2x", 3), ("x/2(y)", 3), ("1/2π", 3), ("1/(2)x", 5), ("1/sin(x)y", 8), ("1/x²y", 4),
    ("x^2y", 3), ("x**2 y", 5), ("2^-3x", 4), ("2x^2y", 4), ("x^(2)y", 5),
    ("x y", 2), ("x 2", 2), ("2 3", 2), ("x(y)", 1), ("pi(x)", 2), ("sin(x)(y)", 6), ("(x)2", 3),
    ("x² ³", 3), ("x²^3", 2), ("x²**y", 2), ("²x", 0), ("x + ²", 4), ("sin²(x)", 3), ("x⁻", 1),
    ("2e x", 1), ("2e", 1), ("0x", 1), ("2.x", 2), ("sin x", 4), ("x sin(y)", 2), ("x²3", 2),
    ("xⁿ", 1), ("₁x", 0), ("x1₂", 0), ("1.2.3x", 3),
]  # fmt: skip


@pytest.mark.parametrize(("text", "column"), TWO_WAYS, ids=[c[0] for c in TWO_WAYS])
@pytest.mark.parametrize("names", [("x", "y"), None], ids=["given", "free"])
def test_what_looks_two_ways_is_refused_in_place(text: str, column: int, names: Any) -> None:
    with pytest.raises(FormulaError) as refusal:
        parse(text, names)
    if (text, names) != ("x(y)", None):  # there the name is a function that there is not
        assert refusal.value.column == column
    else:
        assert "no function x" in refusal.value.reason


@pytest.mark.parametrize(
    ("text", "told"),
    [("xy", "write x*y"), ("2xy", "write x*y"), ("yx + x", "write y*x"), ("xpi", "write x*pi"),
     ("x + zz", "zz is not known")],
)  # fmt: skip
def test_names_run_together_are_pointed_out(text: str, told: str) -> None:
    with pytest.raises(FormulaError, match="is not known here") as refusal:
        parse(text, ("x", "y"))
    assert told in refusal.value.reason


@pytest.mark.parametrize("text", ["βx", "ηg", "αβ", "2βx + 1", "xβ", "Δw", "w - ηg"])
def test_greek_letters_run_into_others_are_refused_where_names_are_free(text: str) -> None:
    with pytest.raises(FormulaError, match=r"may be one name or a product: write .\*"):
        parse(text, None)
    with pytest.raises(FormulaError, match="may be one name or a product"):
        engine.optimizer("w = w - lr*g\nβx = 2*g")


@pytest.mark.parametrize("name", ["x₁", "x_1", "β", "β1", "β₂", "η_max", "eta", "m_hat", "lr"])
def test_names_stay_names(name: str) -> None:
    (found,) = parse(f"2{name}² + 1", None).names
    assert found == name.replace("₁", "1").replace("₂", "2")


def test_everywhere_alike() -> None:
    """One formula in a landscape, a graph, a program and a rule."""
    place = engine.landscape("x²³ + 2y²")
    assert place.value((1.1, 2.0)) == pytest.approx(1.1**23 + 8, rel=1e-14)
    assert "x^{23}" in place.latex
    graph = read_program("aπ + b₁²")
    assert graph.inputs == ("a", "b1")
    assert graph.run({"a": 2.0, "b1": 3.0})[graph.lines[-1][0]] == pytest.approx(2 * math.pi + 9)
    ((target, formula),) = parse_program("m₁ = 2m₁ + g²")
    assert (target, formula.names) == ("m1", ("m1", "g"))
    typed, plain = engine.optimizer("w = w - 2lr*g"), engine.optimizer("w = w - 2*lr*g")
    runs = [engine.descend("bowl", rule, (3, 2), 20, {"lr": 1e-3}) for rule in (typed, plain)]
    np.testing.assert_array_equal(runs[0].path, runs[1].path)
    with pytest.raises(FormulaError, match="cannot be assigned"):
        parse_program("π = 3")


# Trees written as on paper: a product without its sign wherever it may be left out.
leaves = st.sampled_from(["x", "y", "2", "0.5", "π"])


def written(tree: Any) -> str:
    match tree:
        case str():
            return tree
        case ("power", base, n):
            raised = str(n).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
            return f"({written(base)}){raised}" if isinstance(base, tuple) else f"{base}{raised}"
        case ("tanh", inner):
            return f"tanh({written(inner)})"
        case ("product", a, b):
            return f"({written(a)})({written(b)})"
        case ("scaled", number, a):
            return f"{number}({written(a)})" if isinstance(a, tuple) else f"{number}({a})"
        case (sign, a, b):
            return (
                f"{written(a)} {sign} {written(b)}"
                if sign == "+"
                else f"({written(a)})/({written(b)})"
            )
    raise AssertionError


def computed(tree: Any, at: dict[str, float]) -> float:
    match tree:
        case str():
            return at[tree] if tree in at else float(tree)
        case ("power", base, n):
            return computed(base, at) ** n
        case ("tanh", inner):
            return math.tanh(computed(inner, at))
        case ("product", a, b):
            return computed(a, at) * computed(b, at)
        case ("scaled", number, a):
            return float(number) * computed(a, at)
        case ("+", a, b):
            return computed(a, at) + computed(b, at)
        case (_, a, b):
            return computed(a, at) / computed(b, at)
    raise AssertionError


trees = st.recursive(
    leaves,
    lambda t: st.one_of(
        st.tuples(st.just("power"), t, st.integers(1, 12)), st.tuples(st.just("tanh"), t),
        st.tuples(st.just("product"), t, t), st.tuples(st.just("+"), t, t),
        st.tuples(st.just("scaled"), st.sampled_from(["3", "0.5", "12"]), t),
        st.tuples(st.just("/"), t, t),
    ),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(trees)
def test_what_is_written_is_what_is_computed(tree: Any) -> None:
    at = {"x": 0.83, "y": 1.21, "π": math.pi}
    try:
        right = computed(tree, at)
    except (ZeroDivisionError, OverflowError):
        return
    formula = parse(written(tree), ("x", "y"))
    given = {n: at[n] for n in formula.names}
    with np.errstate(all="ignore"):
        assert float(formula(**given)) == pytest.approx(right, rel=1e-9, nan_ok=True)
