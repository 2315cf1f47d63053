"""How commands speak: tables and JSON on standard output, progress on standard error, one line for a mistake."""

import contextlib
import json
import math
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from rich.console import Console
from rich.table import Table

from ludus.records import Value

PIPE_WIDTH = 200  # columns where nobody's window says how many there are


class Mistake(Exception):
    """Something that was asked for cannot be; the message is the one line that is printed, the exit code 2."""


@contextlib.contextmanager
def front_door(*faults: type[Exception]) -> Iterator[None]:
    """Around calls that check what the person typed: these faults of theirs become a Mistake.

    faults  all ValueErrors and OSErrors, unless given; give them where much else happens inside
    """
    caught = faults or (ValueError, OSError)
    try:
        yield
    except caught as fault:
        if isinstance(fault, OSError) and fault.strerror:  # its own text begins with a number
            raise Mistake(f"{fault.filename}: {fault.strerror}" if fault.filename else fault.strerror) from fault
        raise Mistake(str(fault)) from fault


def console(stderr: bool = False) -> Console:
    """Colours and the window's width on a terminal; wide plain lines into a pipe or a file."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else PIPE_WIDTH
    return Console(file=stream, width=width, highlight=False, emoji=False, markup=False)


def print_json(answer: Any) -> None:
    """One JSON document on standard output. Numbers that JSON does not know become null."""
    print(json.dumps(_plain(answer), indent=1, ensure_ascii=False, allow_nan=False))


def print_table(
    columns: Sequence[str], rows: Sequence[Sequence[Any]], right: Sequence[str] = (), wrap: bool = True
) -> None:
    """Lines under headings; the columns named in `right` hold numbers. Without `wrap` a last column too long is cut."""
    out, gap = console(), 2
    widths = [max(len(str(cell)) for cell in column) for column in zip(columns, *rows, strict=True)]
    left = max(10, out.width - sum(widths[:-1]) - gap * len(columns))  # for the last column; rich would shrink them all
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, gap, 0, 0))
    for name, width in zip(columns, [*widths[:-1], min(left, widths[-1])], strict=True):
        justify: Literal["left", "right"] = "right" if name in right else "left"
        cut = not (wrap and name == columns[-1])
        table.add_column(name, justify=justify, width=width, no_wrap=cut, overflow="ellipsis")
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
    out.print(table)


def told(value: Value, unit: str = "") -> str:
    """A Value in words: "-0.0555556 (exact)", "0.12, 0.1 to 0.14 (sampled)"."""
    interval = "" if value.interval is None else f", {value.interval[0]:.4g} to {value.interval[1]:.4g}"
    return f"{value.number:.6g}{' ' + unit if unit else ''}{interval} ({value.kind})"


def _plain(answer: Any) -> Any:
    if isinstance(answer, Value):
        return _plain(answer._asdict())
    if isinstance(answer, dict):
        return {name: _plain(item) for name, item in answer.items()}
    if isinstance(answer, list | tuple):
        return [_plain(item) for item in answer]
    if isinstance(answer, float):
        return answer if math.isfinite(answer) else None
    return answer
