"""Play: streams of random numbers, sampling, what is recorded, and what is refused."""

import os
import subprocess
import sys

import numpy as np
import pytest

from ludus.agents.scripted import first_legal, prefer
from ludus.agents.uniform import uniform
from ludus.game import CHANCE, OVER, IllegalAction
from ludus.games.connect_four import CONNECT_FOUR
from ludus.games.kuhn_poker import KUHN_POKER
from ludus.play import BLOCK, Episodes, play, playouts, random_episodes, replay, tell_episode

COLUMNS = ("player", "view", "legal", "action", "prob", "first", "payoff")


def rng(seed=7):
    return np.random.default_rng(seed)


def same(one: Episodes, other: Episodes) -> bool:
    equal = all(np.array_equal(getattr(one, name), getattr(other, name)) for name in COLUMNS)
    return equal and all(
        np.array_equal(note, other.notes[name], note.dtype.kind == "f") for name, note in one.notes.items()
    )


def naive_value(state=KUHN_POKER.start, player=0):
    """Kuhn poker under uniform play, by plain recursion over the rules."""
    turn, options, apply, payoff, _ = KUHN_POKER.kernels
    mover, out, weights = turn(state), np.zeros(2), np.zeros(3)
    if mover == OVER:
        payoff(state, out)
        return out[player]
    options(state, weights)
    value = 0.0
    for action, weight in enumerate(weights / weights.sum()):
        if weight > 0:
            after = state.copy()
            apply(after, action)
            value += weight * naive_value(after, player)
    return value


class Thinker:
    """A Chooser that bets with a fixed probability and reads its random numbers one by one, as tokens are sampled."""

    def __init__(self, bet, length):
        self.bet, self.length = bet, length

    def choose(self, views, legal, uniforms):
        thought = np.concatenate([uniforms(1) for _ in range(self.length)], axis=1)
        action = (uniforms(1)[:, 0] < self.bet).astype(np.int64)
        tokens = (thought * 50).astype(np.int64)
        said = np.where(action == 1, "I bet", "I pass")
        return (
            action,
            np.where(action == 1, self.bet, 1 - self.bet),
            {"tokens": tokens, "thought": thought, "said": said},
        )


def test_the_same_seed_gives_the_same_games_on_any_number_of_workers():
    policies = [uniform, Thinker(0.3, 4)]
    games = 2 * BLOCK + 100
    once = play(KUHN_POKER, policies, games, rng())
    for workers in (1, 2, 3):
        assert same(once, play(KUHN_POKER, policies, games, rng(), workers=workers))
    assert not same(once, play(KUHN_POKER, policies, games, rng(8)))


def test_a_game_does_not_depend_on_how_many_games_are_played():
    few, many = (play(KUHN_POKER, [uniform, Thinker(0.3, 4)], games, rng()) for games in (50, BLOCK + 50))
    rows = few.first[-1]
    assert np.array_equal(few.action, many.action[:rows]) and np.array_equal(few.payoff, many.payoff[:50])
    assert np.array_equal(few.notes["thought"], many.notes["thought"][:rows], equal_nan=True)


def test_one_number_is_drawn_from_the_generator_whatever_is_played():
    after = []
    for work in (
        lambda r: play(KUHN_POKER, [uniform] * 2, 3, r),
        lambda r: playouts(KUHN_POKER, 5000, r),
        lambda r: random_episodes(KUHN_POKER, 5000, r),
    ):
        generator = rng()
        work(generator)
        after.append(generator.integers(2**63))
    assert after[0] == after[1] == after[2]


def chi_square(counts, expected):
    return float(((counts - expected) ** 2 / expected).sum())


def test_actions_and_cards_come_as_often_as_their_probabilities_say():
    bet = np.array([0.1, 0.5, 0.8])

    def by_card(views, legal):
        return np.stack([1 - bet[views[:, 0]], bet[views[:, 0]]], axis=1)

    episodes = play(KUHN_POKER, [by_card, uniform], 30_000, rng())
    opening = episodes.first[:-1]
    cards, actions = episodes.view[opening, 0], episodes.action[opening]
    dealt = np.bincount(cards, minlength=3)
    assert chi_square(dealt, np.full(3, 10_000.0)) < 13.8  # 0.999 quantile, two degrees of freedom
    for card in range(3):
        counts = np.bincount(actions[cards == card], minlength=2)
        assert chi_square(counts, dealt[card] * np.array([1 - bet[card], bet[card]])) < 10.8  # one degree of freedom
    replies = episodes.action[episodes.player == 1]
    assert chi_square(np.bincount(replies), np.full(2, len(replies) / 2)) < 10.8


def test_uniform_kuhn_poker_is_worth_an_eighth_to_the_first_player():
    assert naive_value() == pytest.approx(1 / 8, abs=1e-12)
    payoffs = {
        "play": play(KUHN_POKER, [uniform, uniform], 40_000, rng()).payoff,
        "playouts": playouts(KUHN_POKER, 400_000, rng())[0],
    }
    for payoff in payoffs.values():
        assert np.array_equal(payoff.sum(axis=1), np.zeros(len(payoff)))
        error = payoff[:, 0].std() / np.sqrt(len(payoff))
        assert abs(payoff[:, 0].mean() - naive_value()) < 3.3 * error


def test_playouts_count_every_action_and_reach_every_end_as_often_as_they_should():
    payoff, length = playouts(KUHN_POKER, 120_000, rng())
    # After two cards: pass pass, bet pass, bet bet (1/4 each), pass bet pass and pass bet bet (1/8 each).
    counts = np.array([(length == 4).sum(), (length == 5).sum()])
    assert counts.sum() == 120_000 and chi_square(counts, np.array([90_000.0, 30_000.0])) < 10.8
    doubled = np.bincount(np.abs(payoff[:, 0]).astype(int))  # a call, 1/4 + 1/8, doubles what is won
    assert chi_square(doubled[1:], np.array([75_000.0, 45_000.0])) < 10.8


@pytest.mark.parametrize("policies", [[uniform, first_legal], [prefer(KUHN_POKER, "bet"), Thinker(0.3, 2)]])
def test_what_is_recorded_replays_to_the_recorded_payoff(policies):
    check_replays(KUHN_POKER, play(KUHN_POKER, policies, 200, rng()))


@pytest.mark.parametrize("game", [KUHN_POKER, CONNECT_FOUR])
def test_random_episodes_are_the_games_of_playouts_with_all_that_was_seen(game):
    episodes, (payoff, length) = random_episodes(game, 3000, rng()), playouts(game, 3000, rng())
    deals = 2 if game is KUHN_POKER else 0
    assert np.array_equal(episodes.payoff, payoff) and np.array_equal(np.diff(episodes.first), length - deals)
    assert np.array_equal(episodes.prob, 1 / episodes.legal.sum(axis=1))
    few = random_episodes(game, 100, rng())  # fewer decisions than the first rows hold, in Kuhn poker
    check_replays(game, few)
    for name in ("player", "view", "legal", "action", "prob"):
        assert np.array_equal(getattr(few, name), getattr(episodes, name)[: few.first[-1]])


def test_in_random_episodes_every_action_comes_as_often_as_any_other():
    opening = random_episodes(CONNECT_FOUR, 14_000, rng())
    counts = np.bincount(opening.action[opening.first[:-1]], minlength=7)
    assert chi_square(counts, np.full(7, 2000.0)) < 22.5  # 0.999 quantile, six degrees of freedom


def check_replays(game, episodes):
    """What is written of every decision is what the rules say there; the cards of Kuhn poker are read off the views."""
    assert len(episodes.action) == episodes.first[-1]
    out, view, weights = np.zeros(2), np.zeros(game.view_size, np.int64), np.zeros(game.width)
    for number in range(len(episodes.payoff)):
        rows = slice(episodes.first[number], episodes.first[number + 1])
        actions = [seen[0] for seen in episodes.view[rows][:2]] if game is KUHN_POKER else []  # players 0 and 1 begin
        for player, seen, legal, action in zip(
            episodes.player[rows], episodes.view[rows], episodes.legal[rows], episodes.action[rows], strict=True
        ):
            state, turns = replay(game, actions)
            assert turns[-1] == player
            game.kernels.view(state, player, view)
            game.kernels.options(state, weights)
            assert np.array_equal(view, seen) and np.array_equal(weights[: game.actions] > 0, legal)
            actions.append(action)
        state, turns = replay(game, actions)
        game.kernels.payoff(state, out)
        assert turns[-1] == OVER and np.array_equal(out, episodes.payoff[number])


def test_a_policy_on_two_seats_is_asked_once_for_both():
    asked = []

    def watcher(views, legal):
        asked.append(set(views[:, 1] % 2))  # the number of plies gives the player away
        return uniform(views, legal)

    play(KUHN_POKER, [watcher, watcher], 100, rng())
    assert len(asked) == 3  # a game of Kuhn poker has at most three plies


def test_seats_are_not_mixed_up():
    episodes = play(KUHN_POKER, [prefer(KUHN_POKER, "bet"), prefer(KUHN_POKER, "pass")], 50, rng())
    assert (episodes.action[episodes.player == 0] == 1).all() and (episodes.action[episodes.player == 1] == 0).all()
    assert np.array_equal(episodes.payoff, np.tile([1.0, -1.0], (50, 1)))


def test_a_chooser_keeps_notes_and_those_of_others_are_filled_in():
    episodes = play(KUHN_POKER, [Thinker(0.3, 2), Thinker(0.6, 5)], 4000, rng())
    short, long = episodes.player == 0, episodes.player == 1
    assert episodes.notes["tokens"].shape == (len(episodes.action), 5)
    assert (episodes.notes["tokens"][short, 2:] == -1).all() and (episodes.notes["tokens"][long] >= 0).all()
    assert np.isnan(episodes.notes["thought"][short, 2:]).all()
    assert chi_square(np.bincount(episodes.action[long]), long.sum() * np.array([0.4, 0.6])) < 10.8
    assert set(episodes.prob[short]) == {0.3, 0.7}
    mixed = play(KUHN_POKER, [uniform, Thinker(0.6, 5)], 20, rng())
    assert (mixed.notes["said"][mixed.player == 0] == "").all()
    bets = mixed.action[mixed.player == 1] == 1
    assert np.array_equal(mixed.notes["said"][mixed.player == 1] == "I bet", bets)


def test_the_numbers_of_a_chooser_are_uniform_and_unrelated():
    thought = play(KUHN_POKER, [uniform, Thinker(0.5, 4)], 20_000, rng()).notes["thought"]
    thought = thought[~np.isnan(thought[:, 0])]
    for column in thought.T:
        assert chi_square(np.histogram(column, 10, (0, 1))[0], np.full(10, len(thought) / 10)) < 27.9  # 9 degrees
    relation = np.corrcoef(thought.T) - np.eye(4)
    assert np.abs(relation).max() < 4 / np.sqrt(len(thought))


class Cheat:
    def __init__(self, action, prob=1.0):
        self.action, self.prob = action, prob

    def choose(self, views, legal, uniforms):
        return np.full(len(views), self.action), np.full(len(views), self.prob), {}


def test_an_illegal_action_names_the_seat_and_what_was_legal():
    for action in (2, -1):
        with pytest.raises(IllegalAction, match=rf"policies\[1\].*chose {action}; legal are 0 pass, 1 bet"):
            play(KUHN_POKER, [uniform, Cheat(action)], 5, rng())
    with pytest.raises(ValueError, match=r"policies\[0\]: prob 1.5"):
        play(KUHN_POKER, [Cheat(0, 1.5), uniform], 5, rng())


@pytest.mark.parametrize("row", [[0.5, 0.6], [-0.5, 1.5], [np.nan, 1.0], [0.0, 0.0], [np.inf, 0.0]])
def test_what_is_no_probability_is_refused(row):
    with pytest.raises(ValueError, match=r"policies\[1\]: at '[JQK] .*it returned .*sum to one"):
        play(KUHN_POKER, [uniform, lambda views, legal: np.tile(row, (len(views), 1))], 5, rng())


def test_weight_on_an_illegal_action_is_refused():
    def stubborn(views, legal):
        return np.tile(np.eye(7)[3], (len(views), 1))

    with pytest.raises(IllegalAction, match=r"policies\[0\].*legal are 0 0, 1 1, 2 2, 4 4"):
        play(CONNECT_FOUR, [stubborn] * 2, 1, rng())  # six stones fill the column


class Bytes(Cheat):
    def __init__(self):
        super().__init__(0)

    def choose(self, views, legal, uniforms):
        return *super().choose(views, legal, uniforms)[:2], {"blob": np.full(len(views), b"x")}


def test_arguments_are_checked():
    with pytest.raises(ValueError, match="policies: kuhn_poker has 2 players, 1 given"):
        play(KUHN_POKER, [uniform], 5, rng())
    with pytest.raises(ValueError, match=r"policies\[1\]: 'bob' is no policy"):
        play(KUHN_POKER, [uniform, "bob"], 5, rng())
    with pytest.raises(
        ValueError, match=r"policies\[0\]: expected probabilities of shape \(5, 2\), it returned \(5,\)"
    ):
        play(KUHN_POKER, [lambda views, legal: np.ones(len(views)), uniform], 5, rng())
    for games in (0, 2.5, True):
        for work in (playouts, random_episodes):
            with pytest.raises(ValueError, match="games: give a whole number"):
                work(KUHN_POKER, games, rng())
    with pytest.raises(ValueError, match="workers: "):
        play(KUHN_POKER, [uniform, uniform], 5, rng(), workers=0)
    with pytest.raises(ValueError, match="rng: give a numpy Generator"):
        playouts(KUHN_POKER, 5, np.random)
    with pytest.raises(ValueError, match="notes"):
        play(KUHN_POKER, [uniform, Bytes()], 5, rng())


def test_replay_stops_at_what_the_rules_do_not_allow():
    assert replay(KUHN_POKER, [2, 0, 0, 1, 1]).turns == [CHANCE, CHANCE, 0, 1, 0, OVER]
    assert np.array_equal(replay(KUHN_POKER, []).state, KUHN_POKER.start)
    with pytest.raises(IllegalAction, match=r"actions\[1\]: chance cannot give 2 here; give one of 0, 1"):
        replay(KUHN_POKER, [2, 2])
    with pytest.raises(IllegalAction, match=r"actions\[3\]: player 1 at 'J pass' chose 2; legal are 0 pass, 1 bet"):
        replay(KUHN_POKER, [2, 0, 0, 2])
    with pytest.raises(IllegalAction, match=r"actions\[4\]: the game is over after 4 actions"):
        replay(KUHN_POKER, [2, 0, 0, 0, 0])


def test_an_episode_in_words():
    episodes = play(KUHN_POKER, [prefer(KUHN_POKER, "bet"), Thinker(0.0, 1)], 1, rng())
    mine, other = ("JQK"[card] for card in episodes.view[:2, 0])
    assert tell_episode(KUHN_POKER, episodes, 0).splitlines() == [
        f"player 0 sees '{mine}', plays bet (probability 1)",
        f"player 1 sees '{other} bet', plays pass (probability 1)",
        "    said: I pass",
        "payoff: player 0 +1, player 1 -1",
    ]
    with pytest.raises(ValueError, match="index: there are 1 games"):
        tell_episode(KUHN_POKER, episodes, 1)


def test_uncompiled_play_is_the_same_play():
    code = (
        "import numpy as np, hashlib\n"
        "from ludus.agents.uniform import uniform\n"
        "from ludus.games.kuhn_poker import KUHN_POKER\n"
        "from ludus.play import play, playouts, random_episodes\n"
        "payoff, length = playouts(KUHN_POKER, 300, np.random.default_rng(3))\n"
        "episodes = play(KUHN_POKER, [uniform, uniform], 300, np.random.default_rng(3))\n"
        "written = random_episodes(KUHN_POKER, 700, np.random.default_rng(3))\n"  # more than the first rows hold
        "arrays = [payoff, length, *(column for each in (episodes, written) for column in vars(each).values())]\n"
        "arrays = [array for array in arrays if len(array)]\n"
        "print(hashlib.sha256(b''.join(array.tobytes() for array in arrays)).hexdigest())\n"
    )
    hashes = []
    for switch in ("0", "1"):
        environment = os.environ | {"NUMBA_DISABLE_JIT": switch}
        command = [sys.executable, "-W", "error", "-c", code]
        hashes.append(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)
    assert hashes[0] == hashes[1] and len(hashes[0].strip()) == 64
