"""The linear program of matrix games: textbook values, every square submatrix, and what it refuses."""

from itertools import combinations

import numpy as np
import pytest
from scipy.optimize import OptimizeResult

from ludus.normal_form import bimatrix, normal_form
from ludus.solve import linear_program
from ludus.solve.zero_sum import NotConstantSum, zero_sum


def value_by_submatrices(matrix):
    """Shapley and Snow (1950): some square submatrix, all its rows and columns in use, gives optimal strategies.

    Every one is tried; strategies that equalise it are optimal where no row and no column of the whole does better.
    """
    rows, columns = matrix.shape
    for size in range(1, min(rows, columns) + 1):
        for some in combinations(range(rows), size):
            for others in combinations(range(columns), size):
                kernel = matrix[np.ix_(some, others)]
                system = np.block([[kernel, -np.ones((size, 1))], [np.ones((1, size)), np.zeros((1, 1))]])
                dual = np.block([[kernel.T, -np.ones((size, 1))], [np.ones((1, size)), np.zeros((1, 1))]])
                if min(abs(np.linalg.det(system)), abs(np.linalg.det(dual))) < 1e-9:
                    continue
                right = np.r_[np.zeros(size), 1.0]
                y, x = np.linalg.solve(system, right), np.linalg.solve(dual, right)
                if min(x[:-1].min(), y[:-1].min()) < -1e-9:
                    continue
                secured, conceded = (x[:-1] @ matrix[list(some)]).min(), (matrix[:, list(others)] @ y[:-1]).max()
                if conceded - secured < 1e-9:
                    return secured
    raise AssertionError("Shapley and Snow prove that one is found")


GAMES = {
    "matching pennies": ([[1, -1], [-1, 1]], 0, [0.5, 0.5], [0.5, 0.5]),
    "rock paper scissors": ([[0, -1, 1], [1, 0, -1], [-1, 1, 0]], 0, [1 / 3] * 3, [1 / 3] * 3),
    # equalising by hand: 3p - (1 - p) = -2p + 4(1 - p) gives p = 1/2; 3q - 2(1 - q) = -q + 4(1 - q) gives q = 3/5
    "two by two": ([[3, -2], [-1, 4]], 1, [0.5, 0.5], [0.6, 0.4]),
    "saddle point": ([[4, 2, 3], [1, 0, 9]], 2, [1, 0], [0, 1, 0]),
    "one cell": ([[7]], 7, [1], [1]),
    "a choice for one": ([[3, 1, 2]], 1, [1], [0, 1, 0]),
}


@pytest.mark.parametrize(("matrix", "value", "rows", "columns"), GAMES.values(), ids=GAMES)
def test_textbook_games(matrix, value, rows, columns):
    answer = zero_sum(bimatrix(matrix))
    ((x, y),) = answer.profiles
    assert answer.payoffs[0] == pytest.approx([value, -value], abs=1e-12)
    assert x == pytest.approx(rows) and y == pytest.approx(columns)
    assert answer.regret == pytest.approx([0], abs=1e-12)


@pytest.mark.parametrize("seed", range(40))
def test_agrees_with_every_submatrix_tried(seed):
    rng = np.random.default_rng(seed)
    shape = rng.integers(1, 5, 2)
    matrix = rng.integers(-2, 3, shape).astype(float) if seed % 2 else rng.normal(size=shape)
    answer = zero_sum(bimatrix(matrix))
    assert answer.payoffs[0, 0] == pytest.approx(value_by_submatrices(matrix), abs=1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_both_strategies_secure_the_value(seed):
    rng = np.random.default_rng(100 + seed)
    matrix = rng.normal(size=rng.integers(5, 40, 2)) * 10.0 ** rng.integers(-6, 7)
    total = rng.normal() * np.abs(matrix).max()
    answer = zero_sum(bimatrix(matrix, total - matrix))
    ((x, y),) = answer.profiles
    assert min(x.min(), y.min()) >= 0 and [x.sum(), y.sum()] == pytest.approx([1, 1])
    secured, conceded = (x @ matrix).min(), (matrix @ y).max()
    gap, unit = conceded - secured, np.abs(matrix).max()
    assert -1e-12 * unit <= gap <= 1e-9 * unit
    assert answer.regret[0] == pytest.approx(max(conceded - x @ matrix @ y, x @ matrix @ y - secured), abs=1e-12 * unit)
    assert answer.payoffs[0] == pytest.approx([x @ matrix @ y, total - x @ matrix @ y], abs=1e-12 * unit)


def test_a_random_large_game_is_worth_what_the_transposed_one_costs():
    matrix = np.random.default_rng(0).normal(size=(60, 45))
    assert zero_sum(bimatrix(matrix)).payoffs[0, 0] == pytest.approx(-zero_sum(bimatrix(-matrix.T)).payoffs[0, 0])


def test_a_breakdown_of_highs_is_said(monkeypatch):
    broken = OptimizeResult(status=4, message="numerical difficulties", nit=None)
    monkeypatch.setattr(linear_program, "linprog", lambda *program, **options: broken)
    with pytest.raises(RuntimeError, match="HiGHS broke down on this 2 x 2 game: numerical difficulties"):
        zero_sum(bimatrix([[1, -1], [-1, 1]]))


def test_errors_name_the_argument():
    with pytest.raises(
        NotConstantSum, match=r"form: .* add up to the same in every outcome, here to between -2 and 5;"
    ):
        zero_sum(bimatrix([[0, -1], [3, 0]], [[0, -1], [2, 0]]))
    with pytest.raises(NotConstantSum, match="form: a linear program solves games of two players, this one has 3"):
        zero_sum(normal_form(np.zeros((2, 2, 2, 3))))
