"""Writing so nothing committed is lost: whole files by rename, checksummed lines, locks that end with their holder.

A line is JSON of the form {"crc":"1f2e3d4c","body":...}; the checksum is the CRC-32 of the body's bytes. Numbers that
JSON does not know are the texts "nan", "inf" and "-inf".
"""

import contextlib
import errno
import fcntl
import json
import math
import os
import time
import zlib
from pathlib import Path
from typing import Any


class StoreError(OSError):
    """The disk did not take what was to be written, or another process holds it. What was there before is intact."""

    def __str__(self) -> str:
        return self.strerror or super().__str__()


class Corrupt(ValueError):
    """A stored file is damaged; the message names the file and, for events, the line."""


def number(value: float) -> float | str:
    """A float as JSON: itself, or "nan", "inf", "-inf". `float` turns either back, exactly."""
    value = float(value)
    return value if math.isfinite(value) else repr(value)


def refuse(action: str, path: Path, fault: OSError) -> StoreError:
    """One clear error for a disk that is full, read-only or gone."""
    advice = {
        errno.ENOSPC: "Make room, then run the same command again: it goes on from what is stored.",
        errno.EDQUOT: "Make room, then run the same command again: it goes on from what is stored.",
        errno.EFBIG: "Raise the limit on file sizes, then run the same command again: it goes on from what is stored.",
        errno.EROFS: "Choose a folder that can be written, with --runs FOLDER.",
        errno.EACCES: "Choose a folder that can be written, with --runs FOLDER.",
        errno.EPERM: "Choose a folder that can be written, with --runs FOLDER.",
    }.get(fault.errno or 0, "Run the same command again once that is mended: it goes on from what is stored.")
    return StoreError(fault.errno or 0, f"cannot {action} {path}: {fault.strerror or fault}. {advice}")


def make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise refuse("make the folder", path, fault) from fault


def write_all(file: int, data: bytes | memoryview) -> None:
    """All of `data` to an open file; the one place where bytes reach the disk, so tests can fill it here."""
    left = memoryview(data)
    while left:
        left = left[os.write(file, left) :]


def write_whole(path: Path, data: bytes | memoryview) -> None:
    """Replace the file by `data` in one step: another name, sync, rename, sync the folder."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    try:
        file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        try:
            write_all(file, data)
            os.fsync(file)
        finally:
            os.close(file)
        draft.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as fault:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise refuse("write", path, fault) from fault


def line_of(body: Any) -> bytes:
    text = json.dumps(body, allow_nan=False, separators=(",", ":"), ensure_ascii=True)
    return f'{{"crc":"{zlib.crc32(text.encode()):08x}","body":{text}}}\n'.encode()


def body_of(line: bytes) -> Any:
    """What `line_of` was given; ValueError where the line is not whole."""
    head, body, tail = line[:25], line[25:-2], line[-2:]
    if tail != b"}\n" or head != b'{"crc":"%08x","body":' % zlib.crc32(body):
        raise ValueError("the checksum does not fit")
    return json.loads(body)


def read_lines(path: Path, least: int = 0) -> tuple[list[Any], list[int]]:
    """(bodies, where each line ends in bytes) of a file of checksummed lines; a torn last line is left out.

    A last line is torn where it has no line end, which is how a write cut short looks. Any other damage, or fewer than
    `least` lines, raises Corrupt with the file and the line.
    """
    data = path.read_bytes() if path.exists() else b""
    bodies: list[Any] = []
    ends: list[int] = []
    start = 0
    while (end := data.find(b"\n", start) + 1) > 0:
        try:
            bodies.append(body_of(data[start:end]))
        except ValueError as fault:
            raise Corrupt(f"{path}, line {len(bodies) + 1}, is damaged: {fault}. {_RESTORE}") from fault
        ends.append(end)
        start = end
    if len(bodies) < least:
        raise Corrupt(f"{path} holds {len(bodies)} whole lines, {least} were committed. {_RESTORE}")
    return bodies, ends


_RESTORE = "Bring the file back from a copy, or delete its folder to run that cell again."


def lock(path: Path, wait: float = 0.0) -> int:
    """Hold the file's lock until `unlock` or the end of the process, however it ends. Raises StoreError if it is held.

    wait  seconds to try for
    """
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as fault:
        raise refuse("open", path, fault) from fault
    until = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return file
        except BlockingIOError:
            if time.monotonic() >= until:
                os.close(file)
                message = f"another process is at work in {path.parent}. Wait for it, or end it, and ask again."
                raise StoreError(errno.EWOULDBLOCK, message) from None
            time.sleep(0.05)


def unlock(file: int) -> None:
    os.close(file)
