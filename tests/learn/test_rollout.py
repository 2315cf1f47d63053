"""Conversations: the cache over turns against fresh passes, one row at a time; padding, silence, and joining."""

import numpy as np
import pytest
import torch

from ludus.learn.objective import score
from ludus.learn.rollout import Conversation, given, join, rollout, select, texts
from ludus.models.transformer import Size, sample
from ludus.models.words import Words

SIZE = Size(layers=2, width=16, heads=2, context=40, vocabulary=12)
STOP = np.arange(12) < 4


def padded(rng, batch, length):
    tokens = rng.integers(4, 12, (batch, length))
    tokens[np.arange(length) < rng.integers(0, length, (batch, 1))] = 0
    return tokens


def slow_log_prob(model, row, written):
    """Log-probability of each written token of one row without its padding, a fresh pass of the whole for each."""
    found = []
    for end in np.flatnonzero(written):
        before = torch.tensor([[int(token) for token in row[:end] if token]])
        length = before.shape[1]
        mask = torch.ones(1, length, length, dtype=torch.bool).tril()
        logits = model(before, mask, torch.arange(length)[None])[0][0, -1]
        found.append(float(logits.double().log_softmax(-1)[row[end]].detach()))
    return found


def test_a_turn_is_what_sample_draws(model):
    rng = np.random.default_rng(1)
    prompts, uniform = padded(rng, 20, 5), rng.random((20, 6))
    one = rollout(model, prompts, uniform, STOP)
    other = sample(model, prompts, prompts != 0, uniform, STOP)
    used = one.tokens.shape[1] - 5
    assert np.array_equal(one.tokens[:, 5:], other.tokens[:, :used]) and not other.tokens[:, used:].any()
    np.testing.assert_allclose(one.log_prob[:, 5:], other.log_prob[:, :used], atol=1e-5)
    assert (one.turn[:, :5] == -1).all() and np.array_equal(one.turn[:, 5:] == 0, one.tokens[:, 5:] != 0)


def test_three_turns_equal_fresh_passes_without_padding(model):
    rng = np.random.default_rng(2)
    talk = Conversation(model)
    active = np.ones(12, bool)
    for turn in range(3):
        heard = padded(rng, 12, 4)
        active &= rng.random(12) < 0.8
        heard[~active] = 0
        talk.hear(heard)
        said = talk.say(rng.random((12, 5)), STOP, active=active)
        assert not said[~active].any() and said[active, 0].all(), turn
    rollouts = talk.rollouts()
    scored = score(model, rollouts)
    for number in range(12):
        written = rollouts.turn[number] >= 0
        expected = slow_log_prob(model, rollouts.tokens[number], written)
        np.testing.assert_allclose(rollouts.log_prob[number, written], expected, atol=1e-4)
        np.testing.assert_allclose(scored.log_prob[number, written].detach(), expected, atol=1e-4)
    assert not rollouts.log_prob[rollouts.turn < 0].any() and not scored.log_prob[~scored.written].any()
    assert sorted(np.unique(rollouts.turn)) == [-1, 0, 1, 2]


def test_sampling_follows_the_model(model):
    """A chi-squared distance of 20,000 first tokens, at two temperatures."""
    rng = np.random.default_rng(3)
    prompts = np.tile([[5, 9, 6]], (20_000, 1))
    logits = model(torch.tensor([[5, 9, 6]]), torch.ones(1, 3, 3, dtype=torch.bool).tril(), torch.arange(3)[None])[0]
    for temperature in (1.0, 0.6):
        drawn = rollout(model, prompts, rng.random((20_000, 1)), STOP, temperature).tokens[:, 3]
        expected = (logits[0, -1].double() / temperature).softmax(-1).detach().numpy()[1:] * 20_000
        seen = np.bincount(drawn, minlength=12)[1:]
        assert ((seen - expected) ** 2 / expected).sum() < 35  # the 0.9998 quantile with 10 degrees of freedom


def test_a_model_answers_only_what_it_heard(model):
    talk = Conversation(model)
    with pytest.raises(ValueError, match=r"call hear\(tokens\) before each turn"):
        talk.say(np.zeros((1, 1)), STOP)
    talk.hear(np.array([[5]]))
    with pytest.raises(ValueError, match="temperature: must be above zero, it was 0"):
        talk.say(np.zeros((1, 1)), STOP, temperature=0)
    talk.say(np.zeros((1, 1)), STOP)
    with pytest.raises(ValueError, match="nothing to answer"):
        talk.say(np.zeros((1, 1)), STOP)


def test_select_and_join_change_no_row(model):
    rng = np.random.default_rng(4)
    long = rollout(model, padded(rng, 6, 7), rng.random((6, 5)), STOP)
    short = given(padded(rng, 4, 2), np.array([[5, 1], [6, 1], [1, 0], [7, 1]]))
    both = join([long, select(short, np.array([True, False, True, True]))])
    assert both.tokens.shape == (9, long.tokens.shape[1])
    apart = [*score(model, long).log_prob.sum(1).tolist(), *score(model, short).log_prob.sum(1)[[0, 2, 3]].tolist()]
    np.testing.assert_allclose(score(model, both).log_prob.sum(1).detach(), apart, atol=1e-4)
    narrow = select(both, np.array([7]))
    assert narrow.tokens.shape[1] == (both.tokens[7] != 0).sum()


def test_words_there_and_back():
    words = Words(("one", "+", "is", "two"))
    rows = words.rows(["one + one", "two"])
    assert rows.tolist() == [[2, 3, 2], [0, 0, 5]]
    ended = words.rows(["one + one", "two"], ended=True)
    assert ended.tolist() == [[2, 3, 2, 1], [5, 1, 0, 0]]
    assert [words.text(row) for row in ended] == ["one + one", "two"] and words.text([2, 1, 3]) == "one"
    assert texts(words, given(rows, ended)) == ["one + one", "two"]
    assert words.size == 6 and words.stop.tolist() == [False, True] + [False] * 4
    with pytest.raises(KeyError, match="three"):
        words.tokens("one three")
    for bad, told in ((("a b",), "no spaces"), (("",), "not empty"), (("a", "a"), "'a' came twice")):
        with pytest.raises(ValueError, match=told):
            Words(bad)
