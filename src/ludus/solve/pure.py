"""All pure equilibria of a game in normal form, for any number of players.

A combination of strategies is one when every player's payoff in it is the most that this player could have against the
others' strategies (Nash 1950, "Equilibrium points in n-person games"). Payoffs are compared as they are, with no
tolerance.
"""

import time

import numpy as np

from ludus.normal_form import NormalForm
from ludus.solve.answer import Answer
from ludus.solve.bimatrix import checked


def pure_equilibria(form: NormalForm) -> Answer:
    """All pure equilibria; there may be none, and mixed ones are not looked for.

    `iterations` counts the combinations. Raises UnfitGame, a ValueError, where a payoff is not finite.
    """
    start = time.perf_counter()
    payoff = checked(form.payoff)
    players = payoff.shape[-1]
    best = np.stack(
        [np.broadcast_to(payoff[..., p].max(axis=p, keepdims=True), payoff.shape[:-1]) for p in range(players)], axis=-1
    )
    chosen = np.nonzero((payoff == best).all(axis=-1))
    strategies = [np.eye(size)[number] for size, number in zip(payoff.shape, chosen, strict=False)]
    return Answer(
        list(zip(*strategies, strict=True)), (best - payoff).max(axis=-1)[chosen], payoff[chosen], True,
        "all pure equilibria; mixed ones were not looked for", "comparison of payoffs", payoff[..., 0].size,
        time.perf_counter() - start,
    )  # fmt: skip
