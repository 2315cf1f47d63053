"""The parts of the TMGBench recipe against brute force: games, answers, marks, compositions and controls."""

from dataclasses import replace
from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest

from ludus.models.transformer import Size, Transformer
from ludus.recipes.equilibria import tmgbench as tmg

DILEMMA = np.array([[[3, 3], [1, 4]], [[4, 1], [2, 2]]])  # up is to cooperate; the sole equilibrium is down-right
PENNIES = np.array([[[4, 1], [1, 4]], [[2, 3], [3, 2]]])  # a cycle
CHOICES = np.array([[[4, 4], [1, 2]], [[2, 1], [3, 3]]])  # two equilibria, up-left and down-right


@pytest.fixture(scope="module")
def bench():
    return tmg.build_bench()


@pytest.fixture(scope="module")
def held(bench):
    return tmg.halves(bench, np.random.default_rng(0))


@pytest.fixture(scope="module")
def model():
    return Transformer(Size(1, 8, 2, 32, tmg.STORY + 6 * tmg.STORIES), np.random.default_rng(0))


def every_matrix():
    """The 24 x 24 pairs of rankings, each as nested lists."""
    for own in permutations((1, 2, 3, 4)):
        for other in permutations((1, 2, 3, 4)):
            yield [[(own[0], other[0]), (own[1], other[1])], [(own[2], other[2]), (own[3], other[3])]]


def naive_equilibria(m):
    """The cells from which neither player gains by moving alone."""
    return {
        (r, c) for r in (0, 1) for c in (0, 1) if m[r][c][0] > m[1 - r][c][0] and m[r][c][1] > m[r][1 - c][1]
    }  # fmt: skip


def named(answer):
    words = {"up-left": (0, 0), "up-right": (0, 1), "down-left": (1, 0), "down-right": (1, 1)}
    return {cell for word, cell in words.items() if word in tmg.NAMES[answer].split()}


def row_of(bench, matrix):
    return int((bench.payoff == matrix).all(axis=(1, 2, 3)).argmax())


def test_576_matrices_in_144_classes_and_every_answer_is_right(bench):
    matrices = [np.array(m) for m in every_matrix()]
    classes = {
        min(m[:: 1 - 2 * r, :: 1 - 2 * c].tobytes() for r in (0, 1) for c in (0, 1)) for m in matrices
    }  # fmt: skip
    assert len(matrices) == 576 and len(classes) == 144
    assert {m.tobytes() for m in matrices} == {m.tobytes() for m in bench.payoff}
    for m, key in zip(bench.payoff, bench.key, strict=True):
        assert named(key) == naive_equilibria(m.tolist())
    found = np.bincount([len(named(key)) for key in bench.key[::4]])
    assert found.tolist() == [18, 108, 18]  # types with none, one and two (Rapoport and Guyer 1966 count 78 unordered)


def test_presentations_keep_the_game_and_rename_its_answer(bench):
    """An equilibrium goes where its cell goes."""
    for move, renamed in zip(bench.move, bench.renamed, strict=True):
        assert sorted(move) == list(range(576))
        assert (bench.key[move] == renamed[bench.key]).all()
    pennies = row_of(bench, DILEMMA)
    swapped = bench.payoff[bench.move[2, pennies]]  # the rows exchanged
    assert swapped.tolist() == DILEMMA[::-1].tolist()
    assert bench.move[4, pennies] == pennies  # symmetric: exchanging the players changes nothing


def test_halves_are_72_types_closed_under_exchange_of_the_players(bench, held):
    assert held.sum() == 288 and (held.reshape(144, 4).sum(axis=1) % 4 == 0).all()
    assert all((held[move] == held).all() for move in bench.move)
    other = tmg.halves(bench, np.random.default_rng(1))
    assert (other != held).any()


def test_level_1_is_right_as_often_as_enumeration_says():
    """Each picks the line with the larger sum of own ranks, either one where they are equal."""
    right = Fraction(0)
    for m in every_matrix():
        cells = naive_equilibria(m)
        if len(cells) != 1:
            continue
        ((r, c),) = cells
        rows = [sum(m[i][j][0] for j in (0, 1)) for i in (0, 1)]
        columns = [sum(m[i][j][1] for i in (0, 1)) for j in (0, 1)]
        share = [
            Fraction(1, 2) if s[0] == s[1] else Fraction(int(s[at] == max(s))) for s, at in ((rows, r), (columns, c))
        ]
        right += share[0] * share[1]
    assert right / 576 == Fraction(tmg.LEVEL_1)


def test_scripted_players_in_games_worked_by_hand(bench):
    def says(player, matrix):
        return tmg.NAMES[tmg.PLAYERS[player](matrix).argmax()]

    assert [says(name, DILEMMA) for name in ("maximin", "level_1", "level_2", "solver")] == ["down-right"] * 4
    assert says("solver", PENNIES) == "none" and says("solver", CHOICES) == "up-left and down-right"
    assert says("maximin", CHOICES) == "down-right"  # worst cases: up 1, down 2; left 1, right 2
    assert tmg.PLAYERS["level_1"](CHOICES).tolist() == [0, 0.25, 0.25, 0.25, 0.25, 0, 0]  # all lines sum to 5
    ladder = np.array([[[3, 1], [1, 4]], [[4, 2], [2, 3]]])  # down is dominant; right is best against it
    assert says("level_2", ladder) == "down-right"


def test_marks_of_tables_with_known_marks(bench, held):
    key = np.eye(7)[bench.key]
    everywhere = np.full(576, True)
    marks = tmg.mark(key, bench, held, everywhere)
    assert marks["trained"] == marks["held_out"] == 1 and marks["inconsistency"] == pytest.approx(0)
    assert marks["bias"] == pytest.approx(0)
    upper = np.tile(np.eye(7)[1], (576, 1))  # always up-left: right where that is the one equilibrium, 1 in 4 of 3 in 4
    marks = tmg.mark(upper, bench, held, everywhere)
    assert (marks["trained"] + marks["held_out"]) / 2 == pytest.approx(3 / 16)
    # Renamed by the eight ways, up-left falls on each of the four cells twice.
    assert marks["inconsistency"] == pytest.approx(0.75) and marks["bias"] == pytest.approx(0.75)


def test_symmetrised_answers_are_the_same_in_every_presentation(bench, held):
    table = np.random.default_rng(0).dirichlet(np.ones(7), 576)
    even = tmg.symmetrised(table, bench)
    for move, renamed in zip(bench.move, bench.renamed, strict=True):
        np.testing.assert_allclose(even[move][:, renamed], even, atol=1e-12)
    assert tmg.mark(table, bench, held, np.full(576, True))["inconsistency"] > 0.2
    assert even.sum(axis=1) == pytest.approx(1)


def test_prompts_and_scratchpads_by_hand(bench):
    rows = np.array([row_of(bench, DILEMMA)])
    assert tmg.alone(bench, rows).tolist() == [[3, 3, 1, 4, 4, 1, 2, 2, tmg.ASK]]
    assert (tmg.minds(bench, rows) - tmg.REPLY).tolist() == [[1, 1, 3, 3]]  # right, right; down, down
    story = tmg.told(bench, rows, np.random.default_rng(0))[0]
    ranks = [token for token in story if token <= 4]
    assert ranks == [3, 3, 1, 4, 4, 1, 2, 2] and len(story) == 19
    assert len({(token - tmg.STORY) // 6 for token in story if token >= tmg.STORY}) == 1  # the words of one story


def test_nested_games_bind_the_row_player(bench):
    one, two = np.array([row_of(bench, DILEMMA)] * 2), np.array([row_of(bench, CHOICES), row_of(bench, DILEMMA)])
    assert tmg.bound(bench, one).tolist() == [2, 2]  # the sole equilibrium is down
    nested = tmg.compositions(bench, one, two)["nested"]
    assert [tmg.NAMES[answer] for answer in nested[1][1]] == ["down-right", "down-right"]
    free = tmg.compositions(bench, two[:1], one[:1])["nested"]  # two equilibria bind nobody
    assert tmg.bound(bench, two[:1]).tolist() == [0] and free[1][1].tolist() == [bench.key[one[0]]]
    bound = np.array([1])
    assert tmg.NAMES[tmg.answer_bound(bench, one[:1], bound)[0]] == "up-right"  # held to cooperate, one is exploited
    assert (tmg.parts(bench, one, two)["nested"][1][1] == nested[1][1]).all()


def test_a_composition_shows_the_first_answer_and_parts_do_not(bench):
    one, two = np.array([5]), np.array([9])
    for form, questions in tmg.compositions(bench, one, two).items():
        assert tmg.ANSWER + bench.key[5] in questions[1][0], form
    for form, questions in tmg.parts(bench, one, two).items():
        assert tmg.ANSWER + bench.key[5] not in questions[1][0], form


def test_answers_are_probabilities_whatever_the_padding(bench, model):
    rows = np.arange(5)
    table = tmg.answers(model, tmg.alone(bench, rows))
    padded = tmg.answers(model, tmg.pad_together([tmg.alone(bench, rows), np.ones((1, 15), np.int64)]))
    assert table.sum(axis=1) == pytest.approx(1)
    np.testing.assert_allclose(padded[:5], table, atol=1e-5)


def test_answers_after_thinking_follow_the_scratchpads(bench, model):
    """By hand for one game: every scratchpad's probability, token by token, times the answers after it."""
    prompt = tmg.alone(bench, np.array([7]))
    total, weight = 0.0, 0.0
    for number in range(16):
        pad = [tmg.REPLY + (number >> place) % 2 + (0, 0, 2, 2)[place] for place in range(4)]
        likely, context = 1.0, prompt
        for token in pad:
            likely *= next_token(model, context)[token]
            context = np.concatenate([context, [[token]]], axis=1)
        after = next_token(model, context)[tmg.ANSWER : tmg.ASK]
        total, weight = total + likely * after / after.sum(), weight + likely
    np.testing.assert_allclose(tmg.answers_after_thinking(model, prompt)[0], total / weight, atol=1e-5)


def next_token(model, context):
    import torch

    length = context.shape[1]
    with torch.no_grad():
        mask = torch.ones(1, length, length, dtype=torch.bool).tril()
        return model(torch.from_numpy(context), mask, torch.arange(length)[None])[0][0, -1].double().softmax(-1).numpy()


class Quiet:
    def restore(self):
        return None

    def row(self, *_, **__):
        pass

    checkpoint = example = row


def numbers(arm, seed=3, **changed):
    settings = replace(tmg.ARMS[arm], **changed)
    return {name: value.number for name, value in tmg.run(settings, np.random.default_rng(seed), Quiet()).items()}


def test_scripted_players_pass_the_harness_and_misreading_breaks_it():
    scripted, misread = numbers("scripted"), numbers("misread")
    assert scripted["right/solver"] == 1 and scripted["inconsistency/solver"] == 0
    assert scripted["right/random"] == pytest.approx(1 / 7)
    assert misread["right/solver"] < 0.5 and misread["inconsistency/solver"] > 0.3
    assert misread["right/level_1"] < 0.4


def test_a_model_that_was_not_taught_guesses_and_one_that_was_does_not():
    small = {"width": 32, "updates": 80, "batch": 64, "snapshots": 1}
    untaught, taught = numbers("untrained", **small), numbers("one_presentation", **small)
    assert abs(untaught["drop"]) < 0.03 and untaught["inconsistency"] < 0.1
    assert taught["trained"] > untaught["trained"] + 0.02


def test_in_contexts_of_their_own_the_parts_of_a_composition_are_nearly_independent():
    apart = numbers("apart", width=8, updates=2, batch=24, snapshots=1)
    assert apart["inconsistency"] == pytest.approx(0, abs=1e-9)
    for form in tmg.FORMS:
        assert abs(apart[f"departure/{form}"]) < 0.01


def test_what_may_be_learned(bench, held):
    def learned(arm):
        return tmg.draw_paper(bench, held, tmg.ARMS[arm], np.random.default_rng(0)).learned

    assert (learned("matrix") == ~held).all() and learned("all_types").all()
    assert learned("one_presentation").reshape(144, 4).sum(axis=1).tolist() == (~held)[::4].astype(int).tolist()
