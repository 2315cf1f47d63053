"""The slow, obvious versions of the ratings and population measures, written from the papers' equations."""

import itertools

import numpy as np
from scipy.optimize import minimize


def davidson_probabilities(first: float, second: float, draw: float) -> tuple[float, float, float]:
    """Davidson (1970): first wins, second wins, draw."""
    one, other = np.exp(first), np.exp(second)
    whole = one + other + draw * np.sqrt(one * other)
    return one / whole, other / whole, draw * np.sqrt(one * other) / whole


def davidson_log_likelihood(wins, ties, strength, draw) -> float:
    total = 0.0
    for i, j in itertools.combinations(range(len(wins)), 2):
        for count, probability in zip(
            (wins[i, j], wins[j, i], ties[i, j]), davidson_probabilities(strength[i], strength[j], draw), strict=True
        ):
            if count:
                total += count * np.log(probability)
    return total


def davidson(wins, ties):
    """Strengths (mean zero) and nu by a general-purpose optimiser, where a maximum exists and there are draws."""
    players = len(wins)

    def loss(x):
        return -davidson_log_likelihood(wins, ties, np.r_[0.0, x[:-1]], np.exp(x[-1]))

    found = minimize(loss, np.zeros(players), method="BFGS", options={"gtol": 1e-9})
    strength = np.r_[0.0, found.x[:-1]]
    return strength - strength.mean(), np.exp(found.x[-1])


def hunter(wins, steps=3_000):
    """Hunter (2004), "MM algorithms for generalized Bradley-Terry models", equation 3; wins may be halves."""
    worth, met = np.ones(len(wins)), wins + wins.T
    for _ in range(steps):
        worth = np.array(
            [
                wins[i].sum() / sum(met[i, j] / (worth[i] + worth[j]) for j in range(len(wins)) if met[i, j])
                for i in range(len(wins))
            ]
        )
        worth /= np.exp(np.log(worth).mean())
    return np.log(worth)


def components(wins, ties):
    """Who reaches whom along "beat or drew with", both ways, by transitive closure: bool[M, M]."""
    reach = (np.asarray(wins) + np.asarray(ties) > 0) | np.eye(len(wins), dtype=bool)
    for through in range(len(reach)):
        reach |= np.outer(reach[:, through], reach[through])
    return reach & reach.T


def fixation(gain: float, size: int) -> float:
    """The chance that one mutant takes over, each step favouring it by exp(gain): a walk on 0..size, solved."""
    up = 1 / (1 + np.exp(-gain))
    system, wanted = np.eye(size + 1), np.zeros(size + 1)
    wanted[size] = 1.0
    for mutants in range(1, size):
        system[mutants, mutants + 1] -= up
        system[mutants, mutants - 1] -= 1 - up
    return float(np.linalg.solve(system, wanted)[1])


def alpha_rank(payoffs, alpha, size):
    """Omidshafiei et al. (2019), section 2: all profiles, all single deviations, masses by many squarings of the chain.

    payoffs: one table, player against player, or one table over the profiles for each population.
    """
    payoffs = [np.asarray(table, float) for table in payoffs]
    if len(payoffs) == 1:
        table = payoffs[0]
        profiles = [(i,) for i in range(len(table))]
        gain = lambda old, new, player: table[new[0], old[0]] - table[old[0], new[0]]  # noqa: E731
    else:
        profiles = list(itertools.product(*map(range, payoffs[0].shape)))
        gain = lambda old, new, player: payoffs[player][new] - payoffs[player][old]  # noqa: E731
    chain = np.zeros((len(profiles), len(profiles)))
    for a, old in enumerate(profiles):
        for b, new in enumerate(profiles):
            changed = [player for player in range(len(old)) if old[player] != new[player]]
            if len(changed) == 1:
                chain[a, b] = fixation(alpha * gain(old, new, changed[0]), size)
        deviations = sum((payoffs[0].shape[k] if len(payoffs) > 1 else len(payoffs[0])) - 1 for k in range(len(old)))
        chain[a] /= deviations
        chain[a, a] = 1 - chain[a].sum()
    for _ in range(60):
        chain = chain @ chain
        chain /= chain.sum(axis=1, keepdims=True)
    return chain[0]


def most_even_equilibrium(payoff):
    """Of an antisymmetric payoff: the mixture of greatest entropy that nobody gains against, by a general optimiser."""
    players = len(payoff)
    found = minimize(
        lambda p: (p * np.log(np.maximum(p, 1e-300))).sum(),
        np.full(players, 1 / players),
        jac=lambda p: np.log(np.maximum(p, 1e-300)) + 1,
        bounds=[(0, 1)] * players,
        constraints=[
            {"type": "eq", "fun": lambda p: p.sum() - 1, "jac": lambda p: np.ones(players)},
            {"type": "ineq", "fun": lambda p: -payoff @ p, "jac": lambda p: -payoff},
        ],
        method="SLSQP",
        options={"maxiter": 1000, "ftol": 1e-14},
    )
    return found.x
