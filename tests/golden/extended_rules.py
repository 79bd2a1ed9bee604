"""The rules beyond the core (B10–B17) and the library call that is the reference of each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import optax
import pytorch_optimizer
import qhoptim.pyt
import torch

from tests.golden import reference
from tests.golden.oracles import (
    INDEPENDENT,
    OPTAX,
    PYTORCH_OPTIMIZER,
    QHOPTIM,
    TORCH,
    Rule,
    Run,
    bfloat16_as_float64,
    by_hand,
    by_optax,
    by_torch,
)
from tests.golden.problems import Problem

# m over g² grows as the gradient shrinks: the rates keep each run away from its minimum.
SQUARES_LRS = (0.002, 0.002, 0.0005, 0.002, 0.01)
ADAM_LRS = (0.004, 0.004, 0.004, 0.004, 0.01)


def extended_rules() -> Iterator[Rule]:
    """Every rule beyond the core under each of its named conventions."""
    yield from momentum_kin()
    yield from adam_kin()
    yield from sign_and_difference_rules()
    yield from curvature_rules()
    yield from schedule_free_rules()


def momentum_kin() -> Iterator[Rule]:
    """AggMo, and Muon on a 1 × 2 matrix."""
    for betas in ((0.0, 0.9, 0.99), (0.0, 0.5, 0.9)):
        hypers = dict(zip(("beta1", "beta2", "beta3"), betas, strict=True))
        for scheduled in (False, True):
            yield Rule(
                "aggmo",
                {},
                hypers,
                (3e-4, 3e-4, 2e-5, 1e-4, 5e-5),
                (*PYTORCH_OPTIMIZER, "AggMo"),
                by_torch(pytorch_optimizer.AggMo, betas=betas),
                scheduled,
            )
    for nesterov in (True, False):
        for scale, beta, decay in (("original", 0.95, 0.0), ("match_rms_adamw", 0.8, 0.1)):
            yield Rule(
                "muon",
                {"nesterov": nesterov, "scale": scale},
                {"beta": beta, "weight_decay": decay},
                (0.002, 0.002, 0.0005, 0.002, 0.002),
                (*TORCH, f"Muon(adjust_lr_fn={scale!r}), its Newton–Schulz cast to float64"),
                muon_in_float64(
                    momentum=beta, weight_decay=decay, nesterov=nesterov, adjust_lr_fn=scale
                ),
            )

        # The factor √max(1, rows/columns) is 1 for the 1 × 2 matrix that a point is.
        yield Rule(
            "muon",
            {"nesterov": nesterov, "scale": "none"},
            {"beta": 0.9, "weight_decay": 0.05},
            (0.002, 0.002, 0.0005, 0.002, 0.002),
            (*TORCH, "Muon on 1 × 2, where its factor is 1, Newton–Schulz in float64"),
            muon_in_float64(momentum=0.9, weight_decay=0.05, nesterov=nesterov),
        )


def muon_in_float64(**settings: Any) -> Run:
    """torch.optim.Muon on a 1 × 2 matrix, its Newton–Schulz iteration in float64."""
    run = by_torch(torch.optim.Muon, row=True, **settings)

    def exact(problem: Problem, starts: np.ndarray, lrs: np.ndarray) -> np.ndarray:
        with bfloat16_as_float64():
            return run(problem, starts, lrs)

    return exact


def adam_kin() -> Iterator[Rule]:
    """QHAdam, Nadam, RAdam, Adamax, Eve: Adam with one thing changed."""
    for beta1, beta2, eps in ((0.9, 0.999, 1e-8), (0.8, 0.99, 1e-3)):
        moments = {"beta1": beta1, "beta2": beta2}
        hypers = {**moments, "eps": eps}
        for_torch: dict[str, Any] = {"betas": (beta1, beta2), "eps": eps}
        for_optax: dict[str, Any] = {"b1": beta1, "b2": beta2, "eps": eps}

        for nus in ((0.7, 1.0), (0.5, 0.9)):
            yield Rule(
                "qhadam",
                {},
                {**hypers, "nu1": nus[0], "nu2": nus[1]},
                ADAM_LRS,
                (*QHOPTIM, "QHAdam"),
                by_torch(qhoptim.pyt.QHAdam, **for_torch, nus=nus),
            )
        yield Rule(
            "nadam",
            {"form": "pytorch"},
            {**hypers, "momentum_decay": 4e-3},
            ADAM_LRS,
            (*TORCH, "NAdam"),
            by_torch(torch.optim.NAdam, **for_torch),
        )
        yield Rule(
            "nadam",
            {"form": "dozat"},
            hypers,
            ADAM_LRS,
            (*OPTAX, "nadam"),
            by_optax(lambda lr, kw=for_optax: optax.nadam(lr, **kw)),
        )
        yield Rule(
            "radam",
            {"epsilon": "raw"},
            hypers,
            (0.002, 0.002, 0.0005, 0.002, 0.002),
            (*TORCH, "RAdam"),
            by_torch(torch.optim.RAdam, **for_torch),
        )
        yield Rule(
            "radam",
            {"epsilon": "corrected"},
            hypers,
            (0.002, 0.002, 0.0005, 0.002, 0.002),
            (*OPTAX, "radam"),
            by_optax(lambda lr, kw=for_optax: optax.radam(lr, **kw)),
        )
        yield Rule(
            "adamax",
            {},
            hypers,
            ADAM_LRS,
            (*TORCH, "Adamax"),
            by_torch(torch.optim.Adamax, **for_torch),
        )
        yield Rule(
            "adamax",
            {},
            hypers,
            ADAM_LRS,
            (*OPTAX, "adamax"),
            by_optax(lambda lr, kw=for_optax: optax.adamax(lr, **kw)),
        )
        for beta3, c, f_star in ((0.999, 10.0, -1.0), (0.9, 2.0, -0.1)):
            extra = {"beta3": beta3, "c": c, "f_star": f_star}
            yield Rule(
                "eve",
                {},
                {**hypers, **extra},
                (0.001, 0.001, 0.001, 0.001, 0.002),
                (*INDEPENDENT, "Koushik & Hayashi 2016, algorithm 1"),
                by_hand(reference.eve, **hypers, **extra),
            )


def sign_and_difference_rules() -> Iterator[Rule]:
    """Lion and Adan."""
    # Rates that no start is a multiple of: on an exact zero the sign would hang on rounding.
    lrs = (0.00371, 0.00371, 0.00053, 0.00371, 0.00511)
    for beta1, beta2, decay in ((0.9, 0.99, 0.0), (0.95, 0.98, 0.1)):
        hypers = {"beta1": beta1, "beta2": beta2, "weight_decay": decay}
        yield Rule(
            "lion",
            {},
            hypers,
            lrs,
            (*OPTAX, "lion"),
            by_optax(lambda lr, a=beta1, b=beta2, d=decay: optax.lion(lr, a, b, weight_decay=d)),
        )
        yield Rule(
            "lion",
            {},
            hypers,
            lrs,
            (*PYTORCH_OPTIMIZER, "Lion"),
            by_torch(pytorch_optimizer.Lion, betas=(beta1, beta2), weight_decay=decay),
        )
    lrs = (0.002, 0.002, 0.002, 0.001, 0.003)
    for betas, eps, decay in (((0.98, 0.92, 0.99), 1e-8, 0.0), ((0.95, 0.9, 0.98), 1e-2, 0.1)):
        hypers = {**dict(zip(("beta1", "beta2", "beta3"), betas, strict=True)), "eps": eps}
        hypers["weight_decay"] = decay
        yield Rule(
            "adan",
            {"form": "paper"},
            hypers,
            lrs,
            (*PYTORCH_OPTIMIZER, "Adan"),
            by_torch(pytorch_optimizer.Adan, betas=betas, eps=eps, weight_decay=decay),
        )
        yield Rule(
            "adan",
            {"form": "optax"},
            hypers,
            lrs,
            (*OPTAX, "adan(eps_root=0)"),
            by_optax(
                lambda lr, b=betas, e=eps, d=decay: optax.adan(
                    lr, *b, eps=e, eps_root=0.0, weight_decay=d
                )
            ),
        )


def curvature_rules() -> Iterator[Rule]:
    """Sophia, Shampoo and damped Newton."""
    for beta1, beta2, gamma, rho, interval in (
        (0.96, 0.99, 1.0, 0.01, 10),
        (0.9, 0.9, 0.5, 1.0, 3),
    ):
        moments = {"beta1": beta1, "beta2": beta2}
        limits = {"gamma": gamma, "rho": rho, "eps": 1e-12}
        lrs = (0.2, 0.2, 0.05, 0.1, 0.1) if rho < 1 else (0.002, 0.002, 0.0005, 0.002, 0.002)
        yield Rule(
            "sophia",
            {"form": "paper"},
            {**moments, **limits, "interval": interval},
            lrs,
            (*PYTORCH_OPTIMIZER, "SophiaH, step(hessian=γ times the exact diagonal)"),
            by_torch(
                pytorch_optimizer.SophiaH,
                # its own random estimate is due only at the first step, where we hand in ours
                update_period=10**9,
                betas=(beta1, beta2),
                p=rho,
                diagonal=lambda t, k=interval, c=gamma: c if t % k == 0 else 0.0,
            ),
        )
        signs = np.random.default_rng((0, 1)).choice((-1.0, 1.0), size=(500, 2))
        yield Rule(
            "sophia",
            {"form": "hutchinson"},
            {**moments, **limits, "interval": interval},
            lrs,
            (*PYTORCH_OPTIMIZER, "SophiaH, step(hessian=γ u ⊙ Hu for given signs u)"),
            by_torch(
                pytorch_optimizer.SophiaH,
                update_period=10**9,
                betas=(beta1, beta2),
                p=rho,
                diagonal=lambda t, k=interval, c=gamma: c if t % k == 0 else 0.0,
                probes=signs,
            ),
        )
        yield Rule(
            "sophia",
            {"form": "squares"},
            {**moments, **limits},
            lrs,
            (*INDEPENDENT, "Liu et al. 2023 with g² for the Hessian's diagonal"),
            by_hand(reference.sophia_of_squares, **moments, **limits),
        )
        yield Rule(
            "sophia",
            {"form": "simplified"},
            {**moments, "eps": 1e-12},
            SQUARES_LRS,
            (*INDEPENDENT, "the lectures' form: no γ, no clip"),
            by_hand(reference.sophia_of_squares, **moments, eps=1e-12),
        )
    for eps in (100.0, 1000.0):  # a smaller one leaves the matrix too near rank one for 1e-12
        yield Rule(
            "shampoo",
            {},
            {"eps": eps},
            (0.03, 0.03, 0.01, 0.02, 0.03),
            (*PYTORCH_OPTIMIZER, "Shampoo on a vector"),
            by_torch(pytorch_optimizer.Shampoo, matrix_eps=eps),
        )
    for damping in (0.1, 1.0):
        yield Rule(
            "newton",
            {"repair": "shift"},
            {"damping": damping},
            (0.01, 0.1, 0.01, 0.01, 0.01),
            (*INDEPENDENT, "Nocedal & Wright 2006, section 3.4"),
            by_hand(reference.damped_newton, damping=damping),
        )
        yield Rule(
            "newton",
            {"repair": "absolute"},
            {"damping": damping},
            (0.01, 0.1, 0.01, 0.01, 0.001),
            (*INDEPENDENT, "Dauphin et al. 2014"),
            by_hand(reference.saddle_free_newton, damping=damping),
        )


def schedule_free_rules() -> Iterator[Rule]:
    """Schedule-free SGD and AdamW; the path is that of the point where the gradient is taken."""
    for beta, decay in ((0.9, 0.0), (0.95, 0.1)):
        lrs = (0.005, 0.005, 2e-4, 0.002, 0.001)
        hypers = {"beta": beta, "weight_decay": decay}
        torch_run = by_torch(pytorch_optimizer.ScheduleFreeSGD, momentum=beta, weight_decay=decay)
        for scheduled in (False, True):
            name = (*PYTORCH_OPTIMIZER, "ScheduleFreeSGD")
            yield Rule("schedule_free_sgd", {}, hypers, lrs, name, torch_run, scheduled)
        yield Rule(
            "schedule_free_sgd",
            {},
            hypers,
            lrs,
            (*OPTAX, "contrib.schedule_free_sgd"),
            by_optax(
                lambda lr, b=beta, d=decay: optax.contrib.schedule_free_sgd(
                    lr(0), b1=b, weight_decay=d
                )
            ),
        )
    for beta1, beta2, eps, decay in ((0.9, 0.999, 1e-8, 0.0), (0.95, 0.99, 1e-3, 0.1)):
        hypers = {"beta1": beta1, "beta2": beta2, "eps": eps, "weight_decay": decay}
        settings = {"b1": beta1, "b2": beta2, "eps": eps, "weight_decay": decay}
        yield Rule(
            "schedule_free_adamw",
            {},
            hypers,
            (0.005, 0.005, 0.005, 0.005, 0.01),
            (*OPTAX, "contrib.schedule_free_adamw"),
            by_optax(lambda lr, kw=settings: optax.contrib.schedule_free_adamw(lr(0), **kw)),
        )
