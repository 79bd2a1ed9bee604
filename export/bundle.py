"""The browser's modules as one text that imports nothing: `components/web/` as it is, joined.

Each module becomes a function that runs once and returns what it exports, in the order in which
they need each other; what a module would fetch beside itself (its html and css, the module that a
worker of its own runs) comes along. Comments and indentation are left out.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Sequence
from typing import Final

from components import assets

_IMPORT: Final = re.compile(r'^import\s+(\{[^}]*\}|\w+)\s+from\s+"([^"]+)"$', re.MULTILINE)
_EXPORT: Final = re.compile(
    r"^export (default )?((?:async )?function\*?|class|const|let) (\w+)", re.MULTILINE
)
_SOURCE: Final = "source.js"  # the one module that a bundle has its own of


def bundle(entry: str, folders: Sequence[str], workers: Sequence[str] = ()) -> str:
    """An ES module's text from the text of one that imports by paths from `components/web/`; it
    exports by name what that one does.

    `folders` are those whose html and css (folder/folder.html, .css) come along, `workers` the
    paths of modules that run in workers. Raises ValueError where a module is written in a way that
    this cannot join.
    """
    beside = {
        f"{name}.{suffix}": _tight(_text(f"{name}/{name}.{suffix}"))
        for name in folders
        for suffix in ("html", "css")
    }
    apart = {posixpath.basename(path): _joined(path, _text(path), "") for path in workers}
    own = (
        f"const TEXTS = {json.dumps(beside, ensure_ascii=False)}\n"
        f"const MODULES = {json.dumps(apart, ensure_ascii=False)}\n"
        "export const source = (_, name) => TEXTS[name]\n"
        # A worker of a page that is a file may import no blob but its own.
        "export const apart = (_, name) =>\n"
        "  `data:text/javascript,${encodeURIComponent(MODULES[name])}`\n"
    )
    return _joined("entry.js", entry, own)


def _joined(path: str, entry: str, source: str) -> str:
    """The text of a module at a path with all that it imports; `source` stands for source.js."""
    done: dict[str, str] = {}
    order: list[str] = []

    def add(path: str, text: str) -> None:
        done[path] = ""  # under way: a circle would come back here
        found = _IMPORT.findall(text)
        for _, address in found:
            other = posixpath.normpath(posixpath.join(posixpath.dirname(path), address))
            if other not in done:
                add(other, source if other == _SOURCE else _text(other))
            elif not done[other]:
                raise ValueError(f"{path} and {other} import each other")
        done[path] = _function(path, text)
        order.append(path)

    add(path, entry)
    names = ", ".join(name for default, _, name in _EXPORT.findall(entry) if not default)
    joined = "".join(done[path] for path in order)
    return f'const $ = {{}}\n{joined}export const {{ {names} }} = $["{path}"]\n'


def _text(path: str) -> str:
    return assets.modules().files[path].decode()


def _function(path: str, text: str) -> str:
    """A module as a statement that runs it."""
    names = {("default" if default else name): name for default, _, name in _EXPORT.findall(text)}
    taken = []
    for what, address in _IMPORT.findall(text):
        other = posixpath.normpath(posixpath.join(posixpath.dirname(path), address))
        if what.startswith("{"):
            renamed = re.sub(r"(\w+)\s+as\s+(\w+)", r"\1: \2", " ".join(what.split()))
            taken.append(f'const {renamed} = $["{other}"]\n')
        else:
            taken.append(f'const {what} = $["{other}"].default\n')
    body = _EXPORT.sub(r"\2 \3", _IMPORT.sub("", text))
    if re.search(r"^(import|export)\b(?!\()", body, re.MULTILINE):
        raise ValueError(f"{path} imports or exports in a way that is not known here")
    body = body.replace("import.meta.url", f'"file:///{path}"')
    given = ", ".join(name if key == name else f"{key}: {name}" for key, name in names.items())
    waits = re.search(r"^(const .*)?\bawait ", body, re.MULTILINE)
    begins = "await (async () => {" if waits else "(() => {"
    return f'$["{path}"] = {begins}\n{"".join(taken)}{_tight(body)}\nreturn {{ {given} }}\n}})()\n'


def _tight(text: str) -> str:
    """Without indentation, empty lines and lines that are comments."""
    text = re.sub(r"^\s*/\*.*?\*/", "", text, flags=re.DOTALL | re.MULTILINE)
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))
