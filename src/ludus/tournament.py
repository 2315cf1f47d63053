"""Tournaments: who meets whom, in which seats, and what came of it.

    schedule   who meets, round by round: once(round_robin(...)), once(against(...)), swiss(...)
    sittings   every table in every seat order of a balanced design, equally often
    play_one   Sitting -> Played
    tally      Played -> Results: payoffs, wins, ties, and how language players answered

`hold` puts them together. The random numbers of a sitting belong to its round and to who sits where, so results depend
neither on the order in which sittings are played nor on how many are played at a time.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from itertools import combinations, permutations
from math import comb
from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

from ludus.game import Game
from ludus.play import BLOCK, Chooser, Episodes, play
from ludus.records import Policy, Population

MOST_TABLES = 5000  # every pair of a hundred members; of more tables a sample is played
KEPT = ("answer", "reply_text")  # texts of language players that a replay shows; the prompt is the view

Player = Policy | Chooser
Table = tuple[int, ...]


class Sitting(NamedTuple):
    """Some games of the same members in the same seats.

    round  0, 1, ...
    seats  the member in each seat, P of them
    games  how many
    """

    round: int
    seats: Table
    games: int


class Played(NamedTuple):
    """What came of a sitting of E games and T decisions; enough to tell every game again.

    payoff   float64[E, P], by seat
    length   int64[E], decisions of each game
    action   int64[T], in the order of games and then of time
    answers  for each seat how many of its decisions were answered how, by class: legal, illegal, malformed and so on,
             as agents/replies.py names them; empty for a player who writes no text
    texts    name -> T texts, of KEPT those there are
    """

    sitting: Sitting
    payoff: np.ndarray
    length: np.ndarray
    action: np.ndarray
    answers: tuple[dict[str, int], ...]
    texts: dict[str, list[str]]


class Results(NamedTuple):
    """A tournament in numbers. M members; a win is a higher payoff than another's in the same game.

    population  genomes: the members' names. payoff[i, j] is what i was paid on average in games with j, NaN where they
                never met, and games[i, j] their number; with two seats that is i against j
    variance    float64[M, M], of a single game's payoff about that mean, NaN below two games
    wins        int64[M, M], games in which i was paid more than j
    ties        int64[M, M], games in which both were paid the same; symmetric
    games       int64[M], games of each member
    mean        float64[M], payoff per game, NaN without one
    interval    float64[M, 2], Student's 95% interval of the mean over the member's games; NaN below two games
    answers     for each member what its decisions were, as in Played; the counts add up to its decisions
    """

    population: Population
    variance: np.ndarray
    wins: np.ndarray
    ties: np.ndarray
    games: np.ndarray
    mean: np.ndarray
    interval: np.ndarray
    answers: list[dict[str, int]]


Schedule = Callable[[int, Results], list[Table]]
"""(round, results of the rounds before) -> the tables of this round, none where the tournament is over."""


def hold(
    game: Game,
    players: Mapping[str, Player],
    schedule: Schedule,
    games: int,
    seed: int,
    jobs: int = 1,
    kept: Iterable[Played] = (),
    keep: Callable[[Played], None] = lambda played: None,
) -> Results:
    """Play a tournament.

    players  name -> policy or Chooser, the members in order
    games    per table, a multiple of the seat orders: `whole(game.players, games)`
    jobs     sittings at a time; players are then called from several threads. Results do not depend on it
    kept     sittings of this tournament that were played before; they are not played again
    keep     called with every sitting as soon as it is played

    Where a player raises, sittings already begun are played to their end and kept, then the error is raised.
    """
    for name, count in (("games", games), ("jobs", jobs)):
        if count < 1:
            raise ValueError(f"{name}: give a number of at least 1; {count} seen")
    if games != whole(game.players, games):
        raise ValueError(f"games: {games} are no multiple of the {len(seatings(game.players))} seat orders of "
                         f"{game.name}; give {whole(game.players, games)}")  # fmt: skip
    done = {played.sitting: played for played in kept}
    names, policies = list(players), list(players.values())
    round_ = 0
    held: list[Played] = []
    while tables := schedule(round_, tally(names, held)):
        planned = sittings(tables, game.players, games, round_)
        left = [sitting for sitting in planned if sitting not in done]
        for played in _play_all(game, policies, left, seed, jobs):
            done[played.sitting] = played
            keep(played)
        held += [done[sitting] for sitting in planned]
        round_ += 1
    return tally(names, held)


def play_one(game: Game, policies: Sequence[Player], sitting: Sitting, seed: int) -> Played:
    """Play the games of a sitting; policies are those of all members."""
    seated = [policies[member] for member in sitting.seats]
    episodes = play(game, seated, sitting.games, generator(seed, sitting))
    texts = {name: [str(text) for text in episodes.notes[name]] for name in KEPT if name in episodes.notes}
    return Played(
        sitting,
        episodes.payoff,
        np.diff(episodes.first),
        episodes.action,
        tuple(_answers(policy, episodes, seat) for seat, policy in enumerate(seated)),
        texts,
    )


def generator(seed: int, sitting: Sitting) -> np.random.Generator:
    """The random numbers of a sitting. Its key (round, seats) is nobody else's, and `play` gives each game a stream.

    Keys are those of numpy's SeedSequence, which mixes them into the seed; schedules draw under shorter keys.
    """
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(sitting.round, *sitting.seats)))


def retrace(game: Game, played: Played, seed: int) -> Episodes:
    """The games of a sitting again, from what was kept: the players' actions, and chance from the seed.

    Texts come back as notes, their further lines indented, so that none of them can pass for a line of ours. The
    probabilities of actions are not kept: NaN. Raises ValueError where the game as it is now goes another way.
    """
    script = _Script(played)
    episodes = play(game, [script] * game.players, played.sitting.games, generator(seed, played.sitting))
    if not np.array_equal(episodes.payoff, played.payoff):
        raise ValueError(f"{game.name} has changed since these games were played: they now end otherwise")
    notes = {name: np.array([text.replace("\n", "\n      ") for text in texts]) for name, texts in played.texts.items()}
    return Episodes(
        **{name: getattr(episodes, name) for name in ("player", "view", "legal", "action", "prob", "first", "payoff")},
        notes=notes,
    )


# --- who sits where ---------------------------------------------------------------------------------------------------


def seatings(seats: int) -> np.ndarray:
    """Seat orders int64[O, P]: everyone sits in every seat equally often, and right before everyone else equally often.

    The designs of Williams (1949), "Experimental designs balanced for the estimation of residual effects of
    treatments", Australian Journal of Scientific Research A 2: P orders, 2 P where P is odd. For two and three players
    these are all orders.
    """
    steps = np.arange(seats)
    first = np.where(steps % 2 == 1, (steps + 1) // 2, -(steps // 2)) % seats  # 0, 1, -1, 2, -2, ...
    orders = (first + steps[:, None]) % seats
    return orders if seats % 2 == 0 or seats == 1 else np.concatenate([orders, orders[:, ::-1]])


def whole(seats: int, games: int) -> int:
    """Games per table, rounded up so that every seat order is played equally often."""
    orders = len(seatings(seats))
    return -(-games // orders) * orders


def sittings(tables: Iterable[Table], seats: int, games: int, round_: int = 0) -> list[Sitting]:
    """Every table in every seat order; `games` per table, a multiple of the orders."""
    orders = seatings(seats)
    return [
        Sitting(round_, tuple(int(table[place]) for place in order), games // len(orders))
        for table in tables
        for order in orders
    ]


# --- who meets whom ---------------------------------------------------------------------------------------------------


def once(tables: Sequence[Table]) -> Schedule:
    """The schedule of one round with these tables."""
    return lambda round_, results: list(tables) if round_ == 0 else []


def round_robin(members: int, seats: int, seed: int, most: int = MOST_TABLES) -> list[Table]:
    """Every table of that many members, in order; where there are more than `most`, so many of them, drawn at random.

    In a sample no table comes twice, and members who sat least so far are drawn first.
    """
    if comb(members, seats) <= most:
        return list(combinations(range(members), seats))
    rng = _draws(seed, 0)
    tables: set[Table] = set()
    sat = np.zeros(members, np.int64)
    while len(tables) < most:
        drawn = np.lexsort((rng.random(members), sat))[:seats]
        while (table := tuple(sorted(map(int, drawn)))) in tables:
            drawn = rng.choice(members, seats, replace=False)
        tables.add(table)
        sat[list(table)] += 1
    return sorted(tables)


def against(challengers: int, pool: int, seats: int) -> list[Table]:
    """Every challenger (members 0, 1, ...) with every choice of the pool (the members after them) at its table."""
    others = range(challengers, challengers + pool)
    return [(one, *table) for one in range(challengers) for table in combinations(others, seats - 1)]


def swiss(rounds: int, games: int, seed: int) -> Schedule:
    """Rounds of pairs with nearly equal scores, for games with two seats: the Monrad way of a Swiss tournament.

    From the top of the standings down, each meets the nearest below whom it has not met, so far as the others can then
    still be paired: no pairing comes twice while another way to pair the round exists. The score is the payoff per
    game. Of an odd number one sits out, the last of those who sat out least often; that scores nothing and costs
    nothing. The first round, and the order of equals, is drawn.
    """

    def schedule(round_: int, results: Results) -> list[Table]:
        if round_ >= rounds:
            return []
        score = np.nan_to_num(results.mean)
        return pair(score, results.population.games > 0, round_ - results.games // games, _draws(seed, round_))

    return schedule


def pair(score: np.ndarray, met: np.ndarray, byes: np.ndarray, rng: np.random.Generator) -> list[Table]:
    """One Swiss round: score float64[M], met bool[M, M], byes int64[M] -> pairs of members, lower number first."""
    order = np.lexsort((rng.random(len(score)), -score))
    if len(order) % 2:
        able = [place for place in range(len(order)) if byes[order[place]] == byes.min()]
        rests = {place: np.delete(order, place) for place in reversed(able)}
        fewest = {place: repeats(met[np.ix_(rest, rest)], rng) for place, rest in rests.items()}
        order = rests[min(fewest, key=lambda place: (fewest[place], -place))]
    due = repeats(met[np.ix_(order, order)], rng)
    tables: list[Table] = []
    while len(order):
        for place in range(1, len(order)):
            again = bool(met[order[0], order[place]])
            rest = np.delete(order, [0, place])
            if again <= due and again + repeats(met[np.ix_(rest, rest)], rng) == due:
                break
        one, other = int(order[0]), int(order[place])
        tables.append((min(one, other), max(one, other)))
        order, due = rest, due - again
    return tables


_PRIME = 2**31 - 1


def repeats(met: np.ndarray, rng: np.random.Generator) -> int:
    """How many pairs must meet again, at the least, if all are paired: met bool[m, m], m even.

    That is m / 2 less the largest matching of those who have not met; its size is half the rank of the Tutte matrix
    with random entries (Lovász 1979, "On determinants, matchings and random algorithms"). Modulo a prime near 2^31 the
    rank comes out too small, and a pairing is repeated without need, with probability below m / 2^31.
    """
    size = len(met)
    fresh = ~met & ~np.eye(size, dtype=bool)
    if size == 0 or fresh.sum(axis=1).min() >= size / 2:  # then there is a whole round (Dirac 1952)
        return 0
    tutte = np.triu(np.where(fresh, rng.integers(1, _PRIME, fresh.shape), 0))
    return (size - _rank((tutte - tutte.T) % _PRIME)) // 2


def _rank(matrix):
    """The rank of an int64 matrix modulo the prime; changed in place."""
    rank = 0
    for column in range(len(matrix)):
        pivots = np.flatnonzero(matrix[rank:, column])
        if not len(pivots):
            continue
        matrix[[rank, rank + pivots[0]]] = matrix[[rank + pivots[0], rank]]
        matrix[rank] = matrix[rank] * pow(int(matrix[rank, column]), -1, _PRIME) % _PRIME
        below = matrix[rank + 1 :]
        below[:] = (below - below[:, column : column + 1] * matrix[rank]) % _PRIME
        rank += 1
    return rank


def _draws(seed, round_):
    """The random numbers of a schedule."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(round_,)))


# --- what came of it --------------------------------------------------------------------------------------------------


def tally(names: Sequence[str], held: Iterable[Played]) -> Results:
    """Count what was played, whatever its order. names: the members."""
    size = len(names)
    games, wins, ties = (np.zeros((size, size), np.int64) for _ in range(3))
    paid: dict[tuple[int, int], list[np.ndarray]] = {}
    own: list[list[np.ndarray]] = [[] for _ in names]
    answers: list[Counter[str]] = [Counter() for _ in names]
    for played in sorted(held, key=lambda played: played.sitting):
        seats, payoff = played.sitting.seats, played.payoff
        for seat, member in enumerate(seats):
            own[member].append(payoff[:, seat])
            answers[member].update(played.answers[seat])
        for (a, i), (b, j) in permutations(enumerate(seats), 2):
            paid.setdefault((i, j), []).append(payoff[:, a])
            games[i, j] += len(payoff)
            wins[i, j] += (payoff[:, a] > payoff[:, b]).sum()
            ties[i, j] += (payoff[:, a] == payoff[:, b]).sum()
    mean, interval = np.full(size, np.nan), np.full((size, 2), np.nan)
    count = np.zeros(size, np.int64)
    for member, parts in enumerate(own):
        if parts:
            all_ = np.concatenate(parts)
            count[member], mean[member] = len(all_), all_.mean()
            if len(all_) > 1:
                half = stdtrit(len(all_) - 1, 0.975) * all_.std(ddof=1) / np.sqrt(len(all_))
                interval[member] = mean[member] - half, mean[member] + half
    table, variance = np.full((size, size), np.nan), np.full((size, size), np.nan)
    for pair_, parts in paid.items():
        all_ = np.concatenate(parts)
        table[pair_] = all_.mean()
        variance[pair_] = all_.var(ddof=1) if len(all_) > 1 else np.nan
    population = Population(list(names), table, games, np.full(size, -1))
    return Results(population, variance, wins, ties, count, mean, interval, [dict(one) for one in answers])


def ranking(results: Results) -> list[int]:
    """Members, the best first: by payoff per game, then by that of those whom they met, game by game; then as entered.

    Who has not played stands last. The second is the tie-break of Swiss chess named after Buchholz, per game.
    """
    mean = np.nan_to_num(results.mean, nan=-np.inf)
    games = results.population.games
    met = np.divide(games @ np.nan_to_num(results.mean), games.sum(axis=1), out=np.zeros(len(mean)),
                    where=games.any(axis=1))  # fmt: skip
    return [int(member) for member in np.lexsort((-met.round(12), -mean.round(12)))]


def _answers(policy, episodes, seat):
    """How one seat's decisions were answered, by class; empty where it writes no text."""
    notes = episodes.notes
    if not isinstance(policy, Chooser) or not {"answer", "well_formed"} & set(notes):
        return {}
    rows = episodes.player == seat
    if "answer" in notes:
        return dict(Counter(str(kind) for kind in notes["answer"][rows] if kind))
    formed, lawful = notes["well_formed"][rows], notes["lawful"][rows]
    counts = {"legal": lawful.sum(), "illegal": (formed & ~lawful).sum(), "malformed": (~formed).sum()}
    return {kind: int(count) for kind, count in counts.items() if count}


# --- playing ----------------------------------------------------------------------------------------------------------


def _play_all(game, policies, left, seed, jobs):
    """Played sittings, as they come. After an error nothing new begins; what was begun comes before the error does."""
    if jobs == 1:
        yield from (play_one(game, policies, sitting, seed) for sitting in left)
        return
    with ThreadPoolExecutor(jobs) as pool:
        going = {pool.submit(play_one, game, policies, sitting, seed) for sitting in left}
        fault: BaseException | None = None
        try:
            while going:
                ended, going = wait(going, return_when=FIRST_COMPLETED)
                for future in ended:
                    error = future.exception()
                    if error is None:
                        yield future.result()
                        continue
                    fault = fault or error
                    going = {other for other in going if not other.cancel()}
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        if fault is not None:
            raise fault


class _Script:
    """A Chooser on every seat that plays what was played.

    `play` asks one player on all seats once a step, for every game of a block that goes on, in order: so the rows of a
    call are known.
    """

    def __init__(self, played: Played) -> None:
        self.played = played
        self.first = np.concatenate([[0], np.cumsum(played.length)[:-1]])
        self.start, self.step = 0, 0

    def choose(
        self, views: np.ndarray, legal: np.ndarray, uniforms: Callable[[int], np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
        length = self.played.length
        while self.start < len(length) and not (length[self.start : self.start + BLOCK] > self.step).any():
            self.start, self.step = self.start + BLOCK, 0
        going = self.start + np.flatnonzero(length[self.start : self.start + BLOCK] > self.step)
        if len(going) != len(views):
            raise ValueError("the game has changed since these games were played: they now have other lengths")
        action = self.played.action[self.first[going] + self.step]
        self.step += 1
        return action, np.full(len(views), np.nan), {}
