"""Gambit's files: games in normal form (.nfg) and in extensive form (.efg), read and written."""

from ludus.gambit.nfg import read_nfg
from ludus.gambit.tokens import NotReadable

__all__ = ["NotReadable", "read_nfg"]
