"""The parts of the SPIRAL recipe against definitions: its averages, its truths, its payoffs and its controls."""

from dataclasses import replace

import numpy as np
import pytest

from ludus.agents.language import read_off
from ludus.agents.uniform import uniform
from ludus.measure.minimax import minimax_regret
from ludus.measure.nash_conv import nash_conv
from ludus.models.transformer import Size
from ludus.recipes.selfplay import spiral
from ludus.solve.best_response import values
from ludus.solve.node_values import own_reach
from ludus.study import Log
from ludus.tree import tabulate

LESSONS = ("kuhn_poker", "tic_tac_toe")
SETTINGS = spiral.Settings(games=LESSONS, layers=1, width=8, base_updates=2)


@pytest.fixture(scope="module")
def school():
    return spiral.build_school(LESSONS)


@pytest.fixture
def student(school):
    size = Size(1, 8, 2, school.longest, len(school.lexicon.words))
    return spiral.new_student(size, school, SETTINGS, np.random.default_rng(0))


@pytest.fixture(scope="module")
def taught(school):
    """A student with its base, and what was measured before and after it was learned."""
    settings = replace(SETTINGS, width=32, layers=2, base_updates=60)
    size = Size(2, 32, 2, school.longest, len(school.lexicon.words))
    student = spiral.new_student(size, school, settings, np.random.default_rng(2))
    before = spiral.measure(student, school, "kuhn_poker", late=False)
    spiral.learn_base(student, school, settings)
    return student, before, spiral.measure(student, school, "kuhn_poker", late=False)


def test_the_average_policy_earns_the_mean_of_what_its_parts_earn(school):
    """Against any opponent: that makes it the average (Kuhn 1953), and a mean of the tables does not do it."""
    tree, rng = school.subjects["kuhn_poker"].tree, np.random.default_rng(1)
    tables = [rng.random(tree.legal.shape) for _ in range(3)]
    tables = [table / table.sum(axis=1, keepdims=True) for table in tables]
    plan = sum(own_reach(tree, table)[:, None] * table for table in tables)
    average, other = spiral.averaged(plan, tree), tables[0]
    for player in range(2):
        own = tree.player == player
        earned = [values(tree, np.where(own[:, None], table, other))[player] for table in tables]
        assert values(tree, np.where(own[:, None], average, other))[player] == pytest.approx(np.mean(earned))
    naive_mean = np.mean(tables, axis=0)
    assert values(tree, naive_mean)[0] != pytest.approx(values(tree, average)[0])


def test_experts_are_experts(school):
    kuhn, board = school.subjects["kuhn_poker"], school.subjects["tic_tac_toe"]
    assert nash_conv(kuhn.tree, tabulate(kuhn.tree, kuhn.expert)).number < 1e-3
    assert minimax_regret(board.tree, tabulate(board.tree, board.expert)).number == pytest.approx(0, abs=1e-12)


def test_thoughts_are_true(school):
    """Against a recursion over histories under uniform play: Kuhn poker's first thought at every infoset."""
    subject = school.subjects["kuhn_poker"]
    tree, even = subject.tree, subject.tree.legal / 2
    earned, weight = np.zeros(len(tree.player)), np.zeros(len(tree.player))

    def walk(node, reach):
        if tree.turn[node] == -2:
            return tree.payoff[node]
        worth = np.zeros(2)
        for child in range(tree.first[node], tree.first[node + 1]):
            share = tree.chance[child] if tree.turn[node] == -1 else even[tree.infoset[node], tree.action[child]]
            worth = worth + share * walk(child, reach * share)
        if tree.infoset[node] >= 0:
            earned[tree.infoset[node]] += reach * worth[tree.turn[node]]
            weight[tree.infoset[node]] += reach
        return worth

    walk(0, 1.0)
    margin = 0.1 * np.abs(tree.payoff).max()
    assert subject.worth.tolist() == spiral.judge(earned / weight, margin).tolist()
    assert set(subject.worth) == {0, 1, 2}  # all three thoughts occur


def test_questions_are_answered_by_expectation_and_held_out_apart(school):
    for (chance, win, lose), answer in zip(school.questions, school.answers, strict=True):
        expected = chance / 4 * win - (1 - chance / 4) * lose
        assert answer == (0 if expected > 1e-9 else 2 if expected < -1e-9 else 1)
    assert 0.25 < school.held_out.mean() < 0.42
    assert set(school.answers[school.held_out]) == set(school.answers[~school.held_out]) == {0, 1, 2}


def test_the_base_learns_form_and_arithmetic(taught):
    _, before, after = taught
    assert after["malformed/kuhn_poker"].number < 0.2 < before["malformed/kuhn_poker"].number
    assert after["arithmetic/kuhn_poker"].number > before["arithmetic/kuhn_poker"].number + 0.1


def test_advantages_are_payoff_less_baseline_and_forfeits_are_lost(school, student):
    settings = replace(SETTINGS, baseline="none", batch=64)
    subject, player = school.subjects["kuhn_poker"], student.players["kuhn_poker"]
    state = student.rng.bit_generator.state
    replies, advantage = spiral.gather(student, subject, player, [player, player], 64, settings)
    student.rng.bit_generator.state = state
    episodes = spiral.play(subject.game, [player, player], 64, student.rng)
    game = np.repeat(np.arange(64), np.diff(episodes.first))
    won = episodes.payoff[game, episodes.player] / 2  # the largest payoff of Kuhn poker
    lawful = episodes.notes["lawful"]
    assert 0 < lawful.mean() < 1
    np.testing.assert_allclose(advantage, np.where(lawful, won, -1))
    np.testing.assert_array_equal(replies.reply, episodes.notes["reply"])


def test_shuffled_payoffs_are_those_of_the_batch_dealt_out_anew(school, taught):
    student, settings = taught[0], replace(SETTINGS, baseline="none")
    subject, player = school.subjects["kuhn_poker"], student.players["kuhn_poker"]
    state = student.rng.bit_generator.state
    plain = spiral.gather(student, subject, player, [player, player], 400, settings)[1]
    student.rng.bit_generator.state = state
    dealt = spiral.gather(student, subject, player, [player, player], 400, replace(settings, shuffle=True))[1]
    assert plain.shape == dealt.shape and (plain != dealt).mean() > 0.3
    kept = (plain != -1) & (dealt != -1)  # neither forfeited nor lost two chips
    assert abs(np.corrcoef(plain[kept], dealt[kept])[0, 1]) < 0.15


def test_against_a_fixed_opponent_only_the_model_learns_and_roles_are_kept_apart(school, student):
    subject, player = school.subjects["kuhn_poker"], student.players["kuhn_poker"]
    for seat in range(2):
        policies = [player if who == seat else uniform for who in range(2)]
        replies, advantage = spiral.gather(student, subject, player, policies, 32, SETTINGS)
        assert len(replies.prompt) == len(advantage) > 0
        assert (replies.prompt[:, -1] > 0).all()  # no rows of the other player's
    means = student.means["role"]
    assert (means[1] != 0).all() and (means[2] != 0).all() and (means[0] == 0).all()


def test_what_the_page_calls_empty_is_what_happens(school, student):
    subject, player = school.subjects["kuhn_poker"], student.players["kuhn_poker"]
    said = spiral.measure(student, school, "kuhn_poker", late=False)
    episodes = spiral.play(subject.game, [player, player], 4000, np.random.default_rng(3))
    thoughts = len(school.lexicon.thoughts)
    empty = (episodes.notes["reply"][:, 0] > thoughts).mean()  # the first tokens are the thoughts
    assert empty == pytest.approx(said["empty/kuhn_poker"].number, abs=0.03)
    reading = read_off(player, subject.tree.view, subject.tree.legal)
    assert said["nash_conv_last/kuhn_poker"].number == nash_conv(subject.tree, reading.table).number


@pytest.mark.parametrize("changed", [{"games": ("chess",)}, {"games": ()}, {"baseline": "mean"}, {"opponent": "me"}])
def test_settings_are_checked(changed):
    with pytest.raises(ValueError, match=f"{next(iter(changed))} takes"):
        replace(SETTINGS, **changed)


def test_three_games_together_go_on_where_they_were_stopped(tmp_path):
    """Quick mode leaves the three games together out, so their lesson is run here, whole and from a checkpoint."""
    games = ("negotiation", spiral.TOGETHER)
    settings = replace(SETTINGS, games=games, updates=2, snapshots=2, batch=12)
    whole = spiral.run(settings, np.random.default_rng(3), Log(tmp_path / "whole"))
    assert {f"nash_conv/{spiral.TOGETHER}/kuhn_poker", f"regret/{spiral.TOGETHER}/tic_tac_toe"} <= set(whole)

    class Stops(Log):
        def checkpoint(self, state):
            super().checkpoint(state)
            if state["lesson"] == 1 and state["update"] == 1:
                raise InterruptedError

    with pytest.raises(InterruptedError):
        spiral.run(settings, np.random.default_rng(3), Stops(tmp_path / "broken"))
    assert spiral.run(settings, np.random.default_rng(3), Log(tmp_path / "broken")) == whole
