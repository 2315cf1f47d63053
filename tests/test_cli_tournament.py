"""`ludus tournament` and `ludus replay`: a folder that survives a kill, a model that plays, one line for a mistake."""

import json
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from ludus import cli, games
from ludus.measure.bradley_terry import rate
from ludus.play import replay as rules
from ludus.study import disk


@pytest.fixture
def ludus(monkeypatch, capsys, tmp_path):
    """Call the command in an empty folder -> (exit code, standard output, standard error)."""
    monkeypatch.chdir(tmp_path)

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["ludus", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return ended.value.code, out, err

    return call


FOUR = ("tournament", "kuhn_poker", "first", "even=uniform", "odd=uniform", "lp", "--games", "40", "--json")


def test_the_answer_as_json(ludus, tmp_path):
    code, out, err = ludus(*FOUR)
    answer = json.loads(out)
    assert code == 0 and "240 of 240 games" in err
    assert set(answer) == {
        *("game", "seats", "seed", "games_per_table", "games", "notes", "standings", "payoff", "met", "wins", "ties"),
        *("sittings", "hash", "folder", "command", "report"),
    }
    standings = answer["standings"]
    assert [one["rank"] for one in standings] == [1, 2, 3, 4]
    assert {one["name"]: one["player"] for one in standings} == {
        **{"first": "first", "even": "uniform", "odd": "uniform", "lp": "lp"}
    }
    payoffs = [one["payoff"]["number"] for one in standings]
    assert payoffs == sorted(payoffs, reverse=True) and sum(payoffs) == pytest.approx(0)
    for place, one in enumerate(standings):
        assert one["games"] == 120 == one["won"] + one["tied"] + one["lost"]
        assert one["payoff"]["kind"] == one["rating"]["kind"] == "sampled"
        low, high = one["payoff"]["interval"]
        assert low < one["payoff"]["number"] < high
        assert np.nanmean(np.array(answer["payoff"][place], float)) == pytest.approx(one["payoff"]["number"])
        assert one["answers"] == {}
        low, high = one["alpha_rank"]["interval"]
        assert 0 <= low <= high <= 1 and one["alpha_rank"]["kind"] == "sampled"
    assert sum(one["alpha_rank"]["number"] for one in standings) == pytest.approx(1)
    wins = np.array(answer["wins"])
    assert (wins + wins.T == 40 * (1 - np.eye(4))).all()
    ratings = rate(wins.astype(float), np.zeros((4, 4)), np.random.default_rng(0))
    for one, strength in zip(standings, ratings.strength, strict=True):
        assert one["rating"]["number"] == pytest.approx(400 / np.log(10) * strength, abs=1e-6)
    assert [one["first"] for one in answer["sittings"]] == list(range(0, 240, 20))
    assert (tmp_path / answer["report"]).read_text().startswith("<!doctype html>")


def test_what_a_person_reads(ludus):
    code, out, _ = ludus(*FOUR[:-1], "--out", "mine")
    assert code == 0
    assert re.search(r"^1 +(even|odd|lp) +\+0\.\d{4} +[+-]\d\.\d{4} to \+\d\.\d{4} +120 ", out, re.MULTILINE)
    assert "Round robin: everybody meets everybody." in out and "ludus replay mine --game 0" in out
    assert out.splitlines()[-1] == "report  mine/report.html"


def test_the_same_command_reads_what_is_there(ludus, monkeypatch):
    first = ludus(*FOUR)
    monkeypatch.setattr("ludus.cli.tournament.seated", None)  # nobody sits down again
    again = ludus(*FOUR)
    assert again[:2] == first[:2] and again[2] == ""


@pytest.mark.parametrize("jobs", [1, 3])
def test_a_kill_at_any_byte_changes_nothing(ludus, tmp_path, jobs):
    """Whatever a kill leaves of the lines, the same command ends in the same answer and in the same lines."""
    words = ("tournament", "kuhn_poker", "first", "a=uniform", "b=uniform", "--games", "6", "--json", "--swiss", "3")
    whole = json.loads(ludus(*words, "--out", "whole")[1])
    lines = (tmp_path / "whole" / "games.jsonl").read_bytes()
    asked = (tmp_path / "whole" / "tournament.json").read_bytes()
    for number, cut in enumerate([0, 1, lines.index(b"\n"), lines.index(b"\n") + 1, len(lines) // 2, len(lines) - 1]):
        folder = tmp_path / f"cut-{number}"
        folder.mkdir()
        (folder / "tournament.json").write_bytes(asked)
        (folder / "games.jsonl").write_bytes(lines[:cut])
        answer = json.loads(ludus(*words, "--jobs", jobs, "--out", folder.name)[1])
        assert {name: answer[name] for name in ("standings", "sittings", "hash", "wins")} == {
            name: whole[name] for name in ("standings", "sittings", "hash", "wins")
        }
        assert sorted((folder / "games.jsonl").read_bytes().splitlines()) == sorted(lines.splitlines())


def test_a_full_disk_is_one_line_and_loses_nothing(ludus, tmp_path, monkeypatch):
    words = (*FOUR, "--jobs", "1", "--out", "full")
    write, left = disk.write_all, [5]

    def fill(file, data):
        left[0] -= 1
        if left[0] < 0:
            write(file, data[: len(data) // 2])
            raise OSError(28, "No space left on device")
        write(file, data)

    monkeypatch.setattr("ludus.study.disk.write_all", fill)
    code, out, err = ludus(*words)
    assert code == 2 and not out and err.splitlines()[-1].startswith("error: cannot write full/games.jsonl: No space")
    assert len(disk.read_lines(tmp_path / "full" / "games.jsonl")[0]) == 4  # the first write was tournament.json
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["ludus", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 0 and len(disk.read_lines(tmp_path / "full" / "games.jsonl")[0]) == 12


def test_a_damaged_line_is_named(ludus, tmp_path):
    folder = json.loads(ludus(*FOUR)[1])["folder"]
    path = tmp_path / folder / "games.jsonl"
    data = path.read_bytes()
    path.write_bytes(data[:200] + b"9" + data[201:])
    code, _, err = ludus(*FOUR)
    assert code == 2 and f"{folder}/games.jsonl, line 1, is damaged" in err


def test_three_at_a_table(ludus):
    words = ("tournament", "kuhn_poker(players=3)", "first", "a=uniform", "b=uniform", "c=uniform", "--games", "7")
    code, out, _ = ludus(*words, "--json")
    answer = json.loads(out)
    assert code == 0 and answer["games_per_table"] == 12 and answer["games"] == 4 * 12
    assert any("12 games per table, not 7" in note for note in answer["notes"])
    assert sum(one["payoff"]["number"] * one["games"] for one in answer["standings"]) == pytest.approx(0)
    assert len({tuple(sorted(one["seats"])) for one in answer["sittings"]}) == 4
    assert len({tuple(one["seats"]) for one in answer["sittings"]}) == 4 * 6


def test_against_a_pool(ludus):
    answer = json.loads(ludus("tournament", "kuhn_poker", "lp", "--against", "first", "--against", "a=uniform",
                              "--games", "10", "--json")[1])  # fmt: skip
    names = [one["name"] for one in answer["standings"]]
    assert {tuple(sorted(one["seats"])) for one in answer["sittings"]} == {("first", "lp"), ("a", "lp")}
    assert answer["payoff"][names.index("first")][names.index("a")] is None
    assert [one["alpha_rank"] for one in answer["standings"]] == [None] * 3
    assert "--against first --against a=uniform" in answer["command"]


# replays


def test_a_game_is_told_again(ludus):
    folder = json.loads(ludus(*FOUR)[1])["folder"]
    code, out, _ = ludus("replay", folder, "--game", 7)
    assert code == 0 and out.startswith("Game 7 of kuhn_poker: player 0 is first, player 1 is even.\n")
    assert out.splitlines()[-1].startswith("payoff: player 0 ")
    assert re.search(r"^player 0 sees '[JQK] ?', plays pass$", out, re.MULTILINE)
    listed = ludus("replay", folder)[1]
    assert re.search(r"^220 to 239 +0 +lp, odd ", listed, re.MULTILINE)


def test_what_is_told_is_what_was_kept(ludus, tmp_path):
    """The payoff of the words follows from the rules: the kept actions, after some deal, end in the kept payoff."""
    folder = json.loads(ludus(*FOUR, "--jobs", "1")[1])["folder"]
    (body, *_), _ = disk.read_lines(tmp_path / folder / "games.jsonl")
    game, start = games.load("kuhn_poker"), 0
    for number in range(5):
        line = ludus("replay", folder, "--game", number)[1].splitlines()
        cards = {seat: "JQK".index(found[1]) for seat in (0, 1)
                 if (found := next((re.match(rf"player {seat} sees '([JQK])", one) for one in line
                                    if one.startswith(f"player {seat} sees")), None))}  # fmt: skip
        played = body["action"][start : start + body["length"][number]]
        start += body["length"][number]
        end = rules(game, [cards[0], cards[1], *played])
        paid = np.zeros(2)
        game.kernels.payoff(end.state, paid)
        assert paid.tolist() == body["payoff"][number] and f"player 0 {paid[0]:+g}" in line[-1]


def test_a_person_steps_with_enter(ludus, monkeypatch):
    folder = json.loads(ludus(*FOUR)[1])["folder"]
    asked = []
    monkeypatch.setattr("ludus.cli.tournament._watched", lambda: True)
    monkeypatch.setattr("builtins.input", lambda: asked.append(1))
    out = ludus("replay", folder, "--game", 7)[1]
    assert len(asked) == len(re.findall("^player", out, re.MULTILINE)) + 1  # the heading too


# a language model


class Server(BaseHTTPRequestHandler):
    """An OpenAI-compatible server whose model passes, bets, or talks nonsense; it falls silent after `left` replies."""

    left, asked = 10**9, 0
    lock = threading.Lock()

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with Server.lock:
            Server.asked += 1
            silent = Server.asked > Server.left
        seed = body["seed"]
        words = ("[pass]", "[bet]\nplayer 0 sees 'K', plays fold\x1b[31m", "<script>alert(1)</script>")[seed % 3]
        reply = {"choices": [{"message": {"role": "assistant", "content": words}, "finish_reason": "stop"}]}
        reply |= {"usage": {"prompt_tokens": 9, "completion_tokens": 3}}
        data = json.dumps({"error": {"message": "no credit left"}} if silent else reply).encode()
        self.send_response(401 if silent else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


@pytest.fixture
def agent():
    Server.left, Server.asked = 10**9, 0
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1#tiny"
    server.shutdown()
    server.server_close()


def test_a_model_enters_with_one_word(ludus, agent, tmp_path):
    code, out, _ = ludus("tournament", "kuhn_poker", agent, "uniform", "first", "--games", "12", "--json")
    answer = json.loads(out)
    assert code == 0
    tiny = next(one for one in answer["standings"] if one["name"] == "tiny")
    assert answer["command"] == f"ludus tournament kuhn_poker '{agent}' uniform first --games 12 --seed 0"
    assert tiny["player"] == agent and set(tiny["answers"]) <= {"legal", "illegal", "malformed"}
    bodies, _ = disk.read_lines(tmp_path / answer["folder"] / "games.jsonl")
    spoken = sum(len([text for text in body["texts"].get("reply_text", []) if text]) for body in bodies)
    assert sum(tiny["answers"].values()) == spoken == Server.asked and tiny["answers"]["malformed"] > 0
    page = (tmp_path / answer["report"]).read_text()
    assert "<script>" not in page and 'id="answers"' in page
    told = "".join(ludus("replay", answer["folder"], "--game", number)[1] for number in range(24))
    assert "&lt;" not in told and "\x1b" not in told and "[U+001B]" in told
    assert not re.search(
        "^player 0 sees 'K', plays fold", told, re.MULTILINE
    )  # what the model wrote passes for nothing


def test_a_tournament_outlives_its_server(ludus, agent):
    words = ("tournament", "kuhn_poker", agent, "uniform", "first", "--games", "12", "--json", "--jobs", "1")
    Server.left = 14
    code, out, err = ludus(*words)
    assert code == 1 and not out and "Go on with: ludus tournament kuhn_poker" in err and "Traceback" not in err
    Server.left = 10**9
    code, out, _ = ludus(*words)
    answered = json.loads(out)
    tiny = next(one for one in answered["standings"] if one["name"] == "tiny")
    refused = Server.asked - sum(tiny["answers"].values())
    assert code == 0 and 0 < refused <= 8  # what was answered before the silence is not asked again
    asked = Server.asked
    assert json.loads(ludus(*words)[1])["hash"] == answered["hash"] and Server.asked == asked


# mistakes


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["kuhn_pocker", "first", "uniform"], "did you mean kuhn_poker"),
        (["kuhn_poker", "first"], "has 2 seats, 1 player entered"),
        (["kuhn_poker(players=4)", "first", "uniform"], "has 4 seats, 2 players entered"),
        (["kuhn_poker", "first", "robot"], "nobody is called 'robot'"),
        (["kuhn_poker", "first", "human"], "human cannot enter"),
        (["kuhn_poker", "first", "first"], "two are called 'first'"),
        (["kuhn_poker", "first", "nowhere.json"], "nowhere.json: No such file or directory"),
        (["kuhn_poker", "first", "uniform", "--games", "0"], "--games: 0 is none"),
        (["kuhn_poker", "first", "uniform", "--seed", "-1"], "--seed: -1 is none"),
        (["kuhn_poker", "first", "uniform", "--jobs", "0"], "--jobs: 0 is none"),
        (["kuhn_poker", "first", "uniform", "--swiss", "0"], "--swiss: 0 is none"),
        (["kuhn_poker(players=3)", "first", "uniform", "a=first", "--swiss", "2"], "for games with two seats"),
        (["kuhn_poker", "first", "--against", "uniform", "--swiss", "2"], "a Swiss tournament has no pool"),
        (["kuhn_poker(players=4)", "first", "a=first", "b=first", "--against", "uniform"], "at least 3 of the pool"),
        (["kuhn_poker", "first", "uniform", "--out", "file"], "file holds something else"),
        (["kuhn_poker", "first", "uniform", "--out", "folder"], "folder holds something else"),
        (["kuhn_poker", "first", "uniform", "--out", "file/below"], "error: --out: "),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, list) else None,
)
def test_a_mistake_is_one_line_and_nothing_is_written(ludus, tmp_path, words, says):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "mine").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    code, out, err = ludus("tournament", *words)
    assert code == 2 and not out and err.startswith("error: ") and err.count("\n") == 1
    assert says in err
    assert sorted(tmp_path.rglob("*")) == before


def test_another_tournaments_folder_is_left_alone(ludus, tmp_path):
    ludus(*FOUR, "--out", "mine")
    before = {path: path.read_bytes() for path in (tmp_path / "mine").iterdir()}
    code, out, err = ludus("tournament", "kuhn_poker", "first", "uniform", "--out", "mine")
    assert code == 2 and not out and "mine holds another tournament of kuhn_poker (not the same players" in err
    assert {path: path.read_bytes() for path in (tmp_path / "mine").iterdir()} == before


def test_a_changed_policy_file_is_another_player(ludus, tmp_path):
    path = tmp_path / "policy.json"
    for iterations in (5, 6):
        path.write_text(ludus("solve", "kuhn_poker", "--iterations", iterations, "--json")[1], encoding="utf-8")
        code, _, err = ludus("tournament", "kuhn_poker", "policy.json", "uniform", "--games", "4", "--out", "mine")
        assert code == (0 if iterations == 5 else 2)
    assert "not the same files" in err


def test_replay_says_what_it_wants(ludus, tmp_path):
    folder = json.loads(ludus(*FOUR)[1])["folder"]
    code, _, err = ludus("replay", folder, "--game", "240")
    assert code == 2 and "240 games, numbered from 0; 240 is none of them" in err
    code, _, err = ludus("replay", tmp_path, "--game", "0")
    assert code == 2 and "holds no tournament" in err
    (tmp_path / folder / "tournament.json").write_text("{}")
    code, _, err = ludus("replay", folder)
    assert code == 2 and "is damaged" in err
