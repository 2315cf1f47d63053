"""The pages in docs with a picture: their Python prints what they say, and the code draws the picture they show."""

import contextlib
import io
import math
import re

import numpy as np
import pytest
from tests.write_pictures import FOLDER, PICTURES

from ludus.games import load
from ludus.tree import grow

DOCS = FOLDER.parent
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


@pytest.mark.parametrize("name", PICTURES)
def test_the_code_prints_what_the_page_says(name):
    page = (DOCS / f"{name}.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == page.count("```python") == 1
    for code, promised in blocks:
        assert len([line for line in code.splitlines() if line]) <= 10
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(code, {})
        assert NUMBER.sub("#", printed.getvalue()) == NUMBER.sub("#", promised)
        assert numbers(printed.getvalue()) == pytest.approx(numbers(promised), rel=0.03)


@pytest.mark.parametrize("name", PICTURES)
def test_the_picture_is_what_the_code_draws(name):
    assert f"](pictures/{name}.svg)" in (DOCS / f"{name}.md").read_text(encoding="utf-8")
    same((FOLDER / f"{name}.svg").read_text(encoding="utf-8"), PICTURES[name]())


def same(kept: str, drawn: str) -> None:
    """Words alike, numbers within 20 units of the 4000 of a frame.

    A thousand iterations of regret matching carry the rounding of one machine far enough to be seen in a picture.
    """
    assert NUMBER.sub("#", kept) == NUMBER.sub("#", drawn)
    assert np.abs(numbers(kept) - numbers(drawn)).max() <= 20


def numbers(picture: str) -> np.ndarray:
    return np.array(NUMBER.findall(picture), float)


def test_a_picture_that_moved_is_seen():
    kept = (FOLDER / "linear-programs.svg").read_text(encoding="utf-8")
    path = re.search(r'class="line colour-0" d="M0 (\d+)', kept)
    moved = kept[: path.start(1)] + str(int(path[1]) + 40) + kept[path.end(1) :]
    with pytest.raises(AssertionError):
        same(kept, moved)
    with pytest.raises(AssertionError):
        same(kept, kept.replace("secured", "promised"))


def test_no_picture_is_left_over():
    assert {path.stem for path in FOLDER.glob("*.svg")} == set(PICTURES)


def test_the_sequences_are_counted_as_the_page_says():
    """One per action of each infoset, and the empty one; pure plans by hand: 3 per card, and 2 per card and bet."""
    tree = grow(load("kuhn_poker"))
    counts = [1 + int(tree.legal[tree.player == player].sum()) for player in range(2)]
    promised = f"{counts[0]} {counts[1]} sequences, {3**3} {2 ** (3 * 2)} pure plans"
    assert promised in (DOCS / "trees.md").read_text(encoding="utf-8")


def test_the_logit_example_solves_its_equation():
    page = (DOCS / "quantal-response.md").read_text(encoding="utf-8")
    matcher, mismatcher = map(float, re.search(r"```text\n(\S+) (\S+)\n", page).groups())
    assert matcher == pytest.approx(1 / (1 + math.exp(-(9 * mismatcher - (1 - mismatcher)))), abs=2e-4)
    assert mismatcher == pytest.approx(1 / (1 + math.exp(-((1 - matcher) - matcher))), abs=2e-4)
