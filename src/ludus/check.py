"""The laws that a game must keep, whatever its rules: for the tests, and for somebody else's game.

A law looks at a game that is walked through, and answers None, or one sentence that says what is wrong and what to
change. A game of at most WHOLE nodes is walked through entirely, a larger one in random plays, the same ones every
time: there a law can be broken and not be caught.

The kernels first run as plain Python, where an index out of bounds is an error; compiled, it would overwrite the memory
of the process. Illegal actions are no law of a game: a kernel may assume that there are none, and every front door of
Ludus refuses them.
"""

import inspect
import math
import re
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Literal, NamedTuple

import numpy as np
from numba import njit
from numba import types as numba_types

from ludus.game import CHANCE, KERNELS, OVER, Game, Kernels

WHOLE = 10_000  # nodes up to which a game is walked through entirely
PLAIN = 300  # the same for plain Python, which takes a hundred times as long
PLAYS = 300  # random plays of a larger game, fewer where they meet more than twice as many nodes
LONGEST = 4_000  # events after which a play is taken to have no end

_NAME = re.compile(r"[a-z][a-z0-9_]*(\([a-z0-9_=, ]*\))?")
_UNWRITTEN = -(2**62)


class Node(NamedTuple):
    """A place in the game.

    parent  its number among the nodes, -1 at the start
    action  the action or outcome of chance that led here, -1 at the start
    depth   how many events led here
    state   int64[S]
    mover   what `turn` says
    moves   {action or outcome: weight}, those with a weight above zero
    views   per player, the bytes of its view int64[V]
    """

    parent: int
    action: int
    depth: int
    state: np.ndarray
    mover: int
    moves: dict[int, float]
    views: tuple[bytes, ...]


@dataclass(frozen=True, eq=False)
class Walk:
    """A game, and the nodes at which the laws look at it; they are looked for when the first law asks for them."""

    game: Game

    @cached_property
    def found(self) -> tuple[list[Node], bool]:
        """The nodes, a parent before its children; and whether these are all there are."""
        return _nodes(self.game, WHOLE)

    @cached_property
    def plain(self) -> list[Node]:
        """Nodes reached by the kernels as plain Python. Raises _Fault where a kernel fails."""
        return _nodes(self.game._replace(kernels=_guarded(self.game.kernels)), PLAIN)[0]

    @property
    def nodes(self) -> list[Node]:
        return self.found[0]

    @property
    def whole(self) -> bool:
        return self.found[1]

    def decisions(self) -> Iterator[tuple[int, Node]]:
        """The nodes where a player is to move, with their numbers."""
        return ((at, node) for at, node in enumerate(self.nodes) if 0 <= node.mover < self.game.players)

    def story(self, at: int) -> str:
        """What led to a node, in words: "chance 2, chance 0, pass, bet"."""
        return _story(self.game, self.nodes, at)


class Finding(NamedTuple):
    """What came of a law.

    verdict   "ok", "broken", or "not asked" where a law before it is broken without which it cannot be looked at
    sentence  what the law says; where it is broken, what is wrong and what to change
    """

    law: str
    verdict: Literal["ok", "broken", "not asked"]
    sentence: str


def check(walk: Walk) -> list[Finding]:
    """Every law in the order of LAWS."""
    findings: list[Finding] = []
    gate = ""
    for name, law in LAWS:
        if gate:
            findings.append(Finding(name, "not asked", f"first see to {gate}"))
            continue
        wrong = law(walk)
        findings.append(Finding(name, "broken" if wrong else "ok", wrong or says(law)))
        if wrong and name in GATES:
            gate = name
    return findings


def says(law: Callable[..., Any]) -> str:
    """The law itself: the first line of its docstring."""
    return (law.__doc__ or "").strip().split("\n")[0].rstrip(".")


# --- the record -------------------------------------------------------------------------------------------------------


def record(walk: Walk) -> str | None:
    """The record is complete, and every field is what `ludus.game.Game` says."""
    game = walk.game
    fields = (
        (
            "name",
            isinstance(game.name, str) and _NAME.fullmatch(game.name),
            "write it as the file is called, in small letters, then its numbers: liars_dice(dice=1, faces=5)",
        ),
        (
            "source",
            isinstance(game.source, str) and len(game.source) > 10,
            "name author, year and title of the rules, in more than 10 letters",
        ),
        (
            "rules",
            isinstance(game.rules, str) and len(game.rules) > 50,
            "write a paragraph for people and language models, of more than 50 letters",
        ),
        (
            "words",
            isinstance(game.words, tuple) and all(isinstance(word, str) for word in game.words),
            'give a tuple with a word per action, ("pass", "bet")',
        ),
        ("players", _is_count(game.players, 1), "give a whole number of at least 1"),
        ("view_size", _is_count(game.view_size, 1), "give the length of the view, a whole number of at least 1"),
        (
            "outcomes",
            _is_count(game.outcomes, 0),
            "give the largest number of outcomes at a chance node, 0 without chance",
        ),
        ("start", _is_state(game.start), "give np.array([...]) of whole numbers, one axis of int64"),
        ("kernels", isinstance(game.kernels, Kernels), "give Kernels(turn, options, apply, payoff, view)"),
        ("tell", callable(game.tell), "give a function of the view that returns words"),
        (
            "constant_sum",
            game.constant_sum is None or _is_number(game.constant_sum),
            "give what the payoffs add up to, None where that varies",
        ),
        ("perfect_recall", isinstance(game.perfect_recall, bool), "give True or False"),
    )
    for name, fits, asked in fields:
        if not fits:
            return f"{name} is {_short(getattr(game, name))}; {asked}"
    return None


def words(walk: Walk) -> str | None:
    """Every action has a word of its own: ASCII letters without spaces, and there are at least two."""
    seen: set[str] = set()
    for action, word in enumerate(walk.game.words):
        if not (word and word.isascii() and word.isprintable() and " " not in word):
            return f"the word of action {action} is {word!r}; give ASCII letters without spaces, to be typed and read"
        if word in seen:
            return f"two actions are called {word!r}; give each a word of its own"
        seen.add(word)
    return None if len(seen) > 1 else f"there is {len(seen)} word; a game needs at least two actions"


def kernels(walk: Walk) -> str | None:
    """Every kernel is compiled by numba, and takes and returns what `ludus.game.Kernels` says."""
    for name, kernel, takes in zip(Kernels._fields, walk.game.kernels, _takers(), strict=True):
        try:
            takes(kernel)
        except Exception as fault:  # numba raises many
            if not hasattr(kernel, "py_func"):
                return f"{name} is {_short(kernel)}, which numba has not compiled; write @njit(cache=True) above it"
            asked = _ASKED[name]
            lines = [line.strip() for line in str(fault).splitlines() if line.strip() not in ("", "^")]
            told = " ".join(lines[1:4] if lines and lines[0].startswith("Failed in nopython") else lines[:1])
            return f"{name} does not compile as {asked}: {told}"
    return None


def own_file(walk: Walk) -> str | None:
    """A kernel calls only kernels of its own file: numba's cache does not see edits in another."""
    for name, kernel in zip(Kernels._fields, walk.game.kernels, strict=True):
        for caller, called in _calls(kernel, set()):
            if caller.__code__.co_filename != called.__code__.co_filename:
                return (
                    f"{name}: {caller.__name__} calls {called.__name__} of {called.__module__}; copy that function "
                    "into the game's own file, since numba's disk cache does not notice when another file changes"
                )
    return None


_ASKED = {
    "turn": "turn(state) -> a player, CHANCE or OVER",
    "options": "options(state, weights), which returns nothing",
    "apply": "apply(state, action), which returns nothing",
    "payoff": "payoff(state, out), which returns nothing",
    "view": "view(state, player, out), which returns nothing",
}


# --- the rules --------------------------------------------------------------------------------------------------------


def bounds(walk: Walk) -> str | None:
    """As plain Python no kernel fails, on arrays as long as the record says."""
    game, plain = walk.game, walk.game._replace(kernels=_guarded(walk.game.kernels))
    try:
        for node in walk.plain:
            if node.mover == OVER:
                _paid(plain, node.state)
    except _Fault as fault:
        return (
            f"{fault}; the arrays are state int64[{len(game.start)}] as in start, weights float64[{game.width}] (the "
            f"larger of {game.actions} words and outcomes={game.outcomes}), the payoffs float64[{game.players}] and "
            f"the view int64[{game.view_size}]: write within them, or correct the record"
        )
    return None


def turns(walk: Walk) -> str | None:
    """It is always the turn of a player that there is, of chance, or over."""
    for at, node in enumerate(walk.nodes):
        if not (node.mover in (CHANCE, OVER) or 0 <= node.mover < walk.game.players):
            return (
                f"after {walk.story(at)} turn says {node.mover}; return a player from 0 to {walk.game.players - 1}, "
                "CHANCE or OVER"
            )
    return None


def ending(walk: Walk) -> str | None:
    """Every play comes to an end."""
    at = max(range(len(walk.nodes)), key=lambda number: walk.nodes[number].depth)
    if walk.nodes[at].depth >= LONGEST:
        moved = any(not np.array_equal(node.state, walk.game.start) for node in walk.nodes)
        hint = (
            "let turn return OVER at last" if moved else "apply has to change the state in place, and changes nothing"
        )
        return f"a play has not come to an end after {LONGEST:,} events; {hint}"
    if not any(node.mover == OVER for node in walk.nodes):
        return f"none of {len(walk.nodes):,} nodes is the end of a play; let turn return OVER there"
    return None


def chance(walk: Walk) -> str | None:
    """What chance does has probabilities: none below zero, one in all, for outcomes 0 to `outcomes` - 1."""
    for at, node in enumerate(walk.nodes):
        if node.mover == CHANCE:
            weights = _weights(walk.game, node.state)
            if not (weights >= 0).all() or abs(weights.sum() - 1) > 1e-12:
                return (
                    f"after {walk.story(at)} the probabilities of chance are {_row(weights)}, {weights.sum():.12g} in "
                    "all; let options write numbers of at least 0 that sum to 1"
                )
            if weights[walk.game.outcomes :].any():
                return (
                    f"after {walk.story(at)} chance gives outcome {max(node.moves)}, but the record says "
                    f"outcomes={walk.game.outcomes}; raise it"
                )
    return None


def actions(walk: Walk) -> str | None:
    """Where a player is to move options writes 1 for a legal action and 0 for any other, and some action is legal."""
    for at, node in walk.decisions():
        weights = _weights(walk.game, node.state)
        if not set(weights.tolist()) <= {0.0, 1.0}:
            return (
                f"after {walk.story(at)} options weighs the actions of player {node.mover} {_row(weights)}; write 1 "
                "for each legal action and 0 for the rest"
            )
        if not node.moves:
            return (
                f"after {walk.story(at)} player {node.mover} has no legal action; give it one, or let turn pass it over"
            )
        if weights[walk.game.actions :].any():
            return (
                f"after {walk.story(at)} action {max(node.moves)} is legal, but there are {walk.game.actions} words; "
                "add a word for it, or write 0"
            )
    return None


def writing(walk: Walk) -> str | None:
    """Options, payoff and view write every entry of what they are given: it arrives full of old numbers."""
    game = walk.game
    for at, node in enumerate(walk.nodes):
        asked: list[tuple[str, tuple[int, ...], int, type]] = []
        if node.mover == OVER:
            asked.append(("payoff", (), game.players, np.float64))
        elif node.mover in (CHANCE, *range(game.players)):
            asked.append(("options", (), game.width, np.float64))
        asked += [("view", (player,), game.view_size, np.int64) for player in range(game.players)]
        for name, who, size, kind in asked:
            one: np.ndarray = np.full(size, _UNWRITTEN, kind)
            other: np.ndarray = np.full(size, 77, kind)
            getattr(game.kernels, name)(node.state.copy(), *who, one)
            getattr(game.kernels, name)(node.state.copy(), *who, other)
            if not np.array_equal(one, other):
                place = int(np.flatnonzero(one != other)[0])
                return f"after {walk.story(at)} {name} leaves entry {place} as it was; write all {size} entries"
    return None


def looking(walk: Walk) -> str | None:
    """Looking changes nothing: only apply changes the state."""
    game = walk.game
    for at, node in enumerate(walk.nodes):
        state = node.state.copy()
        asked: list[tuple[str, tuple[Any, ...]]] = [("turn", (state,))]
        if node.mover == OVER:
            asked.append(("payoff", (state, np.zeros(game.players))))
        elif node.mover in (CHANCE, *range(game.players)):
            asked.append(("options", (state, np.zeros(game.width))))
        asked += [("view", (state, who, np.zeros(game.view_size, np.int64))) for who in range(game.players)]
        for name, given in asked:
            getattr(game.kernels, name)(*given)
            if not np.array_equal(state, node.state):
                place = int(np.flatnonzero(state != node.state)[0])
                return (
                    f"after {walk.story(at)} {name} changes entry {place} of the state; only apply may do that, so let "
                    f"{name} work on numbers of its own"
                )
    return None


def payoffs(walk: Walk) -> str | None:
    """Every finished play pays everybody a number, and as much in all as the record declares."""
    total = walk.game.constant_sum
    for at, node in enumerate(walk.nodes):
        if node.mover == OVER:
            paid = _paid(walk.game, node.state)
            if not np.isfinite(paid).all():
                return f"after {walk.story(at)} the payoffs are {_row(paid)}; pay every player a finite number"
            if total is not None and abs(paid.sum() - total) > 1e-12 * max(1.0, float(np.abs(paid).max())):
                return (
                    f"after {walk.story(at)} the payoffs are {_row(paid)}, {paid.sum():.12g} in all, but the record "
                    f"declares constant_sum={total:g}; correct payoff, or declare None"
                )
    return None


# --- what players see -------------------------------------------------------------------------------------------------


def infosets(walk: Walk) -> str | None:
    """Wherever a player sees the same, the same actions are legal."""
    first: dict[tuple[int, bytes], int] = {}
    for at, node in walk.decisions():
        other = first.setdefault((node.mover, node.views[node.mover]), at)
        if set(node.moves) != set(walk.nodes[other].moves):
            legal = [_named(walk.game, walk.nodes[place].moves) for place in (other, at)]
            return (
                f"player {node.mover} sees {_seen(node, node.mover)} after {walk.story(other)} and after "
                f"{walk.story(at)}, but may do {legal[0]} there and {legal[1]} here; let view show what makes the "
                "difference, or options allow the same"
            )
    return None


def recall(walk: Walk) -> str | None:
    """A view tells all that its player saw and did before, unless the record declares perfect_recall=False."""
    past: list[tuple[int, ...]] = [(0,) * walk.game.players]  # per player, what it saw and did, as a number
    number, first = _Numbers(), dict[tuple[int, bytes], int]()
    for node in walk.nodes[1:]:
        above = walk.nodes[node.parent]
        own = list(past[node.parent])
        if 0 <= above.mover < walk.game.players:
            own[above.mover] = number[own[above.mover], above.views[above.mover], node.action]
        past.append(tuple(own))
    for at, node in walk.decisions():
        other = first.setdefault((node.mover, node.views[node.mover]), at)
        if past[other][node.mover] != past[at][node.mover]:
            if not walk.game.perfect_recall:
                return None
            return (
                f"player {node.mover} sees {_seen(node, node.mover)} after {walk.story(other)} and after "
                f"{walk.story(at)}, but saw or did something else on the way; let view remember it, or declare "
                "perfect_recall=False"
            )
    if walk.game.perfect_recall or not walk.whole:
        return None
    return "the record declares perfect_recall=False, but no view forgets anything; declare True, and more can solve it"


def hiding(walk: Walk) -> str | None:
    """What was hidden stays hidden: after an event a view depends on the view before and on the event alone.

    Two histories look alike to a player. Then the same thing happens in both. They still look alike: if not, the view
    let something slip that the player could not see when it happened. One thing may come out later: what a player chose
    out of sight, as bids do that are made at the same time. This is asked of every player at every node.
    """
    game, nodes = walk.game, walk.nodes
    unseen: list[tuple[int, ...]] = [(0,) * game.players]  # per player, the choices made out of its sight, as a number
    number = _Numbers()
    hidden: dict[int, list[bool]] = {}
    follows: dict[tuple[Any, ...], int] = {}
    for at, node in enumerate(nodes[1:], start=1):
        above, before = nodes[node.parent], unseen[node.parent]
        if node.parent not in hidden:
            mind = 0 <= above.mover < game.players
            hidden[node.parent] = [mind and not sees(game, above.state, who) for who in range(game.players)]
        unseen.append(
            tuple(
                number[choices, node.action] if out_of_sight else choices
                for choices, out_of_sight in zip(before, hidden[node.parent], strict=True)
            )
        )
        for player in range(game.players):  # everybody can count events
            key = node.depth, player, above.views[player], above.mover, node.action, before[player]
            other = follows.setdefault(key, at)
            if nodes[other].views[player] != node.views[player]:
                return (
                    f"after {walk.story(other)} and after {walk.story(at)} player {player} had seen the same, and the "
                    f"last event is the same, but now it sees {_seen(nodes[other], player)} there and "
                    f"{_seen(node, player)} here; let view show a thing when it happens, or never"
                )
    return None


def sees(game: Game, state: np.ndarray, player: int) -> bool:
    """Whether a player can tell apart all that may happen in this state, once it has happened."""
    moves, views = _moves(game, state), set()
    for move in moves:
        views.add(_view(game, _after(game, state, move), player))
    return len(views) == len(moves)


def telling(walk: Walk) -> str | None:
    """Words are made from the view alone, tell different views apart, and stand between single spaces."""
    game = walk.game
    told: dict[str, bytes] = {}
    for at, node in walk.decisions():
        seen = np.frombuffer(node.views[node.mover], np.int64).copy()
        asked = f"after {walk.story(at)} tell({seen.tolist()})"
        try:
            text, again = game.tell(seen), game.tell(seen.copy())
        except Exception as fault:
            return f"{asked} fails: {type(fault).__name__}: {fault}; make words of every view that a player may have"
        if not isinstance(text, str) or text != again:
            return f"{asked} gives {text!r} and then {again!r}; return text that depends on the view alone"
        if seen.tobytes() != node.views[node.mover]:
            return f"{asked} changes the view that it is given; work on numbers of its own"
        if not text or not text.isprintable() or text != " ".join(text.split()):
            return f"{asked} gives {text!r}; write words with single spaces between them and nothing else"
        if told.setdefault(text, node.views[node.mover]) != node.views[node.mover]:
            other = np.frombuffer(told[text], np.int64).tolist()
            return f"{asked} gives {text!r}, and so does the view {other}; tell what makes the difference"
    return None


# --- compiled and not -------------------------------------------------------------------------------------------------


def compiled(walk: Walk) -> str | None:
    """Compiled, the kernels do what they do as plain Python."""
    game, plain = walk.game, walk.game._replace(kernels=_guarded(walk.game.kernels))
    for at, node in enumerate(walk.plain):
        for (name, one), (_, other) in zip(_answers(plain, node), _answers(game, node), strict=True):
            if not (np.array_equal(one, other) or np.allclose(one, other, rtol=1e-12, atol=1e-12, equal_nan=True)):
                return (
                    f"after {_story(game, walk.plain, at)} {name} gives {_row(one)} as plain Python and {_row(other)} "
                    "compiled; numba keeps the globals of a kernel as they were when it was compiled, and its whole "
                    "numbers wrap around at 64 bits: change what depends on either"
                )
    return None


def _answers(game: Game, node: Node) -> Iterator[tuple[str, np.ndarray]]:
    """What every kernel answers at a node."""
    yield "turn", np.array([game.kernels.turn(node.state.copy())])
    if node.mover == OVER:
        yield "payoff", _paid(game, node.state)
    elif node.moves:
        yield "options", _weights(game, node.state)
    for player in range(game.players):
        yield f"view of player {player}", np.frombuffer(_view(game, node.state, player), np.int64)
    for move in node.moves:
        yield f"apply of {move}", _after(game, node.state, move)


Law = Callable[[Walk], str | None]
LAWS: tuple[tuple[str, Law], ...] = tuple(
    (law.__name__.replace("_", " "), law)
    for law in (
        record, words, kernels, own_file, bounds, turns, ending, chance, actions, writing, looking, payoffs, infosets,
        recall, hiding, telling, compiled,
    )
)  # fmt: skip
GATES = ("record", "kernels", "bounds", "ending")  # where one of these is broken the laws after it are not asked


# --- walking ----------------------------------------------------------------------------------------------------------


def _nodes(game: Game, limit: int) -> tuple[list[Node], bool]:
    """All nodes where they are at most `limit`, else those of random plays; and whether these are all."""
    found, waiting = list[Node](), [(-1, -1, 0, game.start)]
    while waiting and len(found) <= limit:
        found.append(_node(game, *waiting.pop()))
        node, at = found[-1], len(found) - 1
        if node.depth == LONGEST:
            return found, False
        for move in reversed(node.moves):
            waiting.append((at, move, node.depth + 1, _after(game, node.state, move)))
    if len(found) <= limit:
        return found, True
    rng, found, place = np.random.default_rng(0), [_node(game, -1, -1, 0, game.start)], dict[tuple[int, int], int]()
    for _ in range(PLAYS):
        at = 0
        while found[at].moves and found[at].depth < LONGEST:
            node = found[at]
            odds = np.array(list(node.moves.values()))
            move = int(rng.choice(list(node.moves), p=odds / odds.sum()))
            if (at, move) not in place:
                place[at, move] = len(found)
                found.append(_node(game, at, move, node.depth + 1, _after(game, node.state, move)))
            at = place[at, move]
        if len(found) > 2 * limit:
            break
    return found, False


def _node(game: Game, parent: int, action: int, depth: int, state: np.ndarray) -> Node:
    mover = int(game.kernels.turn(state.copy()))
    moves = _moves(game, state) if mover in (CHANCE, *range(game.players)) else {}
    views = tuple(_view(game, state, player) for player in range(game.players))
    return Node(parent, action, depth, state, mover, moves, views)


def _weights(game: Game, state: np.ndarray) -> np.ndarray:
    """float64[W]; what options leaves unwritten is 0, of which the law of writing speaks."""
    weights = np.zeros(game.width)
    game.kernels.options(state.copy(), weights)
    return weights


def _moves(game: Game, state: np.ndarray) -> dict[int, float]:
    weights = _weights(game, state)
    return {int(move): float(weights[move]) for move in np.flatnonzero(weights > 0)}


def _view(game: Game, state: np.ndarray, player: int) -> bytes:
    seen = np.full(game.view_size, _UNWRITTEN, np.int64)
    game.kernels.view(state.copy(), player, seen)
    return seen.tobytes()


def _paid(game: Game, state: np.ndarray) -> np.ndarray:
    paid = np.zeros(game.players)
    game.kernels.payoff(state.copy(), paid)
    return paid


def _after(game: Game, state: np.ndarray, move: int) -> np.ndarray:
    child = state.copy()
    game.kernels.apply(child, move)
    return child


class _Numbers(dict):
    """A number for every key that is asked for, from 1 on: long histories compare as numbers."""

    def __missing__(self, key: Any) -> int:
        self[key] = len(self) + 1
        return self[key]


# --- kernels ----------------------------------------------------------------------------------------------------------


class _Fault(Exception):
    """A kernel that failed as plain Python; the message says which and how."""


def _guarded(kernels: Kernels) -> Kernels:
    """The kernels as plain Python, calling each other so too; where one fails, or overflows, it raises _Fault."""
    worlds: dict[int, dict[str, Any]] = {}

    def guard(name: str, kernel: Callable[..., Any]) -> Callable[..., Any]:
        plain = _plain(kernel, worlds)

        def call(*given: Any) -> Any:
            try:
                with np.errstate(over="raise", divide="raise", invalid="raise"):
                    return plain(*given)
            except Exception as fault:
                raise _Fault(f"{name} fails at the state {_row(given[0])}: {type(fault).__name__}: {fault}") from fault

        return call

    return Kernels(*(guard(name, kernel) for name, kernel in zip(Kernels._fields, kernels, strict=True)))


def _plain(kernel: Any, worlds: dict[int, dict[str, Any]]) -> Callable[..., Any]:
    """A function as it was before numba compiled it, among globals in which nothing is compiled."""
    function = getattr(kernel, "py_func", kernel)
    home = function.__globals__
    if id(home) not in worlds:
        world = worlds[id(home)] = dict(home)
        for name, thing in home.items():
            if hasattr(thing, "py_func"):
                world[name] = _plain(thing, worlds)
    return types.FunctionType(
        function.__code__, worlds[id(home)], function.__name__, function.__defaults__, function.__closure__
    )


def _calls(kernel: Any, seen: set[int]) -> Iterator[tuple[Any, Any]]:
    """(caller, called) for every compiled function that a kernel calls, and those that these call."""
    function = getattr(kernel, "py_func", None)
    if function is None or id(function) in seen:
        return
    seen.add(id(function))
    for thing in _named_in(function):
        if hasattr(thing, "py_func"):
            yield function, thing.py_func
            yield from _calls(thing, seen)


def _named_in(function: Any) -> Iterator[Any]:
    """What the names in a function stand for: its globals, what it closes over, and what modules hold under them."""
    names = function.__code__.co_names
    held = inspect.getclosurevars(function)
    for thing in (*held.globals.values(), *held.nonlocals.values()):
        yield thing
        if isinstance(thing, types.ModuleType):
            yield from (getattr(thing, name) for name in names if hasattr(thing, name))


@cache
def _takers() -> tuple[Callable[..., Any], ...]:
    """For each kernel a compiled function that takes such a kernel, as the engines do, and does nothing with it."""
    return tuple(njit(numba_types.void(kernel))(lambda kernel: None) for kernel in KERNELS)


# --- words ------------------------------------------------------------------------------------------------------------


def _story(game: Game, nodes: list[Node], at: int) -> str:
    events: list[str] = []
    while nodes[at].parent >= 0:
        move, at = nodes[at].action, nodes[at].parent
        events.append(f"chance {move}" if nodes[at].mover == CHANCE else _named(game, [move]))
    told = [*(["..."] if len(events) > 12 else []), *reversed(events[:12])]
    return ", ".join(told) or "no event"


def _named(game: Game, moves: Any) -> str:
    return " and ".join(game.words[move] if move < game.actions else f"action {move}" for move in moves)


def _seen(node: Node, player: int) -> str:
    return _row(np.frombuffer(node.views[player], np.int64))


def _row(numbers: Any) -> str:
    shown = [f"{number:g}" if isinstance(number, float) else str(number) for number in np.asarray(numbers).tolist()]
    return "[" + ", ".join([*shown[:30], *(["..."] if len(shown) > 30 else [])]) + "]"


def _short(thing: Any) -> str:
    text = repr(thing)
    return text if len(text) <= 80 else text[:77] + "..."


def _is_count(thing: Any, least: int) -> bool:
    return isinstance(thing, int) and not isinstance(thing, bool) and thing >= least


def _is_number(thing: Any) -> bool:
    return isinstance(thing, int | float) and not isinstance(thing, bool) and math.isfinite(thing)


def _is_state(thing: Any) -> bool:
    return isinstance(thing, np.ndarray) and thing.dtype == np.int64 and thing.ndim == 1 and thing.flags.c_contiguous
