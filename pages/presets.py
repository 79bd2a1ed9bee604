"""Settings worth a click: races that work and races that fail, each with its reason.

A preset is the link of a page: the values of its fields as they stand in an address.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Preset:
    """A name, what becomes of it ("good", "bad"), the reason, and the fields it sets."""

    name: str
    outcome: str
    reason: str
    link: Mapping[str, str]


RACES: tuple[Preset, ...] = (
    Preset(
        "Zig-zag and its cure",
        "good",
        "Same learning rate for both: across the valley gradient descent overshoots at every step, "
        "along it it crawls. Momentum cancels the zig-zag and adds up the crawl.",
        {},
    ),
    Preset(
        "Past the limit",
        "bad",
        "η = 0.021 is above 2/λmax = 0.02, so each step across the valley lands farther out than "
        "the last. Momentum's limit is 2(1+β)/λmax, 1.8 times as far.",
        {"lr": "0.021"},
    ),
    Preset(
        "Too timid",
        "bad",
        "At a twentieth of the limit gradient descent does not oscillate, and does not arrive: the "
        "shallow direction shrinks by 0.2 % a step.",
        {"lr": "0.001"},
    ),
    Preset(
        "Heard in class: it zig-zags",
        "good",
        "x² + 10y² at η = 0.05 does not zig-zag: ηλ = 1 in y, which is 0 after one step (η 0.06 "
        "to 0.099 does). Momentum 0.9 ends at (−0.333, −0.149), still swinging.",
        {
            "on": "formula",
            "f": "x**2 + 10*y**2",
            "start": "5,3",
            "lr": "0.05",
            "runs": "sgd;momentum",
            "steps": "50",
        },
    ),
    Preset(
        "Heard in class: a third of the steps",
        "good",
        "At β = 0.8 momentum takes a third of gradient descent's steps to 0.01: 30 against 104. "
        "At β = 0.9 it crosses after 82 and swings out: 106 to stay (50 at β = 0.8).",
        {"runs": "sgd;momentum:beta=0.8;momentum:beta=0.9"},
    ),
    Preset(
        "Polyak's optimum",
        "good",
        "For κ = 50 the best momentum is known in closed form: both directions then shrink at the "
        "same rate, (√κ−1)/(√κ+1) a step.",
        {
            "runs": "sgd:lr=0.0196;momentum:lr=0.030704,beta=0.566",
            "same": "0",
        },
    ),
    Preset(
        "Too much momentum",
        "bad",
        "β = 0.99 remembers a hundred steps: the ball flies through the minimum and back, long "
        "after gradient descent has arrived.",
        {"runs": "sgd:lr=0.0185;momentum:lr=0.0185,beta=0.99", "steps": "300"},
    ),
    Preset(
        "Turned by 45°",
        "good",
        "Adam scales each coordinate by itself. Turn the bowl and its coordinates no longer are "
        "the axes of the valley: momentum does not notice, Adam does.",
        {
            "runs": "momentum:lr=0.0185,beta=0.8;adam:lr=0.3",
            "same": "0",
            "bowl.rotation": "45",
        },
    ),
    Preset(
        "Rosenbrock's valley",
        "good",
        "A curved valley with a flat floor, quick to find and slow to follow: gradient descent "
        "crawls, momentum gathers speed, rules that scale the gradient keep their step.",
        {
            "on": "rosenbrock",
            "runs": "sgd:lr=0.0012;momentum:lr=0.0008;rmsprop:lr=0.01;adam:lr=0.05",
            "same": "0",
            "steps": "600",
        },
    ),
    Preset(
        "Leaving a saddle",
        "good",
        "Started a thousandth off the ridge, the gradient is nearly nothing. Rules that divide by "
        "its size leave at once; gradient descent waits for it to grow.",
        {
            "on": "saddle",
            "runs": "sgd:lr=0.05;momentum:lr=0.05;rmsprop:lr=0.02;adam:lr=0.05",
            "same": "0",
        },
    ),
    Preset(
        "Which minimum?",
        "good",
        "Four equal minima: from the same start, rules that follow the gradient end in one and "
        "rules that scale each coordinate in another. Drag the start.",
        {
            "on": "himmelblau",
            "runs": "sgd:lr=0.01;momentum:lr=0.01;adam:lr=0.3;adagrad:lr=0.8",
            "same": "0",
            "start": "-1.25,-0.5",
            "steps": "200",
        },
    ),
    Preset(
        "Curvature on the way",
        "good",
        "The limit at the start says little: λmax is −15 there, 134 at the minimum. A rate of "
        "0.01 is stable up to 2/η = 200 and arrives; 0.02, up to 100, swings for good.",
        {
            "on": "himmelblau",
            "runs": "sgd:lr=0.01;sgd:lr=0.02",
            "same": "0",
            "steps": "100",
            "curvature": "1",
        },
    ),
    Preset(
        "Sophia between Adam and Newton",
        "good",
        "At the start the loss curves down: Newton is gone at step 2. Sophia divides by the "
        "curvature too, but clips: below 0.01 for good after 87 steps, Adam after 173.",
        {
            "on": "beale",
            "runs": "newton:lr=1;sophia:lr=0.1,beta1=0.9,gamma=1;adam:lr=0.1",
            "same": "0",
            "steps": "200",
        },
    ),
    Preset(
        "Adagrad runs dry",
        "bad",
        "Adagrad's sum of squared gradients only grows, so its steps only shrink. RMSProp forgets, "
        "and keeps walking.",
        {
            "on": "beale",
            "runs": "adagrad:lr=0.05;rmsprop:lr=0.01;adadelta",
            "same": "0",
            "steps": "800",
        },
    ),
    Preset(
        "Gradient noise",
        "bad",
        "With noise in the gradient a constant learning rate ends in a cloud around the minimum; "
        "its size grows with η and, for momentum, with 1/(1−β).",
        {
            "runs": "sgd:lr=0.01;momentum:lr=0.01,beta=0.9;adam:lr=0.1",
            "same": "0",
            "noise": "10",
            "steps": "300",
        },
    ),
)
