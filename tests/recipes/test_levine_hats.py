"""Levine's hats: values by playing every pair of stacks, best answers by trying every one, small games exhaustively."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from ludus.recipes.equilibria import levine_hats as hats
from ludus.recipes.equilibria.levine_hats import Settings

HALF = Fraction(1, 2)


def number(stack):
    """Bit k is hat k."""
    return sum(hat << place for place, hat in enumerate(stack))


def played(one, other, size, value, black=HALF):
    """What a pair of tables wins, stack by stack, if deferring twice is worth `value`."""
    total = Fraction(0)
    for x, y in product(product((0, 1), repeat=size), repeat=2):
        likely = Fraction(1)
        for hat in (*x, *y):
            likely *= black if hat else 1 - black
        mine, yours = (
            table[sum(hat << place for place, hat in enumerate(seen))] for table, seen in ((one, y), (other, x))
        )
        if mine == yours == size:
            total += likely * value
        else:
            total += likely * (x[mine] if mine < size else black) * (y[yours] if yours < size else black)
    return total


@pytest.mark.parametrize("black", [5, 6])
def test_the_value_is_the_fixed_point_of_play(black):
    rng = np.random.default_rng(1)
    for _ in range(10):
        one, other = rng.integers(4, size=(2, 8))
        value = hats.value_of(one, other, 3, black)
        assert played(one, other, 3, value, Fraction(black, 10)) == value


def test_values_by_hand():
    """Blocks of 1: act where the teammate's hat is black. v = 1/4 + v/4, a third. Always naming hat 1 wins 1/4."""
    act_on_black = np.array([1, 0])
    assert hats.value_of(act_on_black, act_on_black, 1) == Fraction(1, 3)
    assert hats.value_of(np.zeros(8, int), np.zeros(8, int), 3) == Fraction(1, 4)
    assert hats.value_of(np.array([1, 1]), np.array([1, 1]), 1) == 0  # nobody ever acts
    assert hats.value_of(np.array([0, 0]), np.array([1, 1]), 1) == Fraction(1, 4)  # one acts, the other wins by a coin


def test_an_answer_cannot_be_bettered():
    rng = np.random.default_rng(2)
    for _ in range(5):
        one, other = rng.integers(3, size=(2, 4))
        value = hats.value_of(one, other, 2)
        hats.answer(one, other, 2, True, 5, value.numerator, value.denominator)
        best = max(played(table, other, 2, value) for table in product(range(3), repeat=4))
        assert played(one, other, 2, value) == best
        assert hats.answer(one, other, 2, True, 5, value.numerator, value.denominator) == 0


def test_the_search_finds_the_optimum_of_small_stacks():
    """All pairs of tables on stacks of 2: 16 x 16 of them."""
    tables = [np.array(table) for table in product(range(2), repeat=4)]
    optimum = max(played(one, other, 2, 0) for one in tables for other in tables)
    found, _ = hats.search(2, False, Settings(starts=50), np.random.default_rng(0))
    assert found == optimum == Fraction(5, 16)


def test_blocks_of_three_reach_seven_twentieths_and_need_to_defer():
    rng = np.random.default_rng(0)
    with_, (one, other) = hats.search(3, True, Settings(starts=300), rng)
    without, _ = hats.search(3, False, Settings(starts=300), rng)
    assert with_ == Fraction(7, 20) == played(one, other, 3, with_) and without == Fraction(22, 64)
    assert "the next block" in hats.picture(one, other, 3)


def test_three_players_by_brute_force_and_with_one_for_free():
    """On one hat there is nothing to choose: 1/8, or 1/4 with a third player who cannot fail."""
    rng = np.random.default_rng(0)
    assert hats.search_three(1, Settings(players=3), rng) == Fraction(1, 8)
    assert hats.search_three(1, Settings(players=3, free=True), rng) == Fraction(1, 4)
    tables = rng.integers(2, size=(3, 16))
    wins = sum(
        (x >> tables[0, 4 * y + z]) & (y >> tables[1, 4 * x + z]) & (z >> tables[2, 4 * x + y]) & 1
        for x, y, z in product(range(4), repeat=3)
    )
    assert hats.tally_three(tables, 2, False) == wins
    free = hats.search_three(2, Settings(players=3, free=True, starts=400), rng)
    assert hats.search_three(2, Settings(players=3, starts=400), rng) < free == Fraction(5, 16)


def test_bandits_learn_what_the_seed_says():
    one = hats.learn(5000, 3, 0.1, np.random.default_rng(3))
    again = hats.learn(5000, 3, 0.1, np.random.default_rng(3))
    assert all((a == b).all() for a, b in zip(one, again, strict=True))
    assert Fraction(1, 4) <= hats.value_of(*hats.learn(100_000, 2, 0.1, np.random.default_rng(0)), 2) <= Fraction(5, 16)


def test_settings_are_checked():
    with pytest.raises(ValueError, match="players"):
        Settings(players=4)
