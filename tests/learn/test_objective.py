"""Losses against their definitions and their gradients' closed forms; a policy gradient finds the better reply."""

import numpy as np
import pytest
import torch

from ludus.learn.advantages import group_relative, spread
from ludus.learn.objective import (
    clipped,
    kl,
    mean_per_reply,
    mean_per_token,
    policy_gradient,
    score,
    score_and_value,
    sum_per_reply,
)
from ludus.learn.policy_gradient import Replies, descend
from ludus.learn.policy_gradient import score as score_replies
from ludus.learn.rollout import Rollouts, given, rollout, select
from ludus.learn.weights import pack, unpack
from ludus.models.transformer import Size, Transformer

SIZE = Size(layers=1, width=16, heads=2, context=16, vocabulary=8)
STOP = np.arange(8) == 1


@pytest.fixture
def rollouts(model):
    rng = np.random.default_rng(1)
    prompts = rng.integers(2, 8, (10, 3))
    prompts[:4, 0] = 0
    return rollout(model, prompts, rng.random((10, 5)), STOP)


def test_a_replys_score_is_the_sum_over_its_tokens(model, rollouts):
    now = score(model, rollouts)
    log_prob, entropy = score_replies(model, Replies(rollouts.tokens[:, :3], rollouts.tokens[:, 3:]))
    torch.testing.assert_close(now.log_prob.sum(1), log_prob)
    torch.testing.assert_close(mean_per_reply(now.entropy, now.written), entropy.mean())
    np.testing.assert_allclose(now.log_prob.detach(), rollouts.log_prob, atol=1e-5)


def test_equal_beginnings_are_read_once_to_the_same_end(model):
    """Scores, values and gradients of rows that share prompts, whole replies too, are those of the rows one by one."""
    rng = np.random.default_rng(8)
    prompts = rng.integers(2, 8, (3, 4))
    prompts[0, :2] = 0
    rollouts = rollout(model, prompts[[0, 1, 0, 2, 2, 0, 2]], rng.random((7, 5)), STOP)
    rollouts = select(rollouts, np.array([0, 1, 2, 3, 3, 4, 5, 6]))
    head, weight = torch.nn.Linear(SIZE.width, 1), torch.from_numpy(rng.normal(size=rollouts.tokens.shape)).float()
    replies = Replies(rollouts.tokens[:, :4], rollouts.tokens[:, 4:])
    found = []
    for rows in ([np.arange(8)], [np.array([row]) for row in range(8)]):
        model.zero_grad()
        total = torch.zeros(())
        numbers = []
        for some in rows:
            now, value = score_and_value(model, head, Rollouts(*(array[some] for array in rollouts)))
            log_prob, entropy = score_replies(model, Replies(*(array[some] for array in replies)))
            numbers.append(torch.cat([now.log_prob, now.entropy, value, log_prob[:, None], entropy[:, None]], dim=1))
            total = total + (weight[some] * (now.log_prob + now.entropy + value)).sum() + (log_prob + entropy).sum()
        total.backward()
        found.append([torch.cat(numbers), *(each.grad.clone() for each in model.parameters())])
    for together, apart in zip(*found, strict=True):
        torch.testing.assert_close(together, apart, rtol=1e-3, atol=1e-4)


def test_the_clipped_loss_by_cases():
    now = torch.tensor([[0.0, 0.1, 0.5, 0.5, -0.5, -0.5]])
    scored = score.__annotations__["return"](now, torch.zeros(1, 6), torch.tensor([[False] + [True] * 5]))
    advantage = np.array([[9.0, 2.0, 2.0, -2.0, 2.0, -2.0]])
    found = clipped(scored, np.zeros((1, 6), np.float32), advantage, low=0.2, high=0.3)
    expected = [0.0, -2 * np.exp(0.1), -2 * 1.3, 2 * np.exp(0.5), -2 * np.exp(-0.5), 2 * 0.8]
    np.testing.assert_allclose(found[0], expected, rtol=1e-6)


def test_before_the_first_step_clipping_changes_no_gradient(model, rollouts):
    advantage = spread(np.random.default_rng(2).normal(size=10), rollouts.turn)
    gradients = []
    for loss in (policy_gradient, lambda now, weight: clipped(now, rollouts.log_prob, weight)):
        model.zero_grad()
        now = score(model, rollouts)
        sum_per_reply(loss(now, advantage), now.written).backward()
        gradients.append(model.blocks[0].mlp_in.weight.grad.clone())
    torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-6)


def test_the_estimate_of_the_divergence_is_unbiased_and_zero_at_home(model):
    """Of 40,000 first tokens: the mean of k3 against the divergence by summing over the vocabulary."""
    other = Transformer(SIZE, np.random.default_rng(5))
    rollouts = rollout(model, np.tile([[3, 4]], (40_000, 1)), np.random.default_rng(3).random((40_000, 1)), STOP)
    one = select_first(model, [3, 4])
    two = select_first(other, [3, 4])
    exact = float((one.exp() * (one - two)).sum())
    with torch.no_grad():
        now, reference = score(model, rollouts), score(other, rollouts)
        estimate = kl(now, reference.log_prob.numpy())
        assert (estimate >= -1e-6).all() and not estimate[~now.written].any()
        assert abs(float(mean_per_token(estimate, now.written)) - exact) < 0.05 * exact
        assert not kl(now, now.log_prob.numpy()).any()


def select_first(model, prompt):
    tokens = given(np.array([prompt] * 7), np.arange(1, 8)[:, None])
    return score(model, tokens).log_prob[:, -1].detach().double()


def test_means():
    loss, written = torch.tensor([[1.0, 2.0, 9.0], [4.0, 9.0, 9.0]]), torch.tensor([[1, 1, 0], [1, 0, 0]]).bool()
    assert float(mean_per_reply(loss, written)) == pytest.approx((1.5 + 4) / 2)
    assert float(mean_per_token(loss, written)) == pytest.approx(7 / 3)
    assert float(sum_per_reply(loss, written)) == pytest.approx((3 + 4) / 2)


def test_values_stand_before_their_tokens(model, rollouts):
    """The value of a token does not change with the token itself, and does with the one before."""
    head = torch.nn.Linear(SIZE.width, 1)
    scored, value = score_and_value(model, head, rollouts)
    torch.testing.assert_close(scored.log_prob, score(model, rollouts).log_prob)
    assert not value[~scored.written].any() and value[scored.written].all()
    changed = rollouts.tokens.copy()
    changed[:, 3] = np.where(changed[:, 3] == 2, 3, 2)
    other = score_and_value(model, head, Rollouts(changed, rollouts.turn, rollouts.log_prob))[1]
    torch.testing.assert_close(other[:, 3], value[:, 3])
    more = scored.written[:, 4]
    assert more.any() and not torch.isclose(other[more, 4], value[more, 4]).any()


def learn(model, optimiser, rng, steps):
    for _ in range(steps):
        prompts = np.full((64, 1), 2)
        rollouts = rollout(model, prompts, rng.random((64, 3)), STOP)
        reward = (rollouts.tokens[:, 1] == 5).astype(float)
        advantage = spread(group_relative(reward, np.zeros(64, int)), rollouts.turn)
        for _ in range(2):
            now = score(model, rollouts)
            descend(model, optimiser, mean_per_reply(clipped(now, rollouts.log_prob, advantage), now.written))
    return reward.mean()


def test_a_group_relative_learner_finds_the_reply_that_is_paid():
    model = Transformer(SIZE, np.random.default_rng(0))
    optimiser = torch.optim.Adam(model.parameters(), 0.01)
    assert learn(model, optimiser, np.random.default_rng(0), 1) < 0.4
    assert learn(model, optimiser, np.random.default_rng(1), 30) > 0.95


@pytest.mark.parametrize("stop", [1, 3])
def test_a_learner_stopped_anywhere_resumes_to_the_same_weights_bit_for_bit(stop):
    def fresh():
        model = Transformer(SIZE, np.random.default_rng(0))
        return model, torch.optim.AdamW(model.parameters(), 0.01), np.random.default_rng(1)

    whole, optimiser, rng = fresh()
    learn(whole, optimiser, rng, 5)
    part, optimiser, rng = fresh()
    learn(part, optimiser, rng, stop)
    packed, state = pack(part, optimiser), rng.bit_generator.state
    again, optimiser, rng = fresh()
    unpack(again, optimiser, packed)
    rng.bit_generator.state = state
    learn(again, optimiser, rng, 5 - stop)
    for one, other in zip(whole.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other)
