"""Matches of a repeated game in compiled loops: one match, or everybody against everybody.

A match owns its random numbers: they depend on the seed, on the two strategies and on the repetition, not on who else
plays, in which order, or on how many threads. A match without chance is played once, whatever the number of
repetitions.
"""

import functools
import hashlib
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numba import njit, typed, types

from ludus.game import engine
from ludus.iterated.machine import DECIDE, PRISONERS_DILEMMA, Machine, Rule, Strategy, as_rule, noisy, payoffs
from ludus.iterated.strategies import resolved
from ludus.normal_form import NormalForm
from ludus.records import Population, Value

Entry = str | Strategy | Machine | Rule

GRAIN = 2.0**32  # a chance is compared with 32 random bits: a probability is met to within 2**-32
LANES = 16  # matches that the loop of machines plays side by side, so that one does not wait for another's memory


class Match(NamedTuple):
    """One match.

    action  int64[T, 2], 0 to cooperate and 1 to defect, as carried out
    payoff  float64[2], the mean payoff of a turn
    """

    action: np.ndarray
    payoff: np.ndarray


class RoundRobin(NamedTuple):
    """Everybody against everybody, oneself included. M strategies, N repetitions.

    strategies   list[M] of Strategy
    turns        T, the length of every match
    outcomes     int64[M, M, N, 4], how many turns of each match ended CC, CD, DC, DD, the row's action first
    payoff       float64[M, M], what the row earned a turn against the column
    error        float64[M, M], the standard error of that mean over repetitions; 0 where no chance was at play, NaN
                 where it was and there is one repetition
    cooperation  float64[M, M], the share of turns in which the row cooperated
    chance       bool[M, M], whether chance was at play
    """

    strategies: list[Strategy]
    turns: int
    outcomes: np.ndarray
    payoff: np.ndarray
    error: np.ndarray
    cooperation: np.ndarray
    chance: np.ndarray


def match(
    first: Entry,
    second: Entry,
    turns: int = 200,
    noise: float = 0.0,
    rng: np.random.Generator | None = None,
    game: NormalForm = PRISONERS_DILEMMA,
) -> Match:
    """One match of two strategies, action by action; each action is turned round with probability `noise`.

    A generator is needed where there is chance: noise, or a strategy that draws. Raises ValueError where it is missing,
    and where an argument is out of range.
    """
    _check(noise, turns=turns)
    players = [resolved(first, 1), resolved(second, 2)]
    rules = [as_rule(player.body) for player in players]
    stream = np.uint64(0) if rng is None else rng.integers(2**64, dtype=np.uint64)
    action = np.empty((turns, 2), np.int64)
    with np.errstate(over="ignore"):
        kernels, kind, size, parameters, begin = _packed(rules)
        drew = _record(kernels, kind, size, parameters, begin, stream, noise, action)
    if drew < 0:
        raise _no_probability(*players)
    if drew and rng is None:
        raise ValueError(
            f"rng: chance is at play between {players[0].name} and {players[1].name}; give np.random.default_rng(seed)"
        )
    counts = np.bincount(2 * action[:, 0] + action[:, 1], minlength=4)
    return Match(action, payoffs(counts / turns, game))


def round_robin(
    strategies: Sequence[Entry],
    turns: int = 200,
    repetitions: int = 10,
    noise: float = 0.0,
    rng: np.random.Generator | None = None,
    game: NormalForm = PRISONERS_DILEMMA,
    workers: int = 1,
) -> RoundRobin:
    """Every strategy meets every one, itself included, `repetitions` times.

    The result is the same for any number of workers, and the same matches are played whatever the order of the
    strategies. One number is drawn from rng. Against itself a strategy has both seats, and its payoff there is the mean
    of the two where the game is symmetric; in a game that is not, the row sits in the first seat. Raises ValueError
    where chance is at play without a generator, and where an argument is out of range.
    """
    _check(noise, turns=turns, repetitions=repetitions, workers=workers)
    players = [resolved(entry, number) for number, entry in enumerate(strategies, 1)]
    if not players:
        raise ValueError("strategies: give at least one; names stand in ludus.iterated.strategies.STRATEGIES")
    rows, columns = np.triu_indices(len(players))
    played, drew = outcomes(players, rows, columns, turns, repetitions, noise, rng, workers)
    own = np.arange(len(players))
    counts = np.empty((len(players), len(players), repetitions, 4), np.int64)
    counts[rows, columns] = played
    counts[columns, rows] = played[..., TURNED]
    counts[own, own] = played[rows == columns]
    chance = np.empty(counts.shape[:2], np.bool_)
    chance[rows, columns] = chance[columns, rows] = drew
    shares = counts / turns
    if np.array_equal(game.payoff[..., 0], game.payoff[..., 1].T):  # one's two seats earn their mean
        shares[own, own] = (shares[own, own] + shares[own, own][..., TURNED]) / 2
    paid = payoffs(shares, game)[..., 0]
    error = paid.std(axis=2, ddof=1) / np.sqrt(repetitions) if repetitions > 1 else np.full(chance.shape, np.nan)
    cooperation = (shares[..., 0] + shares[..., 1]).mean(axis=2)
    return RoundRobin(players, turns, counts, paid.mean(axis=2), np.where(chance, error, 0.0), cooperation, chance)


def scores(result: RoundRobin) -> list[Value]:
    """What each strategy earned a turn, the mean over all it met and itself: M Values, exact where there was no chance.

    The interval of a sampled one is the mean and 1.96 of its standard errors; there is none after one repetition.
    """
    mean, error = result.payoff.mean(axis=1), np.sqrt((result.error**2).sum(axis=1)) / len(result.strategies)
    repetitions = result.outcomes.shape[2]
    how = f"{result.turns} turns against each of {len(result.strategies)}"
    found = []
    sampled = np.any(result.chance, axis=1).tolist()
    for number, spread, drew in zip(mean.tolist(), (1.96 * error).tolist(), sampled, strict=True):
        if drew:
            interval = None if repetitions == 1 else (number - spread, number + spread)
            found.append(Value(number, "sampled", interval, f"{how}, {repetitions} times"))
        else:
            found.append(Value(number, "exact", None, how))
    return found


def population(result: RoundRobin) -> Population:
    """The tournament as the record that evolution reads: the strategies, what they earn, how many matches say so."""
    size, repetitions = len(result.strategies), result.outcomes.shape[2]
    return Population(
        list(result.strategies), result.payoff, np.full((size, size), repetitions), np.full(size, -1, np.int64)
    )


def outcomes(
    strategies: Sequence[Strategy],
    first: np.ndarray,
    second: np.ndarray,
    turns: int,
    repetitions: int,
    noise: float,
    rng: np.random.Generator | None,
    workers: int = 1,
) -> tuple[np.ndarray, np.ndarray]:
    """B pairs, by their numbers first and second int64[B] -> (int64[B, N, 4], bool[B]).

    How many turns of each of N repetitions ended CC, CD, DC, DD, and whether chance was at play. Raises ValueError
    where it is and rng is None.
    """
    key = _keys(strategies)
    turned = key[first] > key[second]  # who sits where must not decide which random numbers a player gets
    one, two = np.where(turned, second, first), np.where(turned, first, second)
    with np.errstate(over="ignore"):
        seed = np.uint64(0) if rng is None else rng.integers(2**64, dtype=np.uint64)
        pair = _mixed(_mixed(seed + key[one]) + key[two])
        lanes = Lanes(strategies, turns, noise)
        counts, drew = lanes.play(one, two, _mixed(pair + GAMMA), workers)
        if drew.any() and rng is None:
            lane = int(np.argmax(drew))
            names = f"{strategies[first[lane]].name} and {strategies[second[lane]].name}"
            raise ValueError(f"rng: chance is at play between {names}; give np.random.default_rng(seed)")
        table = np.repeat(counts[:, None], repetitions, axis=1)
        again = np.flatnonzero(drew)
        if repetitions > 1 and len(again):
            streams = _mixed(pair[again, None] + GAMMA * np.arange(2, repetitions + 1, dtype=np.uint64)).ravel()
            more = lanes.play(
                np.repeat(one[again], repetitions - 1), np.repeat(two[again], repetitions - 1), streams, workers
            )
            table[again, 1:] = more[0].reshape(len(again), repetitions - 1, 4)
    table[turned] = table[turned][..., TURNED]
    return table, drew


TURNED = [0, 2, 1, 3]  # the outcomes as the other player sees them


def _keys(strategies):
    """uint64[M]: what a strategy is, not where it stands; copies of one strategy are told apart by their order."""
    seen: Counter = Counter()
    keys = np.empty(len(strategies), np.uint64)
    for place, strategy in enumerate(strategies):
        body = strategy.body
        if isinstance(body, Machine):
            what = body.cooperate.tobytes() + body.next.tobytes()
        else:
            what = f"{body.decide.__module__}.{body.decide.__qualname__} {body.parameters}".encode()
        seen[what] += 1
        digest = hashlib.blake2b(what + seen[what].to_bytes(8, "little"), digest_size=8).digest()
        keys[place] = int.from_bytes(digest, "little")
    return keys


class Lanes:
    """Strategies laid out for the loops once, so that many batches of matches can be played with them."""

    def __init__(self, strategies: Sequence[Strategy], turns: int, noise: float):
        self.strategies, self.turns, self.noise = strategies, turns, noise
        self.machine = np.array([isinstance(strategy.body, Machine) for strategy in strategies])
        self.kernels, self.kind, self.size, self.parameters, self.begin = _packed(
            [as_rule(strategy.body) for strategy in strategies]
        )
        machines = [strategy.body for strategy in strategies if isinstance(strategy.body, Machine)]
        sizes = [len(machine.cooperate) for machine in machines]
        starts = np.cumsum([0, *sizes])
        self.start = np.full(len(strategies), -1)
        self.start[self.machine] = starts[:-1]
        tables = [machine.next.reshape(-1, 4) + start for machine, start in zip(machines, starts, strict=False)]
        self.next = np.concatenate([np.empty((0, 4), np.int64), *tables])
        chances = [noisy(machine, noise).cooperate for machine in machines]
        self.cooperate = np.concatenate([np.empty(0), *chances])

    def play(
        self, first: np.ndarray, second: np.ndarray, streams: np.ndarray, workers: int = 1
    ) -> tuple[np.ndarray, np.ndarray]:
        """L matches, of strategies by number -> (int64[L, 4] turns that ended CC, CD, DC, DD, bool[L] chance at play).

        streams uint64[L] is where the random numbers of each match begin. Raises ValueError where what a rule gives is
        no probability.
        """
        counts, drew = np.zeros((len(first), 4), np.int64), np.zeros(len(first), np.bool_)
        both = self.machine[first] & self.machine[second]
        work = []
        for kind, rows in ((True, np.flatnonzero(both)), (False, np.flatnonzero(~both))):
            parts = [part for part in np.array_split(rows, workers) if len(part)]
            work += [(kind, part) for part in parts]

        def do(task):
            kind, part = task
            some, chance = np.zeros((len(part), 4), np.int64), np.zeros(len(part), np.bool_)
            if not kind:
                wrong = _consult(
                    self.kernels, self.kind, self.size, self.parameters, self.begin,
                    first[part], second[part], streams[part], self.turns, self.noise, some, chance,
                )  # fmt: skip
                if wrong >= 0:
                    raise _no_probability(self.strategies[first[part[wrong]]], self.strategies[second[part[wrong]]])
            else:
                one, two = self.start[first[part]], self.start[second[part]]
                _walk(self.cooperate, self.next, one, two, self.turns, some, chance)
                if chance.any():
                    threshold = np.ceil(self.cooperate * GRAIN).astype(np.int64)
                    drawn = np.zeros((int(chance.sum()), 4), np.int64)
                    _draw(threshold, self.next, one[chance], two[chance], streams[part][chance], self.turns, drawn)
                    some[chance] = drawn
            counts[part], drew[part] = some, chance

        if workers == 1:
            for task in work:
                do(task)
        else:
            with ThreadPoolExecutor(workers) as pool:
                list(pool.map(do, work))
        return counts, drew


def _no_probability(first, second):
    names = " or ".join(dict.fromkeys(line.name for line in (first, second) if isinstance(line.body, Rule)))
    return ValueError(f"decide: {names} gave a number that is no probability; return one from 0 to 1")


def _packed(rules):
    """Rules as the loops read them: their kernels, which kernel and how much memory each has, all their parameters."""
    kernels = list(dict.fromkeys(rule.decide for rule in rules))
    kind = np.array([kernels.index(rule.decide) for rule in rules])
    size = np.array([rule.size for rule in rules])
    parameters = np.array([number for rule in rules for number in rule.parameters], np.float64)
    first = np.cumsum([0, *(len(rule.parameters) for rule in rules)])
    return _listed(tuple(kernels)), kind, size, parameters, first


@functools.cache
def _listed(kernels):
    """A list that compiled code can index. Raises ValueError where a kernel is not compiled."""
    listed = typed.List.empty_list(DECIDE)
    for kernel in kernels:
        if hasattr(kernel, "compile"):
            kernel.compile(DECIDE.signature)
        try:
            _add(listed, kernel)
        except TypeError:
            raise ValueError(f"decide: {kernel!r} is not compiled; decorate it with numba.njit") from None
    return listed


def _check(noise, **counts):
    for name, count in counts.items():
        if not isinstance(count, int | np.integer) or isinstance(count, bool) or count < 1:
            raise ValueError(f"{name}: give a whole number of at least 1; {count!r} seen")
    if not 0 <= noise <= 0.5:
        raise ValueError(f"noise: give the probability that an action is turned round, from 0 to 0.5; {noise!r} seen")


# --- the loops --------------------------------------------------------------------------------------------------------
# Random numbers: SplitMix64 of Steele, Lea and Flood (2014), "Fast splittable pseudorandom number generators". A match
# has one number a turn: its upper half is the first player's, its lower half the second's.

GAMMA = np.uint64(0x9E3779B97F4A7C15)
_KERNELS, _WHOLE, _REAL = types.ListType(DECIDE), types.int64[::1], types.float64[::1]
_TABLE, _NUMBERS, _FLAGS = types.int64[:, ::1], types.uint64[::1], types.boolean[::1]


def _mixed(counters):
    """_mix, for arrays."""
    counters = (counters ^ (counters >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    counters = (counters ^ (counters >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return counters ^ (counters >> np.uint64(31))


@njit(cache=True, nogil=True)
def _mix(counter):
    counter = (counter ^ (counter >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    counter = (counter ^ (counter >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return counter ^ (counter >> np.uint64(31))


@engine(types.void(_REAL, _TABLE, _WHOLE, _WHOLE, types.int64, _TABLE, _FLAGS), nogil=True)
def _walk(cooperate, follow, first, second, turns, counts, drew):
    """Matches of two machines that need no chance; drew says where it is needed, and the counts there mean nothing.

    Two machines repeat themselves as soon as both are in states that they were in before (Brent 1980 finds it), and
    whole rounds of that cycle are added up at once.
    """
    for lane in range(len(first)):
        one, two, turn, skipped = first[lane], second[lane], 0, False
        seen_one, seen_two, seen_turn, reach = one, two, 0, 1
        cc, cd, dc, dd = 0, 0, 0, 0
        seen_cc, seen_cd, seen_dc, seen_dd = 0, 0, 0, 0
        while turn < turns:
            chance, chances = cooperate[one], cooperate[two]
            if 0 < chance < 1 or 0 < chances < 1:
                drew[lane] = True
                break
            own, other = int(chance == 0), int(chances == 0)
            cc += (1 - own) * (1 - other)
            cd += (1 - own) * other
            dc += own * (1 - other)
            dd += own * other
            one, two = follow[one, 2 * own + other], follow[two, 2 * other + own]
            turn += 1
            if skipped:
                continue
            if one == seen_one and two == seen_two:
                times = (turns - turn) // (turn - seen_turn)
                cc, cd = cc + times * (cc - seen_cc), cd + times * (cd - seen_cd)
                dc, dd = dc + times * (dc - seen_dc), dd + times * (dd - seen_dd)
                turn += times * (turn - seen_turn)
                skipped = True
            elif turn - seen_turn == reach:
                seen_one, seen_two, seen_turn, reach = one, two, turn, 2 * reach
                seen_cc, seen_cd, seen_dc, seen_dd = cc, cd, dc, dd
        counts[lane, 0], counts[lane, 1], counts[lane, 2], counts[lane, 3] = cc, cd, dc, dd


@engine(types.void(_WHOLE, _TABLE, _WHOLE, _WHOLE, _NUMBERS, types.int64, _TABLE), nogil=True)
def _draw(threshold, follow, first, second, streams, turns, counts):
    """Matches of two machines by chance: a player cooperates where its 32 bits are below the threshold of its state."""
    one, two = np.empty(LANES, np.int64), np.empty(LANES, np.int64)
    counter, number = np.empty(LANES, np.uint64), np.empty(LANES, np.uint64)
    defect, defects, together = np.empty(LANES, np.int64), np.empty(LANES, np.int64), np.empty(LANES, np.int64)
    for start in range(0, len(first), LANES):
        for lane in range(LANES):
            match = min(start + lane, len(first) - 1)
            one[lane], two[lane], counter[lane] = first[match], second[match], streams[match]
            defect[lane], defects[lane], together[lane] = 0, 0, 0
        for _ in range(turns):
            for lane in range(LANES):
                counter[lane] += GAMMA
                number[lane] = _mix(counter[lane])
            for lane in range(LANES):
                own = np.int64(np.int64(number[lane] >> np.uint64(32)) >= threshold[one[lane]])
                other = np.int64(np.int64(number[lane] & np.uint64(0xFFFFFFFF)) >= threshold[two[lane]])
                defect[lane] += own
                defects[lane] += other
                together[lane] += own & other
                one[lane], two[lane] = follow[one[lane], 2 * own + other], follow[two[lane], 2 * other + own]
        for lane in range(min(LANES, len(first) - start)):
            counts[start + lane, 0] = turns - defect[lane] - defects[lane] + together[lane]
            counts[start + lane, 1] = defects[lane] - together[lane]
            counts[start + lane, 2] = defect[lane] - together[lane]
            counts[start + lane, 3] = together[lane]


@engine(types.void(_KERNELS, DECIDE))
def _add(listed, kernel):
    """Compiled, since a list would otherwise compile its `append` anew for every kernel."""
    listed.append(kernel)


_RULES = (_KERNELS, _WHOLE, _WHOLE, _REAL, _WHOLE)


@engine(types.int64(*_RULES, _WHOLE, _WHOLE, _NUMBERS, types.int64, types.float64, _TABLE, _FLAGS), nogil=True)
def _consult(kernels, kind, size, parameters, begin, first, second, streams, turns, noise, counts, drew):
    """Matches in which at least one player is a rule. The random numbers are those of `_draw`.

    Returns -1, or the first match in which a rule gave no probability.
    """
    memory, memories = np.empty(size.max(), np.int64), np.empty(size.max(), np.int64)
    for lane in range(len(first)):
        one, two = first[lane], second[lane]
        decide, decides = kernels[kind[one]], kernels[kind[two]]
        trait, traits = parameters[begin[one] : begin[one + 1]], parameters[begin[two] : begin[two + 1]]
        memory[:], memories[:] = 0, 0
        counter, own, other = streams[lane], np.int64(-1), np.int64(-1)
        for turn in range(turns):
            chance = noise + (1 - 2 * noise) * decide(memory, trait, turn, turns, own, other)
            chances = noise + (1 - 2 * noise) * decides(memories, traits, turn, turns, other, own)
            if not (0 <= chance <= 1 and 0 <= chances <= 1):
                return lane
            counter += GAMMA
            number = np.uint64(0)
            if 0 < chance < 1 or 0 < chances < 1:
                number = _mix(counter)
                drew[lane] = True
            own = np.int64(np.float64(number >> np.uint64(32)) >= chance * GRAIN)
            other = np.int64(np.float64(number & np.uint64(0xFFFFFFFF)) >= chances * GRAIN)
            counts[lane, 2 * own + other] += 1
    return -1


@engine(types.int64(*_RULES, types.uint64, types.float64, _TABLE), nogil=True)
def _record(kernels, kind, size, parameters, begin, stream, noise, action):
    """One match of rules 0 and 1, its actions kept. Returns 1 where chance was at play, 0 where not, -1 as _consult."""
    memory, memories = np.zeros(size.max(), np.int64), np.zeros(size.max(), np.int64)
    trait, traits = parameters[begin[0] : begin[1]], parameters[begin[1] : begin[2]]
    decide, decides = kernels[kind[0]], kernels[kind[1]]
    turns, drew, own, other = len(action), 0, np.int64(-1), np.int64(-1)
    for turn in range(turns):
        chance = noise + (1 - 2 * noise) * decide(memory, trait, turn, turns, own, other)
        chances = noise + (1 - 2 * noise) * decides(memories, traits, turn, turns, other, own)
        if not (0 <= chance <= 1 and 0 <= chances <= 1):
            return -1
        if 0 < chance < 1 or 0 < chances < 1:
            drew = 1
        stream += GAMMA
        number = _mix(stream)
        own = np.int64(np.float64(number >> np.uint64(32)) >= chance * GRAIN)
        other = np.int64(np.float64(number & np.uint64(0xFFFFFFFF)) >= chances * GRAIN)
        action[turn, 0], action[turn, 1] = own, other
    return drew
