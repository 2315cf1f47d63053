"""The page of a run that really ran: what stands on it, in which order, and that hostile text stays text."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from ludus.pages import report
from ludus.study.disk import Corrupt
from ludus.study.recipe import load
from ludus.study.run import run_study

SOURCE = '''"""Coin study: a louder coin lands higher.

Paper     On Coins. Nobody (2020), arXiv:2001.00001, doi:10.1234/coin.5. Its equation 1.
There     Ten throws; 3 of them high.
Here      A coin with a drift,
          thrown by a generator.
Claims    1. The loud coin lands higher than the control, by one.
          2. The soft coin does too.
          3. A real coin does too.
          4. The exact number is three.
Leaves    Real coins.
"""

from dataclasses import dataclass

from ludus.records import Value
from ludus.study import Exact, Higher, Recipe


@dataclass(frozen=True)
class Settings:
    """One arm.

    drift   how far a coin is pushed
    word    a text
    throws  how many
    """

    drift: float = 0.0
    word: str = WORD
    throws: int = 12
    grid: tuple[float, ...] = (0.5, 1.0)


def run(settings, rng, log):
    height = 0.0
    for step in range(settings.throws):
        height += settings.drift * (1 + 0.1 * rng.standard_normal()) + 0.1 * rng.standard_normal()
        log.row(step + 1, height=Value(height, "sampled", None, METHOD), **{METRIC: 2.0**step})
    log.example(EXAMPLE)
    three = Value(3.0 if settings.drift else 2.0, "exact", None, "counted")
    low = Value(height - 1, "lower bound", (height - 2, height), METHOD)
    return {"height": Value(height, "sampled", None, METHOD), "three": three, "floor": low, "bare": height}


RECIPE = Recipe(
    slug="coin-study",
    arms={"loud": Settings(drift=1.0), "soft": Settings(drift=0.001), "off": Settings()},
    run=run,
    claims=(
        Higher("loud", than="off", metric="height", by=1.0),
        Higher("soft", than="off", metric="height", by=2.0),
        Higher("loud", than="off", metric="height", scope="server"),
        Exact("loud", than=3.0, metric="three"),
    ),
    control="off",
    seeds=8,
    minutes=0.1,
    quick={"throws": 3},
    metrics={"height": ("units", "how high the coin lands"), "bare": ("units", "the same, bare")},
    watch="height",
)
'''

HOSTILE = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</pre><script>alert(1)</script><pre>",
    "</textarea><script>alert(1)</script>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<svg><a xlink:href=javascript:alert(1)><text x=20 y=20>x</text></a>",
    "<svg><set attributeName=href to=javascript:alert(1)>",
    "<svg><use href='data:image/svg+xml,<svg onload=alert(1)>'/></svg>",
    "<svg><foreignObject><iframe src=javascript:alert(1)></iframe></foreignObject></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<math href=javascript:alert(1)>x</math>",
    "<img src=x onerror=alert(1)>",
    "<img src=http://example.invalid/x.png>",
    "<img srcset='http://example.invalid/x 1x'>",
    "<iframe src=http://example.invalid></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data=javascript:alert(1)>",
    "<embed src=javascript:alert(1)>",
    "<video><source onerror=alert(1)></video>",
    "<audio src=x onerror=alert(1)>",
    "<body onload=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "<select autofocus onfocus=alert(1)>",
    "<marquee onstart=alert(1)>",
    "<a href=javascript:alert(1)>x</a>",
    "<a href='  javascript:alert(1)'>x</a>",
    "<a href='java\tscript:alert(1)'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<form action=javascript:alert(1)><button>x</button></form>",
    "<button formaction=javascript:alert(1)>x</button>",
    "<meta http-equiv=refresh content='0;url=http://example.invalid'>",
    "<meta http-equiv=Content-Security-Policy content=''>",
    "<link rel=stylesheet href=http://example.invalid/x.css>",
    "<base href=http://example.invalid/>",
    "<style>@import 'http://example.invalid/x.css';</style>",
    "<style>*{background:url(http://example.invalid/x)}</style>",
    "<div style='background:url(http://example.invalid/x)'>x</div>",
    "<p style=position:fixed;inset:0>x</p>",
    "<template><script>alert(1)</script></template>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?xml-stylesheet href='javascript:alert(1)'?>",
    "\" onmouseover=\"alert(1)",
    "' onmouseover='alert(1)",
    "`onmouseover=alert(1)`",
    "\"><script>alert(1)</script>",
    "'><svg/onload=alert(1)>",
    "x\"/><image href=http://example.invalid/x.svg>",
    "{{ 7 * 7 }}",
    "{% include '/etc/passwd' %}",
    "{{ config.__class__.__mro__ }}",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "javascript:alert(1)",
    "javascript&colon;alert(1)",
    "arXiv:2001.00001\"onmouseover=alert(1)",
    "doi:10.1234/<script>alert(1)</script>",
    "doi:10.1234/javascript:alert(1)",
    "\u202ereversed\u202c and \u2066isolated\u2069",
    "\u200b\u200e\u200f\ufeff invisible",
    "left \u2028 line \u2029 paragraph",
    "nul \x00 bell \x07 escape \x1b[31m vertical \x0b",
    "\u202e<script>\u202calert(1)",
    "＜script＞alert(1)＜/script＞",
    "<scr\x00ipt>alert(1)</scr\x00ipt>",
    "<ScRiPt sRc=//example.invalid>",
    "<a\x0chref=javascript:alert(1)>",
    "é" * 50 + "<b>" * 50,
]  # fmt: skip


class Page(HTMLParser):
    """Tags with their attributes, and the text outside the style."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.texts, self._inside = [], [], ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self._inside = tag

    def handle_endtag(self, tag):
        self._inside = ""

    def handle_data(self, data):
        if self._inside != "style":
            self.texts.append(data)

    @property
    def text(self):
        return " ".join("".join(self.texts).split())


def study(folder, word="x", method="by hand", metric="power", example="heads\n  tails", source=SOURCE, **asked):
    """A run of the recipe above, its texts replaced, and what `write_report` made of it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (("WORD", word), ("METHOD", method), ("METRIC", metric), ("EXAMPLE", example)):
        source = re.sub(rf"\b{name}\b", lambda _, text=text: ascii(text), source)
    path = folder / "coin_study.py"
    path.write_text(source)
    recipe = load(path)
    run = run_study(recipe, path, runs=folder / "runs", jobs=1, **asked)
    written = report.write_report(run.folder, recipe, path)
    return run, recipe, path, written.read_text()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return study(tmp_path_factory.mktemp("whole"))


def test_sections_come_in_order_with_verdicts_first(whole):
    page = Page(whole[3])
    headings = ["Verdicts", "The paper, and what ran here", "Curves", "Final numbers", "One example, replayed"]
    headings += ["What was left out", "Settings", "Run it again"]
    places = [page.text.index(f" {heading} ") for heading in headings if f" {heading} " in page.text]
    found = re.findall(r"<h2>(.*?)</h2>", whole[3])
    assert found == headings and len(places) == len(headings)
    assert page.text.index("Coin study") < page.text.index("A louder coin lands higher")


def test_verdicts_say_what_the_run_found(whole):
    run, _, _, text = whole
    page = Page(text)
    assert [verdict.verdict for verdict in run.verdicts] == ["holds", "fails", "not run", "holds"]
    assert "2 claims hold, 1 fails, 1 was not run." in page.text
    first = run.verdicts[0]
    assert first.interval[1] - first.interval[0] > 0.1  # so two decimals are worth saying
    assert f"mean effect{first.effect:.2f} units" in page.text
    assert f"95% interval{first.interval[0]:.2f} to {first.interval[1]:.2f}" in page.text
    assert "p0.00391" in page.text  # 2^-8: all eight seeds one way
    assert "n8 seeds" in page.text and "sampled over seeds, each sampled" in page.text
    assert "The loud coin lands higher than the control, by one." in page.text
    assert f"Tested as: {first.claim}." in page.text
    assert "it is about a real model" in page.text
    assert "largest difference0" in page.text


def test_many_claims_that_were_not_run_are_folded_and_keep_their_numbers(tmp_path):
    server = 'Higher("loud", than="off", metric="height", scope="server"),'
    text = study(tmp_path, source=SOURCE.replace(server, 3 * server))[3]
    folded = text[text.index("3 claims were not run</summary>") :]
    folded = folded[: folded.index("</details>")]
    assert re.findall(r'<span class="count">(\d+)</span>', folded) == ["3", "4", "5"]
    shown = text[text.index('<ol class="verdicts">') : text.index("3 claims were not run")]
    assert re.findall(r'<span class="count">(\d+)</span>', shown) == ["1", "2", "6"]


def test_control_is_marked_and_every_number_has_its_kind(whole):
    page = Page(whole[3])
    assert re.search(r"off\s*control", page.text)
    rows = re.findall(r"<tr><th scope=\"row\">.*?</tr>", whole[3])
    final = [row for row in rows if 'class="kind"' in row]
    assert len(final) == 4 * 3  # metrics by arms
    kinds = {re.search(r'class="kind">(.*?)<', row)[1] for row in final}
    assert kinds == {"sampled", "exact", "lower bound", "not stated"}
    assert "the same on every seed" in page.text
    for figure in re.findall(r"<figcaption>(.*?)</figcaption>", whole[3], re.DOTALL)[:2]:
        assert "each seed’s number" in figure


def test_paper_settings_and_commands_are_told(whole):
    run, _, path, text = whole
    page = Page(text)
    for words in (
        "On Coins. Nobody (2020)",
        "Ten throws; 3 of them high.",
        "A coin with a drift, thrown",
        "Real coins.",
    ):
        assert words in page.text
    links = [attributes["href"] for tag, attributes in page.tags if tag == "a" and attributes["href"][0] != "#"]
    assert links == ["https://arxiv.org/abs/2001.00001", "https://doi.org/10.1234/coin.5"]
    assert "how far a coin is pushed" in page.text
    assert re.search(r"<th scope=\"col\">drift</th></tr>", text)  # the only setting that differs
    for shown in (run.results["hash"], run.asked["code"], run.started[:10], "numpy", "heads\n  tails"):
        assert shown in text
    assert f"ludus run {path}" in text and f"ludus run {path} --root-seed 1" in text


def test_arms_that_hardly_differ_are_told_apart(tmp_path):
    source = SOURCE.replace('"bare": height', '"bare": 0.9190001 + settings.drift / 1e5')
    text = study(tmp_path, source=source, seeds=1)[3]
    bare = text[text.rindex('<span class="metric">bare</span>') :]
    assert re.findall(r'<td class="number">(.*?)</td>', bare)[:3] == ["0.9190101", "0.9190001", "0.9190001"]
    assert "0.919000 to 0.919015" in bare


def test_the_command_line_asks_for_what_was_asked(tmp_path):
    run, recipe, path, text = study(tmp_path, seeds=6, root_seed=7, overrides={"throws": 4, "grid": "0.25, 2"})
    line = f"ludus run {path} --seeds 6 --set throws=4 --set grid=0.25,2.0"
    assert f"<pre>{line} --root-seed 7</pre>" in text and f"<pre>{line} --root-seed 8</pre>" in text
    again = run_study(
        recipe, path, runs=tmp_path / "runs", seeds=6, root_seed=7, overrides={"throws": "4", "grid": "0.25,2.0"}
    )
    assert again.folder == run.folder


def test_quick_runs_and_few_seeds_are_said_to_be_no_verdict(tmp_path):
    quick = Page(study(tmp_path / "quick", quick=True)[3])
    assert "A quick run" in quick.text and "never judged" in quick.text and "--quick" in quick.text
    few = Page(study(tmp_path / "few", seeds=2)[3])
    assert "unbounded with so few seeds" in few.text and "inconclusive" in few.text


def test_unfinished_runs_and_changed_recipes_are_shown_as_such(tmp_path):
    run, recipe, path, _ = study(tmp_path)
    (run.folder / "results.json").unlink()
    (run.cell("soft", 3) / "result.json").unlink()
    text = report.write_report(run.folder, recipe, path).read_text()
    assert "Unfinished: 23 of 24 cells are done" in text and "None yet" in text
    path.write_text(path.read_text().replace("2.0**step", "3.0**step"))
    assert "code was changed after this run" in report.write_report(run.folder, load(path), path).read_text()


def test_another_recipes_run_and_a_broken_folder_are_refused(whole, tmp_path):
    run, recipe, path, _ = whole
    other = path.with_name("other.py")
    other.write_text(path.read_text().replace('slug="coin-study"', 'slug="other"'))
    with pytest.raises(ValueError, match="coin-study, the recipe given is other"):
        report.write_report(run.folder, load(other), other)
    with pytest.raises(Corrupt):
        report.write_report(tmp_path, recipe, path)


def test_the_page_is_one_file_without_scripts_or_requests(whole):
    text = whole[3]
    page = Page(text)
    assert not {tag for tag, _ in page.tags} & {"script", "link", "img", "iframe", "object", "embed", "base", "form"}
    for tag, attributes in page.tags:
        assert not [
            name for name in attributes if name.startswith("on") or name in ("src", "style", "srcset", "action")
        ]
        if "href" in attributes:
            assert tag == "a" and re.match(r"#|https://(arxiv|doi)\.org/", attributes["href"])
    assert "url(" not in text and "@import" not in text
    policy = next(a["content"] for tag, a in page.tags if a.get("http-equiv") == "Content-Security-Policy")
    style = text[text.index("<style>") + 7 : text.index("</style>")]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    anchors = [attributes["href"][1:] for tag, attributes in page.tags if tag == "a" and attributes["href"][0] == "#"]
    assert len(ids) == len(set(ids)) and set(anchors) <= set(ids)


def shape(text):
    """Tags and the names of their attributes, in order: what a browser builds, without any text."""
    return [(tag, sorted(attributes)) for tag, attributes in Page(text).tags]


def test_hostile_text_stays_text(tmp_path):
    assert len(set(HOSTILE)) >= 50
    plain = study(tmp_path / "plain", seeds=1)[3]
    everything = "\n".join(HOSTILE)
    *_, text = study(tmp_path / "hostile", everything, everything, everything, everything, seeds=1)
    assert shape(text) == shape(plain)
    page = Page(text)
    for hostile in HOSTILE:
        said = " ".join(report.visible(hostile).split())
        assert page.text.count(said) >= 4, hostile  # the setting, the method, the metric and the example
    # Nothing that turns the text around it, hides in it, or may not stand in a page.
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]", text)


@pytest.fixture(scope="module")
def with_docstring(whole):
    """The page of the whole run with another line in every section of the recipe's docstring."""
    run, recipe, path, _ = whole
    code = path.read_text()
    code = code[code.index('"""\n\nfrom') + 4 :]

    def page(line):
        words = "".join(f"{heading:10}{line}\n" for heading in ("Paper", "There", "Here", "Claims", "Leaves"))
        docstring = f"Coin study: {line}.\n\n{words}"
        other = path.with_name("other_docstring.py")
        other.write_text(f"{docstring!a}\n{code}")
        return report.render(report.contents(run, recipe, other))

    return page


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_docstring_stays_text(with_docstring, hostile):
    text = with_docstring(" ".join(hostile.split()))
    links = ("a", ["href", "rel"])
    assert [one for one in shape(text) if one != links] == shape(with_docstring("plain"))
    for tag, attributes in Page(text).tags:
        if tag == "a" and attributes["href"][0] != "#":
            assert re.fullmatch(r"https://(arxiv\.org/abs/[\d.]+|doi\.org/10\.\d+/[\w./()-]+)", attributes["href"])


def test_lone_surrogates_can_be_written():
    assert report.visible("a\ud800b\U000e0041") == "a[U+D800]b[U+E0041]"
    assert report.visible("e\u0301 \U0001f469\u200d\U0001f52c\tкот\n") == "e\u0301 \U0001f469\u200d\U0001f52c\tкот\n"


def test_long_examples_are_cut_and_the_page_stays_small(tmp_path):
    source = SOURCE.replace("throws: int = 12", "throws: int = 3000").replace("2.0**step", "1.0 + step")
    *_, text = study(tmp_path, example="long line of text\n" * 20_000, source=source, seeds=2)
    assert "The first 20,000 of its 360,000 characters." in text
    assert len(text.encode()) < 400_000


@pytest.mark.parametrize(
    "wild", ["1e300", "-1e300 if step % 2 else 1e300", "5e-324", "float('nan')", "float('inf')", "10.0**(40 * step)"]
)
def test_wild_numbers_do_not_stop_the_page(tmp_path, wild):
    source = SOURCE.replace("2.0**step", wild).replace('"bare": height', f'"bare": {wild}')
    text = study(tmp_path, source=source, seeds=2, overrides={"throws": 6})[3]
    for picture in re.findall(r"<svg.*?</svg>", text, re.DOTALL):
        assert not re.search(r'"[^"]*(nan|inf)%?"', picture)
    assert "Final numbers" in text


def test_student_intervals_agree_with_a_t_test():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(7, 3))
    mean, low, high, n = report.student(values)
    for column in range(3):
        expected = stats.ttest_1samp(values[:, column], 0.0).confidence_interval(0.95)
        assert (low[column], high[column]) == pytest.approx((expected.low, expected.high))
    assert mean == pytest.approx(values.mean(0)) and n.tolist() == [7, 7, 7]


def test_student_leaves_out_what_is_not_finite():
    values = np.array([[1.0, np.nan, np.nan], [3.0, 2.0, np.inf]])
    mean, low, high, n = report.student(values)
    assert n.tolist() == [2, 1, 0]
    assert mean[:2].tolist() == [2.0, 2.0] and np.isnan(mean[2])
    assert np.isfinite([low[0], high[0]]).all() and np.isnan([low[1], high[1], low[2]]).all()


def luminance(colour):
    """Relative luminance of #rrggbb (WCAG 2.2)."""
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_colours_can_be_read_in_light_dark_and_print():
    source = (Path(report.__file__).parent / "report.html.jinja").read_text()
    palettes = [
        dict(re.findall(r"--([a-z0-9]+): (#[0-9a-f]{3,6})", block))
        for block in re.findall(r":root \{(.*?)\}", source, re.DOTALL)
    ]
    assert len(palettes) == 3
    for palette in palettes:
        palette = {name: c if len(c) == 7 else "#" + "".join(2 * x for x in c[1:]) for name, c in palette.items()}
        for name in ("ink", "soft", "holds", "fails", "open", "link", *(f"c{i}" for i in range(6)), "control"):
            pair = sorted([luminance(palette[name]), luminance(palette["paper"])])
            assert (pair[1] + 0.05) / (pair[0] + 0.05) >= 4.5, name


def test_claims_are_numbered_only_where_the_docstring_numbers_them():
    assert report._numbered("1. one\nmore\n2) two\n3 three") == ["one more", "two", "three"]
    assert report._numbered("one\ntwo") == [] and report._numbered("2. two") == []
