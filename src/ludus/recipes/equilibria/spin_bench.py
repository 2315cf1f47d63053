"""SPIN-Bench: planning, board games, Hanabi and bargaining in one suite, each made harder by one factor at a time.

Paper     SPIN-Bench: How Well Do LLMs Plan Strategically and Reason Socially? Yao, Wang, Hsieh and others (2025),
          arXiv:2503.12349 (COLM 2025).
There     1,280 planning tasks in 21 domains, tic-tac-toe, Connect Four and chess against solvers, Hanabi with 2 to 5
          players, Diplomacy. Language models read facts and plan a few steps, and fail over many steps, large state
          spaces and with others: o1 solves 58.6% of the plans (GPT-4o 8.8%), never draws against the solver of Connect
          Four, and goes from 16.4 points of 25 at Hanabi for two to 14.2 for five.
Here      Tasks with exact answers. Blocks world as STRIPS (Fikes and Nilsson 1971), every state found by breadth-first
          search: more moves to the goal in one state space, or more blocks at the same number of moves. Tic-tac-toe and
          Connect Four with few open cells, against a solver. Common-payoff card games of the form of tiny Hanabi for 2
          to 4 players. Bargaining of 3 to 5 parties: an offer that no coalition blocks (the core), with the largest
          Nash product among those. Agents search d moves ahead: random is 0, greedy 1, the oracle has no bound. Marks
          are exact expectations, 1 the oracle's. CFR plays the card games. A GPT of two layers learns facts and plans
          of four blocks from examples. 8 seeds.
Claims    Of the harness: 1. the oracle scores 1 in every task; 2. tiny Hanabi is worth 10 to it (control of both: it
          sees another task than it is marked on).
          3. to 8. The agent of depth 2 does worse at every step of each factor: moves to go, blocks, open cells of
          tic-tac-toe, of Connect Four, Hanabi players, parties (control: the labels of the factor are shuffled).
          9. With each further move of search the suite's mark rises. 10. Its marks rank six depths with a Spearman
          correlation above 0.9, 11. and so do ratings from an arena (control: tasks misread).
          12. CFR gets 8 of 10 in tiny Hanabi (control: cards are open); 13. hidden cards cost it 0.05 or more of what
          can be gained (control: the oracle).
          Of the small model, taught plans of up to 3 moves: 14. it reads facts with 0.95 right or more (control: taught
          answers to other questions); 15. its plans fall by 0.2 or more from 1 move to 6 (control: lessons of all
          lengths).
          With a model server: 16. facts are read with 0.9 right; 17. plans fall with moves to go, 18. offers with
          parties.
Leaves    Chess, Diplomacy, 20 of the 21 domains, and what is said in negotiations. The full text was not read: figures
          are of its web page, and the measure of look-ahead (the mean of solved times steps) of a summary. That an
          agent of depth 2 makes no mistake in tasks within its depth (2 moves, 2 players, 3 parties) is by
          construction, and the factor starts there; that it falls from there to the next level is nearly so. What is
          measured is that every further step costs, and that depth helps at all, which in games need not be (Nau 1982).
          In the board games longer play and more states come together. A fact is a single one, at the place where it
          was told; chains of facts were not asked.
          Pilots on root seed 999 (1 to 5 seeds an arm) chose the levels, 32 tasks a level, how the boards of Connect
          Four are filled (in random positions with as few open cells depth 2 was nearly perfect), the network, its
          updates, and that a fact weighs as much as a plan (else facts were forgotten). They changed three claims
          before the first full run: in card games depth meant levels of best reply, which did worse at level 2 than at
          1, and now means rules planned together; claim 9 was that losses shrink with depth, but greedy has less to
          lose; and the model of claim 15 was taught all lengths, but then wrote plans of 6 moves no worse than those
          of 1 (long_lessons, now the control). It thus is a claim on what is beyond the lessons, not on length as such.
          CFR with open cards does not reach the optimum either.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, product
from typing import Any, NamedTuple

import numpy as np
import torch

from ludus.agents.replies import spoken
from ludus.game import CHANCE, OVER, Game
from ludus.games.connect_four import CONNECT_FOUR
from ludus.games.tic_tac_toe import TIC_TAC_TOE
from ludus.learn import policy_gradient as pg
from ludus.learn.weights import pack, unpack
from ludus.measure.bradley_terry import bradley_terry
from ludus.models.chat import connect
from ludus.models.transformer import Size, Transformer, sample
from ludus.records import Value
from ludus.solve.cfr import cfr
from ludus.study import Exact, Higher, Lower, Near, Ordered, Recipe
from ludus.tree import Labels, Tree, grow

ORACLE = 99  # a depth beyond every task
LEAGUE = {"random": 0, "greedy": 1, "depth_2": 2, "depth_3": 3, "depth_4": 4, "oracle": ORACLE}
POT = 12  # what is divided in bargaining


@dataclass(frozen=True)
class Settings:
    """One arm.

    agent     search, cfr, league (all depths, ranked) or model
    misread   agents see another task than they are marked on
    shuffled  marks are dealt out at random among the levels of a factor
    hidden    Hanabi players do not know each other's cards
    taught    the model learns the answers to its questions, else those to others
    longest   the plans that the model is taught have up to so many moves
    moves, blocks, cells, heights, players, parties   the levels of the six factors
    """

    agent: str = "search"
    depth: int = ORACLE
    misread: bool = False
    shuffled: bool = False
    hidden: bool = True
    taught: bool = True
    longest: int = 3
    moves: tuple[int, ...] = (2, 3, 4, 5, 6, 7)
    blocks: tuple[int, ...] = (4, 5, 6)
    cells: tuple[int, ...] = (4, 5, 6, 7)
    heights: tuple[int, ...] = (2, 4, 6)
    players: tuple[int, ...] = (2, 3, 4)
    parties: tuple[int, ...] = (3, 4, 5)
    tasks: int = 32
    iterations: int = 1000
    updates: int = 700
    batch: int = 48
    width: int = 48
    rate: float = 4e-3

    def __post_init__(self) -> None:
        if self.agent not in ("search", "cfr", "league", "model"):
            raise ValueError(f"setting agent takes search, cfr, league or model; got {self.agent}")
        if self.tasks < 1 or self.depth < 0 or self.updates < 1 or min(map(len, self.levels().values())) < 2:
            raise ValueError("settings tasks >= 1, depth >= 0, updates >= 1 and two levels of every factor are needed")

        allowed = {
            "hops": (1, 2 * self.middle() - 2), "size": (3, 7), "tic_tac_toe": (2, 8), "connect_four": (1, 6),
            "hanabi": (2, 5), "bargaining": (2, 7),
        }  # fmt: skip
        for name, (low, high) in allowed.items():
            levels = self.levels()[name]
            if not (low <= levels[0] and levels[-1] <= high and list(levels) == sorted(set(levels))):
                raise ValueError(f"the levels of {name} must rise, from {low} or more to {high} or less; got {levels}")

    def middle(self) -> int:
        """How many blocks there are where the factor is moves."""
        return self.blocks[len(self.blocks) // 2]

    def levels(self) -> dict[str, tuple[int, ...]]:
        return {
            "hops": self.moves, "size": self.blocks, "tic_tac_toe": self.cells, "connect_four": self.heights,
            "hanabi": self.players, "bargaining": self.parties,
        }  # fmt: skip


ARMS = {
    **{name: Settings(depth=depth) for name, depth in reversed(LEAGUE.items())},
    "shuffled": Settings(depth=2, shuffled=True),
    "misread": Settings(misread=True),
    "league": Settings(agent="league"),
    "league_misread": Settings(agent="league", misread=True),
    "cfr": Settings(agent="cfr"),
    "cfr_open": Settings(agent="cfr", hidden=False),
    "model": Settings(agent="model"),
    "long_lessons": Settings(agent="model", longest=6),
    "untaught": Settings(agent="model", taught=False),
}


def run(settings: Settings, rng: np.random.Generator, log: Any) -> dict[str, Value]:
    """One cell. All arms of a seed are marked on the same tasks."""
    if settings.agent == "model":
        return school(settings, rng, log)
    drawn, dealt = rng.spawn(2)
    if settings.agent == "cfr":
        return {name: exact(number) for name, number in play_cfr(settings, drawn, log).items()}
    tasks = draw(settings, drawn)
    if settings.agent == "league":
        return {name: exact(number) for name, number in rank(settings, tasks, log).items()}
    marks = {name: examine(name, tasks[name], settings.depth, settings.misread) for name in tasks}
    if settings.shuffled:
        marks = {name: dealt.permuted(mark.ravel()).reshape(mark.shape) for name, mark in marks.items()}
    numbers = {"tiny_hanabi": team_pays(TINY_HANABI, other_game(TINY_HANABI, settings.misread), settings.depth)}
    numbers |= summary(marks, settings)
    for level in range(max(map(len, marks.values()))):
        log.row(level, **{f"score/{name}": mark[level].mean() for name, mark in marks.items() if level < len(mark)})
    log.example(tell_walk(settings, dealt))
    return {name: exact(number) for name, number in numbers.items()}


def summary(marks: dict[str, np.ndarray], settings: Settings) -> dict[str, float]:
    """Of marks float64[levels, tasks] by factor: what is lost from first level to last, and the least step down."""
    curves = {name: mark.mean(axis=1) for name, mark in marks.items()}
    numbers = {f"score/{name}": curve.mean() for name, curve in curves.items()}
    numbers |= {f"drop/{name}": curve[0] - curve[-1] for name, curve in curves.items()}
    numbers |= {f"step/{name}": (-np.diff(curve)).min() for name, curve in curves.items()}
    numbers |= {
        "suite": np.mean([curve.mean() for curve in curves.values()]),
        "worst": min(mark.min() for mark in marks.values()),
        "drop": np.mean([curve[0] - curve[-1] for curve in curves.values()]),
        "look_ahead": (curves["hops"] * np.array(settings.moves)).mean(),
    }
    return numbers


def exact(number: float) -> Value:
    return Value(float(number), "exact", None, "expected over the agent's own draws, in the seed's tasks")


# The suite. A task is (the world, the world that an agent sees who misreads it).


def draw(settings: Settings, rng: np.random.Generator) -> dict[str, list[list[Any]]]:
    """Tasks by factor and level. In the factor hops one list of goals serves all levels."""
    streams = dict(zip(settings.levels(), rng.spawn(6), strict=True))
    blocks, far = settings.middle(), settings.moves[-1]
    goals = [[goal_of(blocks, far, streams["hops"]) for _ in range(2)] for _ in range(settings.tasks)]
    found: dict[str, list[list[Any]]] = {
        "hops": [[[Blocks(blocks, goal, moves) for goal in pair] for pair in goals] for moves in settings.moves]
    }
    make: dict[str, Callable[[int, np.random.Generator], Any]] = {
        "size": lambda level, rng: [Blocks(level, goal_of(level, 4, rng), 4) for _ in range(2)],
        "tic_tac_toe": lambda level, rng: draw_board(TIC_TAC_TOE, lambda: opening(9 - level, rng), rng),
        "connect_four": lambda level, rng: draw_board(CONNECT_FOUR, lambda: filled(level, rng), rng),
        "hanabi": draw_hanabi,
        "bargaining": lambda level, rng: [draw_coalitions(level, rng) for _ in range(2)],
    }
    for name, task in make.items():
        levels = settings.levels()[name]
        found[name] = [[task(level, streams[name]) for _ in range(settings.tasks)] for level in levels]
    return found


def examine(name: str, tasks: list[list[Any]], depth: int, misread: bool) -> np.ndarray:
    """Marks float64[levels, tasks] of the agent that searches `depth` moves ahead."""
    mark = MARK[name]
    return np.array([[mark(task[0], task[int(misread)], depth) for task in level] for level in tasks])


# Planning. A state is a set of facts, the bits of an integer; an operator needs some, adds some and takes some away.


class Graph(NamedTuple):
    """All states of a domain and what leads from one to the next.

    states  int64[N], sets of facts in ascending order
    first   int64[N + 1], the edges of state s are first[s] to first[s + 1]
    to      int64[E], where an edge leads
    op      int64[E], the operator
    """

    states: np.ndarray
    first: np.ndarray
    to: np.ndarray
    op: np.ndarray


class Blocks(NamedTuple):
    """Reach state `goal` from any state that is `moves` moves away."""

    blocks: int
    goal: int
    moves: int


def explore(operators: np.ndarray, start: int) -> Graph:
    """Breadth-first search from `start`; operators int64[n, 3], what each needs, adds and takes away.

    Every state must have an operator that can be used there.
    """
    need, add, take = operators.T
    states = new = np.array([start])
    while len(new):
        able = (new[:, None] & need) == need
        new = np.setdiff1d(((new[:, None] & ~take) | add)[able], states)
        states = np.union1d(states, new)
    able = (states[:, None] & need) == need
    source, op = np.nonzero(able)
    to = np.searchsorted(states, ((states[:, None] & ~take) | add)[able])
    return Graph(states, np.searchsorted(source, np.arange(len(states) + 1)), to, op)


def on(block: int, below: int, blocks: int) -> int:
    """The fact that a block stands on another one, or on the table, which is number `blocks`."""
    return 1 << (block * (blocks + 1) + below)


@lru_cache(maxsize=8)
def block_world(blocks: int) -> tuple[Graph, np.ndarray]:
    """Its graph, and the moves (block, from, to) int64[n, 3]; a clear block goes onto a clear one or the table."""

    def clear(thing: int) -> int:
        return 0 if thing == blocks else 1 << (blocks * (blocks + 1) + thing)  # there is always room on the table

    moves, operators = [], []
    for block, below, onto in product(range(blocks), range(blocks + 1), range(blocks + 1)):
        if len({block, below, onto}) == 3:
            need = on(block, below, blocks) | clear(block) | clear(onto)
            added, taken = on(block, onto, blocks) | clear(below), on(block, below, blocks) | clear(onto)
            moves.append((block, below, onto))
            operators.append((need, added, taken))
    start = sum(on(block, blocks, blocks) | clear(block) for block in range(blocks))
    return explore(np.array(operators), start), np.array(moves)


def goal_of(blocks: int, moves: int, rng: np.random.Generator) -> int:
    """A state at random among those that some state is `moves` moves away from."""
    graph, _ = block_world(blocks)
    while True:
        goal = int(rng.integers(len(graph.states)))
        if (distances(graph, goal) == moves).any():
            return goal


def distances(graph: Graph, goal: int) -> np.ndarray:
    """float64[N]: how many operators the shortest plan to the state `goal` has."""
    now = np.where(np.arange(len(graph.states)) == goal, 0.0, np.inf)
    while True:
        then = np.minimum(now, 1 + np.minimum.reduceat(now[graph.to], graph.first[:-1]))
        if (then == now).all():
            return now
        now = then


def walk(graph: Graph, goal: int, blocks: int, depth: int) -> np.ndarray:
    """float64[E]: how likely each edge is taken. The agent looks for the state within `depth` moves that lacks the
    fewest facts of the goal, the nearest of these, and makes the first move there; then it looks again."""
    if depth:
        facts = graph.states[goal] & ((1 << blocks * (blocks + 1)) - 1)
        lacking = np.bitwise_count(facts & ~graph.states).astype(float)
        worst = lacking
        for _ in range(depth - 1):  # a hundredth a move: between states that lack as many the nearest counts
            nearer = np.minimum(lacking, 0.01 + np.minimum.reduceat(worst[graph.to], graph.first[:-1]))
            if (nearer == worst).all():
                break
            worst = nearer
    else:
        worst = np.zeros(len(graph.states))
    source = np.repeat(np.arange(len(graph.states)), np.diff(graph.first))
    best = np.minimum.reduceat(worst[graph.to], graph.first[:-1])[source]
    taken = (worst[graph.to] < best + 1e-9).astype(float)
    return taken / np.add.reduceat(taken, graph.first[:-1])[source]


def mark_blocks(world: Blocks, seen: Blocks, depth: int) -> float:
    """The probability to be at the goal within twice the moves needed, the mean over all starts that need `moves`."""
    graph, _ = block_world(world.blocks)
    edges = walk(graph, seen.goal, world.blocks, depth)
    there = np.zeros(len(graph.states))
    there[world.goal] = 1
    for _ in range(2 * world.moves):
        there = np.add.reduceat(edges * there[graph.to], graph.first[:-1])
        there[world.goal] = 1
    return float(there[distances(graph, world.goal) == world.moves].mean())


# Board games, as whole trees: values by backward induction, vectorised over the nodes.


class Board(NamedTuple):
    """A tree and what its ends pay the first player, float64[N]."""

    tree: Tree
    payoff: np.ndarray


def draw_board(game: Game, start: Callable[[], np.ndarray], rng: np.random.Generator) -> list[Board]:
    """A position in which it matters what is played first, and the same with its payoffs dealt out anew."""
    while True:
        tree = grow(game._replace(start=start()))
        board = Board(tree, tree.payoff[:, 0].copy())
        if tree.turn[0] != OVER and np.ptp(values(board, ORACLE)[tree.first[0] : tree.first[1]]) > 0:
            break
    ends = tree.turn == OVER
    other = board.payoff.copy()
    other[ends] = rng.permutation(other[ends])
    return [board, Board(tree, other)]


def opening(moves: int, rng: np.random.Generator) -> np.ndarray:
    """A tic-tac-toe position after so many random moves."""
    while True:
        order, state = rng.permutation(9)[:moves], TIC_TAC_TOE.start.copy()
        for cell in order:
            if TIC_TAC_TOE.kernels.turn(state) != OVER:
                TIC_TAC_TOE.kernels.apply(state, cell)
        if (state[0] | state[1]).bit_count() == moves:
            return state


def filled(height: int, rng: np.random.Generator) -> np.ndarray:
    """A Connect Four board with two columns open in their upper `height` rows; the rest is filled without a line.

    The filling is a pattern without lines, changed by up to 100 random exchanges of two stones that make none. Real
    play need not come there.
    """
    open_columns = rng.choice(7, 2, replace=False)
    cells = [(row, column) for column in range(7) for row in range(6 if column not in open_columns else 6 - height)]
    stones = [0, 0]
    owner = {}
    for row, column in cells:
        bit = 1 << 7 * column + row
        owner[bit] = (column + row // 2) % 2
        stones[owner[bit]] |= bit
    bits = list(owner)
    for one, other in rng.integers(len(bits), size=(100, 2)):
        pair = bits[one] | bits[other]
        if owner[bits[one]] != owner[bits[other]] and not any(in_line(side ^ pair) for side in stones):
            stones = [side ^ pair for side in stones]
            owner[bits[one]], owner[bits[other]] = owner[bits[other]], owner[bits[one]]
    return np.array([*stones, 0])


def in_line(stones: int) -> bool:
    """Whether four stand in a line, on a board of seven bits a column."""
    pairs = [(stones & stones >> step, step) for step in (1, 7, 6, 8)]
    return any(pair & pair >> 2 * step for pair, step in pairs)


def over_children(reduce: Any, tree: Tree, number: np.ndarray) -> np.ndarray:
    """float64[N]: a ufunc over the children of each node, zero at the ends."""
    inner = np.flatnonzero(np.diff(tree.first))
    out = np.zeros(len(number))
    out[inner] = reduce.reduceat(number, tree.first[inner])
    return out


def values(board: Board, depth: int) -> np.ndarray:
    """float64[N]: the minimax value `depth` moves ahead; what lies beyond is taken for a draw."""
    tree, over = board.tree, board.tree.turn == OVER
    value = np.where(over, board.payoff, 0.0)
    for _ in range(depth):
        high, low = over_children(np.maximum, tree, value), over_children(np.minimum, tree, value)
        ahead = np.where(over, board.payoff, np.where(tree.turn == 0, high, low))
        if (ahead == value).all():
            break
        value = ahead
    return value


def choices(board: Board, depth: int) -> np.ndarray:
    """float64[N]: how likely the move to each node is, among those that look best `depth` moves ahead."""
    tree = board.tree
    value = values(board, depth - 1) if depth else np.zeros(len(tree.turn))
    mine = np.where(tree.turn == 0, 1, -1)[tree.parent] * value
    good = (mine > over_children(np.maximum, tree, mine)[tree.parent] - 1e-9).astype(float)
    return good / np.maximum(over_children(np.add, tree, good), 1)[tree.parent]


def expected(board: Board, first: np.ndarray, second: np.ndarray, pays: np.ndarray) -> float:
    """What `pays` float64[N] of the ends comes to, when the players of seat 0 and 1 choose so."""
    tree = board.tree
    share = np.where(tree.turn[tree.parent] == 0, first, second)
    share[0] = 1.0
    reach = share.copy()
    level = np.flatnonzero(tree.parent == 0)
    while len(level):
        reach[level] = share[level] * reach[tree.parent[level]]
        last = level[-1]
        level = np.arange(last + 1, tree.first[last + 1]) if tree.first[last + 1] > last + 1 else np.array([], int)
    return float(reach[tree.turn == OVER] @ pays[tree.turn == OVER])


def mark_board(world: Board, seen: Board, depth: int) -> float:
    """What is kept of the position's worth against the solver, both seats: 1 less half of the loss."""
    own, solver, value = choices(seen, depth), choices(world, ORACLE), values(world, ORACLE)[0]
    lost = [value - expected(world, own, solver, world.payoff), expected(world, solver, own, world.payoff) - value]
    return 1 - float(np.mean(lost)) / 2


# Tiny Hanabi: each player holds one of two cards and acts once, in turn, for all to see. All get the same payoff,
# a table float64[2, ..., 2, A, ..., A] by cards and actions.

TINY_HANABI = np.array(
    [[[[10, 0, 0], [4, 8, 4], [10, 0, 0]], [[0, 0, 10], [4, 8, 4], [0, 0, 10]]],
     [[[0, 0, 10], [4, 8, 4], [0, 0, 0]], [[10, 0, 0], [4, 8, 4], [10, 0, 0]]]], float
)  # fmt: skip
"""The game of Foerster and others (2019), "Bayesian action decoder", as OpenSpiel has it. Playing safe is worth 8."""


def draw_hanabi(players: int, rng: np.random.Generator) -> list[np.ndarray]:
    """A game with two actions and payoffs from 0 to 10 at random, and the same with its payoffs dealt out anew."""
    payoff = rng.integers(0, 11, (2,) * 2 * players).astype(float)
    return [payoff, rng.permuted(payoff.ravel()).reshape(payoff.shape)]


def other_game(payoff: np.ndarray, misread: bool) -> np.ndarray:
    return payoff[::-1] if misread else payoff


def prescribe(payoff: np.ndarray, chance: np.ndarray, said: tuple[int, ...], depth: int) -> tuple[float, Any]:
    """The best rule from the next player's card to an action, and its worth, planned with the `depth` - 1 rules after.

    The public part of the game as a decision problem: all know the rule of the player in turn, and conclude from the
    action which cards it leaves possible (Nayyar, Mahajan and Teneketzis 2013, "Decentralized stochastic control with
    partial history sharing"). Players beyond the horizon are taken to act at random.

    chance  float64[2, ..., 2], how likely all cards are, given what was `said`: the actions so far
    Returns the worth as a sum over chance and over the actions beyond the horizon, and the rule int64[cards].
    """
    player, players = len(said), payoff.ndim // 2
    if depth == 1 or player == players - 1:
        left = payoff[(slice(None),) * players + said]
        left = left.sum(axis=tuple(range(players + 1, left.ndim)))
        worth = (chance[..., None] * left).sum(axis=tuple(card for card in range(players) if card != player))
        return float(worth.max(axis=1).sum()), worth.argmax(axis=1)
    best, rule = -np.inf, None
    for tried in product(range(payoff.shape[-1]), repeat=payoff.shape[0]):
        nexts = [(after(chance, player, tried, action), action) for action in sorted(set(tried))]
        worth = sum(prescribe(payoff, rest, (*said, action), depth - 1)[0] for rest, action in nexts)
        if worth > best:
            best, rule = worth, np.array(tried)
    return best, rule


def after(chance: np.ndarray, player: int, rule: Sequence[int], action: int) -> np.ndarray:
    """What is left of chance when a player with this rule does that."""
    shape = [1] * chance.ndim
    shape[player] = -1
    return chance * (np.asarray(rule) == action).reshape(shape)


def team_pays(payoff: np.ndarray, seen: np.ndarray, depth: int) -> float:
    """The expected payoff of a team whose every player plans so when its turn comes."""
    players = payoff.ndim // 2
    if depth == 0:
        return float(payoff.mean())

    def go_on(chance: np.ndarray, said: tuple[int, ...]) -> float:
        if len(said) == players:
            return float((chance * payoff[(slice(None),) * players + said]).sum())
        rule = prescribe(seen, chance, said, depth)[1]
        return sum(go_on(after(chance, len(said), rule, action), (*said, action)) for action in sorted(set(rule)))

    return go_on(np.ones(payoff.shape[:players]), ()) / payoff.shape[0] ** players


def mark_hanabi(payoff: np.ndarray, seen: np.ndarray, depth: int) -> float:
    return over_random(payoff, team_pays(payoff, seen, depth))


def over_random(payoff: np.ndarray, pays: float, hidden: bool = True) -> float:
    """What is gained over random play, as a share of what the best team gains: float, below zero where it is lost."""
    players = payoff.ndim // 2
    most = team_pays(payoff, payoff, ORACLE) if hidden else payoff.max(axis=tuple(range(players, 2 * players))).mean()
    return float((pays - payoff.mean()) / (most - payoff.mean()))


def hanabi_tree(payoff: np.ndarray, hidden: bool) -> Tree:
    """The game as a tree: the cards of all, then the actions."""
    players, cards, actions = payoff.ndim // 2, payoff.shape[0], payoff.shape[-1]
    sizes = [cards] * players + [actions] * players
    histories = [history for n in range(2 * players + 1) for history in product(*map(range, sizes[:n]))]
    number = {history: node for node, history in enumerate(histories)}
    turn = np.array(
        [CHANCE if len(h) < players else OVER if len(h) == 2 * players else len(h) - players for h in histories]
    )
    told = {}
    for history, player in zip(histories, turn, strict=True):
        if player >= 0:
            card = history[player : player + 1] if hidden else history[:players]
            told[history] = (int(player), card, history[players:])
    infosets = {what: row for row, what in enumerate(dict.fromkeys(told.values()))}
    children = [0 if len(history) == 2 * players else sizes[len(history)] for history in histories]
    return Tree(
        turn=turn,
        parent=np.array([number.get(history[:-1], -1) if history else -1 for history in histories]),
        action=np.array([history[-1] if history else -1 for history in histories]),
        first=1 + np.concatenate([[0], np.cumsum(children)]),
        chance=np.array([1 / cards if 0 < len(history) <= players else 1.0 for history in histories]),
        infoset=np.array([infosets[told[history]] if history in told else -1 for history in histories]),
        payoff=np.array([[payoff[h] if len(h) == 2 * players else 0.0] * players for h in histories]),
        player=np.array([player for player, _, _ in infosets]),
        legal=np.ones((len(infosets), actions), bool),
        view=np.arange(len(infosets))[:, None],
        labels=Labels(tuple(map(str, range(players))), tuple(map(str, range(actions))), str),
    )


def play_cfr(settings: Settings, rng: np.random.Generator, log: Any) -> dict[str, float]:
    """The average policy of CFR, which is made for zero-sum games, in the Hanabi tasks of all levels."""
    streams = dict(zip(settings.levels(), rng.spawn(6), strict=True))
    games = [[draw_hanabi(n, streams["hanabi"])[0] for _ in range(settings.tasks)] for n in settings.players]

    def pays(payoff: np.ndarray) -> float:
        tree = hanabi_tree(payoff, settings.hidden)
        return pays_on_average(tree, cfr(tree, settings.iterations).average)

    marks = np.array([[over_random(game, pays(game), settings.hidden) for game in level] for level in games])
    worth = pays(TINY_HANABI)
    log.example(
        f"Tiny Hanabi is worth 10 to a team that agrees what an action says about a card; CFR finds {worth:.2f}."
    )
    curve = marks.mean(axis=1)
    return {"score/hanabi": curve.mean(), "drop/hanabi": curve[0] - curve[-1], "tiny_hanabi": worth}


def pays_on_average(tree: Tree, table: np.ndarray) -> float:
    """What the first player gets when all follow the table float64[K, A]."""
    reach = np.ones(len(tree.turn))
    for node in range(1, len(tree.turn)):
        up = tree.parent[node]
        chosen = table[tree.infoset[up], tree.action[node]] if tree.turn[up] != CHANCE else tree.chance[node]
        reach[node] = reach[up] * chosen
    return float((reach * tree.payoff[:, 0])[tree.turn == OVER].sum())


# Bargaining: one party offers a division of the pot; a coalition that is worth more on its own blocks it.


def draw_coalitions(parties: int, rng: np.random.Generator) -> np.ndarray:
    """float64[2 ** n]: what each coalition, the bits of its number, is worth; alone nothing, all together the pot.

    A coalition is worth half to all of what a division drawn at random gives its members, so the core is not empty.
    """
    fair = 1 + rng.multinomial(POT - parties, rng.dirichlet(np.ones(parties)))
    worth = np.floor(members(parties) @ fair * rng.uniform(0.5, 1, 2**parties))
    worth[members(parties).sum(axis=1) <= 1] = 0
    worth[-1] = POT
    return worth


def members(parties: int) -> np.ndarray:
    """int64[2 ** n, n], who belongs to each coalition."""
    return np.arange(2**parties)[:, None] >> np.arange(parties) & 1


@lru_cache(maxsize=8)
def divisions(parties: int) -> np.ndarray:
    """int64[M, n], every way to divide the pot in whole numbers."""
    bars = np.array(list(combinations(range(POT + parties - 1), parties - 1)))
    edges = np.pad(bars, ((0, 0), (1, 1)), constant_values=((0, 0), (-1, POT + parties - 1)))
    return np.diff(edges, axis=1) - 1


def offers(worth: np.ndarray, depth: int) -> np.ndarray:
    """float64[M]: how likely each division is offered: the largest Nash product (Nash 1950) among those that no
    coalition of up to `depth` members blocks."""
    parties = len(worth).bit_length() - 1
    if depth == 0:
        return np.full(len(divisions(parties)), 1 / len(divisions(parties)))
    size = members(parties).sum(axis=1)
    ok = stable(worth, (size <= depth) | (size == parties))
    product_ = np.where(ok, divisions(parties).prod(axis=1), -1)
    best = product_ == product_.max()
    return best / best.sum()


def stable(worth: np.ndarray, asked: np.ndarray | bool = True) -> np.ndarray:
    """bool[M]: the divisions that none of the coalitions asked blocks; of all, the core (Gillies 1959)."""
    parties = len(worth).bit_length() - 1
    short = divisions(parties) @ members(parties).T < worth
    return ~(short & asked).any(axis=1)


def mark_bargaining(world: np.ndarray, seen: np.ndarray, depth: int) -> float:
    return float(offers(seen, depth) @ nash_share(world))


def nash_share(worth: np.ndarray) -> np.ndarray:
    """float64[M]: an offer's geometric mean over the best one's in the core, nothing where it is blocked."""
    parties = len(worth).bit_length() - 1
    share = divisions(parties).prod(axis=1) ** (1 / parties) * stable(worth)
    return share / share.max()


MARK: dict[str, Callable[..., float]] = {
    "hops": mark_blocks, "size": mark_blocks, "tic_tac_toe": mark_board, "connect_four": mark_board,
    "hanabi": mark_hanabi, "bargaining": mark_bargaining,
}  # fmt: skip


# The league: does the suite find out who was built to be better?


def rank(settings: Settings, tasks: dict[str, list[list[Any]]], log: Any) -> dict[str, float]:
    """Rank correlations of planted depth with suite scores and with ratings from games of all against all."""
    scores = {}
    for name, depth in LEAGUE.items():
        scores[name] = np.mean([examine(task, tasks[task], depth, settings.misread).mean() for task in tasks])
    boards = tasks["tic_tac_toe"][-1] + tasks["connect_four"][-1]
    wins, ties = arena(boards, list(LEAGUE.values()), settings.misread)
    strength = bradley_terry(wins, ties).strength
    lines = [
        f"{name:8} {score:.3f}  {rating:+.2f}" for (name, score), rating in zip(scores.items(), strength, strict=True)
    ]
    log.example("\n".join(["agent    suite  strength in the arena", *lines]))
    planted = np.arange(len(LEAGUE))
    numbers = {f"league/{name}": score for name, score in scores.items()}
    return numbers | {
        "rank": spearman(planted, np.array(list(scores.values()))),
        "arena_rank": spearman(planted, strength),
    }


def arena(boards: list[list[Board]], depths: list[int], misread: bool) -> tuple[np.ndarray, np.ndarray]:
    """Expected wins and draws float64[M, M], each pair from both seats of every position."""
    wins, ties = np.zeros((len(depths),) * 2), np.zeros((len(depths),) * 2)
    for board in boards:
        moves = [choices(board[int(misread)], depth) for depth in depths]
        for one, other in product(range(len(depths)), repeat=2):
            if one != other:
                won, lost = (expected(board[0], moves[one], moves[other], board[0].payoff == end) for end in (1, -1))
                wins[one, other] += won
                wins[other, one] += lost
                ties[one, other] += 1 - won - lost
                ties[other, one] += 1 - won - lost
    return wins, ties


def spearman(one: np.ndarray, other: np.ndarray) -> float:
    """The correlation of ranks, equals sharing theirs (Spearman 1904); zero where all are equal."""
    ranks = [(x[:, None] > x).sum(axis=1) + (x[:, None] == x).sum(axis=1) / 2 for x in (one, np.round(other, 9))]
    return float(np.corrcoef(*ranks)[0, 1]) if np.ptp(ranks[1]) else 0.0


def tell_walk(settings: Settings, rng: np.random.Generator) -> str:
    """One task of the hardest level of hops, and the agent's walk."""
    blocks = settings.middle()
    graph, moves = block_world(blocks)
    goal = goal_of(blocks, settings.moves[-1], rng)
    far = np.flatnonzero(distances(graph, goal) == settings.moves[-1])
    state = int(rng.choice(far))
    edges = walk(graph, goal, blocks, settings.depth)
    said: list[str] = []
    lines = [f"Now:  {tell(graph.states[state], blocks)}", f"Goal: {tell(graph.states[goal], blocks)}"]
    while state != goal and len(said) < 2 * settings.moves[-1]:
        mine = slice(graph.first[state], graph.first[state + 1])
        edge = graph.first[state] + rng.choice(graph.first[state + 1] - graph.first[state], p=edges[mine])
        block, _, onto = moves[graph.op[edge]]
        said.append(f"{NAMES[block]} to {place(onto, blocks)}")
        state = int(graph.to[edge])
    end = "there" if state == goal else f"still {distances(graph, goal)[state]:.0f} moves away"
    return "\n".join([*lines, f"The shortest plan has {settings.moves[-1]} moves. The agent:", ", ".join(said), end])


NAMES = "ABCDEFGH"


def place(below: int, blocks: int) -> str:
    return "table" if below == blocks else NAMES[below]


def supports(state: int, blocks: int) -> list[int]:
    """What each block stands on."""
    return [next(x for x in range(blocks + 1) if state & on(b, x, blocks)) for b in range(blocks)]


def tell(state: int, blocks: int) -> str:
    return ", ".join(f"{NAMES[b]} on {place(below, blocks)}" for b, below in enumerate(supports(int(state), blocks)))


# A small model: facts and plans of four blocks. Tokens: 0 padding, 1 to 4 the blocks, 5 the table, then the rest.

SCHOOL, FACT, PLAN, END = 4, 6, 7, 8
LONGEST = 2 * 6 + 1  # no plan of four blocks needs more than six moves


class School(NamedTuple):
    """All questions. Pairs of a state and a goal, n of them.

    pairs   int64[n, 2]
    moves   int64[n], how many the shortest plan has
    prompt  int64[n, 8], what each block stands on, now and at the goal
    plan    int64[n, LONGEST], one shortest plan: block, place, block, place, end
    """

    pairs: np.ndarray
    moves: np.ndarray
    prompt: np.ndarray
    plan: np.ndarray


@lru_cache(maxsize=1)
def open_school() -> School:
    graph, moves = block_world(SCHOOL)
    place_of = np.array([supports(int(state), SCHOOL) for state in graph.states]) + 1
    far = np.stack([distances(graph, goal) for goal in range(len(graph.states))], axis=1).astype(np.int64)
    pairs = np.argwhere(far > 0)
    plan = np.zeros((len(pairs), LONGEST), np.int64)
    for row, (state, goal) in enumerate(pairs):
        for step in range(far[state, goal]):
            edges = np.arange(graph.first[state], graph.first[state + 1])
            edge = edges[far[graph.to[edges], goal].argmin()]
            plan[row, 2 * step : 2 * step + 2] = moves[graph.op[edge]][[0, 2]] + 1
            state = graph.to[edge]
        plan[row, 2 * far[tuple(pairs[row])]] = END
    prompt = np.concatenate([place_of[pairs[:, 0]], place_of[pairs[:, 1]]], axis=1)
    return School(pairs, far[pairs[:, 0], pairs[:, 1]], prompt, plan)


def school(settings: Settings, rng: np.random.Generator, log: Any) -> dict[str, Value]:
    """Teach on four fifths of the pairs, facts and plans of every number of moves alike; ask about the rest."""
    lessons = open_school()
    held = rng.spawn(1)[0].random(len(lessons.moves)) < 0.2
    model = Transformer(Size(2, settings.width, 4, 10 + LONGEST, 9), rng)
    optimiser = torch.optim.AdamW(model.parameters(), lr=settings.rate, weight_decay=0.01)
    update, numbers = 0, {}
    saved = log.restore()
    if saved:
        unpack(model, optimiser, saved["network"])
        update, rng, numbers = saved["update"], saved["rng"], saved["numbers"]
    while update < settings.updates:
        for group in optimiser.param_groups:
            group["lr"] = settings.rate * min(1, 2 - 2 * update / settings.updates)  # falls in the second half
        replies = lesson(lessons, ~held, settings, rng)
        tokens = torch.from_numpy((replies.reply != 0).sum(axis=1))  # so that a fact weighs as much as a plan
        pg.descend(model, optimiser, -(pg.score(model, replies)[0] / tokens).mean())
        update += 1
        if update == settings.updates or update % max(1, settings.updates // 3) == 0:
            numbers = report(model, lessons, held)
            log.row(update, **{name: counted(number) for name, number in numbers.items()})
            log.checkpoint({"update": update, "rng": rng, "numbers": numbers, "network": pack(model, optimiser)})
    log.example(tell_plan(model, lessons, held))
    return {name: counted(number) for name, number in numbers.items()}


def counted(number: float) -> Value:
    return Value(float(number), "exact", None, "the likeliest replies, counted over held-out questions")


def lesson(lessons: School, taught: np.ndarray, settings: Settings, rng: np.random.Generator) -> pg.Replies:
    """A batch of questions, half facts and half plans, with their answers, or with each other's."""
    many = np.bincount(lessons.moves[taught], minlength=7)
    weight = taught * (lessons.moves <= settings.longest) / np.maximum(many, 1)[lessons.moves]
    rows = rng.choice(len(weight), settings.batch, p=weight / weight.sum())
    cut = settings.batch // 2
    facts = ask_facts(lessons, rng.choice(np.flatnonzero(taught), cut), rng.integers(SCHOOL, size=cut))
    plans = ask_plans(lessons, rows[cut:])
    if not settings.taught:
        facts, plans = (asked._replace(reply=rng.permutation(asked.reply)) for asked in (facts, plans))
    return pg.Replies(
        np.concatenate([facts.prompt, np.pad(plans.prompt, ((0, 0), (1, 0)))]),
        np.concatenate([np.pad(facts.reply, ((0, 0), (0, LONGEST - 1))), plans.reply])[:, : 2 * settings.longest + 1],
    )


def ask_facts(lessons: School, rows: np.ndarray, block: np.ndarray) -> pg.Replies:
    """What does this block stand on?"""
    columns = lessons.prompt[rows], np.full((len(rows), 1), FACT), block[:, None] + 1
    return pg.Replies(np.concatenate(columns, axis=1), lessons.prompt[rows, block][:, None])


def ask_plans(lessons: School, rows: np.ndarray) -> pg.Replies:
    """How does one come from now to the goal?"""
    ask = np.full((len(rows), 1), PLAN)
    return pg.Replies(np.concatenate([lessons.prompt[rows], ask], axis=1), lessons.plan[rows])


def likeliest(model: Transformer, prompts: np.ndarray, length: int) -> np.ndarray:
    """The reply of each token's largest probability, int64[n, length]."""
    stop = np.arange(9) == END
    half = np.full((len(prompts), length), 0.5)
    return sample(model, prompts, prompts != 0, half, stop, temperature=1e-3).tokens


def report(model: Transformer, lessons: School, held: np.ndarray) -> dict[str, float]:
    """Marks on the held-out questions, at most 100 of each number of moves."""
    numbers = np.unique(lessons.moves)
    rows = np.concatenate([np.flatnonzero(held & (lessons.moves == moves))[:100] for moves in numbers])
    facts = ask_facts(lessons, rows, rows % SCHOOL)
    plans = likeliest(model, ask_plans(lessons, rows).prompt, LONGEST)
    solved = np.array([leads(lessons.pairs[row], plan) for row, plan in zip(rows, plans, strict=True)])
    curve = np.array([solved[lessons.moves[rows] == moves].mean() for moves in numbers])
    return {
        "retrieval": float((likeliest(model, facts.prompt, 1) == facts.reply).mean()),
        "drop/hops": float(curve[0] - curve[-1]),
        "look_ahead": float((curve * numbers).mean()),
        **{f"plan/{moves}": float(mark) for moves, mark in zip(numbers, curve, strict=True)},
    }


def leads(pair: np.ndarray, plan: np.ndarray) -> bool:
    """Whether the plan, tokens up to the end, can be carried out and reaches the goal."""
    words = plan[: np.flatnonzero(plan == END)[0]] if (plan == END).any() else plan[:0]
    if len(words) % 2 or ((words < 1) | (words > SCHOOL + 1)).any():
        return False
    return carried_out(SCHOOL, int(pair[0]), [(int(b) - 1, int(x) - 1) for b, x in words.reshape(-1, 2)]) == pair[1]


def carried_out(blocks: int, state: int, plan: list[tuple[int, int]]) -> int:
    """The state after moves (block, place), -1 where one of them cannot be made."""
    graph, moves = block_world(blocks)
    for block, onto in plan:
        edges = np.arange(graph.first[state], graph.first[state + 1])
        right = edges[(moves[graph.op[edges]][:, [0, 2]] == (block, onto)).all(axis=1)]
        if not len(right):
            return -1
        state = int(graph.to[right[0]])
    return state


def tell_plan(model: Transformer, lessons: School, held: np.ndarray) -> str:
    """A held-out task with the most moves, and what the model writes."""
    row = np.flatnonzero(held)[lessons.moves[held].argmax()]
    plan = likeliest(model, ask_plans(lessons, np.array([row])).prompt, LONGEST)[0]
    states = block_world(SCHOOL)[0].states[lessons.pairs[row]]
    words = " ".join(("", *NAMES[:SCHOOL], "table", "fact?", "plan?", "end.")[token] for token in plan if token)
    verdict = "reaches the goal" if leads(lessons.pairs[row], plan) else "does not get there"
    lines = [f"Now:  {tell(states[0], SCHOOL)}", f"Goal: {tell(states[1], SCHOOL)}"]
    return "\n".join([*lines, f"The shortest plan has {lessons.moves[row]} moves.", f"The model: {words}", verdict])


# A model behind a server: facts, plans and offers in words, every reply read strictly.


def server(settings: Settings, rng: np.random.Generator, log: Any, agent: Any) -> dict[str, float]:
    """100 facts and plans and 60 offers. A reply that cannot be read counts as wrong and in `unreadable`."""
    model = agent if not isinstance(agent, str) else connect(agent, log.replies, max_tokens=4096)
    drawn, dealt = rng.spawn(2)
    levels = [(moves, 20) for moves in (1, 2, 4, 6)]
    plans = [[draw_plan(moves, drawn) for _ in range(number)] for moves, number in levels]
    facts = [(*draw_plan(4, drawn)[:2], int(drawn.integers(SCHOOL))) for _ in range(20)]
    games = [[draw_coalitions(parties, drawn) for _ in range(20)] for parties in settings.parties]
    asked = [ask_fact(*fact) for fact in facts] + [ask_plan(*plan[:2]) for level in plans for plan in level]
    asked += [ask_offer(worth) for level in games for worth in level]
    seeds = [int(seed) for seed in drawn.integers(2**31, size=len(asked))]
    replies = model.ask([[{"role": "user", "content": text}] for text in asked], seeds)
    texts = [spoken(reply.text) if reply.status == "ok" else "" for reply in replies]
    log.example(f"{asked[-1]}\n\n> {texts[-1][-800:] or replies[-1].status}")
    read = [read_move, *[read_moves] * len(plans), *[read_offer] * len(games)]
    groups: list[Any] = [facts, *plans, *games]
    marks, unread = [], 0
    for reader, group in zip(read, groups, strict=True):
        said, texts = [reader(text) for text in texts[: len(group)]], texts[len(group) :]
        unread += sum(answer is None for answer in said)
        tasks = group[1:] + group[:1] if settings.misread else group
        marks.append([mark_reply(answer, task) for answer, task in zip(said, tasks, strict=True)])
    right, solved, agreed = np.array(marks[0]), np.array(marks[1 : 1 + len(plans)]), np.array(marks[1 + len(plans) :])
    if settings.shuffled:
        solved, agreed = (dealt.permuted(mark.ravel()).reshape(mark.shape) for mark in (solved, agreed))
    numbers = {f"served_plan/{moves}": float(mark.mean()) for (moves, _), mark in zip(levels, solved, strict=True)}
    numbers |= {f"served_offer/{n}": float(mark.mean()) for n, mark in zip(settings.parties, agreed, strict=True)}
    return numbers | {
        "served_retrieval": float(right.mean()),
        "served_drop/hops": float(solved[0].mean() - solved[-1].mean()),
        "served_drop/parties": float(agreed[0].mean() - agreed[-1].mean()),
        "unreadable": unread / len(asked),
    }


def draw_plan(moves: int, rng: np.random.Generator) -> tuple[int, int]:
    """A state and a goal of four blocks that is `moves` moves away."""
    goal = goal_of(SCHOOL, moves, rng)
    return int(rng.choice(np.flatnonzero(distances(block_world(SCHOOL)[0], goal) == moves))), goal


def ask_fact(state: int, goal: int, block: int) -> str:
    return f"{scene(state, goal)} What does block {NAMES[block]} stand on now? End with a line: on: PLACE"


def ask_plan(state: int, goal: int) -> str:
    return (
        f"{scene(state, goal)} One block at a time can be moved, if nothing stands on it, to the table or onto a block "
        "on which nothing stands. Reach the goal. End with a line that lists your moves: plan: X to PLACE, Y to PLACE"
    )


def scene(state: int, goal: int) -> str:
    now, then = (tell(block_world(SCHOOL)[0].states[number], SCHOOL) for number in (state, goal))
    return f"Blocks stand on each other or on the table. Now: {now}. Goal: {then}."


def ask_offer(worth: np.ndarray) -> str:
    parties = len(worth).bit_length() - 1
    teams = [i for i in range(len(worth) - 1) if i.bit_count() > 1]
    named = ["+".join(NAMES[p] for p in range(parties) if team >> p & 1) for team in teams]
    worths = ", ".join(f"{name} {worth[team]:.0f}" for name, team in zip(named, teams, strict=True))
    return (
        f"{parties} parties, {', '.join(NAMES[:parties])}, divide {POT} coins, in whole coins. A coalition that gets "
        f"less together than it is worth blocks the division, and all get nothing. Coalitions are worth: {worths}; a "
        "party alone is worth nothing. Of the divisions that nobody blocks, offer the one whose shares have the "
        f"largest product. End with a line that lists the shares in order: offer: {' '.join('N' * parties)}"
    )


def last_line(text: str, label: str) -> str:
    """What stands after the label on the last line that begins with it, "" where none does."""
    found = re.findall(rf"(?im)^[^\w\n]*{label}:([^\n]*)$", text)
    return found[-1].strip(" *`.\r\t") if found else ""


def read_move(text: str) -> int | None:
    """What a block stands on, numbered as in `place`; None where the reply does not say."""
    words = {**{name.lower(): block for block, name in enumerate(NAMES[:SCHOOL])}, "table": SCHOOL}
    said = last_line(text, "on").lower().removeprefix("block ").removeprefix("the ")
    return words.get(said)


def read_moves(text: str) -> list[tuple[int, int]] | None:
    """The moves of a plan, at most 50, None where it is not one."""
    steps = last_line(text, "plan").split(",")
    if len(steps) > 50:
        return None
    moves = [re.fullmatch(r"([A-D]) to (?:([A-D])|(?:the )?table)", step.strip(), re.IGNORECASE) for step in steps]
    if not all(moves):
        return None
    return [(NAMES.index(m[1].upper()), NAMES.index(m[2].upper()) if m[2] else SCHOOL) for m in moves if m]


def read_offer(text: str) -> tuple[int, ...] | None:
    """The shares, None where they are not whole numbers that divide the pot."""
    said = last_line(text, "offer")
    if not re.fullmatch(r"[0-9]{1,2}([ ,]+[0-9]{1,2}){1,7}", said):
        return None
    offer = tuple(map(int, said.replace(",", " ").split()))
    return offer if sum(offer) == POT else None


def mark_reply(said: Any, task: Any) -> float:
    """Of a fact and a plan 1 or 0; of an offer its Nash share."""
    if said is None:
        return 0.0
    if isinstance(task, np.ndarray):
        parties = len(task).bit_length() - 1
        return float(nash_share(task)[(divisions(parties) == said).all(axis=1)].sum()) if len(said) == parties else 0.0
    if len(task) == 3:
        return float(supports(int(block_world(SCHOOL)[0].states[task[0]]), SCHOOL)[task[2]] == said)
    return float(carried_out(SCHOOL, task[0], said) == task[1])


FACTORS = {
    "hops": "moves to the goal",
    "size": "blocks, at the same number of moves",
    "tic_tac_toe": "open cells of tic-tac-toe",
    "connect_four": "open cells of Connect Four",
    "hanabi": "Hanabi players",
    "bargaining": "parties that bargain",
}
RECIPE = Recipe(
    slug="spin-bench",
    arms=ARMS,
    run=run,
    server=server,
    claims=(
        Exact("oracle", than=1.0, metric="worst", control="misread", says="The oracle scores 1 in every task"),
        Exact(
            "oracle", than=10.0, metric="tiny_hanabi", control="misread", says="Tiny Hanabi is worth 10 to the oracle"
        ),
        *(
            Higher(
                "depth_2",
                than=0.0,
                metric=f"step/{name}",
                scope="transfer",
                says=f"The agent of depth 2 does worse with every step more of: {words}",
            )
            for name, words in FACTORS.items()
        ),
        Ordered(
            ("oracle", "depth_4", "depth_3", "depth_2", "greedy", "random"),
            metric="suite",
            scope="transfer",
            control="misread",
            says="With each further move of search the suite's mark rises",
        ),
        Higher("league", than=0.9, metric="rank", scope="transfer", control="league_misread"),
        Higher("league", than=0.9, metric="arena_rank", scope="transfer", control="league_misread"),
        Near("cfr", than=8.0, within=0.05, metric="tiny_hanabi", scope="transfer", control="cfr_open"),
        Lower("cfr", than="cfr_open", metric="score/hanabi", by=0.05, scope="transfer", control="oracle"),
        Higher(
            "model", than=0.95, metric="retrieval", control="untaught", says="The small model reads facts, 0.95 right"
        ),
        Higher(
            "model",
            than=0.0,
            metric="drop/hops",
            by=0.2,
            control="long_lessons",
            says="Taught plans of up to 3 moves, the small model's plans fall by 0.2 or more from one move to six",
        ),
        Higher("model", than=0.9, metric="served_retrieval", scope="server", control="misread"),
        Higher("model", than=0.0, metric="served_drop/hops", by=0.2, scope="server"),
        Higher("model", than=0.0, metric="served_drop/parties", by=0.1, scope="server"),
    ),
    control="shuffled",
    seeds=8,
    minutes=6,
    quick={
        "moves": (2, 3),
        "blocks": (3, 4),
        "cells": (3, 4),
        "heights": (2, 3),
        "players": (2, 3),
        "parties": (3, 4),
        "tasks": 1,
        "iterations": 5,
        "updates": 1,
        "batch": 8,
        "width": 8,
    },
    metrics={
        "suite": ("share", "the mean mark over the six factors and their levels"),
        "worst": ("share", "the lowest mark of all tasks"),
        "score": ("share", "the mean mark over the levels of a factor"),
        "drop": ("share", "what is lost from the easiest level to the hardest; by factor, or their mean"),
        "step": ("share", "the smallest loss from one level to the next, below zero where marks rise"),
        "look_ahead": ("moves", "the mean over levels of plans solved times their moves"),
        "tiny_hanabi": ("payoff", "in the game of Foerster and others (2019), where the best team gets 10"),
        "rank": ("correlation", "Spearman's, of planted depth and suite score"),
        "arena_rank": ("correlation", "Spearman's, of planted depth and rating in the arena"),
        "league": ("share", "the suite score, by agent"),
        "retrieval": ("share", "of facts that the model gives right"),
        "plan": ("share", "of the model's plans that reach the goal, by moves needed"),
        "served_retrieval": ("share", "of facts that a served model gives right"),
        "served_plan": ("share", "of a served model's plans that reach the goal, by moves needed"),
        "served_offer": ("share", "the mean mark of a served model's offers, by parties"),
        "served_drop": ("share", "what a served model loses from the easiest level to the hardest"),
        "unreadable": ("share", "of a served model's replies"),
    },
    watch="suite",
)
