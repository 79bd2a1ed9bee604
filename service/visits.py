"""What is noted of each visit: how long every rerun waited and took, in the metrics and the log."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from streamlit.util import calc_hash

from components import gate
from service import journal, memory

if TYPE_CHECKING:
    from streamlit.proto.BackMsg_pb2 import BackMsg

    from service.metrics import Metrics

_NO_PAGE: Final = "other"


class Pages:
    """The pages that there are, by the two ways in which a browser names them."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = frozenset(names)
        # Streamlit's name of a page is the hash of its address.
        self.by_hash: Mapping[str, str] = {calc_hash(name): name for name in names}

    def name(self, message: BackMsg, before: str) -> str:
        """The page that a rerun is for: `before` where the message does not say."""
        asked = message.rerun_script
        if asked.page_name in self.names:
            return str(asked.page_name)
        if asked.page_script_hash:
            return self.by_hash.get(asked.page_script_hash, _NO_PAGE)
        return before


class Visit(gate.Watch):
    """One connection. Of two reruns on their way the later one's times are noted for both."""

    def __init__(self, pages: Pages, metrics: Metrics) -> None:
        self.pages, self.metrics = pages, metrics
        self.page = _NO_PAGE
        self.name = secrets.token_hex(4)  # tells visits apart in the log, and says nothing more
        self.asked_at = self.began_at = 0.0
        self.fragment = False
        metrics.connections += 1
        metrics.opened += 1

    def asked(self, message: BackMsg) -> None:
        self.page = self.pages.name(message, self.page)
        self.fragment = bool(message.rerun_script.fragment_id)
        self.asked_at = self.began_at = time.perf_counter()

    def began(self) -> None:
        self.began_at = time.perf_counter()

    def finished(self) -> None:
        if not self.asked_at:  # a run that the server began by itself
            return
        waited, took = self.began_at - self.asked_at, time.perf_counter() - self.asked_at
        self.asked_at = 0.0
        self.metrics.waited.note(self.page, waited)
        self.metrics.took.note(self.page, took)
        journal.note(
            "rerun",
            visit=self.name,
            page=self.page,
            whole=not self.fragment,
            wait_ms=round(1000 * waited, 1),
            total_ms=round(1000 * took, 1),
        )

    def refused(self, code: int) -> None:
        self.metrics.refused[str(code)] += 1
        journal.note("refused", visit=self.name, page=self.page, code=code)

    def ended(self, session: str, gone: bool) -> None:
        self.metrics.connections -= 1
        if gone:
            memory.forget(session)
