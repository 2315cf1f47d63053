"""AucArena: the hammer against a called price, the knapsack against all subsets, beliefs by hand, a served model."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from ludus.models.chat import Scripted
from ludus.recipes.equilibria import aucarena
from ludus.recipes.equilibria.aucarena import ARMS, Auction, Belief, Sales, Settings
from ludus.study import Log


def called(limit, start, first):
    """The hammer, naively: call a price, see who is in, call the next one."""
    price, inside = start, [seat for seat in range(len(limit)) if limit[seat] >= start]
    last = [start if seat in inside else 0 for seat in range(len(limit))]
    if not inside:
        return -1, 0, last
    while len(inside) > 1:
        after = [seat for seat in inside if limit[seat] >= price + start // 10]
        if after:
            price += start // 10
            last = [price if seat in after else before for seat, before in enumerate(last)]
            inside = after
        else:
            inside = [min(inside, key=list(first).index)]
    return inside[0], price, last


def test_the_hammer_is_a_price_called_step_by_step():
    rng = np.random.default_rng(1)
    for _ in range(300):
        start = int(10 * rng.integers(1, 6))
        limit = rng.integers(0, 30 * start // 10, 4)
        first = rng.permutation(4)
        winner, price, bids = aucarena.hammer(limit, start, first)
        assert (winner, price) == called(limit, start, first)[:2]
        assert bids.tolist() == called(limit, start, first)[2]


def some(seed, **changes):
    settings = replace(Settings(), **changes)
    rng = np.random.default_rng(seed)
    return settings, aucarena.draw(settings, 1.2, rng), rng


def test_the_price_to_win_is_the_lowest_at_which_any_limit_wins():
    for seed in range(6):
        _, auction, _ = some(seed)
        for item, cost in enumerate(aucarena.prices_to_win(auction)):
            start = auction.start[item]
            ends = [
                aucarena.hammer(np.append(limit, auction.limit[:, item]), start, auction.first)
                for limit in range(start, 5 * start, start // 10)
            ]
            assert cost == min(price for winner, price, _ in ends if winner == 0)


def test_the_most_is_the_best_of_all_subsets_and_nobody_earns_more():
    for seed in range(10):
        settings, auction, rng = some(seed, items=7, money=120)
        cost = aucarena.prices_to_win(auction)
        best = max(
            (auction.value - cost) @ chosen
            for chosen in map(np.array, product((0, 1), repeat=7))
            if cost @ chosen <= settings.money
        )
        assert aucarena.most(auction.value, cost, settings.money) == best
        for plan in ("rule", "static", "replan"):
            bidder = aucarena.sit(replace(settings, plan=plan), auction, 0)
            aucarena.hold(auction, [bidder], rng)
            assert bidder.profit <= best and bidder.money >= 0


def test_rule_bidders_put_their_limits_aside():
    assert aucarena.put_aside(np.array([80, 0, 90, 40, 30]), 200).tolist() == [80, 0, 90, 0, 30]


def test_with_certain_prices_and_true_worth_the_plan_earns_the_knapsack():
    """Prices known: the limits of a plan that is renewed buy what enumeration would."""
    rng = np.random.default_rng(3)
    for _ in range(20):
        price, worth, money = rng.integers(5, 30, 6), rng.integers(5, 40, 6), 60
        left, earned = money, 0
        for item in range(6):
            limit = aucarena.plan(worth[item:].astype(float), price[item:, None], np.ones((6 - item, 1)), left)
            if price[item] <= limit[0]:
                left, earned = left - price[item], earned + worth[item] - price[item]
        best = max((worth - price) @ c for c in map(np.array, product((0, 1), repeat=6)) if price @ c <= money)
        assert earned == best and left >= 0


def test_money_for_everything_makes_the_limit_the_worth():
    limit = aucarena.plan(np.array([33.0, 12.0]), np.array([[20], [10]]), np.ones((2, 1)), 500)
    assert limit.tolist() == [33, 12]


def test_the_forecast_by_hand():
    """Rivals of 12 and 9 raises with money, and a broke one: 22 after 1/2, 19 after 1/4, the start after 1/4."""
    belief = Belief(np.array([200, 100, 5, 100]), np.array([[9.0, 1], [9, 1], [9, 1], [24, 2]]))
    price, chance = aucarena.forecast(belief, 0, np.array([10]))
    seen = sorted((p, c) for p, c in zip(price[0], chance[0], strict=True) if c > 0)
    assert seen == [(10, 0.25), (20, 0.25), (23, 0.5)]


def test_beliefs_by_hand():
    belief = Belief(np.full(4, 200), np.tile([9.0, 1.0], (4, 1)))
    sale = Sales(np.array([20]), np.array([2]), np.array([30]), np.array([[28, 0, 30, 26]]))
    aucarena.note(belief, sale, 0, np.array([False, True, True, True]), np.full(4, True))
    assert belief.left.tolist() == [200, 200, 170, 174]  # seat 0 did not win and pays nothing
    assert belief.seen.tolist() == [[13, 2], [9, 1], [18, 2], [12, 2]]  # the winner goes at least as far as thought


def held(seed=4, **changes):
    settings, auction, rng = some(seed, **changes)
    bidder = aucarena.sit(settings, auction, 0)
    sales = aucarena.hold(auction, [bidder], rng)
    return bidder, sales


def test_belief_errors_come_from_missed_updates_and_corrections_undo_them():
    exact, sales = held()
    assert exact.tally.tolist() == [0, 0, 0]
    assert exact.belief.left[0] == exact.money == 200 - sales.price[sales.winner == 0].sum()
    deaf, _ = held(slips=1.0)
    assert (deaf.belief.left == 200).all() and deaf.tally[0] > 0 and deaf.tally[1] > 0
    unaware, _ = held(update="none")
    assert deaf.limit.tolist() == unaware.limit.tolist()
    mended, again = held(slips=1.0, corrected=True)
    assert mended.tally[0] > 0 and (again.price == sales.price).all() and mended.profit == exact.profit
    own, _ = held(update="self")
    assert own.tally[0] == 0 and (own.belief.left[1:] == 200).all()


def test_logs_show_the_factor_and_an_empty_log_shows_nothing():
    rng = np.random.default_rng(5)
    value = rng.integers(20, 100, 400)
    past = [np.stack([aucarena.appraised(value, 1.25, rng), value])]
    assert aucarena.fitted(past) == pytest.approx(1.25, abs=0.01)
    assert aucarena.fitted([]) == 1.0


def test_standings_rank_who_earns_more():
    profit = np.array([[0, 1, 2, 3], [0, 2, 1, 4], [0, 1, 3, 2]], float)
    numbers = aucarena.standings(profit)
    strength = [numbers[f"strength/{name}"] for name in aucarena.TABLE]
    assert strength[0] < strength[1] < strength[2] < strength[3]
    assert numbers["lead"] == pytest.approx(strength[3] - strength[2])
    assert aucarena.standings(np.zeros((3, 4)))["lead"] == pytest.approx(0)


def test_arms_share_their_auctions():
    draws = [some(7, **{name: getattr(arm, name) for name in ("plan", "logs", "update")}) for arm in ARMS.values()]
    for _, auction, _ in draws:
        assert all((one == other).all() for one, other in zip(auction, draws[0][1], strict=True))
    assert isinstance(draws[0][1], Auction)


def test_settings_are_checked():
    for wrong in ({"slips": 2.0}, {"flattery": (0.3, 0.1)}, {"persist": (0, 3)}, {"money": 3}, {"auctions": 1}):
        with pytest.raises(ValueError, match=f"setting {next(iter(wrong))}"):
            Settings(**wrong)


# A served model


def ask(model, tmp_path, arm, **changes):
    settings = replace(ARMS[arm], items=4, **changes)
    log = Log(tmp_path, quick=True)
    numbers = aucarena.server(settings, np.random.default_rng(11), log, model)
    log.close()
    return {name: value.number for name, value in numbers.items()}


def sensible(messages, seed):
    """Bids 70% of the estimate, and keeps books by the words of the sale."""
    text = messages[-1]["content"]
    if "LIMITS:" in text:
        worth = [int(line.split()[-1]) for line in text.splitlines() if line.startswith("item ")]
        return "I think.\nLIMITS: " + ", ".join(str(7 * number // 10) for number in worth)
    if "LEFT:" in text:
        words = text[text.rindex("Item ") :]
        left = [int(part.split(":")[1].rstrip(". ")) for part in words.split("before: ")[1].split(". ")[0].split(", ")]
        winner = int(words.split("Seat ")[1].split()[0]) if "Nobody" not in words else -1
        for seat, part in enumerate(words.split(": ", 1)[1].split(". ")[0].split("; ")):
            bid = 0 if "did not" in part else int(part.split()[-1])
            left[seat] -= bid if seat > 0 or winner == 0 else 0
        return "LEFT: " + ", ".join(map(str, left))
    return "1. Estimates are too high."


def test_a_served_model_that_keeps_books_is_read_without_error(tmp_path):
    numbers = ask(Scripted(sensible), tmp_path, "learn")
    assert numbers["unreadable"] == numbers["served_own_error"] == numbers["served_others_error"] == 0
    assert 0 < numbers["served_share"] <= 1


def test_a_model_that_answers_rubbish_or_at_random_earns_what_it_earns(tmp_path):
    rubbish = ask(Scripted(lambda messages, seed: "LIMITS: many"), tmp_path / "rubbish", "replan")
    assert rubbish["unreadable"] == 1 and rubbish["served_profit"] == 0 and rubbish["served_others_error"] > 0

    def dice(messages, seed):
        rng, text = np.random.default_rng(seed), messages[-1]["content"]
        word, count = ("LEFT", 4) if "LEFT:" in text else ("LIMITS", text.count("your estimate"))
        return f"{word}: " + ", ".join(map(str, rng.integers(0, 300, count)))

    for arm in ("static", "replan", "unaware", "elsewhere", "misled"):
        numbers = ask(Scripted(dice), tmp_path / arm, arm)
        assert np.isfinite(list(numbers.values())).all() and numbers["served_share"] <= 1


def test_replies_are_read_strictly():
    assert aucarena.listed("so\n**LIMITS: 30, 0,45**", "limits", 3) == [30, 0, 45]
    for wrong in ("LIMITS: 30, 0", "LIMITS: 30, -1, 4", "LIMITS: 30, 0, 45\nor so", "", "LEFT: 1, 2, 3",
                  "LIMITS: 1.5, 2, 3", "LIMITS: 1, 2, 99999999", "LIMITS: " + "1, " * 9999 + "1"):  # fmt: skip
        assert aucarena.listed(wrong, "limits", 3) is None


def test_no_lesson_of_a_model_steers_a_terminal(tmp_path):
    prompts = []

    def evil(messages, seed):
        prompts.append(messages[-1]["content"])
        return (
            "1. \x1b[2Jlesson" if "lessons" in messages[-1]["content"] and "log of" in messages[-1]["content"] else ""
        )

    ask(Scripted(evil), tmp_path, "learn")
    assert any("lesson" in prompt for prompt in prompts[1:]) and not any("\x1b" in prompt for prompt in prompts)


def test_arms_that_a_server_does_not_play_are_refused(tmp_path):
    with pytest.raises(ValueError, match="static, replan, learn"):
        ask(Scripted(sensible), tmp_path, "rule")
