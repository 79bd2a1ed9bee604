"""Four ways to a derivative: one typed function, by symbols, differences, forward and reverse."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from components.controls import Choice as Chooser
from components.controls import Group, Slider, controls
from components.stage import Event, Handle, Panel, stage
from engine.derivatives import four_ways as engine
from engine.derivatives.four_ways import Errors, Study, Swell
from engine.derivatives.numerical import BEST_CENTRAL_STEP
from engine.studies.rule_latex import factor, number
from engine.tape.symbolic import latex_of
from figures import four_ways as pictures
from pages import frame, prose
from pages.presets import Preset
from pages.state import Choice, Integer, Number, Text, experiment

REACHES = (1, 2, 4, 8, 16, 32, 64, 100)
FAR = REACHES[-1]
QUARTER = 0.7853981633974483  # π/4, where the course takes the derivative of its graph
DIGITS, ENDS = 7, 12  # shown of a slope, and of the two values that a difference subtracts
NEAR = 0.5  # decades around the best step in which it counts as met

PRESETS = (
    Preset(
        "(x + y)·sin x", "good",
        "The course's graph at (π/4, 1): f = 1.262, ∂f/∂x = 1.9696, ∂f/∂y = 0.7071.",
        {},
    ),
    Preset(
        "the complex step's own", "good",
        "The function on which the complex step was made known: at 1.5 its slope is "
        "4.05342789389862. Differences get ten or eleven digits of that, the complex step all.",
        {"f": "exp(x)/sqrt(sin(x)**3 + cos(x)**3)", "x": "1.5", "reach": "2"},
    ),
    Preset(
        "a kink", "bad",
        "At 0 the slope is −1 from the left and 1 from the right: there is no derivative, and "
        "every route makes up its own.",
        {"f": "abs(x)", "x": "0"},
    ),
    Preset(
        "a formula that cancels", "bad",
        "1 − cos x loses every digit near 0. The rules of forward and reverse mode are exact, but "
        "they are carried out on the same sixteen digits: the symbolic route fares no better.",
        {"f": "(1 - cos(x))/x**2", "x": "0.0001", "reach": "8"},
    ),
    Preset(
        "too sure a neuron", "bad",
        "At 40 the sigmoid is 1 in a double, so σ(1 − σ) is 0: the slope, 4·10⁻¹⁸, is lost to all "
        "but the complex step.",
        {"f": "sigmoid(x)", "x": "40", "reach": "64", "h": "1e-8"},
    ),
    Preset(
        "swell", "bad",
        "The logistic map put into itself: the derivative as one expression more than doubles each "
        "time, the tape gains the same few operations.",
        {"f": "4*x*(1 - x)", "x": "0.2", "reach": "1", "n": "8"},
    ),
)  # fmt: skip

x = experiment(
    "four_ways",
    [
        Text("f", "(x + y)*sin(x)", check=engine.read),
        Number("x", QUARTER, -FAR, FAR),
        Number("y", 1.0, -FAR, FAR),
        Choice("by", "x", engine.INPUTS),
        Number("h", 0.5, 1e-16, 1.0),
        Choice("reach", 4, REACHES),
        Choice("map", "logistic", ("logistic", "f")),
        Integer("n", 4, 1, engine.MAX_TIMES),
    ],
)

frame.opening(
    x,
    "Four ways to a derivative",
    "One function, four ways to its slope: what each gives, how far off it is, what it costs.",
)


def at() -> tuple[float, float]:
    """The reader's point."""
    return x["x"], x["y"]


def by() -> str:
    """The input to differentiate by: the chosen one where the function depends on it."""
    names = engine.inputs_of(engine.read(x["f"]))
    return x["by"] if x["by"] in names else names[0]


def reach() -> int:
    """How far the axis goes: as chosen, or as far as the point needs."""
    return max(int(x["reach"]), next(r for r in REACHES if r >= abs(x[by()])))


@st.cache_data(max_entries=64, show_spinner=False)
def error_curves(text: str, point: tuple[float, float], wrt: str) -> Errors | None:
    """The error of the numerical ways at every step."""
    return engine.errors(text, point, wrt)


# What the reader does -----------------------------------------------------------------------------


def on_pictures(event: Event) -> None:
    """The point on the curve or the step, dragged or clicked."""
    if x.locked(by() if event.panel == "curve" else "h"):
        return
    if event.panel == "curve":
        value = round(min(max(event.x, -FAR), FAR), 3)
        x.change({by(): value}, by="pictures", held=event.kind == "drag")
    elif event.panel == "errors":
        step = float(f"{min(max(event.x, 1e-16), 1.0):.3g}")
        x.change({"h": step}, by="pictures", held=event.kind == "drag")


def on_swell(event: Event) -> None:
    """The number of compositions, dragged or clicked."""
    if x.locked("n"):
        return
    n = min(max(round(event.x), 1), engine.MAX_TIMES)
    x.change({"n": n}, by="swell", held=event.kind == "drag")


def take(values: Mapping[str, Any], *, committed: bool) -> None:
    """The sliders and choices."""
    numbers = {name: float(values[name]) for name in ("x", "y", "h") if name in values}
    choices = {name: values[name] for name in ("by", "map") if name in values}
    whole = {"reach": int(values["reach"]), "n": int(values["n"])}
    x.change({**numbers, **choices, **whole}, by="controls", held=not committed)


# What the reader sees -----------------------------------------------------------------------------


def settings(height: int) -> None:
    """Point, input, step; how often to compose."""
    names = engine.inputs_of(engine.read(x["f"]))
    point: list[Any] = [
        Slider(
            name=name, label=name, value=x[name], minimum=-FAR if abs(x[name]) > 8 else -8,
            maximum=FAR if abs(x[name]) > 8 else 8, default=x.fields[name].default,
        )
        for name in names
    ]  # fmt: skip
    if len(names) > 1:
        point.append(
            Chooser(
                name="by", label="derivative by", value=by(),
                options=[(name, name) for name in names],
            )
        )  # fmt: skip
    answer = controls(
        "four_ways.controls",
        [
            Group(
                id="point",
                title="Point and step",
                items=[
                    *point,
                    Slider(
                        name="h", label="step", symbol="h", value=x["h"], minimum=1e-16,
                        maximum=1.0, default=0.5, scale="log",
                        help="of both differences and of the complex step",
                    ),
                    Chooser(
                        name="reach", label="reach", value=str(reach()),
                        options=[(str(r), f"±{r}") for r in REACHES],
                    ),
                ],
            ),
            Group(
                id="swell",
                title="Composition",
                items=[
                    Chooser(
                        name="map", label="map", value=x["map"],
                        options=[("logistic", "4x(1 − x)"), ("f", "your f")],
                    ),
                    Slider(
                        name="n", label="times", symbol="n", value=x["n"], minimum=1,
                        maximum=engine.MAX_TIMES, default=4, integer=True,
                    ),
                ],
            ),
        ],
        locked=[name for name in x.fields if x.locked(name)],
        max_height=height,
    )  # fmt: skip
    take(answer.values, committed=answer.committed)


def picture(study: Study, errors: Errors | None, height: int) -> None:
    """The curve with its tangent, and the error against h."""
    line = engine.curve(x["f"], at(), study.wrt, reach())
    seen = np.isfinite(line.y)
    point = Handle(
        id="point", x=study.at, y=study.exact.value, axis="x", minimum=-reach(), maximum=reach(),
        curve=(line.x[seen], line.y[seen]) if seen.any() else None,
        label=f"{study.wrt} = {study.at:.4g}", color=pictures.MODES,
    )  # fmt: skip
    central = None if errors is None else (engine.STEPS, pictures.shown(errors.central))
    step = Handle(
        id="h", x=study.h, y=1.0, axis="x", minimum=float(engine.STEPS[0]), maximum=1.0,
        curve=central, label=f"h = {short(study.h)}", color=pictures.CENTRAL_DIFFERENCE,
    )  # fmt: skip
    of = "absolute" if study.exact.slope == 0 else "relative"
    stage(
        "four_ways.picture",
        [
            Panel(
                id="curve",
                title="f, its tangent, the secant (dashed)",
                figure=pictures.tangent(line, study, reach()),
                handles=[] if x.locked(study.wrt) else [point],
                alt="The function with its tangent at a point to drag along it.",
            ),
            Panel(
                id="errors",
                title=f"{of} error: forward - -, central —, complex ··",
                figure=pictures.errors(errors, study.h),
                handles=[] if x.locked("h") or errors is None else [step],
                alt="Error of forward and central difference and complex step against the step, on "
                "logarithmic axes.",
            ),
        ],
        frames=1,
        columns=[1, 1.25],
        height=height,
        alt=f"Slope of {x['f']} by {study.wrt}, and the error of its numerical estimates",
        on_event=on_pictures,
    )


def short(value: float) -> str:
    """A step or an error in short, or a dash where there is none."""
    if math.isnan(value):
        return "—"
    return f"{value:.2g}".replace("e-0", "e-").replace("-", "−")


PASSES = {
    "symbolic": "one expression an input",
    "forward difference": "n + 1 evaluations",
    "central difference": "2n evaluations",
    "complex step": "n complex evaluations",
    "forward mode": "n passes, one an input",
    "reverse mode": "1 forward, 1 backward",
}


def routes(study: Study) -> None:
    """Every way's result, error and cost."""
    names = {
        "forward difference": f"forward difference, h = {short(study.h)}",
        "central difference": f"central difference, h = {short(study.h)}",
        "complex step": f"complex step, h = {short(study.h)}",
    }
    rows = []
    for answer in study.answers:
        undone = answer.route == "symbolic" and study.symbolic.trouble
        rows.append(
            (
                names.get(answer.route, answer.route),
                "—" if math.isnan(answer.value) else f"{answer.value:.16g}".replace("-", "−"),
                short(answer.error),
                PASSES[answer.route].replace(" ", "&nbsp;"),
                "—" if undone else str(answer.operations),
                "—" if undone else str(answer.whole),
            )
        )
    n = len(study.names)
    slope = f"∂f/∂{study.wrt}" if n > 1 else f"df/d{study.wrt}"
    frame.table(
        ("way", slope, "error", f"for n inputs (here {n})", f"operations for {slope}",
         "for the whole gradient"),
        rows,
    )  # fmt: skip
    exact = study.exact.digits.replace("-", "−")
    st.caption(
        (f"To fifty digits {slope} = {exact}. " if exact else "")
        + f"Operations are counted on the tape: f itself has {study.operations}. Forward and "
        "reverse mode count them in, as they work out f on the way."
        + (f" Symbolic: {study.symbolic.trouble}" if study.symbolic.trouble else "")
    )


def formula(study: Study) -> None:
    """The function, its derivative in symbols, and the central difference with its numbers."""
    names = engine.inputs_of(engine.read(x["f"]))
    wrt = study.wrt
    whole = latex_of(
        lambda *values: engine.read(x["f"]).evaluate(dict(zip(names, values, strict=True))), names
    )
    st.latex(rf"f({', '.join(names)}) = {whole}")
    partial = r"\partial" if len(names) > 1 else "d"
    slope = rf"\frac{{{partial} f}}{{{partial} {wrt}}}"
    answer = study.answer("symbolic")
    if study.symbolic.latex and math.isfinite(answer.value):
        value = [] if study.exact.trouble else [rf"&= {number(answer.value, DIGITS)}"]
        lines(rf"{slope} &= {study.symbolic.latex}", *value)
    elif study.symbolic.operations and not study.symbolic.latex:
        st.caption(
            f"Written out, the symbolic derivative has {study.symbolic.operations} operations: "
            "more than fits a line."
        )
    below, above = study.ends
    if math.isfinite(below) and math.isfinite(above):
        difference = rf"{number(above, ENDS)} - {factor(below, ENDS)}"
        lines(
            rf"{slope} &\approx \frac{{f({wrt}+h) - f({wrt}-h)}}{{2h}}",
            rf"&= \frac{{{difference}}}{{2\cdot {number(study.h)}}}",
            rf"&= {number(study.answer('central difference').value, DIGITS)}",
        )


def lines(*rows: str) -> None:
    """One formula on several lines, so that it fits a narrow screen."""
    whole = r" \\[1.5ex] ".join(rows)
    st.latex(rf"\begin{{aligned}}{whole}\end{{aligned}}")


def remark(study: Study, errors: Errors | None) -> None:
    """What is worth seeing in the present state."""
    if errors is None:
        trouble = study.exact.trouble.replace("-", "−")
        prose.notice(
            f"{trouble} No way can be measured here; what a way says all the same is its own "
            "convention."
        )
        return
    modes = study.answer("reverse mode").error
    central = study.answer("central difference").error
    best = errors.best_central
    if math.isnan(modes):
        text = (
            "Reverse mode gives no number here, though there is a slope: a step on the way has no "
            "finite value, or no slope of its own."
        )
    elif modes > 1e-9:
        text = (
            f"Even reverse mode is off by {short(modes)}. Its rules are exact; the arithmetic "
            "under them has sixteen digits, and this formula throws them away at this point."
        )
    elif study.h > best * 10**NEAR:
        text = (
            f"h is **too large**: truncation rules. Halve it: the forward difference about halves "
            f"its error, the central one quarters its own ({short(central)}). Drag h to the left."
        )
    elif study.h < best / 10**NEAR:
        text = (
            f"h is **too small**: f({study.wrt} + h) and f({study.wrt} − h) agree in about "
            f"{study.agreeing_digits:.0f} of their 16 digits, and their difference keeps only the "
            "rest. The complex step takes no difference, so it loses nothing."
        )
    elif not math.isnan(best):
        text = (
            f"h is near the best for the central difference: truncation |f‴|h²/6 and round-off "
            f"ε|f|/h balance at h ≈ {short(best)}; ε^(1/3) = {short(BEST_CENTRAL_STEP)}. "
            f"An error like {short(central)} is all that it can give."
        )
    else:
        text = (
            "Here truncation or round-off of the central difference is nothing: its error has no "
            "valley to find."
        )
    prose.notice(text)


def composition(height: int) -> Swell:
    """The swell of expressions against the tape."""
    own = x["map"] == "f"
    text = x["f"] if own else engine.LOGISTIC
    counts = engine.swell(text, by() if own else "x")
    n = int(x["n"])
    handle = Handle(
        id="n", x=n, y=float(counts.reverse[n - 1]), axis="x", minimum=1,
        maximum=engine.MAX_TIMES, label=f"n = {n}", color=pictures.MODES,
    )  # fmt: skip
    stage(
        "four_ways.swell",
        [
            Panel(
                id="swell",
                title="operations of the derivative of f(f(…f(x)))",
                figure=pictures.swell(counts, n),
                handles=[] if x.locked("n") else [handle],
                alt="Operations of the derivative against the number of compositions.",
            )
        ],
        frames=1,
        height=height,
        alt="Expression swell against the tape",
        on_event=on_swell,
    )
    return counts


def swell_words(counts: Swell) -> None:
    """The counts at the chosen n, and the expression while it fits."""
    k = int(x["n"]) - 1
    rows = [
        (name, "not asked" if count is None else f"{count:,}")
        for name, count in (
            (marked("unrolled", "one expression, unsimplified"), counts.unrolled[k]),
            (marked("sympy", "SymPy's expression"), counts.sympy[k]),
            (marked("shared", "SymPy's, parts shared"), counts.shared[k]),
            (marked("reverse", "reverse mode, with f"), counts.reverse[k]),
            ("forward mode, with f", counts.forward[k]),
        )
    ]
    frame.table((f"n = {k + 1}", "operations"), rows)
    if counts.latex[k]:
        st.latex(rf"f_{{{k + 1}}}'(x) = {counts.latex[k]}")
    grown = counts.reverse[1] - counts.reverse[0]
    text = (
        f"Each composition adds {grown} operations to the tape. Written out, the derivative at "
        f"n = {k + 1} has {counts.unrolled[k]:,}"
    )
    if counts.unrolled[k] > 2 * counts.reverse[k]:
        text += (
            f", {counts.unrolled[k] / counts.reverse[k]:.3g} times the tape's. What swells is not "
            "the derivative but its writing without names: a tape names every value once."
        )
    else:
        text += ": not much of a swell."
    prose.notice(text)


def marked(name: str, text: str) -> str:
    """The text behind the mark of its line, as HTML."""
    return f"{frame.swatch(pictures.SWELL[name])}{text}"


@st.fragment
def body() -> None:
    """Everything that answers to the reader's hand."""
    embedded = bool(st.context.is_embedded)
    if not embedded and not x.hidden("presets"):
        prose.presets(x, PRESETS)
    if not x.hidden("f"):
        frame.formula(x, "f", engine.read, "sin(x**2)*exp(-x/2)", label="f(x, y) =")
    left, right = (
        (st.container(), None) if x.hidden("controls") else st.columns([3, 1], gap="medium")
    )
    if right is not None:
        with right:
            settings(height=380 if embedded else 520)
    study = engine.study(x["f"], at(), by(), x["h"])
    errors = error_curves(x["f"], at(), by())
    with left:
        picture(study, errors, 300 if embedded else 380)
        remark(study, errors)
    if not x.hidden("table"):
        routes(study)
    formula(study)
    if not x.hidden("swell"):
        st.subheader("Expression swell", anchor=False)
        shown, said = st.columns([3, 2], gap="medium")
        with shown:
            counts = composition(300 if embedded else 360)
        with said:
            swell_words(counts)
    x.publish()


body()
