"""The player without an opinion: every legal action is equally likely."""

import numpy as np


def uniform(views: np.ndarray, legal: np.ndarray) -> np.ndarray:
    """A Policy: (views int64[B, V], legal bool[B, A]) -> float64[B, A]."""
    return legal / legal.sum(axis=1, keepdims=True)
