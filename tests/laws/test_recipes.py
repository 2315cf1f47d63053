"""Laws that every recipe keeps, over all that are found, and over the records there are."""

import contextlib
import shutil
from pathlib import Path

import numpy as np
import pytest

import ludus
from ludus import recipes
from ludus.study import Log, record
from ludus.study.recipe import HEADINGS, control_of, sections
from ludus.study.run import CellFailed, run_study
from ludus.study.store import bare, rows
from ludus.study.verdict import judge

FOUND = recipes.find()
ROOT = Path(ludus.__file__).parents[2]
RECORDS = record.read(ROOT / "results")
SLUGS = sorted(FOUND)


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """slug -> its quick run, made once."""
    made = {}

    def run(slug):
        if slug not in made:
            made[slug] = run_study(recipes.load(slug), FOUND[slug], runs=tmp_path_factory.mktemp(slug), quick=True)
        return made[slug]

    return run


@pytest.mark.parametrize("slug", SLUGS)
def test_it_is_found_under_its_name_with_its_headings(slug):
    assert recipes.load(slug).slug == slug
    assert set(sections(FOUND[slug])) == {"", *HEADINGS}


@pytest.mark.parametrize("slug", SLUGS)
def test_every_claim_has_a_control_and_words(slug):
    recipe = recipes.load(slug)
    for claim in recipe.claims:
        assert control_of(recipe, claim) in recipe.arms
        assert claim.at(control_of(recipe, claim)) != claim and claim.reverse() != claim
        assert claim.words() and claim.scope in ("", "transfer", "server")


@pytest.mark.parametrize("slug", SLUGS)
def test_quick_mode_runs_every_arm_to_finite_numbers(slug, quick):
    recipe, run = recipes.load(slug), quick(slug)
    assert set(run.results["numbers"]) == set(recipe.arms)
    for arm, metrics in run.results["numbers"].items():
        for metric, seen in metrics.items():
            assert np.isfinite([float(value) for value in seen["values"]]).all(), (arm, metric)
    for row in rows(run):
        assert not np.isnan([bare(value) for value in row.metrics.values()]).any(), row


@pytest.mark.parametrize("slug", SLUGS)
def test_quick_mode_measures_what_the_claims_are_about(slug, quick):
    """A misspelt metric shows here. Quick mode may leave out games, so of METRIC/GAME some claims may be `not run`.

    So may a claim on a share of a number that is zero in so short a run; every arm has to measure it all the same.
    """
    recipe = recipes.load(slug)
    numbers = {
        arm: {metric: np.array([float(value) for value in seen["values"]]) for metric, seen in metrics.items()}
        for arm, metrics in quick(slug).results["numbers"].items()
    }
    verdicts = [(claim, judge(claim, numbers)) for claim in recipe.claims]
    assert any(verdict.verdict != "not run" for _, verdict in verdicts)
    for claim, verdict in verdicts:
        if claim.scope != "server" and "/" not in claim.metric:
            assert all(claim.metric in numbers[arm] for arm in claim.arms()), claim.metric
            of_nothing = getattr(claim, "relative", False) and not numbers[claim.than][claim.metric].any()
            assert of_nothing or verdict.verdict != "not run", verdict.sentence


@pytest.mark.parametrize("slug", SLUGS)
def test_a_second_run_stopped_after_its_first_checkpoints_gives_the_same_hash(slug, quick, tmp_path, monkeypatch):
    """A recipe that draws from elsewhere, or leaves something out of its state, differs here."""
    recipe = recipes.load(slug)
    commit = Log.checkpoint

    def stop(log, state):
        commit(log, state)
        raise InterruptedError("stopped by the test")

    with monkeypatch.context() as patched, contextlib.suppress(CellFailed):  # one without checkpoints just runs
        patched.setattr(Log, "checkpoint", stop)
        run_study(recipe, FOUND[slug], runs=tmp_path, quick=True)
    again = run_study(recipe, FOUND[slug], runs=tmp_path, quick=True)
    assert again.results["hash"] == quick(slug).results["hash"]


@pytest.mark.parametrize("slug", SLUGS)
def test_stopped_after_its_last_checkpoint_it_gives_the_same_hash(slug, quick, tmp_path):
    """The cell resumes with nothing left to do but to return its numbers."""
    folder = tmp_path / quick(slug).folder.name
    shutil.copytree(quick(slug).folder, folder)
    for file in [folder / "results.json", *folder.glob("cells/*/result.json")]:
        file.unlink()
    again = run_study(recipes.load(slug), FOUND[slug], runs=tmp_path, quick=True)
    assert again.results["hash"] == quick(slug).results["hash"]


@pytest.mark.parametrize("slug", sorted(set(SLUGS) & set(RECORDS)))
def test_the_quick_numbers_are_those_of_the_record(slug, quick):
    if record.status(FOUND[slug], RECORDS[slug]) == "stale":
        pytest.skip("the recipe has changed since it was recorded, and its page says so")
    now = {
        arm: {metric: seen["values"][0] for metric, seen in metrics.items()}
        for arm, metrics in quick(slug).results["numbers"].items()
    }
    assert record.moved(RECORDS[slug], now) == []


@pytest.mark.parametrize("slug", sorted(RECORDS))
def test_recorded_verdicts_mean_something(slug):
    """No claim holds on its control, and no reverse beside its claim."""
    assert slug in FOUND, f"results/{slug}.json has no recipe"
    assert record.faults(RECORDS[slug]) == []
    assert len(RECORDS[slug]["claims"]) > 0
