"""Logit equilibria against closed forms, roots found one by one, and what Gambit prints."""

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import expit, softmax

from ludus import games
from ludus.normal_form import bimatrix, deviations, normal_form, regret
from ludus.solve.logit import logit_equilibrium, logit_path, quantal_response

# Selten (1975), figure 2, in normal form: Gambit's example e02.nfg
SELTEN = normal_form([[[1, 1], [1, 1]], [[0, 2], [0, 3]], [[0, 2], [2, 0]]])
# The branch of this game turns back twice, between rationality 3.615 and 2.056.
TURNING = normal_form([[[1, 8], [3, 5], [8, 6]], [[7, 6], [0, 5], [5, 5]], [[3, 0], [9, 7], [4, 9]]])


def residual(form, profile, rationality):
    """The furthest from the definition: each probability is the softmax of what its strategy earns."""
    responses = [softmax(rationality * worth) for worth in deviations(form, profile)]
    return max(np.abs(own - response).max() for own, response in zip(profile, responses, strict=True))


@pytest.mark.parametrize("rationality", [0.0, 0.3, 2.0, 9.0])
def test_where_one_gains_the_same_whatever_the_other_does(rationality):
    """Deadlock: defecting always gains 2, so that the logit equilibrium is the logistic curve."""
    found = quantal_response(games.form("deadlock"), rationality)
    for strategy in found.profile:
        assert strategy[1] == pytest.approx(expit(2 * rationality), abs=1e-12)
    assert found.residual <= 1e-12 and found.rationality == rationality


@pytest.mark.parametrize("rationality", [0.1, 1.0, 3.0, 20.0])
@pytest.mark.parametrize("prize", [4.0, 9.0])
def test_asymmetric_matching_pennies(prize, rationality):
    """Ochs's games: the root of one equation in one unknown, which is unique since the responses go opposite ways."""
    form = bimatrix([[prize, 0], [0, 1]], [[0, 1], [1, 0]])
    column = lambda row: expit(rationality * ((1 - row) - row))  # noqa: E731
    row = brentq(
        lambda p: p - expit(rationality * (prize * column(p) - (1 - column(p)))), 0.0, 1.0, xtol=1e-15, rtol=1e-14
    )
    found = quantal_response(form, rationality).profile
    assert found[0][0] == pytest.approx(row, abs=1e-9) and found[1][0] == pytest.approx(column(row), abs=1e-9)


@pytest.mark.parametrize(
    ("rationality", "row", "column"),
    [
        (0.022853, [0.335873, 0.328284, 0.335843], [0.501962, 0.498038]),
        (0.139346, [0.348902, 0.303519, 0.347578], [0.51364, 0.48636]),
        (735614.794714, [1, 0, 4.40659e-11], [0.500016, 0.499984]),
        (1077013.665501, [1, 0, 2.11883e-11], [0.500011, 0.499989]),
    ],
)
def test_points_that_gambit_publishes(rationality, row, column):
    """The Gambit manual, gambit-logit, on e02.nfg: six digits."""
    found = quantal_response(SELTEN, rationality).profile
    assert found[0] == pytest.approx(row, abs=6e-7) and found[1] == pytest.approx(column, abs=6e-7)
    assert found[0][2] == pytest.approx(row[2], rel=2e-6)


def test_a_branch_that_turns_back():
    """Gambit 16.7's logit_solve_lambda gives these points before and after the two turns."""
    path = logit_path(TURNING, precision=1e-6)
    rationality = path.rationality
    peak = int(np.argmax(np.diff(rationality) < 0))
    assert rationality[peak] == pytest.approx(3.615, abs=0.01) and rationality[peak:].min() < 2.1
    for place, now in enumerate(rationality):
        profile = tuple(each[place] for each in path.profiles)
        assert residual(TURNING, profile, now) < 1e-7  # points of the path are Newton's, not polished
    before, after = quantal_response(TURNING, 0.5), quantal_response(TURNING, 5.0)
    assert before.profile[0] == pytest.approx([0.417262499, 0.184820138, 0.397917363], abs=2e-9)
    assert before.profile[1] == pytest.approx([0.152370579, 0.29908342, 0.548546001], abs=2e-9)
    assert after.profile[1] == pytest.approx([0.986703289, 0.006648355, 0.006648356], abs=2e-9)


@pytest.mark.parametrize(
    "sizes", [(2, 2), (3, 3), (4, 2), (6, 6), (2, 1, 2), (2, 2, 2), (3, 2, 3), (2, 2, 2, 2), (4,)], ids=str
)
def test_random_games(sizes):
    """The end of the branch is an equilibrium, and a point on the way is what the definition says."""
    payoff = np.random.default_rng(sizes).normal(size=(*sizes, len(sizes)))
    form = normal_form(payoff)
    answer = logit_equilibrium(form)
    assert answer.regret[0] == regret(form, answer.profiles[0]) <= 1e-8 * np.ptp(payoff)
    assert not answer.complete and "others are not looked for" in answer.note
    found = quantal_response(form, 2.0)
    assert found.residual == residual(form, found.profile, 2.0) <= 1e-9


def test_two_by_two_games_end_in_the_risk_dominant_equilibrium():
    """Turocy (2005): the equilibrium with the greater product of losses by leaving it alone."""
    rng = np.random.default_rng(0)
    for _ in range(8):
        a, b, c, d = rng.uniform(1, 4, 4)  # what leaving either equilibrium costs either player
        form = bimatrix([[a, 0], [0, b]], [[c, 0], [0, d]])
        profile = logit_equilibrium(form, 1e-6).profiles[0]
        assert (profile[0][0] > 0.99) == (profile[1][0] > 0.99) == (a * c > b * d)


def test_the_unit_of_payoff_is_the_inverse_of_that_of_rationality():
    found = quantal_response(normal_form(1000 * SELTEN.payoff + 7), 0.0005).profile
    for one, other in zip(found, quantal_response(SELTEN, 0.5).profile, strict=True):
        assert one == pytest.approx(other, abs=1e-12)


def test_forks_are_crossed_straight_on():
    """Chicken is symmetric: its branch forks, and the straight arm leads to the mixed equilibrium."""
    answer = logit_equilibrium(games.form("chicken"))
    assert answer.profiles[0][0] == pytest.approx([0.9, 0.1], abs=1e-6)
    assert answer.profiles[0][0] == pytest.approx(answer.profiles[0][1], abs=1e-9)


def test_a_game_in_which_nothing_matters_is_played_evenly():
    answer = logit_equilibrium(normal_form(np.full((2, 3, 2), 5.0)))
    assert [each.tolist() for each in answer.profiles[0]] == [[0.5, 0.5], [1 / 3] * 3] and answer.iterations == 0


def test_what_is_asked_too_much_is_said():
    path = logit_path(TURNING, limit=3)
    assert len(path.rationality) == 4 and path.note == "stopped after 3 steps"
    assert logit_equilibrium(TURNING, limit=3).note == "stopped after 3 steps"
    with pytest.raises(ValueError, match=r"rationality: the branch was followed to 0\.0.*not to 5 .*3 steps.*limit="):
        quantal_response(TURNING, 5.0, limit=3)
    with pytest.raises(ValueError, match="rationality: a number of at least 0 is needed, not -1"):
        quantal_response(TURNING, -1.0)
    with pytest.raises(ValueError, match="precision, rationality, limit: "):
        logit_path(TURNING, precision=float("nan"))
