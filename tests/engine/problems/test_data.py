"""Data for networks: splits, imbalance, standardisation, measured sets, and hostile tables."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from engine.problems import counted
from engine.problems.data import (
    CSV_CHARACTERS,
    CSV_ROWS,
    MEASURED,
    Table,
    compact,
    expanded,
    measured,
    read_csv,
    split,
    table,
)


@pytest.mark.parametrize(
    ("name", "shape", "classes"),
    [("iris", (150, 4), 3), ("breast_cancer", (569, 30), 2), ("digits", (1797, 64), 10)],
)
def test_a_measured_set_is_the_one_it_says(name: str, shape: tuple[int, int], classes: int) -> None:
    found = measured(name)
    assert found.x.shape == shape
    assert len(found.classes) == classes
    assert sorted(np.unique(found.y)) == list(range(classes))
    assert MEASURED[name].startswith(str(shape[0]))


def test_a_split_keeps_every_example_once_and_each_class_in_its_share() -> None:
    source = table("iris")
    parts = split(source, test=0.4, standardise=False, seed=2)
    rows = np.concatenate([parts.x, parts.test_x])
    assert sorted(map(tuple, rows)) == sorted(map(tuple, source.x))
    assert np.bincount(parts.test_y).tolist() == [20, 20, 20]
    again = split(source, test=0.4, standardise=False, seed=2)
    np.testing.assert_array_equal(parts.x, again.x)
    assert not np.array_equal(parts.x, split(source, test=0.4, standardise=False, seed=3).x)


def test_standardisation_is_the_training_parts_own() -> None:
    parts = split(table("breast_cancer"))
    np.testing.assert_allclose(parts.x.mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(parts.x.std(0), 1, rtol=1e-12)
    assert not np.allclose(parts.test_x.mean(0), 0, atol=1e-3)
    back = parts.test_x * parts.scale + parts.centre
    assert {tuple(np.round(r, 6)) for r in back} <= {
        tuple(np.round(r, 6)) for r in measured("breast_cancer").x
    }


def test_a_feature_that_never_changes_is_left_at_zero() -> None:
    parts = split(measured("digits"))
    assert np.isfinite(parts.x).all()
    assert (parts.x[:, 0] == 0).all()


def test_imbalance_keeps_a_share_of_the_other_classes() -> None:
    parts = split(table("blobs", 400), imbalance=0.1, test=0.0)
    assert np.bincount(parts.y).tolist() == [200, 20]


def test_noise_is_added_to_what_is_standardised() -> None:
    plain, noisy = (split(table("iris"), noise=noise, seed=1) for noise in (0.0, 0.5))
    assert (noisy.x - plain.x).std() == pytest.approx(0.5, rel=0.15)


@pytest.mark.parametrize("wrong", [{"test": 1.0}, {"test": -0.1}, {"imbalance": 0.0}])
def test_shares_outside_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="share"):
        split(table("blobs", 40), **wrong)


def test_an_unknown_set_is_named() -> None:
    with pytest.raises(ValueError, match="mnist"):
        table("mnist")


# Tables that somebody pastes ----------------------------------------------------------------------


def test_a_table_is_read_with_or_without_names_and_in_any_separator() -> None:
    for text in (
        "x,y,label\n1,2,a\n3,4,b\n5,6,a\n7,8,b",
        "1;2;a\r\n3;4;b\r\n5;6;a\r\n7;8;b\r\n",
        '1\t2\t"a"\n\n3\t4\tb\n5\t6\ta\n7\t8\tb',
    ):
        found = read_csv(text)
        np.testing.assert_array_equal(found.x, [[1, 2], [3, 4], [5, 6], [7, 8]])
        assert found.y.tolist() == [0, 1, 0, 1]
        assert found.classes == ("a", "b")


ROWS = "\n".join(f"{i},{-i},{i % 2}" for i in range(6))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "nothing"),
        ("\n \n", "nothing"),
        (f"{ROWS}\n1,2", "row 7 has 2 cells"),
        (f"{ROWS}\n1,2,3,4", "row 7 has 4 cells"),
        (f"{ROWS}\nnan,2,1", "row 7: 'nan' is not a number"),
        (f"{ROWS}\n1,inf,1", "row 7: 'inf' is not a number"),
        (f"{ROWS}\n1e400,2,1", "not a number"),
        (f"{ROWS}\n1e9,2,1", "not a number"),
        (f"{ROWS}\n1_0,2,1", "not a number"),
        (f"{ROWS}\n１,2,1", "not a number"),
        (f"{ROWS}\n=cmd(),2,1", "not a number"),
        (f"{ROWS}\n1,2,", "label"),
        (f"{ROWS}\n1,2,{'a' * 41}", "label"),
        ("1,2,a\n3,4,a\n5,6,a\n7,8,a", "1 different labels"),
        ("\n".join(f"1,2,{i}" for i in range(30)), "30 different labels"),
        ("1,2,a\n3,4,b", "too few"),
        ("\n".join(["1,2,a", "1,2,b"] * (CSV_ROWS // 2 + 1)), f"more than {CSV_ROWS}"),
        ("1" * (CSV_CHARACTERS + 1), "characters"),
    ],
)
def test_a_table_that_cannot_be_used_says_why(text: str, said: str) -> None:
    with pytest.raises(ValueError, match="(?s)" + said.replace("(", r"\(")):
        read_csv(text)


@settings(max_examples=300, deadline=None)
@given(some.text(alphabet=some.sampled_from("0123456789.,;-+e\n\t\"'a\x00é={}"), max_size=200))
def test_whatever_is_pasted_is_read_or_refused(text: str) -> None:
    try:
        found = read_csv(text)
    except ValueError:
        return
    assert np.isfinite(found.x).all()
    assert found.x.shape == (len(found.y), 2)
    split(found)


# Numbers by counting ------------------------------------------------------------------------------


def test_counted_numbers_are_even_and_differ_by_stream_and_seed() -> None:
    u = counted.uniform(3, 5, 20_000)
    assert (u >= 0).all()
    assert (u < 1).all()
    assert np.histogram(u, 10, (0, 1))[0].min() > 1850
    assert abs(np.corrcoef(u[1:], u[:-1])[0, 1]) < 0.02
    assert abs(np.corrcoef(u, counted.uniform(3, 6, 20_000))[0, 1]) < 0.02
    assert abs(np.corrcoef(u, counted.uniform(4, 5, 20_000))[0, 1]) < 0.02
    assert abs(counted.signs(0, 0, 20_000).mean()) < 0.02


def test_an_order_holds_every_place_once() -> None:
    assert sorted(counted.order(1, 2, 100)) == list(range(100))
    assert isinstance(split(table("xor", 20)).x, np.ndarray)
    assert isinstance(table("xor", 20), Table)


def test_a_table_goes_into_one_line_and_back() -> None:
    source = read_csv("a,b,kind\n1.23456,-2e-7,x\n3,4,y y\n0,1,x\n5,5,y y")
    line = compact(source)
    assert line == "1.235,-2e-07,x~3,4,y y~0,1,x~5,5,y y"
    back = read_csv(expanded(line))
    assert back.classes == source.classes
    assert back.y.tolist() == source.y.tolist()
    assert compact(Table(source.x, source.y, ("x", "y~y"))) == ""
