"""Programs run again from the prompt, with loops; and by hand."""

import pytest

from ludus.tasks import Train, problems
from ludus.tasks.list_programs import OPERATIONS, TASK


def run(prompt):
    """The list that is left, changed digit by digit; the rules as they are told, not as they are coded."""
    before, after = prompt.removesuffix(" ?").split(" : ")
    digits = [int(word) for word in before.split()]
    for name in after.split():
        if name in ("rest", "front"):
            digits.pop(0 if name == "rest" else -1)
        elif name == "rotate":
            digits.append(digits.pop(0))
        elif name == "reverse":
            digits = [digits.pop() for _ in range(len(digits))]
        elif name == "sort":
            digits = [d for value in range(10) for d in digits if d == value]
        elif name == "sums":
            digits = [int(str(sum(digits[: at + 1]))[-1]) for at in range(len(digits))]
        else:
            digits = [int(str(d + 1 if name == "increment" else d + d)[-1]) for d in digits]
    return digits


@pytest.mark.parametrize("level", range(TASK.levels))
def test_run_again(level):
    names = set()
    for problem in problems(TASK, Train(0), level, 100):
        names |= set(problem.prompt.split(" : ")[1].split()[:-1])
        left = run(problem.prompt)
        assert left and TASK.check(problem, " ".join(map(str, left))) == 1
        wrong = [left[::-1], sorted(left), left[1:], [*left, 0], [(d + 1) % 10 for d in left], []]
        for digits in wrong:
            assert TASK.check(problem, " ".join(map(str, digits))) == (digits == left)
    assert names == set(OPERATIONS)


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("reverse", (2, 9, 5)),
        ("sort", (2, 5, 9)),
        ("rotate", (9, 2, 5)),
        ("increment", (6, 0, 3)),
        ("double", (0, 8, 4)),
        ("sums", (5, 4, 6)),
        ("rest", (9, 2)),
        ("front", (5, 9)),
    ],
)
def test_by_hand(name, left):
    assert OPERATIONS[name]((5, 9, 2)) == left


def test_the_work_shows_each_list():
    problem = problems(TASK, Train(0), 3, 1)[0]
    shown = TASK.work(problem, None).replace(" so ", " ; ").split(" ; ")
    start, program = problem.prompt.removesuffix(" ?").split(" : ")
    for at, text in enumerate(shown):
        assert text == " ".join(map(str, run(f"{start} : {' '.join(program.split()[: at + 1])} ?")))
