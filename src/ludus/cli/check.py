"""`ludus check game`: the laws of games asked of one game, a line each, in words that say what to change."""

import hashlib
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

from ludus import games
from ludus.check import Finding, Walk, check
from ludus.cli.console import Mistake, front_door, print_json, print_table
from ludus.game import Game

_FILE = re.compile(r"(?P<path>.+\.py)(?:\((?P<numbers>[a-z0-9_=, ]*)\))?", re.DOTALL)


def check_game(spec: str, json: bool) -> int:
    """Look at the game and print what came of each law. Returns the exit code: 1 where a law is broken."""
    walk = Walk(_game(spec))
    findings = check(walk)
    broken = [finding for finding in findings if finding.verdict == "broken"]
    asked = not any(finding.verdict == "not asked" for finding in findings)
    nodes, whole = (len(walk.nodes), walk.whole) if asked else (None, False)
    if json:
        laws = [finding._asdict() for finding in findings]
        print_json({"game": walk.game.name, "holds": not broken, "nodes": nodes, "whole": whole, "laws": laws})
    else:
        _tell(walk.game, findings, nodes, whole)
    return 1 if broken else 0


def _tell(game: Game, findings: list[Finding], nodes: int | None, whole: bool) -> None:
    print_table(["law", "", ""], findings)
    broken = sum(finding.verdict == "broken" for finding in findings)
    print(f"\n{game.name} {f'breaks {broken} of' if broken else 'keeps all'} {len(findings)} laws")
    if nodes is not None:
        print(f"looked at {nodes:,} nodes, {'which is all of it' if whole else 'met in random plays: it is large'}")
    if nodes is not None and not whole:
        print("a law can be broken where no play came by; check a small variant too, which is walked through entirely")


def _game(spec: str) -> Game:
    """A game by name, or of a file, either with its numbers. Raises Mistake."""
    match = _FILE.fullmatch(spec)
    if match is None:
        with front_door():
            return games.load(spec)
    path = Path(match["path"])
    module = _module(path)
    name, found = path.stem.upper(), getattr(module, path.stem.upper(), None)
    if not isinstance(found, Game):
        held = [each for each, thing in vars(module).items() if isinstance(thing, Game)]
        seen = f"it holds the games {', '.join(held)}" if held else "it holds no Game"
        raise Mistake(
            f"FILE: {path} has to hold its game as {name} = Game(...); {seen}; docs/writing-a-game.md shows one"
        )
    if not match["numbers"]:
        return found
    if not callable(getattr(module, "variant", None)):
        raise Mistake(f"FILE: {path} has no variant(**numbers), but {spec!r} gives numbers; write {path}")
    try:
        pairs = (part.split("=") for part in match["numbers"].split(","))
        return module.variant(**{name.strip(): int(number) for name, number in pairs})
    except (TypeError, ValueError) as fault:
        raise Mistake(
            f"FILE: the numbers of {spec!r} do not fit: {fault}; write for example {path}(faces=3)"
        ) from fault


def _module(path: Path) -> ModuleType:
    """The file, run. Raises Mistake where there is none, or it does not run."""
    if not path.is_file():
        raise Mistake(f"FILE: there is no file {path}; give a game file, or a name that `ludus games` lists")
    file = path.resolve()
    name = f"ludus_game_{file.stem}_{hashlib.sha256(str(file).encode()).hexdigest()[:12]}"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as fault:
        del sys.modules[name]
        raise Mistake(f"FILE: {path} cannot be imported: {type(fault).__name__}: {fault}") from fault
    return module
