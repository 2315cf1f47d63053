"""Inverse reinforcement learning with a wrong model of the demonstrator: how wrong does the reward become?

Paper     Quantifying the Sensitivity of Inverse Reinforcement Learning to Misspecification. Skalse and Abate (2024),
          arXiv:2403.06854; the distance between rewards from Skalse, Farnik and others (2023), arXiv:2309.15257.
There     Theory: which deviations from a behavioural model (optimal, Boltzmann, causal entropy) an inverse learner
          tolerates. A wrong degree of rationality does no harm. A wrong discount or wrong dynamics may: some rewards
          that explain the behaviour perfectly are then far from the truth. Nor is any model robust to small changes of
          the policy.
Here      Random decision problems of 8 to 20 states, 4 actions and discount 0.95. A demonstrator plays softmax(beta q),
          q the optimal q-values (Boltzmann), or the policy that is optimal with an entropy bonus (causal entropy). The
          learner sees the policy itself and inverts it exactly, under what it assumes: all rewards that explain it are
              R = advantage + V(s) - discount E[V(s')], any V,
          where the advantage is log policy / beta, less its largest in each state for Boltzmann. From this set it takes
          the reward of least norm, the one nearest to depending on states alone, one with random V, and the worst.
          10 seeds of 20 problems.
Claims    The error is the STARC distance, from 0 (the same order of policies) to 1 (the opposite one). For both models:
          1. with twice the true beta assumed, every explanation has an error below 1e-6;
          2. with discount 0.9 assumed for 0.95, some explanation has an error of at least 0.5;
          3. so has one with dynamics assumed that differ by a tenth;
          4. whoever acts on the explanation of 2 loses at least a tenth of what can be lost.
          5. for a faint demonstrator, a policy that moved by 1e-4 can have an explanation with an error of 0.5 or more.
Leaves    Samples of behaviour in the place of the policy, the optimal demonstrator, and the paper's conditions
          themselves. The worst explanation is built in closed form, at a norm at most 1000 times that of the advantage:
          what is shown exists, what is worse is not excluded. Regret under altered dynamics is reported, not claimed.
          Claim 5 holds for rewards so small that the demonstrator hardly prefers anything, as the theorem allows; for
          firm ones, its control, it must not. The full text was not read, only its abstract and summaries of it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ludus.records import MDP, Value
from ludus.solve.mdp import plan, policy_value, q_values, softmax
from ludus.study import Higher, Lower, Recipe

MODELS = ("boltzmann", "causal_entropy")
FAR = 1000.0  # how much larger than the advantage the worst explanation may be


@dataclass(frozen=True)
class Settings:
    """One arm: the truth, and what the learner assumes of it.

    beta, discount              of the demonstrator; beta is one over the temperature
    assumed_beta                what the learner takes beta to be
    assumed_discount            and the discount
    assumed_drift               how much of the assumed dynamics is drawn afresh, 0 to 1
    shaped                      False: the learner takes V = 0, the plain log policy, and nothing else
    shift                       how far the policy moves before the learner sees it, in total variation; 0 not at all
    faint                       whether the reward is shrunk until the opposite reward's policy is just `shift` away
    """

    beta: float = 2.0
    discount: float = 0.95
    assumed_beta: float = 2.0
    assumed_discount: float = 0.95
    assumed_drift: float = 0.0
    shaped: bool = True
    shift: float = 0.0
    faint: bool = False
    problems: int = 20
    states: tuple[int, ...] = (8, 12, 16, 20)
    actions: int = 4

    def __post_init__(self) -> None:
        if not (self.beta > 0 and self.assumed_beta > 0 and 0 <= self.shift < 1 and 0 <= self.assumed_drift <= 1):
            raise ValueError(
                "settings beta > 0, assumed_beta > 0, shift in [0, 1) and assumed_drift in [0, 1] are needed"
            )


ARMS = {
    "right": Settings(),
    "wrong_beta": Settings(assumed_beta=4.0),
    "wrong_discount": Settings(assumed_discount=0.9),
    "wrong_dynamics": Settings(assumed_drift=0.1),
    "unshaped": Settings(assumed_discount=0.9, assumed_drift=0.1, shaped=False),
    "faint": Settings(shift=1e-4, faint=True),
    "firm": Settings(shift=1e-4),
}


def run(settings: Settings, rng: np.random.Generator, log: Any) -> dict[str, Value]:
    """Demonstrate, invert, compare: for both models on every problem, means over problems."""
    seen: dict[str, list[float]] = {}
    for number in range(settings.problems):
        truth = draw(settings, rng)
        believed, elsewhere = believed_world(truth, settings, rng), drifted(truth, 1.0, rng)
        potential = 10 * rng.standard_normal(len(truth.reward))
        for model in MODELS:
            mdp = shrunk(truth, model, settings) if settings.faint else truth
            policy = shifted(mdp, model, settings)
            found = explanations(policy, model, believed, mdp, settings, potential)
            for name, reward in found.items():
                seen.setdefault(f"error_{name}/{model}", []).append(distance(mdp, mdp.reward, reward))
            seen.setdefault(f"error/{model}", []).append(max(seen[f"error_{name}/{model}"][-1] for name in found))
            worst = found["worst" if settings.shaped else "unshaped"]
            seen.setdefault(f"regret/{model}", []).append(regret(mdp, worst))
            least = found["least_norm" if settings.shaped else "unshaped"]
            seen.setdefault(f"altered_regret/{model}", []).append(
                regret(mdp._replace(transition=elsewhere.transition), least)
            )
            again = demonstrate(believed._replace(reward=worst), model, settings.assumed_beta)
            seen.setdefault(f"misfit/{model}", []).append(float(np.abs(again - policy).max()))
        log.row(
            number + 1, **{name: Value(values[-1], "exact", None, "of this problem") for name, values in seen.items()}
        )
    log.example(told(mdp, policy, found))
    return {
        name: Value(
            float(np.mean(values)), "exact", None, f"mean over {len(values)} problems, each exact up to rounding"
        )
        for name, values in seen.items()
    }


# The demonstrator


def draw(settings: Settings, rng: np.random.Generator) -> MDP:
    """A random problem: next states from a flat Dirichlet distribution, rewards standard normal."""
    states = int(rng.choice(settings.states))
    shape = (states, settings.actions)
    return MDP(rng.dirichlet(np.ones(states), shape), rng.standard_normal(shape), settings.discount)


def demonstrate(mdp: MDP, model: str, beta: float) -> np.ndarray:
    """float64[S, A]: softmax of beta times the optimal q-values, or times those that count entropy."""
    return softmax(plan(mdp).q, 1 / beta) if model == "boltzmann" else plan(mdp, 1 / beta).policy


def shifted(mdp: MDP, model: str, settings: Settings) -> np.ndarray:
    """The demonstrator's policy, moved by at most `shift` towards that of the opposite reward."""
    policy = demonstrate(mdp, model, settings.beta)
    if settings.shift == 0:
        return policy
    opposite = demonstrate(mdp._replace(reward=-mdp.reward), model, settings.beta)
    return policy + min(1.0, settings.shift / variation(policy, opposite)) * (opposite - policy)


def shrunk(mdp: MDP, model: str, settings: Settings) -> MDP:
    """The same problem with a reward so small that the opposite reward's policy is just `shift` away."""

    def apart(scale: float) -> float:
        small = mdp._replace(reward=scale * mdp.reward)
        against = small._replace(reward=-small.reward)
        return variation(demonstrate(small, model, settings.beta), demonstrate(against, model, settings.beta))

    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if apart(middle) < settings.shift else (low, middle)
    return mdp._replace(reward=low * mdp.reward)


def variation(one: np.ndarray, other: np.ndarray) -> float:
    """Total variation distance of two policies in the state where it is largest."""
    return float(np.abs(one - other).sum(axis=1).max() / 2)


# The learner


def believed_world(truth: MDP, settings: Settings, rng: np.random.Generator) -> MDP:
    """The discount and the dynamics that the learner assumes; its reward is of no matter."""
    return drifted(truth, settings.assumed_drift, rng)._replace(discount=settings.assumed_discount)


def drifted(mdp: MDP, share: float, rng: np.random.Generator) -> MDP:
    """The same problem, `share` of its dynamics drawn afresh."""
    states = len(mdp.reward)
    fresh = rng.dirichlet(np.ones(states), mdp.reward.shape)
    return mdp._replace(transition=(1 - share) * mdp.transition + share * fresh)


def explanations(
    policy: np.ndarray, model: str, believed: MDP, truth: MDP, settings: Settings, potential: np.ndarray
) -> dict[str, np.ndarray]:
    """Rewards float64[S, A] under which the model, as the learner assumes it, plays exactly `policy`."""
    advantage = np.log(policy) / settings.assumed_beta
    if model == "boltzmann":  # q is the best value plus this; in the causal entropy model V is the soft value itself
        advantage = advantage - advantage.max(axis=1, keepdims=True)
    if not settings.shaped:
        return {"unshaped": advantage}
    shaping = shapings(believed)
    states, actions = policy.shape
    centre = np.eye(actions) - 1 / actions
    inner = np.einsum("ab,sbt->sat", centre, shaping.reshape(states, actions, states)).reshape(-1, states)
    chosen = {
        "least_norm": -np.linalg.lstsq(shaping, advantage.ravel(), rcond=None)[0],
        "state_only": -np.linalg.lstsq(inner, (advantage @ centre).ravel(), rcond=None)[0],
        "random": potential,
        "worst": worst_potential(advantage, shaping, truth),
    }
    return {name: advantage + (shaping @ value).reshape(advantage.shape) for name, value in chosen.items()}


def shapings(mdp: MDP) -> np.ndarray:
    """float64[S * A, S]: V -> V(s) - discount E[V(s')], the rewards that change no preference (Ng et al. 1999)."""
    states, actions = mdp.reward.shape
    return np.repeat(np.eye(states), actions, axis=0) - mdp.discount * mdp.transition.reshape(-1, states)


def worst_potential(advantage: np.ndarray, shaping: np.ndarray, truth: MDP) -> np.ndarray:
    """float64[S]: the V whose shaping, by the learner's lights of no matter, turns the reward furthest from the truth.

    Canonical forms are linear in the reward, so those of all explanations are a + B v. Of the true form c only its part
    w in the range of B can be worked against; towards v -> infinity along -w the cosine with c falls to -|w| / |c|. A
    learner whose model is right has B = 0: then no V does harm.
    """
    reach = np.stack([canonical(truth, column.reshape(advantage.shape)).ravel() for column in shaping.T], axis=1)
    c = canonical(truth, truth.reward).ravel()
    left, sizes, right = np.linalg.svd(reach, full_matrices=False)
    able = sizes > 1e-9
    if not able.any():
        return np.zeros(shaping.shape[1])
    w = left[:, able].T @ c
    direction = -right[able].T @ (w / sizes[able])
    return direction * FAR * np.linalg.norm(advantage) / np.linalg.norm(shaping @ direction)


# The yardsticks


def canonical(mdp: MDP, reward: np.ndarray) -> np.ndarray:
    """float64[S, A]: the advantages of the uniform policy under `reward`. Shaping does not change them; 0 if all equal.

    Value-adjusted levelling (Skalse et al. 2023, arXiv:2309.15257), for rewards that are expectations over next states.
    """
    even = np.full(reward.shape, 1 / reward.shape[1])
    world = mdp._replace(reward=reward)
    value = policy_value(world, even)
    return q_values(world, value) - value[:, None]


def distance(mdp: MDP, one: np.ndarray, other: np.ndarray) -> float:
    """The STARC distance of two rewards here: half the L2 distance of their canonical forms, each of length one."""
    forms = [canonical(mdp, reward) for reward in (one, other)]
    sizes = [float(np.linalg.norm(form)) for form in forms]
    if min(sizes) < 1e-13 * max(1.0, *sizes):
        return 0.5 * (max(sizes) > 0)
    return float(np.linalg.norm(forms[0] / sizes[0] - forms[1] / sizes[1]) / 2)


def regret(mdp: MDP, believed: np.ndarray) -> float:
    """What the best policy for another reward loses in truth, as a share of what the worst policy loses."""
    chosen = plan(mdp._replace(reward=believed)).policy
    best, worst = plan(mdp).value.mean(), -plan(mdp._replace(reward=-mdp.reward)).value.mean()
    return float((best - policy_value(mdp, chosen).mean()) / (best - worst))


def told(mdp: MDP, policy: np.ndarray, found: dict[str, np.ndarray]) -> str:
    """One state of the last problem: the truth, what is done there, and what it is explained by."""
    lines = ["state 0    " + "  ".join(f"action {action:<6d}" for action in range(policy.shape[1]))]
    rows = {"true reward": mdp.reward, "policy": policy, **found}
    lines += [f"{name:11}" + "  ".join(f"{number:<13.5g}" for number in row[0]) for name, row in rows.items()]
    return "\n".join(lines)


RECIPE = Recipe(
    slug="irl-misspec",
    arms=ARMS,
    run=run,
    claims=(
        *(
            claim
            for model in MODELS
            for claim in (
                Lower(
                    "wrong_beta",
                    than=1e-6,
                    metric=f"error/{model}",
                    control="wrong_discount",
                    says=f"With twice the true beta assumed, no explanation of a {model} policy errs by 1e-6",
                ),
                Higher(
                    "wrong_discount",
                    than=0.5,
                    metric=f"error/{model}",
                    says=f"With a wrong discount assumed, an explanation of a {model} policy errs by half the maximum",
                ),
                Higher(
                    "wrong_dynamics",
                    than=0.5,
                    metric=f"error/{model}",
                    control="unshaped",
                    says=f"With wrong dynamics assumed, an explanation of a {model} policy errs by half the maximum",
                ),
                Higher(
                    "wrong_discount",
                    than=0.1,
                    metric=f"regret/{model}",
                    control="unshaped",
                    says=f"Acting on that explanation of a {model} policy loses a tenth of what can be lost",
                ),
                Higher(
                    "faint",
                    than=0.5,
                    metric=f"error/{model}",
                    control="firm",
                    says=f"A {model} policy moved by 1e-4 can have an explanation that errs by half the maximum",
                ),
            )
        ),
    ),
    control="right",
    seeds=10,
    minutes=4,
    quick={"problems": 1, "states": (8,)},
    metrics={
        "error": (
            "distance",
            "STARC distance to the true reward, the largest of all explanations tried; 1 is opposite",
        ),
        "error_worst": ("distance", "the same of the explanation built to be worst"),
        "error_least_norm": ("distance", "the same of the explanation of least norm"),
        "error_state_only": ("distance", "the same of the explanation nearest to depending on states alone"),
        "error_random": ("distance", "the same of an explanation with a random potential"),
        "error_unshaped": ("distance", "the same of the plain log policy"),
        "regret": ("share", "what acting on the worst explanation loses, of what can be lost"),
        "altered_regret": ("share", "the same of the explanation of least norm, in other dynamics"),
        "misfit": (
            "probability",
            "how far the worst explanation, as the learner models it, is from the policy",
        ),
    },
    watch="error",
)
