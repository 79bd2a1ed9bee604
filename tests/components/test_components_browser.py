"""The stage and the controls in a real browser, on the demonstration app of this folder."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import Visitor, rerun, wait_until_settled

pytestmark = pytest.mark.browser

FEW = "/?steps=99&tracks=3"


def stage(page: Page) -> Locator:
    """The stage, once it has painted its first data."""
    root = page.locator(".dl-stage[data-seq]")
    root.wait_for()
    return root


def frame(page: Page) -> int:
    return int(stage(page).get_attribute("data-frame") or -1)


def note(page: Page) -> Locator:
    """The page's line on what Python believes."""
    return page.get_by_text(re.compile(r"^runs \d+"))


def slider(page: Page, name: str) -> Locator:
    return page.locator(f'[data-name="{name}"] .dc-range')


def number(page: Page, name: str) -> Locator:
    return page.locator(f'[data-name="{name}"] .dc-number')


def ink(page: Page, panel: str, layer: str) -> int:
    """How many pixels of a canvas are painted."""
    return int(
        page.locator(f'[data-panel="{panel}"] .dl-{layer}').evaluate(
            """canvas => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height)
               .data.filter((value, i) => i % 4 === 3 && value > 0).length"""
        )
    )


def middle(page: Page, panel: str) -> tuple[float, float]:
    """The middle of a panel's axes."""
    x, y = page.locator(f'[data-panel="{panel}"] .dl-graph').evaluate(
        """graph => {
          const { left, right, top, bottom } = graph.chart
          const box = graph.getBoundingClientRect()
          return [box.left + (left + right) / 2, box.top + (top + bottom) / 2]
        }"""
    )
    return float(x), float(y)


def grip(locator: Locator) -> tuple[float, float]:
    box = locator.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_it_rests_on_the_last_frame_with_everything_drawn(demo: Visitor) -> None:
    page = demo(FEW)
    expect(stage(page)).to_have_attribute("data-frame", "99")
    expect(page.locator(".dl-count")).to_have_text("99 / 99")
    assert ink(page, "plane", "trail") > 500
    assert ink(page, "loss", "head") > 50
    assert page.locator(".dl-legend li").all_text_contents() == ["run 1", "run 2", "run 3"]


def test_it_plays_to_the_end_and_says_so(demo: Visitor) -> None:
    page = demo(FEW + "&seconds=0.5")
    page.get_by_role("button", name="Play", exact=True).click()
    expect(stage(page)).to_have_attribute("data-playing", "true")
    expect(stage(page)).to_have_attribute("data-playing", "false")
    assert frame(page) == 99
    expect(page.locator(".dl-live")).to_contain_text("step 99 of 99.")


def test_autoplay_starts_by_itself_unless_motion_is_unwanted(demo: Visitor) -> None:
    page = demo(FEW + "&autoplay=1&seconds=60")
    expect(stage(page)).to_have_attribute("data-playing", "true")
    still = demo(FEW + "&autoplay=1&seconds=60", reduced_motion="reduce")
    expect(stage(still)).to_have_attribute("data-frame", "99")
    assert stage(still).get_attribute("data-playing") != "true"


def test_stepping_and_scrubbing(demo: Visitor) -> None:
    page = demo(FEW)
    assert frame(page) == 99
    page.get_by_role("button", name="First step").click()
    assert frame(page) == 0
    nothing = ink(page, "plane", "trail")
    for _ in range(3):
        page.get_by_role("button", name="Step forward").click()
    page.get_by_role("button", name="Step back").click()
    assert frame(page) == 2
    page.locator(".dl-scrub").fill("40")
    assert frame(page) == 40
    assert ink(page, "plane", "trail") > nothing
    expect(note(page)).to_contain_text("frame 40")  # reported to Python


def test_keys(demo: Visitor) -> None:
    page = demo(FEW + "&seconds=60")
    stage(page).focus()
    for key, expected in (
        ("Home", 0), ("ArrowRight", 1), ("Shift+ArrowRight", 11), ("ArrowLeft", 10), ("End", 99),
        ("Shift+ArrowLeft", 89),
    ):  # fmt: skip
        page.keyboard.press(key)
        assert frame(page) == expected, key
    page.keyboard.press("l")
    expect(page.get_by_role("button", name="Loop")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press(" ")
    expect(stage(page)).to_have_attribute("data-playing", "true")
    page.keyboard.press(" ")
    expect(stage(page)).to_have_attribute("data-playing", "false")


def test_a_loop_begins_again(demo: Visitor) -> None:
    page = demo(FEW + "&seconds=0.3")
    page.get_by_role("button", name="Loop").click()
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_function(
        """() => {
          const frame = Number(document.querySelector(".dl-stage").dataset.frame)
          window.peak = Math.max(window.peak ?? 0, frame)
          return window.peak === 99 && frame < 50
        }"""
    )


def test_a_click_on_the_plane_reaches_python(demo: Visitor) -> None:
    page = demo(FEW)
    x, y = middle(page, "plane")
    with rerun(page):
        page.mouse.click(x, y)
    expect(note(page)).to_contain_text("event Event(panel='plane', id='', kind='click'")
    assert _event(page) == pytest.approx((0.0, 0.0), abs=0.02)


def test_a_click_on_the_chart_moves_the_clock(demo: Visitor) -> None:
    page = demo(FEW)
    x, y = middle(page, "loss")
    page.mouse.click(x, y)
    assert frame(page) == pytest.approx(50, abs=1)


def test_zoom_is_kept_when_data_changes_and_reset_by_a_double_click(demo: Visitor) -> None:
    page = demo(FEW)
    x, y = middle(page, "plane")
    page.mouse.move(x - 80, y - 60)
    page.mouse.down()
    page.mouse.move(x + 80, y + 60, steps=4)
    page.mouse.up()
    shown = "document.querySelector('[data-panel=plane] .dl-graph').chart.x.range"
    span = f"() => {{ const r = {shown}; return r[1] - r[0] }}"
    page.wait_for_function(f"() => ({span})() < 2")
    before = page.evaluate(span)
    with rerun(page):
        number(page, "lr").fill("0.03")
        number(page, "lr").press("Enter")
    assert page.evaluate(span) == pytest.approx(before)
    page.mouse.dblclick(x, y)
    page.wait_for_function(f"() => ({span})() > 3.9")
    assert "click" not in (note(page).text_content() or "")


def _event(page: Page) -> tuple[float, float]:
    text = note(page).text_content() or ""
    found = re.search(r"x=([-\d.e]+), y=([-\d.e]+)", text)
    assert found, text
    return float(found[1]), float(found[2])


def test_a_handle_is_dragged_and_dropped(demo: Visitor) -> None:
    page = demo(FEW)
    stage(page)
    handle = page.get_by_role("button", name=re.compile("^start"))
    x, y = grip(handle)
    trail = ink(page, "plane", "trail")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y + 40, steps=6)
    page.mouse.move(x + 120, y + 80, steps=6)
    page.mouse.up()
    expect(note(page)).to_contain_text("kind='drop'")
    wait_until_settled(page)
    assert grip(handle) == pytest.approx((x + 120, y + 80), abs=1)
    assert ink(page, "plane", "trail") != trail


def test_a_handle_moves_by_keys(demo: Visitor) -> None:
    page = demo("/?scene=other")
    stage(page)
    point = page.get_by_role("slider", name="z", exact=True)
    expect(point).to_have_attribute("aria-valuetext", "1")
    point.focus()
    page.keyboard.press("ArrowRight")
    expect(point).to_have_attribute("aria-valuetext", "1.16")
    expect(note(page)).to_contain_text("kind='drop', x=1.16")
    for _ in range(6):
        page.keyboard.press("Shift+ArrowRight")
    expect(point).to_have_attribute("aria-valuetext", "6")  # its bound


def test_dragging_a_slider_changes_the_picture_while_it_is_held(demo: Visitor) -> None:
    page = demo(FEW)
    seq = int(stage(page).get_attribute("data-seq") or 0)
    x, y = grip(slider(page, "lr"))
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 30, y, steps=10)
    expect(note(page)).to_contain_text("committed False")
    assert int(stage(page).get_attribute("data-seq") or 0) > seq
    page.mouse.up()
    expect(note(page)).to_contain_text("committed True")
    shown = float(number(page, "lr").input_value())
    expect(note(page)).to_contain_text(f"lr {shown:.5g}")


def test_one_request_at_a_time_and_the_last_one_wins(demo: Visitor) -> None:
    page = demo(FEW)
    stage(page)
    runs = int(re.findall(r"\d+", note(page).text_content() or "")[0])
    x, y = grip(slider(page, "beta"))
    page.mouse.move(x, y)
    page.mouse.down()
    for i in range(120):
        page.mouse.move(x - i / 2, y)
    page.mouse.up()
    expect(note(page)).to_contain_text("committed True")
    wait_until_settled(page)
    after = int(re.findall(r"\d+", note(page).text_content() or "")[0])
    assert 1 < after - runs < 115
    value = page.evaluate(
        "document.querySelector('.dl-stage') && "
        "[...document.querySelectorAll('*')].map(e => e.shadowRoot).find(Boolean)"
        ".querySelector('[data-name=beta] .dc-number').value"
    )
    assert value == number(page, "beta").input_value()


def test_slider_keys_commit_once_they_rest(demo: Visitor) -> None:
    page = demo(FEW)
    stage(page)
    slider(page, "lr").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    shown = 1e-4 * 1e4 ** (0.5752574989 + 0.02)  # two hundredths of four decades on from 0.02
    expect(number(page, "lr")).to_have_value(f"{shown:.4g}")
    expect(note(page)).to_contain_text("committed True")
    expect(note(page)).to_contain_text(f"lr {float(f'{shown:.4g}'):.5g}")
    expect(slider(page, "lr")).to_have_attribute("aria-valuetext", re.compile(r"^0\.024"))


@pytest.mark.parametrize(
    ("typed", "becomes", "message"),
    [
        ("3e-4", "0.0003", ""),
        ("0,05", "0.05", ""),
        ("7", "1", "The range is 0.0001 to 1."),
        ("fast", "0.02", "“fast” is not a number; kept 0.02."),
    ],
)
def test_typing_a_number(demo: Visitor, typed: str, becomes: str, message: str) -> None:
    page = demo(FEW)
    stage(page)
    number(page, "lr").fill(typed)
    number(page, "lr").press("Enter")
    expect(number(page, "lr")).to_have_value(becomes)
    expect(page.locator('[data-name="lr"] .dc-message')).to_have_text(message)
    expect(note(page)).to_contain_text(f"lr {float(becomes):.5g} ")


def test_the_callers_value_wins_and_the_label_resets(demo: Visitor) -> None:
    page = demo(FEW)
    stage(page)
    number(page, "lr").fill("0.3")
    number(page, "lr").press("Enter")
    expect(note(page)).to_contain_text("lr 0.3 ")
    page.get_by_role("button", name="preset").click()
    expect(number(page, "lr")).to_have_value("0.05")
    expect(note(page)).to_contain_text("lr 0.05 ")
    page.locator('[data-name="lr"] .dc-label').dblclick()
    expect(number(page, "lr")).to_have_value("0.02")
    expect(note(page)).to_contain_text("lr 0.02 ")


def test_switch_choice_action_help_and_folding(demo: Visitor) -> None:
    page = demo(FEW)
    stage(page)
    with rerun(page):
        page.get_by_role("switch", name="gradient arrows").uncheck()
    with rerun(page):
        page.get_by_role("combobox", name="convention").select_option("mean")
    expect(page.get_by_role("combobox", name="convention")).to_have_value("mean")
    expect(page.get_by_role("switch", name="gradient arrows")).not_to_be_checked()
    page.get_by_role("button", name="Duplicate: Momentum").click()
    expect(note(page)).to_contain_text("action ('shared', 'copy')")
    page.get_by_role("button", name="About learning rate").click()
    expect(page.get_by_text("How far one step goes.")).to_be_visible()
    fold = page.get_by_role("button", name=re.compile("^Momentum"))
    fold.click()
    expect(fold).to_have_attribute("aria-expanded", "false")
    expect(slider(page, "lr")).to_be_hidden()
    expect(page.locator(".dc-brief").first).to_contain_text("η 0.02, β 0.9")


def test_narrow_pages_show_one_panel_at_a_time_and_never_scroll_sideways(demo: Visitor) -> None:
    page = demo(FEW, width=360, touch=True)
    stage(page)
    plane, loss = (page.locator(f'[data-panel="{name}"]') for name in ("plane", "loss"))
    expect(plane).to_be_visible()
    expect(loss).to_be_hidden()
    page.get_by_role("tab").nth(1).click()
    expect(loss).to_be_visible()
    expect(plane).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    box = slider(page, "lr").bounding_box()
    assert box is not None
    assert box["height"] >= 40


def test_colours_follow_the_theme_live(demo: Visitor) -> None:
    page = demo(FEW)
    stage(page)
    colour = "document.querySelector('[data-panel=plane] .dl-graph').chart.theme.text"
    light = page.evaluate(colour)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"() => {colour} !== {light!r}")
    assert ink(page, "plane", "trail") > 500


def test_rasters_answer_to_the_pointer(demo: Visitor) -> None:
    page = demo("/?scene=other")
    stage(page)
    assert ink(page, "map", "below") > 10_000
    page.mouse.move(*middle(page, "map"))
    expect(page.locator('[data-panel="map"] .dl-tip')).to_have_text(re.compile(r"^loss [\d.e-]+$"))


def test_paths_follow_the_camera_of_a_scene(demo: Visitor) -> None:
    page = demo("/?scene=surface&steps=99&tracks=2")
    stage(page)
    page.wait_for_function(
        """() => {
          const canvas = document.querySelector("[data-panel=scene] .dl-trail")
          const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height)
          return pixels.data.some((value) => value > 0)
        }"""
    )
    picture = "document.querySelector('[data-panel=scene] .dl-trail').toDataURL()"
    before = page.evaluate(picture)
    x, y = grip(page.locator('[data-panel="scene"] .dl-graph'))
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y + 10, steps=4)
    page.mouse.up()
    page.wait_for_function(f"before => {picture} !== before", arg=before)
    camera = "JSON.stringify(document.querySelector('[data-panel=scene] .dl-graph')"
    camera += "._fullLayout.scene.camera.eye)"
    turned = page.evaluate(camera)
    with rerun(page):
        number(page, "lr").fill("0.01")
        number(page, "lr").press("Enter")
    assert page.evaluate(camera) == turned


def test_what_a_stage_took_it_gives_back(demo: Visitor) -> None:
    page = demo(FEW + "&autoplay=1&seconds=60")
    expect(stage(page)).to_have_attribute("data-playing", "true")
    page.get_by_role("button", name="hide").click()
    expect(page.locator(".dl-stage")).to_have_count(0)
    page.get_by_role("button", name="hide").click()
    stage(page)
    page.get_by_role("button", name="Last step").click()
    assert ink(page, "plane", "trail") > 500  # arrays sent before are still held
