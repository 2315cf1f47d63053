"""Negotiation with AI feedback: a critic reads the talk that a player had, and the player bargains again.

Paper     Improving Language Model Negotiation with Self-Play and In-Context Learning from AI Feedback; Fu, Peng, Khot
          and Lapata (2023), arXiv:2305.10142.
There     Two language models bargain over a balloon. A third reads the talk and gives one of them three suggestions,
          none about a price; talk and suggestions stay in its context, the other one forgets, and they play again, five
          rounds in all. Some models move the price their way and others do not, one does as seller and hardly as buyer,
          and the strong ones break off more deals as the price improves.
Here      200 pairs, half of the players sellers. A zone of 20 to 40 dollars lies between two private reservation
          prices; offers alternate, ten a side, and each that is turned down breaks the talk with probability 0.04. Both
          sides concede in time, from an opening to a limit, each drawn from one distribution, the opponent with noise.
          The critic is a few rules on the differences between the offers of one talk: it knows no reservation price
          and no strategy. It says firmer, softer or nothing of opening, pace and limit, and each suggestion is
          followed with probability q. Five rounds, 20 seeds. What a strategy leads to is computed exactly, as are the
          best response to the opponent (dynamic programming) and the subgame-perfect price; the distance between a
          player's price and that of its best response is counted in shares of the zone.
          A served model is buyer, seller and critic: 6 pairs, 3 rounds, 4 offers a side after the authors' openings of
          20 and 10 dollars, at most 156 questions a cell. Nothing breaks talks but a player.
Claims    1. Over five rounds with the critic, prices come nearer to the best response by at least a tenth of the zone.
          2. They come nearer than with random suggestions,
          3. and than where a player has its history and no critic: it tries something at random and goes back where
             that brought less.
          4. The gain rises with q, by at least 0.05 from none to all.
          5. As prices improve deals are lost: more than under random suggestions,
          6. and the more, the larger q is, by at least 0.03.
          Apart, since the paper does not say so:
          7. suggestions made from the player's own talk bring more than those made from another's;
          8. what is gained in price outweighs the deals lost, against random suggestions by 0.01 of the zone.
          With a model server:
          9. suggestions raise the price, and 10. they cost deals, against history without suggestions.
Leaves    Language, engines and their differences, among them that one learns as seller and not as buyer: here the roles
          differ by who opens, and approach is given for each. Opponents that answer concessions with concessions. That
          strong models take up suggestions is an assumption, q; what is judged is what following them does.
          The authors' critic sees the player's cost, which is in its instructions, and may praise a talk that failed;
          this one also asks for less where talks fail. Of the paper abstract, summaries, code and prompts were read.
          One pilot on root seed 999 (4 seeds) came out as claimed, with an approach of 0.109; rules, pairs and the
          tenth of claim 1 stand as they were before it. Its control gained 0.009 and lost 0.007 of its deals by
          wandering about, so claims 4 and 6 ask for more than a rise; the margins of 4, 6 and 8 were set after it.
          Corrected since: opponents asked for up to 2 dollars more than the price list has, and shuffled talks came
          from the other role.
          Most of the gain is general: players and opponents are drawn alike, which is softer than a best response, and
          in the record suggestions made from another's talk bring 0.092 of the 0.106. Best responses lose
          deals too: they come to one in 0.55 of the talks, players in 0.66 at first and 0.58 in the end. From the
          subgame-perfect price, which supposes that both know all, players move away, from 0.19 of the zone to 0.22.
          Served: the moderator, since replies say in a last line what they do, and the conversation in turns: earlier
          talks and suggestions are quoted in one prompt.
"""

import re
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ludus.agents.replies import spoken
from ludus.records import Value
from ludus.study import Higher, Recipe, Trend

TURNS = 10  # offers of each side, as in the authors' code
PARTS = ("opening", "pace", "limit")  # of a strategy; a suggestion moves one of them, +1 firmer or -1 softer
STEP = np.array([3.0, 0.5, 3.0])  # how far: dollars, doublings of the exponent, dollars
NOISE, CHANCE = np.arange(-2, 3), np.array([1, 2, 3, 2, 1]) / 9  # of each of the opponent's plans, in dollars
PLAYER_TOOK, OPPONENT_TOOK, BROKE, DEADLINE = range(4)
WORDS = {
    ("opening", 1): "Open further away from what you would take.",
    ("opening", -1): "Open nearer to what they may take.",
    ("pace", 1): "Concede later and in smaller steps.",
    ("pace", -1): "Concede earlier, before the talk breaks.",
    ("limit", 1): "Set yourself a firmer limit.",
    ("limit", -1): "Be ready to go further than last time.",
}
ADVICE = ("critic", "random", "shuffled", "history")


@dataclass(frozen=True)
class Settings:
    """One arm.

    advice  critic: from the player's own talk; shuffled: from the talk of another pair; random: any; history: no
            critic, the player tries something at random and goes back where that brought less
    follow  the probability with which a suggestion is followed
    risk    of a breakdown after each offer that is turned down
    """

    advice: str = "critic"
    follow: float = 1.0
    rounds: int = 5
    pairs: int = 200
    risk: float = 0.04

    def __post_init__(self) -> None:
        if self.advice not in ADVICE:
            raise ValueError(f"setting advice is one of {', '.join(ADVICE)}, got {self.advice!r}")
        if not (0 <= self.follow <= 1 and 0 <= self.risk < 1):
            raise ValueError(f"settings follow and risk are from 0 to 1, got {self.follow:g} and {self.risk:g}")
        if self.rounds < 2 or self.pairs < 4 or self.pairs % 2:
            raise ValueError(
                f"setting rounds is 2 or more and pairs is even, 4 or more; got {self.rounds} and {self.pairs}"
            )


ARMS = {
    "critic": Settings(),
    "follow_75": Settings(follow=0.75),
    "follow_50": Settings(follow=0.5),
    "follow_25": Settings(follow=0.25),
    "no_feedback": Settings(follow=0.0),
    "random": Settings(advice="random"),
    "shuffled": Settings(advice="shuffled"),
    "history": Settings(advice="history"),
}


def run(settings: Settings, rng: np.random.Generator, log: Any) -> dict[str, Value]:
    """One cell: every pair talks once a round, and the player's strategy is edited in between.

    All arms of a seed make the same draws in the same order: pairs, opponents' moods, breakdowns, what is followed.
    """
    pairs = draw(settings.pairs, rng.spawn(1)[0])
    best = best_response(pairs, settings.risk)
    state = log.restore() or {
        "round": 0,
        "strategy": pairs.start,
        "kept": pairs.start,
        "record": np.full(settings.pairs, -np.inf),
        "first": None,
        "told": "",
        "rng": rng,
    }
    rng = state["rng"]
    for number in range(state["round"], settings.rounds):
        strategy = state["strategy"]
        standing = judge(pairs, demands(strategy), settings.risk)
        log.row(number + 1, **metrics(pairs, standing, best, settings.risk))
        state["first"] = standing._asdict() if state["first"] is None else state["first"]
        talk = bargain(pairs, demands(strategy), settings.risk, rng)
        drawn, followed = rng.integers(-1, 2, size=(settings.pairs, 3)), rng.random((settings.pairs, 3))
        advice = drawn if settings.advice in ("random", "history") else criticise(talk)
        if settings.advice == "shuffled":
            advice = np.roll(advice, 2, axis=0)  # of another player in the same role
        state["told"] += tell(pairs, talk, number + 1, advice[0])
        if settings.advice == "history":
            kept = talk.got >= state["record"]
            state["kept"] = np.where(kept[:, None], strategy, state["kept"])
            state["record"] = np.where(kept, talk.got, state["record"])
            strategy = state["kept"]
        state["strategy"] = edit(strategy, advice * (followed < settings.follow), pairs.reach)
        state["round"], state["last"] = number + 1, standing._asdict()
        log.checkpoint(state)
    log.example(state["told"])
    return metrics(pairs, Standing(**state["last"]), best, settings.risk, Standing(**state["first"]))


# Pairs. Everything is counted in dollars that the player gets above its own reservation price, whatever its role.


class Pairs(NamedTuple):
    """N players, each with the opponent that it meets in every round.

    seller   bool[N], the player's role; the seller makes the first offer
    reserve  int64[N], the player's own reservation price
    zone     int64[N], from one reservation price to the other
    reach    int64[N], the most that can be asked: prices are between 0 and 60 dollars
    plan     int64[N, TURNS, 5], what the opponent's offers leave to the player, in each of its five moods
    start    float64[N, 3], the player's strategy before any feedback
    """

    seller: np.ndarray
    reserve: np.ndarray
    zone: np.ndarray
    reach: np.ndarray
    plan: np.ndarray
    start: np.ndarray


def draw(count: int, rng: np.random.Generator) -> Pairs:
    """Sellers' costs from 10 to 20 and buyers' values from 40 to 50; both sides' strategies from one distribution."""
    seller = np.arange(count) % 2 == 0
    cost, value = rng.integers(10, 21, size=count), rng.integers(40, 51, size=count)
    zone = value - cost
    reach, other = np.where(seller, 60 - cost, value), np.where(seller, value, 60 - cost)

    def strategies(reach: np.ndarray) -> np.ndarray:
        opening, limit = rng.uniform(0.5, 1.0, size=count), rng.uniform(0.0, 0.2, size=count)
        return np.stack([opening * reach, rng.uniform(-1.5, 0.5, size=count), limit * reach], axis=1)

    start, opponent = strategies(reach), strategies(other)
    least, most = np.ceil(opponent[:, 2])[:, None, None], other[:, None, None]
    plan = zone[:, None, None] - np.clip(demands(opponent)[..., None] - NOISE, least, most).astype(int)
    return Pairs(seller, np.where(seller, cost, value), zone, reach, plan, start)


def demands(strategy: np.ndarray) -> np.ndarray:
    """int64[N, TURNS]: what is asked at each turn; a time-dependent tactic (Faratin, Sierra and Jennings 1998).

    From the opening at the first turn to the limit at the last, by the power 2**pace of the time that has passed: with
    a pace above 0 most is conceded late.
    """
    opening, pace, limit = strategy.T[..., None]
    passed = np.linspace(0, 1, TURNS) ** 2.0**pace
    return np.ceil(limit + (opening - limit) * (1 - passed) - 1e-9).astype(int)  # whole sums stay whole


def edit(strategy: np.ndarray, advice: np.ndarray, reach: np.ndarray) -> np.ndarray:
    """The strategy float64[N, 3] with each suggestion int64[N, 3] of -1, 0 or 1 taken, within what makes sense."""
    opening, pace, limit = (strategy + STEP * advice).T
    limit = np.clip(limit, 0, reach)
    return np.stack([np.clip(opening, limit, reach), np.clip(pace, -2, 2), limit], axis=1)


# A talk. Whoever has an offer before it takes it where it is as good as its own next one would be (AC_next of Baarslag,
# Hindriks and Jonker 2013), else talks break down with the probability `risk`, as in Binmore, Rubinstein and Wolinsky
# (1986), or go on with its own offer.


class Talk(NamedTuple):
    """What was said, NaN where nothing was.

    asked    float64[N, TURNS], the player's offers
    offered  float64[N, TURNS + 1], the opponent's: in front one that opens the talk, then the reply to each of asked
    end      int64[N], PLAYER_TOOK, OPPONENT_TOOK, BROKE or DEADLINE
    got      float64[N], the player's share, 0 without a deal
    """

    asked: np.ndarray
    offered: np.ndarray
    end: np.ndarray
    got: np.ndarray


def replies(pairs: Pairs) -> np.ndarray:
    """int64[N, TURNS + 1, 5]: the opponent's plans in the order of Talk.offered; the one in front is a seller's."""
    after = np.concatenate([pairs.plan, pairs.plan[:, -1:]], axis=1)
    before = np.concatenate([pairs.plan[:, :1], pairs.plan], axis=1)
    return np.where(pairs.seller[:, None, None], before, after)


def bargain(pairs: Pairs, demand: np.ndarray, risk: float, rng: np.random.Generator) -> Talk:
    """Every pair talks once. A buyer's last offer is the talk's last; after a seller's the opponent has one more."""
    count = len(demand)
    mood = rng.choice(len(CHANCE), size=(count, TURNS + 1), p=CHANCE)
    breaks = rng.random((count, TURNS + 1, 2)) < risk
    plans = np.take_along_axis(replies(pairs), mood[..., None], axis=2)[..., 0]
    asked, offered = np.full((count, TURNS), np.nan), np.full((count, TURNS + 1), np.nan)
    end, got = np.full(count, -1), np.zeros(count)

    def close(where: np.ndarray, how: int, share: Any = 0.0) -> None:
        end[where], got[where] = how, np.broadcast_to(share, count)[where]

    offered[~pairs.seller, 0] = plans[~pairs.seller, 0]
    for turn in range(TURNS + 1):
        own = demand[:, min(turn, TURNS - 1)]
        close((end < 0) & (offered[:, turn] >= own), PLAYER_TOOK, offered[:, turn])
        if turn == TURNS:
            break
        close((end < 0) & ~np.isnan(offered[:, turn]) & breaks[:, turn, 0], BROKE)
        going = end < 0
        asked[going, turn] = own[going]
        close(going & (own <= plans[:, turn + 1]), OPPONENT_TOOK, own)
        if turn == TURNS - 1:
            close((end < 0) & ~pairs.seller, DEADLINE)
        close((end < 0) & breaks[:, turn, 1], BROKE)
        going = end < 0
        offered[going, turn + 1] = plans[going, turn + 1]
    close(end < 0, DEADLINE)
    return Talk(asked, offered, end, got)


# The critic. It reads a talk, and only how offers differ: it knows no reservation price, no strategy and no opponent.


def criticise(talk: Talk) -> np.ndarray:
    """Three suggestions to each player, int64[N, 3]: +1 firmer, -1 softer, 0 nothing, of opening, pace and limit.

    After a deal: open further away where it came out nearer to one's own opening than to theirs, or where one of the
    openings was taken; concede more slowly where one conceded more than they did, or they were still conceding; set a
    firmer limit where they were still conceding. Without one the other way: open nearer and concede faster where they
    conceded more, and be ready to go further where they had come to rest.
    """
    dealt = talk.end <= OPPONENT_TOOK
    first, last = ends_of(talk.asked)
    their_first, their_last = ends_of(talk.offered)
    moves = np.diff(talk.offered, axis=1)
    _, move = ends_of(moves)
    still = np.nan_to_num(move) > 0
    mine, theirs = np.nan_to_num(first - last), np.nan_to_num(their_last - their_first)
    at_once = np.isnan(first) | np.isnan(their_first)
    nearer = at_once | (first - talk.got < talk.got - their_first)
    after_deal = np.stack([nearer, (mine > theirs) | still, still], axis=1).astype(int)
    without = -np.stack([mine < theirs, mine < theirs, ~still], axis=1).astype(int)
    return np.where(dealt[:, None], after_deal, without)


def ends_of(said: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first and the last entry of each row float64[N, T] that is not NaN; NaN where there is none."""
    there, rows = ~np.isnan(said), np.arange(len(said))
    return said[rows, there.argmax(axis=1)], said[rows, said.shape[1] - 1 - there[:, ::-1].argmax(axis=1)]


# The yardsticks, all exact.


class Standing(NamedTuple):
    """Against one's opponent, float64[N] each: the probability of a deal, and the share to expect, without a deal 0."""

    deal: np.ndarray
    share: np.ndarray


def judge(pairs: Pairs, demand: np.ndarray, risk: float) -> Standing:
    """What demands int64[N, TURNS] lead to, backwards from the deadline."""
    plans, ahead = replies(pairs), np.zeros((len(demand), 2, 1))  # of going on: deal, share
    for turn in range(TURNS, -1, -1):
        plan = plans[:, turn][:, None]  # the offer before the player at this turn
        taken = np.concatenate([np.ones_like(plan), plan], axis=1)
        own = demand[:, min(turn, TURNS - 1)][:, None, None]
        last = (turn == TURNS) & ~pairs.seller[:, None, None]  # a buyer's last offer is taken or not
        waits = np.where((plan >= own) & ~last, taken, (1 - risk) * ahead)
        if turn == 0:
            break
        asked = demand[:, turn - 1][:, None, None]
        given = np.concatenate([np.ones_like(asked), asked], axis=1)
        ahead = np.where(asked <= plan, given, (1 - risk) * waits) @ CHANCE[:, None]
    deal, share = np.where(pairs.seller[:, None], ahead[..., 0], waits @ CHANCE).T
    return Standing(deal, share)


def best_response(pairs: Pairs, risk: float) -> Standing:
    """What the best answer to the opponent's plans leads to: the largest share, by dynamic programming.

    After each offer of the opponent the player, who knows its plans, takes it or asks for any whole sum. Where two
    choices are worth the same the one with the more deals is taken.
    """
    plans, ahead = replies(pairs), np.zeros((len(pairs.zone), 2, 1))
    sums = np.arange(pairs.reach.max() + 1)[None, :, None]
    for turn in range(TURNS, -1, -1):
        plan = plans[:, turn][:, None]
        taken = np.concatenate([np.ones_like(plan), plan], axis=1)
        last = (turn == TURNS) & ~pairs.seller[:, None, None]
        waits = np.where((plan >= (1 - risk) * ahead[:, 1:]) & (plan >= 0) & ~last, taken, (1 - risk) * ahead)
        if turn == 0:
            break
        agreed = sums <= plan  # bool[N, sums, 5]
        deal = np.where(agreed, 1.0, (1 - risk) * waits[:, :1]) @ CHANCE
        share = np.where(agreed, sums, (1 - risk) * waits[:, 1:]) @ CHANCE
        choice = (share + 1e-9 * deal).argmax(axis=1)[:, None]
        ahead = np.stack([np.take_along_axis(part, choice, axis=1) for part in (deal, share)], axis=1)
    deal, share = np.where(pairs.seller[:, None], ahead[..., 0], waits @ CHANCE).T
    return Standing(deal, share)


def subgame_perfect(offers: int, risk: float) -> float:
    """The first offerer's share of the zone where both know all, by backward induction; 1 / (2 - risk) for ever.

    Rubinstein (1982) with breakdown in the place of impatience (Binmore, Rubinstein and Wolinsky 1986): the last
    offerer takes all, every other leaves what refusing would be worth.
    """
    share = 0.0
    for _ in range(offers):
        share = 1 - (1 - risk) * share
    return share


def metrics(
    pairs: Pairs, now: Standing, best: Standing, risk: float, first: Standing | None = None
) -> dict[str, Value]:
    """How a round stands and, given the first one, what has changed since then. All in shares of the zone."""

    def price(standing: Standing) -> np.ndarray:
        """What a deal leaves to the player on average; where there is none it is left with its reservation price."""
        return standing.share / np.maximum(standing.deal, 1e-12) / pairs.zone

    far = np.abs(price(now) - price(best))
    ends = {
        "distance": far.mean(),
        "price": (now.share / pairs.zone).sum() / now.deal.sum(),
        "deal_rate": now.deal.mean(),
        "payoff": (now.share / pairs.zone).mean(),
    }
    if first is not None:
        nearer = np.abs(price(first) - price(best)) - far
        ends["approach"] = nearer.mean()
        ends["approach/seller"], ends["approach/buyer"] = nearer[pairs.seller].mean(), nearer[~pairs.seller].mean()
        ends["deals_lost"] = (first.deal - now.deal).mean()
        ends["payoff_gain"] = ((now.share - first.share) / pairs.zone).mean()
        ends["best_price"] = (best.share / pairs.zone).sum() / best.deal.sum()
        ends["best_deal_rate"], ends["best_payoff"] = best.deal.mean(), (best.share / pairs.zone).mean()
        perfect = subgame_perfect(2 * TURNS, risk)
        ends["perfect_distance"] = np.abs(price(now) - np.where(pairs.seller, perfect, 1 - perfect)).mean()
    return {name: Value(float(number), "exact", None, "backwards from the deadline") for name, number in ends.items()}


def tell(pairs: Pairs, talk: Talk, number: int, advice: np.ndarray) -> str:
    """The first pair's talk of a round in prices, and what is suggested after it."""
    sign = 1 if pairs.seller[0] else -1
    player, opponent = ("seller", "buyer") if pairs.seller[0] else ("buyer", "seller")
    price = lambda share: f"{pairs.reserve[0] + sign * share:.0f}"  # noqa: E731
    said = [
        f"{who} {price(share)}"
        for turn in range(TURNS + 1)
        for who, share in ((opponent, talk.offered[0, turn]), (player, talk.asked[0, min(turn, TURNS - 1)]))
        if not np.isnan(share) and (who == opponent or turn < TURNS)
    ]
    took = {PLAYER_TOOK: player, OPPONENT_TOOK: opponent}.get(int(talk.end[0]))
    how = f"the {took} takes {price(talk.got[0])}" if took else ("no deal", "time is up, no deal")[talk.end[0] - BROKE]
    words = " ".join(WORDS[part, int(way)] for part, way in zip(PARTS, advice, strict=True) if way)
    return (
        f"Round {number}; the player is the {player}, its reservation price {pairs.reserve[0]}.\n"
        f"{', '.join(said)}; {how}.\n"
        f"Suggested: {words or 'nothing.'}\n"
    )


# What follows is asked of a real model only.

SERVED_PAIRS, SERVED_ROUNDS, SERVED_OFFERS = 6, 3, 8  # offers of both sides together
SIDES, WAYS = ("seller", "buyer"), ("high", "low")
PLAY = """\
You are the {side} of a balloon and bargain with its {other} over the price, in whole dollars. {reserve} Get a price as
{way} as you can. Without a deal nobody gains anything.
{past}The talk so far, the oldest line first:
{talk}
You can speak {left} more times. Answer with one short sentence to the {other}, and then with a last line that is one
of PRICE: $N (you offer this price), DEAL (you take the {other}'s last price), NO DEAL (you leave)."""
COACH = """\
Read this talk between the seller and the buyer of a balloon. You coach the {side}.
{talk}
{ending}
How could the {side} get a {way} price next time? Give three suggestions. They name no price, offer nothing beside the
balloon, are general, and improve on this talk. Write three lines that begin with 1., 2. and 3., and nothing else."""


def server(settings: Settings, rng: np.random.Generator, log: Any, model: Any) -> dict[str, Value]:
    """A model talks to itself as seller and buyer; every second player is a seller, and reads its earlier talks.

    With them come suggestions, each with the probability settings.follow. A reply that cannot be read ends its talk, or
    is no suggestion, and is counted. Prices are compared where both the first and the last talk came to a deal.
    """
    if settings.advice not in ("critic", "random"):
        raise ValueError(
            f"advice is {settings.advice}, which no served model is asked for; ask critic, no_feedback or random"
        )
    count, rounds = (2, 2) if log.quick else (min(settings.pairs, SERVED_PAIRS), min(settings.rounds, SERVED_ROUNDS))
    reserves = np.stack([rng.integers(6, 11, size=count), rng.integers(16, 21, size=count)], axis=1)
    seeds = rng.integers(2**31, size=(rounds, SERVED_OFFERS + 1, count))
    drawn, handed = rng.choice([-1, 1], size=(rounds, count, 3)), rng.random((rounds, count, 3)) < settings.follow
    state = log.restore() or {
        "round": 0,
        "asked": 0,
        "unread": 0,
        "prices": np.full((rounds, count), np.nan),
        "past": [""] * count,
    }
    for number in range(state["round"], rounds):
        talks, prices = [[("seller", "", 20), ("buyer", "", 10)] for _ in range(count)], state["prices"][number]
        going = list(range(count))
        for offer in range(SERVED_OFFERS):
            at, left = offer % 2, (SERVED_OFFERS - offer + 1) // 2
            prompts = [
                prompt(at, int(reserves[row, at]), state["past"][row] if row % 2 == at else "", talks[row], left)
                for row in going
            ]
            replies = model.ask(prompts, [int(seeds[number, offer, row]) for row in going]) if going else []
            state["asked"] += len(going)
            on = []
            for row, reply in zip(going, replies, strict=True):
                said, move = move_in(spoken(reply.text) if reply.status == "ok" else "")
                state["unread"] += move is None
                if move == "deal":
                    prices[row] = talks[row][-1][2]
                elif isinstance(move, int):
                    talks[row].append((SIDES[at], said, move))
                    on.append(row)
            going = on
        if number + 1 < rounds:
            told = [(quote(talk), ending(float(price))) for talk, price in zip(talks, prices, strict=True)]
            given = [[WORDS[part, int(way)] for part, way in zip(PARTS, ways, strict=True)] for ways in drawn[number]]
            if settings.advice == "critic" and settings.follow:
                asked = [coach(row % 2, talk, how) for row, (talk, how) in enumerate(told)]
                replies = model.ask(asked, [int(seed) for seed in seeds[number, -1]])
                given = [suggestions_in(spoken(reply.text) if reply.status == "ok" else "") for reply in replies]
                state["asked"], state["unread"] = state["asked"] + count, state["unread"] + given.count([])
            for row, (talk, how) in enumerate(told):
                kept = [text for text, hand in zip(given[row], handed[number, row], strict=False) if hand]
                suggested = "".join(f"> {text}\n" for text in kept)
                state["past"][row] += f"An earlier talk of yours, with the same reservation price:\n{talk}\n{how}\n"
                state["past"][row] += f"A coach suggested:\n{suggested}" if suggested else ""
                state["past"][row] += "Do better than that.\n"
        state["round"] = number + 1
        log.checkpoint(state)

    role = np.arange(count) % 2
    own, zone = reserves[np.arange(count), role], reserves[:, 1] - reserves[:, 0]
    shares = (state["prices"] - own) * np.where(role == 0, 1, -1) / zone
    change = (shares[-1] - shares[0])[~np.isnan(shares[-1] - shares[0])]
    dealt = (~np.isnan(shares)).mean(axis=1)
    log.example(f"{state['past'][0]}Then: {ending(state['prices'][-1, 0])}")
    ends = {
        "served_gain": (
            change.mean() if len(change) else 0.0,
            f"{len(change)} of {count} pairs dealt twice; 0 if none",
        ),
        "served_deals_lost": (dealt[0] - dealt[-1], f"{count} talks a round"),
        "unreadable": (state["unread"] / state["asked"], f"share of {state['asked']} replies"),
    }
    found = {name: Value(float(number), "sampled", None, how) for name, (number, how) in ends.items()}
    log.row(rounds, **found)
    return found


def prompt(at: int, reserve: int, past: str, talk: list[tuple[str, str, int]], left: int) -> list[dict[str, str]]:
    """What side `at` of SIDES is asked: its role, its reservation price, its earlier talks, and the talk so far."""
    own = (f"It cost you ${reserve}.", f"You can pay ${reserve} at most.")[at]
    words = {"side": SIDES[at], "other": SIDES[1 - at], "way": WAYS[at], "reserve": own, "left": left}
    return [{"role": "user", "content": PLAY.format(**words, past=past, talk=quote(talk))}]


def coach(at: int, talk: str, how: str) -> list[dict[str, str]]:
    """What the critic is asked: to read a talk, and nothing that its player alone knows."""
    return [{"role": "user", "content": COACH.format(side=SIDES[at], way=WAYS[at], talk=talk, ending=how)}]


def quote(talk: list[tuple[str, str, int]]) -> str:
    """A talk, a line for each offer, every line marked as somebody's words."""
    return "\n".join(f"> {side}: {said} ${price}" for side, said, price in talk)


def ending(price: float) -> str:
    return "It ended without a deal." if np.isnan(price) else f"It ended with a deal at ${price:.0f}."


def move_in(text: str) -> tuple[str, str | int | None]:
    """The words of a reply, on one line, and its move: the price offered, "deal", "leave", or None if unreadable."""
    *words, last = text.splitlines() or [""]
    line = last.strip(" *`.").lower()
    found = re.fullmatch(r"price: {0,3}\$([0-9]{1,2})", line)
    move = int(found[1]) if found else {"deal": "deal", "no deal": "leave"}.get(line)
    return plain(" ".join(words)), move


def suggestions_in(text: str) -> list[str]:
    """Three suggestions from lines 1., 2. and 3.; [] where a reply is anything else."""
    lines = [line.strip(" *") for line in text.splitlines() if line.strip()]
    found = [re.fullmatch(rf"{number}\. +(\S.*)", line) for number, line in enumerate(lines[:4], 1)]
    return [plain(match[1]) for match in found if match] if len(found) == 3 and all(found) else []


def plain(text: str) -> str:
    """At most 300 printable characters."""
    return "".join(letter if letter.isprintable() else " " for letter in text[:300]).strip()


DOSES = (("critic", 1.0), ("follow_75", 0.75), ("follow_50", 0.5), ("follow_25", 0.25), ("no_feedback", 0.0))
RECIPE = Recipe(
    slug="negotiation-ai-feedback",
    arms=ARMS,
    run=run,
    server=server,
    claims=(
        Higher(
            "critic",
            than=0,
            metric="approach",
            by=0.1,
            says="Over five rounds prices come nearer to the best response by at least a tenth of the zone",
        ),
        Higher(
            "critic",
            than="random",
            metric="approach",
            control="no_feedback",
            says="They come nearer than with random suggestions",
        ),
        Higher(
            "critic",
            than="history",
            metric="approach",
            says="They come nearer than where the player has its history and no critic",
        ),
        Trend(DOSES, metric="approach", by=0.05, says="The gain rises with the share of suggestions that is followed"),
        Higher(
            "critic",
            than="random",
            metric="deals_lost",
            control="no_feedback",
            says="As prices improve, more deals are lost than with random suggestions",
        ),
        Trend(
            DOSES,
            metric="deals_lost",
            by=0.03,
            says="More deals are lost the larger the share of suggestions that is followed",
        ),
        Higher(
            "critic",
            than="shuffled",
            metric="approach",
            scope="transfer",
            says="Suggestions made from the player's own talk bring more than those made from another's",
        ),
        Higher(
            "critic",
            than="random",
            metric="payoff_gain",
            by=0.01,
            scope="transfer",
            control="no_feedback",
            says="What is gained in price outweighs the deals that are lost",
        ),
        Higher(
            "critic",
            than="no_feedback",
            metric="served_gain",
            scope="server",
            says="A model's suggestions raise the price that a model gets",
        ),
        Higher(
            "critic",
            than="no_feedback",
            metric="served_deals_lost",
            scope="server",
            says="They cost it deals",
        ),
    ),
    control="random",
    seeds=20,
    minutes=1,
    quick={"pairs": 20},
    metrics={
        "approach": ("share of the zone", "by which prices came nearer to those of the best response"),
        "distance": ("share of the zone", "from a player's price to that of its best response, averaged over players"),
        "price": ("share of the zone", "that a deal leaves to the player, averaged over deals"),
        "deal_rate": ("share", "of the talks that end with a deal"),
        "deals_lost": ("share", "of the talks: deals of the first round less deals of the last"),
        "payoff": ("share of the zone", "that a player can expect, nothing where there is no deal"),
        "payoff_gain": ("share of the zone", "by which that has risen since the first round"),
        "best_price": ("share of the zone", "the price of the best responses"),
        "best_deal_rate": ("share", "of the talks in which the best responses come to a deal"),
        "best_payoff": ("share of the zone", "what the best responses can expect"),
        "perfect_distance": ("share of the zone", "from a player's price to the subgame-perfect one"),
        "served_gain": ("share of the zone", "by which the price has risen where both talks came to a deal"),
        "served_deals_lost": ("share", "of the talks: deals of the first round less deals of the last"),
        "unreadable": ("share", "of the replies"),
    },
    watch="distance",
)
