"""The decoder against the definition: text in pieces, padding anywhere, equal prompts; and draws at the edges."""

import numpy as np
import pytest
import torch

from ludus.models.decoding import Decoder, draw
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
        torch.testing.assert_close(decoder.read(tokens[:, end - length : end]), whole[:, end - 1], rtol=1e-4, atol=1e-4)
    assert end == 30


def test_room_that_was_expected_changes_nothing(model):
    tokens = np.random.default_rng(2).integers(1, 12, (3, 12))
    plain, roomy = Decoder(model, 3), Decoder(model, 3)
    roomy.expect(20)
    for start in (0, 4, 5, 6):
        piece = tokens[:, start : start + 4] if start == 0 else tokens[:, start : start + 1]
        assert torch.equal(plain.read(piece), roomy.read(piece))


def test_a_draw_is_the_inverse_of_the_distribution():
    logits = torch.tensor([[-1e9, 0.0, 1.0, -1e9, 2.0, -1e9]]).repeat(5, 1)
    chance = logits[0].double().softmax(-1).numpy()
    edge = chance[1]
    uniform = np.array([0.0, edge - 1e-6, edge + 1e-6, chance[:3].sum() + 1e-6, 1 - 1e-16])
    tokens, log_prob = draw(logits, uniform, 1.0)
    assert tokens.tolist() == [1, 1, 2, 4, 4]  # never one without a chance, at either end
    np.testing.assert_allclose(log_prob, np.log(chance[tokens]), atol=1e-6)
    cold, log_prob = draw(logits, uniform, 1e-4)
    assert cold.tolist() == [4] * 5
    np.testing.assert_allclose(log_prob, np.log(chance[4]), atol=1e-6)  # told at temperature 1
    broken, _ = draw(torch.full((2, 3), torch.nan), uniform[:2], 1.0)
    assert broken.tolist() == [2, 2]  # a model that diverged still writes tokens that there are
