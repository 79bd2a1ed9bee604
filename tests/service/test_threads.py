"""Small matrix products stay in the thread that asks for them."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from tests.browser import ROOT

_SAID = """
import app, json, numpy
from threadpoolctl import threadpool_info
print(json.dumps([[p["internal_api"], p["num_threads"]] for p in threadpool_info()]))
"""


def test_the_server_shares_no_matrix_product_over_threads() -> None:
    clean = {name: v for name, v in os.environ.items() if not name.endswith("_NUM_THREADS")}
    done = subprocess.run(
        [sys.executable, "-c", _SAID], cwd=ROOT, env=clean, capture_output=True, text=True,
        timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    pools = dict(json.loads(done.stdout.splitlines()[-1]))
    assert pools
    assert set(pools.values()) == {1}
