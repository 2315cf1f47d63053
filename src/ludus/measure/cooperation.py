"""Cooperation, reciprocity and forgiveness, counted in long games of two players and two actions.

All of these take action int64[E, T, 2]: E games of up to T rounds, by player, 0 to cooperate and 1 to defect; a game
that ended sooner has -1 for both players from then on. `player` is whose conduct is measured, 0 or 1.

    cooperation_rate         the part of all rounds in which the player cooperated
    normalised_cooperation   that part of each game, averaged over games: long games count no more than short ones
    good_partner             the part of games in which it cooperated at least as often as the other did
    propensities             Rapoport and Chammah's four: how often it cooperates after each outcome of a round
    forgiveness              the second of them: after it cooperated and was not answered in kind
    reciprocity              how much more often it cooperates after the other's cooperation than after its defection

Sources: Rapoport and Chammah (1965), "Prisoner's dilemma", for the propensities; Singer-Clark (2014),
"Morality metrics on iterated prisoner's dilemma players", for the cooperation and good-partner ratings, which the
Axelrod library computes with these names; Axelrod and Hamilton (1981), "The evolution of cooperation", Science 211, for
reciprocity and forgiveness as what the tournaments' winners had.

Rounds of one game hang together, games do not. So each number is a ratio of sums over games, and its interval is that
of a ratio whose units are games (Cochran 1977, "Sampling techniques", chapter 6), with Student's t. Where no two
games differ that would be no interval at all; then at most a part q of such games ends otherwise (the upper end of
Clopper and Pearson's interval for none in E), and may end in any way.
"""

import numpy as np
from scipy.special import stdtrit

from ludus.records import Value

C, D = 0, 1


def cooperation_rate(action: np.ndarray, player: int) -> Value:
    """The part of all rounds in which the player cooperated."""
    own, _, played = _conduct(action, player)
    return _ratio((own == C).sum(axis=1), played.sum(axis=1), "rounds of cooperation per round")


def normalised_cooperation(action: np.ndarray, player: int) -> Value:
    """The mean over games of the part of a game's rounds in which the player cooperated."""
    own, _, played = _conduct(action, player)
    return _ratio(
        (own == C).sum(axis=1) / played.sum(axis=1), np.ones(len(own)), "part of a game's rounds, mean of games"
    )


def good_partner(action: np.ndarray, player: int) -> Value:
    """The part of games in which the player cooperated at least as often as the other."""
    own, other, _ = _conduct(action, player)
    good = (own == C).sum(axis=1) >= (other == C).sum(axis=1)
    return _ratio(good, np.ones(len(own)), "part of games")


def propensities(action: np.ndarray, player: int) -> dict[str, Value]:
    """How often the player cooperates after each outcome of the round before (Rapoport and Chammah 1965).

    trustworthiness  both cooperated
    forgiveness      it cooperated, the other defected
    repentance       it defected, the other cooperated
    trust            both defected

    An outcome that never came leaves its propensity NaN, with the interval (0, 1).
    """
    own, other, _ = _conduct(action, player)
    outcomes = {"trustworthiness": (C, C), "forgiveness": (C, D), "repentance": (D, C), "trust": (D, D)}
    return {
        name: _ratio(*_after((own == mine) & (other == yours), own), f"cooperation after {'CD'[mine]}{'CD'[yours]}")
        for name, (mine, yours) in outcomes.items()
    }


def forgiveness(action: np.ndarray, player: int) -> Value:
    """How often the player cooperates after it cooperated and the other defected: P(C | CD)."""
    return propensities(action, player)["forgiveness"]


def reciprocity(action: np.ndarray, player: int) -> Value:
    """P(C | the other cooperated) - P(C | the other defected), of the round before: 1 for tit for tat, 0 for the deaf.

    NaN with the interval (-1, 1) where the other never did the one or the other.
    """
    own, other, _ = _conduct(action, player)
    kind, off = "P(C | other's C) - P(C | other's D)", []
    ratios = []
    for seen in (C, D):
        met, followed = _after(other == seen, own)
        if not followed.sum():
            return Value(np.nan, "sampled", (-1.0, 1.0), f"{kind}: the other never {('cooperated', 'defected')[seen]}")
        ratios.append(met.sum() / followed.sum())
        off.append((met - ratios[-1] * followed) / followed.mean())
    return _spread(ratios[0] - ratios[1], off[0] - off[1], (-1.0, 1.0), kind)


def _conduct(action, player) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Own and other's actions int64[E, T], and which rounds were played bool[E, T]."""
    action = np.asarray(action)
    if action.ndim != 3 or action.shape[2] != 2 or not len(action) or not np.issubdtype(action.dtype, np.integer):
        raise ValueError(f"action: give int64[E, T, 2]; {action.dtype} of shape {action.shape} seen")
    if not np.isin(action, (C, D, -1)).all():
        raise ValueError(
            f"action: 0 to cooperate, 1 to defect, -1 after the end; {action.min()} to {action.max()} seen"
        )
    if player not in (0, 1):
        raise ValueError(f"player: 0 or 1; {player} seen")
    over = action == -1
    if (over[..., 0] != over[..., 1]).any() or (over[:, :-1] & ~over[:, 1:]).any() or over[:, :1].any():
        raise ValueError(
            "action: a game has a first round, ends for both players at once, and stays at -1 from then on"
        )
    if not action.shape[1]:
        raise ValueError("action: games without a round tell nothing; shape (E, 0, 2) seen")
    return action[..., player], action[..., 1 - player], ~over[..., 0]


def _after(condition, own) -> tuple[np.ndarray, np.ndarray]:
    """By game: how often the player cooperated right after the condition, and how many such rounds there were."""
    followed = condition[:, :-1] & (own[:, 1:] != -1)
    return (followed & (own[:, 1:] == C)).sum(axis=1), followed.sum(axis=1)


def _ratio(part, whole, kind) -> Value:
    """sum(part) / sum(whole) over games."""
    part, whole = np.asarray(part, np.float64), np.asarray(whole, np.float64)
    if not whole.sum():
        return Value(np.nan, "sampled", (0.0, 1.0), f"{kind}: it never came to that")
    ratio = part.sum() / whole.sum()
    return _spread(ratio, (part - ratio * whole) / whole.mean(), (0.0, 1.0), kind)


def _spread(number, off, bounds, kind) -> Value:
    """The Value of a statistic that is linear in games, each of which pulls it by `off` / E."""
    games, (least, most) = len(off), bounds
    if np.ptp(off) < 1e-12:
        other = 1 - 0.025 ** (1 / games)
        low, high = number - other * (number - least), number + other * (most - number)
        method = f"{kind}, {games:,} games, none unlike the others; Clopper-Pearson"
    else:
        half = stdtrit(games - 1, 0.975) * off.std(ddof=1) / np.sqrt(games)
        low, high = max(least, number - half), min(most, number + half)
        method = f"{kind}, {games:,} games; Student, by game"
    return Value(float(number), "sampled", (float(low), float(high)), method)
