"""OpenSpiel both ways: its own conformance test, and its numbers on our games against ours and the literature's."""

import numpy as np
import pytest
from tests.known_values import KNOWN

from ludus import games
from ludus.agents.tabular import tabular
from ludus.game import IllegalAction
from ludus.measure.nash_conv import nash_conv
from ludus.solve.cfr import cfr_plus
from ludus.tree import TooLarge, grow

WHY = "a guest's own tests: .venv-peers/bin/python -m pytest tests/adapters"
pyspiel = pytest.importorskip("pyspiel", reason=WHY)
cfr = pytest.importorskip("open_spiel.python.algorithms.cfr", reason=WHY)
exploitability = pytest.importorskip("open_spiel.python.algorithms.exploitability", reason=WHY)
UniformRandomPolicy = pytest.importorskip("open_spiel.python.policy", reason=WHY).UniformRandomPolicy
adapter = pytest.importorskip("ludus.adapters.open_spiel", reason=WHY)
from_open_spiel, to_open_spiel = adapter.from_open_spiel, adapter.to_open_spiel

ABROAD = ["kuhn_poker", "kuhn_poker(players=3)", "leduc_poker", "liars_dice(dice=1, faces=3)", "stag_hunt", "pursuit",
          "negotiation(turns=2, bell=50)", "goofspiel(cards=3, random=1, hidden=0, points=1)"]  # fmt: skip


def known(game, quantity):
    return next(row.number for row in KNOWN if (row.game, row.quantity) == (game, quantity))


def even(tree):
    return tree.legal / tree.legal.sum(axis=1, keepdims=True)


# --- out --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", [*ABROAD, "tic_tac_toe"])
def test_open_spiels_own_test_passes(spec):
    pyspiel.random_sim_test(to_open_spiel(games.load(spec)), num_sims=5, serialize=True, verbose=False)


@pytest.mark.parametrize("spec", ["kuhn_poker", "leduc_poker"])
def test_even_play_is_as_exploitable_there_as_here(spec):
    played, tree = to_open_spiel(games.load(spec)), grow(games.load(spec))
    there = exploitability.exploitability(played, UniformRandomPolicy(played))
    assert there == pytest.approx(known(spec, "uniform NashConv") / 2, abs=1e-9)
    assert there == pytest.approx(nash_conv(tree, even(tree)).number / 2, abs=1e-9)


def test_three_players_and_a_game_without_a_constant_sum():
    for spec in ("kuhn_poker(players=3)", "stag_hunt", "ordinal"):
        played, tree = to_open_spiel(games.load(spec)), grow(games.load(spec))
        there = exploitability.nash_conv(played, UniformRandomPolicy(played))
        assert there == pytest.approx(nash_conv(tree, even(tree)).number, abs=1e-9)


def test_a_policy_of_ours_is_judged_there():
    game = games.load("kuhn_poker")
    tree = grow(game)
    table = cfr_plus(tree, 20).average
    played = to_open_spiel(game)
    seated = adapter.to_open_spiel_policy(game, played, tabular(tree, table))
    assert exploitability.nash_conv(played, seated) == pytest.approx(nash_conv(tree, table).number, abs=1e-12)
    assert 0 < nash_conv(tree, table).number < 0.1 < known("kuhn_poker", "uniform NashConv")


def test_open_spiels_cfr_learns_our_kuhn_poker():
    played = to_open_spiel(games.load("kuhn_poker"))
    solver = cfr.CFRPlusSolver(played)
    for _ in range(60):
        solver.evaluate_and_update_policy()
    average = solver.average_policy()
    assert len(average.state_lookup) == known("kuhn_poker", "infosets")
    result = exploitability.best_response(played, average, 1)
    assert result["on_policy_values"][0] == pytest.approx(known("kuhn_poker", "value"), abs=0.01)
    assert exploitability.nash_conv(played, average) < 0.02


def test_a_view_that_forgets_is_offered_as_an_observation_only():
    kind = to_open_spiel(games.load("tic_tac_toe")).get_type()
    assert kind.provides_observation_string and not kind.provides_information_state_string
    assert to_open_spiel(games.load("leduc_poker")).get_type().provides_information_state_string


def test_the_name_finds_the_game_again():
    to_open_spiel(games.load("liars_dice(dice=1, faces=3)"))
    again = pyspiel.load_game("ludus_liars_dice_dice_1_faces_3")
    assert again.num_distinct_actions() == 7
    assert again.new_initial_state().chance_outcomes() == [(face, 1 / 3) for face in range(3)]


def test_an_illegal_action_raises():
    state = to_open_spiel(games.load("leduc_poker")).new_initial_state()
    state.apply_action(0)
    with pytest.raises(IllegalAction, match=r"chance cannot give 0 here; give one of \[1, 2, 3, 4, 5\]"):
        state.apply_action(0)  # the card that was dealt
    state.apply_action(1)
    assert [state.action_to_string(0, action) for action in state.legal_actions()] == ["call", "raise"]
    with pytest.raises(IllegalAction, match="legal are 1 call, 2 raise"):
        state.apply_action(0)


def test_a_copy_goes_its_own_way():
    state = to_open_spiel(games.load("kuhn_poker")).new_initial_state()
    state.apply_action(2)
    copy = state.clone()
    copy.apply_action(0)
    assert (state.history(), copy.history()) == ([2], [2, 0]) and state.is_chance_node()
    copy.apply_action(1)
    assert copy.information_state_string(0) == "player 0: 2 1 1 -1 -1"  # the view: king, one ply, a bet
    assert copy.information_state_tensor(0) == [2, 1, 1, -1, -1]


def test_a_game_too_large_to_look_at_needs_its_bounds():
    game = games.load("connect_four")
    with pytest.raises(TooLarge, match=r"give bounds=Bounds\(low, high, decisions, chances\)"):
        to_open_spiel(game)
    played = to_open_spiel(game, adapter.Bounds(-1.0, 1.0, 42, 0))
    pyspiel.random_sim_test(played, num_sims=3, serialize=False, verbose=False)
    assert (played.max_game_length(), played.min_utility(), played.max_utility()) == (42, -1, 1)


def test_the_bounds_of_a_small_game():
    """Kuhn poker: three decisions at most, after two deals, for two chips at most."""
    played = to_open_spiel(games.load("kuhn_poker"))
    assert (played.max_game_length(), played.max_chance_nodes_in_history()) == (3, 2)
    assert (played.min_utility(), played.max_utility(), played.utility_sum()) == (-2, 2, 0)


# --- in ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", ["kuhn_poker", "kuhn_poker(players=3)", "leduc_poker"])
def test_a_game_of_theirs_has_the_published_numbers(spec):
    tree = from_open_spiel(spec)
    assert (len(tree.turn), len(tree.player)) == (known(spec, "nodes"), known(spec, "infosets"))
    assert nash_conv(tree, even(tree)).number == pytest.approx(known(spec, "uniform NashConv"), abs=1e-9)


@pytest.mark.parametrize(
    "name", ["tiny_hanabi", "matrix_pd", "goofspiel(num_cards=3,imp_info=True)", "blotto(coins=3)"]
)
def test_simultaneous_moves_and_common_payoffs_are_judged_as_open_spiel_judges_them(name):
    theirs = pyspiel.load_game(name)
    if theirs.get_type().dynamics == pyspiel.GameType.Dynamics.SIMULTANEOUS:
        theirs = pyspiel.convert_to_turn_based(theirs)
    tree = from_open_spiel(name)
    there = exploitability.nash_conv(theirs, UniformRandomPolicy(theirs))
    assert nash_conv(tree, even(tree)).number == pytest.approx(there, abs=1e-9)


@pytest.mark.parametrize("spec", ABROAD)
def test_there_and_back_is_the_same_tree(spec):
    game = games.load(spec)
    tree, back = grow(game), from_open_spiel(to_open_spiel(game))
    for name in ("turn", "parent", "action", "first", "chance", "infoset", "payoff", "player", "legal"):
        one, other = getattr(tree, name), getattr(back, name)
        assert one.dtype == other.dtype and np.array_equal(one, other), name
    assert back.labels.actions == game.words
    for row, view in enumerate(tree.view.tolist()):
        assert back.labels.infoset(row) == f"player {tree.player[row]}: {' '.join(map(str, view))}"


def test_a_tree_of_theirs_is_solved_here():
    tree = from_open_spiel("kuhn_poker")
    assert tree.labels.actions == ("Pass", "Bet")
    assert nash_conv(tree, cfr_plus(tree, 500).average).number < 0.01
    assert from_open_spiel("goofspiel(num_cards=3)").labels.actions == ("[P0]Bid:_1", "[P0]Bid:_2", "[P0]Bid:_3")


@pytest.mark.parametrize(
    ("asked", "error", "why"),
    [
        ("ludo", ValueError, r"'ludo' is no game of OpenSpiel \(Unknown game 'ludo'\); write for example"),
        (7, ValueError, "7 is no game of OpenSpiel"),
        ("mfg_crowd_modelling", ValueError, "no game of single players"),
        ("backgammon", ValueError, "does not tell information states"),
        ("leduc_poker", TooLarge, "more than 9,000 nodes; raise limit="),
    ],
)
def test_what_cannot_be_walked_is_refused(asked, error, why):
    with pytest.raises(error, match=why):
        from_open_spiel(asked, limit=9_000)
