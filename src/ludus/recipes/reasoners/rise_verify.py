"""Trust, but verify (RISE): a policy that learns to solve also learns to mark its own solutions, in one PPO update.

Paper     Trust, But Verify: A Self-Verification Approach to Reinforcement Learning with Verifiable Rewards. Liu, Liang,
          He, Xu, Wang, He, Tu, Mi and Yu (2025), arXiv:2505.13445, NeurIPS 2025; figure 1.
There     Qwen2.5 models of 1.5 to 7 billion weights on mathematics. A rule verifier gives a solution 1 where it is
          right, -0.5 where wrong, -1 where no answer can be read. Some solutions of the current policy, as many of each
          problem, become prompts that ask for this score; a verdict is scored by the same rule, 1, -0.5 or -1, against
          the score that the solution got. Solutions and verdicts share one PPO update with GAE. Authors' scripts: 1024
          problems and 128 marked solutions an update, 8 replies to each prompt (one reply in nine is a verdict),
          temperature 1, discount and GAE decay 1, clip 0.2, value clip 0.5, entropy 0.001, penalty on the divergence
          from the base 0.01, advantages whitened. Solving rises a little, verification much.
Here      A one-layer transformer of 54,000 weights on chains of three operations modulo 7 (ludus.tasks.modular, level
          1). Warm start: it imitates worked solutions, and as many verdicts from step 50 on, so that their form is
          known: the chain worked again, then right, wrong or unread. Of the solutions so marked 45% are worked ones,
          45% those of another problem, 10% break off. It ends where 0.35 of the answers to 16 validation problems are
          right. Then all arms write 30,000 tokens, in updates of 64 replies. Test problems are answered 32 times and
          every answer is marked once, at temperature 1; a verdict that cannot be read counts as a false one. 8 seeds;
          the arms of a seed share base, problems and the exam's random numbers.
Claims    With a quarter of the replies verdicts, RISE lifts balanced verification by 15 points at least above the base,
          1. of its own solutions, and 2. of the base's solutions. At equal tokens
          3. it verifies its own solutions better than reinforcement learning on solving alone, and
          4. solving is not lower than there by 1 point (control: the base), 5. but higher;
          6. verification is better than where verdicts are learned on the frozen base's solutions, and
          7. rises with the share of verdicts, 0, 25 and 50%.
          8. A vote of 8 in which verdicts are the weights is right more often than the majority.
          Control of all but 4: the scores that verdicts must match are shuffled within the batch.
Leaves    The paper's text could be read in part only; where it is silent the authors' code decides. Its critic is a
          second model, here a value head on the policy. Each marked solution gets one verdict, not 8: GAE does not
          compare them, and different solutions teach more. The weight of a vote, (score + 1) / 2 of the verdict, is
          ours. Verification inside long solutions, which the paper looks at too, needs a pretrained model.
          Some 25 pilots on root seed 999, up to 4 seeds each, chose level, width and the end of the warm start by the
          base's pass@1, and rate and minibatches by the solving of solve_only: a rate of 0.002 broke the model. The
          form of a verdict was chosen with verification in sight: with "so" before it the base could not compare two
          numbers, verified by chance, and every arm then said the more frequent verdict only. As it is now, the base
          compares nearly without fault, and errs where it makes the same mistake twice. In the last pilots, 3 seeds,
          RISE gained nothing on its own solutions; claim 1 stayed as the check has it. Claim 2 was added then, since a
          policy that makes other mistakes is asked other questions, and no pilot had measured it. Claim 3 was first
          written with a margin of 15 points, which claims 1 and 2 have now.
          After the record, on 2 seeds of root seed 999, 200,000 tokens did not help: one seed said wrong to
          everything and solved no better than its base (0.24), the other verified 2 points better than its base.
          The record's seeds were run twice before, when the engine rounded or drew otherwise, after which training goes
          other ways: claim 3 was open in the first run (p = 0.23), claim 5 in the second, claims 4 and 8 in both, and
          all else came out as here.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from ludus.learn.advantages import gae, last_token
from ludus.learn.objective import clipped, mean_per_token, score, score_and_value
from ludus.learn.policy_gradient import descend
from ludus.learn.rollout import Rollouts, given, join, rollout, texts
from ludus.learn.self_training import Answers, answers, demonstrations, imitate, taught
from ludus.learn.weights import pack, unpack
from ludus.measure.answers import distinct_correct, majority_vote, numbered, token_entropy, weighted_vote
from ludus.measure.pass_at_k import pass_at_k
from ludus.measure.problems import mean_over_problems
from ludus.measure.verification import balanced_accuracy
from ludus.models.transformer import Size, Transformer
from ludus.models.words import Words
from ludus.records import Value
from ludus.study import Higher, NotWorse, Recipe, Trend
from ludus.tasks import Problem, Task, Test, Train, Validation, exact, load, problems

RIGHT, WRONG, UNREAD = 1.0, -0.5, -1.0  # what the rule verifier pays, and what a verdict must say
VERDICTS = {"right": RIGHT, "wrong": WRONG, "unread": UNREAD}
RATE = "rate"  # the word after a solution that asks for the verdict
DISCOUNT, DECAY, CLIP, VALUE_CLIP, ENTROPY, PENALTY = 1.0, 1.0, 0.2, 0.5, 0.001, 0.01  # of PPO, the authors'
FIRST, MORE = 50, 25  # steps of imitating solutions alone; steps between two looks at pass@1
SAMPLES, VOTERS = 32, 8  # replies to a problem of an exam, and how many of them vote


@dataclass(frozen=True)
class Settings:
    """One arm.

    share    the part of a batch's replies that are verdicts; 0 is reinforcement learning on solving alone
    author   who writes the solutions that are marked: "self", the policy as it is; "base", as it was at the start
    shuffle  deal the scores that verdicts must match out among the marked solutions at random
    learn    whether there is any learning after the warm start
    warm     the most steps of imitating solutions and verdicts; they end where pass@1 reaches `ready`
    budget   tokens that the policy writes after that, solutions and verdicts together
    batch    replies an update, of which `samples` are to one problem
    critic   weight of the value's loss
    looks    validation problems; tests, test problems
    """

    share: float = 0.25
    author: str = "self"
    shuffle: bool = False
    learn: bool = True
    task: str = "modular"
    level: int = 1
    width: int = 64
    layers: int = 1
    train: int = 1500
    warm: int = 1000
    ready: float = 0.35
    budget: int = 30_000
    rounds: int = 3
    batch: int = 64
    samples: int = 4
    minibatches: int = 2
    rate: float = 5e-4
    critic: float = 0.1
    looks: int = 16
    tests: int = 64

    def __post_init__(self) -> None:
        if self.author not in ("self", "base"):
            raise ValueError(f"setting author takes self or base; got {self.author}")
        if not 0 <= self.share <= 0.5:
            raise ValueError(f"setting share is from 0 to 0.5, for a solution is marked once at most; got {self.share}")
        if self.batch < 2 * self.samples:
            raise ValueError(f"setting batch is at least twice samples, {2 * self.samples}; got {self.batch}")


ARMS = {
    "rise": Settings(),
    "rise_half": Settings(share=0.5),
    "solve_only": Settings(share=0.0),
    "offline": Settings(author="base"),
    "shuffled": Settings(shuffle=True),  # the control: verdicts are paid, but not for being true
    "base": Settings(learn=False),
}


def run(settings: Settings, rng: np.random.Generator, log: Any) -> dict[str, Value]:
    """Warm start, then update after update until the budget is written; exams on the way and at the end."""
    saved = log.restore()
    base = base_of(int(rng.integers(2**31)), replace(settings, share=0.0, author="self", shuffle=False, learn=True))
    learner = new_learner(base.model, settings)
    network = nn.ModuleList([learner.model, learner.head])
    done, tokens = 0, 0
    if saved:
        unpack(network, learner.optimiser, saved["network"])
        done, tokens, rng = saved["done"], saved["tokens"], saved["rng"]
    elif settings.learn:
        log.row(0, tokens=0.0, **examine(base.model, base, base.validation))
    for number in range(done + 1, settings.rounds + 1 if settings.learn else 0):
        while tokens < settings.budget * number / settings.rounds:
            rollouts, reward = solve_and_mark(learner.model, base, settings, rng)
            improve(learner, base.model, rollouts, reward, settings, rng)
            tokens += int((rollouts.turn >= 0).sum())
        log.row(number, tokens=float(tokens), **examine(learner.model, base, base.validation))
        state = {"done": number, "tokens": tokens, "rng": rng, "network": pack(network, learner.optimiser)}
        log.checkpoint(state)
    final = examine(learner.model, base, base.test)
    log.example(transcript(learner.model, base))
    gains = {f"{name}_gain": final[name].number - base.exam[name].number for name in ("verification", "on_base")}
    return final | {name: Value(gain, "sampled", None, "at the end less at the start") for name, gain in gains.items()}


# The mechanism: solve, mark what was solved, and follow one gradient.


class Learner(NamedTuple):
    """A policy, the value head on its last layer, and the optimiser of both."""

    model: Transformer
    head: nn.Linear
    optimiser: torch.optim.Optimizer


def solve_and_mark(
    model: Transformer, base: "Base", settings: Settings, rng: np.random.Generator
) -> tuple[Rollouts, np.ndarray]:
    """A batch: solutions, then verdicts on some of them, and the reward float64[B] of each. Figure 1 of the paper."""
    marked = round(settings.share * settings.batch)
    count = (settings.batch - marked) // settings.samples
    chosen = [base.train[number] for number in rng.choice(len(base.train), count, replace=False)]
    asked, solved = solve(model, base, chosen, settings.samples, rng)
    reward = solution_scores(base.task, asked, solved.reply)
    if not marked:
        return solved.rollouts, reward
    shown, truth = solved.reply, reward
    if settings.author == "base":
        shown = solve(base.model, base, chosen, settings.samples, rng)[1].reply
        truth = solution_scores(base.task, asked, shown)
    some = evenly(solved.problem, marked, rng)
    truth = rng.permutation(truth[some]) if settings.shuffle else truth[some]
    verdicts = mark(model, base, [asked[row] for row in some], [shown[row] for row in some], rng)
    return join([solved.rollouts, verdicts]), np.append(reward, verdict_scores(texts(base.words, verdicts), truth))


def improve(
    learner: Learner,
    frozen: Transformer,
    rollouts: Rollouts,
    reward: np.ndarray,
    settings: Settings,
    rng: np.random.Generator,
) -> None:
    """One update of proximal policy optimisation. Schulman et al. (2017), arXiv:1707.06347, algorithm 1, equation 9.

    The reward float64[B] comes with a reply's last token, and every token pays for leaving the frozen policy.
    """
    model, head, optimiser = learner
    written = rollouts.turn >= 0
    with torch.no_grad():
        value = score_and_value(model, head, rollouts)[1].numpy()
        drift = rollouts.log_prob - score(frozen, rollouts).log_prob.numpy()
    earned = last_token(reward[:, None], rollouts.turn) - PENALTY * drift
    advantage = gae(value, earned, written, DISCOUNT, DECAY)
    target = advantage + value
    advantage = (advantage - advantage[written].mean()) / (advantage[written].std() + 1e-8)
    for rows in np.array_split(rng.permutation(len(reward)), settings.minibatches):
        part = Rollouts(*(array[rows] for array in rollouts))
        now, guess = score_and_value(model, head, part)
        loss = clipped(now, part.log_prob, advantage[rows], CLIP, CLIP) - ENTROPY * now.entropy
        loss = loss + settings.critic * value_loss(guess, value[rows], target[rows])
        descend(model, optimiser, mean_per_token(loss, now.written))


def value_loss(guess: Tensor, old: np.ndarray, target: np.ndarray) -> Tensor:
    """float32[B, L]: half the squared error of the value, or of the value kept near the old one: the larger of both."""
    before, aim = torch.from_numpy(old).to(guess.dtype), torch.from_numpy(target).to(guess.dtype)
    near = before + (guess - before).clamp(-VALUE_CLIP, VALUE_CLIP)
    return torch.maximum((guess - aim) ** 2, (near - aim) ** 2) / 2


def new_learner(model: Transformer, settings: Settings) -> Learner:
    """A copy of the model with a head that gives every state the value 0."""
    model, head = copy.deepcopy(model), nn.utils.skip_init(nn.Linear, settings.width, 1)  # no global generator
    with torch.no_grad():
        head.weight.zero_()
        head.bias.zero_()
    weights = [*model.parameters(), *head.parameters()]
    return Learner(model, head, torch.optim.AdamW(weights, settings.rate, weight_decay=0.0))


# Solutions, verdicts, and what they are worth


def solution_scores(task: Task, asked: Sequence[Problem], replies: Sequence[str]) -> np.ndarray:
    """float64[B]: what the rule verifier gives each reply to the problem of the same place."""
    verifier = exact(task)
    scores = []
    for problem, reply in zip(asked, replies, strict=True):
        if task.answer_of(problem, reply) is None:
            scores.append(UNREAD)
        else:
            scores.append(RIGHT if verifier.score(problem, reply) == 1 else WRONG)
    return np.array(scores)


def solve(
    model: Transformer, base: "Base", chosen: Sequence[Problem], count: int, rng: np.random.Generator
) -> tuple[list[Problem], Answers]:
    """`count` replies to each problem, and the problem of each reply."""
    solved = answers(model, base.words, chosen, rng, count, base.longest)
    return [chosen[number] for number in solved.problem], solved


def verdict_prompt(problem: Problem, reply: str) -> str:
    return " ".join(f"{problem.prompt} {reply} {RATE}".split())


def mark(
    model: Transformer, base: "Base", asked: Sequence[Problem], replies: Sequence[str], rng: np.random.Generator
) -> Rollouts:
    """The model's verdict on each reply to the problem of the same place."""
    prompts = base.words.rows([verdict_prompt(problem, reply) for problem, reply in zip(asked, replies, strict=True)])
    return rollout(model, prompts, rng.random((len(prompts), base.longest)), base.words.stop)


def verdict_of(reply: str) -> float | None:
    """The score that a verdict names: its last word, where no other is one too. None where it cannot be read."""
    words = reply.split()
    said = [word for word in words if word in VERDICTS]
    return VERDICTS[said[0]] if len(said) == 1 and words[-1] == said[0] else None


def verdict_scores(replies: Sequence[str], truth: np.ndarray) -> np.ndarray:
    """float64[B]: a verdict is paid as a solution is, and is right where it names the solution's score, truth[B]."""
    said = [verdict_of(reply) for reply in replies]
    pairs = zip(said, truth, strict=True)
    return np.array([UNREAD if one is None else RIGHT if one == score else WRONG for one, score in pairs])


def evenly(problem: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """int64[count]: rows drawn at random, as many of each problem as of any other, or one more."""
    order = rng.permutation(len(problem))
    turn = np.array([(problem[order[:place]] == problem[row]).sum() for place, row in enumerate(order)])
    return np.sort(order[np.argsort(turn, kind="stable")][:count])


# The warm start: a base model that solves some problems and knows what a verdict looks like


class Base(NamedTuple):
    """What all arms of a seed start from.

    longest  tokens of a reply at most
    model    not to be changed
    exam     what the model reaches on the test problems
    steps    how many the imitation of solutions took
    """

    seed: int
    task: Task
    words: Words
    train: list[Problem]
    validation: list[Problem]
    test: list[Problem]
    longest: int
    model: Transformer
    exam: dict[str, Value]
    steps: int


@lru_cache(maxsize=32)  # the arms of a seed share it where they run in one process; it depends on nothing else
def base_of(seed: int, settings: Settings) -> Base:
    rng = np.random.default_rng(seed)
    task = load(settings.task)
    words = Words((*task.words, RATE, *VERDICTS))
    train = problems(task, Train(seed), settings.level, settings.train)
    validation = problems(task, Validation(seed), settings.level, settings.looks)
    test = problems(task, Test(seed), settings.level, settings.tests)
    longest = max(len(task.work(problem, rng).split()) for problem in train) + 2
    context = max(len(problem.prompt.split()) for problem in (*train, *validation, *test)) + 2 * longest + 1
    steps = min(FIRST, settings.warm)
    size = Size(settings.layers, settings.width, 4, context, words.size)
    model = taught(task, words, train, size, rng, steps)
    base = Base(seed, task, words, train, validation, test, longest, model, {}, steps)
    optimiser = torch.optim.AdamW(model.parameters(), 0.003)
    examples = join([demonstrations(task, words, train, rng), verdict_lessons(base, rng)])
    while steps < settings.warm and sit(model, base, validation, 8, rng).correct.mean() < settings.ready:
        imitate(model, optimiser, examples, rng, MORE, 64)
        steps += MORE
    return base._replace(steps=steps, exam=examine(model, base, test))


def verdict_lessons(base: Base, rng: np.random.Generator) -> Rollouts:
    """A verdict for each training problem, to imitate: the chain worked again, then what the solution is given.

    Of the solutions shown 45% are worked ones, 45% are those of another problem, and 10% break off before the answer.
    """
    says = {score: word for word, score in VERDICTS.items()}
    shown, told = [], []
    for problem in base.train:
        kind, other = rng.random(), base.train[rng.integers(len(base.train))]
        again = base.task.work(problem, rng)
        reply = again if kind < 0.55 else base.task.work(other, rng)
        shown.append(before_answer(reply) if kind < 0.1 else reply)
        told.append(before_answer(again))
    given_ = solution_scores(base.task, base.train, shown).tolist()
    asked = [verdict_prompt(problem, reply) for problem, reply in zip(base.train, shown, strict=True)]
    told = [f"{work} {says[score]}" for work, score in zip(told, given_, strict=True)]
    return given(base.words.rows(asked), base.words.rows(told, ended=True))


def before_answer(reply: str) -> str:
    return reply.rsplit(" so ", 1)[0]


# Exams


class Exam(NamedTuple):
    """Q problems, each solved S times and each solution marked once.

    correct   bool[Q, S]
    said      float64[Q, S], the score that the verdict names; NaN where it cannot be read
    accepted  bool[Q, S], said to be right; a verdict that cannot be read counts as the false one
    """

    solved: Answers
    correct: np.ndarray
    said: np.ndarray
    accepted: np.ndarray


def sit(
    model: Transformer,
    base: Base,
    chosen: Sequence[Problem],
    count: int,
    rng: np.random.Generator,
    author: Transformer | None = None,
) -> Exam:
    """The exam; with `author` it is another model's solutions that are marked."""
    asked, solved = solve(author or model, base, chosen, count, rng)
    verdicts = texts(base.words, mark(model, base, asked, solved.reply, rng))
    correct = (solution_scores(base.task, asked, solved.reply) == RIGHT).reshape(-1, count)
    said = np.array([np.nan if said is None else said for said in map(verdict_of, verdicts)]).reshape(-1, count)
    return Exam(solved, correct, said, np.where(np.isnan(said), ~correct, said == RIGHT))


def examine(model: Transformer, base: Base, chosen: Sequence[Problem]) -> dict[str, Value]:
    """What there is to measure, SAMPLES replies to a problem; the same random numbers whatever the model."""
    rng = np.random.default_rng([base.seed, len(chosen)])
    of_base = sit(model, base, chosen, VOTERS, rng, author=base.model)
    solved, correct, said, accepted = sit(model, base, chosen, SAMPLES, rng)
    pairs = zip(solved.problem, solved.reply, strict=True)
    found = [base.task.answer_of(chosen[number], reply) for number, reply in pairs]
    answer = numbered([found[row : row + SAMPLES] for row in range(0, len(found), SAMPLES)])
    vote = answer[:, :VOTERS], correct[:, :VOTERS]
    majority = majority_vote(*vote, rng)
    weighted = weighted_vote(*vote, np.nan_to_num((said[:, :VOTERS] + 1) / 2), rng)
    with torch.no_grad():
        now = score(model, solved.rollouts)
    unread = np.isnan(said).mean(axis=1)
    return {
        "score": mean_over_problems(correct.mean(axis=1), rng, (0.0, 1.0), f"right replies of {SAMPLES}"),
        "pass_1": pass_at_k(correct, 1, rng),
        "pass_32": pass_at_k(correct, SAMPLES, rng),
        "distinct": distinct_correct(answer, correct, rng),
        "entropy": token_entropy(now.entropy.numpy(), now.written.numpy(), solved.problem, rng),
        "verification": balanced_accuracy(accepted, correct, rng),
        "on_base": balanced_accuracy(of_base.accepted, of_base.correct, rng),
        "accepted": mean_over_problems((said == RIGHT).mean(axis=1), rng, (0.0, 1.0), "solutions called right"),
        "unread_verdicts": mean_over_problems(unread, rng, (0.0, 1.0), "verdicts that cannot be read"),
        "majority": majority,
        "weighted": weighted,
        "vote_gain": Value(weighted.number - majority.number, "sampled", None, "weighted vote less majority"),
    }


def transcript(model: Transformer, base: Base) -> str:
    """Four test problems, solved and marked once."""
    rng = np.random.default_rng(base.seed)
    asked, solved = solve(model, base, base.test[:4], 1, rng)
    verdicts = texts(base.words, mark(model, base, asked, solved.reply, rng))
    truth = solution_scores(base.task, asked, solved.reply)
    lines = [
        f"{problem.prompt}  The policy: {reply or 'nothing'}.  The rule gives {given_:g}.  Its verdict: {verdict}."
        for problem, reply, given_, verdict in zip(asked, solved.reply, truth, verdicts, strict=True)
    ]
    return "\n".join(lines)


RECIPE = Recipe(
    slug="rise-verify",
    arms=ARMS,
    run=run,
    claims=(
        Higher("rise", than=0.15, metric="verification_gain"),
        Higher("rise", than=0.15, metric="on_base_gain"),
        Higher("rise", than="solve_only", metric="verification"),
        NotWorse("rise", than="solve_only", metric="score", margin=0.01, control="base"),
        Higher("rise", than="solve_only", metric="score"),
        Higher("rise", than="offline", metric="verification"),
        Trend((("rise_half", 0.5), ("rise", 0.25), ("solve_only", 0.0)), metric="verification"),
        Higher("rise", than=0.0, metric="vote_gain"),
    ),
    control="shuffled",
    seeds=8,
    minutes=8,
    quick={
        "level": 0,
        "width": 16,
        "train": 60,
        "warm": 75,
        "ready": 1.0,
        "budget": 100,
        "rounds": 1,
        "batch": 16,
        "looks": 3,
        "tests": 4,
    },
    metrics={
        "score": ("share", "replies to test problems that are right, at temperature 1"),
        "pass_1": ("share", "the same"),
        "pass_32": ("share", "problems that one of 32 replies solves"),
        "distinct": ("answers", "different right answers to a problem; there is only one"),
        "entropy": ("nats", "how undecided the policy is, mean over the tokens of its solutions"),
        "verification": ("share", "own right solutions called right and own wrong ones not, the mean of both shares"),
        "verification_gain": ("share", "the same, less what the base model reached"),
        "on_base": ("share", "the same as verification, of the solutions of the base model"),
        "on_base_gain": ("share", "the same, less what the base model reached"),
        "accepted": ("share", "own solutions called right"),
        "unread_verdicts": ("share", "verdicts that cannot be read; they count as wrong ones"),
        "majority": ("share", "problems whose most frequent answer of 8 is right"),
        "weighted": ("share", "the same, each reply counting as its verdict says: right 1, wrong 1/4, unread 0"),
        "vote_gain": ("share", "the weighted vote less the majority vote"),
        "tokens": ("tokens", "written by the policy since the warm start"),
    },
    watch="verification",
)
