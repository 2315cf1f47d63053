"""The rules, one file per game, found by listing this folder.

A file NAME.py holds the game under its upper-case name. Where the game has variants it also holds
`variant(**numbers) -> Game`; the call without numbers is the constant.
"""

import difflib
import re
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

from ludus.game import Game, UnknownGame

_SPEC = re.compile(r"(?P<name>[a-z0-9_]+)(?:\((?P<numbers>[a-z0-9_=, ]*)\))?")


def names() -> list[str]:
    """The names of the games in this folder, and of those that installed plugins bring (group `ludus.games`)."""
    return sorted({path.stem for path in Path(__file__).parent.glob("[a-z]*.py")} | set(_plugins()))


def load(spec: str) -> Game:
    """A game by name, with its numbers where it has some: "kuhn_poker", "liars_dice(dice=1, faces=5)".

    Raises UnknownGame, with the nearest names, and ValueError where the numbers do not fit the game.
    """
    match = _SPEC.fullmatch(spec.strip())
    if not match or match["name"] not in names():
        name = match["name"] if match else spec.strip()
        near = difflib.get_close_matches(name, names(), n=3, cutoff=0.4) or names()
        raise UnknownGame(
            f"game: no game is named {name[:80]!r}; did you mean {', '.join(near)}? `ludus games` lists them"
        )
    module = _module(match["name"])
    numbers = _numbers(spec, match["numbers"])
    if not numbers:
        return getattr(module, match["name"].upper())
    if not hasattr(module, "variant"):
        raise ValueError(f"game: {match['name']} has no variants, but {spec!r} gives numbers; write {match['name']}")
    try:
        return module.variant(**numbers)
    except TypeError as error:
        raise ValueError(
            f"game: {spec!r} does not fit {match['name']}: {error}; write {module.variant().name}"
        ) from None


def _module(name: str):
    plugin = _plugins().get(name)
    if plugin is None:
        return import_module(f"{__name__}.{name}")
    try:
        return plugin.load()
    except Exception as error:
        raise UnknownGame(f"game: the plugin {plugin.value!r} that brings {name} does not load: {error}") from error


def _plugins():
    return {entry.name: entry for entry in entry_points(group="ludus.games")}


def _numbers(spec: str, text: str | None) -> dict[str, int]:
    numbers = {}
    for part in filter(None, (part.strip() for part in (text or "").split(","))):
        name, _, value = part.partition("=")
        if not value.strip().isdecimal():
            raise ValueError(f"game: {part!r} in {spec!r} is no NAME=NUMBER; write for example liars_dice(faces=5)")
        numbers[name.strip()] = int(value)
    return numbers
