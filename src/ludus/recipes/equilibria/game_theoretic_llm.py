"""Game-theoretic workflows: does a player who errs do better by writing the steps of game theory down?

Paper     Game-theoretic LLM: Agent Workflow for Negotiation Games. Hua, Liu, Li, Amayuelas, Chen, Jiang, Jin, Fan, Sun,
          Wang, Wang, Zhang (2024), arXiv:2411.05990. One matrix: mark every best response, play a pair of mutual
          ones. One tree: backward induction. Private values: propose what is best for oneself
          among the allocations that may be envy-free (its equation 1), and rule values out by Bayes (equation 3).
There     Four language models, ten classic games, 44 hard cases of Deal or No Deal. With the workflow they find more
          equilibria and, both using it, more envy-free and Pareto-optimal deals; but whoever skips it takes more from
          one who uses it, and for one model of three skipping is the equilibrium.
Here      A stand-in with two declared knobs. Each comparison of two numbers errs with probability eps (0.05); sums and
          the counting of valuations are exact. Without the workflow it reasons in its head, as deep as its memory (2):
          level-k in matrices, so many plies of a tree, so many offers that come to mind and a linear concession
          (Faratin, Sierra, Jennings 1998). Uniform payoffs in [0, 1]: 2x2 to 5x5 with a pure equilibrium, binary trees
          of depth 3 to 5; pools of 5 to 7 goods worth 10 with an envy-free division, 10 turns. Every cell plays user
          and non-user on the same games and solves the 2x2 game of using and skipping. 12 seeds. `placebo` does the
          whole workflow on another game and then decides without; `voting` repeats the head's reasoning until it has
          made as many comparisons as the workflow, and takes the majority.
          A served model plays the matrices as both players, 25 games of each size in points from 0 to 100, in 200
          questions a cell. It answers at once, or writes the workflow's steps first, of this game or (placebo) another.
Claims    1-4 The workflow halves NashConv at every size, 2x2, 3x3, 4x4 and 5x5. 5-7 And at depths 3, 4 and 5.
          8, 9 Its slope against size, and against depth, is at most half of that without.
          10 It ends a quarter lower than voting, which makes as many comparisons.
          11 It ends 5% lower than without the step of dominance.
          12, 13 What it saves grows as errors become fewer, in matrices and in trees; 14, 15 with coins for
          comparisons it saves nothing (0.02). 16 It saves more, the less the player can hold in its head.
          17, 18 Two users reach envy-free, and Pareto-optimal, deals more often, by 0.1.
          19 Without belief updates they reach envy-free ones less often, by 0.05; 20 and with the reactions of another
          negotiation in the place of the opponent's, by 0.02.
          21-23 A user earns more than the non-user whom it meets, in matrices, trees and negotiation: the catalogue's
          condition. In negotiation the paper saw the opposite.
          24-26 Where the other uses it, skipping it costs: two users are an equilibrium of the game of using.
          27 The same of language models: needs a server.
Leaves    Of a served model: trees and negotiation.
          Elsewhere language models, talk before play, mixed equilibria (the paper's workflow names a pair of actions,
          so games without a pure equilibrium are left out), the dialogues of Deal or No Deal (values are drawn evenly,
          not chosen to be hard). The prompts become algorithms: a workflow that finds no mutual mark asks its head.
          Of Bayes' rule gamma is 1 as in the paper's implementation and lambda 1, which it leaves open, so a belief is
          uniform over what is not ruled out; offers rule out as well, as the catalogue asks, which equation 3 does not
          cover; a belief with nothing left starts anew. Proposals are checked again up to three times, as in the
          authors' code, and a refused one is repeated only where nothing else is left. The step of dominance is the
          catalogue's; the paper's section 4.4.1 has best responses only. Whether the stand-in resembles a model is not
          tested: how bad it is without the workflow was decided here. Eps, memory and all margins but one
          were set before any run. Pilots on generator 999 showed that dominance was tested again in games where
          nothing had been struck (mended), and that the reactions of another negotiation help nearly as much as the
          opponent's, so that claim 20 was added beside 19 and the control of 19 is the placebo. The margin of claims 21
          and 22 was put at 0.005 in place of 0.01: the catalogue asks that a user does not lose, and the margin is
          there only to keep a placebo from passing by luck. Games and seeds were raised there to 1000 and 12 for power.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from typing import Any, Literal, NamedTuple

import numpy as np

from ludus.agents.replies import spoken
from ludus.normal_form import bimatrix
from ludus.records import Value
from ludus.solve.support_enumeration import support_enumeration
from ludus.study import Equivalent, Higher, Lower, Recipe, Trend

SIZES, DEPTHS = (2, 3, 4, 5), (3, 4, 5)
POOLS = ((1, 2, 3), (2, 1, 2), (1, 1, 4), (2, 2, 2), (3, 1, 3))  # books, hats, balls
WORTH, TURNS, RETHINKS = 10, 10, 3


@dataclass(frozen=True)
class Settings:
    """One arm: how the user decides. The non-user decides by its head alone, with the same eps and memory.

    method        the "workflow"; "head": without; "placebo": the workflow on another game, then the head; "voting"
    eps           probability that a comparison errs, 0 to 1/2
    memory        steps of reasoning, plies and offers that the head holds at once
    dominance     whether the workflow strikes dominated actions first
    belief        whose reactions update the belief: the "opponent"'s, "nobody"'s, or those of "another" negotiation
    games         games of each size and depth
    negotiations  negotiations over each pool
    """

    method: Literal["workflow", "head", "placebo", "voting"] = "workflow"
    eps: float = 0.05
    memory: int = 2
    dominance: bool = True
    belief: Literal["opponent", "nobody", "another"] = "opponent"
    games: int = 1000
    negotiations: int = 200

    def __post_init__(self) -> None:
        for name, rule, kept in (
            ("eps", "from 0 to 0.5", 0 <= self.eps <= 0.5),
            ("memory", "at least 1", self.memory >= 1),
            ("games", "at least 2", self.games >= 2),
            ("negotiations", "at least 2", self.negotiations >= 2),
        ):
            if not kept:
                raise ValueError(
                    f"setting {name} is {rule}; got {getattr(self, name)}. Change it with --set {name}=..."
                )


ARMS = {
    "workflow": Settings(),
    "direct": Settings(method="head"),
    "placebo": Settings(method="placebo"),
    "voting": Settings(method="voting"),
    "no_dominance": Settings(dominance=False),
    "no_belief": Settings(belief="nobody"),
    "other_belief": Settings(belief="another"),
    "eps_0": Settings(eps=0.0),
    "eps_20": Settings(eps=0.2),
    "eps_35": Settings(eps=0.35),
    "coin": Settings(eps=0.5),
    "memory_1": Settings(memory=1),
    "memory_4": Settings(memory=4),
    "memory_8": Settings(memory=8),
}


# The bounded agent: everything it knows about numbers goes through `better`


class Mind(NamedTuple):
    """A player's faculty of comparison: errs with probability eps; used int64[1] counts what it compared."""

    eps: float
    rng: np.random.Generator
    used: np.ndarray


def mind(settings: Settings, rng: np.random.Generator) -> Mind:
    return Mind(settings.eps, rng, np.zeros(1, np.int64))


def better(me: Mind, a: Any, b: Any, asked: Any = True) -> np.ndarray:
    """bool[...]: whether a > b, each answer wrong with probability eps; `asked` says which count as comparisons."""
    truth = np.asarray(a > b)
    me.used[0] += truth.size if asked is True else np.count_nonzero(np.broadcast_to(asked, truth.shape))
    return truth ^ (me.rng.random(truth.shape) < me.eps)


def best(me: Mind, worth: np.ndarray, among: Any = True) -> np.ndarray:
    """int64[...]: the winner of a knock-out over the last axis of worth float64[..., n], among those allowed.

    The bracket is drawn at random; who meets nobody goes on. Where none is allowed it is an arbitrary one.
    """
    n = worth.shape[-1]
    order = me.rng.random(worth.shape).argsort(axis=-1)
    slots = [(0, 0)] * (worth.ndim - 1) + [(0, (1 << (n - 1).bit_length()) - n)]
    who = np.pad(order, slots)
    here = np.pad(np.take_along_axis(np.where(among, worth, -np.inf), order, -1), slots, constant_values=-np.inf)
    while here.shape[-1] > 1:
        one, other = here[..., ::2], here[..., 1::2]
        met = (one > -np.inf) & (other > -np.inf)
        first = np.where(met, better(me, one, other, met), one > -np.inf)
        who, here = np.where(first, who[..., ::2], who[..., 1::2]), np.where(first, one, other)
    return who[..., 0]


# Matrices: payoff float64[G, n, n, 2], seat 0 chooses the row


def turned(payoff: np.ndarray) -> np.ndarray:
    """The same games as the other player sees them, its own actions first and its own payoff first."""
    return np.ascontiguousarray(payoff.transpose(0, 2, 1, 3)[..., ::-1])


def level_k(me: Mind, payoff: np.ndarray, memory: int, mine: Any = True, theirs: Any = True) -> np.ndarray:
    """int64[G], without the workflow: begin with the action of the highest row sum, then `memory` - 1 best replies.

    Level-k reasoning (Stahl and Wilson 1995; Nagel 1995): level 1 replies to an even mixture, level k to level k - 1.
    mine, theirs  bool[G, n], the actions that are left
    """
    own, other = payoff[..., 0], payoff[..., 1].swapaxes(1, 2)
    odd = memory % 2 == 1  # whose level-1 action the chain begins with
    allowed = [np.broadcast_to(each, own.shape[:2]) for each in (mine, theirs)]
    views = [(own, allowed[0], allowed[1]), (other, allowed[1], allowed[0])]
    table, among, against = views[0 if odd else 1]
    chosen = best(me, (table * against[:, None, :]).sum(-1), among)
    for step in range(1, memory):
        table, among, _ = views[(step + (0 if odd else 1)) % 2]
        chosen = best(me, np.take_along_axis(table, chosen[:, None, None], 2)[..., 0], among)
    return chosen


def nash_workflow(me: Mind, payoff: np.ndarray, memory: int, dominance: bool = True) -> np.ndarray:
    """int64[G], the paper's section 4.4.1: best responses to every action, a pair of mutual ones; dominance first.

    Of several pairs the one with the highest total payoff; where there is none, the head decides over what is left.
    """
    games, n = payoff.shape[:2]
    own, other = payoff[..., 0], payoff[..., 1].swapaxes(1, 2)
    mine, theirs = np.ones((games, n), bool), np.ones((games, n), bool)
    going = np.arange(games if dominance else 0)  # games in which the last pass struck something
    while len(going):
        left_mine = undominated(me, own[going], mine[going], theirs[going])
        left_theirs = undominated(me, other[going], theirs[going], left_mine)
        changed = (left_mine != mine[going]).any(1) | (left_theirs != theirs[going]).any(1)
        mine[going], theirs[going] = left_mine, left_theirs
        going = going[changed]
    left = mine[:, :, None] & theirs[:, None, :]
    reply = best(me, own.swapaxes(1, 2), left.swapaxes(1, 2))  # [G, their action] -> my action
    answer = best(me, other.swapaxes(1, 2), left)  # [G, my action] -> theirs
    places = np.arange(n)
    mutual = left & (reply[:, None, :] == places[:, None]) & (answer[:, :, None] == places)
    flat = mutual.reshape(games, -1)
    chosen = best(me, payoff.sum(-1).reshape(games, -1), flat) // n
    none = ~flat.any(1)
    if none.any():
        chosen[none] = level_k(me, payoff[none], memory, mine[none], theirs[none])
    return chosen


def undominated(me: Mind, table: np.ndarray, mine: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """bool[G, n]: the actions left once those beaten by another on all that the other side has left are struck.

    table float64[G, n, n], own action first. It takes one that is left to strike another, so one always stays.
    """
    left = mine.copy()
    n = table.shape[1]
    for a in range(n):
        for b in range(a + 1, n):
            asked = (left[:, a] & left[:, b])[:, None] & theirs
            wins = better(me, table[:, a], table[:, b], asked)
            left[:, b] &= ~(asked.any(1) & (wins | ~theirs).all(1))
            left[:, a] &= ~(asked.any(1) & (~wins | ~theirs).all(1))
    return left


def play_matrices(arm: Settings, payoff: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """Actions int64[G] of the player of seat 0, and how many comparisons it made in a game."""
    me, games = mind(arm, rng), len(payoff)
    if arm.method == "workflow":
        chosen = nash_workflow(me, payoff, arm.memory, arm.dominance)
    else:
        votes = 1
        if arm.method == "placebo":  # the same work, on the game next to it
            nash_workflow(me, np.roll(payoff, 1, axis=0), arm.memory)
        if arm.method == "voting":
            votes = repeats(
                me, lambda who: nash_workflow(who, payoff, arm.memory), lambda who: level_k(who, payoff, arm.memory)
            )
        ballots = np.zeros((games, payoff.shape[1]))
        for _ in range(votes):
            ballots[np.arange(games), level_k(me, payoff, arm.memory)] += 1
        chosen = ballots.argmax(1)
    return chosen, float(me.used[0]) / games


def repeats(me: Mind, long: Callable[[Mind], Any], short: Callable[[Mind], Any]) -> int:
    """How often `short` must be done until it has made at least as many comparisons as `long`, rounded up to odd."""
    counts = []
    for work in (long, short):
        trial = Mind(me.eps, np.random.default_rng(0), np.zeros(1, np.int64))
        work(trial)
        counts.append(trial.used[0])
    return int(-(-counts[0] // counts[1])) | 1


def matrix_nash_conv(payoff: np.ndarray, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """float64[G]: what the two players could gain by another action, added; 0 at a pure equilibrium."""
    g = np.arange(len(payoff))
    here = payoff[g, row, column]
    return payoff[g, :, column, 0].max(1) + payoff[g, row, :, 1].max(1) - here.sum(1)


def draw_matrices(games: int, n: int, rng: np.random.Generator) -> np.ndarray:
    """Payoffs float64[G, n, n, 2], uniform in [0, 1], of games with at least one pure equilibrium."""
    found = np.empty((0, n, n, 2))
    while len(found) < games:
        drawn = rng.random((2 * games, n, n, 2))
        pure = (drawn[..., 0] == drawn[..., 0].max(1, keepdims=True)) & (
            drawn[..., 1] == drawn[..., 1].max(2, keepdims=True)
        )
        found = np.concatenate([found, drawn[pure.any((1, 2))]])
    return found[:games]


# Trees: leaves float64[G, 2^depth, 2]; seat 0 moves at the root and every second ply, all is seen


Plans = tuple[list[np.ndarray], list[np.ndarray]]
"""Of each seat a choice for every node: bool[G, 2^ply] a ply, True for right. A seat reads its own plies."""


def induct(me: Mind, values: np.ndarray, plies: int, first: int) -> tuple[np.ndarray, np.ndarray]:
    """Backward induction over the last `plies` plies above values float64[..., 2^plies, 2]; seat `first` moves on top.

    Returns the choice at the top bool[...], and values float64[..., 2] of the top. Noise is fresh in each comparison.
    """
    choice = np.zeros(values.shape[:-2], bool)
    for ply in reversed(range(plies)):
        mover = (first + ply) % 2
        pair = values.reshape(*values.shape[:-2], -1, 2, 2)
        right = better(me, pair[..., 1, mover], pair[..., 0, mover])
        values = np.where(right[..., None], pair[..., 1, :], pair[..., 0, :])
        choice = right[..., 0]
    return choice, values[..., 0, :]


def plan_tree(me: Mind, leaves: np.ndarray, horizon: int | None) -> list[np.ndarray]:
    """The plan of one player, as in `Plans`.

    horizon  None: backward induction over the tree once, written down (the paper's section 4.4.2). A number: at each
             node anew, so many plies ahead, and what lies beyond is taken for one leaf that comes to mind
    """
    games, depth = len(leaves), (leaves.shape[1] - 1).bit_length()
    plan, values = [], leaves
    if horizon is None:
        for ply in reversed(range(depth)):
            pair = values.reshape(games, -1, 2, 2)
            right = better(me, pair[:, :, 1, ply % 2], pair[:, :, 0, ply % 2])
            values = np.where(right[..., None], pair[:, :, 1], pair[:, :, 0])
            plan.append(right)
        return plan[::-1]
    for ply in range(depth):
        ahead = min(horizon, depth - ply)
        beneath = leaves.reshape(games, 1 << ply, 1 << ahead, -1, 2)
        spot = me.rng.integers(beneath.shape[3], size=beneath.shape[:3])
        seen = np.take_along_axis(beneath, spot[..., None, None], 3)[..., 0, :]
        plan.append(induct(me, seen, ahead, ply)[0])
    return plan


def play_trees(arm: Settings, leaves: np.ndarray, rng: np.random.Generator) -> tuple[list[np.ndarray], float]:
    """A plan for every node, and how many comparisons it took in a game."""
    me = mind(arm, rng)
    if arm.method == "workflow":
        plan = plan_tree(me, leaves, None)
    else:
        votes = 1
        if arm.method == "placebo":
            plan_tree(me, np.roll(leaves, 1, axis=0), None)
        if arm.method == "voting":
            votes = repeats(
                me, lambda who: plan_tree(who, leaves, None), lambda who: plan_tree(who, leaves, arm.memory)
            )
        ballots = [plan_tree(me, leaves, arm.memory) for _ in range(votes)]
        plan = [np.mean(each, axis=0) > 0.5 for each in zip(*ballots, strict=True)]
    return plan, float(me.used[0]) / len(leaves)


def follow(leaves: np.ndarray, plans: Plans, free: int | None = None) -> np.ndarray:
    """Payoffs float64[G, 2] where each seat follows its plan, and seat `free` chooses the best against the other."""
    values = leaves
    for ply in reversed(range(len(plans[0]))):
        pair = values.reshape(len(leaves), -1, 2, 2)
        mover = ply % 2
        right = pair[:, :, 1, mover] > pair[:, :, 0, mover] if mover == free else plans[mover][ply]
        values = np.where(right[..., None], pair[:, :, 1], pair[:, :, 0])
    return values[:, 0]


def tree_nash_conv(leaves: np.ndarray, plans: Plans) -> np.ndarray:
    """float64[G]: what the two could gain by another plan, added."""
    here = follow(leaves, plans)
    return sum(follow(leaves, plans, seat)[:, seat] - here[:, seat] for seat in (0, 1))


# Negotiation: a pool of goods, values that each sum to 10 over the pool, offers in turn, no deal pays nothing


class Pool(NamedTuple):
    """Tables of a pool. V valuations, A allocations. An allocation is what one player takes; the rest is the other's.

    takes   int64[A, 3], goods;  rest  int64[A], the number of the allocation that is left to the other
    values  int64[V, 3], each good's;  worth  int64[V, A], a player's worth of taking it: envy-free for it from 5 up
    pairs   int64[k, 2], valuations of the two for which an envy-free allocation exists
    content bool[V, V, A], [mine, theirs, I take]: the other would accept: the rest is envy-free for it, and it takes
            more in no allocation that is envy-free for both (what is left of the paper's likelihood of a rejection)
    """

    takes: np.ndarray
    rest: np.ndarray
    values: np.ndarray
    worth: np.ndarray
    pairs: np.ndarray
    content: np.ndarray


@lru_cache
def pool_of(counts: tuple[int, ...]) -> Pool:
    takes = np.array(list(product(*(range(c + 1) for c in counts))))
    rest = len(takes) - 1 - np.arange(len(takes))  # the order is lexicographic, so the complement stands mirrored
    values = np.array([v for v in product(range(WORTH + 1), repeat=3) if np.dot(v, counts) == WORTH])
    worth = values @ takes.T
    fair = 2 * worth >= WORTH
    both = fair[:, None, :] & fair[None, :, rest]
    theirs = np.broadcast_to(worth[None, :, rest], both.shape)
    most = np.where(both, theirs, -1).max(-1, keepdims=True)
    return Pool(takes, rest, values, worth, np.argwhere(both.any(-1)), fair[None, :, rest] & (theirs >= most))


class Table(NamedTuple):
    """Where the negotiations of one pool stand. N negotiations, seats 0 and 1.

    kind    int64[N, 2], valuations;  offer  int64[N, 2], what each last asked for itself;  open  bool[N]
    deal    int64[N], what seat 0 takes, -1 without a deal
    belief  bool[N, 2, V], what each holds possible of the other: uniform over it;  refused  bool[N, 2, A]
    """

    kind: np.ndarray
    offer: np.ndarray
    open: np.ndarray
    deal: np.ndarray
    belief: np.ndarray
    refused: np.ndarray


def negotiate(
    counts: tuple[int, ...], kind: np.ndarray, arms: tuple[Settings, Settings], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Deals int64[N] (what seat 0 takes, -1 for none) and comparisons float64[2] of each seat in a negotiation."""
    pool, n = pool_of(counts), len(kind)
    valuations, allocations = pool.worth.shape
    now = Table(
        kind, np.full((n, 2), -1), np.ones(n, bool), np.full(n, -1), np.ones((n, 2, valuations), bool),
        np.zeros((n, 2, allocations), bool),
    )  # fmt: skip
    minds = tuple(mind(arm, rng) for arm in arms)
    for turn in range(TURNS):
        seat = turn % 2
        me, arm, own = minds[seat], arms[seat], pool.worth[kind[:, seat]]
        if turn and arm.method in ("workflow", "placebo"):
            learn(me, pool, now, seat, arm.belief)
        if arm.method == "workflow":
            mine = propose(me, pool, now, seat)
        else:
            if arm.method == "placebo":
                propose(me, pool, now, seat)
            mine = demand(me, own, arm.memory, aspiration(turn))
        if turn:
            left = pool.rest[now.offer[:, 1 - seat]]
            offered = np.take_along_axis(own, left[:, None], 1)[:, 0]
            wanted = np.take_along_axis(own, mine[:, None], 1)[:, 0]
            if arm.method == "workflow":
                fair = ~better(me, WORTH - offered, offered, now.open)  # do I envy what the other takes?
                yes = fair if turn == TURNS - 1 else fair & ~better(me, wanted, offered, now.open)
            else:
                yes = ~better(me, aspiration(turn), offered, now.open)
            agreed = now.open & yes
            now.deal[agreed] = (left if seat == 0 else pool.rest[left])[agreed]
            now.open[agreed] = False
        if not now.open.any():
            break
        now.offer[:, seat] = mine
        now.refused[np.arange(n), seat, mine] = True
    return now.deal, np.array([me.used[0] / n for me in minds])


def aspiration(turn: int) -> float:
    """What the head asks for at least: 10 at the first turn, falling evenly to 1, the least that is not nothing."""
    return WORTH - (WORTH - 1) * turn / (TURNS - 1)


def demand(me: Mind, own: np.ndarray, memory: int, least: float) -> np.ndarray:
    """int64[N], without the workflow: of the allocations that come to mind and reach the aspiration, the best."""
    enough = ~better(me, least, own)
    order = np.where(enough, me.rng.random(own.shape), 2.0)
    place = order.argsort(1).argsort(1)
    return best(me, own.astype(float), enough & (place < memory))


def propose(me: Mind, pool: Pool, now: Table, seat: int) -> np.ndarray:
    """int64[N]: the paper's equation 1, the most for oneself among what may be envy-free, checked again three times."""
    own = pool.worth[now.kind[:, seat]].astype(float)
    belief = now.belief[:, seat]
    fair_for_them = 2 * pool.worth[:, pool.rest] >= WORTH
    chance = belief @ fair_for_them / belief.sum(1, keepdims=True)  # equation 2, counted exactly
    ask = now.open[:, None]
    fair = ~better(me, WORTH - own, own, ask)
    hopeful = fair & better(me, chance, 0.0, ask)
    may = hopeful & ~now.refused[:, seat]
    for wider in (hopeful, fair):  # with nothing new to say it says the best again
        may = np.where(may.any(1, keepdims=True), may, wider)
    mine = best(me, own, may)
    for _ in range(RETHINKS):
        value, hope = (np.take_along_axis(table, mine[:, None], 1)[:, 0] for table in (own, chance))
        wrong = now.open & (better(me, WORTH - value, value, now.open) | ~better(me, hope, 0.0, now.open))
        may[wrong, mine[wrong]] = False
        wrong &= may.any(1)
        if not wrong.any():
            break
        mine[wrong] = best(me, own[wrong], may[wrong])
    return mine


def learn(me: Mind, pool: Pool, now: Table, seat: int, belief: str) -> None:
    """Rule out what the other cannot be: equation 3 with gamma = lambda = 1, in place.

    Its offer leaves it what is envy-free for it; and had it been content with my last offer, it would have accepted.
    """
    if belief == "nobody":
        return
    n = len(now.kind)
    row = np.arange(n) if belief == "opponent" else np.roll(np.arange(n), 1)
    asked = now.open[:, None] & now.belief[:, seat]
    possible = better(me, 2.0 * pool.worth[:, now.offer[row, 1 - seat]].T, WORTH - 0.5, asked)
    if now.offer[0, seat] >= 0:
        content = pool.content[now.kind[row, seat], :, now.offer[row, seat]]
        possible &= ~better(me, content.astype(float), 0.5, asked)
    kept = now.belief[:, seat] & possible
    now.belief[:, seat] = np.where(kept.any(1, keepdims=True), kept, True)


def judged(counts: tuple[int, ...], kind: np.ndarray, deal: np.ndarray) -> dict[str, np.ndarray]:
    """float64[N] each: agreement, envy_free and pareto as 0 or 1 (no deal is neither), and what each seat got."""
    pool, n = pool_of(counts), np.arange(len(kind))
    one, other = pool.worth[kind[:, 0]], pool.worth[kind[:, 1]][:, pool.rest]
    agreed = deal >= 0
    a, b = (np.where(agreed, table[n, deal], 0) for table in (one, other))
    beaten = ((one >= a[:, None]) & (other >= b[:, None]) & (one + other > (a + b)[:, None])).any(1)
    fair = agreed & (2 * a >= WORTH) & (2 * b >= WORTH)
    named = {"agreement": agreed, "envy_free": fair, "pareto": agreed & ~beaten, "first": a, "second": b}
    return {name: number.astype(float) for name, number in named.items()}


# One cell of the study: users and non-users on the same games


def run(settings: Settings, rng: np.random.Generator, log: Any) -> dict[str, Value]:
    """Play everything in all four pairings of using and skipping; NashConv is that of two users."""
    games, noise = (np.random.default_rng(int(seed)) for seed in rng.integers(2**62, size=2))
    kinds = (settings, replace(settings, method="head"))  # use, skip
    ends: dict[str, float] = {}
    tables: dict[str, list[np.ndarray]] = {"matrices": [], "trees": [], "negotiation": []}
    work: dict[str, list[float]] = {name: [] for name in tables}
    conv: dict[str, list[tuple[float, float]]] = {"matrices": [], "trees": []}

    for n in SIZES:
        payoff = draw_matrices(settings.games, n, games)
        played = [[play_matrices(kind, view, noise) for view in (payoff, turned(payoff))] for kind in kinds]
        acts = [[chosen for chosen, _ in seats] for seats in played]
        pays = np.array([[payoff[np.arange(len(payoff)), r[0], c[1]].mean(0) for c in acts] for r in acts])
        tables["matrices"].append(pays)
        users, others = (matrix_nash_conv(payoff, *seats) for seats in acts)
        note(ends, f"matrix_{n}", users)
        conv["matrices"].append((users.mean(), others.mean()))
        work["matrices"] += [count for _, count in played[0]]
        log.row(n, nash_conv=sampled(users.mean()), nash_conv_without=sampled(others.mean()))
    story = tell(payoff, acts, users)

    for depth in DEPTHS:
        leaves = games.random((settings.games, 1 << depth, 2))
        planned = [[play_trees(kind, leaves, noise) for _ in (0, 1)] for kind in kinds]
        plans = [[plan for plan, _ in seats] for seats in planned]
        pays = np.array([[follow(leaves, (one[0], other[1])).mean(0) for other in plans] for one in plans])
        tables["trees"].append(pays)
        users, others = (tree_nash_conv(leaves, (seats[0], seats[1])) for seats in plans)
        note(ends, f"tree_{depth}", users)
        conv["trees"].append((users.mean(), others.mean()))
        work["trees"] += [count for _, count in planned[0]]

    outcomes: dict[str, list[np.ndarray]] = {}
    for counts in POOLS:
        pairs = pool_of(counts).pairs
        kind = pairs[games.integers(len(pairs), size=settings.negotiations)]
        table = np.empty((2, 2, 2))
        for a, b in product((0, 1), repeat=2):
            deal, spent = negotiate(counts, kind, (kinds[a], kinds[b]), noise)
            seen = judged(counts, kind, deal)
            table[a, b] = seen["first"].mean(), seen["second"].mean()
            if a == b == 0:
                work["negotiation"] += spent.tolist()
                for name in ("agreement", "envy_free", "pareto"):
                    outcomes.setdefault(name, []).append(seen[name])
        tables["negotiation"].append(table)
    ends |= {name: float(np.concatenate(seen).mean()) for name, seen in outcomes.items()}

    for domain, sizes in (("matrices", SIZES), ("trees", DEPTHS)):
        users, others = np.array(conv[domain]).T
        ends[f"nash_conv/{domain}"] = float(users.mean())
        ends[f"saved/{domain}"] = float((others - users).mean())
        ends[f"slope/{domain}"] = float(np.polyfit(sizes, users, 1)[0])
    for domain in tables:
        ends[f"comparisons/{domain}"] = float(np.mean(work[domain]))
        table = np.mean(tables[domain], axis=0)
        ends |= {f"{name}/{domain}": number for name, number in meta_game(table).items()}
        story += f"\n\nThe game of using, {domain}: (first, second) earn\n" + "\n".join(
            f"{own:>5} against {other:<5} {table[a, b, 0]:.3f}, {table[a, b, 1]:.3f}"
            for (a, own), (b, other) in product(enumerate(("use", "skip")), repeat=2)
        )
    log.example(story)
    return {name: sampled(number) for name, number in ends.items()}


def sampled(number: float) -> Value:
    return Value(float(number), "sampled", None, "mean over the games of a seed; its interval is the one over seeds")


def note(ends: dict[str, float], game: str, conv: np.ndarray) -> None:
    ends[f"nash_conv/{game}"], ends[f"hit_rate/{game}"] = float(conv.mean()), float((conv <= 1e-12).mean())


def meta_game(table: np.ndarray) -> dict[str, float]:
    """The 2x2 game of using and skipping, solved exactly: table float64[2, 2, 2], what both earn.

    The first axis is the choice of the first player, 0 to use and 1 to skip, the second that of the second player.

    edge       what a user earns more than the non-user whom it meets, both seats averaged
    skip_gain  what skipping earns more than using, against a user, both seats averaged; below 0 two users stay users
    meta_use   probability of using, averaged over both players and all equilibria
    """
    edge = table[0, 1, 0] - table[0, 1, 1] + table[1, 0, 1] - table[1, 0, 0]
    skip = table[1, 0, 0] - table[0, 0, 0] + table[0, 1, 1] - table[0, 0, 1]
    found = support_enumeration(bimatrix(table[..., 0], table[..., 1])).profiles
    use = np.mean([[strategy[0] for strategy in profile] for profile in found])
    return {"edge": float(edge / 2), "skip_gain": float(skip / 2), "meta_use": float(use)}


def tell(payoff: np.ndarray, acts: list[list[np.ndarray]], conv: np.ndarray) -> str:
    """A game on which two users and two non-users part, in words."""
    apart = np.flatnonzero(matrix_nash_conv(payoff, *acts[1]) > conv)
    g = int(apart[0]) if len(apart) else 0
    lines = ["A game (first, second) in hundredths; rows are the first player's actions."]
    for row in payoff[g]:
        lines.append("  ".join(f"{100 * a:3.0f},{100 * b:3.0f}" for a, b in row))
    for name, (rows, columns) in zip(("Two users", "Two non-users"), acts, strict=True):
        i, j = int(rows[g]), int(columns[g])
        gain = float(matrix_nash_conv(payoff[g : g + 1], rows[g : g + 1], columns[g : g + 1])[0])
        lines.append(
            f"{name} play row {i + 1}, column {j + 1}; together they could gain {100 * gain:.0f} by deviating."
        )
    return "\n".join(lines)


def halves(game: str) -> Lower:
    return Lower("workflow", than="direct", metric=f"nash_conv/{game}", by=0.5, relative=True)


def earns(domain: str, by: float) -> Higher:
    says = f"a user earns more than the non-user whom it meets, by at least {by:g} ({domain})"
    return Higher("workflow", than=0.0, metric=f"edge/{domain}", by=by, says=says)


def stays(domain: str, by: float) -> Lower:
    says = f"where the other uses the workflow, skipping it costs at least {by:g} ({domain})"
    return Lower("workflow", than=0.0, metric=f"skip_gain/{domain}", by=by, says=says)


# What follows is asked of a real model only.

SERVED = 25  # games of each size, so 200 questions in a cell: one for each seat
STEPS = (
    "Strike out every action, of either player, that another one of that player beats against all that the other side "
    "has left; go on until nothing more can be struck out.",
    "For each action of the other that is left, mark your best reply.",
    "For each action of yours that is left, mark the other's best reply.",
    "List the pairs in which both are marked. Of several take the one with the most points in total; where there is "
    "none, decide as you think best.",
)


def server(settings: Settings, rng: np.random.Generator, log: Any, model: Any) -> dict[str, Value]:
    """Matrices of all sizes, in points from 0 to 100; the model is asked as either player, without seeing its reply.

    Where a reply names no action the worst that it could have been is counted. Eps and memory have no bearing.
    """
    if settings.method == "voting":
        raise ValueError(
            "setting method is voting, which is not asked of a served model; ask workflow, head or placebo"
        )
    count = 2 if log.quick else min(settings.games, SERVED)
    points = [np.round(100 * draw_matrices(count, n, rng)) for n in SIZES]
    views = [view for payoff in points for view in (payoff, turned(payoff))]
    pairs = [(view[g], view[g - 1]) for view in views for g in range(count)]
    asked = [[{"role": "user", "content": question(*pair, settings)}] for pair in pairs]
    replies = model.ask(asked, rng.integers(2**31, size=len(asked)))
    named = [number_in(reply, len(table)) for reply, (table, _) in zip(replies, pairs, strict=True)]
    log.example(f"{asked[-1][0]['content']}\n\nThe model\n{printable(replies[-1].text)}")

    moves = np.array([-1 if move is None else move for move in named]).reshape(len(SIZES), 2, count)
    numbers, convs = {}, []
    how = f"mean over {count} games a size; normal interval over the games"
    for n, payoff, (rows, columns) in zip(SIZES, points, moves, strict=True):
        conv = worst_nash_conv(payoff / 100, rows, columns)
        convs.append(conv)
        numbers[f"nash_conv/matrix_{n}"] = meaned([conv], how)
        numbers[f"hit_rate/matrix_{n}"] = meaned([(conv <= 1e-12).astype(float)], how)
        log.row(n, nash_conv=numbers[f"nash_conv/matrix_{n}"])
    numbers["nash_conv/matrices"] = meaned(convs, how)
    numbers["unreadable"] = meaned([(moves.ravel() < 0).astype(float)], f"share of {len(asked)} replies")
    return numbers


def question(payoff: np.ndarray, another: np.ndarray, settings: Settings) -> str:
    """What one player is asked; payoff float64[n, n, 2], own action and own points first; `another`: of the placebo."""
    n = len(payoff)
    text = (
        f"You and another player choose one of {n} actions at the same time and cannot talk. Each wants as many points "
        f"as possible. Your points, then the other's:\n{tabled(payoff)}\n"
        f"End your reply with one line, ANSWER: and the number of your action, 1 to {n}."
    )
    if settings.method == "head":
        return f"{text}\nWrite that line and nothing else."
    steps = STEPS if settings.dominance else STEPS[1:]
    work = "\n".join(f"{number}. {step}" for number, step in enumerate(steps, 1))
    if settings.method == "placebo":
        return (
            f"{text}\nBefore that line take another game, Game 2:\n{tabled(another)}\nAbout Game 2, and not about the "
            f"first one, work through these steps in short lines.\n{work}\nThen choose your action in the first game."
        )
    return (
        f"{text}\nBefore that line work through these steps in short lines.\n{work}\nYour action is that of the pair."
    )


def tabled(payoff: np.ndarray) -> str:
    lines = []
    for mine, row in enumerate(payoff, 1):
        cells = "; ".join(
            f"{own:.0f}, {its:.0f} if the other chooses {theirs}" for theirs, (own, its) in enumerate(row, 1)
        )
        lines.append(f"You choose {mine}: {cells}.")
    return "\n".join(lines)


def number_in(reply: Any, actions: int) -> int | None:
    """The action, from 0, in the last line of a reply; None where it is none, or the reply is cut or refused."""
    lines = spoken(reply.text).splitlines() if reply.status == "ok" else []
    found = re.fullmatch(r"answer: *([1-9])", lines[-1].strip(" *`.").lower()) if lines else None
    return int(found[1]) - 1 if found and int(found[1]) <= actions else None


def worst_nash_conv(payoff: np.ndarray, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """float64[G]: NashConv of the actions int64[G], and where one is -1 the largest that it may have come to."""
    n = payoff.shape[1]
    pairs = [
        matrix_nash_conv(payoff, np.where(row < 0, i, row), np.where(column < 0, j, column))
        for i, j in product(range(n), repeat=2)
    ]
    return np.max(pairs, axis=0)


def meaned(parts: list[np.ndarray], how: str) -> Value:
    """The mean of the means of parts float64[n], sampled apart."""
    mean = float(np.mean([part.mean() for part in parts]))
    half = 1.96 * float(np.sqrt(sum(part.var(ddof=1) / len(part) for part in parts))) / len(parts)
    return Value(mean, "sampled", (mean - half, mean + half), how)


def printable(text: str) -> str:
    """A reply for the page: its first 2,000 characters, without any that steer a terminal."""
    return "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in text[:2000])


ACCURACY = (("eps_0", 0.5), ("workflow", 0.45), ("eps_20", 0.3), ("eps_35", 0.15), ("coin", 0.0))
FORGETTING = (("memory_1", -1.0), ("workflow", -2.0), ("memory_4", -4.0), ("memory_8", -8.0))

RECIPE = Recipe(
    slug="game-theoretic-llm",
    arms=ARMS,
    run=run,
    server=server,
    seeds=12,
    minutes=2,
    claims=(
        *(halves(f"matrix_{n}") for n in SIZES),
        *(halves(f"tree_{depth}") for depth in DEPTHS),
        Lower("workflow", than="direct", metric="slope/matrices", by=0.5, relative=True),
        Lower("workflow", than="direct", metric="slope/trees", by=0.5, relative=True),
        Lower("workflow", than="voting", metric="nash_conv/matrices", by=0.25, relative=True),
        Lower("workflow", than="no_dominance", metric="nash_conv/matrices", by=0.05, relative=True),
        Trend(ACCURACY, metric="saved/matrices", by=0.1),
        Trend(ACCURACY, metric="saved/trees", by=0.1),
        Equivalent("coin", than=0.0, metric="saved/matrices", margin=0.02, control="workflow"),
        Equivalent("coin", than=0.0, metric="saved/trees", margin=0.02, control="workflow"),
        Trend(FORGETTING, metric="saved/matrices", by=0.005),
        Higher("workflow", than="direct", metric="envy_free", by=0.1),
        Higher("workflow", than="direct", metric="pareto", by=0.1),
        Higher("workflow", than="no_belief", metric="envy_free", by=0.05),
        Higher("workflow", than="other_belief", metric="envy_free", by=0.02, control="no_belief"),
        earns("matrices", 0.005),
        earns("trees", 0.005),
        earns("negotiation", 0.1),
        stays("matrices", 0.01),
        stays("trees", 0.01),
        stays("negotiation", 0.1),
        Lower(
            "workflow",
            than="direct",
            metric="nash_conv/matrices",
            by=0.5,
            relative=True,
            scope="server",
            says="a language model with the workflow ends at half the NashConv of itself without",
        ),
    ),
    control="placebo",
    quick={"games": 20, "negotiations": 6},
    metrics={
        "nash_conv": ("payoff, 0 to 2", "what two users could gain by deviating, added; 0 at an equilibrium"),
        "nash_conv_without": ("payoff, 0 to 2", "the same of two non-users on the same games"),
        "hit_rate": ("share of games", "how often two users play an equilibrium"),
        "saved": ("payoff, 0 to 2", "NashConv of two non-users less that of two users, on the same games"),
        "slope": ("payoff per action or ply", "slope of NashConv against the size of the game"),
        "comparisons": ("a player and game", "comparisons that a user makes"),
        "edge": ("payoff", "what a user earns more than the non-user whom it meets"),
        "skip_gain": ("payoff", "what skipping earns more than using, where the other uses"),
        "meta_use": ("probability", "of using, over the equilibria of the 2x2 game of using and skipping"),
        "agreement": ("share of negotiations", "how often two users reach a deal"),
        "envy_free": ("share of negotiations", "how often two users reach a deal that neither envies"),
        "pareto": ("share of negotiations", "how often two users reach a deal that none improves for both"),
    },
    watch="nash_conv",
)
