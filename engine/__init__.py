"""The mathematics of Descent Lab: derivatives, landscapes, optimizers, runs.

Everything here is plain numbers and arrays; nothing knows of a browser.
"""

from engine import autograd
from engine.descent import Descent, descend
from engine.landscapes import LANDSCAPES, Landscape
from engine.optimizers import OPTIMIZERS, Optimizer
from engine.stability import Explanation, explain

__all__ = [
    "LANDSCAPES",
    "OPTIMIZERS",
    "Descent",
    "Explanation",
    "Landscape",
    "Optimizer",
    "autograd",
    "descend",
    "explain",
]
