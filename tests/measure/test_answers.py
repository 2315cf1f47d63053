from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ludus.measure.answers import (
    balance_score,
    distinct_correct,
    majority_vote,
    numbered,
    self_consistency,
    token_entropy,
    weighted_vote,
)


def rng():
    return np.random.default_rng(0)


@st.composite
def sampled(draw):
    """Answers of some problems, whether each answer is right, verifier's weights, what was selected."""
    problems, samples = draw(st.integers(1, 4)), draw(st.integers(1, 6))

    def rows(kind):
        return [draw(st.lists(kind, min_size=samples, max_size=samples)) for _ in range(problems)]

    texts = rows(st.sampled_from(["a", "b", "c", None]))
    right = [draw(st.sets(st.sampled_from(["a", "b", "c"]))) for _ in range(problems)]
    return texts, right, rows(st.sampled_from([0.0, 0.25, 0.5, 1.0])), rows(st.booleans())


def naive_vote(texts, right, weight):
    votes = Counter()
    for text, counts in zip(texts, weight, strict=True):
        if text is not None:
            votes[text] += counts
    winners = [text for text in votes if votes[text] == max(votes.values()) and votes[text] > 0]
    return sum(text in right for text in winners) / len(winners) if winners else 0.0


def naive_balance(texts, right, selected, target):
    kept = {text for text, chosen in zip(texts, selected, strict=True) if chosen and text is not None}
    good = kept & right
    return min(len(good) / target, 1) * len(good) / len(kept) if kept else 0.0


@given(sampled())
@settings(max_examples=150, deadline=None)
def test_agrees_with_counting_one_by_one(drawn):
    texts, right, weight, selected = drawn
    answer = numbered(texts)
    correct = np.array([[text in good for text in row] for row, good in zip(texts, right, strict=True)])
    each = list(zip(texts, right, weight, selected, strict=True))
    distinct = [len({text for text in row if text in good}) for row, good, _, _ in each]
    agreeing = [max(Counter(t for t in row if t is not None).values(), default=0) / len(row) for row in texts]
    expected = {
        "distinct": (distinct_correct(answer, correct, rng()), np.mean(distinct)),
        "majority": (
            majority_vote(answer, correct, rng()),
            np.mean([naive_vote(row, good, [1] * len(row)) for row, good, _, _ in each]),
        ),
        "weighted": (
            weighted_vote(answer, correct, np.array(weight), rng()),
            np.mean([naive_vote(row, good, counts) for row, good, counts, _ in each]),
        ),
        "consistency": (self_consistency(answer, rng()), np.mean(agreeing)),
        "balance": (
            balance_score(answer, correct, np.array(selected), 2, rng()),
            np.mean([naive_balance(row, good, chosen, 2) for row, good, _, chosen in each]),
        ),
    }
    for value, number in expected.values():
        assert value.number == pytest.approx(number, abs=1e-9)
        assert value.kind == "sampled" and value.interval[0] - 1e-9 <= number <= value.interval[1] + 1e-9


def test_the_balance_score_by_hand():
    """The authors' rule with n* = 8: 8 right of 10 different ones selected score 0.8, 4 of 5 half as much."""
    answer = np.arange(10)[None]
    correct = answer < 8
    every = np.ones((1, 10), bool)
    assert balance_score(answer, correct, every, 8, rng()).number == pytest.approx(0.8)
    some = np.isin(answer, (0, 1, 2, 3, 9))
    assert balance_score(answer, correct, some, 8, rng()).number == pytest.approx(4 / 8 * 4 / 5)
    doubled = np.array([[0, 0, 0, 0, 1]])
    assert balance_score(doubled, doubled == 0, doubled >= 0, 1, rng()).number == pytest.approx(1 / 2)


def test_a_good_verifier_mends_a_vote():
    """Right two times in five, and wrong ones agree: the majority is wrong, unless what is doubtful counts less."""
    answer = np.array([[0, 0, 1, 1, 1]] * 30)
    correct = answer == 0
    assert majority_vote(answer, correct, rng()).number == 0
    assert weighted_vote(answer, correct, np.where(correct, 0.9, 0.3), rng()).number == 1


def test_token_entropy_counts_tokens_and_draws_problems():
    entropy = np.array([[0.0, 1.0, 9.0], [2.0, 3.0, 4.0], [5.0, 9.0, 9.0]])
    written = np.array([[1, 1, 0], [1, 1, 1], [1, 0, 0]])
    value = token_entropy(entropy, written, np.array([7, 7, 3]), rng())
    assert value.number == pytest.approx((0 + 1 + 2 + 3 + 4 + 5) / 6)
    assert value.interval == pytest.approx((2, 5))  # two problems: one of them twice is 10/5 or 5/1
    assert np.isnan(token_entropy(entropy, written * 0, np.array([7, 7, 3]), rng()).number)


def test_texts_are_numbered_within_a_problem():
    assert numbered([["x", None, "y", "x"], ["y", "y", "x", "z"]]).tolist() == [[0, -1, 1, 0], [0, 0, 1, 2]]
    with pytest.raises(ValueError, match=r"answers: every problem needs equally many samples; \[1, 2\] seen"):
        numbered([["x"], ["x", "y"]])


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: majority_vote(np.zeros((1, 2)), np.zeros((1, 2)), rng()), r"answer: give int64\[Q, S\]"),
        (lambda: majority_vote(np.array([[-1]]), np.array([[1]]), rng()), "without an answer .* is marked right"),
        (lambda: weighted_vote(np.array([[0]]), np.array([[1]]), np.array([[-1.0]]), rng()), "weight: .* -1.0 seen"),
        (lambda: balance_score(np.array([[0]]), np.array([[1]]), np.array([[1]]), 0, rng()), "target: .* 0 seen"),
        (lambda: token_entropy(np.ones((2, 1)), np.ones((2, 1)), np.zeros(3), rng()), "problem: give one number"),
    ],
)
def test_wrong_arguments_are_refused(call, told):
    with pytest.raises(ValueError, match=told):
        call()
