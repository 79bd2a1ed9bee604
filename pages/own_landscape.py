"""A landscape of the reader's own from a file: a grid of numbers, or an image, light being high."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from components.grid_file import grid_file
from engine.emit.picture import written
from engine.problems.grid import waves_of
from pages.state import Experiment


def bring_landscape(x: Experiment, field: str, then: Callable[[], None]) -> None:
    """A place for such a file, where the landscape is a formula; `then` is called after it."""
    key = f"{x.page}.grid"
    said = f"{key}.said"

    def take(name: str, heights: Any) -> None:
        try:
            found = waves_of(heights)
        except ValueError as error:
            st.session_state[said] = f"{name}: {error}."
            return
        x.change({field: found.formula})
        then()
        st.session_state[said] = (
            f"{name} as the sum of its largest waves: they hold "
            f"{written(found.share, '.0%')} of its ups and downs."
        )

    with st.expander("From a grid of numbers or an image", icon=":material/landscape:", width=330):
        grid_file(key, said=st.session_state.get(said, ""), locked=x.locked(field), take=take)
