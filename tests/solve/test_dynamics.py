"""Dynamics against closed forms, conserved quantities, the plain equations, and logit equilibria."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.special import expit

from ludus import games
from ludus.normal_form import bimatrix, deviations, normal_form
from ludus.solve.dynamics import logit_dynamics, multiplicative_weights, replicator
from ludus.solve.logit import quantal_response

PENNIES, ROCK = games.form("matching_pennies"), games.form("rock_paper_scissors")


def plain(form, start, times, rate):
    """The equations as they are written, in the shares themselves, by another integrator."""
    sizes = np.cumsum([len(each) for each in start])[:-1]

    def slope(_, flat):
        shares = tuple(np.abs(each) / np.abs(each).sum() for each in np.split(flat, sizes))
        return np.concatenate([rate(x, u) for x, u in zip(shares, deviations(form, shares), strict=True)])

    found = solve_ivp(slope, (times[0], times[-1]), np.concatenate(start), "LSODA", times, rtol=1e-9, atol=1e-11)
    return np.split(found.y.T, sizes, axis=1)


def taylor(shares, earned):
    return shares * (earned - shares @ earned)


@pytest.mark.parametrize("sizes", [(2, 3), (3, 3), (2, 2, 3)])
def test_replicator_is_the_equation(sizes):
    rng = np.random.default_rng(sizes)
    form, times = normal_form(rng.normal(size=(*sizes, len(sizes)))), np.linspace(0, 4, 5)
    start = tuple(rng.dirichlet(np.ones(size)) for size in sizes)
    for found, other in zip(replicator(form, start, times).profiles, plain(form, start, times, taylor), strict=True):
        assert found == pytest.approx(other, abs=1e-7)


def test_a_dominant_strategy_grows_logistically():
    """Deadlock: defecting earns 2 more whatever the others do, so that x' = 2 x (1 - x)."""
    times = np.array([0.0, 0.5, 1.0, 3.0, 12.0])
    found = replicator(games.form("deadlock"), np.array([0.9, 0.1]), times)
    assert found.profiles[0][:, 1] == pytest.approx(expit(np.log(0.1 / 0.9) + 2 * times), abs=1e-9)
    assert found.times.tolist() == times.tolist() and len(found.profiles) == 1


def test_orbits_of_rock_paper_scissors():
    """One population, zero-sum: the product of the shares never changes (Hofbauer and Sigmund 1998), and
    averaged over time the shares come near a third."""
    times = np.linspace(0, 100, 501)
    (shares,) = replicator(ROCK, np.array([0.7, 0.2, 0.1]), times).profiles
    assert shares.prod(axis=1) == pytest.approx(0.014, abs=1e-9)
    assert shares.mean(axis=0) == pytest.approx(1 / 3, abs=0.03)
    assert np.ptp(shares, axis=0).min() > 0.5  # it does go round


def test_orbits_of_two_populations():
    """Zero-sum with an inner equilibrium p, q: sum of p_i ln x_i and q_j ln y_j never changes (Hofbauer 1996)."""
    form = bimatrix([[3, -1], [-1, 1]])
    balance = np.array([1 / 3, 2 / 3])  # makes the other indifferent: 3 p - (1 - p) = -p + (1 - p)
    start = (np.array([0.9, 0.1]), np.array([0.4, 0.6]))
    rows, columns = replicator(form, start, np.linspace(0, 15, 31)).profiles
    level = np.log(rows) @ balance + np.log(columns) @ balance
    assert level == pytest.approx(level[0], abs=1e-8) and np.ptp(rows[:, 0]) > 0.5


def test_shares_stay_probabilities_and_what_nobody_plays_stays_out():
    start = (np.array([0.5, 0.0, 0.5]), np.array([0.0, 1.0, 0.0]))
    for shares in replicator(ROCK, start, [0, 10, 1000]).profiles:
        assert (shares >= 0).all() and shares.sum(axis=1) == pytest.approx(1, abs=1e-12)
        assert (shares[:, np.flatnonzero(shares[0] == 0)] == 0).all()
    (shares,) = replicator(games.form("hawk_dove"), np.array([0.01, 0.99]), [0, 40]).profiles
    assert shares[1] == pytest.approx([2 / 3, 1 / 3], abs=1e-9)


def test_one_population_of_three_players():
    """Three volunteers: waiting and volunteering earn the same where each waits with probability 1 / 2."""
    (shares,) = replicator(games.form("volunteers_dilemma"), np.array([0.9, 0.1]), [0, 30]).profiles
    assert shares[1] == pytest.approx([0.5, 0.5], abs=1e-9)


@pytest.mark.parametrize("rationality", [0.0, 1.0, 4.0])
def test_logit_dynamics_is_the_equation(rationality):
    rng = np.random.default_rng(1)
    form, times = normal_form(rng.normal(size=(3, 2, 2))), np.linspace(0, 3, 4)
    start = (np.array([0.0, 0.3, 0.7]), np.array([1.0, 0.0]))

    def rate(shares, earned):
        answer = np.exp(rationality * earned)
        return answer / answer.sum() - shares

    found = logit_dynamics(form, start, rationality, times).profiles
    for one, other in zip(found, plain(form, start, times, rate), strict=True):
        assert one == pytest.approx(other, abs=1e-7)
        assert one.sum(axis=1) == pytest.approx(1, abs=1e-12) and (one >= 0).all()


@pytest.mark.parametrize("name", ["inspection", "deadlock", "matching_pennies"])
def test_logit_dynamics_come_to_rest_in_the_logit_equilibrium(name):
    """Of these games there is one logit equilibrium, and every path leads there."""
    form = games.form(name)
    found = logit_dynamics(form, (np.array([0.9, 0.1]), np.array([0.2, 0.8])), 1.5, [0, 60]).profiles
    for shares, rest in zip(found, quantal_response(form, 1.5).profile, strict=True):
        assert shares[-1] == pytest.approx(rest, abs=1e-8)


def test_a_step_of_multiplicative_weights():
    """Matching pennies against three quarters heads: heads earn 1/2, tails -1/2; the others earn 0."""
    found = multiplicative_weights(PENNIES, (np.array([0.5, 0.5]), np.array([0.75, 0.25])), 2.0, 1)
    assert found.profiles[0][1] == pytest.approx([expit(2.0), expit(-2.0)], abs=1e-12)
    assert found.profiles[1][1] == pytest.approx([0.75, 0.25], abs=1e-12) and found.times.tolist() == [0.0, 1.0]


def test_small_steps_of_multiplicative_weights_follow_the_replicator():
    start = np.array([0.7, 0.2, 0.1])
    (smooth,) = replicator(ROCK, start, [0, 2]).profiles
    errors = []
    for steps in (200, 400):
        (shares,) = multiplicative_weights(ROCK, start, 2 / steps, steps).profiles
        errors.append(np.abs(shares[-1] - smooth[-1]).max())
    assert errors[0] < 0.01 and errors[0] / errors[1] == pytest.approx(2, abs=0.1)  # of first order


def test_what_is_refused():
    half = np.array([0.5, 0.5])
    with pytest.raises(ValueError, match="start: one population needs a game that is the same from every seat"):
        replicator(PENNIES, half, [0, 1])
    with pytest.raises(ValueError, match="profile: "):
        replicator(PENNIES, (half, np.ones(3) / 3), [0, 1])
    for times in ([], [1.0, 0.5], [0, np.nan], 3.0):
        with pytest.raises(ValueError, match="times: rising moments"):
            replicator(PENNIES, (half, half), times)
    with pytest.raises(ValueError, match="rationality: "):
        logit_dynamics(PENNIES, (half, half), -1.0, [0, 1])
    with pytest.raises(ValueError, match="rate, steps: "):
        multiplicative_weights(PENNIES, (half, half), 0.0, 5)
    assert replicator(PENNIES, (half, half), [3.0]).profiles[0].tolist() == [[0.5, 0.5]]
