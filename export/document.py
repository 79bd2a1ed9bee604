"""A captured page as one file: HTML that opens without a server, or an ES module for books.

Both hold the same two packed texts: the modules (`bundle`), and the states with their arrays. A
browser unpacks them by itself; nothing is fetched, but for plotly.js where a file is told to.
"""

from __future__ import annotations

import base64
import gzip
import html
import json
import re
import struct
import tomllib
from collections.abc import Sequence
from functools import cache
from typing import Any, Final, Literal

from plotly.offline import get_plotlyjs_version

from components import assets
from export.bundle import bundle
from export.capture import MOVING, ROOT, Capture
from export.packing import Blobs, shared

Json = Any
Plotly = Literal["none", "inside", "cdn"]

VERSION: Final = 3  # of what is packed
CDN: Final = "https://cdn.plot.ly/plotly-{}.min.js"
FACES: Final = {kind: f"{kind}/{kind}.js" for kind in MOVING.values()}
WORKERS: Final = {"training": "training/session.js"}  # what a face runs in a worker
_NEEDS: Final = "Python computes what follows from it, so it stands still in this copy."


def pack(found: Capture, *, home: str = "", plotly: str = "", store: str = "") -> bytes:
    """A capture as the host in the browser reads it; `home` is the address of the page itself,
    `store` another name for its store where a document shows several copies of one page."""
    blobs = Blobs()
    states = [
        {
            "link": state.link,
            "tree": state.tree,
            "parts": blobs.take(state.parts),
            "said": state.said,
            "store": {k: state.store[k] for k in ("values", "locked")},
            "choices": [
                {
                    "name": c.name, "label": c.label, "native": c.native, "value": c.value,
                    "options": [list(pair) for pair in c.options],
                }
                for c in state.choices
            ],
            "moves": state.moves,
            "lineUp": state.line_up,
            "runners": state.runners,
        }
        for state in found.states
    ]  # fmt: skip
    line_ups = [
        {
            "link": made.link,
            "forms": blobs.take(made.forms),
            "rules": blobs.take(made.rules),
            "offered": made.offered,
            "moves": made.moves,
        }
        for made in found.line_ups
    ]
    (states, line_ups), same = shared([states, line_ups])
    page = {
        "version": VERSION,
        "file": found.page,
        "store": store or found.states[0].store["page"],
        "title": found.title,
        "lead": found.lead,
        "home": home,
        "needs": _NEEDS,
        "plotly": plotly,
        "presets": [
            {"name": preset.name, "reason": _spoken(preset.reason), "state": place}
            for preset, place in found.presets
        ],
        "states": states,
        "lineUps": line_ups,
        "same": same,
        "blobs": blobs.heads,
    }
    text = json.dumps(page, ensure_ascii=False, separators=(",", ":")).encode()
    return b"".join([struct.pack("<I", len(text)), text, *blobs.bodies])


def _spoken(reason: str) -> str:
    """A caption's Markdown as plain text."""
    return re.sub(r"\*\*(.+?)\*\*|`(.+?)`", lambda m: m[1] or m[2], reason)


def code(*found: Capture, more: str = "", folders: Sequence[str] = ()) -> str:
    """The modules that some captures need, as one; `more` is the text of a module that stands
    behind the entry, `folders` are those of its components."""
    parts = [part for one in found for state in one.states for part in state.parts]
    kinds = [k for k in FACES if any(part["kind"] == k for part in parts)]
    entry = "".join(f'import {kind} from "./{FACES[kind]}"\n' for kind in kinds)
    entry += 'import { Figure } from "./host/host.js"\n'
    entry += f"const faces = {{ {', '.join(kinds)} }}\n"
    entry += f"const THEME = {json.dumps(theme_css())}\n"
    entry += (ROOT / "components/web/host/entry.js").read_text("utf-8")
    workers = [WORKERS[kind] for kind in kinds if kind in WORKERS]
    return bundle(more + entry, sorted({"host", "stage", *kinds, *folders}), workers)


@cache
def theme_css() -> str:
    """The names by which the components know their colours, from the app's own settings."""
    with (ROOT / ".streamlit" / "config.toml").open("rb") as file:
        theme = tomllib.load(file)["theme"]
    names = {
        "primaryColor": "primary-color",
        "backgroundColor": "background-color",
        "secondaryBackgroundColor": "secondary-background-color",
        "textColor": "text-color",
        "linkColor": "link-color",
        "borderColor": "border-color",
    }

    def dressed(which: str, red: str) -> str:
        given = theme[which]
        lines = [f"--st-{css}:{given[name]}" for name, css in names.items()]
        lines += [f"--st-red-color:{red}", f"--st-red-text-color:{red}", f"color-scheme:{which}"]
        return ";".join(lines)

    light, dark = dressed("light", "#b3261e"), dressed("dark", "#f2867f")
    return (
        ".dh-figure{--st-font:'Source Sans','Source Sans 3',system-ui,sans-serif;"
        "--st-heading-font:'Source Serif','Source Serif 4',Georgia,serif;"
        "--st-code-font:'Source Code Pro',ui-monospace,monospace;"
        f"--st-base-radius:{theme['baseRadius']};{light}}}"
        f"@media (prefers-color-scheme:dark){{.dh-figure[data-theme=auto]{{{dark}}}}}"
        f".dh-figure[data-theme=dark]{{{dark}}}"
        f".dh-figure{{{_said_css()}}}"
    )


def _said_css() -> str:
    """The page's own rules for what Python says on it: tables, the marks of optimizers."""
    rules = (ROOT / "pages" / "page.css").read_text("utf-8")
    known = r"^(?:table\.numbers|\.swatch|\.told|\.stability|\.meter)[^{]*\{[^}]*\}"
    return "".join(re.findall(known, rules, re.MULTILINE))


def packed(content: bytes) -> str:
    """Bytes as text in few characters, which UNPACK unpacks."""
    return base64.b64encode(gzip.compress(content, 9, mtime=0)).decode("ascii")


def _plotly(found: Capture, how: Plotly) -> str:
    """Where plotly.js comes from: an address, or "inside"; "" where no picture needs it."""
    if how == "none" or not any(state.in_space for state in found.states):
        return ""
    return "inside" if how == "inside" else CDN.format(get_plotlyjs_version())


UNPACK: Final = """
const unpack = async (text) => {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0))
  const unzipped = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))
  return new Response(unzipped).arrayBuffer()
}
const address = async (text) =>
  URL.createObjectURL(new Blob([await unpack(text)], { type: "text/javascript" }))
"""


def html_file(found: Capture, *, home: str = "", plotly: Plotly = "none") -> str:
    """One HTML file that lives without a server."""
    where = _plotly(found, plotly)
    library = ""
    if where == "inside":
        library = f'<script type="text/plain" id="plotly">{packed(_plotly_text())}</script>\n'
    title = html.escape(found.title)
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="Descent Lab">
<title>{title} · Descent Lab</title>
<link rel="icon" href="data:,">
<style>html{{color-scheme:light dark}}body{{margin:0}}
@media (prefers-color-scheme:dark){{body{{background:#15171b}}}}
#figure{{max-width:80rem;margin:0 auto}}</style>
<div id="figure"></div>
<noscript>This figure is computed by your browser, in JavaScript.</noscript>
<script type="text/plain" id="code">{packed(code(found).encode())}</script>
<script type="text/plain" id="page">{packed(pack(found, home=home, plotly=where))}</script>
{library}<script type="module">
{UNPACK}
const text = (id) => document.getElementById(id)?.textContent
const library = text("plotly") ? await address(text("plotly")) : ""
const {{ open }} = await import(await address(text("code")))
const asked = Object.fromEntries(new URLSearchParams(location.hash.slice(1)))
const place = document.getElementById("figure")
window.figure = await open(place, await unpack(text("page")), asked, library)
</script>
</html>
"""


def module_file(found: Capture, *, home: str = "", plotly: Plotly = "none") -> str:
    """One ES module: an anywidget (default export), `mount(element, options)`, and the element
    <descent-lab figure="…">."""
    where = _plotly(found, plotly)
    library = f'await address("{packed(_plotly_text())}")' if where == "inside" else '""'
    return f"""// {found.title}: a figure of Descent Lab as an ES module that needs no server. It
// exports an anywidget (default) and mount(element, options), and defines
// <descent-lab figure="{found.page}">.
{UNPACK}
const CODE = "{packed(code(found).encode())}"
const PAGE = "{packed(pack(found, home=home, plotly=where))}"
const load = async () => [await import(await address(CODE)), await unpack(PAGE), {library}]
let loaded
export async function mount(element, options = {{}}) {{
  const [{{ open }}, page, library] = await (loaded ??= load())
  return open(element, page, options, library)
}}
const {{ widget, define }} = (await (loaded ??= load()))[0]
define("{found.page}", mount)
export default widget(mount)
"""


def _plotly_text() -> bytes:
    (body,) = assets.plotly().files.values()
    return body
