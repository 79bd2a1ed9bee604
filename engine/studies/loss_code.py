"""A loss as code: its value and its gradient in PyTorch and in JAX with optax, by the frameworks'
own losses where they have them and by their own differentiation.

Every script leaves `value` and `gradient`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from textwrap import indent
from typing import Any, Final, Literal

Framework = Literal["PyTorch", "JAX"]

_TORCH: Final = """import torch

torch.set_default_dtype(torch.float64)

{given}
{by} = torch.tensor({start}, requires_grad=True)
{lines}
value.backward()
gradient = {by}.grad
print(value.item(), gradient)
"""
_JAX: Final = """import jax
import jax.numpy as jnp
import optax

jax.config.update("jax_enable_x64", True)

{given}


def loss({by}):
{lines}
    return value


value, gradient = jax.value_and_grad(loss)(jnp.array({start}))
print(value, gradient)
"""


def loss_scripts(
    loss: str, by: str, start: Any, *, base: float | None = None, **given: Any
) -> dict[str, str]:
    """PyTorch's and JAX's script of a loss of LOSSES at `start`, differentiated by the variable
    that it is called there; `given` are its other numbers. ValueError for an unknown loss.

    base is that of the logarithm that an information is measured by; frameworks give nats.
    """
    if loss not in LOSSES:
        raise ValueError(f"there is no loss {loss!r}; there are {', '.join(LOSSES)}")
    if base is not None:
        given["unit"] = math.log(base)
    settings = "\n".join(f"{name} = {value!r}" for name, value in given.items())
    torch, jax = LOSSES[loss](given)
    start = list(start) if isinstance(start, (tuple, list)) else float(start)
    made = {
        "PyTorch": _TORCH.format(given=settings, by=by, start=repr(start), lines="\n".join(torch)),
        "JAX": _JAX.format(
            given=settings, by=by, start=repr(start), lines=indent("\n".join(jax), "    ")
        ),
    }
    return {name: text.replace("\n\n\n\n", "\n\n\n") for name, text in made.items()}


Given = Mapping[str, Any]
Lines = tuple[list[str], list[str]]


def _scaled(expression: str, given: Given) -> str:
    return f"0.5 * {expression}" if given.get("half") else expression


def _squared(given: Given) -> Lines:
    torch = "torch.nn.functional.mse_loss(error, torch.zeros_like(error), reduction='sum')"
    return (
        [f"value = {_scaled(torch, given)}  # the two costs together"],
        [f"value = {_scaled('jnp.sum(optax.squared_error(error))', given)}  # the two together"],
    )


def _binary(given: Given) -> Lines:
    return (
        [
            "value = torch.nn.functional.binary_cross_entropy_with_logits(",
            "    z, torch.tensor(float(y))",
            ") / unit",
        ],
        ["value = optax.sigmoid_binary_cross_entropy(z, y) / unit"],
    )


def _focal(given: Given) -> Lines:
    """By the logit of the true class; torchvision and optax have it for labels of 0 and 1."""
    return (
        [
            "log_p = torch.nn.functional.logsigmoid(z)  # of the true class",
            "value = -alpha * (1 - log_p.exp()) ** gamma * log_p",
        ],
        ["value = alpha * optax.sigmoid_focal_loss(z, 1.0, gamma=gamma)  # of the true class"],
    )


def _margins(given: Given) -> Lines:
    return (
        [
            "hinge = torch.relu(1 - m)",
            "logistic = torch.nn.functional.softplus(-m)",
            "squared = (1 - m) ** 2",
            "value = {'hinge': hinge, 'logistic': logistic, 'squared': squared}[which]",
        ],
        [
            "hinge = optax.hinge_loss(m, 1.0)",
            "logistic = optax.sigmoid_binary_cross_entropy(m, 1.0)",
            "squared = (1 - m) ** 2",
            "value = {'hinge': hinge, 'logistic': logistic, 'squared': squared}[which]",
        ],
    )


def _softmax(given: Given) -> Lines:
    return (
        ["value = torch.nn.functional.cross_entropy(z / T, torch.tensor(true_class))"],
        ["value = optax.softmax_cross_entropy_with_integer_labels(z / T, true_class)"],
    )


def _one_neuron(given: Given) -> Lines:
    """Cross-entropy or squared error of one sigmoid unit, by its z."""
    return (
        [
            "y = torch.tensor(float(y))",
            "cross_entropy = torch.nn.functional.binary_cross_entropy_with_logits(z, y)",
            f"mse = {_scaled('torch.nn.functional.mse_loss(torch.sigmoid(z), y)', given)}",
            "value = {'cross-entropy': cross_entropy, 'MSE': mse}[which]",
        ],
        [
            "cross_entropy = optax.sigmoid_binary_cross_entropy(z, y)",
            f"mse = {_scaled('optax.squared_error(jax.nn.sigmoid(z), y)', given)}",
            "value = {'cross-entropy': cross_entropy, 'MSE': mse}[which]",
        ],
    )


def _entropy(given: Given) -> Lines:
    return (
        ["value = torch.special.entr(p).sum() / unit  # 0 · log 0 is 0"],
        ["value = jnp.sum(jax.scipy.special.entr(p)) / unit  # 0 · log 0 is 0"],
    )


LOSSES: Final[Mapping[str, Callable[[Given], Lines]]] = {
    "squared error": _squared,
    "binary cross-entropy": _binary,
    "focal": _focal,
    "margins": _margins,
    "softmax": _softmax,
    "one neuron": _one_neuron,
    "entropy": _entropy,
}
