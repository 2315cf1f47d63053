import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tests import ratings_naive

from ludus.games import form
from ludus.measure.alpha_rank import alpha_rank, sampled_alpha_rank
from ludus.measure.empirical_payoff import EmpiricalPayoff, from_results

PAYOFFS = st.integers(-20, 20).map(lambda n: n / 10)
ROCK_PAPER_SCISSORS = np.array([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]])


@given(st.integers(2, 5).flatmap(lambda m: arrays(float, (m, m), elements=PAYOFFS)), st.sampled_from([0.1, 0.7]))
@settings(max_examples=40, deadline=None)
def test_one_population_agrees_with_the_slow_way(payoff, alpha):
    assert alpha_rank(payoff, alpha, size=5).mass == pytest.approx(
        ratings_naive.alpha_rank([payoff], alpha, 5), abs=1e-7
    )


@given(
    st.lists(st.integers(1, 3), min_size=2, max_size=3).flatmap(
        lambda shape: arrays(float, (*shape, len(shape)), elements=PAYOFFS)
    )
)
@settings(max_examples=40, deadline=None)
def test_several_populations_agree_with_the_slow_way(payoff):
    found = alpha_rank(payoff, 0.4, size=4)
    assert found.mass.shape == payoff.shape[:-1] and found.kind == "exact" and found.interval is None
    if found.mass.size > 1:
        tables = [payoff[..., player] for player in range(payoff.shape[-1])]
        assert found.mass.ravel() == pytest.approx(ratings_naive.alpha_rank(tables, 0.4, 4), abs=1e-7)


def test_two_strategies_by_hand():
    """rho(u) / rho(-u) = exp((m - 1) u): so many times more mass on the better one."""
    payoff = np.array([[0, 0.3], [0.1, 0]])
    mass = alpha_rank(payoff, alpha=2, size=8).mass
    assert mass[0] / mass[1] == pytest.approx(np.exp(7 * 2 * 0.2))


@pytest.mark.parametrize("alpha", [1e-9, 0.3, 10, 1e4, np.inf])
def test_rock_paper_scissors_is_shared_equally(alpha):
    """Omidshafiei et al. (2019): the masses are a third each, whatever alpha."""
    found = alpha_rank(ROCK_PAPER_SCISSORS, alpha)
    assert found.mass == pytest.approx([1 / 3] * 3) and found.sinks == 1


def test_a_dominant_strategy_takes_all_and_many_sinks_are_counted():
    prisoners = form("prisoners_dilemma").payoff
    assert alpha_rank(prisoners).mass[1, 1] == pytest.approx(1, abs=1e-5)
    assert alpha_rank(prisoners[..., 0]).mass == pytest.approx([0, 1], abs=1e-5)
    coordination = alpha_rank(np.stack([np.eye(2), np.eye(2)], axis=-1))
    assert coordination.sinks == 2 and coordination.mass == pytest.approx(np.eye(2) / 2, abs=1e-5)
    assert alpha_rank(np.zeros((3, 3))).mass == pytest.approx([1 / 3] * 3)


def test_large_alpha_comes_near_the_limit_where_there_is_one_sink():
    payoff = np.random.default_rng(3).integers(-5, 6, (6, 6)) / 1.0
    payoff += ROCK_PAPER_SCISSORS.repeat(2, 0).repeat(2, 1) * 100
    limit = alpha_rank(payoff, epsilon=1e-9)
    assert limit.sinks == 1
    assert alpha_rank(payoff, alpha=50).mass == pytest.approx(limit.mass, abs=1e-6)


def test_chains_that_fall_apart_in_floating_point_are_solved_in_logarithms():
    """Two populations coordinate on 3 or on 1. The way from one to the other has two jumps, losing 3 (or 1) and then
    gaining 1 (or 3), so that by balance the masses are as exp(alpha (m - 1) 3) to exp(alpha (m - 1) 1)."""
    payoff = np.stack([np.diag([3.0, 1.0])] * 2, axis=-1)
    mild, hard = alpha_rank(payoff, alpha=0.01), alpha_rank(payoff, alpha=100)
    assert "logarithms" in hard.method and "logarithms" not in mild.method
    assert mild.mass[0, 0] / mild.mass[1, 1] == pytest.approx(np.exp(0.01 * 49 * 2))
    assert hard.mass == pytest.approx(np.array([[1.0, 0], [0, 0]])) and hard.sinks == 2


def test_both_eliminations_agree():
    payoff = np.random.default_rng(0).normal(size=(12, 12))
    from ludus.measure.alpha_rank import _eliminate, _eliminate_logarithms, _log_fixation

    rate = _log_fixation(payoff.T - payoff, 6)
    np.fill_diagonal(rate, -np.inf)
    plain, logarithmic = np.zeros(12), np.zeros(12)
    assert _eliminate(np.exp(rate), plain)
    _eliminate_logarithms(rate, logarithmic)
    assert plain == pytest.approx(logarithmic, rel=1e-10)


@given(arrays(float, (4, 4), elements=PAYOFFS), st.permutations(range(4)), st.floats(-5, 5))
@settings(max_examples=40, deadline=None)
def test_names_do_not_matter_nor_a_constant(payoff, order, constant):
    mass = alpha_rank(payoff, 0.5).mass
    assert alpha_rank(payoff[np.ix_(order, order)] + constant, 0.5).mass == pytest.approx(mass[order], abs=1e-9)


def test_intervals_close_as_games_are_played():
    mean, rng = np.array([[0, 0.1, -0.4], [-0.1, 0, -0.3], [0.4, 0.3, 0]]), np.random.default_rng(0)
    widths = []
    for games in (4, 400):
        table = EmpiricalPayoff(mean, np.full((3, 3), 0.2), np.full((3, 3), games))
        found = sampled_alpha_rank(table, rng, alpha=0.1, samples=200)
        low, high = found.interval.T
        assert found.kind == "sampled" and (low <= found.mass).all() and (found.mass <= high).all()
        assert found.mass == pytest.approx(alpha_rank(mean, 0.1).mass)
        widths.append(high - low)
    assert (widths[1] < widths[0] / 3).all()


def test_what_the_games_leave_open_is_open_in_the_limit_too():
    found = sampled_alpha_rank(from_results([[0, 6], [5, 0]]), np.random.default_rng(0), samples=200)
    assert found.mass == pytest.approx([1, 0], abs=1e-5) and found.interval == pytest.approx(
        np.array([[0, 1], [0, 1]]), abs=1e-4
    )


@pytest.mark.parametrize(
    ("payoff", "options", "told"),
    [
        (np.zeros((2, 3)), {}, r"payoff: give float64.*\(2, 3\) seen"),
        (np.zeros((2, 3, 3)), {}, "payoff: 2 populations choose"),
        (np.full((2, 2), np.nan), {}, "payoff: give a finite number everywhere"),
        (np.zeros((100, 100, 2)), {}, "payoff: 10000 combinations are more than the 5000"),
        (np.zeros((2, 2)), {"alpha": 0}, "alpha: give a number above zero"),
        (np.zeros((2, 2)), {"size": 1}, "size: give a population of 2 or more"),
        (np.zeros((2, 2)), {"epsilon": 0.5}, "epsilon: give a number between"),
    ],
)
def test_wrong_arguments_are_refused(payoff, options, told):
    with pytest.raises(ValueError, match=told):
        alpha_rank(payoff, **options)
