"""The family as SVG: the tree by year, and the map of who becomes whom.

Both layouts follow from the lists alone, so a new optimizer, heir or relation draws itself.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.emit.picture import written
from engine.optimizers import OPTIMIZERS
from engine.runs.descent import Descent
from engine.studies.family import Heir, Relation, origin
from figures import style

# The tree: where a year stands, crowded as the years are.
_YEARS: Final = (1740.0, 1951.0, 1964.0, 1983.0, 2011.0, 2024.0)
_AT: Final = (24.0, 84.0, 140.0, 204.0, 272.0, 720.0)
TREE_ROW: Final = 25  # height of a row of the tree
TREE_ROW_FRAMED: Final = 15  # of one that has to stand in a frame whole
TREE_WIDTH: Final = 1110
_HEAD: Final = 34  # above the first row, the years
_LATER: Final = 16  # a child stands at least so far right of its parent
_THUMB: Final = 150  # side of the small running picture

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
        f"class='family' role='group' aria-label='{_count(slugs, dimmed)}: which becomes which, "
        "and when'>"
        "<defs><marker id='family-tip' viewBox='0 0 8 8' refX='7' refY='4' markerWidth='7' "
        "markerHeight='7' orient='auto'><path d='M0 0.5L8 4L0 7.5Z' fill='currentColor'/></marker>"
        f"</defs>{edges}{names}{captions}</svg>"
    )


def _count(slugs: Collection[str], dimmed: Collection[str]) -> str:
    lit = len(slugs) - len(set(dimmed) & set(slugs))
    return f"{len(slugs)} optimizers" + (f", {lit} of them lit" if dimmed else "")


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


# The tree -----------------------------------------------------------------------------------------


def year_at(year: float) -> float:
    """Where a year stands, in pixels."""
    last = (_AT[-1] - _AT[-2]) / (_YEARS[-1] - _YEARS[-2])
    beyond = max(year - _YEARS[-1], 0.0) * last
    return float(np.interp(year, _YEARS, _AT)) + beyond


def tree_layout(
    slugs: Sequence[str], heirs: Sequence[Heir], row: int = TREE_ROW
) -> dict[str, Place]:
    """A row for every name, children below their parents, by year; a place's y is its middle."""
    parents = {h.child: h.parent for h in heirs if h.child in slugs and h.parent in slugs}
    places: dict[str, Place] = {}

    def grow(slug: str) -> None:
        x = year_at(origin(slug))
        if slug in parents:
            x = max(x, places[parents[slug]].x + _LATER)
        places[slug] = Place(x, _HEAD + row * (len(places) + 0.5))
        for child in sorted((s for s in slugs if parents.get(s) == slug), key=origin):
            grow(child)

    for root in sorted((s for s in slugs if s not in parents), key=origin):
        grow(root)
    return places


def family_tree(
    heirs: Sequence[Heir],
    runs: Mapping[str, Descent],
    link: Callable[[str], str],
    *,
    dimmed: Sequence[str] = (),
    row: int = TREE_ROW,
) -> str:
    """The tree as an SVG text: a row a rule, at its year, with what it changed in its parent.

    runs are shown small, running, while a rule is pointed at; link(slug) is where it leads.
    """
    slugs = list(OPTIMIZERS)
    places = tree_layout(slugs, heirs, row)
    heir = {h.child: h for h in heirs if h.child in places and h.parent in places}
    height = _HEAD + row * len(slugs) + 8
    years = "".join(
        f"<g class='year'><path d='M{year_at(y):.0f} 20V{height - 8}'/>"
        f"<text x='{year_at(y):.0f}' y='13'>{y}</text></g>"
        for y in (1740, 1951, 1964, 1983, 2011, 2015, 2018, 2021, 2024)
    )
    edges = "".join(_branch(places[h.parent], places[h.child]) for h in heir.values())
    corner = Place(92.0, height - 8.0 - row - _THUMB)
    nodes = "".join(
        _node(slug, places[slug], heir.get(slug), link(slug), _running(runs[slug], slug, corner),
              slug in dimmed, row)
        for slug in places
    )  # fmt: skip
    return (
        f"<svg viewBox='0 0 {TREE_WIDTH} {height}' width='{TREE_WIDTH}' height='{height}' "
        f"class='family tree' role='group' aria-label='{_count(places, dimmed)} by year, each "
        f"below the rule that it was made from'>{years}<g class='edges'>{edges}</g>"
        f"{nodes}</svg>"
    )


def _branch(parent: Place, child: Place) -> str:
    return (
        f"<path d='M{parent.x:.0f} {parent.y + 5:.0f}V{child.y - 6:.0f}"
        f"q0 6 6 6H{child.x - 5:.0f}'/>"
    )


def _node(
    slug: str, place: Place, heir: Heir | None, href: str, thumb: str, faded: bool, row: int
) -> str:
    entry, look = OPTIMIZERS[slug], style.look(slug)
    color = f"color:light-dark({look.color_light},{look.color_dark})"
    change = "" if heir is None else heir.change
    said = f"{entry.name}, {origin(slug)}" + (
        f": {OPTIMIZERS[heir.parent].name}, but {heir.change}. See them race." if heir else ""
    )
    return (
        f"<g class='node{' dim' if faded else ''}'><a href='{html.escape(href)}' target='_self' "
        f"aria-label='{html.escape(said)}'>"
        f"<rect x='{place.x - 8:.0f}' y='{place.y - row / 2:.0f}' width='380' "
        f"height='{row}' class='reach'/>"
        f"<circle cx='{place.x:.0f}' cy='{place.y:.0f}' r='4.5' style='{color}' "
        "fill='currentColor'/>"
        f"<text x='{place.x + 11:.0f}' y='{place.y + 4.5:.0f}' class='name'>"
        f"{html.escape(entry.name)}<tspan dx='8' class='under'>{html.escape(change)}</tspan>"
        f"</text></a>{thumb}</g>"
    )


def _running(run: Descent, slug: str, corner: Place) -> str:
    """The small picture: two level lines of the bowl and the path, which draws itself."""
    window = 1.12 * float(np.abs(np.asarray(run.path[0])).max())
    scale = _THUMB / (2 * window)

    def spot(point: Sequence[float]) -> str:
        x, y = (float(np.clip(v, -window, window)) for v in point)
        across, down = corner.x + (x + window) * scale, corner.y + (window - y) * scale
        return f"{round(across, 1)} {round(down, 1)}"

    look = style.look(slug)
    color = f"color:light-dark({look.color_light},{look.color_dark})"
    surface = run.landscape.arguments
    middle_x, middle_y = corner.x + _THUMB / 2, corner.y + _THUMB / 2
    rings = "".join(
        f"<ellipse cx='{middle_x}' cy='{middle_y}' rx='{r * _THUMB:.0f}' "
        f"ry='{r * _THUMB / surface['condition'] ** 0.5:.0f}' "
        f"transform='rotate({-surface['rotation']:g} {middle_x} {middle_y})'/>"
        for r in (0.2, 0.45)
    )
    path = "M" + "L".join(spot(point) for point in run.path[: run.last + 1])
    return (
        f"<g class='thumb'><rect x='{corner.x}' y='{corner.y}' width='{_THUMB}' "
        f"height='{_THUMB}' rx='6' class='back'/>{rings}<path d='{path}' pathLength='1' "
        f"class='run' style='{color}'/><text x='{corner.x + 6}' y='{corner.y + 14}' "
        f"class='under'>{html.escape(OPTIMIZERS[slug].name)}, η {written(run.hypers['lr'])}"
        "</text></g>"
    )


STYLE: Final = """
<style>
svg.tree { height: auto; }
svg.tree .year path { stroke: currentColor; opacity: 0.09; }
svg.tree .year text { font-size: 11px; fill: currentColor; opacity: 0.65; text-anchor: middle; }
svg.tree .edges { fill: none; stroke: currentColor; stroke-width: 1.2; opacity: 0.35; }
svg.tree .name { font-weight: 500; }
svg.tree .name .under { font-weight: 400; font-size: 11.5px; }
svg.tree rect.reach { fill: transparent; stroke: none; }
svg.tree a:is(:hover, :focus-visible) .name { text-decoration: underline; }
svg.tree .thumb { display: none; pointer-events: none; }
svg.tree .node:is(:hover, :focus-within) .thumb { display: block; }
svg.tree .thumb ellipse { fill: none; stroke: currentColor; opacity: 0.2; }
svg.tree .thumb .run { fill: none; stroke: currentColor; stroke-width: 2; stroke-linejoin: round;
  stroke-dasharray: 1; animation: family-run 1.8s linear; }
@keyframes family-run { from { stroke-dashoffset: 1; } to { stroke-dashoffset: 0; } }
@media (prefers-reduced-motion: reduce) { svg.tree .thumb .run { animation: none; } }
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
