"""The command line: what scripts rely on, what people read, and one clear line for every mistake."""

import importlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import typer

from ludus import cli, gambit, games
from ludus.cli.solve import BY_PLANS, ITERATIVE
from ludus.measure.nash_conv import nash_conv
from ludus.solve import approach
from ludus.solve.cfr import cfr_plus
from ludus.tree import grow

STUDY = '''"""A coin: the second throw of a loaded one.

Paper     None; a fixture of the tests.
There     Nothing.
Here      Normal numbers, whose mean is the load.
Claims    1 The loaded coin falls higher.
Leaves    Everything.
"""

import time
from dataclasses import dataclass

from ludus.study import Higher, Recipe


@dataclass(frozen=True)
class Settings:
    load: float = 0.0
    throws: int = 3
    pause: float = 0.0
    crash: bool = False


def run(settings, rng, log):
    if settings.crash and settings.load > 0:
        raise RuntimeError("the coin rolled\\naway")
    total = 0.0
    for step in range(settings.throws):
        total += settings.load + rng.normal(0, 0.1)
        log.row(step, mean=total / (step + 1))
        time.sleep(settings.pause)
    return {"mean": total / settings.throws}


RECIPE = Recipe(
    slug="coin",
    arms={"loaded": Settings(load=1.0), "fair": Settings(), "control": Settings(load=-1e-9)},
    run=run,
    claims=(Higher("loaded", than="fair", metric="mean"), Higher("loaded", than=5.0, metric="mean")),
    control="control",
    seeds=6,
    minutes=0.1,
    quick={"throws": 1},
    metrics={"mean": ("points", "mean of the throws")},
    watch="mean",
)
'''


@pytest.fixture
def ludus(monkeypatch, capsys):
    """Call the command in this process -> (exit code, standard output, standard error)."""

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["ludus", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return ended.value.code, out, err

    return call


@pytest.fixture
def study(tmp_path, monkeypatch):
    """A recipe file in an empty current folder."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "coin.py"
    path.write_text(STUDY, encoding="utf-8")
    return path


def test_help_lists_the_commands(ludus):
    code, out, err = ludus("--help")
    assert code == 0 and not err
    for command in ("run", "papers", "games", "play", "tournament", "replay", "solve", "runs", "report", "check"):
        assert re.search(rf"^\W*{command}\s", out, re.MULTILINE), command


def test_no_command_is_answered_with_the_help(ludus):
    code, out, err = ludus()
    assert code == 2 and "papers" in out and not err


def test_python_minus_m_is_the_command():
    asked = subprocess.run([sys.executable, "-m", "ludus", "nothing"], capture_output=True, text=True)
    assert asked.returncode == 2 and asked.stderr.startswith("error: No such command 'nothing'.")


# papers


def test_papers_as_json(ludus):
    code, out, _ = ludus("papers", "--json")
    rows = json.loads(out)
    assert code == 0 and len(rows) == 174
    for row in rows:
        assert {"slug", "family", "core", "kind", "title", "date", "status", "verdicts"} <= set(row)
        assert row["status"] in ("recorded", "stale", "built", "wanted")
        for verdict in row["verdicts"]:
            assert {"claim", "scope", "verdict", "effect", "interval", "p", "adjusted"} <= set(verdict)
    assert next(row["core"] for row in rows if row["slug"] == "spiral") == 3


def test_papers_are_filtered(ludus):
    rows = json.loads(ludus("papers", "poker", "--family", "selfplay", "--json")[1])
    assert rows and {row["family"] for row in rows} == {"selfplay"}
    rows = json.loads(ludus("papers", "--core", "1", "--status", "wanted", "--json")[1])
    assert rows and {(row["core"], row["status"]) for row in rows} == {(1, "wanted")}
    assert json.loads(ludus("papers", "zzzz", "--json")[1]) == []
    assert "Did you mean spiral" in ludus("papers", "spirall")[1]


def test_a_card_tells_everything(ludus):
    _, out, _ = ludus("papers", "hcsp")
    for part in ("Mastering Multi-Drone Volleyball", "arXiv:2505.04317", "selfplay", "robotics", "wanted"):
        assert part in out


def test_a_card_shows_the_recorded_verdicts(ludus, tmp_path, monkeypatch):
    claim = {"claim": "a ends higher than b", "scope": "transfer", "verdict": "fails", "effect": -1.0, "p": 0.9}
    claim |= {"interval": [-2.0, None], "sentence": "Fails: effect -1."}
    text = json.dumps({"slug": "off-switch", "code": "", "claims": [claim]})
    (tmp_path / "off-switch.json").write_text(text, encoding="utf-8")
    monkeypatch.setattr("ludus.catalogue.results_folder", lambda: tmp_path)
    _, out, _ = ludus("papers", "off-switch")
    assert "stale" in out and "1 fails [transfer] a ends higher than b" in out
    assert "Fails: effect -1. Adjusted over the catalogue: p = 0.9." in out


# games and solve


def test_games_as_json(ludus):
    code, out, _ = ludus("games", "--json")
    rows = {row["name"]: row for row in json.loads(out)}
    assert code == 0 and len(rows) == len(games.names())
    kuhn = rows["kuhn_poker"]
    assert set(kuhn) == {"name", "players", "actions", "nodes", "infosets", "source"}
    assert (kuhn["players"], kuhn["actions"], kuhn["nodes"], kuhn["infosets"]) == (2, 2, 58, 12)
    assert rows["connect_four"]["nodes"] is None and rows["connect_four"]["infosets"] is None


def test_solve_as_json(ludus):
    code, out, err = ludus("solve", "kuhn_poker", "--iterations", "2000", "--json")
    answer = json.loads(out)
    assert code == 0 and not err
    assert set(answer) == {
        *(
            "method",
            "players",
            "equilibria",
            "complete",
            "note",
            "value",
            "nash_conv",
            "iterations",
            "seconds",
            "policy",
        )
    }
    assert (answer["method"], answer["iterations"], answer["complete"]) == ("dcfr", 2000, False)
    low, high = answer["value"]["interval"]
    assert low <= -1 / 18 <= high  # Kuhn (1950)
    assert high - low == pytest.approx(answer["nash_conv"]["number"])
    assert answer["value"]["kind"] == "lower bound" and answer["nash_conv"]["kind"] == "exact"
    (found,) = answer["equilibria"]
    assert sum(found["payoffs"]) == pytest.approx(0) and 0 <= found["regret"] <= answer["nash_conv"]["number"] < 1e-3
    # The one strategy of the second player (Kuhn 1950): call with a queen and bluff with a jack a third of the time.
    assert found["profile"]["player 1"]["Q bet"]["bet"] == pytest.approx(1 / 3, abs=0.01)
    assert found["profile"]["player 1"]["J pass"]["bet"] == pytest.approx(1 / 3, abs=0.01)


def test_what_is_printed_is_what_was_certified(ludus):
    answer = json.loads(ludus("solve", "leduc_poker", "--iterations", "37", "--method", "cfr+", "--json")[1])
    tree, table = grow(games.load("leduc_poker")), np.array(answer["policy"]["probability"])
    assert answer["iterations"] == 37 and nash_conv(tree, table).number == pytest.approx(answer["nash_conv"]["number"])
    assert nash_conv(tree, table).number <= nash_conv(tree, cfr_plus(tree, 37).average).number + 1e-12


def test_kuhn_poker_is_solved_exactly(ludus):
    """Without a word of how, two players of constant sum go to the linear program."""
    answer = json.loads(ludus("solve", "kuhn_poker", "--json")[1])
    assert answer["method"] == "lp" and answer["value"]["kind"] == "exact" and answer["value"]["interval"] is None
    assert answer["value"]["number"] == pytest.approx(-1 / 18, abs=1e-9) and answer["nash_conv"]["number"] < 1e-9


def test_all_equilibria_of_a_small_game(ludus):
    """Battle of the sexes: two pure equilibria and a mixed one in which both earn two thirds."""
    answer = json.loads(ludus("solve", "battle_of_the_sexes", "--json")[1])
    assert answer["method"] == "supports" and answer["complete"] and answer["value"] is None
    payoffs = sorted(found["payoffs"] for found in answer["equilibria"])
    assert len(payoffs) == 3 and payoffs[0] == pytest.approx([2 / 3, 2 / 3]) and payoffs[1:] == [[1, 2], [2, 1]]
    assert all(found["regret"] <= 1e-9 for found in answer["equilibria"])
    _, out, _ = ludus("solve", "battle_of_the_sexes")
    assert "equilibria 3, and there are no more" in out and out.count("largest gain") == 3


@pytest.mark.parametrize("method", ["pure", "lemke-howson", "logit", "supports"])
def test_every_method_of_plans_gives_certified_tables(ludus, method):
    answer = json.loads(ludus("solve", "stag_hunt", "--method", method, "--json")[1])
    assert answer["method"] == method and answer["equilibria"] and len(answer["policy"]["probability"]) == 2
    assert all(found["regret"] < 1e-6 for found in answer["equilibria"])


@pytest.mark.parametrize("method", ["dcfr", "cfr+", "pcfr+", "cfr", "mmd", "xfp"])
def test_every_method_that_iterates_comes_nearer(ludus, method):
    answer = json.loads(ludus("solve", "kuhn_poker", "--method", method, "--iterations", "300", "--json")[1])
    assert answer["method"] == method and answer["nash_conv"]["number"] < 0.3 < 11 / 12  # 11/12 is that of even play


def test_the_methods_named_are_those_there_are():
    assert tuple(approach.METHODS) == ITERATIVE
    for module, name in BY_PLANS.values():
        assert callable(getattr(importlib.import_module(f"ludus.solve.{module}"), name))


def test_gambit_files_are_solved(ludus, tmp_path):
    """A tree and a matrix, written by Ludus; nobody can be seated with a file's strategies, so there is no policy."""
    gambit.save(tmp_path / "poker.efg", grow(games.load("kuhn_poker")))
    answer = json.loads(ludus("solve", tmp_path / "poker.efg", "--json")[1])
    assert answer["value"]["number"] == pytest.approx(-1 / 18, abs=1e-9) and answer["policy"] is None
    assert answer["equilibria"][0]["profile"]["player 1"]["K bet"] == {"pass": 0.0, "bet": 1.0}
    gambit.save(tmp_path / "pennies.nfg", games.form("matching_pennies"))
    code, out, _ = ludus("solve", tmp_path / "pennies.nfg")
    assert code == 0 and out.startswith("pennies.nfg: 7 nodes, 2 infosets, 2 players")
    (tmp_path / "torn.efg").write_text('EFG 2 R "x" { "a" "b" }\np "" 1 1 "" { "l"', encoding="utf-8")
    code, out, err = ludus("solve", tmp_path / "torn.efg")
    assert code == 2 and not out and "torn.efg" in err and "line 2" in err and "Traceback" not in err


def test_solve_stops_where_it_is_told(ludus):
    answer = json.loads(ludus("solve", "kuhn_poker", "--target", "0.01", "--json")[1])
    assert answer["nash_conv"]["number"] <= 0.01 and answer["iterations"] < 1000
    started = time.monotonic()
    answer = json.loads(ludus("solve", "leduc_poker", "--time", "0.3", "--method", "cfr", "--json")[1])
    assert answer["method"] == "cfr" and answer["seconds"] >= 0.3 and time.monotonic() - started < 10


def test_solve_in_words(ludus):
    _, out, _ = ludus("solve", "kuhn_poker", "--method", "cfr+")
    value, within = map(float, re.search(r"^value +(\S+), for certain to within (\S+)$", out, re.MULTILINE).groups())
    assert abs(value + 1 / 18) <= within < 1e-3
    assert re.search(r"NashConv +\S+ \(exact\)", out)
    assert re.search(r"^K bet +pass 0\.000  bet 1\.000", out, re.MULTILINE)
    bars = [len(line.split()[-1]) for line in out.splitlines() if "█" in line]
    assert len(bars) >= 5 and bars[0] == max(bars) > 2 * bars[-1]


def test_a_board_game_is_solved_by_minimax(ludus):
    """Perfect play of tic-tac-toe is a draw; in the middle game a move that loses gets no weight."""
    answer = json.loads(ludus("solve", "tic_tac_toe", "--json")[1])
    assert answer["method"] == "minimax"
    assert (answer["value"]["number"], answer["value"]["kind"], answer["nash_conv"]["number"]) == (0, "exact", 0)
    reply = answer["equilibria"][0]["profile"]["player 1"]["o . . . . . . . ."]  # to a corner: the centre alone holds
    assert reply["4"] == 1.0


# play


def test_a_seed_plays_the_same_game(ludus):
    first = ludus("play", "leduc_poker", "uniform", "uniform", "--seed", "5")
    assert first[0] == 0 and first == ludus("play", "leduc_poker", "uniform", "uniform", "--seed", "5")
    assert first[1].splitlines()[-1] == "seed 5" and "payoff: player 0" in first[1]


def test_many_games_end_in_a_table(ludus):
    """A player who never bets loses its ante to one who always does: exactly one chip a game."""
    code, out, _ = ludus("play", "kuhn_poker", "first", "cfr+", "--games", "400", "--seed", "1")
    low, high = map(float, re.search(r"^0 +first +\S+ +(\S+) to (\S+)", out, re.MULTILINE).groups())
    assert code == 0 and -1.0 <= low < high < 0.0 and "400 games" in out


def test_what_solve_prints_can_play(ludus, tmp_path):
    path = tmp_path / "policy.json"
    path.write_text(ludus("solve", "kuhn_poker", "--json")[1], encoding="utf-8")
    code, out, _ = ludus("play", "kuhn_poker", path, "uniform", "--games", "50", "--seed", "2")
    assert code == 0 and "50 games" in out
    assert ludus("play", "leduc_poker", path, "uniform")[0] == 2
    answer = json.loads(path.read_text(encoding="utf-8"))
    answer["policy"]["probability"][0] = [0.5, 0.7]
    path.write_text(json.dumps(answer), encoding="utf-8")
    code, out, err = ludus("play", "kuhn_poker", path, "uniform")
    assert code == 2 and "return probabilities that sum to one" in err


def test_a_person_sits_down(ludus, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("fold\nbet\n"))
    code, out, _ = ludus("play", "kuhn_poker", "human", "first", "--seed", "1")
    assert code == 0 and "You see: " in out and "'fold' is not possible here" in out
    assert "player 0 sees" in out and "payoff: player 0 +1, player 1 -1" in out  # a bet, and a fold


# run, runs, report


def test_run_as_json_and_again(ludus, study):
    code, out, err = ludus("run", study, "--json", "--jobs", "1")
    answer = json.loads(out)
    assert code == 0
    assert [verdict["verdict"] for verdict in answer["verdicts"]] == ["holds", "fails"]
    assert Path(answer["rows"]).is_dir() and Path(answer["report"]).is_file()
    assert "18 of 18 cells" in err and "loaded" in err
    again = json.loads(ludus("run", study, "--json")[1])
    assert again == answer
    assert "was run before" in ludus("run", study)[1]
    assert json.loads(ludus("run", study, "--json", "--fresh", "--jobs", "1")[1])["hash"] == answer["hash"]
    other = json.loads(ludus("run", study, "--json", "--root-seed", "1", "--seeds", "7", "--jobs", "1")[1])
    assert other["hash"] != answer["hash"] and (other["seeds"], other["root_seed"]) == (7, 1)
    assert other["verdicts"][0]["n"] == 7


def test_run_in_words(ludus, study):
    code, out, _ = ludus("run", study, "--jobs", "1")
    assert code == 0
    assert "1 holds  loaded ends with higher mean than fair" in out
    assert "2 fails  loaded ends with higher mean than 5" in out
    page = re.search(r"^report  (\S+)$", out, re.MULTILINE)[1]
    assert out.strip().endswith(page) and Path(page).is_file()


def test_quick_never_ends_in_a_verdict(ludus, study):
    _, out, _ = ludus("run", study, "--quick", "--set", "throws=2")
    assert "holds" not in out and "Quick mode" in out
    assert json.loads(ludus("run", study, "--quick", "--json")[1])["verdicts"] == []


def test_an_arm_left_out_is_not_run(ludus, study):
    answer = json.loads(ludus("run", study, "--arm", "loaded", "--arm", "control", "--json", "--jobs", "1")[1])
    assert [verdict["verdict"] for verdict in answer["verdicts"]] == ["not run", "fails"]


def test_a_crash_is_exit_one(ludus, study):
    code, out, err = ludus("run", study, "--set", "crash=true", "--jobs", "1")
    assert code == 1 and not out
    assert err.splitlines()[-1].startswith(
        "error: arm loaded, seed 0 of coin failed: RuntimeError: the coin rolled away"
    )
    assert "Traceback" not in err


def test_runs_and_report(ludus, study):
    assert ludus("runs", "--json") == (0, "[]\n", "")
    answer = json.loads(ludus("run", study, "--json", "--quick")[1])
    name = Path(answer["run"]).name
    (listed,) = json.loads(ludus("runs", "--json")[1])
    assert (listed["folder"], listed["status"], listed["hash"]) == (name, "finished", answer["hash"])
    assert name in ludus("runs")[1]
    for asked in (name, f"runs/{name}", "coin"):
        assert ludus("report", asked) == (0, f"runs/{name}/report.html\n", "")
    Path(answer["report"]).unlink()
    code, _, err = ludus("report", name)
    assert code == 2 and "run its file: ludus run FILE" in err


def test_a_report_is_written_anew(ludus, study, monkeypatch):
    answer = json.loads(ludus("run", study, "--json", "--quick")[1])
    monkeypatch.setattr("ludus.recipes.find", lambda: {"coin": study})
    Path(answer["report"]).unlink()
    assert ludus("report", "coin")[0] == 0
    assert "coin" in Path(answer["report"]).read_text(encoding="utf-8")


def test_record_writes_the_results(ludus, study, tmp_path, monkeypatch):
    monkeypatch.setattr("ludus.recipes.find", lambda: {"coin": study})
    monkeypatch.setattr("ludus.cli.studies.results_folder", lambda: tmp_path / "results")
    answer = json.loads(ludus("run", "coin", "--record", "--json", "--jobs", "1")[1])
    stored = json.loads((tmp_path / "results" / "coin.json").read_text(encoding="utf-8"))
    assert answer["record"] == str(tmp_path / "results" / "coin.json") and stored["hash"] == answer["hash"]
    assert [claim["verdict"] for claim in stored["claims"]] == ["holds", "fails"]


def test_control_c_says_how_to_go_on(study):
    words = ["run", str(study), "--set", "pause=0.2", "--jobs", "1"]
    running = subprocess.Popen(
        [sys.executable, "-m", "ludus", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while not list(Path("runs").glob("*/cells/*/result.json")):
        assert running.poll() is None, running.stderr.read()
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)
    assert running.returncode == 130 and not out
    assert re.search(r"stopped with \d+ of 18 cells finished", err)
    assert err.splitlines()[-1] == f"Go on with: ludus {' '.join(words)}"
    assert "Traceback" not in err


# mistakes

MISTAKES = [
    (["paperz"], "Did you mean 'papers'?"),
    (["papers", "--family", "selfpaly"], "did you mean selfplay?"),
    (["papers", "--status", "done"], "recorded, stale, built, wanted"),
    (["papers", "--core", "4"], "--core: 4"),
    (["run"], "ludus run --help"),
    (["run", "spirl"], "Did you mean spiral"),
    (["run", "hcsp"], "nobody has built its recipe yet"),
    (["run", "nowhere.py"], "there is none of this name"),
    (["run", "coin.py", "--seeds", "0"], "seeds is a whole number of at least 1, got 0"),
    (["run", "coin.py", "--seeds", "many"], "ludus run --help"),
    (["run", "coin.py", "--jobs", "0"], "jobs is a whole number of at least 1, got 0"),
    (["run", "coin.py", "--root-seed", "-1"], "root_seed is a whole number of at least 0, got -1"),
    (["run", "coin.py", "--arm", "loadd"], "Did you mean loaded?"),
    (["run", "coin.py", "--set", "throws=many"], "setting throws is a whole number, got 'many'"),
    (["run", "coin.py", "--set", "trows=3"], "Did you mean throws?"),
    (["run", "coin.py", "--set", "throws"], "NAME=VALUE"),
    (["run", "coin.py", "--record"], "no recipe of the catalogue"),
    (["run", "off-switch", "--record", "--quick"], "leave out --quick"),
    (["run", "off-switch", "--record", "--agent", "http://127.0.0.1:1/v1#m"], "leave out --agent"),
    (["run", "off-switch", "--agent", "http://127.0.0.1:1/v1#m"], "has nothing to ask a served model"),
    (["run", "off-switch", "--agent", "gpt"], "--agent: "),
    (["run", "off-switch", "--record", "--seeds", "1"], "--seeds 1 is too few"),
    (["report", "nothing"], "there is no run 'nothing'"),
    (["solve", "kuhn_pocker"], "did you mean kuhn_poker"),
    (["solve", "liars_dice(sides=5)"], "does not fit liars_dice"),
    (["solve", "connect_four"], "connect_four has more than 2,000,000 nodes"),
    (["solve", "game.efg"], "No such file"),
    (["solve", "chicken", "--method", "pure", "--iterations", "5"], "pure ends by itself"),
    (["solve", "stag_hunt", "--method", "lp"], "add up to the same"),
    (["solve", "tic_tac_toe", "--method", "cfr"], "perfect recall is needed"),
    (["solve", "kuhn_poker", "--method", "minimax"], "perfect information"),
    (["solve", "kuhn_poker", "--method", "magic"], "write one of dcfr, cfr+, pcfr+"),
    (["solve", "kuhn_poker", "--iterations", "0"], "--iterations: 0"),
    (["solve", "kuhn_poker", "--target", "nan"], "--target: nan"),
    (["play", "kuhn_pocker", "first", "first"], "did you mean kuhn_poker"),
    (["play", "kuhn_poker", "first"], "2 seats, 1 player"),
    (["play", "kuhn_poker", "first", "robot"], "nobody is called 'robot'"),
    (["play", "kuhn_poker", "first", "nowhere.json"], "nowhere.json: No such file or directory"),
    (["play", "kuhn_poker", "first", "first", "--games", "0"], "--games: 0"),
    (["play", "kuhn_poker", "first", "first", "--seed", "-1"], "--seed: -1"),
]


@pytest.mark.parametrize(
    ("words", "told"), MISTAKES, ids=lambda value: " ".join(value) if isinstance(value, list) else ""
)
def test_a_mistake_is_one_clear_line(ludus, study, words, told):
    code, out, err = ludus(*words)
    assert code == 2 and not out
    assert re.fullmatch(r"error: [^\n]+\n", err) and told in err
    assert os.listdir() == [study.name]  # nothing half-written  # noqa: PTH208


def test_an_illegal_action_in_a_policy_file(ludus, tmp_path):
    """A policy that raises after a raise and a raise, which Leduc poker does not allow."""
    answer = json.loads(ludus("solve", "leduc_poker", "--iterations", "1", "--json")[1])
    tree = grow(games.load("leduc_poker"))
    infoset = int(np.argmin(tree.legal.all(axis=1)))
    illegal = int(np.argmin(tree.legal[infoset]))
    answer["policy"]["probability"][infoset] = np.eye(3)[illegal].tolist()
    path = tmp_path / "policy.json"
    path.write_text(json.dumps(answer), encoding="utf-8")
    code, _, err = ludus("play", "leduc_poker", path, "first")
    assert code == 2 and re.fullmatch(r"error: [^\n]+zero where legal is False\n", err)


def test_input_that_ends_too_soon(ludus, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    code, _, err = ludus("play", "kuhn_poker", "human", "first")
    assert (
        code == 2 and err == "error: the input ended in the middle of kuhn_poker; answer every question, one a line\n"
    )


def test_a_recipe_without_a_control(ludus, study):
    study.write_text(STUDY.replace('control="control"', "control=None"), encoding="utf-8")
    code, out, err = ludus("run", study)
    assert code == 2 and not out and re.fullmatch(r"error: [^\n]+needs a control arm[^\n]+\n", err)
    assert not Path("runs").exists()


def test_a_recipe_that_cannot_be_imported(ludus, study):
    study.write_text(STUDY.replace("import time", "import nothing_of_this_name"), encoding="utf-8")
    code, _, err = ludus("run", study)
    assert code == 2 and re.fullmatch(r"error: [^\n]+nothing_of_this_name[^\n]*\n", err)


def test_a_damaged_run_directory(ludus, study):
    folder = Path(json.loads(ludus("run", study, "--json", "--jobs", "1")[1])["run"])
    (folder / "run.json").write_text("{", encoding="utf-8")
    for words in (["run", study, "--jobs", "1"], ["report", folder]):
        code, out, err = ludus(*words)
        assert code == 2 and not out and re.fullmatch(r"error: [^\n]+run\.json is damaged[^\n]+\n", err)
    assert json.loads(ludus("runs", "--json")[1])[0]["status"] == "damaged"
    empty = Path("runs/empty")
    empty.mkdir()
    assert "is not a run" in ludus("report", empty)[2]


def test_a_folder_that_cannot_be_written(ludus, study):
    code, out, err = ludus("run", study, "--runs", study / "runs")  # below a file there are no folders
    assert code == 2 and not out and re.fullmatch(r"error: cannot make the folder[^\n]+\n", err)


# the page that documents all this

PAGE = (Path(__file__).parents[1] / "docs" / "command-line.md").read_text(encoding="utf-8")


def test_the_page_names_every_option_and_no_other():
    sections = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    for name, command in typer.main.get_command(cli.app).commands.items():
        section = next(text for text in sections if re.match(rf".*\bludus {name}\b", text))
        written = set(re.findall(r"--[a-z][a-z-]*", section))
        options = {option for parameter in command.params for option in parameter.opts if option.startswith("--")}
        assert options <= written, f"{name}: {options - written}"
    known = {
        *("--help", "--install-completion", "--show-completion"),
        *(
            option
            for command in typer.main.get_command(cli.app).commands.values()
            for parameter in command.params
            for option in parameter.opts
        ),
    }
    assert set(re.findall(r"--[a-z][a-z-]*", PAGE)) <= known


def keys(heading, first):
    """The keys that the page lists in braces after `first` in a section."""
    section = PAGE[PAGE.index(f"## {heading}") :]
    return set(re.split(r",\s+", re.search(r"\{([^}]*)\}", section[section.index(first) :])[1]))


def test_the_page_lists_the_keys_that_are_printed(ludus, study):
    answer = json.loads(ludus("run", study, "--json", "--jobs", "1")[1])
    assert keys("ludus run", "- `--json`") == set(answer)
    assert keys("ludus run", "A verdict is") == set(answer["verdicts"][0])
    assert keys("ludus runs", "ludus runs --json") == set(json.loads(ludus("runs", "--json")[1])[0])
    assert keys("ludus papers", "`--json`") == set(json.loads(ludus("papers", "spiral", "--json")[1])[0])
    assert keys("ludus games", "`--json`") == set(json.loads(ludus("games", "--json")[1])[0])
    answer = json.loads(ludus("solve", "kuhn_poker", "--json")[1])
    assert keys("ludus solve", "- `--json`") == set(answer)
    assert keys("ludus solve", "- `equilibria`") == set(answer["equilibria"][0])
    assert keys("ludus solve", "- `policy`") == set(answer["policy"])
