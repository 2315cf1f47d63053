"""The loop of every kind of CFR: up the tree to the regrets, down to the strategy that matches them.

An iteration takes the players in turn. What games pay against the others' present plans goes up the player's tree and
becomes the regret of each action; the kind of CFR says how that changes what is remembered; the player then takes
each action as often as its remembered regret is positive, which goes down the tree as the next plan.

Hart and Mas-Colell (2000), "A simple adaptive procedure leading to correlated equilibrium"; in every infoset of a game:
Zinkevich, Johanson, Bowling and Piccione (2007), "Regret minimization in games with incomplete information".
"""

from functools import partial

import numpy as np
from numba import njit, types

from ludus.game import engine
from ludus.solve.sequence_form import ACTION_VALUES, action_values
from ludus.solve.solution import averaged, run

_INTEGERS, _NUMBERS, _SEQUENCES = types.int64[::1], types.float64[::1], types.uint32[::1]
_RECORDS = types.uint64[:, ::1]
REMEMBER = types.void(*(types.int64,) * 3, *(_NUMBERS,) * 4)


def minimise_regret(tree, iterations, state, checkpoints, watch, remember, power, settings=()):
    """Run a kind of CFR from a checked state: `regret`, perhaps `expected`, and last `total` and `iterations`.

    remember  a kernel REMEMBER: (iteration, first, last, settings, worth, regret, expected) -> None. It takes
              worth[first:last], the regrets of this iteration, into regret[first:last], and into expected[first:last]
              where the state has that; the strategy matches `expected`, which else is `regret` itself
    power     iteration t counts t^power times in the average
    settings  numbers that `remember` is handed
    """
    settings = np.array(settings, np.float64)

    def sweep(form, first, count, regret, *others):
        return _iterate(
            first, count, float(power), form.root, form.parent, form.group, form.first_group,
            form.block, form.first_block, form.target, form.weight, form.other,
            settings, regret, others[0] if len(others) > 1 else regret, others[-1], action_values, remember,
        )  # fmt: skip

    return run(tree, iterations, state, checkpoints, watch, sweep, partial(averaged, tree))


@njit(cache=True)
def _regret(player, parent, group, first_group, strategy, worth, scratch):
    """Up: the counterfactual regrets v(I, a) - v(I) of one player (Zinkevich et al. 2007, equation 7).

    worth, float64[S], comes in as what games that end at a sequence pay and goes out as the regret of its action.
    """
    for number in range(first_group[player + 1] - 1, first_group[player] - 1, -1):
        first, place, size, actions = group[number, 0], group[number, 1], group[number, 2], group[number, 3]
        for i in range(size):
            scratch[i] = 0.0
        for action in range(actions):
            at = first + action * size
            for i in range(size):
                scratch[i] += strategy[at + i] * worth[at + i]
        for action in range(actions):
            at = first + action * size
            for i in range(size):
                worth[at + i] -= scratch[i]
        for i in range(size):
            worth[parent[place + i]] += scratch[i]


@njit(cache=True)
def _match(player, root, parent, group, first_group, regret, strategy, plan, scratch):
    """Down: regret matching (Zinkevich et al. 2007, equation 8) and the realisation plan it gives one player."""
    plan[root[player]] = 1.0
    half = np.uint64(len(scratch) // 2)
    for number in range(first_group[player], first_group[player + 1]):
        first, place, size, actions = group[number, 0], group[number, 1], group[number, 2], group[number, 3]
        for i in range(size):
            scratch[i] = 0.0
            scratch[half + i] = plan[parent[place + i]]
        for action in range(actions):
            at = first + action * size
            for i in range(size):
                scratch[i] += max(regret[at + i], 0.0)
        for action in range(actions):
            at = first + action * size
            for i in range(size):
                chosen = max(regret[at + i], 0.0) / scratch[i] if scratch[i] > 0.0 else 1.0 / actions
                strategy[at + i] = chosen
                plan[at + i] = scratch[half + i] * chosen


@engine(
    _NUMBERS(
        *(types.int64,) * 2, types.float64, _INTEGERS, _SEQUENCES, _RECORDS, _INTEGERS,
        _RECORDS, _INTEGERS, _SEQUENCES, _NUMBERS, types.uint32[:, ::1],
        *(_NUMBERS,) * 4, types.FunctionType(ACTION_VALUES), types.FunctionType(REMEMBER),
    ),
)  # fmt: skip
def _iterate(
    first_iteration, iterations, power, root, parent, group, first_group, block, first_block, target, weight, other,
    settings, regret, expected, total, action_values, remember,
):  # fmt: skip
    """The iterations: regret, expected and total, float64[S], change in place; returns the strategy, float64[S]."""
    strategy, plan, worth = np.zeros(len(regret)), np.zeros(len(regret)), np.zeros(len(regret))
    scratch = np.zeros(2 * len(parent) + 2)
    for player in range(len(root) - 1):
        _match(player, root, parent, group, first_group, expected, strategy, plan, scratch)
    for iteration in range(first_iteration, first_iteration + iterations):
        share = float(iteration) ** power
        for player in range(len(root) - 1):
            for own in range(np.uint64(root[player]), np.uint64(root[player + 1])):
                total[own] += share * plan[own]
                worth[own] = 0.0
            action_values(player, block, first_block, target, weight, other, plan, worth)
            _regret(player, parent, group, first_group, strategy, worth, scratch)
            remember(iteration, root[player] + 1, root[player + 1], settings, worth, regret, expected)
            _match(player, root, parent, group, first_group, expected, strategy, plan, scratch)
    return strategy
