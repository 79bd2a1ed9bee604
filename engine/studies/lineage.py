"""Where automatic differentiation comes from, as facts a page can show."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Milestone:
    """A year, who or what, what it added, and the page that shows it, as a link beside it."""

    year: int
    name: str
    what: str
    link: str


_STATIC = "engine_room?part=static+or+dynamic"

LINEAGE: tuple[Milestone, ...] = (
    Milestone(
        1964,
        "Wengert",
        "Forward mode: a program's list of elementary steps, each with its slope.",
        "graph?mode=forward",
    ),
    Milestone(
        1970,
        "Linnainmaa",
        "Reverse mode: round-off errors of a computation, accumulated from its end to its start.",
        "graph",
    ),
    Milestone(
        1982,
        "Werbos",
        "Reverse mode proposed for training neural networks.",
        "graph?on=neuron",
    ),
    Milestone(
        1986,
        "Rumelhart, Hinton & Williams",
        "Back-propagation learns useful hidden features, and the name stays.",
        "graph?on=perceptron",
    ),
    Milestone(
        2010,
        "Theano",
        "A graph is declared first, then optimised and compiled, also for GPUs.",
        _STATIC,
    ),
    Milestone(
        2015, "TensorFlow", "The declared, static graph at the scale of a data centre.", _STATIC
    ),
    Milestone(
        2015,
        "HIPS autograd",
        "Plain NumPy code is traced as it runs: rules as a table, apart.",
        "gradient_check",
    ),
    Milestone(
        2017,
        "PyTorch",
        "The graph is built while running, anew each time: Python's `if` just works.",
        _STATIC,
    ),
    Milestone(
        2018,
        "JAX",
        "Transformations that compose: grad of grad, vmap, compiled from a trace.",
        "four_ways",
    ),
    Milestone(
        2020,
        "micrograd",
        "The whole idea in about a hundred lines of scalar Python.",
        "engine_room",
    ),
)
