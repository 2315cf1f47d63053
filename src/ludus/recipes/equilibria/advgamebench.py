"""AdvGameBench: what a plan's revisions and its price say of an agent that its wins do not.

Paper     Tracing LLM Reasoning Processes with Strategic Games: A Framework for Planning, Revision, and
          Resource-Constrained Decision Making. Yuan, Zhang, Xu, Xu, Yu, Wang, Dong, Wang (2025), arXiv:2506.12012.
          The metrics are those of the authors' evaluators, compute_metrics in Tower_Defense/evaluator.py and
          Turn-based/evaluator.py of github.com/xia0pengyuan/AdvGameBench; so is who sees what (Auto-battler/battle.py).
There     Language models write plans under a budget for tower defence, an auto-battler and turn-based combat; a
          simulator plays them, both sides revise in turn. 12 models, 4,320 rounds: o3-mini wins 74.7% and 78.6% of its
          corrections succeed; Qwen-Plus corrects in 81.6% of its turns and wins 25.6%. Over-correction risk and
          correction success correlate by -0.51, p = 0.093.
Here      Three games of 125 plans a side, three choices out of five each, every plan against every other simulated
          once. 50 agents a seed, planted with five knobs drawn independently: how likely they look for another plan
          after a lost round and after a won one, how many plans they try in their head, how that number grows in a
          match, and how often they mind the budget. Each plays 360 rounds, as many as there are for each model there,
          against a searching opponent. No knob is a metric: the probabilities of revising act on over-correction risk
          through how often a round is lost and whether the new plan has another price; plans tried act on correction
          success through the share of plans that beat the opponent's; their growth acts on the slope through the rounds
          that are revised, against an opponent that hardens; and carelessness overspends where a dear plan is drawn and
          looks like winning. Since both sides choose by known odds, the expected metrics of an agent follow exactly by
          dynamic programming over pairs of plans; they are the truth that is to be recovered. 12 seeds.
          A served model writes and revises plans of the same games, 198 questions a cell.
Claims    Of the paper: 1. over-correction risk and correction success are negatively correlated among agents drawn
          independently. 2-5. Over-correction risk, correction success, slope and over-budget ratio each order agents
          of equal win rate (exact, within 0.01) rightly, by 0.2 more often than the win rate does (ablation: win rate
          only).
          Of the harness: 6-10. the 95% interval of each, and of the win rate, covers the exact value for more than 90%
          of agents. 11-15. Its rank correlation with the exact value is above 0.9. 16. So is the slope's with ten times
          the rounds. 17-20. The rank correlation with the knob it stands for is above 0.9: over-correction risk with
          the mean probability of revising, correction success with the plans tried, slope with their growth,
          over-budget ratio with carelessness. 21. And over-correction risk's with the probability of revising what has
          won: it sees unneeded revisions.
          22. The correlation of claim 1 falls, by 0.1 at least, from agents that revise regardless of the outcome to
          agents that revise after losses only (control: regardless).
          23, 24. Correction success and slope lose their knobs as outcomes become coins.
          With a model server: 25. corrections succeed more often, by 0.1, after the match's own feedback than after
          another match's (control: the opponent's plan is not shown).
          The control deals outcomes, and plans apart from them, out among all agents' rounds.
Leaves    The text of the paper could not be read, only its abstract, summaries and the authors' code. That code calls
          the first metric the correction rate; that it is the over-correction risk is our reading, since the code has
          five metrics and the paper as many names. It counts a correction where the price of the plan changes, so a new
          plan of the same price is none: the column `unseen` says how many. Differences are taken within a match, where
          the code runs on over the border of two; the initial plan is no row, as there. The games are small ones of our
          own after the authors' (their tower defence has five lanes and eleven columns, their teams seven cards with
          abilities, of their turn-based rules nothing could be read), the agent has one of the two roles and always
          moves first, and the opponent is a searcher that changes its plan only when it has lost. A tiny language model
          is left out: it would have no known knob. Planted agents draw every plan anew and forget what they tried.
          All margins were set before any run. Pilots on generator 999 (three of the games and the exact values, one of
          all arms with two seeds) set the budgets so that every plan within one's budget can be beaten within the
          other's, and a guard's block, and took 60 agents down to 50 for time. The last one showed correlations of
          -0.17 (claim 1), rank correlations of 0.87 for correction success and 0.68 for the slope, 0.76, 0.77 and 0.57
          with the knobs in claims 17 to 19, 0.13 in claim 21, and a separation by slope that is 0.15 above the win
          rate's: claims that are likely to fail were left as the catalogue wants them.
          In the record the correlation of claim 1 is -0.10 even among agents that revise regardless of the outcome.
          What is left there comes of counting by price: a new plan of an agent that minds the budget, or tries more
          plans, more often costs as much as the old one (0.39 and 0.18 over 120 agents of another generator, looked at
          after the record). Claim 21 as good as excludes that the first metric tells unneeded revisions: its rank
          correlation with them is 0.08. Exact values and knobs are two yardsticks: a metric can be measured well and
          still mix several knobs (claims 11 and 17). Claims 6 to 9 are undecided, with coverage from 0.907 to 0.922:
          12 seeds of 50 agents are too few to tell that from 0.9.
          Where every outcome is a coin all agents' exact correction success is 0.5 and slope 0, so that the column
          `r_exact`, and `rank` of these two, speak of rounding there; no claim uses them.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any, Literal, NamedTuple

import numpy as np
from scipy.stats import binomtest, spearmanr

from ludus.agents.replies import spoken
from ludus.records import Value
from ludus.study import Higher, Lower, Recipe, Trend

PLANS = np.array(list(product(range(5), repeat=3)))  # int64[125, 3]: a plan is three choices out of five
METRICS = ("orr", "csr", "slope", "obr", "win")
RESAMPLES = 400


@dataclass(frozen=True)
class Settings:
    """One arm.

    readings  "metrics", or "win_only": the win rate stands in the place of every metric
    rounds    "own", or "dealt": outcomes, and apart from them plans, are dealt out among all agents' rounds
    linked    whether the probability of revising after a won round is that after a lost one, times 1 - care
    care      how much less agents revise after won rounds, where linked
    luck      how often the outcome of a round is a coin
    agents    how many are drawn
    matches   of each agent, in each game
    times     how many times as many matches are played
    turns     of the agent in a match
    """

    readings: Literal["metrics", "win_only"] = "metrics"
    rounds: Literal["own", "dealt"] = "own"
    linked: bool = False
    care: float = 0.0
    luck: float = 0.0
    agents: int = 50
    matches: int = 12
    times: int = 1
    turns: int = 10

    def __post_init__(self) -> None:
        for name, rule, kept in (
            ("care", "from 0 to 1", 0 <= self.care <= 1),
            ("luck", "from 0 to 1", 0 <= self.luck <= 1),
            ("agents", "at least 5", self.agents >= 5),
            ("matches", "at least 2", self.matches >= 2),
            ("times", "at least 1", self.times >= 1),
            ("turns", "at least 2", self.turns >= 2),
        ):
            if not kept:
                raise ValueError(
                    f"setting {name} is {rule}; got {getattr(self, name)}. Change it with --set {name}=..."
                )


ARMS = {
    "paper": Settings(),
    "win_only": Settings(readings="win_only"),
    "tenfold": Settings(times=10),
    "restless": Settings(linked=True),
    "halfway": Settings(linked=True, care=0.5),
    "responsive": Settings(linked=True, care=1.0),
    "luck_half": Settings(luck=0.5),
    "luck_all": Settings(luck=1.0),
    "dealt": Settings(rounds="dealt"),
}


# The games: every plan against every other, once


class Contest(NamedTuple):
    """A game between plans.

    name, rules  the rules for a reader, and for a served model
    own, theirs  the five choices of each side in words
    cost         int64[125], of own plans
    budget       what an own plan may cost; the fight is lost by a plan that costs more
    allowed      bool[125], own plans within the budget
    open         bool[125], the opponent's plans within its budget, which it keeps
    fights       bool[125, 125]: whether the own plan (row) wins the fight, budgets apart
    """

    name: str
    rules: str
    own: tuple[str, ...]
    theirs: tuple[str, ...]
    cost: np.ndarray
    budget: int
    allowed: np.ndarray
    open: np.ndarray
    fights: np.ndarray

    @property
    def won(self) -> np.ndarray:
        """bool[125, 125]: whether the round is won: the fight, and within the budget."""
        return self.fights & self.allowed[:, None]


@lru_cache(maxsize=1)
def contests() -> tuple[Contest, ...]:
    return tower_defence(), auto_battler(), turn_based()


def contest(name: str, rules: str, own: list, theirs: list, budgets: tuple[int, int], fights: np.ndarray) -> Contest:
    """own and theirs are (words, price, ...) for each of the five choices."""
    cost, other = (np.array([choice[1] for choice in side])[PLANS].sum(axis=1) for side in (own, theirs))
    words, others = (tuple(choice[0] for choice in side) for side in (own, theirs))
    return Contest(name, rules, words, others, cost, budgets[0], cost <= budgets[0], other <= budgets[1], fights)


def tower_defence() -> Contest:
    """Three lanes. Prices, health and damage of soldiers and demons are the authors'; that a demon bites once a
    second is ours."""
    soldiers = [  # words, price, damage a second, health in front of a demon, whether it reaches the air only
        ("nobody", 0, 0, 0, False),
        ("handgun", 100, 1, 3, False),
        ("shielded-handgun", 150, 1, 18, False),
        ("rifle", 200, 2, 3, False),
        ("anti-air", 100, 1, 2, True),
    ]
    demons = [  # words, price, health (an armoured one takes 30% of all damage), whether it flies
        ("nobody", 0, 0, False),
        ("normal", 100, 10, False),
        ("great", 200, 20, False),
        ("armoured", 200, 10 / 0.3, False),
        ("flying", 200, 10, True),
    ]
    held = np.array([[holds(soldier, demon) for demon in demons] for soldier in soldiers])
    fights = held[PLANS[:, None], PLANS[None]].all(axis=2)
    rules = (
        "Three lanes. A demon walks down its lane for 14 seconds, shot at once a second; then it bites the soldier for "
        "1 a second, shot at as before, and when the soldier is dead it passes. A flying demon is reached by anti-air "
        "only and does not stop; anti-air reaches nothing else. You win if no demon passes.\n"
        "Your soldiers (price; damage a second; health): nobody (0), handgun (100; 1; 3), shielded-handgun (150; 1; "
        "18), rifle (200; 2; 3), anti-air (100; 1; 2).\n"
        "Demons (price; health): normal (100; 10), great (200; 20), armoured (200; 33.4), flying (200; 10).\n"
        "A plan names the soldier of lanes 1, 2 and 3."
    )
    return contest("tower defence", rules, soldiers, demons, (450, 400), fights)


def holds(soldier: tuple, demon: tuple) -> bool:
    """Whether a lane is held: the shots while the demon walks and bites, in seconds, against its health."""
    _, _, damage, health, air_only = soldier
    _, _, wanted, flies = demon
    seconds = (14 if air_only else 0) if flies else (0 if air_only or damage == 0 else 14 + health)
    return bool(damage * seconds >= wanted)


CARDS = [  # words, price, attack, health, element, whether shielded; fire > nature > water > earth > fire
    ("nobody", 0, 0, 0, 0, False),
    ("lizard", 1, 3, 2, 0, False),
    ("beetle", 2, 1, 7, 3, False),
    ("guardian", 3, 3, 3, 2, True),
    ("treant", 4, 4, 6, 1, False),
]


def auto_battler() -> Contest:
    """Three cards in order. The cycle of elements and who wins when both are gone are the authors'; that it doubles
    attacks, and the numbers, are ours."""
    attack, health, element = (np.array([card[at] for card in CARDS]) for at in (2, 3, 4))
    shield = np.array([card[5] for card in CARDS])
    size = len(PLANS)
    left = [np.broadcast_to(health[PLANS][:, None], (size, size, 3)).copy() for _ in range(2)]
    left[1] = left[1].transpose(1, 0, 2).copy()
    card = [np.broadcast_to(PLANS[:, None], (size, size, 3)), np.broadcast_to(PLANS[None], (size, size, 3))]
    veil = [shield[each] for each in card]
    while True:
        alive = [np.any(each > 0, axis=2) for each in left]
        both = alive[0] & alive[1]
        if not both.any():
            break
        front = [(each > 0).argmax(axis=2)[..., None] for each in left]
        kind = [np.take_along_axis(each, at, 2)[..., 0] for each, at in zip(card, front, strict=True)]
        for side in (0, 1):  # both strike at the same moment
            me, foe = kind[side], kind[1 - side]
            struck = attack[me] * np.where((element[me] + 1) % 4 == element[foe], 2, 1)
            at = front[1 - side]
            veiled = np.take_along_axis(veil[1 - side], at, 2)[..., 0]
            before = np.take_along_axis(left[1 - side], at, 2)[..., 0]
            after = np.where(both & ~veiled, before - struck, before)
            np.put_along_axis(left[1 - side], at, after[..., None], 2)
            np.put_along_axis(veil[1 - side], at, (veiled & ~both)[..., None], 2)
    rules = (
        "Each side lines up three cards. The first cards that are alive strike each other at the same moment, over and "
        "over, until one side has none left; it loses. If both are gone you lose. An attack is doubled against the "
        "element it beats: fire beats nature, nature water, water earth, earth fire. A shield takes the first strike.\n"
        "Cards of both sides (price; attack; health): nobody (0), lizard (1; 3; 2; fire), beetle (2; 1; 7; earth), "
        "guardian (3; 3; 3; water; shielded), treant (4; 4; 6; nature).\n"
        "A plan names the three cards, the first in front."
    )
    return contest("auto-battler", rules, CARDS, CARDS, (8, 7), alive[0])


SKILLS = [  # words, price, damage, blocked, element; flame > vine > tide > flame
    ("strike", 0, 2, 0, -1),
    ("guard", 1, 1, 3, -1),
    ("tide", 2, 4, 0, 2),
    ("vine", 2, 4, 0, 1),
    ("flame", 3, 5, 0, 0),
]


def turn_based() -> Contest:
    """A cycle of three skills, repeated for twelve turns. A skill's price is paid in skill points. Numbers are ours."""
    damage, block, element = (np.array([skill[at] for skill in SKILLS]) for at in (2, 3, 4))
    size = len(PLANS)
    health = np.full((2, size, size), 24)
    for turn in range(12):
        chosen = np.broadcast_arrays(PLANS[:, turn % 3, None], PLANS[None, :, turn % 3])
        going = (health > 0).all(axis=0)
        for side in (0, 1):
            me, foe = chosen[side], chosen[1 - side]
            beats = (element[me] >= 0) & (element[foe] == (element[me] + 1) % 3)
            hurt = np.maximum(damage[me] * np.where(beats, 2, 1) - block[foe], 0)
            health[1 - side] -= np.where(going, hurt, 0)
    own, its = health
    rules = (
        "Two fighters with 24 health use a skill each, at the same moment, for twelve turns: the three skills of their "
        "plan, over and over. A skill does double damage to one whose skill of that turn it beats: flame beats vine, "
        "vine tide, tide flame. Whoever has 0 or less is out. You win with more health than the other at the end; on a "
        "draw you lose.\n"
        "Skills of both (skill points; damage): strike (0; 2), guard (1; 1, and blocks 3), tide (2; 4), vine (2; 4), "
        "flame (3; 5).\nA plan names three skills in order."
    )
    return contest("turn-based combat", rules, SKILLS, SKILLS, (5, 5), own > its)


# The agents: knobs, and how a plan is revised


class Agents(NamedTuple):
    """Planted agents, float64[A] each.

    lost, won   probability of looking for another plan after a lost round, and after a won one
    insight     base-2 logarithm of how many plans are tried in the head, halfway through a match
    growth      by how much that grows from the first turn of a match to the last
    discipline  probability that a search keeps to the plans within the budget
    """

    lost: np.ndarray
    won: np.ndarray
    insight: np.ndarray
    growth: np.ndarray
    discipline: np.ndarray


def draw_agents(settings: Settings, rng: np.random.Generator) -> Agents:
    lost, won, discipline = rng.random((3, settings.agents))
    if settings.linked:
        won = (1 - settings.care) * lost
    return Agents(lost, won, rng.uniform(0, 3, settings.agents), rng.uniform(-2, 2, settings.agents), discipline)


OPPONENT = 2  # how many plans the opponent tries when it has lost


def widths(agents: Agents, turns: int) -> np.ndarray:
    """float64[A, T]: plans tried, at least one; of a fraction one more is tried with that probability."""
    into = np.linspace(-0.5, 0.5, turns)
    return np.maximum(2.0 ** (agents.insight[:, None] + agents.growth[:, None] * into), 1)


class Records(NamedTuple):
    """What is written down in one game after every turn of the agent, [A, M, T] each.

    won  bool; plan  int64, the agent's; foe  int64, the opponent's that it met
    """

    won: np.ndarray
    plan: np.ndarray
    foe: np.ndarray


def search(
    fights: np.ndarray, pools: list, which: np.ndarray, foe: np.ndarray, width: np.ndarray, rng: Any
) -> np.ndarray:
    """Plans int64[...]: the first of `width` drawn from a pool that wins the fight against `foe`, else the last drawn.

    pools are arrays of plans, which int64[...] says whose turn it is for each; width float64[...]
    """
    count = np.floor(width + rng.random(width.shape)).astype(int)
    plan, found = np.zeros(foe.shape, int), np.zeros(foe.shape, bool)
    for tried in range(int(count.max())):
        coin = rng.random(foe.shape)
        drawn = np.choose(which, [pool[(coin * len(pool)).astype(int)] for pool in pools])
        plan = np.where(found | (tried >= count), plan, drawn)
        found |= (tried < count) & fights[plan, foe]
    return plan


def play(agents: Agents, game: Contest, settings: Settings, rng: np.random.Generator) -> Records:
    """All matches of all agents: the agent revises, the round is noted, the opponent revises where it lost."""
    shape, width = (len(agents.lost), settings.matches * settings.times), widths(agents, settings.turns)
    pools = [np.arange(125), np.flatnonzero(game.allowed)]
    lost, kept, disciplined = (each[:, None] for each in (agents.lost, agents.won, agents.discipline))
    one = np.ones(shape)

    def outcome(mine: np.ndarray, its: np.ndarray) -> np.ndarray:
        coin = rng.random((2, *shape))
        return np.where(coin[0] < settings.luck, coin[1] < 0.5, game.won[mine, its])

    def look(its: np.ndarray, width: np.ndarray) -> np.ndarray:
        return search(game.fights, pools, (rng.random(shape) < disciplined).astype(int), its, width, rng)

    theirs = np.flatnonzero(game.open)
    its = theirs[rng.integers(len(theirs), size=shape)]
    mine = look(its, one)  # one plan at random
    notes = []
    for turn in range(settings.turns):
        revises = rng.random(shape) < np.where(outcome(mine, its), kept, lost)
        mine = np.where(revises, look(its, width[:, turn, None] * one), mine)
        won = outcome(mine, its)
        notes.append((won, mine, its))
        reply = search(~game.fights.T, [theirs], np.zeros(shape, int), mine, OPPONENT * one, rng)
        its = np.where(won, reply, its)
    return Records(*(np.stack(each, axis=2) for each in zip(*notes, strict=True)))


# The metrics, as the authors compute them


def sums(seen: Records, game: Contest) -> np.ndarray:
    """float64[A, M, 6], by match: wins, rounds over budget, turns, corrections, their successes, slope.

    A correction is a turn whose plan costs something else than the one before, from the second turn on.
    """
    cost = game.cost[seen.plan]
    corrected = cost[..., 1:] != cost[..., :-1]
    turns = cost.shape[2]
    into = np.arange(turns) - (turns - 1) / 2
    parts = (
        seen.won.sum(axis=2),
        (cost > game.budget).sum(axis=2),
        np.full(seen.won.shape[:2], turns),
        corrected.sum(axis=2),
        (corrected & seen.won[..., 1:]).sum(axis=2),
        seen.won @ into / (into @ into),
    )
    return np.stack(parts, axis=2).astype(float)


def metrics(added: np.ndarray, matches: float) -> np.ndarray:
    """float64[..., 5] in the order of METRICS, from sums over matches float64[..., 6] of one game.

    orr  corrections a turn; csr  corrections whose round is won, 0 without any; slope  of the line of least squares
    through the outcomes of a match; obr  rounds over budget; win  rounds won
    """
    wins, over, turns, corrections, successes, slope = np.moveaxis(added, -1, 0)
    csr = np.divide(successes, corrections, out=np.zeros_like(successes), where=corrections > 0)
    return np.stack([corrections / (turns - matches), csr, slope / matches, over / turns, wins / turns], axis=-1)


def measured(played: list[np.ndarray], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The metrics float64[A, 5], averaged over games, and 95% intervals float64[2, A, 5] from sums of each game.

    Percentile bootstrap (Efron 1979) over the matches of each game.
    """
    matches = played[0].shape[1]
    seen = np.mean([metrics(each.sum(axis=1), matches) for each in played], axis=0)
    drawn = []
    for each in played:
        times = rng.multinomial(matches, np.full(matches, 1 / matches), size=RESAMPLES)
        drawn.append(metrics(np.tensordot(times, each, axes=(1, 1)), matches))
    return seen, np.percentile(np.mean(drawn, axis=0), [2.5, 97.5], axis=0)


# The yardstick: the same metrics, exactly


def odds(fights: np.ndarray, pool: np.ndarray, width: float) -> np.ndarray:
    """float64[125, 125]: probability of each plan (row) when `width` plans of a pool bool[125] are tried (column: foe).

    The closed form of `search`: none of them wins with probability (1 - w)^n (1 - f w), n and f the whole number and
    the fraction of the width, w the share of the pool that wins.
    """
    share = pool / pool.sum()
    wins = share @ fights
    whole = np.floor(width)
    none = (1 - wins) ** whole * (1 - (width - whole) * wins)
    winner = np.divide(1 - none, wins, out=np.zeros(125), where=wins > 0)
    loser = np.divide(none, 1 - wins, out=np.zeros(125), where=wins < 1)
    return share[:, None] * np.where(fights, winner, loser)


def expected(agents: Agents, at: int, game: Contest, settings: Settings) -> np.ndarray:
    """float64[6]: the expected sums over one match of one agent, by dynamic programming over pairs of plans.

    `here` float64[125, 125] is the probability of each pair (own, opponent's).
    """
    lost, kept, _, _, disciplined = (float(each[at]) for each in agents)
    width = widths(agents, settings.turns)[at]
    told = (1 - settings.luck) * game.won + settings.luck / 2
    everything = np.full(125, True)
    revises = told * kept + (1 - told) * lost
    prices, price = np.unique(game.cost, return_inverse=True)
    priced = np.eye(len(prices))[:, price]  # [price, plan]
    reply = odds(~game.fights.T, game.open, OPPONENT).T  # [own plan, its next one]
    start = disciplined * game.allowed / game.allowed.sum() + (1 - disciplined) * everything / 125
    here = np.outer(start, game.open / game.open.sum())
    total, won = np.zeros(6), np.zeros(settings.turns)
    for turn in range(settings.turns):
        new = disciplined * odds(game.fights, game.allowed, width[turn])
        new += (1 - disciplined) * odds(game.fights, everything, width[turn])
        leaving = here * revises
        moved = leaving.sum(axis=0)
        if turn > 0:
            by_price = priced @ leaving
            total[3] += moved.sum() - (by_price * (priced @ new)).sum()
            total[4] += moved @ (new * told).sum(axis=0) - (by_price * (priced @ (new * told))).sum()
        here = here - leaving + new * moved
        won[turn] = (here * told).sum()
        total[1] += here[~game.allowed].sum()
        beaten = here * told
        here = here - beaten + beaten.sum(axis=1)[:, None] * reply
    into = np.arange(settings.turns) - (settings.turns - 1) / 2
    total[[0, 2, 5]] = won.sum(), settings.turns, won @ into / (into @ into)
    return total


def exact(agents: Agents, settings: Settings) -> np.ndarray:
    """float64[A, 5]: the exact metrics of every agent, averaged over games; csr is a ratio of expectations."""
    return np.array(
        [
            np.mean([metrics(expected(agents, at, game, settings), 1) for game in contests()], axis=0)
            for at in range(len(agents.lost))
        ]
    )


def best_replier() -> Agents:
    """An agent that keeps what wins and otherwise tries so many plans within the budget that it finds one that does."""
    return Agents(*(np.array([each]) for each in (1.0, 0.0, 60.0, 0.0, 1.0)))


# The study


def run(settings: Settings, rng: np.random.Generator, log: Any) -> dict[str, Value]:
    """Draw agents, let them play, measure them, and compare with what is exact."""
    agents = draw_agents(settings, rng)
    truth = exact(agents, settings)
    records = [play(agents, game, settings, rng) for game in contests()]
    log.example(recount(agents, records[0], truth))
    ends = {"best_win": Value(float(exact(best_replier(), settings)[0, 4]), "exact", None, "dynamic programming")}
    ends["unseen"] = share(unseen(records), "new plans of all agents")
    if settings.rounds == "dealt":
        records = [dealt(each, rng) for each in records]
    played = [sums(seen, game) for seen, game in zip(records, contests(), strict=True)]
    matches = settings.matches * settings.times
    for part in (matches // 4, matches // 2):
        if part > 1:
            note = compared(agents, truth, [each[:, :part] for each in played], settings, rng)
            log.row(3 * part * settings.turns, **note)
    ends |= compared(agents, truth, played, settings, rng)
    log.row(3 * matches * settings.turns, **ends)
    return ends


def dealt(seen: Records, rng: np.random.Generator) -> Records:
    """Outcomes, and apart from them plans, dealt out among all rounds of the same turn."""
    won, plan = (rng.permuted(each.reshape(-1, each.shape[2]), axis=0) for each in (seen.won, seen.plan))
    return Records(won.reshape(seen.won.shape), plan.reshape(seen.won.shape), seen.foe)


def unseen(records: list[Records]) -> float:
    """The share of new plans that cost as much as the plan before, and so are no corrections to the evaluator."""
    new = same = 0
    for seen, game in zip(records, contests(), strict=True):
        other = seen.plan[..., 1:] != seen.plan[..., :-1]
        cost = game.cost[seen.plan]
        new += other.sum()
        same += (other & (cost[..., 1:] == cost[..., :-1])).sum()
    return float(same / max(1, new))


def compared(
    agents: Agents, truth: np.ndarray, played: list[np.ndarray], settings: Settings, rng: np.random.Generator
) -> dict[str, Value]:
    """Coverage, rank correlations, separation at equal win rate, and the correlation of the paper."""
    seen, (low, high) = measured(played, rng)
    ends = {"r_orr_csr": correlation(seen[:, 0], seen[:, 1]), "r_exact": correlation(truth[:, 0], truth[:, 1])}
    if settings.readings == "win_only":
        seen, low, high = (np.repeat(each[:, 4:], 5, axis=1) for each in (seen, low, high))
    knobs = {
        "orr": (agents.lost + agents.won) / 2,
        "csr": agents.insight,
        "slope": agents.growth,
        "obr": -agents.discipline,
    }
    first, second = np.triu_indices(len(truth), 1)
    equal = np.abs(truth[first, 4] - truth[second, 4]) < 0.01
    first, second = first[equal], second[equal]
    for at, name in enumerate(METRICS):
        covers = (low[:, at] <= truth[:, at]) & (truth[:, at] <= high[:, at])
        ends[f"coverage/{name}"] = share(covers.mean(), "agents of a seed")
        ends[f"rank/{name}"] = ranked(seen[:, at], truth[:, at])
        if name in knobs:
            ends[f"knob/{name}"] = ranked(seen[:, at], knobs[name])
            agree = np.sign(seen[first, at] - seen[second, at]) * np.sign(truth[first, at] - truth[second, at])
            ends[f"separation/{name}"] = share((agree.mean() + 1) / 2 if len(first) else 0.5, "pairs of equal win rate")
    ends["knob/unneeded"] = ranked(seen[:, 0], agents.won)
    return ends


def share(number: Any, of: str) -> Value:
    return Value(float(number), "sampled", None, f"share of {of}; its interval is the one over seeds")


def ranked(one: np.ndarray, other: np.ndarray) -> Value:
    """Spearman's rank correlation over agents; 0 where all are alike."""
    apart = np.ptp(one) > 0 and np.ptp(other) > 0
    number = float(spearmanr(one, other).statistic) if apart else 0.0
    return Value(number, "sampled", None, "Spearman's, over the agents of a seed; its interval is the one over seeds")


def correlation(one: np.ndarray, other: np.ndarray) -> Value:
    """Pearson's correlation over agents, with Fisher's (1921) interval; 0 where all are alike."""
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return Value(0.0, "sampled", (-1.0, 1.0), "Pearson's, where all agents are alike")
    r = float(np.corrcoef(one, other)[0, 1])
    half = 1.96 / np.sqrt(max(1, len(one) - 3))
    low, high = np.tanh(np.arctanh(np.clip(r, -0.999999, 0.999999)) + np.array([-half, half]))
    return Value(r, "sampled", (float(low), float(high)), f"Pearson's over {len(one)} agents; Fisher's interval")


def recount(agents: Agents, seen: Records, truth: np.ndarray) -> str:
    """A match of tower defence in words: that of the agent that overspends most."""
    game, at = contests()[0], int(truth[:, 3].argmax())
    lines = [
        f"An agent looks for another plan after {agents.lost[at]:.0%} of lost and {agents.won[at]:.0%} of won rounds, "
        f"tries {2 ** agents.insight[at]:.1f} plans, and minds the budget in {agents.discipline[at]:.0%} of searches.",
        f"Exactly: over-correction risk {truth[at, 0]:.2f}, correction success {truth[at, 1]:.2f}, slope "
        f"{truth[at, 2]:+.3f}, over budget {truth[at, 3]:.2f}, wins {truth[at, 4]:.2f}.",
        f"{game.name.capitalize()}, budget {game.budget}",
    ]
    for turn, (won, plan, foe) in enumerate(zip(*(each[at, 0] for each in seen), strict=True), 1):
        cost = game.cost[plan]
        spent = f"{cost}, over the budget" if cost > game.budget else f"{cost}"
        lines.append(
            f"{turn:3}. {worded(plan, game.own)} ({spent}) meets {worded(foe, game.theirs)}: {'won' if won else 'lost'}"
        )
    return "\n".join(lines)


def worded(plan: int, words: tuple[str, ...]) -> str:
    return ", ".join(words[choice] for choice in PLANS[plan])


# What follows is asked of a real model only.

SERVED = 6  # matches in each game: with 10 turns and the first plan 198 questions a cell


def server(settings: Settings, rng: np.random.Generator, log: Any, model: Any) -> dict[str, Value]:
    """The model plans, and revises after feedback: its plan, the result, and the opponent's plan in all three games.

    In the arm `dealt` the result and the opponent's plan are those of another match, in `win_only` the opponent's plan
    is not shown. A reply that names no plan leaves the last one in force, at first the cheapest. Luck and the knobs of
    planted agents have no bearing.
    """
    count = min(settings.matches, 2 if log.quick else SERVED)
    shape = (len(contests()), count)
    state = log.restore() or {
        "turn": -1,
        "mine": np.zeros(shape, int),
        "its": np.array([rng.choice(np.flatnonzero(game.open), size=count) for game in contests()]),
        "won": np.zeros((*shape, settings.turns), bool),
        "plan": np.zeros((*shape, settings.turns), int),
        "foe": np.zeros((*shape, settings.turns), int),
        "unread": 0,
        "story": "",
        "rng": rng,
    }
    for turn in range(state["turn"], settings.turns):
        mine, its, rng = state["mine"], state["its"], state["rng"]
        asked = []
        for at, match in np.ndindex(*shape):
            game, told = contests()[at], (match + 1) % count if settings.rounds == "dealt" else match
            shown = (int(its[at, told]), bool(game.won[mine[at, told], its[at, told]])) if turn >= 0 else None
            asked.append(question(game, int(mine[at, match]), shown, settings.readings == "metrics"))
        seeds = rng.integers(2**31, size=len(asked))
        replies = model.ask([[{"role": "user", "content": each}] for each in asked], seeds)
        for (at, match), reply in zip(np.ndindex(*shape), replies, strict=True):
            game, plan = contests()[at], plan_in(reply, contests()[at])
            state["unread"] += plan is None
            mine[at, match] = mine[at, match] if plan is None else plan
            if turn < 0:
                continue
            won = game.won[mine[at, match], its[at, match]]
            for name, what in (("won", won), ("plan", mine[at, match]), ("foe", its[at, match])):
                state[name][at, match, turn] = what
            if won:
                pool, width = [np.flatnonzero(game.open)], np.array([float(OPPONENT)])
                its[at, match] = search(~game.fights.T, pool, np.zeros(1, int), mine[at, [match]], width, rng)[0]
        state["story"] = f"{asked[0]}\n\nThe model\n{printable(replies[0].text)}"
        state["turn"] = turn + 1
        log.checkpoint(state)

    log.example(state["story"])
    played = [
        sums(Records(*(state[name][[at]] for name in Records._fields)), game) for at, game in enumerate(contests())
    ]
    seen, (low, high) = measured(played, state["rng"])
    how = f"over {count} matches in each of three games; bootstrap over matches"
    numbers = (each[0].tolist() for each in (seen, low, high))
    ends = {name: Value(of, "sampled", (a, b), how) for name, of, a, b in zip(METRICS, *numbers, strict=True)}
    questions = len(contests()) * count * (settings.turns + 1)
    least, most = binomtest(int(state["unread"]), questions).proportion_ci(method="wilson")
    how, interval = f"share of {questions} replies; Wilson's interval", (float(least), float(most))
    ends["unreadable"] = Value(state["unread"] / questions, "sampled", interval, how)
    log.row(3 * count * settings.turns, **ends)
    return ends


def question(game: Contest, mine: int, shown: tuple[int, bool] | None, opponent: bool) -> str:
    """What the model is asked; shown is the opponent's plan and whether the round was won, None at first."""
    text = (
        f"You play {game.name}, over several rounds against an opponent. You both play by plans.\n{game.rules}\n"
        f"Prices are added up. Your budget is {game.budget}; with a plan that costs more you lose the round.\n"
    )
    if shown is None:
        text += "Write your first plan. You do not know the opponent's.\n"
    else:
        text += f"Your plan was: {worded(mine, game.own)}. You {'won' if shown[1] else 'lost'} the last round.\n"
        text += f"The opponent's plan was: {worded(shown[0], game.theirs)}.\n" if opponent else ""
        text += (
            "You play the next round first; then the opponent may change its plan. Keep your plan or write another.\n"
        )
    names = ", ".join(game.own)
    return f"{text}End your reply with one line, PLAN: and three of these names, separated by commas: {names}."


def plan_in(reply: Any, game: Contest) -> int | None:
    """The plan in the last line of a reply; None where it is none, or the reply is cut or refused."""
    lines = spoken(reply.text).splitlines() if reply.status == "ok" else []
    found = re.fullmatch(r"plan:(.{1,80})", lines[-1].strip(" *`.").lower()) if lines else None
    names = [name.strip() for name in found[1].split(",")] if found else []
    if len(names) != 3 or not set(names) <= set(game.own):
        return None
    first, second, third = map(game.own.index, names)
    return 25 * first + 5 * second + third


def printable(text: str) -> str:
    """A reply for the page: its first 2,000 characters, without any that steer a terminal."""
    return "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in text[:2000])


PROCESS = METRICS[:4]
LUCK = (("paper", 1.0), ("luck_half", 0.5), ("luck_all", 0.0))
CARE = (("responsive", 1.0), ("halfway", 0.5), ("restless", 0.0))

RECIPE = Recipe(
    slug="advgamebench",
    arms=ARMS,
    run=run,
    server=server,
    claims=(
        Lower(
            "paper",
            than=0.0,
            metric="r_orr_csr",
            says="over-correction risk and correction success correlate negatively among agents drawn independently",
        ),
        *(Higher("paper", than="win_only", metric=f"separation/{name}", by=0.2) for name in PROCESS),
        *(Higher("paper", than=0.9, metric=f"coverage/{name}", scope="transfer") for name in METRICS),
        *(Higher("paper", than=0.9, metric=f"rank/{name}", scope="transfer") for name in METRICS),
        Higher("tenfold", than=0.9, metric="rank/slope", scope="transfer"),
        *(Higher("paper", than=0.9, metric=f"knob/{name}", scope="transfer") for name in (*PROCESS, "unneeded")),
        Trend(CARE, metric="r_orr_csr", direction="lower", by=0.1, scope="transfer", control="restless"),
        *(Trend(LUCK, metric=f"knob/{name}", by=0.2, scope="transfer") for name in ("csr", "slope")),
        Higher(
            "paper",
            than="dealt",
            metric="csr",
            by=0.1,
            scope="server",
            control="win_only",
            says="a language model's corrections succeed more often on its own feedback than on another match's",
        ),
    ),
    control="dealt",
    seeds=12,
    minutes=4,
    quick={"agents": 6, "matches": 4, "turns": 4},
    metrics={
        "r_orr_csr": ("correlation", "Pearson's, of over-correction risk and correction success, over the agents"),
        "r_exact": ("correlation", "the same of the exact values"),
        "coverage": ("share of agents", "whose 95% interval covers the exact value of the metric"),
        "rank": ("rank correlation", "of the measured metric and its exact value, over the agents"),
        "knob": ("rank correlation", "of the measured metric and the knob it stands for, over the agents"),
        "separation": ("share of pairs", "of agents of equal win rate, which the metric orders rightly; 0.5 by chance"),
        "unseen": ("share of new plans", "that cost as much as the one before, and so do not count as corrections"),
        "best_win": ("share of rounds", "won by the best reply to every plan of the opponent, exactly"),
        "orr": ("corrections a turn", "over-correction risk: how often the price of the plan changes"),
        "csr": ("share of corrections", "correction success: the round after it is won"),
        "slope": ("wins a turn", "improvement: the line of least squares through a match"),
        "obr": ("share of rounds", "over budget"),
        "win": ("share of rounds", "won"),
        "unreadable": ("share of replies", "of a served model that name no plan"),
    },
    watch="rank/csr",
)
