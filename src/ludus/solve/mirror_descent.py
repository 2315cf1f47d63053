"""Magnetic mirror descent: the strategy itself, not its average, goes to equilibrium.

In every infoset, every player moves its policy a step towards actions that are worth more, and is drawn at the same
time to a magnet, another policy:

    new policy  ~  [policy * magnet^(step * temperature) * exp(step * q)]^(1 / (1 + step * temperature))

q(a) is what action a is worth in the infoset once it has been reached, everybody playing by the present policies. A
magnet that stays uniform leads to the agent quantal response equilibrium of that temperature, in which every infoset
plays softmax(q / temperature); `quantal_response_gap` says how far that is. A magnet that trails behind the policy lets
go by and by, and leads to a Nash equilibrium.

Sokota, D'Orazio, Kolter et al. (2023), "A unified approach to reinforcement learning, quantal response equilibria, and
two-player zero-sum games", arXiv:2206.05825, equation 12 in every infoset (behavioural form, their appendix E), all
players at once. What is proved there: in two-player zero-sum games where each player acts once, a fixed magnet and a
step of at most temperature / L^2, L the largest payoff in size, give linear convergence (theorem 3.4). With more
infosets, or with a moving magnet (their appendix H.5, whose figures are the defaults here), convergence is what they
saw in experiments and nothing is proved; with other games neither.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numba import njit, types

from ludus.game import OVER, engine
from ludus.solve.best_response import checked
from ludus.solve.sequence_form import ACTION_VALUES, SequenceForm, action_values, fold
from ludus.solve.solution import as_sequences, as_table, check, run
from ludus.tree import Tree


class State(NamedTuple):
    """All the solver needs to go on, in the tree's numbering; saved as `_asdict()`, `State(**saved)` goes on.

    policy      float64[K, A], logarithms of the probabilities, up to one number added in an infoset; zero where illegal
    magnet      float64[K, A], the same of the magnet
    iterations  how many went before
    """

    policy: np.ndarray
    magnet: np.ndarray
    iterations: int


class LastIterate(NamedTuple):
    """Where the solver has come to.

    current     float64[K, A], the policy now: this is what approaches equilibrium, there is no average
    iterations  since the very first, earlier calls included
    seconds     wall time of the sweeps of this call; folding the tree and making tables are left out
    state       hand it back as `state` to go on
    """

    current: np.ndarray
    iterations: int
    seconds: float
    state: State

    @property
    def profile(self) -> np.ndarray:
        """What approaches equilibrium: the current policy."""
        return self.current


def mirror_descent(
    tree: Tree,
    iterations: int,
    state: State | None = None,
    checkpoints: Sequence[int] = (),
    watch: Callable[[LastIterate], None] | None = None,
    temperature: float = 1.0,
    step: float = 0.1,
    trail: float = 0.05,
) -> LastIterate:
    """Run magnetic mirror descent from the uniform policy, or from `state`, for `iterations` more iterations.

    temperature  how strongly the magnet draws, in payoff units, above zero
    step         how far a policy moves at once, per payoff unit, above zero
    trail        how fast the magnet follows: magnet ~ magnet^(1 - trail) * policy^trail after every iteration; 0 leaves
                 it uniform, for the quantal response equilibrium
    The other arguments and the errors as for `cfr`. A state must come from the same temperature, step and trail.
    """
    check(tree, iterations, state)
    for name, number in (("temperature", temperature), ("step", step)):
        if not (number > 0 and math.isfinite(number)):
            raise ValueError(f"{name}: a number above zero is needed, not {number}; {name}=0.1 is a usual one")
    if not 0 <= trail <= 1:
        raise ValueError(
            f"trail: a number from 0, a magnet that stays, to 1 is needed, not {trail}; 0.05 is a usual one"
        )
    if state is None:
        uniform = np.where(tree.legal, -np.log(tree.legal.sum(axis=1, keepdims=True)), 0.0)
        state = State(uniform, uniform, 0)
    reaches = _reaches(tree)

    def sweep(form, first, count, policy, magnet):
        return _iterate(
            count, temperature, step, trail, form.root, form.parent, form.group, form.first_group,
            form.block, form.first_block, form.target, form.weight, form.other,
            reaches.block, reaches.first_block, reaches.target, reaches.weight, reaches.other,
            policy, magnet, action_values,
        )  # fmt: skip

    def report(strategy, seconds, state):
        return LastIterate(strategy, state.iterations, seconds, state)

    return run(tree, iterations, state, checkpoints, watch, sweep, report)


def quantal_response_gap(tree: Tree, table: np.ndarray, temperature: float) -> float:
    """How far a strategy is from the agent quantal response equilibrium of a temperature: 0 exactly there.

    In every infoset the equilibrium plays softmax(q / temperature) (McKelvey and Palfrey 1998, "Quantal response
    equilibria for extensive form games"). Returned is the largest difference in a probability from that, over all
    infosets; those that the others and chance never let come about do not count. Raises ValueError and ImperfectRecall.
    """
    if not (temperature > 0 and math.isfinite(temperature)):
        raise ValueError(f"temperature: a number above zero is needed, not {temperature}; 0.1 is a usual one")
    q, reached = conditional_values(tree, table)
    logits = np.where(tree.legal, q / temperature, -np.inf)
    response = np.exp(logits - logits.max(axis=1, keepdims=True))
    response /= response.sum(axis=1, keepdims=True)
    return float(np.abs(np.asarray(table) - response)[reached].max(initial=0.0))


def conditional_values(tree: Tree, table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """q, float64[K, A]: what an action is worth to its player once the infoset is reached, all playing by `table`.

    Also which infosets the others and chance can let come about, bool[K]; elsewhere q is zero.
    """
    table = checked(tree, table)
    form, reaches = fold(tree), _reaches(tree)
    q, mass = np.zeros(form.sequences), np.zeros(form.sequences)
    strategy = as_sequences(form, table)
    plan = np.zeros(form.sequences)
    _realise(form.root, form.parent, form.group, strategy, plan)
    for player in range(tree.players):
        _evaluate(
            player, form.root, form.parent, form.group, form.first_group,
            form.block, form.first_block, form.target, form.weight, form.other,
            reaches.block, reaches.first_block, reaches.target, reaches.weight, reaches.other,
            strategy, plan, q, mass, np.zeros(len(form.parent) + 1), action_values,
        )  # fmt: skip
    return as_table(tree, form, q), as_table(tree, form, mass).max(axis=1) > 0


_REACHES: WeakKeyDictionary[Tree, SequenceForm] = WeakKeyDictionary()


def _reaches(tree: Tree) -> SequenceForm:
    """The folded game in which every end pays one to everybody: its action values are probabilities, not payoffs."""
    if tree not in _REACHES:
        _REACHES[tree] = fold(replace(tree, payoff=np.ones_like(tree.payoff) * (tree.turn == OVER)[:, None]))
    return _REACHES[tree]


_INTEGERS, _NUMBERS, _SEQUENCES = types.int64[::1], types.float64[::1], types.uint32[::1]
_RECORDS = types.uint64[:, ::1]
_BLOCKS = (_RECORDS, _INTEGERS, _SEQUENCES, _NUMBERS, types.uint32[:, ::1])


@njit(cache=True)
def _realise(root, parent, group, strategy, plan):
    """Down the trees of all players: the realisation plans of their strategies."""
    plan[root[:-1]] = 1.0
    for number in range(len(group)):
        first, place, size, actions = group[number, 0], group[number, 1], group[number, 2], group[number, 3]
        for action in range(actions):
            at = first + action * size
            for i in range(size):
                plan[at + i] = plan[parent[place + i]] * strategy[at + i]


@njit(cache=True)  # fmt: skip
def _evaluate(
    player, root, parent, group, first_group, block, first_block, target, weight, other,
    reach_block, reach_first_block, reach_target, reach_weight, reach_other, strategy, plan, q, mass, scratch,
    action_values,
):  # fmt: skip
    """Up one player's tree: q float64[S], and mass float64[S], how likely the others and chance let an action come.

    The counterfactual value of an action is q times the mass of its infoset, which all its actions share.
    """
    for own in range(np.uint64(root[player]), np.uint64(root[player + 1])):
        q[own] = mass[own] = 0.0
    action_values(player, block, first_block, target, weight, other, plan, q)
    action_values(player, reach_block, reach_first_block, reach_target, reach_weight, reach_other, plan, mass)
    for number in range(first_group[player + 1] - 1, first_group[player] - 1, -1):
        first, place, size, actions = group[number, 0], group[number, 1], group[number, 2], group[number, 3]
        for i in range(size):
            scratch[i] = 0.0
        for action in range(actions):
            at = first + action * size
            for i in range(size):
                scratch[i] += strategy[at + i] * q[at + i]
        for i in range(size):
            q[parent[place + i]] += scratch[i]
            mass[parent[place + i]] += mass[first + i]
        for action in range(actions):
            at = first + action * size
            for i in range(size):
                q[at + i] = q[at + i] / mass[first + i] if mass[first + i] > 0.0 else 0.0
    q[root[player]] = 0.0  # the empty sequence is no action


@njit(cache=True)
def _normalise(group, logs, strategy, scratch):
    """Shift logs, float64[S], so that each infoset's probabilities sum to one; strategy becomes the probabilities."""
    for number in range(len(group)):
        first, size, actions = group[number, 0], group[number, 2], group[number, 3]
        for i in range(size):
            scratch[i] = logs[first + i]
        for action in range(np.uint64(1), actions):
            at = first + action * size
            for i in range(size):
                scratch[i] = max(scratch[i], logs[at + i])
        for action in range(actions):
            at = first + action * size
            for i in range(size):
                logs[at + i] -= scratch[i]  # the largest is zero now, so that no exponential overflows
                strategy[at + i] = np.exp(logs[at + i])
        for i in range(size):
            scratch[i] = 0.0
        for action in range(actions):
            at = first + action * size
            for i in range(size):
                scratch[i] += strategy[at + i]
        for action in range(actions):
            at = first + action * size
            for i in range(size):
                strategy[at + i] /= scratch[i]
        for i in range(size):
            scratch[i] = np.log(scratch[i])
        for action in range(actions):
            at = first + action * size
            for i in range(size):
                logs[at + i] -= scratch[i]


@engine(
    _NUMBERS(
        types.int64, *(types.float64,) * 3, _INTEGERS, _SEQUENCES, _RECORDS, _INTEGERS, *_BLOCKS, *_BLOCKS,
        *(_NUMBERS,) * 2, types.FunctionType(ACTION_VALUES),
    ),
)  # fmt: skip
def _iterate(
    iterations, temperature, step, trail, root, parent, group, first_group, block, first_block, target, weight, other,
    reach_block, reach_first_block, reach_target, reach_weight, reach_other, policy, magnet, action_values,
):  # fmt: skip
    """The iterations: policy and magnet, logarithms float64[S], change in place; returns the strategy, float64[S]."""
    strategy, plan = np.zeros(len(policy)), np.zeros(len(policy))
    q, mass, scratch = np.zeros(len(policy)), np.zeros(len(policy)), np.zeros(len(parent) + 1)
    pull = step * temperature
    for _ in range(iterations):
        _normalise(group, policy, strategy, scratch)
        _realise(root, parent, group, strategy, plan)
        for player in range(len(root) - 1):
            _evaluate(
                player, root, parent, group, first_group, block, first_block, target, weight, other,
                reach_block, reach_first_block, reach_target, reach_weight, reach_other,
                strategy, plan, q, mass, scratch, action_values,
            )  # fmt: skip
        for own in range(len(policy)):
            policy[own] = (policy[own] + pull * magnet[own] + step * q[own]) / (1.0 + pull)  # equation 12
            magnet[own] += trail * (policy[own] - magnet[own])  # appendix H.5
    _normalise(group, policy.copy(), strategy, scratch)  # a run that goes on from here makes this step itself
    return strategy
