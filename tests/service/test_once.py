"""What is worked out once is what Streamlit works out each time."""

from __future__ import annotations

import pytest
from streamlit.proto.NewSession_pb2 import CustomThemeConfig
from streamlit.runtime import app_session

from service import once


def test_the_remembered_theme_is_streamlits_own(monkeypatch: pytest.MonkeyPatch) -> None:
    now = app_session._populate_theme_msg  # remembered already, where the app has been imported
    own = getattr(now, "own", now)
    monkeypatch.setattr(app_session, "_populate_theme_msg", own)
    sections = ("theme", "theme.light", "theme.dark", "theme.light.sidebar")
    wanted = {}
    for section in sections:
        own(message := CustomThemeConfig(), section)
        wanted[section] = message
    once.remember_theme()
    assert app_session._populate_theme_msg is not own
    for section in sections * 2:
        app_session._populate_theme_msg(message := CustomThemeConfig(), section)
        assert message == wanted[section]


def test_another_streamlit_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(app_session, "_populate_theme_msg")
    once.remember_theme()
    assert not hasattr(app_session, "_populate_theme_msg")
