"""The nodes of a .efg file, in the file's order, with what they say checked.

A file lists the nodes as a walk from the root meets them, each followed by what lies below its first action, then its
second: c for chance, p for a player, t for the end. Nodes with the same player and number are one information set, and
those after the first may leave its description out. A node may carry an outcome, described once in the same way.
Source: the Gambit manual, "The extensive game (.efg) file format".
"""

import math
import re
from typing import NamedTuple, NoReturn

from ludus.gambit.rationals import exact_sum
from ludus.gambit.tokens import INTEGER, NUMBER, TEXT, Cursor, number, unquote

_ACTIONS = rf"\{{(?:\s*+{TEXT})++\s*+\}}"
_ODDS = rf"\{{(?:\s*+{TEXT}\s*+{NUMBER})++\s*+\}}"
_PAYOFFS = rf"\{{(?:\s*+{NUMBER}(?:\s*+,)?)++\s*+\}}"
_NODE = re.compile(
    rf"""(?: t \s*+ {TEXT}
           | p \s*+ {TEXT} \s*+ ({INTEGER} \s++ {INTEGER}) (?: \s*+ ({TEXT}) \s*+ ({_ACTIONS}) )?+
           | c \s*+ {TEXT} \s*+ ({INTEGER}) (?: \s*+ ({TEXT}) \s*+ ({_ODDS}) )?+
         ) \s*+ (?P<outcome>{INTEGER}) (?: \s*+ ({TEXT}) \s*+ (?P<payoffs>{_PAYOFFS}) )?+ \s*+""",
    re.ASCII | re.VERBOSE,
)
_TEXT, _NUMBER = re.compile(TEXT), re.compile(NUMBER)
_FRACTION = re.compile(r"\+?[0-9]{1,2000}(?:/[0-9]{1,2000})?")
_DIGITS = 18  # of a number that must fit 64 bits
_SHORTEST = 4  # characters of the shortest node, t""0
_ROUNDING = 1e-9  # how far from one probabilities may add up that are not all fractions; they are then scaled


class Nodes(NamedTuple):
    """A file's nodes in its order, N of them, and the M moves and O outcomes that they share.

    A move is an information set of a player or an event of chance; outcome 0 is the null outcome and pays nothing.

    parent   N, the node above, -1 at the root
    move     N, -1 at an end
    outcome  N
    payoffs  O times P, outcome by outcome
    player   M, from 1, 0 for chance
    number   M, the file's
    name     M, may be empty
    actions  M, for each move the labels as they stand, in order
    odds     M, the probabilities of the actions at an event, nothing at an information set
    """

    parent: list[int]
    move: list[int]
    outcome: list[int]
    payoffs: list[float]
    player: list[int]
    number: list[int]
    name: list[str]
    actions: list[tuple[str, ...]]
    odds: list[tuple[float, ...]]


def read_nodes(cursor: Cursor, players: int) -> Nodes:
    """All nodes from the cursor to the end of the text. Raises NotReadable."""
    moves, outcomes = _Moves(cursor, players), _Outcomes(cursor, players)
    parent: list[int] = []
    move: list[int] = []
    outcome: list[int] = []
    above: list[int] = []  # nodes higher up that wait for children still
    waits: list[int] = []  # for how many
    node, up, left, at = 0, -1, 1, cursor.skip()
    while left:
        found = _NODE.match(cursor.text, at)
        if found is None:
            cursor.at = at
            _explain(cursor, players)
        infoset, name, actions, event, title, odds, result, label, payoffs = found.groups()
        if infoset is not None:
            row = moves.row.get(infoset, -1)
            if row < 0 or (actions is not None and (moves.listed[row] != actions or moves.name[row] != name)):
                row = moves.describe(infoset, name, actions, found)
        elif event is not None:
            row = moves.row.get(event, -1)
            if row < 0 or (odds is not None and (moves.listed[row] != odds or moves.name[row] != title)):
                row = moves.describe(event, title, odds, found)
        else:
            row = -1
        paid = outcomes.row.get(result, -1)
        if paid < 0 or (payoffs is not None and (outcomes.listed[paid] != payoffs or outcomes.name[paid] != label)):
            paid = outcomes.describe(result, label, payoffs, found)
        parent.append(up)
        move.append(row)
        outcome.append(paid)
        at = found.end()
        left -= 1
        if row >= 0:
            if left:
                above.append(up)
                waits.append(left)
            up, left = node, moves.choices[row]
        elif not left and above:
            up, left = above.pop(), waits.pop()
        node += 1
    cursor.at = at
    if not cursor.ended():
        cursor.refuse("the end of the file, since the tree is complete")
    names = [*map(unquote, moves.name)]
    return Nodes(
        parent, move, outcome, outcomes.payoffs,
        moves.player, moves.number, names, moves.actions, moves.odds,
    )  # fmt: skip


class _Moves:
    """The information sets and events so far, by their numbers as they stand: "2 7" is of player 2, "7" of chance.

    Names and lists are kept as they stand too: most come back letter for letter.
    """

    def __init__(self, cursor: Cursor, players: int) -> None:
        self.cursor, self.players = cursor, players
        self.row: dict[str, int] = {}
        self.rows: dict[int, int] = {}  # by player and number as one, which "2 7" and "2  07" share
        self.labels: dict[str, tuple[str, ...]] = {}
        self.choices: list[int] = []
        # Columns of text and numbers: a million small tuples would keep Python's garbage collector busy.
        self.player: list[int] = []
        self.number: list[int] = []
        self.name: list[str] = []
        self.listed: list[str] = []
        self.actions: list[tuple[str, ...]] = []
        self.odds: list[tuple[float, ...]] = []

    def describe(self, key, name, listed, found):
        """The row of what a node describes anew, or refers to in letters not seen yet."""
        player, number = self._identity(key, found)
        known = number * (self.players + 1) + player
        row = self.row[key] = self.rows.get(known, -1)
        if listed is None:
            if row < 0:
                self.cursor.refuse("a name and a list of actions, since none came before", found.end(_group(found)))
            return row
        actions = self.labels.get(listed)
        if actions is None:
            actions = self.labels[listed] = tuple(map(unquote, _TEXT.findall(listed)))
        odds = () if player else self._odds(_NUMBER.findall(_TEXT.sub(" ", listed)), found.start(_group(found) + 2))
        if row >= 0:
            if (self.name[row], self.actions[row], self.odds[row]) != (name, actions, odds):
                self.cursor.refuse("the same name and list as before", found.start(_group(found) + 1))
            return row
        left = len(self.cursor.text) - found.end()
        if len(actions) * _SHORTEST > left:
            asked = f"nodes for {len(actions)} actions"
            self.cursor.refuse(asked, found.start(_group(found) + 2), f"{left} characters for them")
        row = self.row[key] = self.rows[known] = len(self.player)
        self.choices.append(len(actions))
        self.player.append(player)
        self.number.append(number)
        self.name.append(name)
        self.listed.append(listed)
        self.actions.append(actions)
        self.odds.append(odds)
        return row

    def _identity(self, key, found):
        """Player and number."""
        if len(key) > _DIGITS and max(map(len, key.split())) > _DIGITS:
            self.cursor.refuse(f"numbers of at most {_DIGITS} digits", found.start(_group(found)))
        *player, number = map(int, key.split())
        if player and not 1 <= player[0] <= self.players:
            self.cursor.refuse(f"a player from 1 to {self.players}", found.start(_group(found)))
        return player[0] if player else 0, number

    def _odds(self, tokens, at):
        odds = tuple(map(number, tokens))
        for token, chance in zip(tokens, odds, strict=True):
            if not 0 <= chance <= 1:
                self.cursor.refuse("probabilities from 0 to 1", at, token)
        exact, total = _exact_sum(tokens), math.fsum(odds)
        if (exact != 1) if exact is not None else abs(total - 1) > _ROUNDING:
            self.cursor.refuse("probabilities that add up to 1", at, str(total if exact is None else exact))
        return odds if exact == 1 or total == 1 else tuple(chance / total for chance in odds)


class _Outcomes:
    """The outcomes so far, by their number as it stands."""

    def __init__(self, cursor: Cursor, players: int) -> None:
        self.cursor, self.players = cursor, players
        self.row: dict[str, int] = {"0": 0}
        self.rows: dict[int, int] = {0: 0}
        self.name = [""]
        self.listed = [""]
        self.payoffs = [0.0] * players

    def describe(self, key, name, listed, found):
        """The row of what a node describes anew, or refers to in letters not seen yet."""
        at = found.start("outcome")
        if len(key) > _DIGITS:
            self.cursor.refuse(f"a number of at most {_DIGITS} digits", at)
        number = int(key)
        row = self.rows.get(number, -1)
        if listed is None:
            if row < 0:
                self.cursor.refuse("the name and the payoffs of an outcome that is new", found.end("outcome"))
        elif number == 0:
            self.cursor.refuse("no name and no payoffs for outcome 0", at)
        else:
            payoffs = self._payoffs(listed, found)
            if row < 0:
                row = self.rows[number] = len(self.name)
                self.name.append(name)
                self.listed.append(listed)
                self.payoffs += payoffs
            elif self.name[row] != name or self.payoffs[row * self.players : (row + 1) * self.players] != payoffs:
                self.cursor.refuse(f"the same name and payoffs as before for outcome {number}", at)
        self.row[key] = row
        return row

    def _payoffs(self, listed, found):
        try:  # the pattern has let only numbers through; fractions, and numbers that touch, float does not take
            payoffs = list(map(float, listed[1:-1].replace(",", " ").split()))
        except ValueError:
            payoffs = list(map(number, _NUMBER.findall(listed)))
        if len(payoffs) != self.players:
            self.cursor.refuse(
                f"{self.players} payoffs, one for each player", found.start("payoffs"), str(len(payoffs))
            )
        if not all(map(math.isfinite, payoffs)):
            self.cursor.refuse("payoffs that are finite", found.start("payoffs"), listed)
        return payoffs


def _group(found):
    """Which group of _NODE holds the information set's or event's identity; its name and its list follow."""
    return 1 if found[1] is not None else 4


def _exact_sum(tokens):
    """The sum of fractions and whole numbers; None where a decimal is among them or a fraction is out of hand."""
    if not all(map(_FRACTION.fullmatch, tokens)):
        return None
    parts = (token.partition("/") for token in tokens)
    return exact_sum((int(above), int(below or 1)) for above, _, below in parts)


def _explain(cursor: Cursor, players: int) -> NoReturn:
    """Raises NotReadable where the node at the cursor departs from the form of a node: token by token."""
    kind = cursor.take(r"[cpt](?![a-zA-Z])", "a node, c, p or t")
    cursor.take(TEXT, "the name of the node in quotes")
    if kind == "p":
        cursor.take(INTEGER, f"the number of a player, 1 to {players}")
        cursor.take(r"(?<=\s)", "a space")
    if kind != "t":
        cursor.take(INTEGER, "the number of the information set" if kind == "p" else "the number of the event")
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
    cursor.take(INTEGER, "the number of an outcome, 0 for none")
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
