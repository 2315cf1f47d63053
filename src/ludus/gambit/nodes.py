"""The nodes of a .efg file, in the file's order, with what they say checked.

A file lists the nodes as a walk from the root meets them, each followed by what lies below its first action, then its
second: c for chance, p for a player, t for the end. Nodes with the same player and number are one information set, and
those after the first may leave its description out. A node may carry an outcome, described once in the same way.
Source: the Gambit manual, "The extensive game (.efg) file format".
"""

import re
from fractions import Fraction
from functools import cache
from typing import NamedTuple, NoReturn

import numpy as np

from ludus.gambit.rationals import exact_sum
from ludus.gambit.scan import CROWDED, EVENT, NULL, OUTCOME, PLAYER, SYNTAX, UNKNOWN, UNPAID, scan
from ludus.gambit.tokens import NUMBER, TEXT, Cursor, number, unquote

_UTF_8 = "utf-8", "surrogatepass"
_TEXT, _NUMBER = re.compile(TEXT), re.compile(NUMBER)
_FRACTION = re.compile(r"[+-]?[0-9]{1,600}(?:/[0-9]{1,600})?")
_EXACT = re.compile(_FRACTION.pattern + r"|[+-]?[0-9]{0,600}\.?[0-9]{0,600}(?:[eE][+-]?[0-9]{1,2})?")  # quick to expand
_ROUNDING = 1e-9  # how far from one probabilities may add up that are not all fractions; they are then scaled


class Nodes(NamedTuple):
    """A file's nodes in its order, N of them, and the M moves and O outcomes that they share.

    A move is an information set of a player or an event of chance; outcome 0 is the null outcome and pays nothing.

    parent   int64[N], the node above, -1 at the root
    move     int64[N], -1 at an end
    outcome  int64[N]
    payoff   float64[O, P]
    player   int64[M], from 1, 0 for chance
    number   int64[M], the file's
    name     M, may be empty
    actions  M, for each move the labels as they stand, in order
    odds     M, the probabilities of the actions at an event, nothing at an information set
    """

    parent: np.ndarray
    move: np.ndarray
    outcome: np.ndarray
    payoff: np.ndarray
    player: np.ndarray
    number: np.ndarray
    name: list[str]
    actions: list[tuple[str, ...]]
    odds: list[tuple[float, ...]]


def read_nodes(cursor: Cursor, players: int) -> Nodes:
    """All nodes from the cursor to the end of the text. Raises NotReadable."""
    text, start = cursor.text, cursor.skip()
    data, plain = text.encode(*_UTF_8), text.isascii()

    def place(at):
        return at if plain else len(data[:at].decode(*_UTF_8))  # of a byte, in characters

    def parts(begins, ends):
        spans = zip(begins.tolist(), ends.tolist(), strict=True)
        return [text[begin:end] if plain else data[begin:end].decode(*_UTF_8) for begin, end in spans]

    found = scan(data, start if plain else len(text[:start].encode(*_UTF_8)), players)
    cursor.at = place(found.at)
    if found.fault:
        _refuse(cursor, found.fault, players)
    if not cursor.ended():
        cursor.refuse("the end of the file, since the tree is complete")

    # Descriptions that came again in other letters are read behind the others, then compared with what they repeat.
    which, *again = found.again.T
    owner = np.append(found.owner, found.owner[which])
    named, listed, closed = map(np.append, (found.name, found.list, found.end), again)
    lists, pays = parts(listed, closed), owner == OUTCOME
    row = np.where(pays, np.cumsum(pays), np.cumsum(~pays)) - 1  # of a description among its kind
    told, moves = np.flatnonzero(pays)[1:].tolist(), np.flatnonzero(~pays)
    name = [unquote(part.rstrip()) for part in parts(named[moves], listed[moves])]
    labels = cache(lambda part: tuple(map(unquote, _TEXT.findall(part))))
    actions = [labels(lists[each]) for each in moves.tolist()]
    chances = {lists[each]: each for each in np.flatnonzero(owner == EVENT)[::-1].tolist()}
    chances = {part: _odds(cursor, part, place, listed[each]) for part, each in chances.items()}
    odds = [
        () if seat else chances[lists[each]] for each, seat in zip(moves.tolist(), owner[moves].tolist(), strict=True)
    ]
    payoff = _payoffs([lists[each] for each in told], players)
    wrong = np.flatnonzero(~np.isfinite(payoff).all(axis=1)) - 1
    if len(wrong):
        cursor.refuse("payoffs that are finite", place(listed[told[wrong[0]]]), lists[told[wrong[0]]])
    for extra, first in enumerate(which.tolist(), len(found.owner)):
        new, old = row[extra], row[first]
        if pays[first]:
            one, other = (unquote(part.rstrip()) for part in parts(named[[first, extra]], listed[[first, extra]]))
            same = one == other and (payoff[new] == payoff[old]).all()
        else:
            same = (name[new], actions[new], odds[new]) == (name[old], actions[old], odds[old])
        if not same:
            cursor.refuse(f"the name and the list that number {found.number[first]} had before", place(named[extra]))
    size = np.count_nonzero(found.owner != OUTCOME)
    moves = moves[:size]
    return Nodes(
        parent=found.parent,
        move=np.where(found.move < 0, -1, row[found.move]),
        outcome=row[found.outcome],
        payoff=payoff,
        player=owner[moves],
        number=found.number[moves],
        name=name[:size],
        actions=actions[:size],
        odds=odds[:size],
    )


def _odds(cursor, part, place, at):
    """The probabilities of a list, which add up to one; where decimals are rounded they are scaled to."""
    tokens = _NUMBER.findall(_TEXT.sub(" ", part))
    odds = tuple(map(number, tokens))
    for token, chance in zip(tokens, odds, strict=True):
        if not 0 <= chance <= 1:
            cursor.refuse("probabilities from 0 to 1", place(at), token)
    exact = [Fraction(token if _EXACT.fullmatch(token) else chance) for token, chance in zip(tokens, odds, strict=True)]
    total, rounded = exact_sum(exact), not all(map(_FRACTION.fullmatch, tokens))
    if total is None:
        exact, rounded = [*map(Fraction, odds)], True
        total = sum(exact, Fraction())
    if abs(total - 1) > (_ROUNDING if rounded else 0):
        cursor.refuse("probabilities that add up to 1", place(at), str(float(total) if rounded else total))
    return odds if total == 1 else tuple(float(chance / total) for chance in exact)


def _payoffs(lists, players):
    """The numbers of the lists, float64[O, P], a row of zeros before them."""
    try:  # the scan has let only numbers through; fractions, and numbers that touch, float does not take
        numbers = [*map(float, " ".join(part[1:-1] for part in lists).replace(",", " ").split())]
    except ValueError:
        numbers = [number(token) for part in lists for token in _NUMBER.findall(part)]
    return np.array([0.0] * players + numbers).reshape(-1, players)


def _refuse(cursor: Cursor, fault: int, players: int) -> NoReturn:
    """Raises NotReadable about the fault that a scan has found where the cursor is."""
    if fault == SYNTAX:
        _explain(cursor, players)
    cursor.refuse(
        {
            PLAYER: f"a player from 1 to {players}",
            UNKNOWN: "a name and a list, since this number is new",
            NULL: "no name and no payoffs for outcome 0",
            UNPAID: f"{players} payoffs, one for each player",
            CROWDED: "no more actions than the file has characters for the nodes that follow",
        }[fault]
    )


def _explain(cursor: Cursor, players: int) -> NoReturn:
    """Raises NotReadable where the node at the cursor departs from the form of a node: token by token."""
    kind = cursor.take(r"[cpt](?![a-zA-Z])", "a node, c, p or t")
    cursor.take(TEXT, "the name of the node in quotes")
    if kind == "p":
        cursor.integer(f"the number of a player, 1 to {players}")
    if kind != "t":
        cursor.integer("the number of the information set" if kind == "p" else "the number of the event")
        if cursor.sees('"'):
            cursor.take(TEXT, "a name in quotes")
            cursor.take(r"\{", "a list of actions in braces")
            while True:
                cursor.take(TEXT, "an action in quotes")
                if kind == "c":
                    cursor.take(NUMBER, "the probability of the action")
                if cursor.sees("}"):
                    break
            cursor.take(r"\}", "}")
    cursor.integer("the number of an outcome, 0 for none")
    if cursor.sees('"'):
        cursor.take(TEXT, "a name in quotes")
        cursor.take(r"\{", "a list of payoffs in braces")
        while True:
            cursor.take(NUMBER, "a payoff")
            if cursor.sees(","):
                cursor.take(",", ",")
            if cursor.sees("}"):
                break
        cursor.take(r"\}", "}")
    raise AssertionError("this is a node")
