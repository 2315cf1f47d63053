"""Reading Gambit's files, against Gambit itself, and whether it takes what Ludus writes.

Every game of at most LIMIT nodes is written and read by Gambit: nodes, information sets, perfect recall and what
uniform play pays must be ours, or the run stops. Then both sides read the same texts into memory.
Run: PYTHONPATH=src .venv-peers/bin/python benchmarks/gambit_files.py
"""

import contextlib
import io

import numpy as np

from ludus import games
from ludus.gambit import read_efg, read_nfg, write_efg, write_nfg
from ludus.normal_form import normal_form
from ludus.solve.best_response import values
from ludus.tree import TooLarge, grow
from pairing import compare

LIMIT = 20_000
DEPTH = 10_000


def centipede(infosets, outcomes):
    """Two players in turn take or pass, DEPTH times: each time an information set of its own, or the player's only one.

    outcomes  how many kinds of end there are
    """
    lines = ['EFG 2 R "centipede" { "A" "B" }']
    for turn in range(DEPTH):
        number, outcome = turn // 2 + 1 if infosets == "own" else 1, turn % outcomes + 1
        lines.append(f'p "" {turn % 2 + 1} {number} "" {{ "take" "pass" }} 0')
        lines.append(f't "" {outcome} "" {{ {outcome}, {DEPTH - outcome} }}')
    return "\n".join([*lines, 't "" 0']) + "\n"


def check_agreement():
    """Raises AssertionError where Gambit reads another game than the one that was written."""
    import pygambit

    written = 0
    for name in games.names():
        try:
            tree = grow(games.load(name), limit=LIMIT)
        except TooLarge:
            continue
        theirs = pygambit.read_efg(io.BytesIO(write_efg(tree, name).encode()))
        uniform = values(tree, tree.legal / tree.legal.sum(axis=1, keepdims=True))
        profile = theirs.mixed_behavior_profile()
        pays = [float(profile.payoff(player)) for player in theirs.players]
        assert (len(theirs.nodes), len(theirs.infosets)) == (len(tree.turn), len(tree.player)), f"{name}: counts"
        assert np.allclose(pays, uniform, rtol=0, atol=1e-9), f"{name}: uniform play pays {pays}, {uniform} here"
        written += 1
    return written


def reading(text, nodes):
    def work():
        read_efg(text)
        return nodes

    return work


def gambit_reading(text, nodes):
    import pygambit

    data = text.encode()

    def work():
        pygambit.read_efg(io.BytesIO(data))
        return nodes

    return work


def gambit_reading_table(text, entries):
    import pygambit

    data = text.encode()

    def work():
        pygambit.read_nfg(io.BytesIO(data))
        return entries

    return work


def main():
    with contextlib.suppress(ImportError):  # the rows say "not run" where Gambit is missing
        check_agreement()
    works = [
        ("a game 10,000 moves deep, an information set and an end of its own each", centipede("own", DEPTH)),
        ("a game 10,000 moves deep, three kinds of end", centipede("own", 3)),
        ("a game 10,000 moves deep, two information sets, three kinds of end", centipede("shared", 3)),
        ("leduc_poker as Ludus writes it", write_efg(grow(games.load("leduc_poker")))),
    ]
    for work, text in works:
        nodes = len(read_efg(text).turn)
        compare(
            f"reading {work}",
            "Gambit",
            "nodes",
            reading(text, nodes),
            lambda text=text, nodes=nodes: gambit_reading(text, nodes),
        )
    table = write_nfg(normal_form(np.random.default_rng(0).integers(-99, 99, (300, 300, 2))))
    compare(
        "reading a table of 300 x 300",
        "Gambit",
        "entries",
        lambda: read_nfg(table).payoff.size // 2,
        lambda: gambit_reading_table(table, 300 * 300),
    )


if __name__ == "__main__":
    main()
