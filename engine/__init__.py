"""The mathematics of Descent Lab: derivatives, landscapes, optimizers, runs.

Everything here is plain numbers and arrays; nothing knows of a browser.
"""

from engine import losses
from engine.losses import information
from engine.optimizers import OPTIMIZERS, Optimizer, schedules
from engine.optimizers.schedules import SCHEDULES, Schedule
from engine.optimizers.typed import optimizer
from engine.problems import data, networks
from engine.problems.formula import FormulaError, landscape
from engine.problems.landscapes import LANDSCAPES, Landscape
from engine.runs.browser import browser_function, browser_run, browser_sweep
from engine.runs.descent import Descent, descend
from engine.runs.learning import Competitor, Progress, Training, train
from engine.runs.streams import Stream, follow
from engine.runs.sweeps import Sweep, sweep
from engine.studies.stability import Explanation, explain, explain_each
from engine.tape import autograd

__all__ = [
    "LANDSCAPES",
    "OPTIMIZERS",
    "SCHEDULES",
    "Competitor",
    "Descent",
    "Explanation",
    "FormulaError",
    "Landscape",
    "Optimizer",
    "Progress",
    "Schedule",
    "Stream",
    "Sweep",
    "Training",
    "autograd",
    "browser_function",
    "browser_run",
    "browser_sweep",
    "data",
    "descend",
    "explain",
    "explain_each",
    "follow",
    "information",
    "landscape",
    "losses",
    "networks",
    "optimizer",
    "schedules",
    "sweep",
    "train",
]
