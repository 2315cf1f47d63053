"""Position auctions: the search against every matching, prices against every bid, revenue against Myerson by hand."""

from itertools import product

import numpy as np
import pytest

from ludus.recipes.equilibria import aigc_position_auctions as auctions
from ludus.recipes.equilibria.aigc_position_auctions import Auction, Prior, Settings


def every_matching(ads, places):
    """Each advertisement anywhere or nowhere, no place twice."""
    for row in product(range(-1, places), repeat=ads):
        used = [place for place in row if place >= 0]
        if len(used) == len(set(used)):
            yield row


def test_all_matchings_are_tried():
    assert {tuple(row) for row in auctions.matchings(3, 4)} == set(every_matching(3, 4))
    assert len(auctions.matchings(6, 6)) == 13_327  # sum of C(6, k)^2 k!, as the docstring says


def test_clicks_and_welfare_by_hand():
    auction = Auction(np.array([[1.0, 3.0], [2.0, 6.0]]), np.array([1.0, 0.5]))
    assert auctions.clicks(auction.weight, np.array([1, 0])).tolist() == [0.5, 1 / 3]  # 3 / (1 + 3 + 2), 2 / 6
    assert auctions.welfare(auction, np.array([1, 0])) == pytest.approx(0.5 + 1 / 6)
    assert auctions.welfare(auction, np.array([1, -1])) == pytest.approx(3 / 4)  # the other would only take clicks away
    assert auctions.by_lambda(auction).tolist() == [1, -1]


@pytest.mark.parametrize("seed", range(5))
def test_the_lambda_search_finds_the_best_matching(seed):
    auction = auctions.draw(4, 0.5, np.random.default_rng(seed))
    best = max(auctions.welfare(auction, np.array(row)) for row in every_matching(4, 4))
    assert auctions.welfare(auction, auctions.by_lambda(auction)) == pytest.approx(best, abs=1e-12)


def test_one_bidder_pays_nothing_and_two_for_one_place_pay_what_they_displace():
    alone = Auction(np.array([[2.0]]), np.array([0.7]))
    assert auctions.utility(alone, 0, 0.7, "exact", 0.0) == pytest.approx(2 / 3 * 0.7)
    rivals = Auction(np.array([[1.0], [1.0]]), np.array([0.8, 0.6]))  # click rate 1/2: the loser would have had 0.3
    others = auctions.welfare_without(rivals, 0, "exact")
    assert others == pytest.approx(0.3) and auctions.utility(rivals, 0, 0.8, "exact", others) == pytest.approx(0.1)
    assert auctions.utility(rivals, 0, 0.5, "exact", others) == pytest.approx(0.0)


def test_truth_is_dominant_in_the_exact_auction_and_not_in_the_greedy_one():
    drawn = [auctions.draw(4, -2.0, np.random.default_rng(seed)) for seed in range(12)]
    assert max(auctions.regret(auction, "exact") for auction in drawn) <= 1e-12
    assert max(auctions.regret(auction, "greedy") for auction in drawn) > 1e-3


def test_virtual_values_by_hand():
    """Chances 1/2, 1/4, 1/4 at 1, 2, 3: 1 - 1 * (1/2)/(1/2) = 0, 2 - (1/4)/(1/4) = 1, 3. The second prior is ironed."""
    assert auctions.virtual_values(Prior(np.array([1.0, 2, 3]), np.array([0.5, 0.25, 0.25]))).tolist() == [0, 1, 3]
    raw = np.array([1 - 1 * 0.6 / 0.4, 2 - 2 * 0.5 / 0.1, 4.0])  # -0.5, -8, 4: the first two are pooled
    pooled = (0.4 * raw[0] + 0.1 * raw[1]) / 0.5
    found = auctions.virtual_values(Prior(np.array([1.0, 2, 4]), np.array([0.4, 0.1, 0.5])))
    assert found == pytest.approx([pooled, pooled, 4.0])


def test_revenue_of_one_place_is_that_of_the_posted_prices_it_amounts_to():
    """Two bidders for one place, values 1 and 2 at even odds: virtual values 0 and 2, so it sells to a 2, for 2."""
    weight = np.array([[1.0], [1.0]])
    prior = Prior(np.array([1.0, 2.0]), np.array([0.5, 0.5]))
    assert auctions.earned(weight, prior, True) == pytest.approx(0.75 * 2 / 2)  # a 2 is there 3 times in 4; clicks 1/2


@pytest.mark.parametrize("seed", range(3))
def test_no_truthful_mechanism_earns_more(seed):
    rng = np.random.default_rng(seed)
    weight, prior = np.exp(rng.normal(1, 1, (2, 2))), auctions.draw_prior(rng)
    assert auctions.revenue_gap(weight, prior, True) == pytest.approx(0, abs=1e-8)
    assert auctions.revenue_gap(weight, prior, False) > -1e-8


def test_the_cascade_is_the_largest_value_clicked():
    """Shown from the top, welfare is E[the largest value among those that would be clicked]; greedy keeps its third."""
    auction = auctions.draw(3, 0.0, np.random.default_rng(1))
    matching = np.array([2, 0, 1])
    click = auction.weight[np.arange(3), matching] / (1 + auction.weight[np.arange(3), matching])
    mean = 0.0
    for would in product((0, 1), repeat=3):
        chance = np.prod(np.where(would, click, 1 - click))
        mean += chance * max((value for value, yes in zip(auction.value, would, strict=True) if yes), default=0.0)
    assert auctions.shown(auction, matching) == pytest.approx(mean)
    ratio = auctions.cascade_ratio(auction, "cascade", np.zeros(9))
    best = max(auctions.shown(auction, np.array(row)) for row in every_matching(3, 3))
    assert 1 / 3 <= ratio <= 1 and auctions.cascade_ratio(auction, "random", np.zeros(9)) == 0.0 < best


def test_settings_are_checked():
    with pytest.raises(ValueError, match="rule"):
        Settings(rule="best")
