"""The pages of the app, by section: to add one, add a line here and its file beside this one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """A page: its file in this folder (without .py), which is its address, its title, its use."""

    file: str
    title: str
    help: str


SECTIONS: dict[str, tuple[Entry, ...]] = {
    "": (Entry("home", "Home", "What this is, a race to play with, and every topic."),),
    "Optimizers": (
        Entry("race", "Race", "Optimizers side by side on one landscape, under your hand."),
        Entry("debugger", "Update debugger", "One step in symbols, numbers and arrows."),
        Entry("bias_correction", "Bias correction", "Why Adam divides by 1 − βᵗ."),
        Entry("schedules", "Schedules", "The learning rate over a run, and its run."),
        Entry("failures", "Failures and cures", "Where a rule fails, and what cures it."),
        Entry("family", "The family", "All rules in a table, and who becomes whom."),
        Entry("parity", "Trusted numbers", "Agreement with PyTorch, optax and others."),
    ),
    "Networks": (
        Entry("train", "Train a network", "Rules race on a network that learns before your eyes."),
        Entry(
            "weight_space", "Paths in weight space", "A training on a plane, and how sharp it is."
        ),
        Entry("loss_race", "Loss meets optimizer", "Another loss: another landscape and race."),
        Entry("batch_size", "Batch size", "Mini-batches: their noise, its price, its use."),
        Entry("matrices", "Muon and matrices", "Singular values made alike, and when that wins."),
        Entry(
            "adam_paper",
            "The comparison of the Adam paper",
            "Rules on digits, each tuned alike, over seeds.",
        ),
        Entry("which_rate", "Which learning rate", "A range test, and what whole runs say."),
    ),
    "Maps": (
        Entry("map", "Hyper-parameter map", "Every setting's run at once, live."),
        Entry("basins", "Basins", "Where every start ends, per optimizer."),
        Entry("fair_race", "Fair race", "The same budget to tune each, then many seeds."),
    ),
    "Losses": (
        Entry("entropy", "Entropy", "Surprise on average: a curve, an area, a code."),
        Entry("divergence", "Cross-entropy and KL", "What a wrong belief costs."),
        Entry("likelihood", "Maximum likelihood", "Why it is cross-entropy."),
        Entry(
            "softmax", "Softmax and temperature", "Scores, probabilities and what temperature does."
        ),
        Entry("saturation", "Cross-entropy or MSE", "Which loss still pulls."),
        Entry("losses", "Loss gallery", "What each loss says, and how hard it pulls."),
    ),
    "Derivatives": (
        Entry("graph", "Computational graph", "Forward and backward, a node at a time."),
        Entry("chain_rule", "Chain-rule practice", "Find every derivative of a graph of your own."),
        Entry(
            "four_ways",
            "Four ways to a derivative",
            "Symbolic, numerical, forward, reverse.",
        ),
        Entry(
            "gradient_check",
            "Gradient check",
            "Is this gradient right? A wrong derivative, caught.",
        ),
        Entry("engine_room", "The engine", "Its own source, recording and learning."),
    ),
    "Course": (
        Entry("lessons", "Lessons", "Guided paths over the pages, a step at a time."),
        Entry("recap", "Recap", "Every topic on a card, and tables of usual values."),
        Entry("glossary", "Glossary", "The words of the course, and where each is seen."),
        Entry("teachers", "For teachers", "A link to chosen exercises, with a seed for variants."),
    ),
}
