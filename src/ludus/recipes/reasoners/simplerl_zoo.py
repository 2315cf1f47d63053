"""SimpleRL-Zoo: reinforcement learning from unlike base models, with rewards that are rules.

Paper     SimpleRL-Zoo: Investigating and Taming Zero Reinforcement Learning for Open Base Models in the Wild; Zeng,
          Huang, Liu and others (2025), arXiv:2503.18892. The algorithm is GRPO, Shao et al. (2024), arXiv:2402.03300,
          equations 3 and 4.
There     Ten base models of 0.5 to 32 billion weights (Llama, Mistral, DeepSeek, Qwen) learn from 8,000 problems of
          school mathematics in three difficulties, 8 replies to each, paid 1 for a right answer and nothing else.
          Means over benchmarks rise in all ten: Mistral-7B from 5.3 to 18.6, Llama-3.1-8B from 10.6 to 22.0,
          Qwen2.5-0.5B from 12.1 to 20.9. Paying -1 for a missing format hurts bases that do not follow formats;
          problems too hard for a base make it collapse. Replies mostly grow longer, and that is not always because
          they verify more; in small models outside of Qwen's family verification is seen to rise, the "aha moment".
Here      Chains of 4 sums, differences and products of digits. Eight GPTs of one layer and some thousands of weights
          differ in width and in the texts that they have imitated: which share works the problem out, which checks
          that (and finds a slip in half of the checks), and which ends in the rigid form, "so" and a number. The last
          number of a reply is its answer. GRPO until 24,000 words are sampled, some 20 rounds of 16 problems with 8
          replies each; clip, divergence, entropy, group and minibatches as in the authors' scripts, and losses averaged
          over all words as in the paper. Rewards: right or wrong; with the format reward -1 for what is not in rigid
          form. The weak base, "raw", is half as wide as the middle one and has seen the form in 2% of its texts; its
          twin "small" in half of them. Easy problems have 2 operations, hard ones 6. The exam has 64 problems of 4
          operations that nobody trains on, 16 replies to each; 8 seeds, and arms of a seed share base and problems.
Claims    In each of the eight models 1. to 8. accuracy rises by 3 points (the paper's "most" is five of eight; control,
          also of 14 and 15: rewards change hands within each group).
          The format reward lowers the final accuracy by 3 points 9. of the weak base, and 10. of a wider one that does
          not know the form either (controls: what is demanded is a number, which all replies have). 11. It lowers it
          more in the weak base than in its twin that knows the form.
          12. Hard and 13. easy problems bring 10 points less than matched ones (control: hard problems, and rewards
          that change hands).
          14. In the middle model replies grow longer by a tenth while verification rises by less than 5 points.
          15. In the small model verification rises.
Leaves    Models that have read of anything else, and reasoning of more than some dozen words. Behaviours are told by
          words and results, where the paper asks a language model; enumeration has no counterpart here. A word budget
          ends training in all arms, so terse models get more rounds and models that write more get fewer; "rounds" says
          how many. Hard problems get no fewer than matched ones.
          The paper's text on the format reward could not be read in full; that it is -1 for a missing format, with no
          more than that, is taken from accounts of it. The rate is a thousand times the authors', for models as small.
          Pilots on root seed 999 (one seed) chose the task's wording, width, shares and steps of pre-training by the
          bases' accuracy (0.15 to 0.6), and the rate, 1e-3 over 3e-3, by that of the middle model. Then one seed of
          eleven arms was seen: claim 14 was to be of the terse model, which grew terser still, and is now of the middle
          model, where it was seen; "at least one family" was so chosen there and is tested on other seeds. The margin
          of 10 points in 12 and 13 is ours, set with that seed in sight (gains of 41 matched, 14 easy, -9 hard).
          Seen in the record and not claimed: in the middle, large and formless models replies grow longer by 15 to 30%
          and verification falls by 13 to 18 points, since more replies are worked out at all; among the seeds of one
          model the two go together. In the middle model length is unsteady (-8% to +45%), so 14 stays open. Recorded a
          second time, with the same root seed, after the recipe had learnt to begin where others do on any other task,
          for `ludus compare`; its curves are of 12 problems since, not 16, and nothing else was changed. Twice more
          when the engine's rounding or draws had changed: the same verdicts. Under the format reward some bases that do
          not know the form learn to write "so" again and again.
"""

from copy import deepcopy
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from ludus import tasks
from ludus.learn.advantages import group_relative, spread
from ludus.learn.objective import clipped, kl, mean_per_token, score
from ludus.learn.policy_gradient import descend
from ludus.learn.rollout import select
from ludus.learn.self_training import Answers, answers, demonstrations, imitate, start
from ludus.learn.weights import pack, unpack
from ludus.measure.answers import distinct_correct, numbered
from ludus.measure.pass_at_k import estimates
from ludus.models.transformer import Size, Transformer
from ludus.models.words import END, Words
from ludus.records import Value
from ludus.study import Higher, Interaction, Lower, Recipe
from ludus.tasks import Problem, Task, Test, Train, Validation

EASY, MATCHED, HARD = 0, 2, 4  # levels of the task: 2, 4 and 6 operations
SLIPS = 0.5  # of the checks in texts of pre-training find a slip
DEMANDS = ("", "so", "number")


@dataclass(frozen=True)
class Settings:
    """A base model, and how it is trained."""

    task: str = "arithmetic"  # the zoo's; of another task the base is that of all recipes, `self_training.start`
    width: int = 32
    layers: int = 1
    scratchpad: float = 0.4  # share of the texts of pre-training that work the problem out
    checks: float = 0.2  # share that work it out and check it; the rest says the bare answer
    form: float = 0.5  # share, of all three kinds alike, that end in the rigid form, "so" and the answer
    texts: int = 1600
    warm: int = 200  # steps of pre-training
    level: int = MATCHED  # of the problems trained on; the zoo's exam is MATCHED in every arm
    demand: str = ""  # what earns -1: "so" a reply that is not in the rigid form, "number" one without a number
    shuffled: bool = False  # rewards change hands within each group
    budget: int = 24_000  # words sampled in training
    problems: int = 16  # a round
    group: int = 8
    minibatches: int = 4
    clip: float = 0.2
    divergence: float = 1e-4
    entropy: float = 1e-3
    rate: float = 1e-3
    longest: int = 32  # words of a reply, its end included

    def __post_init__(self) -> None:
        tasks.load(self.task)  # raises, where there is no such task
        if self.demand not in DEMANDS:
            raise ValueError(f"demand: one of {', '.join(map(repr, DEMANDS))}; got {self.demand!r}. Write demand=so")
        if not (min(self.scratchpad, self.checks) >= 0 and self.scratchpad + self.checks <= 1):
            raise ValueError(
                f"scratchpad and checks: shares of the texts, together at most 1; got {self.scratchpad} and "
                f"{self.checks}. Write scratchpad=0.4 and checks=0.2"
            )


ZOO = {
    "middle": Settings(),
    "small": Settings(width=16),
    "large": Settings(width=64),
    "terse": Settings(scratchpad=0.15, checks=0.05),
    "checker": Settings(scratchpad=0.2, checks=0.6),
    "unchecked": Settings(scratchpad=0.6, checks=0.0),
    "formless": Settings(form=0.02),
    "raw": Settings(width=16, form=0.02),
}
ARMS = {
    **ZOO,
    "raw_format": replace(ZOO["raw"], demand="so"),
    "raw_placebo": replace(ZOO["raw"], demand="number"),
    "formless_format": replace(ZOO["formless"], demand="so"),
    "formless_placebo": replace(ZOO["formless"], demand="number"),
    "small_format": replace(ZOO["small"], demand="so"),
    "easy": replace(ZOO["middle"], level=EASY),
    "hard": replace(ZOO["middle"], level=HARD),
    "shuffled": replace(ZOO["middle"], shuffled=True),
    "hard_shuffled": replace(ZOO["middle"], level=HARD, shuffled=True),
}


# --- the mechanism ----------------------------------------------------------------------------------------------------


def grpo(
    policy: Transformer,
    optimiser: torch.optim.Optimizer,
    base: Transformer,
    problems: list[Problem],
    settings: Settings,
    rng: np.random.Generator,
) -> Answers:
    """A round of group relative policy optimisation: answer, reward, compare within groups, descend; policy changes.

    Shao et al. (2024), DeepSeekMath, arXiv:2402.03300, equation 3, with the divergence from the base model of equation
    4. Departures are those of SimpleRL-Zoo: the mean is over the words of all replies alike, not first within each
    reply, and there is a small entropy term. Returns what was answered.
    """
    task, words = known(settings.task)
    found = answers(policy, words, problems, rng, settings.group, settings.longest)
    asked = [problems[which] for which in found.problem]
    reward = np.array([paid(task, one, reply, settings.demand) for one, reply in zip(asked, found.reply, strict=True)])
    if settings.shuffled:
        reward = rng.permuted(reward.reshape(-1, settings.group), axis=1).ravel()
    advantage = group_relative(reward, found.problem)
    for rows in np.array_split(rng.permutation(len(reward)), settings.minibatches):
        part = select(found.rollouts, rows)
        with torch.no_grad():
            reference = score(base, part).log_prob.numpy()
        now = score(policy, part)
        loss = clipped(now, part.log_prob, spread(advantage[rows], part.turn), settings.clip, settings.clip)
        loss = loss + settings.divergence * kl(now, reference) - settings.entropy * now.entropy
        descend(policy, optimiser, mean_per_token(loss, now.written))
    return found


def paid(task: Task, problem: Problem, reply: str, demand: str) -> float:
    """1 for a right answer, 0 for a wrong one; -1 where the reply is not as demanded, whatever its answer."""
    met = {"": True, "so": in_form(reply), "number": task.answer_of(problem, reply) is not None}[demand]
    return tasks.exact(task).score(problem, reply) if met else -1.0


def run(settings: Settings, rng: np.random.Generator, log: Any) -> dict[str, Value]:
    """Pre-train a base model, train a copy of it round by round, and examine both on the same problems."""
    few = log.quick
    if settings.task == "arithmetic":
        seed, task = int(rng.integers(2**31)), TASK
        base = pretrained(seed, settings.width, settings.layers, settings.scratchpad, settings.checks, settings.form,
                          settings.texts, settings.warm)  # fmt: skip
        examined = MATCHED
    else:
        seed, task, _, _, base = start(settings.task, settings.level, settings.layers, settings.width, settings.warm,
                                       settings.longest, rng, 16 if few else 2048)  # fmt: skip
        examined = settings.level
    exam_rng = rng.spawn(1)[0]
    pool = tasks.problems(task, Train(seed), settings.level, 20 if few else 640)
    watched = tasks.problems(task, Validation(seed), examined, 2 if few else 12)
    exam = tasks.problems(task, Test(seed), examined, 4 if few else 64)

    policy, round_, words = deepcopy(base), 0, 0
    optimiser = torch.optim.AdamW(policy.parameters(), settings.rate, weight_decay=0.0)

    def snapshot() -> None:
        seen = answers(policy, known(settings.task)[1], watched, np.random.default_rng(seed), 32, settings.longest)
        log.row(round_, tokens=words, **curve(task, policy, watched, seen))
        log.checkpoint({"round": round_, "words": words, "rng": rng, "network": pack(policy, optimiser)})

    if saved := log.restore():
        unpack(policy, optimiser, saved["network"])
        round_, words, rng = saved["round"], saved["words"], saved["rng"]
    else:
        snapshot()
    while words < settings.budget:
        chosen = [pool[which] for which in rng.choice(len(pool), settings.problems, replace=False)]
        found = grpo(policy, optimiser, base, chosen, settings, rng)
        round_, words = round_ + 1, words + int((found.rollouts.turn >= 0).sum())
        if round_ % 8 == 0 or words >= settings.budget:
            snapshot()

    before, after = (
        answers(model, known(settings.task)[1], exam, deepcopy(exam_rng), 16, settings.longest)
        for model in (base, policy)
    )
    log.example(told(task, exam, before, after))
    return ends(behaviour(task, exam, before), behaviour(task, exam, after), round_)


# --- the task, its words and its texts --------------------------------------------------------------------------------

DIGITS = tuple(map(str, range(10)))
OPERATIONS = tuple(sign + digit for sign in "+-*" for digit in DIGITS[1:])
APPLY = {"+": lambda one, other: one + other, "-": lambda one, other: one - other, "*": lambda one, other: one * other}


def reworded(task: Task) -> Task:
    """The task with an operation as one word, "+5". The last number in a reply is its answer, in whatever form."""

    def draw(rng: np.random.Generator, level: int) -> Problem:
        problem = task.draw(rng, level)
        start, chain, _ = problem.key
        return problem._replace(prompt=" ".join([str(start), *(f"{sign}{operand}" for sign, operand in chain), "?"]))

    def last_number(problem: Problem, reply: str) -> str | None:
        return next((word for word in reversed(reply.split()) if word in DIGITS), None)

    return task._replace(words=(*DIGITS, *OPERATIONS, "?", "so", "check"), draw=draw, answer_of=last_number)


TASK = reworded(tasks.load("arithmetic"))
WORDS = Words(TASK.words)


def known(name: str) -> tuple[Task, Words]:
    """The zoo's arithmetic, or another task as it is."""
    if name == "arithmetic":
        return TASK, WORDS
    task = tasks.load(name)
    return task, Words(task.words)


def text(problem: Problem, scratchpad: float, checks: float, form: float, rng: np.random.Generator) -> str:
    """A reply as texts of pre-training have it: "+5 8 -2 6 so 6". A check does the problem again from its start.

    Kind and form are drawn apart from each other, so that neither tells of the other. A check that finds a slip breaks
    off after the first wrong number: "+5 8 -2 7 check +5 8 -2 6".
    """
    value, chain, answer = problem.key
    worked: list[str] = []
    for sign, operand in chain:
        value = APPLY[sign](value, operand)
        worked += [f"{sign}{operand}", str(value)]
    kind, ending = rng.random(2)
    if kind < checks:
        first = worked
        if rng.random() < SLIPS:
            step = 2 * int(rng.integers(1, len(chain) + 1))
            wrong = rng.choice([digit for digit in DIGITS if digit != worked[step - 1]])
            first = [*worked[: step - 1], str(wrong)]
        worked = [*first, "check", *worked]
    elif kind >= checks + scratchpad:
        worked = []
    if ending < form:
        return " ".join([*worked, "so", str(answer)])
    return " ".join(worked or [str(answer)])


@lru_cache(maxsize=256)  # arms of a seed share their base; it is never changed
def pretrained(
    seed: int, width: int, layers: int, scratchpad: float, checks: float, form: float, texts: int, warm: int
) -> Transformer:
    """A base model: an imitator of texts on problems that are mostly easy to matched, and rarely harder."""
    rng = np.random.default_rng(seed)
    counts = (np.array([6, 6, 4, 1]) * texts) // 17
    read = [one for level, count in enumerate(counts) for one in tasks.problems(TASK, Train(seed), level, int(count))]
    writer = TASK._replace(work=lambda problem, rng: text(problem, scratchpad, checks, form, rng))
    model = Transformer(Size(layers, width, 2, 48, WORDS.size), rng)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.ndim == 2:
                weight.mul_(
                    5
                )  # GPT-2's spread of 0.02 is for wide models; narrow ones hardly start to learn from there
    imitate(model, torch.optim.AdamW(model.parameters(), 0.01), demonstrations(writer, WORDS, read, rng), rng, warm, 64)
    return model


# --- what is measured -------------------------------------------------------------------------------------------------


def in_form(reply: str) -> bool:
    """Does a reply end in "so" and a number?"""
    last = reply.split()[-2:]
    return len(last) == 2 and last[0] == "so" and last[1] in DIGITS


def tags(reply: str) -> dict[str, bool]:
    """Which behaviours of Gandhi et al. (2025), arXiv:2503.01307, a reply shows; enumeration has no counterpart.

    verification  it has a check
    backtracking  after a check a step comes out otherwise than before it
    subgoals      it has a result on the way: an operation and a number behind it
    """
    words = reply.split()
    first, *again = (numbers_of(part.split()) for part in " ".join(words).split("check"))
    return {
        "verification": "check" in words,
        "backtracking": any(one != other for part in again for one, other in zip(first, part, strict=False)),
        "subgoals": bool(first) or any(again),
    }


def numbers_of(words: list[str]) -> list[str]:
    """The number that stands behind each operation, step by step."""
    return [after for word, after in pairwise(words) if word in OPERATIONS and after in DIGITS]


def marks(task: Task, problems: list[Problem], found: Answers) -> np.ndarray:
    """float64[B]: the exact score of each reply."""
    asked = [problems[which] for which in found.problem]
    return np.array([tasks.judge(task).mark(one, reply) for one, reply in zip(asked, found.reply, strict=True)])


def behaviour(task: Task, problems: list[Problem], found: Answers) -> dict[str, float]:
    """Means over replies; length in words, the end included."""
    right = marks(task, problems, found)
    shown = [tags(reply) for reply in found.reply]
    return {
        "accuracy": float(right.mean()),
        "length": float((found.rollouts.turn >= 0).sum() / len(right)),
        "in_form": float(np.mean([in_form(reply) for reply in found.reply])),
        "cut": float(1 - (found.rollouts.tokens == END).sum() / len(right)),
    } | {name: float(np.mean([one[name] for one in shown])) for name in shown[0]}


def curve(task: Task, policy: Transformer, problems: list[Problem], found: Answers) -> dict[str, float]:
    """A row of the curves, on problems for validation."""
    correct = marks(task, problems, found).reshape(len(problems), -1) == 1
    said = [task.answer_of(problems[which], reply) for which, reply in zip(found.problem, found.reply, strict=True)]
    count = correct.shape[1]
    answer = numbered([said[first : first + count] for first in range(0, len(said), count)])
    with torch.no_grad():
        now = score(policy, found.rollouts)
    shown = behaviour(task, problems, found)
    return shown | {
        "score": shown["accuracy"],
        "pass_1": shown["accuracy"],
        "pass_32": float(estimates(correct, 32).mean()),
        "distinct": distinct_correct(answer, correct, np.random.default_rng(0)).number,
        "entropy": float(now.entropy.sum() / now.written.sum()),
    }


def ends(before: dict[str, float], after: dict[str, float], rounds: int) -> dict[str, Value]:
    """The final numbers: what the trained model does, and how it differs from its base."""
    longer = after["length"] / before["length"] - 1
    verification_rise = after["verification"] - before["verification"]
    numbers = after | {
        "base": before["accuracy"],
        "gain": after["accuracy"] - before["accuracy"],
        "longer": longer,
        "verification_rise": verification_rise,
        "apart": min(longer - 0.1, 0.05 - verification_rise),
        "rounds": float(rounds),
    }
    return {name: Value(number, "sampled", None, "16 replies to each problem") for name, number in numbers.items()}


def told(task: Task, problems: list[Problem], before: Answers, after: Answers) -> str:
    """The first problem and the first reply of each model."""
    lines = [f"The problem: {problems[0].prompt}"]
    for name, found in (("base model", before), ("model after GRPO", after)):
        right = tasks.judge(task).mark(problems[0], found.reply[0]) == 1
        lines.append(f"The {name}: {found.reply[0] or '(nothing)'}   ({'right' if right else 'wrong'})")
    return "\n".join(lines)


RECIPE = Recipe(
    slug="simplerl-zoo",
    arms=ARMS,
    run=run,
    claims=(
        *(
            Higher(model, than=0.0, metric="gain", by=0.03, says=f"Accuracy of the {model} model rises by 3 points")
            for model in ZOO
        ),
        Lower(
            "raw_format",
            than="raw",
            metric="accuracy",
            by=0.03,
            control="raw_placebo",
            says="The format reward costs the weak base 3 points of final accuracy",
        ),
        Lower(
            "formless_format",
            than="formless",
            metric="accuracy",
            by=0.03,
            control="formless_placebo",
            says="The format reward costs a wider base that does not know the form 3 points, too",
        ),
        Interaction(
            ("raw_format", "raw"),
            than=("small_format", "small"),
            metric="accuracy",
            direction="lower",
            control="raw_placebo",
            says="It costs the base that does not know the form more than its twin that does",
        ),
        Higher(
            "middle",
            than="hard",
            metric="gain",
            by=0.1,
            control="hard_shuffled",
            says="Problems that are too hard bring 10 points less",
        ),
        Higher(
            "middle",
            than="easy",
            metric="gain",
            by=0.1,
            control="hard_shuffled",
            says="Problems that are too easy bring 10 points less",
        ),
        Higher(
            "middle",
            than=0.0,
            metric="apart",
            says="In the middle model length rises by a tenth while verification rises by less than 5 points",
        ),
        Higher(
            "small",
            than=0.0,
            metric="verification_rise",
            says="In the small model verification rises",
        ),
    ),
    control="shuffled",
    seeds=8,
    minutes=10,
    quick={"warm": 1, "texts": 34, "budget": 1, "problems": 2, "group": 4, "minibatches": 1, "longest": 6},
    metrics={
        "accuracy": ("share", "of right answers on the matched exam, 16 replies to each of 64 problems, temperature 1"),
        "base": ("share", "the same of the base model"),
        "gain": ("share", "the first less the second"),
        "length": ("words", "of a reply, the end included"),
        "longer": ("share", "by which replies are longer than the base model's"),
        "verification": ("share", "of replies with a check"),
        "verification_rise": ("share", "the same less the base model's"),
        "apart": ("share", "the lesser of: longer less a tenth, and 5 points less the rise of verification"),
        "backtracking": ("share", "of replies in which a check takes back a result"),
        "subgoals": ("share", "of replies with a result on the way"),
        "in_form": ("share", "of replies that end in the rigid form"),
        "cut": ("share", "of replies that do not end by themselves"),
        "rounds": ("rounds", "of training until the budget was spent"),
    },
    watch="accuracy",
)
