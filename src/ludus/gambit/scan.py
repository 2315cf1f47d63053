"""One sweep over the bytes of a .efg file's nodes: which nodes there are, and where what they share is described.

The sweep is compiled, keeps no stack and reads each byte once; words and payoffs are made of the descriptions later,
since few nodes bring a new one. A place is a number of bytes from the start, -1 where the text is not as it should be.
"""

from typing import NamedTuple

import numpy as np
from numba import njit, types

from ludus.game import engine

SYNTAX, PLAYER, UNKNOWN, CROWDED, NULL, UNPAID = range(1, 7)
"""Faults: no node, no such player, nothing described under this number, more actions than characters for their nodes, a
description of outcome 0, another number of payoffs than of players."""

OUTCOME, EVENT = -1, 0
"""Owners of a description; others are players from 1."""

_SHORTEST = 4  # bytes of the shortest node, t""0
_DESCRIBED = 8  # bytes for each description at least: t""1""{0} has one in nine, c""1""{""1}1""{0} two in seventeen
_DIGITS = 18  # of a number that must fit 64 bits
_TAB, _RETURN, _BLANK, _QUOTE, _COMMA, _BACKSLASH, _OPEN, _CLOSE = b'\t\r ",\\{}'
_ZERO, _NINE, _PLUS, _MINUS, _POINT, _STROKE, _E, _SMALL_E = b"09+-./Ee"
_CHANCE, _PLAYER, _END = b"cpt"


class Scan(NamedTuple):
    """N nodes in the file's order; D descriptions, of information sets, of events of chance and of outcomes.

    parent   int64[N], the node above, -1 at the root
    move     int64[N], the description of its information set or event, -1 at an end
    outcome  int64[N], the description of its outcome; the first stands for the null outcome
    owner    int64[D], OUTCOME, EVENT or a player
    number   int64[D], the file's
    name     int64[D], where the name starts
    list     int64[D], where the list starts
    end      int64[D], where it ends; all three -1 for the null outcome
    again    int64[R, 4], descriptions that came again in other letters: which, name, list, end
    at       where the last node ends, or where the fault is
    fault    0, or what is wrong
    """

    parent: np.ndarray
    move: np.ndarray
    outcome: np.ndarray
    owner: np.ndarray
    number: np.ndarray
    name: np.ndarray
    list: np.ndarray
    end: np.ndarray
    again: np.ndarray
    at: int
    fault: int


def scan(data: bytes, at: int, players: int) -> Scan:
    """The nodes from `at` on, up to the last of the tree or to the first fault."""
    return Scan(*_scan(np.frombuffer(data, np.uint8), at, players))


_BYTES, _INTEGERS = types.Array(types.uint8, 1, "C", readonly=True), types.int64[::1]


@njit(cache=True)
def _space(data, at):
    """Past white space."""
    while 0 <= at < len(data) and (data[at] == _BLANK or _TAB <= data[at] <= _RETURN):
        at += 1
    return at


@njit(cache=True)
def _text(data, at):
    """Past a text in quotes."""
    end, at = -1, at + 1 if 0 <= at < len(data) and data[at] == _QUOTE else len(data)
    while at < len(data) and end < 0:
        if data[at] == _QUOTE:
            end = at + 1
        at += 2 if data[at] == _BACKSLASH and at + 1 < len(data) and data[at + 1] == _QUOTE else 1
    return end


@njit(cache=True)
def _digits(data, at):
    while 0 <= at < len(data) and _ZERO <= data[at] <= _NINE:
        at += 1
    return at


@njit(cache=True)
def _number(data, at):
    """Past a whole number, a decimal with or without an exponent, or a fraction."""
    size = len(data)
    if 0 <= at < size and (data[at] == _PLUS or data[at] == _MINUS):
        at += 1
    start, at = at, _digits(data, at)
    if at < size and at > start and data[at] == _STROKE:
        end = _digits(data, at + 1)
        return end if end > at + 1 else at
    if 0 <= at < size and data[at] == _POINT:
        end = _digits(data, at + 1)
        at = end if at > start or end > at + 1 else at
    if at <= start:
        return -1
    if at < size and (data[at] == _SMALL_E or data[at] == _E):
        start = at + 2 if at + 1 < size and (data[at + 1] == _PLUS or data[at + 1] == _MINUS) else at + 1
        end = _digits(data, start)
        at = end if end > start else at
    return at


@njit(cache=True)
def _whole(data, at):
    """Past a whole number, and its value."""
    end, value = _digits(data, at), 0
    if end <= at or end - at > _DIGITS:
        return -1, 0
    for place in range(at, end):
        value = value * 10 + int(data[place]) - _ZERO
    return end, value


@njit(cache=True)
def _list(data, at, texts, numbers):
    """Past a list in braces, and how many are in it: texts, numbers with or without commas, or pairs of both."""
    size, count = len(data), 0
    at = _space(data, at + 1) if 0 <= at < size and data[at] == _OPEN else -1
    while 0 <= at < size and (data[at] != _CLOSE or count == 0):
        if texts:
            at = _space(data, _text(data, at))
        if numbers:
            at = _space(data, _number(data, at))
        if not texts and 0 <= at < size and data[at] == _COMMA:
            at = _space(data, at + 1)
        count += 1
    return (at + 1 if 0 <= at < size else -1), count


@njit(cache=True)
def _same(data, one, end, other, other_end):
    """Whether the bytes from `one` to `end` are those from `other` to `other_end`."""
    same = end - one == other_end - other
    for step in range(end - one if same else 0):
        same = same and data[one + step] == data[other + step]
    return same


@njit(cache=True)
def _slot(slots, owner, number, mine, wanted):
    """Where a description stands in the hash table, or the free slot where it belongs."""
    mixed = ((wanted & 0x7FFFFFFF) ^ (mine + 1)) * 0x9E3779B1  # products stay below 2^63, compiled or not
    mixed = (((mixed ^ (mixed >> 29)) ^ (wanted >> 31)) & 0x7FFFFFFF) * 0x9E3779B1
    slot = (mixed ^ (mixed >> 29)) & (len(slots) - 1)
    while slots[slot] >= 0 and not (owner[slots[slot]] == mine and number[slots[slot]] == wanted):
        slot = (slot + 1) & (len(slots) - 1)
    return slot


@engine(types.Tuple((*(_INTEGERS,) * 8, types.int64[:, ::1], *(types.int64,) * 2))(_BYTES, *(types.int64,) * 2))
def _scan(data, at, players):
    size = len(data)
    most, few = (size - at) // _SHORTEST + 2, (size - at) // _DESCRIBED + 2  # memory not written to is not taken
    parent, move, outcome = np.empty(most, np.int64), np.empty(most, np.int64), np.empty(most, np.int64)
    owner, number, choices = np.empty(few, np.int64), np.empty(few, np.int64), np.empty(few, np.int64)
    name, begin, end = np.empty(few, np.int64), np.empty(few, np.int64), np.empty(few, np.int64)
    left = np.empty(most, np.int64)  # how many children a node waits for still
    again, slots = np.empty((few, 4), np.int64), np.full(64, -1)
    owner[0], number[0], name[0], begin[0], end[0] = OUTCOME, 0, -1, -1, -1
    slots[_slot(slots, owner, number, OUTCOME, 0)] = 0
    nodes, known, repeats, fault, up = 0, 1, 0, 0, -1
    while fault == 0 and (nodes == 0 or up >= 0):
        start, kind = at, data[at] if at < size else 0
        at = _space(data, _text(data, _space(data, at + 1)))
        if kind not in (_CHANCE, _PLAYER, _END):
            at = -1
        parent[nodes], move[nodes], left[nodes] = up, -1, 0
        for paying in range(1 if kind == _END else 0, 2):  # its information set or event, then its outcome
            mine, place = OUTCOME if paying else EVENT, at
            if kind == _PLAYER and not paying:
                at, mine = _whole(data, at)
                at = _space(data, at)
            after, wanted = _whole(data, at)
            at = _space(data, after)
            named = listed = closed = -1
            count = 0
            if 0 <= at < size and data[at] == _QUOTE:
                named, listed = at, _space(data, _text(data, at))
                closed, count = _list(data, listed, paying == 0, paying == 1 or kind == _CHANCE)
                at = _space(data, closed)
            slot = _slot(slots, owner, number, mine, wanted)
            row = slots[slot]
            if at < 0:
                fault, at = SYNTAX, start
            elif mine > players or (mine == 0 and kind == _PLAYER and not paying):
                fault, at = PLAYER, place
            elif named < 0 and row < 0:
                fault, at = UNKNOWN, after
            elif named >= 0 and row == 0:
                fault, at = NULL, named
            elif named >= 0 and paying and count != players:
                fault, at = UNPAID, listed
            elif row < 0 and not paying and count * _SHORTEST > size - at:
                fault, at = CROWDED, listed
            elif row < 0:
                row = slots[slot] = known
                owner[row], number[row], choices[row] = mine, wanted, count
                name[row], begin[row], end[row] = named, listed, closed
                known += 1
            elif named >= 0 and not _same(data, named, closed, name[row], end[row]):
                again[repeats] = row, named, listed, closed
                repeats += 1
            if fault:
                break
            if 2 * known > len(slots):
                slots = np.full(4 * len(slots), -1)
                for each in range(known):
                    slots[_slot(slots, owner, number, owner[each], number[each])] = each
            if paying:
                outcome[nodes] = row
            else:
                move[nodes], left[nodes] = row, choices[row]
        if up >= 0:
            left[up] -= 1
        if left[nodes]:
            up = nodes
        else:
            while up >= 0 and left[up] == 0:
                up = parent[up]
        nodes += 1
    return (
        parent[:nodes].copy(), move[:nodes].copy(), outcome[:nodes].copy(), owner[:known].copy(), number[:known].copy(),
        name[:known].copy(), begin[:known].copy(), end[:known].copy(), again[:repeats].copy(), at, fault,
    )  # fmt: skip
