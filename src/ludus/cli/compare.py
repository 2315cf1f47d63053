"""`ludus compare`: recipes of self-improvement at the same task, base model and budget, in one picture."""

import dataclasses
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ludus.cli.console import Mistake, console, front_door, print_json, print_table
from ludus.cli.studies import CRASHED, STOPPED, find_recipe, read_setting, shown
from ludus.pages import charts
from ludus.pages.compare import SERIES, SETTINGS, Entry, Lacking, combined_hash, curve, entries, leader, notices
from ludus.pages.compare import write_page as write
from ludus.records import Value
from ludus.study import BadSetting, Recipe
from ludus.study.disk import Corrupt, StoreError, make_folder
from ludus.study.recipe import control_of, resolve
from ludus.study.run import CellFailed, Interrupted, run_study


def compare(
    studies: Sequence[str],
    *,
    settings: Sequence[str],
    seeds: int | None,
    root_seed: int,
    jobs: int | None,
    device: str,
    quick: bool,
    out: Path | None,
    runs: Path,
    json: bool,
) -> int:
    """Run each recipe's first arm and its control, and write the page; returns the exit code. Raises Mistake."""
    found = [find_recipe(study) for study in studies]
    slugs = [recipe.slug for _, recipe in found]
    if not 2 <= len(set(slugs)) == len(slugs) <= charts.COLOURS:
        raise Mistake(f"RECIPE: give 2 to {charts.COLOURS} different recipes; {', '.join(slugs)} seen")
    common = _common([recipe for _, recipe in found], dict(read_setting(text) for text in settings), quick)
    count = seeds if seeds is not None or quick else max(recipe.seeds for _, recipe in found)
    together: list[Entry] = []
    with front_door(StoreError):
        make_folder(runs if out is None else out.parent)
    try:
        for path, recipe in found:
            arm, control = _arms(recipe)
            with front_door(BadSetting, Corrupt, StoreError, Lacking), shown(recipe) as progress:
                finished = run_study(
                    recipe,
                    path,
                    runs=runs,
                    arms=[one for one in (arm, control) if one is not None],
                    seeds=count,
                    root_seed=root_seed,
                    overrides=common,
                    jobs=jobs,
                    device=device,
                    quick=quick,
                    progress=progress,
                )
                together += entries(finished, arm, control)
    except Interrupted as fault:
        print(f"{fault}\nGo on with: {shlex.join(['ludus', *sys.argv[1:]])}", file=sys.stderr)
        return STOPPED
    except CellFailed as fault:
        print("error:", " ".join(str(fault).split()), file=sys.stderr)
        return CRASHED
    told = _settings_of(found[0][1], common, quick)
    common = {name: told[name] for name in common}
    command = _command(studies, common, together[0].run.asked, runs)
    page = out or runs / f"compare-{combined_hash(together)}.html"
    with front_door(StoreError):
        write(together, common, command, page)
    if json:
        print_json(_answer(together, common, command, page))
    else:
        _tell(together, common, page)
    return 0


def _common(recipes: Sequence[Recipe], given: Mapping[str, str], quick: bool) -> dict[str, Any]:
    """What is made the same: SETTINGS, as --set says or else as the first recipe has them, and others given.

    Raises Mistake for a recipe that lacks one, before anything is run.
    """
    for recipe in recipes:
        own = [field.name for field in dataclasses.fields(next(iter(recipe.arms.values())))]
        missing = [name for name in SETTINGS if name not in own]
        if missing:
            raise Mistake(
                f"{recipe.slug} cannot be compared: it has no setting {', no setting '.join(missing)}; "
                f"a recipe that can has {', '.join(SETTINGS)}"
            )
    with front_door(BadSetting):
        first = _settings_of(recipes[0], given, quick)
        common = {name: given.get(name, first[name]) for name in dict.fromkeys([*SETTINGS, *given])}
        for recipe in recipes:
            resolve(recipe, common, quick, [arm for arm in _arms(recipe) if arm])
    return common


def _settings_of(recipe: Recipe, changed: Mapping[str, Any], quick: bool) -> dict[str, Any]:
    arm = _arms(recipe)[0]
    return dataclasses.asdict(resolve(recipe, changed, quick, [arm])[arm])


def _arms(recipe: Recipe) -> tuple[str, str | None]:
    """The first arm, and its control: the recipe's, or that of the first claim on this arm; None where it is itself."""
    arm = next(iter(recipe.arms))
    control = recipe.control
    if control is None:
        control = next((control_of(recipe, claim) for claim in recipe.claims if arm in claim.arms()), None)
    return arm, None if control == arm else control


def _command(studies: Sequence[str], common: Mapping[str, Any], asked: Mapping[str, Any], runs: Path) -> str:
    """The line that asks for this comparison again, whatever the first recipe's settings become."""
    words = ["ludus", "compare", *studies]
    for name, value in common.items():
        text = ",".join(map(str, value)) if isinstance(value, tuple) else "none" if value is None else str(value)
        words += ["--set", f"{name}={text.lower() if isinstance(value, bool) else text}"]
    words += ["--seeds", str(asked["seeds"])]
    words += ["--root-seed", str(asked["root_seed"])] if asked["root_seed"] else []
    words += ["--device", asked["device"]] if "device" in asked else []
    words += ["--quick"] if asked["quick"] else []
    words += ["--runs", str(runs)] if runs != Path("runs") else []
    return shlex.join(words)


def _answer(together: Sequence[Entry], common: Mapping[str, Any], command: str, page: Path) -> dict[str, Any]:
    asked = together[0].run.asked
    return {
        "settings": common,
        "seeds": asked["seeds"],
        "root_seed": asked["root_seed"],
        "quick": asked["quick"],
        "notices": notices(together, common),
        "entries": [
            {
                "slug": entry.slug,
                "arm": entry.arm,
                "control": entry.aside,
                "run": str(entry.run.folder),
                "tokens": entry.tokens,
                **entry.final,
                "lead": entry.lead,
                "curves": {name: _points(entry, name) for name in SERIES},
            }
            for entry in together
        ],
        "hash": combined_hash(together),
        "command": command,
        "report": str(page),
    }


def _points(entry: Entry, name: str) -> dict[str, list[float]]:
    drawn = curve(entry, name, "")
    return {"tokens": drawn.step.tolist(), **{f: getattr(drawn, f).tolist() for f in ("mean", "low", "high")}}


def _tell(together: Sequence[Entry], common: Mapping[str, Any], page: Path) -> None:
    columns = ["recipe", "arm", "tokens", *(SERIES[name][0] for name in SERIES), "ahead of control"]
    rows = [
        (
            entry.slug,
            entry.arm,
            f"{entry.tokens.number:,.0f}",
            *(_short(entry.final[name]) for name in SERIES),
            "" if entry.lead is None else _short(entry.lead),
        )
        for entry in together
    ]
    print_table(columns, rows)
    print(f"\n{leader([entry for entry in together if not entry.aside])}")
    for notice in notices(together, common):
        console().print(notice)
    print(f"page  {page}")


def _short(value: Value) -> str:
    if value.interval is None:
        return f"{value.number:.3g}"
    return f"{value.number:.3g} ({value.interval[0]:.3g} to {value.interval[1]:.3g})"
