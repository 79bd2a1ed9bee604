"""Pages that were taken along, opened in Chromium as a reader would: from a file, in a book's page,
as an anywidget. Nothing is asked of any server."""

from __future__ import annotations

import base64
import io
import itertools
import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

import engine
from engine.emit.picture import written
from engine.problems.data import split, table
from engine.problems.networks import MLP
from engine.runs.learning import Competitor, Training
from export.__main__ import main
from export.capture import Capture
from export.document import html_file, module_file
from export.pictures import _TAKE
from tests.browser import serve_folder

pytestmark = pytest.mark.browser
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def folder(race: Capture, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example pages with the module beside them, and an HTML file."""
    place = tmp_path_factory.mktemp("book")
    shutil.copytree(ROOT / "examples", place, dirs_exist_ok=True)
    (place / "race.js").write_text(module_file(race), encoding="utf-8")
    (place / "race.html").write_text(html_file(race), encoding="utf-8")
    return place


@pytest.fixture(scope="module")
def book(folder: Path) -> Iterator[str]:
    """The address of the folder; modules are loaded over HTTP alone."""
    with serve_folder(folder) as address:
        yield address


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": 1000, "height": 800}, reduced_motion="reduce", locale="en-GB"
    )
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)
    page.on(
        "request",
        lambda r: (
            None
            if re.match(r"file:|blob:|data:|http://127\.0\.0\.1", r.url)
            else problems.append(f"asked for {r.url}")
        ),
    )
    yield page
    context.close()
    assert problems == []


def opened(page: Page, path: Path) -> Page:
    page.goto(path.as_uri())
    page.wait_for_selector(".dl-stage[data-seq], .dg-graph .dg-node")
    return page


def run_of(page: Page) -> dict[str, Any]:
    """The run as the page saves it."""
    text = base64.b64decode(page.evaluate(_TAKE, "json"))
    found: dict[str, Any] = json.loads(text)
    return found


def path_of(page: Page, label: str) -> list[list[float]]:
    panels = run_of(page)["pictures"][0]["panels"]
    tracks = next(p["tracks"] for p in panels if p["id"] == "plane")
    track = next(t for t in tracks if t["label"] == label)
    return [list(point) for point in zip(track["x"], track["y"], strict=True)]


def test_from_a_file_the_sliders_move_the_runs_that_the_engine_finds(
    page: Page, folder: Path
) -> None:
    opened(page, folder / "race.html")
    rate = page.locator('[data-name="lr"] .dc-number')
    rate.fill("0.012")
    rate.press("Enter")
    expect(page.locator(".dl-count")).to_have_text("40 / 40")
    page.wait_for_function("figure.values.lr === 0.012")
    wanted = engine.descend("bowl", "sgd", (5.0, 3.0), 40, {"lr": 0.012}).path.tolist()
    assert path_of(page, "SGD") == wanted
    page.locator('[data-handle="start"]').press("ArrowLeft")
    page.wait_for_function("figure.values.start[0] < 5")
    page.evaluate("new Promise((painted) => requestAnimationFrame(() => setTimeout(painted)))")
    start = page.evaluate("figure.values.start")
    assert path_of(page, "SGD")[0] == start


def test_a_network_learns_in_a_file_as_python_lets_it(page: Page, tmp_path: Path) -> None:
    out = tmp_path / "train.html"
    asked = ["train", "--link", "runs=adam:lr=0.01&steps=60&width=4&depth=1", "--no-presets"]
    assert main([*asked, "--size", "1", "--out", str(out)]) == 0
    page.goto(out.as_uri())
    count = page.locator(".dl-count")
    expect(count).to_have_text("60 / 60")
    expect(page.get_by_text("equals Python's to a millionth")).to_be_visible()
    assert len(page.workers) == 1
    data = split(table("two_moons", 200, 0.15, 0), seed=0)
    first = run_of(page)["trainings"][0]["runs"][0]
    python = Training(MLP((2, 4, 1)), data, Competitor("adam", {"lr": 0.01}), steps=60)
    python.advance(60)
    assert (first["step"][-1], first["examples"][-1]) == (60, 60 * 32)
    assert first["testLoss"][-1] == pytest.approx(python.measured().test_loss, rel=1e-4)
    # The rate and the betas are moved, and it learns anew as far as it stood.
    for name, value in (("0/lr", "0.05"), ("0/beta1", "0.5")):
        number = page.locator(f'[data-name="{name}"] .dc-number')
        number.fill(value)
        number.press("Enter")
    page.wait_for_function("figure.values['0/lr'] === 0.05 && figure.values['0/beta1'] === 0.5")
    moved = run_of(page)["trainings"][0]["runs"][0]
    assert (moved["settings"]["0/lr"], moved["settings"]["0/beta1"]) == (0.05, 0.5)
    assert moved["step"] == first["step"]
    assert moved["loss"][-1] < first["loss"][-1]
    # A click adds a point, which it learns from then on.
    page.locator(".dt-plane canvas").click()
    page.wait_for_function("figure.values.own.length === 3")
    assert run_of(page)["trainings"][0]["runs"][0]["loss"] == moved["loss"]
    page.evaluate("figure.drive('seek', 0)")
    expect(count).to_have_text("0 / 60")
    assert run_of(page)["trainings"][0]["runs"][0]["loss"][0] != moved["loss"][0]
    rows = base64.b64decode(page.evaluate(_TAKE, "csv")).decode().splitlines()
    assert rows[4].startswith("step,Adam examples,Adam evaluations,Adam loss,Adam accuracy")
    svg = "".join(ET.fromstring(base64.b64decode(page.evaluate(_TAKE, "svg"))).itertext())
    assert "step 0 of 60" in svg


def test_a_reader_chooses_who_races(page: Page, folder: Path) -> None:
    opened(page, folder / "race.html")
    page.locator('.dl-menu[data-name="add"] select').select_option("adam")
    first = page.locator('.dl-menu[data-name="runner0"]')
    first.locator("select").focus()
    first.locator("select").press("l")  # the letter of Lion, as a keyboard chooses
    expect(first.locator("b")).to_have_text("Lion")
    page.locator('[data-name="lr"] .dc-range').press("PageUp")
    page.wait_for_function("figure.values.lr > 0.0185")
    expect(page.locator(".dl-legend")).to_have_text(re.compile("Lion.*Momentum.*Adam", re.DOTALL))
    page.evaluate("new Promise((painted) => requestAnimationFrame(() => setTimeout(painted)))")
    rate = page.evaluate("figure.values.lr")
    for label, rule, hypers in (
        ("Lion", "lion", {}), ("Momentum", "momentum", {"beta": 0.8}), ("Adam", "adam", {}),
    ):  # fmt: skip
        run = engine.descend("bowl", rule, (5.0, 3.0), 40, {"lr": rate, **hypers})
        assert np.allclose(path_of(page, label), run.path, rtol=1e-9, atol=0)
    expect(page.locator(".dh-own")).to_be_visible()
    page.locator('[data-group="1"] [data-action="remove"]').click()
    expect(page.locator('.dl-menu[data-name="runner1"] b')).to_have_text("Adam")
    page.locator(".dh-back button").click()
    expect(first.locator("b")).to_have_text("SGD")
    expect(page.locator(".dh-words").first).to_be_visible()


def test_what_python_said_is_greyed_where_a_hand_has_moved_away(page: Page, folder: Path) -> None:
    opened(page, folder / "race.html")
    words, back = page.locator(".dh-words").first, page.locator(".dh-back")
    run = engine.descend("bowl", "sgd", (5.0, 3.0), 40, {"lr": 0.0185})
    assert written(float(run.loss[-1]), "3") in words.inner_text()
    expect(back).to_be_hidden()
    expect(words).to_have_css("opacity", "1")
    page.locator('[data-name="lr"] .dc-range').press("PageUp")
    expect(back).to_be_visible()
    expect(words).to_have_css("opacity", "0.35")
    back.get_by_role("button").click()
    expect(back).to_be_hidden()
    expect(words).to_have_css("opacity", "1")
    assert page.evaluate("figure.values.lr") == 0.0185


def test_a_sentence_of_one_step_is_greyed_at_another(page: Page, tmp_path: Path) -> None:
    out = tmp_path / "debugger.html"
    assert main(["debugger", "--no-presets", "--out", str(out)]) == 0
    opened(page, out)
    expect(page.locator(".dh-notice")).to_contain_text("The gradient is 17.4 times as large in y")
    assert page.locator(".dh-formula math").count() == 3
    expect(page.locator(".dh-back")).to_be_hidden()
    page.evaluate("figure.drive('seek', 9)")
    expect(page.locator(".dh-back")).to_be_visible()
    page.evaluate("figure.drive('seek', 6)")
    expect(page.locator(".dh-back")).to_be_hidden()


def test_a_link_behind_the_hash_sets_values(page: Page, folder: Path) -> None:
    page.goto(f"{(folder / 'race.html').as_uri()}#lr=0.015&theme=dark&heading=false")
    page.wait_for_selector(".dl-stage[data-seq]")
    page.wait_for_function("figure.values.lr === 0.015")
    expect(page.locator(".dh-head")).to_be_hidden()
    colour = page.locator(".dh-figure").evaluate("e => getComputedStyle(e).backgroundColor")
    assert colour == "rgb(21, 23, 27)"


@pytest.mark.parametrize("name", ["graph", "entropy", "weight_space", "map"])
def test_a_page_with_its_presets_stays_small_and_works(
    name: str, page: Page, tmp_path: Path
) -> None:
    out = tmp_path / f"{name}.html"
    assert main([name, "--out", str(out)]) == 0
    assert out.stat().st_size < 300_000
    assert "https://" not in re.sub(
        r'"text/plain".*?</script>', "", out.read_text(), flags=re.DOTALL
    )
    opened(page, out)
    presets = page.locator(".dh-presets button")
    for k in range(presets.count()):
        presets.nth(k).click()
        expect(presets.nth(k)).to_have_attribute("aria-pressed", "true")
        expect(page.locator(".dh-reason")).not_to_be_empty()
    slider = page.locator(".dc-range:not([disabled])").first
    before = page.evaluate("JSON.stringify(figure.values)")
    slider.press("PageUp")
    page.wait_for_function("(before) => JSON.stringify(figure.values) !== before", arg=before)


def test_a_choice_leads_to_what_python_made_of_it(page: Page, tmp_path: Path) -> None:
    out = tmp_path / "entropy.html"
    assert main(["entropy", "--no-presets", "--out", str(out)]) == 0
    opened(page, out)
    unit = page.locator('[data-name="unit"] select')
    assert unit.locator("option").count() > 1
    unit.select_option(index=1)
    page.wait_for_function("figure.state > 0")
    expect(unit).to_have_js_property("selectedIndex", 1)


def test_pictures_films_and_numbers_are_made_in_the_browser(page: Page, folder: Path) -> None:
    opened(page, folder / "race.html")

    def taken(kind: str) -> bytes:
        return base64.b64decode(page.evaluate(_TAKE, kind))

    png = Image.open(io.BytesIO(taken("png")))
    assert png.width > 1000  # two pixels to each of the page
    assert len(png.convert("RGB").getcolors(1 << 24)) > 50
    svg = ET.fromstring(taken("svg"))
    tags = [element.tag.rsplit("}")[-1] for element in svg.iter()]
    assert tags.count("path") > 30
    assert "SGD" in "".join(svg.itertext())
    gif = Image.open(io.BytesIO(taken("gif")))
    assert gif.n_frames == 41
    first = gif.convert("RGB").tobytes()
    gif.seek(40)
    assert gif.convert("RGB").tobytes() != first
    rows = taken("csv").decode().splitlines()
    assert rows[0] == "# Descent Lab: The race"
    assert rows[4].startswith("step,plane SGD x,plane SGD y")
    last = [float(cell) for cell in rows[-1].split(",")]
    run = engine.descend("bowl", "sgd", (5.0, 3.0), 40, {"lr": 0.0185})
    assert last[:3] == [40, *run.path[-1]]
    saved = run_of(page)
    assert (saved["descentLab"], saved["page"], saved["link"]) == (1, "race", "?steps=40")


_PLAYED = """
async (text) => {
  const video = document.body.appendChild(document.createElement("video"))
  video.muted = true
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0))
  const heard = (name) => new Promise((done) => video.addEventListener(name, done, { once: true }))
  video.src = URL.createObjectURL(new Blob([bytes], { type: "video/webm" }))
  await heard("loadeddata")
  const paper = Object.assign(document.createElement("canvas"), { width: 320, height: 200 })
  const pen = paper.getContext("2d")
  const frames = []
  for (const part of [0, 0.5, 0.97]) {
    video.currentTime = part * video.duration
    await heard("seeked")
    pen.drawImage(video, 0, 0, 320, 200)
    frames.push(paper.toDataURL("image/png").split(",")[1])
  }
  return { duration: video.duration, width: video.videoWidth, frames }
}
"""


def test_the_film_plays(page: Page, folder: Path) -> None:
    opened(page, folder / "race.html")
    film = page.evaluate(_TAKE, "webm")
    played = page.evaluate(_PLAYED, film)
    seconds = page.evaluate("document.querySelector('.dl-stage').stage.data.seconds")
    assert played["duration"] == pytest.approx(seconds + 1.2, abs=0.05)
    assert played["width"] > 1000  # two pixels to each of the page
    shown = [Image.open(io.BytesIO(base64.b64decode(f))).convert("L") for f in played["frames"]]
    for one, two in itertools.pairwise(np.asarray(frame, float) for frame in shown):
        assert (np.abs(one - two) > 40).sum() > 40  # pixels: the run went on meanwhile


def test_a_drawn_graph_is_saved_with_its_numbers(page: Page, tmp_path: Path) -> None:
    out = tmp_path / "graph.html"
    assert main(["graph", "--no-presets", "--out", str(out)]) == 0
    opened(page, out)
    svg = ET.fromstring(base64.b64decode(page.evaluate(_TAKE, "svg")))
    said = "".join(svg.itertext())
    assert "b = sin(x)" in said
    assert "∂f/∂x 1.9696" in said
    png = Image.open(io.BytesIO(base64.b64decode(page.evaluate(_TAKE, "png"))))
    assert png.getpixel((png.width - 1, 0))[3] == 255  # paper everywhere
    gif = Image.open(io.BytesIO(base64.b64decode(page.evaluate(_TAKE, "gif"))))
    assert gif.n_frames == 9  # the graph's sweep, not the chart below it
    assert page.locator(".dl-count").first.inner_text() == "8 / 8"  # where the reader had it
    rows = base64.b64decode(page.evaluate(_TAKE, "csv")).decode().splitlines()
    assert rows[4:6] == ["node,formula,value,swept", "x,x,0.7854,∂f/∂x 1.9696"]
    (chart,) = run_of(page)["pictures"][0]["panels"]
    assert [len(curve["x"]) for curve in chart["curves"]] == [8, 8]


def test_a_chart_in_which_nothing_runs_is_saved_by_its_curves(page: Page, tmp_path: Path) -> None:
    out = tmp_path / "softmax.html"
    assert main(["softmax", "--no-presets", "--out", str(out)]) == 0
    opened(page, out)
    rows = base64.b64decode(page.evaluate(_TAKE, "csv")).decode().splitlines()
    names, first = (row.split(",") for row in rows[4:6])
    assert len(rows) > 100
    assert len(names) == len(first) > 6
    assert "loss −ln ŷ(A) = 0.4170 nats" in run_of(page)["pictures"][0]["says"][0]
    # Groups whose buttons need Python leave no empty heading behind.
    assert page.locator(".dc-group:visible:not(:has(.dc-item))").count() == 0


def test_a_surface_without_its_library_says_so_and_the_rest_goes_on(
    browser: Browser, tmp_path: Path
) -> None:
    out = tmp_path / "space.html"
    asked = [
        "race",
        "--link",
        "view=3-D&steps=40",
        "--no-presets",
        "--plotly",
        "cdn",
        "--rules",
        "none",
    ]
    assert main([*asked, "--out", str(out)]) == 0
    assert out.stat().st_size < 300_000
    context = browser.new_context(offline=True, reduced_motion="reduce")
    page = opened(context.new_page(), out)
    expect(page.locator(".dl-lacking")).to_have_text(
        "The surface cannot be drawn: plotly.min.js could not be loaded."
    )
    page.locator('[data-name="lr"] .dc-range').press("PageUp")
    page.wait_for_function("figure.values.lr > 0.0185")
    expect(page.locator(".dl-count")).to_have_text("40 / 40")
    context.close()


def test_the_element_stands_in_a_plain_page(page: Page, book: str) -> None:
    page.goto(f"{book}/html/index.html")
    page.wait_for_selector("descent-lab .dl-stage[data-seq]")
    assert page.evaluate("document.querySelector('descent-lab').values['1/beta']") == 0.7
    words = page.locator("descent-lab .dh-words").first  # they are of β = 0.8
    expect(words).to_be_hidden()
    expect(page.locator("descent-lab .dh-back")).to_be_hidden()
    page.evaluate("document.querySelector('descent-lab').set({ '1/beta': 0.8 })")
    expect(words).to_be_visible()
    page.get_by_role("button", name="A larger rate").click()
    expect(page.locator("#rate")).to_have_text("0.0194")
    page.evaluate("document.querySelector('descent-lab').seek(7)")
    expect(page.locator("#step")).to_have_text("7")


def test_the_module_is_an_anywidget(page: Page, book: str) -> None:
    """Opened as MyST's theme and Jupyter open one: render({model, el}) below a shadow root."""
    source = (ROOT / "examples" / "myst" / "index.md").read_text()
    model = re.search(r":::\{anywidget\} \.\./race\.js\n(.*?)\n:::", source, re.DOTALL)
    assert model is not None
    empty = "<!doctype html><link rel=icon href=data:,><main></main>"
    page.route("**/empty", lambda route: route.fulfill(body=empty, content_type="text/html"))
    page.goto(f"{book}/empty")
    page.evaluate(
        """async ([address, state]) => {
          const heard = {}
          window.model = {
            state, get: (name) => state[name], save_changes() {},
            set(name, value) { state[name] = value }, on(name, act) { heard[name] = act },
            fire: (name) => heard[name]?.(),
          }
          const el = document.querySelector("main").attachShadow({ mode: "open" })
          const { default: widget } = await import(address)
          await widget.render({ model: window.model, el })
        }""",
        [f"{book}/race.js", json.loads(model[1])],
    )
    page.wait_for_selector("main .dl-stage[data-seq]")
    page.evaluate("() => { model.state.values = { lr: 0.01 }; model.fire('change:values') }")
    page.wait_for_function("model.state.values.lr === 0.01 && model.state.values['1/beta'] === 0.7")
    page.wait_for_function("model.state.step === 40")


def test_a_notebook_takes_the_module(folder: Path) -> None:
    """anywidget's own package reads the file, and the traits are the widget's."""
    anywidget = pytest.importorskip("anywidget")
    traits = pytest.importorskip("traitlets")
    values = traits.Dict().tag(sync=True)
    made = type("Race", (anywidget.AnyWidget,), {"_esm": folder / "race.js", "values": values})
    state = made(values={"lr": 0.01}).get_state()
    assert state["_esm"] == (folder / "race.js").read_text()
    assert state["values"] == {"lr": 0.01}


def test_myst_takes_the_page(folder: Path) -> None:
    """MyST's own build, as far as it goes without its theme: the widget's node and its module."""
    myst = shutil.which("myst")
    if myst is None:
        pytest.skip("mystmd is not installed")
    subprocess.run([myst, "build", "--site"], cwd=folder / "myst", timeout=120)  # no theme offline
    built = folder / "myst" / "_build" / "site"
    text = (built / "content" / "index.json").read_text()
    assert '"type":"anywidget"' in text.replace(" ", "")
    modules = list((built / "public").glob("race-*.js"))
    assert [m.read_bytes() for m in modules] == [(folder / "race.js").read_bytes()]


def test_a_book_that_sphinx_builds_holds_the_figure(page: Page, folder: Path) -> None:
    """Sphinx's own build and theme, as a Jupyter Book 1 has them, opened as its reader would."""
    pytest.importorskip("myst_parser")
    build = pytest.importorskip("sphinx.cmd.build")
    assert build.main(["-q", "-W", str(folder / "sphinx"), str(folder / "built")]) == 0
    page.route("**/favicon.ico", lambda route: route.fulfill(status=204))
    with serve_folder(folder / "built") as address:
        page.goto(f"{address}/index.html")
        page.wait_for_selector("descent-lab .dl-stage[data-seq]")
        expect(page.get_by_role("heading", name="Momentum")).to_be_visible()
        rate = page.locator('descent-lab [data-name="lr"] .dc-number')
        rate.fill("0.0213")
        rate.press("Enter")
        page.wait_for_function("document.querySelector('descent-lab').values.lr === 0.0213")
        assert page.evaluate("document.querySelector('descent-lab').values['1/beta']") == 0.7


def test_quarto_takes_the_page(folder: Path) -> None:
    quarto = shutil.which("quarto")
    if quarto is None:
        pytest.skip("Quarto is not installed")
    subprocess.run([quarto, "render", "index.qmd"], cwd=folder / "quarto", timeout=120, check=True)
    assert '<descent-lab figure="race"' in (folder / "quarto" / "index.html").read_text()
