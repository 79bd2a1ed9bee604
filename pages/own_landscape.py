"""A landscape of the reader's own from a file: a grid of numbers, or an image, light being high.

The file is read, turned into a formula and forgotten.
"""

from __future__ import annotations

import io
import json
from typing import Any, Final

import numpy as np
import streamlit as st
from PIL import Image

from engine.problems.grid import MOST_CELLS, Waves, waves_of
from pages.state import Experiment

KINDS: Final = ["csv", "txt", "json", "png", "jpg", "jpeg", "webp"]


def heights(name: str, content: bytes) -> Any:
    """The grid in a file; ValueError says why there is none."""
    if name.lower().endswith((".png", ".jpg", ".jpeg", ".webp")):
        try:
            with Image.open(io.BytesIO(content)) as image:
                if image.width * image.height > MOST_CELLS:
                    raise ValueError(f"an image may have {MOST_CELLS:,} pixels")
                return np.asarray(image.convert("L"), dtype=float)
        except (OSError, Image.DecompressionBombError):
            raise ValueError("this image cannot be read") from None
    try:
        text = content.decode("utf-8-sig")
        if text.lstrip().startswith("["):
            return np.asarray(json.loads(text), dtype=float)
        cut = next((sign for sign in ";\t," if sign in text), None)
        return np.loadtxt(io.StringIO(text), delimiter=cut, comments="#", ndmin=2)
    except (ValueError, TypeError, RecursionError):
        raise ValueError("its lines are not rows of as many numbers each") from None


def bring_landscape(x: Experiment, field: str, then: Any) -> None:
    """A place for such a file, where the landscape is a formula; `then` is called after it."""
    key = f"{x.page}.grid"

    def take() -> None:
        file = st.session_state[key]
        if file is None or x.locked(field):
            return
        try:
            found: Waves = waves_of(heights(file.name, file.getvalue()))
        except ValueError as error:
            st.session_state[f"{key}.said"] = f"**{file.name}**: {error}."
            return
        x.change({field: found.formula})
        then()
        st.session_state[f"{key}.said"] = (
            f"**{file.name}** as the sum of its largest waves, "
            f"which hold {found.share:.0%} of its ups and downs."
        )

    with st.expander("From a grid of numbers or an image", icon=":material/landscape:"):
        st.file_uploader(
            "CSV or JSON (the first row at the top), or an image, light high",
            type=KINDS, key=key, on_change=take, disabled=x.locked(field),
        )  # fmt: skip
        st.caption(st.session_state.get(f"{key}.said", "&nbsp;"))
