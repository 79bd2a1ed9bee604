"""What Python says around a page's moving parts, as HTML that needs nothing beside it: sentences,
formulas and tables.

They are of the state at which they were written: a copy without Python greys them as soon as a
reader moves away from it (components/web/host).
"""

from __future__ import annotations

import html
import re
from typing import Any, Final

from export.mathml import mathml

_EYE: Final = ":material/visibility:"
_DISPLAYED: Final = re.compile(r"\$\$(.+?)\$\$", re.DOTALL)
_PIECE: Final = re.compile(
    r"\$(?P<math>[^$]+)\$|`(?P<code>[^`]+)`|\*\*(?P<bold>.+?)\*\*|\*(?P<lean>[^*]+)\*"
    r"|(?P<hue><span style='color:light-dark\(#\w{3,6},#\w{3,6}\)'>)(?P<name>.*?)</span>"
)


def html_of(kind: str, body: str) -> str:
    """A piece of a page as HTML by Streamlit's kind of it; "" for what does not come along: what
    is no sentence, and formulas that MathML has no word for here."""
    if kind == "latex":
        return _formula(body)
    if kind == "html":
        return body if "<table" in body or "class='told'" in body else ""
    text = body.strip()
    if kind == "markdown" and text.startswith("$$"):
        return "".join(map(_formula, _DISPLAYED.findall(text)))
    if kind == "markdown" and text.startswith(_EYE):
        return f'<p class="dh-notice">{inline(text.removeprefix(_EYE).strip())}</p>'
    if kind == "caption" and text and text != "&nbsp;" and "](" not in text:
        return f'<p class="dh-caption">{inline(text)}</p>'
    return ""


def _formula(latex: str) -> str:
    try:
        return f'<div class="dh-formula">{mathml(latex, display=True)}</div>'
    except ValueError:
        return ""


def inline(text: str) -> str:
    """A line of Markdown as pages write it: bold, italics, code, formulas, names in their hue."""
    out, at = [], 0
    for match in _PIECE.finditer(text):
        out += [_plain(text[at : match.start()]), _marked(match)]
        at = match.end()
    return "".join([*out, _plain(text[at:])])


def _plain(text: str) -> str:
    return html.escape(html.unescape(text), quote=False)


def _marked(match: re.Match[str]) -> str:
    found: dict[str, Any] = match.groupdict()
    if found["math"]:
        try:
            return mathml(found["math"])
        except ValueError:
            return f"<code>{html.escape(found['math'])}</code>"
    if found["code"]:
        return f"<code>{html.escape(found['code'])}</code>"
    if found["bold"]:
        return f"<b>{inline(found['bold'])}</b>"
    if found["lean"]:
        return f"<em>{inline(found['lean'])}</em>"
    return f"{found['hue']}{_plain(found['name'])}</span>"
