"""The parts of the SPIN-Bench recipe against naive twins, closed forms and values of the literature."""

from dataclasses import replace
from itertools import permutations, product

import numpy as np
import pytest
from scipy.stats import spearmanr

from ludus.game import OVER
from ludus.games.tic_tac_toe import TIC_TAC_TOE
from ludus.models.chat import Reply, Scripted
from ludus.models.transformer import Size, Transformer
from ludus.recipes.equilibria import spin_bench as spin
from ludus.tree import grow

SMALL = {
    "moves": (2, 3),
    "blocks": (3, 4),
    "cells": (4, 5),
    "heights": (2, 3),
    "players": (2, 3),
    "parties": (3, 4),
    "tasks": 6,
}


class Quiet:
    replies = None

    def restore(self):
        return None

    def row(self, *_, **__):
        pass

    def example(self, text):
        self.text = text

    checkpoint = row


def numbers(arm, seed=3, **changed):
    settings = replace(spin.ARMS[arm], **{**SMALL, **changed})
    return {name: value.number for name, value in spin.run(settings, np.random.default_rng(seed), Quiet()).items()}


# Planning


def test_gripper_takes_three_moves_a_ball_less_one():
    """Two hands, two rooms, balls in pairs: pick, pick, go, drop, drop, go back (a domain of the planning contests)."""
    for balls in (2, 4):
        at = {(ball, room): 1 << 2 * ball + room for ball in range(balls) for room in (0, 1)}
        held = {(ball, hand): 1 << 2 * (balls + ball) + hand for ball in range(balls) for hand in (0, 1)}
        free, here = {0: 1 << 4 * balls, 1: 2 << 4 * balls}, {0: 4 << 4 * balls, 1: 8 << 4 * balls}
        operators = [(here[a], here[1 - a], here[a]) for a in (0, 1)]
        for ball, room, hand in product(range(balls), (0, 1), (0, 1)):
            operators.append((at[ball, room] | here[room] | free[hand], held[ball, hand], at[ball, room] | free[hand]))
            operators.append((held[ball, hand] | here[room], at[ball, room] | free[hand], held[ball, hand]))
        start = sum(at[ball, 0] for ball in range(balls)) + free[0] + free[1] + here[0]
        goal = sum(at[ball, 1] for ball in range(balls)) + free[0] + free[1] + here[1]
        graph = spin.explore(np.array(operators), start)
        where = {int(state): number for number, state in enumerate(graph.states)}
        assert spin.distances(graph, where[goal])[where[start]] == 3 * balls - 1


def naive_moves(state):
    """The states after one move; a state is a tuple of what each block stands on, its own length for the table."""
    table = len(state)
    clear = [block for block in range(table) if block not in state]
    for block in clear:
        for onto in [*clear, table]:
            if onto not in (block, state[block]):
                yield (*state[:block], onto, *state[block + 1 :])


def naive_distances(goal):
    far, new = {goal: 0}, [goal]
    while new:  # every move can be taken back
        new = [
            after for state in new for after in naive_moves(state) if far.setdefault(after, far[state] + 1) > far[state]
        ]
        new = [state for state in dict.fromkeys(new) if far[state] == max(far.values())]
    return far


def test_the_world_of_blocks_has_as_many_states_as_there_are_sets_of_lists():
    """1, 3, 13, 73, 501, 4051 (OEIS A000262)."""
    assert [len(spin.block_world(n)[0].states) for n in (2, 3, 4, 5)] == [3, 13, 73, 501]


def test_distances_are_those_of_a_naive_search():
    graph, _ = spin.block_world(4)
    states = [tuple(spin.supports(int(state), 4)) for state in graph.states]
    for goal in (0, 17, 72):
        naive = naive_distances(states[goal])
        assert [naive[state] for state in states] == spin.distances(graph, goal).tolist()


def naive_mark(depth, moves, goal):
    """The agent played out by recursion, from all states that are `moves` moves away."""

    def lacks(state):
        return sum(a != b for a, b in zip(state, goal, strict=True))

    def look(state, ahead):
        """(facts lacking, moves) of the best state within reach, at least one move away where ahead is not zero."""
        return (
            min([(lacks(state), 0)] + [(f, m + 1) for f, m in (look(s, ahead - 1) for s in naive_moves(state))])
            if ahead
            else (lacks(state), 0)
        )

    def there(state, left):
        if state == goal:
            return 1.0
        if not left:
            return 0.0
        nexts = list(naive_moves(state))
        if depth:
            best = min(look(s, depth - 1) for s in nexts)
            nexts = [s for s in nexts if look(s, depth - 1) == best]
        return sum(there(s, left - 1) for s in nexts) / len(nexts)

    far = naive_distances(goal)
    return np.mean([there(state, 2 * moves) for state in far if far[state] == moves])


@pytest.mark.parametrize("depth", [0, 1, 2, 3])
def test_marks_of_plans_are_those_of_the_agent_played_out(depth):
    graph, _ = spin.block_world(3)
    for goal in (0, 5, 12):
        tower = tuple(spin.supports(int(graph.states[goal]), 3))
        for moves in (1, 2):
            task = spin.Blocks(3, goal, moves)
            assert spin.mark_blocks(task, task, depth) == pytest.approx(naive_mark(depth, moves, tower))


def test_an_agent_that_sees_far_enough_makes_no_mistake_and_one_that_does_not_can():
    rng = np.random.default_rng(0)
    tasks = [spin.Blocks(4, spin.goal_of(4, 4, rng), 4) for _ in range(5)]
    assert all(spin.mark_blocks(task, task, depth) == pytest.approx(1) for task in tasks for depth in (4, spin.ORACLE))
    assert np.mean([spin.mark_blocks(task, task, 1) for task in tasks]) < 0.9


# Board games


def naive_value(kernels, state):
    """What the first player gets when both play perfectly."""
    seat = kernels.turn(state)
    if seat == OVER:
        pays = np.zeros(2)
        kernels.payoff(state, pays)
        return pays[0]
    weights = np.zeros(9)
    kernels.options(state, weights)
    nexts = []
    for action in np.flatnonzero(weights):
        after = state.copy()
        kernels.apply(after, action)
        nexts.append(naive_value(kernels, after))
    return max(nexts) if seat == 0 else min(nexts)


def test_values_are_those_of_naive_minimax_and_the_solver_keeps_them():
    rng = np.random.default_rng(1)
    for _ in range(5):
        start = spin.opening(4, rng)
        board = spin.draw_board(TIC_TAC_TOE, lambda start=start: start, rng)[0] if matters(start) else None
        if board is None:
            continue
        assert spin.values(board, spin.ORACLE)[0] == naive_value(TIC_TAC_TOE.kernels, start)
        assert spin.mark_board(board, board, spin.ORACLE) == pytest.approx(1)
        assert spin.mark_board(board, board, 0) < 1


def matters(start):
    tree = grow(TIC_TAC_TOE._replace(start=start))
    values = spin.values(spin.Board(tree, tree.payoff[:, 0]), spin.ORACLE)[tree.first[0] : tree.first[1]]
    return np.ptp(values) > 0


def test_one_move_ahead_takes_a_win_and_two_see_a_threat():
    def chosen(x, o, depth, turn):
        start = np.array([sum(1 << c for c in x), sum(1 << c for c in o), turn])
        tree = grow(TIC_TAC_TOE._replace(start=start))
        share = spin.choices(spin.Board(tree, tree.payoff[:, 0]), depth)[tree.first[0] : tree.first[1]]
        return set(tree.action[tree.first[0] : tree.first[1]][share > 0])

    assert chosen([0, 1], [3, 4], 1, 0) == {2}
    assert chosen([0, 4], [3, 1], 2, 1) == {8}  # x threatens the diagonal; o must take the corner
    assert chosen([0, 4], [3, 1], 1, 1) == {2, 5, 6, 7, 8}


def test_connect_four_boards_are_filled_without_a_line():
    rng = np.random.default_rng(0)
    for height in (1, 2, 6):
        first, second, turn = (int(part) for part in spin.filled(height, rng))
        assert first & second == 0 and turn == 0
        assert (first | second).bit_count() == 42 - 2 * height
        cells = [[[(side >> 7 * c + r) & 1 for c in range(7)] for r in range(6)] for side in (first, second)]
        for side in cells:
            for r, c, (dr, dc) in product(range(6), range(7), [(0, 1), (1, 0), (1, 1), (1, -1)]):
                line = [(r + k * dr, c + k * dc) for k in range(4)]
                assert not all(0 <= i < 6 and 0 <= j < 7 and side[i][j] for i, j in line)


def test_the_arena_counts_every_game_once():
    rng = np.random.default_rng(0)
    boards = [spin.draw_board(TIC_TAC_TOE, lambda: spin.opening(5, rng), rng) for _ in range(3)]
    wins, ties = spin.arena(boards, [0, 1, spin.ORACLE], misread=False)
    met = wins + wins.T + ties
    assert met[~np.eye(3, dtype=bool)] == pytest.approx(2 * len(boards))  # both seats
    assert wins[2, 0] > wins[0, 2]


# Hanabi

SUITE = {
    2.25: [[[[0, 1], [0, 0]], [[0, 1], [3, 2]]], [[[3, 3], [3, 2]], [[2, 0], [3, 3]]]],
    1.0: [[[[1, 0], [1, 0]], [[0, 1], [0, 1]]], [[[0, 1], [0, 0]], [[1, 0], [1, 0]]]],
    2.5: [[[[3, 0], [0, 3]], [[2, 0], [3, 3]]], [[[2, 2], [3, 0]], [[0, 1], [0, 2]]]],
    7 / 3: [[[[0, 3], [3, 2]], [[0, 0], [0, 1]], [[3, 1], [2, 1]]], [[[0, 2], [0, 1]], [[1, 2], [1, 2]],
            [[0, 1], [0, 3]]], [[[1, 3], [1, 2]], [[0, 3], [2, 2]], [[3, 1], [3, 0]]]],
}  # fmt: skip
"""Games A, B, C and F of the Tiny Hanabi Suite of Burch and Bard (2018) by their optimal return, as Sokota and others
(2021), "Solving common-payoff games with approximate policy iteration", give it."""


def test_the_oracle_gets_the_known_optimum():
    for optimum, table in SUITE.items():
        payoff = np.array(table, float)
        assert spin.team_pays(payoff, payoff, spin.ORACLE) == pytest.approx(optimum)
    assert spin.team_pays(spin.TINY_HANABI, spin.TINY_HANABI, spin.ORACLE) == pytest.approx(10)
    assert spin.team_pays(spin.TINY_HANABI, spin.TINY_HANABI, 1) == pytest.approx(8)


def test_three_players_against_all_joint_policies():
    payoff, _ = spin.draw_hanabi(3, np.random.default_rng(0))
    best = -np.inf
    for one in product((0, 1), repeat=2):
        for two in product((0, 1), repeat=4):
            total = 0.0
            for card, a, b in product((0, 1), repeat=3):  # the last player knows its card and what was done
                dealt = [(x, y) for x, y in product((0, 1), repeat=2) if one[x] == a and two[2 * y + a] == b]
                total += max(sum(payoff[x, y, card, a, b, c] for x, y in dealt) for c in (0, 1))
            best = max(best, total / 8)
    assert spin.team_pays(payoff, payoff, spin.ORACLE) == pytest.approx(best)
    assert spin.team_pays(payoff, payoff, 3) == pytest.approx(best)
    assert spin.team_pays(payoff, payoff, 0) == pytest.approx(payoff.mean())


def test_the_tree_of_a_card_game():
    tree = spin.hanabi_tree(spin.TINY_HANABI, hidden=True)
    assert len(tree.turn) == 1 + 2 + 4 + 12 + 36 and len(tree.legal) == 2 + 6
    assert len(spin.hanabi_tree(spin.TINY_HANABI, hidden=False).legal) == 4 + 12
    uniform = np.full(tree.legal.shape, 1 / 3)
    assert spin.pays_on_average(tree, uniform) == pytest.approx(spin.TINY_HANABI.mean())
    for node in range(1, len(tree.turn)):
        assert tree.first[tree.parent[node]] <= node < tree.first[tree.parent[node] + 1]
    agreed = np.zeros((8, 3))
    first, second = np.flatnonzero(tree.player == 0), np.flatnonzero(tree.player == 1)
    agreed[first] = np.eye(3)[[2, 0]]  # the first player says its card
    agreed[second] = np.eye(3)[[2, 0, 0, 0, 0, 2]]  # the second, by its card and what was said, hits the 10
    assert spin.pays_on_average(tree, agreed) == pytest.approx(10)


# Bargaining


def test_the_core_by_hand():
    worth = np.array([0, 0, 0, 8, 0, 8, 7, 12.0])  # pairs 1+2, 1+3, 2+3
    stable = {tuple(split) for split in spin.divisions(3)[spin.stable(worth)]}
    assert stable == {(a, b, c) for a, b, c in product(range(13), repeat=3)
                      if a + b + c == 12 and a + b >= 8 and a + c >= 8 and b + c >= 7}  # fmt: skip
    offered = spin.divisions(3)[spin.offers(worth, spin.ORACLE) > 0]
    assert offered.tolist() == [[4, 4, 4]] and spin.nash_share(worth).max() == 1
    greedy = np.array([0, 0, 0, 11, 0, 0, 0, 12.0])
    assert spin.divisions(3)[spin.offers(greedy, 1) > 0].tolist() == [[4, 4, 4]]  # blind to pairs, and blocked
    assert spin.mark_bargaining(greedy, greedy, 1) == 0 and spin.mark_bargaining(greedy, greedy, 2) == 1


def test_random_coalitions_leave_a_core_and_random_offers_seldom_lie_in_it():
    rng = np.random.default_rng(0)
    for parties in (3, 4, 5):
        worth = spin.draw_coalitions(parties, rng)
        assert spin.stable(worth).any() and worth[-1] == spin.POT
        assert spin.mark_bargaining(worth, worth, parties) == pytest.approx(1)
        naive = [np.prod(split) ** (1 / parties) * all(
            sum(split[p] for p in range(parties) if team >> p & 1) >= worth[team] for team in range(2**parties)
        ) for split in spin.divisions(parties)]  # fmt: skip
        assert spin.mark_bargaining(worth, worth, 0) == pytest.approx(np.mean(naive) / max(naive))


# The study


def test_rank_correlation_is_scipys():
    rng = np.random.default_rng(0)
    for _ in range(5):
        other = rng.integers(4, size=6).astype(float)
        assert spin.spearman(np.arange(6), other) == pytest.approx(spearmanr(np.arange(6), other).statistic)


def test_the_oracle_is_perfect_and_one_that_misreads_is_not():
    oracle, misread = numbers("oracle"), numbers("misread")
    assert oracle["worst"] == pytest.approx(1) and oracle["drop"] == pytest.approx(0)
    assert oracle["tiny_hanabi"] == 10 and misread["tiny_hanabi"] < 5
    assert misread["suite"] < 0.7


def test_shuffled_labels_keep_the_marks_and_lose_the_order():
    plain, shuffled = numbers("depth_2", tasks=8), numbers("shuffled", tasks=8)
    for factor in spin.FACTORS:
        assert shuffled[f"score/{factor}"] == pytest.approx(plain[f"score/{factor}"])
    assert shuffled["drop"] < plain["drop"] / 2


def test_cfr_plays_safe_in_tiny_hanabi():
    assert numbers("cfr", tasks=2)["tiny_hanabi"] == pytest.approx(8, abs=0.05)


def test_lessons_are_shortest_plans_and_as_long_as_allowed():
    lessons = spin.open_school()
    assert len(lessons.pairs) == 73 * 72 and np.unique(lessons.moves).tolist() == [1, 2, 3, 4, 5, 6]
    for row in range(0, len(lessons.pairs), 97):
        assert spin.leads(lessons.pairs[row], lessons.plan[row])
        assert (lessons.plan[row] == spin.END).argmax() == 2 * lessons.moves[row]
    taught = np.ones(len(lessons.moves), bool)
    given = spin.lesson(lessons, taught, replace(spin.ARMS["model"], batch=40), np.random.default_rng(0))
    plans = given.prompt[:, 0] == 0
    assert plans.sum() == 20 and given.reply.shape[1] == 2 * 3 + 1
    assert ((given.reply[plans] == spin.END).sum(axis=1) == 1).all()
    facts = given.prompt[~plans]
    assert (given.reply[~plans, 0] == facts[np.arange(20), facts[:, 9] - 1]).all()
    wrong = spin.lesson(lessons, taught, replace(spin.ARMS["untaught"], batch=40), np.random.default_rng(0))
    assert (wrong.prompt == given.prompt).all() and (wrong.reply != given.reply).any()


def test_hostile_plans_lead_nowhere():
    lessons = spin.open_school()
    pair, plan = lessons.pairs[0], lessons.plan[0]
    for broken in ([0] * 13, [8] * 13, [1, 1, 8], [7, 9, 8], [1, 8], list(plan[:-1] * 0 + 5)):
        assert not spin.leads(pair, np.array(broken))


def test_a_report_counts_what_the_model_writes():
    model = Transformer(Size(1, 8, 2, 10 + spin.LONGEST, 9), np.random.default_rng(0))
    lessons = spin.open_school()
    marks = spin.report(model, lessons, np.random.default_rng(0).random(len(lessons.moves)) < 0.05)
    assert 0 <= marks["retrieval"] <= 1 and marks["drop/hops"] == marks["plan/1"] - marks["plan/6"]


# A served model


def served(answer, arm="model", **changed):
    log = Quiet()
    found = spin.server(replace(spin.ARMS[arm], **changed), np.random.default_rng(0), log, Scripted(answer))
    assert log.text
    return found


def competent(messages, seed):
    """Reads the question as a person would, and thinks aloud first."""
    text = messages[-1]["content"]
    if "offer:" in text:
        parties = int(text.split()[0])
        listed = text.split("worth: ")[1].split("; a")[0].split(", ")
        worth = np.zeros(2**parties)
        for name, value in (entry.split() for entry in listed):
            worth[sum(1 << "ABCDE".index(p) for p in name.split("+"))] = int(value)
        worth[-1] = 12
        splits = [(*s, 12 - sum(s)) for s in product(range(13), repeat=parties - 1) if sum(s) <= 12]
        teams = [[p for p in range(parties) if team >> p & 1] for team in range(2**parties)]
        offers = [s for s in splits if all(sum(s[p] for p in t) >= w for t, w in zip(teams, worth, strict=True))]
        return "<think>offer: 1 1</think>\nOffer: " + " ".join(map(str, max(offers, key=np.prod)))
    now, goal = (
        tuple(
            4 if w == "table" else "ABCD".index(w)
            for w in (e.split(" on ")[1] for e in part.split(". ")[0].split(", "))
        )
        for part in (text.split("Now: ")[1], text.split("Goal: ")[1])
    )
    if "What does" in text:
        place = now["ABCD".index(text.split("block ")[1][0])]
        return f"I see.\non: {'table' if place == 4 else 'ABCD'[place]}"
    far, plan = naive_distances(goal), []
    while now != goal:
        after = min(naive_moves(now), key=far.__getitem__)
        block = next(b for b in range(4) if after[b] != now[b])
        plan.append(f"{'ABCD'[block]} to {'table' if after[block] == 4 else 'ABCD'[after[block]]}")
        now = after
    return "**plan:** " + ", ".join(plan)


def test_a_competent_served_model_is_marked_right_and_misreading_breaks_it():
    found = served(competent, parties=(3, 4))
    assert found["served_retrieval"] == 1 and found["unreadable"] == 0
    assert found["served_plan/6"] == 1 and found["served_offer/4"] == pytest.approx(1)
    assert found["served_drop/hops"] == 0 and found["served_drop/parties"] == pytest.approx(0)
    misread = served(competent, "misread", parties=(3, 4))
    assert misread["served_plan/6"] < 0.3 and misread["served_retrieval"] < 0.9


def test_a_random_served_model_and_one_of_short_plans():
    def random(messages, seed):
        if "offer:" in messages[-1]["content"]:
            return f"offer: {seed % 12} {12 - seed % 12}"
        return ["on: A", "on: table", "plan: A to B", "plan: B to the table"][seed % 4]

    found = served(random)
    assert found["served_retrieval"] < 0.8 and 0 < found["unreadable"] < 1 and found["served_offer/3"] == 0


@pytest.mark.parametrize(
    "rubbish",
    ["", "on:", "plan: A to A to A", "plan: " + "A to B, " * 5000, "offer: 99999999999 -3", "offer: 4 4 4 0 0 0 0",
     "\x00" * 50, "\n" * 30000, "plan: E to table", "offer: ٤ ٤ ٤", "plan:" * 5000],
)  # fmt: skip
def test_rubbish_is_counted_and_never_crashes(rubbish):
    found = served(lambda messages, seed: rubbish)
    assert found["served_plan/1"] == 0 and found["served_offer/4"] == 0 and found["unreadable"] > 0.3
    cut = served(lambda messages, seed: Reply("on: A", "", "cut", 1, 1))
    assert cut["unreadable"] == 1


def test_labels_of_a_served_model_can_be_shuffled():
    def short(messages, seed):  # plans of one move only
        text = competent(messages, seed)
        return text if text.count(" to ") <= 1 else "plan: A to table"

    plain, shuffled = served(short, parties=(3, 4)), served(short, "shuffled", parties=(3, 4))
    assert plain["served_drop/hops"] > 0.9 and shuffled["served_drop/hops"] < 0.5


def test_settings_that_cannot_be_run_are_refused():
    with pytest.raises(ValueError, match="setting agent takes"):
        spin.Settings(agent="llm")
    with pytest.raises(ValueError, match="two levels of every factor"):
        spin.Settings(moves=(3,))
    with pytest.raises(ValueError, match=r"levels of hops must rise, from 1 or more to 8 or less; got \(2, 9\)"):
        spin.Settings(moves=(2, 9))


def test_every_order_of_three_is_in_the_league():
    assert [spin.spearman(np.arange(3), np.array(p, float)) for p in permutations(range(3))] == pytest.approx(
        [1, 0.5, 0.5, -0.5, -0.5, -1]
    )
