"""Games in extensive form as Gambit's .efg files, read into a Tree and written from one.

The format has no place for views and for the order of the words. What Ludus writes keeps them in the comment, where
Gambit takes any text, and labels the outcomes of chance with their numbers: read back, the tree is the same. In a file
from elsewhere the view of an information set is its number.
Source: the Gambit manual, "The extensive game (.efg) file format".
"""

import json
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ludus.gambit.rationals import probabilities, shortest
from ludus.gambit.tokens import CELLS, Cursor, NotReadable, distinct, label, quote
from ludus.game import CHANCE, OVER
from ludus.tree import Labels, Tree

if TYPE_CHECKING:  # brings compiled code, which whoever reads a normal form need not wait for
    from ludus.gambit.nodes import Nodes

_MARK = "Ludus "


def read_efg(text: str, file: str = "text") -> Tree:
    """The game that a .efg file's text describes; `file` is what errors call it.

    Nodes stand breadth-first and infosets in the order of meeting, as `tree.grow` makes them. An action's word is its
    label; where labels are empty or twice in one infoset, their positions from 1. Words are numbered as the file brings
    them, and the children of a node stand in the order of their words. Branches that chance never takes stay, with
    probability 0. Payoffs on the way to an end are added to its own. perfect_recall is found out. A Tree has no place
    for the title, the comment, and the names of nodes and outcomes.
    Raises NotReadable, also where an array would have more than 50 million cells.
    """
    from ludus.gambit.nodes import read_nodes

    cursor = Cursor(text, file)
    cursor.take(r"EFG(?!\S)", "EFG, the first word of a game in extensive form")
    cursor.take(r"2(?!\S)", "2, the version of the format")
    cursor.take(r"[RD](?![^\s\"])", "R or D")
    cursor.text_of("the title")
    start = cursor.skip()
    players = tuple(cursor.texts("the players' names"))
    if not players:
        cursor.refuse("the name of at least one player", start)
    comment = cursor.text_of("the comment") if cursor.sees('"') else ""
    nodes = read_nodes(cursor, len(players))
    kept = _kept(comment, nodes)
    if kept is None:
        players = distinct(players, "player ")
    return _tree(nodes, kept or _from_elsewhere(nodes, players), players, file)


class _Meaning(NamedTuple):
    """What the moves of a file are in Ludus: M moves, in the order of the file.

    words           A words
    actions         for each move the numbers of its actions, or of its outcomes at an event of chance
    tell            (move) -> what an infoset is called
    view            int64[K, V], of those moves that are infosets
    perfect_recall  False where the game says so
    """

    words: tuple[str, ...]
    actions: list[tuple[int, ...]]
    tell: Callable[[int], str]
    view: np.ndarray
    perfect_recall: bool


def _from_elsewhere(nodes: "Nodes", players: tuple[str, ...]) -> _Meaning:
    """Words are labels, outcomes of chance are positions, and all that a player sees is where it is."""
    numbers: dict[str, int] = {}

    @cache
    def numbered(labels):
        return tuple(numbers.setdefault(word, len(numbers)) for word in distinct(labels))

    name, number, player = nodes.name, nodes.number, nodes.player
    return _Meaning(
        actions=[
            numbered(labels) if seat else tuple(range(len(labels)))
            for seat, labels in zip(player.tolist(), nodes.actions, strict=True)
        ],
        words=tuple(numbers),
        tell=lambda move: name[move] or f"{players[player[move] - 1]}, information set {number[move]}",
        view=number[player > 0][:, None],
        perfect_recall=True,
    )


def _kept(comment: str, nodes: "Nodes") -> _Meaning | None:
    """What `write_efg` has put into the comment and the labels; None where that is not well-formed."""
    if not comment.startswith(_MARK):
        return None
    place = [number - 1 for player, number in zip(nodes.player, nodes.number, strict=True) if player]
    moves = zip(nodes.player, nodes.actions, strict=True)
    try:
        found = json.loads(comment.removeprefix(_MARK))
        words, size, views, recall = (found[each] for each in ("words", "view_size", "views", "perfect_recall"))
        if not (type(words) is type(views) is list and type(size) is int and type(recall) is bool):
            return None
        if not ({*map(type, words)} <= {str} and {*map(type, views)} <= {int} and 0 <= size <= CELLS):
            return None
        number = {code: place for place, code in enumerate(_codes(tuple(words)))}
        actions = [tuple(map(number.__getitem__ if player else int, labels)) for player, labels in moves]
        view = np.array(views, np.int64).reshape(len(place), size)
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None
    if sorted(place) != list(range(len(place))):
        return None
    if any(len(set(each)) < len(each) or min(each) < 0 or max(each) >= 2**63 for each in actions):
        return None
    return _Meaning(tuple(words), actions, nodes.name.__getitem__, view[place], recall)


def _codes(words: tuple[str, ...]) -> tuple[str, ...]:
    """The labels that words have in a file: themselves, or their numbers where they are not told apart."""
    return words if len(set(words) - {""}) == len(words) else tuple(map(str, range(len(words))))


def _tree(nodes: "Nodes", meaning: _Meaning, players: tuple[str, ...], file: str) -> Tree:
    from ludus.gambit.walk import breadth_first, perfect_recall

    player = nodes.player - 1
    for what, rows, columns in (
        ("nodes x players", len(nodes.parent), len(players)),
        ("information sets x actions", np.count_nonzero(player >= 0), len(meaning.words)),
    ):
        if rows * columns > CELLS:
            raise NotReadable(f"{file}: expected at most {CELLS} cells of {what}, found {rows} x {columns}")
    parent, move = nodes.parent, nodes.move

    # The actions of all moves laid end to end are slots; a node has the slot of the action that led to it.
    choices = np.array([*map(len, meaning.actions), 0])  # the last is of the end, whose move is -1
    first_slot = np.cumsum(choices) - choices
    owner = np.repeat(np.append(player, OVER), choices)
    action = np.array([number for each in meaning.actions for number in each], np.int64)
    chance = np.ones(len(action))
    chance[owner < 0] = [probability for odds in nodes.odds for probability in odds]
    children = choices[move]
    first_child = np.cumsum(children) - children
    child = np.argsort(parent[1:], kind="stable") + 1  # of the first node that has any, then of the second, and so on
    slot = np.full(len(parent), -1)
    slot[child] = (first_slot[move] - first_child)[parent[child]] + np.arange(len(child))

    key = np.where(owner[slot[1:]] >= 0, action[slot[1:]], slot[1:])
    order = breadth_first(np.lexsort((key, parent[1:])) + 1, first_child, children)
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    turn = np.append(np.where(player >= 0, player, CHANCE), OVER)[move]
    recall = perfect_recall(parent, move, turn, slot, len(players), len(player))
    move, slot, turn = move[order], slot[order], turn[order]
    met, when = np.unique(move[turn >= 0], return_index=True)
    met = met[np.argsort(when)]  # the moves that are information sets, in the order in which the walk meets them
    infoset = np.full(len(choices), -1)
    infoset[met] = np.arange(len(met))
    legal = np.zeros((len(met), len(meaning.words)), bool)
    legal[np.repeat(infoset, choices)[owner >= 0], action[owner >= 0]] = True
    return Tree(
        turn=turn,
        parent=np.append(-1, place[parent[order[1:]]]),
        action=np.append(-1, action[slot[1:]]),
        first=np.append(1, 1 + np.cumsum(children[order])),
        chance=np.append(1.0, chance[slot[1:]]),
        infoset=infoset[move],
        payoff=_payoff(nodes, children, file)[order],
        player=player[met],
        legal=legal,
        view=meaning.view[(np.cumsum(player >= 0) - 1)[met]],
        labels=Labels(players, meaning.words, lambda row: meaning.tell(met[row])),
        perfect_recall=meaning.perfect_recall and recall,
    )


def _payoff(nodes, children, file):
    """What the outcomes on the way to each end add up to, 0 before the end: float64[N, P]."""
    payoff = nodes.payoff[nodes.outcome]
    if payoff[children > 0].any():
        # Each round adds what the node so many steps above has added up, and doubles the steps.
        payoff, above = np.vstack([payoff, np.zeros_like(payoff[:1])]), np.append(nodes.parent, -1)
        with np.errstate(over="ignore", invalid="ignore"):
            while (above >= 0).any():
                payoff = payoff + payoff[above]
                above = above[above]
        payoff = payoff[:-1]
    payoff[children > 0] = 0.0
    if not np.isfinite(payoff).all():
        raise NotReadable(
            f"{file}: expected payoffs that add up to a finite number on the way to every end, found more"
        )
    return payoff


def write_efg(tree: Tree, title: str = "") -> str:
    """The text of a .efg file that Gambit takes and from which `read_efg` makes the same tree.

    Raises ValueError where a payoff is not finite, or the probabilities at a node do not add up to one.
    """
    if not np.isfinite(tree.payoff).all():
        raise ValueError("tree: a game file holds finite payoffs only, and one of this tree's is not; change it")
    first, infoset, action, chance = (each.tolist() for each in (tree.first, tree.infoset, tree.action, tree.chance))
    mark = {"words": tree.labels.actions, "perfect_recall": bool(tree.perfect_recall)}
    mark |= {"view_size": tree.view.shape[1], "views": tree.view.ravel().tolist()}
    names = " ".join(map(label, tree.labels.players))
    lines = [f"EFG 2 R {quote(title)} {{ {names} }}", quote(_MARK + json.dumps(mark))]
    decisions, ends = _decisions(tree), _ends(tree)
    odds = cache(_odds)  # most deals come back
    waiting, events = [0], 0
    while waiting:  # each node before all that is below it
        node = waiting.pop()
        below = slice(first[node], first[node + 1])
        waiting.extend(range(below.stop - 1, below.start - 1, -1))
        if infoset[node] >= 0:
            lines.append(decisions[infoset[node]])
        elif below.stop > below.start:
            events += 1
            lines.append(f'c "" {events} "" {odds(tuple(action[below]), tuple(chance[below]))} 0')
        else:
            lines.append(ends[node])
    return "\n".join(lines) + "\n"


def _decisions(tree):
    """The line of every infoset with its legal actions."""
    codes = [label(code) for code in _codes(tree.labels.actions)]
    listed = cache(lambda legal: " ".join(codes[action] for action in np.flatnonzero(np.frombuffer(legal, bool))))
    lines = []
    for row, (player, legal) in enumerate(zip(tree.player.tolist(), tree.legal, strict=True)):
        name = label(tree.labels.infoset(row))
        lines.append(f'p "" {player + 1} {row + 1} {name} {{ {listed(legal.tobytes())} }} 0')
    return lines


def _odds(outcomes, chances):
    """The outcomes of a chance node and their probabilities, in braces."""
    each = " ".join(f'"{number}" {odds}' for number, odds in zip(outcomes, probabilities(chances), strict=True))
    return f"{{ {each} }}"


def _ends(tree):
    """The line of every end by its node, with an outcome for each combination of payoffs."""
    nodes = np.flatnonzero(np.diff(tree.first) == 0)
    payoffs, outcome = np.unique(tree.payoff[nodes], axis=0, return_inverse=True)
    told = [f't "" {number} "" {{ {", ".join(map(shortest, row))} }}' for number, row in enumerate(payoffs.tolist(), 1)]
    return {node: told[row] for node, row in zip(nodes.tolist(), outcome.ravel().tolist(), strict=True)}
