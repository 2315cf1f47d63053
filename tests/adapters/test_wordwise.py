"""A game in words, one reply at a time, against a replay of what was played."""

import numpy as np
import pytest

from ludus import games
from ludus.adapters.wordwise import Table
from ludus.agents.chat import ChatPlayer
from ludus.agents.scripted import first_legal
from ludus.game import OVER, IllegalAction
from ludus.models.chat import Scripted
from ludus.play import replay

DETERMINISTIC = ["tic_tac_toe", "prisoners_dilemma", "connect_four"]


def menu(table):
    return table.question().rsplit("Legal actions: ", 1)[1].split("\n", 1)[0].split(", ")


@pytest.mark.parametrize("spec", DETERMINISTIC)
def test_replies_play_the_game_and_it_pays_as_the_rules_say(spec):
    game, rng = games.load(spec), np.random.default_rng(4)
    for _ in range(10):
        table, played = Table(game, np.random.default_rng(0)), []
        while table.player != OVER:
            position = replay(game, played)
            assert position.turns[-1] == table.player
            word = rng.choice(menu(table))
            answer = table.hear(f"Let me see. [{word}]")
            assert answer.kind == "legal" and game.words[answer.action] == word
            played.append(answer.action)
        position, paid = replay(game, played), np.empty(game.players)
        game.kernels.payoff(position.state, paid)
        assert position.turns[-1] == OVER
        np.testing.assert_array_equal(table.payoff(), paid)
        assert table.moves.sum() == len(played) and not table.forfeits.any()


def test_what_is_no_legal_action_changes_nothing():
    table = Table(games.load("tic_tac_toe"), np.random.default_rng(0))
    table.hear("[4]")
    before = table.question()
    replies = {
        "[4]": "illegal",
        "": "empty",
        "[1] [2]": "ambiguous",
        "> [1]": "malformed",
        "<think>[1]": "reasoning_only",
    }
    for said, kind in replies.items():
        assert table.hear(said).kind == kind
    assert table.hear("[1]", "cut").kind == "cut"
    assert (table.player, table.question(), table.moves.tolist()) == (1, before, [1, 0])


def test_a_forfeit_plays_each_legal_action_equally_often():
    game, count = games.load("tic_tac_toe"), 2000
    drawn, rng = np.zeros(game.actions), np.random.default_rng(1)
    for _ in range(count):
        table = Table(game, rng)
        table.hear("[4]")
        drawn[table.forfeit()] += 1
        assert (table.forfeits.tolist(), table.moves.tolist()) == ([0, 1], [1, 1])
    assert drawn[4] == 0
    assert (np.abs(np.delete(drawn, 4) - count / 8) < 4.5 * np.sqrt(count / 8)).all()


def test_chance_has_moved_and_the_words_are_those_of_agents_chat():
    game = games.load("kuhn_poker")
    told = ChatPlayer(Scripted(lambda messages, seed: ""), game)
    table = Table(game, np.random.default_rng(2))
    assert table.rules == told.system
    assert table.question().startswith("You see:\n> ")
    seen = {Table(game, np.random.default_rng(seed)).question() for seed in range(30)}
    assert len(seen) == 3  # J, Q or K


def test_a_policy_may_take_a_turn():
    game = games.load("kuhn_poker")
    table = Table(game, np.random.default_rng(0))
    table.hear("[bet]")
    table.choose(first_legal)  # passes: a fold
    assert table.player == OVER and table.payoff().tolist() == [1, -1]
    with pytest.raises(IllegalAction, match="the game is over"):
        table.act(0)
