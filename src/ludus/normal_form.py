"""Games in normal form: what every combination of strategies pays, as one array.

A matrix game is this with two players. The record is what Gambit's .nfg files hold, what the solvers of bimatrix games
read, and what an extensive game becomes when every player writes down a whole plan before it begins.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

Profile = tuple[np.ndarray, ...]
"""One mixed strategy per player: float64[A_p], at least zero, summing to one."""


class NormalForm(NamedTuple):
    """A finite game in normal form. P players, A_p strategies of player p.

    payoff   float64[A_0, ..., A_(P-1), P], what each combination pays each player
    title    what the game is called
    players  P names
    actions  for each player the names of its A_p strategies
    comment  where it comes from, in words
    """

    payoff: np.ndarray
    title: str
    players: tuple[str, ...]
    actions: tuple[tuple[str, ...], ...]
    comment: str = ""


def normal_form(
    payoff: np.ndarray,
    title: str = "",
    players: Sequence[str] | None = None,
    actions: Sequence[Sequence[str]] | None = None,
    comment: str = "",
) -> NormalForm:
    """The record of `payoff` float64[A_0, ..., A_(P-1), P]; names that are not given are numbers from 1.

    Raises ValueError where the shape is none of a game, a payoff is not finite, or the names do not fit the shape.
    """
    payoff = np.ascontiguousarray(payoff, dtype=np.float64)
    if payoff.ndim < 2 or payoff.shape[-1] != payoff.ndim - 1 or 0 in payoff.shape:
        raise ValueError(
            f"payoff: P players need an array of P + 1 axes, the last of length P, none empty, not shape "
            f"{payoff.shape}; for two matrices write bimatrix(rows, columns)"
        )
    if not np.isfinite(payoff).all():
        raise ValueError(f"payoff: every number must be finite, {payoff[~np.isfinite(payoff)][0]} is not")
    sizes = payoff.shape[:-1]
    names = tuple(players) if players is not None else tuple(f"player {seat + 1}" for seat in range(len(sizes)))
    words = (
        tuple(map(tuple, actions)) if actions is not None else tuple(tuple(map(str, range(1, n + 1))) for n in sizes)
    )
    if len(names) != len(sizes) or tuple(map(len, words)) != sizes:
        raise ValueError(
            f"names: a payoff of shape {payoff.shape} has {len(sizes)} players with {sizes} strategies, the names "
            f"given are of {len(names)} players with {tuple(map(len, words))}"
        )
    return NormalForm(payoff, title, names, words, comment)


def bimatrix(rows: np.ndarray, columns: np.ndarray | None = None, title: str = "") -> NormalForm:
    """Two players: `rows` float64[m, n] pays the one who chooses the row, `columns` the other; left out, zero-sum."""
    rows = np.asarray(rows, np.float64)
    columns = -rows if columns is None else np.asarray(columns, np.float64)
    if rows.ndim != 2 or rows.shape != columns.shape:
        raise ValueError(f"rows, columns: two matrices of one shape are needed, not {rows.shape} and {columns.shape}")
    return normal_form(np.stack([rows, columns], axis=-1), title)


def expected(form: NormalForm, profile: Profile) -> np.ndarray:
    """What each player expects when all play by `profile`: float64[P]. Raises ValueError where it is no profile."""
    worth = form.payoff
    for strategy in checked(form, profile):
        worth = np.tensordot(strategy, worth, axes=(0, 0))
    return worth


def deviations(form: NormalForm, profile: Profile) -> Profile:
    """What each strategy of each player would earn against the others' part of `profile`: P arrays float64[A_p]."""
    profile, found = checked(form, profile), []
    for player in range(len(profile)):
        worth = np.moveaxis(form.payoff[..., player], player, -1)
        for seat, strategy in enumerate(profile):
            if seat != player:
                worth = np.tensordot(strategy, worth, axes=(0, 0))
        found.append(worth)
    return tuple(found)


def regret(form: NormalForm, profile: Profile) -> float:
    """The most that any one player could gain by playing otherwise: the certificate, 0 at a Nash equilibrium."""
    worth = deviations(form, profile)
    return max(float(each.max() - each @ np.asarray(own)) for each, own in zip(worth, profile, strict=True))


def checked(form: NormalForm, profile: Profile) -> Profile:
    """The profile as arrays. Raises ValueError where a strategy has the wrong length or is no probabilities."""
    sizes = form.payoff.shape[:-1]
    found = tuple(np.asarray(strategy, np.float64) for strategy in profile)
    if tuple(strategy.shape for strategy in found) != tuple((size,) for size in sizes):
        raise ValueError(
            f"profile: this game needs strategies of lengths {sizes}, not {tuple(np.shape(each) for each in found)}"
        )
    for name, strategy in zip(form.players, found, strict=True):
        if not (strategy >= -1e-12).all() or not abs(strategy.sum() - 1) <= 1e-6:
            raise ValueError(f"profile: the strategy of {name} must be probabilities that sum to one, not {strategy}")
    return found
