"""GTAlign: the decision by the matrix, exact judgements by hand, and what learning does to what is written."""

from dataclasses import replace

import numpy as np
import pytest

from ludus.recipes.equilibria import gtalign
from ludus.recipes.equilibria.gtalign import ARMS, LEVELS, TOKENS, Settings, World


def written(matrix):
    """A policy that surely writes the matrix float64[topics, 2, 3, 2] of levels."""
    return np.where(np.isclose(LEVELS, np.asarray(matrix)[..., None]), 50.0, 0.0)


ONE = World(np.array([[[0.3, 0.6, 0.5], [0.7, 0.6, 0.4]]]), np.array([[[0.3, 0.6, 0.8], [0.8, 0.8, 0.9]]]))
TRUE = np.stack([ONE.user, ONE.model], axis=-1)


def test_answers_are_the_best_cells_of_what_is_written():
    for reward, expected in (("mutual", [2, 0]), ("user", [1, 0]), ("model", [2, 2]), ("sum", [2, 0])):
        assert gtalign.answers(written(TRUE), Settings(reward=reward))[0].tolist() == expected
    # sqrt(0.5 * 0.8) = 0.632 beats sqrt(0.6 * 0.6); sqrt(0.7 * 0.8) beats sqrt(0.6 * 0.8) and sqrt(0.4 * 0.9)


def test_editing_the_matrix_is_knowing_the_new_prices():
    settings = Settings()
    for dearer in (0.8, -0.15):
        changed = ONE._replace(model=ONE.model + dearer * TOKENS)
        welfare = np.sqrt(np.maximum(changed.user, 0) * np.maximum(changed.model, 0))
        assert (gtalign.answers(written(TRUE), settings, dearer) == welfare.argmax(axis=2)).all()


def test_judgements_by_hand():
    judged = gtalign.judge(ONE, written(TRUE), replace(Settings(), up=0.0, down=0.0))
    found = {name: value.number for name, value in judged.items()}
    assert found["welfare_share"] == 1.0 == found["unedited_share"]
    assert (found["user"], found["model"], found["precise"]) == (0.7, 0.8, 1.0)  # vague earns the user 0.5
    selfish = gtalign.judge(ONE, written(TRUE), Settings(reward="model"))
    assert (selfish["user"].number, selfish["model"].number) == (0.5, 0.8)  # both reason: 0.5 vague, 0.4 precise
    share = (1 + np.sqrt(0.4 * 0.9) / np.sqrt(0.7 * 0.8)) / 2
    assert selfish["welfare_share"].number == pytest.approx(share)


def test_the_pattern_is_a_dilemma():
    """Without noise: always reasoning is dominant for the model, and both do better where it answers the precise."""
    worlds = [gtalign.draw(50, np.random.default_rng(seed)) for seed in range(4)]
    user, model = (np.mean([world[part].mean(axis=0) for world in worlds], axis=0) for part in range(2))
    assert (model.argmax(axis=1) == 2).all() and user[0, 2] > user[1, 2]
    assert user[1, 0] > user[0, 2] and model[1, 0] > model[0, 2]


def trained(arm, updates=400, seed=1):
    settings = replace(ARMS[arm], topics=1, updates=updates)
    rng = np.random.default_rng(seed)
    world = gtalign.draw(1, rng)
    policy = np.zeros((1, 2, 3, 2, 11)) if settings.matrix else np.zeros((1, 2, 3))
    means = np.zeros((1, 2))
    for _ in range(updates):
        gtalign.improve(world, policy, means, settings, rng)
    return world, policy, settings


def test_paying_for_nearness_teaches_the_numbers_and_shuffled_payoffs_do_not():
    """With every answer given at random welfare moves nothing, and each number is taught alone."""
    errors = {}
    for arm in ("mutual", "shuffled"):
        settings = replace(ARMS[arm], topics=1, explore=1.0)
        rng = np.random.default_rng(1)
        world, means = gtalign.draw(1, rng), np.zeros((1, 2))
        policy = np.zeros((1, 2, 3, 2, 11))
        for _ in range(300):
            gtalign.improve(world, policy, means, settings, rng)
        wrote = LEVELS[policy[0].argmax(axis=-1)]
        errors[arm] = np.abs(wrote - np.stack([part[0] for part in world], axis=-1)).mean()
    assert errors["mutual"] < 0.06 < 0.1 < errors["shuffled"]


def test_without_a_matrix_there_is_nothing_to_edit():
    world, policy, settings = trained("no_matrix", updates=50)
    assert (gtalign.answers(policy, settings, 5.0) == gtalign.answers(policy, settings)).all()
    numbers = gtalign.judge(world, policy, settings)
    assert numbers["edited_share"].number == numbers["unedited_share"].number


def test_settings_are_checked():
    with pytest.raises(ValueError, match="reward"):
        Settings(reward="fame")
