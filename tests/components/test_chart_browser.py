"""Panels in a real browser, without Streamlit: what is drawn, read, zoomed, clicked and dragged."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import serve_folder

pytestmark = pytest.mark.browser

HERE = Path(__file__).resolve().parent
WEB = HERE.parents[1] / "components" / "web"

AXES = {"xaxis": {"range": [0, 10]}, "yaxis": {"range": [0, 100]}}
LOG = {"xaxis": {"range": [0, 10]}, "yaxis": {"type": "log", "range": [-6, 2]}}
LINE = {"type": "scatter", "mode": "lines", "x": [0, 5, 10], "y": [0, 50, 100], "name": "rise",
        "line": {"color": "#ff0000", "width": 4},
        "hovertemplate": "rise %{x:.3g}: %{y:.4g}<extra></extra>"}  # fmt: skip


@pytest.fixture(scope="module")
def modules() -> Iterator[str]:
    """Address under which the browser's modules are served."""
    with serve_folder(WEB) as address:
        yield address


@pytest.fixture
def lab(browser: Browser, modules: str) -> Iterator[Callable[..., Page]]:
    """Open a page on which `lab` makes panels; the test fails if the browser reported an error."""
    contexts = []
    errors: list[str] = []

    def open_page(ratio: float = 1) -> Page:
        context = browser.new_context(device_scale_factor=ratio)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{modules}/stage/stage.html")
        page.add_style_tag(path=str(WEB / "stage" / "stage.css"))
        page.add_script_tag(path=str(HERE / "panels.js"), type="module")
        page.wait_for_function("() => window.lab")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []


def show(page: Page, data: list[Any], layout: dict[str, Any], **spec: Any) -> None:
    """A panel with this figure, the last one made."""
    width, height = spec.pop("size", (400, 300))
    page.evaluate(
        "([spec, w, h]) => { lab.panel(spec, w, h) }",
        [{"figure": {"data": data, "layout": layout}, **spec}, width, height],
    )


def at(page: Page, x: float, y: float) -> tuple[float, float]:
    """Data coordinates as a point of the page."""
    found = page.evaluate(
        """([x, y]) => { const box = lab.last.plot.getBoundingClientRect()
           return [box.left + lab.last.toX(x), box.top + lab.last.toY(y)] }""",
        [x, y],
    )
    return float(found[0]), float(found[1])


def tip(page: Page, x: float, y: float) -> str:
    """What is said with the pointer at these data coordinates, "" where nothing is."""
    page.mouse.move(*at(page, x, y))
    said = page.locator(".dl-tip").last
    return (said.text_content() or "") if said.is_visible() else ""


def ranges(page: Page) -> list[float]:
    found = page.evaluate("[...lab.last.chart.x.range, ...lab.last.chart.y.range]")
    return [float(value) for value in found]


@pytest.mark.parametrize("layout", [
    AXES, LOG,
    {"xaxis": {"range": [10, 0]}, "yaxis": {"range": [3, -1]}},
    {"xaxis": {"range": [-1, 1]}, "yaxis": {"range": [-1, 1], "scaleanchor": "x"}},
])  # fmt: skip
def test_axes_turn_data_into_pixels_and_back(lab: Callable[..., Page], layout: Any) -> None:
    page = lab()
    show(page, [], layout)
    corners = page.evaluate(
        """() => { const p = lab.last
           const own = (axis, v) => axis.log ? 10 ** v : v
           return [p.toX(own(p.chart.x, p.chart.x.range[0])) - p.left,
                   p.toX(own(p.chart.x, p.chart.x.range[1])) - p.right,
                   p.toY(own(p.chart.y, p.chart.y.range[0])) - p.bottom,
                   p.toY(own(p.chart.y, p.chart.y.range[1])) - p.top,
                   p.fromX(p.toX(0.3)) - 0.3, p.fromY(p.toY(0.3)) - 0.3] }"""
    )
    assert corners == pytest.approx([0] * 6, abs=1e-9)
    if "scaleanchor" in layout["yaxis"]:
        assert page.evaluate("lab.last.chart.x.scale + lab.last.chart.y.scale") == pytest.approx(0)


@pytest.mark.parametrize("y", [
    {"range": [0, 1]}, {"range": [-1234, 56789]}, {"range": [1e-7, 3e-7]},
    {"type": "log", "range": [-16, 3]}, {"type": "log", "range": [0.1, 0.8]},
])  # fmt: skip
def test_labels_of_axes_never_meet(lab: Callable[..., Page], y: dict[str, Any]) -> None:
    page = lab()
    for width, height in ((150, 104), (240, 150), (600, 420)):
        show(page, [], {"xaxis": {**y}, "yaxis": y}, size=(width, height))
        for way in "xy":
            boxes = page.evaluate("way => lab.labels(lab.last, way)", way)
            assert boxes, (way, width)
            for (_, end), (start, _) in itertools.pairwise(boxes):
                assert end <= start, (way, width)
        assert page.evaluate("lab.last.left") < width / 2


def test_a_line_is_drawn_where_its_points_are_and_nowhere_else(lab: Callable[..., Page]) -> None:
    page = lab()
    gap = {**LINE, "x": [0, 4, 5, 6, 10], "y": [50, 50, None, 50, 50]}
    show(page, [gap], {**AXES, "yaxis": {"range": [0, 100], "showgrid": False}})
    colour = "([x, y]) => lab.colour(lab.last, lab.last.toX(x), lab.last.toY(y))"
    assert page.evaluate(colour, [2.1, 50]) == [255, 0, 0, 255]
    assert page.evaluate(colour, [8.1, 50]) == [255, 0, 0, 255]
    assert page.evaluate(colour, [5.1, 50])[3] < 120  # at most a grid line
    assert page.evaluate(colour, [2.1, 80])[3] < 120


def test_every_screen_gets_its_own_pixels(lab: Callable[..., Page]) -> None:
    page = lab(ratio=2)
    show(page, [LINE], AXES)
    size = page.evaluate("[lab.last.chart.canvas.width, lab.last.chart.canvas.height]")
    assert size == [800, 600]


def test_curves_bars_and_marks_say_their_numbers(lab: Callable[..., Page]) -> None:
    page = lab()
    bars = {"type": "bar", "x": [2, 8], "y": [30, 20], "width": 1,
            "hovertemplate": "%{y:.1f} of %{customdata}<extra></extra>",
            "customdata": ["A", "B"]}  # fmt: skip
    mark = {"type": "scatter", "mode": "markers", "x": [4], "y": [90], "text": ["here<br>now"],
            "hovertemplate": "%{text}<extra></extra>"}  # fmt: skip
    silent = {**mark, "x": [6], "hoverinfo": "skip"}
    show(page, [LINE, bars, mark, silent], AXES)
    assert tip(page, 2.5, 25) == "rise 2.5: 25"
    assert tip(page, 5, 50) == "rise 5: 50"
    assert tip(page, 8, 10) == "20.0 of B"
    assert tip(page, 4, 90) == "here\nnow"
    assert tip(page, 6, 90) == ""
    assert tip(page, 0.5, 70) == ""


def test_a_map_says_its_height(lab: Callable[..., Page]) -> None:
    page = lab()
    heights = {"type": "contour", "x": [0, 10], "y": [0, 100], "z": [[0, 1], [0, 1]],
               "hovertemplate": "loss %{z:.3g}<br>at %{x:.2g}<extra></extra>"}  # fmt: skip
    show(page, [heights, LINE], AXES)
    assert tip(page, 8, 20) == "loss 0.8\nat 8"
    assert tip(page, 5, 50) == "rise 5: 50"  # what lies on it is read first
    show(page, [{**heights, "meta": {"above": -1}}], AXES)
    assert tip(page, 0, 20) == "loss 0\nat 0"
    assert tip(page, 10, 20) == "loss 9\nat 10"
    show(page, [{**heights, "hoverinfo": "skip"}], AXES)
    assert tip(page, 8, 20) == ""


def test_hover_reads_logarithmic_axes(lab: Callable[..., Page]) -> None:
    page = lab()
    show(page, [{**LINE, "y": [1e-4, 1e-2, 1], "hovertemplate": "%{y:.2g}"}], LOG)
    assert tip(page, 2.5, 1e-3) == "0.001"  # half-way between two points, on the drawn line


def test_a_box_zooms_until_a_double_click_or_another_picture(lab: Callable[..., Page]) -> None:
    page = lab()
    layout: dict[str, Any] = {**AXES, "uirevision": "a"}
    spec: dict[str, Any] = {"figure": {"data": [LINE], "layout": layout}}
    page.evaluate("spec => { lab.panel(spec) }", spec)
    before = ranges(page)

    def zoom() -> None:
        page.mouse.move(*at(page, 2, 20))
        page.mouse.down()
        page.mouse.move(*at(page, 6, 80), steps=4)
        expect(page.locator(".dl-zoom")).to_be_visible()
        page.mouse.up()
        expect(page.locator(".dl-zoom")).to_be_hidden()

    zoom()
    assert ranges(page) == pytest.approx([2, 6, 20, 80], abs=0.5)
    assert page.evaluate("lab.said") == []  # a drag is no click
    page.evaluate("spec => { lab.show(lab.last, spec) }", {**spec, "hash": "1"})
    assert ranges(page) == pytest.approx([2, 6, 20, 80], abs=0.5)
    page.mouse.dblclick(*at(page, 4, 40))
    assert ranges(page) == before
    assert page.evaluate("lab.said") == []
    zoom()
    layout["uirevision"] = "b"
    page.evaluate("spec => { lab.show(lab.last, spec) }", {**spec, "hash": "2"})
    assert ranges(page) == before


def test_where_dragging_is_off_there_is_no_zoom(lab: Callable[..., Page]) -> None:
    page = lab()
    show(page, [LINE], {**AXES, "dragmode": False})
    page.mouse.move(*at(page, 2, 20))
    page.mouse.down()
    page.mouse.move(*at(page, 6, 80), steps=4)
    page.mouse.up()
    assert ranges(page) == [0, 10, 0, 100]


def test_a_click_is_told_at_once_and_waits_only_while_zoomed(lab: Callable[..., Page]) -> None:
    page = lab()
    show(page, [LINE], LOG)
    page.mouse.click(*at(page, 4, 1e-3))
    (said,) = page.evaluate("lab.said")
    assert (said["kind"], said["x"]) == ("click", pytest.approx(4, abs=0.05))
    assert said["y"] == pytest.approx(1e-3, rel=0.1)
    page.evaluate("lab.last.zoom = { x: [0, 5], y: [-6, 2] }; lab.last.drawChart(); lab.said = []")
    page.mouse.click(*at(page, 4, 1e-3))
    assert page.evaluate("lab.said") == []
    page.wait_for_function("() => lab.said.length === 1")


def test_a_click_on_a_chart_moves_the_clock(lab: Callable[..., Page]) -> None:
    page = lab()
    show(page, [], AXES, kind="chart", cursor=True)
    page.mouse.click(*at(page, 7, 50))
    assert page.evaluate("lab.sought") == [pytest.approx(7, abs=0.05)]


def test_words_are_whole_and_clear_of_each_other(lab: Callable[..., Page]) -> None:
    page = lab()

    def note(x: float, y: float, text: str, **more: Any) -> dict[str, Any]:
        return {"x": x, "y": y, "text": text, "showarrow": False, **more}

    star = {"type": "scatter", "mode": "markers+text", "x": [9.9], "y": [50], "text": ["Polyak"],
            "textposition": "bottom right"}  # fmt: skip
    notes = [
        note(5, 50, "η max"), note(5.1, 51, "stability limit"), note(4.9, 49, "κ = 50"),
        note(0, 99, "a sentence that is cut at the left", xanchor="right"),
        note(1, 20, "H<sub>k/n</sub><br>two lines", xref="paper", xanchor="right"),
    ]  # fmt: skip
    show(page, [star], {**AXES, "annotations": notes}, size=(260, 200))
    boxes = page.evaluate(
        "lab.last.chart.words.map(({x, y, width, height}) => [x, y, width, height])"
    )
    assert len(boxes) == 6
    for i, (x, y, w, h) in enumerate(boxes):
        assert 0 <= x <= 260 - w
        assert 0 <= y <= 200 - h
        for u, v, s, t in boxes[:i]:
            assert x >= u + s or u >= x + w or y >= v + t or v >= y + h
    assert boxes[0][0] + boxes[0][2] < page.evaluate(
        "lab.last.toX(9.9)"
    )  # on the mark's other side


def test_a_live_leaf_redraws_only_when_it_is_another(lab: Callable[..., Page]) -> None:
    page = lab()
    counts = page.evaluate(
        """() => {
          lab.values = { y: Float64Array.of(1, 2, 3), t: "η = 1", track: Float64Array.of(0, 1) }
          const panel = lab.panel({
            title: { $live: "t" },
            figure: { data: [{ type: "scatter", x: [0, 5, 10], y: { $live: "y" } }],
                      layout: { xaxis: { range: [0, 10] }, yaxis: { range: [0, 10] } } },
            tracks: [{ x: null, y: { $live: "track" }, z: null, color: "#000", dash: "solid",
                       marker: "circle", label: "", mode: "curve", stop: null, width: 2 }],
          })
          let drawn = 0
          const draw = panel.chart.draw.bind(panel.chart)
          panel.chart.draw = (...all) => { drawn++; draw(...all) }
          const counts = []
          const after = (change) => { change(); panel.refresh(lab.resolve); counts.push(drawn) }
          after(() => {})
          after(() => { lab.values.track = Float64Array.of(5, 6, 7) })
          after(() => { lab.values.y = Float64Array.of(4, 5, 6); lab.values.t = "η = 2" })
          const [track] = panel.overlay.tracks
          return [counts, panel.title.textContent, track.py.length, panel.toY(5) - track.py[0]]
        }"""
    )
    assert counts[0] == [0, 0, 1]
    assert counts[1:3] == ["η = 2", 3]
    assert counts[3] == pytest.approx(0, abs=1e-4)


def test_the_hand_wins_over_a_live_handle_while_it_holds_it(lab: Callable[..., Page]) -> None:
    page = lab()
    page.evaluate("lab.values = { x: 2, y: 20, word: 'θ = 2' }")
    handle = {"id": "h", "x": {"$live": "x"}, "y": {"$live": "y"}, "label": {"$live": "word"},
              "axis": "xy", "min": None, "max": None, "curve": None, "color": "#00f",
              "marker": "ring", "sets": {}}  # fmt: skip
    show(page, [], AXES, handles=[handle])
    place = "() => [...lab.last.handles.byId.values()].map((h) => [h.x, h.y])[0]"
    assert page.evaluate(place) == [2, 20]
    page.mouse.move(*at(page, 2, 20))
    page.mouse.down()
    page.mouse.move(*at(page, 5, 60), steps=3)
    page.evaluate("lab.values = { x: 9, y: 90, word: 'θ = 9' }; lab.last.refresh(lab.resolve)")
    assert page.evaluate(place) == pytest.approx([5, 60], abs=0.3)
    page.mouse.up()
    assert {said["kind"] for said in page.evaluate("lab.said")} == {"drag", "drop"}
    page.evaluate("lab.last.refresh(lab.resolve)")
    assert page.evaluate(place) == [9, 90]
    label = page.locator(".dl-handle span")
    expect(label).to_have_text("θ = 9")
    # Near the right edge the label stands on the left.
    box, button = label.bounding_box(), page.locator(".dl-handle").bounding_box()
    assert box is not None
    assert button is not None
    assert box["x"] < button["x"]


def test_a_figure_says_what_it_shows(lab: Callable[..., Page]) -> None:
    page = lab()
    show(page, [LINE], AXES, alt="A line that rises")
    expect(page.get_by_role("img", name="A line that rises")).to_be_visible()
