"""The log as one JSON object a line, for whatever collects logs; tracebacks are a field of it.

Nothing of a reader is in it but the page and how long it took: no address, no link, no text.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Final

from streamlit import logger as streamlit_logger

LOG: Final = logging.getLogger("descent_lab")
_FIELDS: Final = "fields"


class Lines(logging.Formatter):
    """A record as JSON: time, level, from where, what is said, its fields, the traceback if any."""

    def format(self, record: logging.LogRecord) -> str:
        when = datetime.fromtimestamp(record.created, UTC)
        line = {
            "time": when.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "from": record.name,
            "event": record.getMessage(),
            **getattr(record, _FIELDS, {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def note(event: str, **fields: object) -> None:
    """Write a line of our own, where the log is wanted as JSON."""
    LOG.info(event, extra={_FIELDS: fields})


def _speaks_of_no_reader(record: logging.LogRecord) -> bool:
    """Whether a line may be written: the web server's own would note readers' addresses and links
    with each request."""
    return record.levelno >= logging.WARNING or not record.name.startswith("uvicorn")


def write_json() -> None:
    """Write all logs of this process to standard error as JSON lines, Streamlit's among them."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines())
    handler.addFilter(_speaks_of_no_reader)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    LOG.setLevel(logging.INFO)

    def speak(logger: logging.Logger) -> None:
        # Streamlit gives each logger a handler of its own, and again when its settings change.
        if getattr(logger, "streamlit_console_handler", None) in logger.handlers:
            logger.removeHandler(logger.streamlit_console_handler)  # type: ignore[attr-defined]
        logger.streamlit_console_handler = handler  # type: ignore[attr-defined]
        logger.addHandler(handler)

    streamlit_logger.setup_formatter = speak
    streamlit_logger.update_formatter()
