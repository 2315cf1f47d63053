"""Deeper reasoning: games and optima against brute force, logs, modules with a perfect model, controls, the server."""

from collections import deque
from dataclasses import replace
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
import torch

from ludus.models.chat import Reply, Scripted
from ludus.recipes.agents import deeper_reasoning as dr
from ludus.recipes.agents.deeper_reasoning import ARMS, BANDIT, GAMES, GRID, HANOI, RPS, TOKEN, WORDS, Settings
from ludus.study import Log


@pytest.fixture(scope="module")
def pupil():
    return dr.taught("small", 2, 16, 3)


# Optima.


def test_the_bandits_value_is_that_of_a_search_over_all_histories():
    @cache
    def value(a, b, c, d, left):
        if left == 0:
            return Fraction(0)
        one, two = Fraction(a + 1, a + b + 2), Fraction(c + 1, c + d + 2)
        first = one * (1 + value(a + 1, b, c, d, left - 1)) + (1 - one) * value(a, b + 1, c, d, left - 1)
        second = two * (1 + value(a, b, c + 1, d, left - 1)) + (1 - two) * value(a, b, c, d + 1, left - 1)
        return max(first, second)

    assert value(0, 0, 0, 0, 2) == Fraction(13, 12)  # by hand: 1/2, then 2/3 or 1/2
    table = dr.bandit_tables()[0]
    assert table[0, 0, 0, 0] == pytest.approx(float(value(0, 0, 0, 0, dr.PULLS)))
    assert table[2, 1, 0, 3] == pytest.approx(float(value(1, 2, 3, 0, dr.PULLS - 6)))


def test_every_state_of_hanoi_is_as_far_as_a_search_says():
    """By a search of our own over tuples of pegs."""

    def after(pegs):
        for start in range(3):
            top = [disc for disc in range(3) if pegs[disc] == start]
            for end in range(3):
                on = [disc for disc in range(3) if pegs[disc] == end]
                if top and end != start and (not on or on[0] > top[0]):
                    yield (*pegs[: top[0]], end, *pegs[top[0] + 1 :])

    far, queue = {(2, 2, 2): 0}, deque([(2, 2, 2)])
    while queue:
        pegs = queue.popleft()
        for other in after(pegs):
            if other not in far:
                far[other] = far[pegs] + 1
                queue.append(other)
    boards = np.array([[*pegs, 0] for pegs in far])
    assert far[0, 0, 0] == 2**3 - 1 and len(far) == 27
    assert HANOI.far(boards).tolist() == list(far.values())
    for board in boards:
        ends = {tuple(HANOI.play(board[None], np.array([act]), None)[0][0, :3].tolist()) for act in range(6)}
        legal = set(after(tuple(board[:3].tolist())))
        assert ends - {tuple(board[:3].tolist())} == legal


def walk(board):
    """Steps left on a board of the grid, by a search over (place, key held), None where there is no way."""
    place, key, door, pit, held = board[:5]
    queue, seen = deque([(place, held, 0)]), {(place, held)}
    while queue:
        at, has, steps = queue.popleft()
        if has and at == door:
            return steps
        r, c = divmod(at, 4)
        for i, j in ((r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1)):
            to = 4 * i + j
            if 0 <= i < 4 and 0 <= j < 4 and to != pit and (to, has or to == key) not in seen:
                seen.add((to, has or to == key))
                queue.append((to, has or to == key, steps + 1))
    return None


def test_the_way_over_the_grid_is_the_shortest():
    rng = np.random.default_rng(0)
    boards = GRID.start(150, rng, True)
    assert [walk(board) for board in boards.tolist()] == dr.grid_left(boards).tolist()


def test_good_rules_lead_to_the_goal_by_the_shortest_way():
    rng = np.random.default_rng(1)
    for name in dr.HARD:
        game = GAMES[name]
        board = game.start(60, rng, False)
        for left in range(int(game.far(board).max()), 0, -1):
            assert game.far(board).max() == left
            after = game.play(board, game.advised(board, rng)[:, 0], None)[0]
            board = np.where(game.over(board)[:, None], board, after)
        assert game.over(board).all() and (game.far(board) == 0).all()


def test_random_play_is_worth_what_it_brings():
    rng = np.random.default_rng(2)
    for name in dr.HARD:
        game = GAMES[name]
        start = np.repeat(game.start(3, rng, False), 4000, axis=0)
        board, got = start, np.zeros(len(start))
        for _ in range(game.steps):
            live = ~game.over(board)
            after, _, gain = game.play(board, rng.integers(len(game.acts), size=len(board)), None)
            board, got = np.where(live[:, None], after, board), got + gain * live
        seen = got.reshape(3, -1).mean(axis=1)
        assert seen == pytest.approx(dr.random_worth(name, start)[::4000], abs=0.03)  # four standard errors and more


def test_what_a_player_can_expect_is_the_mean_of_what_it_gets():
    rng, many = np.random.default_rng(3), 20000
    for game in (BANDIT, RPS):
        board = np.repeat(game.start(1, rng, False), many, axis=0)
        got = [game.play(board, np.full(many, act), rng.random(many)) for act in range(len(game.acts))]
        seen, expected = [each[1].mean() for each in got], [each[2].mean() for each in got]
        shift = board[0, dr.PULLS :].mean() / 1000 if game is BANDIT else 0.0
        assert np.array(seen) - shift == pytest.approx(expected, abs=0.03)
        assert sum(expected) == pytest.approx(0, abs=1e-9)  # so that random play is worth nothing


def test_rock_paper_scissors_is_that_game():
    wins = {("paper", "rock"), ("scissors", "paper"), ("rock", "scissors")}
    for favourite in range(3):
        board = np.zeros((1, dr.ROUNDS + 1), np.int64)
        board[0, -1] = favourite
        for own in range(3):
            for luck in (0.1, 0.7, 0.9):
                after, seen, _ = RPS.play(board, np.array([own]), np.array([luck]))
                mine, other = WORDS[after[0, dr.ROUNDS - 1]].split("/")
                assert seen[0] == ((mine, other) in wins) - ((other, mine) in wins) == dr.PAYS[after[0, dr.ROUNDS - 1]]
                assert other == ("rock", "paper", "scissors")[favourite] or luck > dr.FAVOURED
    assert dr.PAYS.sum() == 2 and dr.PAYS[TOKEN["left+"]] == 1 == dr.PAYS[TOKEN["right+"]]


# Words and logs.


def test_texts_say_what_the_boards_are():
    board = np.array([[5, 6, 8, 1, 0, TOKEN["up"]]])  # player at row 1, column 1
    assert dr.spell(GRID.text(board)[0]) == "no-key key+0down door+1down pit-1down key+1east door-1east pit+0east up"
    assert dr.spell(HANOI.text(np.array([[2, 0, 1, 0]]))[0]) == "disc1@c disc2@a disc3@b"
    assert len(set(WORDS)) == len(WORDS)


def test_logs_are_right_about_the_games():
    rng = np.random.default_rng(4)
    for name, game in GAMES.items():
        log = dr.keep_log(game, 40, rng)
        assert set(log.act) <= set(game.acts) and set(log.note) <= set(game.notes)
        text = log.text[:, -game.text(game.start(1, rng, True)).shape[1] :]
        revised = game.revise(text, log.act, log.written[:, : game.writes])
        assert (dr.widen(revised) == log.after).all()
        if name in dr.HARD:
            over = (log.far == dr.NUMBER) | (log.far == dr.NUMBER + dr.PIT)
            assert over.any() and not over.all()  # finished games are told about too


def test_lessons_ask_for_what_the_logs_hold():
    rng = np.random.default_rng(5)
    logs = {name: dr.keep_log(game, 40, rng) for name, game in GAMES.items()}
    kept = {(*text[text > 0], act, *came[came > 0]) for text, act, came in zip(
        logs["hanoi"].text, logs["hanoi"].act, logs["hanoi"].written, strict=True)}  # fmt: skip
    lesson = dr.lesson(logs, "hanoi", 400, False, rng)
    for prompt, reply in zip(lesson.prompt, lesson.reply, strict=True):
        if prompt[-1] == dr.THEN:
            assert (*prompt[(prompt > 0)][1:-1], *reply[reply > 0]) in kept
        elif prompt[-1] == dr.FAR:
            pegs = [(prompt[prompt >= dr.DISC][disc] - dr.DISC) % 3 for disc in range(3)]
            assert reply[0] - dr.NUMBER == HANOI.far(np.array([[*pegs, 0]]))[0]
    long = dr.lesson(logs, "hanoi", 50, True, rng)
    assert long.prompt.shape[1] <= dr.CONTEXT


def test_padding_is_four_times_as_long_and_of_other_games():
    rng = np.random.default_rng(6)
    logs = {name: dr.keep_log(game, 20, rng) for name, game in GAMES.items()}
    lines = dr.line(RPS, RPS.text(np.concatenate([np.full((3, 10), dr.SHOWN), np.zeros((3, 1), int)], 1)), dr.ACT)
    padded = dr.pad_with(lines, logs, "rps", np.full(3, 4), rng)
    assert ((padded != 0).sum(axis=1) == 5 * lines.shape[1]).all() and (padded[:, -lines.shape[1] :] == lines).all()
    filler = padded[:, : -lines.shape[1]]
    assert not ((filler >= dr.SHOWN) & (filler < dr.SHOWN + 9)).any()


def test_a_line_is_squeezed_to_its_tokens():
    rows = np.array([[0, 5, 0, 6], [0, 0, 7, 0]])
    assert dr.squeeze(rows).tolist() == [[5, 6], [0, 7]]
    assert dr.mark(9, np.array([[0, 0], [3, 0]])).tolist() == [[0, 0, 0], [9, 3, 0]]


# Modules.


def perfect(monkeypatch, game, boards):
    """A world model that is always right, for the boards of a game with a goal, known by their texts."""
    known = {game.text(board[None])[0].tobytes(): board for board in boards}

    def imagine(model, game, text, rng):
        ends = [
            game.play(known[row.tobytes()][None], np.array([a]), None)[0] for row in text for a in range(len(game.acts))
        ]
        known.update({game.text(end)[0].tobytes(): end[0] for end in ends})
        return np.concatenate([game.text(end) for end in ends]), np.zeros(len(ends))

    monkeypatch.setattr(dr, "imagine", imagine)
    monkeypatch.setattr(
        dr, "how_far", lambda model, game, text: np.array([game.far(known[row.tobytes()][None])[0] for row in text])
    )


def test_look_ahead_with_a_perfect_model_takes_a_shortest_way(monkeypatch):
    rng = np.random.default_rng(7)
    for game in (HANOI, GRID):
        boards = game.start(40, rng, True)
        boards = boards[~game.over(boards)]
        perfect(monkeypatch, game, boards)
        acts = dr.plan(None, game, game.text(boards), Settings(planning="model"), rng)[:, 0] - game.acts[0]
        assert (game.far(game.play(boards, acts, None)[0]) == game.far(boards) - 1).all()
        sham = dr.plan(None, game, game.text(boards), Settings(planning="scrambled"), rng)[:, 0] - game.acts[0]
        assert (game.far(game.play(boards, sham, None)[0]) != game.far(boards) - 1).any()


def test_modules_that_are_off_say_nothing(pupil):
    rng, (model, logs) = np.random.default_rng(8), pupil
    text = BANDIT.text(BANDIT.start(4, rng, False))
    off = Settings()
    assert (
        not dr.reflect(model, logs, "bandit", text, off, rng).any() and not dr.plan(model, BANDIT, text, off, rng).any()
    )
    own = dr.reflect(model, logs, "bandit", text, replace(off, reflection="own"), rng)
    assert set(own.ravel()) <= set(dr.NOTES)


def test_blanks_are_not_seen_and_padding_is(pupil):
    rng, (model, logs) = np.random.default_rng(9), pupil
    text = RPS.text(RPS.start(6, rng, False))
    told = dr.Told(np.zeros((6, 2), int), np.zeros((6, 1), int), np.zeros((6, 1), int))
    seen = {}
    for padding in ("", "blank", "text"):
        prompt = dr.act(model, logs, "rps", text, told, Settings(padding=padding), np.random.default_rng(1))[1]
        seen[padding] = dr.ahead(model, prompt)
    assert seen[""] == pytest.approx(seen["blank"], abs=1e-5) and np.abs(seen["text"] - seen[""]).max() > 1e-3


def test_a_mutation_changes_one_entry_at_most():
    rng, rules = np.random.default_rng(10), np.tile(RPS.rules[:2], (200, 1))
    changed = dr.mutate(RPS, rules, rng)
    assert ((changed != rules).sum(axis=1) <= 1).all() and (changed != rules).any()
    assert set(changed.ravel()) <= {0, *RPS.rules}


def test_lists_that_scored_less_are_dropped(monkeypatch, pupil):
    """A player whose payoff is told by its list: only a better list becomes the parent."""
    parents, (model, logs) = [], pupil
    monkeypatch.setattr(dr, "mutate", lambda game, rules, rng: parents.append(rules.copy()) or rules + 1)
    paid = iter([1.0, 5.0, 2.0])

    def play(board, action, luck):
        return board, np.full(len(board), next(paid)), np.zeros(len(board))

    monkeypatch.setitem(dr.GAMES, "bandit", BANDIT._replace(play=play))
    settings = Settings(mutation="score", runs=2, episodes=3, longest=1)
    monkeypatch.setattr(dr, "act", lambda *given: (np.zeros(2, int), np.ones((2, 1), int)))
    dr.play_runs(model, logs, "bandit", settings, np.random.default_rng(0), np.random.default_rng(1))
    assert [int(each[0, 0]) for each in parents] == [0, 1, 1]


def test_the_optimum_scores_one_and_all_arms_meet_the_same_boards(tmp_path):
    small = {"updates": 1, "batch": 16, "runs": 6, "episodes": 2}
    ends = dr.run(replace(ARMS["optimum"], **small), np.random.default_rng(1), Log(tmp_path / "a"))
    assert ends["hard"].number == pytest.approx(1.0) and ends["score/rps"].number < 1
    starts = []
    for arm in ("plain_small", "all_small"):
        worlds = [child.spawn(2)[0] for child in np.random.default_rng(4).spawn(4)]
        starts.append(GRID.start(5, worlds[3], False))
        assert ARMS[arm].size == "small"
    assert (starts[0] == starts[1]).all()


def test_models_of_a_seed_are_taught_alike():
    first = dr.taught("small", 2, 16, 5)[0].state_dict()
    dr.taught.cache_clear()
    again = dr.taught("small", 2, 16, 5)[0].state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)


# The server part.


def served(tmp_path, answer, arm="all_large", name="a"):
    rng, log = np.random.default_rng(6), Log(tmp_path / name)
    return {key: value.number for key, value in dr.server(ARMS[arm], rng, log, Scripted(answer)).items()}


def test_a_competent_model_is_asked_and_scores(tmp_path):
    seen = []

    def answer(messages, seed):
        seen.append(messages[-1]["content"])
        text = seen[-1]
        if "Change, add or drop" in text:
            return "- go the shortest way\n- never stop"
        if "What should be done better" in text:
            return "Hold on to the plan. Go faster."
        manual = next(name for name, words in dr.MANUAL.items() if text.startswith(words))
        if manual == "hanoi":
            pegs = ["abc".index(word[-1]) for word in text.split("The state now: ")[1].split("\n")[0].split()[:3]]
            step = HANOI.advised(np.array([[*pegs, 0]]), np.random.default_rng(seed))[0, 0]
            return f"Thus [{WORDS[HANOI.acts[step]]}]"
        return {"bandit": "[left]", "rps": "[rock]", "grid": "[up]"}[manual]

    ends = served(tmp_path, answer)
    assert ends["unreadable"] == 0 and ends["served_hard"] > 0.3
    assert len(seen) <= 142
    assert any("> - go the shortest way" in text and "> Hold on" in text for text in seen)
    assert any("foresee" in text for text in seen)


def test_rubbish_is_counted_and_the_optimum_asks_nothing(tmp_path):
    for name, answer in (
        ("words", lambda messages, seed: "I \x00 {say} [left] or [right] [up] [down]\n" * 50),
        ("empty", lambda messages, seed: ""),
        ("cut", lambda messages, seed: Reply("[left]", "", "cut", 0, 0)),
    ):
        ends = served(tmp_path, answer, name=name)
        assert ends["unreadable"] > 0.8 and np.isfinite(list(ends.values())).all()

    def never(messages, seed):
        raise AssertionError

    assert served(tmp_path, never, arm="optimum", name="optimum")["served_hard"] == pytest.approx(1.0)


def test_a_random_model_gives_numbers_in_all_arms_that_are_asked(tmp_path):
    def answer(messages, seed):
        return ("[left]", "[rock]", "[a>b]", "[up]", "- a rule", "None.")[seed % 6]

    for arm in ("all_large", "plain_large", "placebo_large", "padded_large", "blank_small"):
        assert np.isfinite(list(served(tmp_path, answer, arm=arm, name=arm).values())).all()


def test_padding_in_words_is_about_four_times_as_long(tmp_path):
    lengths = {}
    for arm in ("plain_large", "padded_large"):
        seen = []
        served(
            tmp_path, lambda messages, seed, seen=seen: seen.append(messages[-1]["content"]) or "x", arm=arm, name=arm
        )
        lengths[arm] = np.mean([len(text) for text in seen])
    assert 4 < lengths["padded_large"] / lengths["plain_large"] < 6


def test_rules_are_read_strictly():
    assert dr.rules_in(Reply("- a\n\n- b\x1b[2J", "", "ok", 0, 0)) == "> - a\n> - b [2J"
    for text in ("", "a\nb", "- a\n- b\n- c\n- d", "Sure:\n- a"):
        assert dr.rules_in(Reply(text, "", "ok", 0, 0)) == ""
    assert dr.rules_in(Reply("- a", "", "cut", 0, 0)) == ""
