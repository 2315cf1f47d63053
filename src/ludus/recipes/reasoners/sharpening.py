"""Sharpening: a model that trusts its own likelihood moves its mass to the answer it already thinks likeliest.

Paper     Self-Improvement in Language Models: The Sharpening Mechanism. Huang, Block, Foster, Rohatgi, Zhang,
          Simchowitz, Ash and Krishnamurthy (2024), arXiv:2412.01951, ICLR 2025.
There     Self-reward is the model's own log-probability of a whole answer. A policy is (epsilon, delta)-sharpened if on
          all but a part epsilon of prompts it puts 1 - delta on y*, the base model's likeliest answer (definition 3.1).
          Who may only sample the base and see likelihoods needs m = prompts x answers of the order
          C log|class| / epsilon^2 (theorem 3.1; C / epsilon with adaptive sampling, D.2), with C = E[1 / base(y*)], and
          imitating the best of N own answers needs no more (4.1, D.1). Regression on self-rewards of pairs (DPO, eq. 8)
          also pays for coverage; with online play and a bonus for what the base rarely says (XPO, algorithm 1) it need
          not (4.3, J.3). Log-likelihood picks better answers than greedy decoding on most models and tasks.
Here      Table: 8 prompts, sequences of 6 tokens of 4, a free policy each. Greedy decoding runs into a side path; y* is
          known, and C is dialled from 8 to 256. Also the instance of the lower bound: most prompts easy, a part 4
          epsilon hard. No sampling: the chance that y* ends with 1 - delta is summed over all numbers of visits and
          hits, and m is the least one, over splits into prompts and answers, for epsilon 0.1 and delta 1/4.
          Branches: log-linear policies over 8192 sequences in 8 branches of 2 features each; y* is alone at the tip of
          a rare branch, C 32, 128 or 512, and four common branches hold the rest. Rewards are seen without noise.
          Best of N (on one prompt the first time y* is drawn), DPO, XPO, XPO without bonus, XPO that maximises another
          reward of its class: least m from which on the policy returned is sharpened, 8 problems each, up to 4 C.
          Model: a one-layer transformer taught sums and products of digits writes 8 answers to a problem, and imitates
          the one likeliest under its base; also after lessons of which 50% or 90% end in an answer off by one.
Claims    1. m of best-of-N grows as C: slope 1, give or take 0.2. On the instance of the lower bound it grows as
          epsilon to the -2, 2. and to the -1 with adaptive sampling, 3. both give or take 0.2. There m is the bound's
          order times a constant, whose largest value is at most twice the smallest, 4. for best of N and 5. adaptively
          (controls of 1 to 5: a random self-reward). 6. The more noise in the self-reward, the less is sharpened.
          At C 512 XPO needs half of the samples at most of 7. best of N, 8. DPO, 9. XPO without bonus, and 10. its m
          grows by a smaller power of C than that of best of N (controls: XPO on another reward).
          11. The likeliest of 8 of the model's answers is right more often than its answers are, by 0.1 at least, and
          12. imitating it lifts the model (controls: one of 8 at random). After lessons of which 90% are wrong
          13. choosing gains less than 0.05 and 14. imitating less than 0.02 (controls: the model of right lessons).
Leaves    Language models of the paper's experiments. Sums are exact where a fit is a table of frequencies; on branches
          and for the model there are samples. With noise-free rewards DPO in a linear class needs no more than samples
          that span it: its cost is to hear of the rare branch twice. As printed, algorithm 1 subtracts the squares; the
          proof of theorem J.1 adds them, and so do we; its argmin is a local search from all corners. XPO returns the
          policy of best J_beta among its rounds, estimated by the one answer that the policy wrote. Best of N on
          branches ends as a point mass; no bounded class does better. XPO where no features are shared is not run.
          Pilots on root seed 999 (3 seeds an arm at most) chose warm, looking at the base's right answers alone; the
          noises; the learning rate of imitation, for which a random choice had cost accuracy; and the wrong lessons'
          90% (at 80% likelihood still told right from wrong on one seed of two). They weakened three claims: 12, first
          written as 0.05, to any lift, and 13 and 14, first written as a loss, to no gain.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy.stats import binom

from ludus import tasks
from ludus.learn.objective import score
from ludus.learn.rollout import Rollouts, given, select
from ludus.learn.self_training import Answers, answers, imitate
from ludus.learn.weights import pack, unpack
from ludus.measure import answers as measures
from ludus.measure.pass_at_k import estimates
from ludus.models.transformer import Size, Transformer
from ludus.models.words import Words
from ludus.records import Value
from ludus.study import Equivalent, Higher, Lower, Near, NotWorse, Ordered, Recipe

EPSILON, DELTA, MARGIN = 0.1, 0.25, 0.5
EPSILONS, BOUNDS = (1 / 16, 1 / 32, 1 / 64, 1 / 128), (4, 8, 16)  # of the lower bound's instance: epsilon, and C
PROMPTS, VOCABULARY, LENGTH = 8, 4, 6  # of tables
NEVER = 2.0**26  # samples; more than any split that is tried
COMMON, RARE, TAIL = 4, 4, 5  # of branches: how many, and the tokens after the first


@dataclass(frozen=True)
class Settings:
    """One arm.

    part       "table", "branches" or "model"
    method     "best" of N; adaptive "adaptive"; "dpo", pairs from the base; "xpo", one of each pair from the policy
    reward     the self-reward: "own" log-likelihood, or a "random" one
    noise      standard deviation, in nats, of what is added to the own log-likelihood (tables)
    coverages  values of C
    optimism   of XPO: alpha / beta is this over the root of the number of rounds; 0 is without bonus
    repeats    problems at each C (branches)
    habit      the share of lessons that end in an answer off by one (model), and so the rest:
    task, level, width, layers, warm, budget   as in all recipes of reasoners: budget in tokens sampled or imitated
    taught     problems with lessons; half of them are answered and imitated in a round
    steps      of descent in a round, 32 answers each
    choices    answers to a problem, one of which is imitated
    examined   problems of an evaluation, 32 answers each
    """

    part: str = "table"
    method: str = "best"
    reward: str = "own"
    noise: float = 0.0
    coverages: tuple[int, ...] = (8, 16, 32, 64, 128, 256)
    optimism: float = 0.5
    repeats: int = 8
    habit: float = 0.0
    task: str = "arithmetic"
    level: int = 0
    width: int = 32
    layers: int = 1
    warm: int = 250
    budget: int = 70_000
    taught: int = 512
    steps: int = 16
    choices: int = 8
    examined: int = 32

    def __post_init__(self) -> None:
        allowed = {"part": PARTS, "method": ("best", "adaptive", "dpo", "xpo"), "reward": ("own", "random")}
        for name, names in allowed.items():
            if getattr(self, name) not in names:
                raise ValueError(f"setting {name} takes {', '.join(names)}; got {getattr(self, name)}")
        least = 16 if self.part == "branches" else 8  # rarer branches and narrower ways do not fit into a policy
        if min(self.coverages, default=0) < least or min(self.repeats, self.choices, self.examined) < 1:
            raise ValueError(f"settings coverages >= {least} and repeats, choices, examined >= 1 are needed")
        if self.taught < 2 or 32 % self.choices:
            raise ValueError(f"settings taught >= 2, and choices that divide 32; got {self.taught}, {self.choices}")


PARTS = ("table", "branches", "model")
FAR = Settings(part="branches", coverages=(32, 128, 512))
MODEL = Settings(part="model")
ARMS = {
    "best_of_n": Settings(),
    "adaptive": Settings(method="adaptive"),
    "noise_half": Settings(noise=0.5),
    "noise_1": Settings(noise=1.0),
    "noise_2": Settings(noise=2.0),
    "random_reward": Settings(reward="random"),  # a control: no likelihood in the self-reward
    "best_far": FAR,
    "dpo": replace(FAR, method="dpo", optimism=0.0),
    "xpo": replace(FAR, method="xpo"),
    "no_bonus": replace(FAR, method="xpo", optimism=0.0),
    "xpo_random": replace(FAR, method="xpo", reward="random"),  # a control
    "model": MODEL,
    "model_random": replace(MODEL, reward="random"),  # a control
    "model_torn": replace(MODEL, habit=0.5),
    "model_misled": replace(MODEL, habit=0.9),
}


def run(settings: Settings, rng: np.random.Generator, log: Any) -> dict[str, Value]:
    return {"table": run_table, "branches": run_branches, "model": run_model}[settings.part](settings, rng, log)


# --- tables: best of N, summed out exactly ----------------------------------------------------------------------------


def run_table(settings: Settings, rng: np.random.Generator, log: Any) -> dict[str, Value]:
    numbers, cover, need, reached = {}, [], [], []
    for coverage in settings.coverages:
        spread = np.exp(rng.normal(0, 0.2, PROMPTS))
        chances = [garden_path(coverage * each / spread.mean(), rng)[0] for each in spread]
        noise = rng.standard_normal((PROMPTS, VOCABULARY**LENGTH))
        cover.append(float(np.mean([1 / chance.max() for chance in chances])))
        plans = [ways(settings, chance, noise[x]) for x, chance in enumerate(chances)]
        cost, hit = (np.stack(rows, axis=1) for rows in zip(*plans, strict=True))
        m, share = splits(np.full(PROMPTS, 1 / PROMPTS), 1, cost, hit, 0.0, cost[:, 0])
        need.append(least(m, share, EPSILON))
        reached.append(float(share[m <= 32 * PROMPTS * cover[-1]].max(initial=0.0)))
        log.row(coverage, samples=need[-1], sharpened=reached[-1])
    slope = float(np.polyfit(np.log(cover), np.log(need), 1)[0]) if len(need) > 1 else 0.0
    numbers["slope"] = exact(slope, "of log m against log C")
    numbers["sharpened"] = exact(float(np.mean(reached)), "the best split of m = 256 C, mean over C")
    power = 1 if settings.method == "adaptive" else 2
    needs = np.array([[hard(settings, c, epsilon, rng) for epsilon in EPSILONS] for c in BOUNDS])
    slopes = [np.polyfit(-np.log(EPSILONS), np.log(row), 1)[0] for row in needs]
    numbers["epsilon_slope"] = exact(float(np.mean(slopes)), "of log m against log 1/epsilon, mean over C")
    ratio = needs * np.array(EPSILONS) ** power / np.array(BOUNDS)[:, None]
    numbers["bound_spread"] = exact(float(ratio.max() / ratio.min()), f"of m epsilon^{power} / C, 12 instances")
    chance, star = garden_path(settings.coverages[-1], rng)
    greedy = greedy_path(chance)
    log.example(
        f"C = {settings.coverages[-1]}: greedy decoding writes {spell(greedy)}, of probability {chance[greedy]:.5f}; "
        f"the likeliest sequence is {spell(star)}, {chance[star]:.5f}. To have it in 90% of prompts takes "
        f"{need[-1]:,.0f} samples."
    )
    return numbers


def exact(number: float, method: str) -> Value:
    return Value(number, "exact", None, method)


def garden_path(coverage: float, rng: np.random.Generator) -> tuple[np.ndarray, int]:
    """An autoregressive policy as float64[V**H] over sequences, and the number of its likeliest one, of 1 / coverage.

    The first token leads with 0.3 to y*, with 0.6 to a path where all goes on at random; on the way to y* each token is
    right with one and the same probability, and after a wrong one all goes on at random.
    """
    target = rng.integers(VOCABULARY, size=LENGTH)
    side = (target[0] + rng.integers(1, VOCABULARY)) % VOCABULARY
    chance = np.full(VOCABULARY, 0.1 / (VOCABULARY - 2))
    chance[target[0]], chance[side] = 0.3, 0.6
    right = (1 / (0.3 * coverage)) ** (1 / (LENGTH - 1))
    prefix = int(target[0])
    for token in target[1:]:
        step = np.full((len(chance), VOCABULARY), 1 / VOCABULARY)
        step[prefix] = (1 - right) / (VOCABULARY - 1)
        step[prefix, token] = right
        chance = (chance[:, None] * step).ravel()
        prefix = prefix * VOCABULARY + int(token)
    return chance, prefix


def ways(settings: Settings, chance: np.ndarray, noise: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Expected answers per prompt float64[S], and how often the one picked is y* float64[S], for S ways to sample."""
    if settings.method == "adaptive":
        stops = 2 ** np.arange(-2, 4.01, 1 / 4)
        cost, hit = zip(*(adaptive(chance, stop) for stop in stops), strict=True)
        return np.array(cost), np.array(hit)
    sizes = np.unique(np.round(2 ** np.arange(0, 13.01, 1 / 8)))
    reward = noise if settings.reward == "random" else np.log(chance) + settings.noise * noise
    return sizes, best_of(chance, reward, sizes)


def best_of(chance: np.ndarray, reward: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """float64[S]: how often y* has the highest reward of N answers; rewards of different answers differ at y*."""
    star = int(chance.argmax())
    below = float(chance[reward < reward[star]].sum())
    return np.minimum(below + chance[star], 1.0) ** sizes - below**sizes


def adaptive(chance: np.ndarray, stop: float) -> tuple[float, float]:
    """Expected answers, and how often y* is among them, where sampling ends by equation 10.

    It ends at the first k for which the likeliest answer seen has a probability of stop / k or more. With distinct
    probabilities p_1 > p_2 > ..., ends are at k >= k_j = stop / p_j, once one of the j likeliest kinds was seen: so it
    is not over after k with probability (1 - mass of those kinds with k_j <= k) ** k.
    """
    levels, kinds = np.unique(-np.round(np.log(chance), 9), return_counts=True)
    ends = np.ceil(stop * np.exp(levels) - 1e-6).clip(1)
    mass = np.concatenate([[0.0], np.cumsum(np.exp(-levels) * kinds)]).clip(max=1.0)
    k = np.arange(0, int(min(ends[-1], ends[0] + 40 / mass[1])) + 1)  # beyond it goes on once in exp(40)
    passed = np.searchsorted(ends, k, side="right")  # kinds that would end it at k
    going = (1 - mass[passed]) ** k
    going[0] = 1.0
    blind = (1 - np.maximum(mass[passed], mass[1])) ** k  # going on and y* not seen; before k_1 nothing is over
    blind[0] = 1.0
    missed = (blind[:-1] * (1 - mass[1]) - blind[1:]).sum()
    return float(going.sum()), float(np.clip(1 - missed, 0, 1))


def splits(
    share: np.ndarray, alike: int, cost: np.ndarray, hit: np.ndarray, easy: float, idle: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """m float64[n, S], and the expected share of prompts that end sharpened float64[n, S], for numbers n of prompts.

    A prompt drawn k times has the frequencies of the k answers picked there, which is the maximum-likelihood fit of a
    free policy; 1 - delta of them must be y*. Undrawn it stays as it was.
    share  float64[X], how often each prompt is drawn; cost, hit float64[S, X]
    alike  how many prompts there are of each of the X sorts
    easy   the share of prompts with a single answer, to which idle float64[S] answers are drawn
    """
    k = np.arange(1, 65)
    enough = np.ceil((1 - DELTA) * k - 1e-9)
    good = binom.sf(enough[:, None, None] - 1, k[:, None, None], hit)
    drawn = np.unique(np.round(2 ** np.arange(0, math.log(20 / share.max(), 2), 1 / 8)))
    visits = binom.pmf(k[:, None, None], drawn[:, None], share)  # [k, n, X]
    sharp = alike * np.tensordot(visits * share, good, ((0, 2), (0, 2))) + easy * (1 - (1 - easy) ** drawn[:, None])
    return drawn[:, None] * (alike * (cost @ share) + easy * idle), sharp


def least(m: np.ndarray, sharp: np.ndarray, epsilon: float) -> float:
    """The smallest m with at least 1 - epsilon sharpened; NEVER where none has."""
    return float(m[sharp >= 1 - epsilon].min(initial=NEVER))


def hard(settings: Settings, coverage: float, epsilon: float, rng: np.random.Generator) -> float:
    """The least m on the instance of theorem 3.1: 4 hard prompts, drawn with 4 epsilon, all others with one answer.

    Of M answers to a hard prompt one is twice as likely as each other; M is such that C is `coverage`.
    """
    often, count = 4 * epsilon, 4
    size = round(2 * (coverage - 1 + often) / often)
    chance = np.full(size, (1 - 2 / size) / (size - 1))
    chance[int(rng.integers(size))] = 2 / size
    cost, hit = ways(settings, chance, rng.standard_normal(size))
    idle = ways(settings, np.ones(1), np.zeros(1))[0]
    m, sharp = splits(np.array([often / count]), count, cost[:, None], hit[:, None], 1 - often, idle)
    return least(m, sharp, epsilon)


def greedy_path(chance: np.ndarray) -> int:
    """The number of the sequence whose every token is the likeliest after those before it."""
    start, size = 0, len(chance)
    while size > 1:
        size //= VOCABULARY
        start += size * int(chance[start : start + size * VOCABULARY].reshape(VOCABULARY, size).sum(axis=1).argmax())
    return start


def spell(number: int) -> str:
    return "".join("abcd"[number // VOCABULARY**place % VOCABULARY] for place in reversed(range(LENGTH)))


# --- branches: shared features, and a likeliest sequence in a rare one ------------------------------------------------


class Branches(NamedTuple):
    """Sequences that have the same features stand together: 8 branches times 0 to 5 tokens as the branch likes them.

    features  float64[Y, d], of length 1 at most
    number    float64[Y], sequences of a kind
    theta     float64[d]: the log-probability of one sequence is theta @ features, plus a constant
    star      which kind is y*; one sequence
    """

    features: np.ndarray
    number: np.ndarray
    theta: np.ndarray
    star: int


def branches(coverage: float, rng: np.random.Generator) -> Branches:
    """A base policy whose likeliest sequence has 1 / coverage, half of its branch, and is likelier by half than any."""
    number, like = COMMON + RARE, np.arange(TAIL + 1)
    count = np.array([math.comb(TAIL, s) * (VOCABULARY - 1) ** (TAIL - s) for s in like], float)
    half = 0.5 ** (1 / TAIL)  # each of the tokens after the first is right so often
    star = COMMON + int(rng.integers(RARE))
    while True:
        slope = rng.uniform(-1, 1, number)
        slope[star] = TAIL * math.log(half * (VOCABULARY - 1) / (1 - half))
        mass = np.full(number, 2 / coverage)
        mass[:COMMON] = rng.dirichlet(np.full(COMMON, 20.0)) * (1 - RARE * 2 / coverage)
        level = np.log(mass / (count * np.exp(slope[:, None] * like / TAIL)).sum(axis=1))
        single = np.exp(level[:, None] + slope[:, None] * like / TAIL)
        if single[star, -1] >= (1 + MARGIN) * np.delete(single.ravel(), star * (TAIL + 1) + TAIL).max():
            break
    features = np.zeros((number, TAIL + 1, 2 * number))
    for branch in range(number):
        features[branch, :, branch] = np.sqrt(0.5)
        features[branch, :, number + branch] = np.sqrt(0.5) * like / TAIL
    theta = np.concatenate([level - level.mean(), slope]) / np.sqrt(0.5)
    return Branches(features.reshape(-1, 2 * number), np.tile(count, number), theta, star * (TAIL + 1) + TAIL)


def run_branches(settings: Settings, rng: np.random.Generator, log: Any) -> dict[str, Value]:
    numbers, means = {}, []
    for coverage in settings.coverages:
        needs = [
            follow(settings, branches(coverage, own), coverage, own)
            for own in map(np.random.default_rng, rng.integers(2**31, size=settings.repeats))
        ]
        means.append(float(np.mean(np.log2(needs))))
        numbers[f"samples/{coverage}"] = Value(means[-1], "sampled", None, f"mean of {len(needs)} problems, log2")
        log.row(coverage, samples=2 ** means[-1])
    growth = float(np.polyfit(np.log2(settings.coverages), means, 1)[0]) if len(means) > 1 else 0.0
    numbers["growth"] = Value(growth, "sampled", None, "slope of mean log m against log C")
    log.example("Samples needed, a geometric mean: " + "; ".join(
        f"{2**mean:.0f} at C = {coverage}" for coverage, mean in zip(settings.coverages, means, strict=True)
    ))  # fmt: skip
    return numbers


def follow(settings: Settings, world: Branches, coverage: float, rng: np.random.Generator) -> float:
    """The least m at which the policy returned has 1 - delta on y* and keeps it for 16 rounds more; 4 C where never."""
    rounds = 2 * int(coverage)
    theta, kinds = world.theta, len(world.number)
    beta = MARGIN / (2 * math.log(2 * world.number.sum() / DELTA))  # theorem J.3
    own = world.features @ theta
    base = tilted(world, own)
    if settings.method == "best":
        drawn = rng.choice(kinds, size=2 * rounds, p=base)
        return float(np.append(drawn == world.star, True).argmax() + 1)
    if settings.reward == "random":  # of the class too, and as large, but of another direction
        theta = rng.standard_normal(len(theta))
        theta *= np.linalg.norm(world.theta) / np.linalg.norm(theta)
    reward = world.features @ theta
    limit = tilted(world, own + reward / beta)  # the maximiser of J_beta
    data = Data(np.zeros((len(theta),) * 2), np.zeros(len(theta)), np.zeros(len(theta)), 0)
    weight = settings.optimism / np.sqrt(rounds)
    start, radius = beta * world.theta, 1.5 * float(np.linalg.norm(world.theta))
    policy = chosen = base
    best, held = -np.inf, 0
    for number in range(1, rounds + 1):
        y = rng.choice(kinds, p=policy if settings.method == "xpo" else base)
        other = rng.choice(kinds, p=base)
        seen = reward[y] - beta * np.log(policy[y] / base[y])  # unbiased for J_beta of the policy that wrote y
        if settings.method == "xpo" and seen > best:
            best, chosen = seen, policy
        lead = world.features[y] - world.features[other]
        target = reward[y] - reward[other] + beta * (own[y] - own[other])
        gram, total = data.gram + np.outer(lead, lead), data.sum + lead * target
        data = Data(gram, total, data.pull + world.features[other], number)
        if settings.method == "xpo" or lead.any():
            policy = tilted(world, world.features @ fit(world, data, weight, beta, radius, start) / beta)
        chosen = policy if settings.method == "dpo" else chosen
        held = held + 1 if chosen[world.star] >= 1 - DELTA else 0
        if held > 16:
            return 2.0 * (number - 16)
        if limit[world.star] < 0.5 and np.abs(chosen - limit).sum() < 0.1:  # it has learned another answer
            break
    return 2.0 * (rounds - held + 1) if held else 2.0 * rounds


class Data(NamedTuple):
    """What is kept of pairs (y, y'): sums of outer products of feature differences, of differences times what
    beta log(policy(y) / policy(y')) should be, and of the features of y'; and their number."""

    gram: np.ndarray
    sum: np.ndarray
    pull: np.ndarray
    pairs: int


def tilted(world: Branches, energy: np.ndarray) -> np.ndarray:
    """float64[..., Y]: the kinds' probabilities where a sequence has exp(energy[..., Y]), normalised."""
    weight = world.number * np.exp(energy - energy.max(axis=-1, keepdims=True))
    return weight / weight.sum(axis=-1, keepdims=True)


def fit(world: Branches, data: Data, weight: float, beta: float, radius: float, start: np.ndarray) -> np.ndarray:
    """u = beta theta of the policy exp(theta @ features) that minimises the objective of algorithm 1, |u| <= radius.

    The objective is the sum of squares of equation 8 plus alpha times the log-probabilities of the base's answers y',
    alpha = weight * beta. Without bonus it is convex, and what the pairs do not tell stays as in `start`, the base.
    With it: u A u - 2 b u + weight (pull u - n beta log Z(u / beta)), whose last part is concave. That part is replaced
    by its tangent and the rest minimised on the ball, again and again, which only goes down (Yuille and Rangarajan
    2003, "The concave-convex procedure", Neural Computation 15); from every kind of sequence pushed to the limit.
    """
    if weight == 0:
        found = start + np.linalg.pinv(data.gram, rcond=1e-9, hermitian=True) @ (data.sum - data.gram @ start)
        return found * min(1.0, radius / max(float(np.linalg.norm(found)), 1e-12))
    values, vectors = np.linalg.eigh(data.gram)
    spread = np.linalg.norm(world.features, axis=1, keepdims=True)
    u = np.concatenate([radius * world.features / spread, start[None]])
    for _ in range(5):
        seen = tilted(world, u @ world.features.T / beta) @ world.features
        tangent = data.sum - weight / 2 * data.pull + weight * data.pairs / 2 * seen
        u = on_ball(values.clip(0), vectors, tangent, radius)
    energy = u @ world.features.T / beta
    top = energy.max(axis=1)
    log_z = top + np.log(np.exp(energy - top[:, None]) @ world.number)
    value = ((u @ data.gram) * u).sum(axis=1) - 2 * u @ data.sum + weight * (u @ data.pull - beta * data.pairs * log_z)
    return u[value.argmin()]


def on_ball(values: np.ndarray, vectors: np.ndarray, linear: np.ndarray, radius: float) -> np.ndarray:
    """The minimisers of u A u - 2 c u with |u| <= radius, for each row c of linear[S, d]; A = vectors values vectors^T.

    u = (A + nu)^-1 c with the least nu >= 0 that keeps it inside, by Newton's steps on 1 / |u|, from the left (More and
    Sorensen 1983, "Computing a trust region step", section 3).
    """
    along = linear @ vectors
    nu = np.maximum(1e-12, np.linalg.norm(along, axis=1) / radius - values[-1])
    for _ in range(10):
        inverse = 1 / (values + nu[:, None])
        length = np.linalg.norm(along * inverse, axis=1)
        slope = (along**2 * inverse**3).sum(axis=1)
        nu += np.where(length > radius, (length / radius - 1) * length**2 / np.maximum(slope, 1e-300), 0.0)
    return (along / (values + nu[:, None])) @ vectors.T


# --- a model that imitates what it finds likeliest --------------------------------------------------------------------


def run_model(settings: Settings, rng: np.random.Generator, log: Any) -> dict[str, Value]:
    task = tasks.load(settings.task)
    words = Words(task.words)
    seed = int(rng.integers(2**31))
    train = tasks.problems(task, tasks.Train(seed), settings.level, settings.taught)
    seen = tasks.problems(task, tasks.Validation(seed), settings.level, settings.examined)
    unseen = tasks.problems(task, tasks.Test(seed), settings.level, settings.examined)
    longest = 2 + max(len(task.work(problem, np.random.default_rng(0)).split()) for problem in train)
    context = longest + max(len(problem.prompt.split()) for problem in train + seen + unseen)
    size = Size(settings.layers, settings.width, 2, context, words.size)
    base, model = Transformer(size, rng), Transformer(size, np.random.default_rng(0))
    teacher = torch.optim.AdamW(base.parameters(), 0.003)
    optimiser = torch.optim.AdamW(model.parameters(), 0.001)
    state = log.restore()
    if state is None:
        imitate(base, teacher, lessons(task, words, train, settings.habit, rng), rng, settings.warm, 64)
        before = examine(settings, task, words, base, unseen, longest, rng)
        state = {"round": 0, "tokens": 0, "rng": rng, "before": before}
        state |= {"base": pack(base, teacher), "model": {"weights": pack(base, teacher)["weights"], "moments": {}}}
        log.row(0, tokens=0, **curve(examine(settings, task, words, base, seen, longest, rng)))
    rng = state["rng"]
    unpack(base, teacher, state["base"])
    unpack(model, optimiser, state["model"])
    number, tokens = state["round"], state["tokens"]
    while tokens < settings.budget:
        batch = [train[each] for each in rng.choice(len(train), len(train) // 2, replace=False)]
        found = answers(base, words, batch, rng, settings.choices, longest)
        picked = likeliest(self_reward(settings, found, rng), settings.choices)
        if number == 0:
            tell(task, batch, found, picked, log)
        mine = select(found.rollouts, picked)
        imitate(model, optimiser, mine, rng, settings.steps, 32)
        epochs = settings.steps * 32 / len(picked)
        tokens += round((found.rollouts.turn >= 0).sum() + epochs * (mine.turn >= 0).sum())
        number += 1
        log.row(number, tokens=tokens, **curve(examine(settings, task, words, model, seen, longest, rng)))
        state |= {"round": number, "tokens": tokens, "rng": rng, "model": pack(model, optimiser)}
        log.checkpoint(state)
    before, after = state["before"], examine(settings, task, words, model, unseen, longest, np.random.default_rng(seed))
    numbers = {"before": before["score"], "accuracy": after["score"], "lift": after["score"] - before["score"]}
    numbers |= {name: before[name] for name in ("selection", "tracking")}
    method = f"{len(unseen)} unseen problems, 32 answers each, at temperature 1"
    return {name: Value(number, "sampled", None, method) for name, number in numbers.items()}


def lessons(
    task: tasks.Task, words: Words, problems: Sequence[tasks.Problem], habit: float, rng: np.random.Generator
) -> Rollouts:
    """Worked answers; in a share `habit` of them the last word is a number too high by one."""
    worked = [task.work(problem, rng) for problem in problems]
    bent = rng.random(len(worked)) < habit
    for place in np.flatnonzero(bent):
        *way, last = worked[place].split()
        worked[place] = " ".join([*way, str((int(last) + 1) % 10)])
    return given(words.rows([problem.prompt for problem in problems]), words.rows(worked, ended=True))


def self_reward(settings: Settings, found: Answers, rng: np.random.Generator) -> np.ndarray:
    """float64[B]: the self-reward of each answer: the log-probability of the whole, or a number drawn at random."""
    own = found.rollouts.log_prob.sum(axis=1, dtype=np.float64)
    return rng.random(len(own)) if settings.reward == "random" else own


def likeliest(rewards: np.ndarray, choices: int) -> np.ndarray:
    """int64[B / choices]: the row with the highest reward of each `choices` rows."""
    return np.arange(0, len(rewards), choices) + rewards.reshape(-1, choices).argmax(axis=1)


def examine(
    settings: Settings, task: tasks.Task, words: Words, model: Transformer, problems: Sequence[tasks.Problem],
    longest: int, rng: np.random.Generator,
) -> dict[str, float]:  # fmt: skip
    """32 answers to each problem: how many are right, how they differ, and what choosing by self-reward brings."""
    found = answers(model, words, problems, rng, 32, longest)
    mark = tasks.judge(task).mark
    right = np.array([mark(problems[at], reply) == 1.0 for at, reply in zip(found.problem, found.reply, strict=True)])
    rewards = self_reward(settings, found, rng)
    picked = likeliest(rewards, settings.choices)
    table = right.reshape(len(problems), 32)
    numbers = measures.numbered([found.reply[at : at + 32] for at in range(0, len(found.reply), 32)])
    with torch.no_grad():
        scored = score(model, found.rollouts)
    return {
        "score": float(right.mean()),
        "pass_1": float(right.mean()),
        "pass_32": float(estimates(table, 32).mean()),
        "distinct": float(measures.distinct_correct(numbers, table, np.random.default_rng(0)).number),
        "entropy": float(scored.entropy.sum() / scored.written.sum()),
        "selection": float(right[picked].mean() - right.mean()),
        "tracking": tracking(rewards.reshape(table.shape), table),
    }


def tracking(rewards: np.ndarray, right: np.ndarray) -> float:
    """How often a right answer has more reward than a wrong one to the same problem; ties count half, 0.5 if none."""
    pairs = right[:, :, None] & ~right[:, None, :]
    lead = rewards[:, :, None] - rewards[:, None, :]
    return float(((lead > 0) + 0.5 * (lead == 0))[pairs].mean()) if pairs.any() else 0.5


def curve(examined: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in examined.items() if name not in ("selection", "tracking")}


def tell(task: tasks.Task, batch: list[tasks.Problem], found: Answers, picked: np.ndarray, log: Any) -> None:
    rows = np.flatnonzero(found.problem == 0)
    chance = np.exp(found.rollouts.log_prob.sum(axis=1))
    told = [f"{'>' if row == picked[0] else ' '} {chance[row]:.3f}  {found.reply[row]}" for row in rows]
    log.example("\n".join([batch[0].prompt, f"right: {task.work(batch[0], np.random.default_rng(0))}", *told]))


RECIPE = Recipe(
    slug="sharpening",
    arms=ARMS,
    run=run,
    claims=(
        Equivalent("best_of_n", than=1.0, margin=0.2, metric="slope"),
        Near("best_of_n", than=2.0, within=0.2, metric="epsilon_slope"),
        Near("adaptive", than=1.0, within=0.2, metric="epsilon_slope"),
        Lower("best_of_n", than=2.0, metric="bound_spread"),
        Lower("adaptive", than=2.0, metric="bound_spread"),
        Ordered(("best_of_n", "noise_half", "noise_1", "noise_2"), metric="sharpened"),
        Lower("xpo", than="best_far", by=1.0, metric="samples/512", control="xpo_random"),
        Lower("xpo", than="dpo", by=1.0, metric="samples/512", control="xpo_random"),
        Lower("xpo", than="no_bonus", by=1.0, metric="samples/512", control="xpo_random"),
        Lower("xpo", than="best_far", metric="growth", control="xpo_random"),
        Higher("model", than=0.0, by=0.1, metric="selection", control="model_random"),
        Higher("model", than=0.0, metric="lift", control="model_random"),
        NotWorse("model_misled", than=0.0, margin=0.05, direction="lower", metric="selection", control="model"),
        NotWorse("model_misled", than=0.0, margin=0.02, direction="lower", metric="lift", control="model"),
    ),
    control="random_reward",
    seeds=10,
    minutes=4,
    quick={
        "coverages": (16, 32),
        "repeats": 1,
        "warm": 3,
        "taught": 32,
        "steps": 1,
        "budget": 100,
        "choices": 2,
        "examined": 2,
    },
    metrics={
        "slope": ("exponent", "of the samples needed against C, on tables"),
        "epsilon_slope": ("exponent", "of the samples needed against 1 / epsilon, on the instance of the lower bound"),
        "bound_spread": ("ratio", "largest over smallest of samples needed over the lower bound's order, 12 instances"),
        "sharpened": ("share", "expected share of prompts sharpened with 256 C samples, split as well as can be"),
        "samples": ("log2", "samples needed at a C, mean logarithm over problems; 4 C where never"),
        "growth": ("exponent", "of the samples needed against C, on branches"),
        "before": ("share", "right answers of the base to unseen problems"),
        "accuracy": ("share", "right answers to unseen problems after"),
        "lift": ("share", "what imitation of its own choice adds to the right answers to unseen problems"),
        "selection": ("share", "right ones among the base's answers of most self-reward, less right ones among all"),
        "tracking": ("probability", "that of the base's right and wrong answers the right one has more self-reward"),
    },
    watch="samples",
)
