"""`python -m ludus.compile`: compile every engine and game once; later processes load them from the disk cache."""

from contextlib import suppress

import numpy as np

from ludus.games import load, names
from ludus.measure.minimax import minimax_regret
from ludus.measure.nash_conv import nash_conv
from ludus.play import playouts
from ludus.solve.cfr import cfr, cfr_plus
from ludus.tree import TooLarge, grow


def main() -> None:
    """Play every game once; solve Kuhn poker, and judge a policy of tic-tac-toe."""
    for name in names():
        playouts(load(name), 2, np.random.default_rng(0))
        with suppress(TooLarge):
            grow(load(name), limit=1)  # compiles the kernels; the tree itself is not wanted
    tree = grow(load("kuhn_poker"))
    for solver in (cfr, cfr_plus):
        nash_conv(tree, solver(tree, 2).average)
    board = grow(load("tic_tac_toe"))
    minimax_regret(board, board.legal / board.legal.sum(axis=1, keepdims=True))


if __name__ == "__main__":
    main()
