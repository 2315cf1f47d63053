import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import entropy
from tests import ratings_naive

from ludus.measure.empirical_payoff import EmpiricalPayoff, from_results
from ludus.measure.nash_averaging import nash_average, sampled_nash_average

ROCK_PAPER_SCISSORS = np.array([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]])


@st.composite
def antisymmetric(draw, most=6, whole=3):
    size = draw(st.integers(1, most))
    upper = np.triu(draw(arrays(float, (size, size), elements=st.integers(-whole, whole))), 1)
    return upper - upper.T


def test_a_copy_of_a_player_changes_nothing():
    """Balduzzi et al. (2018): of A, B and C in a circle, 4.6 log odds each, and then a copy of C, the
    equilibria are a third each, and a third, a third and two sixths; everybody is rated zero."""
    circle = 4.6 * ROCK_PAPER_SCISSORS
    found = nash_average(circle)
    assert found.mass == pytest.approx([1 / 3] * 3) and found.rating == pytest.approx([0] * 3, abs=1e-9)
    copied = nash_average(circle[np.ix_([0, 1, 2, 2], [0, 1, 2, 2])])
    assert copied.mass == pytest.approx([1 / 3, 1 / 3, 1 / 6, 1 / 6]) and copied.rating == pytest.approx(
        [0] * 4, abs=1e-9
    )


def test_where_one_beats_all_the_others_lose_to_it():
    order = np.array([[0.0, 1, 3], [-1, 0, 1], [-3, -1, 0]])
    found = nash_average(order)
    assert found.mass == pytest.approx([1, 0, 0]) and found.rating == pytest.approx([0, -1, -3])
    assert found.kind == "exact" and found.interval is None


@given(antisymmetric())
@settings(max_examples=100, deadline=None)
def test_it_is_an_equilibrium_and_none_is_more_even(payoff):
    found = nash_average(payoff)
    assert found.rating == pytest.approx(payoff @ found.mass) and found.rating.max() < 1e-8
    assert found.mass.sum() == pytest.approx(1) and found.mass.min() >= 0
    slow = ratings_naive.most_even_equilibrium(payoff)
    if (payoff @ slow).max() < 1e-7:  # where the general optimiser comes to an end; it may stop early on a flat top
        assert entropy(found.mass) >= entropy(slow) - 1e-6


@given(antisymmetric(), st.data())
@settings(max_examples=50, deadline=None)
def test_names_units_and_copies_do_not_matter(payoff, data):
    found, players = nash_average(payoff), len(payoff)
    order = data.draw(st.permutations(range(players)))
    assert nash_average(7 * payoff[np.ix_(order, order)]).mass == pytest.approx(found.mass[order], abs=1e-5)
    twice = [*range(players), data.draw(st.integers(0, players - 1))]
    again = nash_average(payoff[np.ix_(twice, twice)])
    if _alone(payoff):
        assert again.rating == pytest.approx(found.rating[twice], abs=1e-4)
    assert again.mass[-1] == pytest.approx(again.mass[twice[-1]], abs=1e-5)


def _alone(payoff):
    """Whether there is but one equilibrium: then a copy only shares in it. Of several, one copied counts for more."""
    held = nash_average(payoff).mass > 0
    inner = payoff[np.ix_(held, held)]
    return np.linalg.matrix_rank(inner) == len(inner) - 1


def test_a_barrier_that_matters():
    """The two equal players would each be held by a half, but a third gains against the first: 2/3 of it gains nothing
    only with 2/3 or more of the second."""
    payoff = np.array([[0.0, 0, -2], [0, 0, 1], [2, -1, 0]])
    found = nash_average(payoff)
    assert found.mass == pytest.approx([1 / 3, 2 / 3, 0], abs=1e-6)


def test_many_players_at_once():
    found = nash_average(np.kron(ROCK_PAPER_SCISSORS, np.ones((40, 40))))
    assert found.mass == pytest.approx(np.full(120, 1 / 120), abs=1e-6)


def test_intervals_close_as_games_are_played():
    mean, rng = np.array([[0, 1.0, 3], [-1, 0, 1], [-3, -1, 0]]), np.random.default_rng(0)
    widths = []
    for games in (10, 1000):
        table = EmpiricalPayoff(mean, np.ones((3, 3)), np.full((3, 3), games))
        found = sampled_nash_average(table, rng, samples=100)
        low, high = found.interval.T
        assert found.kind == "sampled" and found.rating == pytest.approx([0, -1, -3])
        assert (low <= found.rating + 1e-9).all() and (found.rating <= high + 1e-9).all()
        widths.append((high - low)[1:])
    assert (widths[1] < widths[0] / 5).all()
    assert found.mass_interval == pytest.approx(np.array([[1, 1], [0, 0], [0, 0]]))


def test_an_even_match_leaves_open_whom_the_mixture_holds():
    found = sampled_nash_average(from_results([[0, 6], [5, 0]]), np.random.default_rng(0), samples=100)
    assert found.mass == pytest.approx([1, 0]) and found.mass_interval == pytest.approx(np.array([[0, 1], [0, 1]]))


@pytest.mark.parametrize(
    ("payoff", "told"),
    [
        (np.zeros((2, 3)), r"payoff: give a square table.*\(2, 3\)"),
        (np.zeros((0, 0)), "payoff: give a square table"),
        (np.full((2, 2), np.inf), "payoff: give a finite number"),
        (np.array([[0, 0.6], [0.4, 0]]), r"payoff: what one wins the other loses.*0\.6 and 0\.4 seen at \(0, 1\)"),
        (np.eye(2), "payoff: what one wins the other loses"),
    ],
)
def test_wrong_tables_are_refused(payoff, told):
    with pytest.raises(ValueError, match=told):
        nash_average(payoff)
