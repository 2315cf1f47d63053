"""`ludus run`, `ludus runs` and `ludus report`: studies at the console."""

import difflib
import shlex
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ludus import recipes
from ludus.catalogue import papers, results_folder
from ludus.cli.console import Mistake, console, front_door, print_json, print_table
from ludus.cli.papers import COLOURS
from ludus.pages.report import NOT_RUN_SHOWN, write_report
from ludus.study import BadSetting, NotARecipe, Recipe
from ludus.study.device import CPU
from ludus.study.disk import Corrupt, StoreError
from ludus.study.record import NotRecordable, faults, read, record
from ludus.study.run import CellFailed, Interrupted, Progress, run_study
from ludus.study.store import Run, list_runs, open_run
from ludus.study.verdict import NOT_RUN, Verdict, as_json

PLAIN_SECONDS = 15.0  # between two lines of progress where nobody watches a terminal
CRASHED, STOPPED = 1, 130
REPLIES = "replies"  # of model servers, in the folder of the runs


def run(
    study: str,
    *,
    arms: Sequence[str],
    seeds: int | None,
    root_seed: int,
    settings: Sequence[str],
    jobs: int | None,
    ray: str,
    device: str,
    quick: bool,
    agent: str,
    to_record: bool,
    fresh: bool,
    runs: Path,
    json: bool,
) -> int:
    """Run a study and tell what came of it; returns the exit code. Raises Mistake."""
    path, recipe = find_recipe(study)
    began = time.time()
    overrides = dict(read_setting(text) for text in settings)
    model = _served(agent, runs) if agent else None
    if to_record:
        given = {"--quick": quick, "--agent": agent, "--arm": arms, "--set": settings, "--device": device != CPU}
        _check_recordable(recipe, path, given, seeds)
    try:
        with front_door(BadSetting, Corrupt, StoreError), shown(recipe) as progress:
            finished = run_study(
                recipe,
                path,
                runs=runs,
                arms=arms or None,
                seeds=seeds,
                root_seed=root_seed,
                overrides=overrides,
                jobs=jobs,
                ray=ray,
                device=device,
                quick=quick,
                agent=agent,
                model=model,
                progress=progress,
                fresh=fresh,
            )
    except Interrupted as fault:
        again = shlex.join(["ludus", *(word for word in sys.argv[1:] if word != "--fresh")])
        print(f"{fault}\nGo on with: {again}", file=sys.stderr)
        return STOPPED
    except CellFailed as fault:
        print("error:", " ".join(str(fault).split()), file=sys.stderr)
        return CRASHED
    with front_door(Corrupt, StoreError, NotRecordable):
        recorded = record(finished, recipe, path, results_folder()) if to_record else None
        page = write_report(finished.folder, recipe, path)
    assert finished.results is not None
    if json:
        print_json(
            {
                "slug": recipe.slug,
                "run": str(finished.folder),
                "rows": str(finished.folder / "cells"),
                "hash": finished.results["hash"],
                "quick": quick,
                "agent": agent or None,
                "seeds": finished.asked["seeds"],
                "root_seed": finished.asked["root_seed"],
                "minutes": finished.results["minutes"],
                "verdicts": [as_json(verdict) for verdict in finished.verdicts],
                "record": None if recorded is None else str(recorded),
                "report": str(page),
            }
        )
        return 0
    if (finished.folder / "results.json").stat().st_mtime < began:
        print(f"This very study was run before (started {finished.started}); --fresh runs it again.\n")
    _tell(recipe, finished)
    if recorded is not None:
        print(f"record  {recorded}")
        for reason in faults(read(recorded.parent)[recipe.slug]):
            print(f"        the record means nothing where {reason}")
    print(f"report  {page}")
    return 0


def show_runs(runs: Path, json: bool) -> None:
    """Every run of a folder in one line, the newest first."""
    found = list_runs(runs)
    if json:
        print_json([summary._asdict() for summary in found])
        return
    if not found:
        print(f"There are no runs in {runs}. Make one: ludus run SLUG")
        return
    rows = []
    for one in found:
        counts = Counter(one.verdicts)
        judged = ", ".join(f"{count} {verdict}" for verdict, count in counts.items()) or ("quick" if one.quick else "")
        rows.append((one.folder, one.status, f"{one.done}/{one.cells}", one.started[:16].replace("T", " "), judged))
    print_table(["run", "status", "cells", "started", "verdicts"], rows, right=["cells"])


def report(name: str, runs: Path) -> None:
    """Write a run's page. Raises Mistake where there is no such run or its recipe cannot be found."""
    folder = _folder(name, runs)
    with front_door():
        stored = open_run(folder)
        slug = stored.asked["slug"]
        path = recipes.find().get(slug)
        if path is None and (folder / "report.html").is_file():
            print(folder / "report.html")  # of a person's own file, whose place is not stored: written when it ran
            return
        if path is None:
            raise Mistake(
                f"RUN: {folder} is of {slug}, which is no recipe here; run its file: ludus run FILE --runs {runs}"
            )
        print(write_report(folder, recipes.load(slug), path))


def find_recipe(study: str) -> tuple[Path, Recipe]:
    """A recipe and its file, by slug or path. Raises Mistake."""
    with front_door():
        try:
            path = recipes.locate(study)
        except NotARecipe:
            if any(paper.slug == study for paper in papers()):
                raise Mistake(f"SLUG: {study} stands in the catalogue, but nobody has built its recipe yet; "
                              "`ludus papers --status built` lists some that run") from None  # fmt: skip
            raise
        return path, recipes.load(study)


def read_setting(text: str) -> tuple[str, str]:
    """Name and value of a --set. Raises Mistake."""
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise Mistake(f"--set: {text!r} is no NAME=VALUE; write for example --set games=kuhn_poker")
    return name.strip(), value.strip()


def _served(agent: str, runs: Path) -> Any:
    """The client of the model that --agent names; what it replies is kept beside the runs."""
    from ludus.models.chat import connect

    try:
        return connect(agent, runs / REPLIES)
    except ValueError as fault:
        raise Mistake(f"--agent: {fault}") from fault


def _check_recordable(recipe: Recipe, path: Path, given: dict[str, Any], seeds: int | None) -> None:
    """Say so before a long run, not after it."""
    for name, value in given.items():
        if value:
            raise Mistake(f"--record: only the full study is recorded; leave out {name}")
    if seeds is not None and seeds < recipe.seeds:
        raise Mistake(
            f"--record: {recipe.slug} is recorded with at least {recipe.seeds} seeds, --seeds {seeds} is too few"
        )
    if path not in recipes.find().values():
        raise Mistake(f"--record: {path} is no recipe of the catalogue; its verdicts stay in the folder of its run")


def _folder(name: str, runs: Path) -> Path:
    """A run by its folder, by its name in `runs`, or the newest one of a slug."""
    for folder in (Path(name), runs / name):
        if folder.is_dir():
            return folder
    known = list_runs(runs)
    newest = next((summary.folder for summary in known if summary.slug == name), None)
    if newest is not None:
        return runs / newest
    near = difflib.get_close_matches(name, [summary.folder for summary in known], n=3, cutoff=0.3)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    raise Mistake(f"RUN: there is no run {name!r} in {runs}; {hint}`ludus runs` lists them")


def _tell(recipe: Recipe, finished: Run) -> None:
    out = console()
    results = finished.results
    assert results is not None
    idle = sum(verdict.verdict == NOT_RUN for verdict in finished.verdicts)
    for number, verdict in enumerate(finished.verdicts, 1):
        if verdict.verdict == NOT_RUN and idle > NOT_RUN_SHOWN:
            continue
        out.print(_in_words(number, verdict))
        out.print(Padding(Text(verdict.sentence), (0, 0, 1, 2), expand=False))
    if idle > NOT_RUN_SHOWN:
        print(f"{idle} of {len(finished.verdicts)} claims were not run with these settings; the report says why.\n")
    if finished.asked["quick"]:
        metrics = list(dict.fromkeys(claim.metric for claim in recipe.claims))
        rows = [(arm, *(_mean(seen.get(name)) for name in metrics)) for arm, seen in results["numbers"].items()]
        print_table(["arm", *metrics], rows, right=metrics)
        print("\nQuick mode shows the way; it never ends in a verdict.\n")
    seeds = finished.asked["seeds"]
    print(f"rows    {finished.folder / 'cells'}")
    print(f"hash    {results['hash']}  ({len(finished.cells)} cells, {seeds} seed{'s' * (seeds > 1)}, "
          f"{results['minutes']:.1f} minutes of work)")  # fmt: skip


def _in_words(number: int, verdict: Verdict) -> Text:
    scope = f"[{verdict.scope}] " if verdict.scope else ""
    return Text.assemble(f"{number} ", (verdict.verdict, COLOURS[verdict.verdict]), f"  {scope}{verdict.claim}")


def _mean(seen: dict[str, Any] | None) -> str:
    values = [float(value) for value in seen["values"]] if seen else []
    return f"{sum(values) / len(values):.4g}" if values else "-"


@contextmanager
def shown(recipe: Recipe) -> Iterator[Callable[[Progress], None]]:
    """What to call with every Progress: a live picture on a terminal, plain lines elsewhere. All on standard error."""
    out = console(stderr=True)
    if out.is_terminal:
        with Live(console=out, refresh_per_second=4, transient=True) as live:
            yield lambda progress: live.update(_picture(progress))
        return
    last: list[float] = [0.0, -1.0]  # when a line was printed, and how many cells were done then
    busy = threading.Lock()

    def line(progress: Progress) -> None:
        with busy:
            due = time.monotonic() - last[0] >= PLAIN_SECONDS or progress.done == progress.total
            if due and not (progress.done == last[1] == progress.total):
                last[:] = time.monotonic(), progress.done
                moving = ", ".join(f"{arm} {value:.4g}" for arm, value in progress.latest.items())
                watched = f"; {progress.watch}: {moving}" if moving else ""
                print(f"{recipe.slug}: {_count(progress)}{watched}", file=sys.stderr, flush=True)

    yield line


def _picture(progress: Progress) -> Group:
    bar = Table.grid(padding=(0, 2))
    bar.add_row(ProgressBar(total=max(progress.total, 1), completed=progress.done, width=30), _count(progress))
    arms = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    arms.add_column("arm")
    arms.add_column(progress.watch, justify="right")
    for arm, value in progress.latest.items():
        arms.add_row(arm, f"{value:.4g}")
    return Group(bar, arms) if progress.latest else Group(bar)


def _count(progress: Progress) -> str:
    """ "12 of 48 cells, 5.1 a minute, 7 min left"."""
    told = f"{progress.done} of {progress.total} cells"
    if progress.per_minute is not None:
        told += f", {progress.per_minute:,.{0 if progress.per_minute >= 10 else 1}f} a minute"
    if progress.seconds_left is not None and progress.done < progress.total:
        minutes, seconds = divmod(round(progress.seconds_left), 60)
        told += f", {minutes} min left" if minutes else f", {seconds} s left"
    return told
