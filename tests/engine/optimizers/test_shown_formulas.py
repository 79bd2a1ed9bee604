"""What a rule shows is what it computes: its LaTeX, read and worked out, against its own run.

Every line of every rule under every combination of its options is read as it stands and evaluated
on the numbers before and after a step, at a rate under a schedule and with noise in the gradient,
so that no term is 0 or 1 by chance; signs, factors and powers are held that way. UNREAD names the
lines that no number can be put to, each with its reason; what those compute is held by the golden
runs alone.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import engine
from engine.optimizers import OPTIMIZERS, Optimizer
from engine.runs.descent import Descent
from tests.engine.optimizers.reading import Reader, Unreadable

STEPS = 9
SCHEDULE = np.linspace(1.3, 0.4, STEPS)
# Hyper-parameters whose defaults would hide a term.
TELLING = {
    "weight_decay": 0.07, "eps": 0.03, "nu2": 0.6, "gamma": 0.4, "rho": 0.9, "momentum_decay": 0.05,
    "beta3": 0.95, "c": 3.0, "f_star": -2.0, "interval": 1.0, "damping": 0.3, "alpha": 3.0,
    "warmup": 20.0, "d0": 0.3, "trust": 0.4, "sync": 1.0, "radius": 0.2,
    "threshold": 1.3, "smallest": 0.4, "forget": 0.6,
    "lambd": 0.3, "t0": 3.0,
}  # fmt: skip

# Words behind a formula: when it is due (here always), and what it leaves out.
SAID = re.compile(r"\\quad\\text\{(every |\(at ).*")

# By slug, the first words of the lines that cannot be read, and why.
UNREAD: Mapping[str, tuple[tuple[str, str], ...]] = {
    "radam": (
        (r"\rho_\infty", "three definitions in one line"),
        ("<w>", "two cases in one line"),
    ),
    "nadam": ((r"\mu_t", "a definition and a product in one line"), ("<m_hat>", "μ of two steps")),
    "eve": (("<d>", "f* is the known minimum plus f_star"),),
    "adan": ((r"u = ", "hats that have no line of their own"), ("<w>", "u of the line before")),
    "schedule_free_sgd": (("x = ", "two definitions in one line"),),
    "schedule_free_adamw": (("x = ", "two definitions in one line"),),
    "newton": (
        (r"\mu = ", "a Greek name"), ("<step>", "a matrix"),
    ),
    "sophia": (("<h>", "the Hessian's diagonal is no number of the run"),),
    "shampoo": (("G = ", "a matrix"), ("<step>", "a matrix")),
    "muon": (("<x>", "an iteration, shown by its name"),),
    "soap": (("A = ", "a matrix"), ("<v>", "a basis"), ("<u>", "a basis")),
    "kron": ((r"Q \gets", "a matrix"), ("<u>", "a matrix")),
    "nadamw": ((r"\mu_t", "a definition and a product in one line"), ("<m_hat>", "μ of two steps")),
    "cautious": (("<mask>", "a count"),),
    "line_search": (("<alpha>", "a search"),),
    "conjugate_gradient": (("<alpha>", "a search"), ("<p>", "two cases in one line")),
    "lbfgs": (("<p>", "a matrix"), ("<alpha>", "a search")),
    "rprop": (("<size>", "cases in one line"), ("<w>", "two cases in one line")),
}  # fmt: skip


def variants() -> list[Any]:
    """Every optimizer under every combination of its options."""
    found = []
    for slug, entry in OPTIMIZERS.items():
        choices = [[(o.name, value) for value, _ in o.choices] for o in entry.options]
        for combination in itertools.product(*choices):
            spelled = ",".join(f"{name}={value}" for name, value in combination)
            found.append(pytest.param(slug, dict(combination), id=f"{slug}[{spelled}]"))
    return found


def run_of(slug: str, options: dict[str, Any]) -> Descent:
    entry = OPTIMIZERS[slug]
    known = {h.name for h in entry.hypers}
    hypers = {"lr": 0.011} | {n: v for n, v in TELLING.items() if n in known}
    bowl = engine.LANDSCAPES["bowl"](condition=10, rotation=30)
    return engine.descend(
        bowl, slug, (-0.7, 0.9), STEPS, hypers, options=options, schedule=SCHEDULE,
        noise=0.5, seed=2,
    )  # fmt: skip


def numbers(run: Descent, step: int) -> dict[str, Any]:
    """What each placeholder stands for at a step."""
    fixed = {**run.hypers, "lr": run.hypers["lr"] * SCHEDULE[step - 1]}
    fixed |= {"t": float(step), "schedule": SCHEDULE[step - 1]}
    values: dict[str, Any] = {f"<{name}>": value for name, value in fixed.items()}
    for row, mark in ((step, ""), (step - 1, "-")):
        values |= {f"<{name}{mark}>": rows[row] for name, rows in run.state.items()}
        values[f"<w{mark}>"] = run.path[row]
    return values


def disagreements(run: Descent, lines: tuple[str, ...]) -> Iterator[tuple[str, float | None]]:
    """Each line with how far its two sides are apart over all steps; None where it is unread."""
    apart: dict[str, float | None] = dict.fromkeys(lines, 0.0)
    for step in range(2, STEPS + 1):  # some rules begin otherwise at the first
        values = numbers(run, step)
        exact, before = run.landscape.gradient, run.path[step - 1]
        noise = values["<g>"] - exact(before)

        def gradient(w: Any, noise: Any = noise, exact: Any = exact) -> Any:
            return exact(w) + noise

        for line in lines:
            left, _, right = line.partition(" = ")
            right = SAID.sub("", right)
            try:
                with np.errstate(invalid="ignore", divide="ignore"):
                    found = Reader(right, values, gradient).value()
                if re.fullmatch(r"[a-z]", left):  # a name for the lines that follow
                    values[left] = found
                    continue
                expected = values[left]
            except (Unreadable, KeyError):
                apart[line] = None
                continue
            error = np.max(np.abs(found - expected) / np.maximum(np.abs(expected), 1e-3))
            error = np.inf if np.isnan(error) else error
            worst = apart[line]
            apart[line] = None if worst is None else max(worst, float(error))
    yield from apart.items()


def lines_of(entry: Optimizer, options: dict[str, Any]) -> tuple[str, ...]:
    return entry.latex(SimpleNamespace(**entry.option_values(options)))


@pytest.mark.parametrize(("slug", "options"), variants())
def test_a_rule_computes_what_it_shows(slug: str, options: dict[str, Any]) -> None:
    run = run_of(slug, options)
    assert run.diverged_at is None
    excused = [begin for begin, _ in UNREAD.get(slug, ())]
    for line, apart in disagreements(run, lines_of(OPTIMIZERS[slug], options)):
        if apart is None:
            assert any(line.startswith(begin) for begin in excused), f"cannot be read: {line}"
        else:
            assert apart < 1e-9, line


def test_no_line_is_excused_that_can_be_read() -> None:
    for slug, excuses in UNREAD.items():
        unread = {
            line
            for _, options in (p.values for p in variants() if p.values[0] == slug)
            for line, apart in disagreements(
                run_of(slug, options), lines_of(OPTIMIZERS[slug], options)
            )
            if apart is None
        }
        for begin, reason in excuses:
            assert any(line.startswith(begin) for line in unread), (slug, begin)
            assert reason


@pytest.mark.parametrize("slug", ["sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam",
                                  "adamw", "lion", "adadelta", "amsgrad", "qhadam"])  # fmt: skip
def test_a_sign_turned_over_is_caught(slug: str) -> None:
    """Each + and − between terms of each line in turn; else the reader would prove nothing."""
    run = run_of(slug, {})
    lines = lines_of(OPTIMIZERS[slug], {})
    turned = 0
    for k, line in enumerate(lines):
        for found in re.finditer(r" ([+-]) ", line):
            other = line[: found.start()] + f" {'-' if found[1] == '+' else '+'} "
            wrong = (*lines[:k], other + line[found.end() :], *lines[k + 1 :])
            apart = dict(disagreements(run, wrong))
            assert apart[wrong[k]] is not None
            assert apart[wrong[k]] > 1e-6, wrong[k]  # type: ignore[operator]
            turned += 1
    assert turned
