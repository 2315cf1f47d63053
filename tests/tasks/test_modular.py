"""Chains of residues against whole numbers that are divided once, at the end."""

import re

import pytest

from ludus.tasks import Train, problems
from ludus.tasks.modular import SIZES, TASK


@pytest.mark.parametrize("level", range(TASK.levels))
def test_one_division_at_the_end(level):
    modulus, length = SIZES[level]
    for problem in problems(TASK, Train(0), level, 60):
        said, chain = re.fullmatch(r"mod (\d+) : (.*) \?", problem.prompt).groups()
        words = chain.split()
        assert int(said) == modulus and len(words) == 1 + 2 * length
        whole = (
            "(" * length + words[0] + "".join(f" {sign} {n})" for sign, n in zip(words[1::2], words[2::2], strict=True))
        )
        right = [word for word in TASK.words if TASK.check(problem, word) > 0]
        assert right == [str(eval(whole) % modulus)]


def test_all_residues_are_answers():
    for level, (modulus, _) in enumerate(SIZES):
        found = problems(TASK, Train(1), level, 400)
        assert {problem.key[-1] for problem in found} == set(range(modulus))


def test_the_residue_itself_is_asked_for():
    problem = next(p for p in problems(TASK, Train(0), 0, 200) if p.key[-1] == 3)
    assert TASK.check(problem, "3") == 1 and TASK.check(problem, "10") == 0  # 10 is 3 mod 7
