"""Where automatic differentiation comes from, as facts a page can show."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Milestone:
    """A year, who or what, and what it added."""

    year: int
    name: str
    what: str


LINEAGE: tuple[Milestone, ...] = (
    Milestone(
        1964, "Wengert", "Forward mode: a program's list of elementary steps, each with its slope."
    ),
    Milestone(
        1970,
        "Linnainmaa",
        "Reverse mode: round-off errors of a computation, accumulated from its end to its start.",
    ),
    Milestone(1982, "Werbos", "Reverse mode proposed for training neural networks."),
    Milestone(
        1986,
        "Rumelhart, Hinton & Williams",
        "Back-propagation learns useful hidden features, and the name stays.",
    ),
    Milestone(
        2010, "Theano", "A graph is declared first, then optimised and compiled, also for GPUs."
    ),
    Milestone(2015, "TensorFlow", "The declared, static graph at the scale of a data centre."),
    Milestone(
        2015, "HIPS autograd", "Plain NumPy code is traced as it runs: rules as a table, apart."
    ),
    Milestone(
        2017,
        "PyTorch",
        "The graph is built while running, anew each time: Python's `if` just works.",
    ),
    Milestone(
        2018, "JAX", "Transformations that compose: grad of grad, vmap, compiled from a trace."
    ),
    Milestone(2020, "micrograd", "The whole idea in about a hundred lines of scalar Python."),
)
