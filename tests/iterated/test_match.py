"""Matches: the fast loops against a slow one written here, and what must not make a difference."""

from inspect import unwrap

import numpy as np
import pytest
from numba import njit

from ludus.iterated import match as loops
from ludus.iterated.long_run import long_run
from ludus.iterated.machine import Rule, as_rule, machine, memory_one, payoffs, social_dilemma
from ludus.iterated.match import Lanes, match, outcomes, population, round_robin, scores
from ludus.iterated.strategies import STRATEGIES, resolved, strategy
from ludus.normal_form import bimatrix

MIXED = ["tit_for_tat", "random", "champion", "predator", "zd_extort_2", "gradual", "nydegger", "grofman"]
MASK = 2**64 - 1


def automata(count, states, rng, sure=False):
    """Random machines, each row a probability and four next states."""
    chance = rng.integers(0, 2, (count, states)) if sure else rng.random((count, states))
    ends = rng.integers(0, states, (count, states, 4))
    return [machine(*np.column_stack([chance[i], ends[i]]).tolist()) for i in range(count)]


def slow(one, two, stream, turns, noise):
    """A match, turn by turn in whole numbers of Python, SplitMix64 written out; counts of CC, CD, DC, DD."""
    state, counts = [0, 0], [0, 0, 0, 0]
    for _ in range(turns):
        stream = (stream + 0x9E3779B97F4A7C15) & MASK
        word = ((stream ^ stream >> 30) * 0xBF58476D1CE4E5B9) & MASK
        word = ((word ^ word >> 27) * 0x94D049BB133111EB) & MASK
        word ^= word >> 31
        halves, done = (word >> 32, word & 0xFFFFFFFF), []
        for body, place, half in zip((one, two), state, halves, strict=True):
            chance = noise + (1 - 2 * noise) * float(body.cooperate[place])
            done.append(int(half >= chance * 2**32))
        counts[2 * done[0] + done[1]] += 1
        state = [int(one.next[state[0], done[0], done[1]]), int(two.next[state[1], done[1], done[0]])]
    return counts


@pytest.mark.parametrize("noise", [0.0, 0.05])
@pytest.mark.parametrize("sure", [False, True])
def test_the_loops_play_as_the_slow_one(noise, sure):
    rng = np.random.default_rng(1)
    bodies = automata(6, 5, rng, sure)
    first, second = np.triu_indices(6)
    streams = rng.integers(2**64, size=len(first), dtype=np.uint64)
    wanted = [
        slow(bodies[one], bodies[two], int(stream), 500, noise)
        for one, two, stream in zip(first, second, streams, strict=True)
    ]
    lines = [resolved(body, place) for place, body in enumerate(bodies)]
    counts, drew = Lanes(lines, 500, noise).play(first, second, streams)
    assert counts.tolist() == wanted
    assert drew.all() if noise else not (drew & sure).any()
    rules = [resolved(as_rule(body), place) for place, body in enumerate(bodies)]
    assert Lanes(rules, 500, noise).play(first, second, streams)[0].tolist() == wanted
    half = [*lines[:3], *rules[3:]]  # machines against rules
    assert Lanes(half, 500, noise).play(first, second, streams)[0].tolist() == wanted


def test_a_cycle_is_added_up_for_any_length():
    bodies = automata(12, 7, np.random.default_rng(2), sure=True)
    lines = [resolved(body, place) for place, body in enumerate(bodies)]
    first, second = np.triu_indices(12)
    for turns in (1, 2, 3, 17, 64, 1000):
        counts, drew = Lanes(lines, turns, 0.0).play(first, second, np.zeros(len(first), np.uint64))
        wanted = [slow(bodies[one], bodies[two], 0, turns, 0.0) for one, two in zip(first, second, strict=True)]
        assert counts.tolist() == wanted and not drew.any()


def test_compiled_and_plain_python_agree():
    rng = np.random.default_rng(3)
    lines = [resolved(body, place) for place, body in enumerate(automata(3, 3, rng))] + [strategy("champion")]
    lanes = Lanes(lines, 40, 0.02)
    first, second = np.triu_indices(4)
    streams = rng.integers(2**64, size=len(first), dtype=np.uint64)
    wanted = lanes.play(first, second, streams)[0]
    counts, drew = np.zeros_like(wanted), np.zeros(len(first), np.bool_)
    kernels = [as_rule(lines[0].body).decide.py_func, lines[3].body.decide.py_func]
    with np.errstate(over="ignore"):
        unwrap(loops._consult)(
            kernels,
            lanes.kind,
            lanes.size,
            lanes.parameters,
            lanes.begin,
            first,
            second,
            streams,
            40,
            0.02,
            counts,
            drew,
        )
        assert (counts == wanted).all()
        threshold = np.ceil(lanes.cooperate * loops.GRAIN).astype(np.int64)
        few = np.flatnonzero((first < 3) & (second < 3))
        counts = np.zeros((len(few), 4), np.int64)
        starts = lanes.start[first[few]], lanes.start[second[few]]
        unwrap(loops._draw)(threshold, lanes.next, *starts, streams[few], 40, counts)
        assert (counts == wanted[few]).all()


def test_a_match_keeps_its_actions():
    found = match("tit_for_tat", "bully", turns=8)
    assert found.action[:, 0].tolist() == [0, 1, 1, 0, 0, 1, 1, 0]
    assert found.action[:, 1].tolist() == [1, 1, 0, 0, 1, 1, 0, 0]
    assert found.payoff.tolist() == [18 / 8, 18 / 8]
    chance = match("random", "joss", rng=np.random.default_rng(1))
    again = match("random", "joss", rng=np.random.default_rng(1))
    assert (chance.action == again.action).all() and 0.3 < chance.action[:, 0].mean() < 0.7


@njit
def overconfident(memory, parameters, turn, turns, own, other):
    return 1.0 if turn < 5 else parameters[0]


@pytest.mark.parametrize("number", [1.5, -0.1, float("nan")])
def test_a_rule_that_gives_no_probability_is_named(number):
    with pytest.raises(ValueError, match="decide: rule 1 gave a number that is no probability"):
        match(Rule(overconfident, 0, (number,)), "grim")
    with pytest.raises(ValueError, match="decide: rule 2 gave a number that is no probability"):
        round_robin(["grim", Rule(overconfident, 0, (number,))])


def test_the_number_of_workers_makes_no_difference():
    one, three = (round_robin(MIXED, rng=np.random.default_rng(1), noise=0.01, workers=n) for n in (1, 3))
    assert (one.outcomes == three.outcomes).all()
    other = round_robin(MIXED, rng=np.random.default_rng(2), noise=0.01)
    assert (one.outcomes != other.outcomes).any()


def test_neither_the_order_nor_the_company_makes_a_difference():
    order = np.random.default_rng(1).permutation(len(MIXED))
    whole = round_robin(MIXED, rng=np.random.default_rng(1))
    turned = round_robin([MIXED[place] for place in order], rng=np.random.default_rng(1))
    assert (turned.outcomes == whole.outcomes[np.ix_(order, order)]).all()
    few = round_robin(MIXED[:3], rng=np.random.default_rng(1))
    assert (few.outcomes == whole.outcomes[:3, :3]).all()


def test_copies_of_a_strategy_do_not_play_alike():
    both = round_robin(["random", "random", "tit_for_tat"], rng=np.random.default_rng(1))
    assert (both.outcomes[0, 2] != both.outcomes[1, 2]).any()
    assert both.outcomes[0, 1, :, 1:3].sum() > 0


def test_both_players_see_one_match():
    result = round_robin(MIXED, rng=np.random.default_rng(1), noise=0.02)
    assert (result.outcomes == result.outcomes.transpose(1, 0, 2, 3)[..., [0, 2, 1, 3]])[~np.eye(8, dtype=bool)].all()
    assert (result.outcomes.sum(axis=3) == 200).all()
    shares = result.outcomes / 200
    off = ~np.eye(8, dtype=bool)
    assert result.payoff[off] == pytest.approx(payoffs(shares)[..., 0].mean(axis=2)[off])
    assert result.cooperation[off] == pytest.approx(shares[..., :2].sum(axis=3).mean(axis=2)[off])


def test_chance_is_told_from_certainty():
    result = round_robin(["tit_for_tat", "random", "champion"], rng=np.random.default_rng(1))
    assert result.chance.tolist() == [[False, True, False], [True, True, True], [False, True, False]]
    assert result.error[0, 2] == 0 < result.error[0, 1]
    assert (result.outcomes[0, 2] == result.outcomes[0, 2, 0]).all()
    kinds = [value.kind for value in scores(result)]
    assert kinds == ["sampled"] * 3
    sure = scores(round_robin(["tit_for_tat", "defector"], turns=10, repetitions=1))
    assert [(value.kind, value.number) for value in sure] == [("exact", (30 + 9) / 20), ("exact", (14 + 10) / 20)]
    unsure = scores(round_robin(["random"], repetitions=1, rng=np.random.default_rng(1)))
    assert (unsure[0].kind, unsure[0].interval) == ("sampled", None)


def test_noise_zero_is_certainty():
    names = [
        name for name, line in STRATEGIES.items() if name in MIXED and name not in {"random", "champion", "grofman"}
    ]
    names.remove("zd_extort_2")
    sure = round_robin(names, repetitions=1)
    again = round_robin(names, repetitions=3, noise=0.0, rng=np.random.default_rng(9))
    assert (again.outcomes == sure.outcomes).all()


def test_sampled_payoffs_agree_with_exact_ones():
    """200 turns of memory-one and automata, 400 repetitions: within 4.5 standard errors of the exact expectation."""
    rng = np.random.default_rng(6)
    bodies = [memory_one(*rng.random(5)) for _ in range(4)] + automata(4, 4, rng)
    first, second = np.triu_indices(8)
    lines = [resolved(body, place) for place, body in enumerate(bodies)]
    played, _ = outcomes(lines, first, second, 200, 400, 0.03, rng)
    shares = played / 200
    exact = long_run(bodies, bodies, noise=0.03, turns=200)[first, second]
    error = shares.std(axis=1, ddof=1) / np.sqrt(400)
    assert (np.abs(shares.mean(axis=1) - exact) < 4.5 * error + 1e-12).all()


def test_any_game_of_two_actions():
    game = bimatrix([[4, 1], [3, 2]], [[7, 8], [6, 5]])
    result = round_robin(["cooperator", "defector"], repetitions=1, game=game)
    assert result.payoff.tolist() == [[4, 1], [3, 2]]
    dove = round_robin(["cooperator", "defector"], repetitions=1, game=social_dilemma(2, 1, 4, 0))
    assert dove.payoff.tolist() == [[2, 1], [4, 0]]


def test_the_tournament_is_a_population():
    result = round_robin(MIXED, rng=np.random.default_rng(1), repetitions=4)
    members = population(result)
    assert [line.name for line in members.genomes] == MIXED and (members.payoff == result.payoff).all()
    assert (members.games == 4).all() and (members.parent == -1).all()


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda: round_robin(["random"]), "rng: chance is at play between random and random"),
        (lambda: match("tit_for_tat", "joss"), "rng: chance is at play between tit_for_tat and joss"),
        (lambda: round_robin(["cooperator"], noise=0.6), "noise: give the probability.*0.6 seen"),
        (lambda: round_robin(["cooperator"], turns=0), "turns: give a whole number of at least 1; 0 seen"),
        (lambda: round_robin(["cooperator"], repetitions=True), "repetitions: .*True seen"),
        (lambda: round_robin([]), "strategies: give at least one"),
        (lambda: round_robin([3]), "strategies: give names, machines or rules; int seen"),
        (lambda: match(Rule(lambda *_: 1.0, 0), "grim"), "decide: .*decorate it with numba.njit"),
    ],
)
def test_what_cannot_be_played_is_said(ask, said):
    with pytest.raises(ValueError, match=said):
        ask()
