"""The contract of a game: five compiled kernels on a small integer array, and words for people.

A kernel is a plain function on the state, an int64 array, compiled by numba. Engines (`tree`, `play`) take
kernels through explicit function-type signatures, so that an engine is compiled once for all games and
loaded from numba's disk cache. A kernel may assume that actions are legal: every front door checks.
"""

import functools
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba import njit, types

CHANCE, OVER = -1, -2

STATE = types.Array(types.int64, 1, "C")
WEIGHTS = types.Array(types.float64, 1, "C")
TURN = types.FunctionType(types.int64(STATE))
OPTIONS = types.FunctionType(types.void(STATE, WEIGHTS))
APPLY = types.FunctionType(types.void(STATE, types.int64))
PAYOFF = types.FunctionType(types.void(STATE, WEIGHTS))
VIEW = types.FunctionType(types.void(STATE, types.int64, STATE))
KERNELS = (TURN, OPTIONS, APPLY, PAYOFF, VIEW)


class Kernels(NamedTuple):
    """The rules of a game, compiled. `state` is int64[S]; every function but `turn` returns nothing.

    turn     (state) -> the player to move, CHANCE or OVER
    options  (state, weights): at a chance node the probability of each outcome, else 1 for each legal
             action and 0 for the rest; weights is float64[max(A, outcomes)], all of it is written
    apply    (state, action): the move is made, state changed in place
    payoff   (state, out): float64[P] of a finished game, in the game's own units
    view     (state, player, out): int64[V], all that the player has seen, every entry written
    """

    turn: Callable[..., Any]
    options: Callable[..., Any]
    apply: Callable[..., Any]
    payoff: Callable[..., Any]
    view: Callable[..., Any]


class Game(NamedTuple):
    """A game as data. Variants are numbers in `start`, so they need no recompiling.

    name            how the variant is written: "kuhn_poker", "liars_dice(dice=1, faces=5)"
    source          author, year, title of the rules
    rules           a paragraph for people and language models
    words           A words, one per action; no spaces inside a word
    players         P
    view_size       V
    outcomes        the largest number of outcomes at a chance node, 0 without chance
    start           int64[S], the state before the first move
    kernels         the five compiled functions
    tell            (view int64[V]) -> words made from the view alone, so that they cannot leak
    constant_sum    what the payoffs of every finished game add up to, None where they do not
    perfect_recall  False where the view shortens what the player has seen (a board, the last n moves)
    """

    name: str
    source: str
    rules: str
    words: tuple[str, ...]
    players: int
    view_size: int
    outcomes: int
    start: np.ndarray
    kernels: Kernels
    tell: Callable[[np.ndarray], str]
    constant_sum: float | None = 0.0
    perfect_recall: bool = True

    @property
    def actions(self) -> int:
        """A, the number of actions of a player."""
        return len(self.words)

    @property
    def width(self) -> int:
        """The length of the weights that `options` writes: max(A, outcomes)."""
        return max(len(self.words), self.outcomes)


_COMPILING = threading.RLock()  # matches are played by several threads, and one of them compiles


def engine(signature: Any, **options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorates a function that Python calls with kernels or arrays: compiled for this signature, at its first call.

    numba alone compiles a function with a signature, or loads it from the disk cache, where it is decorated: a process
    would pay some 0.1 s for each engine that it imports, of which it mostly calls few. What compiled functions call
    themselves is decorated with @njit(cache=True) as before.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        compiled = njit(cache=True, **options)(function)
        if compiled is function:  # NUMBA_DISABLE_JIT
            return function

        @functools.wraps(function)
        def call(*arguments: Any) -> Any:
            if not compiled.overloads:
                with _COMPILING:
                    if not compiled.overloads:
                        compiled.compile(signature)
                        compiled.disable_compile()
            return compiled(*arguments)

        return call

    return decorate


class IllegalAction(ValueError):
    """An action that the rules do not allow in this state."""


class UnknownGame(ValueError):
    """A name that no game file answers to."""
