"""LaTeX as the pages write it, in MathML: browsers draw that by themselves, with no library and no
font of their own beside it.

It reads the commands that pages use, not all of LaTeX; what it does not know raises ValueError.
"""

from __future__ import annotations

import html
import re
from typing import Final

_TOKEN: Final = re.compile(r"\\[a-zA-Z]+|\\.|\d+(?:\.\d+)?(?:\\,\d{3})*|\s+|.", re.DOTALL)
_LETTERS: Final = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ϵ", "varepsilon": "ε",
    "zeta": "ζ", "eta": "η", "theta": "θ", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν",
    "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "phi": "φ", "varphi": "φ",
    "chi": "χ", "psi": "ψ", "omega": "ω", "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ",
    "Sigma": "Σ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω", "ell": "ℓ", "infty": "∞",
}  # fmt: skip
_SIGNS: Final = {
    "cdot": "⋅", "times": "×", "odot": "⊙", "pm": "±", "le": "≤", "leq": "≤", "ge": "≥",
    "geq": "≥", "ne": "≠", "neq": "≠", "approx": "≈", "sim": "∼", "propto": "∝", "in": "∈",
    "to": "→", "rightarrow": "→", "leftarrow": "←", "gets": "←", "Rightarrow": "⇒",
    "longrightarrow": "⟶", "nearrow": "↗", "searrow": "↘", "ldots": "…", "dots": "…",
    "cdots": "⋯", "star": "⋆", "partial": "∂", "nabla": "∇", "mid": "∣", "ll": "≪", "gg": "≫",
    "lVert": "‖", "rVert": "‖", "lvert": "|", "rvert": "|", "lfloor": "⌊", "rfloor": "⌋",
    "lceil": "⌈", "rceil": "⌉", "langle": "⟨", "rangle": "⟩", "{": "{", "}": "}", "%": "%",
    "|": "‖", "top": "⊤", "prime": "′", "circ": "∘", "equiv": "≡", "colon": ":",
}  # fmt: skip
_LARGE: Final = {"sum": "∑", "prod": "∏", "int": "∫"}
_NAMES: Final = frozenset(
    {
        "exp", "ln", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "max", "min", "arg",
        "det", "lim", "sup", "inf",
    }
)  # fmt: skip
_UNDER: Final = frozenset({"max", "min", "lim", "sup", "inf", "sum", "prod"})
_SPACES: Final = {
    ",": "0.17em", ":": "0.22em", ";": "0.28em", " ": "0.3em", "!": "-0.17em", "quad": "1em",
    "qquad": "2em", "~": "0.3em",
}  # fmt: skip
_ACCENTS: Final = {"hat": "^", "bar": "¯", "tilde": "~", "dot": "˙", "vec": "→", "overline": "¯"}
_STYLES: Final = {"mathrm": "normal", "mathbf": "bold", "mathcal": "script", "mathbb": "double"}
_TEXTS: Final = frozenset({"text", "textbf", "textit", "mathrm", "operatorname", "mbox"})
_SIZES: Final = ("big", "Big", "bigg", "Bigg")
_FENCES: Final = {"pmatrix": "()", "bmatrix": "[]", "cases": "{"}
_SCRIPT: Final = {"L": "ℒ", "N": "𝒩", "D": "𝒟", "F": "ℱ", "H": "ℋ", "O": "𝒪"}
_DOUBLE: Final = {"R": "ℝ", "E": "𝔼", "P": "ℙ", "N": "ℕ", "Z": "ℤ"}


def mathml(latex: str, *, display: bool = False) -> str:
    """A formula as a <math> element. Raises ValueError where it is not understood."""
    reader = _Reader(_TOKEN.findall(latex.strip().strip("$").strip()))
    body = reader.row(None)
    way = ' display="block"' if display else ""
    return f"<math{way}>{body}</math>"


class _Reader:
    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.at = 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def next(self) -> str:
        token = self.peek()
        self.at += 1
        return token

    def blanks(self) -> None:
        while self.peek().isspace():
            self.at += 1

    def row(self, *ends: str | None) -> str:
        """What stands until one of `ends`, which is left for the caller (None: the very end)."""
        parts: list[str] = []
        while True:
            self.blanks()
            token = self.peek()
            if token in ends or not token:
                if not token and None not in ends:
                    raise ValueError("a formula ends in the middle")
                return _row(parts)
            if token in "^_'":
                base = parts.pop() if parts else "<mrow></mrow>"
                parts.append(self.scripts(base))
                continue
            made = self.atom()
            if token == "-" and (not parts or parts[-1].startswith("<mo")):
                made = '<mo form="prefix" lspace="0" rspace="0">−</mo>'  # a sign, not a difference
            if parts and _called(parts[-1]) and not made.startswith("<mo"):
                parts.append(_space(","))
            if made:
                parts.append(made)

    def scripts(self, base: str) -> str:
        """The base with what stands above and below its right, or, of a limit, straight so."""
        marks = {"^": "", "_": ""}
        while self.peek() and self.peek() in "^_'":
            sign = self.next()
            if sign == "'":
                marks["^"] += "<mo>′</mo>"
            else:
                marks[sign] += self.group()
        limit = base.startswith("<mo movablelimits") or base in _LIMITS
        kind = ("munder", "mover", "munderover") if limit else ("msub", "msup", "msubsup")
        low, high = marks["_"] and _one(marks["_"]), marks["^"] and _one(marks["^"])
        name = kind[2] if low and high else kind[0] if low else kind[1]
        return f"<{name}>{base}{low}{high}</{name}>"

    def group(self) -> str:
        """What a command or a script takes: braces, or one sign."""
        self.blanks()
        if self.peek() == "{":
            self.next()
            body = self.row("}")
            self.next()
            return body
        if self.peek()[:1].isdigit():  # of 12 only the 1
            token = self.next()
            if len(token) > 1:
                self.at -= 1
                self.tokens[self.at] = token[1:]
            return f"<mn>{token[0]}</mn>"
        return self.atom() or "<mrow></mrow>"

    def raw(self) -> str:
        """The text of a group as it stands."""
        self.blanks()
        if self.next() != "{":
            raise ValueError("a command lacks its braces")
        depth, found = 1, []
        while depth:
            token = self.next()
            if not token:
                raise ValueError("a formula ends in the middle")
            depth += {"{": 1, "}": -1}.get(token, 0)
            found.append(token)
        return "".join(found[:-1])

    def bracket(self) -> str:
        """An argument in [ ], "" where there is none."""
        if self.peek() != "[":
            return ""
        found = []
        while (token := self.next()) != "]":
            if not token:
                raise ValueError("a formula ends in the middle")
            found.append(token)
        return "".join(found[1:])

    def atom(self) -> str:
        token = self.next()
        if token == "{":
            body = self.row("}")
            self.next()
            return body
        if token.startswith("\\"):
            return self.command(token[1:])
        if token[0].isdigit():
            return f"<mn>{token.replace(chr(92) + ',', chr(0x202F))}</mn>"
        if token.isalpha():
            return f"<mi>{token}</mi>"
        if token == "~":
            return _space("~")
        if token in "&}":
            raise ValueError(f"{token} stands where nothing is to be parted or closed")
        sign = {"-": "−", "*": "∗", "'": "′"}.get(token, token)
        fence = ' stretchy="false"' if token in "()[]|/" else ""
        return f"<mo{fence}>{html.escape(sign)}</mo>"

    def command(self, name: str) -> str:
        if name in _LETTERS:
            upright = ' mathvariant="normal"' if _LETTERS[name].isupper() else ""
            return f"<mi{upright}>{_LETTERS[name]}</mi>"
        if name in _SIGNS:
            return f'<mo stretchy="false">{_SIGNS[name]}</mo>'
        if name in _LARGE:
            return (
                f'<mo movablelimits="true">{_LARGE[name]}</mo>' if name != "int" else "<mo>∫</mo>"
            )
        if name in _NAMES:
            return _name(name)
        if name in _SPACES:
            return _space(name)
        if name in ("frac", "tfrac", "dfrac"):
            parts = _one(self.group()) + _one(self.group())
            inner = f"<mfrac>{parts}</mfrac>"
            style = {"tfrac": "false", "dfrac": "true"}.get(name)
            return f'<mstyle displaystyle="{style}">{inner}</mstyle>' if style else inner
        if name == "sqrt":
            degree = self.bracket()
            inside = _one(self.group())
            return (
                f"<mroot>{inside}<mn>{html.escape(degree)}</mn></mroot>"
                if degree
                else f"<msqrt>{inside}</msqrt>"
            )
        if name in _ACCENTS:
            sign = f'<mo stretchy="{str(name == "overline").lower()}">{_ACCENTS[name]}</mo>'
            return f'<mover accent="true">{_one(self.group())}{sign}</mover>'
        if name in _TEXTS and name != "mathrm":
            text = html.escape(self.raw().replace("\\,", " ").replace("\\ ", " "))
            return _name(text) if name == "operatorname" else f"<mtext>{text}</mtext>"
        if name in _STYLES:
            return _styled(self.group(), _STYLES[name])
        if name == "textcolor":
            color = self.raw()
            if not re.fullmatch(r"#[0-9a-fA-F]{3,8}|[a-z]+", color):
                raise ValueError(f"{color!r} is no colour")
            return f'<mrow style="color:{color}">{self.group()}</mrow>'
        if name == "left":
            return self.fenced("\\right")
        if name in _SIZES:
            return self.fence()
        if name.endswith("l") and name[:-1] in _SIZES:
            return self.fenced(f"\\{name[:-1]}r")
        if name == "begin":
            return self.environment(self.raw())
        if name == "rule":  # a strut
            self.bracket()
            self.raw()
            self.raw()
            return ""
        if name in ("displaystyle", "textstyle"):
            ends = ("\\right", *(f"\\{size}r" for size in _SIZES))
            rest = self.row("}", "&", "\\\\", "\\end", *ends, None)
            return f'<mstyle displaystyle="{str(name == "displaystyle").lower()}">{rest}</mstyle>'
        if name == "small":
            return f'<mstyle style="font-size:90%">{self.group()}</mstyle>'
        raise ValueError(f"the command {name!r} is not known here")

    def fence(self) -> str:
        self.blanks()
        token = self.next()
        sign = _SIGNS.get(token[1:], "") if token.startswith("\\") else token.replace(".", "")
        return f'<mo stretchy="true">{html.escape(sign)}</mo>' if sign else ""

    def fenced(self, end: str) -> str:
        """What stands between a left and a right that are as high as it is."""
        opens = self.fence()
        body = self.row(end)
        self.next()
        return f"<mrow>{opens}{body}{self.fence()}</mrow>"

    def environment(self, name: str) -> str:
        ways = self.raw() if name == "array" else ""
        if name not in ("array", "aligned", *_FENCES):
            raise ValueError(f"the environment {name!r} is not known here")
        lines, cells = [], []
        while True:
            cells.append(self.row("&", "\\\\", "\\end"))
            end = self.next()
            if end == "&":
                continue
            lines.append(cells)
            cells = []
            if end == "\\end":
                break
            self.bracket()
        self.raw()
        if lines[-1] == ["<mrow></mrow>"]:
            lines.pop()
        display = name == "aligned"
        sides = {"l": "left", "r": "right", "c": "center"}

        def side(i: int) -> str:
            if name == "aligned":
                return "left" if i % 2 else "right"
            return "left" if name == "cases" else sides.get(ways[i : i + 1], "center")

        close = name in ("aligned", "array")
        rows = "".join(
            "<mtr>"
            + "".join(
                f'<mtd style="text-align:{side(i)};padding:{_pad(i, close)}">{cell}</mtd>'
                for i, cell in enumerate(line)
            )
            + "</mtr>"
            for line in lines
        )
        table = f'<mtable displaystyle="{str(display).lower()}">{rows}</mtable>'
        fences = [f"<mo>{sign}</mo>" for sign in _FENCES.get(name, "")]
        if not fences:
            return table
        return f"<mrow>{fences[0]}{table}{''.join(fences[1:])}</mrow>"


def _pad(column: int, close: bool) -> str:
    return f"0.25em 0 0.25em {'0.2em' if close or not column else '0.8em'}"


def _row(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"<mrow>{''.join(parts)}</mrow>"


def _one(body: str) -> str:
    """The same as one element."""
    return f"<mrow>{body}</mrow>"


def _name(name: str) -> str:
    """A function by its name, with the room that sets it apart from what it is of."""
    return f'<mi mathvariant="normal">{name}</mi>'


_LIMITS: Final = frozenset(_name(name) for name in _UNDER)
_FUNCTIONS: Final = frozenset(_name(name) for name in _NAMES)
_ANY_NAME: Final = "(" + "|".join(sorted(_FUNCTIONS)) + ")"


def _called(part: str) -> bool:
    """Whether that is a function's name, what it is of still to come."""
    return part in _FUNCTIONS or re.match(r"<m(sub|sup|under)>" + _ANY_NAME, part) is not None


def _space(name: str) -> str:
    return f'<mspace width="{_SPACES[name]}"></mspace>'


def _styled(body: str, style: str) -> str:
    if style in ("script", "double"):
        table = _SCRIPT if style == "script" else _DOUBLE
        return re.sub(r"<mi>(\w)</mi>", lambda m: f"<mi>{table.get(m[1], m[1])}</mi>", body)
    if style == "bold":
        return f'<mrow style="font-weight:bold">{body}</mrow>'
    return body.replace("<mi>", '<mi mathvariant="normal">')
