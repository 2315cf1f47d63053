"""Logit quantal response equilibria: players who choose better strategies more often, not always.

In a logit equilibrium every player chooses strategy j with a probability proportional to exp(rationality * what j
earns against the others). Rationality 0 is even play; as it grows without bound, the equilibria approach Nash
equilibria (McKelvey and Palfrey 1995, "Quantal response equilibria for normal form games", theorem 2). The branch that
begins at even play, the principal branch, picks one Nash equilibrium of almost every game.

The branch is followed as a curve, since it may turn back: a step along the tangent, then Newton's steps back onto the
curve. The unknowns are the rationality and the logarithms of probabilities, so that strategies that die out do not come
out negative and the last part of the branch is nearly straight (Turocy 2005, "A dynamic homotopy interpretation of the
logistic quantal response equilibrium correspondence"; the steps: Allgower and Georg 1990, "Numerical continuation
methods", chapter 6).
"""

import math
import time
from typing import NamedTuple

import numpy as np
from scipy.special import softmax

from ludus.normal_form import NormalForm, Profile, deviations, expected, regret
from ludus.solve.answer import Answer


class LogitPath(NamedTuple):
    """The principal branch, from even play. T points, P players, A_p strategies.

    rationality  float64[T], per unit of payoff; it may fall where the branch turns back
    profiles     P arrays float64[T, A_p], the logit equilibrium at each point
    note         why the branch ends sooner than was asked; "" where it does not
    """

    rationality: np.ndarray
    profiles: tuple[np.ndarray, ...]
    note: str


class QuantalResponse(NamedTuple):
    """A logit equilibrium with its certificate.

    profile      P strategies float64[A_p]
    rationality  per unit of payoff
    residual     the furthest that a probability lies from the logit response to the profile, computed afresh
    """

    profile: Profile
    rationality: float
    residual: float


def logit_path(
    form: NormalForm, precision: float = 1e-8, rationality: float = math.inf, limit: int = 10_000
) -> LogitPath:
    """Follow the principal branch until the regret is at most `precision`, or `rationality` is reached.

    precision    the regret at which to stop, as a share of the distance between the least and the greatest payoff
    rationality  where to stop at the latest, per unit of payoff; the last point lies at it or beyond
    limit        the most steps
    Where the branch forks, as it may in symmetric games, it is followed straight on, which keeps the symmetry.
    """
    if not (precision >= 0 and rationality >= 0 and limit >= 1):
        raise ValueError(
            "precision, rationality, limit: at least 0, at least 0 and at least 1 are needed, not "
            f"{precision}, {rationality}, {limit}; write for example logit_path(form, precision=1e-8)"
        )
    scale, sizes = _scale(form), form.payoff.shape[:-1]
    points, note = _follow(
        form.payoff / scale,
        lambda point: point[-1] >= rationality * scale or regret(form, _profile(point, sizes)) <= precision * scale,
        limit,
    )
    strategies = zip(*(_profile(point, sizes) for point in points), strict=True)
    return LogitPath(np.array([point[-1] / scale for point in points]), tuple(map(np.array, strategies)), note)


def logit_equilibrium(form: NormalForm, precision: float = 1e-8, limit: int = 10_000) -> Answer:
    """The Nash equilibrium that the principal branch approaches, up to a regret of `precision`; see `logit_path`."""
    start = time.perf_counter()
    path = logit_path(form, precision, limit=limit)
    profile = tuple(each[-1] for each in path.profiles)
    return Answer(
        [profile],
        np.array([regret(form, profile)]),
        expected(form, profile)[None],
        False,
        path.note or "the one equilibrium that the principal branch approaches; others are not looked for",
        "the principal branch of logit equilibria, followed to its limit",
        len(path.rationality) - 1,
        time.perf_counter() - start,
    )


def quantal_response(form: NormalForm, rationality: float, limit: int = 10_000) -> QuantalResponse:
    """The logit equilibrium of this rationality, per unit of payoff: the first that the principal branch comes to.

    Raises ValueError where `limit` steps do not lead so far.
    """
    if not 0 <= rationality < math.inf:
        raise ValueError(f"rationality: a number of at least 0 is needed, not {rationality}; 0 is even play")
    scale, sizes = _scale(form), form.payoff.shape[:-1]
    aim, payoff = rationality * scale, form.payoff / scale
    points, note = _follow(payoff, lambda point: point[-1] >= aim, limit)
    if points[-1][-1] < aim:
        raise ValueError(
            f"rationality: the branch was followed to {points[-1][-1] / scale:.6g}, not to {rationality:.6g} ({note}); "
            "ask for less, or raise limit="
        )
    found = points[-1]
    if found[-1] > aim:  # between the last two points: the rationality held, Newton's steps lead onto the branch
        near = points[-2] + (found - points[-2]) * (aim - points[-2][-1]) / (found[-1] - points[-2][-1])
        landed = _correct(payoff, near, sizes, np.eye(len(near))[-1])
        if landed is None:
            raise ValueError(f"rationality: at {rationality:.6g} the branch turns back; ask for a little less or more")
        found = landed[0]
    profile = _profile(found, sizes)
    response = [softmax(rationality * worth) for worth in deviations(form, profile)]
    residual = max(float(np.abs(own - each).max()) for own, each in zip(profile, response, strict=True))
    return QuantalResponse(profile, rationality, residual)


def _scale(form):
    """The distance between the least and the greatest payoff: steps are chosen for games in which it is one."""
    return float(np.ptp(form.payoff)) or 1.0


def _follow(payoff, done, limit):
    """Points (logarithms of all probabilities, rationality) along the branch until `done`, and why it ended sooner."""
    sizes = payoff.shape[:-1]
    point = np.concatenate([*(np.full(size, -math.log(size)) for size in sizes), [0.0]])
    point, tangent, _ = _correct(payoff, point, sizes, np.eye(len(point))[-1])  # towards greater rationality
    points, step = [point], 0.1
    while not done(point):
        if len(points) > limit:
            return points, f"stopped after {limit:,} steps"
        landed = _correct(payoff, point + step * tangent, sizes, tangent)
        if landed is not None:
            after, turned, newton_steps = landed
            straight = turned @ tangent > 0.9 and np.linalg.norm(after - point) < 1.2 * step
        if landed is None or not straight:  # the branch bends more than the step sees, or this is another one
            step /= 2
            if step < 1e-9:
                return points, "stopped where the branch cannot be told from another that it meets"
            continue
        point, tangent = after, turned
        points.append(point)
        step *= 2.0 if newton_steps <= 3 else 1.0
    return points, ""


def _correct(payoff, point, sizes, direction):
    """Newton's steps onto the branch, across `direction`: the point, the tangent there and how many steps.

    The tangent is of length one, and points with `direction`. None where the steps do not settle.
    """
    along = np.eye(len(point))[-1]
    for steps in range(1, 9):
        value, slopes = _equations(payoff, point, sizes)
        try:
            moves = np.linalg.solve(np.vstack([slopes, direction]), np.stack([np.append(-value, 0.0), along], axis=1))
        except np.linalg.LinAlgError:  # exactly where branches fork
            return None
        point = point + moves[:, 0]
        if not np.isfinite(moves).all() or point[:-1].max() > 1:  # a logarithm of no probability, far off the branch
            return None
        if (np.abs(moves[:, 0]) <= 1e-9 * (1 + np.abs(point))).all():
            return point, moves[:, 1] / np.linalg.norm(moves[:, 1]), steps
    return None


def _equations(payoff, point, sizes):
    """What is zero on the branch float64[n], and its derivatives float64[n, n + 1]; n strategies of all players.

    Turocy (2005): for each player, probabilities sum to one, and ln p_j - ln p_r = rationality * (u_j - u_r) for each
    strategy j but one, r. Here r is the likeliest, whose logarithm stays small, not always the first.
    """
    starts, rationality = np.cumsum([0, *sizes]), point[-1]
    profile = [np.exp(each) for each in np.split(point[:-1], starts[1:-1])]
    value, slopes = np.zeros(len(point) - 1), np.zeros((len(point) - 1, len(point)))
    for player in range(len(sizes)):
        own, logs = slice(starts[player], starts[player + 1]), point[starts[player] : starts[player + 1]]
        likeliest = int(logs.argmax())
        gain, by_other = _gain(payoff[..., player], profile, player, likeliest)
        value[own] = logs - logs[likeliest] - rationality * gain
        slopes[own, own] = np.eye(len(logs))
        slopes[own, starts[player] + likeliest] -= 1.0
        slopes[own, -1] = -gain
        for other, each in by_other.items():  # d u_j / d ln p_k = (d u_j / d p_k) p_k
            slopes[own, starts[other] : starts[other + 1]] = -rationality * each * profile[other]
        value[starts[player] + likeliest] = profile[player].sum() - 1.0
        slopes[starts[player] + likeliest] = 0.0
        slopes[starts[player] + likeliest, own] = profile[player]
    return value, slopes


def _gain(payoff, profile, player, likeliest):
    """What each strategy of a player earns more than its likeliest float64[A_p]; slopes float64[A_p, A_q] by player q.

    Differences are taken before expectations: far along the branch, rounding of the payoffs would hide them.
    """
    gain = np.moveaxis(payoff, player, -1)
    gain = gain - gain[..., [likeliest]]
    others = [seat for seat in range(len(profile)) if seat != player]
    by_other = {}
    for place, other in enumerate(others):
        each = np.moveaxis(gain, place, -1)
        for seat in others:
            if seat != other:
                each = np.tensordot(profile[seat], each, axes=(0, 0))
        by_other[other] = each
    return by_other[others[0]] @ profile[others[0]] if others else gain, by_other


def _profile(point, sizes):
    """The probabilities of a point, summing to one for every player."""
    shares = [np.exp(each) for each in np.split(point[:-1], np.cumsum(sizes)[:-1])]
    return tuple(each / each.sum() for each in shares)
