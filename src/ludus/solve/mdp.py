"""Decision problems with one decider, solved exactly: policy iteration, with or without a price on certainty.

Without temperature this is Howard's policy iteration (Howard 1960, "Dynamic programming and Markov processes"): solve
the linear equations of the policy, take the best action everywhere, again, until no action is better. With temperature
tau the decider also earns tau times the entropy of its choice in every state, the best choice becomes the softmax of
q / tau, and the same loop converges to it quadratically (Ziebart 2010, "Modeling purposeful adaptive behavior with the
principle of maximum causal entropy"; Haarnoja et al. 2018, arXiv:1801.01290, lemmas 1 and 2).
"""

from typing import NamedTuple

import numpy as np

from ludus.records import MDP

ROUNDING = 1e-12  # a gain this small, as a share of the largest value, is none


class Plan(NamedTuple):
    """A solved decision problem. S states, A actions.

    policy  float64[S, A]; without temperature pure, the first action among equals
    value   float64[S], expected discounted reward, entropy counted in where there is a temperature
    q       float64[S, A], the same of taking an action first
    error   how far any entry of `value` may be from the optimal one: the last residual / (1 - discount)
    """

    policy: np.ndarray
    value: np.ndarray
    q: np.ndarray
    error: float


def plan(mdp: MDP, temperature: float = 0.0, sweeps: int = 1000) -> Plan:
    """Solve it. Raises ValueError where it is no decision problem, or `sweeps` improvements do not settle it."""
    checked(mdp)
    if not temperature >= 0:
        raise ValueError(f"temperature: at least 0 is needed, not {temperature}; 0 takes the best action")
    policy = np.full(mdp.reward.shape, 1 / mdp.reward.shape[1])
    for _ in range(sweeps):
        value = policy_value(mdp, policy, temperature)
        q = q_values(mdp, value)
        better, best = _improve(q, policy, temperature)
        residual = float(np.abs(best - value).max())
        if residual <= ROUNDING * max(1.0, float(np.abs(value).max())):
            return Plan(better, value, q, residual / (1 - mdp.discount))
        policy = better
    raise ValueError(f"sweeps: {sweeps} improvements left a residual of {residual:.2g}; raise sweeps=")


def policy_value(mdp: MDP, policy: np.ndarray, temperature: float = 0.0) -> np.ndarray:
    """float64[S]: what `policy` float64[S, A] is worth, from (I - discount P) value = reward + temperature entropy."""
    step = np.einsum("sa,sat->st", policy, mdp.transition)
    earned = (policy * mdp.reward).sum(axis=1)
    if temperature > 0:
        earned = earned - temperature * (policy * np.log(np.where(policy > 0, policy, 1.0))).sum(axis=1)
    return np.linalg.solve(np.eye(len(step)) - mdp.discount * step, earned)


def q_values(mdp: MDP, value: np.ndarray) -> np.ndarray:
    """float64[S, A]: reward now, and discounted `value` float64[S] afterwards (Bellman 1957)."""
    return mdp.reward + mdp.discount * mdp.transition @ value


def softmax(q: np.ndarray, temperature: float) -> np.ndarray:
    """float64[S, A]: probabilities in proportion to exp(q / temperature)."""
    weight = np.exp((q - q.max(axis=1, keepdims=True)) / temperature)
    return weight / weight.sum(axis=1, keepdims=True)


def action_gap(q: np.ndarray) -> np.ndarray:
    """float64[S]: how much the best action is worth above the second best, 0 where two are tied."""
    ordered = np.sort(q, axis=1)
    return ordered[:, -1] - ordered[:, -2]


def _improve(q, policy, temperature):
    """The better policy, and float64[S] what one step by it, then the old values, is worth."""
    if temperature == 0:
        best = q.max(axis=1)
        tied = q >= best[:, None] - ROUNDING * max(1.0, float(np.abs(q).max()))  # rounding chooses among no equals
        return np.eye(q.shape[1])[tied.argmax(axis=1)], best
    top = q.max(axis=1)
    best = top + temperature * np.log(np.exp((q - top[:, None]) / temperature).sum(axis=1))
    return softmax(q, temperature), best


def checked(mdp: MDP) -> MDP:
    """The problem itself. Raises ValueError where shapes, probabilities, rewards or the discount are wrong."""
    states, actions = mdp.reward.shape if np.ndim(mdp.reward) == 2 else (0, 0)
    if states < 1 or actions < 2 or mdp.transition.shape != (states, actions, states):
        raise ValueError(
            f"mdp: transition float64[S, A, S] and reward float64[S, A] with two actions or more are needed, not "
            f"{np.shape(mdp.transition)} and {np.shape(mdp.reward)}"
        )
    if not (np.all(mdp.transition >= 0) and np.allclose(mdp.transition.sum(axis=2), 1, atol=1e-9)):
        raise ValueError("mdp: every row of transition must be probabilities that sum to one; divide it by its sum")
    if not np.isfinite(mdp.reward).all() or not 0 <= mdp.discount < 1:
        raise ValueError(f"mdp: finite rewards and a discount from 0 to below 1 are needed, not {mdp.discount}")
    return mdp
