"""Pure equilibria: against a loop over every combination and every deviation."""

from itertools import product

import numpy as np
import pytest

from ludus.normal_form import NormalForm, bimatrix, normal_form, regret
from ludus.solve.bimatrix import UnfitGame
from ludus.solve.pure import pure_equilibria


def by_loops(payoff):
    found = []
    sizes = payoff.shape[:-1]
    for chosen in product(*map(range, sizes)):
        stays = True
        for player, size in enumerate(sizes):
            for other in range(size):
                moved = (*chosen[:player], other, *chosen[player + 1 :])
                stays &= bool(payoff[(*moved, player)] <= payoff[(*chosen, player)])
        if stays:
            found.append(chosen)
    return found


@pytest.mark.parametrize("sizes", [(1,), (4,), (3, 3), (1, 5), (2, 3, 4), (2, 2, 2, 2)])
@pytest.mark.parametrize("high", [2, 4, 10**9])
def test_against_a_loop_over_deviations(sizes, high):
    rng = np.random.default_rng(high)
    for _ in range(10):
        payoff = rng.integers(0, high, (*sizes, len(sizes))).astype(float)
        form = normal_form(payoff)
        answer, wanted = pure_equilibria(form), by_loops(payoff)
        assert [tuple(int(each.argmax()) for each in profile) for profile in answer.profiles] == wanted
        assert answer.complete and answer.iterations == np.prod(sizes)
        for profile, chosen, payoffs in zip(answer.profiles, wanted, answer.payoffs, strict=True):
            assert all(each.sum() == 1 and each.max() == 1 for each in profile)
            assert regret(form, profile) == 0 and (payoffs == payoff[chosen]).all()
        assert (answer.regret == 0).all() and len(answer.regret) == len(wanted)


def test_textbook_games():
    assert pure_equilibria(bimatrix([[1, -1], [-1, 1]])).profiles == []
    (dilemma,) = pure_equilibria(bimatrix([[3, 0], [5, 1]], [[3, 5], [0, 1]])).profiles
    assert [side.tolist() for side in dilemma] == [[0, 1], [0, 1]]
    assert len(pure_equilibria(bimatrix(np.eye(5), np.eye(5))).profiles) == 5


@pytest.mark.parametrize("gap", [0.0, 2.0**-53, -(2.0**-53)])
def test_payoffs_are_compared_as_they_are(gap):
    """A tie is a tie only where the floats are equal, at any scale."""
    for scale in (1.0, 2.0**-500, 2.0**500):
        rows = scale * np.array([[0.5], [0.5 + gap]])
        found = pure_equilibria(bimatrix(rows, np.zeros((2, 1)))).profiles
        assert [int(profile[0].argmax()) for profile in found] == {0.0: [0, 1], 2.0**-53: [1], -(2.0**-53): [0]}[gap]


def test_a_payoff_that_is_no_number_is_refused():
    with pytest.raises(UnfitGame, match="finite"):
        pure_equilibria(NormalForm(np.full((2, 2, 2), np.nan), "", ("a", "b"), (("1", "2"),) * 2))
