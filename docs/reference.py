"""The reference of the engine, from its docstrings: `python -m docs.reference [FOLDER]`.

pdoc writes a page a module into FOLDER (site/ by default), formulas typeset; whatever it has to
warn of is an error here.
"""

from __future__ import annotations

import pkgutil
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

import pdoc
import pdoc.extract
import pdoc.render

import engine


def modules() -> list[str]:
    """The engine's modules by name: itself, its rooms and what is in them."""
    inside = pkgutil.walk_packages(engine.__path__, "engine.")
    names = (module.name for module in inside)
    return ["engine", *(n for n in names if not n.rpartition(".")[2].startswith("_"))]


def build(folder: Path, names: Sequence[str]) -> None:
    """Write the reference of some modules. Raises a warning of pdoc's as an error."""
    pdoc.render.configure(docformat="markdown", math=True, show_source=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        asked: list[str] = []
        known: set[str] = set()
        for name in names:  # a package brings its modules along, but those that __all__ hides
            if name not in known:
                asked.append(name)
                known.update(pdoc.extract.walk_specs([name]))
        pdoc.pdoc(*asked, output_directory=folder)


if __name__ == "__main__":
    build(Path(sys.argv[1] if len(sys.argv) > 1 else "site"), modules())
