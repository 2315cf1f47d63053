"""Goofspiel by hand, against a rule book of sets, and against the recursion of Rhoads and Bartholdi (2012)."""

from functools import cache

import numpy as np
import pytest
from tests import naive
from tests.games.test_rules import played
from tests.simultaneous_naive import matrix_game

from ludus import games
from ludus.game import CHANCE, OVER


def told(game, state, player):
    return game.tell(np.array(naive.infoset_of(game, state, player)[1:]))


def test_a_game_by_hand():
    """Prizes 4, 3, 2, 1: the bids are 1 against 4, 4 against 3, 3 against 2, and 2 against 1 without being asked."""
    game = games.load("goofspiel(cards=4, random=0, hidden=1, points=1)")
    assert told(game, played(game), 0) == told(game, played(game, 0), 1) == "prize 4"
    state = played(game, 0, 3)
    assert told(game, state, 0) == "prize 4 bid 1 lost prize 3"
    assert told(game, state, 1) == "prize 4 bid 4 won prize 3"
    assert set(naive.moves_of(game, state)) == {1, 2, 3}
    state = played(game, 0, 3, 3, 2, 2)
    assert game.kernels.turn(state) == 1 and set(naive.moves_of(game, state)) == {0, 1}
    assert told(game, state, 0) == "prize 4 bid 1 lost prize 3 bid 4 won prize 2 bid 3"
    assert told(game, state, 1) == "prize 4 bid 4 won prize 3 bid 3 lost prize 2"
    state = played(game, 0, 3, 3, 2, 2, 1)
    assert game.kernels.turn(state) == OVER and naive.payoff_of(game, state) == (2, -2)
    assert told(game, state, 0).endswith("prize 1 bid 2 won")
    for_the_win = games.load("goofspiel(cards=4, random=0, hidden=1, points=0)")
    assert naive.payoff_of(for_the_win, played(for_the_win, 0, 3, 3, 2, 2, 1)) == (1, -1)


def test_equal_bids_throw_the_prize_away():
    game = games.load("goofspiel(cards=3, random=0, hidden=0, points=1)")
    assert told(game, played(game, 2, 2), 0) == "prize 3 bid 3 against 3 prize 2"
    assert naive.payoff_of(game, played(game, 2, 2, 0, 1)) == (-1, 1)  # 2 lost to the bid of 2, 1 won by it
    assert naive.payoff_of(game, played(game, 2, 2, 1, 1)) == (0, 0)


def test_open_bids_are_shown_after_the_round_and_hidden_ones_never():
    for hidden in (0, 1):
        game = games.load(f"goofspiel(cards=4, random=0, hidden={hidden}, points=0)")
        assert len({naive.infoset_of(game, played(game, bid), 1) for bid in range(4)}) == 1
        seen = {naive.infoset_of(game, played(game, bid, 3), 1) for bid in range(4)}
        assert len(seen) == (2 if hidden else 4)  # 4 against less, or against 4


def rule_book(cards, prizes, bids):
    """The points of both, with hands and prizes as sets; prizes in the order they came, bids in pairs."""
    left, hands, points = set(range(1, cards + 1)), [set(range(1, cards + 1)), set(range(1, cards + 1))], [0, 0]
    prizes, bids = list(prizes), list(bids)
    while left:
        prize = prizes.pop(0) if prizes else left.copy().pop()
        pair = bids.pop(0) if bids else [hand.copy().pop() for hand in hands]
        left.remove(prize)
        for hand, bid in zip(hands, pair, strict=True):
            hand.remove(bid)
        if pair[0] != pair[1]:
            points[int(pair[1] > pair[0])] += prize
    return points


@pytest.mark.parametrize("random", [0, 1])
def test_every_game_of_three_cards_against_the_rule_book(random):
    game, ends = games.load(f"goofspiel(cards=3, random={random}, hidden=1, points=1)"), 0
    movers = {actions: mover for actions, _, mover, _ in naive.histories(game)}
    for actions, state, mover, _ in naive.histories(game):
        if mover == OVER:
            prizes = [actions[ply] + 1 for ply in range(len(actions)) if movers[actions[:ply]] == CHANCE]
            moves = [actions[ply] + 1 for ply in range(len(actions)) if movers[actions[:ply]] >= 0]
            bids = list(zip(moves[::2], moves[1::2], strict=True))
            first, second = rule_book(3, prizes if random else (3, 2, 1), bids)
            assert naive.payoff_of(game, state) == (first - second, second - first)
            ends += 1
    assert ends == (6 * 36 if random else 36)


@cache
def worth(mine, theirs, prizes, prize):
    """The recursion of the paper: what two hands are worth with this prize turned up and `prizes` to come."""

    def after(bid, other):
        return prize * ((bid > other) - (bid < other)) + to_come(mine - {bid}, theirs - {other}, prizes)

    return matrix_game([[after(bid, other) for other in sorted(theirs)] for bid in sorted(mine)])


def to_come(mine, theirs, prizes):
    return sum(worth(mine, theirs, prizes - {prize}, prize)[0] for prize in prizes) / len(prizes) if prizes else 0.0


def test_the_recursion_of_the_paper_is_an_equilibrium_where_bids_are_shown():
    game, policy = games.load("goofspiel(cards=3, random=1, hidden=0, points=1)"), {}
    whole = frozenset({1, 2, 3})
    for _, state, mover, moves in naive.histories(game):
        if mover >= 0:
            prizes, mine, theirs = state[7:].reshape(3, 3)[:, : state[5] + 1].tolist()
            past = int(state[5])
            _, *strategies = worth(
                whole - set(mine[:past]), whole - set(theirs[:past]), whole - set(prizes), prizes[past]
            )
            policy[naive.infoset_of(game, state, mover)] = dict(zip(sorted(moves), strategies[mover], strict=True))
    assert naive.nash_conv(game, policy) == pytest.approx(0, abs=1e-9)
    assert naive.nash_conv(game, naive.uniform_policy(game)) > 1


@pytest.mark.parametrize(
    ("numbers", "what"),
    [
        ("cards=1", "cards has to be 2 to 13, not 1"),
        ("cards=14", "not 14"),
        ("random=2", "random has to be 0 or 1, not 2"),
        ("hidden=3", "hidden"),
        ("points=5", "points"),
    ],
)
def test_impossible_numbers_are_refused(numbers, what):
    with pytest.raises(ValueError, match=f"goofspiel: .*{what}.*write for example goofspiel"):
        games.load(f"goofspiel({numbers})")
