"""What the race says of its runs, as HTML: what came of each in numbers, where its rate stands
against the limit of its rule, and why one left the picture.
"""

from __future__ import annotations

import html

from engine.emit.picture import written
from engine.problems.landscapes import Landscape
from engine.runs.descent import Descent
from engine.studies.stability import Explanation, limit_formula
from figures import style
from pages import frame


def table(names: list[str], runs: list[Descent], surface: Landscape, target: float) -> str:
    """What came of it, in numbers, as HTML."""
    looks = style.looks(r.optimizer.slug for r in runs)
    rows = []
    for name, look, r in zip(names, looks, runs, strict=True):
        reached = r.steps_to_gap(target)
        stayed = r.steps_to_stay(target)
        rows.append(
            (
                frame.swatch(look) + html.escape(name),
                written(r.loss[r.last], "3"),
                "never" if reached is None else str(reached),
                "not by the end" if stayed is None else str(stayed),
                "–" if r.distance is None else written(r.distance, "3"),
                "no" if r.diverged_at is None else f"step {r.diverged_at}",
            )
        )
    goal = "loss" if surface.minimum in (None, 0.0) else "loss above the minimum"
    return frame.table_text(
        (
            "",
            "loss reached",
            f"steps to {goal} ≤ {written(target)}",
            "to stay there",
            "distance to minimum",
            "diverged",
        ),
        rows,
    )


def against_limits(names: list[str], runs: list[Descent], facts: list[Explanation]) -> str:
    """Where each learning rate stands against the limit of its rule, drawn, as HTML."""
    looks = style.looks(r.optimizer.slug for r in runs)
    meters = [
        frame.meter(
            f"{frame.swatch(look)}{html.escape(name)}",
            fact.ratio,
            f"η = {written(r.hypers['lr'])}, limit {limit_formula(r.optimizer, r.options)} = "
            f"{written(fact.limit)}",
        )
        for name, look, r, fact in zip(names, looks, runs, facts, strict=True)
        if fact.ratio is not None and fact.limit is not None
    ]
    if not meters:
        return ""
    head = "<h2>Learning rate against the stability limit</h2>"
    return f"<div class='stability'>{head}{''.join(meters)}</div>"


def stability(runs: list[Descent], facts: list[Explanation]) -> str:
    """The same in words, as HTML; of runs that got away it is said under the picture."""
    looks = style.looks(r.optimizer.slug for r in runs)
    words = "".join(
        f"<li>{frame.swatch(look)}{html.escape(fact.sentence)}</li>"
        for look, fact in zip(looks, facts, strict=True)
        if fact.diverged_at is None
    )
    least, most = facts[0].eigenvalues[0]
    return (
        f"<div class='stability'><ul>{words}</ul><p>Curvature at the start: λ<sub>max</sub> = "
        f"{written(most)}, λ<sub>min</sub> = {written(least)}.</p></div>"
    )


def divergence(runs: list[Descent], facts: list[Explanation]) -> str:
    """Right under the picture: why a run left it, as HTML."""
    looks = style.looks(r.optimizer.slug for r in runs)
    return "".join(
        f"<p class='told'>{frame.swatch(look)}{html.escape(fact.sentence)}</p>"
        for look, fact in zip(looks, facts, strict=True)
        if fact.diverged_at is not None
    )
