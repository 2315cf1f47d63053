"""Verification: how well right replies are told from wrong ones, above all by the model that wrote them.

A judge that accepts everything is right as often as the writer is. Balanced accuracy asks it about right replies and
about wrong ones apart, and is one half for every judge that does not look (Brodersen et al. 2010, "The balanced
accuracy and its posterior distribution", ICPR; twice it less one is the index of Youden 1950, "Index for rating
diagnostic tests").
"""

import numpy as np

from ludus.measure.problems import Statistic, over_problems, ratio, table
from ludus.records import Value


def balanced_accuracy(accepted: np.ndarray, correct: np.ndarray, rng: np.random.Generator) -> Value:
    """The mean of `acceptance` of right replies and rejection of wrong ones; NaN where there is only one sort.

    accepted  bool[Q, S], what the judge said of S replies to each of Q problems
    correct   bool[Q, S]
    """
    accepted, correct = _checked(accepted, correct)
    right, wrong = _rate(accepted, correct), _rate(~accepted, ~correct)
    return over_problems(
        lambda weight: (right(weight) + wrong(weight)) / 2, len(correct), rng, (0.0, 1.0), "balanced accuracy"
    )


def acceptance(accepted: np.ndarray, correct: np.ndarray, rng: np.random.Generator) -> dict[str, Value]:
    """How often the judge accepts a "right" reply, and how often a "wrong" one; shapes as above."""
    accepted, correct = _checked(accepted, correct)
    return {
        sort: over_problems(_rate(accepted, asked), len(correct), rng, (0.0, 1.0), f"{sort} replies accepted")
        for sort, asked in (("right", correct), ("wrong", ~correct))
    }


def _checked(accepted: np.ndarray, correct: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    correct = table("correct", correct, truth=True)
    return table("accepted", accepted, like=correct, truth=True), correct


def _rate(said: np.ndarray, asked: np.ndarray) -> Statistic:
    """How often it was said of those that are asked about."""
    return ratio((said & asked).sum(axis=1).astype(float), asked.sum(axis=1).astype(float))
