"""Games played in words, as at a table, and what positions of a board game are worth."""

import numpy as np
from tests import naive

from ludus.game import OVER, Game


def played(game: Game, words: str) -> np.ndarray:
    """The state after these moves, each checked to be legal."""
    state = game.start.copy()
    for word in words.split():
        action = game.words.index(word)
        assert action in naive.moves_of(game, state), f"{word} is not legal after {state}"
        game.kernels.apply(state, action)
    return state


def able(game: Game, words: str = "") -> set[str]:
    """The moves that are legal after these."""
    return {game.words[action] for action in naive.moves_of(game, played(game, words))}


def told(game: Game, words: str, player: int) -> str:
    """What a player is told after these moves."""
    return game.tell(np.array(naive.infoset_of(game, played(game, words), player)[1:]))


def paid(game: Game, words: str) -> tuple[float, ...]:
    """The payoffs after these moves, which end the game."""
    state = played(game, words)
    assert game.kernels.turn(state) == OVER
    return naive.payoff_of(game, state)


def minimax(game: Game):
    """(payoff of player 0 when both play best, the words of the first moves that keep it), by recursion."""
    met: dict = {}

    def worth(state):
        position = tuple(state)
        if position not in met:
            mover = int(game.kernels.turn(state))
            over = mover == OVER
            met[position] = naive.payoff_of(game, state)[0] if over else (max, min)[mover](after(state).values())
        return met[position]

    def after(state):
        worths = {}
        for action in naive.moves_of(game, state):
            child = state.copy()
            game.kernels.apply(child, action)
            worths[action] = worth(child)
        return worths

    best = worth(game.start)
    return best, {game.words[action] for action, value in after(game.start).items() if value == best}
