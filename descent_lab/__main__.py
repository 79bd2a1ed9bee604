"""`descent-lab`: starts the app wherever it was installed; what follows goes to `streamlit run`.
`descent-lab export PAGE …` makes files of a page instead, as `python -m export` does in a checkout.

In a checkout the app lies beside this package, in an installation within it.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).resolve().parent
APP = HERE if (HERE / "app.py").exists() else HERE.parent


def main() -> None:
    """Become `streamlit run app.py`, in the app's folder, where its settings are; or export."""
    if sys.argv[1:2] == ["export"]:
        sys.path.insert(0, str(APP))
        from export.__main__ import main as export

        sys.exit(export(sys.argv[2:], "descent-lab export"))
    if find_spec("streamlit") is None:
        sys.exit("The app needs more than the library: pip install 'descent-lab[app]'")
    os.chdir(APP)
    command = [sys.executable, "-m", "streamlit", "run", "app.py", *sys.argv[1:]]
    os.execv(sys.executable, command)


if __name__ == "__main__":
    main()
