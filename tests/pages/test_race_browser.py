"""The race page in a real browser: what follows the hand, the clock, the link and the frame."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Frame, Locator, Page, expect

from tests.browser import (
    Visitor,
    count_reruns,
    rerun,
    serve_app,
    wait_until_lost,
    wait_until_settled,
)
from tests.conftest import PATIENCE_MS

pytestmark = pytest.mark.browser

STAGE = ".dl-stage[data-seq]"
NUMBERS = "table.numbers"


def stage(view: Page | Frame) -> Locator:
    """The stage, once it has painted."""
    found = view.locator(STAGE)
    found.wait_for()
    return found


def frame_of(view: Page | Frame) -> int:
    return int(stage(view).get_attribute("data-frame") or -1)


def press(view: Page | Frame, act: str) -> None:
    stage(view).locator(f'[data-act="{act}"]').click()


def slider(view: Page | Frame, name: str) -> Locator:
    return view.locator(f'[data-name="{name}"] .dc-range').first


def number(view: Page | Frame, name: str) -> Locator:
    return view.locator(f'[data-name="{name}"] .dc-number').first


def set_number(page: Page, name: str, value: str) -> None:
    """Type a number into a control and wait until the address says so."""
    field = number(page, name)
    field.fill(value)
    field.press("Enter")
    page.wait_for_url(re.compile(rf"[?&]{re.escape(name)}={re.escape(value)}(&|$)"))
    wait_until_settled(page)


def query(page: Page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


@contextmanager
def grip(page: Page, handle: Locator) -> Iterator[tuple[float, float]]:
    """Hold a thing by its middle, once it stands still, while the body runs."""
    handle.hover()
    box = handle.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    yield x, y
    page.mouse.up()


def watch(view: Page | Frame) -> None:
    """From now on note which move of the hand the picture shows."""
    stage(view)
    view.evaluate(
        "addEventListener('descent:painted', (e) => (window.shownMove = e.detail.version))"
    )


def wait_for_move(view: Page | Frame, after: int) -> int:
    """Wait until the picture shows a later move of the hand than that; give its number."""
    view.wait_for_function(f"() => (window.shownMove ?? 0) > {after}")
    return int(view.evaluate("window.shownMove"))


def wait_for_another(picture: Locator, seen: set[bytes]) -> bytes:
    """Wait until it looks otherwise than ever before, and give how it looks."""
    end = time.monotonic() + PATIENCE_MS / 1000
    while (now := picture.screenshot()) in seen:
        assert time.monotonic() < end, "the picture does not follow the hand"
    return now


# Links --------------------------------------------------------------------------------------------


def test_a_cold_deep_link_restores_the_experiment(visit: Visitor) -> None:
    page = visit(
        "/race?on=himmelblau&runs=adam:lr=0.3;sgd:lr=0.01&same=0&start=1,-2&steps=80&lock=noise"
    )
    stage(page)
    expect(number(page, "steps")).to_have_value("80")
    expect(number(page, "0/lr")).to_have_value("0.3")
    expect(number(page, "1/lr")).to_have_value("0.01")
    expect(number(page, "noise")).to_be_disabled()
    expect(page.locator('[data-handle="start"]')).to_have_accessible_name(re.compile(r"x 1, y −2"))
    expect(page.locator(NUMBERS)).to_contain_text("Adam")
    expect(page.get_by_role("combobox", name="landscape")).to_have_value("himmelblau")


def test_first_visits_in_number_open_as_the_page_says(visit: Visitor) -> None:
    """Readers without a session or a cache, all at once: none is shown another choice."""
    first = {"map": "coloured by loss", "race": "overlaid"}
    coming = [
        (said, visit(f"/{name}", first=True, wait=False))
        for name, said in first.items()
        for _ in "12345"
    ]
    for said, page in coming:
        stage(page)
        wait_until_settled(page)
        expect(page.locator(".dl-lead")).to_contain_text(said)
        assert "?" not in page.url
        page.close()


def test_a_link_of_the_race_to_the_root_leads_to_the_race(visit: Visitor) -> None:
    page = visit("/?lr=0.021&view=overlaid&target=0.02")
    page.wait_for_url(re.compile("/race"))
    expect(number(page, "lr")).to_have_value("0.021")
    expect(page.locator("p.told")).to_contain_text("1.05 times the stability limit")


@pytest.mark.parametrize("link", ["lr=banana&steps=-3&runs=sdg", "start=nan,1&on=%3Cb%3E&view=4-D"])
def test_bad_values_are_named_and_the_race_goes_on(visit: Visitor, link: str) -> None:
    page = visit(f"/race?{link}")
    stage(page)
    notices = page.get_by_test_id("stAlert")
    assert notices.count() == 3
    for name in parse_qs(link):
        assert any(name in text for text in notices.all_inner_texts())
    expect(page.locator(NUMBERS)).to_contain_text("Momentum")


def test_back_and_forward_restore_the_state(visit: Visitor) -> None:
    page = visit("/race?lr=0.02")
    stage(page)
    set_number(page, "lr", "0.005")
    set_number(page, "lr", "0.007")
    with rerun(page):
        page.get_by_role("combobox", name="view").select_option("side by side")
    page.wait_for_url(re.compile("view=side"))
    planes = page.locator('[data-panel^="plane"]')
    expect(planes).to_have_count(2)

    page.go_back()
    expect(planes).to_have_count(1)
    expect(number(page, "lr")).to_have_value("0.007")
    page.go_back()
    expect(number(page, "lr")).to_have_value("0.005")
    page.go_back()
    expect(number(page, "lr")).to_have_value("0.02")
    page.go_forward()
    expect(number(page, "lr")).to_have_value("0.005")
    page.go_forward()
    page.go_forward()
    expect(planes).to_have_count(2)
    assert query(page) == {"lr": "0.007", "view": "side by side"}


def test_a_bad_link_does_not_trap_the_way_back(visit: Visitor) -> None:
    page = visit("/softmax")
    page.goto(f"{visit.server}/race?lr=banana")
    stage(page)
    wait_until_settled(page)
    page.go_back()
    page.wait_for_url("**/softmax")


def choose_page(page: Page, section: str, title: str) -> None:
    """Go to another page by the navigation, as a reader does."""
    page.get_by_test_id("stTopNavSection").get_by_text(section, exact=True).click()
    with rerun(page):
        page.get_by_test_id("stTopNavLinkContainer").get_by_text(title, exact=True).click()


def test_pages_do_not_share_their_settings_and_keep_their_own(visit: Visitor) -> None:
    page = visit("/race")
    stage(page)
    set_number(page, "lr", "0.005")
    choose_page(page, "Losses", "Softmax and temperature")
    page.wait_for_url("**/softmax")
    assert query(page) == {}
    choose_page(page, "Optimizers", "Race")
    expect(number(page, "lr")).to_have_value("0.005")
    page.wait_for_url(re.compile(r"lr=0\.005"))
    assert query(page) == {"lr": "0.005"}


# The clock ----------------------------------------------------------------------------------------


def test_it_plays_by_itself_once_and_then_at_a_click(visit: Visitor) -> None:
    page = visit("/race?steps=40")
    expect(stage(page)).to_have_attribute("data-playing", "true")
    expect(stage(page)).to_have_attribute("data-frame", "40", timeout=30_000)
    expect(stage(page)).to_have_attribute("data-playing", "false")
    asked = count_reruns(page)
    press(page, "play")
    page.wait_for_function(
        f"() => Number(document.querySelector('{STAGE}').dataset.frame) % 40 > 3"
    )
    press(page, "play")
    expect(stage(page)).to_have_attribute("data-playing", "false")
    assert asked() == 0, "playing costs the server nothing"


def test_it_scrubs_and_steps(visit: Visitor) -> None:
    page = visit("/race", reduced_motion="reduce")
    assert frame_of(page) == 120, "who prefers no motion sees the end"
    stage(page).locator(".dl-scrub").fill("30")
    assert frame_of(page) == 30
    press(page, "forward")
    press(page, "forward")
    press(page, "back")
    assert frame_of(page) == 31
    stage(page).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowLeft")
    assert frame_of(page) == 22
    page.keyboard.press("Home")
    assert frame_of(page) == 0


# The hand -----------------------------------------------------------------------------------------


def test_dragging_a_slider_changes_the_picture_under_the_hand(visit: Visitor) -> None:
    page = visit("/race", reduced_motion="reduce")
    watch(page)
    with grip(page, slider(page, "lr")) as (x, y):
        seen = 0
        for move in range(1, 5):
            page.mouse.move(x + 6 * move, y)
            seen = wait_for_move(page, seen)
        assert query(page) == {}, "the link waits for the hand"
    page.wait_for_url(re.compile(r"lr=0\.0\d+"))
    assert float(query(page)["lr"]) > 0.0185
    expect(page.locator(NUMBERS)).to_contain_text("step ")
    expect(stage(page)).to_have_attribute("data-doubts", "0")


def test_numbers_follow_a_hand_that_stays_and_the_rest_when_it_lets_go(visit: Visitor) -> None:
    page = visit("/race?steps=40")
    wait_until_settled(page)
    numbers, sent = page.locator(NUMBERS), stage(page).get_attribute("data-seq")
    before = numbers.inner_text()
    with grip(page, slider(page, "steps")) as (x, y):
        page.mouse.move(x + 30, y, steps=3)
        expect(numbers).not_to_have_text(before, use_inner_text=True)
        assert "steps=40" in page.url
        assert stage(page).get_attribute("data-seq") == sent  # the picture is the browser's own
    page.wait_for_url(re.compile(r"steps=(?!40)"))
    expect(stage(page)).not_to_have_attribute("data-seq", str(sent))


def test_the_picture_follows_the_hand_without_a_server(browser: Browser, tmp_path: Path) -> None:
    """The server is stopped under the pages: sliders and starts still move paths and contours."""
    with ExitStack() as visits, ExitStack() as server:
        address = server.enter_context(serve_app("app.py", tmp_path / "streamlit.log"))
        visitor = Visitor(browser, address)
        visits.callback(visitor.close)
        pages = {
            "plane": ("/race", ("bowl.condition", "lr")),
            "reverse": ("/divergence?part=fit+a+Gaussian", ("separation", "lr")),
        }
        opened = {
            panel: visitor(link, reduced_motion="reduce") for panel, (link, _) in pages.items()
        }
        for page in opened.values():
            stage(page)
        server.close()
        for panel, page in opened.items():
            wait_until_lost(page)
            expect(page.get_by_text("The server is not answering.")).to_be_visible()
            assert page.locator(".stDialog").count() == 0  # Streamlit's own would hold the hand up
            shown = page.locator(f'[data-panel="{panel}"]')
            plane = shown.locator(".dl-plot")
            seen = {plane.screenshot()}
            for name in pages[panel][1]:
                with grip(page, slider(page, name)) as (x, y):
                    page.mouse.move(x + 12, y)
                    seen.add(wait_for_another(plane, seen))
            with grip(page, shown.locator('[data-handle="start"]')) as (x, y):
                page.mouse.move(x - 30, y + 20)
                wait_for_another(plane, seen)


def test_a_click_sets_the_start(visit: Visitor) -> None:
    page = visit("/race", reduced_motion="reduce")
    watch(page)
    box = page.locator('[data-panel="plane"] .dl-plot').bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 0.3 * box["width"], box["y"] + 0.6 * box["height"])
    wait_for_move(page, 0)
    page.wait_for_url(re.compile("start="))
    x, y = map(float, query(page)["start"].split(","))
    assert -6.5 < x < 0
    assert -4 < y < 0


ANOTHER_SINE = """
const { sin, cos } = Math
const next = (f) => (x) => f(x) * (1 + Number.EPSILON)
Object.assign(Math, { sin: next(sin), cos: next(cos) })
"""


def test_a_run_that_hangs_on_its_last_bit_is_said_to(browser: Browser, server: str) -> None:
    """A browser whose sine differs in its last bit: thrown about among Rastrigin's wells, momentum
    takes another path there. The page says so and shows Python's, until the run is a calm one."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    context.add_init_script(ANOTHER_SINE)
    page = context.new_page()
    page.goto(f"{server}/race?on=rastrigin&lr=0.035&steps=400")
    told = page.locator("p.told", has_text="sensitive to the last bit")
    expect(told).to_have_count(1)
    expect(stage(page)).to_have_attribute("data-doubts", "0")  # Python's own numbers stand there
    number(page, "lr").fill("0.001")
    number(page, "lr").press("Enter")
    expect(told).to_have_count(0)
    expect(stage(page)).to_have_attribute("data-doubts", "0")
    context.close()


def test_locked_nothing_moves(visit: Visitor) -> None:
    page = visit("/race?lock=all", reduced_motion="reduce")
    watch(page)
    plane = page.locator('[data-panel="plane"] .dl-plot')
    before = plane.screenshot()
    plane.click(position={"x": 150, "y": 150})
    page.locator('[data-handle="start"]').focus()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("button", name=re.compile("^remove.*SGD"))).to_be_disabled()
    expect(number(page, "lr")).to_be_disabled()
    page.mouse.move(5, 5)
    page.evaluate("document.activeElement.blur()")
    assert plane.screenshot() == before
    assert page.evaluate("window.shownMove ?? 0") == 0
    assert query(page) == {"lock": "all"}


def test_the_start_is_dragged_and_the_paths_follow(visit: Visitor) -> None:
    page = visit("/race", reduced_motion="reduce")
    watch(page)
    seen = 0
    with grip(page, page.locator('[data-handle="start"]')) as (x, y):
        for move in range(1, 4):
            page.mouse.move(x - 20 * move, y + 10 * move)
            seen = wait_for_move(page, seen)
    page.wait_for_url(re.compile("start="))
    start = tuple(map(float, query(page)["start"].split(",")))
    assert start[0] < 5
    assert start[1] < 3


def test_leaving_and_coming_back_leaves_no_trace(visit: Visitor) -> None:
    """By the logo and by Back: the view stays chosen and the address says nothing of defaults."""
    page = visit("/race")
    stage(page)
    page.get_by_test_id("stLogoLink").or_(page.get_by_test_id("stHeaderLogo")).first.click()
    page.wait_for_url(re.compile(r"/(\?.*)?$"))  # its stage is not the race's, still there
    stage(page)
    wait_until_settled(page)
    assert "None" not in page.url
    assert "same" not in page.url
    page.go_back()
    page.wait_for_url("**/race")
    stage(page)
    wait_until_settled(page)
    assert page.get_by_test_id("stAlert").count() == 0


def test_arrow_keys_move_the_start(visit: Visitor) -> None:
    page = visit("/race", reduced_motion="reduce")
    handle = page.locator('[data-handle="start"]')
    handle.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowUp")
    page.wait_for_url(re.compile("start="))
    start = tuple(map(float, query(page)["start"].split(",")))
    assert start[0] < 5
    assert start[1] > 3


def test_leaving_while_a_key_is_hardly_up_leaves(visit: Visitor) -> None:
    page = visit("/race", reduced_motion="reduce")
    page.locator('[data-handle="start"]').focus()
    for _ in range(4):
        page.keyboard.press("ArrowLeft")
    page.get_by_role("link", name="Home", exact=True).click()
    expect(page.get_by_role("heading", name="Descent Lab")).to_be_visible()
    page.wait_for_timeout(600)  # longer than a message waits
    assert "race" not in page.url
    expect(page.get_by_role("heading", name="Descent Lab")).to_be_visible()


def test_halving_ends_a_divergence_in_one_click(visit: Visitor) -> None:
    page = visit("/race?lr=0.05", reduced_motion="reduce")
    expect(page.locator("p.told").first).to_contain_text("SGD diverged")
    page.get_by_role("button", name=re.compile("^halve.*SGD")).click()
    expect(number(page, "lr")).to_have_value("0.0125")
    expect(page.locator("p.told")).to_have_count(0)
    expect(page.get_by_test_id("stToast")).to_contain_text("η = 0.0125 after 2 halvings")


def test_runners_are_copied_removed_and_added(visit: Visitor) -> None:
    page = visit("/race", reduced_motion="reduce")
    stage(page)
    page.get_by_role("button", name=re.compile("^race it twice.*Momentum")).click()
    expect(page.locator(NUMBERS)).to_contain_text("Momentum 2")
    page.get_by_role("button", name=re.compile("^remove.*SGD")).click()
    expect(page.locator(NUMBERS)).not_to_contain_text("SGD")
    page.wait_for_url(lambda url: "runs" in url and "sgd" not in url)
    wait_until_settled(page)
    page.get_by_role("combobox", name="add an optimizer").select_option("newton")
    expect(page.locator(NUMBERS)).to_contain_text("Newton")
    page.wait_for_url(re.compile("newton"))


# The frame ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_embedded_it_fits_its_frame(visit: Visitor, color_scheme: str) -> None:
    _, frame = visit.embedded("/race?embed=true", color_scheme=color_scheme)  # type: ignore[arg-type]
    inside = frame.locator("body")
    assert not frame.get_by_test_id("stTopNavSection").count()
    expect(frame.locator("h1")).to_have_count(0)
    stage(frame)
    for part in (".dl-panels", ".dl-bar", '[data-name="lr"] .dc-range'):
        where = frame.locator(part).first.evaluate(
            "e => (b => [b.left, b.top, b.right, b.bottom])(e.getBoundingClientRect())"
        )
        assert where[0] >= 0
        assert where[1] >= 0
        assert where[2] <= 800
        assert where[3] <= 500, part
    assert inside.evaluate("e => e.ownerDocument.documentElement.scrollWidth") <= 800


def test_an_embedded_race_follows_the_hand_too(visit: Visitor) -> None:
    page, frame = visit.embedded("/race?embed=true")
    watch(frame)
    number(frame, "lr").fill("0.004")
    number(frame, "lr").press("Enter")
    wait_for_move(frame, 0)
    frame.wait_for_function("() => location.search.includes('lr=0.004')")
    assert "embed=true" in frame.url
    assert page.locator("iframe").count() == 1


@pytest.mark.parametrize("path", ["/race", "/race?view=side+by+side&lr=0.03"])
def test_a_phone_scrolls_one_way_only(visit: Visitor, path: str) -> None:
    page = visit(path, width=360, height=740, touch=True)
    stage(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.get_by_test_id("stMain").evaluate("e => e.scrollWidth - e.clientWidth") <= 0
