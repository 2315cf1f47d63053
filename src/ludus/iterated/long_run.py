"""What two machines earn against each other, exactly: without end, to the end of a match, or discounted.

Two machines together are a Markov chain over their pairs of states, which memory-one strategies make a chain of the
four outcomes. Where no chance is at play it is a walk that ends in a cycle, and the cycle is the answer. Otherwise
states are struck from the chain one after another, by sums and products of positive numbers alone (Grassmann, Taksar
and Heyman 1985, "Regenerative analysis and steady state distributions for Markov chains"), so that rounding does no
harm; what cannot be struck are the classes in which the chain may end up, each with its probability.
"""

from collections.abc import Sequence

import numpy as np
from numba import njit, types

from ludus.game import engine
from ludus.iterated.machine import PRISONERS_DILEMMA, Machine, Rule, Strategy, noisy, payoffs
from ludus.iterated.strategies import resolved
from ludus.normal_form import NormalForm
from ludus.records import Value
from ludus.tree import TooLarge

LIMIT = 2000  # pairs of states with chance: they are solved as one dense system


def long_run(
    rows: Sequence[str | Strategy | Machine],
    columns: Sequence[str | Strategy | Machine],
    noise: float = 0.0,
    turns: int | None = None,
    discount: float | None = None,
) -> np.ndarray:
    """How often every row and column end a turn with CC, CD, DC, DD, the row's action first: float64[R, C, 4], exact.

    The mean over all turns of a match without end, which is a limit that always exists and may depend on the first
    moves; the mean over the first `turns`; or, with a discount d from 0 up to but not including 1, the mean with
    weights (1 - d) d**t. Each action is turned round with probability `noise`. Raises ValueError where a strategy is a
    rule or an argument is out of range, and TooLarge where two machines with chance reach more than 2,000 pairs of
    states.
    """
    if turns is not None and discount is not None:
        raise ValueError("turns, discount: a match ends after turns or is discounted, not both; leave one out")
    if turns is not None and (not isinstance(turns, int | np.integer) or turns < 1):
        raise ValueError(f"turns: give a whole number of at least 1, or None for a match without end; {turns!r} seen")
    if discount is not None and not 0 <= discount < 1:
        raise ValueError(f"discount: give a number of at least 0 and below 1; {discount!r} seen")
    if not 0 <= noise <= 0.5:
        raise ValueError(f"noise: give the probability that an action is turned round, from 0 to 0.5; {noise!r} seen")
    machines = [_machine(entry, number) for number, entry in enumerate([*rows, *columns], 1)]
    start = np.cumsum([0, *(len(machine.cooperate) for machine in machines)])
    cooperate = np.concatenate([noisy(machine, noise).cooperate for machine in machines])
    follow = np.concatenate([machine.next.reshape(-1, 4) for machine in machines])
    shares = np.empty((len(rows), len(columns), 4))
    horizon, patience = -1 if turns is None else turns, 1.0 if discount is None else discount
    stuck = _shares(cooperate, follow, start, len(rows), horizon, patience, shares)
    if stuck >= 0:
        row, column = divmod(stuck, len(columns))
        raise TooLarge(
            f"rows[{row}], columns[{column}]: together they reach more than {LIMIT:,} pairs of states with chance; "
            "play them with ludus.iterated.match"
        )
    return shares


def long_run_payoffs(
    first: str | Strategy | Machine,
    second: str | Strategy | Machine,
    noise: float = 0.0,
    turns: int | None = None,
    discount: float | None = None,
    game: NormalForm = PRISONERS_DILEMMA,
) -> tuple[Value, Value]:
    """What two strategies earn a turn against each other, exactly. Arguments and errors as for `long_run`."""
    shares = long_run([first], [second], noise, turns, discount)[0, 0]
    span = (
        f"mean of {turns} turns" if turns else "mean without end" if discount is None else f"discounted by {discount:g}"
    )
    mine, others = payoffs(shares, game).tolist()
    return Value(mine, "exact", None, span), Value(others, "exact", None, span)


def _machine(entry, number):
    found = resolved(entry, number)
    if isinstance(found.body, Rule):
        raise ValueError(
            f"strategies: {found.name} counts without end, so it is no machine; play it with ludus.iterated.match"
        )
    return found.body


_REAL, _WHOLE, _TABLE = types.float64[::1], types.int64[::1], types.int64[:, ::1]


@njit(cache=True)
def _cycle(successor, count, turns, discount, weight):
    """Each state follows the one before; the last is followed by the first of the cycle. weight: the share of each."""
    first = 0
    for outcome in range(4):
        first = max(first, successor[count - 1, outcome])
    length = count - first
    for node in range(count):
        if turns >= 0:
            times = 0 if turns <= node else 1 if node < first else 1 + (turns - 1 - node) // length
            weight[node] = times / turns
        elif discount == 1:
            weight[node] = 0.0 if node < first else 1.0 / length
        else:
            weight[node] = (1 - discount) * discount**node / (1.0 if node < first else 1 - discount**length)


@njit(cache=True)
def _ahead(successor, chance, count, turns, weight):
    """weight: the expected share of the first turns that is spent in each state."""
    now, then = np.zeros(count), np.zeros(count)
    now[0] = 1.0
    weight[:count] = 0.0
    for _ in range(turns):
        then[:] = 0.0
        for node in range(count):
            weight[node] += now[node]
            for outcome in range(4):
                if chance[node, outcome] > 0:
                    then[successor[node, outcome]] += now[node] * chance[node, outcome]
        now, then = then, now
    weight[:count] /= turns


@njit(cache=True)
def _solve(successor, chance, count, discount, matrix, weight):
    """weight: the share of all turns, discounted or not, that is spent in each state; the start is state 0.

    States are struck from the last to the first. A state that leads to none of those before it, nor to an end, stands
    for a class that is never left: it stays, and gets the probability that the start leads there.
    """
    matrix[:count, :count] = 0.0
    for node in range(count):
        for outcome in range(4):
            if chance[node, outcome] > 0:
                matrix[node, successor[node, outcome]] += discount * chance[node, outcome]
    leak = np.full(count, 1 - discount)  # the probability that a state is the last one
    stays, out = np.zeros(count, np.bool_), 0.0
    for node in range(count - 1, -1, -1):
        out = leak[node]
        for target in range(count):
            if target < node or stays[target]:
                out += matrix[node, target]
        if out == 0:
            stays[node] = True
            continue
        for target in range(count):
            if target < node or stays[target]:
                matrix[node, target] /= out
        leak[node] /= out
        for source in range(node):
            flow = matrix[source, node]
            if flow > 0:
                leak[source] += flow * leak[node]
                for target in range(count):
                    if target < node or stays[target]:
                        matrix[source, target] += flow * matrix[node, target]
                matrix[source, node] = flow / out  # turns in `node` for each turn in `source`
    weight[:count] = 0.0
    share = np.empty(count)
    for end in range(count):
        if stays[end] or (discount < 1 and end == 0):
            reach = 1.0 if end == 0 else matrix[0, end]
            share[:] = 0.0
            share[end] = 1.0
            total = 1.0
            for node in range(end + 1, count):
                if not stays[node]:
                    for source in range(end, node):
                        share[node] += share[source] * matrix[source, node]
                    total += share[node]
            if discount < 1:
                total = out / (1 - discount)  # state 0 is struck last: it is left for good with probability `out`
            for node in range(count):
                weight[node] += reach * share[node] / total


@engine(types.int64(_REAL, _TABLE, _WHOLE, types.int64, types.int64, types.float64, types.float64[:, :, ::1]))
def _shares(cooperate, follow, start, rows, turns, discount, shares):
    """All pairs. Returns -1, or the number of the first pair that reaches too many pairs of states."""
    columns = shares.shape[1]
    widest = 0
    for machine in range(len(start) - 1):
        widest = max(widest, start[machine + 1] - start[machine])
    place = np.full(widest * widest, -1)  # of each pair of states among those reached
    states, size = np.empty(widest * widest, np.int64), 8
    successor, chance = np.empty((size, 4), np.int64), np.empty((size, 4))
    matrix, weight = np.empty((0, 0)), np.empty(size)
    for row in range(rows):
        for column in range(columns):
            one, two = start[row], start[rows + column]
            width = start[rows + column + 1] - two
            place[0], states[0], count, sure = 0, 0, 1, True
            node = 0
            while node < count:
                if node == size:
                    size *= 2
                    wider, likelier = np.empty((size, 4), np.int64), np.empty((size, 4))
                    wider[:node], likelier[:node] = successor[:node], chance[:node]
                    successor, chance, weight = wider, likelier, np.empty(size)
                mine, others = divmod(states[node], width)
                own, other = cooperate[one + mine], cooperate[two + others]
                chance[node, 0], chance[node, 1] = own * other, own * (1 - other)
                chance[node, 2], chance[node, 3] = (1 - own) * other, (1 - own) * (1 - other)
                sure = sure and (own == 0 or own == 1) and (other == 0 or other == 1)
                for outcome in range(4):
                    successor[node, outcome] = -1
                    if chance[node, outcome] > 0:
                        seen = outcome if outcome == 0 or outcome == 3 else 3 - outcome
                        pair = follow[one + mine, outcome] * width + follow[two + others, seen]
                        if place[pair] < 0:
                            place[pair], states[count] = count, pair
                            count += 1
                        successor[node, outcome] = place[pair]
                node += 1
            for node in range(count):
                place[states[node]] = -1
            if sure:
                _cycle(successor, count, turns, discount, weight)
            elif turns >= 0:
                _ahead(successor, chance, count, turns, weight)
            elif count > LIMIT:
                return row * columns + column
            else:
                if len(matrix) < count:
                    matrix = np.empty((2 * count, 2 * count))
                _solve(successor, chance, count, discount, matrix, weight)
            for outcome in range(4):
                total = 0.0
                for node in range(count):
                    total += weight[node] * chance[node, outcome]
                shares[row, column, outcome] = total
    return -1
