"""The decoder against the definition: text in pieces, padding anywhere, equal prompts, talks; and draws."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from ludus.models import decoding
from ludus.models.decoding import Decoder
from ludus.models.kernels import _exp, draw
from ludus.models.transformer import Size, causal

SIZE = Size(layers=2, width=16, heads=2, context=40, vocabulary=12)


@pytest.mark.parametrize("equal", [False, True], ids=["different prompts", "equal prompts"])
def test_pieces_of_any_length_give_the_logits_of_the_whole(model, equal):
    rng = np.random.default_rng(1)
    tokens = rng.integers(1, 12, (9, 30)) * (rng.random((9, 30)) < 0.8)
    if equal:
        tokens[:, :7] = tokens[rng.integers(0, 3, 9), :7]
    real = torch.from_numpy(tokens != 0)
    whole = model(torch.from_numpy(tokens), *causal(real))[0].detach()
    decoder, end = Decoder(model, 9), 0
    for length in (7, 1, 1, 5, 1, 12, 1, 1, 1):
        end += length
        logits, ended = decoder.read(tokens[:, end - length : end]), real[:, end - 1]
        torch.testing.assert_close(logits[ended], whole[ended, end - 1], rtol=1e-4, atol=1e-4)
    assert end == 30


def talk(model, threads, turns=3):
    """(tokens int64[24, L], log-probabilities as they were written) of a talk in which some rows keep silent."""
    rng, stop = np.random.default_rng(3), np.arange(12) >= 7
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        decoder, tokens, log_prob = Decoder(model, 24), [], []
        for turn in range(turns):
            heard = rng.integers(1, 12, (24, 4)) * (rng.random((24, 4)) < 0.7)
            heard[:, -1] = 3  # something is heard
            if turn == 0:
                heard[12:] = heard[:12]
            going = rng.random(24) < 0.8
            written = decoder.write(decoder.read(heard), rng.random((24, 7)), stop, 1.0, going)
            assert not written[0][~going].any()
            tokens += [heard, written[0]]
            log_prob += [np.zeros((24, 4), np.float32), written[1]]
    finally:
        torch.set_num_threads(before)
    return np.concatenate(tokens, axis=1), np.concatenate(log_prob, axis=1)


def test_what_is_written_has_the_probability_that_the_definition_gives_it(model):
    tokens, log_prob = talk(model, 1)
    real = torch.from_numpy(tokens != 0)
    logits = model(torch.from_numpy(tokens), *causal(real))[0].detach().double().log_softmax(-1).numpy()
    checked = 0
    for row, column in zip(*np.nonzero(log_prob), strict=True):
        before = np.flatnonzero(tokens[row, :column])[-1]  # padding may stand between
        assert log_prob[row, column] == pytest.approx(logits[row, before, tokens[row, column]], abs=1e-4)
        checked += 1
    assert checked > 150 and ((tokens >= 7) & (log_prob != 0)).sum() > 20  # some ended early


@pytest.mark.parametrize("other", ["threads", "torch"])
def test_threads_and_torch_write_the_same(model, monkeypatch, other):
    tokens, log_prob = talk(model, 1)
    if other == "torch":
        monkeypatch.setattr(decoding, "_weights", lambda model: None)
    again, chances = talk(model, 3 if other == "threads" else 1)
    np.testing.assert_array_equal(tokens, again)
    np.testing.assert_allclose(log_prob, chances, atol=1e-5)


SAYS = """
import hashlib, numpy as np
from ludus.learn.rollout import rollout
from ludus.models.transformer import Size, Transformer
for layers, width, rows in ((1, 32, 16), (2, 48, 24), (1, 64, 8)):
    rng = np.random.default_rng(0)
    model = Transformer(Size(layers, width, 4, 40, 50), rng)
    for weight in model.parameters():
        weight.data.mul_(3)
    prompts = rng.integers(1, 50, (rows, 12))
    said = rollout(model, prompts, rng.random((rows, 20)), np.arange(50) < 2)
    print([hashlib.md5(part.tobytes()).hexdigest() for part in said])
"""


def test_code_just_compiled_says_the_same_to_the_last_bit_as_code_from_the_cache(tmp_path):
    """Else a run that is killed in the process that compiled would go on otherwise."""
    said = [
        subprocess.run(
            [sys.executable, "-c", SAYS],
            env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for _ in range(2)
    ]
    assert said[0] == said[1] and said[0].count("[") == 3
    assert list(tmp_path.rglob("kernels.write-*.nbc"))  # the first compiled, the second had it


def test_nothing_can_be_written_without_a_number(model):
    decoder = Decoder(model, 2)
    logits = decoder.read(np.ones((2, 3), np.int64))
    with pytest.raises(ValueError, match="uniform: it has no columns"):
        decoder.write(logits, np.zeros((2, 0)), np.zeros(12, bool), 1.0, np.ones(2, bool))


def test_who_heard_nothing_cannot_write(model):
    decoder, uniform, stop = Decoder(model, 3), np.full((3, 2), 0.5), np.zeros(12, bool)
    logits = decoder.read(np.array([[0, 3], [3, 0], [4, 5]]))
    with pytest.raises(ValueError, match="going: row 1 heard nothing, since its last token is padding; pad"):
        decoder.write(logits, uniform, stop, 1.0, np.ones(3, bool))
    tokens, _ = decoder.write(logits, uniform, stop, 1.0, np.array([True, False, True]))
    assert (tokens[[0, 2]] > 0).all() and not tokens[1].any()


@pytest.mark.parametrize("threads", [1, 2])
def test_a_row_that_outgrows_the_model_is_an_error(model, monkeypatch, threads):
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    decoder = Decoder(model, 16)
    logits = decoder.read(np.ones((16, 30), np.int64))
    uniform = np.random.default_rng(0).random((16, 12))
    with pytest.raises(IndexError, match="a row has all of the model's 40 tokens"):
        decoder.write(logits, uniform, np.zeros(12, bool), 1.0, np.ones(16, bool))
    decoder = Decoder(model, 16)
    logits = decoder.read(np.ones((16, 30), np.int64))
    tokens, _ = decoder.write(logits, uniform[:, :11], np.zeros(12, bool), 1.0, np.ones(16, bool))
    assert tokens.shape == (16, 11) and tokens.all()  # the last one needs no position, since it is not read


def test_the_compiled_exponential():
    x = np.linspace(-87, 87, 100_000).astype(np.float32)
    found = x.copy()
    _exp(found, np.empty_like(x))
    np.testing.assert_allclose(found, np.exp(x.astype(np.float64)), rtol=1e-5)  # x has no more digits
    small = np.linspace(-2, 2, 10_001).astype(np.float32)
    found = small.copy()
    _exp(found, np.empty_like(small))
    np.testing.assert_allclose(found, np.exp(small.astype(np.float64)), rtol=4e-7)
    never = np.array([-88, -1e9, -1e30], np.float32)
    _exp(never, np.empty_like(never))
    assert never.tolist() == [0, 0, 0]


def test_a_draw_is_the_inverse_of_the_distribution():
    logits = torch.tensor([[-1e9, 0.0, 1.0, -1e9, 2.0, -1e9]]).repeat(5, 1)
    chance = logits[0].double().softmax(-1).numpy()
    edge = chance[1]
    uniform = np.array([0.0, edge - 1e-6, edge + 1e-6, chance[:3].sum() + 1e-6, 1 - 1e-16])
    tokens, log_prob = draw(logits.numpy(), uniform, 1.0)
    assert tokens.tolist() == [1, 1, 2, 4, 4]  # never one without a chance, at either end
    np.testing.assert_allclose(log_prob, np.log(chance[tokens]), atol=1e-6)
    cold, log_prob = draw(logits.numpy(), uniform, 1e-4)
    assert cold.tolist() == [4] * 5
    np.testing.assert_allclose(log_prob, np.log(chance[4]), atol=1e-6)  # told at temperature 1
    broken, _ = draw(np.full((2, 3), np.nan, np.float32), uniform[:2], 1.0)
    assert broken.tolist() == [2, 2]  # a model that diverged still writes tokens that there are
