"""Replicas behind nginx on loopback, with the very file that `deploy/` has, for tests."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from tests.browser import ROOT, app_process, free_port, wait_until_healthy

CONF: Final = ROOT / "deploy" / "nginx.conf"
COUNT: Final = 3
_FRAME: Final = """
daemon off;
{user}
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {site}
}}
"""


def nginx() -> str | None:
    """Where nginx is installed; Debian has it outside of a user's path."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


def site(ports: list[int], port: int, folder: Path) -> str:
    """The file of `deploy/` for replicas at these ports, listening on loopback alone."""
    text = CONF.read_text()
    for number, own in zip((8501, 8502, 8503), ports, strict=True):
        text, changed = re.subn(rf"127\.0\.0\.1:{number}\b", f"127.0.0.1:{own}", text)
        assert changed == 1
    text = text.replace("listen 80;", f"listen 127.0.0.1:{port};")
    text = text.replace("/var/cache/nginx/descent-lab", f"{folder}/cache")
    return text.replace("/var/log/nginx/descent-lab.log", f"{folder}/access.log")


class Replicas:
    """Servers by their port, each of which can be ended and begun again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = [free_port() for _ in range(COUNT)]
        self.address = ""
        self._running: dict[int, tuple[ExitStack, subprocess.Popen[bytes]]] = {}

    def begin(self, port: int) -> None:
        """Start one, and return when it is healthy."""
        stack = ExitStack()
        log = self.folder / f"{port}.log"
        settings = {"DESCENT_LAB_METRICS": "1", "DESCENT_LAB_LOG": "json"}
        _, process = stack.enter_context(app_process("app.py", log, port, **settings))
        self._running[port] = stack, process

    def kill(self, port: int) -> None:
        """End one without a warning, as a machine does that loses its power."""
        stack, process = self._running.pop(port)
        process.send_signal(signal.SIGKILL)
        process.wait()
        stack.close()

    def restart(self, port: int) -> None:
        """End one as an administrator does, and begin it again."""
        stack, _ = self._running.pop(port)
        stack.close()
        self.begin(port)

    def logs(self) -> str:
        """What all replicas have written since they began."""
        return "".join((self.folder / f"{port}.log").read_text() for port in self.ports)

    def close(self) -> None:
        """End all."""
        for stack, _ in self._running.values():
            stack.close()


@contextmanager
def behind_nginx(folder: Path) -> Iterator[Replicas]:
    """Three replicas and nginx before them."""
    replicas = Replicas(folder)
    port = free_port()
    conf = folder / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""  # else its workers are nobody
    conf.write_text(
        _FRAME.format(folder=folder, user=user, site=site(replicas.ports, port, folder))
    )
    binary = nginx()
    assert binary is not None
    with ExitStack() as stack:
        stack.callback(replicas.close)
        for one in replicas.ports:
            replicas.begin(one)
        process = subprocess.Popen(
            [binary, "-p", str(folder), "-c", str(conf), "-e", str(folder / "error.log")]
        )
        stack.callback(process.wait, 10)
        stack.callback(process.terminate)
        replicas.address = f"http://127.0.0.1:{port}"
        wait_until_healthy(process, f"{replicas.address}/_stcore/health", folder / "error.log")
        yield replicas
