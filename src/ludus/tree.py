"""A game, unrolled: every history as a row of flat arrays, in breadth-first order.

Going down the tree is a loop over 0..N, going up is N..0; the children of a node stand next to each other.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit, types

from ludus.game import CHANCE, KERNELS, OVER, STATE, Game, engine
from ludus.records import Policy


class TooLarge(ValueError):
    """The game has more nodes than the limit allows."""


class Labels(NamedTuple):
    """The names of things, for tables and pages.

    players  P words
    actions  A words
    infoset  (infoset index) -> what its player has seen, in words
    """

    players: tuple[str, ...]
    actions: tuple[str, ...]
    infoset: Callable[[int], str]


@dataclass(frozen=True, eq=False)
class Tree:
    """A finite game in extensive form. N nodes, K infosets, A actions, P players, V view.

    turn     int64[N], the player to move, CHANCE or OVER
    parent   int64[N], -1 at the root
    action   int64[N], the action or chance outcome that led here, -1 at the root
    first    int64[N + 1], the children of node n are first[n] to first[n + 1]
    chance   float64[N], the probability of this outcome where the parent is a chance node, else 1
    infoset  int64[N], -1 where nobody decides
    payoff   float64[N, P], zero before the end
    player   int64[K], who decides at an infoset
    legal    bool[K, A]
    view     int64[K, V], what its player has seen there
    labels   the names of players, actions and infosets
    perfect_recall  as the game declares it

    Infosets are numbered in the order in which the breadth-first walk meets them.
    """

    turn: np.ndarray
    parent: np.ndarray
    action: np.ndarray
    first: np.ndarray
    chance: np.ndarray
    infoset: np.ndarray
    payoff: np.ndarray
    player: np.ndarray
    legal: np.ndarray
    view: np.ndarray
    labels: Labels
    perfect_recall: bool = True

    @property
    def players(self) -> int:
        """P, the number of players."""
        return self.payoff.shape[1]


def grow(game: Game, limit: int = 2_000_000) -> Tree:
    """Unroll a game. Raises TooLarge before more than `limit` nodes are made, ValueError where an argument is wrong."""
    if not isinstance(game, Game):
        raise ValueError(f"game: expected a Game, got {game!r}; write for example games.load('kuhn_poker')")
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
        raise ValueError(
            f"limit: a number of nodes of at least 1 is needed, not {limit!r}; write for example limit=2_000_000"
        )
    turn, parent, action, first, chance, payoff, infoset, player, legal, view = _expand(
        *game.kernels, game.start, game.players, len(game.words), game.width, game.view_size, limit
    )
    if len(turn) == 0:
        raise TooLarge(
            f"limit: {game.name} has more than {limit:,} nodes; raise limit= where memory allows, "
            "or sample the game with ludus.play"
        )
    labels = Labels(
        tuple(f"player {seat}" for seat in range(game.players)), game.words, lambda row: game.tell(view[row])
    )
    return Tree(
        turn,
        parent,
        action,
        first,
        chance,
        infoset,
        payoff,
        player,
        legal.astype(bool),
        view,
        labels,
        game.perfect_recall,
    )


def tabulate(tree: Tree, policy: Policy) -> np.ndarray:
    """A policy as a table float64[K, A], asked once at every infoset.

    Raises ValueError where it gives weight to an illegal action or does not sum to one.
    """
    table = np.asarray(policy(tree.view, tree.legal), dtype=np.float64)
    if table.shape != tree.legal.shape:
        raise ValueError(f"policy: expected probabilities of shape {tree.legal.shape}, it returned {table.shape}")
    right = (table >= 0).all(axis=1) & ((table == 0) | tree.legal).all(axis=1) & (np.abs(table.sum(axis=1) - 1) <= 1e-6)
    if not right.all():
        row = int(np.argmin(right))
        raise ValueError(
            f"policy: at {tree.labels.infoset(row)!r} it returned {table[row]}; "
            "return probabilities that sum to one and are zero where legal is False"
        )
    return table


@njit(cache=True)
def _longer(array, rows):
    out = np.empty((rows, *array.shape[1:]), array.dtype)
    _copy(array.reshape(-1), out.reshape(-1))
    return out


@njit(cache=True)
def _copy(row, out):
    for place in range(len(row)):  # `out[:] = row` takes 3 s to compile: the words of an error that cannot occur
        out[place] = row[place]


@njit(cache=True)
def _hash(player, row):
    """Every product stays below 2^63, so that plain numpy, without numba, computes the same without overflow."""
    mixed = player + 1
    for number in row:
        mixed = ((mixed ^ number ^ (number >> 31)) & 0x7FFFFFFF) * 0x9E3779B1
        mixed ^= mixed >> 29
    return mixed


@njit(cache=True)
def _same(row, other):
    for place in range(len(row)):  # noqa: SIM110  a generator would not compile
        if row[place] != other[place]:
            return False
    return True


@njit(cache=True)
def _slot(slots, player, view, mover, seen):
    """Where an infoset stands in the hash table, or the free slot where it belongs."""
    slot = _hash(mover, seen) & (len(slots) - 1)
    while slots[slot] >= 0 and not (player[slots[slot]] == mover and _same(view[slots[slot]], seen)):
        slot = (slot + 1) & (len(slots) - 1)
    return slot


_ARRAYS = types.Tuple(
    (
        *(types.int64[::1],) * 4,  # turn, parent, action, first
        types.float64[::1],  # chance
        types.float64[:, ::1],  # payoff
        *(types.int64[::1],) * 2,  # infoset, player
        types.int8[:, ::1],  # legal
        types.int64[:, ::1],  # view
    )
)


@engine(_ARRAYS(*KERNELS, STATE, *(types.int64,) * 5))
def _expand(turn_of, options, apply, payoff_of, view_of, start, players, actions, width, view_size, limit):
    """Breadth-first. Rows are appended to arrays that double; infosets are found by hashing player and view.

    Only unfinished nodes keep a state: `head` is the state of the node at hand, `tail` the next free row.
    """
    state = np.empty((1024, len(start)), np.int64)
    turn, parent, action = np.empty(1024, np.int64), np.empty(1024, np.int64), np.empty(1024, np.int64)
    first, infoset = np.empty(1025, np.int64), np.empty(1024, np.int64)
    chance, payoff = np.empty(1024), np.zeros((1024, players))
    player, legal = np.empty(256, np.int64), np.zeros((256, actions), np.int8)
    view, slots = np.empty((256, view_size), np.int64), np.full(1024, -1, np.int64)
    weights, seen, nodes, infosets, head, tail = np.empty(width), np.empty(view_size, np.int64), 1, 0, 0, 1
    _copy(start, state[0])
    parent[0], action[0], chance[0], turn[0] = -1, -1, 1.0, turn_of(start)
    if turn[0] == OVER:
        payoff_of(start, payoff[0])
    node = 0
    while node < nodes:
        first[node], infoset[node] = nodes, -1
        mover = turn[node]
        if mover == OVER:
            node += 1
            continue
        options(state[head], weights)
        children = 0
        for move in range(width):
            children += weights[move] > 0
        if nodes + children > limit:
            nodes = 0
            break
        while nodes + children > len(turn):
            rows = 2 * len(turn)
            turn, parent, action, chance = (
                _longer(turn, rows),
                _longer(parent, rows),
                _longer(action, rows),
                _longer(chance, rows),
            )
            first, infoset, payoff = _longer(first, rows + 1), _longer(infoset, rows), _longer(payoff, rows)
            payoff[rows // 2 :] = 0.0
        while tail + children > len(state):
            state = _longer(state, 2 * len(state))
        for move in range(width):
            if weights[move] > 0:
                parent[nodes], action[nodes] = node, move
                chance[nodes] = weights[move] if mover == CHANCE else 1.0
                _copy(state[head], state[tail])
                apply(state[tail], move)
                turn[nodes] = turn_of(state[tail])
                if turn[nodes] == OVER:
                    payoff_of(state[tail], payoff[nodes])
                else:
                    tail += 1
                nodes += 1
        if mover != CHANCE:
            view_of(state[head], mover, seen)
            slot = _slot(slots, player, view, mover, seen)
            if slots[slot] < 0:
                if infosets == len(player):
                    player, view = _longer(player, 2 * infosets), _longer(view, 2 * infosets)
                    legal = _longer(legal, 2 * infosets)
                slots[slot], player[infosets] = infosets, mover
                _copy(seen, view[infosets])
                for move in range(actions):
                    legal[infosets, move] = weights[move] > 0
                infosets += 1
                if 2 * infosets > len(slots):
                    slots = np.full(4 * len(slots), -1, np.int64)
                    for row in range(infosets):
                        slots[_slot(slots, player, view, player[row], view[row])] = row
                infoset[node] = infosets - 1
            else:
                infoset[node] = slots[slot]
        head += 1
        node += 1
    first[nodes] = nodes
    return (
        turn[:nodes].copy(), parent[:nodes].copy(), action[:nodes].copy(), first[: nodes + 1].copy(),
        chance[:nodes].copy(), payoff[:nodes].copy(), infoset[:nodes].copy(), player[:infosets].copy(),
        legal[:infosets].copy(), view[:infosets].copy(),
    )  # fmt: skip
