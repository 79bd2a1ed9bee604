"""Adam's averages as code: the scripts end where the laboratory's averages do."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

from engine.studies.averages_code import averages_scripts
from engine.studies.bias_correction import averages, sample


@pytest.mark.parametrize("framework", ["NumPy", "PyTorch", "optax"])
def test_the_averages_are_the_laboratorys(framework: str) -> None:
    os.environ["JAX_ENABLE_X64"] = "1"
    pytest.importorskip({"NumPy": "numpy", "PyTorch": "torch", "optax": "optax"}[framework])
    g = sample("constant", 40, level=1.3, noise=0.4, seed=2).gradients
    found = averages(g, 0.9, 0.99)
    scope: dict[str, Any] = {"print": lambda *said: None}
    exec(averages_scripts(g, 0.9, 0.99)[framework], scope)
    for name in ("m", "v", "m_hat", "v_hat"):
        assert np.isclose(scope[name], getattr(found, name)[-1], rtol=1e-12, atol=0)
