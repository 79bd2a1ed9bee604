"""What the page of paths in weight space shows and says: its panels, its lines, its words."""

from __future__ import annotations

import html
from typing import Any

from components.stage import Panel, Track
from engine.emit.picture import entry, words, written
from engine.optimizers import OPTIMIZERS
from engine.runs.live_study import LiveStudy
from engine.studies.weight_space import (
    RECORDS,
    REST,
    TASKS,
    Path,
    Seen,
    Task,
    borne,
    divides,
    random_walk,
    stand,
    walk_shares,
)
from engine.tape import operations as ops
from figures import style
from figures import weight_space as pictures
from pages import frame
from pages.competitors import Runner
from pages.state import Experiment

STANDS = {
    "below": "This path never comes to it, so nothing holds its sharpness.",
    "at": "A network is no parabola: past it the steps begin to swing across the sharpest "
    "direction, and the swing itself leads to where it is flatter, so that sharpness ends at the "
    "edge while the loss goes on falling in the long run.",
    "off": "This path came to it and left it again: at its end its sharpness is elsewhere.",
}


def values_of(runner: Runner) -> dict[str, float]:
    """All its hyper-parameters, the default where none is chosen."""
    return {h.name: runner.value(h) for h in runner.optimizer.hypers}


def options_of(runner: Runner) -> tuple[tuple[str, str | bool], ...]:
    """All its options."""
    return tuple(runner.optimizer.option_values(runner.options).items())


def panels(
    x: Experiment, found: LiveStudy, names: list[str], looks: tuple[style.Look, ...], live: Any
) -> tuple[list[Panel], list[pictures.Shown]]:
    """The plane, sharpness and loss, and a random walk where it is wanted."""
    runs = []
    for k, (name, look, runner) in enumerate(zip(names, looks, x["runs"], strict=True)):
        hypers = {n: live[f"{k}/{n}"] for n in values_of(runner)}
        bound = borne(runner.optimizer, hypers, runner.options)
        loss, sharp = found.part(f"loss{k}"), found.part(f"sharpness{k}")
        own = divides(runner.optimizer, runner.options)
        effective = found.part(f"effective{k}")
        runs.append(pictures.Shown(name, look, loss, sharp, effective, bound, own))
    at = ops.reshape(live["steps"], (1,)) * [k / RECORDS for k in range(RECORDS + 1)]

    def tracks(values: list[Any], over: Any = None) -> list[Track]:
        return [
            Track(
                x=found.part(f"x{k}") if over is None else over, y=value,
                color=run.look.color, dash=run.look.dash, marker=run.look.marker, label=run.name,
                stop=found.part(f"stopped{k}"), mode="trail" if over is None else "curve",
            )
            for k, (run, value) in enumerate(zip(runs, values, strict=True))
        ]  # fmt: skip

    key = f"{x['plane']}{x['data']}"
    plane = pictures.plane(found.part("across"), found.part("up"), found.part("grid"), runs, key)
    title = "on a random plane" if x["plane"] == "random" else "on the plane of most variance"
    shown = [
        Panel(
            id="plane", figure=plane, rows=2, title=f"the path {title}", tab="plane",
            tracks=tracks([found.part(f"y{k}") for k in range(len(runs))]),
            alt=f"The loss {title}, with the path of {', '.join(names)}.",
        ),
        Panel(
            id="sharpness", kind="chart", title="sharpness as a share of its limit", cursor=at,
            tab="sharpness", figure=pictures.shares(runs, live["steps"]),
            tracks=tracks([run.share for run in runs], at),
            alt="Sharpness against step, as a share of what each rule bears.",
        )
        if x["share"] else
        Panel(
            id="sharpness", kind="chart", title="sharpness: the largest curvature", cursor=at,
            tab="sharpness", figure=pictures.sharpness(runs, live["steps"]),
            tracks=tracks([run.sharpness for run in runs], at),
            alt="The Hessian's largest eigenvalue against step.",
        ),
        Panel(
            id="loss", kind="chart", title="loss", tab="loss", cursor=at,
            figure=pictures.loss(runs, live["steps"]),
            tracks=tracks([run.loss for run in runs], at), alt="Loss against step.",
        ),
    ]  # fmt: skip
    return shown, runs


def walk_panel(x: Experiment, size: int) -> Panel:
    """A random walk with as many points and numbers as a path."""
    across, up, share = random_walk(RECORDS + 1, size, x["draw"])
    return Panel(
        id="walk", kind="chart", tab="walk", rows=2, figure=pictures.walk(across, up),
        title=f"a random walk: {written(share.sum(), '.0%')} of its variance",
        alt="A random walk on its own plane: a bend that looks like a path with an aim.",
    )  # fmt: skip


def lines(found: LiveStudy, runs: list[pictures.Shown], embedded: bool) -> list[Any]:
    """The sentences that follow the hand."""
    said: list[Any] = []
    for k, run in enumerate(runs if not embedded else runs[:1]):
        stopped = found.part(f"stopped{k}")
        last = ops.where(stopped >= 0, stopped - 1, float(RECORDS))
        end, loss = entry(run.sharpness, last), entry(run.loss, last)
        against = [] if run.bound is None else [entry(run.share, last), run.bound]
        of = " (in its own metric {:.2f} of its limit {:3})" if run.own else (
            " ({:.2f} of its limit {:3})" if against else "")  # fmt: skip
        text = f"{run.name}: sharpness ends at {{:3}}{of}, the loss at {{:3}}."
        said.append(words(text, end, *against, loss))
    one, two = found.part("share1"), found.part("share2")
    said.append(
        words(
            "The plane holds {:.1%} of the path's variance: {:.1%} across and {:.1%} up.",
            one + two,
            one,
            two,
        )
    )
    return said


def told(x: Experiment, made: Task, paths: list[Path], here: Seen) -> None:
    """What the edge is, what the plane shows and what it cannot."""
    size, walk = made.network.size, walk_shares(RECORDS + 1)
    first: Runner = x["runs"][0]
    bound = borne(first.optimizer, values_of(first), dict(options_of(first)))
    where = "lost" if bound is None else stand(paths[0], bound)
    if bound is not None and where in STANDS:
        own = ", measured by what it divides by," if divides(first.optimizer, first.options) else ""
        frame.notice(
            f"On a parabola {first.optimizer.name} at η = {written(values_of(first)['lr'], '3')} "
            f"is stable up to a curvature of {written(bound, '3')}{own} and is thrown out beyond "
            f"it. {STANDS[where]}"
        )
    frame.notice(
        f"The network learns {TASKS[x['data']]}: {len(made.x)} examples, all in every step, and "
        f"{size} weights. The plane passes through the end of the first path: there alone its "
        "loss is the path's own, elsewhere a path lies above or below. Where the first path "
        f"starts its loss is {written(paths[0].loss[0], '3')}; on the plane, at that place, it is "
        f"{written(here.below, '3')}. A random walk of {RECORDS + 1} points in very many "
        f"dimensions is expected to have {written(walk.sum(), '.0%')} of its variance on its own "
        "plane: a share on a plane that was fitted to a path is to be held against that."
        + rest_told(x)
    )
    for runner, path in zip(x["runs"], paths, strict=True):
        if len(path.loss) > RECORDS:
            continue
        name = html.escape(runner.optimizer.name)
        n = len(path.loss) * x["steps"] // RECORDS
        frame.notice(
            f"{name} is lost near step {written(n, 'd')}: the rate is beyond the edge for good, "
            "and every step throws the weights further."
            if runner.has_rate
            else f"{name} is lost near step {written(n, 'd')}: its loss is no longer a number that "
            "a picture can hold."
        )


def rest_told(x: Experiment) -> str:
    """What is known of the runs' edges, and which rule takes what one for matrices leaves."""
    said = ""
    for runner in x["runs"]:
        rule, name = runner.optimizer, html.escape(runner.optimizer.name)
        if rule.fallback:
            rest = OPTIMIZERS[rule.fallback].name
            said += (
                f" {name} moves the hidden matrices; all else is {rest}'s, at a rate of "
                f"{written(REST, '3')}."
            )
        if borne(rule, values_of(runner), dict(rule.option_values(runner.options))) is None:
            said += f" No edge in closed form is known of {name}: none is drawn."
    return said
