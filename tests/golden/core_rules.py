"""The rules of the course's core (B1–B9) and the library call that is the reference of each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import optax
import torch

from tests.golden import reference
from tests.golden.oracles import (
    INDEPENDENT,
    OPTAX,
    TORCH,
    Rule,
    Run,
    by_hand,
    by_optax,
    by_torch,
)
from tests.golden.problems import PROBLEMS, Problem


def core_rules() -> Iterator[Rule]:
    """Every core rule under each of its named conventions."""
    yield from momentum_rules()
    yield from adaptive_rules()
    yield from adam_rules()


def momentum_rules() -> Iterator[Rule]:
    """B1–B3: gradient descent, the three momentums, the two Nesterovs."""
    rate = optax.scale_by_learning_rate
    lrs = (0.015, 0.015, 5e-4, 0.01, 0.01)
    plain = by_torch(torch.optim.SGD)
    yield Rule("sgd", {}, {}, lrs, (*TORCH, "SGD"), plain)
    yield Rule("sgd", {}, {}, lrs, (*TORCH, "SGD"), plain, scheduled=True)

    lrs = (0.004, 0.004, 2e-4, 0.002, 0.001)
    for beta in (0.9, 0.8):
        runs: dict[str, tuple[str, Run]] = {
            "velocity": ((*TORCH, "SGD(momentum)"), by_torch(torch.optim.SGD, momentum=beta)),
            "lr_inside": (
                (*OPTAX, "chain(scale_by_learning_rate, trace)"),
                by_optax(lambda lr, b=beta: optax.chain(rate(lr), optax.trace(b))),
            ),
            "averaged": (
                (*OPTAX, "chain(ema(debias=False), scale_by_learning_rate)"),
                by_optax(lambda lr, b=beta: optax.chain(optax.ema(b, debias=False), rate(lr))),
            ),
        }
        for form, (name, run) in runs.items():
            scale = 1 / (1 - beta) if form == "averaged" else 1.0
            rates = tuple(lr * scale for lr in lrs)
            yield Rule(
                "momentum", {"form": form}, {"beta": beta}, rates, name, run, scheduled=beta == 0.9
            )
        yield Rule(
            "nesterov",
            {"form": "pytorch"},
            {"beta": beta},
            lrs,
            (*TORCH, "SGD(nesterov=True)"),
            by_torch(torch.optim.SGD, momentum=beta, nesterov=True),
            scheduled=beta == 0.8,
        )
        yield Rule(
            "nesterov",
            {"form": "lookahead"},
            {"beta": beta},
            lrs,
            (*INDEPENDENT, "Sutskever et al. 2013, section 2"),
            by_hand(reference.nesterov_lookahead, beta=beta),
            scheduled=beta == 0.8,
        )


def adaptive_rules() -> Iterator[Rule]:
    """B4–B6: Adagrad, Adadelta, RMSProp."""
    lrs = (0.3, 0.3, 0.1, 0.1, 0.3)
    for eps in (1e-10, 1e-2):
        yield Rule(
            "adagrad",
            {"epsilon": "outside"},
            {"eps": eps},
            lrs,
            (*TORCH, "Adagrad"),
            by_torch(torch.optim.Adagrad, eps=eps),
        )
        yield Rule(
            "adagrad",
            {"epsilon": "inside"},
            {"eps": eps},
            lrs,
            (*OPTAX, "adagrad(initial_accumulator_value=0)"),
            by_optax(lambda lr, e=eps: optax.adagrad(lr, initial_accumulator_value=0.0, eps=e)),
        )

    for rho, eps in ((0.9, 1e-6), (0.95, 3e-6)):
        yield Rule(
            "adadelta",
            {},
            {"rho": rho, "eps": eps},
            (1.0,) * 5,
            (*TORCH, "Adadelta"),
            by_torch(torch.optim.Adadelta, rho=rho, eps=eps),
        )

    lrs = (0.004, 0.004, 0.001, 0.002, 0.005)
    for beta, eps in ((0.99, 1e-8), (0.95, 1e-2)):
        for centered in (False, True):
            yield Rule(
                "rmsprop",
                {"epsilon": "outside", "centered": centered},
                {"beta": beta, "eps": eps},
                lrs,
                (*TORCH, f"RMSprop(centered={centered})"),
                by_torch(torch.optim.RMSprop, alpha=beta, eps=eps, centered=centered),
            )
            yield Rule(
                "rmsprop",
                {"epsilon": "inside", "centered": centered},
                {"beta": beta, "eps": eps},
                lrs,
                (*OPTAX, f"rmsprop(centered={centered})"),
                by_optax(lambda lr, b=beta, e=eps, c=centered: optax.rmsprop(lr, b, e, centered=c)),
            )


def adam_rules() -> Iterator[Rule]:
    """B7–B9: Adam, its weight decays, AMSGrad."""
    adam, lrs = torch.optim.Adam, (0.02, 0.02, 0.01, 0.02, 0.05)
    far = "step counter begun at 1e9, where 1 - beta**t is 1"
    for beta1, beta2, eps in ((0.9, 0.999, 1e-8), (0.8, 0.99, 1e-3)):
        hypers = {"beta1": beta1, "beta2": beta2, "eps": eps}
        settings: dict[str, Any] = {"betas": (beta1, beta2), "eps": eps}
        moments: dict[str, Any] = {"b1": beta1, "b2": beta2, "eps": eps}
        in_root: dict[str, Any] = {"b1": beta1, "b2": beta2, "eps": 0.0, "eps_root": eps}

        plain = by_torch(adam, **settings)
        for scheduled in (False, True):
            options: dict[str, str | bool] = {"bias_correction": True, "epsilon": "outside"}
            yield Rule("adam", options, hypers, lrs, (*TORCH, "Adam"), plain, scheduled)
        yield Rule(
            "adam",
            {"bias_correction": False, "epsilon": "outside"},
            hypers,
            lrs,
            (*TORCH, f"Adam, {far}"),
            by_torch(adam, **settings, uncorrected=True),
        )
        yield Rule(
            "adam",
            {"bias_correction": True, "epsilon": "inside"},
            hypers,
            lrs,
            (*OPTAX, "adam(eps=0, eps_root)"),
            by_optax(lambda lr, kw=in_root: optax.adam(lr, **kw)),
        )

        yield from other_conventions(hypers, settings, in_root, lrs, far)
        for decay in (0.01, 0.3):
            decayed = {**hypers, "weight_decay": decay}
            yield Rule(
                "adam_l2",
                {},
                decayed,
                lrs,
                (*TORCH, "Adam(weight_decay)"),
                by_torch(adam, **settings, weight_decay=decay),
            )
            yield Rule(
                "adamw",
                {"decay": "times_lr"},
                decayed,
                lrs,
                (*TORCH, "AdamW"),
                by_torch(torch.optim.AdamW, **settings, weight_decay=decay),
                scheduled=decay == 0.3,
            )
        for scheduled in (False, True):
            yield Rule(
                "adamw",
                {"decay": "times_schedule"},
                {**hypers, "weight_decay": 0.005},
                lrs,
                (*OPTAX, "chain(scale_by_adam, scale, add_decayed_weights, scale_by_schedule)"),
                paper_adamw(moments, decay=0.005, base_lrs=lrs),
                scheduled,
            )

        yield Rule(
            "amsgrad",
            {"maximum": "raw"},
            hypers,
            lrs,
            (*TORCH, "Adam(amsgrad=True)"),
            by_torch(adam, **settings, amsgrad=True),
        )
        yield Rule(
            "amsgrad",
            {"maximum": "corrected"},
            hypers,
            lrs,
            (*OPTAX, "amsgrad"),
            by_optax(lambda lr, kw=moments: optax.amsgrad(lr, **kw)),
        )
        yield Rule(
            "amsgrad",
            {"maximum": "paper"},
            hypers,
            lrs,
            (*TORCH, f"Adam(amsgrad=True), {far}"),
            by_torch(adam, **settings, amsgrad=True, uncorrected=True),
        )


def other_conventions(
    hypers: dict[str, float],
    settings: dict[str, Any],
    in_root: dict[str, Any],
    lrs: tuple[float, ...],
    far: str,
) -> Iterator[Rule]:
    """The remaining combinations of Adam's switches, by a library where one has them."""
    on, off = ({"bias_correction": flag} for flag in (True, False))
    outside, inside = ({"epsilon": place} for place in ("outside", "inside"))
    own = (*INDEPENDENT, "Kingma & Ba 2015, algorithm 1, its variants as switches")
    decay, small = 0.1, 0.005
    decayed, slightly = ({**hypers, "weight_decay": d} for d in (decay, small))

    def hand(**switches: Any) -> Run:
        return by_hand(reference.adam_with, **hypers, **switches)

    raw: dict[str, Any] = {"corrected": False, "inside": True}
    yield Rule("adam", {**off, **inside}, hypers, lrs, own, hand(**raw))

    l2 = (*OPTAX, "chain(add_decayed_weights, adam(eps=0, eps_root))")
    yield Rule(
        "adam_l2", {**on, **inside}, decayed, lrs, l2,
        by_optax(
            lambda lr, kw=in_root: optax.chain(
                optax.add_decayed_weights(decay), optax.adam(lr, **kw)
            )
        ),
    )  # fmt: skip
    yield Rule(
        "adam_l2", {**off, **outside}, decayed, lrs, (*TORCH, f"Adam(weight_decay), {far}"),
        by_torch(torch.optim.Adam, **settings, weight_decay=decay, uncorrected=True),
    )  # fmt: skip
    yield Rule("adam_l2", {**off, **inside}, decayed, lrs, own, hand(**raw, penalty=decay))

    by_rate, by_schedule = ({"decay": how} for how in ("times_lr", "times_schedule"))
    yield Rule(
        "adamw", {**on, **inside, **by_rate}, decayed, lrs, (*OPTAX, "adamw(eps=0, eps_root)"),
        by_optax(lambda lr, kw=in_root: optax.adamw(lr, weight_decay=decay, **kw)),
    )  # fmt: skip
    yield Rule(
        "adamw", {**off, **outside, **by_rate}, decayed, lrs, (*TORCH, f"AdamW, {far}"),
        by_torch(torch.optim.AdamW, **settings, weight_decay=decay, uncorrected=True),
    )  # fmt: skip
    yield Rule(
        "adamw", {**off, **inside, **by_rate}, decayed, lrs,
        (*OPTAX, "chain(ema, ema of squares, add_decayed_weights)"), raw_adamw(in_root, decay),
    )  # fmt: skip
    for corrected, within in ((True, True), (False, False), (False, True)):
        options = {**(on if corrected else off), **(inside if within else outside), **by_schedule}
        yield Rule(
            "adamw", options, slightly, lrs, own,
            hand(corrected=corrected, inside=within, decay=small),
        )  # fmt: skip

    yield Rule(
        "amsgrad", {**inside, "maximum": "corrected"}, hypers, lrs,
        (*OPTAX, "amsgrad(eps=0, eps_root)"),
        by_optax(lambda lr, kw=in_root: optax.amsgrad(lr, **kw)),
    )  # fmt: skip
    for maximum, corrected in (("raw", True), ("paper", False)):
        yield Rule(
            "amsgrad", {**inside, "maximum": maximum}, hypers, lrs, own,
            hand(corrected=corrected, inside=True, largest=True),
        )  # fmt: skip


def raw_adamw(in_root: dict[str, Any], decay: float) -> Run:
    """AdamW of raw averages, ε under the root, put together from optax's parts."""

    def raw_adam() -> optax.GradientTransformation:
        averages = optax.ema(in_root["b1"], debias=False), optax.ema(in_root["b2"], debias=False)

        def init(w: Any) -> Any:
            return tuple(average.init(w) for average in averages)

        def update(g: Any, state: Any, w: Any = None) -> Any:
            m, first = averages[0].update(g, state[0])
            v, second = averages[1].update(g * g, state[1])
            return m / (v + in_root["eps_root"]) ** 0.5, (first, second)

        return optax.GradientTransformation(init, update)

    return by_optax(
        lambda lr: optax.chain(
            raw_adam(), optax.add_decayed_weights(decay), optax.scale_by_learning_rate(lr)
        )
    )


def paper_adamw(moments: dict[str, Any], decay: float, base_lrs: tuple[float, ...]) -> Run:
    """AdamW as printed by Loshchilov & Hutter (2019), alg. 2: the decay is multiplied by the
    schedule's multiplier η_t alone, not by the base rate α."""

    def run(problem: Problem, starts: np.ndarray, lrs: np.ndarray) -> np.ndarray:
        base = base_lrs[PROBLEMS.index(problem)]
        return by_optax(
            lambda lr: optax.chain(
                optax.scale_by_adam(**moments),
                optax.scale(base),
                optax.add_decayed_weights(decay),
                optax.scale_by_schedule(lambda count: -lr(count) / base),
            )
        )(problem, starts, lrs)

    return run
