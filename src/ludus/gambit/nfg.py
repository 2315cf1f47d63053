"""Games in normal form as Gambit's .nfg files, read and written.

A file is a title, the players, their strategies, and what every combination pays, the first player's strategy counting
fastest: either the payoffs themselves, or a list of outcomes and one outcome's number per combination.
Source: the Gambit manual, "The strategic game (.nfg) file format", payoff version and outcome version.
"""

import math
import re

import numpy as np

from ludus.gambit.rationals import shortest
from ludus.gambit.tokens import CELLS, INTEGER, Cursor, distinct, label, quote
from ludus.normal_form import NormalForm, normal_form

_INTEGER, _INTEGERS = re.compile(INTEGER), re.compile(rf"(?:\s*+{INTEGER})*+", re.ASCII)
_AXES = 63  # numpy's arrays have at most 64, and one holds the players' payoffs


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
    players = cursor.texts("the players' names")
    if not 1 <= len(players) <= _AXES:
        cursor.refuse(f"the names of 1 to {_AXES} players", place, f"{len(players)}")
    place = cursor.skip()
    strategies = _strategies(cursor, len(players))
    sizes = [each if isinstance(each, int) else len(each) for each in strategies]
    if 0 in sizes:
        cursor.refuse("at least one strategy for every player", place)
    # Before anything is allocated: a table needs a character for each of its entries.
    room = min(len(text) - cursor.at, CELLS // len(players))
    if math.prod(sizes) > room:
        cursor.refuse(f"a table of at most {room} entries, as the file can hold", place, " x ".join(map(str, sizes)))
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


def _strategies(cursor, players):
    """For each player the names of its strategies, or only how many there are."""
    cursor.take(r"\{", "the players' strategies in braces")
    if cursor.sees("{"):
        found = [cursor.texts("the names of a player's strategies") for _ in range(players)]
    else:
        found = [cursor.integer("how many strategies a player has") for _ in range(players)]
    cursor.take(r"\}", "}, the end of the strategies")
    return found


def _by_payoff(cursor, sizes):
    place, need = cursor.skip(), math.prod(sizes) * len(sizes)
    payoff = cursor.numbers("a payoff")
    if len(payoff) != need:
        if not cursor.ended():
            cursor.refuse("a payoff")
        cursor.refuse(f"{need} payoffs, {len(sizes)} for each of {math.prod(sizes)} entries", place, str(len(payoff)))
    return np.array(payoff)


def _by_outcome(cursor, sizes):
    cursor.take(r"\{", "the outcomes in braces")
    outcomes = [[0.0] * len(sizes)]  # number 0 pays nobody anything
    while cursor.sees("{"):
        cursor.take(r"\{", "an outcome")
        cursor.text_of("the outcome's name")
        place = cursor.skip()
        payoff = cursor.numbers("a payoff")
        if len(payoff) != len(sizes):
            cursor.refuse(f"{len(sizes)} payoffs, one for each player", place, str(len(payoff)))
        cursor.take(r"\}", "}, the end of the outcome")
        outcomes.append(payoff)
    cursor.take(r"\}", "an outcome or }, the end of the outcomes")
    place, need = cursor.skip(), math.prod(sizes)
    tokens = cursor.take_all(_INTEGERS, _INTEGER)
    for token in tokens:
        if len(token) > 18 or int(token) >= len(outcomes):
            cursor.refuse(f"numbers of outcomes, at most {len(outcomes) - 1}", place, token)
    if len(tokens) != need:
        if not cursor.ended():
            cursor.refuse("the number of an outcome")
        cursor.refuse(f"{need} numbers of outcomes, one for each entry", place, str(len(tokens)))
    return np.array(outcomes)[[*map(int, tokens)]]


def write_nfg(form: NormalForm) -> str:
    """The text of a .nfg file, payoff version, which Gambit takes and from which `read_nfg` makes the same game.

    Names that are empty, or twice among the players or one player's strategies, come back as numbers.
    """
    names = [" ".join(map(label, each)) for each in (form.players, *form.actions)]
    strategies = "\n".join(f"  {{ {each} }}" for each in names[1:])
    players = len(form.players)
    axes = tuple(reversed(range(players)))
    told = [*map(shortest, form.payoff.transpose((*axes, players)).ravel().tolist())]
    line = players * len(form.actions[0])  # one for each sweep over the first player's strategies
    rows = "\n".join(" ".join(told[at : at + line]) for at in range(0, len(told), line))
    return f"NFG 1 R {quote(form.title)} {{ {names[0]} }}\n\n{{\n{strategies}\n}}\n{quote(form.comment)}\n\n{rows}\n"
