"""How different two colours look: CIEDE2000, after Sharma, Wu & Dalal, "The CIEDE2000
color-difference formula: implementation notes, supplementary test data, and mathematical
observations" (Color Research & Application 30, 2005), equations 2 to 22, with all weights 1."""

from __future__ import annotations

from math import atan2, cos, degrees, exp, hypot, radians, sin, sqrt

import numpy as np
from numpy.typing import NDArray

Lab = tuple[float, float, float]
# IEC 61966-2-1: linear sRGB to XYZ, whose white is D65.
TO_XYZ = np.array(
    [
        [0.4124, 0.3576, 0.1805],
        [0.2126, 0.7152, 0.0722],
        [0.0193, 0.1192, 0.9505],
    ]
)
WHITE = TO_XYZ.sum(axis=1)
SMALL = (6 / 29) ** 3  # CIE 15: below it the cube root is continued by a line


def lab(linear: NDArray[np.float64]) -> Lab:
    """CIELAB of linear-light sRGB, shape (3,)."""
    ratio = TO_XYZ @ linear / WHITE
    f = np.where(ratio > SMALL, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return 116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])


def difference(first: Lab, second: Lab) -> float:
    """ΔE₀₀; 1 is about what is just noticed."""
    (l1, a1, b1), (l2, a2, b2) = first, second
    middle = (hypot(a1, b1) + hypot(a2, b2)) / 2
    g = 0.5 * (1 - sqrt(middle**7 / (middle**7 + 25.0**7)))
    a1, a2 = (1 + g) * a1, (1 + g) * a2
    c1, c2 = hypot(a1, b1), hypot(a2, b2)
    h1, h2 = (degrees(atan2(b, a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    grey = c1 * c2 == 0
    turn = 0.0 if grey else (h2 - h1 + 180) % 360 - 180
    if turn == -180 and h2 > h1:
        turn = 180.0
    lightness, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    hue = h1 + h2
    if not grey:
        apart = abs(h1 - h2) > 180
        hue = (hue + (360 if hue < 360 else -360) * apart) / 2
    t = (
        1
        - 0.17 * cos(radians(hue - 30))
        + 0.24 * cos(radians(2 * hue))
        + 0.32 * cos(radians(3 * hue + 6))
        - 0.20 * cos(radians(4 * hue - 63))
    )
    s_l = 1 + 0.015 * (lightness - 50) ** 2 / sqrt(20 + (lightness - 50) ** 2)
    s_c, s_h = 1 + 0.045 * chroma, 1 + 0.015 * chroma * t
    turned = 30 * exp(-(((hue - 275) / 25) ** 2))
    r = -2 * sqrt(chroma**7 / (chroma**7 + 25.0**7)) * sin(radians(2 * turned))
    dl, dc = (l2 - l1) / s_l, (c2 - c1) / s_c
    dh = 2 * sqrt(c1 * c2) * sin(radians(turn / 2)) / s_h
    return sqrt(dl**2 + dc**2 + dh**2 + r * dc * dh)
