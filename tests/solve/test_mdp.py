"""Decision problems: against brute force over policies, a linear program, and value iteration written out."""

from itertools import product

import numpy as np
import pytest
from scipy.optimize import linprog

from ludus.records import MDP
from ludus.solve.mdp import action_gap, plan, policy_value, q_values, softmax


def random_mdp(seed, states=5, actions=3, discount=0.9):
    rng = np.random.default_rng(seed)
    return MDP(rng.dirichlet(np.ones(states), (states, actions)), rng.standard_normal((states, actions)), discount)


def worth(mdp, actions, horizon=2000):
    """The value of a deterministic policy, reward by reward."""
    rows = np.arange(len(actions))
    reward, step = mdp.reward[rows, actions], mdp.transition[rows, actions]
    total, share = np.zeros(len(rows)), np.eye(len(rows))
    for _ in range(horizon):
        total, share = total + share @ reward, mdp.discount * share @ step
    return total


@pytest.mark.parametrize("seed", range(3))
def test_no_policy_is_better_than_the_plan(seed):
    mdp = random_mdp(seed, states=4, discount=0.8)
    found = plan(mdp)
    best = np.max([worth(mdp, np.array(actions), 200) for actions in product(range(3), repeat=4)], axis=0)
    assert found.value == pytest.approx(best, abs=1e-9)
    assert (found.policy.max(axis=1) == 1).all() and found.error < 1e-9


def test_the_value_solves_the_linear_program():
    """Puterman (1994), section 6.9: the least value that no action can beat."""
    mdp = random_mdp(7)
    states = len(mdp.reward)
    rows = (mdp.discount * mdp.transition - np.eye(states)[:, None]).reshape(-1, states)
    program = linprog(np.ones(states), A_ub=rows, b_ub=-mdp.reward.ravel(), bounds=(None, None))
    assert plan(mdp).value == pytest.approx(program.x, abs=1e-7)


@pytest.mark.parametrize("temperature", [0.01, 0.3, 5.0])
def test_the_soft_value_is_the_fixed_point_of_soft_value_iteration(temperature):
    mdp = random_mdp(3)
    value = np.zeros(5)
    for _ in range(500):
        q = mdp.reward + mdp.discount * np.einsum("sat,t->sa", mdp.transition, value)
        value = q.max(1) + temperature * np.log(np.exp((q - q.max(1)[:, None]) / temperature).sum(1))
    found = plan(mdp, temperature)
    assert found.value == pytest.approx(value, abs=1e-9)
    assert found.policy == pytest.approx(np.exp((found.q - found.value[:, None]) / temperature), abs=1e-9)


def test_cold_is_the_limit_of_warm_and_hot_is_even():
    mdp = random_mdp(1)
    assert plan(mdp, 1e-4).value == pytest.approx(plan(mdp).value, abs=1e-2)
    assert plan(mdp, 1e6).policy == pytest.approx(1 / 3, abs=1e-5)


def test_a_tie_goes_to_the_first_action_and_has_no_gap():
    mdp = MDP(np.full((2, 2, 2), 0.5), np.array([[1.0, 1.0], [0.0, 0.5]]), 0.5)
    found = plan(mdp)
    assert found.policy.tolist() == [[1, 0], [0, 1]] and action_gap(found.q) == pytest.approx([0, 0.5])
    assert found.value.tolist() == pytest.approx([1.75, 1.25])  # v = r + (v0 + v1) / 4, by hand


def test_parts_by_hand():
    mdp = MDP(np.eye(2)[:, None].repeat(2, 1), np.array([[1.0, 0.0], [0.0, 2.0]]), 0.5)  # nobody ever moves
    even = np.full((2, 2), 0.5)
    assert policy_value(mdp, even) == pytest.approx([1, 2])
    assert policy_value(mdp, even, 1.0) == pytest.approx([1 + 2 * np.log(2), 2 + 2 * np.log(2)])
    assert q_values(mdp, np.array([2.0, 4.0])) == pytest.approx(np.array([[2, 1], [2, 4]]))
    assert softmax(np.log([[1.0, 3.0]]), 1.0) == pytest.approx(np.array([[0.25, 0.75]]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"transition": np.ones((5, 3, 5))}, "sum to one"),
        ({"transition": np.ones((5, 3, 4))}, "are needed"),
        ({"reward": np.full((5, 3), np.nan)}, "finite"),
        ({"discount": 1.0}, "discount"),
    ],
)
def test_what_is_no_decision_problem_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        plan(random_mdp(0)._replace(**change))


def test_a_temperature_below_zero_is_refused():
    with pytest.raises(ValueError, match="temperature"):
        plan(random_mdp(0), -1.0)
