"""Gambit's files: games in extensive form (.efg) and in normal form (.nfg), read and written."""

import codecs
import os
from pathlib import Path

from ludus.gambit.efg import read_efg, write_efg
from ludus.gambit.nfg import read_nfg, write_nfg
from ludus.gambit.tokens import Cursor, NotReadable
from ludus.normal_form import NormalForm
from ludus.tree import Tree

__all__ = ["NotReadable", "read", "read_efg", "read_nfg", "save", "write_efg", "write_nfg"]


def read(path: str | Path) -> Tree | NormalForm:
    """The game in a file, by what the file says it is, whatever it is called.

    Raises NotReadable, which names the file, the line, the column, what was expected and what was seen; OSError where
    there is no such file.
    """
    return _read(Path(path).read_bytes(), str(path))


def _read(data, file):
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        text = data.decode()
    except UnicodeDecodeError as fault:
        place = len(data[: fault.start].decode())
        Cursor(data.decode(errors="replace"), file).refuse("text in UTF-8", place, f"the byte {data[fault.start]:#04x}")
    cursor = Cursor(text, file)
    if cursor.take(r"[EN]FG(?!\S)", "EFG or NFG, the first word of a game file") == "EFG":
        return read_efg(text, file)
    return read_nfg(text, file)


def save(path: str | Path, game: Tree | NormalForm, title: str = "") -> None:
    """Write a game to a file in one step: whoever reads it finds the old file or the new one, never half of one.

    title  of the game; a normal form has one of its own, which serves where none is given
    """
    if isinstance(game, NormalForm):
        text = write_nfg(game._replace(title=title) if title else game)
    else:
        text = write_efg(game, title)
    path = Path(path)
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    try:
        with draft.open("wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
