"""The linear program of a matrix game: the mixed strategy that secures the most, whatever the other player does.

Player 0 chooses x to maximise v where every column pays at least v against x. The dual program is player 1's own: y
such that no row pays more than v. Both have the same value (von Neumann 1928, "Zur Theorie der Gesellschaftsspiele"),
and one solution of the simplex method holds both strategies (Dantzig 1951, "A proof of the equivalence of the
programming problem and the game problem").
"""

import time

import numpy as np

from ludus.normal_form import NormalForm, expected, regret
from ludus.solve.answer import Answer
from ludus.solve.linear_program import SOLVED, solve


class NotConstantSum(ValueError):
    """The game is not one of two players whose payoffs always add up to the same."""


def zero_sum(form: NormalForm) -> Answer:
    """The value of a two-player game of constant sum, and a strategy for each player that secures its share of it.

    One equilibrium as one profile; in such a game all are worth the same, and the value of player 0 lies within
    `regret` of its payoff. Raises NotConstantSum, and RuntimeError where HiGHS breaks down.
    """
    start = time.perf_counter()
    constant_sum("form", form.payoff)
    matrix = form.payoff[..., 0]
    rows, columns = matrix.shape
    unit = np.abs(matrix).max() or 1.0

    def program(largest):
        return (
            np.r_[np.zeros(rows), -1.0],  # maximise v
            np.c_[-matrix.T * (largest / unit), np.ones(columns)],  # v <= each column's pay against x; its duals are -y
            np.zeros(columns),
            np.r_[np.ones(rows), 0.0][None],
            [1.0],
            [(0, None)] * rows + [(None, None)],
        )

    result = solve(program)
    if result.status != SOLVED:
        raise RuntimeError(f"HiGHS broke down on this {rows} x {columns} game: {result.message}")
    found = (np.maximum(result.x[:rows], 0.0), np.maximum(-result.ineqlin.marginals, 0.0))
    profile = tuple(weights / weights.sum() for weights in found)
    return Answer(
        [profile],
        np.array([regret(form, profile)]),
        expected(form, profile)[None],
        False,
        "one equilibrium; there may be more, and all are worth the same",
        "linear program of the matrix game, HiGHS dual simplex",
        result.nit,
        time.perf_counter() - start,
    )


def constant_sum(argument: str, payoff: np.ndarray) -> None:
    """Raise NotConstantSum, naming the argument, where the two payoffs float64[..., 2] do not add up to one number."""
    if payoff.shape[-1] != 2:
        raise NotConstantSum(
            f"{argument}: a linear program solves games of two players, this one has {payoff.shape[-1]}; for more "
            "players run ludus.solve.cfr, or ludus.solve.correlated on a normal form"
        )
    sums = payoff.sum(axis=-1)
    if np.ptp(sums) > 1e-12 * np.abs(payoff).max():
        raise NotConstantSum(
            f"{argument}: the two players' payoffs must add up to the same in every outcome, here to between "
            f"{sums.min():g} and {sums.max():g}; a general-sum game needs one of the solvers of normal forms, such as "
            "ludus.solve.correlated"
        )
