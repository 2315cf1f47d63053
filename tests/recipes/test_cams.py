"""CAMS: Hexner's game by integration and by hand, an iteration by finite differences, random games by brute force."""

import copy
import math
from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp
from scipy.optimize import linprog

from ludus.recipes.selfplay import cams as game
from ludus.recipes.selfplay.cams import ARMS, EFFORT, GOALS, RECIPE, Plan, Settings, Start
from ludus.solve.best_response import evaluate
from ludus.solve.cfr import cfr_plus
from ludus.solve.sequence_form import fold
from ludus.solve.sequence_lp import sequence_lp
from ludus.study.run import generator

EVEN = Start((0.0, 0.0), np.array([0.5, 0.5]))
ODD = Start((0.15, -0.1), np.array([0.35, 0.65]))


class Notebook:
    """A log in memory, which stops the run after `stop` checkpoints."""

    quick = True

    def __init__(self, state=None, stop=math.inf):
        self.state, self.stop, self.rows, self.text, self.saved = state, stop, [], "", 0

    def row(self, step, **metrics):
        self.rows.append((step, metrics))

    def example(self, text):
        self.text = text

    def checkpoint(self, state):
        self.state, self.saved = copy.deepcopy(state), self.saved + 1
        if self.saved == self.stop:
            raise KeyboardInterrupt

    def restore(self):
        return copy.deepcopy(self.state)


def weights(start):
    """k1 and k2 as functions of time: the position's entry of the matrix Riccati equation of a double integrator."""
    a, b, end = np.array([[0.0, 1.0], [0.0, 0.0]]), np.array([[0.0], [1.0]]), np.array([[1.0, 0.0], [0.0, 0.0]])
    solutions = []
    for effort in EFFORT:

        def slope(left, flat, effort=effort):
            k = flat.reshape(2, 2)
            return (a.T @ k + k @ a - k @ b @ b.T @ k / effort).ravel()

        solutions.append(solve_ivp(slope, (0, 1), end.ravel(), rtol=1e-10, atol=1e-12, dense_output=True).sol)
    return [lambda t, s=s: s(1 - t).reshape(2, 2) for s in solutions]


@pytest.mark.parametrize("start", [EVEN, ODD])
def test_the_closed_form_is_the_minimum_over_times_of_revealing_by_the_matrix_riccati_equation(start):
    """The road of the authors' code: d = z' Phi' K B R^-1 B' K Phi z, integrated up to a time of revealing."""
    matrices = weights(start)

    def d(t, player):
        k = matrices[player](t)
        return k[0, 1] ** 2 / EFFORT[player]  # B'K Phi z with z a position: Phi leaves it where it is

    def cost(revealing):
        extra = quad(lambda t: d(t, 0) - d(t, 1), 0, revealing, epsabs=1e-10)[0]
        base = [matrices[i](0.0)[0, 0] * (start.prior @ (start.y[i] - GOALS) ** 2) for i in (0, 1)]
        return base[0] - base[1] + game.spread(start.prior) * extra

    value, revealing = game.closed_form(start)
    assert value == pytest.approx(cost(revealing), abs=1e-7)
    assert value < min(cost(revealing - 0.02), cost(revealing + 0.02), cost(0.0), cost(1.0))
    assert d(revealing, 0) == pytest.approx(d(revealing, 1), abs=1e-6)


def test_numbers_by_hand():
    """With s^3 = 3 sqrt(0.0025) = 0.15 left, k1 = 1 / (1 + 2) and k2 = 1 / (1 + 1/2); the rest cancels."""
    value, revealing = game.closed_form(EVEN)
    assert value == pytest.approx(1 / 3 - 2 / 3, abs=1e-14)
    assert revealing == pytest.approx(1 - 0.15 ** (1 / 3), abs=1e-14)
    # two steps, revealing at 1/2: h = 1/8, tau R = 1/80 and 1/20, q = tau R / (tau R + h^2)
    q = [(1 / 80) / (1 / 80 + 1 / 64), (1 / 20) / (1 / 20 + 1 / 64)]
    assert game.riccati(2).q[:, 1] == pytest.approx(q, abs=1e-15)
    assert game.convexified(EVEN, game.riccati(2)) == pytest.approx(q[0] - q[1], abs=1e-12)


def test_steps_by_least_squares():
    """Homing on a goal by the best held accelerations, as one linear system."""
    for steps in (2, 5):
        lq = game.riccati(steps)
        h = [quad(lambda t: 1 - t, k / steps, (k + 1) / steps)[0] for k in range(steps)]
        assert lq.h == pytest.approx(h)
        for player, effort in enumerate(EFFORT):
            curvature = lq.tau * effort * np.eye(steps) + np.outer(h, h)
            u = np.linalg.solve(curvature, h)  # from y = -1 to 0
            cost = lq.tau * effort * u @ u + (u @ h - 1) ** 2
            assert lq.q[player, 0] == pytest.approx(cost, abs=1e-12)
            assert lq.gain[player, 0] == pytest.approx(u[0], abs=1e-10)


@pytest.mark.parametrize("steps", [2, 4, 10])
def test_backward_induction_over_beliefs_is_the_best_step_of_revealing(steps):
    """The variance hidden can only fall, so the best is to hide all of it for m steps and then nothing."""
    lq = game.riccati(steps)
    rate = np.concatenate([[0.0], np.cumsum(lq.loss[0] - lq.loss[1])])
    homing = [lq.q[i, 0] * (ODD.prior @ (ODD.y[i] - GOALS) ** 2) for i in (0, 1)]
    expected = homing[0] - homing[1] + game.spread(ODD.prior) * rate.min()
    assert game.convexified(ODD, lq) == pytest.approx(expected, abs=1e-6)


def test_the_lower_hull_against_all_chords(rng):
    x, y = np.sort(rng.random(12)), rng.standard_normal(12)
    hull = game.lower_hull(x, y)
    for i in range(12):
        chords = [y[i]]
        for a, b in combinations(range(12), 2):
            if a < i < b:
                chords.append(y[a] + (y[b] - y[a]) * (x[i] - x[a]) / (x[b] - x[a]))
        assert hull[i] == pytest.approx(min(chords), abs=1e-12)


@pytest.fixture
def rng():
    return np.random.default_rng(4)


def by_paths(plan, start, steps):
    """The expected cost of a plan to P1, path by path."""
    total, count = 0.0, plan.split[0].shape[1]
    for path in product(range(count), repeat=len(steps.h)):
        for i, goal in enumerate(GOALS):
            chance, y, z, cost, node = start.prior[i], *start.y, 0.0, 0
            for k, c in enumerate(path):
                chance *= plan.split[k][node, c, i]
                node = node * count + c
                y, z = y + steps.h[k] * plan.u[k][node], z + steps.h[k] * plan.v[k][node]
                cost += steps.tau * (EFFORT[0] * plan.u[k][node] ** 2 - EFFORT[1] * plan.v[k][node] ** 2)
            total += chance * (cost + (y - goal) ** 2 - (z - goal) ** 2)
    return total


def test_one_iteration_against_finite_differences(rng):
    settings = Settings(steps=3)
    steps, plan = game.riccati(3), game.random_plan(settings, rng)
    weight, _, _ = game.walk(plan, ODD, steps)
    after = copy.deepcopy(plan)
    game.descent_ascent(after, ODD, steps, rate=0.5)
    for k in range(3):
        for node in range(2 ** (k + 1)):
            reached = weight[k + 1][node].sum()
            for name, sign, effort in (("u", -1, EFFORT[0]), ("v", 1, EFFORT[1])):
                slope = central(plan, name, (k, node), steps) / reached
                moved = getattr(after, name)[k][node] - getattr(plan, name)[k][node]
                assert moved == pytest.approx(sign * slope / (2 * (steps.tau * effort + steps.h @ steps.h)), abs=1e-6)
    for k, n, i in product(range(3), range(2), range(2)):
        if n >= 2**k:
            continue
        slopes = np.array([central(plan, "split", (k, (n, c, i)), steps) for c in (0, 1)]) / weight[k][n, i]
        expected = plan.split[k][n, :, i] * np.exp(-0.5 * slopes)
        assert after.split[k][n, :, i] == pytest.approx(expected / expected.sum(), abs=1e-5)


def central(plan, name, place, steps, by=1e-5):
    ends = []
    for side in (by, -by):
        moved = copy.deepcopy(plan)
        getattr(moved, name)[place[0]][place[1]] += side
        ends.append(by_paths(moved, ODD, steps))
    return (ends[0] - ends[1]) / (2 * by)


def test_what_a_plan_secures_is_its_worst_case_over_answers(rng):
    """The cost is concave in P2's answers, so that their best is the solution of one linear system."""
    steps, plan = game.riccati(3), game.random_plan(Settings(steps=3), rng)
    sizes = [len(v) for v in plan.v]

    def cost(flat):
        return by_paths(plan._replace(v=np.split(flat, np.cumsum(sizes)[:-1])), ODD, steps)

    n, eye = sum(sizes), np.eye(sum(sizes))
    base = cost(np.zeros(n))
    single = np.array([[cost(s * e) for e in eye] for s in (1, -1)])
    slope, diagonal = (single[0] - single[1]) / 2, single.sum(axis=0) - 2 * base
    hessian = np.diag(diagonal)
    for a, b in combinations(range(n), 2):
        hessian[a, b] = hessian[b, a] = cost(eye[a] + eye[b]) - single[0, a] - single[0, b] + base
    assert np.linalg.eigvalsh(hessian).max() < 0
    worst = cost(-np.linalg.solve(hessian, slope))
    assert game.secured(plan, ODD, steps)[0] == pytest.approx(worst, abs=1e-9)


def test_arms_end_where_theory_says(rng):
    """Two prototypes come to the value; one never reveals and costs what hiding for ever does."""

    def learn(settings, rate):
        steps = game.riccati(settings.steps)
        plans = [game.random_plan(settings, rng) for _ in range(4)]
        for plan in plans:
            for _ in range(250):
                game.descent_ascent(plan, ODD, steps, rate)
        return min((game.secured(plan, ODD, steps) for plan in plans), key=lambda found: found[0]), steps

    (worth, hidden), steps = learn(ARMS["cams_4"], 1.0)
    assert worth == pytest.approx(game.convexified(ODD, steps), rel=2e-3)
    assert hidden == pytest.approx([1, 1, 0, 0], abs=0.02)
    homing = steps.q[0, 0] * (ODD.prior @ (0.15 - GOALS) ** 2) - steps.q[1, 0] * (ODD.prior @ (-0.1 - GOALS) ** 2)
    (worth, hidden), _ = learn(replace(ARMS["revealed"], steps=4), 0.0)
    assert hidden.max() == 0 and worth == pytest.approx(homing, abs=1e-4)
    (worth, hidden), _ = learn(replace(ARMS["one_prototype"], steps=4), 1.0)
    always = homing + game.spread(ODD.prior) * (steps.loss[0] - steps.loss[1]).sum()
    assert hidden.min() == pytest.approx(1) and worth == pytest.approx(always, abs=1e-4)


def test_trees_of_two_stages():
    prior, cost = np.array([0.3, 0.7]), np.random.default_rng(1).standard_normal((2, 3, 2, 3, 2))
    # types x histories where P1 moves, histories where P2 does
    for seen, leader, nodes, infosets in (
        (True, 0, 18, 2 + 3 + 2 * 6 + 18),
        (False, 0, 18, 2 + 1 + 2 * 6 + 6),
        (True, 1, 12, 1 + 2 * 2 + 6 + 2 * 12),
        (False, 1, 12, 1 + 2 + 6 + 2 * 6),
    ):
        tree = game.staged(prior, cost, seen, leader)
        assert len(tree.turn) == 1 + 2 * (1 + (3 if leader == 0 else 2) + 6 + nodes + 36)
        assert len(tree.player) == infosets
        even = tree.legal / tree.legal.sum(axis=1, keepdims=True)
        mean = prior @ cost.mean(axis=(1, 2, 3, 4))
        assert evaluate(tree, even)[0] == pytest.approx([-mean, mean])
        assert fold(tree) is not None
        assert cfr_plus(tree, 400).average.shape == (infosets, 3)


def test_one_stage_by_hand_and_matching_pennies():
    """Matching pennies in the first stage, one type: unseen, P1 needs both actions; seen, one will do."""
    cost = np.zeros((1, 2, 2, 2, 2)) + np.array([[1.0, -1.0], [-1.0, 1.0]])[None, :, :, None, None]
    one = np.ones(1)
    assert game.narrow_value(one, cost, seen=False, support=2) == pytest.approx(0, abs=1e-9)
    assert game.narrow_value(one, cost, seen=False, support=1) == pytest.approx(1, abs=1e-9)
    assert game.narrow_value(one, cost, seen=True, support=1) == pytest.approx(1, abs=1e-9)
    assert game.narrow_value(one, cost, seen=True, support=2) == pytest.approx(1, abs=1e-9)


def by_supports(prior, matrix, support):
    """One stage of simultaneous moves: the least linear program of P1 over all sets of actions; matrix [I, U, V]."""
    types, us, vs = matrix.shape
    values = []
    for allowed in combinations(range(us), support):
        goal = np.r_[np.zeros(types * us), 1.0]
        rows = np.array([np.r_[(prior[:, None] * matrix[:, :, v]).ravel(), -1.0] for v in range(vs)])
        equal = np.hstack([np.repeat(np.eye(types), us, axis=1), np.zeros((types, 1))])
        bounds = [(0, 1 if u in allowed else 0) for _ in range(types) for u in range(us)] + [(None, None)]
        values.append(linprog(goal, rows, np.zeros(vs), equal, np.ones(types), bounds).fun)
    return min(values)


@pytest.mark.parametrize("support", [1, 2, 3])
def test_a_bound_on_the_support_against_all_supports(rng, support):
    """The second stage pays nothing here, so that only the first one's sets of actions count."""
    prior, matrix = rng.dirichlet(np.ones(2)), rng.standard_normal((2, 3, 3))
    cost = np.broadcast_to(matrix[:, :, :, None, None], (2, 3, 3, 3, 3))
    found = game.narrow_value(prior, cost, seen=False, support=support)
    assert found == pytest.approx(by_supports(prior, matrix, support), abs=1e-6)


def test_branching_goes_on_to_the_end():
    """A game of root seed 0 in which HiGHS by itself stops 2e-5 above the least."""
    rng = generator(0, 8)
    rng.random(3)
    for types in (2, 3, 2, 3):
        prior = rng.dirichlet(np.ones(types))
        cost = rng.standard_normal((types, types + 1, 3, types + 1, 3))
    value = sequence_lp(game.staged(prior, cost, True)).payoffs[0, 1]
    assert game.narrow_value(prior, cost, True, 3) == pytest.approx(value, abs=1e-9)
    assert game.narrow_value(prior, cost, True, 2) > value + 1e-4


@pytest.mark.parametrize("seen", [True, False])
@pytest.mark.parametrize("leader", [0, 1])
def test_without_a_bound_it_is_the_linear_program(rng, seen, leader):
    prior, cost = rng.dirichlet(np.ones(2)), rng.standard_normal((2, 3, 2, 3, 2))
    value = sequence_lp(game.staged(prior, cost, seen, leader)).payoffs[0, 1]
    assert game.narrow_value(prior, cost, seen, 3, leader) == pytest.approx(value, abs=1e-6)
    worse = game.narrow_value(prior, cost, seen, 1, leader) - value
    assert (-1) ** leader * worse >= -1e-6


@pytest.mark.parametrize("support", [1, 2])
def test_with_one_type_either_player_may_lead(rng, support):
    cost, one = rng.standard_normal((1, 3, 2, 3, 2)), np.ones(1)
    mirrored = -cost.transpose(0, 2, 1, 4, 3)
    for seen in (True, False):
        expected = -game.narrow_value(one, mirrored, seen, support)
        assert game.narrow_value(one, cost, seen, support, leader=1) == pytest.approx(expected, abs=1e-6)


def test_the_grid_is_hexners_game():
    steps = game.riccati(2)
    cost = game.on_grid(ODD, steps, 3)
    own, other = 1.2 * steps.gain[0].max(), 1.2 * steps.gain[1].max()
    y, z = 0.15 + 0.375 * own, -0.1 - 0.375 * other + 0.125 * other
    expected = (y - 1) ** 2 - (z - 1) ** 2 + 0.5 * (0.025 * own**2 - 0.1 * 2 * other**2)
    assert cost[0, 2, 0, 1, 2] == pytest.approx(expected, abs=1e-12)
    fine = sequence_lp(game.staged(ODD.prior, game.on_grid(ODD, steps, 7), True)).payoffs[0, 1]
    assert fine == pytest.approx(game.convexified(ODD, steps), abs=0.03)


@pytest.mark.parametrize("arm", ["cams_4", "four_prototypes"])
def test_a_run_cut_short_ends_the_same(arm):
    settings = replace(ARMS[arm], iterations=60, starts=2)
    whole = game.run(settings, np.random.default_rng(3), Notebook())
    cut = Notebook(stop=5)
    with pytest.raises(KeyboardInterrupt):
        game.run(settings, np.random.default_rng(3), cut)
    assert game.run(settings, np.random.default_rng(9), Notebook(cut.state)) == whole


def test_arms_of_a_seed_share_the_start():
    texts = []
    for arm in ("cams_2", "four_prototypes"):
        log = Notebook()
        game.run(replace(ARMS[arm], iterations=1), np.random.default_rng(3), log)
        texts.append(log.text.split("\n")[0])
    assert texts[0] == texts[1] and "P2 believes" in texts[0]


def test_settings_are_checked():
    with pytest.raises(ValueError, match="prototypes is at least 1"):
        Settings(prototypes=0)
    assert isinstance(game.random_plan(Settings(steps=2), np.random.default_rng(0)), Plan) and RECIPE.slug == "cams"
