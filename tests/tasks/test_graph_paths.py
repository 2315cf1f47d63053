"""Paths against all sequences of nodes there are."""

from collections import deque
from itertools import pairwise, permutations

import numpy as np
import pytest

from ludus.tasks import Train, problems
from ludus.tasks.graph_paths import SIZES, TASK


def read(prompt):
    """(start, goal, arrows), from the prompt."""
    ends, arrows = prompt.removesuffix(" ?").split(" : ")
    _, start, _, goal = ends.split()
    return start, goal, [tuple(arrow.split()) for arrow in arrows.split(" , ")]


@pytest.mark.parametrize("level", [0, 1])
def test_all_sequences_of_nodes(level):
    nodes = "abcdefgh"[: SIZES[level][0]]
    for problem in problems(TASK, Train(0), level, 12):
        start, goal, arrows = read(problem.prompt)
        right = 0
        for length in range(1, len(nodes) + 1):
            for path in permutations(nodes, length):
                good = (
                    path[0] == start
                    and path[-1] == goal
                    and all((path[at], path[at + 1]) in arrows for at in range(length - 1))
                )
                assert TASK.check(problem, " ".join(path)) == good
                right += good
        assert right > 1


@pytest.mark.parametrize("level", range(TASK.levels))
def test_the_goal_is_as_far_as_the_level_says(level):
    count, distance, others = SIZES[level]
    for problem in problems(TASK, Train(1), level, 60):
        start, goal, arrows = read(problem.prompt)
        assert arrows == sorted(set(arrows)) and distance + others < len(arrows) <= 2 * distance + others
        assert {node for arrow in arrows for node in arrow} <= set("abcdefgh"[:count])
        far, waiting = {start: 0}, deque([start])
        while waiting:
            node = waiting.popleft()
            for tail, head in arrows:
                if tail == node and head not in far:
                    far[head] = far[node] + 1
                    waiting.append(head)
        assert far[goal] == distance


def test_no_node_twice():
    problem = problems(TASK, Train(0), 0, 1)[0]._replace(key=("a", "c", (("a", "b"), ("b", "a"), ("b", "c"))))
    assert TASK.check(problem, "a b c") == 1
    assert TASK.check(problem, "a b a b c") == 0 and TASK.answer_of(problem, "a b a b c") is None
    for text in ("a c", "c b a", "a b", "a", "b c", "ab c", "a , b , c", "A B C"):
        assert TASK.check(problem, text) == 0


@pytest.mark.parametrize("level", range(TASK.levels))
def test_the_search_in_the_work_follows_arrows_and_ends_at_dead_ends(level):
    rng = np.random.default_rng(0)
    searched = 0
    for problem in problems(TASK, Train(2), level, 60):
        start, _, arrows = read(problem.prompt)
        for _ in range(3):
            *tries, last = TASK.work(problem, rng).replace(" so ", " ; ").split(" ; ")
            seen = set()
            for line in [*tries, last]:
                path = line.split()
                assert path[0] == start and all(arrow in arrows for arrow in pairwise(path))
                seen |= set(path)
                if line != last:
                    assert {head for tail, head in arrows if tail == path[-1]} <= seen
            searched += len(tries) > 0
    assert searched > 5
