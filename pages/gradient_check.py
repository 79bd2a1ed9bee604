"""The gradient check: reverse mode beside differences, and a wrong derivative caught in the act."""

from __future__ import annotations

import html
import math

import streamlit as st

from components.controls import Choice as Chooser
from components.controls import Group, Slider, controls
from components.stage import Panel, stage
from engine.derivatives.gradient_check import (
    GOOD,
    MISTAKES,
    WRONG,
    Established,
    Report,
    Subject,
    check,
    establish,
    network_subject,
    typed_subject,
)
from engine.derivatives.numerical import BEST_CENTRAL_STEP
from engine.problems.data import two_moons
from engine.problems.formula import Formula, parse
from engine.problems.networks import ACTIVATIONS, MLP
from figures import gradient_check as pictures
from pages import frame, prose
from pages.presets import Preset
from pages.state import Choice, Integer, Number, Text, experiment

SUBJECTS = {"network": "a small network", "formula": "your own function"}
NOTHING = "nothing"
MOST_INPUTS = 6
LIMIT = 10.0  # an input lies between this and its negative

PRESETS = (
    Preset("all right", "good", "Every entry agrees to nine digits or more.", {}),
    Preset(
        "a lost sign", "bad",
        "tanh passes back the negative of what it should: everything before it is wrong, "
        "everything after it is right. That is where to look.",
        {"broken": "tanh", "mistake": "sign"},
    ),
    Preset(
        "a slight slip", "bad",
        "A constant off by a ten-thousandth trains almost as well and is invisible in a loss "
        "curve. The check sees it.",
        {"broken": "tanh", "mistake": "slight"},
    ),
    Preset(
        "h too small", "bad",
        "With h = 10⁻¹² the difference drowns in round-off: the gradient is right, the check is "
        "not.",
        {"h": "1e-12"},
    ),
    Preset(
        "h too large", "bad",
        "With h = 0.1 the difference sees the curve, not its slope.",
        {"h": "0.1"},
    ),
    Preset(
        "at a kink", "bad",
        "|x| at 0 has no derivative; half a step from it, the difference sees both sides.",
        {"of": "formula", "f": "abs(x) + y**2", "a0": "0.000001", "a1": "0.5"},
    ),
)  # fmt: skip


def readable(text: str) -> Formula:
    """A formula with inputs of any name, but not too many; ValueError otherwise."""
    formula = parse(text, None)
    if not 1 <= len(formula.names) <= MOST_INPUTS:
        raise ValueError(f"{len(formula.names)} inputs, where 1 to {MOST_INPUTS} fit")
    return formula


x = experiment(
    "gradient_check",
    [
        Choice("of", "network", list(SUBJECTS)),
        Text("f", "(x + y) * sin(x)", check=readable),
        *(Number(f"a{i}", (0.785, 1.0)[i % 2], -LIMIT, LIMIT) for i in range(MOST_INPUTS)),
        Choice("activation", "tanh", list(ACTIVATIONS)),
        Integer("seed", 0, 0, 999),
        Number("h", BEST_CENTRAL_STEP, 1e-14, 0.5),
        Text("broken", NOTHING),
        Choice("mistake", "sign", list(MISTAKES)),
    ],
)

frame.opening(
    x,
    "Gradient check",
    "Is this gradient right? Ask the function itself, a little to either side.",
)


def subject() -> Subject:
    """What is checked."""
    if x["of"] == "formula":
        formula = readable(x["f"])
        return typed_subject(formula, [x[f"a{i}"] for i in range(len(formula.names))])
    points, labels = two_moons(8, seed=x["seed"])
    return network_subject(MLP((2, 3, 1), x["activation"]), points, labels, x["seed"])


def settings(report: Report, height: int) -> None:
    """The live controls."""
    items: list[Slider | Chooser] = [
        Chooser(name="of", label="check", value=x["of"], options=list(SUBJECTS.items()))
    ]
    if x["of"] == "formula":
        items += [
            Slider(
                name=f"a{i}", label=name, value=x[f"a{i}"], minimum=-LIMIT, maximum=LIMIT,
                default=float(x.fields[f"a{i}"].default),
            )
            for i, name in enumerate(readable(x["f"]).names)
        ]  # fmt: skip
    else:
        items.append(
            Chooser(
                name="activation", label="activation", value=x["activation"],
                options=[(name, name) for name in ACTIVATIONS],
            )
        )  # fmt: skip
        items.append(
            Slider(
                name="seed", label="seed", value=x["seed"], minimum=0, maximum=999, default=0.0,
                integer=True, help="of the weights and the eight points",
            )
        )  # fmt: skip
    step = Slider(
        name="h", label="step", symbol="h", value=x["h"], minimum=1e-14, maximum=0.5,
        default=BEST_CENTRAL_STEP, scale="log", help="of the central difference",
    )  # fmt: skip
    names = (NOTHING, *report.operations)
    broken = [
        Chooser(
            name="broken", label="spoil the rule of", value=in_force(report),
            options=[(name, name) for name in names],
        ),
        Chooser(
            name="mistake", label="by", value=x["mistake"],
            options=[(name, told) for name, (_, told) in MISTAKES.items()],
        ),
    ]  # fmt: skip
    groups = [
        Group(id="what", title="What is checked", items=items),
        Group(id="how", title="The difference", items=[step]),
        Group(id="wrong", title="A mistake on purpose", items=broken),
    ]
    locked = [
        item.name
        for group in groups
        for item in group.items
        if x.locked(item.name) or x.locked("controls")
    ]
    answer = controls("gradient_check.controls", groups, locked=locked, max_height=height)
    values = {n: int(v) if n == "seed" else v for n, v in answer.values.items() if n in x.fields}
    x.change(values, by="controls", held=not answer.committed)


def in_force(report: Report) -> str:
    """The operation that is spoiled, where this function has it."""
    return str(x["broken"]) if x["broken"] in report.operations else NOTHING


def verdict(report: Report, broken: str, checked: Subject) -> str:
    """What to notice, in a sentence."""
    by_verdict = {
        light: [n for n, v in zip(report.names, report.verdicts, strict=True) if v == light]
        for light in pictures.MARKS
    }
    bad, doubtful = by_verdict["wrong"], by_verdict["doubtful"]
    count = len(report.names)
    name, error = report.names[report.worst], report.error[report.worst]
    worst = f"the largest relative error is {error:.1e} at `{name}`"
    if by_verdict["unchecked"]:
        names = ", ".join(f"`{n}`" for n in by_verdict["unchecked"])
        return (
            f"**Cannot be checked:** {names}. The function has no value at one end of the "
            "difference, so there is nothing to hold the gradient against."
        )
    if broken != NOTHING:
        told = MISTAKES[x["mistake"]][1]
        if bad or doubtful:
            return (
                f"**Caught.** The rule of {broken} has {told}: {len(bad) + len(doubtful)} of "
                f"{count} entries stand out, and {worst}."
            )
        return f"**Not caught:** the rule of {broken} has {told}, yet {worst}."
    if bad or doubtful:
        return doubt([e for e in established(checked, report) if e.name in bad + doubtful], worst)
    return f"All {count} entries agree; {worst}."


def established(checked: Subject, report: Report) -> tuple[Established, ...]:
    """The entries against exact values, which neither h nor the hand on it changes."""
    kept = st.session_state.setdefault("gradient_check.established", {})
    key = (checked.names, checked.at.tobytes(), x["f"], x["activation"], x["seed"], x["of"])
    if key not in kept:
        kept.clear()
        kept[key] = establish(checked, report)
    found: tuple[Established, ...] = kept[key]
    return found


def doubt(entries: list[Established], worst: str) -> str:
    """Who is right where gradient and difference part: said where an exact value says it."""
    for entry in entries:
        if entry.standing == "wrong":
            return (
                f"**The gradient is wrong** at `{entry.name}`, where the exact derivative is "
                f"{entry.exact.slope:.6g}; {worst}."
            )
    for entry in entries:
        if entry.standing == "unknown":
            return (
                f"Gradient and difference part at `{entry.name}`, and there is no exact value to "
                f"say which is right. {entry.exact.trouble}"
            )
    cause = (
        "round-off: h is too small" if x["h"] < 1e-8
        else "truncation: h is too large" if x["h"] > 1e-3
        else "a kink within h of the point, or a function that bends much within h"
    )  # fmt: skip
    return (
        "The gradient is right, to every digit of its exact value, and the check doubts it; "
        f"{worst}. The cause is {cause}."
    )


@st.fragment
def body() -> None:
    """The check; it runs again while sliders move."""
    embedded = bool(st.context.is_embedded)
    if not embedded:
        prose.presets(x, PRESETS)
    if x["of"] == "formula":
        frame.formula(x, "f", readable, "(x + y) * sin(x)", label="f =")
    picture, panel = st.columns([3, 1.15], gap="medium")
    try:
        sound = check(subject())
    except ValueError as error:
        st.error(f"There is nothing to check: {error}.")
        return
    with panel:
        settings(sound, 440 if embedded else 640)
    try:
        checked = subject()
        sound = check(checked)
        broken = in_force(sound)
        report = check(
            checked, h=x["h"], broken=None if broken == NOTHING else broken, mistake=x["mistake"]
        )
    except ValueError as error:
        st.error(f"There is nothing to check: {error}.")
        x.publish()
        return
    with picture:
        stage(
            "gradient_check.stage",
            [
                Panel(
                    id="errors",
                    kind="chart",
                    figure=pictures.errors(report),
                    alt="Relative error of each parameter on a logarithmic axis. "
                    + verdict(report, broken, checked).replace("*", "").replace("`", ""),
                )
            ],
            frames=1,
            height=330 if embedded else 380,
        )
    prose.notice(verdict(report, broken, checked))
    if not embedded:
        explanation()
        numbers(report)
    x.publish()


def explanation() -> None:
    """The formula of the error and what counts as good."""
    st.latex(
        r"\text{relative error} = \frac{\lvert g_{\text{reverse}} - g_{\text{difference}}\rvert}"
        r"{\max(\lvert g_{\text{reverse}}\rvert, \lvert g_{\text{difference}}\rvert)},\qquad "
        r"g_{\text{difference}} = \frac{f(w + h e_i) - f(w - h e_i)}{2h}"
    )
    st.caption(
        f"✓ up to {GOOD:.0e}: as good as double precision allows at a good h. "
        f"? up to {WRONG:.0e}, or above where the difference itself may be off by as much: a kink, "
        "a poor h, or a small slip: look closer. ✗ above: the derivative is another one. ∅: the "
        "difference is not a number, and nothing is checked. Where a gradient vanishes, it is good "
        "if both are apart by no more than a billionth of what the function changes by over a step "
        "of one. Check at random points, not at zero."
    )


def plain(value: float) -> str:
    """Nine decimals, or as many digits where those would hide the number; words for none."""
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else "∞" if value > 0 else "−∞"
    return f"{value:+.9f}" if value == 0 or abs(value) >= 1e-3 else f"{value:+.9e}"


def numbers(report: Report) -> None:
    """Every entry with both gradients."""
    rows = [
        (
            html.escape(name),
            plain(a),
            plain(n),
            "–" if v == "unchecked" else f"{e:.1e}",
            f"{pictures.MARKS[v]} {v}",
        )
        for name, a, n, e, v in zip(
            report.names, report.analytic, report.numeric, report.error, report.verdicts,
            strict=True,
        )
    ]  # fmt: skip
    frame.table(("parameter", "reverse mode", "difference", "relative error", "verdict"), rows)


body()
