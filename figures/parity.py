"""The picture of agreement: a dot for each rule, convention and reference, from rounding to the
tolerance, coloured by reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, log10
from typing import Any, Final

from engine.emit.picture import written
from engine.optimizers import OPTIMIZERS
from engine.studies.parity import ROUNDING, TOLERANCE, Agreement
from figures import charts, style

Figure = dict[str, Any]

# A colour and a marker a reference, in the order in which they are first met.
_SYMBOLS: Final = ("circle", "square", "diamond", "triangle-up", "cross", "x", "hexagon")


def marks_of(references: Sequence[str]) -> Mapping[str, tuple[str, str]]:
    """Colour and marker of each reference."""
    return {
        name: (charts.class_color(i), _SYMBOLS[i % len(_SYMBOLS)])
        for i, name in enumerate(references)
    }


def dots(rows: Sequence[Agreement], references: Sequence[str]) -> Figure:
    """Largest relative error of each row against its optimizer, both as the rows come.

    references are all that there are, so that a colour stays where some are left out.
    """
    slugs = list(dict.fromkeys(row.optimizer for row in rows))
    place = {slug: i for i, slug in enumerate(slugs)}
    layout = charts.axes(
        (ROUNDING / 2, 4 * TOLERANCE), (len(slugs) - 0.4, -1.6), log_x=True, bottom=40,
        x_title="largest relative error along the path",
    )  # fmt: skip
    layout["xaxis"]["dtick"] = 1
    layout["margin"]["t"] = 24
    for power in range(ceil(log10(ROUNDING)), ceil(log10(4 * TOLERANCE))):
        # The axis once more above: among so many rows its own is far away.
        layout["annotations"].append(
            {
                "x": power, "yref": "paper", "y": 1, "yanchor": "bottom", "showarrow": False,
                "text": f"10<sup>−{-power}</sup>", "font": {"size": 11, "color": style.MUTED},
            }
        )  # fmt: skip
    charts.name_rows(layout, [OPTIMIZERS[slug].name for slug in slugs])
    charts.upright(layout, ROUNDING, "rounding")
    charts.upright(layout, TOLERANCE, "the tests allow", color=style.LIMIT)
    data = []
    for name, (color, symbol) in marks_of(references).items():
        own = [row for row in rows if row.reference == name]
        if not own:
            continue
        trace = charts.marks(
            [row.shown_error for row in own], [place[row.optimizer] for row in own], color,
            symbol=symbol, size=8,
        )  # fmt: skip
        trace |= {
            "name": name,
            "opacity": 0.85,
            "text": [
                f"{OPTIMIZERS[row.optimizer].name}<br>{row.spelled or 'its one form'}<br>"
                f"{name}: {row.call}<br>{written(row.largest_relative_error, '.1e')}"
                for row in own
            ],
            "hovertemplate": "%{text}<extra></extra>",
        }
        data.append(trace)
    return {"data": data, "layout": layout}
