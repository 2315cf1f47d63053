"""How often the 95% intervals of the ratings hold the true strength: `python benchmarks/rating_coverage.py 1000`.

For every design so many tournaments are played by players of known strength and rated with `rate`; counted is in what
part of them a player's interval holds its strength, less the mean over its component. "too high" and "too low" say on
which side the truth was missed, as parts of the same whole; both should be 2.5%. A player alone in its component has no
rating and is left out; "rated" says how many are not. Prints one JSON line per design. Some minutes for 1,000.
"""

import json
import sys
from typing import NamedTuple

import numpy as np

from ludus.measure.bradley_terry import rate

SAMPLES = 500  # redrawn tournaments behind an interval


class Design(NamedTuple):
    """A tournament: games int64[M, M] above the diagonal, true strengths float64[M], nu of Davidson's model."""

    games: np.ndarray
    strength: np.ndarray
    draw: float


def _round_robin(players: int, games: int, spread: float, draw: float) -> Design:
    return Design(np.triu(np.full((players, players), games), 1), np.linspace(-spread, spread, players), draw)


DESIGNS = {
    "round robin, 8 players, 4 games a pair": _round_robin(8, 4, 1.0, 0.0),
    "round robin, 16 players, 1 game a pair": _round_robin(16, 1, 1.2, 0.0),
    "round robin, 6 players, 2 games a pair": _round_robin(6, 2, 0.8, 0.0),
    "far apart: 8 players, 10 games a pair": _round_robin(8, 10, 2.5, 0.0),
    "draws: 8 players, 4 games a pair, nu = 1": _round_robin(8, 4, 1.0, 1.0),
    "unbalanced: some pairs 1, some 12 games, nu = 0.5": Design(
        np.triu(np.array([1, 12, 0, 3])[np.add.outer(3 * np.arange(8), np.arange(8)) % 4], 1)
        + np.eye(8, k=1, dtype=int),
        np.linspace(-1, 1, 8)[[3, 0, 6, 1, 7, 2, 5, 4]],
        0.5,
    ),
    "chain: 6 players, 20 games with each neighbour": Design(
        20 * np.eye(6, k=1, dtype=int), np.linspace(-1, 1, 6)[[2, 0, 4, 1, 5, 3]], 0.0
    ),
    "star: 5 players, 20 games each with a sixth, nu = 0.3": Design(
        np.outer(np.eye(6, dtype=int)[0], [0, 20, 20, 20, 20, 20]), np.linspace(-1, 1, 6)[[2, 0, 4, 1, 5, 3]], 0.3
    ),
}


def played(design: Design, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """One tournament's wins and ties, both float64[M, M]."""
    wins, ties = np.zeros(design.games.shape), np.zeros(design.games.shape)
    worth = np.exp(design.strength)
    for i, j in zip(*np.nonzero(design.games), strict=True):
        weights = np.array([worth[i], worth[j], design.draw * np.sqrt(worth[i] * worth[j])])
        wins[i, j], wins[j, i], ties[i, j] = rng.multinomial(design.games[i, j], weights / weights.sum())
        ties[j, i] = ties[i, j]
    return wins, ties


def coverage(design: Design, tournaments: int, rng: np.random.Generator) -> dict[str, float]:
    """Parts of the rated players, over all tournaments, and how many were rated."""
    rated, too_high, too_low = 0, 0, 0
    for _ in range(tournaments):
        wins, ties = played(design, rng)
        ratings = rate(wins, ties, rng, SAMPLES)
        size = np.bincount(ratings.component)
        truth = design.strength - (np.bincount(ratings.component, design.strength) / size)[ratings.component]
        among = size[ratings.component] > 1
        low, high = ratings.interval.T
        rated += among.sum()
        too_high += (among & (truth < low)).sum()
        too_low += (among & (truth > high)).sum()
    return {
        "coverage": 1 - (too_high + too_low) / rated,
        "too high": too_high / rated,
        "too low": too_low / rated,
        "rated": rated / (tournaments * len(design.strength)),
    }


def main() -> None:
    tournaments = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    for seed, (name, design) in enumerate(DESIGNS.items()):
        found = coverage(design, tournaments, np.random.default_rng(seed))
        print(
            json.dumps({"design": name, "tournaments": tournaments} | {k: round(float(v), 4) for k, v in found.items()})
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
