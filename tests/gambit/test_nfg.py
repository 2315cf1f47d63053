"""Games in normal form: the manual's own file in both versions, round trips, and what is refused."""

import re
import tracemalloc

import numpy as np
import pytest

from ludus.gambit import NotReadable, read, read_nfg, save, write_nfg
from ludus.normal_form import NormalForm, bimatrix, normal_form

PLAYERS = 'NFG 1 R "Selten (IJGT, 75), Figure 2, normal form" { "Player 1" "Player 2" }'
PAYOFFS = PLAYERS + " { 3 2 } 1 1 0 2 0 2 1 1 0 3 2 0"
OUTCOMES = (
    PLAYERS
    + """
{
{ "1" "2" "3" }
{ "1" "2" }
}

{
{ "" 1, 1 }
{ "" 0, 2 }
{ "" 0, 2 }
{ "" 1, 1 }
{ "" 0, 3 }
{ "" 2, 0 }
}
1 2 3 4 5 6
"""
)


@pytest.mark.parametrize("text", [PAYOFFS, OUTCOMES, OUTCOMES.replace("\n", "\r\n"), PAYOFFS.replace(" R ", " D ")])
def test_the_sample_of_the_manual(text):
    """Gambit manual, "The strategic game (.nfg) file format": the first player's strategy counts fastest."""
    form = read_nfg(text)
    assert form.payoff[:, 0].tolist() == [[1, 1], [0, 2], [0, 2]] and form.payoff[:, 1].tolist() == [
        [1, 1],
        [0, 3],
        [2, 0],
    ]
    assert form.players == ("Player 1", "Player 2") and form.actions == (("1", "2", "3"), ("1", "2"))
    assert form.title == "Selten (IJGT, 75), Figure 2, normal form" and form.comment == ""


def test_three_players():
    form = read_nfg('NFG 1 R "" { "A" "B" "C" } { 2 3 2 } ' + " ".join(str(number) for number in range(36)))
    for a, b, c in np.ndindex(2, 3, 2):
        assert form.payoff[a, b, c].tolist() == [3 * (a + 2 * b + 6 * c) + seat for seat in range(3)]


def test_numbers_comments_outcomes_that_are_nobodys_and_names():
    form = read_nfg(
        'NFG 1 R "a \\"b\\"" { "" "A" } { { "x" "" } { "y" "y" "z" } } "why\nso" 1/3, -.5 1e2 +3 4. 0 7 8 9 1 2 3'
    )
    assert form.title == 'a "b"' and form.comment == "why\nso"
    assert form.players == ("player 1", "A") and form.actions == (("x", "2"), ("1", "2", "z"))
    assert form.payoff[:, 0].tolist() == [[1 / 3, -0.5], [100, 3]]
    form = read_nfg('NFG 1 R "" { "A" } { { "x" "y" "z" } } { { "" 5 } } 0 1 0')
    assert form.payoff.tolist() == [[0], [5], [0]]


def test_whatever_a_normal_form_holds_is_kept():
    rng = np.random.default_rng(0)
    for sizes in ((1,), (2, 3), (3, 1, 2), (2,) * 7):
        payoff = rng.normal(size=(*sizes, len(sizes))) * 10.0 ** rng.integers(-9, 9, (*sizes, len(sizes)))
        names = [f'Spieler "{seat}" \\ é\n ' for seat in range(len(sizes))]
        words = [[f"{' ' * number}{seat}  \\" for number in range(size)] for seat, size in enumerate(sizes)]
        form = normal_form(payoff, 'a "title"\\', names, words, "two\nlines \\")
        again = read_nfg(write_nfg(form))
        assert np.array_equal(again.payoff, form.payoff) and again[1:] == form[1:]


def test_labels_are_what_gambit_takes():
    form = normal_form(np.zeros((2, 1, 2)), "", ["é", "a  b"], [[" x", "y "], ["\t"]])
    labels = re.findall(r'"((?:[^"\\]|\\.)*)"', write_nfg(form))
    assert all(re.fullmatch(r"(?:[!-~]+(?: [!-~]+)*)?", label) for label in labels)


def test_a_table_that_cannot_fit_is_refused_before_it_is_made():
    tracemalloc.start()
    for sizes in ("1000000 1000000", "99999 99999", "999999999999999999 999999999999999999"):
        with pytest.raises(NotReadable, match="expected a table of at most"):
            read_nfg(f'NFG 1 R "" {{ "A" "B" }} {{ {sizes} }} 1 2')
    with pytest.raises(NotReadable, match="expected a table of at most"):
        read_nfg('NFG 1 R "" { "A" "B" } { { ' + '"x" ' * 3000 + "} { " + '"y" ' * 3000 + "} } 1 2")
    assert tracemalloc.get_traced_memory()[1] < 4_000_000
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1, column 1: expected NFG"),
        ('NFG 2 R "" { "A" } { 1 } 1', "column 5: expected 1, the version of the format, found 2"),
        ('NFG 1 R "" { } { } 1', "expected the names of 1 to 63 players, found 0"),
        ('NFG 1 R "" { ' + '"" ' * 64 + "} { 1 } 1", "expected the names of 1 to 63 players, found 64"),
        ('NFG 1 R "" { "A" "B" }\n { 1 } 1 1', "line 2, column 6: expected how many strategies a player has, found }"),
        ('NFG 1 R "" { "A" "B" } { { "x" } } 1 1', "expected the names of a player's strategies in braces, found }"),
        ('NFG 1 R "" { "A" } { 0 }', "expected at least one strategy for every player"),
        ('NFG 1 R "" { "A" } { 1000000000000000000000 } 1', "at most 18 digits"),
        ('NFG 1 R "" { "A" "B" } { 1 1 } 1', "expected 2 payoffs, 2 for each of 1 entries, found 1"),
        ('NFG 1 R "" { "A" "B" } { 1 1 } 1 2 3', "expected 2 payoffs, 2 for each of 1 entries, found 3"),
        ('NFG 1 R "" { "A" "B" } { 1 1 } 1 x', "column 34: expected a payoff, found x"),
        ('NFG 1 R "" { "A" "B" } { 1 1 } 1 1/0', "column 34: expected a payoff that is finite, found 1/0"),
        ('NFG 1 R "" { "A" "B" } { 1 1 } 1e999 1', "expected a payoff that is finite, found 1e999"),
        ('NFG 1 R "" { "A" } { 1 } { { "" 1 2 } } 1', "expected 1 payoffs, one for each player, found 2"),
        ('NFG 1 R "" { "A" } { 1 } { { "" 1 } } 2', "expected numbers of outcomes, at most 1, found 2"),
        ('NFG 1 R "" { "A" } { 1 } { { "" 1 } } 1 1', "expected 1 numbers of outcomes, one for each entry, found 2"),
        ('NFG 1 R "" { "A" } { 2 } { { "" 1 } } 1 x', "column 41: expected the number of an outcome, found x"),
        ('NFG 1 R "" { "A" } { 2 } { { "" 1 } } 1', "expected 2 numbers of outcomes, one for each entry, found 1"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text, message):
    with pytest.raises(NotReadable, match=re.escape(message)):
        read_nfg(text)


def test_a_normal_form_is_saved_and_read(tmp_path):
    path = tmp_path / "game"
    form = bimatrix(np.array([[1.0, -1], [-1, 1]]), title="pennies")
    save(path, form)
    again = read(path)
    assert isinstance(again, NormalForm) and again.title == "pennies" and np.array_equal(again.payoff, form.payoff)
    save(path, form, "Matching pennies")
    assert read(path).title == "Matching pennies" and list(tmp_path.iterdir()) == [path]
