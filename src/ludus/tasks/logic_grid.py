"""Who has which pet, drink and colour? Small logic grids whose clues leave one assignment.

The puzzles of Lin et al. (2025), "ZebraLogic: On the Scaling Limits of LLMs for Logical Reasoning", arXiv:2502.01100,
in the small: three people, and up to three attributes of which everybody has one value and no two the same. All
assignments, 216 at most, are enumerated at the draw, a bit of one whole number each, so that exactly one is left.
"""

from functools import cache
from itertools import combinations, permutations, product
from typing import NamedTuple

import numpy as np

from ludus.tasks import Problem, Task, answer_words, at_level

PEOPLE = ("ann", "bob", "eve")
ATTRIBUTES = (("cat", "dog", "fox"), ("tea", "milk", "cola"), ("red", "blue", "green"))
SIZES = (1, 2, 3)  # attributes at each level; which ones is drawn
PLACE = {value: at for at, values in enumerate(ATTRIBUTES) for value in values}  # which attribute a value is of


class Grid(NamedTuple):
    """All assignments of some attributes, and which of them each clue allows, as bits.

    rows   of each assignment: for each person the values
    clues  "ann is dog", "tea not red" -> bits of the assignments where it is true
    """

    rows: tuple[tuple[tuple[str, ...], ...], ...]
    clues: dict[str, int]


@cache
def grid(attributes: tuple[int, ...]) -> Grid:
    kinds = [ATTRIBUTES[at] for at in attributes]
    rows = tuple(tuple(zip(*columns, strict=True)) for columns in product(*map(permutations, kinds)))
    owners = [
        {item: person for person, values in zip(PEOPLE, row, strict=True) for item in (person, *values)} for row in rows
    ]
    clues = {}
    for first, second in combinations([PEOPLE, *kinds], 2):
        for a, b in product(first, second):
            same = sum((owner[a] == owner[b]) << at for at, owner in enumerate(owners))
            clues[f"{a} is {b}"], clues[f"{a} not {b}"] = same, (1 << len(rows)) - 1 - same
    return Grid(rows, clues)


def draw(rng: np.random.Generator, level: int) -> Problem:
    """key: (clues in order, assignment). True clues in random order, each of which excludes something, until one
    assignment is left; then those that the others make needless are left out."""
    chosen = rng.permutation(len(ATTRIBUTES))[: at_level(SIZES, level)]
    rows, clues = grid(tuple(sorted(chosen.tolist())))
    solution = int(rng.integers(len(rows)))
    true = [clue for clue, allowed in clues.items() if allowed >> solution & 1]
    left = (1 << len(rows)) - 1
    told: list[str] = []
    for at in rng.permutation(len(true)):
        if left & clues[true[at]] != left:
            told.append(true[at])
            left &= clues[true[at]]
    for clue in list(told):
        others = [other for other in told if other != clue]
        if _left(others, clues, len(rows)) == 1 << solution:
            told = others
    told.sort()
    return Problem(" , ".join(told) + " ?", (tuple(told), rows[solution]), level)


def _left(told: list[str], clues: dict[str, int], count: int) -> int:
    left = (1 << count) - 1
    for clue in told:
        left &= clues[clue]
    return left


def work(problem: Problem, rng: np.random.Generator) -> str:
    """The clues are read in random order; what has become certain after each is written down, then all of it."""
    told, solution = problem.key
    rows, clues = grid(tuple(PLACE[value] for value in solution[0]))
    facts = [(person, value) for person, values in zip(PEOPLE, solution, strict=True) for value in values]
    left = (1 << len(rows)) - 1
    lines: list[str] = []
    for at in rng.permutation(len(told)):
        left &= clues[told[at]]
        certain = [fact for fact in facts if left & ~clues[" is ".join(fact)] == 0]
        lines += [f"{person} {value}" for person, value in certain]
        facts = [fact for fact in facts if fact not in certain]
    return " ".join(lines) + " so " + _said(solution)


def check(problem: Problem, answer: str) -> float:
    """1 for the assignment, the people in any order and the values of each in any order."""
    return float(_read(problem, answer.split(maxsplit=16)) == problem.key[1])


def answer_of(problem: Problem, reply: str) -> str | None:
    """Each person once, with one value of each attribute; in the order ann, bob, eve, pet, drink, colour."""
    assignment = _read(problem, answer_words(reply))
    return None if assignment is None else _said(assignment)


def _read(problem: Problem, words: list[str]) -> tuple[tuple[str, ...], ...] | None:
    attributes = {PLACE[value] for value in problem.key[1][0]}
    block = 1 + len(attributes)
    if len(words) != len(PEOPLE) * block:
        return None
    said = {}
    for at in range(0, len(words), block):
        person, *values = words[at : at + block]
        if person in PEOPLE and {PLACE.get(value) for value in values} == attributes:
            said[person] = tuple(sorted(values, key=lambda value: PLACE[value]))
    return tuple(said[person] for person in PEOPLE) if len(said) == len(PEOPLE) else None


def _said(assignment: tuple[tuple[str, ...], ...]) -> str:
    return " ".join(" ".join((person, *values)) for person, values in zip(PEOPLE, assignment, strict=True))


TASK = Task(
    name="logic_grid",
    source="after Lin et al. (2025), ZebraLogic, arXiv:2502.01100",
    rules="Ann, Bob and Eve each have one pet (cat, dog, fox), one drink (tea, milk, cola), one colour (red, blue, "
    "green), or only some of these; no two have the same. 'tea not red' says that who drinks tea has not red. The "
    "clues leave one assignment. The answer names each person, followed by what that person has.",
    words=(*PEOPLE, *PLACE, "is", "not", ",", "?", "so"),
    levels=len(SIZES),
    draw=draw,
    work=work,
    check=check,
    answer_of=answer_of,
)
