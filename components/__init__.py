"""Streamlit components of the laboratory: the stage (moving pictures) and the controls.

Each has a thin typed Python face here and its html, css and js as files under `web/`, served
by `assets` with a content hash in the address.  No build step, nothing fetched from elsewhere.
"""
