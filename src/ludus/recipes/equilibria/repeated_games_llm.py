"""Repeated games with language models: good where self-interest leads, poor at conventions, better after predicting.

Paper     Playing repeated games with Large Language Models; Akata, Schulz, Coda-Forno, Oh, Bethge, Schulz (2023),
          arXiv:2305.16867; Nature Human Behaviour 9 (2025). Families of games by Robinson and Goforth (2005).
There     GPT-3, 3.5 and 4, Claude 2 and Llama 2 play 2x2 games for ten rounds at temperature 0, the history in the
          prompt. GPT-4 gets 0.99 of its largest payoff in win-win games, 0.87 in the Prisoner's Dilemma family, 0.80 in
          biased games, of which Battle of the Sexes is one. There (10 and 7 for meeting, else 0) it never alternates
          with a player who does, though asked for a prediction it is right from round 5; made to predict before it
          acts, it alternates. In the Prisoner's Dilemma (8, 8; 0, 10; 5, 5) it never cooperates again with a player who
          defected in round 1 alone.
Here      All 144 strict ordinal games and the two above, ten rounds, against six finite-state opponents. A score is
          0 for what a coin thrower gets in expectation and 1 for the best response, both exact by dynamic programming
          over the opponent's states. Subjects: a maximiser of the next payoff whose beliefs are sticky (a scripted
          stand-in), a tabular Q-learner with a table a game, a GPT of two layers that learned from logs of maximisers
          among themselves and against the six. Predictions: what the other did most often after its latest move; the
          GPT writes its own, as the paper's second prompt has it. Actions are turned round in 5% of the rounds.
Claims    Of the instrument: 1. a planted grim player and 2. a planted alternator are told from seven others by
          likelihood in more than 95% of the cases; 3. recovery falls with noise, to chance where nothing is planted. Of
          each of the three subjects: 4-6. it scores higher in the Prisoner's Dilemma family than in biased games, 7-9.
          and so in win-win games (control: a coin thrower). In Battle of the Sexes, against an alternating player,
          predict-then-act pays 10. the maximiser 20% more at least and 11. the Q-learner 20% more than a coin thrower;
          12. it pays the GPT more than predictions dealt out among the matches at random, and those more than none;
          13-15. it changes the payoff in the Prisoner's Dilemma by less than 5% (control: a coin thrower); 16-18. it
          pays each subject 20% more at least than scrambled predictions (control of 10 to 12 too). Of the maximiser:
          19. its payoff there follows the share of predictions that are not scrambled; 20. where beliefs are the last
          move alone, predictions beat scrambled ones and those beat the beliefs; 21. where beliefs never move,
          predictions pay 20% more. With a model server: 22. it is unforgiving after one defection, 23. it meets an
          alternating player less often than constant ones, 24. predict-then-act raises its payoff with an alternating
          player by 20%.
Leaves    Model against model, the human subjects, and the other interventions (telling about the opponent, cover
          stories). Against all three opponents that the paper has in Battle of the Sexes a gain of 20% is out of reach:
          a maximiser has nearly all there is from the two that always do the same. So the claims are about the third,
          where the paper found the flaw. At first claims 11, 12 and 20 had the form of 10 and 21, as the row of the
          catalogue has it. Full runs on root seeds 0 and 1 showed gains of 180% to 380% over these subjects' habits,
          but scrambled predictions gained too (12 and 20 on seed 0, 11 on seed 1): who copies the last move, or has
          learned for six opponents at once, meets an alternating player less often than a coin does, so that any
          randomness pays. They were put anew, 16 to 18 got their margin of 20%, and the record is on root seed 2. Of
          the others only 9 changed between the two runs: inconclusive, then held at p = 0.047. That a maximiser of the
          next payoff defects whatever it predicts is a theorem, so claim 13 is no finding; 14 and 15 are open. What is
          built in: that predictions beat beliefs on alternators, as the paper found of GPT-4; that acting follows them
          is left to each subject, and the Q-learner may ignore them. Scrambled predictions keep a trace of the round,
          since alternators keep step. The GPT is taught what is best against a named move, which a pretrained model has
          to know. The paper gives no rule for its families; ours (`family_of`) gives its number of games in each of the
          six, and the eight that it leaves out are called tragic, as in its list. Its own score, the share of the
          largest payoff in every round, is kept as `ideal`; a referee of the paper asked for one by best responses. No
          subject knows the number of the round. Pilots on root seed 999 (up to four seeds an arm) chose how long the
          Q-learner learns, and the GPT by how often it was right on logs that it had not seen. They also showed that
          claims 4 to 6 fail, by either score; claims and opponents stayed. One reason is that who never cooperates has
          little from grim and tit for tat, whom nobody met in the paper's run of the 144 games; `plain` leaves these
          two out, and most of the difference goes, but for the Q-learner's.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ludus.games.ordinal import all_games
from ludus.iterated.machine import Machine, machine, memory_one
from ludus.records import Value
from ludus.study import Equivalent, Higher, Lower, Ordered, Recipe, Trend

ROUNDS = 10
DILEMMA = np.array([[[8, 8], [0, 10]], [[10, 0], [5, 5]]], float)
SEXES = np.array([[[10, 7], [0, 0]], [[0, 0], [7, 10]]], float)
GAMES = {"pd": DILEMMA, "bos": SEXES}
OPPONENTS = {
    # Kind is the column of the subject's best outcome; an opponent is kinded by the row of its own best outcome.
    "kind": machine((1, 0, 0)),
    "harsh": machine((0, 0, 0)),
    "alternator": machine((1, 1, 1), (0, 0, 0)),
    "defects_once": machine((0, 1, 1), (1, 1, 1)),
    "grim": machine((1, 0, 1), (0, 1, 1)),
    "tit_for_tat": machine((1, 0, 1), (0, 0, 1)),
}
CANDIDATES = OPPONENTS | {"win_stay": memory_one(1, 1, 0, 0, 1), "coin": machine((0.5, 0, 0))}
PROBES = ("kind", "harsh", "alternator", "defects_once")
FOCUS = (
    ("pd", "defects_once"),
    ("pd", "kind"),
    ("pd", "harsh"),
    ("bos", "alternator"),
    ("bos", "kind"),
    ("bos", "harsh"),
)
PLAYERS = ("sticky", "q", "tiny")
FAMILIES = ("win_win", "biased", "second_best", "unfair", "pd", "tragic", "cyclic")


@dataclass(frozen=True)
class Settings:
    """One arm.

    subject     who plays: coin, sticky, q or tiny; or planted, where the instrument is tested
    predict     whether the other's move is predicted first, and the action chosen given the prediction
    competence  the share of predictions that are not scrambled
    stickiness  how much of a belief is kept in a round: 0 believes in the last move, 1 never learns
    noise       how often an action is turned round
    most        at most so many games of a family
    """

    subject: str = "sticky"
    predict: bool = False
    competence: float = 1.0
    stickiness: float = 0.8
    noise: float = 0.05
    most: int = 144
    copies: int = 40  # of each match of the paper's two games
    planted: int = 50  # of each candidate
    episodes: int = 1500  # of the Q-learner, in each game
    logs: int = 4096  # matches that the GPT learns from
    updates: int = 450
    batch: int = 32
    width: int = 32
    rate: float = 6e-3
    snapshots: int = 2

    def __post_init__(self) -> None:
        if self.subject not in ("coin", *PLAYERS, "planted"):
            raise ValueError(f"setting subject takes one of coin, {', '.join(PLAYERS)} or planted; got {self.subject}")
        if not all(0 <= share <= 1 for share in (self.competence, self.stickiness, self.noise)):
            raise ValueError("settings competence, stickiness and noise are shares from 0 to 1")


ARMS = {
    "coin": Settings(subject="coin"),
    **{who: Settings(subject=who) for who in PLAYERS},
    **{f"{who}_predict": Settings(subject=who, predict=True) for who in PLAYERS},
    **{f"{who}_scrambled": Settings(subject=who, predict=True, competence=0.0) for who in PLAYERS},
    **{f"sticky_{share}": Settings(predict=True, competence=share / 100) for share in (75, 50, 25)},
    "fresh": Settings(stickiness=0.0),
    "frozen": Settings(stickiness=1.0),
    "planted": Settings(subject="planted"),
    **{f"planted_{noise}": Settings(subject="planted", noise=noise / 100) for noise in (10, 20, 35)},
    "planted_nothing": Settings(subject="planted", noise=0.5),
}


def run(settings: Settings, rng: np.random.Generator, log: Any) -> dict[str, Value]:
    """One cell: a subject learns, if it does, and plays all games; or the instrument is tested."""
    if settings.subject == "planted":
        numbers, example = instrument(settings, rng)
        log.example(example)
        return sampled(numbers)
    world = build_world(settings.most)
    mind = MINDS[settings.subject](world, settings, rng)
    stage, numbers = 0, {}
    saved = log.restore()
    if saved:
        mind.unpack(saved["mind"])
        stage, rng, numbers = saved["stage"], saved["rng"], saved["numbers"]
        log.example(saved["example"])
    while stage < (settings.snapshots if mind.lessons else 1):
        mind.learn(mind.lessons // settings.snapshots, rng)
        stage += 1
        numbers, example = measure(world, mind, settings, rng)
        log.row(stage * max(1, mind.lessons // settings.snapshots), **sampled(numbers))
        log.example(example)
        if mind.lessons:
            log.checkpoint({"stage": stage, "rng": rng, "numbers": numbers, "example": example, "mind": mind.pack()})
    return sampled(numbers)


def sampled(numbers: dict[str, float]) -> dict[str, Value]:
    how = "mean over the matches of a seed; scores against exact values by dynamic programming"
    return {name: Value(float(number), "sampled", None, how) for name, number in numbers.items()}


# The games, the opponents, and a match.


class World(NamedTuple):
    """G games, the last two the Prisoner's Dilemma and Battle of the Sexes; M opponents.

    payoff  float64[G, 2, 2, 2], row (the subject), column, player; both kind moves have the number 0
    family  int64[G], -1 for the last two
    best    float64[G, M], the most that can be had in a match
    coin    float64[G, M], what throwing a coin every round has in expectation
    """

    payoff: np.ndarray
    family: np.ndarray
    best: np.ndarray
    coin: np.ndarray


def build_world(most: int) -> World:
    matrices = [form.payoff for form in all_games()]
    kinds = [FAMILIES.index(family_of(matrix)) for matrix in matrices]
    chosen = [number for number, kind in enumerate(kinds) if kinds[:number].count(kind) < most]
    payoff = np.stack([kindly(matrix) for matrix in [*(matrices[number] for number in chosen), DILEMMA, SEXES]])
    family = np.array([kinds[number] for number in chosen] + [-1, -1])
    best, coin = (
        np.stack([worth(payoff[..., 0], body, pick) for body in OPPONENTS.values()], axis=1)
        for pick in (np.max, np.mean)
    )
    return World(payoff, family, best, coin)


def kindly(matrix: np.ndarray) -> np.ndarray:
    """Rows and columns in an order such that row 0 holds the column player's best outcome and column 0 the row's."""
    row, column = matrix[..., 1].max(axis=1).argmax(), matrix[..., 0].max(axis=0).argmax()
    return matrix[:: -1 if row else 1, :: -1 if column else 1]


def family_of(matrix: np.ndarray) -> str:
    """By what the better pure equilibrium pays: 4 and 4, 4 and 3, 3 and 3, 4 and 2, less (tragic); or none (cyclic).

    In the Prisoner's Dilemma family both would have more in another cell.
    """
    own, other = matrix[..., 0], matrix[..., 1]
    cells = matrix[(own == own.max(axis=0)) & (other == other.max(axis=1, keepdims=True))]
    if not len(cells):
        return "cyclic"
    pays = cells[cells.sum(axis=1).argmax()]
    names = {(4, 4): "win_win", (3, 4): "biased", (3, 3): "second_best", (2, 4): "unfair"}
    poor = "pd" if (matrix > pays).all(axis=-1).any() else "tragic"
    return names.get(tuple(sorted(pays.astype(int))), poor)


def worth(payoff: np.ndarray, body: Machine, pick: Callable[..., Any]) -> np.ndarray:
    """Payoff of a match float64[G] against a machine, backwards from the last round; `pick` is over the two rows.

    payoff float64[G, row, column]. With np.max it is the best response's, with np.mean a coin thrower's.
    """
    chance = np.stack([body.cooperate, 1 - body.cooperate], axis=-1)  # [state, column]
    value = np.zeros((len(payoff), len(chance)))
    for _ in range(ROUNDS):
        after = value[:, body.next]  # [game, state, column, row]
        rows = np.einsum("sc,gscr->gsr", chance, payoff.transpose(0, 2, 1)[:, None] + after)
        value = pick(rows, axis=-1)
    return value[:, 0]


class Bodies(NamedTuple):
    """Machines in one pair of arrays, padded: cooperate float64[M, K], next int64[M, K, 2, 2]."""

    cooperate: np.ndarray
    next: np.ndarray


def stack(machines: Any) -> Bodies:
    machines = list(machines)
    cooperate = np.zeros((len(machines), max(len(body.cooperate) for body in machines)))
    follow = np.zeros((*cooperate.shape, 2, 2), np.int64)
    for number, body in enumerate(machines):
        cooperate[number, : len(body.cooperate)] = body.cooperate
        follow[number, : len(body.next)] = body.next
    return Bodies(cooperate, follow)


POOL = stack(OPPONENTS.values())
Choose = Callable[[np.ndarray, np.ndarray, np.random.Generator], np.ndarray]
"""(own int64[L, t], other int64[L, t], rng) -> the next row of each of L matches, int64[L]."""


def play(opponent: np.ndarray, choose: Choose, noise: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """L matches, against the opponents int64[L] of POOL: rows and columns, int64[L, ROUNDS]."""
    lanes = len(opponent)
    own, other = np.zeros((2, lanes, ROUNDS), np.int64)
    state = np.zeros(lanes, np.int64)
    for t in range(ROUNDS):
        action = choose(own[:, :t], other[:, :t], rng)
        own[:, t] = np.where(rng.random(lanes) < noise, 1 - action, action)
        other[:, t] = rng.random(lanes) >= POOL.cooperate[opponent, state]
        state = POOL.next[opponent, state, other[:, t], own[:, t]]
    return own, other


# The subjects.


class Mind(NamedTuple):
    """A subject.

    act      (game int64[L], own int64[L, t], other, foreseen int64[L] or None, rng) -> rows int64[L]
    predict  (game, own, other, rng) -> the column that the other is expected to choose, int64[L]
    lessons  how much it learns in all; learn(lessons, rng) goes on by so many
    pack     -> what it learned, as nested dicts of arrays; unpack puts it back
    """

    act: Callable[..., np.ndarray]
    predict: Callable[..., np.ndarray]
    lessons: int = 0
    learn: Callable[..., None] = lambda lessons, rng: None
    pack: Callable[[], dict[str, Any]] = dict
    unpack: Callable[[dict[str, Any]], None] = lambda saved: None


def foresee(predict: Any, settings: Settings, game: Any, own: Any, other: Any, rng: np.random.Generator) -> Any:
    """What is predicted, int64[L], partly dealt out among the matches at random; None where nothing is asked."""
    if not settings.predict:
        return None
    seen = predict(game, own, other, rng)
    return np.where(rng.random(len(seen)) < settings.competence, seen, rng.permutation(seen))


def recall(game: np.ndarray, own: np.ndarray, other: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What the other did more often after the move it made last; that move again where this says nothing."""
    if not other.shape[1]:
        return rng.integers(2, size=len(other))
    last = other[:, -1]
    after = np.where(other[:, :-1] == last[:, None], 2 * other[:, 1:] - 1, 0).sum(axis=1)
    return np.where(after == 0, last, (after > 0).astype(np.int64))


def believed(other: np.ndarray, stickiness: Any) -> np.ndarray:
    """The probability of column 0: 1/2 at first; a round keeps `stickiness` of it, the rest is what was seen."""
    belief = np.full(len(other), 0.5)
    for column in other.T:
        belief = stickiness * belief + (1 - stickiness) * (column == 0)
    return belief


def reply(payoff: np.ndarray, belief: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The row that is best for the next payoff float64[L, row, column]; a coin is thrown between equals."""
    value = payoff[:, :, 0] * belief[:, None] + payoff[:, :, 1] * (1 - belief[:, None])
    return better(value, rng)


def better(value: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The larger of each pair float64[L, 2], int64[L]; a coin between equals."""
    gap = value[:, 1] - value[:, 0]
    return np.where(np.abs(gap) < 1e-12, rng.integers(2, size=len(gap)), gap > 0).astype(np.int64)


def coin(world: World, settings: Settings, rng: np.random.Generator) -> Mind:
    return Mind(lambda game, own, other, foreseen, rng: rng.integers(2, size=len(game)), recall)


def sticky(world: World, settings: Settings, rng: np.random.Generator) -> Mind:
    """The best row against what it believes, or against the move it has predicted."""

    def act(game: Any, own: Any, other: Any, foreseen: Any, rng: np.random.Generator) -> np.ndarray:
        belief = believed(other, settings.stickiness) if foreseen is None else 1.0 - foreseen
        return reply(world.payoff[game, :, :, 0], belief, rng)

    return Mind(act, recall)


def q_learner(world: World, settings: Settings, rng: np.random.Generator) -> Mind:
    """Watkins (1989): Q(s, a) moves to the payoff and the discounted best of the next situation.

    A situation is the outcome of the last round and the prediction, if any; it learns in matches like those it is
    tested in, exploring a tenth of the time. Opponents are drawn anew for every match, and not told.
    """
    games = len(world.payoff)
    table = np.zeros((games, 5, 3, 2))  # game; start and four outcomes; foreseen 0, 1 or nothing; row

    def look(game: Any, own: Any, other: Any, foreseen: Any) -> tuple[Any, ...]:
        outcome = 1 + 2 * own[:, -1] + other[:, -1] if own.shape[1] else np.zeros(len(own), np.int64)
        return game, outcome, np.full(len(own), 2) if foreseen is None else foreseen

    def act(game: Any, own: Any, other: Any, foreseen: Any, rng: np.random.Generator) -> np.ndarray:
        return better(table[look(game, own, other, foreseen)], rng)

    def learn(lessons: int, rng: np.random.Generator) -> None:
        game = np.arange(games)
        for _ in range(lessons):
            before: Any = None

            def choose(own: np.ndarray, other: np.ndarray, rng: np.random.Generator) -> np.ndarray:
                nonlocal before
                spot = look(game, own, other, foresee(recall, settings, game, own, other, rng))
                if before is not None:
                    update(before, own, other, 0.9 * table[spot].max(axis=-1))
                before = spot
                away = rng.random(games) < 0.1
                return np.where(away, rng.integers(2, size=games), better(table[spot], rng))

            def update(spot: Any, own: np.ndarray, other: np.ndarray, future: Any) -> None:
                cell = (*spot, own[:, -1])
                table[cell] += 0.1 * (world.payoff[game, own[:, -1], other[:, -1], 0] + future - table[cell])

            own, other = play(rng.integers(len(OPPONENTS), size=games), choose, 0.0, rng)
            update(before, own, other, 0.0)

    def unpack(saved: dict[str, Any]) -> None:
        table[:] = saved["table"]

    return Mind(act, recall, settings.episodes, learn, lambda: {"table": table.copy()}, unpack)


# Tokens of the GPT: 0 padding, 1 to 4 the ranks, then its rows, the other's columns, and what it is asked to do.
ROW, COLUMN, ACT, THINK = 5, 7, 9, 10


def tiny(world: World, settings: Settings, rng: np.random.Generator) -> Mind:
    """A GPT that reads eight ranks and the rounds so far.

    After ACT it writes the next row, as players in the logs did. After THINK the other's moves stand first in each
    round: it writes the next one, which is the prediction, and then the row that is best against it.
    """
    import torch
    from torch.nn.functional import cross_entropy

    from ludus.learn.policy_gradient import descend
    from ludus.learn.weights import pack, unpack
    from ludus.models.transformer import Size, Transformer, causal

    game_seen, own_seen, other_seen = corpus(world, settings.logs, rng.spawn(1)[0])
    model = Transformer(Size(2, settings.width, 2, 9 + 2 * ROUNDS, 11), rng)
    optimiser = torch.optim.AdamW(model.parameters(), lr=settings.rate, weight_decay=0.01)
    ranks = np.stack([rank(matrix) for matrix in world.payoff])

    def logits(tokens: np.ndarray) -> Any:
        words = torch.from_numpy(tokens)
        return model(words, *causal(words != 0))[0]

    def asked(tokens: np.ndarray, first: int) -> np.ndarray:
        """0 or 1, which of two words is likelier to come next."""
        with torch.no_grad():
            pair = logits(tokens)[:, -1, first : first + 2].numpy()
        return pair.argmax(axis=1)

    def predict(game: Any, own: Any, other: Any, rng: np.random.Generator) -> np.ndarray:
        shown, rows, columns = presented(ranks[game], rng)
        tokens = document(THINK, shown, own ^ rows, other ^ columns)
        return asked(tokens, COLUMN) ^ columns[:, 0]

    def act(game: Any, own: Any, other: Any, foreseen: Any, rng: np.random.Generator) -> np.ndarray:
        shown, rows, columns = presented(ranks[game], rng)
        tokens = document(ACT if foreseen is None else THINK, shown, own ^ rows, other ^ columns)
        if foreseen is not None:
            tokens = np.concatenate([tokens, COLUMN + (foreseen[:, None] ^ columns)], axis=1)
        return asked(tokens, ROW) ^ rows[:, 0]

    def learn(lessons: int, rng: np.random.Generator) -> None:
        for _ in range(lessons):
            drawn = rng.integers(len(game_seen), size=settings.batch)
            game = game_seen[drawn]
            shown, rows, columns = presented(ranks[game], rng)
            own, other = own_seen[drawn] ^ rows, other_seen[drawn] ^ columns
            best = world.payoff[game[:, None], :, other_seen[drawn], 0].argmax(axis=-1) ^ rows
            acting, thinking = logits(
                np.concatenate([document(mode, shown, own, other) for mode in (ACT, THINK)])
            ).chunk(2)
            told = (
                (acting[:, 8:-1:2], ROW + own),  # what it did itself
                (thinking[:, 8:-1:2], COLUMN + other),  # what the other did
                (thinking[:, 9::2], ROW + best),  # what would have been best
            )
            losses = [cross_entropy(seen.reshape(-1, 11), torch.from_numpy(right).ravel()) for seen, right in told]
            loss = torch.stack(losses).sum()
            descend(model, optimiser, loss)

    return Mind(
        act,
        predict,
        settings.updates,
        learn,
        lambda: pack(model, optimiser),
        lambda saved: unpack(model, optimiser, saved),
    )


def corpus(world: World, matches: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logs of maximisers of every stickiness who err in a tenth of the rounds: game, rows, columns.

    Half of the matches are self-play, the others are against the six opponents.
    """
    game = rng.integers(len(world.payoff), size=matches)
    itself = rng.random(matches) < 0.5
    opponent, state = rng.integers(len(OPPONENTS), size=matches), np.zeros(matches, np.int64)
    mine, yours = rng.random((2, matches))
    own, other = np.zeros((2, matches, ROUNDS), np.int64)
    payoff = world.payoff[game]
    for t in range(ROUNDS):
        row = reply(payoff[..., 0], believed(other[:, :t], mine), rng)
        column = reply(payoff[..., 1].transpose(0, 2, 1), believed(own[:, :t], yours), rng)
        scripted = rng.random(matches) >= POOL.cooperate[opponent, state]
        row, column = (np.where(rng.random(matches) < 0.1, 1 - action, action) for action in (row, column))
        own[:, t], other[:, t] = row, np.where(itself, column, scripted)
        state = POOL.next[opponent, state, other[:, t], own[:, t]]
    return game, own, other


def rank(matrix: np.ndarray) -> np.ndarray:
    """Each player's outcomes from 1 to 4, int64[2, 2, 2]; equals share the lower rank."""
    flat = matrix.reshape(4, 2)
    return 1 + (flat[:, None] > flat[None]).sum(axis=1).reshape(2, 2, 2)


def presented(ranks: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows and columns exchanged at random: ranks int64[L, 2, 2, 2], and whether, int64[L, 1] each."""
    rows, columns = rng.integers(2, size=(2, len(ranks), 1))
    lane = np.arange(len(ranks))[:, None, None]
    two = np.arange(2)
    return ranks[lane, (two ^ rows)[:, :, None], (two ^ columns)[:, None, :]], rows, columns


def document(mode: int, ranks: np.ndarray, own: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The tokens so far, int64[L, 9 + 2 t]; after THINK the other's move stands first in each round."""
    pair = [ROW + own, COLUMN + other]
    rounds = np.stack(pair if mode == ACT else pair[::-1], axis=-1).reshape(len(own), -1)
    return np.concatenate([np.full((len(own), 1), mode), ranks.reshape(-1, 8), rounds], axis=1)


MINDS = {"coin": coin, "sticky": sticky, "q": q_learner, "tiny": tiny}


# What is measured.


def measure(world: World, mind: Mind, settings: Settings, rng: np.random.Generator) -> tuple[dict[str, float], str]:
    """All games against all opponents, and the six matches of the paper's two games; an example in words."""
    ordinal, names = len(world.payoff) - 2, list(OPPONENTS)
    game, opponent = (part.ravel() for part in np.indices((ordinal, len(names))))
    copies = settings.copies
    special = np.repeat([ordinal + (name == "bos") for name, _ in FOCUS], copies)
    game = np.concatenate([game, special])
    opponent = np.concatenate([opponent, np.repeat([names.index(who) for _, who in FOCUS], copies)])

    def choose(own: np.ndarray, other: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return mind.act(game, own, other, foresee(mind.predict, settings, game, own, other, rng), rng)

    own, other = play(opponent, choose, settings.noise, rng)
    paid = world.payoff[game[:, None], own, other, 0].sum(axis=1)
    least, most = world.coin[game, opponent], world.best[game, opponent]
    numbers = {}

    def score(family: str, opponents: int) -> float:
        which = (world.family[game] == FAMILIES.index(family)) & (opponent < opponents)
        return (paid - least)[which].sum() / (most - least)[which].sum()

    for number, family in enumerate(FAMILIES):
        numbers[f"score/{family}"] = score(family, len(names))
        numbers[f"ideal/{family}"] = paid[world.family[game] == number].mean() / (4 * ROUNDS)
    for family in ("pd", "win_win"):
        for name, met in (("edge", len(names)), ("plain", len(PROBES))):
            numbers[f"{name}/{family}"] = score(family, met) - score("biased", met)
    own, other = (side[-len(special) :].reshape(len(FOCUS), copies, ROUNDS) for side in (own, other))
    return numbers | signatures(own, other), tell(own[3, 0], other[3, 0])


def signatures(own: np.ndarray, other: np.ndarray) -> dict[str, float]:
    """What the paper looks at in the six matches of FOCUS; own and other int64[6, copies, ROUNDS]."""
    tables = np.stack([kindly(GAMES[name])[..., 0] for name, _ in FOCUS])
    paid = tables[np.arange(len(FOCUS))[:, None, None], own, other].mean(axis=(1, 2))
    met = (own != other).mean(axis=(1, 2))  # in Battle of the Sexes: to give way to each other is to miss each other
    defects = own[:, :, 1:].mean(axis=(1, 2))  # after the first round
    return {
        "pd": paid[:3].mean(),
        "bos": paid[3],
        "forgiving": 1 - defects[0],
        "grudge": defects[0] - defects[1],
        "alternating": met[3],
        "missed": met[4:].mean() - met[3],
    }


def tell(own: np.ndarray, other: np.ndarray) -> str:
    """A match of Battle of the Sexes, where football is the subject's favourite and ballet the other's."""
    lines = ["Battle of the Sexes against one who alternates", "round  subject   other     points"]
    table = kindly(SEXES)[..., 0]
    for t, (row, column) in enumerate(zip(own, other, strict=True)):
        words = ("ballet", "football")[row], ("football", "ballet")[column]
        lines.append(f"{t + 1:5}  {words[0]:8}  {words[1]:8}  {table[row, column]:6.0f}")
    return "\n".join(lines)


# The instrument: which strategy is it?


def instrument(settings: Settings, rng: np.random.Generator) -> tuple[dict[str, float], str]:
    """Plant every candidate, noisy, let each meet the four probes, and name the candidate that is likeliest.

    Dal Bo and Frechette (2011), "The evolution of cooperation in infinitely repeated games", American Economic Review
    101: strategies and a tremble give each observed choice its probability. Their tremble is estimated; here it is
    taken to be 5%, whatever it is, since four matches are little to estimate it from.
    """
    names, bodies = list(CANDIDATES), stack(CANDIDATES.values())
    planted = np.repeat(np.arange(len(names)), settings.planted)

    def choose(own: np.ndarray, other: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return (rng.random(len(own)) >= kindness(bodies, planted, own, other)[:, -1]).astype(np.int64)

    probes = [np.full(len(planted), list(OPPONENTS).index(probe)) for probe in PROBES]
    matches = [play(probe, choose, settings.noise, rng) for probe in probes]
    named = identify(matches).argmax(axis=1)
    right = named == planted
    numbers = {"recovered": float(right.mean())}
    for name in ("grim", "alternator"):
        numbers[f"recovered/{name}"] = float(right[planted == names.index(name)].mean())
    first = int((planted == names.index("grim")).argmax())
    lines = [f"A planted grim player, {settings.noise:.0%} of its actions turned round; C is kind, D is not"]
    for probe, (own, other) in zip(PROBES, matches, strict=True):
        lines.append(
            f"{''.join('CD'[a] for a in own[first])}  against {probe} {''.join('CD'[a] for a in other[first])}"
        )
    return numbers, "\n".join([*lines, f"It is taken for: {names[named[first]]}"])


def identify(matches: list[tuple[np.ndarray, np.ndarray]], tremble: float = 0.05) -> np.ndarray:
    """Log-likelihood of each candidate float64[L, candidates], over matches of L players: rows and columns."""
    bodies = stack(CANDIDATES.values())
    found = np.zeros((len(matches[0][0]), len(CANDIDATES)))
    for own, other in matches:
        for number in range(len(CANDIDATES)):
            kind = kindness(bodies, np.full(len(own), number), own, other)[:, :-1]
            kind = tremble + (1 - 2 * tremble) * kind
            found[:, number] += np.log(np.where(own == 0, kind, 1 - kind)).sum(axis=1)
    return found


def kindness(bodies: Bodies, who: np.ndarray, own: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The probability of the kind move in each round and the next one, float64[L, t + 1], by what was carried out."""
    state = np.zeros(len(who), np.int64)
    chances = [bodies.cooperate[who, state]]
    for mine, yours in zip(own.T, other.T, strict=True):
        state = bodies.next[who, state, mine, yours]
        chances.append(bodies.cooperate[who, state])
    return np.stack(chances, axis=1)


# A real model: the six matches, asked as the paper asks, in words of our own.


def server(settings: Settings, rng: np.random.Generator, log: Any, agent: Any) -> dict[str, Value]:
    """The signatures of a model behind a server; `agent` is its address, or a ChatModel. A coin thrower asks nothing.

    Letters stand for the moves, drawn for each match, and their order is drawn for each question. A reply that names
    none of them is counted as unread, and a coin is thrown.
    """
    from ludus.agents.replies import NONE, labels, read
    from ludus.models.chat import connect

    model = connect(agent, log.replies, temperature=0.0) if isinstance(agent, str) else agent
    seed = int(rng.integers(2**31))
    tables = [kindly(GAMES[name]) for name, _ in FOCUS]
    columns = [tuple(rng.permutation(list("BCFGJKLMPQRSVX"))[:2]) for _ in FOCUS]
    # One letter for one activity: in Battle of the Sexes the kind moves, each to the other's favourite, are different.
    rows = [pair[::-1] if name == "bos" else pair for pair, (name, _) in zip(columns, FOCUS, strict=True)]
    unread: list[bool] = []

    def ask(told: list[str], question: str, words: list[Any], rng: np.random.Generator) -> np.ndarray:
        orders = [" or ".join(rng.permutation(pair)) for pair in words]
        end = "Answer with the letter alone, in square brackets."
        texts = [f"{text} {question}, {order}? {end}" for text, order in zip(told, orders, strict=True)]
        replies = model.ask([[{"role": "user", "content": text}] for text in texts], [seed] * len(texts), words)
        read_as = [
            read(reply.text, labels(pair), np.ones(2, bool), reply.status, reply.reasoning).action
            for reply, pair in zip(replies, words, strict=True)
        ]
        unread.extend(action == NONE for action in read_as)
        return np.where(np.array(read_as) == NONE, rng.integers(2, size=len(texts)), read_as)

    def choose(own: np.ndarray, other: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        if settings.subject == "coin":
            return rng.integers(2, size=len(FOCUS))
        told = [prompt(*match) for match in zip(tables, rows, columns, own, other, strict=True)]
        if settings.predict:
            seen = ask(told, "Which letter will the other player choose in this round", columns, rng)
            kept = rng.random(len(seen)) < settings.competence
            seen = np.where(kept, seen, rng.integers(2, size=len(seen)))
            told = [
                f"{text} You expect the other player to choose {pair[which]}. Given that:"
                for text, pair, which in zip(told, columns, seen, strict=True)
            ]
        return ask(told, "Which letter do you choose in this round", rows, rng)

    own, other = play(np.array([list(OPPONENTS).index(who) for _, who in FOCUS]), choose, 0.0, rng)
    log.example(tell(own[3], other[3]))
    numbers = signatures(own[:, None], other[:, None]) | {"unread": float(np.mean(unread or [False]))}
    return {name: Value(float(number), "sampled", None, "six matches") for name, number in numbers.items()}


def prompt(table: np.ndarray, rows: Any, columns: Any, own: np.ndarray, other: np.ndarray) -> str:
    """The rules and what happened so far, in words; table [2, 2, 2], the letters of both, and moves int64[t]."""
    lines = [
        f"You and another player play one game {ROUNDS} times. In each round both choose {columns[0]} or {columns[1]} "
        "at the same time. Get as many points as you can. These are the points of a round.",
    ]
    for row, column in np.ndindex(2, 2):
        you, they = table[row, column]
        lines.append(
            f"You choose {rows[row]}, the other {columns[column]}: {you:.0f} for you, {they:.0f} for the other."
        )
    for t, (row, column) in enumerate(zip(own, other, strict=True)):
        you, they = table[row, column]
        played = f"you chose {rows[row]}, the other {columns[column]}"
        lines.append(f"Round {t + 1}: {played}; {you:.0f} for you, {they:.0f} for the other.")
    return "\n".join([*lines, f"Now comes round {len(own) + 1} of {ROUNDS}."])


RECIPE = Recipe(
    slug="repeated-games-llm",
    arms=ARMS,
    run=run,
    server=server,
    claims=(
        Higher("planted", than=0.95, metric="recovered/grim", scope="transfer", control="planted_nothing"),
        Higher("planted", than=0.95, metric="recovered/alternator", scope="transfer", control="planted_nothing"),
        Trend(
            (("planted", 0.9), ("planted_10", 0.8), ("planted_20", 0.6), ("planted_35", 0.3), ("planted_nothing", 0.0)),
            metric="recovered",
            scope="transfer",
            control="planted_nothing",
            says="Fewer planted players are recovered the noisier they are, down to chance where nothing is planted",
        ),
        *(Higher(player, than=0.0, metric="edge/pd") for player in PLAYERS),
        *(Higher(player, than=0.0, metric="edge/win_win") for player in PLAYERS),
        Higher("sticky_predict", than="sticky", metric="bos", by=0.2, relative=True, control="sticky_scrambled"),
        Higher("q_predict", than="coin", metric="bos", by=0.2, relative=True, control="q_scrambled"),
        Ordered(("tiny_predict", "tiny_scrambled", "tiny"), metric="bos", control="tiny_scrambled"),
        *(Equivalent(f"{who}_predict", than=who, metric="pd", margin=0.05, relative=True) for who in PLAYERS),
        *(
            Higher(
                f"{who}_predict",
                than=f"{who}_scrambled",
                metric="bos",
                by=0.2,
                relative=True,
                control=f"{who}_scrambled",
            )
            for who in PLAYERS
        ),
        Trend(
            (
                ("sticky_predict", 1.0),
                ("sticky_75", 0.75),
                ("sticky_50", 0.5),
                ("sticky_25", 0.25),
                ("sticky_scrambled", 0.0),
            ),
            metric="bos",
            control="sticky_scrambled",
            says="The maximiser's payoff in Battle of the Sexes follows the share of its predictions left unscrambled",
        ),
        Ordered(("sticky_predict", "sticky_scrambled", "fresh"), metric="bos", control="sticky_scrambled"),
        Higher("sticky_predict", than="frozen", metric="bos", by=0.2, relative=True, control="sticky_scrambled"),
        Lower(
            "tiny",
            than=0.1,
            metric="forgiving",
            scope="server",
            says="A pretrained model cooperates in less than a tenth of the rounds after a single defection",
        ),
        Higher(
            "tiny",
            than=0.2,
            metric="missed",
            scope="server",
            says="A pretrained model meets an alternating player less often than constant ones, by 0.2 at least",
        ),
        Higher(
            "tiny_predict",
            than="tiny",
            metric="bos",
            by=0.2,
            relative=True,
            scope="server",
            control="tiny_scrambled",
            says="A pretrained model that predicts first has 20% more from an alternating player",
        ),
    ),
    control="coin",
    seeds=8,
    minutes=9,
    quick={
        **{"most": 1, "copies": 10, "planted": 5, "episodes": 2},
        **{"logs": 64, "updates": 2, "batch": 8, "width": 8, "snapshots": 1},
    },
    metrics={
        "score": ("share", "of the way from a coin thrower's payoff to the best response's, both exact; by family"),
        "ideal": ("share", "of the largest payoff in every round, the paper's own score; by family"),
        "edge": ("share", "score in a family less that in biased games"),
        "plain": ("share", "the same against the four opponents that do not react"),
        "bos": ("points", "a round of Battle of the Sexes, against an alternating player"),
        "pd": ("points", "a round of the Prisoner's Dilemma, against kind, harsh and once defecting players"),
        "forgiving": ("share", "of rounds 2 to 10 in which it cooperates with one who defected in round 1 alone"),
        "grudge": ("share", "how much more often it cooperates in these rounds with one who never defected"),
        "alternating": ("share", "of the rounds in which it meets an alternating player in Battle of the Sexes"),
        "missed": ("share", "how much more often it meets those who always do the same"),
        "recovered": ("share", "of the planted players taken for what they are, out of eight"),
        "unread": ("share", "of a served model's replies that name no move"),
    },
    watch="bos",
)
