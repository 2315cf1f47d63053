"""Bidding: the plan against every policy of a tiny market, clicks against simulation, and what the network carries."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch

from ludus.recipes.equilibria import rtb_rl as bidding
from ludus.recipes.equilibria.rtb_rl import ARMS, Market, Settings

TINY = Market(np.array([0.0, 0.6, 0.4]), np.array([0.1, 0.3]))
NOTHING = np.zeros((3, 4))


def slow(t, b, bid):
    """Expected clicks with t auctions and b left, when `bid(t, b, theta)` says what to bid: summed out."""
    if t == 0:
        return 0.0
    total = 0.0
    for (p, chance), theta in product(enumerate(TINY.price), TINY.rate):
        won = 0 < p <= min(bid(t, b, theta), b)
        total += chance / 2 * ((theta + slow(t - 1, b - p, bid)) if won else slow(t - 1, b, bid))
    return total


def test_the_plan_is_the_best_of_all_bidding_functions():
    """Two auctions, budget 2: bids 0, 1 or 2 for each of (t, b, theta) that can be met."""
    met = [(2, 2, 0.1), (2, 2, 0.3), *((1, b, theta) for b in (1, 2) for theta in (0.1, 0.3))]
    best = 0.0
    for bids in product(range(3), repeat=len(met)):
        chosen = dict(zip(met, bids, strict=True))
        best = max(best, slow(2, 2, lambda *seen, chosen=chosen: chosen.get(seen, 0)))
    value = bidding.plan(np.tile(TINY.price, (2, 1)), TINY.rate, 2)
    assert value[2, 2] == pytest.approx(best) and (value[0] == 0).all()
    assert value[1, 2] == pytest.approx(0.2) and value[1, 1] == pytest.approx(0.6 * 0.2)  # one auction: buy if you can


@pytest.mark.parametrize("slope", [0.0, 5.0, 100.0])
def test_clicks_of_a_rule_summed_out(slope):
    prices = np.tile(TINY.price, (3, 1))
    table = bidding.plan(prices, TINY.rate, 3)[:-1] if slope == 0 else NOTHING

    def bid(t, b, theta):
        if slope > 0:
            return int(slope * theta)
        return max((p for p in range(min(b, 2) + 1) if theta + table[t - 1, b - p] >= table[t - 1, b]), default=0)

    won = bidding.clicks(prices, TINY.rate, table, slope)
    assert won[3, 3] == pytest.approx(slow(3, 3, bid))


def test_the_optimum_gets_all_of_itself_and_no_rule_more():
    market = bidding.draw(10, np.random.default_rng(0))
    prices = np.tile(market.price, (30, 1))
    best = bidding.plan(prices, market.rate, 40)
    settings = Settings(auctions=30, prices=10, smaller=5, steps=20)
    for rule in bidding.RULES:
        generator = torch.Generator().manual_seed(0)
        table, slope = bidding.rule_of(replace(settings, rule=rule), market, 40, generator)
        won = bidding.clicks(prices, market.rate, table, slope)[-1, 40]
        assert won == pytest.approx(best[-1, 40]) if rule == "optimal" else won <= best[-1, 40] + 1e-12
        assert table.shape == (30, 41)


def test_prices_that_rise_keep_their_chances():
    risen = bidding.dearer(np.array([0.0, 0.25, 0.25, 0.0, 0.25, 0.25]))
    assert risen.tolist() == [0.0, 0.25, 0.25, 0.0, 0.0, 0.5]  # 1, 2 (2.5 rounds to even), 5, and 6.25 cut at 5


def test_a_network_that_knew_the_differences_would_carry_the_values():
    """In the place of the network, the very differences of its table: within it the carried values are the plan's."""
    market = bidding.draw(6, np.random.default_rng(1))
    value = bidding.plan(np.tile(market.price, (10, 1)), market.rate, 12)
    more = torch.tensor(np.diff(value[1:], axis=1))

    def known(seen):
        t, b = (seen * torch.tensor([10.0, 12.0])).round().long().T
        return more[t - 1, b][:, None]

    assert bidding.carry(known, 1.0, 10, 12, 11, 12)[1:] == pytest.approx(value[1:], abs=1e-12)


def test_learning_lowers_the_error_and_repeats():
    market = bidding.draw(10, np.random.default_rng(2))
    settings = replace(ARMS["network"], auctions=60, prices=10, smaller=4)
    errors = []
    for steps in (1, 300):
        tables = [
            bidding.rule_of(replace(settings, steps=steps), market, 60, torch.Generator().manual_seed(3))[0]
            for _ in range(2)
        ]
        assert np.array_equal(*tables)
        errors.append(np.abs(tables[0][15] - bidding.plan(np.tile(market.price, (15, 1)), market.rate, 60)[15]).mean())
    assert errors[1] < errors[0] / 2


def test_settings_are_checked():
    with pytest.raises(ValueError, match="rule"):
        Settings(rule="best")
