"""The transformer one token at a time: keys and values stay where they were written, nothing is computed twice.

`Transformer.forward` is the definition; this gives the same logits without gradients. Given text of many tokens goes
through PyTorch's attention; for a single token on the CPU a kernel of ours appends its key and value and attends in one
pass, and the output layer's product is taken for the last token alone: in small models calls cost more than arithmetic.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from numba import njit
from torch import Tensor
from torch.nn import functional

if TYPE_CHECKING:
    from ludus.models.transformer import Transformer


class _Layer(NamedTuple):
    """A block's weights, each pair a weight and its bias, looked up once: a module's attributes are slow to find."""

    norm_attention: tuple[Tensor, Tensor]
    queries_keys_values: tuple[Tensor, Tensor]
    attention_out: tuple[Tensor, Tensor]
    norm_mlp: tuple[Tensor, Tensor]
    mlp_in: tuple[Tensor, Tensor]
    mlp_out: tuple[Tensor, Tensor]


class Decoder:
    """B rows being read by one model, whose weights must not change meanwhile.

    read(tokens) takes what comes next in every row, given or written, and returns the logits after it; expect(tokens)
    makes room for many at once, where their number is known.
    """

    def __init__(self, model: Transformer, batch: int) -> None:
        size = model.size
        self._model, self._batch, self._heads, self._width = model, batch, size.heads, size.width
        names = _Layer._fields
        self._layers = [
            _Layer(*((getattr(block, name).weight.detach(), getattr(block, name).bias.detach()) for name in names))
            for block in model.blocks
        ]
        self._length = 0  # tokens read so far, padding among them
        self._real = np.zeros((batch, 0), bool)
        self._position = np.zeros(batch, np.int64)  # real tokens read so far
        empty = _room((batch, size.heads, 0, size.width // size.heads), model.device)
        self._keys, self._values = [empty] * size.layers, [empty] * size.layers

    def expect(self, tokens: int) -> None:
        """Make room for so many more tokens a row."""
        read, room = self._length, self._real.shape[1]
        if read + tokens <= room:
            return
        for rooms in (self._keys, self._values):
            for layer, old in enumerate(rooms):
                rooms[layer] = _room((*old.shape[:2], read + tokens, old.shape[3]), old.device)
                rooms[layer][:, :, :read] = old[:, :, :read]
        self._real = np.pad(self._real, ((0, 0), (0, read + tokens - room)))

    def read(self, tokens: np.ndarray) -> Tensor:
        """Logits float32[B, vocabulary], on the CPU, after the last of tokens int64[B, T]; padding (0) is skipped."""
        if self._length == 0:
            once, row = np.unique(tokens, axis=0, return_inverse=True)
            if len(once) < self._batch:  # one prompt for many rows is read once
                return self._take(Decoder(self._model, len(once)), once, row.reshape(-1))
        return self._read(tokens)

    def _take(self, other: Decoder, tokens: np.ndarray, row: np.ndarray) -> Tensor:
        """Let `other` read tokens int64[U, T] first, and go on from there: row int64[B] says from which of its rows."""
        logits = other.read(tokens)
        for mine, its in ((self._keys, other._keys), (self._values, other._values)):
            mine[:] = [rooms[torch.from_numpy(row)] for rooms in its]
        self._real, self._position, self._length = other._real[row], other._position[row], other._length
        return logits[torch.from_numpy(row)]

    @torch.no_grad()
    def _read(self, tokens: np.ndarray) -> Tensor:
        length, past = tokens.shape[1], self._length
        end = past + length
        if end > self._real.shape[1]:
            self.expect(length + past // 2)
        new = tokens != 0
        self._real[:, past:end] = new
        counted = self._position[:, None] + new.cumsum(axis=1)
        self._position, self._length = counted[:, -1], end
        model = self._model
        positions = torch.from_numpy((counted - 1).clip(min=0)).to(model.device)
        stream = functional.embedding(torch.from_numpy(tokens).to(model.device), model.tokens.weight)
        stream = (stream + functional.embedding(positions, model.positions.weight)).flatten(0, 1)
        mask = None if length == 1 and model.device.type == "cpu" else self._mask(past, end).to(model.device)
        for number, layer in enumerate(self._layers):
            parts = functional.linear(_normed(stream, layer.norm_attention), *layer.queries_keys_values)
            mixed = self._attend_one(number, parts) if mask is None else self._attend(number, parts, mask)
            stream += functional.linear(mixed, *layer.attention_out)
            inner = functional.linear(_normed(stream, layer.norm_mlp), *layer.mlp_in)
            stream += functional.linear(_gelu(inner), *layer.mlp_out)
        last = stream.view(self._batch, length, -1)[:, -1]
        return model.logits(_normed(last, (model.norm.weight, model.norm.bias))).cpu()

    def _attend_one(self, number: int, parts: Tensor) -> Tensor:
        """Attention of one new token a row: parts and result as in `_attend`."""
        batch, heads = self._batch, self._heads
        mixed = np.empty((batch, heads, self._width // heads), np.float32)
        each = parts.numpy().reshape(batch, 3, heads, -1)
        keys, values = self._keys[number].numpy(), self._values[number].numpy()
        _append_and_attend(each, keys, values, self._real, self._length - 1, mixed)
        return torch.from_numpy(mixed.reshape(batch, -1))

    def _attend(self, number: int, parts: Tensor, mask: Tensor) -> Tensor:
        """Attention of T new tokens: parts float32[B * T, 3 * width], mask as from `_mask`; float32[B * T, width]."""
        batch, (new, end) = self._batch, mask.shape[-2:]
        queries, keys, values = parts.view(batch, new, 3, self._heads, -1).permute(2, 0, 3, 1, 4)
        seen, carried = self._keys[number][:, :, :end], self._values[number][:, :, :end]
        seen[:, :, end - new :] = keys
        carried[:, :, end - new :] = values
        mixed = functional.scaled_dot_product_attention(queries, seen, carried, attn_mask=mask)
        return mixed.transpose(1, 2).reshape(batch * new, self._width)

    def _mask(self, past: int, end: int) -> Tensor:
        """bool[B, 1, new, end], True where seen."""
        mask = torch.ones(end - past, end, dtype=torch.bool).tril(past) & torch.from_numpy(self._real[:, None, :end])
        mask[..., past:] |= torch.eye(end - past, dtype=torch.bool)  # so that no row of the softmax is empty
        return mask[:, None]


def _room(shape: tuple[int, ...], device: torch.device) -> Tensor:
    """Unwritten memory; torch.empty would fill it where torch was asked to be deterministic."""
    return torch.from_numpy(np.empty(shape, np.float32)).to(device)


def _normed(stream: Tensor, weight_and_bias: tuple[Tensor, Tensor]) -> Tensor:
    return functional.layer_norm(stream, stream.shape[-1:], *weight_and_bias)


def _gelu(inner: Tensor) -> Tensor:
    """gelu(inner, approximate="tanh") as inner * sigmoid(c (inner + 0.044715 inner^3)), in half its time on a CPU."""
    twice = 2 * math.sqrt(2 / math.pi)
    return (inner * inner).mul_(0.044715 * twice).add_(twice).mul_(inner).sigmoid_().mul_(inner)


@njit(cache=True, fastmath=True, nogil=True)
def _append_and_attend(new, keys, values, real, now, mixed):
    """The key and value of token `now` of every row take their places, and its query attends to all real ones.

    new     float32[B, 3, heads, D], the token's query, key and value
    keys    float32[B, heads, room, D], and values; both written at `now`
    real    bool[B, room], False on padding, which is not seen but by itself
    mixed   float32[B, heads, D], the result
    """
    batch, heads, _, width = keys.shape
    scale = np.float32(1 / math.sqrt(width))
    weights = np.empty(now + 1, np.float32)
    for row in range(batch):
        for head in range(heads):
            query, key, value, out = new[row, 0, head], keys[row, head], values[row, head], mixed[row, head]
            for d in range(width):
                key[now, d] = new[row, 1, head, d]
                value[now, d] = new[row, 2, head, d]
                out[d] = 0
            top = np.float32(-1e30)
            for t in range(now + 1):
                dot = np.float32(0)
                for d in range(width):
                    dot += query[d] * key[t, d]
                weights[t] = dot * scale if real[row, t] or t == now else np.float32(-1e30)
                top = max(top, weights[t])
            total = np.float32(0)
            for t in range(now + 1):
                weights[t] = math.exp(weights[t] - top)
                total += weights[t]
            for t in range(now + 1):
                weight = weights[t] / total
                for d in range(width):
                    out[d] += weight * value[t, d]


def draw(logits: Tensor, uniform: np.ndarray, temperature: float) -> tuple[np.ndarray, np.ndarray]:
    """(tokens int64[B], their log-probabilities float32[B] at temperature 1), a draw by inverting the distribution.

    logits float32[B, vocabulary]; uniform float64[B] in [0, 1)
    """
    log_prob = logits.log_softmax(-1)
    chances = log_prob.exp() if temperature == 1 else (logits / temperature).softmax(-1)
    token = _invert(chances.numpy(), uniform)
    return token, log_prob.numpy()[np.arange(len(token)), token]


@njit(cache=True, nogil=True)
def _invert(chances, uniform):
    """int64[B], the first token whose cumulative chance exceeds uniform times the total; the last where none has any.

    chances float32[B, vocabulary], at least 0, added up in float64; uniform float64[B]
    """
    tokens = np.full(len(chances), chances.shape[1] - 1)
    for row in range(len(chances)):
        total = 0.0
        for chance in chances[row]:
            total += chance
        threshold, reached = uniform[row] * total, 0.0
        for token in range(chances.shape[1]):
            reached += chances[row, token]
            if chances[row, token] > 0:
                tokens[row] = token
                if reached > threshold:
                    break
    return tokens
