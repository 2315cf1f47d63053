"""Colonel Blotto against counting soldiers on every field, and the optimal strategies of Hart (2008)."""

from itertools import product
from math import comb

import numpy as np
import pytest
from tests import naive
from tests.games.test_rules import played

from ludus import games


@pytest.mark.parametrize(("soldiers", "fields"), [(5, 3), (3, 4), (10, 3), (4, 2)])
def test_actions_are_all_ways_to_place_the_soldiers_in_order(soldiers, fields):
    game = games.load(f"blotto(soldiers={soldiers}, fields={fields})")
    ways = [place for place in product(range(soldiers + 1), repeat=fields) if sum(place) == soldiers]
    assert game.words == tuple("-".join(map(str, place)) for place in ways)
    assert len(ways) == comb(soldiers + fields - 1, fields - 1)


@pytest.mark.parametrize("majority", [0, 1])
@pytest.mark.parametrize(("soldiers", "fields"), [(5, 3), (3, 4)])
def test_every_pair_of_choices_pays_as_the_fields_say(soldiers, fields, majority):
    game = games.load(f"blotto(soldiers={soldiers}, fields={fields}, majority={majority})")
    placed = [np.array(word.split("-"), int) for word in game.words]
    for first, second in product(range(len(placed)), repeat=2):
        lead = (placed[first] > placed[second]).sum() - (placed[first] < placed[second]).sum()
        paid = np.sign(lead) if majority else lead
        assert naive.payoff_of(game, played(game, first, second)) == (paid, -paid)


def test_a_choice_is_not_seen_by_the_other():
    game = games.load("blotto")
    assert game.tell(np.array(naive.infoset_of(game, played(game, 3), 1)[1:])) == "5 soldiers 3 fields"
    assert game.tell(np.array(naive.infoset_of(game, played(game, 3), 0)[1:])) == "5 soldiers 3 fields 0-3-2"


def both(game, choices):
    """The policy of both players that makes each of these choices alike often."""
    odds = {move: choices.count(word) / len(choices) for move, word in enumerate(game.words)}
    return {naive.infoset_of(game, played(game, *[0] * mover), mover): odds for mover in (0, 1)}


def test_uniform_soldiers_on_every_field_are_optimal():
    """Six soldiers, three fields: each field gets 0 to 4, each equally often, so that y soldiers gain (2 y - 4) / 5."""
    game = games.load("blotto(soldiers=6, fields=3, majority=0)")
    assert naive.nash_conv(game, both(game, ["0-4-2", "1-2-3", "2-0-4", "3-3-0", "4-1-1"])) == pytest.approx(0)
    assert naive.nash_conv(game, both(game, ["2-2-2"])) == pytest.approx(2)  # 3-3-0 takes two fields for one, each way


@pytest.mark.parametrize(
    ("numbers", "what"),
    [("soldiers=0", "soldiers=0"), ("fields=1", "fields=1"), ("soldiers=50, fields=4", "at most 1,000 ways"),
     ("majority=2", "majority has to be 0 or 1, not 2")],
)  # fmt: skip
def test_impossible_numbers_are_refused(numbers, what):
    with pytest.raises(ValueError, match=f"blotto: .*{what}.*write for example blotto"):
        games.load(f"blotto({numbers})")
