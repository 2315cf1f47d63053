"""Numbers of seeds -> a verdict on a claim, in words.

One method serves all claims that speak of several seeds: the sign-flip permutation test of the effects d[n] paired by
seed (Fisher, 1935). If d is symmetric about zero, each of its 2^n sign patterns was as likely, so the share of patterns
with a sum at least as large is an exact p-value. Its confidence bounds are order statistics of the means of all subsets
of d (Hartigan, 1969, "Using subsample values as typical values"). For n above 16 a fixed group of 2^14 patterns stands
in for all of them: the test is exact over any group, which it is not over any one sample of patterns.

    holds         d <= 0 is rejected at 5%, one-sided, and the mean of d is at least `by`
    fails         d >= max(by, 0) is rejected at 5%, one-sided
    inconclusive  neither, with the number of seeds that would decide it at the effect seen
    not run       a number is not there, with the reason

A claim that needs several things shown (`Equivalent`, `Ordered`) holds when each is, and fails when one is refuted at
5% shared among them.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from statistics import NormalDist
from typing import Any

import numpy as np

from ludus.study.claims import Claim, Exact, Near, Numbers

HOLDS, FAILS, INCONCLUSIVE, NOT_RUN = "holds", "fails", "inconclusive", "not run"
LEVEL = 0.05

_ENUMERATED = 16  # seeds up to which all sign patterns are tried
_GENERATORS = 14  # beyond, a group of 2^14 patterns
_MOST_SEEDS = 100_000  # more than this is said in words


@dataclass(frozen=True)
class Verdict:
    """What the seeds say about a claim.

    claim         the claim in words
    form          Higher, Lower, ...
    metric, scope of the claim
    verdict       holds, fails, inconclusive or not run
    effect        mean of d over seeds; a share of |than| where the claim is relative; None where not run
    interval      (low, high): two-sided 95% for the effect, infinite where n is too small; None where not run or exact
    p             one-sided p-value against d <= 0; None where not run or exact
    n             seeds
    sentence      the verdict in plain words
    seeds_needed  where inconclusive: seeds that would decide it four times in five at the effect seen; None where none
    would
    kind          "sampled", or "exact" for a deterministic number
    """

    claim: str
    form: str
    metric: str
    scope: str
    verdict: str
    effect: float | None
    interval: tuple[float, float] | None
    p: float | None
    n: int
    sentence: str
    seeds_needed: int | None
    kind: str


def judge(
    claim: Claim,
    numbers: Numbers,
    kinds: Mapping[str, Mapping[str, str]] | None = None,
    endpoint: bool = False,
) -> Verdict:
    """The verdict on `claim`.

    numbers   arm -> metric -> float64[n], paired by seed; an arm or metric that was not run may be left out
    kinds     arm -> metric -> kind of the number, where the recipe said it
    endpoint  True where a real model server was asked: then claims of scope "server" are judged, and no others
    """
    reason = _why_not(claim, numbers, endpoint)
    if not reason:
        effect, samples = claim.effect(numbers), claim.tests(numbers)
        if not (np.isfinite(effect).all() and np.isfinite(samples).all()):
            reason = f"{claim.metric} is not a finite number, or the number it is a share of is zero"
    if reason:
        return _verdict(claim, NOT_RUN, None, None, None, 0, f"Not run: {reason}.", None, "sampled")
    if isinstance(claim, Near):
        return _judge_exact(claim, effect, samples[0], kinds or {})
    return _judge_sampled(claim, effect, samples)


def beside_control(verdict: Verdict, control: Verdict, arm: str) -> Verdict:
    """The verdict once its control is known: what the control shows too is not the mechanism's, so it is not held.

    control  the verdict on the same claim with the control, `arm`, in the place of its first arm
    """
    if not verdict.verdict == control.verdict == HOLDS:
        return verdict
    told = f"the effect is there ({verdict.sentence.removeprefix('Holds: ').rstrip('.')})"
    sentence = (
        f"Inconclusive: {told}, but with the control {arm} it is there too, so the mechanism is not what makes it."
    )
    return replace(verdict, verdict=INCONCLUSIVE, sentence=sentence)


def adjust(p_values: Sequence[float | None]) -> list[float | None]:
    """p-values adjusted for their number (Benjamini and Hochberg, 1995), over all that are there."""
    from scipy.stats import false_discovery_control  # half a second to import, so only where it is used

    there = [p for p in p_values if p is not None]
    adjusted = iter(false_discovery_control(there).tolist() if there else [])
    return [None if p is None else float(next(adjusted)) for p in p_values]


def p_value(d: np.ndarray) -> np.ndarray:
    """float64[...]: one-sided sign-flip p-values of d float64[..., n] against a centre of zero or less.

    Flipping a subset F raises the sum where the sum over F is negative; a sum that is zero up to rounding is a tie,
    which counts against the claim.
    """
    d = np.asarray(d, float)
    sums = d @ _flips(d.shape[-1]).T
    tie = 1e-12 * np.abs(d).sum(-1, keepdims=True)
    return (sums <= tie).mean(-1)


def interval(d: np.ndarray, level: float = LEVEL) -> tuple[float, float]:
    """The two-sided 1 - level interval for the centre of d float64[n]; infinite where n is too small for the level.

    A centre c is rejected from below while the share of subset means at or under c, the empty subset counted as under,
    is at most level / 2. So the bound is the subset mean of that rank, and likewise from above.
    """
    flips = _flips(len(d))
    sizes = flips.sum(1)
    means = np.sort((flips @ d)[sizes > 0] / sizes[sizes > 0])
    rank = math.floor(level / 2 * len(flips) + 1e-9) - int((sizes == 0).sum())
    return (float(means[rank]), float(means[-1 - rank])) if rank >= 0 else (-math.inf, math.inf)


@lru_cache(maxsize=8)
def _flips(n: int) -> np.ndarray:
    """float64[F, n] of 0 and 1, a subset to flip each row, the empty one first: all of them, or a fixed group."""
    if n <= _ENUMERATED:
        return ((np.arange(2**n)[:, None] >> np.arange(n)) & 1).astype(float)
    sums = ((np.arange(2**_GENERATORS)[:, None] >> np.arange(_GENERATORS)) & 1).astype(np.uint8)
    others = np.random.default_rng(n).integers(0, 2, (_GENERATORS, n - _GENERATORS), dtype=np.uint8)
    return np.hstack([sums, sums @ others % 2]).astype(float)


def _judge_sampled(claim: Claim, effect: np.ndarray, samples: np.ndarray) -> Verdict:
    n, links = len(effect), len(samples)
    goal = max(claim.by, 0.0)
    p = float(p_value(samples).max())
    against = float(p_value(goal - samples).min()) * links
    mean, bounds = float(effect.mean()), interval(effect)
    if p <= LEVEL and (samples.mean(1) >= claim.by).all():
        verdict = HOLDS
    elif against <= LEVEL:
        verdict = FAILS
    else:
        verdict = INCONCLUSIVE
    needed = _seeds_needed(samples, goal) if verdict == INCONCLUSIVE else None
    found = f"effect {mean:.3g}, 95% interval {_range(bounds)}, p = {p:.2g}, {n} seed{'s' if n > 1 else ''}"
    if verdict == INCONCLUSIVE:
        found += f"; {_advice(n, needed)}"
    return _verdict(claim, verdict, mean, bounds, p, n, f"{verdict.capitalize()}: {found}.", needed, "sampled")


def _judge_exact(claim: Near, effect: np.ndarray, left: np.ndarray, kinds: Mapping[str, Mapping[str, str]]) -> Verdict:
    worst = float(effect[np.abs(effect).argmax()])
    seen = {kinds.get(arm, {}).get(claim.metric) for arm in claim.arms()} - {None, "exact"}
    if isinstance(claim, Exact) and seen:
        kind = seen.pop()
        sentence = f"Inconclusive: the number is of kind {kind}, not exact"
        return _verdict(claim, INCONCLUSIVE, worst, None, None, len(effect), sentence + ".", None, str(kind))
    # Turned round, all seeds need not be away from the value: one that is will do.
    met = bool((left > 0).any() if claim.opposite else (left >= 0).all())
    verdict = HOLDS if met else FAILS
    sentence = f"{verdict.capitalize()}: differs from {claim.than} by {worst:.3g}, where {claim.within:g} is allowed"
    return _verdict(claim, verdict, worst, None, None, len(effect), sentence + ".", None, "exact")


def _verdict(
    claim: Claim,
    verdict: str,
    effect: float | None,
    bounds: tuple[float, float] | None,
    p: float | None,
    n: int,
    sentence: str,
    needed: int | None,
    kind: str,
) -> Verdict:
    says, form = claim.words(), type(claim).__name__
    return Verdict(says, form, claim.metric, claim.scope, verdict, effect, bounds, p, n, sentence, needed, kind)


def _why_not(claim: Claim, numbers: Numbers, endpoint: bool) -> str:
    """Why the claim cannot be judged, or "" where it can."""
    if claim.scope == "server" and not endpoint:
        return "it is about a real model; `ludus run SLUG --agent URL#MODEL` asks one, where the recipe can"
    if claim.scope != "server" and endpoint:
        return "with --agent only the claims about a real model are put to the test"
    seeds = set()
    for arm in claim.arms():
        if arm not in numbers:
            return f"arm {arm} was left out"
        if claim.metric not in numbers[arm]:
            return f"arm {arm} did not measure {claim.metric} with these settings"
        values = np.asarray(numbers[arm][claim.metric], float)
        if len(values) == 0 or not np.isfinite(values).all():
            return f"{claim.metric} of arm {arm} is not a finite number on every seed"
        seeds.add(len(values))
    return "" if len(seeds) == 1 else f"the arms have different numbers of seeds for {claim.metric}"


def _seeds_needed(samples: np.ndarray, goal: float) -> int | None:
    """Seeds with which the effect seen would decide four times in five (normal approximation; Guenther, 1981)."""
    least = next(n for n in range(1, 20) if 0.5**n <= LEVEL)
    one_sided, power = NormalDist().inv_cdf(1 - LEVEL), NormalDist().inv_cdf(0.8)

    def seeds(gap: float, spread: float) -> float:
        return max(least, ((one_sided + power) * spread / gap) ** 2 + one_sided**2 / 2) if gap > 0 else math.inf

    means = samples.mean(1)
    spreads = samples.std(1, ddof=1) if samples.shape[1] > 1 else np.full(len(samples), math.nan)
    if np.isnan(spreads).any():
        return least
    if (means > 0).all() and (means >= goal).all():  # on the way to holding: the slowest link decides
        need = max(seeds(mean, spread) for mean, spread in zip(means, spreads, strict=True))
    else:  # on the way to failing: the quickest one
        need = min(seeds(goal - mean, spread) for mean, spread in zip(means, spreads, strict=True))
    return max(math.ceil(need), samples.shape[1] + 1) if need <= _MOST_SEEDS else None


def _advice(n: int, needed: int | None) -> str:
    few = "fewer than 5 seeds cannot reach 5%" if 0.5**n > LEVEL else ""
    if needed is None:
        more = "no affordable number of seeds would decide it at this effect"
    else:
        more = f"about {needed} seeds would decide it at this effect"
    return f"{few}; {more}" if few else more


def _range(bounds: tuple[float, float]) -> str:
    return f"{bounds[0]:.3g} to {bounds[1]:.3g}" if math.isfinite(bounds[0]) else "unbounded with so few seeds"


def as_json(verdict: Verdict) -> dict[str, Any]:
    """The verdict as JSON; an infinite end of the interval is None."""
    ends = None if verdict.interval is None else [end if math.isfinite(end) else None for end in verdict.interval]
    return {**verdict.__dict__, "interval": ends}


def from_json(stored: Mapping[str, Any]) -> Verdict:
    ends = stored["interval"]
    if ends is not None:
        low, high = ends
        ends = (-math.inf if low is None else low, math.inf if high is None else high)
    return Verdict(**{**stored, "interval": ends})
