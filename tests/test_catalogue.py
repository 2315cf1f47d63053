"""The catalogue: its rows, statuses read off recipes and records, and the table in the README."""

import json
from pathlib import Path

import pytest

from ludus import catalogue, recipes
from ludus.study.disk import Corrupt
from ludus.study.recipe import code_hash

KINDS = {"algorithm", "system", "study", "benchmark", "theory", "survey", "position"}
FAMILIES = {
    "selfplay",
    "society",
    "equilibria",
    "reasoners",
    "agents",
    "worlds",
    "inside",
    "machinery",
    "science",
    "map",
}


def claim(words="a ends higher than b", verdict="holds", p=None):
    sentence = f"{verdict.capitalize()}: effect 1."
    return {"claim": words, "scope": "", "verdict": verdict, "effect": 1.0, "interval": [0.5, 1.5], "p": p} | {
        "sentence": sentence
    }


def write_record(folder: Path, slug: str, code: str, *claims: dict) -> None:
    text = json.dumps({"slug": slug, "code": code, "claims": claims})
    (folder / f"{slug}.json").write_text(text, encoding="utf-8")


def row(rows, slug):
    return next(paper for paper in rows if paper.slug == slug)


def test_the_rows_are_whole(tmp_path):
    rows = catalogue.papers(tmp_path)
    assert len(rows) == 174
    assert len({paper.slug for paper in rows}) == 174
    assert {paper.kind for paper in rows} <= KINDS
    assert {paper.family for paper in rows} <= FAMILIES
    assert {paper.core for paper in rows} == {1, 2, 3}
    for paper in rows:
        assert paper.title and paper.summary.endswith(".") and all(paper.tags), paper.slug
        assert paper.date[:4].isdecimal() and len(paper.date) in (4, 7, 10), paper.slug


def test_a_quotation_mark_is_a_quotation_mark(tmp_path):
    assert row(catalogue.papers(tmp_path), "emotion-circuits").title.startswith('Do LLMs "Feel"?')


def test_every_recipe_is_a_row_of_its_family(tmp_path):
    families = {paper.slug: paper.family for paper in catalogue.papers(tmp_path)}
    for slug, path in recipes.find().items():
        assert families[slug] == path.parent.name


def test_status_is_read_off_what_is_there(tmp_path):
    path = recipes.find()["off-switch"]
    assert row(catalogue.papers(tmp_path), "off-switch").status == "built"
    assert row(catalogue.papers(tmp_path), "hcsp").status == "wanted"
    write_record(tmp_path, "off-switch", code_hash(path), claim())
    assert row(catalogue.papers(tmp_path), "off-switch").status == "recorded"
    write_record(tmp_path, "off-switch", "0" * 16, claim())
    stale = row(catalogue.papers(tmp_path), "off-switch")
    assert stale.status == "stale" and stale.verdicts[0]["verdict"] == "holds"


def test_p_values_are_adjusted_over_the_catalogue(tmp_path):
    """Benjamini and Hochberg by hand: of 0.01, 0.02, 0.04 and 0.5, the k-th smallest becomes p * 4 / k."""
    write_record(tmp_path, "off-switch", "", claim(p=0.02), claim(verdict="not run"), claim(verdict="fails", p=0.5))
    write_record(tmp_path, "cultural-donor", "", claim(p=0.01), claim(p=0.04))
    rows = catalogue.papers(tmp_path)
    seen = [verdict["adjusted"] for slug in ("off-switch", "cultural-donor") for verdict in row(rows, slug).verdicts]
    assert seen[1] is None
    assert [seen[0], *seen[2:]] == pytest.approx([0.04, 0.5, 0.04, 0.04 * 4 / 3])


def test_a_damaged_record_is_named(tmp_path):
    (tmp_path / "off-switch.json").write_text("{", encoding="utf-8")
    with pytest.raises(Corrupt, match=r"off-switch\.json"):
        catalogue.papers(tmp_path)


def test_search_needs_every_word(tmp_path):
    rows = catalogue.papers(tmp_path)
    found = {paper.slug for paper in catalogue.search(rows, "Self-Play zero-sum")}
    assert "spiral" in found and "off-switch" not in found
    assert [paper.slug for paper in catalogue.search(rows, "2506.24119")] == ["spiral"]


def test_the_table_counts_the_verdicts(tmp_path):
    path = recipes.find()["off-switch"]
    several = claim(), claim(), claim(verdict="fails"), claim(verdict="not run")
    write_record(tmp_path, "off-switch", code_hash(path), *several)
    lines = catalogue.markdown_table(catalogue.papers(tmp_path)).split("\n")
    line = next(line for line in lines if line.startswith("| `off-switch` |"))
    assert line.endswith("| recorded | 2 holds, 1 fails, 1 not run |")
    assert "https://arxiv.org/abs/1611.08219" in line
    assert len(lines) == 2 + len(recipes.find())


def test_a_page_is_rewritten_between_its_markers():
    start, end = catalogue.MARKERS
    page = catalogue.rewrite(f"before\n{start}\nold\n{end}\nafter\n")
    assert page == f"before\n{start}\n{catalogue.markdown_table()}\n{end}\nafter\n"
    assert catalogue.rewrite(page) == page
    for wrong in ("", start, f"{end} {start}", f"{start}{start}{end}"):
        with pytest.raises(ValueError, match="once each"):
            catalogue.rewrite(wrong)


def test_the_readme_holds_the_table_of_today():
    """`python -m ludus.catalogue README.md` makes it so."""
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    assert catalogue.rewrite(readme) == readme
