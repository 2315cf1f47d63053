"""What the stations hand each other: plain records of numbers, arrays and functions.

Sizes are single capitals everywhere in Ludus: N nodes, K infosets, A actions, P players, V view,
T decisions, E episodes, M members, B batch.
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np

Kind = Literal["exact", "lower bound", "upper bound", "sampled"]

Policy = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""(views int64[B, V], legal bool[B, A]) -> probabilities float64[B, A]; rows sum to one over legal actions."""


class Value(NamedTuple):
    """A number that says how it was made; a bare float is never reported.

    number    the value, in payoff units of the game unless `method` says otherwise
    kind      exact (up to rounding), lower bound, upper bound, or sampled
    interval  (low, high): the 95% interval of a sampled number; None where the number is exact, and in a study's cell
              that is itself one sample, so that only the seeds can tell
    method    how it was made, in words: "best response over the sequence form"
    """

    number: float
    kind: Kind
    interval: tuple[float, float] | None
    method: str


class Learner(NamedTuple):
    """Something that improves: three functions, no hidden state.

    init    (rng) -> state
    step    (state, data, rng) -> (state, info); info is what a reader wants to see
    policy  (state) -> Policy
    """

    init: Callable[..., Any]
    step: Callable[..., tuple[Any, dict[str, float]]]
    policy: Callable[[Any], Policy]


class Population(NamedTuple):
    """Many at once: leagues, double oracle, selection, culture and lineages read this one record.

    genomes  list[M]: arrays, or dict[str, str] of named texts for a language agent
    payoff   float64[M, M], row against column, NaN where unplayed
    games    int64[M, M], how many games stand behind each payoff
    parent   int64[M], the member each one descends from, -1 for a founder
    """

    genomes: list[Any]
    payoff: np.ndarray
    games: np.ndarray
    parent: np.ndarray


class MDP(NamedTuple):
    """A decision problem that is no game: one decider, states that forget nothing that matters. S states, A actions.

    transition  float64[S, A, S], the probability of the next state; rows sum to one
    reward      float64[S, A], expected, in reward units
    discount    in [0, 1)
    """

    transition: np.ndarray
    reward: np.ndarray
    discount: float
