"""`ludus solve`: equilibria of a game or a Gambit file, each with its certificate, in the game's own words."""

import contextlib
import math
import time
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ludus import gambit, games
from ludus.cli.console import Mistake, console, front_door, print_json, print_table, told
from ludus.game import OVER
from ludus.measure.minimax import position_regrets
from ludus.normal_form import NormalForm, as_tree, behaviour, reduced
from ludus.records import Value
from ludus.solve.answer import Answer
from ludus.solve.best_response import evaluate, goes_on_alike
from ludus.tree import TooLarge, Tree, grow

LP, MINIMAX = "lp", "minimax"
ITERATIVE = ("dcfr", "cfr+", "pcfr+", "cfr", "mmd", "xfp")
BY_PLANS = {  # the solvers of normal forms, imported when asked for: a tree comes to them as plans
    "supports": ("support_enumeration", "support_enumeration"),
    "lemke-howson": ("lemke_howson", "lemke_howson"),
    "pure": ("pure", "pure_equilibria"),
    "logit": ("logit", "logit_equilibrium"),
}
METHODS = (*ITERATIVE, LP, *BY_PLANS, MINIMAX)
STOPPED = (*ITERATIVE, LP, "supports")  # the methods that heed a time limit
PROGRAM = 30_000  # infosets up to which a linear program is solved in seconds
PLANS, CELLS = 12, 40_000  # plans of a player up to which all equilibria are looked for; combinations for one of them
SHOWN, PROFILES = 30, 5  # infosets of a player, and equilibria, on the screen
ROUNDING = 1e-9  # a bracket of the value that is narrower is one number


class Solved(NamedTuple):
    """A game and what a solver answered. P players.

    name       of the game or the file
    policy_of  the game's name where `ludus play` can seat the strategies, None for a file
    answer     its profiles are tables float64[K, A]
    value      of a two-player game with payoffs of constant sum, to player 0; else None
    nash_conv  of the first profile: what all players together could gain; None where there is no profile
    gains      float64[P], the same player by player
    curve      (iterations, seconds, NashConv) on the way, of methods that iterate
    """

    name: str
    policy_of: str | None
    tree: Tree
    method: str
    answer: Answer
    value: Value | None
    nash_conv: Value | None
    gains: np.ndarray
    curve: list[tuple[int, float, float]]


def solve_game(
    spec: str, method: str | None, iterations: int | None, target: float | None, limit: float | None, json: bool
) -> None:
    """Solve and print. Raises Mistake."""
    for name, bound in (("--iterations", iterations), ("--target", target), ("--time", limit)):
        if bound is not None and not (bound > 0 and math.isfinite(bound)):
            raise Mistake(f"{name}: {bound} is none; write a number above zero")
    with front_door():
        if Path(spec).suffix in (".efg", ".nfg") or "/" in spec:
            found = gambit.read(spec)
            name, policy_of = Path(spec).name, None
            tree = as_tree(found) if isinstance(found, NormalForm) else found
        else:
            game = games.load(spec)
            name, policy_of = game.name, game.name
            tree = as_tree(games.form(name)) if name in games.forms() else grow(game)  # a form names its players
    solved = solve_tree(tree, name, policy_of, method, iterations, target, limit)
    if json:
        print_json(_as_json(solved))
    else:
        _tell(solved)


def solve_tree(
    tree: Tree,
    name: str,
    policy_of: str | None = None,
    method: str | None = None,
    iterations: int | None = None,
    target: float | None = None,
    limit: float | None = None,
) -> Solved:
    """Solve by `method`, or by what fits the game where it is None; see `_fitting`. Raises Mistake.

    iterations, target, limit  whichever comes first stops a method that iterates; LP and supports heed `limit` seconds
    """
    if method not in (None, *METHODS):
        raise Mistake(f"--method: {method!r} is none; write one of {', '.join(METHODS)}")
    with front_door():
        method = method or _fitting(tree, iterations is not None or target is not None, limit is not None)
        for option, bound, heeding in (
            ("--iterations", iterations, ITERATIVE),
            ("--target", target, ITERATIVE),
            ("--time", limit, STOPPED),
        ):
            if bound is not None and method not in heeding:
                raise Mistake(f"{option}: {method} ends by itself; leave it out, or write --method {heeding[0]}")
        curve: list[tuple[int, float, float]] = []
        if method in ITERATIVE:
            answer = _iterate(tree, method, iterations, target, limit, curve, name)
        elif method == LP:
            from ludus.solve.sequence_lp import sequence_lp

            answer = sequence_lp(tree, seconds=limit)
        elif method == MINIMAX:
            answer = _minimax(tree)
        else:
            answer = _by_plans(tree, method, limit)
    return _certified(Solved(name, policy_of, tree, method, answer, None, None, np.zeros(tree.players), curve))


def _fitting(tree: Tree, iterates: bool, limited: bool) -> str:
    """The method for a game where none is named.

    Minimax where the position is all there is to know; discounted CFR where a number of iterations or a target is
    given; the linear program for two players with payoffs of constant sum; all equilibria, by supports, for two players
    with few plans, one by Lemke-Howson with some more; for three or more players with few plans the end of the logit
    path; discounted CFR for the rest, with no promise but the certificate.
    """
    if not tree.perfect_recall and goes_on_alike(tree):
        return MINIMAX
    if iterates or not tree.perfect_recall:
        return "dcfr"
    if tree.players == 2 and len(tree.player) <= PROGRAM and _sum_of(tree) is not None:
        return LP
    try:
        plans = reduced(tree, CELLS).payoff.shape[:-1]
    except TooLarge:
        return "dcfr"
    if tree.players == 2 and max(plans) <= PLANS:
        return "supports"
    if limited:
        return "dcfr"
    return "lemke-howson" if tree.players == 2 else "logit"


def _sum_of(tree: Tree) -> float | None:
    """What the payoffs of two players always add up to; None where there are more players, or they do not."""
    sums = tree.payoff[tree.turn == OVER].sum(axis=1)
    constant = tree.players == 2 and np.ptp(sums) <= 1e-12 * np.abs(tree.payoff).max(initial=0.0)
    return float(sums[0]) if constant else None


def _iterate(tree, method, iterations, target, limit, curve, name):
    """Iterate, and show on a terminal how far it has come."""
    from ludus.solve.approach import approach

    screen = console(stderr=True)
    with screen.status(f"{name}: {method}") if screen.is_terminal else contextlib.nullcontext() as status:

        def watch(point: tuple[int, float, float]) -> None:
            curve.append(point)
            if status is not None:
                status.update(f"{name}: {method}, {point[0]:,} iterations, NashConv {point[2]:.3g}, {point[1]:.1f} s")

        return approach(tree, method, iterations, target, limit, watch)


def _by_plans(tree: Tree, method: str, limit: float | None) -> Answer:
    """Through the reduced normal form, and its profiles back into tables."""
    module, name = BY_PLANS[method]
    solver = getattr(import_module(f"ludus.solve.{module}"), name)
    form = reduced(tree)
    answer = solver(form, seconds=limit) if method in STOPPED else solver(form)
    return answer._replace(profiles=[behaviour(tree, profile) for profile in answer.profiles])


def _minimax(tree: Tree) -> Answer:
    """Perfect play: in each position, evenly among the moves that give nothing away."""
    start = time.perf_counter()
    first = np.zeros(tree.legal.shape)
    first[np.arange(len(first)), tree.legal.argmax(axis=1)] = 1.0
    sound = np.zeros(tree.legal.shape, bool)
    for action in range(tree.legal.shape[1]):
        able = tree.legal[:, action]
        table = first.copy()
        table[able] = np.eye(tree.legal.shape[1])[action]
        sound[:, action] = able & (position_regrets(tree, table) <= ROUNDING)
    table = sound / sound.sum(axis=1, keepdims=True)
    payoffs, best = evaluate(tree, table)
    note = "perfect play in every position; other equilibria differ only where a choice does not matter"
    seconds = time.perf_counter() - start
    return Answer([table], np.array([(best - payoffs).max()]), payoffs[None], False, note, MINIMAX, 1, seconds)


def _certified(solved: Solved) -> Solved:
    """With the gains of the first profile, and the value of the game where it has one."""
    if not solved.answer.profiles:
        return solved
    payoffs, best = evaluate(solved.tree, solved.answer.profiles[0])
    gains = np.maximum(best - payoffs, 0.0)  # rounding can leave a gain below zero
    nash_conv = Value(float(gains.sum()), "exact", None, "every player's best response")
    value, total = None, _sum_of(solved.tree)
    if total is not None:
        low, high = total - float(best[1]), float(best[0])
        if high - low <= ROUNDING:
            value = Value((low + high) / 2, "exact", None, "what either player can secure, up to rounding, to player 0")
        else:
            how = "what player 0 secures against a best response; the interval holds the game's value for certain"
            value = Value(low, "lower bound", (low, high), how)
    return solved._replace(value=value, nash_conv=nash_conv, gains=gains)


def _as_json(solved: Solved) -> dict[str, Any]:
    tree, answer = solved.tree, solved.answer
    return {
        "method": solved.method,
        "players": list(tree.labels.players),
        "equilibria": [
            {
                "profile": {player: dict(rows) for player, rows in _in_words(tree, table).items()},
                "payoffs": payoffs.tolist(),
                "regret": float(regret),
            }
            for table, payoffs, regret in zip(answer.profiles, answer.payoffs, answer.regret, strict=True)
        ],
        "complete": bool(answer.complete),
        "note": answer.note,
        "value": solved.value,
        "nash_conv": solved.nash_conv,
        "iterations": int(answer.iterations),
        "seconds": answer.seconds,
        "policy": None
        if solved.policy_of is None or not answer.profiles
        else {
            "game": solved.policy_of,
            "player": tree.player.tolist(),
            "view": tree.view.tolist(),
            "probability": answer.profiles[0].tolist(),
        },
    }


def _in_words(tree: Tree, table: np.ndarray) -> dict[str, list[tuple[str, dict[str, float]]]]:
    """player -> (infoset, action -> probability) of the legal actions, in the words of the game."""
    words = tree.labels.actions
    rows: dict[str, list[tuple[str, dict[str, float]]]] = {player: [] for player in tree.labels.players}
    for infoset, player in enumerate(tree.player):
        chosen = {words[action]: float(table[infoset, action]) for action in np.flatnonzero(tree.legal[infoset])}
        rows[tree.labels.players[player]].append((tree.labels.infoset(infoset), chosen))
    return rows


def _tell(solved: Solved) -> None:
    tree, answer = solved.tree, solved.answer
    print(f"{solved.name}: {len(tree.turn):,} nodes, {len(tree.player):,} infosets, {tree.players} players")
    steps = f"{answer.iterations:,} iteration{'s' * (answer.iterations != 1)}"
    print(f"{answer.method}, {steps}, {answer.seconds:.2f} s\n")
    if solved.value is not None:
        if solved.value.interval is None:
            print(f"value      {told(solved.value)}")
        else:
            low, high = solved.value.interval
            print(f"value      {(low + high) / 2:.8g}, for certain to within {(high - low) / 2:.1g}")
    if solved.nash_conv is not None and len(answer.profiles) == 1:
        print(f"NashConv   {told(solved.nash_conv)}")
        for name, payoff, gain in zip(tree.labels.players, answer.payoffs[0], solved.gains, strict=True):
            print(f"{name}   earns {payoff:+.6g}, could gain {gain:.2g} more")
    if len(solved.curve) > 1:
        print()
        _picture([(iterations, gap) for iterations, _, gap in solved.curve])
    count = len(answer.profiles)
    print(f"\nequilibria {count}, {'and there are no more' if answer.complete else 'and there may be more'}")
    if answer.note:
        print(f"note       {answer.note}")
    for number, table in enumerate(answer.profiles[:PROFILES]):
        if count > 1:
            pairs = zip(tree.labels.players, answer.payoffs[number], strict=True)
            earned = "  ".join(f"{name} {payoff:+.6g}" for name, payoff in pairs)
            print(f"\nequilibrium {number + 1}   {earned}   largest gain {answer.regret[number]:.1g}")
        for name, rows in _in_words(tree, table).items():
            if rows:
                print()
                plays = ["  ".join(f"{word} {p:.3f}" for word, p in chosen.items()) for _, chosen in rows[:SHOWN]]
                shown = [(seen, play) for (seen, _), play in zip(rows, plays, strict=False)]
                print_table([f"{name} sees", "plays"], shown)
            if len(rows) > SHOWN:
                print(f"and {len(rows) - SHOWN:,} more infosets, which --json holds")
    if count > PROFILES:
        print(f"\nand {count - PROFILES:,} more equilibria, which --json holds")


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
