"""What Gambit's files are made of: quoted text, numbers, braces; and the error that says where a file went wrong.

White space between tokens means nothing. Inside quotes a backslash before a quote makes it part of the text; any other
backslash stands for itself. Source: the Gambit manual, "Game representation formats", and what Gambit's reader does.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import NoReturn

# `++` and `*+` never give back what they took: every pattern here takes time linear in the text, whatever it holds.
TEXT = r'"(?:[^"\\]++|\\"|\\)*+"'
INTEGER = r"[0-9]++"
NUMBER = r"[+-]?(?:[0-9]++/[0-9]++|(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?)"
_SEEN = re.compile(rf"(?:{TEXT}|[{{}},]|[^\s{{}},]++)", re.ASCII)
_SPACE = re.compile(r"\s*+", re.ASCII)
_LONGEST = 4_000  # digits of a fraction; int() of more is slow, and Python refuses it


class NotReadable(ValueError):
    """Not a game file: the message names the file, the line, the column, what was expected and what was seen."""


class Cursor:
    """A text and how far it has been read.

    text  all of it
    file  what to call it in an error
    at    the place of the next token, in characters; `take` moves it
    """

    def __init__(self, text: str, file: str) -> None:
        self.text, self.file, self.at = text, file, 0

    def skip(self) -> int:
        """Move past white space; where the next token begins."""
        space = _SPACE.match(self.text, self.at)
        self.at = space.end() if space else self.at
        return self.at

    def sees(self, token: str) -> bool:
        """Whether `token` comes next."""
        return self.text.startswith(token, self.skip())

    def ended(self) -> bool:
        return self.skip() == len(self.text)

    def take(self, pattern: str, expected: str) -> str:
        """The next token, which must look like `pattern`. Raises NotReadable, with `expected` in words."""
        found = re.compile(pattern, re.ASCII).match(self.text, self.skip())  # compile keeps what it has compiled
        if found is None:
            self.refuse(expected)
        self.at = found.end()
        return found[0]

    def text_of(self, expected: str) -> str:
        """The next token, a quoted text, without its quotes."""
        return unquote(self.take(TEXT, f"{expected} in quotes"))

    def integer(self, expected: str) -> int:
        """The next token, a whole number of at most 18 digits."""
        start = self.skip()
        digits = self.take(INTEGER, expected)
        if len(digits) > 18:
            self.refuse(f"{expected} of at most 18 digits", start)
        return int(digits)

    def number(self, expected: str) -> float:
        """The next token, a finite number."""
        start = self.skip()
        value = number(self.take(NUMBER, expected))
        if not math.isfinite(value):
            self.refuse(f"{expected} that is finite", start)
        return value

    def refuse(self, expected: str, at: int | None = None, seen: str | None = None) -> NoReturn:
        """Raises NotReadable about the token at `at`, the next one if not given."""
        if at is None:
            at = self.skip()
        if seen is None:
            token = _SEEN.match(self.text, at) or re.compile(r"\S{1,40}").match(self.text, at)
            seen = token[0] if token else "the end of the file"
        line, column = self.text.count("\n", 0, at) + 1, at - self.text.rfind("\n", 0, at)
        seen = seen if len(seen) <= 60 else f"{seen[:57]}..."
        raise NotReadable(f"{self.file}, line {line}, column {column}: expected {expected}, found {seen}")


def number(token: str) -> float:
    """The nearest float to a decimal or a fraction; not finite where there is none, as for 1e999 and 1/0."""
    if "/" not in token:
        return float(token)
    if len(token) > _LONGEST:
        return math.nan
    above, below = token.split("/")
    try:
        return int(above) / int(below)  # rounded once, whatever the sizes
    except ArithmeticError:
        return math.nan


def unquote(token: str) -> str:
    """The text of a token in quotes."""
    return token[1:-1].replace('\\"', '"')


def quote(text: str) -> str:
    """The token that `unquote` turns back. Raises ValueError where there is none."""
    if text.endswith("\\"):
        raise ValueError(f"label: Gambit's files cannot hold a text that ends in a backslash, {text!r} does; rename it")
    return '"' + text.replace('"', '\\"') + '"'


def distinct(labels: Sequence[str], prefix: str = "") -> tuple[str, ...]:
    """The labels; one that is empty or there twice becomes its position from 1, all do where that repeats another."""
    times = Counter(labels)
    named = [label if label and times[label] == 1 else f"{prefix}{place}" for place, label in enumerate(labels, 1)]
    if len(set(named)) < len(named):
        named = [f"{prefix}{place}" for place in range(1, len(labels) + 1)]
    return tuple(named)
