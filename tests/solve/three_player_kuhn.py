"""Kuhn poker for three: four cards, one bet, two to answer it. Abou Risk and Szafron (2010). A game for tests only.

State    int64[9]: three cards, plies played, then the actions (at most five).
Actions  0 pass, 1 bet (or call). At the deal: the card, 0 to 3.
View     int64[7]: own card, plies, actions.
"""

import numpy as np
from numba import njit

from ludus.game import CHANCE, OVER, Game, Kernels


@njit(cache=True)
def turn(state):
    if state[2] < 0:
        return CHANCE
    first_bet = 3
    for ply in range(state[3] - 1, -1, -1):
        if state[4 + ply] == 1:
            first_bet = ply
    last = 3 if first_bet == 3 else first_bet + 3
    return OVER if state[3] == last else state[3] % 3


@njit(cache=True)
def options(state, weights):
    weights[:] = 0.0
    if state[2] >= 0:
        weights[:2] = 1.0
        return
    dealt = 0
    while state[dealt] >= 0:
        dealt += 1
    for card in range(4):
        if card != state[0] and card != state[1]:
            weights[card] = 1 / (4 - dealt)


@njit(cache=True)
def apply(state, action):
    if state[2] < 0:
        dealt = 0
        while state[dealt] >= 0:
            dealt += 1
        state[dealt] = action
    else:
        state[4 + state[3]] = action
        state[3] += 1


@njit(cache=True)
def payoff(state, out):
    bets = 0
    for player in range(3):
        out[player] = -1.0
    for ply in range(state[3]):
        if state[4 + ply] == 1:
            out[ply % 3] = -2.0
            bets += 1
    winner, pot = -1, 0.0
    for player in range(3):
        pot -= out[player]
        in_play = bets == 0 or out[player] == -2.0
        if in_play and (winner < 0 or state[player] > state[winner]):
            winner = player
    out[winner] += pot


@njit(cache=True)
def view(state, player, out):
    out[0], out[1] = state[player], state[3]
    out[2:] = state[4:]


THREE_PLAYER_KUHN = Game(
    name="three_player_kuhn",
    source="Abou Risk and Szafron (2010), Using counterfactual regret minimization ... multiplayer poker agents",
    rules="Three players ante one chip and get one of four cards. Pass or bet one; then the other two fold or call.",
    words=("pass", "bet"),
    players=3,
    view_size=7,
    outcomes=4,
    start=np.array([-1, -1, -1, 0, -1, -1, -1, -1, -1]),
    kernels=Kernels(turn, options, apply, payoff, view),
    tell=lambda view: f"{'TJQK'[view[0]]} {' '.join(('pass', 'bet')[number] for number in view[2 : 2 + view[1]])}",
)
