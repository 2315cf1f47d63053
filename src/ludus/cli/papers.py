"""`ludus papers`: the catalogue on the screen."""

import difflib
from collections import Counter

from rich.padding import Padding
from rich.text import Text

from ludus.catalogue import STATUSES, Paper, papers, search
from ludus.cli.console import Mistake, console, front_door, print_json, print_table

COLOURS = {"recorded": "green", "stale": "yellow", "built": "cyan", "wanted": "bright_black"}
COLOURS |= {"holds": "green", "fails": "red", "inconclusive": "yellow", "not run": "bright_black"}


def show_papers(query: str, family: str | None, core: int | None, status: str | None, json: bool) -> None:
    """Search and print. Raises Mistake where a filter has no such value."""
    with front_door():
        rows = papers()
    families = sorted({row.family for row in rows})
    for name, value, able in (("--family", family, families), ("--status", status, list(STATUSES))):
        if value is not None and value not in able:
            near = difflib.get_close_matches(value, able, n=1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise Mistake(f"{name}: {value!r} is none; {hint}write one of {', '.join(able)}")
    if core not in (None, 1, 2, 3):
        raise Mistake(f"--core: {core} is none; write 1, 2 or 3")
    found = [row for row in rows if row.slug == query] or search(rows, query)
    found = [row for row in found if family in (None, row.family) and core in (None, row.core)]
    found = [row for row in found if status in (None, row.status)]
    if json:
        print_json([row._asdict() for row in found])
    elif not found:
        near = difflib.get_close_matches(query, [row.slug for row in rows], n=3, cutoff=0.5)
        hint = f" Did you mean {', '.join(near)}?" if near else ""
        print(f"No paper of the catalogue fits.{hint}")
    elif len(found) == 1 and found[0].slug == query:
        _card(found[0])
    else:
        print_table(
            ["slug", "family", "year", "status", "title"],
            [(row.slug, row.family, row.date[:4], row.status, row.title) for row in found],
            wrap=False,
        )
        counts = Counter(row.status for row in found)
        told = ", ".join(f"{counts[status]} {status}" for status in STATUSES)
        print(f"\n{len(found)} papers: {told}. One of them: ludus papers SLUG")


def _card(paper: Paper) -> None:
    out = console()
    out.print(Text(paper.title, style="bold"))
    out.print(paper.summary)
    facts = {
        "slug": paper.slug,
        "paper": ", ".join(filter(None, (paper.identifier, paper.date))),
        "kind": paper.kind,
        "family": f"{paper.family} (core {paper.core})",
        "tags": ", ".join(paper.tags),
    }
    print()
    for name, fact in facts.items():
        out.print(f"{name:<8}{fact}")
    out.print(Text.assemble(f"{'status':<8}", (paper.status, COLOURS[paper.status])))
    for number, verdict in enumerate(paper.verdicts, 1):
        scope = f" [{verdict['scope']}]" if verdict["scope"] else ""
        adjusted = (
            "" if verdict["adjusted"] is None else f" Adjusted over the catalogue: p = {verdict['adjusted']:.2g}."
        )
        out.print()
        out.print(
            Text.assemble(
                f"{number} ", (verdict["verdict"], COLOURS[verdict["verdict"]]), f"{scope} {verdict['claim']}"
            )
        )
        out.print(Padding(Text(verdict["sentence"] + adjusted), (0, 0, 0, 2)))
    print("\n" + ("Nobody has built it yet." if paper.status == "wanted" else f"Run it: ludus run {paper.slug}"))
