"""`ludus compare`: recipes at equal terms, read from the store the second time, one line for what cannot join."""

import json
import sys

import numpy as np
import pytest

from ludus import cli

RECIPE = '''"""A climber: its score rises with tokens.

Paper     None; a fixture of the tests.
There     Nothing.
Here      A line with noise, from a base that the seed decides.
Claims    1 It rises higher than its control.
Leaves    Everything.
"""

from dataclasses import dataclass

from ludus.study import Higher, Recipe


@dataclass(frozen=True)
class Settings:
    task: str = "countdown"
    level: int = 1
    layers: int = 1
    width: int = 8
    warm: int = 50
    longest: int = 9
    budget: int = 1000
    slope: float = SLOPE
    crash: bool = False


def run(settings, rng, log):
    if settings.crash:
        raise RuntimeError("it fell")
    base = 0.2 + 0.01 * settings.level + 0.05 * rng.standard_normal()
    for step in range(5):
        tokens = settings.budget * step / 4
        score = base + settings.slope * step / 4 + (step > 0) * 0.01 * rng.standard_normal()
        log.row(step, tokens=tokens, score=score, pass_1=score, pass_32=0.9, distinct=2.0, entropy=1.0)
    return {"score": score}


RECIPE = Recipe(
    slug="NAME",
    arms={"climbs": Settings(), "rests": Settings(slope=0.0), "harder": Settings(level=3)},
    run=run,
    claims=(Higher("climbs", than="rests", metric="score"),),
    control="rests",
    seeds=SEEDS,
    minutes=0.1,
    quick={"budget": 8},
    watch="score",
)
'''


@pytest.fixture
def ludus(monkeypatch, capsys, tmp_path):
    """Call the command in a folder with two recipes -> (exit code, standard output, standard error)."""
    monkeypatch.chdir(tmp_path)
    for name, slope, seeds in (("slow", "0.2", "3"), ("fast", "0.5", "4")):
        write(tmp_path, name, SLOPE=slope, SEEDS=seeds)

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["ludus", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return ended.value.code, out, err

    return call


def write(folder, name, SLOPE="0.1", SEEDS="2", **changed):
    text = RECIPE
    for old, new in {"NAME": name, "SLOPE": SLOPE, "SEEDS": SEEDS, **changed}.items():
        assert old in text
        text = text.replace(old, new)
    (folder / f"{name}.py").write_text(text)


TWO = ("compare", "slow.py", "fast.py", "--jobs", "1")


def test_the_answer_as_json(ludus, tmp_path):
    code, out, err = ludus(*TWO, "--set", "budget=400", "--set", "level=3", "--json")
    assert code == 0 and "slow: 8 of 8 cells" in err and "fast: 8 of 8 cells" in err
    answer = json.loads(out)
    assert set(answer) == {
        *("settings", "seeds", "root_seed", "quick", "notices", "entries", "hash", "command", "report"),
    }
    assert answer["settings"] == {
        **{"task": "countdown", "level": 3, "layers": 1, "width": 8},
        **{"warm": 50, "longest": 9, "budget": 400},
    }
    assert answer["seeds"] == 4 and answer["notices"] == []  # the most that a recipe asks for
    assert [(one["slug"], one["arm"], one["control"]) for one in answer["entries"]] == [
        *(("slow", "climbs", False), ("slow", "rests", True), ("fast", "climbs", False), ("fast", "rests", True)),
    ]
    slow, rests, fast, _ = answer["entries"]
    assert all(one["tokens"]["number"] == 400 for one in answer["entries"])
    assert slow["lead"]["number"] == pytest.approx(0.2) and fast["lead"]["number"] == pytest.approx(0.5)
    assert rests["lead"] is None and rests["score"]["kind"] == "sampled"
    assert slow["score"]["interval"][0] < slow["score"]["number"] < slow["score"]["interval"][1]
    drawn = fast["curves"]["score"]
    assert drawn["tokens"] == [0, 100, 200, 300, 400] and np.diff(drawn["mean"]).min() > 0
    assert drawn["mean"][0] == slow["curves"]["score"]["mean"][0]  # one base model
    assert "fast ends highest" in (tmp_path / answer["report"]).read_text()


def test_what_is_stored_is_read_and_the_command_asks_for_it(ludus, tmp_path):
    before = json.loads(ludus(*TWO, "--seeds", "2", "--root-seed", "5", "--json")[1])
    code, out, err = ludus(*before["command"].split()[1:], "--json")
    after = json.loads(out)
    assert code == 0 and err == "" and after == before
    assert before["command"] == (
        "ludus compare slow.py fast.py --set task=countdown --set level=1 --set layers=1 --set width=8 --set warm=50 "
        "--set longest=9 --set budget=1000 --seeds 2 --root-seed 5"
    )
    assert len(list((tmp_path / "runs").glob("*/run.json"))) == 2
    assert "slow" in ludus("runs")[1]


def test_in_words(ludus, tmp_path):
    code, out, _ = ludus(*TWO, "--quick", "--out", "pages/mine.html")
    assert code == 0 and (tmp_path / "pages" / "mine.html").is_file()
    assert "ahead of control" in out and "fast ends highest, on one seed, which decides nothing." in out
    assert "Quick runs" in out and "page  pages/mine.html" in out


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (
            {"warm: int = 50": "warmth: int = 50"},
            "odd cannot be compared: it has no setting warm; a recipe that can has ",
        ),
        ({"level: int = 1": "", "settings.level": "1", "level=3": ""}, "it has no setting level; "),
        (
            {"distinct=2.0, entropy=1.0": "answers=2.0"},
            "odd cannot be compared: its arm climbs writes no distinct, no en",
        ),
        ({"tokens=tokens, ": ""}, "writes no tokens, no score"),
        (
            {"level: int = 1": 'level: str = "easy"', "0.01 * settings.level": "0", "level=3": "level='hard'"},
            "setting level is text, got 1",
        ),
    ],
)
def test_a_recipe_that_cannot_join_is_told_what_it_lacks(ludus, tmp_path, changed, told):
    write(tmp_path, "odd", **changed)
    code, out, err = ludus("compare", "slow.py", "odd.py", "--jobs", "1", "--seeds", "1")
    assert code == 2 and out == "" and told in err.splitlines()[-1] and err.splitlines()[-1].startswith("error: ")
    assert not list((tmp_path / "runs").glob("*.html"))
    if "setting" in told:  # settings are looked at before anything is run
        assert len(err.splitlines()) == 1 and not list((tmp_path / "runs").glob("*/run.json"))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("slow.py",), "RECIPE: give 2 to 6 different recipes; slow seen"),
        (("slow.py", "slow.py"), "RECIPE: give 2 to 6 different recipes; slow, slow seen"),
        (("slow.py", "nothing"), "there is no recipe 'nothing'"),
        (("slow.py", "fast.py", "--set", "budget"), "--set: 'budget' is no NAME=VALUE"),
        (("slow.py", "fast.py", "--set", "budget=much"), "setting budget is a whole number, got 'much'"),
        (("slow.py", "fast.py", "--set", "slope=1"), "is what tells the arms"),
        (("slow.py", "fast.py", "--set", "depth=1"), "has no setting 'depth'"),
        (("slow.py", "fast.py", "--seeds", "0"), "seeds is a whole number of at least 1, got 0"),
    ],
)
def test_mistakes_are_one_line(ludus, words, told):
    code, out, err = ludus("compare", *words)
    assert code == 2 and out == "" and told in err and len(err.splitlines()) == 1 and err.startswith("error: ")


def test_a_cell_that_crashes(ludus):
    code, out, err = ludus(*TWO, "--seeds", "1", "--set", "crash=true")
    assert code == 1 and out == "" and "it fell" in err.splitlines()[-1] and "traceback is in" in err
