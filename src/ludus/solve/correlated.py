"""Correlated and coarse correlated equilibrium of a game in normal form, the best by any weighing of the payoffs.

A mediator draws a combination of strategies from a joint distribution and tells each player its own part. The joint is
a correlated equilibrium where nobody gains by doing something else than it is told (Aumann 1974, "Subjectivity and
correlation in randomized strategies"; 1987, "Correlated equilibrium as an expression of Bayesian rationality"). It is
a coarse one where nobody gains by deciding on one fixed strategy before it is told anything (Moulin and Vial 1978,
"Strategically zero-sum games"; the Hannan set, after Hannan 1957). Both are linear inequalities in the joint, so a
linear program finds the equilibrium that pays most.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_array, vstack

from ludus.normal_form import NormalForm
from ludus.solve.linear_program import SOLVED, solve


class Correlated(NamedTuple):
    """A joint distribution of P players with A_p strategies each, and its certificate.

    kind     "correlated" or "coarse correlated"
    joint    float64[A_0, ..., A_(P-1)], the probability of each combination
    payoffs  float64[P], what each player expects
    regret   float64[P], the most that each player gains by deviating as its kind allows: by any swap of what it is
             told, or by one fixed strategy; computed afresh from the joint, 0 up to rounding
    worth    what was maximised: the weighted sum of the payoffs
    """

    kind: str
    joint: np.ndarray
    payoffs: np.ndarray
    regret: np.ndarray
    worth: float


def correlated(form: NormalForm, weights: Sequence[float] | None = None) -> Correlated:
    """The correlated equilibrium with the largest sum of `weights` float64[P] times payoffs; left out, welfare.

    One player's payoff is a weight of 1 for it and 0 for the others; -1 makes it as small as can be. Ties are broken
    by the solver. Raises ValueError for the weights, and RuntimeError where HiGHS breaks down.
    """
    return _best(form, weights, "correlated", swap_regret)


def coarse_correlated(form: NormalForm, weights: Sequence[float] | None = None) -> Correlated:
    """The coarse correlated equilibrium with the largest weighted sum of payoffs; as `correlated` otherwise."""
    return _best(form, weights, "coarse correlated", external_regret)


def worth_range(
    form: NormalForm,
    weights: Sequence[float] | None = None,
    equilibrium: Callable[[NormalForm, Sequence[float]], Correlated] = correlated,
) -> tuple[float, float]:
    """The least and the most that the weighted sum of payoffs can be, in an equilibrium as `equilibrium` finds it."""
    each = _weights(form, weights)
    return -equilibrium(form, -each).worth, equilibrium(form, each).worth


def swap_regret(form: NormalForm, joint: np.ndarray) -> np.ndarray:
    """What each player gains by the best rule "when told this, do that", against `joint` float64[A_0, ...]: float64[P].

    Zero exactly at a correlated equilibrium. Blum and Mansour (2007), "From external to internal regret".
    Raises ValueError where the joint is no distribution over this game's combinations.
    """
    earned = _earned(form, joint)
    return np.array([(each.max(axis=1) - each.diagonal()).sum() for each in earned])


def external_regret(form: NormalForm, joint: np.ndarray) -> np.ndarray:
    """What each player gains by its best fixed strategy, against `joint`: float64[P]; negative where all lose.

    At most zero exactly at a coarse correlated equilibrium. Errors as for `swap_regret`.
    """
    return np.array([each.sum(axis=0).max() - each.trace() for each in _earned(form, joint)])


def _best(form, weights, kind, regret):
    weights, players = _weights(form, weights), len(form.players)
    gains = vstack([_gains(form.payoff, player, kind) for player in range(players)], format="csc")
    objective, cells = (form.payoff @ weights).ravel(), form.payoff[..., 0].size
    unit, weight = np.abs(gains.data).max(initial=0.0) or 1.0, np.abs(objective).max() or 1.0

    def program(largest):
        return (
            -objective * (largest / weight),
            gains * (largest / unit),  # nobody gains
            np.zeros(gains.shape[0]),
            np.ones((1, cells)),
            [1.0],
            (0, None),
        )

    result = solve(program)
    if result.status != SOLVED:
        raise RuntimeError(f"HiGHS broke down on this game of {cells:,} combinations: {result.message}")
    joint = np.maximum(result.x, 0.0).reshape(form.payoff.shape[:-1])
    joint /= joint.sum()
    payoffs = np.tensordot(joint, form.payoff, axes=players)
    return Correlated(kind, joint, payoffs, regret(form, joint), float(weights @ payoffs))


def _gains(payoff, player, kind):
    """What `player` gains by doing b instead, times the joint, as rows: one per (b, a told), or one per b alone."""
    sizes = payoff.shape[:-1]
    own = np.moveaxis(payoff[..., player], player, 0).reshape(sizes[player], -1)
    cell = np.moveaxis(np.arange(payoff[..., 0].size).reshape(sizes), player, 0).reshape(sizes[player], -1)
    gain = own[:, None] - own[None]  # [b, a, the others' combination]
    size = len(own)
    row = np.arange(size * size).reshape(size, size) if kind == "correlated" else np.arange(size)[:, None]
    row, cell = np.broadcast_to(row[..., None], gain.shape), np.broadcast_to(cell, gain.shape)
    used = gain != 0
    return coo_array((gain[used], (row[used], cell[used])), (row.max() + 1, payoff[..., 0].size))


def _earned(form, joint):
    """For each player what it expects, float64[told, done], over all that it may be told and do."""
    joint, sizes = np.asarray(joint, np.float64), form.payoff.shape[:-1]
    if joint.shape != sizes or not (joint >= -1e-12).all() or not abs(joint.sum() - 1) <= 1e-6:
        raise ValueError(
            f"joint: probabilities of shape {sizes} that sum to one are needed, not an array of shape {joint.shape} "
            f"with the sum {joint.sum():g}"
        )
    earned = []
    for player, size in enumerate(sizes):
        told = np.moveaxis(joint, player, 0).reshape(size, -1)
        earned.append(told @ np.moveaxis(form.payoff[..., player], player, 0).reshape(size, -1).T)
    return earned


def _weights(form, weights):
    weights = np.ones(len(form.players)) if weights is None else np.asarray(weights, np.float64)
    if weights.shape != (len(form.players),) or not np.isfinite(weights).all():
        raise ValueError(
            f"weights: one finite number per player is needed, {len(form.players)} in all, not {weights}; leave it out "
            "for the sum of the payoffs"
        )
    return weights
