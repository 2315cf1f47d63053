"""One offline page for one tournament: standings, who won what from whom, ratings, and a game told step by step.

It is made from what `ludus tournament --json` prints, and looks like the report of a study: the same style, no script,
no request, everything escaped.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from ludus.pages.charts import Scale, decimals_for, number_text, ranges, scale
from ludus.pages.report import render
from ludus.records import Value
from ludus.study.disk import write_whole

NUMBERED = 16  # members up to which every cell of the map holds its number
NARROW = 6  # the same on a phone
ROWS = 12  # pairs that are shown unfolded
LISTED = 500  # sittings that are listed; `ludus replay` lists them all
EXAMPLE_LENGTH = 20_000  # characters of the game that are shown


def write_page(answer: Mapping[str, Any], example: str, path: Path) -> Path:
    """Write the page; returns its path.

    answer   what `ludus tournament --json` prints, its numbers still Values
    example  a game in words

    Raises study's StoreError where the disk does not take it.
    """
    write_whole(path, page(answer, example).encode())
    return path


def page(answer: Mapping[str, Any], example: str) -> str:
    """The page: the report's style, and a few rules more."""
    return render(contents(answer, example), "tournament.html.jinja", _RULES)


def contents(answer: Mapping[str, Any], example: str) -> dict[str, Any]:
    """Everything the template shows, by name."""
    standings = answer["standings"]
    names = [one["name"] for one in standings]
    rated = sorted(standings, key=lambda one: (one["group"], -one["rating"].number))
    pairs = _pairs(answer, names)
    cut = len(example) > EXAMPLE_LENGTH
    return {
        "game": answer["game"],
        "subtitle": f"{len(names)} players, {answer['games']:,} games",
        "facts": [
            ("seats", str(answer["seats"])),
            ("games per table", f"{answer['games_per_table']:,}"),
            ("seed", str(answer["seed"])),
            ("result", answer["hash"]),
        ],
        "notes": answer["notes"],
        "leader": _leader(standings[0]),
        "standings": _with_ranges(standings, "payoff", sign=True),
        "map": heat(names, np.array(answer["payoff"], float), np.array(answer["met"], int)),
        "dense": "crowded" if len(names) > NUMBERED else "dense" if len(names) > NARROW else "",
        "seats": answer["seats"],
        "pairs": pairs[:ROWS],
        "more_pairs": pairs[ROWS:],
        "ratings": [row | {"mass": _mass(row["alpha_rank"])} for row in _with_ranges(rated, "rating")],
        "mass_method": "" if standings[0]["alpha_rank"] is None else standings[0]["alpha_rank"].method,
        "rating_method": standings[0]["rating"].method,
        "groups": len({one["group"] for one in standings}),
        "kinds": _kinds(standings),
        "talkers": [one | {"decisions": sum(one["answers"].values())} for one in standings if one["answers"]],
        "example": example[:EXAMPLE_LENGTH] + ("\n..." if cut else ""),
        "sittings": [
            one | {"told": [number_text(paid) for paid in one["payoff"]]} for one in answer["sittings"][:LISTED]
        ],
        "unlisted": max(0, len(answer["sittings"]) - LISTED),
        "command": answer["command"],
        "named": [one for one in standings if one["name"] != one["player"]],
        "folder": answer["folder"],
    }


def _leader(first: Mapping[str, Any]) -> str:
    paid: Value = first["payoff"]
    between = "" if paid.interval is None else f" (95% interval {_between(paid.interval, _decimals([paid]), True)})"
    return f"{first['name']} was paid most, {_signed(paid.number, _decimals([paid]))} a game{between}."


def _mass(value: Value | None) -> str:
    if value is None or value.interval is None:
        return ""
    return f"{number_text(value.number, 2)}, {number_text(value.interval[0], 2)} to {number_text(value.interval[1], 2)}"


def _kinds(standings: Sequence[Mapping[str, Any]]) -> list[str]:
    """The classes of answers there are: legal and illegal, then those that are no answer."""
    seen = dict.fromkeys(kind for one in standings for kind in one["answers"])
    return ["legal", "illegal", *sorted(set(seen) - {"legal", "illegal"})]


def _with_ranges(rows: Sequence[Mapping[str, Any]], field: str, sign: bool = False) -> list[dict[str, Any]]:
    """Rows with a Value under `field`: its number, interval and picture on a common axis, ready to show."""
    values: list[Value] = [row[field] for row in rows]
    ends = [end for value in values for end in (value.number, *(value.interval or ()))]
    axis = scale(np.array([end for end in ends if np.isfinite(end)]), log=False, zero=True)
    decimals = _decimals(values)
    return [dict(row) | _shown(value, axis, decimals, sign) for row, value in zip(rows, values, strict=True)]


def _shown(value: Value, axis: Scale, decimals: int | None, sign: bool) -> dict[str, Any]:
    number = _signed(value.number, decimals) if sign else number_text(value.number, decimals)
    between = "not known" if value.interval is None else _between(value.interval, decimals, sign)
    finite = value.interval is not None and bool(np.isfinite(value.interval).all())
    picture = ranges(axis, value.number, value.interval if finite else None, "colour-0", f"{number}, {between}")
    return {"number": number, "between": between, "picture": picture}


def _decimals(values: Sequence[Value]) -> int | None:
    widths = [value.interval[1] - value.interval[0] for value in values if value.interval is not None]
    finite = [width for width in widths if np.isfinite(width) and width > 0]
    return decimals_for(min(finite)) if finite else None


def _signed(number: float, decimals: int | None = None) -> str:
    text = number_text(number, decimals)
    return f"+{text}" if number > 0 and text.strip("0.,") else text


def _between(interval: tuple[float, float], decimals: int | None, sign: bool) -> str:
    if not np.isfinite(interval).all():
        return "unbounded"
    low, high = (_signed(end, decimals) if sign else number_text(end, decimals) for end in interval)
    return f"{low} to {high}"


def _common(payoff: np.ndarray) -> int | None:
    """Decimals that all cells have: two, fewer for payoffs above ten and more for those below a tenth."""
    finite = np.abs(payoff[np.isfinite(payoff)])
    most = float(finite.max()) if finite.size else 0.0
    places = decimals_for(most)
    return None if places is None else places + (most >= 1)


def _pairs(answer: Mapping[str, Any], names: Sequence[str]) -> list[dict[str, Any]]:
    """All pairs that met, the one who stands higher first."""
    decimals = _common(np.array(answer["payoff"], float))
    return [
        {
            "one": names[i],
            "other": names[j],
            "games": answer["met"][i][j],
            "won": answer["wins"][i][j],
            "tied": answer["ties"][i][j],
            "lost": answer["wins"][j][i],
            "payoff": _signed(answer["payoff"][i][j], decimals),
        }
        for i in range(len(names))
        for j in range(i + 1, len(names))
        if answer["met"][i][j]
    ]


# --- the map of payoffs -----------------------------------------------------------------------------------------------


def heat(names: Sequence[str], payoff: np.ndarray, met: np.ndarray) -> Markup:
    """A cell for every two members: what the row was paid in games with the column, blue for gains, orange for losses.

    payoff  float64[M, M], NaN where they never met
    met     int64[M, M], games
    """
    size = len(names)
    tall = 34 if size <= NUMBERED else 16
    finite = np.abs(payoff[np.isfinite(payoff)])
    most = float(finite.max()) if finite.size and finite.max() > 0 else 1.0
    decimals = _common(payoff)
    parts: list[Markup] = []
    for i, name in enumerate(names):
        short = name if len(name) <= 15 else name[:14] + "…"
        middle = tall * (i + 0.5)
        row = Markup('<text class="tick up" x="-8" y="{}" dy="4">{} {}<title>{}</title></text>')
        parts.append(row.format(f"{middle:.0f}", short, i + 1, name))
        if size <= NUMBERED or i == 0 or (i + 1) % 5 == 0:  # of many ranks every fifth: they would touch
            head = Markup('<text class="tick" x="{}%" y="-7" text-anchor="middle">{}<title>{}</title></text>')
            parts.append(head.format(f"{100 * (i + 0.5) / size:.2f}", i + 1, name))
        for j, other in enumerate(names):
            paid, who = float(payoff[i, j]), f"{name} with {other}"
            parts.append(
                _cell(i, j, size, tall, paid, paid / most, _signed(paid, decimals), f"{who}: {met[i, j]:,} games")
            )
    label = "Payoff of the row in games with the column: " + "; ".join(
        f"{names[i]} with {names[j]} {_signed(float(payoff[i, j]))}"
        for i in range(size)
        for j in range(size)
        if np.isfinite(payoff[i, j])
    )
    whole = Markup('<svg class="heat" role="img" aria-label="{}" width="100%" height="{}">{}</svg>')
    return whole.format(label if size <= NUMBERED else "Payoffs", tall * size, Markup("").join(parts))


def _cell(i: int, j: int, size: int, tall: int, paid: float, share: float, says: str, who: str) -> Markup:
    """share: of the largest payoff, in [-1, 1]."""
    y = tall * i
    box = Markup('x="{}%" y="{}" width="{}%" height="{}"').format(f"{100 * j / size:.3f}", y, f"{100 / size:.3f}", tall)
    if not np.isfinite(paid):
        return Markup('<rect class="none" {}/>').format(box)
    filled = Markup('<rect class="fill {}" fill-opacity="{}" {}><title>{}, {}</title></rect>').format(
        "colour-0" if paid >= 0 else "colour-1", f"{0.06 + 0.44 * abs(share):.3f}", box, who, says
    )
    if size > NUMBERED:
        return filled
    text = Markup('<text class="cell" x="{}%" y="{}" dy="4" text-anchor="middle">{}</text>')
    return filled + text.format(f"{100 * (j + 0.5) / size:.2f}", y + tall // 2, says)


_RULES = """
.map { padding: 26px 0 6px 150px; margin: 10px 0 0; }
.heat rect { stroke: var(--paper); stroke-width: 2; }
.heat .fill { fill: currentColor; }
.heat .none { fill: var(--raised); }
.heat .cell { fill: var(--ink); font-size: 12.5px; pointer-events: none; }
td.of { color: var(--soft); white-space: nowrap; }
.scroll + p.small { margin-top: 12px; }
.rank { text-align: right; color: var(--soft); width: 1.5em; }
@media (max-width: 800px) {
  .map { padding-left: 118px; }
  .heat .cell { font-size: 11px; }
  .dense .cell { display: none; }
  thead th.rank, tbody td.rank { padding-right: 7px; }
}
"""
