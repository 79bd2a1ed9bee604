"""The engine's docstrings: their examples run, and a reference comes of them without a warning."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import engine
from docs import reference

SHOWN = ("landscape", "descend", "sweep", "optimizer")  # whoever calls the engine begins here


def test_examples_run() -> None:
    tried = 0
    for name in reference.modules():
        module = importlib.import_module(name)
        found = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
        assert found.failed == 0, name
        tried += found.attempted
    assert tried >= 15
    for entry in SHOWN:
        assert ">>> " in getattr(engine, entry).__doc__, entry


def test_the_reference_is_made_without_a_warning(tmp_path: Path) -> None:
    rooms = [name for name in reference.modules() if name.split(".")[1:2] in (["runs"], ["tape"])]
    reference.build(tmp_path, rooms)
    pages = {path.relative_to(tmp_path).with_suffix("").as_posix() for path in tmp_path.rglob("*")}
    assert {name.replace(".", "/") for name in rooms} <= pages
    text = (tmp_path / "engine" / "runs" / "descent.html").read_text(encoding="utf-8")
    assert "Run an optimizer on a landscape" in text
