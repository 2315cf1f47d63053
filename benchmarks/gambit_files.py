"""Reading Gambit's files, against Gambit itself, and whether both read the same games.

Every game of at most LIMIT nodes is written and read by Gambit, and every file of Gambit's catalogue is read by both:
nodes, information sets and what uniform play pays must agree, or the run stops. Then both read the same texts.
Run: PYTHONPATH=src .venv-peers/bin/python benchmarks/gambit_files.py
"""

import contextlib
import io
import sys
from pathlib import Path

import numpy as np

from ludus import games
from ludus.gambit import read, read_efg, read_nfg, write_efg, write_nfg
from ludus.game import CHANCE
from ludus.normal_form import expected, normal_form
from ludus.tree import TooLarge, Tree, grow
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


def check_written():
    """How many games Gambit has read as they were written. Raises AssertionError where it reads another game."""
    import pygambit

    written = 0
    for name in games.names():
        with contextlib.suppress(TooLarge):
            tree = grow(games.load(name), limit=LIMIT)
            check_tree(tree, pygambit.read_efg(io.BytesIO(write_efg(tree, name).encode())), name)
            written += 1
    return written


def check_catalogue():
    """How many files of Gambit's own catalogue were read. Raises where one is not, or is another game."""
    import pygambit

    files = sorted(path for path in Path(pygambit.__file__).parent.rglob("*.[en]fg"))
    for path in files:
        ours = read(path)
        if isinstance(ours, Tree):
            check_tree(ours, pygambit.read_efg(path), path.name)
            continue
        uniform = expected(ours, [np.full(size, 1 / size) for size in ours.payoff.shape[:-1]])
        profile = (theirs := pygambit.read_nfg(path)).mixed_strategy_profile()
        assert np.allclose([float(profile.payoff(player)) for player in theirs.players], uniform), path.name
    return len(files)


def check_tree(tree, theirs, name):
    assert (len(theirs.nodes), len(theirs.infosets)) == (len(tree.turn), len(tree.player)), f"{name}: counts"
    uniform = tree.legal / tree.legal.sum(axis=1, keepdims=True)
    ours = (tree.payoff * reach_of(tree, uniform)[:, None]).sum(axis=0)
    profile = theirs.mixed_behavior_profile()
    pays = [float(profile.payoff(player)) for player in theirs.players]
    assert np.allclose(pays, ours, rtol=0, atol=1e-9), f"{name}: uniform play pays {pays} in Gambit, {ours} here"


def reach_of(tree, table):
    """How likely play reaches each node, float64[N]."""
    reach = np.ones(len(tree.turn))
    for node in range(1, len(reach)):
        up = tree.parent[node]
        move = tree.chance[node] if tree.turn[up] == CHANCE else table[tree.infoset[up], tree.action[node]]
        reach[node] = reach[up] * move
    return reach


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
        print(f"agreed on {check_written()} games written, {check_catalogue()} files of the catalogue", file=sys.stderr)
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
    table = write_nfg(normal_form(np.random.default_rng(0).integers(-99, 99, (50, 50, 2))))
    compare(
        "reading a table of 50 x 50",
        "Gambit",
        "entries",
        lambda: read_nfg(table).payoff.size // 2,
        lambda: gambit_reading_table(table, 50 * 50),
    )


if __name__ == "__main__":
    main()
