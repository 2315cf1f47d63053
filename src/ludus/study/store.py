"""The run store: a run is a plain directory that can be copied, and an index that can be lost.

    runs/SLUG-KEY/run.json           what was asked: settings of every arm, seeds, root seed, code; versions; when
                 /cells/ARM-SEED/    what each cell wrote (see log.py), with result.json once it is finished
                 /results.json       verdicts, final numbers, result hash, minutes
    runs/index.sqlite                summaries, rebuilt from the directories whenever it does not fit them

KEY is the hash of what was asked, so that asking for the same thing again finds the same directory.
"""

import contextlib
import datetime
import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ludus.study.disk import Corrupt, StoreError, body_of, line_of, number, read_lines, write_whole
from ludus.study.log import EVENTS, EXAMPLE
from ludus.study.verdict import Verdict, from_json

FORMAT = 1  # of the directory; part of the key
RESULT = "result.json"
VERSIONS = ("ludus", "numpy", "scipy", "numba", "torch")


@dataclass(frozen=True)
class Run:
    """A run as it lies on the disk.

    folder   where
    key      hash of what was asked
    asked    slug, code, settings (arm -> name -> value), seeds (how many), root_seed, quick, format
    started  when, ISO 8601
    versions of Python's packages at the start
    results  None until every cell is finished; then hash, minutes, torch, numbers, verdicts and judged
    """

    folder: Path
    key: str
    asked: dict[str, Any]
    started: str
    versions: dict[str, str]
    results: dict[str, Any] | None

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        return tuple(from_json(stored) for stored in self.results["verdicts"]) if self.results else ()

    @property
    def cells(self) -> list[tuple[str, int]]:
        """(arm, seed) of every cell, seeds outermost so that all arms of a seed are finished early."""
        return [(arm, seed) for seed in range(self.asked["seeds"]) for arm in self.asked["settings"]]

    def cell(self, arm: str, seed: int) -> Path:
        return self.folder / "cells" / f"{arm}-{seed}"


class Row(NamedTuple):
    """One line of a curve. metrics: name -> float, or the fields of a Value."""

    arm: str
    seed: int
    step: int
    metrics: dict[str, Any]


class Summary(NamedTuple):
    """A run in one line. status: finished, unfinished or damaged (then only folder and status are known)."""

    folder: str
    status: str
    slug: str = ""
    started: str = ""
    quick: bool = False
    seeds: int = 0
    root_seed: int = 0
    done: int = 0
    cells: int = 0
    minutes: float = 0.0
    hash: str = ""
    verdicts: tuple[str, ...] = ()


def key_of(asked: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:12]


def plain(value: Any) -> Any:
    """Settings as JSON: tuples as lists, and floats that JSON does not know as text."""
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return number(value) if isinstance(value, float) else value


def begin(runs: Path, asked: dict[str, Any]) -> Run:
    """The run's directory with its run.json, made where it is not there yet."""
    folder = runs / f"{asked['slug']}-{key_of(asked)}"
    if not (folder / "run.json").exists():
        started = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        stored = {"key": key_of(asked), "started": started, "asked": asked, "versions": versions()}
        write_whole(folder / "run.json", json.dumps(stored, indent=1).encode())
    return open_run(folder)


def versions() -> dict[str, str]:
    found = {}
    for name in VERSIONS:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def open_run(path: Path | str) -> Run:
    """The run in a directory. Raises Corrupt, naming the file, where the directory is not a whole run."""
    folder = Path(path)
    file = folder / "run.json"
    try:
        stored = json.loads(file.read_bytes())
        asked = stored["asked"]
        missing = {"slug", "code", "settings", "seeds", "root_seed", "quick", "format"} - set(asked)
        if missing or stored["key"] != key_of(asked):
            raise ValueError(f"it lacks {sorted(missing)}" if missing else "its key does not fit what was asked")
        run = Run(folder, stored["key"], asked, stored["started"], stored["versions"], None)
    except FileNotFoundError:
        raise Corrupt(f"{folder} is not a run: it has no run.json. `ludus runs` lists the runs there are.") from None
    except (ValueError, KeyError, TypeError) as fault:
        raise Corrupt(f"{file} is damaged: {fault}. Bring it back from a copy, or delete {folder}.") from fault
    if asked["format"] != FORMAT:
        raise Corrupt(f"{file} is of format {asked['format']}; this version of Ludus reads format {FORMAT}")
    return Run(folder, run.key, asked, run.started, run.versions, _results(folder))


def _results(folder: Path) -> dict[str, Any] | None:
    """results.json, or None where it is absent or damaged: it is made again from the cells."""
    try:
        results = json.loads((folder / "results.json").read_bytes())
        return results if {"hash", "minutes", "numbers", "verdicts"} <= set(results) else None
    except (FileNotFoundError, ValueError, TypeError):
        return None


def finish_cell(folder: Path, final: Mapping[str, Any], rows: int, seconds: float, torch: bool) -> None:
    body = {"numbers": dict(final), "rows": rows, "seconds": round(seconds, 3), "torch": torch}
    write_whole(folder / RESULT, line_of(body))


def finished_cell(folder: Path) -> dict[str, Any] | None:
    """numbers, rows, seconds and torch of a finished cell, else None. Raises Corrupt where the file is damaged."""
    try:
        return body_of((folder / RESULT).read_bytes())
    except FileNotFoundError:
        return None
    except ValueError as fault:
        raise Corrupt(f"{folder / RESULT} is damaged: {fault}. Delete {folder} to run that cell again.") from fault


def rows(run: Run) -> Iterator[Row]:
    """The rows of all finished cells, sorted by arm, seed and step. Raises Corrupt where one is lost or damaged."""
    for arm, seed in sorted(run.cells):
        result = finished_cell(run.cell(arm, seed))
        if result is not None:
            bodies, _ = read_lines(run.cell(arm, seed) / EVENTS, least=result["rows"])
            for body in sorted(bodies, key=lambda body: body["step"]):
                yield Row(arm, seed, body["step"], body["metrics"])


def example(run: Run, arm: str, seed: int = 0) -> str:
    """The example that a cell left, or ""."""
    path = run.cell(arm, seed) / EXAMPLE
    return path.read_text() if path.exists() else ""


def bare(metric: Any) -> float:
    """The number of a stored metric, whether it was a float or a Value."""
    return float(metric["number"] if isinstance(metric, Mapping) else metric)


def final_numbers(run: Run) -> tuple[dict[str, dict[str, np.ndarray]], dict[str, dict[str, str]]]:
    """(arm -> metric -> float64[n], arm -> metric -> kind) of the finished cells; a seed that lacks a metric is NaN."""
    values: dict[str, dict[str, np.ndarray]] = {}
    kinds: dict[str, dict[str, str]] = {}
    seeds = run.asked["seeds"]
    for arm, seed in run.cells:
        result = finished_cell(run.cell(arm, seed)) or {"numbers": {}}
        for metric, value in result["numbers"].items():
            values.setdefault(arm, {}).setdefault(metric, np.full(seeds, np.nan))[seed] = bare(value)
            if isinstance(value, Mapping):
                kinds.setdefault(arm, {})[metric] = value["kind"]
    return values, kinds


def result_hash(run: Run) -> str:
    """Hash of the rows sorted by arm, seed and step and of the final numbers with their kinds; no times, no hosts."""

    def facts(metrics: Mapping[str, Any]) -> Any:
        return {
            name: [value["number"], value["kind"], value["interval"]] if isinstance(value, Mapping) else value
            for name, value in metrics.items()
        }

    digest = hashlib.sha256()
    for row in rows(run):
        digest.update(line_of([row.arm, row.seed, row.step, sorted(facts(row.metrics).items())]))
    for arm, seed in sorted(run.cells):
        result = finished_cell(run.cell(arm, seed))
        if result is not None:
            digest.update(line_of([arm, seed, "final", sorted(facts(result["numbers"]).items())]))
    return digest.hexdigest()[:16]


def list_runs(runs: Path | str = "runs") -> list[Summary]:
    """All runs in a folder, the newest first. The index saves reading those that have not changed since it was made."""
    root = Path(runs)
    if not root.is_dir():
        return []
    stamps = {}
    for folder in sorted(root.iterdir()):
        if folder.is_dir() and ((folder / "run.json").exists() or (folder / "cells").exists()):
            stamps[folder.name] = "-".join(_stamp(folder / name) for name in ("run.json", "results.json"))
    known = _read_index(root / "index.sqlite")
    found: dict[str, tuple[str, Summary]] = {}
    for name, stamp in stamps.items():
        fresh = name in known and known[name][0] == stamp
        found[name] = (stamp, known[name][1] if fresh else _summary(root / name))
    if found != known:
        _write_index(root / "index.sqlite", found)
    listed = [_count(root, summary) for _, summary in found.values()]
    return sorted(listed, key=lambda summary: summary.started, reverse=True)


def _stamp(path: Path) -> str:
    """Changes whenever the file is replaced."""
    try:
        state = path.stat()
    except FileNotFoundError:
        return "0"
    return f"{state.st_mtime_ns}.{state.st_size}.{state.st_ino}"


def _summary(folder: Path) -> Summary:
    try:
        run = open_run(folder)
    except Corrupt:
        return Summary(folder.name, "damaged")
    asked, results, cells = run.asked, run.results, len(run.cells)
    common = (asked["slug"], run.started, asked["quick"], asked["seeds"], asked["root_seed"])
    if results is None:
        return Summary(folder.name, "unfinished", *common, 0, cells)
    verdicts = tuple(verdict.verdict for verdict in run.verdicts)
    return Summary(folder.name, "finished", *common, cells, cells, results["minutes"], results["hash"], verdicts)


def _count(root: Path, summary: Summary) -> Summary:
    """How far an unfinished run is, counted now: its cells move without its run.json changing."""
    if summary.status != "unfinished":
        return summary
    return summary._replace(done=sum(1 for _ in (root / summary.folder / "cells").glob(f"*/{RESULT}")))


def _read_index(path: Path) -> dict[str, tuple[str, Summary]]:
    """name -> (stamp, summary); empty where there is no index or it is not one of ours."""
    if not path.exists():
        return {}
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=5)) as index:
            lines = index.execute("SELECT name, stamp, summary FROM runs").fetchall()
        return {name: (stamp, _summary_from(text)) for name, stamp, text in lines}
    except (sqlite3.Error, ValueError, TypeError):
        return {}


def _summary_from(text: str) -> Summary:
    fields = json.loads(text)
    return Summary(**{**fields, "verdicts": tuple(fields["verdicts"])})


def _write_index(path: Path, found: Mapping[str, tuple[str, Summary]]) -> None:
    """Write the index anew; a folder that cannot be written, or an index in use, goes without.

    The rollback journal, not the write-ahead log: that one is not safe on network disks.
    """
    lines = [(name, stamp, json.dumps(summary._asdict())) for name, (stamp, summary) in found.items()]
    for attempt in (1, 2):
        try:
            with contextlib.closing(sqlite3.connect(path, timeout=5)) as index, index:
                index.execute("PRAGMA journal_mode=DELETE")
                index.execute("CREATE TABLE IF NOT EXISTS runs (name TEXT PRIMARY KEY, stamp TEXT, summary TEXT)")
                index.execute("DELETE FROM runs")
                index.executemany("INSERT INTO runs VALUES (?, ?, ?)", lines)
            return
        except sqlite3.Error as fault:
            if attempt == 2 or "locked" in str(fault) or "readonly" in str(fault):
                return
            with contextlib.suppress(OSError):  # damaged: the directories hold everything that it held
                path.unlink()


__all__ = [
    "Corrupt",
    "Row",
    "Run",
    "StoreError",
    "Summary",
    "example",
    "final_numbers",
    "list_runs",
    "open_run",
    "result_hash",
    "rows",
]
