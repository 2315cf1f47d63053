"""The catalogue: what Axelrod-Python played is played here, memories are as declared, published scores come out."""

import math
from pathlib import Path

import numpy as np
import pytest

from ludus.iterated.machine import Machine, as_rule, memory
from ludus.iterated.match import match
from ludus.iterated.strategies import STRATEGIES, strategy

STORED = Path(__file__).with_name("axelrod_sequences.txt").read_text(encoding="ascii").splitlines()
DILEMMA = {(0, 0): (3, 3), (0, 1): (0, 5), (1, 0): (5, 0), (1, 1): (1, 1)}


def told(actions):
    return "".join("CD"[action] for action in actions)


def total(one, two, turns=200):
    """What two strategies without chance earn in a match, added up by hand."""
    paid = np.array([DILEMMA[tuple(pair)] for pair in match(one, two, turns).action.tolist()])
    return tuple(paid.sum(axis=0).tolist())


def test_actions_are_those_of_axelrod_python():
    """Every strategy without chance against five opponents, as tests/iterated/oracle_axelrod.py wrote them down."""
    assert STORED[0].startswith("# Axelrod-Python 4.14.0")
    rows = [line.split() for line in STORED[1:]]
    assert len({row[0] for row in rows}) >= 60
    for one, two, mine, others in rows:
        played = match(one, two, 200).action[: len(mine)]
        assert (told(played[:, 0]), told(played[:, 1])) == (mine, others), f"{one} against {two}"


@pytest.mark.parametrize(
    ("one", "two", "points"),
    [  # Axelrod (1980), "Effective choice in the prisoner's dilemma", table 2: the row's points in a game of 200 moves
        ("tit_for_tat", "tit_for_tat", 600),
        ("tit_for_tat", "tideman_and_chieruzzi", 595),
        ("tideman_and_chieruzzi", "tideman_and_chieruzzi", 596),
        ("tideman_and_chieruzzi", "stein_and_rapoport", 596),
        ("tideman_and_chieruzzi", "shubik", 600),
        ("tit_for_tat", "stein_and_rapoport", 595),
        ("nydegger", "shubik", 600),
        ("grim", "davis", 600),
    ],
)
def test_points_of_the_first_tournament(one, two, points):
    assert total(one, two)[0] == points


def test_every_line_has_a_name_and_a_source():
    assert len(STRATEGIES) >= 60
    for name, line in STRATEGIES.items():
        assert line.name == name == name.lower() and len(line.source) > 10
        assert isinstance(line.body, Machine) or line.body.size >= 0


def test_a_name_that_is_not_there_is_answered_with_one_that_is():
    assert strategy("grim").name == "grim"
    with pytest.raises(ValueError, match="no strategy 'tit_for_tats'; nearest: tit_for_tat"):
        strategy("tit_for_tats")


def decides(body, own, other, turns):
    """The probability of cooperating after these actions."""
    rule = as_rule(body)
    store, chance = np.zeros(rule.size, np.int64), math.nan
    for turn, (mine, others) in enumerate(zip([-1, *own], [-1, *other], strict=True)):
        chance = rule.decide(store, np.array(rule.parameters, np.float64), turn, turns, mine, others)
    return chance


def test_memory_is_enough():
    """Two pasts of one length that end in the same turns lead to the same behaviour; and a machine needs no less."""
    rng = np.random.default_rng(4)
    for line in STRATEGIES.values():
        if isinstance(line.body, Machine):
            assert memory(line.body) == line.memory, line.name
        if line.memory == math.inf:
            continue
        for _ in range(12):
            length = int(rng.integers(line.memory, line.memory + 20))
            pasts = rng.integers(0, 2, (2, 2, length))
            if line.memory:
                pasts[1, :, -line.memory :] = pasts[0, :, -line.memory :]
            one, two = (decides(line.body, *past.tolist(), turns=200) for past in pasts)
            assert one == two, f"{line.name} after {pasts}"


def test_tit_for_tat_never_wins_and_never_loses_by_more_than_one_turn():
    for name in {line.split()[0] for line in STORED[1:]}:
        mine, others = total("tit_for_tat", name)
        assert 0 <= others - mine <= 5, name


def test_probabilities_are_probabilities():
    rng = np.random.default_rng(6)
    for line in STRATEGIES.values():
        for _ in range(4):
            past = (rng.random((2, int(rng.integers(0, 150)))) < rng.random()).astype(int)
            assert 0 <= decides(line.body, *past.tolist(), turns=200) <= 1, line.name


@pytest.mark.parametrize(
    ("standing", "own", "other", "wanted"),
    [  # Boerlijst, Nowak and Sigmund (1997): one slip is answered once, accepted, and forgotten
        ("its own slip", "CD C C", "CC D C", "CC CCC"),
        ("the other's slip", "CC D C", "CD C C", "CC DCC"),
        ("a slip of both", "D C", "D C", "C CC"),
    ],
)
def test_contrite_tit_for_tat_knows_who_began(standing, own, other, wanted):
    past = ["CD".index(action) for action in own.replace(" ", "")], ["CD".index(a) for a in other.replace(" ", "")]
    body = STRATEGIES["contrite_tit_for_tat"].body
    plan = "".join("DC"[int(decides(body, past[0][:turn], past[1][:turn], 200))] for turn in range(len(past[0]) + 1))
    assert plan == wanted.replace(" ", ""), standing
