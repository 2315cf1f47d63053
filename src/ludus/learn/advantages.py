"""Rewards in, advantages out: how much better than expected a reply, a turn or a token was.

Each function is one published rule; the losses of `objective` take what any of them returns.
"""

import numpy as np


def group_relative(reward: np.ndarray, group: np.ndarray) -> np.ndarray:
    """float64[B]: each reward less its group's mean, over the group's standard deviation; 0 in a group of equals.

    Shao et al. (2024), DeepSeekMath, arXiv:2402.03300, section 4.1.2: the advantage of GRPO with outcome supervision.
    reward float64[B]; group int64[B], replies to one problem share a number.
    """
    centred = group_centred(reward, group)
    _, which = np.unique(group, return_inverse=True)
    deviation = np.sqrt(np.bincount(which, centred**2) / np.bincount(which))[which]
    return np.divide(centred, deviation, out=np.zeros_like(centred), where=deviation > 1e-9)


def group_centred(reward: np.ndarray, group: np.ndarray) -> np.ndarray:
    """float64[B]: each reward less its group's mean. Liu et al. (2025), arXiv:2503.20783: GRPO done right (Dr. GRPO).

    Dividing by the deviation gives weight to problems that are nearly always or nearly never solved; this does not.
    """
    _, which = np.unique(group, return_inverse=True)
    reward = np.asarray(reward, np.float64)
    return reward - (np.bincount(which, reward) / np.bincount(which))[which]


def leave_one_out(reward: np.ndarray, group: np.ndarray) -> np.ndarray:
    """float64[B]: each reward less the mean of the others in its group; 0 where there are none.

    Ahmadian et al. (2024), arXiv:2402.14740, section 3: REINFORCE leave-one-out (RLOO).
    """
    _, which = np.unique(group, return_inverse=True)
    count = np.bincount(which)[which]
    return group_centred(reward, group) * np.divide(count, count - 1, out=np.zeros(len(count)), where=count > 1)


def returns(reward: np.ndarray, discount: float) -> np.ndarray:
    """float64[B, turns]: the reward of a turn and of those after it, each discounted by its distance."""
    out = np.array(reward, np.float64)
    for turn in range(out.shape[1] - 2, -1, -1):
        out[:, turn] += discount * out[:, turn + 1]
    return out


def spread(weight: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """float64[B, L]: the weight[B, turns] of the turn that wrote a token, or weight[B] whichever did; 0 if given."""
    wide = np.broadcast_to(weight[:, None], (len(weight), turn.max(initial=0) + 1)) if weight.ndim == 1 else weight
    return np.where(turn >= 0, np.take_along_axis(wide, turn.clip(0), axis=1), 0.0)


def gae(value: np.ndarray, reward: np.ndarray, written: np.ndarray, discount: float, decay: float) -> np.ndarray:
    """float64[B, L]: generalised advantage estimates of the written tokens, 0 elsewhere.

    Schulman et al. (2016), arXiv:1506.02438, equation 16, along the written tokens of a row: delta = reward +
    discount * value of the next written token - value, and after the last one nothing follows.

    value    float[B, L], expected return before a token is written
    reward   float64[B, L], earned by a token
    written  bool[B, L]
    The target of the value function is the advantage plus the value.
    """
    out = np.zeros(value.shape)
    after, ahead = np.zeros(len(value)), np.zeros(len(value))
    for column in range(value.shape[1] - 1, -1, -1):
        here = written[:, column]
        delta = reward[:, column] + discount * ahead - value[:, column]
        after = np.where(here, delta + discount * decay * after, after)
        ahead = np.where(here, value[:, column], ahead)
        out[:, column] = np.where(here, after, 0.0)
    return out


def last_token(reward: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """float64[B, L]: the reward[B, turns] of a turn, at the last token that the turn wrote; 0 elsewhere."""
    out = np.zeros(turn.shape)
    for number in range(reward.shape[1]):
        wrote = turn == number
        rows = np.flatnonzero(wrote.any(axis=1))
        out[rows, turn.shape[1] - 1 - wrote[rows, ::-1].argmax(axis=1)] += reward[rows, number]
    return out
