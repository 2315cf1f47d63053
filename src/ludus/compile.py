"""`python -m ludus.compile`: compile every engine and game once; later processes load them from the disk cache."""

from contextlib import suppress

import numpy as np

from ludus.agents.uniform import uniform
from ludus.evolve.moran import moran
from ludus.games import load, names
from ludus.iterated.long_run import long_run
from ludus.iterated.match import round_robin
from ludus.iterated.strategies import STRATEGIES
from ludus.measure.alpha_rank import alpha_rank
from ludus.measure.bradley_terry import counted, rate
from ludus.measure.elo import elo
from ludus.measure.minimax import minimax_regret
from ludus.measure.nash_conv import nash_conv
from ludus.models.transformer import Size, Transformer, sample
from ludus.normal_form import bimatrix
from ludus.play import play, playouts
from ludus.solve.approach import METHODS
from ludus.solve.lemke_howson import lemke_howson
from ludus.solve.mccfr import external_sampling, outcome_sampling
from ludus.solve.support_enumeration import support_enumeration
from ludus.tree import TooLarge, grow


def main() -> None:
    """Play every game once; solve Kuhn poker and a matrix game in every way; judge, rate, evolve and write."""
    for name in names():
        playouts(load(name), 2, np.random.default_rng(0))
        play(load(name), [uniform] * load(name).players, 2, np.random.default_rng(0))
        with suppress(TooLarge):
            grow(load(name), limit=1)  # compiles the kernels; the tree itself is not wanted
    tree = grow(load("kuhn_poker"))
    for solver in METHODS.values():
        nash_conv(tree, solver(tree, 2).profile)
    for sampler in (external_sampling, outcome_sampling):
        sampler(tree, 2, np.random.default_rng(0))
    for enumerate_ in (support_enumeration, lemke_howson):
        enumerate_(bimatrix(np.eye(2), np.eye(2)))
    round_robin(list(STRATEGIES), turns=2, repetitions=2, rng=np.random.default_rng(0))
    long_run(["grim"], ["grim"])
    moran(np.ones((2, 2)), [1, 1], np.random.default_rng(0), runs=1)
    met = np.array([[0, 1], [1, 0], [0, 1]])
    wins, ties = counted(met, np.array([1.0, 1.0, 0.5]), 2)
    rate(wins, ties, np.random.default_rng(0), samples=100)
    elo(met, np.array([1.0, 1.0, 0.5]), 2)
    for alpha in (1.0, 1e9, np.inf):
        alpha_rank(np.array([[0.0, 1.0], [2.0, 0.0]]), alpha)
    model = Transformer(Size(layers=1, width=2, heads=1, context=2, vocabulary=2), np.random.default_rng(0))
    sample(model, np.ones((1, 1), np.int64), np.ones((1, 1), bool), np.zeros((1, 2)), np.zeros(2, bool))
    board = grow(load("tic_tac_toe"))
    minimax_regret(board, board.legal / board.legal.sum(axis=1, keepdims=True))


if __name__ == "__main__":
    main()
