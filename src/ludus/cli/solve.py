"""`ludus solve`: an equilibrium of a game, how far from exact it is, and the strategies in the game's own words."""

import math
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ludus import games
from ludus.cli.console import Mistake, front_door, print_json, print_table, told
from ludus.game import Game
from ludus.measure.minimax import position_regrets
from ludus.records import Value
from ludus.solve.best_response import evaluate, goes_on_alike
from ludus.solve.cfr import State, cfr, cfr_plus
from ludus.solve.sequence_form import fold
from ludus.tree import Tree, grow

METHODS = {"cfr+": cfr_plus, "cfr": cfr}
MINIMAX = "minimax"  # what a board game is solved by: its positions forget how they were reached, so there is no CFR
ITERATIONS, SECONDS = 10_000, 60.0  # where nothing says when to stop, and where only a target does
SHOWN = 30  # infosets of a player on the screen
ROUNDING = 1e-9  # a bracket of the value that is narrower is one number


class Answer(NamedTuple):
    """What was found. K infosets, A actions, P players.

    table       float64[K, A], the strategies
    payoffs     float64[P], expected under the table
    gains       float64[P], what each player could still gain by its best response
    value       of a two-player game with payoffs of constant sum, to player 0; else None
    nash_conv   the sum of the gains
    iterations  of the solver
    seconds     wall time from the grown tree to the answer
    curve       (iterations, NashConv) on the way
    """

    game: Game
    tree: Tree
    method: str
    table: np.ndarray
    payoffs: np.ndarray
    gains: np.ndarray
    value: Value | None
    nash_conv: Value
    iterations: int
    seconds: float
    curve: list[tuple[int, float]]


def solve_game(
    spec: str, method: str | None, iterations: int | None, target: float | None, limit: float | None, json: bool
) -> None:
    """Solve and print. Raises Mistake."""
    if Path(spec).suffix in (".efg", ".nfg") or "/" in spec:
        raise Mistake(
            f"GAME: {spec!r} is a file, and game files cannot be read yet; write a game that `ludus games` lists"
        )
    if method not in (None, MINIMAX, *METHODS):
        raise Mistake(f"--method: {method!r} is none; write one of {', '.join((*METHODS, MINIMAX))}")
    for name, bound in (("--iterations", iterations), ("--target", target), ("--time", limit)):
        if bound is not None and not (bound > 0 and math.isfinite(bound)):
            raise Mistake(f"{name}: {bound} is none; write a number above zero")
    with front_door():
        game = games.load(spec)
    answer = solved(game, method, iterations, target, limit)
    if json:
        print_json(_as_json(answer))
    else:
        _tell(answer)


def solved(
    game: Game,
    method: str | None = None,
    iterations: int | None = None,
    target: float | None = None,
    limit: float | None = None,
) -> Answer:
    """The answer after `iterations`, at NashConv `target` or after `limit` seconds, whichever comes first.

    method  cfr, cfr+ or minimax; None takes minimax for games of perfect information whose view is the board, else cfr+
    Raises Mistake where the tree is too large or the method does not fit the game.
    """
    with front_door():
        tree = grow(game)
        start = time.perf_counter()
        if method == MINIMAX or (method is None and not game.perfect_recall and goes_on_alike(tree)):
            return _minimax(game, tree, start)
        fold(tree)
    name = method or "cfr+"
    if iterations is None and limit is None:
        iterations, limit = (ITERATIONS, None) if target is None else (None, SECONDS)
    state: State | None = None
    curve: list[tuple[int, float]] = []
    while True:
        done = 0 if state is None else state.iterations
        step = max(1, done // 4)
        if limit is not None and done:  # no longer a step than what is left of the time
            left = limit - (time.perf_counter() - start)
            step = max(1, min(step, int(done * left / max(time.perf_counter() - start, 1e-9))))
        if iterations is not None:
            step = min(step, iterations - done)
        now = METHODS[name](tree, step, state)
        state = now.state
        payoffs, best = evaluate(tree, now.average)
        gap = float((best - payoffs).sum())
        curve.append((now.iterations, gap))
        seconds = time.perf_counter() - start
        if now.iterations == iterations or (target is not None and gap <= target) or (limit and seconds >= limit):
            return _answer(game, tree, name, now.average, now.iterations, start, curve)


def _minimax(game: Game, tree: Tree, start: float) -> Answer:
    """Perfect play: in each position, evenly among the moves that give nothing away."""
    first = np.zeros(tree.legal.shape)
    first[np.arange(len(first)), tree.legal.argmax(axis=1)] = 1.0
    sound = np.zeros(tree.legal.shape, bool)
    for action in range(game.actions):
        able = tree.legal[:, action]
        table = first.copy()
        table[able] = np.eye(game.actions)[action]
        sound[:, action] = able & (position_regrets(tree, table) <= ROUNDING)
    return _answer(game, tree, MINIMAX, sound / sound.sum(axis=1, keepdims=True), 1, start, [])


def _answer(
    game: Game,
    tree: Tree,
    method: str,
    table: np.ndarray,
    iterations: int,
    start: float,
    curve: list[tuple[int, float]],
) -> Answer:
    payoffs, best = evaluate(tree, table)
    gains = np.maximum(best - payoffs, 0.0)  # rounding can leave a gain below zero
    nash_conv = Value(float(gains.sum()), "exact", None, "every player's best response")
    value = None
    if game.players == 2 and game.constant_sum is not None:
        low, high = game.constant_sum - float(best[1]), float(best[0])
        if high - low <= ROUNDING:
            value = Value((low + high) / 2, "exact", None, "what either player can secure, up to rounding, to player 0")
        else:
            how = "what player 0 secures against a best response; the interval holds the game's value for certain"
            value = Value(low, "lower bound", (low, high), how)
    seconds = time.perf_counter() - start
    return Answer(game, tree, method, table, payoffs, gains, value, nash_conv, iterations, seconds, curve)


def _as_json(answer: Answer) -> dict[str, Any]:
    tree = answer.tree
    return {
        "method": answer.method,
        "players": list(tree.labels.players),
        "equilibria": [
            {
                "profile": {player: dict(rows) for player, rows in _in_words(answer).items()},
                "payoffs": answer.payoffs.tolist(),
                "regret": float(answer.gains.max()),
            }
        ],
        "complete": False,
        "value": answer.value,
        "nash_conv": answer.nash_conv,
        "iterations": answer.iterations,
        "seconds": answer.seconds,
        "policy": {
            "game": answer.game.name,
            "player": tree.player.tolist(),
            "view": tree.view.tolist(),
            "probability": answer.table.tolist(),
        },
    }


def _in_words(answer: Answer) -> dict[str, list[tuple[str, dict[str, float]]]]:
    """player -> (infoset, action -> probability) of the legal actions, in the words of the game."""
    tree, words = answer.tree, answer.tree.labels.actions
    rows: dict[str, list[tuple[str, dict[str, float]]]] = {player: [] for player in tree.labels.players}
    for infoset, player in enumerate(tree.player):
        chosen = {words[action]: float(answer.table[infoset, action]) for action in np.flatnonzero(tree.legal[infoset])}
        rows[tree.labels.players[player]].append((tree.labels.infoset(infoset), chosen))
    return rows


def _tell(answer: Answer) -> None:
    game, tree = answer.game, answer.tree
    print(f"{game.name}: {len(tree.turn):,} nodes, {len(tree.player):,} infosets, {game.players} players")
    print(f"{answer.method}, {answer.iterations:,} iteration{'s' * (answer.iterations > 1)}, {answer.seconds:.2f} s\n")
    if answer.value is not None:
        if answer.value.interval is None:
            print(f"value      {told(answer.value)}")
        else:
            low, high = answer.value.interval
            print(f"value      {(low + high) / 2:.8g}, for certain to within {(high - low) / 2:.1g}")
    print(f"NashConv   {told(answer.nash_conv)}")
    for name, payoff, gain in zip(tree.labels.players, answer.payoffs, answer.gains, strict=True):
        print(f"{name}   earns {payoff:+.6g}, could gain {gain:.2g} more")
    if len(answer.curve) > 1:
        print()
        _picture(answer.curve)
    for name, rows in _in_words(answer).items():
        print()
        shown = [(seen, "  ".join(f"{word} {p:.3f}" for word, p in chosen.items())) for seen, chosen in rows[:SHOWN]]
        print_table([f"{name} sees", "plays"], shown)
        if len(rows) > SHOWN:
            print(f"and {len(rows) - SHOWN:,} more infosets, which --json holds")


def _picture(curve: list[tuple[int, float]]) -> None:
    """NashConv against iterations, both by powers of ten: a bar loses a fixed length with every tenth of the number."""
    places = sorted({round(place) for place in np.linspace(0, len(curve) - 1, 10)})
    points = [curve[place] for place in places]
    logs = [math.log10(max(gap, 1e-16)) for _, gap in points]
    low, high = math.floor(min(logs)), max(logs)
    rows = []
    for (iterations, gap), height in zip(points, logs, strict=True):
        eighths = round(8 * 40 * (height - low) / max(high - low, 1e-9))
        bar = "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()
        rows.append((f"{iterations:,}", f"{gap:.2g}", bar))
    print_table(["iterations", "NashConv", ""], rows, right=["iterations", "NashConv"])
