"""Shares that grow by payoff: against a plain loop, and fixed points known by hand."""

import numpy as np
import pytest

from ludus.evolve.ecological import ecological
from ludus.iterated.match import population, round_robin
from ludus.records import Population


def slow(payoff, shares, generations):
    path = [list(shares)]
    for _ in range(generations):
        worth = [sum(row[j] * path[-1][j] for j in range(len(shares))) for row in payoff]
        mean = sum(x * w for x, w in zip(path[-1], worth, strict=True))
        path.append([x * w / mean for x, w in zip(path[-1], worth, strict=True)])
    return np.array(path)


def test_as_a_plain_loop():
    rng = np.random.default_rng(1)
    payoff, start = rng.random((6, 6)), rng.dirichlet(np.ones(6))
    found = ecological(payoff, 40, start)
    assert found.shares == pytest.approx(slow(payoff.tolist(), start.tolist(), 40))
    assert found.earned == pytest.approx(np.einsum("gi,ij,gj->g", found.shares, payoff, found.shares))


def test_hawks_and_doves_settle_where_both_earn_alike():
    """Maynard Smith (1982): with value 2, cost 4, and 2 added to all, half are hawks."""
    found = ecological(np.array([[1.0, 4.0], [2.0, 3.0]]), 500, np.array([0.9, 0.1]))
    assert found.shares[-1] == pytest.approx([0.5, 0.5], abs=1e-6)


def test_symmetric_payoffs_never_earn_less():
    """Losert and Akin (1983): the mean payoff rises when the matrix is symmetric."""
    payoff = np.random.default_rng(2).random((5, 5))
    earned = ecological(payoff + payoff.T, 60).earned
    assert (np.diff(earned) >= -1e-12).all()


def test_defectors_live_on_cooperators_alone():
    """Axelrod (1980): whoever exploits the weak goes down with them."""
    result = round_robin(["tit_for_tat", "defector", "cooperator"], repetitions=1)
    shares = ecological(population(result), 300).shares
    assert shares[3, 1] > shares[0, 1] and shares[-1, 1] < 1e-6 and shares[-1, 0] > 0.5


def test_nobody_comes_from_nothing():
    found = ecological(np.ones((3, 3)), 5, np.array([0.0, 0.5, 0.5]))
    assert found.shares.tolist() == [[0, 0.5, 0.5]] * 6


@pytest.mark.parametrize(
    ("members", "start", "said"),
    [
        (np.array([[1.0, np.nan], [1.0, 1.0]]), None, r"payoff\[0, 1\] is nan"),
        (np.array([[1.0, 1.0], [-1.0, 1.0]]), None, r"payoff\[1, 0\] is -1.0.*add a constant"),
        (np.ones((2, 3)), None, r"every type against every type are needed, not shape \(2, 3\)"),
        (np.zeros((2, 2)), None, "generation 0 earns 0 in all"),
        (np.ones((2, 2)), np.array([0.5, 0.6]), "shares: give 2 numbers of at least 0 that sum to one"),
        (Population([1], np.array([[np.nan]]), np.array([[0]]), np.array([-1])), None, "play the missing pairs"),
    ],
)
def test_what_cannot_grow_is_said(members, start, said):
    with pytest.raises(ValueError, match=said):
        ecological(members, 3, start)
