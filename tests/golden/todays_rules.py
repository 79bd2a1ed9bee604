"""The rules that people use today, and the library call or loop that is the reference of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import jax.numpy as jnp
import numpy as np
import optax
import pytorch_optimizer
import torch

from tests.golden import todays_reference
from tests.golden.oracles import (
    INDEPENDENT,
    OPTAX,
    PYTORCH_OPTIMIZER,
    TORCH,
    Rule,
    Run,
    by_hand,
    by_optax,
    by_torch,
)
from tests.golden.problems import Problem

# The engine's signs for the seed 0, `engine.runs.descent.probe_signs`.
PROBES = np.random.default_rng((0, 1)).choice((-1.0, 1.0), size=(500, 2))
ADAM_LRS = (0.004, 0.004, 0.004, 0.004, 0.01)
# Rates that no start is a multiple of: on an exact zero the sign would hang on rounding.
SIGN_LRS = (0.00371, 0.00371, 0.00053, 0.00371, 0.00511)


def todays_rules() -> Iterator[Rule]:
    """Every rule of today under each of its named conventions."""
    yield from averaging()
    yield from adam_today()
    yield from signs_and_layers()
    yield from wrappers()
    yield from line_searches()
    yield from by_rows_and_columns()


def averaging() -> Iterator[Rule]:
    """ASGD."""
    for lambd, alpha, t0, scheduled in ((1e-4, 0.75, 1e6, False), (0.05, 0.5, 30.0, True)):
        hypers = {"lambd": lambd, "alpha": alpha, "t0": t0}
        yield Rule(
            "asgd", {}, hypers, (0.015, 0.015, 5e-4, 0.01, 0.01), (*TORCH, "ASGD"),
            by_torch(torch.optim.ASGD, **hypers, foreach=False), scheduled=scheduled,
        )  # fmt: skip


def adam_today() -> Iterator[Rule]:
    """NAdamW, AdaBelief, ADOPT, AdEMAMix, MARS, Prodigy."""
    for beta1, beta2, eps, penalty in ((0.9, 0.999, 1e-8, 0.05), (0.8, 0.99, 1e-3, 0.3)):
        hypers = {"beta1": beta1, "beta2": beta2, "eps": eps, "weight_decay": penalty}
        for_torch: dict[str, Any] = {"betas": (beta1, beta2), "eps": eps, "weight_decay": penalty}
        for_optax: dict[str, Any] = {"b1": beta1, "b2": beta2, "eps": eps, "weight_decay": penalty}
        yield Rule(
            "nadamw", {"form": "pytorch"}, {**hypers, "momentum_decay": 4e-3}, ADAM_LRS,
            (*TORCH, "NAdam(decoupled_weight_decay=True)"),
            by_torch(torch.optim.NAdam, **for_torch, decoupled_weight_decay=True),
        )  # fmt: skip
        yield Rule(
            "nadamw", {"form": "dozat"}, hypers, ADAM_LRS, (*OPTAX, "nadamw"),
            by_optax(lambda lr, kw=for_optax: optax.nadamw(lr, **kw)),
        )  # fmt: skip

    for beta1, beta2, eps in ((0.9, 0.999, 1e-8), (0.7, 0.99, 1e-4)):
        hypers = {"beta1": beta1, "beta2": beta2, "eps": eps}
        yield Rule(
            "adabelief", {}, hypers, (0.001, 0.001, 0.0002, 0.002, 0.001),
            (*OPTAX, "adabelief(eps_root=eps)"),
            by_optax(
                lambda lr, a=beta1, b=beta2, e=eps: optax.adabelief(lr, a, b, eps=e, eps_root=e)
            ),
        )  # fmt: skip

    for beta1, beta2, eps in ((0.9, 0.9999, 1e-6), (0.8, 0.99, 1e-3)):
        hypers = {"beta1": beta1, "beta2": beta2, "eps": eps}
        for clip in (True, False):
            yield Rule(
                "adopt", {"clipped": clip}, hypers, (0.002, 0.002, 0.0005, 0.002, 0.002),
                (*OPTAX, f"contrib.adopt(use_clipping={clip})"),
                by_optax(
                    lambda lr, a=beta1, b=beta2, e=eps, c=clip: optax.contrib.adopt(
                        lr, a, b, e, use_clipping=c
                    )
                ),
            )  # fmt: skip

    for beta3, alpha, warmup, penalty in ((0.9999, 5.0, 300.0, 0.0), (0.99, 2.0, 50.0, 0.1)):
        hypers = {"beta1": 0.9, "beta2": 0.999, "beta3": beta3, "alpha": alpha, "eps": 1e-8}
        hypers["weight_decay"] = penalty
        yield Rule(
            "ademamix", {"warm": False}, hypers, (0.002, 0.002, 0.0005, 0.002, 0.002),
            (*OPTAX, "contrib.ademamix"),
            by_optax(
                lambda lr, b=beta3, a=alpha, d=penalty: optax.contrib.ademamix(
                    lr, b3=b, alpha=a, weight_decay=d
                )
            ),
        )  # fmt: skip
        yield Rule(
            "ademamix", {"warm": True}, {**hypers, "warmup": warmup},
            (0.002, 0.002, 0.0005, 0.002, 0.002), (*PYTORCH_OPTIMIZER, "AdEMAMix(t_alpha_beta3=T)"),
            by_torch(
                pytorch_optimizer.AdEMAMix, betas=(0.9, 0.999, beta3), alpha=alpha,
                t_alpha_beta3=warmup, weight_decay=penalty, weight_decouple=True,
                foreach=False,
            ),
        )  # fmt: skip

    for beta1, beta2, gamma, penalty in ((0.95, 0.99, 0.025, 0.0), (0.8, 0.95, 0.1, 0.05)):
        hypers = {"beta1": beta1, "beta2": beta2, "gamma": gamma, "weight_decay": penalty}
        lrs = (0.002, 0.002, 0.0002, 0.0005, 0.002)
        yield Rule(
            "mars", {"form": "approximate"}, {**hypers, "eps": 1e-16},
            lrs,
            (*PYTORCH_OPTIMIZER, "MARS(optimize_1d=True, eps=0)"),
            by_torch(
                pytorch_optimizer.MARS, betas=(beta1, beta2), gamma=gamma, optimize_1d=True,
                weight_decay=penalty, eps=0.0, foreach=False,
            ),
        )  # fmt: skip
        yield Rule(
            "mars", {"form": "exact"}, {**hypers, "eps": 1e-3},
            lrs, (*INDEPENDENT, "Yuan et al. 2024, algorithm 2"),
            by_hand(todays_reference.mars_adamw, **hypers, eps=1e-3),
        )  # fmt: skip

    for d0, coefficient, penalty in ((1e-3, 1.0, 0.0), (1e-2, 0.5, 0.1)):
        hypers = {"beta1": 0.9, "beta2": 0.99, "d0": d0, "d_coef": coefficient, "eps": 1e-8}
        hypers["weight_decay"] = penalty
        for safeguard in (False, True):
            # The safeguard keeps the rate out of the weights: only a large one makes d grow.
            lrs = (0.5, 0.5, 0.02, 0.01, 0.5) if safeguard else (0.02, 0.02, 0.002, 0.01, 0.02)
            yield Rule(
                "prodigy", {"bias_correction": False, "safeguard": safeguard}, hypers, lrs,
                (*PYTORCH_OPTIMIZER, f"Prodigy(safeguard_warmup={safeguard})"),
                by_torch(
                    pytorch_optimizer.Prodigy, betas=(0.9, 0.99), d0=d0, d_coef=coefficient,
                    weight_decay=penalty, safeguard_warmup=safeguard, foreach=False,
                ),
            )  # fmt: skip
            yield Rule(
                "prodigy", {"bias_correction": True, "safeguard": safeguard}, hypers, lrs,
                (*OPTAX, f"contrib.prodigy(safeguard_warmup={safeguard})"),
                by_optax(
                    lambda lr, d=d0, c=coefficient, p=penalty, s=safeguard: optax.contrib.prodigy(
                        lr, betas=(0.9, 0.99), estim_lr0=d, estim_lr_coef=c, weight_decay=p,
                        safeguard_warmup=s,
                    )
                ),
            )  # fmt: skip


def signs_and_layers() -> Iterator[Rule]:
    """Rprop, Signum, LARS, LAMB."""
    for shrink, grow, smallest, largest in ((0.5, 1.2, 1e-6, 50.0), (0.7, 1.05, 1e-4, 0.05)):
        hypers = {"shrink": shrink, "grow": grow, "smallest": smallest, "largest": largest}
        yield Rule(
            "rprop", {"turn": "stay"}, hypers, SIGN_LRS, (*TORCH, "Rprop"),
            by_torch(torch.optim.Rprop, etas=(shrink, grow), step_sizes=(smallest, largest)),
        )  # fmt: skip
        yield Rule(
            "rprop", {"turn": "back"}, hypers, SIGN_LRS,
            (*INDEPENDENT, "Riedmiller & Braun 1993, figure 1"),
            by_hand(todays_reference.rprop, **hypers),
        )  # fmt: skip
    for memory in (0.9, 0.7):
        yield Rule(
            "signum", {}, {"beta": memory}, SIGN_LRS, (*OPTAX, "signum"),
            by_optax(lambda lr, b=memory: optax.signum(lr, b)),
        )  # fmt: skip

    for memory, trust, penalty in ((0.9, 0.001, 5e-4), (0.5, 0.02, 0.1)):
        hypers = {"beta": memory, "trust": trust, "weight_decay": penalty}
        for_optax = {"momentum": memory, "trust_coefficient": trust, "weight_decay": penalty}
        lrs = tuple(rate * 0.01 / trust for rate in (0.02, 0.02, 0.005, 0.02, 0.005))
        yield Rule(
            "lars", {"norm": "together", "rate": "inside"}, hypers, lrs, (*OPTAX, "lars"),
            by_optax(lambda lr, kw=for_optax: optax.lars(lr, **kw)),
        )  # fmt: skip
        yield Rule(
            "lars", {"norm": "apart", "rate": "outside"}, hypers, lrs,
            (*PYTORCH_OPTIMIZER, "LARS on 1 × 2"),
            by_torch(
                pytorch_optimizer.LARS, row=True, momentum=memory, trust_coefficient=trust,
                weight_decay=penalty, foreach=False,
            ),
        )  # fmt: skip
        for norm, rate in (("apart", "inside"), ("together", "outside")):
            yield Rule(
                "lars", {"norm": norm, "rate": rate}, hypers, lrs,
                (*INDEPENDENT, "You et al. 2017, algorithm 1, with both as switches"),
                by_hand(
                    todays_reference.lars, **hypers, together=norm == "together",
                    inside=rate == "inside",
                ),
            )  # fmt: skip

    for beta1, beta2, eps, penalty in ((0.9, 0.999, 1e-6, 0.01), (0.8, 0.99, 1e-2, 0.2)):
        hypers = {"beta1": beta1, "beta2": beta2, "eps": eps, "weight_decay": penalty}
        lrs = (0.001, 0.001, 0.0005, 0.001, 0.0005)
        yield Rule(
            "lamb", {"bias_correction": True}, hypers, lrs, (*OPTAX, "lamb"),
            by_optax(
                lambda lr, a=beta1, b=beta2, e=eps, d=penalty: optax.lamb(
                    lr, a, b, e, weight_decay=d
                )
            ),
        )  # fmt: skip
        yield Rule(
            "lamb", {"bias_correction": False}, hypers, lrs,
            (*INDEPENDENT, "You et al. 2019, algorithm 2, without its correction"),
            by_hand(todays_reference.lamb_uncorrected, **hypers),
        )  # fmt: skip


def wrappers() -> Iterator[Rule]:
    """Lookahead round Adam, SAM round momentum, caution round AdamW."""
    for beta1, beta2, eps, sync, pull in (
        (0.9, 0.999, 1e-8, 5.0, 0.5),
        (0.8, 0.99, 1e-3, 8.0, 0.8),
    ):
        hypers = {"beta1": beta1, "beta2": beta2, "eps": eps, "sync": sync, "pull": pull}
        yield Rule(
            "lookahead", {}, hypers, ADAM_LRS,
            (*INDEPENDENT, "Zhang et al. 2019, algorithm 1, round Adam"),
            by_hand(todays_reference.lookahead_adam, **hypers),
        )  # fmt: skip
    for memory, radius in ((0.9, 0.05), (0.7, 0.3)):
        hypers = {"beta": memory, "radius": radius}
        yield Rule(
            "sam", {}, hypers, (1e-4, 1e-4, 1e-5, 1e-4, 1e-5),
            (*INDEPENDENT, "Foret et al. 2020, algorithm 1, round momentum"),
            by_hand(todays_reference.sam_momentum, **hypers),
        )  # fmt: skip
    for beta1, beta2, eps, penalty in ((0.9, 0.999, 1e-8, 0.01), (0.8, 0.99, 1e-3, 0.1)):
        hypers = {"beta1": beta1, "beta2": beta2, "eps": eps, "weight_decay": penalty}
        for agreement in ("code", "paper"):
            yield Rule(
                "cautious", {"agreement": agreement}, hypers, (0.002, 0.002, 0.0005, 0.002, 0.002),
                (*INDEPENDENT, "Liang et al. 2024, algorithm 1, round AdamW"),
                by_hand(todays_reference.cautious_adamw, **hypers, one_more=agreement == "paper"),
            )  # fmt: skip


def line_searches() -> Iterator[Rule]:
    """Steepest descent, conjugate gradients and L-BFGS, each with a backtracking search."""
    for shrink, grow, enough in ((0.5, 2.0, 1e-4), (0.7, 1.5, 0.1)):
        hypers = {"shrink": shrink, "grow": grow, "enough": enough}
        yield Rule(
            "line_search", {}, hypers, LONGEST,
            (*INDEPENDENT, "Nocedal & Wright 2006, algorithm 3.1"),
            by_hand(todays_reference.conjugate_gradients, **hypers, form="steepest"),
        )  # fmt: skip
        for form in ("polak_ribiere", "fletcher_reeves"):
            yield Rule(
                "conjugate_gradient", {"form": form}, hypers, LONGEST,
                (*INDEPENDENT, "Nocedal & Wright 2006, algorithm 5.4"),
                by_hand(todays_reference.conjugate_gradients, **hypers, form=form),
            )  # fmt: skip
        del hypers["grow"]
        yield Rule(
            "lbfgs", {"step": "search"}, hypers, (1.0, 1.0, 0.001, 1.0, 1.0),
            (*INDEPENDENT, "Nocedal & Wright 2006, equation 7.16"),
            by_hand(todays_reference.lbfgs, **hypers),
        )  # fmt: skip
    yield Rule(
        "lbfgs", {"step": "fixed"}, {}, (0.01, 0.01, 0.0005, 0.002, 0.002),
        (*TORCH, "LBFGS(max_iter=1, history_size=5)"), lbfgs_of_torch,
    )  # fmt: skip


# The longest steps tried: short enough that a tiny shift of the start turns no trial over.
LONGEST = (1e-3, 1e-3, 1e-5, 1e-3, 1e-3)


def lbfgs_of_torch(problem: Problem, starts: np.ndarray, lrs: np.ndarray) -> np.ndarray:
    """torch.optim.LBFGS, one iteration a step."""
    paths = []
    for start in starts:
        w = torch.tensor(start, requires_grad=True)
        optimizer = torch.optim.LBFGS(
            [w], lr=1.0, max_iter=1, history_size=5, tolerance_grad=0.0, tolerance_change=0.0
        )

        def closure(w: torch.Tensor = w, optimizer: torch.optim.LBFGS = optimizer) -> torch.Tensor:
            optimizer.zero_grad()
            loss = problem.function(*w)
            loss.backward()
            return loss

        points = [start]
        for lr in lrs:
            optimizer.param_groups[0]["lr"] = float(lr)
            optimizer.step(closure)
            points.append(w.detach().numpy().copy())
        paths.append(points)
    return np.array(paths)


def by_rows_and_columns() -> Iterator[Rule]:
    """Adafactor; SOAP and PSGD-Kron on the plane's point as a matrix of one row."""
    lrs = (0.004, 0.004, 0.002, 0.004, 0.004)
    for forget, eps, smallest, clip, penalty in (
        (0.8, 1e-10, 1e-3, 1.0, 0.0),
        (0.7, 1e-6, 0.5, 1.2, 0.02),
    ):
        hypers = {"forget": forget, "eps": eps, "smallest": smallest, "threshold": clip}
        yield Rule(
            "adafactor", {"form": "pytorch"}, {**hypers, "weight_decay": penalty}, lrs,
            (*TORCH, "Adafactor"),
            by_torch(
                torch.optim.Adafactor, beta2_decay=-forget, eps=(eps, smallest), d=clip,
                weight_decay=penalty,
            ),
        )  # fmt: skip
        # optax has no name for the least size of the weights, which is 0.001.
        hypers |= {"smallest": 1e-3, "threshold": clip, "weight_decay": 0.01 * penalty}
        for form in ("scaled", "absolute"):
            yield Rule(
                "adafactor", {"form": form}, hypers, lrs,
                (*OPTAX, f"adafactor(multiply_by_parameter_scale={form == 'scaled'})"),
                in_float64(
                    by_optax(
                        lambda lr, f=form, h=hypers: optax.adafactor(
                            lr, decay_rate=h["forget"], clipping_threshold=h["threshold"],
                            multiply_by_parameter_scale=f == "scaled", eps=h["eps"],
                            weight_decay_rate=h["weight_decay"] or None,
                        )
                    )
                ),
            )  # fmt: skip
    # An ε that rounding cannot pass: what is divided along a direction hardly seen is rounding too.
    for beta1, beta2, eps, interval, penalty in (
        (0.95, 0.95, 1e-2, 10.0, 0.01),
        (0.9, 0.99, 1e-3, 4.0, 0.1),
    ):
        hypers = {"beta1": beta1, "beta2": beta2, "eps": eps, "interval": interval}
        hypers["weight_decay"] = penalty
        yield Rule(
            "soap", {}, hypers, (0.002, 0.002, 0.0005, 0.002, 0.002),
            (*PYTORCH_OPTIMIZER, "SOAP, its QR in float64"),
            in_float64(
                by_torch(
                    pytorch_optimizer.SOAP, row=True, betas=(beta1, beta2), eps=eps,
                    precondition_frequency=int(interval), weight_decay=penalty,
                )
            ),
        )  # fmt: skip
    for memory, learn, penalty in ((0.9, 0.1, 0.0), (0.8, 0.03, 0.05)):
        hypers = {"beta": memory, "learn": learn, "weight_decay": penalty}
        yield Rule(
            "kron", {}, hypers, (0.002, 0.002, 0.0005, 0.002, 0.002),
            (*PYTORCH_OPTIMIZER, "Kron(balance_prob=0), its normals ±1, its solves in float64"),
            in_float64(
                by_torch(
                    KronOfSigns, row=True, momentum=memory, learn=learn, weight_decay=penalty,
                )
            ),
        )  # fmt: skip


def in_float64(run: Run) -> Run:
    """A reference that casts to float32 in places, run in full precision."""

    def path(problem: Problem, starts: np.ndarray, lrs: np.ndarray) -> np.ndarray:
        double = (
            mock.patch.object(torch, "float32", torch.float64),
            mock.patch.object(jnp, "float32", jnp.float64),
        )
        with double[0], double[1]:
            return run(problem, starts, lrs)

    return path


class KronOfSigns(pytorch_optimizer.Kron):
    """PSGD-Kron whose probes are the engine's signs where it draws normals."""

    def __init__(self, params: Any, *, learn: float, **settings: Any) -> None:
        super().__init__(params, balance_prob=0.0, precondition_dtype=torch.float64, **settings)
        self.param_groups[0]["precondition_lr"] = learn
        self.signs: Callable[[int, Any], Any] = lambda t, like: torch.tensor(PROBES[t])[None]
        self.taken = 0

    def step(self, closure: Any = None) -> Any:
        """A step with the signs of its number."""
        with mock.patch.object(
            torch, "randn_like", lambda like, dtype: self.signs(self.taken, like)
        ):
            loss = super().step(closure)
        self.taken += 1
        return loss
