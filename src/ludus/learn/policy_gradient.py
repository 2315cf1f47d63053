"""REINFORCE for players that write their actions, with the baseline plugged in.

Williams (1992), "Simple statistical gradient-following algorithms for connectionist reinforcement learning". The
gradient of the expected payoff is the mean of advantage times the gradient of the log-probability of the whole reply,
scratchpad and action. What differs between papers is the baseline that turns payoffs into advantages.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from scipy.signal import lfilter
from torch import Tensor

from ludus.learn import objective
from ludus.learn.rollout import given
from ludus.models.transformer import Transformer

Baseline = Callable[[np.ndarray, np.ndarray, np.ndarray, float], tuple[np.ndarray, np.ndarray]]
"""(mean float64[G, P], game int64[E], payoff float64[E, P], decay) -> (new mean, advantage float64[E, P]).

`mean` holds a moving average per game and player, zero at the start; a baseline uses of it what it needs.
"""


def no_baseline(mean: np.ndarray, game: np.ndarray, payoff: np.ndarray, decay: float) -> tuple[np.ndarray, np.ndarray]:
    """The advantage is the payoff."""
    return mean, payoff.copy()


def shared_baseline(
    mean: np.ndarray, game: np.ndarray, payoff: np.ndarray, decay: float
) -> tuple[np.ndarray, np.ndarray]:
    """One moving average over the payoffs of all players in all games; in a zero-sum game it stays near zero."""
    average = _moving_average(mean[0, 0], payoff.ravel(), decay)
    return np.full_like(mean, average[-1]), payoff - average.reshape(payoff.shape)


def role_baseline(
    mean: np.ndarray, game: np.ndarray, payoff: np.ndarray, decay: float
) -> tuple[np.ndarray, np.ndarray]:
    """One moving average for each game and player: role-conditioned advantage estimation.

    Liu et al. (2025), SPIRAL, arXiv:2506.24119, equation 2 and algorithm 1: the average takes in an episode's payoff
    before the advantage of that episode is taken.
    """
    mean, advantage = mean.copy(), np.empty_like(payoff)
    for which in np.unique(game):
        rows = game == which
        for player in range(payoff.shape[1]):
            average = _moving_average(mean[which, player], payoff[rows, player], decay)
            advantage[rows, player] = payoff[rows, player] - average
            mean[which, player] = average[-1]
    return mean, advantage


def _moving_average(start: float, payoff: np.ndarray, decay: float) -> np.ndarray:
    """b <- decay b + (1 - decay) payoff, after each payoff in turn."""
    return lfilter([1 - decay], [1, -decay], payoff, zi=[decay * start])[0]


class Replies(NamedTuple):
    """What a language player wrote in T decisions, as its notes in Episodes hold it.

    prompt  int64[T, W], left-padded; reply int64[T, R], right-padded; both with zeros
    """

    prompt: np.ndarray
    reply: np.ndarray


def score(model: Transformer, replies: Replies) -> tuple[Tensor, Tensor]:
    """Log-probability of each reply float32[T], and the mean entropy of its tokens' distributions float32[T]."""
    start = replies.prompt.shape[1]
    both = np.concatenate([replies.prompt, replies.reply], axis=1)
    once, row = np.unique(both, axis=0, return_inverse=True)  # a small game asks and is answered the same many times
    now = objective.score(model, given(once[:, :start], once[:, start:]))
    log_probability, spread = now.log_prob.sum(1), now.entropy.sum(1) / now.written.sum(1)
    which = torch.from_numpy(row.reshape(-1))
    return log_probability.index_select(0, which), spread.index_select(0, which)


def policy_gradient_loss(model: Transformer, replies: Replies, advantage: np.ndarray, entropy: float) -> Tensor:
    """Minus the mean of advantage[T] times log-probability, minus `entropy` times the mean entropy.

    Summed over a reply's tokens, not divided by their number: dividing would favour short replies.
    """
    log_probability, spread = score(model, replies)
    weight = torch.from_numpy(advantage).to(log_probability.dtype)
    return -(weight * log_probability).mean() - entropy * spread.mean()


def imitation_loss(model: Transformer, replies: Replies) -> Tensor:
    """Minus the mean log-probability of the replies of an expert."""
    return -score(model, replies)[0].mean()


def descend(model: Transformer, optimiser: torch.optim.Optimizer, loss: Tensor, longest: float = 1.0) -> float:
    """One step of the optimiser with the gradient's norm clipped at `longest`; returns the norm before clipping."""
    optimiser.zero_grad()
    loss.backward()
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), longest)
    optimiser.step()
    return float(norm)
