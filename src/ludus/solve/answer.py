"""What a solver answers: equilibria, each with the regret that certifies it, and whether there may be more."""

from typing import Any, NamedTuple

import numpy as np


class Answer(NamedTuple):
    """Profiles with their certificates. n profiles, P players.

    profiles    of a tree: n tables float64[K, A]; of a normal form: n tuples of P vectors float64[A_p]
    regret      float64[n], the most that any one player could gain by deviating alone, computed afresh from the game
                and not by the solver: 0 up to rounding at an equilibrium
    payoffs     float64[n, P], what each player expects
    complete    whether these are known to be all equilibria of the game; of a game with infinitely many, all extreme
                ones; of a search for pure ones, all pure ones
    note        why there may be more, or what the list stands for; "" where there is nothing to say
    method      the algorithm, in words
    iterations  its steps: sweeps, pivots or pairs of supports
    seconds     wall time
    """

    profiles: list[Any]
    regret: np.ndarray
    payoffs: np.ndarray
    complete: bool
    note: str
    method: str
    iterations: int
    seconds: float
