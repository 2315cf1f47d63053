"""Oshi-Zumo, the pushing sumo: both bid coins at the same time, and the higher bid pushes the wrestler a step.

Buro (2004), "Solving the Oshi-Zumo game", after Kotani (2002). The rules are those of OpenSpiel's oshi_zumo: a horizon
ends the game where players who need not bid never do.

State    int64[8 + 2 R] for R rounds: size, min_bid, R, turn, rounds played, place of the wrestler (0 the middle, above
         it the half of player 1), coins left of player 0, of player 1, then the bids of player 0, of player 1, -1
         where the round has not come.
Actions  the coins bid.
View     int64[2 R], two such lines: own bids, then the other's of the rounds that are over.
"""

import numpy as np
from numba import njit

from ludus.game import OVER, Game, Kernels

SIZE, MIN_BID, ROUNDS, TURN, ROUND, PLACE, COINS, LINES = 0, 1, 2, 3, 4, 5, 6, 8  # where each part of the state begins
NONE = -1


@njit(cache=True)
def turn(state):
    return state[TURN]


@njit(cache=True)
def options(state, weights):
    """From min_bid to all that is left; who has less than min_bid bids that."""
    coins = state[COINS + state[TURN]]
    for bid in range(len(weights)):
        weights[bid] = min(state[MIN_BID], coins) <= bid <= coins


@njit(cache=True)
def apply(state, action):
    """The bid of player 1 ends a round, and the game once the wrestler is off the field, or coins or rounds are out."""
    mover, here = state[TURN], LINES + state[ROUND]
    state[here + mover * state[ROUNDS]] = action
    state[TURN] = 1
    if mover == 1:
        first = state[here]
        state[COINS] -= first
        state[COINS + 1] -= action
        state[PLACE] += np.sign(first - action)
        state[ROUND] += 1
        over = abs(state[PLACE]) > state[SIZE] or state[COINS] + state[COINS + 1] == 0 or state[ROUND] == state[ROUNDS]
        state[TURN] = OVER if over else 0


@njit(cache=True)
def payoff(state, out):
    """One for the player in whose opponent's half the wrestler stands, or beyond."""
    won = np.sign(state[PLACE])
    out[0], out[1] = won, -won


@njit(cache=True)
def view(state, player, out):
    rounds = state[ROUNDS]
    for past in range(rounds):
        out[past] = state[LINES + player * rounds + past]
        out[rounds + past] = state[LINES + (1 - player) * rounds + past] if past < state[ROUND] else NONE


def variant(coins: int = 5, size: int = 1, min_bid: int = 1, horizon: int = 50) -> Game:
    """Oshi-Zumo with so many coins a player, and so many steps from the middle to either edge of the field.

    min_bid  the least bid of a player that has as much
    horizon  rounds at most; where min_bid is positive the coins are out after coins / min_bid, rounded up
    """
    example = "write for example oshi_zumo(coins=5, size=1, min_bid=1, horizon=50)"
    for name, number, low, high in (
        ("coins", coins, 1, 50), ("size", size, 1, 25), ("min_bid", min_bid, 0, coins), ("horizon", horizon, 1, 1000)
    ):  # fmt: skip
        if not low <= number <= high:
            raise ValueError(f"oshi_zumo: {name} has to be {low} to {high}, not {number}; {example}")
    rounds = min(horizon, -(-coins // min_bid)) if min_bid else horizon

    def tell(view):
        """'coins 3 2 field #W..# bid 2 against 3': 3 coins are yours, 2 the other's; you were pushed back."""
        own, other = view.reshape(2, rounds).tolist()
        left, place, line = [coins, coins], 0, []
        for mine, theirs in zip(own, other, strict=True):
            line += ["bid", str(mine)] if mine != NONE else []
            if theirs != NONE:
                line += ["against", str(theirs)]
                left, place = [left[0] - mine, left[1] - theirs], place + (mine > theirs) - (mine < theirs)
        field = ["#", *["."] * (2 * size + 1), "#"]
        field[size + 1 + place] = "W"
        return " ".join(["coins", *map(str, left), "field", "".join(field), *line])

    return Game(
        name=f"oshi_zumo(coins={coins}, size={size}, min_bid={min_bid}, horizon={horizon})",
        source="Buro (2004), Solving the Oshi-Zumo game; rules of OpenSpiel (Lanctot et al. 2019)",
        rules=f"A wrestler stands in the middle of a field, {size} from its edge on either side. Both players have "
        f"{coins} coins. In a round both bid some of them at the same time, at least {min_bid} or what is left of them "
        "where that is less; the bids are shown and gone. The higher bid pushes the wrestler a step towards the other "
        "player, equal bids leave it where it is. The game ends when the wrestler is pushed over an edge, when nobody "
        f"has coins, or after {rounds} rounds: the player from whom the wrestler was pushed away wins; in the middle "
        "it is a draw.",
        words=tuple(str(bid) for bid in range(coins + 1)),
        players=2,
        view_size=2 * rounds,
        outcomes=0,
        start=np.array([size, min_bid, rounds, 0, 0, 0, coins, coins, *[NONE] * (2 * rounds)]),
        kernels=Kernels(turn, options, apply, payoff, view),
        tell=tell,
    )


OSHI_ZUMO = variant()
