"""The record of a recipe: a small JSON file with its verdicts, how they were obtained, and its quick mode's numbers.

The README, the site and the catalogue are made from these files. A failure is recorded like a success. What may not be
is a claim that holds in its control, whatever its own verdict, or a reverse that holds beside a claim that does not
fail: then the claim shows nothing of the mechanism. Such faults are stored with the rest, where a test finds them.
"""

import datetime
import json
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ludus.study import store
from ludus.study.disk import Corrupt, make_folder, write_whole
from ludus.study.recipe import Recipe, code_hash, resolve
from ludus.study.run import run_study
from ludus.study.store import Run
from ludus.study.verdict import FAILS, HOLDS

TABULAR, TORCH = 1e-6, 1e-2  # how far quick numbers may move between machines


class NotRecordable(ValueError):
    """A run that is not the recipe's full study; the message says what is missing."""


def record(run: Run, recipe: Recipe, path: Path | str, folder: Path | str = "results") -> Path:
    """Write FOLDER/SLUG.json from a finished full run of the recipe at `path`, running its quick mode for the numbers.

    Raises NotRecordable unless every arm was run with its own settings, this code and at least the recipe's seeds. Look
    at `faults` of what was written.
    """
    asked = run.asked
    own = store.plain({arm: asdict(settings) for arm, settings in resolve(recipe).items()})
    rules = (
        (run.results is not None and not asked["quick"], "it is a finished full run, not a quick one"),
        (asked["settings"] == own, "every arm has run with its own settings; leave out --arm and --set"),
        (asked["seeds"] >= recipe.seeds, f"it has at least {recipe.seeds} seeds; this one has {asked['seeds']}"),
        (asked["code"] == code_hash(path), "the file is as it was when it ran; run it again"),
    )
    for true, rule in rules:
        if not true:
            raise NotRecordable(f"{run.folder} cannot be recorded: a run is recorded where {rule}")
    assert run.results is not None
    claims = [
        {**verdict, "reverse": judged["reverse"], "control": judged["control"], "control_arm": judged["control_arm"]}
        for verdict, judged in zip(run.results["verdicts"], run.results["judged"], strict=True)
    ]
    stored = {
        "slug": recipe.slug,
        "code": asked["code"],
        "when": datetime.date.today().isoformat(),
        "seeds": asked["seeds"],
        "root_seed": asked["root_seed"],
        "minutes": run.results["minutes"],
        "versions": run.versions,
        "hash": run.results["hash"],
        "claims": claims,
        "numbers": {
            arm: {metric: {"mean": _mean(seen["values"]), "kind": seen["kind"]} for metric, seen in metrics.items()}
            for arm, metrics in run.results["numbers"].items()
        },
        "quick": {"tolerance": TORCH if run.results["torch"] else TABULAR, "numbers": quick_numbers(recipe, path)},
    }
    make_folder(Path(folder))
    target = Path(folder) / f"{recipe.slug}.json"
    write_whole(target, (json.dumps(stored, indent=1) + "\n").encode())
    return target


def quick_numbers(recipe: Recipe, path: Path | str) -> dict[str, dict[str, float | str]]:
    """arm -> metric -> number of the first seed in quick mode, run afresh."""
    with tempfile.TemporaryDirectory() as runs:
        run = run_study(recipe, path, runs=runs, quick=True)
    assert run.results is not None
    return {
        arm: {metric: seen["values"][0] for metric, seen in metrics.items()}
        for arm, metrics in run.results["numbers"].items()
    }


def moved(stored: Mapping[str, Any], now: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What differs between the quick numbers of a record and those of today, in words; empty where nothing does."""
    tolerance, then = stored["quick"]["tolerance"], stored["quick"]["numbers"]
    differences = []
    for arm in sorted({*then, *now}):
        for metric in sorted({*then.get(arm, {}), *now.get(arm, {})}):
            was, is_ = then.get(arm, {}).get(metric), now.get(arm, {}).get(metric)
            if (
                was is None
                or is_ is None
                or not np.isclose(float(is_), float(was), rtol=tolerance, atol=tolerance, equal_nan=True)
            ):
                differences.append(f"{metric} of arm {arm} was {was}, is {is_}")
    return differences


def faults(stored: Mapping[str, Any]) -> list[str]:
    """Why the verdicts of a record mean nothing, in words; empty where they stand.

    A claim that fails may have a reverse that holds: that is what failing in earnest looks like.
    """
    found = []
    for claim in stored["claims"]:
        if claim["control"]["verdict"] == HOLDS:
            found.append(f"'{claim['claim']}' holds with the control {claim['control_arm']} in its place")
        if claim["reverse"]["verdict"] == HOLDS and claim["verdict"] != FAILS:
            found.append(f"'{claim['claim']}' {claim['verdict']}, and so does its reverse")
    return found


def read(folder: Path | str = "results") -> dict[str, dict[str, Any]]:
    """slug -> record, of every file in a folder. Raises Corrupt where one is damaged."""
    found = {}
    for file in sorted(Path(folder).glob("*.json")):
        try:
            stored = json.loads(file.read_bytes())
            found[stored["slug"]] = stored
        except (ValueError, KeyError, TypeError) as fault:
            raise Corrupt(
                f"{file} is damaged: {fault}. Bring it back from the repository, or record it anew."
            ) from fault
    return found


def status(path: Path | str, stored: Mapping[str, Any] | None) -> str:
    """`recorded`, `stale` where the code has changed since, or `built` where there is no record."""
    if stored is None:
        return "built"
    return "recorded" if stored["code"] == code_hash(path) else "stale"


def _mean(values: list[Any]) -> float | None:
    """Over the seeds that have the number; None where that is not finite."""
    seen = np.array([float(value) for value in values])
    mean = seen[~np.isnan(seen)].mean() if not np.isnan(seen).all() else np.nan
    return float(mean) if np.isfinite(mean) else None
