"""A slow reading of .efg files: tokens one character at a time, nodes by recursion, exact fractions.

It shares nothing with the package, and reads valid files only.
"""

from fractions import Fraction
from typing import NamedTuple


class Node(NamedTuple):
    """kind is c, p or t; who is (player, number), (0, number) at an event; paid is the outcome's payoffs or None."""

    kind: str
    who: tuple
    name: str
    labels: tuple
    odds: tuple
    paid: tuple | None
    children: list


def tokens(text):
    """("text", its content) or ("word", letters) one after the other; a comma is dropped."""
    found, at = [], 0
    while at < len(text):
        if text[at] in " \t\n\r\f\v,":
            at += 1
        elif text[at] in "{}":
            found.append(("word", text[at]))
            at += 1
        elif text[at] == '"':
            content, at = "", at + 1
            while text[at] != '"':
                if text[at : at + 2] == '\\"':
                    at += 1
                content, at = content + text[at], at + 1
            found.append(("text", content))
            at += 1
        else:
            start = at
            while at < len(text) and text[at] not in ' \t\n\r\f\v,{}"':
                at += 1
            found.append(("word", text[start:at]))
    return found


def read(text):
    """(title, players, comment, root)."""
    left = tokens(text)[::-1]
    moves, outcomes = {}, {0: None}

    def word(*wanted):
        kind, content = left.pop()
        assert kind == "word" and (not wanted or content in wanted), (content, wanted)
        return content

    def quoted():
        kind, content = left.pop()
        assert kind == "text", content
        return content

    def texts():
        word("{")
        found = []
        while left[-1][0] == "text":
            found.append(quoted())
        word("}")
        return found

    def node():
        kind = word("c", "p", "t")
        quoted()
        who, what = (), ("", (), ())
        if kind != "t":
            who = (int(word()) if kind == "p" else 0, int(word()))
            if left[-1][0] == "text":
                name, labels, odds = quoted(), [], []
                word("{")
                while left[-1] != ("word", "}"):
                    labels.append(quoted())
                    odds += [Fraction(word())] if kind == "c" else []
                word("}")
                moves[who] = (name, tuple(labels), tuple(odds))
            what = moves[who]
        outcome = int(word())
        if left and left[-1][0] == "text":
            quoted()
            word("{")
            payoffs = []
            while left[-1] != ("word", "}"):
                payoffs.append(Fraction(word()))
            word("}")
            outcomes[outcome] = tuple(payoffs)
        return Node(kind, who, *what, outcomes[outcome], [node() for _ in what[1]])

    word("EFG")
    word("2")
    word("R", "D")
    title, players = quoted(), texts()
    comment = quoted() if left[-1][0] == "text" else ""
    root = node()
    assert not left
    return title, players, comment, root


def remembers(root):
    """Whether each player has done the same, in the same information sets, on the way to all nodes of each of its."""
    past = {}

    def walk(node, done):
        if node.kind == "p" and past.setdefault(node.who, done.get(node.who[0], ())) != done.get(node.who[0], ()):
            return False
        for place, child in enumerate(node.children):
            mine = done
            if node.kind == "p":
                mine = {**done, node.who[0]: (*done.get(node.who[0], ()), (node.who, place))}
            if not walk(child, mine):
                return False
        return True

    return walk(root, {})
