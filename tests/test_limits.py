"""All limits are stated in one table, and no page keeps answers without bound."""

from __future__ import annotations

import ast
import re

from components import files, gate
from docs.limits import ROOT, caches, every
from engine import limits


def test_the_table_has_every_limit_with_its_value() -> None:
    stated = {(limit.file, limit.name): limit for limit in every()}
    rooms = {"engine/limits.py": limits, "components/gate.py": gate, "components/files.py": files}
    for file, module in rooms.items():
        names = [name for name in vars(module) if name.isupper() and not name.startswith("_")]
        names = [name for name in names if name != "TYPE_CHECKING"]
        assert len(names) > 2
        for name in names:
            limit = stated[file, name]
            assert ast.literal_eval(limit.value) == getattr(module, name)
            assert limit.meaning, name


def test_every_cache_of_a_page_is_bounded() -> None:
    found = list(caches())
    assert len(found) > 10
    assert [limit.name for limit in found if not limit.value.isdigit()] == []


def test_limits_of_files_are_stated_nowhere_else() -> None:
    web = ROOT / "components" / "web"
    for path in sorted(web.rglob("*.js")):
        assert not re.search(r"\b20e6\b|\b20_?000_?000\b|MOST_BYTES", path.read_text("utf-8")), path
