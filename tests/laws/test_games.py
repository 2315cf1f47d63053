"""What every game obeys, whatever its rules. Games are found by listing the folder; a new one needs nothing here.

A game of at most WHOLE nodes is walked through entirely, a larger one at random. The laws are run on games that cheat
as well: each must be caught.
"""

import hashlib
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from numba import njit
from tests import naive
from tests.write_playthroughs import FOLDER, again, at_random, playthrough

from ludus import games, tree
from ludus.game import CHANCE, OVER

ROOT = Path(__file__).parents[2]
WHOLE = 10_000
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


class Node(NamedTuple):
    actions: tuple
    state: np.ndarray
    mover: int
    moves: dict


def is_whole(game):
    try:
        tree.grow(game, limit=WHOLE)
    except tree.TooLarge:
        return False
    return True


def nodes_of(game, plays=300):
    """Every node of the game, or those met in random plays; no history twice."""
    if is_whole(game):
        return [Node(*node) for node in naive.histories(game)]
    met = {}
    for seed in range(plays):
        choose, state, actions = at_random(seed), game.start.copy(), ()
        while True:
            mover = int(game.kernels.turn(state))
            moves = {} if mover == OVER else naive.moves_of(game, state)
            met[actions] = Node(actions, state.copy(), mover, moves)
            if mover == OVER:
                break
            actions += (choose(moves),)
            game.kernels.apply(state, actions[-1])
    return list(met.values())


@cache
def game_and_nodes(spec):
    game = games.load(spec)
    return game, nodes_of(game)


every_game = pytest.mark.parametrize("spec", SPECS)


# --- the record -------------------------------------------------------------------------------------------------------


@every_game
def test_the_record_is_complete(spec):
    game = games.load(spec)
    assert games.load(game.name).name == game.name
    assert game.start.dtype == np.int64 and game.start.flags.c_contiguous
    assert len(game.source) > 10 and len(game.rules) > 50
    assert len(set(game.words)) == len(game.words) > 1
    for word in game.words:
        assert word and word.isascii() and word.isprintable() and " " not in word


# --- chance, actions, payoffs -----------------------------------------------------------------------------------------


def law_of_options(game, nodes):
    """Probabilities sum to one, actions weigh 0 or 1, everything is written, and looking changes nothing."""
    for node in nodes:
        if node.mover == OVER:
            continue
        before, weights, other = node.state.copy(), np.full(game.width, np.nan), np.full(game.width, -7.0)
        game.kernels.options(node.state, weights)
        game.kernels.options(node.state, other)
        assert (weights == other).all(), f"{node.actions}: options leaves weights unwritten"
        assert (weights >= 0).all() and node.moves
        if node.mover == CHANCE:
            assert abs(weights.sum() - 1) < 1e-12 and not weights[game.outcomes :].any()
        else:
            assert 0 <= node.mover < game.players
            assert set(weights) <= {0.0, 1.0} and not weights[game.actions :].any()
        assert (node.state == before).all() and int(game.kernels.turn(node.state)) == node.mover


def law_of_payoffs(game, nodes):
    """Every finished game pays everybody, and as much in all as is declared."""
    ends = [node for node in nodes if node.mover == OVER]
    assert ends
    for node in ends:
        payoff, before = naive.payoff_of(game, node.state), node.state.copy()
        assert np.isfinite(payoff).all(), f"{node.actions}: payoff leaves a player unpaid"
        assert (node.state == before).all()
        if game.constant_sum is not None:
            assert abs(sum(payoff) - game.constant_sum) < 1e-12, f"{node.actions}: pays {payoff}"


@every_game
def test_options(spec):
    law_of_options(*game_and_nodes(spec))


@every_game
def test_payoffs(spec):
    law_of_payoffs(*game_and_nodes(spec))


# --- views ------------------------------------------------------------------------------------------------------------


def law_of_views(game, nodes):
    """All of a view is written, and looking changes nothing."""
    for node in nodes:
        for player in range(game.players):
            before, seen, other = node.state.copy(), np.full(game.view_size, -99), np.full(game.view_size, 99)
            game.kernels.view(node.state, player, seen)
            game.kernels.view(node.state, player, other)
            assert (seen == other).all(), f"{node.actions}: view leaves entries unwritten"
            assert (node.state == before).all()


def law_of_infosets(game, nodes):
    """The same actions are legal wherever a player sees the same."""
    legal = {}
    for node in nodes:
        if node.mover >= 0:
            infoset = naive.infoset_of(game, node.state, node.mover)
            assert legal.setdefault(infoset, set(node.moves)) == set(node.moves), (
                f"{node.actions}: legal actions differ"
            )


def law_of_recall(game, nodes):
    """True where a view tells what its player saw and did before. Random plays meet no node without its past."""
    infosets = {node.actions: naive.infoset_of(game, node.state, node.mover) for node in nodes if node.mover >= 0}
    past = {}
    for actions, infoset in infosets.items():
        own = tuple(
            (infosets[actions[:ply]], actions[ply])
            for ply in range(len(actions))
            if actions[:ply] in infosets and infosets[actions[:ply]][0] == infoset[0]
        )
        if past.setdefault(infoset, own) != own:
            return False
    return True


def law_of_hiding(game, nodes):
    """What was hidden stays hidden: after an event, a view depends on the view before and on the event alone.

    Two histories look alike to a player. Then the same thing happens in both. They still look alike: if not, the view
    let something slip that the player could not see when it happened. One thing may come out later: what a player chose
    out of sight, as bids do that are made at the same time. This is asked of every player at every node.
    """
    states = {node.actions: node.state for node in nodes}
    unseen, hidden, follows = {(): ((),) * game.players}, {}, {}  # unseen: per player, choices made out of its sight
    for node in nodes:
        if node.actions:
            past, event = node.actions[:-1], node.actions[-1]
            mover, before = int(game.kernels.turn(states[past])), unseen[past]
            if past not in hidden:
                hidden[past] = [mover >= 0 and not is_seen(game, states[past], who) for who in range(game.players)]
            unseen[node.actions] = tuple(
                (*choices, event) if out_of_sight else choices
                for choices, out_of_sight in zip(before, hidden[past], strict=True)
            )
            for player in range(game.players):
                then, now = naive.infoset_of(game, states[past], player), naive.infoset_of(game, node.state, player)
                key = len(node.actions), then, mover, event, before[player]  # everybody can count events
                assert follows.setdefault(key, now) == now, f"{node.actions}: player {player} sees what was hidden"


def is_seen(game, state, player):
    """Whether the player can tell apart all that may happen here, once it has happened."""
    moves, views = naive.moves_of(game, state), set()
    for move in moves:
        child = state.copy()
        game.kernels.apply(child, move)
        views.add(naive.infoset_of(game, child, player))
    return len(views) == len(moves)


def law_of_secrets(game, nodes):
    """What chance deals is seen by all players, by one or by none: in these games nobody looks over a shoulder."""
    states = {node.actions: node.state for node in nodes}
    for node in nodes:
        if node.mover != CHANCE:
            continue
        children = [states[(*node.actions, move)] for move in node.moves if (*node.actions, move) in states]
        seers = 0
        for player in range(game.players):
            seers += len({naive.infoset_of(game, child, player) for child in children}) > 1
        assert len(children) < 2 or seers in (0, 1, game.players), (
            f"{node.actions}: {seers} players see what chance dealt"
        )


@every_game
def test_views(spec):
    law_of_views(*game_and_nodes(spec))


@every_game
def test_infosets(spec):
    law_of_infosets(*game_and_nodes(spec))


@every_game
def test_recall(spec):
    game, nodes = game_and_nodes(spec)
    assert law_of_recall(game, nodes) == game.perfect_recall


@every_game
def test_hiding(spec):
    game, nodes = game_and_nodes(spec)
    law_of_hiding(game, nodes)
    law_of_secrets(game, nodes)


def deals_in_secret(game, nodes):
    """Whether chance deals something that not every player sees."""
    return any(
        not is_seen(game, node.state, player)
        for node in nodes
        if node.mover == CHANCE
        for player in range(game.players)
    )


@every_game
def test_where_chance_deals_in_secret_every_other_player_is_in_doubt(spec):
    """Some infoset of each player holds histories that differ only in what chance dealt to another."""
    game, nodes = game_and_nodes(spec)
    if not deals_in_secret(game, nodes):
        pytest.skip("nothing is dealt in secret")
    if not is_whole(game):
        pytest.skip("random plays rarely meet an infoset twice; the variants are walked through entirely")
    held = {}
    for node in nodes:
        if node.mover >= 0:
            held.setdefault(naive.infoset_of(game, node.state, node.mover), set()).add(node.actions)
    for player in range(game.players):
        assert max(len(histories) for infoset, histories in held.items() if infoset[0] == player) > 1


# --- words ------------------------------------------------------------------------------------------------------------


@every_game
def test_tell(spec):
    """Words are made from the view alone, tell different views apart, and come from a small vocabulary of tokens."""
    game, nodes = game_and_nodes(spec)
    told = {}
    for node in nodes:
        if node.mover >= 0:
            view = naive.infoset_of(game, node.state, node.mover)[1:]
            text = game.tell(np.array(view))
            assert game.tell(np.array(view)) == text
            assert told.setdefault(text, view) == view, f"{text!r} tells two views"
    tokens = {token for text in told for token in text.split(" ")}
    assert all(token and token.isascii() and token.isprintable() for token in tokens)
    assert len(tokens | set(game.words)) <= 64


# --- cheats, each caught ----------------------------------------------------------------------------------------------

KUHN, LEDUC = games.load("kuhn_poker"), games.load("leduc_poker")


@njit
def late_leak(state, player, out):
    """After a bet, the other's card shows in the sign of an entry that is free."""
    out[0] = state[player]
    out[1:] = state[2:]
    if state[2] == 2:
        out[4] = -2 - state[1 - player]


@njit
def unwritten(state, player, out):
    out[0] = state[player]
    out[1:3] = state[2:4]


@njit
def forgetful(state, player, out):
    """The own card, and nothing of what was done."""
    out[:] = state[player]


@njit
def over_the_shoulder(state, player, out):
    """Player 1 of three sees the card of player 0; player 2 sees neither card."""
    out[:] = 0
    if player < 2:
        out[0] = state[player]
    if player == 1:
        out[1] = state[0]


@njit
def half_dealt(state, weights):
    weights[:] = 0.0
    weights[0] = 0.5


@njit
def everybody_wins(state, out):
    out[:] = 1.0


CHEATS = [
    (law_of_hiding, KUHN._replace(kernels=KUHN.kernels._replace(view=late_leak))),
    (law_of_views, KUHN._replace(kernels=KUHN.kernels._replace(view=unwritten))),
    (law_of_infosets, LEDUC._replace(kernels=LEDUC.kernels._replace(view=forgetful))),
    (law_of_secrets, KUHN._replace(players=3, kernels=KUHN.kernels._replace(view=over_the_shoulder))),
    (law_of_options, KUHN._replace(kernels=KUHN.kernels._replace(options=half_dealt))),
    (law_of_payoffs, KUHN._replace(kernels=KUHN.kernels._replace(payoff=everybody_wins))),
]  # fmt: skip


@pytest.mark.parametrize(("law", "cheat"), CHEATS, ids=lambda part: getattr(part, "__name__", ""))
def test_a_cheat_is_caught(law, cheat):
    with pytest.raises(AssertionError):
        law(cheat, [Node(*node) for node in naive.histories(cheat)])


def test_a_forgetful_view_is_caught():
    forgets = LEDUC._replace(kernels=LEDUC.kernels._replace(view=forgetful))
    assert not law_of_recall(forgets, [Node(*node) for node in naive.histories(forgets)])


# --- compiled and not -------------------------------------------------------------------------------------------------


def digest(game):
    """A fingerprint of the whole tree, or of random plays where it is large."""
    if is_whole(game):
        grown = tree.grow(game)
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
