"""Pursuit against games played by hand, a walk over neighbours, and what can be reasoned out about who is caught."""

import pytest
from tests import naive
from tests.games.table import able, paid, told

from ludus import games, tree


def pursuit(**numbers):
    return games.load(f"pursuit({', '.join(f'{name}={number}' for name, number in numbers.items())})")


def test_a_game_by_hand():
    game = pursuit(rows=2, columns=3, steps=3, sight=1)
    assert able(game) == {"stay", "right", "down"} and told(game, "", 0) == "pursuer a1 c2"
    assert told(game, "right", 1) == "evader a1 c2"  # the step of the pursuer is not seen before one's own
    assert able(game, "right") == {"stay", "up", "left"}
    line = "right stay"
    assert told(game, line, 0) == "pursuer a1 c2 / b1 c2" and told(game, line + " down", 1) == "evader a1 c2 / b1 c2"
    assert able(game, line) == {"stay", "left", "right", "down"}
    assert paid(game, line + " down left") == (1, -1)  # met in b2
    line += " down up"
    assert told(game, line, 1) == "evader a1 c2 / b1 c2 / b2 c1"
    assert paid(game, line + " right left") == (-1, 1)  # three steps are over
    assert paid(game, "right up right left") == (1, -1)  # swapped b1 and c1


def test_without_sight():
    game = pursuit(rows=2, columns=3, steps=3, sight=0)
    assert told(game, "", 0) == "pursuer a1 c2"
    assert told(game, "right up", 0) == "pursuer a1 c2 / b1 ?"
    assert told(game, "right up stay", 1) == "evader a1 c2 / ? c1"


def test_two_pursuers_are_moved_by_one_player():
    game = pursuit(rows=1, columns=4, wrap=1, pursuers=2, steps=2, sight=1)
    assert told(game, "", 0) == "pursuer a1 a1 c1"
    assert told(game, "right", 0) == "pursuer a1 a1 c1 / b1 ? ?" and told(game, "right left", 1) == "evader a1 a1 c1"
    assert told(game, "right left stay", 0) == "pursuer a1 a1 c1 / b1 d1 c1"
    assert paid(game, "right left stay stay left stay") == (1, -1)  # the second pursuer is enough
    assert paid(game, "stay left right") == (1, -1)  # met in d1
    assert paid(game, "stay stay stay stay stay stay") == (-1, 1)


def neighbours(rows, columns, wrap):
    """Every cell with the cells that a unit may stand on a step later."""
    cells = [(row, column) for row in range(rows) for column in range(columns)]
    beside = {cell: {cell} for cell in cells}
    for one in cells:
        for other in cells:
            down, right = abs(one[0] - other[0]), abs(one[1] - other[1])
            if wrap:
                down, right = min(down, rows - down), min(right, columns - right)
            if down + right == 1:
                beside[one].add(other)
    return beside


def walked(rows, columns, wrap, pursuers, steps, sight):
    """(nodes, infosets, plays in which the evader is caught), by walking all that the units may do together."""
    beside = neighbours(rows, columns, wrap)
    far = (rows // 2, columns // 2) if wrap else (rows - 1, columns - 1)
    nodes, infosets, caught, plays = 1, set(), 0, [(((0, 0),) * pursuers + (far,),)]
    for _ in range(steps):
        following = []
        for play in plays:
            own = [tuple(places[:pursuers] for places in play), tuple(places[pursuers:] for places in play)]
            seen = (play, play) if sight else own
            now, made = play[-1], [()]
            for unit in range(pursuers + 1):
                who = int(unit == pursuers)
                infosets |= {(who, seen[who], () if who else moves) for moves in made}
                made = [(*moves, cell) for moves in made for cell in beside[now[unit]]]
                nodes += len(made)
            for moves in made:
                prey = now[-1], moves[-1]
                hunters = list(zip(now[:-1], moves[:-1], strict=True))
                if any(end == prey[1] or (end, start) == prey for start, end in hunters):
                    caught += 1
                else:
                    following.append((*play, moves))
        plays = following
    return nodes, len(infosets), caught


@pytest.mark.parametrize(
    "numbers",
    [
        (2, 3, 0, 1, 3, 0),
        (2, 3, 0, 1, 3, 1),
        (1, 5, 1, 1, 3, 0),
        (3, 3, 1, 1, 2, 1),
        (3, 4, 1, 1, 2, 0),
        (1, 4, 1, 2, 2, 0),
        (2, 2, 0, 2, 2, 1),
        (3, 2, 0, 2, 1, 1),
    ],
)
def test_sizes_against_a_walk_over_neighbours(numbers):
    names = ("rows", "columns", "wrap", "pursuers", "steps", "sight")
    grown = tree.grow(pursuit(**dict(zip(names, numbers, strict=True))))
    assert (len(grown.turn), len(grown.player), (grown.payoff[:, 0] > 0).sum()) == walked(*numbers)


@pytest.mark.parametrize("sight", [0, 1])
@pytest.mark.parametrize(("columns", "steps", "value"), [(3, 1, -1), (3, 2, 1), (4, 2, -1), (4, 3, 1)])
def test_a_path_is_swept_from_end_to_end(columns, steps, value, sight):
    """Nobody gets past a pursuer that walks on; at the far end the evader is out of reach until the last step."""
    assert naive.zero_sum_value(pursuit(rows=1, columns=columns, steps=steps, sight=sight)) == pytest.approx(value)


@pytest.mark.parametrize("sight", [0, 1])
@pytest.mark.parametrize("steps", [1, 2, 3])
def test_on_a_triangle_every_step_is_a_coin(steps, sight):
    """The evader stays or goes to the third cell; the pursuer goes where it stands or to the third cell as well.

    Each does either with 1/2, so every step catches with 1/2, and those that do not leave all as it was.
    """
    value = naive.zero_sum_value(pursuit(rows=1, columns=3, wrap=1, steps=steps, sight=sight))
    assert value == pytest.approx(1 - 2 * 0.5**steps)


@pytest.mark.parametrize("columns", [4, 5, 6])
def test_who_sees_a_single_pursuer_runs_around_a_longer_cycle(columns):
    assert naive.zero_sum_value(pursuit(rows=1, columns=columns, wrap=1, steps=3, sight=1)) == pytest.approx(-1)


@pytest.mark.parametrize(
    ("columns", "steps", "value"), [(3, 1, 1), (4, 1, -1), (4, 2, 1), (5, 1, -1), (5, 2, 1), (6, 2, -1)]
)
def test_two_pursuers_close_a_cycle_from_both_sides(columns, steps, value):
    """They have seen every cell after half the cycle; one step less, and the farthest cell is safe to stay on."""
    found = naive.zero_sum_value(pursuit(rows=1, columns=columns, wrap=1, pursuers=2, steps=steps, sight=0))
    assert found == pytest.approx(value)


@pytest.mark.parametrize(("steps", "value"), [(1, -1), (2, 0), (3, 1 / 3), (4, 1 / 2)])
def test_a_square_is_a_cycle_of_four(steps, value):
    """Two drawings of one graph; the values are those of the linear program of tests/naive.py."""
    for numbers in ({"rows": 2, "columns": 2, "wrap": 0}, {"rows": 1, "columns": 4, "wrap": 1}):
        assert naive.zero_sum_value(pursuit(**numbers, steps=steps, sight=0)) == pytest.approx(value)


@pytest.mark.parametrize(
    ("numbers", "rule"),
    [
        ("rows=0, columns=3", "rows have to be 1 to 26 and columns 2 to 26"),
        ("rows=2, columns=1", "not rows=2, columns=1"),
        ("wrap=2", "wrap has to be 0 or 1, not wrap=2"),
        ("sight=2", "sight has to be 0 or 1, not sight=2"),
        ("rows=1, columns=2, wrap=1", "columns have to be at least 3 and rows 1 or at least 3"),
        ("rows=2, columns=3, wrap=1", "columns have to be at least 3 and rows 1 or at least 3"),
        ("pursuers=3", "pursuers have to be 1 or 2, not pursuers=3"),
        ("steps=0", "steps have to be 1 to 1000, not steps=0"),
    ],
)
def test_impossible_numbers_are_refused(numbers, rule):
    with pytest.raises(ValueError, match=rf"pursuit: .*{rule}.*write for example pursuit\(rows=1"):
        games.load(f"pursuit({numbers})")
