"""Games in normal form: what every combination of strategies pays, as one array.

A matrix game is this with two players. The record is what Gambit's .nfg files hold, what the solvers of bimatrix games
read, and what an extensive game becomes when every player writes down a whole plan before it begins. The ways there
and back: `as_tree` and `as_game` let the players choose one after another, unseen; `reduced` lists the plans of a
tree, and `behaviour` turns a mixture of plans into what is done at each infoset.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numba import njit

from ludus.game import OVER, Game, Kernels
from ludus.tree import Labels, TooLarge, Tree

Profile = tuple[np.ndarray, ...]
"""One mixed strategy per player: float64[A_p], at least zero, summing to one."""


class NormalForm(NamedTuple):
    """A finite game in normal form. P players, A_p strategies of player p.

    payoff   float64[A_0, ..., A_(P-1), P], what each combination pays each player
    title    what the game is called
    players  P names
    actions  for each player the names of its A_p strategies
    comment  where it comes from, in words
    """

    payoff: np.ndarray
    title: str
    players: tuple[str, ...]
    actions: tuple[tuple[str, ...], ...]
    comment: str = ""


def normal_form(
    payoff: np.ndarray,
    title: str = "",
    players: Sequence[str] | None = None,
    actions: Sequence[Sequence[str]] | None = None,
    comment: str = "",
) -> NormalForm:
    """The record of `payoff` float64[A_0, ..., A_(P-1), P]; names that are not given are numbers from 1.

    Raises ValueError where the shape is none of a game, a payoff is not finite, or the names do not fit the shape.
    """
    payoff = np.ascontiguousarray(payoff, dtype=np.float64)
    if payoff.ndim < 2 or payoff.shape[-1] != payoff.ndim - 1 or 0 in payoff.shape:
        raise ValueError(
            f"payoff: P players need an array of P + 1 axes, the last of length P, none empty, not shape "
            f"{payoff.shape}; for two matrices write bimatrix(rows, columns)"
        )
    if not np.isfinite(payoff).all():
        raise ValueError(f"payoff: every number must be finite, {payoff[~np.isfinite(payoff)][0]} is not")
    sizes = payoff.shape[:-1]
    names = tuple(players) if players is not None else tuple(f"player {seat + 1}" for seat in range(len(sizes)))
    words = (
        tuple(map(tuple, actions)) if actions is not None else tuple(tuple(map(str, range(1, n + 1))) for n in sizes)
    )
    if len(names) != len(sizes) or tuple(map(len, words)) != sizes:
        raise ValueError(
            f"names: a payoff of shape {payoff.shape} has {len(sizes)} players with {sizes} strategies, the names "
            f"given are of {len(names)} players with {tuple(map(len, words))}"
        )
    return NormalForm(payoff, title, names, words, comment)


def bimatrix(rows: np.ndarray, columns: np.ndarray | None = None, title: str = "") -> NormalForm:
    """Two players: `rows` float64[m, n] pays the one who chooses the row, `columns` the other; left out, zero-sum."""
    rows = np.asarray(rows, np.float64)
    columns = -rows if columns is None else np.asarray(columns, np.float64)
    if rows.ndim != 2 or rows.shape != columns.shape:
        raise ValueError(f"rows, columns: two matrices of one shape are needed, not {rows.shape} and {columns.shape}")
    return normal_form(np.stack([rows, columns], axis=-1), title)


def expected(form: NormalForm, profile: Profile) -> np.ndarray:
    """What each player expects when all play by `profile`: float64[P]. Raises ValueError where it is no profile."""
    worth = form.payoff
    for strategy in checked(form, profile):
        worth = np.tensordot(strategy, worth, axes=(0, 0))
    return worth


def deviations(form: NormalForm, profile: Profile) -> Profile:
    """What each strategy of each player would earn against the others' part of `profile`: P arrays float64[A_p]."""
    return worths(form.payoff, checked(form, profile))


def worths(payoff: np.ndarray, profile: Profile) -> Profile:
    """As `deviations`, of a payoff and a profile that need no check."""
    found = []
    for player in range(len(profile)):
        worth = payoff[..., player]
        for seat in reversed(range(player + 1, len(profile))):
            worth = worth @ profile[seat]
        worth = worth.T  # the first seat stands last
        for seat in range(player):
            worth = worth @ profile[seat]
        found.append(worth)
    return tuple(found)


def regret(form: NormalForm, profile: Profile) -> float:
    """The most that any one player could gain by playing otherwise: the certificate, 0 at a Nash equilibrium."""
    worth = deviations(form, profile)
    return max(float(each.max() - each @ np.asarray(own)) for each, own in zip(worth, profile, strict=True))


def checked(form: NormalForm, profile: Profile) -> Profile:
    """The profile as arrays. Raises ValueError where a strategy has the wrong length or is no probabilities."""
    return _probabilities(profile, form.payoff.shape[:-1], form.players)


def _probabilities(profile, sizes, players):
    found = tuple(np.asarray(strategy, np.float64) for strategy in profile)
    if tuple(strategy.shape for strategy in found) != tuple((size,) for size in sizes):
        raise ValueError(
            f"profile: this game needs strategies of lengths {sizes}, not {tuple(np.shape(each) for each in found)}"
        )
    for name, strategy in zip(players, found, strict=True):
        if not (strategy >= -1e-12).all() or not abs(strategy.sum() - 1) <= 1e-6:
            raise ValueError(f"profile: the strategy of {name} must be probabilities that sum to one, not {strategy}")
    return found


# --- as a tree and as a game ------------------------------------------------------------------------------------------


def as_tree(form: NormalForm) -> Tree:
    """The same game in extensive form: the players choose in order of their seats, and later ones do not see it.

    One infoset per player; the view is its seat. Actions are words that the players share where their strategies are
    called the same.
    """
    words, actions = _words(form)
    order = [np.argsort(each) for each in actions]  # children of a node stand in the order of the actions
    sizes, players = form.payoff.shape[:-1], len(form.players)
    layer = np.array([math.prod(sizes[:seat]) for seat in range(players + 1)])
    start = np.r_[0, np.cumsum(layer)]
    nodes = int(start[-1])
    turn, parent, action = np.repeat([*range(players), OVER], layer), np.full(nodes, -1), np.full(nodes, -1)
    first, payoff = np.full(nodes + 1, nodes), np.zeros((nodes, players))
    for seat, size in enumerate(sizes):
        here, below = slice(start[seat], start[seat + 1]), slice(start[seat + 1], start[seat + 2])
        first[here] = start[seat + 1] + size * np.arange(layer[seat])
        parent[below] = np.repeat(np.arange(start[seat], start[seat + 1]), size)
        action[below] = np.tile(actions[seat][order[seat]], layer[seat])
    payoff[start[-2] :] = form.payoff[np.ix_(*order)].reshape(-1, players)
    legal = np.zeros((players, len(words)), bool)
    for seat, own in enumerate(actions):
        legal[seat, own] = True
    infoset, seats, names = np.where(turn >= 0, turn, -1), np.arange(players), _apart(form.players)
    labels = Labels(names, words, lambda row: names[row])
    return Tree(
        turn, parent, action, first, np.ones(nodes), infoset, payoff, seats, legal, seats[:, None], labels
    )  # fmt: skip


def as_game(form: NormalForm) -> Game:
    """The same game as rules that can be played, grown and told; its tree is that of `as_tree`.

    State    int64: players P, actions A, players who have chosen, the number of the combination chosen so far, then
             the strategy that each action is of each player int64[P, A] (-1 for none), the sizes int64[P], and the
             payoffs, float64 kept as their bits.
    Actions  the words of the strategies; those that two players share are one action.
    View     int64[1]: the seat, since nobody sees anything.
    """
    words, actions = _words(form)
    strategy = np.full((len(actions), len(words)), -1)
    for own, row in zip(actions, strategy, strict=True):
        row[own] = np.arange(len(own))
    sums, names = form.payoff.sum(axis=-1), _apart(form.players)
    rounding = 1e-12 * max(1.0, float(np.abs(form.payoff).max()))
    return Game(
        name=form.title or "normal form",
        source=form.comment or form.title,
        rules=_rules(form, words, actions),
        words=words,
        players=len(actions),
        view_size=1,
        outcomes=0,
        start=np.concatenate(
            [[len(actions), len(words), 0, 0], strategy.ravel(), sums.shape, form.payoff.ravel().view(np.int64)]
        ),
        kernels=Kernels(_turn, _options, _apply, _payoff, _view),
        tell=lambda view: names[view[0]],
        constant_sum=float(sums.flat[0]) if np.ptp(sums) <= rounding else None,
    )


def _words(form):
    """A words over all players, and for each player the action int64[A_p] that each of its strategies is."""
    named = [_apart(["_".join(name.split()) for name in each]) for each in form.actions]
    words = {word: None for each in named for word in each}
    number = {word: place for place, word in enumerate(words)}
    return tuple(words), [np.array([number[word] for word in each]) for each in named]


def _apart(names):
    """The names; numbers from 1 where they do not tell things apart."""
    if all(names) and len(set(names)) == len(names):
        return tuple(names)
    return tuple(str(number + 1) for number in range(len(names)))


def _rules(form, words, actions):
    """What the players may do and, in a game of at most 144 combinations, what each combination pays."""
    players, own = _apart(form.players), [[words[action] for action in each] for each in actions]
    told = f"{' and '.join(players)} choose one action each; nobody sees what another has chosen."
    sizes = form.payoff.shape[:-1]
    if math.prod(sizes) > 144:
        choices = "; ".join(f"{player}: {', '.join(each)}" for player, each in zip(players, own, strict=True))
        return f"{form.comment} {told} The actions of {choices}.".strip()
    cell = {place: ", ".join(f"{number:g}" for number in form.payoff[place]) for place in np.ndindex(*sizes)}
    if len(sizes) == 2:
        told += f" {players[0]} chooses the row, {players[1]} the column; an entry pays {players[0]}, {players[1]}."
        lines = [["", *own[1]]] + [[word, *(cell[i, j] for j in range(sizes[1]))] for i, word in enumerate(own[0])]
    else:
        told += f" What each combination pays {', '.join(players)}:"
        lines = [[*(each[at] for each, at in zip(own, place, strict=True)), cell[place]] for place in cell]
    width = [max(map(len, column)) for column in zip(*lines, strict=True)]
    table = ["  ".join(map(str.ljust, line, width)).rstrip() for line in lines]
    return "\n".join([f"{form.comment} {told}".strip(), *table])


_PLAYERS, _ACTIONS, _CHOSEN, _COMBINATION, _STRATEGY = 0, 1, 2, 3, 4  # where each part of the state begins


@njit(cache=True)
def _turn(state):
    return state[_CHOSEN] if state[_CHOSEN] < state[_PLAYERS] else OVER


@njit(cache=True)
def _options(state, weights):
    for action in range(len(weights)):
        weights[action] = state[_STRATEGY + state[_CHOSEN] * state[_ACTIONS] + action] >= 0


@njit(cache=True)
def _apply(state, action):
    seat, actions = state[_CHOSEN], state[_ACTIONS]
    size = state[_STRATEGY + state[_PLAYERS] * actions + seat]
    state[_COMBINATION] = state[_COMBINATION] * size + state[_STRATEGY + seat * actions + action]
    state[_CHOSEN] += 1


@njit(cache=True)
def _payoff(state, out):
    players = state[_PLAYERS]
    table = state[_STRATEGY + players * (state[_ACTIONS] + 1) :].view(np.float64)
    for player in range(players):
        out[player] = table[state[_COMBINATION] * players + player]


@njit(cache=True)
def _view(state, player, out):
    out[0] = player


# --- from a tree, and back --------------------------------------------------------------------------------------------


def reduced(tree: Tree, limit: int = 1_000_000) -> NormalForm:
    """The reduced normal form: every plan of every player, told in words, and what each combination pays.

    A plan says what its player does at every infoset that the plan itself lets happen, and nothing about the others:
    plans that differ only there are one (Kuhn 1953, "Extensive games and the problem of information").
    Raises TooLarge, before anything is allocated, where combinations of plans, or the entries of one player's plans,
    are more than `limit`; ValueError where a player forgets what it knew or did.
    """
    before, last = _recall(tree)
    plans, actions = _plans(tree, before, limit), tree.legal.shape[1]
    reach = tree.chance.copy()
    for node in range(1, len(reach)):
        reach[node] *= reach[tree.parent[node]]
    allows: dict[tuple[int, int], np.ndarray] = {}  # (player, its last infoset and action) -> its plans that come there
    payoff = np.zeros((*map(len, plans), tree.players))
    for leaf in np.flatnonzero(tree.turn == OVER):
        ends = [(player, int(cell)) for player, cell in enumerate(last[leaf])]
        for player, cell in ends:
            if (player, cell) not in allows:
                infoset, action = divmod(cell, actions)
                there = plans[player][:, infoset] == action if cell >= 0 else np.ones(len(plans[player]), bool)
                allows[player, cell] = np.flatnonzero(there)
        payoff[np.ix_(*(allows[end] for end in ends))] += reach[leaf] * tree.payoff[leaf]
    names = [[_told(tree, plan, own) for plan in own] for own in plans]
    return normal_form(payoff, "", tree.labels.players, names)


def behaviour(tree: Tree, profile: Profile, limit: int = 1_000_000) -> np.ndarray:
    """What a profile of `reduced(tree)` does at each infoset: a table float64[K, A], which pays the same.

    The realisation weight of an action is that of all plans that come to its infoset and choose it; the behaviour
    divides these by their sum (Kuhn 1953, theorem 4). Even play where no plan in use comes. `limit` and errors as
    for `reduced`, and ValueError where a strategy of the profile does not have one entry per plan.
    """
    plans = _plans(tree, _recall(tree)[0], limit)
    profile = _probabilities(profile, tuple(map(len, plans)), tree.labels.players)
    table = np.zeros(tree.legal.shape)
    for infoset, player in enumerate(tree.player):
        for action in np.flatnonzero(tree.legal[infoset]):
            table[infoset, action] = profile[player] @ (plans[player][:, infoset] == action)
    reached = table.sum(axis=1, keepdims=True)
    even = tree.legal / tree.legal.sum(axis=1, keepdims=True)
    return np.where(reached > 0, table / np.where(reached > 0, reached, 1.0), even)


def _recall(tree):
    """The own choice before each infoset int64[K], and each player's last choice at each node int64[N, P].

    A choice is infoset * A + action; -1 where there was none. Raises ValueError where an infoset follows two of them.
    """
    last, infosets = np.full((len(tree.turn), tree.players), -1), len(tree.player)
    start, end = tree.first[0], tree.first[1]
    while start < end:  # layer by layer
        below, above = np.arange(start, end), tree.parent[start:end]
        last[below] = last[above]
        chosen = tree.turn[above] >= 0
        below, above = below[chosen], above[chosen]
        last[below, tree.turn[above]] = tree.infoset[above] * tree.legal.shape[1] + tree.action[below]
        start, end = tree.first[start], tree.first[end]
    inside = np.flatnonzero(tree.turn >= 0)
    own, infoset = last[inside, tree.turn[inside]], tree.infoset[inside]
    before, other = np.full(infosets, tree.legal.size), np.full(infosets, -1)
    np.minimum.at(before, infoset, own)
    np.maximum.at(other, infoset, own)
    forgetful = np.flatnonzero(before != other)
    if len(forgetful):
        raise ValueError(
            f"tree: plans need perfect recall, but at {tree.labels.infoset(int(forgetful[0]))!r} the player has "
            "forgotten what it did before; give the view everything its player has seen and done"
        )
    return before, last


def _plans(tree, before, limit):
    """For each player its plans int64[S_p, K]: the action at each infoset that the plan lets happen, else -1.

    From the last infosets up: a plan for an infoset is an action and a plan for each infoset that follows it.
    """
    infosets, actions = tree.legal.shape
    follow = [1] * (infosets * actions)  # plans for all that follows a choice
    total = [1] * tree.players
    for infoset in reversed(range(infosets)):
        count = sum(follow[infoset * actions + action] for action in np.flatnonzero(tree.legal[infoset]))
        if before[infoset] >= 0:
            follow[before[infoset]] *= count
        else:
            total[tree.player[infoset]] *= count
    if max(math.prod(total), max(total) * infosets) > limit:
        many = " x ".join(f"{count:,}" if count < 10**9 else f"10^{math.log10(count):.0f}" for count in total)
        raise TooLarge(
            f"limit: this tree of {infosets:,} infosets has {many} plans, more than limit={limit:,} allows; raise "
            "limit= where memory allows, or solve the tree itself, as ludus.solve does"
        )
    nothing = np.full((1, infosets), -1)
    after: dict[int, np.ndarray] = {}  # a choice, or -1 - player before any choice -> plans for all that follows it
    for infoset in reversed(range(infosets)):
        each = []
        for action in np.flatnonzero(tree.legal[infoset]):
            each.append(after.pop(infoset * actions + int(action), nothing).copy())
            each[-1][:, infoset] = action
        start = int(before[infoset]) if before[infoset] >= 0 else -1 - int(tree.player[infoset])
        here, rest = np.concatenate(each), after.get(start, nothing)
        after[start] = np.maximum(here[:, None], rest[None]).reshape(-1, infosets)
    return [after.get(-1 - player, nothing) for player in range(tree.players)]


def _told(tree, plan, plans):
    """A plan in words: 'J: pass, J pass bet: bet'; the action alone where its player decides once."""
    decided = np.flatnonzero(plan >= 0)
    if not len(decided):
        return "nothing to decide"
    if ((plans >= 0).any(axis=0)).sum() == 1:
        return tree.labels.actions[plan[decided[0]]]
    return ", ".join(f"{tree.labels.infoset(int(each))}: {tree.labels.actions[plan[each]]}" for each in decided)
