"""Exact payoffs against dense linear algebra, known values, and laws that hold against every opponent."""

import numpy as np
import pytest

from ludus.iterated.long_run import long_run, long_run_payoffs
from ludus.iterated.machine import Machine, machine, memory_one, noisy, payoffs, social_dilemma
from ludus.iterated.strategies import STRATEGIES
from ludus.iterated.zero_determinant import zero_determinant
from ludus.tree import TooLarge

MACHINES = [name for name, line in STRATEGIES.items() if isinstance(line.body, Machine)]


def chain(one, two, noise):
    """The transition matrix over all pairs of states, and the outcomes of each: written out, no state left out."""
    one, two = noisy(one, noise), noisy(two, noise)
    wide = len(two.cooperate)
    move, out = np.zeros((len(one.cooperate) * wide,) * 2), np.zeros((len(one.cooperate) * wide, 4))
    for s, p in enumerate(one.cooperate):
        for t, q in enumerate(two.cooperate):
            for outcome, chance in enumerate((p * q, p * (1 - q), (1 - p) * q, (1 - p) * (1 - q))):
                mine, others = divmod(outcome, 2)
                move[s * wide + t, one.next[s, mine, others] * wide + two.next[t, others, mine]] += chance
                out[s * wide + t, outcome] += chance
    return move, out


def slow(one, two, noise, turns=None, discount=None):
    move, out = chain(one, two, noise)
    now = np.zeros(len(move))
    now[0] = 1
    if turns is not None:
        total = np.zeros(4)
        for _ in range(turns):
            total, now = total + now @ out, now @ move
        return total / turns
    if discount is not None:
        return (1 - discount) * np.linalg.solve(np.eye(len(move)) - discount * move.T, now) @ out
    mean = np.eye(len(move))
    for _ in range(45):  # the mean of 2n turns from the mean of n
        mean, move = (mean + move @ mean) / 2, move @ move
        move /= move.sum(axis=1, keepdims=True)
    return now @ mean @ out


@pytest.mark.parametrize("noise", [0.0, 0.02])
@pytest.mark.parametrize("span", [{}, {"turns": 37}, {"discount": 0.9}, {"discount": 0.0}])
def test_exact_as_dense_linear_algebra(noise, span):
    rng = np.random.default_rng(1)
    shares = long_run(MACHINES, MACHINES, noise, **span)
    for _ in range(40):
        row, column = rng.integers(0, len(MACHINES), 2)
        wanted = slow(STRATEGIES[MACHINES[row]].body, STRATEGIES[MACHINES[column]].body, noise, **span)
        assert shares[row, column] == pytest.approx(wanted, abs=1e-8), (MACHINES[row], MACHINES[column])
    assert shares == pytest.approx(shares.transpose(1, 0, 2)[..., [0, 2, 1, 3]], abs=1e-12)  # both see one match


def test_random_machines_with_dead_ends():
    """Half of the probabilities are 0 or 1, so that chains fall into several classes that are never left."""
    rng = np.random.default_rng(2)
    bodies = []
    for _ in range(30):
        chance = np.where(rng.random(6) < 0.5, rng.integers(0, 2, 6), rng.random(6))
        bodies.append(machine(*np.column_stack([chance, rng.integers(0, 6, (6, 4))]).tolist()))
    for span in ({}, {"turns": 50}, {"discount": 0.95}):
        shares = long_run(bodies[:15], bodies[15:], **span)
        for row in range(15):
            for column in range(row % 4, 15, 4):
                wanted = slow(bodies[row], bodies[15 + column], 0.0, **span)
                assert shares[row, column] == pytest.approx(wanted, abs=1e-8)


def test_known_values():
    both = long_run(["tit_for_tat"], ["tit_for_tat"], noise=0.001)[0, 0]
    assert both == pytest.approx([0.25] * 4)  # Molander (1985): noise of any size makes tit for tat random with itself
    assert long_run(["tit_for_tat"], ["bully"])[0, 0].tolist() == [0.25] * 4
    mine, others = long_run_payoffs("grim", "alternator")
    assert (mine.number, others.number, mine.kind, mine.interval) == (3.0, 0.5, "exact", None)
    assert long_run_payoffs("tit_for_tat", "defector", turns=10)[0].number == pytest.approx(0.9)
    assert long_run_payoffs("grim", "grim", discount=0.5)[1].number == pytest.approx(3.0)
    assert long_run_payoffs("cooperator", "defector", game=social_dilemma(2, -1, 3, 0))[0].number == -1.0


def test_where_the_first_move_matters_for_ever():
    """Repeat never changes its mind: it cooperates for ever with the probability of its first move."""
    shares = long_run(["repeat"], ["cooperator"])[0, 0]
    assert shares == pytest.approx([0.6, 0, 0.4, 0])


def test_discounted_play_lies_between_the_first_turn_and_the_long_run():
    one, two = memory_one(0.9, 0.8, 0.3, 0.6, 0.2), memory_one(0.1, 0.7, 0.4, 0.9, 0.3)
    first = long_run([one], [two], discount=0.0)[0, 0]
    assert first == pytest.approx([0.9 * 0.1, 0.9 * 0.9, 0.1 * 0.1, 0.1 * 0.9])
    assert long_run([one], [two], discount=1 - 1e-7)[0, 0] == pytest.approx(long_run([one], [two])[0, 0], abs=1e-6)
    assert long_run([one], [two], turns=10**6)[0, 0] == pytest.approx(long_run([one], [two])[0, 0], abs=1e-5)


@pytest.fixture(scope="module")
def opponents():
    rng = np.random.default_rng(3)
    found = [memory_one(*rng.random(5)) for _ in range(20)]
    return found + [machine(*np.column_stack([rng.random(5), rng.integers(0, 5, (5, 4))]).tolist()) for _ in range(20)]


@pytest.mark.parametrize(("slope", "baseline", "phi"), [(1 / 2, 1, 1 / 9), (1 / 3, 1, 3 / 26), (1 / 2, 3, 1 / 8)])
def test_zero_determinant_strategies_hold_the_line(slope, baseline, phi, opponents):
    """Press and Dyson (2012): the relation holds exactly, whoever the opponent is."""
    shares = long_run([zero_determinant(slope, baseline, phi)], opponents)[0]
    mine, others = payoffs(shares).T
    assert others - baseline == pytest.approx(slope * (mine - baseline), abs=1e-10)
    assert mine.std() > 0.01


def test_an_equaliser_sets_the_others_payoff(opponents):
    others = payoffs(long_run(["zd_set_2"], opponents)[0])[:, 1]
    assert others == pytest.approx(np.full(len(opponents), 2.0), abs=1e-10)


def test_published_zero_determinant_strategies():
    """Press and Dyson (2012), page 10411, extortion factor 3; Stewart and Plotkin (2012): Extort-2 and ZDGTFT-2."""
    published = {
        "zd_extort_3": (11 / 13, 1 / 2, 7 / 26, 0),
        "zd_extort_2": (8 / 9, 1 / 2, 1 / 3, 0),
        "zd_generous_tit_for_tat_2": (1, 1 / 8, 1, 1 / 4),
    }
    for name, chances in published.items():
        assert STRATEGIES[name].body.cooperate[1:] == pytest.approx(chances)
    with pytest.raises(ValueError, match=r"slope, baseline, phi: 0\.5, 1, 0\.9 ask for the probabilities"):
        zero_determinant(0.5, 1, 0.9)


def test_memory_one_keeps_its_balance(opponents):
    """Akin (2012), "Stable cooperative solutions for the iterated prisoner's dilemma": in the long run the turns after
    which a player cooperates are as many as those in which it did."""
    rng = np.random.default_rng(4)
    bodies = [memory_one(*rng.random(5)) for _ in range(10)]
    shares = long_run(bodies, opponents)
    drift = np.array([body.cooperate[1:] - [1, 1, 0, 0] for body in bodies])
    assert np.einsum("ro,rco->rc", drift, shares) == pytest.approx(np.zeros((10, len(opponents))), abs=1e-10)


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda: long_run(["gradual"], ["grim"]), "strategies: gradual counts without end"),
        (lambda: long_run(["grim"], ["grim"], turns=5, discount=0.5), "turns, discount: .*leave one out"),
        (lambda: long_run(["grim"], ["grim"], turns=0), "turns: give a whole number of at least 1, or None"),
        (lambda: long_run(["grim"], ["grim"], discount=1.0), "discount: .*1.0 seen"),
        (lambda: long_run(["grim"], ["grim"], noise=-0.1), "noise: .*-0.1 seen"),
    ],
)
def test_what_has_no_exact_answer_is_said(ask, said):
    with pytest.raises(ValueError, match=said):
        ask()


def test_too_many_pairs_of_states():
    rng = np.random.default_rng(5)
    wide = [machine(*np.column_stack([rng.random(60), rng.integers(0, 60, (60, 4))]).tolist()) for _ in range(2)]
    with pytest.raises(TooLarge, match=r"rows\[0\], columns\[1\]: together they reach more than 2,000"):
        long_run(wide[:1], ["grim", wide[1]])
