"""What many answers to one problem tell: how different they are, how well they vote, how useful to learn from.

All of these take answer int64[Q, S], S samples of each of Q problems: equal numbers in a row are equal answers, -1 is
none; `numbered` makes them from text. correct bool[Q, S] says which are right. Where a right answer can be reached in
many ways, number whole replies in the place of final answers, and the ways are counted.

    distinct_correct   right answers of a problem that differ
    majority_vote      how often the most frequent answer is right
    weighted_vote      the same, each sample counting by what a verifier gives it
    self_consistency   the part of the samples that agree with the most frequent answer
    balance_score      how much there is to learn from what was selected (B-STaR)
    token_entropy      how undecided the policy was, token by token

Sources: Wang et al. (2023), "Self-consistency improves chain of thought reasoning in language models",
arXiv:2203.11171, for the vote and for consistency as a sign of being right; Li et al. (2023), "Making language models
better reasoners with step-aware verifier", arXiv:2206.02336, for the weighted vote; Zeng et al. (2024), "B-STaR:
monitoring and balancing exploration and exploitation in self-taught reasoners", arXiv:2412.17256, for the balance.
"""

from collections.abc import Sequence

import numpy as np

from ludus.measure.problems import mean_over_problems, over_problems, ratio, table
from ludus.records import Value

NONE = -1


def numbered(answers: Sequence[Sequence[str | None]]) -> np.ndarray:
    """int64[Q, S]: equal texts in a row get equal numbers from 0, None gets -1."""
    rows = []
    for row in answers:
        known: dict[str, int] = {}
        rows.append([NONE if text is None else known.setdefault(text, len(known)) for text in row])
    if len({len(row) for row in rows}) != 1:
        raise ValueError(f"answers: every problem needs equally many samples; {[len(row) for row in rows][:9]} seen")
    return np.array(rows, np.int64)


def distinct_correct(answer: np.ndarray, correct: np.ndarray, rng: np.random.Generator) -> Value:
    """How many of a problem's right answers differ, mean over problems."""
    answer, correct = _checked(answer, correct)
    return mean_over_problems(
        _distinct(answer, correct), rng, (0.0, float(answer.shape[1])), f"distinct right answers of {answer.shape[1]}"
    )


def majority_vote(answer: np.ndarray, correct: np.ndarray, rng: np.random.Generator) -> Value:
    """The part of problems whose most frequent answer is right; of equally frequent ones each counts its share."""
    return _vote(answer, correct, np.ones(np.shape(answer)), rng, f"majority vote of {np.shape(answer)[-1]}")


def weighted_vote(answer: np.ndarray, correct: np.ndarray, weight: np.ndarray, rng: np.random.Generator) -> Value:
    """`majority_vote` in which a sample counts as much as a verifier's weight float64[Q, S] >= 0."""
    return _vote(answer, correct, weight, rng, f"verifier-weighted vote of {np.shape(answer)[-1]}")


def self_consistency(answer: np.ndarray, rng: np.random.Generator) -> Value:
    """The part of a problem's samples that give its most frequent answer, mean over problems."""
    answer = _answers(answer)
    share = _votes(answer, np.ones(answer.shape)).max(axis=1) / answer.shape[1]
    return mean_over_problems(share, rng, (0.0, 1.0), f"samples of {answer.shape[1]} with the most frequent answer")


def balance_score(
    answer: np.ndarray, correct: np.ndarray, selected: np.ndarray, target: int, rng: np.random.Generator
) -> Value:
    """min(n' / n*, 1) n' / n, mean over problems: enough different right replies, and few wrong ones among them.

    selected  bool[Q, S], which samples the reward keeps for training
    target    n*, how many different right replies to a problem are enough; 8 in the authors' code

    n counts the selected replies to a problem that differ, and n' those of them that are right: the authors' code drops
    doubles before it counts either. A problem of which nothing is selected scores 0; there it cannot arise, since the
    reference solution is among the candidates.
    """
    answer, correct = _checked(answer, correct)
    selected = table("selected", selected, like=answer, truth=True)
    if not (isinstance(target, int | np.integer) and target >= 1):
        raise ValueError(f"target: how many right replies are enough, 1 or more; {target} seen")
    right, kept = _distinct(answer, correct & selected), _distinct(answer, selected)
    score = np.minimum(right / target, 1) * np.divide(right, kept, out=np.zeros(len(kept)), where=kept > 0)
    return mean_over_problems(score, rng, (0.0, 1.0), f"balance score of {answer.shape[1]} samples, n* = {target}")


def token_entropy(entropy: np.ndarray, written: np.ndarray, problem: np.ndarray, rng: np.random.Generator) -> Value:
    """The mean entropy of the distributions that tokens were drawn from, in nats; each token counts once.

    entropy  float[B, L] of B replies
    written  bool[B, L], which tokens the policy wrote
    problem  int64[B], replies to one problem share a number
    """
    entropy = table("entropy", entropy)
    written = table("written", written, like=entropy, truth=True)
    problem = np.asarray(problem)
    if problem.shape != (len(entropy),):
        raise ValueError(f"problem: give one number per reply, shape ({len(entropy)},); shape {problem.shape} seen")
    names, which = np.unique(problem, return_inverse=True)
    total = np.bincount(which, np.where(written, entropy, 0.0).sum(axis=1))
    tokens = np.bincount(which, written.sum(axis=1))
    method = f"nats per token, {int(tokens.sum()):,} tokens"
    return over_problems(ratio(total, tokens), len(names), rng, (0.0, np.inf), method)


def _checked(answer: np.ndarray, correct: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A sample without an answer is never right."""
    answer = _answers(answer)
    correct = table("correct", correct, like=answer, truth=True)
    if (correct & (answer == NONE)).any():
        raise ValueError(
            "correct: a sample without an answer (-1) is marked right; number its answer, or mark it wrong"
        )
    return answer, correct


def _answers(answer: np.ndarray) -> np.ndarray:
    answer = np.asarray(answer)
    if not np.issubdtype(answer.dtype, np.integer):
        raise ValueError(f"answer: give int64[Q, S], as `numbered` makes of texts; {answer.dtype} seen")
    table("answer", answer)
    return answer


def _equal(answer: np.ndarray) -> np.ndarray:
    """bool[Q, S, S]: which samples of a problem give the same answer."""
    return (answer[:, :, None] == answer[:, None, :]) & (answer != NONE)[:, None, :]


def _distinct(answer: np.ndarray, which: np.ndarray) -> np.ndarray:
    """int64[Q]: how many different answers the samples `which` bool[Q, S] give, each counted where it is first."""
    earlier = np.tril(np.ones((answer.shape[1],) * 2, bool), -1)
    seen = (_equal(answer) & which[:, None, :] & earlier).any(axis=2)
    return (which & (answer != NONE) & ~seen).sum(axis=1)


def _votes(answer: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """float64[Q, S]: the votes for the answer that a sample gives, 0 for none."""
    return np.einsum("qij,qj->qi", _equal(answer), weight)


def _vote(answer, correct, weight, rng, method) -> Value:
    """A problem scores the part of its most voted answers that is right; what nobody voted for wins nothing."""
    answer, correct = _checked(answer, correct)
    weight = table("weight", weight, like=answer)
    if (weight < 0).any():
        raise ValueError(f"weight: give numbers of zero or more; {weight.min()} seen")
    votes = _votes(answer, weight)
    most = votes.max(axis=1, keepdims=True)
    wins = (votes >= most * (1 - 1e-9)) & (most > 0)
    share = np.divide(1.0, _equal(answer).sum(axis=2), out=np.zeros(answer.shape), where=answer != NONE)  # by answer
    winners = (share * wins).sum(axis=1)
    right = np.divide((share * (wins & correct)).sum(axis=1), winners, out=np.zeros(len(wins)), where=winners > 0)
    return mean_over_problems(right, rng, (0.0, 1.0), method)
