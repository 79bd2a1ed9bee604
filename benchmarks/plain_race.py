"""The same race the plain way: a native slider and a Plotly chart with animation frames.

`benchmarks.interaction` measures it beside the app, to show what the stage is for.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import streamlit as st

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import engine

RUNNERS = st.query_params["runners"].split(",")
STEPS = int(st.query_params["steps"])
FRAMES = 60  # one in ten steps of 600: with all of them a change takes many seconds

st.set_page_config(layout="wide")
lr = st.slider("lr", 0.001, 0.03, 0.01, 0.0001, format="%.4f")
bowl = engine.LANDSCAPES["bowl"]
paths = [engine.descend(bowl, slug, bowl.start, STEPS, {"lr": lr}).path for slug in RUNNERS]
(x0, x1), (y0, y1) = bowl.window
x, y = np.linspace(x0, x1, 121), np.linspace(y0, y1, 97)
contour = go.Contour(x=x, y=y, z=np.log10(bowl.value(np.stack(np.meshgrid(x, y), -1)) + 0.1))


def trails(last: int) -> list[go.Scatter]:
    """Every path up to step `last`."""
    return [
        go.Scatter(x=path[: last + 1, 0], y=path[: last + 1, 1], mode="lines", name=slug)
        for slug, path in zip(RUNNERS, paths, strict=True)
    ]


ends = [round(end) for end in np.linspace(0, STEPS, FRAMES)]
figure = go.Figure(
    data=[contour, *trails(STEPS)],
    frames=[
        go.Frame(data=trails(end), traces=list(range(1, len(RUNNERS) + 1)), name=str(end))
        for end in ends
    ],
    layout={
        "title": {"text": f"lr {lr:.4f}"},  # tells a reader, and the benchmark, what is shown
        "xaxis": {"range": [x0, x1]},
        "yaxis": {"range": [y0, y1]},
        "updatemenus": [{"type": "buttons", "buttons": [{"label": "Play", "method": "animate"}]}],
    },
)
st.plotly_chart(figure)
