"""The one front: every method comes near equilibrium, and the count, the target and the clock are kept."""

from types import SimpleNamespace

import numpy as np
import pytest
from tests import naive

from ludus.games import load
from ludus.solve import approach as front
from ludus.solve.approach import METHODS, WORDS, approach
from ludus.solve.cfr import cfr_plus
from ludus.tree import grow


@pytest.fixture(scope="module")
def kuhn():
    return grow(load("kuhn_poker"))


def gains(tree, table):
    """What each player gains by a best response, the slow way."""
    played = naive.values_in_tree(tree, table)
    return [naive.best_response_in_tree(tree, table, player) - played[player] for player in range(tree.players)]


@pytest.mark.parametrize("method", METHODS)
def test_every_method_approaches_equilibrium_and_certifies_it_truly(kuhn, method):
    curve = []
    answer = approach(kuhn, method, iterations=3000, watch=curve.append)
    (table,) = answer.profiles
    slow = gains(kuhn, table)
    assert answer.regret == pytest.approx([max(slow)], abs=1e-12)
    assert answer.payoffs == pytest.approx(naive.values_in_tree(kuhn, table)[None, :], abs=1e-12)
    assert answer.iterations == curve[-1][0] == 3000 and answer.seconds == pytest.approx(curve[-1][1])
    assert (answer.method, answer.complete) == (WORDS[method], False) and answer.note
    counts, seconds, gaps = map(np.array, zip(*curve, strict=True))
    assert (np.diff(counts) > 0).all() and (np.diff(seconds) > 0).all() and counts[0] == 1
    assert sum(slow) == pytest.approx(min(gaps), abs=1e-12)  # the best that was met
    assert min(gaps) < gaps[0] / 30
    assert answer.payoffs[0] == pytest.approx([-1 / 18, 1 / 18], abs=min(gaps))


def test_every_method_is_told_in_words():
    assert WORDS.keys() == METHODS.keys() and len(set(WORDS.values())) == len(WORDS)


def test_stops_at_the_target(kuhn):
    curve = []
    answer = approach(kuhn, "cfr+", target=0.01, watch=curve.append)
    assert [gap <= 0.01 for *_, gap in curve] == [False] * (len(curve) - 1) + [True]
    assert sum(gains(kuhn, answer.profiles[0])) <= 0.01
    assert answer.iterations < 1000


def test_runs_on_from_piece_to_piece(kuhn):
    curve = []
    approach(kuhn, "cfr+", iterations=512, watch=curve.append)
    for iterations, _, gap in curve:
        assert gap == pytest.approx(sum(gains(kuhn, cfr_plus(kuhn, iterations).average)), abs=1e-12)


def test_without_a_limit_it_makes_ten_thousand_iterations(kuhn):
    assert approach(kuhn, "cfr").iterations == 10_000


def test_more_than_two_players_get_an_answer_with_its_regret():
    tree = grow(load("kuhn_poker(players=3)"))
    answer = approach(tree, "xfp", iterations=200)
    assert answer.payoffs.shape == (1, 3)
    assert answer.regret == pytest.approx([max(gains(tree, answer.profiles[0]))], abs=1e-12)


def fake(monkeypatch, tables, seconds=0.001):
    """A method whose iteration t comes to tables[t], then stays at the last, and a clock that it alone moves on."""
    clock = [0.0]

    def solve(tree, iterations, state):
        clock[0] += seconds * iterations
        done = (state or 0) + iterations
        return SimpleNamespace(profile=tables[min(done, len(tables)) - 1], iterations=done, state=done)

    monkeypatch.setitem(METHODS, "fake", solve)
    monkeypatch.setitem(WORDS, "fake", "a fake")
    monkeypatch.setattr(front, "time", SimpleNamespace(perf_counter=lambda: clock[0]))


def test_keeps_the_best_that_it_met(kuhn, monkeypatch):
    uniform = np.full((12, 2), 0.5)
    good = cfr_plus(kuhn, 300).average
    fake(monkeypatch, [good, uniform])
    answer = approach(kuhn, "fake", iterations=50)
    assert answer.iterations == 50 and np.array_equal(answer.profiles[0], good)
    assert answer.regret == pytest.approx([max(gains(kuhn, good))], abs=1e-12)


def test_the_clock_is_kept_where_an_iteration_is_long(kuhn, monkeypatch):
    fake(monkeypatch, [np.full((12, 2), 0.5)], seconds=0.02)
    curve = []
    answer = approach(kuhn, "fake", seconds=1.0, watch=curve.append)
    assert 49 <= answer.iterations <= 50 and answer.seconds <= 1.0 + 1e-9  # 50 fill the time
    assert len(curve) >= 4  # not all of it in one piece


def test_one_iteration_is_made_even_where_it_breaks_the_limit(kuhn, monkeypatch):
    fake(monkeypatch, [np.full((12, 2), 0.5)], seconds=0.05)
    assert approach(kuhn, "fake", seconds=0.01).iterations == 1


def test_the_clock_is_kept_by_a_real_solver():
    answer = approach(grow(load("leduc_poker")), seconds=0.2)
    assert answer.iterations > 20 and answer.seconds < 2


def test_errors_name_the_argument(kuhn):
    with pytest.raises(ValueError, match=r"method: 'cfr-' is none; write one of dcfr, cfr\+, pcfr\+, cfr, mmd, xfp"):
        approach(kuhn, "cfr-")
    with pytest.raises(ValueError, match="iterations: a whole number, at least 1, is needed, not 0"):
        approach(kuhn, iterations=0)
    for name in ("target", "seconds"):
        with pytest.raises(ValueError, match=f"{name}: a number above zero is needed, not -1"):
            approach(kuhn, **{name: -1})
