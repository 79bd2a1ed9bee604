"""The optimizers: to add one, add one entry to one of the files here.

A rule is written as on paper, `rule(oracle, w, s, h, o) -> (next w, next state)`, on a point w (a
Vector of coordinates): the oracle answers for gradient, loss and Hessian at any point and knows the
step t = 1, 2, …; s is the state, h the hyper-parameters, o the options (named conventions). What a
rule returns beside its declared state (a corrected moment, say) is kept for whoever looks inside.

LaTeX lines hold placeholders: `<m>` is the new value, `<m->` the one before, `<lr>` a
hyper-parameter; readers fill in symbols or current numbers. Defaults are PyTorch's where PyTorch
has the rule, otherwise the paper's; PyTorch has no default momentum, where we take the usual 0.9.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from engine.optimizers import (
    adam_today,
    adaptive,
    beyond_adam,
    curvature,
    factored,
    line_search,
    momentum,
    signs_and_layers,
    wrappers,
)
from engine.optimizers.curvature import newton_schulz
from engine.optimizers.description import Optimizer, Option, Oracle, Rule, Slot, State
from engine.optimizers.shared import beta, decay, lr
from engine.optimizers.wrappers import WRAPPERS, wrap
from engine.problems.parameter import Parameter

# Each file is a branch of the family.
BRANCHES: Mapping[str, tuple[Optimizer, ...]] = MappingProxyType(
    {
        "memory of gradients": momentum.ENTRIES,
        "a rate for each coordinate": adaptive.ENTRIES,
        "beyond Adam": beyond_adam.ENTRIES,
        "Adam today": adam_today.ENTRIES,
        "signs and layers": signs_and_layers.ENTRIES,
        "round another rule": wrappers.ENTRIES,
        "line searches": line_search.ENTRIES,
        "curvature and matrices": curvature.ENTRIES,
        "by rows and columns": factored.ENTRIES,
    }
)

OPTIMIZERS: Mapping[str, Optimizer] = MappingProxyType(
    {entry.slug: entry for entries in BRANCHES.values() for entry in entries}
)

__all__ = [
    "BRANCHES",
    "OPTIMIZERS",
    "WRAPPERS",
    "Optimizer",
    "Option",
    "Oracle",
    "Parameter",
    "Rule",
    "Slot",
    "State",
    "beta",
    "decay",
    "lr",
    "newton_schulz",
    "wrap",
]
