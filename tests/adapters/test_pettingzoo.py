"""Our games under PettingZoo's own conformance tests, and paid as our own engine pays them."""

import numpy as np
import pytest
from tests import naive

from ludus import games
from ludus.game import IllegalAction

WHY = "a guest's own tests: .venv-peers/bin/python -m pytest tests/adapters"
testing = pytest.importorskip("pettingzoo.test", reason=WHY)
wrappers = pytest.importorskip("pettingzoo.utils", reason=WHY)
adapter = pytest.importorskip("ludus.adapters.pettingzoo", reason=WHY)
aec_env, parallel_env = adapter.aec_env, adapter.parallel_env

TWICE = "pursuit(rows=1, columns=4, wrap=1, pursuers=2, steps=2, sight=0)"  # player 0 moves twice in a step
ROUNDS = ["rock_paper_scissors", "travellers_dilemma", "volunteers_dilemma", "ordinal", "oshi_zumo", "goofspiel",
          "blotto", "pursuit", "sealed_bid_auction", "goofspiel(cards=3, random=1, hidden=0, points=1)"]  # fmt: skip
TURNS = ["kuhn_poker", "kuhn_poker(players=3)", "leduc_poker", "liars_dice", "tic_tac_toe", "connect_four",
         "negotiation", "hex", "breakthrough", "battleship", TWICE]  # fmt: skip


@pytest.mark.filterwarnings("ignore::UserWarning")  # of spaces that are Dicts, as in PettingZoo's own classic games
@pytest.mark.parametrize("spec", ROUNDS + TURNS)
def test_pettingzoos_own_tests_pass(spec):
    testing.api_test(aec_env(games.load(spec)), num_cycles=30)
    testing.seed_test(lambda: aec_env(games.load(spec)), num_cycles=100)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("spec", ROUNDS)
def test_pettingzoos_own_tests_of_rounds_pass(spec):
    testing.parallel_api_test(parallel_env(games.load(spec)), num_cycles=100)


@pytest.mark.parametrize(
    "spec", ["rock_paper_scissors", "prisoners_dilemma", "blotto"]
)  # every action is legal: it samples any
def test_pettingzoos_own_test_of_seeds_in_rounds_passes(spec):
    testing.parallel_seed_test(lambda: parallel_env(games.load(spec)), num_cycles=50)


def last_random_game(env, rng):
    """Play on at random after a reset -> the actions, and what each agent was paid in all."""
    actions, paid = [], dict.fromkeys(env.agents, 0.0)
    for agent in env.agent_iter():
        seen, reward, terminated, truncated, info = env.last()
        assert not truncated and info == {}
        paid[agent] += reward
        if terminated:
            assert not seen["action_mask"].any()
            env.step(None)
            continue
        actions.append(int(rng.choice(np.flatnonzero(seen["action_mask"]))))
        env.step(actions[-1])
    return actions, paid


@pytest.mark.parametrize("spec", ["leduc_poker", "negotiation", "kuhn_poker(players=3)"])
def test_a_game_goes_as_the_rules_have_it(spec):
    """Every observation, mask and payoff against the game itself, driven by the same actions."""
    game, rng = games.load(spec), np.random.default_rng(3)
    env = aec_env(game)
    for seed in range(20):
        env.reset(seed=seed)
        while True:
            state = env._state.copy()  # what chance did is known to the environment alone
            player = int(game.kernels.turn(state))
            if player < 0:
                break
            seen, reward, *_ = env.last()
            assert env.agent_selection == f"player_{player}" and reward == 0
            assert (player, *seen["observation"]) == naive.infoset_of(game, state, player)
            assert set(np.flatnonzero(seen["action_mask"])) == set(naive.moves_of(game, state))
            assert not any(
                env.observe(f"player_{who}")["action_mask"].any() for who in range(game.players) if who != player
            )
            action = int(rng.choice(np.flatnonzero(seen["action_mask"])))
            game.kernels.apply(state, action)
            if int(game.kernels.turn(state)) >= 0:
                env.step(action)
                assert (env._state == state).all()
            else:
                env.step(action)
        pays = naive.payoff_of(game, env._state)
        assert env.rewards == {f"player_{who}": paid for who, paid in enumerate(pays)}
        assert all(env.terminations.values()) and not any(env.truncations.values())


def test_seeds_are_honoured_and_a_reset_without_one_goes_on():
    env = aec_env(games.load("leduc_poker"))

    def five_games():
        played = []
        for seed in (1, None, None, None, None):
            env.reset(seed=seed)
            cards = str([env.observe(agent)["observation"] for agent in env.agents])
            played.append((cards, last_random_game(env, np.random.default_rng(0))))
        return played

    first = five_games()
    assert first == five_games() and len({cards for cards, _ in first}) > 1


def test_the_variant_survives_a_reset():
    env = aec_env(games.load("liars_dice(dice=2, faces=3)"))
    for seed in range(3):
        env.reset(seed=seed)
        assert env.action_space("player_0").n == len(games.load("liars_dice(dice=2, faces=3)").words)
        assert env.game.name == "liars_dice(dice=2, faces=3)" and env.render().startswith("player_0 sees ")


def test_an_illegal_action_raises_and_a_wrapper_makes_it_a_forfeit():
    env = aec_env(games.load("leduc_poker"))
    env.reset(seed=0)
    before = env._state.copy()
    with pytest.raises(IllegalAction, match="chose 0; legal are 1 call, 2 raise"):
        env.step(0)  # nobody folds before there was a raise
    assert (env._state == before).all() and env.agent_selection == "player_0"
    forfeits = wrappers.TerminateIllegalWrapper(env, illegal_reward=-1)
    forfeits.reset(seed=0)
    forfeits.step(0)
    assert all(env.terminations.values()) and env.rewards == {"player_0": -1, "player_1": 0}


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ("kuhn_poker", "player 1 at '. bet' sees something of what was chosen"),
        ("tic_tac_toe", "sees something of what was chosen"),
        ("negotiation", "chance moves before all 2 players have moved once"),
        (TWICE, "player 0 moves twice"),
        ("battleship", "sees something of what was chosen"),  # ships are placed at the same time, shots are in turns
    ],
)
def test_a_game_in_turns_is_refused_as_rounds(spec, why):
    with pytest.raises(adapter.NotSimultaneous, match=why):
        parallel_env(games.load(spec))


def test_a_round_pays_what_the_matrix_says():
    form = games.form("travellers_dilemma")
    env = parallel_env(games.load("travellers_dilemma"))
    for row, column in np.ndindex(form.payoff.shape[:2]):
        env.reset()
        _, paid, terminated, truncated, _ = env.step({"player_0": row, "player_1": column})
        assert list(paid.values()) == form.payoff[row, column].tolist()
        assert all(terminated.values()) and not any(truncated.values()) and env.agents == []


def test_a_round_needs_an_action_of_everybody_and_a_legal_one():
    env = parallel_env(games.load("goofspiel"))
    env.reset(seed=0)
    with pytest.raises(ValueError, match=r"an action for each of \['player_0', 'player_1'\] is needed"):
        env.step({"player_0": 1})
    env.step({"player_0": 1, "player_1": 2})
    before = env._state.copy()
    with pytest.raises(IllegalAction, match=r"player 1 .* chose 2; legal are 0 1, 1 2, 3 4"):
        env.step({"player_0": 2, "player_1": 2})  # a card is bid once
    assert (env._state == before).all()
