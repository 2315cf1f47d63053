"""The first move of a game in words from a cold process: import, deal, ask, read a reply, answer; against TextArena.

Kuhn poker on both sides. Whole processes take turns; what counts is their CPU time, user and system, so that other
programs on the machine matter little. Compile caches are filled, as they are after an install, but a game in words is
stepped in plain Python: loading compiled code would take longer than all of it.

Run: PYTHONPATH=src .venv-peers/bin/python benchmarks/text_games.py
"""

import json
import resource
import statistics
import subprocess
import sys
from importlib.util import find_spec

ROUNDS = 7

OURS = """
import numpy as np
from ludus.adapters.wordwise import Table
from ludus.games import load
table = Table(load("kuhn_poker"), np.random.default_rng(1))
assert "Legal actions: pass, bet" in table.question()
assert table.hear("I bet. [bet]").kind == "legal" and "> " in table.question()
"""

THEIRS = """
import textarena
env = textarena.make("KuhnPoker-v0")
env.reset(num_players=2, seed=1)
assert "'[check]', '[bet]'" in env.get_observation()[1]
assert env.step(action="I bet. [bet]")[0] is False and "[bet]" in env.get_observation()[1]
"""


def seconds(code: str) -> float:
    """CPU seconds of a new process that runs the code."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compare(work: str) -> None:
    """Print the line of this work, as pairing.compare does; ratio is their time divided by ours."""
    line = {"work": work, "peer": "TextArena", "unit": "CPU seconds"}
    seconds(OURS)
    if find_spec("textarena") is None:
        ours = [seconds(OURS) for _ in range(ROUNDS)]
        line |= {"ours": round(statistics.median(ours), 3), "reason": "textarena is not installed"}
        line |= dict.fromkeys(("theirs", "ratio", "low", "high"), "not run")
    else:
        seconds(THEIRS)
        pairs = [(seconds(OURS), seconds(THEIRS)) for _ in range(ROUNDS)]
        ours, theirs = zip(*pairs, strict=True)
        ratios = [other / mine for mine, other in pairs]
        line |= {"ours": round(statistics.median(ours), 3), "theirs": round(statistics.median(theirs), 3)}
        line |= {"ratio": round(statistics.median(ratios), 2)}
        line |= {"low": round(min(ratios), 2), "high": round(max(ratios), 2)}
    print(json.dumps(line), flush=True)


def main() -> None:
    compare("import and first move of a game in words")


if __name__ == "__main__":
    main()
