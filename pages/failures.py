"""Where a rule fails, and the rule that was made to cure it: six short stories, each live."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import streamlit as st

from components.controls import Group, Item
from components.lead import Menu
from components.stage import Handle, Panel, Track, stage
from engine.emit.picture import Picture, entry, round_to, running_sum, stack, words, written
from engine.optimizers import OPTIMIZERS
from engine.problems.landscapes import LANDSCAPES, Landscape
from engine.runs.changing import live_pursue
from engine.runs.live import LiveDescent, live_descend
from engine.studies import conditioning, debugger
from engine.studies import failures as facts
from engine.studies.rule_latex import array, rule_in_symbols
from engine.tape import Value
from engine.tape import operations as ops
from figures import failures as pictures
from figures import race, style
from pages import frame, problem
from pages.state import Choice, Integer, Number, experiment
from pages.step_panel import step_panel

PARTS = {
    "decay": "L2 or decay",
    "amsgrad": "Adam's wrong turn",
    "adagrad": "Rates run dry",
    "taylor": "Slope and curvature",
    "curvature": "The price of κ",
    "eve": "A moving target",
}
RIVALS = {
    "decay": ("adam_l2", "adamw"),
    "amsgrad": ("adam", "amsgrad"),
    "adagrad": ("adagrad", "rmsprop"),
    "taylor": ("newton", "sophia"),
    "curvature": ("newton", "sophia"),
    "eve": ("adam", "eve"),
}
ADAPTIVE = ("adagrad", "rmsprop", "adadelta", "adam")
AGAINST_KAPPA = ("sgd", "momentum", "adam", "sophia", "newton")
TARGET = 1e-4
KAPPA_STEPS = 120
STRETCHES = 4  # of the moving target's rests
LONGEST_REST = 200  # steps
LONGEST_WALK = 3000
REACH = 6.0  # of the picture of one weight


def rate(name: str, default: float, low: float, high: float, label: str, more: str = "") -> Any:
    """The field of a learning rate."""
    return Number(name, default, low, high, label=label, symbol="η", scale="log", help=more)


def length(name: str, default: int, low: int, high: int) -> Any:
    """The field of a run's length."""
    return Integer(name, default, low, high, label="steps", symbol="T", scale="log")


x = experiment(
    "failures",
    [
        Choice("part", "decay", list(PARTS)),
        rate("decay.lr", 0.05, 1e-3, 1.0, "learning rate"),
        Number(
            "decay.weight", 0.3, 0.0, 1.0, label="weight decay", symbol="λ", help="pull towards 0"
        ),
        Number(
            "decay.noise", 10.0, 0.0, 30.0, label="gradient noise", symbol="σ",
            help="standard deviation, in each coordinate",
        ),
        Integer("decay.seed", 0, 0, 99, label="seed", help="another draw of the noise"),
        length("decay.steps", 300, 10, 2000),
        Number(
            "ams.big", 4.0, 2.1, 20.0,
            label="large gradient", symbol="C", help="every third step; else −1",
        ),
        rate("ams.lr", 0.1, 0.01, 1.0, "learning rate", "it falls as η/√t"),
        length("ams.steps", 900, 60, LONGEST_WALK),
        rate("ada.lr", 0.05, 1e-3, 2.0, "Adagrad"),
        rate("ada.other", 0.05, 1e-3, 1.0, "RMSProp and Adam"),
        length("ada.steps", 800, 20, 2000),
        Number("ada.rho", 0.9, 0.0, 0.999, label="Adadelta's memory", symbol="ρ"),
        Number("taylor.w", 1.4, -5.0, 5.0, label="start", symbol="w"),
        rate("taylor.lr", 0.3, 0.01, 1.0, "Sophia and Adam"),
        Number(
            "taylor.reach", 0.5, 0.01, 5.0,
            label="Sophia's longest step", symbol="ηρ", scale="log",
        ),
        length("taylor.steps", 30, 5, 200),
        Number("kappa", 100.0, 1.0, 1000.0, label="condition", symbol="κ", scale="log"),
        Choice("turned", "0", ("0", "30"), label="turned by", says={"0": "0°", "30": "30°"}),
        rate("eve.lr", 0.03, 1e-3, 1.0, "learning rate"),
        Number(
            "eve.beta3", 0.9, 0.0, 0.999,
            label="memory of the change", symbol="β₃", help="Eve's β₃",
        ),
        Number("eve.jump", 3.0, 0.0, 6.0, label="jump of the minimum"),
        Integer("eve.every", 60, 10, LONGEST_REST, label="steps between jumps"),
    ],
    parts=("function",),
)  # fmt: skip


def opening() -> None:
    """The lead: which story."""

    def take(part: str) -> None:
        x.change({"part": part})

    story = Menu(
        id="story", label="story", value=x["part"], options=list(PARTS.items()), take=take,
        locked=x.locked("part"),
    )  # fmt: skip
    frame.opening(
        x,
        "Failures and cures",
        ["Most optimizers were invented because another one failed somewhere: ", story, "."],
    )


@dataclass(frozen=True, slots=True)
class Story:
    """What a part shows: panels, the clock's frames, what to notice, and the line that follows.

    more is what there is room to add where the page is not embedded. conventions are the options
    under which its rules ran, by slug.
    """

    panels: Sequence[Panel]
    frames: Any
    sentence: str
    line: Any
    surface: Landscape | None = None
    columns: Sequence[float] = (1.25, 1)
    more: str = ""
    conventions: Mapping[str, Mapping[str, str | bool]] = field(default_factory=dict)


def now(value: Any) -> Any:
    """What a traced value is at this moment."""
    return value.data if isinstance(value, Value) else value


def plane(
    surface: Landscape,
    runs: Mapping[str, tuple[str, Any, Any, Any]],
    figure: Any = None,
    parameters: Mapping[str, Any] | None = None,
) -> Panel:
    """The landscape with the paths of the runs, name -> (slug, x, y, stop)."""
    looks = style.looks(slug for slug, *_ in runs.values())
    return Panel(
        id="plane",
        title=surface.name,
        figure=figure or race.plane(surface, log=surface.log_levels, parameters=parameters),
        tracks=[
            Track(
                x=xs, y=ys, color=look.color, dash=look.dash, marker=look.marker, label=name,
                stop=stop,
            )
            for (name, (_, xs, ys, stop)), look in zip(runs.items(), looks, strict=True)
        ],
        rows=2,
        alt=f"Contours of {surface.name} with the path of " + " and ".join(runs),
    )  # fmt: skip


def paths(runs: Mapping[str, LiveDescent]) -> dict[str, tuple[str, Any, Any, Any]]:
    """Runs as `plane` takes them, by the names of their rules."""
    return {OPTIMIZERS[s].name: (s, r.x, r.y, r.stopped) for s, r in runs.items()}


def by_name(columns: Mapping[str, Any]) -> dict[str, tuple[str, Any]]:
    """Columns by slug as `figures.failures.story` takes them."""
    return {OPTIMIZERS[slug].name: (slug, column) for slug, column in columns.items()}


def losses(runs: Mapping[str, LiveDescent]) -> Panel:
    """The loss above the minimum of every run."""
    columns = by_name({slug: run.gap for slug, run in runs.items()})
    about = "The loss of each run above the minimum."
    return step_panel(pictures.story("loss", "loss, above its minimum", about, columns, log=True))


# L2 or decay --------------------------------------------------------------------------------------


def decay_groups(_: Picture) -> list[Group]:
    """Rate, decay, noise and length for both."""
    names = ("decay.lr", "decay.weight", "decay.noise", "decay.seed", "decay.steps")
    return [Group(id="decay", title="Both rules", items=[x.slider(n) for n in names])]


def decay_story(live: Picture) -> Story:
    """Weight decay inside Adam's gradient and beside its step."""
    surface, weight = facts.IDLE_WEIGHT, live["decay.weight"]
    hypers = {"lr": live["decay.lr"], "weight_decay": weight}
    runs = {
        slug: live_descend(
            surface, slug, surface.start, live["decay.steps"], hypers,
            noise=live["decay.noise"], seed=x["decay.seed"],
        )
        for slug in RIVALS["decay"]
    }  # fmt: skip
    at_x, at_y = facts.penalised_minimum(weight)
    figure = pictures.with_point(
        race.plane(surface, log=False), "penalised minimum", stack(at_x), stack(at_y)
    )
    idle = by_name({slug: ops.absolute(run.y) for slug, run in runs.items()})
    counts = by_name({slug: run.x for slug, run in runs.items()})
    inside, beside = (entry(ops.absolute(run.y), live["decay.steps"]) for run in runs.values())
    a, b = (written(now(v), "3") for v in (inside, beside))
    return Story(
        [
            plane(surface, paths(runs), figure),
            step_panel(
                pictures.story("idle", "|y|, the weight with noise alone", "Size of y.", idle)
            ),
            step_panel(pictures.story("counts", "x, the weight that counts", "x.", counts)),
        ],
        live["decay.steps"] + 1.0,
        _decay_sentence(a, b),
        words("|y| at the end: {:3} with Adam + L2, {:3} with AdamW.", inside, beside),
        surface,
        more="Without noise Adam + L2 ends at the minimum of loss + ½λ|w|² (marked): at the end "
        "nothing is divided away. AdamW's decay is no penalty of the loss: where it ends depends "
        "on how large the gradients were, and its strength goes with η. (Printed with λ in both "
        "places, as on some slides, it would decay twice: here it stands beside the step alone.)",
    )


def _decay_sentence(inside: str, beside: str) -> str:
    """What became of y, with the decay inside the gradient and beside the step."""
    if x["decay.weight"] == 0.0:
        return f"Without decay the two rules are one: noise alone moves y, which ends at {inside}."
    if x["decay.noise"] == 0.0:
        return (
            "Without noise the pull λy is all the gradient that y has, and Adam divides it by its "
            f"own size: y ends at {inside}. Beside the step it is ηλy, which shrinks with y: y "
            f"ends at {beside}."
        )
    return (
        "Nothing depends on y: decay should take it away. Inside the gradient the pull λy is "
        f"divided by √v̂ ≈ σ like everything else, so noise keeps y: it ends at {inside}. Beside "
        f"the step it is ηλy, whatever the noise: y ends at {beside}."
    )


# Adam's wrong turn --------------------------------------------------------------------------------


def ams_groups(_: Picture) -> list[Group]:
    """Reddi's stream and the rate."""
    items = [x.slider(n) for n in ("ams.big", "ams.lr", "ams.steps")]
    note = "β₁ = 0, β₂ = 1/(1 + C²), nothing corrected, as in the theorem"
    return [Group(id="ams", title="Reddi's stream", items=items, note=note)]


def ams_story(live: Picture) -> Story:
    """Adam walks to the worst point of an interval, AMSGrad to the best."""
    big, steps = live["ams.big"], live["ams.steps"]
    walks = facts.reddi_walks(big, live["ams.lr"], steps, LONGEST_WALK)
    ends = {slug: entry(walk, steps) for slug, walk in walks.items()}
    stream = pictures.gradient_stream(facts.reddi_stream(big, np.arange(40.0)), 30)
    walked = pictures.between_walls(
        pictures.story(
            "walk", "where w is, between −1 and 1", "The point of both rules.", by_name(walks),
            log=False, last=steps,
        )
    )  # fmt: skip
    adam, amsgrad = (written(now(ends[slug]), ".2f") for slug in RIVALS["amsgrad"])
    return Story(
        [step_panel(walked), step_panel(stream)],
        steps + 1.0,
        f"The gradient is C = {written(x['ams.big'], '3')} once and −1 twice: on average "
        f"{written((x['ams.big'] - 2) / 3, '3')}, so w should go down to −1. Adam divides the rare "
        f"large gradient by its own size and sees two small votes against one: it ends at {adam}. "
        f"AMSGrad remembers the largest v and ends at {amsgrad} (Reddi, Kale & Kumar 2018).",
        words("At the end: Adam {:.2f}, AMSGrad {:.2f}.", ends["adam"], ends["amsgrad"]),
        columns=(1.8, 1),
        conventions=facts.AS_IN_THE_PAPER,
    )


# Rates that run dry -------------------------------------------------------------------------------


def ada_groups(live: Picture) -> list[Group]:
    """The rates of the four."""
    items = [x.slider(n) for n in ("ada.lr", "ada.other", "ada.rho", "ada.steps")]
    note = words("Adadelta's window: 1/(1 − ρ) = {:3} steps", 1.0 / (1.0 - live["ada.rho"]))
    return [Group(id="ada", title="The rules", items=items, note=note)]


def ada_story(live: Picture) -> Story:
    """Adagrad's rate falls for good; its successors' do not."""
    surface = LANDSCAPES["bowl"]
    rates = {slug: live["ada.lr"] if slug == "adagrad" else live["ada.other"] for slug in ADAPTIVE}
    hypers: dict[str, dict[str, Any]] = {slug: {"lr": lr} for slug, lr in rates.items()}
    hypers["adadelta"] = {"lr": 1.0, "rho": live["ada.rho"]}
    runs = {
        slug: live_descend(
            surface, slug, surface.start, live["ada.steps"], hypers[slug], recorded=True
        )
        for slug in ADAPTIVE
    }
    shown = {}
    for slug, run in runs.items():
        found = debugger.effective_rate(run)
        assert found is not None  # all four scale each coordinate by itself
        shown[slug] = found[1][0]
    fell = facts.ratio_of_ends(now(shown["adagrad"]))
    ends = {slug: entry(run.gap, live["ada.steps"]) for slug, run in runs.items()}
    left = {slug: written(now(end), "3") for slug, end in ends.items()}
    return Story(
        [
            plane(surface, paths(runs)),
            step_panel(
                pictures.story(
                    "rate", "effective rate in x", "Rate in x.", by_name(shown), log=True
                )
            ),
            losses(runs),
        ],
        live["ada.steps"] + 1.0,
        f"Adagrad's G only adds up, the large first gradients included, so its rate only falls: "
        f"here by a factor of {written(fell, '3')}, and the run ends at a loss of "
        f"{left['adagrad']}. RMSProp forgets, and ends at {left['rmsprop']}; Adam does so too and "
        f"adds momentum: {left['adam']}. Adadelta lets its own steps set the rate: "
        f"{left['adadelta']}.",
        words(
            "Loss at the end: Adagrad {:3}, RMSProp {:3}, Adadelta {:3}, Adam {:3}.",
            *ends.values(),
        ),
        surface,
        more=f"Adadelta was made as Adagrad with a window: in place of the sum an average that "
        f"holds the squares of about 1/(1 − ρ) = {written(1 / (1 - x['ada.rho']), '3')} "
        f"step{'s' * (x['ada.rho'] > 0)}. A larger η lets Adagrad arrive too: it has to be "
        "known beforehand.",
    )


# Slope and curvature ------------------------------------------------------------------------------


def taylor_groups(_: Picture) -> list[Group]:
    """Where it starts, and the two rates."""
    names = ("taylor.w", "taylor.lr", "taylor.reach", "taylor.steps")
    return [Group(id="taylor", title="One weight", items=[x.slider(n) for n in names])]


def taylor_story(live: Picture) -> Story:
    """Newton's step, Sophia's and Adam's on a function whose curvature fades."""
    w, steps = live["taylor.w"], live["taylor.steps"]
    surface = facts.LOG_COSH
    value, slope, curvature = facts.taylor(w)
    runs = {
        slug: live_descend(surface, slug, (w, 0.0), steps, hypers)
        for slug, hypers in facts.leaps(live["taylor.lr"], live["taylor.reach"]).items()
    }
    over = np.linspace(-REACH, REACH, 181)
    heights = facts.taylor(over)[0]
    looks = style.looks(runs)
    sets = {"taylor.w": ops.clip(round_to(live.hand[0], 2), -5.0, 5.0)}
    walks = by_name({slug: run.x for slug, run in runs.items()})
    first = [run.x[1] - run.x[0] for run in runs.values()]
    across = float(x["taylor.w"] - now(slope) / now(curvature))
    away = abs(x["taylor.w"]) > facts.NEWTON_TURNS
    return Story(
        [
            Panel(
                id="taylor",
                kind="chart",
                title="ln cosh w, its tangent, its parabola",
                figure=pictures.taylor((over, heights), w, value, slope, curvature, REACH),
                tracks=[
                    Track(
                        x=run.x, y=facts.taylor(run.x)[0], color=look.color, marker=look.marker,
                        label=OPTIMIZERS[slug].name, mode="points", stop=run.stopped,
                    )
                    for (slug, run), look in zip(runs.items(), looks, strict=True)
                ],
                handles=[
                    Handle(
                        id="w", x=w, y=value, label="start", axis="x", minimum=-5.0, maximum=5.0,
                        curve=(over, heights), sets=sets,
                    )
                ],
                alt="ln cosh with its Taylor polynomials of first and second order at the start, "
                "the latter also with the squared slope for the curvature.",
            ),
            step_panel(
                pictures.bounded(
                    pictures.story("walk", "where w is", "w after each step.", walks, log=False),
                    -REACH, REACH,
                )
            ),
        ],
        steps + 1.0,
        f"Newton steps to the bottom of the parabola, g/H away: it lands at "
        f"{written(across, '3')}, "
        + (
            "farther out than it started, and every leap is longer, for the slope stays and the "
            "curvature fades. Sophia never moves farther than ηρ."
            if away
            else "nearer to the minimum, and a few more such steps arrive."
        ),
        words(
            "g = {:3}, H = {:3}. First steps: Newton {:3}, Sophia {:3}, Adam {:3}.",
            slope, curvature, *first,
        ),
        surface,
        (1.1, 1),
        more="The tangent (Taylor to first order) has no bottom: a rate has to say how far to go. "
        "The parabola (to second order) has one: Newton needs no rate. Sophia divides by the "
        "curvature too, and clips; Adam knows no curvature: its first steps have length η. "
        "Heard in class: g² for H, without γ and clip. For losses −log p with labels drawn "
        "from the model the two are equal on average; as such they are not: here g² + H = 1, one "
        "is large where the other is small. And m/g² without the clip is about η/g, longest where "
        "the slope is least: it arrives nowhere.",
    )  # fmt: skip


# The price of κ -----------------------------------------------------------------------------------


def kappa_groups(_: Picture) -> list[Group]:
    """The condition number and the axes."""
    items: list[Item] = [x.slider("kappa"), x.chooser("turned")]
    note = "counted: at each rule's best learning rate; drawn: at one known in closed form"
    return [Group(id="bowl", title="The bowl", items=items, note=note)]


@st.cache_data(max_entries=8, show_spinner="trying learning rates on seven bowls …")
def priced(rotation: float) -> dict[str, Any]:
    """Steps to the target against κ, by slug."""
    return conditioning.steps_against_condition(AGAINST_KAPPA, rotation, problem.STEPS, TARGET)


def kappa_story(live: Picture) -> Story:
    """Steps to a target against the condition number."""
    turned, kappa = float(x["turned"]), live["kappa"]
    steps = priced(turned)
    surface = LANDSCAPES["bowl"]
    parameters = {"condition": kappa, "rotation": turned}
    rates = facts.bowl_rates(kappa, surface.start, AGAINST_KAPPA)
    runs = {
        slug: live_descend(
            surface, slug, surface.start, KAPPA_STEPS, {"lr": lr}, parameters=parameters
        )
        for slug, lr in rates.items()
    }
    at = float(np.interp(x["kappa"], conditioning.CONDITIONS, steps["sgd"]))
    needs = (
        f"about {written(at, '.0f')} steps"
        if np.isfinite(at)
        else f"more than {problem.STEPS} steps"
    )
    low, high = steps["sophia"].min(), steps["sophia"].max()
    sophia = (
        f"in {written(low, '.0f')} to {written(high, '.0f')} steps at every κ here"
        if np.isfinite(high)
        else "in few steps"
    )
    reach = {slug: entry(run.gap, float(KAPPA_STEPS)) for slug, run in runs.items()}
    return Story(
        [
            Panel(
                id="kappa",
                kind="chart",
                title=f"steps until the loss is {written(TARGET)}",
                figure=pictures.against_condition(
                    conditioning.CONDITIONS, by_name(steps), kappa, problem.STEPS
                ),
                alt="Steps to the target against the condition number, one line a rule.",
                rows=2,
            ),
            plane(surface, paths(runs), parameters=parameters),
        ],
        KAPPA_STEPS + 1,
        f"Gradient descent pays for a large κ in proportion: at κ = {written(x['kappa'], '3')} it "
        f"needs {needs}. Momentum pays far less (√κ at best, with β tuned). Newton divides by the "
        f"curvature and needs one step.",
        words(
            "Loss after 120 steps in the picture: SGD {:3}, Sophia {:3}.",
            reach["sgd"],
            reach["sophia"],
        ),
        surface(condition=x["kappa"], rotation=turned),
        (1, 1),
        more=f"Sophia divides by an estimate of the curvature's diagonal, clips, and arrives "
        f"{sophia}. Adam scales each coordinate by itself: at κ = 1000 it needs "
        f"{written(steps['adam'][-1], '3')} steps on axes turned by {x['turned']}°.",
    )


# A moving target ----------------------------------------------------------------------------------


def eve_groups(_: Picture) -> list[Group]:
    """Both rules, and how the objective moves."""
    rules = [x.slider("eve.lr"), x.slider("eve.beta3")]
    target = [x.slider("eve.jump"), x.slider("eve.every")]
    return [
        Group(id="eve", title="Both rules", items=rules),
        Group(id="target", title="The objective", items=target),
    ]


def eve_story(live: Picture) -> Story:
    """Adam and Eve after a minimum that jumps."""
    surface, jump = LANDSCAPES["bowl"](condition=10.0), live["eve.jump"]
    every = live["eve.every"]
    steps = STRETCHES * every - 1.0
    hypers = {"adam": {"lr": live["eve.lr"]}}
    hypers["eve"] = hypers["adam"] | {"beta3": live["eve.beta3"]}
    runs = {
        slug: live_pursue(
            surface, slug, (-4.0, -2.0), steps, every, (jump, 0.4 * jump), hypers[slug],
            most=STRETCHES * LONGEST_REST,
        )
        for slug in RIVALS["eve"]
    }  # fmt: skip
    shown = plane(surface, paths(runs))
    goal = Track(
        x=runs["adam"].goal_x, y=runs["adam"].goal_y, color=pictures.TRUTH, dash="dot",
        marker="plus", label="minimum", width=1.0,
    )  # fmt: skip
    panel = Panel(
        id="plane", title="a bowl whose minimum jumps", figure=shown.figure, rows=3,
        tracks=[*shown.tracks, goal], alt=shown.alt,
    )  # fmt: skip
    means = {slug: ops.mean(run.loss) for slug, run in runs.items()}
    adam, eve = (float(now(means[slug])) for slug in RIVALS["eve"])
    verdict = "lower than" if eve < adam else "higher than" if eve > adam else "the same as"
    columns = by_name({slug: run.loss for slug, run in runs.items()})
    so_far = by_name({slug: running_sum(run.loss) / (run.step + 1.0) for slug, run in runs.items()})
    d = ops.where(runs["eve"].step > 0.0, runs["eve"].part("d"), np.nan)  # none before a step
    divisor = {"Eve": ("eve", d)}
    return Story(
        [
            panel,
            step_panel(pictures.story("loss", "loss of now", "Loss of both.", columns, log=True)),
            step_panel(
                pictures.story("mean", "mean loss so far", "Mean loss of both.", so_far, log=False)
            ),
            step_panel(
                pictures.story(
                    "d", "Eve's d: the rate is η/d", "Average change.", divisor, log=False
                )
            ),
        ],
        steps + 1.0,
        f"Eve divides Adam's rate by d, an average of how fast the objective changes: flat "
        f"stretches speed it up, jumps and steep falls slow it down. At the same η its mean loss "
        f"is {written(eve, '3')}, {verdict} Adam's {written(adam, '3')}.",
        words("Mean loss: Adam {:3}, Eve {:3}.", means["adam"], means["eve"]),
        surface,
    )


STORIES: dict[str, tuple[Callable[[Picture], list[Group]], Callable[[Picture], Story]]] = {
    "decay": (decay_groups, decay_story),
    "amsgrad": (ams_groups, ams_story),
    "adagrad": (ada_groups, ada_story),
    "taylor": (taylor_groups, taylor_story),
    "curvature": (kappa_groups, kappa_story),
    "eve": (eve_groups, eve_story),
}


@frame.fragment
def body() -> None:
    """One story."""
    opening()
    groups, tell = STORIES[x["part"]]
    view = frame.view(x, panel=0.25)
    live = x.live()
    story = tell(live)
    with view.picture:
        shown = stage(
            f"failures.stage.{x['part']}",
            story.panels,
            live=live,
            frames=story.frames,
            height=view.height(480, 350),
            columns=list(story.columns),
            alt=PARTS[x["part"]],
            lines=[story.line] if story.line else [],
        )
        if shown.sensitive:
            st.html(frame.SENSITIVE)
    with view.panel:
        x.controls(
            groups(live), live=live, height=view.height(500, 420), name=f"controls.{x['part']}"
        )
    # Below both columns, for a word in it may be a link: on a phone keys would go back up from it.
    with view.picture if view.embedded else st.container():
        frame.notice(story.sentence)
        if story.more and not view.embedded:
            st.caption(story.more)
    if not view.embedded and not x.hidden("formula"):
        formulas(RIVALS[x["part"]], story.conventions)
    if not view.embedded and story.surface is not None:
        problem.about(x, story.surface)
    frame.foot(x, "" if story.surface is None else "f(x, y) = " + story.surface.latex)
    x.publish()


def formulas(slugs: Sequence[str], conventions: Mapping[str, Mapping[str, str | bool]]) -> None:
    """The rules that part, side by side, under the conventions of their runs."""
    for column, slug in zip(st.columns(len(slugs)), slugs, strict=True):
        with column, st.container(key=f"formula-{slug}"):
            st.markdown(f"**{OPTIMIZERS[slug].name}**: {OPTIMIZERS[slug].idea}")
            st.latex(array(rule_in_symbols(OPTIMIZERS[slug], conventions.get(slug))))


body()
