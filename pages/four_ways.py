"""Four ways to a derivative: one typed function, by symbols, differences, forward and reverse."""

from __future__ import annotations

import math

import streamlit as st

from components.controls import Group, Item, Slider
from components.stage import Handle, Panel, stage
from engine.derivatives import four_ways as engine
from engine.derivatives.four_ways import Errors, Study, Traced
from engine.derivatives.numerical import BEST_CENTRAL_STEP
from engine.derivatives.source import latex_gradient, python_gradient
from engine.emit.picture import (
    Picture,
    at_rest,
    round_digits,
    round_to,
    words,
    written,
)
from engine.limits import COMPOSITIONS
from engine.studies.rule_latex import factor, number
from engine.tape import operations as ops
from engine.tape.latex import latex_of
from figures import four_ways as pictures
from pages import expression_swell, frame
from pages.expression_swell import many
from pages.presets import Preset
from pages.state import Choice, Integer, Number, Text, experiment, shorten

VIEWS = ("the four ways", "expression swell")
REACHES = (1, 2, 4, 8, 16, 32, 64, 100)
FAR = REACHES[-1]
QUARTER = 0.7853981633974483  # π/4, where the course takes the derivative of its graph
DIGITS, ENDS = 7, 12  # shown of a slope, and of the two values that a difference subtracts
NEAR = 0.5  # decades around the best step in which it counts as met
EXACT_DIGITS = 20  # of the slope by long arithmetic: four more than a double holds
LOST = 1e-9  # an error of reverse mode above this says that digits were thrown away

PRESETS = (
    Preset(
        "(x + y)·sin x", "good",
        "The course's graph at (π/4, 1): f = 1.262, "
        "∂f/\N{WORD JOINER}∂x = 1.9696, ∂f/\N{WORD JOINER}∂y = 0.7071.",
        {},
    ),
    Preset(
        "The complex step's own", "good",
        "The function on which the complex step was made known: at 1.5 its slope is "
        "4.05342789389862. At h = 10⁻⁹ it gives fifteen digits of that, differences six to seven.",
        {"f": "exp(x)/sqrt(sin(x)**3 + cos(x)**3)", "x": "1.5", "reach": "2", "h": "1e-9"},
    ),
    Preset(
        "A kink", "bad",
        "At 0 the slope is −1 from the left and 1 from the right: there is no derivative, and "
        "every way has a convention of its own.",
        {"f": "abs(x)", "x": "0"},
    ),
    Preset(
        "A formula that cancels", "bad",
        "1 − cos x loses every digit near 0. The rules of forward and reverse mode are exact, but "
        "their arithmetic has sixteen digits: the symbolic way fares no better.",
        {"f": "(1 - cos(x))/x**2", "x": "0.0001", "reach": "8"},
    ),
    Preset(
        "Too sure a neuron", "bad",
        "At 40 the sigmoid is 1 in a double, and so it is a step further: differences give 0. "
        "The rules and the complex step keep the slope, 4.2 × 10⁻¹⁸.",
        {"f": "sigmoid(x)", "x": "40", "reach": "64", "h": "1e-8"},
    ),
    Preset(
        "Swell", "bad",
        "The logistic map put into itself: the derivative as one expression more than doubles each "
        "time, the tape gains the same few operations.",
        {"view": "expression swell", "n": "8"},
    ),
)  # fmt: skip

x = experiment(
    "four_ways",
    [
        Choice("view", VIEWS[0], VIEWS, says={name: name.capitalize() for name in VIEWS}),
        Text("f", "(x + y)*sin(x)", check=engine.read),
        Number("x", QUARTER, -FAR, FAR, label="x"),
        Number("y", 1.0, -FAR, FAR, label="y"),
        Choice("by", "x", engine.INPUTS, label="derivative by"),
        Number(
            "h", 0.5, 1e-16, 1.0, label="step", symbol="h", scale="log",
            help="of both differences and of the complex step",
        ),
        Choice("reach", 4, REACHES, label="reach", says={str(r): f"±{r}" for r in REACHES}),
        Choice(
            "map", "logistic", ("logistic", "f"), label="map",
            says={"logistic": "4x(1 − x)", "f": "your f"},
        ),
        Integer("n", 4, 1, COMPOSITIONS, label="times", symbol="n"),
    ],
    parts=("copies",),
)  # fmt: skip


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


# What follows the hand ----------------------------------------------------------------------------


def settings(height: int) -> None:
    """Point, input, step; how often to compose."""
    if x["view"] == VIEWS[1]:
        items: list[Item] = [x.chooser("map"), x.slider("n")]
        x.controls([Group(id="swell", title="Composition", items=items)], height=height)
        return
    names = engine.inputs_of(engine.read(x["f"]))
    items = [point_slider(name) for name in names]
    if len(names) > 1:
        items.append(x.chooser("by"))
    items += [x.slider("h"), x.chooser("reach")]
    x.controls([Group(id="point", title="Point and step", items=items)], height=height)


def point_slider(name: str) -> Slider:
    """An input of the function, over a range in which it can be moved finely."""
    far = FAR if abs(x[name]) > 8 else 8
    return x.slider(name, minimum=-far, maximum=far)


def picture(live: Picture, found: Traced, errors: Errors | None, view: frame.View) -> None:
    """The curve with its tangent and secant, a lens on it, and the error against h."""
    wrt, h, (hand_x, _) = found.wrt, live["h"], live.hand
    line = engine.curve(x["f"], at(), wrt, reach())
    ys = engine.along(x["f"], tuple(live[n] for n in engine.INPUTS), wrt, line.x)
    point = {wrt: round_to(hand_x, 3)}
    step = {"h": round_digits(ops.clip(hand_x, 1e-16, 1.0), 3)}
    of = "relative" if errors is None or found_slope(found) else "absolute"
    still = at_rest(1.0, 0.0, *(live[n] for n in engine.inputs_of(engine.read(x["f"]))))
    panels = [
        Panel(
            id="curve",
            title=f"f along {wrt}, its tangent, the secant through {wrt} ± h",
            tab="function",
            figure=pictures.curve(line.x, ys, line.window, found, h),
            handles=[
                Handle(
                    id="point", spoken=f"{wrt} of the point", x=found.x, y=found.value, axis="x",
                    sets=point,
                    minimum=-reach(), maximum=reach(), label=words(f"{wrt} = {{:4}}", found.x),
                    color=pictures.MODES,
                )
            ],
            clicks=point,
            alt="The function with its tangent at a point to drag along it.",
        ),
        Panel(
            id="errors",
            title=f"{of} error against the step (dotted: theory)",
            tab="error",
            figure=pictures.errors(errors, found, still),
            handles=[]
            if errors is None
            else [
                Handle(
                    id="h", spoken="step of the differences", x=h,
                    y=pictures.on_curve(found.central_errors, h), axis="x",
                    sets=step, minimum=1e-16, maximum=1.0, label=words("h = {:2}", h),
                    color=pictures.CENTRAL,
                )
            ],
            clicks=step,
            alt="Error of forward and central difference and complex step against the step, on "
            "logarithmic axes.",
        ),
    ]  # fmt: skip
    if not view.embedded:
        about = "The same function magnified until the step h fills the picture."
        panels.insert(
            1,
            Panel(
                id="lens", title="lens on the secant", tab="lens", figure=pictures.lens(found),
                alt=about,
                kind="chart",
            ),
        )  # fmt: skip
    stage(
        "four_ways.picture",
        panels,
        live=live,
        frames=1,
        columns=[1, 1.25] if view.embedded else [1, 0.8, 1.25],
        height=view.height(380, 370),
        lines=[
            words(
                f"{slope_name(wrt)} = {{:8}} by the rules; the secant over {wrt} ± {{:2}} has "
                "slope {:8}.",
                found.slope,
                h,
                found.central,
            )
        ],
        alt=f"Slope of {x['f']} by {wrt}, and the error of its numerical estimates",
    )


def found_slope(found: Traced) -> bool:
    """Whether the slope of now is another than 0."""
    return float(getattr(found.slope, "data", found.slope)) != 0


def slope_name(wrt: str) -> str:
    """∂f/∂x, or df/dx where there is one input."""
    return f"∂f/∂{wrt}" if len(engine.inputs_of(engine.read(x["f"]))) > 1 else f"df/d{wrt}"


# What stands at rest ------------------------------------------------------------------------------


def short(value: float) -> str:
    """A step or an error in short, or a dash where there is none."""
    return "—" if math.isnan(value) else written(value, "2")


WAYS = {
    "symbolic": "symbolic",
    "forward difference": "numerical: forward difference",
    "central difference": "numerical: central difference",
    "complex step": "numerical: complex step",
    "forward mode": "forward mode, dual numbers",
    "reverse mode": "reverse mode, backpropagation",
}
PASSES = {
    "symbolic": "one expression per input",
    "forward difference": "n + 1 evaluations",
    "central difference": "2n evaluations",
    "complex step": "n complex evaluations",
    "forward mode": "n passes, one per input",
    "reverse mode": "1 forward, 1 backward",
}


def routes(study: Study) -> None:
    """Every way's result, error and cost."""
    rows = []
    for answer in study.answers:
        route = answer.route
        look = pictures.ROUTES.get(route, pictures.ROUTES["modes"])
        rows.append(
            (
                frame.swatch(look) + WAYS[route],
                "—" if math.isnan(answer.value) else written(answer.value, "16"),
                short(answer.error),
                PASSES[route].replace(" ", "&nbsp;"),
                many(answer.operations),
                many(answer.whole),
            )
        )
    n = len(study.names)
    slope = slope_name(study.wrt)
    frame.table(
        ("way", slope, "error", f"for n inputs (here {n})", f"operations for {slope}",
         "for the whole gradient"),
        rows,
    )  # fmt: skip
    exact = study.exact.rounded(EXACT_DIGITS)
    st.caption(
        (
            f"Long arithmetic, at the very doubles that the inputs are kept as: {slope} = {exact}. "
            if exact
            else ""
        )
        + f"Both differences and the complex step are taken at h = {short(study.h)}. Operations "
        f"are counted on the tape: f itself has {study.operations}. Forward and reverse mode count "
        "them in, as they work out f on the way. The symbolic way applies the same rules and keeps "
        "them as one expression, in which a part that is used twice stands twice."
    )


def definition() -> str:
    """The function in LaTeX."""
    read = engine.read(x["f"])
    names = engine.inputs_of(read)
    whole = latex_of(lambda *values: read.evaluate(dict(zip(names, values, strict=True))), names)
    return rf"f({', '.join(names)}) = {whole}"


def formula(study: Study) -> None:
    """The function, its derivative in symbols, and the central difference with its numbers."""
    wrt = study.wrt
    partial = r"\partial" if len(engine.inputs_of(engine.read(x["f"]))) > 1 else "d"
    slope = rf"\frac{{{partial} f}}{{{partial} {wrt}}}"
    answer = study.answer("symbolic")
    with st.container(key="formula-ways"):
        st.latex(definition())
        if study.symbolic.latex and math.isfinite(answer.value):
            value = [] if study.exact.trouble else [rf"&= {number(answer.value, DIGITS)}"]
            lines(rf"{slope} &= {study.symbolic.latex}", *value)
        elif not study.symbolic.latex:
            st.caption(
                f"Written out, the symbolic derivative has {many(study.symbolic.operations)} "
                f"operations, more than fits a line; with every part worked out once it has "
                f"{study.symbolic.shared}."
            )
        below, above = study.ends
        if math.isfinite(below) and math.isfinite(above):
            difference = rf"{number(above, ENDS)} - {factor(below, ENDS)}"
            lines(
                rf"{slope} &\approx \frac{{f({wrt}+h) - f({wrt}-h)}}{{2h}}",
                rf"&= \frac{{{difference}}}{{2\cdot {number(study.h)}}}",
                rf"&= {number(study.answer('central difference').value, DIGITS)}",
            )


def copies(study: Study) -> None:
    """The function with its gradient and both differences, to take along."""
    read = engine.read(x["f"])
    names = engine.inputs_of(read)

    def value(*inputs: object) -> object:
        return read.evaluate(dict(zip(names, inputs, strict=True)))

    try:
        text = python_gradient(value, names)
    except ValueError:  # longer than anyone would paste
        return
    point = dict(zip(engine.INPUTS, at(), strict=True))

    def moved(by: str) -> str:
        inputs = (f"{name}{by}" if name == study.wrt else name for name in names)
        return f"f_and_gradient({', '.join(inputs)})[0]"

    given = ", ".join(names), ", ".join(shorten(point[name]) for name in names)
    text += (
        f"\n\n{given[0]}, h = {given[1]}, {shorten(study.h)}\n"
        f"value, gradient = f_and_gradient({given[0]})\n"
        f"forward = ({moved(' + h')} - value) / h\n"
        f"central = ({moved(' + h')} - {moved(' - h')}) / (2 * h)\n"
        f"print(gradient[{list(names).index(study.wrt)}], forward, central)\n"
    )
    frame.copies(Python=text, LaTeX=latex_gradient(value, names))


def lines(*rows: str) -> None:
    """One formula on several lines, so that it fits a narrow screen."""
    whole = r" \\[1.5ex] ".join(rows)
    st.latex(rf"\begin{{aligned}}{whole}\end{{aligned}}")


def remark(study: Study, errors: Errors | None) -> str:
    """What is worth seeing in the present state."""
    if errors is None:
        trouble = study.exact.trouble.replace("-", "−")
        return (
            f"{trouble} No way can be measured here; what a way says all the same is its own "
            "convention."
        )
    modes = study.answer("reverse mode").error
    central = study.answer("central difference").error
    best = errors.best_central
    if modes > LOST:
        return (
            f"Even reverse mode is off by {short(modes)}. Its rules are exact; the arithmetic "
            "under them has sixteen digits, and this formula throws them away at this point."
        )
    if study.ends[0] == study.ends[1] and study.exact.slope:
        return (
            f"f is the same double at {study.wrt} − h and {study.wrt} + h, so the difference says "
            "0: every digit is lost. The complex step takes no difference and loses none."
        )
    if math.isnan(best):
        return (
            "Here truncation or round-off of the central difference is nothing: its error has no "
            "valley to find."
        )
    if study.h > best * 10**NEAR:
        return (
            f"h is **too large**: truncation rules. Halve it: the forward difference about halves "
            f"its error, the central one quarters its own ({short(central)}). Drag h to the left."
        )
    if study.h < best / 10**NEAR:
        return (
            f"h is **too small**: f({study.wrt} + h) and f({study.wrt} − h) agree in about "
            f"{written(study.agreeing_digits, '.0f')} of their 16 digits, and their difference "
            f"keeps only the "
            "rest. The complex step takes no difference, so it loses nothing."
        )
    return (
        f"h is near the best for the central difference: truncation |f‴|h²/6 and round-off "
        f"ε|f|/h balance at h ≈ {short(best)}; ε^(1/3) = {short(BEST_CENTRAL_STEP)}. "
        f"An error like {short(central)} is all that it can give."
    )


# The page -----------------------------------------------------------------------------------------


def opening() -> None:
    """Title and lead, whose word chooses between the ways and what one of them swells to."""
    rest = (
        " to one slope: symbolic, numerical, forward and reverse mode; how far off, at what cost."
        if x["view"] == VIEWS[0]
        else ": a function in a function in a function, and how long its derivative gets."
    )
    frame.opening(x, "Four ways to a derivative", [x.menu("view"), rest])


@frame.fragment
def body() -> None:
    """Everything that answers to the reader's hand."""
    embedded = bool(st.context.is_embedded)
    opening()
    view = frame.view(x, PRESETS, panel=0.22)
    with view.panel:
        if not embedded and not x.hidden("f"):
            frame.formula(x, "f", engine.read, "sin(x**2)*exp(-x/2)")
        settings(view.height(420, 380))
    live = x.live()
    if x["view"] == VIEWS[1]:
        own = x["map"] == "f"
        counts = engine.swell(x["f"] if own else engine.LOGISTIC, by() if own else "x")
        with view.picture:
            expression_swell.show(live, counts, view.height(380, 430))
        if not embedded:
            expression_swell.tell(counts, int(x["n"]))
        frame.foot(x, r"f_n(x) = f(f_{n-1}(x))")
    else:
        four(live, view)
        frame.foot(x, definition())
    x.publish()


def four(live: Picture, view: frame.View) -> None:
    """The four ways at the reader's point."""
    study = engine.study(x["f"], at(), by(), x["h"])
    errors = error_curves(x["f"], at(), by())
    point = tuple(live[name] for name in engine.INPUTS)
    found = engine.traced(x["f"], point, by(), live["h"], study.exact)
    with view.picture:
        picture(live, found, errors, view)
        frame.notice(remark(study, errors))
    if view.embedded:
        return
    if not x.hidden("table"):
        routes(study)
    if not x.hidden("formula"):
        formula(study)
    if not x.hidden("copies"):
        copies(study)


body()
