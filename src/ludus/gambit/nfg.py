"""Games in normal form as Gambit's .nfg files, read and written.

A file is a title, the players, their strategies, and what every combination pays, the first player's strategy counting
fastest: either the payoffs themselves, or a list of outcomes and one outcome's number per combination.
Source: the Gambit manual, "The strategic game (.nfg) file format", payoff version and outcome version.
"""

import math
import re

import numpy as np

from ludus.gambit.tokens import NUMBER, TEXT, Cursor, distinct, number, unquote
from ludus.normal_form import NormalForm, normal_form

_AXES = 63  # numpy's arrays have at most 64, and one holds the players' payoffs
_TEXTS = re.compile(rf"(?:\s*+{TEXT})*+", re.ASCII)
_TEXT = re.compile(TEXT, re.ASCII)
_NUMBERS = re.compile(rf"(?:\s*+{NUMBER}(?:\s*+,)?)*+", re.ASCII)
_NUMBER = re.compile(NUMBER, re.ASCII)


def read_nfg(text: str, file: str = "text") -> NormalForm:
    """The game that a .nfg file's text describes; `file` is what errors call it.

    Names that are empty or there twice become numbers from 1. Raises NotReadable.
    """
    cursor = Cursor(text, file)
    cursor.take(r"NFG(?!\S)", "NFG, the first word of a game in normal form")
    cursor.take(r"1(?!\S)", "1, the version of the format")
    cursor.take(r"[RD](?![^\s\"])", "R or D")
    title = cursor.text_of("the title")
    place = cursor.skip()
    players = _texts(cursor, "the players' names")
    if not 1 <= len(players) <= _AXES:
        cursor.refuse(f"the names of 1 to {_AXES} players", place, f"{len(players)}")
    place = cursor.skip()
    strategies = _strategies(cursor, len(players))
    sizes = [each if isinstance(each, int) else len(each) for each in strategies]
    if 0 in sizes:
        cursor.refuse("at least one strategy for every player", place)
    # Before anything is allocated: a table needs a character for each of its entries.
    if math.prod(sizes) > len(text) - cursor.at:
        entries = " x ".join(map(str, sizes))
        cursor.refuse(f"a table of {entries} entries", place, f"{len(text) - cursor.at} characters for it")
    comment = cursor.text_of("the comment") if cursor.sees('"') else ""
    payoff = _by_outcome(cursor, sizes) if cursor.sees("{") else _by_payoff(cursor, sizes)
    if not cursor.ended():
        cursor.refuse("the end of the file")
    axes = tuple(reversed(range(len(sizes))))
    names = [[""] * each if isinstance(each, int) else each for each in strategies]
    return normal_form(
        payoff.reshape((*reversed(sizes), len(sizes))).transpose((*axes, len(sizes))),
        title,
        distinct(players, "player "),
        [distinct(each) for each in names],
        comment,
    )


def _texts(cursor, expected):
    """A list of quoted texts in braces."""
    cursor.take(r"\{", f"{expected} in braces")
    found = _take(cursor, _TEXTS, _TEXT)
    cursor.take(r"\}", "a text in quotes or }")
    return [unquote(token) for token in found]


def _take(cursor, several, one):
    """All tokens of one kind that come next, in one sweep: files hold millions."""
    run = several.match(cursor.text, cursor.at)
    start, cursor.at = cursor.at, run.end()
    return one.findall(cursor.text, start, cursor.at)


def _strategies(cursor, players):
    """For each player the names of its strategies, or only how many there are."""
    cursor.take(r"\{", "the players' strategies in braces")
    if cursor.sees("{"):
        found = [_texts(cursor, "the names of a player's strategies") for _ in range(players)]
    else:
        found = [cursor.integer("how many strategies a player has") for _ in range(players)]
    cursor.take(r"\}", "}, the end of the strategies")
    return found


def _by_payoff(cursor, sizes):
    place, need = cursor.skip(), math.prod(sizes) * len(sizes)
    payoff = _payoffs(cursor)
    if len(payoff) != need:
        if not cursor.ended():
            cursor.refuse("a payoff")
        cursor.refuse(f"{need} payoffs, {len(sizes)} for each of {math.prod(sizes)} entries", place, str(len(payoff)))
    return np.array(payoff)


def _payoffs(cursor):
    """The numbers that come next, commas between them or not. Raises NotReadable where one is not finite."""
    place = cursor.skip()
    found = [number(token) for token in _take(cursor, _NUMBERS, _NUMBER)]
    if not all(map(math.isfinite, found)):
        wrong = next(
            token for token in _NUMBER.finditer(cursor.text, place, cursor.at) if not math.isfinite(number(token[0]))
        )
        cursor.refuse("a payoff that is finite", wrong.start())
    return found


def _by_outcome(cursor, sizes):
    cursor.take(r"\{", "the outcomes in braces")
    outcomes = [[0.0] * len(sizes)]  # number 0 pays nobody anything
    while cursor.sees("{"):
        cursor.take(r"\{", "an outcome")
        cursor.text_of("the outcome's name")
        place = cursor.skip()
        payoff = _payoffs(cursor)
        if len(payoff) != len(sizes):
            cursor.refuse(f"{len(sizes)} payoffs, one for each player", place, str(len(payoff)))
        cursor.take(r"\}", "}, the end of the outcome")
        outcomes.append(payoff)
    cursor.take(r"\}", "an outcome or }, the end of the outcomes")
    chosen = []
    for _ in range(math.prod(sizes)):
        place = cursor.skip()
        chosen.append(cursor.integer("the number of an outcome"))
        if chosen[-1] >= len(outcomes):
            cursor.refuse(f"the number of an outcome, at most {len(outcomes) - 1}", place)
    return np.array(outcomes)[chosen]
