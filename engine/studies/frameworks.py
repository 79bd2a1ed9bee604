"""What PyTorch, optax and Keras have of the optimizers: the call that makes the very rule.

A framework's rule is taken only where it is ours under the chosen conventions: else a script
carries the rule itself. What both kinds of script share beside it, a run on a landscape (`as_code`)
and a network's training (`training_code`), stands here too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Literal

Framework = Literal["NumPy", "PyTorch", "optax", "Keras"]
FRAMEWORKS: Final[tuple[Framework, ...]] = ("NumPy", "PyTorch", "optax", "Keras")

Hypers = Mapping[str, float]
Options = Mapping[str, str | bool]
Made = Callable[[Hypers, Options], str | None]


def own_rule(
    framework: str, slug: str, hypers: Hypers, options: Options, *, planned: bool = False
) -> str | None:
    """The call that makes a framework's own rule, in PyTorch of the parameters [w]; None where it
    has none of these conventions. Where `planned`, optax's learning rate is the schedule `rate`."""
    made = {"PyTorch": TORCH, "optax": OPTAX, "Keras": KERAS}[framework].get(slug)
    if made is None:
        return None
    if planned and framework == "optax" and "lr" in hypers:
        hypers = {**hypers, "lr": _Spelled(hypers["lr"], "rate")}
    return made(hypers, options)


def script_text(lines: Iterable[str]) -> str:
    """The lines of a script as its text, with two empty ones in a row at most."""
    return re.sub(r"\n{4,}", "\n\n\n", "\n".join(lines)).strip() + "\n"


class _Spelled(float):
    """A number that is written as a name."""

    name: str

    def __new__(cls, value: float, name: str) -> _Spelled:
        made = super().__new__(cls, value)
        made.name = name
        return made

    def __repr__(self) -> str:
        return self.name


def _call(name: str, first: str, **arguments: Any) -> str:
    given = [*([first] if first else []), *(f"{k}={v!r}" for k, v in arguments.items())]
    return f"{name}({', '.join(given)})"


def _outside(o: Options) -> bool:
    return o.get("epsilon", "outside") == "outside" and o.get("bias_correction", True) is True


def _of_torch(name: str, h: Hypers, **more: Any) -> str:
    """An optimizer of the Adam kind."""
    betas = (h["beta1"], h["beta2"])
    return _call(f"torch.optim.{name}", "[w]", lr=h["lr"], betas=betas, eps=h["eps"], **more)


TORCH: Final[Mapping[str, Made]] = {
    "sgd": lambda h, o: _call("torch.optim.SGD", "[w]", lr=h["lr"]),
    "momentum": lambda h, o: _call("torch.optim.SGD", "[w]", lr=h["lr"], momentum=h["beta"])
    if o["form"] == "velocity"
    else None,
    "asgd": lambda h, o: _call(
        "torch.optim.ASGD", "[w]", lr=h["lr"], lambd=h["lambd"], alpha=h["alpha"], t0=h["t0"]
    ),
    "nesterov": lambda h, o: _call(
        "torch.optim.SGD", "[w]", lr=h["lr"], momentum=h["beta"], nesterov=True
    )
    if o["form"] == "pytorch" and h["beta"] > 0
    else None,
    "adagrad": lambda h, o: _call("torch.optim.Adagrad", "[w]", lr=h["lr"], eps=h["eps"])
    if _outside(o)
    else None,
    "adadelta": lambda h, o: _call(
        "torch.optim.Adadelta", "[w]", lr=h["lr"], rho=h["rho"], eps=h["eps"]
    ),
    "rmsprop": lambda h, o: _call(
        "torch.optim.RMSprop", "[w]", lr=h["lr"], alpha=h["beta"], eps=h["eps"],
        centered=o["centered"],
    )
    if _outside(o)
    else None,
    "adam": lambda h, o: _of_torch("Adam", h) if _outside(o) else None,
    "adam_l2": lambda h, o: _of_torch("Adam", h, weight_decay=h["weight_decay"])
    if _outside(o)
    else None,
    "adamw": lambda h, o: _of_torch("AdamW", h, weight_decay=h["weight_decay"])
    if _outside(o) and o["decay"] == "times_lr"
    else None,
    "amsgrad": lambda h, o: _of_torch("Adam", h, amsgrad=True)
    if _outside(o) and o["maximum"] == "raw"
    else None,
    "nadam": lambda h, o: _of_torch("NAdam", h, momentum_decay=h["momentum_decay"])
    if o["form"] == "pytorch"
    else None,
    "radam": lambda h, o: _of_torch("RAdam", h) if o["epsilon"] == "raw" else None,
    "adamax": lambda h, o: _of_torch("Adamax", h),
    "nadamw": lambda h, o: _of_torch(
        "NAdam", h, weight_decay=h["weight_decay"], momentum_decay=h["momentum_decay"],
        decoupled_weight_decay=True,
    )
    if o["form"] == "pytorch"
    else None,
    "rprop": lambda h, o: _call(
        "torch.optim.Rprop", "[w]", lr=h["lr"], etas=(h["shrink"], h["grow"]),
        step_sizes=(h["smallest"], h["largest"]),
    )
    if o["turn"] == "stay"
    else None,
    "adafactor": lambda h, o: _call(
        "torch.optim.Adafactor", "[w]", lr=h["lr"], beta2_decay=-h["forget"],
        eps=(h["eps"], h["smallest"]), d=h["threshold"], weight_decay=h["weight_decay"],
    )
    if o["form"] == "pytorch"
    else None,
}  # fmt: skip


def _of_optax(name: str, h: Hypers, o: Options, **more: Any) -> str | None:
    """An optimizer of the Adam kind; optax has the ε inside the root under a name of its own."""
    if o.get("bias_correction", True) is not True:
        return None
    inside = o.get("epsilon", "outside") == "inside"
    eps = {"eps": 0.0, "eps_root": h["eps"]} if inside else {"eps": h["eps"]}
    return _call(f"optax.{name}", repr(h["lr"]), b1=h["beta1"], b2=h["beta2"], **eps, **more)


def _optax_momentum(h: Hypers, o: Options) -> str:
    rate, beta = f"optax.scale_by_learning_rate({h['lr']!r})", h["beta"]
    if o["form"] == "lr_inside":
        return f"optax.chain({rate}, optax.trace({beta!r}))"
    if o["form"] == "averaged":
        return f"optax.chain(optax.ema({beta!r}, debias=False), {rate})"
    return _call("optax.sgd", repr(h["lr"]), momentum=beta)


def _optax_l2(h: Hypers, o: Options) -> str | None:
    inner = _of_optax("adam", h, o)
    return inner and f"optax.chain(optax.add_decayed_weights({h['weight_decay']!r}), {inner})"


OPTAX: Final[Mapping[str, Made]] = {
    "sgd": lambda h, o: _call("optax.sgd", repr(h["lr"])),
    "momentum": _optax_momentum,
    "nesterov": lambda h, o: (
        _call("optax.sgd", repr(h["lr"]), momentum=h["beta"], nesterov=True)
        if o["form"] == "pytorch"
        else None
    ),
    "adagrad": lambda h, o: (
        _call("optax.adagrad", repr(h["lr"]), initial_accumulator_value=0.0, eps=h["eps"])
        if o["epsilon"] == "inside"
        else None
    ),
    "rmsprop": lambda h, o: (
        _call("optax.rmsprop", repr(h["lr"]), decay=h["beta"], eps=h["eps"], centered=o["centered"])
        if o["epsilon"] == "inside"
        else None
    ),
    "adam": lambda h, o: _of_optax("adam", h, o),
    "adam_l2": _optax_l2,
    "adamw": lambda h, o: (
        _of_optax("adamw", h, o, weight_decay=h["weight_decay"])
        if o["decay"] == "times_lr"
        else None
    ),
    "amsgrad": lambda h, o: _of_optax("amsgrad", h, o) if o["maximum"] == "corrected" else None,
    "nadam": lambda h, o: _of_optax("nadam", h, {}) if o["form"] == "dozat" else None,
    "radam": lambda h, o: _of_optax("radam", h, {}) if o["epsilon"] == "corrected" else None,
    "adamax": lambda h, o: _of_optax("adamax", h, o),
    "lion": lambda h, o: _call(
        "optax.lion", repr(h["lr"]), b1=h["beta1"], b2=h["beta2"], weight_decay=h["weight_decay"]
    ),
    "nadamw": lambda h, o: (
        _of_optax("nadamw", h, {}, weight_decay=h["weight_decay"]) if o["form"] == "dozat" else None
    ),
    "adabelief": lambda h, o: _of_optax("adabelief", h, {}, eps_root=h["eps"]),
    "adan": lambda h, o: (
        _of_optax("adan", h, {}, b3=h["beta3"], eps_root=0.0, weight_decay=h["weight_decay"])
        if o["form"] == "optax"
        else None
    ),
    "adopt": lambda h, o: _of_optax("contrib.adopt", h, {}, use_clipping=o["clipped"]),
    "ademamix": lambda h, o: (
        _of_optax(
            "contrib.ademamix",
            h,
            {},
            b3=h["beta3"],
            alpha=h["alpha"],
            weight_decay=h["weight_decay"],
        )
        if o["warm"] is False
        else None
    ),
    "prodigy": lambda h, o: (
        _call(
            "optax.contrib.prodigy",
            repr(h["lr"]),
            betas=(h["beta1"], h["beta2"]),
            eps=h["eps"],
            estim_lr0=h["d0"],
            estim_lr_coef=h["d_coef"],
            weight_decay=h["weight_decay"],
            safeguard_warmup=o["safeguard"],
        )
        if o["bias_correction"] is True
        else None
    ),
    "signum": lambda h, o: f"optax.signum({h['lr']!r}, {h['beta']!r})",
    "lars": lambda h, o: (
        _call(
            "optax.lars",
            repr(h["lr"]),
            momentum=h["beta"],
            trust_coefficient=h["trust"],
            weight_decay=h["weight_decay"],
        )
        if (o["norm"], o["rate"]) == ("together", "inside")
        else None
    ),
    "lamb": lambda h, o: _of_optax("lamb", h, o, weight_decay=h["weight_decay"]),
}


def _of_keras(name: str, h: Hypers, **more: Any) -> str:
    return _call(f"keras.optimizers.{name}", "", learning_rate=h["lr"], **more)


# Keras puts ε inside the root (RMSprop, Adagrad) or, in the Adam kind, beside the uncorrected root.
KERAS: Final[Mapping[str, Made]] = {
    "sgd": lambda h, o: _of_keras("SGD", h),
    "momentum": lambda h, o: (
        _of_keras("SGD", h, momentum=h["beta"]) if o["form"] == "lr_inside" else None
    ),
    "adagrad": lambda h, o: (
        _of_keras("Adagrad", h, initial_accumulator_value=0.0, epsilon=h["eps"])
        if o["epsilon"] == "inside"
        else None
    ),
    "adadelta": lambda h, o: _of_keras("Adadelta", h, rho=h["rho"], epsilon=h["eps"]),
    "rmsprop": lambda h, o: (
        _of_keras("RMSprop", h, rho=h["beta"], epsilon=h["eps"], centered=o["centered"])
        if o["epsilon"] == "inside"
        else None
    ),
    "lion": lambda h, o: _of_keras(
        "Lion", h, beta_1=h["beta1"], beta_2=h["beta2"], weight_decay=h["weight_decay"] or None
    ),
}
