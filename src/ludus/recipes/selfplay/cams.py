"""CAMS: in games of one-sided information the informed player needs no more prototypes than there are types.

Paper     Solving Football by Exploiting Equilibrium Structure of 2p0s Differential Games with One-Sided Information.
          Ghimire, Zhang, Xu, Ren (2025), arXiv:2502.00560. P1 knows which of I payoffs counts, P2 has a belief p. P1
          splits the belief over prototypes u^c, and P2 answers each of them:
              V(t, x, p) = min over u, splits of sum_c lambda^c max over v^c of [V(t + tau, x^c, p^c) + tau l(u^c, v^c)]
          V is convex in p, so I prototypes are enough (Caratheodory), and the tree has I^K leaves and not U^(2K).
There     Hexner's homing game (Hexner 1979) of four and of ten steps against DeepCFR, JPSPG and other solvers, and
          football with 22 players; better accuracy in less time, and intent revealed only at a critical moment.
Here      Hexner's game on the axis that matters, with the constants of the authors' code, from random starts and
          priors; value and time of revealing in closed form. Prototypes and splits come from descent-ascent on the
          tree; what P1's strategy secures is exact. CFR+ and magnetic mirror descent on grids of 3, 5 and 9 actions,
          two steps. Random games of two stages and two or three types, by linear program, with and without a bound on
          the support, each player leading. 10 seeds.
Claims    1. What P1 secures in ten steps is within 2% of the closed form in continuous time.
          2. P1 conceals its type as long as the closed form says, give or take less than one step.
          3. Concealing until then is worth more than revealing at once.
          4. Four prototypes (I + 2) secure the same as two, within 1%.
          5. In no random game where P2 sees P1's move does P1 need more than I actions anywhere.
          6. Nor does P2 need more than I + 1 where P1 sees P2's move.
          7. With two steps CAMS is nearer to the value than the exact solution on a grid of nine actions.
          8. The work of CFR+ until 2% from equilibrium grows tenfold or more from 3 to 9 actions.
          9. So does that of magnetic mirror descent.
Leaves    Football (2v2 too), state constraints, value networks, and in Hexner's game P2's own strategy: the dual game
          is not built, P2 is a best response. The second axis, on which the goals agree, is left out.
          Differs from the paper: in place of doubly smoothed descent-ascent, each node steps down (P1) or up (P2) its
          cost given that it is reached, splits are reweighted by exp(-rate * cost), and the best of eight random plans
          goes on, since single ones get stuck in revealing at once. The paper's tables were not at hand. Constants, the
          matrices d1 and d2 and P2's answer to each prototype were read in the authors' code; the closed form is
          derived here, where they integrate Riccati equations. The row wants growing run time: nodes swept until the
          target are counted instead; the growth of the tree alone is sixtyfold. One prototype, the row's "no
          concealment", means that nothing can be revealed; the arm without concealment is "revealed". I actions are
          enough only where there is a pure answer (Isaacs' condition), and even matching pennies with one type needs
          two; so the other player sees the move in the random games, as in the equation, and simultaneous moves are the
          control. "tight" says how often one action fewer would not do.
          CAMS does not see the grid, so that its error cannot depend on U: no claim. Its work ends when what P1 secures
          is within 2%; the others must bring the sum of both players' gains below 2%, and where 20,000 iterations are
          too few, what was spent counts. The grids just span the controls that the solution needs, which favours
          them. Chosen in pilots on root seed 999 and on generators 5 to 8 of their own: the rate, the numbers of
          starts, iterations and games. What the discretisation costs (0.8% in ten steps, 0.03 seconds of revealing) is
          arithmetic, known before. Recorded on root seed 1: on root seed 0 claim 5 failed in 2 of 60 games by 2e-5,
          since HiGHS stops branching within 1e-4; told to go on, it finds equilibria in those two as well.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from ludus.game import CHANCE, OVER
from ludus.measure.nash_conv import nash_conv
from ludus.records import Value
from ludus.solve.best_response import evaluate
from ludus.solve.cfr import cfr_plus
from ludus.solve.mirror_descent import mirror_descent
from ludus.solve.sequence_lp import sequence_lp
from ludus.study import Equivalent, Exact, Lower, Recipe, Trend
from ludus.tree import Labels, Tree

GOALS = np.array([1.0, -1.0])  # P1's type: where it wants to be nearer than P2 at time 1
EFFORT = (0.025, 0.1)  # R1, R2 of the authors' code on this axis: what P1 and P2 pay for acceleration squared
TARGET = 0.02  # of the size of the value: the row's error, and where the counting of work ends
FLOOR = 1e-6  # no type plays a prototype less often, so that every node keeps learning


@dataclass(frozen=True)
class Settings:
    """One arm.

    solver      cams; cfr_plus or mmd on the grid; lp for random games
    steps       K, how often the players move until time 1
    prototypes  C, what P1 can choose from at a node of the tree
    reveal      at_once: every type plays its own prototype from the first step on, and nothing is learned about splits
    iterations  of the solver, at most
    starts      random plans, each tried for a twentieth of the iterations; the one that secures most goes on
    rate        how fast splits are reweighted, per unit of cost
    actions     U, of each player on the grid
    leader      of the random games: 0 is P1, 1 is P2
    seen        the other player sees the leader's move before its own
    games       random games; those that P1 leads have two types and three in turn
    """

    solver: Literal["cams", "cfr_plus", "mmd", "lp"] = "cams"
    steps: int = 10
    prototypes: int = 2
    reveal: Literal["learned", "at_once"] = "learned"
    iterations: int = 2000
    starts: int = 8
    rate: float = 1.0
    actions: int = 0
    leader: int = 0
    seen: bool = True
    games: int = 0

    def __post_init__(self) -> None:
        for name, least in (
            ("steps", 2),
            ("prototypes", 1),
            ("iterations", 1),
            ("starts", 1),
            ("actions", 0),
            ("games", 0),
        ):
            if getattr(self, name) < least:
                raise ValueError(
                    f"setting {name} is at least {least}; got {getattr(self, name)}. Change it with --set {name}=..."
                )


ARMS = {
    "cams": Settings(),
    "one_prototype": Settings(prototypes=1, iterations=300),
    "revealed": Settings(reveal="at_once", iterations=300),
    "cams_4": Settings(steps=4),
    "four_prototypes": Settings(steps=4, prototypes=4),
    "cams_2": Settings(steps=2),
    **{f"cfr_plus_{u}": Settings("cfr_plus", steps=2, actions=u, iterations=20_000) for u in (3, 5, 9)},
    **{f"mmd_{u}": Settings("mmd", steps=2, actions=u, iterations=20_000) for u in (3, 5, 9)},
    "random_games": Settings("lp", games=6),
    "simultaneous": Settings("lp", games=6, seen=False),
    "random_games_p2": Settings("lp", games=3, leader=1),
    "simultaneous_p2": Settings("lp", games=3, leader=1, seen=False),
}


# Hexner's game. Each player is a double integrator; y is where it would be at time 1 without further acceleration.


class Start(NamedTuple):
    """Where a game begins: both positions (at rest), and the prior float64[I] of P1's types."""

    y: tuple[float, float]
    prior: np.ndarray


class Steps(NamedTuple):
    """K steps of length tau. An acceleration u held for step k moves y by h[k] u.

    tau   seconds
    h     float64[K]
    q     float64[2, K + 1], Riccati: from step k on, homing on a known goal costs q (y - goal)^2
    loss  float64[2, K], what homing on another point in step k costs more, by the distance between the points squared
    gain  float64[2, K], the best acceleration by the distance to the goal
    """

    tau: float
    h: np.ndarray
    q: np.ndarray
    loss: np.ndarray
    gain: np.ndarray


def riccati(steps: int) -> Steps:
    """The linear-quadratic part of the game, exact for accelerations held over a step."""
    tau = 1.0 / steps
    h = tau * (1.0 - tau * (np.arange(steps) + 0.5))
    q, loss, gain = np.ones((2, steps + 1)), np.empty((2, steps)), np.empty((2, steps))
    for player, effort in enumerate(EFFORT):
        for k in reversed(range(steps)):
            after = q[player, k + 1]
            gain[player, k] = after * h[k] / (tau * effort + after * h[k] ** 2)
            loss[player, k] = after * h[k] * gain[player, k]
            q[player, k] = after - loss[player, k]
    return Steps(tau, h, q, loss, gain)


def spread(belief: np.ndarray) -> np.ndarray:
    """The variance of the goal under beliefs float64[..., I]."""
    return belief @ GOALS**2 - (belief @ GOALS) ** 2


def closed_form(start: Start) -> tuple[float, float]:
    """The value in continuous time, and the time at which P1 reveals its type.

    With time s left homing costs k (y - goal)^2, k = 1 / (1 + s^3 / 3R), and homing on the mean goal instead costs d =
    -dk/ds more per second and variance. P1 conceals while d1 < d2, P2 being the clumsier, until s^3 = 3 sqrt(R1 R2),
    where d1 = d2. (Hexner 1979 for linear dynamics and quadratic cost; derived here for this game.)
    """

    def k(left: float, effort: float) -> float:
        return 1 / (1 + left**3 / (3 * effort))

    left = (9 * EFFORT[0] * EFFORT[1]) ** (1 / 6)
    homing = [k(1.0, effort) * (start.prior @ (y - GOALS) ** 2) for y, effort in zip(start.y, EFFORT, strict=True)]
    concealed = [k(left, effort) - k(1.0, effort) for effort in EFFORT]
    return float(homing[0] - homing[1] + spread(start.prior) * (concealed[0] - concealed[1])), 1.0 - left


def convexified(start: Start, steps: Steps, points: int = 2001) -> float:
    """The value of K steps by backward induction on a grid of beliefs: V <- Vex[stage cost + V], Vex the lower hull.

    Completing the square leaves the belief as the only state that the players act upon together: while it is p, a step
    costs (loss of P1 - loss of P2) * variance of the goal.
    """
    p = np.linspace(0.0, 1.0, points)
    variance = spread(np.stack([p, 1 - p], axis=1))
    worth = np.zeros(points)
    for k in reversed(range(len(steps.h))):
        worth = lower_hull(p, worth + (steps.loss[0, k] - steps.loss[1, k]) * variance)
    homing = [steps.q[player, 0] * (start.prior @ (start.y[player] - GOALS) ** 2) for player in (0, 1)]
    return float(homing[0] - homing[1] + np.interp(start.prior[0], p, worth))


def lower_hull(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The largest convex function below the points (x rising, y), at x: Andrew's monotone chain (1979)."""
    kept: list[int] = []
    for i in range(len(x)):
        while len(kept) > 1:
            a, b = kept[-2:]
            if (y[b] - y[a]) * (x[i] - x[a]) < (y[i] - y[a]) * (x[b] - x[a]):
                break
            kept.pop()
        kept.append(i)
    return np.interp(x, x[kept], y[kept])


# CAMS: the tree of C prototypes a node, by descent of P1 and ascent of P2


class Plan(NamedTuple):
    """Strategies on the tree, one array a step k; the children of node n are nC to nC + C - 1, one a prototype.

    split  float64[C^k, C, I], how often each type plays each prototype
    u, v   float64[C^(k + 1)], P1's acceleration in each prototype and P2's answer to it
    """

    split: list[np.ndarray]
    u: list[np.ndarray]
    v: list[np.ndarray]


def random_plan(settings: Settings, rng: np.random.Generator) -> Plan:
    """Splits drawn evenly from the simplex and small accelerations; under `at_once` the splits are those of the arm."""
    c, types, levels = settings.prototypes, len(GOALS), range(settings.steps)
    split = [np.moveaxis(rng.dirichlet(np.ones(c), (c**k, types)), 2, 1) for k in levels]
    if settings.reveal == "at_once":
        own = np.zeros((1, c, types))
        own[0, np.arange(types), np.arange(types)] = 1.0
        split = [own] + [np.repeat(np.eye(c, 1)[None], c**k, axis=0) @ np.ones((1, types)) for k in levels[1:]]
    u, v = ([rng.normal(0.0, 0.5, c ** (k + 1)) for k in levels] for _ in range(2))
    return Plan(split, u, v)


def walk(plan: Plan, start: Start, steps: Steps) -> tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray]]:
    """Down the tree: at each level how likely types and nodes are together float64[C^k, I], and both players' y."""
    weight, own, other = [start.prior[None]], [np.array([start.y[0]])], [np.array([start.y[1]])]
    for k, (split, u, v) in enumerate(zip(*plan, strict=True)):
        weight.append((weight[k][:, None] * split).reshape(len(u), -1))
        own.append(own[k].repeat(split.shape[1]) + steps.h[k] * u)
        other.append(other[k].repeat(split.shape[1]) + steps.h[k] * v)
    return weight, own, other


def descent_ascent(plan: Plan, start: Start, steps: Steps, rate: float) -> None:
    """One iteration; `plan` is changed in place. A rate of 0 leaves the splits as they are.

    Each node steps down its own cost given that it is reached, as backward induction would, and not weighted by how
    seldom that is. Step lengths are 1 / (2 tau R + 2 sum h^2), a bound on the curvature.
    """
    weight, own, other = walk(plan, start, steps)
    gap, gap2 = own[-1][:, None] - GOALS, other[-1][:, None] - GOALS
    cost = gap**2 - gap2**2  # of each type at each leaf: P1 wants to be nearer to its goal than P2
    pull, pull2 = (weight[-1] * gap).sum(axis=1), (weight[-1] * gap2).sum(axis=1)
    lengths = [0.5 / (steps.tau * effort + steps.h @ steps.h) for effort in EFFORT]
    for k in reversed(range(len(steps.h))):
        split, u, v = plan.split[k], plan.u[k], plan.v[k]
        reached = np.maximum(weight[k + 1].sum(axis=1), 1e-300)
        cost = cost + steps.tau * (EFFORT[0] * u**2 - EFFORT[1] * v**2)[:, None]
        u -= lengths[0] * 2 * (steps.tau * EFFORT[0] * u + steps.h[k] * pull / reached)
        v -= lengths[1] * 2 * (steps.tau * EFFORT[1] * v + steps.h[k] * pull2 / reached)  # up: P2's cost counts minus
        by_choice = cost.reshape(split.shape)
        cost = (split * by_choice).sum(axis=1)
        pull, pull2 = pull.reshape(split.shape[:2]).sum(axis=1), pull2.reshape(split.shape[:2]).sum(axis=1)
        if rate:
            split *= np.exp(-rate * (by_choice - by_choice.min(axis=1, keepdims=True)))
            split /= split.sum(axis=1, keepdims=True)
            np.maximum(split, FLOOR, out=split)
            split /= split.sum(axis=1, keepdims=True)


def secured(plan: Plan, start: Start, steps: Steps) -> tuple[float, np.ndarray]:
    """What P1's part of the plan costs it at most, and float64[K]: the share of the variance still hidden after a step.

    P2's best response homes on the mean goal of the belief that P1's moves leave: its cost is what homing on a known
    goal costs, and in each step its loss times the variance.
    """
    weight, own, _ = walk(plan, start, steps)
    cost = (weight[-1] * (own[-1][:, None] - GOALS) ** 2).sum()
    hidden = np.empty(len(steps.h))
    for k, u in enumerate(plan.u):
        reached = weight[k + 1].sum(axis=1)
        cost += steps.tau * EFFORT[0] * (reached @ u**2)
        hidden[k] = reached @ spread(weight[k + 1] / np.maximum(reached, 1e-300)[:, None])
    homing = steps.q[1, 0] * (start.prior @ (start.y[1] - GOALS) ** 2)
    return float(cost - homing - steps.loss[1] @ hidden), hidden / spread(start.prior)


# Games of two stages as trees, for the solvers that need a list of actions


def staged(prior: np.ndarray, cost: np.ndarray, seen: bool, leader: int = 0) -> Tree:
    """The tree of cost float64[I, U, V, U, V] to P1, player 0, by type and moves (u, v, u, v); P2 is player 1.

    P1 knows its type, and both know the first stage in the second. Within a stage `leader` moves first, and the other
    sees that move only where `seen`.
    """
    moves = cost.shape[1:3]
    if leader == 1:
        cost = cost.transpose(0, 2, 1, 4, 3)
    shape, types = cost.shape, len(prior)
    sizes = [1, *np.cumprod(shape)]
    turn = np.repeat([CHANCE, leader, 1 - leader, leader, 1 - leader, OVER], sizes)
    fan = np.repeat([*shape, 0], sizes)
    first = 1 + np.concatenate([[0], np.cumsum(fan)])
    nodes = len(turn)
    parent, action = np.full(nodes, -1), np.full(nodes, -1)
    parent[1:] = np.repeat(np.arange(nodes), fan)
    action[1:] = np.arange(1, nodes) - first[parent[1:]]
    infoset, met = np.full(nodes, -1), 0
    views: list[np.ndarray] = []
    for depth in range(1, 5):
        past = np.indices(shape[:depth]).reshape(depth, -1)
        known = np.full(depth, True)
        known[0] = turn[sum(sizes[:depth])] == 0  # the type is P1's alone
        known[-1] &= seen or depth % 2 == 1
        view = np.full((past.shape[1], 5), -1)
        view[:, 0], view[:, 1 : depth + 1] = depth, np.where(known[:, None], past, -1).T
        rows, where = np.unique(view, axis=0, return_inverse=True)  # sorted, which is breadth-first order
        infoset[sum(sizes[:depth]) : sum(sizes[: depth + 1])] = met + where.ravel()
        views, met = [*views, rows], met + len(rows)
    view = np.concatenate(views)
    player = (view[:, 0] + 1 + leader) % 2
    payoff = np.zeros((nodes, 2))
    payoff[-cost.size :] = np.stack([-cost.ravel(), cost.ravel()], axis=1)
    chance = np.ones(nodes)
    chance[1 : types + 1] = prior
    legal = np.arange(max(moves)) < np.array(moves)[player][:, None]
    words = Labels(("P1", "P2"), tuple(map(str, range(max(moves)))), lambda row: str(view[row]))
    return Tree(turn, parent, action, first, chance, infoset, payoff, player, legal, view, words)


def on_grid(start: Start, steps: Steps, actions: int) -> np.ndarray:
    """The cost float64[I, U, U, U, U] of Hexner's game in two steps, on even grids of accelerations.

    The grids just hold what homing from 0.2 beyond the middle needs in the closed loop.
    """
    grids = [np.linspace(-1.2, 1.2, actions) * steps.gain[player].max() for player in (0, 1)]
    u, v, u2, v2 = np.ix_(grids[0], grids[1], grids[0], grids[1])
    own, other = (start.y[player] + steps.h[0] * a + steps.h[1] * b for player, a, b in ((0, u, u2), (1, v, v2)))
    effort = steps.tau * (EFFORT[0] * (u**2 + u2**2) - EFFORT[1] * (v**2 + v2**2))
    return np.stack([(own - goal) ** 2 - (other - goal) ** 2 + effort for goal in GOALS])


def narrow_value(prior: np.ndarray, cost: np.ndarray, seen: bool, support: int, leader: int = 0) -> float:
    """What the leader secures in the game of `staged`, in cost to P1, with at most `support` actions at each node.

    All types of P1 together have so many. The leader's linear program over the sequence form (as in
    ludus.solve.sequence_lp), with a 0-1 variable for each action at each public history that lets it be played; HiGHS,
    branch and bound. Below, a counts types of the leader and b those of the other: one of the two has only one.
    """
    weighted = prior[:, None, None, None, None] * cost
    weighted = weighted[:, None] if leader == 0 else -weighted.transpose(0, 2, 1, 4, 3)[None]
    mine, yours, moves, answers = weighted.shape[:4]
    count = 0

    def new(*shape: int) -> np.ndarray:
        nonlocal count
        count += int(np.prod(shape))
        return np.arange(count - int(np.prod(shape)), count).reshape(shape)

    plan, plan2 = new(mine, moves), new(mine, moves, answers, moves)
    heard = moves if seen else 1  # unseen moves are met by one answer to all of them
    bound, bound2 = new(yours, heard), new(yours, moves, answers, heard)
    use, use2 = new(moves), new(moves, answers, moves)
    rows, low, high = [], [], []

    def require(least: float, most: float, *terms: tuple[Any, Any]) -> None:
        row = np.zeros(count)
        for column, factor in terms:
            row[np.ravel(column)] += np.ravel(factor)
        rows.append(row)
        low.append(least)
        high.append(most)

    met = [[move] if seen else list(range(moves)) for move in range(heard)]
    require(0, support, (use, 1))
    for a in range(mine):
        require(1, 1, (plan[a], 1))
        for i in range(moves):
            require(-np.inf, 0, (plan[a, i], 1), (use[i], -1))
    for i in range(moves):
        for j in range(answers):
            require(0, support, (use2[i, j], 1))
            for a in range(mine):
                require(0, 0, (plan2[a, i, j], 1), (plan[a, i], -1))
                for move in range(moves):
                    require(-np.inf, 0, (plan2[a, i, j, move], 1), (use2[i, j, move], -1))
            for b in range(yours):
                for worst, these in zip(bound2[b, i, j], met, strict=True):
                    for answer in range(answers):
                        factor = weighted[:, b, i, j, these, answer]
                        require(-np.inf, 0, (plan2[:, i, j, these], factor), (worst, -1))
    for b in range(yours):
        for worst, these in zip(bound[b], met, strict=True):
            for answer in range(answers):
                require(-np.inf, 0, (bound2[b, these, answer], 1), (worst, -1))
    whole = np.arange(count) >= use.min()
    free = (np.arange(count) >= bound.min()) & ~whole
    goal = np.zeros(count)
    goal[bound] = 1.0
    found = milp(
        goal,
        integrality=whole,
        bounds=Bounds(np.where(free, -np.inf, 0.0), np.where(free, np.inf, 1.0)),
        constraints=LinearConstraint(np.array(rows), low, high),
        options={"mip_rel_gap": 0.0},  # HiGHS would be content with 1e-4
    )
    if found.x is None:
        raise ArithmeticError(f"HiGHS found no strategy of {support} actions a node: {found.message}")
    return float(found.fun if leader == 0 else -found.fun)


# One cell of the study: an arm under one seed


def run(settings: Settings, rng: np.random.Generator, log: Any) -> dict[str, Value]:
    """The same start for all arms of a seed; then the arm's solver."""
    state = log.restore()
    if state is None:
        start = Start(tuple(rng.uniform(-0.2, 0.2, 2).tolist()), np.array([1.0, 0.0]))
        p = rng.uniform(0.3, 0.7)
        start = start._replace(prior=np.array([p, 1 - p]))
    else:
        start = Start(tuple(state["y"].tolist()), state["prior"])
    if settings.solver == "lp":
        return random_games(settings, rng, log)
    return cams(settings, start, rng, log, state) if settings.solver == "cams" else grid_solver(settings, start, log)


def cams(settings: Settings, start: Start, rng: np.random.Generator, log: Any, state: Any) -> dict[str, Value]:
    """Descent-ascent from the best of several random plans; what P1 secures is worked out exactly, and shown."""
    steps = riccati(settings.steps)
    value, revealing = closed_form(start)
    in_steps = convexified(start, steps)
    rate = settings.rate if settings.reveal == "learned" else 0.0
    nodes = sum(settings.prototypes**k for k in range(settings.steps + 1))
    every = max(1, settings.iterations // 20)
    if state is None:
        plans = [random_plan(settings, rng) for _ in range(settings.starts)]
        for plan in plans:
            for _ in range(every):
                descent_ascent(plan, start, steps, rate)
        plan = min(plans, key=lambda plan: secured(plan, start, steps)[0])
        done, work = 0, np.inf
    else:
        done, work = state["done"], state["work"]
        plan = Plan(*([state[f"{name}{k}"] for k in range(settings.steps)] for name in Plan._fields))
    while done < settings.iterations:
        descent_ascent(plan, start, steps, rate)
        done += 1
        if done % 20 == 0 or done == settings.iterations:
            worth, hidden = secured(plan, start, steps)
            if not np.isfinite(work) and abs(worth - in_steps) <= TARGET * abs(in_steps):
                work = float(nodes * (done + settings.starts * every))
            if done % every == 0 or done == settings.iterations:
                log.row(done, secured=exact(worth, "tree"), concealed=exact(steps.tau * hidden.sum(), "tree"))
        if done % every == 0 or done == settings.iterations:
            arrays = {f"{n}{k}": a for n, level in plan._asdict().items() for k, a in enumerate(level)}
            log.checkpoint({"y": np.array(start.y), "prior": start.prior, "done": done, "work": work, **arrays})
    worth, hidden = secured(plan, start, steps)
    concealed = steps.tau * hidden.sum()
    log.example(story(plan, start, steps, hidden, value, revealing))
    return {
        "secured": exact(worth, "P1's tree against P2's best response"),
        "value_error": exact(abs(worth - value) / abs(value), "against the closed form in continuous time"),
        "step_error": exact(abs(worth - in_steps) / abs(in_steps), "against backward induction over beliefs"),
        "concealed": exact(concealed, "share of the variance still hidden, summed over time"),
        "reveal_error": exact(abs(concealed - revealing), "against the closed form in continuous time"),
        "work": counted(work, float(nodes * (settings.iterations + settings.starts * every))),
    }


def grid_solver(settings: Settings, start: Start, log: Any) -> dict[str, Value]:
    """CFR+ or magnetic mirror descent on the grid, stopped when both players' gains are 2% of the value."""
    steps = riccati(settings.steps)
    in_steps = convexified(start, steps)
    tree = staged(start.prior, on_grid(start, steps, settings.actions), settings.seen)
    best = float(sequence_lp(tree).payoffs[0, 1])
    solver: Callable[..., Any] = cfr_plus if settings.solver == "cfr_plus" else mirror_descent
    held, done, gain = None, 0, np.inf
    while done < settings.iterations and gain > TARGET * abs(in_steps):
        more = min(max(1, done // 4), settings.iterations - done)
        now = solver(tree, more, state=held)
        held, done = now.state, done + more
        gain = nash_conv(tree, now.profile).number
        log.row(
            done, secured=exact(evaluate(tree, now.profile)[1][1], "P2's best response"), gain=exact(gain, "NashConv")
        )
    reached = gain <= TARGET * abs(in_steps)
    return {
        "step_error": exact(abs(best - in_steps) / abs(in_steps), "linear program on the grid against all controls"),
        "work": counted(len(tree.turn) * done if reached else np.inf, len(tree.turn) * done),
        "gain": exact(gain, "NashConv on the grid"),
    }


def random_games(settings: Settings, rng: np.random.Generator, log: Any) -> dict[str, Value]:
    """How many random games have no equilibrium in which the leader keeps to the bound at every node.

    The bound is I actions for P1, I + 1 for P2; the leader has one action more. P2's games have two types.
    """
    broken, tight, widest = 0, 0, 0.0
    for game in range(settings.games):
        leader = settings.leader
        types = 2 if leader == 1 else 2 + game % 2
        bound = types + leader
        prior = rng.dirichlet(np.ones(types))
        moves = (bound + 1, 3) if leader == 0 else (4, bound + 1)
        cost = rng.standard_normal((types, *moves, *moves))
        value = sequence_lp(staged(prior, cost, settings.seen, leader)).payoffs[0, 1]
        gap = abs(narrow_value(prior, cost, settings.seen, bound, leader) - value)
        broken, widest = broken + (gap > 1e-5), max(widest, gap)
        if settings.seen:
            tight += abs(narrow_value(prior, cost, settings.seen, bound - 1, leader) - value) > 1e-5
        log.row(game, support_gap=exact(gap, "mixed-integer program minus linear program"))
    found = {
        "broken": exact(broken, "mixed-integer program against linear program"),
        "support_gap": exact(widest, "mixed-integer program minus linear program"),
    }
    if settings.seen:
        found["tight"] = exact(tight / settings.games, "mixed-integer program against linear program")
    return found


def exact(number: float, method: str) -> Value:
    """A number in which nothing is sampled."""
    return Value(float(number), "exact", None, method)


def counted(work: float, spent: float) -> Value:
    """The logarithm of the nodes swept until the target, or at least of those spent where it was not reached."""
    if np.isfinite(work):
        return exact(np.log10(work), "nodes of the tree times iterations until 2% from the value")
    return Value(float(np.log10(spent)), "lower bound", None, "nodes swept; the target was not reached")


def story(plan: Plan, start: Start, steps: Steps, hidden: np.ndarray, value: float, revealing: float) -> str:
    """Each type's most frequent way down the tree."""
    lines = [
        f"P1 starts at {start.y[0]:+.2f}, P2 at {start.y[1]:+.2f}; P2 believes in goal +1 with {start.prior[0]:.2f}.",
        f"In continuous time the value is {value:.4f}, and P1 reveals its goal at {revealing:.3f}.",
        "",
        "time   hidden   goal +1: u      v   belief   goal -1: u      v   belief",
    ]
    weight, _, _ = walk(plan, start, steps)
    at = [0, 0]
    for k, split in enumerate(plan.split):
        line = f"{k * steps.tau:<7.2f}{hidden[k]:<9.2f}"
        for i in range(2):
            at[i] = at[i] * split.shape[1] + int(split[at[i], :, i].argmax())
            belief = weight[k + 1][at[i], 0] / weight[k + 1][at[i]].sum()
            line += f"{plan.u[k][at[i]]:10.2f}{plan.v[k][at[i]]:7.2f}{belief:9.2f}  "
        lines.append(line.rstrip())
    return "\n".join(lines)


RECIPE = Recipe(
    slug="cams",
    arms=ARMS,
    run=run,
    seeds=10,
    minutes=7,
    claims=(
        Lower("cams", than=0.02, metric="value_error"),
        Lower("cams", than=0.1, metric="reveal_error"),
        Lower("cams", than="revealed", metric="secured"),
        Equivalent("four_prototypes", than="cams_4", metric="step_error", margin=0.01),
        Exact("random_games", than=0, metric="broken", control="simultaneous"),
        Exact("random_games_p2", than=0, metric="broken", control="simultaneous_p2"),
        Lower("cams_2", than="cfr_plus_9", metric="step_error"),
        Trend((("cfr_plus_9", 9), ("cfr_plus_5", 5), ("cfr_plus_3", 3)), metric="work", by=1 / 6, control="cams_2"),
        Trend((("mmd_9", 9), ("mmd_5", 5), ("mmd_3", 3)), metric="work", by=1 / 6, control="cams_2"),
    ),
    control="one_prototype",
    quick={"iterations": 20, "starts": 2, "games": 1},
    metrics={
        "secured": ("payoff", "what P1 pays at most by its strategy"),
        "value_error": ("share of the value", "distance to the value in continuous time"),
        "step_error": (
            "share of the value",
            "distance to the value of as many steps; on the grid, that of the exact solution",
        ),
        "concealed": ("seconds", "how long the type stays hidden"),
        "reveal_error": ("seconds", "distance to the time of revealing in continuous time"),
        "work": ("log10 nodes", "nodes of the tree swept until 2% from the value"),
        "gain": ("payoff", "NashConv: what both could still gain on the grid"),
        "broken": ("games", "random games where the leader needs more actions at a node than the bound"),
        "tight": ("share of games", "random games where one action fewer than the bound is too few"),
        "support_gap": ("payoff", "the most that the bound on the support costs the leader in a random game"),
    },
    watch="secured",
)
