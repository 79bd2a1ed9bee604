"""The command line for those who build courses: a page of the laboratory as files, or a lesson as a
package for learning platforms. Whatever is wrong with what is asked is one line, before any work.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from engine.optimizers import OPTIMIZERS
from export.capture import PageError, capture, read_link, titles
from export.document import Plotly, html_file, module_file
from export.lesson import lesson_file, package, statement
from export.pictures import KINDS, pictures
from pages import course

SIZE: Final = 299_000  # bytes of an HTML file
CODE: Final = 121_000  # of them for the modules
SHARE: Final = 0.72  # of the rest for what is packed, which base64 makes longer
WIDTHS: Final = (200, 4000)  # of pictures, in CSS pixels


def main(arguments: list[str], prog: str) -> int:
    """Write what is asked for; the exit status, 2 where the page, its link or a place to write to
    cannot be used, 1 where pictures cannot be made on this machine."""
    logging.disable(logging.WARNING)  # Streamlit says that it runs without a browser
    try:
        if arguments[:1] == ["lesson"]:
            return _take_lesson(arguments[1:], f"{prog} lesson")
        return _take_page(arguments, prog)
    except (PageError, OSError) as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    except RuntimeError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1


def _take_lesson(arguments: list[str], prog: str) -> int:
    """A lesson as a SCORM 1.2 package, an xAPI statement, an HTML file."""
    parser = argparse.ArgumentParser(prog=prog)
    parser.add_argument("name", help="one of " + ", ".join(course.lessons()))
    parser.add_argument(
        "--scorm", type=Path, help="a SCORM 1.2 package (zip) for Moodle and others"
    )
    parser.add_argument("--xapi", type=Path, help="the xAPI statement of its completion (JSON)")
    parser.add_argument(
        "--actor", default="reader", help="the name of the account in the statement"
    )
    parser.add_argument("--out", type=Path, help="an HTML file that needs no server")
    parser.add_argument("--home", default="", help="the address of your copy of the laboratory")
    given = parser.parse_args(arguments)
    lesson = course.lessons()[_named("lesson", given.name, course.lessons())]
    _places(parser, {name: getattr(given, name) for name in ("scorm", "xapi", "out")})
    if given.scorm is not None or given.out is not None:
        document = lesson_file(lesson, home=given.home)
        if given.scorm is not None:
            given.scorm.write_bytes(package(lesson, document))
        if given.out is not None:
            given.out.write_text(document, encoding="utf-8")
    if given.xapi is not None:
        text = json.dumps(statement(lesson, home=given.home, actor=given.actor), indent=2)
        given.xapi.write_text(text + "\n", encoding="utf-8")
    return 0


def _take_page(arguments: list[str], prog: str) -> int:
    """A page as HTML, module, pictures and numbers."""
    parser = argparse.ArgumentParser(
        prog=prog, description="A page as files; a lesson by the word lesson."
    )
    parser.add_argument("page", help="one of " + ", ".join(titles()))
    parser.add_argument("--link", default="", help="the experiment: an address, or its query")
    parser.add_argument("--out", type=Path, help="an HTML file that needs no server")
    parser.add_argument("--module", type=Path, help="an ES module: anywidget and <descent-lab>")
    for kind, what in KINDS.items():
        parser.add_argument(f"--{kind}", type=Path, help=f"{what} (needs Chromium and playwright)")
    parser.add_argument("--width", type=int, default=1000, help="of pictures, in CSS pixels")
    parser.add_argument("--dark", action="store_true", help="pictures in the dark theme")
    parser.add_argument("--home", default="", help="the address of your copy of the laboratory")
    parser.add_argument(
        "--plotly", choices=("none", "inside", "cdn"), default="none",
        help="where plotly.js comes from for surfaces in space; none leaves them out",
    )  # fmt: skip
    parser.add_argument(
        "--rules", default="all",
        help="the rules that a reader may choose among where a page lets one choose its runners: "
        "all, none, or some as sgd,adam",
    )  # fmt: skip
    parser.add_argument("--no-presets", action="store_true", help="the state of the link alone")
    parser.add_argument(
        "--size", type=int, default=SIZE, help="bytes that the HTML may have; 0 for no limit"
    )
    given = parser.parse_args(arguments)
    page = _named("page", given.page.lower().replace("-", "_"), titles())
    _places(parser, {name: getattr(given, name) for name in ("out", "module", *KINDS)})
    wanted = {kind: path for kind in KINDS if (path := getattr(given, kind)) is not None}
    if not WIDTHS[0] <= given.width <= WIDTHS[1]:
        parser.error("--width is {} to {} pixels".format(*WIDTHS))
    room = max(1, int((given.size - CODE) * SHARE)) if given.size else 0
    home = given.home and f"{given.home.rstrip('/')}/{page}"
    found = capture(
        page, read_link(given.link), room=room, space=given.plotly != "none",
        presets=not given.no_presets, rules=_rules(given.rules),
    )  # fmt: skip
    if not found.states[0].drawn:
        raise PageError(f"{found.title} has no picture that lives without a server.")
    plotly: Plotly = (
        "inside" if given.plotly == "none" and found.states[0].in_space else given.plotly
    )
    document = html_file(found, home=home, plotly=plotly)
    while given.size and plotly != "inside" and len(document) > given.size and found.shrink():
        document = html_file(found, home=home, plotly=plotly)
    if given.size and plotly != "inside" and len(document) > given.size:
        sys.stderr.write(
            f"{found.title} has {len(document)} bytes: its presets alone need more than "
            f"{given.size}. --no-presets leaves them out, --rules none the choice of runners.\n"
        )
    if given.out is not None:
        given.out.write_text(document, encoding="utf-8")
    if given.module is not None:
        module = module_file(found, home=home, plotly=plotly)
        given.module.write_text(module, encoding="utf-8")
    if wanted:
        pictures(document, wanted, width=given.width, dark=given.dark)
    return 0


def _named(what: str, name: str, known: Iterable[str]) -> str:
    """That name, where there is such a page or lesson; PageError with the nearest where not."""
    names = list(known)
    if name in names:
        return name
    near = get_close_matches(name, names, n=1)
    mean = f"; did you mean {near[0]!r}?" if near else "."
    raise PageError(f"there is no {what} {name!r}{mean} There are {', '.join(names)}.")


def _rules(text: str) -> list[str]:
    """The rules that a reader may choose among."""
    if text in ("all", "none"):
        return list(OPTIMIZERS) if text == "all" else []
    return [_named("rule", name, OPTIMIZERS) for name in text.split(",")]


def _places(parser: argparse.ArgumentParser, wanted: dict[str, Path | None]) -> None:
    """Leave where nothing is asked for, or where a file cannot be written to its place."""
    given = [path for path in wanted.values() if path is not None]
    if not given:
        parser.error("say what to make: " + ", ".join(f"--{name} FILE" for name in wanted))
    for path in given:
        if path.is_dir():
            parser.error(f"{path} is a folder, not a file")
        if not path.parent.is_dir():
            parser.error(f"there is no folder {path.parent}")
