"""Repeated games against Axelrod-Python: turns played, whole tournaments, and exact payoffs, which it has not.

Before anything is timed, every strategy of the catalogue plays another on both sides: those without chance must do the
same in all 200 turns, the others earn the same within sampling error, or the run stops. (The whole comparison, of all
pairs, is tests/iterated/oracle_axelrod.py.) A turn is one simultaneous move of a pair. Axelrod-Python keeps what
strategies without chance did and does not play their repetitions; nor do we; its tournament also ranks and counts
cooperation, as ours does. Its import, 11 seconds of CPU, is outside the clock.
Run: PYTHONPATH=src .venv-peers/bin/python benchmarks/iterated.py
"""

import contextlib
import importlib.util
from pathlib import Path

import numpy as np

from ludus.iterated.long_run import long_run
from ludus.iterated.machine import machine, memory_one
from ludus.iterated.match import Lanes, match, round_robin, scores
from ludus.iterated.strategies import STRATEGIES, strategy
from pairing import compare

TURNS, REPETITIONS = 200, 10
AUTOMATA = ("fortress_3", "fortress_4", "predator", "raider", "ripoff", "solution_b1", "solution_b5", "thumper",
            "pun_1", "evolved_automaton_4")  # fmt: skip
MEMORY_ONE = ("generous_tit_for_tat", "zd_extort_2", "zd_generous_tit_for_tat_2", "joss", "soft_joss", "zd_extort_4",
              "stochastic_win_stay_lose_shift", "stochastic_cooperator", "firm_but_fair", "zd_set_2")  # fmt: skip
CLASSIC = ("tit_for_tat", "cooperator", "defector", "random", "grim", "win_stay_lose_shift", "tit_for_two_tats",
           "suspicious_tit_for_tat", "generous_tit_for_tat", "alternator", "joss", "two_tits_for_tat", "hard_majority",
           "anti_tit_for_tat", "bully")  # fmt: skip


def oracle():
    """tests/iterated/oracle_axelrod.py, which knows what our strategies are called there."""
    place = Path(__file__).parents[1] / "tests" / "iterated" / "oracle_axelrod.py"
    spec = importlib.util.spec_from_file_location("oracle_axelrod", place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def matches(names, noise, repetitions):
    """Every pair, itself included, `repetitions` times, all of it really played: no cycle is skipped under chance."""
    lines = [strategy(name) for name in names]
    first, second = (np.repeat(part, repetitions) for part in np.triu_indices(len(lines)))
    lanes = Lanes(lines, TURNS, noise)
    streams = np.random.default_rng(1).integers(2**64, size=len(first), dtype=np.uint64)

    def work():
        counts, drew = lanes.play(first, second, streams)
        assert noise == 0 or drew.all()
        return int(counts.sum())

    return work


def peers_matches(names, noise):
    import axelrod

    known = oracle()
    makers = [getattr(axelrod, known.NAMES[name]) for name in names]
    pairs = [(one, two) for place, one in enumerate(makers) for two in makers[place:]]
    turn = 0

    def work():
        nonlocal turn
        one, two = pairs[turn % len(pairs)]
        turn += 1
        axelrod.Match((one(), two()), turns=TURNS, seed=turn, noise=noise).play()
        return TURNS

    return work


def tournament():
    result = round_robin(CLASSIC, TURNS, REPETITIONS, rng=np.random.default_rng(1))
    scores(result)
    return 1


def peers_tournament():
    import axelrod

    known = oracle()
    makers = [getattr(axelrod, known.NAMES[name]) for name in CLASSIC]

    def work():
        players = [make() for make in makers]
        axelrod.Tournament(players, turns=TURNS, repetitions=REPETITIONS, seed=1).play(progress_bar=False)
        return 1

    return work


def check():
    """Raises AssertionError where Axelrod-Python plays otherwise."""
    import axelrod

    known = oracle()
    known.REPETITIONS = 40
    chance = [name for name in STRATEGIES if axelrod.Classifiers["stochastic"](known.theirs(name))]
    sure = [name for name in STRATEGIES if name not in chance]
    for place, one in enumerate(sure):
        two = sure[place - 1]
        peer = known.played(known.theirs(one), known.theirs(two), TURNS)
        assert (match(one, two, TURNS).action == peer).all(), f"{one} and {two} play otherwise there"
    wrong = known.same_scores([(one, sure[place]) for place, one in enumerate(chance)], 0.0)
    assert not wrong, "\n".join(wrong)


def no_peer():
    raise ImportError("no library of the list gives exact payoffs of repeated games")


def main():
    with contextlib.suppress(ImportError):  # the rows say "not run" where the peer is missing
        check()
    for work, names, noise in (
        ("repeated prisoner's dilemma, memory-one strategies, plain matches", MEMORY_ONE, 0.0),
        ("repeated prisoner's dilemma, memory-one strategies, noise 1%, plain matches", MEMORY_ONE, 0.01),
        ("repeated prisoner's dilemma, automata, noise 1%, plain matches", AUTOMATA, 0.01),
        ("repeated prisoner's dilemma, automata, no noise (cycles are added up), plain matches", AUTOMATA, 0.0),
    ):
        compare(
            work,
            "Axelrod-Python 4.14",
            "turns",
            matches(names, noise, 200),
            lambda names=names, noise=noise: peers_matches(names, noise),
        )
    compare(
        f"round robin of {len(CLASSIC)} classic strategies, {TURNS} turns, {REPETITIONS} repetitions",
        "Axelrod-Python 4.14",
        "tournaments",
        tournament,
        peers_tournament,
    )
    rng = np.random.default_rng(1)
    stochastic = [memory_one(*rng.random(5)) for _ in range(1000)]
    automata = [machine(*np.column_stack([rng.integers(0, 2, 8), rng.integers(0, 8, (8, 2))])) for _ in range(1000)]
    for work, bodies in (
        ("exact long-run payoffs of a million pairs of memory-one strategies", stochastic),
        ("exact long-run payoffs of a million pairs of automata of eight states", automata),
    ):
        compare(work, "none", "pairs", lambda bodies=bodies: long_run(bodies, bodies).size // 4, no_peer)


if __name__ == "__main__":
    main()
