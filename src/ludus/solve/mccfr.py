"""Monte Carlo CFR: external sampling and outcome sampling, for trees too large to sweep at every iteration.

CFR walks the whole tree to learn the regret of every action. Monte Carlo CFR walks a sample of it and adds what is
right on average: Lanctot, Waugh, Zinkevich and Bowling (2009), "Monte Carlo sampling for regret minimization in
extensive games", equation 6 and lemma 1. For one player at a time,

- external sampling draws what chance and the others do and tries every action of the player: equation 11;
- outcome sampling draws a single game, in which the player explores, and divides by how likely it was to come about:
  equation 10.

A player's strategy is averaged while the player before it learns, where it is drawn anyway: in external sampling as it
is, in outcome sampling divided by how likely the learner was to come there (Lisy, Lanctot and Bowling 2015, "Online
Monte Carlo counterfactual regret minimization", algorithm 1). With two players, that weighs it by its own reach, as the
average must be. The average approaches equilibrium in two-player zero-sum games of perfect recall; elsewhere nothing is
promised, and NashConv says how far it got.

An iteration lets the players learn in turn, each against what the others have just become: one walk, or one game, per
player, as OpenSpiel counts.
"""

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import NamedTuple

import numpy as np
from numba import njit, types

from ludus.game import CHANCE, OVER, engine
from ludus.solve.solution import Solution, averaged, check
from ludus.tree import Tree


class State(NamedTuple):
    """What a solver needs to go on, beside its generator, in the tree's numbering. Saved as `_asdict()`.

    regret      float64[K, A], cumulated sampled counterfactual regrets
    total       float64[K, A], cumulated strategies, as they were drawn
    iterations  how many went before
    """

    regret: np.ndarray
    total: np.ndarray
    iterations: int


def external_sampling(
    tree: Tree,
    iterations: int,
    rng: np.random.Generator,
    state: State | None = None,
    checkpoints: Sequence[int] = (),
    watch: Callable[[Solution], None] | None = None,
) -> Solution:
    """Run external sampling for `iterations` more iterations.

    rng          draws for chance and the others, and is left where the run ended: with the state, it goes on bit for
                 bit, in one piece or continued
    state        where an earlier call ended; None starts from zero regrets, uniform play
    checkpoints  iterations, counted from the very first, after which `watch` is called with the Solution so far:
                 `watch=lambda now: curve.append((now.iterations, nash_conv(tree, now.average)))`

    An action is drawn afresh at every node, where the paper draws one per infoset: the expectation is the same. With
    three players or more an average is weighted by the reach of third players too, as OpenSpiel's is. Raises
    ValueError where an argument is wrong.
    """
    return _solve(tree, iterations, rng, state, checkpoints, watch, _external)


def outcome_sampling(
    tree: Tree,
    iterations: int,
    rng: np.random.Generator,
    state: State | None = None,
    checkpoints: Sequence[int] = (),
    watch: Callable[[Solution], None] | None = None,
    epsilon: float = 0.6,
) -> Solution:
    """Run outcome sampling for `iterations` more iterations; the other arguments and errors as for external sampling.

    epsilon  how often the player that learns acts uniformly instead of by its strategy; above 0, or actions would be
             left untried. 0.6 is OpenSpiel's default

    OpenSpiel averages the learner's own strategy, and so leaves out iterations in which the others do not come there.
    """
    if not 0 < epsilon <= 1:
        raise ValueError(f"epsilon: a probability above 0 is needed, not {epsilon!r}; write for example epsilon=0.6")
    return _solve(
        tree, iterations, rng, state, checkpoints, watch, lambda *arguments: _outcome(float(epsilon), *arguments)
    )


def _solve(tree, iterations, rng, state, checkpoints, watch, sweep):
    check(tree, iterations, state)
    if not isinstance(rng, np.random.Generator):
        raise ValueError(f"rng: give a numpy Generator, np.random.default_rng(seed); {type(rng).__name__} seen")
    if tree.players < 2:
        raise ValueError("tree: a player learns while another is drawn, this tree has one player; solve it with cfr")
    if state is None:
        state = State(np.zeros(tree.legal.shape), np.zeros(tree.legal.shape), 0)
    regret, total, done = np.array(state.regret, np.float64), np.array(state.total, np.float64), int(state.iterations)
    last, seconds = done + iterations, 0.0
    stops = sorted({stop for stop in checkpoints if done < stop < last} | {last})
    piece = max(1000, 20_000_000 // len(tree.turn))  # keeps the keyboard's interrupt alive
    for stop in stops:
        start = perf_counter()
        while done < stop:
            count = min(piece, stop - done)
            sweep(rng, count, tree.turn, tree.first, tree.action, tree.infoset, tree.chance, tree.payoff, regret, total)
            done += count
        seconds += perf_counter() - start
        now = State(regret.copy(), total.copy(), done)
        solution = averaged(tree, _matched(tree, regret), seconds, now)
        if watch is not None and stop in checkpoints:
            watch(solution)
    return solution


def _matched(tree, regret):
    """The strategy that matches regrets, float64[K, A]: what will be played next."""
    positive = np.maximum(regret, 0.0)
    sums = positive.sum(axis=1, keepdims=True)
    uniform = tree.legal / tree.legal.sum(axis=1, keepdims=True)
    return np.where(sums > 0, positive / np.where(sums > 0, sums, 1.0), uniform)


_INTEGERS, _NUMBERS, _TABLE = types.int64[::1], types.float64[::1], types.float64[:, ::1]
_SWEEP = (types.npy_rng, types.int64, *(_INTEGERS,) * 4, _NUMBERS, *(_TABLE,) * 3)


@njit(cache=True)
def _match(regret, row, action, first, end, out, at):
    """Zinkevich et al. (2007), equation 8: the probabilities of children first to end, written to out[at] and on."""
    positive = 0.0
    for child in range(first, end):
        positive += max(regret[row, action[child]], 0.0)
    for child in range(first, end):
        share = max(regret[row, action[child]], 0.0) / positive if positive > 0.0 else 1.0 / (end - first)
        out[at + child - first] = share


@njit(cache=True)
def _draw(weights, first, count, uniform):
    """Which of weights[first] and on has `uniform` in its share of [0, 1); never one of zero, whatever the rounding."""
    picked, passed = 0, 0.0
    for place in range(count):
        if (weights[first + place] > 0.0) & (passed <= uniform):
            picked = place
        passed += weights[first + place]
    return picked


@engine(types.void(*_SWEEP))
def _external(rng, iterations, turn, first, action, infoset, chance, payoff, regret, total):
    """The iterations themselves: regret and total, float64[K, A], change in place.

    A walk is a list of branches. A branch starts at a node and goes on, drawing, until the player decides or the game
    is over; every action of the player starts a branch further down the list.
    """
    players, size = payoff.shape[1], len(turn)
    node, below = np.empty(size, np.int64), np.empty(size, np.int64)  # where a branch ends; the first it starts
    prob, value = np.empty(size), np.empty(size)
    strategy = np.empty(regret.shape[1])
    for _ in range(iterations):
        for player in range(players):
            averaged = (player + 1) % players
            node[0], branch, branches = 0, 0, 1
            while branch < branches:
                here = node[branch]
                while turn[here] != player and turn[here] != OVER:
                    child, count, row = first[here], first[here + 1] - first[here], infoset[here]
                    if turn[here] == CHANCE:
                        here = child + _draw(chance, child, count, rng.random())
                        continue
                    _match(regret, row, action, child, child + count, strategy, 0)
                    picked = _draw(strategy, 0, count, rng.random())
                    if turn[here] == averaged:
                        for place in range(count):
                            total[row, action[child + place]] += strategy[place]
                    here = child + picked
                node[branch], below[branch] = here, branches
                if turn[here] == OVER:
                    value[branch] = payoff[here, player]
                else:
                    _match(regret, infoset[here], action, first[here], first[here + 1], prob, branches)
                    for child in range(first[here], first[here + 1]):
                        node[branches] = child
                        branches += 1
                branch += 1
            for branch in range(branches - 1, -1, -1):
                here = node[branch]
                if turn[here] == player:
                    step = below[branch] - first[here]
                    value[branch] = 0.0
                    for child in range(first[here], first[here + 1]):
                        value[branch] += prob[child + step] * value[child + step]
                    for child in range(first[here], first[here + 1]):  # equation 11
                        regret[infoset[here], action[child]] += value[child + step] - value[branch]


@engine(types.void(types.float64, *_SWEEP))
def _outcome(epsilon, rng, iterations, turn, first, action, infoset, chance, payoff, regret, total):
    """The iterations themselves: regret and total, float64[K, A], change in place.

    The reach of chance and the others is the probability with which they were drawn, so that equation 10 is left with
    the player's own: what it would have done, divided by what it did to explore.
    """
    players, size = payoff.shape[1], len(turn)
    node, picks, prob = np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size)  # the player's decisions
    strategy, explored = np.empty(regret.shape[1]), np.empty(regret.shape[1])
    for _ in range(iterations):
        for player in range(players):
            averaged = (player + 1) % players
            here, decisions, own = 0, 0, 1.0
            while turn[here] != OVER:
                child, count, row = first[here], first[here + 1] - first[here], infoset[here]
                if turn[here] == CHANCE:
                    here = child + _draw(chance, child, count, rng.random())
                    continue
                _match(regret, row, action, child, child + count, strategy, 0)
                if turn[here] != player:
                    picked = _draw(strategy, 0, count, rng.random())
                    if turn[here] == averaged:
                        for place in range(count):
                            total[row, action[child + place]] += strategy[place] / own
                else:
                    for place in range(count):
                        explored[place] = epsilon / count + (1.0 - epsilon) * strategy[place]
                    picked = _draw(explored, 0, count, rng.random())
                    node[decisions], picks[decisions], prob[decisions] = here, child + picked, strategy[picked]
                    own *= explored[picked]
                    decisions += 1
                here = child + picked
            worth = payoff[here, player] / own
            for decision in range(decisions - 1, -1, -1):
                here = node[decision]
                for child in range(first[here], first[here + 1]):  # equation 10
                    chosen = 1.0 if child == picks[decision] else 0.0
                    regret[infoset[here], action[child]] += worth * (chosen - prob[decision])
                worth *= prob[decision]
