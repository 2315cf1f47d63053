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
