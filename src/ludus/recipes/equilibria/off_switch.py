"""The off-switch game: when does a robot leave its off switch to a human?

Paper     The Off-Switch Game. Hadfield-Menell, Dragan, Abbeel, Russell (2016), arXiv:1611.08219. R acts, for u; or
          switches itself off, for 0; or defers, and H lets it act with probability pi_H(u). R's incentive to defer is
              Delta = E[pi_H(u) u] - max(E[u], 0),
          with u ~ Normal(mean, sigma) in R's belief and pi_H(u) = 1 / (1 + exp(-u / beta)). As in the paper beta is
          H's noise: 0 is a rational human, infinity a coin.
There     Theory, and plots of Delta over Gaussian beliefs. A rational human never makes Delta negative; a robot
          certain of the payoff keeps the switch only if the human is perfectly rational; with a noisy human the noise
          and the spread of the belief trade off.
Here      Delta in closed form and by quadrature on 225 cells (mean, sigma, beta), 178 of them with |Delta| above 0.02.
          Beside it two learners that see the payoffs of sampled games and nothing else: tabular Q-learning, and PPO on
          the observed (mean, sigma, beta). Four arms, 8 seeds. Sizes and rates of the learners were chosen on
          generators seeded 70000 and up, outside the study's own.
Claims    1. Q-learning defers where Delta is positive and only there, on more than 95% of the cells above 0.02.
          2. So does PPO, which never trained on those cells.
          3. With a rational human Delta is negative for no belief: R gains neither by acting nor by switching off.
          4. Without uncertainty deferring to a human who errs is strictly worse (exact, every cell with mean not 0).
          5. Nor do learners without uncertainty defer to a human who errs: fewer than one cell of those above 0.02.
          6. Q-learning gains more from the switch with uncertainty than without.
          7. Q-learning gains more than where it takes the human's choice to be independent of the payoff.
          8. PPO gains more from the switch with uncertainty than without.
          9. PPO gains more than where it takes the human's choice to be independent of the payoff.
Leaves    Beliefs other than the Gaussian, several actions, repeated play, and what uncertainty costs the designer.
          The human's noise beta is known to the robot, as in the paper; here nobody has to infer it.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any

import numpy as np
from scipy.integrate import quad
from scipy.special import expit, ndtr

from ludus.records import Value
from ludus.study import Exact, Higher, Lower, Recipe

ACT, OFF, DEFER = 0, 1, 2
DECISIVE = 0.02  # cells with |Delta| up to this are too close to call and not counted: the threshold of the catalogue


@dataclass(frozen=True)
class Settings:
    """One arm. u, means, sigmas and betas are in one unit, that of payoff.

    uncertain  False: R believes that u is the mean; its belief has sigma = 0
    evidence   False: R takes H to decide about another u from the same belief, allowing it as often but knowing nothing
    shuffled   True: payoffs are permuted among games played at the same moment, whatever was chosen in them
    means, sigmas, betas   the grid on which choices are read off; beta is the human's noise, 0 a rational human
    rounds     how often the learners are measured and saved
    games      games that each learner plays in a round, rounded down to whole batches and to equally many in each cell
    batch      games that PPO plays between updates
    """

    uncertain: bool = True
    evidence: bool = True
    shuffled: bool = False
    means: tuple[float, ...] = (-2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0)
    sigmas: tuple[float, ...] = (0.0, 0.5, 1.0, 1.5, 2.0)
    betas: tuple[float, ...] = (0.0, 0.25, 0.5, 1.0, 2.0)
    rounds: int = 10
    games: int = 180_000
    batch: int = 2_250

    def __post_init__(self) -> None:
        cells = len(self.means) * len(self.sigmas) * len(self.betas)
        least = max(self.batch, cells)
        for name, rule, kept in (
            ("means", "at least one number", len(self.means) > 0),
            ("sigmas", "at least one number, none negative", min(self.sigmas, default=-1.0) >= 0),
            ("betas", "at least one number, none negative; 0 is a rational human", min(self.betas, default=-1.0) >= 0),
            ("rounds", "at least 1", self.rounds >= 1),
            ("batch", "at least 2", self.batch >= 2),
            (
                "games",
                f"at least {least}: a batch of {self.batch}, and one in each of {cells} cells",
                self.games >= least,
            ),
        ):
            if not kept:
                raise ValueError(
                    f"setting {name} is {rule}; got {getattr(self, name)}. Change it with --set {name}=..."
                )


ARMS = {
    "uncertain": Settings(),
    "certain": Settings(uncertain=False),
    "no_evidence": Settings(evidence=False),
    "shuffled": Settings(shuffled=True),
}


# The game, and what it is worth


def play(beliefs: np.ndarray, choice: np.ndarray, arm: Settings, rng: np.random.Generator) -> np.ndarray:
    """Payoffs float64[E] of one game for each row (mean, sigma, beta) of beliefs float64[E, 3].

    u ~ Normal(mean, sigma). R acts for u, switches itself off for 0, or defers: H lets it act, for u, or switches it
    off. A Boltzmann human lets R act with probability 1 / (1 + exp(-u / beta)), which is a rational human who misjudges
    u by logistic noise of scale beta. Every arm draws the same numbers.
    """
    mean, sigma, beta = beliefs.T
    own, other = rng.standard_normal((2, len(beliefs)))
    misjudged = beta * rng.logistic(size=len(beliefs))
    order = rng.permutation(len(beliefs))
    u = mean + sigma * own
    judged = u if arm.evidence else mean + sigma * other
    allowed = judged + misjudged > 0
    payoff = np.where(choice == ACT, u, np.where((choice == DEFER) & allowed, u, 0.0))
    return payoff[order] if arm.shuffled else payoff


def incentive(mean: float, sigma: float, beta: float, evidence: bool = True) -> float:
    """Delta = E[pi_H(u) u] - max(E[u], 0): what deferring is worth beyond the better of acting and switching off.

    Without evidence H's decision is independent of u, and E[pi_H(u) u] becomes E[pi_H(u)] E[u].
    """
    worth = deferring(mean, sigma, beta) if evidence else allowing(mean, sigma, beta) * mean
    return worth - max(mean, 0.0)


def deferring(mean: float, sigma: float, beta: float) -> float:
    """E[pi_H(u) u], in closed form for a certain robot or a rational human, by quadrature otherwise.

    Rational: E[max(u, 0)] = mean Phi(mean / sigma) + sigma phi(mean / sigma), the mean of a rectified Gaussian.
    """
    if sigma == 0:
        return mean * allowing(mean, sigma, beta)
    if beta == 0:
        z = mean / sigma
        return float(mean * ndtr(z) + sigma * math.exp(-z * z / 2) / math.sqrt(2 * math.pi))
    return quadrature(lambda u: u * expit(u / beta), mean, sigma)


def allowing(mean: float, sigma: float, beta: float) -> float:
    """E[pi_H(u)], how often H lets R act."""
    if beta == 0:
        return float(ndtr(mean / sigma)) if sigma > 0 else float(mean > 0)
    return float(expit(mean / beta)) if sigma == 0 else quadrature(lambda u: expit(u / beta), mean, sigma)


def quadrature(function: Callable[[float], float], mean: float, sigma: float) -> float:
    """E[function(u)] for u ~ Normal(mean, sigma), sigma > 0, to about 1e-10; cut at 0, where H turns."""

    def weighted(u: float) -> float:
        return function(u) * math.exp(-(((u - mean) / sigma) ** 2) / 2)

    low, high = mean - 12 * sigma, mean + 12 * sigma  # beyond lie less than 1e-32 of the belief
    cut = [0.0] if low < 0 < high else None
    area = quad(weighted, low, high, points=cut, epsabs=1e-12, epsrel=1e-10, limit=200)[0]
    return float(area / (sigma * math.sqrt(2 * math.pi)))


# Two learners: beliefs and payoffs come in, choices go out


def start_q(cells: int) -> dict[str, np.ndarray]:
    """A table of worth and a count of tries for each cell and choice, float64[cells, 3], all zero."""
    return {"worth": np.zeros((cells, 3)), "tries": np.zeros((cells, 3))}


def q_learning(state: dict[str, np.ndarray], beliefs: np.ndarray, arm: Settings, rng: np.random.Generator) -> None:
    """One round of tabular Q-learning (Watkins 1989), epsilon-greedy with epsilon 1/2; `state` is changed in place.

    All cells play at once. A game is one decision, so the target is the payoff alone: Q <- Q + (payoff - Q) / tries.
    """
    cells = np.arange(len(beliefs))
    worth, tries = state["worth"], state["tries"]
    for _ in range(arm.games // len(beliefs)):
        choice = np.where(rng.random(len(cells)) < 0.5, rng.integers(3, size=len(cells)), worth.argmax(axis=1))
        payoff = play(beliefs, choice, arm, rng)
        tries[cells, choice] += 1
        worth[cells, choice] += (payoff - worth[cells, choice]) / tries[cells, choice]


HIDDEN = 32
EPOCHS, CLIP, ENTROPY, RATE = 4, 0.2, 0.01, 3e-3  # entropy weight and rate fall to 0 over the run


def start_ppo(rng: np.random.Generator) -> dict[str, Any]:
    """A network with two hidden layers, (mean, sigma, beta) -> three logits and a worth, and Adam's moments."""
    sizes = (3, HIDDEN, HIDDEN, 4)
    weights = {f"w{i}": rng.standard_normal((a, b)) / math.sqrt(a) for i, (a, b) in enumerate(pairwise(sizes))}
    weights |= {f"b{i}": np.zeros(b) for i, b in enumerate(sizes[1:])}
    zero = {name: np.zeros_like(w) for name, w in weights.items()}
    return {"weights": weights, "first": zero, "second": {n: z.copy() for n, z in zero.items()}, "updates": 0}


def think(weights: Mapping[str, np.ndarray], beliefs: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Log-probabilities float64[E, 3] of the choices, the expected payoff float64[E], and the layers' inputs."""
    inputs = [beliefs]
    for i in (0, 1):
        inputs.append(np.maximum(inputs[-1] @ weights[f"w{i}"] + weights[f"b{i}"], 0))
    out = inputs[-1] @ weights["w2"] + weights["b2"]
    top = out[:, :3] - out[:, :3].max(axis=1, keepdims=True)
    return top - np.log(np.exp(top).sum(axis=1, keepdims=True)), out[:, 3], inputs


def ppo_loss(
    weights: Mapping[str, np.ndarray],
    beliefs: np.ndarray,
    choice: np.ndarray,
    payoff: np.ndarray,
    before: np.ndarray,
    advantage: np.ndarray,
    entropy_weight: float,
) -> tuple[float, dict[str, np.ndarray]]:
    """PPO's loss and its gradient by weight (Schulman et al. 2017, arXiv:1707.06347, equations 7 and 9).

    -mean(min(ratio A, clip(ratio) A)) + mean((V - payoff)^2) / 2 - entropy_weight * mean(entropy), where ratio is the
    probability of the choice over `before`, the one it was drawn with. All vectors float64[E], choice int64[E].
    """
    log_prob, value, inputs = think(weights, beliefs)
    prob, games = np.exp(log_prob), len(choice)
    taken = np.arange(3) == choice[:, None]
    ratio = prob[taken] / before
    surrogate = np.minimum(ratio * advantage, np.clip(ratio, 1 - CLIP, 1 + CLIP) * advantage)
    entropy = -(prob * log_prob).sum(axis=1)
    loss = -surrogate.mean() + ((value - payoff) ** 2).mean() / 2 - entropy_weight * entropy.mean()

    moves = ratio * advantage <= surrogate  # where clipping is active the surrogate is flat
    back = np.empty((games, 4))
    back[:, :3] = -(moves * ratio * advantage)[:, None] * (taken - prob)
    back[:, :3] += entropy_weight * prob * (log_prob + entropy[:, None])
    back[:, 3] = value - payoff
    back /= games
    gradient = {}
    for i in (2, 1, 0):
        gradient[f"w{i}"], gradient[f"b{i}"] = inputs[i].T @ back, back.sum(axis=0)
        back = (back @ weights[f"w{i}"].T) * (inputs[i] > 0)  # not used below the first layer
    return float(loss), gradient


def ppo(state: dict[str, Any], arm: Settings, rng: np.random.Generator) -> None:
    """One round of PPO on beliefs drawn evenly from the box around the grid; `state` is changed in place.

    The belief is all that the network sees: (mean, sigma, beta), with sigma = 0 for a robot without uncertainty. A game
    is one decision, so the advantage is payoff minus the network's own expected payoff. Each epoch is one step on the
    whole batch, where the paper cuts it into minibatches.
    """
    low, high = (np.array([end(axis) for axis in (arm.means, arm.sigmas, arm.betas)]) for end in (min, max))
    batches = arm.games // arm.batch
    for _ in range(batches):
        left = 1 - state["updates"] / (arm.rounds * batches)
        beliefs = held(rng.uniform(low, high, (arm.batch, 3)), arm)
        log_prob, value, _ = think(state["weights"], beliefs)
        prob = np.exp(log_prob)
        choice = (rng.random((arm.batch, 1)) > prob.cumsum(axis=1)[:, :2]).sum(axis=1)
        payoff = play(beliefs, choice, arm, rng)
        advantage = payoff - value
        advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
        before = prob[np.arange(arm.batch), choice]
        state["updates"] += 1
        for epoch in range(EPOCHS):
            _, gradient = ppo_loss(state["weights"], beliefs, choice, payoff, before, advantage, ENTROPY * left)
            adam(state, gradient, RATE * left, EPOCHS * (state["updates"] - 1) + epoch + 1)


def adam(state: dict[str, Any], gradient: Mapping[str, np.ndarray], rate: float, step: int) -> None:
    """One step of Adam (Kingma and Ba 2014, arXiv:1412.6980, algorithm 1), weights and moments changed in place."""
    for name, slope in gradient.items():
        first, second = state["first"][name], state["second"][name]
        first += 0.1 * (slope - first)
        second += 0.001 * (slope**2 - second)
        state["weights"][name] -= rate * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)


def held(beliefs: np.ndarray, arm: Settings) -> np.ndarray:
    """The beliefs that the arm's robot holds and plays under: sigma is 0 where it has no uncertainty."""
    return beliefs if arm.uncertain else beliefs * (1.0, 0.0, 1.0)


# One cell of the study: an arm under one seed


def run(settings: Settings, rng: np.random.Generator, log: Any) -> dict[str, float | Value]:
    """Both learners play round after round; what they would choose on the grid is compared with the exact solution."""
    grid = np.array(list(product(settings.means, settings.sigmas, settings.betas)))
    delta = incentives(grid)
    decisive = np.abs(delta) > DECISIVE
    beliefs = held(grid, settings)

    state = log.restore() or {"round": 0, "q": start_q(len(grid)), "ppo": start_ppo(rng), "rng": rng}
    rng = state["rng"]

    def choices() -> dict[str, np.ndarray]:
        return {
            "q": state["q"]["worth"].argmax(axis=1),
            "ppo": think(state["ppo"]["weights"], beliefs)[0].argmax(axis=1),
        }

    def agreement(choice: np.ndarray) -> Value:
        agrees = ((choice == DEFER) == (delta > 0))[decisive]
        return exact(agrees.mean(), "learned choices against the sign of the exact Delta")

    while state["round"] < settings.rounds:
        q_learning(state["q"], beliefs, settings, rng)
        ppo(state["ppo"], settings, rng)
        state["round"] += 1
        curves = {f"{learner}_agreement": agreement(choice) for learner, choice in choices().items()}
        log.row(state["round"] * settings.games, **curves)
        log.checkpoint(state)

    learned = choices()
    log.example(boundary(settings, delta, learned))
    worth = np.array([[mean, 0.0, deferring(mean, sigma, beta)] for mean, sigma, beta in grid.tolist()])
    found = dict(
        theory(settings, grid), best_gain=exact(np.maximum(delta, 0).mean(), "mean of max(Delta, 0) on the grid")
    )
    for learner, choice in learned.items():
        gain = worth[np.arange(len(grid)), choice] - np.maximum(grid[:, 0], 0)
        found[f"{learner}_agreement"] = agreement(choice)
        found[f"{learner}_gain"] = exact(gain.mean(), "exact worth of the learned choices on the grid")
    own = incentives(beliefs, settings.evidence)
    counted = errs(grid) & (np.abs(own) > DECISIVE)
    deferred = sum(int((choice == DEFER)[counted].sum()) for choice in learned.values())
    found["learned_erring_deferrals"] = exact(deferred, "cells counted over the choices of both learners")
    return found


def theory(arm: Settings, grid: np.ndarray) -> dict[str, float | Value]:
    """What holds exactly for the arm's robot: its belief and its view of the human, no learner, no sampling.

    Shuffling spoils what learners are paid and leaves the game as it is, so that arm has the theory of `uncertain`; the
    exact claims name other controls.
    """
    dense = product(np.linspace(-5, 5, 101).tolist(), np.linspace(0, 5, 51).tolist() if arm.uncertain else [0.0])
    losses = sum(incentive(mean, sigma, 0.0, arm.evidence) < -1e-12 for mean, sigma in dense)
    erring = (incentives(held(grid, arm)[errs(grid)], arm.evidence) >= 0).sum()
    uncertain = [(mean, sigma) for mean, sigma, beta in grid.tolist() if sigma > 0 and beta == 0]
    gaps = [deferring(mean, sigma, 0.0) - quadrature(lambda u: max(u, 0.0), mean, sigma) for mean, sigma in uncertain]
    return {
        "rational_losses": exact(losses, "closed form, 101 means from -5 to 5 by 51 sigmas from 0 to 5"),
        "erring_deferrals": exact(erring, "closed form and quadrature on the grid"),
        "quadrature_gap": exact(np.abs(gaps).max(), "largest difference on the grid, rational human"),
    }


def incentives(beliefs: np.ndarray, evidence: bool = True) -> np.ndarray:
    """Delta float64[C] of the rows (mean, sigma, beta) of beliefs float64[C, 3]."""
    return np.array([incentive(mean, sigma, beta, evidence) for mean, sigma, beta in beliefs.tolist()])


def errs(grid: np.ndarray) -> np.ndarray:
    """bool[C]: the human errs (beta > 0) and it matters to a certain robot (mean not 0)."""
    return (grid[:, 2] > 0) & (grid[:, 0] != 0)


def exact(number: float, method: str) -> Value:
    """A number in which nothing is sampled."""
    return Value(float(number), "exact", None, method)


def boundary(arm: Settings, delta: np.ndarray, learned: Mapping[str, np.ndarray]) -> str:
    """The map of choices, sigma down and beta across, exact beside learned, for three means."""
    shape = len(arm.means), len(arm.sigmas), len(arm.betas)
    delta = delta.reshape(shape)
    mean = np.array(arm.means)[:, None, None]
    panels = {"exact": np.where(delta > 0, DEFER, np.where(mean > 0, ACT, OFF))}
    panels |= {"Q-learning": learned["q"].reshape(shape), "PPO": learned["ppo"].reshape(shape)}
    width = 5 * len(arm.betas) + 3
    lines = ["A acts, O switches itself off, D defers; small letters where |Delta| is at most 0.02, too close to call."]
    for m in sorted({shape[0] // 4, shape[0] // 2, shape[0] - 1 - shape[0] // 4}):
        lines += ["", f"mean {arm.means[m]:g}".ljust(12) + "".join(name.ljust(width) for name in panels)]
        lines += ["sigma  beta ".ljust(12) + ("".join(f"{beta:<5g}" for beta in arm.betas).ljust(width)) * len(panels)]
        for s in reversed(range(shape[1])):
            line = f"{arm.sigmas[s]:g}".ljust(12)
            for choice in panels.values():
                close = np.abs(delta[m, s]) <= DECISIVE
                letters = ["aod"[c] if near else "AOD"[c] for c, near in zip(choice[m, s], close, strict=True)]
                line += "".join(letter.ljust(5) for letter in letters).ljust(width)
            lines.append(line)
    return "\n".join(line.rstrip() for line in lines)


RECIPE = Recipe(
    slug="off-switch",
    arms=ARMS,
    run=run,
    seeds=8,
    minutes=4,
    claims=(
        Higher("uncertain", than=0.95, metric="q_agreement"),
        Higher("uncertain", than=0.95, metric="ppo_agreement"),
        Exact("uncertain", than=0, metric="rational_losses", control="no_evidence"),
        Exact("certain", than=0, metric="erring_deferrals", control="uncertain"),
        Lower("certain", than=1, metric="learned_erring_deferrals", control="uncertain"),
        Higher("uncertain", than="certain", metric="q_gain"),
        Higher("uncertain", than="no_evidence", metric="q_gain"),
        Higher("uncertain", than="certain", metric="ppo_gain"),
        Higher("uncertain", than="no_evidence", metric="ppo_gain"),
    ),
    control="shuffled",
    quick={
        "means": (-1.0, 0.0, 1.0),
        "sigmas": (0.0, 2.0),
        "betas": (0.0, 0.5),
        "rounds": 2,
        "games": 27_000,
        "batch": 450,
    },
    metrics={
        "q_agreement": ("share of cells", "how often Q-learning defers just where the exact Delta is positive"),
        "ppo_agreement": ("share of cells", "how often PPO defers just where the exact Delta is positive"),
        "q_gain": ("payoff a game", "what the choices of Q-learning are truly worth beyond max(mean, 0)"),
        "ppo_gain": ("payoff a game", "what the choices of PPO are truly worth beyond max(mean, 0)"),
        "best_gain": ("payoff a game", "what the best choices are worth beyond max(mean, 0)"),
        "rational_losses": (
            "beliefs",
            "beliefs for which deferring to a rational human costs the robot, in its own view",
        ),
        "erring_deferrals": (
            "cells",
            "cells where the human errs and the robot does not lose by deferring, in its own view",
        ),
        "learned_erring_deferrals": ("cells", "cells where the human errs and a learner defers, both learners added"),
        "quadrature_gap": ("payoff a game", "closed form against quadrature, largest difference"),
    },
    watch="ppo_agreement",
)
