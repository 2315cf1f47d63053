"""From a plain sentence to a formula of logic; every formula that means the same is right.

After Yang et al. (2023), "Harnessing the Power of Large Language Models for Natural Language to First-Order Logic
Translation", arXiv:2305.15541, in the small: propositions only. Formulas are in Polish notation (Lukasiewicz), the sign
before what it joins, so that no brackets are needed: "> & p q ~ r" is "if both p and q then not r". Two formulas mean
the same where their truth tables are equal; a table is the 32 bits of one whole number.
"""

import numpy as np

from ludus.tasks import Problem, Task, answer_words, at_level

SIZES = (1, 2, 3, 4)  # joining words at each level
NAMES = "pqrst"
ROWS = 1 << len(NAMES)
ALL = (1 << ROWS) - 1  # true in every row
TABLES = {name: sum(1 << row for row in range(ROWS) if row >> at & 1) for at, name in enumerate(NAMES)}
SIGNS = "&|>="
LONGEST = 64  # words of an answer

Sentence = str | tuple
"""A name, ("not", sentence), or (kind, first, second)."""

# Each kind has its words, and ways to write it in which a and b stand for the two formulas.
SAID = {
    "both": ("both", "and"),
    "either": ("either", "or"),
    "neither": ("neither", "nor"),
    "if": ("if", "then"),
    "one": ("one of", "and"),
}
WAYS = {
    "both": ("& a b", "& b a"),
    "either": ("| a b", "| b a"),
    "neither": ("~ | a b", "& ~ a ~ b"),
    "if": ("> a b", "| ~ a b"),
    "one": ("~ = a b", "= a ~ b"),
}


def draw(rng: np.random.Generator, level: int) -> Problem:
    """key: (sentence, truth table). No name stands twice, so that no sentence is always true or always false."""
    names = [NAMES[at] for at in rng.permutation(len(NAMES))]
    sentence = _sentence(at_level(SIZES, level), names, rng)
    return Problem(f"{_told(sentence)} ?", (sentence, _meaning(sentence)), level)


def work(problem: Problem, rng: np.random.Generator) -> str:
    """Every joined part written as a formula, the innermost first, in one of the ways that its meaning has."""
    lines: list[str] = []
    _written(problem.key[0], rng, lines)
    return " ; ".join(lines[:-1]) + " so " * (len(lines) > 1) + lines[-1]


def check(problem: Problem, answer: str) -> float:
    return float(table(answer.split(maxsplit=LONGEST)) == problem.key[1])


def answer_of(problem: Problem, reply: str) -> str | None:
    words = answer_words(reply)
    return None if table(words) is None else " ".join(words)


def table(words: list[str]) -> int | None:
    """The truth table of a formula, a bit for each row; None where it is no formula, or has over 64 words.

    formula = name | "~" formula | ("&" | "|" | ">" | "=") formula formula. Read from the end, with a stack.
    """
    if len(words) > LONGEST:
        return None
    stack: list[int] = []
    for word in reversed(words):
        if word in TABLES:
            stack.append(TABLES[word])
        elif word == "~" and stack:
            stack.append(ALL ^ stack.pop())
        elif word in tuple(SIGNS) and len(stack) > 1:
            stack.append(_joined(word, stack.pop(), stack.pop()))
        else:
            return None
    return stack[0] if len(stack) == 1 else None


def _joined(sign: str, a: int, b: int) -> int:
    return {"&": a & b, "|": a | b, ">": (ALL ^ a) | b, "=": ALL ^ a ^ b}[sign]


def _sentence(joins: int, names: list[str], rng: np.random.Generator) -> Sentence:
    """A sentence of so many joining words over names that it takes from the list; "not" stands before some names."""
    if joins == 0:
        return ("not", names.pop()) if rng.random() < 0.25 else names.pop()
    kind = list(SAID)[rng.integers(len(SAID))]
    first = int(rng.integers(joins))
    return kind, _sentence(first, names, rng), _sentence(joins - 1 - first, names, rng)


def _told(sentence: Sentence) -> str:
    if isinstance(sentence, str):
        return sentence
    if sentence[0] == "not":
        return f"not {_told(sentence[1])}"
    before, between = SAID[sentence[0]]
    return f"{before} {_told(sentence[1])} {between} {_told(sentence[2])}"


def _meaning(sentence: Sentence) -> int:
    if isinstance(sentence, str):
        return TABLES[sentence]
    kind, a, *rest = sentence[0], *map(_meaning, sentence[1:])
    if kind == "not":
        return ALL ^ a
    (b,) = rest
    return {"both": a & b, "either": a | b, "neither": ALL ^ (a | b), "if": (ALL ^ a) | b, "one": a ^ b}[kind]


def _written(sentence: Sentence, rng: np.random.Generator, lines: list[str]) -> str:
    """The formula; every joined part is added to `lines`."""
    if isinstance(sentence, str):
        return sentence
    if sentence[0] == "not":
        return f"~ {_written(sentence[1], rng, lines)}"
    parts = {"a": _written(sentence[1], rng, lines), "b": _written(sentence[2], rng, lines)}
    ways = WAYS[sentence[0]]
    lines.append(" ".join(parts.get(word, word) for word in ways[rng.integers(len(ways))].split()))
    return lines[-1]


TASK = Task(
    name="translation",
    source="after Yang et al. (2023), arXiv:2305.15541; Polish notation: Lukasiewicz",
    rules="Write the sentence as a formula in which the sign stands before what it joins: & both, | at least one, "
    "> if the first then the second, = both alike, ~ not. 'either p or q' allows both; 'one of p and q' is true where "
    "exactly one of the two is. The answer is the formula; every formula with the same truth table is right.",
    words=(
        *NAMES,
        *SIGNS,
        "~",
        "not",
        *dict.fromkeys(word for pair in SAID.values() for word in " ".join(pair).split()),
        ";",
        "?",
        "so",
    ),
    levels=len(SIZES),
    draw=draw,
    work=work,
    check=check,
    answer_of=answer_of,
)
