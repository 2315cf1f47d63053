"""VS-Bench: four games as pictures, and two scores, foreseeing what others do and playing well oneself.

Paper     VS-Bench: Evaluating VLMs for Strategic Reasoning and Decision-Making in Multi-Agent Environments; Xu, Xu, Yi
          and others (2025), arXiv:2506.02387.
There     Eight games shown to vision language models as images. Offline they predict the next action of the other
          player in 400 recorded positions a game; online they play 10 episodes, and the return is put on a scale where
          random play is 0 and optimal play 100. Of fourteen models the best predict 47.8% (random 24.3%) and return
          24.3. With text in the place of images they often do better; reasoning helps.
Here      Kuhn poker against an equilibrium, Breakthrough on three by three against a player that is optimal in three
          moves of four, and with itself as the other player, as there, a coin dilemma on two by three cells and a
          kitchen of two cooks that need each other; these two end with probability 0.05 after each step. Every view is
          a list of things in cells; it is painted on 32 by 32 pixels, or given as symbols. Optimal play is exact: best
          response, or the best that two can do together. So are accuracy and return, by linear equations over all
          states. A small convolutional network is taught by the recorded games, in which the one watched is the other
          player, to play and to foresee; its twin reads symbols. Others think k levels deep, or know what the other
          does and look ahead with little patience. 8 seeds.
          A served model reads each view as text and is asked about 12 recorded positions a game and plays each of them.
Claims    Of the scale: 1. the optimal player, in episodes that are played out, scores 100 and 2. the random one 0,
          within 2 (control: anchors of another game).
          3. The network returns less with pictures than its twin with symbols, 4. and foresees less (control: a network
          that is shown pictures of other positions).
          The scores dissociate: 5. a player that knows what the other does next but looks only one step ahead foresees
          more than the network with pictures (control: shuffled pictures), 6. and returns less (control: the optimal
          player, which knows as much); 7. the lead of its foresight over its play shrinks as it gets more patient.
          Apart: 8. ranks of nine agents by both scores keep a Spearman correlation of 0.9 when episodes and positions
          are drawn anew (bootstrap); 9. without the return the impatient player ranks a place or more higher, and
          10. without the prediction a place or more lower (control of 8 to 10: the agents' names are shuffled);
          11. pictures of the right positions raise the return by 10 or more.
          With a model server: 12. it foresees more than with texts of other positions; 13. it returns 50 or less, where
          the optimal player in its place returns 100.
Leaves    Hanabi, Pong, Monster Hunt, Battle of the Colors; larger boards; vision language models: a served chat model
          here gets text, so the paper's figure for images stays open, and so do chains of thought. The full text was
          not read: its web page, code and data card were. There the key to a position may name several actions, so
          that 100% can be had; here it is the one that was taken, and who knows the other's chances gets 0.77.
          That the planner foresees without error is planted, and all agents but networks are exact and the same in
          every seed: of claims 5 to 7 a pilot showed all that can be seen, save the network's side. That the impatient
          player loses is not planted: only its patience is. In the coin dilemma even full patience against the player
          that was recorded is a bad plan for two such planners, so the lead does not shrink to nothing.
          Pilots on three seeds of their own (999) chose 400 updates, batches of 64 and the episodes, and found one
          error: lessons held no positions of the taught player's own turns in poker and Breakthrough. They showed
          claims 3 and 4 in the direction claimed (in two seeds 20 and 9 points of return, 3 and 1 of prediction). The
          gap is one of so much teaching: with four times the updates a network with pictures returned 97.
          In the record the gap in return is that of one game, the kitchen (27 to 95), where a small thing in a hand
          says what to do; in the others the network with pictures returns as much. With the paper's 10 episodes (60 of
          poker) and 400 positions ranks keep a correlation of 0.88 only. A player of level 1, which nobody planted, is
          the other way round: it foresees nothing and returns 65.
          Networks that were taught the game say nothing on models that were not.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations, product
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy.sparse import csr_array
from scipy.stats import rankdata

from ludus.agents.replies import labels, read
from ludus.game import CHANCE, OVER, Game
from ludus.games.breakthrough import BREAKTHROUGH
from ludus.games.kuhn_poker import KUHN_POKER
from ludus.learn.weights import pack, unpack
from ludus.records import Value
from ludus.study import Equivalent, Higher, Lower, Recipe, Trend

GOES_ON = 0.95  # probability of a further step where the rules have no end
CARELESS = 0.25  # share of its moves that the house makes at random in Breakthrough
NUDGE = 1e-12  # weight of what is never reached, so that something is believed there


@dataclass(frozen=True)
class Settings:
    """One arm.

    agent        random, level (thinks `level` levels deep), planner (knows what the other does, looks ahead with
                 `patience`), oracle, network, or league: all of them ranked
    sees         the network's input, image or symbols
    shuffled     a network sees pictures of other positions; a league deals results out among its agents
    misanchored  returns are put on the scale of another game
    """

    agent: str = "network"
    sees: str = "image"
    level: int = 1
    patience: float = 1.0
    shuffled: bool = False
    misanchored: bool = False
    lessons: int = 1000  # recorded positions of each game that a network learns from
    updates: int = 400
    batch: int = 16  # positions of each game in an update
    rate: float = 3e-3
    episodes: int = 4000  # of each game; six times as many of Kuhn poker, as in the authors' settings

    def __post_init__(self) -> None:
        agents = ("random", "level", "planner", "oracle", "network", "league")
        if self.agent not in agents or self.sees not in ("image", "symbols"):
            raise ValueError(
                f"setting agent takes {', '.join(agents)} and sees takes image or symbols; got {self.agent!r} and "
                f"{self.sees!r}"
            )
        if self.level < 1 or not 0 <= self.patience <= 1 or self.episodes < 10 or min(self.lessons, self.batch) < 1:
            raise ValueError(
                f"settings level >= 1, patience from 0 to 1, episodes >= 10, lessons and batch >= 1 are needed; got "
                f"{self.level}, {self.patience:g}, {self.episodes}, {self.lessons} and {self.batch}"
            )


ARMS = {
    "image": Settings(),
    "symbolic": Settings(sees="symbols"),
    "shuffled": Settings(shuffled=True),
    "oracle": Settings(agent="oracle"),
    "random": Settings(agent="random"),
    "level_1": Settings(agent="level"),
    "level_2": Settings(agent="level", level=2),
    "level_3": Settings(agent="level", level=3),
    "impatient": Settings(agent="planner", patience=0.0),
    "patience_50": Settings(agent="planner", patience=0.5),
    "patient": Settings(agent="planner"),
    "oracle_misanchored": Settings(agent="oracle", misanchored=True),
    "random_misanchored": Settings(agent="random", misanchored=True),
    "league": Settings(agent="league", episodes=1000),
    "league_shuffled": Settings(agent="league", episodes=1000, shuffled=True),
}


def run(settings: Settings, rng: np.random.Generator, log: Any) -> dict[str, Value]:
    """One cell: examine an agent, or rank the league. All arms of a seed share lessons, first weights and draws."""
    bench, taught, drawn = examination(), rng.spawn(1)[0], rng.spawn(1)[0]
    if settings.agent == "league":
        networks = teach(bench, ("image", "symbols"), settings, taught, log)
        agents = {name: [scripted(exam, arm) for exam in bench] for name, arm in ARMS.items() if name in LEAGUE}
        agents |= {"image": networks["image"], "symbolic": networks["symbols"]}
        return rank(bench, agents, settings, drawn, log)
    if settings.agent == "network":
        minds = teach(bench, (settings.sees,), settings, taught, log)[settings.sees]
    else:
        minds = [scripted(exam, settings) for exam in bench]
    log.example(tell_guess(bench, minds))
    return examine(bench, minds, settings, drawn)


# What is seen: things in the nine cells of a picture, or on its frame.

FRAME = 9
WHITE, GREY, GOLD = (1, 1, 1), (0.4, 0.4, 0.4), (1, 0.8, 0)
RED, GREEN, BLUE = (0.9, 0.2, 0.2), (0.2, 0.8, 0.3), (0.2, 0.4, 1)
SPRITES: dict[str, tuple[tuple[float, ...], tuple[tuple[int, int, int, int], ...]]] = {
    "jack": (WHITE, ((1, 6, 7, 2), (7, 2, 2, 5), (5, 2, 2, 2))),
    "queen": (WHITE, ((1, 2, 2, 6), (7, 2, 2, 6), (1, 2, 8, 2), (1, 6, 8, 2))),
    "king": (WHITE, ((1, 2, 8, 2), (4, 4, 2, 2), (1, 6, 3, 2), (6, 6, 3, 2))),
    "hidden card": (GREY, ((1, 2, 1, 6), (3, 2, 1, 6), (5, 2, 1, 6), (7, 2, 1, 6))),
    "pass": (GREY, ((4, 4, 2, 2),)),
    "bet": (GOLD, ((2, 2, 6, 6),)),
    "your piece": (GREEN, ((2, 2, 6, 6),)),
    "piece of the other": (RED, ((2, 2, 6, 6),)),
    "red player": (RED, ((1, 1, 8, 3),)),
    "blue player": (BLUE, ((1, 6, 8, 3),)),
    "red coin": (RED, ((3, 3, 4, 4),)),
    "blue coin": (BLUE, ((3, 3, 4, 4),)),
    "cook": (GREEN, ((1, 1, 8, 3),)),
    "onion": (GOLD, ((6, 5, 3, 3),)),
    "soup": (RED, ((6, 5, 3, 3),)),
    "you": (WHITE, ((1, 4, 3, 2),)),
    "your turn": (WHITE, ((0, 0, 1, 32),)),
    "you go up": (BLUE, ((1, 0, 31, 1),)),
}
"""Name -> its colour, and rectangles (top, left, height, width) in a cell of ten pixels, or on the frame."""

Things = frozenset[tuple[int, str]]


def paint(things: Things) -> np.ndarray:
    """The picture float32[3, 32, 32] of things; they overlap nowhere."""
    canvas = np.zeros((3, 32, 32), np.float32)
    for cell, sprite in things:
        colour, rectangles = SPRITES[sprite]
        top, left = (0, 0) if cell == FRAME else (1 + 10 * (cell // 3), 1 + 10 * (cell % 3))
        for row, column, height, width in rectangles:
            area = canvas[:, top + row : top + row + height, left + column : left + column + width]
            area[:] = np.array(colour, np.float32)[:, None, None]
    return canvas


# The games. All are one thing: states, what two players see in them, and where each pair of actions leads.


class World(NamedTuple):
    """S states, V views, A actions, K pairs of actions that are possible somewhere.

    seat    int64[V], whose view it is
    things  V sets of (cell, sprite)
    legal   bool[V, A], of the one who looks; theirs bool[V, A], of the other
    view    int64[S, 2], what each player sees
    start   float64[S]
    at      int64[K, 3], in which state, the action of each player; in the order of the states
    row     int64[S, A, A], the number of such a pair, -1 where there is none
    pay     float64[K, 2]
    go      float64[K, S], sparse, the probabilities of the next state; what is missing to one is the end
    house   float64[V, A], who else plays; None where the agent plays with itself
    """

    name: str
    rules: str
    words: tuple[str, ...]
    seat: np.ndarray
    things: list[Things]
    legal: np.ndarray
    theirs: np.ndarray
    view: np.ndarray
    start: np.ndarray
    at: np.ndarray
    row: np.ndarray
    pay: np.ndarray
    go: csr_array
    house: np.ndarray | None = None


Ahead = tuple[tuple[float, float], Mapping[Any, float]]


def build(
    name: str,
    rules: str,
    words: tuple[str, ...],
    start: Mapping[Any, float],
    look: Callable[[Any, int], Things],
    moves: Callable[[Any], Mapping[tuple[int, int], Ahead]],
) -> World:
    """All states that can be reached.

    look   (state, seat) -> the things seen
    moves  state -> (action of player 0, of player 1) -> what they are paid, and the next states with probabilities
    """
    states, number = list(start), {state: row for row, state in enumerate(start)}
    at: list[tuple[int, int, int]] = []
    pay: list[tuple[float, float]] = []
    edges: list[tuple[int, int, float]] = []
    for state in states:
        for pair, (paid, ahead) in moves(state).items():
            for new, chance in ahead.items():
                if new not in number:
                    number[new] = len(states)
                    states.append(new)
                edges.append((len(at), number[new], chance))
            at.append((number[state], *pair))
            pay.append(paid)
    seen: dict[tuple[int, Things], int] = {}
    view = np.array([[seen.setdefault((seat, look(state, seat)), len(seen)) for seat in (0, 1)] for state in states])
    table = np.array(at)
    own = np.zeros((len(seen), len(words)), bool)
    theirs, row = own.copy(), np.full((len(states), len(words), len(words)), -1)
    row[tuple(table.T)] = np.arange(len(table))
    for seat in (0, 1):
        own[view[table[:, 0], seat], table[:, 1 + seat]] = True
        theirs[view[table[:, 0], seat], table[:, 2 - seat]] = True
    source, to, chances = map(np.array, zip(*edges, strict=True))
    go = csr_array((chances.astype(float), (source, to)), shape=(len(table), len(states)))
    first = np.zeros(len(states))
    first[: len(start)] = list(start.values())
    seats, things = np.array([seat for seat, _ in seen]), [things for _, things in seen]
    return World(name, rules, words, seats, things, own, theirs, view, first, table, row, np.array(pay, float), go)


def of_game(name: str, game: Game, look: Callable[[list[int], int, int], Things]) -> World:
    """A game of Ludus in which players take turns; who is not to move has the action wait.

    look  (state, seat, who is to move) -> the things seen
    """
    turn, options, apply, payoff, _ = (getattr(kernel, "py_func", kernel) for kernel in game.kernels)
    wait = game.actions

    def after(state: tuple[int, ...], action: int) -> np.ndarray:
        new = np.array(state)
        apply(new, action)
        return new

    def open_to(state: tuple[int, ...]) -> np.ndarray:
        weights = np.zeros(game.width)
        options(np.array(state), weights)
        return weights

    def dealt(state: tuple[int, ...], chance: float) -> dict[tuple[int, ...], float]:
        if turn(np.array(state)) != CHANCE:
            return {state: chance}
        weights = open_to(state)
        found: dict[tuple[int, ...], float] = {}
        for outcome in np.flatnonzero(weights).tolist():
            found |= dealt(tuple(after(state, outcome).tolist()), chance * weights[outcome])
        return found

    def moves(state: tuple[int, ...]) -> dict[tuple[int, int], Ahead]:
        found: dict[tuple[int, int], Ahead] = {}
        for action in np.flatnonzero(open_to(state)).tolist():
            new, paid = after(state, action), np.zeros(2)
            if turn(new) == OVER:
                payoff(new, paid)
            pair = (action, wait) if turn(np.array(state)) == 0 else (wait, action)
            found[pair] = (paid[0], paid[1]), {} if turn(new) == OVER else {tuple(new.tolist()): 1.0}
        return found

    def seen(state: tuple[int, ...], seat: int) -> Things:
        return look(list(state), seat, turn(np.array(state)))

    start = dealt(tuple(game.start.tolist()), 1.0)
    return build(name, game.rules, (*game.words, "wait"), start, seen, moves)


def kuhn() -> World:
    """The house plays the equilibrium in which a king is always bet (Kuhn 1950; alpha = 1/3 of his family)."""

    def look(state: list[int], seat: int, mover: int) -> Things:
        plies = [(cell, ("pass", "bet")[action]) for cell, action in enumerate(state[3 : 3 + state[2]])]
        turn = [(FRAME, "your turn")] if seat == mover else []
        return frozenset([(3, CARDS[state[seat]]), (5, "hidden card"), *plies, *turn])

    world = of_game("kuhn", KUHN_POKER, look)
    bets = {  # plies -> the probability of a bet with jack, queen, king
        (): (1 / 3, 0, 1), ("pass",): (1 / 3, 0, 1), ("bet",): (0, 1 / 3, 1), ("pass", "bet"): (0, 2 / 3, 1),
    }  # fmt: skip
    house = uniform(world.legal)
    for row, things in enumerate(world.things):
        if (FRAME, "your turn") in things:
            plies = tuple(sprite for cell, sprite in sorted(things) if cell < 3)
            bet = bets[plies][CARDS.index(next(sprite for cell, sprite in things if cell == 3))]
            house[row, :2] = 1 - bet, bet
    return world._replace(house=house)


CARDS = ("jack", "queen", "king")


def board() -> World:
    def look(state: list[int], seat: int, mover: int) -> Things:
        names = {seat + 1: "your piece", 2 - seat: "piece of the other"}
        frame = [(FRAME, "your turn")] * bool(seat == mover) + [(FRAME, "you go up")] * (seat == 0)
        return frozenset([*((cell, names[mark]) for cell, mark in enumerate(state[5:]) if mark), *frame])

    world = of_game("breakthrough", BREAKTHROUGH, look)
    first = ~world.legal[world.view[:, 0], -1]  # whose turn it is
    gain = settle(world, world.pay[:, 0], np.where(first, 1, -1))
    best = uniform(chosen(world, gain))
    return world._replace(house=(1 - CARELESS) * best + CARELESS * uniform(world.legal))


STEPS = ((0, 0), (-1, 0), (1, 0), (0, -1), (0, 1))


def coins() -> World:
    """A coin is worth 1 to who takes it and -2 to the other player if it has the other's colour; it appears elsewhere.

    After Lerer and Peysakhovich (2017), arXiv:1707.01068; with two coins and these payoffs in the authors' code.
    """

    def step(cell: int, action: int) -> int:
        row, column = cell // 3 + STEPS[action][0], cell % 3 + STEPS[action][1]
        return 3 * min(max(row, 0), 1) + min(max(column, 0), 2)

    def moves(state: tuple[int, ...]) -> dict[tuple[int, int], Ahead]:
        found: dict[tuple[int, int], Ahead] = {}
        for pair in product(range(5), range(5)):
            at = step(state[0], pair[0]), step(state[1], pair[1])
            coins, paid = state[2:], [0.0, 0.0]
            for owner, player in product((0, 1), repeat=2):
                if at[player] == coins[owner]:
                    paid[player] += 1
                    paid[owner] -= 2 * (owner != player)
            ahead: dict[tuple[int, ...], float] = {}
            reds = places({*at, coins[1]}) if coins[0] in at else [coins[0]]
            for red in reds:
                blues = places({*at, red}) if coins[1] in at else [coins[1]]
                ahead |= {(*at, red, blue): GOES_ON / len(reds) / len(blues) for blue in blues}
            found[pair] = (paid[0], paid[1]), ahead
        return found

    def places(taken: set[int]) -> list[int]:
        return [cell for cell in range(6) if cell not in taken]

    def look(state: tuple[int, ...], seat: int) -> Things:
        names = "red player", "blue player", "red coin", "blue coin"
        return frozenset([*zip(state, names, strict=True), (6 + seat, "you"), (6 + seat, names[seat])])

    starts = list(permutations(range(6), 4))
    rules = (
        "A red and a blue player walk over two rows of three cells, both at the same time, one cell up, down, left or "
        "right, or they stay. Walls stop them, and both may stand in one cell. There is a red and a blue coin. Who "
        "walks onto a coin gets 1 point; if it has the colour of the other player, the other one loses 2. The coin "
        "then appears in another cell. After each step the game ends with probability 0.05. You want as many points "
        "for yourself as you can get. In the third row it is said which player you are."
    )
    start = {state: 1 / len(starts) for state in starts}
    return build("coins", rules, ("stay", "up", "down", "left", "right"), start, look, moves)


def kitchen() -> World:
    """A kitchen as in Overcooked (Carroll et al. 2019, arXiv:1910.05789), of their forced coordination, three by three.

    State: row and hand of the left cook, the counter, row and hand of the right cook, the pot; 1 onion, 2 soup.
    """

    def moves(state: tuple[int, ...]) -> dict[tuple[int, int], Ahead]:
        found: dict[tuple[int, int], Ahead] = {}
        for pair in product(range(4), range(4)):
            left, holds, counter, right, carries, pot = state
            paid = 0.0
            if pair[0] == USE and left == 0 and holds == 0:
                holds = 1
            elif pair[0] == USE and left == 1 and holds == 1 and counter == 0:
                holds, counter = 0, 1
            if pair[1] == USE and right == 1 and state[2] == 1 and carries == 0:
                carries, counter = 1, 0
            elif pair[1] == USE and right == 2 and carries == 1 and pot == 0:
                carries, pot = 0, 1
            elif pair[1] == USE and right == 2 and carries == 0 and pot == 1:
                carries, pot = 2, 0
            elif pair[1] == USE and right == 0 and carries == 2:
                carries, paid = 0, 1.0
            left, right = (min(max(row + WAYS[act], 0), 2) for row, act in zip((left, right), pair, strict=True))
            found[pair] = (paid, paid), {(left, holds, counter, right, carries, pot): GOES_ON}
        return found

    def look(state: tuple[int, ...], seat: int) -> Things:
        left, right = 3 * state[0], 3 * state[3] + 2
        things = [(left, "cook"), (right, "cook"), ((left, right)[seat], "you")]
        held = ((left, state[1]), (4, state[2]), (right, state[4]), (7, state[5]))
        return frozenset([*things, *((cell, ("onion", "soup")[what - 1]) for cell, what in held if what)])

    rules = (
        "Two cooks make soup and share its points; both act at the same time. The left cook walks up and down in the "
        "left column, the right cook in the right column, rows 1 to 3 from the top. Use does what can be done in the "
        "row where a cook stands. Left cook: in row 1 it takes an onion, in row 2 it puts it onto the empty counter in "
        "the middle. Right cook: in row 2 it takes the onion from the counter, in row 3 it puts it into the pot or "
        "takes the soup that has been made of it, in row 1 it serves the soup: 1 point for both. A cook holds one "
        "thing. In the middle column row 2 is the counter and row 3 the pot. After each step the game ends with "
        "probability 0.05."
    )
    return build("kitchen", rules, ("stay", "up", "down", "use"), {(1, 0, 0, 1, 0, 0): 1.0}, look, moves)


USE, WAYS = 3, (0, -1, 1, 0)


# Exact play. A table float64[V, A] holds the choices of both seats, each in its own views.


def uniform(open_to: np.ndarray) -> np.ndarray:
    return open_to / open_to.sum(axis=-1, keepdims=True)


def chain(world: World, first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """From state to state float64[S, S], and what is paid on the way float64[S, 2], with a table in each seat."""
    state, one, two = world.at.T
    weight = first[world.view[state, 0], one] * second[world.view[state, 1], two]
    spread = csr_array((weight, (state, np.arange(len(state)))), shape=(len(world.view), len(state)))
    return (spread @ world.go).toarray(), spread @ world.pay


def worth(world: World, first: np.ndarray, second: np.ndarray, patience: float = 1.0) -> np.ndarray:
    """float64[S, 2]: what each player gets from a state on."""
    onward, paid = chain(world, first, second)
    return np.linalg.solve(np.eye(len(paid)) - patience * onward, paid)


def visits(world: World, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """float64[S]: how often an episode comes to each state, on average."""
    onward, paid = chain(world, first, second)
    return np.linalg.solve(np.eye(len(paid)) - onward.T, world.start)


def seated(own: np.ndarray, other: np.ndarray, seat: int) -> tuple[np.ndarray, np.ndarray]:
    return (own, other) if seat == 0 else (other, own)


def settle(world: World, score: np.ndarray, sign: np.ndarray | int = 1) -> np.ndarray:
    """By value iteration: float64[K], what each pair of actions is worth to who chooses, in `score` float64[K].

    In a state with `sign` 1 the pair with the most is chosen, with -1 the one with the least, which is worth its
    negative.
    """
    first, value = np.searchsorted(world.at[:, 0], np.arange(len(world.view))), np.zeros(len(world.view))
    sign = np.broadcast_to(sign, len(value))
    while True:
        gain = sign[world.at[:, 0]] * (score + world.go @ value)
        new = sign * np.maximum.reduceat(gain, first)
        if np.abs(new - value).max() < 1e-12:
            return gain
        value = new


def chosen(world: World, gain: np.ndarray, one: bool = False) -> np.ndarray:
    """bool[V, A]: the actions in the best pairs of each state, or in the first such pair alone."""
    first = np.searchsorted(world.at[:, 0], np.arange(len(world.view)))
    best = gain > np.maximum.reduceat(gain, first)[world.at[:, 0]] - 1e-9
    rows = np.flatnonzero(best)
    if one:
        rows = rows[np.unique(world.at[rows, 0], return_index=True)[1]]
    open_to = np.zeros_like(world.legal)
    for seat in (0, 1):
        open_to[world.view[world.at[rows, 0], seat], world.at[rows, 1 + seat]] = True
    return open_to


def respond(world: World, other: np.ndarray, patience: float = 1.0) -> np.ndarray:
    """In both seats the best response to `other`, by policy iteration; equal actions are equally likely.

    A view stands for several states in Kuhn poker. They are weighed by how often they come where the responder plays
    at random, which with perfect recall is in proportion to what the others and chance contribute.
    """
    table = uniform(world.legal)
    for seat in (0, 1):
        own, other_view = world.view[:, seat], world.view[:, 1 - seat]
        mine = world.seat == seat
        state, act, reply = world.at[:, 0], world.at[:, 1 + seat], world.at[:, 2 - seat]
        weigh = visits(world, *seated(uniform(world.legal), other, seat)) + NUDGE
        total = np.bincount(own, weigh, minlength=len(mine))
        total[total == 0] = 1  # views of the other seat
        before = -np.inf
        for _ in range(100):
            value = worth(world, *seated(table, other, seat), patience)[:, seat]
            gain = world.pay[:, seat] + patience * (world.go @ value)
            q = np.zeros(world.legal.shape)
            np.add.at(q, (own[state], act), weigh[state] * other[other_view[state], reply] * gain)
            q = np.where(world.legal, q / total[:, None], -np.inf)
            table[mine] = uniform(q >= q.max(axis=1, keepdims=True) - 1e-7)[mine]
            if value.sum() <= before + 1e-9:
                break
            before = value.sum()
    return table


# The examination.


class Mind(NamedTuple):
    """What an agent does, and what it thinks that the other does: float64[V, A] each."""

    play: np.ndarray
    guess: np.ndarray


class Exam(NamedTuple):
    """A game with its answers.

    other    float64[V, A], whom recorded games watch: the house, or an optimal player
    seen     float64[V], the share of each view in recorded games, in which the agent's own moves are half at random;
             one of the two has a choice there
    asked    float64[V], the same where the other has a choice
    oracle   plays optimally and knows what the other does: guess is the probability of each action, given the view
    random   of all that is legal
    returns, accuracies  of random and oracle, the ends of the scales
    """

    world: World
    other: np.ndarray
    seen: np.ndarray
    asked: np.ndarray
    oracle: Mind
    random: Mind
    returns: tuple[float, float]
    accuracies: tuple[float, float]


@lru_cache(maxsize=1)
def examination() -> tuple[Exam, ...]:
    return tuple(set_exam(world) for world in (kuhn(), board(), coins(), kitchen()))


def set_exam(world: World) -> Exam:
    if world.house is None:
        optimal = uniform(chosen(world, settle(world, world.pay.mean(axis=1)), one=True))
        other = optimal
    else:
        other = world.house
        optimal = respond(world, other)
    recorded = (optimal + uniform(world.legal)) / 2
    often, truth = forecast(world, recorded, other)
    asked = np.where(world.theirs.sum(axis=1) > 1, often, 0)
    seen = np.where(world.legal.sum(axis=1) > 1, often, asked)
    oracle, random = Mind(optimal, truth), Mind(uniform(world.legal), uniform(world.theirs))
    exam = Exam(world, other, seen / seen.sum(), asked / asked.sum(), oracle, random, (0.0, 1.0), (0.0, 1.0))
    return exam._replace(
        returns=(mean_return(world, random.play), mean_return(world, oracle.play)),
        accuracies=(accuracy(exam, random.guess), accuracy(exam, oracle.guess)),
    )


def forecast(world: World, own: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How often each view comes where `own` meets `other` in both seats, float64[V], and what `other` does, [V, A]."""
    seen, does = np.zeros(len(world.legal)), np.zeros(world.legal.shape)
    for seat in (0, 1):
        often = visits(world, *seated(own, other, seat)) + NUDGE
        np.add.at(seen, world.view[:, seat], often)
        np.add.at(does, world.view[:, seat], often[:, None] * other[world.view[:, 1 - seat]])
    return seen, does / seen[:, None]


def answer(guess: np.ndarray) -> np.ndarray:
    """The likeliest actions, float64[V, A], evenly where there are several."""
    return uniform(guess >= guess.max(axis=1, keepdims=True) - 1e-9)


def accuracy(exam: Exam, guess: np.ndarray) -> float:
    """How likely the answer is what the other does, in recorded games."""
    return float(exam.asked @ (answer(guess) * exam.oracle.guess).sum(axis=1))


def mean_return(world: World, table: np.ndarray) -> float:
    """What an episode pays on average: against the house in both seats, or with itself the mean of the two."""
    if world.house is None:
        return float((world.start @ worth(world, table, table)).mean())
    paid = [world.start @ worth(world, *seated(table, world.house, seat)) for seat in (0, 1)]
    return float(paid[0][0] + paid[1][1]) / 2


def scale(number: Any, ends: tuple[float, float]) -> Any:
    """0 where random play is, 100 where optimal play is."""
    return 100 * (number - ends[0]) / (ends[1] - ends[0])


def scripted(exam: Exam, settings: Settings) -> Mind:
    """The agents that do not learn. One of level k takes the other for one of level k - 1 (Stahl and Wilson 1995)."""
    world = exam.world
    if settings.agent in ("random", "oracle"):
        return exam.random if settings.agent == "random" else exam.oracle
    if settings.agent == "planner":
        return Mind(respond(world, exam.other, settings.patience), exam.oracle.guess)
    thought = levels(world.name)[settings.level - 1 : settings.level + 1]
    return Mind(thought[1], forecast(world, (thought[1] + exam.random.play) / 2, thought[0])[1])


@lru_cache(maxsize=8)
def levels(name: str) -> list[np.ndarray]:
    """Tables of levels 0, which is random, to 3, each the best response to the one before."""
    world = next(exam.world for exam in examination() if exam.world.name == name)
    found = [uniform(world.legal)]
    while len(found) < 4:
        found.append(respond(world, found[-1]))
    return found


def examine(
    bench: Sequence[Exam], minds: Sequence[Mind], settings: Settings, rng: np.random.Generator
) -> dict[str, Value]:
    """Both scores exactly, and the return in episodes that are played out."""
    own = [exam.returns for exam in bench]
    ends = own[1:] + own[:1] if settings.misanchored else own
    numbers, spread, played = {}, 0.0, []
    for exam, mind, anchors in zip(bench, minds, ends, strict=True):
        name, right = exam.world.name, accuracy(exam, mind.guess)
        numbers[f"return/{name}"] = scale(mean_return(exam.world, mind.play), anchors)
        numbers[f"accuracy/{name}"] = right
        numbers[f"prediction/{name}"] = scale(right, exam.accuracies)
        got = scale(play_out(exam.world, mind.play, episodes_of(exam, settings.episodes), rng), anchors)
        played.append(got.mean())
        spread += got.var(ddof=1) / len(got) / len(bench) ** 2
    for metric in ("return", "accuracy", "prediction"):
        numbers[metric] = float(np.mean([numbers[f"{metric}/{exam.world.name}"] for exam in bench]))
    numbers["lead"] = numbers["prediction"] - numbers["return"]
    found = {
        name: Value(float(number), "exact", None, "linear equations over all states")
        for name, number in numbers.items()
    }
    mean, wide = float(np.mean(played)), 1.96 * float(np.sqrt(spread))
    found["played"] = Value(
        mean, "sampled", (mean - wide, mean + wide), f"{settings.episodes} episodes, of Kuhn six times"
    )
    return found


def episodes_of(exam: Exam, episodes: int) -> int:
    return 6 * episodes if exam.world.name == "kuhn" else episodes


def play_out(world: World, table: np.ndarray, episodes: int, rng: np.random.Generator) -> np.ndarray:
    """float64[episodes]: what an agent is paid, in turn in each seat, or with itself the mean of the two."""

    def chooses(choices: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        return lambda views: draw(choices[views], rng)

    if world.house is None:
        return walk(world, (chooses(table), chooses(table)), episodes, rng).mean(axis=1)
    half, house = episodes // 2, chooses(world.house)
    first = walk(world, (chooses(table), house), half, rng)[:, 0]
    return np.concatenate([first, walk(world, (house, chooses(table)), episodes - half, rng)[:, 1]])


def walk(world: World, choosers: Any, episodes: int, rng: np.random.Generator, most: int = 100_000) -> np.ndarray:
    """float64[episodes, 2]: what both players get in so many episodes of `most` steps at most, side by side.

    choosers  of each seat, views int64[n] -> actions int64[n]
    """
    go, paid = world.go, np.zeros((episodes, 2))
    source = np.repeat(np.arange(go.shape[0]), np.diff(go.indptr))
    ladder = np.cumsum(go.data)
    ladder += source - np.concatenate([[0.0], ladder])[go.indptr[source]]  # the number of the row and the chance so far
    going, state = np.arange(episodes), rng.choice(len(world.view), size=episodes, p=world.start)
    while len(going) and most:
        one, two = (choose(world.view[state, seat]) for seat, choose in enumerate(choosers))
        row = world.row[state, one, two]
        paid[going] += world.pay[row]
        edge = np.searchsorted(ladder, row + rng.random(len(row)), side="right")
        on = edge < go.indptr[row + 1]
        going, state, most = going[on], go.indices[edge[on]], most - 1
    return paid


def draw(weights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """An action of each row float64[n, A]."""
    return (weights.cumsum(axis=1) > rng.random((len(weights), 1)) * weights.sum(axis=1, keepdims=True)).argmax(axis=1)


# The network and its twin. One network plays all four games; it has an output for each action of each game.


class Lessons(NamedTuple):
    """Views of all games in one row, and what was recorded of them.

    view  int64[games, lessons]; act and theirs int64, what the optimal player would do there and what the other did
    """

    view: np.ndarray
    act: np.ndarray
    theirs: np.ndarray


class Page(NamedTuple):
    """All views of all games, N in one row, in each form, and which outputs there are.

    image float32[N, 3, 32, 32], symbols float32[N, F], legal and theirs bool[N, outputs], first int64[games + 1]
    """

    image: torch.Tensor
    symbols: torch.Tensor
    legal: torch.Tensor
    theirs: torch.Tensor
    first: np.ndarray


@lru_cache(maxsize=1)
def lay_out() -> Page:
    worlds = [exam.world for exam in examination()]
    everything = [things for world in worlds for things in world.things]
    kinds = {thing: number for number, thing in enumerate(sorted(set().union(*everything)))}
    symbols = np.zeros((len(everything), len(kinds)), np.float32)
    for row, things in enumerate(everything):
        symbols[row, [kinds[thing] for thing in things]] = 1
    outputs = sum(len(world.words) for world in worlds)
    legal, theirs = np.zeros((2, len(everything), outputs), bool)
    row = column = 0
    first = [0]
    for world in worlds:
        views, actions = world.legal.shape
        legal[row : row + views, column : column + actions] = world.legal
        theirs[row : row + views, column : column + actions] = world.theirs
        row, column = row + views, column + actions
        first.append(row)
    image = torch.from_numpy(np.stack([paint(things) for things in everything]))
    seen, own, other = (torch.from_numpy(part) for part in (symbols, legal, theirs))
    return Page(image, seen, own, other, np.array(first))


def network(sees: str, rng: np.random.Generator) -> torch.nn.Module:
    """Two layers of convolutions over the picture, or one of weights over the symbols; then 64 units, and two heads."""
    page, nn = lay_out(), torch.nn
    outputs = 2 * page.legal.shape[1]
    if sees == "image":
        eye = [
            nn.Conv2d(3, 8, 5, stride=3, padding=1),
            nn.ReLU(),
            nn.Conv2d(8, 16, 3, stride=2),
            nn.ReLU(),
            nn.Flatten(),
        ]
        model = nn.Sequential(*eye, nn.Linear(256, 64), nn.ReLU(), nn.Linear(64, outputs))
    else:
        model = nn.Sequential(
            nn.Linear(page.symbols.shape[1], 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, outputs)
        )
    with torch.no_grad():
        for weight in model.parameters():  # He et al. (2015), arXiv:1502.01852, drawn from the cell's generator
            size = np.sqrt(2 / np.prod(weight.shape[1:])) if weight.ndim > 1 else 0.0
            weight.copy_(torch.from_numpy(rng.normal(0, size, tuple(weight.shape)) if size else np.zeros(weight.shape)))
    return model


def record(bench: Sequence[Exam], count: int, rng: np.random.Generator) -> Lessons:
    """Positions of recorded games in the share in which they come there."""
    page, column, found = lay_out(), 0, []
    for number, exam in enumerate(bench):
        view = rng.choice(len(exam.seen), size=count, p=exam.seen)
        acts = draw(exam.oracle.play[view], rng), draw(exam.oracle.guess[view], rng)
        found.append((page.first[number] + view, column + acts[0], column + acts[1]))
        column += len(exam.world.words)
    return Lessons(*(np.stack(part) for part in zip(*found, strict=True)))


def teach(
    bench: Sequence[Exam], inputs: Sequence[str], settings: Settings, rng: np.random.Generator, log: Any
) -> dict[str, list[Mind]]:
    """input -> Minds of the network that learned from it. Where there are several they have the same lessons."""
    page, streams = lay_out(), rng.spawn(5)
    models = {sees: network(sees, streams[("image", "symbols").index(sees)]) for sees in inputs}
    descents = {sees: torch.optim.Adam(model.parameters(), lr=settings.rate) for sees, model in models.items()}
    lessons, batches, shuffle = record(bench, settings.lessons, streams[2]), streams[3], streams[4]
    mixed = np.concatenate(
        [shuffle.permutation(np.arange(*ends)) for ends in zip(page.first, page.first[1:], strict=False)]
    )
    saved = log.restore() or {"update": 0, "rng": batches}
    for sees in inputs if saved["update"] else ():
        unpack(models[sees], descents[sees], saved[sees])
    swapped = settings.shuffled and settings.agent == "network"
    for update in range(saved["update"], settings.updates):
        pick = saved["rng"].integers(settings.lessons, size=(len(bench), settings.batch))
        view, act, theirs = (np.take_along_axis(part, pick, axis=1) for part in lessons)
        other = page.first[:-1, None] + (saved["rng"].random(view.shape) * np.diff(page.first)[:, None]).astype(int)
        shown, loss = (other if swapped else view).ravel(), {}
        for sees, model in models.items():
            logits = model(getattr(page, sees)[shown]).chunk(2, dim=1)
            truth = (page.legal, act), (page.theirs, theirs)
            losses = [
                torch.nn.functional.cross_entropy(
                    part.masked_fill(~legal[view.ravel()], -1e9), torch.from_numpy(target.ravel())
                )
                for part, (legal, target) in zip(logits, truth, strict=True)
            ]
            loss[sees] = losses[0] + losses[1]
            descents[sees].zero_grad()
            loss[sees].backward()
            descents[sees].step()
        if update + 1 == settings.updates or (update + 1) % 100 == 0:
            log.row(update + 1, **{f"loss/{sees}": float(value.detach()) for sees, value in loss.items()})
            packed = {sees: pack(models[sees], descents[sees]) for sees in inputs}
            log.checkpoint({"update": update + 1, "rng": saved["rng"], **packed})
    return {
        sees: read_off(bench, model, getattr(page, sees), mixed if swapped else None) for sees, model in models.items()
    }


@torch.no_grad()
def read_off(
    bench: Sequence[Exam], model: torch.nn.Module, inputs: torch.Tensor, mixed: np.ndarray | None
) -> list[Mind]:
    """What a network does and guesses in every view; with `mixed` int64[N] it is shown another one of the same game."""
    page, column, minds = lay_out(), 0, []
    logits = model(inputs if mixed is None else inputs[mixed]).double().chunk(2, dim=1)
    masked = (
        part.masked_fill(~legal, -torch.inf) for part, legal in zip(logits, (page.legal, page.theirs), strict=True)
    )
    play, guess = (part.softmax(dim=1).numpy() for part in masked)
    for number, exam in enumerate(bench):
        rows, actions = slice(*page.first[number : number + 2]), slice(column, column + len(exam.world.words))
        minds.append(Mind(play[rows, actions], guess[rows, actions]))
        column = actions.stop
    return minds


# The league: every agent in every game, by results that were drawn once, and drawn again from themselves.

LEAGUE = ("oracle", "random", "level_1", "level_2", "level_3", "impatient", "patient")
AS_THERE, ASKED_THERE, REDRAWN = 10, 400, 100  # episodes and positions of a game in the paper; bootstrap samples


def rank(
    bench: Sequence[Exam], agents: Mapping[str, Sequence[Mind]], settings: Settings, rng: np.random.Generator, log: Any
) -> dict[str, Value]:
    """How stable the ranks are, and what place the impatient player has by both scores and by one."""
    numbers = {}
    for metric, episodes in (("stability", settings.episodes), ("stability_as_there", AS_THERE)):
        results = [sit(exam, [minds[at] for minds in agents.values()], episodes, rng) for at, exam in enumerate(bench)]
        if settings.shuffled:
            deal = lambda part: rng.permuted(part.ravel()).reshape(part.shape)  # noqa: E731
            results = [(deal(got), deal(right)) for got, right in results]
        scores = means(results)
        again = [means([resample(pair, rng) for pair in results]) for _ in range(REDRAWN)]
        standing = rankdata(scores.mean(axis=0))
        numbers[metric] = np.mean([np.corrcoef(standing, rankdata(new.mean(axis=0)))[0, 1] for new in again])
        if metric == "stability":
            both, returns, predicts = (rankdata(-score.round(9)) for score in (scores.mean(axis=0), *scores))
            at = list(agents).index("impatient")
            numbers |= {"exposed": both[at] - predicts[at], "credited": returns[at] - both[at]}
            order = sorted(zip(both, agents, *scores, strict=True))
            lines = [
                f"{place:.0f}. {name}: return {got:.1f}, prediction {right:.1f}" for place, name, got, right in order
            ]
            log.example("\n".join(["By both scores:", *lines]))
    how = f"{settings.episodes} episodes and {ASKED_THERE} positions a game"
    return {name: Value(float(number), "sampled", None, how) for name, number in numbers.items()}


def sit(exam: Exam, minds: Sequence[Mind], episodes: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Of all agents: returns float64[agents, episodes] and right answers float64[agents, positions], on their scales.

    All are asked about the same positions.
    """
    got = np.stack([play_out(exam.world, mind.play, episodes_of(exam, episodes), rng) for mind in minds])
    view = rng.choice(len(exam.asked), size=ASKED_THERE, p=exam.asked)
    did = draw(exam.oracle.guess[view], rng)
    right = np.stack([answer(mind.guess)[view, did] for mind in minds])
    return scale(got, exam.returns), scale(right, exam.accuracies)


def resample(pair: tuple[np.ndarray, np.ndarray], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Episodes of each agent drawn again with replacement, and positions, the same for all (Efron 1979)."""
    got, right = pair
    episodes = np.stack([row[rng.integers(len(row), size=len(row))] for row in got])
    return episodes, right[:, rng.integers(right.shape[1], size=right.shape[1])]


def means(results: Sequence[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """float64[2, agents]: return and prediction, the mean over games."""
    return np.array([[part.mean(axis=1) for part in pair] for pair in results]).mean(axis=0)


def describe(world: World, view: int) -> str:
    """A view in words, one line for each thing."""
    order = sorted(world.things[view])
    return "\n".join(
        sprite if cell == FRAME else f"row {cell // 3 + 1}, column {cell % 3 + 1}: {sprite}" for cell, sprite in order
    )


def tell_guess(bench: Sequence[Exam], minds: Sequence[Mind]) -> str:
    """A position of the coin dilemma, the one that costs most accuracy, and what the agent makes of it."""
    exam, mind = bench[2], minds[2]
    missed = exam.asked * (exam.oracle.guess * (answer(exam.oracle.guess) - answer(mind.guess))).sum(axis=1)
    view = int(missed.argmax())
    does, expects, plays, best = (
        " or ".join(exam.world.words[action] for action in np.flatnonzero(answer(table[[view]])[0]))
        for table in (exam.oracle.guess, mind.guess, mind.play, exam.oracle.play)
    )
    return (
        f"Coins, as a player sees them:\n{describe(exam.world, view)}\nThe other goes {does}; expected: {expects}. "
        f"The agent itself goes {plays}; best for both: {best}."
    )


# What follows is asked of a real model only.

SERVED_POSITIONS, SERVED_STEPS = 12, 16
SERVED_EPISODES = {"kuhn": 16, "breakthrough": 6, "coins": 1, "kitchen": 1}
ALSO = {
    "kuhn": " The first row shows what was done so far, in its order, and the second row your card and the other's.",
    "breakthrough": " Cells are named as in chess: a1 is the lower left one. You are x where you go up, else o.",
}


def server(settings: Settings, rng: np.random.Generator, log: Any, model: Any) -> dict[str, Value]:
    """The model reads views as text, foresees the other in recorded positions, and plays; some 140 questions.

    In the arm shuffled the text is of another position of the game, with the legal actions of the right one. In the arm
    oracle the optimal player sits in the model's place. A reply that cannot be read is a wrong prediction, or a random
    action as in the authors' code, and is counted. Episodes have 16 steps at most, and so have those of the anchors.
    """
    reads = settings.agent == "network" and (settings.sees == "symbols" or settings.shuffled)
    if not reads and settings.agent != "oracle":
        raise ValueError(
            f"agent is {settings.agent} and sees {settings.sees}, which no served model is asked for: it reads text; "
            "ask the arms symbolic, shuffled or oracle"
        )
    tally = {"asked": 0, "unread": 0}
    scores: dict[str, list[float]] = {"accuracy": [], "return": []}
    for exam in examination():
        world = exam.world

        def agent(views: np.ndarray, foresee: bool = False, exam: Exam = exam) -> np.ndarray:
            if settings.agent == "oracle":
                return draw((answer(exam.oracle.guess) if foresee else exam.oracle.play)[views], rng)
            said = ask(model, exam.world, views, foresee, settings.shuffled, rng, log, tally)
            return said if foresee else np.where(said < 0, draw(exam.random.play[views], rng), said)

        def house(views: np.ndarray, exam: Exam = exam) -> np.ndarray:
            return draw(exam.other[views], rng)

        view = rng.choice(len(exam.asked), size=3 if log.quick else SERVED_POSITIONS, p=exam.asked)
        did = draw(exam.oracle.guess[view], rng)
        right = float((agent(view, foresee=True) == did).mean())
        half = max(1, (2 if log.quick else SERVED_EPISODES[world.name]) // 2)
        if world.house is None:
            got = walk(world, (agent, agent), half, rng, SERVED_STEPS)
        else:
            sides = [walk(world, pair, half, rng, SERVED_STEPS) for pair in ((agent, house), (house, agent))]
            got = np.stack([sides[0][:, 0], sides[1][:, 1]])
        anchors = capped(world, exam.random.play), capped(world, exam.oracle.play)
        scores["accuracy"].append(right)
        scores["return"].append(scale(float(got.mean()), anchors))
    how = f"{SERVED_POSITIONS} positions a game; episodes: {SERVED_EPISODES}"
    found = {f"served_{name}": Value(float(np.mean(score)), "sampled", None, how) for name, score in scores.items()}
    found["unreadable"] = Value(tally["unread"] / max(tally["asked"], 1), "exact", None, f"of {tally['asked']} replies")
    log.row(tally["asked"], **found)
    return found


def ask(
    model: Any, world: World, views: np.ndarray, foresee: bool, shuffled: bool, rng: Any, log: Any, tally: dict
) -> Any:
    """Actions int64[n] of the model, or those that it foresees; -1 where a reply cannot be read."""
    open_to = (world.theirs if foresee else world.legal)[views]
    actions, rows = open_to.argmax(axis=1), np.flatnonzero(open_to.sum(axis=1) > 1)
    shown = rng.integers(len(world.things), size=len(views)) if shuffled else views
    prompts = [question(world, int(shown[row]), open_to[row], foresee) for row in rows]
    replies = model.ask(prompts, rng.integers(2**31, size=len(rows)).tolist()) if prompts else []
    for row, reply in zip(rows, replies, strict=True):
        said = read(reply.text, labels(world.words), open_to[row], reply.status, reply.reasoning)
        actions[row] = said.action if said.kind == "legal" else -1
        tally["asked"], tally["unread"] = tally["asked"] + 1, tally["unread"] + (said.kind != "legal")
    if prompts:
        log.example(f"{prompts[0][0]['content']}\n\nThe model\n{printable(replies[0].text)}")
    return actions


def capped(world: World, table: np.ndarray) -> float:
    """The mean return of a table in episodes of at most SERVED_STEPS steps."""
    seats = [(table, table)] * 2 if world.house is None else [seated(table, world.house, seat) for seat in (0, 1)]
    total = 0.0
    for seat, tables in enumerate(seats):
        onward, paid = chain(world, *tables)
        value = np.zeros_like(paid)
        for _ in range(SERVED_STEPS):
            value = paid + onward @ value
        total += float(world.start @ value[:, seat]) / 2
    return total


def question(world: World, view: int, open_to: np.ndarray, foresee: bool) -> list[dict[str, str]]:
    """The rules, a view in words, and what is asked: the own action, or the other's next one."""
    names = " ".join(f"[{word}]" for word, legal in zip(world.words, open_to, strict=True) if legal)
    ask = (
        f"Which action will the other player take next? It can take: {names}."
        if foresee
        else f"Which action do you take? You can take: {names}."
    )
    text = (
        f"{world.rules}{ALSO.get(world.name, '')}\n\n"
        f"What you see, rows counted from the top and columns from the left:\n{describe(world, view)}\n\n"
        f"{ask} Answer with one action in its square brackets and nothing else."
    )
    return [{"role": "user", "content": text}]


def printable(text: str) -> str:
    """A reply for the page: its first 2,000 characters, without any that steer a terminal."""
    return "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in text[:2000])


RECIPE = Recipe(
    slug="vs-bench",
    arms=ARMS,
    run=run,
    server=server,
    claims=(
        Equivalent("oracle", than=100.0, metric="played", margin=2.0, control="oracle_misanchored"),
        Equivalent("random", than=0.0, metric="played", margin=2.0, control="random_misanchored"),
        Higher("symbolic", than="image", metric="return"),
        Higher("symbolic", than="image", metric="prediction"),
        Higher("impatient", than="image", metric="prediction"),
        Lower("impatient", than="image", metric="return", control="oracle"),
        Trend(
            (("patient", 1.0), ("patience_50", 0.5), ("impatient", 0.0)),
            metric="lead",
            direction="lower",
            control="impatient",
        ),
        Higher("league", than=0.9, metric="stability", scope="transfer", control="league_shuffled"),
        Higher("league", than=0.0, metric="exposed", by=1.0, scope="transfer", control="league_shuffled"),
        Higher("league", than=0.0, metric="credited", by=1.0, scope="transfer", control="league_shuffled"),
        Higher("image", than="shuffled", metric="return", by=10.0, scope="transfer"),
        Higher("symbolic", than="shuffled", metric="served_accuracy", scope="server"),
        Lower("symbolic", than=100.0, metric="served_return", by=50.0, scope="server", control="oracle"),
    ),
    control="shuffled",
    seeds=8,
    minutes=3,
    quick={"updates": 3, "lessons": 40, "batch": 8, "episodes": 20},
    metrics={
        "return": ("points", "exact mean return on the scale from random 0 to optimal 100, the mean over games"),
        "played": ("points", "the same in episodes that are played out"),
        "accuracy": (
            "share",
            "of recorded positions in which the other's next action is foreseen, the mean over games",
        ),
        "prediction": ("points", "accuracy on the scale from random 0 to 100, who knows what the other does"),
        "lead": ("points", "prediction less return"),
        "stability": ("correlation", "of ranks with those of results drawn anew, Spearman's, the mean over 100 draws"),
        "stability_as_there": ("correlation", "the same with as few episodes as in the paper"),
        "exposed": ("places", "that the impatient player falls where its return counts beside its prediction"),
        "credited": ("places", "that it rises where its prediction counts beside its return"),
        "loss": ("nats", "of the actions to play and to foresee, on the last batch"),
        "served_accuracy": ("share", "of positions in which a served model foresees the other's next action"),
        "served_return": ("points", "what a served model returns on the scale from random 0 to optimal 100"),
        "unreadable": ("share", "of a served model's replies that name no legal action"),
    },
    watch="return",
)
