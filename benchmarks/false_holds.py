"""How often the verdicts are wrong, and how often they find what is there, on simulated seeds.

Prints a JSON line for each work: {work, noise, seeds, rows, rate, low, high}, low and high being the 95% interval of
the rate (Wilson). Under a symmetric null `false holds` are at most 5% by the theory of the sign-flip test; under a
skewed one there is no such promise, and the rate is what it is.

Run: python benchmarks/false_holds.py [ROWS]
"""

import json
import sys

import numpy as np
from scipy import stats

from ludus.study import Equivalent, Higher, NotWorse, Ordered, judge
from ludus.study.verdict import LEVEL, interval, p_value

SEEDS = (5, 8, 10, 16, 20)

SYMMETRIC = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "uniform": lambda rng, shape: rng.uniform(-1, 1, shape),
    "Student t, 2 degrees of freedom": lambda rng, shape: rng.standard_t(2, shape),
    "spread that differs by seed": lambda rng, shape: rng.normal(size=shape) * np.exp(rng.normal(size=shape)),
    "whole numbers with ties": lambda rng, shape: rng.integers(-2, 3, shape).astype(float),
}
SKEWED = {  # mean zero
    "exponential, long tail upwards": lambda rng, shape: rng.exponential(size=shape) - 1,
    "exponential, long tail downwards": lambda rng, shape: 1 - rng.exponential(size=shape),
    "lognormal, long tail downwards": lambda rng, shape: np.exp(0.5) - rng.lognormal(size=shape),
    "one seed in ten collapses by 9": lambda rng, shape: np.where(rng.random(shape) < 0.1, -9.0, 1.0),
}


def main(rows: int) -> None:
    rng = np.random.default_rng(20261120)
    for kind, noises in (("symmetric", SYMMETRIC), ("skewed", SKEWED)):
        for noise, draw in noises.items():
            for n in SEEDS:
                say(f"false holds, {kind} null", noise, n, rejected(draw(rng, (rows, n))))
    for n in SEEDS:
        say("power, one standard deviation beyond", "normal", n, rejected(rng.normal(1, 1, (rows, n))))
        inside = [low <= 0 <= high for low, high in map(interval, rng.normal(size=(rows // 10, n)))]
        say("coverage of the 95% interval", "normal", n, np.array(inside))

    # By the whole rule: claims judged on arms, the truth set by hand.
    forms = {
        "Higher": (Higher("a", than="b", metric="m", by=1.0), 0.0, 2.0),
        "NotWorse": (NotWorse("a", than="b", metric="m", margin=1.0), -1.0, 0.0),
        "Equivalent": (Equivalent("a", than="b", metric="m", margin=2.0), 2.0, 1.0),
        "Ordered": (Ordered(("a", "b"), metric="m"), 0.0, 1.0),
    }
    for name, (claim, null, truth) in forms.items():
        for n in (8, 10):
            for work, centre in ((f"false holds of {name} at its edge", null), (f"power of {name}, one beyond", truth)):
                draws = centre + rng.normal(size=(rows // 10, n))
                zeros = {"m": np.zeros(n)}
                held = [judge(claim, {"a": {"m": d}, "b": zeros}).verdict == "holds" for d in draws]
                say(work, "normal", n, np.array(held))


def rejected(d: np.ndarray) -> np.ndarray:
    """bool[rows]; in parts, so that the table of sign patterns times rows stays small."""
    return np.concatenate([p_value(part) <= LEVEL for part in np.array_split(d, max(1, len(d) // 200))])


def say(work: str, noise: str, seeds: int, hits: np.ndarray) -> None:
    bounds = stats.binomtest(int(hits.sum()), len(hits)).proportion_ci(method="wilson")
    line = {"work": work, "noise": noise, "seeds": seeds, "rows": len(hits), "rate": round(float(hits.mean()), 4)}
    print(json.dumps({**line, "low": round(bounds.low, 4), "high": round(bounds.high, 4)}), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 4000)
