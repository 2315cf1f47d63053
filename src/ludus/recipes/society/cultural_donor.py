"""Cultural donor: generosity that is told from one generation to the next.

Paper     Cultural Evolution of Cooperation among LLM Agents. Vallinder and Hughes, 2024, arXiv:2412.10270; the donor
          game with generations is its section on methods, costly punishment its last experiment.
There     12 agents, all one language model, play 12 rounds from 10 units each. A donor sees what the recipient A last
          did to B, what B had done before that to C, and C before that, and gives up any amount; the recipient
          receives double. The richest half survive; newcomers are shown the survivors' advice and write a strategy of
          their own. 10 generations, 5 runs a model. Claude 3.5 Sonnet ends far richer than Gemini 1.5 Flash, and that
          richer than GPT-4o; with punishment (pay x, the recipient loses 2x) only Claude ends richer still; runs
          differ a great deal.
Here      The same game, selection and generations, 20 seeds. Writers are no language models but three stand-ins over
          one small grammar, told apart by declared knobs: how often a fresh strategy rewards giving (one half is even-
          handed), how faithfully a clause of the advice is carried over, how far its numbers slip, how often a fresh
          strategy punishes. No knob is a gift: fresh gifts are uniform from 0 to 100% in every family. Texts are all
          that newcomers see. Wealth is counted in doublings, log2(mean wealth of the last generation / 10). Yardstick,
          exact: all give all, 30 x 2^10 = 30,720 units, 11.6 doublings, the most that any play can reach.
          A served model writes the strategies in words of the grammar, founders and newcomers, 66 questions a cell;
          newcomers see the survivors' texts and scores. --agent URL#ONE,TWO,THREE names the three models of claim 10.
Claims    1 Selection with a visible trace ends richer than with random survivors, by half a doubling.
          2 It ends richer than where newcomers see no advice, by half a doubling.
          3 It ends richer than where donors see the trace of another, by half a doubling. Amended: see Leaves.
          4 Its wealth rises from the first generation to the last, by half a doubling.
          5 Without the trace that gain is erased: less than half a doubling is left of it.
          6 The more faithfully advice is carried over (0, 0.3, 0.6, 0.9), the richer the last generation.
          7 Punishment makes the attentive family richer, by half a doubling.
          8 Not so every family: with punishment the muddled one ends less than half a doubling above itself without.
          9 Societies differ by more than the luck of who met whom (bootstrap over replays of their last generation).
          10 Claude richer than Gemini, Gemini richer than GPT-4o: needs a model server.
Leaves    Of a served model: that it acts, in 1,440 further questions a society; its texts are acted on as they say.
          With one model for all families claim 10 stays inconclusive, since they are one society. Whether a stand-in
          resembles any model. Strategies here do not look at holdings, and stand-ins do not use the scores beside the
          advice, so that all selection is survival. Each generation plays the 12 rounds twice, roles exchanged, from 10
          units each time (public copies of the authors' notebook do the same), and the two are averaged: otherwise who
          gives last decides who survives. With 12 rounds and 11 others nobody can avoid a second meeting; here no two
          meet in consecutive rounds. The plan's "punishment helps one family but not all" is split into claims 7 and 8,
          families named before the run, since the best of three noisy differences is above zero by chance alone. Claim
          3 was first held against the hidden trace. On root seed 0 that held (2.2 doublings), but so it did with the
          shuffled trace in the place of the true one (1.3): with nothing to see, the gift to strangers is the only
          number at work and selection wears it down faster than three. Claim 3 was therefore turned to the shuffled
          trace, all else unchanged. So amended it was inconclusive on root seed 1 (0.5 doublings, p 0.007), and holds
          on root seed 2, which is recorded: read the two together. Claim 7 held on root seed 1, not on root seeds 0 and
          2. Claim 5 says something only where claim 4 holds. Claim 7 is to be read beside its control: on root seed 0
          punishment made no difference (0.1), and on root seed 1 a punishment that costs but destroys nothing gained as
          much (0.9) as a real one (0.9), which points to the gift withheld rather than to the harm.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import numpy as np
from numba import njit

from ludus.agents.replies import spoken
from ludus.records import Value
from ludus.study import Higher, Lower, NotWorse, Ordered, Recipe, Trend

AGENTS, ROUNDS, SURVIVORS = 12, 12, 6
SIDE = AGENTS // 2  # half of the agents give in a round, the other half receive
HOLDINGS, GAIN = 10.0, 2.0
TRACE = 3  # links of the chain that a donor is shown
NOBODY = -1

# A genome is int64[8]: the numbers of a strategy's text, in percent but for DEPTH (1 to 3) and MORE (0 or 1).
STRANGER, EXPECTS, MEETS, SHORT, DEPTH, LIMIT, MORE, SPEND = range(8)
CLAUSES = (slice(STRANGER, EXPECTS), slice(EXPECTS, LIMIT), slice(LIMIT, SPEND + 1))
HIGHEST = np.array([100, 100, 100, 100, TRACE, 100, 1, 50])  # half of the holdings is the most a punisher spends
PERCENTAGES = [STRANGER, EXPECTS, MEETS, SHORT, LIMIT, SPEND]  # what slips from one text to the next


@dataclass(frozen=True)
class Settings:
    """One arm: a family of writers in one kind of society.

    reciprocity  probability that a fresh strategy favours those who gave more over those who gave less; 0.5: neither
    fidelity     probability that a clause is carried over from the advice; otherwise it is written afresh
    slip         a percentage that is carried over moves by up to this many points, up and down alike
    punishes     probability that a fresh strategy punishes, where punishment is allowed
    punishment   whether donors may punish
    harm         units a recipient loses for each unit spent on punishment; 0 is a sham
    trace        what donors see: "true", "hidden", or "shuffled", which is the trace of another recipient of the round
    survivors    which half survives: the "richest", a "random" one, or the most "generous"
    generations  how many
    societies    independent societies in one cell
    shared_past  the societies have one history and differ only in who meets whom in the last generation
    replays      times a last generation is played again, who meets whom drawn anew, to know the luck of the draw
    """

    reciprocity: float
    fidelity: float
    slip: int
    punishes: float
    punishment: bool = False
    harm: float = 2.0
    trace: Literal["true", "hidden", "shuffled"] = "true"
    survivors: Literal["richest", "random", "generous"] = "richest"
    generations: int = 10
    societies: int = 1
    shared_past: bool = False
    replays: int = 100

    def __post_init__(self) -> None:
        for name in ("reciprocity", "fidelity", "punishes"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is a probability, got {getattr(self, name)!r}; give a number from 0 to 1")
        for name, words in (
            ("trace", ("true", "hidden", "shuffled")),
            ("survivors", ("richest", "random", "generous")),
        ):
            if getattr(self, name) not in words:
                raise ValueError(f"{name} is one of {', '.join(words)}, got {getattr(self, name)!r}; give one of them")
        for name, least in (("slip", 0), ("harm", 0), ("generations", 1), ("societies", 1), ("replays", 2)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} is at least {least}, got {getattr(self, name)!r}; give {least} or more")


# In the roles of the paper's three models; none of the numbers was measured on a model.
ATTENTIVE = Settings(reciprocity=0.9, fidelity=0.9, slip=5, punishes=0.5)
CASUAL = Settings(reciprocity=0.7, fidelity=0.8, slip=10, punishes=0.25)
MUDDLED = Settings(reciprocity=0.5, fidelity=0.7, slip=20, punishes=0.5)

ARMS = {
    "attentive": ATTENTIVE,
    "random_survivors": replace(ATTENTIVE, survivors="random"),
    "no_transmission": replace(ATTENTIVE, fidelity=0.0),
    "hidden_trace": replace(ATTENTIVE, trace="hidden"),
    "shuffled_trace": replace(ATTENTIVE, trace="shuffled"),
    "fidelity_30": replace(ATTENTIVE, fidelity=0.3),
    "fidelity_60": replace(ATTENTIVE, fidelity=0.6),
    "attentive_punish": replace(ATTENTIVE, punishment=True),
    "attentive_sham": replace(ATTENTIVE, punishment=True, harm=0.0),
    "casual": CASUAL,
    "casual_punish": replace(CASUAL, punishment=True),
    "muddled": MUDDLED,
    "muddled_punish": replace(MUDDLED, punishment=True),
    "generous_survivors": replace(ATTENTIVE, trace="hidden", survivors="generous"),  # a gain that no trace can explain
    "lineages": replace(ATTENTIVE, societies=20),
    "one_lineage": replace(ATTENTIVE, societies=20, shared_past=True),
}


def run(settings: Settings, rng: np.random.Generator, log: Any) -> dict[str, Value]:
    """Let the societies of one arm live through their generations; the numbers of the last one."""
    state = log.restore() or found(settings, rng)
    draws = state["draws"]

    for generation in range(state["generation"], settings.generations):
        last = generation + 1 == settings.generations
        societies = state["societies"] * (settings.societies if last and settings.shared_past else 1)
        lives = [live(texts, settings, draws) for texts in societies]
        means = {name: float(np.mean([getattr(life, name) for life in lives])) for name in MEASURED}
        log.row(generation + 1, **{name: seen(number) for name, number in means.items()})
        if generation == 0:
            state["first"] = means["doublings"]
        if not last:
            state["societies"] = [succeed(*each, settings, draws) for each in zip(societies, lives, strict=True)]
            state["generation"] = generation + 1
            log.checkpoint(state)

    log.example(narrate(societies[0], lives[0], settings))
    most = full_cooperation()
    means |= {"gain": means["doublings"] - state["first"], "share_of_full": means["wealth"] / most.number}
    ends = {name: seen(number) for name, number in means.items()} | {"full_cooperation": most}
    if settings.societies > 1:
        ratio, p = luck_of_the_draw(societies, lives, settings, draws["replays"])
        method = f"bootstrap over {settings.replays} replays of each society"
        ends |= {"variance_ratio": seen(ratio, method), "variance_p": seen(p, method)}
    return ends


def seen(number: float, method: str = "one simulation; its interval is the one over seeds") -> Value:
    return Value(number, "sampled", None, method)


def found(settings: Settings, rng: np.random.Generator) -> dict[str, Any]:
    """The state before the first generation: founders, who write without advice, and generators, one a kind of chance.

    The generators are apart so that the arms of a seed share founders and meetings, whatever else they draw.
    """
    kinds = ("writer", "meetings", "survival", "shuffle", "replays")
    draws = {
        kind: np.random.default_rng(int(seed)) for kind, seed in zip(kinds, rng.integers(2**62, size=5), strict=True)
    }
    pasts = 1 if settings.shared_past else settings.societies
    societies = [[write([], settings, draws["writer"]) for _ in range(AGENTS)] for _ in range(pasts)]
    return {"generation": 0, "societies": societies, "first": 0.0, "draws": draws}


class Life(NamedTuple):
    """One generation of one society.

    wealth       mean units at the end
    doublings    log2(wealth / 10)
    gift_share   mean share of a donor's holdings that was given, over all acts
    punish_rate  share of all acts that were punishments
    spread       mean distance of two strategies in a percentage of their texts, in points
    holdings     float64[12], units of each agent at the end
    generosity   float64[12], mean share that each gave
    story        (donor, recipient int64[12, 6], given, spent float64[12, 6]) of the first playing
    """

    wealth: float
    doublings: float
    gift_share: float
    punish_rate: float
    spread: float
    holdings: np.ndarray
    generosity: np.ndarray
    story: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


MEASURED = ("wealth", "doublings", "gift_share", "punish_rate", "spread")


def live(texts: Sequence[str], settings: Settings, draws: Mapping[str, np.random.Generator]) -> Life:
    """Twelve agents act on their texts for 12 rounds, then once more from 10 units with the roles exchanged."""
    genomes = np.array([parse(text) for text in texts])
    holdings, generosity, punished, stories = np.zeros(AGENTS), np.zeros(AGENTS), 0.0, []
    one, other = meetings(draws["meetings"])
    for donor, recipient in ((one, other), (other, one)):
        shown = trace_owner(recipient, settings.trace, draws["shuffle"])
        given, spent, ends = np.zeros((ROUNDS, SIDE)), np.zeros((ROUNDS, SIDE)), np.full(AGENTS, HOLDINGS)
        play(genomes, donor, recipient, shown, settings.harm, ends, given, spent)
        holdings += ends / 2
        np.add.at(generosity, donor, given / ROUNDS)  # each gives in 6 rounds of either playing
        punished += (spent > 0).mean() / 2
        stories.append((donor, recipient, given, spent))
    wealth = float(holdings.mean())
    numbers = genomes[:, PERCENTAGES]
    distances = np.abs(numbers[:, None] - numbers).mean(axis=2)
    spread = float(distances.sum() / (AGENTS * (AGENTS - 1)))
    doublings = float(np.log2(wealth / HOLDINGS))
    return Life(wealth, doublings, float(generosity.mean()), punished, spread, holdings, generosity, stories[0])


def meetings(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Who gives to whom: donor and recipient, both int64[12, 6], row for row.

    Two halves drawn at random give in turn, so that a donor of one round is a recipient of the next. Each agent gives
    once to each of the other half. No two meet in consecutive rounds: the newest link of a trace never shows what was
    given to the donor who looks at it.
    """
    agents = rng.permutation(AGENTS)
    lag = rng.integers(1, SIDE - 1)
    places = np.arange(SIDE)
    donor, recipient = np.empty((ROUNDS, SIDE), np.int64), np.empty((ROUNDS, SIDE), np.int64)
    for turn in range(SIDE):
        donor[2 * turn], recipient[2 * turn] = agents[:SIDE], agents[SIDE + (places + turn) % SIDE]
        donor[2 * turn + 1], recipient[2 * turn + 1] = agents[SIDE:], agents[(places - turn + lag) % SIDE]
    return donor, recipient


def trace_owner(recipient: np.ndarray, trace: str, rng: np.random.Generator) -> np.ndarray:
    """int64[12, 6]: whose trace each donor sees. The recipient's, nobody's, or always that of another recipient."""
    if trace == "true":
        return recipient
    if trace == "hidden":
        return np.full_like(recipient, NOBODY)
    places = (np.arange(SIDE) + rng.integers(1, SIDE, size=(ROUNDS, 1))) % SIDE
    return np.take_along_axis(recipient, places, axis=1)


@njit("void(i8[:, ::1], i8[:, ::1], i8[:, ::1], i8[:, ::1], f8, f8[::1], f8[:, ::1], f8[:, ::1])", cache=True)
def play(genomes, donor, recipient, shown, harm, holdings, given, spent):
    """One playing of 12 rounds. Changed in place: holdings float64[12]; given, spent float64[12, 6], in shares of them.

    A donor's trace is its own act, then what its recipient's trace was: A gave to B, before that B to C, and so on. A
    punisher gives nothing, and that is what its trace shows.
    """
    chain = np.zeros((AGENTS, TRACE))
    links = np.zeros(AGENTS, np.int64)
    for turn in range(ROUNDS):
        for pair in range(SIDE):
            giver, taker, seen = donor[turn, pair], recipient[turn, pair], shown[turn, pair]
            strategy = genomes[giver]
            if seen == NOBODY or links[seen] == 0:
                given[turn, pair] = strategy[STRANGER] / 100.0
            else:
                # From the oldest link in sight to the newest: a low gift is excused where it went to one who was not
                # excused. One step back is image scoring (Nowak and Sigmund, 1998), two are standing (Sugden, 1986).
                worthy = True
                for link in range(min(strategy[DEPTH], links[seen]) - 1, -1, -1):
                    oldest = link == min(strategy[DEPTH], links[seen]) - 1
                    met = chain[seen, link] >= strategy[EXPECTS] / 100.0
                    worthy = met or (not oldest and not worthy)
                last = chain[seen, 0]
                too_much = strategy[MORE] == 1 and last > strategy[LIMIT] / 100.0
                too_little = strategy[MORE] == 0 and last < strategy[LIMIT] / 100.0 and not worthy
                if strategy[SPEND] > 0 and (too_much or too_little):
                    spent[turn, pair] = strategy[SPEND] / 100.0
                else:
                    given[turn, pair] = strategy[MEETS if worthy else SHORT] / 100.0
            gift, price = given[turn, pair] * holdings[giver], spent[turn, pair] * holdings[giver]
            holdings[giver] -= gift + price
            holdings[taker] = max(0.0, holdings[taker] + GAIN * gift - harm * price)
            for link in range(TRACE - 1, 0, -1):
                chain[giver, link] = chain[taker, link - 1]
            chain[giver, 0] = given[turn, pair]
            links[giver] = min(TRACE, links[taker] + 1)


def succeed(
    texts: Sequence[str], life: Life, settings: Settings, draws: Mapping[str, np.random.Generator]
) -> list[str]:
    """The next generation: half of the agents survive with their texts, as many newcomers write theirs from those."""
    by_lot = draws["survival"].random(AGENTS)
    merit = {"richest": life.holdings, "random": by_lot, "generous": life.generosity}[settings.survivors]
    best = np.lexsort((by_lot, -merit))[:SURVIVORS]
    advice = [texts[agent] for agent in best]
    return advice + [write(advice, settings, draws["writer"]) for _ in range(AGENTS - SURVIVORS)]


def write(advice: Sequence[str], settings: Settings, rng: np.random.Generator) -> str:
    """A strategy's text. Without advice it is invented; with advice each clause that is carried over comes from one of
    the texts, drawn at random, and its percentages slip. Of the survivors only their texts are known here."""
    genome = invent(settings, rng)
    for clause in CLAUSES if advice else ():
        source = parse(advice[int(rng.integers(len(advice)))])
        slips = np.zeros(len(HIGHEST), np.int64)
        slips[PERCENTAGES] = rng.integers(-settings.slip, settings.slip + 1, size=len(PERCENTAGES))
        if rng.random() < settings.fidelity:
            genome[clause] = np.clip(source + slips, 0, HIGHEST)[clause]
    if not settings.punishment:
        genome[SPEND] = 0
    return tell(genome)


def invent(settings: Settings, rng: np.random.Generator) -> np.ndarray:
    """A fresh genome. All percentages are uniform; a family only bears on the order of two gifts and on punishment."""
    genome = rng.integers(0, HIGHEST + 1)
    genome[DEPTH] = rng.integers(1, TRACE + 1)
    low, high = sorted((genome[MEETS], genome[SHORT]))
    genome[MEETS], genome[SHORT] = (high, low) if rng.random() < settings.reciprocity else (low, high)
    genome[MORE] = int(rng.random() >= settings.reciprocity)
    genome[SPEND] = rng.integers(1, HIGHEST[SPEND] + 1) * int(rng.random() < settings.punishes)
    return genome


def tell(genome: np.ndarray) -> str:
    """A genome in words; `parse` reads them back. Without a price there is no punishment, whatever its limit says."""
    stranger, expects, meets, short, depth, limit, more, spend = (int(number) for number in genome)
    punish = (
        f"punish one who gave {'more' if more else 'less'} than {limit}% by spending {spend}%"
        if spend
        else "punish nobody"
    )
    return (
        f"My strategy will be to give {stranger}% to a stranger; to give {meets}% to one who gave at least {expects}% "
        f"and {short}% to one who gave less, looking back {depth} step{'s' * (depth > 1)}; and to {punish}."
    )


GRAMMAR = re.compile(
    r"my strategy will be to give (\d+)% to a stranger; to give (\d+)% to one who gave at least (\d+)% "
    r"and (\d+)% to one who gave less, looking back (\d+) steps?; "
    r"and to (?:punish nobody|punish one who gave (less|more) than (\d+)% by spending (\d+)%)\.?"
)


class NotAStrategy(ValueError):
    """A text that the grammar of strategies does not know, or a number out of its range."""


def parse(text: str) -> np.ndarray:
    """The genome int64[8] of a strategy's text, whatever its case and line breaks. Raises NotAStrategy."""
    found = GRAMMAR.fullmatch(" ".join(text.lower().split()))
    if not found:
        example = tell(np.array([50, 40, 60, 10, 2, 20, 0, 10]))
        raise NotAStrategy(f"text must be a sentence of the grammar, got {text!r}; write for example {example!r}")
    stranger, meets, expects, short, depth, direction, limit, spend = found.groups()
    more = int(direction == "more")
    genome = np.array([int(number or 0) for number in (stranger, expects, meets, short, depth, limit, more, spend)])
    if (genome > HIGHEST).any() or genome[DEPTH] < 1:
        raise NotAStrategy(
            f"text must keep to shares of 0 to 100%, 1 to {TRACE} steps and at most {HIGHEST[SPEND]}% spent on "
            f"punishment, got {text!r}; change the number that is out of range"
        )
    return genome


def full_cooperation(rounds: int = ROUNDS) -> Value:
    """Mean units where everyone always gives all, 30 x 2^(rounds - 2). No play reaches more.

    The first round turns 10 and 10 units into 0 and 10 + 20 = 30. Each later round doubles what there is and moves it
    to the other side: 30 x 2^(rounds - 1) on one side of two. It is the most: the final total is linear in what the
    sides hold before a round; let a unit be worth v to the side that gives and w to the other. A gift turns v into 2w,
    so before the round the units are worth max(v, 2w) and w. From (1, 1) after the last round, with the sides taking
    turns, that is backwards (2, 1), (4, 2), (8, 4): giving always gains.
    """
    return Value(
        3 * HOLDINGS * GAIN ** (rounds - 2), "exact", None, "closed form, all give all in every round; in units"
    )


def luck_of_the_draw(
    societies: Sequence[Sequence[str]], lives: Sequence[Life], settings: Settings, rng: np.random.Generator
) -> tuple[float, float]:
    """How much the ends of societies differ beyond the luck of who met whom: (ratio, p).

    Null: societies end alike on average and differ only by who met whom at last. Each last generation is replayed, its
    strategies kept, its meetings drawn anew; the deviations from its own mean are the luck. A bootstrap sample takes
    one deviation from each society, and the variance between them is what luck alone gives. The ratio is the variance
    seen between societies over the 95% point of 2,000 such samples: above 1 the null is rejected at 5% in this cell.
    """
    chance = {"meetings": rng, "shuffle": rng}
    replayed = np.array(
        [[live(texts, settings, chance).doublings for _ in range(settings.replays)] for texts in societies]
    )
    luck = (replayed - replayed.mean(axis=1, keepdims=True)) * np.sqrt(settings.replays / (settings.replays - 1))
    picks = rng.integers(settings.replays, size=(2000, len(societies)))
    null = luck[np.arange(len(societies)), picks].var(axis=1, ddof=1)
    seen = np.var([life.doublings for life in lives], ddof=1)
    floor = 1e-9  # squared doublings: where all societies give nothing, both variances are zero
    return float(seen / max(np.quantile(null, 0.95), floor)), float((1 + (null >= seen).sum()) / (1 + len(null)))


def narrate(texts: Sequence[str], life: Life, settings: Settings) -> str:
    """The last generation in words: its opening rounds, and the texts of those who ended richest."""
    lines = [
        f"Generation {settings.generations}: {AGENTS} agents hold {HOLDINGS:g} units each; a gift arrives doubled."
    ]
    donor, recipient, given, spent = life.story
    for turn in range(3):
        lines.append(f"Round {turn + 1}")
        for giver, taker, gift, price in zip(donor[turn], recipient[turn], given[turn], spent[turn], strict=True):
            act = f"spends {price:.0%} of its holdings to punish" if price else f"gives {gift:.0%} of its holdings to"
            lines.append(f"  agent {giver + 1} {act} agent {taker + 1}")
    most = full_cooperation().number
    lines.append(
        f"After {ROUNDS} rounds, and {ROUNDS} more with the roles exchanged, the mean is {life.wealth:.4g} units,"
    )
    lines.append(
        f"{life.wealth / most:.2%} of the {most:,.0f} that all would have had, had all given all. The richest:"
    )
    for agent in np.argsort(-life.holdings)[:3]:
        lines.append(f"  agent {agent + 1}, {life.holdings[agent]:.4g} units: {texts[agent]}")
    return "\n".join(lines)


# What follows is asked of a real model only.


def server(settings: Settings, rng: np.random.Generator, log: Any, model: Any) -> dict[str, Value]:
    """One society whose founders and newcomers are a real model: it writes their strategies, and `live` acts on them.

    A family is a model here, and the knobs of the stand-ins have no bearing: --agent URL#ONE,TWO,THREE puts three
    models of one server in the roles of attentive, casual and muddled. With one name all three are the same society,
    asked once. Who writes no readable strategy gives nothing.
    """
    draws = found(settings, rng)["draws"]
    seeds = rng.integers(2**31, size=(settings.generations, AGENTS))
    state = log.restore() or {"generation": 0, "draws": draws, "texts": [], "advice": [], "asked": 0, "unread": 0}
    for generation in range(state["generation"], settings.generations):
        newcomers = AGENTS - len(state["texts"])
        asked = [[{"role": "user", "content": request(state["advice"], settings)}]] * newcomers
        with family(model, settings):
            replies = model.ask(asked, seeds[generation, :newcomers])
        written = [strategy_in(reply, settings) for reply in replies]
        texts = [*state["texts"], *(text or GIVES_NOTHING for text in written)]
        life = live(texts, settings, state["draws"])
        now = {name: float(getattr(life, name)) for name in MEASURED}
        log.row(generation + 1, **{name: seen(number) for name, number in now.items()})
        best = best_of(life, settings, state["draws"]["survival"])
        state |= {"first": now["doublings"]} if generation == 0 else {}
        state |= {"generation": generation + 1, "now": now, "story": narrate(texts, life, settings)}
        state |= {"asked": state["asked"] + newcomers, "unread": state["unread"] + written.count(None)}
        state["texts"] = [texts[agent] for agent in best]
        state["advice"] = [f"> {texts[agent]} It ended with {life.holdings[agent]:.1f} units." for agent in best]
        log.checkpoint(state)
    log.example(state["story"])
    ends = {name: seen(number) for name, number in state["now"].items()}
    unread = seen(state["unread"] / state["asked"], f"share of the {state['asked']} strategies asked for")
    return ends | {"gain": seen(ends["doublings"].number - state["first"]), "unreadable": unread}


@contextmanager
def family(model: Any, settings: Settings) -> Iterator[None]:
    """While it lasts `model` stands for the one of its comma-separated names that plays the arm's family."""
    names = model.name
    each = names.split(",")
    if len(each) not in (1, 3):
        raise ValueError(f"--agent names one model or three, one a family, with commas between them; got {names!r}")
    likes = [abs(of.reciprocity - settings.reciprocity) for of in (ATTENTIVE, CASUAL, MUDDLED)]
    model.name = each[int(np.argmin(likes)) % len(each)].strip()
    try:
        yield
    finally:
        model.name = names


def request(advice: Sequence[str], settings: Settings) -> str:
    """What a newcomer is asked: the game, who survived with what, and the sentence that is to be written."""
    punish, clause = "", "punish nobody"
    if settings.punishment:
        punish = f" Or it spends some units, and the recipient loses {settings.harm:g} times as many."
        clause = f"punish one who gave less than X% by spending X%, which is at most {HIGHEST[SPEND]}% (or: {clause})"
    lines = [
        f"{AGENTS} agents play {ROUNDS} rounds, from {HOLDINGS:g} units each. In a round half of them are donors, "
        "paired anew with the other half, and the halves take turns. A donor gives up any share of what it has, and "
        f"its recipient gets {GAIN:g} times as much.{punish} A donor is shown what share its recipient last gave, what "
        f"share whoever received that had given before, and so on, {TRACE} steps back at most. In the first round "
        "nothing is known, and the recipient is a stranger. In the end the richer half of the agents survives. You are "
        "a new agent and want to end with as many units as you can.",
        *(["The survivors of the last generation advise:", *advice, "Make your own strategy of it."] if advice else []),
        "Think in a few short lines about what succeeds. Then end your reply with one line, this sentence, with whole "
        f"percentages in the place of X and 1, 2 or {TRACE} in the place of N. Looking back more than one step excuses "
        "a low gift if it went to one who had given too little.",
        "My strategy will be to give X% to a stranger; to give X% to one who gave at least X% and X% to one who gave "
        f"less, looking back N steps; and to {clause}.",
    ]
    return "\n".join(lines)


def strategy_in(reply: Any, settings: Settings) -> str | None:
    """The text of the strategy in the last line of a reply, in one form; None where there is none."""
    lines = spoken(reply.text).splitlines() if reply.status == "ok" else []
    if not lines or len(lines[-1]) > 500:
        return None
    try:
        genome = parse(lines[-1].strip(" *`"))
    except ValueError:
        return None
    return tell(genome) if settings.punishment or not genome[SPEND] else None


def best_of(life: Life, settings: Settings, rng: np.random.Generator) -> np.ndarray:
    """int64[6]: who survives, by the rule of `succeed`."""
    by_lot = rng.random(AGENTS)
    merit = {"richest": life.holdings, "random": by_lot, "generous": life.generosity}[settings.survivors]
    return np.lexsort((by_lot, -merit))[:SURVIVORS]


GIVES_NOTHING = tell(np.array([0, 0, 0, 0, 1, 0, 0, 0]))


RECIPE = Recipe(
    slug="cultural-donor",
    arms=ARMS,
    run=run,
    server=server,
    claims=(
        Higher("attentive", than="random_survivors", metric="doublings", by=0.5),
        Higher("attentive", than="no_transmission", metric="doublings", by=0.5),
        Higher("attentive", than="shuffled_trace", metric="doublings", by=0.5, control="hidden_trace"),
        Higher(
            "attentive",
            than=0.0,
            metric="gain",
            by=0.5,
            says="mean wealth rises by half a doubling or more from the first generation to the last",
        ),
        Lower(
            "hidden_trace",
            than=0.5,
            metric="gain",
            control="generous_survivors",
            says="with the trace hidden the rise is erased: less than half a doubling is left",
        ),
        Trend(
            (("attentive", 0.9), ("fidelity_60", 0.6), ("fidelity_30", 0.3), ("no_transmission", 0.0)),
            metric="doublings",
        ),
        Higher("attentive_punish", than="attentive", metric="doublings", by=0.5, control="attentive_sham"),
        NotWorse(
            "muddled_punish",
            than="muddled",
            metric="doublings",
            margin=0.5,
            direction="lower",
            control="generous_survivors",
            says="the muddled family with punishment ends less than half a doubling above itself without",
        ),
        Higher(
            "lineages",
            than=1.0,
            metric="variance_ratio",
            control="one_lineage",
            says="societies differ by more than the luck of who met whom in the last generation",
        ),
        Ordered(
            ("attentive", "casual", "muddled"),
            metric="doublings",
            scope="server",
            says="Claude 3.5 Sonnet's societies end richer than Gemini 1.5 Flash's, and those richer than GPT-4o's",
        ),
    ),
    control="shuffled_trace",
    seeds=20,
    minutes=1,
    quick={"generations": 3, "replays": 5},
    metrics={
        "doublings": ("doublings", "how often the mean holdings of 10 units have doubled by the end of a generation"),
        "wealth": ("units", "mean holdings at the end of a generation"),
        "gift_share": ("share", "mean share of its holdings that a donor gives"),
        "punish_rate": ("share", "acts that are punishments, of all acts"),
        "spread": ("points", "mean distance of two strategies in a percentage of their texts"),
        "gain": ("doublings", "doublings in the last generation less those in the first"),
        "share_of_full": ("share", "mean holdings, of those under full cooperation"),
        "full_cooperation": ("units", "mean holdings where everyone always gives all"),
        "variance_ratio": ("ratio", "variance between societies over the 95% point of what the luck of the draw gives"),
        "variance_p": (
            "probability",
            "chance of a variance between societies as large from the luck of the draw alone",
        ),
    },
    watch="doublings",
)
