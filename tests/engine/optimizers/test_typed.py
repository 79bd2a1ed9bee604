"""Typed rules: the registry's own when the same is typed, and carets where they cannot be read."""

import pickle

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import engine
from engine.emit.compiled import CellsKernel
from engine.optimizers.typed import EXAMPLES, MAX_HYPERS
from engine.problems.formula import FormulaError
from engine.problems.landscapes import LANDSCAPES
from engine.runs.tracing import landscape_loop

SAME = [
    ("SGD", "sgd", {}),
    ("Momentum", "momentum", {"beta": 0.8}),
    ("RMSProp", "rmsprop", {"beta": 0.95, "eps": 1e-6}),
    ("Adam", "adam", {"beta1": 0.8, "beta2": 0.99, "eps": 1e-7}),
    ("Lion", "lion", {"beta1": 0.9, "beta2": 0.95}),
]


@pytest.mark.parametrize(("example", "slug", "hypers"), SAME, ids=[s[0] for s in SAME])
@pytest.mark.parametrize("surface", ["bowl", "rosenbrock"])
def test_the_same_rule_typed_is_the_registrys(
    example: str, slug: str, hypers: dict[str, float], surface: str
) -> None:
    typed, registered = (
        engine.descend(
            surface, rule, LANDSCAPES[surface].start, 120, {"lr": 1e-3, **hypers},
            schedule="cosine", noise=0.1, seed=4,
        )
        for rule in (engine.optimizer(EXAMPLES[example]), slug)
    )  # fmt: skip
    np.testing.assert_allclose(typed.path, registered.path, rtol=1e-12)


def test_names_find_their_parts() -> None:
    rule = engine.optimizer(EXAMPLES["Adam"])
    assert [h.name for h in rule.hypers] == ["beta1", "beta2", "lr", "eps"]
    assert [slot.name for slot in rule.state] == ["m", "v"]
    assert [slot.name for slot in rule.shown] == ["m_hat", "v_hat"]
    beta1, beta2, lr, eps = rule.hypers
    assert (beta1.default, beta2.default, eps.default) == (0.9, 0.999, 1e-8)
    assert (lr.scale, eps.scale, beta1.scale) == ("log", "log", "linear")
    assert rule.latex(None)[0].startswith("<m> = <beta1>\\, <m->")


def test_state_may_be_one_number_for_all_coordinates() -> None:
    """The loss, and what follows from it alone, is not a vector."""
    rule = engine.optimizer("f = loss\nd = 0.9*d + 0.1*abs(loss - f)\nw = w - lr*g/(1 + d)")
    kinds = {slot.name: slot.kind for slot in (*rule.state, *rule.shown)}
    assert kinds == {"d": "scalar", "f": "scalar", "loss": "scalar"}
    run = engine.descend("bowl", rule, (3, 2), 20)
    assert run.state["d"].shape == (21,)
    np.testing.assert_allclose(run.state["loss"][1:], run.loss[:-1])


@pytest.mark.parametrize("name", ["lr", "eta", "η", "alpha", "learning_rate"])
def test_the_learning_rate_is_known_by_any_of_its_names(name: str) -> None:
    rule = engine.optimizer(f"w = w - {name}*g")
    assert [h.name for h in rule.hypers] == ["lr"]
    typed, sgd = (
        engine.descend("bowl", r, (3, 2), 30, {"lr": 0.005}, schedule="cosine")
        for r in (rule, "sgd")
    )
    np.testing.assert_allclose(typed.path, sgd.path, rtol=1e-13)


def test_greek_names_and_names_that_the_printer_uses_itself() -> None:
    text = "k = k + 1\nr1 = β1*r1 + g\nm_0 = 0*g\nw = w - η*r1*beta1/steps + m_0"
    rule = engine.optimizer(text)
    names = [h.name for h in rule.hypers]
    assert names == ["beta1", "lr", "beta1_", "steps"]
    run = engine.descend("bowl", rule, (3, 2), 10, {"beta1_": 1.0, "steps": 1.0, "lr": 1e-3})
    heavy = engine.descend("bowl", "momentum", (3, 2), 10, {"lr": 1e-3})
    np.testing.assert_allclose(run.path, heavy.path, rtol=1e-12)
    np.testing.assert_array_equal(run.state["k"], np.arange(11))


def test_a_typed_rule_compiles_like_any_other() -> None:
    rule = engine.optimizer("v = μ*v + g\nw = w - η*v")
    kernel = CellsKernel(landscape_loop(LANDSCAPES["bowl"], rule, {}), np.float64)
    kernel.compile()
    begin = [np.array([3.0]), np.array([2.0])]
    x, y, _ = kernel.run(20, 1e6, 0.0, [0.9, 0.01, 10.0, 0.0], [], begin)
    run = engine.descend(LANDSCAPES["bowl"](condition=10), rule, (3, 2), 20, {"mu": 0.9})
    np.testing.assert_allclose((x[0], y[0]), run.path[-1], rtol=1e-12)


def test_a_typed_rule_sweeps_and_travels_as_its_text() -> None:
    rule = engine.optimizer("w = w - lr*g", {"lr": 0.02})
    assert pickle.loads(pickle.dumps(rule)) is rule
    rates = np.array([0.01, 0.05])
    typed, sgd = (engine.sweep("bowl", r, {"lr": rates}, (3, 2), 20) for r in (rule, "sgd"))
    np.testing.assert_allclose(typed.final_loss, sgd.final_loss, rtol=1e-12)


def test_the_same_text_is_the_same_rule() -> None:
    assert engine.optimizer("w = w - lr*g") is engine.optimizer("w = w - lr*g")


def test_defaults_are_taken_and_widen_their_range() -> None:
    rule = engine.optimizer("v = beta*v + g\nw = w - eta*v", {"eta": 20.0, "beta": 0.5})
    assert rule.hyper_values() == {"beta": 0.5, "lr": 20.0}
    assert rule.hypers[1].high == 20.0
    with pytest.raises(ValueError, match="no hyper-parameter 'nu'"):
        engine.optimizer("w = w - lr*g", {"nu": 1.0})


@pytest.mark.parametrize(
    ("text", "reason", "line", "column"),
    [
        ("v = beta*v + g", "No line assigns w", 1, 0),
        ("w = w - lr*g\nw = 2*w", "already", 2, 0),
        ("g = 2*g\nw = w - g", "g is given", 1, 0),
        ("w = w - lambda*g", "lambda is a word of Python", 1, 8),
        ("m = 0.9*m + 0.1*g\nw = w - lr*(m", "never closed", 2, 11),
        ("w = w - lr*g\nv + 1", "name = expression", 2, 0),
        ("exp = 1\nw = w - lr*g", "cannot be assigned", 1, 0),
        ("w = w - __import__(1)*g", "There is no function __import__", 1, 8),
        ("w = w.real", "no place", 1, 4),
        ("", "nothing to read", 1, 0),
    ],
)
def test_what_cannot_be_read_is_pointed_at(text: str, reason: str, line: int, column: int) -> None:
    with pytest.raises(FormulaError, match=reason) as refused:
        engine.optimizer(text)
    assert (refused.value.line, refused.value.column) == (line, column)


def test_a_rule_has_a_limit_of_hyper_parameters() -> None:
    many = " + ".join(f"q{'abcdefghijklmnop'[i]}" for i in range(MAX_HYPERS + 1))
    with pytest.raises(FormulaError, match="at most"):
        engine.optimizer(f"w = w - ({many})*g")


TOKENS = ["w", "g", "m", "lr", "t", "loss", "=", "\n", "+", "-", "*", "**", "/", "(", ")", ",", "2",
          "0.5", "sqrt", "max", "where", "<", "1e9", "if", "import", "#", "β", " "]  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(TOKENS), max_size=30).map("".join))
@example("w = " + "-" * 399 + "g")
@example("w = g" + "**9" * 20)
def test_any_text_is_a_rule_or_is_refused(text: str) -> None:
    try:
        rule = engine.optimizer(text)
    except FormulaError:
        return
    run = engine.descend("bowl", rule, (1.0, 0.5), 3)
    assert np.isfinite(run.path).all()
