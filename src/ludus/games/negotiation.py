"""Negotiation: two players barter wood for gold, each knowing only what the goods are worth to itself.

After SimpleNegotiation of TextArena (Guertler et al. 2025), the third game on which SPIRAL (Liu et al. 2025) trains:
two resources, private values, offers in turn that are accepted, denied or countered, and the winner is the one who
gained more in its own values. What differs here, and why:

- The values are drawn by chance, wood 1 to 4 and gold 5 less that, and are truly private. There they are always 5 and
  15 against 15 and 5, so that who has played once knows the other's.
- Who faces no offer must make one, and after every offer a bell rings with probability `bell` / 100: the market
  closes and the standing offer is carried out. There silence is free and an unanswered offer lapses. But what one
  player wins the other loses, so that refusing everything is optimal there: no learner could be exploited for never
  trading. Here an offer is a risk and a refusal a choice. Without the bell the game is worth -1/8 to the first
  player with two turns as with five: only its forced first offer matters. With the bell every turn does, and players
  who value one good highly sometimes bluff.
- The offers are four, and nobody asks for more than it gives: asking for twice as much of the good that one values
  more would always win. There quantities and talk are free.
- The first trade ends the game; there trade goes on until the tenth turn. Stocks suffice for every offer.
- A move is one of the words. There moves are read out of free text, and a malformed one forfeits: that is the business
  of who lets a language model play.

State    int64[10 + turns]: number of turns, bell in percent, wood's value to player 0, to player 1 (gold's is 5 less
         that), turn, whether the bell is to be drawn, turns taken, standing offer, offer carried out, who made it,
         then the actions.
Actions  0 accept, 1 deny, then four offers, in the order of WORDS: "1w>1g" gives 1 wood for 1 gold. At a deal: the
         value of wood less 1; at the bell: 0 the market stays open, 1 it closes.
View     int64[2 + turns]: what wood and gold are worth to the player, then the actions.
"""

import numpy as np
from numba import njit

from ludus.game import CHANCE, OVER, Game, Kernels

ACCEPT, DENY, NONE = 0, 1, -1
TURNS, BELL, WOOD, TURN, RINGS, COUNT, OFFER, TRADE, TRADER, LINE = 0, 1, 2, 4, 5, 6, 7, 8, 9, 10
WORTH = 5  # wood and gold together
WORDS = ("accept", "deny", "1w>1g", "1g>1w", "2w>1g", "2g>1w")


@njit(cache=True)
def turn(state):
    return state[TURN]


@njit(cache=True)
def options(state, weights):
    """At a deal or the bell, the probability of each outcome; afterwards, 1 for each legal action."""
    weights[:] = 0.0
    if state[TURN] != CHANCE:
        weights[2:6] = 1.0
        weights[ACCEPT] = weights[DENY] = state[OFFER] != NONE
    elif state[RINGS]:
        weights[1] = state[BELL] / 100
        weights[0] = 1 - weights[1]
    else:
        weights[: WORTH - 1] = 1 / (WORTH - 1)


@njit(cache=True)
def apply(state, action):
    mover = state[TURN]
    if mover != CHANCE:
        state[LINE + state[COUNT]] = action
        state[COUNT] += 1
        if action == ACCEPT:
            state[TRADE], state[TRADER], state[TURN] = state[OFFER], 1 - mover, OVER
            return
        state[OFFER] = NONE if action == DENY else action
        if action != DENY and state[BELL] > 0:
            state[RINGS], state[TURN] = 1, CHANCE
            return
    elif state[RINGS]:
        state[RINGS] = 0
        if action == 1:
            state[TRADE], state[TRADER], state[TURN] = state[OFFER], (state[COUNT] - 1) % 2, OVER
            return
    elif state[WOOD] == NONE:
        state[WOOD] = action + 1
        return
    else:
        state[WOOD + 1] = action + 1
    state[TURN] = state[COUNT] % 2 if state[COUNT] < state[TURNS] else OVER


@njit(cache=True)
def payoff(state, out):
    """One for the player who gained more in its own values, none for both where they gained alike or did not trade."""
    out[:] = 0.0
    if state[TRADE] == NONE:
        return
    trader, kind = state[TRADER], state[TRADE] - DENY - 1
    give, wood_for_gold = 1 + kind // 2, kind % 2 == 0
    lead = 0
    for player in range(2):
        wood = state[WOOD + player]
        gold = WORTH - wood
        gain = gold - give * wood if wood_for_gold else wood - give * gold  # by the trader's side of the trade
        lead += gain  # the other has the other side: its gain is -gain, and it counts against the trader
    out[trader] = np.sign(lead)
    out[1 - trader] = -out[trader]


@njit(cache=True)
def view(state, player, out):
    out[0], out[1] = state[WOOD + player], WORTH - state[WOOD + player]
    out[2:] = state[LINE:]


def tell(view):
    """'wood 1 gold 4 1w>1g deny': wood is worth 1 to you, gold 4; player 0 offered 1 wood for 1 gold, denied."""
    wood, gold, *line = view
    return " ".join(["wood", str(wood), "gold", str(gold), *(WORDS[action] for action in line if action != NONE)])


def variant(turns: int = 4, bell: int = 15) -> Game:
    """Negotiation over so many turns, the market closing after an offer with a probability of `bell` percent."""
    if not 1 <= turns <= 60:
        raise ValueError(
            f"negotiation: turns has to be 1 to 60, not {turns}; write for example negotiation(turns=4, bell=15)"
        )
    if not 0 <= bell <= 100:
        raise ValueError(
            f"negotiation: bell is in percent, 0 to 100, not {bell}; write for example negotiation(turns=4, bell=15)"
        )
    return Game(
        name=f"negotiation(turns={turns}, bell={bell})",
        source="Liu et al. (2025), SPIRAL, after SimpleNegotiation of Guertler et al. (2025), TextArena",
        rules="Two players barter wood for gold. To each, a piece of wood is worth 1 to 4, drawn by chance and not "
        "shown to the other; gold is worth 5 less that. In turn they accept the standing offer, deny it, or make an "
        "offer of their own: 2w>1g gives 2 wood for 1 gold. Who faces no offer must make one. After an offer the "
        f"market closes with a probability of {bell}%, and the offer is then carried out. The first trade ends the "
        "game: who gained more in its own values wins. A draw where they gained alike, or after the last turn, turn "
        f"{turns}, without a trade.",
        words=WORDS,
        players=2,
        view_size=2 + turns,
        outcomes=WORTH - 1,
        start=np.array([turns, bell, NONE, NONE, CHANCE, 0, 0, NONE, NONE, NONE, *[NONE] * turns]),
        kernels=Kernels(turn, options, apply, payoff, view),
        tell=tell,
    )


NEGOTIATION = variant()
