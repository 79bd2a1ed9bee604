"""Facts about the rules: who becomes whom, what rotation does, and what each keeps."""

import itertools
import re
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import engine
from engine.emit.compiled import CellsKernel
from engine.optimizers import OPTIMIZERS, Optimizer, newton_schulz
from engine.runs.descent import DIVERGENCE_RADIUS, Descent, step_inputs
from engine.runs.streams import follow
from engine.runs.tracing import landscape_loop
from engine.studies.family import RELATIONS, Relation

BOWL = engine.LANDSCAPES["bowl"]


def variants() -> list[Any]:
    """Every optimizer under every combination of its options."""
    found = []
    for slug, entry in OPTIMIZERS.items():
        choices = [[(o.name, value) for value, _ in o.choices] for o in entry.options]
        for combination in itertools.product(*choices):
            spelled = ",".join(f"{name}={value}" for name, value in combination)
            found.append(pytest.param(slug, dict(combination), id=f"{slug}[{spelled}]"))
    return found


# Who becomes whom ---------------------------------------------------------------------------------


def both(relation: Relation, start: Any, steps: int, **kwargs: Any) -> list[Descent]:
    return [
        engine.descend(relation.surface, slug, start, steps, hypers, options=options, **kwargs)
        for slug, hypers, options in relation.sides()
    ]


def apart(descents: list[Descent]) -> float:
    general, special = (d.path for d in descents)
    return float(np.abs(general - special).max() / np.abs(special).max())


@pytest.mark.parametrize("relation", RELATIONS, ids=lambda r: f"{r.general}-{r.special}")
def test_one_rule_becomes_the_other(relation: Relation) -> None:
    assert relation.disagreement() <= relation.tolerance


@pytest.mark.parametrize("relation", RELATIONS, ids=lambda r: f"{r.general}-{r.special}")
def test_without_its_setting_the_one_is_not_the_other(relation: Relation) -> None:
    """Else the relation would say nothing."""
    sides = []
    for slug in (relation.general, relation.special):
        decays = slug == "adam_l2"  # PyTorch's default λ is 0: it is Adam until it is set
        hypers = {"lr": 1e-3, **({"weight_decay": 0.1} if decays else {})}
        sides.append(engine.descend("rosenbrock", slug, (-1.2, 1.0), 600, hypers))
    assert apart(sides) > 1e-4


@settings(max_examples=25, deadline=None)
@given(data=st.data(), relation=st.sampled_from([r for r in RELATIONS if r.exact and r.start[1]]))
def test_relations_hold_from_any_start_under_noise_and_schedule(
    data: Any, relation: Relation
) -> None:
    if relation.special == "lion":
        start = relation.start  # a sign near zero hangs on rounding
    else:
        number = st.floats(0.5, 5.0)
        start = (data.draw(number), -data.draw(number))
    noise = data.draw(st.sampled_from([0.0, 0.1]))
    descents = both(relation, start, 40, schedule="cosine", noise=noise, seed=3)
    assert apart(descents) <= 1e-8


@pytest.mark.parametrize("relation", RELATIONS, ids=lambda r: f"{r.general}-{r.special}")
def test_relations_name_what_exists(relation: Relation) -> None:
    for slug, hypers, options in relation.sides():
        entry = OPTIMIZERS[slug]
        entry.option_values(options)
        for h in entry.hypers:
            # a control must be able to show the setting
            assert h.low <= hypers.get(h.name, h.default) <= h.high


# The three momentums and the two Nesterovs --------------------------------------------------------


def momentum(form: str, lr: float, schedule: Any = None) -> np.ndarray:
    run = engine.descend(
        BOWL(condition=10, rotation=20), "momentum", (4, 2), 80, {"lr": lr},
        options={"form": form}, schedule=schedule,
    )  # fmt: skip
    return run.path


@given(lr=st.floats(1e-4, 0.05))
@settings(max_examples=20, deadline=None)
def test_the_three_momentums_are_one_at_a_constant_rate(lr: float) -> None:
    velocity = momentum("velocity", lr)
    np.testing.assert_allclose(momentum("lr_inside", lr), velocity, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(momentum("averaged", lr / 0.1), velocity, rtol=1e-9, atol=1e-9)


def test_under_a_schedule_the_rate_inside_the_velocity_lags() -> None:
    halved = np.r_[np.ones(40), np.full(40, 0.1)]
    outside, inside = (momentum(form, 0.02, halved) for form in ("velocity", "lr_inside"))
    np.testing.assert_allclose(outside[:41], inside[:41], atol=1e-12)
    # The step after the drop: outside it is a tenth at once, inside the old velocity rolls on.
    step = {name: np.linalg.norm(p[41] - p[40]) for name, p in (("out", outside), ("in", inside))}
    assert step["in"] > 5 * step["out"]


@given(lr=st.floats(1e-4, 0.03), x=st.floats(-4, 4), y=st.floats(-4, 4))
@settings(max_examples=20, deadline=None)
def test_pytorchs_nesterov_is_the_lookahead_form_seen_from_where_it_jumps(
    lr: float, x: float, y: float
) -> None:
    surface, beta = BOWL(condition=10, rotation=20), 0.9
    ahead, pytorch = (
        engine.descend(surface, "nesterov", (x, y), 60, {"lr": lr}, options={"form": form})
        for form in ("lookahead", "pytorch")
    )
    seen = ahead.path - beta * ahead.state["v"]
    np.testing.assert_allclose(seen, pytorch.path, rtol=1e-9, atol=1e-9)


def test_a_steady_gradient_makes_momentum_ten_times_as_fast() -> None:
    ones = np.ones(400)
    sgd, heavy = (follow(slug, ones, {"lr": 0.01}).path[:, 0] for slug in ("sgd", "momentum"))
    assert np.diff(heavy)[-1] / np.diff(sgd)[-1] == pytest.approx(10)


# Rotation -----------------------------------------------------------------------------------------

TURNING = {
    "sgd", "momentum", "nesterov", "aggmo", "schedule_free_sgd", "newton", "shampoo", "muon",
    "lars", "sam", "soap", "line_search", "conjugate_gradient", "lbfgs", "asgd",
}  # fmt: skip


@pytest.mark.parametrize("slug", sorted(OPTIMIZERS))
def test_rotation_matters_to_the_rules_that_go_by_coordinates(slug: str) -> None:
    """A rule that treats all directions alike walks a turned bowl as it walks the bowl, turned."""
    angle = np.radians(30)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    start = np.array([3.0, 2.0])
    hypers = {"lr": 0.01} | ({"d0": 1.0} if slug == "prodigy" else {})  # else it hardly moves
    plain = engine.descend(BOWL(condition=20, rotation=0), slug, start, 40, hypers)
    turned = engine.descend(BOWL(condition=20, rotation=30), slug, turn @ start, 40, hypers)
    error = np.abs(plain.path @ turn.T - turned.path).max()
    if slug in TURNING:
        assert error < 1e-9
    else:
        assert error > 1e-3


# What is known of single rules --------------------------------------------------------------------


def test_l2_inside_adam_is_not_decoupled_decay() -> None:
    inside, beside = (
        engine.descend(BOWL(condition=50), slug, (5, 3), 100, {"lr": 0.05, "weight_decay": 0.5})
        for slug in ("adam_l2", "adamw")
    )
    assert apart([inside, beside]) > 0.05


@pytest.mark.parametrize(
    ("slug", "options", "ends_at"),
    [("adam", {"bias_correction": False}, 1.0), ("amsgrad", {"maximum": "paper"}, -1.0)],
)
def test_amsgrad_finds_what_adam_misses_on_reddis_stream(
    slug: str, options: dict[str, Any], ends_at: float
) -> None:
    """Reddi, Kale & Kumar (2018), theorem 1: f = Cx every third step, −x else, on [−1, 1], so the
    best point is −1; with β₁ = 0, β₂ = 1/(1+C²) and rates α/√t Adam ends at +1, the worst."""
    big, steps = 4.0, 6000
    stream = np.where(np.arange(steps) % 3 == 0, big, -1.0)
    hypers = {"beta1": 0.0, "beta2": 1 / (1 + big**2), "lr": 0.1}
    rates = 1 / np.sqrt(np.arange(1, steps + 1))
    run = follow(
        slug, stream, hypers, options=options, start=1.0, schedule=rates, bounds=(-1.0, 1.0)
    )
    assert run.path[-1, 0] == pytest.approx(ends_at, abs=0.1)


def test_bias_correction_factors() -> None:
    """×10 and ×1000 at the first step, ×1.535 at the tenth (β₁ 0.9, β₂ 0.999)."""
    state = follow("adam", np.ones(10)).state
    first, second = state["m_hat"] / state["m"], state["v_hat"] / state["v"]
    assert first[0, 0] == pytest.approx(10)
    assert first[9, 0] == pytest.approx(1.535, abs=5e-4)
    assert second[0, 0] == pytest.approx(1000)


def test_newton_needs_one_step_on_any_bowl() -> None:
    run = engine.descend(BOWL(condition=1000, rotation=40), "newton", (5, 3), 1)
    np.testing.assert_allclose(run.path[-1], 0, atol=1e-12)


@pytest.mark.parametrize("repair", ["shift", "absolute"])
def test_newtons_repairs_equal_their_definitions(repair: str) -> None:
    surface, start, damping = engine.LANDSCAPES["himmelblau"], np.array([0.2, 1.0]), 0.5
    values, vectors = np.linalg.eigh(surface.hessian(start))
    assert values[0] < 0  # here the Hessian is not positive definite
    shift = damping - values[0] if repair == "shift" else 0.0
    scaled = np.maximum(np.abs(values + shift), damping)
    expected = start - (vectors / scaled) @ vectors.T @ surface.gradient(start)
    run = engine.descend(
        surface, "newton", start, 1, {"damping": damping}, options={"repair": repair}
    )
    np.testing.assert_allclose(run.path[1], expected, rtol=1e-12)


def test_sophia_does_not_mind_the_condition_number() -> None:
    """Where its clip does not act, its path in units of each start is the same at every κ."""
    hypers = {"lr": 0.05, "gamma": 1.0, "rho": 10.0, "interval": 1.0}
    paths = [
        engine.descend(BOWL(condition=k), "sophia", (1, 1), 200, hypers).path for k in (1, 10, 1e3)
    ]
    np.testing.assert_allclose(paths[1], paths[0], atol=1e-9)
    np.testing.assert_allclose(paths[2], paths[0], atol=1e-9)


def test_the_lectures_sophia_is_the_clipped_one_where_nothing_is_clipped() -> None:
    """γ = 1 and a clip out of reach; at Sophia's defaults the two part."""
    loose = {"lr": 0.002, "gamma": 1.0, "rho": 10.0}
    for hypers, same in ((loose, True), ({"lr": 0.002}, False)):
        runs = [
            engine.descend(
                "rosenbrock", "sophia", (-1.2, 1.0), 40, hypers, options={"form": form}
            ).path
            for form in ("squares", "simplified")
        ]
        assert np.allclose(*runs, rtol=1e-12, atol=0) == same


def test_muon_does_not_see_whether_its_momentum_is_a_sum_or_an_average() -> None:
    """B ← μB + G is (1 − μ) times as long an average: Newton–Schulz divides by the length."""
    beta = 0.9
    run = engine.descend("himmelblau", "muon", (1, 1), 30, {"lr": 0.01, "beta": beta})
    total = np.zeros(2)
    for t in range(30):
        total = beta * total + run.gradient[t]
        mixed = run.gradient[t] + beta * total
        np.testing.assert_allclose(newton_schulz(mixed[None])[0], run.state["x"][t + 1], rtol=1e-9)


def test_sophias_clip_bounds_every_coordinate() -> None:
    lr, rho = 0.03, 0.5
    run = engine.descend(
        "rosenbrock", "sophia", (-1.2, 1.0), 200, {"lr": lr, "rho": rho, "gamma": 0.05}
    )
    assert np.abs(np.diff(run.path, axis=0)).max() <= lr * rho * (1 + 1e-12)


def test_sophia_looks_at_the_curvature_every_k_steps() -> None:
    run = engine.descend("rosenbrock", "sophia", (-1.2, 1.0), 60, {"interval": 7, "lr": 0.01})
    changed = np.flatnonzero(np.any(np.diff(run.state["h"], axis=0) != 0, axis=1))
    np.testing.assert_array_equal(changed, np.arange(0, 60, 7))


def test_hutchinsons_probes_find_the_diagonal_on_average() -> None:
    surface, start = engine.LANDSCAPES["himmelblau"], (2.0, 1.0)
    hypers = {"lr": 0.0, "beta2": 0.0, "interval": 1.0}
    estimates = engine.descend(
        surface, "sophia", start, 4000, hypers, options={"form": "hutchinson"}
    ).state["h"][1:]
    hessian = surface.hessian(start)
    assert len(np.unique(estimates[:, 0])) == 2  # H₁₁ ± H₁₂
    spread = 4 * abs(hessian[0, 1]) / np.sqrt(4000)
    np.testing.assert_allclose(estimates.mean(axis=0), np.diag(hessian), atol=spread)


def test_probes_follow_the_seed_and_not_the_noise() -> None:
    def h(seed: int, noise: float) -> np.ndarray:
        return engine.descend(
            "himmelblau", "sophia", (2, 1), 30, {"lr": 0.0, "interval": 1.0},
            options={"form": "hutchinson"}, seed=seed, noise=noise,
        ).state["h"]  # fmt: skip

    np.testing.assert_array_equal(h(1, 0.0), h(1, 0.5))
    assert not np.array_equal(h(1, 0.0), h(2, 0.0))


def test_eve_slows_down_where_the_objective_jumps() -> None:
    hypers = {"lr": 0.05, "beta3": 0.9}
    calm = engine.descend(BOWL(condition=2), "eve", (1, 1), 60, hypers).state["d"]
    assert calm[1] == 1.0
    jumping = engine.descend(BOWL(condition=2), "eve", (1, 1), 60, {**hypers, "lr": 1.5}).state["d"]
    assert jumping[20] > calm[20]


def test_schedule_free_answer_is_the_average_of_its_walk() -> None:
    run = engine.descend(BOWL(condition=5), "schedule_free_sgd", (3, 2), 100, {"lr": 0.05})
    z, x = run.state["z"][1:], run.state["x"][1:]
    np.testing.assert_allclose(x, np.cumsum(z, axis=0) / np.arange(1, 101)[:, None], atol=1e-12)
    # At β = 0 it is gradient descent, which keeps no average, and answers with its point.
    plain = engine.descend(
        BOWL(condition=5), "schedule_free_sgd", (3, 2), 9, {"lr": 0.05, "beta": 0}
    )
    np.testing.assert_array_equal(plain.state["x"][1:], plain.path[1:])


def test_shampoo_is_full_matrix_adagrad() -> None:
    run = engine.descend("himmelblau", "shampoo", (1, 1.5), 40, {"lr": 0.1, "eps": 1e-4})
    matrix = 1e-4 * np.eye(2)
    for t in range(40):
        g = run.gradient[t]
        matrix += np.outer(g, g)
        values, vectors = np.linalg.eigh(matrix)
        step = (vectors / np.sqrt(values)) @ vectors.T @ g
        np.testing.assert_allclose(run.path[t + 1], run.path[t] - 0.1 * step, rtol=1e-8)


# ASGD ---------------------------------------------------------------------------------------------


def test_asgd_answers_with_the_mean_of_its_last_points() -> None:
    """torch.optim.ASGD copies the point through step t₀ + 2, counted from 1, then averages on."""
    t0 = 12
    run = engine.descend("himmelblau", "asgd", (1, 1), 40, {"lambd": 0.1, "t0": t0}, noise=0.5)
    average = run.state["average"]
    np.testing.assert_allclose(average[t0 + 2], run.path[t0 + 2], rtol=1e-14)
    np.testing.assert_allclose(average[40], run.path[t0 + 2 :].mean(axis=0), rtol=1e-12)


# Muon ---------------------------------------------------------------------------------------------


@given(rows=st.integers(1, 8), columns=st.integers(1, 8), seed=st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_newton_schulz_keeps_directions_and_levels_singular_values(
    rows: int, columns: int, seed: int
) -> None:
    matrix = np.random.default_rng(seed).standard_normal((rows, columns))
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    mapped = left.T @ newton_schulz(matrix) @ right.T
    np.testing.assert_allclose(mapped, np.diag(np.diag(mapped)), atol=1e-9)
    # Singular values from 0.02 of the norm on end between 0.6 and 1.25.
    well = values > 0.02 * np.linalg.norm(values)
    assert (np.diag(mapped)[well] > 0.6).all()
    assert (np.diag(mapped)[well] < 1.25).all()


def test_newton_schulz_bears_a_zero_and_refuses_a_vector() -> None:
    np.testing.assert_array_equal(newton_schulz(np.zeros((3, 2))), np.zeros((3, 2)))
    with pytest.raises(ValueError, match="needs a matrix"):
        newton_schulz(np.ones(3))


def test_in_the_plane_muons_step_has_one_length() -> None:
    run = engine.descend("himmelblau", "muon", (1, 1), 50, {"lr": 0.01, "weight_decay": 0})
    lengths = np.linalg.norm(np.diff(run.path, axis=0), axis=1)
    np.testing.assert_allclose(lengths, lengths[0], rtol=1e-6)


# What holds for every entry -----------------------------------------------------------------------


@pytest.mark.parametrize(("slug", "options"), variants())
def test_a_rule_returns_its_state_and_what_it_shows(slug: str, options: dict[str, Any]) -> None:
    entry = OPTIMIZERS[slug]
    run = engine.descend("rosenbrock", slug, (-1.2, 1.0), 5, {"lr": 1e-3}, options=options)
    promised = {slot.name for slot in entry.slots(options)}
    assert promised <= set(run.state)
    assert set(run.state) <= promised | {slot.name for slot in entry.shown} | {"g"}
    for slot in entry.slots(options):
        assert run.state[slot.name].shape == ((6,) if slot.kind == "scalar" else (6, 2))


@pytest.mark.parametrize(("slug", "options"), variants())
def test_a_rule_descends_and_is_finite(slug: str, options: dict[str, Any]) -> None:
    run = engine.descend(
        BOWL(condition=5, rotation=20), slug, (3, 2), 300, {"lr": 0.01}, options=options
    )
    assert run.diverged_at is None
    assert run.loss[-1] < run.loss[0]


@pytest.mark.parametrize(("slug", "options"), variants())
def test_latex_placeholders_name_what_exists(slug: str, options: dict[str, Any]) -> None:
    entry: Optimizer = OPTIMIZERS[slug]
    known = {"w", "g", "t", "schedule", *(h.name for h in entry.hypers)}
    known |= {s.name for s in (*entry.slots(options), *entry.shown)}
    lines = entry.latex(SimpleNamespace(**entry.option_values(options)))
    for line in lines:
        assert line.count("{") == line.count("}"), line
        for name in re.findall(r"<([a-z_A-Z]\w*)-?>", line):
            assert name in known, (name, line)


@pytest.mark.parametrize("slug", sorted(OPTIMIZERS))
def test_an_entry_says_all_that_the_table_shows(slug: str) -> None:
    entry = OPTIMIZERS[slug]
    assert entry.slug == slug
    assert all((entry.name, entry.idea, entry.when, entry.paper, entry.typical_lr, entry.relatives))
    assert 1847 <= entry.year <= 2026
    for h in entry.hypers:
        assert h.low <= h.default <= h.high
        assert h.scale in ("linear", "log")
        assert h.scale == "linear" or h.low > 0
    names = [h.name for h in entry.hypers]
    assert len(set(names)) == len(names)


def assert_the_plain_path(slug: str, options: dict[str, Any], *, compiled: bool) -> None:
    """That a kernel for many runs ends one of them where `descend` does."""
    surface, rule = engine.LANDSCAPES["beale"], OPTIMIZERS[slug]
    chosen = rule.option_values(options)
    kernel = CellsKernel(landscape_loop(surface, rule, chosen), np.float64)
    if compiled:
        kernel.compile()
    hypers = {"lr": 1e-3} if any(h.name == "lr" for h in rule.hypers) else {}
    run = engine.descend(surface, slug, (0.5, 0.3), 100, hypers, options=options)
    inputs, _ = step_inputs(rule, chosen, 100, None, 0.0, 0)
    constants = list(rule.hyper_values(hypers).values())
    begin = [np.array([0.5]), np.array([0.3])]
    x, y, stopped = kernel.run(100, DIVERGENCE_RADIUS, 0.0, constants, inputs, begin)
    np.testing.assert_allclose((x[0], y[0]), run.path[-1], rtol=1e-10, atol=1e-12)
    assert (stopped[0] or None) == run.diverged_at


@pytest.mark.parametrize(("slug", "options"), variants())
def test_a_rule_on_lanes_ends_where_the_plain_one_does(slug: str, options: dict[str, Any]) -> None:
    assert_the_plain_path(slug, options, compiled=False)


@pytest.mark.slow
@pytest.mark.parametrize("slug", sorted(OPTIMIZERS))
def test_a_rule_compiled_ends_where_the_plain_one_does(slug: str) -> None:
    """With the last of each option's choices, whose lines the defaults lack; the compiler takes
    half a second, and what it is given is printed line by line as lanes are."""
    options = {o.name: o.choices[-1][0] for o in OPTIMIZERS[slug].options}
    assert_the_plain_path(slug, options, compiled=True)


@pytest.mark.parametrize("form", ["paper", "hutchinson", "squares", "simplified"])
def test_a_sweep_gives_each_cell_its_own_run_of_sophia(form: str) -> None:
    rates = np.array([0.001, 0.02])
    grid = engine.sweep(
        "himmelblau", "sophia", {"lr": rates}, (1, 1), 60, options={"form": form}, seed=5
    )
    for i, lr in enumerate(rates):
        run = engine.descend(
            "himmelblau", "sophia", (1, 1), 60, {"lr": lr}, options={"form": form}, seed=5
        )
        np.testing.assert_allclose(grid.final_point[i], run.path[-1], rtol=1e-9)
