"""External-sampling and outcome-sampling MCCFR against OpenSpiel's C++ solvers.

One iteration lets every player learn once: from a walk in external sampling, from a game in outcome sampling. Before an
algorithm is timed, its NashConv after as many iterations must agree with OpenSpiel's within a factor of two, the mean
of five seeds on both sides; both are told on stderr.
Run: PYTHONPATH=src .venv-peers/bin/python benchmarks/sampling.py
"""

import contextlib
import statistics
import sys

import numpy as np

from ludus.games import load
from ludus.measure.nash_conv import nash_conv
from ludus.solve.mccfr import external_sampling, outcome_sampling
from ludus.tree import grow
from pairing import compare

OPEN_SPIEL = {
    "kuhn_poker": "kuhn_poker",
    "leduc_poker": "leduc_poker",
    "liars_dice(dice=1, faces=5)": "liars_dice(players=2,numdice=1,dice_sides=5)",
}
SOLVERS = {"external sampling": external_sampling, "outcome sampling": outcome_sampling}
AGREE_AFTER = 20_000  # iterations
PIECE = 10_000  # iterations a call of ours


def our_iterations(name, algorithm):
    tree, rng, state = grow(load(name)), np.random.default_rng(0), None

    def work():
        nonlocal state
        state = SOLVERS[algorithm](tree, PIECE, rng, state).state
        return PIECE

    return work


def open_spiel_solver(name, algorithm, seed):
    import pyspiel

    solvers = {
        "external sampling": pyspiel.ExternalSamplingMCCFRSolver,
        "outcome sampling": pyspiel.OutcomeSamplingMCCFRSolver,
    }
    return solvers[algorithm](pyspiel.load_game(OPEN_SPIEL[name]), seed=seed)


def open_spiel_iterations(name, algorithm):
    solver = open_spiel_solver(name, algorithm, seed=1)

    def work():
        for _ in range(100):
            solver.run_iteration()
        return 100

    return work


def check_alike(name, algorithm):
    """Raises AssertionError where the NashConv reached is more than a factor of two from OpenSpiel's."""
    import pyspiel

    game, tree, ours, theirs = pyspiel.load_game(OPEN_SPIEL[name]), grow(load(name)), [], []
    for seed in range(5):
        solution = SOLVERS[algorithm](tree, AGREE_AFTER, np.random.default_rng(seed))
        ours.append(nash_conv(tree, solution.average).number)
        solver = open_spiel_solver(name, algorithm, seed)
        for _ in range(AGREE_AFTER):
            solver.run_iteration()
        theirs.append(pyspiel.nash_conv(game, solver.average_policy(), True))
    mine, other = statistics.mean(ours), statistics.mean(theirs)
    told = f"{algorithm}, {name}, {AGREE_AFTER} iterations: NashConv {mine:.4f}, OpenSpiel {other:.4f}"
    print(told, file=sys.stderr)
    assert 0.5 < mine / other < 2, told


def main():
    for name in OPEN_SPIEL:
        for algorithm in SOLVERS:
            with contextlib.suppress(ImportError):  # the rows say "not run" where OpenSpiel is missing
                check_alike(name, algorithm)
            compare(
                f"{algorithm}, {name}",
                "OpenSpiel C++",
                "iterations",
                our_iterations(name, algorithm),
                lambda name=name, algorithm=algorithm: open_spiel_iterations(name, algorithm),
            )


if __name__ == "__main__":
    main()
