"""Single rules, judged by eye or by a slower rule book."""

import numpy as np
import pytest
from tests import naive

from ludus import games
from ludus.game import OVER


def played(game, *actions):
    state = game.start.copy()
    for action in actions:
        assert action in naive.moves_of(game, state), f"{action} is not legal after {state}"
        game.kernels.apply(state, action)
    return state


def won(game, *actions):
    state = played(game, *actions)
    assert game.kernels.turn(state) == OVER
    return naive.payoff_of(game, state)[0]


JS, JH, QS, QH, KS, KH = range(6)
FOLD, CALL, RAISE = range(3)


@pytest.mark.parametrize(
    ("actions", "chips"),
    [
        ((KS, JS, RAISE, FOLD), 1),
        ((KS, JS, RAISE, RAISE, FOLD), -3),
        ((KS, JS, CALL, CALL, QS, CALL, CALL), 1),
        ((KS, JS, CALL, CALL, JH, CALL, CALL), -1),  # a pair beats the king
        ((KS, JS, RAISE, RAISE, CALL, JH, RAISE, RAISE, CALL), -13),  # 1 + 4 + 8
        ((KS, JS, RAISE, CALL, QS, RAISE, FOLD), 3),
        ((KS, KH, RAISE, RAISE, CALL, QS, RAISE, CALL), 0),
        ((QS, KS, CALL, RAISE, CALL, QH, CALL, RAISE, RAISE, CALL), 11),
    ],
)
def test_leduc_pays(actions, chips):
    assert won(games.load("leduc_poker"), *actions) == chips


def test_leduc_allows_two_raises_a_round_and_folds_only_against_one():
    game = games.load("leduc_poker")
    assert set(naive.moves_of(game, played(game, JS, QS))) == {CALL, RAISE}
    assert set(naive.moves_of(game, played(game, JS, QS, RAISE))) == {FOLD, CALL, RAISE}
    assert set(naive.moves_of(game, played(game, JS, QS, CALL, RAISE, RAISE))) == {FOLD, CALL}
    assert set(naive.moves_of(game, played(game, JS, QS, RAISE, RAISE, CALL, KS))) == {CALL, RAISE}


def test_liars_dice_against_counting():
    """Every deal and every last bid of two dice with three faces each: 3 is wild."""
    game = games.load("liars_dice(dice=2, faces=3)")
    liar = len(game.words) - 1
    for deal in np.ndindex(3, 3, 3, 3):
        shown = [face + 1 for face in deal]
        for bid, word in enumerate(game.words[:-1]):
            number, face = (int(part) for part in word.split("x"))
            true = sum(die in (face, 3) for die in shown) >= number
            assert won(game, *deal, bid, liar) == (1 if true else -1)
            if bid > 0:
                assert won(game, *deal, 0, bid, liar) == (-1 if true else 1)


def test_liars_dice_has_nothing_above_the_highest_bid():
    game = games.load("liars_dice(dice=1, faces=2)")
    assert set(naive.moves_of(game, played(game, 0, 0))) == {0, 1, 2, 3}
    assert set(naive.moves_of(game, played(game, 0, 0, 1))) == {2, 3, 4}
    assert set(naive.moves_of(game, played(game, 0, 0, 3))) == {4}


def four_in_a_line(cells):
    """By the rule book: some line of four like cells in a board of rows."""
    for row, column in np.argwhere(cells):
        for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
            line = [(row + step * down, column + step * right) for step in range(4)]
            if all(place[0] < 6 and 0 <= place[1] < 7 and cells[place] for place in line):
                return True
    return False


def test_connect_four_against_a_board_of_cells():
    """Random games on a board where stones are dropped by looking; they end when the rule book says so."""
    game, rng, wins = games.load("connect_four"), np.random.default_rng(4), 0
    for _ in range(200):
        state, cells, mover = game.start.copy(), np.zeros((6, 7), np.int64), 0
        while True:
            open_columns = [column for column in range(7) if cells[0, column] == 0]
            assert list(naive.moves_of(game, state)) == open_columns
            column = int(rng.choice(open_columns))
            game.kernels.apply(state, column)
            cells[np.flatnonzero(cells[:, column] == 0).max(), column] = mover + 1
            seen = np.array(naive.infoset_of(game, state, 0)[1:]).reshape(6, 7)
            assert (seen == cells).all()
            if four_in_a_line(cells == mover + 1):
                assert game.kernels.turn(state) == OVER and naive.payoff_of(game, state)[mover] == 1
                wins += 1
                break
            if (cells > 0).all():
                assert game.kernels.turn(state) == OVER and naive.payoff_of(game, state) == (0, 0)
                break
            mover = 1 - mover
            assert game.kernels.turn(state) == mover
    assert wins > 150


@pytest.mark.parametrize(
    ("columns", "winner"),
    [("0010203", 0), ("0101010", 0), ("6543210", None), ("01123223433", 0), ("000001", None)],
)
def test_connect_four_by_eye(columns, winner):
    game = games.load("connect_four")
    state = played(game, *(int(column) for column in columns))
    assert (game.kernels.turn(state) == OVER) == (winner is not None)
    if winner is not None:
        assert naive.payoff_of(game, state)[winner] == 1


def test_tic_tac_toe_wins_on_the_eight_lines():
    game = games.load("tic_tac_toe")
    lines = [{0, 1, 2}, {3, 4, 5}, {6, 7, 8}, {0, 3, 6}, {1, 4, 7}, {2, 5, 8}, {0, 4, 8}, {2, 4, 6}]
    for cells in range(2**9):
        own = {cell for cell in range(9) if cells >> cell & 1}
        expected = 1.0 if any(line <= own for line in lines) else 0.0
        assert naive.payoff_of(game, np.array([cells, 0, OVER]))[0] == expected


def gains(wood, offer, trader):
    """What each player gains in its own values by an offer of one of them; wood: what it is worth to each."""
    given, got = offer.split(">")
    change = {given[1]: -int(given[0]), got[1]: int(got[0])}
    gain = [change["w"] * worth + change["g"] * (5 - worth) for worth in wood]
    gain[1 - trader] = -gain[1 - trader]
    return gain


def test_negotiation_pays_who_gained_more():
    """Every pair of values and every offer: accepted, made and accepted by the other, closed by the bell."""
    game = games.load("negotiation(turns=4, bell=15)")
    accept, deny, open_, closed = 0, 1, 0, 1
    for first, second in np.ndindex(4, 4):
        for action in range(2, 6):
            mine, theirs = gains((first + 1, second + 1), game.words[action], trader=0)
            assert won(game, first, second, action, open_, accept) == np.sign(mine - theirs)
            assert won(game, first, second, action, closed) == np.sign(mine - theirs)
            mine, theirs = gains((first + 1, second + 1), game.words[action], trader=1)
            assert won(game, first, second, 2, open_, action, open_, accept) == np.sign(mine - theirs)
    assert won(game, 0, 3, 2, open_, deny, 2, open_, deny) == 0


def test_negotiation_without_an_offer_one_must_be_made():
    game = games.load("negotiation(turns=4, bell=0)")
    assert set(naive.moves_of(game, played(game, 0, 0))) == {2, 3, 4, 5}
    assert set(naive.moves_of(game, played(game, 0, 0, 2))) == {0, 1, 2, 3, 4, 5}
    assert set(naive.moves_of(game, played(game, 0, 0, 2, 1))) == {2, 3, 4, 5}


@pytest.mark.parametrize(
    ("spec", "what"),
    [
        ("liars_dice(dice=0)", "dice=0"),
        ("liars_dice(faces=1)", "faces=1"),
        ("liars_dice(dice=6, faces=6)", "at most 60"),
        ("liars_dice(sides=6)", "sides"),
        ("negotiation(turns=0)", "turns"),
        ("negotiation(turns=61)", "turns"),
        ("negotiation(bell=101)", "bell"),
    ],
)
def test_a_variant_that_is_none_says_what_to_type(spec, what):
    with pytest.raises(ValueError, match=what) as error:
        games.load(spec)
    assert "write" in str(error.value)


def test_the_largest_liars_dice_keeps_all_bids_apart():
    game = games.load("liars_dice(dice=1, faces=30)")
    state = played(game, 29, 0, 0, 58, 59, 60)
    assert naive.payoff_of(game, state) == (-1, 1)  # 2x30 was player 0's bid, and only one die shows a 30
    assert naive.infoset_of(game, state, 0)[1 + 30 :] == (1, *[0] * 57, 1, 1)
