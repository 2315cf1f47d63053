"""Running a study: one hash on any number of workers, cells that fail, two processes, interruption, seeds."""

import dataclasses
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from ludus.records import Value
from ludus.study import BadSetting, store
from ludus.study.disk import StoreError
from ludus.study.recipe import load
from ludus.study.run import CellFailed, Interrupted, generator, one_thread, run_study

RECIPES = Path(__file__).parent / "recipes"
MORAN, MATCHING, ASKING = RECIPES / "moran.py", RECIPES / "matching.py", RECIPES / "asking.py"
STUDY = """
import sys
from ludus.study.recipe import load
from ludus.study.run import run_study
path, runs, jobs = sys.argv[1:]
print(run_study(load(path), path, runs=runs, jobs=int(jobs)).results["hash"])
"""


@pytest.fixture
def moran():
    return load(MORAN)


def test_workers_do_not_change_the_hash(tmp_path, moran):
    runs = [run_study(moran, MORAN, runs=tmp_path / str(jobs), jobs=jobs) for jobs in (1, 2, 3)]
    assert len({run.results["hash"] for run in runs}) == 1
    assert len({run.key for run in runs}) == 1
    assert [verdict.verdict for verdict in runs[0].verdicts] == ["holds", "holds"]


def test_a_file_outside_the_package_runs_in_workers(tmp_path):
    file = tmp_path / "my study" / "mine.py"
    file.parent.mkdir()
    file.write_text(MORAN.read_text().replace('slug="moran"', 'slug="mine"'))
    run = run_study(load(file), file, runs=tmp_path / "runs", seeds=2, jobs=2)
    assert run.results["hash"] == run_study(load(MORAN), MORAN, runs=tmp_path, seeds=2, jobs=1).results["hash"]


def test_with_an_agent_the_arms_of_the_server_claims_run_and_nothing_else_is_judged(tmp_path):
    recipe, asked = load(ASKING), []

    def model(wanted):
        asked.append(wanted)
        return 2.0 * wanted

    without = run_study(recipe, ASKING, runs=tmp_path, jobs=1)
    assert [verdict.verdict for verdict in without.verdicts] == ["holds", "not run"] and asked == []
    run = run_study(recipe, ASKING, runs=tmp_path, jobs=2, agent="http://somewhere/v1#one", model=model)
    assert run.key != without.key and run.asked["agent"] == "http://somewhere/v1#one"
    assert set(run.results["numbers"]) == {"more", "less"}  # the third arm is in no server claim
    assert sorted(asked) == [1] * 6 + [2] * 6  # one model for all cells, whatever the jobs
    assert [verdict.verdict for verdict in run.verdicts] == ["not run", "holds"]
    assert {summary.folder for summary in store.list_runs(tmp_path)} == {without.folder.name, run.folder.name}
    assert run_study(recipe, ASKING, runs=tmp_path, agent="http://somewhere/v1#one", model=model) == run
    assert len(asked) == 12  # read, not run
    other = run_study(recipe, ASKING, runs=tmp_path, agent="http://somewhere/v1#another", model=model)
    assert other.key != run.key and other.results["hash"] == run.results["hash"]


def test_an_agent_where_no_claim_asks_one(tmp_path, moran):
    with pytest.raises(BadSetting, match="--agent: moran has nothing to ask"):
        run_study(moran, MORAN, runs=tmp_path, agent="http://somewhere/v1#one", model=lambda wanted: 0.0)
    assert not list(tmp_path.iterdir())


def test_asking_again_reads_and_asking_otherwise_runs(tmp_path, moran):
    first = run_study(moran, MORAN, runs=tmp_path, seeds=1, jobs=1)
    before = (first.cell("fit", 0) / "result.json").stat().st_mtime_ns
    again = run_study(moran, MORAN, runs=tmp_path, seeds=1, jobs=1)
    assert again == first and (first.cell("fit", 0) / "result.json").stat().st_mtime_ns == before
    fresh = run_study(moran, MORAN, runs=tmp_path, seeds=1, jobs=1, fresh=True)
    assert (first.cell("fit", 0) / "result.json").stat().st_mtime_ns != before
    assert fresh.results["hash"] == first.results["hash"]
    others = [{"seeds": 2}, {"root_seed": 1}, {"overrides": {"size": "5"}}, {"arms": ["fit"]}, {"quick": True}]
    keys = [run_study(moran, MORAN, runs=tmp_path, **{"seeds": 1, "jobs": 1, **other}).key for other in others]
    assert len({first.key, *keys}) == 6


def test_arms_left_out_leave_their_claims_not_run(tmp_path, moran):
    run = run_study(moran, MORAN, runs=tmp_path, arms=["neutral"], seeds=5, jobs=1)
    assert {verdict.verdict for verdict in run.verdicts} == {"not run"}
    assert "arm fit was left out" in run.verdicts[0].sentence


def test_quick_mode_is_never_a_verdict(tmp_path, moran):
    run = run_study(moran, MORAN, runs=tmp_path, quick=True)
    assert run.verdicts == () and set(run.results["numbers"]) == {"fit", "neutral"}
    assert run.asked["settings"]["fit"]["populations"] == 14


@pytest.mark.parametrize(
    "asked, message",
    [
        ({"seeds": 0}, "seeds is a whole number of at least 1, got 0"),
        ({"seeds": 1.5}, "seeds is a whole number of at least 1, got 1.5"),
        ({"jobs": 0}, "jobs is a whole number of at least 1"),
        ({"root_seed": -1}, "root_seed is a whole number of at least 0"),
        ({"arms": ["neutrl"]}, "no arm 'neutrl'. Did you mean neutral"),
        ({"overrides": {"sise": "3"}}, "no setting 'sise'. Did you mean size"),
    ],
)
def test_bad_asks_write_nothing(tmp_path, moran, asked, message):
    with pytest.raises(BadSetting, match=message):
        run_study(moran, MORAN, runs=tmp_path / "runs", **asked)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_cell_that_raises_is_named_and_the_others_go_on(tmp_path, jobs):
    file = tmp_path / "moran.py"
    fault = 'if settings.fitness == 1.0:\n        raise ArithmeticError("no such number")'
    file.write_text(MORAN.read_text().replace("    state = log", f"    {fault}\n    state = log"))
    message = r"arm neutral, seed 0 of moran failed: ArithmeticError: no such number \(2 cells failed in all\)"
    with pytest.raises(CellFailed, match=message):
        run_study(load(file), file, runs=tmp_path, seeds=2, jobs=jobs)
    (summary,) = store.list_runs(tmp_path)
    assert (summary.status, summary.done, summary.cells) == ("unfinished", 2, 4)
    folder = tmp_path / summary.folder
    assert not (folder / "results.json").exists()
    assert "no such number" in (folder / "cells" / "neutral-0" / "error.txt").read_text()


def test_what_run_returns_is_checked(tmp_path, moran):
    for final, message in (
        (None, "run returns its final numbers by metric, got None"),
        ({}, "run returns its final numbers by metric, got {}"),
        ({"x": "high"}, "metric 'x' is a number or a Value, got 'high'"),
    ):
        recipe = dataclasses.replace(moran, run=lambda settings, rng, log, final=final: final)
        with pytest.raises(CellFailed, match=message):
            run_study(recipe, MORAN, runs=tmp_path, seeds=1, jobs=1)


def test_values_keep_their_kind(tmp_path, moran):
    value = Value(0.5, "lower bound", None, "by hand")
    recipe = dataclasses.replace(moran, run=lambda settings, rng, log: {"fixed": value, "births": float("nan")})
    run = run_study(recipe, MORAN, runs=tmp_path, seeds=1, jobs=1)
    assert run.results["numbers"]["fit"]["fixed"] == {"values": [0.5], "kind": "lower bound"}
    assert run.results["numbers"]["fit"]["births"] == {"values": ["nan"], "kind": None}


@pytest.mark.parametrize("draw", [lambda: np.random.rand(), lambda: random.random()])  # noqa: NPY002, what is refused
def test_global_generators_are_refused(tmp_path, moran, draw):
    recipe = dataclasses.replace(moran, run=lambda settings, rng, log: {"fixed": draw()})
    with pytest.raises(CellFailed, match="drew from a global generator"):
        run_study(recipe, MORAN, runs=tmp_path, seeds=1, jobs=1)


def test_arms_of_a_seed_see_the_same_draws_and_seeds_never_meet(tmp_path, moran):
    recipe = dataclasses.replace(moran, run=lambda settings, rng, log: {"fixed": rng.random()})
    numbers = run_study(recipe, MORAN, runs=tmp_path, seeds=20, jobs=1).results["numbers"]
    assert numbers["fit"] == numbers["neutral"]
    draws = {generator(root, seed).integers(2**63) for root in range(50) for seed in range(50)}
    assert len(draws) == 2500


def test_one_thread_for_blas_and_torch():
    torch = pytest.importorskip("torch")
    threads = torch.get_num_threads()
    with one_thread():
        assert torch.get_num_threads() == 1 and torch.are_deterministic_algorithms_enabled()
        assert os.environ["OMP_NUM_THREADS"] == "1"
        assert {one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"} == {1}
    assert torch.get_num_threads() == threads and not torch.are_deterministic_algorithms_enabled()


def test_progress_counts_and_watches(tmp_path, moran):
    seen = []
    run_study(moran, MORAN, runs=tmp_path, seeds=2, jobs=1, progress=seen.append)
    last = seen[-1]
    assert (last.done, last.total, last.watch, last.seconds_left) == (4, 4, "fixed", 0)
    assert 0 < last.latest["neutral"] < last.latest["fit"] < 1 and last.per_minute > 0


def test_ctrl_c_in_this_process_leaves_a_run_that_goes_on(tmp_path, moran):
    whole = run_study(moran, MORAN, runs=tmp_path / "whole", seeds=2, jobs=1).results["hash"]
    calls = 0

    def impatient(settings, rng, log):
        nonlocal calls
        calls += 1
        if calls == 3:
            log.row(0, fixed=9.0)
            raise KeyboardInterrupt
        return moran.run(settings, rng, log)

    recipe = dataclasses.replace(moran, run=impatient)
    with pytest.raises(Interrupted, match="stopped with 2 of 4 cells finished; the same command goes on"):
        run_study(recipe, MORAN, runs=tmp_path, seeds=2, jobs=1)
    assert run_study(moran, MORAN, runs=tmp_path, seeds=2, jobs=1).results["hash"] == whole


def start(path, runs, jobs, pause):
    """A study in a process group of its own."""
    environment = {**os.environ, "LUDUS_TEST_PAUSE": str(pause)}
    return subprocess.Popen(
        [sys.executable, "-c", STUDY, path, runs, str(jobs)],
        env=environment,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_events(runs, seconds=60):
    until = time.monotonic() + seconds
    while not any(file.stat().st_size for file in Path(runs).glob("*/cells/*/events.jsonl")):
        assert time.monotonic() < until, "the study wrote nothing"
        time.sleep(0.02)


def test_a_second_process_is_told_and_ctrl_c_ends_the_workers(tmp_path, moran):
    process = start(MORAN, tmp_path, 2, 0.01)
    wait_for_events(tmp_path)
    with pytest.raises(StoreError, match="another process is at work"):
        run_study(moran, MORAN, runs=tmp_path, jobs=1)
    workers = children(process.pid)
    os.killpg(process.pid, signal.SIGINT)  # what a terminal does
    _, errors = process.communicate(timeout=30)
    assert "the same command goes on from there" in errors
    assert len(workers) >= 2 and wait_until_gone(workers)
    whole = run_study(moran, MORAN, runs=tmp_path / "whole", jobs=1).results["hash"]
    assert run_study(moran, MORAN, runs=tmp_path, jobs=1).results["hash"] == whole


def test_workers_of_a_killed_study_end_by_themselves(tmp_path):
    process = start(MORAN, tmp_path, 2, 0.01)
    wait_for_events(tmp_path)
    workers = children(process.pid)
    process.kill()  # kill -9 of the parent alone
    process.wait()
    assert len(workers) >= 2 and wait_until_gone(workers)


def children(parent):
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    return [int(pid) for pid, ppid in map(str.split, listed.splitlines()) if int(ppid) == parent]


def wait_until_gone(processes, seconds=10):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        states = [Path(f"/proc/{pid}/stat") for pid in processes]
        if not any(state.exists() and state.read_text().rsplit(")", 1)[1].split()[0] != "Z" for state in states):
            return True
        time.sleep(0.05)
    return False


def test_a_worker_ended_from_outside_is_said(tmp_path):
    file = tmp_path / "moran.py"
    file.write_text(MORAN.read_text().replace("    state = log", "    os._exit(3)\n    state = log"))
    with pytest.raises(CellFailed, match="a worker process was ended from outside"):
        run_study(load(file), file, runs=tmp_path, seeds=1, jobs=2)
