"""The normal form: payoffs of mixed profiles by hand, and what is refused."""

import numpy as np
import pytest

from ludus.normal_form import bimatrix, deviations, expected, normal_form, regret

DILEMMA = bimatrix([[3, 0], [5, 1]], [[3, 5], [0, 1]], "prisoner's dilemma")


def test_payoffs_of_mixed_profiles_by_hand():
    even, first = np.array([0.5, 0.5]), np.array([1.0, 0.0])
    assert expected(DILEMMA, (even, first)).tolist() == [4.0, 1.5]
    rows, columns = deviations(DILEMMA, (even, first))
    assert rows.tolist() == [3.0, 5.0] and columns.tolist() == [1.5, 3.0]
    assert regret(DILEMMA, (even, first)) == 1.5
    assert regret(DILEMMA, ([0.0, 1.0], [0.0, 1.0])) == 0.0


def test_three_players_are_no_special_case():
    payoff = np.zeros((2, 2, 2, 3))
    payoff[1, 1, 1] = [1, 2, 3]
    form = normal_form(payoff, players="abc")
    half = np.array([0.5, 0.5])
    assert expected(form, (half, half, half)).tolist() == [0.125, 0.25, 0.375]
    assert regret(form, (half, half, half)) == 0.375


@pytest.mark.parametrize("payoff", [np.zeros((2, 2, 3)), np.zeros(3), np.zeros((0, 2, 2)), np.full((1, 1, 2), np.nan)])
def test_what_is_no_game_is_refused(payoff):
    with pytest.raises(ValueError, match="payoff: "):
        normal_form(payoff)


def test_names_and_profiles_must_fit():
    with pytest.raises(ValueError, match="names: "):
        normal_form(np.zeros((2, 2, 2)), players=["one"])
    with pytest.raises(ValueError, match="lengths"):
        regret(DILEMMA, (np.ones(1), np.ones(1)))
    with pytest.raises(ValueError, match="sum to one"):
        regret(DILEMMA, (np.array([0.5, 0.6]), np.array([1.0, 0.0])))
    with pytest.raises(ValueError, match="one shape"):
        bimatrix(np.zeros((2, 2)), np.zeros((2, 3)))
