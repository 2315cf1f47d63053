"""Sharpening: exact sums against sampling, policies against closed forms, and parts of XPO against brute force."""

from dataclasses import replace
from math import comb

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import logsumexp

from ludus import tasks
from ludus.learn.rollout import texts
from ludus.models.words import Words
from ludus.recipes.reasoners import sharpening
from ludus.recipes.reasoners.sharpening import ARMS, RECIPE, Data, Settings


class Silent:
    def __init__(self):
        self.rows, self.kept, self.text = [], None, ""

    def row(self, step, **metrics):
        self.rows.append(metrics)

    def example(self, text):
        self.text = text

    def restore(self):
        return None

    def checkpoint(self, state):
        self.kept = state


def numbers(arm, seed=0, **changes):
    run = RECIPE.run(replace(ARMS[arm], **changes), np.random.default_rng(seed), Silent())
    return {name: value.number for name, value in run.items()}


# Tables


@pytest.mark.parametrize("coverage", [8, 40.5, 256])
def test_the_likeliest_sequence_is_the_one_built_and_greedy_decoding_misses_it(coverage):
    chance, star = sharpening.garden_path(coverage, np.random.default_rng(3))
    assert chance.sum() == pytest.approx(1) and chance.argmax() == star
    assert 1 / chance[star] == pytest.approx(coverage)
    assert np.sort(chance)[-2] < chance[star] / 1.5
    tree = chance.reshape((4,) * 6)
    greedy = []
    for _ in range(6):
        greedy.append(int(tree[tuple(greedy)].reshape(4, -1).sum(axis=1).argmax()))
    assert np.ravel_multi_index(greedy, (4,) * 6) == sharpening.greedy_path(chance) != star
    assert sharpening.spell(star) == "".join("abcd"[at] for at in np.unravel_index(star, (4,) * 6))


def test_best_of_n_by_hand_and_with_a_reward_that_prefers_another():
    chance = np.array([0.5, 0.3, 0.2])
    sizes = np.array([1.0, 2.0, 3.0])
    assert sharpening.best_of(chance, np.log(chance), sizes) == pytest.approx(1 - 0.5**sizes)
    second = np.array([1.0, 2.0, 0.0])  # y*, the first, wins unless the second was drawn
    assert sharpening.best_of(chance, second, sizes) == pytest.approx(0.7**sizes - 0.2**sizes)


@pytest.mark.parametrize("stop", [0.4, 1.3, 3.0])
def test_adaptive_sampling_against_a_simulation(stop):
    chance = np.array([0.2, 0.15, 0.15, *[0.05] * 10])
    rng = np.random.default_rng(1)
    spent, found = [], []
    for answers in chance[rng.choice(13, size=(3000, 100), p=chance)]:
        best, k = 0.0, 0
        while not best or 1 / best > k / stop + 1e-12:  # equation 10
            best, k = max(best, answers[k]), k + 1
        spent.append(k)
        found.append(best == 0.2)
    cost, hit = sharpening.adaptive(chance, stop)
    assert cost == pytest.approx(np.mean(spent), abs=4 * np.std(spent) / 3000**0.5)
    assert hit == pytest.approx(np.mean(found), abs=0.03)
    assert cost <= (stop + 1) / 0.2 and hit >= 1 - np.exp(-stop)  # lemma I.1 of the paper


def test_the_share_sharpened_against_runs_of_best_of_n():
    """Prompts, answers, the best of them and frequencies are drawn and counted; the sum says how often that works."""
    rng = np.random.default_rng(5)
    chance, star = sharpening.garden_path(8, rng)
    size, prompts = 23, 3
    share = np.array([0.5, 0.3, 0.2])
    hit = np.full((1, prompts), sharpening.best_of(chance, np.log(chance), np.array([size]))[0])
    m, sharp = sharpening.splits(share, 1, np.full((1, prompts), size), hit, 0.0, np.zeros(1))
    at = int(np.flatnonzero(m[:, 0] == 8 * size)[0])
    worked = []
    for _ in range(1500):
        prompt = rng.choice(prompts, 8, p=share)
        drawn = rng.choice(len(chance), (8, size), p=chance)
        best = drawn[np.arange(8), chance[drawn].argmax(axis=1)] == star
        fitted = [best[prompt == x].mean() if (prompt == x).any() else 0.0 for x in range(prompts)]
        worked.append(share @ (np.array(fitted) >= 1 - sharpening.DELTA))
    assert sharp[at, 0] == pytest.approx(np.mean(worked), abs=4 * np.std(worked) / 1500**0.5)


def test_prompts_of_one_sort_count_as_often_as_there_are():
    cost, hit, idle = np.array([[3.0], [9.0]]), np.array([[0.4], [0.8]]), np.ones(2)
    together = sharpening.splits(np.array([0.1]), 4, cost, hit, 0.6, idle)
    apart = sharpening.splits(np.full(4, 0.1), 1, np.repeat(cost, 4, axis=1), np.repeat(hit, 4, axis=1), 0.6, idle)
    np.testing.assert_allclose(together, apart, rtol=1e-12)
    assert 0.3 < together[1].max() < 1


def test_the_instance_of_the_lower_bound_costs_its_order_and_nothing_helps_a_random_reward():
    rng = np.random.default_rng(0)
    fixed = [sharpening.hard(Settings(), 4, epsilon, rng) * epsilon**2 for epsilon in (1 / 16, 1 / 64)]
    assert fixed[0] == pytest.approx(fixed[1], rel=0.1)
    assert sharpening.hard(Settings(reward="random"), 4, 1 / 16, rng) == sharpening.NEVER
    told = numbers("best_of_n", coverages=(8, 64))
    assert 0.8 < told["slope"] < 1.2 and told["sharpened"] > 0.95
    assert numbers("random_reward", coverages=(16, 64))["sharpened"] < 0.8


# Branches


def test_branches_are_a_policy_whose_rare_tip_is_the_likeliest():
    world = sharpening.branches(128, np.random.default_rng(2))
    policy = sharpening.tilted(world, world.features @ world.theta)
    single = policy / world.number
    assert world.number.sum() == 8 * 4**5 and world.number[world.star] == 1
    assert single[world.star] == pytest.approx(1 / 128) and single.argmax() == world.star
    assert np.sort(single)[-2] * 1.5 <= single[world.star]
    assert policy.reshape(8, 6).sum(axis=1)[world.star // 6] == pytest.approx(2 / 128)
    assert np.linalg.norm(world.features, axis=1).max() <= 1 + 1e-12
    assert world.number[:6] == pytest.approx([comb(5, s) * 3 ** (5 - s) for s in range(6)])


def test_minimising_on_a_ball_against_a_general_solver():
    rng = np.random.default_rng(4)
    half = rng.normal(size=(4, 3))
    gram, linear = half @ half.T, rng.normal(size=(2, 4)) * 3  # of rank 3: one direction is free
    for scale in (1.0, 1e-3):
        found = sharpening.on_ball(*np.linalg.eigh(gram), linear * scale, 0.7)
        for row, c in zip(found, linear * scale, strict=True):
            best = minimize(
                lambda u, c=c: u @ gram @ u - 2 * c @ u,
                np.zeros(4),
                constraints={"type": "ineq", "fun": lambda u: 0.49 - u @ u},
                options={"ftol": 1e-14, "maxiter": 500},
            )
            assert np.linalg.norm(row) <= 0.7 * (1 + 1e-6)
            assert row @ gram @ row - 2 * c @ row <= best.fun + 1e-7


def pairs(world, rng, count, beta):
    """Pairs from the base, noise-free targets, and the sums that are kept of them."""
    base = sharpening.tilted(world, world.features @ world.theta)
    one, two = rng.choice(len(base), (2, count), p=base)
    lead = world.features[one] - world.features[two]
    target = (1 + beta) * lead @ world.theta
    return one, two, Data(lead.T @ lead, lead.T @ target, world.features[two].sum(axis=0), count), target


def test_without_bonus_the_fit_is_the_closed_form_where_the_pairs_tell_and_the_base_where_they_do_not():
    world, beta = sharpening.branches(64, np.random.default_rng(0)), 0.03
    start = beta * world.theta
    _, _, data, _ = pairs(world, np.random.default_rng(1), 3000, beta)
    told = sharpening.fit(world, data, 0.0, beta, 1e9, start)
    energy = world.features @ told / beta
    exact = sharpening.tilted(world, (1 + 1 / beta) * world.features @ world.theta)  # base ** (1 + 1 / beta)
    assert sharpening.tilted(world, energy) == pytest.approx(exact, abs=1e-6) and exact[world.star] > 0.75
    nothing = Data(*(np.zeros_like(part) for part in data[:3]), 0)
    assert sharpening.fit(world, nothing, 0.0, beta, 1e9, start) == pytest.approx(start)


def test_the_bonus_goes_down_its_objective_and_favours_what_was_never_seen():
    world, beta, weight = sharpening.branches(64, np.random.default_rng(0)), 0.03, 0.05
    one, two, data, target = pairs(world, np.random.default_rng(1), 6, beta)
    radius, start = 1.5 * np.linalg.norm(world.theta), beta * world.theta

    def objective(u):  # algorithm 1 as the proof of theorem J.1 has it, term by term
        energy = world.features @ u / beta
        squares = ((world.features[one] - world.features[two]) @ u - target) ** 2
        log_policy = energy[two] - logsumexp(energy, b=world.number)  # of one sequence of the kind
        return squares.sum() + weight * beta * log_policy.sum()

    found = sharpening.fit(world, data, weight, beta, radius, start)
    plain = sharpening.fit(world, data, 0.0, beta, radius, start)
    assert objective(found) < objective(plain) and np.linalg.norm(found) <= radius * (1 + 1e-6)
    rng = np.random.default_rng(2)
    for step in 0.05 * rng.normal(size=(50, 16)):
        near = found + step
        assert objective(found) <= objective(near * min(1, radius / np.linalg.norm(near))) + 1e-6
    seen = np.unique(np.concatenate([one, two]) // 6)
    mass = sharpening.tilted(world, world.features @ found / beta).reshape(8, 6).sum(axis=1)
    assert mass[seen].sum() < 0.5 and len(seen) < 8


def test_exploration_finds_the_rare_branch_and_only_where_it_is_told_what_is_good():
    need = {arm: numbers(arm, 1, coverages=(128,), repeats=3)["samples/128"] for arm in ("xpo", "no_bonus", "dpo")}
    assert need["xpo"] + 1 < min(need["no_bonus"], need["dpo"])
    assert numbers("xpo_random", 1, coverages=(32,), repeats=2)["samples/32"] > 6


# The model


def test_lessons_are_right_or_off_by_one_as_often_as_they_should():
    task = tasks.load("arithmetic")
    words = Words(task.words)
    problems = tasks.problems(task, tasks.Train(0), 0, 200)
    for habit, low, high in ((0.0, 1.0, 1.0), (0.5, 0.4, 0.6), (1.0, 0.0, 0.0)):
        written = texts(words, sharpening.lessons(task, words, problems, habit, np.random.default_rng(0)))
        right = [task.check(p, task.answer_of(p, text)) for p, text in zip(problems, written, strict=True)]
        assert low <= np.mean(right) <= high
        off = [(int(text.split()[-1]) - p.key[2]) % 10 for p, text in zip(problems, written, strict=True)]
        assert set(off) <= {0, 1}


def test_the_likeliest_is_picked_and_tracking_counts_pairs():
    assert sharpening.likeliest(np.array([-3.0, -1.0, -2.0, -5.0, -4.0, -9.0]), 3).tolist() == [1, 4]
    right = np.array([[True, False, False], [True, True, True]])
    assert sharpening.tracking(np.array([[-1.0, -2.0, -0.5], [0.0, 0.0, 0.0]]), right) == 0.5
    assert sharpening.tracking(np.array([[-1.0, -2.0, -1.0], [0.0, 0.0, 0.0]]), right) == 0.75
    assert sharpening.tracking(np.zeros((1, 2)), np.ones((1, 2), bool)) == 0.5


def test_arms_of_a_model_share_their_base():
    small = {"warm": 20, "taught": 64, "budget": 100, "examined": 2, "steps": 1}
    own, chance = numbers("model", 3, **small), numbers("model_random", 3, **small)
    assert own["before"] == chance["before"]
    assert own["tracking"] != chance["tracking"]
    assert own["lift"] == pytest.approx(own["accuracy"] - own["before"])


@pytest.mark.parametrize(
    "wrong", [{"part": "none"}, {"method": "ppo"}, {"coverages": (4,)}, {"choices": 5}, {"part": "branches"}]
)
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match="setting"):
        Settings(**wrong)
