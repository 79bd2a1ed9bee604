"""What Streamlit works out at every run although it stays the same, worked out once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streamlit import config
from streamlit.runtime import app_session

_POPULATE = "_populate_theme_msg"


def remember_theme() -> None:
    """Make the message that begins each run from themes that have been read once.

    Streamlit reads some two hundred settings for it, a tenth of a quick rerun. A Streamlit that
    makes its message otherwise is left as it is.
    """
    populate: Callable[..., None] | None = getattr(app_session, _POPULATE, None)
    if populate is None or hasattr(populate, "own"):
        return
    made: dict[str, Any] = {}

    def remembered(message: Any, section: str = "theme") -> None:
        if section not in made:
            fresh = type(message)()
            populate(fresh, section)
            made[section] = fresh
        message.MergeFrom(made[section])

    remembered.own = populate  # type: ignore[attr-defined]
    setattr(app_session, _POPULATE, remembered)
    config.on_config_parsed(made.clear)
