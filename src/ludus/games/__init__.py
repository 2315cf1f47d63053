"""The rules, one file per game, found by listing this folder.

A file NAME.py holds the game under its upper-case name. Where the game has variants it also holds
`variant(**numbers) -> Game`; the call without numbers is the constant. A file NAME.nfg is a textbook game in normal
form, as Gambit writes it; its comment says where it comes from.
"""

import difflib
import re
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

from ludus.gambit import read_nfg
from ludus.game import Game, UnknownGame
from ludus.normal_form import NormalForm, as_game

_FOLDER = Path(__file__).parent
_SPEC = re.compile(r"(?P<name>[a-z0-9_]+)(?:\((?P<numbers>[a-z0-9_=, ]*)\))?")


def names() -> list[str]:
    """The names of the games in this folder, and of those that installed plugins bring (group `ludus.games`)."""
    return sorted(forms() | {path.stem for path in _FOLDER.glob("[a-z]*.py")} | set(_plugins()))


def form(name: str) -> NormalForm:
    """A textbook game in normal form: "stag_hunt". Raises UnknownGame where no .nfg file has this name."""
    if name not in forms():
        near = difflib.get_close_matches(name, forms(), n=3, cutoff=0.4) or sorted(forms())
        raise UnknownGame(
            f"game: no game in normal form is named {name[:80]!r}; did you mean {', '.join(near)}? Of another game "
            "ludus.normal_form.reduced(grow(load(name))) makes one"
        )
    return read_nfg((_FOLDER / f"{name}.nfg").read_text(encoding="utf-8"), f"{name}.nfg")


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
    name, numbers = match["name"], _numbers(spec, match["numbers"])
    if name in forms():
        game, variant = as_game(form(name))._replace(name=name), None
    else:
        module = _module(name)
        game, variant = getattr(module, name.upper()), getattr(module, "variant", None)
    if not numbers:
        return game
    if variant is None:
        raise ValueError(f"game: {name} has no variants, but {spec!r} gives numbers; write {name}")
    try:
        return variant(**numbers)
    except TypeError as error:
        raise ValueError(f"game: {spec!r} does not fit {name}: {error}; write {game.name}") from None


def forms() -> set[str]:
    """The names of the textbook games that stand as .nfg files in this folder."""
    return {path.stem for path in _FOLDER.glob("[a-z]*.nfg")}


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
