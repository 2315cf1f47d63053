"""SPO: one policy plays itself for a rater's preference, and what wins more often is done more often.

Paper     A Minimaximalist Approach to Reinforcement Learning from Human Feedback. Swamy, Dann, Kidambi, Wu, Agarwal
          (2024), arXiv:2401.04056, ICML 2024.
There     Preferences are a symmetric zero-sum game worth P(a beats b) - 1/2; its equilibrium is the minimax winner. By
          symmetry one policy can play itself: draw several trajectories, have them compared, reward each with its share
          of wins, and hand that to any learner. The average policy then converges as fast as the learner's regret, 1
          over the root of the rounds. On continuous control it needs fewer samples than reward models do, and it bears
          preferences that are intransitive, noisy or not Markovian.
Here      Games of 3, 10 and 50 options: transitive (logistic in a hidden worth), cyclic (a cycle of 3, 5 or 9 options
          beats all others), and lottery (shares of 7 voters without a Condorcet winner). Trajectories of a decision
          problem of 3 states, 2 actions and 3 steps: by returns (transitive), by three groups of raters with a return
          each, and by three groups that score each trajectory as a whole, so not Markovian; policies know their
          history. No game is drawn whose uniform policy has a gap below 0.1, none but the transitive ones where a
          single option, or a Markov policy without chance, has one below 0.1. 0, 10 and 20% of the labels are flipped,
          dealt out among the sizes by the seed, 20% in decision problems; gaps are those of the clean preferences.
          100,000 queries an option (a million for trajectories), one label each, for every arm. 10 seeds.
          SPO learns by multiplicative weights, or by a clipped policy gradient (PPO without a critic). Beside it: a
          Bradley-Terry table of scores of all options, fitted to pairs of the uniform policy or of the policy's own,
          and climbed by the same policy gradient; two policies that duel; a rater who throws coins.
          The gap is exact: what best responses (backward induction) win more than the average policy, both sides, in
          units of P - 1/2: 0 at the minimax winner, 1 where another option always beats it.
Claims    On cyclic games, the mean over sizes: 1. the gap of SPO ends below 0.02 (2. with 50 options too);
          3. against queries it falls with a slope of -0.4 or steeper on logarithmic axes; 4. within 0.15 of -1/2;
          5. that of the reward model on uniform pairs and 6. on the policy's own stays above 0.1.
          7. On lottery games the gap of SPO ends below 0.02; 8. so does it where 20% of the labels are flipped.
          9. On transitive games SPO and the reward model tie: within 0.02.
          10. With the clipped policy gradient SPO ends below 0.02 on cyclic games too; 11. over all games of options
          it ends lower than the reward model under the same policy gradient, by 0.1.
          12. One policy playing itself is not worse than two that duel, by 0.01.
          Ablations, all below 0.02 on cyclic games: 13. batch of 2, 14. of 8, 15. queue off.
          Trajectories: the gap ends below 0.02, 16. by groups of raters and 17. by whole trajectories.
Leaves    Continuous control, networks, and the reward models made of them. Of the paper abstract, authors' page and
          summaries were read, not the text: regret bounds are those of its learner here. That is exponential weights
          with implicit exploration (Neu 2015, arXiv:1506.03271), made for losses from 0 to 1; on the antisymmetric
          payoff, as here, it has no such guarantee. Each step has its own weights at each history, as in practice, not
          weighted by reach, so for trajectories nothing is guaranteed either. Bounds alone would not do: with a batch
          of 4, 0.02 takes 2 ln n (1 + (n - 1) / 4) / 0.01^2 rounds of 22 queries, 23 million with 50 options and
          clean labels, and 1 / 0.6^2 times as many with 20% flips. Pilots on other seeds came below it with a fifth
          of that, so the row's threshold was left as it is. They chose the budget, the antisymmetric payoff (with
          losses gaps were some four times as wide) and the rate, batch and entropy of the policy gradient. They also
          let some claims look doubtful, which stay: 4 (slopes near -0.65), 10 (0.035), 14 (0.0204), 16 and 17 (0.02).
          Claim 11 was first on cyclic games alone, where it holds for the coin too: a policy left uniform loses less
          there than one that a reward model has made pure. By their margins single options have a gap of at least 0.2
          in cyclic games and 1/7 in lottery ones, so claim 5 says that a policy which climbs scores ends nearly pure.
          Queries are counted, not trajectories: the queue saves trajectories and costs queries; of the batches and
          queues tried, fewest comparisons a round did best for options.
          In the record the tie of claim 9 is not shown because of the climb, not of the model: with 50 options the
          policy gradient on scores, which spread wider than shares of wins and are not scaled, settles in some seeds
          on the second or third best, though the model knows the best. Another rate was not tried after the record.
          In claims 16 and 17 gaps of 0.023 and 0.022 were still falling (slopes -0.4 and -0.5) at the last query.
"""

import math
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal, NamedTuple

import numpy as np
from numba import njit

from ludus.normal_form import normal_form
from ludus.records import Value
from ludus.solve.zero_sum import zero_sum
from ludus.study import Equivalent, Higher, Lower, NotWorse, Recipe

FAMILIES = ("transitive", "cyclic", "lottery")
WALKS = ("returns", "groups", "whole")
FLIPS = (0.0, 0.1, 0.2)
STATES, ACTIONS, STEPS, LIKELY = 3, 2, 3, 0.9  # of a decision problem; where an action mostly leads
LEAST = 0.1  # gap of the uniform policy, and of single options where preferences are not transitive
POINTS = 9  # of a curve, each at twice the queries of the one before


@dataclass(frozen=True)
class Settings:
    """One arm.

    learner  weights: multiplicative; gradient: clipped, on a softmax policy
    reward   wins: the share of comparisons won; reference: scores fitted to pairs of the uniform policy; online: scores
             fitted to the policy's own pairs
    players  1 plays itself, 2 duel
    batch    options drawn a round; all are compared with each other
    queue    options of earlier rounds that each is compared with too
    coin     whether labels are thrown, whatever is compared
    queries  an option
    """

    learner: Literal["weights", "gradient"] = "weights"
    reward: Literal["wins", "reference", "online"] = "wins"
    players: int = 1
    batch: int = 4
    queue: int = 4
    coin: bool = False
    queries: int = 100_000
    sizes: tuple[int, ...] = (3, 10, 50)
    speed: float = 0.3
    epochs: int = 4
    clip: float = 0.2
    entropy: float = 0.01

    def __post_init__(self) -> None:
        if self.players not in (1, 2) or self.batch < 2 or self.queue < 0 or (self.players == 2 and self.queue):
            raise ValueError("settings players 1 or 2, batch >= 2 and queue >= 0 are needed; two players have queue 0")
        if self.queries < 1 or min(self.sizes) < 3:
            raise ValueError("settings queries >= 1 and sizes of at least 3 options are needed")


ARMS = {
    "spo": Settings(),
    "spo_ppo": Settings(learner="gradient", batch=16, queue=16),
    "reward_model": Settings(learner="gradient", reward="reference", batch=16, queue=16),
    "reward_model_online": Settings(learner="gradient", reward="online", batch=16, queue=16),
    "dueling": Settings(players=2, queue=0),
    "batch_2": Settings(batch=2, queue=2),
    "batch_8": Settings(batch=8, queue=8),
    "no_queue": Settings(queue=0),
    "coin": Settings(coin=True),
}


class Contest(NamedTuple):
    """What is compared. A matrix game is a walk of one step and one state, and its options are its trajectories.

    name        FAMILY-SIZE, or the name of a family of walks
    prefer      float64[X, X], the probability that one trajectory is preferred to another, labels unflipped
    transition  float64[S, A, S]
    steps       of a walk; a trajectory's number is read step by step, as action and next state: X = (A S) ** steps
    flip        the share of labels that are flipped
    """

    name: str
    prefer: np.ndarray
    transition: np.ndarray
    steps: int
    flip: float


class Run(NamedTuple):
    """What a learner of `players` L keeps of a contest, all changed in place; N histories before the last step.

    total    float64[L, steps, N, A], estimated payoffs added up, or logits
    visits   int64[L, steps, N]
    average  float64[L, X], trajectories' probabilities added up over rounds
    queue    int64[Q], the latest trajectories; filled int64[1], how many ever were put there
    score    float64[X] of the reward model, and square float64[X], its slopes squared and added up (AdaGrad)
    """

    total: np.ndarray
    visits: np.ndarray
    average: np.ndarray
    queue: np.ndarray
    filled: np.ndarray
    score: np.ndarray
    square: np.ndarray


def run(settings: Settings, rng: np.random.Generator, log: Any) -> dict[str, Value]:
    """Every contest, one after the other; all arms of a seed get the same ones."""
    contests = draw(settings.sizes, rng)
    seeds = rng.integers(2**63, size=len(contests))
    saved = log.restore() or {"curves": np.zeros((0, POINTS)), "last": np.zeros(0), "told": ""}
    for contest, seed in list(zip(contests, seeds, strict=True))[len(saved["last"]) :]:
        curve, last, average = learn(contest, settings, np.random.default_rng(seed))
        saved["curves"] = np.vstack([saved["curves"], curve])
        saved["last"] = np.append(saved["last"], last)
        if contest.name == "cyclic-3":
            saved["told"] = tell(contest, average)
        log.checkpoint(saved)
    log.example(saved["told"])
    curves = dict(zip([contest.name for contest in contests], saved["curves"], strict=True))
    lasts = dict(zip(curves, saved["last"], strict=True))
    numbers: dict[str, Value] = {f"gap/{name}": exact(curve[-1]) for name, curve in curves.items()}
    families = {family: [name for name in curves if name.split("-")[0] == family] for family in FAMILIES + WALKS}
    for family, names in families.items():
        numbers[f"gap/{family}"] = exact(np.mean([curves[name][-1] for name in names]))
        numbers[f"last/{family}"] = exact(np.mean([lasts[name] for name in names]))
        numbers[f"slope/{family}"] = slope(np.array([curves[name] for name in names]))
    for flip in FLIPS:
        hit = [c.name for c in contests if c.flip == flip and c.name.split("-")[0] in ("cyclic", "lottery")]
        if hit:
            numbers[f"gap/flips-{100 * flip:.0f}"] = exact(np.mean([curves[name][-1] for name in hit]))
    numbers["gap/games"] = exact(np.mean([numbers[f"gap/{family}"].number for family in FAMILIES]))
    for point in range(POINTS):
        means = {
            f"gap/{family}": np.mean([curves[name][point] for name in names]) for family, names in families.items()
        }
        log.row(max(1, settings.queries >> (POINTS - 1 - point)), **{name: exact(mean) for name, mean in means.items()})
    return numbers


# The mechanism


def learn(contest: Contest, settings: Settings, rng: np.random.Generator) -> tuple[np.ndarray, float, np.ndarray]:
    """The gap of the average policy at doubling numbers of queries, that of the last policy, and the average."""
    shape, size = shape_of(contest, settings.players), len(contest.prefer)
    kept = Run(
        np.zeros(shape),
        np.zeros(shape[:3], np.int64),
        np.zeros((settings.players, size)),
        np.zeros(settings.queue, np.int64),
        np.zeros(1, np.int64),
        np.zeros(size),
        np.ones(size),
    )
    pool = rng.choice(size, 4096, p=uniform(contest)[0])  # the data set of the reward model on reference pairs
    seen = 0.5 + (1 - 2 * (0.5 if settings.coin else contest.flip)) * (contest.prefer - 0.5)
    budget = settings.queries * (size if contest.steps == 1 else 10)
    code = ("wins", "reference", "online").index(settings.reward)
    knobs = (settings.epochs, settings.speed, settings.clip, settings.entropy)
    gradient = settings.learner == "gradient"
    asked, curve = 0, []
    for point in range(POINTS):
        goal = (budget >> (POINTS - 1 - point)) - asked
        asked += _play(seen, contest.transition, kept, pool, goal, settings.batch, gradient, code, knobs, rng)
        curve.append(gap(contest, kept.average / kept.average.sum(axis=1, keepdims=True)))
    policy, rate = np.zeros(shape), np.empty(shape[:3])
    _choose(kept, contest.transition, 0 if gradient else settings.batch, policy, rate)
    average = kept.average / kept.average.sum(axis=1, keepdims=True)
    return np.array(curve), gap(contest, spread(policy, contest)), average


@njit(cache=True, error_model="numpy")
def _play(prefer, transition, kept, pool, budget, batch, gradient, code, knobs, rng):
    """Rounds of SPO until `budget` labels were asked for; returns how many were. The arrays of Run change in place.

    A round draws trajectories, has them compared with each other and with the queue, rewards each with its share of
    wins (or by the score of the reward model), improves the policy, and puts the trajectories into the queue.
    """
    players, steps, nodes, actions = kept.total.shape
    policy, new, rate = np.empty(kept.total.shape), np.empty(kept.total.shape), np.empty(kept.visits.shape)
    push, spent, met = np.empty((nodes, actions)), np.empty(nodes), np.empty(nodes)
    chance = np.empty(len(prefer))
    path = np.empty((players, batch, steps, 2), np.int64)  # history and action of each step
    drawn = np.empty((players, batch), np.int64)
    reward = np.empty((players, batch))
    queries = 0
    while queries < budget:
        _choose(kept, transition, 0 if gradient else batch, policy, rate)
        _add_chances(policy, transition, kept.average, chance)
        for player in range(players):
            for i in range(batch):
                drawn[player, i] = _walk(policy, transition, player, path, i, rng)
        queries += _compare(prefer, drawn, kept, pool, code, reward, rng)
        if gradient:
            _climb(kept, transition, policy, new, rate, path, reward, push, spent, met, knobs)
        else:
            _multiply(kept, policy, rate, path, reward, met)
        if len(kept.queue) > 0:
            for i in range(batch):
                kept.queue[kept.filled[0] % len(kept.queue)] = drawn[0, i]
                kept.filled[0] += 1
    return queries


@njit(cache=True, error_model="numpy")
def _choose(kept, transition, batch, policy, rate):
    """Softmax of the logits; for multiplicative weights (batch > 0) of the payoffs times the learning rate.

    That rate, root of 2 ln A / ((1 + (A - 1) / B) t), is the best against payoffs from -1/2 to 1/2 of which B are seen.
    """
    total, visits = kept.total, kept.visits
    players, steps, _, actions = total.shape
    for player in range(players):
        width = 1  # histories before the step
        for step in range(steps):
            for node in range(width):
                eta = 1.0
                if batch > 0:
                    spare = (1 + (actions - 1) / batch) * (1 + visits[player, step, node])
                    eta = math.sqrt(2 * math.log(actions) / spare)
                rate[player, step, node] = eta
                top, whole = total[player, step, node, 0], 0.0
                for a in range(1, actions):
                    top = max(top, total[player, step, node, a])
                for a in range(actions):
                    policy[player, step, node, a] = math.exp(eta * (total[player, step, node, a] - top))
                    whole += policy[player, step, node, a]
                for a in range(actions):
                    policy[player, step, node, a] /= whole
            width *= actions * len(transition)


@njit(cache=True, error_model="numpy")
def _add_chances(policy, transition, average, chance):
    """Add the trajectories' probabilities to average[L, X]; `chance` float64[X] is room to work in."""
    players, steps, _, actions = policy.shape
    states = transition.shape[0]
    for player in range(players):
        width, chance[0] = 1, 1.0
        for step in range(steps):
            for node in range(width - 1, -1, -1):  # from the back, as what follows a history is written behind it
                reach = chance[node]
                for a in range(actions - 1, -1, -1):
                    for after in range(states - 1, -1, -1):
                        ahead = policy[player, step, node, a] * transition[node % states, a, after]
                        chance[(node * actions + a) * states + after] = reach * ahead
            width *= actions * states
        for node in range(width):
            average[player, node] += chance[node]


@njit(cache=True, error_model="numpy")
def _walk(policy, transition, player, path, i, rng):
    """Draw trajectory i of a player, note its histories and actions in `path`, and return its number."""
    steps, actions, states = policy.shape[1], policy.shape[3], transition.shape[0]
    node = 0
    for step in range(steps):
        left, a = rng.random(), 0
        while a < actions - 1 and left >= policy[player, step, node, a]:
            left -= policy[player, step, node, a]
            a += 1
        path[player, i, step, 0], path[player, i, step, 1] = node, a
        after = 0
        if states > 1:
            left = rng.random()
            while after < states - 1 and left >= transition[node % states, a, after]:
                left -= transition[node % states, a, after]
                after += 1
        node = (node * actions + a) * states + after
    return node


@njit(cache=True, error_model="numpy")
def _compare(prefer, drawn, kept, pool, code, reward, rng):
    """One label for each pair; returns how many. reward[L, B] becomes the share of wins, or the model's score.

    code 0 wins; 1 a model of as many pairs of the pool; 2 a model of these pairs. The model is Bradley's and Terry's
    (1952), a step of logistic regression a label, with the step sizes of AdaGrad.
    """
    queue, score, square = kept.queue, kept.score, kept.square
    players, batch = drawn.shape
    old, queries = min(kept.filled[0], len(queue)), 0
    for player in range(players):
        for i in range(batch):
            reward[player, i] = 0.0
    for i in range(batch):
        for j in range(0 if players == 2 else i + 1, batch + old):
            x, y = drawn[0, i], drawn[players - 1, j] if j < batch else queue[j - batch]
            if code == 1:
                x, y = pool[int(rng.random() * len(pool))], pool[int(rng.random() * len(pool))]
            won = 1.0 if rng.random() < prefer[x, y] else 0.0
            queries += 1
            reward[0, i] += won
            if j < batch:
                reward[players - 1, j] += 1 - won
            if code > 0 and x != y:
                off = won - 1 / (1 + math.exp(score[y] - score[x]))
                square[x] += off * off
                square[y] += off * off
                score[x] += off / math.sqrt(square[x])
                score[y] -= off / math.sqrt(square[y])
    met = batch if players == 2 else batch - 1 + old
    for player in range(players):
        for i in range(batch):
            reward[player, i] = score[drawn[player, i]] if code > 0 else reward[player, i] / met
    return queries


@njit(cache=True, error_model="numpy")
def _multiply(kept, policy, rate, path, reward, met):
    """Multiplicative weights at each history: add what was won beyond 1/2, over the chance of the action drawn.

    Implicit exploration (Neu 2015, arXiv:1506.03271, section 2) adds half the learning rate to that chance.
    """
    players, steps, nodes, _ = kept.total.shape
    batch = reward.shape[1]
    for player in range(players):
        for step in range(steps):
            for node in range(nodes):
                met[node] = 0.0
            for i in range(batch):
                met[path[player, i, step, 0]] += 1
            for i in range(batch):
                node, a = path[player, i, step, 0], path[player, i, step, 1]
                chance = policy[player, step, node, a] + rate[player, step, node] / 2
                kept.total[player, step, node, a] += (reward[player, i] - 0.5) / (chance * met[node])
            for node in range(nodes):
                if met[node] > 0:
                    kept.visits[player, step, node] += 1


@njit(cache=True, error_model="numpy")
def _climb(kept, transition, policy, new, rate, path, reward, push, spent, met, knobs):
    """The clipped policy gradient (Schulman and others 2017, arXiv:1707.06347, eq. 7), with a bonus for entropy.

    The advantage is the reward less the mean of the batch, the same for all steps of a trajectory.
    """
    epochs, speed, clip, entropy = knobs
    players, steps, nodes, actions = kept.total.shape
    batch = reward.shape[1]
    for player in range(players):
        mean = 0.0
        for i in range(batch):
            mean += reward[player, i] / batch
        for _ in range(epochs):
            _choose(kept, transition, 0, new, rate)
            for step in range(steps):
                for node in range(nodes):
                    spent[node] = met[node] = 0.0
                    for a in range(actions):
                        push[node, a] = 0.0
                for i in range(batch):
                    node, a = path[player, i, step, 0], path[player, i, step, 1]
                    met[node] += 1
                    gain = reward[player, i] - mean
                    ratio = new[player, step, node, a] / policy[player, step, node, a]
                    if (gain > 0 and ratio < 1 + clip) or (gain < 0 and ratio > 1 - clip):
                        push[node, a] += gain * ratio
                        spent[node] += gain * ratio
                for node in range(nodes):
                    if met[node] == 0:
                        continue
                    level = 0.0
                    for a in range(actions):
                        chance = new[player, step, node, a]
                        level += chance * math.log(chance + 1e-300)
                    for a in range(actions):
                        chance = new[player, step, node, a]
                        bonus = entropy * met[node] * chance * (level - math.log(chance + 1e-300))
                        uphill = push[node, a] - spent[node] * chance + bonus
                        kept.total[player, step, node, a] += speed / batch * uphill


# What is compared


def draw(sizes: tuple[int, ...], rng: np.random.Generator) -> list[Contest]:
    """All contests of a seed; in each family of games the flip rates are dealt out among the sizes."""
    contests = []
    for family in FAMILIES:
        for size, flip in zip(sizes, rng.permutation(np.resize(FLIPS, len(sizes))), strict=True):
            while True:
                prefer = PREFERENCES[family](size, rng)
                contest = Contest(f"{family}-{size}", prefer, np.ones((1, size, 1)), 1, flip)
                if hard(contest, np.eye(size), family == "transitive"):
                    break
            contests.append(contest)
    for family in WALKS:
        while True:
            contest = draw_walk(family, rng)
            if hard(contest, pure_walks(contest.transition), family == "returns"):
                break
        contests.append(contest)
    return contests


def hard(contest: Contest, pure: np.ndarray, transitive: bool) -> bool:
    """Whether neither the uniform policy nor, unless transitive, any of the pure ones float64[n, X] is nearly best."""
    if gap(contest, uniform(contest)) < LEAST:
        return False
    return transitive or bool(2 * best_replies(contest, pure @ (0.5 - contest.prefer)).min() >= LEAST)


def transitive(size: int, rng: np.random.Generator) -> np.ndarray:
    """Logistic in the difference of hidden worths (Bradley and Terry 1952): the reward model's own assumption."""
    worth = 1.5 * rng.standard_normal(size)
    return 1 / (1 + np.exp(worth - worth[:, None]))


def cyclic(size: int, rng: np.random.Generator) -> np.ndarray:
    """Few options stand in a ring, each beats the next half of it, and all beat the rest, which is at random."""
    ring = {3: 3, 10: 5, 50: 9}.get(size, 3)
    margin = np.triu(rng.uniform(-0.5, 0.5, (size, size)), 1)
    margin[:ring] = rng.uniform(0.1, 0.5, (ring, size))
    for one, other in product(range(ring), repeat=2):
        margin[one, other] *= (other - one) % ring <= ring // 2
    np.fill_diagonal(margin, 0.0)
    return 0.5 + margin - margin.T


def lottery(size: int, rng: np.random.Generator) -> np.ndarray:
    """The share of 7 voters who rank one option above the other; `hard` sees to it that none is a Condorcet winner.

    The minimax winner of such shares is the maximal lottery (Kreweras 1965; Fishburn 1984).
    """
    rank = np.array([rng.permutation(size) for _ in range(7)])
    return (rank[:, :, None] < rank[:, None, :]).mean(axis=0) + np.eye(size) / 2


PREFERENCES = {"transitive": transitive, "cyclic": cyclic, "lottery": lottery}


def draw_walk(family: str, rng: np.random.Generator) -> Contest:
    """A small decision problem, and preferences between its trajectories."""
    transition = np.full((STATES, ACTIONS, STATES), (1 - LIKELY) / (STATES - 1))
    for origin in range(STATES):
        transition[origin, np.arange(ACTIONS), rng.permutation(STATES)[:ACTIONS]] = LIKELY
    state, action, after = trajectories()
    gains = rng.standard_normal((3, STATES, ACTIONS, STATES))
    returns = gains[:, state, action, after].sum(axis=2)  # [groups of raters, X]
    if family == "returns":
        prefer = 1 / (1 + np.exp(2 * (returns[0] - returns[0][:, None])))
    else:
        score = returns if family == "groups" else rng.standard_normal(returns.shape)
        prefer = 0.5 + 0.5 * np.sign(score[:, :, None] - score[:, None]).mean(axis=0)
    return Contest(family, prefer, transition, STEPS, FLIPS[-1])


def trajectories() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """State, action and next state of each step of every trajectory, int64[X, STEPS] each."""
    step = np.array(list(product(range(ACTIONS * STATES), repeat=STEPS)))
    action, after = step // STATES, step % STATES
    return np.hstack([np.zeros((len(step), 1), np.int64), after[:, :-1]]), action, after


def pure_walks(transition: np.ndarray) -> np.ndarray:
    """float64[n, X]: where each Markov policy without chance leads."""
    state, action, after = trajectories()
    chance = transition[state, action, after].prod(axis=1)
    choices = np.array(list(product(range(ACTIONS), repeat=STEPS * STATES))).reshape(-1, STEPS, STATES)
    choices = choices[(choices[:, 0, 1:] == 0).all(axis=1)]  # the first step is taken in state 0
    return (choices[:, np.arange(STEPS), state] == action).all(axis=2) * chance


# The yardstick


def gap(contest: Contest, chance: np.ndarray) -> float:
    """The duality gap of a pair of policies, or of one against itself, by their trajectories' float64[L, X]."""
    replies = best_replies(contest, chance @ (0.5 - contest.prefer))
    return float(replies[0] + replies[-1])


def best_replies(contest: Contest, worth: np.ndarray) -> np.ndarray:
    """float64[n]: the most that a policy can expect of trajectories worth float64[n, X], backwards over histories."""
    states, actions = contest.transition.shape[:2]
    for step in range(contest.steps - 1, -1, -1):
        history = np.arange((actions * states) ** step)
        worth = worth.reshape(-1, len(history), actions, states) * contest.transition[history % states]
        worth = worth.sum(axis=3).max(axis=2)
    return worth[:, 0]


def shape_of(contest: Contest, players: int) -> tuple[int, int, int, int]:
    """Of policies: players L, steps, histories N before the last step (earlier ones have fewer), actions A."""
    states, actions = contest.transition.shape[:2]
    return players, contest.steps, (actions * states) ** (contest.steps - 1), actions


def uniform(contest: Contest) -> np.ndarray:
    """float64[1, X]: the trajectories' probabilities under even choice."""
    shape = shape_of(contest, 1)
    return spread(np.full(shape, 1 / shape[-1]), contest)


def spread(policy: np.ndarray, contest: Contest) -> np.ndarray:
    """float64[L, X]: the trajectories' probabilities under policies float64[L, steps, N, A]."""
    chance = np.zeros((len(policy), len(contest.prefer)))
    _add_chances(policy, contest.transition, chance, np.empty(len(contest.prefer)))
    return chance


def slope(curves: np.ndarray) -> Value:
    """Of the mean logarithm of the gap against that of the queries, least squares over their last 64-fold."""
    mean = np.log2(np.maximum(curves[:, -7:], 1e-12)).mean(axis=0)
    doublings = np.arange(7) - 3.0
    return Value(float(doublings @ mean / (doublings @ doublings)), "sampled", None, "least squares over 7 points")


def exact(number: Any) -> Value:
    return Value(float(number), "exact", None, "best responses to the policy, clean preferences")


def tell(contest: Contest, average: np.ndarray) -> str:
    """A game in numbers, its minimax winner by the linear program, and what was learned."""
    margin = contest.prefer - 0.5
    winner = zero_sum(normal_form(np.stack([margin, -margin], axis=2))).profiles[0][0]
    lines = [
        f"Option {one}: preferred to "
        + ", ".join(f"{other} with {p:.0%}" for other, p in enumerate(row) if other != one)
        for one, row in enumerate(contest.prefer)
    ]
    shares = [" ".join(f"{share:.3f}" for share in policy) for policy in (winner, *average)]
    return "\n".join(
        [*lines, f"{contest.flip:.0%} of the labels flipped", f"Minimax winner  {shares[0]}"]
        + [f"Average policy  {share}" for share in shares[1:]]
        + [f"Its gap is {gap(contest, average):.4f}; always option 0 has {gap(contest, np.eye(3)[:1]):.4f}."]
    )


RECIPE = Recipe(
    slug="spo",
    arms=ARMS,
    run=run,
    claims=(
        Lower("spo", than=0.02, metric="gap/cyclic"),
        Lower("spo", than=0.02, metric="gap/cyclic-50"),
        Lower("spo", than=-0.4, metric="slope/cyclic"),
        Equivalent("spo", than=-0.5, margin=0.15, metric="slope/cyclic"),
        Higher("reward_model", than=0.1, metric="gap/cyclic", control="spo"),
        Higher("reward_model_online", than=0.1, metric="gap/cyclic", control="spo"),
        Lower("spo", than=0.02, metric="gap/lottery"),
        Lower("spo", than=0.02, metric="gap/flips-20"),
        Equivalent("spo", than="reward_model", margin=0.02, metric="gap/transitive"),
        Lower("spo_ppo", than=0.02, metric="gap/cyclic"),
        Lower("spo_ppo", than="reward_model", by=0.1, metric="gap/games"),
        NotWorse("spo", than="dueling", margin=0.01, direction="lower", metric="gap/cyclic"),
        Lower("batch_2", than=0.02, metric="gap/cyclic"),
        Lower("batch_8", than=0.02, metric="gap/cyclic"),
        Lower("no_queue", than=0.02, metric="gap/cyclic"),
        Lower("spo", than=0.02, metric="gap/groups"),
        Lower("spo", than=0.02, metric="gap/whole"),
    ),
    control="coin",
    seeds=10,
    minutes=2,
    quick={"queries": 500, "sizes": (10,)},
    metrics={
        "gap": ("P - 1/2", "exact duality gap of the average policy; mean of a family's games, or of one game"),
        "last": ("P - 1/2", "the same of the last policy; mean of a family"),
        "slope": ("exponent", "of the gap against queries, over their last 64-fold; mean of a family's logarithms"),
    },
    watch="gap/cyclic",
)
