"""NashConv and exploitability: how much the players could still gain, each by its best response to the others.

Lanctot, Zambaldi, Gruslys et al. (2017), "A unified game-theoretic approach to multiagent reinforcement learning",
section 2. Zero exactly at a Nash equilibrium.
"""

import numpy as np

from ludus.records import Value
from ludus.solve.best_response import evaluate
from ludus.tree import Tree

METHOD = "every player's best response, over the sequence form or node by node"


def nash_conv(tree: Tree, table: np.ndarray) -> Value:
    """The sum over players of what a best response earns more than `table` float64[K, A] does, in payoff units.

    Exact up to rounding. Raises ValueError where the table is no strategy of this tree, ImperfectRecall where the tree
    has no exact best response.
    """
    played, best = evaluate(tree, table)
    return Value(float(best.sum() - played.sum()), "exact", None, METHOD)


def exploitability(tree: Tree, table: np.ndarray) -> Value:
    """NashConv divided by the number of players, as OpenSpiel reports it; errors as for `nash_conv`."""
    gain = nash_conv(tree, table)
    return gain._replace(number=gain.number / tree.players, method=f"{METHOD}; NashConv / {tree.players} players")


def sampled_nash_conv(tree: Tree, counts: np.ndarray, rng: np.random.Generator, resamples: int = 500) -> Value:
    """NashConv of a policy known only by counts int64[K, A] of sampled actions, at least one at every infoset.

    Best responses fit themselves to the noise of the counts, so the NashConv of the frequencies is too high. The basic
    bootstrap (Davison and Hinkley 1997, section 5.2) draws counts afresh from the frequencies, sees how much too high
    they come out, and takes that off: number and 95% interval are reflected about the NashConv of the frequencies. Near
    an equilibrium, where NashConv has a kink, the interval is rough; zero is its floor. Errors as for `nash_conv`.
    """
    counts = np.asarray(counts)
    replies = counts.sum(axis=1)
    if counts.shape != tree.legal.shape or (replies < 1).any():
        raise ValueError(
            f"counts: one sampled action or more is needed in each of the {len(tree.player)} infosets, shape "
            f"{tree.legal.shape} seen {counts.shape} with a row of {replies.min() if replies.size else 0}; sample more"
        )
    frequency = counts / replies[:, None]
    seen = nash_conv(tree, frequency).number
    again = [nash_conv(tree, rng.multinomial(replies, frequency) / replies[:, None]).number for _ in range(resamples)]
    low, high = (max(0.0, 2 * seen - bound) for bound in np.quantile(again, [0.975, 0.025]))
    method = f"{METHOD}, of {replies.min()} or more sampled actions an infoset; basic bootstrap"
    return Value(max(0.0, 2 * seen - float(np.mean(again))), "sampled", (low, high), method)
