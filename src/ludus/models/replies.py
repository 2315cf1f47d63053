"""What a model server replied, kept by content: the same question under the same seed is paid for once.

A question is a dict of JSON: model, messages, choices, temperature, max_tokens, seed. Its key is the sha256 of that, so
neither the server's address nor the key to it is part of the record. A reply is one file, FOLDER/ab/cdef....json, a
single line {"crc":"1f2e3d4c","body":...} with the CRC-32 of the body's bytes; the body holds the question too.

A file is written under another name, synced, and then given its name, by one process or by several at a time: the
first to finish is the answer of all of them. A file that is torn or damaged counts as not there.
"""

import contextlib
import hashlib
import json
import os
import threading
import zlib
from pathlib import Path
from typing import Any, NamedTuple

STATUSES = ("ok", "cut", "refused", "empty")


class Reply(NamedTuple):
    """What a model said.

    text        what it says; "" where there is none
    reasoning   what it thought before, where the server tells it
    status      "ok"; "cut" at max_tokens; "refused" by the model or a filter; "empty", nothing was said
    tokens_in   tokens of the question, 0 where the server does not count
    tokens_out  tokens of the reply, its reasoning with it, 0 where the server does not count
    """

    text: str
    reasoning: str
    status: str
    tokens_in: int
    tokens_out: int


class Kept(NamedTuple):
    """A reply on the record. constrained: whether the server was told to answer with one of the choices only."""

    reply: Reply
    constrained: bool


def key_of(question: dict[str, Any]) -> str:
    """The sha256 of a question, 64 hexadecimal digits."""
    return hashlib.sha256(_json(question).encode()).hexdigest()


def recall(folder: Path, question: dict[str, Any]) -> Kept | None:
    """The reply on the record, or None where there is none that is whole."""
    try:
        return _unpack(_path(folder, question).read_bytes(), question)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None


def keep(folder: Path, question: dict[str, Any], kept: Kept) -> Kept:
    """Put a reply on the record, and return what stands there: another process may have been first.

    Raises OSError, with what to do, where the disk does not take it.
    """
    path = _path(folder, question)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.draft")
    body = _json({"question": question, "reply": kept.reply._asdict(), "constrained": kept.constrained})
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with draft.open("wb") as file:
                file.write(f'{{"crc":"{zlib.crc32(body.encode()):08x}","body":{body}}}\n'.encode())
                file.flush()
                os.fsync(file.fileno())
            try:
                path.hardlink_to(draft)  # unlike a rename it fails where a file is there already
            except OSError:  # there is one, or the file system knows no links
                if (first := recall(folder, question)) is not None:
                    return first
                draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as fault:
        message = (
            f"cannot keep a reply in {folder}: {fault.strerror or fault}. Mend that and run the same again: what is"
        )
        raise OSError(fault.errno or 0, f"{message} on the record is not asked again.") from fault
    return kept


def clean(text: str) -> str:
    """The text with half characters (lone surrogates) replaced, so that it can be written anywhere."""
    with contextlib.suppress(UnicodeEncodeError):
        text.encode()
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _path(folder: Path, question: dict[str, Any]) -> Path:
    key = key_of(question)
    return folder / key[:2] / f"{key[2:]}.json"


def _json(value: Any) -> str:
    return json.dumps(value, allow_nan=False, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _unpack(line: bytes, question: dict[str, Any]) -> Kept:
    """What `keep` wrote for this question; ValueError where that is not what the bytes are."""
    head, body, tail = line[:25], line[25:-2], line[-2:]
    if tail != b"}\n" or head != b'{"crc":"%08x","body":' % zlib.crc32(body):
        raise ValueError("the checksum does not fit")
    stored = json.loads(body)
    try:
        kept = Kept(Reply(**stored["reply"]), stored["constrained"])
    except (TypeError, KeyError) as fault:
        raise ValueError("the fields are others") from fault
    if stored["question"] != question or [type(field) for field in kept.reply] != [str, str, str, int, int]:
        raise ValueError("the answer to another question")
    if kept.reply.status not in STATUSES or not isinstance(kept.constrained, bool):
        raise ValueError("the fields hold something else")
    return kept
