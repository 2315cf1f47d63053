"""A player that writes its moves: what it is read off to be, against what it does."""

import numpy as np
import pytest
import torch

from ludus.agents.language import LanguagePlayer, lexicon, read_off, tally
from ludus.games import load
from ludus.measure.nash_conv import nash_conv, sampled_nash_conv
from ludus.models.transformer import Size, Transformer
from ludus.play import play
from ludus.tree import TooLarge, grow

GAME = load("kuhn_poker")
TREE = grow(GAME)
WORDS = lexicon([(GAME, TREE.view)], ("good", "bad"), longest=2)


@pytest.fixture
def player():
    model = Transformer(Size(1, 16, 2, 8, len(WORDS.words)), np.random.default_rng(5))
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(6)
    return LanguagePlayer(model, WORDS, GAME)


def test_the_policy_read_off_is_the_frequency_of_actions(player):
    reading = read_off(player, TREE.view, TREE.legal)
    replies = 4000
    counts = tally(player, TREE.view, TREE.legal, replies, np.random.default_rng(0))
    error = np.sqrt(reading.table * (1 - reading.table) / replies)
    assert (np.abs(counts / replies - reading.table) < 4.5 * error + 1e-9).all()
    np.testing.assert_allclose(reading.table.sum(axis=1), 1, atol=1e-6)


def test_a_sampled_reading_agrees_with_the_exact_one(player):
    """The road for scratchpads too many to list: counted replies, and a NashConv of kind sampled."""
    rng = np.random.default_rng(4)
    exact = nash_conv(TREE, read_off(player, TREE.view, TREE.legal).table)
    sampled = sampled_nash_conv(TREE, tally(player, TREE.view, TREE.legal, 1000, rng), rng, resamples=200)
    assert (exact.kind, sampled.kind) == ("exact", "sampled")
    assert sampled.interval[0] <= exact.number <= sampled.interval[1]
    assert sampled.interval[1] - sampled.interval[0] < 0.3


def test_empty_and_malformed_replies_are_counted_as_they_happen(player):
    reading = read_off(player, TREE.view, TREE.legal)
    rng = np.random.default_rng(1)
    views, legal = np.repeat(TREE.view, 3000, axis=0), np.repeat(TREE.legal, 3000, axis=0)
    _, _, notes = player.choose(views, legal, lambda count: rng.random((len(views), count)))
    for name, happened in {
        "empty": notes["reply"][:, 0] >= 3,  # tokens 1 and 2 are the thoughts
        "malformed": ~notes["well_formed"],
        "illegal": notes["well_formed"] & ~notes["lawful"],
    }.items():
        seen, said = happened.reshape(-1, 3000).mean(axis=1), getattr(reading, name)
        assert (np.abs(seen - said) < 4.5 * np.sqrt(said * (1 - said) / 3000) + 1e-3).all(), name


def test_batches_do_not_change_the_reading(player):
    whole, parts = (read_off(player, TREE.view, TREE.legal, batch=batch) for batch in (100, 5))
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_illegal_words_forfeit_to_a_legal_action(player):
    legal = np.zeros_like(TREE.legal)
    legal[:, 1] = True  # every [pass] is illegal here
    reading = read_off(player, TREE.view, legal)
    np.testing.assert_allclose(reading.table, legal, atol=1e-6)
    assert (reading.illegal > 0).all()


def test_it_plays_both_seats_and_keeps_what_it_read_and_wrote(player):
    episodes = play(GAME, [player, player], 50, np.random.default_rng(2))
    assert set(episodes.player) == {0, 1}
    for row in range(len(episodes.player)):
        read = WORDS.text(episodes.notes["prompt"][row])
        assert read == f"kuhn_poker {GAME.tell(episodes.view[row])}"
        wrote = WORDS.text(episodes.notes["reply"][row]).split()
        if episodes.notes["lawful"][row]:
            assert wrote[-1] == f"[{GAME.words[episodes.action[row]]}]"
            assert set(wrote[:-1]) <= {"good", "bad"}
        assert np.exp(episodes.notes["log_prob"][row].sum()) == pytest.approx(episodes.prob[row])


def test_too_many_scratchpads_are_refused():
    many = lexicon([(GAME, TREE.view)], tuple("abcdefghij"), longest=5)
    with pytest.raises(TooLarge, match="longest: 10 thoughts and 5 of them"):
        _ = many.scratchpads
