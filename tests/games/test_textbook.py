"""The games in normal form: each has the equilibria that its source tells, and files are found by name."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from ludus import games
from ludus.game import UnknownGame
from ludus.normal_form import regret

EQUILIBRIA = {
    "prisoners_dilemma": [((0, 1), (0, 1))],
    "deadlock": [((0, 1), (0, 1))],
    "stag_hunt": [((1, 0), (1, 0)), ((0, 1), (0, 1)), ((3 / 4, 1 / 4), (3 / 4, 1 / 4))],
    "chicken": [((1, 0), (0, 1)), ((0, 1), (1, 0)), ((9 / 10, 1 / 10), (9 / 10, 1 / 10))],
    "battle_of_the_sexes": [((1, 0), (1, 0)), ((0, 1), (0, 1)), ((2 / 3, 1 / 3), (1 / 3, 2 / 3))],
    "matching_pennies": [((1 / 2, 1 / 2), (1 / 2, 1 / 2))],
    "rock_paper_scissors": [((1 / 3, 1 / 3, 1 / 3), (1 / 3, 1 / 3, 1 / 3))],
    "shapley": [((1 / 3, 1 / 3, 1 / 3), (1 / 3, 1 / 3, 1 / 3))],
    "hawk_dove": [((1, 0), (0, 1)), ((0, 1), (1, 0)), ((2 / 3, 1 / 3), (2 / 3, 1 / 3))],  # prize / cost play hawk
    "pure_coordination": [((1, 0), (1, 0)), ((0, 1), (0, 1)), ((1 / 2, 1 / 2), (1 / 2, 1 / 2))],
    # the agent shirks with probability inspection / wage, the principal inspects with probability effort / wage
    "inspection": [((3 / 4, 1 / 4), (1 / 4, 3 / 4))],
    "travellers_dilemma": [(np.eye(9)[0], np.eye(9)[0])],
    "volunteers_dilemma": [((1, 0), (0, 1), (0, 1)), ((1 / 2, 1 / 2),) * 3],
}
PURE = {name: sum(all(max(own) == 1 for own in each) for each in found) for name, found in EQUILIBRIA.items()}


def test_every_file_is_here():
    files = Path(games.__file__).parent.glob("*.nfg")
    assert {file.stem for file in files} == set(EQUILIBRIA) <= set(games.names())


@pytest.mark.parametrize("name", EQUILIBRIA)
def test_equilibria(name):
    """All that are listed are equilibria, and no pure one is missing (of three volunteers, any one may be it)."""
    form = games.form(name)
    for profile in EQUILIBRIA[name]:
        assert regret(form, tuple(np.array(own, float) for own in profile)) == pytest.approx(0.0, abs=1e-12)
    sizes, pure = form.payoff.shape[:-1], 0
    for place in product(*map(range, sizes)):
        pure += regret(form, tuple(np.eye(size)[at] for size, at in zip(sizes, place, strict=True))) == 0.0
    assert pure == (3 if name == "volunteers_dilemma" else PURE[name])


@pytest.mark.parametrize("name", EQUILIBRIA)
def test_a_file_is_a_game(name):
    form, game = games.form(name), games.load(name)
    assert game.name == name and game.source == form.comment and form.title and form.comment.endswith(".")


def test_names_that_lead_nowhere():
    with pytest.raises(UnknownGame, match="did you mean stag_hunt"):
        games.form("stag_hunts")
    with pytest.raises(UnknownGame, match=r"no game in normal form is named 'kuhn_poker'.*reduced"):
        games.form("kuhn_poker")
    with pytest.raises(ValueError, match="chicken has no variants"):
        games.load("chicken(players=3)")
