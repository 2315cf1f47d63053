"""Cold starts: `ludus --help`, and `ludus solve kuhn_poker` with a filled compile cache and with an empty one.

No peer does this work, so the ratios read "not run"; `range` is the fastest and the slowest of the runs.
Run: .venv/bin/python benchmarks/startup.py
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

SOLVE = ("solve", "kuhn_poker", "--json")


def seconds(cache: str, *command: str) -> float:
    start = time.perf_counter()
    whole = [sys.executable, "-m", "ludus", *command]
    subprocess.run(whole, env=os.environ | {"NUMBA_CACHE_DIR": cache}, check=True, capture_output=True)
    return time.perf_counter() - start


def report(work: str, times: list[float]) -> None:
    missing = dict.fromkeys(("ratio", "low", "high"), "not run")
    line = {"work": work, "peer": "none", "ours": round(statistics.median(times), 3), "theirs": "not run"}
    line |= {"unit": "wall seconds"} | missing | {"range": [round(min(times), 3), round(max(times), 3)]}
    print(json.dumps(line | {"reason": "no peer has this command"}), flush=True)


def main() -> None:
    cold = []
    for _ in range(2):
        with tempfile.TemporaryDirectory() as cache:
            cold.append(seconds(cache, *SOLVE))
            warm = [seconds(cache, *SOLVE) for _ in range(5)]
            helped = [seconds(cache, "--help") for _ in range(9)]
    report("ludus --help", helped)
    report("ludus solve kuhn_poker, compile cache filled", warm)
    report("ludus solve kuhn_poker, compile cache empty", cold)


if __name__ == "__main__":
    main()
