"""Goofspiel, the game of pure strategy: bid your cards for prizes, each card once, both players at the same time.

Ross (1971), "Goofspiel: the game of pure strategy"; solved for 13 cards by Rhoads and Bartholdi (2012), "Computer
solution to the game of pure strategy". The variant in which bids stay hidden is a usual test of solvers (Lanctot et al.
2009, "Monte Carlo sampling for regret minimization in extensive games"). The rules are those of OpenSpiel's goofspiel.

State    int64[7 + 3 C] for C cards: cards, random, hidden, points, turn, rounds played, how far player 0 leads, then
         three lines with an entry per round, 0 where it has not come: prizes, bids of player 0, bids of player 1.
Actions  bid the card worth action + 1. At a deal: the prize, likewise.
View     int64[3 C], three such lines: prizes, own bids, and what came of them: the other's bid, or where bids stay
         hidden 1 won, 2 tied, 3 lost.
"""

import numpy as np
from numba import njit

from ludus.game import CHANCE, OVER, Game, Kernels

CARDS, RANDOM, HIDDEN, POINTS, TURN, ROUND, LEAD, LINES = 0, 1, 2, 3, 4, 5, 6, 7  # where each part of the state begins
OUTCOMES = ("", "won", "tied", "lost")


@njit(cache=True)
def turn(state):
    return state[TURN]


@njit(cache=True)
def _line(state, owner):
    """Where the bids of a player begin, or the prizes, as if they were the bids of chance, player -1."""
    return LINES + (owner + 1) * state[CARDS]


@njit(cache=True)
def options(state, weights):
    """At a deal, the probability of each prize left; afterwards, 1 for each card left."""
    line, left = _line(state, state[TURN]), state[CARDS] - state[ROUND]
    for card in range(state[CARDS]):
        weights[card] = 1 / left if state[TURN] == CHANCE else 1.0
    for past in range(state[ROUND]):
        weights[state[line + past] - 1] = 0.0


@njit(cache=True)
def apply(state, action):
    """The bid of player 1 ends a round; the last round, in which nobody has a choice, plays itself."""
    mover, cards = state[TURN], state[CARDS]
    state[_line(state, mover) + state[ROUND]] = action + 1
    state[TURN] += 1
    if mover == 1:
        _end_round(state)
        if state[ROUND] == cards - 1:
            for owner in range(-1, 2):
                line, left = _line(state, owner), cards * (cards + 1) // 2
                for past in range(cards - 1):
                    left -= state[line + past]
                state[line + cards - 1] = left
            _end_round(state)
            state[TURN] = OVER
        elif state[RANDOM]:
            state[TURN] = CHANCE
        else:
            state[LINES + state[ROUND]], state[TURN] = cards - state[ROUND], 0


@njit(cache=True)
def _end_round(state):
    """The higher bid takes the prize; where bids are equal nobody does."""
    cards, here = state[CARDS], LINES + state[ROUND]
    state[LEAD] += state[here] * np.sign(state[here + cards] - state[here + 2 * cards])
    state[ROUND] += 1


@njit(cache=True)
def payoff(state, out):
    """One for more points than the other, or the difference in points."""
    lead = state[LEAD] if state[POINTS] else np.sign(state[LEAD])
    out[0], out[1] = lead, -lead


@njit(cache=True)
def view(state, player, out):
    cards = state[CARDS]
    own, other = _line(state, player), _line(state, 1 - player)
    for past in range(cards):
        out[past], out[cards + past], out[2 * cards + past] = state[LINES + past], state[own + past], 0
        if past < state[ROUND]:
            bid = state[other + past]
            out[2 * cards + past] = 2 - np.sign(state[own + past] - bid) if state[HIDDEN] else bid


def variant(cards: int = 4, random: int = 0, hidden: int = 1, points: int = 0) -> Game:
    """Goofspiel with so many cards.

    random  1: prizes are turned up by chance, 0: from the highest down
    hidden  1: players learn who won a round, 0: they see the bids
    points  1: pays the difference in points, 0: pays one for more points
    """
    example = "write for example goofspiel(cards=4, random=1, hidden=0, points=1)"
    if not 2 <= cards <= 13:
        raise ValueError(f"goofspiel: cards has to be 2 to 13, not {cards}; {example}")
    for name, number in (("random", random), ("hidden", hidden), ("points", points)):
        if number not in (0, 1):
            raise ValueError(f"goofspiel: {name} has to be 0 or 1, not {number}; {example}")

    def tell(view):
        """'prize 4 bid 2 lost prize 3': you bid 2 for the prize of 4 and lost; now the prize is 3."""
        told = []
        for prize, bid, outcome in zip(*view.reshape(3, cards).tolist(), strict=True):
            told += ["prize", str(prize)] if prize else []
            told += ["bid", str(bid)] if bid else []
            told += ([OUTCOMES[outcome]] if hidden else ["against", str(outcome)]) if outcome else []
        return " ".join(told)

    prizes = [0] * cards if random else [cards, *[0] * (cards - 1)]
    return Game(
        name=f"goofspiel(cards={cards}, random={random}, hidden={hidden}, points={points})",
        source="Ross (1971), Goofspiel: the game of pure strategy; rules of OpenSpiel (Lanctot et al. 2019)",
        rules=f"There are prizes of 1 to {cards} points, turned up one at a time, "
        f"{'in random order' if random else 'the highest first'}. Each player holds cards worth 1 to {cards} and bids "
        "one of them for the prize, both at the same time; a card is bid once. The higher card takes the prize; equal "
        f"cards throw it away. Afterwards {'only who won is told' if hidden else 'both bids are shown'}. The last "
        "cards are bid without being asked. At the end "
        f"{'the difference in points is paid' if points else 'more points win, and equal points are a draw'}.",
        words=tuple(str(card + 1) for card in range(cards)),
        players=2,
        view_size=3 * cards,
        outcomes=cards if random else 0,
        start=np.array([cards, random, hidden, points, CHANCE if random else 0, 0, 0, *prizes, *[0] * (2 * cards)]),
        kernels=Kernels(turn, options, apply, payoff, view),
        tell=tell,
    )


GOOFSPIEL = variant()
