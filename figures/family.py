"""The map of the family as SVG: who becomes whom, simple rules on the left, general on the right.

The layout follows from the relations alone, so a new optimizer or relation draws itself.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from engine.optimizers import OPTIMIZERS
from engine.studies.family import Relation
from figures import style

COLUMN: Final = 265  # distance of two columns
ROW: Final = 50  # distance of two rows, at least
BOX: Final = (150, 24)  # a name's box
_SWEEPS: Final = 4  # passes that put each name at the height of those it is linked to


@dataclass(frozen=True, slots=True)
class Place:
    """Where a name stands: the left end of its box, the box's middle."""

    x: float
    y: float


def levels(slugs: Sequence[str], relations: Sequence[Relation]) -> dict[str, int]:
    """How far each rule is from the simplest that it can become; 0 where it becomes none."""
    below = {s: {r.special for r in relations if r.general == s} for s in slugs}
    found: dict[str, int] = {}

    def level(slug: str) -> int:
        if slug not in found:
            found[slug] = 1 + max((level(other) for other in below[slug]), default=-1)
        return found[slug]

    for slug in slugs:
        level(slug)
    return found


def layout(slugs: Sequence[str], relations: Sequence[Relation]) -> tuple[dict[str, Place], int]:
    """A place for every name, and the height of the whole."""
    level = levels(slugs, relations)
    columns = [[s for s in slugs if level[s] == i] for i in range(max(level.values()) + 1)]
    linked: dict[str, list[str]] = {s: [] for s in slugs}
    for r in relations:
        linked[r.general].append(r.special)
        linked[r.special].append(r.general)
    height = ROW * max(map(len, columns))
    at: dict[str, float] = {}

    def spread(column: list[str]) -> None:
        gap = height / len(column)
        at.update({slug: gap * (i + 0.5) for i, slug in enumerate(column)})

    for column in columns:
        spread(column)
    for _ in range(_SWEEPS):
        for column in (*columns, *reversed(columns)):
            # Who is linked to nobody goes to the bottom.
            column.sort(
                key=lambda s: (
                    sum(at[o] for o in linked[s]) / len(linked[s]) if linked[s] else height
                )
            )
            spread(column)
    return {s: Place(COLUMN * level[s] + 12.0, at[s]) for s in slugs}, height


def family_map(
    relations: Sequence[Relation], link: Callable[[Relation], str], *, dimmed: Sequence[str] = ()
) -> str:
    """The map as an SVG text; each edge is a link. dimmed names fade into the background."""
    slugs = list(OPTIMIZERS)
    places, height = layout(slugs, relations)
    width = max(p.x for p in places.values()) + BOX[0] + 100
    edges = "".join(_edge(r, places, link(r), dimmed) for r in relations)
    captions = _captions(relations, places, link, dimmed)
    names = "".join(_name(slug, places[slug], slug in dimmed) for slug in slugs)
    return (
        f"<svg viewBox='0 0 {width:.0f} {height:.0f}' width='{width:.0f}' height='{height:.0f}' "
        "class='family' role='group' aria-label='Which optimizer becomes which, and when'>"
        "<defs><marker id='family-tip' viewBox='0 0 8 8' refX='7' refY='4' markerWidth='7' "
        "markerHeight='7' orient='auto'><path d='M0 0.5L8 4L0 7.5Z' fill='currentColor'/></marker>"
        f"</defs>{edges}{names}{captions}</svg>"
    )


def _edge(relation: Relation, places: Mapping[str, Place], href: str, dimmed: Sequence[str]) -> str:
    start, end = places[relation.general], places[relation.special]
    x0, x1 = start.x - 3, end.x + BOX[0] + 4
    bend = max((x0 - x1) * 0.5, 30)
    curve = (
        f"M{x0:.0f} {start.y:.0f}C{x0 - bend:.0f} {start.y:.0f} {x1 + bend:.0f} {end.y:.0f} "
        f"{x1:.0f} {end.y:.0f}"
    )
    faded = " dim" if {relation.general, relation.special} & set(dimmed) else ""
    limit = "" if relation.exact else " limit"
    said = html.escape(sentence(relation))
    return (
        f"<a href='{html.escape(href)}' target='_self' class='edge{faded}{limit}' "
        f"aria-label='{said}'><title>{said}</title>"
        f"<path d='{curve}' class='reach'/>"
        f"<path d='{curve}' class='line' marker-end='url(#family-tip)'/></a>"
    )


def sentence(relation: Relation) -> str:
    """The relation in words."""
    verb = "becomes" if relation.exact else "comes close to"
    general, special = (OPTIMIZERS[s].name for s in (relation.general, relation.special))
    return f"{general} {verb} {special}: {relation.under}. See them race."


def _captions(
    relations: Sequence[Relation],
    places: Mapping[str, Place],
    link: Callable[[Relation], str],
    dimmed: Sequence[str],
) -> str:
    """Under each name the settings at which it becomes another, each a link as well."""
    out = []
    rows: dict[str, int] = {}
    for relation in relations:
        row = rows[relation.general] = rows.get(relation.general, -1) + 1
        place = places[relation.general]
        special = OPTIMIZERS[relation.special].name
        several = sum(r.general == relation.general for r in relations) > 1
        text = relation.under + (f" → {special}" if several else "")
        faded = " class='dim'" if relation.general in dimmed else ""
        out.append(
            f"<a href='{html.escape(link(relation))}' target='_self' tabindex='-1' "
            f"aria-hidden='true'{faded}><text x='{place.x + 2:.0f}' "
            f"y='{place.y + BOX[1] / 2 + 11 + 11 * row:.0f}' class='under'>"
            f"{html.escape(text)}</text></a>"
        )
    return "".join(out)


def _name(slug: str, place: Place, faded: bool) -> str:
    look = style.look(slug)
    top = place.y - BOX[1] / 2
    colors = f"color:light-dark({look.color_light},{look.color_dark})"
    return (
        f"<rect x='{place.x:.0f}' y='{top:.0f}' width='{BOX[0]}' height='{BOX[1]}' rx='5' "
        f"class='back'/><g{' class=dim' if faded else ''}><rect x='{place.x:.0f}' y='{top:.0f}' "
        f"width='{BOX[0]}' height='{BOX[1]}' rx='5' class='box'/>"
        f"<rect x='{place.x:.0f}' y='{top:.0f}' width='4' height='{BOX[1]}' rx='2' "
        f"fill='currentColor' style='{colors}'/>"
        f"<text x='{place.x + 12:.0f}' y='{place.y + 4.5:.0f}' class='name'>"
        f"{html.escape(OPTIMIZERS[slug].name)}</text></g>"
    )


STYLE: Final = """
<style>
svg.family { display: block; max-width: none; }
svg.family .back { fill: var(--st-background-color, Canvas); }
svg.family .box { fill: color-mix(in srgb, currentColor 5%, transparent);
                  stroke: color-mix(in srgb, currentColor 26%, transparent); }
svg.family .name { font-size: 13px; fill: currentColor; }
svg.family .under { font-size: 10.5px; fill: currentColor; opacity: 0.78; }
svg.family a, svg.family a:visited { color: inherit; text-decoration: none; cursor: pointer; }
svg.family .line { fill: none; stroke: currentColor; stroke-width: 1.3; opacity: 0.5; }
svg.family .limit .line { stroke-dasharray: 5 4; }
svg.family .reach { fill: none; stroke: transparent; stroke-width: 11; }
svg.family a:is(:hover, :focus-visible) .line { stroke-width: 2.6; opacity: 1; }
svg.family a:hover .under { opacity: 1; text-decoration: underline; }
svg.family .dim { opacity: 0.25; }
</style>
"""
