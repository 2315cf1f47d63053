"""Learning from examples, an expert's or one's own: sample, judge, keep, imitate.

A round of self-training is these four in a row, and methods differ in how they fill them in. STaR (Zelikman et al.
2022, arXiv:2203.14465) keeps one right reply per problem and imitates from the first model again; ReST-EM (Singh et al.
2023, arXiv:2312.06585) keeps at most ten distinct right ones, from the first model again; online rejection fine-tuning
goes on from the last model; B-STaR (Zeng et al. 2024, arXiv:2412.17256) tunes temperature and threshold each round.

    found = answers(model, words, problems, rng, count=16, longest=24)
    score = np.array([verifier.score(problems[each], reply) for each, reply in zip(found.problem, found.reply)])
    mine = select(found.rollouts, keep(found, score, at_least=1.0, most=4))
    imitate(model, optimiser, mine, rng, steps=50, batch=64)
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from ludus import tasks
from ludus.learn.objective import mean_per_token, score
from ludus.learn.policy_gradient import descend
from ludus.learn.rollout import Rollouts, given, rollout, select, texts
from ludus.models.transformer import Size, Transformer
from ludus.models.words import Words
from ludus.tasks import Problem, Task, Train


class Answers(NamedTuple):
    """Replies to problems, B in all.

    rollouts  B rows of one turn
    problem   int64[B], which problem a reply answers, by its place in the list
    reply     B texts
    """

    rollouts: Rollouts
    problem: np.ndarray
    reply: list[str]


def answers(
    model: Transformer,
    words: Words,
    problems: Sequence[Problem],
    rng: np.random.Generator,
    count: int,
    longest: int,
    temperature: float = 1.0,
) -> Answers:
    """`count` replies to each problem, of at most `longest` tokens, the end included; a problem's stand together."""
    which = np.repeat(np.arange(len(problems)), count)
    prompts = words.rows([problem.prompt for problem in problems])[which]
    rollouts = rollout(model, prompts, rng.random((len(which), longest)), words.stop, temperature)
    return Answers(rollouts, which, texts(words, rollouts))


def demonstrations(task: Task, words: Words, problems: Sequence[Problem], rng: np.random.Generator) -> Rollouts:
    """An expert's worked reply to each problem, to imitate."""
    worked = words.rows([task.work(problem, rng) for problem in problems], ended=True)
    return given(words.rows([problem.prompt for problem in problems]), worked)


def keep(found: Answers, score: np.ndarray, at_least: float, most: int) -> np.ndarray:
    """int64[K]: rows whose score[B] reaches `at_least`, each text once per problem, at most `most` for a problem.

    Where there are more, the better ones stay, and of equals the earlier.
    """
    rows: list[int] = []
    taken: dict[int, set[str]] = {}
    for row in np.argsort(-score, kind="stable"):
        texts_of = taken.setdefault(int(found.problem[row]), set())
        if score[row] >= at_least and found.reply[row] not in texts_of and len(texts_of) < most:
            texts_of.add(found.reply[row])
            rows.append(int(row))
    return np.sort(np.array(rows, np.int64))


def imitate(
    model: Transformer,
    optimiser: torch.optim.Optimizer,
    examples: Rollouts,
    rng: np.random.Generator,
    steps: int,
    batch: int,
) -> float:
    """Steps of descent on minus the mean log-probability per written token, over shuffled examples again and again.

    Returns the loss of the last batch, in nats a token. Raises ValueError where there is no example.
    """
    count = len(examples.tokens)
    if not count:
        raise ValueError("examples: there is none to imitate; keep more of them, or skip the round")
    rounds = -(-steps * batch // count)
    rows = np.concatenate([rng.permutation(count) for _ in range(rounds)] or [np.zeros(0, np.int64)])
    last = float("nan")
    for step in range(steps):
        now = score(model, select(examples, rows[step * batch : (step + 1) * batch]))
        loss = mean_per_token(-now.log_prob, now.written)
        descend(model, optimiser, loss)
        last = float(loss.detach())
    return last


class Start(NamedTuple):
    """Where recipes begin that can be compared: the same in all that ask for it in the same words.

    seed      of the problems: Validation(seed) and Test(seed) name those that are not learnt from
    task      its problems are `level` of it
    words     the task's
    problems  to learn from
    model     a base model that has imitated worked replies; not to be changed
    """

    seed: int
    task: Task
    words: Words
    problems: list[Problem]
    model: Transformer


def start(
    task: str,
    level: int,
    layers: int,
    width: int,
    warm: int,
    longest: int,
    rng: np.random.Generator,
    problems: int = 2048,
) -> Start:
    """A base model after `warm` steps of imitation, 32 replies each; the first to draw from `rng`.

    longest  tokens of a reply, for which the model has room
    AdamW's rate is 0.003 up to a width of 64, and falls as 1 / width above it: Yang et al. (2022), arXiv:2203.03466.
    The same arguments and a Generator in the same state give the same start, in every arm and in every recipe.
    """
    seed, found = int(rng.integers(2**31)), tasks.load(task)
    words = Words(found.words)
    chosen = tasks.problems(found, Train(seed), level, problems)
    examples = demonstrations(found, words, chosen, rng)
    prompt = max(len(problem.prompt.split()) for problem in chosen)
    room = 2 * prompt + max(longest, examples.tokens.shape[1] - prompt)  # prompts of exams may be longer
    model = Transformer(Size(layers, width, 4, room, words.size), rng)
    rate = 0.003 * min(1, 64 / width)
    imitate(model, torch.optim.AdamW(model.parameters(), rate), examples, rng, warm, 32)
    return Start(seed, found, words, chosen, model)


def taught(
    task: Task,
    words: Words,
    problems: Sequence[Problem],
    size: Size,
    rng: np.random.Generator,
    steps: int,
    batch: int = 64,
) -> Transformer:
    """A base model, to improve: a fresh transformer after `steps` of imitating worked replies, AdamW at 0.003.

    The same arguments and a Generator in the same state give the same model.
    """
    model = Transformer(size, rng)
    optimiser = torch.optim.AdamW(model.parameters(), 0.003)
    imitate(model, optimiser, demonstrations(task, words, problems, rng), rng, steps, batch)
    return model
