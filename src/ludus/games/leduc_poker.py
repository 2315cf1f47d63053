"""Leduc poker: six cards, two rounds of bets and one shared card; the smallest poker where a hand can change.

Southey, Bowling, Larson, Piccione, Burch, Billings, Rayner (2005), "Bayes' bluff: opponent modelling in poker".
936 infosets: a player tells the two suits apart, though only ranks count.

State    int64[17]: card of player 0, card of player 1, shared card, turn, round, raises in this round, chips paid
         by player 0, by player 1, number of public events, then the events.
Actions  0 fold (only against a raise), 1 call (or check), 2 raise. At a deal: the card, 0 to 5; its rank is card // 2.
View     int64[10]: own card, then the public events: an action is 0 to 2, the shared card is 3 + card.
"""

import numpy as np
from numba import njit

from ludus.game import CHANCE, OVER, Game, Kernels

FOLD, CALL, RAISE, UNSEEN = 0, 1, 2, -1
CARD, SHARED, TURN, ROUND, RAISES, PAID, COUNT, LINE = 0, 2, 3, 4, 5, 6, 8, 9  # where each part of the state begins
DEALT = 3  # public events from here on are the shared card
CARDS = ("Js", "Jh", "Qs", "Qh", "Ks", "Kh")


@njit(cache=True)
def turn(state):
    return state[TURN]


@njit(cache=True)
def options(state, weights):
    """At a deal, the probability of each card; afterwards, 1 for each legal action."""
    weights[:] = 0.0
    if state[TURN] != CHANCE:
        mover = state[TURN]
        weights[FOLD] = state[PAID + 1 - mover] > state[PAID + mover]
        weights[CALL] = 1.0
        weights[RAISE] = state[RAISES] < 2
        return
    left = 6 - (state[CARD] != UNSEEN) - (state[CARD + 1] != UNSEEN)
    for card in range(6):
        if card != state[CARD] and card != state[CARD + 1]:
            weights[card] = 1 / left


@njit(cache=True)
def apply(state, action):
    """A round ends with a call, or with two checks."""
    mover = state[TURN]
    if mover == CHANCE:
        if state[CARD] == UNSEEN:
            state[CARD] = action
            return
        if state[CARD + 1] == UNSEEN:
            state[CARD + 1] = action
        else:
            state[SHARED] = action
            _happens(state, DEALT + action)
        state[TURN] = 0
        return
    _happens(state, action)
    if action == FOLD:
        state[TURN] = OVER
    elif action == RAISE:
        state[PAID + mover] = state[PAID + 1 - mover] + 2 + 2 * state[ROUND]
        state[RAISES] += 1
        state[TURN] = 1 - mover
    else:
        state[PAID + mover] = state[PAID + 1 - mover]
        if state[RAISES] == 0 and mover == 0:
            state[TURN] = 1
        elif state[ROUND] == 0:
            state[ROUND], state[RAISES], state[TURN] = 1, 0, CHANCE
        else:
            state[TURN] = OVER


@njit(cache=True)
def _happens(state, event):
    state[LINE + state[COUNT]] = event
    state[COUNT] += 1


@njit(cache=True)
def payoff(state, out):
    """The winner takes what the loser paid; a pair beats a high card, equal hands share the pot."""
    lead = state[PAID] - state[PAID + 1]  # unequal only after a fold
    if lead == 0:
        lead = _strength(state, 0) - _strength(state, 1)
    stake = float(min(state[PAID], state[PAID + 1]))
    out[0] = stake if lead > 0 else (-stake if lead < 0 else 0.0)
    out[1] = -out[0]


@njit(cache=True)
def _strength(state, player):
    rank = state[CARD + player] // 2
    return rank + 3 if rank == state[SHARED] // 2 else rank


@njit(cache=True)
def view(state, player, out):
    out[0] = state[CARD + player]
    out[1:] = state[LINE:]


def tell(view):
    """'Js raise call Qh call': you hold a jack, a raise was called, the shared card is a queen, then a check."""
    card, *line = view
    words = ("fold", "call", "raise", *CARDS)
    return " ".join([CARDS[card], *(words[event] for event in line if event != UNSEEN)])


LEDUC_POKER = Game(
    name="leduc_poker",
    source="Southey et al. (2005), Bayes' bluff: opponent modelling in poker",
    rules="Six cards: J, Q and K in two suits, s and h. Both players ante one chip and are dealt a card. In turn they "
    "fold (only against a raise), call (or check) or raise, by two chips in the first round and four in the second; at "
    "most two raises a round. Between the rounds one card is turned up for both. At the end a pair with that card "
    "wins, else the higher rank; equal hands share the pot.",
    words=("fold", "call", "raise"),
    players=2,
    view_size=10,
    outcomes=6,
    start=np.array([UNSEEN, UNSEEN, UNSEEN, CHANCE, 0, 0, 1, 1, 0, *[UNSEEN] * 9]),
    kernels=Kernels(turn, options, apply, payoff, view),
    tell=tell,
)
