"""Extensive games: reading against a slow reading, writing against reading, and what is refused."""

import json
import os
import random
import re
import subprocess
import sys
import time
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from tests.gambit import fuzz, naive

from ludus import games
from ludus.gambit import NotReadable, read, read_efg, save, write_efg
from ludus.gambit.rationals import probabilities, shortest, simplest
from ludus.game import CHANCE, OVER
from ludus.measure.nash_conv import nash_conv
from ludus.solve.sequence_form import ImperfectRecall, fold
from ludus.tree import Labels, TooLarge, Tree, grow

HEAD = 'EFG 2 R "title" { "A" "B" }\n'
ENDS = 't "" 0 t "" 0'


def called(labels):
    """The words of an infoset's actions: labels, or positions where they do not tell the actions apart."""
    words = [label if label and labels.count(label) == 1 else str(place) for place, label in enumerate(labels, 1)]
    return words if len(set(words)) == len(words) else [str(place) for place in range(1, len(labels) + 1)]


def check_against(slow, tree):
    """Raises AssertionError where the tree is not what the slow reading says."""
    _, players, _, root = slow
    met, count = {}, 0

    def walk(node, here, paid):
        nonlocal count
        count += 1
        paid = [before + now for before, now in zip(paid, node.paid or [0] * len(players), strict=True)]
        below = range(tree.first[here], tree.first[here + 1])
        assert all(tree.parent[child] == here for child in below) and len(below) == len(node.children)
        assert tree.payoff[here] == pytest.approx([float(each) for each in paid] if node.kind == "t" else 0, abs=1e-12)
        moves = [int(tree.action[child]) for child in below]
        if node.kind == "t":
            assert tree.turn[here] == OVER and tree.infoset[here] == -1
        elif node.kind == "c":
            assert tree.turn[here] == CHANCE and tree.infoset[here] == -1 and moves == list(range(len(moves)))
            exact = sum(node.odds) == 1
            wanted = [float(each) if exact else pytest.approx(float(each), abs=1e-9) for each in node.odds]
            assert [tree.chance[child] for child in below] == wanted
        else:
            row = tree.infoset[here]
            assert met.setdefault(node.who, row) == row and tree.view[row] == [node.who[1]]
            assert tree.turn[here] == tree.player[row] == node.who[0] - 1
            numbers = [tree.labels.actions.index(word) for word in called(node.labels)]
            assert moves == sorted(numbers) == list(np.flatnonzero(tree.legal[row]))
            assert tree.labels.infoset(row) == (node.name or f"{tree.labels.players[row_of(node)]}, {told(node)}")
            below = [below[moves.index(number)] for number in numbers]
        for child, there in zip(node.children, below, strict=True):
            walk(child, there, paid)

    def row_of(node):
        return node.who[0] - 1

    def told(node):
        return f"information set {node.who[1]}"

    walk(root, 0, [0] * len(players))
    assert count == len(tree.turn) and sorted(met.values()) == list(range(len(tree.player)))
    assert (np.diff(tree.parent) >= 0).all()  # breadth-first
    first_met = np.unique(tree.infoset[tree.infoset >= 0], return_index=True)[1]
    assert (np.diff(first_met) > 0).all()
    assert tree.perfect_recall == naive.remembers(root)


def small_games():
    for name in games.names():
        try:
            yield name, grow(games.load(name), limit=10_000)
        except TooLarge:
            continue


SMALL = dict(small_games())


@pytest.mark.parametrize("name", SMALL)
def test_a_game_written_and_read_is_the_same_tree(name):
    tree = SMALL[name]
    text = write_efg(tree, name)
    again = read_efg(text)
    assert fuzz.same(tree, again)
    for field in fuzz.ARRAYS:
        one, other = getattr(tree, field), getattr(again, field)
        assert one.dtype == other.dtype and one.shape == other.shape and other.flags.c_contiguous, field
    assert write_efg(again, name) == text


@pytest.mark.parametrize("name", SMALL)
def test_what_is_written_obeys_gambit(name):
    """Probabilities add up to exactly one; labels are printable ASCII without spaces at ends or beside each other."""
    text = write_efg(SMALL[name], name)
    for odds in re.findall(r'^c "" \d+ "" \{(.*)\} 0$', text, re.MULTILINE):
        assert sum(map(Fraction, re.findall(r'" (\S+)', odds))) == 1
    *_, body = text.split("\n", 2)
    labels = re.findall(r'"((?:[^"\\]|\\.)*)"', body)
    assert all(re.fullmatch(r"(?:[!-~]+(?: [!-~]+)*)?", label) for label in labels)


def test_kuhn_poker_read_back_has_its_known_value():
    tree = read_efg(write_efg(SMALL["kuhn_poker"]))
    uniform = tree.legal / tree.legal.sum(axis=1, keepdims=True)
    assert nash_conv(tree, uniform).number == pytest.approx(11 / 12, abs=1e-12)
    assert (len(tree.turn), len(tree.player)) == (58, 12)


def test_the_sample_of_the_manual():
    """Gambit manual, "The extensive game (.efg) file format", shortened: descriptions left out the second time."""
    tree = read_efg(
        """EFG 2 R "General Bayes game, one stage" { "Player 1" "Player 2" }
        c "ROOT" 1 "(0,1)" { "1G" 0.500000 "1B" 0.500000 } 0
        p "" 1 1 "(1,1)" { "H" "L" } 0
        p "" 2 1 "(2,1)" { "h" "l" } 0
        t "" 1 "Outcome 1" { 10.000000 2.000000 }
        t "" 2 "Outcome 2" { 0.000000 10.000000 }
        p "" 2 1 0
        t "" 3 "Outcome 3" { 2.000000, 4.000000 }
        t "" 4 "Outcome 4" { 4.000000, 0.000000 }
        t "" 2
        """
    )
    assert tree.turn.tolist() == [CHANCE, 0, OVER, 1, 1, OVER, OVER, OVER, OVER]
    assert tree.chance.tolist() == [1, 0.5, 0.5, 1, 1, 1, 1, 1, 1]
    assert tree.payoff[[2, 5, 6, 7, 8]].tolist() == [[0, 10], [10, 2], [0, 10], [2, 4], [4, 0]]
    assert tree.infoset.tolist() == [-1, 0, -1, 1, 1, -1, -1, -1, -1]
    assert tree.labels[:2] == (("Player 1", "Player 2"), ("H", "L", "h", "l"))
    assert [tree.labels.infoset(row) for row in range(2)] == ["(1,1)", "(2,1)"] and tree.perfect_recall


def test_payoffs_on_the_way_add_up():
    tree = read_efg(
        HEAD + 'p "" 1 1 "" { "a" "b" } 1 "" { 1 10 } p "" 2 1 "" { "c" } 2 "" { 1/2 -3 } t "" 3 "" { 4, 0.25 } t "" 2'
    )
    assert tree.payoff.tolist() == [[0, 0], [0, 0], [1.5, 7], [5.5, 7.25]]


def test_children_stand_in_the_order_of_their_words():
    tree = read_efg(
        HEAD
        + 'p "" 1 1 "" { "L" "R" } 0 p "" 2 1 "" { "R" "L" } 0 t "" 1 "" { 1 1 } t "" 2 "" { 2 2 } t "" 3 "" { 3 3 }'
    )
    assert tree.action.tolist() == [-1, 0, 1, 0, 1] and tree.payoff[:, 0].tolist() == [0, 0, 3, 2, 1]


def test_a_branch_that_chance_never_takes_stays():
    tree = read_efg(HEAD + 'c "" 1 "" { "x" 0 "y" 1 } 0 p "" 1 1 "" { "a" } 0 t "" 0 t "" 0')
    assert tree.chance.tolist() == [1, 0, 1, 1] and len(tree.player) == 1
    assert fuzz.same(tree, read_efg(write_efg(tree)))


def test_decimals_that_were_rounded_are_scaled():
    tree = read_efg(HEAD + f'c "" 1 "" {{ "x" 0.333333333 "y" 0.333333333 "z" 0.333333333 }} 0 {ENDS} t "" 0')
    assert tree.chance[1:].tolist() == [1 / 3] * 3
    assert fuzz.same(tree, read_efg(write_efg(tree)))


def test_absent_minded_players_have_no_perfect_recall():
    """Piccione and Rubinstein (1997): the driver cannot tell the exits apart."""
    tree = read_efg('EFG 2 R "" { "driver" } p "" 1 1 "" { "on" "exit" } 0 p "" 1 1 0 t "" 0 t "" 0 t "" 0')
    assert not tree.perfect_recall and len(tree.player) == 1


def test_perfect_recall_is_what_the_sequence_form_needs():
    seen = set()
    for seed in range(150):
        tree = read_efg(fuzz.some_efg(random.Random(seed), most=60))
        try:
            fold(tree)
        except ImperfectRecall:
            seen.add(False)
            assert not tree.perfect_recall
        else:
            seen.add(True)
            assert tree.perfect_recall
    assert seen == {True, False}


def chain(depth, infosets=10**9):
    """A game where two players in turn may end it, `depth` times."""
    lines = [HEAD]
    for turn in range(depth):
        lines.append(f'p "" {turn % 2 + 1} {turn // 2 % infosets + 1} "" {{ "take" "pass" }} 0\nt "" 1')
    lines[1] += ' "" { 1 -1 }'
    return "\n".join([*lines, 't "" 0'])


def test_a_hundred_thousand_moves_deep():
    tree = read_efg(chain(100_000))
    assert len(tree.turn) == 200_001 and len(tree.player) == 100_000 and tree.perfect_recall
    assert (tree.parent[1::2] == np.r_[0, np.arange(2, 200_000, 2)]).all()


def test_ten_thousand_moves_deep_and_back():
    tree = read_efg(chain(10_000, infosets=1))
    assert len(tree.player) == 2 and not tree.perfect_recall
    assert fuzz.same(tree, read_efg(write_efg(tree)))


def test_a_megabyte_in_under_a_second():
    text = chain(25_000)
    assert len(text) > 1_000_000
    read_efg(HEAD + 't "" 0')  # what is imported on first use
    start = time.process_time()
    read_efg(text)
    assert time.process_time() - start < 1.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1, column 1: expected EFG"),
        ('EFG 1 R "" { "A" }', "line 1, column 5: expected 2, the version of the format, found 1"),
        ('EFG 2 Z "" { "A" }', "line 1, column 7: expected R or D, found Z"),
        ('EFG 2 R "t { "A" }', "column 15: expected the players' names in braces, found A"),
        ('EFG 2 R "" { }', "expected the name of at least one player"),
        (HEAD, "line 2, column 1: expected a node, c, p or t, found the end of the file"),
        (HEAD + 'x "" 0', "line 2, column 1: expected a node, c, p or t, found x"),
        (HEAD + 'p "" 1 1 "" { "a" "b" } 0\n  t "" 0', "line 3, column 9: expected a node, c, p or t, found the end"),
        (HEAD + 't "" 0 t "" 0', "line 2, column 8: expected the end of the file"),
        (HEAD + 'p "" 3 1 "" { "a" } 0 t "" 0', "line 2, column 6: expected a player from 1 to 2, found 3"),
        (HEAD + 'p "" 0 1 "" { "a" } 0 t "" 0', "column 6: expected a player from 1 to 2, found 0"),
        (HEAD + 'p "" 1 1 0 t "" 0', "expected a name and a list, since this number is new"),
        (HEAD + 'p "" 1 1 "" { } 0 t "" 0', "column 15: expected an action in quotes, found }"),
        (HEAD + 'p "" 1 1 "" { "a" } 0 p "" 1 1 "" { "b" } 0 t "" 0', "the list that number 1 had before"),
        (HEAD + 'p "" 1 1 "" { "a" } 0 p "" 1 1 "x" { "a" } 0 t "" 0', 'number 1 had before, found "x"'),
        (HEAD + f'p "" 1 {10**18} "" {{ "a" }} 0 t "" 0', "at most 18 digits"),
        (
            HEAD + f'c "" 1 "" {{ "a" 1/2 "b" 1/3 }} 0 {ENDS}',
            "column 11: expected probabilities that add up to 1, found 5/6",
        ),
        (HEAD + f'c "" 1 "" {{ "a" 0.5 "b" 0.4999 }} 0 {ENDS}', "add up to 1, found 0.9999"),
        (HEAD + f'c "" 1 "" {{ "a" 3/2 "b" -1/2 }} 0 {ENDS}', "expected probabilities from 0 to 1, found 3/2"),
        (HEAD + 'c "" 1 "" { "a" "b" } 0', "expected the probability of the action"),
        (HEAD + 'c "" 1 "" { "a" 1 } 0 c "" 1 "" { "b" 1 } 0 t "" 0', "the list that number 1 had before"),
        (HEAD + 't "" 1', "expected a name and a list, since this number is new"),
        (HEAD + 't "" 0 "" { 1 2 }', "expected no name and no payoffs for outcome 0"),
        (HEAD + 't "" 1 "" { 1 }', "expected 2 payoffs, one for each player"),
        (HEAD + 't "" 1 "" { 1,, 2 }', "expected a payoff, found ,"),
        (HEAD + 't "" 1 "" { nan 2 }', "expected a payoff, found nan"),
        (HEAD + 't "" 1 "" { 1/0 2 }', "expected payoffs that are finite, found { 1/0 2 }"),
        (HEAD + 't "" 1 "" { 1e999999999 2 }', "expected payoffs that are finite"),
        (HEAD + f't "" 1 "" {{ 1/{"9" * 5000} 2 }}', "expected payoffs that are finite"),
        (HEAD + 'p "" 1 1 "" { "a" } 1 "" { 1e308 0 } t "" 2 "" { 1e308 0 }', "add up to a finite number"),
        (
            HEAD + 'p "é" 1 1 "日本" { "a" } x t "" 0',
            "line 2, column 24: expected the number of an outcome, 0 for none, found x",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text, message):
    with pytest.raises(NotReadable, match=re.escape(message)):
        read_efg(text)


def test_more_actions_than_there_are_characters_are_refused():
    text = HEAD + 'p "" 1 1 "" { ' + '"" ' * 1_000_000 + "} 0"
    with pytest.raises(NotReadable, match="no more actions than the file has characters"):
        read_efg(text)


def test_a_table_of_legal_actions_that_is_too_large_is_refused():
    rows = "".join(f'p "" 1 {row} "" {{ "{row}" }} 0\n' for row in range(1, 7_200))
    with pytest.raises(NotReadable, match=r"at most 50000000 cells of information sets x actions, found 7199 x 7199"):
        read_efg(HEAD + rows + 't "" 0')


def odd_tree():
    """What no game has: words that repeat or are awkward, names with anything in them, numbers of any size."""
    words = ("a", 'say "no"', "two  spaces", " ends ", "tab\t", "", "a", "ü\\", "\U0001f0a1", "never")
    told = ["", 'x\n\\"', " "]
    legal = np.zeros((3, len(words)), bool)
    legal[0, [1, 3, 6]], legal[1, [0, 2, 5]], legal[2, [4, 7, 8]] = True, True, True
    return Tree(
        turn=np.array([CHANCE, 0, 1, 0, *[OVER] * 9]),
        parent=np.array([-1, 0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]),
        action=np.array([-1, 0, 2, 40, 1, 3, 6, 0, 2, 5, 4, 7, 8]),
        first=np.array([1, 4, 7, 10, *[13] * 10]),
        chance=np.array([1, 0.1, 0.2, 0.7, *[1] * 9]),
        infoset=np.array([-1, 0, 1, 2, *[-1] * 9]),
        payoff=np.r_[np.zeros((4, 2)), np.array([[1 / 3, -2e300], [0.1, 5e-324], [-7, 1e22], *[[2, 0.5]] * 6])],
        player=np.array([0, 1, 0]),
        legal=legal,
        view=np.array([[2**63 - 1, -(2**63)], [0, 0], [5, 7]]),
        labels=Labels(("", ""), words, told.__getitem__),
        perfect_recall=False,
    )


def test_whatever_a_tree_holds_is_kept():
    tree = odd_tree()
    assert fuzz.same(tree, read_efg(write_efg(tree, 'a "title"\\')))
    bare = replace(SMALL["kuhn_poker"], view=np.zeros((12, 0), np.int64))
    assert fuzz.same(bare, read_efg(write_efg(bare)))


@pytest.mark.parametrize(
    "mark",
    ["", "[]", "{}", "[" * 100_000, '{"words": ["a"], "perfect_recall": true, "view_size": 1, "views": [1, 2]}',
     '{"words": ["b"], "perfect_recall": true, "view_size": 1, "views": [1]}',
     '{"words": ["a"], "perfect_recall": 1, "view_size": 1, "views": [1]}',
     '{"words": ["a"], "perfect_recall": true, "view_size": -1, "views": [1]}',
     '{"words": ["a"], "perfect_recall": true, "view_size": 1, "views": [1.5]}',
     '{"words": ["a"], "perfect_recall": true, "view_size": 1, "views": [99999999999999999999]}',
     '{"words": [["a"]], "perfect_recall": true, "view_size": 1, "views": [1]}',
     '{"words": ["a"], "perfect_recall": true, "view_size": 1000000000000, "views": []}'],
)  # fmt: skip
def test_a_comment_that_is_not_well_formed_is_only_a_comment(mark):
    quoted = mark.replace('"', '\\"')
    tree = read_efg(f'EFG 2 R "" {{ "A" }} "Ludus {quoted}" p "" 1 1 "" {{ "a" }} 0 t "" 0')
    assert tree.labels.actions == ("a",) and tree.view.tolist() == [[1]]
    assert tree.labels.infoset(0) == "A, information set 1"


def test_a_comment_that_is_well_formed_is_read():
    mark = json.dumps({"words": ["b", "a"], "perfect_recall": False, "view_size": 2, "views": [5, 6]})
    quoted = mark.replace('"', '\\"')
    tree = read_efg(f'EFG 2 R "" {{ "A" }} "Ludus {quoted}" p "" 1 1 "" {{ "a" }} 0 t "" 0')
    assert tree.labels.actions == ("b", "a") and tree.view.tolist() == [[5, 6]] and not tree.perfect_recall
    assert tree.action.tolist() == [-1, 1] and tree.labels.infoset(0) == ""


def test_a_comment_cannot_claim_recall_that_is_not_there():
    mark = json.dumps({"words": ["a"], "perfect_recall": True, "view_size": 0, "views": []}).replace('"', '\\"')
    assert not read_efg(f'EFG 2 R "" {{ "A" }} "Ludus {mark}" p "" 1 1 "" {{ "a" }} 0 p "" 1 1 0 t "" 0').perfect_recall


@pytest.mark.parametrize(
    "odds", [[1 / 3] * 3, [0.1] * 10, [0.1, 0.2, 0.7], [1 / 7] * 7, [1 - 2**-53, 2**-53], [1.0, 0.0], [1 / 1326] * 1326]
)
def test_probabilities_become_fractions_that_add_up_to_one(odds):
    found = probabilities(odds)
    assert sum(found) == 1 and [float(each) for each in found] == odds


def test_products_of_rounded_probabilities_add_up_too():
    rng = np.random.default_rng(0)
    for _ in range(200):
        weights = rng.random(rng.integers(2, 9))
        odds = (weights / weights.sum()).tolist()
        try:
            found = probabilities(odds)
        except ValueError:  # the floats are further from one than rounding explains
            room = sum(Fraction(np.spacing(each)) / 2 for each in odds)
            assert abs(1 - sum(map(Fraction, odds))) > room / 2
        else:
            assert sum(found) == 1 and [float(each) for each in found] == odds


def test_probabilities_that_do_not_add_up_are_refused():
    tree = SMALL["kuhn_poker"]
    with pytest.raises(ValueError, match="must add up to one"):
        write_efg(replace(tree, chance=tree.chance * 0.9))
    with pytest.raises(ValueError, match="finite"):
        write_efg(replace(tree, payoff=np.full_like(tree.payoff, np.inf)))


def test_numbers_are_written_short_and_read_back():
    assert [*map(shortest, [1 / 3, 2.0, -0.25, 1e22, 1e-5, 0.1, -2 / 7])] == [
        "1/3",
        "2",
        "-1/4",
        "1e22",
        "1e-05",
        "0.1",
        "-2/7",
    ]
    assert simplest(1 / 3) == Fraction(1, 3) and simplest(5e-324) == Fraction(5e-324)
    rng = np.random.default_rng(0)
    for value in (*rng.normal(size=300), *(rng.normal(size=300) * 10.0 ** rng.integers(-300, 300, 300))):
        text = shortest(float(value))
        assert "+" not in text and float(Fraction(text)) == value


def test_a_file_is_read_by_what_it_says(tmp_path):
    path = tmp_path / "game.txt"
    path.write_bytes(b"\xef\xbb\xbf" + HEAD.replace("\n", "\r\n").encode() + b't "" 0\r\n')
    assert read(path).turn.tolist() == [OVER]
    path.write_bytes(HEAD.encode() + b't "\xff" 0')
    with pytest.raises(NotReadable, match=r"game\.txt, line 2, column 4: expected text in UTF-8, found the byte 0xff"):
        read(path)
    path.write_text("#AGG", encoding="utf-8")
    with pytest.raises(NotReadable, match="expected EFG or NFG, the first word of a game file, found #AGG"):
        read(str(path))
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "none.efg")


def test_a_file_is_saved_in_one_step(tmp_path, monkeypatch):
    path, tree = tmp_path / "kuhn.efg", SMALL["kuhn_poker"]
    save(path, tree, "Kuhn poker")
    assert fuzz.same(tree, read(path)) and 'EFG 2 R "Kuhn poker"' in path.read_text(encoding="utf-8")

    def full(*_):
        raise OSError("no space left on device")

    before = path.read_bytes()
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        save(path, SMALL["kuhn_poker"], "another")
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_compiled_and_plain_python_read_the_same():
    code = "from tests.gambit import fuzz; print(fuzz.told(range(15)))"
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
    )  # fmt: skip
    assert ran.stdout.strip() == fuzz.told(range(15)) and "expected" in ran.stdout
