"""Verdicts: the statistics against slow twins and scipy, their size and power on simulated rows, and the rules."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from ludus.study import Equivalent, Exact, Higher, Lower, Near, NotWorse, Ordered, Trend
from ludus.study.verdict import adjust, as_json, from_json, interval, judge, p_value


def verdict_of(claim, endpoint=False, kinds=None, **arms):
    return judge(claim, {arm: {"m": np.array(m, float)} for arm, m in arms.items()}, kinds, endpoint)


def naive_p(d):
    """Every sign pattern, one at a time."""
    sums = [sum(s * x for s, x in zip(signs, d, strict=True)) for signs in itertools.product((1, -1), repeat=len(d))]
    return sum(s >= sum(d) - 1e-9 for s in sums) / len(sums)


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_p_against_every_sign_pattern(n):
    rng = np.random.default_rng(n)
    for d in (rng.normal(0.5, 1, n), rng.integers(-2, 4, n).astype(float), np.ones(n), np.zeros(n)):
        assert p_value(d) == pytest.approx(naive_p(d))


@pytest.mark.parametrize("n", [9, 25])
def test_p_against_scipy(n):
    d = np.random.default_rng(n).normal(0.3, 1, n)
    theirs = stats.permutation_test(
        (d,), lambda x, axis: x.mean(axis), permutation_type="samples", alternative="greater", n_resamples=20_000, rng=1
    )
    assert p_value(d) == pytest.approx(theirs.pvalue, abs=1e-9 if n == 9 else 0.01)


@pytest.mark.parametrize("n", [6, 8, 11])
def test_the_interval_is_the_test_turned_round(n):
    d = np.random.default_rng(n).normal(1, 2, n)
    low, high = interval(d)
    step = 1e-9 * (high - low)
    assert p_value(d - (low - step)) <= 0.025 < p_value(d - (low + step))
    assert p_value((high + step) - d) <= 0.025 < p_value((high - step) - d)


def test_intervals_cover():
    rng = np.random.default_rng(5)
    for n in (8, 20):
        hits = [low <= 0 <= high for low, high in (interval(d) for d in rng.normal(size=(400, n)))]
        assert 0.92 <= np.mean(hits) <= 0.98  # 95% with a standard error of 1.1%


@pytest.mark.parametrize("n", [5, 8, 10, 17])
def test_false_holds_under_a_symmetric_null(n):
    rng = np.random.default_rng(n)
    rows = 4000
    for d in (rng.normal(size=(rows, n)), rng.uniform(-1, 1, (rows, n)), rng.standard_t(2, (rows, n))):
        assert (p_value(d) <= 0.05).mean() <= 0.05 + 2.6 * math.sqrt(0.05 * 0.95 / rows)


@pytest.mark.parametrize("n, power", [(8, 0.75), (10, 0.80)])
def test_power_one_standard_deviation_beyond(n, power):
    d = np.random.default_rng(n).normal(1, 1, (4000, n))
    assert (p_value(d) <= 0.05).mean() >= power


def test_power_with_a_margin_by_the_whole_rule():
    """The true effect lies one paired standard deviation beyond `by`."""
    rng = np.random.default_rng(3)
    claim = Higher("a", than="b", metric="m", by=0.5)
    rows = rng.normal(1.5, 1, (300, 8))
    assert np.mean([verdict_of(claim, a=d, b=np.zeros(8)).verdict == "holds" for d in rows]) >= 0.75


@pytest.mark.parametrize(
    "claim, at_margin",
    [
        (Equivalent("a", than="b", metric="m", margin=2.0), 2.0),
        (Equivalent("a", than="b", metric="m", margin=2.0), -2.0),
        (NotWorse("a", than="b", metric="m", margin=2.0), -2.0),
        (NotWorse("a", than="b", metric="m", margin=2.0, direction="lower"), 2.0),
    ],
)
def test_size_and_power_within_a_margin(claim, at_margin):
    rng = np.random.default_rng(7)
    zeros, noise = np.zeros(10), rng.normal(size=(500, 10))
    false = np.mean([verdict_of(claim, a=at_margin + d, b=zeros).verdict == "holds" for d in noise])
    true = np.mean([verdict_of(claim, a=at_margin / 2 + d, b=zeros).verdict == "holds" for d in noise])
    assert false <= 0.05 + 2.6 * math.sqrt(0.05 * 0.95 / 500)
    assert true >= 0.80


def test_an_order_needs_every_step():
    rng = np.random.default_rng(1)
    claim, n = Ordered(("a", "b", "c"), metric="m"), 8
    false = [
        verdict_of(claim, a=3 + rng.normal(size=n), b=rng.normal(size=n), c=rng.normal(size=n)).verdict
        for _ in range(300)
    ]
    assert false.count("holds") / 300 <= 0.05 + 2.6 * math.sqrt(0.05 * 0.95 / 300)
    assert verdict_of(claim, a=[5.0] * 8, b=[3.0] * 8, c=[1.0] * 8).verdict == "holds"
    assert verdict_of(claim, a=[5.0] * 8, b=[1.0] * 8, c=[3.0] * 8).verdict == "fails"


def test_a_trend_follows_its_dose():
    rng = np.random.default_rng(2)
    claim = Trend((("a", 2.0), ("b", 1.0), ("c", 0.0)), metric="m")
    arms = {arm: dose + rng.normal(0, 0.3, 8) for arm, dose in claim.doses}
    verdict = verdict_of(claim, **arms)
    assert verdict.verdict == "holds" and verdict.effect == pytest.approx(1, abs=0.3)
    assert verdict_of(claim.reverse(), **arms).verdict == "fails"


def test_fails_where_the_effect_is_there_but_below_the_margin():
    claim = Higher("a", than="b", metric="m", by=1.0)
    d = 0.3 + np.random.default_rng(0).normal(0, 0.1, 8)
    verdict = verdict_of(claim, a=d, b=np.zeros(8))
    assert verdict.p <= 0.05 and verdict.verdict == "fails"
    assert verdict_of(claim.reverse(), a=d, b=np.zeros(8)).verdict == "fails"


def test_fails_where_the_reverse_is_significant():
    d = -1 + np.random.default_rng(0).normal(0, 0.1, 8)
    assert verdict_of(Higher("a", than="b", metric="m"), a=d, b=np.zeros(8)).verdict == "fails"
    assert verdict_of(Higher("a", than="b", metric="m").reverse(), a=d, b=np.zeros(8)).verdict == "holds"


def test_no_spread():
    higher = Higher("a", than="b", metric="m")
    assert verdict_of(higher, a=[1.0] * 5, b=[0.5] * 5).verdict == "holds"
    assert verdict_of(higher, a=[1.0] * 5, b=[1.5] * 5).verdict == "fails"
    equal = verdict_of(higher, a=[1.0] * 5, b=[1.0] * 5)
    assert (equal.verdict, equal.p, equal.seeds_needed) == ("inconclusive", 1.0, None)
    assert "no affordable number of seeds" in equal.sentence
    assert verdict_of(Equivalent("a", than="b", metric="m", margin=0.1), a=[1.0] * 5, b=[1.0] * 5).verdict == "holds"


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_few_seeds_cannot_decide_and_say_so(n):
    verdict = verdict_of(Higher("a", than="b", metric="m"), a=np.arange(n) + 9.0, b=np.zeros(n))
    assert verdict.verdict == "inconclusive" and verdict.seeds_needed == 5
    assert "fewer than 5 seeds cannot reach 5%" in verdict.sentence
    assert verdict.interval == (-math.inf, math.inf)
    assert from_json(as_json(verdict)) == verdict


def test_the_seeds_that_would_decide_do():
    """At the effect seen, the number given reaches about four in five."""
    d = np.random.default_rng(8).normal(0, 1, 8)
    d = 0.5 + (d - d.mean()) / d.std(ddof=1)
    needed = verdict_of(Higher("a", than="b", metric="m"), a=d, b=np.zeros(8)).seeds_needed
    assert 24 <= needed <= 30
    power = (p_value(np.random.default_rng(1).normal(0.5, 1, (500, needed))) <= 0.05).mean()
    assert 0.73 <= power <= 0.87


def test_deterministic_numbers():
    near = Near("a", than=0.5, within=0.1, metric="m")
    verdict = verdict_of(near, a=[0.55])
    assert (verdict.verdict, verdict.kind, verdict.p, verdict.interval) == ("holds", "exact", None, None)
    assert verdict_of(near, a=[0.55, 0.7]).verdict == "fails"
    assert verdict_of(near.reverse(), a=[0.55]).verdict == "fails"
    assert verdict_of(near.reverse(), a=[0.7]).verdict == "holds"
    exact = Exact("a", than=0.5, metric="m")
    assert verdict_of(exact, a=[0.5 + 1e-12]).verdict == "holds"
    assert verdict_of(exact, a=[0.5 + 1e-6]).verdict == "fails"
    sampled = verdict_of(exact, a=[0.5], kinds={"a": {"m": "sampled"}})
    assert sampled.verdict == "inconclusive" and "sampled, not exact" in sampled.sentence


@pytest.mark.parametrize(
    "claim, arms, reason",
    [
        (Higher("a", than="b", metric="m"), {"a": [1.0]}, "arm b was left out"),
        (Higher("a", than="b", metric="z"), {"a": [1.0], "b": [1.0]}, "did not measure z"),
        (Higher("a", than="b", metric="m"), {"a": [1.0, math.nan], "b": [1.0, 1.0]}, "not a finite number"),
        (Higher("a", than="b", metric="m"), {"a": [1.0, math.inf], "b": [1.0, 1.0]}, "not a finite number"),
        (Higher("a", than="b", metric="m"), {"a": [1.0], "b": [1.0, 1.0]}, "different numbers of seeds"),
        (Lower("a", than="b", metric="m", relative=True), {"a": [1.0], "b": [0.0]}, "a share of is zero"),
        (Higher("a", than="b", metric="m", scope="server"), {"a": [1.0], "b": [1.0]}, "--agent URL#MODEL"),
    ],
)
def test_not_run_gives_the_reason(claim, arms, reason):
    verdict = verdict_of(claim, **arms)
    assert verdict.verdict == "not run" and reason in verdict.sentence
    assert verdict.effect is verdict.p is verdict.interval is None


def test_a_server_claim_is_judged_once_there_is_one():
    claim = Higher("a", than="b", metric="m", scope="server")
    assert verdict_of(claim, endpoint=True, a=[1.0] * 5, b=[0.0] * 5).verdict == "holds"
    other = verdict_of(Higher("a", than="b", metric="m"), endpoint=True, a=[1.0] * 5, b=[0.0] * 5)
    assert other.verdict == "not run" and "only the claims about a real model" in other.sentence


def test_adjusted_p_values():
    """Benjamini and Hochberg by hand: p * m / rank, made monotone; missing ones stay missing and do not count."""
    assert adjust([0.01, None, 0.04, 0.03, 0.5]) == [
        pytest.approx(0.04),
        None,
        pytest.approx(0.16 / 3),
        pytest.approx(0.16 / 3),
        pytest.approx(0.5),
    ]
    assert adjust([None]) == [None]
