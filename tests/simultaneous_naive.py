"""Games of simultaneous moves solved by hand: one matrix at a time, from the end backwards."""

import numpy as np
from scipy.optimize import linprog


def matrix_game(payoff):
    """What a zero-sum matrix game float[m, n] is worth to the rows, and a strategy of each: von Neumann's programs."""
    payoff = np.asarray(payoff, float)
    value, rows = _sure_of(payoff)
    _, columns = _sure_of(-payoff.T)
    return value, rows, columns


def _sure_of(payoff):
    """Maximise v where every column pays the rows' strategy at least v."""
    m, n = payoff.shape
    solved = linprog(
        [*[0.0] * m, -1.0],
        np.hstack([-payoff.T, np.ones((n, 1))]),
        np.zeros(n),
        [[*[1.0] * m, 0.0]],
        [1.0],
        [(0, 1)] * m + [(None, None)],
    )
    return solved.x[m], solved.x[:m]
