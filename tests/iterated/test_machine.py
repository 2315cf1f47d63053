"""Ways to write a machine, each against a plain reading of what was written."""

import math

import numpy as np
import pytest

from ludus.games import form
from ludus.iterated.machine import (
    PRISONERS_DILEMMA,
    as_rule,
    from_history,
    machine,
    mealy,
    memory,
    memory_n,
    memory_one,
    noisy,
    payoffs,
    social_dilemma,
)

CASES = np.random.default_rng(1)


def answers(body, own, other):
    """The probability of cooperating at each turn, after the actions before it: walked state by state."""
    state, found = 0, []
    for mine, others in zip([*own, 0], [*other, 0], strict=True):
        found.append(body.cooperate[state])
        state = body.next[state, mine, others]
    return found


def actions(turns=30):
    return CASES.integers(0, 2, (2, turns)).tolist()


def test_the_default_game_is_the_textbook_one():
    assert np.array_equal(PRISONERS_DILEMMA.payoff, form("prisoners_dilemma").payoff)
    assert payoffs([0, 1, 0, 0]).tolist() == [0, 5]
    assert payoffs([1, 2, 3, 4], social_dilemma(10, 1, 20, 2)).tolist() == [10 + 2 + 60 + 8, 10 + 40 + 3 + 8]


def test_a_row_says_where_the_others_action_leads():
    own, other = actions()
    assert answers(machine((1, 0, 1), (0, 0, 1)), own, other) == [1.0] + [1.0 - action for action in other]


def test_memory_one_looks_at_both_actions():
    own, other = actions()
    table = [0.1, 0.2, 0.3, 0.4]
    wanted = [0.9] + [table[2 * mine + others] for mine, others in zip(own, other, strict=True)]
    assert answers(memory_one(0.9, *table), own, other) == wanted


@pytest.mark.parametrize("before", [0, 27])
def test_memory_n_reads_its_genome_from_the_oldest_turn(before):
    table, (own, other) = CASES.random(64), actions()
    course = [before // 16, before // 4 % 4, before % 4]
    wanted = []
    for mine, others in zip([*own, 0], [*other, 0], strict=True):
        wanted.append(table[16 * course[-3] + 4 * course[-2] + course[-1]])
        course.append(2 * mine + others)
    assert answers(memory_n(table, before), own, other) == wanted


def test_an_automaton_acts_as_it_moves():
    """A random automaton of five states, walked as Mealy's are: state and input give the next state and the output."""
    steps = CASES.integers(0, 5, (5, 2)), CASES.integers(0, 2, (5, 2))
    rows = [
        " ".join(f"{steps[0][state, seen] + 1}{'CD'[steps[1][state, seen]]}" for seen in (0, 1)) for state in range(5)
    ]
    own, other = actions(200)
    state, wanted = 0, [0.0]
    for seen in other:
        wanted.append(1.0 - steps[1][state, seen])
        state = steps[0][state, seen]
    assert answers(mealy("D", *rows), own, other) == wanted


def test_a_history_becomes_the_smallest_machine():
    body = from_history(3, lambda turns: float(tuple(other for _, other in turns)[-2:] != (1, 1)))
    assert len(body.cooperate) == 3  # tit for two tats, however far it is allowed to look
    own, other = actions(100)
    wanted = [float(other[max(turn - 2, 0) : turn] != [1, 1]) for turn in range(101)]
    assert answers(body, own, other) == wanted
    courses = [(a, b, c, d) for a in (0, 1) for b in (0, 1) for c in (0, 1) for d in (0, 1)]
    table = dict(zip(courses, CASES.random(16), strict=True))
    body = from_history(2, lambda turns: table[turns[0] + turns[1]] if len(turns) == 2 else 0.5)
    wanted = [0.5, 0.5] + [table[own[t - 2], other[t - 2], own[t - 1], other[t - 1]] for t in range(2, 101)]
    assert answers(body, own, other) == wanted


def test_noise_turns_actions_round():
    assert noisy(machine((1, 0, 0)), 0.1).cooperate.tolist() == pytest.approx([0.9])
    assert noisy(machine((0.25, 0, 0)), 0.1).cooperate.tolist() == pytest.approx([0.25 * 0.9 + 0.75 * 0.1])


@pytest.mark.parametrize(
    ("body", "turns"),
    [
        (machine((0.5, 0, 0)), 0),
        (machine((1, 1, 1), (0, 0, 0)), 0),  # the number of the turn is known anyway
        (machine((1, 0, 1), (0, 0, 1)), 1),
        (memory_one(0.5, 0.1, 0.2, 0.3, 0.4), 1),
        (memory_n(np.arange(16) / 16), 2),
        (machine((1, 0, 1), (0, 1, 1)), math.inf),  # a grudge
        (machine((1, 0, 1), (1, 1, 0)), 0),  # two states that do the same
    ],
)
def test_memory_is_how_far_back_the_past_matters(body, turns):
    assert memory(body) == turns


def test_a_machine_as_a_rule_says_the_same():
    body = memory_one(*CASES.random(5))
    rule, (own, other) = as_rule(body), actions()
    store, found = np.zeros(rule.size, np.int64), []
    for turn, (mine, others) in enumerate(zip([-1, *own], [-1, *other], strict=True)):
        found.append(rule.decide(store, np.array(rule.parameters), turn, 31, mine, others))
    assert found == answers(body, own, other)
    assert as_rule(rule) is rule


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: machine(), "rows: give at least one state"),
        (lambda: machine((1, 0)), "lengths seen: .2."),
        (lambda: machine((1.5, 0, 0)), "cooperate: 1.5 is no probability"),
        (lambda: machine((1, 0, 1)), "next: there are states 0 to 0, 1 is none"),
        (lambda: memory_n(np.ones(5)), "table: give 4, 16, 64, ... probabilities.*; 5 seen"),
        (lambda: memory_n(np.ones(4), 4), "before: there are courses 0 to 3, 4 is none"),
        (lambda: payoffs([1, 0, 0, 0], form("rock_paper_scissors")), "game: two players with two actions"),
    ],
)
def test_what_is_no_machine_is_said(make, said):
    with pytest.raises(ValueError, match=said):
        make()
