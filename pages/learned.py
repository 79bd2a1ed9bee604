"""What the networks of the training page learn, and the network itself, as its fields say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st

from engine.limits import NETWORK_NUMBERS
from engine.problems.data import (
    DATASETS,
    MEASURED,
    Split,
    Table,
    read_csv,
    split,
    table,
    with_points,
)
from engine.problems.networks import MLP
from pages import own_table
from pages.state import Experiment

PASTED = "pasted"  # the reader's own table
SETS = {name: name.replace("_", " ") for name in (*DATASETS, *MEASURED)} | {PASTED: "your table"}


@st.cache_data(max_entries=32, show_spinner=False)
def learned(
    data: str, pasted: str, n: int, noise: float, imbalance: float, standard: bool, seed: int
) -> Split:
    """The data of the page, half of them held back, in single precision as networks take them."""
    measured = data in MEASURED
    if data == PASTED:
        found: Table = read_csv(pasted)
    else:
        found = table(data, n, noise, seed)
    own_noise = noise if measured or data == PASTED else 0.0
    whole = split(
        found, seed=seed, imbalance=imbalance, noise=own_noise, standardise=standard or measured
    )
    x, test_x = (part.astype(np.float32).astype(float) for part in (whole.x, whole.test_x))
    return replace(whole, x=x, test_x=test_x)


def source(x: Experiment) -> tuple[str, str]:
    """The data set that a page's field says, and the reader's table where it is that: until there
    is one, the two moons."""
    if x["data"] != PASTED:
        return x["data"], ""
    pasted = own_table.of(x, "table")
    return (PASTED, pasted) if pasted else ("two_moons", "")


def current(x: Experiment) -> Split:
    """What the page's network learns, the reader's own points among it."""
    data, pasted = source(x)
    noise = x["noise"] if data in DATASETS else 0.0
    base = learned(data, pasted, x["n"], noise, x["imbalance"], x["standard"], x["seed"])
    own = np.array(x["own"][: len(x["own"]) // 3 * 3]).reshape(-1, 3)
    return with_points(base, own) if len(own) and base.features == 2 else base


def network(x: Experiment, data: Split, activation: str) -> MLP:
    """The network of the page; a smaller one where its data are wide."""
    width = x["width"]
    while True:
        sizes = (data.features, *[width] * x["depth"], data.outputs)
        made = MLP(sizes, activation)
        if made.size <= NETWORK_NUMBERS or width == 1:
            return made
        width -= 1
