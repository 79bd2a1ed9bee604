"""The pictures of a race hold on landscapes with holes and poles, and put paths on surfaces."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import engine
from engine.problems.landscapes import LANDSCAPES
from figures import race


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("text", ["log(x) + y", "1/(x*y)", "sqrt(x) + y**2", "x**y", "x - x + 1"])
def test_a_landscape_with_holes_is_drawn_around_them(text: str, log: bool) -> None:
    surface = engine.landscape(text)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        contours = race.plane(surface, log=log)["data"][0]
    assert np.isfinite([contours["zmin"], contours["zmax"], contours["contours"]["size"]]).all()
    assert not np.isinf(contours["z"]).any()


@pytest.mark.parametrize("surface", [LANDSCAPES["beale"], engine.landscape("x**2 + 50*y**2")])
def test_a_path_lies_on_the_surface(surface: engine.Landscape) -> None:
    x, y, values = race.grid(surface)
    z = race.height(values, surface, True)
    path = surface.value(np.stack([x[40:45], np.repeat(y[30], 5)], axis=-1))
    np.testing.assert_allclose(race.height(path, surface, True), z[30, 40:45], rtol=1e-12)
