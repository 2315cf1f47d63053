"""Minimax regret per position, against a plain minimax over boards."""

from functools import cache

import numpy as np
import pytest

from ludus.games import load
from ludus.measure.minimax import NotPerfectInformation, minimax_regret, position_regrets, worst_minimax_regret
from ludus.tree import grow

LINES = [(0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6)]


@cache
def worth(board):
    """What a tic-tac-toe board (9 letters: x, o or a dot) is worth to x."""
    for one, two, three in LINES:
        if board[one] == board[two] == board[three] != ".":
            return 1.0 if board[one] == "x" else -1.0
    if "." not in board:
        return 0.0
    mover = "x" if board.count("x") == board.count("o") else "o"
    after = [worth(board[:cell] + mover + board[cell + 1 :]) for cell in range(9) if board[cell] == "."]
    return max(after) if mover == "x" else min(after)


def board_of(tree, node):
    """The board after the moves that lead to a node, x first."""
    moves = []
    while node:
        moves.append(int(tree.action[node]))
        node = tree.parent[node]
    board = ["."] * 9
    for turn, cell in enumerate(reversed(moves)):
        board[cell] = "xo"[turn % 2]
    return "".join(board)


@pytest.fixture(scope="module")
def tree():
    return grow(load("tic_tac_toe"))


def test_uniform_play_of_tic_tac_toe_agrees_with_minimax_over_boards(tree):
    table = tree.legal / tree.legal.sum(axis=1, keepdims=True)
    regrets = position_regrets(tree, table)
    infosets, nodes = np.unique(tree.infoset, return_index=True)
    wanted = np.zeros(len(table))
    for row, node in zip(infosets[1:], nodes[1:], strict=True):
        board = board_of(tree, node)
        mover, sign = ("x", 1) if board.count("x") == board.count("o") else ("o", -1)
        after = [sign * worth(board[:cell] + mover + board[cell + 1 :]) for cell in range(9) if board[cell] == "."]
        wanted[row] = max(after) - np.mean(after)
    assert regrets == pytest.approx(wanted)
    assert minimax_regret(tree, table).number == pytest.approx(wanted.mean())
    worst = worst_minimax_regret(tree, table)
    assert worst.number == pytest.approx(wanted.max())
    assert tree.labels.infoset(int(wanted.argmax())) in worst.method


def test_perfect_play_has_no_regret_and_one_blunder_counts_only_where_it_is_made(tree):
    table = tree.legal / tree.legal.sum(axis=1, keepdims=True)
    best = np.zeros_like(table)
    for row in range(len(table)):
        for action in np.flatnonzero(tree.legal[row]):  # the first action whose pure choice has no regret
            best[row] = 0.0
            best[row, action] = 1.0
            node = int(np.flatnonzero(tree.infoset == row)[0])
            board = board_of(tree, node)
            mover = "x" if board.count("x") == board.count("o") else "o"
            if worth(board[:action] + mover + board[action + 1 :]) == worth(board):
                break
    assert minimax_regret(tree, best).number == 0.0
    regrets = position_regrets(tree, best)
    losing = int(np.flatnonzero(position_regrets(tree, table) > 0)[0])
    best[losing] = table[losing]
    changed = position_regrets(tree, best)
    assert changed[losing] > 0 and (np.delete(changed, losing) == np.delete(regrets, losing)).all()


def test_games_with_hidden_cards_or_three_players_are_refused():
    kuhn = grow(load("kuhn_poker"))
    with pytest.raises(NotPerfectInformation, match="histories of one infoset go on differently"):
        minimax_regret(kuhn, np.full((12, 2), 0.5))
    three = grow(load("kuhn_poker(players=3)"))
    with pytest.raises(NotPerfectInformation, match="need two players"):
        minimax_regret(three, three.legal / three.legal.sum(axis=1, keepdims=True))
