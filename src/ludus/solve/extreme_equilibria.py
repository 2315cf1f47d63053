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
    of_rows, of_columns = vertices(payoff[1], deadline), vertices(payoff[0], deadline)
    # labels of rows first, then of columns, as in the other polytope
    shifted = [labels >> n | (labels & (1 << n) - 1) << m for _, labels in of_columns]
    carriers = by_label(shifted, m + n)
    found = []
    for row, (_, labels) in enumerate(of_rows):
        late(deadline)
        missing = labels ^ (1 << m + n) - 1
        found += [(row, column) for column in ones(carrying(missing, carriers, len(of_columns)))]
    rows = [mixed(of_rows[row][0]) for row, _ in found]
    columns = [mixed(of_columns[column][0]) for _, column in found]
    # between two that share a vertex everything is an equilibrium, as both of the others are best responses to it
    infinite = any(len(set(side)) < len(found) for side in zip(*found, strict=True))
    return np.array(rows), np.array(columns), infinite, len(of_rows) + len(of_columns)


def vertices(cuts: list[list[int]], deadline: float | None) -> list[tuple[list[int], int]]:
    """The vertices other than the origin of all x >= 0 in d dimensions with cut @ x <= 1 for every cut; d numbers each.

    The numbers are whole and above 0. Returns each vertex as d whole numbers, the vertex times something, and its
    labels as bits of one number: k where coordinate k is zero, d + k where cut k is tight. Raises OutOfTime.
    """
    d, last = len(cuts[0]), len(cuts[0]) + len(cuts)
    rays = [[int(i == k) for i in range(d + 1)] for k in range(d + 1)]  # of the cone of all (x, t); x / t is the point
    tight = [(1 << d) - 1 ^ 1 << k | 1 << last for k in range(d)] + [(1 << d) - 1]  # bit `last` where t is zero
    for number, cut in enumerate(cuts, start=d):
        side = [ray[d] - sum(map(mul, cut, ray)) for ray in rays]
        carriers = by_label(tight, last + 1)
        outside = [k for k, s in enumerate(side) if s < 0]
        kept = [(ray, labels | (s == 0) << number) for ray, labels, s in zip(rays, tight, side, strict=True) if s >= 0]
        for k in [k for k, s in enumerate(side) if s > 0]:
            late(deadline)
            for other in outside:
                common = tight[k] & tight[other]
                # neighbours share d - 1 inequalities, and no third ray has all that they share (proposition 7)
                if common.bit_count() >= d - 1 and carrying(common, carriers, len(rays)).bit_count() == 2:
                    ray = [side[k] * b - side[other] * a for a, b in zip(rays[k], rays[other], strict=True)]
                    shared = gcd(*ray)
                    kept.append(([each // shared for each in ray], common | 1 << number))
        rays, tight = [ray for ray, _ in kept], [labels for _, labels in kept]
    return [(ray[:d], labels) for ray, labels in zip(rays, tight, strict=True) if any(ray[:d])]


def by_label(owners: list[int], labels: int) -> list[int]:
    """The owners of each label, as bits of one number, from the labels of each owner."""
    found = [0] * labels
    for number, own in enumerate(owners):
        for label in ones(own):
            found[label] |= 1 << number
    return found


def carrying(labels: int, carriers: list[int], count: int) -> int:
    """Which of `count` owners carry all these labels, as bits."""
    found = (1 << count) - 1
    while labels and found:
        found &= carriers[(labels & -labels).bit_length() - 1]
        labels &= labels - 1
    return found


def ones(number: int) -> list[int]:
    """The places of the bits that are 1."""
    found = []
    while number:
        found.append((number & -number).bit_length() - 1)
        number &= number - 1
    return found


def mixed(weights: list[int]) -> list[float]:
    """Whole numbers as probabilities, each rounded once."""
    total = sum(weights)
    return [weight / total for weight in weights]


def late(deadline: float | None) -> None:
    """Raise OutOfTime past the deadline."""
    if deadline is not None and time.perf_counter() > deadline:
        raise OutOfTime
