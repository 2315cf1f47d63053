"""The normal form: payoffs of mixed profiles by hand, the ways to trees and games and back, and what is refused."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy.optimize import linprog
from tests import naive

from ludus import games
from ludus.game import OVER
from ludus.normal_form import (
    as_game,
    as_tree,
    behaviour,
    bimatrix,
    deviations,
    expected,
    normal_form,
    reduced,
    regret,
)
from ludus.tree import TooLarge, grow

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


# --- as a tree and as a game ------------------------------------------------------------------------------------------

RANDOM = np.random.default_rng(7)
FORMS = [
    DILEMMA,
    normal_form(
        RANDOM.normal(size=(2, 3, 2)), "shared words, in another order", ["a", "b"],
        [["left", "right"], ["right", "go up", "left"]],
    ),
    normal_form(RANDOM.normal(size=(2, 1, 3, 3)), "three players, one of whom has no choice"),
    normal_form(np.arange(4.0)[:, None], "one player"),
    normal_form(RANDOM.normal(size=(2, 2, 2)), "names that tell nothing apart", ["", ""], [["x", "x"], ["", "y"]]),
]  # fmt: skip


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.title)
def test_a_game_pays_what_the_form_says(form):
    """Every history of the game, against the entry of the array that its words name."""
    game, sizes, found = as_game(form), form.payoff.shape[:-1], {}
    for actions, state, mover, moves in naive.histories(game):
        assert mover == (len(actions) if len(actions) < game.players else OVER)
        if mover == OVER:
            found[actions] = naive.payoff_of(game, state)
        else:
            assert len(moves) == sizes[mover] and naive.infoset_of(game, state, mover) == (mover, mover)
    own = [["_".join(word.split()) for word in words] for words in form.actions]
    if form.title.startswith("names"):
        own = [["1", "2"], ["1", "2"]]
    for place in product(*map(range, sizes)):
        actions = tuple(game.words.index(own[seat][strategy]) for seat, strategy in enumerate(place))
        assert found.pop(actions) == tuple(form.payoff[place])
    assert not found


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.title)
def test_the_tree_is_the_one_that_grows_from_the_game(form):
    made, grown = as_tree(form), grow(as_game(form))
    for field in made.__dataclass_fields__:
        one, other = getattr(made, field), getattr(grown, field)
        if isinstance(one, np.ndarray):
            assert np.array_equal(one, other) and one.dtype == other.dtype and one.flags.c_contiguous, field
    assert made.labels.actions == grown.labels.actions
    assert all(made.labels.infoset(row) == grown.labels.infoset(row) for row in range(made.players))


def test_a_game_is_told():
    form = normal_form(DILEMMA.payoff, "pd", ["Ann", "Bob"], [["stay silent", "talk"]] * 2, "After Tucker (1950).")
    game = as_game(form)
    assert (game.name, game.source, game.words) == ("pd", "After Tucker (1950).", ("stay_silent", "talk"))
    assert game.rules.splitlines()[1:] == [
        "             stay_silent  talk",
        "stay_silent  3, 3         0, 5",
        "talk         5, 0         1, 1",
    ]
    assert game.tell(np.array([1])) == "Bob" and game.constant_sum is None
    assert as_game(bimatrix([[0.1, -0.2], [0.3, 0.0]])).constant_sum == 0.0
    assert as_game(bimatrix([[1, 0]], [[4, 5]])).constant_sum == 5.0
    many = as_game(normal_form(np.zeros((20, 20, 2))))
    assert "\n" not in many.rules and "The actions of player 1: 1, 2, 3" in many.rules


# --- from a tree, and back --------------------------------------------------------------------------------------------

KUHN = grow(games.load("kuhn_poker"))


def plan_as_table(tree, player, words):
    """A plan, read from its name, as a table: what it says, and the first action wherever it says nothing."""
    told = dict(each.split(": ") for each in words.split(", "))
    table = np.zeros(tree.legal.shape)
    for infoset in np.flatnonzero(tree.player == player):
        word = told.pop(tree.labels.infoset(infoset), None)
        action = np.argmax(tree.legal[infoset]) if word is None else tree.labels.actions.index(word)
        table[infoset, action] = 1.0
    assert not told
    return table


@pytest.mark.parametrize("spec", ["kuhn_poker", "liars_dice(dice=1, faces=2)"])
def test_combinations_of_plans_pay_what_a_recursion_finds(spec):
    tree = grow(games.load(spec))
    form, rng = reduced(tree), np.random.default_rng(3)
    for _ in range(40):
        place = [int(rng.integers(len(words))) for words in form.actions]
        tables = [plan_as_table(tree, seat, form.actions[seat][plan]) for seat, plan in enumerate(place)]
        assert form.payoff[tuple(place)] == pytest.approx(naive.values_in_tree(tree, sum(tables)), abs=1e-12)


def test_the_plans_of_kuhn_poker():
    """With each card, bet, or pass and then pass or bet: 3 ways; player 1 answers a pass and a bet: 4 ways."""
    form = reduced(KUHN)
    assert form.payoff.shape == (3**3, 4**3, 2)
    assert all(len(set(words)) == len(words) for words in form.actions)
    assert "J: bet, Q: bet, K: bet" in form.actions[0]  # and nothing about what comes after a pass


def test_kuhn_poker_is_worth_as_much_in_plans():
    """The linear program over plans gives Kuhn's value; its mixture, as behaviour, gains it in the tree."""
    form = reduced(KUHN)
    rows, columns = form.payoff.shape[:2]
    solved = linprog(
        np.r_[np.zeros(rows), -1.0],
        np.c_[-form.payoff[..., 0].T, np.ones(columns)], np.zeros(columns),
        np.r_[np.ones(rows), 0.0][None], [1.0], [(0, None)] * rows + [(None, None)],
    )  # fmt: skip
    assert -solved.fun == pytest.approx(-1 / 18, abs=1e-9)
    mixture = np.maximum(solved.x[:-1], 0.0)
    table = behaviour(KUHN, (mixture / mixture.sum(), np.full(columns, 1 / columns)))
    assert -naive.best_response_in_tree(KUHN, table, 1) == pytest.approx(-1 / 18, abs=1e-9)


def test_behaviour_pays_as_the_mixture_of_plans():
    form, rng = reduced(KUHN), np.random.default_rng(5)
    for _ in range(5):
        profile = tuple(rng.dirichlet(np.full(len(words), 0.1)) for words in form.actions)
        table = behaviour(KUHN, profile)
        assert naive.values_in_tree(KUHN, table) == pytest.approx(expected(form, profile), abs=1e-12)


def test_behaviour_by_hand():
    """Half bet on everything, half pass and then call with the jack: the second half alone comes to the call."""
    form = reduced(KUHN)
    mixture = np.zeros(27)
    mixture[form.actions[0].index("J: bet, Q: bet, K: bet")] = 0.5
    mixture[form.actions[0].index("J: pass, Q: bet, K: bet, J pass bet: bet")] = 0.5
    table = behaviour(KUHN, (mixture, np.full(64, 1 / 64)))
    rows = {KUHN.labels.infoset(row): table[row].tolist() for row in range(12)}
    assert rows["J"] == [0.5, 0.5] and rows["Q"] == [0.0, 1.0]
    assert rows["J pass bet"] == [0.0, 1.0]
    assert rows["Q pass bet"] == [0.5, 0.5]  # never reached: even


@pytest.mark.parametrize("form", FORMS[:4], ids=lambda form: form.title)
def test_there_and_back(form):
    """Plans of a game in which each player decides once are its actions again, in the order of the words."""
    back = reduced(as_tree(form))
    orders = [[own.index(word) for word in words] for own, words in zip(
        [["_".join(word.split()) for word in words] for words in form.actions], back.actions, strict=True
    )]  # fmt: skip
    assert np.array_equal(back.payoff, form.payoff[np.ix_(*orders)])
    assert back.players == form.players


def test_what_has_no_plans():
    seen = [KUHN.labels.infoset(row) for row in range(12)]
    first, later = seen.index("J"), seen.index("J pass bet")
    with pytest.raises(TooLarge, match=r"27 x 64 plans, more than limit=1,000 allows"):
        reduced(KUHN, limit=1000)
    with pytest.raises(TooLarge, match="10\\^"):
        reduced(grow(games.load("leduc_poker")))
    with pytest.raises(ValueError, match="tree: plans need perfect recall"):
        reduced(replace(KUHN, infoset=np.where(KUHN.infoset == later, first, KUHN.infoset)))
    with pytest.raises(ValueError, match="profile: this game needs strategies of lengths"):
        behaviour(KUHN, (np.ones(1), np.ones(1)))
