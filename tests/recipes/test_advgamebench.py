"""The parts of the AdvGameBench recipe: fights against naive twins, expectations against play, metrics by hand."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from ludus.models.chat import Reply, Scripted
from ludus.recipes.equilibria import advgamebench as adv
from ludus.study import Log

TOWER, CARDS, COMBAT = adv.contests()


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def plan(game, names, side="own"):
    words = getattr(game, side)
    return sum(words.index(name) * weight for name, weight in zip(names.split(), (25, 5, 1), strict=True))


def wins(game, own, theirs):
    return bool(game.fights[plan(game, own), plan(game, theirs, "theirs")])


def naive_lane(soldier, demon):
    """Second by second, from the rules as they are told."""
    damage = {"nobody": 0, "handgun": 1, "shielded-handgun": 1, "rifle": 2, "anti-air": 1}[soldier]
    standing = {"nobody": 0, "handgun": 3, "shielded-handgun": 18, "rifle": 3, "anti-air": 2}[soldier]
    health = {"nobody": 0, "normal": 10, "great": 20, "armoured": 33.4, "flying": 10}[demon]
    reaches = (soldier == "anti-air") == (demon == "flying")
    second = 0
    while health > 0:
        if second >= 14 and (demon == "flying" or standing <= 0):
            return False
        health -= damage if reaches else 0
        if second >= 14:
            standing -= 1
        second += 1
    return True


def test_lanes_are_held_as_second_by_second():
    for own, theirs in product(TOWER.own, TOWER.theirs):
        assert wins(TOWER, f"{own} nobody nobody", f"{theirs} nobody nobody") == naive_lane(own, theirs), (own, theirs)
    for _ in range(50):
        own, theirs = np.random.default_rng(1).integers(125, size=2)
        lanes = zip(adv.PLANS[own], adv.PLANS[theirs], strict=True)
        assert TOWER.fights[own, theirs] == all(naive_lane(TOWER.own[a], TOWER.theirs[b]) for a, b in lanes)


def test_the_cheapest_answer_by_dynamic_programming_is_that_of_brute_force():
    """Lanes are independent, so the cheapest holding plan costs the sum of the cheapest soldiers."""
    price = dict(zip(TOWER.own, (0, 100, 150, 200, 100), strict=True))
    for foe in range(125):
        cheapest = sum(
            min(price[own] for own in TOWER.own if naive_lane(own, TOWER.theirs[at])) for at in adv.PLANS[foe]
        )
        assert TOWER.cost[TOWER.fights[:, foe]].min() == cheapest


def naive_battle(own, theirs):
    """One card after the other, from the rules as they are told; whether the first side wins."""
    stats = {"lizard": (3, 2, 0), "beetle": (1, 7, 3), "guardian": (3, 3, 2), "treant": (4, 6, 1)}
    beats = {0: 1, 1: 2, 2: 3, 3: 0}
    rows = [[[*stats[name], name == "guardian"] for name in side if name != "nobody"] for side in (own, theirs)]
    while rows[0] and rows[1]:
        one, other = rows[0][0], rows[1][0]
        blows = [me[0] * (2 if beats[me[2]] == foe[2] else 1) for me, foe in ((one, other), (other, one))]
        for struck, blow in ((other, blows[0]), (one, blows[1])):
            if struck[3]:
                struck[3] = False
            else:
                struck[1] -= blow
        rows = [row[row[0][1] <= 0 :] for row in rows]
    return bool(rows[0])


def test_battles_are_those_of_one_card_after_the_other(rng):
    for own, theirs in rng.integers(125, size=(300, 2)):
        sides = [[CARDS.own[at] for at in adv.PLANS[each]] for each in (own, theirs)]
        assert CARDS.fights[own, theirs] == naive_battle(*sides), sides


def naive_combat(own, theirs):
    stats = {"strike": (2, 0), "guard": (1, 3), "tide": (4, 0), "vine": (4, 0), "flame": (5, 0)}
    beats = {("flame", "vine"), ("vine", "tide"), ("tide", "flame")}
    health = [24, 24]
    for turn in range(12):
        now = (own[turn % 3], theirs[turn % 3])
        hurt = [max(stats[a][0] * (2 if (a, b) in beats else 1) - stats[b][1], 0) for a, b in (now, now[::-1])]
        health = [health[0] - hurt[1], health[1] - hurt[0]]
        if min(health) <= 0:
            break
    return health[0] > health[1]


def test_combats_are_those_of_one_turn_after_the_other(rng):
    for own, theirs in rng.integers(125, size=(300, 2)):
        sides = [[COMBAT.own[at] for at in adv.PLANS[each]] for each in (own, theirs)]
        assert COMBAT.fights[own, theirs] == naive_combat(*sides), sides


@pytest.mark.parametrize("game", adv.contests(), ids=lambda game: game.name)
def test_every_plan_within_a_budget_can_be_beaten_within_the_other_and_budgets_bind(game):
    assert game.won[:, game.open].any(axis=0).all() and (~game.fights[game.allowed][:, game.open]).any(axis=1).all()
    assert 0.5 < game.allowed.mean() < 0.95
    dear = game.fights[~game.allowed][:, game.open].mean()
    assert dear > game.fights[game.allowed][:, game.open].mean() + 0.1  # what tempts an agent to overspend
    assert not game.won[~game.allowed].any()


@pytest.mark.parametrize("width", [1.0, 1.5, 2.0])
def test_odds_are_those_of_all_ways_to_draw(width, rng):
    fights, pool = rng.random((125, 125)) < 0.4, np.arange(125) < 4
    found = np.zeros(4)
    for count, weight in ((1, 2 - width if width < 2 else 0.0), (2, width - 1)):
        for drawn in product(range(4), repeat=count):
            best = next((each for each in drawn if fights[each, 7]), drawn[-1])
            found[best] += weight / 4**count
    table = adv.odds(fights, pool, width)
    np.testing.assert_allclose(table[:4, 7], found, atol=1e-12)
    np.testing.assert_allclose(table.sum(axis=0), 1)


@pytest.mark.parametrize("luck", [0.0, 0.5])
def test_expected_sums_are_those_of_many_matches(luck):
    settings = adv.Settings(agents=5, matches=1000, turns=6, luck=luck)
    rng = np.random.default_rng(3)
    agents = adv.draw_agents(settings, rng)
    for game in adv.contests():
        seen = adv.sums(adv.play(agents, game, settings, rng), game)
        exact = np.array([adv.expected(agents, at, game, settings) for at in range(5)])
        error = seen.std(axis=1) / np.sqrt(1000)
        assert (np.abs(seen.mean(axis=1) - exact) <= 4.5 * error + 1e-9).all()


def test_the_best_replier_wins_every_round_and_overspends_in_none():
    numbers = dict(zip(adv.METRICS, adv.exact(adv.best_replier(), adv.Settings())[0], strict=True))
    assert numbers["win"] == pytest.approx(1) and numbers["csr"] == pytest.approx(1)
    assert numbers["obr"] == 0 and numbers["slope"] == pytest.approx(0)


def test_metrics_of_a_match_by_hand():
    """Costs 0, 100, 100, 300, 600 of a budget of 450; corrections in turns 2, 4, 5, of which turn 4 is won."""
    names = ("nobody nobody nobody", "handgun nobody nobody", "nobody handgun nobody")
    names += ("handgun rifle nobody", "rifle rifle rifle")
    plans = np.array([plan(TOWER, each) for each in names])[None, None]
    assert TOWER.cost[plans].ravel().tolist() == [0, 100, 100, 300, 600]
    seen = adv.Records(np.array([[[False, False, True, True, False]]]), plans, plans)
    numbers = adv.metrics(adv.sums(seen, TOWER).sum(axis=1), 1)[0]
    assert numbers == pytest.approx([3 / 4, 1 / 3, np.polyfit(range(5), [0, 0, 1, 1, 0], 1)[0], 1 / 5, 2 / 5])
    still = adv.Records(seen.won, plans[..., [1] * 5], plans)
    assert adv.metrics(adv.sums(still, TOWER).sum(axis=1), 1)[0, :2].tolist() == [0, 0]
    assert adv.unseen([seen, still, still]) == pytest.approx(1 / 4)  # the handgun that changed its lane


def test_agents_that_revise_after_losses_only_keep_what_wins():
    settings = adv.Settings(agents=5, matches=20, linked=True, care=1.0)
    rng = np.random.default_rng(0)
    agents = adv.draw_agents(settings, rng)
    assert (agents.won == 0).all()
    seen = adv.play(agents, COMBAT, settings, rng)
    won_still = COMBAT.won[seen.plan[..., :-1], seen.foe[..., 1:]]  # the plan in force against what it met next
    assert (seen.plan[..., 1:] == seen.plan[..., :-1])[won_still].all()


class Quiet:
    quick = True

    def restore(self):
        return None

    def row(self, *_, **__):
        pass

    def checkpoint(self, state):
        pass

    example = row


def numbers(arm, agents=20):
    settings = replace(adv.ARMS[arm], agents=agents)
    return {name: value.number for name, value in adv.run(settings, np.random.default_rng(0), Quiet()).items()}


def test_dealt_rounds_tell_nothing_and_coins_hide_quality():
    own, dealt, coins = numbers("paper"), numbers("dealt"), numbers("luck_all")
    for name in adv.METRICS:
        assert own[f"rank/{name}"] > abs(dealt[f"rank/{name}"]) + 0.2 and own[f"coverage/{name}"] > 0.6, name
    assert dealt["coverage/orr"] < 0.3 and dealt["coverage/win"] < 0.5
    assert abs(coins["knob/csr"]) + 0.3 < own["knob/csr"]
    assert coins["knob/obr"] > 0.7  # prices do not depend on luck


def test_with_the_win_rate_only_every_metric_is_the_win_rate():
    own, only = numbers("paper", 8), numbers("win_only", 8)
    assert only["rank/win"] == own["rank/win"] and only["coverage/win"] == own["coverage/win"]
    assert only["coverage/orr"] < own["coverage/orr"]


def test_a_wrong_setting_is_named():
    with pytest.raises(ValueError, match="setting care is from 0 to 1"):
        adv.Settings(care=2.0)


def served(answer, arm="paper"):
    settings = replace(adv.ARMS[arm], matches=6, turns=4)
    return adv.server(settings, np.random.default_rng(0), Quiet(), Scripted(answer))


def competent(messages, seed):
    """Reads the opponent's plan in the question and answers with a plan within the budget that beats it."""
    text = messages[0]["content"]
    game = next(each for each in adv.contests() if each.name in text)
    line = [each for each in text.splitlines() if each.startswith("The opponent's plan was: ")]
    best = int(np.flatnonzero(game.allowed)[0])
    if line:
        foe = plan(game, line[0].removeprefix("The opponent's plan was: ").strip(".").replace(",", ""), "theirs")
        best = int(game.won[:, foe].argmax())
    return f"I think so.\nPLAN: {adv.worded(best, game.own)}"


def test_a_competent_model_wins_and_one_told_of_other_matches_wins_less():
    own, other, blind = (served(competent, arm) for arm in ("paper", "dealt", "win_only"))
    assert own["win"].number == 1 and own["csr"].number == 1 and own["obr"].number == 0
    assert other["win"].number < 0.9 and blind["win"].number < 0.9
    assert own["unreadable"].number == 0


def test_a_random_model_gets_numbers_and_rubbish_is_counted():
    def random(messages, seed):
        game = next(each for each in adv.contests() if each.name in messages[0]["content"])
        return f"PLAN: {adv.worded(int(np.random.default_rng(seed).integers(125)), game.own)}"

    ends = served(random)
    assert 0.05 < ends["win"].number < 0.8 and ends["obr"].number > 0.05
    for rubbish in (
        "",
        "PLAN: rifle",
        "PLAN: a, b, c",
        "plan: rifle, rifle, rifle\nor not",
        Reply("", "", "refused", 0, 0),
    ):
        ends = served(lambda messages, seed, said=rubbish: said)
        assert ends["unreadable"].number == 1 and ends["orr"].number == 0
        assert all(value.interval[0] <= value.number <= value.interval[1] for value in ends.values())


def test_a_server_that_fails_is_asked_on_from_the_last_turn(tmp_path):
    settings = replace(adv.ARMS["paper"], turns=3)
    asked = []

    def flaky(messages, seed):
        asked.append(seed)
        if len(asked) == 15:  # in the third turn: 6 questions a turn
            raise RuntimeError("gone")
        return competent(messages, seed) if seed % 3 else "hm"

    whole = adv.server(
        settings, np.random.default_rng(0), Quiet(), Scripted(lambda m, s: competent(m, s) if s % 3 else "")
    )
    with pytest.raises(RuntimeError, match="gone"):
        adv.server(settings, np.random.default_rng(0), Log(tmp_path, quick=True), Scripted(flaky))
    rest = adv.server(settings, np.random.default_rng(0), Log(tmp_path, quick=True), Scripted(flaky))
    assert rest == whole and len(asked) == 15 + 2 * 6


def test_plans_are_read_strictly():
    def read(text, status="ok"):
        return adv.plan_in(Reply(text, "", status, 0, 0), TOWER)

    assert read("So.\n**PLAN: rifle, anti-air, nobody**") == plan(TOWER, "rifle anti-air nobody")
    assert read("PLAN: rifle, anti-air, nobody", "cut") is None
    assert read("PLAN: rifle, anti-air, nobody, nobody") is None
    assert read("PLAN: rifle, anti-air, tank") is None
