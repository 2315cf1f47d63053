"""Correlated equilibria: Aumann's chicken, every vertex of small games, Nash inside correlated inside coarse."""

from itertools import combinations

import numpy as np
import pytest
from scipy.optimize import OptimizeResult

from ludus.normal_form import bimatrix, expected, normal_form, regret
from ludus.solve import linear_program
from ludus.solve.correlated import (
    coarse_correlated,
    correlated,
    external_regret,
    swap_regret,
    worth_range,
)
from ludus.solve.zero_sum import zero_sum

CHICKEN = bimatrix([[6, 2], [7, 0]], [[6, 7], [2, 0]])
SHAPLEY = bimatrix([[0, 2, 1], [1, 0, 2], [2, 1, 0]], [[0, 1, 2], [2, 0, 1], [1, 2, 0]])


def gains(form, kind):
    """Rows over combinations: what a player gains, times the joint, by doing `other` whenever it is told `told`.

    The coarse kind: by doing `other` whatever it is told.
    """
    rows = []
    for player, size in enumerate(form.payoff.shape[:-1]):
        for other in range(size):
            each = []
            for told in range(size):
                row = np.zeros(form.payoff.shape[:-1])
                for place in np.ndindex(row.shape):
                    if place[player] == told:
                        instead = (*place[:player], other, *place[player + 1 :])
                        row[place] = form.payoff[instead][player] - form.payoff[place][player]
                each.append(row.ravel())
            rows += each if kind == "correlated" else [sum(each)]
    return np.array([row for row in rows if row.any()]).reshape(-1, form.payoff[..., 0].size)


def best_vertex(form, kind, weights):
    """The most that the weighted payoffs come to at a corner of the set, all corners tried: no linear program."""
    limits = np.vstack([gains(form, kind), -np.eye(form.payoff[..., 0].size)])  # each at most zero
    cells, worth, best = limits.shape[1], (form.payoff @ weights).ravel(), -np.inf
    for tight in combinations(range(len(limits)), cells - 1):
        system = np.vstack([limits[list(tight)], np.ones(cells)])
        if abs(np.linalg.det(system)) > 1e-9:
            joint = np.linalg.solve(system, np.r_[np.zeros(cells - 1), 1.0])
            if (limits @ joint).max() < 1e-9:
                best = max(best, worth @ joint)
    return best


def test_chicken_at_its_best_is_worth_ten_and_a_half():
    # Aumann (1974), section 2(b), these payoffs: told 6-6 half of the time, each of the others a quarter
    found = correlated(CHICKEN)
    assert found.kind == "correlated" and found.worth == pytest.approx(10.5)
    assert found.joint == pytest.approx(np.array([[0.5, 0.25], [0.25, 0.0]]))
    assert found.payoffs == pytest.approx([5.25, 5.25]) and found.regret == pytest.approx([0, 0])


def test_regret_of_a_joint_that_is_no_equilibrium_by_hand():
    joint = np.array([[1.0, 0.0], [0.0, 0.0]])  # both are told to yield: each gains 1 by not doing so
    assert swap_regret(CHICKEN, joint) == pytest.approx([1, 1])
    assert external_regret(CHICKEN, joint) == pytest.approx([1, 1])
    anything = np.full((2, 2), 0.25)  # told either, each expects 3.5 of daring and 4 of yielding
    assert swap_regret(CHICKEN, anything) == pytest.approx([0.25, 0.25])
    assert external_regret(CHICKEN, anything) == pytest.approx([0.25, 0.25])


def test_a_swap_can_gain_where_no_fixed_strategy_does():
    # off the diagonal a sixth each: told a row, the column is one of two; the best reply to them pays 2 and 0 or 1
    joint = (1 - np.eye(3)) / 6
    assert external_regret(SHAPLEY, joint) == pytest.approx([-0.5, -0.5])
    assert swap_regret(SHAPLEY, joint) == pytest.approx([0, 0])
    pure = np.eye(3)[[1, 2, 0]] / 3  # the row always 2, the column always 1
    assert swap_regret(SHAPLEY, pure)[1] > 0.9 and external_regret(SHAPLEY, pure).max() <= 0


@pytest.mark.parametrize("kind", [correlated, coarse_correlated])
@pytest.mark.parametrize("seed", range(8))
def test_agrees_with_every_vertex_tried(kind, seed):
    rng = np.random.default_rng(seed)
    shape = [(2, 2), (2, 3), (1, 3), (2, 2), (2, 2), (3, 1), (2, 2), (1, 2)][seed]
    form = normal_form(rng.normal(size=(*shape, 2)) if seed < 4 else rng.integers(-2, 3, (*shape, 2)))
    weights = rng.normal(size=2)
    found = kind(form, weights)
    assert found.worth == pytest.approx(best_vertex(form, found.kind, weights), abs=1e-9)
    least, most = worth_range(form, weights, kind)
    assert least == pytest.approx(-best_vertex(form, found.kind, -weights), abs=1e-9)
    assert most == found.worth


@pytest.mark.parametrize("seed", range(20))
def test_certificates_hold_for_any_number_of_players(seed):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 5, rng.integers(1, 5))
    form = normal_form(rng.normal(size=(*sizes, len(sizes))) * 10.0 ** rng.integers(-6, 7))
    unit, weights = np.abs(form.payoff).max(), rng.normal(size=len(sizes))
    fine, coarse = correlated(form, weights), coarse_correlated(form, weights)
    for found in (fine, coarse):
        assert found.joint.shape == tuple(sizes) and found.joint.min() >= 0
        assert found.joint.sum() == pytest.approx(1)
        assert (gains(form, found.kind) @ found.joint.ravel()).max(initial=0.0) <= 1e-9 * unit
        assert found.regret.max() <= 1e-9 * unit
        by_hand = sum(found.joint[place] * form.payoff[place] for place in np.ndindex(*sizes))
        assert found.payoffs == pytest.approx(by_hand, abs=1e-12 * unit)
        assert found.worth == pytest.approx(weights @ by_hand, abs=1e-11 * unit)
    assert coarse.worth >= fine.worth - 1e-9 * unit
    assert external_regret(form, fine.joint).max() <= 1e-9 * unit  # a correlated equilibrium is a coarse one


@pytest.mark.parametrize(
    "profile", [([1.0, 0.0], [0.0, 1.0]), ([0.0, 1.0], [1.0, 0.0]), ([2 / 3, 1 / 3], [2 / 3, 1 / 3])]
)
def test_nash_equilibria_are_correlated_ones_and_within_the_range(profile):
    profile = tuple(map(np.array, profile))
    assert regret(CHICKEN, profile) == pytest.approx(0, abs=1e-12)
    joint = np.multiply.outer(*profile)
    assert swap_regret(CHICKEN, joint) == pytest.approx([0, 0], abs=1e-12)
    for weights in ((1, 1), (1, 0), (0, 1), (1, -2)):
        least, most = worth_range(CHICKEN, weights)
        assert least - 1e-9 <= expected(CHICKEN, profile) @ weights <= most + 1e-9


@pytest.mark.parametrize("seed", range(6))
def test_a_zero_sum_game_leaves_a_mediator_nothing_to_win(seed):
    form = bimatrix(np.random.default_rng(seed).normal(size=(4, 5)))
    value = zero_sum(form).payoffs[0, 0]
    assert worth_range(form, (1, 0)) == pytest.approx((value, value), abs=1e-9)
    assert worth_range(form, (1, 0), coarse_correlated) == pytest.approx((value, value), abs=1e-9)


def test_games_in_which_all_is_alike():
    for payoff in (np.zeros((2, 3, 2)), np.ones((1, 1, 1, 3)), np.full((2, 1), 4.0)):
        form = normal_form(payoff)
        for kind in (correlated, coarse_correlated):
            found = kind(form)
            assert found.payoffs.tolist() == pytest.approx([payoff.flat[0]] * payoff.shape[-1])
            assert found.regret == pytest.approx(np.zeros(payoff.shape[-1]))


def test_a_breakdown_of_highs_is_said(monkeypatch):
    broken = OptimizeResult(status=4, message="numerical difficulties", nit=None)
    monkeypatch.setattr(linear_program, "linprog", lambda *program, **options: broken)
    with pytest.raises(RuntimeError, match="HiGHS broke down on this game of 4 combinations: numerical difficulties"):
        correlated(CHICKEN)


def test_errors_name_the_argument():
    for wrong in ((1, 2, 3), (1,), (np.nan, 1)):
        with pytest.raises(ValueError, match="weights: one finite number per player is needed, 2 in all, not"):
            correlated(CHICKEN, wrong)
    for wrong in (np.ones((2, 2)), np.ones(4) / 4, np.array([[2.0, -1.0], [0.0, 0.0]])):
        with pytest.raises(ValueError, match=r"joint: probabilities of shape \(2, 2\) that sum to one are needed"):
            swap_regret(CHICKEN, wrong)
