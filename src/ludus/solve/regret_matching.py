"""What every kind of CFR shares: up the tree to the regret of each action, down to the strategy that matches regrets.

Hart and Mas-Colell (2000), "A simple adaptive procedure leading to correlated equilibrium"; in every infoset of a game:
Zinkevich, Johanson, Bowling and Piccione (2007), "Regret minimization in games with incomplete information".

Kernels of other files take these through their signatures, types.FunctionType(REGRET_ACTIONS).
"""

import numpy as np
from numba import njit, types

_INTEGERS, _NUMBERS, _SEQUENCES = types.int64[::1], types.float64[::1], types.uint32[::1]
_RECORDS = types.uint64[:, ::1]
REGRET_ACTIONS = types.void(types.int64, _SEQUENCES, _RECORDS, _INTEGERS, *(_NUMBERS,) * 3)
MATCH_REGRETS = types.void(types.int64, _INTEGERS, _SEQUENCES, _RECORDS, _INTEGERS, *(_NUMBERS,) * 4)


@njit(REGRET_ACTIONS, cache=True)
def regret_actions(player, parent, group, first_group, strategy, worth, scratch):
    """One player's counterfactual regrets of this iteration, v(I, a) - v(I) (Zinkevich et al. 2007, equation 7).

    Goes up to the root. worth, float64[S], comes in as what games that end at a sequence pay, from action_values, and
    goes out as the regret of its action; at the empty sequence, as what the strategy earns in the whole game. scratch
    is float64[n] or longer, for the largest group of n infosets.
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


@njit(MATCH_REGRETS, cache=True)
def match_regrets(player, root, parent, group, first_group, regret, strategy, plan, scratch):
    """One player's strategy by its regrets (Zinkevich et al. 2007, equation 8), and its realisation plan.

    Goes down from the root; uniform where no regret is positive. strategy and plan, float64[S], change in place.
    scratch is float64[2 n] or longer, for the largest group of n infosets.
    """
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
