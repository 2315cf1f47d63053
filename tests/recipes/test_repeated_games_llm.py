"""The parts of the repeated games recipe: families, best responses, subjects by hand, the instrument, served models."""

import re
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from ludus.games.ordinal import all_games, form
from ludus.models.chat import Scripted
from ludus.recipes.equilibria import repeated_games_llm as rg

KIND, HARSH, ALTERNATOR, ONCE, GRIM, TFT = range(6)


class Quiet:
    def restore(self):
        return None

    def row(self, *_, **__):
        pass

    checkpoint = example = row


def numbers(arm, seed=3, **changed):
    settings = replace(rg.ARMS[arm], **changed)
    return {name: value.number for name, value in rg.run(settings, np.random.default_rng(seed), Quiet()).items()}


def stepped(body, actions):
    """A deterministic machine against a row of actions, one round after the other: its columns."""
    state, columns = 0, []
    for action in actions:
        columns.append(int(body.cooperate[state] == 0))
        state = body.next[state, columns[-1], action]
    return columns


# Games


def test_families_are_as_many_as_the_paper_plays():
    """1,224 matches of nine pairs of models: 324, 63, 171, 162, 396 and 108 (Nature Human Behaviour, page 2)."""
    found = [rg.family_of(game.payoff) for game in all_games()]
    counted = {"win_win": 36, "pd": 7, "unfair": 19, "cyclic": 18, "biased": 44, "second_best": 12, "tragic": 8}
    assert {name: found.count(name) for name in rg.FAMILIES} == counted


def test_families_of_games_named_in_the_papers_list():
    """Its file of 144 games calls these so; numbers by layer, row and column."""
    for number, family in {111: "pd", 122: "unfair", 133: "biased", 166: "second_best", 322: "win_win"}.items():
        assert rg.family_of(form(number // 100, number // 10 % 10, number % 10).payoff) == family


def test_kind_moves_hold_the_best_outcome_of_the_other():
    for game in all_games():
        matrix = rg.kindly(game.payoff)
        assert matrix[0, :, 1].max() == 4 and matrix[:, 0, 0].max() == 4
    assert rg.kindly(rg.DILEMMA).tolist() == rg.DILEMMA.tolist()  # to cooperate is kind
    assert rg.kindly(rg.SEXES)[0, 0].tolist() == [0, 0]  # to give way to each other is to miss each other


def test_yardsticks_are_those_of_all_1024_courses():
    world = rg.build_world(2)
    for column, body in enumerate(rg.OPPONENTS.values()):
        courses = list(product((0, 1), repeat=rg.ROUNDS))
        answers = [stepped(body, course) for course in courses]
        for number, payoff in enumerate(world.payoff[..., 0]):
            totals = payoff[np.array(courses), np.array(answers)].sum(axis=1)
            assert world.best[number, column] == pytest.approx(totals.max())
            assert world.coin[number, column] == pytest.approx(totals.mean())


def test_best_responses_worked_by_hand():
    best = rg.build_world(1).best
    assert best[-2].tolist() == [100, 50, 75, 95, 82, 82]  # defect at the end alone, with grim and tit for tat
    assert best[-1, :3].tolist() == [100, 70, 85]


def test_matches_follow_the_machines():
    opponent = np.arange(6)
    rows = np.random.default_rng(0).integers(2, size=(6, rg.ROUNDS))
    own, other = rg.play(opponent, lambda own, other, rng: rows[:, own.shape[1]], 0.0, np.random.default_rng(1))
    assert (own == rows).all()
    for lane, body in enumerate(rg.OPPONENTS.values()):
        assert other[lane].tolist() == stepped(body, rows[lane])
    own, _ = rg.play(opponent, lambda own, other, rng: rows[:, own.shape[1]], 1.0, np.random.default_rng(1))
    assert (own == 1 - rows).all()


# Subjects


def mind_of(arm, world, seed=0, **changed):
    settings = replace(rg.ARMS[arm], **changed)
    return rg.MINDS[settings.subject](world, settings, np.random.default_rng(seed))


def test_beliefs_by_hand():
    other = np.array([[0, 1, 1]])
    assert rg.believed(other[:, :0], 0.8) == 0.5
    assert rg.believed(other, 0.8) == pytest.approx(0.8 * 0.8 * (0.8 * 0.5 + 0.2))
    assert rg.believed(other, 0.0) == 0 and rg.believed(other, 1.0) == 0.5


def test_counting_foresees_an_alternator_from_round_four_and_a_constant_from_round_two():
    rng = np.random.default_rng(0)
    for pattern, start in ((np.arange(10) % 2, 3), (np.zeros(10, int), 1), (np.ones(10, int), 1)):
        for t in range(start, 10):
            assert rg.recall(None, None, pattern[None, :t], rng) == pattern[t]
    # after a 1 came 0, 1 and 1 again
    assert rg.recall(None, None, np.array([[1, 0, 1, 1, 1]]), rng) == 1


def match(mind, foresees, opponent=ALTERNATOR):
    """One match of Battle of the Sexes: rows, columns."""

    def choose(own, other, rng):
        return mind.act([-1], own, other, mind.predict([-1], own, other, rng) if foresees else None, rng)

    own, other = rg.play(np.array([opponent]), choose, 0.0, np.random.default_rng(5))
    return own[0], other[0]


def test_a_maximiser_stays_with_its_favourite_and_a_predicting_one_alternates():
    world = rg.build_world(1)
    for arm, met in (("sticky", [1, 0] * 5), ("frozen", [1, 0] * 5), ("fresh", [1] + [0] * 9)):
        own, other = match(mind_of(arm, world), foresees=False)
        assert (own != other).astype(int).tolist() == met, arm
    own, other = match(mind_of("sticky_predict", world), foresees=True)
    assert (own != other)[3:].all()


def test_scrambled_predictions_are_dealt_out_and_kept_ones_are_not():
    rng = np.random.default_rng(0)
    foreseen = rng.integers(2, size=2000)
    ask = lambda *_: foreseen  # noqa: E731
    assert rg.foresee(ask, rg.ARMS["sticky"], None, None, None, rng) is None
    assert (rg.foresee(ask, rg.ARMS["sticky_predict"], None, None, None, rng) == foreseen).all()
    dealt = rg.foresee(ask, rg.ARMS["sticky_scrambled"], None, None, None, rng)
    assert dealt.sum() == foreseen.sum() and abs(np.corrcoef(dealt, foreseen)[0, 1]) < 0.1
    half = rg.foresee(ask, rg.ARMS["sticky_50"], None, None, None, rng)
    assert 0.4 < np.corrcoef(half, foreseen)[0, 1] < 0.6


def test_a_q_learner_does_what_its_table_says_and_learns_to_defect():
    world = rg.build_world(1)
    mind = mind_of("q_predict", world)
    mind.learn(100, np.random.default_rng(1))
    table = mind.pack()["table"]
    assert (table[:, :, 2] == 0).all()  # it always had a prediction
    start = np.zeros((2, 0), np.int64)
    game, foreseen = np.array([len(world.payoff) - 1] * 2), np.array([0, 1])
    chosen = mind.act(game, start, start, foreseen, np.random.default_rng(0))
    assert chosen.tolist() == table[-1, 0, :2].argmax(axis=-1).tolist()
    again = mind_of("q_predict", world)
    again.unpack({"table": table})
    assert (again.act(game, start, start, foreseen, np.random.default_rng(0)) == chosen).all()
    learned = numbers("q", most=1, episodes=200)
    assert learned["pd"] > numbers("coin", most=1)["pd"] + 0.2


def test_one_q_update_by_hand():
    """With one lesson from an empty table every cell holds a tenth of the last payoffs it saw, at most thrice mixed."""
    world = rg.build_world(1)
    mind = mind_of("q", world)
    mind.learn(1, np.random.default_rng(2))
    table = mind.pack()["table"]
    assert (table[:, :, :2] == 0).all() and (table >= 0).all() and table.max() <= 10 * (1 + 0.9) * (1 - 0.9**10)
    assert ((table[:, 0] > 0).sum(axis=(1, 2)) <= 1).all()  # a match has one beginning


def test_ranks_presentations_and_documents():
    assert rg.rank(rg.SEXES)[..., 0].tolist() == [[4, 1], [1, 3]]
    ranks = np.stack([rg.rank(rg.DILEMMA)] * 40)
    shown, rows, columns = rg.presented(ranks, np.random.default_rng(0))
    assert {(int(r[0]), int(c[0])) for r, c in zip(rows, columns, strict=True)} == set(product((0, 1), repeat=2))
    for lane in range(40):
        for r, c in product((0, 1), repeat=2):
            assert (shown[lane, r ^ rows[lane, 0], c ^ columns[lane, 0]] == ranks[lane, r, c]).all()
    own, other = np.array([[0, 1]]), np.array([[1, 1]])
    acting, thinking = (rg.document(mode, ranks[:1], own, other)[0].tolist() for mode in (rg.ACT, rg.THINK))
    assert acting == [9, 3, 3, 1, 4, 4, 1, 2, 2, 5, 8, 6, 8]
    assert thinking[9:] == [8, 5, 8, 6]


def test_the_small_gpt_learns_what_is_best_against_a_named_move():
    world = rg.build_world(1)
    mind = mind_of("tiny_predict", world, logs=500, width=24)
    games = np.arange(len(world.payoff)).repeat(2)
    foreseen = np.tile([0, 1], len(world.payoff))
    empty = np.zeros((len(games), 0), np.int64)
    best = world.payoff[games, :, foreseen, 0].argmax(axis=1)

    def right():
        return (mind.act(games, empty, empty, foreseen, np.random.default_rng(0)) == best).mean()

    before = right()
    mind.learn(200, np.random.default_rng(0))
    assert right() > max(0.75, before)
    assert set(mind.predict(games, empty, empty, np.random.default_rng(0))) <= {0, 1}


def test_logs_are_of_matches_with_every_opponent():
    world = rg.build_world(1)
    game, own, other = rg.corpus(world, 4000, np.random.default_rng(0))
    dilemma = game == len(world.payoff) - 2
    assert own[dilemma].mean() == pytest.approx(0.9, abs=0.02)  # defection is best whatever one believes
    assert 0.2 < other[dilemma].mean() < 0.9


# Measures


def test_a_coin_thrower_scores_nothing_and_a_maximiser_something():
    coin, sticky = numbers("coin"), numbers("sticky")
    for family in rg.FAMILIES:
        assert abs(coin[f"score/{family}"]) < 0.25 and 0 < sticky[f"score/{family}"] < 1
    assert sticky["edge/pd"] == pytest.approx(sticky["score/pd"] - sticky["score/biased"])


def test_signatures_by_hand():
    own = np.zeros((6, 1, 10), int)
    other = np.stack([[stepped(rg.OPPONENTS[who], [0] * 10)] for _, who in rg.FOCUS])
    own[0, 0, 4:] = 1  # cooperates three times after the defection, then never again
    own[3, 0] = [1, 0] * 5  # meets the alternator always
    own[4, 0] = 1  # and the one who gives way
    seen = rg.signatures(own, other)
    assert seen["forgiving"] == pytest.approx(3 / 9) and seen["grudge"] == pytest.approx(6 / 9)
    assert seen["alternating"] == 1 and seen["bos"] == 8.5 and seen["missed"] == 0
    assert seen["pd"] == pytest.approx(((0 + 3 * 8 + 6 * 10) + 80 + 0) / 30)


# The instrument


def test_likelihoods_by_hand():
    own, other = np.array([[0, 1, 1, 0]]), np.array([[1, 0, 0, 0]])
    [found] = rg.identify([(own, other)])
    names = list(rg.CANDIDATES)
    # grim: C, then D for ever: the last C is a tremble. tit for tat: C D C C: the third D is one.
    assert found[names.index("grim")] == pytest.approx(3 * np.log(0.95) + np.log(0.05))
    assert found[names.index("tit_for_tat")] == pytest.approx(3 * np.log(0.95) + np.log(0.05))
    assert found[names.index("alternator")] == pytest.approx(2 * np.log(0.95) + 2 * np.log(0.05))
    assert found[names.index("coin")] == pytest.approx(4 * np.log(0.5))


def test_what_is_planted_is_recovered_and_nothing_is_not():
    clean = numbers("planted", noise=0.0)
    assert clean["recovered/grim"] == clean["recovered/alternator"] == 1 and clean["recovered"] > 0.97
    nothing = numbers("planted_nothing", planted=200)
    assert nothing["recovered"] == pytest.approx(1 / 8, abs=0.03) and nothing["recovered/grim"] < 0.05


# Served models


def selfish(messages, seed):
    """The letter with the largest payoff of its own, whatever happened."""
    points = re.findall(r"You choose (\w), the other \w: (\d+) for you", messages[-1]["content"])
    return f"[{max(points, key=lambda point: int(point[1]))[0]}]"


def thoughtful(messages, seed):
    """Foresees that what was done twice before is done again, and answers what it was told to expect with the best."""
    text = messages[-1]["content"]
    played = re.findall(r"you chose \w, the other (\w)", text)
    expected = re.search(r"You expect the other player to choose (\w)", text)
    if expected:
        rows = re.findall(rf"You choose (\w), the other {expected[1]}: (\d+) for you", text)
        return f"I choose [{max(rows, key=lambda row: int(row[1]))[0]}]"
    first = re.search(r"both choose (\w)", text)[1]
    return f"[{played[-2] if len(played) > 1 else first}]"


def served(arm, answer):
    answered = rg.server(rg.ARMS[arm], np.random.default_rng(0), Quiet(), Scripted(answer))
    return {name: value.number for name, value in answered.items()}


def test_a_served_model_that_is_selfish():
    seen = served("tiny", selfish)
    assert seen["unread"] == 0 and seen["forgiving"] == 0 and seen["alternating"] == 0.5 and seen["bos"] == 5
    assert seen["pd"] == pytest.approx((95 + 100 + 50) / 30)


def test_a_served_model_that_predicts_first_and_one_whose_predictions_are_scrambled():
    seen = served("tiny_predict", thoughtful)
    assert seen["alternating"] == 0.9 and seen["bos"] > 7 and seen["forgiving"] == 0  # round 2 it could not foresee
    assert served("tiny_scrambled", thoughtful)["alternating"] < 0.9


def test_served_rubbish_is_counted_and_a_coin_is_thrown():
    seen = served("tiny", lambda messages, seed: "As a language model I would rather not.")
    assert seen["unread"] == 1 and 0 < seen["forgiving"] < 1
    assert served("coin", lambda messages, seed: pytest.fail("nothing is asked"))["unread"] == 0


def test_settings_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="subject"):
        replace(rg.ARMS["q"], subject="gpt4")
    with pytest.raises(ValueError, match="shares"):
        replace(rg.ARMS["q"], noise=1.5)
