"""The fields of a page: a value declared once, with its name in the link, its default, its limits,
and how it is spoken of.

A field reads and writes itself in a link, says what the page's store holds of it, and makes its own
control. `pages.state` keeps the values.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from components.controls import Choice as Chooser
from components.controls import Slider, Toggle

T = TypeVar("T")
Scale = Literal["linear", "log"]


@dataclass(frozen=True)
class Field(Generic[T]):
    """One value of a page: its name in the link, its default, how it is read and written.

    `parse` raises ValueError with a sentence where the text cannot be used. A field that controls
    and handles move has entries in the page's store: `flat` gives them by name, `put` takes one.
    """

    name: str
    default: T
    parse: Callable[[str], T]
    format: Callable[[T], str]

    def owns(self, entry: str) -> bool:
        """Whether this entry of the store is of this field."""
        return entry == self.name

    def flat(self, value: T) -> dict[str, Any]:
        """The field's entries in the store."""
        return {}

    def put(self, value: T, entry: str, moved: Any) -> T:
        """The field with an entry as the reader moved it; ValueError where it cannot be that."""
        raise ValueError(f"{entry} is not moved by hand")


@dataclass(frozen=True)
class NumberField(Field[float]):
    """A finite number in [low, high], and its slider: label, symbol, scale, meaning."""

    low: float
    high: float
    label: str = ""
    symbol: str = ""
    scale: Scale = "linear"
    step: float | None = None
    unit: str = ""
    help: str = ""
    whole: bool = False

    def flat(self, value: float) -> dict[str, Any]:
        return {self.name: value}

    def put(self, value: float, entry: str, moved: Any) -> float:
        if isinstance(moved, bool) or not isinstance(moved, (int, float)):
            raise ValueError(f"{moved!r} is not a number")
        inside = min(max(float(moved), self.low), self.high)
        return round(inside) if self.whole else inside

    def slider(self, value: float, **changes: Any) -> Slider:
        """The control of this field."""
        known: dict[str, Any] = {
            "name": self.name,
            "label": self.label or self.name,
            "value": value,
            "minimum": self.low,
            "maximum": self.high,
            "default": float(self.default),
            "symbol": self.symbol,
            "scale": self.scale,
            "step": self.step,
            "integer": self.whole,
            "unit": self.unit,
            "help": self.help,
        }
        return Slider(**{**known, **changes})


def Number(name: str, default: float, low: float, high: float, **spoken: Any) -> NumberField:
    """A finite number in [low, high]; `spoken` is what its slider says (see NumberField)."""
    return NumberField(
        name,
        float(default),
        lambda text: read_number(text, low, high),
        shorten,
        low,
        high,
        **spoken,
    )


def Integer(name: str, default: int, low: int, high: int, **spoken: Any) -> NumberField:
    """A whole number in [low, high]."""

    def parse(text: str) -> int:
        value = read_number(text, low, high)
        if not value.is_integer():
            raise ValueError(f"{text!r} is not a whole number")
        return int(value)

    return NumberField(
        name, default, parse, lambda value: str(int(value)), low, high, whole=True, **spoken
    )


@dataclass(frozen=True)
class ChoiceField(Field[T]):
    """One of several options, written as its text; `says` is what each is called."""

    options: Sequence[T] = ()
    label: str = ""
    help: str = ""
    says: Mapping[str, str] | None = None

    def flat(self, value: T) -> dict[str, Any]:
        return {self.name: str(value)}

    def put(self, value: T, entry: str, moved: Any) -> T:
        return self.parse(str(moved))

    def chooser(self, value: T, **changes: Any) -> Chooser:
        """The control of this field."""
        says = self.says or {}
        known: dict[str, Any] = {
            "name": self.name,
            "label": self.label or self.name,
            "value": str(value),
            "options": [(str(o), says.get(str(o), str(o))) for o in self.options],
            "help": self.help,
        }
        return Chooser(**{**known, **changes})


def Choice(
    name: str,
    default: T,
    options: Sequence[T],
    *,
    label: str = "",
    help: str = "",  # noqa: A002  # as Streamlit calls it
    says: Mapping[str, str] | None = None,
) -> ChoiceField[T]:
    """One of the options, written as its text."""
    by_text = {str(option): option for option in options}

    def parse(text: str) -> T:
        if text not in by_text:
            raise ValueError(f"{text!r} is none of {', '.join(by_text)}")
        return by_text[text]

    return ChoiceField(name, default, parse, str, options, label, help, says)


@dataclass(frozen=True)
class FlagField(Field[bool]):
    """Yes or no, and its switch."""

    label: str = ""
    help: str = ""

    def flat(self, value: bool) -> dict[str, Any]:
        return {self.name: value}

    def put(self, value: bool, entry: str, moved: Any) -> bool:
        if not isinstance(moved, bool):
            raise ValueError(f"{moved!r} is neither yes nor no")
        return moved

    def toggle(self, value: bool, **changes: Any) -> Toggle:
        """The control of this field."""
        known: dict[str, Any] = {
            "name": self.name,
            "label": self.label or self.name,
            "value": value,
            "help": self.help,
        }
        return Toggle(**{**known, **changes})


def Flag(name: str, default: bool, *, label: str = "", help: str = "") -> FlagField:  # noqa: A002
    """Yes or no, written 1 or 0."""

    def parse(text: str) -> bool:
        if text not in ("0", "1"):
            raise ValueError(f"{text!r} is neither 0 nor 1")
        return text == "1"

    return FlagField(name, default, parse, lambda value: "1" if value else "0", label, help)


@dataclass(frozen=True)
class TextField(Field[str]):
    """A text, and what it is called."""

    label: str = ""


def Text(
    name: str,
    default: str,
    check: Callable[[str], object] = lambda text: None,
    *,
    label: str = "",
) -> TextField:
    """A text that `check` accepts: it raises ValueError where it does not."""

    def parse(text: str) -> str:
        check(text)
        return text

    return TextField(name, default, parse, str, label)


@dataclass(frozen=True)
class NumbersField(Field[tuple[float, ...]]):
    """Several numbers, each in [low, high]; in the store one list."""

    low: float
    high: float
    count: tuple[int, int]

    def flat(self, value: tuple[float, ...]) -> dict[str, Any]:
        return {self.name: list(value)}

    def put(self, value: tuple[float, ...], entry: str, moved: Any) -> tuple[float, ...]:
        if not isinstance(moved, (list, tuple)):
            raise ValueError(f"{moved!r} is not a list of numbers")
        if not self.count[0] <= len(moved) <= self.count[1]:
            raise ValueError(f"{len(moved)} numbers do not belong there")
        return tuple(min(max(float(v), self.low), self.high) for v in moved)


def Numbers(
    name: str, default: Sequence[float], low: float, high: float, count: tuple[int, int]
) -> NumbersField:
    """Between count[0] and count[1] numbers, each in [low, high], separated by commas."""

    def parse(text: str) -> tuple[float, ...]:
        values = tuple(read_number(part, low, high) for part in text.split(","))
        if not count[0] <= len(values) <= count[1]:
            wanted = " to ".join(str(n) for n in sorted(set(count)))
            raise ValueError(f"{len(values)} of the {wanted} numbers that belong there")
        return values

    return NumbersField(
        name,
        tuple(map(float, default)),
        parse,
        lambda values: ",".join(map(shorten, values)),
        low,
        high,
        count,
    )


def shorten(value: float) -> str:
    """A number as short text that reads back as the same number."""
    return (
        repr(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))
    )


def read_number(text: str, low: float = -math.inf, high: float = math.inf) -> float:
    """The finite number that text says; ValueError where it is none or lies outside."""
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a number") from None
    if not math.isfinite(value):
        raise ValueError(f"{text!r} is not a finite number")
    if not low <= value <= high:
        raise ValueError(f"{text} lies outside {shorten(low)} … {shorten(high)}")
    return value
