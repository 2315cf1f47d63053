"""Running a study: every arm under every seed, on the cores there are, resumable at any instant.

A cell is an arm under a seed. Its generator depends on the root seed and the seed, never on the arm, so all arms of a
seed see the same draws. Cells share nothing: any number of workers, in any order, killed and resumed, gives the same
result hash.
"""

import contextlib
import difflib
import json
import os
import random
import shutil
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np
from joblib.externals.loky import get_reusable_executor
from threadpoolctl import threadpool_limits

from ludus.study import store
from ludus.study.cluster import run_on_ray
from ludus.study.device import CPU, check, environment, on
from ludus.study.disk import Corrupt, StoreError, body_of, lock, make_folder, number, unlock, write_whole
from ludus.study.log import EVENTS, Log, numbers
from ludus.study.recipe import BadSetting, Recipe, asked_of_servers, code_hash, control_of, load, resolve
from ludus.study.store import Run
from ludus.study.verdict import as_json, beside_control, judge

ERROR = "error.txt"
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class CellFailed(RuntimeError):
    """A recipe's `run` raised. The message names arm, seed and error; the traceback lies in the cell's folder."""


class Interrupted(KeyboardInterrupt):
    """Stopped by the user; the message says how far it came and how to go on."""


class Progress(NamedTuple):
    """How far a study is.

    done, total   cells
    per_minute    cells a minute in this session, None before the first
    seconds_left  at that rate, None before the first
    watch         the metric that the recipe wants shown
    latest        arm -> its mean over seeds in their latest rows
    """

    done: int
    total: int
    per_minute: float | None
    seconds_left: float | None
    watch: str
    latest: dict[str, float]


class Cell(NamedTuple):
    """What a worker needs; plain data, since it reads the recipe's file itself."""

    path: str
    code: str
    folder: str
    arm: str
    seed: int
    root_seed: int
    overrides: dict[str, Any]
    quick: bool
    parent: int
    device: str


def run_study(
    recipe: Recipe,
    path: Path | str,
    *,
    runs: Path | str = "runs",
    arms: Sequence[str] | None = None,
    seeds: int | None = None,
    root_seed: int = 0,
    overrides: Mapping[str, Any] | None = None,
    jobs: int | None = None,
    quick: bool = False,
    agent: str = "",
    model: Any = None,
    progress: Callable[[Progress], None] | None = None,
    fresh: bool = False,
    ray: str = "",
    device: str = CPU,
) -> Run:
    """Run `recipe` (read from `path`), or go on with it, or read it where it is finished; returns the finished run.

    arms       those to run, all unless given; claims on others are then `not run`
    seeds      how many; the recipe's number unless given, one in quick mode
    root_seed  all seeds are drawn from it
    overrides  settings replaced in every arm; text is read by the type of the field
    jobs       cells at a time, as many as there are cores unless given; 1 runs them in this process
    quick      the recipe's smallest honest run, in this process; never a verdict
    agent      which model, behind which server, and
    model      what asks it: the recipe's `server` then runs in the place of its `run`, cell after cell in this process,
               so that one model keeps one account; only the claims of scope "server" are judged
    progress   called about twice a second, from another thread
    fresh      drop what is stored for this very question first
    ray        the address of a Ray cluster that runs the cells instead of this machine; see cluster.py
    device     where transformers live, see device.py; its sums are rounded otherwise, so it is part of what was
               asked, and of the key, where it is not the CPU

    Raises BadSetting, StoreError, Corrupt, CellFailed or Interrupted. Whatever is raised, the same call goes on from
    what is stored.
    """
    changed = dict(overrides or {})
    for arm in arms or ():
        if arm not in recipe.arms:
            near = difflib.get_close_matches(arm, recipe.arms, 1)
            hint = f"Did you mean {near[0]}? " if near else ""
            raise BadSetting(f"{recipe.slug} has no arm {arm!r}. {hint}There are: {', '.join(recipe.arms)}")
    if bool(agent) != (model is not None):
        raise TypeError("agent and model go together: which model it is, and what asks it")
    if ray and (quick or agent):
        raise BadSetting(f"--ray: a run with {'--quick' if quick else '--agent'} stays in this process; leave one out")
    if agent:
        if recipe.server is None:
            raise BadSetting(f"--agent: {recipe.slug} has nothing to ask a served model; leave it out")
        arms = arms or asked_of_servers(recipe)
    if ray and device != CPU:
        raise BadSetting(f"--device: machines of a cluster run on their CPUs, got {device!r}; leave out --ray")
    try:
        check(device)
    except ValueError as fault:
        raise BadSetting(f"--device: {fault}") from None
    settings = resolve(recipe, changed, quick, arms or None)
    count = seeds if seeds is not None else 1 if quick else recipe.seeds
    for name, value, least in (("seeds", count, 1), ("jobs", jobs, 1), ("root_seed", root_seed, 0)):
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < least):
            raise BadSetting(f"{name} is a whole number of at least {least}, got {value!r}")
    asked: dict[str, Any] = {
        "slug": recipe.slug,
        "code": code_hash(path, server=bool(agent)),
        "settings": {arm: store.plain(asdict(own)) for arm, own in settings.items()},
        "seeds": count,
        "root_seed": root_seed,
        "quick": quick,
        "format": store.FORMAT,
    }
    if agent:
        asked["agent"] = agent
    if device != CPU:
        asked["device"] = device
    folder = Path(runs) / f"{recipe.slug}-{store.key_of(asked)}"
    make_folder(folder / "cells")
    if not fresh and (folder / "results.json").exists():
        stored = store.open_run(folder)
        if stored.results is not None:
            return stored
    held = lock(folder / "lock")
    try:
        if fresh:
            for old in folder.glob("cells/*/lock"):  # a worker that outlived its study may need a moment to notice
                unlock(lock(old, wait=60))
            shutil.rmtree(folder / "cells")
            for name in ("results.json", "run.json"):
                (folder / name).unlink(missing_ok=True)
        run = store.begin(Path(runs), asked)
        cells = [
            Cell(
                str(Path(path).resolve()),
                asked["code"],
                str(folder.resolve()),
                *cell,
                root_seed,
                changed,
                quick,
                os.getpid(),
                device,
            )
            for cell in run.cells
            if store.finished_cell(run.cell(*cell)) is None
        ]
        workers = 1 if quick or agent else min(jobs or len(os.sched_getaffinity(0)), max(len(cells), 1))
        _run_cells(recipe, run, cells, workers, progress, model, ray)
        write_whole(folder / "results.json", json.dumps(_results(recipe, run), indent=1).encode())
        return store.open_run(folder)
    finally:
        unlock(held)


def generator(root_seed: int, seed: int) -> np.random.Generator:
    """The generator of every cell under this seed, whatever its arm."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(root_seed, spawn_key=(seed,))))


def run_cell(cell: Cell, recipe: Recipe | None = None, model: Any = None) -> tuple[str, str]:
    """("done", ""), or ("failed" or "store", message). Without `recipe` it is read from the cell's path.

    The cell's lock is waited for: a worker that outlived its study may hold it for the moment that it needs to notice.
    """
    folder = Path(cell.folder) / "cells" / f"{cell.arm}-{cell.seed}"
    try:
        make_folder(folder)
        held = lock(folder / "lock", wait=60)
        try:
            if store.finished_cell(folder) is None:
                _fill(cell, recipe or _load(cell.path, cell.code), folder, model)
            return "done", ""
        finally:
            unlock(held)
    except (StoreError, Corrupt) as fault:
        return "store", str(fault)
    except (Exception, SystemExit) as fault:
        with contextlib.suppress(OSError):
            write_whole(folder / ERROR, traceback.format_exc().encode())
        return "failed", f"{type(fault).__name__}: {fault}"


def _fill(cell: Cell, recipe: Recipe, folder: Path, model: Any) -> None:
    """Run one cell, from its last checkpoint where it has one, and store its result."""
    (folder / ERROR).unlink(missing_ok=True)
    settings = resolve(recipe, cell.overrides, cell.quick, (cell.arm,))[cell.arm]
    log = Log(folder, cell.quick)
    stream = generator(cell.root_seed, cell.seed)
    before = (random.getstate(), _bits(np.random.get_state()))  # noqa: NPY002, only looked at
    with one_thread(), on(cell.device):
        if model is None:
            final = recipe.run(settings, stream, log)
        else:
            assert recipe.server is not None  # `run_study` saw to it
            final = recipe.server(settings, stream, log, model)
    if (random.getstate(), _bits(np.random.get_state())) != before:  # noqa: NPY002
        raise RuntimeError("run drew from a global generator; draw from its rng, and hand it to what draws for you")
    if not isinstance(final, Mapping) or not final:
        raise TypeError(f"run returns its final numbers by metric, got {final!r}")
    rows = log.close()
    store.finish_cell(folder, numbers(final), rows, log.seconds(), "torch" in sys.modules)


def _bits(state: Any) -> Any:
    return state[1].tobytes(), state[2:]


@lru_cache(maxsize=4)
def _load(path: str, code: str) -> Recipe:
    if code_hash(path) != code:  # a study that asks a server runs in its own process and never comes here
        raise RuntimeError(f"{path} was edited while it ran; run it again")
    return load(path)


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """One thread for BLAS and torch, and torch's deterministic kernels: sums are taken in one order everywhere."""
    torch: Any = sys.modules.get("torch")
    if torch is not None:
        threads, deterministic = torch.get_num_threads(), torch.get_deterministic_debug_mode()
        torch.set_num_threads(1)
        torch.set_deterministic_debug_mode("error")  # use_deterministic_algorithms would import the compiler, 1.4 s
    later = environment(dict.fromkeys(_ONE_THREAD, "1"))  # for libraries loaded from here on; others have read theirs
    try:
        with later, threadpool_limits(1, "blas"):
            yield
    finally:
        if torch is not None:
            torch.set_num_threads(threads)
            torch.set_deterministic_debug_mode(deterministic)


def _work(cell: Cell) -> tuple[Cell, tuple[str, str]]:
    """`run_cell` in a worker process, which ends when its study does."""
    _end_with(cell.parent)
    return cell, run_cell(cell)


@lru_cache(maxsize=1)
def _end_with(parent: int) -> None:
    """End this process soon after its parent has, however that ended; the next study must find the cell's lock free."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides; it ends its workers

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _run_cells(
    recipe: Recipe,
    run: Run,
    cells: list[Cell],
    jobs: int,
    progress: Callable[[Progress], None] | None,
    model: Any,
    ray: str,
) -> None:
    """Run all cells; raise for the first that failed, after the others have had their turn."""
    finished: list[tuple[Cell, tuple[str, str]]] = []
    show = _Reporter(recipe, run, len(run.cells) - len(cells), finished, progress)
    try:
        with show:
            if ray:
                for cell, outcome in run_on_ray(cells, ray, run_cell):
                    finished.append((cell, outcome))
            elif jobs == 1:
                for cell in cells:
                    finished.append((cell, run_cell(cell, recipe, model)))
            else:
                with joblib.parallel_config("loky", inner_max_num_threads=1):
                    work = joblib.Parallel(n_jobs=jobs, batch_size=1, return_as="generator_unordered")
                    for cell, outcome in work(joblib.delayed(_work)(cell) for cell in cells):
                        finished.append((cell, outcome))
    except KeyboardInterrupt:
        if jobs > 1 and not ray:
            get_reusable_executor().shutdown(wait=True, kill_workers=True)
        done = len(run.cells) - len(cells) + len(finished)
        message = f"stopped with {done} of {len(run.cells)} cells finished; the same command goes on from there"
        raise Interrupted(f"{message} ({run.folder})") from None
    except joblib.externals.loky.process_executor.TerminatedWorkerError as fault:
        message = "a worker process was ended from outside, perhaps for want of memory; try --jobs 1"
        raise CellFailed(f"{message}. What is finished is stored in {run.folder}") from fault
    for kind in ("store", "failed"):
        failures = [(cell, message) for cell, (outcome, message) in finished if outcome == kind]
        if failures:
            cell, message = min(failures, key=lambda failure: (failure[0].seed, failure[0].arm))
            if kind == "store":
                raise StoreError(message)
            others = f" ({len(failures)} cells failed in all)" if len(failures) > 1 else ""
            where = run.cell(cell.arm, cell.seed) / ERROR
            name = f"arm {cell.arm}, seed {cell.seed} of {recipe.slug}"
            raise CellFailed(f"{name} failed: {message}{others}. The traceback is in {where}")


def _results(recipe: Recipe, run: Run) -> dict[str, Any]:
    """What results.json holds: the final numbers, the result hash, the verdicts and how the claims fare elsewhere."""
    values, kinds = store.final_numbers(run)
    stored = [store.finished_cell(run.cell(*cell)) for cell in run.cells]
    endpoint = "agent" in run.asked
    verdicts, judged = [], []
    if not run.asked["quick"]:
        for claim in recipe.claims:
            control = control_of(recipe, claim)
            beside = judge(claim.at(control), values, kinds, endpoint)
            verdicts.append(as_json(beside_control(judge(claim, values, kinds, endpoint), beside, control)))
            judged.append(
                {
                    "reverse": as_json(judge(claim.reverse(), values, kinds, endpoint)),
                    "control": as_json(beside),
                    "control_arm": control,
                }
            )
    return {
        "hash": store.result_hash(run),
        "minutes": round(sum(cell["seconds"] for cell in stored if cell) / 60, 4),
        "torch": any(cell["torch"] for cell in stored if cell),
        "numbers": {
            arm: {
                metric: {"values": [number(x) for x in seen], "kind": kinds.get(arm, {}).get(metric)}
                for metric, seen in values[arm].items()
            }
            for arm in values
        },
        "verdicts": verdicts,
        "judged": judged,
    }


class _Reporter:
    """Calls `progress` about twice a second while cells run, reading the latest rows from the event files."""

    def __init__(self, recipe: Recipe, run: Run, already: int, finished: list[Any], progress: Any) -> None:
        self._recipe, self._run, self._already, self._finished = recipe, run, already, finished
        self._progress, self._start, self._stop = progress, time.monotonic(), threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> None:
        if self._progress is not None:
            self._thread.start()

    def __exit__(self, *_: object) -> None:
        if self._progress is not None:
            self._stop.set()
            self._thread.join()
            self._progress(self._now())

    def _watch(self) -> None:
        while not self._stop.wait(0.5):
            self._progress(self._now())

    def _now(self) -> Progress:
        new, total = len(self._finished), len(self._run.cells)
        rate = new / (time.monotonic() - self._start) if new else None
        left = (total - self._already - new) / rate if rate else None
        watch = self._recipe.watch
        return Progress(self._already + new, total, rate and 60 * rate, left, watch, _latest(self._run, watch))


def _latest(run: Run, metric: str) -> dict[str, float]:
    """arm -> mean over seeds of `metric` in the last row of each cell, read from the end of its event file."""
    seen: dict[str, list[float]] = {}
    for arm, seed in run.cells if metric else ():
        try:
            with (run.cell(arm, seed) / EVENTS).open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - 8192))
                lines = file.read().split(b"\n")
        except OSError:
            continue
        for line in reversed(lines[:-1]):
            with contextlib.suppress(ValueError):  # the first of them may be half a line
                metrics = body_of(line + b"\n")["metrics"]
                if metric in metrics:
                    seen.setdefault(arm, []).append(store.bare(metrics[metric]))
                    break
    return {arm: float(np.mean(values)) for arm, values in seen.items()}
