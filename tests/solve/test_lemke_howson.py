"""Lemke-Howson: every walk ends, at an equilibrium; degenerate games, and games that rounding leads astray."""

import numpy as np
import pytest
from tests import bimatrix_naive as naive

from ludus.normal_form import bimatrix, expected, normal_form, regret
from ludus.solve.bimatrix import TOLERANCE, UnfitGame, certify, exact
from ludus.solve.lemke_howson import _walk_all, exact_walk, lemke_howson, lemke_howson_many

THIRD = 1 / 3
SECOND = ((0, THIRD, 1 - THIRD), (THIRD, 1 - THIRD))
LABELS = {  # the end of the walk from each label, as the threads give them
    # the middle one of the three equilibria is the end of no walk
    "drvinceknight/Nashpy#64": [((1, 0, 0), (1, 0)) if label in (0, 2, 3) else SECOND for label in range(5)],
    # drvinceknight/Nashpy#35, by pull request 71: the second row is better whatever the columns do
    "drvinceknight/Nashpy#35": [((0, 1, 0), None)] * 6,
    "drvinceknight/Nashpy#231": [((0, 0, THIRD, 0, THIRD, THIRD),) * 2] * 12,
    "gambitproject/gambit#405": [((1,), (1,))] * 2,
    "gambitproject/gambit#406": [((THIRD, 1 - THIRD, 0, 0), (1 - THIRD, THIRD))] * 6,
}  # fmt: skip


@pytest.mark.parametrize("thread", LABELS)
def test_ends_that_the_threads_give(thread):
    form = bimatrix(*naive.THREADS[thread])
    for label, (row, column) in enumerate(LABELS[thread]):
        (profile,) = lemke_howson(form, label).profiles
        assert profile[0] == pytest.approx(row)
        assert column is None or profile[1] == pytest.approx(column)


def test_a_game_whose_first_steps_are_ties():
    """Of drvinceknight/Nashpy#65 and #71: every walk meets a tie at once, and has to come out at one of six."""
    form = bimatrix([[1, 3, 3], [3, 1, 3], [1, 3, 3]], [[3, 3, 1], [1, 1, 3], [3, 1, 3]])
    wanted = naive.extreme_equilibria(form.payoff[..., 0], form.payoff[..., 1])
    assert len(wanted) == 6
    for label in range(6):
        (profile,) = lemke_howson(form, label).profiles
        assert any(np.allclose(np.concatenate(profile), np.array([*x, *y], float)) for x, y in wanted)


@pytest.mark.parametrize("thread", [*naive.THREADS, "75"])
def test_every_label_of_games_from_issue_threads_ends_at_an_equilibrium(thread):
    form = bimatrix(*(naive.SEVENTY_FIVE if thread == "75" else naive.THREADS[thread]))
    answer = lemke_howson(form)
    assert answer.profiles and not answer.complete and "support_enumeration" in answer.note
    assert answer.iterations >= sum(form.payoff.shape[:2])
    for profile, gain, payoffs in zip(answer.profiles, answer.regret, answer.payoffs, strict=True):
        assert regret(form, profile) <= 1e-9 * np.ptp(form.payoff)
        assert gain == pytest.approx(regret(form, profile), abs=1e-9) and payoffs == pytest.approx(
            expected(form, profile)
        )


@pytest.mark.parametrize("high", [2, 3, 1000])
def test_the_ends_are_extreme_equilibria_and_distinct(high):
    rng = np.random.default_rng(high)
    for _ in range(25):
        m, n = rng.integers(1, 4, 2)
        rows, columns = rng.integers(0, high, (2, m, n)).astype(float)
        answer = lemke_howson(bimatrix(rows, columns))
        wanted = np.array([[*x, *y] for x, y in naive.extreme_equilibria(rows, columns)], float)
        ends = np.array([np.concatenate(profile) for profile in answer.profiles])
        near = np.abs(ends[:, None] - wanted).max(axis=2) < 1e-9
        assert (near.sum(axis=1) == 1).all() and (near.sum(axis=0) <= 1).all()
        one = lemke_howson(bimatrix(rows, columns), 0).profiles[0]
        assert np.abs(ends - np.concatenate(one)).max(axis=1).min() < 1e-9


@pytest.mark.parametrize("sizes", [(3, 3), (6, 6), (5, 8)])
@pytest.mark.parametrize("high", [2, 3, 10**6])
def test_the_compiled_walk_takes_the_steps_of_the_walk_in_fractions(sizes, high):
    """Step for step, many ties or none: the pivots are as many, the end is the same. No walk in fractions can cycle."""
    rng = np.random.default_rng(sizes)
    for _ in range(4):
        payoff = rng.integers(0, high, (*sizes, 2)).astype(float)
        label = int(rng.integers(sum(sizes)))
        rows, columns, pivots = exact_walk(exact(payoff), label)
        answer = lemke_howson(normal_form(payoff), label)
        assert answer.iterations == pivots
        assert answer.profiles[0][0] == pytest.approx(rows, abs=1e-12)
        assert answer.profiles[0][1] == pytest.approx(columns, abs=1e-12)


def test_where_rounding_leads_the_walk_astray_it_is_taken_again_in_fractions():
    """Games that are degenerate up to a little noise: in floats some walks end nowhere, some at no equilibrium."""
    rng, nowhere, wrong = np.random.default_rng(0), 0, 0
    for _ in range(20):
        payoff = rng.integers(0, 2, (7, 7, 2)) + 1e-9 * rng.normal(size=(7, 7, 2))
        rows, columns, pivots = _walk_all(payoff[None], np.arange(14))
        share = certify(payoff[None], np.zeros(14, np.int64), rows, columns)[2]
        nowhere += (pivots == 0).sum()
        wrong += (share[pivots > 0] > TOLERANCE).sum()
        answer = lemke_howson(normal_form(payoff))
        assert max(regret(normal_form(payoff), profile) for profile in answer.profiles) <= 1e-9
    assert nowhere > 0 and wrong > 0


@pytest.mark.parametrize(("scale", "shift"), [(1e-8, 0.0), (1e8, 0.0), (1e-300, 0.0), (1e300, 0.0), (1.0, 1e6)])
def test_scale_and_shift_change_nothing(scale, shift):
    payoff = np.random.default_rng(2).random((6, 5, 2))
    plain, moved = (lemke_howson(normal_form(each)) for each in (payoff, payoff * scale + shift))
    assert len(plain.profiles) == len(moved.profiles) and plain.iterations == moved.iterations
    for one, other in zip(plain.profiles, moved.profiles, strict=True):
        assert np.concatenate(one) == pytest.approx(np.concatenate(other), abs=1e-8)
    assert max(moved.regret) <= 1e-9 * scale


@pytest.mark.parametrize("sizes", [(1, 1), (1, 7), (7, 1), (2, 90), (12, 12)])
def test_all_shapes_and_equal_payoffs_everywhere(sizes):
    for payoff in (np.zeros((*sizes, 2)), np.random.default_rng(1).random((*sizes, 2))):
        form = normal_form(payoff)
        for profile in lemke_howson(form).profiles:
            assert regret(form, profile) < 1e-12


def test_many_games_in_one_call_are_the_same_games():
    rng = np.random.default_rng(3)
    payoff = np.concatenate([rng.random((30, 4, 6, 2)), rng.integers(0, 2, (30, 4, 6, 2))])
    payoff[7] = np.round(payoff[7]) + 1e-9 * payoff[8]
    for label in (0, 9):
        ends = lemke_howson_many(payoff, label)
        for game in range(len(payoff)):
            single = lemke_howson(normal_form(payoff[game]), label)
            assert (ends.rows[game] == single.profiles[0][0]).all()
            assert (ends.columns[game] == single.profiles[0][1]).all()
            assert ends.regret[game] == single.regret[0] <= 1e-9 and ends.pivots[game] == single.iterations
    assert lemke_howson_many(payoff[:0]).rows.shape == (0, 4)


def test_what_is_wrong_is_named():
    form = bimatrix(np.eye(2), np.eye(2))
    for label in (-1, 4, 0.5):
        with pytest.raises(ValueError, match=f"label: rows and columns of this game are labels 0 to 3, not {label}"):
            lemke_howson(form, label)
    with pytest.raises(UnfitGame, match="has 3"):
        lemke_howson(normal_form(np.zeros((2, 2, 2, 3))))
    with pytest.raises(UnfitGame, match="not of shape"):
        lemke_howson_many(form.payoff)
