"""The walls of the house: who may import what, and what a file may say.

Each rule is a function from source text to a list of complaints. It is first shown to catch
a small bad example, then held against every file of the repository.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MATHEMATICS = {"linalg", "fft", "exp", "log", "log2", "sqrt", "sin", "cos", "tanh", "gradient"}


@dataclass(frozen=True)
class Wall:
    """What a room may import beside the standard library and itself.

    `lazy` packages are for some machines only, so they may be imported inside functions.
    """

    allowed: frozenset[str]
    lazy: frozenset[str] = frozenset()
    forbidden: frozenset[str] = frozenset()


WALLS = {
    "engine": Wall(
        frozenset({"numpy", "numba", "llvmlite", "mpmath"}),
        lazy=frozenset({"cupy", "distributed", "sklearn"}),
    ),
    "figures": Wall(frozenset({"engine", "numpy", "plotly"})),
    "components": Wall(frozenset({"streamlit", "starlette", "numpy", "orjson", "plotly"})),
    "service": Wall(frozenset({"components", "starlette", "streamlit"})),
    "export": Wall(
        frozenset({"engine", "figures", "components", "pages"})
        | {"streamlit", "starlette", "plotly", "numpy"},
        lazy=frozenset({"playwright"}),
    ),
    "pages": Wall(
        frozenset({"engine", "figures", "components", "streamlit", "numpy", "pandas"}),
        forbidden=frozenset(
            {"cmath", "statistics"} | {f"{m}.{f}" for m in ("numpy", "math") for f in MATHEMATICS}
        ),
    ),
}
COLOR = re.compile(r"#(?:[0-9a-f]{8}|[0-9a-f]{6}|[0-9a-f]{3,4})\b|\b(?:rgb|hsl)a?\(", re.IGNORECASE)
# Written so that no pattern matches itself.
STRANGERS = {
    "a path of one machine": re.compile(r"(?<![\w.])/(?:work|root|home|Users)/\w"),
    "a package mirror": re.compile(r"index[-]url|opt[/]pypi|pypi\.org[/]simple", re.IGNORECASE),
    "a ticket": re.compile(r"\bissues? #?\d+\b|\b(?:fix(?:es)?|closes?|see) #\d+\b", re.IGNORECASE),
    "a mark of unfinished work": re.compile(r"\b(?:TO[D]O|FIX[M]E|XX[X])\b"),
}


def imports(tree: ast.Module) -> Iterator[tuple[str, bool]]:
    """Every imported module's dotted name, and whether it stands inside a function.

    `from a import b` counts as a.b. An import for type checkers alone does not count.
    """

    def walk(node: ast.AST, inside: bool) -> Iterator[tuple[str, bool]]:
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            return
        if isinstance(node, ast.Import):
            yield from ((alias.name, inside) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((f"{node.module or '.'}.{alias.name}", inside) for alias in node.names)
        inside = inside or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for child in ast.iter_child_nodes(node):
            yield from walk(child, inside)

    return walk(tree, False)


def broken_walls(room: str, source: str) -> list[str]:
    """Imports that ROOM may not have."""
    wall = WALLS[room]
    broken = []
    for name, inside in imports(ast.parse(source)):
        top = name.split(".")[0]
        if any(f"{name}.".startswith(f"{banned}.") for banned in wall.forbidden):
            broken.append(f"{room} may not import {name}")
        elif top in wall.lazy:
            if not inside:
                broken.append(f"{room} may import {top} inside functions only")
        elif top not in wall.allowed | {room} and top not in sys.stdlib_module_names:
            broken.append(f"{room} may not import {name}")
    return broken


DRAWN = re.compile(r"^[MLCHVq](0[ ,]?|[CHVq ])*$")  # an SVG path up to its next number


def mathematics(source: str) -> list[str]:
    """Uses of mathematical functions, which belong to the engine."""
    return [
        f"line {node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in {"np", "numpy", "math"}
        and node.attr in MATHEMATICS
    ]


def colors(source: str) -> list[str]:
    """Colours written in string literals."""
    return [
        f"line {node.lineno}: {match.group()}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if (match := COLOR.search(node.value))
    ]


def numbers(source: str) -> list[str]:
    """Numbers that an f-string writes in a form of Python's. What a function with "code" in its
    name writes is Python to take along, and left alone; so are the places in a drawing, which
    stand inside a tag or after a letter of a path."""
    found: list[str] = []
    waiting: list[ast.AST] = [ast.parse(source)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef) and "code" in node.name:
            continue
        if isinstance(node, ast.JoinedStr):
            before = ""
            for part in node.values:
                if isinstance(part, ast.Constant):
                    before += str(part.value)
                elif isinstance(part, ast.FormattedValue):
                    form = ast.unparse(part.format_spec)[2:-1] if part.format_spec else ""
                    drawn = "<" in before.rpartition(">")[2] or DRAWN.search(before)
                    if re.search("[defgn%]$", form) and not drawn:
                        found.append(f"line {part.lineno}: {{{ast.unparse(part.value)}:{form}}}")
                    before += "0"
        waiting += ast.iter_child_nodes(node)
    return found


def without_docstring(source: str) -> list[str]:
    """A complaint if the module does not open by saying what it is for."""
    return [] if ast.get_docstring(ast.parse(source)) else ["no module docstring"]


def strangers(text: str) -> list[str]:
    """Whatever speaks of something other than the project."""
    return [
        f"line {number}: {what}: {match.group()}"
        for number, line in enumerate(text.splitlines(), 1)
        for what, pattern in STRANGERS.items()
        if (match := pattern.search(line))
    ]


def repository() -> list[Path]:
    """The files that git tracks or would offer to track."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    if listing.returncode:
        pytest.skip("not a git checkout, so what belongs to the repository is unknown")
    return [ROOT / name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file()]


def modules(*rooms: str) -> list[Path]:
    return [path for room in rooms for path in sorted((ROOT / room).rglob("*.py"))]


def complaints(paths: list[Path], rule: Callable[[str], list[str]]) -> list[str]:
    return [f"{path.relative_to(ROOT)}: {c}" for path in paths for c in rule(path.read_text())]


BAD_IMPORTS = [
    ("engine", "import streamlit"),
    ("engine", "from plotly import graph_objects"),
    ("engine", "import cupy"),
    ("engine", "try:\n    import cupy\nexcept ImportError:\n    cupy = None"),
    ("engine", "def f():\n    import streamlit"),
    ("engine", "import torch"),
    ("figures", "from streamlit import session_state"),
    ("figures", "from components.stage import stage"),
    ("components", "import engine.problems.landscapes"),
    ("components", "from pages import main"),
    ("pages", "from math import exp"),
    ("pages", "from numpy.linalg import eigvalsh"),
    ("pages", "from numpy import linalg"),
    ("pages", "import sympy"),
]
GOOD_IMPORTS = [
    ("engine", "import numpy as np\nfrom engine.tape import Tape\nimport math"),
    ("engine", "def gpu():\n    import cupy"),
    ("engine", "if TYPE_CHECKING:\n    import cupy"),
    ("figures", "import engine\nfrom figures import style"),
    ("pages", "import numpy as np\nimport streamlit as st\nfrom figures import race"),
]


@pytest.mark.parametrize(("room", "source"), BAD_IMPORTS)
def test_a_bad_import_is_caught(room: str, source: str) -> None:
    assert broken_walls(room, source)


@pytest.mark.parametrize(("room", "source"), GOOD_IMPORTS)
def test_a_good_import_passes(room: str, source: str) -> None:
    assert not broken_walls(room, source)


def test_other_bad_examples_are_caught() -> None:
    assert numbers('def words(x):\n    return f"{x:.2f}"') == ["line 2: {x:.2f}"]
    assert not numbers('def code(x):\n    return f"{x:.2f}"')
    assert not numbers("""f"<rect x='{x:.0f}' y='{y:.0f}'/>" + f"M{x:.0f} {y:.0f}V{z:.0f}" """)
    assert numbers("""f"<text x='{x:.0f}'>{y:.0f}</text>" """) == ["line 1: {y:.0f}"]
    assert mathematics("y = np.exp(x)") == ["line 1: np.exp"]
    assert mathematics("numpy.linalg.eigvalsh(h) + math.log(2)")
    assert not mathematics("np.geomspace(1e-3, 1, 50) if math.isfinite(lr) else None")
    assert colors("st.html('<p style=\"color:#ff0000\">')") == ["line 1: #ff0000"]
    assert colors("line = {'color': 'rgba(0, 0, 0, 0.5)'}")
    assert not colors("st.markdown('# Race')\nst.markdown('[top](#race)')")
    assert without_docstring("import os\n'too late'")
    assert not without_docstring("'''Says what it is for.'''")


@pytest.mark.parametrize(
    "text",
    [
        "see /" + "work/notes.txt",
        "cd '/" + "root/lab'",
        "pip install --index" + "-url https://mirror",
        "fixes issue" + " 12",
        "closes" + " #12",
        "# TO" + "DO: later",
    ],
)
def test_a_stranger_is_caught(text: str) -> None:
    assert strangers(f"first line\n{text}")


@pytest.mark.parametrize("text", ["frameworks/workshop", "the issue is 2 / 3", "color: #222"])
def test_plain_speech_passes(text: str) -> None:
    assert not strangers(text)


@pytest.mark.parametrize("room", WALLS)
def test_imports_stay_within_the_walls(room: str) -> None:
    paths = modules(room)
    assert paths, f"{room}/ holds no modules"
    assert complaints(paths, partial(broken_walls, room)) == []


def test_numbers_are_written_in_one_way() -> None:
    """By `written` and `words` of engine.emit.picture, with true minus signs and powers of ten."""
    assert complaints(modules("pages", "figures", "components"), numbers) == []


def test_pages_hold_no_mathematics() -> None:
    assert complaints(modules("pages"), mathematics) == []


def test_colours_stand_in_the_style_alone() -> None:
    paths = [path for path in modules("pages", "figures") if path.name != "style.py"]
    assert complaints(paths, colors) == []


def test_every_module_says_what_it_is_for() -> None:
    paths = [path for path in repository() if path.suffix == ".py"]
    assert complaints(paths, without_docstring) == []


def test_the_repository_speaks_of_the_project_alone() -> None:
    texts = [path for path in repository() if b"\0" not in path.read_bytes()]
    assert complaints(texts, strangers) == []
