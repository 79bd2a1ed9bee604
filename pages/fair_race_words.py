"""What the fair race says of its outcome: who is ahead, how sure that is, and how it was done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np

from engine.emit.picture import written
from engine.optimizers import Optimizer
from engine.studies import fair_race as fair
from engine.studies.fair_race import Heat, Outcome, Protocol, Search, Task


def verdict(names: list[str], ways: dict[str, Heat], outcome: Outcome, protocol: Protocol) -> str:
    """Who is ahead, and how sure that is; `ways` are the heats shown, by what they are called."""
    if len(names) == 1:
        return "One optimizer alone cannot win: add another."
    if not outcome.varies:
        return (
            "Without noise or random starts every seed is the same run: the ranks say who was "
            "ahead once, and their intervals nothing. Turn up σ, or strew the starts."
        )
    way, table = next((way, heat.standing) for way, heat in ways.items())
    first, second = table.order[:2]
    found = table.mean[first], table.low[first], table.high[first]
    mean, low, high = (written(value, ".2f") for value in found)
    text = f"**{names[first]}** has the best mean rank, {mean} ({low} … {high}), {way}"
    if table.clear:
        text += f", and keeps it in {share(table.first[first])} of the resamples. "
    else:
        text += (
            f", but keeps it in only {share(table.first[first])} of the resamples: from "
            f"**{names[second]}** these {protocol.seeds} seeds do not tell it apart. "
        )
    if len(ways) > 1:
        other = outcome.one.standing.order[0]
        rate = f"η\u00a0=\u00a0{written(protocol.lr, '3')}"
        text += (
            f"At one {rate} for all it would be **{names[other]}**: that "
            "compares how well this η suits each rule, not the rules. "
            if other != first
            else f"At one {rate} for all, {names[first]} is first as well. "
        )
    return text


def share(value: float) -> str:
    """A share in words: never 100 % of what was only sampled."""
    return ("more than " if value > 0.99 else "") + written(min(value, 0.99), ".0%")


def repeated(names: list[str], firsts: Counter[int]) -> str:
    """Whether other searches come to the same order."""
    times = firsts.total()
    if times < 2:
        return ""
    (first, most), *others = firsts.most_common()
    if not others:
        return f"Tuned anew, by {times} searches in all, {names[first]} is first every time. "
    rest = ", ".join(f"{names[i]} {n}" for i, n in others)
    return (
        f"Yet of {times} searches **{names[first]}** comes out first in {most}, {rest}: what a "
        "search happens to hit decides as well. "
    )


def luck(names: list[str], outcome: Outcome, task: Task) -> str:
    """What the winner owes to chance, or to the landscape."""
    first = outcome.own.standing.order[0]
    found = outcome.searches
    score = float(found[first].scores[found[first].best])
    median = float(fair.quantile(outcome.own.curves[first][:, -1], 0.5))
    text = ""
    if np.isfinite(median) and median > 1.5 * score > 0 and task.noise > 0:
        text += (
            f"In its tuning {names[first]} reached {written(score, '2')}, in the race "
            f"{written(median, '2')}: the best of many trials is partly the luckiest, "
            "which is why the race has seeds of its own. "
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


def described(optimizer: Optimizer, search: Search) -> str:
    """The settings found, as a reader would write them."""
    symbols = {h.name: h.symbol for h in optimizer.hypers}
    if not search.found:
        return "every setting tried diverged"
    found = search.setting(search.best)
    return ", ".join(
        f"{symbols[name]}\u00a0=\u00a0{written(value)}" for name, value in found.items()
    )


def cost(
    optimizer: Optimizer, hypers: Mapping[str, float], options: Mapping[str, str | bool]
) -> tuple[str, str]:
    """What a step takes: evaluations, at least where the run decides, and numbers kept for it."""
    least = "≥ " if optimizer.counted else ""
    return f"{least}{written(optimizer.price(hypers, options), '3')}", str(optimizer.kept(options))


def loss(value: float) -> str:
    """A loss in short."""
    return written(value, "2") if np.isfinite(value) else "diverged"


def _plan(task: Task) -> str:
    """What the schedule of the race does, if there is one."""
    if task.schedule is None:
        return ""
    return (
        f" The schedule ({task.schedule.name}) drives every rate over the rule's own steps, in "
        "tuning and race alike; what searches for its step's length takes none."
    )


def method(found: list[Search], task: Task, protocol: Protocol) -> str:
    """How it is done, with the present numbers, as Markdown."""
    tries, strewn = protocol.tries, task.start is None
    first = fair.tuning_seeds(tries * protocol.search, tries)
    spent = [int(s.spent.sum()) for s in found]
    last = protocol.first + protocol.seeds - 1
    return f"""
**Budget.** Each optimizer may spend {written(protocol.budget, "d")} gradient evaluations on its own
settings. A trial runs {task.evaluations} evaluations on each of {tries} tuning seeds and counts
by the median loss reached; a run that diverges is stopped and costs what it has used, so that rules
which often diverge get to try more. A search ends when it cannot pay for another trial: here they
spent {written(min(spent), "d")} to {written(max(spent), "d")}.

**What counts.** A gradient, with the loss that comes along, is one evaluation; a loss alone, as
line searches ask for it, is one as well; a product with the Hessian is two, for it is a gradient's
gradient. So SAM pays twice, Newton five times in the plane (a gradient and two products), Sophia by
how often it looks at the curvature, and a line search for every trial.{_plan(task)}

**Search.** First the optimizer as it came (□), then points of an evenly spread sequence (Halton's,
its digits permuted at random) over the whole range that its controls offer, η and ε on a log scale,
decays β evenly in log(1 − β). The best trial is ringed (◯). The ranges are part of the experiment:
a narrower one around good values would help whoever gets it (Choi et al. 2019). The last picture
asks what half of all searches with a smaller budget would have found (after Dodge et al. 2019).

**Race.** Seeds {protocol.first} to {last}; tuning used {written(first[0], "d")} to
{written(first[-1], "d")}, so no race is run on noise that a tuning has seen. A seed gives
every optimizer the same noise{" and the same start" if strewn else ""}. Lines are
medians, bands reach from the lower to the upper quartile. Ranks are taken seed by seed by the loss
at the end; equals share, who diverged is last. The interval of a mean rank holds
{written(fair.CONFIDENCE, ".0%")} of {written(fair.RESAMPLES, "d")} resamples of whole
seeds with replacement (percentile bootstrap, Efron & Tibshirani 1993).

**What it does not show.** The intervals hold the luck of the race's seeds, not that of the search:
for that the whole is done with {protocol.searches} searches, each at other points and on other
tuning seeds, and raced on the same seeds; *search again* shows the next one. And whoever wins has
won on this landscape, from {"these starts" if strewn else "this start"}, with this noise, at this
length and this budget. Two weights are not a network.
"""
