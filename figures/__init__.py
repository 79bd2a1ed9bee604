"""Pictures as plain Plotly dicts, made from what the engine returns.

A figure decides how a result is shown and computes nothing that a reader could mistake for
mathematics; all of them take colours, dashes, markers and layout from `figures.style`.
"""
