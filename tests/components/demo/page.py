"""Momentum on a bowl, by hand: eight tracks on a plane and on a chart, steered by controls."""

from __future__ import annotations

import numpy as np
import streamlit as st

from components.controls import Action, Choice, Group, Slider, Toggle, controls
from components.stage import Arrows, Boxes, Event, Handle, Panel, Raster, Track, stage
from components.store import store

COLORS = [
    "#1f5fa8|#7fb2f0", "#b3541e|#f0a070", "#2e7d4f|#7fd0a0", "#8a3f8f|#d59adb",
    "#8c6d1f|#d8bd6a", "#b02a4c|#f08aa4", "#3d7f8c|#86cbd8", "#5b5b5b|#b8b8b8",
]  # fmt: skip
MARKERS = ["circle", "square", "diamond", "triangle", "star", "cross", "x", "hexagon"]
DASHES = ["solid", "dash", "dot", "dashdot", "longdash", "solid", "dash", "dot"]
CONDITION = 12.0

st.set_page_config(layout="wide")
scene = st.query_params.get("scene", "race")
tracks = int(st.query_params.get("tracks", 8))
steps = int(st.query_params.get("steps", 599))
st.session_state.setdefault("start", (-1.6, 1.2))
st.session_state.setdefault("runs", 0)
st.session_state["runs"] += 1
st.session_state.setdefault("values", {
    "lr": 0.02, "beta": 0.9, "count": tracks, "arrows": True, "convention": "torch",
    **{f"g{i}.lr": 0.01 for i in range(1, 12)}, **{f"g{i}.beta": 0.9 for i in range(1, 12)},
})  # fmt: skip
st.session_state.setdefault("said", {"committed": None, "event": None, "action": None})
values = st.session_state["values"]
said = st.session_state["said"]


def on_values(moved: dict[str, object], committed: bool) -> None:
    values.update(moved)
    said["committed"] = committed


def on_event(event: Event) -> None:
    said["event"] = event
    if event.panel == "plane":
        st.session_state["start"] = (event.x, event.y)


def on_action(group: str, action: str) -> None:
    said["action"] = (group, action)


def run(lr: float, beta: float) -> np.ndarray:
    """(steps + 1, 2) points of heavy-ball momentum on (x² + κ y²) / 2."""
    path = np.empty((steps + 1, 2))
    w, v = np.array(st.session_state["start"]), np.zeros(2)
    curvature = np.array([1.0, CONDITION])
    for i in range(steps + 1):
        path[i] = w
        v = beta * v + curvature * w
        w = w - lr * v
    return path


left, right = st.columns([1, 3])
with left:
    if st.button("preset"):
        values["lr"] = 0.05
    if st.button("hide"):
        st.session_state["hidden"] = not st.session_state.get("hidden", False)
    wide = st.query_params.get("groups", "1") != "1"
    groups = [
        Group(
            id="shared",
            title="Momentum",
            color=COLORS[0],
            marker="circle",
            dash="solid",
            note="Heavy ball on a bowl.",
            actions=[Action(id="copy", label="Duplicate", icon="copy"),
                     Action(id="remove", label="Remove", icon="remove")],
            items=[
                Slider(name="lr", label="learning rate", symbol="η",
                       value=values["lr"],
                       minimum=1e-4, maximum=1.0, default=0.02, scale="log",
                       help="How far one step goes."),
                Slider(name="beta", label="momentum", symbol="β", value=values["beta"],
                       minimum=0.0, maximum=0.99, default=0.9),
                Slider(name="count", label="shown", value=values["count"], minimum=1,
                       maximum=8, integer=True),
                Toggle(name="arrows", label="gradient arrows",
                       value=values["arrows"]),
                Choice(name="convention", label="convention",
                       value=values["convention"],
                       options=[("torch", "PyTorch"), ("mean", "averaged")]),
            ],
        )
    ]  # fmt: skip
    if wide:
        groups += [
            Group(id=f"g{i}", title=f"Optimizer {i}", color=COLORS[i % 8], marker=MARKERS[i % 8],
                  dash=DASHES[i % 8], collapsed=i > 2,
                  items=[Slider(name=f"g{i}.lr", label="learning rate", symbol="η",
                                value=values[f"g{i}.lr"],
                                minimum=1e-5, maximum=1, default=0.01, scale="log"),
                         Slider(name=f"g{i}.beta", label="decay", symbol="β₁",
                                value=values[f"g{i}.beta"],
                                minimum=0.0, maximum=0.999, default=0.9)])
            for i in range(1, 12)
        ]  # fmt: skip
    controls("demo.controls", groups, max_height=640, on_action=on_action)

lr, beta = float(values["lr"]), float(values["beta"])
paths = [run(lr * (1 - 0.09 * k), beta) for k in range(int(values["count"]))]
grid_x, grid_y = np.linspace(-2, 2, 100), np.linspace(-1.5, 1.5, 100)
heights = 0.5 * (grid_x**2 + CONDITION * grid_y[:, None] ** 2)
losses = [0.5 * (p[:, 0] ** 2 + CONDITION * p[:, 1] ** 2) for p in paths]


def tracks_of(rows: list[dict[str, np.ndarray]], mode: str) -> list[Track]:
    return [
        Track(**row, color=COLORS[k], dash=DASHES[k], marker=MARKERS[k], label=f"run {k + 1}",
              mode=mode)
        for k, row in enumerate(rows)
    ]  # fmt: skip


contour = {
    "data": [{
        "type": "contour", "x": grid_x.astype(np.float32), "y": grid_y.astype(np.float32),
        "z": np.log10(heights + 0.01).astype(np.float32), "showscale": False,
        "contours": {"coloring": "lines"}, "ncontours": 14, "line": {"width": 1},
        "colorscale": [[0, "#9db7d5|#3d5570"], [1, "#d9d2c5|#5c5546"]], "hoverinfo": "skip",
    }],
    "layout": {"xaxis": {"range": [-2, 2], "title": {"text": "w₁"}},
               "yaxis": {"range": [-1.5, 1.5], "title": {"text": "w₂"}}},
}  # fmt: skip
chart = {
    "data": [],
    "layout": {"xaxis": {"range": [0, steps], "title": {"text": "step"}},
               "yaxis": {"type": "log", "range": [-12, 2], "title": {"text": "loss"},
                         "exponentformat": "power"}},
}  # fmt: skip
handle = Handle(id="start", x=st.session_state["start"][0], y=st.session_state["start"][1],
                label="start")  # fmt: skip
plane = Panel(
    id="plane", kind="plane", title="Paths", figure=contour, handles=[handle],
    tracks=tracks_of([{"x": p[:, 0], "y": p[:, 1]} for p in paths], "trail"),
    arrows=[Arrows(x=paths[0][:, 0], y=paths[0][:, 1], dx=-0.3 * paths[0][:, 0],
                   dy=-0.3 * CONDITION * paths[0][:, 1], label="−∇L")]
    if values["arrows"] else [],
    alt="Paths of momentum on a bowl",
)  # fmt: skip
loss = Panel(
    id="loss", kind="chart", title="Loss", figure=chart, cursor=True,
    tracks=tracks_of([{"y": y} for y in losses], "curve"), alt="Loss against step",
)  # fmt: skip

if st.session_state.get("hidden"):
    st.stop()
with right:
    if scene == "race":
        result = stage(
            "demo.stage", [plane, loss], frames=steps + 1, columns=[3, 2], height=460, autoplay=(
                st.query_params.get("autoplay") == "1"), report_cursor=True, alt="A race",
            seconds=float(st.query_params.get("seconds", 6)), on_event=on_event,
        )  # fmt: skip
    elif scene == "many":
        panels = [
            Panel(id=f"p{k}", figure=contour, title=f"run {k + 1}",
                  tracks=[Track(x=p[:, 0], y=p[:, 1], color=COLORS[k], marker=MARKERS[k],
                                dash=DASHES[k], label=f"run {k + 1}",
                                stop=40 if k == 3 else None)])
            for k, p in enumerate(paths)
        ]  # fmt: skip
        result = stage("demo.stage", panels, frames=steps + 1, columns=4, height=520)
    elif scene == "surface":
        surface = {
            "data": [{"type": "surface", "x": grid_x, "y": grid_y, "z": heights,
                      "colorscale": "Viridis", "showscale": False, "opacity": 0.9}],
            "layout": {},
        }  # fmt: skip
        lines = [{"x": p[:, 0], "y": p[:, 1], "z": y} for p, y in zip(paths, losses, strict=True)]
        result = stage(
            "demo.stage", [Panel(id="scene", kind="scene", figure=surface,
                            tracks=tracks_of(lines, "trail")), loss],
            frames=steps + 1, columns=[3, 2],
        )  # fmt: skip
    else:
        cells = 256
        u, v = np.linspace(-4, 0, cells), np.linspace(0, 0.99, cells)[:, None]
        field = np.hypot(u + 2 - 10 * (lr - 0.02), 4 * (v - 0.5))
        levels = np.clip(field / field.max() * 255, 0, 255)
        ramp = [f"hsl(210 {20 + i / 5}% {95 - i / 4}%)|hsl(210 {20 + i / 5}% {10 + i / 4}%)"
                for i in range(256)]  # fmt: skip
        panels = [
            Panel(
                id="map",
                rasters=[Raster(values=levels.astype(np.uint8), palette=ramp, x0=-4, x1=0, y0=0,
                                y1=0.99, readout={"loss": field})],
                figure={"data": [], "layout": {
                    "xaxis": {"type": "log", "range": [-4, 0], "title": {"text": "η"}},
                    "yaxis": {"range": [0, 0.99], "title": {"text": "β"}}}},
                handles=[Handle(id="at", x=lr, y=beta, label="here")],
            ),
            Panel(
                id="bars", kind="chart",
                figure={"data": [], "layout": {"xaxis": {"range": [-0.6, 2.6]},
                                               "yaxis": {"range": [0, 1]}}},
                boxes=[Boxes(x0=[[-0.4, 0.6, 1.6]], x1=[[0.4, 1.4, 2.4]], y0=[[0, 0, 0]],
                             y1=np.abs(np.sin(np.arange(60)[:, None] / 20 + np.arange(3))),
                             colors=COLORS[:3])],
                handles=[Handle(id="b0", x=0, y=0.5, axis="y", minimum=0, maximum=1, label="z₁")],
            ),
            Panel(
                id="curve", kind="chart",
                figure={"data": [{"x": np.linspace(-8, 8, 200), "type": "scatter",
                                  "y": 1 / (1 + np.exp(-np.linspace(-8, 8, 200))),
                                  "line": {"color": "#1f5fa8|#7fb2f0"}}],
                        "layout": {"xaxis": {"range": [-8, 8]}, "yaxis": {"range": [-0.1, 1.1]}}},
                handles=[Handle(id="z", x=1.0, y=0.0, axis="x", minimum=-6, maximum=6,
                                curve=(np.linspace(-8, 8, 200),
                                       1 / (1 + np.exp(-np.linspace(-8, 8, 200)))))],
            ),
        ]  # fmt: skip
        result = stage("demo.stage", panels, frames=60, height=380, on_event=on_event)
    st.caption(
        f"runs {st.session_state['runs']} · committed {said['committed']} · "
        f"lr {lr:.5g} · event {said['event']} · frame {result.frame} · action {said['action']}"
    )
store("demo", values, on_values=on_values)
