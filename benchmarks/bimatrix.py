"""All equilibria, and one, of random two-player games against Gambit and Nashpy.

Payoffs are whole thousandths from 0 to 0.999, the same games on both sides; making a game is outside the clock. Before
anything is timed each peer's equilibria are compared with ours, game by game; where they differ the run stops.
Nashpy's Lemke-Howson is asked for the same label; it goes round for ever on some of these games, which are left out of
its rows (on both sides) once it has had a second of CPU time. "In one call" rows give ours all games at once and the
peer one after the other, as it has no such call; the other rows are one call a game on both sides.
Run: PYTHONPATH=src .venv-peers/bin/python benchmarks/bimatrix.py
"""

import contextlib
import signal
import warnings
from decimal import Decimal

import numpy as np

from ludus.normal_form import normal_form
from ludus.solve.lemke_howson import lemke_howson, lemke_howson_many
from ludus.solve.support_enumeration import support_enumeration, support_enumeration_many
from pairing import compare

GAMES = 5  # of sizes 4 and 8
MANY = 1000


def payoffs(size, count):
    """Whole thousandths: int64[count, size, size, 2]."""
    return np.stack([np.random.default_rng([size, seed]).integers(0, 1000, (size, size, 2)) for seed in range(count)])


def gambit_games(thousandths):
    import pygambit

    exact = np.vectorize(lambda v: Decimal(int(v)) / 1000, otypes=[object])
    return [pygambit.Game.from_arrays(exact(game[..., 0]), exact(game[..., 1])) for game in thousandths]


def nashpy_games(thousandths):
    import nashpy

    warnings.simplefilter("ignore")
    return [nashpy.Game(game[..., 0] / 1000, game[..., 1] / 1000) for game in thousandths]


def in_one_go(solve, games):
    def work():
        for game in games:
            solve(game)
        return len(games)

    return work


def gambit_all(game):
    import pygambit

    return pygambit.nash.enummixed_solve(game, rational=False).equilibria


def gambit_one(game):
    import pygambit

    return pygambit.nash.lcp_solve(game, rational=False, stop_after=1).equilibria


def nashpy_all(game):
    return list(game.support_enumeration())


def nashpy_one(game):
    return game.lemke_howson(initial_dropped_label=0)


def nashpy_ends(thousandths):
    """Which of the games Nashpy's Lemke-Howson comes to an end on: bool[games]."""

    def cut_off(*_):
        raise TimeoutError

    signal.signal(signal.SIGVTALRM, cut_off)
    found = []
    for game in nashpy_games(thousandths):
        signal.setitimer(signal.ITIMER_VIRTUAL, 1.0)
        try:
            nashpy_one(game)
            found.append(True)
        except TimeoutError:
            found.append(False)
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return np.array(found)


def check(size, count):
    """Raises AssertionError where Gambit's list of all equilibria is another, or Nashpy's walk ends elsewhere."""
    thousandths = payoffs(size, count)
    for number, game in enumerate(gambit_games(thousandths)):
        ours = support_enumeration(normal_form(thousandths[number] / 1000))
        found = np.array([np.concatenate(profile) for profile in ours.profiles])
        strategies = [strategy for player in game.players for strategy in player.strategies]
        wanted = np.array([[float(profile[strategy]) for strategy in strategies] for profile in gambit_all(game)])
        near = np.abs(found[:, None] - wanted).max(axis=2) < 1e-6
        assert ours.complete and ours.regret.max() < 1e-9
        assert len(found) == len(wanted) and near.any(axis=0).all(), (
            f"size {size}, game {number}: {len(found)} equilibria here, {len(wanted)} by Gambit"
        )
    thousandths = thousandths[nashpy_ends(thousandths)]
    for number, game in enumerate(nashpy_games(thousandths)):
        ours = lemke_howson(normal_form(thousandths[number] / 1000), 0).profiles[0]
        assert np.allclose(np.concatenate(ours), np.concatenate(nashpy_one(game)), atol=1e-6), (
            f"size {size}, game {number}: Lemke-Howson ends elsewhere"
        )


def main():
    for size, count in ((4, GAMES), (8, GAMES), (10, 2)):
        with contextlib.suppress(ImportError):  # the rows say "not run" where a peer is missing
            check(size, count)
        thousandths = payoffs(size, count)
        forms = [normal_form(game / 1000) for game in thousandths]
        compare(
            f"all equilibria, {size}x{size}, one call a game",
            "Gambit enummixed, floats",
            "games",
            in_one_go(support_enumeration, forms),
            lambda thousandths=thousandths: in_one_go(gambit_all, gambit_games(thousandths)),
        )
    thousandths = payoffs(2, MANY)
    for peer, solve, games in (
        ("Gambit enummixed, floats", gambit_all, gambit_games),
        ("Nashpy support enumeration", nashpy_all, nashpy_games),
    ):
        compare(
            f"all equilibria of {MANY} 2x2 games, in one call",
            peer,
            "games",
            lambda: len(support_enumeration_many(thousandths / 1000).number),
            lambda solve=solve, games=games: in_one_go(solve, games(thousandths)),
        )
    few, many = payoffs(10, 20), payoffs(10, MANY)
    with contextlib.suppress(ImportError):
        few = few[nashpy_ends(few)]
    forms = [normal_form(game / 1000) for game in few]
    for peer, solve, games in (
        ("Nashpy Lemke-Howson", nashpy_one, nashpy_games),
        ("Gambit lcp, floats", gambit_one, gambit_games),
    ):
        compare(
            "one equilibrium by Lemke-Howson, 10x10, one call a game",
            peer,
            "games",
            in_one_go(lambda form: lemke_howson(form, 0), forms),
            lambda solve=solve, games=games: in_one_go(solve, games(few)),
        )
        compare(
            f"one equilibrium by Lemke-Howson, {MANY} games of 10x10 in one call",
            peer,
            "games",
            lambda: len(lemke_howson_many(many / 1000).pivots),
            lambda solve=solve, games=games: in_one_go(solve, games(few)),
        )


if __name__ == "__main__":
    main()
