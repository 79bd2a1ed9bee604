"""Every optimizer, under each of its named conventions, against the library it claims to equal.

The golden paths come from PyTorch, optax and, where no library has the form, from a separate
straight implementation; ``tests/golden/make_optimizers.py`` makes them and names the versions.
"""

import pytest

from tests.golden.cases import Case, engine_path, load_cases, relative_error

TOLERANCE = 1e-12


@pytest.mark.parametrize("case", load_cases(), ids=str)
def test_path_equals_the_reference(case: Case) -> None:
    assert relative_error(engine_path(case), case.path) <= TOLERANCE
