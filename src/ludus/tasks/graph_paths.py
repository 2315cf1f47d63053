"""Find a way through a small directed graph; any path from the start to the goal is right.

The testbed of Saparov et al. (2025), "Transformers Struggle to Learn to Search", arXiv:2412.04703, who ask for the next
vertex; here the whole path is asked for. The work is a search in depth, as Gandhi et al. (2024), arXiv:2404.03683,
write searches down: paths that ended nowhere, then the one that arrives.
"""

from itertools import pairwise

import numpy as np

from ludus.tasks import Problem, Task, answer_words, at_level

SIZES = ((5, 2, 2), (6, 3, 3), (8, 4, 3))  # nodes, arrows from start to goal at least, other arrows, at each level
NODES = "abcdefgh"


def draw(rng: np.random.Generator, level: int) -> Problem:
    """key: (start, goal, arrows in order). Two paths are laid, then other arrows, none of which make a shorter way."""
    count, distance, others = at_level(SIZES, level)
    nodes = [NODES[at] for at in rng.permutation(count)]
    start, goal, *between = nodes
    first = arrows = set(pairwise([start, *between[: distance - 1], goal]))
    while arrows == first:
        middle = [between[at] for at in rng.permutation(len(between))[: distance - 1]]
        both = first | set(pairwise([start, *middle, goal]))
        if _distance(start, goal, both) == distance:
            arrows = both
    wanted = len(arrows) + others
    while len(arrows) < wanted:
        tail, head = rng.integers(count, size=2)
        more = arrows | {(nodes[tail], nodes[head])}
        if tail != head and nodes[head] != start and _distance(start, goal, more) == distance:
            arrows = more
    drawn = tuple(sorted(arrows))
    told = " , ".join(f"{tail} {head}" for tail, head in drawn)
    return Problem(f"from {start} to {goal} : {told} ?", (start, goal, drawn), level)


def work(problem: Problem, rng: np.random.Generator) -> str:
    """A search in depth in random order: each path at whose end nothing new is left, then the one that arrives."""
    start, goal, arrows = problem.key
    path, seen, lines = [start], {start}, []
    onward = True  # the last step was no step back
    while path[-1] != goal:
        heads = [head for tail, head in arrows if tail == path[-1] and head not in seen]
        if heads:
            path.append(heads[rng.integers(len(heads))])
            seen.add(path[-1])
        else:
            lines += [" ".join(path)] * onward
            path.pop()
        onward = bool(heads)
    return " ; ".join(lines) + " so " * bool(lines) + " ".join(path)


def check(problem: Problem, answer: str) -> float:
    """1 for a path of arrows from start to goal that meets no node twice."""
    start, goal, arrows = problem.key
    path = answer.split(maxsplit=len(NODES))
    along = set(pairwise(path)) <= set(arrows)
    return float(len(path) > 1 and path[0] == start and path[-1] == goal and along and len(set(path)) == len(path))


def answer_of(problem: Problem, reply: str) -> str | None:
    """Two different nodes or more."""
    words = answer_words(reply)
    if not 2 <= len(words) <= len(NODES) or not set(words) <= set(NODES) or len(set(words)) < len(words):
        return None
    return " ".join(words)


def _distance(start: str, goal: str, arrows: set[tuple[str, str]]) -> int:
    reached, front, steps = {start}, {start}, 0
    while goal not in reached:
        front = {head for tail, head in arrows if tail in front} - reached
        reached |= front
        steps += 1
    return steps


TASK = Task(
    name="graph_paths",
    source="after Saparov et al. (2025), Transformers Struggle to Learn to Search, arXiv:2412.04703",
    rules="Each pair of letters is an arrow from the first node to the second. Follow arrows from the start to the "
    "goal, and meet no node twice. The answer is the nodes in order, start and goal included; any such path is right.",
    words=(*NODES, "from", "to", ":", ",", ";", "?", "so"),
    levels=len(SIZES),
    draw=draw,
    work=work,
    check=check,
    answer_of=answer_of,
)
