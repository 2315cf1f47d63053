import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tests import ratings_naive

from ludus.measure.bradley_terry import bradley_terry, counted, lead, rate

# Milwaukee, Detroit, Toronto, New York, Boston, Cleveland, Baltimore
BASEBALL = np.array(
    [
        [0, 7, 9, 7, 7, 9, 11],
        [6, 0, 7, 5, 11, 9, 9],
        [4, 6, 0, 7, 7, 8, 12],
        [6, 8, 6, 0, 6, 7, 10],
        [6, 2, 6, 7, 0, 7, 12],
        [4, 4, 5, 6, 6, 0, 6],
        [2, 4, 1, 3, 1, 7, 0],
    ]
)


def test_baseball_of_1987_is_rated_as_in_the_textbook():
    """Agresti (1990), "Categorical data analysis", section 10.6: the American League East, against Baltimore."""
    ratings = bradley_terry(BASEBALL)
    told = [1.581, 1.436, 1.294, 1.248, 1.108, 0.684, 0.0]
    assert ratings.strength - ratings.strength[-1] == pytest.approx(told, abs=6e-4)
    assert ratings.draw == 0 and not ratings.component.any() and (ratings.games == 78).all()
    assert np.isnan(ratings.interval).all()


@st.composite
def tournaments(draw, most_players=6):
    """Wins and ties, whole numbers of games."""
    size = draw(st.integers(2, most_players))
    wins = draw(arrays(np.int64, (size, size), elements=st.integers(0, 4)))
    ties = np.triu(draw(arrays(np.int64, (size, size), elements=st.integers(0, 4))), 1)
    np.fill_diagonal(wins, 0)
    return wins, ties + ties.T


@given(tournaments())
@settings(max_examples=60, deadline=None)
def test_components_are_who_reaches_each_other_and_are_rated_apart(tournament):
    wins, ties = tournament
    ratings = bradley_terry(wins, ties)
    together = ratings.component[:, None] == ratings.component
    assert (together == ratings_naive.components(wins, ties)).all()
    for number in range(ratings.component.max() + 1):
        own = np.flatnonzero(ratings.component == number)
        alone = bradley_terry(wins[np.ix_(own, own)], ties[np.ix_(own, own)])
        assert ratings.strength[own].mean() == pytest.approx(0, abs=1e-12)
        assert ratings.strength[own] == pytest.approx(alone.strength, abs=1e-9)


@given(tournaments(most_players=4))
@settings(max_examples=15, deadline=None)
def test_agrees_with_the_slow_way(tournament):
    wins, ties = tournament
    assume(ratings_naive.components(wins, ties).all())
    halves = wins + ties / 2
    assert bradley_terry(halves).strength == pytest.approx(ratings_naive.hunter(halves), abs=1e-5)
    ratings = bradley_terry(wins, ties)
    if ties.any() and "half wins" not in ratings.method:
        strength, draw = ratings_naive.davidson(wins, ties)
        assert ratings.strength == pytest.approx(strength, abs=1e-4)
        assert ratings.draw == pytest.approx(draw, rel=1e-3)


@given(tournaments(), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_names_and_order_do_not_matter(tournament, random):
    wins, ties = tournament
    order = list(range(len(wins)))
    random.shuffle(order)
    ratings = bradley_terry(wins, ties)
    again = bradley_terry(wins[np.ix_(order, order)], ties[np.ix_(order, order)])
    assert again.strength == pytest.approx(ratings.strength[order], abs=1e-8)
    assert again.draw == pytest.approx(ratings.draw, rel=1e-8)
    same = ratings.component[order][:, None] == ratings.component[order]
    assert ((again.component[:, None] == again.component) == same).all()


@given(tournaments())
@settings(max_examples=60, deadline=None)
def test_turned_round_and_played_thrice(tournament):
    """Losing instead of winning turns every sign; the same results three times over move nothing."""
    wins, ties = tournament
    ratings = bradley_terry(wins, ties)
    turned = bradley_terry(wins.T, ties)
    assert turned.strength == pytest.approx(-ratings.strength, abs=1e-8)
    assert turned.draw == pytest.approx(ratings.draw, rel=1e-8)
    thrice = bradley_terry(3 * wins, 3 * ties)
    assert thrice.strength == pytest.approx(ratings.strength, abs=1e-8)
    assert thrice.draw == pytest.approx(ratings.draw, rel=1e-8)


@given(tournaments(), st.integers(0, 5), st.integers(0, 5), st.integers(1, 5))
@settings(max_examples=60, deadline=None)
def test_equals_who_draw_stay_equal(tournament, one, other, draws):
    """Two players with the same results against everybody: drawing with each other leaves them equal."""
    wins, ties = tournament
    one, other = one % len(wins), other % len(wins)
    assume(one != other)
    for table in (wins, ties):
        table[other], table[:, other] = table[one], table[:, one]
        table[one, other] = table[other, one] = table[other, other] = 0
    ties[one, other] = ties[other, one] = draws
    ratings = bradley_terry(wins, ties)
    assert ratings.component[one] == ratings.component[other]
    assert ratings.strength[one] == pytest.approx(ratings.strength[other], abs=1e-8)


def test_a_draw_between_equals_moves_nobody():
    """As half a win for each; a draw that is told as one also raises nu, which the others' strengths depend on."""
    before = BASEBALL + 0.0
    before[1, 2:], before[2:, 1] = before[0, 2:], before[2:, 0]  # the second team is the first one's double
    before[0, 1] = before[1, 0] = 6.5
    after = before.copy()
    after[0, 1] += 0.5
    after[1, 0] += 0.5
    assert bradley_terry(after).strength == pytest.approx(bradley_terry(before).strength, abs=1e-9)


def test_groups_that_never_met_are_rated_apart():
    """Whatever happens in one group, draws and nu included, leaves the other as it was."""
    one, other = BASEBALL[:4, :4], np.array([[0, 3, 1], [1, 0, 2], [1, 1, 0]])
    ties = np.zeros((7, 7))
    ties[4, 5] = ties[5, 4] = 2
    wins = np.zeros((7, 7))
    wins[:4, :4], wins[4:, 4:] = one, other
    ratings = bradley_terry(wins, ties)
    assert list(ratings.component) == [0, 0, 0, 0, 1, 1, 1]
    assert ratings.strength[:4] == pytest.approx(bradley_terry(one).strength, abs=1e-9)
    assert ratings.strength[4:] == pytest.approx(bradley_terry(other, ties[4:, 4:]).strength, abs=1e-9)


def test_who_won_all_games_stands_above_the_others_by_an_open_interval():
    """10 wins in 10 games: probability 1/2 and 2.5% at win probabilities 0.5^(1/10) and 0.025^(1/10)."""
    wins = np.array([[0, 5, 5], [0, 0, 4], [0, 4, 0]])
    ratings = rate(wins, None, np.random.default_rng(0), 200)
    assert list(ratings.component) == [0, 1, 1] and ratings.strength == pytest.approx([0, 0, 0], abs=1e-9)
    assert np.isinf(ratings.interval[0]).all() and np.isfinite(ratings.interval[1:]).all()
    value = lead(wins, None, ratings, above=0, below=1)
    for seen, probability in ((value.number, 0.5), (value.interval[0], 0.025)):
        assert 10 * np.log(1 / (1 + np.exp(-seen))) == pytest.approx(np.log(probability))
    assert value.interval[1] == np.inf and value.kind == "sampled"
    with pytest.raises(ValueError, match="component 1 won no game against component 0"):
        lead(wins, None, ratings, above=1, below=0)


def test_winners_are_numbered_first():
    wins = np.zeros((4, 4))
    wins[3, 2] = wins[2, 0] = wins[1, 0] = 1
    assert list(bradley_terry(wins).component) == [3, 0, 2, 1]


@pytest.mark.parametrize(
    ("wins", "ties", "halved"),
    [
        ([[0, 2], [0, 0]], [[0, 1], [1, 0]], True),  # two wins, a draw, no loss
        ([[0, 0], [0, 0]], [[0, 3], [3, 0]], True),  # draws only
        ([[0, 2], [1, 0]], [[0, 1], [1, 0]], False),
        ([[0, 1, 0], [0, 0, 0], [0, 0, 0]], [[0, 0, 1], [0, 0, 1], [1, 1, 0]], True),  # a win and two draws round
        ([[0, 1, 0], [0, 0, 1], [0, 0, 0]], [[0, 0, 1], [0, 0, 0], [1, 0, 0]], False),  # two wins and a draw round
    ],
)
def test_where_the_likelihood_has_no_maximum_draws_count_as_half_wins(wins, ties, halved):
    """A search for the maximum by other means runs away there, and only there."""
    wins, ties = np.array(wins, float), np.array(ties, float)
    ratings = bradley_terry(wins, ties)
    assert ("half wins" in ratings.method) is halved
    strength, draw = ratings_naive.davidson(wins, ties)
    if halved:
        assert draw > 50 or abs(strength).max() > 5
        assert ratings.strength == pytest.approx(bradley_terry(wins + ties / 2).strength, abs=1e-9)
    else:
        assert ratings.strength == pytest.approx(strength, abs=1e-5)


def test_a_long_chain_of_players_is_rated_exactly():
    """Each beat the next 3 times and lost once: neighbours are log 3 apart, however many there are."""
    players = 300
    wins = 3 * np.eye(players, k=1) + np.eye(players, k=-1)
    assert -np.diff(bradley_terry(wins).strength) == pytest.approx(np.log(3), abs=1e-6)


def test_intervals_hold_the_truth_as_often_as_they_say():
    """95% of 300 tournaments of 6 players: 1,800 intervals, some 0.7% of standard error with their correlation."""
    rng = np.random.default_rng(0)
    truth, hits = np.linspace(-1, 1, 6), []
    for _ in range(300):
        wins, ties = np.zeros((6, 6)), np.zeros((6, 6))
        for i in range(6):
            for j in range(i):
                counts = rng.multinomial(6, ratings_naive.davidson_probabilities(truth[i], truth[j], 0.5))
                wins[i, j], wins[j, i], ties[i, j] = counts
                ties[j, i] = counts[2]
        ratings = rate(wins, ties, rng, 200)
        if not ratings.component.any():
            low, high = ratings.interval.T
            hits.append((low <= truth) & (truth <= high))
    assert len(hits) > 290 and 0.93 < np.mean(hits) < 0.97


def test_intervals_shrink_with_the_root_of_the_games_and_come_again():
    once = rate(BASEBALL, None, np.random.default_rng(1), 400).interval
    assert (once == rate(BASEBALL, None, np.random.default_rng(1), 400).interval).all()
    more = rate(100 * BASEBALL, None, np.random.default_rng(1), 400)  # too many games to be drawn one by one
    assert np.ptp(more.interval, axis=1) == pytest.approx(np.ptp(once, axis=1) / 10, rel=0.25)
    assert (more.interval[:, 0] < more.strength).all() and (more.strength < more.interval[:, 1]).all()


@pytest.mark.parametrize(
    ("wins", "ties", "told"),
    [
        ([[0, 1]], None, r"wins: give a square table.*\(1, 2\) seen"),
        (np.zeros((0, 0)), None, "wins: give a square table"),
        ([[0, -1], [0, 0]], None, r"wins: give numbers of games.*wins\[0, 1\] = -1 seen"),
        ([[0, 0], [np.nan, 0]], None, r"wins: give numbers of games.*wins\[1, 0\] = nan seen"),
        ([[1, 0], [0, 0]], None, r"wins: nobody plays itself.*wins\[0, 0\] = 1 seen"),
        ([[0, 1], [1, 0]], [[0, 1], [2, 0]], r"ties: a draw belongs to both.*ties\[0, 1\] = 1 seen, 2 back"),
        ([[0, 1], [1, 0]], [[0, np.inf], [np.inf, 0]], r"ties: give numbers of games.*inf seen"),
        ([[0, 1], [1, 0]], np.zeros((3, 3)), r"ties: give a table of the shape of wins"),
    ],
)
def test_wrong_tables_are_refused(wins, ties, told):
    for call in (lambda: bradley_terry(wins, ties), lambda: rate(wins, ties, np.random.default_rng(0))):
        with pytest.raises(ValueError, match=told):
            call()


def test_wrong_ways_of_asking_for_intervals_are_refused():
    with pytest.raises(ValueError, match="rng: give a numpy Generator"):
        rate([[0, 1], [1, 0]], None, 7)
    with pytest.raises(ValueError, match="samples: 100 or more"):
        rate([[0, 1], [1, 0]], None, np.random.default_rng(0), 10)
    with pytest.raises(ValueError, match=r"wins: games are drawn afresh.*0\.5 seen"):
        rate([[0, 0.5], [1, 0]], None, np.random.default_rng(0))


def test_players_who_never_played_have_no_interval():
    ratings = rate(np.zeros((3, 3)), np.zeros((3, 3)), np.random.default_rng(0))
    assert list(ratings.component) == [0, 1, 2] and ratings.draw == 0 and not ratings.strength.any()
    assert np.isinf(ratings.interval).all()
    assert bradley_terry([[0.0]]).games == [0]


def test_a_list_of_games_is_counted_in_any_order():
    games, score = np.array([[0, 1], [2, 1], [1, 0], [0, 1]]), np.array([1.0, 0.5, 1.0, 1.0])
    for order in ([0, 1, 2, 3], [3, 1, 0, 2]):
        wins, ties = counted(games[order], score[order], 3)
        assert (wins == [[0, 2, 0], [1, 0, 0], [0, 0, 0]]).all() and (ties == [[0, 0, 0], [0, 0, 1], [0, 1, 0]]).all()


@pytest.mark.parametrize(
    ("games", "score", "told"),
    [
        (np.zeros((1, 3), int), [1], r"games: give whole numbers, shape \(E, 2\)"),
        (np.zeros((1, 2)), [1], "games: give whole numbers"),
        (np.array([[0, 1]]), [1, 0], "score: give one number for each of the 1 games"),
        (np.array([[0, 1], [0, 2]]), [1, 0], "game 1 is 0 against 2 with 0"),
        (np.array([[1, 1]]), [1], "game 0 is 1 against 1"),
        (np.array([[0, 1]]), [0.7], "game 0 is 0 against 1 with 0.7"),
        (np.array([[-1, 1]]), [0.5], "players are numbered 0 to 1"),
    ],
)
def test_wrong_games_are_refused(games, score, told):
    with pytest.raises(ValueError, match=told):
        counted(games, score, 2)
