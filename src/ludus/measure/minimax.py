"""Minimax regret: what a policy gives away in each position of a perfect-information game.

The value of a position is what its mover earns when both play perfectly from there on (von Neumann 1928, backward
induction). The regret of a policy in a position is that value minus the expected value of the position after its next
move, drawn from its own action distribution there, again with perfect play afterwards: regret(k) = v(k) - sum over a of
table[k, a] * v(k, a), seen by the mover of k. It is zero for perfect play, and in a position it blames the move made
there and no later one. Positions count alike, each infoset once, whichever player moves in it and however rarely a game
comes there: a policy must be sound everywhere, not only on its own path.
"""

import numpy as np
from numba import types

from ludus.game import CHANCE, OVER, engine
from ludus.records import Value
from ludus.solve.best_response import checked, goes_on_alike
from ludus.tree import Tree


class NotPerfectInformation(ValueError):
    """A tree in which a position is not worth one thing: something is hidden, or payoffs do not sum to a constant."""


def minimax_regret(tree: Tree, table: np.ndarray) -> Value:
    """The mean of `position_regrets` over all positions, each counted once, in payoff units; errors as there."""
    regrets = position_regrets(tree, table)
    return Value(
        float(regrets.mean()),
        "exact",
        None,
        f"backward induction; mean over {len(regrets)} positions, each counted once",
    )


def worst_minimax_regret(tree: Tree, table: np.ndarray) -> Value:
    """The largest of `position_regrets`; the method names the position. Errors as there."""
    regrets = position_regrets(tree, table)
    worst = int(regrets.argmax())
    return Value(
        float(regrets[worst]),
        "exact",
        None,
        f"backward induction; the worst of {len(regrets)} positions: {tree.labels.infoset(worst)}",
    )


def position_regrets(tree: Tree, table: np.ndarray) -> np.ndarray:
    """The minimax regret of `table` float64[K, A] in every position: float64[K], zero or more.

    Raises NotPerfectInformation, and ValueError where the table is no strategy of this tree.
    """
    table = checked(tree, table)
    sums = tree.payoff[tree.turn == OVER].sum(axis=1)
    if tree.players != 2 or np.ptp(sums) > 1e-9:
        raise NotPerfectInformation(
            "tree: minimax values need two players whose payoffs always add up to the same; this tree has "
            f"{tree.players} players and sums from {sums.min():g} to {sums.max():g}; use ludus.measure.nash_conv"
        )
    if not goes_on_alike(tree):
        raise NotPerfectInformation(
            "tree: minimax values need perfect information, but histories of one infoset go on differently; "
            "use ludus.measure.nash_conv"
        )
    worth = _backward_induction(
        tree.turn, tree.first, tree.action, tree.infoset, tree.chance, tree.payoff, *tree.legal.shape
    )
    value = np.where(tree.legal, worth, -np.inf).max(axis=1)
    return value - (table * worth).sum(axis=1)


_INTEGERS, _NUMBERS = types.int64[::1], types.float64[::1]


@engine(types.float64[:, ::1](*(_INTEGERS,) * 4, _NUMBERS, types.float64[:, ::1], *(types.int64,) * 2))
def _backward_induction(turn, first, action, infoset, chance, payoff, infosets, actions):
    """What each action of a position is worth to its mover under perfect play of both: float64[K, A]."""
    worth, value = np.zeros((infosets, actions)), np.zeros((len(turn), 2))
    for node in range(len(turn) - 1, -1, -1):
        mover, best = turn[node], -1
        if mover == OVER:
            value[node] = payoff[node]
            continue
        for child in range(first[node], first[node + 1]):
            if mover == CHANCE:
                value[node] += chance[child] * value[child]
            else:
                worth[infoset[node], action[child]] = value[child, mover]
                if best < 0 or value[child, mover] > value[best, mover]:
                    best = child
        if best >= 0:
            value[node] = value[best]
    return worth
