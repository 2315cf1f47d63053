"""Game-theoretic workflows: its steps without errors against loops, the paper's tables, arms that differ."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from ludus.normal_form import bimatrix, deviations, expected
from ludus.recipes.equilibria import game_theoretic_llm as game
from ludus.recipes.equilibria.game_theoretic_llm import ARMS, RECIPE, SIZES, Settings
from ludus.study.recipe import BadSetting, load, resolve
from ludus.study.run import run_study


def agent(eps=0.0, seed=0):
    return game.mind(Settings(eps=eps), np.random.default_rng(seed))


def matrices(n, games=40, seed=1):
    return game.draw_matrices(games, n, np.random.default_rng(seed))


def test_comparisons_err_as_often_as_declared():
    a, b = np.random.default_rng(0).random((2, 40_000))
    for eps in (0.0, 0.2, 0.5):
        me = agent(eps)
        assert (game.better(me, a, b) != (a > b)).mean() == pytest.approx(eps, abs=0.01)
        assert me.used[0] == 40_000


def test_a_knockout_without_errors_finds_the_best_of_those_allowed():
    rng = np.random.default_rng(2)
    worth, among = rng.random((300, 6)), rng.random((300, 6)) < 0.6
    among[:, 3] |= ~among.any(1)
    me = agent()
    assert (game.best(me, worth, among) == np.where(among, worth, -1).argmax(1)).all()
    assert me.used[0] == (among.sum(1) - 1).sum()  # who has k rivals meets each loser once
    coins = game.best(agent(0.5), np.tile(np.arange(5.0), (30_000, 1)))
    assert np.bincount(coins) / 30_000 == pytest.approx(np.full(5, 0.2), abs=0.01)


def pure_by_loops(payoff):
    """The pure equilibria of one game float64[n, n, 2], by asking every deviation."""
    n = len(payoff)
    return [
        (i, j)
        for i, j in product(range(n), repeat=2)
        if all(payoff[i, j, 0] >= payoff[k, j, 0] and payoff[i, j, 1] >= payoff[i, k, 1] for k in range(n))
    ]


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("dominance", [True, False])
def test_without_errors_the_workflow_plays_the_best_pure_equilibrium(n, dominance):
    payoff = matrices(n)
    rows = game.nash_workflow(agent(), payoff, 2, dominance)
    columns = game.nash_workflow(agent(seed=5), game.turned(payoff), 2, dominance)
    for one, i, j in zip(payoff, rows, columns, strict=True):
        assert (i, j) == max(pure_by_loops(one), key=lambda cell: one[cell].sum())
    assert np.abs(game.matrix_nash_conv(payoff, rows, columns)).max() == 0


def test_dominance_strikes_what_is_strictly_beaten():
    dilemma = np.array([[[3, 3], [0, 5]], [[5, 0], [1, 1]]], float)[None]
    every = np.ones((1, 2), bool)
    assert game.undominated(agent(), dilemma[..., 0], every, every).tolist() == [[False, True]]
    for one in matrices(4):
        kept = game.undominated(agent(), one[None, ..., 0], np.ones((1, 4), bool), np.ones((1, 4), bool))[0]
        beaten = [any((one[b, :, 0] > one[a, :, 0]).all() for b in range(4)) for a in range(4)]
        assert kept.tolist() == [not each for each in beaten]
    noisy = game.undominated(agent(0.5), matrices(5)[..., 0], np.ones((40, 5), bool), np.ones((40, 5), bool))
    assert noisy.any(1).all()


def level_k_by_loops(payoff, memory):
    """Level k of player 0 of one game: replies backwards from a level-1 action."""
    if memory == 1:
        return int(payoff[..., 0].sum(1).argmax())
    return int(payoff[:, level_k_by_loops(payoff.transpose(1, 0, 2)[..., ::-1], memory - 1), 0].argmax())


@pytest.mark.parametrize("memory", [1, 2, 3, 4])
def test_the_head_is_level_k(memory):
    payoff = matrices(4)
    expected_actions = [level_k_by_loops(one, memory) for one in payoff]
    assert game.level_k(agent(), payoff, memory).tolist() == expected_actions


def test_nash_conv_is_that_of_the_normal_form():
    payoff = matrices(3)
    rows, columns = np.random.default_rng(3).integers(3, size=(2, 40))
    for one, i, j, conv in zip(payoff, rows, columns, game.matrix_nash_conv(payoff, rows, columns), strict=True):
        form, profile = bimatrix(one[..., 0], one[..., 1]), (np.eye(3)[i], np.eye(3)[j])
        gains = [worth.max() for worth in deviations(form, profile)] - expected(form, profile)
        assert conv == pytest.approx(gains.sum(), abs=1e-12)


def value_by_recursion(leaves, ply=0):
    if len(leaves) == 1:
        return leaves[0]
    halves = [value_by_recursion(half, ply + 1) for half in (leaves[: len(leaves) // 2], leaves[len(leaves) // 2 :])]
    return max(halves, key=lambda value: value[ply % 2])


def test_backward_induction_and_its_nash_conv():
    leaves = np.random.default_rng(4).random((20, 8, 2))
    plan = game.plan_tree(agent(), leaves, None)
    assert game.follow(leaves, (plan, plan)).tolist() == [value_by_recursion(one).tolist() for one in leaves]
    assert np.abs(game.tree_nash_conv(leaves, (plan, plan))).max() == 0
    far = game.plan_tree(agent(), leaves, 3)
    assert all((a == b).all() for a, b in zip(plan, far, strict=True))  # who sees to the end needs no workflow
    near = game.plan_tree(agent(), leaves, 1)
    assert (near[2] == plan[2]).all() and (near[0] != plan[0]).any()


def test_nash_conv_of_plans_by_trying_every_plan():
    rng = np.random.default_rng(6)
    leaves = rng.random((5, 8, 2))
    plans = tuple([rng.random((5, 1 << ply)) < 0.5 for ply in range(3)] for _ in (0, 1))
    found = game.tree_nash_conv(leaves, plans)
    for g in range(5):
        gain = 0.0
        for seat in (0, 1):
            most = -1.0
            for bits in product((False, True), repeat=7):
                other = [np.array([bits[(1 << ply) - 1 : (2 << ply) - 1]]) for ply in range(3)]
                pair = [[each[g : g + 1] for each in plan] for plan in plans]
                pair[seat] = other
                at = 0
                for ply in range(3):
                    at = 2 * at + bool(pair[ply % 2][ply][0, at])
                most = max(most, leaves[g, at, seat])
            at = 0
            for ply in range(3):
                at = 2 * at + bool(plans[ply % 2][ply][g, at])
            gain += most - leaves[g, at, seat]
        assert found[g] == pytest.approx(gain, abs=1e-12)


def test_the_other_game_changes_nothing_and_votes_match_the_work():
    payoff = matrices(4)
    arms = {name: replace(ARMS[name], eps=0.0) for name in ("direct", "placebo", "voting", "workflow")}
    played = {name: game.play_matrices(arm, payoff, np.random.default_rng(7)) for name, arm in arms.items()}
    assert (played["placebo"][0] == played["direct"][0]).all()
    assert (played["workflow"][0] != played["direct"][0]).any()
    assert played["placebo"][1] > played["workflow"][1] > played["direct"][1]
    assert played["voting"][1] >= played["workflow"][1]


def test_the_pool_of_the_papers_example():
    """One book, one hat, three balls; values (1, 3, 2) and (1, 0, 3): its section on indistinguishable valuations."""
    pool = game.pool_of((1, 1, 3))
    one, other = (pool.values.tolist().index(v) for v in ([1, 3, 2], [1, 0, 3]))
    left = pool.takes[pool.rest]
    assert (pool.takes + left == [1, 1, 3]).all()
    mine, theirs = pool.worth[one], pool.worth[other][pool.rest]
    fair = (mine >= 5) & (theirs >= 5)
    most = (mine + theirs)[fair].max()
    found = pool.takes[fair & (mine + theirs == most)].tolist()
    assert most == 12 and [0, 1, 1] in found and [1, 1, 1] in found
    assert (pool.worth.max(1) == 10).all() and [one, other] in pool.pairs.tolist()


def opening(counts, games=30, seed=8):
    pool = game.pool_of(counts)
    kind = pool.pairs[np.random.default_rng(seed).integers(len(pool.pairs), size=games)]
    v, a = pool.worth.shape
    table = game.Table(
        kind, np.full((games, 2), -1), np.ones(games, bool), np.full(games, -1), np.ones((games, 2, v), bool),
        np.zeros((games, 2, a), bool),
    )  # fmt: skip
    return pool, table


def test_proposals_and_beliefs_by_loops():
    counts = (1, 2, 3)
    pool, now = opening(counts)
    now.belief[:] = np.random.default_rng(9).random(now.belief.shape) < 0.3
    now.belief[:, :, 0] = True
    mine = game.propose(agent(), pool, now, 0)
    now.offer[:, 0] = mine
    now.offer[:, 1] = game.propose(agent(), pool, now, 1)
    before = now.belief.copy()
    game.learn(agent(), pool, now, 0, "opponent")
    everything = np.array(counts)
    for g, (kind, _) in enumerate(now.kind):
        own = pool.values[kind]
        possible = pool.values[before[g, 0]]
        hopeful = [
            own @ take
            for take in pool.takes
            if 2 * (own @ take) >= 10 and any(2 * (v @ (everything - take)) >= 10 for v in possible)
        ]
        assert own @ pool.takes[mine[g]] == max(hopeful)
        kept = []
        for v in possible.tolist():
            given = everything - pool.takes[mine[g]]
            both = [v @ (everything - t) for t in pool.takes if own @ t >= 5 and v @ (everything - t) >= 5]
            content = v @ given >= 5 and v @ given >= max(both)
            if v @ pool.takes[now.offer[g, 1]] >= 5 and not content:
                kept.append(v)
        after = pool.values[now.belief[g, 0]].tolist()
        assert after == (kept or pool.values.tolist())
    untouched = now.belief.copy()
    game.learn(agent(), pool, now, 0, "nobody")
    assert (now.belief == untouched).all()


def test_two_users_who_do_not_err_agree_only_on_what_neither_envies():
    pool, now = opening((2, 1, 2), 100)
    arm = Settings(eps=0.0)
    deal, work = game.negotiate((2, 1, 2), now.kind, (arm, arm), np.random.default_rng(10))
    seen = game.judged((2, 1, 2), now.kind, deal)
    assert (seen["agreement"] == seen["envy_free"]).all() and seen["agreement"].mean() > 0.5 and (work > 0).all()
    for g in np.flatnonzero(deal >= 0)[:30]:
        options = [
            (pool.worth[now.kind[g, 0], a], pool.worth[now.kind[g, 1], pool.rest[a]]) for a in range(len(pool.takes))
        ]
        a, b = options[deal[g]]
        assert (seen["first"][g], seen["second"][g]) == (a, b)
        assert seen["pareto"][g] == (not any(x >= a and y >= b and (x, y) != (a, b) for x, y in options))
    heads = replace(arm, method="head")
    deal, _ = game.negotiate((2, 1, 2), now.kind, (heads, heads), np.random.default_rng(10))
    seen = game.judged((2, 1, 2), now.kind, deal)
    assert 0 < seen["envy_free"].mean() < seen["agreement"].mean()


def test_the_game_of_using_on_the_papers_table_19():
    sonnet = np.array([[[5.82, 6.16], [4.88, 6.57]], [[6.39, 5.07], [5.55, 5.57]]])
    gpt = np.array([[[5.93, 6.25], [3.66, 6.18]], [[5.75, 4.14], [2.80, 4.38]]])
    assert game.meta_game(sonnet)["meta_use"] == 0 and game.meta_game(gpt)["meta_use"] == 1
    assert game.meta_game(sonnet)["skip_gain"] == pytest.approx((0.57 + 0.41) / 2)
    assert game.meta_game(sonnet)["edge"] == pytest.approx((4.88 - 6.57 + 5.07 - 6.39) / 2)


@pytest.mark.parametrize("wrong", [{"eps": 0.7}, {"memory": 0}, {"games": 1}, {"negotiations": 0}])
def test_settings_under_which_nothing_could_be_played_are_named(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Settings(**wrong)
    with pytest.raises(BadSetting, match=next(iter(wrong))):
        resolve(RECIPE, wrong)


def test_it_runs_as_a_study(tmp_path):
    run = run_study(load(game.__file__), game.__file__, runs=tmp_path, quick=True)
    numbers = run.results["numbers"]
    assert set(numbers) == set(ARMS)
    assert {metric.split("/")[0] for metric in numbers["workflow"]} <= set(RECIPE.metrics)
    assert (
        numbers["eps_0"]["nash_conv/matrices"]["values"][0] < 1e-12 < numbers["coin"]["nash_conv/matrices"]["values"][0]
    )
