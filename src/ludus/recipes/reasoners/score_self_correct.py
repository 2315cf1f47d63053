"""SCoRe: a model learns by reinforcement to correct its own first attempt, without being told that it was wrong.

Paper     Training Language Models to Self-Correct via Reinforcement Learning; Kumar, Zhuang, Agarwal and others (2024),
          arXiv:2409.12917, ICLR 2025. Stage I is equation 3, stage II equation 4 with the bonus alpha (r2 - r1).
There     Gemini 1.0 Pro and 1.5 Flash answer twice in one context. Stage I raises the reward of the second attempt
          while a strong divergence pins the first to the base model; stage II raises both, and pays the second for
          progress. Second attempts of the base lower accuracy on MATH by 11.2 points, those of SCoRe raise it by 4.4,
          on HumanEval by 12.2. Imitation of filtered correction traces fails, and so does plain two-turn reinforcement.
Here      Two numbers modulo 11 were both moved up, moved down or doubled, or swapped; before and after are given, and
          the operation is asked for. A transformer of two layers and 32 channels (27,000 weights) writes an operation,
          what comes of it, and whether that is what was given; hears "again"; and writes another attempt. Checking is
          easier than solving: a wrong attempt shows in its own working. The base has read dialogues of somebody who
          draws operations by lot, calculates well, says truly whether it came out, and on "again" draws anew in four of
          five cases after a yes and in one of five after a no, else repeats himself. So it solves a quarter of the
          problems, can check, and uses that the wrong way round: its second attempts lose about a tenth, as Gemini's
          did. Who keeps what is right and else draws among the three others gains 0.25 (`by_checking`, exact).
          All arms get 100,000 tokens from the same base, sampled or imitated; 8 seeds, in the record 20.
          alpha = 10, beta_1 = 0.01, beta_2 = 0.1, the paper's for MATH; half of the tokens for each stage.
          Arms: SCoRe; naive (both rewards, no stage I, no bonus); star (traces whose second attempt is right are kept
          and imitated, two rounds); pair (a first attempt with a right one to the same problem after it); ablations.
Claims    1. SCoRe's second attempts are right more often than its first, by 0.03 at least.
          The gain from first to second attempt is larger than that of 2. star, 3. pair, 4. naive.
          5. Its first attempts are not worse than the base's, by 0.03 (control: the bonus is paid to both attempts, so
          that a wrong first one pays).
          6. Its second attempts are right more often than those of naive.
          Ablations: the gain is larger than 7. without stage I, 8. without bonus, 9. with stage II by imitation of
          traces sampled once.
          10. Fewer wrong first attempts are repeated word for word than by naive (control: the base).
          Control of the others: SCoRe with rewards dealt out at random.
Leaves    Language models; code; longer answers; more attempts. Pages and code on the paper were read, with its
          equations and coefficients, not its text: how it filters traces in detail, and its baseline in REINFORCE, are
          ours; an attempt gets its own reward alone. A first attempt is compared with others to the same problem, a
          second with those after first attempts as right or as wrong; then the bonus multiplies the weight of second
          attempts by 1 + alpha and does nothing else. In stage I the penalty on the second attempt is beta_1. Attempts
          are sampled at temperature 1, in training and for the claims; greedy ones are beside them (`_greedy`). A first
          attempt is hard to improve here; the paper sees naive training improve the first and leave it as it is.
          Pilots on root seed 999 and on generators of their own chose, by the base alone, the task: chains of signs
          modulo 7 and permutations were not learned within 10 CPU-seconds of imitation, programs of two steps on lists
          of digits not checked. Others, of SCoRe and naive on one seed each, chose the rate (0.001, of five), the two
          baselines of REINFORCE, that working must be true to be right, and the author's habit: before the first two
          neither learned anything, and while the author tossed a coin SCoRe gained 0.14 on one base and nothing on
          another. A habit the wrong way makes the base heed its verdict without planting what is claimed; it is set to
          cost what the paper's base loses. With it SCoRe gained 0.13 and 0.04 on two bases, 0.13 and 0.00 on two that
          imitated for longer; with a weaker one 0.10 and -0.01, and naive 0.13 where it was tried, against claims 4, 6
          and 10, which stay: naive learns to correct itself as well. The tokens were set by the time a cell may take.
          In the control of claim 5 first attempts fell to 0.05.
          The habit was changed after reinforcement had failed under the coin, and a whole study under the coin on
          root seed 999 had been seen (gains: SCoRe -0.013, star 0.058, naive -0.002). Some pilots drew from
          generators seeded (999, seed) in the place of --root-seed 999. A study of 8 seeds on root seed 0 left all ten
          claims open; 1 (p 0.066) and 10 (p 0.066) would have needed 18 and 20. With that in sight, and replies written
          twice as fast, a second one has 20 seeds of root seed 1, and the record is of these alone. Imitation of the
          model's own traces gains more there than SCoRe (0.087 and, offline, 0.083 against 0.052), and naive training
          as much (0.053), which the paper does not see.
"""

import copy
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch

from ludus.learn.advantages import leave_one_out, spread
from ludus.learn.objective import kl, policy_gradient, score, sum_per_reply
from ludus.learn.policy_gradient import descend
from ludus.learn.rollout import GIVEN, Conversation, Rollouts, select, texts
from ludus.learn.self_training import imitate
from ludus.learn.weights import pack, unpack
from ludus.measure.problems import mean_over_problems, over_problems, ratio
from ludus.models.transformer import Size, Transformer
from ludus.models.words import Words
from ludus.records import Value
from ludus.study import Higher, Lower, NotWorse, Recipe
from ludus.tasks import Problem, Task, Test, Train, Validation, Verifier, exact, judge, problems

MODULUS = 11
OPERATIONS = {
    "swap": lambda pair: pair[::-1],
    "up": lambda pair: tuple((number + 1) % MODULUS for number in pair),
    "down": lambda pair: tuple((number - 1) % MODULUS for number in pair),
    "double": lambda pair: tuple(2 * number % MODULUS for number in pair),
}
NUMBERS = tuple(map(str, range(MODULUS)))
ANEW = {"yes": 0.8, "no": 0.2}  # how often the author of the base's dialogues draws anew after his own verdict
AGAIN, LONGEST = "again", 5  # what is heard between the attempts; tokens of an attempt, its end included


@dataclass(frozen=True)
class Settings:
    phases: tuple[str, ...] = ("stage_1", "stage_2")  # half of the tokens each; also "star" and "pair"
    alpha: float = 10.0  # what progress pays
    beta_1: float = 0.01  # what it costs to leave the base
    beta_2: float = 0.1  # the same for the first attempt in stage I
    pay: str = (
        "own"  # "shuffled": rewards dealt out at random; "both": the first attempt also gets what the second gets
    )
    budget: int = 100_000  # tokens
    warm: int = 600  # steps of imitation that make the base
    width: int = 32
    layers: int = 2
    rate: float = 0.001
    batch: int = 128  # dialogues in a step of reinforcement, 8 to a problem
    samples: int = 16  # dialogues to a test problem


ARMS = {
    "score": Settings(),
    "base": Settings(phases=()),
    "star": Settings(phases=("star", "star")),
    "pair": Settings(phases=("pair", "pair")),
    "naive": Settings(phases=("stage_2", "stage_2"), alpha=0.0),
    "no_stage_1": Settings(phases=("stage_2", "stage_2")),
    "no_bonus": Settings(alpha=0.0),
    "offline": Settings(phases=("stage_1", "star")),
    "shuffled": Settings(pay="shuffled"),
    "bonus_to_both": Settings(pay="both"),
}


def run(settings: Settings, rng: np.random.Generator, log: Any) -> dict[str, Value]:
    """One cell: from the base of this seed through the phases of an arm to what its two attempts are worth."""
    seed = int(rng.integers(2**31))
    train = problems(TASK, Train(seed), 0, 300)
    base = warmed(seed, settings.width, settings.layers, settings.warm)
    model = copy.deepcopy(base)
    optimiser = torch.optim.AdamW(model.parameters(), settings.rate, weight_decay=0.0)
    done, spent = 0, 0
    if saved := log.restore():
        unpack(model, optimiser, saved["network"])
        done, spent, rng = saved["done"], saved["spent"], saved["rng"]
    for number, phase in enumerate(settings.phases[done:], start=done + 1):
        until = settings.budget * number // len(settings.phases)
        while spent < until:
            before, fifth = spent, max(1, settings.budget // 5)
            if phase in ("star", "pair"):
                learn = imitate_traces if phase == "star" else imitate_pairs
                spent += learn(model, optimiser, train, rng, until - spent)
            else:
                spent += reinforce(model, base, optimiser, train, phase, settings, rng)
            if spent // fifth > before // fifth:
                log.row(spent, **curves(model, seed, rng))
        done = number
        log.checkpoint({"done": done, "spent": spent, "rng": rng, "network": pack(model, optimiser)})
    numbers = measure(model, problems(TASK, Test(seed), 0, 40), settings.samples, rng)
    log.example(tell(model, problems(TASK, Test(seed), 0, 40), rng))
    return numbers


# --- SCoRe ------------------------------------------------------------------------------------------------------------


def reinforce(
    model: Transformer,
    base: Transformer,
    optimiser: torch.optim.Optimizer,
    train: list[Problem],
    stage: str,
    settings: Settings,
    rng: np.random.Generator,
) -> int:
    """One step of REINFORCE on dialogues of the model itself, changed in place; returns how many tokens it wrote."""
    group = np.repeat(rng.integers(len(train), size=-(-settings.batch // 8)), 8)[: settings.batch]
    talk = converse(model, [train[each] for each in group], rng, VERIFIER)
    reward = rng.permutation(talk.reward) if settings.pay == "shuffled" else talk.reward
    now = score(model, talk.rollouts)
    with torch.no_grad():
        reference = score(base, talk.rollouts).log_prob.numpy()
    beta = (settings.beta_2 if stage == "stage_1" else settings.beta_1, settings.beta_1)
    weight = torch.from_numpy(spread(np.broadcast_to(beta, reward.shape), talk.rollouts.turn)).float()
    advantage = spread(advantages(reward, group, stage, settings.alpha, settings.pay == "both"), talk.rollouts.turn)
    loss = policy_gradient(now, advantage) + weight * kl(now, reference)
    descend(model, optimiser, sum_per_reply(loss, now.written))
    return written(talk.rollouts)


def advantages(reward: np.ndarray, group: np.ndarray, stage: str, alpha: float, both: bool = False) -> np.ndarray:
    """float64[B, 2]: what each attempt earned, less what others did.

    Equation 3, stage I: the second attempt earns r2, the first nothing. Equation 4, stage II: the first attempt earns
    r1, the second r2 + alpha (r2 - r1). reward float64[B, 2]; group int64[B], dialogues on one problem share a number.
    With `both` the first attempt of stage II also earns what the second does.
    """
    first, second = reward.T
    if stage == "stage_1":
        return np.stack([np.zeros(len(reward)), leave_one_out(second, first)], axis=1)
    shaped = second + alpha * (second - first)
    return np.stack([leave_one_out(first + shaped if both else first, group), leave_one_out(shaped, first)], axis=1)


# --- Imitation of filtered traces -------------------------------------------------------------------------------------


def imitate_traces(
    model: Transformer, optimiser: torch.optim.Optimizer, train: list[Problem], rng: np.random.Generator, tokens: int
) -> int:
    """A round after STaR (Zelikman et al. 2022, arXiv:2203.14465): half of the tokens to sample, half to imitate.

    Kept are dialogues whose second attempt is right, after a wrong first one or a right one; what is right in them is
    imitated. Returns the tokens that this took.
    """
    count = max(1, tokens // (4 * LONGEST))
    talk = converse(model, [train[each] for each in rng.integers(len(train), size=count)], rng, VERIFIER)
    kept = select(right_turns(talk), talk.reward[:, 1] == 1)
    return written(talk.rollouts) + imitate_tokens(model, optimiser, kept, rng, tokens - written(talk.rollouts))


def imitate_pairs(
    model: Transformer, optimiser: torch.optim.Optimizer, train: list[Problem], rng: np.random.Generator, tokens: int
) -> int:
    """Pair-SFT, after Welleck et al. (2022), arXiv:2211.00053: a first attempt, then a right one to the same problem.

    First attempts are sampled eight to a problem; each is followed by a right one of the eight, where there is one.
    """
    count = max(1, tokens // (16 * LONGEST))
    group = np.repeat(rng.integers(len(train), size=count), 8)
    talk = converse(model, [train[each] for each in group], rng, VERIFIER, attempts=1)
    reply, right = talk.reply[0], talk.reward[:, 0] == 1
    after = []
    for start in range(0, len(group), 8):
        good = start + np.flatnonzero(right[start : start + 8])
        after += [int(rng.choice(good)) if len(good) else -1 for _ in range(8)]
    chosen = np.flatnonzero(np.array(after) >= 0)
    pairs = dialogues(
        [train[group[row]] for row in chosen], [reply[row] for row in chosen], [reply[after[row]] for row in chosen]
    )
    wrong = (pairs.turn == 0) & ~right[chosen, None]
    pairs = pairs._replace(turn=np.where(wrong, GIVEN, pairs.turn))
    return written(talk.rollouts) + imitate_tokens(model, optimiser, pairs, rng, tokens - written(talk.rollouts))


def imitate_tokens(
    model: Transformer, optimiser: torch.optim.Optimizer, examples: Rollouts, rng: np.random.Generator, tokens: int
) -> int:
    """Imitate about so many tokens, 64 dialogues a step; returns `tokens`, also where there is nothing to imitate."""
    if len(examples.tokens):
        steps = round(tokens * len(examples.tokens) / max(1, written(examples)) / 64)
        imitate(model, optimiser, examples, rng, max(1, steps), 64)
    return max(1, tokens)


def right_turns(talk: "Talk") -> Rollouts:
    """The dialogues with wrong attempts marked as given, so that nobody imitates them."""
    turn = talk.rollouts.turn
    wrong = np.take_along_axis(talk.reward == 0, turn.clip(0), axis=1)
    return talk.rollouts._replace(turn=np.where(wrong, GIVEN, turn))


# --- Dialogues of two attempts ----------------------------------------------------------------------------------------


class Talk(NamedTuple):
    """B dialogues: rollouts of turns 0 and 1, reply the B texts of each attempt, reward float64[B, attempts]."""

    rollouts: Rollouts
    reply: list[list[str]]
    reward: np.ndarray


def converse(
    model: Transformer,
    asked: list[Problem],
    rng: np.random.Generator,
    verifier: Verifier,
    temperature: float = 1.0,
    attempts: int = 2,
) -> Talk:
    """The problem, an attempt, "again", another attempt; the rewards are for the trainer, the model never sees them."""
    talk = Conversation(model)
    talk.hear(WORDS.rows([problem.prompt for problem in asked]))
    for attempt in range(attempts):
        if attempt:
            talk.hear(np.full((len(asked), 1), WORDS.tokens(AGAIN)[0]))
        talk.say(rng.random((len(asked), LONGEST)), WORDS.stop, temperature)
    rollouts = talk.rollouts()
    reply = [texts(WORDS, rollouts, attempt) for attempt in range(attempts)]
    reward = [[verifier.score(problem, text) for problem, text in zip(asked, said, strict=True)] for said in reply]
    return Talk(rollouts, reply, np.array(reward).T)


def dialogues(asked: list[Problem], first: list[str], second: list[str]) -> Rollouts:
    """Dialogues that somebody wrote, both attempts to be imitated."""
    prompt = WORDS.rows([problem.prompt for problem in asked])
    again = np.full((len(asked), 1), WORDS.tokens(AGAIN)[0])
    parts = [prompt, WORDS.rows(first, ended=True), again, WORDS.rows(second, ended=True)]
    turn = [np.where(part != 0, mark, GIVEN) for part, mark in zip(parts, (GIVEN, 0, GIVEN, 1), strict=True)]
    tokens = np.concatenate(parts, axis=1)
    return Rollouts(tokens, np.concatenate(turn, axis=1), np.zeros(tokens.shape, np.float32))


def written(rollouts: Rollouts) -> int:
    return int((rollouts.turn >= 0).sum())


@lru_cache(maxsize=16)
def warmed(seed: int, width: int, layers: int, warm: int) -> Transformer:
    """The base of a seed, kept for the other arms; nobody changes it.

    Its embeddings start ten times as large as GPT-2's, which saves half of the steps of so small a model. The rate is
    0.005 for two thirds of the steps, then 0.002.
    """
    rng = np.random.default_rng(seed)
    train = problems(TASK, Train(seed), 0, 300)
    asked = [train[each] for each in rng.integers(len(train), size=min(64 * warm, 3000))]
    first = [drawn(problem, rng) for problem in asked]
    second = [
        drawn(problem, rng) if rng.random() < ANEW[said.split()[-1]] else said
        for said, problem in zip(first, asked, strict=True)
    ]
    model = Transformer(Size(layers, width, 2, 24, WORDS.size), rng)
    with torch.no_grad():
        model.tokens.weight.mul_(10)
        model.positions.weight.mul_(10)
    optimiser = torch.optim.AdamW(model.parameters(), 0.005)
    examples = dialogues(asked, first, second)
    imitate(model, optimiser, examples, rng, warm - warm // 3, 64)
    optimiser.param_groups[0]["lr"] = 0.002
    imitate(model, optimiser, examples, rng, warm // 3, 64)
    return model


# --- The task: which operation was it? --------------------------------------------------------------------------------


def draw(rng: np.random.Generator, level: int) -> Problem:
    """key: (before, after). An operation by lot that changes something."""
    while True:
        before = tuple(rng.integers(MODULUS, size=2).tolist())
        after = list(OPERATIONS.values())[rng.integers(len(OPERATIONS))](before)
        if after != before:
            return Problem(f"{_said(before)} to {_said(after)} ?", (before, after), level)


def attempt(problem: Problem, operation: str) -> str:
    """An operation, what comes of it, and whether that is what was given: "double 6 10 no"."""
    before, after = problem.key
    found = OPERATIONS[operation](before)
    return f"{operation} {_said(found)} {'yes' if found == after else 'no'}"


def solutions(problem: Problem) -> list[str]:
    before, after = problem.key
    return [name for name, operation in OPERATIONS.items() if operation(before) == after]


def drawn(problem: Problem, rng: np.random.Generator) -> str:
    """An attempt with an operation by lot, and true working."""
    return attempt(problem, list(OPERATIONS)[rng.integers(len(OPERATIONS))])


def work(problem: Problem, rng: np.random.Generator) -> str:
    right = solutions(problem)
    return attempt(problem, right[rng.integers(len(right))])


def check(problem: Problem, answer: str) -> float:
    """1 for an operation that does it, and its result. The verdict after it is not judged."""
    return float(answer in {" ".join(attempt(problem, name).split()[:3]) for name in solutions(problem)})


def answer_of(problem: Problem, reply: str) -> str | None:
    """An operation, two numbers and a verdict; the verdict is left out."""
    words = reply.split()
    if len(words) != 4 or words[0] not in OPERATIONS or words[3] not in ("yes", "no"):
        return None
    return " ".join(words[:3]) if set(words[1:3]) <= set(NUMBERS) else None


def _said(pair: tuple[int, ...]) -> str:
    return " ".join(map(str, pair))


TASK = Task(
    name="modular_lists",
    source="in the spirit of ludus.tasks.modular and list_programs, turned round: the operation is asked for",
    rules="Two numbers modulo 11 before and after one operation: swap, add 1 to both, take 1 from both, double both. "
    "Say which it was, what it makes of the first two numbers, and whether that is what was given.",
    words=(*NUMBERS, *OPERATIONS, "to", "?", "yes", "no"),
    levels=1,
    draw=draw,
    work=work,
    check=check,
    answer_of=answer_of,
)
WORDS = Words((*TASK.words, AGAIN))
VERIFIER = exact(TASK)
JUDGE = Verifier("the judge's marks, to measure with", judge(TASK).mark)


# --- What two attempts are worth --------------------------------------------------------------------------------------


def measure(model: Transformer, asked: list[Problem], samples: int, rng: np.random.Generator) -> dict[str, Value]:
    """Test problems asked `samples` times at temperature 1, and once greedily; problems are drawn again together."""
    numbers = {}
    for ending, count, temperature in (("", samples, 1.0), ("_greedy", 1, 0.01)):
        talk = converse(model, [problem for problem in asked for _ in range(count)], rng, JUDGE, temperature)
        each = {name: column.reshape(len(asked), count).mean(axis=1) for name, column in marks(talk).items()}
        wrong = 1 - each["t1"]
        for name in ("t1", "t2", "delta", "wrong_to_right", "right_to_wrong", "unchanged", "edit", "verdict"):
            bounds = (-1.0, 1.0) if name == "delta" else (0.0, 1.0)
            numbers[name + ending] = mean_over_problems(each[name], rng, bounds, f"{count} dialogues a problem")
        stuck = over_problems(ratio(each["stuck"], wrong), len(asked), rng, (0.0, 1.0), "of wrong first attempts")
        numbers["stuck" + ending] = Value(1.0, "exact", None, "nothing was wrong") if not wrong.any() else stuck
    share = np.array([len(solutions(problem)) / len(OPERATIONS) for problem in asked])
    other = share * len(OPERATIONS) / (len(OPERATIONS) - 1)  # by lot among the operations not tried
    numbers["by_checking"] = Value(float(((1 - share) * other).mean()), "exact", None, "enumeration of test problems")
    return numbers


def marks(talk: Talk) -> dict[str, np.ndarray]:
    """Name -> float64[B], one mark a dialogue."""
    first, second = (talk.reward == 1).T
    same = np.array([one == other for one, other in zip(*talk.reply, strict=True)])
    far = [edits(one.split(), other.split()) for one, other in zip(*talk.reply, strict=True)]
    claimed = np.array([text.split()[-1:] == ["yes"] for text in talk.reply[0]])
    found = {
        "t1": first,
        "t2": second,
        "delta": second.astype(float) - first,
        "wrong_to_right": ~first & second,
        "right_to_wrong": first & ~second,
        "unchanged": same,
        "stuck": same & ~first,
        "edit": np.array(far),
        "verdict": claimed == first,
    }
    return {name: column.astype(float) for name, column in found.items()}


def edits(one: list[str], other: list[str]) -> float:
    """Words to put in, take out or replace (Levenshtein 1966), over the words of the longer: 0 the same, 1 all new."""
    row = list(range(len(other) + 1))
    for place, word in enumerate(one, start=1):
        before, row = row, [place]
        for at, against in enumerate(other, start=1):
            row.append(min(before[at] + 1, row[-1] + 1, before[at - 1] + (word != against)))
    return row[-1] / max(len(one), len(other), 1)


def curves(model: Transformer, seed: int, rng: np.random.Generator) -> dict[str, float]:
    """Four dialogues on each of 32 validation problems."""
    asked = [problem for problem in problems(TASK, Validation(seed), 0, 32) for _ in range(4)]
    found = marks(converse(model, asked, rng, JUDGE))
    return {name: float(found[name].mean()) for name in ("t1", "t2", "delta", "unchanged")}


def tell(model: Transformer, asked: list[Problem], rng: np.random.Generator) -> str:
    """The first test problem whose first attempt is wrong, greedily, or the first of all."""
    talk = converse(model, asked, rng, JUDGE, 0.01)
    row = int(talk.reward[:, 0].argmin())
    lines = [f"asked: {asked[row].prompt}"]
    for said, reward in zip(talk.reply, talk.reward[row], strict=True):
        lines.append(f"model: {said[row]}   ({'right' if reward == 1 else 'wrong'}; the model is not told)")
    return f"\nheard: {AGAIN}\n".join(["\n".join(lines[:2]), lines[2]])


RECIPE = Recipe(
    slug="score-self-correct",
    arms=ARMS,
    run=run,
    claims=(
        Higher(
            "score",
            than=0.0,
            metric="delta",
            by=0.03,
            says="SCoRe's second attempts are right more often than its first, by 0.03 at least",
        ),
        *(
            Higher(
                "score", than=than, metric="delta", says=f"Its gain from first to second attempt is larger than {of}"
            )
            for than, of in (
                ("star", "after imitating filtered traces"),
                ("pair", "after imitating pairs of a first and a right attempt"),
                ("naive", "after naive two-turn REINFORCE"),
            )
        ),
        NotWorse(
            "score",
            than="base",
            metric="t1",
            margin=0.03,
            control="bonus_to_both",
            says="Its first attempts are not worse than the base's, by 0.03",
        ),
        Higher(
            "score",
            than="naive",
            metric="t2",
            says="Its second attempts are right more often than those of naive REINFORCE",
        ),
        *(
            Higher("score", than=than, metric="delta", says=f"Its gain is larger than {of}")
            for than, of in (
                ("no_stage_1", "without stage I"),
                ("no_bonus", "without the bonus for progress"),
                ("offline", "with imitation of traces sampled once in the place of stage II"),
            )
        ),
        Lower(
            "score",
            than="naive",
            metric="stuck",
            control="base",
            says="Fewer wrong first attempts are left as they are than by naive REINFORCE",
        ),
    ),
    control="shuffled",
    seeds=8,
    minutes=10,
    quick={"warm": 2, "budget": 320, "batch": 16, "samples": 1},
    metrics={
        "t1": ("accuracy", "how often the first attempt is right"),
        "t2": ("accuracy", "how often the second attempt is right"),
        "delta": ("accuracy", "t2 less t1"),
        "wrong_to_right": ("share", "dialogues whose first attempt is wrong and second right"),
        "right_to_wrong": ("share", "dialogues whose first attempt is right and second wrong"),
        "unchanged": ("share", "dialogues whose second attempt repeats the first word for word"),
        "stuck": ("share", "wrong first attempts that are repeated word for word"),
        "edit": ("share of words", "edit distance between the two attempts"),
        "verdict": ("share", "first attempts that say truly whether they are right"),
        "by_checking": ("accuracy", "delta of one who keeps what is right and else draws another operation by lot"),
    },
    watch="delta",
)
