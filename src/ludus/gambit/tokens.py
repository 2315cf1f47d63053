"""What Gambit's files are made of: quoted text, numbers, braces; and the error that says where a file went wrong.

White space between tokens means nothing. Inside quotes a backslash before a quote makes it part of the text; any other
backslash stands for itself. Source: the Gambit manual, "Game representation formats", and what Gambit 16.7 takes.
"""

import math
import re
import sys
from collections import Counter
from collections.abc import Sequence
from typing import NoReturn

CELLS = 50_000_000
"""The most cells that an array made of a file may have."""

# `++` and `*+` never give back what they took: every pattern here takes time linear in the text, whatever it holds.
TEXT = r'"[^"\\]*+(?:\\"?+[^"\\]*+)*+"'
INTEGER = r"[0-9]++"
NUMBER = r"[+-]?+(?:[0-9]++(?:/[0-9]++|(?:\.[0-9]*+)?(?:[eE][+-]?+[0-9]++)?)|\.[0-9]++(?:[eE][+-]?+[0-9]++)?)"
_SEEN = re.compile(rf"(?:{TEXT}|[{{}},]|[^\s{{}},]++)", re.ASCII)
_TEXT, _TEXTS = re.compile(TEXT, re.ASCII), re.compile(rf"(?:\s*+{TEXT})*+", re.ASCII)
_NUMBER, _NUMBERS = re.compile(NUMBER, re.ASCII), re.compile(rf"(?:\s*+{NUMBER}(?:\s*+,)?)*+", re.ASCII)
_SPACE = re.compile(r"\s*+", re.ASCII)
# What Gambit would not take is written as \u{20ac}, a way of Ludus, and stays so where Gambit shows it.
_UNQUOTABLE = re.compile(r"[^\x00-\x7f]|\\")
_UNLABELLED = re.compile(r"[^ -~]|\\|\A |(?<= ) | \Z")
_HIDDEN = re.compile(r"\\u\{([0-9a-f]{1,6})\}")
_LONGEST = 600  # digits above or below a fraction's line: Python may be set to refuse more than 640


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

    def texts(self, expected: str) -> list[str]:
        """The quoted texts of a list in braces."""
        self.take(r"\{", f"{expected} in braces")
        found = [unquote(token) for token in self.take_all(_TEXTS, _TEXT)]
        self.take(r"\}", "a text in quotes or }")
        return found

    def numbers(self, expected: str) -> list[float]:
        """The numbers that come next, commas between them or not. Raises NotReadable where one is not finite."""
        start = self.skip()
        found = [number(token) for token in self.take_all(_NUMBERS, _NUMBER)]
        if not all(map(math.isfinite, found)):
            tokens = _NUMBER.finditer(self.text, start, self.at)
            at = next(token.start() for token in tokens if not math.isfinite(number(token[0])))
            self.refuse(f"{expected} that is finite", at)
        return found

    def take_all(self, several: re.Pattern[str], one: re.Pattern[str]) -> list[str]:
        """All tokens of one kind that come next, in one sweep: files hold millions."""
        run = several.match(self.text, self.at)
        start, self.at = self.at, run.end() if run else self.at
        return one.findall(self.text, start, self.at)

    def integer(self, expected: str) -> int:
        """The next token, a whole number of at most 18 digits."""
        start = self.skip()
        digits = self.take(INTEGER, expected)
        if len(digits) > 18:
            self.refuse(f"{expected} of at most 18 digits", start)
        return int(digits)

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
    above, below = token.split("/")
    if max(len(above), len(below)) > _LONGEST or int(below) == 0:
        return math.nan
    try:
        return int(above) / int(below)  # rounded once, whatever the sizes
    except OverflowError:
        return math.nan


def quote(text: str) -> str:
    """A title or a comment as a token, in ASCII; `unquote` turns it back."""
    return '"' + _UNQUOTABLE.sub(_hide, text).replace('"', '\\"') + '"'


def label(text: str) -> str:
    """The name of a thing as a token: Gambit takes printable ASCII, with no space at an end or beside another."""
    return '"' + _UNLABELLED.sub(_hide, text).replace('"', '\\"') + '"'


def unquote(token: str) -> str:
    """The text of a token in quotes."""
    text = token[1:-1]
    return _HIDDEN.sub(_show, text.replace('\\"', '"')) if "\\" in text else text


def _hide(found):
    return f"\\u{{{ord(found[0]):x}}}"


def _show(found):
    code = int(found[1], 16)
    return chr(code) if code <= sys.maxunicode else found[0]


def distinct(labels: Sequence[str], prefix: str = "") -> tuple[str, ...]:
    """The labels; one that is empty or there twice becomes its position from 1, all do where that repeats another."""
    times = Counter(labels)
    named = [label if label and times[label] == 1 else f"{prefix}{place}" for place, label in enumerate(labels, 1)]
    if len(set(named)) < len(named):
        named = [f"{prefix}{place}" for place in range(1, len(labels) + 1)]
    return tuple(named)
