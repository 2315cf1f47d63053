"""VS-Bench: pictures, games and exact scores against the solvers of Ludus, hand counts and played-out episodes."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from ludus.games.breakthrough import BREAKTHROUGH
from ludus.games.kuhn_poker import KUHN_POKER
from ludus.measure.nash_conv import nash_conv
from ludus.models.chat import Reply, Scripted
from ludus.recipes.equilibria import vs_bench as vs
from ludus.records import MDP
from ludus.solve.best_response import best_response, values
from ludus.solve.mdp import plan
from ludus.study import Log
from ludus.tree import grow, tabulate

BENCH = {exam.world.name: exam for exam in vs.examination()}
NAMES = list(BENCH)


class Quiet:
    quick = False

    def restore(self):
        return None

    def row(self, *_, **__):
        pass

    def example(self, text):
        self.text = text

    checkpoint = row


def rng(seed=1):
    return np.random.default_rng(seed)


def state_of(world, *things):
    """The state in which player 0 sees these things."""
    return next(s for s, view in enumerate(world.view[:, 0]) if set(things) <= world.things[view])


# Pictures.


def test_every_view_has_a_picture_symbols_and_words_of_its_own():
    page = vs.lay_out()
    assert page.image.shape[1:] == (3, 32, 32) and page.image.min() >= 0 and page.image.max() == 1
    for form in (page.image, page.symbols):
        assert len({row.numpy().tobytes() for row in form}) == len(form) == page.first[-1]
    for name, exam in BENCH.items():
        assert len({vs.describe(exam.world, view) for view in range(len(exam.world.things))}) == len(exam.asked), name


def test_a_picture_by_hand():
    canvas = vs.paint(frozenset([(4, "red coin"), (vs.FRAME, "your turn")]))
    assert canvas[:, 14:18, 14:18] == pytest.approx(np.broadcast_to(np.array(vs.RED)[:, None, None], (3, 4, 4)))
    assert (canvas[:, 0] == 1).all()
    assert (canvas.max(axis=0) > 0).sum() == 16 + 32


def test_things_overlap_nowhere_so_that_a_picture_does_not_depend_on_their_order():
    for exam in BENCH.values():
        for things in exam.world.things:
            drawn = sum((vs.paint(frozenset([thing])).max(axis=0) > 0).astype(int) for thing in things)
            assert drawn.max() == 1


def test_the_hidden_card_is_hidden():
    world = BENCH["kuhn"].world
    for seat in (0, 1):
        for view in set(world.view[:, seat].tolist()):
            states = np.flatnonzero(world.view[:, seat] == view)
            assert len({world.view[state, 1 - seat] for state in states}) == len(states) == 2  # two cards are possible


# Games and exact play.


def kuhn_table(tree, table):
    """The recipe's table by the infosets of the tree."""
    world, rows = BENCH["kuhn"].world, []
    for player, (card, plies, *line) in zip(tree.player, tree.view, strict=True):
        things = {(3, vs.CARDS[card]), (5, "hidden card"), (vs.FRAME, "your turn")}
        things |= {(cell, ("pass", "bet")[line[cell]]) for cell in range(plies)}
        found = [v for v, seen in enumerate(world.things) if seen == things and world.seat[v] == player]
        rows.append(table[found[0], :2])
        assert len(found) == 1
    return np.array(rows)


def board_table(tree, table):
    world, rows = BENCH["breakthrough"].world, []
    for mover, *cells in tree.view:
        things = {(cell, ("", "your piece", "piece of the other")[mark]) for cell, mark in enumerate(cells) if mark}
        things |= {(vs.FRAME, "your turn")} | ({(vs.FRAME, "you go up")} if mover == 0 else set())
        rows.append(table[world.things.index(frozenset(things)), :-1])
    return np.array(rows)


@pytest.fixture(scope="module")
def trees():
    return {"kuhn": (grow(KUHN_POKER), kuhn_table), "breakthrough": (grow(BREAKTHROUGH), board_table)}


def test_the_house_of_kuhn_poker_is_an_equilibrium(trees):
    tree, convert = trees["kuhn"]
    table = convert(tree, BENCH["kuhn"].world.house)
    assert nash_conv(tree, table).number == pytest.approx(0, abs=1e-12)
    assert values(tree, table)[0] == pytest.approx(-1 / 18)


@pytest.mark.parametrize("name", ["kuhn", "breakthrough"])
def test_best_responses_and_returns_are_those_of_the_tree(trees, name):
    tree, convert = trees[name]
    world = BENCH[name].world
    for other in (world.house, vs.uniform(world.legal)):
        table = vs.respond(world, other)
        for seat in (0, 1):
            best = best_response(tree, convert(tree, other), seat)[1]
            assert world.start @ vs.worth(world, *vs.seated(table, other, seat))[:, seat] == pytest.approx(best)
    uniform = tabulate(tree, lambda views, legal: legal / legal.sum(axis=1, keepdims=True))
    assert world.start @ vs.worth(world, *[vs.uniform(world.legal)] * 2) == pytest.approx(values(tree, uniform))


def test_the_house_of_breakthrough_makes_minimax_moves_in_three_of_four(trees):
    tree, convert = trees["breakthrough"]
    value = tree.payoff[:, 0].copy()
    for node in reversed(range(len(tree.turn))):
        if tree.turn[node] >= 0:
            below = value[tree.first[node] : tree.first[node + 1]]
            value[node] = below.max() if tree.turn[node] == 0 else below.min()
    table = convert(tree, BENCH["breakthrough"].world.house)
    for node in np.flatnonzero(tree.turn >= 0):
        below = np.arange(tree.first[node], tree.first[node + 1])
        best = value[below] == value[node]
        expected = 0.25 / len(below) + 0.75 * best / best.sum()
        assert table[tree.infoset[node], tree.action[below]] == pytest.approx(expected)


def decision(world, other, seat):
    """One seat's decision problem as an MDP, where both walk for ever with discount 0.95."""
    states, actions = len(world.view), len(world.words)
    to, paid = np.zeros((states, actions, states)), np.zeros((states, actions))
    for row, (state, *pair) in enumerate(world.at):
        chance = other[world.view[state, 1 - seat], pair[1 - seat]]
        to[state, pair[seat]] += chance * world.go[[row]].toarray()[0] / 0.95
        paid[state, pair[seat]] += chance * world.pay[row, seat]
    return MDP(to, paid, 0.95)


def test_a_cooks_best_response_is_that_of_policy_iteration():
    exam = BENCH["kitchen"]
    table = vs.respond(exam.world, exam.random.play)
    for seat in (0, 1):
        found = vs.worth(exam.world, *vs.seated(table, exam.random.play, seat))[:, seat]
        assert found == pytest.approx(plan(decision(exam.world, exam.random.play, seat)).value, abs=1e-6)


@pytest.mark.parametrize("name", ["coins", "kitchen"])
def test_no_table_does_better_together_than_the_oracle(name):
    """The pairs of actions as the actions of one decider; its value satisfies the Bellman equation, and is reached."""
    exam = BENCH[name]
    world, value = exam.world, vs.worth(exam.world, exam.oracle.play, exam.oracle.play).mean(axis=1)
    best = np.full(len(value), -np.inf)
    np.maximum.at(best, world.at[:, 0], world.pay.mean(axis=1) + world.go @ value)
    assert best == pytest.approx(value, abs=1e-9)
    assert exam.returns[1] == pytest.approx(world.start @ value)


def test_coins_pay_and_appear_as_in_the_rules():
    world = BENCH["coins"].world
    state = state_of(world, (0, "red player"), (4, "blue player"), (1, "red coin"), (3, "blue coin"), (6, "you"))
    act = {word: number for number, word in enumerate(world.words)}

    def after(red, blue):
        row = world.row[state, act[red], act[blue]]
        ahead = world.go[[row]].toarray()[0]
        return world.pay[row].tolist(), int((ahead > 0).sum()), float(ahead.sum())

    assert after("right", "stay") == ([1, 0], 3, pytest.approx(0.95))  # the red coin goes to cell 0, 2 or 5
    assert after("down", "stay") == ([1, -2], 3, pytest.approx(0.95))
    assert after("stay", "up") == ([-2, 1], 3, pytest.approx(0.95))  # cell 2, 4 or 5
    assert after("right", "left") == ([1, 1], 12, pytest.approx(0.95))
    assert after("up", "down") == ([0, 0], 1, pytest.approx(0.95))  # walls


def test_a_soup_takes_both_cooks():
    world = BENCH["kitchen"].world
    act = {word: number for number, word in enumerate(world.words)}
    left = ["up", "use", "down", "use"] + ["stay"] * 7
    right = ["stay"] * 4 + ["use", "down", "use", "use", "up", "up", "use"]
    state, paid = int(world.start.argmax()), []
    for one, two in zip(left, right, strict=True):
        row = world.row[state, act[one], act[two]]
        paid.append(world.pay[row].tolist())
        state = int(world.go[[row]].toarray()[0].argmax())
    assert paid == [[0, 0]] * 10 + [[1, 1]]
    assert BENCH["kitchen"].returns[1] > 0.95**10  # the oracle does not stop after the first one


def test_who_has_no_patience_takes_the_coin_beside_it_whosever_it_is():
    exam = BENCH["coins"]
    table = vs.scripted(exam, vs.ARMS["impatient"]).play
    state = state_of(exam.world, (0, "red player"), (5, "blue player"), (1, "blue coin"), (4, "red coin"), (6, "you"))
    view = exam.world.view[state, 0]
    assert table[view].argmax() == exam.world.words.index("right") and table[view].max() == 1
    far = state_of(exam.world, (0, "red player"), (3, "blue player"), (2, "blue coin"), (5, "red coin"), (6, "you"))
    assert (table[exam.world.view[far, 0]] == 1 / 5).all()  # nothing to take


def test_each_level_is_the_best_response_to_the_one_below_and_expects_it():
    for name, exam in BENCH.items():
        thought = vs.levels(name)
        assert thought[0] == pytest.approx(exam.random.play)
        for above, below in zip(thought[1:], thought, strict=False):
            for seat in (0, 1):
                own = vs.worth(exam.world, *vs.seated(above, below, seat))[:, seat] @ exam.world.start
                for rival in (*thought, exam.oracle.play):
                    got = vs.worth(exam.world, *vs.seated(rival, below, seat))[:, seat] @ exam.world.start
                    assert own >= got - 1e-9
    mind = vs.scripted(BENCH["coins"], vs.ARMS["level_1"])
    assert mind.guess == pytest.approx(BENCH["coins"].random.guess)  # a random other, all of whose actions are legal


# Scores.


@pytest.mark.parametrize("name", NAMES)
def test_exact_returns_are_the_averages_of_episodes(name):
    exam = BENCH[name]
    table = (vs.levels(name)[2] + exam.random.play) / 2
    got = vs.play_out(exam.world, table, 8000, rng(2))
    assert abs(got.mean() - vs.mean_return(exam.world, table)) < 4 * got.std() / np.sqrt(len(got))


@pytest.mark.parametrize("name", NAMES)
def test_accuracy_is_the_share_of_right_answers_in_recorded_games(name):
    exam = BENCH[name]
    guess, generator = vs.scripted(exam, vs.ARMS["level_2"]).guess, rng(3)
    recorded = (exam.oracle.play + exam.random.play) / 2
    right = count = 0.0
    for seat in (0, 1):
        seen = []

        def watch(views, seen=seen):
            seen.append(views)
            return vs.draw(recorded[views], generator)

        def acts(views, seen=seen):
            actions = vs.draw(exam.other[views], generator)
            seen.append(actions)
            return actions

        vs.walk(exam.world, vs.seated(watch, acts, seat), 1500, generator)
        views, actions = seen[seat::2], seen[1 - seat :: 2]
        for view, action in zip(views, actions, strict=True):
            asked = exam.world.theirs[view].sum(axis=1) > 1
            right += vs.answer(guess[view])[asked, action[asked]].sum()
            count += asked.sum()
    share = vs.accuracy(exam, guess)
    assert abs(right / count - share) < 5 * np.sqrt(0.25 / count) + 0.01  # positions of a game are not independent


def test_the_ends_of_the_scales():
    settings = replace(vs.ARMS["oracle"], episodes=10)
    for minds, end in (([exam.oracle for exam in BENCH.values()], 100), ([exam.random for exam in BENCH.values()], 0)):
        found = vs.examine(tuple(BENCH.values()), minds, settings, rng())
        for metric in ("return", "prediction", *(f"return/{name}" for name in NAMES)):
            assert found[metric].number == pytest.approx(end, abs=1e-6)
        other = vs.examine(tuple(BENCH.values()), minds, replace(settings, misanchored=True), rng())
        assert abs(other["return"].number - end) > 10
        assert other["prediction"].number == pytest.approx(end, abs=1e-6)


def test_who_knows_what_the_other_does_foresees_best():
    for name, exam in BENCH.items():
        for arm in ("level_1", "level_2", "level_3", "random"):
            assert vs.accuracy(exam, vs.scripted(exam, vs.ARMS[arm]).guess) <= exam.accuracies[1] + 1e-9, (name, arm)
    assert BENCH["coins"].accuracies[1] == pytest.approx(1) == BENCH["kitchen"].accuracies[1]  # recorded optimal play


# The network.


def test_the_lessons_are_what_the_optimal_player_would_do_and_what_the_other_did():
    lessons = vs.record(tuple(BENCH.values()), 300, rng())
    page = vs.lay_out()
    for part, legal in ((lessons.act, page.legal), (lessons.theirs, page.theirs)):
        assert legal[torch.from_numpy(lessons.view), torch.from_numpy(part)].all()
    row, exam = lessons.view[3] - page.first[3], BENCH["kitchen"]
    column = sum(len(other.world.words) for other in BENCH.values()) - len(exam.world.words)
    assert (exam.oracle.play[row, lessons.act[3] - column] == 1).all()
    assert (exam.oracle.guess[row, lessons.theirs[3] - column] == 1).all()


def test_what_is_read_off_is_legal_and_of_the_picture_shown():
    page, bench = vs.lay_out(), tuple(BENCH.values())
    weights = torch.from_numpy(rng().normal(size=(page.symbols.shape[1], 2 * page.legal.shape[1])).astype(np.float32))
    minds = vs.read_off(bench, lambda inputs: inputs @ weights, page.symbols, None)
    turned = np.concatenate([np.roll(np.arange(*page.first[n : n + 2]), 1) for n in range(4)])
    others = vs.read_off(bench, lambda inputs: inputs @ weights, page.symbols, turned)
    for exam, mind in zip(bench, minds, strict=True):
        assert (mind.play[~exam.world.legal] == 0).all() and mind.play.sum(axis=1) == pytest.approx(1)
        assert (mind.guess[~exam.world.theirs] == 0).all() and mind.guess.sum(axis=1) == pytest.approx(1)
    exam, mind, other = bench[2], minds[2], others[2]  # every action is legal everywhere, so rows just move
    assert other.play == pytest.approx(np.roll(mind.play, 1, axis=0))


def test_a_network_learns_its_lessons_and_shuffled_pictures_teach_nothing_on_coins():
    few = {"updates": 60, "lessons": 200}
    ends = {arm: {} for arm in ("symbolic", "shuffled")}
    for arm in ends:
        settings = replace(vs.ARMS[arm], sees="symbols", **few)
        minds = vs.teach(tuple(BENCH.values()), ("symbols",), settings, rng(4), Quiet())["symbols"]
        ends[arm] = {
            exam.world.name: vs.accuracy(exam, mind.guess) for exam, mind in zip(BENCH.values(), minds, strict=True)
        }
    assert ends["symbolic"]["coins"] > 0.5 > 0.4 > ends["shuffled"]["coins"]


# The league.


def test_places_by_hand(monkeypatch):
    names = ("oracle", "impatient", "good", "poor")
    results = np.array([100.0, 10.0, 60.0, 20.0]), np.array([100.0, 100.0, 50.0, 20.0])
    monkeypatch.setattr(vs, "sit", lambda exam, minds, episodes, rng: tuple(np.outer(r, np.ones(30)) for r in results))
    log = Quiet()
    agents = {name: [exam.random for exam in BENCH.values()] for name in names}
    found = vs.rank(tuple(BENCH.values()), agents, vs.ARMS["league"], rng(), log)
    assert found["stability"].number == pytest.approx(1)
    assert found["exposed"].number == pytest.approx(2.5 - 1.5)  # by both 55 and 55 share places 2 and 3
    assert found["credited"].number == pytest.approx(4 - 2.5)
    assert log.text.splitlines()[1].startswith("1. oracle")


def test_agents_that_are_alike_keep_no_ranks():
    agents = {name: [exam.random for exam in BENCH.values()] for name in ("impatient", *"abcdefgh")}
    settings = replace(vs.ARMS["league"], episodes=20)
    found = [
        vs.rank(tuple(BENCH.values()), agents, settings, rng(seed), Quiet())["stability"].number for seed in (0, 1)
    ]
    assert max(found) < 0.9


def test_settings_are_checked():
    for changes, words in (({"agent": "wise"}, "agent"), ({"sees": "text"}, "sees"), ({"patience": 2.0}, "patience")):
        with pytest.raises(ValueError, match=words):
            vs.Settings(**changes)


# The server part.


def served(tmp_path, answer, arm="symbolic", name="a"):
    log = Log(tmp_path / name)
    return {key: value.number for key, value in vs.server(vs.ARMS[arm], rng(6), log, Scripted(answer)).items()}


def knows_it_all():
    """An answer to every question, from its text alone."""
    known = {}
    for exam in BENCH.values():
        for view in range(len(exam.asked)):
            for foresee in (False, True):
                legal = (exam.world.theirs if foresee else exam.world.legal)[view]
                asked = vs.question(exam.world, view, legal, foresee)[0]["content"]
                does = (exam.oracle.guess if foresee else exam.oracle.play)[view].argmax()
                known[asked] = f"[{exam.world.words[does]}]"
    return known


def test_a_model_that_knows_the_games_is_at_the_top_and_few_questions_are_asked(tmp_path):
    known, asked = knows_it_all(), []

    def reply(messages, seed):
        asked.append(messages[-1]["content"])
        return known[messages[-1]["content"]]

    ends = served(tmp_path, reply)
    assert ends["unreadable"] == 0 and ends["served_accuracy"] > 0.6
    assert len(asked) <= 200 and ends["served_return"] > 0
    blind = served(tmp_path, lambda messages, seed: known.get(messages[-1]["content"], "[stay]"), "shuffled", "b")
    assert blind["served_accuracy"] < ends["served_accuracy"]


def test_the_oracle_sits_in_the_models_place_and_nothing_is_asked(tmp_path):
    def never(messages, seed):
        raise AssertionError("asked")

    assert served(tmp_path, never, "oracle")["unreadable"] == 0


def test_models_that_answer_rubbish_are_counted(tmp_path):
    for name, reply in (
        ("rubbish", lambda messages, seed: "I \x00 would {say} [fly]\n" * 50),
        ("menu", lambda messages, seed: "[pass] or [bet], [up], [down]"),
        ("cut", lambda messages, seed: Reply("[stay]", "", "cut", 0, 0)),
    ):
        ends = served(tmp_path, reply, name=name)
        assert ends["unreadable"] == 1 and ends["served_accuracy"] == 0
        assert np.isfinite(ends["served_return"])


def test_a_question_lists_what_is_legal_and_tells_no_hidden_card():
    exam = BENCH["kuhn"]
    view = int(np.flatnonzero(exam.asked > 0)[0])
    text = vs.question(exam.world, view, exam.world.theirs[view], True)[0]["content"]
    assert "[pass] [bet]." in text and "[wait]" not in text and "hidden card" in text
    assert sum(card in text.split("What you see")[1] for card in vs.CARDS) == 1


def test_no_served_model_is_asked_about_pictures(tmp_path):
    with pytest.raises(ValueError, match="reads text"):
        served(tmp_path, lambda messages, seed: "[stay]", arm="image")
