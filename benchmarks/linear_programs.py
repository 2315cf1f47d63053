"""The sequence-form linear program against OpenSpiel's: from the rules of a game to its value and both strategies.

Both sides walk a loaded game, build the program and solve it: ours sparse through SciPy's HiGHS, OpenSpiel's dense
through CVXPY. The values must agree to 1e-7, or the run stops; ours carry a certificate, which must be below 1e-9.
Run: PYTHONPATH=src .venv-peers/bin/python benchmarks/linear_programs.py
"""

import contextlib
import json
import statistics
import time

from ludus.games import load
from ludus.solve.sequence_lp import sequence_lp
from ludus.tree import grow
from pairing import compare

OPEN_SPIEL = {
    "kuhn_poker": "kuhn_poker",
    "leduc_poker": "leduc_poker",
    "liars_dice(dice=1, faces=4)": "liars_dice(players=2,numdice=1,dice_sides=4)",
}
LARGE = "liars_dice(dice=1, faces=6)"
TOO_LARGE = "OpenSpiel's payoffs would be a dense matrix of 24,571 x 24,571 numbers, 4.8 gigabytes"


def ours(name: str):
    game = load(name)

    def solve():
        answer = sequence_lp(grow(game))
        assert answer.regret[0] < 1e-9, f"{name}: a player could still gain {answer.regret[0]}"
        return float(answer.payoffs[0, 0])

    return solve


def open_spiel(name: str):
    import pyspiel
    from open_spiel.python.algorithms import sequence_form_lp

    game = pyspiel.load_game(OPEN_SPIEL[name])
    return lambda: sequence_form_lp.solve_zero_sum_game(game)[0]


def once(work):
    """As a work of `compare`: one call is one game solved."""

    def unit():
        work()
        return 1

    return unit


def large() -> None:
    """The line of a game that no peer solves this way: CPU seconds of three calls."""
    times, solve = [], ours(LARGE)
    for _ in range(3):
        start = time.process_time()
        value = solve()
        times.append(time.process_time() - start)
    assert abs(value + 7 / 258) < 1e-9, f"{LARGE}: our value {value!r}, known to be -7/258"
    line = {"work": f"sequence-form LP, {LARGE}", "peer": "none", "ours": round(statistics.median(times), 3)}
    line |= {"theirs": "not run", "unit": "CPU seconds"} | dict.fromkeys(("ratio", "low", "high"), "not run")
    line |= {"range": [round(min(times), 3), round(max(times), 3)], "reason": TOO_LARGE}
    print(json.dumps(line), flush=True)


def main() -> None:
    for name in OPEN_SPIEL:
        with contextlib.suppress(ImportError):  # the rows say "not run" where OpenSpiel is missing
            mine, theirs = ours(name)(), open_spiel(name)()
            assert abs(mine - theirs) < 1e-7, f"{name}: our value {mine!r}, OpenSpiel's {theirs!r}"
        compare(
            f"sequence-form LP, {name}",
            "OpenSpiel",
            "games",
            once(ours(name)),
            lambda name=name: once(open_spiel(name)),
        )
    large()


if __name__ == "__main__":
    main()
