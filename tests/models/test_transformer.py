"""The small transformer: its cache, its probabilities, its hooks and its files, each against a second route."""

import numpy as np
import pytest
import torch

from ludus.models.transformer import Size, Transformer, causal, load, log_probabilities, sample, save

SIZE = Size(layers=2, width=16, heads=2, context=12, vocabulary=20)


def slow_next(model, row):
    """Probabilities of the token after one unpadded row, by a fresh forward pass without a cache."""
    tokens = torch.tensor([row])
    return model(tokens, *causal(tokens != 0))[0][0, -1].double().softmax(-1).detach().numpy()


def test_sampling_with_the_cache_equals_one_token_at_a_time_without_it(model):
    rng = np.random.default_rng(1)
    prompts = rng.integers(1, 20, (30, 5))
    prompts[:10, :3] = 0
    uniform = rng.random((30, 4))
    stop = np.zeros(20, bool)
    stop[15:] = True
    sampled = sample(model, prompts, prompts != 0, uniform, stop)
    for number, prompt in enumerate(prompts):
        row, log_prob = [int(token) for token in prompt if token], []
        for draw in uniform[number]:
            probability = slow_next(model, row)
            token = int((probability.cumsum() < draw).sum())
            row.append(token)
            log_prob.append(np.log(probability[token]))
            if stop[token]:
                break
        length = sampled.length[number]
        assert length == len(log_prob)
        assert sampled.tokens[number, :length].tolist() == row[-length:]
        assert (sampled.tokens[number, length:] == 0).all()
        np.testing.assert_allclose(sampled.log_prob[number, :length], log_prob, atol=1e-5)


def test_padding_is_never_written_and_changes_nothing(model):
    row = [3, 7, 2]
    assert slow_next(model, row)[0] < 1e-12
    wide = torch.tensor([[0, 0, 0, *row]])
    narrow = torch.tensor([row])
    there = log_probabilities(model, wide, wide != 0)[0, 3:]
    here = log_probabilities(model, narrow, narrow != 0)[0]
    torch.testing.assert_close(there, here)


def test_the_probabilities_of_all_short_sequences_add_up_to_one(model):
    start = torch.full((19 * 19, 1), 4)
    pairs = torch.cartesian_prod(torch.arange(1, 20), torch.arange(1, 20))
    tokens = torch.cat([start, pairs], dim=1)
    total = log_probabilities(model, tokens, tokens != 0).detach().double().sum(1).exp().sum()
    assert float(total) == pytest.approx(1, abs=1e-5)


def test_hooks_read_and_replace(model):
    tokens = torch.tensor([[1, 2, 3]])
    sites = []
    plain = log_probabilities(model, tokens, tokens != 0, hook=lambda site, _: sites.append(site))
    assert sites == [
        "embedding", "0.attention", "0.mlp", "0.stream", "1.attention", "1.mlp", "1.stream", "final",
    ]  # fmt: skip
    same = log_probabilities(model, tokens, tokens != 0)
    torch.testing.assert_close(plain, same)
    silent = log_probabilities(
        model, tokens, tokens != 0, hook=lambda site, value: 0 * value if "mlp" in site else None
    )
    assert not torch.allclose(silent, same)


def test_temperature_near_zero_is_greedy(model):
    prompts, uniform = np.array([[5, 6]]), np.array([[0.999999]])
    greedy = sample(model, prompts, prompts != 0, uniform, np.ones(20, bool), temperature=1e-6).tokens[0, 0]
    assert greedy == slow_next(model, [5, 6]).argmax()
    with pytest.raises(ValueError, match="temperature: must be above zero"):
        sample(model, prompts, prompts != 0, uniform, np.ones(20, bool), temperature=0)


def test_a_model_survives_saving(model, tmp_path):
    path = tmp_path / "model.safetensors"
    save(model, path)
    again = load(path)
    assert again.size == SIZE
    for name, weight in model.state_dict().items():
        torch.testing.assert_close(again.state_dict()[name], weight, rtol=0, atol=0)
    path.write_bytes(b"not a model")
    with pytest.raises(ValueError, match="is not a model"):
        load(path)


def test_the_same_generator_makes_the_same_model():
    first, second = (Transformer(SIZE, np.random.default_rng(3)).state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_heads_must_divide_the_width():
    with pytest.raises(ValueError, match="width must be a multiple of heads"):
        Transformer(SIZE._replace(heads=3), np.random.default_rng(0))
