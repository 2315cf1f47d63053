"""`ludus games` and `ludus play`: what there is to play, and a table to sit down at."""

import contextlib
import dataclasses
import secrets
import sys
from collections import Counter
from typing import Any

import numpy as np
from scipy.special import stdtrit

from ludus import games
from ludus.agents.chat import ChatPlayer
from ludus.agents.human import InputEnded
from ludus.agents.replies import CLASSES
from ludus.cli.console import Mistake, front_door, print_json, print_table
from ludus.cli.players import seated
from ludus.game import Game, UnknownGame
from ludus.models.chat import BudgetSpent, ServerFailed
from ludus.play import Chooser, Episodes, play, tell_episode
from ludus.records import Policy, Value
from ludus.tree import TooLarge, grow

LISTED = 1_000_000  # nodes up to which the list counts a tree; a tree that large takes about a third of a second


def show_games(json: bool) -> None:
    """Every game with the size of its tree, null where that is more than LISTED nodes."""
    rows = []
    for name in games.names():
        try:
            rows.append(_facts(games.load(name)))
        except UnknownGame as fault:  # somebody else's file: all the others are still there
            print(f"warning: {fault}", file=sys.stderr)
    if json:
        print_json(rows)
        return
    columns = ["name", "players", "actions", "nodes", "infosets", "source"]
    shown = [{**row, "nodes": _many(row["nodes"]), "infosets": _many(row["infosets"])} for row in rows]
    print_table(columns, [[row[name] for name in columns] for row in shown], right=columns[1:5])
    print(
        f"\n{len(rows)} games. A tree of more than {LISTED:,} nodes is not counted. Solve one: ludus solve kuhn_poker"
    )


def _facts(game: Game) -> dict[str, Any]:
    sizes: dict[str, int | None] = {"nodes": None, "infosets": None}
    with contextlib.suppress(TooLarge):
        tree = grow(game, limit=LISTED)
        sizes = {"nodes": len(tree.turn), "infosets": len(tree.player)}
    return {"name": game.name, "players": game.players, "actions": game.actions, **sizes, "source": game.source}


def _many(count: int | None) -> str:
    return "-" if count is None else f"{count:,}"


def play_games(spec: str, players: list[str], count: int, seed: int | None) -> None:
    """Play and tell. One game is told in words; several end in a table of payoffs."""
    with front_door():
        game = games.load(spec)
    if len(players) != game.players:
        raise Mistake(f"PLAYER: {game.name} has {game.players} seats, {len(players)} players given; give one per seat")
    if count < 1:
        raise Mistake(f"--games: {count} is none; write a number of at least 1")
    if seed is not None and seed < 0:
        raise Mistake(f"--seed: {seed} is none; write a number of at least 0")
    seed = secrets.randbelow(2**32) if seed is None else seed
    rng = np.random.default_rng(seed)
    named: dict[str, Policy | Chooser] = {}
    with front_door(ValueError, OSError, ImportError, ServerFailed, BudgetSpent, InputEnded):
        for player in players:
            if player not in named:
                named[player] = seated(game, player)
        policies = [named[player] for player in players]
        if "human" in players:
            played = _with_a_person(game, policies, count, rng)
        else:
            played = [play(game, policies, count, rng)]
    if count > 1:
        _table(players, np.concatenate([episodes.payoff for episodes in played]))
    elif "human" not in players:
        print(tell_episode(game, _for_eyes(played[0]), 0))
    for player, policy in named.items():
        if isinstance(policy, ChatPlayer):
            print(_answers(player, played, [seat for seat, name in enumerate(players) if name == player]))
    print(f"seed {seed}")


def _with_a_person(
    game: Game, policies: list[Policy | Chooser], count: int, rng: np.random.Generator
) -> list[Episodes]:
    """Games one after the other, each told when it is over."""
    played = []
    for _ in range(count):
        played.append(play(game, policies, 1, rng))
        print("\n" + tell_episode(game, _for_eyes(played[-1]), 0) + "\n")
    return played


def _for_eyes(episodes: Episodes) -> Episodes:
    """The same with only those notes that a person wants told, each on one line that no terminal obeys."""
    kept = {name: episodes.notes[name] for name in ("answer", "reply_text") if name in episodes.notes}
    return dataclasses.replace(episodes, notes={name: np.array([*map(_plain, note)]) for name, note in kept.items()})


def _plain(text: str) -> str:
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _answers(player: str, played: list[Episodes], seats: list[int]) -> str:
    """How the replies of a model were read, of all its seats: "... replied 12 times: 11 legal, 1 malformed"."""
    kinds: Counter[str] = Counter()
    for episodes in played:
        if "answer" in episodes.notes:  # not where the game was over before it was asked
            kinds.update(episodes.notes["answer"][np.isin(episodes.player, seats)].tolist())
    parts = ", ".join(f"{kinds[kind]} {kind}" for kind in CLASSES if kinds[kind])
    return f"{player} replied {kinds.total()} times{': ' if parts else ''}{parts}"


def _table(players: list[str], payoffs: np.ndarray) -> None:
    """Mean payoff of every seat with Student's 95% interval."""
    count = len(payoffs)
    means, half = payoffs.mean(0), stdtrit(count - 1, 0.975) * payoffs.std(0, ddof=1) / np.sqrt(count)
    rows = []
    for seat, player in enumerate(players):
        value = Value(float(means[seat]), "sampled", (float(means[seat] - half[seat]), float(means[seat] + half[seat])),
                      f"mean of {count} games, Student's 95% interval")  # fmt: skip
        rows.append((seat, player, f"{value.number:+.4f}", f"{value.interval[0]:+.4f} to {value.interval[1]:+.4f}"))  # type: ignore[index]
    print_table(["seat", "player", "payoff", "95% interval"], rows, right=["payoff"])
    print(f"{count:,} games")
