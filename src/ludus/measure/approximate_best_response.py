"""Approximate best response: how much a player could gain at least, in games too large to grow.

A response is learned by playing against the others as they are, then it is frozen and judged on fresh games. Whatever
it gains, a best response gains at least, so that the judged gain is a lower bound; how far below the truth it lies
cannot be told. Timbers, Bard, Lockhart et al. (2022), "Approximate exploitability: learning a best response", learn
with a network and search; Lisy and Bowling (2017), "Equilibrium approximation quality of current no-limit poker bots",
look ahead within the rules of poker. Here stands the plainest learner, a table over what the player has seen: it knows
neither the rules nor the others' policies, and finds little where hardly any view comes twice.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

from ludus.game import Game
from ludus.play import Chooser, play
from ludus.records import Policy, Value

ROUNDS = 20  # how often the response is learned anew from all games played so far, and then played to see more
EXPLORE = 0.2  # how often it tries any legal action instead


def approximate_best_response(
    game: Game,
    policies: Sequence[Policy | Chooser],
    player: int,
    rng: np.random.Generator,
    training: int = 20_000,
    evaluation: int = 10_000,
) -> Value:
    """What `player` gains at least by a best response to the others, over playing on by its own policy: a lower bound.

    training    games from which a response is learned
    evaluation  pairs of fresh games in which it is judged

    In payoff units. The Value is that of `gain`; errors as there and in `learned_response`.
    """
    _check_count("evaluation", evaluation, 2)
    response = learned_response(game, policies, player, rng, training)
    value = gain(game, policies, player, response, rng, evaluation)
    return value._replace(method=f"{value.method}; the response was learned in {training:,} games")


def gain(
    game: Game,
    policies: Sequence[Policy | Chooser],
    player: int,
    response: Policy | Chooser,
    rng: np.random.Generator,
    games: int = 10_000,
) -> Value:
    """What any response of `player` gains over its own policy, and so a best response at least: a lower bound.

    Every game is played twice on the same random numbers, with the response and with the player's own policy, and the
    payoffs are compared game by game. interval is the 95% interval (Student) of the mean. number is its lower end, or
    zero where that is below, for playing on gains nothing: in one of forty reports, at most, it is above what a best
    response gains. That takes enough games for the mean to be about normal, more where a few of them decide about all.
    The response must not have been chosen by these very games. Raises ValueError where an argument is wrong, and what
    `play` raises.
    """
    _check_player(game, player)
    _check_count("games", games, 2)
    if not isinstance(rng, np.random.Generator):
        raise ValueError(f"rng: give a numpy Generator, np.random.default_rng(seed); {type(rng).__name__} seen")
    seed = rng.integers(2**63)
    own, answered = (
        play(game, seats, int(games), np.random.default_rng(seed)).payoff[:, player]
        for seats in (policies, _seated(response, policies, player))
    )
    more = answered - own
    half = stdtrit(games - 1, 0.975) * more.std(ddof=1) / np.sqrt(games)
    low, high = float(more.mean() - half), float(more.mean() + half)
    method = f"gain of a response, lower end of its 95% interval over {games:,} fresh pairs of games (Student)"
    return Value(max(0.0, low), "lower bound", (low, high), method)


def learned_response(
    game: Game, policies: Sequence[Policy | Chooser], player: int, rng: np.random.Generator, training: int
) -> Policy:
    """A response of `player` to the others, learned in `training` games.

    In each round the response so far is played, exploring, and learned anew from all games: an action was worth the
    mean of what followed, the payoff or else the worth of the best action that was tried at the player's next view.
    With perfect recall, and every action tried ever more often, that becomes a best response. Where no game came, it
    plays as the policy that it replaces, or uniformly where that is a Chooser. Errors as for `gain`.
    """
    _check_player(game, player)
    _check_count("training", training, 1)
    policies = list(policies)  # the response must not change where the caller's list does
    rows: dict[bytes, int] = {}
    seen: list[_Decisions] = []
    worth = np.empty((0, game.actions))
    for done in range(0, training, per_round := -(-training // ROUNDS)):
        explorer = _policy(rows, worth, policies, player, EXPLORE)
        episodes = play(game, _seated(explorer, policies, player), min(per_round, training - done), rng)
        seen.append(_decisions(episodes, player, rows))
        worth = _worth(seen, len(rows), game.actions)
    return _policy(rows, worth, policies, player, 0.0)


class _Decisions(NamedTuple):
    """What one player decided in some games, D decisions.

    row     int64[D], the number of the view
    action  int64[D]
    after   int64[D], the row of the player's next view in the game, -1 where none came
    payoff  float64[D], what the game paid it in the end
    turn    int64[D], how many decisions of the player went before in the game
    """

    row: np.ndarray
    action: np.ndarray
    after: np.ndarray
    payoff: np.ndarray
    turn: np.ndarray


def _decisions(episodes, player, rows):
    """The decisions of the player; new views are added to rows, which maps their bytes to numbers."""
    own = np.flatnonzero(episodes.player == player)
    game = np.repeat(np.arange(len(episodes.payoff)), np.diff(episodes.first))[own]
    row = np.array([rows.setdefault(view.tobytes(), len(rows)) for view in episodes.view[own]], np.int64)
    last = np.diff(game, append=-1) != 0
    after = np.where(last, -1, np.roll(row, -1))
    turn = np.arange(len(own)) - np.searchsorted(game, game)
    return _Decisions(row, episodes.action[own], after, episodes.payoff[game, player], turn)


def _worth(seen, rows, actions):
    """What each action was worth, float64[rows, A], -inf where it was not tried; from the last turn to the first."""
    row, action, after, payoff, turn = map(np.concatenate, zip(*seen, strict=True))
    total, count, best = np.zeros((rows, actions)), np.zeros((rows, actions)), np.zeros(rows)
    for number in range(turn.max(initial=-1), -1, -1):
        now = np.flatnonzero(turn == number)
        here, cell = row[now], row[now] * actions + action[now]
        np.add.at(total.reshape(-1), cell, np.where(after[now] < 0, payoff[now], best[after[now]]))
        np.add.at(count.reshape(-1), cell, 1.0)
        best[here] = _mean(total[here], count[here]).max(axis=1)
    return _mean(total, count)


def _mean(total, count):
    return np.where(count > 0, total / np.maximum(count, 1.0), -np.inf)


def _policy(rows, worth, policies, player, explore):
    """The Policy that takes the action of the highest worth, and explores so often."""

    def policy(views: np.ndarray, legal: np.ndarray) -> np.ndarray:
        uniform = legal / legal.sum(axis=1, keepdims=True)
        views = np.ascontiguousarray(views, np.int64)
        row = np.array([rows.get(view.tobytes(), -1) for view in views], np.int64)
        known, strange = np.flatnonzero(row >= 0), np.flatnonzero(row < 0)
        out = np.zeros(legal.shape)
        out[known, worth[row[known]].argmax(axis=1)] = 1.0
        if len(strange):
            replaced = policies[player]
            chooser = isinstance(replaced, Chooser)
            out[strange] = uniform[strange] if chooser else replaced(views[strange], legal[strange])
        return (1.0 - explore) * out + explore * uniform

    return policy


def _seated(policy, policies, player):
    return [policy if seat == player else other for seat, other in enumerate(policies)]


def _check_player(game, player):
    if not 0 <= player < game.players:
        raise ValueError(f"player: {game.name} has players 0 to {game.players - 1}, not {player!r}")


def _check_count(name, games, least):
    if not isinstance(games, int | np.integer) or isinstance(games, bool) or games < least:
        raise ValueError(f"{name}: a number of games, at least {least}, is needed, not {games!r}; write 10_000")
