"""One seat as a Gymnasium environment: Gymnasium's own checker, and episodes worth what the tree says."""

import numpy as np
import pytest
from tests import naive

from ludus import games
from ludus.agents.scripted import first_legal, prefer
from ludus.agents.uniform import uniform
from ludus.game import IllegalAction

WHY = "a guest's own tests: .venv-peers/bin/python -m pytest tests/adapters"
gymnasium = pytest.importorskip("gymnasium", reason=WHY)
check_env = pytest.importorskip("gymnasium.utils.env_checker", reason=WHY).check_env
seat_env = pytest.importorskip("ludus.adapters.gymnasium", reason=WHY).seat_env


class Legal(gymnasium.ActionWrapper):
    """Any number, read as one of the legal actions: the checker samples without looking at the mask."""

    def reset(self, *, seed=None, options=None):
        seen, info = self.env.reset(seed=seed, options=options)
        self.mask = info["action_mask"]
        return seen, info

    def step(self, action):
        able = np.flatnonzero(self.mask)
        answer = self.env.step(int(able[action % len(able)]) if len(able) else action)
        self.mask = answer[-1]["action_mask"]
        return answer


@pytest.mark.filterwarnings(
    "ignore::UserWarning"
)  # that it is not made by gymnasium.make, and has no frames per second
@pytest.mark.parametrize(
    "spec", ["kuhn_poker", "rock_paper_scissors", "prisoners_dilemma"]
)  # where every action is legal
@pytest.mark.parametrize("seat", [0, 1])
def test_gymnasiums_own_checker_passes(spec, seat):
    others = [uniform, uniform]
    others[seat] = None
    check_env(seat_env(games.load(spec), seat, others))


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("spec", ["leduc_poker", "liars_dice", "tic_tac_toe", "negotiation", "goofspiel", "hex"])
def test_gymnasiums_own_checker_passes_where_actions_are_masked(spec):
    check_env(Legal(seat_env(games.load(spec), 0, [None, uniform])))


def test_what_the_seat_earns_is_what_the_tree_says():
    """Always betting against even play, from both seats of Kuhn poker: 1500 games, five deviations."""
    game = games.load("kuhn_poker")
    bets = {infoset: {0: 0.0, 1: 1.0} for infoset in naive.uniform_policy(game)}
    even = naive.uniform_policy(game)
    for seat in range(2):
        policy = {infoset: (bets if infoset[0] == seat else even)[infoset] for infoset in even}
        exact = naive.best_response_value(game, policy, None)[seat]
        env = seat_env(game, seat, [None if player == seat else uniform for player in range(2)])
        env.reset(seed=seat)
        earned = []
        for _ in range(1500):
            _, info = env.reset()
            assert info["redrawn"] == 0
            over = False
            while not over:
                _, reward, over, truncated, info = env.step(1)
                assert not truncated and (over or reward == 0) and info["action_mask"].any() != over
            earned.append(reward)
        assert abs(np.mean(earned) - exact) < 5 * np.std(earned) / np.sqrt(1500)


def test_a_seed_gives_the_same_episode_whatever_was_played_before():
    env = seat_env(games.load("leduc_poker"), 1, [uniform, None])

    def episode(**options):
        seen, info = env.reset(**options)
        line, over = [seen.tolist()], False
        while not over:
            seen, reward, over, _, info = env.step(int(np.flatnonzero(info["action_mask"])[0]))
            line.append((seen.tolist(), reward))
        return line

    first = [episode(seed=9), episode(), episode()]
    episode(seed=4)
    assert first == [episode(seed=9), episode(), episode()]
    assert len({str(line) for line in [*first, *(episode() for _ in range(20))]}) > 3


def test_the_variant_and_the_others_survive_a_reset():
    game = games.load("kuhn_poker(players=3)")
    env = seat_env(game, 1, [prefer(game, "bet"), None, first_legal])
    for seed in range(5):
        seen, _ = env.reset(seed=seed, options={"anything": 1})
        assert env.game.name == "kuhn_poker(players=3)"
        assert game.tell(seen).split()[1:] == ["bet"] and env.render() == f"player 1 sees {game.tell(seen)!s}"
        _, reward, over, _, _ = env.step(1)
        assert over and reward in (3.0, -2.0)  # the third folds: an ante of it and two chips of the loser


def test_an_illegal_action_raises_and_changes_nothing():
    env = seat_env(games.load("leduc_poker"), 0, [None, uniform])
    _, info = env.reset(seed=0)
    assert info["action_mask"].tolist() == [0, 1, 1] and info["action_mask"].dtype == np.int8
    with pytest.raises(IllegalAction, match="chose 0; legal are 1 call, 2 raise"):
        env.step(0)
    again = seat_env(games.load("leduc_poker"), 0, [None, uniform])
    again.reset(seed=0)
    assert str(env.step(1)) == str(again.step(1))


def test_nothing_follows_the_end():
    env = seat_env(games.load("rock_paper_scissors"), 0, [None, uniform])
    env.reset(seed=0)
    assert env.step(0)[2]
    with pytest.raises(IllegalAction, match="the game is over"):
        env.step(0)


def test_games_that_end_without_the_seat_are_counted():
    game = games.load("negotiation(turns=1, bell=0)")  # one turn, player 0's: player 1 never decides
    with pytest.raises(ValueError, match=r"1000 games of negotiation.* ended before player 1 could decide"):
        seat_env(game, 1, [uniform, None]).reset(seed=0)
    game = games.load("negotiation(turns=2, bell=50)")  # the bell ends every second game after player 0's offer
    env = seat_env(game, 1, [uniform, None])
    env.reset(seed=0)
    redrawn = [env.reset()[1]["redrawn"] for _ in range(1000)]
    assert abs(np.mean(redrawn) - 1.0) < 5 * np.sqrt(2 / 1000)  # geometric with 1/2: mean 1, variance 2


@pytest.mark.parametrize(
    ("seat", "others", "why"),
    [
        (2, [None, uniform], "seat: kuhn_poker has players 0 to 1, not 2"),
        (0, [None], "others: .* 1 given"),
        (0, [uniform, None], r"None at seat 0; 2 given, None at \[1\]"),
        (0, [None, None], r"None at \[0, 1\]"),
    ],
)
def test_seats_that_do_not_fit_are_refused(seat, others, why):
    with pytest.raises(ValueError, match=why):
        seat_env(games.load("kuhn_poker"), seat, others)
