"""Calibration: whether what is said with 80% confidence is right 80% of the time.

The expected calibration error compares confidence with accuracy in bins (Naeini, Cooper and Hauskrecht 2015, "Obtaining
well calibrated probabilities using Bayesian binning"; Guo et al. 2017, "On calibration of modern neural networks",
arXiv:1706.04599, equation 3); the score of Brier (1950), "Verification of forecasts expressed in terms of probability",
is the mean squared error of the confidence. The second is least for who says what is true, the first is zero also for
who always says the base rate.
"""

from typing import NamedTuple

import numpy as np

from ludus.measure.problems import mean_over_problems, over_problems, table
from ludus.records import Value


class Reliability(NamedTuple):
    """Confidence against accuracy in bins of equal width; NaN in an empty bin.

    edge        float64[bins + 1], from 0 to 1; a bin holds its upper end, the first one 0 too
    confidence  float64[bins], mean in the bin
    accuracy    float64[bins]
    samples     int64[bins], how many fell in it
    """

    edge: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray
    samples: np.ndarray


def reliability(confidence: np.ndarray, correct: np.ndarray, bins: int = 10) -> Reliability:
    """The diagram of calibration. confidence float[Q, S] in [0, 1], correct bool[Q, S]."""
    confidence, correct = _checked(confidence, correct)
    sure, right, count = (part.sum(axis=0) for part in _binned(confidence, correct, bins))
    with np.errstate(invalid="ignore"):
        return Reliability(np.linspace(0, 1, bins + 1), sure / count, right / count, count.astype(np.int64))


def expected_calibration_error(
    confidence: np.ndarray, correct: np.ndarray, rng: np.random.Generator, bins: int = 10
) -> Value:
    """The mean over samples of |accuracy - confidence| of the bin they fall in.

    confidence  float[Q, S] in [0, 1]
    correct     bool[Q, S]

    Noise in a bin never cancels, so that few samples make this too large, and drawing them again makes it larger still.
    The interval rests on the triangle inequality: the true error is no farther off than the bins are, taken together.
    """
    confidence, correct = _checked(confidence, correct)
    sure, right, _ = _binned(confidence, correct, bins)
    off = right - sure

    def bias(weight: np.ndarray) -> np.ndarray:
        """float64[..., bins]: the sum of accuracy - confidence in a bin, per sample."""
        return weight @ off / (weight.sum(axis=-1, keepdims=True) * confidence.shape[1])

    def error(weight: np.ndarray) -> np.ndarray:
        return np.abs(bias(weight)).sum(axis=-1)

    def astray(weight: np.ndarray) -> np.ndarray:
        return np.abs(bias(weight) - bias(np.ones(len(off)))).sum(axis=-1)

    method = f"expected calibration error, {bins} bins of equal width"
    return over_problems(error, len(off), rng, (0.0, 1.0), method, astray)


def brier_score(confidence: np.ndarray, correct: np.ndarray, rng: np.random.Generator) -> Value:
    """The mean of (confidence - correct)^2, in [0, 1]; 1/4 for who always says one half."""
    confidence, correct = _checked(confidence, correct)
    return mean_over_problems(((confidence - correct) ** 2).mean(axis=1), rng, (0.0, 1.0), "Brier score")


def _checked(confidence: np.ndarray, correct: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    confidence = table("confidence", confidence)
    if confidence.min() < 0 or confidence.max() > 1:
        raise ValueError(f"confidence: give probabilities; {confidence.min()} to {confidence.max()} seen")
    return confidence, table("correct", correct, like=confidence, truth=True)


def _binned(confidence: np.ndarray, correct: np.ndarray, bins: int) -> list[np.ndarray]:
    """float64[Q, bins] each: by problem and bin, the sum of confidence, the right ones, and all."""
    if not (isinstance(bins, int | np.integer) and bins >= 1):
        raise ValueError(f"bins: how many, 1 or more; {bins} seen")
    which = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    cell = (np.arange(len(confidence))[:, None] * bins + which).ravel()
    return [
        np.bincount(cell, part.ravel().astype(float), len(confidence) * bins).reshape(-1, bins)
        for part in (confidence, correct, np.ones(confidence.shape))
    ]
