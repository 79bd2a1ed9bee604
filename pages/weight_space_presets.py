"""Runs through weight space that are worth seeing, each with its reason."""

from __future__ import annotations

from pages.presets import Preset

PRESETS = (
    Preset(
        "Edge of stability",
        "good",
        "Sharpness rises until it is 2/η and stays there: at the edge of what a parabola would "
        "bear. The loss jumps up and still falls in the long run.",
        {},
    ),
    Preset(
        "Two rates, two edges",
        "good",
        "Each rate has an edge of its own, 2/η, and finds it: the larger rate ends where the loss "
        "is flatter.",
        {"runs": "sgd:lr=0.4;sgd:lr=0.15"},
    ),
    Preset(
        "Too slow for the edge",
        "good",
        "At η = 0.03 the edge is far above: sharpness never comes near, and the loss falls at "
        "every record.",
        {"runs": "sgd:lr=0.03"},
    ),
    Preset(
        "Momentum's edge",
        "good",
        "Momentum bears 2(1 + β)/η, half as much again at β = 0.5, and its sharpness rises to that "
        "one: the edge is the rule's, not the network's.",
        {"runs": "momentum:lr=0.15,beta=0.5;sgd:lr=0.15"},
    ),
    Preset(
        "Adam's edge",
        "good",
        "Rules that divide by √v have an edge as well, in the metric that they divide by: 38/η for "
        "Adam, 2/η for RMSProp. Both come to it and stay.",
        {"runs": "adam:lr=0.01;rmsprop:lr=0.003", "share": "1"},
    ),
    Preset(
        "SAM stays below",
        "good",
        "SAM takes its gradient 0.1 uphill, where it is sharp a steeper one. At the same η it ends "
        "at half the edge's sharpness or less, for a loss that is not as low.",
        {"runs": "sam~sgd:lr=0.25,radius=0.1;sgd:lr=0.25"},
    ),
    Preset(
        "Beyond 2/η",
        "good",
        "2/η holds gradient descent at 8. Muon's steps are no multiples of the gradient: "
        "it goes on to more than twice that sharpness, and to a lower loss.",
        {"runs": "muon:lr=0.01;sgd:lr=0.25"},
    ),
    Preset(
        "Cross-entropy lets go",
        "good",
        "Here the edge is passed early and left for good: outputs that are certain and right have "
        "next to no curvature, so nothing drives the sharpness up.",
        {"data": "moons", "runs": "sgd:lr=1"},
    ),
    Preset(
        "Three rules, one plane",
        "good",
        "Same weights at the start, three ends far apart: the plane holds the way between them, "
        "and little of how each got there.",
        {"runs": "sgd:lr=0.25;momentum:lr=0.05;adam:lr=0.01"},
    ),
    Preset(
        "A random plane",
        "bad",
        "Two directions of a few hundred, drawn by chance: hardly anything of the path lies in "
        "them, and it looks as if the network had not learned.",
        {"plane": "random"},
    ),
    Preset(
        "A walk looks as good",
        "bad",
        "Steps by pure chance, on their own plane: a smooth bend that holds most of the variance. "
        "A high share and a curve are no proof of a valley.",
        {"walk": "1"},
    ),
)
