"""What the pages of losses and derivatives give to take along: Python that runs and gives the
page's own numbers, and LaTeX."""

from __future__ import annotations

import io
import re
from contextlib import redirect_stdout

import numpy as np
import pytest

from engine.derivatives.graph import EXAMPLES, read_program
from engine.derivatives.source import python_gradient
from engine.tape import autograd
from tests.pages.running import LOSS_STATES, open_page

STATES = (
    *LOSS_STATES,
    ("graph", {}),
    ("graph", {"on": "neuron"}),
    ("four_ways", {}),
    ("gradient_check", {}),
    ("gradient_check", {"of": "formula"}),
    ("engine_room", {}),
)


def printed(source: str) -> list[float]:
    """Every number that the source prints."""
    out = io.StringIO()
    with redirect_stdout(out), np.errstate(all="ignore"):
        exec(source, {"__name__": "copied"})  # as a reader runs it
    return [float(n) for n in re.findall(r"-?\d+\.?\d*(?:e[-+]?\d+)?", out.getvalue())]


@pytest.mark.parametrize(("name", "link"), STATES)
def test_every_page_gives_python_that_runs_and_latex(name: str, link: dict[str, str]) -> None:
    page = open_page(name, **link)
    assert not page.exception
    blocks = [block.value for block in page.code]
    latex = next(text for text in reversed(blocks) if "\\" in text)
    assert latex.count("{") == latex.count("}")
    plain = [text for text in blocks if not re.search(r"^import (torch|jax)", text, re.MULTILINE)]
    source = next(text for text in reversed(plain) if "import" in text or "def " in text)
    printed(source)


def test_the_graph_and_the_four_ways_print_their_numbers() -> None:
    source = next(b.value for b in open_page("graph").code if "def " in b.value)
    assert printed(source) == pytest.approx([1.2624672, 1.9695739, 0.7071068], abs=1e-6)
    source = next(b.value for b in open_page("four_ways", h="0.001").code if "def " in b.value)
    gradient, forward, central = printed(source)
    assert gradient == pytest.approx(1.9695739, abs=1e-6)
    assert abs(central - gradient) < 1e-6 < abs(forward - gradient) < 1e-3


def test_the_fifteen_lines_run_alone() -> None:
    source = open_page("engine_room").code[-2].value
    assert printed(source) == pytest.approx([1.2624672, 1.9695739, 0.7071068], abs=1e-6)


@pytest.mark.parametrize("of", ["network", "formula"])
def test_a_lost_sign_is_caught_elsewhere_too(of: str) -> None:
    broken = "tanh" if of == "network" else "sin"
    page = open_page("gradient_check", of=of, broken=broken)
    source = next(b.value for b in page.code if "reverse = " in b.value)
    assert max(printed(source)) > 1
    sound = open_page("gradient_check", of=of, broken="nothing")
    source = next(b.value for b in sound.code if "reverse = " in b.value)
    assert max(printed(source)) < 1e-6


@pytest.mark.parametrize("slug", EXAMPLES)
def test_printed_gradients_are_the_tapes(slug: str) -> None:
    program = read_program(EXAMPLES[slug].text)
    for output in program.outputs:

        def value(*inputs: float, output: str = output) -> float:
            known = program.run(dict(zip(program.inputs, inputs, strict=True)))
            return known[output]  # type: ignore[no-any-return]

        scope: dict[str, object] = {}
        exec(python_gradient(value, program.inputs, output), scope)
        found, slopes = scope[f"{output}_and_gradient"](*map(float, EXAMPLES[slug].values))  # type: ignore[operator]
        both = autograd.value_and_grad(value, range(len(program.inputs)))
        wanted, gradient = both(*map(np.float64, EXAMPLES[slug].values))
        assert found == pytest.approx(float(wanted), rel=1e-12)
        assert list(slopes) == pytest.approx([float(g) for g in gradient], rel=1e-12)
