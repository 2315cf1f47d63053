"""One offline page that compares recipes of self-improvement: true score against training tokens, at equal terms.

A recipe joins in by having the settings of SETTINGS, which are made the same for all, and by writing the series of
SERIES with the `tokens` trained on so far. Its first arm is drawn, and dotted beside it its control, which spends the
same tokens with the mechanism off. The page looks like the report of a study: the same style, no script, no request,
everything escaped.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ludus.pages import charts
from ludus.pages.charts import Series, decimals_for, number_text
from ludus.pages.report import render, student
from ludus.records import Value
from ludus.study import store
from ludus.study.disk import write_whole
from ludus.study.store import Run

SETTINGS = ("task", "level", "layers", "width", "warm", "longest", "budget")
"""What is the same for all recipes: the problems, how hard they are, the base model's size and its warm start, the
tokens of a reply, the training tokens."""

SERIES = {
    "score": ("true score", "what the exact verifier gives one reply to a problem not trained on"),
    "pass_1": ("pass@1", "how often one sampled reply is right"),
    "pass_32": ("pass@32", "how often one of 32 sampled replies is right"),
    "distinct": ("distinct correct", "right answers to a problem that differ"),
    "entropy": ("entropy", "nats per token: how undecided the policy is"),
}
MOST = {"score": 1.0, "pass_1": 1.0, "pass_32": 1.0}
"""What cannot be more than this; no series can be less than 0. Intervals end there: no mean of shares lies beyond."""

OFF_BUDGET = 0.1  # a recipe that spends more or less than its budget by this part is pointed out


class Lacking(ValueError):
    """A recipe does not write what a comparison needs; the message names it."""


class Entry(NamedTuple):
    """One curve of the comparison.

    slug    the recipe
    arm     its first arm, or its control
    aside   whether it is the control
    run     where its cells are
    seen    series -> per seed (tokens float64[T], value float64[T]), tokens increasing
    tokens  trained on at the end, mean over seeds
    final   series -> its last value, mean over seeds
    lead    how much higher the final score is than the control's, paired by seed; None of the control itself
    """

    slug: str
    arm: str
    aside: bool
    run: Run
    seen: dict[str, list[tuple[np.ndarray, np.ndarray]]]
    tokens: Value
    final: dict[str, Value]
    lead: Value | None


def entries(run: Run, arm: str, control: str | None) -> list[Entry]:
    """The recipe's arm and, where it has one, its control, read from a finished run. Raises Lacking."""
    found = []
    for one in (arm, control):
        if one is not None:
            seen, stored = _read(run, one)
            final = {name: _within(name, _mean([value[name] for value in stored], "last row")) for name in SERIES}
            tokens = _mean([value["tokens"] for value in stored], "training tokens at the last row")
            found.append(Entry(run.asked["slug"], one, one != arm, run, seen, tokens, final, None))
    if len(found) > 1:
        found[0] = found[0]._replace(lead=lead(*found))
    return found


def lead(one: Entry, other: Entry) -> Value:
    """How much higher one final score is than the other, paired by seed."""
    ends = [[float(value[-1]) for _, value in entry.seen["score"]] for entry in (one, other)]
    return _mean([a - b for a, b in zip(*ends, strict=True)], "difference of final scores, paired by seed")


def curve(entry: Entry, series: str, colour: str) -> Series:
    """A series against tokens, every seed read off at the same numbers of them, on straight lines between its rows.

    These numbers are the mean tokens of the seeds' rows, as far as all seeds have come.
    """
    by_seed = entry.seen[series]
    rows = min(len(tokens) for tokens, _ in by_seed)
    grid = np.mean([tokens[np.linspace(0, len(tokens) - 1, rows).round().astype(int)] for tokens, _ in by_seed], axis=0)
    grid = np.unique(grid.clip(max(tokens[0] for tokens, _ in by_seed), min(tokens[-1] for tokens, _ in by_seed)))
    values = np.array([np.interp(grid, tokens, value) for tokens, value in by_seed])
    mean, low, high, n = student(values)
    most = MOST.get(series)
    return Series(_name(entry), colour, grid, mean, low.clip(0, most), high.clip(0, most), n)


def _read(run: Run, arm: str) -> tuple[dict[str, list[tuple[np.ndarray, np.ndarray]]], list[dict[str, Any]]]:
    """(series -> per seed its tokens and values, per seed the last of each as stored)."""
    points: dict[tuple[str, int], dict[float, float]] = {}
    last: list[dict[str, Any]] = [{} for _ in range(run.asked["seeds"])]
    counted = [row for row in store.rows(run) if row.arm == arm and "tokens" in row.metrics]
    for row in sorted(counted, key=lambda row: store.bare(row.metrics["tokens"])):
        tokens = store.bare(row.metrics["tokens"])
        if not math.isfinite(tokens):
            continue
        last[row.seed]["tokens"] = tokens
        for name in SERIES:
            if name in row.metrics and math.isfinite(store.bare(row.metrics[name])):
                points.setdefault((name, row.seed), {})[tokens] = store.bare(row.metrics[name])
                last[row.seed][name] = row.metrics[name]
    missing = [name for name in ("tokens", *SERIES) if any(name not in one for one in last)]
    if missing:
        raise Lacking(
            f"{run.asked['slug']} cannot be compared: its arm {arm} writes no {', no '.join(missing)}; write "
            f"log.row(step, tokens=..., {', '.join(f'{name}=...' for name in SERIES)}), finite numbers, at least once"
        )
    seen = {}
    for name in SERIES:
        by_seed = [sorted(points[name, seed].items()) for seed in range(len(last))]
        seen[name] = [(np.array([t for t, _ in one]), np.array([v for _, v in one])) for one in by_seed]
    return seen, last


def _mean(values: Sequence[Any], what: str) -> Value:
    """The mean over seeds of floats or stored Values, with Student's interval; one seed keeps its own, if any."""
    numbers = np.array([store.bare(value) for value in values])
    mean, low, high, _ = (float(part[0]) for part in student(numbers[:, None]))
    if len(values) == 1:
        own = values[0]["interval"] if isinstance(values[0], Mapping) else None
        return Value(mean, "sampled", (float(own[0]), float(own[1])) if own else None, f"{what}, one seed")
    return Value(mean, "sampled", (low, high), f"{what}, {len(values)} seeds; Student")


def _within(series: str, value: Value) -> Value:
    """With an interval that ends where the series must."""
    if value.interval is None:
        return value
    low, high = np.clip(value.interval, 0, MOST.get(series)).tolist()
    return value._replace(interval=(low, high))


def _name(entry: Entry) -> str:
    return f"{entry.slug} control" if entry.aside else entry.slug


# --- the page ---------------------------------------------------------------------------------------------------------


def write_page(shown: Sequence[Entry], common: Mapping[str, Any], command: str, path: Path) -> Path:
    """Write the page; returns its path.

    shown    what `entries` read of each recipe, in the order in which colours are given
    common   the settings that are the same for all
    command  what was asked

    Raises study's StoreError where the disk does not take it.
    """
    write_whole(path, page(shown, common, command).encode())
    return path


def page(shown: Sequence[Entry], common: Mapping[str, Any], command: str) -> str:
    """The page: the report's style, and a few rules more."""
    return render(contents(shown, common, command), "compare.html.jinja", _RULES)


def contents(shown: Sequence[Entry], common: Mapping[str, Any], command: str) -> dict[str, Any]:
    """Everything the template shows, by name."""
    first = [entry for entry in shown if not entry.aside]
    place = {entry.slug: i for i, entry in enumerate(first)}
    colours = [f"colour-{place[entry.slug]}{' aside' if entry.aside else ''}" for entry in shown]
    asked = shown[0].run.asked
    drawn = {name: [curve(*pair) for pair in zip(shown, [name] * len(shown), colours, strict=True)] for name in SERIES}
    return {
        "task": str(common["task"]),
        "subtitle": f"{len(first)} recipes, {'one base model, ' if _begin_alike(shown) else ''}"
        f"{_amount(common['budget'])} training tokens each",
        "facts": [
            *((name, _amount(value)) for name, value in common.items() if name not in ("task", "budget")),
            ("seeds", str(asked["seeds"])),
            ("result", combined_hash(shown)),
        ],
        "notices": notices(shown, common),
        "leader": leader(first),
        "picture": charts.curves(
            drawn["score"],
            "True score against training tokens, one curve per recipe",
            340,
            "after {} tokens",
            log=False,  # shares, counts and nats are read against zero
        ),
        "small": [
            {
                "title": SERIES[name][0],
                "about": SERIES[name][1],
                "picture": charts.curves(
                    [_bare(one) if " aside" in one.colour else one for one in drawn[name]],
                    f"{SERIES[name][0]} against training tokens",
                    170,
                    "after {} tokens",
                    log=False,
                ),
            }
            for name in SERIES
            if name != "score"
        ],
        "legend": [(_name(entry), colour) for entry, colour in zip(shown, colours, strict=True)],
        "controls": any(entry.aside for entry in shown),
        "seeds": asked["seeds"],
        "rows": _rows(shown, colours),
        "series": [SERIES[name] for name in SERIES if name != "score"],
        "differing": _differing(first, common),
        "recipes": [entry.slug for entry in first],
        "runs": [(entry.slug, entry.run.folder.name, str((entry.run.results or {})["hash"])) for entry in first],
        "common": [(name, _amount(value)) for name, value in common.items()],
        "command": command,
    }


def combined_hash(shown: Sequence[Entry]) -> str:
    """Equal for equal results of all recipes."""
    hashes = [str((entry.run.results or {})["hash"]) for entry in shown if not entry.aside]
    return hashlib.sha256(" ".join(hashes).encode()).hexdigest()[:16]


def leader(first: Sequence[Entry]) -> str:
    """Which recipe ends highest, and whether that is decided."""
    best, second = sorted(first, key=lambda entry: -entry.final["score"].number)[:2]
    ahead = lead(best, second)
    if ahead.number == 0:
        return f"{best.slug} and {second.slug} end alike."
    if ahead.interval is None:
        return f"{best.slug} ends highest, on one seed, which decides nothing."
    decided = "" if ahead.interval[0] > 0 else ": not decided by these seeds"
    number, between = _told(ahead)
    return (
        f"{best.slug} ends highest. Paired by seed it is ahead of {second.slug} by {number} "
        f"(95% interval {between}){decided}."
    )


def notices(shown: Sequence[Entry], common: Mapping[str, Any]) -> list[str]:
    """What makes the comparison less equal than it should be."""
    told = []
    if shown[0].run.asked["quick"]:
        told.append("Quick runs: the smallest ones that exercise every part. They show the way and compare nothing.")
    if not _begin_alike(shown):
        starts = {_name(entry): _starts(entry) for entry in shown}
        least, most = (end(starts, key=lambda name: starts[name].mean()) for end in (min, max))
        told.append(
            f"The first rows differ: score {number_text(float(starts[least].mean()))} for {least} and "
            f"{number_text(float(starts[most].mean()))} for {most}. They are not of one base model on one set of "
            "problems, or were written after training had begun."
        )
    budget = common["budget"]
    if isinstance(budget, int | float) and budget > 0:
        told += [
            f"{_name(entry)} trained on {_amount(round(entry.tokens.number))} tokens of {_amount(budget)}."
            for entry in shown
            if abs(entry.tokens.number - budget) > OFF_BUDGET * budget
        ]
    return told


def _starts(entry: Entry) -> np.ndarray:
    """float64[seeds], the scores of the first rows."""
    return np.array([value[0] for _, value in entry.seen["score"]])


def _begin_alike(shown: Sequence[Entry]) -> bool:
    """One base model, measured on one set of problems, has one first score to a seed."""
    starts = np.array([_starts(entry) for entry in shown])
    return bool(np.ptp(starts, axis=0).max() <= 1e-9)


def _rows(shown: Sequence[Entry], colours: Sequence[str]) -> list[dict[str, Any]]:
    """The table: recipes by their final score, each followed by its control."""
    by_slug = {entry.slug: entry.final["score"].number for entry in shown if not entry.aside}
    order = sorted(range(len(shown)), key=lambda i: (-by_slug[shown[i].slug], shown[i].slug, shown[i].aside))
    rows = []
    for i in order:
        entry = shown[i]
        number, between = _told(entry.final["score"])
        rows.append(
            {
                "name": entry.slug,
                "arm": entry.arm,
                "aside": entry.aside,
                "colour": colours[i],
                "number": number,
                "between": between,
                "lead": _signed(entry.lead) if entry.lead else ("", ""),
                "tokens": _amount(round(entry.tokens.number)),
                "others": [_told(entry.final[name]) for name in SERIES if name != "score"],
            }
        )
    return rows


def _told(value: Value) -> tuple[str, str]:
    """(number, interval) in as many decimals as the interval is worth."""
    if value.interval is None:
        return number_text(value.number), "one seed"
    width = value.interval[1] - value.interval[0]
    if width <= 1e-12 * max(1.0, abs(value.number)):
        return number_text(value.number), "the same on every seed"
    decimals = decimals_for(width)
    low, high = (number_text(end, decimals) for end in value.interval)
    return number_text(value.number, decimals), f"{low} to {high}"


def _signed(value: Value) -> tuple[str, str]:
    number, between = _told(value)
    return (f"+{number}" if value.number > 0 and number.strip("0.") else number), between


def _bare(one: Series) -> Series:
    """Without its band: in a small picture the bands of controls hide what they are beside."""
    nothing = np.full(len(one.step), math.nan)
    return one._replace(low=nothing, high=nothing)


def _differing(first: Sequence[Entry], common: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """Settings that two recipes or more have by the same name, with other values."""
    settings = [entry.run.asked["settings"][entry.arm] for entry in first]
    names = dict.fromkeys(name for own in settings for name in own if name not in common)
    told = []
    for name in names:
        values = [_amount(own[name]) if name in own else "" for own in settings]
        if len({value for value in values if value}) > 1:
            told.append((name, values))
    return told


def _amount(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "none"}[value]
    if isinstance(value, list | tuple):
        return ", ".join(map(_amount, value))
    return number_text(value) if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


_RULES = """
.line.aside { stroke-dasharray: 1 7; stroke-width: 2.5; }
.band.aside { fill-opacity: .05; }
.name.aside { font-weight: 400; }
.legend li.aside::before { border-top-style: dotted; }
.legend.always { display: flex; }
.four { display: grid; grid-template-columns: 1fr 1fr; gap: 8px 40px; margin-top: 10px; }
.four figure { margin-top: 22px; min-width: 0; }
.four .curve { padding: 16px 8px 36px 44px; }
.four .names { display: none; }
tr.aside td { color: var(--soft); font-weight: 400; }
.ends tbody th { min-width: 11.5em; max-width: 16em; position: sticky; left: 0; background: var(--paper); }
dl.facts + .small { margin-top: 18px; }
.interval { display: block; color: var(--soft); font-weight: 400; font-size: 12.5px; }
.key { display: inline-block; width: 18px; margin-right: 8px; border-top: 2.5px solid; vertical-align: 4px; }
.aside .key { border-top-style: dotted; }
.key + bdi { color: var(--ink); }
.aside .key + bdi { color: var(--soft); }
@media (max-width: 800px) { .four { grid-template-columns: 1fr; } }
"""
