"""The laws of games: for every law a game that breaks it, of which exactly that law speaks, in words that help.

Each of those games is one game, Kuhn poker, with one function or field exchanged.
"""

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from numba import njit
from tests import naive

from ludus import cli, games
from ludus.check import GATES, LAWS, LONGEST, Walk, check
from ludus.game import CHANCE, OVER, Kernels
from ludus.games import kuhn_poker

# --- a game that keeps them: Kuhn poker; its state is two cards, plies played, three actions --------------------------


@njit
def turn(state):
    if state[1] == -1:
        return CHANCE
    bet_after_pass = state[2] == 2 and state[3] == 0 and state[4] == 1
    return state[2] % 2 if state[2] < 2 or bet_after_pass else OVER


@njit
def options(state, weights):
    for card in range(3):
        if state[1] != -1:
            weights[card] = card < 2
        else:
            weights[card] = 0.0 if card == state[0] else 1 / 3 if state[0] == -1 else 1 / 2


@njit
def apply(state, action):
    if state[1] == -1:
        state[int(state[0] != -1)] = action
    else:
        state[3 + state[2]] = action
        state[2] += 1


@njit
def payoff(state, out):
    last = state[2 + state[2]]
    folded = last == 0 and state[1 + state[2]] == 1
    winner = state[2] % 2 if folded else int(state[1] > state[0])
    out[winner] = 1.0 + last
    out[1 - winner] = -1.0 - last


@njit
def view(state, player, out):
    out[0] = state[player]
    for place in range(4):
        out[1 + place] = state[2 + place]


def tell(seen):
    card, plies, *line = seen
    return " ".join(["JQK"[card], *(("pass", "bet", "no_word")[action] for action in line[:plies])])


POKER = games.load("kuhn_poker")._replace(
    name="poker",
    start=np.array([-1, -1, 0, -1, -1, -1]),
    kernels=Kernels(turn, options, apply, payoff, view),
    tell=tell,
)


def with_kernel(**kernel):
    return POKER._replace(kernels=POKER.kernels._replace(**kernel))


# --- kernels and words that break a law -------------------------------------------------------------------------------


def uncompiled(state):
    return OVER


@njit
def answers(state, weights):
    return 1


@njit
def unknown(state, player, out):
    out.vanish()


their_turn = games.load("kuhn_poker").kernels.turn


@njit
def borrowed(state):
    return their_turn(state) if state[0] == -2 else turn(state)


@njit
def far_outside(state, player, out):
    out[100_000_000] = 1  # compiled, this ends the process


@njit
def overflows(state, out):
    out[0] = state[2] * 2**62 * 4
    out[1] = -out[0]


@njit
def third_player(state):
    """After pass and pass it is the turn of a player that there is not."""
    return 2 if state[2] == 2 and state[3] + state[4] == 0 else turn(state)


@njit
def stuck(state, action):
    """Deals, and lets nobody move."""
    if state[1] == -1:
        apply(state, action)


@njit
def half_dealt(state, weights):
    options(state, weights)
    for card in range(3):
        weights[card] *= 0.5 if state[1] == -1 else 1.0


@njit
def twice_as_legal(state, weights):
    options(state, weights)
    for card in range(3):
        weights[card] *= 1.0 if state[1] == -1 else 2.0


@njit
def nothing_legal(state, weights):
    options(state, weights)
    if state[2] == 2:
        weights[0] = weights[1] = 0.0


@njit
def wordless(state, weights):
    options(state, weights)
    if state[2] == 2:
        weights[2] = 1.0


@njit
def unwritten(state, weights):
    """Says nothing of the third entry where a player is to move."""
    kept = weights[2]
    options(state, weights)
    if state[1] != -1:
        weights[2] = kept


@njit
def meddling(state, player, out):
    view(state, player, out)
    state[5] = 7


@njit
def everybody_wins(state, out):
    out[0] = out[1] = 1.0


@njit
def nobody_knows(state, out):
    out[0], out[1] = np.inf, -np.inf


@njit
def against_the_king(state, weights):
    """Nobody bets against a king, whether he has seen it or not."""
    options(state, weights)
    if state[1] != -1 and state[1 - state[2] % 2] == 2:
        weights[1] = 0.0


@njit
def forgetful(state, player, out):
    """From the third ply on the own card is gone."""
    view(state, player, out)
    if state[2] >= 2:
        out[0] = 0


@njit
def late_leak(state, player, out):
    """After two plies the first action reads as a bet where the other holds the king."""
    view(state, player, out)
    if state[2] == 2:
        out[2] = state[1 - player] == 2


SIGN = 1.0


@njit
def signed(state, out):
    out[0] = SIGN if state[0] > state[1] else -SIGN
    out[1] = -out[0]


def mumbling(seen):
    return "a card"


def spaced(seen):
    return f"card  {tell(seen)}"


def crashing(seen):
    return tell(seen) if seen[1] < 2 else tell(seen)[99]


MOODS = iter(range(10**9))


def moody(seen):
    return f"{tell(seen)} {next(MOODS)}"


def scribbling(seen):
    text = tell(seen)
    seen[:] = 0
    return text


BROKEN = [
    ("record", POKER._replace(rules="Poker."), "rules is 'Poker.'; write a paragraph"),
    ("record", POKER._replace(name="Kuhn Poker"), "name is 'Kuhn Poker'; write it as the file is called"),
    ("record", POKER._replace(start=POKER.start.astype(np.int32)), "start is array.* one axis of int64"),
    ("record", POKER._replace(words=["pass", "bet"]), "words is .*; give a tuple"),
    ("record", POKER._replace(players=True), "players is True; give a whole number"),
    ("record", POKER._replace(constant_sum=float("nan")), "constant_sum is nan; .* None where that varies"),
    ("words", POKER._replace(words=("pass", "pass")), "two actions are called 'pass'; give each a word of its own"),
    ("words", POKER._replace(words=("pass", "bet one")), "action 1 is 'bet one'; give ASCII letters without spaces"),
    ("kernels", with_kernel(turn=uncompiled), r"turn is <function uncompiled.*; write @njit\(cache=True\) above it"),
    ("kernels", with_kernel(options=answers), r"options does not compile as options\(state, weights\), which ret"),
    ("kernels", with_kernel(view=unknown), "view does not compile .*: Unknown attribute 'vanish'"),
    ("kernels", with_kernel(apply=view), "apply does not compile as .*2 argument"),
    ("own file", with_kernel(turn=borrowed), "turn: borrowed calls turn of ludus.games.kuhn_poker; copy that"),
    ("bounds", with_kernel(view=far_outside), "view fails at the state .*IndexError: .*the view int64.5.: write wi"),
    ("bounds", POKER._replace(view_size=4), "view fails at the state .*IndexError: .*the view int64.4."),
    ("bounds", POKER._replace(outcomes=2), r"options fails .* weights float64.2. \(the larger of 2 words and outc"),
    ("bounds", with_kernel(payoff=overflows), "payoff fails .*overflow"),
    ("turns", with_kernel(turn=third_player), "after chance 0, chance 1, pass, pass turn says 2; return a player"),
    ("ending", with_kernel(apply=stuck), f"not come to an end after {LONGEST:,} events; let turn return OVER"),
    ("chance", with_kernel(options=half_dealt), "after no event the probabilities of chance are .*, 0.5 in all; "),
    ("actions", with_kernel(options=twice_as_legal), r"weighs the actions of player 0 \[2, 2, 0\]; write 1 for each"),
    ("actions", with_kernel(options=nothing_legal), "pass, bet player 0 has no legal action; give it one"),
    ("actions", with_kernel(options=wordless), "pass, bet action 2 is legal, but there are 2 words; add a word"),
    ("writing", with_kernel(options=unwritten), "chance 0, chance 1 options leaves entry 2 as it was; write all 3"),
    ("looking", with_kernel(view=meddling), "view changes entry 5 of the state; only apply may do that"),
    ("payoffs", with_kernel(payoff=everybody_wins), r"payoffs are \[1, 1\], 2 in all, but .* constant_sum=0; corr"),
    ("payoffs", with_kernel(payoff=nobody_knows), r"payoffs are \[inf, -inf\]; pay every player a finite number"),
    ("infosets", with_kernel(options=against_the_king), "player 0 sees .* may do pass and bet there and pass here"),
    ("recall", with_kernel(view=forgetful), "player 0 sees .* after chance 0, .*let view remember it, or declare"),
    ("recall", POKER._replace(perfect_recall=False), "no view forgets anything; declare True"),
    ("hiding", with_kernel(view=late_leak), "player 0 had seen the same, .*let view show a thing when it happens"),
    ("telling", POKER._replace(tell=mumbling), "gives 'a card', and so does the view .*; tell what makes the dif"),
    ("telling", POKER._replace(tell=spaced), "gives 'card  J'; write words with single spaces"),
    ("telling", POKER._replace(tell=crashing), "fails: IndexError: .*make words of every view"),
    ("telling", POKER._replace(tell=moody), "and then .*return text that depends on the view alone"),
    ("telling", POKER._replace(tell=scribbling), "changes the view that it is given"),
    ("compiled", with_kernel(payoff=signed), r"payoff gives \[.*\] as plain Python and .* compiled; numba keeps"),
]  # fmt: skip


@pytest.fixture
def compiled_before_the_sign_changed(monkeypatch):
    signed(POKER.start, np.zeros(2))  # numba keeps the globals of this moment
    monkeypatch.setitem(signed.py_func.__globals__, "SIGN", -1.0)


@pytest.mark.parametrize(("law", "game", "sentence"), BROKEN)
@pytest.mark.usefixtures("compiled_before_the_sign_changed")
def test_exactly_the_law_that_is_broken_speaks(law, game, sentence):
    findings = check(Walk(game))
    spoken = [finding for finding in findings if finding.verdict == "broken"]
    assert [finding.law for finding in spoken] == [law], spoken
    assert re.search(sentence, spoken[0].sentence), spoken[0].sentence
    asked = [finding.law for finding in findings if finding.verdict != "not asked"]
    assert (asked[-1] == law) if law in GATES else (len(asked) == len(LAWS))


def test_every_law_has_a_game_that_breaks_it():
    assert {law for law, *_ in BROKEN} == {name for name, _ in LAWS}


def test_a_game_that_is_right_hears_what_the_laws_are():
    findings = check(Walk(POKER))
    assert [finding.law for finding in findings] == [name for name, _ in LAWS]
    assert all(finding.verdict == "ok" and len(finding.sentence) > 20 for finding in findings)


# --- walking ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spec", ["kuhn_poker(players=3)", "goofspiel(cards=3, random=1, hidden=0, points=1)", "stag_hunt"]
)
def test_a_small_game_is_walked_through_entirely(spec):
    game = games.load(spec)
    walk = Walk(game)
    met = {}
    for at, node in enumerate(walk.nodes):
        line, place = [], at
        while place > 0:
            assert walk.nodes[place].parent < place
            line, place = [walk.nodes[place].action, *line], walk.nodes[place].parent
        met[tuple(line)] = node
        assert node.depth == len(line)
    known = list(naive.histories(game))
    assert walk.whole and len(met) == len(walk.nodes) == len(known)
    for actions, state, mover, moves in known:
        node = met[actions]
        assert (node.state == state).all() and (node.mover, node.moves) == (mover, moves)
        for player, seen in enumerate(node.views):
            assert (player, *np.frombuffer(seen, np.int64)) == naive.infoset_of(game, state, player)


def test_a_large_game_is_met_in_the_same_plays_every_time():
    walk, again = Walk(games.load("hex")), Walk(games.load("hex"))
    assert not walk.whole and len(walk.nodes) > 1000
    assert [node.state.tobytes() for node in walk.nodes] == [node.state.tobytes() for node in again.nodes]
    lines = {(node.parent, node.action) for node in walk.nodes}
    assert len(lines) == len(walk.nodes)  # no node twice
    assert sum(node.mover == OVER for node in walk.nodes) > 200


def test_a_story_is_told_in_words():
    walk = Walk(POKER)
    at = next(number for number, node in enumerate(walk.nodes) if node.state.tolist() == [0, 2, 2, 0, 1, -1])
    assert walk.story(at) == "chance 0, chance 2, pass, bet" and walk.story(0) == "no event"


# --- the command ------------------------------------------------------------------------------------------------------

FILE = "from ludus.games.kuhn_poker import KUHN_POKER as MY_POKER, variant\n"


@pytest.fixture
def ludus(monkeypatch, capsys, tmp_path):
    """Call the command in an empty folder -> (exit code, standard output, standard error)."""
    monkeypatch.chdir(tmp_path)

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["ludus", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code, *capsys.readouterr()

    return call


def test_a_file_of_ones_own_keeps_the_laws(ludus, tmp_path):
    """The very file of docs/writing-a-game.md, under another name."""
    text = Path(kuhn_poker.__file__).read_text(encoding="utf-8").replace("KUHN_POKER", "MY_POKER")
    (tmp_path / "my_poker.py").write_text(text.replace("cache=True", ""), encoding="utf-8")
    code, out, err = ludus("check", "game", "./my_poker.py")
    assert code == 0 and not err
    for name, _ in LAWS:
        assert re.search(rf"^{name} +ok  \w", out, re.MULTILINE), name
    assert f"kuhn_poker keeps all {len(LAWS)} laws\nlooked at 58 nodes, which is all of it" in out


def test_a_name_and_numbers(ludus, tmp_path):
    (tmp_path / "my_poker.py").write_text(FILE, encoding="utf-8")
    code, out, _ = ludus("check", "game", "my_poker.py(players=3)", "--json")
    answer = json.loads(out)
    assert code == 0 and set(answer) == {"game", "holds", "nodes", "whole", "laws"}
    assert (answer["game"], answer["holds"], answer["nodes"], answer["whole"]) == (
        "kuhn_poker(players=3)",
        True,
        617,
        True,
    )
    assert [law["law"] for law in answer["laws"]] == [name for name, _ in LAWS]
    code, out, _ = ludus("check", "game", "hex")
    assert code == 0 and "met in random plays: it is large" in out and "check a small variant too" in out


def test_a_broken_law_is_exit_one(ludus, tmp_path):
    (tmp_path / "my_poker.py").write_text(FILE + "MY_POKER = MY_POKER._replace(constant_sum=1)\n", encoding="utf-8")
    code, out, err = ludus("check", "game", "my_poker.py")
    assert code == 1 and not err and f"kuhn_poker breaks 1 of {len(LAWS)} laws" in out
    assert re.search(r"^payoffs +broken  after chance 0, .* declares constant_sum=1; correct payoff", out, re.MULTILINE)
    (tmp_path / "my_poker.py").write_text(FILE + "MY_POKER = MY_POKER._replace(view_size=4)\n", encoding="utf-8")
    code, out, _ = ludus("check", "game", "my_poker.py", "--json")
    answer = json.loads(out)
    assert code == 1 and (answer["holds"], answer["nodes"], answer["whole"]) == (False, None, False)
    assert answer["laws"][-1] == {"law": "compiled", "verdict": "not asked", "sentence": "first see to bounds"}


@pytest.mark.parametrize(
    ("text", "asked", "told"),
    [
        (None, "my_poker.py", "FILE: there is no file my_poker.py; give a game file, or a name"),
        (None, "kuhn_pokr", "no game is named 'kuhn_pokr'; did you mean kuhn_poker"),
        ("def turn(state:\n", "my_poker.py", "FILE: my_poker.py cannot be imported: SyntaxError"),
        ("raise SystemExit(0)\n", "my_poker.py", "FILE: my_poker.py cannot be imported: SystemExit: 0"),
        ("POKER = 1\n", "my_poker.py", r"has to hold its game as MY_POKER = Game(...); it holds no Game"),
        (FILE.replace("MY_", "THE_"), "my_poker.py", "it holds the games THE_POKER"),
        (FILE.replace(", variant", ""), "my_poker.py(players=3)", "has no variant(**numbers), but"),
        (FILE, "my_poker.py(players=99)", "do not fit: kuhn_poker: players has to be 2 to 10, not 99"),
        (FILE, "my_poker.py(cards=3)", "do not fit: variant() got an unexpected keyword argument 'cards'"),
        (FILE, "my_poker.py(players)", "do not fit: "),
    ],
)
def test_what_cannot_be_looked_at_is_exit_two(ludus, tmp_path, text, asked, told):
    if text is not None:
        (tmp_path / "my_poker.py").write_text(text, encoding="utf-8")
    code, out, err = ludus("check", "game", asked)
    assert code == 2 and not out and told in err and err.startswith("error: ") and err.count("\n") == 1


def test_the_page_names_every_law():
    page = (Path(__file__).parents[1] / "docs" / "command-line.md").read_text(encoding="utf-8")
    section = page[page.index("## ludus check game") :].split("\n## ")[0]
    assert re.findall(r"\(`([a-z ]+)`\)", section) == [name for name, _ in LAWS]
    gates = re.search(r"Where (.*?) is broken\s", section, re.DOTALL)[1]
    assert tuple(re.findall(r"`([a-z ]+)`", gates)) == GATES
