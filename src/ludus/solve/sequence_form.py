"""The sequence form: histories folded into one small tree of own moves per player, and the payoffs between them.

A sequence is what a player has done so far: the last infoset it acted in and the action it took, or nothing yet (the
empty sequence). With perfect recall each infoset follows exactly one sequence of its player, so the sequences of a
player form a tree, and a behaviour strategy becomes a realisation plan: plan[s] is the probability that the player's
own choices allow s. Expected payoffs are then linear in the plan of each player.
von Stengel (1996), "Efficient computation of behavior strategies".
"""

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from numba import njit, types

from ludus.game import CHANCE, OVER, engine
from ludus.tree import Tree


class ImperfectRecall(ValueError):
    """An infoset whose player has forgotten something it did or knew; the message names the infoset."""


@dataclass(frozen=True, eq=False)
class SequenceForm:
    """A tree folded for P players. S sequences of all players in one numbering, G groups, B blocks, R rows, Z entries.

    The sequences of player p are root[p] to root[p + 1]; the first is the empty one. Infosets of one player, one depth
    (own infosets before it) and one number of actions make a group; it holds n infosets and their sequences stand
    action by action, so that a sweep is a few long loops over neighbouring numbers.

    root          int64[P + 1]
    cell          int64[S], infoset * A + action in the tree's numbering, -1 for an empty sequence
    parent        uint32[K], the sequence before each infoset, in the order of the groups
    group         uint64[G, 4]: first sequence, first place in `parent`, infosets n, actions; parents before children
    first_group   int64[P + 1], the groups of player p are first_group[p] to first_group[p + 1]

    The payoffs of player p, weighted by chance, as a sparse matrix with a row per own sequence that ends a game and an
    entry per combination of the others' sequences. Rows of the same length make a block: a block of r rows with l
    entries each stands entry by entry, r numbers at a time. r is a multiple of four: a kernel adds four rows at once,
    and rows of zeros fill up the last four.

    block         uint64[B, 4]: first row, rows r, entries a row l, first entry
    first_block   int64[P + 1], the blocks of player p
    target        uint32[R], the own sequence of a row
    weight        float64[Z], payoff times the probability of chance
    other         uint32[P - 1, Z], the other players' sequences, players in order

    Numbers that kernels count with are unsigned: numba then omits its test for negative indices, and loops vectorise.
    """

    root: np.ndarray
    cell: np.ndarray
    parent: np.ndarray
    group: np.ndarray
    first_group: np.ndarray
    block: np.ndarray
    first_block: np.ndarray
    target: np.ndarray
    weight: np.ndarray
    other: np.ndarray

    @property
    def sequences(self) -> int:
        """S, over all players, the empty ones included."""
        return len(self.cell)


_FORMS: WeakKeyDictionary[Tree, SequenceForm] = WeakKeyDictionary()


def fold(tree: Tree) -> SequenceForm:
    """The sequence form of a tree, made once and kept as long as the tree lives.

    The arrays of a tree must not be changed afterwards; make another one with `dataclasses.replace`.
    Raises ImperfectRecall where an infoset does not follow one sequence of its player.
    """
    form = _FORMS.get(tree)
    if form is None:
        form = _FORMS[tree] = _fold(tree)
    return form


def _fold(tree):
    infosets, actions = tree.legal.shape
    last, reach, before, level, forgetful = _walk(
        tree.turn, tree.parent, tree.action, tree.infoset, tree.chance, infosets, actions, tree.players
    )
    if forgetful >= 0:
        raise ImperfectRecall(
            f"tree: perfect recall is needed, but at {tree.labels.infoset(forgetful)!r} the player has forgotten what "
            "it did before; give the view everything its player has seen and done, or sample the game with ludus.play"
        )
    number, root, parent, group, first_group = _number_sequences(tree.player, tree.legal, before, level, tree.players)
    cell = np.full(root[-1], -1)
    infoset, action = np.nonzero(tree.legal)
    cell[number[infoset, action]] = infoset * actions + action

    over = tree.turn == OVER
    ends = np.where(last[over] < 0, root[:-1], np.append(number, -1)[last[over]])
    return SequenceForm(
        root, cell, parent, group, first_group, *_payoff_blocks(ends, tree.payoff[over] * reach[over, None])
    )


def _number_sequences(player, legal, before, level, players):
    """Sequences numbered player by player, group by group, action by action; -1 for an illegal action."""
    count = legal.sum(axis=1)
    order = np.lexsort((count, level, player))
    key = np.stack([player, level, count])[:, order]
    starts = np.flatnonzero(np.r_[True, (key[:, 1:] != key[:, :-1]).any(axis=0)][: len(order)])
    sizes = np.diff(np.r_[starts, len(order)])
    owner, _, choices = key[:, starts]
    first = np.r_[0, np.cumsum(sizes * choices)]
    group = np.stack([first[:-1] + owner + 1, starts, sizes, choices], axis=1)

    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order)) - np.repeat(starts, sizes)
    base, stride = np.empty_like(place), np.empty_like(place)
    base[order], stride[order] = np.repeat(group[:, 0], sizes), np.repeat(sizes, sizes)
    rank = np.cumsum(legal, axis=1) - 1
    number = np.where(legal, (base + place)[:, None] + rank * stride[:, None], -1)

    first_group = np.searchsorted(owner, np.arange(players + 1))
    root = first[first_group] + np.arange(players + 1)
    parent = np.where(before < 0, root[player], number.ravel()[before])[order]
    return number, root, parent.astype(np.uint32), np.ascontiguousarray(group, np.uint64), first_group


def _payoff_blocks(ends, payoff):
    """The matrix of each player: equal combinations of sequences added up, zeros dropped, rows grouped by length."""
    players = ends.shape[1]
    blocks, first_block = [], [0]
    targets, weights, others = [np.empty(0)], [np.empty(0)], [np.empty((players - 1, 0))]
    rows = entries = 0
    for player in range(players):
        rest = [seat for seat in range(players) if seat != player]
        order = np.lexsort((*ends[:, rest].T, ends[:, player]))
        sequence = ends[order]
        new = np.flatnonzero(np.r_[True, (sequence[1:] != sequence[:-1]).any(axis=1)])
        weight = np.add.reduceat(payoff[order, player], new)
        kept = weight != 0
        sequence, weight = sequence[new[kept]], weight[kept]
        own, start, length = np.unique(sequence[:, player], return_index=True, return_counts=True)
        for size in np.unique(length):
            row = np.flatnonzero(length == size)
            filled = np.r_[row, np.repeat(row[:1], -len(row) % 4)]
            entry = start[filled] + np.arange(size)[:, None]
            blocks.append((rows, len(filled), size, entries))
            targets.append(own[filled])
            weights.append((weight[entry] * (np.arange(len(filled)) < len(row))).ravel())
            others.append(sequence[entry.ravel()][:, rest].T)
            rows, entries = rows + len(filled), entries + entry.size
        first_block.append(len(blocks))
    return (
        np.array(blocks, np.uint64).reshape(-1, 4),
        np.array(first_block),
        np.concatenate(targets).astype(np.uint32),
        np.concatenate(weights),
        np.concatenate(others, axis=1).astype(np.uint32),
    )


_INTEGERS, _NUMBERS, _SEQUENCES = types.int64[::1], types.float64[::1], types.uint32[::1]


@engine(
    types.Tuple((types.int64[:, ::1], _NUMBERS, _INTEGERS, _INTEGERS, types.int64))(
        *(_INTEGERS,) * 4, _NUMBERS, *(types.int64,) * 3
    ),
)
def _walk(turn, parent, action, infoset, chance, infosets, actions, players):
    """Down the tree once: the last sequence of every player at every node, as infoset * A + action or -1 for none yet.

    Also the probability of chance up to a node, the sequence before each infoset and how many own infosets lie before
    it, and the first infoset that follows two different sequences, or -1.
    """
    last, reach = np.full((len(turn), players), -1), np.ones(len(turn))
    before, level = np.full(infosets, -2), np.zeros(infosets, np.int64)
    for node in range(len(turn)):
        up = parent[node]
        if up >= 0:
            for player in range(players):
                last[node, player] = last[up, player]
            reach[node] = reach[up] * chance[node]
            if turn[up] != CHANCE:
                last[node, turn[up]] = infoset[up] * actions + action[node]
        if turn[node] >= 0:
            here, sequence = infoset[node], last[node, turn[node]]
            if before[here] == -2:
                before[here] = sequence
                level[here] = level[sequence // actions] + 1 if sequence >= 0 else 0
            elif before[here] != sequence:
                return last, reach, before, level, here
    return last, reach, before, level, -1


ACTION_VALUES = types.void(
    types.int64, types.uint64[:, ::1], _INTEGERS, _SEQUENCES, _NUMBERS, types.uint32[:, ::1], _NUMBERS, _NUMBERS
)
_ZERO, _ONE, _TWO, _THREE, _FOUR = (np.uint64(number) for number in range(5))


@njit(cache=True)
def action_values(player, block, first_block, target, weight, other, plan, worth):
    """Add to worth[s], for each own sequence s, what games that end there pay: weight times the others' plans.

    Kernels of other files take this one through its signature, types.FunctionType(ACTION_VALUES). worth, float64[S], is
    changed in place.
    """
    for number in range(first_block[player], first_block[player + 1]):
        first, rows, length, entry = block[number, 0], block[number, 1], block[number, 2], block[number, 3]
        if len(other) > 1:
            for row in range(rows):
                for at in range(entry + row, entry + length * rows, rows):
                    share = weight[at]
                    for seat in range(len(other)):
                        share *= plan[other[seat, at]]
                    worth[target[first + row]] += share
            continue
        for row in range(_ZERO, rows, _FOUR):
            a = b = c = d = 0.0
            for at in range(entry + row, entry + length * rows, rows):
                a += weight[at] * plan[other[0, at]]
                b += weight[at + _ONE] * plan[other[0, at + _ONE]]
                c += weight[at + _TWO] * plan[other[0, at + _TWO]]
                d += weight[at + _THREE] * plan[other[0, at + _THREE]]
            worth[target[first + row]] += a
            worth[target[first + row + _ONE]] += b
            worth[target[first + row + _TWO]] += c
            worth[target[first + row + _THREE]] += d
