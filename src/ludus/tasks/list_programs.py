"""Small programs on lists of digits: run the operations in order and say what is left.

In the spirit of the list language of Balog et al. (2017), "DeepCoder: Learning to Write Programs", arXiv:1611.01989;
here the program is given and the output is asked for. The work is the list after each operation.
"""

from collections.abc import Callable

import numpy as np

from ludus.tasks import Problem, Task, answer_words, at_level

SIZES = ((3, 1), (4, 2), (5, 3), (5, 4))  # digits and operations at each level
DIGITS = {str(digit): digit for digit in range(10)}
Digits = tuple[int, ...]

OPERATIONS: dict[str, Callable[[Digits], Digits]] = {
    "reverse": lambda digits: digits[::-1],
    "sort": lambda digits: tuple(sorted(digits)),
    "rotate": lambda digits: digits[1:] + digits[:1],
    "increment": lambda digits: tuple((digit + 1) % 10 for digit in digits),
    "double": lambda digits: tuple(2 * digit % 10 for digit in digits),
    "sums": lambda digits: tuple(int(total) % 10 for total in np.cumsum(digits)),
    "rest": lambda digits: digits[1:],
    "front": lambda digits: digits[:-1],
}
SHORTENING = ("rest", "front")


def draw(rng: np.random.Generator, level: int) -> Problem:
    """key: (digits, operations, digits that are left). One digit at least is always left."""
    length, count = at_level(SIZES, level)
    digits = tuple(rng.integers(10, size=length).tolist())
    program: list[str] = []
    left = length
    for _ in range(count):
        names = [name for name in OPERATIONS if left > 1 or name not in SHORTENING]
        program.append(names[rng.integers(len(names))])
        left -= program[-1] in SHORTENING
    after = states(digits, tuple(program))
    return Problem(f"{_said(digits)} : {' '.join(program)} ?", (digits, tuple(program), after[-1]), level)


def states(digits: Digits, program: tuple[str, ...]) -> list[Digits]:
    """The list after each operation."""
    after = [digits]
    for name in program:
        after.append(OPERATIONS[name](after[-1]))
    return after[1:]


def work(problem: Problem, rng: np.random.Generator) -> str:
    """The one right way: the list after each operation; what is left after the last one is the answer."""
    digits, program, _ = problem.key
    *between, last = map(_said, states(digits, program))
    return " ; ".join(between) + " so " * bool(between) + last


def check(problem: Problem, answer: str) -> float:
    return float(answer.split(maxsplit=len(problem.key[0])) == list(map(str, problem.key[2])))


def answer_of(problem: Problem, reply: str) -> str | None:
    """A list of digits, one at least and no more than were given."""
    words = answer_words(reply)
    if not 0 < len(words) <= len(problem.key[0]) or not all(word in DIGITS for word in words):
        return None
    return " ".join(words)


def _said(digits: Digits) -> str:
    return " ".join(map(str, digits))


TASK = Task(
    name="list_programs",
    source="after the language of Balog et al. (2017), DeepCoder, arXiv:1611.01989",
    rules="Do the operations on the list, from left to right. reverse: last first. sort: smallest first. rotate: the "
    "first digit goes to the end. increment: add 1 to each. double: twice each. sums: each becomes the sum of itself "
    "and all before it. rest: all but the first. front: all but the last. Of every number keep the last digit only. "
    "The answer is the list.",
    words=(*DIGITS, *OPERATIONS, ":", ";", "?", "so"),
    levels=len(SIZES),
    draw=draw,
    work=work,
    check=check,
    answer_of=answer_of,
)
