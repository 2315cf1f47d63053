"""Baselines against their definitions, the gradient against finite differences, and learners against known answers."""

import numpy as np
import pytest
import torch

from ludus.learn import policy_gradient as pg
from ludus.learn.weights import pack, unpack
from ludus.models.transformer import Size, Transformer

DECAY = 0.95


def episodes():
    rng = np.random.default_rng(0)
    first = rng.choice([-1.0, 0.0, 1.0], size=40)
    return rng.integers(0, 3, size=40), np.stack([first, -first], axis=1)


def test_role_baseline_is_algorithm_1_of_spiral():
    game, payoff = episodes()
    mean, advantage = np.full((3, 2), 0.25), np.zeros_like(payoff)
    for episode, which in enumerate(game):  # lines 19 to 24: the average is updated first
        for player in range(2):
            mean[which, player] = DECAY * mean[which, player] + (1 - DECAY) * payoff[episode, player]
            advantage[episode, player] = payoff[episode, player] - mean[which, player]
    got_mean, got = pg.role_baseline(np.full((3, 2), 0.25), game, payoff, DECAY)
    np.testing.assert_allclose(got, advantage)
    np.testing.assert_allclose(got_mean, mean)


def test_shared_baseline_is_one_average_and_none_is_none():
    game, payoff = episodes()
    mean, advantage = 0.0, np.zeros_like(payoff)
    for episode in range(len(payoff)):
        for player in range(2):
            mean = DECAY * mean + (1 - DECAY) * payoff[episode, player]
            advantage[episode, player] = payoff[episode, player] - mean
    got_mean, got = pg.shared_baseline(np.zeros((3, 2)), game, payoff, DECAY)
    np.testing.assert_allclose(got, advantage)
    np.testing.assert_allclose(got_mean, mean)
    np.testing.assert_array_equal(pg.no_baseline(np.zeros((3, 2)), game, payoff, DECAY)[1], payoff)


def test_role_baseline_lowers_the_variance_where_roles_differ():
    rng = np.random.default_rng(1)
    first = np.where(rng.random(4000) < 0.9, 1.0, -1.0)  # player 0 nearly always wins
    payoff, game = np.stack([first, -first], axis=1), np.zeros(4000, int)
    role = pg.role_baseline(np.zeros((1, 2)), game, payoff, DECAY)[1][500:]
    shared = pg.shared_baseline(np.zeros((1, 2)), game, payoff, DECAY)[1][500:]
    assert role.var() < 0.5 * shared.var()  # 0.36 in the limit: 1 - 0.8 squared


@pytest.fixture
def model():
    return Transformer(Size(1, 8, 2, 6, 9), np.random.default_rng(2))


def replies(rng, count=6):
    prompt, reply = rng.integers(1, 9, (count, 3)), rng.integers(1, 9, (count, 3))
    prompt[:2, 0] = 0
    reply[3:, 2] = 0
    return pg.Replies(prompt, reply)


@pytest.mark.parametrize("entropy", [0.0, 0.3])
def test_the_gradient_is_the_slope_of_the_loss(model, entropy):
    model.double()
    rng = np.random.default_rng(3)
    wrote, advantage = replies(rng), rng.normal(size=6)
    pg.policy_gradient_loss(model, wrote, advantage, entropy).backward()
    weight = model.blocks[0].mlp_in.weight
    for place in [(0, 0), (5, 3), (20, 7)]:
        losses = []
        for step in (1e-5, -1e-5):
            with torch.no_grad():
                weight[place] += step
                losses.append(float(pg.policy_gradient_loss(model, wrote, advantage, entropy)))
                weight[place] -= step
        assert float(weight.grad[place]) == pytest.approx((losses[0] - losses[1]) / 2e-5, rel=1e-4, abs=1e-9)


def test_it_learns_the_better_of_two_words_and_imitation_copies(model):
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.0)
    prompt = np.full((64, 1), 3)
    rng = np.random.default_rng(4)
    for _ in range(60):
        reply = rng.integers(1, 3, (64, 1))
        advantage = np.where(reply[:, 0] == 2, 1.0, -1.0)
        pg.descend(model, optimiser, pg.policy_gradient_loss(model, pg.Replies(prompt, reply), advantage, 0.0))
    log_probability, _ = pg.score(model, pg.Replies(prompt[:1], np.array([[2]])))
    assert float(log_probability.detach().exp()) > 0.9
    for _ in range(60):
        pg.descend(model, optimiser, pg.imitation_loss(model, pg.Replies(prompt, np.full((64, 1), 7))))
    log_probability, _ = pg.score(model, pg.Replies(prompt[:1], np.array([[7]])))
    assert float(log_probability.detach().exp()) > 0.9


def test_a_learner_goes_on_from_its_packed_state_bit_for_bit(model):
    def train(model, optimiser, rng, steps):
        for _ in range(steps):
            pg.descend(model, optimiser, pg.imitation_loss(model, replies(rng)))

    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2)
    train(model, optimiser, np.random.default_rng(5), 3)
    packed = pack(model, optimiser)
    other = Transformer(model.size, np.random.default_rng(99))
    unpack(other, fresh := torch.optim.AdamW(other.parameters(), lr=1e-2), packed)
    train(model, optimiser, np.random.default_rng(6), 3)
    train(other, fresh, np.random.default_rng(6), 3)
    for one, two in zip(model.parameters(), other.parameters(), strict=True):
        assert torch.equal(one, two)
