"""Two ways of doing the same work, timed in turn in one run, and their ratio.

Other programs slow a machine down for seconds at a time. Rounds that take turns (ours, theirs, ours, theirs, ...) are
slowed together, so the ratio within a round stays steady while the rates themselves wander.
"""

import json
import statistics
import time
from collections.abc import Callable

ROUNDS = 7


def compare(
    work: str, peer: str, unit: str, ours: Callable[[], int], make_theirs: Callable[[], Callable[[], int]], seconds=0.3
) -> dict:
    """Time both, print the one JSON line of this work, and return it.

    work         what is done, the same on both sides
    peer         whose way it is compared with
    unit         what is counted; both rates are given in units per CPU second
    ours         () -> how many units it did; called again until `seconds` of CPU time are spent, in every round
    make_theirs  () -> the same for the peer; imports the peer itself, so that a missing one reads "not run"
    seconds      the least CPU time of one side of one round

    Keys of the line: work, peer, ours, theirs, unit, ratio, low, high. Ratio is the median over rounds of ours divided
    by theirs (above 1: ours is faster), low and high the lowest and the highest round. CPU time is that of this
    process, all threads together. Where the peer cannot be imported, theirs and the ratios read "not run", and
    `reason` says why.
    """
    try:
        theirs = make_theirs()
    except ImportError as error:
        ours()
        line = {
            "work": work,
            "peer": peer,
            "ours": _short(statistics.median(_rate(ours, seconds) for _ in range(ROUNDS))),
        }
        line |= {"theirs": "not run", "unit": unit} | dict.fromkeys(("ratio", "low", "high"), "not run")
        line |= {"reason": f"{type(error).__name__}: {error}"}
        print(json.dumps(line), flush=True)
        return line
    ours(), theirs()  # compile, fill caches, set up what is made on first use
    rates = [(_rate(ours, seconds), _rate(theirs, seconds)) for _ in range(ROUNDS)]
    ratios = [mine / other for mine, other in rates]
    line = {
        "work": work,
        "peer": peer,
        "ours": _short(statistics.median(mine for mine, _ in rates)),
        "theirs": _short(statistics.median(other for _, other in rates)),
        "unit": unit,
        "ratio": _short(statistics.median(ratios)),
        "low": _short(min(ratios)),
        "high": _short(max(ratios)),
    }
    print(json.dumps(line), flush=True)
    return line


def _rate(do, seconds):
    units, start = 0, time.process_time()
    while (spent := time.process_time() - start) < seconds:
        units += do()
    return units / spent


def _short(number):
    return float(f"{number:.4g}")
