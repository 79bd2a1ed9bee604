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
from tests.browser import Visitor
from tests.engine.emit.node import node

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


def voices(page: Page) -> list[dict[str, Any]]:
    return list(page.evaluate("voices()"))


@pytest.mark.browser
def test_a_race_is_heard_while_it_plays(visit: Visitor) -> None:
    page = visit._page(reduced_motion="reduce")
    page.add_init_script(HEARD)
    page.goto(f"{visit.server}/race?runs=sgd;momentum&steps=60")
    page.locator(".dl-stage[data-seq]").first.wait_for()
    button = page.get_by_role("button", name="Hear the loss").first
    expect(button).to_have_attribute("aria-pressed", "false")
    assert voices(page) == []
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
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
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false")
    assert page.evaluate("heard.closed") == 1


@pytest.mark.browser
def test_a_training_is_heard_too(visit: Visitor) -> None:
    page = visit._page(reduced_motion="reduce")
    page.add_init_script(HEARD)
    page.goto(f"{visit.server}/train?steps=400")
    page.locator('.dt-training [data-act="sound"]').click()
    page.locator('.dt-training [data-act="first"]').click()
    page.locator('.dt-training [data-act="play"]').click()
    page.wait_for_function("() => voices().some(({ loud, hz }) => loud > 0 && hz > 65)")
