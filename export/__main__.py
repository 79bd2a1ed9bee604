"""`python -m export PAGE` and `python -m export lesson NAME`: see `export.command`, which is read
only where what the app needs is installed."""

from __future__ import annotations

import sys
from importlib.util import find_spec


def main(arguments: list[str], prog: str = "python -m export") -> int:
    """Write what is asked for; the exit status, 2 where it cannot be made as asked."""
    if find_spec("streamlit") is None:
        sys.stderr.write("This needs more than the library: pip install 'descent-lab[app]'\n")
        return 2
    from export import command

    return command.main(arguments, prog)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
