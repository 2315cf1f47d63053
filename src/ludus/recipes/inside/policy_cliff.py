"""The policy cliff: where optimal actions tie, the smallest change of reward makes the policy jump.

Paper     The Policy Cliff: A Theoretical Analysis of Reward-Policy Maps in Large Language Models. Xu (2025),
          arXiv:2507.20150.
There     Theory: the map from a reward to its optimal policies is only upper hemicontinuous, so that a policy picked
          from it may jump where optimal actions tie; entropy regularisation makes the map Lipschitz, at the price of
          randomness; several rewards act through one effective reward that weights them state by state. Experiments
          perturb the rewards of language models trained on several domains.
Here      Random decision problems (8 states, 4 actions, discount 0.9), solved exactly. A problem is solved under the
          rewards r + epsilon d and r - epsilon d, d drawn with entries from -1 to 1, and the two policies are compared:
          the jump is their total variation distance in the state where it is largest. Epsilon goes from 1e-6 to 0.1.
          The arms: problems as drawn; problems given a tie in one state; tied ones solved with entropy at four
          temperatures; two rewards mixed with weights that differ from state to state, where the weight at which the
          policy jumps is found by bisection. 10 seeds of 100 problems.
Claims    1. At epsilon 1e-6 tied problems jump by at least 0.5 (here and below: the mean over problems).
          2. So does a mixture of two rewards when its weight moves by 1e-6 across a jump, and
          3. exactly there the effective reward ties two actions: the least action gap is below 1e-6.
          4. Where the action gap exceeds what epsilon can do to it, 2 epsilon / (1 - discount), no problem ever jumps.
          5. With entropy no policy moves, in L1 distance, by more than the largest change of a q-value over the
             temperature: the worst ratio of all states, problems and epsilons is below 1, at each temperature.
          6. What the entropy costs in true reward grows with the temperature.
Leaves    Language models, their rewards and their traces; the paper's perturbation experiments need a trained one. The
          full text could not be read: the bounds are derived here, that of claim 4 from |q - q'| <= epsilon /
          (1 - discount), that of claim 5 from the derivative of the softmax. Claim 4 counts only problems whose gap is
          large enough at that epsilon, and says nothing of the rest.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ludus.records import MDP, Value
from ludus.solve.mdp import Plan, action_gap, plan, policy_value
from ludus.study import Exact, Higher, Lower, Recipe, Trend

EPSILONS = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
WARM = 0.1  # the temperature at which the bound of arms without entropy is read off


@dataclass(frozen=True)
class Settings:
    """One arm.

    ties         whether one state of every problem is given a second optimal action
    temperature  what entropy is worth; 0 takes the best action
    mix          "none"; "jump" compares two mixtures of rewards on both sides of a jump, "anywhere" at a random weight
    gated        whether "jump_beyond_gap" counts only problems whose action gap is large enough
    problems     in a cell
    """

    ties: bool = False
    temperature: float = 0.0
    mix: str = "none"
    gated: bool = True
    problems: int = 100
    states: int = 8
    actions: int = 4
    discount: float = 0.9

    def __post_init__(self) -> None:
        if self.mix not in ("none", "jump", "anywhere"):
            raise ValueError(f"setting mix takes none, jump or anywhere; got {self.mix}")
        if not (self.problems >= 1 and self.states >= 2 and self.actions >= 2 and self.temperature >= 0):
            raise ValueError("settings problems >= 1, states >= 2, actions >= 2 and temperature >= 0 are needed")


ARMS = {
    "as_drawn": Settings(),
    "any_gap": Settings(gated=False),  # the control of claim 4
    "tied": Settings(ties=True),
    "cold": Settings(ties=True, temperature=0.03),
    "cool": Settings(ties=True, temperature=0.1),
    "warm": Settings(ties=True, temperature=0.3),
    "hot": Settings(ties=True, temperature=1.0),
    "mixed": Settings(mix="jump"),
    "mixed_anywhere": Settings(mix="anywhere"),
}


def run(settings: Settings, rng: np.random.Generator, log: Any) -> dict[str, Value]:
    """Every problem under all perturbations; the numbers of the cell are means, and worst cases where they say so."""
    seen: dict[str, list[float]] = {}
    for number in range(settings.problems):
        for name, value in (mixed if settings.mix != "none" else perturbed)(settings, rng, log, number):
            seen.setdefault(name, []).append(value)
    worst = {"steepness", "jump_beyond_gap", "gap_at_jump"}
    numbers = {}
    for name, values in seen.items():
        largest = name.split("/")[0] in worst
        method = f"{'largest' if largest else 'mean'} over {len(values)} cases, each solved exactly"
        numbers[name] = Value(float(np.max(values) if largest else np.mean(values)), "exact", None, method)
    for epsilon in EPSILONS:
        if f"jump/{epsilon:g}" in numbers:
            log.row(round(np.log10(epsilon)) + 7, jump=numbers[f"jump/{epsilon:g}"])
    return numbers


# The reward, a little more and a little less


def perturbed(settings: Settings, rng: np.random.Generator, log: Any, number: int) -> Iterator[tuple[str, float]]:
    """Jumps of the policy between r + epsilon d and r - epsilon d."""
    mdp = tie(draw(settings, rng), rng) if settings.ties else draw(settings, rng)
    d = rng.uniform(-1, 1, mdp.reward.shape)
    still = plan(mdp, settings.temperature)
    gap = float(action_gap(plan(mdp).q).min())
    for epsilon in EPSILONS:
        more, less = (
            plan(mdp._replace(reward=mdp.reward + step * d), settings.temperature) for step in (epsilon, -epsilon)
        )
        distance = jump(more, less)
        yield f"jump/{epsilon:g}", distance
        yield "steepness", 2 * distance * (settings.temperature or WARM) / float(np.abs(more.q - less.q).max())
        if not settings.gated or gap > 2 * epsilon / (1 - settings.discount):
            yield "jump_beyond_gap", distance
    yield "entropy_cost", float((plan(mdp).value - policy_value(mdp, still.policy)).mean())
    yield "gap", gap
    if number == 0:
        show(mdp, d, settings, log)


def draw(settings: Settings, rng: np.random.Generator) -> MDP:
    """A random problem: next states from a flat Dirichlet distribution, rewards standard normal."""
    shape = (settings.states, settings.actions)
    return MDP(rng.dirichlet(np.ones(settings.states), shape), rng.standard_normal(shape), settings.discount)


def tie(mdp: MDP, rng: np.random.Generator) -> MDP:
    """The same problem in which, in one state, some other action is raised until it is as good as the best.

    The optimal values stay what they are: only an action that was not better has become as good.
    """
    best = plan(mdp)
    state = int(rng.integers(len(mdp.reward)))
    other = int(rng.choice(np.flatnonzero(best.policy[state] == 0)))
    reward = mdp.reward.copy()
    reward[state, other] += best.q[state].max() - best.q[state, other]
    return mdp._replace(reward=reward)


def jump(one: Plan, other: Plan) -> float:
    """Total variation distance of two policies in the state where it is largest."""
    return float(np.abs(one.policy - other.policy).sum(axis=1).max() / 2)


# Two rewards, and the weight between them


def mixed(settings: Settings, rng: np.random.Generator, log: Any, number: int) -> Iterator[tuple[str, float]]:
    """The effective reward in state s is w u[s] first + (1 - w u[s]) second; w runs from 0 to 1.

    u[s], from 1/2 to 1, is how much a state listens to the first reward. A jump is found among 32 steps of w and closed
    in upon by bisection to 1e-12; anywhere else serves as the placebo.
    """
    base, second = draw(settings, rng), rng.standard_normal((settings.states, settings.actions))
    listens = rng.uniform(0.5, 1, (settings.states, 1))

    def solved(weight: float) -> Plan:
        share = weight * listens
        return plan(base._replace(reward=share * base.reward + (1 - share) * second), settings.temperature)

    grid = np.linspace(0, 1, 33)
    plans = [solved(weight) for weight in grid]
    steps = [place for place in range(32) if jump(plans[place], plans[place + 1]) > 0]
    chosen, anywhere = float(rng.random()), float(rng.uniform(1e-6, 1 - 1e-6))
    if not steps:
        return
    place = steps[int(chosen * len(steps))]
    low, high = float(grid[place]), float(grid[place + 1])
    before = plans[place]
    while high - low > 1e-12:
        middle = (low + high) / 2
        low, high = (middle, high) if jump(before, solved(middle)) == 0 else (low, middle)
    weight = high if settings.mix == "jump" else anywhere
    yield f"jump/{EPSILONS[0]:g}", jump(solved(weight - EPSILONS[0] / 2), solved(weight + EPSILONS[0] / 2))
    yield "gap_at_jump", float(action_gap(solved(weight).q).min())
    yield "jumps", float(len(steps))
    if number == 0:
        log.example(
            f"The policy jumps {len(steps)} times as w goes from 0 to 1; here between {low:.12f} and {high:.12f}."
        )


def show(mdp: MDP, d: np.ndarray, settings: Settings, log: Any) -> None:
    """The first problem's closest state: what its actions are worth, and what is done on both sides."""
    q = plan(mdp).q
    state = int(action_gap(q).argmin())
    lines = [f"state {state}: actions are worth " + ", ".join(f"{worth:.6f}" for worth in q[state])]
    for epsilon in EPSILONS:
        sides = (plan(mdp._replace(reward=mdp.reward + s * d), settings.temperature) for s in (epsilon, -epsilon))
        told = ["  ".join(f"{chosen:.3f}" for chosen in side.policy[state]) for side in sides]
        lines.append(f"epsilon {epsilon:g}: plays {told[0]}   or   {told[1]}")
    log.example("\n".join(lines))


RECIPE = Recipe(
    slug="policy-cliff",
    arms=ARMS,
    run=run,
    claims=(
        Higher(
            "tied",
            than=0.5,
            metric="jump/1e-06",
            control="as_drawn",
            says="Where optimal actions tie, a change of reward of 1e-6 moves the policy by more than 0.5",
        ),
        Higher(
            "mixed",
            than=0.5,
            metric="jump/1e-06",
            control="mixed_anywhere",
            says="At some mixing weight of two rewards, a change of weight of 1e-6 moves the policy by more than 0.5",
        ),
        Lower(
            "mixed",
            than=1e-6,
            metric="gap_at_jump",
            control="mixed_anywhere",
            says="Where the policy of a mixture jumps, the effective reward ties two actions",
        ),
        Exact(
            "as_drawn",
            than=0.0,
            metric="jump_beyond_gap",
            within=1e-12,
            control="any_gap",
            says="A problem whose action gap exceeds 2 epsilon / (1 - discount) never jumps",
        ),
        *(
            Lower(
                arm,
                than=1.0,
                metric="steepness",
                control="tied",
                says=f"At temperature {ARMS[arm].temperature:g} the policy moves by less than the largest change of a "
                "q-value over the temperature",
            )
            for arm in ("cold", "cool", "warm", "hot")
        ),
        Trend(
            (("hot", 1.0), ("warm", 0.3), ("cool", 0.1), ("cold", 0.03)),
            metric="entropy_cost",
            control="tied",
            says="What entropy costs in true reward grows with the temperature",
        ),
    ),
    control="as_drawn",
    seeds=10,
    minutes=4,
    quick={"problems": 1},
    metrics={
        "jump": ("probability", "total variation distance of the policies on both sides, in the state that moves most"),
        "steepness": ("ratio", "L1 distance of two policies, times the temperature, over the largest change of q"),
        "jump_beyond_gap": ("probability", "largest jump of the problems whose action gap exceeds the bound"),
        "entropy_cost": ("reward", "true value lost against the optimal policy, mean over states"),
        "gap": ("reward", "how much the best action is worth above the second best, in the closest state"),
        "gap_at_jump": ("reward", "the same at the weight where the policy jumps, the largest over problems"),
        "jumps": ("count", "how often the policy changes as the weight goes from 0 to 1 in 32 steps"),
    },
    watch="jump",
)
