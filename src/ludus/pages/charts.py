"""Pictures as inline SVG without a script: curves with bands, one panel per arm, an effect against its margin.

A picture is as wide as its column and keeps its height in pixels, so that letters have one size on a phone and on a
desk: curves are drawn in an inner frame that is stretched, while text and dots are placed by percentages in the outer
one. Colours are CSS classes (`colour-0`, `colour-1`, ..., `control`), so that light, dark and print are the style's
business. All text goes through `markupsafe`, which escapes it.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from markupsafe import Markup

FRAME = 4000  # the inner frame's width and height; whole numbers of it are finer than a pixel
COLOURS = 6
"""How many colours the style has; with more arms than that every arm gets a panel of its own."""


class Scale(NamedTuple):
    """An axis: low and high ends in the data's unit, whether it is logarithmic, and where its ticks stand."""

    low: float
    high: float
    log: bool
    ticks: list[float]


class Series(NamedTuple):
    """One arm's curve. NaN where nothing was measured.

    name     the arm
    colour   a CSS class
    step     float64[T], increasing
    mean     float64[T], over seeds
    low      float64[T], 95% interval of the mean; NaN where there is one seed only
    high     float64[T]
    seeds    int64[T], how many seeds stand behind each point
    """

    name: str
    colour: str
    step: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    seeds: np.ndarray


# --- numbers and axes -------------------------------------------------------------------------------------------------


def number_text(number: float, decimals: int | None = None) -> str:
    """A number as a person writes it: three significant digits, or so many `decimals`; a true minus sign."""
    if math.isnan(number):
        return "not a number"
    if math.isinf(number):
        return "∞" if number > 0 else "−∞"
    size = abs(number)
    if size and (size >= 1e6 or size < 1e-4) and decimals is None:
        mantissa, exponent = f"{size:.2e}".split("e")
        mantissa = mantissa.rstrip("0").rstrip(".")
        power = "10" + str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
        text = power if mantissa == "1" else f"{mantissa}×{power}"
    elif decimals is not None:
        text = f"{size:,.{decimals}f}"
    elif size == int(size):
        text = f"{size:,.0f}"
    else:
        text = f"{size:,.{max(0, 2 - math.floor(math.log10(size)))}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
    return f"−{text}" if number < 0 and text.strip("0.,") else text


def decimals_for(width: float) -> int | None:
    """How many decimals show two significant digits of an interval of this width; None where that is no help."""
    if not math.isfinite(width) or not 1e-6 < width < 1e6:
        return None
    return min(8, max(0, 1 - math.floor(math.log10(width))))


def tick_texts(marks: Sequence[float]) -> list[str]:
    """The words of an axis' ticks: as many decimals as tell neighbours apart, the same for all of them."""
    sizes = [abs(mark) for mark in marks if mark]
    gaps = [abs(b - a) for a, b in pairwise(marks) if b != a]
    if len(marks) < 2 or not gaps or max(sizes) >= 1e6 or min(gaps) < 1e-9 or max(sizes) / min(sizes) >= 1e3:
        return [number_text(mark) for mark in marks]
    places = max(0, -math.floor(math.log10(min(gaps)) + 1e-9))
    while places < 12 and any(abs(round(mark, places) - mark) > 1e-3 * min(gaps) for mark in marks):
        places += 1  # a step of 2.5 needs one more
    return [number_text(mark, places) if mark else "0" for mark in marks]


def ticks(low: float, high: float, about: float = 5) -> list[float]:
    """Round numbers from at most `low` to at least `high`, near `about` of them: 1, 2, 2.5 or 5 apart, times ten."""
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError(f"the ends of an axis are finite, got {low} and {high}; leave out what is not")
    if about < 1:
        raise ValueError(f"about is how many ticks to aim at, at least 1, got {about}")
    if high < low:
        low, high = high, low
    if high - low <= max(1e-12 * max(abs(low), abs(high)), 1e-300):  # one value: room on both sides
        room = 0.5 * abs(low) if abs(low) > 1e-300 else 0.5
        low, high = low - room, high + room
    rough = (high - low) / about
    magnitude = 10.0 ** math.floor(math.log10(rough))
    step = next((m * magnitude for m in (1.0, 2.0, 2.5, 5.0) if m * magnitude >= rough * 0.999), 10.0 * magnitude)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [float(f"{k * step:.12g}") for k in range(first, last + 1)]


def log_ticks(low: float, high: float, about: int = 6) -> list[float]:
    """Powers of ten from at most `low` to at least `high`, every second or third one where they are many."""
    if not (0 < low <= high < math.inf):
        raise ValueError(f"the ends of a logarithmic axis are above zero and in order, got {low} and {high}")
    first, last = math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9)
    last = max(last, first + 1)
    every = max(1, math.ceil((last - first) / about))
    return [10.0**k for k in range(first, last + every, every)]


def scale(values: np.ndarray, log: bool | None = None, about: int = 5, zero: bool = False) -> Scale:
    """An axis that holds all finite `values`; it is logarithmic where they are positive and span two decades.

    log    True or False settles it; None looks at the values
    zero   whether zero must be on it (a linear axis then)
    """
    values = np.asarray(values, float)
    values = values[np.isfinite(values)]
    if not len(values):
        return Scale(0.0, 1.0, False, [0.0, 1.0])
    low, high = float(values.min()), float(values.max())
    if log is None:
        log = not zero and low > 0 and high / low >= 100
    if log:
        positive = values[values > 0]
        if not len(positive):
            raise ValueError("a logarithmic axis needs a value above zero; use log=False")
        marks = log_ticks(float(positive.min()), high, about)
    else:
        if zero:
            low, high = min(low, 0.0), max(high, 0.0)
        marks = ticks(low, high, about)
    return Scale(marks[0], marks[-1], log, marks)


def place(axis: Scale, values: np.ndarray) -> np.ndarray:
    """float64: 0 at the axis' low end, 1 at its high end, clipped to it; NaN stays NaN."""
    values = np.asarray(values, float)
    low, high = axis.low, axis.high
    if axis.log:
        with np.errstate(divide="ignore", invalid="ignore"):
            values = np.where(
                values > 0, np.log10(np.maximum(values, axis.low)), np.where(values <= 0, -np.inf, np.nan)
            )
        low, high = math.log10(low), math.log10(high)
    return np.clip((values - low) / (high - low), 0.0, 1.0)


def step_scale(steps: np.ndarray) -> Scale:
    """The axis of steps, from the first to the last; logarithmic where most of them crowd at its beginning."""
    steps = np.unique(np.asarray(steps, float))
    if not len(steps):
        return Scale(0.0, 1.0, False, [0.0, 1.0])
    low, high = float(steps[0]), float(steps[-1])
    if low > 0 and len(steps) >= 5 and high / low >= 100 and np.median(steps) < high / 10:
        return Scale(low, high, True, [t for t in log_ticks(low, high, 4) if low <= t <= high])
    if low == high:
        return Scale(low - 0.5, high + 0.5, False, [low])
    inside = [tick for tick in ticks(low, high, 4) if low <= tick <= high]
    if (steps == steps.round()).all():  # nothing happens between whole steps
        inside = [tick for tick in inside if tick == round(tick)]
    return Scale(low, high, False, inside or [low, high])


def thin(series: Series, points: int) -> Series:
    """At most about `points` of the curve's points, evenly taken, the first and the last always among them."""
    total = len(series.step)
    if total <= points:
        return series
    keep = np.unique(np.linspace(0, total - 1, points).round().astype(int))
    return series._replace(
        **{field: getattr(series, field)[keep] for field in ("step", "mean", "low", "high", "seeds")}
    )


# --- curves -----------------------------------------------------------------------------------------------------------


def curves(
    series: Sequence[Series], label: str, height: int = 240, steps: str = "step {}", log: bool | None = None
) -> Markup:
    """Curves with bands in one frame, names at their right ends. `label` says in words what the picture shows.

    steps  how a place on the lying axis is told, with {} for its number
    log    whether the upright axis is logarithmic; None looks at the means
    """
    shown = [thin(one, 160) for one in series if np.isfinite(one.mean).any()]
    if not shown:
        return Markup('<p class="nothing">Nothing was recorded to draw here.</p>')
    across = step_scale(np.concatenate([one.step for one in shown]))
    up = value_scale(shown, log=log)
    parts = [_rules(up, height), _heights(up, height), _feet(across, height)]
    inner = [_band(one, across, up) for one in shown] + [_line(one, across, up) for one in shown]
    parts += [_frame(Markup("").join(inner))]
    parts += [_lone(one, across, up) for one in shown]
    parts += [_hits(one, across, up, steps=steps) for one in shown]
    parts += [_names(shown, up, height)]
    return _svg(Markup("").join(parts), label, height, "plot")


def panels(series: Sequence[Series], label: str, background: Series | None = None, height: int = 96) -> list[Markup]:
    """One small picture per arm on common axes, with `background` (the control) behind each."""
    shown = [thin(one, 80) for one in series if np.isfinite(one.mean).any()]
    if not shown:
        return []
    behind = thin(background, 80) if background is not None and np.isfinite(background.mean).any() else None
    across = step_scale(np.concatenate([one.step for one in shown]))
    up = value_scale(shown, about=2)
    pictures = []
    for one in shown:
        inner = [_line(behind._replace(colour="behind"), across, up)] if behind and behind.name != one.name else []
        inner += [_band(one, across, up), _line(one, across, up)]
        parts = [_rules(up, height), _frame(Markup("").join(inner)), _lone(one, across, up)]
        parts += [_heights(up, height, inside=True), _feet(across, height, ends_only=True)]
        parts += [_hits(one, across, up, at_most=8)]
        pictures.append(_svg(Markup("").join(parts), f"{label}, arm {one.name}", height, "panel"))
    return pictures


def value_scale(series: Sequence[Series], about: int = 4, log: bool | None = None) -> Scale:
    """The upright axis of some curves: as tight as they are; logarithmic, unless told, where means span two decades.

    Bands are held as far as they reach no further beyond the means than the means are apart; what is beyond is cut off.
    """
    means = np.concatenate([one.mean for one in series])
    means = means[np.isfinite(means)]
    if not len(means):
        return scale(means)
    low, high = float(means.min()), float(means.max())
    if scale(means, log).log:
        low, high = low / 1.2, high * 1.2
        marks = log_ticks(low, high, about)
        inside = [tick for tick in marks if low <= tick <= high]
        return Scale(low, high, True, inside) if len(inside) > 1 else Scale(marks[0], marks[-1], True, marks)
    ends = np.concatenate([np.concatenate([one.low, one.high]) for one in series])
    ends = ends[np.isfinite(ends)]
    reach = high - low or math.inf
    if len(ends):
        low, high = max(min(low, ends.min()), low - reach), min(max(high, ends.max()), high + reach)
    if 0 < low < 0.4 * high:
        low = 0.0
    if high - low <= 1e-12 * max(abs(low), abs(high)):  # one value: against zero, or 0 against 1
        return scale(np.array([0.0, low or 1.0]), log=False, about=about)
    room = 0.04 * (high - low)
    low, high = (low if low == 0 else low - room), high + room
    for count in (about, 1.5 * about, 2 * about):
        inside = [tick for tick in ticks(low, high, count) if low <= tick <= high]
        if len(inside) > about / 2:
            break
    return Scale(low, high, False, inside)


def _rules(up: Scale, height: int) -> Markup:
    parts = []
    for tick in up.ticks:
        y = f"{(1 - float(place(up, np.array(tick)))) * height:.1f}"
        kind = "rule zero" if tick == 0 and not up.log else "rule"
        parts.append(Markup('<line class="{}" x1="0" x2="100%" y1="{}" y2="{}"/>').format(kind, y, y))
    return Markup("").join(parts)


def _heights(up: Scale, height: int, inside: bool = False) -> Markup:
    """The numbers of the upright axis: left of the frame, or on their lines within it."""
    parts = []
    for tick, words in zip(up.ticks, tick_texts(up.ticks), strict=True):
        y = f"{(1 - float(place(up, np.array(tick)))) * height:.1f}"
        if inside:
            text = Markup('<text class="tick" x="0" y="{}" dy="-3">{}</text>')
        else:
            text = Markup('<text class="tick up" x="-8" y="{}" dy="4">{}</text>')
        parts.append(text.format(y, words))
    return Markup("").join(parts)


def _feet(across: Scale, height: int, ends_only: bool = False) -> Markup:
    """The numbers of the lying axis: its ticks, or just its ends."""
    one = across.low == across.ticks[0] - 0.5 and len(across.ticks) == 1
    marks = [across.low, across.high] if ends_only and not one else across.ticks
    parts = []
    for tick, words in zip(marks, tick_texts(marks), strict=True):
        at = float(place(across, np.array(tick)))
        side = "start" if at < 0.04 and ends_only else "end" if at > 0.96 and ends_only else "middle"
        parts.append(
            Markup('<text class="tick" x="{}%" y="{}" dy="17" text-anchor="{}">{}</text>').format(
                f"{100 * at:.2f}", height, side, words
            )
        )
    return Markup("").join(parts)


def _xy(across: Scale, up: Scale, step: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places in the inner frame, int64[T] each; y grows downwards."""
    x, y = place(across, step) * FRAME, (1 - place(up, value)) * FRAME
    return x.round().astype(int), y.round().astype(int)


def _runs(good: np.ndarray) -> list[np.ndarray]:
    """Indices of `good`, cut where there is a gap."""
    where = np.flatnonzero(good)
    return [run for run in np.split(where, np.flatnonzero(np.diff(where) > 1) + 1) if len(run)]


def _line(one: Series, across: Scale, up: Scale) -> Markup:
    drawn = []
    for run in _runs(np.isfinite(one.mean)):
        if len(run) < 2:
            continue
        x, y = _xy(across, up, one.step[run], one.mean[run])
        drawn.append("M" + "L".join(f"{a} {b}" for a, b in zip(x, y, strict=True)))
    return Markup('<path class="line {}" d="{}"/>').format(one.colour, "".join(drawn)) if drawn else Markup("")


def _band(one: Series, across: Scale, up: Scale) -> Markup:
    drawn = []
    for run in _runs(np.isfinite(one.low) & np.isfinite(one.high)):
        if len(run) < 2:
            continue
        x, bottom = _xy(across, up, one.step[run], one.low[run])
        _, top = _xy(across, up, one.step[run], one.high[run])
        way = [*zip(x, top, strict=True), *zip(x[::-1], bottom[::-1], strict=True)]
        drawn.append("M" + "L".join(f"{a} {b}" for a, b in way) + "Z")
    return Markup('<path class="band {}" d="{}"/>').format(one.colour, "".join(drawn)) if drawn else Markup("")


def _lone(one: Series, across: Scale, up: Scale) -> Markup:
    """Points without a neighbour, which a line cannot show, as dots with their interval."""
    parts = []
    for run in _runs(np.isfinite(one.mean)):
        if len(run) > 1:
            continue
        i = int(run[0])
        x = f"{100 * float(place(across, one.step[i])):.2f}%"
        low, mean, high = (f"{100 * (1 - float(place(up, v))):.2f}%" for v in (one.low[i], one.mean[i], one.high[i]))
        if math.isfinite(one.low[i]) and math.isfinite(one.high[i]):
            parts.append(
                Markup('<line class="whisker {}" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(one.colour, x, x, low, high)
            )
        parts.append(Markup('<circle class="dot {}" cx="{}" cy="{}" r="3.5"/>').format(one.colour, x, mean))
    return Markup("").join(parts)


def _hits(one: Series, across: Scale, up: Scale, at_most: int = 20, steps: str = "step {}") -> Markup:
    """Places to point at: their titles say the numbers."""
    parts = []
    whole = one._replace(step=one.step[np.isfinite(one.mean)], mean=one.mean[np.isfinite(one.mean)])
    good = np.isfinite(one.mean)
    whole = thin(whole._replace(low=one.low[good], high=one.high[good], seeds=one.seeds[good]), at_most)
    for step, mean, low, high, seeds in zip(*whole[2:], strict=True):
        title = f"{one.name}, {steps.format(number_text(float(step)))}: {number_text(float(mean))}"
        if math.isfinite(low) and math.isfinite(high):
            title += f" ({number_text(float(low))} to {number_text(float(high))})"
        title += f", {seeds} seed{'s' if seeds != 1 else ''}"
        parts.append(
            Markup('<circle class="hit {}" cx="{}%" cy="{}%" r="8"><title>{}</title></circle>').format(
                one.colour,
                f"{100 * float(place(across, step)):.2f}",
                f"{100 * (1 - float(place(up, mean))):.2f}",
                title,
            )
        )
    return Markup("").join(parts)


def _names(series: Sequence[Series], up: Scale, height: int) -> Markup:
    """The arms' names at the right ends of their curves, pushed apart where they would touch."""
    ends = [float(one.mean[np.isfinite(one.mean)][-1]) for one in series]
    wanted = [(1 - float(place(up, np.array(end)))) * height for end in ends]
    parts = []
    for i, y in zip(np.argsort(wanted, kind="stable"), apart(sorted(wanted), 15.0, 0.0, height), strict=True):
        one = series[int(i)]
        name = one.name if len(one.name) <= 22 else one.name[:21] + "…"
        parts.append(
            Markup('<text class="name {}" x="100%" dx="10" y="{}" dy="4">{}<title>{}</title></text>').format(
                one.colour, f"{y:.1f}", name, one.name
            )
        )
    return Markup('<g class="names" aria-hidden="true">{}</g>').format(Markup("").join(parts))


def apart(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Places in order, at least `gap` apart and as near as that allows to where they are `wanted` (in order too).

    They stay between `low` and `high` where there is room for all.
    """
    groups: list[tuple[float, int]] = []  # (middle, how many) of neighbours that touch
    for at in wanted:
        middle, count = float(at), 1
        while groups and groups[-1][0] + gap * groups[-1][1] / 2 > middle - gap * count / 2:
            other, others = groups.pop()
            middle, count = (middle * count + other * others) / (count + others), count + others
        reach = gap * (count - 1) / 2
        groups.append((max(low + reach, min(high - reach, middle)), count))
    placed = [middle + gap * (k - (count - 1) / 2) for middle, count in groups for k in range(count)]
    for k in range(len(placed) - 1, 0, -1):  # keeping a group inside may have pushed it onto the one above
        placed[k - 1] = min(placed[k - 1], placed[k] - gap)
    return placed


# --- one number against others ----------------------------------------------------------------------------------------


def effect(
    mean: float, interval: tuple[float, float] | None, margins: Sequence[float], colour: str, label: str
) -> Markup:
    """An effect with its 95% interval on a line, against zero and the margins it had to pass or stay within."""
    if not math.isfinite(mean):
        return Markup("")
    ends = [end for end in interval or () if math.isfinite(end)]
    reach = np.array([mean, *ends, *margins])
    across = scale(reach, log=False, about=4, zero=True)
    height, middle = 44, 18

    def at(value: float) -> str:
        return f"{100 * float(place(across, np.array(value))):.2f}%"

    parts = [Markup('<line class="rule" x1="0" x2="100%" y1="{}" y2="{}"/>').format(middle, middle)]
    # Long labels would touch: then only the ends and zero are named.
    words = dict(zip(across.ticks, tick_texts(across.ticks), strict=True))
    short = 6.5 * sum(map(len, words.values())) + 14 * len(words) <= 210  # pixels, of the 230 that the style gives
    for tick in across.ticks if short else dict.fromkeys([across.low, 0.0, across.high]):
        side = "start" if tick == across.low else "end" if tick == across.high else "middle"
        kind = "tick nought" if tick == 0 else "tick"
        text = Markup('<text class="{}" x="{}" y="{}" text-anchor="{}">{}</text>')
        parts.append(text.format(kind, at(tick), height, side, words[tick]))
    parts.append(Markup('<line class="nought" x1="{0}" x2="{0}" y1="2" y2="{1}"/>').format(at(0.0), middle + 12))
    for margin in margins:
        if margin:
            title = f"margin {number_text(margin)}"
            line = Markup('<line class="margin" x1="{0}" x2="{0}" y1="2" y2="{1}"><title>{2}</title></line>')
            parts.append(line.format(at(margin), middle + 12, title))
    if interval is not None:
        low, high = (across.low if interval[0] == -math.inf else interval[0], interval[1])
        high = across.high if high == math.inf else high
        if math.isfinite(low) and math.isfinite(high):
            bar = Markup('<line class="bar {}" x1="{}" x2="{}" y1="{}" y2="{}"/>')
            parts.append(bar.format(colour, at(low), at(high), middle, middle))
    dot = Markup('<circle class="dot {}" cx="{}" cy="{}" r="5"><title>{}</title></circle>')
    parts.append(dot.format(colour, at(mean), middle, label))
    return _svg(Markup("").join(parts), label, height, "effect")


def ranges(axis: Scale, mean: float, interval: tuple[float, float] | None, colour: str, label: str) -> Markup:
    """One row of a table as a picture: a number and its interval on an axis that all rows share."""
    if not math.isfinite(mean):
        return Markup("")

    def at(value: float) -> str:
        return f"{100 * float(place(axis, np.array(value))):.2f}%"

    parts = [Markup('<line class="rule" x1="0" x2="100%" y1="9" y2="9"/>')]
    if axis.low < 0 < axis.high and not axis.log:
        parts.append(Markup('<line class="nought" x1="{0}" x2="{0}" y1="0" y2="18"/>').format(at(0.0)))
    if interval is not None and all(map(math.isfinite, interval)):
        bar = Markup('<line class="bar {}" x1="{}" x2="{}" y1="9" y2="9"/>')
        parts.append(bar.format(colour, at(interval[0]), at(interval[1])))
    parts.append(Markup('<circle class="dot {}" cx="{}" cy="9" r="4"/>').format(colour, at(mean)))
    return _svg(Markup("").join(parts), label, 18, "range")


def _frame(content: Markup) -> Markup:
    """The stretched inner frame."""
    whole = Markup('<svg width="100%" height="100%" viewBox="0 0 {0} {0}" preserveAspectRatio="none">{1}</svg>')
    return whole.format(FRAME, content)


def _svg(content: Markup, label: str, height: int, kind: str) -> Markup:
    return Markup('<svg class="{}" role="img" aria-label="{}" width="100%" height="{}">{}</svg>').format(
        kind, label, height, content
    )
