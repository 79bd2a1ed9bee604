"""One step taken apart: its parts add up, its rates are the rule's own, its words are true."""

from __future__ import annotations

import numpy as np
import pytest

import engine
from engine.emit.picture import Picture
from engine.optimizers import OPTIMIZERS
from engine.runs.live import LiveDescent, live_descend, still
from engine.studies import debugger
from engine.tape import Value, Vector

BOWL = engine.LANDSCAPES["bowl"]


def descent(slug: str, steps: int = 40, **more: object) -> engine.Descent:
    hypers = {"lr": 0.01} | dict(more.pop("hypers", {}))  # type: ignore[call-overload]
    return engine.descend(BOWL(), slug, (5, 3), steps, hypers, **more)  # type: ignore[arg-type]


def run(slug: str, steps: int = 40, **more: object) -> LiveDescent:
    return still(descent(slug, steps, **more))


def rows(columns: Vector) -> np.ndarray:
    """Two columns as (steps + 1, 2)."""
    return np.stack([np.asarray(c.data if isinstance(c, Value) else c) for c in columns], axis=-1)


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
        rows(jump.vector + correction.vector)[1:], rows(whole.vector)[1:], rtol=1e-9, atol=1e-12
    )
    np.testing.assert_allclose(rows(correction.tail)[1:], rows(jump.tail + jump.vector)[1:])


def test_nesterovs_correction_is_the_gradient_where_the_jump_lands() -> None:
    jump, correction, _ = debugger.arrows(run("nesterov", options={"form": "lookahead"}))
    landed = rows(jump.tail + jump.vector)[1:]
    np.testing.assert_allclose(
        rows(correction.vector)[1:], -0.01 * BOWL().gradient(landed), rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize("slug", OPTIMIZERS)
def test_the_whole_step_leads_from_point_to_point(slug: str) -> None:
    whole = debugger.arrows(run(slug))[-1]
    path, last = descent(slug).path, descent(slug).last
    np.testing.assert_array_equal(rows(whole.tail)[1 : last + 1], path[:last])
    np.testing.assert_allclose(
        rows(whole.tail + whole.vector)[1 : last + 1], path[1 : last + 1], rtol=1e-12, atol=1e-12
    )
    assert np.isnan(rows(whole.vector)[0]).all()


def test_effective_rates_are_the_rules_own() -> None:
    symbol, rate = debugger.effective_rate(run("adam")) or ("", Vector())
    assert symbol == "m̂"
    expected = 0.01 / (np.sqrt(descent("adam").state["v_hat"][1:]) + 1e-8)
    np.testing.assert_allclose(rows(rate)[1:], expected, rtol=1e-6)
    _, rate = debugger.effective_rate(run("adagrad")) or ("", Vector())
    expected = 0.01 / (np.sqrt(descent("adagrad").state["G"][1:]) + 1e-10)
    np.testing.assert_allclose(rows(rate)[1:], expected, rtol=1e-6)
    assert (np.diff(rows(rate)[1:], axis=0) <= 1e-12).all()  # Adagrad's rate only falls
    _, rate = debugger.effective_rate(run("sgd", 5, hypers={"lr": 0.004})) or ("", Vector())
    np.testing.assert_allclose(rows(rate)[1:], 0.004, rtol=1e-9)


def test_weight_decay_is_taken_out_of_the_rate_and_has_an_arrow() -> None:
    hypers = {"weight_decay": 0.3}
    decayed = run("adamw", hypers=hypers)
    parts = {part.role: part for part in debugger.arrows(decayed)}
    path, state = decayed.result.path, decayed.result.state
    np.testing.assert_allclose(rows(parts["decay"].vector)[1:], -0.01 * 0.3 * path[:-1], rtol=1e-12)
    np.testing.assert_allclose(
        rows(parts["decay"].vector + parts["scaled"].vector)[1:],
        rows(parts["step"].vector)[1:],
        atol=1e-15,
    )
    _, rate = debugger.effective_rate(decayed) or ("", Vector())
    expected = 0.01 / (np.sqrt(state["v_hat"][1:]) + 1e-8)
    np.testing.assert_allclose(rows(rate)[1:], expected, rtol=1e-5)
    assert debugger.decay_steps(run("adam_l2", hypers=hypers)) is None  # inside the gradient
    assert debugger.decay_steps(run("adamw", hypers={"weight_decay": 0.0})) is None


def test_no_coordinate_leaves_sophias_trust_box() -> None:
    clipped = run("sophia", hypers={"lr": 0.2, "rho": 0.5})
    assert debugger.trust_box(clipped) == pytest.approx(0.1)
    moved = rows(debugger.steps(clipped))[1:]
    assert (np.abs(moved) <= 0.1 + 1e-12).all()
    unclipped = {p.role: p for p in debugger.arrows(clipped)}["unclipped"].vector
    np.testing.assert_allclose(
        np.clip(rows(unclipped)[1:], -0.1, 0.1), moved, rtol=1e-6, atol=1e-12
    )
    assert debugger.trust_box(run("adadelta")) is None  # its ρ is a memory, and it has a step u


@pytest.mark.parametrize("slug", ["adamw", "nesterov", "sophia", "muon"])
def test_a_traced_run_is_taken_apart_like_a_finished_one(slug: str) -> None:
    """Columns of the same numbers, with noise in the gradient, whichever road they come by."""
    picture = Picture({"x": 5.0, "y": 3.0, "lr": 0.01, "sigma": 0.5})
    traced = live_descend(
        BOWL(), slug, (picture["x"], picture["y"]), 25, {"lr": picture["lr"]},
        noise=picture["sigma"], recorded=True,
    )  # fmt: skip
    plain = run(slug, 25, noise=0.5)
    for a, b in zip(debugger.arrows(traced), debugger.arrows(plain), strict=True):
        assert picture.owns(a.vector[0])
        np.testing.assert_array_equal(rows(a.vector), rows(b.vector))
    for q, p in zip(debugger.quantities(traced), debugger.quantities(plain), strict=True):
        np.testing.assert_array_equal(rows(Vector(q.columns)), rows(Vector(p.columns)))


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
    on, off = descent("adam"), descent("adam", options={"bias_correction": False})
    assert debugger.first_difference(on, off) == 1
    assert debugger.first_difference(on, on) is None


@pytest.mark.parametrize(
    ("slug", "step", "said"),
    [
        ("adam", 0, "Nothing has moved yet"),
        ("momentum", 1, "no velocity yet"),
        ("momentum", 2, "times as long as the correction"),
        ("sgd", 1, "same rate 0.01"),
        ("adam", 1, "30 times as large in y as in x; the step as large in y as in x"),
        ("newton", 1, "° away from the negative gradient"),
        ("sophia", 1, "clipped at ηρ = 0.01"),
    ],
)
def test_a_step_in_words(slug: str, step: int, said: str) -> None:
    assert said in debugger.describe(descent(slug), step)


def test_a_step_after_divergence_is_said_to_be_none() -> None:
    gone = descent("sgd", 400, hypers={"lr": 0.1})
    assert gone.diverged_at is not None
    assert "diverged" in debugger.describe(gone, gone.diverged_at)
    assert np.isnan(rows(debugger.steps(still(gone)))[gone.diverged_at :]).all()
