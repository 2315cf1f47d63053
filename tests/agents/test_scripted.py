import numpy as np
import pytest

from ludus.agents.scripted import by_rule, first_legal, prefer
from ludus.agents.uniform import uniform
from ludus.game import IllegalAction
from ludus.games.kuhn_poker import KUHN_POKER
from ludus.play import play

VIEWS = np.zeros((3, 5), np.int64)
LEGAL = np.array([[True, True], [False, True], [True, False]])


def test_uniform_shares_equally_among_legal_actions():
    assert np.array_equal(uniform(VIEWS, LEGAL), [[0.5, 0.5], [0.0, 1.0], [1.0, 0.0]])


def test_first_legal_takes_the_lowest_number():
    assert np.array_equal(first_legal(VIEWS, LEGAL), [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])


def test_prefer_takes_words_in_order_and_anything_where_none_is_legal():
    assert np.array_equal(prefer(KUHN_POKER, "bet", "pass")(VIEWS, LEGAL), [[0.0, 1.0], [0.0, 1.0], [1.0, 0.0]])
    one = KUHN_POKER._replace(words=("pass", "bet", "raise"))
    legal = np.array([[True, True, False], [True, True, True]])
    assert np.array_equal(prefer(one, "raise")(VIEWS[:2], legal), [[0.5, 0.5, 0.0], [0.0, 0.0, 1.0]])


def test_prefer_knows_only_the_words_of_the_game():
    with pytest.raises(ValueError, match="words: 'call' given; the actions of kuhn_poker are pass, bet"):
        prefer(KUHN_POKER, "bet", "call")
    with pytest.raises(ValueError, match="words: no word given"):
        prefer(KUHN_POKER)


def test_a_rule_for_one_decision_becomes_a_policy():
    honest = by_rule(lambda view, legal: int(view[0] == 2))  # bets a king, and nothing else
    episodes = play(KUHN_POKER, [honest, honest], 200, np.random.default_rng(1))
    assert np.array_equal(episodes.action == 1, episodes.view[:, 0] == 2)


def test_a_rule_that_leaves_the_rules_is_named():
    with pytest.raises(IllegalAction, match=r"rule: at view \[0 0 0 0 0\] it chose 0; return one of 1"):
        by_rule(lambda view, legal: 0)(VIEWS, LEGAL)
