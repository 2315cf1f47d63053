"""A sealed-bid auction: each player knows what the good is worth to itself, all bid once, the highest bid buys.

Vickrey (1961), "Counterspeculation, auctions, and competitive sealed tenders". Where the winner pays the second highest
bid, bidding one's own value is weakly dominant. Where it pays its own bid, bidders shade: among P players, in the limit
of many values, to (P - 1) / P of the value; with two players and an odd number of values, to half of it, rounded down.

State    int64[5 + 2 P] for P players: players, values, highest bid, price, events so far, then the events: the value of
         each player, then the bid of each.
Actions  the bid. At a deal: the value less 1.
View     int64[2]: own value, own bid, -1 where it has not come.
"""

import numpy as np
from numba import njit

from ludus.game import CHANCE, OVER, Game, Kernels

PLAYERS, VALUES, BIDS, PRICE, COUNT, LINE = 0, 1, 2, 3, 4, 5  # where each part of the state begins
NONE = -1


@njit(cache=True)
def turn(state):
    if state[COUNT] < state[PLAYERS]:
        return CHANCE
    return state[COUNT] - state[PLAYERS] if state[COUNT] < 2 * state[PLAYERS] else OVER


@njit(cache=True)
def options(state, weights):
    """At a deal, every value alike; afterwards, 1 for each bid."""
    deals = state[COUNT] < state[PLAYERS]
    for move in range(len(weights)):
        if deals:
            weights[move] = 1 / state[VALUES] if move < state[VALUES] else 0.0
        else:
            weights[move] = move <= state[BIDS]


@njit(cache=True)
def apply(state, action):
    state[LINE + state[COUNT]] = action + (state[COUNT] < state[PLAYERS])
    state[COUNT] += 1


@njit(cache=True)
def payoff(state, out):
    """The value less the price; of equal highest bids one is drawn, and each is paid what it then expects."""
    players = state[PLAYERS]
    first, second, ties = NONE, NONE, 0
    for player in range(players):
        bid = state[LINE + players + player]
        if bid > first:
            first, second, ties = bid, first, 1
        elif bid == first:
            second, ties = bid, ties + 1
        elif bid > second:
            second = bid
    price = first if state[PRICE] == 1 else second
    for player in range(players):
        buys = state[LINE + players + player] == first
        out[player] = (state[LINE + player] - price) / ties if buys else 0.0


@njit(cache=True)
def view(state, player, out):
    out[0], out[1] = state[LINE + player], state[LINE + state[PLAYERS] + player]


def tell(view):
    """'value 3': the good is worth three to you; once you have bid two, 'value 3 bid 2'."""
    return " ".join(f"{name} {number}" for name, number in zip(("value", "bid"), view, strict=True) if number != NONE)


def variant(players: int = 2, values: int = 5, bids: int = 5, price: int = 1) -> Game:
    """A sealed-bid auction: values 1 to `values`, bids 0 to `bids`; the price is the first or second highest bid."""
    for name, number, low, high in (
        ("players", players, 2, 10), ("values", values, 2, 100), ("bids", bids, 1, 100), ("price", price, 1, 2)
    ):  # fmt: skip
        if not low <= number <= high:
            raise ValueError(
                f"sealed_bid_auction: {name} has to be {low} to {high}, not {number}; write for example "
                "sealed_bid_auction(players=2, values=5, bids=5, price=2)"
            )
    return Game(
        name=f"sealed_bid_auction(players={players}, values={values}, bids={bids}, price={price})",
        source="Vickrey (1961), Counterspeculation, auctions, and competitive sealed tenders",
        rules=f"A good is sold to one of {players} players. To each it is worth 1 to {values}, drawn by chance, every "
        f"value alike, and not shown to the others. Each bids 0 to {bids}, without seeing the other bids. The highest "
        f"bid buys and pays {'what it bid' if price == 1 else 'the second highest bid'}: the buyer wins its value less "
        "that, the others nothing. Of equal highest bids one is drawn; what is paid out is what each then expects.",
        words=tuple(str(bid) for bid in range(bids + 1)),
        players=players,
        view_size=2,
        outcomes=values,
        start=np.array([players, values, bids, price, 0, *[NONE] * (2 * players)]),
        kernels=Kernels(turn, options, apply, payoff, view),
        tell=tell,
        constant_sum=None,
    )


SEALED_BID_AUCTION = variant()
