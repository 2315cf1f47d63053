"""One offline page for one run: verdicts first, then what they stand on.

The page asks nothing of the network and runs no script; a content security policy in its head forbids both. Whatever
comes from a recipe, a model or a setting is escaped by jinja2, and characters that could turn the text around them
(bidirectional controls) or that a page may not hold (NUL, lone surrogates) are spelled out, as in [U+202E].
"""

import base64
import hashlib
import inspect
import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup
from scipy.special import stdtrit

from ludus.pages import charts
from ludus.pages.charts import Series, number_text
from ludus.study import store
from ludus.study.claims import Claim, Equivalent, Near, NotWorse
from ludus.study.disk import write_whole
from ludus.study.recipe import Recipe, asked_of_servers, code_hash, resolve, sections
from ludus.study.store import Run
from ludus.study.verdict import FAILS, HOLDS, INCONCLUSIVE, NOT_RUN, Verdict, from_json

NAME = "report.html"
PROMINENT = 4  # metrics shown unfolded at most, the watched one first
PANELLED = 2  # the same, where every arm has a panel of its own
NOT_RUN_SHOWN = 2  # claims that were not run are folded where there are more
EXAMPLE_LENGTH = 20_000  # characters of an example that are shown

_MARKS = {
    HOLDS: ("holds", "✓", "hold"),
    FAILS: ("fails", "✕", "fail"),
    INCONCLUSIVE: ("open", "~", "inconclusive"),
    NOT_RUN: ("idle", "–", "not run"),
}
_LINKS = re.compile(
    r"arXiv:\s?(?P<arxiv>\d{4}\.\d{4,5})(?:v\d+)?|(?:doi:\s?)?(?P<doi>10\.\d{4,9}/[A-Za-z0-9./()_-]*\w)"
)
_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)


def write_report(run_directory: Path | str, recipe: Recipe, path: Path | str) -> Path:
    """Write report.html into the run's directory; returns its path.

    recipe, path   the recipe of the run and its file, whose docstring is shown

    An unfinished run is shown as far as it is. Raises study's Corrupt where the directory is not a whole run,
    NotARecipe where the file has no proper docstring, StoreError where the disk does not take the page, and ValueError
    where the run is another recipe's.
    """
    run = store.open_run(run_directory)
    if run.asked["slug"] != recipe.slug:
        raise ValueError(
            f"recipe must be the one that was run: {run_directory} holds {run.asked['slug']}, the recipe given is "
            f"{recipe.slug}; load the file of {run.asked['slug']}"
        )
    page = render(contents(run, recipe, Path(path)))
    target = Path(run_directory) / NAME
    write_whole(target, page.encode())
    return target


def render(values: Mapping[str, Any], template: str = "report.html.jinja", rules: str = "") -> str:
    """A page: a template of this folder filled with the values of `contents`, in the report's style.

    rules  CSS of the page's own, after the report's; its template then shows `style`
    """
    here = Path(__file__).parent
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(here),
        autoescape=True,
        finalize=visible,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    shared = _STYLE.search((here / "report.html.jinja").read_text(encoding="utf-8"))
    assert shared is not None
    style = shared[1] + rules
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    filled = environment.get_template(template)
    return filled.render(**values, style=Markup(style), style_hash=f"sha256-{digest}")


def visible(value: Any) -> Any:
    """Text with every character spelled out that hides, turns text around, or may not stand in a page.

    Line ends and tabs stay. Markup made here was built from text that went through this function.
    """
    if not isinstance(value, str):
        return value
    kept = "".join(c if c in "\n\t" or not _hides(c) else f"[U+{ord(c):04X}]" for c in value)
    return type(value)(kept) if isinstance(value, Markup) else kept


def _hides(character: str) -> bool:
    """Control, format (bidirectional marks, zero width), surrogate and noncharacters; joiners within words are fine."""
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") and character not in "\u00ad\u200c\u200d"


# --- what the page says -----------------------------------------------------------------------------------------------


def contents(run: Run, recipe: Recipe, path: Path) -> dict[str, Any]:
    """Everything the template shows, by name."""
    words = sections(path)
    title, _, subtitle = words[""].rstrip(".").partition(": ")
    arms = list(run.asked["settings"])
    tags = _tags(recipe, arms)
    colours = _colours(recipe, arms)
    drawn = _curves(run, recipe, arms, colours)
    tables = _tables(run, recipe, arms, colours)
    claim_list = _numbered(words["Claims"])
    verdicts = [_verdict(run, recipe, i, claim_list) for i in range(len(run.verdicts))]
    fold = sum(not one["judged"] for one in verdicts) > NOT_RUN_SHOWN
    differing, rows, common = _settings(run, arms)
    shown, folded = _prominent(recipe, [table["metric"] for table in tables], PROMINENT)
    most = PANELLED if _many(recipe, arms) else PROMINENT
    curves_shown, curves_folded = _prominent(recipe, [one["metric"] for one in drawn], most)
    by_metric = {table["metric"]: table for table in tables}
    curve_by_metric = {one["metric"]: one for one in drawn}
    return {
        "title": title,
        "subtitle": subtitle[:1].upper() + subtitle[1:],
        "paper": linked(_flow(words["Paper"])),
        "there": linked(_flow(words["There"])),
        "here": linked(_flow(words["Here"])),
        "leaves": linked(_flow(words["Leaves"])),
        "claim_text": words["Claims"],
        "claim_list": claim_list,
        "told": bool(verdicts) and all(one["tested"] for one in verdicts),
        "facts": _facts(run, arms),
        "notices": _notices(run, path),
        "tags": tags,
        "verdicts": [one for one in verdicts if one["judged"] or not fold],
        "not_run": [one for one in verdicts if not one["judged"] and fold],
        "tally": _tally(run.verdicts),
        "no_verdicts": _no_verdicts(run),
        "curves": [curve_by_metric[metric] for metric in curves_shown],
        "more_curves": [curve_by_metric[metric] for metric in curves_folded],
        "numbers_shown": [by_metric[metric] for metric in shown],
        "numbers_folded": [by_metric[metric] for metric in folded],
        "examples": _examples(run, arms),
        "differing": differing,
        "setting_rows": rows,
        "common": common,
        "meaning": inspect.cleandoc(type(next(iter(recipe.arms.values()))).__doc__ or ""),
        "commands": _commands(run, recipe, path),
        "provenance": _provenance(run),
        "fixed": ("result hash", "code hash", "run", "versions"),
    }


def linked(text: str) -> list[tuple[str, str]]:
    """(text, address) parts: arXiv and DOI identifiers get the address that this module writes, all else gets ""."""
    parts: list[tuple[str, str]] = []
    end = 0
    for found in _LINKS.finditer(text):
        parts.append((text[end : found.start()], ""))
        address = f"https://arxiv.org/abs/{found['arxiv']}" if found["arxiv"] else f"https://doi.org/{found['doi']}"
        parts.append((found[0], address))
        end = found.end()
    return [*parts, (text[end:], "")]


def _flow(text: str) -> str:
    """Lines joined, since the page breaks them anew; a word broken at its hyphen stays one word."""
    return re.sub(r"(?<=[a-z]-)\n(?=[a-z])", "", text).replace("\n", " ")


def _numbered(text: str) -> list[str]:
    """The claims of a docstring that numbers them 1, 2, 3 ... at line starts, else nothing."""
    items: list[str] = []
    for line in text.split("\n"):
        start = re.match(r"(\d+)[.):]?\s+(.*)", line)
        if start and int(start[1]) == len(items) + 1:
            items.append(start[2].strip())
        elif items:
            items[-1] = f"{items[-1]} {line.strip()}".strip()
        else:
            return []
    return items


def _tags(recipe: Recipe, arms: Sequence[str]) -> dict[str, str]:
    """arm -> what it is a control of."""
    tags: dict[str, str] = {}
    for arm in arms:
        own = [str(i) for i, claim in enumerate(recipe.claims, 1) if claim.control == arm]
        if arm == recipe.control:
            tags[arm] = "control"
        elif own:
            tags[arm] = f"control of claim{'s' if len(own) > 1 else ''} {', '.join(own)}"
    return tags


def _colours(recipe: Recipe, arms: Sequence[str]) -> dict[str, str]:
    """arm -> CSS class; the recipe's control is grey. With many arms each has its own panel, so one colour serves."""
    others = [arm for arm in arms if arm != recipe.control]
    colours = {arm: f"colour-{0 if _many(recipe, arms) else i}" for i, arm in enumerate(others)}
    return {arm: colours.get(arm, "control") for arm in arms}


def _many(recipe: Recipe, arms: Sequence[str]) -> bool:
    """Whether there are more arms than colours, so that each arm gets a panel."""
    return len([arm for arm in arms if arm != recipe.control]) > charts.COLOURS


def _prominent(recipe: Recipe, metrics: Sequence[str], most: int) -> tuple[list[str], list[str]]:
    """(shown, folded): first the watched metric and those of the claims, in their order; without any of them, all."""
    order = dict.fromkeys([recipe.watch, *(claim.metric for claim in recipe.claims)])
    first = [metric for metric in order if metric in metrics] or list(metrics)
    rest = [metric for metric in dict.fromkeys([*recipe.metrics, *metrics]) if metric in metrics]
    return first[:most], [*first[most:], *(metric for metric in rest if metric not in first)]


def _told(recipe: Recipe, metric: str) -> tuple[str, str]:
    """(unit, what it is); a metric named NAME/GAME is what the recipe says of NAME."""
    return recipe.metrics.get(metric) or recipe.metrics.get(metric.split("/")[0], ("", ""))


def _facts(run: Run, arms: Sequence[str]) -> list[tuple[str, str]]:
    seeds = run.asked["seeds"]
    facts = [("arms", str(len(arms))), ("seeds", str(seeds)), ("run on", run.started[:10])]
    if run.results is not None:
        facts.insert(2, ("computed for", _time(run)))
        facts.append(("result", run.results["hash"]))
    return facts


def _time(run: Run) -> str:
    """Time of all cells together."""
    assert run.results is not None
    minutes = float(run.results["minutes"])
    return f"{number_text(minutes, 1)} minutes" if minutes >= 1 else f"{number_text(60 * minutes, 1)} seconds"


def _notices(run: Run, path: Path) -> list[str]:
    notices = []
    if run.asked["quick"]:
        notices.append("A quick run: the smallest one that exercises every part. It is too small for a verdict.")
    done = sum(store.finished_cell(run.cell(*cell)) is not None for cell in run.cells)
    if done < len(run.cells):
        notices.append(f"Unfinished: {done} of {len(run.cells)} cells are done; this page shows those.")
    if code_hash(path, server="agent" in run.asked) != run.asked["code"]:
        notices.append(
            "The recipe’s code was changed after this run. The numbers are the run’s; claims and headings are those of "
            "the file as it is now."
        )
    return notices


# --- verdicts ---------------------------------------------------------------------------------------------------------


def _no_verdicts(run: Run) -> str:
    if run.asked["quick"]:
        return "None: a quick run is never judged. The claims below are judged by a full run."
    return "None yet: claims are judged when every cell is finished."


def _tally(verdicts: Sequence[Verdict]) -> list[tuple[str, str]]:
    """(CSS class, words) for each verdict there is: "5 claims hold", "1 fails"."""
    tally: list[tuple[str, str]] = []
    for word, (mark, _, plural) in _MARKS.items():
        count = sum(verdict.verdict == word for verdict in verdicts)
        if count:
            says = word if count == 1 else plural
            claims = "" if tally else f" claim{'s' if count > 1 else ''}"
            verb = {INCONCLUSIVE: "is " if count == 1 else "are ", NOT_RUN: "was " if count == 1 else "were "}
            tally.append((mark, f"{count}{claims} {verb.get(word, '')}{says}"))
    return tally


def _verdict(run: Run, recipe: Recipe, index: int, claim_list: Sequence[str]) -> dict[str, Any]:
    """One verdict as the template shows it."""
    verdict = run.verdicts[index]
    # A file edited after the run may have other claims: only one that reads as the verdict does lends it its margin.
    same = len(recipe.claims) == len(run.verdicts) and recipe.claims[index].words() == verdict.claim
    claim = recipe.claims[index] if same else None
    told = claim_list[index] if same and len(claim_list) == len(recipe.claims) else ""
    unit, _ = _told(recipe, verdict.metric)
    relative = bool(getattr(claim, "relative", False))
    mark, sign, _ = _MARKS[verdict.verdict]
    one: dict[str, Any] = {
        "number": index + 1,
        "judged": verdict.verdict != NOT_RUN,
        "mark": mark,
        "sign": sign,
        "word": verdict.verdict,
        "claim": told or verdict.claim,
        "tested": verdict.claim if told else "",
        "scope": {"": "", "transfer": "transfer, judged apart", "server": "needs a model server"}[verdict.scope],
        "figures": [],
        "remark": "",
        "checked": _checked(run, index),
        "picture": "",
        "axis": "",
    }
    if verdict.effect is None:
        return one | {"remark": verdict.sentence}
    factor, mark_unit = (100.0, "%") if relative else (1.0, f" {unit}" if unit else "")
    mean = verdict.effect * factor
    ends = None if verdict.interval is None else (verdict.interval[0] * factor, verdict.interval[1] * factor)
    said = _said(mean, ends)
    margins = [margin * factor for margin in _margins(claim)]
    figures = [("largest difference" if isinstance(claim, Near) else "mean effect", said[0] + mark_unit)]
    if ends is not None:
        figures.append(("95% interval", said[1]))
    if margins:
        sign = "±" if len(margins) > 1 else ""
        figures.append(("margin", f"{sign}{number_text(margins[-1])}{'%' if relative else ''}"))
    if verdict.p is not None:
        figures.append(("p", number_text(verdict.p) if verdict.p >= 1e-4 else "below 0.0001"))
    figures += [("n", f"{verdict.n} seed{'s' if verdict.n != 1 else ''}"), ("kind", _claim_kind(run, claim, verdict))]
    if verdict.verdict == INCONCLUSIVE:
        one["remark"] = _undecided(verdict)
    label = f"effect {said[0]}{mark_unit}" + (f", 95% interval {said[1]}" if ends else "")
    axis = _share_of(claim) if relative else "" if unit == verdict.metric else unit
    picture = charts.effect(mean, ends, margins, mark, label)
    return one | {
        "figures": figures,
        "picture": picture,
        "axis": f"{verdict.metric}, {axis}" if axis else verdict.metric,
    }


def _share_of(claim: Claim | None) -> str:
    return f"% of {getattr(claim, 'than', 'the other')}"


def _claim_kind(run: Run, claim: Claim | None, verdict: Verdict) -> str:
    """How the effect was made: a mean over seeds of numbers of one kind, or of several."""
    if isinstance(claim, Near) or verdict.p is None:
        return verdict.kind
    assert run.results is not None
    numbers = run.results["numbers"]
    arms = claim.arms() if claim is not None else ()
    kinds = {numbers.get(arm, {}).get(verdict.metric, {}).get("kind") or "" for arm in arms} - {""}
    return f"{verdict.kind} over seeds" + (f", each {' or '.join(sorted(kinds))}" if kinds else "")


def _undecided(verdict: Verdict) -> str:
    if verdict.p is None:
        return verdict.sentence
    if verdict.seeds_needed is None:
        return "No affordable number of seeds would decide it at the effect seen."
    return f"About {verdict.seeds_needed} seeds would decide it at the effect seen."


def _checked(run: Run, index: int) -> str:
    """How the claim fares with its first arm replaced by the control, and turned round; it should hold in neither."""
    judged = (run.results or {}).get("judged", [])
    if index >= len(judged) or run.verdicts[index].verdict == NOT_RUN:
        return ""
    control, reverse = from_json(judged[index]["control"]), from_json(judged[index]["reverse"])
    placed = f"With {judged[index]['control_arm']} in the place of its first arm"
    said = {HOLDS: "it holds too, so it does not show the mechanism", NOT_RUN: "it could not be judged"}
    first = said.get(control.verdict, f"it does not hold ({control.verdict})")
    second = "Its reverse holds." if reverse.verdict == HOLDS else "Nor does its reverse."
    if control.verdict == HOLDS and reverse.verdict != HOLDS:
        second = "Its reverse does not hold."
    return f"{placed} {first}. {second}"


def _margins(claim: Claim | None) -> list[float]:
    if isinstance(claim, NotWorse):
        return [-claim.margin]
    if isinstance(claim, Equivalent):
        return [-claim.margin, claim.margin]
    if isinstance(claim, Near):
        return [-claim.within, claim.within]
    return [claim.by] if claim is not None and claim.by else []


def _said(mean: float, ends: tuple[float, float] | None, fine: int | None = None) -> tuple[str, str]:
    """(number, interval) in words, with as many decimals as the interval's width is worth, else at least `fine`."""
    if ends is None:
        usual = number_text(mean)
        finer = fine is not None and math.isfinite(mean) and fine > len(usual.partition(".")[2])
        return number_text(mean, fine) if finer and "×" not in usual else usual, ""
    if not all(map(math.isfinite, ends)):
        return number_text(mean), "unbounded with so few seeds"
    decimals = charts.decimals_for(ends[1] - ends[0])
    return number_text(mean, decimals), f"{number_text(ends[0], decimals)} to {number_text(ends[1], decimals)}"


# --- curves and tables ------------------------------------------------------------------------------------------------


def student(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(mean, low, high, n) over seeds of values float64[n, T], each [T]; NaN and infinite entries count as missing.

    low and high are the 95% interval of the mean by Student's t (1908), NaN where fewer than two seeds are there.
    """
    there = np.isfinite(values)
    n = there.sum(0)
    kept = np.where(there, values, 0.0)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        mean = np.where(n > 0, kept.sum(0) / n, np.nan)
        squares = np.where(there, values - mean, 0.0) ** 2
        error = np.sqrt(squares.sum(0) / (n - 1) / n)
        half = np.where(n > 1, stdtrit(np.maximum(n - 1, 1), 0.975) * error, np.nan)
    return mean, mean - half, mean + half, n


def _curves(run: Run, recipe: Recipe, arms: Sequence[str], colours: Mapping[str, str]) -> list[dict[str, Any]]:
    """One figure for each metric that rows hold."""
    points: dict[str, dict[str, dict[int, dict[int, float]]]] = {}  # metric -> arm -> step -> seed -> number
    kinds: dict[str, set[str]] = {}
    methods: dict[str, dict[str, None]] = {}
    for row in store.rows(run):
        for metric, value in row.metrics.items():
            at = points.setdefault(metric, {}).setdefault(row.arm, {}).setdefault(row.step, {})
            at[row.seed] = store.bare(value)
            kinds.setdefault(metric, set()).add(_kind(value))
            if isinstance(value, Mapping) and value["method"]:
                methods.setdefault(metric, {})[value["method"]] = None
    figures = []
    for metric, by_arm in points.items():
        series = [_series(arm, colours[arm], by_arm[arm]) for arm in arms if arm in by_arm]
        unit, about = _told(recipe, metric)
        label = f"{metric} by step, one curve per arm"
        figure: dict[str, Any] = {
            "metric": metric,
            "unit": f"{unit}; " if unit and unit != metric else "",
            "about": about,
            "watch": metric == recipe.watch,
            "caption": _caption(series, kinds[metric], list(methods.get(metric, {}))),
            "panels": [],
            "legend": [(one.name, one.colour) for one in series],
            "axis": "step",
            "picture": "",
        }
        if _many(recipe, arms):
            control = next((one for one in series if one.name == recipe.control), None)
            able = [one for one in series if np.isfinite(one.mean).any()]
            pictures = charts.panels(able, metric, control)
            figure["panels"] = [(one.name, "", picture) for one, picture in zip(able, pictures, strict=True)]
            figure["caption"] += " Dashed behind each: the control." if control is not None else ""
        if not figure["panels"]:
            figure["picture"] = charts.curves(series, label)
        figures.append(figure)
    return figures


def _series(arm: str, colour: str, by_step: Mapping[int, Mapping[int, float]]) -> Series:
    """The curve of an arm over the steps that most of its seeds have, so that its mean never changes company."""
    most = max(len(seeds) for seeds in by_step.values())
    steps = sorted(step for step, seeds in by_step.items() if len(seeds) == most)
    seeds = sorted({seed for step in steps for seed in by_step[step]})
    values = np.array([[by_step[step].get(seed, math.nan) for step in steps] for seed in seeds], float)
    return Series(arm, colour, np.array(steps, float), *student(values))


def _caption(series: Sequence[Series], kinds: set[str], methods: Sequence[str]) -> str:
    seeds = sorted({int(n) for one in series for n in one.seeds})
    many = f"{seeds[0]} to {seeds[-1]} seeds" if len(seeds) > 1 else f"{seeds[0]} seed{'s' if seeds[0] != 1 else ''}"
    points = max(len(one.step) for one in series)
    single = f" at {points} step{'s' if points != 1 else ''}"
    how = f" ({'; '.join(methods[:2])})" if methods else ""
    log = "; upright axis logarithmic" if charts.value_scale(series).log else ""
    return f"each seed’s number {_kinds(kinds)}{how}; {many}{single}{log}."


def _kind(value: Any) -> str:
    return value["kind"] if isinstance(value, Mapping) else "not stated"


def _kinds(kinds: set[str]) -> str:
    if kinds == {"not stated"}:
        return "of a kind the recipe does not state"
    return " or ".join(sorted(kinds))


def _tables(run: Run, recipe: Recipe, arms: Sequence[str], colours: Mapping[str, str]) -> list[dict[str, Any]]:
    """One table for each metric of the final numbers."""
    stored: dict[str, dict[str, list[Any]]] = {}  # metric -> arm -> one value per finished seed
    for arm in arms:
        for seed in range(run.asked["seeds"]):
            result = store.finished_cell(run.cell(arm, seed))
            for metric, value in result["numbers"].items() if result else ():
                stored.setdefault(metric, {}).setdefault(arm, []).append(value)
    tables = []
    for metric, by_arm in stored.items():
        summary = {arm: _final(values) for arm, values in by_arm.items()}
        ends = [end for mean, interval, *_ in summary.values() for end in (mean, *(interval or ()))]
        axis = charts.scale(np.array(ends), about=3)
        means = [mean for mean, *_ in summary.values() if math.isfinite(mean)]
        fine = charts.decimals_for(max(means) - min(means)) if means else None  # arms should be told apart
        unit, about = _told(recipe, metric)
        methods = dict.fromkeys(
            value["method"] for values in by_arm.values() for value in values if isinstance(value, Mapping)
        )
        rows = []
        for arm, (mean, interval, n, kind, note) in summary.items():
            number, between = _said(mean, interval, fine)
            label = f"{arm}: {number}" + (f", 95% interval {between}" if interval else "")
            rows.append(
                {
                    "arm": arm,
                    "mean": number,
                    "interval": between or note,
                    "note": bool(note),
                    "seeds": str(n),
                    "kind": kind,
                    "picture": charts.ranges(axis, mean, interval, colours[arm], label),
                }
            )
        words = charts.tick_texts(axis.ticks)
        drawn = f"{words[0]} to {words[-1]}{', logarithmic' if axis.log else ''}"
        method = "; ".join(method for method in methods if method)
        tables.append(
            {"metric": metric, "about": about, "unit": unit or "mean", "ends": drawn, "rows": rows}
            | {"method": f"How it was made: {method}." if method else ""}
        )
    return tables


def _final(values: Sequence[Any]) -> tuple[float, tuple[float, float] | None, int, str, str]:
    """(mean, interval, seeds, kind, what stands where there is no interval) of an arm's numbers, one a seed."""
    numbers = np.array([store.bare(value) for value in values])
    kind = " or ".join(sorted({_kind(value) for value in values}))
    if not np.isfinite(numbers).all():
        bad = int((~np.isfinite(numbers)).sum())
        return math.nan, None, len(numbers), kind, f"not finite on {bad} seed{'s' if bad != 1 else ''}"
    mean, low, high, _ = (float(part[0]) for part in student(numbers[:, None]))
    if len(numbers) == 1:
        own = values[0]["interval"] if isinstance(values[0], Mapping) else None
        return mean, (float(own[0]), float(own[1])) if own else None, 1, kind, "one seed"
    if high - low <= 1e-12 * max(1.0, abs(mean)):
        return mean, None, len(numbers), kind, "the same on every seed"
    return mean, (low, high), len(numbers), kind, ""


# --- the rest ---------------------------------------------------------------------------------------------------------


def _examples(run: Run, arms: Sequence[str]) -> list[dict[str, Any]]:
    """The example of each arm's first seed that left one."""
    examples = []
    for arm in arms:
        for seed in range(run.asked["seeds"]):
            text = store.example(run, arm, seed)
            if text.strip():
                long = len(text) > EXAMPLE_LENGTH
                cut = f" The first {EXAMPLE_LENGTH:,} of its {len(text):,} characters." if long else ""
                examples.append({"arm": arm, "seed": seed, "text": text[:EXAMPLE_LENGTH], "cut": cut})
                break
    return examples


def _settings(run: Run, arms: Sequence[str]) -> tuple[list[str], list[dict[str, Any]], list[tuple[str, str]]]:
    """(names that differ, a row per arm of (text, whether it differs from the first arm), (name, text) of the rest)."""
    settings = run.asked["settings"]
    first = settings[arms[0]]
    differing = [name for name in first if any(settings[arm][name] != first[name] for arm in arms)]
    rows = [
        {"arm": arm, "cells": [(_plain(settings[arm][name]), settings[arm][name] != first[name]) for name in differing]}
        for arm in arms
    ]
    return differing, rows, [(name, _plain(value)) for name, value in first.items() if name not in differing]


def _plain(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "none"}[value]
    if isinstance(value, list):
        return ", ".join(map(_plain, value)) or "(nothing)"
    return str(value) if value != "" else '""'


def _commands(run: Run, recipe: Recipe, path: Path) -> list[tuple[str, str]]:
    """(note, command) lines that ask for this run again, and for the same on seeds that nobody has looked at."""
    asked = run.asked
    own = path.resolve().parent.parent.name == "recipes"  # recipes/FAMILY/SLUG.py is found by its slug
    words = ["ludus run", recipe.slug if own else _quoted(str(path))]
    if asked["quick"]:
        words.append("--quick")
    if "agent" in asked:
        words.append(f"--agent {_quoted(asked['agent'])}")
    if "device" in asked:
        words.append(f"--device {asked['device']}")
    usual = resolve(recipe, None, asked["quick"])
    if list(asked["settings"]) != list(asked_of_servers(recipe) if "agent" in asked else usual):
        words += [f"--arm {arm}" for arm in asked["settings"]]
    if asked["seeds"] != (1 if asked["quick"] else recipe.seeds):
        words.append(f"--seeds {asked['seeds']}")
    changed: dict[str, Any] = {}
    for arm, settings in asked["settings"].items():
        for name, value in settings.items():
            if arm in usual and value != store.plain(getattr(usual[arm], name, None)):
                changed[name] = value
    words += [f"--set {_quoted(f'{name}={_typed(value)}')}" for name, value in changed.items()]
    line = " ".join(words)
    root = asked["root_seed"]
    again = f"{line} --root-seed {root}" if root else line
    return [
        ("The same numbers again, to the same result hash on the same machine and versions:", again),
        ("The same study on seeds that nobody has looked at:", f"{line} --root-seed {root + 1}"),
    ]


def _typed(value: Any) -> str:
    """A setting as it is typed after --set."""
    return ",".join(map(_typed, value)) if isinstance(value, list) else _plain(value) if value != "" else ""


def _quoted(text: str) -> str:
    return text if re.fullmatch(r"[\w./=,:@+-][\w./=,:@+#-]*", text) else "'" + text.replace("'", "'\\''") + "'"


def _provenance(run: Run) -> list[tuple[str, str]]:
    asked = run.asked
    told = [("started", run.started.replace("T", " ").replace("+00:00", " UTC")), ("run", run.folder.name)]
    if run.results is not None:
        told += [("result hash", run.results["hash"]), ("computed for", f"{_time(run)}, all cells together")]
    versions = ", ".join(f"{name} {version}" for name, version in run.versions.items())
    told += [("model asked", asked["agent"])] if "agent" in asked else []
    told += [("device", asked["device"])] if "device" in asked else []
    told += [("code hash", asked["code"]), ("root seed", str(asked["root_seed"])), ("seeds", str(asked["seeds"]))]
    return [*told, ("versions", versions)]
