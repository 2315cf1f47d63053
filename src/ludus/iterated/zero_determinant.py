"""Strategies that fix a straight line between the two long-run payoffs, whatever the opponent does.

Press and Dyson (2012), "Iterated prisoner's dilemma contains strategies that dominate any evolutionary opponent",
doi:10.1073/pnas.1206569109: a memory-one strategy p = (p_CC, p_CD, p_DC, p_DD) with

    (p_CC - 1, p_CD - 1, p_DC, p_DD) = a s_own + b s_other + c,    s the payoffs after CC, CD, DC, DD,

enforces a s_own + b s_other + c = 0 for the long-run average payoffs against everybody.
"""

from ludus.iterated.machine import PRISONERS_DILEMMA, Machine, memory_one
from ludus.normal_form import NormalForm


def zero_determinant(
    slope: float, baseline: float, phi: float, game: NormalForm = PRISONERS_DILEMMA, first: float = 1.0
) -> Machine:
    """The strategy that enforces s_other - baseline = slope (s_own - baseline) on the long-run payoffs.

    Hilbe, Nowak and Traulsen (2013), "Adaptive dynamics of extortion and compliance", doi:10.1371/journal.pone.0077886,
    equation 14. baseline = punishment and slope = 1 / chi extort by the factor chi, baseline = reward is generous,
    slope 0 sets the other's payoff. phi says how strongly it reacts; `first` is its probability of cooperating at
    first. Raises ValueError where no probabilities do that.
    """
    (reward, _), (sucker, temptation), _, (punishment, _) = game.payoff.reshape(4, 2)
    chances = (
        1 - phi * (1 - slope) * (reward - baseline),
        1 - phi * (slope * (baseline - sucker) + (temptation - baseline)),
        phi * ((baseline - sucker) + slope * (temptation - baseline)),
        phi * (1 - slope) * (baseline - punishment),
    )
    if not all(-1e-12 <= chance <= 1 + 1e-12 for chance in chances):
        seen = ", ".join(f"{chance:.3g}" for chance in chances)
        raise ValueError(
            f"slope, baseline, phi: {slope}, {baseline}, {phi} ask for the probabilities {seen}; choose a baseline "
            f"from punishment {punishment:g} to reward {reward:g}, a slope of at most 1 and a smaller phi above 0"
        )
    return memory_one(first, *(min(max(chance, 0.0), 1.0) for chance in chances))
