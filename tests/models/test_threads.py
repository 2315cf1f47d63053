"""Rows divided among threads give what one thread gives: values, gradients, errors."""

import numpy as np
import pytest
import torch
from torch import nn

from ludus.learn.objective import clipped, mean_per_reply, score_and_value
from ludus.learn.rollout import Rollouts, rollout
from ludus.models.threads import at_once, by_rows, slices
from ludus.models.transformer import Size, log_probabilities

SIZE = Size(layers=2, width=16, heads=2, context=24, vocabulary=12)


@pytest.fixture
def threads():
    """Sets their number; afterwards it is as before."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.fixture
def rollouts(model):
    """32 rows: fours begin alike, nine are padded on the left, and some end before others."""
    rng = np.random.default_rng(1)
    prompts = np.repeat(rng.integers(2, 12, (8, 5)), 4, axis=0)
    prompts[:9, 0] = 0
    return rollout(model, prompts, rng.random((32, 12)), np.arange(12) == 1)


def learnt(model, rollouts) -> tuple[torch.Tensor, ...]:
    """Log-probabilities, entropies and values, then the gradients of a loss that uses all three."""
    head = nn.Linear(SIZE.width, 1)
    with torch.no_grad():
        head.weight.fill_(0.1)
        head.bias.zero_()
    now, value = score_and_value(model, head, rollouts)
    advantage = np.random.default_rng(2).normal(size=now.written.shape)
    loss = clipped(now, rollouts.log_prob, advantage) + 0.1 * now.entropy + (value - 1) ** 2 * now.written
    model.zero_grad()
    mean_per_reply(loss, now.written).backward()
    return now.log_prob, now.entropy, value, head.weight.grad, *(weight.grad.clone() for weight in model.parameters())


@pytest.mark.parametrize("number", [2, 3])
def test_threads_score_and_learn_as_one_does(model, rollouts, threads, number):
    threads(1)
    alone = learnt(model, rollouts)
    threads(number)
    together = learnt(model, rollouts)
    for one, more in zip(alone, together, strict=True):
        torch.testing.assert_close(more, one, rtol=1e-4, atol=1e-5)


def test_threads_round_alike_every_time(model, rollouts, threads):
    threads(2)
    first, second = learnt(model, rollouts), learnt(model, rollouts)
    assert all(torch.equal(one, other) for one, other in zip(first, second, strict=True))


def test_exact_log_probabilities_by_threads(model, rollouts, threads):
    tokens = torch.from_numpy(rollouts.tokens)
    threads(1)
    alone = log_probabilities(model, tokens, tokens != 0)
    threads(2)
    together = log_probabilities(model, tokens, tokens != 0)
    assert together.requires_grad
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)
    with torch.no_grad():
        assert not log_probabilities(model, tokens, tokens != 0).requires_grad


def test_a_hook_sees_all_rows_at_once(model, rollouts, threads):
    threads(2)
    tokens, seen = torch.from_numpy(rollouts.tokens), []
    log_probabilities(model, tokens, tokens != 0, lambda _, activation: seen.append(len(activation)))
    assert set(seen) == {len(tokens)}


def test_weights_that_are_frozen_or_unused_have_no_gradient(model, rollouts, threads):
    threads(2)
    model.positions.weight.requires_grad_(False)
    spare = nn.Parameter(torch.ones(3))
    model.spare = spare
    short = Rollouts(*(array[:, -12:] for array in rollouts))
    tokens = torch.from_numpy(short.tokens)
    log_probabilities(model, tokens, tokens != 0).sum().backward()
    assert model.positions.weight.grad is None
    assert spare.grad is None
    assert model.tokens.weight.grad.abs().sum() > 0


def test_few_rows_and_other_devices_are_one_part(threads):
    threads(4)
    assert slices(7) == [slice(0, 7)]
    assert [part.stop - part.start for part in slices(33)] == [8, 8, 8, 9]
    elsewhere = nn.Linear(2, 2, device="meta")
    assert by_rows(lambda rows: (rows,), 64, elsewhere) == (slice(0, 64),)


def test_a_thread_has_one_thread_and_its_error_is_the_callers(threads):
    threads(2)
    assert at_once(lambda _: torch.get_num_threads(), [0, 1]) == [1, 1]
    assert torch.get_num_threads() == 2
    with pytest.raises(IndexError, match="row 3"):
        at_once(lambda _: (_ for _ in ()).throw(IndexError("row 3")), [0, 1])
    assert torch.get_num_threads() == 2
