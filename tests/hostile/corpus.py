"""Links, formulas, rules and messages that hurt once, or were made to hurt.

Each is short enough for an address. A new one that hurts is added here before it is cured.
"""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import quote

FORMULAS: Final[tuple[str, ...]] = (
    # Expression swell: derivatives of nested branches.
    "where(y<max(x,-64),log(x-y),tanh(y)-y)",
    "sigmoid(where(x<min(y,2),where(y<x,log(x-y),x*y),min(x,max(y,x*y))))",
    "tanh(where(x<y,where(x<-y,sigmoid(x*y),min(x,y)),where(y<1,max(x,y),log(x))))",
    # Wide calls, nested clip, towers of powers: short texts, long programs.
    "max(" + ",".join(["x*y"] * 97) + ")",
    "min(" + ",".join(["x", "y"] * 90) + ")",
    "clip(" * 25 + "x*y" + ",-1,x)" * 25,
    "(" * 40 + "x" + "**y)" * 40,
    "relu(" * 55 + "x+y" + ")" * 55,
    "sigmoid(" * 48 + "x*y" + ")" * 48,
    "abs(" * 59 + "x-y" + ")" * 59,
    "+".join(["sin(x*y)**9"] * 33),
    "*".join(["(x+y)"] * 59),
    "x**64*y**64+(x*y)**-64",
    # Division by an exact zero and its kind.
    "y/relu(x)",
    "y/clip(x,0,1)",
    "x+y/max(x,0)",
    "log(relu(x))+y",
    "relu(x)**-2+y",
    "(x+y)/where(x>0,x,0)",
    "y/(x-x)",
    "x/0+y",
    "0/0+x*y",
    # No finite number at or near the start.
    "1/x+y",
    "exp(x*y)",
    "1e308*x*y",
    "log(x)+y",
    "exp(exp(x))+y",
    "sqrt(x-4.9)+y",
    "where(x>100,x,0/x+y)",
    "x*1e-320+y",
    "1e400*x+y",
    # Texts that are no formula.
    "",
    " ",
    "x",
    "(",
    "((((((((((",
    "x" * 400,
    "x+" * 199 + "x",
    "__import__('os').system('true')",
    "x if y else x",
    "lambda: x",
    "x.__class__",
    "x[0]",
    "f(x)",
    "x**y**x**y**x",
    "1_000*x",
    "0x10*x",
    "x\x00y",
    "x\ny",
    "\u202ex",
    "𝒙²+𝒚²",
    "x²+y²",
    "<b>x</b>",
    "'><script>alert(1)</script>",
    "&lt;x&gt;",
    "$x$",
    "\\frac{x}{y}",
    "x;y",
    "x#y",
    "y=x",
    "x=y=1",
    "{x}",
    "%x",
    "nan*x",
    "inf*x",
    "x" + "\u0301" * 50,
    "٣*x",
    "x–y",
    "−x",
    "x·y",
    "e*x",
    "i*x",
    "1j*x",
    "True*x",
    "None",
)

MARKUP: Final = "\"'><img src=x onerror=alert(1)><script>alert(1)</script>&amp;</style><b>"
"""Put into every text of a reader: nothing of it may come back as an element."""

NAMES = (
    "alpha",
    "beta1",
    "e",
    "g2",
    "t1",
    "x0",
    "v0",
    "sweep",
    "steps",
    "inf",
    "nan",
    "lambda_",
    "where",
    "real",
    "power",
    "bound",
    "w_0",
    "self",
    "None_",
    "const",
    "let",
    "eps",
    "pi_",
)
RULES: Final[tuple[str, ...]] = (
    # Names that the printed source uses itself, as hyper-parameters and as state.
    *(f"w = w - {name}*g" for name in NAMES),
    *(f"{name} = 0.5*{name} + g\nw = w - lr*{name}" for name in NAMES),
    # Five lines that square each other.
    "\n".join(
        [
            "a = sin(g*g+w) + cos(g*w-a)*tanh(a+g) + exp(-a*a) + sqrt(1+a*a)*g",
            *(
                f"{b} = " + "+".join(f"sin({a}*{i}+{b})*cos({a}-{i}*g)" for i in range(1, 13))
                for a, b in zip("abcd", "bcdp", strict=True)
            ),
            "w = w - lr*p",
        ]
    ),
    "\n".join(
        [*(f"a{i} = max({','.join([f'a{i}', 'g', 'w'] * 20)})" for i in range(6)), "w = w - lr*a5"]
    ),
    "v = (" * 1 + "(" * 30 + "v" + "**g)" * 30 + ")\nw = w - lr*v",
    # No number comes out, or not for long.
    "w = w - lr*g/0",
    "w = w/(w-w)",
    "w = w - g/relu(g)",
    "v = v/v\nw = w - lr*v",
    "w = w**64",
    "w = w - lr*g**t",
    "w = w + log(-abs(g))",
    "w = w - lr*loss**loss",
    "w = 1/t - w/(1-t)",
    "w = where(g > 0, 1/0, w)",
    # No rule.
    "",
    "w",
    "w = ",
    "w = w\nw = w",
    "g = w",
    "t = t + 1\nw = w*t",
    "loss = 0\nw = w",
    "x = y",
    "w = w - lr*g; import os",
    "w = w\n" * 60,
    "w = " + "w+" * 190 + "w",
    "w == w",
    "w := w",
    MARKUP,
    f"w = w - {MARKUP}",
    "# " + MARKUP + "\nw = w - lr*g",
    "w = w\x00",
    "ẃ = w",
    "w\t=\tw-lr*g",
    "\n".join(f"h{i} = a{i}*g" for i in range(20)) + "\nw = w",
)


def link(page: str, **values: object) -> str:
    """The address of a page with these values."""
    return f"/{page}?" + "&".join(f"{k}={quote(str(v), safe='')}" for k, v in values.items())


def _typed(rule: str) -> str:
    return "typed~" + quote(rule, safe="")


_SWELL, _WIDE, _TOWER = FORMULAS[0], FORMULAS[3], FORMULAS[6]
_ALL_RUNS = ";".join(
    ["sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "amsgrad", "adamw", "newton"]
)

WORST: Final[tuple[str, ...]] = (
    link("four_ways", map="f", f=_SWELL),
    link("four_ways", map="f", f=FORMULAS[1]),
    link("map", on="formula", f=_WIDE),
    link("race", on="formula", f=_TOWER, runs=_ALL_RUNS, steps=2000),
    link("engine_room", epochs=3000, width=64),
    link("race", runs=_typed(RULES[2 * len(NAMES)]), steps=2000),
    link("basins", on="formula", f=FORMULAS[5], runs="adam;newton;sgd;momentum", steps=2000),
    link("map", on="formula", f="+".join(["sin(x*y)**9"] * 33), runs="newton", steps=2000),
)
"""What six hostile readers open in benchmarks.hostile."""

STARTS: Final[tuple[tuple[str, str], ...]] = (
    ("1/x+y", "0,0"),
    ("exp(x*y)", "9999,9999"),
    ("1e308*x*y", "5,5"),
    ("log(x)+y", "-1,-1"),
)
"""Formulas with starts at which they have no finite value."""

# Twelve times Newton on a formula as long as they may be: its Hessian along every path, and every
# learning rate for each.
LONG_RACE: Final = {
    "on": "formula", "f": "+".join(f"exp(-(x-{a})**2-y**2)" for a in range(1, 18)),
    "start": "0.31,-0.7", "steps": 2000, "same": 0, "noise": 0.001,
    "runs": ";".join(f"newton:lr={0.3 - 0.01 * i:.2f}" for i in range(12)),
}  # fmt: skip

LINKS: Final[tuple[str, ...]] = (
    *WORST,
    link("race", **LONG_RACE),
    link("race", **LONG_RACE, curvature=1),
    link("race", **LONG_RACE, rates=1),
    *(link("basins", on="formula", f=f) for f, _ in STARTS),
    *(link("race", on="formula", f=f, start="-1,1") for f in FORMULAS[13:22]),
    link("basins", runs="adam;newton;sgd;momentum", steps=2000),  # each on a grid of its own
    *(link(page, runs="adam;adam;adam") for page in ("map", "basins", "race", "fair_race")),
    link("matrices", a=0),  # what it sends a large value to grows past every number
    link("race", start="nan,inf"),
    link("race", start="1e999,0"),
    link("race", runs=";".join(["adam"] * 13)),
    link("race", runs="adam:lr=nan,beta1=2"),
    link("race", runs="adam:" + ",".join(f"lr={i}" for i in range(500))),
    link("race", steps=10**30),
    link("race", steps="-1", noise="1e308", lr="0"),
    link("race", lock=MARKUP, hide=MARKUP, f=MARKUP, runs=MARKUP, start=MARKUP, on=MARKUP),
    link("race", **{MARKUP: MARKUP}),
    link("graph", f=MARKUP),
    link("gradient_check", f=MARKUP),
    link("four_ways", map="f", f=MARKUP),
    link("map", on="formula", f="x" * 5000),
    link("entropy", **{"A" * 2000: "B" * 2000}),
    "/race?lr=0.1&lr=0.2&lr=x&steps=5&steps=6",
    "/race?lr=%ff%fe&steps=%00",
    "/entropy?%00=%00&=&&&==&a",
    "/softmax?z=" + ",".join(["1e308"] * 5000),
    "/softmax?z=1,2,NaN,Infinity,-Infinity",
    "/divergence?p=0,0,0&q=1e-320,1,1",
    "/race?lock=" + ",".join(f"n{i}" for i in range(3000)),
)

JUNK: Final[tuple[Any, ...]] = (
    None,
    True,
    False,
    0,
    -1,
    2**63,
    10**400,
    1e308,
    -1e308,
    5e-324,
    float("nan"),
    float("inf"),
    "",
    MARKUP,
    "1",
    "x" * 5000,
    [],
    [[]],
    {},
    {"a": {"b": [1]}},
    [None] * 300,
    [1e308] * 3,
    [float("nan")] * 3,
    ["1", "2"],
)
"""Values that a component might claim a hand has moved something to."""

STATES: Final[tuple[str, ...]] = (
    "null",
    "0",
    "[]",
    '"text"',
    "NaN",
    "{}",
    '{"values": null}',
    '{"values": []}',
    '{"values": {}}',
    '{"values": {"seq": 1}}',
    '{"values": {"seq": "1", "set": []}}',
    '{"values": {"seq": 1e999, "set": {}}}',
    '{"values": {"seq": -1, "set": null, "committed": 3}}',
    '{"need": {"seq": 2, "refs": [1, null, {}]}}',
    '{"doubt": {"seq": 9, "outputs": ["x"], "values": 5}}',
    '{"action": {"seq": 3, "group": {}, "id": []}}',
    '{"action": {"seq": 4, "group": "999999999999999999999", "id": "remove"}}',
    '{"cursor": {"seq": 5, "frame": 1e308}}',
    '{"cursor": {"seq": NaN, "frame": NaN}}',
    '{"drop": {"seq": 6, "panel": null, "id": 7, "x": "a", "y": []}}',
    '{"click": {"seq": 7, "x": NaN, "y": Infinity}}',
    '{"click": {"seq": 8, "panel": "plane", "id": "", "x": 1e308, "y": -1e308}}',
    json.dumps(
        {"values": {"seq": 11, "set": {f"n{i}": i for i in range(2000)}, "committed": True}}
    ),
    json.dumps(
        {
            "values": {
                "seq": 12,
                "set": {"lr": MARKUP, "f": MARKUP, "z": [MARKUP]},
                "committed": False,
            }
        }
    ),
)
"""What a component's whole state might be claimed to be."""
