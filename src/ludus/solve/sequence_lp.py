"""The linear program of a two-player game of constant sum, over the sequence form: its value and both strategies.

Player 0 chooses how likely each of its own sequences of moves is, x. Against x, player 1 does in every infoset what
costs it least; the bounds q say to how much it can hold player 0 from there on. The program maximises the bound at the
root. It is linear, as large as the game and not as the number of plans, and its dual variables are the plan y of
player 1.
Koller, Megiddo and von Stengel (1996), "Efficient computation of equilibria for extensive two-person games", section
3; the matrices E, F and A as in von Stengel (1996), "Efficient computation of behavior strategies".
"""

import time

import numpy as np
from scipy.sparse import block_array, coo_array

from ludus.game import OVER
from ludus.solve.answer import Answer
from ludus.solve.best_response import evaluate
from ludus.solve.linear_program import LIMIT, SOLVED, solve
from ludus.solve.sequence_form import SequenceForm, fold
from ludus.solve.solution import as_table
from ludus.solve.zero_sum import constant_sum
from ludus.tree import Tree


def sequence_lp(tree: Tree, seconds: float | None = None) -> Answer:
    """Solve a two-player tree of constant sum and perfect recall exactly, up to rounding.

    One profile, a table float64[K, A]; play is even where its player's own plan never comes. The regret is that of best
    responses to the table, so the value of the game to player 0 lies within `regret` of its payoff. Where HiGHS needs
    more than `seconds` or breaks down, it leaves nothing to go on: there is no profile; `note` says why.
    Raises NotConstantSum, ImperfectRecall, and ValueError where the limit is no time.
    """
    if seconds is not None and not 0 < seconds < np.inf:
        raise ValueError(f"seconds: a finite time above 0 is needed, not {seconds!r}; leave it out for none")
    start = time.perf_counter()
    constant_sum("tree", tree.payoff[tree.turn == OVER])
    form = fold(tree)
    payoff, own, other = _payoffs(form), _plans(form, 0), _plans(form, 1)
    unit, sequences, bounds = np.abs(payoff.data).max(initial=0.0) or 1.0, own.shape[1], other.shape[0]

    def program(largest):
        return (
            -np.eye(1, sequences + bounds, sequences)[0],  # maximise the bound q at the root, where
            block_array([[-payoff.T * (largest / unit), other.T]], format="csc"),  # F'q <= A'x; its duals are -y
            np.zeros(payoff.shape[1]),
            block_array([[own, coo_array((own.shape[0], bounds))]], format="csc"),  # Ex = e: x is a plan
            np.eye(1, own.shape[0])[0],
            np.array([(0.0, np.inf)] * sequences + [(-np.inf, np.inf)] * bounds),
        )

    result = solve(program, seconds)
    profiles, regret, payoffs = [], np.empty(0), np.empty((0, 2))
    if result.status == SOLVED:
        table = _behaviour(tree, form, np.r_[result.x[:sequences], -result.ineqlin.marginals])
        played, best = evaluate(tree, table)
        profiles, regret, payoffs = [table], np.array([(best - played).max()]), played[None]
        note = "one equilibrium; there may be more, and all are worth the same"
    elif result.status == LIMIT:
        note = f"not solved within {seconds:g} seconds; allow more, or come near with ludus.solve.cfr.cfr_plus"
    else:
        note = f"HiGHS broke down: {result.message}; come near with ludus.solve.cfr.cfr_plus"
    return Answer(
        profiles,
        regret,
        payoffs,
        False,
        note,
        "linear program over the sequence form, HiGHS dual simplex",
        result.nit or 0,
        time.perf_counter() - start,
    )


def _payoffs(form: SequenceForm) -> coo_array:
    """A: what player 0 earns, weighted by chance, with a row per sequence of player 0 and a column per player 1's."""
    blocks = form.block[: form.first_block[1]].astype(np.int64)
    rows = [np.tile(form.target[first : first + rows], length) for first, rows, length, _ in blocks]
    row = np.concatenate([np.empty(0, np.int64), *rows])
    entry, column = form.weight[: len(row)], form.other[0, : len(row)] - form.root[1]
    real = entry != 0  # rows of zeros fill up the last four of a block
    return coo_array((entry[real], (row[real], column[real])), tuple(np.diff(form.root)))


def _plans(form: SequenceForm, player: int) -> coo_array:
    """E or F: the plan's row of the empty sequence is 1; the moves of an infoset sum to the sequence before it."""
    groups = form.group[form.first_group[player] : form.first_group[player + 1]].astype(np.int64)
    row, column, sign = [np.zeros(1, np.int64)], [np.zeros(1, np.int64)], [np.ones(1)]
    infosets = 0
    for first, place, size, actions in groups:
        here = infosets + 1 + np.arange(size)
        row += [np.tile(here, actions), here]
        column += [np.arange(first, first + size * actions), form.parent[place : place + size].astype(np.int64)]
        sign += [np.ones(size * actions), -np.ones(size)]
        infosets += size
    column[1:] = [each - form.root[player] for each in column[1:]]
    shape = (infosets + 1, form.root[player + 1] - form.root[player])
    return coo_array((np.concatenate(sign), (np.concatenate(row), np.concatenate(column))), shape)


def _behaviour(tree, form, plan):
    """The strategies float64[K, A] that plans float64[S] amount to: each move's share of its infoset's weight."""
    weights = as_table(tree, form, np.maximum(plan, 0.0))
    sums = weights.sum(axis=1, keepdims=True)
    even = tree.legal / tree.legal.sum(axis=1, keepdims=True)
    return np.divide(weights, sums, out=even, where=sums > 0)
