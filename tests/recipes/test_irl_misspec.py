"""Inverse learning under a wrong model: the distance by its properties, explanations by what they explain."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize

from ludus.recipes.worlds import irl_misspec as irl
from ludus.recipes.worlds.irl_misspec import ARMS, MODELS, Settings
from ludus.solve.mdp import plan, policy_value

SMALL = Settings(states=(8,))


@pytest.fixture
def mdp():
    return irl.draw(SMALL, np.random.default_rng(4))


def shaped(mdp, potential):
    """r + discount E[V(s')] - V(s), entry by entry."""
    ahead = np.array(
        [[sum(p * v for p, v in zip(row, potential, strict=True)) for row in rows] for rows in mdp.transition]
    )
    return mdp.reward + mdp.discount * ahead - potential[:, None]


def test_the_distance_sees_neither_shaping_nor_scale_and_all_of_a_sign(mdp):
    potential = np.random.default_rng(0).standard_normal(8) * 5
    assert irl.distance(mdp, mdp.reward, 3 * shaped(mdp, potential)) == pytest.approx(0, abs=1e-12)
    assert irl.distance(mdp, mdp.reward, -mdp.reward) == pytest.approx(1)
    other = np.random.default_rng(1).standard_normal(mdp.reward.shape)
    assert 0 < irl.distance(mdp, mdp.reward, other) == irl.distance(mdp, other, mdp.reward) < 1
    assert irl.distance(mdp, mdp.reward, np.ones_like(other)) == 0.5


def test_canonical_forms_are_the_advantages_of_even_play(mdp):
    """Q - V by following the uniform policy reward by reward."""
    even = mdp.transition.mean(axis=1)
    value, share = np.zeros(8), np.eye(8)
    for _ in range(1500):
        value, share = value + share @ mdp.reward.mean(axis=1), mdp.discount * share @ even
    q = mdp.reward + mdp.discount * mdp.transition @ value
    assert irl.canonical(mdp, mdp.reward) == pytest.approx(q - value[:, None], abs=1e-9)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("arm", ["right", "wrong_beta", "wrong_discount", "wrong_dynamics"])
def test_every_explanation_explains_what_was_seen(mdp, model, arm):
    """Put back into the assumed model, each reward gives the very policy: the learner is not at fault, its model is."""
    rng = np.random.default_rng(2)
    believed = irl.believed_world(mdp, ARMS[arm], rng)
    policy = irl.demonstrate(mdp, model, ARMS[arm].beta)
    found = irl.explanations(policy, model, believed, mdp, ARMS[arm], rng.standard_normal(8))
    assert set(found) == {"least_norm", "state_only", "random", "worst"}
    for reward in found.values():
        again = irl.demonstrate(believed._replace(reward=reward), model, ARMS[arm].assumed_beta)
        assert again == pytest.approx(policy, abs=1e-8)


def test_least_norm_and_state_only_are_what_their_names_say(mdp):
    policy = irl.demonstrate(mdp, "boltzmann", 2.0)
    found = irl.explanations(policy, "boltzmann", mdp, mdp, SMALL, np.zeros(8))
    for name, size in (("least_norm", lambda r: (r**2).sum()), ("state_only", lambda r: r.var(axis=1).sum())):
        for seed in range(5):
            nudge = 1e-3 * np.random.default_rng(seed).standard_normal(8)
            other = shaped(mdp._replace(reward=found[name]), nudge)
            assert size(found[name]) <= size(other) + 1e-12


def test_no_search_finds_a_worse_explanation_than_the_worst(mdp):
    rng = np.random.default_rng(3)
    believed = irl.believed_world(mdp, ARMS["wrong_discount"], rng)
    policy = irl.demonstrate(mdp, "causal_entropy", 2.0)
    found = irl.explanations(policy, "causal_entropy", believed, mdp, ARMS["wrong_discount"], np.zeros(8))
    advantage = found["random"]  # its potential is zero
    worst = irl.distance(mdp, mdp.reward, found["worst"])

    def error(potential):
        return -irl.distance(mdp, mdp.reward, shaped(believed._replace(reward=advantage), potential))

    for seed in range(2):
        start = 100 * np.random.default_rng(seed).standard_normal(8)
        assert -minimize(error, start, method="BFGS", options={"maxiter": 60}).fun <= worst + 1e-3
    assert worst > 0.5


def test_regret_is_nothing_for_the_truth_and_all_for_its_opposite(mdp):
    assert irl.regret(mdp, mdp.reward) == pytest.approx(0, abs=1e-12)
    assert irl.regret(mdp, -mdp.reward) == pytest.approx(1)
    lazy = np.zeros_like(mdp.reward)  # nothing to choose: the first action everywhere
    first = np.eye(4)[np.zeros(8, int)]
    best, worst = plan(mdp).value.mean(), -plan(mdp._replace(reward=-mdp.reward)).value.mean()
    assert irl.regret(mdp, lazy) == pytest.approx((best - policy_value(mdp, first).mean()) / (best - worst))


def test_a_shift_is_as_large_as_it_says_and_turns_only_the_faint(mdp):
    for arm in ("faint", "firm"):
        settings = replace(ARMS[arm], states=(8,))
        world = irl.shrunk(mdp, "boltzmann", settings) if settings.faint else mdp
        before, after = irl.demonstrate(world, "boltzmann", 2.0), irl.shifted(world, "boltzmann", settings)
        assert irl.variation(before, after) == pytest.approx(1e-4, rel=1e-3)
        seen = irl.explanations(after, "boltzmann", world, world, settings, np.zeros(8))["least_norm"]
        assert (irl.distance(world, world.reward, seen) > 0.99) == (arm == "faint")


def test_settings_are_checked():
    with pytest.raises(ValueError, match="assumed_drift"):
        Settings(assumed_drift=2.0)
