"""Losses of policy gradients, token by token: a paper's objective is a sum of these, then a mean over what was written.

now = score(model, rollouts)
loss = clipped(now, rollouts.log_prob, advantage, 0.2, 0.2) + 0.01 * kl(now, reference) - 0.001 * now.entropy
descend(model, optimiser, mean_per_reply(loss, now.written))     # GRPO with an entropy term
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ludus.learn.rollout import Rollouts
from ludus.models.decoding import Cache
from ludus.models.threads import by_rows
from ludus.models.transformer import Transformer, causal


class Scored(NamedTuple):
    """What a model says of B rollouts of L tokens.

    log_prob  float32[B, L], of each token given what stands before it; 0 where the model did not write it
    entropy   float32[B, L], of the distribution that the token was drawn from; 0 where the model did not write it
    written   bool[B, L]
    """

    log_prob: Tensor
    entropy: Tensor
    written: Tensor


def score(model: Transformer, rollouts: Rollouts) -> Scored:
    """Exact log-probabilities and entropies of the written tokens, at temperature 1, with their gradients."""
    return _score(model, rollouts)[0]


def score_and_value(model: Transformer, head: nn.Linear, rollouts: Rollouts) -> tuple[Scored, Tensor]:
    """`score`, and the value float32[B, L] that a head on the last layer gives the state before each token, 0 if given.

    head  nn.Linear(width, 1)
    """
    scored, final = _score(model, rollouts)
    final = final.to(head.weight.device)
    value = functional.pad(head(final[:, :-1])[..., 0], (scored.written.shape[1] - final.shape[1] + 1, 0))
    return scored, value * scored.written


def _score(model: Transformer, rollouts: Rollouts) -> tuple[Scored, Tensor]:
    """What `score` gives, and the last layer's activations from the token before the first written column on."""
    tokens, written = torch.from_numpy(rollouts.tokens), torch.from_numpy(rollouts.turn >= 0)
    start = max(int(written.any(0).int().argmax()), 1)  # the first column that any row wrote

    def part(some: slice) -> tuple[Tensor, Tensor, Tensor]:
        ours = tokens[some]
        final = _read(model, ours.to(model.device), start)
        rows, columns = written[some, start:].nonzero(as_tuple=True)  # logits are made only where something was written
        log_softmax = model.logits(final[rows, columns]).log_softmax(-1)
        place = (rows, columns + start)
        chosen = log_softmax.gather(1, ours[place][:, None].to(model.device))[:, 0]
        entropy = -(log_softmax.exp() * log_softmax).sum(-1)
        empty = torch.zeros(ours.shape, dtype=final.dtype)
        return empty.index_put(place, chosen.cpu()), empty.index_put(place, entropy.cpu()), final

    chosen, entropy, final = by_rows(part, len(tokens), model)
    return Scored(chosen, entropy, written), final


def _read(model: Transformer, tokens: Tensor, start: int) -> Tensor:
    """The last activations after the columns from start - 1 on; equal beginnings are read once for all their rows."""
    mask, positions = causal(tokens != 0)
    once, row = tokens[:, :start].unique(dim=0, return_inverse=True)
    if len(once) == len(tokens):
        return model.read(tokens, mask, positions)[0][:, start - 1 :]
    before, cache = model.read(once, *causal(once != 0))
    cache = Cache(*([each.index_select(0, row) for each in layers] for layers in cache))
    after, _ = model.read(tokens[:, start:], mask[:, start:], positions[:, start:], cache)
    return torch.cat([before[:, -1:].index_select(0, row), after], dim=1)


def policy_gradient(now: Scored, advantage: np.ndarray) -> Tensor:
    """float32[B, L]: minus advantage[B, L] times log-probability. Williams (1992), REINFORCE."""
    return -torch.from_numpy(advantage).to(now.log_prob.dtype) * now.log_prob


def clipped(now: Scored, old: np.ndarray, advantage: np.ndarray, low: float = 0.2, high: float = 0.2) -> Tensor:
    """float32[B, L]: minus the smaller of ratio and clipped ratio times advantage.

    Schulman et al. (2017), PPO, arXiv:1707.06347, equation 7, token by token. old float32[B, L] are log-probabilities
    under the policy that sampled; the ratio is kept within 1 - low and 1 + high.
    """
    weight = torch.from_numpy(advantage).to(now.log_prob.dtype)
    ratio = (now.log_prob - torch.from_numpy(old)).exp()
    return -torch.minimum(ratio * weight, ratio.clamp(1 - low, 1 + high) * weight) * now.written


def kl(now: Scored, reference: np.ndarray) -> Tensor:
    """float32[B, L]: an estimate, never negative, of the divergence from the policy to a reference, token by token.

    Schulman (2020), "Approximating KL divergence", k3 = r - 1 - log r with r = reference / policy, unbiased under the
    policy; GRPO's equation 4. reference float32[B, L] are the reference's log-probabilities of the same tokens.
    """
    log_ratio = torch.from_numpy(reference) - now.log_prob
    return (log_ratio.exp() - 1 - log_ratio) * now.written


def mean_per_reply(loss: Tensor, written: Tensor) -> Tensor:
    """The mean over a row's written tokens, then over rows: GRPO's. Tokens of short replies weigh more."""
    return ((loss * written).sum(1) / written.sum(1).clamp(min=1)).mean()


def mean_per_token(loss: Tensor, written: Tensor) -> Tensor:
    """The mean over all written tokens alike: DAPO's (Yu et al. 2025, arXiv:2503.14476)."""
    return (loss * written).sum() / written.sum().clamp(min=1)


def sum_per_reply(loss: Tensor, written: Tensor) -> Tensor:
    """The sum over a row's written tokens, then the mean over rows: the gradient of the expected reward (REINFORCE)."""
    return (loss * written).sum(1).mean()
