"""A book by Sphinx and MyST-Parser, as Jupyter Book 1 is one: `sphinx-build . _build`."""

project = "A course"
extensions = ["myst_parser"]
html_theme = "alabaster"
html_extra_path = ["../race.js"]
exclude_patterns = ["_build"]
