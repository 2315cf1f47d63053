"""Sentences and formulas read again by slow readers, row by row of the truth table."""

from itertools import product

import numpy as np
import pytest

from ludus.tasks import Problem, Train, problems
from ludus.tasks.translation import NAMES, TASK, table

ROWS = [dict(zip(NAMES, values, strict=True)) for values in product([False, True], repeat=len(NAMES))]


def sentence(words, row):
    """The truth of the sentence that begins here, in one row; its words are taken from the list."""
    word = words.pop(0)
    if word in row:
        return row[word]
    if word == "not":
        return not sentence(words, row)
    if word == "one":
        assert words.pop(0) == "of"
    first = sentence(words, row)
    assert words.pop(0) == {"both": "and", "either": "or", "neither": "nor", "if": "then", "one": "and"}[word]
    second = sentence(words, row)
    if word == "both":
        return first and second
    if word == "either":
        return first or second
    if word == "neither":
        return not first and not second
    if word == "if":
        return second if first else True
    return first != second


def formula(words, row):
    """The truth of the formula that begins here, from the front; IndexError or KeyError where it is none."""
    word = words.pop(0)
    if word == "~":
        return not formula(words, row)
    if word in ("&", "|", ">", "="):
        first, second = formula(words, row), formula(words, row)
        if word == ">":
            return not (first and not second)
        return {"&": first and second, "|": first or second, "=": first == second}[word]
    return row[word]


def marked(prompt, text):
    for row in ROWS:
        said, written = prompt.removesuffix(" ?").split(), text.split()
        meant = sentence(said, row)
        assert not said
        try:
            if formula(written, row) != meant or written:
                return 0
        except (IndexError, KeyError):
            return 0
    return 1


@pytest.mark.parametrize("level", range(TASK.levels))
def test_row_by_row_on_damaged_formulas(level):
    rng = np.random.default_rng(0)
    signs = [*NAMES, "&", "|", ">", "=", "~"]
    right = wrong = 0
    for problem in problems(TASK, Train(0), level, 30):
        for _ in range(10):
            words = TASK.answer_of(problem, TASK.work(problem, rng)).split()
            for _ in range(rng.integers(3)):
                at, other = rng.integers(len(words)), rng.integers(len(words))
                change = rng.integers(3)
                if change == 0:
                    words[at] = signs[rng.integers(len(signs))]
                elif change == 1:
                    words[at], words[other] = words[other], words[at]
                else:
                    words[at:at] = ["~", "~"]
            mark = marked(problem.prompt, " ".join(words))
            assert TASK.check(problem, " ".join(words)) == mark, (problem.prompt, words)
            right, wrong = right + mark, wrong + 1 - mark
    assert right > 50 and wrong > 50


def test_all_formulas_of_one_sign_over_two_names():
    """Of the eighteen with two names in either order, a sentence has exactly those of its truth table."""
    for problem in problems(TASK, Train(1), 0, 60):
        for sign, first, second in product("&|>=", ("p", "~ p", "q", "~ q"), ("p", "~ p", "q", "~ q")):
            for text in (f"{sign} {first} {second}", f"~ {sign} {first} {second}"):
                assert TASK.check(problem, text) == marked(problem.prompt, text)


@pytest.mark.parametrize(
    ("prompt", "right", "wrong"),
    [
        ("if p then q ?", ["> p q", "| ~ p q", "> ~ q ~ p", "~ & p ~ q"], ["> q p", "& p q", "p", ""]),
        ("neither p nor q ?", ["~ | p q", "& ~ q ~ p"], ["~ & p q", "| ~ p ~ q"]),
        ("one of p and not q ?", ["= p q", "~ = p ~ q", "& > p q > q p"], ["~ = p q", "| p q"]),
        ("both p and either q or r ?", ["& p | q r", "| & p q & p r", "& p & | r q | q r"], ["| & p q r", "& p q r"]),
    ],
)
def test_by_hand(prompt, right, wrong):
    meaning = sum(
        1 << sum(row[name] << at for at, name in enumerate(NAMES))
        for row in ROWS
        if sentence(prompt.removesuffix(" ?").split(), row)
    )
    problem = Problem(prompt, ((), meaning), 0)
    assert [TASK.check(problem, text) for text in right] == [1] * len(right)
    assert [TASK.check(problem, text) for text in wrong] == [0] * len(wrong)


def test_no_sentence_is_always_true_or_always_false():
    for level in range(TASK.levels):
        for problem in problems(TASK, Train(2), level, 60):
            truths = {sentence(problem.prompt.split(), row) for row in ROWS}
            assert truths == {False, True}


def test_64_words_are_read_and_no_more():
    assert table(["~"] * 63 + ["p"]) == table(["~", "p"])
    assert table(["~"] * 64 + ["p"]) is None


def test_there_are_many_right_answers():
    rng = np.random.default_rng(4)
    for problem in problems(TASK, Train(3), 2, 10):
        assert len({TASK.answer_of(problem, TASK.work(problem, rng)) for _ in range(12)}) > 1
