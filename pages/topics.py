"""The topics of the course in its order: what each is about, its page, its lesson, its picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final
from urllib.parse import urlencode

from components.stage import Arrows, Boxes, Panel, Raster, Track
from components.topics import Link, Topic
from figures import topics as pictures
from figures.small import FRAMES
from pages import course
from pages.contents import SECTIONS


@dataclass(frozen=True, slots=True)
class Subject:
    """A topic: the page it opens, its title, what it asks or says, the lessons about it, and the
    state in which the page opens. Its picture is that of `figures.topics` of the page's name."""

    page: str
    title: str
    text: str
    lessons: tuple[str, ...] = ()
    link: Mapping[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """Where its page lies, beside this one."""
        return self.page + (f"?{urlencode(self.link, safe=':;,')}" if self.link else "")


COURSE: Final[Mapping[str, tuple[Subject, ...]]] = MappingProxyType(
    {
        "Information and losses": (
            Subject(
                "entropy", "Entropy", "How surprised will you be, on average? No coin surprises "
                "more than a fair one.", ("from-entropy-to-cross-entropy",),
            ),
            Subject(
                "divergence", "Cross-entropy and KL",
                "What it costs to expect one thing while another is true.",
                ("from-entropy-to-cross-entropy",),
            ),
            Subject(
                "likelihood", "Maximum likelihood",
                "Three ways to choose a parameter that always choose the same one.",
                ("maximum-likelihood-is-cross-entropy",),
            ),
            Subject(
                "saturation", "Cross-entropy or MSE",
                "A neuron, certain and wrong: which loss still pulls at it?",
                ("why-cross-entropy-beats-mse",),
            ),
            Subject(
                "softmax", "Softmax and temperature",
                "From scores to probabilities: cold is certain, hot is fair.",
                ("softmax-and-temperature",),
            ),
            Subject(
                "losses", "Loss gallery",
                "Hinge, logistic, squared, focal: what each says, and how hard it pulls.",
            ),
        ),
        "From gradient descent to Adam": (
            Subject(
                "race", "Zig-zag and momentum",
                "Gradient descent bounces in a narrow valley; a memory of past steps cures it.",
                ("zig-zag-and-momentum",),
            ),
            Subject(
                "which_rate", "Which learning rate",
                "Too timid it crawls, too bold it flies: the stretch between.",
                ("choosing-a-learning-rate",),
            ),
            Subject(
                "schedules", "Schedules", "Warm up, hold, fall: the rate over a run, and its run.",
                ("schedules-and-batches",),
            ),
            Subject(
                "debugger", "Adam, step by step",
                "One update in symbols, numbers and arrows, forward and back.",
                ("adam-in-four-steps",), {"runs": "adam:lr=0.4", "t": "1"},
            ),
            Subject(
                "bias_correction", "Bias correction",
                "Averages that begin at zero are too small: why Adam divides by 1 − βᵗ.",
                ("adam-in-four-steps",),
            ),
            Subject(
                "map", "Hyper-parameter map",
                "Every learning rate with every β at once, as you move the valley.",
            ),
            Subject("basins", "Basins", "Which minimum each start reaches, for each rule."),
        ),
        "Networks and comparisons": (
            Subject(
                "train", "Train a network", "The same rules on real weights, before your eyes.",
                ("training-a-network",),
            ),
            Subject(
                "loss_race", "Loss meets optimizer",
                "Another loss is another landscape, and another race.",
                ("why-cross-entropy-beats-mse",),
            ),
            Subject(
                "batch_size", "Batch size",
                "A batch's gradient is a guess. What its noise costs, and what it is good for.",
                ("mini-batches-and-their-noise",),
            ),
            Subject(
                "weight_space", "Paths in weight space",
                "A training on two directions out of hundreds, and how sharp it gets.",
                ("what-a-plane-shows",),
            ),
            Subject(
                "matrices", "Muon and matrices",
                "Singular values made alike in five steps, and when that wins.",
                ("matrices-muon-and-its-kin",),
            ),
            Subject(
                "adam_paper", "The comparison of the Adam paper",
                "The rules of 2015 and of today on digits, each tuned alike.",
                ("a-fair-comparison",),
            ),
            Subject(
                "fair_race", "Fair race",
                "Which rule is best? As much to tune for each, and many seeds.",
                ("a-fair-comparison",),
            ),
        ),
        "Derivatives and autograd": (
            Subject(
                "four_ways", "Four ways to a derivative",
                "Symbols, small steps, dual numbers, and a tape read backwards.",
                ("four-ways-to-a-derivative",),
            ),
            Subject(
                "graph", "Computational graph",
                "Forwards the value, backwards the whole gradient, a node at a time.",
                ("inside-an-autograd-engine",),
            ),
            Subject(
                "chain_rule",
                "Chain-rule practice",
                "A graph of your own, and every derivative of it for you to find.",
                ("exercises-derivatives",),
            ),
            Subject(
                "gradient_check", "Gradient check",
                "Is this gradient right? A lost sign stands out by nine powers of ten.",
                ("inside-an-autograd-engine",),
            ),
            Subject(
                "engine_room", "The engine", "A tape written forwards and read back, in fifteen "
                "lines.", ("inside-an-autograd-engine",),
            ),
        ),
    }
)  # fmt: skip


def panel(name: str) -> Panel:
    """The picture of a topic, by its page."""
    small = pictures.picture(name)
    return Panel(
        id=name,
        kind="plane" if small.kind == "plane" else "chart",
        figure=small.figure,
        tracks=[Track(**track) for track in small.tracks],
        arrows=[Arrows(**arrow) for arrow in small.arrows],
        boxes=[Boxes(**box) for box in small.boxes],
        rasters=[Raster(**raster) for raster in small.rasters],
    )


def cards() -> list[tuple[str, list[Topic]]]:
    """The topics as cards in the order of the course, then every other page without a picture."""
    known = course.lessons()
    sections = [
        (
            title,
            [
                Topic(
                    id=subject.page, title=subject.title, text=subject.text,
                    links=[
                        Link(to=subject.address, label=subject.title),
                        *(
                            Link(to=course.address(known[slug], 0), label="Lesson")
                            for slug in subject.lessons if slug in known
                        ),
                    ],
                    panel=panel(subject.page), frames=FRAMES,
                )
                for subject in subjects
            ],
        )
        for title, subjects in COURSE.items()
    ]  # fmt: skip
    named = {subject.page for subjects in COURSE.values() for subject in subjects} | {"home"}
    others = [
        Topic(id=e.file, title=e.title, text=e.help, links=[Link(to=e.file, label=e.title)])
        for entries in SECTIONS.values()
        for e in entries
        if e.file not in named
    ]
    return [*sections, ("And more", others)]
