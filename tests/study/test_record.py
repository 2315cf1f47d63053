"""Records: what is written, what is refused, when it is stale, and the faults that make verdicts worthless."""

import copy
import dataclasses
import json
from pathlib import Path

import pytest

from ludus.study import Higher, record
from ludus.study.disk import Corrupt
from ludus.study.recipe import load
from ludus.study.run import run_study

MORAN = Path(__file__).parent / "recipes" / "moran.py"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("record")
    recipe = load(MORAN)
    run = run_study(recipe, MORAN, runs=folder / "runs", jobs=1)
    return json.loads(record.record(run, recipe, MORAN, folder / "results").read_text())


def test_what_a_record_holds(recorded):
    assert recorded["slug"] == "moran" and recorded["seeds"] == 6 and recorded["root_seed"] == 0
    assert [claim["verdict"] for claim in recorded["claims"]] == ["holds", "holds"]
    first = recorded["claims"][0]
    assert first["interval"][0] <= first["effect"] <= first["interval"][1] and first["p"] == 1 / 64
    assert (first["control_arm"], first["control"]["verdict"], first["reverse"]["verdict"]) == (
        "neutral",
        "fails",
        "fails",
    )
    assert recorded["numbers"]["fit"]["fixed"]["mean"] == pytest.approx(0.5, abs=0.1)
    assert set(recorded["versions"]) >= {"ludus", "numpy"} and recorded["minutes"] > 0
    assert record.faults(recorded) == []


def test_quick_numbers_are_compared_within_the_tolerance(recorded):
    now = record.quick_numbers(load(MORAN), MORAN)
    assert record.moved(recorded, now) == []
    now["fit"]["fixed"] += 0.05
    (difference,) = record.moved(recorded, now)
    assert difference.startswith("fixed of arm fit was")
    del now["fit"]
    assert len(record.moved(recorded, now)) == 2


def test_only_the_full_study_is_recorded(tmp_path):
    recipe = load(MORAN)
    for asked, message in (
        ({"quick": True}, "not a quick one"),
        ({"seeds": 5}, "at least 6 seeds; this one has 5"),
        ({"arms": ["fit"]}, "leave out --arm and --set"),
        ({"overrides": {"populations": 10}}, "leave out --arm and --set"),
    ):
        run = run_study(recipe, MORAN, runs=tmp_path / "runs", jobs=1, **asked)
        with pytest.raises(record.NotRecordable, match=message):
            record.record(run, recipe, MORAN, tmp_path / "results")
    assert not (tmp_path / "results").exists()


def test_a_claim_that_holds_on_its_control_is_not_held(tmp_path):
    """Both arms are above 0.01, so the claim says nothing of the mechanism; the verdict says so."""
    recipe = dataclasses.replace(load(MORAN), claims=(Higher("fit", than=0.01, metric="fixed"),))
    run = run_study(recipe, MORAN, runs=tmp_path / "runs", jobs=1)
    stored = json.loads(record.record(run, recipe, MORAN, tmp_path).read_text())
    (claim,) = stored["claims"]
    assert claim["verdict"] == "inconclusive" and claim["control"]["verdict"] == "holds"
    assert claim["p"] <= 0.05 and "with the control neutral it is there too" in claim["sentence"]
    for verdict in ("inconclusive", "fails", "holds"):  # a fault whatever the claim itself came to
        claim["verdict"] = verdict
        (fault,) = record.faults(stored)
        assert "holds with the control neutral in its place" in fault


def test_a_failed_claim_is_a_finding_and_a_reverse_beside_it_a_fault(recorded):
    stored = copy.deepcopy(recorded)
    stored["claims"][0]["verdict"], stored["claims"][0]["reverse"]["verdict"] = "fails", "holds"
    assert record.faults(stored) == []
    stored["claims"][0]["verdict"] = "holds"
    assert len(record.faults(stored)) == 1


def test_status(tmp_path, recorded):
    file = tmp_path / "moran.py"
    file.write_text(MORAN.read_text())
    assert record.status(file, None) == "built"
    assert record.status(file, recorded) == "recorded"
    file.write_text(MORAN.read_text().replace("def run(", "# a comment\ndef run("))
    assert record.status(file, recorded) == "recorded"
    file.write_text(MORAN.read_text().replace("size: int = 10", "size: int = 11"))
    assert record.status(file, recorded) == "stale"


def test_a_damaged_record_is_named(tmp_path, recorded):
    (tmp_path / "moran.json").write_text(json.dumps(recorded))
    assert record.read(tmp_path) == {"moran": recorded}
    (tmp_path / "other.json").write_text("{")
    with pytest.raises(Corrupt, match=r"other\.json is damaged"):
        record.read(tmp_path)
