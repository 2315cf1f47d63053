"""The catalogue: every paper of papers.tsv, with its status read off what is there.

    recorded  a verdict stands in results/SLUG.json, made by the recipe as it is now
    stale     a verdict stands there, but the recipe has changed since
    built     there is a recipe without a recorded verdict
    wanted    nothing yet

A status is never typed. `python -m ludus.catalogue README.md` rewrites the table of recipes between its two markers.
"""

import sys
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from ludus import recipes
from ludus.study import record
from ludus.study.verdict import FAILS, HOLDS, INCONCLUSIVE, NOT_RUN, adjust

VERDICTS = (HOLDS, FAILS, INCONCLUSIVE, NOT_RUN)
STATUSES = ("recorded", "stale", "built", "wanted")
MARKERS = ("<!-- recipes -->", "<!-- /recipes -->")
COLUMNS = ("slug", "title", "identifier", "date", "kind", "family", "core", "summary", "tags")


class Paper(NamedTuple):
    """A row of the catalogue.

    slug        its name on the command line
    title       as printed
    identifier  "arXiv:2506.24119"
    date        "2025-06-30", or "2025-06" where the day is not known
    kind        algorithm, system, study, benchmark, theory, survey or position
    family      the folder of its recipe
    core        3 what the laboratory is about, 2 near it, 1 at its edge
    summary     one sentence, in our own words
    tags        words to search by
    status      recorded, stale, built or wanted
    verdicts    one dict for each claim of the record: claim, scope, verdict, effect, interval, p, sentence, and
                adjusted, which is p adjusted for all of the catalogue's (Benjamini and Hochberg, 1995)
    """

    slug: str
    title: str
    identifier: str
    date: str
    kind: str
    family: str
    core: int
    summary: str
    tags: tuple[str, ...]
    status: str
    verdicts: tuple[dict[str, Any], ...]


def results_folder() -> Path:
    """Where recorded results are: `results/` of a checkout, or the package's own copy where Ludus was installed."""
    package = Path(__file__).resolve().parent
    checkout = package.parents[1]
    return checkout / "results" if (checkout / "pyproject.toml").is_file() else package / "results"


def papers(folder: Path | None = None) -> list[Paper]:
    """All rows in the order of papers.tsv. `folder` holds the results, results_folder() if None.

    Raises Corrupt where a record is damaged; the message names its file.
    """
    found = recipes.find()
    records = record.read(results_folder() if folder is None else folder)
    verdicts = {slug: [_verdict(claim) for claim in stored["claims"]] for slug, stored in records.items()}
    judged = [verdict for several in verdicts.values() for verdict in several]
    for verdict, adjusted in zip(judged, adjust([verdict["p"] for verdict in judged]), strict=True):
        verdict["adjusted"] = adjusted
    rows = []
    for row in _rows():
        slug = row["slug"]
        status = record.status(found[slug], records.get(slug)) if slug in found else "wanted"
        core, tags = int(row.pop("core")), tuple(row.pop("tags").split(","))
        rows.append(Paper(**row, core=core, tags=tags, status=status, verdicts=tuple(verdicts.get(slug, ()))))
    return rows


def search(rows: list[Paper], query: str) -> list[Paper]:
    """The papers that hold every word of `query` in slug, title, summary, tags or identifier, whatever the case."""
    words = query.lower().split()
    texts = [" ".join((row.slug, row.title, row.summary, *row.tags, row.identifier)).lower() for row in rows]
    return [row for row, text in zip(rows, texts, strict=True) if all(word in text for word in words)]


def markdown_table(rows: list[Paper] | None = None) -> str:
    """The papers that can be run, one line each with its recorded verdicts, as a table in Markdown."""
    built = [row for row in (papers() if rows is None else rows) if row.status != "wanted"]
    lines = ["| recipe | paper | status | verdicts |", "|---|---|---|---|"]
    for row in built:
        counts = Counter(verdict["verdict"] for verdict in row.verdicts)
        told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts[verdict]) or "not recorded"
        title = row.title.replace("|", "\\|")
        lines.append(
            f"| `{row.slug}` | {title}, {_reference(row.identifier)}, {row.date[:4]} | {row.status} | {told} |"
        )
    return "\n".join(lines)


def rewrite(page: str) -> str:
    """`page` with a fresh table between its markers. Raises ValueError unless each is there once, in order."""
    start, end = MARKERS
    if page.count(start) != 1 or page.count(end) != 1 or page.index(start) > page.index(end):
        raise ValueError(f"page: the lines {start} and {end} are needed, once each and in this order")
    return f"{page[: page.index(start)]}{start}\n{markdown_table()}\n{page[page.index(end) :]}"


def _rows() -> list[dict[str, Any]]:
    """papers.tsv as dicts. It is unquoted: a tab ends a field and a quotation mark is a quotation mark."""
    lines = Path(__file__).with_name("papers.tsv").read_text(encoding="utf-8").splitlines()
    header, *rows = [line.split("\t") for line in lines]
    if tuple(header) != COLUMNS:
        raise ValueError(f"papers.tsv: the columns are {', '.join(COLUMNS)}; {', '.join(header)} seen")
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows]


def _verdict(claim: dict[str, Any]) -> dict[str, Any]:
    return {name: claim[name] for name in ("claim", "scope", "verdict", "effect", "interval", "p", "sentence")}


def _reference(identifier: str) -> str:
    """A link where the identifier says where the paper is."""
    name, _, rest = identifier.partition(":")
    return f"[{identifier}](https://arxiv.org/abs/{rest})" if name == "arXiv" else identifier


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("error: write python -m ludus.catalogue README.md")
    file = Path(sys.argv[1])
    file.write_text(rewrite(file.read_text(encoding="utf-8")), encoding="utf-8")
