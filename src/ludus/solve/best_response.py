"""Best responses and expected payoffs, exact, for any number of players.

Two roads. With perfect recall: the sequence form, one sweep up the responder's own tree of sequences (Koller, Megiddo
and von Stengel 1996). Where views forget the way but every history of an infoset goes on alike, as with a board as the
view: a sweep over the nodes, since the best action of a position then depends on the position alone.
"""

from weakref import WeakKeyDictionary

import numpy as np
from numba import njit, types

from ludus.game import CHANCE, OVER, engine
from ludus.solve.sequence_form import ImperfectRecall, SequenceForm, action_values, fold
from ludus.tree import Tree


def best_response(tree: Tree, table: np.ndarray, player: int) -> tuple[np.ndarray, float]:
    """What `player` does best against the others' rows of `table`, and what that earns it.

    table  float64[K, A], a strategy for every player; the rows of `player` do not matter
    Returns a table float64[K, A] in which the rows of `player` are pure best replies (the first action among equals,
    also where the game cannot come) and the others' rows stand as given, and the expected payoff of `player`.
    Raises ValueError, and ImperfectRecall where neither road leads.
    """
    if not 0 <= player < tree.players:
        raise ValueError(f"player: players of this tree are numbered 0 to {tree.players - 1}, not {player}")
    table = checked(tree, table)
    form = _form(tree)
    if form is None:
        value, worth = _respond_by_nodes(tree, table, player, True)
    else:
        _, best, by_sequence = _evaluate_form(form, table)
        value, worth = best[player], np.zeros(tree.legal.shape)
        own = form.cell >= 0
        worth.ravel()[form.cell[own]] = by_sequence[own]
    response, rows = table.copy(), np.flatnonzero(tree.player == player)
    response[rows] = 0.0
    response[rows, np.where(tree.legal, worth, -np.inf)[rows].argmax(axis=1)] = 1.0
    return response, float(value)


def values(tree: Tree, table: np.ndarray) -> np.ndarray:
    """The expected payoff of every player when all play by `table` float64[K, A]: float64[P]."""
    return evaluate(tree, table)[0]


def evaluate(tree: Tree, table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Expected payoffs float64[P] under `table`, and float64[P] what each player would earn by a best response to it.

    Raises ValueError where the table does not fit, and ImperfectRecall where neither road leads.
    """
    table = checked(tree, table)
    form = _form(tree)
    if form is not None:
        return _evaluate_form(form, table)[:2]
    played = [_respond_by_nodes(tree, table, player, False)[0] for player in range(tree.players)]
    best = [_respond_by_nodes(tree, table, player, True)[0] for player in range(tree.players)]
    return np.array(played), np.array(best)


def checked(tree: Tree, table: np.ndarray) -> np.ndarray:
    """The table as float64[K, A]. Raises ValueError where it is no strategy: shape, sums, weight on illegal actions."""
    table = np.ascontiguousarray(table, dtype=np.float64)
    if table.shape != tree.legal.shape:
        raise ValueError(
            f"table: a strategy for this tree has shape {tree.legal.shape} (infosets, actions), not {table.shape}; "
            "make one with ludus.tree.tabulate(tree, policy)"
        )
    row = _fault(table, tree.legal)
    if row >= 0:
        legal = " ".join(word for word, allowed in zip(tree.labels.actions, tree.legal[row], strict=True) if allowed)
        raise ValueError(
            f"table: row {row} ({tree.labels.infoset(row)!r}, legal: {legal}) is {table[row]}; every row must be "
            "probabilities that sum to one, with zero on illegal actions"
        )
    return table


_ALIKE: WeakKeyDictionary[Tree, bool] = WeakKeyDictionary()


def goes_on_alike(tree: Tree) -> bool:
    """Whether all histories of every infoset have the same continuation, so that a position is worth one thing.

    True of perfect-information games, also where the view is a board that different move orders reach. Kept per tree.
    """
    if tree not in _ALIKE:
        _ALIKE[tree] = _compare_continuations(
            tree.turn, tree.first, tree.action, tree.infoset, tree.chance, tree.payoff, len(tree.player)
        )
    return _ALIKE[tree]


def _form(tree: Tree) -> SequenceForm | None:
    """The sequence form; None where node sweeps serve instead."""
    if _ALIKE.get(tree) and not tree.perfect_recall:
        return None
    try:
        return fold(tree)
    except ImperfectRecall as error:
        if goes_on_alike(tree):
            return None
        raise ImperfectRecall(f"{error}; node sweeps do not help, since its histories do not go on alike") from None


def _evaluate_form(form, table):
    """As `evaluate`, and what each sequence is worth to a player that goes on with its best response: float64[S]."""
    plan = _realise(form.cell, form.parent, form.group, table.ravel())
    worth = np.zeros(form.sequences)
    for player in range(len(form.root) - 1):
        action_values(player, form.block, form.first_block, form.target, form.weight, form.other, plan, worth)
    return *_respond(form.root, form.parent, form.group, form.first_group, plan, worth), worth


def _respond_by_nodes(tree, table, player, respond):
    return _sweep(tree.turn, tree.first, tree.action, tree.infoset, tree.chance, tree.payoff, table, player, respond)


_INTEGERS, _NUMBERS, _SEQUENCES = types.int64[::1], types.float64[::1], types.uint32[::1]
_RECORDS, _TABLE = types.uint64[:, ::1], types.float64[:, ::1]


@engine(types.int64(_TABLE, types.boolean[:, ::1]))
def _fault(table, legal):
    """The first row that is no probability distribution over legal actions, or -1. NaN is a fault too."""
    for row in range(len(table)):
        total, faults = 0.0, 0
        for action in range(table.shape[1]):
            number = table[row, action]
            total += number
            faults += not (number >= 0.0) or (number != 0.0 and not legal[row, action])
        if faults or not abs(total - 1.0) <= 1e-6:
            return row
    return -1


@engine(_NUMBERS(_INTEGERS, _SEQUENCES, _RECORDS, _NUMBERS))
def _realise(cell, parent, group, table):
    """The realisation plans of all players: down the trees of sequences, multiplying (von Stengel 1996)."""
    plan = np.ones(len(cell))
    for number in range(len(group)):
        first, place, size, actions = group[number, 0], group[number, 1], group[number, 2], group[number, 3]
        for action in range(actions):
            at = first + action * size
            for i in range(size):
                plan[at + i] = plan[parent[place + i]] * table[cell[at + i]]
    return plan


@engine(
    types.Tuple((_NUMBERS, _NUMBERS))(_INTEGERS, _SEQUENCES, _RECORDS, _INTEGERS, _NUMBERS, _NUMBERS),
)
def _respond(root, parent, group, first_group, plan, worth):
    """Payoffs by the plans and by best responses, float64[P] each; up the trees of sequences, taking the best action.

    worth, float64[S], comes in as the payoffs of games that end at a sequence; what follows one is added in place.
    """
    value, best, scratch = np.zeros(len(root) - 1), np.zeros(len(root) - 1), np.zeros(len(parent))
    for player in range(len(root) - 1):
        for own in range(np.uint64(root[player]), np.uint64(root[player + 1])):
            value[player] += plan[own] * worth[own]
        for number in range(first_group[player + 1] - 1, first_group[player] - 1, -1):
            first, place, size, actions = group[number, 0], group[number, 1], group[number, 2], group[number, 3]
            for i in range(size):
                scratch[i] = worth[first + i]
            for action in range(np.uint64(1), actions):
                at = first + action * size
                for i in range(size):
                    scratch[i] = max(scratch[i], worth[at + i])
            for i in range(size):
                worth[parent[place + i]] += scratch[i]
        best[player] = worth[root[player]]
    return value, best


@engine(
    types.Tuple((types.float64, _TABLE))(*(_INTEGERS,) * 4, _NUMBERS, _TABLE, _TABLE, types.int64, types.boolean),
)
def _sweep(turn, first, action, infoset, chance, payoff, table, player, respond):
    """Up the tree: what `player` earns at the root, responding best or playing by the table, and per own action."""
    worth, by_action = np.zeros(len(turn)), np.zeros(table.shape)
    for node in range(len(turn) - 1, -1, -1):
        if turn[node] == OVER:
            worth[node] = payoff[node, player]
            continue
        best, mean = -np.inf, 0.0
        for child in range(first[node], first[node + 1]):
            best = max(best, worth[child])
            mean += worth[child] * (chance[child] if turn[node] == CHANCE else table[infoset[node], action[child]])
            if turn[node] == player:
                by_action[infoset[node], action[child]] = worth[child]
        worth[node] = best if respond and turn[node] == player else mean
    return worth[0], by_action


_NODES = (*(_INTEGERS,) * 4, _NUMBERS, _TABLE)


@njit(cache=True)
def _alike(one, other, turn, first, action, infoset, chance, payoff):
    """Whether two nodes are worth the same: equal payoffs, the same infoset, or the same lottery over nodes alike."""
    children = first[one + 1] - first[one]
    if turn[one] != turn[other] or infoset[one] != infoset[other] or children != first[other + 1] - first[other]:
        return False
    if turn[one] == OVER:
        for player in range(payoff.shape[1]):
            if payoff[one, player] != payoff[other, player]:
                return False
    if turn[one] == CHANCE:
        for child in range(children):
            a, b = first[one] + child, first[other] + child
            if chance[a] != chance[b] or not _alike(a, b, turn, first, action, infoset, chance, payoff):
                return False
    return True


@engine(types.boolean(*_NODES, types.int64))
def _compare_continuations(turn, first, action, infoset, chance, payoff, infosets):
    """Whether, action by action, each history of an infoset has children alike those of the infoset's first history."""
    met = np.full(infosets, -1)
    for node in range(len(turn)):
        here = infoset[node]
        if here < 0:
            continue
        if met[here] < 0:
            met[here] = node
        children = first[node + 1] - first[node]
        if children != first[met[here] + 1] - first[met[here]]:
            return False
        for child in range(children):
            a, b = first[node] + child, first[met[here]] + child
            if action[a] != action[b] or not _alike(a, b, turn, first, action, infoset, chance, payoff):
                return False
    return True
