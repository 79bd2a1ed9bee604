"""The picture of a computational graph: what stands at nodes and edges, and what sweeps cost."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from engine.derivatives.graph import Graph, NamedFormulas, dotted, spoken
from engine.emit.picture import words
from figures import charts, style

Array = npt.NDArray[np.float64]
Mode = Literal["reverse", "forward"]

COLORS: dict[Mode, str] = {"reverse": style.CORRECTION, "forward": charts.color("green")}
LONGEST = 17  # characters of a node's first line


def picture(
    graph: Graph,
    program: NamedFormulas,
    mode: Mode,
    output: str,
    ranges: dict[str, tuple[float, float]],
    entries: Sequence[str],
    *,
    locked: bool = False,
) -> dict[str, Any]:
    """The graph with the sweep of a mode written at its nodes. ValueError where it is too large.

    output is the one that reverse mode starts at, ranges the limits between which each input, by
    its name, may be dragged, entries the inputs' names in the page's store.
    """
    if graph.layout is None:
        raise ValueError(f"{len(graph.nodes)} nodes are too many to be drawn")
    layout = graph.layout
    inputs = iter(zip(program.inputs, entries, strict=True))
    nodes = []
    for node, (x, y) in zip(graph.nodes, layout.places, strict=True):
        slug, entry = next(inputs) if node.is_input else (node.name, None)
        title = f"{node.name} = {node.expression}" if node.expression else node.name
        plain = words("{:t}" if node.logical else "{:5}", node.value)
        if node.logical:
            swept: Any = ("", "")
        elif mode == "reverse":
            swept = (plain, words(f"∂{spoken(output)}/∂{node.name} {{:5}}", node.adjoint))
        else:
            pair = words("({:4}, {:4})", node.value, node.tangent)
            swept = (pair, f"({node.name}, {dotted(node.name)})")
        nodes.append(
            {
                "name": slug,
                "title": title if len(title) <= LONGEST else f"{title[: LONGEST - 1]}…",
                "x": x,
                "y": y,
                "value": plain,
                "swept": list(swept),
                "say": node.evaluated,
                "rule": node.adjoint_rule if mode == "reverse" else node.tangent_rule,
                "range": list(ranges[slug]) if node.is_input else None,
                "entry": entry,
                "number": node.value if node.is_input else None,
                "locked": locked,
            }
        )
    edges = [
        {
            "source": edge.source,
            "target": edge.target,
            "derivative": None if edge.derivative is None else words("{:5}", edge.derivative),
            "points": [layout.places[edge.source], *route, layout.places[edge.target]],
        }
        for edge, route in zip(graph.edges, layout.routes, strict=True)
    ]
    return {
        "nodes": nodes,
        "edges": edges,
        "outputs": list(graph.outputs),
        "answers": _answers(graph, program, mode, output),
        "layers": layout.layers,
        "rows": layout.rows,
        "mode": mode,
        "color": COLORS[mode],
        "begin": "The inputs are given. Step forward: each node follows from those before it.",
    }


def practice(
    drawn: dict[str, Any],
    edges: Collection[int],
    nodes: Mapping[int, Any],
    asked: tuple[int | None, int],
) -> dict[str, Any]:
    """The picture with its derivatives left out but for those that have been found.

    `edges` are the places of edges whose local derivative is shown, `nodes` what is written under
    a node; the one that is asked for, (edge or None, node), bears a question mark.
    """
    edge, node = asked
    return {
        **drawn,
        "mode": "forward",
        "edges": [
            {**one, "derivative": one["derivative"] if k in edges else "?" if k == edge else " "}
            for k, one in enumerate(drawn["edges"])
        ],
        "nodes": [
            {
                **one, "rule": "",
                "swept": [one["value"], nodes.get(i, "?" if edge is None and i == node else "")],
            }
            for i, one in enumerate(drawn["nodes"])
        ],
        "answers": [one for one in drawn["answers"] if not one["derivative"]],
    }  # fmt: skip


def _answers(graph: Graph, program: NamedFormulas, mode: Mode, output: str) -> list[dict[str, Any]]:
    """What the sweep finds: each with its node and whether it is its value or its derivative."""
    nodes = graph.nodes
    found: list[dict[str, Any]] = [
        {"node": i, "derivative": False, "name": nodes[i].name, "text": words("{:5}", node.value)}
        for i, node in ((i, nodes[i]) for i in graph.outputs)
    ]
    if mode == "reverse":
        derivatives = [
            (i, f"∂{spoken(output)}/∂{node.name}", node.adjoint)
            for i, node in enumerate(nodes[: len(program.inputs)])
        ]
    else:
        derivatives = [(i, dotted(nodes[i].name), nodes[i].tangent) for i in graph.outputs]
    return found + [
        {"node": i, "derivative": True, "name": name, "text": words("{:5}", value)}
        for i, name, value in derivatives
    ]


def costs(inputs: Sequence[int], forward: Array, reverse: Array, here: int) -> dict[str, Any]:
    """Products of a whole gradient against the number of inputs, both modes, on log axes."""
    top = float(forward[-1])
    layout = charts.axes(
        (float(inputs[0]) * 0.9, float(inputs[-1]) * 1.1),
        (float(reverse[0]) * 0.7, top * 2.0),
        x_title="inputs n",
        y_title="multiplications",
        log_x=True,
        log_y=True,
        left=52,
    )
    lines = [
        charts.line(inputs, forward, COLORS["forward"], dash="dash", name="forward mode"),
        charts.line(inputs, reverse, COLORS["reverse"], name="reverse mode"),
    ]
    for name, curve, k, shift in (
        ("forward mode, n passes", forward, 4, 14),
        ("reverse mode, 1 pass", reverse, 4, -14),
    ):
        color = lines[0 if curve is forward else 1]["line"]["color"]
        anchor = "right" if shift > 0 else "left"
        charts.note(layout, inputs[k], float(curve[k]), name, color=color, anchor=anchor)
        layout["annotations"][-1]["yshift"] = shift
    charts.upright(layout, here, f"here n = {here}")
    return {"data": lines, "layout": layout}
