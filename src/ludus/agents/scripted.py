"""Players that follow a rule a person wrote down: opponents to beat, and stand-ins in tests."""

from collections.abc import Callable

import numpy as np

from ludus.game import Game, IllegalAction
from ludus.records import Policy


def first_legal(views: np.ndarray, legal: np.ndarray) -> np.ndarray:
    """A Policy: always the legal action with the lowest number."""
    return _certain(legal.argmax(axis=1), legal)


def prefer(game: Game, *words: str) -> Policy:
    """Always the first of these actions that is legal, any legal one where none is: prefer(KUHN_POKER, "bet").

    Raises ValueError for a word that is no action of the game.
    """
    unknown = [word for word in words if word not in game.words]
    if unknown or not words:
        seen = repr(unknown[0]) if unknown else "no word"
        raise ValueError(f"words: {seen} given; the actions of {game.name} are {', '.join(game.words)}")
    wanted = [game.words.index(word) for word in words]

    def policy(views: np.ndarray, legal: np.ndarray) -> np.ndarray:
        open_wanted = legal[:, wanted]
        chosen = np.array(wanted)[open_wanted.argmax(axis=1)]
        some = open_wanted.any(axis=1, keepdims=True)
        return np.where(some, _certain(chosen, legal), legal / legal.sum(axis=1, keepdims=True))

    return policy


def by_rule(rule: Callable[[np.ndarray, np.ndarray], int]) -> Policy:
    """A Policy from a rule for one decision: (view int64[V], legal bool[A]) -> the number of a legal action.

    The policy raises IllegalAction where the rule gives another number.
    """

    def policy(views: np.ndarray, legal: np.ndarray) -> np.ndarray:
        chosen = []
        for view, able in zip(views, legal, strict=True):
            action = rule(view, able)
            if not (0 <= action < len(able) and able[action]):
                allowed = ", ".join(map(str, np.flatnonzero(able)))
                raise IllegalAction(f"rule: at view {view} it chose {action}; return one of {allowed}")
            chosen.append(action)
        return _certain(np.array(chosen, dtype=np.int64), legal)

    return policy


def _certain(action, legal):
    """Probability one for the action of each row: float64[B, A]."""
    table = np.zeros(legal.shape)
    table[np.arange(len(legal)), action] = 1.0
    return table
