"""A game stepped from outside, one action at a time, as the loops of other libraries want it.

`ludus.play` plays many whole games; here somebody else holds the loop. All functions take a Game and a state int64[S],
a copy of `game.start` to begin with. An illegal action always raises IllegalAction and leaves the state as it was. Who
wants another rule, such as a forfeit, catches it.
"""

import numpy as np

from ludus.game import CHANCE, OVER, Game, IllegalAction
from ludus.play import Chooser
from ludus.records import Policy

WIDEST = 2**62  # bounds of a view where a library asks for some: it may hold any int64, and no narrower ones are known


def turn(game: Game, state: np.ndarray) -> int:
    """The player to move, CHANCE or OVER."""
    return int(game.kernels.turn(state))


def weights(game: Game, state: np.ndarray) -> np.ndarray:
    """float64[W]: the probability of each outcome of chance, or 1 for each legal action; zeros when it is over."""
    out = np.zeros(game.width)
    if turn(game, state) != OVER:
        game.kernels.options(state, out)
    return out


def legal(game: Game, state: np.ndarray) -> np.ndarray:
    """bool[A], what the player to move may do; nothing where none is to move."""
    able = weights(game, state)[: game.actions] > 0
    return able if turn(game, state) >= 0 else np.zeros_like(able)


def view(game: Game, state: np.ndarray, player: int) -> np.ndarray:
    """int64[V], all that a player has seen."""
    out = np.zeros(game.view_size, np.int64)
    game.kernels.view(state, player, out)
    return out


def payoff(game: Game, state: np.ndarray) -> np.ndarray:
    """float64[P]; zeros before the end."""
    out = np.zeros(game.players)
    if turn(game, state) == OVER:
        game.kernels.payoff(state, out)
    return out


def settle(game: Game, state: np.ndarray, rng: np.random.Generator) -> None:
    """Let chance move until a player is to move or the game is over. The state is changed in place."""
    while turn(game, state) == CHANCE:
        odds = weights(game, state)
        game.kernels.apply(state, int(rng.choice(len(odds), p=odds / odds.sum())))


def act(game: Game, state: np.ndarray, action: object) -> None:
    """The player to move does `action`; the state is changed in place. Raises IllegalAction, with what was legal."""
    player, able = turn(game, state), legal(game, state)
    if player == OVER:
        raise IllegalAction(f"action: the game is over, and {action!r} follows; reset before the next action")
    if player == CHANCE:
        raise IllegalAction(f"action: chance is to move, not a player who chose {action!r}; let it move first")
    number = int(action) if isinstance(action, int | np.integer) and not isinstance(action, bool) else None
    if number is None or not 0 <= number < game.actions or not able[number]:
        words = ", ".join(f"{move} {game.words[move]}" for move in np.flatnonzero(able))
        seen, chosen = game.tell(view(game, state, player)), repr(action) if number is None else number
        raise IllegalAction(f"action: player {player} at {seen!r} chose {chosen}; legal are {words}")
    game.kernels.apply(state, number)


def choose(game: Game, state: np.ndarray, policy: Policy | Chooser, rng: np.random.Generator) -> int:
    """What a policy (or Chooser) does for the player to move. Raises ValueError where it returns no probabilities."""
    player, able = turn(game, state), legal(game, state)
    views = view(game, state, player)[None]
    if isinstance(policy, Chooser):
        return int(policy.choose(views, able[None], lambda n: rng.random((1, n)))[0][0])
    table = np.asarray(policy(views, able[None]), np.float64)
    fits = table.shape == (1, game.actions) and (table >= 0).all() and abs(table.sum() - 1) <= 1e-6
    if not fits or table[0][~able].any():
        raise ValueError(
            f"policy: at {game.tell(views[0])!r} player {player}'s policy returned {table}; return probabilities of "
            f"shape (1, {game.actions}) that sum to one and are zero where an action is not legal"
        )
    return int(rng.choice(game.actions, p=table[0] / table.sum()))
