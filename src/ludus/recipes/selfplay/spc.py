"""SPC: one copy of a model spoils steps of a derivation unseen, another learns from it to judge steps.

Paper     SPC: Evolving Self-Play Critic via Adversarial Games for LLM Reasoning. Chen, Zhang, Ma, Wang, Liang, Tu, Li,
          Wong (2025), arXiv:2504.19162, NeurIPS 2025; the game is its figure 2, the update is called by the authors'
          script rl_critic.sh.
There     Two copies of Qwen2.5-7B. A sneaky generator picks one of five types of error and rewrites a right step into a
          wrong one, which counts where it really lowers the rate of success; a critic writes a critique and a verdict.
          The winner is paid 1, the loser -1. After a round of imitation both learn offline, for two rounds, from all
          games so far; generators meet critics of an earlier generation, because their own finds them too easily. On
          ProcessBench the critic rises from 70.8% to 77.7%, and steps that it accepts make better searches.
Here      Chains of three operations on digits (tasks/arithmetic.py, level 1), step by step: "4 + 3 =" and a number.
          A transformer of one layer, eight heads and width 32 imitates right numbers, 512 judged steps ("judge 4 + 3 =
          8": "7 wrong", a critique and a verdict) and 256 errors ("spoil 4 + 3 = 7": "slip 8"), and is copied into
          critic and generator. A slip is one off, a leap further; skip repeats the number before, copy the operand,
          sign does another operation. What the exact checker finds wrong, in step and in final answer, is played, with
          as many right steps. Four rounds of up to 128 wrong steps; every update begins again from the imitators, with
          all games so far: ratio of the whole reply's probability now and in the game, times reward less 0.1
          log(policy / imitator), plus 0.15 times imitation, twelve epochs. A separate solver that has
          learned too little makes the errors that critics are tested on: steps up to the first wrong one, 100 problems
          of 8 samples.
          Beside SPC: imitation alone; any other number in the place of a generator's, 128 a round; a generator that
          does not evolve; games with the critic of its own generation; a generator that evolves alone, against the
          imitator; rewards dealt out at random (control); an imitator whose scores are dealt out at random (control of
          the search). 12 seeds.
Claims    1. SPC ends with at least 3 points more of balanced accuracy on natural steps than imitation alone.
          2. It ends with more than a critic trained on equally many random corruptions.
          3. Accuracy rises from the first round to the last.
          4. The pair ends nearer to an equilibrium of its game of error types against thresholds of acceptance than
          imitators are: less to gain for both best responses together.
          5. Beam search by the critic solves more than the majority vote of as many samples of the solver.
          Ablations: it ends with more balanced accuracy 6. than with a frozen generator, 7. than with a generator that
          evolves alone, 8. than with games inside a generation.
Leaves    Language. Of the paper, abstract, authors' page, summaries, a review and the authors' repository were read,
          not the text: how often it asks a solver to validate a step, how it mixes generations after the second round,
          and how it searches could not be confirmed. Here validation is exact, generators meet the critic before their
          own, and the beam takes the sum of log-probabilities of "right". The loss is that of the code which theirs
          grew from (Cheng et al. 2024, SPAG, arXiv:2404.10642), with whole replies where that takes means per token,
          and without its clip, which would stop at a fifth from the imitator. A reply has two words; a critic sees the
          step alone. There are only 112 right steps, so problems of Train and Test share steps: what is new in a test
          is who errs, not where. A pair is measured by its own generator, so claim 4 is about pairs, not about critics
          against one yardstick. Pilots on root seed 999 chose sizes, heads and updates of imitation, so that it ends
          near 0.6 by itself (a critic without a critique, or with two heads, learned too slowly for the time there is),
          and the rate, 0.001 then, by the critic on random corruptions; epochs were the script's three. In three of
          their seeds, with one epoch more, SPC came out 11 points above imitation and level with random corruptions;
          claim 2 stays as the row has it. A first study so made, 8 seeds on root seed 0, decided little: claim 7 failed
          and the rest was open. Why was looked at after it: imitators of two of its 8 seeds judge no better than a
          coin, and an update made some two dozen steps of descent where the authors make a thousand. With 12 epochs at
          0.003, on two pilot seeds, SPC ended 3 and 14 points above imitation, and again level with random corruptions.
          This second study has those, the same claims, and 12 seeds of root seed 1, unseen before it. Random
          corruptions teach more in it, by 3 points, perhaps since there are few ways to be wrong in a step as small as
          these, and all are seen; not looked into. It was recorded three times more on the same seeds,
          when the quick mode was cut and twice when the engine's rounding or draws had changed: claim 1 had p = 0.052,
          0.034 and 0.045, and has 0.032 now, so it lies near the edge; the other verdicts were the same each time.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ludus.learn.objective import score
from ludus.learn.policy_gradient import descend
from ludus.learn.rollout import Rollouts, given, join, rollout, select, texts
from ludus.learn.self_training import imitate
from ludus.measure.answers import majority_vote, numbered
from ludus.models.transformer import Size, Transformer, causal
from ludus.models.words import Words
from ludus.normal_form import normal_form
from ludus.records import Value
from ludus.solve.zero_sum import zero_sum
from ludus.study import Higher, Lower, Recipe
from ludus.tasks import Problem, Split, Test, Train, Validation, arithmetic, problems

TYPES = ("slip", "leap", "skip", "copy", "sign")
VERDICTS = ("wrong", "right")
WORDS = Words((*arithmetic.TASK.words, "solve", "spoil", "judge", *TYPES, *VERDICTS))
CONTEXT, HEADS = 9, 8  # tokens of a role, a step and a reply of two words with its end; heads, one for each word read
THRESHOLDS = np.array([0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95])
OWN = 5  # the critic's own threshold among them: it accepts what is rather right than wrong


@dataclass(frozen=True)
class Settings:
    """One arm.

    wrong    where wrong steps come from: a generator that evolves or is frozen after imitation, or random corruptions;
             where there are none, nothing is played and the copies stay imitators
    critic   which generation judges a generator's games: the one before its own, its own, or the first
    dealt    whether rewards are dealt out at random among a role's replies of a round
    blind    whether the scores that guide the search are dealt out at random among the candidates
    games    wrong steps a round, at most, and as many right ones
    warm     updates of imitation for the base; weak: for the solver whose errors are judged; lessons: for each copy
    taught   steps whose judgements and errors are imitated
    problems to train on; tests: to test on; for the curve, two fifths as many
    samples  of the solver for each test problem, in the vote and at each place of the search
    """

    wrong: Literal["evolving", "frozen", "random", "none"] = "evolving"
    critic: Literal["before", "same", "first"] = "before"
    dealt: bool = False
    blind: bool = False
    rounds: int = 4
    games: int = 128
    level: int = 1
    problems: int = 300
    width: int = 32
    layers: int = 1
    warm: int = 150
    weak: int = 100
    taught: int = 256
    lessons: int = 15
    epochs: int = 12
    batch: int = 128
    rate: float = 0.003
    kl: float = 0.1
    imitation: float = 0.15
    tests: int = 100
    samples: int = 8
    beams: int = 2

    def __post_init__(self) -> None:
        if min(self.rounds, self.games, self.taught, self.batch, self.tests, self.beams) < 1:
            raise ValueError("settings: rounds, games, taught, batch, tests, beams >= 1 are needed")
        if self.samples % self.beams:
            raise ValueError(f"samples must be a multiple of beams, it was {self.samples} and {self.beams}")


ARMS = {
    "spc": Settings(),
    "sft": Settings(wrong="none"),
    "random": Settings(wrong="random"),
    "frozen_generator": Settings(wrong="frozen"),
    "same_generation": Settings(critic="same"),
    "one_sided": Settings(critic="first"),
    "dealt": Settings(dealt=True),
    "blind": Settings(wrong="none", blind=True),
}


class Step(NamedTuple):
    """An operation of a problem, "4 + 3 =", and the number that it ends in, "7"."""

    ask: str
    right: str


class Pool(NamedTuple):
    """Replies of one role in the games so far and what each was paid: B rollouts, reward float64[B]."""

    rollouts: Rollouts
    reward: np.ndarray


def run(settings: Settings, rng: np.random.Generator, log: Any) -> dict[str, Value]:
    """Teach a base, two copies of it and a weak solver; let the copies play; judge the critic on the solver's steps."""
    ground = prepare(settings, rng)
    state = log.restore() or {"critics": [], "generators": [], "pools": {}, "rng": rng, "told": ""}
    critics = [revived(ground.critic, weights) for weights in state["critics"]]
    generators = [revived(ground.generator, weights) for weights in state["generators"]]
    pools = {role: Pool(Rollouts(*pool["rollouts"]), pool["reward"]) for role, pool in state["pools"].items()}
    rng, told = state["rng"], state["told"]
    rounds = 0 if settings.wrong == "none" else settings.rounds
    for generation in range(len(critics), rounds + 1):
        if generation == 0:
            critics, generators = [ground.critic], [ground.generator]
        else:
            judge = critics[{"before": max(generation - 2, 0), "same": generation - 1, "first": 0}[settings.critic]]
            played, told = play(generators[-1], judge, ground, settings, rng)
            pools = {role: pooled(pools.get(role), pool) for role, pool in played.items()}
            critics.append(improve(ground.critic, pools["critic"], ground.judged, settings, rng))
            generators.append(ground.generator)
            if settings.wrong == "evolving":
                generators[-1] = improve(ground.generator, pools["generator"], ground.spoiled, settings, rng)
        log.row(generation, **measure(critics[-1], generators[-1], ground, ground.validation, rng))
        log.checkpoint(
            {
                "critics": [frozen(model) for model in critics],
                "generators": [frozen(model) for model in generators],
                "pools": {
                    role: {"rollouts": list(pool.rollouts), "reward": pool.reward} for role, pool in pools.items()
                },
                "rng": rng,
                "told": told,
            }
        )
    last = measure(critics[-1], generators[-1], ground, ground.test, rng)
    gain = last["balanced_accuracy"].number - balanced(critics[min(1, rounds)], ground.test)
    found = last | search(critics[-1], ground, settings, rng) | {"gain": sampled(gain, "the last round less the first")}
    log.example(tell(critics[-1], generators[-1], ground, told, rng))
    return found


# The game. A generator spoils a right step; what does spoil the answer goes to a critic, with as many right steps.


def play(
    generator: Transformer, critic: Transformer, ground: "Ground", settings: Settings, rng: np.random.Generator
) -> tuple[dict[str, Pool], str]:
    """A round of games, what both roles wrote and were paid, and one game in words.

    The critic is paid 1 for a true verdict, else -1; the generator the opposite, and -1 for what spoils nothing. Up to
    2 `games` attempts are made, and the first `games` of them that are sound are played.
    """
    attempted = [ground.steps[row] for row in rng.integers(len(ground.steps), size=2 * settings.games)]
    if settings.wrong == "random":
        attempted = attempted[: settings.games]
        wrong, wrote = [corrupted(step, rng) for step in attempted], None
    else:
        wrote = reply(generator, [spoiler(step) for step in attempted], 3, rng)
        wrong = [number_in(text) for text in texts(WORDS, wrote)]
    sound = np.array([spoils(step, text) for step, text in zip(attempted, wrong, strict=True)])
    enough = np.flatnonzero(sound.cumsum() == settings.games)
    tried = int(enough[0]) + 1 if len(enough) else len(sound)
    rows = np.flatnonzero(sound[:tried])
    right = [ground.steps[row] for row in rng.integers(len(ground.steps), size=len(rows))]
    asked = [judgement(attempted[row].ask, wrong[row]) for row in rows] + [judgement(*step) for step in right]
    judged = reply(critic, asked, 3, rng)
    said = texts(WORDS, judged)
    caught = np.array([verdict_in(text) == "wrong" for text in said[: len(rows)]], bool)
    accepted = np.array([verdict_in(text) == "right" for text in said[len(rows) :]], bool)
    pools = {"critic": Pool(judged, dealt(signs(np.r_[caught, accepted]), settings.dealt, rng))}
    if wrote is not None:
        won = np.zeros(tried, bool)
        won[rows] = ~caught
        pools["generator"] = Pool(select(wrote, np.arange(tried)), dealt(signs(won), settings.dealt, rng))
    told = "" if not len(rows) else f"{asked[0]}   the critic writes: {said[0]}"
    return pools, told


def spoils(step: Step, number: str) -> bool:
    """Whether the exact checker calls the step wrong, and the right steps after it end in another answer.

    All operations are one to one, so that a wrong number on the way is a wrong answer; it is enough to look at the
    problem that ends here.
    """
    if number not in arithmetic.NUMBERS:
        return False
    problem = alone(step.ask)
    return not arithmetic.steps(problem, f"{step.ask} {number}")[0][1] and not arithmetic.check(problem, number)


def improve(
    first: Transformer, pool: Pool, lessons: Rollouts, settings: Settings, rng: np.random.Generator
) -> Transformer:
    """The paper's offline update, of the first generation on all games so far.

    Minus the mean of ratio (reward - kl * log(policy / first)), plus `imitation` times the loss of the lessons; ratio
    is that of the whole reply's probability to what it had in the game.
    """
    model = copy.deepcopy(first)
    if not len(pool.reward):
        return model
    optimiser = optimiser_of(model, settings.rate)
    with torch.no_grad():
        reference = score(first, pool.rollouts).log_prob.sum(1).numpy()
    then, count, few = pool.rollouts.log_prob.sum(axis=1), len(pool.reward), settings.batch // 2
    for _ in range(settings.epochs):
        order = rng.permutation(count)
        for start in range(0, count, settings.batch):
            rows = order[start : start + settings.batch]
            shown = select(lessons, rng.integers(len(lessons.tokens), size=few))
            now = score(model, join([select(pool.rollouts, rows), shown]))
            log_prob = now.log_prob[: len(rows)].sum(1)
            loss = offline(log_prob, then[rows], reference[rows], pool.reward[rows], settings.kl)
            again = now.log_prob[len(rows) :].sum() / now.written[len(rows) :].sum()
            descend(model, optimiser, loss - settings.imitation * again)
    return model


def offline(log_prob: Tensor, then: np.ndarray, reference: np.ndarray, reward: np.ndarray, kl: float) -> Tensor:
    """The loss of B replies of log_prob float32[B] now, `then` in the game, and `reference` under the first policy."""
    ratio = (log_prob - torch.from_numpy(then)).exp()
    worth = torch.from_numpy(reward).to(log_prob.dtype) - kl * (log_prob - torch.from_numpy(reference))
    return -(ratio * worth).mean()


def signs(won: np.ndarray) -> np.ndarray:
    return np.where(won, 1.0, -1.0)


def dealt(reward: np.ndarray, at_random: bool, rng: np.random.Generator) -> np.ndarray:
    return rng.permutation(reward) if at_random else reward


def pooled(before: Pool | None, new: Pool) -> Pool:
    if before is None:
        return new
    return Pool(join([before.rollouts, new.rollouts]), np.r_[before.reward, new.reward])


# What the roles read and write


def spoiler(step: Step) -> str:
    return f"spoil {step.ask} {step.right}"


def judgement(ask: str, number: str) -> str:
    return f"judge {ask} {number}"


def number_in(reply: str) -> str:
    """The number that a generator wrote after the type of error it names; nothing where it names none."""
    words = reply.split()
    return words[1] if len(words) == 2 and words[0] in TYPES else ""


def verdict_in(reply: str) -> str:
    """The conclusion of a critic after its critique, which is the number that it finds itself."""
    words = reply.split()
    return words[1] if len(words) == 2 and words[0] in arithmetic.NUMBERS else ""


def reply(model: Transformer, prompts: Sequence[str], longest: int, rng: np.random.Generator) -> Rollouts:
    if not prompts:
        return Rollouts(*(np.zeros((0, 0), kind) for kind in (np.int64, np.int64, np.float32)))
    return rollout(model, WORDS.rows(prompts), rng.random((len(prompts), longest)), WORDS.stop)


@torch.no_grad()
def accepts(critic: Transformer, asked: Sequence[str]) -> np.ndarray:
    """float64[B]: how likely "right" is, rather than "wrong", after the critic's most likely critique."""
    different = sorted(set(asked))
    if not different:
        return np.zeros(0)
    tokens = torch.from_numpy(WORDS.rows(different))

    def last(tokens: Tensor) -> Tensor:
        return critic(tokens, *causal(tokens != 0))[0][:, -1]

    critique = last(tokens)[:, DIGITS].argmax(-1) + DIGITS[0]
    verdict = last(torch.cat([tokens, critique[:, None]], dim=1))[:, WORDS.tokens(" ".join(VERDICTS))]
    both = verdict.double().softmax(-1)[:, 1].numpy()
    known = dict(zip(different, both, strict=True))
    return np.array([known[prompt] for prompt in asked])


SIGNS = ("+", "-", "*")
DIGITS = WORDS.tokens(" ".join(arithmetic.NUMBERS))


@cache
def alone(ask: str) -> Problem:
    """The problem of one operation that "4 + 3 =" asks for."""
    value, sign, operand = ask.split()[:3]
    chain, number = ((sign, int(operand)),), int(value)
    answer = {"+": number + int(operand), "-": number - int(operand), "*": number * int(operand)}[sign]
    return Problem(f"{value} {sign} {operand} ?", (number, chain, answer), 0)


def steps_of(problem: Problem) -> list[Step]:
    lines = arithmetic.work(problem, np.random.default_rng(0)).split(" so ")[0].split(" ; ")
    return [Step(*line.rsplit(" ", 1)) for line in lines]


@cache
def errors(step: Step) -> dict[str, list[str]]:
    """The wrong numbers of each type: one off; further off; nothing done; the operand; another operation done."""
    value, sign, operand = step.ask.split()[:3]
    right = int(step.right)
    near = [number for number, size in arithmetic.NUMBERS.items() if abs(size - right) == 1]
    found = {
        "slip": near,
        "leap": [number for number in arithmetic.NUMBERS if number not in near],
        "skip": [value],
        "copy": [operand],
        "sign": [str(alone(f"{value} {other} {operand} =").key[2]) for other in SIGNS if other != sign],
    }
    return {name: [number for number in numbers if spoils(step, number)] for name, numbers in found.items()}


def corrupted(step: Step, rng: np.random.Generator) -> str:
    """Any other number."""
    return str((int(step.right) + rng.integers(1, arithmetic.HIGHEST + 1)) % (arithmetic.HIGHEST + 1))


# What there is before the games: a base, its two copies, a weak solver and what that one gets wrong


class Natural(NamedTuple):
    """What a weak solver wrote: steps up to the first wrong one of each derivation, and final answers.

    asked   judgements that a critic is asked for
    right   bool[B], by the exact checker
    answer  a row of `samples` for each problem, None where there is none
    """

    asked: list[str]
    right: np.ndarray
    answer: list[list[str | None]]


class Ground(NamedTuple):
    """What is the same in all arms of a seed. judged and spoiled are the lessons that a critic and a generator imitate.

    steps are those of Train problems, held those of Validation problems, chains are Test problems.
    """

    critic: Transformer
    generator: Transformer
    judged: Rollouts
    spoiled: Rollouts
    steps: list[Step]
    held: list[Step]
    solver: Transformer
    validation: Natural
    test: Natural
    chains: list[Problem]


def prepare(settings: Settings, rng: np.random.Generator) -> Ground:
    seed = int(rng.integers(2**31))

    def some(split: Split, count: int) -> list[Problem]:
        return problems(arithmetic.TASK, split, settings.level, count)

    train, chains = some(Train(seed), settings.problems), some(Test(seed), settings.tests)
    validation = some(Validation(seed), max(1, settings.tests * 2 // 5))
    steps = [step for problem in train for step in steps_of(problem)]
    solving = written([(f"solve {step.ask}", step.right) for step in steps])
    judged, spoiled = lessons([steps[row] for row in rng.permutation(len(steps))[: settings.taught]], rng)
    roles = join([judged, spoiled, select(solving, rng.permutation(len(steps))[: 2 * settings.taught])])
    size = Size(settings.layers, settings.width, HEADS, CONTEXT, WORDS.size)
    base = imitator(Transformer(size, rng), roles, settings.warm, rng)
    solver = imitator(Transformer(size, rng), solving, settings.weak, rng)
    critic, generator = (imitator(base, own, settings.lessons, rng) for own in (judged, spoiled))
    return Ground(
        critic,
        generator,
        judged,
        spoiled,
        steps,
        [step for problem in validation for step in steps_of(problem)][:64],
        solver,
        natural(solver, validation, settings.samples // 2, rng),
        natural(solver, chains, settings.samples, rng),
        chains,
    )


def imitator(model: Transformer, examples: Rollouts, updates: int, rng: np.random.Generator) -> Transformer:
    """A copy that has imitated."""
    model = copy.deepcopy(model)
    imitate(model, optimiser_of(model, 0.01), examples, rng, updates, 128)
    return model


def lessons(steps: Sequence[Step], rng: np.random.Generator) -> tuple[Rollouts, Rollouts]:
    """For each step an error of a random type, for one to be told apart from what is right, for the other to make."""
    judged, spoiled = [], []
    for step in steps:
        possible = {name: wrong for name, wrong in errors(step).items() if wrong}
        name = list(possible)[rng.integers(len(possible))]
        number = possible[name][rng.integers(len(possible[name]))]
        judged += [(judgement(*step), f"{step.right} right"), (judgement(step.ask, number), f"{step.right} wrong")]
        spoiled.append((spoiler(step), f"{name} {number}"))
    return written(judged), written(spoiled)


def written(pairs: Sequence[tuple[str, str]]) -> Rollouts:
    prompts, replies = zip(*pairs, strict=True)
    return given(WORDS.rows(prompts), WORDS.rows(replies, ended=True))


def natural(solver: Transformer, chains: Sequence[Problem], samples: int, rng: np.random.Generator) -> Natural:
    """Derivations step by step; one ends, without an answer, where the solver writes no number."""
    every = [problem for problem in chains for _ in range(samples)]
    lines: list[list[str]] = [[] for _ in every]
    going = list(range(len(every)))
    for place in range(len(chains[0].key[1])):
        asks = [ask_of(every[row], place, lines[row]) for row in going]
        said = solved(solver, asks, rng)
        for row, ask, number in zip(going, asks, said, strict=True):
            lines[row].append(f"{ask} {number}")
        going = [row for row, number in zip(going, said, strict=True) if number in arithmetic.NUMBERS]
    asked, right = [], []
    for problem, own in zip(every, lines, strict=True):
        for text, good in arithmetic.steps(problem, " ; ".join(own)):
            if text.split()[-1] not in arithmetic.NUMBERS:
                break
            asked.append(f"judge {text}")
            right.append(good)
            if not good:
                break
    done = set(going)
    answer = [own[-1].split()[-1] if row in done else None for row, own in enumerate(lines)]
    return Natural(asked, np.array(right, bool), [answer[at : at + samples] for at in range(0, len(every), samples)])


def solved(solver: Transformer, asks: Sequence[str], rng: np.random.Generator) -> list[str]:
    """What the solver writes first after each "4 + 3 ="."""
    return texts(WORDS, reply(solver, [f"solve {ask}" for ask in asks], 1, rng))


def ask_of(problem: Problem, place: int, lines: Sequence[str]) -> str:
    """What the step at this place has to do, given what the one before says: "7 - 2 ="."""
    start, chain, _ = problem.key
    value = lines[place - 1].split()[-1] if place else start
    return f"{value} {chain[place][0]} {chain[place][1]} ="


def optimiser_of(model: Transformer, rate: float) -> torch.optim.Optimizer:
    return torch.optim.AdamW(model.parameters(), rate, betas=(0.9, 0.95))


# What is measured


def measure(
    critic: Transformer, generator: Transformer, ground: Ground, test: Natural, rng: np.random.Generator
) -> dict[str, Value]:
    """Balanced accuracy on natural steps, and how far the pair is from an equilibrium of its own matrix game."""
    matrix, mixture, sound = matrix_game(critic, generator, ground, rng)
    value = zero_sum(normal_form(np.stack([-matrix, matrix], axis=2))).payoffs[0, 1]
    generator_could, critic_could = matrix[:, OWN].min(), (mixture @ matrix).max()
    return {
        "balanced_accuracy": sampled(balanced(critic, test), "steps of the weak solver up to its first wrong one"),
        "exploitability": sampled(critic_could - generator_could, "both best responses in the empirical matrix game"),
        "value": sampled(value, "linear program of the empirical matrix game"),
        "caught": sampled(mixture @ matrix[:, OWN], "the pair as it plays"),
        "sound": sampled(sound, "steps that spoil the answer, of those that the generator wrote"),
    }


def balanced(critic: Transformer, test: Natural) -> float:
    """The mean of right steps accepted and wrong ones rejected; a sort that is not there counts as a coin's throw."""
    accepted = accepts(critic, test.asked) >= THRESHOLDS[OWN]
    rates = [(accepted[test.right] == 1), (accepted[~test.right] == 0)]
    return float(np.mean([rate.mean() if len(rate) else 0.5 for rate in rates]))


def matrix_game(
    critic: Transformer, generator: Transformer, ground: Ground, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, float]:
    """How often the critic is right float64[types, thresholds], the generator's mixture of types, its sound steps.

    Half of the steps are right ones, half are what the generator writes when it is made to begin with a type; what
    spoils nothing is as good as caught. The critic accepts what it finds right with at least the threshold.
    """
    prompts = [spoiler(step) for step in ground.held]
    tokens = torch.from_numpy(WORDS.rows(prompts))
    with torch.no_grad():
        logits = generator(tokens, *causal(tokens != 0))[0][:, -1]
    mixture = logits[:, [WORDS.tokens(name)[0] for name in TYPES]].double().softmax(-1).mean(0).numpy()
    wrote = reply(generator, [f"{prompt} {name}" for name in TYPES for prompt in prompts], 2, rng)
    steps = ground.held * len(TYPES)
    wrong = texts(WORDS, wrote)
    sound = np.array([spoils(step, text) for step, text in zip(steps, wrong, strict=True)])
    asked = [
        judgement(step.ask, text if good else step.right) for step, text, good in zip(steps, wrong, sound, strict=True)
    ]
    fooled = sound[:, None] & (accepts(critic, asked)[:, None] >= THRESHOLDS)
    caught = 1 - fooled.reshape(len(TYPES), len(prompts), -1).mean(axis=1)
    accepted = (accepts(critic, [judgement(*step) for step in ground.held])[:, None] >= THRESHOLDS).mean(axis=0)
    return (caught + accepted) / 2, mixture, float(mixture @ sound.reshape(len(TYPES), -1).mean(axis=1))


def search(critic: Transformer, ground: Ground, settings: Settings, rng: np.random.Generator) -> dict[str, Value]:
    """Beam search by the critic's log-probabilities of "right", against the vote of as many of the solver's samples."""
    answer = ground.test.answer
    correct = np.array([[text is not None and arithmetic.check(problem, text) == 1 for text in row]
                        for problem, row in zip(ground.chains, answer, strict=True)])  # fmt: skip
    vote = majority_vote(numbered(answer), correct, rng).number
    beams: list[dict[tuple[str, ...], float]] = [{(): 0.0} for _ in ground.chains]
    for place in range(len(ground.chains[0].key[1])):
        parents = [
            (row, lines)
            for row, beam in enumerate(beams)
            for lines in beam
            for _ in range(settings.samples // len(beam))
        ]
        asks = [ask_of(ground.chains[row], place, lines) for row, lines in parents]
        said = solved(ground.solver, asks, rng)
        kept = [at for at, number in enumerate(said) if number in arithmetic.NUMBERS]
        weight = np.log(np.maximum(accepts(critic, [judgement(asks[at], said[at]) for at in kept]), 1e-9))
        if settings.blind:
            weight = rng.permutation(weight)
        new: list[dict[tuple[str, ...], float]] = [{} for _ in beams]
        for at, more in zip(kept, weight, strict=True):
            row, lines = parents[at]
            new[row][(*lines, f"{asks[at]} {said[at]}")] = beams[row][lines] + float(more)
        beams = [dict(sorted(beam.items(), key=lambda item: -item[1])[: settings.beams]) for beam in new]
    found = [next(iter(beam))[-1].split()[-1] if beam else "" for beam in beams]
    right = float(
        np.mean([arithmetic.check(problem, text) for problem, text in zip(ground.chains, found, strict=True)])
    )
    return {
        "beam": sampled(right, f"beam search, {settings.samples} steps at each place"),
        "vote": sampled(vote, f"majority vote of {settings.samples}"),
        "search_gain": sampled(right - vote, "beam search less majority vote"),
    }


def sampled(number: float, method: str) -> Value:
    return Value(float(number), "sampled", None, method)


def tell(critic: Transformer, generator: Transformer, ground: Ground, told: str, rng: np.random.Generator) -> str:
    """The last game, and the matrix game with its equilibrium."""
    matrix, mixture, _ = matrix_game(critic, generator, ground, rng)
    types, thresholds = zero_sum(normal_form(np.stack([-matrix, matrix], axis=2))).profiles[0]
    lines = [f"{name:8}{' '.join(f'{cell:4.0%}' for cell in row)}" for name, row in zip(TYPES, matrix, strict=True)]
    return "\n".join(
        [
            *(["A sneaky step of the last round:", f"  {told}"] if told else []),
            "How often the critic is right, by type of error and by threshold "
            + " ".join(f"{t:g}" for t in THRESHOLDS),
            *lines,
            "The generator's types   " + ", ".join(f"{n} {p:.0%}" for n, p in zip(TYPES, mixture, strict=True)),
            "at equilibrium          " + ", ".join(f"{n} {p:.0%}" for n, p in zip(TYPES, types, strict=True)),
            "The critic's threshold  0.5; at equilibrium "
            + ", ".join(f"{t:g} with {p:.0%}" for t, p in zip(THRESHOLDS, thresholds, strict=True) if p > 0.005),
        ]
    )


# Models on disk


def frozen(model: Transformer) -> dict[str, np.ndarray]:
    return {name: weight.numpy().copy() for name, weight in model.state_dict().items()}


def revived(like: Transformer, weights: dict[str, np.ndarray]) -> Transformer:
    model = copy.deepcopy(like)
    model.load_state_dict({name: torch.from_numpy(weight) for name, weight in weights.items()})
    return model


RECIPE = Recipe(
    slug="spc",
    arms=ARMS,
    run=run,
    claims=(
        Higher("spc", than="sft", metric="balanced_accuracy", by=0.03),
        Higher("spc", than="random", metric="balanced_accuracy"),
        Higher("spc", than=0.0, metric="gain"),
        Lower("spc", than="sft", metric="exploitability"),
        Higher("spc", than=0.0, metric="search_gain", control="blind"),
        Higher("spc", than="frozen_generator", metric="balanced_accuracy"),
        Higher("spc", than="one_sided", metric="balanced_accuracy"),
        Higher("spc", than="same_generation", metric="balanced_accuracy"),
    ),
    control="dealt",
    seeds=12,
    minutes=8,
    quick={
        "rounds": 2,
        "games": 8,
        "problems": 20,
        "width": 8,
        "warm": 1,
        "weak": 1,
        "taught": 8,
        "lessons": 1,
        "tests": 4,
        "samples": 4,
        "epochs": 1,
    },
    metrics={
        "balanced_accuracy": ("share", "right steps of the weak solver accepted and its wrong ones rejected, the mean"),
        "gain": ("share", "balanced accuracy after the last round less that after the first"),
        "exploitability": ("share", "both best responses' gain in the game of error types against thresholds"),
        "value": ("share", "how often the critic is right at the equilibrium of that game"),
        "caught": ("share", "how often it is right as both play: half the steps are right ones, half the generator's"),
        "sound": ("share", "of the generator's rewritings that spoil the answer"),
        "beam": ("share", "test problems solved by the critic's beam search"),
        "vote": ("share", "test problems solved by majority vote of the weak solver"),
        "search_gain": ("share", "beam search less majority vote"),
    },
    watch="balanced_accuracy",
)
