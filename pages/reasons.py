"""Why the rules differ: six small problems on the family's page, each under the reader's hand."""

from __future__ import annotations

from typing import Any

import streamlit as st

from components.controls import Group, Item
from components.stage import Arrows, Handle, Panel, Raster, Track, stage
from engine.emit.picture import Picture, entry, round_to, stack, words, written
from engine.optimizers import OPTIMIZERS
from engine.problems.networks import ACTIVATIONS
from engine.studies import bartlett, layers, reasons
from engine.tape import operations as ops
from figures import race, style
from figures import reasons as pictures
from pages import frame
from pages.state import Choice, Experiment, Field, Integer, Number, Numbers

STEEPEST, STEADY, FALLING, RARE, LAYERS, SQUARES = CHOICES = (
    "steepest ascent", "a steady gradient", "a falling rate", "rare features", "unlike layers",
    "squares for curvature",
)  # fmt: skip
CHOSEN = ("label", "hidden", "activation")  # fields with a chooser in place of a slider
TRAINED = ("sgd", "adam")

FIELDS: tuple[Field[Any], ...] = (
    Choice("why", STEEPEST, CHOICES, label="why they differ"),
    Numbers("at", (1.5, 1.0), -pictures.REACH, pictures.REACH, count=(2, 2)),
    Number("angle", 20.0, 0.0, 360.0, label="direction", unit="°"),
    Number("beta", 0.9, 0.0, 0.98, label="momentum", symbol="β"),
    Integer("drop", 40, 5, 75, label="the rate falls at step"),
    Number(
        "share",
        0.03,
        0.02,
        0.5,
        label="share with the rare word",
        symbol="s",
        scale="log",
        help="of the sentences, and so of the steps",
    ),
    Choice("hidden", 4, range(1, layers.DEEPEST + 1), label="hidden layers"),
    Choice("activation", "sigmoid", list(ACTIVATIONS), label="activation"),
    Number("gain", 1.0, 0.2, 5.0, label="size of the weights", scale="log"),
    Number("z", 2.0, -6.0, 6.0, label="logit", symbol="z"),
    Choice("label", 1, (1, 0), label="given label y"),
)


def show(x: Experiment, *, small: bool) -> None:
    """The chosen problem, its controls and its sentence."""
    view = frame.view(x)
    live = x.live()
    draw = {
        STEEPEST: steepest, STEADY: steady, FALLING: falling, RARE: rare, LAYERS: unlike,
        SQUARES: squares,
    }[x["why"]]  # fmt: skip
    panels, names, line, remark = draw(x, live)
    with view.picture:
        stage(
            "family.picture", panels[:2] if small else panels, live=live,
            frames=reasons.STEPS + 1 if x["why"] == RARE else 1, restart=x.restart,
            height=view.height(400 if len(panels) < 4 else 620, 390), columns=2, lines=[line],
            alt=x["why"],
        )  # fmt: skip
        if not small:
            frame.notice(remark)
    items: list[Item] = [x.chooser(name) if name in CHOSEN else x.slider(name) for name in names]
    with view.panel:
        x.controls([Group(id="why", items=items)], live=live)
    below = {LAYERS: training, SQUARES: classifier}.get(x["why"])
    if below is not None and not small:
        with view.picture:
            below(x)


Shown = tuple[list[Panel], list[str], Any, str]


def steepest(x: Experiment, live: Picture) -> Shown:
    """Of all directions the gradient is the steepest; against it goes descent."""
    at_x, at_y = live["at"][0], live["at"][1]
    found = reasons.ascent(at_x, at_y, live["angle"])
    u, v = reasons.direction(live["angle"])
    gx, gy = (g / ops.maximum(found.length, 1e-12) for g in found.gradient)
    hand_x, hand_y = live.hand
    sets = {"at": stack(round_to(hand_x, 2), round_to(hand_y, 2))}
    turned = {"angle": ops.clip(round_to(hand_x, 0), 0.0, 360.0)}
    r = pictures.RADIUS

    def arrow(dx: Any, dy: Any, color: str, label: str) -> Arrows:
        return Arrows(
            x=stack(at_x), y=stack(at_y), dx=stack(r * dx), dy=stack(r * dy), color=color,
            label=label, width=3.0,
        )  # fmt: skip

    panels = [
        Panel(
            id="hill", title="the loss from above, and directions from a point (drag it)",
            figure=pictures.directions(at_x, at_y), clicks=sets,
            arrows=[
                arrow(gx, gy, style.CORRECTION, "∇f"),
                arrow(ops.negative(gx), ops.negative(gy), style.SUM, "−∇f"),
                arrow(u, v, style.INK, "u"),
            ],
            handles=[
                Handle(
                    id="point", x=at_x, y=at_y, sets=sets,
                    minimum=(-pictures.REACH, -pictures.REACH),
                    maximum=(pictures.REACH, pictures.REACH),
                )
            ],
            alt="Contours of a bowl with the gradient, its opposite and a direction at a point.",
        ),
        Panel(
            id="slopes", title="slope of the loss along u, in every direction",
            figure=pictures.slopes(found), clicks=turned,
            handles=[
                Handle(
                    id="direction", x=live["angle"], y=found.slope, axis="x", minimum=0.0,
                    maximum=360.0, curve=(reasons.DIRECTIONS, found.around),
                    label=words("{:3}", found.slope), sets=turned,
                )
            ],
            alt="The slope against the direction: a cosine, highest along the gradient.",
        ),
    ]  # fmt: skip
    line = words(
        "∇f = ({:.2f}, {:.2f}), ‖∇f‖ = {:.2f}; along u the slope is ∇f · u = {:.2f}.",
        *found.gradient, found.length, found.slope,
    )  # fmt: skip
    off = reasons.degrees_off(*x["at"])
    remark = (
        "The gradient has a partial derivative for each weight, so it has the **shape** of what it "
        "is taken by: here two numbers, of a matrix of weights a matrix. It stands upright on the "
        "level line, along which nothing changes. No direction climbs more (‖∇f‖ a unit of way), "
        "and none falls more than the opposite: gradient descent is steepest descent. "
        + (
            f"It is not the way to the minimum, which lies {written(off, '.0f')}° off it here."
            if off > 0.5
            else "Here it leads straight to the minimum."
        )
    )
    return panels, ["angle"], line, remark


def steady(x: Experiment, live: Picture) -> Shown:
    """Momentum's step grows to 1/(1 − β)."""
    beta = live["beta"]
    found, limit = reasons.steady(beta), 1.0 / (1.0 - beta)
    panel = Panel(
        id="steady", kind="chart", title="step length over η, under one and the same gradient",
        figure=pictures.steady(found, limit),
        alt="Momentum's step grows to 1/(1 − β) times gradient descent's.",
    )  # fmt: skip
    line = words(
        "After {:.0f} steps momentum's step is {:.2f} times gradient descent's, of at most {:.2f}.",
        float(reasons.STEPS), found["momentum"][-1], limit,
    )  # fmt: skip
    remark = (
        "Velocity is a sum of gradients, not an average: where the gradient stays, it adds up to "
        "1/(1 − β) of them, 10 at β = 0.9. Nesterov's comes to the same, a little sooner."
    )
    return [panel], ["beta"], line, remark


def falling(x: Experiment, live: Picture) -> Shown:
    """The three forms of momentum part where the rate falls."""
    beta, drop = live["beta"], live["drop"]
    found, limit = reasons.falling(beta, drop), 1.0 / (1.0 - beta)
    panel = Panel(
        id="falling", kind="chart", title="step length over the first η",
        figure=pictures.falling(found, drop, limit),
        alt="With η inside the velocity the step shrinks only as the old velocity fades.",
    )  # fmt: skip
    line = words(
        "At the first step of the smaller rate: {:.2f} and {:.2f} with η outside the velocity, "
        "{:.2f} with η inside.",
        *(entry(steps, drop) for steps in found.values()),
    )
    remark = (
        "At a constant rate the three forms of momentum are one. When the rate falls, η outside "
        "the velocity (PyTorch) brakes at once; η inside it (v ← βv + ηg) rolls on at the old rate "
        "and slows as β fades."
    )
    return [panel], ["beta", "drop"], line, remark


def rare(x: Experiment, live: Picture) -> Shown:
    """Adagrad's rate of a rare feature stays large."""
    share = live["share"]
    found = reasons.frequencies(share)
    runs = reasons.two_words(share)
    names = [OPTIMIZERS[slug].name for slug in runs]
    looks = style.looks(runs)
    best = reasons.TWO_WORDS.minima[0][1]
    panels = [
        Panel(
            id="words", title="logistic regression: weights of a common and of a rare word",
            figure=race.plane(reasons.TWO_WORDS, log=False, parameters={"share": share}),
            tracks=[
                Track(
                    x=run.x, y=run.y, color=look.color, dash=look.dash, marker=look.marker,
                    label=name,
                )
                for name, look, run in zip(names, looks, runs.values(), strict=True)
            ],
            alt="Contours of the loss over both weights with the path of each rule.",
        ),
        Panel(
            id="weight", kind="chart", title="weight of the rare word",
            figure=pictures.weight_axes(best), cursor=True,
            tracks=[
                Track(
                    y=run.y, color=look.color, dash=look.dash, marker=look.marker, label=name,
                    mode="curve",
                )
                for name, look, run in zip(names, looks, runs.values(), strict=True)
            ],
            alt="The rare word's weight against the step, one line a rule.",
        ),
        *(
            Panel(
                id=slug, kind="chart", title=f"{name}: how far each feature has come, in η",
                figure=pictures.distances(pair, slug),
                alt=f"Distances of a common and a rare feature by {name}.",
            )
            for slug, name, pair in (
                ("sgd", "SGD", found.sgd), ("adagrad", "Adagrad", found.adagrad),
            )
        ),
    ]  # fmt: skip
    line = words(
        "After {:.0f} steps the rare word's weight has come "
        + ", ".join(f"{{:.0%}} by {name}" for name in names)
        + ".",
        float(reasons.STEPS), *(run.y[-1] / best for run in runs.values()),
    )  # fmt: skip
    now = reasons.frequencies(x["share"])
    far = written(now.adagrad[1][-1] / now.adagrad[0][-1], ".0%")
    remark = (
        f"A word that {written(x['share'], '.0%')} of the sentences hold has as small a share of "
        "the gradient, and gradient descent moves its weight as little. Adagrad and Adam divide by "
        "what each weight has seen: their paths hardly change with the share. Below, the same "
        "sentence by sentence, a gradient of 1 at every step or now and then: Adagrad moves the "
        f"rare one {far} as far; in a long run the share becomes its root, "
        f"{written(x['share'] ** 0.5, '.0%')}."
    )
    return panels, ["share"], line, remark


def unlike(x: Experiment, live: Picture) -> Shown:
    """Gradients of a network's layers, which differ by powers of ten."""
    found = layers.gradients(x["hidden"], x["activation"], live["gain"])
    shapes = [tuple(g.shape) for g in found]
    spots = pictures.places(shapes)
    size = layers.sizes(found)
    panels = [
        Panel(
            id="matrices", title="the gradient by each layer's weights: it has their shape",
            figure=pictures.matrices(shapes),
            rasters=[
                Raster(
                    values=pictures.shades(g), palette=pictures.palette(), x0=x0, x1=x1, y0=y0,
                    y1=y1, readout={"∂L/∂w": g},
                )
                for g, (x0, x1, y0, y1) in zip(found, spots, strict=True)
            ],
            alt="A matrix of cells for each layer, darker where the gradient is larger.",
        ),
        Panel(
            id="sizes", title="its size (root mean square), layer by layer",
            figure=pictures.layer_sizes(size, len(found)),
            alt="A bar for each layer, on decades.",
        ),
    ]  # fmt: skip
    line = words(
        "The first layer's gradient is {:2}, the last one's {:2}: {:3} times as large.",
        size[0], size[-1], size[-1] / size[0],
    )  # fmt: skip
    now = layers.sizes(layers.gradients(x["hidden"], x["activation"], x["gain"]))
    apart = max(now) / min(now)
    remark = (
        "On its way back the gradient is multiplied in every layer by the weights and by the "
        "activation's slope"
        + (", of a sigmoid at most ¼. " if x["activation"] == "sigmoid" else ". ")
        + (
            "One rate for all has to suit the layer with the largest gradient, and then the one "
            "with the smallest hardly moves. Rules that divide each weight's gradient by its own "
            "size (Adagrad, RMSProp, Adam) take about equal steps in all layers."
            if apart > 30
            else f"Here the layers' gradients lie within a factor of {written(apart, '2')}: one "
            "rate can suit them all."
        )
    )
    return panels, ["hidden", "activation", "gain"], line, remark


@st.cache_data(max_entries=64, show_spinner="training at eight rates …")
def reached(hidden: int, activation: str, gain: float) -> dict[str, Any]:
    """The loss after training at each rate, by slug."""
    return {slug: layers.reached(hidden, activation, gain, slug) for slug in TRAINED}


def training(x: Experiment) -> None:
    """The same network trained by two rules at eight rates: Python's, once the hand rests."""
    key = "family.trained"
    if not x.held or key not in st.session_state:
        st.session_state[key] = reached(x["hidden"], x["activation"], round(x["gain"], 3))
    ends = st.session_state[key]
    named = {OPTIMIZERS[slug].name: (slug, losses) for slug, losses in ends.items()}
    stage(
        "family.trained",
        [
            Panel(
                id="trained", kind="chart",
                title=f"loss on two moons after {layers.STEPS} steps, against the rate",
                figure=pictures.after_training(layers.RATES, named, layers.CHANCE),
                alt="The loss after training against the learning rate, one line a rule.",
            )
        ],
        frames=1, height=260, alt="The loss after training against the learning rate",
    )  # fmt: skip
    best = {name: min(losses) for name, (_, losses) in named.items()}
    frame.notice(
        "At its best of these rates "
        + " and ".join(f"{name} reaches {written(loss, '2')}" for name, loss in best.items())
        + "; a network that has learned nothing stands at ln 2 = 0.69."
    )


def squares(x: Experiment, live: Picture) -> Shown:
    """Why g² may stand for curvature, and when it may not."""
    z = live["z"]
    over = reasons.curvatures(reasons.LOGITS, float(x["label"]))
    here = reasons.curvatures(z, float(x["label"]))
    moved = {"z": ops.clip(round_to(live.hand[0], 2), -6.0, 6.0)}
    panel = Panel(
        id="squares", title="curvature of −log p, and squares of its gradient",
        figure=pictures.curvature(over, z), clicks=moved,
        handles=[
            Handle(
                id="logit", x=z, y=here.exact, axis="x", minimum=-6.0, maximum=6.0,
                curve=(reasons.LOGITS, over.exact), sets=moved,
            )
        ],
        alt="Over labels that the model draws the mean square of the gradient is the curvature.",
    )  # fmt: skip
    line = words(
        "Curvature {:.4f}; g² over sampled labels {:.4f}, over the given one {:.4f}.",
        here.exact, here.sampled, here.observed,
    )  # fmt: skip
    remark = (
        "Newton divides by the curvature, Adam by the root of g², Sophia by an estimate of the "
        "curvature. If labels are drawn from the model's own answer, the mean of g² is the "
        "curvature: that is the Gauss–Newton–Bartlett estimate. The g² of the data's own label, "
        "which lectures put in its place, agrees only where the model is right on average; where "
        "it is sure and wrong, g² is large and the curvature small."
    )
    return [panel], ["z", "label"], line, remark


def classifier(_: Experiment) -> None:
    """The same on a softmax classifier that Sophia trains: what each estimate is worth."""
    found, gaps = bartlett.curvatures(), bartlett.gaps()
    stage(
        "family.classifier",
        [
            Panel(
                id="weights", kind="chart",
                title="a softmax classifier of three classes: curvature of each weight",
                figure=pictures.of_weights(found, bartlett.WEIGHTS),
                alt="Bars: the mean of the estimate from drawn labels is the curvature.",
            ),
            Panel(
                id="descent", kind="chart",
                title="Sophia on it, by where its curvature comes from: loss above the lowest",
                figure=pictures.classifier(gaps),
                alt="Loss against step: only the squares of the data's own gradient do not settle.",
            ),
        ],
        frames=1, height=300, columns=2, alt="Estimates of curvature on a softmax classifier",
    )  # fmt: skip
    resting = written(max(gaps["bartlett"][-20:]), "1")
    wandering = written(max(gaps["squares"][-20:]), "1")
    frame.notice(
        f"Once trained, the data's own gradient is 0, and so is its square: Sophia without "
        f"curvature steps its full ηρ and stays up to {wandering} above the minimum. Labels that "
        f"the model draws go on showing the curvature: with Gauss–Newton–Bartlett it is within "
        f"{resting}. (η {written(bartlett.SETTINGS['lr'])}, γ "
        f"{written(bartlett.SETTINGS['gamma'])}, looked at "
        f"every {written(bartlett.SETTINGS['interval'])} steps; n times the squared gradient of "
        f"the mean "
        "loss over n points, as Liu et al. 2023.)"
    )
