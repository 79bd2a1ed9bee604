"""Makes the golden numbers of losses and information: ``python -m tests.golden.make_losses``.

Needs PyTorch and SciPy of ``requirements-bench.txt``, which the app itself never imports. Stores,
for seeded inputs of ordinary and of extreme size, each loss's elements and the gradient of their
mean (PyTorch), and entropies and divergences in each base (SciPy). Arrays are named "case/part".
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import scipy.special
import scipy.stats
import torch
import torch.nn.functional as F
from scipy.spatial.distance import jensenshannon

EXTREME = 1e4


def with_gradient(
    loss: Callable[[torch.Tensor], torch.Tensor], at: np.ndarray
) -> dict[str, np.ndarray]:
    """The elements of a loss and the gradient of their mean, where its input is ``at``."""
    x = torch.tensor(at, requires_grad=True)
    elements = loss(x)
    elements.mean().backward()
    assert x.grad is not None
    return {"input": at, "elements": elements.detach().numpy(), "gradient": x.grad.numpy()}


def focal(z: torch.Tensor, y: torch.Tensor, gamma: float, alpha: float | None) -> torch.Tensor:
    """Focal loss as Lin et al. (2017) print it, equations 4 and 5, from p_t."""
    p = torch.sigmoid(z)
    p_t = torch.where(y == 1, p, 1 - p)
    ce = F.binary_cross_entropy_with_logits(z, y, reduction="none")
    a_t = 1.0 if alpha is None else torch.where(y == 1, alpha, 1 - alpha)
    return a_t * (1 - p_t) ** gamma * ce


def loss_cases(rng: np.random.Generator) -> dict[str, dict[str, np.ndarray]]:
    """Every loss on a batch of 64, under the name of the engine's function and a note."""
    z = rng.normal(0, 3, 64)
    binary = rng.integers(0, 2, 64).astype(float)
    soft = rng.uniform(0, 1, 64)
    signs = 2 * binary - 1
    p = rng.uniform(0.01, 0.99, 64)
    logits = rng.normal(0, 4, (64, 7))
    extreme = rng.choice([-EXTREME, 0.0, 1.0, EXTREME], (64, 7))
    classes = rng.integers(0, 7, 64)
    shares = rng.dirichlet(np.ones(7), 64)
    t = torch.tensor
    none = {"reduction": "none"}
    cases = {
        "mse": with_gradient(lambda x: F.mse_loss(x, t(soft), **none), z) | {"target": soft},
        "hinge": with_gradient(lambda x: torch.relu(1 - t(signs) * x), z) | {"target": signs},
        "margin_logistic": with_gradient(
            lambda x: F.soft_margin_loss(x, torch.ones_like(x), **none), z
        ),
    }
    for note, y in (("labels", binary), ("soft", soft)):
        cases[f"binary_cross_entropy {note}"] = with_gradient(
            lambda x, y=y: F.binary_cross_entropy(x, t(y), **none), p
        ) | {"target": y}
        cases[f"binary_cross_entropy_with_logits {note}"] = with_gradient(
            lambda x, y=y: F.binary_cross_entropy_with_logits(x, t(y), **none), z
        ) | {"target": y}
    for note, at in (("", logits), (" extreme", extreme)):
        for kind, y in (("classes", classes), ("probabilities", shares)):
            cases[f"cross_entropy {kind}{note}"] = with_gradient(
                lambda x, y=y: F.cross_entropy(x, t(y), **none), at
            ) | {"target": y}
        for temperature in (0.1, 1.0, 25.0):
            cases[f"log_softmax {temperature}{note}"] = with_gradient(
                lambda x, T=temperature: F.log_softmax(x / T, dim=-1)[:, 0], at
            ) | {"softmax": scipy.special.softmax(at / temperature, axis=-1)}
    for gamma in (0.0, 0.5, 2.0, 5.0):
        for alpha in (None, 0.25):
            cases[f"focal {gamma} {alpha}"] = with_gradient(
                lambda x, g=gamma, a=alpha: focal(x, t(binary), g, a), z
            ) | {"target": binary}
    return cases


def information_cases(rng: np.random.Generator) -> dict[str, dict[str, np.ndarray]]:
    """Entropies and divergences of 32 pairs of distributions over 6 outcomes, a third of them 0."""
    p, q = rng.dirichlet(np.full(6, 0.5), (2, 32))
    p[rng.uniform(size=p.shape) < 0.33] = 0
    p[:, 0] += 0.01
    p /= p.sum(axis=-1, keepdims=True)
    cases = {"pairs": {"p": p, "q": q}}
    for name, base in (("2", 2.0), ("e", math.e), ("10", 10.0)):
        kl = scipy.stats.entropy(p, q, base=base, axis=-1)
        cases[f"base {name}"] = {
            "entropy": scipy.stats.entropy(p, base=base, axis=-1),
            "kl_divergence": kl,
            "cross_entropy": scipy.special.kl_div(p, q).sum(-1) / math.log(base)
            + scipy.special.entr(p).sum(-1) / math.log(base),
            "js_divergence": jensenshannon(p, q, base=base, axis=-1) ** 2,
        }
    return cases


def main() -> None:
    """Writes ``losses.npz`` beside this file."""
    rng = np.random.default_rng(1948)
    arrays: dict[str, np.ndarray] = {}
    for name, parts in (loss_cases(rng) | information_cases(rng)).items():
        arrays |= {f"{name}/{part}": value for part, value in parts.items()}
    libraries = {name: version(name).split("+")[0] for name in ("torch", "scipy", "numpy")}
    arrays["libraries"] = np.array(json.dumps(libraries))
    target = Path(__file__).parent / "losses.npz"
    np.savez_compressed(target, **arrays)
    print(f"{target.name}: {len(arrays) - 1} arrays, {target.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
