"""The way to share a page: its link, the iframe that puts it into a course page, and what can be
taken along: a file that needs no server, pictures, films, the run in numbers.

Everything is read from the browser's address when the panel opens, so a rerun costs nothing and
the link is always the one of the state on the screen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import streamlit as st

from components import assets, wire
from components.files import FILE_BYTES, RUN_STEPS

_COMPONENT: Final = st.components.v2.component(
    "descent_lab.share", js=assets.loader("share/share.js"), isolate_styles=False
)


def share(key: str, *, title: str, names: Sequence[tuple[str, str, bool]] = ()) -> None:
    """A button that opens the link and the iframe snippet, each with a button to copy it.

    The key is `page.name`: the part before the first point names the page's store. `names` are
    what the frame can hide or lock: the name in the address, what it is called, and whether a
    frame shows it only where it is asked for.
    """
    page = key.partition(".")[0]
    most = {"bytes": FILE_BYTES, "steps": RUN_STEPS}
    _COMPONENT(
        key=key,
        data=wire.packed({"page": page, "title": title, "names": names, "most": most}),
    )
