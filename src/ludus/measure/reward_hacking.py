"""Reward hacking: how much better a policy looks to its training than it is.

What training maximises is a stand-in for what is meant, and a policy can raise the one without the other (Skalse et al.
2022, "Defining and characterizing reward hacking", arXiv:2209.13085). Gao, Schulman and Hilton (2023), "Scaling laws
for reward model overoptimization", arXiv:2210.10760, follow the two along training: the gap between them opens, and
then the true score falls. So look at the gap before training as well as after.
"""

import numpy as np

from ludus.measure.problems import mean_over_problems, table
from ludus.records import Value


def reward_gap(reward: np.ndarray, score: np.ndarray, rng: np.random.Generator) -> Value:
    """The training reward minus the true score of the same replies, mean over problems; in [-1, 1].

    reward  float[Q, S] in [0, 1], what training gave S replies to each of Q problems
    score   float[Q, S] in [0, 1], what the exact verifier gives them

    The difference is taken reply by reply. Raises ValueError where an argument is wrong.
    """
    reward = table("reward", reward)
    score = table("score", score, like=reward)
    for argument, given in (("reward", reward), ("score", score)):
        if given.min() < 0 or given.max() > 1:
            raise ValueError(f"{argument}: scale it to [0, 1], as tasks score; {given.min()} to {given.max()} seen")
    return mean_over_problems((reward - score).mean(axis=1), rng, (-1.0, 1.0), "training reward - true score")
