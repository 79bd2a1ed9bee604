"""Loss curves as sound: silent until asked, a voice for each run, its pitch the logarithm of its
loss; and silent again when playing ends or the reader says so."""

from __future__ import annotations

import json
import math
import subprocess
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

import engine
from components.assets import modules
from tests.browser import Visitor
from tests.engine.emit.node import node
from tests.pages.programs import component_data
from tests.pages.running import open_page

SOUND = Path(__file__).resolve().parents[2] / "components/web/stage/sound.js"
# The few parts of the Web Audio API that are used, which note what they are told.
HEARD = """
window.heard = { voices: [], closed: 0 }
const tune = () => ({ value: 0, setTargetAtTime(value) { this.value = value } })
const joined = (node) => ({ ...node, connect: (next) => next })
window.AudioContext = class {
  currentTime = 0
  destination = {}
  createGain = () => (window.heard.voices.at(-1).gain = joined({ gain: tune() }))
  createStereoPanner = () => (window.heard.voices.at(-1).pan = joined({ pan: tune() }))
  createOscillator() {
    const oscillator = joined({ frequency: tune(), type: "", start() {} })
    window.heard.voices.push({ oscillator })
    return oscillator
  }
  close() { window.heard.closed++ }
}
window.voices = () => window.heard.voices.map(({ oscillator, gain, pan }) =>
  ({ hz: oscillator.frequency.value, loud: gain.gain.value, pan: pan.pan.value,
    wave: oscillator.type }))
"""


def pitches(losses: list[float]) -> list[Any]:
    """What the browser's module makes of losses, under Node."""
    text = (
        f'import {{ pitch }} from "{SOUND.as_uri()}"\n'
        f"console.log(JSON.stringify({json.dumps(losses)}.map(pitch)))"
    )
    command = [node(), "--input-type=module", "--eval", text]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def test_two_decades_of_loss_are_an_octave() -> None:
    one, hundred, hundredth, none, lost = pitches([1.0, 100.0, 0.01, 0.0, -1.0])
    assert one == 440  # A above middle C
    assert hundred == pytest.approx(880)
    assert hundredth == pytest.approx(220)
    assert none == 65  # as low as it goes
    assert lost is None  # no pitch


@pytest.mark.parametrize(
    "name", ["home", "schedules", "debugger", "weight_space", "map", "adam_paper"]
)
def test_wherever_losses_are_drawn_they_can_be_heard(name: str) -> None:
    (stage,) = (data for data in component_data(open_page(name)) if data.get("playback"))
    (heard,) = (panel for panel in stage["panels"] if panel["id"] == stage["sound"])
    assert heard["kind"] == "chart"
    assert heard["tracks"]


def voices(page: Page) -> list[dict[str, Any]]:
    return list(page.evaluate("voices()"))


@pytest.mark.browser
def test_a_race_is_heard_while_it_plays(visit: Visitor) -> None:
    page = visit.empty(reduced_motion="reduce", script=HEARD)
    page.goto(f"{visit.server}/race?runs=sgd;momentum&steps=60")
    page.locator(".dl-stage[data-seq]").first.wait_for()
    button = page.get_by_role("button", name="Hear the loss").first
    expect(button).to_have_attribute("aria-pressed", "false")
    assert voices(page) == []
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".dl-live").first).to_contain_text(
        "the higher it sounds, the larger the loss"
    )
    assert all(voice["loud"] == 0 for voice in voices(page))  # it rests
    page.locator('[data-act="first"]').first.click()
    page.locator('[data-act="play"]').first.click()
    page.wait_for_function("() => voices().length === 2 && voices().every(({ loud }) => loud > 0)")
    first, second = voices(page)
    assert (first["pan"], second["pan"]) == (-0.8, 0.8)
    assert first["wave"] != second["wave"]
    run = engine.descend("bowl", "sgd", (5.0, 3.0), 60, {"lr": 0.0185})
    least, most = (440 * 2 ** (math.log10(loss) / 2) for loss in (run.loss.min(), run.loss.max()))
    assert least - 1 <= first["hz"] <= most + 1
    page.locator('.dl-stage[data-frame="60"]').first.wait_for()
    page.wait_for_function("() => voices().every(({ loud }) => loud === 0)")
    page.locator(".dl-stage").first.press("s")
    expect(button).to_have_attribute("aria-pressed", "false")
    assert page.evaluate("heard.closed") == 1


@pytest.mark.browser
def test_a_training_is_heard_too(visit: Visitor) -> None:
    page = visit.empty(reduced_motion="reduce", script=HEARD)
    page.goto(f"{visit.server}/train?steps=400")
    page.locator('.dt-training [data-act="sound"]').click()
    page.locator('.dt-training [data-act="first"]').click()
    page.locator('.dt-training [data-act="play"]').click()
    page.wait_for_function("() => voices().some(({ loud, hz }) => loud > 0 && hz > 65)")


# Renders what a run of losses sounds like: each is played for STEP_S, then silence; gives, of every
# stretch, how often the sum of both channels rises through zero a second, and how loud it is.
RENDERED = """
async ([address, losses, seconds]) => {
  const rate = 44100
  const sheet = new OfflineAudioContext(2, rate * seconds * (losses.length + 1), rate)
  window.AudioContext = function () { return sheet }
  const { Sound } = await import(address)
  const sound = new Sound()
  sound.toggle()
  const play = (loss, k) => sheet.suspend(k * seconds).then(() => {
    sound.play([loss])
    sheet.resume()
  })
  ;[...losses, NaN].forEach(play)
  const rendered = await sheet.startRendering()
  const [left, right] = [0, 1].map((k) => rendered.getChannelData(k))
  return [...losses, null].map((_, k) => {
    const [from, to] = [(k + 0.5) * seconds * rate, (k + 1) * seconds * rate].map(Math.floor)
    let [rises, power] = [0, 0]
    for (let i = from; i < to; i++) {
      const [before, here] = [left[i - 1] + right[i - 1], left[i] + right[i]]
      if (before < 0 && here >= 0) rises++
      power += here * here
    }
    return { hz: rises / ((to - from) / rate), loud: Math.sqrt(power / (to - from)) }
  })
}
"""
STEP_S = 0.4


@pytest.mark.browser
def test_what_is_rendered_falls_as_the_loss_falls_and_ends(visit: Visitor) -> None:
    page = visit.empty()
    page.goto(f"{visit.server}/assets/{modules().digest}/stage/stage.html")  # any of its pages
    losses = engine.descend("bowl", "sgd", (5.0, 3.0), 60, {"lr": 0.0185}).loss[::12].tolist()
    address = f"/assets/{modules().digest}/stage/sound.js"
    *heard, silence = page.evaluate(RENDERED, [address, losses, STEP_S])
    for loss, note in zip(losses, heard, strict=True):
        # Rises are whole numbers: one more or less in the half of a step that is counted.
        assert note["hz"] == pytest.approx(
            440 * 10 ** (math.log10(loss) * math.log10(2) / 2), abs=6
        )
        assert note["loud"] > 0.05
    order = sorted(range(len(losses)), key=lambda k: losses[k])
    assert [heard[k]["hz"] for k in order] == sorted(note["hz"] for note in heard)
    assert silence["loud"] < 1e-3
