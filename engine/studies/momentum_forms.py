"""The three ways to write momentum, which are one at a constant rate and part under a schedule.

Velocity and average multiply the whole of v by the rate of now. With the rate inside, v ← βv + ηg,
every gradient keeps the rate of its own step for as long as v remembers it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

FORMS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "velocity": "v ← βv + g, step ηv",
        "averaged": "v ← βv + (1−β)g, step ηv/(1−β)",
        "lr_inside": "v ← βv + ηg, step v",
    }
)


def matched(hypers: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Hyper-parameters by form, such that all take the same steps at a constant rate.

    hypers (lr and beta, which may be traced) are those of the velocity form; the average of
    gradients is 1 − β times their fading sum, so its rate is η/(1 − β).
    """
    averaged = {**hypers, "lr": hypers["lr"] / (1.0 - hypers["beta"])}
    return {form: averaged if form == "averaged" else dict(hypers) for form in FORMS}
