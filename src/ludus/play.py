"""Games played in numbers: a game and one policy per player in, Episodes out.

`play` runs blocks of games in lock step, so that a network is asked once for a thousand views; `playouts` runs uniform
random games in one compiled loop, and `random_episodes` the same ones with all that was seen. A game owns its random
numbers: stream e belongs to game e, whatever the number of workers and whatever the other games do.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numba import njit, types

from ludus.game import CHANCE, KERNELS, OVER, STATE, Game, IllegalAction, engine
from ludus.records import Policy

BLOCK = 1024  # games in lock step; fixed, so that a batch does not depend on the number of workers


@runtime_checkable
class Chooser(Protocol):
    """A player that samples its own action, as one that thinks in tokens must."""

    def choose(
        self, views: np.ndarray, legal: np.ndarray, uniforms: Callable[[int], np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
        """(views int64[B, V], legal bool[B, A], uniforms) -> (action int64[B], prob float64[B], notes).

        uniforms(n) gives the next n random numbers of every row, float64[B, n] in [0, 1). Number j of a row depends on
        its game and its decision alone: a row that needs fewer numbers than the others leaves the rest unread.
        prob is the probability of the action, NaN where it is not known. notes is name -> array[B, ...], what is to be
        kept of the decision: prompt and reply token ids, log-probabilities, text.
        """
        ...


@dataclass(frozen=True, eq=False)
class Episodes:
    """What was played: T decisions in E games, flat, in the order of games and then of time.

    player  int64[T], who decided
    view    int64[T, V], what the player had seen
    legal   bool[T, A]
    action  int64[T]
    prob    float64[T], the probability with which its player chose the action
    first   int64[E + 1], the decisions of game e are first[e] to first[e + 1]
    payoff  float64[E, P]
    notes   name -> array[T, ...], what Choosers keep. Where a decision has no such note, or a shorter one than the
            longest, the rest reads -1 (integers), NaN (floats), False or "" (text)
    """

    player: np.ndarray
    view: np.ndarray
    legal: np.ndarray
    action: np.ndarray
    prob: np.ndarray
    first: np.ndarray
    payoff: np.ndarray
    notes: Mapping[str, np.ndarray] = field(default_factory=dict)


def play(
    game: Game, policies: Sequence[Policy | Chooser], games: int, rng: np.random.Generator, workers: int = 1
) -> Episodes:
    """Play a number of games, one policy (or Chooser) per player. A policy on several seats is asked once for them all.

    One number is drawn from rng; the result is the same for any number of workers. With more than one worker policies
    are called from several threads at a time. Raises IllegalAction where a player chooses, or gives weight to, an
    action that is not legal, and ValueError where probabilities are none.
    """
    _check_counts(games=games, workers=workers)
    if len(policies) != game.players:
        raise ValueError(
            f"policies: {game.name} has {game.players} players, {len(policies)} given; give one per player"
        )
    for seat, policy in enumerate(policies):
        if not (callable(policy) or isinstance(policy, Chooser)):
            raise ValueError(
                f"policies[{seat}]: {policy!r} is no policy; give a function of (views, legal) or a Chooser"
            )
    streams = _streams(rng, games)
    blocks = [(start, streams[start : start + BLOCK]) for start in range(0, games, BLOCK)]
    if workers == 1:
        played = [_play_block(game, policies, *block) for block in blocks]
    else:
        with ThreadPoolExecutor(workers) as pool:
            played = list(pool.map(lambda block: _play_block(game, policies, *block), blocks))
    return _gather(game, games, [step for steps, _ in played for step in steps], [payoff for _, payoff in played])


def playouts(game: Game, games: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Uniform random games, views not written -> (payoff float64[E, P], length int64[E]).

    length counts every action applied, chance outcomes among them. One number is drawn from rng.
    """
    _check_counts(games=games)
    streams, payoff, length = _streams(rng, games), np.zeros((games, game.players)), np.empty(games, np.int64)
    unwritten = np.empty(0, np.int64), *_rows(game, 0)
    with np.errstate(over="ignore"):  # random numbers wrap around; only uncompiled ones would warn
        _playouts(*game.kernels, game.start, game.width, streams, 0, False, payoff, length, *unwritten)
    return payoff, length


def random_episodes(game: Game, games: int, rng: np.random.Generator) -> Episodes:
    """The very games of `playouts`, written down as `play` would: what each mover saw, could do and did.

    One number is drawn from rng, and a game does not depend on how many are played.
    """
    _check_counts(games=games)
    streams, payoff, length = _streams(rng, games), np.zeros((games, game.players)), np.empty(games, np.int64)
    first, played, size, flat = np.zeros(games + 1, np.int64), 0, 1024, _rows(game, 0)
    while played < games:
        short, flat = flat, _rows(game, size)
        for kept, column in zip(short, flat, strict=True):
            column[: first[played]] = kept[: first[played]]
        with np.errstate(over="ignore"):
            played = _playouts(
                *game.kernels, game.start, game.width, streams, played, True, payoff, length, first, *flat
            )
        size = 2 * size + int(1.05 * first[played] / max(played, 1) * games)  # the rest is about as long as this part
    player, view, legal, action, prob = (column[: first[-1]] for column in flat)
    return Episodes(player, view, legal, action, prob, first, payoff)


def _rows(game, rows):
    """The columns of so many decisions, empty: player, view, legal, action, prob."""
    return (
        np.empty(rows, np.int64),
        np.empty((rows, game.view_size), np.int64),
        np.empty((rows, game.actions), np.bool_),
        np.empty(rows, np.int64),
        np.empty(rows),
    )


class Position(NamedTuple):
    """Where a list of actions leads.

    state  int64[S]
    turns  list of who moved at each action (a player or CHANCE), then who moves next (or OVER)
    """

    state: np.ndarray
    turns: list[int]


def replay(game: Game, actions: Sequence[int]) -> Position:
    """Apply actions, chance outcomes among them, from the start. Raises IllegalAction, with what was legal there."""
    state, weights = game.start.copy(), np.empty(game.width)
    turns = [int(game.kernels.turn(state))]
    for place, action in enumerate(actions):
        if turns[-1] == OVER:
            raise IllegalAction(
                f"actions[{place}]: the game is over after {place} actions, {action} follows; leave it out"
            )
        game.kernels.options(state, weights)
        if not (0 <= action < game.width and weights[action] > 0):
            if turns[-1] == CHANCE:
                able = ", ".join(map(str, np.flatnonzero(weights)))
                raise IllegalAction(f"actions[{place}]: chance cannot give {action} here; give one of {able}")
            view = np.empty(game.view_size, np.int64)
            game.kernels.view(state, turns[-1], view)
            legal = weights[: game.actions] > 0
            raise IllegalAction(f"actions[{place}]: {_illegal(game, turns[-1], view, legal, action)}")
        game.kernels.apply(state, int(action))
        turns.append(int(game.kernels.turn(state)))
    return Position(state, turns)


def tell_episode(game: Game, episodes: Episodes, index: int) -> str:
    """One game in words, a line for each decision and a last one for the payoffs. Text among the notes is quoted."""
    if not 0 <= index < len(episodes.payoff):
        raise ValueError(f"index: there are {len(episodes.payoff)} games, numbered from 0; {index} is none of them")
    lines = []
    for row in range(episodes.first[index], episodes.first[index + 1]):
        action, prob = game.words[episodes.action[row]], episodes.prob[row]
        chance = "" if np.isnan(prob) else f" (probability {prob:.3g})"
        lines.append(f"player {episodes.player[row]} sees {game.tell(episodes.view[row])!r}, plays {action}{chance}")
        texts = {name: note[row] for name, note in episodes.notes.items() if note.dtype.kind == "U" and note.ndim == 1}
        lines += [f"    {name}: {text}" for name, text in texts.items() if text]
    payoffs = (f"player {player} {payoff + 0.0:+g}" for player, payoff in enumerate(episodes.payoff[index]))
    return "\n".join([*lines, "payoff: " + ", ".join(payoffs)])


class _Step(NamedTuple):
    """The decisions that one policy was asked for at once; `game` int64[B] is the number of the game."""

    game: np.ndarray
    player: np.ndarray
    view: np.ndarray
    legal: np.ndarray
    action: np.ndarray
    prob: np.ndarray
    notes: dict[str, np.ndarray]


@np.errstate(over="ignore")  # random numbers wrap around; only uncompiled ones would warn
def _play_block(game: Game, policies, start, streams):
    """Games from number `start` on in lock step -> (list of _Step, payoff)."""
    state = np.tile(game.start, (len(streams), 1))
    payoff = np.zeros((len(streams), game.players))
    steps: list[_Step] = []
    live, chosen = np.arange(len(streams)), np.full(len(streams), -1)
    asker = np.array([next(seat for seat, same in enumerate(policies) if same is policy) for policy in policies])
    while True:
        player = np.empty(len(live), np.int64)
        view = np.empty((len(live), game.view_size), np.int64)
        legal = np.zeros((len(live), game.actions), np.bool_)
        number = np.empty(len(live), np.uint64)
        _advance(*game.kernels, game.width, state, streams, live, chosen, player, view, legal, number, payoff)
        going = player != OVER
        if not going.any():
            return steps, payoff
        live, player, view, legal, number = live[going], player[going], view[going], legal[going], number[going]
        chosen = np.empty(len(live), np.int64)
        for seat in np.unique(asker[player]):
            rows = np.flatnonzero(asker[player] == seat)
            asked = player[rows], view[rows], legal[rows]
            action, prob, notes = _ask(game, policies[seat], *asked, number[rows])
            chosen[rows] = action
            steps.append(_Step(start + live[rows], *asked, action, prob, notes))


def _ask(game, policy, player, view, legal, number):
    """One policy, one batch -> (action, prob, notes), all of it checked. `number` uint64[B] is the row's chance."""
    if isinstance(policy, Chooser):
        action, prob, notes = policy.choose(view, legal, _uniforms(number))
        action, prob = np.asarray(action, dtype=np.int64), np.asarray(prob, dtype=np.float64)
        notes = {name: np.asarray(note) for name, note in notes.items()}
        shapes = {"action": action.shape, "prob": prob.shape} | {name: note.shape[:1] for name, note in notes.items()}
        for name, shape in shapes.items():
            if shape != (len(view),):
                raise ValueError(
                    f"policies[{player[0]}]: {name} has shape {shape} for {len(view)} views; give one per view"
                )
        bad = (action < 0) | (action >= game.actions)
        bad |= ~legal[np.arange(len(view)), np.where(bad, 0, action)]
        if bad.any():
            row = int(np.argmax(bad))
            raise IllegalAction(
                f"policies[{player[row]}]: {_illegal(game, player[row], view[row], legal[row], action[row])}"
            )
        bad = (prob < 0) | (prob > 1 + 1e-6)
        if bad.any():
            row = int(np.argmax(bad))
            raise ValueError(
                f"policies[{player[row]}]: prob {prob[row]} is no probability; give one, or NaN if unknown"
            )
        return action, prob, notes
    weights = np.ascontiguousarray(policy(view, legal), dtype=np.float64)
    if weights.shape != legal.shape:
        raise ValueError(
            f"policies[{player[0]}]: expected probabilities of shape {legal.shape}, it returned {weights.shape}"
        )
    action, prob = np.empty(len(view), np.int64), np.empty(len(view))
    row = _sample(weights, legal, number, action, prob)
    if row >= 0:
        error = IllegalAction if weights[row][~legal[row]].any() else ValueError
        raise error(
            f"policies[{player[row]}]: at {game.tell(view[row])!r} it returned {weights[row]}, legal are "
            f"{_words(game, legal[row])}; return probabilities that sum to one and are zero where legal is False"
        )
    return action, prob, {}


def _gather(game, games, steps, payoff):
    """All steps of all blocks -> Episodes, sorted by game; steps come in the order of time."""
    number = np.concatenate([step.game for step in steps])
    order = np.argsort(number, kind="stable")
    first = np.concatenate([[0], np.cumsum(np.bincount(number, minlength=games))])
    columns = ("player", "view", "legal", "action", "prob")
    flat = {name: np.concatenate([getattr(step, name) for step in steps])[order] for name in columns}
    names = dict.fromkeys(name for step in steps for name in step.notes)
    notes = {name: _stack(name, steps)[order] for name in names}
    return Episodes(**flat, first=first, payoff=np.concatenate(payoff), notes=notes)


_FILL: dict[str, Any] = {"i": -1, "f": np.nan, "b": False, "U": ""}


def _stack(name, steps):
    """One note of all decisions, as an array[T, ...] as long as the longest."""
    parts = [step.notes[name] for step in steps if name in step.notes]
    kind = np.result_type(*parts)
    if kind.kind not in _FILL or len({part.ndim for part in parts}) > 1:
        seen = ", ".join(sorted({f"{part.dtype} with {part.ndim} axes" for part in parts}))
        raise ValueError(
            f"notes[{name!r}]: {seen} seen; give signed integers, floats, booleans or text, always with as many axes"
        )
    shape = tuple(max(lengths) for lengths in zip(*(part.shape[1:] for part in parts), strict=True))
    out = np.full((sum(len(step.game) for step in steps), *shape), _FILL[kind.kind], dtype=kind)
    row = 0
    for step in steps:
        if name in step.notes:
            note = step.notes[name]
            out[(slice(row, row + len(note)), *map(slice, note.shape[1:]))] = note
        row += len(step.game)
    return out


def _illegal(game, player, view, legal, action):
    return f"player {player} at {game.tell(view)!r} chose {action}; legal are {_words(game, legal)}"


def _words(game, legal):
    return ", ".join(f"{action} {game.words[action]}" for action in np.flatnonzero(legal))


def _check_counts(**counts):
    for name, count in counts.items():
        if not isinstance(count, int | np.integer) or isinstance(count, bool) or count < 1:
            raise ValueError(f"{name}: give a whole number of at least 1; {count!r} seen")


# Random numbers: SplitMix64 of Steele, Lea and Flood (2014), "Fast splittable pseudorandom number generators".
# A stream is a counter that grows by GAMMA, a number is the counter mixed, and every number can start a stream.

GAMMA = np.uint64(0x9E3779B97F4A7C15)


@njit(cache=True)
def _mix(counter):
    counter = (counter ^ (counter >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    counter = (counter ^ (counter >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return counter ^ (counter >> np.uint64(31))


@njit(cache=True)
def _unit(number):
    """The upper 53 bits as a float64 in [0, 1)."""
    return np.float64(number >> np.uint64(11)) * 2.0**-53


def _streams(rng, games):
    """The counters of games 0, 1, ...: uint64[E]. One draw from rng."""
    if not isinstance(rng, np.random.Generator):
        raise ValueError(f"rng: give a numpy Generator, np.random.default_rng(seed); {type(rng).__name__} seen")
    seed = rng.integers(2**64, dtype=np.uint64)
    return _mixed(seed + GAMMA * np.arange(1, games + 1, dtype=np.uint64))


def _uniforms(keys):
    """(n) -> the next n numbers float64[B, n] of the streams that begin at keys uint64[B]."""
    drawn = 0

    def uniforms(n):
        nonlocal drawn
        places = np.arange(drawn + 1, drawn + n + 1, dtype=np.uint64)
        drawn += n
        return (_mixed(keys[:, None] + GAMMA * places) >> np.uint64(11)) * 2.0**-53

    return uniforms


def _mixed(counters):
    """_mix, for arrays."""
    counters = (counters ^ (counters >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    counters = (counters ^ (counters >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return counters ^ (counters >> np.uint64(31))


@njit(cache=True)
def _pick(weights, uniform):
    """The action in whose share of [0, 1) `uniform` lies; never one of weight zero, whatever the rounding."""
    picked, total = -1, 0.0
    for action in range(len(weights)):
        if (weights[action] > 0) & (total <= uniform):  # compiled to a selection: a branch could not be foreseen
            picked = action
        total += weights[action]
    return picked


_TABLE, _NUMBERS = types.int64[:, ::1], types.uint64[::1]
_MASK, _PAYOFFS = types.boolean[:, ::1], types.float64[:, ::1]


@engine(
    types.void(*KERNELS, types.int64, _TABLE, _NUMBERS, STATE, STATE, STATE, _TABLE, _MASK, _NUMBERS, _PAYOFFS),
    nogil=True,
)
def _advance(
    turn, options, apply, payoff_of, view_of, width, state, streams, live, chosen, player, view, legal, number, payoff
):
    """Bring games `live` to their next decision or their end; a chosen action of -1 is none.

    Row by row of live: player, view, legal and number (the random number of the decision) are written, the last three
    not where the game is over; then payoff, by game, is.
    """
    weights = np.empty(width)
    for row in range(len(live)):
        lane = live[row]
        if chosen[row] >= 0:
            apply(state[lane], chosen[row])
        mover = turn(state[lane])
        while mover == CHANCE:
            options(state[lane], weights)
            streams[lane] += GAMMA
            apply(state[lane], _pick(weights, _unit(_mix(streams[lane]))))
            mover = turn(state[lane])
        player[row] = mover
        if mover == OVER:
            payoff_of(state[lane], payoff[lane])
            continue
        view_of(state[lane], mover, view[row])
        options(state[lane], weights)
        for action in range(legal.shape[1]):
            legal[row, action] = weights[action] > 0
        streams[lane] += GAMMA
        number[row] = _mix(streams[lane])


@engine(types.int64(_PAYOFFS, _MASK, _NUMBERS, STATE, types.float64[::1]), nogil=True)
def _sample(weights, legal, number, action, prob):
    """Draw an action for every row. Returns -1, or the first row that holds no probabilities over legal actions."""
    for row in range(len(weights)):
        total, good = 0.0, True
        for move in range(legal.shape[1]):
            good = good and weights[row, move] >= 0 and (legal[row, move] or weights[row, move] == 0)
            total += weights[row, move]
        if not (good and abs(total - 1) <= 1e-6):
            return row
        action[row] = _pick(weights[row], _unit(number[row]))
        prob[row] = weights[row, action[row]]
    return -1


@engine(
    types.int64(
        *KERNELS, STATE, types.int64, _NUMBERS, types.int64, types.boolean,
        _PAYOFFS, STATE, STATE, STATE, _TABLE, _MASK, STATE, types.float64[::1],
    ),
    nogil=True,
)  # fmt: skip
def _playouts(
    turn, options, apply, payoff_of, view_of, start, width, streams, played, written,
    payoff, length, first, player, view, legal, action, prob,
):  # fmt: skip
    """Game after game, from number `played` on; stops, and tells its number, at one whose decisions have too few rows.

    Among n legal actions the share of one differs from 1 / n by less than 2**-32. From `first` on the arrays are those
    of Episodes, left alone where the decisions are not to be `written`.
    """
    state, weights, able = np.empty_like(start), np.empty(width), np.empty(width, np.int64)
    for game in range(played, len(streams)):
        for place in range(len(start)):  # a loop compiles, and runs, faster than `state[:] = start`
            state[place] = start[place]
        counter, steps, row = streams[game], 0, first[game] if written else 0
        mover = turn(state)
        while mover != OVER:
            options(state, weights)
            count = 0
            for each in range(width):  # no branch: what a random game plays next cannot be foreseen
                able[count] = each
                count += weights[each] > 0
            move = able[0]
            if count > 1:
                counter += GAMMA
                if mover == CHANCE:
                    move = _pick(weights, _unit(_mix(counter)))
                else:
                    move = able[(_mix(counter) >> np.uint64(32)) * np.uint64(count) >> np.uint64(32)]
            if written and mover != CHANCE:
                if row == len(player):
                    return game
                player[row], action[row], prob[row] = mover, move, 1.0 / count
                view_of(state, mover, view[row])
                for each in range(legal.shape[1]):
                    legal[row, each] = weights[each] > 0
                row += 1
            apply(state, move)
            steps += 1
            mover = turn(state)
        payoff_of(state, payoff[game])
        length[game] = steps
        if written:
            first[game + 1] = row
    return len(streams)
