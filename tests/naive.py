"""The slow obvious version of what the package does fast: recursion, dictionaries, no arrays to be clever with.

Expected values of the tests come from here or from the literature, never from the code under test.
"""

import numpy as np

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
