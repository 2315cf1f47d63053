"""TMGBench: all 144 ordinal two-by-two games as an examination in strategic reasoning.

Paper     TMGBench: A Systematic Game Benchmark for Evaluating Strategic Reasoning Abilities of LLMs; Wang, Feng, Li and
          others (2024), arXiv:2410.10479.
There     Language models name the pure equilibria of the 144 types of the topology of Robinson and Goforth, as
          matrices and in five stories each; in sequence, in parallel and nested; with theory of mind asked for in the
          prompt. Accuracy and consistency are flawed; o1-mini solves 66.6%, 60.0% and 70.0% of the compositions.
Here      The 144 types in all their 576 matrices. An answer is one of seven sets of pure equilibria: none, a cell, or
          two cells on a diagonal. Scripted players, and a GPT of two layers that learns 72 types and is asked about the
          other 72; halves are closed under exchange of the players. All its answers are read off as probabilities.
          Nested: the row player is bound by the row that it plays in the sole equilibrium of the first game.
          A served model is asked once about each of the 144 types, 144 questions a cell, as a matrix in one
          presentation drawn by the seed; right is the exact set. It answers at once, or first writes what each player
          would choose after each choice of the other, in this game or, as filler, in another.
Claims    Of the harness, exactly: 1. an exact solver is always right and 2. never inconsistent; 3. level 1 is right as
          often as enumeration foretells (control: players see another game than they are marked on).
          Of the small model:
          4. it is at least 0.03 less often right on types that it did not learn (control: those were learned too);
          5. its answers to presentations of one game differ, by 0.05 at least (control: averaged over presentations);
          6. compositions of two learned games are right less often than the product of their parts, by at least 0.03:
          in sequence, 7. in parallel, 8. nested (control: each part is asked in a context of its own);
          9. a theory-of-mind scratchpad, both players' best replies, lifts held-out types by 0.05 at least (control: a
          scratchpad as long, taught with another game's best replies).
          Ablations: held-out types are more often right 10. told as matrices than as stories, and 11. after learning
          all row and column swaps than after one presentation of each type (control: an untrained model).
          With a model server: 12. theory-of-mind prompts help a pretrained model (control: filler).
Leaves    Of a served model: stories, compositions and consistency. Its theory-of-mind prompt is one, of first order, in
          words of our own.
          The prompts and stories of the paper, written by models and people; here a story names two persons and what
          each does in a cell, with how they rank it, in the order of the matrix. The paper's equations for its metrics
          could not be read: inconsistency here is the total variation between the answers to a presentation and their
          average over all eight, bias that between the cells named and an even share. Its rule of nesting could not be
          read either; the one above is ours. The scratchpad is taught token by token, so it is also more to learn from.
          Pilots on root seed 999 (one seed an arm, fourteen runs) chose the rate, the width, the updates, that
          stories and compositions come in the second half, after matrices (from the start neither was learned), and
          that stories keep the order of the matrix. A pilot already showed stories learned so at 0.95, against claim
          10, which stays as the paper would have it. Pilots also showed the direction of claims 6 to 8; the margins of
          4 and 9, first 0.1, were lowered, since at 400 updates the drop was 0.07 and the gain 0.13 on the way to 1.
          In the record most models are still learning when they stop (right on 0.61 of the types learned from
          matrices, 0.53 of those in compositions, and seeds differ widely), so claim 9 is also one on the speed of
          learning, and claims 6 to 8 are on parts that are known by half; a longer school was not tried.
          What holds of a model of 30,000 weights that learned the task itself says nothing on models that did not.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import torch

from ludus.agents.replies import spoken
from ludus.games.ordinal import all_games
from ludus.learn import policy_gradient as pg
from ludus.learn.weights import pack, unpack
from ludus.models.transformer import Size, Transformer, causal
from ludus.normal_form import normal_form
from ludus.records import Value
from ludus.solve.pure import pure_equilibria
from ludus.solve.support_enumeration import support_enumeration
from ludus.study import Exact, Higher, Lower, Recipe

CELLS = ((), (0,), (1,), (2,), (3,), (0, 3), (1, 2))
SETS = np.array([[cell in cells for cell in range(4)] for cells in CELLS]).reshape(7, 2, 2)
"""The seven answers, bool[7, 2, 2]: strict ranks leave no other sets of pure equilibria."""
NAMES = ("none", "up-left", "up-right", "down-left", "down-right", "up-left and down-right", "up-right and down-left")
# Tokens: 0 padding, 1 to 4 the ranks, then the rest.
ANSWER, ASK, THEN, BOUND, REPLY, STORY = 5, 12, 13, 14, 17, 21  # bound: free, up, down; replies: left, right, up, down
STORIES = 5  # of six words each: two persons, and two deeds of each
LEVEL_1 = 1 / 2  # how often level 1 is right, by the enumeration of tests/recipes/test_tmgbench.py


@dataclass(frozen=True)
class Settings:
    player: str = "model"  # model, or scripted: random, maximin, levels 1 and 2, solver
    misread: bool = False  # scripted players see another game than they are marked on
    learns: bool = True
    every_type: bool = False  # learn the other half of the types as well
    swaps: bool = True  # learn all row and column swaps of a type, else one presentation
    story: bool = False  # asked about stories; they are learned in the second half
    scratchpad: str = "none"  # none, minds (both players' best replies), filler (those of another game)
    compose: bool = False  # answer compositions; they are learned in the second half
    apart: bool = False  # compositions in separate contexts, and answers averaged over presentations
    width: int = 32
    updates: int = 500
    batch: int = 64
    rate: float = 5e-3
    snapshots: int = 4


ARMS = {
    "scripted": Settings(player="scripted"),
    "misread": Settings(player="scripted", misread=True),
    "matrix": Settings(),
    "all_types": Settings(every_type=True),
    "one_presentation": Settings(swaps=False),
    "story": Settings(story=True),
    "scratchpad": Settings(scratchpad="minds"),
    "filler": Settings(scratchpad="filler"),
    "composed": Settings(compose=True, updates=800),
    "apart": Settings(compose=True, apart=True, updates=800),
    "untrained": Settings(learns=False),
}


def run(settings: Settings, rng: np.random.Generator, log: Any) -> dict[str, Value]:
    """One cell: mark the scripted players, or teach a model and mark it."""
    bench = build_bench()
    layout = rng.spawn(2)[0]
    held = halves(bench, layout)
    if settings.player == "scripted":
        return mark_scripted(bench, held, settings, layout)
    paper = draw_paper(bench, held, settings, layout)
    model = Transformer(Size(2, settings.width, 2, 32, STORY + 6 * STORIES), rng)
    optimiser = torch.optim.AdamW(model.parameters(), lr=settings.rate, weight_decay=0.01)
    update, numbers = 0, {}
    saved = log.restore()
    if saved:
        unpack(model, optimiser, saved["network"])
        update, rng, numbers = saved["update"], saved["rng"], saved["numbers"]
    updates = settings.updates if settings.learns else 0
    while update < updates or not numbers:
        if update < updates:
            learn(model, optimiser, bench, paper, settings, rng, update)
            update += 1
        if update == updates or update % max(1, settings.updates // settings.snapshots) == 0:
            marked = mark_model(model, bench, held, paper, settings)
            log.row(update, **marked)
            numbers = {name: value._asdict() for name, value in marked.items()}
            state = {"update": update, "rng": rng, "numbers": numbers, "network": pack(model, optimiser)}
            log.checkpoint(state)
    log.example(tell(model, bench, held, paper, settings))
    return {name: Value(**value) for name, value in numbers.items()}


# The bench: every game in every presentation, and the right answers.


class Bench(NamedTuple):
    """576 matrices, four to a type, and the eight ways to present a game.

    payoff  int64[576, 2, 2, 2], ranks of the row and of the column player
    key     int64[576], the number of the right answer
    move    int64[8, 576], the matrix that each becomes
    renamed int64[8, 7], the answer that each becomes
    reply   int64[576, 4], the column player's best reply to up and down (0 left), the row player's to left and right
    """

    payoff: np.ndarray
    key: np.ndarray
    move: np.ndarray
    renamed: np.ndarray
    reply: np.ndarray


@lru_cache(maxsize=1)
def build_bench() -> Bench:
    ways = list(product((False, True), repeat=3))  # exchange the players, the rows, the columns
    types = [form.payoff.astype(np.int64) for form in all_games()]
    payoff = np.stack([present(matrix, way) for matrix in types for way in ways[:4]])
    row = {matrix.tobytes(): number for number, matrix in enumerate(payoff)}
    move = [[row[present(matrix, way).tobytes()] for matrix in payoff] for way in ways]
    renamed = [[answer_of(present(cells[..., None], way)[..., 0]) for cells in SETS] for way in ways]
    key = [answer_of(equilibria(pure_equilibria, matrix)) for matrix in payoff]
    reply = np.concatenate([payoff[..., 1].argmax(2), payoff[..., 0].argmax(1)], axis=1)
    return Bench(payoff, np.array(key), np.array(move), np.array(renamed), reply)


def present(matrix: np.ndarray, way: tuple[bool, ...]) -> np.ndarray:
    """The same [2, 2, players] with the players, then the rows, then the columns exchanged, each where said."""
    players, rows, columns = way
    matrix = matrix.transpose(1, 0, 2)[..., ::-1] if players else matrix
    return np.ascontiguousarray(matrix[:: -1 if rows else 1, :: -1 if columns else 1])


def equilibria(solve: Callable[..., Any], matrix: np.ndarray) -> np.ndarray:
    """The pure equilibria that a solver finds, bool[2, 2]."""
    found = np.zeros((2, 2), bool)
    for own, other in solve(normal_form(matrix)).profiles:
        if own.max() == other.max() == 1:
            found[own.argmax(), other.argmax()] = True
    return found


def answer_of(cells: np.ndarray) -> int:
    return int((cells == SETS).all(axis=(1, 2)).argmax())


def halves(bench: Bench, rng: np.random.Generator) -> np.ndarray:
    """bool[576]: the matrices of 72 types held out, 6 symmetric ones and 33 pairs that exchange the players."""
    twin = bench.move[4, ::4] // 4
    symmetric = np.flatnonzero(twin == np.arange(144))
    first = np.flatnonzero(twin > np.arange(144))
    pairs = rng.permutation(first)[:33]
    held = np.zeros(144, bool)
    held[np.concatenate([rng.permutation(symmetric)[:6], pairs, twin[pairs]])] = True
    return np.repeat(held, 4)


# Marks: of a table of answers float64[576, 7].


def mark(table: np.ndarray, bench: Bench, held: np.ndarray, shown: np.ndarray) -> dict[str, float]:
    right = table[np.arange(576), bench.key]
    apart = 0.5 * np.abs(table - symmetrised(table, bench)).sum(axis=1)
    named = table[:, 1:5].sum(axis=0)
    trained, new = right[shown & ~held].mean(), right[held].mean()
    return {
        "trained": trained,
        "held_out": new,
        "drop": trained - new,
        "inconsistency": apart[held].mean(),
        "bias": 0.5 * np.abs(named / named.sum() - 0.25).sum(),
    }


def symmetrised(table: np.ndarray, bench: Bench) -> np.ndarray:
    """The answers averaged over the eight presentations of each game, in the names of each."""
    views = [table[move][:, renamed] for move, renamed in zip(bench.move, bench.renamed, strict=True)]
    return np.mean(views, axis=0)


# Scripted players read a prompt and answer.


def mark_scripted(bench: Bench, held: np.ndarray, settings: Settings, rng: np.random.Generator) -> dict[str, Value]:
    prompts = alone(bench, np.arange(576))
    seen = rng.permutation(prompts) if settings.misread else prompts
    numbers = {}
    for name, player in PLAYERS.items():
        table = np.stack([player(prompt[:8].reshape(2, 2, 2)) for prompt in seen])
        right = table[np.arange(576), bench.key].mean()
        marks = {"right": right} | mark(table, bench, held, ~held)
        for metric in ("right", "inconsistency", "bias"):
            numbers[f"{metric}/{name}"] = exact(marks[metric])
    return numbers


def cell_by_cell(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """float64[7]: one cell is named, from each player's mixed choice float64[2]."""
    return np.concatenate([[0.0], np.outer(rows, columns).ravel(), [0.0, 0.0]])


def maximin(matrix: np.ndarray) -> np.ndarray:
    """Each has the best worst case."""
    return cell_by_cell(best(matrix[..., 0].min(axis=1)), best(matrix[..., 1].min(axis=0)))


def level(k: int) -> Callable[[np.ndarray], np.ndarray]:
    """Level 0 throws a coin; level k replies best to level k - 1, a coin thrown between equals (Stahl, Wilson 1995)."""

    def player(matrix: np.ndarray) -> np.ndarray:
        rows = columns = np.full(2, 0.5)
        for _ in range(k):
            rows, columns = best(matrix[..., 0] @ columns), best(rows @ matrix[..., 1])
        return cell_by_cell(rows, columns)

    return player


def best(value: np.ndarray) -> np.ndarray:
    return (value == value.max()) / (value == value.max()).sum()


PLAYERS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "random": lambda matrix: np.full(7, 1 / 7),
    "maximin": maximin,
    "level_1": level(1),
    "level_2": level(2),
    "solver": lambda matrix: np.eye(7)[answer_of(equilibria(support_enumeration, matrix))],
}


# What the model is asked. A context is int64[n, W]; the answer is the token after it.


def alone(bench: Bench, rows: np.ndarray) -> np.ndarray:
    """The eight ranks, cell by cell, and the question."""
    return join(bench.payoff[rows].reshape(-1, 8), ASK)


def join(*parts: Any) -> np.ndarray:
    """Columns and single tokens beside each other."""
    n = max(len(part) for part in parts if np.ndim(part))
    columns = [part.reshape(n, -1) if np.ndim(part) else np.full((n, 1), part) for part in parts]
    return np.concatenate(columns, axis=1)


def told(bench: Bench, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One of the stories of each game: two persons, what they do in each cell, and how they rank it."""
    words = STORY + 6 * rng.integers(STORIES, size=len(rows))
    ranked = bench.payoff[rows].reshape(len(rows), 4, 2)
    sentences = [(words + 2 + cell // 2, words + 4 + cell % 2, ranked[:, cell]) for cell in range(4)]
    return join(words, words + 1, *(part for sentence in sentences for part in sentence), ASK)


def minds(bench: Bench, rows: np.ndarray) -> np.ndarray:
    """What the other would do, first order, and what one would then do oneself: tokens int64[n, 4]."""
    return bench.reply[rows] + REPLY + np.array([0, 0, 2, 2])


def bound(bench: Bench, rows: np.ndarray) -> np.ndarray:
    """How the first game binds the row player in the second: 0 free, 1 to up, 2 to down."""
    return np.array([0, 1, 1, 2, 2, 0, 0])[bench.key[rows]]


def answer_bound(bench: Bench, rows: np.ndarray, bind: np.ndarray) -> np.ndarray:
    """The right answer where the row player may be bound to a row: there the column player replies best."""
    row = np.maximum(bind - 1, 0)
    return np.where(bind > 0, 1 + 2 * row + bench.reply[rows, row], bench.key[rows])


def compositions(bench: Bench, one: np.ndarray, two: np.ndarray) -> dict[str, list[tuple[np.ndarray, np.ndarray]]]:
    """form -> its two questions, each with its right answer; the second after the right answer to the first."""
    first, key, bind = alone(bench, one), bench.key[one], bound(bench, one)
    both = join(first[:, :8], alone(bench, two))
    nested = join(first, ANSWER + key, THEN, alone(bench, two))
    return {
        "sequential": [(first, key), (join(first, ANSWER + key, alone(bench, two)), bench.key[two])],
        "parallel": [(both, key), (join(both, ANSWER + key), bench.key[two])],
        "nested": [(first, key), (nested, answer_bound(bench, two, bind))],
    }


def parts(bench: Bench, one: np.ndarray, two: np.ndarray) -> dict[str, list[tuple[np.ndarray, np.ndarray]]]:
    """The same questions, each in a context of its own, which tells how the row player is bound."""
    first, second = (alone(bench, one), bench.key[one]), (alone(bench, two), bench.key[two])
    bind = bound(bench, one)
    after = join(BOUND + bind, alone(bench, two)), answer_bound(bench, two, bind)
    return {"sequential": [first, second], "parallel": [first, second], "nested": [first, after]}


# Learning, and reading the model off.


class Paper(NamedTuple):
    """What one seed asks: learned bool[576]; shown bool[576], the presentations that could be learned of each type;
    prompts of all matrices; pairs int64[2, n] of learned matrices."""

    learned: np.ndarray
    shown: np.ndarray
    prompts: np.ndarray
    pairs: np.ndarray


def draw_paper(bench: Bench, held: np.ndarray, settings: Settings, rng: np.random.Generator) -> Paper:
    one_each = np.arange(576) % 4 == np.repeat(rng.integers(4, size=144), 4)
    pairs = np.stack([rng.permutation(np.flatnonzero(~held)) for _ in range(2)])
    shown = np.full(576, True) if settings.swaps else one_each
    prompts = told(bench, np.arange(576), rng) if settings.story else alone(bench, np.arange(576))
    return Paper(shown & (~held | settings.every_type), shown, prompts, pairs)


def learn(model, optimiser, bench: Bench, paper: Paper, settings: Settings, rng, update: int) -> None:
    """One update on matrices that may be learned; stories and compositions come in the second half."""
    rows = rng.choice(np.flatnonzero(paper.learned), settings.batch)
    if settings.compose and 2 * update >= settings.updates:
        one, two = rows, rng.permutation(rows)
        together, apart = compositions(bench, one, two), parts(bench, one, two)
        forms = [*apart["nested"], *together["parallel"], together["sequential"][1], together["nested"][1]]
        cut = [part[number :: len(forms)] for number, form in enumerate(forms) for part in form]
        prompts, replies = pad_together(cut[::2]), (ANSWER + np.concatenate(cut[1::2]))[:, None]
    else:
        stories = settings.story and 2 * update >= settings.updates
        prompts = told(bench, rows, rng) if stories else alone(bench, rows)
        replies = ANSWER + bench.key[rows, None]
        if settings.scratchpad != "none":
            about = rng.permutation(rows) if settings.scratchpad == "filler" else rows
            replies = join(minds(bench, about), replies)
    pg.descend(model, optimiser, pg.imitation_loss(model, pg.Replies(prompts, replies)))


def pad_together(rows: list[np.ndarray]) -> np.ndarray:
    width = max(part.shape[1] for part in rows)
    return np.concatenate([np.pad(part, ((0, 0), (width - part.shape[1], 0))) for part in rows])


@torch.no_grad()
def answers(model: Transformer, contexts: np.ndarray) -> np.ndarray:
    """Probabilities of the seven answers, float64[n, 7], given that one of them is written."""
    tokens = torch.from_numpy(contexts)
    logits = model(tokens, *causal(tokens != 0))[0][:, -1, ANSWER:ASK]
    return logits.double().softmax(-1).numpy()


@torch.no_grad()
def answers_after_thinking(model: Transformer, prompts: np.ndarray) -> np.ndarray:
    """The same after the model's own scratchpad, summed over all sixteen of them."""
    table, weight = np.zeros((len(prompts), 7)), np.zeros((len(prompts), 1))
    for thought in product((0, 1), repeat=4):
        pad = np.tile(np.array(thought) + REPLY + np.array([0, 0, 2, 2]), (len(prompts), 1))
        likely = pg.score(model, pg.Replies(prompts, pad))[0].double().exp().numpy()[:, None]
        table, weight = table + likely * answers(model, join(prompts, pad)), weight + likely
    return table / weight


def mark_model(model, bench: Bench, held: np.ndarray, paper: Paper, settings: Settings) -> dict[str, Value]:
    read = answers if settings.scratchpad == "none" else answers_after_thinking
    table = read(model, paper.prompts)
    numbers = mark(symmetrised(table, bench) if settings.apart else table, bench, held, paper.shown)
    if settings.compose:
        single = parts(bench, *paper.pairs)
        asked = single if settings.apart else compositions(bench, *paper.pairs)
        for form, questions in asked.items():
            both = np.prod([chance(model, *question) for question in questions], axis=0).mean()
            product_ = np.prod([chance(model, *question).mean() for question in single[form]])
            numbers |= {f"both/{form}": both, f"product/{form}": product_, f"departure/{form}": both - product_}
    return {name: exact(number) for name, number in numbers.items()}


def chance(model: Transformer, contexts: np.ndarray, key: np.ndarray) -> np.ndarray:
    """Probability of the right answer, float64[n]."""
    return answers(model, contexts)[np.arange(len(key)), key]


def exact(number: float) -> Value:
    return Value(float(number), "exact", None, "probabilities of answers, over all matrices or the seed's pairs")


def tell(model, bench: Bench, held: np.ndarray, paper: Paper, settings: Settings) -> str:
    """Of some held-out games, the one on which the model is surest of a wrong answer."""
    rows = np.flatnonzero(held)[::8]
    table = (answers if settings.scratchpad == "none" else answers_after_thinking)(model, paper.prompts[rows])
    wrong = table - np.eye(7)[bench.key[rows]]
    game, answer = np.unravel_index(wrong.argmax(), wrong.shape)
    lines = ["  ".join(f"{own},{other}" for own, other in line) for line in bench.payoff[rows[game]]]
    right, surely = NAMES[bench.key[rows[game]]], f"{table[game, answer]:.0%}"
    return "\n".join([*lines, f"Pure equilibria: {right}. The model, with {surely}: {NAMES[answer]}."])


# What follows is asked of a real model only.


def server(settings: Settings, rng: np.random.Generator, log: Any, model: Any) -> dict[str, Value]:
    """All 144 types, each in a presentation drawn by the seed, one question each; right is the whole set or nothing.

    settings.scratchpad says what is to be written before the answer. A reply without an answer counts as wrong.
    """
    from scipy.stats import binomtest

    bench = build_bench()
    rows = 4 * rng.permutation(144)[: 6 if log.quick else 144]
    rows += rng.integers(4, size=len(rows))
    others = np.roll(rows, rng.integers(1, len(rows)))
    prompts = [
        posed(bench.payoff[row], bench.payoff[other], settings.scratchpad)
        for row, other in zip(rows, others, strict=True)
    ]
    seeds = rng.integers(2**31, size=len(rows))
    replies = model.ask([[{"role": "user", "content": prompt}] for prompt in prompts], seeds)
    given = [set_named(reply) for reply in replies]
    right = [answer == int(bench.key[row]) for answer, row in zip(given, rows, strict=True)]
    show = right.index(False) if False in right else 0
    key = NAMES[bench.key[rows[show]]]
    log.example(f"{prompts[show]}\n\nThe model\n{printable(replies[show].text)}\n\nRight is {key}.")
    numbers = {}
    for name, hits in (("pretrained", sum(right)), ("unreadable", given.count(None))):
        low, high = binomtest(hits, len(rows)).proportion_ci(method="wilson")
        how = f"{len(rows)} types, one presentation each; Wilson's interval over the types"
        numbers[name] = Value(hits / len(rows), "sampled", (float(low), float(high)), how)
    log.row(len(rows), **numbers)
    return numbers


def posed(matrix: np.ndarray, another: np.ndarray, scratchpad: str) -> str:
    """The question about a matrix int[2, 2, 2]; `another` is what the filler is about."""

    def tabled(payoff: np.ndarray) -> str:
        return "\n".join(
            f"{cell}: {own}, {its}" for cell, (own, its) in zip(NAMES[1:], payoff.reshape(4, 2), strict=False)
        )

    first = {
        "none": "Write that line and nothing else.",
        "minds": f"Before that line, {MINDS_LINES}",
        "filler": f"Before that line, take another game of the same kind, Game 2:\n{tabled(another)}\n"
        f"About Game 2, and not about the first one, {MINDS_LINES}\nThen answer for the first game.",
    }
    return (
        "Two players choose at the same time, Row between up and down, Column between left and right. Each wants as "
        f"many points as possible. The points of a cell, Row's first, then Column's:\n{tabled(matrix)}\n"
        "Which cells are equilibria in pure strategies: neither player alone would have more by choosing otherwise? "
        f"End your reply with one line, ANSWER: and one of these: {'; '.join(NAMES)}.\n{first[scratchpad]}"
    )


MINDS_LINES = (
    "put yourself into the minds of both players, one short line each: what Column would choose if Row chose up; what "
    "Column would choose if Row chose down; what Row would choose if Column chose left; what Row would choose if "
    "Column chose right."
)


def set_named(reply: Any) -> int | None:
    """The number of the answer in the last line of a reply; None where it is no answer, or cut or refused."""
    lines = spoken(reply.text).splitlines() if reply.status == "ok" else []
    found = re.fullmatch(r"answer:(.{1,60})", lines[-1].strip(" *`.").lower()) if lines else None
    named = [cell.strip() for cell in re.split(r" and |,", found[1])] if found else []
    known = {frozenset(name.split(" and ")): number for number, name in enumerate(NAMES)}
    return known.get(frozenset(named)) if len(set(named)) == len(named) else None


def printable(text: str) -> str:
    """A reply for the page: its first 2,000 characters, without any that steer a terminal."""
    return "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in text[:2000])


FORMS = ("sequential", "parallel", "nested")
RECIPE = Recipe(
    slug="tmgbench",
    arms=ARMS,
    run=run,
    server=server,
    claims=(
        Exact("scripted", than=1.0, metric="right/solver", control="misread"),
        Exact("scripted", than=0.0, metric="inconsistency/solver", control="misread"),
        Exact("scripted", than=LEVEL_1, metric="right/level_1", control="misread"),
        Higher("matrix", than=0.0, metric="drop", by=0.03, control="all_types"),
        Higher("matrix", than=0.0, metric="inconsistency", by=0.05, control="apart"),
        *(Lower("composed", than=0.0, metric=f"departure/{form}", by=0.03, control="apart") for form in FORMS),
        Higher("scratchpad", than="matrix", metric="held_out", by=0.05, control="filler"),
        Higher("matrix", than="story", metric="held_out"),
        Higher("matrix", than="one_presentation", metric="held_out"),
        Higher("scratchpad", than="matrix", metric="pretrained", scope="server", control="filler"),
    ),
    control="untrained",
    seeds=8,
    minutes=6,
    quick={"updates": 3, "snapshots": 1, "batch": 24, "width": 8},
    metrics={
        "right": ("probability", "of the right answer, over all 576 matrices; by player"),
        "trained": ("probability", "of the right answer on matrices of the half of the types that is learned"),
        "held_out": ("probability", "of the right answer on all matrices of the other half"),
        "drop": ("probability", "trained less held out"),
        "inconsistency": ("total variation", "answers to a presentation against the average over all eight, held out"),
        "bias": ("total variation", "the cells named over all 576 matrices against an even share"),
        "both": ("probability", "that both answers of a composition are right; by form"),
        "product": ("probability", "the same for its parts in contexts of their own, as if independent; by form"),
        "departure": ("probability", "both less product; by form"),
    },
    watch="held_out",
)
