"""Texts as readers type them, drawn by grammar: formulas in x and y, and update rules."""

from __future__ import annotations

from hypothesis import strategies as st

_NUMBERS = st.sampled_from(["0", "1", "2", "0.5", "-1.5", "3", "1e-8", "1e308", "pi"])
_ONE = ("sqrt", "abs", "relu", "sign", "exp", "log", "sin", "cos", "tanh", "sigmoid", "softplus")
_NAMES = ("let", "await_1", "steps", "alpha", "β", "k", "v1", "path", "constructor", "e1", "this")


def expressions(inputs: tuple[str, ...], depth: int = 3) -> st.SearchStrategy[str]:
    """Expressions in those inputs with every sign and function that the parser takes."""
    atoms = st.one_of(st.sampled_from(inputs), st.sampled_from(inputs), _NUMBERS)

    def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        two = st.tuples(inner, inner)
        return st.one_of(
            st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda x: f"({''.join(x)})"),
            st.tuples(st.sampled_from(_ONE), inner).map(lambda x: f"{x[0]}({x[1]})"),
            two.map(lambda x: f"max({x[0]}, {x[1]})"),
            two.map(lambda x: f"min({x[0]}, {x[1]})"),
            st.tuples(inner, st.sampled_from(["2", "3", "-1", "-2", "0.5", "0"])).map(
                lambda x: f"({x[0]})**{x[1]}" if x[1][0] != "-" else f"({x[0]})**({x[1]})"
            ),
            st.tuples(inner, inner, inner).map(lambda x: f"clip({x[0]}, {x[1]}, {x[2]})"),
            st.tuples(inner, st.sampled_from(["<", "<=", ">", ">="]), inner, inner, inner).map(
                lambda x: f"where({x[0]} {x[1]} {x[2]}, {x[3]}, {x[4]})"
            ),
        )

    return st.recursive(atoms, larger, max_leaves=2**depth)


@st.composite
def rules(draw: st.DrawFn) -> tuple[str, str]:
    """An update rule with state, and a formula for it to descend. Both are read without fault."""
    import engine

    names = draw(st.lists(st.sampled_from(_NAMES), min_size=2, max_size=4, unique=True))
    kept, *free = names
    inside = expressions(("w", "g", "t", kept, *free))
    lines = [f"{kept} = {draw(inside)}", f"w = w - 0.01*({draw(inside)})"]
    formula = f"x**2 + {draw(expressions(('x', 'y')))}"
    text = "\n".join(lines)
    try:
        engine.optimizer(text)
        engine.landscape(formula)
    except ValueError:  # no finite value anywhere, say
        return "w = w - lr*g", "x**2 + y**2"
    return text, formula
