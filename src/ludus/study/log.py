"""What a cell writes while it runs: rows of its curves, one example, and the state from which it can go on.

A cell's folder holds `events.jsonl` (a checksummed line per row), `checkpoint.npz` (the last state, with the number of
rows that belong to it), `example.txt`, and in the end `result.json`. Rows written after the last checkpoint are dropped
when the cell goes on from it, because it will write them again.
"""

import contextlib
import io
import operator
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ludus.study import checkpoint
from ludus.study.disk import line_of, make_folder, number, read_lines, refuse, write_all, write_whole

EVENTS, CHECKPOINT, EXAMPLE = "events.jsonl", "checkpoint.npz", "example.txt"


class Log:
    """The third argument of a recipe's `run`. One process writes to a folder at a time; `run.py` sees to that.

    quick  True in quick mode
    """

    def __init__(self, folder: Path | str, quick: bool = False) -> None:
        self.quick = quick
        self._folder = Path(folder)
        self._file: io.FileIO | None = None
        self._rows = 0
        self._length = 0
        self._start = time.monotonic()
        make_folder(self._folder)
        for draft in self._folder.glob(".*.draft"):  # left by a write that was cut short
            draft.unlink(missing_ok=True)

    def row(self, step: int, **metrics: Any) -> None:
        """One line of a curve: the metrics, floats or Values, as they stand at `step`."""
        self._append({"step": operator.index(step), "metrics": numbers(metrics)})

    def example(self, text: str) -> None:
        """One example to replay in the report: a game, a transcript, a figure in words. The last one is kept."""
        if not isinstance(text, str):
            raise TypeError(f"an example is text, got a {type(text).__name__}")
        write_whole(self._folder / EXAMPLE, text.encode())

    def checkpoint(self, state: Mapping[str, Any]) -> None:
        """Commit `state`, nested dicts of arrays, numbers, text, None and Generators, and the rows so far."""
        self._sync()  # the rows first: a state never speaks of rows that are not on the disk
        checkpoint.save(self._folder / CHECKPOINT, {"rows": self._rows, "seconds": self.seconds(), "state": state})

    def restore(self) -> Any:
        """The last state, or None where there is none. Rows written after it are dropped. Called before any row."""
        if self._file is not None:
            raise RuntimeError("log.restore() comes before the first log.row and log.checkpoint")
        path = self._folder / CHECKPOINT
        if not path.exists():
            return None
        saved = checkpoint.load(path)
        self._open(saved["rows"])
        self._start -= saved["seconds"]
        return saved["state"]

    def seconds(self) -> float:
        """Time spent on the cell so far, the sessions before the last checkpoint included."""
        return time.monotonic() - self._start

    def close(self) -> int:
        """Sync and close; returns the number of rows."""
        self._sync()
        self._open().close()
        return self._rows

    def _sync(self) -> None:
        try:
            os.fsync(self._open())
        except OSError as fault:
            raise refuse("write", self._folder / EVENTS, fault) from fault

    def _open(self, keep: int = 0) -> io.FileIO:
        """The events, opened by the first call for appending after their first `keep` rows."""
        if self._file is None:
            path = self._folder / EVENTS
            if keep:
                _, ends = read_lines(path, least=keep)
                self._rows, self._length = keep, ends[keep - 1]
            try:
                self._file = io.FileIO(path, "a")
                self._file.truncate(self._length)
            except OSError as fault:
                raise refuse("write", path, fault) from fault
        return self._file

    def _append(self, body: Any) -> None:
        file, line = self._open(), line_of(body)
        try:
            write_all(file.fileno(), line)
        except OSError as fault:
            with contextlib.suppress(OSError):
                file.truncate(self._length)  # a part of the line may have been written
            raise refuse("write", self._folder / EVENTS, fault) from fault
        self._rows, self._length = self._rows + 1, self._length + len(line)


def numbers(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Metrics as JSON: a float, or for a Value its number, kind, interval and method. TypeError names the metric."""
    packed: dict[str, Any] = {}
    for name, value in metrics.items():
        try:
            if hasattr(value, "kind") and hasattr(value, "number"):
                interval = None if value.interval is None else [number(end) for end in value.interval]
                packed[name] = {"number": number(value.number), "kind": value.kind, "interval": interval}
                packed[name]["method"] = value.method
            else:
                packed[name] = number(value)
        except (TypeError, ValueError) as fault:
            raise TypeError(f"metric {name!r} is a number or a Value, got {value!r}") from fault
    return packed
