"""docs/iterated-games.md: its Python prints what it says, and the sum it shows is the one that is made."""

import contextlib
import io
import re
from pathlib import Path

import numpy as np
import pytest

from ludus.iterated.machine import PRISONERS_DILEMMA
from ludus.iterated.strategies import STRATEGIES
from ludus.iterated.zero_determinant import zero_determinant

PAGE = (Path(__file__).parents[2] / "docs" / "iterated-games.md").read_text(encoding="utf-8")


def test_the_code_prints_what_the_page_says():
    code, promised = re.search(r"```python\n(.*?)```\n\n```text\n(.*?)```", PAGE, re.DOTALL).groups()
    assert len([line for line in code.splitlines() if line]) <= 10
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, {})
    assert printed.getvalue() == promised


def test_the_catalogue_is_as_long_as_the_page_says():
    assert "over a hundred strategies" in PAGE and 100 < len(STRATEGIES) < 200


def test_the_line_is_the_combination_of_payoffs_that_the_page_shows():
    slope, baseline, phi = 0.4, 1.5, 0.1
    own, other = PRISONERS_DILEMMA.payoff.reshape(4, 2).T
    wanted = phi * (slope * (own - baseline) - (other - baseline))
    chances = zero_determinant(slope, baseline, phi).cooperate[1:]
    assert chances - np.array([1, 1, 0, 0]) == pytest.approx(wanted)
