"""Best responses and values: against recursion, against every pure strategy, against published numbers."""

from dataclasses import replace

import numpy as np
import pytest
from tests import naive

from ludus.game import OVER
from ludus.games import load
from ludus.solve.best_response import best_response, evaluate, goes_on_alike, values
from ludus.solve.sequence_form import ImperfectRecall
from ludus.tree import grow


def uniform(tree):
    return tree.legal / tree.legal.sum(axis=1, keepdims=True)


def random_table(tree, rng):
    weights = rng.random(tree.legal.shape) * tree.legal * (rng.random(tree.legal.shape) < 0.8)
    weights += tree.legal * (weights.sum(axis=1, keepdims=True) == 0)
    return weights / weights.sum(axis=1, keepdims=True)


def with_random_payoffs(tree, rng):
    return replace(tree, payoff=rng.normal(size=tree.payoff.shape) * (tree.turn == OVER)[:, None])


@pytest.mark.parametrize(
    "game", [load("kuhn_poker"), load("kuhn_poker(players=3)"), load("liars_dice(dice=1, faces=2)")]
)
@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_recursion_on_random_payoffs(game, seed):
    rng = np.random.default_rng(seed)
    tree = with_random_payoffs(grow(game), rng)
    table = random_table(tree, rng)
    played, best = evaluate(tree, table)
    assert played == pytest.approx(naive.values_in_tree(tree, table), abs=1e-12)
    assert values(tree, table) == pytest.approx(played)
    for player in range(tree.players):
        assert best[player] == pytest.approx(naive.best_response_in_tree(tree, table, player), abs=1e-12)
        response, value = best_response(tree, table, player)
        assert value == pytest.approx(best[player], abs=1e-12)
        assert naive.values_in_tree(tree, response)[player] == pytest.approx(value, abs=1e-12)
        own = tree.player == player
        assert (response[~own] == table[~own]).all()
        assert set(np.unique(response[own])) == {0.0, 1.0} and (response[own].sum(axis=1) == 1).all()


def test_no_pure_strategy_does_better_on_kuhn_poker():
    rng = np.random.default_rng(5)
    tree = with_random_payoffs(grow(load("kuhn_poker")), rng)
    table = random_table(tree, rng)
    for player in range(2):
        assert best_response(tree, table, player)[1] == pytest.approx(naive.best_of_all_pure(tree, table, player))


def test_three_player_kuhn_uniform_values_match_open_spiel():
    # pyspiel.expected_returns of UniformRandomPolicy on kuhn_poker(players=3), OpenSpiel 2.0.2
    tree = grow(load("kuhn_poker(players=3)"))
    assert values(tree, uniform(tree)) == pytest.approx([0.234375, -0.046875, -0.1875], abs=1e-12)


def test_a_board_as_the_view_is_swept_by_nodes():
    tree = grow(load("tic_tac_toe"))
    table = uniform(tree)
    played, best = evaluate(tree, table)
    assert played == pytest.approx(
        [187 / 630, -187 / 630]
    )  # random play: 737/1260 won by the first, 121/420 by the second
    for player in (0, 1):
        response, value = best_response(tree, table, player)
        assert value == pytest.approx(best[player])
        assert values(tree, response)[player] == pytest.approx(value)


def test_node_sweeps_and_the_sequence_form_agree_where_both_apply():
    rng = np.random.default_rng(2)
    tree = grow(load("kuhn_poker"))
    # every node its own infoset: perfect information and perfect recall
    decisions = np.flatnonzero(tree.turn >= 0)
    infoset = np.full(len(tree.turn), -1)
    infoset[decisions] = np.arange(len(decisions))
    old = tree.infoset[decisions]
    open_cards = replace(tree, infoset=infoset, player=tree.player[old], legal=tree.legal[old], view=tree.view[old])
    table = random_table(open_cards, rng)
    assert goes_on_alike(open_cards)
    by_nodes = replace(open_cards, perfect_recall=False)
    assert goes_on_alike(by_nodes)
    for fast, slow in zip(evaluate(open_cards, table), evaluate(by_nodes, table), strict=True):
        assert fast == pytest.approx(slow, abs=1e-12)
    for player in (0, 1):
        assert best_response(by_nodes, table, player)[1] == pytest.approx(
            naive.best_response_in_tree(by_nodes, table, player)
        )


def test_hidden_cards_do_not_go_on_alike():
    assert not goes_on_alike(grow(load("kuhn_poker")))
    assert goes_on_alike(grow(load("tic_tac_toe")))


def test_without_perfect_recall_and_with_hidden_things_no_road_leads():
    tree = grow(load("kuhn_poker"))
    infoset = np.where(tree.turn == 0, 0, np.where(tree.turn == 1, 1, -1))
    first = np.array([np.flatnonzero(tree.turn == player)[0] for player in (0, 1)])
    rows = tree.infoset[first]
    forgetful = replace(
        tree,
        infoset=infoset,
        player=tree.player[rows],
        legal=tree.legal[rows],
        view=tree.view[rows],
        perfect_recall=False,
    )
    with pytest.raises(ImperfectRecall, match="node sweeps do not help"):
        best_response(forgetful, uniform(forgetful), 0)


def test_errors_name_the_argument_and_the_row():
    tree = grow(load("kuhn_poker"))
    table = uniform(tree)
    with pytest.raises(ValueError, match=r"player: players of this tree are numbered 0 to 1, not 2"):
        best_response(tree, table, 2)
    with pytest.raises(ValueError, match=r"table: a strategy for this tree has shape \(12, 2\)"):
        values(tree, table[:5])
    for bad in ([0.5, 0.6], [1.5, -0.5], [np.nan, 1.0]):
        wrong = table.copy()
        wrong[3] = bad
        with pytest.raises(ValueError, match="table: row 3"):
            values(tree, wrong)
    leduc = grow(load("leduc_poker"))
    wrong = uniform(leduc)
    row, action = np.argwhere(~leduc.legal)[0]
    wrong[row] = 0.0
    wrong[row, action] = 1.0
    with pytest.raises(ValueError, match=f"table: row {row} .*zero on illegal actions"):
        values(leduc, wrong)
