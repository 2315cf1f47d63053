"""The transformer one token at a time: keys and values stay where they were written, nothing is computed twice.

`Transformer.forward` is the definition; this gives the same logits without gradients. It copies no cache from step to
step and takes the output layer's product for the last token alone, which in small models is most of the time.
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ludus.models.transformer import NEVER, Transformer


class Decoder:
    """B rows being read by one model, whose weights must not change meanwhile.

    read(tokens) takes what comes next in every row, given or written, and returns the logits after it.
    """

    def __init__(self, model: Transformer, batch: int) -> None:
        self._model = model
        size = model.size
        self._shape = (batch, size.heads, size.width // size.heads)
        self._keys = [self._room(0) for _ in range(size.layers)]
        self._values = [self._room(0) for _ in range(size.layers)]
        self._real = torch.zeros(batch, 0, dtype=torch.bool)

    @torch.no_grad()
    def read(self, tokens: np.ndarray) -> Tensor:
        """Logits float32[B, vocabulary] after the last of tokens int64[B, T]; padding, 0, is passed over."""
        new = torch.from_numpy(tokens)
        length, past = new.shape[1], self._real.shape[1]
        self._real = torch.cat([self._real, new != 0], dim=1)
        end = past + length
        if end > self._keys[0].shape[2]:
            self._make_room(max(end + 32, 2 * past))
        mask = self._mask(length)
        positions = (self._real.cumsum(1)[:, past:] - 1).clamp(min=0)
        model = self._model
        stream = model.tokens(new) + model.positions(positions)
        for layer, block in enumerate(model.blocks):
            parts = block.queries_keys_values(block.norm_attention(stream))  # type: ignore[operator]
            queries, keys, values = parts.view(len(new), length, 3, *self._shape[1:]).permute(2, 0, 3, 1, 4)
            self._keys[layer][:, :, past:end] = keys
            self._values[layer][:, :, past:end] = values
            seen, carried = self._keys[layer][:, :, :end], self._values[layer][:, :, :end]
            mixed = functional.scaled_dot_product_attention(queries, seen, carried, attn_mask=mask)
            stream = stream + block.attention_out(mixed.transpose(1, 2).reshape(stream.shape))  # type: ignore[operator]
            stream = stream + block.mlp(stream)  # type: ignore[operator]
        logits = model.norm(stream[:, -1]) @ model.tokens.weight.T
        logits[:, 0] = NEVER
        return logits

    def _mask(self, length: int) -> Tensor | None:
        """bool[B, 1, T, past + T], True where seen; None where a single token sees all."""
        if length == 1 and bool(self._real.all()):
            return None
        past = self._real.shape[1] - length
        mask = torch.ones(length, past + length, dtype=torch.bool).tril(past) & self._real[:, None]
        mask[..., past:] |= torch.eye(length, dtype=torch.bool)  # so that no row of the softmax is empty
        return mask[:, None]

    def _make_room(self, length: int) -> None:
        past = self._real.shape[1]
        for rooms in (self._keys, self._values):
            for layer, old in enumerate(rooms):
                rooms[layer] = self._room(length)
                rooms[layer][:, :, : min(past, old.shape[2])] = old[:, :, :past]

    def _room(self, length: int) -> Tensor:
        batch, heads, width = self._shape
        return torch.empty(batch, heads, length, width)


def draw(logits: Tensor, uniform: np.ndarray, temperature: float) -> tuple[np.ndarray, np.ndarray]:
    """(tokens int64[B], their log-probabilities float64[B] at temperature 1), a draw by inverting the distribution.

    logits float32[B, vocabulary]; uniform float64[B] in [0, 1)
    """
    last = logits.double()
    total = last.logsumexp(-1, keepdim=True)
    chances = (last - total).exp_() if temperature == 1 else (last / temperature).softmax(-1)
    cumulative = chances.cumsum(-1)
    threshold = torch.from_numpy(uniform)[:, None] * cumulative[:, -1:]
    token = torch.searchsorted(cumulative, threshold).clamp(max=last.shape[1] - 1)
    return token[:, 0].numpy(), (last.gather(1, token) - total)[:, 0].numpy()
