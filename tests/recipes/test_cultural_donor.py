"""The donor game, its grammar and its societies, each against a second route or a case worked out by hand."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from ludus.recipes.society import cultural_donor as donor
from ludus.study import Log

GIVE_ALL = donor.tell(np.array([100, 0, 100, 0, 1, 0, 0, 0]))
GIVE_NONE = donor.tell(np.array([0, 0, 0, 0, 1, 0, 0, 0]))
RANDOM = donor.Settings(reciprocity=0.5, fidelity=0.5, slip=10, punishes=0.6, punishment=True)


def random_texts(rng, settings=RANDOM):
    return [donor.write([], settings, rng) for _ in range(donor.AGENTS)]


def draws(seed):
    return {
        kind: np.random.default_rng([seed, i]) for i, kind in enumerate(("meetings", "shuffle", "survival", "writer"))
    }


# The grammar


def test_texts_and_genomes_are_two_forms_of_one_thing():
    rng = np.random.default_rng(1)
    for _ in range(300):
        text = donor.write([], RANDOM, rng)
        assert donor.tell(donor.parse(text)) == text
        assert (donor.parse(text.upper().replace(" ", "\n ")) == donor.parse(text)).all()


def test_a_text_is_read_as_it_says():
    text = (
        "My strategy will be to give 35% to a stranger; to give 70% to one who gave at least 40% and 5% to one who "
        "gave less, looking back 3 steps; and to punish one who gave more than 90% by spending 15%."
    )
    assert donor.parse(text).tolist() == [35, 40, 70, 5, 3, 90, 1, 15]


@pytest.mark.parametrize(
    "text", ["", "give everything", GIVE_ALL.replace("100%", "101%", 1), GIVE_ALL.replace("1 step", "4 steps")]
)
def test_what_is_no_strategy_is_refused(text):
    with pytest.raises(donor.NotAStrategy, match="text must"):
        donor.parse(text)


# Writers


def test_no_family_is_more_generous_than_another_by_its_knobs():
    for family in (donor.ATTENTIVE, donor.CASUAL, donor.MUDDLED):
        rng = np.random.default_rng(2)
        genomes = np.array([donor.invent(family, rng) for _ in range(4000)])
        gifts = genomes[:, [donor.STRANGER, donor.EXPECTS]].mean(), genomes[:, [donor.MEETS, donor.SHORT]].mean()
        assert gifts == pytest.approx((50, 50), abs=1.5)  # four standard errors
        favours = (genomes[:, donor.MEETS] > genomes[:, donor.SHORT]).mean()
        assert favours == pytest.approx(family.reciprocity, abs=0.04)


def test_newcomers_learn_clauses_from_the_texts_and_nothing_else():
    rng = np.random.default_rng(3)
    advice = random_texts(rng)[:6]
    sources = [donor.parse(text) for text in advice]
    exact = replace(RANDOM, fidelity=1.0, slip=0)
    for _ in range(50):
        genome = donor.parse(donor.write(advice, exact, rng))
        for clause in donor.CLAUSES:
            spent = genome[donor.SPEND] or clause.stop <= donor.LIMIT
            assert not spent or any((genome[clause] == source[clause]).all() for source in sources)
    for seed in range(20):  # with nothing carried over, advice makes no difference at all
        deaf = replace(RANDOM, fidelity=0.0)
        one, two = (donor.write(texts, deaf, np.random.default_rng(seed)) for texts in (advice, []))
        assert one == two


def test_the_richest_half_survives_with_its_texts():
    rng = np.random.default_rng(4)
    texts, chance = random_texts(rng), draws(4)
    life = donor.live(texts, RANDOM, chance)
    after = donor.succeed(texts, life, RANDOM, chance)
    assert len(after) == donor.AGENTS
    assert sorted(after[:6]) == sorted(texts[agent] for agent in np.argsort(life.holdings)[-6:])


# The game


def test_meetings():
    for seed in range(20):
        one, other = donor.meetings(np.random.default_rng(seed))
        for turn in range(donor.ROUNDS):
            assert sorted([*one[turn], *other[turn]]) == list(range(donor.AGENTS))
            if turn:
                assert set(one[turn]) == set(other[turn - 1])
                before = {frozenset(pair) for pair in zip(one[turn - 1], other[turn - 1], strict=True)}
                assert not before & {frozenset(pair) for pair in zip(one[turn], other[turn], strict=True)}
        assert len(set(zip(one.flat, other.flat, strict=True))) == one.size  # nobody gives to the same agent twice


def test_a_shuffled_trace_is_always_that_of_another_recipient():
    _, recipient = donor.meetings(np.random.default_rng(5))
    shown = donor.trace_owner(recipient, "shuffled", np.random.default_rng(6))
    assert (shown != recipient).all()
    assert (np.sort(shown, axis=1) == np.sort(recipient, axis=1)).all()


def slow_play(genomes, one, other, shown, harm):
    """The rounds by their definition: traces are looked up in the record of all acts, judged by recursion."""
    acts = {}  # (round, agent) -> (share given, to whom)
    holdings = [10.0] * donor.AGENTS

    def trace(agent, turn, length):
        """The shares of the chain that ends in the agent's last act before `turn`, newest first."""
        if length == 0 or (turn - 1, agent) not in acts:
            return []
        share, to = acts[turn - 1, agent]
        return [share, *trace(to, turn - 1, length - 1)]

    def worthy(shares, expects):
        return shares[0] >= expects or (len(shares) > 1 and not worthy(shares[1:], expects))

    for turn in range(donor.ROUNDS):
        for giver, taker, seen in zip(one[turn], other[turn], shown[turn], strict=True):
            stranger, expects, meets, short, depth, limit, more, spend = genomes[giver] / 100
            shares = [] if seen < 0 else trace(seen, turn, donor.TRACE)
            gift, price = stranger, 0.0
            if shares:
                good = worthy(shares[: round(depth * 100)], expects)
                gift = meets if good else short
                punishable = shares[0] > limit if more else shares[0] < limit and not good
                if punishable and spend:
                    gift, price = 0.0, spend
            acts[turn, giver] = (gift, taker)
            had = holdings[giver]
            holdings[giver] -= (gift + price) * had
            holdings[taker] = max(0.0, holdings[taker] + 2 * gift * had - harm * price * had)
    return holdings


@pytest.mark.parametrize("trace", ["true", "hidden", "shuffled"])
def test_the_fast_game_equals_the_slow_one(trace):
    rng = np.random.default_rng(7)
    for harm in (2.0, 0.0):
        for _ in range(30):
            genomes = np.array([donor.parse(text) for text in random_texts(rng)])
            one, other = donor.meetings(rng)
            shown = donor.trace_owner(other, trace, rng)
            holdings, given, spent = np.full(donor.AGENTS, 10.0), np.zeros(one.shape), np.zeros(one.shape)
            donor.play(genomes, one, other, shown, harm, holdings, given, spent)
            assert holdings == pytest.approx(slow_play(genomes, one, other, shown, harm), rel=1e-12, abs=1e-12)
            assert not ((given > 0) & (spent > 0)).any()


def test_without_a_trace_only_the_gift_to_strangers_is_played():
    rng = np.random.default_rng(8)
    genomes = np.array([donor.parse(text) for text in random_texts(rng)])
    one, other = donor.meetings(rng)
    given, spent = np.zeros(one.shape), np.zeros(one.shape)
    donor.play(genomes, one, other, donor.trace_owner(other, "hidden", rng), 2.0, np.full(12, 10.0), given, spent)
    assert (given == genomes[one, donor.STRANGER] / 100).all() and not spent.any()


def test_full_cooperation_is_what_the_game_pays_and_no_play_pays_more():
    life = donor.live([GIVE_ALL] * donor.AGENTS, donor.ATTENTIVE, draws(9))
    assert life.wealth == donor.full_cooperation().number == 30_720
    assert donor.live([GIVE_NONE] * donor.AGENTS, donor.ATTENTIVE, draws(9)).wealth == 10
    for rounds in (2, 4, 6):  # linear in every gift, so that the most lies at gifts of all or nothing
        best = 0.0
        for gives in itertools.product((0, 1), repeat=rounds):
            side = [10.0, 10.0]
            for turn, gift in enumerate(gives):
                moved = gift * side[turn % 2]
                side[turn % 2] -= moved
                side[1 - turn % 2] += 2 * moved
            best = max(best, sum(side) / 2)
        assert donor.full_cooperation(rounds).number == best


def test_a_free_rider_among_image_scorers_pays_where_the_trace_is_true_and_only_there():
    scorer = donor.tell(np.array([100, 50, 100, 0, 1, 0, 0, 0]))
    for seed in range(20):
        rider = {}
        for trace in ("true", "shuffled"):
            life = donor.live([GIVE_NONE] + [scorer] * 11, replace(donor.ATTENTIVE, trace=trace), draws(seed))
            rider[trace] = (life.holdings > life.holdings[0]).sum()  # how many end richer
        assert rider["true"] >= donor.SURVIVORS > rider["shuffled"]


# Societies


def test_a_killed_run_goes_on_as_if_nothing_had_happened(tmp_path):
    class Killed(Exception):
        pass

    class Mortal(Log):
        left = 5

        def checkpoint(self, state):
            super().checkpoint(state)
            self.left -= 1
            if self.left == 0:
                self.row(99, lost=1.0)  # after the checkpoint: must be dropped
                raise Killed

    settings = replace(RANDOM, societies=2, trace="shuffled", replays=3)

    def finish(log):
        ends = donor.run(settings, np.random.default_rng(10), log)
        log.close()
        return ends

    whole = finish(Log(tmp_path / "whole"))
    with pytest.raises(Killed):
        finish(Mortal(tmp_path / "broken"))
    assert finish(Log(tmp_path / "broken")) == whole
    for name in ("events.jsonl", "example.txt"):
        assert (tmp_path / "broken" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_arms_of_a_seed_share_their_founders():
    founders = [donor.found(donor.ARMS[arm], np.random.default_rng(11))["societies"] for arm in donor.ARMS]
    plain = [
        f
        for arm, f in zip(donor.ARMS, founders, strict=True)
        if replace(donor.ARMS[arm], trace="true") == donor.ATTENTIVE
    ]
    assert len(plain) == 3 and plain[0] == plain[1] == plain[2]


def test_the_luck_of_the_draw_is_told_from_real_differences():
    settings = replace(donor.ATTENTIVE, replays=40)
    above = 0
    for seed in range(15):
        rng = np.random.default_rng([12, seed])
        same = [random_texts(rng)] * 12
        lives = [donor.live(texts, settings, {"meetings": rng, "shuffle": rng}) for texts in same]
        ratio, p = donor.luck_of_the_draw(same, lives, settings, rng)
        above += ratio > 1
        assert 0 < p <= 1
    assert above <= 4  # at 5% each, five or more of fifteen have a chance of 0.0006
    texts = random_texts(rng)
    unlike = [[GIVE_ALL] * 6 + texts[6:], [GIVE_NONE] * 6 + texts[6:]] * 6
    lives = [donor.live(texts, settings, {"meetings": rng, "shuffle": rng}) for texts in unlike]
    assert donor.luck_of_the_draw(unlike, lives, settings, rng)[0] > 1


def test_breeding_the_generous_raises_wealth_without_any_trace(tmp_path):
    """The planted gain that serves as a control: the measure of gain can see one."""
    gains = []
    for seed in range(6):
        log = Log(tmp_path / str(seed))
        ends = donor.run(replace(donor.ARMS["generous_survivors"], replays=2), np.random.default_rng([13, seed]), log)
        log.close()
        gains.append(ends["gain"].number)
    assert min(gains) > 0.5


@pytest.mark.parametrize(
    ("name", "value"),
    [("fidelity", 1.5), ("trace", "none"), ("survivors", "poorest"), ("generations", 0), ("replays", 1)],
)
def test_settings_out_of_range_are_refused(name, value):
    with pytest.raises(ValueError, match=f"{name} is .*got {value!r}"):
        replace(donor.ATTENTIVE, **{name: value})
