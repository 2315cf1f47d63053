"""Breakthrough against games played by hand, a rule book on a drawn board, and who wins on small boards."""

import numpy as np
import pytest
from tests import naive
from tests.games.table import able, minimax, paid, told

from ludus import games
from ludus.game import OVER


def test_a_game_by_hand():
    game = games.load("breakthrough(rows=4, columns=3)")
    assert told(game, "", 0) == "x / o o o / . . . / . . . / x x x"
    assert able(game) == {"a1-ahead", "a1-right", "b1-left", "b1-ahead", "b1-right", "c1-left", "c1-ahead"}
    assert told(game, "b1-ahead b4-ahead", 1) == "o / o . o / . o . / . x . / x . x"
    # b2 may not take straight ahead, a1 and c1 may not go where b2 stands
    assert able(game, "b1-ahead b4-ahead") == {"b2-left", "b2-right", "a1-ahead", "c1-ahead"}
    # left and right are those of the drawing for o as well; b3 may take a2
    assert able(game, "b1-ahead b4-ahead a1-ahead") == {"b3-left", "b3-right", "a4-ahead", "c4-ahead"}
    line = "b1-ahead b4-ahead a1-ahead b3-left"
    assert told(game, line, 0) == "x / o . o / . . . / o x . / . . x"
    assert able(game, line) == {"b2-left", "b2-ahead", "b2-right", "c1-ahead"}
    assert paid(game, line + " b2-left a2-ahead") == (-1, 1)  # a race that o wins: a1 is the last row


def test_who_takes_the_last_piece_wins():
    game = games.load("breakthrough(rows=5, columns=2)")
    line = "a1-ahead a5-ahead a2-right a4-right b1-left"
    assert told(game, line, 1) == "o / . o / . . / . o / x . / . ."
    assert paid(game, line + " b3-left") == (-1, 1)  # takes a2, one row before the last


@pytest.mark.parametrize(("rows", "filled"), [(3, 1), (5, 1), (6, 2), (8, 2)])
def test_small_boards_have_one_row_of_pieces(rows, filled):
    board = games.load(f"breakthrough(rows={rows}, columns=4)").start[5:].reshape(rows, 4)
    assert (board[:filled] == 2).all() and (board[-filled:] == 1).all() and not board[filled:-filled].any()


@pytest.mark.parametrize(("rows", "columns"), [(5, 3), (6, 4), (8, 8)])
def test_random_games_against_the_rule_book(rows, columns):
    """Pieces as sets of places (column, height), x going up."""
    game, rng = games.load(f"breakthrough(rows={rows}, columns={columns})"), np.random.default_rng(rows)
    filled = 2 if rows >= 6 else 1
    for _ in range(15):
        state = game.start.copy()
        pieces = [
            {(column, height) for column in range(columns) for height in heights}
            for heights in (range(filled), range(rows - filled, rows))
        ]
        mover = 0
        while True:
            assert game.kernels.turn(state) == mover
            own, other, goals = pieces[mover], pieces[1 - mover], {}
            for column, height in own:
                for aside, way in ((-1, "left"), (0, "ahead"), (1, "right")):
                    goal = (column + aside, height + (1, -1)[mover])
                    blocked = goal in own or (goal in other and aside == 0)
                    if 0 <= goal[0] < columns and not blocked:
                        goals[f"{'abcdefgh'[column]}{height + 1}-{way}"] = (column, height), goal
            assert {game.words[action] for action in naive.moves_of(game, state)} == set(goals)
            word = str(rng.choice(sorted(goals)))
            game.kernels.apply(state, game.words.index(word))
            piece, goal = goals[word]
            own.remove(piece)
            own.add(goal)
            other.discard(goal)
            if not other or goal[1] == (rows - 1, 0)[mover]:
                break
            mover = 1 - mover
        assert game.kernels.turn(state) == OVER
        assert naive.payoff_of(game, state) == ((1, -1) if mover == 0 else (-1, 1))


@pytest.mark.parametrize(
    ("rows", "columns", "value", "moves"),  # by recursion over the positions of OpenSpiel 2.0
    [
        (3, 2, 1, "a1-ahead b1-ahead"),
        (4, 2, -1, "a1-ahead a1-right b1-left b1-ahead"),
        (5, 2, 1, "a1-ahead a1-right b1-left b1-ahead"),
        (3, 3, 1, "a1-ahead b1-ahead c1-ahead"),
        (4, 3, 1, "a1-ahead a1-right c1-left c1-ahead"),
    ],
)
def test_who_wins(rows, columns, value, moves):
    assert minimax(games.load(f"breakthrough(rows={rows}, columns={columns})")) == (value, set(moves.split()))


@pytest.mark.parametrize("numbers", ["rows=2, columns=3", "rows=3, columns=1", "rows=27, columns=3"])
def test_impossible_boards_are_refused(numbers):
    with pytest.raises(ValueError, match=r"breakthrough: rows have to be 3 to 26.*write for example breakthrough\("):
        games.load(f"breakthrough({numbers})")
