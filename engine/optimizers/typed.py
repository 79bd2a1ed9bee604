"""Optimizers typed by a reader: lines `name = expression` become an update rule.

The expressions are read by the allow-list parser of the formulas. A rule may read the point w, its
gradient g, the step t = 1, 2, … and the loss at w. A name that is read before its line assigns it
is state, which starts at 0; a name that is never assigned is a hyper-parameter, whose range is
guessed from its name. The same text gives the same rule, so what was compiled for it serves again.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType, SimpleNamespace
from typing import Any, Literal

from engine import limits
from engine.emit.program import Level, TooLong, compile_program
from engine.optimizers import Optimizer, Oracle, Parameter, Slot, State
from engine.problems.formula import Formula, FormulaError, parse_program
from engine.tape import Vector
from engine.tape.latex import latex_of, name_latex

MAX_HYPERS = 12

# What a rule is given; of these it must assign w, and may assign no other.
GIVEN = ("w", "g", "t", "loss")

_SPLIT = re.compile(r"(?P<word>[^\W\d]+(?:_[^\W\d]+)*?)_?(?P<digits>\d*)")
_GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "eps": "ε", "eta": "η",
    "kappa": "κ", "mu": "μ", "nu": "ν", "rho": "ρ", "sigma": "σ", "tau": "τ", "phi": "φ",
    "psi": "ψ", "omega": "ω", "lam": "λ", "theta": "θ",
}  # fmt: skip
_WORDS = {letter: word for word, letter in _GREEK.items() if word != "eps"}
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_RATES = ("lr", "eta", "η", "alpha", "α", "learning_rate", "step_size", "stepsize")


@dataclass(frozen=True, slots=True)
class _Guess:
    """What a hyper-parameter called like that usually is."""

    default: float
    low: float
    high: float
    scale: Literal["linear", "log"]
    meaning: str


_RATE = _Guess(0.01, 1e-5, 10.0, "log", "learning rate: the length of a step")
_MEMORY = _Guess(0.9, 0.0, 0.999, "linear", "memory: how much of the old value stays")
_TINY = _Guess(1e-8, 1e-16, 1.0, "log", "keeps a division from blowing up")
_DECAY = _Guess(0.01, 0.0, 1.0, "linear", "pull of the weights towards 0")
_SHARE = _Guess(0.7, 0.0, 1.0, "linear", "a share between 0 and 1")
_ANY = _Guess(1.0, 0.0, 10.0, "linear", "a number of this rule's own")
_GUESSES: Mapping[str, _Guess] = {
    **dict.fromkeys(_RATES, _RATE),
    **dict.fromkeys(("beta", "β", "mu", "μ", "momentum", "rho", "ρ", "gamma", "γ"), _MEMORY),
    **dict.fromkeys(("eps", "epsilon", "ε"), _TINY),
    **dict.fromkeys(("weight_decay", "decay", "wd", "lam", "λ"), _DECAY),
    **dict.fromkeys(("nu", "ν", "share"), _SHARE),
}
_LONG_MEMORY = {"beta2", "beta_2", "β2", "beta3", "beta_3", "β3"}

EXAMPLES: Mapping[str, str] = MappingProxyType(
    {
        "SGD": "w = w - lr*g",
        "Momentum": "v = beta*v + g\nw = w - lr*v",
        "RMSProp": "v = beta*v + (1 - beta)*g**2\nw = w - lr*g/(sqrt(v) + eps)",
        "Adam": (
            "m = beta1*m + (1 - beta1)*g\n"
            "v = beta2*v + (1 - beta2)*g**2\n"
            "m_hat = m/(1 - beta1**t)\n"
            "v_hat = v/(1 - beta2**t)\n"
            "w = w - lr*m_hat/(sqrt(v_hat) + eps)"
        ),
        "Lion": (
            "c = beta1*m + (1 - beta1)*g\n"
            "w = w - lr*sign(c)\n"
            "m = beta2*m + (1 - beta2)*g"
        ),
        "Braking momentum": (
            "# forget the velocity where it climbs\n"
            "v = where(v*g < 0, 0*v, beta*v) + g\n"
            "w = w - lr*v"
        ),
    }
)  # fmt: skip


class TypedOptimizer(Optimizer):
    """An optimizer made from text; it travels to other processes as that text."""

    text: str
    defaults: tuple[tuple[str, float], ...]

    def __reduce__(self) -> tuple[Any, ...]:
        return optimizer, (self.text, dict(self.defaults))


def optimizer(text: str, defaults: Mapping[str, float] | None = None) -> TypedOptimizer:
    """An optimizer from lines such as "v = beta*v + g" and "w = w - lr*v".

    The learning rate may be called lr, eta or alpha: it becomes the hyper-parameter `lr`, which a
    schedule drives. defaults sets first values of hyper-parameters, by the name typed or `lr`;
    their ranges widen to hold them. Raises FormulaError (a ValueError) for a text that is
    refused, with its line and column, and ValueError for a default without a hyper-parameter.

    >>> rule = optimizer("v = beta*v + g\\nw = w - lr*v", {"beta": 0.8})
    >>> {hyper.name: hyper.default for hyper in rule.hypers}
    {'beta': 0.8, 'lr': 0.01}
    """
    return _optimizer(text.strip("\n"), tuple(sorted((defaults or {}).items())))


@lru_cache(maxsize=256)
def _rule(text: str) -> _Typed:
    return _Typed(text)


@lru_cache(maxsize=256)
def _optimizer(text: str, defaults: tuple[tuple[str, float], ...]) -> TypedOptimizer:
    typed = _rule(text)
    wanted = dict(defaults)
    hypers = []
    for name, own in typed.hypers.items():
        hyper = own
        for key in (name, own.name):
            if key in wanted:
                value = float(wanted.pop(key))
                low, high = min(hyper.low, value), max(hyper.high, value)
                hyper = replace(hyper, default=value, low=low, high=high)
        hypers.append(hyper)
    if wanted:
        raise ValueError(f"the rule has no hyper-parameter {', '.join(map(repr, wanted))}")
    made = TypedOptimizer(
        slug="typed",
        name="Typed rule",
        rule=typed.step,
        hypers=tuple(hypers),
        latex=lambda o: typed.latex,
        idea="A rule typed by a reader.",
        when="To find out.",
        paper="typed here",
        year=2026,
        state=typed.state,
        shown=typed.shown,
    )
    object.__setattr__(made, "text", text)
    object.__setattr__(made, "defaults", defaults)
    return made


class _Typed:
    """What was read from a text: its lines, and the part that each name plays."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._refuse_words_of_python()
        self.program = parse_program(text)
        self.lines = self._line_numbers()
        self._check_targets()
        targets = [target for target, _ in self.program]
        before: set[str] = set()  # read before their line: state
        seen: set[str] = set()
        names: dict[str, None] = {}
        for target, formula in self.program:
            before |= set(formula.names) & set(targets) - seen
            names |= dict.fromkeys(formula.names)
            seen.add(target)
        kept = [n for n in targets if n != "w" and n in before]
        passing = [n for n in targets if n != "w" and n not in before]
        free = [n for n in names if n not in targets and n not in GIVEN]
        self.uses_loss = "loss" in names
        self.safe = _safe_names([*kept, *passing, *free])
        self.hypers = self._hypers(free)
        vectors = self._vectors()
        self.state = tuple(self._slot(n, vectors, "state of the rule") for n in kept)
        self.shown = tuple(self._slot(n, vectors, "worked out on the way") for n in passing)
        if self.uses_loss:
            loss = Slot("loss", "J", "J", "the loss before the step", kind="scalar")
            self.shown = (*self.shown, loss)
        self._check_size()
        try:
            self.latex = tuple(self._latex_lines())
        except ValueError as error:
            raise FormulaError(f"This rule cannot be written out: {error}.", text) from None

    # Checks

    def _refuse_words_of_python(self) -> None:
        for number, line in enumerate(self.text.splitlines(), 1):
            for match in re.finditer(r"[A-Za-z_]\w*", line.split("#")[0]):
                word = match.group()
                if keyword.iskeyword(word):
                    instead = "lam" if word == "lambda" else f"{word}_1"
                    reason = f"{word} is a word of Python and cannot be a name: write {instead}."
                    raise FormulaError(reason, self.text, match.start(), number)

    def _line_numbers(self) -> list[int]:
        lines = enumerate(self.text.splitlines(), 1)
        return [number for number, line in lines if line.split("#")[0].strip()]

    def _check_targets(self) -> None:
        seen: dict[str, int] = {}
        for (target, _), number in zip(self.program, self.lines, strict=True):
            if target in GIVEN and target != "w":
                reason = f"{target} is given and cannot be assigned: choose another name."
                raise FormulaError(reason, self.text, 0, number)
            if target in seen:
                reason = f"{target} was assigned on line {seen[target]} already: once is enough."
                raise FormulaError(reason, self.text, 0, number)
            seen[target] = number
        if "w" not in seen:
            last = self.lines[-1]
            reason = "No line assigns w, so nothing would move: write w = w - lr*g, or the like."
            raise FormulaError(reason, self.text, 0, last)

    def _check_size(self) -> None:
        """Refuse a rule that is long once it is written out, however short its text is."""
        slots = {
            slot.name: [(slot.name, i) for i in range(1 if slot.kind == "scalar" else 2)]
            for slot in self.state
        }
        given = [("w", 0), ("w", 1), ("g", 0), ("g", 1), "t", "loss"]
        hypers = [hyper.name for hyper in self.hypers.values()]
        keys: list[Any] = [*given, *hypers, *(key for parts in slots.values() for key in parts)]

        def step(at: Mapping[Any, Any]) -> dict[Any, Any]:
            oracle: Any = SimpleNamespace(
                gradient=lambda w: Vector((at["g", 0], at["g", 1])),
                loss=lambda w: at["loss"],
                t=at["t"],
            )
            state = {
                name: at[parts[0]] if len(parts) == 1 else Vector(at[key] for key in parts)
                for name, parts in slots.items()
            }
            following, _ = self.step(
                oracle,
                Vector((at["w", 0], at["w", 1])),
                SimpleNamespace(**state),
                SimpleNamespace(**{name: at[name] for name in hypers}),
                SimpleNamespace(),
            )
            return dict(enumerate(following))

        try:
            compile_program(step, dict.fromkeys(keys, Level.BOTH), most=limits.RULE_LINES)
        except TooLong:
            reason = f"One step takes more than {limits.RULE_LINES} operations: too many here."
            raise FormulaError(reason, self.text) from None

    # Parts

    def _hypers(self, free: list[str]) -> dict[str, Parameter]:
        if len(free) > MAX_HYPERS:
            reason = f"A rule has at most {MAX_HYPERS} hyper-parameters, this one {len(free)}."
            raise FormulaError(reason, self.text)
        rate = next((n for n in free if n in _RATES), None)
        found = {}
        for name in free:
            if name == rate:
                self.safe[name] = "lr"
            found[name] = _hyper(name, self.safe[name])
        return found

    def _vectors(self) -> set[str]:
        """The names that hold a number for each coordinate: what follows from w and g."""
        vectors = {"w", "g"}
        while True:
            more = {t for t, formula in self.program if vectors & set(formula.names)} - vectors
            if not more:
                return vectors
            vectors |= more

    def _slot(self, name: str, vectors: set[str], meaning: str) -> Slot:
        kind = "vector" if name in vectors else "scalar"
        return Slot(self.safe[name], _symbol(name), name_latex(name), meaning, kind)

    # The rule

    def step(
        self, oracle: Oracle, w: Vector, s: SimpleNamespace, h: SimpleNamespace, o: SimpleNamespace
    ) -> tuple[Vector, State]:
        values: dict[str, Any] = {"w": w, "g": oracle.gradient(w), "t": oracle.t}
        if self.uses_loss:
            values["loss"] = oracle.loss(w)
        values |= {name: getattr(h, hyper.name) for name, hyper in self.hypers.items()}
        kept = {slot.name for slot in self.state}
        values |= {n: getattr(s, safe) for n, safe in self.safe.items() if safe in kept}
        for target, formula in self.program:
            values[target] = formula(**values)
        following = values["w"]
        if not isinstance(following, Vector):  # w = 0, say
            following = 0.0 * w + following
        own = [target for target, _ in self.program if target != "w"]
        state = {self.safe[name]: values[name] for name in own}
        return following, state | ({"loss": values["loss"]} if self.uses_loss else {})

    # Its formulas

    def _latex_lines(self) -> list[str]:
        done: set[str] = set()
        lines = []
        moving = {target for target, _ in self.program}
        for target, formula in self.program:
            lines.append(f"<{self._name(target)}> = {self._latex(formula, moving - done)}")
            done.add(target)
        return lines

    def _name(self, name: str) -> str:
        return self.hypers[name].name if name in self.hypers else self.safe.get(name, name)

    def _latex(self, formula: Formula, old: set[str]) -> str:
        """The right-hand side with `<name>` for each input, `<name->` for those not yet new."""
        holes = {name: f"hole{i}" for i, name in enumerate(formula.names)}

        def of_holes(*values: Any) -> Any:
            return formula(**dict(zip(formula.names, values, strict=True)))

        text = latex_of(of_holes, list(holes.values()))
        for name, hole in holes.items():
            placeholder = f"<{self._name(name)}{'-' if name in old else ''}>"
            text = text.replace(name_latex(hole), placeholder)
        return text


def _safe_names(names: list[str]) -> dict[str, str]:
    """The plain, unlike names under which a rule's own names are kept: β1 -> beta1.

    None is lr, which a hyper-parameter becomes that is a learning rate.
    """
    safe: dict[str, str] = {}
    for name in names:
        plain = "".join(_WORDS.get(c, c) if c.isascii() or c in _WORDS else "x" for c in name)
        while plain == "lr" or plain in safe.values():
            plain += "_"
        safe[name] = plain
    return safe


def _symbol(name: str) -> str:
    """beta1 -> β₁, m_hat -> m_hat."""
    match = _SPLIT.fullmatch(name)
    if match is None:
        return name
    word = _GREEK.get(match["word"], match["word"])
    return word + match["digits"].translate(_SUBSCRIPTS)


def _hyper(name: str, safe: str) -> Parameter:
    match = _SPLIT.fullmatch(name)
    guess = _GUESSES.get(name) or _GUESSES.get(match["word"] if match else name, _ANY)
    if name in _LONG_MEMORY:
        guess = replace(guess, default=0.999, high=0.99999)
    latex = name_latex("eta") if name == "lr" else name_latex(name)
    symbol = "η" if name == "lr" else _symbol(name)
    return Parameter(
        safe, symbol, latex, guess.default, guess.low, guess.high, guess.scale, guess.meaning
    )
