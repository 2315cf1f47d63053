"""All extreme equilibria of a two-player game, degenerate or not, in whole numbers: nothing is rounded.

Give every strategy of either player a label. A point of a best-response polytope is a mixed strategy of one player,
divided by what the other can earn against it; it carries the labels of the strategies that it does not play and of the
other's best responses to it. A pair of points is an equilibrium when together they carry every label: each strategy is
unplayed or a best response. So list the vertices of both polytopes, and match them by their labels. Every equilibrium
lies between such pairs of vertices: it is a convex combination of extreme equilibria (Mangasarian 1964; Winkels 1979).

The vertices come from the double description method: begin with the cone of all nonnegative points, cut off one
half-space after the other, and after each cut keep the rays on the right side and put a new one between every two
neighbours whom the cut parts.

Avis, Rosenberg, Savani and von Stengel (2010), "Enumeration of Nash equilibria for two-player games", sections 2 and 3;
Fukuda and Prodon (1996), "Double description method revisited", lemma 3 and proposition 7.
"""

import time
from math import gcd
from operator import mul

import numpy as np

from ludus.normal_form import NormalForm
from ludus.solve.answer import Answer
from ludus.solve.bimatrix import certify, exact, matrices

NOTE = (
    "the equilibria are no finite number: these are all extreme ones; where two share one player's strategy, "
    "all that lies between them is an equilibrium too, and there are no others"
)


class OutOfTime(Exception):
    """The vertices were not all found by the deadline."""


def extreme_equilibria(form: NormalForm, seconds: float | None = None) -> Answer:
    """All extreme equilibria of a two-player game, exactly; all equilibria where they are a finite number.

    seconds  stop after so long, with nothing; complete is then False

    `iterations` counts vertices of both polytopes. Raises UnfitGame, a ValueError.
    """
    start = time.perf_counter()
    payoff = matrices(form)
    try:
        rows, columns, infinite, count = extreme_profiles(exact(payoff), None if seconds is None else start + seconds)
        note = NOTE if infinite else ""
    except OutOfTime:
        rows, columns, count = np.empty((0, payoff.shape[0])), np.empty((0, payoff.shape[1])), 0
        note = f"the time limit of {seconds} seconds came first; lemke_howson(form) finds one equilibrium"
    regret, expects, _ = certify(payoff[None], np.zeros(len(rows), np.int64), rows, columns)
    return Answer(
        list(zip(rows, columns, strict=True)), regret, expects, count > 0, note,
        "vertices of the best-response polytopes", count, time.perf_counter() - start,
    )  # fmt: skip


def extreme_profiles(payoff: list[list[list[int]]], deadline: float | None) -> tuple[np.ndarray, np.ndarray, bool, int]:
    """Extreme equilibria as rows float64[k, m] and columns float64[k, n], whether others lie between, and vertices.

    payoff  whole numbers, at least 1, as `bimatrix.exact` gives. Raises OutOfTime past `deadline` (time.perf_counter).
    """
    m, n = len(payoff[0]), len(payoff[1])
    of_rows, row_labels = vertices(payoff[1], deadline)
    of_columns, column_labels = vertices(payoff[0], deadline)
    column_labels = np.roll(column_labels, m, axis=1)  # rows first, as in the other polytope
    found: list[tuple[int, int]] = []
    for first in range(0, len(of_rows), 1000):
        late(deadline)
        missing = (~row_labels[first : first + 1000]).astype(np.float32) @ (~column_labels).astype(np.float32).T
        found += [(first + row, column) for row, column in np.argwhere(missing == 0).tolist()]
    rows = np.reshape([mixed(of_rows[row]) for row, _ in found], (-1, m))
    columns = np.reshape([mixed(of_columns[column]) for _, column in found], (-1, n))
    # between two that share a vertex everything is an equilibrium, as both of the others are best responses to it
    infinite = any(len(set(side)) < len(found) for side in zip(*found, strict=True))
    return rows, columns, infinite, len(of_rows) + len(of_columns)


def vertices(cuts: list[list[int]], deadline: float | None) -> tuple[list[list[int]], np.ndarray]:
    """The vertices other than the origin of all x >= 0 in d dimensions with cut @ x <= 1 for every cut; d numbers each.

    The numbers are whole and above 0. Returns each vertex as d whole numbers, the vertex times something, and
    bool[vertices, d + cuts]: which coordinates are zero, which cuts are tight. Raises OutOfTime.
    """
    d = len(cuts[0])
    rays = [[int(i == k) for i in range(d + 1)] for k in range(d + 1)]  # of the cone of all (x, t); x / t is the point
    width = -(-(d + 1 + len(cuts)) // 64) * 64  # whole words
    tight = np.pad(~np.eye(d + 1, dtype=bool), ((0, 0), (0, width - d - 1)))  # which inequalities a ray meets with "="
    for number, cut in enumerate(cuts, start=d + 1):
        side = [ray[d] - sum(map(mul, cut, ray)) for ray in rays]
        tight[:, number] = [s == 0 for s in side]
        words = np.packbits(tight, axis=1).view(np.uint64)
        outside = [k for k, s in enumerate(side) if s < 0]
        born, meets = [], [tight[[s >= 0 for s in side]]]
        for k, own in enumerate(side):
            if own <= 0:
                continue
            late(deadline)
            common = words[k] & words[outside]
            # neighbours share d - 1 inequalities, and no third ray has all that they share (proposition 7)
            for place in np.flatnonzero(np.bitwise_count(common).sum(axis=1) >= d - 1).tolist():
                if np.count_nonzero(((words & common[place]) == common[place]).all(axis=1)) == 2:
                    other = outside[place]
                    ray = [own * b - side[other] * a for a, b in zip(rays[k], rays[other], strict=True)]
                    shared = gcd(*ray)
                    born.append([number // shared for number in ray])
                    meets.append((tight[k] & tight[other])[None])
                    meets[-1][0, number] = True
        rays = [ray for ray, s in zip(rays, side, strict=True) if s >= 0] + born
        tight = np.concatenate(meets)
    origin = [not any(ray[:d]) for ray in rays]
    labels = np.delete(tight[:, : d + 1 + len(cuts)], d, axis=1)
    return [ray[:d] for ray, zero in zip(rays, origin, strict=True) if not zero], labels[~np.array(origin)]


def mixed(weights: list[int]) -> list[float]:
    """Whole numbers as probabilities, each rounded once."""
    total = sum(weights)
    return [weight / total for weight in weights]


def late(deadline: float | None) -> None:
    """Raise OutOfTime past the deadline."""
    if deadline is not None and time.perf_counter() > deadline:
        raise OutOfTime
