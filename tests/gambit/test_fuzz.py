"""A few thousand inputs of the fuzzer, and a reading of them that shares nothing with the package.

The whole run: python -m tests.gambit.fuzz 1000000 --seed 0
"""

import random
from itertools import islice

import pytest
from tests.gambit import fuzz, naive
from tests.gambit.test_efg import check_against

from ludus import gambit
from ludus.gambit import NotReadable, read_efg


def test_damaged_files_end_in_a_game_or_in_a_typed_error():
    became = [*map(fuzz.attempt, islice(fuzz.inputs(random.Random(0)), 2000))]
    assert 200 < became.count("read") < 1000  # the files are neither all hopeless nor all sound


def test_files_that_are_valid_are_read():
    rng = random.Random(1)
    for _ in range(200):
        assert fuzz.attempt(rng.choice((fuzz.some_efg, fuzz.some_nfg))(rng).encode()) == "read"


def test_the_corpus_is_read():
    assert [fuzz.attempt(text.encode()) for text in fuzz.CORPUS] == ["read"] * len(fuzz.CORPUS)


@pytest.mark.parametrize("seed", range(60))
def test_trees_are_what_a_slow_reading_finds(seed):
    text = fuzz.some_efg(random.Random(seed), most=60)
    check_against(naive.read(text), read_efg(text))


def test_the_fuzzer_would_see_an_untyped_error(monkeypatch):
    def broken(text, file="text"):
        raise IndexError("a bug")

    monkeypatch.setattr(gambit, "read_nfg", broken)
    with pytest.raises(IndexError):
        fuzz.attempt(fuzz.CORPUS[5].encode())


def test_the_fuzzer_would_see_a_game_that_is_not_kept(monkeypatch):
    monkeypatch.setattr(fuzz, "write_nfg", lambda form: gambit.write_nfg(form._replace(payoff=form.payoff + 1)))
    with pytest.raises(AssertionError, match="changed"):
        fuzz.attempt(fuzz.CORPUS[5].encode())


@pytest.mark.parametrize("bomb", ['EFG 2 R "' + "x" * 10**6, 'EFG 2 R "" {' + '"a" ' * 10**5, "NFG 1 R " + '"' * 10**6])
def test_long_broken_texts_are_refused_at_once(bomb):
    with pytest.raises(NotReadable):
        gambit._read(bomb.encode(), "bomb")
