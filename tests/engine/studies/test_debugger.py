"""One step taken apart: its parts add up, its rates are the rule's own, its words are true."""

from __future__ import annotations

import numpy as np
import pytest

import engine
from engine.optimizers import OPTIMIZERS
from engine.studies import debugger

BOWL = engine.LANDSCAPES["bowl"]


def run(slug: str, steps: int = 40, **more: object) -> engine.Descent:
    hypers = {"lr": 0.01} | dict(more.pop("hypers", {}))  # type: ignore[call-overload]
    return engine.descend(BOWL(), slug, (5, 3), steps, hypers, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("slug", "options"),
    [
        ("momentum", {"form": "velocity"}),
        ("momentum", {"form": "lr_inside"}),
        ("momentum", {"form": "averaged"}),
        ("nesterov", {"form": "pytorch"}),
        ("nesterov", {"form": "lookahead"}),
    ],
)
def test_jump_and_correction_make_the_step(slug: str, options: dict[str, str]) -> None:
    jump, correction, whole = debugger.arrows(run(slug, options=options))
    np.testing.assert_allclose(
        jump.vector[1:] + correction.vector[1:], whole.vector[1:], rtol=1e-9, atol=1e-12
    )
    np.testing.assert_allclose(correction.tail[1:], (jump.tail + jump.vector)[1:])


def test_nesterovs_correction_is_the_gradient_where_the_jump_lands() -> None:
    descent = run("nesterov", options={"form": "lookahead"})
    jump, correction, _ = debugger.arrows(descent)
    landed = (jump.tail + jump.vector)[1:]
    np.testing.assert_allclose(
        correction.vector[1:], -0.01 * descent.landscape.gradient(landed), rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize("slug", OPTIMIZERS)
def test_the_whole_step_leads_from_point_to_point(slug: str) -> None:
    descent = run(slug)
    whole = debugger.arrows(descent)[-1]
    last = descent.last
    np.testing.assert_array_equal(whole.tail[1 : last + 1], descent.path[:last])
    np.testing.assert_allclose(
        (whole.tail + whole.vector)[1 : last + 1],
        descent.path[1 : last + 1],
        rtol=1e-12,
        atol=1e-12,
    )
    assert np.isnan(whole.vector[0]).all()


def test_effective_rates_are_the_rules_own() -> None:
    adam = run("adam")
    symbol, rate = debugger.effective_rate(adam) or ("", np.empty(0))
    assert symbol == "m̂"
    expected = 0.01 / (np.sqrt(adam.state["v_hat"][1:]) + 1e-8)
    np.testing.assert_allclose(rate[1:], expected, rtol=1e-6)
    adagrad = run("adagrad")
    _, rate = debugger.effective_rate(adagrad) or ("", np.empty(0))
    np.testing.assert_allclose(
        rate[1:], 0.01 / (np.sqrt(adagrad.state["G"][1:]) + 1e-10), rtol=1e-6
    )
    assert (np.diff(rate[1:], axis=0) <= 1e-12).all()  # Adagrad's rate only falls
    _, rate = debugger.effective_rate(run("sgd", 5, hypers={"lr": 0.004})) or ("", np.empty(0))
    np.testing.assert_allclose(rate[1:], 0.004, rtol=1e-9)


def test_weight_decay_is_taken_out_of_the_rate_and_has_an_arrow() -> None:
    hypers = {"weight_decay": 0.3}
    descent = run("adamw", hypers=hypers)
    parts = {part.role: part for part in debugger.arrows(descent)}
    np.testing.assert_allclose(
        parts["decay"].vector[1:], -0.01 * 0.3 * descent.path[:-1], rtol=1e-12
    )
    np.testing.assert_allclose(
        (parts["decay"].vector + parts["scaled"].vector)[1:], parts["step"].vector[1:], atol=1e-15
    )
    _, rate = debugger.effective_rate(descent) or ("", np.empty(0))
    expected = 0.01 / (np.sqrt(descent.state["v_hat"][1:]) + 1e-8)
    np.testing.assert_allclose(rate[1:], expected, rtol=1e-5)
    assert debugger.decay_steps(run("adam_l2", hypers=hypers)) is None  # inside the gradient


def test_no_coordinate_leaves_sophias_trust_box() -> None:
    descent = run("sophia", hypers={"lr": 0.2, "rho": 0.5})
    box = debugger.trust_box(descent)
    assert box == pytest.approx(0.1)
    assert (np.abs(debugger.steps(descent)[1:]) <= 0.1 + 1e-12).all()
    unclipped = {p.role: p for p in debugger.arrows(descent)}["unclipped"].vector[1:]
    np.testing.assert_allclose(
        np.clip(unclipped, -0.1, 0.1), debugger.steps(descent)[1:], rtol=1e-6, atol=1e-12
    )
    assert debugger.trust_box(run("adadelta")) is None  # its ρ is a memory, and it has a step u


def test_variants_change_one_convention() -> None:
    found = debugger.variants(OPTIMIZERS["adamw"], {"epsilon": "inside"})
    assert set(found) == {
        "bias_correction=False",
        "epsilon=outside",
        "decay=times_schedule",
        "adam_l2",
    }
    assert found["bias_correction=False"].options["epsilon"] == "inside"
    assert found["adam_l2"].optimizer.slug == "adam_l2"
    assert "decay" not in found["adam_l2"].options
    assert debugger.variants(OPTIMIZERS["sgd"], {}) == {}


def test_runs_that_differ_part_somewhere() -> None:
    on, off = run("adam"), run("adam", options={"bias_correction": False})
    assert debugger.first_difference(on, off) == 1
    assert debugger.first_difference(on, on) is None


@pytest.mark.parametrize(
    ("slug", "step", "said"),
    [
        ("adam", 0, "Nothing has moved yet"),
        ("momentum", 1, "no velocity yet"),
        ("momentum", 2, "times as long as the correction"),
        ("sgd", 1, "same rate 0.01"),
        ("adam", 1, "30 times as large in y as in x; the step 1 times"),
        ("newton", 1, "° away from the negative gradient"),
        ("sophia", 1, "clipped at ηρ = 0.01"),
    ],
)
def test_a_step_in_words(slug: str, step: int, said: str) -> None:
    assert said in debugger.describe(run(slug), step)


def test_a_step_after_divergence_is_said_to_be_none() -> None:
    descent = run("sgd", 400, hypers={"lr": 0.1})
    assert descent.diverged_at is not None
    assert "diverged" in debugger.describe(descent, descent.diverged_at)
    assert np.isnan(debugger.steps(descent)[descent.diverged_at :]).all()
