"""What an iterative solver hands back, and how it is run: in pieces, watched at checkpoints, continued from a state.

A solver keeps tables float64[K, A] in the tree's numbering between calls, and arrays float64[S] over the sequences of
the folded game while it sweeps. Both hold the same numbers, so a run that was stopped goes on bit for bit.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ludus.solve.sequence_form import SequenceForm, fold
from ludus.tree import Tree


class Solution(NamedTuple):
    """Where a solver has come to.

    average     float64[K, A], the average strategy: this is what approaches equilibrium
    current     float64[K, A], the strategy that the solver would play next
    iterations  since the very first, earlier calls included
    seconds     wall time of the sweeps of this call; folding the tree and making tables are left out
    state       hand it back as `state` to go on
    """

    average: np.ndarray
    current: np.ndarray
    iterations: int
    seconds: float
    state: Any

    @property
    def profile(self) -> np.ndarray:
        """What approaches equilibrium: the average."""
        return self.average


def check(tree: Tree, iterations: int, state: Any) -> None:
    """Raise ValueError where `iterations` is no count, or where a state's tables are not those of this tree.

    state  a NamedTuple of tables float64[K, A] and, last, `iterations`; None for a fresh start
    """
    if not isinstance(iterations, int | np.integer) or iterations < 1:
        raise ValueError(f"iterations: a whole number, at least 1, is needed, not {iterations!r}")
    for name in () if state is None else state._fields[:-1]:
        shape = np.shape(getattr(state, name))
        if shape != tree.legal.shape:
            raise ValueError(
                f"state: {name} of this tree has shape {tree.legal.shape}, not {shape}; pass the state of the same tree"
            )


def run(
    tree: Tree,
    iterations: int,
    state: Any,
    checkpoints: Sequence[int],
    watch: Callable[[Any], None] | None,
    sweep: Callable[..., np.ndarray],
    report: Callable[[np.ndarray, float, Any], Any],
) -> Any:
    """Run a solver for `iterations` more iterations: the last report, each one at a checkpoint given to `watch`.

    state   a NamedTuple of tables float64[K, A] and, last, `iterations`
    sweep   (form, first iteration, how many, one float64[S] a table) -> strategy float64[S]; the arrays change in place
    report  (strategy float64[K, A], seconds, state) -> what the solver hands back
    """
    form = fold(tree)
    *tables, done = state
    numbers, done = [as_sequences(form, table) for table in tables], int(done)
    last, seconds = done + iterations, 0.0
    stops = sorted({stop for stop in checkpoints if done < stop < last} | {last})
    piece = max(1, 20_000_000 // (len(form.weight) + form.sequences))  # keeps the keyboard's interrupt alive
    for stop in stops:
        start = time.perf_counter()
        while done < stop:
            count = min(piece, stop - done)
            strategy = sweep(form, done + 1, count, *numbers)
            done += count
        seconds += time.perf_counter() - start
        now = type(state)(*(as_table(tree, form, number) for number in numbers), done)
        solution = report(as_table(tree, form, strategy), seconds, now)
        if watch is not None and stop in checkpoints:
            watch(solution)
    return solution


def averaged(tree: Tree, strategy: np.ndarray, seconds: float, state: Any) -> Solution:
    """The report of a solver whose state has a `total` of realisation plans; uniform where no plan has come."""
    sums = state.total.sum(axis=1, keepdims=True)
    uniform = tree.legal / tree.legal.sum(axis=1, keepdims=True)
    average = np.divide(state.total, sums, out=uniform, where=sums > 0)
    return Solution(average, strategy, state.iterations, seconds, state)


def as_table(tree: Tree, form: SequenceForm, numbers: np.ndarray) -> np.ndarray:
    """Numbers of sequences, float64[S], as a table float64[K, A], zero at illegal actions."""
    table = np.zeros(tree.legal.shape)
    own = form.cell >= 0
    table.ravel()[form.cell[own]] = numbers[own]
    return table


def as_sequences(form: SequenceForm, table: np.ndarray) -> np.ndarray:
    """A table float64[K, A] as numbers of sequences, float64[S], zero at the empty sequences."""
    return np.where(form.cell >= 0, np.asarray(table, np.float64).ravel()[form.cell], 0.0)
