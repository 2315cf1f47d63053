"""Kuhn poker: a card each, one chip to bet, and bluffing is already optimal.

Kuhn (1950), "A simplified two-person poker". Worth -1/18 chip to the first player. More players: Szafron, Gibson,
Sturtevant (2013), "A parameterized family of equilibrium profiles for three-player Kuhn poker"; one card more than
players, and still one chip to bet.

State    int64[3 P] for P players: their cards, the clock (less than zero: cards to deal; else plies played), then the
         actions.
Actions  0 pass (check or fold), 1 bet (bet or call). At the deal: the card, 0 to P.
View     int64[2 P + 1]: own card, then everything after the cards, which is public.
"""

import numpy as np
from numba import njit

from ludus.game import CHANCE, OVER, Game, Kernels

PASS, BET, UNSEEN = 0, 1, -1
RANKS = "3456789TJQK"  # of the largest variant; a smaller one leaves out the low ones


@njit(cache=True)
def turn(state):
    """In turn, until all have passed, or all others have answered the first bet."""
    players = len(state) // 3
    clock = state[players]
    if clock < 0:
        return CHANCE
    if clock < players:
        return clock
    first = 0  # to bet; all of them once round where nobody did
    while first < players and state[players + 1 + first] != BET:
        first += 1
    return clock - players if clock - players < first % players else OVER


@njit(cache=True)
def options(state, weights):
    """At the deal, the probability of each card left; afterwards, 1 for each legal action."""
    players = len(state) // 3
    left = -state[players]
    share = 1 / (1 + max(left, 0))
    for card in range(players + 1):  # loops without an early return: compiled, a tenth of the time
        weights[card] = share if left > 0 else card <= BET
    for player in range(players - left if left > 0 else 0):
        weights[state[player]] = 0.0


@njit(cache=True)
def apply(state, action):
    players = len(state) // 3
    clock = state[players]
    state[players + clock + (clock >= 0)] = action
    state[players] = clock + 1


@njit(cache=True)
def payoff(state, out):
    """The pot goes to the highest card among those who bet, or among all where nobody did."""
    players = len(state) // 3
    pot, best, winner = 0, -1, 0
    for player in range(players):
        last = player + players * (player + players < state[players])  # the ply at which the player moved last
        bet = state[players + 1 + last]
        strength = state[player] + (players + 1) * bet
        if strength > best:
            best, winner = strength, player
        pot += 1 + bet
        out[player] = -1.0 - bet
    out[winner] += pot


@njit(cache=True)
def view(state, player, out):
    players = len(state) // 3
    out[0] = state[player]
    for place in range(2 * players):  # compiled, copying a slice takes several times as long
        out[1 + place] = state[players + place]


def tell(view):
    """'J pass bet': you hold the jack, after a pass and a bet."""
    card, plies, *line = view
    players = len(view) // 2
    return " ".join([RANKS[card - players - 1], *(("pass", "bet")[action] for action in line[:plies])])


def variant(players: int = 2) -> Game:
    """Kuhn poker for so many players, at most 10."""
    if not 2 <= players <= 10:
        raise ValueError(
            f"kuhn_poker: players has to be 2 to 10, not {players}; write for example kuhn_poker(players=3)"
        )
    if players == 2:
        return KUHN_POKER
    return KUHN_POKER._replace(
        name=f"kuhn_poker(players={players})",
        source="Szafron, Gibson, Sturtevant (2013), A parameterized family of equilibrium profiles for three-player "
        "Kuhn poker",
        rules=f"All {players} players ante one chip and are dealt one of {players + 1} cards: "
        f"{', '.join(RANKS[-players - 1 : -1])} or K, K the highest. In turn they pass or bet one chip. Once a player "
        "has bet, each of the others has one more turn: pass is a fold and bet is a call. The highest card among those "
        "who bet takes the pot; among all where nobody bet.",
        players=players,
        view_size=2 * players + 1,
        outcomes=players + 1,
        start=np.array([*[UNSEEN] * players, -players, *[UNSEEN] * (2 * players - 1)]),
    )


KUHN_POKER = Game(
    name="kuhn_poker",
    source="Kuhn (1950), A simplified two-person poker",
    rules="Both players ante one chip and are dealt one of three cards: J, Q or K, K the highest. In turn they pass or "
    "bet one chip. Facing a bet, pass is a fold and bet is a call. Nobody folds: the higher card takes the pot.",
    words=("pass", "bet"),
    players=2,
    view_size=5,
    outcomes=3,
    start=np.array([UNSEEN, UNSEEN, -2, UNSEEN, UNSEEN, UNSEEN]),
    kernels=Kernels(turn, options, apply, payoff, view),
    tell=tell,
)
