"""Sealed-bid auctions by hand, and what Vickrey (1961) says of them."""

from itertools import product

import numpy as np
import pytest
from tests import naive
from tests.games.test_rules import played

from ludus import games
from ludus.solve.best_response import best_response, values
from ludus.tree import grow


def paid(game, worths, bids):
    return naive.payoff_of(game, played(game, *(worth - 1 for worth in worths), *bids))


@pytest.mark.parametrize(
    ("price", "worths", "bids", "payoffs"),
    [
        (1, (5, 3, 4), (3, 1, 2), (2, 0, 0)),
        (2, (5, 3, 4), (3, 1, 2), (3, 0, 0)),
        (1, (1, 5, 2), (0, 2, 4), (0, 0, -2)),
        (2, (1, 5, 2), (0, 2, 4), (0, 0, 0)),
        (1, (5, 2, 4), (3, 0, 3), (1, 0, 0.5)),  # a draw between two
        (2, (5, 2, 4), (3, 0, 3), (1, 0, 0.5)),  # the second highest bid is as high
        (1, (3, 3, 1), (0, 0, 0), (1, 1, 1 / 3)),
        (2, (2, 2, 5), (1, 5, 5), (0, -1.5, 0)),
    ],
)
def test_payoffs_by_hand(price, worths, bids, payoffs):
    assert paid(games.load(f"sealed_bid_auction(players=3, values=5, bids=5, price={price})"), worths, bids) == payoffs


def test_only_the_own_value_is_seen():
    game = games.load("sealed_bid_auction(players=2, values=5, bids=5, price=1)")
    for mover in (0, 1):
        for other, bid in product(range(5), range(6)):
            deal = (2, other) if mover == 0 else (other, 2)
            state = played(game, *deal, *[bid] * mover)
            assert game.kernels.turn(state) == mover
            assert game.tell(np.array(naive.infoset_of(game, state, mover)[1:])) == "value 3"


def bidding(game, bid):
    """{infoset: {action: probability}}: everybody bids bid(value)."""
    policy = {}
    for _, state, mover, moves in naive.histories(game):
        if mover >= 0:
            infoset = naive.infoset_of(game, state, mover)
            policy[infoset] = {move: float(move == bid(infoset[1])) for move in moves}
    return policy


@pytest.mark.parametrize(("players", "top"), [(2, 4), (2, 5), (3, 3)])
def test_truth_is_an_equilibrium_at_the_second_price_and_at_the_first_it_earns_nothing(players, top):
    for price in (1, 2):
        game = games.load(f"sealed_bid_auction(players={players}, values={top}, bids={top}, price={price})")
        truth = bidding(game, lambda value: value)
        earned = naive.best_response_value(game, truth, None)
        if price == 2:
            assert naive.nash_conv(game, truth) == pytest.approx(0) and (earned > 0.1).all()
        else:
            assert naive.nash_conv(game, truth) > 0.1 and earned == pytest.approx(0)


def test_truth_is_weakly_dominant_at_the_second_price():
    """Whatever the others do, no bid does better than the own value."""
    game, rng = games.load("sealed_bid_auction(players=3, values=3, bids=4, price=2)"), np.random.default_rng(3)
    tree = grow(game)
    for _ in range(5):
        table = rng.dirichlet(np.ones(5), size=len(tree.player))
        for player in range(3):
            truthful = table.copy()
            own = tree.player == player
            truthful[own] = np.eye(5)[tree.view[own, 0]]
            best = best_response(tree, table, player)[1]
            assert values(tree, truthful)[player] == pytest.approx(best)
            assert values(tree, table)[player] < best - 0.1


@pytest.mark.parametrize("top", [3, 5])
def test_two_bidders_shade_to_half_at_the_first_price(top):
    """With an odd number of values. A bid of b >= 1 up to half the top wins against it with 2 b / top: the gain
    (value - b) b is largest next to value / 2."""
    game = games.load(f"sealed_bid_auction(players=2, values={top}, bids={top}, price=1)")
    assert naive.nash_conv(game, bidding(game, lambda value: value // 2)) == pytest.approx(0)
    assert naive.nash_conv(game, bidding(game, lambda value: 0)) > 0.1


def revenue(game, top, bid):
    """What the seller expects: the buyer's value less what all are paid."""
    total = 0.0
    for worths in product(range(1, top + 1), repeat=2):
        bids = [bid(value) for value in worths]
        buyers = [value for value, made in zip(worths, bids, strict=True) if made == max(bids)]
        total += sum(buyers) / len(buyers) - sum(paid(game, worths, bids))
    return total / top**2


def test_both_prices_bring_the_seller_about_the_same():
    """Vickrey's revenue equivalence, in the limit of many values; the second price brings the mean lower value."""
    top, bids = 41, {1: lambda value: value // 2, 2: lambda value: value}
    first, second = (
        revenue(games.load(f"sealed_bid_auction(players=2, values={top}, bids={top}, price={price})"), top, bids[price])
        for price in (1, 2)
    )
    assert second == pytest.approx((top + 1) * (2 * top + 1) / (6 * top))
    assert first == pytest.approx(second, rel=0.05)


@pytest.mark.parametrize(
    ("players", "top", "gain", "earned"),
    [(2, 5, 0.5827777777777783, 0.9312777777777779), (3, 3, 0.49639917695473235, 0.4449588477366254)],
)
def test_bids_below_the_value_as_in_open_spiel(players, top, gain, earned):
    """OpenSpiel 2.0.2, first_sealed_auction, uniform play: there nobody may bid its value or more, nor gains by it."""
    game = games.load(f"sealed_bid_auction(players={players}, values={top}, bids={top}, price=1)")
    policy = bidding(game, lambda value: value)
    for infoset, odds in policy.items():
        policy[infoset] = {move: (move < infoset[1]) / infoset[1] for move in odds}
    assert naive.best_response_value(game, policy, None) == pytest.approx([earned] * players)
    assert naive.nash_conv(game, policy) == pytest.approx(gain)


@pytest.mark.parametrize(
    ("numbers", "what"),
    [
        ("players=1", "players has to be 2 to 10, not 1"),
        ("values=1", "values has to be 2"),
        ("bids=0", "bids has to be 1"),
        ("price=3", "price has to be 1 to 2, not 3"),
    ],
)
def test_impossible_numbers_are_refused(numbers, what):
    with pytest.raises(ValueError, match=f"sealed_bid_auction: {what}.*write for example sealed_bid_auction"):
        games.load(f"sealed_bid_auction({numbers})")
