"""Bradley-Terry ratings against choix and evalica, alpha-rank and Nash averaging against OpenSpiel.

A fit is of 1,000 players and 10^6 games, draws counted as half a win for each side on both sides of the comparison.
evalica and Ludus begin at the list of games, which Ludus first counts into a table; choix begins at the table, and so
does Ludus there. Before anything is timed the ratings must agree to 1e-7, and Ludus's must be as near to the maximum of
the likelihood as the peer's: how far the players' expected scores are from their scores is told on stderr. A redrawn
tournament is drawn afresh and fitted: Ludus by `rate`, draws as draws of Davidson's model; evalica's user resamples the
list of games, half wins again. Alpha-rank and Nash averaging must agree to 1e-8 and 1e-3 (OpenSpiel's convex solver
stops there).
Run: PYTHONPATH=src .venv-peers/bin/python benchmarks/ratings.py
"""

import contextlib
import sys

import numpy as np

from ludus.measure.alpha_rank import alpha_rank
from ludus.measure.bradley_terry import bradley_terry, counted, rate
from ludus.measure.nash_averaging import nash_average
from pairing import compare

PLAYERS, GAMES = 1000, 10**6
TOLERANCE = 1e-8  # the peers' own stopping rules, on the change of the ratings
STRATEGIES = 200


def played() -> tuple[np.ndarray, np.ndarray]:
    """Games of random pairs, strengths normal with deviation 1, nu = 1/2: int64[GAMES, 2], scores float64[GAMES]."""
    rng = np.random.default_rng(0)
    worth = np.exp(rng.normal(0, 1, PLAYERS))
    first = rng.integers(0, PLAYERS, GAMES)
    second = (first + rng.integers(1, PLAYERS, GAMES)) % PLAYERS
    one, other, drawn = worth[first], worth[second], np.sqrt(worth[first] * worth[second]) / 2
    lot = rng.random(GAMES) * (one + other + drawn)
    return np.stack([first, second], axis=1), np.where(lot < one, 1.0, np.where(lot < one + other, 0.0, 0.5))


def half_wins(games, score) -> np.ndarray:
    """Wins and half the draws, float64[PLAYERS, PLAYERS]."""
    wins, ties = counted(games, score, PLAYERS)
    ties /= 2
    wins += ties
    return wins


def unrest(halves: np.ndarray, strength: np.ndarray) -> float:
    """The largest difference of a player's expected score to its score, zero at the maximum of the likelihood."""
    chance = 1 / (1 + np.exp(strength[None] - strength[:, None]))
    return float(np.abs(halves.sum(axis=1) - ((halves + halves.T) * chance).sum(axis=1)).max())


def evalica_columns(games, score):
    import evalica

    winners = {1.0: evalica.Winner.X, 0.0: evalica.Winner.Y, 0.5: evalica.Winner.Draw}
    return (
        np.ascontiguousarray(games[:, 0]),
        np.ascontiguousarray(games[:, 1]),
        [winners[one] for one in score.tolist()],
    )


def evalica_strength(first, second, winners) -> np.ndarray:
    import evalica
    import pandas

    # with arrays and an index, the fastest way in
    index = pandas.RangeIndex(PLAYERS)
    fit = evalica.bradley_terry(first, second, winners, index, tolerance=TOLERANCE, limit=1000)
    assert fit.iterations < 1000
    strength = np.log(fit.scores.sort_index().to_numpy())
    return strength - strength.mean()


def choix_strength(halves) -> np.ndarray:
    import choix

    return choix.ilsr_pairwise_dense(halves, tol=TOLERANCE)


def check_ratings(name, halves, peers):
    ours = bradley_terry(halves).strength
    mine, other = unrest(halves, ours), unrest(halves, peers)
    print(f"{name}: expected scores off by {other:.1e}, Ludus's by {mine:.1e} at most", file=sys.stderr)
    assert mine <= other and np.abs(ours - (peers - peers.mean())).max() < 1e-7, f"{name} rates otherwise"


def fits(make):
    def work():
        make()
        return 1

    return work


def their_refits(games, score):
    first, second, winners = evalica_columns(games, score)
    winners, rng = np.array(winners), np.random.default_rng(0)

    def work():
        lots = rng.integers(0, GAMES, GAMES)
        evalica_strength(first[lots], second[lots], winners[lots].tolist())
        return 1

    return work


def our_refits(wins, ties, samples=100):
    rng = np.random.default_rng(0)

    def work():
        rate(wins, ties, rng, samples)
        return samples

    return work


def rating_rows():
    games = played()
    wins, ties = counted(*games, PLAYERS)
    halves = half_wins(*games)
    with contextlib.suppress(ImportError):  # the rows say "not run" where a peer is missing
        check_ratings("choix", halves, choix_strength(halves))
    with contextlib.suppress(ImportError):
        check_ratings("evalica", halves, evalica_strength(*evalica_columns(*games)))

    size = f"{PLAYERS:,} players, {GAMES:,} games"

    def evalica_fits():
        columns = evalica_columns(*games)
        return fits(lambda: evalica_strength(*columns))

    def choix_fits():
        choix_strength(halves)
        return fits(lambda: choix_strength(halves))

    def evalica_refits():
        return their_refits(*games)

    compare(
        f"Bradley-Terry fit from a list of games, {size}",
        "evalica",
        "fits",
        fits(lambda: bradley_terry(half_wins(*games))),
        evalica_fits,
    )
    compare(
        f"Bradley-Terry fit from a table, {size}",
        "choix, iterative Luce spectral ranking, dense",
        "fits",
        fits(lambda: bradley_terry(halves)),
        choix_fits,
    )
    compare(
        f"redrawn tournaments rated, {size}",
        "evalica, games resampled",
        "tournaments",
        our_refits(wins, ties),
        evalica_refits,
    )


def open_spiel_rank(payoff, **options):
    from open_spiel.python.egt import alpharank

    return alpharank.compute([payoff], m=50, **options)[2]


def open_spiel_nash(payoff):
    from open_spiel.python.algorithms.nash_averaging import _max_entropy_symmetric_nash

    return _max_entropy_symmetric_nash(payoff, eps=0.0).ravel()


def population_rows():
    payoff = np.random.default_rng(0).normal(size=(STRATEGIES, STRATEGIES))
    payoff -= payoff.T
    for name, ours, theirs in (
        ("alpha = 0.1", {"alpha": 0.1}, {"alpha": 0.1}),
        ("infinite alpha, epsilon = 0.01", {"epsilon": 0.01}, {"use_inf_alpha": True, "inf_alpha_eps": 0.01}),
    ):
        with contextlib.suppress(ImportError):
            assert np.abs(alpha_rank(payoff, **ours).mass - open_spiel_rank(payoff, **theirs)).max() < 1e-8, name

        def rank_fits(theirs=theirs):
            open_spiel_rank(payoff[:2, :2], **theirs)
            return fits(lambda: open_spiel_rank(payoff, **theirs))

        compare(
            f"alpha-rank, one population, {STRATEGIES} strategies, {name}",
            "OpenSpiel",
            "rankings",
            fits(lambda ours=ours: alpha_rank(payoff, **ours)),
            rank_fits,
        )
    for name, players in (
        ("30 players", payoff[:30, :30]),
        ("30 players, each twice", np.kron(payoff[:30, :30], np.ones((2, 2)))),
    ):
        with contextlib.suppress(ImportError):
            assert np.abs(nash_average(players).mass - open_spiel_nash(players)).max() < 1e-3, name

        def nash_fits(players=players):
            open_spiel_nash(players)
            return fits(lambda: open_spiel_nash(players))

        compare(
            f"Nash averaging, {name}",
            "OpenSpiel, by cvxpy",
            "averages",
            fits(lambda players=players: nash_average(players)),
            nash_fits,
        )


def main():
    rating_rows()
    population_rows()


if __name__ == "__main__":
    main()
