import numpy as np
import pytest

from ludus.measure.empirical_payoff import EmpiricalPayoff, from_results, redrawn


def test_redrawn_means_spread_like_students_t():
    """Mean 3, variance 20 of 10 games: standard error sqrt 2, and t with 9 degrees has variance 9/7."""
    table = EmpiricalPayoff(np.array([[0, 3.0], [1.0, 0]]), np.full((2, 2), 20.0), np.full((2, 2), 10))
    tables = redrawn(table, np.random.default_rng(0), 40_000)
    assert tables[:, 0, 1].mean() == pytest.approx(3, abs=0.03)
    assert tables[:, 0, 1].var() == pytest.approx(2 * 9 / 7, rel=0.05)
    low, high = np.quantile(tables[:, 0, 1], [0.025, 0.975])
    assert (high - low) / 2 == pytest.approx(2.262 * np.sqrt(2), rel=0.03)  # t of 9 degrees, 97.5%: tables of Student


def test_the_two_sides_of_a_game_stay_together():
    mean = np.array([[0, 2.0, -1], [-2, 0, 3], [1, -3, 0]])
    tables = redrawn(EmpiricalPayoff(mean, np.ones((3, 3)), np.full((3, 3), 5)), np.random.default_rng(0), 100)
    assert (tables == -tables.transpose(0, 2, 1)).all() and tables[:, 0, 1].std() > 0.3
    two = np.stack([np.arange(6.0).reshape(2, 3), 7 - np.arange(6.0).reshape(2, 3)], axis=-1)
    tables = redrawn(EmpiricalPayoff(two, np.ones(two.shape), np.full(two.shape, 5)), np.random.default_rng(0), 100)
    assert tables.sum(axis=-1) == pytest.approx(7) and tables[:, 0, 0, 0].std() > 0.3
    three = np.random.default_rng(0).normal(size=(2, 2))
    tables = redrawn(EmpiricalPayoff(three, np.ones((2, 2)), np.full((2, 2), 5)), np.random.default_rng(0), 300)
    assert abs(np.corrcoef(tables[:, 0, 1], tables[:, 1, 0])[0, 1]) < 0.2


def test_what_has_no_variance_stays():
    table = EmpiricalPayoff(np.array([[0, 3.0], [1.0, 0]]), np.zeros((2, 2)), np.ones((2, 2)))
    assert (redrawn(table, np.random.default_rng(0), 100) == table.mean).all()


def test_results_of_a_tournament():
    """6 wins, 2 losses and 2 draws of 10: mean (6 - 2) / 20. With half a win more each, 6.5 and 2.5 of 11."""
    table = from_results([[0, 6], [2, 0]], [[0, 2], [2, 0]])
    assert table.mean[0, 1] == pytest.approx(0.2) and table.mean[1, 0] == pytest.approx(-0.2)
    outcomes = np.r_[np.full(13, 0.5), np.full(5, -0.5), np.zeros(4)]  # in halves of a game
    assert table.variance[0, 1] == table.variance[1, 0] == pytest.approx(outcomes.var())
    assert (table.games == [[2, 10], [10, 2]]).all()
    assert from_results([[0, 5], [0, 0]]).variance[0, 1] > 0


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"mean": np.zeros((2, 3))}, "mean: give float64"),
        ({"mean": np.array([[0, np.nan], [0, 0]])}, r"mean: give a finite mean everywhere; \[0 1\]"),
        ({"variance": np.ones(3)}, "variance: give the shape of mean"),
        ({"variance": -np.ones((2, 2))}, "variance: give numbers of zero or more; -1"),
        ({"games": np.ones((2, 2))}, "games: two or more wherever there is variance; 1 seen"),
    ],
)
def test_wrong_tables_are_refused(change, told):
    parts = {"mean": np.zeros((2, 2)), "variance": np.ones((2, 2)), "games": np.full((2, 2), 2)} | change
    with pytest.raises(ValueError, match=told):
        redrawn(EmpiricalPayoff(**parts), np.random.default_rng(0), 100)
    with pytest.raises(ValueError, match="samples: 100 or more"):
        redrawn(EmpiricalPayoff(np.zeros((2, 2)), np.ones((2, 2)), np.full((2, 2), 2)), np.random.default_rng(0), 5)


def test_pairs_that_hardly_met_are_refused():
    with pytest.raises(ValueError, match=r"wins: every pair must meet twice.*players 0 and 1 met 1 times"):
        from_results([[0, 1], [0, 0]])
    with pytest.raises(ValueError, match="wins: give a square table"):
        from_results([[0, 1]])
