"""What a model read and wrote, token by token: one format for a single reply and for a talk of many turns.

A row is whatever was given (a prompt, then the world's answers) and whatever the model wrote, in order. Padding may
stand anywhere in it: the model's mask and positions pass it over. So a rollout of one turn, of forty, and an expert's
text that is to be imitated are the same three arrays, and every loss reads them alike.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from ludus.models.decoding import Decoder
from ludus.models.transformer import Transformer
from ludus.models.words import Words

GIVEN = -1  # the turn of a token that the model did not write


class Rollouts(NamedTuple):
    """B rows of L tokens.

    tokens    int64[B, L], 0 is padding wherever it stands
    turn      int64[B, L], in which of its turns the model wrote a token, from 0; -1 where it was given, or is padding
    log_prob  float32[B, L], of a written token under the model that sampled it, at temperature 1; 0 elsewhere
    """

    tokens: np.ndarray
    turn: np.ndarray
    log_prob: np.ndarray


def given(prompts: np.ndarray, replies: np.ndarray) -> Rollouts:
    """An expert's replies as one turn: prompts int64[B, T] left-padded, replies int64[B, R] right-padded."""
    tokens = np.concatenate([prompts, replies], axis=1)
    turn = np.full(tokens.shape, GIVEN)
    turn[:, prompts.shape[1] :][replies != 0] = 0
    return Rollouts(tokens, turn, np.zeros(tokens.shape, np.float32))


def texts(words: Words, rollouts: Rollouts, turn: int = 0) -> list[str]:
    """What each row wrote in one turn, in words."""
    return [words.text(row[wrote]) for row, wrote in zip(rollouts.tokens, rollouts.turn == turn, strict=True)]


def select(rollouts: Rollouts, rows: np.ndarray) -> Rollouts:
    """Some rows, by number or mask, cut to the columns that they use."""
    part = Rollouts(*(array[rows] for array in rollouts))
    used = (part.tokens != 0).any(axis=0)
    return Rollouts(*(array[:, used] for array in part))


def join(parts: Sequence[Rollouts]) -> Rollouts:
    """The rows of several, one after another; shorter ones are padded on the left."""
    length = max(part.tokens.shape[1] for part in parts)
    wide = [[np.pad(array, ((0, 0), (length - array.shape[1], 0)), constant_values=fill) for array in arrays]
            for arrays, fill in zip(zip(*parts, strict=True), (0, GIVEN, 0), strict=True)]  # fmt: skip
    return Rollouts(*map(np.concatenate, wide))


class Conversation:
    """B talks with one model at once; the keys and values of what was said are kept from turn to turn.

    hear(prompt), say(...), hear(answer), say(...), ... and then rollouts(). The weights must not change meanwhile.
    """

    def __init__(self, model: Transformer) -> None:
        self._model = model
        self._decoder: Decoder | None = None
        self._logits: torch.Tensor | None = None  # after the last token heard; None where the model has just spoken
        self._parts: list[Rollouts] = []
        self._turns = 0

    def hear(self, tokens: np.ndarray) -> None:
        """Give every row int64[B, T] tokens, left-padded; one that hears nothing, all padding, must not speak next."""
        turn = np.full(tokens.shape, GIVEN)
        self._parts.append(Rollouts(tokens, turn, np.zeros(tokens.shape, np.float32)))
        if self._decoder is None:
            self._decoder = Decoder(self._model, len(tokens))
        self._logits = self._decoder.read(tokens)

    def say(
        self, uniform: np.ndarray, stop: np.ndarray, temperature: float = 1.0, active: np.ndarray | None = None
    ) -> np.ndarray:
        """The model's next turn: int64[B, at most R], to a token of `stop` inclusive or R tokens, right-padded.

        uniform  float64[B, R] in [0, 1), a number per token: a row's reply depends on its own numbers alone (up to
                 rounding in the batched product)
        stop     bool[vocabulary]
        active   bool[B], the rows that speak; None means all

        Raises ValueError where the temperature is not above zero, or nothing was heard since the last turn.
        """
        if temperature <= 0:
            raise ValueError(
                f"temperature: must be above zero, it was {temperature}; use a small one for greedy replies"
            )
        if self._decoder is None or self._logits is None:
            raise ValueError("say: the model has nothing to answer; call hear(tokens) before each turn")
        going = np.ones(len(uniform), bool) if active is None else active
        tokens, log_prob = self._decoder.write(self._logits, uniform, stop, temperature, going)
        turn = np.where(tokens != 0, self._turns, GIVEN)
        self._parts.append(Rollouts(tokens, turn, log_prob))
        self._turns, self._logits = self._turns + 1, None
        return tokens

    def rollouts(self) -> Rollouts:
        """All that was heard and said so far."""
        return Rollouts(*(np.concatenate(arrays, axis=1) for arrays in zip(*self._parts, strict=True)))


def rollout(
    model: Transformer, prompts: np.ndarray, uniform: np.ndarray, stop: np.ndarray, temperature: float = 1.0
) -> Rollouts:
    """One reply to each of B prompts int64[B, T], left-padded: a conversation of one turn. See `Conversation.say`."""
    talk = Conversation(model)
    talk.hear(prompts)
    talk.say(uniform, stop, temperature)
    return talk.rollouts()
