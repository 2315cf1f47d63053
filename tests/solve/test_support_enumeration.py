"""All equilibria of two-player games: against brute force in fractions, on games that other solvers went wrong on."""

from fractions import Fraction

import numpy as np
import pytest
from tests import bimatrix_naive as naive

from ludus.normal_form import NormalForm, bimatrix, expected, normal_form, regret
from ludus.solve.bimatrix import UnfitGame
from ludus.solve.extreme_equilibria import NOTE, extreme_equilibria
from ludus.solve.support_enumeration import support_enumeration, support_enumeration_many


def sorted_floats(profiles):
    return sorted(tuple(np.concatenate([np.asarray(side, float) for side in profile])) for profile in profiles)


def assert_are(answer, form, wanted):
    """The answer's profiles are those wanted, up to rounding, each certified, and said to be all."""
    assert answer.complete
    assert_certified(answer, form)
    assert len(answer.profiles) == len(wanted)
    found = sorted_floats(answer.profiles)
    for profile in sorted_floats(wanted):
        assert min(np.abs(np.subtract(profile, other)).max() for other in found) < 1e-9


def assert_certified(answer, form):
    spread = np.ptp(form.payoff)
    for profile, gain, payoffs in zip(answer.profiles, answer.regret, answer.payoffs, strict=True):
        assert regret(form, profile) <= 1e-9 * spread
        assert gain == pytest.approx(regret(form, profile), abs=1e-12 * (1 + np.abs(form.payoff).max()))
        assert payoffs == pytest.approx(expected(form, profile), abs=1e-12 * (1 + np.abs(form.payoff).max()))


def small_games(count, seed, high):
    """Random games of 1x1 to 4x4 with whole payoffs below `high`; small ones are almost always degenerate."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        m, n = rng.choice([1, 2, 3, 3, 4]), rng.choice([1, 2, 3, 3])
        yield rng.integers(0, high, (2, m, n)).astype(float)


@pytest.mark.parametrize(("count", "high"), [(60, 2), (80, 3), (40, 10)])
def test_small_games_with_many_ties_against_brute_force(count, high):
    degenerate = 0
    for rows, columns in small_games(count, high, high):
        form, wanted = bimatrix(rows, columns), naive.extreme_equilibria(rows, columns)
        for solve in (support_enumeration, extreme_equilibria):
            answer = solve(form)
            assert_are(answer, form, wanted)
            assert answer.note == (NOTE if naive.infinite(wanted) else "")
        degenerate += naive.infinite(wanted)
    assert degenerate > count / 10


@pytest.mark.parametrize("sizes", [(2, 2), (3, 3), (2, 4), (4, 3)])
def test_random_games_against_brute_force(sizes):
    rng = np.random.default_rng(sizes)
    for _ in range(6):
        rows, columns = rng.normal(size=(2, *sizes))
        form = bimatrix(rows, columns)
        answer = support_enumeration(form)
        assert_are(answer, form, naive.extreme_equilibria(rows, columns))
        assert answer.method == "support enumeration" and answer.note == ""


@pytest.mark.parametrize("sizes", [(2, 2), (3, 5), (5, 5), (6, 4), (6, 6), (8, 8)])
def test_random_games_have_an_odd_number_and_vertices_agree(sizes):
    rng, several = np.random.default_rng(sizes), 0
    for _ in range(6):
        form = normal_form(rng.random((*sizes, 2)))
        answer = support_enumeration(form)
        assert len(answer.profiles) % 2 == 1
        assert_are(answer, form, extreme_equilibria(form).profiles)
        several += len(answer.profiles) > 1
    assert several > 0


@pytest.mark.parametrize("thread", naive.THREADS)
def test_games_from_issue_threads(thread):
    rows, columns = naive.THREADS[thread]
    form = bimatrix(rows, columns)
    answer = support_enumeration(form)
    assert len(answer.profiles) > 0
    if max(rows.shape) <= 4:
        assert_are(answer, form, naive.extreme_equilibria(rows, columns))
    else:
        assert_are(answer, form, extreme_equilibria(form).profiles)


THIRD = Fraction(1, 3)
ANSWERS = {  # as the threads give them
    "drvinceknight/Nashpy#64": [
        ((1, 0, 0), (1, 0)),
        ((0.8, 0.2, 0), (2 * THIRD, THIRD)),
        ((0, THIRD, 2 * THIRD), (THIRD, 2 * THIRD)),
    ],
    "drvinceknight/Nashpy#82": [
        ((1, 0, 0), (0, 1, 0, 0, 0)),
        ((1, 0, 0), (0, 0, 0, 0, 1)),
        ((2 * THIRD, THIRD, 0), (0, 1, 0, 0, 0)),
        ((THIRD, 1 / 2, 1 / 6), (0, 4 / 9, 2 / 9, THIRD, 0)),
        ((0, 1 / 2, 1 / 2), (0, 1 / 2, 1 / 2, 0, 0)),
        ((0, 1, 0), (3 / 7, 0, 4 / 7, 0, 0)),
        ((0, 1, 0), (1, 0, 0, 0, 0)),
        ((0, 1, 0), (3 / 8, 0, 1 / 4, 3 / 8, 0)),
    ],
    "drvinceknight/Nashpy#222": [((0, 1), (1, 0)), ((2 / 7, 5 / 7), (1, 0))],
    "drvinceknight/Nashpy#231": [((0, 0, THIRD, 0, THIRD, THIRD),) * 2],
    "gambitproject/gambit#405": [((1,), (1,))],
    "gambitproject/gambit#406": [((THIRD, 2 * THIRD, 0, 0), (2 * THIRD, THIRD))],
}  # fmt: skip


@pytest.mark.parametrize("thread", ANSWERS)
def test_answers_that_the_threads_give(thread):
    form = bimatrix(*naive.THREADS[thread])
    assert_are(support_enumeration(form), form, ANSWERS[thread])


def test_the_game_with_seventy_five_equilibria():
    form = bimatrix(*naive.SEVENTY_FIVE)
    answer = support_enumeration(form)
    assert len(answer.profiles) == 75 and answer.note == ""
    assert_are(answer, form, extreme_equilibria(form).profiles)


def test_textbook_games():
    half = (0.5, 0.5)
    dilemma = bimatrix([[3, 0], [5, 1]], [[3, 5], [0, 1]])
    assert_are(support_enumeration(dilemma), dilemma, [((0, 1), (0, 1))])
    pennies = bimatrix([[1, -1], [-1, 1]])
    assert_are(support_enumeration(pennies), pennies, [(half, half)])
    sexes = bimatrix([[2, 0], [0, 1]], [[1, 0], [0, 2]])
    assert_are(
        support_enumeration(sexes), sexes, [((1, 0), (1, 0)), ((0, 1), (0, 1)), ((2 / 3, 1 / 3), (1 / 3, 2 / 3))]
    )
    scissors = bimatrix([[0, -1, 1], [1, 0, -1], [-1, 1, 0]])
    assert_are(support_enumeration(scissors), scissors, [((1 / 3,) * 3,) * 2])


@pytest.mark.parametrize("size", [2, 3, 5])
def test_pure_coordination_has_one_equilibrium_for_every_set_of_meeting_points(size):
    answer = support_enumeration(bimatrix(np.eye(size), np.eye(size)))
    assert answer.complete and len(answer.profiles) == 2**size - 1


@pytest.mark.parametrize("sizes", [(1, 1), (1, 4), (3, 1), (3, 4)])
def test_where_all_pays_the_same_every_pair_of_strategies_is_extreme(sizes):
    form = normal_form(np.full((*sizes, 2), 7.5))
    answer = support_enumeration(form)
    m, n = sizes
    assert_are(answer, form, [(np.eye(m)[i], np.eye(n)[j]) for i in range(m) for j in range(n)])
    assert answer.note == ("" if sizes == (1, 1) else NOTE)


@pytest.mark.parametrize(
    ("scale", "shift"), [(1e-8, 0.0), (1e8, 0.0), (1e-300, 0.0), (1e300, 0.0), (1.0, 1e6), (1e-8, 1.0)]
)
def test_scale_and_shift_change_nothing(scale, shift):
    rng = np.random.default_rng(5)
    for whole in (False, True):
        payoff = rng.integers(0, 3, (3, 4, 2)).astype(float) if whole else rng.random((4, 4, 2))
        plain, other = normal_form(payoff), normal_form(payoff * scale + shift)
        moved = support_enumeration(other)
        assert moved.complete and len(moved.profiles) == len(extreme_equilibria(other).profiles)
        assert max(regret(other, profile) for profile in moved.profiles) <= 1e-9 * max(np.ptp(other.payoff), shift)
        if not (whole and shift):  # a shift of 1e-8 to 1 rounds, and may break ties
            assert_are(support_enumeration(plain), plain, moved.profiles)


@pytest.mark.parametrize("noise", [1e-16, 1e-15, 1e-13, 1e-10, 1e-7])
def test_what_rounding_cannot_decide_is_decided_in_whole_numbers(noise):
    """Nearly degenerate games: ties and dependent rows, up to a little noise."""
    rng, handed_over = np.random.default_rng(3), 0
    for _ in range(8):
        payoff = rng.integers(0, 2, (3, 3, 2)) + noise * rng.normal(size=(3, 3, 2))
        form = normal_form(payoff)
        answer = support_enumeration(form)
        assert answer.complete
        wanted = naive.extreme_equilibria(payoff[..., 0], payoff[..., 1])
        assert len(answer.profiles) == len(wanted)
        assert_certified(answer, form)
        handed_over += "vertices" in answer.method
    assert handed_over > 0 or noise > 1e-16


def test_badly_conditioned_games_keep_their_certificate():
    rng = np.random.default_rng(4)
    for _ in range(5):
        low_rank = rng.random((2, 4, 1)) @ rng.random((2, 1, 4))
        rows, columns = low_rank + 1e-9 * rng.random((2, 4, 4))
        form = bimatrix(rows, columns)
        answer = support_enumeration(form)
        assert_certified(answer, form)
        assert answer.complete and len(answer.profiles) == len(naive.extreme_equilibria(rows, columns))


def test_long_and_narrow_games():
    """More strategies than a machine word has bits."""
    rng = np.random.default_rng(6)
    for payoff in (rng.random((2, 90, 2)), rng.integers(0, 40, (80, 2, 2)).astype(float)):
        form = normal_form(payoff)
        answer = support_enumeration(form)
        assert_are(answer, form, extreme_equilibria(form).profiles)
        assert len(answer.profiles) > 0


def test_a_time_limit_gives_what_was_found():
    for size in (16, 150):
        form = normal_form(np.random.default_rng(0).random((size, size, 2)))
        answer = support_enumeration(form, seconds=0.1)
        assert not answer.complete and "0.1 seconds" in answer.note and answer.seconds < 5
        assert_certified(answer, form)
    tied = normal_form(np.random.default_rng(0).integers(0, 3, (16, 16, 2)).astype(float))
    for solve in (support_enumeration, extreme_equilibria):
        answer = solve(tied, seconds=0.1)
        assert not answer.complete and "0.1 seconds" in answer.note and answer.seconds < 5


def test_many_games_in_one_call_are_the_same_games():
    rng = np.random.default_rng(8)
    payoff = np.concatenate([rng.random((20, 3, 2, 2)), rng.integers(0, 3, (20, 3, 2, 2)), rng.random((20, 3, 2, 2))])
    found = support_enumeration_many(payoff)
    assert found.complete.all() and (found.number > 0).all()
    for game in range(len(payoff)):
        single, number = support_enumeration(normal_form(payoff[game])), found.number[game]
        assert number == len(single.profiles)
        for k, (row, column) in enumerate(single.profiles):
            assert (found.rows[game, k] == row).all() and (found.columns[game, k] == column).all()
            assert found.regret[game, k] == single.regret[k]
        assert not found.rows[game, number:].any() and not found.columns[game, number:].any()


def test_a_thousand_small_games_have_odd_numbers_and_certificates():
    payoff = np.random.default_rng(9).random((1000, 2, 2, 2))
    found = support_enumeration_many(payoff)
    assert found.complete.all() and (found.number % 2 == 1).all() and set(found.number) == {1, 3}
    assert found.regret.max() < 1e-12
    assert np.allclose(found.rows.sum(axis=2), np.arange(3) < found.number[:, None])
    # Three equilibria come only with two pure ones: the mixed one between them. By hand, game by game:
    row_best = payoff[..., 0] == payoff[..., 0].max(axis=1, keepdims=True)
    column_best = payoff[..., 1] == payoff[..., 1].max(axis=2, keepdims=True)
    assert (found.number == np.where((row_best & column_best).sum(axis=(1, 2)) == 2, 3, 1)).all()


def test_many_games_with_a_time_limit_and_no_games():
    payoff = np.random.default_rng(0).random((50, 11, 11, 2))
    found = support_enumeration_many(payoff, seconds=0.1)
    assert not found.complete.all() and not found.complete[-1]
    none = support_enumeration_many(np.zeros((0, 2, 3, 2)))
    assert none.rows.shape == (0, 0, 2) and none.columns.shape == (0, 0, 3)


def test_what_is_no_game_of_two_is_refused():
    for solve in (support_enumeration, extreme_equilibria):
        with pytest.raises(UnfitGame, match="two players is needed, this one has 3"):
            solve(normal_form(np.zeros((2, 2, 2, 3))))
        with pytest.raises(UnfitGame, match="finite"):
            solve(NormalForm(np.full((2, 2, 2), np.nan), "", ("a", "b"), (("1", "2"),) * 2))
    with pytest.raises(UnfitGame, match="not of shape"):
        support_enumeration_many(np.zeros((2, 2, 2)))
    with pytest.raises(UnfitGame, match="finite"):
        support_enumeration_many(np.full((1, 2, 2, 2), np.inf))
