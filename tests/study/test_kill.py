"""kill -9 at random points: a tabular, a torch and a simulation recipe resume to the hash of the run nobody killed.

LUDUS_KILLS is the number of points in all, 50 unless set.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from ludus.study.recipe import load
from ludus.study.run import run_study
from ludus.study.store import list_runs

KILLS = int(os.environ.get("LUDUS_KILLS", "50"))
RECIPES = Path(__file__).parent / "recipes"
STUDY = """
import sys
from ludus.study.recipe import load
from ludus.study.run import run_study
path, runs, jobs = sys.argv[1:]
run_study(load(path), path, runs=runs, jobs=int(jobs))
"""


@pytest.mark.parametrize(
    "name, pause, alone, share", [("matching", 0.002, 1, 0), ("moran", 0.01, 1, 1), ("regression", 0.01, 3, 2)]
)
def test_killed_anywhere_it_resumes_to_the_same_hash(tmp_path, name, pause, alone, share):
    """`alone` sessions in one process for each session with two workers."""
    path = RECIPES / f"{name}.py"
    recipe = load(path)
    rng = np.random.default_rng(share)
    whole = run_study(recipe, path, runs=tmp_path / "whole", jobs=1)
    kills, resumed, study = 0, 0, 0
    while kills < len(range(share, KILLS, 3)):
        runs = tmp_path / f"killed{study}"
        jobs = 2 if (study + kills) % (alone + 1) == alone else 1
        before = written(runs)
        process = subprocess.Popen(
            [sys.executable, "-c", STUDY, path, runs, str(jobs)],
            env={**os.environ, "LUDUS_TEST_PAUSE": str(pause)},  # so that there is time to kill it
            start_new_session=True,
        )
        # Most points lie after this session's first write, some before it, while it starts and reads what is there.
        until = time.monotonic() + (60 if rng.random() < 0.85 else rng.uniform(0, 0.5))
        while written(runs) == before and process.poll() is None and time.monotonic() < until:
            time.sleep(0.002)
        time.sleep(rng.uniform(0, 0.3))
        if process.poll() is None:
            if jobs == 2 and rng.random() < 0.5:
                process.kill()  # the parent alone: its workers are orphans when the next session starts
            else:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            kills += 1
            resumed += written(runs) > 0
        else:  # it got to its end before a kill
            assert process.returncode == 0
            assert run_study(recipe, path, runs=runs).results["hash"] == whole.results["hash"]
            study += 1
    for runs in sorted(tmp_path.glob("killed*")):
        again = run_study(recipe, path, runs=runs, jobs=1)
        assert again.results["hash"] == whole.results["hash"]
        assert again.results["numbers"] == whole.results["numbers"]
        assert again.results["verdicts"] == whole.results["verdicts"]
        assert [summary.status for summary in list_runs(runs)] == ["finished"]
    assert resumed >= kills / 2  # the kills hit runs that had something to lose


@pytest.mark.parametrize("name", ["matching", "moran", "regression"])
def test_killed_between_its_last_checkpoint_and_its_result(tmp_path, name):
    """The one instant that random points seldom hit: the cell resumes with nothing left to do."""
    path = RECIPES / f"{name}.py"
    recipe = load(path)
    run = run_study(recipe, path, runs=tmp_path, seeds=1, jobs=1)
    for file in [run.folder / "results.json", *run.folder.glob("cells/*/result.json")]:
        file.unlink()
    again = run_study(recipe, path, runs=tmp_path, seeds=1, jobs=1)
    assert again.results["hash"] == run.results["hash"]


def written(runs):
    """Bytes of events so far, and a little for each finished cell."""
    return sum(file.stat().st_size for file in runs.glob("*/cells/*/*.json*"))
