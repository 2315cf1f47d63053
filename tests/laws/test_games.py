"""What every game obeys, whatever its rules. Games are found by listing the folder; a new one needs nothing here.

The laws for anybody's game stand in ludus/check.py, and tests/test_check.py has games that break them. Here they are
asked of our games, and a few more, which are the customs of this house.
"""

import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numba import njit
from tests.write_playthroughs import FOLDER, again, at_random, playthrough

from ludus import games, tree
from ludus.check import LAWS, WHOLE, Walk, sees
from ludus.game import CHANCE, IllegalAction
from ludus.play import replay

ROOT = Path(__file__).parents[2]
VARIANTS = [
    "liars_dice(dice=1, faces=3)",
    "liars_dice(dice=2, faces=2)",
    "negotiation(turns=2, bell=50)",
    "negotiation(turns=3, bell=0)",
    "negotiation(turns=3, bell=15)",
    "kuhn_poker(players=3)",
    "goofspiel(cards=3, random=1, hidden=1, points=1)",
    "goofspiel(cards=3, random=1, hidden=0, points=0)",
    "goofspiel(cards=4, random=0, hidden=0, points=0)",
    "oshi_zumo(coins=3, size=1, min_bid=0, horizon=3)",
    "oshi_zumo(coins=4, size=2, min_bid=2, horizon=50)",
    "blotto(soldiers=3, fields=4, majority=0)",
    "sealed_bid_auction(players=3, values=2, bids=2, price=2)",
    "hex(rows=2, columns=3)",
    "hex(rows=3, columns=2)",
    "breakthrough(rows=3, columns=2)",
    "breakthrough(rows=4, columns=2)",
    "battleship(rows=1, columns=3, ships=12, values=21, shots=2, loss=2)",
    "battleship(rows=2, columns=2, ships=1, values=1, shots=2, loss=1)",
    "pursuit(rows=2, columns=3, wrap=0, pursuers=1, steps=3, sight=1)",
    "pursuit(rows=1, columns=4, wrap=1, pursuers=2, steps=2, sight=0)",
    "pursuit(rows=3, columns=3, wrap=1, pursuers=1, steps=2, sight=1)",
]
SPECS = games.names() + VARIANTS


@cache
def walked(spec):
    return Walk(games.load(spec))


every_game = pytest.mark.parametrize("spec", SPECS)


@every_game
@pytest.mark.parametrize("law", [law for _, law in LAWS], ids=[name for name, _ in LAWS])
def test_laws(spec, law):
    assert law(walked(spec)) is None


@every_game
def test_the_name_finds_the_game_again(spec):
    game = games.load(spec)
    assert games.load(game.name).name == game.name


@every_game
def test_the_front_door_refuses_every_illegal_action(spec):
    """Kernels trust their caller. On the way to some nodes, each number that is no move there is tried."""
    game, nodes = walked(spec).game, walked(spec).nodes
    for at in range(0, len(nodes), 1 + len(nodes) // 50):
        line, place = [], at
        while place > 0:
            line, place = [nodes[place].action, *line], nodes[place].parent
        for action in {*range(-1, game.width + 1)} - set(nodes[at].moves):
            with pytest.raises(IllegalAction, match=rf"actions\[{len(line)}\]"):
                replay(game, [*line, action])


# --- secrets ----------------------------------------------------------------------------------------------------------


def law_of_secrets(walk):
    """What chance deals is seen by all players, by one or by none: in these games nobody looks over a shoulder."""
    children = {}
    for node in walk.nodes[1:]:
        children.setdefault(node.parent, []).append(node)
    for at, below in children.items():
        if walk.nodes[at].mover != CHANCE or len(below) < 2:
            continue
        seers = sum(len({child.views[player] for child in below}) > 1 for player in range(walk.game.players))
        assert seers in (0, 1, walk.game.players), f"{walk.story(at)}: {seers} players see what chance dealt"


@every_game
def test_nobody_looks_over_a_shoulder(spec):
    law_of_secrets(walked(spec))


@every_game
def test_where_chance_deals_in_secret_every_other_player_is_in_doubt(spec):
    """Some infoset of each player holds histories that differ only in what chance dealt to another."""
    walk = walked(spec)
    seats = range(walk.game.players)
    dealt = (node.state for node in walk.nodes if node.mover == CHANCE)
    if not any(not sees(walk.game, state, player) for state in dealt for player in seats):
        pytest.skip("nothing is dealt in secret")
    if not walk.whole:
        pytest.skip("random plays rarely meet an infoset twice; the variants are walked through entirely")
    held = Counter((node.mover, node.views[node.mover]) for _, node in walk.decisions())
    for player in seats:
        assert max(count for (mover, _), count in held.items() if mover == player) > 1


@njit
def over_the_shoulder(state, player, out):
    """Player 1 of three sees the card of player 0; player 2 sees neither card."""
    out[:] = 0
    if player < 2:
        out[0] = state[player]
    if player == 1:
        out[1] = state[0]


def test_who_looks_over_a_shoulder_is_caught():
    kuhn = games.load("kuhn_poker")
    cheat = kuhn._replace(players=3, kernels=kuhn.kernels._replace(view=over_the_shoulder))
    with pytest.raises(AssertionError, match="2 players see what chance dealt"):
        law_of_secrets(Walk(cheat))


# --- words ------------------------------------------------------------------------------------------------------------


@every_game
def test_words_are_few(spec):
    """Views are told, and actions named, in a small vocabulary: a small language model reads each word as one token."""
    walk = walked(spec)
    views = {node.views[node.mover] for _, node in walk.decisions()}
    tokens = {token for view in views for token in walk.game.tell(np.frombuffer(view, np.int64)).split(" ")}
    assert all(token.isascii() for token in tokens)
    assert len(tokens | set(walk.game.words)) <= 64


# --- compiled and not -------------------------------------------------------------------------------------------------


def digest(game):
    """A fingerprint of the whole tree, or of random plays where it is large."""
    try:
        grown = tree.grow(game, limit=WHOLE)
    except tree.TooLarge:
        grown = None
    if grown is not None:
        arrays = [
            getattr(grown, name) for name in grown.__dataclass_fields__ if name not in ("labels", "perfect_recall")
        ]
        return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()
    return hashlib.sha256("".join(playthrough(game, at_random(seed)) for seed in range(20)).encode()).hexdigest()


def test_compiled_equals_plain_python():
    """The same trees and plays without numba's compiler, and no overflow on the way (a warning is an error)."""
    plain = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-m", "tests.laws.test_games"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
    )
    assert plain.returncode == 0, plain.stderr
    assert json.loads(plain.stdout) == {spec: digest(games.load(spec)) for spec in SPECS}


# --- stored games -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", games.names())
def test_playthroughs(name):
    """Stored games go as they went; where the rules were meant to change, run `python -m tests.write_playthroughs`."""
    title, *stored = (FOLDER / f"{name}.txt").read_text().strip().split("\n\n")
    game = games.load(name)
    assert title == game.name and len(stored) >= 3
    for text in stored:
        assert playthrough(game, again(text)) == text


if __name__ == "__main__":
    print(json.dumps({spec: digest(games.load(spec)) for spec in SPECS}))
