"""A strategy for a repeated game of two actions: what it remembers, and how likely it is to cooperate.

A Machine is a finite automaton written as arrays: in state s it cooperates with probability cooperate[s], sees both
actions, and moves to next[s, own, other]. Tit for tat is two states; every memory-n strategy and every automaton of the
literature is such a record, and an array is a genome that evolution can search. A Rule is for what needs counters: a
compiled function on a few whole numbers. Both choose at random only between the two actions, and both see the action
that was carried out: an intention that noise turned round is not remembered.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numba import njit, types

from ludus.normal_form import NormalForm, normal_form

C, D = 0, 1  # the actions: cooperate, defect
OUTCOMES = ("CC", "CD", "DC", "DD")  # of one turn, own action first; outcome 2 * own + other

DECIDE = types.FunctionType(
    types.float64(types.int64[::1], types.float64[::1], types.int64, types.int64, types.int64, types.int64)
)


class Machine(NamedTuple):
    """K states; the match begins in state 0.

    cooperate  float64[K], the probability of cooperating in each state
    next       int64[K, 2, 2], the state after one's own and the other's action: next[state, own, other]
    """

    cooperate: np.ndarray
    next: np.ndarray


class Rule(NamedTuple):
    """A strategy that counts, or looks far back.

    decide      compiled (memory int64[size], parameters float64[:], turn, turns, own, other) -> probability of
                cooperating. Turns are numbered from 0 and `turns` is the length of the match; own and other are the
                actions of the turn before, -1 at turn 0. Memory is changed in place and depends on what was seen alone
    size        how many numbers it remembers; they are zeros when a match begins
    parameters  what distinguishes its variants, and the payoffs where it looks at them
    """

    decide: Callable[..., Any]
    size: int
    parameters: tuple[float, ...] = ()


class Strategy(NamedTuple):
    """A line of the catalogue.

    name    how it is found
    body    Machine or Rule
    memory  how many of the last turns, beside the number of the turn, decide what it does; inf where no number suffices
    source  author, year, and where it came in Axelrod's tournaments of 1980 and 1981
    """

    name: str
    body: Machine | Rule
    memory: float
    source: str


def social_dilemma(
    reward: float = 3.0, sucker: float = 0.0, temptation: float = 5.0, punishment: float = 1.0
) -> NormalForm:
    """The symmetric 2x2 game: reward for CC, sucker and temptation for CD, punishment for DD. Axelrod's by default."""
    payoff = [
        [(reward, reward), (sucker, temptation)],
        [(temptation, sucker), (punishment, punishment)],
    ]
    return normal_form(np.array(payoff), "Social dilemma", actions=[("cooperate", "defect")] * 2)


PRISONERS_DILEMMA = social_dilemma()


def payoffs(shares: np.ndarray, game: NormalForm = PRISONERS_DILEMMA) -> np.ndarray:
    """What outcomes pay: shares (or counts) [..., 4] of CC, CD, DC, DD -> float64[..., 2], first player and second.

    Raises ValueError where the game is not one of two players with two actions each.
    """
    if game.payoff.shape != (2, 2, 2):
        raise ValueError(
            f"game: two players with two actions each are needed, this one has strategies {game.payoff.shape[:-1]}; "
            "make one with social_dilemma() or ludus.normal_form.bimatrix"
        )
    return np.asarray(shares) @ game.payoff.reshape(4, 2)


# --- ways to write a machine ------------------------------------------------------------------------------------------


def machine(*rows: Sequence[float]) -> Machine:
    """One row a state: the probability of cooperating, then the next state after the other's C and D.

    A row of five looks at both: the next state after CC, CD, DC and DD, own action first. An array of such rows is a
    genome. Tit for tat is machine((1, 0, 1), (0, 0, 1)). Raises ValueError where a row is none.
    """
    table = [tuple(row) if len(row) == 5 else (*row, *row[1:]) for row in rows]
    if not table or {len(row) for row in table} != {5}:
        raise ValueError(
            "rows: give at least one state, each a probability and the next states after the other's C and D (3 "
            f"numbers) or after CC, CD, DC, DD (5 numbers); lengths seen: {[len(row) for row in rows]}"
        )
    array = np.array(table, np.float64)
    return checked(Machine(array[:, 0].copy(), array[:, 1:].astype(np.int64).reshape(-1, 2, 2)))


def checked(body: Machine) -> Machine:
    """The machine, its arrays of the right kind. Raises ValueError where they describe none."""
    cooperate = np.ascontiguousarray(body.cooperate, np.float64)
    follow = np.ascontiguousarray(body.next, np.int64)
    states = len(cooperate)
    if cooperate.ndim != 1 or states == 0 or follow.shape != (states, 2, 2):
        raise ValueError(
            f"machine: K states need cooperate of shape (K,) and next of shape (K, 2, 2), not {cooperate.shape} and "
            f"{follow.shape}"
        )
    if not ((cooperate >= 0) & (cooperate <= 1)).all():
        wrong = cooperate[~((cooperate >= 0) & (cooperate <= 1))][0]
        raise ValueError(f"cooperate: {wrong} is no probability; give numbers from 0 to 1")
    if (follow < 0).any() or (follow >= states).any():
        wrong = follow[(follow < 0) | (follow >= states)][0]
        raise ValueError(f"next: there are states 0 to {states - 1}, {wrong} is none of them")
    return Machine(cooperate, follow)


def memory_one(first: float, cc: float, cd: float, dc: float, dd: float) -> Machine:
    """Nowak and Sigmund (1990): the probability of cooperating at first, and after each outcome, own action first."""
    return machine(*[(probability, 1, 2, 3, 4) for probability in (first, cc, cd, dc, dd)])


def memory_n(table: np.ndarray, before: int = 0) -> Machine:
    """The genome of Axelrod (1987), "The evolution of strategies in the iterated prisoner's dilemma".

    table   float64[4**n], the probability of cooperating after the last n outcomes, a number in base 4 whose digits
            are CC, CD, DC, DD and whose leading digit is the oldest
    before  what is taken to have happened before the match, the same code; 0 is mutual cooperation
    Raises ValueError where the length is no power of four.
    """
    table = np.asarray(table, np.float64)
    size = table.size
    if table.ndim != 1 or size < 4 or 4 ** round(math.log(size, 4)) != size:
        raise ValueError(f"table: give 4, 16, 64, ... probabilities, one for each course of n turns; {size} seen")
    if not 0 <= before < size:
        raise ValueError(f"before: there are courses 0 to {size - 1}, {before} is none of them")
    order = (before + np.arange(size)) % size  # state 0 is what came before
    place = np.argsort(order)
    follow = (order[:, None] * 4 + np.arange(4)) % size
    return checked(Machine(table[order], place[follow].reshape(-1, 2, 2)))


def mealy(first: str, *rows: str) -> Machine:
    """An automaton that acts as it moves, as it is printed in the literature; the first row is the initial state.

    Each row reads "1D 2C": after the other's C go to state 1 and defect, after its D to state 2 and cooperate. States
    are numbered from 1, in the order of the rows; `first` is the opening action.
    """
    follow = [[(int(cell[:-1]) - 1, cell[-1]) for cell in row.split()] for row in rows]
    cells = [(0, first)]  # a state of the record is a state of the automaton and the action done on the way to it
    for state, _ in cells:
        cells += [cell for cell in follow[state] if cell not in cells]
    return machine(*[(action == "C", *(cells.index(cell) for cell in follow[state])) for state, action in cells])


def from_history(n: int, decide: Callable[[list[tuple[int, int]]], float]) -> Machine:
    """The strategy that does what `decide` says of the last n turns, at first fewer: a list of (own, other), 0 for C.

    States that no future can tell apart are one (Moore 1956, "Gedanken-experiments on sequential machines").
    """
    courses: list[tuple] = [()]
    for course in courses:
        if len(course) < n:
            courses += [(*course, (own, other)) for own in (C, D) for other in (C, D)]
    place = {course: index for index, course in enumerate(courses)}
    ends = [[(*course, (own, other))[-n:] for own in (C, D) for other in (C, D)] for course in courses]
    follow = np.array([[place[end] for end in row] for row in ends])
    cooperate = np.array([float(decide(list(course))) for course in courses])
    group = np.unique(cooperate, return_inverse=True)[1]
    while True:
        _, first, finer = np.unique(
            np.column_stack([group, group[follow]]), axis=0, return_index=True, return_inverse=True
        )
        if finer.max() == group.max():
            break
        group = finer.ravel()
    number = np.argsort(np.argsort(first))  # groups in the order in which they first appear: the start is state 0
    heads = np.sort(first)
    return checked(Machine(cooperate[heads], number[finer.ravel()][follow[heads]].reshape(-1, 2, 2)))


def noisy(body: Machine, noise: float) -> Machine:
    """The same machine when each action is turned round with probability `noise`: again a machine."""
    return body._replace(cooperate=noise + (1 - 2 * noise) * body.cooperate)


def memory(body: Machine) -> float:
    """How many of the last turns, beside the number of the turn, decide what the machine does; inf where none do.

    Two states that can both be reached at the same turn are followed through the same last turns until they behave
    alike.
    """
    follow = body.next.reshape(-1, 4)
    states = len(follow)
    together, wave = {(0, 0)}, {(0, 0)}
    while wave:  # pairs of states that different pasts of one length lead to
        wave = {(int(a), int(b)) for s, t in wave for a in follow[s] for b in follow[t]} - together
        together |= wave
    pairs = {pair for pair in together if pair[0] < pair[1]}
    for turns in range(states * states + 1):
        if all(body.cooperate[s] == body.cooperate[t] for s, t in pairs):
            return turns
        after = {(int(follow[s, o]), int(follow[t, o])) for s, t in pairs for o in range(4)}
        after = {(min(pair), max(pair)) for pair in after if pair[0] != pair[1]}
        if after == pairs:
            break
        pairs = after
    return math.inf


# --- a machine as a rule ----------------------------------------------------------------------------------------------


@njit(cache=True)
def _run(memory, parameters, turn, turns, own, other):
    """memory[0] is the state; parameters are K, then cooperate, then next."""
    states = int(parameters[0])
    if turn > 0:
        memory[0] = int(parameters[1 + states + 4 * memory[0] + 2 * own + other])
    return parameters[1 + memory[0]]


def as_rule(body: Machine | Rule) -> Rule:
    """The same strategy as a Rule, so that one loop plays both."""
    if isinstance(body, Rule):
        return body
    numbers = np.concatenate([[len(body.cooperate)], body.cooperate, body.next.ravel()])
    return Rule(_run, 1, tuple(numbers.tolist()))
