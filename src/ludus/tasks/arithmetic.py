"""Chains of sums, differences and products, one step after the other, with every step written out.

Nye et al. (2021), "Show Your Work: Scratchpads for Intermediate Computation with Language Models", arXiv:2112.00114.
Each step stands by itself, "3 + 5 = 8", so that it can be judged by itself: `steps` does. All numbers on the way are
digits, and each is one word: addition and multiplication tables of that size suit a small network.
"""

import numpy as np

from ludus.tasks import Problem, Task, answer_words, at_level

HIGHEST = 9
CHAINS = (2, 3, 4, 5, 6)  # operations at each level
NUMBERS = {str(number): number for number in range(HIGHEST + 1)}


def draw(rng: np.random.Generator, level: int) -> Problem:
    """key: (start, ((sign, operand), ...), answer)."""
    length = at_level(CHAINS, level)
    start = value = int(rng.integers(HIGHEST + 1))
    chain = []
    for _ in range(length):
        allowed = {
            "+": range(1, HIGHEST - value + 1),
            "-": range(1, value + 1),
            "*": range(2, HIGHEST // max(value, 1) + 1),
        }
        signs = [sign for sign, operands in allowed.items() if operands]
        sign = signs[rng.integers(len(signs))]
        operand = allowed[sign][rng.integers(len(allowed[sign]))]
        chain.append((sign, operand))
        value = _apply(value, sign, operand)
    prompt = " ".join([str(start), *(f"{sign} {operand}" for sign, operand in chain), "?"])
    return Problem(prompt, (start, tuple(chain), value), level)


def work(problem: Problem, rng: np.random.Generator) -> str:
    """The one right way: each operation on its own, then the answer."""
    value, chain, answer = problem.key
    lines = []
    for sign, operand in chain:
        after = _apply(value, sign, operand)
        lines.append(f"{value} {sign} {operand} = {after}")
        value = after
    return " ; ".join(lines) + f" so {answer}"


def check(problem: Problem, answer: str) -> float:
    return float(NUMBERS.get(answer.strip()) == problem.key[2])


def answer_of(problem: Problem, reply: str) -> str | None:
    words = answer_words(reply)
    return words[0] if len(words) == 1 and words[0] in NUMBERS else None


def steps(problem: Problem, reply: str) -> list[tuple[str, bool]]:
    """Each step of a reply, and whether it is right by itself: given what the step before it says, true or false.

    Step k is right where it does operation k of the problem to the number that step k - 1 ends in (the first: to the
    start) and gets the result right. The last piece, "so 8", is right where it repeats the number that the last of
    all the operations ended in; where no step is written, where it is the answer. So one slip is one wrong step, and
    a reply that ends in an answer is right where all its steps are.
    """
    value, chain, answer = problem.key
    words = reply.split()
    ends = [at for at, word in enumerate(words) if word == "so"] or [0 if answer_of(problem, reply) else len(words)]
    judged = []
    for number, text in enumerate(filter(None, map(str.strip, " ".join(words[: ends[-1]]).split(";")))):
        right = number < len(chain) and value is not None
        if right:
            sign, operand = chain[number]
            right = text == f"{value} {sign} {operand} = {_apply(value, sign, operand)}"
        value = NUMBERS.get(text.split()[-1])
        judged.append((text, right))
    if conclusion := words[ends[-1] :]:
        expected = answer if not judged else value if len(judged) == len(chain) else None
        said = answer_of(problem, " ".join(conclusion))
        judged.append((" ".join(conclusion), said is not None and NUMBERS[said] == expected))
    return judged


def _apply(value: int, sign: str, operand: int) -> int:
    return value + operand if sign == "+" else value - operand if sign == "-" else value * operand


TASK = Task(
    name="arithmetic",
    source="Nye et al. (2021), Show Your Work, arXiv:2112.00114",
    rules="Start with the first number and do each operation in turn, from left to right, as on a simple calculator: "
    "2 + 1 * 3 is 9. Every number on the way is a whole number from 0 to 9.",
    words=(*NUMBERS, "+", "-", "*", "=", ";", "?", "so"),
    levels=len(CHAINS),
    draw=draw,
    work=work,
    check=check,
    answer_of=answer_of,
)
