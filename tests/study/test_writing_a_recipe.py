"""The example of docs/writing-a-recipe.md is a recipe that runs, and its table names every form of claim."""

import re
from pathlib import Path

import ludus.study
from ludus.study import Claim, record
from ludus.study.recipe import HEADINGS, load, sections
from ludus.study.run import run_study

PAGE = (Path(__file__).parents[2] / "docs" / "writing-a-recipe.md").read_text()


def test_the_example_runs_and_its_claims_need_their_mechanism(tmp_path):
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    file = tmp_path / "thompson_sampling.py"
    file.write_text(code)
    assert max(map(len, code.splitlines())) <= 120
    assert set(sections(file)) == {"", *HEADINGS}
    recipe = load(file)
    run = run_study(recipe, file, runs=tmp_path / "runs", jobs=1)
    assert [verdict.verdict for verdict in run.verdicts] == ["holds", "inconclusive"]
    assert run.verdicts[1].seeds_needed > 8
    quick = run_study(recipe, file, runs=tmp_path / "runs", quick=True)
    assert set(quick.results["numbers"]) == set(recipe.arms)
    path = record.record(run, recipe, file, tmp_path / "results")
    assert record.faults(record.read(path.parent)["thompson-sampling"]) == []


def test_the_table_names_every_form():
    forms = {name for name in ludus.study.__all__ if isinstance(getattr(ludus.study, name), type)}
    forms = {name for name in forms if issubclass(getattr(ludus.study, name), Claim)} - {"Claim"}
    assert forms <= set(re.findall(r"`(\w+)[(`]", PAGE)) and len(forms) == 9
