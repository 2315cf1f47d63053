"""The sequence-form linear program: published values, random trees by two other routes, and what it refuses."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import OptimizeResult
from tests import naive
from tests.known_values import KNOWN

from ludus.game import CHANCE, OVER
from ludus.games import load
from ludus.normal_form import as_tree, bimatrix, reduced
from ludus.solve import linear_program
from ludus.solve.best_response import evaluate
from ludus.solve.cfr import cfr_plus
from ludus.solve.sequence_form import ImperfectRecall
from ludus.solve.sequence_lp import sequence_lp
from ludus.solve.zero_sum import NotConstantSum, zero_sum
from ludus.tree import Labels, Tree, grow

SMALL = ("kuhn_poker", "leduc_poker", "liars_dice(dice=1, faces=3)", "liars_dice(dice=1, faces=4)")
VALUES = [row for row in KNOWN if row.quantity == "value" and row.game in (*SMALL, "negotiation(turns=3, bell=15)")]


def random_tree(rng, depth=6, total=0.0, movers=(CHANCE, 0, 1), skewed=False):
    """A tree in which each player sees all of its own moves and, of every other, everything, half of it, or nothing.

    An infoset is what its player has seen, so recall is perfect. One to three of three actions are legal in an infoset.
    Payoffs are small whole numbers that add up to `total`, with ties and so with many equilibria; skewed: outcomes of
    chance down to 1e-20, and payoffs of any size up to 1000.
    """
    queue, infosets = [(-1, -1, 1.0, 0, ((), ()))], {}
    turn, first, infoset, payoff, player, legal = [], [], [], [], [], []
    for _, _, _, level, seen in queue:  # the queue grows while it is read: breadth first
        over = level == depth or (level > 2 and rng.random() < 0.15)
        mover = OVER if over else int(rng.choice(movers))
        if mover >= 0 and (mover, seen[mover]) not in infosets:
            infosets[mover, seen[mover]] = len(player)
            player.append(mover)
            legal.append(np.isin(range(3), rng.choice(3, rng.choice([1, 2, 2, 3]), replace=False)))
        infoset.append(infosets[mover, seen[mover]] if mover >= 0 else -1)
        turn.append(mover)
        first.append(len(queue))
        size = 10.0 ** rng.uniform(-3, 3) if skewed else 1.0
        won = size * rng.integers(-3, 4)
        payoff.append((won, total - won) if over else (0.0, 0.0))
        if over:
            continue
        moves = np.flatnonzero(legal[infoset[-1]]) if mover >= 0 else np.arange(rng.choice([1, 2, 2, 3]))
        odds = rng.dirichlet(np.ones(len(moves))) ** (8 if skewed else 1)
        sight = rng.choice([[0, 1, 2], [0, 0, 1], [0, 0, 0], [0, 0, 0]], 2)
        for move, chance in zip(moves.tolist(), odds / odds.sum(), strict=True):
            after = tuple(seen[p] + ((p == mover, move if p == mover else int(sight[p][move])),) for p in (0, 1))
            queue.append((len(turn) - 1, move, chance if mover == CHANCE else 1.0, level + 1, after))
    parent, action, chance, _, _ = zip(*queue, strict=True)
    return Tree(
        *map(np.array, (turn, parent, action, [*first, len(queue)], chance, infoset, payoff)),
        np.array(player, np.int64),
        np.array(legal, bool).reshape(-1, 3),
        np.arange(len(player))[:, None],
        Labels(("first", "second"), ("a", "b", "c"), str),
    )


@pytest.mark.parametrize("row", VALUES, ids=lambda row: row.game)
def test_published_values(row):
    answer = sequence_lp(grow(load(row.game)))
    assert answer.payoffs == pytest.approx(np.array([[row.number, -row.number]]), abs=1e-9)
    assert len(answer.regret) == len(answer.profiles) == 1 and abs(answer.regret[0]) < 1e-9


def test_random_trees_vary():
    trees = [random_tree(np.random.default_rng(seed)) for seed in range(40)]
    assert max(len(tree.turn) for tree in trees) > 100
    assert any(not tree.legal.all() for tree in trees) and any((tree.turn == CHANCE).sum() > 10 for tree in trees)
    shared = [(np.bincount(tree.infoset[tree.infoset >= 0]) > 1).sum() for tree in trees]
    assert np.median(shared) >= 2  # infosets that hold two nodes or more


@pytest.mark.parametrize("seed", range(25))
def test_lies_between_what_cfr_plus_secures_and_concedes(seed):
    total = float(seed % 3)
    tree = random_tree(np.random.default_rng(seed), total=total)
    answer, (_, best) = sequence_lp(tree), evaluate(tree, cfr_plus(tree, 300).average)
    secured, conceded = total - best[1], best[0]
    assert secured - 1e-12 <= answer.payoffs[0, 0] <= conceded + 1e-12
    assert conceded - secured < 0.1  # so that it says something
    assert answer.payoffs.sum() == pytest.approx(total, abs=1e-12)


@pytest.mark.parametrize("seed", range(25))
def test_no_best_response_gains_by_recursion(seed):
    tree = random_tree(np.random.default_rng(100 + seed), total=1.0)
    answer = sequence_lp(tree)
    (table,) = answer.profiles
    assert (table >= 0).all() and (table[~tree.legal] == 0).all()
    gain = [
        naive.best_response_in_tree(tree, table, player) - naive.values_in_tree(tree, table)[player]
        for player in (0, 1)
    ]
    assert max(gain) == pytest.approx(0, abs=1e-9)
    assert answer.regret[0] == pytest.approx(max(gain), abs=1e-12)
    assert answer.payoffs[0] == pytest.approx(naive.values_in_tree(tree, table), abs=1e-12)


@pytest.mark.parametrize("seed", range(10))
def test_agrees_with_the_matrix_of_all_plans(seed):
    tree = random_tree(np.random.default_rng(200 + seed), depth=4)
    assert sequence_lp(tree).payoffs == pytest.approx(zero_sum(reduced(tree)).payoffs, abs=1e-9)


@pytest.mark.parametrize("seed", range(25))
def test_skewed_chances_and_payoffs_are_certified_too(seed):
    tree = random_tree(np.random.default_rng(300 + seed), skewed=True)
    assert sequence_lp(tree).regret[0] <= 1e-9 * np.abs(tree.payoff).max()


@pytest.mark.parametrize("scale", [1e-7, 1e7])
def test_payoffs_of_any_size(scale):
    tree = grow(load("kuhn_poker"))
    answer = sequence_lp(replace(tree, payoff=scale * tree.payoff))
    assert answer.payoffs[0, 0] / scale == pytest.approx(-1 / 18, abs=1e-9)


@pytest.mark.parametrize("player", [0, 1])
def test_a_player_with_nothing_to_decide(player):
    tree = random_tree(np.random.default_rng(1), movers=(CHANCE, 1 - player))
    assert set(tree.player) == {1 - player}
    answer = sequence_lp(tree)
    uniform = tree.legal / tree.legal.sum(axis=1, keepdims=True)
    best = naive.best_response_in_tree(tree, uniform, 1 - player)
    assert answer.payoffs[0, 1 - player] == pytest.approx(best, abs=1e-9)


def test_nobody_decides():
    tree = random_tree(np.random.default_rng(2), movers=(CHANCE,))
    answer = sequence_lp(tree)
    assert answer.payoffs[0] == pytest.approx(naive.values_in_tree(tree, np.zeros((0, 3))), abs=1e-12)
    over = sequence_lp(random_tree(np.random.default_rng(2), depth=0, total=5.0))
    assert over.payoffs.sum() == 5.0 and over.regret[0] == 0.0


def test_nothing_is_won():
    tree = grow(load("kuhn_poker"))
    answer = sequence_lp(replace(tree, payoff=np.zeros_like(tree.payoff)))
    assert answer.payoffs.tolist() == [[0.0, 0.0]] and answer.regret[0] == 0.0


def test_a_matrix_game_is_a_tree_too():
    answer = sequence_lp(as_tree(bimatrix([[0, -1, 1], [1, 0, -1], [-1, 1, 0]])))
    assert answer.profiles[0] == pytest.approx(np.full((2, 3), 1 / 3)) and answer.regret[0] == pytest.approx(0)


def test_stopped_by_the_clock_there_is_no_profile_and_the_note_says_why():
    answer = sequence_lp(grow(load("leduc_poker")), seconds=1e-6)
    assert answer.profiles == [] and answer.regret.shape == (0,) and answer.payoffs.shape == (0, 2)
    assert not answer.complete and answer.note.startswith("not solved within 1e-06 seconds")


def test_the_regret_is_not_the_solvers_word(monkeypatch):
    tree, linprog = grow(load("kuhn_poker")), linear_program.linprog

    def errs(*program, **rest):
        result = linprog(*program, **rest)
        result.ineqlin.marginals = -np.ones(len(result.ineqlin.marginals))  # player 1 plays evenly
        return result

    monkeypatch.setattr(linear_program, "linprog", errs)
    answer = sequence_lp(tree)
    (table,) = answer.profiles
    played = naive.values_in_tree(tree, table)
    gain = [naive.best_response_in_tree(tree, table, player) - played[player] for player in (0, 1)]
    assert answer.regret[0] == pytest.approx(max(gain)) and max(gain) > 0.1


def test_coarser_tries_follow_a_breakdown(monkeypatch):
    tree, tries, linprog = grow(load("kuhn_poker")), [], linear_program.linprog

    def breaks_down(*program, options, **rest):
        tries.append((np.abs(program[1]).max(), options["primal_feasibility_tolerance"]))
        if len(tries) < 3:
            return OptimizeResult(status=4, message="numerical difficulties", nit=None)
        return linprog(*program, options=options, **rest)

    monkeypatch.setattr(linear_program, "linprog", breaks_down)
    assert sequence_lp(tree).payoffs[0, 0] == pytest.approx(-1 / 18, abs=1e-9)
    assert tries == [(pytest.approx(1000), 1e-10), (1, 1e-10), (1, 1e-7)]
    tries.clear()
    monkeypatch.setattr(linear_program, "TRIES", linear_program.TRIES[:2])
    answer = sequence_lp(tree)
    assert answer.profiles == [] and answer.note.startswith("HiGHS broke down: numerical difficulties")


def test_errors_name_the_argument():
    tree = grow(load("kuhn_poker"))
    with pytest.raises(NotConstantSum, match=r"tree: .* add up to the same in every outcome, here to between 0 and 1;"):
        sequence_lp(replace(tree, payoff=np.maximum(tree.payoff, 0) * (tree.payoff < 2)))
    with pytest.raises(NotConstantSum, match="tree: a linear program solves games of two players, this one has 3"):
        sequence_lp(grow(load("kuhn_poker(players=3)")))
    for wrong in (0, -1.0, np.nan, np.inf):
        with pytest.raises(ValueError, match="seconds: a finite time above 0 is needed"):
            sequence_lp(tree, seconds=wrong)
    forgotten = tree.infoset.copy()  # player 0 with the jack: before its first action, and after pass and bet
    jack, later = [k for k in range(12) if tree.player[k] == 0 and tree.labels.infoset(k).startswith("J")]
    forgotten[forgotten == later] = jack
    with pytest.raises(ImperfectRecall, match="perfect recall is needed, but at 'J'"):
        sequence_lp(replace(tree, infoset=forgotten))
