"""Battleship against games played by hand, a rule book that works with sets of cells, and what can be reasoned out."""

from itertools import product

import numpy as np
import pytest
from tests import naive
from tests.games.table import able, paid, told

from ludus import games, tree
from ludus.game import OVER
from ludus.solve.best_response import values


def test_a_game_by_hand():
    game = games.load("battleship(rows=2, columns=2, ships=2, values=1, shots=2, loss=2)")
    line = "a1-across a1-down"
    assert able(game) == able(game, "a1-across") == {"a1-across", "a2-across", "a1-down", "b1-down"}
    assert told(game, line, 0) == "ships a1-across shots seen" and told(game, line, 1) == "ships a1-down shots seen"
    line += " b1 a1"
    assert told(game, line, 0) == "ships a1-across shots b1 water seen a1"
    assert told(game, line, 1) == "ships a1-down shots a1 hit seen b1"
    assert able(game, line) == {"a1", "a2", "b2"} and able(game, line + " a1") == {"b1", "a2", "b2"}
    assert told(game, line + " a1", 0) == "ships a1-across shots b1 water a1 hit seen a1"
    assert paid(game, line + " a1 a2") == (0, 0)  # two ships hit, none sunk
    assert paid(game, line + " a1 b1") == (-2, 1)  # the ship on a1 and b1 is lost


def test_two_ships_by_hand():
    game = games.load("battleship(rows=2, columns=3, ships=21, values=31, shots=3, loss=2)")
    line = "a1-across a1-down c2-across b1-across"
    assert told(game, line, 0) == "ships a1-across c2-across shots seen"
    line += " b1 c1 a1 c2"
    assert told(game, line, 0) == "ships a1-across c2-across shots b1 sunk a1 hit seen c1 c2"
    assert told(game, line, 1) == "ships a1-down b1-across shots c1 water c2 sunk seen b1 a1"
    assert paid(game, line + " c2 a1") == (1 - 2, 1 - 2)  # each has sunk the small ship
    # with the third ship sunk by player 0, the whole fleet of player 1 is lost, and it may not shoot again
    assert paid(game, line + " a2") == (3 + 1 - 2 * 1, 1 - 2 * (3 + 1))


def test_no_placement_leaves_a_later_ship_without_room():
    assert able(games.load("battleship(rows=1, columns=3, ships=12, values=11)")) == {"a1-across", "c1-across"}
    dominoes = games.load("battleship(rows=2, columns=3, ships=222, values=111)")
    assert able(dominoes) == {"a1-across", "b1-across", "a2-across", "b2-across", "a1-down", "b1-down", "c1-down"}
    assert able(dominoes, "a1-across b1-down") == {"a2-across", "c1-down"}  # not b2-across: two single cells remain


ROWS, COLUMNS, LENGTHS, WORTH, SHOTS, LOSS = 3, 3, (3, 2, 1), (4, 2, 1), 7, 3
CELLS = [f"{column}{row}" for row in "123" for column in "abc"]


def covered(word, length):
    """The cells of a ship of this length put by this word, None where it juts out."""
    cell, _, way = word.partition("-")
    line = [(chr(ord(cell[0]) + part), int(cell[1])) for part in range(length)]
    if way == "down":
        line = [(cell[0], int(cell[1]) + part) for part in range(length)]
    cells = {f"{column}{row}" for column, row in line}
    return cells if cells <= set(CELLS) and (way == "across" or length > 1) else None


PLACES = [
    {f"{cell}-{way}": covered(f"{cell}-{way}", n) for cell in CELLS for way in ("across", "down")} for n in LENGTHS
]
FLEETS = {
    words
    for words in product(*([word for word, cells in places.items() if cells] for places in PLACES))
    if len(set.union(*(PLACES[ship][word] for ship, word in enumerate(words)))) == sum(LENGTHS)
}


def test_random_games_against_the_rule_book():
    """Fleets are listed beforehand; a placement is legal where some fleet begins with it."""
    numbers = "rows=3, columns=3, ships=321, values=421, shots=7, loss=3"
    game, rng, sunk_all = games.load(f"battleship({numbers})"), np.random.default_rng(0), 0
    for _ in range(60):
        state, fleets, shots, met = game.start.copy(), ([], []), ([], []), ([], [])
        while game.kernels.turn(state) != OVER:
            mover = int(game.kernels.turn(state))
            assert mover == sum(map(len, fleets + shots)) % 2
            own, other = fleets[mover], fleets[1 - mover]
            expected = ["ships", *own, "shots", *met[mover], "seen", *shots[1 - mover]]
            assert game.tell(np.array(naive.infoset_of(game, state, mover)[1:])) == " ".join(expected)
            if len(own) < len(LENGTHS):
                legal = {fleet[len(own)] for fleet in FLEETS if list(fleet[: len(own)]) == own}
            else:
                legal = set(CELLS) - set(shots[mover])
            assert {game.words[action] for action in naive.moves_of(game, state)} == legal
            word = str(rng.choice(sorted(legal)))
            game.kernels.apply(state, game.words.index(word))
            if len(own) < len(LENGTHS):
                own.append(word)
                continue
            shots[mover].append(word)
            what = "water"
            for ship, put in enumerate(other):
                if word in PLACES[ship][put]:
                    what = "sunk" if PLACES[ship][put] <= set(shots[mover]) else "hit"
            met[mover].extend([word, what])
        sunk = [
            [PLACES[ship][put] <= set(shots[1 - player]) for ship, put in enumerate(fleets[player])]
            for player in (0, 1)
        ]
        assert len(shots[0]) == len(shots[1]) == SHOTS or all(sunk[0]) or all(sunk[1])
        lost = [float(np.dot(WORTH, sunk[player])) for player in (0, 1)]
        assert naive.payoff_of(game, state) == (lost[1] - LOSS * lost[0], lost[0] - LOSS * lost[1])
        sunk_all += all(sunk[0]) or all(sunk[1])
    assert 0 < sunk_all < 60


def test_who_loses_more_than_the_other_gains():
    """Uniform shots meet both cells of a ship with 1/6; player 1 fires its last shot where player 0 has not won."""
    grown = tree.grow(games.load("battleship(rows=2, columns=2, ships=2, values=3, shots=2, loss=2)"))
    uniform = grown.legal / grown.legal.sum(axis=1, keepdims=True)
    first, second = 1 / 6, 5 / 6 * 1 / 6
    assert values(grown, uniform) == pytest.approx([3 * (first - 2 * second), 3 * (second - 2 * first)])


@pytest.mark.parametrize(
    ("numbers", "rule"),
    [
        ("rows=8, columns=8", "rows \\* columns 2 to 60"),
        ("rows=1, columns=1", "rows \\* columns 2 to 60"),
        ("ships=3", "1 to the longer side of the board, 2, not ships=3"),
        ("ships=20", "not ships=20"),
        ("ships=22", "values has a digit from 1 to 9 for each of the 2 ships, not values=1"),
        ("values=0", "not values=0"),
        ("shots=5", "1 to the number of cells, 4, not shots=5"),
        ("shots=0", "not shots=0"),
        ("loss=1001", "loss has to be 0 to 1000, not loss=1001"),
        ("ships=222, values=111", "ships=222 do not fit on rows=2, columns=2"),
        ("rows=2, columns=5, ships=333, values=111", "ships=333 do not fit on rows=2, columns=5"),  # nine cells of ten
    ],
)
def test_impossible_numbers_are_refused(numbers, rule):
    with pytest.raises(ValueError, match=rf"battleship: .*{rule}.*write for example battleship\(rows=3"):
        games.load(f"battleship({numbers})")
