"""`python -m export PAGE`: a page of the laboratory as files, for those who build courses; and
`python -m export lesson NAME`: a lesson, as a package for learning platforms."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from pathlib import Path

from export.capture import PageError, capture, read_link, titles
from export.document import Plotly, html_file, module_file
from export.lesson import lesson_file, package, statement
from export.pictures import KINDS, pictures
from pages import course

SIZE = 299_000  # bytes of an HTML file
CODE = 82_000  # of them for the modules
SHARE = 0.72  # of the rest for what is packed, which base64 makes longer


def main(arguments: list[str] | None = None) -> int:
    """Write what is asked for; the exit status, 2 where the page or its link cannot be used."""
    words = sys.argv[1:] if arguments is None else arguments
    return take_lesson(words[1:]) if words[:1] == ["lesson"] else take_page(words)


def take_lesson(arguments: list[str]) -> int:
    """A lesson as a SCORM 1.2 package, an xAPI statement, an HTML file."""
    parser = argparse.ArgumentParser(prog="python -m export lesson")
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
    logging.disable(logging.WARNING)
    lesson = course.lessons().get(given.name)
    if lesson is None:
        sys.stderr.write(f"there is no lesson {given.name!r}; {', '.join(course.lessons())}\n")
        return 2
    if given.scorm is not None or given.out is not None:
        try:
            document = lesson_file(lesson, home=given.home)
        except PageError as problem:
            sys.stderr.write(f"{problem}\n")
            return 2
        if given.scorm is not None:
            given.scorm.write_bytes(package(lesson, document))
        if given.out is not None:
            given.out.write_text(document, encoding="utf-8")
    if given.xapi is not None:
        text = json.dumps(statement(lesson, home=given.home, actor=given.actor), indent=2)
        given.xapi.write_text(text + "\n", encoding="utf-8")
    return 0


def take_page(arguments: list[str]) -> int:
    """A page as HTML, module, pictures and numbers."""
    parser = argparse.ArgumentParser(prog="python -m export", description="A page as files.")
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
    parser.add_argument("--no-presets", action="store_true", help="the state of the link alone")
    parser.add_argument(
        "--size", type=int, default=SIZE, help="bytes that the HTML may have; 0 for no limit"
    )
    given = parser.parse_args(arguments)
    logging.disable(logging.WARNING)  # Streamlit says that it runs without a browser
    link = read_link(given.link)
    room = max(1, int((given.size - CODE) * SHARE)) if given.size else 0
    home = given.home and f"{given.home.rstrip('/')}/{given.page}"
    try:
        found = capture(
            given.page, link, room=room, space=given.plotly != "none",
            presets=not given.no_presets,
        )  # fmt: skip
    except PageError as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    if not found.states[0].drawn:
        sys.stderr.write(f"{found.title} has no picture that lives without a server.\n")
        return 2
    plotly: Plotly = (
        "inside" if given.plotly == "none" and found.states[0].in_space else given.plotly
    )
    document = html_file(found, home=home, plotly=plotly)
    while given.size and plotly != "inside" and len(document) > given.size and found.shrink():
        document = html_file(found, home=home, plotly=plotly)
    if given.out is not None:
        given.out.write_text(document, encoding="utf-8")
    if given.module is not None:
        module = module_file(found, home=home, plotly=plotly)
        given.module.write_text(module, encoding="utf-8")
    wanted = {kind: path for kind in KINDS if (path := getattr(given, kind)) is not None}
    if wanted:
        try:
            pictures(document, wanted, width=given.width, dark=given.dark)
        except RuntimeError as problem:
            sys.stderr.write(f"{problem}\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
