"""The page that compares recipes: curves at equal tokens, means by seed, and what is unequal is said."""

import re

import numpy as np
import pytest
from scipy import stats
from tests.pages.test_report import HOSTILE, Page, shape

from ludus.pages import compare
from ludus.records import Value
from ludus.study import store
from ludus.study.disk import make_folder
from ludus.study.log import Log, numbers

SERIES = tuple(compare.SERIES)
COMMON = {"task": "countdown", "level": 2, "warm": 100, "budget": 100}


def stored(tmp_path, slug, rows, arms=("first", "off"), quick=False, **settings):
    """A finished run whose cell of an arm and a seed writes rows(arm, seed): a list of dicts of metrics."""
    asked = {"slug": slug, "code": "c", "seeds": 3, "root_seed": 0, "quick": quick, "format": store.FORMAT}
    asked["settings"] = dict.fromkeys(arms, COMMON | settings)
    make_folder(tmp_path / f"{slug}-{store.key_of(asked)}")
    run = store.begin(tmp_path, asked)
    for arm, seed in run.cells:
        log = Log(run.cell(arm, seed))
        for step, metrics in enumerate(rows(arm, seed)):
            log.row(step, **metrics)
        store.finish_cell(run.cell(arm, seed), numbers({"score": 0.5}), log.close(), 0.0, False)
    results = {"hash": f"hash-{slug}", "minutes": 1.0, "numbers": {}, "verdicts": []}
    return store.Run(run.folder, run.key, run.asked, run.started, run.versions, results)


def straight(slope, start=0.2, off=0.1, spread=0.0, pace=(0, 0, 0)):
    """Scores that rise in a straight line with tokens, from `start`; the arm "off" by `off` times as much."""

    def rows(arm, seed):
        rise = slope * (off if arm == "off" else 1)
        told = []
        for tokens in np.array([0, 40, 100]) + np.array([0, 1, 0]) * pace[seed]:
            score = start + (rise + spread * seed) * tokens / 100
            told.append({"tokens": tokens, "loss": 1.0, **dict.fromkeys(SERIES, score)})
        return [*told, {"loss": 0.5}]  # a row of something else ends no curve

    return rows


def page(shown, common=COMMON, command="ludus compare a b"):
    return compare.page(shown, common, command)


def test_seeds_are_read_off_at_equal_tokens(tmp_path):
    """Rows at 40, 46 and 52 tokens on straight lines: at their mean, 46, every seed is where its line is."""
    run = stored(tmp_path, "a", straight(0.5, spread=0.05, pace=(0, 6, 12)))
    entry = compare.entries(run, "first", "off")[0]
    drawn = compare.curve(entry, "score", "colour-0")
    assert drawn.step.tolist() == [0, 46, 100]
    for i, tokens in enumerate(drawn.step):
        by_hand = [0.2 + (0.5 + 0.05 * seed) * tokens / 100 for seed in range(3)]
        assert drawn.mean[i] == pytest.approx(np.mean(by_hand))
        half = stats.t.ppf(0.975, 2) * stats.sem(by_hand)
        assert (drawn.low[i], drawn.high[i]) == pytest.approx((np.mean(by_hand) - half, np.mean(by_hand) + half))


def test_curves_end_where_the_first_seed_ends(tmp_path):
    def rows(arm, seed):
        return [{"tokens": t, **dict.fromkeys(SERIES, t / 100)} for t in (0, 50, 90 + 5 * seed)]

    entry = compare.entries(stored(tmp_path, "a", rows), "first", None)[0]
    drawn = compare.curve(entry, "entropy", "")
    assert drawn.step[-1] == 90 and drawn.mean == pytest.approx(drawn.step / 100)
    assert entry.tokens.number == 95 and entry.lead is None


def test_final_numbers_are_paired_by_seed(tmp_path):
    """Seeds differ much, the lead does not: its interval is the narrow one."""
    one = compare.entries(stored(tmp_path, "a", straight(0.5, spread=0.05)), "first", "off")
    assert [(entry.arm, entry.aside) for entry in one] == [("first", False), ("off", True)]
    ends = [0.7, 0.75, 0.8]
    half = stats.t.ppf(0.975, 2) * stats.sem(ends)
    assert one[0].final["score"].number == pytest.approx(0.75)
    assert one[0].final["score"].interval == pytest.approx((0.75 - half, 0.75 + half))
    assert one[0].lead.number == pytest.approx(0.45) and np.ptp(one[0].lead.interval) < 1e-9
    assert one[1].lead is None and "paired by seed" in one[0].lead.method


def test_intervals_end_where_a_series_must(tmp_path):
    """Student's own would reach from -0.9 to 1.7; a mean of shares cannot, and entropy may be above 1."""
    ends = (0.1, 0.1, 1.0)

    def rows(arm, seed):
        return [{"tokens": tokens, **dict.fromkeys(SERIES, ends[seed])} for tokens in (0, 100)]

    entry = compare.entries(stored(tmp_path, "a", rows), "first", None)[0]
    above = 0.4 + stats.t.ppf(0.975, 2) * stats.sem(ends)
    for name in SERIES:
        most = above if name in ("distinct", "entropy") else 1
        assert entry.final[name].interval == pytest.approx((0, most)) and above > 1.6
        drawn = compare.curve(entry, name, "")
        assert (drawn.low[-1], drawn.high[-1]) == pytest.approx((0, most))


def test_one_seed_keeps_the_interval_it_came_with():
    assert compare._mean([0.5], "x").interval is None
    packed = numbers({"x": Value(0.5, "sampled", (0.25, 0.75), "m")})["x"]
    assert compare._mean([packed], "x")[:3] == (0.5, "sampled", (0.25, 0.75))


@pytest.mark.parametrize("lost", ["tokens", "pass_32", "entropy"])
def test_what_is_not_written_is_named(tmp_path, lost):
    def rows(arm, seed):
        told = [{"tokens": 0, **dict.fromkeys(SERIES, 0.5)}]
        return [{name: value for name, value in told[0].items() if name != lost or (arm, seed) != ("off", 2)}]

    named = "tokens, no score" if lost == "tokens" else lost
    with pytest.raises(compare.Lacking, match=f"a cannot be compared: its arm off writes no {named}.*write log.row"):
        compare.entries(stored(tmp_path, "a", rows), "first", "off")


def test_numbers_that_are_not_finite_are_no_series(tmp_path):
    def rows(arm, seed):
        return [{"tokens": 0, **dict.fromkeys(SERIES, 0.5), "entropy": float("nan")}]

    with pytest.raises(compare.Lacking, match="writes no entropy"):
        compare.entries(stored(tmp_path, "a", rows), "first", "off")


def both(tmp_path, **other):
    one = stored(tmp_path, "slow", straight(0.3, spread=0.01), width=32)
    two = stored(tmp_path, "fast", straight(0.6, **other), width=48)
    return [*compare.entries(one, "first", "off"), *compare.entries(two, "first", "off")]


def test_the_page(tmp_path):
    shown = both(tmp_path)
    path = compare.write_page(shown, COMMON, "ludus compare slow fast", tmp_path / "page.html")
    text = path.read_text()
    read = Page(text)
    assert re.findall(r"<h2>(.*?)</h2>", text) == [
        *("True score against training tokens", "Numbers at the end", "What happens to the answers", "Settings"),
        "Run it again",
    ]
    assert "2 recipes, one base model, 100 training tokens each" in read.text
    assert re.search(r"fast ends highest. Paired by seed it is ahead of slow by 0\.29\d? ", read.text)
    assert "not decided" not in read.text and 'class="notice"' not in text
    table = text[text.index('class="ends"') : text.index('id="answers"')]
    assert re.findall(r"<bdi>(.*?)</bdi>", table) == ["fast", "off", "slow", "off"]
    assert re.search(r"fast\s*0\.8\s*the same on every seed\s*\+0\.54\s*the same on every seed", read.text)
    assert re.search(r"width\s*32\s*48", read.text) and "ludus compare slow fast" in read.text
    assert text.count('<svg class="plot"') == 5 and "after 40 tokens: 0.44" in text
    assert compare.combined_hash(shown) in text and "<script" not in text


def test_a_lead_that_is_not_decided_is_called_so(tmp_path):
    noisy = both(tmp_path, start=0.2, spread=0.0)
    wild = noisy[2].seen["score"]
    for seed, shift in enumerate((-0.5, 0.3, 0.1)):
        wild[seed] = (wild[seed][0], wild[seed][1] + np.array([0, 0, shift]))
    assert "not decided by these seeds" in compare.leader([noisy[0], noisy[2]])


def test_a_control_that_falls_to_nothing_leaves_the_axis_linear(tmp_path):
    """On a logarithmic axis nothing would be drawn at 0, and the recipes would lie on each other."""
    shown = both(tmp_path)
    for entry in shown:
        entry.seen["score"][:] = [(tokens, np.geomspace(0.5, 0.001, len(tokens))) for tokens, _ in entry.seen["score"]]
    text = compare.write_page(shown, COMMON, "ludus compare slow fast", tmp_path / "page.html").read_text()
    assert ">0.01<" not in text[: text.index('class="ends"')] and ">0.2<" in text


def test_equal_ends_are_no_lead(tmp_path):
    one, two = (compare.entries(stored(tmp_path, name, straight(0.3)), "first", None)[0] for name in ("slow", "fast"))
    assert compare.leader([one, two]) == "slow and fast end alike."


def test_what_is_unequal_is_said(tmp_path):
    told = compare.notices(both(tmp_path, start=0.3), COMMON)
    assert len(told) == 1 and "score 0.2 for slow and 0.3 for fast. They are not of one base model" in told[0]
    page = compare.write_page(
        both(tmp_path / "page", start=0.3), COMMON, "ludus compare slow fast", tmp_path / "page.html"
    )
    assert "2 recipes, 100 training tokens each" in Page(page.read_text()).text
    told = compare.notices(both(tmp_path / "again"), COMMON | {"budget": 200})
    assert "slow trained on 100 tokens of 200." in told and len(told) == 4
    quick = compare.entries(stored(tmp_path / "quick", "a", straight(1.0), quick=True), "first", None)
    assert "compare nothing" in compare.notices(quick, COMMON)[0]


def test_hostile_text_stays_text(tmp_path):
    everything = "\n".join(HOSTILE)
    texts = []
    for said, folder in (("plain", tmp_path / "plain"), (everything, tmp_path / "hostile")):
        shown = []
        for entry in both(folder):
            entry.run.asked["settings"] = {said: COMMON | {said: entry.slug}}
            shown.append(entry._replace(slug=said + entry.slug, arm=said))
        texts.append(page(shown, COMMON | {"task": said}, said))
    assert shape(texts[1]) == shape(texts[0])
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]", texts[1])
