"""The Moran process: the formula against linear algebra, the simulation against the formula."""

import numpy as np
import pytest

from ludus.evolve.moran import Moran, fixation, moran, moran_matches, takeover
from ludus.iterated.match import round_robin

GAME = np.array([[3.0, 0.5], [3.5, 1.0]])


def slow(payoff, size, start, intensity):
    """The absorption probability of the birth-death chain, by solving its linear system."""
    up, down = np.zeros(size + 1), np.zeros(size + 1)
    for mine in range(1, size):
        others = size - mine
        f = 1 - intensity + intensity * (payoff[0, 0] * (mine - 1) + payoff[0, 1] * others) / (size - 1)
        g = 1 - intensity + intensity * (payoff[1, 0] * mine + payoff[1, 1] * (others - 1)) / (size - 1)
        total = f * mine + g * others
        up[mine], down[mine] = f * mine / total * others / size, g * others / total * mine / size
    system, right = np.eye(size + 1), np.zeros(size + 1)
    for mine in range(1, size):
        system[mine, mine] = up[mine] + down[mine]
        system[mine, mine + 1], system[mine, mine - 1] = -up[mine], -down[mine]
    right[size] = 1
    return np.linalg.solve(system, right)[start]


@pytest.mark.parametrize(("size", "start", "intensity"), [(2, 1, 1.0), (12, 1, 1.0), (12, 7, 0.3), (30, 29, 1.0)])
def test_the_formula_solves_the_chain(size, start, intensity):
    found = fixation(GAME, size, start, intensity)
    assert found.kind == "exact" and found.number == pytest.approx(slow(GAME, size, start, intensity))


def test_known_values():
    assert fixation(np.ones((2, 2)), 10).number == pytest.approx(0.1)  # nobody is better: one in ten
    r = 1.1  # Moran (1958): a constant advantage r
    wanted = (1 - 1 / r) / (1 - 1 / r**50)
    assert fixation(np.array([[r, r], [1.0, 1.0]]), 50).number == pytest.approx(wanted)
    assert fixation(GAME, 20, intensity=0.0).number == pytest.approx(1 / 20)


def test_products_too_large_for_a_float():
    assert fixation(np.array([[1.0, 1.0], [2.0, 2.0]]), 3000).number == 0.0
    assert fixation(np.array([[2.0, 2.0], [1.0, 1.0]]), 3000).number == pytest.approx(0.5)


def test_who_earns_nothing_is_never_born():
    """A single member that earns nothing can only die; where there are two, one may be born."""
    game = np.array([[2.0, 0.0], [1.0, 1.0]])
    assert fixation(game, 6, 1).number == 0.0
    assert fixation(game, 6, 3).number == pytest.approx(slow(game, 6, 3, 1.0))
    assert fixation(game.T[::-1, ::-1].copy(), 6, 3).number == pytest.approx(slow(game.T[::-1, ::-1], 6, 3, 1.0))


def test_the_simulation_agrees_with_the_formula():
    result = moran(GAME, [4, 6], np.random.default_rng(1), runs=20_000)
    value, wanted = takeover(result, 0), slow(GAME, 10, 4, 1.0)
    assert value.kind == "sampled" and abs(value.number - wanted) < 4.5 * np.sqrt(wanted * (1 - wanted) / 20_000)
    assert (result.winner >= 0).all() and (result.counts.max(axis=1) == 10).all()
    weak = takeover(moran(GAME, [4, 6], np.random.default_rng(2), runs=20_000, intensity=0.1), 0).number
    assert abs(weak - slow(GAME, 10, 4, 0.1)) < 4.5 * 0.5 / np.sqrt(20_000)


def test_three_neutral_types_win_by_their_share():
    result = moran(np.ones((3, 3)), [1, 3, 4], np.random.default_rng(1), runs=20_000)
    found = np.bincount(result.winner, minlength=3) / 20_000
    assert found == pytest.approx([1 / 8, 3 / 8, 4 / 8], abs=4.5 * 0.5 / np.sqrt(20_000))


def test_matches_without_chance_are_the_fixed_payoffs():
    """Tit for tat and defectors, 10 turns a match: the formula says how often tit for tat takes over."""
    payoff = round_robin(["tit_for_tat", "defector"], turns=10, repetitions=1).payoff
    wanted = slow(payoff, 6, 2, 1.0)
    result = moran_matches(["tit_for_tat", "defector"], [2, 4], np.random.default_rng(1), turns=10, runs=10_000)
    assert abs(takeover(result, 0).number - wanted) < 4.5 * np.sqrt(wanted * (1 - wanted) / 10_000)


def test_matches_with_noise_are_played_anew():
    """Two copies of one strategy are neutral whatever chance does: each wins half of the runs."""
    pair = ["win_stay_lose_shift", "win_stay_lose_shift"]
    result = moran_matches(pair, [2, 2], np.random.default_rng(1), turns=20, noise=0.1, runs=100)
    assert abs(takeover(result, 0).number - 0.5) < 4.5 * 0.5 / np.sqrt(100)
    again = moran_matches(pair, [2, 2], np.random.default_rng(1), turns=20, noise=0.1, runs=100)
    assert (result.steps == again.steps).all()


def test_matches_with_chance_take_over_as_their_mean_payoffs_say():
    """Random players do not answer, so long matches of theirs pay their mean, which the formula reads."""
    result = moran_matches(["random", "defector"], [3, 3], np.random.default_rng(3), turns=200, runs=120)
    wanted = slow(np.array([[2.25, 0.5], [3.0, 1.0]]), 6, 3, 1.0)
    assert abs(takeover(result, 0).number - wanted) < 4.5 * np.sqrt(wanted * (1 - wanted) / 120)


def test_a_run_that_does_not_end_is_given_up():
    snowdrift = np.array([[1.0, 5.0], [5.0, 1.0]])
    result = moran(snowdrift, [20, 20], np.random.default_rng(1), runs=10, steps=50)
    assert (result.winner == -1).all() and (result.steps == 50).all()
    value = takeover(result, 0)
    assert value.interval == (0.0, 1.0) and "10 of them not decided" in value.method


def test_the_interval_is_wilsons():
    """Wilson (1927); 8 of 10 gives 0.4902 to 0.9433, as in Newcombe (1998) and elsewhere."""
    result = Moran(np.array([0] * 8 + [1] * 2), np.ones(10, np.int64), np.zeros((10, 2), np.int64))
    assert takeover(result, 0).interval == pytest.approx((0.4902, 0.9433), abs=1e-4)


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda: fixation(np.ones((3, 3)), 5), "payoff: two types are needed, 3 seen"),
        (lambda: fixation(GAME, 5, 5), "size, start, intensity: 5, 5, 1.0 seen"),
        (lambda: fixation(np.zeros((2, 2)), 5), "payoff: nobody earns anything"),
        (lambda: moran(GAME, [1], np.random.default_rng(1)), "counts: give how many members each of the 2 types"),
        (lambda: moran(GAME, [1, 2], np.random.default_rng(1), runs=0), "runs: give a whole number of at least 1"),
        (lambda: moran(-GAME, [1, 2], np.random.default_rng(1)), r"payoff\[0, 0\] is -3.0"),
        (lambda: moran(GAME, [1, 2], np.random.default_rng(1), intensity=2), "intensity: .*2 seen"),
    ],
)
def test_what_cannot_be_run_is_said(ask, said):
    with pytest.raises(ValueError, match=said):
        ask()
