"""A small GPT, trained from scratch in seconds on a laptop, written to be read.

Radford et al. (2019), "Language models are unsupervised multitask learners": pre-norm blocks, learned positions,
tanh-approximated GELU, and an output layer tied to the token embedding. Every weight has its counterpart in GPT-2
under the same role (linear layers are stored transposed there), so a model can be exported to ordinary servers.
"""

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from ludus.models.decoding import Cache, Decoder
from ludus.models.threads import by_rows

NEVER = -1e9  # the logit of token 0: padding is never written; finite, so that entropies are not NaN

Hook = Callable[[str, Tensor], Tensor | None]
"""(site, activation) -> None to read it, or a tensor of the same shape to put in its place."""


class Size(NamedTuple):
    """How large a model is: numbers of layers, channels, heads, positions and tokens. Token 0 is padding."""

    layers: int
    width: int
    heads: int
    context: int
    vocabulary: int


class Block(nn.Module):
    """One layer: attention, then a two-layer perceptron, each added to the stream after a layer norm."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.heads = size.heads
        self.norm_attention = nn.LayerNorm(size.width)
        self.queries_keys_values = nn.Linear(size.width, 3 * size.width)
        self.attention_out = nn.Linear(size.width, size.width)
        self.norm_mlp = nn.LayerNorm(size.width)
        self.mlp_in = nn.Linear(size.width, 4 * size.width)
        self.mlp_out = nn.Linear(4 * size.width, size.width)

    def attend(self, stream: Tensor, mask: Tensor, past: tuple[Tensor, Tensor] | None) -> tuple[Tensor, Tensor, Tensor]:
        """Attention over the past and the new tokens; to the scores float32[B or 1, 1, new, past + new] is added."""
        batch, length, width = stream.shape
        parts = self.queries_keys_values(self.norm_attention(stream)).view(batch, length, 3, self.heads, -1)
        queries, keys, values = parts.permute(2, 0, 3, 1, 4)
        if past is not None:
            keys, values = torch.cat([past[0], keys], dim=2), torch.cat([past[1], values], dim=2)
        mixed = functional.scaled_dot_product_attention(queries, keys, values, attn_mask=mask)
        return self.attention_out(mixed.transpose(1, 2).reshape(batch, length, width)), keys, values

    def mlp(self, stream: Tensor) -> Tensor:
        return self.mlp_out(functional.gelu(self.mlp_in(self.norm_mlp(stream)), approximate="tanh"))


class Transformer(nn.Module):
    """The model. `rng` draws the initial weights: normal 0.02, residual outputs scaled by 1 / sqrt(2 layers).

    It lives on the CPU, or where the environment's LUDUS_DEVICE says. Tokens come from the CPU's memory, and logits and
    log-probabilities are given back in it, so that losses and recipes know nothing of devices.
    """

    never: Tensor  # added to the logits

    def __init__(self, size: Size, rng: np.random.Generator) -> None:
        super().__init__()
        if size.width % size.heads:
            raise ValueError(f"size: width must be a multiple of heads, it was {size.width} and {size.heads}")
        self.size = size
        self.tokens = nn.Embedding(size.vocabulary, size.width)
        self.positions = nn.Embedding(size.context, size.width)
        self.blocks = nn.ModuleList(Block(size) for _ in range(size.layers))
        self.norm = nn.LayerNorm(size.width)
        never = torch.zeros(size.vocabulary)
        never[0] = NEVER
        self.register_buffer("never", never, persistent=False)
        with torch.no_grad():
            for name, weight in self.named_parameters():
                if name.endswith("bias"):
                    weight.zero_()
                elif "norm" not in name:
                    scale = 0.02 / math.sqrt(2 * size.layers) if "_out" in name else 0.02
                    weight.copy_(torch.from_numpy(rng.normal(0.0, scale, tuple(weight.shape))))
        self.register_state_dict_post_hook(_to_cpu)
        self.to(os.environ.get("LUDUS_DEVICE", "cpu"))

    @property
    def device(self) -> torch.device:
        """Where it lives, as the environment said when it was made."""
        return self.tokens.weight.device

    def forward(
        self,
        tokens: Tensor,
        mask: Tensor,
        positions: Tensor,
        cache: Cache | None = None,
        hook: Hook | None = None,
    ) -> tuple[Tensor, Cache]:
        """Logits float32[B, T, vocabulary] after each token, on the CPU, and the cache. Takes what `read` takes."""
        final, cache = self.read(tokens, mask, positions, cache, hook)
        return self.logits(final).cpu(), cache

    def read(
        self,
        tokens: Tensor,
        mask: Tensor,
        positions: Tensor,
        cache: Cache | None = None,
        hook: Hook | None = None,
    ) -> tuple[Tensor, Cache]:
        """The last activations float32[B, T, width], of which `logits` makes logits, and the cache: on the device.

        tokens     int64[B, T], the new tokens
        mask       bool[B or 1, T, past + T], True where a token sees another
        positions  int64[B or 1, T]
        cache      what earlier calls returned, None at the start
        hook       called at the sites "embedding", "LAYER.attention", "LAYER.mlp", "LAYER.stream" and "final"
        """
        tokens, mask, positions = (given.to(self.device) for given in (tokens, mask, positions))
        stream = self._visit(hook, "embedding", self.tokens(tokens) + self.positions(positions))
        seen = stream.new_zeros(mask.shape).masked_fill_(~mask, -math.inf)[:, None]  # made once, not in every layer
        keys, values = [], []
        for layer, block in enumerate(self.blocks):
            past = None if cache is None else (cache.keys[layer], cache.values[layer])
            mixed, key, value = block.attend(stream, seen, past)  # type: ignore[operator]
            stream = stream + self._visit(hook, f"{layer}.attention", mixed)
            stream = stream + self._visit(hook, f"{layer}.mlp", block.mlp(stream))  # type: ignore[operator]
            stream = self._visit(hook, f"{layer}.stream", stream)
            keys.append(key)
            values.append(value)
        return self._visit(hook, "final", self.norm(stream)), Cache(keys, values)

    def logits(self, final: Tensor) -> Tensor:
        """float32[..., vocabulary] of last activations float32[..., width]."""
        return functional.linear(final, self.tokens.weight, self.never)

    @staticmethod
    def _visit(hook: Hook | None, site: str, activation: Tensor) -> Tensor:
        changed = None if hook is None else hook(site, activation)
        return activation if changed is None else changed


def _to_cpu(module: nn.Module, state: dict[str, Tensor], prefix: str, metadata: Any) -> None:
    """Weights that are kept are kept in the CPU's memory, so that no GPU is needed to read them."""
    for name, weight in state.items():
        state[name] = weight.cpu()


def causal(real: Tensor) -> tuple[Tensor, Tensor]:
    """The mask and positions of left-padded rows; real bool[B, T] is False on the padding.

    A token sees itself and the real tokens before it; positions count real tokens only, so padding changes nothing.
    """
    length = real.shape[1]
    lower = torch.ones(length, length, dtype=torch.bool, device=real.device).tril()
    itself = torch.eye(length, dtype=torch.bool, device=real.device)  # so that no row of the softmax is empty
    return (lower & real[:, None]) | itself, (real.cumsum(1) - 1).clamp(min=0)


def log_probabilities(model: Transformer, tokens: Tensor, real: Tensor, hook: Hook | None = None) -> Tensor:
    """Exact log-probability of every token given those before it: float32[B, T], zero for the first and for padding.

    tokens int64[B, T] left-padded, real bool[B, T]. The log-probability of a sequence is the sum over its tokens.
    """
    tokens, real = tokens.to(model.device), real.to(model.device)

    def part(rows: slice) -> tuple[Tensor]:
        final, _ = model.read(tokens[rows], *causal(real[rows]), hook=hook)
        chosen = model.logits(final[:, :-1]).log_softmax(-1).gather(2, tokens[rows, 1:, None])[..., 0]
        return (functional.pad(chosen * (real[rows, 1:] & real[rows, :-1]), (1, 0)),)

    return (by_rows(part, len(tokens), model) if hook is None else part(slice(None)))[0].cpu()


class Sampled(NamedTuple):
    """Continuations of B prompts by at most R tokens.

    tokens    int64[B, R], `stop` inclusive, padding after it
    log_prob  float64[B, R], log-probability of each token under the model at temperature 1, zero on padding
    length    int64[B], how many tokens were sampled
    """

    tokens: np.ndarray
    log_prob: np.ndarray
    length: np.ndarray


def sample(
    model: Transformer,
    prompts: np.ndarray,
    real: np.ndarray,
    uniform: np.ndarray,
    stop: np.ndarray,
    temperature: float = 1.0,
) -> Sampled:
    """Continue B left-padded prompts until a token of `stop` or R tokens, with a key-value cache.

    prompts  int64[B, T]; real bool[B, T], False on padding
    uniform  float64[B, R] in [0, 1), one number per token: the draw is the inverse of the cumulative distribution,
             so a row's reply depends on its own numbers alone (up to rounding in the batched product)
    stop     bool[vocabulary]
    """
    if temperature <= 0:
        raise ValueError(f"temperature: must be above zero, it was {temperature}; use a small one for greedy replies")
    decoder = Decoder(model, len(prompts))
    logits = decoder.read(np.where(real, prompts, 0))
    written, chances = decoder.write(logits, uniform, stop, temperature, np.ones(len(prompts), bool))
    tokens, log_prob = np.zeros(uniform.shape, np.int64), np.zeros(uniform.shape)
    tokens[:, : written.shape[1]], log_prob[:, : written.shape[1]] = written, chances
    return Sampled(tokens, log_prob, (written != 0).sum(axis=1))


def save(model: Transformer, path: Path) -> None:
    """Write weights and size to one safetensors file, whole or not at all."""
    partial = path.with_suffix(path.suffix + ".partial")
    size = {name: str(number) for name, number in model.size._asdict().items()}
    save_file({name: weight.contiguous() for name, weight in model.state_dict().items()}, partial, metadata=size)
    partial.replace(path)


def load(path: Path) -> Transformer:
    """Read a model that `save` wrote. Raises ValueError where the file is not one."""
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        model = Transformer(Size(**{name: int(number) for name, number in metadata.items()}), np.random.default_rng(0))
        model.load_state_dict(weights)
    except FileNotFoundError:
        raise
    except Exception as error:
        raise ValueError(f"path: {path} is not a model that ludus.models.transformer.save wrote ({error})") from error
    return model
