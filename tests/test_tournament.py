"""Tournaments: who meets whom in which seats, sums by naive twins, and results that nothing but the seed decides."""

import itertools
from collections import Counter

import numpy as np
import pytest

from ludus import games, tournament
from ludus.agents.scripted import first_legal, prefer
from ludus.agents.uniform import uniform
from ludus.play import _streams, play, tell_episode
from ludus.tournament import Sitting, hold, once, round_robin, swiss

KUHN = games.load("kuhn_poker")
TRIO = games.load("kuhn_poker(players=3)")


class Talker:
    """A Chooser that plays uniformly, and whose every third answer is illegal, every sixth nonsense."""

    def __init__(self, answers=True):
        self.answers = answers

    def choose(self, views, legal, uniforms):
        lot = uniforms(2)
        action = (legal.cumsum(axis=1) > (lot[:, :1] * legal.sum(axis=1, keepdims=True))).argmax(axis=1)
        kind = np.where(lot[:, 1] < 1 / 2, "legal", np.where(lot[:, 1] < 5 / 6, "illegal", "empty"))
        notes = {"well_formed": kind != "empty", "lawful": kind == "legal"}
        if self.answers:
            notes |= {"answer": kind, "reply_text": np.array([f"I say\nplayer 0 {one}" for one in kind])}
        return action, np.full(len(views), np.nan), notes


def members(*more):
    return {"even": uniform, "first": first_legal, "bold": prefer(KUHN, "bet")} | dict(more)


# seats


@pytest.mark.parametrize("seats", range(1, 9))
def test_seat_orders_are_balanced(seats):
    orders = tournament.seatings(seats)
    assert all(sorted(order) == list(range(seats)) for order in orders)
    assert len({tuple(order) for order in orders}) == len(orders) == seats * (1 + (seats % 2 and seats > 1))
    for column in orders.T:  # everyone in every seat equally often
        assert set(Counter(column.tolist()).values()) == {len(orders) // seats}
    beside = Counter((int(a), int(b)) for order in orders for a, b in itertools.pairwise(order))
    if seats > 1:  # and right before everyone else equally often
        assert len(beside) == seats * (seats - 1) and len(set(beside.values())) == 1


def test_two_and_three_sit_in_all_orders():
    for seats in (2, 3):
        assert {tuple(order) for order in tournament.seatings(seats).tolist()} == set(
            itertools.permutations(range(seats))
        )


def test_games_are_rounded_up_to_the_seat_orders():
    assert [tournament.whole(2, games) for games in (1, 2, 3, 100)] == [2, 2, 4, 100]
    assert [tournament.whole(3, games) for games in (1, 6, 7)] == [6, 6, 12]
    assert tournament.whole(4, 5) == 8 and tournament.whole(5, 11) == 20
    with pytest.raises(ValueError, match="give 4"):
        hold(KUHN, members(), once([(0, 1)]), 3, 0)


# who meets


def test_a_round_robin_is_every_table_once():
    assert round_robin(5, 2, 0) == list(itertools.combinations(range(5), 2))
    assert len(round_robin(7, 3, 0)) == 35


def test_a_sample_of_tables_repeats_none_and_leaves_nobody_out():
    tables = round_robin(12, 4, seed=3, most=30)
    assert len(set(tables)) == len(tables) == 30 and all(len(set(table)) == 4 for table in tables)
    assert all(table == tuple(sorted(table)) for table in tables)
    assert set(Counter(itertools.chain(*tables)).values()) <= {9, 10, 11}  # 30 tables of 4 among 12: 10 each
    assert tables == round_robin(12, 4, seed=3, most=30) != round_robin(12, 4, seed=4, most=30)
    assert len(set(round_robin(6, 3, 0, most=19))) == 19  # all but one of twenty


def test_a_pool_is_met_by_every_challenger_and_not_by_itself():
    assert tournament.against(2, 3, 2) == [(0, 2), (0, 3), (0, 4), (1, 2), (1, 3), (1, 4)]
    assert tournament.against(1, 3, 3) == [(0, 1, 2), (0, 1, 3), (0, 2, 3)]


def naive_repeats(met):
    """The fewest repeated pairs over all ways to pair everybody."""
    if not len(met):
        return 0
    rest = range(1, len(met))
    return min(
        int(met[0, other]) + naive_repeats(np.delete(np.delete(met, [0, other], 0), [0, other], 1)) for other in rest
    )


@pytest.mark.parametrize("seed", range(60))
def test_repeats_are_those_of_the_best_of_all_pairings(seed):
    rng = np.random.default_rng(seed)
    size = 2 * int(rng.integers(1, 5))
    met = np.triu(rng.random((size, size)) < rng.choice([0.5, 0.7, 0.9, 1.0]), 1)
    met |= met.T
    assert tournament.repeats(met, rng) == naive_repeats(met)
    pairs = tournament.pair(rng.random(size), met, np.zeros(size, int), rng)
    assert sorted(itertools.chain(*pairs)) == list(range(size))
    assert sum(met[pair] for pair in pairs) == naive_repeats(met)


def test_two_triangles_cannot_be_paired_afresh():
    """Who has met all of the other triple is left with its own: three each, so one pair must meet again."""
    met = np.kron([[0, 1], [1, 0]], np.ones((3, 3))).astype(bool)
    assert tournament.repeats(met, np.random.default_rng(0)) == 1


def test_swiss_pairs_neighbours():
    rng = np.random.default_rng(0)
    score = np.array([0.1, 0.9, 0.8, 0.2])
    nobody = np.zeros((4, 4), bool)
    assert set(tournament.pair(score, nobody, np.zeros(4, int), rng)) == {(1, 2), (0, 3)}
    met = nobody.copy()
    met[1, 2] = met[2, 1] = True
    assert set(tournament.pair(score, met, np.zeros(4, int), rng)) == {(1, 3), (0, 2)}  # the best meets the third


def test_the_last_sits_out_unless_it_did():
    rng = np.random.default_rng(0)
    score, nobody = np.array([0.5, 0.1, 0.9]), np.zeros((3, 3), bool)
    assert tournament.pair(score, nobody, np.array([0, 0, 0]), rng) == [(0, 2)]
    assert tournament.pair(score, nobody, np.array([0, 1, 0]), rng) == [(1, 2)]


def test_a_swiss_tournament_repeats_nothing_and_shares_the_byes():
    """Seven members, seven rounds: everybody meets everybody, and sits out once."""
    seats = {f"member {number}": uniform if number % 2 else first_legal for number in range(7)}
    rounds = []
    schedule = swiss(7, 2, seed=5)

    def watched(round_, results):
        rounds.append(schedule(round_, results))
        return rounds[-1]

    results = hold(KUHN, seats, watched, 2, seed=5)
    assert [len(tables) for tables in rounds] == [3] * 7 + [0]
    assert sorted(itertools.chain(*rounds)) == list(itertools.combinations(range(7), 2))
    assert results.games.tolist() == [12] * 7


# numbers


def naive_tally(played, size):
    wins, ties, games = (Counter() for _ in range(3))
    paid = {member: [] for member in range(size)}
    for one in played:
        for payoff in one.payoff:
            for seat, member in enumerate(one.sitting.seats):
                paid[member].append(payoff[seat])
                for other_seat, other in enumerate(one.sitting.seats):
                    if other != member:
                        games[member, other] += 1
                        wins[member, other] += payoff[seat] > payoff[other_seat]
                        ties[member, other] += payoff[seat] == payoff[other_seat]
    return wins, ties, games, paid


@pytest.mark.parametrize("game", [KUHN, TRIO], ids=["two", "three"])
def test_results_are_those_counted_one_by_one(game):
    kept = []
    seats = members(("again", uniform))
    results = hold(game, seats, once(round_robin(4, game.players, 0)), 12, seed=2, keep=kept.append)
    wins, ties, games_, paid = naive_tally(kept, 4)
    for pair in itertools.permutations(range(4), 2):
        assert results.wins[pair] == wins[pair] and results.ties[pair] == ties[pair]
        assert results.population.games[pair] == games_[pair]
        own = [one.payoff[:, one.sitting.seats.index(pair[0])] for one in kept if set(pair) <= set(one.sitting.seats)]
        assert results.population.payoff[pair] == pytest.approx(np.mean(np.concatenate(own)))
        assert results.variance[pair] == pytest.approx(np.var(np.concatenate(own), ddof=1))
    for member in range(4):
        assert results.games[member] == len(paid[member])
        assert results.mean[member] == pytest.approx(np.mean(paid[member]))
        low, high = results.interval[member]
        assert (low + high) / 2 == pytest.approx(results.mean[member]) and low < high
    decided = results.wins + results.wins.T + results.ties
    assert (decided == results.population.games).all() and (results.ties == results.ties.T).all()
    assert np.isnan(np.diag(results.population.payoff)).all()


def test_the_payoff_is_that_of_the_books():
    """Who passes always loses its ante to who bets always: one chip, in either seat."""
    results = hold(KUHN, members(), once(round_robin(3, 2, 0)), 40, seed=0)
    assert results.population.payoff[1, 2] == -1.0 and results.population.payoff[2, 1] == 1.0
    assert results.wins[2, 1] == 40 and tournament.ranking(results)[-1] == 1


def test_equals_are_ranked_by_whom_they_met():
    population = tournament.Population(list("abcd"), np.zeros((4, 4)), np.zeros((4, 4), np.int64), np.full(4, -1))
    games_ = np.array([[0, 0, 2, 0], [0, 0, 0, 2], [2, 0, 0, 0], [0, 2, 0, 0]])
    blank = np.zeros((4, 4), np.int64)
    results = tournament.Results(population._replace(games=games_), blank, blank, blank, games_.sum(1),
                                 np.array([0.5, 0.5, -0.5, 0.2]), np.zeros((4, 2)), [{}] * 4)  # fmt: skip
    assert tournament.ranking(results) == [1, 0, 3, 2]  # b met d, who did better than c


# seeds


def test_every_game_has_random_numbers_of_its_own():
    tables = round_robin(9, 2, 0)
    planned = [sitting for round_ in range(3) for sitting in tournament.sittings(tables, 2, 200, round_)]
    streams = [_streams(tournament.generator(7, sitting), sitting.games) for sitting in planned]
    assert len({(one.round, one.seats) for one in planned}) == len(planned) == 3 * 36 * 2
    assert len(np.unique(np.concatenate(streams))) == 3 * 36 * 200
    drawn = [tournament.generator(seed, Sitting(0, (0, 1), 1)).integers(2**63) for seed in range(50)]
    assert len(set(drawn)) == 50


def test_results_depend_on_the_seed_alone():
    seats = members(("talker", Talker()))
    kept = []
    one = hold(KUHN, seats, swiss(3, 8, 1), 8, seed=1, keep=kept.append)
    for other in (
        hold(KUHN, seats, swiss(3, 8, 1), 8, seed=1, jobs=3),
        hold(KUHN, seats, swiss(3, 8, 1), 8, seed=1, kept=kept[:5]),
        tournament.tally(list(seats), reversed(kept)),
    ):
        assert str(other) == str(one)
    assert str(hold(KUHN, seats, swiss(3, 8, 2), 8, seed=2)) != str(one)


def test_who_enters_last_changes_no_game_of_the_others():
    before, after = [], []
    hold(KUHN, members(), once(round_robin(3, 2, 0)), 10, seed=4, keep=before.append)
    hold(KUHN, members(("late", uniform)), once(round_robin(4, 2, 0)), 10, seed=4, keep=after.append)
    later = {played.sitting: played for played in after}
    assert all((later[played.sitting].payoff == played.payoff).all() for played in before)


def test_what_was_kept_is_not_played_again():
    def never(views, legal):
        raise AssertionError("asked again")

    kept = []
    results = hold(KUHN, members(), once(round_robin(3, 2, 0)), 10, seed=0, keep=kept.append)
    again = hold(KUHN, dict.fromkeys(members(), never), once(round_robin(3, 2, 0)), 10, seed=0, kept=kept)
    assert str(again) == str(results)


@pytest.mark.parametrize("jobs", [1, 3])
def test_an_error_leaves_what_was_played(jobs):
    def failing(views, legal):
        raise RuntimeError("the server is gone")

    kept = []
    with pytest.raises(RuntimeError, match="the server is gone"):
        hold(KUHN, members(("gone", failing)), once(round_robin(4, 2, 0)), 4, 0, jobs, keep=kept.append)
    assert kept and all(3 not in played.sitting.seats for played in kept)


# language players


@pytest.mark.parametrize("answers", [True, False])
def test_answers_add_up_to_decisions(answers):
    kept = []
    results = hold(KUHN, members(("talker", Talker(answers))), once(round_robin(4, 2, 0)), 60, 3, keep=kept.append)
    decided = 0
    for played in kept:
        episodes = tournament.retrace(KUHN, played, 3)
        if 3 in played.sitting.seats:
            decided += (episodes.player == played.sitting.seats.index(3)).sum()
    assert results.answers[:3] == [{}, {}, {}]
    assert sum(results.answers[3].values()) == decided
    assert set(results.answers[3]) == {"legal", "illegal", "empty" if answers else "malformed"}
    share = results.answers[3]["legal"] / decided
    assert abs(share - 1 / 2) < 4 * np.sqrt(1 / 4 / decided)


# replays


@pytest.mark.parametrize(("game", "count"), [(KUHN, 2100), (games.load("leduc_poker"), 30), (TRIO, 7)])
def test_every_game_is_told_again(game, count):
    """The views, actions and payoffs of the replay are those that `play` gave, over more than one block of games."""
    talker = Talker()
    policies = [uniform, talker, first_legal]
    sitting = Sitting(2, (2, 0, 1)[: game.players] if game.players == 3 else (0, 1), count)
    played = tournament.play_one(game, policies, sitting, seed=9)
    seated = [policies[member] for member in sitting.seats]
    there = play(game, seated, count, tournament.generator(9, sitting))
    here = tournament.retrace(game, played, seed=9)
    for name in ("player", "view", "legal", "action", "first", "payoff"):
        assert (getattr(here, name) == getattr(there, name)).all(), name
    told = tell_episode(game, here, count - 1)
    assert f"payoff: player 0 {there.payoff[-1, 0]:+g}" in told


def test_no_text_passes_for_a_line_of_ours():
    played = tournament.play_one(KUHN, [Talker(), uniform], Sitting(0, (0, 1), 1), seed=0)
    told = tell_episode(KUHN, tournament.retrace(KUHN, played, 0), 0)
    assert "I say\n      player 0" in told
    assert sum(line.startswith("player ") for line in told.splitlines()) == played.length[0]


def test_a_game_that_changed_is_not_told():
    played = tournament.play_one(KUHN, [uniform, uniform], Sitting(0, (0, 1), 20), seed=0)
    with pytest.raises(ValueError, match="has changed"):
        tournament.retrace(KUHN, played._replace(payoff=played.payoff + 1), 0)
    with pytest.raises(ValueError):
        tournament.retrace(games.load("leduc_poker"), played, 0)
