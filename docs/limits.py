"""Every limit of the service in one table, read from where it is enforced: `python -m docs.limits`.

What work, requests, files and compile jobs may take, and how much each cache of a page keeps in a
process.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
# Modules whose constants are limits, those in capitals that begin so; Streamlit's own settings.
STATED: Final = {
    "engine/limits.py": "",
    "components/gate.py": "",
    "components/files.py": "",
    "components/store.py": "MOST_",
    "engine/problems/data.py": "CSV_",
    "pages/state.py": "MAX_",
    "pages/course.py": "MOST_",
}
SETTINGS: Final = r"^(max\w+|disconnectedSessionTTL) = (\w+)$"
CACHES: Final = ("cache_data", "cache_resource")


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit: the file that enforces it, its name, its value as it is written, what it is for."""

    file: str
    name: str
    value: str
    meaning: str


def constants(file: str, begin: str = "") -> Iterator[Limit]:
    """The constants in capitals of a module, with the comment or the words that explain them."""
    source = (ROOT / file).read_text(encoding="utf-8")
    lines = source.splitlines()
    body = ast.parse(source).body
    for statement, after in zip(body, [*body[1:], None], strict=True):
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                pass
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                pass
            case _:
                continue
        if not name.isupper() or name.startswith("_") or not name.startswith(begin):
            continue
        match after:
            case ast.Expr(value=ast.Constant(value=str() as said)):
                meaning = " ".join(said.split())
            case _:
                meaning = _comment(lines, statement.lineno - 1)
        yield Limit(file, name, ast.unparse(value), meaning)


def _comment(lines: list[str], at: int) -> str:
    """What stands behind a line, else above the lines that it is among."""
    if "  # " in lines[at]:
        return lines[at].partition("  # ")[2]
    while at and lines[at - 1].strip() and not lines[at - 1].startswith("#"):
        at -= 1
    last = at
    while at and lines[at - 1].startswith("# "):
        at -= 1
    return " ".join(line.removeprefix("# ") for line in lines[at:last])


def caches() -> Iterator[Limit]:
    """How many answers each cache of a page keeps; "unbounded" where nothing says so."""
    for path in sorted((ROOT / "pages").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for made in getattr(node, "decorator_list", ()):
                called = made.func if isinstance(made, ast.Call) else made
                if not (isinstance(called, ast.Attribute) and called.attr in CACHES):
                    continue
                assert isinstance(node, ast.FunctionDef)
                given = made.keywords if isinstance(made, ast.Call) else []
                most = [ast.unparse(k.value) for k in given if k.arg == "max_entries"]
                meaning = (ast.get_docstring(node) or "").partition("\n")[0]
                file = str(path.relative_to(ROOT))
                yield Limit(file, node.name, (most or ["unbounded"])[0], f"Answers kept: {meaning}")


def matches(file: str, pattern: str, meaning: str) -> Iterator[Limit]:
    """Limits that are no Python: a name and a value a line."""
    source = (ROOT / file).read_text(encoding="utf-8")
    for name, value in re.findall(pattern, source, re.MULTILINE):
        yield Limit(file, name, value, meaning)


def every() -> list[Limit]:
    """All limits, work first, caches last."""
    return [
        *(limit for file, begin in STATED.items() for limit in constants(file, begin)),
        *matches(
            ".streamlit/config.toml", SETTINGS, "Streamlit's, in MB; a lost session's in seconds."
        ),
        *caches(),
    ]


def main() -> None:
    """Print the table as Markdown."""
    print("| limit | value | what it is for | where |")
    print("|---|---|---|---|")
    for limit in every():
        print(f"| {limit.name} | {limit.value} | {limit.meaning} | {limit.file} |")


if __name__ == "__main__":
    main()
