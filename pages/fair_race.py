"""The fair race: every optimizer tuned with the same budget, then raced over many seeds.

It takes the server a while, beside the script: what is on the page stays until the next outcome is
there, and no control waits for it.
"""

from __future__ import annotations

import hashlib
import html
import re
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import streamlit as st

from components.controls import Action, Group, Item
from components.controls import Choice as Chooser
from components.stage import Panel, Track, stage
from engine.emit.picture import written
from engine.optimizers.schedules import SCHEDULES
from engine.problems.landscapes import Landscape
from engine.runs import workshop
from engine.studies import fair_race as fair
from engine.studies.fair_race import Entrant, Heat, Outcome, Protocol, Search, Task
from figures import fair_race as pictures
from figures import race as planes
from figures import style
from pages import background, frame, problem, side_by_side
from pages import fair_race_words as says
from pages.competitors import MOST, Runner, format_runners
from pages.presets import Preset
from pages.state import Choice, Flag, Integer, Number, experiment, shorten

OWN, ONE, BOTH = "each at its own best", "one η for all", "both"
SEARCHED = {"rate": 1, "two": 2, "all": None}
SPOKEN = {"rate": "η alone", "two": "η and its main partner", "all": "everything"}
POINTS: Final = 40  # of the curve of smaller budgets

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
        "Eight trials each, a few more where some diverge: who is first depends on where they "
        "happened to fall. Press “search again” and watch the order change.",
        {"budget": "2400"},
    ),
    Preset(
        "From anywhere in a bent valley",
        "good",
        "Rosenbrock from a new random start on each seed: no setting suits them all, and most "
        "bands are far wider than from one start.",
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
        "All hyper-parameters on the same budget: Adam spreads it thinner and loses a little; "
        "AdamW and Adan gain tenfold, as their decay pulls to 0, where this minimum is.",
        {"tune": "all", "runs": "sgd;momentum;adam;adamw;adan;lion"},
    ),
)  # fmt: skip

STEADY = "constant"  # the schedule that is none

x = experiment(
    "fair_race",
    [
        *problem.fields(runs="sgd;momentum;rmsprop;adam", steps=100, noise=2.0),
        Choice("tune", "two", list(SEARCHED), label="searched", says=SPOKEN),
        Integer("budget", 20_000, 10, fair.MAX_BUDGET, label="evaluations", symbol="B",
                scale="log"),
        Integer("tries", 3, 1, 15, label="seeds per trial", symbol="k",
                help="a trial counts by its median over them"),
        Integer("search", 0, 0, 999),
        Integer("repeats", 5, 1, 20, label="searches", symbol="r",
                help="the whole is repeated with as many searches; the pictures show the first"),
        Integer("seeds", 50, 2, 500, label="seeds", symbol="n", scale="log"),
        Flag("strewn", False, label="random starts"),
        Choice("schedule", STEADY, list(SCHEDULES), label="schedule",
               says={slug: plan.name for slug, plan in SCHEDULES.items()}),
        Number("warmup", 0.0, 0.0, 0.5, label="warm-up", symbol="w",
               help="share of a run spent rising to the top"),
        Choice("show", BOTH, (OWN, BOTH, ONE), label="how they race"),
    ],
    parts=("add", "method", "function"),
)  # fmt: skip


# What is computed ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Held:
    """A race as the page stands, or stood: what everybody has to do, who does it, and how."""

    task: Task
    runners: tuple[Runner, ...]
    protocol: Protocol

    @property
    def mark(self) -> str:
        """The same for the same race."""
        surface = self.task.landscape
        said = (
            surface.slug, surface.name, sorted(surface.arguments.items()), self.task.start,
            self.task.evaluations, self.task.noise, self.task.plan, format_runners(self.runners),
            self.protocol,
        )  # fmt: skip
        return hashlib.blake2b(repr(said).encode(), digest_size=8).hexdigest()

    @property
    def entrants(self) -> list[Entrant]:
        return [
            Entrant(format_runners((r,)), r.optimizer, r.hypers, r.options) for r in self.runners
        ]

    @property
    def names(self) -> list[str]:
        return frame.distinct([r.optimizer.name for r in self.runners])

    @property
    def looks(self) -> tuple[style.Look, ...]:
        return style.looks(r.slug for r in self.runners)

    def ways(self, outcome: Outcome, show: str) -> dict[str, Heat]:
        """The heats to be shown, by what they are called."""
        every = {OWN: outcome.own, ONE: outcome.one}
        return every if show == BOTH else {show: every[show]}


def asked() -> Held:
    """The race that the page asks for. Raises ValueError for one that cannot be run."""
    surface = problem.landscape(x)
    start = None if x["strewn"] else problem.start_point(x, surface)
    plan = SCHEDULES[x["schedule"]](warmup=x["warmup"])
    steady = x["schedule"] == STEADY and x["warmup"] == 0
    return Held(
        Task(surface, start, int(x["steps"]), x["noise"], None if steady else plan),
        x["runs"],
        Protocol(
            int(x["budget"]), int(x["tries"]), SEARCHED[x["tune"]], int(x["search"]),
            int(x["repeats"]), int(x["seed"]), int(x["seeds"]), x["lr"],
        ),
    )  # fmt: skip


def outcome_of(held: Held, place: Any) -> tuple[Held, Outcome] | None:
    """The outcome to be shown: of this race if it is there, else of the last that came to an end.

    Raises ValueError for a race that cannot be run.
    """
    entrants = held.entrants
    return background.beside(
        "fair_race", held.mark,
        lambda tell, stop: (held, workshop.call(
            fair.hold, held.task, entrants, held.protocol, progress=tell, cancelled=stop)),
        place, doing="Tuning and racing …", hand=x.held, locked=x.locked("actions"),
    )  # fmt: skip


# What the reader does -----------------------------------------------------------------------------


def on_action(group: str, action: str) -> None:
    """The buttons of a group."""
    runners = list(x["runs"])
    if action == "again":
        search_again()
    elif action == "others":
        other_seeds()
    elif action == "remove" and int(group) < len(runners) and len(runners) > 1:
        del runners[int(group)]
        x.change({"runs": tuple(runners)})


def search_again() -> None:
    """The same search on other seeds, at other points."""
    x.change({"search": (x["search"] + 1) % 1000})


def other_seeds() -> None:
    """The same race on seeds that it has not seen."""
    x.change({"seed": int(x["seed"] + x["seeds"]) % 10_000})


# What the reader sees -----------------------------------------------------------------------------


def groups(surface: Landscape) -> list[Group]:
    """The panel of controls: landscape, race, tuning, then every runner."""
    own = problem.landscape_sliders(x, surface)
    looks = style.looks(r.slug for r in x["runs"])
    names = frame.distinct([r.optimizer.name for r in x["runs"]])
    tuning: list[Item] = [
        x.slider("budget", minimum=1_000.0, maximum=200_000.0),
        x.slider("repeats"),
        x.slider("tries"),
        x.chooser("tune"),
    ]
    race: list[Item] = [
        x.slider("steps", label="evaluations per run", minimum=10.0),
        x.slider("noise"),
        x.slider("seeds"),
        x.toggle("strewn"),
        x.chooser("schedule"),
        x.slider("warmup"),
        *(
            [x.slider("lr", label="one rate for all", default=surface.lr)]
            if x["show"] != OWN
            else []
        ),
    ]
    return [
        *([Group(id="landscape", title=surface.name, items=own)] if own else []),
        Group(
            id="tuning", title="Tuning, for each", items=tuning,
            actions=[Action(id="again", label="search again", locked=x.locked("search"))],
        ),
        Group(
            id="race", title="The race", items=race,
            actions=[Action(id="others", label="other seeds", locked=x.locked("seed"))],
        ),
        *(
            Group(
                id=str(place), title=name, color=look.color, dash=look.dash, marker=look.marker,
                items=[i for i in problem.runner_items(place, runner) if isinstance(i, Chooser)],
                actions=[Action(id="remove", label="remove", icon="remove")],
                collapsed=bool(runner.optimizer.options),
            )
            for place, (runner, name, look) in enumerate(
                zip(x["runs"], names, looks, strict=True)
            )
        ),
    ]  # fmt: skip


def race_panels(held: Held, ways: dict[str, Heat], *, tall: bool) -> list[Panel]:
    """A picture of losses for each way to race, on one scale, and the ranks of both; where tall,
    the ranks stand beside losses that stand one above the other."""
    names, looks = held.names, held.looks
    bands = {way: [fair.quartiles(c) for c in heat.curves] for way, heat in ways.items()}
    first = next(iter(ways.values())).curves[0][:, 0]
    losses, log = pictures.loss_range(
        [q for rows in bands.values() for three in rows for q in three], first=first
    )
    panels = []
    for place, (way, rows) in enumerate(bands.items()):
        medians = [(n, k, median) for n, k, (_, median, _) in zip(names, looks, rows, strict=True)]
        figure = pictures.loss_axes(held.task.evaluations, losses, log, medians)
        figure["data"] += [
            pictures.band(low, high, look.color, losses)
            for look, (low, _, high) in zip(looks, rows, strict=True)
        ]
        panels.append(
            Panel(
                id=f"loss{place}", kind="chart", figure=figure, cursor=True,
                tracks=[
                    _track(name, look, median)
                    for name, look, (_, median, _) in zip(names, looks, rows, strict=True)
                ],
                title=f"{planes.loss_title(held.task.landscape)}, {way}",
                alt=f"Median loss with quartiles against gradient evaluations, {way}.",
            )
        )  # fmt: skip
    standings = [heat.standing for heat in ways.values()]
    said = "; ".join(
        f"{name} {written(mean, '.2f')}"
        for name, mean in zip(names, standings[0].mean, strict=True)
    )
    ranks = Panel(
        id="ranks", kind="chart", title=pictures.rank_title(len(ways)),
        figure=pictures.rank_chart(names, looks, standings), alt=f"Mean ranks: {said}.",
        rows=len(panels) if tall else 1,
    )  # fmt: skip
    return [panels[0], ranks, *panels[1:]] if tall else [*panels, ranks]


def _track(name: str, look: style.Look, median: Any, **more: Any) -> Track:
    """A curve that ends where its values are infinite."""
    gone = np.flatnonzero(np.isinf(median))
    return Track(
        y=np.where(np.isinf(median), np.nan, median), color=look.color, dash=look.dash,
        marker=look.marker, label=name, mode="curve", stop=int(gone[0]) if gone.size else None,
        **more,
    )  # fmt: skip


def search_panels(held: Held, found: list[Search]) -> tuple[list[Panel], str]:
    """A map for each search, and what smaller budgets would have found; the scale as HTML."""
    names, looks = held.names, held.looks
    losses, log = pictures.loss_range([s.scores for s in found])
    maps = [
        Panel(
            id=f"search{i}", kind="chart", title=f"{name}: {len(s.scores)} settings",
            figure=pictures.search_map(s, r.optimizer, look, losses, log),
            alt=f"Settings tried for {name}; the best has loss {written(s.scores[s.best], '3')}.",
        )
        for i, (name, r, look, s) in enumerate(zip(names, held.runners, looks, found, strict=True))
    ]  # fmt: skip
    curves = []
    for name, look, s in zip(names, looks, found, strict=True):
        counts = np.geomspace(1, max(s.budget // s.full, 1), POINTS)
        lowest = np.where(np.isinf(s.best_of(counts)), np.nan, s.best_of(counts))
        curves.append(_track(name, look, lowest, x=counts * s.full))
    least = min(s.full for s in found)
    budget = Panel(
        id="budget", kind="chart", title="median best, by budget", tracks=curves,
        figure=pictures.budget_axes(held.protocol.budget, least, losses, log),
        alt="The loss that half of all searches would find against what they may spend.",
    )  # fmt: skip
    return [*maps, budget], pictures.scale(losses, log)


def table(held: Held, found: list[Search], ways: dict[str, Heat]) -> None:
    """What came of it, in numbers."""
    head = ["", "settings found", "tried (diverged)", "evaluations spent"]
    head += ["evaluations per step", "numbers kept"]
    for way in ways:
        head += [f"{way}: median (quartiles)", "mean rank (95 %)", "seeds won"]
    rows = []
    for i, (runner, name, look, s) in enumerate(
        zip(held.runners, held.names, held.looks, found, strict=True)
    ):
        row = [
            frame.swatch(look) + html.escape(name),
            html.escape(says.described(runner.optimizer, s)),
            f"{len(s.scores)} ({s.diverged})",
            written(s.spent.sum(), "d"),
            *says.cost(runner.optimizer, s.setting(s.best), runner.options),
        ]
        for heat in ways.values():
            low, median, high = (says.loss(float(q)) for q in fair.quartiles(heat.curves[i][:, -1]))
            at = heat.standing
            mean, least, most = (written(v[i], ".2f") for v in (at.mean, at.low, at.high))
            row += [
                _on_one_line(f"{median} ({low} … {high})"),
                _on_one_line(f"{mean} ({least} … {most})"),
                written(at.wins[i], "3"),
            ]
        rows.append(row)
    frame.table(head, rows)


def _on_one_line(text: str) -> str:
    return text.replace(" ", "\u00a0")


# The page -----------------------------------------------------------------------------------------


def opening() -> None:
    """Title and lead, whose words choose who races, where and how."""
    frame.opening(
        x,
        "Fair race",
        [
            "Tune ", *side_by_side.runner_menus(x, MOST), " on ", problem.landscape_menu(x),
            " with one budget, then race them on new seeds, ", x.menu("show"), ".",
        ],
    )  # fmt: skip
    side_by_side.typed(x)


@frame.fragment
def body() -> None:
    """The choices, the race, the search behind it, the numbers."""
    opening()
    view = frame.view(x, PRESETS, panel=0.27)
    with view.panel:
        x.controls(groups(problem.landscape(x)), height=view.height(530, 420), on_action=on_action)
    with view.picture:
        if not x["strewn"]:
            problem.say_start(x, problem.landscape(x))
        picture = st.container()
    with view.picture if view.embedded else view.panel:
        progress = frame.progress_room(x)
    if not background.begun("fair_race"):  # it is said where the picture will be
        progress = picture.container(key="waiting-fair_race")
    try:
        shown = outcome_of(asked(), progress)
    except ValueError as error:  # too large, or a budget too small: the engine says which
        picture.warning(f"This race cannot be run: {error}.", icon=":material/block:")
    else:
        if shown is not None:
            show(*shown, view, picture)
    frame.foot(x, "f(x, y) = " + problem.landscape(x).latex)
    x.publish()


def verdict(said: str) -> None:
    """Who is ahead, and how surely, as HTML: another verdict is other words. As Markdown those of
    the last would wander into it, and the page would seem to jump."""
    eye = "<span class='eye'></span>"
    bold = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", html.escape(said, quote=False))
    st.html(f"<p class='told'>{eye} {bold}</p>")


def show(held: Held, outcome: Outcome, view: frame.View, picture: Any) -> None:
    """The pictures and what they say."""
    ways = held.ways(outcome, x["show"])
    with picture:
        stage(
            "fair_race.stage", race_panels(held, ways, tall=view.embedded),
            frames=held.task.evaluations + 1, height=view.height(470, 384),
            columns=[1.25] * (1 if view.embedded else len(ways)) + [1],
            frame_name="evaluation", sound="loss0",
            alt="The race: losses over many seeds, and mean ranks",
        )  # fmt: skip
    names = held.names
    said = says.verdict(names, ways, outcome, held.protocol)
    if view.embedded:
        picture.caption(said)
        return
    if len(names) > 1:
        said += says.repeated(names, outcome.firsts)
        said += says.luck(names, outcome, held.task) if OWN in ways else ""
    with picture, st.container(key="verdict"):
        verdict(said)
    found = outcome.searches
    if not x.hidden("search"):
        maps, scale = search_panels(held, found)
        st.header("The search behind it", anchor=False)
        st.html(scale)
        stage(
            "fair_race.search", maps, frames=POINTS, playback=False, columns=3, legend=False,
            height=300 * ((len(maps) + 2) // 3), alt="The settings tried for each optimizer",
        )  # fmt: skip
    if not x.hidden("table"):
        table(held, found, ways)
    tuned = tuple(
        Runner(r.slug, {**r.hypers, **s.setting(s.best)}, r.options, r.rule)
        for r, s in zip(held.runners, found, strict=True)
    )
    problem.link(
        x, "race", "Open the race at these settings", icon=":material/sports_score:",
        runs=format_runners(tuned), same="0",
        start=",".join(map(shorten, held.task.start_of(held.protocol.first))),
    )  # fmt: skip
    problem.about(x, held.task.landscape)
    if not x.hidden("method"):
        with st.expander("How the race is run, and what it cannot show"):
            st.markdown(says.method(found, held.task, held.protocol))


body()
