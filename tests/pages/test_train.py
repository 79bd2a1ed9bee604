"""Train a network: what goes to the browser, what presets claim, and a training in Chromium."""

from __future__ import annotations

import base64
import math
import re
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from engine.optimizers import OPTIMIZERS
from engine.optimizers.typed import EXAMPLES
from engine.problems.data import Split, expanded, read_csv, split, table
from engine.problems.networks import MLP
from engine.runs.learning import Training
from pages import entrants
from pages.entrants import Entrants, parse_entrants
from pages.train_presets import PRESETS
from tests.browser import Visitor
from tests.pages.programs import component_data
from tests.pages.running import markdown, moved, open_page, tables


def picture(page: Any) -> dict[str, Any]:
    """What the training's component was given."""
    assert not page.exception
    return next(d for d in component_data(page) if "runs" in d and "shared" in d)


def numbers_of(blob: dict[str, Any]) -> np.ndarray:
    """An array as it goes to the browser."""
    raw = base64.b64decode(blob["b64"])
    return np.frombuffer(raw, {"f4": "<f4", "f8": "<f8"}[blob["dtype"]])


def controls(page: Any) -> list[dict[str, Any]]:
    """The controls that the page shows."""
    return [i for d in component_data(page) for g in d.get("groups", ()) for i in g["items"]]


def preset_named(name: str) -> dict[str, str]:
    """A preset's link."""
    return next(dict(preset.link) for preset in PRESETS if preset.name == name)


def trained(link: dict[str, str], until: int | None = None) -> list[Training]:
    """The competitors of a link as Python trains them, in double precision, to the end."""
    seed, name = int(link.get("seed", 0)), link.get("data", "two_moons")
    drawn = name, int(link.get("n", 200)), float(link.get("noise", 0.15)), seed
    source = read_csv(expanded(link["table"])) if name == "pasted" else table(*drawn)
    data: Split = split(source, seed=seed)
    width, depth = int(link.get("width", 16)), int(link.get("depth", 2))
    steps = int(link.get("steps", 600))
    runs = []
    for entrant in parse_entrants(link.get("runs", "sgd:lr=0.1;momentum:lr=0.1;adam:lr=0.01")):
        own = entrant.value("activation")
        activation = link.get("activation", "tanh") if own == entrants.OF_ALL else own
        network = MLP((data.features, *[width] * depth, data.outputs), activation)
        run = Training(network, data, entrant.competitor, steps=steps, seed=seed, dtype=np.float64)
        run.advance(until or steps)
        runs.append(run)
    return runs


def accuracies(runs: list[Training]) -> list[float]:
    return [run.measured().accuracy for run in runs]


# Presets ------------------------------------------------------------------------------------------


def test_three_rules_on_two_moons() -> None:
    sgd, momentum, adam = accuracies(trained(preset_named("Three rules, two moons")))
    assert sgd < 0.95
    assert min(momentum, adam) > 0.98


def test_too_large_a_rate_ends_in_no_number_or_learns_nothing() -> None:
    link = preset_named("Learning rate too large")
    ends, wanders, learns = trained(link)
    assert ends.diverged_at is not None
    assert ends.diverged_at < 30
    assert math.isnan(ends.measured().accuracy)
    before = [loss for loss in ends.losses if math.isfinite(loss)]
    assert before[-1] > 1e6 * before[0]
    assert wanders.diverged_at is None
    assert wanders.measured().accuracy < 0.6
    assert learns.measured().accuracy > 0.9


def silent(run: Training) -> list[float]:
    """The share of each hidden layer's ReLUs that no example switches on."""
    h, weights, found = run.split.x, run.trainer.tensors, []
    for i in range(0, len(weights) - 2, 2):
        h = np.maximum(h @ weights[i] + weights[i + 1], 0.0)
        found.append(float(np.mean(h.max(0) == 0)))
    return found


def test_long_steps_leave_a_whole_layer_dead() -> None:
    dead, alive = trained(preset_named("Dead ReLU"))
    assert silent(dead)[1] == 1.0
    assert dead.measured().accuracy <= 0.5
    assert max(silent(alive)) < 0.5
    assert alive.measured().accuracy > 0.95


def test_zero_weights_move_nothing_but_the_last_bias() -> None:
    zero, drawn = trained(preset_named("All weights zero"))
    assert all(not w.any() for w in zero.trainer.tensors[:-1])
    assert zero.measured().accuracy <= 0.5
    assert drawn.measured().accuracy > 0.98


def test_squared_error_stays_where_it_is_certain_and_wrong() -> None:
    squared, entropy = accuracies(trained(preset_named("Saturated squared error")))
    assert squared < 0.75
    assert entropy > 0.98


def test_sorted_examples_are_forgotten_in_turn() -> None:
    link = preset_named("No shuffling")
    sorted_by_class, shuffled = trained(link)
    assert shuffled.measured().test_accuracy > 0.95
    assert sorted_by_class.measured().test_accuracy < 0.8
    # A hundred batches of one class, then a hundred of the other.
    assert len({*sorted_by_class.batches.epoch(0)[:400]}) == 400
    assert set(sorted_by_class.split.y[sorted_by_class.order[:250]]) == {0}


def test_adam_finds_the_spirals_five_times_sooner() -> None:
    link = preset_named("Spirals")
    early = accuracies(trained(link, 300))
    assert early[1] > 0.95 > 0.7 > early[0]
    assert early[2] > 0.95
    assert accuracies(trained(link))[0] > 0.95


def test_the_digits_are_told_apart() -> None:
    assert all(run.measured().test_accuracy > 0.94 for run in trained(preset_named("Digits")))


def test_three_layers_of_sigmoids_stay_straight() -> None:
    sigmoid, tanh, relu = accuracies(trained(preset_named("Slopes of a quarter")))
    assert sigmoid < 0.95
    assert min(tanh, relu) > 0.99


def test_a_typed_rule_of_signs_leaves_the_flat() -> None:
    signs, squared = accuracies(trained(preset_named("A rule of your own")))
    assert signs > 0.98
    assert squared < 0.75


def test_the_hidden_matrices_alone_do_not_tell_spirals_apart() -> None:
    both, matrices, adamw = trained(preset_named("Groups: Muon and AdamW"))
    assert matrices.measured().accuracy < 0.8
    assert both.measured().accuracy > 0.99
    assert both.measured().loss < adamw.measured().loss / 5


def test_sam_gives_up_the_odd_points() -> None:
    adam, sam = trained(preset_named("SAM among noise"))
    assert adam.measured().accuracy == 1.0
    assert adam.measured().test_loss > 0.8 > 0.5 > sam.measured().test_loss
    assert sam.trainer.evaluations == 2 * adam.trainer.evaluations


def test_the_average_does_better_than_where_the_weights_stand() -> None:
    now, averaged = (run.measured() for run in trained(preset_named("Averaged weights")))
    assert averaged.loss < 0.7 * now.loss
    assert averaged.test_loss < 0.7 * now.test_loss


def test_clipped_gradients_leave_units_alive() -> None:
    dead, clipped = trained(preset_named("Clipped gradients"))
    assert silent(dead)[1] == 1.0
    assert dead.measured().loss == pytest.approx(math.log(2), abs=0.01)
    assert clipped.measured().accuracy == 1.0


def test_a_table_of_checks_is_learned() -> None:
    runs = trained(preset_named("A table of yours"))
    assert len(runs[0].split.y) == 18
    assert accuracies(runs) == [1.0, 1.0]


# What goes to the browser -------------------------------------------------------------------------


def test_it_opens_with_three_competitors_at_the_same_weights() -> None:
    data = picture(open_page("train"))
    assert [run["name"] for run in data["runs"]] == ["SGD", "Momentum", "Adam"]
    assert len({run["kept"][0]["b64"] for run in data["runs"]}) == 1
    assert data["autoplay"]
    assert [n for n, _ in data["runs"][2]["hypers"]][:1] == ["2/lr"]


def test_a_click_adds_to_what_is_learned_and_keeps_the_weights() -> None:
    before = picture(page := open_page("train"))
    after = picture(moved(page, "train", own=(0.5, 0.25, 1.0, -1.0, 0.5, 0.0)))
    assert after["learned"] == before["learned"] + 2
    assert after["base"] == before["base"]
    assert after["mark"] != before["mark"]
    assert after["own"] == 6


def test_other_data_begin_anew() -> None:
    first = picture(open_page("train"))
    for link in ({"seed": "1"}, {"data": "xor"}, {"width": "8"}, {"activation": "relu"}):
        assert picture(open_page("train", **link))["base"] != first["base"]


def test_digits_have_tables_in_place_of_a_plane() -> None:
    data = picture(open_page("train", data="digits", width="8", depth="1", runs="sgd:lr=0.1"))
    assert data["shared"]["side"] == 0
    assert (data["shared"]["outputs"], data["shared"]["features"]) == (10, 64)


def test_a_loss_for_two_classes_gives_way_on_three() -> None:
    data = picture(open_page("train", data="iris", runs="adam:loss=hinge"))
    assert "cross-entropy" in data["lossTitle"]


def test_a_rule_that_takes_roots_of_matrices_trains_too() -> None:
    page = open_page("train", runs="adam;shampoo:lr=0.1")
    assert len(picture(page)["runs"]) == 2
    assert "Shampoo" not in markdown(page)


def test_a_pasted_table_is_learned_and_a_wrong_one_says_why() -> None:
    page = open_page("train", data="pasted")
    assert "two moons" in markdown(page)
    wrong = page.text_area[0].set_value("1,2,a\n3,x,b").run()
    assert "row 2: 'x' is not a number" in wrong.error[0].value
    rows = "\n".join(f"{i % 7},{i * i % 11},{'abc'[i % 3]}" for i in range(40))
    data = picture(page.text_area[0].set_value(rows).run())
    assert data["shared"]["classes"] == ["a", "b", "c"]
    assert data["shared"]["outputs"] == 3


@pytest.mark.parametrize(
    "text",
    [
        "",
        "newton",
        "adam:batch=7",
        "adam:loss=guess",
        "sgd:lr=99",
        "adam;" * 7,
        "typed~w%3Dw-clip*g",
        "typed~w%3D(",
        "adam:activation=guess",
        "x" * 99,
    ],
)
def test_what_cannot_train_is_refused_in_the_link(text: str) -> None:
    page = open_page("train", runs=text)
    assert not page.exception
    assert "runs" in " ".join(w.value for w in page.warning)


def test_a_typed_rule_trains_as_the_rule_that_it_is() -> None:
    text = quote(EXAMPLES["Adam"], safe="")
    page = open_page("train", runs=f"typed~{text}:lr=0.01;adam:lr=0.01", steps="50")
    data = picture(page)
    assert [run["name"] for run in data["runs"]] == ["Typed rule", "Adam"]
    typed, adam = (numbers_of(run["losses"]) for run in data["runs"])
    np.testing.assert_allclose(typed, adam, rtol=1e-9)
    wrong = page.text_area[0].set_value("w = w - batch*g").run()
    assert "setting of every training" in wrong.error[0].value
    after = picture(page.text_area[0].set_value("w = w - 2*lr*g").run())
    assert numbers_of(after["runs"][0]["losses"])[-1] != typed[-1]


def test_a_rule_that_leaves_all_numbers_is_left_out_and_said() -> None:
    page = open_page("train", runs=f"typed~{quote('w = w - lr*g*1e10**t')};sgd", steps="60")
    assert not page.exception
    assert "Typed rule" in markdown(page) or len(picture(page)["runs"]) == 2


def test_an_activation_of_ones_own_is_another_network() -> None:
    data = picture(open_page("train", runs="sgd:lr=0.1;sgd:lr=0.1,activation=relu", steps="20"))
    plain, other = (numbers_of(run["losses"]) for run in data["runs"])
    relu = picture(open_page("train", runs="sgd:lr=0.1", activation="relu", steps="20"))
    np.testing.assert_array_equal(other, numbers_of(relu["runs"][0]["losses"]))
    assert plain[-1] != other[-1]


def test_the_rate_of_what_muon_leaves_is_a_field() -> None:
    first, second = (
        picture(open_page("train", runs=f"muon:lr=0.1,rest={rate}", steps="20"))["runs"][0]
        for rate in ("0.01", "0.05")
    )
    assert ["0/rest", 0.05] in [list(pair) for pair in second["hypers"]]
    assert numbers_of(first["losses"])[-1] != numbers_of(second["losses"])[-1]
    items = {item["name"]: item for item in controls(open_page("train", runs="muon;adam"))}
    assert {"0/rest", "0/rest_by"} <= set(items)
    assert not {"1/rest", "1/rest_by"} & set(items)
    assert "muon" not in [slug for slug, _ in items["0/rest_by"]["options"]]


@pytest.mark.parametrize("rest", ["momentum", "kron"])  # the latter draws signs
def test_what_muon_leaves_goes_to_the_rule_of_choice(rest: str) -> None:
    link = {"runs": f"muon:lr=0.1,rest_by={rest}", "steps": "20", "depth": "3"}
    (run,) = trained(link)
    muon, other = run.trainer.groups
    assert (muon.members, other.optimizer.slug, other.hypers["lr"]) == ((2, 4), rest, 0.01)
    (shown,) = picture(open_page("train", **link))["runs"]
    np.testing.assert_allclose(numbers_of(shown["losses"]), run.losses)


def test_a_smoothed_label_meets_focal_loss() -> None:
    assert picture(open_page("train", runs="sgd:loss=focal,smoothing=0.2", steps="20"))["runs"]


ROWS = "~".join(f"{i % 7},{i * i % 11},{'abc'[i % 3]}" for i in range(40))


def test_a_small_table_is_a_part_of_the_link_and_any_class_is_added() -> None:
    page = open_page("train", data="pasted", table=ROWS, adds="2", runs="sgd:lr=0.1", steps="20")
    data = picture(page)
    assert data["shared"]["classes"] == ["a", "b", "c"]
    adds = next(item for item in controls(page) if item["name"] == "adds")
    assert [label for _, label in adds["options"]] == ["a", "b", "c"]
    after = picture(moved(page, "train", own=(1.0, 1.0, 2.0)))
    assert after["learned"] == data["learned"] + 1


@pytest.mark.parametrize("text", ["1,2", "1,2,a~3,x,b", "1,2,a~" * 900])
def test_a_table_that_cannot_be_used_is_named_in_the_link(text: str) -> None:
    page = open_page("train", data="pasted", table=text, runs="sgd", steps="20")
    assert not page.exception
    assert "table" in page.warning[0].value


def test_what_each_keeps_and_asks_for_is_counted() -> None:
    page = open_page("train", runs="sgd;adam;sam~sgd;sgd:ema=0.9;soap", steps="20")
    rows = re.findall(r"<tr>(.*?)</tr>", tables(page), re.DOTALL)
    found = [re.findall(r"<td>([^<]*)</td>", row)[-4:] for row in rows[-5:]]
    kept = [row[0].replace("\u202f", "") for row in found]
    # Two moons, 2 → 16 → 16 → 1: 337 weights; SOAP keeps two of each, and four squares of matrices.
    squares = 2 * (2**2 + 16**2 + 16**2 + 16**2 + 16**2 + 1)
    assert kept == ["0", "674", "0", "337", str(2 * 337 + squares + 1)]
    assert [row[-1] for row in found] == ["1", "1", "2", "1", "1"]


def test_competitors_are_written_and_read() -> None:
    field = Entrants("runs", "adam")
    text = "adam:lr=0.02,batch=4,loss=mse,init=he,schedule=cosine,shuffle=0,l2=0.01,ema=0.9;sgd"
    assert field.format(field.parse(text)) == text
    back = field.put(field.parse(text), "1/dropout", 2.0)
    assert field.format(back).endswith("sgd:dropout=0.8")
    with pytest.raises(ValueError, match="no competitor"):
        field.put(back, "5/lr", 0.1)


@pytest.mark.browser
def test_a_dropped_file_is_learned_and_linked(visit: Visitor) -> None:
    page = visit("/train?data=pasted&runs=sgd:lr=0.1&steps=30")
    page.locator("input[accept^='.csv']").set_input_files(
        {"name": "own.csv", "mimeType": "text/csv", "buffer": ROWS.replace("~", "\n").encode()}
    )
    page.wait_for_url("**table=**")
    expect(page.get_by_text("learns 21 examples")).to_be_visible()


# In a browser -------------------------------------------------------------------------------------

PICTURE = ".dt-training[data-step]"


def stand(page: Page, name: str) -> float:
    return float(page.locator(PICTURE).get_attribute(f"data-{name}") or "nan")


@pytest.mark.browser
def test_it_trains_in_the_browser_as_python_does_and_follows_the_hand(visit: Visitor) -> None:
    page = visit("/train?steps=150&runs=momentum:lr=0.1;adam:lr=0.01")
    page.wait_for_function(
        f"() => Number(document.querySelector('{PICTURE}')?.dataset.step) === 150"
    )
    assert stand(page, "worst") < 1e-6
    expect(page.get_by_text("equals Python's to a millionth")).to_be_visible()
    # One step back to the start, then one step at a time.
    page.locator('.dt-training [data-act="first"]').click()
    page.wait_for_function(f"() => Number(document.querySelector('{PICTURE}').dataset.step) === 0")
    page.locator('.dt-training [data-act="forward"]').click()
    page.wait_for_function(f"() => Number(document.querySelector('{PICTURE}').dataset.step) === 1")
    # A click adds a point: the link has it, and the weights stay where they are.
    canvas = page.locator(".dt-plane canvas").first
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_url("**own=**")
    page.wait_for_timeout(500)
    assert stand(page, "step") == 1
    workers = page.workers
    assert len(workers) == 1
    # Whoever leaves takes the training along.
    page.get_by_test_id("stTopNavSection").get_by_text("Optimizers", exact=True).click()
    page.get_by_test_id("stTopNavLinkContainer").get_by_text("Race", exact=True).click()
    page.wait_for_selector(".dl-stage[data-frame]")
    page.wait_for_timeout(300)
    assert not [w for w in page.workers if w in workers]


def test_no_rules_own_setting_has_the_name_of_a_trainings() -> None:
    """Else two controls of a competitor would share a name, and its link would be read wrongly."""
    for slug in entrants.TRAINABLE:
        rule = OPTIMIZERS[slug]
        names = {h.name for h in rule.hypers} | {o.name for o in rule.options}
        assert not names & set(entrants.SETTINGS), slug
