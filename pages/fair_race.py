"""The fair race: every optimizer tuned with the same budget, then raced over many seeds."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from components.controls import Action, Group, Slider, controls
from components.controls import Choice as Chooser
from components.stage import Panel, Track, stage
from engine.optimizers import OPTIMIZERS
from engine.problems.landscapes import Landscape
from engine.studies import fair_race as fair
from engine.studies.fair_race import Search, Standing, Task
from figures import fair_race as pictures
from figures import race as planes
from figures import style
from pages import frame, problem
from pages.presets import Preset
from pages.prose import notice, presets
from pages.runners import MOST, Runner, format_runners
from pages.state import Choice, Flag, Integer, experiment, shorten

OWN, ONE, BOTH = "each at its own best", "one η for all", "both"
SEARCHED = {"rate": 1, "two": 2, "all": None}
POINTS = 40  # of the curve of smaller budgets

PRESETS = (
    Preset(
        "Tuned, the order turns",
        "good",
        "At one learning rate gradient descent wins, for the rate was chosen for it. Give each "
        "rule the same budget to find its own, and it falls back.",
        {},
    ),
    Preset(
        "A small budget",
        "bad",
        "Eight trials each: who is first depends on where they happened to fall. Press “search "
        "again” and watch the order change.",
        {"budget": "2400"},
    ),
    Preset(
        "From anywhere in a bent valley",
        "good",
        "Rosenbrock from a new random start on each seed: no setting suits them all, and the bands "
        "grow wide.",
        {"on": "rosenbrock", "strewn": "1", "noise": "0.5", "steps": "300", "budget": "60000",
         "lr": "0.001"},
    ),
    Preset(
        "Every seed the same",
        "bad",
        "Without noise, from one start, fifty seeds are fifty copies of one run: an interval of "
        "width 0 that means nothing.",
        {"noise": "0"},
    ),
    Preset(
        "More to tune",
        "good",
        "All hyper-parameters at once, with the same budget: rules with many of them spread it "
        "thinner, and gain more from it where the defaults do not fit.",
        {"tune": "all", "runs": "sgd;momentum;adam;adamw;adan;lion"},
    ),
)  # fmt: skip

x = experiment(
    "fair_race",
    [
        *problem.fields(runs="sgd;momentum;rmsprop;adam", steps=100, noise=2.0),
        Choice("tune", "two", list(SEARCHED)),
        Integer("budget", 20_000, 10, fair.MAX_BUDGET),
        Integer("tries", 3, 1, 15),
        Integer("search", 0, 0, 999),
        Integer("repeats", 5, 1, 20),
        Integer("seeds", 50, 2, 500),
        Flag("strewn", False),
        Choice("show", BOTH, (OWN, BOTH, ONE)),
    ],
)

frame.opening(
    x,
    "The fair race",
    "Every optimizer is tuned with the same number of gradient evaluations, "
    "then all race over many seeds that no tuning has seen.",
)


# What is computed ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Heat:
    """One way to race: everybody's losses (seeds, evaluations + 1), and who stands where."""

    curves: list[Any]
    standing: Standing


@st.cache_data(max_entries=256, show_spinner=False)
def tuned(
    key: str, search: int, budget: int, tries: int, tune: str, _task: Task, _runner: Runner
) -> Search:
    """One optimizer's search; key stands for the task and the runner."""
    optimizer = _runner.optimizer
    return fair.tune(
        _task,
        optimizer,
        budget,
        fair.tuning_seeds(tries * search, tries),
        names=fair.searched(optimizer, SEARCHED[tune]),
        hypers=_runner.hypers,
        options=_runner.options,
    )


@st.cache_data(max_entries=64, show_spinner=False)
def raced(
    key: str, hypers: Mapping[str, float], first: int, seeds: int, _task: Task, _runner: Runner
) -> Any:
    """One optimizer's race at these hyper-parameters; key stands for the task and the runner."""
    return fair.race(
        _task, _runner.optimizer, fair.race_seeds(first, seeds), hypers, options=_runner.options
    )


@st.cache_data(max_entries=512, show_spinner=False)
def ended(
    key: str, hypers: Mapping[str, float], first: int, seeds: int, _task: Task, _runner: Runner
) -> Any:
    """The losses at the end of such a race, which take a hundredth of the room."""
    return fair.race(
        _task, _runner.optimizer, fair.race_seeds(first, seeds), hypers, options=_runner.options
    )[:, -1]


@st.cache_data(max_entries=64, show_spinner=False)
def stood(ends: Any) -> Standing:
    """Who stands where by these losses, (optimizers, seeds)."""
    return fair.standing(fair.ranks(ends))


def task_of(surface: Landscape) -> Task:
    """What everybody has to do."""
    start = None if x["strewn"] else problem.start_point(x, surface)
    return Task(surface, start, x["steps"], x["noise"])


def key_of(task: Task, runner: Runner) -> str:
    """All that a run depends on beside its hyper-parameters and its seed, as text."""
    surface = task.landscape
    what = (surface.slug, surface.name, surface.arguments, task.start, task.evaluations, task.noise)
    return f"{what} {format_runners((runner,))}"


def searches(task: Task, search: int) -> list[Search]:
    """Everybody's search of that number."""
    spend = (x["budget"], x["tries"], x["tune"])
    return [tuned(key_of(task, r), search % 1000, *spend, task, r) for r in x["runs"]]


def leaders(task: Task) -> Counter[int]:
    """How often each is first when the whole is repeated with other searches."""
    first: Counter[int] = Counter()
    for search in range(x["search"], x["search"] + x["repeats"]):
        ends = [
            ended(
                key_of(task, r), {**r.hypers, **s.setting(s.best)}, x["seed"], x["seeds"], task, r
            )
            for r, s in zip(x["runs"], searches(task, search), strict=True)
        ]
        first[fair.leader(ends)] += 1
    return first


def heat(task: Task, settings: Sequence[Mapping[str, float]]) -> Heat:
    """Everybody's race at these settings."""
    curves = [
        raced(
            key_of(task, runner), {**runner.hypers, **hypers}, x["seed"], x["seeds"], task, runner
        )
        for runner, hypers in zip(x["runs"], settings, strict=True)
    ]
    return Heat(curves, stood(np.stack([c[:, -1] for c in curves])))


# What the reader does -----------------------------------------------------------------------------


def take(values: Mapping[str, Any], *, committed: bool) -> None:
    """Controls: of the whole by their field's name, of a runner as place/name."""
    runners = list(x["runs"])
    fields: dict[str, Any] = {}
    for name, value in values.items():
        place, _, setting = name.partition("/")
        if not setting:
            fields[name] = int(value) if isinstance(x[name], int) else value
        elif int(place) < len(runners):
            runners[int(place)] = runners[int(place)].with_setting(setting, value)
    x.change({**fields, "runs": tuple(runners)}, by="controls", held=not committed)


def on_action(group: str, action: str) -> None:
    """The buttons of a runner."""
    runners = list(x["runs"])
    if action == "remove" and int(group) < len(runners) and len(runners) > 1:
        del runners[int(group)]
        x.change({"runs": tuple(runners)})


def add_runner() -> None:
    """Append the chosen optimizer with its defaults and clear the choice."""
    slug = st.session_state["fair_race.add"]
    if slug is not None and len(x["runs"]) < MOST:
        x.change({"runs": (*x["runs"], Runner(slug))})
    st.session_state["fair_race.add"] = None


def search_again() -> None:
    """The same search on other seeds, at other points."""
    x.change({"search": (x["search"] + 1) % 1000})


def other_seeds() -> None:
    """The same race on seeds that it has not seen."""
    x.change({"seed": (x["seed"] + x["seeds"]) % 10_000})


# What the reader sees -----------------------------------------------------------------------------


def groups(surface: Landscape) -> list[Group]:
    """The panel of controls: landscape, race, tuning, then every runner."""
    own = problem.landscape_sliders(surface)
    looks = style.looks(r.slug for r in x["runs"])
    names = frame.distinct([r.optimizer.name for r in x["runs"]])
    return [
        *([Group(id="landscape", title=surface.name, items=own)] if own else []),
        Group(id="tuning", title="Tuning, for each", items=tuning_items()),
        Group(id="race", title="The race", items=race_items(surface)),
        *(
            Group(
                id=str(place), title=name, color=look.color, dash=look.dash, marker=look.marker,
                items=[
                    Chooser(
                        name=f"{place}/{o.name}", label=o.label,
                        value=str(runner.options.get(o.name, o.default)),
                        options=[(str(value), meaning) for value, meaning in o.choices],
                    )
                    for o in runner.optimizer.options
                ],
                actions=[Action(id="remove", label="remove", icon="remove")],
                collapsed=bool(runner.optimizer.options),
            )
            for place, (runner, name, look) in enumerate(
                zip(x["runs"], names, looks, strict=True)
            )
        ),
    ]  # fmt: skip


def tuning_items() -> list[Slider | Chooser]:
    """What a search may spend, on what."""
    return [
        Slider(
            name="budget", label="evaluations", symbol="B", value=x["budget"],
            minimum=1_000, maximum=200_000, default=20_000, scale="log", integer=True,
        ),
        Slider(
            name="repeats", label="searches", symbol="r", value=x["repeats"], minimum=1,
            maximum=20, default=5, integer=True,
            help="the whole is repeated with as many searches; the pictures show the first",
        ),
        Slider(
            name="tries", label="seeds a trial", symbol="k", value=x["tries"], minimum=1,
            maximum=15, default=3, integer=True, help="a trial counts by its median over them",
        ),
        Chooser(
            name="tune", label="searched", value=x["tune"],
            options=[("rate", "η alone"), ("two", "η and its main partner"), ("all", "everything")],
        ),
    ]  # fmt: skip


def race_items(surface: Landscape) -> list[Slider | Chooser]:
    """How long, how noisy, how often."""
    steps, noise = problem.run_sliders(x)
    length = Slider(
        name="steps", label="evaluations a run", symbol="T", value=steps.value,
        minimum=10, maximum=problem.STEPS, default=steps.default, scale="log", integer=True,
    )  # fmt: skip
    count = Slider(
        name="seeds", label="seeds", symbol="n", value=x["seeds"], minimum=2, maximum=500,
        default=50, scale="log", integer=True,
    )  # fmt: skip
    rate = Slider(
        name="lr", label="one η for all", symbol="η", value=x["lr"], minimum=1e-5, maximum=10.0,
        default=surface.lr, scale="log",
    )  # fmt: skip
    return [length, noise, count, *([rate] if x["show"] != OWN else [])]


def race_panels(
    names: list[str], heats: Mapping[str, Heat], surface: Landscape, *, tall: bool
) -> list[Panel]:
    """A picture of losses for each way to race, on one scale, and the ranks of both; where tall,
    the ranks stand beside losses that stand one above the other."""
    looks = style.looks(r.slug for r in x["runs"])
    every = [c for h in heats.values() for c in h.curves]
    bands = {
        way: [[fair.quantile(c, share) for share in (0.25, 0.5, 0.75)] for c in h.curves]
        for way, h in heats.items()
    }
    losses, log = pictures.loss_range(
        [q for way in bands.values() for three in way for q in three], first=every[0][:, 0]
    )
    panels = []
    for place, (way, rows) in enumerate(bands.items()):
        figure = pictures.loss_axes(x["steps"], losses, log)
        tracks = []
        for name, look, (low, median, high) in zip(names, looks, rows, strict=True):
            figure["data"].append(pictures.band(low, high, look.color, losses))
            gone = np.flatnonzero(np.isinf(median))
            tracks.append(
                Track(
                    y=np.where(np.isinf(median), np.nan, median), color=look.color,
                    dash=look.dash, marker=look.marker, label=name, mode="curve",
                    stop=int(gone[0]) if gone.size else None,
                )
            )  # fmt: skip
        panels.append(
            Panel(
                id=f"loss{place}", kind="chart", figure=figure, tracks=tracks, cursor=True,
                title=f"{planes.loss_title(surface)}, {way}",
                alt=f"Median loss with quartiles against gradient evaluations, {way}.",
            )
        )  # fmt: skip
    standings = [h.standing for h in heats.values()]
    said = "; ".join(
        f"{name} {mean:.2f}" for name, mean in zip(names, standings[0].mean, strict=True)
    )
    ranks = Panel(
        id="ranks", kind="chart", title="mean rank, 95 % (filled: own best, hollow: one η)",
        figure=pictures.rank_chart(names, looks, standings), alt=f"Mean ranks: {said}.",
        rows=len(panels) if tall else 1,
    )  # fmt: skip
    return [panels[0], ranks, *panels[1:]] if tall else [*panels, ranks]


def search_panels(names: list[str], found: list[Search]) -> tuple[list[Panel], str]:
    """A map for each search, and what smaller budgets would have found; the scale as HTML."""
    runners = x["runs"]
    looks = style.looks(r.slug for r in runners)
    losses, log = pictures.loss_range([s.scores for s in found])
    maps = [
        Panel(
            id=f"search{i}", kind="chart", title=f"{name}: {len(s.scores)} settings tried",
            figure=pictures.search_map(s, r.optimizer, look, losses, log),
            alt=f"Settings tried for {name}; the best has loss {s.scores[s.best]:.3g}.",
        )
        for i, (name, r, look, s) in enumerate(zip(names, runners, looks, found, strict=True))
    ]  # fmt: skip
    curves = []
    for name, look, s in zip(names, looks, found, strict=True):
        counts = np.geomspace(1, max(s.budget // s.full, 1), POINTS)
        lowest = s.best_of(counts)
        curves.append(
            Track(
                x=counts * s.full, y=np.where(np.isinf(lowest), np.nan, lowest), color=look.color,
                dash=look.dash, marker=look.marker, label=name, mode="curve",
            )
        )  # fmt: skip
    least = min(s.full for s in found)
    budget = Panel(
        id="budget", kind="chart", title="best found, by budget (median search)", tracks=curves,
        figure=pictures.budget_axes(x["budget"], least, losses, log),
        alt="The loss that half of all searches would find against what they may spend.",
    )  # fmt: skip
    return [*maps, budget], pictures.scale(losses, log)


def described(runner: Runner, search: Search) -> str:
    """The settings found, as a reader would write them."""
    symbols = {h.name: h.symbol for h in runner.optimizer.hypers}
    if not search.found:
        return "every setting tried diverged"
    found = search.setting(search.best)
    return ", ".join(f"{symbols[name]}\u00a0=\u00a0{value:.4g}" for name, value in found.items())


def loss(value: float) -> str:
    """A loss in short."""
    return f"{float(f'{value:.2g}'):g}" if np.isfinite(value) else "diverged"


def kept(text: str) -> str:
    """The text on one line."""
    return text.replace(" ", "\u00a0")


def table(names: list[str], found: list[Search], heats: Mapping[str, Heat]) -> None:
    """What came of it, in numbers."""
    looks = style.looks(r.slug for r in x["runs"])
    head = ["", "settings found", "tried (diverged)", "evaluations spent"]
    for way in heats:
        head += [f"{way}: median (quartiles)", "mean rank (95 %)", "seeds won"]
    rows = []
    for i, (runner, name, look, s) in enumerate(zip(x["runs"], names, looks, found, strict=True)):
        row = [
            frame.swatch(look) + html.escape(name),
            html.escape(described(runner, s)),
            f"{len(s.scores)} ({s.diverged})",
            f"{s.spent.sum():,}",
        ]
        for h in heats.values():
            low, median, high = (
                loss(float(fair.quantile(h.curves[i][:, -1], q))) for q in (0.25, 0.5, 0.75)
            )
            at = h.standing
            row += [
                kept(f"{median} ({low} … {high})"),
                kept(f"{at.mean[i]:.2f} ({at.low[i]:.2f} … {at.high[i]:.2f})"),
                f"{at.wins[i]:.3g}",
            ]
        rows.append(row)
    frame.table(head, rows)


# What it means ------------------------------------------------------------------------------------


def verdict(names: list[str], heats: Mapping[str, Heat], settled: bool) -> str:
    """Who is ahead, and how sure that is."""
    if len(names) == 1:
        return "One optimizer alone cannot win: add another."
    if not settled:
        return (
            "Without noise or random starts every seed is the same run: the ranks say who was "
            "ahead once, and their intervals nothing. Turn up σ, or strew the starts."
        )
    way, table = next((way, h.standing) for way, h in heats.items())
    first, second = table.order[:2]
    mean, low, high = table.mean[first], table.low[first], table.high[first]
    text = f"**{names[first]}** has the best mean rank, {mean:.2f} ({low:.2f} … {high:.2f}), {way}"
    if table.clear:
        text += f", and keeps it in {share(table.first[first])} of the resamples. "
    else:
        text += (
            f", but keeps it in only {share(table.first[first])} of the resamples: from "
            f"**{names[second]}** these {x['seeds']} seeds do not tell it apart. "
        )
    if len(heats) > 1:
        other = heats[ONE].standing.order[0]
        text += (
            f"At one η = {x['lr']:.3g} for all it would be **{names[other]}**: that compares how "
            "well this η suits each rule, not the rules. "
            if other != first
            else f"At one η = {x['lr']:.3g} for all, {names[first]} is first as well. "
        )
    return text


def share(value: float) -> str:
    """A share in words: never 100 % of what was only sampled."""
    return "more than 99 %" if value > 0.99 else f"{value:.0%}".replace("%", " %")


def repeated(names: list[str], firsts: Counter[int] | None) -> str:
    """Whether other searches come to the same order."""
    if firsts is None:
        return ""
    times = firsts.total()
    (first, most), *others = firsts.most_common()
    if not others:
        return f"Tuned anew, by {times} searches in all, {names[first]} is first every time. "
    rest = ", ".join(f"{names[i]} {n}" for i, n in others)
    return (
        f"Yet of {times} searches **{names[first]}** comes out first in {most}, {rest}: what a "
        "search happens to hit decides as well. "
    )


def luck(names: list[str], found: list[Search], own: Heat | None, task: Task) -> str:
    """What the winner owes to chance, or to the landscape."""
    if own is None:
        return ""
    first = own.standing.order[0]
    score = float(found[first].scores[found[first].best])
    median = float(fair.quantile(own.curves[first][:, -1], 0.5))
    text = ""
    if np.isfinite(median) and median > 1.5 * score > 0 and task.noise > 0:
        text += (
            f"In its tuning {names[first]} reached {score:.2g}, in the race {median:.2g}: the best "
            "of many trials is partly the luckiest, which is why the race has seeds of its own. "
        )
    if task.landscape.minimum is None:
        text += (
            "No minimum is known here: losses are compared as they are, and who falls beyond all "
            "bounds counts as diverged. "
        )
    pulled = [
        name
        for name, s in zip(names, found, strict=True)
        if fair.drawn_home(task, s.setting(s.best))
    ]
    if pulled:
        text += (
            f"The weight decay found for {', '.join(pulled)} pulls towards 0, where the minimum of "
            "this landscape lies: here it tells the answer. "
        )
    return text


def method(found: list[Search]) -> None:
    """How it is done, with the present numbers."""
    first = fair.tuning_seeds(x["tries"] * x["search"], x["tries"])
    with st.expander("How the race is run, and what it cannot show"):
        st.markdown(f"""
**Budget.** Each optimizer may spend {x["budget"]:,} gradient evaluations on its own settings. A
trial runs {x["steps"]} evaluations on each of {x["tries"]} tuning seeds and counts by the median
loss reached; a run that diverges is stopped and costs what it has used, so that rules which often
diverge get to try more. A search ends when it cannot pay for another trial: here they spent
{min(int(s.spent.sum()) for s in found):,} to {max(int(s.spent.sum()) for s in found):,}. A product
with the Hessian, as Newton and Sophia use it, is not counted: they have an advantage here.

**Search.** First the optimizer as it came (□), then points of an evenly spread sequence (Halton's,
its digits permuted at random) over the whole range that its controls offer, η and ε on a log scale,
decays β evenly in log(1 − β). The best trial is ringed (◯). The ranges are part of the experiment:
a narrower one around good values would help whoever gets it (Choi et al. 2019). The last picture
asks what half of all searches with a smaller budget would have found (after Dodge et al. 2019).

**Race.** Seeds {x["seed"]} to {x["seed"] + x["seeds"] - 1}; tuning used {first[0]:,} to
{first[-1]:,}, so no race is run on noise that a tuning has seen. A seed gives every optimizer the
same noise{" and the same start" if x["strewn"] else ""}. Lines are medians, bands reach from the
lower to the upper quartile. Ranks are taken seed by seed by the loss at the end; equals share, who
diverged is last. The interval of a mean rank holds {fair.CONFIDENCE:.0%} of {fair.RESAMPLES:,}
resamples of whole seeds with replacement (percentile bootstrap, Efron & Tibshirani 1993).

**What it does not show.** The intervals hold the luck of the race's seeds, not that of the search:
for that the whole is done with {x["repeats"]} searches, each at other points and on other tuning
seeds, and raced on the same seeds; *search again* shows the next one. And whoever wins has won on
this landscape, from {"these starts" if x["strewn"] else "this start"}, with this noise, at this
length and this budget. Two weights are not a network.
""")


# The page -----------------------------------------------------------------------------------------


def setup() -> None:
    """The choices above the picture, as native widgets."""
    left, middle, right = st.columns([1.2, 1.5, 1.3], vertical_alignment="center")
    problem.choose_landscape(x, left)
    middle.segmented_control(
        "Race", (OWN, BOTH, ONE), key=x.key("show"), required=True, label_visibility="collapsed"
    )
    with right.container(
        horizontal=True, vertical_alignment="center", horizontal_alignment="right"
    ):
        st.toggle("random starts", key=x.key("strewn"), disabled=x.locked("strewn"))
        st.button("search again", on_click=search_again, type="tertiary")
        st.button("other seeds", on_click=other_seeds, type="tertiary")
    problem.type_formula(x)


def choose_runner() -> None:
    """The way to add an optimizer."""
    if not x.hidden("add") and len(x["runs"]) < MOST:
        st.selectbox(
            "Add an optimizer", list(OPTIMIZERS), index=None, key="fair_race.add",
            format_func=lambda slug: OPTIMIZERS[slug].name, on_change=add_runner,
            placeholder="Add an optimizer…", label_visibility="collapsed",
            disabled=x.locked("add"),
        )  # fmt: skip


def settings(height: int) -> bool:
    """The live controls; whether no hand is on them."""
    shown = groups(problem.landscape(x))
    answer = controls(
        "fair_race.controls", shown, locked=problem.locked(x, shown), max_height=height,
        on_action=on_action,
    )  # fmt: skip
    take(answer.values, committed=answer.committed)
    return answer.committed


@st.fragment
def body() -> None:
    """The choices, the race, the search behind it, the numbers."""
    embedded = bool(st.context.is_embedded)
    if not embedded and not x.hidden("setup"):
        setup()
    if x.hidden("controls"):
        picture, panel = st.container(), None
    else:
        picture, side = st.columns([3, 1.15], gap="medium")
        panel = side.container()
        with side:
            choose_runner()
    below = st.container()
    settled = True
    if panel is not None:
        with panel:
            settled = settings(height=470 if embedded else 740)
    with picture:
        try:
            with st.spinner("Tuning and racing…"):
                task = task_of(problem.landscape(x))
                found = searches(task, x["search"])
                heats = run_heats(task, found)
                # Not while a hand is on a control: it takes as long as all the rest.
                firsts = leaders(task) if settled and x["repeats"] > 1 else None
        except ValueError as error:  # too large, or a budget too small: the engine says which
            st.warning(f"This race cannot be run: {error}.", icon=":material/block:")
        else:
            show(task, found, heats, firsts, below, embedded)
        if not embedded and not x.hidden("presets"):
            presets(x, PRESETS)
    x.publish()


def run_heats(task: Task, found: Sequence[Search]) -> dict[str, Heat]:
    """The ways to race that are asked for."""
    heats = {}
    if x["show"] != ONE:
        heats[OWN] = heat(task, [s.setting(s.best) for s in found])
    if x["show"] != OWN:
        heats[ONE] = heat(
            task, [fair.at_one_rate(r.optimizer, x["lr"], r.hypers) for r in x["runs"]]
        )
    return heats


def show(
    task: Task,
    found: list[Search],
    heats: Mapping[str, Heat],
    firsts: Counter[int] | None,
    below: Any,
    embedded: bool,
) -> None:
    """The pictures and what they say."""
    names = frame.distinct([r.optimizer.name for r in x["runs"]])
    varies = any(task.varies(r.optimizer, r.options) for r in x["runs"])
    stage(
        "fair_race.stage", race_panels(names, heats, task.landscape, tall=embedded),
        frames=x["steps"] + 1, height=470 if embedded else 460,
        columns=[1.25] * (1 if embedded else len(heats)) + [1],
        frame_name="evaluation", alt="The race: losses over many seeds, and mean ranks",
    )  # fmt: skip
    said = verdict(names, heats, varies)
    if len(names) > 1:
        said += repeated(names, firsts) + luck(names, found, heats.get(OWN), task)
    notice(said)
    with below:
        maps, scale = search_panels(names, found)
        if not x.hidden("search"):
            st.subheader("The search behind it", anchor=False)
            st.html(scale)
            stage(
                "fair_race.search", maps, frames=POINTS, playback=False, columns=3,
                height=300 * ((len(maps) + 2) // 3), alt="The settings tried for each optimizer",
            )  # fmt: skip
        if not x.hidden("table"):
            table(names, found, heats)
        tuned_runners = tuple(
            Runner(r.slug, {**r.hypers, **s.setting(s.best)}, r.options, r.rule)
            for r, s in zip(x["runs"], found, strict=True)
        )
        problem.link(
            x, "race", "Open the race at these settings", icon=":material/sports_score:",
            runs=format_runners(tuned_runners), same="0",
            start=",".join(map(shorten, task.start_of(x["seed"]))),
        )  # fmt: skip
        if not embedded:
            method(found)


body()
