"""The transformer as a reader and writer: keys and values stay where they were written, nothing is computed twice.

`Transformer.forward` is the definition; this gives the same logits without gradients: compiled whole on the CPU
(`kernels`), by PyTorch on a GPU.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import scipy.linalg.cython_blas  # noqa: F401  the BLAS of compiled code, which must be there to be limited
import torch
from threadpoolctl import ThreadpoolController
from torch import Tensor
from torch.nn import functional

from ludus.models import kernels
from ludus.models.threads import at_once, slices

if TYPE_CHECKING:
    from ludus.models.transformer import Transformer


class Cache(NamedTuple):
    """The keys and values of the tokens so far, a pair of [B, heads, T, width / heads] per layer."""

    keys: list[Tensor]
    values: list[Tensor]


class Decoder:
    """B rows being read and written by one model, whose weights must not change meanwhile.

    read(tokens) takes what is given to every row and returns the logits after it; write(...) goes on from there.

    weights  the model's for compiled code, where they are at hand
    """

    def __init__(self, model: Transformer, batch: int, weights: kernels.Weights | None = None) -> None:
        size = model.size
        if weights is None and model.device.type == "cpu":
            weights = _weights(model)
        self._weights = weights  # None where PyTorch is to do it
        self._model, self._batch = model, batch
        self._length = 0  # tokens so far, padding among them
        self._real = np.zeros((batch, 0), bool)
        self._position = np.zeros(batch, np.int64)  # real tokens so far
        self._unread = np.zeros((batch, 0), np.int64)  # what was written last waits for what is read next
        self._heard = np.zeros(batch, bool)  # whose logits of the last reading mean something
        shape = (batch, size.layers, size.heads, 0, size.width // size.heads)
        self._keys, self._values = torch.zeros(shape, device=model.device), torch.zeros(shape, device=model.device)

    def _expect(self, tokens: int) -> None:
        """Make room for so many more tokens a row."""
        read, room = self._length, self._real.shape[1]
        if read + tokens > room:
            self._keys, self._values = (
                _longer(rooms[:, :, :, :read], read + tokens) for rooms in (self._keys, self._values)
            )
            self._real = np.pad(self._real, ((0, 0), (0, read + tokens - room)))

    def read(self, tokens: np.ndarray) -> Tensor:
        """Logits float32[B, vocabulary], on the CPU, after the last of tokens int64[B, T]; padding (0) is skipped.

        Rows are padded on the left: one whose last token is padding has heard nothing, and its logits mean nothing.

        Raises IndexError where a row gets longer than the model's context.
        """
        self._heard = tokens[:, -1] != 0
        if self._length == 0:
            once, row = np.unique(tokens, axis=0, return_inverse=True)
            if len(once) < self._batch:  # one prompt for many rows is read once
                return self._take(Decoder(self._model, len(once), self._weights), once, row.reshape(-1))
        tokens, self._unread = np.concatenate([self._unread, tokens], axis=1), self._unread[:, :0]
        tokens = np.ascontiguousarray(tokens)  # else it is compiled once more
        self._expect(tokens.shape[1])
        return self._read_by_torch(tokens) if self._weights is None else self._read(self._weights, tokens)

    def write(
        self, logits: Tensor, uniform: np.ndarray, stop: np.ndarray, temperature: float, going: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """(tokens int64[B, r], their log-probabilities float32[B, r] at temperature 1), r those of the longest row.

        A row ends with a token of `stop` bool[vocabulary] or after R; 0 stands behind it. A token is drawn by inverting
        the distribution at its number of uniform float64[B, R] in [0, 1).

        logits  float32[B, vocabulary], as `read` returned them
        going   bool[B], the rows that are written

        Raises ValueError where R is 0 or a going row has heard nothing, IndexError where a row gets longer than the
        model's context.
        """
        if not uniform.shape[1]:
            raise ValueError("uniform: it has no columns; give a number for each token that may be written")
        if not self._heard[going].all():
            row = int(np.flatnonzero(going & ~self._heard)[0])
            raise ValueError(
                f"going: row {row} heard nothing, since its last token is padding; pad on the left, or leave it out"
            )
        self._expect(uniform.shape[1] - 1)
        tokens, log_prob = np.zeros(uniform.shape, np.int64), np.zeros(uniform.shape, np.float32)
        given = (logits.numpy(), uniform, stop, temperature, going, tokens, log_prob)
        used = self._write_by_torch(*given) if self._weights is None else self._write(self._weights, *given)
        last = np.maximum((tokens != 0).sum(axis=1, keepdims=True) - 1, 0)  # where a row wrote nothing, a 0 is there
        self._unread = np.take_along_axis(tokens, last, axis=1)
        return tokens[:, :used], log_prob[:, :used]

    def _take(self, other: Decoder, tokens: np.ndarray, row: np.ndarray) -> Tensor:
        """Let `other` read tokens int64[U, T] first, and go on from there: row int64[B] says from which of its rows."""
        logits, which = other.read(tokens), torch.from_numpy(row)
        self._keys, self._values = other._keys[which], other._values[which]
        self._real, self._position, self._length = other._real[row], other._position[row], other._length
        return logits[which]

    def _read(self, weights: kernels.Weights, tokens: np.ndarray) -> Tensor:
        logits = np.zeros((self._batch, self._model.size.vocabulary), np.float32)
        self._share(kernels.read, weights, lambda rows: (tokens[rows], logits[rows]))
        self._length += tokens.shape[1]
        return torch.from_numpy(logits)

    def _write(self, weights, logits, uniform, stop, temperature, going, tokens, log_prob) -> int:
        """How many tokens the longest row has; tokens and log_prob are filled in."""
        uniform, stop, going = map(np.ascontiguousarray, (uniform, stop, going))  # else it is compiled once more

        def given(rows: slice) -> tuple:
            return logits[rows], uniform[rows], stop, float(temperature), going[rows], tokens[rows], log_prob[rows]

        used = max(self._share(kernels.write, weights, given))
        self._length += used - 1
        return used

    def _share(
        self, kernel: Callable[..., int], weights: kernels.Weights, given: Callable[[slice], tuple]
    ) -> list[int]:
        """What a kernel returns for each thread's rows; `given` says what it gets besides the state of those rows."""
        keys, values = self._keys.numpy(), self._values.numpy()

        def part(rows: slice) -> int:
            state = keys[rows], values[rows], self._real[rows], self._position[rows], self._length
            return kernel(weights, *state, *given(rows))

        with _blas().limit(limits=1):
            done = at_once(part, slices(self._batch))
        if not all(done):
            raise IndexError(f"tokens: a row has all of the model's {self._model.size.context} tokens; use fewer")
        return done

    @torch.no_grad()
    def _read_by_torch(self, tokens: np.ndarray) -> Tensor:
        past, end = self._length, self._length + tokens.shape[1]
        new = tokens != 0
        self._real[:, past:end] = new
        counted = self._position[:, None] + new.cumsum(axis=1)
        self._position, self._length = counted[:, -1], end
        mask = torch.ones(end - past, end, dtype=torch.bool).tril(past) & torch.from_numpy(self._real[:, None, :end])
        mask[..., past:] |= torch.eye(end - past, dtype=torch.bool)  # so that no row of the softmax is empty
        before = Cache(*(list(rooms[:, :, :, :past].unbind(1)) for rooms in (self._keys, self._values)))
        positions = torch.from_numpy((counted - 1).clip(min=0))
        final, cache = self._model.read(torch.from_numpy(tokens), mask, positions, before)
        for rooms, layers in ((self._keys, cache.keys), (self._values, cache.values)):
            for number, layer in enumerate(layers):
                rooms[:, number, :, past:end] = layer[:, :, past:]
        return self._model.logits(final[:, -1]).cpu()

    def _write_by_torch(self, logits, uniform, stop, temperature, going, tokens, log_prob) -> int:
        """The same by `read`, a token of all rows at a time."""
        going = going.copy()
        for round_ in range(uniform.shape[1]):
            if round_ > 0:
                logits = self._read_by_torch(np.where(going, tokens[:, round_ - 1], 0)[:, None]).numpy()
            token, chance = kernels.draw(logits, uniform[:, round_], temperature)
            tokens[going, round_] = token[going]
            log_prob[going, round_] = chance[going]
            going &= ~stop[token]
            if not going.any():
                return round_ + 1
        return uniform.shape[1]


def _longer(rooms: Tensor, length: int) -> Tensor:
    """Rooms [B, L, heads, T, D] with zeros up to a length; never anything else, since what is not seen is times 0."""
    if rooms.device.type != "cpu":
        return functional.pad(rooms, (0, 0, 0, length - rooms.shape[3]))
    new = np.zeros((*rooms.shape[:3], length, rooms.shape[4]), np.float32)  # no page of it is touched before its time
    new[:, :, :, : rooms.shape[3]] = rooms.numpy()
    return torch.from_numpy(new)


def _weights(model: Transformer) -> kernels.Weights:
    """A model's weights for compiled code."""

    def stack(name: str) -> list[np.ndarray]:
        parts = [getattr(block, name) for block in model.blocks]
        return [np.stack([getattr(part, kind).detach().numpy() for part in parts]) for kind in ("weight", "bias")]

    alone = (model.tokens.weight, model.positions.weight, model.never, model.norm.weight, model.norm.bias)
    names = ("norm_attention", "queries_keys_values", "attention_out", "norm_mlp", "mlp_in", "mlp_out")
    return kernels.Weights(
        *(weight.detach().numpy() for weight in alone), *(array for name in names for array in stack(name))
    )


@lru_cache(maxsize=1)
def _blas() -> ThreadpoolController:
    """What limits the threads of BLAS; looking for its libraries takes milliseconds."""
    return ThreadpoolController().select(user_api="blas")
