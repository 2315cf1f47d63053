"""pass@k: how often at least one of k replies is right.

Chen et al. (2021), "Evaluating large language models trained on code", arXiv:2107.03374, equation 1. Of S replies to a
problem c are right; among k of them drawn without replacement none is with probability C(S - c, k) / C(S, k). One minus
that is unbiased, where 1 - (1 - c / S)^k is too low.
"""

import numpy as np

from ludus.measure.problems import mean_over_problems, table
from ludus.records import Value


def pass_at_k(correct: np.ndarray, k: int, rng: np.random.Generator) -> Value:
    """The mean of `estimates` over problems; problems are drawn again for the interval.

    correct  bool[Q, S], S >= k replies to each of Q problems

    Raises ValueError where an argument is wrong.
    """
    return mean_over_problems(estimates(correct, k), rng, (0.0, 1.0), f"pass@{k} of {np.shape(correct)[1]} samples")


def estimates(correct: np.ndarray, k: int) -> np.ndarray:
    """float64[Q]: the unbiased estimate of each problem."""
    correct = table("correct", correct, truth=True)
    samples = correct.shape[1]
    if not (isinstance(k, int | np.integer) and 1 <= k <= samples):
        raise ValueError(f"k: from 1 to the {samples} samples of a problem, {k} seen; draw more samples for more")
    drawn = np.arange(k)
    wrong = samples - correct.sum(axis=1)
    # C(wrong, k) / C(S, k), factor by factor: the next of the k drawn is wrong too
    return 1 - (np.maximum(wrong[:, None] - drawn, 0) / (samples - drawn)).prod(axis=1)
