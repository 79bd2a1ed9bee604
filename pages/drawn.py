"""The function of a page that draws its graph: an example by its name in `on`, or the reader's own
in `f`, with the inputs' values in `at`."""

from __future__ import annotations

from engine.derivatives.graph import EXAMPLES, NamedFormulas, read_program
from pages.state import Experiment

TYPED = "typed"


def drawn_function(x: Experiment) -> NamedFormulas:
    """The function that is drawn."""
    return read_program(x["f"] if x["on"] == TYPED else EXAMPLES[x["on"]].text)


def inputs_of(x: Experiment, function: NamedFormulas) -> tuple[float, ...]:
    """The inputs' values: the reader's where he has set them all, else the example's."""
    if len(x["at"]) == len(function.inputs):
        return tuple(x["at"])
    if x["on"] != TYPED:
        return EXAMPLES[x["on"]].values
    return tuple(round(0.8 + 0.45 * i, 2) for i in range(len(function.inputs)))
