"""Players by their names: what a person writes on the command line takes a seat at the table."""

import json as text_json
from pathlib import Path

import numpy as np

from ludus.agents.chat import ChatPlayer
from ludus.agents.human import human
from ludus.agents.scripted import first_legal
from ludus.agents.tabular import tabular
from ludus.agents.uniform import uniform
from ludus.cli.console import Mistake, console, front_door, told
from ludus.cli.solve import ITERATIVE, METHODS, solve_tree
from ludus.game import Game
from ludus.models.chat import connect
from ludus.play import Chooser
from ludus.records import Policy
from ludus.tree import grow

SOLVED = 1000  # iterations for a player that is solved before it sits down
PLAYERS = ("human", "uniform", "first", *METHODS)
REPLIES = Path("runs", "replies")  # where `ludus run` keeps what model servers replied, unless told otherwise


def seated(game: Game, name: str) -> Policy | Chooser:
    """The player that `name` stands for, ready to play this game. Raises Mistake where nobody answers to it."""
    if name == "human":
        return human(game)
    if name == "uniform":
        return uniform
    if name == "first":
        return first_legal
    if name.startswith(("http://", "https://")):
        with front_door():
            return ChatPlayer(connect(name, REPLIES), game)
    if name in METHODS:
        with front_door():
            tree = grow(game)
        solved = solve_tree(tree, game.name, game.name, name, SOLVED if name in ITERATIVE else None)
        if solved.nash_conv is None:
            raise Mistake(f"PLAYER: {name} finds no equilibrium of {game.name} ({solved.answer.note}); write another")
        console(stderr=True).print(f"{name} has solved {game.name}: NashConv {told(solved.nash_conv)}")
        return tabular(tree, solved.answer.profiles[0])
    if name.endswith(".json"):
        with front_door():
            return _from_file(game, Path(name))
    raise Mistake(f"PLAYER: nobody is called {name!r}; write one of {', '.join(PLAYERS)}, a model behind a server "
                  "(http://127.0.0.1:8000/v1#MODEL), or a file that "
                  f"`ludus solve {game.name} --json > policy.json` made")  # fmt: skip


def _from_file(game: Game, path: Path) -> Policy:
    """The policy that `ludus solve --json` printed. Raises ValueError or OSError where it is none of this game."""
    again = f"make it again with `ludus solve {game.name} --json`"
    try:
        stored = text_json.loads(path.read_text(encoding="utf-8"))["policy"]
        name = stored["game"]
        tree_rows = [np.array(stored[part]) for part in ("player", "view", "probability")]
    except (ValueError, KeyError, TypeError) as fault:
        raise Mistake(f"PLAYER: {path} holds no policy ({type(fault).__name__}: {fault}); {again}") from fault
    if name != game.name:
        raise Mistake(f"PLAYER: {path} holds a policy of {name}, not of {game.name}; {again}")
    tree = grow(game)
    player, view, table = tree_rows
    if not (np.array_equal(player, tree.player) and np.array_equal(view, tree.view)):
        raise Mistake(f"PLAYER: the infosets of {path} are not those of {game.name} as it is now; {again}")
    return tabular(tree, table)
