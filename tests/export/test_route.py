"""The route from which a page is taken along, and the command line behind it."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from engine.limits import TAKEN_LINK
from export.__main__ import main
from export.capture import PageError, capture, read_link
from export.route import routes


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> TestClient:
    # The process that makes a file is nice: beside other tests it comes last.
    monkeypatch.setattr("export.route.TAKEN_SECONDS", 600.0)
    return TestClient(Starlette(routes=routes()))


def test_a_page_comes_as_a_file_of_its_state(client: TestClient) -> None:
    answer = client.get("/take/graph.html?mode=forward")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"] == 'attachment; filename="graph.html"'
    assert "Computational graph · Descent Lab" in answer.text
    assert len(answer.content) < 300_000


def test_what_cannot_be_taken_is_said_in_words(client: TestClient) -> None:
    assert client.get("/take/nothing.html").status_code == 404
    assert client.get("/take/race.exe").status_code == 404
    assert client.get(f"/take/race.html?f={'x' * TAKEN_LINK}").status_code == 404
    answer = client.get("/take/graph.html?mode=sideways")
    assert answer.status_code == 422
    assert "mode" in answer.text
    assert "Traceback" not in answer.text


def test_links_are_read_as_readers_paste_them() -> None:
    wanted = {"lr": "0.02", "runs": "sgd;momentum:beta=0.8"}
    query = "lr=0.02&runs=sgd;momentum:beta=0.8"
    assert read_link(query) == wanted
    assert read_link(f"?{query}") == wanted
    assert read_link(f"https://lab.example/race?embed=true&{query}") == wanted
    assert read_link("https://lab.example/race") == {}
    assert read_link("") == {}


def test_a_link_that_cannot_be_used_ends_with_a_word(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "race.html"
    assert main(["race", "--link", "lr=much", "--out", str(out)]) == 2
    assert "lr: 'much' is not a number" in capsys.readouterr().err
    assert not out.exists()
    assert main(["raze", "--out", str(out)]) == 2
    assert "there is no page 'raze'; did you mean 'race'?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["Bias-correction"], "say what to make: --out FILE, --module FILE"),
        (["race", "--out", "no/such/folder/race.html"], "there is no folder no/such/folder"),
        (["race", "--svg", "."], ". is a folder, not a file"),
        (["race", "--png", "race.png", "--width", "0"], "--width is 200 to 4000 pixels"),
        (["lesson", "zig-zag-and-momentum"], "say what to make: --scorm FILE"),
    ],
)
def test_what_cannot_be_made_is_said_before_any_work(
    asked: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        main(asked)
    assert left.value.code == 2
    assert said in capsys.readouterr().err


def test_choices_lead_from_state_to_state() -> None:
    found = capture("entropy", {}, presets=False, most=10)
    moves = found.states[0].moves["unit"]
    assert len(moves) > 1
    for text, place in moves.items():
        state = found.states[place]
        assert next(c.value for c in state.choices if c.name == "unit") == text
        assert state.moves["unit"] == moves  # and back


def test_a_long_list_leads_from_the_state_asked_for_and_back() -> None:
    found = capture("graph", {}, presets=False, most=20)
    moves = found.states[0].moves["on"]
    assert len(moves) > 6
    for text, place in moves.items():
        state = found.states[place]
        assert state.link.get("on", "product") == text
        assert state.moves["on"] == moves


def test_what_is_locked_leads_nowhere() -> None:
    found = capture("entropy", {"lock": "unit"}, presets=False)
    assert "unit" not in found.states[0].moves
    with pytest.raises(PageError, match="nothing of that name"):
        capture("entropy", {"colour": "red"})


def test_a_file_that_is_too_long_leaves_choices_out_and_keeps_the_presets() -> None:
    found = capture("entropy", {}, most=14)
    presets, states = list(found.presets), len(found.states)
    assert states > len({place for _, place in presets})
    while found.shrink():
        pass
    assert found.presets == presets
    assert len(found.states) == max(place for _, place in presets) + 1
    for state in found.states:
        assert all(place < len(found.states) for m in state.moves.values() for place in m.values())


def test_a_page_without_a_picture_of_its_own_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "glossary.html")
    assert main(["glossary", "--no-presets", "--out", out]) == 2
    assert "no picture that lives without a server" in capsys.readouterr().err
