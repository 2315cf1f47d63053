"""Our games in TextArena's loop, its games played by our players, and the global random numbers left alone."""

import random
import re

import numpy as np
import pytest

from ludus import games
from ludus.game import CHANCE, OVER
from ludus.models.chat import Reply, Scripted
from ludus.play import replay

WHY = "a guest's own tests: .venv-peers/bin/python -m pytest tests/adapters"
ta = pytest.importorskip("textarena", reason=WHY)
kuhn = pytest.importorskip("textarena.envs.KuhnPoker.env", reason=WHY)
adapter = pytest.importorskip("ludus.adapters.textarena", reason=WHY)
play_textarena, to_textarena = adapter.play_textarena, adapter.to_textarena

SPECS = ["kuhn_poker", "kuhn_poker(players=3)", "leduc_poker", "tic_tac_toe", "goofspiel", "negotiation"]


class Speaker(ta.Agent):
    """An agent of TextArena: says one of the legal actions that the last question lists."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def __call__(self, observation: str) -> str:
        menu = observation.rsplit("Legal actions: ", 1)[1].split("\n", 1)[0]
        return f"I have thought about it. [{self.rng.choice(menu.split(', '))}]"


@pytest.mark.parametrize("spec", SPECS)
def test_textarenas_loop_plays_our_games_by_our_rules(spec):
    """Registered and made as one of theirs, asked by their agents; rewards against a replay of what was played."""
    game = games.load(spec)
    name = f"Ludus-{spec}"
    if name not in ta.envs.registration.ENV_REGISTRY:
        ta.register(name, lambda: to_textarena(game), default_wrappers=[ta.wrappers.LLMObservationWrapper])
    agents = [Speaker(seed) for seed in range(game.players)]
    for seed in range(5):
        env = ta.make(name)
        env.reset(num_players=game.players, seed=seed)
        done, played = False, []
        while not done:
            player, observation = env.get_observation()
            done, info = env.step(action=agents[player](observation))
            assert info["answer"] == "legal"
            played.append(game.words.index(info["played"]))
        rewards, told = env.close()
        assert not any(told[player]["invalid_move"] for player in range(game.players))
        np.testing.assert_allclose([rewards[player] for player in range(game.players)], paid(game, seed, played))


def paid(game, seed, played):
    """The payoffs that the rules give, with chance as the env drew it: the same seed, the same draws."""
    rng, actions, left = np.random.default_rng(seed), [], list(played)
    while True:
        state, turns = replay(game, actions)
        if turns[-1] == OVER:
            break
        if turns[-1] == CHANCE:
            weights = np.empty(game.width)
            game.kernels.options(state, weights)
            actions.append(int(rng.choice(game.width, p=weights)))
        else:
            actions.append(left.pop(0))
    out = np.empty(game.players)
    game.kernels.payoff(state, out)
    return out


def test_the_second_to_bid_is_not_told_the_first_bid():
    """In goofspiel both bid at the same time, and TextArena's own games would announce the first reply to all."""
    told = []
    for bid in ("[1]", "[2]"):
        env = ta.wrappers.LLMObservationWrapper(to_textarena(games.load("goofspiel")))
        env.reset(num_players=2, seed=0)
        _, info = env.step(bid)
        assert info["played"] == bid.strip("[]")
        told.append(env.get_observation())
    assert told[0] == told[1] and told[0][0] == 1


INVALID = {
    "> [4]\nno": "malformed",
    "<think>[4]</think>": "reasoning_only",
    "[9]": "malformed",
    "": "empty",
    "[4] or [5]": "ambiguous",
}


@pytest.mark.parametrize("said", INVALID)
def test_a_second_invalid_move_is_forfeited_to_a_legal_one(said):
    env = to_textarena(games.load("tic_tac_toe"))
    env.reset(num_players=2, seed=3)
    env.step("[4]")
    env.get_observation()
    assert env.step(said) == (False, {"answer": INVALID[said]})
    player, told = env.get_observation()
    assert player == 1 and "attempted an invalid move" in told[-1][1]
    _, info = env.step(said)
    assert info["answer"] == INVALID[said] and info["played"] in set("01235678")
    assert [env.state.game_info[player]["invalid_move"] for player in range(2)] == [False, True]
    assert env.state.current_player_id == 0
    _, info = env.step("[4]")  # taken
    assert info == {"answer": "illegal"}


def test_the_number_of_players_is_checked():
    with pytest.raises(ValueError, match="kuhn_poker has 2 players, 3 given"):
        to_textarena(games.load("kuhn_poker")).reset(num_players=3)


# Their games, played here.


def speaker(messages, seed):
    """One of the actions that TextArena's Kuhn poker offers last."""
    offered = re.findall(r"'\[(\w+)\]'", messages[-1]["content"].rsplit("Your available actions are:", 1)[1])
    return f"<think>[fold]</think> [{np.random.default_rng(seed).choice(offered)}]"


def played(seed, count):
    return play_textarena("KuhnPoker-v0", [Scripted(speaker), Scripted(speaker)], count, np.random.default_rng(seed))


def test_games_are_paid_as_their_rules_say():
    """Three rounds, won and lost by rules written here. Their bets cost nothing (0.7.4): the pot is the two antes."""
    for game in played(0, 30):
        chips, cards = [0, 0], {}
        for turn in game.turns:
            assert "<think>" not in turn.action
            cards[turn.player] = re.findall(r"Your card is: '(\w)'", turn.observation)[-1]
            after_check = turn.observation.splitlines()[-2].endswith("submitted move: '[check]'.")
            if turn.action in ("[fold]", "[call]") or (turn.action == "[check]" and after_check):
                best = max((0, 1), key=lambda who: "JQK".index(cards[who]))
                wins = 1 - turn.player if turn.action == "[fold]" else best
                chips[wins] += 1
                chips[1 - wins] -= 1
                cards = {}
        np.testing.assert_array_equal(game.payoff, np.sign(chips))
        assert not game.forfeited.any()


def test_a_game_depends_on_its_number_alone():
    """Three games in lock step draw their cards in turn, and still each is what it is alone or beside others."""
    three, five = played(5, 3), played(5, 5)
    for one, other in zip(three, five, strict=False):
        assert one.turns == other.turns and (one.payoff == other.payoff).all()
    assert len({game.turns[0].observation + game.turns[-1].observation for game in five}) > 1


class Drawing(kuhn.KuhnPokerEnv):
    """Shows a number of NumPy's global generator in the rules, as two of TextArena's games draw from it."""

    def _prompt(self, player_id, game_state):
        return f"{np.random.get_bit_generator().random_raw()} {super()._prompt(player_id, game_state)}"


def test_the_callers_global_random_numbers_are_left_alone_and_count_for_nothing():
    if "Drawing" not in ta.envs.registration.ENV_REGISTRY:
        ta.register("Drawing", Drawing, default_wrappers=[ta.wrappers.LLMObservationWrapper])
    first, second = [], []
    for seed, games_ in ((11, first), (12, second)):
        random.seed(seed)
        python, numpy = random.getstate(), np.random.get_bit_generator()
        before = str(numpy.state)
        games_ += play_textarena("Drawing", [Scripted(speaker)] * 2, 2, np.random.default_rng(1))
        assert random.getstate() == python
        assert np.random.get_bit_generator() is numpy and str(numpy.state) == before
        numpy.random_raw()
    assert [game.turns for game in first] == [game.turns for game in second]


def test_who_gives_no_answer_loses_by_their_rule_and_is_recorded():
    silent = Scripted(lambda messages, seed: Reply("[bet]", "", "cut", 1, 1))
    for game in play_textarena("KuhnPoker-v0", [silent, Scripted(speaker)], 4, np.random.default_rng(0)):
        assert game.forfeited.tolist() == [True, False]
        assert game.payoff.tolist() == [-1, 1]
        assert [turn.action for turn in game.turns if turn.player == 0][-2:] == ["", ""]
        assert {turn.status for turn in game.turns if turn.player == 0} == {"cut"}


def test_unknown_games_and_wrong_numbers_of_players_are_refused():
    model = Scripted(speaker)
    with pytest.raises(ValueError, match="no game 'Kuhn'"):
        play_textarena("Kuhn", [model] * 2, 1, np.random.default_rng(0))
    with pytest.raises(ValueError, match="KuhnPoker-v0 is not for 3 players"):
        play_textarena("KuhnPoker-v0", [model] * 3, 1, np.random.default_rng(0))
