"""Trainings that work and trainings that fail, each with its reason."""

from __future__ import annotations

from pages.presets import Preset

# Four fields of a board, in turn of two classes.
CHECKS = "~".join(f"{i},{j},{'ab'[(i < 3) != (j < 3)]}" for i in range(6) for j in range(6))

PRESETS = (
    Preset(
        "Three rules, two moons",
        "good",
        "Same weights, same batches. Momentum, which goes ten times as far at the same rate, and "
        "Adam bend the border round both moons; gradient descent has only begun to.",
        {},
    ),
    Preset(
        "Learning rate too large",
        "bad",
        "½‖w‖² has curvature 1, and η = 10 is five times its limit 2/λ: the numbers end. Without "
        "it the loss is flat far out: no end, no learning. A hundredth of η learns.",
        {"runs": "sgd:lr=10,l2=1;sgd:lr=10;sgd:lr=0.1", "activation": "relu", "seed": "1"},
    ),
    Preset(
        "Dead ReLU",
        "bad",
        "Long steps push units to the side where ReLU is flat: once no input switches a layer on, "
        "no gradient comes through, and nothing brings it back.",
        {"activation": "relu", "seed": "1", "runs": "sgd:lr=10,init=he;sgd:lr=0.3,init=he"},
    ),
    Preset(
        "All weights zero",
        "bad",
        "Behind weights of zero every unit says zero and gets no gradient: only the last bias can "
        "move. Units that begin alike stay alike; random weights tell them apart.",
        {"runs": "adam:lr=0.01,init=zero;adam:lr=0.01"},
    ),
    Preset(
        "Saturated squared error",
        "bad",
        "Weights that begin too large make outputs certain, many of them wrong. There the squared "
        "error's gradient is gone; cross-entropy's is not.",
        {"runs": "sgd:lr=0.1,init=large,loss=mse;sgd:lr=0.1,init=large"},
    ),
    Preset(
        "No shuffling",
        "bad",
        "Sorted by class, a hundred batches say one thing and a hundred the other: the network "
        "runs after the class it saw last. Shuffled, the same examples teach both.",
        {
            "n": "1000", "steps": "1000",
            "runs": "sgd:lr=0.3,batch=4,shuffle=0;sgd:lr=0.3,batch=4",
        },
    ),
    Preset(
        "Spirals",
        "good",
        "After 300 steps Adam tells nearly all points apart; gradient descent takes five times as "
        "long to come near that.",
        {
            "data": "spirals", "width": "24", "steps": "1500", "noise": "0.05",
            "runs": "sgd:lr=0.1;adam:lr=0.01;muon:lr=0.1",
        },
    ),
    Preset(
        "Digits",
        "good",
        "Ten classes of 8 × 8 pixels. The tables count which digits (rows) are taken for which "
        "(columns) among those held back.",
        {
            "data": "digits", "width": "24", "depth": "1", "steps": "600",
            "runs": "sgd:lr=0.1;adam:lr=0.01",
        },
    ),
    Preset(
        "Slopes of a quarter",
        "bad",
        "A sigmoid's slope is at most ¼, and three layers take three of them off a gradient: that "
        "border is still straight where tanh's and ReLU's go round the moons.",
        {
            "depth": "3",
            "runs": "sgd:lr=0.3,activation=sigmoid;sgd:lr=0.3,activation=tanh;"
            "sgd:lr=0.3,activation=relu",
        },
    ),
    Preset(
        "A rule of your own",
        "good",
        "Squared error's gradients are next to nothing here. The rule typed below takes their "
        "signs alone: its steps stay long, and it learns what gradient descent leaves.",
        {
            "runs": "typed~w%20%3D%20w%20-%20lr%2Asign%28g%29:lr=0.01,init=large,loss=mse;"
            "sgd:lr=0.1,init=large,loss=mse",
        },
    ),
    Preset(
        "Groups: Muon and AdamW",
        "good",
        "Muon moves the hidden matrices, AdamW the rest at η′. With a hundredth of η′ the spirals "
        "stay mixed: the rest counts. With both, Muon ends below AdamW alone.",
        {
            "data": "spirals", "width": "24", "noise": "0.05",
            "runs": "muon:lr=0.1;muon:lr=0.1,rest=0.0001;adamw:lr=0.01",
        },
    ),
    Preset(
        "SAM among noise",
        "good",
        "Adam learns noise by heart, and the loss of what is held back rises. SAM takes its "
        "gradient half a unit uphill and gives up odd points, for two gradients a step.",
        {
            "n": "80", "noise": "0.35", "steps": "1500", "against": "evaluations",
            "runs": "adam:lr=0.01;sam~adam:lr=0.01,radius=0.5",
        },
    ),
    Preset(
        "Averaged weights",
        "good",
        "One example a step at a large rate: the weights jump about. Their average over some "
        "hundred steps, which no step reads, does better than where they stand.",
        {
            "noise": "0.3", "steps": "1000",
            "runs": "sgd:lr=0.5,batch=1;sgd:lr=0.5,batch=1,ema=0.99",
        },
    ),
    Preset(
        "Clipped gradients",
        "good",
        "Weights that begin too large give gradients that throw every ReLU to its flat side in a "
        "few steps. No gradient longer than 0.1: the same rate and weights learn.",
        {"activation": "relu", "runs": "sgd:lr=1,init=large;sgd:lr=1,init=large,clip=0.1"},
    ),
    Preset(
        "A table of yours",
        "good",
        "Thirty-six rows as they could stand in your file: two numbers and a name. No line parts "
        "a from b; half are held back, and the borders are guesses.",
        {"data": "pasted", "table": CHECKS, "runs": "sgd:lr=0.1;adam:lr=0.01"},
    ),
)  # fmt: skip
