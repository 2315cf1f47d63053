"""The policy cliff: ties that are ties, jumps by hand, and arms that do what they say."""

from dataclasses import replace

import numpy as np
import pytest

from ludus.recipes.inside import policy_cliff as cliff
from ludus.recipes.inside.policy_cliff import ARMS, RECIPE, Settings
from ludus.records import MDP
from ludus.solve.mdp import action_gap, plan


class Silent:
    def row(self, step, **metrics):
        pass

    def example(self, text):
        self.text = text


def numbers(arm, seed=0, problems=4):
    run = RECIPE.run(replace(ARMS[arm], problems=problems), np.random.default_rng(seed), Silent())
    return {name: value.number for name, value in run.items()}


def test_a_tie_is_a_tie_and_leaves_the_optimal_values_alone():
    rng = np.random.default_rng(5)
    for _ in range(5):
        mdp = cliff.draw(Settings(), rng)
        tied = cliff.tie(mdp, rng)
        assert plan(tied).value == pytest.approx(plan(mdp).value, abs=1e-9)
        assert action_gap(plan(tied).q).min() < 1e-11 < action_gap(plan(mdp).q).min()
        assert (tied.reward != mdp.reward).sum() == 1


def test_the_jump_of_a_bandit_by_hand():
    """One state, two actions worth the same: whichever gets the millionth more is played alone."""
    even = MDP(np.ones((1, 2, 1)), np.zeros((1, 2)), 0.0)
    left, right = (even._replace(reward=np.array([[step, -step]])) for step in (1e-6, -1e-6))
    assert cliff.jump(plan(left), plan(right)) == 1.0
    soft = cliff.jump(plan(left, 0.1), plan(right, 0.1))
    assert soft == pytest.approx(np.tanh(1e-5), rel=1e-6)  # 1 / (1 + exp(-x)) on both sides of 0, x = 2e-6 / 0.1
    assert 2 * soft * 0.1 / 2e-6 == pytest.approx(1.0)  # the bound of claim 5 is reached here: it cannot be tightened


@pytest.mark.parametrize("seed", range(2))
def test_ties_jump_and_gaps_do_not(seed):
    assert numbers("tied", seed)["jump/1e-06"] == 1.0
    drawn = numbers("as_drawn", seed)
    assert drawn["jump/1e-06"] == 0.0 == drawn["jump_beyond_gap"] and drawn["jump/0.1"] > 0
    assert numbers("any_gap", seed)["jump_beyond_gap"] == 1.0


def test_entropy_bounds_the_slope_and_costs_reward():
    costs = [numbers(arm)["entropy_cost"] for arm in ("tied", "cold", "cool", "warm", "hot")]
    assert costs == sorted(costs) and costs[0] == pytest.approx(0, abs=1e-9) and costs[-1] > 0.1
    assert numbers("cool")["steepness"] <= 1.0 < 1e3 < numbers("tied")["steepness"]


def test_a_mixture_jumps_where_the_effective_reward_ties():
    at, elsewhere = numbers("mixed"), numbers("mixed_anywhere")
    assert at["jump/1e-06"] == 1.0 and at["gap_at_jump"] < 1e-9
    assert elsewhere["jump/1e-06"] == 0.0 and elsewhere["gap_at_jump"] > 1e-4


@pytest.mark.parametrize("wrong", [{"mix": "some"}, {"states": 1}, {"temperature": -1.0}])
def test_settings_are_checked(wrong):
    with pytest.raises(ValueError, match="setting"):
        Settings(**wrong)
