"""AucArena: ten items under the hammer, a budget, and flattering estimates; do replanning and old logs earn more?

Paper     Put Your Money Where Your Mouth Is: Evaluating Strategic Planning and Execution of LLM Agents in an Auction
          Arena. Chen, Yuan, Ye, Majumder, Richardson (2023), arXiv:2310.05746.
There     Language models bid in open ascending auctions, one item after the other: they plan, bid or withdraw, update
          what they believe of budgets, profits and winners, and replan; estimates are 10% above the value. Replanning
          and lessons from the logs of past auctions help; GPT-4 still loses to a rule bidder now and then.
Here      10 items start at 10 to 50 and are worth 1.6 to 2.4 times that. All bidders own 200 and see estimates that
          flatter by 10 to 30%, one factor a house (seed), and err by 5% besides. The auctioneer raises the price by a
          tenth of the start until one is left. The contestant sits with 3 rule bidders whose limits depend on nothing
          that it does, so the most that could be earned is a knapsack, by dynamic programming over item and budget. It
          believes what money and how much persistence each has, forecasts prices from that, and plans by backward
          induction on the forecast: once (static) or before every item (replan); learn divides its estimates by the
          factor that past logs show. 50 auctions in a row a house, 10 houses.
          A served model writes its limits, its beliefs after each item, and new limits: 8 auctions, 153 questions.
Claims    1. Learning from logs earns more than replanning alone (control: logs of a house that errs either way).
          2. Replanning earns more than the static plan (control: replanning with beliefs never updated).
          3. Beliefs about all earn more than about one's own purse alone, and these more than beliefs never updated
             (control: beliefs about another room's sales).
          4. What logs add rises with the flattery, 0 to 30%; 5. without flattery they change profit by less than 1%.
          6. In a hot market, with estimates 30% too high, persistent rivals and money for everything, a rule bidder
             (the start and at most 3 raises) earns more than the replanner (control: one that never gives up).
          7. The more belief updates are missed, the lower the profit (control: missed, but corrected at once).
          8. At one table with the rule, the static plan and the replanner, learn is ranked first, by Bradley and Terry.
          With a model server: 9. replanning and 10. past logs help a served model, as in 2 and 1.
Leaves    Goals other than profit, bids that jump, rebids after a refused bid, discounts for unsold items, humans; a
          served model names limits instead of answering every call. The authors' auctioneer tells the value at the
          hammer; here only the log does, afterwards. Their rule bidders stop after 4 bids of their own and when their
          money is spent; here they stop at a price, and those beside the contestant put the limit of each item that
          they go for aside. TrueSkill is replaced by Bradley-Terry with one more draw a pair. The text was read in
          summaries; rules and beliefs are from the authors' code.
          Pilots of 4 to 6 houses with 15 auctions on generator 999 changed no number of the house. They showed claims 1
          to 7 in the claimed direction, and the replanner ahead of learn at the table, against claim 8, which stays.
          The rule bidder without a limit (first 12 raises, and itself above the replanner) became a true control.
          Claim 3 first compared with beliefs never updated, by 10%; it became an order of three once a pilot showed
          beliefs about another room ahead of those. The doses of claim 7 were half and all, and became a quarter and
          half. In the record logs add 1% of profit in the ordinary market and 23% in the hot one, which differs in
          money, rivals and flattery at once; the rule bidder's mean is above the static plan's in the ordinary market
          too. At the table the flattered replanner ends ahead of the learner. Why is not tested.
"""

import re
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import numpy as np

from ludus.agents.replies import spoken
from ludus.measure.bradley_terry import bradley_terry
from ludus.records import Value
from ludus.study import Equivalent, Higher, Ordered, Recipe, Trend

RIVALS, WANTED, NOISE = 3, 0.5, 0.05  # rule bidders; how often one goes for an item; of estimates, as a share
EXPECTED = 9.0  # raises that a rival is good for, before anything is seen; counts as one sight
MONEY = 200  # of every rival, and of the contestant unless said
TABLE = ("rule", "static", "replan", "learn")


@dataclass(frozen=True)
class Settings:
    """One arm: who sits in the contestant's seat, and at which house.

    plan       rule: no plan, `raises` raises at most; static: planned once; replan: before every item
    logs       what estimates are corrected by: none, the house's own past logs, or those of elsewhere
    update     beliefs follow the sales in the room, of these only what the contestant itself has spent, none, or those
               of another room
    slips      how likely it is that what an item says about a bidder is missed
    corrected  whether beliefs are put right before they are used, as in the paper's option correct_belief
    table      the four contestants of TABLE at one table, and no other rivals
    flattery   least and most by which the house's estimates exceed the value, as a share
    persist    fewest and most raises that a rival is good for
    """

    plan: Literal["rule", "static", "replan"] = "replan"
    logs: Literal["none", "own", "elsewhere"] = "none"
    update: Literal["room", "self", "none", "another"] = "room"
    slips: float = 0.0
    corrected: bool = False
    table: bool = False
    raises: int = 3
    flattery: tuple[float, float] = (0.1, 0.3)
    persist: tuple[int, int] = (6, 12)
    money: int = MONEY
    items: int = 10
    auctions: int = 50

    def __post_init__(self) -> None:
        for name, rule, kept in (
            ("slips", "from 0 to 1", 0 <= self.slips <= 1),
            ("flattery", "two shares, the lower one first, above -1", -1 < self.flattery[0] <= self.flattery[1]),
            ("persist", "two numbers from 2 on, the lower one first", 2 <= self.persist[0] <= self.persist[1]),
            ("raises", "0 or more", self.raises >= 0),
            ("money", "at least 10", self.money >= 10),
            ("items", "at least 1", self.items >= 1),
            ("auctions", "at least 2", self.auctions >= 2),
        ):
            if not kept:
                raise ValueError(f"setting {name} is {rule}; got {getattr(self, name)}. Change it: --set {name}=...")


LEARN, HOT = Settings(logs="own"), Settings(flattery=(0.3, 0.3), persist=(9, 13), money=600)
DOSES = (30, 20, 10, 0)  # per cent of flattery
ARMS = {
    "rule": Settings(plan="rule"),
    "static": Settings(plan="static"),
    "replan": Settings(),
    "learn": LEARN,
    "elsewhere": Settings(logs="elsewhere"),
    "self_only": Settings(update="self"),
    "unaware": Settings(update="none"),
    "misled": Settings(update="another"),
    **{f"learn_{dose}": replace(LEARN, flattery=(dose / 100, dose / 100)) for dose in DOSES},
    "rule_hot": replace(HOT, plan="rule"),
    "replan_hot": HOT,
    "learn_hot": replace(HOT, logs="own"),
    "reckless_hot": replace(HOT, plan="rule", raises=40),
    "slips_25": Settings(slips=0.25),
    "slips_50": Settings(slips=0.5),
    "corrected": Settings(slips=0.5, corrected=True),
    "table": replace(LEARN, table=True),
    "table_elsewhere": Settings(logs="elsewhere", table=True),
}


class Auction(NamedTuple):
    """What is sold, for n items, seat 0 the contestant's.

    start, value  int64[n]
    estimate      int64[4, n], by seat
    limit         int64[3, n], up to which the rule bidders of seats 1 to 3 go; 0 where they do not take part
    first         int64[4], who goes before whom where two are ready to pay the same
    """

    start: np.ndarray
    value: np.ndarray
    estimate: np.ndarray
    limit: np.ndarray
    first: np.ndarray


def run(settings: Settings, rng: np.random.Generator, log: Any) -> dict[str, Value]:
    """50 auctions of one house. Who learns is also compared with its twin without logs, at the same auctions."""
    goods, slips = rng.spawn(2)
    house = flattery_of(settings, goods)
    past: dict[str, list[np.ndarray]] = {"none": [], "own": [], "elsewhere": []}  # estimates above values, by house
    profits, best, tallies = [], [], []
    for number in range(settings.auctions):
        auction, room = draw(settings, house, goods), draw(settings, house, goods)
        factor = fitted(past[settings.logs])
        if settings.table:
            auction = auction._replace(limit=np.zeros((0, settings.items), int))
            seated = [sit(ruled(settings, name), auction, seat, factor) for seat, name in enumerate(TABLE)]
            sales = hold(auction, seated, slips)
        else:
            another = hold(room, [sit(Settings(plan="rule"), room, 0)], slips) if settings.update == "another" else None
            seated = [sit(settings, auction, 0, factor)]
            sales = hold(auction, seated, slips, another)
            best.append(most(auction.value, prices_to_win(auction), settings.money))
            if settings.logs != "none":
                twin = sit(settings, auction, 0)
                hold(auction, [twin], slips, another)
                seated.append(twin)
        profits.append([bidder.profit for bidder in seated])
        tallies.append(seated[0].tally / settings.items)
        err = (house - 1) * (1 if goods.random() < 0.5 else -1)
        past["own"].append(np.stack([auction.estimate[0], auction.value])[:, sales.winner >= 0])
        past["elsewhere"].append(np.stack([appraised(room.value, 1 + err, goods), room.value]))
        if (number + 1) % max(1, settings.auctions // 5) == 0:
            log.row(number + 1, **found(settings, profits, best, tallies, factor / house))
    log.example(told(auction, sales, seated[TABLE.index("learn") if settings.table else 0]))
    return found(settings, profits, best, tallies, factor / house)


def found(settings: Settings, profits: list, best: list, tallies: list, fit: float) -> dict[str, Value]:
    """What the auctions so far come to."""
    profit = np.array(profits, float)
    if settings.table:
        numbers = standings(profit)
    else:
        own, others, failed = np.mean(tallies, axis=0)
        numbers = {"profit": profit[:, 0].mean(), "share": profit[:, 0].sum() / max(1, sum(best))}
        numbers |= {"own_error": own, "others_error": others, "failed": failed}
        if settings.logs != "none":
            numbers |= {"gain": (profit[:, 0] - profit[:, 1]).mean(), "fit": fit}
            numbers["gain_share"] = numbers["gain"] / max(1.0, profit[:, 1].mean())
    how = f"{len(profit)} auctions of one house"
    return {name: Value(float(number), "sampled", None, how) for name, number in numbers.items()}


def standings(profit: np.ndarray) -> dict[str, float]:
    """Mean profits at the table and strengths by Bradley and Terry; who earns more in an auction has beaten the other.

    profit  float64[auctions, 4], by TABLE. One draw a pair is added, so that strengths are finite.
    """
    ahead = profit[:, :, None] - profit[:, None, :]
    points = (ahead > 0).sum(axis=0) + (ahead == 0).sum(axis=0) / 2 + 0.5
    np.fill_diagonal(points, 0)
    strength = bradley_terry(points).strength
    numbers = {f"profit/{name}": float(mean) for name, mean in zip(TABLE, profit.mean(axis=0), strict=True)}
    numbers |= {f"strength/{name}": float(number) for name, number in zip(TABLE, strength, strict=True)}
    return numbers | {"lead": float(strength[-1] - strength[:-1].max())}


# The house


def flattery_of(settings: Settings, rng: np.random.Generator) -> float:
    """By how much the estimates of a house exceed the value, as a factor."""
    least, largest = settings.flattery
    return float(1 + least + (largest - least) * rng.random())


def draw(settings: Settings, house: float, rng: np.random.Generator) -> Auction:
    """One auction. What is drawn is the same for all arms of a seed."""
    n = settings.items
    start = 10 * rng.integers(1, 6, n)
    value = np.rint(start * rng.uniform(1.6, 2.4, n)).astype(int)
    estimate = np.stack([appraised(value, house, rng) for _ in range(RIVALS + 1)])
    fewest, widest = settings.persist[0], settings.persist[1] - settings.persist[0] + 1
    usual = fewest + np.floor(widest * rng.random((RIVALS, 1))).astype(int)
    raises = np.maximum(0, usual + rng.integers(-2, 3, (RIVALS, n)))
    limit = np.where(rng.random((RIVALS, n)) < WANTED, start + start // 10 * raises, 0)
    return Auction(start, value, estimate, np.stack([put_aside(row, MONEY) for row in limit]), rng.permutation(4))


def appraised(value: np.ndarray, factor: float, rng: np.random.Generator) -> np.ndarray:
    return np.rint(value * factor * np.exp(NOISE * rng.standard_normal(len(value)))).astype(int)


def put_aside(limit: np.ndarray, money: int) -> np.ndarray:
    """The limits int64[n] that a rule bidder can cover if it puts each aside, won or lost; 0 for the others."""
    kept = np.zeros_like(limit)
    for item, wanted in enumerate(limit):
        if wanted <= money:
            kept[item] = wanted
            money -= wanted
    return kept


def hammer(limit: np.ndarray, start: int, first: np.ndarray) -> tuple[int, int, np.ndarray]:
    """Sell one item: the winner's seat (-1: nobody's), the price, and each bidder's last bid, 0 for none.

    limit  int64[B], up to which each stays in; below `start` it never enters
    first  int64[>= B], the seats in the order in which the last ones to withdraw are asked to take it after all

    The price is called in steps of start // 10, and whose limit it exceeds withdraws: the English auction of Milgrom
    and Weber (1982), with steps.
    """
    step = start // 10
    last = np.where(limit >= start, (limit - start) // step, -1)  # the last call at which each is in
    top = last.max()
    if top < 0:
        return -1, 0, np.zeros(len(limit), int)
    winner = next(int(seat) for seat in first if seat < len(limit) and last[seat] == top)
    second = np.delete(last, winner).max(initial=-1)
    price = start + step * min(top, second + 1)
    bids = np.where(last >= 0, start + step * last, 0)
    bids[winner] = price
    return winner, int(price), bids


def prices_to_win(auction: Auction) -> np.ndarray:
    """int64[n]: what seat 0 has to pay for each item; nothing that it does changes the rule bidders' limits."""
    step = auction.start // 10
    last = np.where(auction.limit >= auction.start, (auction.limit - auction.start) // step, -1)
    top = last.max(axis=0)
    place = np.argsort(auction.first)
    beaten = ((last == top) & (place[1:, None] < place[0])).any(axis=0)  # by one who is asked before seat 0
    return auction.start + step * np.where(top < 0, 0, top + beaten)


def most(value: np.ndarray, cost: np.ndarray, money: int) -> int:
    """The largest profit that any way to bid can make, with hindsight: dynamic programming over item and budget."""
    profit = np.zeros(money + 1, int)
    for gain, price in zip(value - cost, cost, strict=True):
        if gain > 0 and price <= money:
            profit[price:] = np.maximum(profit[price:], profit[: money + 1 - price] + gain)
    return int(profit[-1])


# The mechanism: believe, plan, bid, update, and learn from logs


class Belief(NamedTuple):
    """left int64[B], the money that each has to bid with; seen float64[B, 2], raises seen of each, sum and number."""

    left: np.ndarray
    seen: np.ndarray


@dataclass
class Bidder:
    """A contestant during one auction.

    worth   float64[n], what it takes the items to be worth
    limit   int64[n], its plan: up to which it stays in
    belief  by which it plans; truth is what the sales so far say
    money   what it has; the house refuses bids beyond it
    tally   float64[3], sums over items: whether its belief about itself is wrong, the share of those about others that
            are, whether a bid was refused
    """

    settings: Settings
    seat: int
    start: np.ndarray
    worth: np.ndarray
    limit: np.ndarray
    belief: Belief
    truth: Belief
    money: int
    profit: int
    tally: np.ndarray


class Sales(NamedTuple):
    """start, winner, price int64[n]; bids int64[n, B], the last one of each."""

    start: np.ndarray
    winner: np.ndarray
    price: np.ndarray
    bids: np.ndarray


def ruled(settings: Settings, name: str) -> Settings:
    """The settings of a contestant at the table."""
    if name == "rule":
        return replace(settings, plan="rule", logs="none")
    if name == "static":
        return replace(settings, plan="static", logs="none")
    return settings if name == "learn" else replace(settings, logs="none")


def sit(settings: Settings, auction: Auction, seat: int, factor: float = 1.0) -> Bidder:
    """Before the first item; `factor` is by what the estimates are divided."""
    left = np.full(4, MONEY)
    left[seat] = settings.money
    belief, truth = (Belief(left.copy(), np.tile([EXPECTED, 1.0], (4, 1))) for _ in range(2))
    worth, nothing = auction.estimate[seat] / factor, np.zeros(settings.items, int)
    return Bidder(settings, seat, auction.start, worth, nothing, belief, truth, settings.money, 0, np.zeros(3))


def hold(auction: Auction, seated: list[Bidder], rng: np.random.Generator, another: Sales | None = None) -> Sales:
    """One auction of the contestants, in the first seats, and the rule bidders. Beliefs may follow `another` room."""
    n, aside = len(auction.start), np.arange(4) >= len(seated)
    sales = blank(auction)
    for item in range(n):
        settle(auction, seated, [intend(bidder, item) for bidder in seated], sales, item)
        for bidder in seated:
            perceive(bidder, sales, sales if another is None else another, item, aside, rng)
    return sales


def blank(auction: Auction) -> Sales:
    """The book of an auction before its first item."""
    n = len(auction.start)
    return Sales(auction.start, np.zeros(n, int), np.zeros(n, int), np.zeros((n, 4), int))


def settle(auction: Auction, seated: list[Bidder], wanted: list[int], sales: Sales, item: int) -> None:
    """Sell an item to contestants of the limits `wanted` and the rule bidders; purses and `sales` change in place."""
    limit = [min(want, bidder.money) for want, bidder in zip(wanted, seated, strict=True)]
    winner, price, bids = hammer(np.append(limit, auction.limit[:, item]), auction.start[item], auction.first)
    sales.winner[item], sales.price[item], sales.bids[item] = winner, price, bids
    for want, bidder in zip(wanted, seated, strict=True):
        if winner == bidder.seat:
            bidder.money -= price
            bidder.profit += int(auction.value[item]) - price
        elif want > bidder.money and want >= max(price, auction.start[item]):
            bidder.tally[2] += 1


def intend(bidder: Bidder, item: int) -> int:
    """The limit for an item, after planning where it is time to."""
    kind = bidder.settings.plan
    if kind == "rule":
        bidder.limit[item] = bidder.start[item] + bidder.start[item] // 10 * bidder.settings.raises
    elif item == 0 or kind == "replan":
        price, chance = forecast(bidder.belief, bidder.seat, bidder.start[item:])
        bidder.limit[item:] = plan(bidder.worth[item:], price, chance, max(0, int(bidder.belief.left[bidder.seat])))
    return int(bidder.limit[item])


def forecast(belief: Belief, seat: int, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the m items ahead may cost: price int64[m, B] and chance float64[m, B], a column for whom to outbid last.

    Each other bidder is thought to go for an item with probability WANTED, to its mean of raises seen, while what it
    has left covers that and half of the items before. The last column is that nobody comes.
    """
    others = np.delete(np.arange(len(belief.left)), seat)
    raises = belief.seen[others, 0] / belief.seen[others, 1]
    others, raises = others[np.argsort(-raises)], -np.sort(-raises)
    top = start[:, None] + start[:, None] // 10 * raises
    before = WANTED * (np.cumsum(top, axis=0) - top)
    comes = WANTED * (belief.left[others] - before >= top)
    alone = np.cumprod(1 - comes, axis=1)  # nobody as persistent or more comes
    chance = np.concatenate([comes, np.ones((len(start), 1))], axis=1)
    chance[:, 1:] *= alone
    return np.rint(np.column_stack([top + start[:, None] // 10, start])).astype(int), chance


def plan(worth: np.ndarray, price: np.ndarray, chance: np.ndarray, money: int) -> np.ndarray:
    """Limits int64[m] for the items ahead, by backward induction over item and money on the forecast prices.

    An item at price p is worth having with b left where worth - p + V(b - p) >= V(b), V the value of what comes after.
    The limits are those along the money expected to be left.
    """
    m = len(worth)
    value = np.zeros((m + 1, money + 1))
    for item in range(m - 1, -1, -1):
        after = value[item + 1]
        value[item] = after
        for cost, likely in zip(price[item], chance[item], strict=True):
            if cost <= money and likely > 0:
                gain = worth[item] - cost + after[: money + 1 - cost] - after[cost:]
                value[item, cost:] += likely * np.maximum(0, gain)
    limit, left = np.zeros(m, int), float(money)
    for item in range(m):
        b, after = round(left), value[item + 1]
        fits = worth[item] - np.arange(b + 1) + after[b::-1] - after[b] >= -1e-9
        limit[item] = np.flatnonzero(fits).max(initial=0)
        left -= float(chance[item] @ (price[item] * (price[item] <= limit[item])))
    return limit


def perceive(
    bidder: Bidder, sales: Sales, watched: Sales, item: int, aside: np.ndarray, rng: np.random.Generator
) -> None:
    """Update the beliefs by the sale of an item, a line for each bidder, and count those that are wrong.

    watched  the sales that beliefs follow
    aside    bool[B], who puts its last bid aside whether it won or not; the others pay what they win
    """
    settings, belief = bidder.settings, bidder.belief
    note(bidder.truth, sales, item, aside, np.full(4, True))
    heard = rng.random(4) >= settings.slips
    if settings.update == "self":
        heard &= np.arange(4) == bidder.seat
    if settings.update != "none":
        note(belief, watched, item, aside, heard)
    tell_errors(bidder)
    if settings.corrected:
        belief.left[:], belief.seen[:] = bidder.truth.left, bidder.truth.seen


def tell_errors(bidder: Bidder) -> None:
    wrong = bidder.belief.left != bidder.truth.left
    bidder.tally[:2] += wrong[bidder.seat], np.delete(wrong, bidder.seat).mean()


def note(belief: Belief, sales: Sales, item: int, aside: np.ndarray, heard: np.ndarray) -> None:
    """What the sale of an item says about the bidders of `heard`, bool[B]; the belief changes in place.

    Who withdrew shows how far it goes; who won goes at least as far as it did.
    """
    bids, won = sales.bids[item], np.arange(4) == sales.winner[item]
    start = sales.start[item]
    belief.left[heard] -= np.where(aside | won, bids, 0)[heard]
    raises = (bids - start) / (start // 10)
    raises = np.where(won, np.maximum(raises, belief.seen[:, 0] / belief.seen[:, 1]), raises)
    shown = heard & (bids > 0)
    belief.seen[shown] += np.column_stack([raises, np.ones(4)])[shown]


def fitted(past: list[np.ndarray]) -> float:
    """By which factor the estimates of past logs exceed the values, all items together; 1 without a log."""
    estimate, value = np.concatenate([np.ones((2, 0)), *past], axis=1)
    return float(estimate.sum() / value.sum()) if len(value) else 1.0


def told(auction: Auction, sales: Sales, bidder: Bidder) -> str:
    """The last auction, as a bidder saw it, and what came of it."""
    lines = ["item  start  believed worth  limit  price  to      true value"]
    for item, winner in enumerate(sales.winner):
        to = "nobody" if winner < 0 else "it" if winner == bidder.seat else f"seat {winner}"
        numbers = f"{item + 1:<5} {auction.start[item]:<6} {bidder.worth[item]:<15.0f} {bidder.limit[item]:<6}"
        lines.append(f"{numbers} {sales.price[item]:<6} {to:<7} {auction.value[item]}")
    return "\n".join([*lines, f"It has {bidder.money} left and made a profit of {bidder.profit}."])


# What follows is asked of a real model only.

GAMES = 8  # auctions a cell, all at once: 19 questions each where the plan is renewed, and one more for the lessons
RULES = """\
You are seat 0 at an auction of {n} items, one after the other, with a budget of {money}; seats 1, 2 and 3 have 200.
The auctioneer raises the price of an item by a tenth of its start until one bidder is left, who pays it. You earn an
item's true value less what you pay; money that is left earns nothing. You do not know true values, only the estimates
of an appraiser who may be wrong. Seats 1 to 3 each go for about half of the items, up to limits of their own, and put
what they last bid on an item aside for good, won or not. You pay only for what you win. Earn as much as you can.
"""
LIMITS = """\
End your reply with one line, LIMITS: and {m} whole numbers with commas, up to which you will stay in for each of these
items in this order; 0 is to stay out."""
LEFT = """\
Update this. End your reply with one line, LEFT: and 4 whole numbers with commas, the money that seats 0 to 3 have left
to bid with."""
LESSONS = """
You will bid for other items soon. Which lessons do you draw? End your reply with a numbered list of at most 5 lines."""


def server(settings: Settings, rng: np.random.Generator, log: Any, model: Any) -> dict[str, Value]:
    """The model in the contestant's seat, at 8 auctions of one house: it plans, updates its beliefs and replans.

    With logs it first draws lessons from the log of one past auction, of its house or of elsewhere. A reply that cannot
    be read changes neither plan nor belief; the first plan is to stay out.
    """
    if settings.plan == "rule" or settings.table or settings.update == "self":
        raise ValueError(
            "a served model plays the arms static, replan, learn, elsewhere, unaware and misled; ask those"
        )
    goods, ways = rng.spawn(2)
    house = flattery_of(settings, goods)
    past = draw(settings, house, goods)
    err = (house - 1) * (1 if goods.random() < 0.5 else -1)
    elsewhere = past._replace(estimate=appraised(past.value, 1 + err, goods)[None].repeat(4, axis=0))
    games = [draw(settings, house, goods) for _ in range(2 if log.quick else GAMES)]
    rooms = [hold(room, [sit(Settings(plan="rule"), room, 0)], ways) for room in (draw(settings, house, goods), past)]
    seated = [sit(settings, game, 0) for game in games]
    books = [blank(game) for game in games]
    unread, asked = 0, 0

    def ask(prompts: list[str]) -> list[str]:
        nonlocal asked
        asked += len(prompts)
        seeds = ways.integers(2**31, size=len(prompts))
        replies = model.ask([[{"role": "user", "content": prompt}] for prompt in prompts], seeds)
        return [printable(spoken(reply.text)) if reply.status == "ok" else "" for reply in replies]

    lessons = ""
    if settings.logs != "none":
        shown = logged(past if settings.logs == "own" else elsewhere, rooms[1])
        lessons = advice(ask([shown + LESSONS])[0])
        unread += not lessons
    rules = RULES.format(n=settings.items, money=settings.money)
    rules += f"\nYour lessons from a past auction:\n{lessons}\n" if lessons else ""
    for item in range(settings.items):
        if item == 0 or settings.plan == "replan":
            plans = ask([rules + outlook(bidder, item) for bidder in seated])
            for bidder, text in zip(seated, plans, strict=True):
                limits = listed(text, "limits", settings.items - item)
                unread += limits is None
                bidder.limit[item:] = bidder.limit[item:] if limits is None else limits
        for game, bidder, book in zip(games, seated, books, strict=True):
            settle(game, [bidder], [int(bidder.limit[item])], book, item)
        if settings.plan == "replan" and settings.update != "none" and item < settings.items - 1:
            seen = [rooms[0] if settings.update == "another" else book for book in books]
            texts = ask([rules + sold(bidder, book, item) + LEFT for bidder, book in zip(seated, seen, strict=True)])
            for bidder, text in zip(seated, texts, strict=True):
                left = listed(text, "left", 4)
                unread += left is None
                bidder.belief.left[:] = bidder.belief.left if left is None else left
        for bidder, book in zip(seated, books, strict=True) if item < settings.items - 1 else ():
            note(bidder.truth, book, item, np.arange(4) >= 1, np.full(4, True))
            tell_errors(bidder)
    best = sum(most(game.value, prices_to_win(game), settings.money) for game in games)
    profit = np.array([bidder.profit for bidder in seated])
    own, others, failed = np.mean([bidder.tally for bidder in seated], axis=0) / max(1, settings.items - 1)
    log.example(f"{rules}{outlook(seated[0], 0)}\n\nWhat came of it:\n{told(games[0], books[0], seated[0])}")
    numbers = {
        "served_profit": profit.mean(),
        "served_share": profit.sum() / max(1, best),
        "unreadable": unread / asked,
    }
    numbers |= {"served_own_error": own, "served_others_error": others, "served_failed": failed}
    how = f"{len(games)} auctions of one house"
    ends = {name: Value(float(number), "sampled", None, how) for name, number in numbers.items()}
    log.row(len(games), **ends)
    return ends


def logged(auction: Auction, sales: Sales) -> str:
    """A past auction in words."""
    lines = ["The log of a past auction, of other items:"]
    for item, winner in enumerate(sales.winner):
        end = "unsold" if winner < 0 else f"seat {winner} paid {sales.price[item]}; true value {auction.value[item]}"
        lines.append(f"start {auction.start[item]}, your estimate {auction.estimate[0, item]}; {end}")
    return "\n".join(lines)


def outlook(bidder: Bidder, item: int) -> str:
    """What is ahead, with what is believed, and the question for limits."""
    ahead = range(item, len(bidder.start))
    lines = [f"item {i + 1}: start {bidder.start[i]}, your estimate {bidder.worth[i]:.0f}" for i in ahead]
    believed = ", ".join(f"seat {seat}: {left}" for seat, left in enumerate(bidder.belief.left))
    known = f"\nAs far as you know, what is left to bid with: {believed}."
    return "\n".join([known, "Ahead are, in this order:", *lines, LIMITS.format(m=len(ahead))])


def sold(bidder: Bidder, sales: Sales, item: int) -> str:
    """How an item was sold, and what was believed before."""
    believed = ", ".join(f"seat {seat}: {left}" for seat, left in enumerate(bidder.belief.left))
    bids = [f"seat {seat} {f'last bid {bid}' if bid else 'did not bid'}" for seat, bid in enumerate(sales.bids[item])]
    won = "Nobody won it." if sales.winner[item] < 0 else f"Seat {sales.winner[item]} won it at {sales.price[item]}."
    return f"\nItem {item + 1}: {'; '.join(bids)}. {won}\nWhat was left to bid with before: {believed}. "


def listed(text: str, word: str, count: int) -> list[int] | None:
    """So many whole numbers in the last line of a reply; None where it is anything else."""
    lines = text.splitlines() or [""]
    found = re.fullmatch(rf"{word}: *(\d{{1,6}}(?: *, *\d{{1,6}})*)", lines[-1][:500].strip(" *`.").lower())
    numbers = [int(number) for number in found[1].split(",")] if found else []
    return numbers if len(numbers) == count else None


def advice(text: str) -> str:
    """The lines of a numbered list, at most 5 of 300 letters; "" where there is none."""
    lines = [line.strip() for line in text.splitlines()]
    return "\n".join([line[:300] for line in lines if re.match(r"\d{1,2}[.)] ", line)][:5])


def printable(text: str) -> str:
    """A reply without letters that steer a terminal."""
    return "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in text[:4000]).strip()


RECIPE = Recipe(
    slug="aucarena",
    arms=ARMS,
    run=run,
    server=server,
    claims=(
        Higher(
            "learn",
            than="replan",
            metric="profit",
            control="elsewhere",
            says="Learning from past logs earns more than replanning alone",
        ),
        Higher(
            "replan",
            than="static",
            metric="profit",
            control="unaware",
            says="Replanning after every item earns more than the plan made once",
        ),
        Ordered(
            ("replan", "self_only", "unaware"),
            metric="profit",
            control="misled",
            says="Beliefs about all earn more than about one's own purse alone, and these more than none updated",
        ),
        Trend(
            tuple((f"learn_{dose}", dose / 100) for dose in DOSES),
            metric="gain",
            says="What past logs add to profit rises with how much the estimates flatter",
        ),
        Equivalent(
            "learn_0",
            than=0.0,
            metric="gain_share",
            margin=0.01,
            control="learn_30",
            says="Where estimates do not flatter, past logs change profit by less than 1%",
        ),
        Higher(
            "rule_hot",
            than="replan_hot",
            metric="profit",
            control="reckless_hot",
            says="In a hot and flattered market the rule bidder earns more than the replanner",
        ),
        Trend(
            (("slips_50", 0.5), ("slips_25", 0.25), ("replan", 0.0)),
            metric="profit",
            direction="lower",
            control="corrected",
            says="The more belief updates are missed, the lower is the profit",
        ),
        Higher(
            "table",
            than=0.0,
            metric="lead",
            control="table_elsewhere",
            says="At one table with the rule, the static plan and the replanner, who learns from logs ranks first",
        ),
        Higher("replan", than="static", metric="served_profit", scope="server", control="unaware"),
        Higher("learn", than="replan", metric="served_profit", scope="server", control="elsewhere"),
    ),
    control="elsewhere",
    seeds=10,
    minutes=3,
    quick={"auctions": 2, "items": 4},
    metrics={
        "profit": ("money", "true values less prices paid, mean of an auction; at the table by contestant"),
        "share": ("share", "of the most that could have been earned against the rule bidders, by dynamic programming"),
        "gain": ("money", "profit less that of the same bidder without logs, at the same auctions"),
        "gain_share": ("share", "the same, of the profit without logs"),
        "fit": ("ratio", "the factor found in the logs over the true one"),
        "own_error": ("share", "of beliefs about its own money that are wrong, before any correction"),
        "others_error": ("share", "of beliefs about the others' money that are wrong, before any correction"),
        "failed": ("share", "of items at which a bid was refused for lack of money"),
        "strength": ("log odds", "to earn more than another at the table, by Bradley and Terry; by contestant"),
        "lead": ("log odds", "strength of who learns over the strongest of the others"),
        "served_profit": ("money", "profit of a served model, mean of an auction"),
        "served_share": ("share", "of the most that could have been earned, of a served model"),
        "served_own_error": ("share", "of a served model's beliefs about its own money that are wrong"),
        "served_others_error": ("share", "of a served model's beliefs about the others' money that are wrong"),
        "served_failed": ("share", "of items at which a served model's bid was refused for lack of money"),
        "unreadable": ("share", "of a served model's replies"),
    },
    watch="profit",
)
