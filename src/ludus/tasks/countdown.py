"""Countdown: make the target from the given numbers, each used exactly once, with sums, differences and products.

Gandhi et al. (2024), "Stream of Search (SoS): Learning to Search in Language", arXiv:2404.03683, train small
transformers on it; TinyZero (Pan et al. 2025) learns it by reinforcement, and its scorer too wants every number used
exactly once. Here there is no division, numbers and target are below 50, and each is one word.

A right reply lists operations on the numbers that are left, as in Stream of Search, then the expression they make:
"4 * 2 = 8 ; 3 + 8 = 11 so 3 + 4 * 2". Products bind first, brackets are allowed, "= 11" may follow.
"""

import numpy as np

from ludus.tasks import Problem, Task, answer_words, at_level

HIGHEST = 49
SIZES = ((2, 24), (3, 12), (4, 12), (5, 12))  # how many numbers, and the largest of them, at each level
NUMBERS = {str(number): number for number in range(HIGHEST + 1)}
LONGEST = 64  # words of an answer; reading stays shallow
Piece = tuple[int, str, str]  # value, the expression that has it, the sign it was last made with ("" a given number)


def draw(rng: np.random.Generator, level: int) -> Problem:
    """key: (numbers in rising order, target). The target comes from a random way to combine them, so one exists."""
    count, largest = at_level(SIZES, level)
    numbers = tuple(sorted(rng.integers(1, largest + 1, count).tolist()))
    pieces: list[Piece] = [(number, str(number), "") for number in numbers]
    while len(pieces) > 1:
        choices = _moves(pieces)
        left, right, sign = choices[rng.integers(len(choices))]
        pieces = _after(pieces, left, right, sign)
    target = pieces[0][0]
    return Problem(f"make {target} from {' '.join(map(str, numbers))} ?", (numbers, target), level)


def work(problem: Problem, rng: np.random.Generator) -> str:
    """The first way that a search in random order finds; every number on it is from 0 to 49."""
    numbers, target = problem.key
    found = _search([(number, str(number), "") for number in numbers], target, rng, set())
    assert found is not None, f"{problem.prompt}: drawn problems have a solution"
    lines, expression = found
    return " ; ".join(lines) + f" so {expression}"


def check(problem: Problem, answer: str) -> float:
    """1 for an expression that uses each number exactly once and has the target's value, exactly."""
    numbers, target = problem.key
    words = answer.split(maxsplit=LONGEST)
    if len(words) > 2 and words[-2] == "=":
        if NUMBERS.get(words[-1]) != target:
            return 0.0
        words = words[:-2]
    value = evaluate(words)
    used = sorted(NUMBERS[word] for word in words if word in NUMBERS)
    return float(value == target and tuple(used) == numbers)


def answer_of(problem: Problem, reply: str) -> str | None:
    """The expression; "= 11" after it is left out where it is the target, since it adds nothing."""
    words = answer_words(reply)
    claim = words[-1] if len(words) > 2 and words[-2] == "=" and words[-1] in NUMBERS else None
    expression = words if claim is None else words[:-2]
    if evaluate(expression) is None:
        return None
    return " ".join(expression if claim is None or NUMBERS[claim] == problem.key[1] else words)


def evaluate(words: list[str]) -> int | None:
    """The value of an expression of numbers, + - * and brackets; None where it is none, or has over 64 words.

    expression = term {("+" | "-") term};  term = factor {"*" factor};  factor = number | "(" expression ")"
    """
    if len(words) > LONGEST:
        return None
    read = _expression(words, 0)
    return read[0] if read and read[1] == len(words) else None


def _expression(words: list[str], at: int) -> tuple[int, int] | None:
    """(value, where the next word stands), or None; so too the two below."""
    read = _term(words, at)
    while read and read[1] < len(words) and words[read[1]] in ("+", "-"):
        value, sign, more = read[0], words[read[1]], _term(words, read[1] + 1)
        read = more and (value + more[0] if sign == "+" else value - more[0], more[1])
    return read


def _term(words: list[str], at: int) -> tuple[int, int] | None:
    read = _factor(words, at)
    while read and read[1] < len(words) and words[read[1]] == "*":
        value, more = read[0], _factor(words, read[1] + 1)
        read = more and (value * more[0], more[1])
    return read


def _factor(words: list[str], at: int) -> tuple[int, int] | None:
    if at >= len(words):
        return None
    if words[at] in NUMBERS:
        return NUMBERS[words[at]], at + 1
    inside = _expression(words, at + 1) if words[at] == "(" else None
    return (inside[0], inside[1] + 1) if inside and words[inside[1] : inside[1] + 1] == [")"] else None


def _moves(pieces: list[Piece]) -> list[tuple[int, int, str]]:
    """(left, right, sign): which two to combine, and how. The result stays from 0 to 49; the larger minus the less."""
    moves = []
    for left, (a, *_) in enumerate(pieces):
        for right, (b, *_) in enumerate(pieces):
            if left != right:
                moves += [(left, right, sign) for sign in "+-*" if 0 <= _value(a, sign, b) <= HIGHEST]
    return moves


def _after(pieces: list[Piece], left: int, right: int, sign: str) -> list[Piece]:
    """The pieces that are left when two have been combined; brackets only where they are needed."""
    (a, first, made), (b, second, made_second) = pieces[left], pieces[right]
    if sign == "*" and made in ("+", "-"):
        first = f"( {first} )"
    if (sign == "*" and made_second in ("+", "-")) or (sign == "-" and made_second in ("+", "-")):
        second = f"( {second} )"
    rest = [piece for at, piece in enumerate(pieces) if at not in (left, right)]
    return [*rest, (_value(a, sign, b), f"{first} {sign} {second}", sign)]


def _search(
    pieces: list[Piece], target: int, rng: np.random.Generator, hopeless: set[tuple[int, ...]]
) -> tuple[list[str], str] | None:
    """(the steps, the expression) that reach the target from these pieces, or None. `hopeless` grows in place."""
    values = tuple(sorted(value for value, *_ in pieces))
    if len(pieces) == 1:
        return ([], pieces[0][1]) if values == (target,) else None
    if values in hopeless:
        return None
    moves = _moves(pieces)
    for at in rng.permutation(len(moves)):
        left, right, sign = moves[at]
        after = _after(pieces, left, right, sign)
        found = _search(after, target, rng, hopeless)
        if found is not None:
            step = f"{pieces[left][0]} {sign} {pieces[right][0]} = {after[-1][0]}"
            return [step, *found[0]], found[1]
    hopeless.add(values)
    return None


def _value(a: int, sign: str, b: int) -> int:
    return a + b if sign == "+" else a - b if sign == "-" else a * b


TASK = Task(
    name="countdown",
    source="Gandhi et al. (2024), Stream of Search, arXiv:2404.03683; TinyZero, github.com/Jiayi-Pan/TinyZero",
    rules="Make the target from the given numbers. Use each of them exactly once, with +, - and *, and brackets where "
    "you want them; products bind before sums. The answer is the expression.",
    words=(*NUMBERS, "+", "-", "*", "(", ")", "=", ";", "make", "from", "?", "so"),
    levels=len(SIZES),
    draw=draw,
    work=work,
    check=check,
    answer_of=answer_of,
)
