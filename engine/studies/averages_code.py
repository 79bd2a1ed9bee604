"""Adam's averages of a stream of gradients as code: written out in NumPy, and read from the state
that PyTorch's Adam and optax's hold.

Every script leaves `m`, `v`, `m_hat` and `v_hat` after the last gradient.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_NUMPY: Final = """import numpy as np

{given}
m = v = 0.0
for t, g_t in enumerate(g, start=1):
    m = beta1 * m + (1 - beta1) * g_t
    v = beta2 * v + (1 - beta2) * g_t**2
{corrected}
"""
_TORCH: Final = """import numpy as np
import torch

torch.set_default_dtype(torch.float64)
{given}
w = torch.zeros(1, requires_grad=True)
optimizer = torch.optim.Adam([w], betas=(beta1, beta2))
for g_t in g:
    w.grad = torch.tensor([g_t])
    optimizer.step()
state = optimizer.state[w]
m, v, t = state["exp_avg"].item(), state["exp_avg_sq"].item(), len(g)
{corrected}
"""
_OPTAX: Final = """import jax
import numpy as np
import optax

jax.config.update("jax_enable_x64", True)
{given}
adam = optax.scale_by_adam(b1=beta1, b2=beta2)
state = adam.init(np.zeros(1))
for g_t in g:
    update, state = adam.update(np.array([g_t]), state)
m, v, t = state.mu.item(), state.nu.item(), len(g)
{corrected}
"""
_CORRECTED: Final = """m_hat = m / (1 - beta1**t)  # an average that starts at 0 reads too low
v_hat = v / (1 - beta2**t)
print(m, v, m_hat, v_hat)"""


def averages_scripts(gradients: Sequence[float], beta1: float, beta2: float) -> dict[str, str]:
    """The scripts by framework, for these gradients (one or more)."""
    numbers = ", ".join(repr(float(g)) for g in gradients)
    given = f"beta1, beta2 = {float(beta1)!r}, {float(beta2)!r}\ng = np.array([{numbers}])"
    forms = {"NumPy": _NUMPY, "PyTorch": _TORCH, "optax": _OPTAX}
    return {
        name: form.format(given=given, corrected=_CORRECTED).replace("\n\n\n", "\n\n")
        for name, form in forms.items()
    }
