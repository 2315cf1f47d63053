"""Chains read from the prompt by another calculator, and slips planted by hand."""

import re

import numpy as np
import pytest

from ludus import tasks
from ludus.tasks import Problem, Train, problems
from ludus.tasks.arithmetic import NUMBERS, TASK, steps

PROBLEM = Problem("5 - 2 * 3 ?", (5, (("-", 2), ("*", 3)), 9), 0)


def calculated(prompt):
    """All values on the way, by Python itself, one operation at a time."""
    start, *rest = re.findall(r"\d+|[+*-] \d+", prompt)
    values = [eval(start)]
    for operation in rest:
        values.append(eval(f"({values[-1]}) {operation}"))
    return values


@pytest.mark.parametrize("level", range(TASK.levels))
def test_another_calculator(level):
    for problem in problems(TASK, Train(0), level, 60):
        values = calculated(problem.prompt)
        assert len(values) == 3 + level and all(str(value) in NUMBERS for value in values)
        assert [word for word in TASK.words if TASK.check(problem, word) > 0] == [str(values[-1])]


def test_every_number_is_an_answer():
    answers = {problem.key[2] for problem in problems(TASK, Train(0), 1, 400)}
    assert answers == set(NUMBERS.values())


@pytest.mark.parametrize(
    ("reply", "right"),
    [
        ("5 - 2 = 3 ; 3 * 3 = 9 so 9", [True, True, True]),
        ("5 - 2 = 2 ; 2 * 3 = 6 so 6", [False, True, True]),  # one slip, carried on rightly
        ("5 - 2 = 2 ; 3 * 3 = 9 so 9", [False, False, True]),  # mended without a word
        ("5 - 2 = 3 ; 3 * 3 = 8 so 9", [True, False, False]),
        ("5 - 2 = 3 ; 3 * 3 = 9 so 8", [True, True, False]),
        ("5 - 2 = 3 ; 3 + 3 = 6 so 6", [True, False, True]),  # another operation than the problem's
        ("5 - 2 = 3 so 3", [True, False]),  # an operation is missing
        ("5 - 2 = 3 ; 3 * 3 = 9 ; 9 * 1 = 9 so 9", [True, True, False, False]),
        ("5 - 2 ; 2 * 3 = 6 so 6", [False, True, True]),  # the first step ends in 2, and is no step
        ("5 - x ; 3 * 3 = 9 so 9", [False, False, True]),
        ("; ; 5 - 2 = 3", [True]),
        ("5-2=3 so 9", [False, False]),
        ("so 9", [True]),
        ("so 8", [False]),
        ("9", [True]),
        ("so", [False]),
        ("", []),
    ],
)
def test_steps_by_hand(reply, right):
    judged = steps(PROBLEM, reply)
    assert [mark for _, mark in judged] == right
    said = [word for word in reply.split() if word != ";"]
    assert " ".join(text for text, _ in judged).split() == said


def test_one_slip_is_one_wrong_step_and_all_right_is_right():
    rng = np.random.default_rng(0)
    for problem in problems(TASK, Train(1), 3, 60):
        work = TASK.work(problem, rng)
        assert all(right for _, right in steps(problem, work))
        lines = work.split(" so ")[0].split(" ; ")
        slip = int(rng.integers(len(lines)))
        false = str((int(lines[slip].split()[-1]) + 1) % len(NUMBERS))
        lines[slip] = f"{lines[slip].rsplit(' ', 1)[0]} {false}"
        judged = steps(problem, " ; ".join(lines) + " so 0")
        assert not judged[slip][1] and all(right for _, right in judged[:slip])


def test_random_replies_whose_steps_are_all_right_are_right():
    rng = np.random.default_rng(1)
    agreed = 0
    for problem in problems(TASK, Train(2), 0, 200):
        words = TASK.work(problem, rng).split()
        if rng.random() < 0.7:
            words[rng.integers(len(words))] = TASK.words[rng.integers(len(TASK.words))]
        reply = " ".join(words)
        if TASK.answer_of(problem, reply) is not None and all(right for _, right in steps(problem, reply)):
            assert tasks.exact(TASK).score(problem, reply) == 1
            agreed += 1
    assert agreed > 30


@pytest.mark.parametrize("reply", ["\0", "so " * 100_000, "; " * 100_000, "1 ; " * 50_000, "\ud800 so \ud800"])
def test_hostile_steps(reply):
    assert not any(right for _, right in steps(PROBLEM, reply))
