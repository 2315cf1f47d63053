"""The vocabulary of a small model that reads and writes plain text: one token a word, words parted by spaces."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

PADDING, END = 0, 1


@dataclass(frozen=True, eq=False)
class Words:
    """A list of words, each its own token: token 0 is padding, token 1 ends a reply, the words follow in order.

    Raises ValueError where a word is empty, has a space in it or comes twice.
    """

    words: tuple[str, ...]

    def __post_init__(self) -> None:
        for word in self.words:
            if len(word.split()) != 1 or word != word.strip():
                raise ValueError(f"words: a word has no spaces in it and is not empty, one was {word!r}")
        if len(set(self.words)) < len(self.words):
            twice = next(word for word in self.words if self.words.count(word) > 1)
            raise ValueError(f"words: each comes once, {twice!r} came twice")

    @property
    def size(self) -> int:
        """The number of tokens, padding and end included: the vocabulary of a model's Size."""
        return len(self.words) + 2

    @cached_property
    def stop(self) -> np.ndarray:
        """bool[size], True at the token that ends a reply."""
        return np.arange(self.size) == END

    @cached_property
    def _number(self) -> dict[str, int]:
        return {word: token for token, word in enumerate(self.words, start=2)}

    def tokens(self, text: str) -> list[int]:
        """The tokens of a text, without an end. Raises KeyError naming a word that is not in the vocabulary."""
        return [self._number[word] for word in text.split()]

    def text(self, tokens: Iterable[int]) -> str:
        """The words of a row of tokens up to its end, padding left out."""
        found = []
        for token in tokens:
            if token == END:
                break
            if token != PADDING:
                found.append(self.words[token - 2])
        return " ".join(found)

    def rows(self, texts: Sequence[str], ended: bool = False) -> np.ndarray:
        """int64[B, T]: a row per text, left-padded as prompts are; with `ended` right-padded, each with its end."""
        rows = [[*self.tokens(text), END] if ended else self.tokens(text) for text in texts]
        out = np.zeros((len(rows), max(map(len, rows), default=0)), np.int64)
        for row, tokens in zip(out, rows, strict=True):
            start = 0 if ended else len(row) - len(tokens)
            row[start : start + len(tokens)] = tokens
        return out
