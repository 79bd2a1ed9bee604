"""The gradient check: reverse mode beside differences, and a wrong derivative caught in the act."""

from __future__ import annotations

import html
from dataclasses import replace
from typing import Any

import streamlit as st

from components.controls import Group, Item
from components.stage import Panel, stage
from engine.derivatives.gradient_check import (
    GOOD,
    MISTAKES,
    Established,
    Measured,
    Report,
    Subject,
    check,
    establish,
    measure,
    network_subject,
    typed_subject,
)
from engine.derivatives.numerical import BEST_CENTRAL_STEP
from engine.derivatives.source import python_gradient
from engine.emit.picture import Picture, at_rest, largest, stack, words, written
from engine.limits import CHECKED_OPERATIONS
from engine.problems.data import two_moons
from engine.problems.formula import Formula, FormulaError, parse
from engine.problems.networks import ACTIVATIONS, MLP
from engine.studies.engine_room import entries
from engine.tape import operations as ops
from figures import gradient_check as pictures
from pages import frame
from pages.presets import Preset
from pages.state import Choice, Integer, Number, Text, experiment, shorten

SUBJECTS = {"network": "a small network", "formula": "your own function"}
SIZES = (2, 3, 1)
NOTHING = "nothing"
SPOILED = (NOTHING, *(n for n, row in ops.OPERATIONS.items() if n.isidentifier() and row.vjps))
MOST_INPUTS = 6
LIMIT = 10.0  # an input lies between this and its negative

PRESETS = (
    Preset(
        "A lost sign", "bad",
        "tanh passes back the negative of what it should: every weight before it is wrong, every "
        "weight after it right. That is where to look.",
        {},
    ),
    Preset(
        "All right", "good", "No rule is spoiled: every entry agrees to eight digits or more.",
        {"broken": NOTHING},
    ),
    Preset(
        "A slight slip", "bad",
        "A constant off by a ten-thousandth trains almost as well and is invisible in a loss "
        "curve. The check sees it.",
        {"mistake": "slight"},
    ),
    Preset(
        "h too small", "bad",
        "With h = 10⁻¹² the difference drowns in round-off: the gradient is right, the difference "
        "is not.",
        {"broken": NOTHING, "h": "1e-12"},
    ),
    Preset(
        "h too large", "bad",
        "With h = 0.1 the difference sees the curve, not its slope.",
        {"broken": NOTHING, "h": "0.1"},
    ),
    Preset(
        "At a kink", "bad",
        "|x| has a kink at 0. A millionth away from it the slope is 1, but the difference reaches "
        "over to the other side.",
        {"of": "formula", "f": "abs(x) + y**2", "a0": "0.000001", "a1": "0.5"},
    ),
)  # fmt: skip


def readable(text: str) -> Formula:
    """A formula with inputs of any name, but not too many; ValueError otherwise."""
    formula = parse(text, None)
    if not 1 <= len(formula.names) <= MOST_INPUTS:
        raise FormulaError(f"{len(formula.names)} inputs, where 1 to {MOST_INPUTS} fit.", text)
    count = len(entries(formula, dict.fromkeys(formula.names, 0.5)))
    if count > CHECKED_OPERATIONS:
        raise FormulaError(f"{count} operations, where {CHECKED_OPERATIONS} fit.", text)
    return formula


x = experiment(
    "gradient_check",
    [
        Choice("of", "network", list(SUBJECTS), label="check", says=SUBJECTS),
        Text("f", "(x + y) * sin(x)", check=readable),
        *(Number(f"a{i}", (0.785, 1.0)[i % 2], -LIMIT, LIMIT) for i in range(MOST_INPUTS)),
        Choice("activation", "tanh", list(ACTIVATIONS), label="activation"),
        Integer("seed", 0, 0, 999, label="seed", help="of the weights and the eight points"),
        Number(
            "h", BEST_CENTRAL_STEP, 1e-14, 0.5,
            label="step", symbol="h", scale="log", help="of the central difference",
        ),
        Choice("broken", "tanh", SPOILED, label="spoil the rule of"),
        Choice(
            "mistake", "sign", list(MISTAKES), label="by",
            says={name: told for name, (_, told) in MISTAKES.items()},
        ),
    ],
    parts=("copies",),
)  # fmt: skip

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
    return network_subject(MLP(SIZES, x["activation"]), points, labels, x["seed"])


def live_check(live: Picture, checked: Subject, broken: str, report: Report) -> Measured:
    """The same check of the page's values on a tape: it follows the hand."""
    moving = [live["h"]]
    at: Any = checked.at
    if x["of"] == "formula":
        inputs = [live[f"a{i}"] for i in range(len(checked.names))]
        at, moving = stack(*inputs), [*moving, *inputs]
    spoiled = None if broken == NOTHING else broken
    found = measure(checked.function, at, live["h"], spoiled, x["mistake"])
    # Errors that are rounding alone are decided by a last bit: at rest they are Python's.
    return replace(found, error=at_rest(report.error, found.error, *moving))


def settings(operations: tuple[str, ...], height: int) -> None:
    """The live controls."""
    items: list[Item] = [x.chooser("of")]
    if x["of"] == "formula":
        items += [x.slider(f"a{i}", label=name) for i, name in enumerate(readable(x["f"]).names)]
    else:
        items += [x.chooser("activation"), x.slider("seed")]
    offered = [(name, name.replace("_", " ")) for name in (NOTHING, *operations)]
    groups = [
        Group(id="what", title="What is checked", items=items),
        Group(id="how", title="The difference", items=[x.slider("h")]),
        Group(
            id="wrong",
            title="A mistake on purpose",
            items=[
                replace(x.chooser("broken", options=offered), value=in_force(operations)),
                x.chooser("mistake"),
            ],
        ),
    ]
    x.controls(groups, height=height)


def in_force(operations: tuple[str, ...]) -> str:
    """The operation that is spoiled, where this function has it."""
    return str(x["broken"]) if x["broken"] in operations else NOTHING


def verdict(report: Report, broken: str, checked: Subject) -> str:
    """What to notice, in a sentence."""
    by_verdict = {
        light: [n for n, v in zip(report.names, report.verdicts, strict=True) if v == light]
        for light in pictures.MARKS
    }
    bad, doubtful = by_verdict["wrong"], by_verdict["doubtful"]
    count = len(report.names)
    name, error = report.names[report.worst], report.error[report.worst]
    worst = f"the largest relative error is {written(error, '2')} at **{name}**"
    if by_verdict["unchecked"]:
        names = ", ".join(f"**{n}**" for n in by_verdict["unchecked"])
        return (
            f"**Cannot be checked:** {names}. The function has no value at one end of the "
            "difference, so there is nothing to hold the gradient against."
        )
    if broken != NOTHING:
        told = MISTAKES[x["mistake"]][1]
        if bad or doubtful:
            return (
                f"**Caught.** The rule of {broken} has {told}: {len(bad) + len(doubtful)} of "
                f"{count} entries stand out, and {worst}.{blurred(checked)}"
            )
        return f"**Not caught:** the rule of {broken} has {told}, yet {worst}."
    if bad or doubtful:
        return doubt([e for e in established(checked, report) if e.name in bad + doubtful], worst)
    return f"All {count} entries agree; {worst}."


def blurred(checked: Subject) -> str:
    """What a poor step makes stand out as well, as a sentence that follows another."""
    if (cause := cause_of(x["h"])) is None:
        return ""
    also = sum(v != "good" for v in check(checked, h=x["h"]).verdicts)
    return f" At this h {also} would without a mistake too, by {cause}." if also else ""


def cause_of(h: float) -> str | None:
    """Why a difference over this step is off; None where the step is not to blame."""
    if h < 1e-8:
        return "round-off: h is too small"
    return "truncation: h is too large" if h > 1e-3 else None


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
                f"**The gradient is wrong** at **{entry.name}**, where the exact derivative is "
                f"{written(entry.exact.slope, '6')}; {worst}."
            )
    for entry in entries:
        if entry.standing == "unknown":
            return (
                f"Gradient and difference part at **{entry.name}**, and there is no exact value to "
                f"say which is right. {entry.exact.trouble}"
            )
    cause = (
        cause_of(x["h"]) or "a kink within h of the point, or a function that bends much within h"
    )
    return (
        "**The difference is off, not the gradient**, which is right to every digit of its exact "
        f"value. The marks doubt it all the same: {worst}. The cause is {cause}."
    )


@frame.fragment
def body() -> None:
    """The check: errors over the bands of verdicts, under the network whose weights they are."""
    view = frame.view(x, PRESETS)
    if x["of"] == "formula" and not x.hidden("f"):
        with view.picture:
            frame.formula(x, "f", readable, "(x + y) * sin(x)", label="f =")
    checked = subject()
    try:
        sound = check(checked)
    except ValueError as error:
        with view.picture:
            st.error(f"There is nothing to check: {error}.")
        with view.panel:
            settings((), view.height(560, 440))
        frame.foot(x, DEFINITION)
        x.publish()
        return
    broken = in_force(sound.operations)
    x.stand_in("broken", broken)
    with view.panel:
        settings(sound.operations, view.height(560, 440))
    report = check(
        checked, h=x["h"], broken=None if broken == NOTHING else broken, mistake=x["mistake"]
    )
    said = verdict(report, broken, checked)
    live = x.live()
    measured = live_check(live, checked, broken, report)
    with view.picture:
        show(live, measured, checked.names, said, view)
        frame.notice(said)
    if not view.embedded:
        explanation()
        if not x.hidden("table"):
            numbers(report)
        if not x.hidden("copies"):
            frame.copies(Python=code(report, checked), LaTeX=FORMULA)
    frame.foot(x, DEFINITION)
    x.publish()


def show(
    live: Picture, measured: Measured, names: tuple[str, ...], said: str, view: frame.View
) -> None:
    """The drawn network over the lollipops of its errors."""
    panels = [
        Panel(
            id="errors",
            kind="chart",
            title="relative error of each entry",
            tab="errors",
            rows=2,
            figure=pictures.errors(names, measured),
            alt="Relative error of each parameter on a logarithmic axis. " + said.replace("*", ""),
        )
    ]
    drawn = x["of"] == "network" and not view.embedded
    if drawn:
        network = pictures.network(SIZES, x["activation"], measured)
        about = "The network: its weights and biases as edges, coloured by verdict."
        title = "the network, its weights and biases in the colour of their verdict"
        panels.insert(0, Panel(id="network", title=title, tab="network", figure=network, alt=about))
    counts = [
        ops.sum(ops.where(measured.where(verdict), 1.0, 0.0)) for verdict in ("wrong", "doubtful")
    ]
    stage(
        "gradient_check.stage",
        panels,
        live=live,
        frames=1,
        columns=1,
        height=view.height(540 if drawn else 400, 375 if x["of"] == "network" else 295),
        lines=[
            words(
                f"Of {len(names)} entries {{:.0f}} are wrong, {{:.0f}} doubtful; the largest "
                "relative error is {:2}.",
                *counts,
                largest(measured.error, 0.0),
            )
        ],
    )


FORMULA = (
    r"\begin{aligned}\text{relative error} &= \frac{\lvert g_{\text{reverse}} - "
    r"g_{\text{difference}}\rvert}{\max(\lvert g_{\text{reverse}}\rvert, "
    r"\lvert g_{\text{difference}}\rvert)} \\[1.5ex] "
    r"g_{\text{difference}} &= \frac{f(w + h e_i) - f(w - h e_i)}{2h}\end{aligned}"
)
DEFINITION = (  # the same in one line
    r"|g_\text{reverse} - g_\text{difference}|\, /\, "
    r"\max(|g_\text{reverse}|, |g_\text{difference}|)"
)
ACTIVATION_CODE = {
    "tanh": "np.tanh(z)",
    "relu": "np.maximum(z, 0)",
    "sigmoid": "1 / (1 + np.exp(-z))",
    "softplus": "np.logaddexp(z, 0)",
}


def code(report: Report, checked: Subject) -> str:
    """The check as NumPy: the function, the gradient that is in question, and the difference."""
    if x["of"] == "formula":
        read = readable(x["f"])
        names = read.names
        text = python_gradient(lambda *inputs: read(**dict(zip(names, inputs, strict=True))), names)
        function = f"import numpy as np\n{text}\n\ndef f(w):\n    return f_and_gradient(*w)[0]\n"
    else:
        points, labels = two_moons(8, seed=x["seed"])
        (a, b, c) = SIZES
        function = (
            "import numpy as np\n\n"
            f"x = np.array({points.round(6).tolist()})\n"
            f"y = np.array({labels.tolist()})\n\n\n"
            "def f(w):\n"
            f"    W1, b1 = w[:{a * b}].reshape({a}, {b}), w[{a * b}:{(a + 1) * b}]\n"
            f"    W2, b2 = w[{(a + 1) * b}:{(a + 1) * b + b * c}], w[{(a + 1) * b + b * c}]\n"
            "    z = x @ W1 + b1\n"
            f"    logit = {ACTIVATION_CODE[x['activation']]} @ W2 + b2\n"
            "    return (np.logaddexp(logit, 0) - y * logit).mean()\n"
        )
    at = ", ".join(shorten(float(v)) for v in checked.at.ravel())
    reverse = ", ".join(shorten(float(v)) for v in report.analytic)
    return (
        f"{function}\n\n"
        f"w = np.array([{at}])\n"
        f"reverse = np.array([{reverse}])  # what reverse mode says\n"
        f"h = {shorten(x['h'])}\n"
        "step = h * np.eye(len(w))\n"
        "difference = np.array([(f(w + e) - f(w - e)) / (2 * h) for e in step])\n"
        "size = np.maximum(np.abs(reverse), np.abs(difference))\n"
        "print(np.abs(reverse - difference) / size)\n"
    )


def explanation() -> None:
    """The formula of the error and what counts as good."""
    with st.container(key="formula-check"):
        st.latex(FORMULA)
    st.caption(
        f"✓ up to {written(GOOD)}: as good as double precision allows at a good h. "
        "? above, or wherever the difference itself may be off by as much: a kink, a poor h, or a "
        f"small slip: look closer. ✗ past {written(1e-3)}: the two are different derivatives. ∅: "
        "the difference is not a number, and nothing is checked. Where a gradient vanishes, it is "
        "good if both are apart by no more than a billionth of what the function changes by over "
        "a step of one. Check at random points, not at zero, and before training."
    )


def numbers(report: Report) -> None:
    """Every entry with both gradients."""
    rows = [
        (
            html.escape(name),
            written(a, "+.9f"),
            written(n, "+.9f"),
            written(e, "2"),
            f"{pictures.MARKS[v]} {v}",
        )
        for name, a, n, e, v in zip(
            report.names, report.analytic, report.numeric, report.error, report.verdicts,
            strict=True,
        )
    ]  # fmt: skip
    frame.table(("parameter", "reverse mode", "difference", "relative error", "verdict"), rows)


body()
