"""The 144 games against what is published of them: how many, where each stands, what each is called."""

from collections import Counter
from itertools import permutations, product

import numpy as np
import pytest

from ludus import games
from ludus.games.ordinal import all_games, form, name_of
from ludus.normal_form import regret

NUMBERS = list(product(range(1, 5), range(1, 7), range(1, 7)))
# What the row player ranks in the upper and the lower row, from the matrices of Bruns (2015): with these twelve he
# names all games. In a symmetric game the column player ranks the same, seen from the column player's side.
BRUNS = {
    "Prisoner's Dilemma": (1, 3, 2, 4), "Chicken": (2, 3, 1, 4), "Battle": (3, 2, 1, 4),
    "Hero": (3, 1, 2, 4), "Compromise": (2, 1, 3, 4), "Deadlock": (1, 2, 3, 4),
    "Concord": (2, 4, 1, 3), "Stag Hunt": (1, 4, 2, 3), "Assurance": (1, 4, 3, 2),
    "Coordination": (2, 4, 3, 1), "Peace": (3, 4, 2, 1), "Harmony": (3, 4, 1, 2),
}  # fmt: skip


def key(own, other):
    """A game as the least of the four ways to write it: rows and columns interchanged or not."""
    ways = [(own[rows, columns], other[rows, columns]) for rows in ORDERS for columns in ORDERS]
    return min((*map(int, one.ravel()), *map(int, two.ravel())) for one, two in ways)


ORDERS = (slice(None), slice(None, None, -1))


def all_pairs():
    """24 x 24 pairs of rankings."""
    for one, two in product(permutations(range(1, 5)), repeat=2):
        yield np.array(one).reshape(2, 2), np.array(two).reshape(2, 2)


def key_of(number):
    payoff = form(*number).payoff
    return key(payoff[..., 0], payoff[..., 1])


KEYS = {number: key_of(number) for number in NUMBERS}


def swapped(number, player, low):
    """The key of the game where one player's ranks `low` and `low` + 1 are interchanged."""
    both = [form(*number).payoff[..., seat].copy() for seat in range(2)]
    both[player] = np.select([both[player] == low, both[player] == low + 1], [low + 1, low], both[player])
    return key(*both)


def pure_equilibria(payoff):
    return [
        (i, j)
        for i, j in product(range(2), repeat=2)
        if payoff[i, j, 0] > payoff[1 - i, j, 0] and payoff[i, j, 1] > payoff[i, 1 - j, 1]
    ]


def test_576_pairs_of_rankings_are_these_144_games():
    assert len(set(KEYS.values())) == 144
    assert Counter(key(*pair) for pair in all_pairs()) == dict.fromkeys(KEYS.values(), 4)


def test_144_games_are_78_where_the_players_may_change_seats():
    """Rapoport and Guyer (1966), "A taxonomy of 2x2 games"; 12 are symmetric."""
    other = {key(*(form(*number).payoff[..., seat].T for seat in (1, 0))): KEYS[number] for number in NUMBERS}
    assert len({frozenset(pair) for pair in other.items()}) == 78
    assert {number for number in NUMBERS if other[KEYS[number]] == KEYS[number]} == {
        (layer, place, place) for layer in (1, 3) for place in range(1, 7)
    }


def test_neighbours_on_a_layer_are_one_swap_apart():
    """Robinson and Goforth (2005), chapter 3: the row player's swaps of 1, 2 and 2, 3 lead to the rows beside."""
    for layer, row, column in NUMBERS:
        up, down = (layer, (row - 2) % 6 + 1, column), (layer, row % 6 + 1, column)
        left, right = (layer, row, (column - 2) % 6 + 1), (layer, row, column % 6 + 1)
        assert {KEYS[up], KEYS[down]} == {swapped((layer, row, column), 0, low) for low in (1, 2)}
        assert {KEYS[left], KEYS[right]} == {swapped((layer, row, column), 1, low) for low in (1, 2)}
    assert KEYS[1, 2, 1] == swapped((1, 1, 1), 0, 1) and KEYS[1, 1, 2] == swapped((1, 1, 1), 1, 1)


def test_layers_tell_where_the_best_outcomes_lie():
    """Layer 1: diagonally apart, 2: in one row, 3: in one cell, 4: in one column."""
    same = {1: [False, False], 2: [True, False], 3: [True, True], 4: [False, True]}  # row and column
    for number in NUMBERS:
        payoff = form(*number).payoff
        own, other = (np.argwhere(payoff[..., seat] == 4)[0] for seat in range(2))
        assert (own == other).tolist() == same[number[0]]
        assert own[1] == 1 and other[0] == 0  # the row player's right, the column player's up


PUBLISHED = {
    111: "Prisoner's Dilemma", 122: "Chicken", 133: "Battle", 144: "Hero", 155: "Compromise", 166: "Deadlock",
    311: "Concord", 322: "Stag Hunt", 333: "Assurance", 344: "Coordination", 355: "Peace", 366: "Harmony",
    221: "Stag Hunt x Prisoner's Dilemma", 231: "Assurance x Prisoner's Dilemma",
    412: "Prisoner's Dilemma x Stag Hunt",
}  # fmt: skip


@pytest.mark.parametrize("number", PUBLISHED)
def test_published_places(number):
    assert name_of(*map(int, str(number))) == PUBLISHED[number]


def test_names_say_what_both_players_rank():
    assert len({name_of(*number) for number in NUMBERS}) == 144
    for number in NUMBERS:
        own, _, other = name_of(*number).partition(" x ")
        payoff = form(*number).payoff
        assert payoff[..., 0].ravel().tolist() == list(BRUNS[own])
        a, b, c, d = BRUNS[other or own]
        assert payoff[..., 1].tolist() == [[d, b], [c, a]]


def test_pure_equilibria_are_counted_as_published():
    """Robinson and Goforth (2005): 18 games have none, 108 one, 18 two."""
    counts = Counter(len(pure_equilibria(each.payoff)) for each in all_games())
    assert counts == {0: 18, 1: 108, 2: 18}
    for each in all_games():
        for place in pure_equilibria(each.payoff):
            assert regret(each, tuple(np.eye(2)[list(place)])) == 0.0


def test_seven_games_share_the_dilemma():
    """Robinson and Goforth (2004), "Alibi games": in seven of the 144, one of them symmetric, an outcome that is no
    equilibrium would be better for both than an equilibrium."""
    found = set()
    for number in NUMBERS:
        payoff = form(*number).payoff
        stable = pure_equilibria(payoff)
        others = [place for place in product(range(2), repeat=2) if place not in stable]
        if any((payoff[better] > payoff[worse]).all() for worse in stable for better in others):
            found.add(number)
    assert found == {(1, 1, 1), (2, 2, 1), (2, 3, 1), (2, 4, 1), (4, 1, 2), (4, 1, 3), (4, 1, 4)}


def test_a_game_is_loaded_by_number():
    assert games.load("ordinal").name == "ordinal(layer=1, row=1, column=1)"
    game = games.load("ordinal(layer=3, row=2, column=2)")
    assert "number 322" in game.source and game.words == ("up", "down", "left", "right")
    with pytest.raises(ValueError, match="ordinal: layers are numbered 1 to 4"):
        games.load("ordinal(layer=5)")
