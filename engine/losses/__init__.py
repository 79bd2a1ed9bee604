"""The losses, and the information measures behind them."""

from engine.losses.functions import (
    MARGIN_LOSSES,
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    focal,
    hinge,
    log_softmax,
    margin_hinge,
    margin_logistic,
    margin_squared,
    margin_zero_one,
    mse,
    softmax,
    zero_one,
)

__all__ = [
    "MARGIN_LOSSES",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "focal",
    "hinge",
    "log_softmax",
    "margin_hinge",
    "margin_logistic",
    "margin_squared",
    "margin_zero_one",
    "mse",
    "softmax",
    "zero_one",
]
