"""The mathematics of Descent Lab: derivatives, landscapes, optimizers, runs.

Everything here is plain numbers and arrays; nothing knows of a browser.
"""

from engine import autograd, information, losses
from engine.descent import Descent, descend
from engine.formula import FormulaError, landscape
from engine.landscapes import LANDSCAPES, Landscape
from engine.optimizers import OPTIMIZERS, Optimizer
from engine.rule_text import optimizer
from engine.schedules import SCHEDULES, Schedule
from engine.stability import Explanation, explain, explain_each
from engine.streams import Stream, follow
from engine.sweeps import Sweep, sweep

__all__ = [
    "LANDSCAPES",
    "OPTIMIZERS",
    "SCHEDULES",
    "Descent",
    "Explanation",
    "FormulaError",
    "Landscape",
    "Optimizer",
    "Schedule",
    "Stream",
    "Sweep",
    "autograd",
    "descend",
    "explain",
    "explain_each",
    "follow",
    "information",
    "landscape",
    "losses",
    "optimizer",
    "sweep",
]
