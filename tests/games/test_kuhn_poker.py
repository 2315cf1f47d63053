"""Kuhn poker by its table of payoffs, and for three the equilibria of Szafron, Gibson and Sturtevant (2013)."""

from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
from tests import naive
from tests.games.test_rules import played

from ludus import games
from ludus.game import CHANCE, OVER

PASS, BET = 0, 1


@pytest.mark.parametrize("cards", list(permutations(range(3), 2)))
def test_two_players_by_the_table(cards):
    high = 1 if cards[0] > cards[1] else -1
    game = games.load("kuhn_poker")
    for line, chips in [
        ((PASS, PASS), high),
        ((PASS, BET, PASS), -1),
        ((PASS, BET, BET), 2 * high),
        ((BET, PASS), 1),
        ((BET, BET), 2 * high),
    ]:
        for plies in range(len(line)):
            assert game.kernels.turn(played(game, *cards, *line[:plies])) == plies % 2
        state = played(game, *cards, *line)
        assert game.kernels.turn(state) == OVER and naive.payoff_of(game, state) == (chips, -chips)


T, J, Q, K = range(4)


@pytest.mark.parametrize(
    ("cards", "line", "movers", "chips"),
    [
        ((J, Q, K), (PASS, PASS, PASS), (0, 1, 2), (-1, -1, 2)),
        ((J, Q, K), (BET, PASS, PASS), (0, 1, 2), (2, -1, -1)),  # the others fold better cards
        ((J, Q, T), (BET, BET, PASS), (0, 1, 2), (-2, 3, -1)),
        ((J, Q, K), (BET, BET, BET), (0, 1, 2), (-2, -2, 4)),
        ((K, Q, J), (PASS, BET, BET, PASS), (0, 1, 2, 0), (-1, 3, -2)),
        ((K, Q, J), (PASS, BET, PASS, BET), (0, 1, 2, 0), (3, -2, -1)),
        ((K, T, J), (PASS, PASS, BET, PASS, PASS), (0, 1, 2, 0, 1), (-1, -1, 2)),
        ((K, T, J), (PASS, PASS, BET, PASS, BET), (0, 1, 2, 0, 1), (-1, -2, 3)),
    ],
)
def test_three_players_by_hand(cards, line, movers, chips):
    game = games.load("kuhn_poker(players=3)")
    for plies, mover in enumerate(movers):
        assert game.kernels.turn(played(game, *cards, *line[:plies])) == mover
    state = played(game, *cards, *line)
    assert game.kernels.turn(state) == OVER and naive.payoff_of(game, state) == chips


def test_a_card_is_dealt_once_to_each_of_four():
    game = games.load("kuhn_poker(players=4)")
    assert naive.moves_of(game, played(game)) == dict.fromkeys(range(5), 1 / 5)
    assert naive.moves_of(game, played(game, 1, 4)) == dict.fromkeys((0, 2, 3), 1 / 3)
    assert game.kernels.turn(played(game, 1, 4, 0)) == CHANCE
    assert naive.moves_of(game, played(game, 1, 4, 0, 3)) == {PASS: 1, BET: 1}
    told = game.tell(np.array(naive.infoset_of(game, played(game, 1, 4, 0, 3, PASS, BET), 2)[1:]))
    assert told == "9 pass bet"


def betting(b, b32):
    """How likely each card bets or calls in each situation: the family where c11 = b23 = 0 and b11 = b21 = b."""
    half, c33, c34 = Fraction(1, 2), Fraction(1, 2) - b32 + Fraction(7, 4) * b, Fraction(3, 4)
    return {
        "": (0, 0, 0, 0),
        "pass": (b, b, 0, 4 * b),
        "bet": (0, 0, b32, 1),
        "pass pass": (0, half, 0, 1),
        "pass bet": (0, 0, 0, 1),
        "bet pass": (0, 0, c33, 1),
        "bet bet": (0, 0, c34, 1),
        "pass pass bet": (0, 0, 0, 1),
        "pass bet pass": (0, 0, half, 1),
        "pass bet bet": (0, 0, 0, 1),
        "pass pass bet pass": (0, 0, half + 3 * b / 2, 1),
        "pass pass bet bet": (0, 0, 0, 1),
    }


@pytest.mark.parametrize(
    ("b", "b32"),
    [(Fraction(0), Fraction(1, 2)), (Fraction(1, 6), Fraction(19, 24)), (Fraction(1, 4), Fraction(3, 4))],
)
def test_a_family_of_equilibria_for_three(b, b32):
    """In it player 1 loses 1/48, and by bluffing more takes from player 0 what it gives to player 2."""
    game, table, policy = games.load("kuhn_poker(players=3)"), betting(b, b32), {}
    for _, state, mover, _ in naive.histories(game):
        if mover >= 0:
            infoset = naive.infoset_of(game, state, mover)
            card, _, line = game.tell(np.array(infoset[1:])).partition(" ")
            bets = float(table[line]["TJQK".index(card)])
            policy[infoset] = {PASS: 1 - bets, BET: bets}
    assert naive.nash_conv(game, policy) == pytest.approx(0, abs=1e-12)
    assert naive.best_response_value(game, policy, None) * 48 == pytest.approx(
        [float(-1 - 2 * b), -1, float(2 + 2 * b)]
    )


@pytest.mark.parametrize("players", [0, 1, 11])
def test_impossible_numbers_are_refused(players):
    with pytest.raises(ValueError, match=f"players has to be 2 to 10, not {players}.*write for example"):
        games.load(f"kuhn_poker(players={players})")


def test_two_players_are_the_game_without_numbers():
    assert games.load("kuhn_poker(players=2)") is games.load("kuhn_poker")
