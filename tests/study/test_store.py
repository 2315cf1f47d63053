"""What is committed survives: checkpoints, events cut at every byte, damaged files, a full disk, a lost index."""

import errno
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ludus.records import Value
from ludus.study import Log, checkpoint, store
from ludus.study.disk import Corrupt, StoreError, line_of, lock, number, read_lines, unlock, write_whole
from ludus.study.recipe import load
from ludus.study.run import run_study

MORAN = Path(__file__).parent / "recipes" / "moran.py"


@pytest.fixture
def moran():
    return load(MORAN)


def same(one, other):
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return type(one) is type(other) and len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, np.ndarray | np.generic):
        alike = type(one) is type(other) and one.dtype == other.dtype
        return alike and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    return type(one) is type(other) and (one == other or one != one)


def test_a_state_comes_back_equal(tmp_path):
    state = {
        "arrays": {
            "f": np.array([[1.5, np.nan], [-np.inf, -0.0]]),
            "i": np.arange(3, dtype=np.int8),
            "e": np.zeros((0, 2)),
        },
        "f32": np.linspace(0, 1, 7, dtype=np.float32)[::2],
        "scalar": np.float32(0.1),
        "kinds": [
            np.array([1.5, 2.5], ">f8"),
            np.array(["ü", "two"]),
            np.array([(1, 0.5)], [("n", "i4"), ("x", "f8")]),
            np.array([["2026-11-27"]], "M8[D]"),
            np.zeros((), bool),
        ],
        "numbers": [1, 2**200, -3.5, float("nan"), float("inf"), True, None, "text ü \x00 ['dict', 1]", ("t", [])],
        "": {},
    }
    checkpoint.save(tmp_path / "c.npz", state)
    assert same(checkpoint.load(tmp_path / "c.npz"), state)
    assert [file.name for file in tmp_path.iterdir()] == ["c.npz"]


def test_arrays_come_back_in_their_order_and_with_memory_of_their_own(tmp_path):
    rng = np.random.default_rng(0)
    state = {name: rng.random((3, 4)) for name in "ab"}
    state |= {"t": rng.random((3, 4, 2)).T, "cut": rng.random((4, 6))[:, ::2]}
    checkpoint.save(tmp_path / "c.npz", state)
    again = checkpoint.load(tmp_path / "c.npz")
    assert same(again, state)
    assert [again[name].flags.f_contiguous for name in state] == [False, False, True, False]
    again["a"] += 1
    assert not any(np.shares_memory(again["a"], again[name]) for name in ("b", "t", "cut"))


@pytest.mark.parametrize(
    "kind", [np.random.PCG64, np.random.MT19937, np.random.Philox, np.random.SFC64, np.random.PCG64DXSM]
)
def test_a_generator_comes_back_equal(tmp_path, kind):
    rng = np.random.Generator(kind(np.random.SeedSequence(7, spawn_key=(3,))))
    rng.spawn(2)
    rng.integers(10, dtype=np.int32)  # leaves half a draw behind
    checkpoint.save(tmp_path / "c.npz", {"rng": rng})
    again = checkpoint.load(tmp_path / "c.npz")["rng"]
    assert np.array_equal(rng.integers(10, size=5, dtype=np.int32), again.integers(10, size=5, dtype=np.int32))
    assert np.array_equal(rng.normal(size=5), again.normal(size=5))
    assert rng.spawn(1)[0].random() == again.spawn(1)[0].random()


def test_what_a_checkpoint_does_not_hold(tmp_path):
    for state, message in (
        ({"a": {"b": object()}}, r"state\['a'\]\['b'\] is a object"),
        ({1: 2}, "keys are text"),
        ({"a": np.array([None])}, "dtype object"),
    ):
        with pytest.raises(TypeError, match=message):
            checkpoint.save(tmp_path / "c.npz", state)
    assert not list(tmp_path.iterdir())


def test_a_damaged_checkpoint_is_refused(tmp_path):
    file = tmp_path / "c.npz"
    checkpoint.save(file, {"a": np.arange(100)})
    whole = file.read_bytes()
    for damaged in (whole[:50], whole[:-30], b"", whole[:400] + bytes([whole[400] ^ 255]) + whole[401:]):
        file.write_bytes(damaged)
        with pytest.raises(Corrupt, match=r"c\.npz is damaged"):
            checkpoint.load(file)


def test_a_pickle_is_not_read(tmp_path):
    np.savez(tmp_path / "c.npz", structure=np.array([{"a": 1}], dtype=object))
    with pytest.raises(Corrupt):
        checkpoint.load(tmp_path / "c.npz")


def test_numbers_are_stored_exactly(tmp_path):
    numbers = [0.1, -0.0, 5e-324, 1.7976931348623157e308, float("nan"), float("inf"), float("-inf"), 1 / 3]
    write_whole(tmp_path / "e", line_of([number(x) for x in numbers]))
    (back,), _ = read_lines(tmp_path / "e")
    assert [float(x).hex() for x in back] == [x.hex() for x in numbers]
    assert "NaN" not in (tmp_path / "e").read_text()


def write_cell(folder):
    log = Log(folder)
    for step in range(3):
        log.row(step, loss=step / 3)
    log.checkpoint({"step": 3})
    log.row(3, loss=1.0, value=Value(0.5, "sampled", (0.4, 0.6), "by hand"))
    log.row(4, loss=float("nan"))
    log.close()


def test_events_cut_at_every_byte(tmp_path):
    write_cell(tmp_path / "whole")
    whole = (tmp_path / "whole" / "events.jsonl").read_bytes()
    ends = [i + 1 for i, byte in enumerate(whole) if byte == ord("\n")]
    for cut in range(len(whole)):
        folder = tmp_path / "cut"
        shutil.copytree(tmp_path / "whole", folder)
        os.truncate(folder / "events.jsonl", cut)
        complete = sum(end <= cut for end in ends)
        assert len(read_lines(folder / "events.jsonl")[0]) == complete  # all whole lines, and no half one
        if complete < 3:  # a committed row is gone: said, not passed over
            with pytest.raises(Corrupt, match=f"holds {complete} whole lines, 3 were committed"):
                Log(folder).restore()
        else:
            log = Log(folder)
            assert log.restore() == {"step": 3}
            log.row(3, loss=1.0, value=Value(0.5, "sampled", (0.4, 0.6), "by hand"))
            log.row(4, loss=float("nan"))
            log.close()
            assert (folder / "events.jsonl").read_bytes() == whole
        shutil.rmtree(folder)


def test_a_flipped_byte_is_found(tmp_path):
    write_cell(tmp_path)
    file = tmp_path / "events.jsonl"
    whole = file.read_bytes()
    for at in range(len(whole)):
        if whole[at] != ord("\n"):
            file.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
            line = whole[:at].count(b"\n") + 1
            with pytest.raises(Corrupt, match=rf"events\.jsonl, line {line}, is damaged"):
                read_lines(file)


def test_without_a_checkpoint_rows_start_over(tmp_path):
    for _ in range(2):
        log = Log(tmp_path)
        assert log.restore() is None
        log.row(0, x=1)
        assert log.close() == 1


def test_rows_and_examples_are_checked(tmp_path):
    log = Log(tmp_path)
    with pytest.raises(TypeError, match="metric 'loss' is a number or a Value, got 'high'"):
        log.row(0, loss="high")
    with pytest.raises(TypeError, match="an example is text"):
        log.example(3)
    log.row(0, loss=1)
    with pytest.raises(RuntimeError, match="comes before the first"):
        log.restore()


def test_a_full_disk_loses_nothing(tmp_path, moran, monkeypatch):
    """The disk fills up at one write after the other, in the middle of what is written; each time the study goes on."""
    whole = run_study(moran, MORAN, runs=tmp_path / "whole", seeds=2, jobs=1).results["hash"]
    write, left = os.write, 0

    def full(file, data):
        nonlocal left
        if len(data) > left:
            write(file, bytes(data[:left]))
            left = 0
            raise OSError(errno.ENOSPC, "No space left on device")
        left -= len(data)
        return write(file, data)

    monkeypatch.setattr(os, "write", full)
    failures, hash_ = 0, None
    rng = np.random.default_rng(0)
    while hash_ is None:
        left = int(rng.integers(100, 12_000))
        try:
            hash_ = run_study(moran, MORAN, runs=tmp_path / "full", seeds=2, jobs=1).results["hash"]
        except StoreError as error:
            assert "No space left on device. Make room, then run the same command again" in str(error)
            assert not list((tmp_path / "full").rglob("*.draft"))
            failures += 1
    assert failures >= 5 and hash_ == whole


def test_a_limit_of_the_system_is_one_clear_error(tmp_path):
    script = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500))\n"
        "from ludus.study.recipe import load\nfrom ludus.study.run import run_study\n"
        "from ludus.study.disk import StoreError\n"
        "try: run_study(load(sys.argv[1]), sys.argv[1], runs=sys.argv[2], seeds=1, jobs=1)\n"
        "except StoreError as error: print(error); sys.exit(2)"
    )
    done = subprocess.run([sys.executable, "-c", script, MORAN, tmp_path], capture_output=True, text=True)
    assert done.returncode == 2 and "File too large" in done.stdout and done.stderr == ""


def test_a_folder_that_cannot_be_written(tmp_path, moran, monkeypatch):
    finished = run_study(moran, MORAN, runs=tmp_path, seeds=1, jobs=1)

    def refuse(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(os, "open", refuse)
    assert run_study(moran, MORAN, runs=tmp_path, seeds=1).results == finished.results  # reading still works
    with pytest.raises(StoreError, match=r"Read-only file system. Choose a folder that can be written, with --runs"):
        run_study(moran, MORAN, runs=tmp_path, seeds=2)


def test_a_file_where_a_folder_should_be(tmp_path, moran):
    (tmp_path / "runs").write_text("")
    with pytest.raises(StoreError, match="cannot make the folder"):
        run_study(moran, MORAN, runs=tmp_path / "runs", seeds=1)


def test_one_process_at_a_time(tmp_path):
    held = lock(tmp_path / "lock")
    with pytest.raises(StoreError, match="another process is at work"):
        lock(tmp_path / "lock")
    unlock(held)
    unlock(lock(tmp_path / "lock"))


def test_damaged_runs_have_one_clear_error_each(tmp_path, moran):
    run = run_study(moran, MORAN, runs=tmp_path, seeds=1, jobs=1)
    with pytest.raises(Corrupt, match="is not a run"):
        store.open_run(tmp_path / "nowhere")

    events = run.cell("fit", 0) / "events.jsonl"
    whole = events.read_bytes()
    events.write_bytes(b"".join(whole.splitlines(True)[:5] + whole.splitlines(True)[6:]))  # a whole line is gone
    with pytest.raises(Corrupt, match="holds 59 whole lines, 60 were committed"):
        store.result_hash(run)
    events.write_bytes(whole)

    (run.cell("fit", 0) / "result.json").write_text('{"crc":"00000000","body":{}}\n')
    with pytest.raises(Corrupt, match=r"result\.json is damaged"):
        store.final_numbers(run)

    file = run.folder / "run.json"
    text = file.read_text()
    for damaged in (text[:40], text.replace('"seeds": 1', '"seeds": 2'), text.replace('"asked"', '"asks"'), "[]"):
        file.write_text(damaged)
        with pytest.raises(Corrupt, match=r"run\.json is damaged"):
            store.open_run(run.folder)
    assert [summary.status for summary in store.list_runs(tmp_path)] == ["damaged"]


def test_damaged_results_are_made_again_from_the_cells(tmp_path, moran):
    run = run_study(moran, MORAN, runs=tmp_path, seeds=1, jobs=1)
    (run.folder / "results.json").write_text("{")
    assert store.open_run(run.folder).results is None
    assert run_study(moran, MORAN, runs=tmp_path, seeds=1, jobs=1).results == run.results


def test_the_index_can_be_lost(tmp_path, moran):
    for root_seed in range(3):
        run_study(moran, MORAN, runs=tmp_path, seeds=1, root_seed=root_seed, quick=True)
    listed = store.list_runs(tmp_path)
    index = tmp_path / "index.sqlite"
    assert [summary.status for summary in listed] == ["finished"] * 3 and index.exists()
    assert {summary.root_seed for summary in listed} == {0, 1, 2}
    whole = index.read_bytes()
    other = tmp_path / "other.sqlite"
    with sqlite3.connect(other) as database:
        database.execute("CREATE TABLE runs (something TEXT)")
    database.close()
    rng = np.random.default_rng(0)
    scrambled = bytes(rng.integers(0, 256, len(whole), dtype=np.uint8))
    for content in (b"", scrambled, whole[:100] + scrambled[100:], whole[: len(whole) // 2], other.read_bytes()):
        index.write_bytes(content)
        assert store.list_runs(tmp_path) == listed
        assert store.list_runs(tmp_path) == listed
        assert index.read_bytes()[:15] == b"SQLite format 3"
    index.unlink()
    assert store.list_runs(tmp_path) == listed


def test_the_index_follows_the_directories(tmp_path, moran):
    run = run_study(moran, MORAN, runs=tmp_path, seeds=1, jobs=1)
    (run.folder / "results.json").unlink()
    (run.cell("fit", 0) / "result.json").unlink()
    (summary,) = store.list_runs(tmp_path)
    assert (summary.status, summary.done, summary.cells) == ("unfinished", 1, 2)
    run_study(moran, MORAN, runs=tmp_path, seeds=1, jobs=1)
    (summary,) = store.list_runs(tmp_path)
    assert (summary.status, summary.done, summary.hash) == ("finished", 2, run.results["hash"])
    shutil.copytree(run.folder, tmp_path / "copy")  # a run is a directory that can be copied
    assert len(store.list_runs(tmp_path)) == 2
    shutil.rmtree(tmp_path / "copy")
    assert len(store.list_runs(tmp_path)) == 1


def test_the_index_keeps_a_rollback_journal(tmp_path, moran):
    """The rollback journal: the write-ahead log is not safe on network disks."""
    run_study(moran, MORAN, runs=tmp_path, seeds=1, quick=True)
    store.list_runs(tmp_path)
    database = sqlite3.connect(tmp_path / "index.sqlite")
    assert database.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    database.close()


def test_the_hash_covers_results_and_no_times(tmp_path, moran):
    run = run_study(moran, MORAN, runs=tmp_path, seeds=1, jobs=1)
    hash_ = store.result_hash(run)
    file = run.cell("fit", 0) / "result.json"
    body = json.loads(file.read_text())["body"]
    file.write_bytes(line_of({**body, "seconds": 99.0}))
    assert store.result_hash(run) == hash_
    file.write_bytes(line_of({**body, "numbers": {**body["numbers"], "fixed": 0.123}}))
    assert store.result_hash(run) != hash_


def test_several_processes_share_a_folder(tmp_path, moran):
    """Four processes run and list at once: no run is lost, and none is told that the index is locked."""
    script = (
        "import sys\nfrom ludus.study.recipe import load\nfrom ludus.study.run import run_study\n"
        "from ludus.study.store import list_runs\npath, runs, first = sys.argv[1:]\nrecipe = load(path)\n"
        "for seed in range(int(first), int(first) + 5):\n"
        "    run_study(recipe, path, runs=runs, root_seed=seed, quick=True)\n"
        "    assert seed in {summary.root_seed for summary in list_runs(runs)}\n"
    )
    asked = [[sys.executable, "-c", script, MORAN, tmp_path, str(5 * i)] for i in range(4)]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for command in asked]
    assert [process.communicate()[1] for process in processes] == [""] * 4
    listed = store.list_runs(tmp_path)
    assert {summary.root_seed for summary in listed} == set(range(20))
    (tmp_path / "index.sqlite").unlink()
    assert sorted(store.list_runs(tmp_path)) == sorted(listed)
