"""Arithmetic that goes round in a circle: chains of operations modulo 7, 10 or 13, with the running value written out.

The tables of modular arithmetic are what Power et al. (2022), "Grokking: Generalization Beyond Overfitting on Small
Algorithmic Datasets", arXiv:2201.02177, train small transformers on; here they are chained.
"""

import numpy as np

from ludus.tasks import Problem, Task, answer_words, at_level

SIZES = ((7, 2), (7, 3), (10, 4), (13, 5), (13, 7))  # modulus and operations at each level
NUMBERS = {str(number): number for number in range(14)}


def draw(rng: np.random.Generator, level: int) -> Problem:
    """key: (modulus, start, ((sign, operand), ...), answer)."""
    modulus, length = at_level(SIZES, level)
    start = int(rng.integers(modulus))
    chain = tuple(("+-*"[rng.integers(3)], int(rng.integers(1, modulus))) for _ in range(length))
    prompt = " ".join(["mod", str(modulus), ":", str(start), *(f"{sign} {operand}" for sign, operand in chain), "?"])
    return Problem(prompt, (modulus, start, chain, running(modulus, start, chain)[-1]), level)


def running(modulus: int, start: int, chain: tuple[tuple[str, int], ...]) -> list[int]:
    """The value after each operation, from 0 to modulus - 1."""
    values = [start]
    for sign, operand in chain:
        before = values[-1]
        after = before + operand if sign == "+" else before - operand if sign == "-" else before * operand
        values.append(after % modulus)
    return values[1:]


def work(problem: Problem, rng: np.random.Generator) -> str:
    """The one right way: the running values, then the answer."""
    *question, answer = problem.key
    return " ".join([*map(str, running(*question)), "so", str(answer)])


def check(problem: Problem, answer: str) -> float:
    return float(NUMBERS.get(answer.strip()) == problem.key[-1])


def answer_of(problem: Problem, reply: str) -> str | None:
    words = answer_words(reply)
    return words[0] if len(words) == 1 and words[0] in NUMBERS else None


TASK = Task(
    name="modular",
    source="Power et al. (2022), Grokking, arXiv:2201.02177",
    rules="Start with the first number after the colon and do each operation in turn, from left to right. After each, "
    "keep the remainder on division by the modulus, a whole number from 0 to the modulus less one; 2 - 5 mod 7 is 4.",
    words=(*NUMBERS, "+", "-", "*", "mod", ":", "?", "so"),
    levels=len(SIZES),
    draw=draw,
    work=work,
    check=check,
    answer_of=answer_of,
)
