import numpy as np
import pytest

from ludus.agents.human import InputEnded, human
from ludus.agents.scripted import prefer
from ludus.games.connect_four import CONNECT_FOUR
from ludus.games.kuhn_poker import KUHN_POKER
from ludus.play import play


class Console:
    """Answers in, shown lines out."""

    def __init__(self, *answers):
        self.answers, self.shown = list(answers), []

    def ask(self, prompt):
        if not self.answers:
            raise EOFError
        return self.answers.pop(0)

    def player(self, game):
        return human(game, ask=self.ask, show=self.shown.append)


def play_one(console):
    seats = [prefer(KUHN_POKER, "bet"), console.player(KUHN_POKER)]
    return play(KUHN_POKER, seats, 1, np.random.default_rng(1))


@pytest.mark.parametrize(("answer", "action"), [("bet", 1), (" PASS ", 0), ("1", 1), ("0", 0)])
def test_words_and_numbers_are_taken(answer, action):
    episodes = play_one(Console(answer))
    assert list(episodes.action) == [1, action]


def test_the_person_is_told_the_rules_once_then_what_the_player_sees():
    console = Console("bet", "pass")
    player = console.player(KUHN_POKER)
    player(np.array([[0, 1, 1, -1, -1]]), np.ones((1, 2), bool))
    player(np.array([[2, 1, 0, -1, -1]]), np.ones((1, 2), bool))
    assert console.shown == [
        KUHN_POKER.rules, "\nYou see: J bet", "0 pass  1 bet", "\nYou see: K pass", "0 pass  1 bet",
    ]  # fmt: skip


def test_bad_input_is_asked_again_with_one_sentence():
    console = Console("fold", "2", "", "-1", "bet")
    episodes = play_one(console)
    assert episodes.action[-1] == 1
    assert console.shown[-4:] == [
        f"{answer!r} is not possible here: type one of 0 pass  1 bet" for answer in ("fold", "2", "", "-1")
    ]


def test_illegal_actions_are_not_offered():
    console = Console("1", "0")
    table = console.player(KUHN_POKER)(np.array([[0, 1, 1, -1, -1]]), np.array([[True, False]]))
    assert np.array_equal(table, [[1.0, 0.0]]) and "1 bet" not in "".join(console.shown[1:])


def test_where_words_are_numbers_only_words_count():
    game = CONNECT_FOUR._replace(words=tuple("1234567"))
    console = Console("1", "3")
    legal = np.array([[False, True, True, True, True, True, True]])  # the column called 1 is full
    table = console.player(game)(np.zeros((1, 42), np.int64), legal)
    assert list(table[0]) == [0, 0, 1, 0, 0, 0, 0]


def test_the_end_of_the_input_ends_the_game_cleanly():
    with pytest.raises(InputEnded, match="the input ended in the middle of kuhn_poker"):
        play_one(Console("what"))
