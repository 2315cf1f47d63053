"""Negotiation with AI feedback: talks and yardsticks against brute force, the critic by hand, hostile replies."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from ludus.models.chat import Reply, Scripted
from ludus.recipes.equilibria import negotiation_ai_feedback as nf
from ludus.recipes.equilibria.negotiation_ai_feedback import ARMS, TURNS, Settings, Talk
from ludus.study import Log

RISK = 0.1
MOODS = list(zip(range(5), (1 / 9, 2 / 9, 3 / 9, 2 / 9, 1 / 9), strict=True))


def naive(pairs, row, choose, risk):
    """(probability of a deal, expected share) of one pair, by the rules of a talk and memory of nothing but the offer.

    choose (turn, offer or None) -> "take" or the sum that is asked for
    """
    plan, seller = pairs.plan[row].tolist(), bool(pairs.seller[row])

    @cache
    def player(turn, offer):
        move = choose(turn, offer)
        if move == "take":
            return 1.0, float(offer)
        if turn == TURNS:  # a seller had its say, and this was the last offer
            return 0.0, 0.0
        going = 1.0 if offer is None else 1 - risk
        deal, share = opponent(turn if seller else turn + 1, move, turn + 1)
        return going * deal, going * share

    def opponent(at, asked, turn):
        deal = share = 0.0
        for mood, chance in MOODS:
            left = plan[min(at, TURNS - 1)][mood]
            if asked <= left:
                one = (1.0, float(asked))
            elif at == TURNS:  # a buyer's last offer
                one = (0.0, 0.0)
            else:
                later = player(turn, left)
                one = ((1 - risk) * later[0], (1 - risk) * later[1])
            deal, share = deal + chance * one[0], share + chance * one[1]
        return deal, share

    if seller:
        return player(0, None)
    first = [(chance, player(0, plan[0][mood])) for mood, chance in MOODS]
    return sum(c * v[0] for c, v in first), sum(c * v[1] for c, v in first)


@pytest.fixture(scope="module")
def pairs():
    return nf.draw(8, np.random.default_rng(1))


def test_a_strategy_is_judged_as_by_the_rules_of_a_talk(pairs):
    demand = nf.demands(pairs.start)
    standing = nf.judge(pairs, demand, RISK)
    for row in range(8):
        own = demand[row].tolist()

        def choose(turn, offer, own=own):
            return "take" if offer is not None and offer >= own[min(turn, TURNS - 1)] else own[min(turn, TURNS - 1)]

        assert (standing.deal[row], standing.share[row]) == pytest.approx(naive(pairs, row, choose, RISK))


def test_what_is_computed_is_the_average_of_what_happens(pairs):
    demand = nf.demands(pairs.start)
    standing, rng = nf.judge(pairs, demand, RISK), np.random.default_rng(2)
    many = nf.Pairs(*(np.repeat(part, 4000, axis=0) for part in pairs))
    talk = nf.bargain(many, np.repeat(demand, 4000, axis=0), RISK, rng)
    deals = (talk.end <= nf.OPPONENT_TOOK).reshape(8, 4000).mean(axis=1)
    shares = talk.got.reshape(8, 4000).mean(axis=1)
    assert deals == pytest.approx(standing.deal, abs=0.035)  # four standard errors and more
    assert shares == pytest.approx(standing.share, abs=0.035 * 45)


def test_the_best_response_is_that_of_a_search_over_all_choices(pairs):
    best = nf.best_response(pairs, RISK)
    for row in (0, 1):
        plan, seller, reach = pairs.plan[row].tolist(), bool(pairs.seller[row]), int(pairs.reach[row])

        @cache
        def worth(turn, offer, plan=plan, seller=seller, reach=reach):
            taken = -1.0 if offer is None else float(offer)
            if turn == TURNS:
                return max(taken, 0.0)
            going = 1.0 if offer is None else 1 - RISK
            return max(taken, going * max(reply(turn, asked, plan, seller) for asked in range(reach + 1)))

        def reply(turn, asked, plan, seller):
            at, total = (turn if seller else turn + 1), 0.0
            for mood, chance in MOODS:
                left = plan[min(at, TURNS - 1)][mood]
                later = 0.0 if at == TURNS else (1 - RISK) * worth(turn + 1, left)
                total += chance * (asked if asked <= left else later)
            return total

        found = worth(0, None) if seller else sum(chance * worth(0, plan[0][mood]) for mood, chance in MOODS)
        assert best.share[row] == pytest.approx(found)


def test_no_strategy_beats_the_best_response(pairs):
    best, rng = nf.best_response(pairs, RISK), np.random.default_rng(3)
    for _ in range(50):
        strategy = nf.edit(pairs.start, rng.integers(-5, 6, size=(8, 3)), pairs.reach)
        assert (nf.judge(pairs, nf.demands(strategy), RISK).share <= best.share + 1e-9).all()


def test_the_subgame_perfect_price_is_the_literatures():
    assert [nf.subgame_perfect(n, 0.5) for n in (1, 2, 3)] == [1.0, 0.5, 0.75]  # by hand
    assert nf.subgame_perfect(2000, 0.04) == pytest.approx(1 / (1 + 0.96))  # Rubinstein 1982, for ever
    delta = 0.96
    assert nf.subgame_perfect(20, 0.04) == pytest.approx((1 - delta**20) / (1 + delta))


def test_demands_go_from_the_opening_to_the_limit_and_late_with_a_firm_pace():
    asked = nf.demands(np.array([[40.0, 0.0, 4.0], [40.0, 1.0, 4.0], [40.0, -1.0, 4.0]]))
    assert asked[0].tolist() == [40, 36, 32, 28, 24, 20, 16, 12, 8, 4]
    assert (asked[1, 1:-1] > asked[0, 1:-1]).all() and (asked[2, 1:-1] < asked[0, 1:-1]).all()


def test_suggestions_move_their_part_and_stay_within_sense():
    start, reach = np.array([[20.0, 0.0, 2.0]]), np.array([40])
    assert nf.edit(start, np.array([[1, -1, 0]]), reach).tolist() == [[23.0, -0.5, 2.0]]
    assert nf.edit(start, np.array([[0, 0, -1]]), reach)[0, 2] == 0  # never below its reservation price
    far = nf.edit(start, np.array([[-9, 9, 5]]), reach)[0]
    assert far.tolist() == [17.0, 2.0, 17.0]  # an opening is no lower than the limit


def talk_of(asked, offered, end, got):
    rows = [np.full(size, np.nan) for size in (TURNS, TURNS + 1)]
    for row, said in zip(rows, (asked, offered), strict=True):
        row[: len(said)] = said
    return Talk(rows[0][None], rows[1][None], np.array([end]), np.array([float(got)]))


def test_the_critic_by_hand():
    none = np.nan
    deal = talk_of([30, 24, 18], [none, 5, 10, 16], nf.PLAYER_TOOK, 16)  # gave 12 up, they gave 11 and went on
    assert nf.criticise(deal).tolist() == [[0, 1, 1]]
    mild = talk_of([20, 18], [none, 2, 17, 17], nf.PLAYER_TOOK, 17)  # nearer to mine, they came further, and stopped
    assert nf.criticise(mild).tolist() == [[1, 0, 0]]
    at_once = talk_of([20], [none], nf.OPPONENT_TOOK, 20)
    assert nf.criticise(at_once).tolist() == [[1, 0, 0]]
    broke = talk_of([30, 29], [none, 5, 9], nf.BROKE, 0)  # gave 1, they gave 4 and were still moving
    assert nf.criticise(broke).tolist() == [[-1, -1, 0]]
    stalled = talk_of([30, 20, 15], [none, 5, 6, 6], nf.BROKE, 0)
    assert nf.criticise(stalled).tolist() == [[0, 0, -1]]


def test_the_critic_knows_no_reservation_price():
    """Counted from anywhere else the talk gets the same suggestions."""
    many = nf.draw(200, np.random.default_rng(4))
    talk = nf.bargain(many, nf.demands(many.start), 0.04, np.random.default_rng(5))
    dealt = talk.end <= nf.OPPONENT_TOOK
    moved = Talk(talk.asked + 7, talk.offered + 7, talk.end, talk.got + 7 * dealt)
    assert (nf.criticise(moved) == nf.criticise(talk)).all()
    assert {-1, 0, 1} == set(np.unique(nf.criticise(talk)))


def cell(tmp_path, arm, seed=1, **changes):
    settings = replace(ARMS[arm], pairs=20, **changes)
    found = nf.run(settings, np.random.default_rng(seed), Log(tmp_path / f"{arm}-{seed}"))
    return {name: value.number for name, value in found.items()}


def test_with_nothing_followed_nothing_moves(tmp_path):
    off = cell(tmp_path, "no_feedback")
    assert off["approach"] == off["deals_lost"] == off["payoff_gain"] == 0.0
    for advice in ("random", "shuffled", "history"):
        assert cell(tmp_path, advice, follow=0.0) == off


def test_the_arms_differ_and_their_first_round_does_not(tmp_path):
    ends = {arm: cell(tmp_path, arm) for arm in ARMS}
    assert len({end["approach"] for end in ends.values()}) == len(ARMS)
    assert len({round(end["payoff"] - end["payoff_gain"], 9) for end in ends.values()}) == 1


def test_a_player_without_a_critic_goes_back_to_what_brought_more(tmp_path, monkeypatch):
    """Every talk after the first brings nothing, so each trial starts from the first strategy."""
    starts = []
    monkeypatch.setattr(nf, "edit", lambda strategy, advice, reach: starts.append(strategy.copy()) or strategy + 1.0)
    count = iter(range(9))
    true = nf.bargain

    def bargain(*given):
        talk = true(*given)
        return talk._replace(got=np.full_like(talk.got, 5.0 if next(count) == 0 else 1.0))

    monkeypatch.setattr(nf, "bargain", bargain)
    cell(tmp_path, "history")
    assert len(starts) == 5 and all((start == starts[0]).all() for start in starts)


def test_settings_are_checked():
    for changes, words in (({"advice": "wise"}, "advice"), ({"follow": 1.5}, "follow"), ({"pairs": 5}, "even")):
        with pytest.raises(ValueError, match=words):
            Settings(**changes)


# The server part.


def served(tmp_path, answer, arm="critic", name="a"):
    rng, log = np.random.default_rng(6), Log(tmp_path / name)
    return {key: value.number for key, value in nf.server(ARMS[arm], rng, log, Scripted(answer)).items()}


def test_the_protocol_with_a_model_that_takes_suggestions(tmp_path):
    seen = []

    def answer(messages, seed):
        text = messages[-1]["content"]
        seen.append(text)
        if "You coach" in text:
            assert "It cost you" not in text and "You can pay" not in text  # the talk is all that it reads
            return "1. Hold out.\n2. Ask for more.\n3. Do not hurry."
        seller = "You are the seller" in text
        offers = [
            int(line.split("$")[-1]) for line in text.split("The talk so far")[1].splitlines() if line.startswith(">")
        ]
        want = (18 if seller else 12) if "> Hold out." in text else 15
        coached = "> Hold out." in text
        if not coached and len(offers) >= 4:
            return "Very well.\nDEAL"
        return f"My price.\nPRICE: ${want}"

    ends = served(tmp_path, answer)
    assert ends["served_gain"] > 0 and ends["unreadable"] == 0
    assert len(seen) <= 156
    plain = served(tmp_path, answer, arm="no_feedback", name="b")
    assert plain["served_gain"] == plain["served_deals_lost"] == 0.0


def test_models_that_answer_rubbish_or_walk_away_lose_their_deals(tmp_path):
    for name, answer in (
        ("rubbish", lambda messages, seed: "I \x00 would {say} $15 > DEAL?\n" * 50),
        ("empty", lambda messages, seed: ""),
        ("cut", lambda messages, seed: Reply("x\nDEAL", "", "cut", 0, 0)),
    ):
        ends = served(tmp_path, answer, name=name)
        assert ends == {"served_gain": 0.0, "served_deals_lost": 0.0, "unreadable": 1.0}
    left = served(tmp_path, lambda messages, seed: "I go.\nNO DEAL", arm="random", name="left")
    assert left == {"served_gain": 0.0, "served_deals_lost": 0.0, "unreadable": 0.0}


def test_a_random_model_gives_numbers(tmp_path):
    def answer(messages, seed):
        return ("Hm.\nDEAL", "Well.\nPRICE: $14", "No.\nNO DEAL", "1. a\n2. b\n3. c")[seed % 4]

    for arm in ("critic", "no_feedback", "random"):
        assert np.isfinite(list(served(tmp_path, answer, arm=arm, name=arm).values())).all()


def test_a_cell_that_was_stopped_goes_on_where_it_was(tmp_path):
    asked, stop = [], [80]

    def answer(messages, seed):
        if len(asked) == stop[0]:
            raise InterruptedError
        asked.append(seed)
        return "1. a\n2. b\n3. c" if "You coach" in messages[-1]["content"] else f"Well.\nPRICE: ${10 + seed % 9}"

    with pytest.raises(InterruptedError):
        served(tmp_path, answer)
    stop[0] = -1
    ends = served(tmp_path, answer)
    before, asked[:] = len(asked), []
    assert served(tmp_path, answer, name="whole") == ends
    assert before == 80 + 156 - 54  # a round of 48 offers and 6 questions to the critic was not asked again


def test_moves_and_suggestions_are_read_strictly():
    for text, expected in (
        ("Hi.\nPRICE: $15", ("Hi.", 15)),
        ("Hi\nthere.\n**Price: $7.**", ("Hi there.", 7)),
        ("DEAL", ("", "deal")),
        ("Bye.\nNO DEAL.", ("Bye.", "leave")),
        ("PRICE: $15 or $16", ("", None)),
        ("PRICE: $-3", ("", None)),
        ("PRICE: $٣", ("", None)),
        ("PRICE: $1500", ("", None)),
        ("DEAL\nthough not really", ("DEAL", None)),
        ("", ("", None)),
    ):
        assert nf.move_in(text) == expected
    assert nf.suggestions_in("1. a\n2. b\n\n3. c") == ["a", "b", "c"]
    for text in ("1. a\n2. b", "1. a\n2. b\n3. c\n4. d", "Sure:\n1. a\n2. b\n3. c", "2. b\n1. a\n3. c", ""):
        assert nf.suggestions_in(text) == []
    assert "\n" not in nf.plain("a\u2028b\x1b[2J\nc") and len(nf.plain("x" * 999)) == 300
