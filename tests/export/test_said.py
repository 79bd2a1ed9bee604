"""What Python says around a page's moving parts, as HTML: sentences, formulas, tables."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from export.capture import Page
from export.mathml import mathml
from export.said import html_of, inline

# The pages whose sentences a copy is asked to carry; each says something at rest.
FIGURES = (
    "race", "debugger", "map", "basins", "bias_correction", "schedules", "softmax", "entropy",
    "saturation", "losses", "graph",
)  # fmt: skip


def shape(latex: str) -> str:
    """A formula's elements as nested names, its signs as they stand."""

    def told(e: ET.Element) -> str:
        inner = "".join(map(told, e)) or (e.text or "")
        if e.tag in ("msub", "msup", "msubsup", "mfrac", "msqrt", "mover"):
            return f"{e.tag[1:]}({'; '.join(map(told, e))})"
        return inner

    return told(ET.fromstring(mathml(latex)))


@pytest.mark.parametrize(
    ("latex", "wanted"),
    [
        (r"\eta = 0.0307", "η=0.0307"),
        (r"\beta_1^{t}", "subsup(β; 1; t)"),
        (r"\frac{m_t}{1 - \beta}", "frac(sub(m; t); 1−β)"),
        (r"x^12", "sup(x; 1)2"),
        (r"\sqrt{\hat v_t} + \epsilon", "sqrt(sub(over(v; ^); t))+ϵ"),
        (r"44\,991", "44\u202f991"),
        (r"\left(1 + x\right)^2", "sup((1+x); 2)"),
        (r"\Bigl(1 + x\Bigr)^2", "sup((1+x); 2)"),
        (r"f'", "sup(f; ′)"),
    ],
)
def test_formulas_become_elements(latex: str, wanted: str) -> None:
    assert shape(latex) == wanted


def test_rows_are_parted_and_aligned() -> None:
    made = ET.fromstring(mathml(r"\begin{aligned} a &= b \\[5pt] c &= d \end{aligned}"))
    rows = list(made.iter("mtr"))
    assert ["".join(row.itertext()) for row in rows] == ["a=b", "c=d"]
    sides = [cell.attrib["style"].split(";")[0] for cell in rows[0]]
    assert sides == ["text-align:right", "text-align:left"]


@pytest.mark.parametrize(
    "latex", [r"\frac{a", r"\unknown{x}", r"a & b", r"\begin{tikz}x\end{tikz}", r"\left( x"]
)
def test_what_is_not_understood_is_refused(latex: str) -> None:
    with pytest.raises(ValueError, match=r"formula|known|parted"):
        mathml(latex)


def test_sentences_are_html_and_hold_no_other() -> None:
    assert (
        inline("**a** of `b` <script> *c*")
        == "<b>a</b> of <code>b</code> &lt;script&gt; <em>c</em>"
    )
    assert inline("$x$") == "<math><mi>x</mi></math>"
    hued = "**<span style='color:light-dark(#4273bd,#74a6ef)'>A <b></span>** leads"
    assert inline(hued).startswith("<b><span style='color:light-dark(#4273bd,#74a6ef)'>A &lt;b&gt;")
    assert html_of("markdown", "Heard in class") == ""
    assert html_of("caption", "&nbsp;") == ""
    assert html_of("latex", r"$$\unknown$$") == ""
    assert html_of("markdown", "$$\nx = 1\n$$\n\n$$\ny = 2\n$$\n\nHere.").count("<math") == 2


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_comes_with_what_is_said_of_it(name: str) -> None:
    state = Page(name, {}).state()
    assert state.said
    texts = [ET.fromstring(f"<p>{text.replace('&nbsp;', ' ')}</p>") for text in state.said]
    if name != "race":  # it says its numbers in a table
        assert any("dh-notice" in text for text in state.said)
    assert all("".join(text.itertext()).strip() for text in texts)
