import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ludus.measure.bradley_terry import bradley_terry
from ludus.measure.elo import elo, elo_scale


@pytest.mark.parametrize(
    ("other", "score", "expected"),
    [(1609, 0, 0.506), (1477, 0.5, 0.686), (1388, 1, 0.785), (1586, 1, 0.539), (1720, 0, 0.351)],
)
def test_a_player_of_1613_is_expected_to_score_as_in_the_usual_example(other, score, expected):
    """The worked example of the encyclopedias, which gives these expectations."""
    after = elo(np.array([[0, 1]]), [score], 2, k=10, start=np.array([1613, other])).rating
    assert after == pytest.approx([1613 + 10 * (score - expected), other - 10 * (score - expected)], abs=5e-3)


def test_one_game_by_hand():
    """Equals expect a half: a win moves 16 of 32 points. Then 1516 expects 1/(1 + 10^(-32/400)) = 0.54592 of 1484."""
    rating = elo(np.array([[0, 1], [0, 1]]), [1, 0.5], 2).history
    assert rating[1] == pytest.approx([1516, 1484])
    assert rating[2, 0] == pytest.approx(1516 + 32 * (0.5 - 0.545922), abs=1e-4)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 3), st.sampled_from([0, 0.5, 1])), max_size=30))
@settings(max_examples=50, deadline=None)
def test_points_are_only_passed_on_and_by_those_who_play(results):
    games = np.array([(own, (own + step) % 4) for own, step, _ in results], np.int64).reshape(-1, 2)
    rating = elo(games, [score for *_, score in results], 4, k=16).history
    assert rating.sum(axis=1) == pytest.approx(6000)
    for before, after, game in zip(rating, rating[1:], games, strict=False):
        idle = np.setdiff1d(np.arange(4), game)
        assert (before[idle] == after[idle]).all() and abs(after - before).max() <= 16


def test_it_depends_on_the_order():
    games, score = np.array([[0, 1], [0, 1]]), np.array([1.0, 0.0])
    first, last = elo(games, score, 2), elo(games, score[::-1], 2)
    assert first.rating[0] < 1500 < last.rating[0]
    assert "depends on the order" in first.method


def test_strengths_on_the_elo_scale_predict_the_same():
    """200 points ahead wins 10^(1/2) times as often as it loses: 760 to 240 (0.76 in the tables of chess)."""
    ratings = bradley_terry([[0, 760], [240, 0]])
    shown = elo_scale(ratings.strength)
    assert shown.mean() == pytest.approx(1500) and np.ptp(shown) == pytest.approx(200, abs=0.5)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"games": np.zeros((2, 3), int)}, r"games: give whole numbers, shape \(E, 2\)"),
        ({"games": np.array([[0, 2]])}, "games: players are numbered 0 to 1; 0 to 2 seen"),
        ({"games": np.array([[1, 1]])}, "games: nobody plays itself; game 0 does"),
        ({"score": [1.5]}, "score: give 1 numbers from 0 to 1"),
        ({"score": [1, 0]}, "score: give 1 numbers from 0 to 1"),
        ({"k": 0}, "k: give the points at stake"),
    ],
)
def test_wrong_arguments_are_refused(change, told):
    with pytest.raises(ValueError, match=told):
        elo(**({"games": np.array([[0, 1]]), "score": [1], "players": 2} | change))
