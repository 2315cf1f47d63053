"""The page of a tournament: what stands on it, that hostile text stays text, and that wild numbers do no harm."""

import base64
import hashlib
import re

import numpy as np
import pytest
from tests.pages.test_report import HOSTILE, Page

from ludus.pages import report, tournament
from ludus.records import Value


def standing(rank, name, payoff, rating, player="uniform", group=1, **answers):
    return {
        "rank": rank,
        "name": name,
        "player": player,
        "games": 20,
        "payoff": Value(payoff, "sampled", (payoff - 0.25, payoff + 0.25), "by hand"),
        "won": 12,
        "tied": 3,
        "lost": 5,
        "rating": Value(rating, "sampled", (rating - 30.0, rating + 30.0), "by hand"),
        "group": group,
        "alpha_rank": Value(0.625, "sampled", (0.25, 1.0), "by hand"),
        "answers": answers,
    }


def answer(names=("anna", "bert", "cleo"), player="uniform", note="Round robin."):
    size = len(names)
    payoff = [[None if i == j else (j - i) / 4 for j in range(size)] for i in range(size)]
    return {
        "game": "kuhn_poker",
        "seats": 2,
        "seed": 7,
        "games_per_table": 10,
        "games": 30,
        "notes": [note],
        "standings": [
            standing(rank + 1, name, 0.5 - rank / 2, -10.0 * rank, player, legal=8, illegal=2, malformed=1)
            for rank, name in enumerate(names)
        ],
        "payoff": payoff,
        "met": [[0 if i == j else 10 for j in range(size)] for i in range(size)],
        "wins": [[0 if i == j else 6 if i < j else 3 for j in range(size)] for i in range(size)],
        "ties": [[0 if i == j else 1 for j in range(size)] for i in range(size)],
        "sittings": [{"round": 0, "seats": list(names[:2]), "first": 0, "last": 4, "payoff": [0.25, -0.25]}],
        "hash": "0123abcd",
        "folder": "tournaments/x",
        "command": "ludus tournament kuhn_poker anna",
    }


def page(given=None, example="Game 0\nplayer 0 sees 'J', plays pass"):
    return tournament.page(given or answer(), example)


def test_the_sections_and_what_they_say(tmp_path):
    path = tournament.write_page(answer(), "Game 0\nplayer 0 sees 'J', plays pass", tmp_path / "report.html")
    text = path.read_text()
    read = Page(text)
    assert re.findall(r"<h2>(.*?)</h2>", text) == [
        *("Standings", "Payoffs", "Who beat whom", "Ratings", "Answers", "One game, step by step", "Play it again")
    ]
    assert "anna was paid most, +0.50 a game (95% interval +0.25 to +0.75)." in read.text
    assert re.search(r"1\s*anna\s*\+0\.50\s*\+0\.25 to \+0\.75\s*20\s*12\s*3\s*5", read.text)
    assert re.search(r"anna\s*bert\s*10\s*6\s*1\s*3\s*\+0\.25", read.text)
    assert re.search(r"anna\s*0\s*−30 to 30\s*0\.62, 0\.25 to 1\.00\s*sampled", read.text)
    assert re.search(r"anna\s*11\s*8\s*2\s*1", read.text)  # decisions, legal, illegal, malformed
    assert "player 0 sees 'J', plays pass" in read.text and "0 to 4" in read.text
    assert "ludus tournament kuhn_poker anna" in read.text


def test_players_without_words_have_no_answers():
    given = answer()
    for one in given["standings"]:
        one["answers"] = {}
    assert "Answers" not in page(given)


def test_what_is_not_known_has_no_column():
    given = answer()
    for one in given["standings"]:
        one["alpha_rank"] = None
    assert "lpha-rank" not in page(given) and "lpha-rank" in page()


def test_the_page_asks_for_nothing_and_runs_nothing():
    text = page()
    read = Page(text)
    assert not {tag for tag, _ in read.tags} & {"script", "link", "img", "iframe", "object", "embed", "base", "form"}
    for tag, attributes in read.tags:
        assert not [
            name for name in attributes if name.startswith("on") or name in ("src", "style", "srcset", "action")
        ]
        if "href" in attributes:
            assert tag == "a" and attributes["href"][0] == "#"
    style = text[text.index("<style>") + 7 : text.index("</style>")]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = next(a["content"] for _, a in read.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    ids = {attributes["id"] for _, attributes in read.tags if "id" in attributes}
    assert {a["href"][1:] for tag, a in read.tags if tag == "a"} <= ids


def test_hostile_text_stays_text():
    def shape(text):
        return [(tag, sorted(attributes)) for tag, attributes in Page(text).tags]

    everything = "\n".join(HOSTILE)
    given = answer((everything, "bert", "cleo"), player=f"{everything}!", note=everything)
    given |= {"game": everything, "command": everything, "folder": everything}
    text = page(given, example=everything)
    assert shape(text) == shape(page())
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]", text)
    read = Page(text)
    for hostile in HOSTILE:
        said = " ".join(report.visible(hostile).split())
        assert read.text.count(said) >= 8, hostile  # names, players, notes, the game, the command, the folder


@pytest.mark.parametrize("size", [2, 6, 7, 16, 17, 40])
def test_the_map_has_a_cell_for_every_two(size):
    given = answer(tuple(f"member {number}" for number in range(size)))
    text = page(given)
    assert text.count('class="fill ') == size * (size - 1) and text.count('<rect class="none"') == size
    assert (text.count('<text class="cell"') > 0) == (size <= tournament.NUMBERED)


def test_the_deepest_colour_is_the_largest_payoff():
    payoff = np.array([[np.nan, 2.0, 0.0], [-2.0, np.nan, 1.0], [0.0, -1.0, np.nan]])
    drawn = str(tournament.heat("abc", payoff, np.full((3, 3), 4)))
    cells = re.findall(r'class="fill (colour-\d)" fill-opacity="([\d.]+)".*?<title>(.*?)</title>', drawn)
    shown = {who.split(":")[0]: (colour, float(depth)) for colour, depth, who in cells}
    assert shown["a with b"][0] == "colour-0" and shown["b with a"][0] == "colour-1"
    assert shown["a with b"][1] == shown["b with a"][1] > shown["b with c"][1] > shown["a with c"][1]
    assert "a with b: 4 games, +2.00" in drawn


@pytest.mark.parametrize("wild", [0.0, 1e300, -1e300, 5e-324, 1e-9, 123456789.0])
def test_wild_numbers_do_not_stop_the_page(wild):
    given = answer()
    given["payoff"][0][1] = wild
    given["standings"][0]["payoff"] = Value(wild, "sampled", None, "one game")
    given["standings"][1]["rating"] = Value(0.0, "sampled", (-np.inf, np.inf), "alone")
    text = page(given)
    for picture in re.findall(r"<svg.*?</svg>", text, re.DOTALL):
        assert not re.search(r'"[^"]*(nan|inf)%?"', picture)
    assert "unbounded" in text and "not known" in text


def test_a_long_game_and_many_sittings_are_cut():
    given = answer()
    given["sittings"] *= 3000
    text = page(given, example="line\n" * 20_000)
    assert "2500 more sittings" in text and len(text) < 300_000
