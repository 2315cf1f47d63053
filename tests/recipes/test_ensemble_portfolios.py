"""Combining portfolios: the universal one against its integral, best mixes against a grid, markets that do as said."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import dirichlet

from ludus.recipes.equilibria import ensemble_portfolios as ensemble
from ludus.recipes.equilibria.ensemble_portfolios import ARMS, Settings


def test_the_lattice_holds_every_mix_once_and_the_priors_means():
    mixes, prior = ensemble.lattice()
    assert len(mixes) == 2925 == len(np.unique(mixes, axis=0)) and mixes.sum(axis=1) == pytest.approx(1)
    assert prior.sum() == pytest.approx(1) and prior @ mixes == pytest.approx(np.full(4, 0.25))
    # E[w1 w2] of a Dirichlet-multinomial: (1/4)^2 * 2 / 3 (a = 1/2, four of them), less what drawing 24 times takes off
    assert prior @ (mixes[:, 0] * mixes[:, 1]) == pytest.approx(0.25 * 0.5 / 3 * 23 / 24)


def test_universal_wealth_is_the_mean_wealth_of_all_mixes():
    """Three periods, two of the components alike: against an integral over the simplex of the other weights."""
    rng = np.random.default_rng(0)
    relatives = np.exp(0.3 * rng.standard_normal((3, 4)))
    wealth = np.prod(ensemble.universal(relatives))
    draws = dirichlet(np.full(4, 0.5)).rvs(200_000, random_state=1)
    assert wealth == pytest.approx(np.prod(draws @ relatives.T, axis=1).mean(), rel=3e-3)


def test_one_period_is_an_even_split_and_two_by_hand():
    relatives = np.array([[2.0, 1.0, 1.0, 1.0], [1.0, 3.0, 1.0, 1.0]])
    earned = ensemble.universal(relatives)
    assert earned[0] == pytest.approx(1.25)
    mixes, prior = ensemble.lattice()
    assert earned[0] * earned[1] == pytest.approx(prior @ ((1 + mixes[:, 0]) * (1 + 2 * mixes[:, 1])))


def test_the_best_mix_is_best():
    rng = np.random.default_rng(3)
    relatives = np.exp(0.2 * rng.standard_normal((50, 4)))
    mix, worth = ensemble.best_mix(relatives)
    grid, _ = ensemble.lattice()
    assert mix.sum() == pytest.approx(1) and worth == pytest.approx(np.log(relatives @ mix).sum())
    assert worth >= np.log(relatives @ grid.T).sum(axis=0).max() - 1e-4


def test_rules_use_the_past_alone():
    """Changing the last period changes no earlier one."""
    rng = np.random.default_rng(4)
    relatives = np.exp(0.2 * rng.standard_normal((20, 4)))
    changed = relatives.copy()
    changed[-1] = [5.0, 0.1, 1.0, 1.0]
    for arm in ARMS.values():
        before, after = (ensemble.combine(market, arm) for market in (relatives, changed))
        assert before[:-1] == pytest.approx(after[:-1], rel=1e-12) and before[-1] != after[-1]


def test_split_and_leader_by_hand():
    relatives = np.array([[2.0, 1.0, 1.0, 1.0], [0.5, 3.0, 1.0, 1.0]])
    split = ensemble.combine(relatives, Settings(rule="split", periods=16))
    assert split == pytest.approx([5 / 4, (1 + 3 + 1 + 1) / 5])
    assert ensemble.combine(relatives, Settings(rule="leader", periods=16)).tolist() == [2.0, 0.5]
    assert ensemble.combine(relatives, Settings(rule="rebalanced", periods=16)).tolist() == [1.25, 1.375]


def test_the_adversary_ruins_whoever_follows_the_leader():
    relatives = ensemble.against_the_leader(40, 0.1)
    assert (ensemble.combine(relatives, Settings(rule="leader")) == 0.9).all()
    assert ((relatives == 0.9).sum(axis=1) == 1).all() and ensemble.best_mix(relatives)[1] > 0


def test_momentum_and_reversion_hold_what_rose_and_fell():
    relatives = np.array([[1.1, 0.9], [1.2, 1.3], [0.8, 1.5]])
    assert ensemble.components(relatives, "independent")[1:, 2:].tolist() == [[1.2, 1.3], [1.5, 0.8]]


def test_lone_markets_have_one_component_that_matters():
    small = replace(ARMS["lone"], markets=2, periods=100)
    assert ensemble.tally(small, np.random.default_rng(5))[0] == 0.0  # no mix of components tops the one that is best


def test_settings_are_checked():
    with pytest.raises(ValueError, match="rule"):
        Settings(rule="best")
