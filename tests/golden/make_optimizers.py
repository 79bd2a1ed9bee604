"""Makes the golden trajectories of the optimizers: ``python -m tests.golden.make_optimizers``.

Needs PyTorch, JAX and optax, which the app itself never imports. Every rule, under each of its
named conventions, runs on each problem of ``problems.py`` from its start; the paths are stored
in ``optimizers.npz`` for the tests. A run whose path a tiny shift of the start would change too
much is refused, so that agreement to rounding can be asked of every stored one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np
import optax
import torch

from tests.golden import reference
from tests.golden.oracles import optax_path, torch_path
from tests.golden.problems import PROBLEMS, Problem

STEPS = 200
MAX_AMPLIFICATION = 100.0
SHIFT = 1e-9
TORCH = f"torch {torch.__version__.split('+')[0]}"
OPTAX = f"optax {optax.__version__}"

Run = Callable[[Problem, np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Rule:
    """One optimizer under one set of options: how the oracle runs it, and at which rates.

    ``lrs`` holds one learning rate per problem of ``PROBLEMS``; ``scheduled`` turns each into a
    warm-up followed by a cosine decay.
    """

    optimizer: str
    options: dict[str, str | bool]
    hypers: dict[str, float]
    lrs: tuple[float, ...]
    reference: str
    run: Run
    scheduled: bool = False


def warmup_cosine(lr: float, steps: int) -> np.ndarray:
    """Ten per cent linear warm-up to ``lr``, then a cosine down to a hundredth of it; (steps,)."""
    t = np.arange(steps)
    warmup = steps // 10
    progress = np.clip((t - warmup) / (steps - warmup), 0, 1)
    return lr * np.minimum((t + 1) / warmup, 0.01 + 0.99 * (1 + np.cos(np.pi * progress)) / 2)


def by_torch(make: Callable[..., torch.optim.Optimizer], **settings: Any) -> Run:
    """Oracle that runs a ``torch.optim`` class with these settings."""
    uncorrected = settings.pop("uncorrected", False)

    def run(problem: Problem, start: np.ndarray, lrs: np.ndarray) -> np.ndarray:
        build = lambda params, lr: make(params, lr=lr, **settings)  # noqa: E731
        return torch_path(problem, start, lrs, build, uncorrected=uncorrected)

    return run


def by_optax(make: Callable[[Any], optax.GradientTransformation]) -> Run:
    """Oracle that runs the optax transformation that ``make`` builds from a schedule."""

    def run(problem: Problem, start: np.ndarray, lrs: np.ndarray) -> np.ndarray:
        return optax_path(problem, start, lrs, make)

    return run


def by_hand(rule: Callable[..., np.ndarray], **settings: float) -> Run:
    """Oracle that runs a rule of ``reference.py``, differentiated by JAX."""

    def run(problem: Problem, start: np.ndarray, lrs: np.ndarray) -> np.ndarray:
        gradient = jax.jit(jax.grad(lambda w: problem.function(w[0], w[1])))
        return rule(lambda w: np.asarray(gradient(w)), start, lrs, **settings)

    return run


def momentum_rules() -> Iterator[Rule]:
    """B1–B3: gradient descent, the three momentums, the two Nesterovs."""
    rate = optax.scale_by_learning_rate
    lrs = (0.015, 0.015, 5e-4, 0.01, 0.01)
    plain = by_torch(torch.optim.SGD)
    yield Rule("sgd", {}, {}, lrs, f"{TORCH} SGD", plain)
    yield Rule("sgd", {}, {}, lrs, f"{TORCH} SGD", plain, scheduled=True)

    lrs = (0.004, 0.004, 2e-4, 0.002, 0.001)
    for beta in (0.9, 0.8):
        runs: dict[str, tuple[str, Run]] = {
            "velocity": (f"{TORCH} SGD(momentum)", by_torch(torch.optim.SGD, momentum=beta)),
            "lr_inside": (
                f"{OPTAX} chain(scale_by_learning_rate, trace)",
                by_optax(lambda lr, b=beta: optax.chain(rate(lr), optax.trace(b))),
            ),
            "averaged": (
                f"{OPTAX} chain(ema(debias=False), scale_by_learning_rate)",
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
            f"{TORCH} SGD(nesterov=True)",
            by_torch(torch.optim.SGD, momentum=beta, nesterov=True),
            scheduled=beta == 0.8,
        )
        yield Rule(
            "nesterov",
            {"form": "lookahead"},
            {"beta": beta},
            lrs,
            "paper (Sutskever et al. 2013), independent",
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
            f"{TORCH} Adagrad",
            by_torch(torch.optim.Adagrad, eps=eps),
        )
        yield Rule(
            "adagrad",
            {"epsilon": "inside"},
            {"eps": eps},
            lrs,
            f"{OPTAX} adagrad(initial_accumulator_value=0)",
            by_optax(lambda lr, e=eps: optax.adagrad(lr, initial_accumulator_value=0.0, eps=e)),
        )

    for rho, eps in ((0.9, 1e-6), (0.95, 3e-6)):
        yield Rule(
            "adadelta",
            {},
            {"rho": rho, "eps": eps},
            (1.0,) * 5,
            f"{TORCH} Adadelta",
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
                f"{TORCH} RMSprop(centered={centered})",
                by_torch(torch.optim.RMSprop, alpha=beta, eps=eps, centered=centered),
            )
            yield Rule(
                "rmsprop",
                {"epsilon": "inside", "centered": centered},
                {"beta": beta, "eps": eps},
                lrs,
                f"{OPTAX} rmsprop(centered={centered})",
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
            yield Rule("adam", options, hypers, lrs, f"{TORCH} Adam", plain, scheduled)
        yield Rule(
            "adam",
            {"bias_correction": False, "epsilon": "outside"},
            hypers,
            lrs,
            f"{TORCH} Adam, {far}",
            by_torch(adam, **settings, uncorrected=True),
        )
        yield Rule(
            "adam",
            {"bias_correction": True, "epsilon": "inside"},
            hypers,
            lrs,
            f"{OPTAX} adam(eps=0, eps_root)",
            by_optax(lambda lr, kw=in_root: optax.adam(lr, **kw)),
        )

        for decay in (0.01, 0.3):
            decayed = {**hypers, "weight_decay": decay}
            yield Rule(
                "adam_l2",
                {},
                decayed,
                lrs,
                f"{TORCH} Adam(weight_decay)",
                by_torch(adam, **settings, weight_decay=decay),
            )
            yield Rule(
                "adamw",
                {"decay": "times_lr"},
                decayed,
                lrs,
                f"{TORCH} AdamW",
                by_torch(torch.optim.AdamW, **settings, weight_decay=decay),
                scheduled=decay == 0.3,
            )
        for scheduled in (False, True):
            yield Rule(
                "adamw",
                {"decay": "times_schedule"},
                {**hypers, "weight_decay": 0.005},
                lrs,
                f"{OPTAX} chain(scale_by_adam, scale, add_decayed_weights, scale_by_schedule)",
                paper_adamw(moments, decay=0.005, base_lrs=lrs),
                scheduled,
            )

        yield Rule(
            "amsgrad",
            {"maximum": "raw"},
            hypers,
            lrs,
            f"{TORCH} Adam(amsgrad=True)",
            by_torch(adam, **settings, amsgrad=True),
        )
        yield Rule(
            "amsgrad",
            {"maximum": "corrected"},
            hypers,
            lrs,
            f"{OPTAX} amsgrad",
            by_optax(lambda lr, kw=moments: optax.amsgrad(lr, **kw)),
        )
        yield Rule(
            "amsgrad",
            {"maximum": "paper"},
            hypers,
            lrs,
            f"{TORCH} Adam(amsgrad=True), {far}",
            by_torch(adam, **settings, amsgrad=True, uncorrected=True),
        )


def paper_adamw(moments: dict[str, Any], decay: float, base_lrs: tuple[float, ...]) -> Run:
    """AdamW as printed by Loshchilov & Hutter (2019), alg. 2: the decay is multiplied by the
    schedule's multiplier η_t alone, not by the base rate α."""

    def run(problem: Problem, start: np.ndarray, lrs: np.ndarray) -> np.ndarray:
        base = base_lrs[PROBLEMS.index(problem)]
        return optax_path(
            problem,
            start,
            lrs,
            lambda lr: optax.chain(
                optax.scale_by_adam(**moments),
                optax.scale(base),
                optax.add_decayed_weights(decay),
                optax.scale_by_schedule(lambda count: -lr(count) / base),
            ),
        )

    return run


def amplification(run: Run, problem: Problem, path: np.ndarray, lrs: np.ndarray) -> float:
    """Largest growth, anywhere on the path, of a tiny shift of the start along either axis."""
    shifts = SHIFT * np.eye(2)
    moved = [run(problem, np.array(problem.start) + shift, lrs) - path for shift in shifts]
    return float(max(np.abs(move).max() for move in moved) / SHIFT)


def record(rules: Iterator[Rule], steps: int, stride: int, target: Path) -> None:
    """Runs every rule on every problem and stores the paths, each ``stride``-th point of them.

    Raises ``ValueError`` where a run diverges, or amplifies rounding beyond what 1e-12 allows.
    """
    kept = np.unique(np.append(np.arange(0, steps + 1, stride), steps))
    cases, arrays, refused = [], {"kept": kept}, []
    for rule in rules:
        for problem, lr in zip(PROBLEMS, rule.lrs, strict=True):
            lrs = warmup_cosine(lr, steps) if rule.scheduled else np.full(steps, lr)
            path = rule.run(problem, np.array(problem.start), lrs)
            growth = amplification(rule.run, problem, path, lrs)
            case = {
                "optimizer": rule.optimizer,
                "options": rule.options,
                "hypers": {"lr": lr, **rule.hypers},
                "landscape": problem.slug,
                "params": problem.params,
                "start": problem.start,
                "steps": steps,
                "scheduled": rule.scheduled,
                "reference": rule.reference,
            }
            if not (np.isfinite(path).all() and growth < MAX_AMPLIFICATION):
                refused.append(f"{growth:.3g}: {case}")
            if rule.scheduled:
                arrays[f"schedule{len(cases)}"] = lrs
            arrays[f"path{len(cases)}"] = path[kept]
            cases.append(case)
    if refused:
        raise ValueError("too sensitive to be golden:\n" + "\n".join(refused))
    arrays["cases"] = np.array(json.dumps(cases))
    np.savez_compressed(target, **arrays)
    print(f"{target.name}: {len(cases)} cases, {target.stat().st_size / 1e3:.0f} kB")


def core_rules() -> Iterator[Rule]:
    """The eleven rules of the course's core."""
    yield from momentum_rules()
    yield from adaptive_rules()
    yield from adam_rules()


if __name__ == "__main__":
    here = Path(__file__).parent
    record(core_rules(), STEPS, 1, here / "optimizers.npz")
