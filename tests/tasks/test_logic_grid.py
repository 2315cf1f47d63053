"""Grids solved again from the prompt, by trying everything."""

from itertools import permutations, product

import numpy as np
import pytest

from ludus.tasks import Train, problems
from ludus.tasks.logic_grid import TASK

PETS, DRINKS, COLOURS = ["cat", "dog", "fox"], ["tea", "milk", "cola"], ["red", "blue", "green"]
PEOPLE = ["ann", "bob", "eve"]


def everything(prompt):
    """(text of an assignment, whether all clues hold) for each; the attributes are those that the prompt speaks of."""
    clues = [clue.split() for clue in prompt.removesuffix(" ?").split(" , ")]
    kinds = [kind for kind in (PETS, DRINKS, COLOURS) if any(item in kind for clue in clues for item in clue)]
    for columns in product(*(permutations(kind) for kind in kinds)):
        groups = [{person, *values} for person, *values in zip(PEOPLE, *columns, strict=True)]
        holds = all(
            any(first in group and second in group for group in groups) == (word == "is")
            for first, word, second in clues
        )
        yield " ".join(" ".join(column) for column in zip(PEOPLE, *columns, strict=True)), holds


@pytest.mark.parametrize("level", range(TASK.levels))
def test_one_assignment_is_left_and_it_alone_is_right(level):
    for problem in problems(TASK, Train(0), level, 25):
        tried = list(everything(problem.prompt))
        assert len(tried) == 6 ** (level + 1) and sum(holds for _, holds in tried) == 1
        for text, holds in tried:
            assert TASK.check(problem, text) == holds and TASK.answer_of(problem, text) == text


@pytest.mark.parametrize("level", range(TASK.levels))
def test_no_clue_is_needless_and_they_stand_in_order(level):
    for problem in problems(TASK, Train(1), level, 15):
        clues = problem.prompt.removesuffix(" ?").split(" , ")
        assert clues == sorted(clues)
        for clue in clues:
            fewer = [other for other in clues if other != clue]
            kinds = {item for other in clues for item in other.split()}
            spoken = {item for other in fewer for item in other.split()}
            if all((kinds & set(kind) != set()) == (spoken & set(kind) != set()) for kind in (PETS, DRINKS, COLOURS)):
                assert sum(holds for _, holds in everything(" , ".join(fewer) + " ?")) > 1


def test_any_order_is_read_and_half_an_answer_is_not():
    problem = problems(TASK, Train(0), 1, 1)[0]
    right = next(text for text, holds in everything(problem.prompt) if holds)
    words = right.split()
    groups = [words[at : at + 3] for at in (0, 3, 6)]
    turned = " ".join(" ".join((person, second, first)) for person, first, second in groups[::-1])
    assert TASK.check(problem, turned) == 1 and TASK.answer_of(problem, turned) == right
    for text in (" ".join(words[:6]), right + " ann", " ".join(words[:6] + words[:3]), right.replace("ann", "bob")):
        assert TASK.check(problem, text) == 0 and TASK.answer_of(problem, text) is None
    twice = right.replace(words[1], words[4])  # two people with the same: an answer, and wrong
    assert TASK.answer_of(problem, twice) == twice and TASK.check(problem, twice) == 0


def test_the_work_writes_down_true_facts_each_once():
    rng = np.random.default_rng(0)
    for problem in problems(TASK, Train(2), 2, 20):
        facts, answer = TASK.work(problem, rng).split(" so ")
        words, said = facts.split(), answer.split()
        pairs = set(zip(words[::2], words[1::2], strict=True))
        assert len(pairs) == len(words) // 2 == 9
        assert pairs == {(said[at], value) for at in (0, 4, 8) for value in said[at + 1 : at + 4]}
