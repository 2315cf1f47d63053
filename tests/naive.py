"""The slow obvious version of what the package does fast: recursion, dictionaries, no arrays to be clever with.

Expected values of the tests come from here or from the literature, never from the code under test.
"""

import itertools

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import lil_matrix

from ludus.game import CHANCE, OVER, Game

# --- games and tree ---------------------------------------------------------------------------------------------------


def histories(game: Game):
    """Every history of a game, depth first: (actions, state, who moves, {action: weight}) one after the other.

    actions is the tuple of actions and chance outcomes so far, state what they led to; weights are probabilities at a
    chance node, 1 for a legal action, and empty at the end.
    """

    def walk(state, actions):
        mover = int(game.kernels.turn(state))
        moves = {} if mover == OVER else moves_of(game, state)
        yield actions, state, mover, moves
        for move in moves:
            child = state.copy()
            game.kernels.apply(child, move)
            yield from walk(child, (*actions, move))

    yield from walk(game.start.copy(), ())


def moves_of(game: Game, state: np.ndarray):
    """{action: weight} of a state, without the zeros."""
    weights = np.full(game.width, np.nan)
    game.kernels.options(state, weights)
    return {move: float(weight) for move, weight in enumerate(weights) if weight != 0}


def infoset_of(game: Game, state: np.ndarray, player: int):
    """(player, what it has seen): what an infoset is."""
    out = np.full(game.view_size, -(2**62), np.int64)
    game.kernels.view(state, player, out)
    return player, *(int(number) for number in out)


def payoff_of(game: Game, state: np.ndarray):
    """The payoffs of a finished game, a tuple."""
    out = np.full(game.players, np.nan)
    game.kernels.payoff(state, out)
    return tuple(float(number) for number in out)


def best_response_value(game: Game, policy: dict, player: int | None):
    """What the best strategy of one player earns while the others play {infoset: {action: probability}}.

    With player None everybody plays the policy; the answer is then float64[P] of all. Perfect recall is needed: the
    best action of an infoset maximises the sum, over its nodes, of how likely the others and chance make each node
    times what follows, and what follows never leads back to the infoset.
    """
    nodes: dict = {}
    children: dict = {}
    for actions, state, mover, moves in histories(game):
        children[actions] = (
            mover,
            moves,
            infoset_of(game, state, mover) if mover >= 0 else payoff_of(game, state) if mover == OVER else None,
        )
    reach = {(): 1.0}
    for actions, (mover, moves, key) in children.items():  # depth first: a parent stands before its children
        for move, weight in moves.items():
            others = weight if mover == CHANCE else 1.0 if mover == player else policy[key][move]
            reach[(*actions, move)] = reach[actions] * others
        if mover == player:
            nodes.setdefault(key, []).append(actions)
    choice: dict = {}

    def value(actions):
        mover, moves, key = children[actions]
        if mover == OVER:
            return np.array(key)
        if mover == player:
            return value((*actions, best(key)))
        odds = moves if mover == CHANCE else policy[key]
        return sum(odds[move] * value((*actions, move)) for move in moves)

    def best(key):
        if key not in choice:
            moves = children[nodes[key][0]][1]
            worth = {move: sum(reach[at] * value((*at, move))[player] for at in nodes[key]) for move in moves}
            choice[key] = max(worth, key=lambda move: worth[move])
        return choice[key]

    earned = value(())
    return earned if player is None else float(earned[player])


def uniform_policy(game: Game):
    """{infoset: {action: probability}}, every legal action alike."""
    policy = {}
    for _, state, mover, moves in histories(game):
        if mover >= 0:
            policy[infoset_of(game, state, mover)] = {move: 1 / len(moves) for move in moves}
    return policy


def nash_conv(game: Game, policy: dict) -> float:
    """How much the players could gain by best responses, summed: sum over p of best_response(p) - value(p)."""
    values = best_response_value(game, policy, None)
    return sum(best_response_value(game, policy, seat) - values[seat] for seat in range(game.players))


def zero_sum_value(game: Game) -> float:
    """What a two-player zero-sum game of perfect recall is worth to player 0: the linear program over sequences.

    Koller, Megiddo, von Stengel (1996), "Efficient computation of equilibria for extensive two-person games", section
    3. Player 0 chooses how likely each of its sequences of moves is; bound v of an infoset of player 1 is what player 1
    can hold player 0 to from there on.
    """
    own = {(): ((), ())}  # history -> the last (infoset, action) of each player
    odds, leaves, before, plays = {(): 1.0}, {}, ({}, {}), ({(): None}, {(): None})
    for actions, state, mover, moves in histories(game):
        if mover == OVER:
            leaves[own[actions]] = leaves.get(own[actions], 0.0) + odds[actions] * payoff_of(game, state)[0]
            continue
        infoset = infoset_of(game, state, mover) if mover >= 0 else None
        if mover >= 0:
            before[mover].setdefault(infoset, own[actions][mover])
        for move, weight in moves.items():
            after = list(own[actions])
            if mover >= 0:
                after[mover] = (infoset, move)
                plays[mover][(infoset, move)] = infoset
            own[(*actions, move)] = tuple(after)
            odds[(*actions, move)] = odds[actions] * (weight if mover == CHANCE else 1.0)
    column = {play: place for place, play in enumerate(plays[0])}
    bound = {infoset: len(column) + place for place, infoset in enumerate([None, *before[1]])}
    row = {play: place for place, play in enumerate(plays[1])}
    flow = {infoset: place for place, infoset in enumerate([None, *before[0]])}
    width = len(column) + len(bound)
    above, equal = lil_matrix((len(row), width)), lil_matrix((len(flow), width))
    for play, infoset in plays[1].items():  # bound of the infoset <= payoffs at this play + bounds of what follows it
        above[row[play], bound[infoset]] = 1.0
    for infoset, play in before[1].items():
        above[row[play], bound[infoset]] = -1.0
    for (first, second), payoff in leaves.items():
        above[row[second], column[first]] = -payoff
    equal[0, column[()]] = 1.0
    for play, infoset in plays[0].items():
        if infoset is not None:
            equal[flow[infoset], column[play]] = 1.0
    for infoset, play in before[0].items():
        equal[flow[infoset], column[play]] = -1.0
    solved = linprog(
        -np.eye(1, width, bound[None])[0],
        above.tocsr(),
        np.zeros(len(row)),
        equal.tocsr(),
        np.eye(1, len(flow))[0],
        [(0, None)] * len(column) + [(None, None)] * len(bound),
    )
    return -float(solved.fun)


# --- solvers, on a Tree -----------------------------------------------------------------------------------------------


def children_of(tree, node: int):
    """[(action, child)] of a node of a Tree."""
    return [(int(tree.action[child]), child) for child in np.flatnonzero(tree.parent == node).tolist()]


def values_in_tree(tree, table, node: int = 0):
    """What every player earns from this node on when all play by the table: float64[P]."""
    if tree.turn[node] == OVER:
        return tree.payoff[node]
    total = np.zeros(tree.players)
    for action, child in children_of(tree, node):
        odds = tree.chance[child] if tree.turn[node] == CHANCE else table[tree.infoset[node], action]
        total = total + odds * values_in_tree(tree, table, child)
    return total


def best_of_all_pure(tree, table, player: int) -> float:
    """The most that a player earns with any pure strategy against the others' rows. All are tried: keep it small."""
    best, own = -np.inf, np.flatnonzero(tree.player == player)
    for choice in np.ndindex(*(int(tree.legal[row].sum()) for row in own)):
        tried = table.copy()
        for row, pick in zip(own, choice, strict=True):
            tried[row] = 0.0
            tried[row, np.flatnonzero(tree.legal[row])[pick]] = 1.0
        best = max(best, values_in_tree(tree, tried)[player])
    return float(best)


def best_response_in_tree(tree, table, player: int) -> float:
    """The value of a best response by recursion over infosets; perfect recall is needed."""
    reach = np.ones(len(tree.turn))  # what chance and the others do
    for node in range(1, len(tree.turn)):
        up = tree.parent[node]
        odds = tree.chance[node]
        if tree.turn[up] >= 0 and tree.turn[up] != player:
            odds = table[tree.infoset[up], tree.action[node]]
        reach[node] = reach[up] * odds
    choice: dict = {}

    def worth(node):
        if tree.turn[node] == OVER:
            return tree.payoff[node, player]
        if tree.turn[node] == player:
            return worth(dict(children_of(tree, node))[choose(tree.infoset[node])])
        total = 0.0
        for action, child in children_of(tree, node):
            odds = tree.chance[child] if tree.turn[node] == CHANCE else table[tree.infoset[node], action]
            total += odds * worth(child)
        return total

    def choose(infoset):
        if infoset not in choice:
            gain: dict = {}
            for node in np.flatnonzero(tree.infoset == infoset):
                for action, child in children_of(tree, node):
                    gain[action] = gain.get(action, 0.0) + reach[node] * worth(child)
            choice[infoset] = max(gain, key=lambda action: gain[action])
        return choice[infoset]

    return float(worth(0))


def cfr_in_tree(tree, iterations: int, plus: bool = False):
    """CFR (Zinkevich et al. 2007) as it is told, walking histories, players in turn: the average float64[K, A]."""
    children = [children_of(tree, node) for node in range(len(tree.turn))]
    uniform = tree.legal / tree.legal.sum(axis=1, keepdims=True)
    regret, total, strategy = np.zeros(tree.legal.shape), np.zeros(tree.legal.shape), uniform.copy()
    for iteration in range(1, iterations + 1):
        for player in range(tree.players):
            gain = np.zeros(tree.legal.shape)
            _walk_for_regret(tree, children, player, strategy, iteration if plus else 1, gain, total, 0, 1.0, 1.0)
            regret += gain
            if plus:
                regret = np.maximum(regret, 0.0)
            positive = np.maximum(regret, 0.0)
            sums = positive.sum(axis=1, keepdims=True)
            strategy = np.where(sums > 0, positive / np.where(sums > 0, sums, 1.0), uniform)
    sums = total.sum(axis=1, keepdims=True)
    return np.where(sums > 0, total / np.where(sums > 0, sums, 1.0), uniform)


def cfr_plus_in_layers(tree, iterations: int, number=np.longdouble):
    """CFR+ (Tammelin 2014) node by node, a layer of the tree at a time, in any precision: yields the average of each
    iteration, number[K, A]. Sums are formed in another order than by the sequence form.
    """
    bounds = [0, 1]
    while bounds[-1] < len(tree.turn):
        bounds.append(int(tree.first[bounds[-1]]))
    layers = [np.arange(start, end) for start, end in itertools.pairwise(bounds)][1:]  # without the root
    mover = np.where(tree.parent >= 0, tree.turn[tree.parent], CHANCE)  # who chose to come to this node
    uniform = tree.legal / tree.legal.sum(axis=1, keepdims=True).astype(number)
    regret, total, strategy = np.zeros_like(uniform), np.zeros_like(uniform), uniform.copy()
    for iteration in range(1, iterations + 1):
        for player in range(tree.players):
            chosen, odds = np.flatnonzero(mover >= 0), tree.chance.astype(number)
            odds[chosen] = strategy[tree.infoset[tree.parent[chosen]], tree.action[chosen]]
            own, others = np.ones_like(odds), np.ones_like(odds)
            for layer in layers:
                above, mine = tree.parent[layer], mover[layer] == player
                own[layer] = own[above] * np.where(mine, odds[layer], 1)
                others[layer] = others[above] * np.where(mine, 1, odds[layer])
            worth = tree.payoff[:, player].astype(number)
            for layer in reversed(layers):
                np.add.at(worth, tree.parent[layer], odds[layer] * worth[layer])
            chosen = np.flatnonzero(mover == player)
            above, cell = tree.parent[chosen], (tree.infoset[tree.parent[chosen]], tree.action[chosen])
            plan = np.zeros_like(uniform)
            plan[cell] = own[chosen]  # the same at every node of an infoset
            total += iteration * plan
            np.add.at(regret, cell, others[chosen] * (worth[chosen] - worth[above]))
            regret = np.maximum(regret, 0)
            sums = regret.sum(axis=1, keepdims=True)
            strategy = np.where(sums > 0, regret / np.where(sums > 0, sums, 1), uniform)
        sums = total.sum(axis=1, keepdims=True)
        yield np.where(sums > 0, total / np.where(sums > 0, sums, 1), uniform)


def _walk_for_regret(tree, children, player, strategy, weight, gain, total, node, own, others):
    """What the player earns from this node on; adds the regret of actions to gain, the weighted strategy to total."""

    def follow(child, own, others):
        return _walk_for_regret(tree, children, player, strategy, weight, gain, total, child, own, others)

    if tree.turn[node] == OVER:
        return tree.payoff[node, player]
    here, worth = tree.infoset[node], {}
    if tree.turn[node] != player:
        value = 0.0
        for action, child in children[node]:
            odds = tree.chance[child] if tree.turn[node] == CHANCE else strategy[here, action]
            value += odds * follow(child, own, others * odds)
        return value
    for action, child in children[node]:
        worth[action] = follow(child, own * strategy[here, action], others)
    value = sum(strategy[here, action] * worth[action] for action in worth)
    for action in worth:
        gain[here, action] += others * (worth[action] - value)
        total[here, action] += weight * own * strategy[here, action]
    return value
