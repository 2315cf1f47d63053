"""Hex against boards drawn by hand, a rule book that measures distances, and who is known to win."""

import numpy as np
import pytest
from tests import naive
from tests.games.table import able, minimax, paid, played, told

from ludus import games
from ludus.game import OVER


def test_a_game_by_hand():
    game = games.load("hex(rows=3, columns=3)")
    assert told(game, "", 0) == "x / . . . / . . . / . . ."
    assert told(game, "b2 a3 c1", 1) == "o / . . x / . x . / o . ."
    assert told(game, "b2 a3 c1", 0) == "x / . . x / . x . / o . ."
    assert able(game, "b2 a3 c1") == {"a1", "b1", "a2", "c2", "b3", "c3"}
    assert paid(game, "b2 a3 c1 c2 b3") == (1, -1)  # c1 and b2 touch: c1 is above b2 to the right


@pytest.mark.parametrize(
    ("size", "words", "winner"),
    [
        ((3, 3), "b1 a2 b2 c2 b3", 0),  # straight down
        ((3, 3), "a1 a2 b2 b1 c3", None),  # down to the right does not touch
        ((3, 3), "a1 a2 a3 b2 b3 c2", 1),  # straight across
        ((3, 3), "a1 a3 b1 b2 a2 c1", 1),  # up to the right touches
        ((3, 3), "a3 a1 b3 b2 a2 c3", None),
        ((2, 4), "c1 a2 b2", 0),
        ((4, 2), "b1 a3 b2 b3", 1),
        ((4, 4), "a4 d1 b4 d2 b3 d3 c3 c4 c2 b2 d4 a2 c1", 0),  # a chain that goes down, back up and down again
    ],
)
def test_by_eye(size, words, winner):
    game = games.load(f"hex(rows={size[0]}, columns={size[1]})")
    state = played(game, words)
    assert (game.kernels.turn(state) == OVER) == (winner is not None)
    if winner is not None:
        assert naive.payoff_of(game, state)[winner] == 1


def joins(stones, rows, columns, player):
    """By the rule book: cells are hexagons whose centres stand one apart, and a chain goes from edge to edge."""
    centre = {(row, column): np.array([column + row / 2, row * np.sqrt(3) / 2]) for row, column in stones}
    chain = [cell for cell in stones if cell[player] == 0]
    for cell in chain:
        for other in stones:
            if other not in chain and abs(np.linalg.norm(centre[cell] - centre[other]) - 1) < 1e-9:
                chain.append(other)
    return any(cell[player] == (rows, columns)[player] - 1 for cell in chain)


@pytest.mark.parametrize(("rows", "columns"), [(4, 5), (5, 3), (6, 6)])
def test_random_games_against_the_rule_book(rows, columns):
    """A game is over as soon as a chain stands, and one always comes to stand."""
    game, rng = games.load(f"hex(rows={rows}, columns={columns})"), np.random.default_rng(rows)
    for _ in range(20):
        state, stones = game.start.copy(), ([], [])
        free = [(row, column) for row in range(rows) for column in range(columns)]
        for ply in range(rows * columns):
            mover = ply % 2
            assert game.kernels.turn(state) == mover
            assert set(naive.moves_of(game, state)) == {row * columns + column for row, column in free}
            cell = free.pop(rng.integers(len(free)))
            stones[mover].append(cell)
            game.kernels.apply(state, cell[0] * columns + cell[1])
            if joins(stones[mover], rows, columns, mover):
                break
        assert game.kernels.turn(state) == OVER
        assert naive.payoff_of(game, state) == ((1, -1) if mover == 0 else (-1, 1))


@pytest.mark.parametrize(
    ("rows", "columns", "winner", "moves"),
    [
        (2, 2, 0, "b1 a2"),  # equal sides: the first player (Nash 1952)
        (3, 3, 0, "c1 a2 b2 c2 a3"),  # these five, in OpenSpiel 2.0 as well
        (2, 3, 0, "a1 b1 c1 a2 b2 c2"),  # else who has the shorter way, and any first move does
        (3, 2, 1, "a1 b1 a2 b2 a3 b3"),  # even moving second (Gardner 1957)
    ],
)
def test_who_wins(rows, columns, winner, moves):
    value, best = minimax(games.load(f"hex(rows={rows}, columns={columns})"))
    assert value == (1 if winner == 0 else -1) and best == set(moves.split())


@pytest.mark.parametrize("numbers", ["rows=1, columns=3", "rows=3, columns=27"])
def test_impossible_boards_are_refused(numbers):
    with pytest.raises(ValueError, match=r"hex: rows and columns have to be 2 to 26.*write for example hex\(rows=5"):
        games.load(f"hex({numbers})")
