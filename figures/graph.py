"""The picture of a computational graph: what stands at nodes and edges, and what sweeps cost."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from engine.derivatives.graph import Graph, Program, show, spoken
from figures import charts, style

Array = npt.NDArray[np.float64]
Mode = Literal["reverse", "forward"]

COLORS: dict[Mode, str] = {"reverse": style.CORRECTION, "forward": charts.color("green")}
LONGEST = 17  # characters of a node's first line


def picture(
    graph: Graph,
    program: Program,
    mode: Mode,
    ranges: dict[str, tuple[float, float]],
    locked: Collection[str] = (),
) -> dict[str, Any]:
    """The graph with both sweeps written at its nodes. Raises ValueError where it is too large.

    ranges are the limits between which each input, by its name, may be dragged.
    """
    if graph.layout is None:
        raise ValueError(f"{len(graph.nodes)} nodes are too many to be drawn")
    layout = graph.layout
    output = spoken(program.output)
    inputs = iter(program.inputs)
    nodes = []
    for node, (x, y) in zip(graph.nodes, layout.places, strict=True):
        slug = next(inputs) if node.is_input else node.name
        title = f"{node.name} = {node.expression}" if node.expression else node.name
        numeric = node.value is not None
        nodes.append(
            {
                "id": slug,
                "name": slug,
                "title": title if len(title) <= LONGEST else f"{title[: LONGEST - 1]}…",
                "x": x,
                "y": y,
                "value": node.text,
                "raw": node.value,
                "reverse": f"∂{output}/∂{node.name} {show(node.adjoint)}" if numeric else "",
                "forward": f"{node.name}̇ {show(node.tangent)}" if numeric else "",
                "say": node.evaluated,
                "tangentRule": node.tangent_rule,
                "adjointRule": node.adjoint_rule,
                "range": list(ranges[slug]) if node.is_input else None,
                "locked": slug in locked,
            }
        )
    edges = [
        {
            "source": edge.source,
            "target": edge.target,
            "derivative": None if edge.derivative is None else show(edge.derivative),
            "points": [layout.places[edge.source], *route, layout.places[edge.target]],
        }
        for edge, route in zip(graph.edges, layout.routes, strict=True)
    ]
    return {
        "nodes": nodes,
        "edges": edges,
        "layers": layout.layers,
        "rows": layout.rows,
        "mode": mode,
        "color": COLORS[mode],
        "begin": "The inputs are given. Step forward: each node follows from those before it.",
    }


def costs(inputs: Sequence[int], forward: Array, reverse: Array, here: int) -> dict[str, Any]:
    """Products of a whole gradient against the number of inputs, both modes, on log axes."""
    layout = charts.axes(
        (float(inputs[0]), float(inputs[-1])),
        (float(reverse[0]), float(forward[-1])),
        x_title="inputs n",
        y_title="products",
        log_x=True,
        log_y=True,
    )
    lines = [
        charts.line(inputs, forward, COLORS["forward"], dash="dash", name="forward mode"),
        charts.line(inputs, reverse, COLORS["reverse"], name="reverse mode"),
    ]
    charts.upright(layout, here)
    return {"data": lines, "layout": layout}
